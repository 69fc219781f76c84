"""Small-study effects: Egger's regression, PET and PEESE against statsmodels, trim and fill, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from asprinted.models import heterogeneity, pooled, small_studies


def funnel(seed: int, k: int, slope: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Effects (k,) around 0.1 + slope · standard error, and their variances."""
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-3, 0.9, k))
    return rng.normal(0.1 + slope * np.sqrt(v), np.sqrt(v)), v


@pytest.mark.parametrize("predictor", [None, "given"])
def test_egger_s_line_is_weighted_least_squares(predictor):
    y, v = funnel(1, 14, slope=1)
    x = np.sqrt(v) if predictor is None else np.random.default_rng(2).random(14)
    ours, theirs = small_studies.egger(y, v, None if predictor is None else x), sm.WLS(y, sm.add_constant(x), weights=1 / v).fit()
    assert (ours.limit, ours.slope) == pytest.approx(tuple(theirs.params), rel=1e-10)
    assert (ours.limit_se, ours.se) == pytest.approx(tuple(theirs.bse), rel=1e-10)
    assert (ours.limit_t, ours.t) == pytest.approx(tuple(theirs.tvalues), rel=1e-9)
    assert (ours.limit_p, ours.p) == pytest.approx(tuple(theirs.pvalues), rel=1e-9)
    assert (ours.lo, ours.hi) == pytest.approx(tuple(theirs.conf_int()[0]), rel=1e-9)
    assert ours.df == 12


def test_egger_s_line_is_his_regression_of_standard_normal_deviates_on_precision():
    y, v = funnel(3, 20, slope=1)
    original = stats.linregress(1 / np.sqrt(v), y / np.sqrt(v))
    ours = small_studies.egger(y, v)
    assert (ours.slope, ours.se) == pytest.approx((original.intercept, original.intercept_stderr), rel=1e-10)
    assert (ours.limit, ours.limit_se, ours.limit_p) == pytest.approx((original.slope, original.stderr, original.pvalue), rel=1e-9)


def test_egger_s_test_keeps_its_level_where_nothing_is_amiss():
    p = np.array([small_studies.egger(*funnel(seed, 10)).p for seed in range(1000)])
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_pet_and_peese_are_lines_in_the_standard_error_and_the_variance():
    y, v = funnel(4, 25, slope=1)
    found = small_studies.pet_peese(y, v)
    assert found.pet == small_studies.egger(y, v) and found.peese == small_studies.egger(y, v, v)


def test_rule_takes_peese_where_pet_finds_an_effect():
    y, v = funnel(5, 40)
    without = small_studies.pet_peese(y - small_studies.egger(y, v).limit, v)
    assert (without.name, without.chosen) == ("PET", without.pet) and without.pet.limit_p == pytest.approx(1)
    within = small_studies.pet_peese(y + 1, v)
    assert (within.name, within.chosen) == ("PEESE", within.peese)
    p = small_studies.pet_peese(y, v).pet.limit_p
    assert [small_studies.pet_peese(y, v, alpha).name for alpha in (0.99 * p, 1.01 * p)] == ["PET", "PEESE"]


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_trials_taken_from_one_side_of_a_funnel_are_filled_in_again(estimator):
    distance = np.array([-0.95, -0.72, -0.58, -0.41, -0.27, -0.21, -0.16, -0.06, 0.01, 0.04, 0.17, 0.18, 0.28, 0.4, 0.55, 0.75, 0.92])
    y, v = 0.2 + distance, 0.01 + 0.2 * distance**2
    whole = small_studies.trim_and_fill(y, v, estimator)
    assert whole.filled == 0 and whole.pooled == pooled.pool(y, v, estimator)
    for side, there in (("left", distance > -0.5), ("right", distance < 0.5)):
        y_seen, v_seen = y[there], v[there]
        found, before = small_studies.trim_and_fill(y_seen, v_seen, estimator), pooled.pool(y_seen, v_seen, estimator)
        assert found.side == side and 2 <= found.filled <= 3  # three are lacking: L0 is an estimate
        assert abs(found.pooled.est - 0.2) < 0.5 * abs(before.est - 0.2)
        beyond = np.arange(len(y_seen))[-found.filled :] if side == "left" else np.arange(found.filled)  # trimmed, and added as in a mirror
        centre = pooled.pool(np.delete(y_seen, beyond), np.delete(v_seen, beyond), estimator).est
        np.testing.assert_array_equal(found.y[: len(y_seen)], y_seen)
        np.testing.assert_allclose(np.sort(found.y[len(y_seen) :]), np.sort(2 * centre - y_seen[beyond]), rtol=1e-12)
        assert sorted(found.v[len(y_seen) :]) == sorted(v_seen[beyond])


def test_turning_all_effects_turns_the_funnel():
    y, v = funnel(6, 30, slope=2)
    one, other = small_studies.trim_and_fill(y, v, "REML"), small_studies.trim_and_fill(-y, v, "REML")
    assert (one.side, other.side) == ("left", "right") and one.filled == other.filled > 0
    assert one.pooled.est == pytest.approx(-other.pooled.est, rel=1e-12)


def test_two_trials_can_be_filled_on_a_side_that_is_given():
    found = small_studies.trim_and_fill([0.1, 0.9], [0.01, 0.04], side="left")
    assert (found.filled, found.side, found.pooled.k) == (1, "left", 3)
    assert found.y[2] == pytest.approx(2 * 0.1 - 0.9)


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        (lambda: small_studies.egger([0.1, 0.2], [0.1, 0.2]), "2 trials: a funnel plot needs at least 3"),
        (lambda: small_studies.egger([0.1, 0.2, 0.3], [0.1, 0.2]), "give one of each for every trial"),
        (lambda: small_studies.egger([0.1, 0.2, 0.3], [0.1, 0.1, 0.1]), "rank 1 for 2 coefficients"),
        (lambda: small_studies.egger([0.1, 0.2, 0.3], [0.1, 0.2, np.inf]), "a variance is inf: leave out"),
        (lambda: small_studies.trim_and_fill([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], side="both"), "the side 'both' is unknown: give left or right"),
        (lambda: small_studies.trim_and_fill([0.1], [0.1], side="left"), "1 trials: a funnel plot needs at least 2"),
    ],
)
def test_funnels_that_cannot_be_judged_are_refused(analysis, message):
    with pytest.raises(ValueError, match=message):
        analysis()
