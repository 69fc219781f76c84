"""Cox models and Kaplan–Meier: against statsmodels, against sums written out in full, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight

from asprinted import models

FORMULA = '{outcome} ~ C(arm, Treatment("usual care")) + age'
COX = {"family": "cox", "formula": FORMULA, "time": "days"}
ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "usual care"}}]


def drawn(seed: int, n: int = 200, p: int = 2, days: float = 30.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times in whole days (so they tie), events, two or more columns, and clusters."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, 2, n), *rng.normal(5, 1, (p - 1, n))])
    level = rng.normal(0, 0.5, 15)
    cluster = rng.integers(0, 15, n)
    ends = np.ceil(rng.exponential(days * np.exp(-0.6 * X[:, 0] - 0.2 * (X[:, 1:].sum(axis=1) - 5) - level[cluster])))
    followed = np.ceil(rng.uniform(days / 3, 2 * days, n))
    return np.minimum(ends, followed), (ends <= followed).astype(float), X, cluster


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """200 people with days and event; some have neither, those in one arm have a worker."""
    time, event, X, cluster = drawn(11)
    frame = pd.DataFrame({"arm": np.where(X[:, 0] == 1, "peers", "usual care"), "age": X[:, 1], "days": time, "back": event})
    frame["worker"] = pd.Series(cluster, dtype="Int64").where(frame["arm"] == "peers")
    frame.loc[[3, 50, 120], ["days", "back"]] = np.nan
    frame.loc[60, "back"] = np.nan
    frame.loc[61, "days"] = np.nan
    return frame


def partial_likelihood(beta: np.ndarray, time: np.ndarray, event: np.ndarray, X: np.ndarray, ties: str) -> float:
    """Minus the log partial likelihood, term by term from its definition."""
    total = 0.0
    for at in np.unique(time[event == 1]):
        deaths, at_risk = (time == at) & (event == 1), time >= at
        for turn in range(deaths.sum()):
            out = turn / deaths.sum() if ties == "efron" else 0.0
            total -= np.log(np.exp(X[at_risk] @ beta).sum() - out * np.exp(X[deaths] @ beta).sum())
        total += (X[deaths] @ beta).sum()
    return -total


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_model_is_where_the_likelihood_written_out_in_full_is_largest(ties):
    time, event, X, _ = drawn(12, 60)
    beta, cov = models.cox(time, event, X, ties)
    best = optimize.minimize(partial_likelihood, np.zeros(2), (time, event, X, ties), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(beta, best.x, atol=1e-6)
    step = 1e-3
    shifts = step * np.eye(2)
    hessian = [
        [sum(s * t * partial_likelihood(beta + s * a + t * b, time, event, X, ties) for s in (-1, 1) for t in (-1, 1)) / (4 * step**2) for b in shifts]
        for a in shifts
    ]
    np.testing.assert_allclose(np.linalg.inv(cov), hessian, rtol=1e-4)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(3))
def test_cox_model_agrees_with_statsmodels(seed, ties):
    time, event, X, _ = drawn(seed, p=4)
    beta, cov = models.cox(time, event, X, ties)
    theirs = PHReg(time, X, status=event, ties=ties).fit()
    np.testing.assert_allclose(beta, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(cov, theirs.cov_params(), rtol=1e-8, atol=1e-12)


def test_robust_covariance_agrees_with_statsmodels_under_breslows_rule():
    time, event, X, cluster = drawn(13)
    _, cov = models.cox(time, event, X, "breslow", cluster)
    theirs = PHReg(time, X, status=event, ties="breslow").fit(groups=cluster)
    np.testing.assert_allclose(cov, theirs.cov_params(), rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_residuals_are_what_a_row_adds_to_the_gradient(ties):
    """The weights of two rows are moved a little: the estimate moves by their score residuals times the covariance."""
    time, event, X, _ = drawn(14, 40)
    beta, cov = models.cox(time, event, X, ties)
    _, alone = models.cox(time, event, X, ties, np.arange(40))
    weights = np.ones(40)

    def gradient(weight: np.ndarray) -> np.ndarray:
        total = np.zeros(2)
        for at in np.unique(time[event == 1]):
            deaths, at_risk = (time == at) & (event == 1), time >= at
            risk = weight * np.exp(X @ beta)
            total += (weight[deaths, None] * X[deaths]).sum(axis=0)
            for turn in range(deaths.sum()):
                share = at_risk - (turn / deaths.sum() if ties == "efron" else 0.0) * deaths
                total -= weight[deaths].mean() * (share * risk) @ X / (share @ risk)
        return total

    step = 1e-5
    residuals = np.array([(gradient(weights + step * row) - gradient(weights - step * row)) / (2 * step) for row in np.eye(40)])
    np.testing.assert_allclose(residuals.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(alone, cov @ residuals.T @ residuals @ cov, rtol=1e-6)


def test_rules_for_ties_agree_where_no_times_tie():
    time, event, X, cluster = drawn(15)
    apart = time + np.random.default_rng(1).permutation(200) / 1000
    for groups in (None, cluster):
        efron, breslow = (models.cox(apart, event, X, ties, groups) for ties in ("efron", "breslow"))
        np.testing.assert_allclose(efron[0], breslow[0], rtol=1e-10)
        np.testing.assert_allclose(efron[1], breslow[1], rtol=1e-10)
    assert not np.allclose(models.cox(time, event, X, "efron")[0], models.cox(time, event, X, "breslow")[0], rtol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["efron", "breslow"]), st.booleans())
def test_cox_model_depends_on_the_order_of_times_alone(seed, ties, robust):
    time, event, X, cluster = drawn(seed, 80)
    groups = cluster if robust else None
    shuffle = np.random.default_rng(seed).permutation(80)
    first = models.cox(time, event, X, ties, groups)
    warped = models.cox(np.log(time)[shuffle], event[shuffle], X[shuffle] + 3, ties, None if groups is None else groups[shuffle])
    np.testing.assert_allclose(first[0], warped[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(first[1], warped[1], rtol=1e-7, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["efron", "breslow"]))
def test_information_on_an_arm_is_at_most_a_quarter_of_the_events(seed, ties):
    time, event, X, _ = drawn(seed, 80)
    _, cov = models.cox(time, event, X[:, :1], ties)
    assert cov[0, 0] >= 4 / event.sum()


def test_times_that_differ_by_rounding_alone_are_one_time():
    time, event, X, _ = drawn(16)
    noise = 1 + 1e-12 * np.random.default_rng(2).uniform(-1, 1, 200)
    np.testing.assert_allclose(models.cox(time * noise, event, X)[0], models.cox(time, event, X)[0], rtol=1e-9)


# As a model of a study file


def test_fit_of_a_cox_model_agrees_with_statsmodels(people):
    fit = models.fit(COX, people, "back")
    seen = people.dropna(subset=["days", "back"])
    theirs = smf.phreg(FORMULA.format(outcome="days"), seen, status=seen["back"].to_numpy(), ties="efron").fit()
    arms = fit.contrast(ARMS)
    assert (np.log(arms.est), arms.se, arms.p) == pytest.approx((theirs.params[0], theirs.bse[0], theirs.pvalues[0]), rel=1e-8)
    assert (arms.lo, arms.hi) == pytest.approx(tuple(np.exp(theirs.conf_int()[0])), rel=1e-8)
    assert fit.n == len(seen) == 195
    assert arms.reduction == pytest.approx(100 * (1 - np.exp(theirs.params[0])))


def test_events_after_the_end_count_as_followed_to_it(people):
    cut = models.fit(COX | {"until": 20}, people, "back")
    by_hand = people.assign(back=people["back"].where(people["days"] <= 20, people["back"] * 0), days=people["days"].clip(upper=20))
    same = models.fit(COX, by_hand, "back")
    np.testing.assert_array_equal(cut.beta, same.beta)
    np.testing.assert_array_equal(cut.cov, same.cov)
    assert cut.design.time.max() == 20 and 0 < cut.design.y.sum() < models.fit(COX, people, "back").design.y.sum()
    on_the_day = people["back"][people["days"] == 20].sum()
    earlier = models.fit(COX | {"until": 19.9}, people, "back")
    assert on_the_day >= 1 and cut.design.y.sum() - earlier.design.y.sum() == on_the_day


def test_people_without_a_group_stand_alone(people):
    robust = models.fit(COX | {"covariance": "robust", "groups": "worker"}, people, "back")
    named = people.assign(worker=people["worker"].astype("object").where(people["worker"].notna(), pd.Series([f"alone {n}" for n in range(200)])))
    np.testing.assert_allclose(robust.cov, models.fit(COX | {"covariance": "robust", "groups": "worker"}, named, "back").cov, rtol=1e-12)
    together = models.fit(COX | {"covariance": "robust", "groups": "worker"}, named.assign(worker=people["worker"].fillna(99)), "back")
    assert not np.allclose(robust.cov, together.cov, rtol=0.01)


def test_contrast_of_a_cox_model_that_is_no_difference_is_refused(people):
    fit = models.fit(COX, people, "back")
    with pytest.raises(ValueError, match="the weights of the contrast add up to 1: give a difference"):
        fit.contrast(ARMS[:1])
    np.testing.assert_allclose(fit.contrast([{"weight": 1, "at": {"age": 6}}, {"weight": -1, "at": {"age": 4}}]).est, np.exp(2 * fit.beta[1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"formula": "{outcome} ~ 0 + C(arm)"}, "has no intercept to leave out"),
        ({"time": "weeks"}, "the table has no column 'weeks': give one of arm, age"),
        ({"ties": "exact"}, "ties 'exact' is unknown: use efron or breslow"),
        ({"until": 0.5}, "no row has an event"),
    ],
)
def test_cox_model_that_cannot_be_read_is_refused(people, change, message):
    with pytest.raises(ValueError, match=message):
        models.fit(COX | change, people, "back")


# What no hazard ratio can be taken from


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_estimate_is_refused_where_every_event_is_at_the_end_of_some_direction_and_only_there(ties):
    """Long-tailed columns, on which Newton's steps overshoot; a linear programme finds the directions."""
    rng = np.random.default_rng(0)
    refused, monotone = [], []
    for _ in range(200):
        n = rng.integers(8, 30)
        X = np.exp(rng.normal(0, 2, (n, 2)))
        event, time = (rng.random(n) < 0.4).astype(float), np.ceil(rng.exponential(8, n))
        event[:2] = 0, 1
        leads = np.vstack([X[row] - X[time >= time[row]] for row in np.flatnonzero(event)])
        monotone.append(optimize.linprog(-leads.sum(axis=0), A_ub=-leads, b_ub=np.zeros(len(leads)), bounds=[(-1, 1)] * 2).fun < -1e-7)
        try:
            models.cox(time, event, X, ties)
            refused.append(False)
        except ValueError as error:
            refused.append("no finite estimate" in str(error))
    assert refused == monotone and 0 < sum(monotone) < 100


