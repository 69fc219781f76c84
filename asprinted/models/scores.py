"""Models of scores: least squares, its covariance robust or of unequal variances, and a mixed model with one random intercept."""

from __future__ import annotations

import numpy as np

from asprinted.models.intercept import RandomIntercept
from asprinted.models.likelihood import sandwich


def least_squares(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Ordinary least squares: coefficients (p,), covariance (p, p), residual variance; y: (n,), X: (n, p)."""
    beta, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")
    sigma2 = float(np.sum((y - X @ beta) ** 2) / (len(y) - X.shape[1]))
    return beta, sigma2 * np.linalg.inv(X.T @ X), sigma2


def robust_least_squares(y: np.ndarray, X: np.ndarray, groups: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Ordinary least squares with a sandwich covariance: coefficients (p,), covariance (p, p), residual variance, degrees of freedom.

    y: (n,); X: (n, p). With groups, (n,) codes 0 … G−1: robust by group, times G/(G − 1)·(n − 1)/(n − p), for t with G − 1 degrees of
    freedom: statsmodels' cov_type "cluster" with use_t, Stata's vce(cluster), R's vcovCL(type = "HC1"), and CR1S of clubSandwich
    (whose CR1 lacks the second factor). Without: each row alone, times n/(n − p), on n − p degrees of freedom (HC1; White 1980,
    Econometrica 48:817). Raises ValueError where there is one group alone, or the rows do not determine every coefficient.
    """
    beta, _, sigma2 = least_squares(y, X)
    n, p = X.shape
    if groups is None:
        groups, factor, df = np.arange(n), n / (n - p), n - p
    elif (size := int(groups.max()) + 1) < 2:
        raise ValueError("there is one group alone: a covariance robust by group needs two or more")
    else:
        factor, df = size / (size - 1) * (n - 1) / (n - p), size - 1
    return beta, factor * sandwich(X.T @ X, X * (y - X @ beta)[:, None], groups), sigma2, float(df)


def welch(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Two means, each group with its own variance: coefficients (2,), covariance (2, 2), pooled variance, degrees of freedom.

    y: (n,); X: (n, 2), whose rows are of two kinds, the groups. The variance of the difference is s₁²/n₁ + s₂²/n₂ and the degrees of
    freedom, which are those of the difference alone, Welch and Satterthwaite's (Welch 1947, Biometrika 34:28; scipy's ttest_ind(
    equal_var=False), R's t.test). Raises ValueError where there are not two groups, or one has fewer than two people.
    """
    second = (X != X[0]).any(axis=1)
    if X.shape[1] != 2 or not second.any() or (X[second] != X[second][0]).any():
        raise ValueError("Welch's test compares two groups: give a formula of one factor with two levels")
    parts = [y[~second], y[second]]
    if min(map(len, parts)) < 2:
        raise ValueError("a group has one person: Welch's test needs two or more in each")
    errors = np.array([part.var(ddof=1) / len(part) for part in parts])
    back = np.linalg.inv(np.stack([X[0], X[second][0]]))  # from the two means to the coefficients
    residual = sum(float(part.var()) * len(part) for part in parts) / (len(y) - 2)
    total = float(errors.sum())
    df = total**2 / float(np.sum(errors**2 / [len(part) - 1 for part in parts])) if total > 0 else float(len(y) - 2)
    return back @ [part.mean() for part in parts], back @ np.diag(errors) @ back.T, residual, df


def random_intercept(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, estimator: str = "REML"
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """A mixed model with one random intercept: coefficients (p,), covariance (p, p), variance components.

    y: (n,) scores; X: (n, p); groups: (n,) codes 0 … G−1; the method is that of `intercept.RandomIntercept`. Raises ValueError
    where the variance between groups has no finite estimate.
    """
    return RandomIntercept(X, groups).fit(y, estimator)
