"""Models of scores: least squares, and a mixed model with one random intercept."""

from __future__ import annotations

import numpy as np
from scipy import optimize


def least_squares(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Ordinary least squares: coefficients (p,), covariance (p, p), residual variance; y: (n,), X: (n, p)."""
    beta, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")
    sigma2 = float(np.sum((y - X @ beta) ** 2) / (len(y) - X.shape[1]))
    return beta, sigma2 * np.linalg.inv(X.T @ X), sigma2


def random_intercept(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, estimator: str = "REML"
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """A mixed model with one random intercept: coefficients (p,), covariance (p, p), variance components.

    y: (n,) scores; X: (n, p); groups: (n,) codes 0 … G−1. The criterion is profiled to the ratio of the two
    variances (Bates et al. 2015, J Stat Softw 67(1), section 3.4; Laird and Ware 1982, Biometrics 38:963) and
    its derivative's root taken, so that the ratio is exact to rounding. Standard errors are those of (X′V⁻¹X)⁻¹.
    """
    n, p = X.shape
    reml = estimator == "REML"
    sizes = np.bincount(groups).astype(float)
    sums_X = np.zeros((len(sizes), p))
    np.add.at(sums_X, groups, X)
    sums_y = np.bincount(groups, weights=y)
    XX, Xy, yy = X.T @ X, X.T @ y, float(y @ y)

    def at(ratio: float) -> tuple[np.ndarray, np.ndarray, float]:
        shrink = ratio / (1 + sizes * ratio)
        A = XX - (sums_X * shrink[:, None]).T @ sums_X
        b = Xy - sums_X.T @ (shrink * sums_y)
        beta = np.linalg.solve(A, b)
        return A, beta, float(yy - shrink @ sums_y**2 - b @ beta)

    def slope(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        A, beta, rss = at(ratio)
        weight = 1 / (1 + sizes * ratio) ** 2
        d_rss = -float(weight @ (sums_y - sums_X @ beta) ** 2)
        d_log_det = float(np.sum(sizes / (1 + sizes * ratio)))
        if reml:
            d_log_det -= float(np.trace(np.linalg.solve(A, (sums_X * weight[:, None]).T @ sums_X)))
        return (n - p if reml else n) * d_rss / rss + d_log_det

    low, high = np.log(1e-10), np.log(1e6)
    if slope(low) >= 0:
        ratio = 0.0
    elif slope(high) <= 0:
        raise ValueError("the variance between groups has no finite estimate: every group's scores are alike")
    else:
        ratio = float(np.exp(optimize.brentq(slope, low, high, xtol=1e-13, rtol=1e-14)))
    A, beta, rss = at(ratio)
    sigma2 = rss / (n - p if reml else n)
    return beta, sigma2 * np.linalg.inv(A), {"between": ratio * sigma2, "residual": sigma2}
