"""What a draft of study.yml is made from: arms, clusters, visits and outcomes, or pools of trials; read from the options of the command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from asprinted.study import StudyError
from asprinted.study.together import slug

ANALYSES = {
    "score": ("linear", "welch", "ancova", "mixed", "rank-sum"),
    "yes-no": ("logistic", "gee-logistic", "risk-ratio", "risk-difference", "poisson", "chi-squared"),
    "count": ("negative-binomial", "poisson", "rank-sum"),
    "ordinal": ("ordinal", "rank-sum"),
    "category": ("chi-squared",),
    "time": ("cox", "log-rank"),
}  # kind of outcome → what can be asked of it, the usual one first
FORMS = {
    "score": "score:NAME:LOWEST-HIGHEST", "yes-no": "yes-no:NAME (yes-no:NAME:visits where it was asked at the visits)", "count": "count:NAME", "ordinal": "ordinal:NAME:0-6",
    "category": "category:NAME:one|two|three", "time": "time:NAME:EVENT",
}  # fmt: skip
MEASURES = {
    "smd": "standardised mean difference", "md": "mean difference", "rr": "risk ratio", "or": "odds ratio", "rd": "risk difference", "hr": "hazard ratio",
}  # fmt: skip
_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)(?:-|to)(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Outcome:
    """One column to be made. ends: lowest and highest value, as text; values: of a category; event: the column of a time's event; visits: whether a yes/no was
    asked at visits; analyses: as in ANALYSES."""

    kind: str
    column: str
    ends: tuple[str, str] | None = None
    values: tuple[str, ...] = ()
    event: str = ""
    visits: bool = False
    analyses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    """One outcome of a meta-analysis: the measure of its effects, and what it is called."""

    measure: str
    outcome: str


@dataclass(frozen=True)
class Plan:
    """A trial, its last arm the one that the others are held against; or a meta-analysis, which has pools.

    arms: (name, people randomised as text, or "?"). clusters: how many in each arm, as text, or empty; groups: whether the first arm meets in groups.
    visit, times: the column that says which visit, and the times; empty where everybody has one row.
    """

    title: str
    reference: str = "?"
    doi: str = ""
    arms: tuple[tuple[str, str], ...] = ()
    clusters: tuple[str, ...] = ()
    groups: bool = False
    visit: str = ""
    times: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    pools: tuple[Pool, ...] = field(default=())

    def at_visits(self, outcome: Outcome) -> bool:
        """Whether the outcome stands in the table of visits: every score does where there are visits, and what was asked at them."""
        return bool(self.times) and (outcome.kind == "score" or outcome.visits)


def fault(option: str, value: str, remedy: str) -> StudyError:
    """The error of an option that cannot be read."""
    return StudyError("asprinted new", option, value, remedy)


def title(text: str) -> str:
    """The title. Raises StudyError where it holds no word."""
    if not re.search(r"[^\W\d_]{2}", text) or re.fullmatch(r"\S*=\s*\d*", text):
        raise fault("--title", text, "Give the title in words, such as: A walking group for carers.")
    return text


def reference(text: str) -> str:
    """Authors, title, journal and year of the paper; "?" where they are to be filled in. Raises StudyError where no year stands in it, nor that it is in press."""
    if text != "?" and not re.search(r"\b\d{4}\b|in press", text):
        raise fault("--reference", text, "Give authors, title, journal and year, such as: Author A. A trial of a walking group. Journal 2020;1:1-9; or ? to fill it in later.")
    return text


def doi(text: str) -> str:
    """The DOI alone, of one that may stand as a link; empty where there is none. Raises StudyError where it is no DOI."""
    found = _DOI.fullmatch(text.strip())
    if text.strip() and not found:
        raise fault("--doi", text, "A DOI is 10., a number, a slash and more, such as 10.1000/182: give one, or nothing.")
    return found[1] if found else ""


def arm(text: str) -> tuple[str, str]:
    """(name, people) of "new course=120"; the people are "?" where they are left out."""
    name, _, size = (part.strip() for part in text.partition("="))
    if not name or not re.fullmatch(r"\d*", size) or size == "0":
        raise fault("--arm", text, 'Give a name and, if it is printed, how many people were randomised: --arm "course=120".')
    return name, size or "?"


def clusters(text: str, arms: int) -> tuple[str, ...]:
    """How many clusters each arm has: "12" for every arm, or "12,11"; "?" where it is to be filled in."""
    numbers = [each.strip() for each in text.split(",")]
    if not all(re.fullmatch(r"[1-9]\d*|\?", each) for each in numbers) or len(numbers) not in (1, arms):
        raise fault("--clusters", text, f"Give one number for all arms, or one for each of the {arms}: --clusters 12,11.")
    return tuple(numbers * arms if len(numbers) == 1 else numbers)


def visits(text: str) -> tuple[str, tuple[int, ...]]:
    """(column, times) of "0,3,12" or "week:0,6,12"; the column is called month where it is left out."""
    column, _, times = text.strip().rpartition(":")
    parts = [each.strip() for each in times.split(",")]
    if not all(re.fullmatch(r"\d+", each) for each in parts) or len(parts) < 2 or (column and not _NAME.fullmatch(column)):
        raise fault("--visits", text, "Give the times of two visits or more, the first before treatment: --visits 0,3,12, or --visits week:0,6,12.")
    numbers = tuple(map(int, parts))
    if list(numbers) != sorted(set(numbers)):
        raise fault("--visits", text, "Give each time once, in order.")
    return column or "month", numbers


def outcome(text: str) -> Outcome:
    """The Outcome of one of the FORMS."""
    kind, *rest = (part.strip() for part in text.split(":"))
    if kind not in FORMS:
        raise fault("--outcome", text, f"The kind {kind!r} is unknown: write one of {', '.join(FORMS.values())}.")
    wrong = fault("--outcome", text, f"Write {FORMS[kind]}: names in lower case, with digits and underscores.")
    if not rest or not _NAME.fullmatch(rest[0]):
        raise wrong
    column, more = rest[0], rest[1:]
    if kind in ("score", "ordinal") and len(more) == 1 and (found := _RANGE.fullmatch(more[0].replace(" ", ""))):
        low, high = found.groups()
        if float(low) < float(high) and (kind == "score" or (float(low).is_integer() and float(high).is_integer())):
            return Outcome(kind, column, (low, high))
    elif kind == "category" and len(more) == 1 and len(values := [each.strip() for each in more[0].split("|")]) > 1 and all(values) and len(set(values)) == len(values):
        return Outcome(kind, column, values=tuple(values))
    elif kind == "time" and len(more) == 1 and _NAME.fullmatch(more[0]) and more[0] != column:
        return Outcome(kind, column, event=more[0])
    elif kind == "yes-no" and more == ["visits"]:
        return Outcome(kind, column, visits=True)
    elif (kind in ("yes-no", "count") or kind == "score") and not more:
        return Outcome(kind, column)
    raise wrong


def pool(text: str) -> Pool:
    """The Pool of "smd:depression"."""
    measure, _, name = (part.strip() for part in text.partition(":"))
    if measure not in MEASURES or not name:
        raise fault("--pool", text, f"Write MEASURE:OUTCOME, the measure one of {', '.join(MEASURES)}: --pool smd:depression.")
    return Pool(measure, name)


def with_analyses(outcomes: Sequence[Outcome], asked: Sequence[str], in_clusters: bool, visits: int) -> tuple[Outcome, ...]:
    """The outcomes, each with the analyses that "COLUMN=FAMILY" asks for, or else with the usual one of the design."""
    wanted: dict[str, list[str]] = {}
    for text in asked:
        column, _, family = (part.strip() for part in text.partition("="))
        found = next((each for each in outcomes if each.column == column), None)
        if found is None or family not in ANALYSES[found.kind]:
            known = "; ".join(f"{each.column}={'|'.join(ANALYSES[each.kind])}" for each in outcomes)
            raise fault("--analysis", text, f"Write OUTCOME=ANALYSIS, one of: {known or 'no outcome was given'}.")
        wanted.setdefault(column, []).append(family)
    return tuple(
        replace(each, analyses=tuple(dict.fromkeys(wanted.get(each.column, fitting(each, in_clusters, visits)[:1])))) for each in outcomes
    )


def fitting(outcome: Outcome, in_clusters: bool, visits: int) -> list[str]:
    """The analyses that can be drafted of an outcome in a design, the usual one first."""
    kind, by_group = outcome.kind, in_clusters or (outcome.visits and visits > 0)
    usual = {"score": "mixed" if in_clusters or visits > 2 else "ancova" if visits else "linear", "yes-no": "gee-logistic" if in_clusters else "logistic"}.get(kind, ANALYSES[kind][0])
    needless = {"mixed"} if not (in_clusters or visits) else set()
    needless |= set() if by_group else {"gee-logistic"}
    return sorted((name for name in ANALYSES[kind] if name not in needless), key=lambda name: name != usual)


def analyses(text: str, outcome: Outcome, known: Sequence[str]) -> list[str]:
    """"COLUMN=ANALYSIS" for each of the analyses that an answer names, with commas between them. Raises StudyError where one is not `known`."""
    named = [name.strip() for name in text.split(",")]
    if not set(named) <= set(known):
        raise fault("--analysis", text, f"Answer one of {', '.join(known)}, or several with commas between them.")
    return [f"{outcome.column}={name}" for name in named]


def distinct(arms: Sequence[tuple[str, str]]) -> None:
    """Raise StudyError where two arms come to one name."""
    names = [slug(name) for name, _ in arms]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise fault("--arm", twice, "Two arms come to the same name in ids: call one of them otherwise.")


def with_visits(times: Sequence[int], outcomes: Sequence[Outcome]) -> None:
    """Raise StudyError where there are visits and nothing to draft at them, or an outcome at visits and none of these."""
    if times and not any(each.kind == "score" or each.visits for each in outcomes):
        raise fault("--visits", ",".join(map(str, times)), "Nothing is drafted at the visits: add --outcome score:NAME:LOWEST-HIGHEST or yes-no:NAME:visits, or leave --visits out.")
    if not times and (alone := next((each.column for each in outcomes if each.visits), None)):
        raise fault("--outcome", f"yes-no:{alone}:visits", f"There are no visits: add --visits 0,3,12, or write yes-no:{alone}.")


def checked(plan: Plan) -> Plan:
    """The plan itself. Raises StudyError where it is not enough for a draft, or a name stands for two things."""
    if plan.pools:
        if plan.arms or plan.outcomes:
            raise fault("--pool", plan.pools[0].outcome, "A meta-analysis has pools, a trial has arms and outcomes: give one or the other.")
        names = [each.outcome for each in plan.pools]
        if len({each.measure for each in plan.pools}) > 1:
            raise fault("--pool", ", ".join(names), "Pools of two measures need two tables: draft one, and add the other by hand.")
    else:
        if len(plan.arms) < 2:
            raise fault("--arm", str(len(plan.arms)), "Give two arms or more, the one that the others are held against last.")
        if not plan.outcomes:
            raise fault("--outcome", "none", f"Give one or more: {', '.join(FORMS.values())}.")
        distinct(plan.arms)
        names = ["id", "arm", *(["cluster"] if plan.clusters else []), *(["programme_group"] if plan.groups else []), *([plan.visit] if plan.times else [])]
        names += [name for each in plan.outcomes for name in (each.column, each.event) if name]
        names += [f"{each.column}_start" for each in plan.outcomes if "ancova" in each.analyses and not plan.times]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise fault("--pool" if plan.pools else "--outcome", twice, "Two things have this name: give each its own.")
    return plan
