"""The methods that a chapter writes out are short, and are those of `asprinted.models`, or of another tool where the library has none.

A function of a chapter is either compared here, on made-up meta-analyses, or named as one that does no statistics.
"""

from __future__ import annotations

import ast
import functools
import gc
import itertools
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.weightstats import ztost

from asprinted.models import cox, effects, heterogeneity, logistic, logistic_gee, pooled, small_studies
from asprinted.printed import agrees
from book import notebooks

FOLDER = Path(__file__).resolve().parents[2] / "chapters"
MOST_LINES = 15
NAMED = re.compile(r"\(?\w+(, \w+)*\)? = (stats\.norm\.ppf\([\d., \[\]]+\)|'.*')")  # quantiles and texts that chapters give a name to, and their functions use
NO_STATISTICS = {
    "peer-support-meta-analysis": {
        "corner": "names the corner of a table",
        "p_text": "writes a p value as text",
        "tidy": "rounds a table",
        "signed": "writes a number with its sign",
        "written": "writes a line of the forest plot",
        "diamond": "draws a diamond of the forest plot",
        "sizes_hold": "compares pools with the ranges that the study file declares",
        "others_hold": "compares pools with each other and with print",
        "survive": "puts the two together",
    },
    "care-management-review": {
        "corner": "names the corner of a table",
        "p_text": "writes a p value as text",
        "signed": "writes a number with its sign",
        "interval": "writes an interval as text",
        "shown": "writes what is printed or declared",
        "add_up": "adds printed counts",
        "side": "says on which side of no difference an interval lies",
        "of": "takes the rows of an outcome",
        "without_largest": "leaves a trial out",
        "without_smallest": "leaves a trial out",
        "everyone": "leaves no trial out",
        "survives": "compares pools with the sentences",
        "lines_of": "pools the rows of each sentence by the method of a choice",
    },
    "across-the-four": {
        "corner": "names the corner of a table",
        "p_text": "writes a p value as text",
        "signed": "writes a number with its sign",
        "printed": "reads what is printed",
        "as_text": "reads what is printed, as text",
        "heading": "writes a heading into a figure",
        "interval": "draws an interval",
        "intervals": "draws a panel of intervals",
        "add": "keeps a line of a table",
        "of": "reads a coefficient off a fit",
        "became": "sorts claims into classes",
    },
    "bring-your-own-paper": {
        "say_printed": "says what is printed",
        "printed": "reads what is printed",
        "wrapped": "breaks lines",
        "asprinted": "runs a command",
        "entry": "takes an entry out of a study file",
        "claims_of": "takes the names of claims out of a study file",
        "part": "measures how two ranges overlap",
    },
    "how-the-records-were-made": {
        "corner": "names the corner of a table",
        "printed": "reads what is printed",
        "values_in": "counts values in tables",
        "mixed": "hands scores to statsmodels, whose mixed model tests/reference compares with lme4",
        "difference_in_means": "hands scores to statsmodels",
        "by_gender": "hands outcomes to statsmodels, gender by gender",
        "prints_all": "compares a fit with print",
        "who_is_where": "hands counts and sums to SciPy's whole-number solver",
    },
}


class Function(NamedTuple):
    """A function of a chapter, and the code of its cell; one inside another belongs to that."""

    node: ast.FunctionDef
    source: str

    def lines(self) -> int:
        """How many lines are neither blank nor of the docstring."""
        written = range(self.node.lineno, self.node.end_lineno + 1)
        first = self.node.body[0]
        docstring = range(first.lineno, first.end_lineno + 1) if ast.get_docstring(self.node) is not None else ()
        lines = self.source.split("\n")
        return sum(bool(lines[number - 1].strip()) for number in written if number not in docstring)


SOURCES = {stem: [notebooks.text(cell["source"]) for cell in notebooks.code_cells(notebooks.read(FOLDER / f"{stem}.ipynb"))] for stem in NO_STATISTICS}
DEFINED = {stem: [Function(node, source) for source in sources for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)] for stem, sources in SOURCES.items()}
FUNCTIONS = {stem: {function.node.name: function for function in defined} for stem, defined in DEFINED.items()}


