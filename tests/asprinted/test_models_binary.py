"""Logistic models: maximum likelihood, rows that stand for many, covariance robust by group, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from asprinted import models

FORMULA = '{outcome} ~ C(arm, Treatment("usual care")) + C(site)'
LOGISTIC = {"family": "logistic", "formula": FORMULA}
ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "usual care"}}]


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """240 people at three sites, half of them with one of nine workers; a yes or no, some missing."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"arm": np.repeat(["peers", "usual care"], 120), "site": rng.choice(["north", "south", "west"], 240)})
    frame["worker"] = np.where(frame["arm"] == "peers", rng.choice([f"w{n}" for n in range(9)], 240), None)
    chance = 0.3 + 0.2 * (frame["site"] == "west") + 0.15 * (frame["arm"] == "usual care")
    frame["back"] = (rng.random(240) < chance).astype(float)
    frame.loc[rng.random(240) < 0.1, "back"] = np.nan
    return frame


def test_logistic_model_agrees_with_statsmodels(people):
    ours = models.fit(LOGISTIC, people, "back")
    theirs = smf.logit(FORMULA.format(outcome="back"), people).fit(disp=0, tol=1e-14)
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.cov, theirs.cov_params(), rtol=1e-9)
    arms = ours.contrast(ARMS)
    assert (np.log(arms.est), arms.se, arms.p) == pytest.approx((theirs.params.iloc[1], theirs.bse.iloc[1], theirs.pvalues.iloc[1]), rel=1e-9)
    assert (arms.lo, arms.hi) == pytest.approx(tuple(np.exp(theirs.conf_int().iloc[1])), rel=1e-9)
    assert ours.df is None and ours.n == people["back"].notna().sum()


def test_odds_ratio_of_two_arms_is_that_of_the_table(people):
    arms = models.fit({"family": "logistic", "formula": "{outcome} ~ C(arm)"}, people, "back").contrast(ARMS)
    counts = people.groupby("arm")["back"].agg(["sum", "count"])
    yes, no = counts["sum"], counts["count"] - counts["sum"]
    assert arms.est == pytest.approx(yes["peers"] * no["usual care"] / (no["peers"] * yes["usual care"]), rel=1e-12)
    assert arms.se == pytest.approx(np.sqrt((1 / yes + 1 / no).sum()), rel=1e-12)
    assert arms.reduction == pytest.approx(100 * (1 - arms.est))


