"""What a claim on a random-effects model means is computed as by hand, and by statsmodels."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.meta_analysis import combine_effects, effectsize_smd

from asprinted import reanalysis
from asprinted.reanalysis import Reanalysis
from asprinted.study import Claim, Study, StudyError, statistics

TRIALS = pd.DataFrame(
    [("a", "ward", 1), ("b", "ward", 0), ("c", "town", 1), ("d", "town", 0), ("e", "web", 1), ("f", "web", 0), ("g", None, 0)],
    columns=["id", "place", "blind"],
)
RESULTS = pd.DataFrame(
    [
        # trial, outcome, scale, whether it counts, direction, people, mean and SD of either arm
        ("a", "mood", "M-10", 1, 1, 40, 25.1, 6.0, 38, 21.0, 6.5),
        ("a", "mood", "M-99", 0, 1, 40, 99.0, 1.0, 38, 9.0, 1.0),  # a second instrument
        ("b", "mood", "G-20", 1, -1, 25, 48.0, 9.0, 30, 50.5, 8.0),  # counts the other way round
        ("c", "mood", "M-10", 1, 1, 120, 22.0, 7.0, 118, 21.9, 6.6),
        ("d", "mood", "G-20", 1, -1, 60, 51.0, 10.0, 55, 50.0, 9.0),
        ("e", "mood", "M-10", 1, 1, 18, 27.0, 5.0, 20, 22.0, 7.0),
        ("f", "mood", "M-10", 1, 1, 30, 24.0, None, 31, 22.0, 6.0),  # without an effect
        ("a", "sleep", "S-5", 1, 1, 40, 5.0, 2.0, 38, 4.0, 2.0),
        ("c", "sleep", "S-5", 1, 1, 119, 5.1, 2.1, 118, 5.0, 2.2),
        ("f", "hope", "H-5", 1, 1, 30, None, 2.0, 31, 4.0, 2.0),
        ("d", "hunger", "N-5", 1, 1, 30, 5.5, 2.0, 31, 4.0, 2.0),
    ],
    columns=["id", "what", "scale", "counts", "sign", "n1", "m1", "s1", "n2", "m2", "s2"],
)
EFFECT = {"measure": "smd", "n": ["n1", "n2"], "mean": ["m1", "m2"], "sd": ["s1", "s2"], "direction": "sign"}
MODEL = {"family": "random-effects", "table": "results", "effect": EFFECT, "outcome_column": "what", "rows": {"counts": 1}}
MODELS = {
    "main": MODEL,  # DerSimonian and Laird, Wald
    "pm": MODEL | {"estimator": "PM"},
    "kh": MODEL | {"test": "knapp-hartung"},
    "common": MODEL | {"estimator": "common", "level": 0.9},
    "reml": MODEL | {"estimator": "REML", "test": "knapp-hartung-at-least-wald"},
    "plain": {name: value for name, value in MODEL.items() if name != "rows"} | {"effect": {name: value for name, value in EFFECT.items() if name != "direction"}},
}


@pytest.fixture
def analysis() -> Reanalysis:
    tables = {"trials": {"file": "trials.csv", "key": ["id"], "columns": {}}, "results": {"file": "results.csv", "key": ["id", "what", "scale"], "parent": "trials", "columns": {}}}
    return Reanalysis(Study(Path("some-review"), "", {}, tables, {}, MODELS, {}, {}), {"trials": TRIALS, "results": RESULTS})


def asked(statistic: str, model: str = "main", outcome: str = "mood", **filter: Any) -> dict[str, Any]:
    return {"model": model, "outcome": outcome, "statistic": statistic} | ({"filter": filter} if filter else {})


def effects(ids: str, outcome: str = "mood", turned: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The effects of these trials, their variances and the people of either arm, by statsmodels."""
    rows = RESULTS[(RESULTS["what"] == outcome) & (RESULTS["counts"] == 1)].set_index("id").loc[list(ids)]
    g, v = effectsize_smd(*(rows[name].to_numpy(dtype=float) for name in ("m1", "s1", "n1", "m2", "s2", "n2")))
    return g * (rows["sign"].to_numpy() if turned else 1), v, rows[["n1", "n2"]].to_numpy(dtype=float)


