"""The methods that a chapter writes out are short, and are those of `asprinted.models`.

A function of a chapter is either compared here with the library, on made-up meta-analyses, or named as one that does no statistics.
"""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from asprinted.models import effects, heterogeneity, pooled, small_studies
from book import notebooks

CHAPTER = Path(__file__).resolve().parents[2] / "chapters" / "peer-support-meta-analysis.ipynb"
MOST_LINES = 15
NO_STATISTICS = {
    "corner": "names the corner of a table",
    "p_text": "writes a p value as text",
    "tidy": "rounds a table",
    "signed": "writes a number with its sign",
    "written": "writes a line of the forest plot",
    "diamond": "draws a diamond of the forest plot",
    "sizes_hold": "compares pools with the ranges that the study file declares",
    "others_hold": "compares pools with each other and with print",
    "survive": "puts the two together",
}


class Function(NamedTuple):
    """A function of the chapter, and the code of its cell; one inside another belongs to that."""

    node: ast.FunctionDef
    source: str

    def lines(self) -> int:
        """How many lines are neither blank nor of the docstring."""
        written = range(self.node.lineno, self.node.end_lineno + 1)
        first = self.node.body[0]
        docstring = range(first.lineno, first.end_lineno + 1) if ast.get_docstring(self.node) is not None else ()
        lines = self.source.split("\n")
        return sum(bool(lines[number - 1].strip()) for number in written if number not in docstring)


SOURCES = [notebooks.text(cell["source"]) for cell in notebooks.code_cells(notebooks.read(CHAPTER))]
DEFINED = [Function(node, source) for source in SOURCES for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
FUNCTIONS = {function.node.name: function for function in DEFINED}


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The chapter's functions, with what it imports and nothing else."""
    imports = [node for source in SOURCES for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module([*imports, *(function.node for function in DEFINED)], []), CHAPTER.name, "exec"), names)
    return names


def test_no_function_is_defined_twice():
    assert len(DEFINED) == len(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_short_enough_to_read(name):
    assert FUNCTIONS[name].lines() <= MOST_LINES


# Made-up meta-analyses


class Trials(NamedTuple):
    """The rows of a meta-analysis as the chapter has them, with g and v of the library."""

    rows: pd.DataFrame
    g: pd.Series
    v: pd.Series

    @property
    def X(self) -> np.ndarray | None:
        """Ones, a group and a number: as many as the trials allow."""
        columns = [np.ones(len(self.rows)), self.rows["setting"] == "a", np.log(self.rows["n_peer"])]
        return np.column_stack(columns[: min(3, len(self.rows) - 1)])


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
    })  # fmt: skip
    g, v = effects.hedges_g(n_peer, rows["mean_peer"], sd_peer, n_control, mean_control, sd_control)
    return Trials(rows, pd.Series(direction * g), pd.Series(v))


SETS = {f"{k} trials, tau {tau}, {seed}": made(k, tau, seed) for k in (2, 3, 5, 12, 30, 60) for tau in (0.0, 0.15, 0.5) for seed in (1, 2)}
ESTIMATORS = {"dl": "DL", "pm": "PM", "reml": "REML"}
LINE = ("k", "est", "lo", "hi", "p")


def test_sets_have_variances_of_nothing_and_variances_on_which_estimators_differ():
    tau2 = np.array([[heterogeneity.tau_squared(each.g, each.v, estimator) for estimator in ESTIMATORS.values()] for each in SETS.values()])
    nothing, differ = (tau2 == 0).all(axis=1), np.ptp(tau2, axis=1) > 1e-3
    assert nothing.sum() >= 10 and differ.sum() >= 10
    filled = [small_studies.trim_and_fill(each.g, each.v, "DL", "left").filled for each in SETS.values()]
    assert len(set(filled)) >= 4


# Each method of the chapter: what it gives, and what the library gives


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


METHODS = {
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
}


def test_every_function_is_compared_or_does_no_statistics():
    assert not METHODS.keys() & NO_STATISTICS.keys()
    assert METHODS.keys() | NO_STATISTICS.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("label", SETS)
@pytest.mark.parametrize("name", METHODS)
def test_method_is_the_librarys(chapter, name, label):
    ours, theirs = METHODS[name](chapter, SETS[label])
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=1e-8, atol=1e-10)


def test_a_single_trial_is_its_own_pool(chapter):
    g, v = (each[:1] for each in SETS["5 trials, tau 0.5, 1"][1:])
    found = pooled.pool(g, v)
    assert list(chapter["line_of"](g, v).values()) == pytest.approx(fields(found, LINE), rel=1e-12)
