"""A hazard ratio cannot be more precise than its events allow."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asprinted.consistency import survival, triples

PRINTED = dict(estimate=".71", lo=".52", hi=".97", p=".029")


def test_events_that_print_too_precise_a_hazard_ratio_are_refuted():
    finding = survival.hazard_ratio(**PRINTED, events=147)
    assert finding.verdict == "contradictory"
    assert {("lo", "hi", "events"), ("estimate", "p", "events")} <= set(finding.conflicts)
    assert all("events" in names and len(names) == 3 for names in finding.conflicts)
    assert finding.healing == ()
    assert triples.check(**PRINTED, scale="log").verdict == "possible"


@pytest.mark.parametrize("names", [("lo", "hi"), ("estimate", "p"), ("lo", "p"), ("hi", "p")])
def test_each_smallest_conflict_is_one(names):
    assert survival.hazard_ratio(**{name: PRINTED[name] for name in names}, events=147).verdict == "contradictory"
    assert all(survival.hazard_ratio(**{name: PRINTED[name]}, events=147).verdict == "possible" for name in names)


def test_every_last_digit_may_be_off_by_one_and_the_events_still_refute():
    units = {"estimate": (".70", ".71", ".72"), "lo": (".51", ".52", ".53"), "hi": (".96", ".97", ".98"), "p": (".028", ".029", ".030")}
    single = [PRINTED | {name: text} for name, texts in units.items() for text in texts]
    assert all(survival.hazard_ratio(**texts, events=events).verdict == "contradictory" for texts in single for events in (146, 147, 148))
    freed = [dict(zip(units, texts)) for texts in itertools.product(*units.values())]
    assert all(survival.hazard_ratio(**texts, events=147).verdict == "contradictory" for texts in freed if texts["lo"] != ".51" and texts["hi"] != ".98")


def test_events_needed():
    assert survival.events_needed(**PRINTED) == 156
    assert survival.events_needed(estimate=".71", lo=".52", hi=".97") == 151
    assert survival.hazard_ratio(**PRINTED, events=155).verdict == "contradictory"
    finding = survival.hazard_ratio(**PRINTED, events=156)
    assert finding.verdict == "possible" and finding.witness["se"] >= 2 / math.sqrt(156)


def test_robust_variance_is_not_bound():
    finding = survival.hazard_ratio(**PRINTED, events=147, covariance="robust")
    assert finding.verdict == "possible" and "events" not in finding.printed


@pytest.mark.parametrize(("events", "verdict"), [("<147", "contradictory"), ("<156", "contradictory"), ("<157", "possible"), ("≤156", "possible"), (">100", "possible"), ("0", "contradictory")])
def test_printed_events_may_be_an_inequality(events, verdict):
    assert survival.hazard_ratio(**PRINTED, events=events).verdict == verdict


def test_least_standard_error_is_enclosed():
    low, high = survival.least_se(147)
    assert low < 2 / math.sqrt(147) < high and high - low < 1e-15
    with pytest.raises(ValueError, match="0 events"):
        survival.least_se(0)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="covariance 'sandwich'"):
        survival.hazard_ratio(**PRINTED, covariance="sandwich")
    with pytest.raises(ValueError, match="any standard error"):
        survival.events_needed(estimate=".71")
    with pytest.raises(ValueError, match="No estimate prints"):
        survival.events_needed(hi=".90", p=".20")


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 60), digits=st.integers(1, 30), ties=st.sampled_from(["breslow", "efron"]), strata=st.booleans())
def test_no_cox_fit_beats_the_bound(seed, n, digits, ties, strata):
    """Fits with ties, a covariate and strata: the model-based SE of the arm is at least 2/√events."""
    from statsmodels.duration.hazard_regression import PHReg

    random = np.random.default_rng(seed)
    arm = random.permutation(np.arange(n) % 2)
    covariate = random.normal(size=n) + arm * random.normal()
    time = np.ceil(digits * random.exponential(np.exp(-0.5 * arm - 0.5 * covariate))) + 1
    event = random.random(n) < 0.7
    fit = PHReg(time, np.column_stack([arm, covariate]), status=event, ties=ties, strata=arm * 0 + np.arange(n) % 3 if strata else None)
    beta = random.normal(scale=0.7, size=2)  # the bound holds at any coefficients, so also at the estimate
    information = -fit.hessian(beta)
    if np.linalg.cond(information) < 1e8:
        assert np.linalg.inv(information)[0, 0] >= 4 / event.sum() * (1 - 1e-9)