@pytest.mark.parametrize("robust", [False, True])
def test_arm_without_an_event_is_refused(robust):
    time, event, X, cluster = drawn(17)
    with pytest.raises(ValueError, match="the Cox model has no finite estimate: at some level no event happened"):
        models.cox(time, event * (X[:, 0] == 0), X[:, :1], groups=cluster if robust else None)


@pytest.mark.parametrize(
    ("time", "event", "X", "message"),
    [
        ([1, 2, 3], [0, 0, 0], [[0], [1], [1]], "no row has an event"),
        ([1, 2, 3], [1, 1, 0], [[1], [1], [1]], "rank 0 for 1 coefficients"),
        ([1, 2, 3, 4], [0, 1, 1, 0], [[0], [1], [1], [1]], "rank 0 for 1 coefficients"),
        ([1, np.nan, 3], [1, 1, 0], [[0], [1], [1]], "1 of 3 times are missing or infinite"),
        ([1, 2, 3], [1, 2, 0], [[0], [1], [1]], "an event is 2: give 1 where it happened"),
        ([1, 2, 3], [1, np.nan, 0], [[0], [1], [1]], "an event is nan: give 1 where it happened"),
    ],
)
def test_rows_that_give_no_hazard_ratio_are_refused(time, event, X, message):
    with pytest.raises(ValueError, match=message):
        models.cox(np.array(time, dtype=float), np.array(event, dtype=float), np.array(X, dtype=float))