@functools.cache
def names_of(stem: str) -> dict[str, Any]:
    """A chapter's functions, with what it imports, its texts and its quantiles, and nothing else."""
    nodes = [node for source in SOURCES[stem] for node in ast.parse(source).body]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    named = [node for node in nodes if isinstance(node, ast.Assign) and NAMED.fullmatch(ast.unparse(node))]
    names: dict[str, Any] = {}
    exec(compile(ast.Module([*imports, *named, *(function.node for function in DEFINED[stem])], []), stem, "exec"), names)
    return names


@pytest.mark.parametrize("stem", NO_STATISTICS)
def test_no_function_is_defined_twice(stem):
    assert len(DEFINED[stem]) == len(FUNCTIONS[stem])


@pytest.mark.parametrize(("stem", "name"), [(stem, name) for stem, functions in FUNCTIONS.items() for name in functions])
def test_function_is_short_enough_to_read(stem, name):
    assert FUNCTIONS[stem][name].lines() <= MOST_LINES


# Made-up meta-analyses


class Trials(NamedTuple):
    """The rows of a meta-analysis as chapters have them, with g and v of the library, turned by their direction."""

    rows: pd.DataFrame
    g: pd.Series
    v: pd.Series

    @property
    def X(self) -> np.ndarray | None:
        """Ones, a group and a number: as many as the trials allow."""
        columns = [np.ones(len(self.rows)), self.rows["setting"] == "a", np.log(self.rows["n_peer"])]
        return np.column_stack(columns[: min(3, len(self.rows) - 1)])

    @property
    def arms(self) -> list[pd.Series]:
        """n, mean and SD of either arm, as the library takes them."""
        return [self.rows[f"{part}_{arm}"] for arm in ("peer", "control") for part in ("n", "mean", "sd")]


def made(k: int, tau: float, seed: int) -> Trials:
    """Trials whose effects differ by tau; with tau 0 they differ by less than chance would have it."""
    rng = np.random.default_rng([k, round(100 * tau), seed])
    n_peer, n_control = rng.integers(8, 200, (2, k))
    unit = np.sqrt(1 / n_peer + 1 / n_control)
    effect = 0.2 + rng.normal(0, tau, k) + rng.normal(0, 1.0 if tau else 0.3, k) * unit
    direction, sd_peer, sd_control, mean_control = rng.choice([-1, 1], k), rng.uniform(5, 7, k), rng.uniform(5, 7, k), rng.normal(30, 4, k)
    rows = pd.DataFrame({
        "outcome": "a score", "setting": rng.permutation(np.resize(["a", "b", "b", "c"], k)), "direction": direction,
        "n_peer": n_peer, "mean_peer": mean_control + direction * effect * 6, "sd_peer": sd_peer,
        "n_control": n_control, "mean_control": mean_control, "sd_control": sd_control,
        "left_peer": rng.integers(1, n_peer), "left_control": rng.integers(1, n_control),
    })  # fmt: skip
    g, v = effects.hedges_g(n_peer, rows["mean_peer"], sd_peer, n_control, mean_control, sd_control)
    return Trials(rows, pd.Series(direction * g), pd.Series(v))


SETS = {f"{k} trials, tau {tau}, {seed}": made(k, tau, seed) for k in (2, 3, 5, 12, 30, 60) for tau in (0.0, 0.15, 0.5) for seed in (1, 2)}
ESTIMATORS = {"dl": "DL", "pm": "PM", "reml": "REML"}
LINE = ("k", "est", "lo", "hi", "p")
ENDS = ("est", "lo", "hi", "p")


