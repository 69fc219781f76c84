"""The kinds of designs, outcomes and print that one study file may hold together, how each is written there, and what is refused together and why.

The tests make records of every kind and of every pair of kinds from print alone; a pair that REFUSED names is refused when the study file is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asprinted.study.entries import Study, StudyError


@dataclass(frozen=True)
class Kind:
    """A kind of design, outcome, print or review: what it covers, in words, and the parts of study.yml that write it, as YAML.

    written: top keys of study.yml, and `by`, an entry's field of that name.
    """

    name: str
    covers: str
    written: str


@dataclass(frozen=True)
class Refusal:
    """Two kinds that one study file cannot hold together: where it is said, why, and whether a design has both."""

    kinds: tuple[str, str]
    where: tuple[str, ...]
    reason: str
    applies: Callable[[Mapping[str, Any]], bool]


DESIGNS = (
    Kind("arms", "two, three or more arms, in one place or at several sites; each against one of them, and all together", """
design: {people: {table: people, arms: {column: arm, sizes: {usual: n.usual, leaflet: n.leaflet, course: n.course}}, sites: {column: centre, number: centres.n}}}
models:
  main:
    {family: linear, table: people, says: least squares, formula: "{outcome} ~ C(arm)", contrasts: {course: [{weight: 1, at: {arm: course}}, {weight: -1, at: {arm: usual}}]}}
by: {model: main, outcome: score, contrast: course, statistic: est}
"""),
    Kind("clusters", "whole clusters randomised, of equal or uneven sizes; outcomes alike within them, models robust by cluster", """
design:
  people:
    table: people
    arms: {column: arm, sizes: {usual: n.usual, course: n.course}}
    clusters: {column: practice, number: {usual: practices.usual, course: practices.course}, spread: practices.spread}
models: {main: {family: linear, table: people, says: robust by practice, formula: "{outcome} ~ C(arm)", covariance: robust, groups: practice}}
"""),
    Kind("groups", "people randomised one by one, of whom one arm meets in groups", """
design:
  people:
    table: people
    arms: {column: arm, sizes: {usual: n.usual, course: n.course}}
    groups: {column: circle, arm: course, smallest: circle.smallest, largest: circle.largest}
"""),
    Kind("visits", "the same people at several visits, with losses, most of them for good; how many were followed up, in numbers or per cent; scores and answers at each visit, or over all", """
design:
  visits:
    {table: visits, column: month, times: [0, 3, 12], seen: {usual: [n.usual, seen.usual.3, seen.usual.12], course: [n.course, seen.course.3, seen.course.12]}}
models:
  main: {family: mixed, table: visits, says: an intercept a person, formula: "{outcome} ~ C(arm) * C(month)", groups: id, estimator: REML}
  answers:
    {family: gee-logistic, table: visits, rows: {month: [3, 12]}, says: estimating equations, formula: "{outcome} ~ C(arm) + C(month)", groups: id, estimator: GEE}
by: {table: visits, column: score, filter: {month: 12}, statistic: percent_observed}
"""),
)  # fmt: skip

OUTCOMES = (
    Kind("score", "a continuous score: mean with SD, standard error or interval; Student's or Welch's t test, ANCOVA, mixed model", """