def mean(ids: str) -> float:
    """The pooled effect of these trials: DerSimonian and Laird (1986), whose variance between trials is not below 0."""
    y, v, _ = effects(ids)
    w = 1 / v
    q = (w * (y - np.average(y, weights=w)) ** 2).sum()
    tau2 = max(0.0, (q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum())) if len(y) > 1 else 0.0
    return float(np.average(y, weights=1 / (v + tau2)))


def between(*groups: str) -> tuple[float, float]:
    """Q between groups of trials, each with its own pooled effect and variance between trials, and its p value: the heterogeneity of their effects."""
    variances = []
    for ids in groups:
        y, v, _ = effects(ids)
        w = 1 / v
        q = (w * (y - np.average(y, weights=w)) ** 2).sum()
        tau2 = max(0.0, (q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum())) if len(y) > 1 else 0.0
        variances.append(1 / (1 / (v + tau2)).sum())
    q = float(combine_effects(np.array([mean(ids) for ids in groups]), np.array(variances)).q)
    return q, float(stats.chi2(len(groups) - 1).sf(q))


def by_hand(ids: str = "abcde") -> dict[str, float]:
    """Every statistic of a pool under DerSimonian and Laird's variance between trials, with Wald's interval."""
    y, v, n = effects(ids)
    pool, k = combine_effects(y, v, method_re="dl"), len(ids)
    est, se, tau2 = pool.mean_effect_re, pool.sd_eff_w_re, pool.tau2
    around = stats.t(k - 2).ppf(0.975) * math.sqrt(tau2 + se**2)
    line = WLS(y, np.column_stack([np.ones(k), np.sqrt((1 / n).sum(axis=1))]), weights=1 / v).fit()
    return {
        "est": est, "se": se, "lo": est - stats.norm.ppf(0.975) * se, "hi": est + stats.norm.ppf(0.975) * se, "p": 2 * stats.norm.sf(abs(est) / se), "tau2": tau2,
        "q": pool.q, "q_p": stats.chi2(k - 1).sf(pool.q), "i2": 100 * pool.i2, "k": k, "n": n.sum(), "prediction_lo": est - around, "prediction_hi": est + around,
        "egger": line.params[1], "egger_p": line.pvalues[1], "lead": mean("ab") - max(mean("cd"), mean("e")),
        **dict(zip(("q_between", "between_p"), between("ab", "cd", "e"))),
        "percent_below": 100 * (y + stats.norm.ppf(0.975) * np.sqrt(v) < 0).mean(),
    }  # fmt: skip


def test_every_statistic_of_a_pool_is_computed_by_hand_here():
    assert set(by_hand()) == statistics._OF_POOL


@pytest.mark.parametrize("statistic", sorted(statistics._OF_POOL))
def test_statistic_is_what_a_reader_computes(analysis, statistic):
    filter = {"place": "ward"} if statistic == "lead" else {}
    expected = by_hand()
    assert expected["tau2"] > 0 and expected["i2"] > 0
    column = {"column": "place"} if "between" in statistic else {}
    assert analysis.value(asked(statistic, **filter) | column) == pytest.approx(expected[statistic], rel=1e-9)


def test_difference_between_subgroups_is_of_those_that_the_filter_leaves(analysis):
    found = [analysis.value(asked(name, place=["ward", "town"]) | {"column": "place"}) for name in ("q_between", "between_p")]
    assert found == pytest.approx(between("ab", "cd"), rel=1e-9)


def test_difference_between_subgroups_needs_two_of_them(analysis):
    with pytest.raises(StudyError, match="1 subgroups: a difference is between two or more"):
        analysis.value(asked("q_between", outcome="sleep") | {"column": "counts"})


@pytest.mark.parametrize(("model", "method"), [("pm", "iterated"), ("kh", "dl")])
def test_other_estimators_and_tests_are_those_of_statsmodels(analysis, model, method):
    y, v, _ = effects("abcde")
    pool = combine_effects(y, v, method_re=method)
    se = pool.sd_eff_w_re_hksj if model == "kh" else pool.sd_eff_w_re
    half = (stats.t(4) if model == "kh" else stats.norm).ppf(0.975) * se
    expected = {"est": pool.mean_effect_re, "se": se, "tau2": pool.tau2, "lo": pool.mean_effect_re - half, "hi": pool.mean_effect_re + half}
    assert {name: analysis.value(asked(name, model)) for name in expected} == pytest.approx(expected, rel=1e-4)