def test_sets_have_variances_of_nothing_and_variances_on_which_estimators_differ():
    tau2 = np.array([[heterogeneity.tau_squared(each.g, each.v, estimator) for estimator in ESTIMATORS.values()] for each in SETS.values()])
    nothing, differ = (tau2 == 0).all(axis=1), np.ptp(tau2, axis=1) > 1e-3
    assert nothing.sum() >= 10 and differ.sum() >= 10
    filled = [small_studies.trim_and_fill(each.g, each.v, "DL", "left").filled for each in SETS.values()]
    assert len(set(filled)) >= 4


# Each method of a chapter: what it gives, and what the library gives


def fields(found: pooled.Pooled, names: tuple[str, ...]) -> list[float]:
    return [float(getattr(found, name)) for name in names]


def effects_and_sizes(chapter, trials):
    found = chapter["effects"](trials.rows)
    return found[["g", "v", "people"]], np.column_stack([trials.g, trials.v, trials.rows["n_peer"] + trials.rows["n_control"]])


def weighted_average(chapter, trials):
    found = {estimator: pooled.pool(trials.g, trials.v, estimator) for estimator in heterogeneity.ESTIMATORS}
    ours = [chapter["pool"](trials.g, trials.v, each.tau2) for each in found.values()] + [chapter["pool"](trials.g, trials.v)]
    return ours, [(each.est, each.se) for each in [*found.values(), found["common"]]]


def variance(name):
    return lambda chapter, trials: (chapter[name](trials.g, trials.v), heterogeneity.tau_squared(trials.g, trials.v, ESTIMATORS[name]))


def variance_left_by_covariates(chapter, trials):
    ours = [chapter["reml"](trials.g, trials.v), chapter["reml"](trials.g, trials.v, trials.X)]
    return ours, [heterogeneity.tau_squared(trials.g, trials.v, "REML", X) for X in (None, trials.X)]


def line_of_each_estimator(chapter, trials):
    lines = [chapter["line_of"](trials.g, trials.v), *(chapter["line_of"](trials.g, trials.v, chapter[name]) for name in ESTIMATORS)]
    theirs = [fields(pooled.pool(trials.g, trials.v, name), LINE) for name in ("DL", *ESTIMATORS.values())]
    return [list(line.values()) for line in lines], theirs


def prediction(chapter, trials):
    ours = [chapter["predicted"](trials.g, trials.v), *(chapter["predicted"](trials.g, trials.v, chapter[name]) for name in ESTIMATORS)]
    return ours, [fields(pooled.pool(trials.g, trials.v, name), ("prediction_lo", "prediction_hi")) for name in ("DL", *ESTIMATORS.values())]


def q_with_a_variance_between_trials(chapter, trials):
    between = (0.0, 0.01, 0.3)
    return [chapter["q_at"](each, trials.g, trials.v) for each in between], [pooled.pool(trials.g, trials.v + each, "common").q for each in between]


def intervals_of_each_test(chapter, trials):
    found = [[pooled.pool(trials.g, trials.v, estimator, test) for test in pooled.TESTS] for estimator in heterogeneity.ESTIMATORS]
    ours = [chapter["intervals"](trials.g, trials.v, each[0].tau2) for each in found]
    return ours, [[fields(one, ("est", "lo", "hi")) for one in each] for each in found]


def filled_funnel(chapter, trials):
    theirs = small_studies.trim_and_fill(trials.g, trials.v, "DL", "left")
    order = [*np.argsort(trials.g), *range(len(trials.g), len(theirs.y))]
    return chapter["trim_and_fill"](trials.g, trials.v), (theirs.y[order], theirs.v[order])


def lines_by_setting(chapter, trials):
    chapter |= {"used": trials.rows.assign(g=trials.g, v=trials.v), "settings": ["a", "b", "c", "without trials"]}
    mine = {name: trials.rows["setting"] == name for name in "abc"}
    theirs = [fields(pooled.pool(trials.g[which], trials.v[which]), LINE) if which.any() else [np.nan] * len(LINE) for which in mine.values()]
    return chapter["by_setting"]("a score").astype(float), theirs


