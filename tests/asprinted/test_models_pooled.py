"""Random-effects models: estimates of tau², pooled effects, many sets at once, meta-regression, and what is refused."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from asprinted.models import heterogeneity, pooled

RANDOM = ("DL", "PM", "REML")
FIELDS = pooled.Pooled.__dataclass_fields__


def trials(seed: int, k: int, tau: float = 0.3, sets: tuple[int, ...] = (), spread: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances (*sets, k); variances log-normal."""
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-3, spread, (*sets, k)))
    return rng.normal(0.2, np.sqrt(v + tau**2)), v


def restricted_likelihood(y: np.ndarray, v: np.ndarray, tau2: np.ndarray) -> np.ndarray:
    """Twice the restricted log-likelihood of one set at values of tau² (m,), from its textbook form."""
    w = 1 / (v + tau2[:, None])
    mean = (w * y).sum(1) / w.sum(1)
    return np.log(w).sum(1) - np.log(w.sum(1)) - (w * (y - mean[:, None]) ** 2).sum(1)


def assert_same(ours: pooled.Pooled, theirs: pooled.Pooled, at: object = ...) -> None:
    for field in FIELDS:
        np.testing.assert_allclose(np.asarray(getattr(ours, field))[at], getattr(theirs, field), rtol=1e-10, atol=1e-12, err_msg=field)


# One set


@pytest.mark.parametrize(("estimator", "theirs"), [("DL", "chi2"), ("PM", "iterated")])
@pytest.mark.parametrize("k", [2, 5, 30])
def test_pool_agrees_with_statsmodels(k, estimator, theirs):
    y, v = trials(k, k, tau=0.6)
    result = combine_effects(y, v, method_re=theirs, atol=1e-10)  # a tolerance that rounding cannot meet makes its tau² 0
    found = pooled.pool(y, v, estimator)
    table = result.summary_frame().loc["random effect"]
    assert found.tau2 > 0
    assert (found.tau2, found.est, found.se) == pytest.approx((result.tau2, table["eff"], table["sd_eff"]), rel=1e-7)
    assert (found.lo, found.hi) == pytest.approx((table["ci_low"], table["ci_upp"]), rel=1e-6)
    assert (found.q, found.i2) == pytest.approx((result.q, 100 * result.i2), rel=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_paule_and_mandel_s_tau_squared_makes_q_its_expectation(seed):
    y, v = trials(seed, 8, tau=0.8, spread=2)
    tau2 = heterogeneity.tau_squared(y, v, "PM")
    w = 1 / (v + tau2)
    assert np.sum(w * (y - np.average(y, weights=w)) ** 2) == pytest.approx(7, rel=1e-11)


def test_reml_finds_the_highest_of_several_maxima():
    several = zeros = 0
    for k, spread, far in [(3, 2.5, 0), (5, 4, 10), (8, 2.5, 10), (12, 4, 0), (30, 2.5, 10)]:
        y, v = trials(k, k, sets=(60,), spread=spread)
        y[:, 0] += far
        tau2 = heterogeneity.tau_squared(y, v, "REML")
        for one_y, one_v, one in zip(y, v, tau2, strict=True):
            grid = np.append(0, np.geomspace(1e-4 * one_v.min(), 50 * np.var(one_y) + one_v.max(), 600))
            heights = restricted_likelihood(one_y, one_v, grid)
            assert restricted_likelihood(one_y, one_v, np.array([one]))[0] >= heights.max() - 1e-10
            several += np.sum((heights[1:-1] > heights[:-2] + 1e-9) & (heights[1:-1] > heights[2:] + 1e-9)) + (heights[0] > heights[1]) > 1
            zeros += one == 0
    assert several >= 3 and zeros >= 10


def test_trials_more_alike_than_chance_have_exactly_no_variance_between_them():
    y, v = np.array([0.20, 0.21, 0.19, 0.20]), np.array([0.04, 0.02, 0.05, 0.01])
    for estimator in RANDOM:
        found = pooled.pool(y, v, estimator)
        assert (found.tau2, found.i2) == (0, 0)
        assert_same(found, pooled.pool(y, v, "common"))


def test_one_trial_is_its_own_pooled_effect():
    for test in pooled.TESTS:
        for estimator in heterogeneity.ESTIMATORS:
            found = pooled.pool([0.3], [0.04], estimator, test)
            assert (found.est, found.se, found.tau2, found.q, found.df, found.i2, found.k) == (0.3, 0.2, 0, 0, 0, 0, 1)
            assert (found.lo, found.hi) == pytest.approx((0.3 - 1.959964 * 0.2, 0.3 + 1.959964 * 0.2), abs=1e-6)
            assert found.p == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-12)
            assert np.isnan([found.q_p, found.prediction_lo, found.prediction_hi]).all()