# Kaplan–Meier


@pytest.mark.parametrize("seed", range(3))
def test_survival_agrees_with_statsmodels(seed):
    time, event, _, _ = drawn(seed)
    times, survival = models.survival_curve(time, event)
    theirs = SurvfuncRight(time, event)
    np.testing.assert_array_equal(times, theirs.surv_times[theirs.n_events > 0])
    np.testing.assert_allclose(survival, theirs.surv_prob[theirs.n_events > 0], rtol=1e-12)
    assert models.survival_median(time, event) == theirs.quantile(0.5)


@pytest.mark.parametrize(
    ("time", "event", "median"),
    [
        ([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], 3),
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),  # one half from 2 until 3
        ([1, 2, 2.5, 4], [1, 1, 0, 1], 3),  # the next event is at 4
        ([1, 2, 3, 4], [1, 1, 0, 0], 2),  # no event follows
        ([1, 2, 3, 4], [1, 0, 0, 0], np.nan),
        ([1, 2], [0, 0], np.nan),
        ([], [], np.nan),
        ([4, 4, 4], [1, 1, 0], 4),
    ],
)
def test_median_survival_of_a_few_rows(time, event, median):
    assert models.survival_median(np.array(time), np.array(event)) == pytest.approx(median, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_median_without_censoring_is_the_median_of_times_or_the_midpoint_of_its_neighbours(times):
    """Half-way counts stop at exactly one half: then the two middle ones' mean, as of any median."""
    assert models.survival_median(np.array(times), np.ones(len(times))) == np.median(times)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_survival_falls_from_at_most_one_to_at_least_zero(seed):
    time, event, _, _ = drawn(seed, 50)
    times, survival = models.survival_curve(time, event)
    assert (np.diff(times) > 0).all() and (np.diff(np.concatenate([[1.0], survival])) < 0).all() and survival.min() >= 0
    assert len(times) == len(np.unique(time[event == 1]))


def test_missing_time_of_a_curve_is_refused():
    with pytest.raises(ValueError, match="1 of 2 times are missing"):
        models.survival_curve(np.array([1.0, np.nan]), np.array([1.0, 0.0]))


def test_a_million_rows_give_back_the_ratio_that_they_were_drawn_with():
    rng = np.random.default_rng(18)
    arm = rng.integers(0, 2, 1_000_000)
    time = np.ceil(rng.exponential(200 * np.exp(-0.3 * arm)))
    beta, cov = models.cox(time, (rng.random(len(time)) < 0.4).astype(float), arm[:, None], groups=rng.integers(0, 5000, len(time)))
    assert abs(beta[0] - 0.3) < 5 * np.sqrt(cov[0, 0]) < 0.03
