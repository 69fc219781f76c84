"""The mixed model with one random intercept, against its likelihood written out with every covariance matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from asprinted.models.intercept import RandomIntercept


def rows(seed: int, between: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y (n,), X (n, 3) and groups (n,) of groups of one to four rows, with that SD between groups and 1 within."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    X = np.column_stack([np.ones(len(groups)), rng.integers(0, 2, len(groups)), rng.normal(size=len(groups))])
    return X @ [40.0, 2.0, -1.0] + between * rng.normal(size=30)[groups] + rng.normal(size=len(groups)), X, groups


def written_out(y: np.ndarray, X: np.ndarray, groups: np.ndarray, reml: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, covariance and the ratio of the variances, from V of all rows at once and a bounded search."""
    Z = (groups[:, None] == np.arange(groups.max() + 1)).astype(float)
    df = len(y) - X.shape[1] * reml

    def parts(log_ratio: float):
        V = np.eye(len(y)) + np.exp(log_ratio) * Z @ Z.T
        inverse = np.linalg.inv(V)
        information = X.T @ inverse @ X
        beta = np.linalg.solve(information, X.T @ inverse @ y)
        return V, information, beta, (y - X @ beta) @ inverse @ (y - X @ beta) / df

    def deviance(log_ratio: float) -> float:
        V, information, _, sigma2 = parts(log_ratio)
        return df * np.log(sigma2) + np.linalg.slogdet(V)[1] + reml * np.linalg.slogdet(information)[1]

    best = optimize.minimize_scalar(deviance, bounds=(-15, 8), method="bounded", options={"xatol": 1e-10}).x
    _, information, beta, sigma2 = parts(best)
    return beta, sigma2 * np.linalg.inv(information), float(np.exp(best))


@pytest.mark.parametrize("estimator", ["REML", "ML"])
@pytest.mark.parametrize(("seed", "between"), [(1, 1.0), (2, 3.0), (3, 0.5)])
def test_a_fit_is_that_of_the_likelihood_written_out(estimator, seed, between):
    y, X, groups = rows(seed, between)
    beta, cov, ratio = written_out(y, X, groups, estimator == "REML")
    found = RandomIntercept(X, groups).fit(y, estimator)
    assert found[0] == pytest.approx(beta, rel=1e-5) and found[1] == pytest.approx(cov, rel=1e-5, abs=1e-9)
    assert found[2]["between"] / found[2]["residual"] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize("guess", [0.0, 1e-12, 0.3, 50.0, 1e9])
def test_a_guess_changes_nothing(guess):
    y, X, groups = rows(1, 1.0)
    model = RandomIntercept(X, groups)
    plain, guessed = model.fit(y), model.fit(y, guess=guess)
    assert guessed[0] == pytest.approx(plain[0], rel=1e-11) and guessed[1] == pytest.approx(plain[1], rel=1e-9)


@pytest.mark.parametrize("guess", [1.0, 1e-9, 1e4])
def test_no_variance_between_groups_is_zero_and_none_within_is_refused(guess):
    y, X, groups = rows(4, 0.0)
    y = X @ [40.0, 2.0, -1.0] + np.concatenate([(-1.0) ** np.arange(size) for size in np.bincount(groups)])  # groups as unlike inside as can be
    assert RandomIntercept(X, groups).fit(y, guess=guess)[2]["between"] == 0.0
    with pytest.raises(ValueError, match="no finite estimate"):
        RandomIntercept(X[:, :1], groups).fit(groups * 1.0, guess=guess)