def test_statistics_follow_from_each_other():
    y, v = trials(3, 12)
    found = pooled.pool(y, v, "REML", level=0.9)
    assert found.q_p == pytest.approx(stats.chi2.sf(found.q, 11), rel=1e-12)
    assert found.i2 == pytest.approx(100 * (found.q - 11) / found.q, rel=1e-12)
    assert (found.hi - found.lo) / 2 == pytest.approx(stats.norm.isf(0.05) * found.se, rel=1e-12)
    assert (found.prediction_hi - found.prediction_lo) / 2 == pytest.approx(stats.t.isf(0.05, 10) * np.sqrt(found.tau2 + found.se**2), rel=1e-12)
    by_q = pooled.pool(y, v, "DL")
    assert by_q.i2 == pytest.approx(100 * by_q.tau2 / (by_q.tau2 + heterogeneity.typical_variance(v)), rel=1e-12)


def test_knapp_and_hartung_s_interval_is_that_of_least_squares_where_variances_are_alike():
    y, _ = trials(4, 9)
    theirs = stats.ttest_1samp(y, 0)
    interval = theirs.confidence_interval()
    found = pooled.pool(y, np.full(9, 1e-3), "REML", "knapp-hartung")
    assert (found.p, found.lo, found.hi) == pytest.approx((theirs.pvalue, interval.low, interval.high), rel=1e-10)


def test_knapp_and_hartung_s_scale_below_1_is_taken_back_on_request():
    y, v = np.array([0.20, 0.21, 0.19, 0.20]), np.array([0.04, 0.02, 0.05, 0.01])
    wald, scaled, at_least = (pooled.pool(y, v, "DL", test) for test in pooled.TESTS)
    assert scaled.se < 0.2 * wald.se and at_least.se == wald.se
    assert at_least.hi - at_least.est == pytest.approx(stats.t.isf(0.025, 3) * wald.se, rel=1e-12)
    y, v = trials(5, 12, tau=1)
    assert pooled.pool(y, v, "common", pooled.TESTS[1]).se == pooled.pool(y, v, "common", pooled.TESTS[2]).se


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.floats(-5, 5), st.floats(0.05, 20), st.sampled_from(heterogeneity.ESTIMATORS))
def test_shift_and_scale_of_the_effects_carry_over(seed, k, shift, scale, estimator):
    y, v = trials(seed, k)
    here, there = pooled.pool(y, v, estimator), pooled.pool(shift + scale * y, scale**2 * v, estimator)
    assert there.est == pytest.approx(shift + scale * here.est, rel=1e-7, abs=1e-7 * scale)
    assert (there.se, np.sqrt(there.tau2)) == pytest.approx((scale * here.se, scale * np.sqrt(here.tau2)), rel=1e-6, abs=1e-6 * scale)
    assert (there.q, there.i2) == pytest.approx((here.q, here.i2), rel=1e-8, abs=1e-8)


# Many sets


@pytest.mark.parametrize("test", pooled.TESTS)
@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_sets_pooled_together_are_each_pooled_alone(estimator, test):
    y, v = trials(7, 6, sets=(4, 5), spread=1.5)
    together = pooled.pool(y, v, estimator, test)
    assert together.est.shape == (4, 5)
    for place in np.ndindex(4, 5):
        assert_same(together, pooled.pool(y[place], v[place], estimator, test), place)


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_a_variance_of_infinity_leaves_a_trial_out(estimator):
    y, v = trials(8, 10)
    there = np.array([np.random.default_rng(seed).permutation(10) < size for seed, size in enumerate([1, 2, 3, 5, 7, 9, 10])])
    found = pooled.pool(y, np.where(there, v, np.inf), estimator, "knapp-hartung")
    assert found.k.tolist() == [1, 2, 3, 5, 7, 9, 10]
    for row, kept in enumerate(there):
        assert_same(found, pooled.pool(y[kept], v[kept], estimator, "knapp-hartung"), row)


def test_leave_one_out_and_cumulative_are_pools_of_the_other_and_of_the_first_trials():
    y, v = trials(9, 7)
    without, until = pooled.leave_one_out(y, v, "REML"), pooled.cumulative(y, v, "REML")
    for place in range(7):
        assert_same(without, pooled.pool(np.delete(y, place), np.delete(v, place), "REML"), place)
        assert_same(until, pooled.pool(y[: place + 1], v[: place + 1], "REML"), place)


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_memory_grows_with_the_trials_and_not_with_their_square(estimator):
    y, v = trials(10, 50_000)
    tracemalloc.start()
    pooled.pool(y, v, estimator)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * y.nbytes  # a square of them would be 50,000


# The interval of tau²


@pytest.mark.parametrize("tau", [0.0, 0.3, 1.0])
def test_q_profile_covers_tau_squared_as_often_as_it_says(tau):
    y, v = trials(11, 10, tau=tau, sets=(4000,))
    lo, hi = heterogeneity.q_profile(y, v)
    if tau > 0:
        assert np.mean((lo <= tau**2) & (tau**2 <= hi)) == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))
    else:
        assert np.mean(lo == 0) == pytest.approx(0.975, abs=4 * np.sqrt(0.975 * 0.025 / 4000))


def test_limits_of_the_q_profile_are_where_q_is_a_quantile():
    y, v = trials(12, 15, tau=0.8)
    X = np.column_stack([np.ones(15), np.arange(15)])
    for limit, tail in zip(heterogeneity.q_profile(y, v, 0.8, X), (0.1, 0.9), strict=True):
        q = np.sum(sm.WLS(y, X, weights=1 / (v + limit)).fit().resid ** 2 / (v + limit))
        assert stats.chi2.sf(q, 13) == pytest.approx(tail, rel=1e-10)