def row_of_a_review(chapter, trials):
    rows = trials.rows.assign(g=trials.g, v=trials.v, people=trials.rows["n_peer"] + trials.rows["n_control"])
    ours, theirs = [], []
    for part in (rows, rows[:1]):
        found = pooled.pool(part["g"], part["v"])
        ours.append(list(chapter["row_of"](part).values()))
        theirs.append([*fields(found, LINE), part["people"].sum(), found.q, found.q_p, found.i2 if len(part) > 1 else np.nan])
    return ours, theirs


def squeezed(chapter, trials):
    found = pooled.pool(trials.g, trials.v)
    source = SimpleNamespace(number={f"a.{part}": float(getattr(found, part)) for part in ("est", "lo", "hi")}.get)
    ours = list(chapter["squeeze"](source, "a").values())
    return ours, [found.est, found.est, found.se, found.est / found.se, found.p]


def knapp_hartung_interval(chapter, trials):
    rows = trials.rows.assign(g=trials.g, v=trials.v)
    return chapter["knapp_hartung"](rows), fields(pooled.pool(trials.g, trials.v, "DL", "knapp-hartung"), ("lo", "hi"))


def pools_of_each_test(chapter, trials):
    rows = trials.rows.assign(g=trials.g, v=trials.v)
    ours = [chapter["pools"](rows, chapter["reml"]), chapter["pools"](rows, chapter["dl"], "Knapp-Hartung"), chapter["pools"](rows[:1], chapter["dl"])]
    theirs = [pooled.pool(trials.g, trials.v, "REML"), pooled.pool(trials.g, trials.v, "DL", "knapp-hartung"), pooled.pool(trials.g[:1], trials.v[:1])]
    return ours, [fields(each, ("est", "lo", "hi")) for each in theirs]


LOW_AND_HIGH = ("estimate", "low", "high")  # the library's est, lo and hi, as later chapters name them


def effects_as_measured(chapter, trials):
    found = chapter["effects"](trials.rows)
    return found[["g", "v", "people"]], np.column_stack([trials.rows["direction"] * trials.g, trials.v, trials.rows["n_peer"] + trials.rows["n_control"]])


def whole_pool(chapter, trials):
    names = {"trials": "k", "estimate": "est", "low": "lo", "high": "hi", "se": "se", "p": "p", "tau2": "tau2", "q": "q"}
    line = chapter["pool"](trials.g, trials.v)
    assert line.keys() == names.keys()
    return list(line.values()), fields(pooled.pool(trials.g, trials.v), tuple(names[name] for name in line))


def people_who_left(trials):
    return [trials.rows[f"{part}_{arm}"] for arm in ("peer", "control") for part in ("n", "left")]


def pool_of_chosen_rows(chapter, trials):
    rows = trials.rows.assign(turned=trials.g, other=-2 * trials.g, v=trials.v)
    both = pd.concat([rows, rows.assign(outcome="another", turned=1.0, other=1.0)])
    mine = rows["setting"] == "b"
    ours = [chapter["pooled"](both, "a score"), chapter["pooled"](both, "a score", setting="b"), chapter["pooled"](both, "a score", "other", setting="b")]
    theirs = [pooled.pool(trials.g, trials.v), pooled.pool(trials.g[mine], trials.v[mine]), pooled.pool(-2 * trials.g[mine], trials.v[mine])]
    return [[line[part] for part in LOW_AND_HIGH] for line in ours], [fields(each, ("est", "lo", "hi")) for each in theirs]


def interval_never_below_walds(chapter, trials):
    line = chapter["hartung_knapp"](trials.g, trials.v)
    found = pooled.pool(trials.g, trials.v, "DL", "knapp-hartung-at-least-wald")
    return [line[part] for part in (*LOW_AND_HIGH, "se", "df")], fields(found, ("est", "lo", "hi", "se", "df"))


def pool_without_variance_between_trials(chapter, trials):
    line = chapter["common"](trials.g, trials.v)
    return [line[part] for part in (*LOW_AND_HIGH, "se")], fields(pooled.pool(trials.g, trials.v, "common"), ("est", "lo", "hi", "se"))