def test_common_effect_has_no_variance_between_trials_and_the_level_of_its_model(analysis):
    y, v, _ = effects("abcde")
    est, se = np.average(y, weights=1 / v), 1 / math.sqrt((1 / v).sum())
    expected = {"est": est, "se": se, "tau2": 0.0, "lo": est - stats.norm.ppf(0.95) * se, "hi": est + stats.norm.ppf(0.95) * se}
    assert {name: analysis.value(asked(name, "common")) for name in expected} == pytest.approx(expected)


def test_restricted_likelihood_is_highest_at_its_variance_and_the_scale_is_not_below_one(analysis):
    y, v, _ = effects("abcde")

    def height(tau2: float) -> float:
        w = 1 / (v + tau2)
        return np.log(w).sum() - np.log(w.sum()) - (w * (y - np.average(y, weights=w)) ** 2).sum()

    tau2 = analysis.value(asked("tau2", "reml"))
    assert tau2 > 0 and all(height(tau2) > height(tau2 * factor) for factor in (0.99, 1.01))
    w = 1 / (v + tau2)
    scale = max(1.0, (w * (y - np.average(y, weights=w)) ** 2).sum() / 4)
    assert analysis.value(asked("se", "reml")) == pytest.approx(math.sqrt(scale / w.sum()))
    assert analysis.value(asked("se", "reml", place="town")) >= math.sqrt(1 / (1 / effects("cd")[1]).sum())


# Which rows


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ({"scale": "M-10"}, "ace"),  # a column of the table
        ({"place": "ward"}, "ab"),  # of its parent
        ({"place": ["ward", "web"]}, "abe"),
        ({"place": ["ward", "web"], "blind": 1}, "ae"),
        ({"place": "web"}, "e"),  # f has no effect
    ],
)
def test_filter_leaves_the_rows_of_its_values(analysis, filter, ids):
    expected = {"est": mean(ids), "k": len(ids), "n": effects(ids)[2].sum()}
    assert {name: analysis.value(asked(name, **filter)) for name in expected} == pytest.approx(expected)


def test_rows_of_the_model_and_rows_without_an_effect_are_left_out(analysis):
    assert analysis.value(asked("k")) == 5 and analysis.value(asked("k", "plain")) == 6
    assert analysis.value(asked("n", "plain")) == analysis.value(asked("n")) + 78


def test_effect_of_a_scale_that_counts_the_other_way_round_is_turned(analysis):
    assert effects("b")[0][0] > 0 > effects("b", turned=False)[0][0]
    assert analysis.value(asked("est", scale="G-20", place="ward")) == pytest.approx(effects("b")[0][0])
    assert analysis.value(asked("est", "plain", scale="G-20", place="ward")) == pytest.approx(effects("b", turned=False)[0][0])


def test_one_trial_is_its_own_pool(analysis):
    y, v, _ = effects("a")
    found = {name: analysis.value(asked(name, scale="M-10", place="ward")) for name in ("est", "se", "tau2", "q", "i2", "k")}
    assert found == pytest.approx({"est": y[0], "se": math.sqrt(v[0]), "tau2": 0, "q": 0, "i2": 0, "k": 1})


def test_missing_cells_of_any_kind_leave_a_row_out(analysis):
    table = analysis.tables["results"]
    for name in ("n1", "m1", "s2", "sign"):
        column = table[name].astype("Int64" if name in ("n1", "sign") else float)
        analysis.tables["results"] = table.assign(**{name: column.mask((table["id"] == "a") & (table["what"] == "mood"))})
        assert analysis.value(asked("k")) == 4
        assert analysis.value(asked("est")) == pytest.approx(mean("bcde"))


# Leads


@pytest.mark.parametrize(
    ("filter", "inside", "others"),
    [
        ({"place": "ward"}, "ab", ["cd", "e"]),
        ({"place": "town"}, "cd", ["ab", "e"]),
        ({"blind": 1, "place": "ward"}, "a", ["c", "e"]),  # among the blind
        ({"place": "ward", "blind": 1}, "a", ["b"]),  # in wards
        ({"place": ["ward", "town"], "scale": "G-20", "blind": 0}, "bd", []),
        ({"blind": 0}, "bd", ["ace"]),
    ],
)
def test_lead_is_over_the_largest_of_the_other_values_of_the_last_column(analysis, filter, inside, others):
    if others:
        assert analysis.value(asked("lead", **filter)) == pytest.approx(mean(inside) - max(map(mean, others)))
    else:
        with pytest.raises(StudyError, match="models › main: .*A lead is over other values of 'blind', and no other trial with an effect has one"):
            analysis.value(asked("lead", **filter))