def test_robust_covariance_agrees_with_estimating_equations_where_people_without_a_group_stand_alone(people):
    robust = models.fit(LOGISTIC | {"covariance": "robust", "groups": "worker"}, people, "back")
    alone = people.assign(worker=people["worker"].fillna(pd.Series(people.index.astype(str), index=people.index)))
    seen = alone.dropna(subset=["back"])
    gee = smf.gee(FORMULA.format(outcome="back"), "worker", seen, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Independence())
    theirs = gee.fit(ctol=1e-12)
    np.testing.assert_allclose(robust.beta, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(robust.cov, theirs.cov_params(), rtol=1e-7, atol=1e-12)
    logit = smf.logit(FORMULA.format(outcome="back"), seen).fit(
        disp=0, tol=1e-14, cov_type="cluster", cov_kwds={"groups": pd.factorize(seen["worker"])[0], "use_correction": False}
    )
    np.testing.assert_allclose(robust.cov, logit.cov_params(), rtol=1e-8, atol=1e-14)
    assert not np.allclose(robust.cov, models.fit(LOGISTIC, people, "back").cov, rtol=1e-3)


def test_robust_covariance_without_groups_takes_each_row_alone(people):
    robust = models.fit(LOGISTIC | {"covariance": "robust"}, people, "back")
    logit = smf.logit(FORMULA.format(outcome="back"), people).fit(disp=0, tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(robust.cov, logit.cov_params(), rtol=1e-8, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rows_that_stand_for_many_count_as_many(seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(8), np.tile([0, 1], 4), np.repeat(np.eye(4), 2, axis=0)[:, 1:]])
    people = rng.integers(2, 40, 8)
    yes = rng.integers(1, people)
    cells = models.logistic(yes / people, X, people)
    split = models.logistic(np.repeat([1.0, 0.0], 8), np.vstack([X, X]), np.concatenate([yes, people - yes]))
    each = np.repeat(np.arange(8), people)
    one_by_one = models.logistic(np.concatenate([np.arange(n) < k for n, k in zip(people, yes, strict=True)]).astype(float), X[each])
    for beta, cov in (split, one_by_one):
        np.testing.assert_allclose(beta, cells[0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(cov, cells[1], rtol=1e-8, atol=1e-9)


def test_cells_without_people_change_nothing():
    y, X, people = np.array([0.25, 0.5, 1.0]), np.array([[1, 0], [1, 1], [1, 7]]), np.array([40, 30, 0])
    for with_none, without in zip(models.logistic(y, X, people), models.logistic(y[:2], X[:2], people[:2]), strict=True):
        np.testing.assert_allclose(with_none, without, rtol=1e-10)


def test_estimate_is_found_where_events_are_one_in_a_million():
    y, people = np.array([2e-6, 5e-6]), np.array([1e6, 1e6])
    beta, cov = models.logistic(y, np.array([[1.0, 0], [1, 1]]), people)
    odds = y / (1 - y)
    np.testing.assert_allclose(beta, [np.log(odds[0]), np.log(odds[1] / odds[0])], rtol=1e-9)
    assert cov[1, 1] == pytest.approx(np.sum(1 / (people * y) + 1 / (people * (1 - y))), rel=1e-9)


def test_unit_of_a_column_does_not_decide_whether_an_estimate_is_found(people):
    seen = people.dropna(subset=["back"])
    x = np.random.default_rng(8).normal(size=len(seen))
    beta, _ = models.logistic(seen["back"].to_numpy(), np.column_stack([np.ones(len(seen)), x]))
    small, _ = models.logistic(seen["back"].to_numpy(), np.column_stack([np.ones(len(seen)), x / 1e4]))
    np.testing.assert_allclose(small, beta * [1, 1e4], rtol=1e-8)


def test_estimate_is_refused_where_a_plane_separates_the_outcomes_and_only_there():
    """Long-tailed columns, on which Newton's steps overshoot; a linear programme finds the planes."""
    rng = np.random.default_rng(0)
    refused, separated = [], []
    for _ in range(200):
        n = rng.integers(8, 30)
        X = np.column_stack([np.ones(n), np.exp(rng.normal(0, 2, (n, 2)))])
        y = (rng.random(n) < 0.4).astype(float)
        y[:2] = 0, 1
        sides = (2 * y - 1)[:, None] * X
        separated.append(optimize.linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(n), bounds=[(-1, 1)] * 3).fun < -1e-7)
        try:
            models.logistic(y, X)
            refused.append(False)
        except ValueError as error:
            refused.append("no finite estimate" in str(error))
    assert refused == separated and 0 < sum(separated) < 100


@pytest.mark.parametrize("separated", ["in a cell", "by a line"])
def test_separated_outcomes_are_refused(separated):
    x = np.repeat([0.0, 1.0], 20) if separated == "in a cell" else np.linspace(-1, 1, 40)
    y = np.where(x > 0, 1.0, np.tile([0.0, 1.0], 20) if separated == "in a cell" else 0.0)
    with pytest.raises(ValueError, match="the logistic model has no finite estimate"):
        models.logistic(y, np.column_stack([np.ones(40), x]))


@pytest.mark.parametrize(
    ("y", "X", "people", "message"),
    [
        ([0, 1, 2], np.ones((3, 1)), None, "an outcome is 2: give 0, 1"),
        ([0, 1, np.nan], np.ones((3, 1)), None, "an outcome is nan: give 0, 1"),
        ([0, 1, 1], np.ones((3, 1)), [1, -2, 1], "rows stand for -2 to 1 people"),
        ([0, 1, 1], np.ones((3, 1)), [0, 0, 0], "rows stand for 0 to 0 people"),
        ([0, 1, 1], np.ones((3, 2)), None, "rank 1 for 2 coefficients"),
    ],
)
def test_what_a_logistic_model_cannot_read_is_refused(y, X, people, message):
    with pytest.raises(ValueError, match=message):
        models.logistic(np.array(y, dtype=float), X, None if people is None else np.array(people))


def test_a_million_rows_give_back_the_ratio_that_they_were_drawn_with():
    rng = np.random.default_rng(9)
    arm = rng.integers(0, 2, 1_000_000)
    y = (rng.random(1_000_000) < np.where(arm, 0.29, 0.38)).astype(float)
    beta, cov = models.logistic(y, np.column_stack([np.ones(len(y)), arm]))
    assert abs(beta[1] - (np.log(0.29 / 0.71) - np.log(0.38 / 0.62))) < 4 * np.sqrt(cov[1, 1])