def two_one_sided_tests(chapter, trials):
    """The effects stand for people's scores, whose mean is tested."""
    margins, se = (0.05, 0.2, 0.5), np.std(trials.g, ddof=1) / len(trials.g) ** 0.5
    return [chapter["tost"](trials.g.mean(), se, margin) for margin in margins], [ztost(trials.g, -margin, margin)[0] for margin in margins]


def covered_area(chapter, trials):
    """Pieper et al. 2014: how often studies are counted more than once, of how often they could be."""
    matrix = pd.DataFrame({"first": trials.rows["direction"] > 0, "second": trials.rows["setting"] == "b", "third": trials.g > trials.g.median()})
    held = [{*matrix.index[matrix[review]]} for review in matrix]
    everything = set().union(*held)
    again = sum(sum(study in review for review in held) - 1 for study in everything)
    return chapter["covered"](matrix), again / (len(everything) * (len(held) - 1))


def difference_and_se_from_print(chapter, trials):
    found = pooled.pool(trials.g.abs(), trials.v)
    chapter |= {"harp": SimpleNamespace(number={"a.harp.est": 1 + found.est, "a.usual_care.est": 1.0, "a.change.p": found.p}.get)}
    return chapter["squeezed"]("a"), (found.est, found.se)


def effects_turned(chapter, trials):
    found = chapter["effect_sizes"](trials.rows.iloc[::-1])
    assert list(found.index) == list(range(len(found)))
    return found[["g", "v"]], np.column_stack([trials.g, trials.v])[::-1]


def pools_by_least_squares(chapter, trials):
    rows = trials.rows.assign(g=trials.g, v=trials.v)
    ours = [chapter["pooled"](rows), chapter["pooled"](rows, "Knapp-Hartung"), chapter["pooled"](rows, tau2=0)]
    theirs = [pooled.pool(trials.g, trials.v), pooled.pool(trials.g, trials.v, test="knapp-hartung-at-least-wald"), pooled.pool(trials.g, trials.v, "common")]
    return ours, [fields(each, ENDS) for each in theirs]


def places_of_a_pool(chapter, trials):
    chapter |= {"cells": []}
    chapter["add_pool"]("a claim", trials.rows.assign(g=trials.g, v=trials.v), [0.2, 0.01])
    ours = {change: line for _, change, _, *line in chapter["cells"]}
    found, left_out = pooled.pool(trials.g, trials.v), pooled.leave_one_out(trials.g, trials.v)
    worst = np.argmax(left_out.p)
    theirs = {
        "as printed": fields(found, ENDS),
        "another test": fields(pooled.pool(trials.g, trials.v, test="knapp-hartung-at-least-wald"), ENDS),
        "another model": fields(pooled.pool(trials.g, trials.v, "common"), ENDS),
        "several outcomes": [found.est, np.nan, np.nan, holm_by_hand([found.p, 0.2, 0.01])[0]],
        "one left out": [getattr(left_out, part)[worst] for part in ENDS],
    }
    return list(ours.values()), [theirs[change] for change in ours]


def holm_by_hand(p: list[float]) -> list[float]:
    """Holm 1979: the p values in order, each times how many are left, and none below the one before."""
    order = np.argsort(p)
    stepped = np.minimum(1, np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1)))
    return list(stepped[np.argsort(order)])


def step_down(chapter, trials):
    among = list(2 * stats.norm.sf(np.abs(trials.g / trials.v**0.5)))
    return [chapter["holm"](p, among) for p in (0.003, 0.4)], [holm_by_hand([p, *among])[0] for p in (0.003, 0.4)]


def p_from_a_printed_interval(chapter, trials):
    found = pooled.pool(trials.g, trials.v)
    plain = SimpleNamespace(number={f"a.{part}": getattr(found, part) for part in ENDS}.get)
    ratio = SimpleNamespace(number={f"a.{part}": getattr(found.as_ratios(), part) for part in ENDS}.get)
    return [chapter["p_printed"](plain, "a"), chapter["p_printed"](ratio, "a", np.log)], [found.p, found.p]