def test_value_whose_only_trial_has_no_effect_is_no_other_value(analysis):
    table = analysis.tables["results"]
    analysis.tables["results"] = table.assign(s1=table["s1"].mask(table["id"] == "e"))
    assert analysis.value(asked("lead", place="ward")) == pytest.approx(mean("ab") - mean("cd"))


# What the records do not give


@pytest.mark.parametrize(
    ("by", "remedy"),
    [
        (asked("prediction_lo", outcome="sleep"), "prediction_lo of 2 trials: it needs 3 or more"),
        (asked("prediction_hi", outcome="sleep"), "prediction_hi of 2 trials: it needs 3 or more"),
        (asked("egger", outcome="sleep"), "egger of 2 trials: it needs 3 or more"),
        (asked("egger_p", place="ward"), "egger_p of 2 trials: it needs 3 or more"),
        (asked("q_p", outcome="hunger"), "q_p of 1 trials: it needs 2 or more"),
        (asked("lead", outcome="hunger", place="town"), "A lead is over other values of 'place', and no other trial with an effect has one"),
        (asked("est", place="hill"), "No row of the records is so: there is nothing to pool"),
        (asked("k", outcome="thirst"), "No row of the records is so: there is nothing to pool"),
        (asked("est", outcome="hope"), "no row has an effect: every one has a missing value"),
    ],
    ids=lambda value: value["statistic"] if isinstance(value, dict) else "",
)
def test_statistic_that_the_records_do_not_give_is_refused_with_the_reason(analysis, by, remedy):
    with pytest.raises(StudyError, match="models › main: .*" + remedy) as caught:
        analysis.value(by)
    assert caught.value.value


def test_slope_over_trials_of_one_size_is_refused(analysis):
    analysis.tables["results"] = analysis.tables["results"].assign(n1=20, n2=20)
    with pytest.raises(StudyError, match="models › main: .*the covariates have rank 1 for 2 coefficients"):
        analysis.value(asked("egger"))


@pytest.mark.parametrize(("change", "remedy"), [({"n1": 1}, "an arm has 1 people: give two or more"), ({"s1": 0.0, "s2": 0.0}, "a pooled standard deviation of 0: leave out rows")])
def test_arms_without_an_effect_are_refused(analysis, change, remedy):
    analysis.tables["results"] = analysis.tables["results"].assign(**change)
    with pytest.raises(StudyError, match="models › main: .*" + remedy):
        analysis.value(asked("est"))


def test_claims_on_a_pool_are_judged(analysis):
    texts = {"k": "5", "n": "524", "est": "0.27", "lo": "−0.06", "i2": "65%", "q": "11.45", "hi": "0.58", "tau2": "0.08", "q_p": ".02"}
    claims = {f"mood.all.{name}": Claim(f"mood.all.{name}", "r", "", "number", ("P",), "s", "", "reproduced", text, by=asked(name)) for name, text in texts.items()}
    verdicts = reanalysis.verdicts(dataclasses.replace(analysis.study, claims=claims), {"trials": TRIALS, "results": RESULTS})
    assert [each.id.rpartition(".")[2] for each in verdicts if each.verdict != "reproduced"] == ["hi"]  # 0.586 by statsmodels


# Percentages of a value


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ({"table": "trials", "statistic": "percent_equal", "column": "place", "equals": "ward"}, 100 * 2 / 6),  # of those that say
        ({"table": "trials", "statistic": "percent_equal", "column": "blind", "equals": 1}, 100 * 3 / 7),
        ({"table": "trials", "statistic": "percent_equal", "column": "blind", "equals": 1, "filter": {"place": ["ward", "web"]}}, 50),
        ({"table": "results", "statistic": "percent_equal", "column": "place", "equals": "hill"}, 0),
    ],
)
def test_percent_equal_is_of_the_rows_that_have_a_value(analysis, by, value):
    assert analysis.value(by) == pytest.approx(value)


def test_percent_equal_of_no_rows_is_refused(analysis):
    with pytest.raises(StudyError, match="tables › trials.*The records leave too few rows"):
        analysis.value({"table": "trials", "statistic": "percent_equal", "column": "place", "equals": "ward", "filter": {"id": "g"}})