design: {outcomes: [{column: calm, kind: score}]}
models: {main: {family: linear, test: welch, table: people, says: Welch's t test, formula: "{outcome} ~ C(arm)"}}
by: {table: people, column: calm, filter: {arm: usual}, statistic: sd}
"""),
    Kind("whole-score", "a questionnaire of whole numbers between two bounds, compared with its baseline in the model", """
design: {outcomes: [{column: mood_start, kind: score}, {column: mood, kind: score, seen: {usual: seen.usual, course: seen.course}, follows: {mood_start: mood.r}}]}
models: {main: {family: linear, table: people, says: analysis of covariance, formula: "{outcome} ~ C(arm) + mood_start"}}
"""),
    Kind("change", "change since the start: a column of its own, or the change within an arm by a model of visits", """
design: {outcomes: [{column: trust_start, kind: score}, {column: trust_change, kind: score, follows: {trust_start: trust.r}}]}
by: {table: people, column: trust_change, filter: {arm: usual}, statistic: mean}
"""),
    Kind("median", "a skewed score: median with quartiles or their distance, compared by ranks", """
design: {outcomes: [{column: minutes, kind: score, mean: minutes.mean, sd: minutes.sd, skewness: minutes.skewness}]}
models: {ranks: {family: rank-sum, table: people, says: Mann and Whitney's test, formula: "{outcome} ~ arm"}}
by: {table: people, column: minutes, filter: {arm: usual}, statistic: q1}
"""),
    Kind("correlation", "two scores and the correlation between them", """
design: {outcomes: [{column: sleep, kind: score}, {column: energy, kind: score, follows: {sleep: energy.r}}]}
models: {together: {family: correlation, test: pearson, table: people, says: Pearson's correlation, formula: "{outcome} ~ sleep"}}
by: {model: together, outcome: energy, statistic: est}
"""),
    Kind("yes-no", "yes or no: counts and per cents; odds ratio, risk ratio, risk difference, number needed to treat", """
design: {outcomes: [{column: working, kind: yes-no}]}
models: {main: {family: risk-difference, table: people, says: difference of two shares}}
by: {table: people, column: working, filter: {arm: usual}, statistic: percent}
"""),
    Kind("adjusted", "yes or no with covariates in the model, such as the score at the start: an odds ratio, or a risk ratio by robust Poisson regression", """
design: {outcomes: [{column: mood_start, kind: score}, {column: well, kind: yes-no, seen: {usual: seen.usual, course: seen.course}, follows: {mood_start: well.r}}]}
models:
  odds: {family: logistic, estimator: ML, table: people, says: logistic regression, formula: "{outcome} ~ C(arm) + mood_start"}
  risks: {family: poisson, covariance: robust, table: people, says: modified Poisson regression, formula: "{outcome} ~ C(arm) + mood_start"}
by: {table: people, column: well, filter: {arm: usual}, statistic: percent}
"""),
    Kind("count", "a count, with or without time at risk: totals, means, rates and their ratio", """
design: {outcomes: [{column: contacts, kind: count, exposure: years, spread: contacts.spread}]}
models: {main: {family: negative-binomial, exposure: years, table: people, says: negative binomial regression, formula: "{outcome} ~ C(arm)"}}
"""),
    Kind("ordinal", "answers in order: per cents, common odds ratio", """
design: {outcomes: [{column: rating, kind: ordinal, shares: rating.shares}]}
models: {main: {family: ordinal, table: people, says: proportional odds, formula: "{outcome} ~ C(arm)"}}
by: {table: people, column: rating, equals: 5, filter: {arm: usual}, statistic: percent_equal}
"""),
    Kind("category", "categories without order: counts or per cents, chi-squared test", """
design: {outcomes: [{column: place, kind: category, shares: place.shares}]}
models: {main: {family: chi-squared, table: people, says: Pearson's test, formula: "{outcome} ~ arm"}}
by: {table: people, column: place, equals: home, filter: {arm: usual}, statistic: percent_equal}
"""),
    Kind("time", "time to an event: how many had it, hazard ratio, log-rank test, median, survival at a time", """
design: {outcomes: [{column: days, kind: time, event: returned, follow_up: [200, 365]}]}
models:
  main: {family: cox, time: days, table: people, says: proportional hazards, formula: "{outcome} ~ C(arm)"}
  curves: {family: log-rank, time: days, table: people, says: log-rank test, formula: "{outcome} ~ arm"}
by: {table: people, column: days, event: returned, filter: {arm: usual}, statistic: survival_median}
"""),
)  # fmt: skip

PRINT = (
    Kind("baseline", "the baseline table: every column of it is an outcome that is made first", """
design: {outcomes: [{column: age, kind: score}, {column: woman, kind: yes-no}, {column: lives, kind: category, shares: lives.shares}]}
"""),
    Kind("subgroups", "the comparison within subgroups, and the p value of the interaction", """
models: {inside: {family: linear, table: people, says: least squares with interaction, formula: "{outcome} ~ C(arm) * C(woman)"}}
by: {model: inside, outcome: score, contrast: interaction, statistic: p}
"""),
    Kind("words", "numbers in words, directions, significance in words, inequalities", """
claims:
  score.direction:
    {says: it helped, kind: direction, declared: ">0", reason: plain words, mark: P, source: paper, where: abstract, by: {model: main, outcome: score, contrast: course, statistic: est}}
"""),
)  # fmt: skip

_TRIALS = "design: {trials: {table: trials, number: k.all, people: {total: n.all}, effects: {table: results, model: pool}}}"


def _pool(measure: str, covers: str, parts: str) -> Kind:
    effect = f"{{measure: {measure}, n: [n_new, n_usual], {parts}}}"
    return Kind(f"pool-{measure}", f"{covers}, pooled over trials: interval, heterogeneity, subgroups of trials", f"""
{_TRIALS}
models: {{pool: {{family: random-effects, table: results, says: random effects, outcome_column: outcome, estimator: REML, effect: {effect}}}}}
by: {{model: pool, outcome: distress, filter: {{setting: clinic}}, statistic: est}}
""")  # fmt: skip


REVIEWS = (
    _pool("smd", "standardised mean differences", "mean: [mean_new, mean_usual], sd: [sd_new, sd_usual]"),
    _pool("md", "mean differences", "mean: [mean_new, mean_usual], sd: [sd_new, sd_usual]"),
    _pool("rr", "risk ratios", "events: [events_new, events_usual]"),
    _pool("or", "odds ratios", "events: [events_new, events_usual]"),
    _pool("rd", "risk differences", "events: [events_new, events_usual]"),
    _pool("hr", "hazard ratios", "log: log_hr, se: se_hr"),
)

KINDS = (*DESIGNS, *OUTCOMES, *PRINT, *REVIEWS)


def _among_people(*parts: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda design: set(parts) <= design.get("people", {}).keys()


REFUSED = (
    Refusal(
        ("clusters", "groups"), ("people", "clusters"),
        "Whole clusters are randomised, so an outcome's share of variance between clusters would have two meanings: leave out the groups, or randomise people.",
        _among_people("clusters", "groups"),
    ),
)  # fmt: skip


def refusal(study: Study) -> StudyError | None:
    """The error to raise where the study's design holds two kinds that are refused together; None where it holds none such."""
    from asprinted.study.entries import SEPARATOR, StudyError  # here, since the checks of a study's design import this table

    for each in REFUSED:
        if each.applies(study.design):
            return StudyError(study.file, SEPARATOR.join(("design", *each.where)), " and ".join(each.kinds), each.reason)
    return None


def as_rows(names: Collection[str] = ()) -> list[dict[str, str]]:
    """A row a kind, or each of those named: name, covers, written, and the kinds that it is refused with, each with the reason."""
    return [
        {"name": kind.name, "covers": kind.covers, "written": kind.written.strip(), "refused": _refused_with(kind.name)} for kind in KINDS if not names or kind.name in names
    ]  # fmt: skip


def as_text(names: Collection[str] = ()) -> str:
    """The table to be read, or the kinds named: a paragraph a kind, its YAML indented below what it covers."""
    paragraphs = []
    for row in as_rows(names):
        refused = [f"  Refused {row['refused']}"] if row["refused"] else []
        paragraphs.append("\n".join([f"{row['name']}: {row['covers']}", *refused, *(f"    {line}" for line in row["written"].splitlines())]))
    return "\n\n".join(paragraphs)


def _refused_with(name: str) -> str:
    return " ".join(f"with {other}: {each.reason}" for each in REFUSED if name in each.kinds for other in each.kinds if other != name)