def within_margins(chapter, trials):
    """Where more favours peers: not worse if an interval lies above the margin's other side, equal if it lies between both."""
    found, narrow = pooled.pool(trials.g, trials.v), pooled.pool(trials.g, trials.v, level=0.9)
    row, ours, theirs = {"d": found.est, "low": found.lo, "high": found.hi}, [], []
    for margin in (0.1, 0.2, 0.5):
        text, *answers = chapter["within"](row, margin).values()
        ours.append([*(float(end.replace("−", "-")) for end in text.split(" to ")), *answers])
        above = narrow.lo > -margin
        theirs.append([round(narrow.lo, 2), round(narrow.hi, 2), above, found.lo > -margin, above and narrow.hi < margin, round(max(-narrow.lo, narrow.hi), 2)])
    return ours, theirs


def p_of_fewer_people(chapter, trials):
    """With a share of the people left, every variance is that much larger."""
    found, shares = pooled.pool(trials.g, trials.v, "common"), (1.0, 0.8, 0.3)
    return [chapter["expected_p"](found.p, kept) for kept in shares], [pooled.pool(trials.g, trials.v / kept, "common").p for kept in shares]


def standard_errors_by_cluster(chapter, trials):
    """People who left or stayed, three workers to each arm of a trial."""
    counts = [(arm, trial, left, row[f"left_{arm}"] if left else row[f"n_{arm}"] - row[f"left_{arm}"])
              for trial, row in enumerate(trials.rows.to_dict("records")) for arm in ("peer", "control") for left in (0, 1)]  # fmt: skip
    people = pd.DataFrame([(arm == "peer", f"{arm} {trial} {person % 3}", left) for arm, trial, left, n in counts for person in range(n)], columns=["peer", "worker", "left"])
    people["peer"] = people["peer"].astype(float)
    fit = smf.logit("left ~ peer", people).fit(**chapter["by_worker"](people))
    beta, cov = logistic_gee(people["left"].to_numpy(float), np.column_stack([np.ones(len(people)), people["peer"]]), people.groupby("worker").ngroup().to_numpy())
    return [fit.params, fit.bse], [beta, np.sqrt(np.diag(cov))]


def ratings(trials):
    """A few made-up ratings from 1 to 5: their number, sum and sum of squares, and the mean and SD as they would be printed."""
    held = np.random.default_rng(trials.rows["n_peer"].to_list()).integers(1, 6, 7)
    return len(held), held.sum(), (held**2).sum(), f"{held.mean():.2f}", f"{held.std(ddof=1):.2f}"


def sums_that_print_the_mean(chapter, trials):
    n, _, _, mean, _ = ratings(trials)
    return chapter["sums_of"](mean, n), [total for total in range(5 * n + 1) if agrees(total / n, mean)]


def squares_that_print_the_sd(chapter, trials):
    n, total, _, _, sd = ratings(trials)
    whole = [squares for squares in range(25 * n + 1) if squares * n >= total**2 and agrees(((squares - total**2 / n) / (n - 1)) ** 0.5, sd)]
    return list(chapter["squares_of"](sd, total, n)[1]), whole


def every_histogram(chapter, trials):
    n, total, squares, _, _ = ratings(trials)
    every = (np.array(each) for each in itertools.combinations_with_replacement(range(1, 6), n))
    theirs = sorted(tuple(np.bincount(each, minlength=6)[1:]) for each in every if each.sum() == total and (each**2).sum() == squares)
    return sorted(map(tuple, chapter["all_histograms"](n, total, squares))), theirs


