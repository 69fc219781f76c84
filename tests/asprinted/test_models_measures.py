"""Mean differences and what two tables of events give: against statsmodels, by symmetry, and what is left out or refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.meta_analysis import combine_effects, effectsize_2proportions

from asprinted import chapter, checks, models
from asprinted.consistency import pooled as print_alone
from asprinted.models import effects
from asprinted.models.effects import MEASURES
from asprinted.reanalysis import Reanalysis
from asprinted.study import Claim, Study, StudyError, references

BINARY = [name for name, measure in MEASURES.items() if "events" in measure.parts]
THEIRS = {"rr": "risk-ratio", "or": "odds-ratio", "rd": "diff"}  # statsmodels' names
COUNTS = st.tuples(st.integers(1, 2000), st.integers(1, 2000)).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n[0]), st.integers(0, n[1])))


def empty(n1: int, a: int, n2: int, c: int) -> bool:
    return 0 in (a, n1 - a, c, n2 - c)


@given(COUNTS)
def test_effects_of_counts_and_their_variances_are_those_of_statsmodels(counts):
    (n1, n2), a, c = counts
    half = 0.5 * empty(n1, a, n2, c)
    told = not (a == c == 0 or (a == n1 and c == n2))
    for name in BINARY:
        ours = MEASURES[name].of(n1, a, n2, c)
        if told or name == "rd":
            theirs = effectsize_2proportions(a + half, n1 + 2 * half, c + half, n2 + 2 * half, statistic=THEIRS[name], zero_correction=None)
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        else:
            assert np.isnan(ours).all()


def test_ratios_of_a_table_are_those_of_a_table_of_two_by_two():
    table = Table2x2([[12, 28], [20, 22]])
    assert effects.log_risk_ratio(40, 12, 42, 20) == pytest.approx((table.log_riskratio, table.log_riskratio_se**2), rel=1e-12)
    assert effects.log_odds_ratio(40, 12, 42, 20) == pytest.approx((table.log_oddsratio, table.log_oddsratio_se**2), rel=1e-12)


@given(COUNTS)
def test_exchanging_the_arms_of_counts_turns_the_sign_alone(counts):
    (n1, n2), a, c = counts
    for name in BINARY:
        (y, v), (turned, same) = MEASURES[name].of(n1, a, n2, c), MEASURES[name].of(n2, c, n1, a)
        np.testing.assert_allclose((turned, same), (-y, v), rtol=1e-12, atol=1e-15)


@given(COUNTS)
def test_asking_for_those_without_the_event_turns_odds_ratio_and_risk_difference_alone(counts):
    (n1, n2), a, c = counts
    for name in ("or", "rd"):
        (y, v), (turned, same) = MEASURES[name].of(n1, a, n2, c), MEASURES[name].of(n1, n1 - a, n2, n2 - c)
        np.testing.assert_allclose((turned, same), (-y, v), rtol=1e-9, atol=1e-12)


@given(*2 * [st.tuples(st.integers(2, 5000), st.floats(-100, 100), st.floats(0.01, 50))])
def test_mean_difference_is_in_points_with_the_variance_of_welch(first, second):
    (n1, mean1, sd1), (n2, mean2, sd2) = first, second
    y, v = effects.mean_difference(*first, *second)
    welch = stats.ttest_ind_from_stats(mean1, sd1, n1, mean2, sd2, n2, equal_var=False).statistic
    assert y == mean1 - mean2 and y / math.sqrt(v) == pytest.approx(welch, rel=1e-9, abs=1e-12)


def test_tables_of_which_no_arm_has_an_event_leave_the_others_alone():
    y, v = effects.log_risk_ratio([20, 30, 25], [0, 3, 0], 30, [0, 6, 2])
    assert np.isnan(y[0]) and np.isnan(v[0])
    assert (y[1], y[2]) == pytest.approx((math.log(0.5), math.log(0.5 / 26 / (2.5 / 31))))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((20, 21, 30, 5), "an arm of 20 people has 21 events: give a whole number from 0 to the people"),
        ((20, 2, 30, [5, -1]), "an arm of 30 people has -1 events"),
        ((20, 2.5, 30, 5), "an arm of 20 people has 2.5 events"),
        ((20, 2, 30, np.nan), "an arm of 30 people has nan events"),
        ((0, 0, 30, 5), "an arm has 0 people: give one or more"),
    ],
)
def test_counts_that_cannot_be_are_refused(name, counts, message):
    with pytest.raises(ValueError, match=message):
        MEASURES[name].of(*counts)


@pytest.mark.parametrize(
    ("arms", "message"),
    [((1, 2.0, 1.0, 20, 2.0, 1.0), "an arm has 1 people: give two or more"), ((20, 2.0, 0.0, 20, 2.0, [1.0, 0.0]), "has a variance of 0: leave out rows"), ((20, 2.0, np.nan, 20, 2.0, 1.0), "has a variance of nan")],
)  # fmt: skip
def test_arms_without_a_difference_are_refused(arms, message):
    with pytest.raises(ValueError, match=message):
        effects.mean_difference(*arms)


# Hazard ratios


def test_hazard_ratio_with_its_limits_has_the_log_and_the_standard_error_that_gave_them():
    log, se = np.array([-0.4, 0.0, 0.9]), np.array([0.05, 0.2, 0.7])
    limits = (np.exp(log + side * stats.norm.ppf(0.975) * se) for side in (0, -1, 1))
    for ours, theirs in zip(effects.hazard_ratio_with_limits(*limits), effects.log_hazard_ratio(log, se)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_pool_of_hazard_ratios_is_that_of_statsmodels():
    log, se = np.array([-0.4, 0.1, -0.9, -0.2]), np.array([0.15, 0.2, 0.3, 0.1])
    ours, theirs = models.pool(*effects.log_hazard_ratio(log, se)), combine_effects(log, se**2, method_re="dl")
    assert (ours.est, ours.se, ours.tau2, ours.q) == pytest.approx((theirs.mean_effect_re, theirs.sd_eff_w_re, theirs.tau2, theirs.q), rel=1e-9)


@pytest.mark.parametrize(
    ("of", "cells", "message"),
    [
        (effects.log_hazard_ratio, (-0.2, [0.1, 0.0]), "a log hazard ratio has a standard error of 0: leave out rows"),
        (effects.hazard_ratio_with_limits, ([0.8, 0.7], [0.6, 0.9], [0.9, 0.6]), "a hazard ratio of 0.7 has limits of 0.9 and 0.6: give positive numbers, the lower limit first"),
        (effects.hazard_ratio_with_limits, (0.0, 0.6, 0.9), "a hazard ratio of 0 has limits"),
    ],
)
def test_hazard_ratios_that_cannot_be_are_refused(of, cells, message):
    with pytest.raises(ValueError, match=message):
        of(*cells)


# A model of a study file

ROWS = pd.DataFrame(
    [
        ("a", 40, 12, 42, 20, 5.1, 1.4, 4.6, 1.5), ("b", 120, 30, 118, 41, 4.0, 1.2, 4.4, 1.3), ("c", 60, 9, 55, 14, 4.9, 1.1, 4.1, 1.6), ("d", 30, 0, 31, 0, 4.0, 1.0, 4.5, 1.0),
        ("e", 25, 0, 26, 3, 3.8, 1.2, 4.6, 1.4), ("f", 30, None, 31, 4, None, 1.3, 4.4, 1.1),
    ],
    columns=["id", "n1", "left1", "n2", "left2", "m1", "s1", "m2", "s2"],
).assign(what="attrition", sign=[1, -1, 1, 1, 1, 1], log=[-0.3, -0.25, 0.1, -0.5, None, -0.1], se=[0.2, 0.1, 0.3, 0.4, 0.5, 0.3])  # fmt: skip
OF_EVENTS = {"n": ["n1", "n2"], "events": ["left1", "left2"]}
OF_SCORES = {"n": ["n1", "n2"], "mean": ["m1", "m2"], "sd": ["s1", "s2"]}
OF_HAZARDS = {"n": ["n1", "n2"], "log": "log", "se": "se"}
EFFECT = {name: {"measure": name} | (OF_EVENTS if name in BINARY else OF_HAZARDS if name == "hr" else OF_SCORES) for name in MEASURES}


def model(measure: str, **more: object) -> dict:
    return {"family": "random-effects", "table": "results", "effect": EFFECT[measure], "outcome_column": "what", "says": "A pool"} | more


def asked(measure: str, statistic: str) -> dict[str, str]:
    return {"model": measure, "outcome": "attrition", "statistic": statistic}


@pytest.fixture
def analysis() -> Reanalysis:
    tables = {"results": {"file": "results.csv", "key": ["id", "what"], "columns": {}}}
    study = Study(Path("some-review"), "", {}, tables, {}, {name: model(name) for name in MEASURES}, {}, {})
    return Reanalysis(study, {"results": ROWS})


@pytest.mark.parametrize(("measure", "used"), [("smd", "abcde"), ("md", "abcde"), ("rr", "abce"), ("or", "abce"), ("rd", "abcde"), ("hr", "abcdf")])
def test_rows_that_say_nothing_of_a_measure_are_left_out(analysis, measure, used):
    found = models.effects_of(model(measure), ROWS)
    assert "".join(ROWS["id"].iloc[found.rows]) == used and found.ratio == (measure in ("rr", "or", "hr"))
    people = ROWS.set_index("id").loc[list(used), ["n1", "n2"]]
    np.testing.assert_array_equal(found.n, people.sum(axis=1))
    np.testing.assert_allclose(found.unit_se, np.sqrt((1 / people).sum(axis=1)))
    assert analysis.value(asked(measure, "k")) == len(used) and analysis.value(asked(measure, "n")) == people.to_numpy().sum()


def test_direction_turns_a_mean_difference():
    plain, turned = models.effects_of(model("md"), ROWS), models.effects_of(model("md", effect=EFFECT["md"] | {"direction": "sign"}), ROWS)
    np.testing.assert_allclose(turned.g, plain.g * [1, -1, 1, 1, 1])
    np.testing.assert_array_equal(turned.v, plain.v)


def test_rows_that_all_say_nothing_of_a_ratio_are_refused():
    with pytest.raises(ValueError, match="no row has an effect: in every one both arms are without events"):
        models.effects_of(model("rr"), ROWS[ROWS["id"] == "d"])


@pytest.mark.parametrize("measure", MEASURES)
def test_effects_and_limits_of_a_ratio_are_ratios_and_all_else_is_as_it_was_pooled(analysis, measure):
    found = models.effects_of(model(measure), ROWS)
    pool = models.pool(found.g, found.v)
    shown = math.exp if measure in ("rr", "or", "hr") else float
    for name in ("est", "lo", "hi", "prediction_lo", "prediction_hi"):
        assert analysis.value(asked(measure, name)) == pytest.approx(shown(getattr(pool, name)), rel=1e-12)
    for name in ("se", "p", "tau2", "q", "q_p", "i2"):
        assert analysis.value(asked(measure, name)) == getattr(pool, name)


def test_pool_of_one_trial_keeps_that_it_has_no_prediction_interval_as_ratios():
    pool = models.pool([0.2], [0.1]).as_ratios()
    assert (pool.est, pool.se) == pytest.approx((math.exp(0.2), math.sqrt(0.1))) and np.isnan(pool.prediction_lo)


def test_print_validation_and_computation_know_the_same_measures():
    assert set(print_alone.SCALES) == set(references._PARTS) == set(MEASURES)
    for name, measure in MEASURES.items():
        assert references._PARTS[name] == (measure.parts or ("n",)) + measure.own and (print_alone.SCALES[name] == "log") == measure.ratio == checks.is_ratio(model(name))


@pytest.mark.parametrize(("measure", "null"), [("smd", 0.0), ("md", 0.0), ("rr", 1.0), ("or", 1.0), ("rd", 0.0), ("hr", 1.0)])
def test_no_effect_is_a_ratio_of_1_and_a_difference_of_0(measure, null):
    claim = Claim("x.est", "some-review", "x", "number", ("S",), "s", "p. 1", "reproduced", printed="0.80", by=asked(measure, "est"))
    study = Study(Path("some-review"), "", {}, {}, {}, {name: model(name) for name in MEASURES}, {"x.est": claim}, {})
    assert chapter.null_value(study, "x.est") == null


# What a study file may say of an effect


def faults(effect: dict) -> Study:
    column = {"type": "number"}
    tables = {"results": {"file": "results.csv", "key": ["id"], "columns": {name: column for name in ROWS} | {"what": {"type": "string"}}}}
    study = Study(Path("some-review"), "", {}, tables, {}, {}, {}, {})
    return dataclasses.replace(study, models={"m": model("rr", effect=effect)})


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        ({"measure": "rr"} | OF_SCORES, "The field 'events' is missing: the measure 'rr' is taken of n, events."),
        ({"measure": "md"} | OF_EVENTS, "The field 'mean' is missing: the measure 'md' is taken of n, mean, sd."),
        ({"measure": "or", "sd": ["s1", "s2"]} | OF_EVENTS, "models › m › effect › sd.*The measure 'or' is taken of n, events: take it out."),
        ({"measure": "smd", "events": ["left1", "left2"]} | OF_SCORES, "effect › events.*The measure 'smd' is taken of n, mean, sd: take it out."),
        ({"measure": "rd", "direction": "sign"} | OF_EVENTS, "effect › direction.*The measure 'rd' is taken of n, events: take it out."),
        ({"measure": "hr"} | OF_EVENTS, "The field 'log' is missing: the measure 'hr' is taken of n, log, se."),
        ({"measure": "hr", "n": ["n1", "n2"], "ratio": "log"}, "The field 'lo' is missing: the measure 'hr' is taken of n, ratio, lo, hi."),
        ({"measure": "hr", "direction": "sign"} | OF_HAZARDS, "effect › direction.*The measure 'hr' is taken of n, log, se: take it out."),
        ({"measure": "rr", "log": "log"} | OF_EVENTS, "effect › log.*The measure 'rr' is taken of n, events: take it out."),
        ({"measure": "hr"} | OF_HAZARDS | {"log": "gone"}, "effect › log: 'gone'"),
        ({"measure": "rr", "n": ["n1", "n2"], "events": ["left1", "gone"]}, "effect › events: 'gone'"),
        ({"measure": "rr", "n": ["n1", "n2"], "events": ["left1", "what"]}, "The column 'what' holds text"),
    ],
)
def test_fields_that_do_not_fit_the_measure_are_named(effect, message):
    with pytest.raises(StudyError, match=message):
        references._check_model(study := faults(effect), "m", study.models["m"])


@pytest.mark.parametrize("measure", MEASURES)
def test_fields_of_the_measure_are_taken(measure):
    more = {"events": OF_EVENTS["events"]} if measure == "hr" else {} if measure in BINARY else {"direction": "sign"}
    for effect in (EFFECT[measure], EFFECT[measure] | more):
        references._check_model(study := faults(effect), "m", study.models["m"])