def test_interval_of_tau_squared_is_nothing_but_0_in_trials_far_too_alike_and_missing_for_one_trial():
    assert heterogeneity.q_profile([0.2, 0.2, 0.2], [0.04, 0.05, 0.06]) == (0, 0)
    assert np.isnan(heterogeneity.q_profile([0.2], [0.04])).all()


# Meta-regression


def dummies(k: int) -> np.ndarray:
    group = np.arange(k) % 3
    return np.column_stack([np.ones(k), group == 1, group == 2]).astype(float)


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_a_column_of_ones_is_the_pool(estimator):
    y, v = trials(13, 12)
    for test in pooled.TESTS:
        pool, line = pooled.pool(y, v, estimator, test), pooled.meta_regression(y, v, np.ones((12, 1)), estimator, test)
        found = (line.beta[0], np.sqrt(line.cov[0, 0]), line.tau2, line.df, line.q_residual, line.q_p)
        assert found == pytest.approx((pool.est, pool.se, pool.tau2, pool.df, pool.q, pool.q_p), rel=1e-12)
        assert line.test_of([0]).p == pytest.approx(pool.p, rel=1e-10)


def test_test_between_subgroups_with_a_common_effect_is_q_s_share_between_them():
    y, v = trials(14, 15)
    regression = pooled.meta_regression(y, v, dummies(15), "common")
    within = sum(pooled.pool(y[place::3], v[place::3], "common").q for place in range(3))
    between = regression.test_of([1, 2])
    assert regression.q_residual == pytest.approx(within, rel=1e-12)
    assert between.statistic == pytest.approx(pooled.pool(y, v).q - within, rel=1e-10)
    assert (between.df1, between.df2, between.p) == (2, None, pytest.approx(stats.chi2.sf(between.statistic, 2)))


def test_common_effect_with_knapp_and_hartung_s_scale_is_weighted_least_squares():
    y, v = trials(15, 15)
    ours, theirs = pooled.meta_regression(y, v, dummies(15), "common", "knapp-hartung"), sm.WLS(y, dummies(15), weights=1 / v).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-10)
    np.testing.assert_allclose(ours.cov, theirs.cov_params(), rtol=1e-10, atol=1e-15)
    test, theirs = ours.test_of([1, 2]), theirs.f_test(np.eye(3)[1:])
    assert (test.statistic, test.df1, test.df2, test.p) == pytest.approx((float(theirs.fvalue), 2, 12, float(theirs.pvalue)), rel=1e-9)


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
def test_regressions_of_several_sets_are_each_fitted_alone(estimator):
    y, v = trials(16, 12, sets=(8,))
    together = pooled.meta_regression(y, v, dummies(12), estimator, "knapp-hartung")
    assert together.cov.shape == (8, 3, 3)
    for row in range(8):
        alone = pooled.meta_regression(y[row], v[row], dummies(12), estimator, "knapp-hartung")
        np.testing.assert_allclose(together.cov[row], alone.cov, rtol=1e-9, atol=1e-14)
        assert together.test_of([1, 2]).p[row] == pytest.approx(alone.test_of([1, 2]).p, rel=1e-9)
        assert together.tau2[row] == pytest.approx(float(heterogeneity.tau_squared(y[row], v[row], estimator, dummies(12))), rel=1e-10)


# What is refused


@pytest.mark.parametrize(
    ("y", "v", "kind", "message"),
    [
        ([], [], {}, "no trials: give at least one"),
        ([0.1, np.nan], [0.1, 0.1], {}, "an effect is nan: leave out"),
        ([0.1, 0.2], [0.1, 0.0], {}, "a variance is 0: give a positive number"),
        ([0.1, 0.2], [0.1, np.nan], {}, "a variance is nan"),
        ([0.1, 0.2], [np.inf, np.inf], {}, "fewer trials than coefficients"),
        ([0.1, 0.2], [0.1, 0.1], {"estimator": "ML"}, "the estimator 'ML' is unknown: give one of common, DL, PM, REML"),
        ([0.1, 0.2], [0.1, 0.1], {"test": "t"}, "the test 't' is unknown: give one of wald-z"),
    ],
)
def test_what_cannot_be_pooled_is_refused(y, v, kind, message):
    with pytest.raises(ValueError, match=message):
        pooled.pool(y, v, **kind)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((4, 2)), "rank 1 for 2 coefficients: a level has no trials"),
        (np.ones((5, 1)), "give a row for each of 4 trials"),
        (np.full((4, 1), np.nan), "a covariate is missing"),
        (np.vander(np.arange(4.0)), "4 trials for 4 coefficients: leave out covariates"),
        (np.zeros((4, 1)), "rank 0 for 1 coefficients"),
    ],
)
def test_covariates_that_cannot_be_fitted_are_refused(X, message):
    y, v = trials(17, 4)
    with pytest.raises(ValueError, match=message):
        pooled.meta_regression(y, v, X)