def odds_ratio_of_cells(chapter, trials):
    arms = {"peer support": "peer", "control": "control"}
    cells = pd.concat([pd.DataFrame({"arm": arm, "team": trials.rows.index, "people": trials.rows[f"n_{of}"], "yes": trials.rows[f"left_{of}"]}) for arm, of in arms.items()], ignore_index=True)
    chapter |= {"cells": cells}
    X = np.column_stack([cells["arm"] == "peer support", *(cells["team"] == team for team in trials.rows.index)]).astype(float)
    beta, cov = logistic((cells["yes"] / cells["people"]).to_numpy(), X, cells["people"].to_numpy())
    return chapter["of_cells"](cells["yes"]), (beta[0], cov[0, 0] ** 0.5)


def ratio_of_hazards(chapter, trials):
    rng = np.random.default_rng(trials.rows["n_peer"].to_list())
    peer = np.repeat([1, 0], 60)
    days, ended = rng.exponential(200 + 80 * peer), rng.integers(0, 2, 120)
    followed = pd.DataFrame({"arm": np.where(peer, "peer support", "control"), "peer": peer, "days": days, "readmission": ended, "readmitted": ended * (days < 365)})
    chapter |= {"followed": followed}
    found = chapter["of_times"]("days")
    [beta], [[v]] = cox(days, ended, peer[:, None])
    arms = [stats.CensoredData.right_censored(days[peer == arm], ended[peer == arm] == 0) for arm in (1, 0)]
    medians = [np.median(days[(peer == arm) & (ended == 1) & (days < 365)]) for arm in (1, 0)]
    reach = stats.norm.ppf(0.975) * v**0.5
    theirs = [*np.exp([beta, beta - reach, beta + reach]), 2 * stats.norm.sf(abs(beta) / v**0.5), stats.logrank(*arms).statistic ** 2, *medians]
    return [found[part] for part in ("hazard ratio", "low", "high", "p", "log-rank χ²", "median, peer", "median, control")], theirs


def pool_of_effects_that_differ(chapter, trials):
    """As far apart as it takes for a variance between trials: below that, statsmodels leaves it negative."""
    q, df = (getattr(pooled.pool(trials.g, trials.v), part) for part in ("q", "df"))
    apart = trials.g * max(1, 2 * (df / q) ** 0.5)
    return list(chapter["of_pool"](apart, trials.v).values()), fields(pooled.pool(apart, trials.v), ("est", "se", "q", "i2"))


def genders_dealt_anew(chapter, trials):
    """Nothing changes but who is of which gender within arm and team."""
    rng = np.random.default_rng(trials.rows["n_peer"].to_list())
    people = pd.DataFrame({name: rng.choice(values, 300) for name, values in {"arm": ["a", "b"], "team": ["x", "y", "z"], "gender": ["man", "woman"]}.items()})
    people["readmitted"] = rng.integers(0, 2, len(people))
    after = chapter["dealt"](people, "a", 0.3, rng)
    pd.testing.assert_frame_equal(after.drop(columns="gender"), people.drop(columns="gender"))
    assert (after["gender"] != people["gender"]).any()
    return [frame.groupby(["arm", "team", "gender"]).size() for frame in (after, people)]


def t_test_of_printed_intervals(chapter, trials):
    """Nothing is rounded here, so p may lean to neither side: it is that of the means and the SDs behind the intervals."""
    row, n = trials.rows.iloc[0], 2 + len(trials.rows)
    reach, numbers = stats.t.ppf(0.975, n - 1), {}
    for arm in ("peer", "control"):
        mean, half_width = row[f"mean_{arm}"], reach * row[f"sd_{arm}"] / np.sqrt(n)
        numbers |= {f"score.{arm}.mean": mean, f"score.{arm}.mean_lo": mean - half_width, f"score.{arm}.mean_hi": mean + half_width}
    trial = SimpleNamespace(number=numbers.__getitem__, claims=numbers)
    chapter |= {"trial": trial, "arms": {"peers": "peer", "usual care": "control"}, "n": n, "half": 0.0, "reach": reach}
    theirs = stats.ttest_ind_from_stats(row["mean_peer"], row["sd_peer"], n, row["mean_control"], row["sd_control"], n).pvalue
    return [chapter["p_of_print"]("score", lean) for lean in (1, -1)], [theirs, theirs]


METHODS = {
    "bring-your-own-paper": {"p_of_print": t_test_of_printed_intervals},
    "peer-support-meta-analysis": {
        "squeeze": squeezed,
        "effects": effects_and_sizes,
        "pool": weighted_average,
        "dl": variance("dl"),
        "pm": variance("pm"),
        "reml": variance_left_by_covariates,
        "line_of": line_of_each_estimator,
        "predicted": prediction,
        "q_at": q_with_a_variance_between_trials,
        "q_profile": lambda chapter, trials: (chapter["q_profile"](trials.g, trials.v), heterogeneity.q_profile(trials.g, trials.v)),
        "intervals": intervals_of_each_test,
        "by_setting": lines_by_setting,
        "trim_and_fill": filled_funnel,
        "row_of": row_of_a_review,
        "knapp_hartung": knapp_hartung_interval,
        "pools": pools_of_each_test,
    },
    "care-management-review": {
        "effects": effects_as_measured,
        "pool": whole_pool,
        "difference": lambda chapter, trials: (chapter["difference"](trials.rows), effects.mean_difference(*trials.arms)),
        "log_risk_ratio": lambda chapter, trials: (chapter["log_risk_ratio"](trials.rows), effects.log_risk_ratio(*people_who_left(trials))),
        "pooled": pool_of_chosen_rows,
        "hartung_knapp": interval_never_below_walds,
        "common": pool_without_variance_between_trials,
        "tost": two_one_sided_tests,
        "covered": covered_area,
    },
    "across-the-four": {
        "squeezed": difference_and_se_from_print,
        "dl": variance("dl"),
        "effect_sizes": effects_turned,
        "pooled": pools_by_least_squares,
        "add_pool": places_of_a_pool,
        "holm": step_down,
        "p_printed": p_from_a_printed_interval,
        "within": within_margins,
        "expected_p": p_of_fewer_people,
        "by_worker": standard_errors_by_cluster,
    },
    "how-the-records-were-made": {
        "sums_of": sums_that_print_the_mean,
        "squares_of": squares_that_print_the_sd,
        "all_histograms": every_histogram,
        "of_cells": odds_ratio_of_cells,
        "of_times": ratio_of_hazards,
        "of_pool": pool_of_effects_that_differ,
        "dealt": genders_dealt_anew,
    },
}
STOPPED_EARLY = {"of_cells": 1e-6}  # statsmodels' weighted least squares end where the likelihood no longer moves, before its curvature does
CASES = [(stem, name) for stem, methods in METHODS.items() for name in methods]


@pytest.mark.parametrize("stem", NO_STATISTICS)
def test_every_function_is_compared_or_does_no_statistics(stem):
    assert not METHODS[stem].keys() & NO_STATISTICS[stem].keys()
    assert METHODS[stem].keys() | NO_STATISTICS[stem].keys() == FUNCTIONS[stem].keys()


@pytest.fixture(scope="module", autouse=True)
def without_sweeps():
    """statsmodels' Holm sweeps all of the memory at every call, which would be most of the time here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


@pytest.mark.parametrize("label", SETS)
@pytest.mark.parametrize(("stem", "name"), CASES)
def test_method_is_the_librarys(stem, name, label):
    ours, theirs = METHODS[stem][name](names_of(stem), SETS[label])
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=STOPPED_EARLY.get(name, 1e-8), atol=1e-10)


def test_a_single_trial_is_its_own_pool():
    g, v = (each[:1] for each in SETS["5 trials, tau 0.5, 1"][1:])
    found = pooled.pool(g, v)
    assert list(names_of("peer-support-meta-analysis")["line_of"](g, v).values()) == pytest.approx(fields(found, LINE), rel=1e-12)
    for method in ("pool", "hartung_knapp"):
        line = names_of("care-management-review")[method](g, v)
        assert [line[part] for part in ("trials", *LOW_AND_HIGH)] == pytest.approx(fields(found, ("k", "est", "lo", "hi")), rel=1e-12)
