"""A mixed model with one random intercept, fitted to many outcomes of the same rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import optimize

LOWEST, HIGHEST = np.log(1e-10), np.log(1e6)  # log ratios of the two variances that are looked at
REACH = 0.05  # how far from the guess is looked first; four times as far each time after


class RandomIntercept:
    """The rows of a model with one random intercept: what all outcomes of these rows share is computed once.

    X: (n, p); groups: (n,) codes 0 … G−1. Of the groups only their size matters for the weight of their sums, so sums of
    squares and products are kept by size, and trying a ratio of the variances costs the same for any number of rows.
    """

    def __init__(self, X: np.ndarray, groups: np.ndarray):
        self.X, self.groups = X, groups
        sizes = np.bincount(groups)
        self._sums = np.column_stack([np.bincount(groups, weights=column, minlength=len(sizes)) for column in X.T])
        found, self._kinds = np.unique(sizes, return_inverse=True)
        self._sizes, self._count = found.astype(float), np.bincount(self._kinds)
        self._XX = X.T @ X
        self._squares = np.stack([self._sums[self._kinds == kind].T @ self._sums[self._kinds == kind] for kind in range(len(found))])
        self._flat = self._squares.reshape(len(found), -1)

    def fit(self, y: np.ndarray, estimator: str = "REML", guess: float = 1.0) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
        """Coefficients (p,), covariance (p, p) and variance components for the outcome y, (n,).

        guess: a ratio of the two variances, between groups and within, that may be near; it saves time and changes nothing else.
        The criterion is profiled to the ratio of the two variances (Bates et al. 2015, J Stat Softw 67(1), section 3.4; Laird
        and Ware 1982, Biometrics 38:963) and its derivative's root taken, so that the ratio is exact to rounding. Standard
        errors are those of (X′V⁻¹X)⁻¹. Raises ValueError where the variance between groups has no finite estimate.
        """
        n, p = self.X.shape
        reml, sizes, kinds = estimator == "REML", self._sizes, len(self._sizes)
        start = np.linalg.solve(self._XX, self.X.T @ y)
        left = y - self.X @ start  # least squares first: what is left is small, and sums of its squares lose no digits
        own = np.bincount(self.groups, weights=left)
        Xy, yy = self.X.T @ left, float(left @ left)
        products = np.stack([np.bincount(self._kinds, weights=column * own, minlength=kinds) for column in self._sums.T], axis=1)
        squares = np.bincount(self._kinds, weights=own**2, minlength=kinds)

        def at(ratio: float) -> tuple[np.ndarray, np.ndarray, float]:
            shrink = ratio / (1 + sizes * ratio)
            inverse = np.linalg.inv(self._XX - (shrink @ self._flat).reshape(p, p))
            b = Xy - shrink @ products
            beta = inverse @ b
            return inverse, beta, float(yy - shrink @ squares - b @ beta)

        def slope(log_ratio: float) -> float:
            ratio = np.exp(log_ratio)
            inverse, beta, rss = at(ratio)
            part = 1 / (1 + sizes * ratio)
            weight = part**2
            d_rss = -float(weight @ (squares - 2 * products @ beta + self._squares @ beta @ beta))
            d_log_det = float(self._count @ (sizes * part))
            if reml:
                d_log_det -= float(inverse.ravel() @ (weight @ self._flat))
            return (n - p if reml else n) * d_rss / rss + d_log_det

        ratio = _root(slope, np.log(max(guess, 1e-10)))
        inverse, beta, rss = at(ratio)
        sigma2 = rss / (n - p if reml else n)
        return start + beta, sigma2 * inverse, {"between": ratio * sigma2, "residual": sigma2}


def _root(slope: Callable[[float], float], guess: float) -> float:
    """The ratio where the slope, a function of its logarithm, turns from falling to rising; 0 where it rises throughout."""
    slope = cache(slope)  # brentq asks again for both ends
    guess = near = min(max(guess, LOWEST), HIGHEST)
    reach = REACH
    side = 1 if slope(near) < 0 else -1  # where the root is
    while True:
        far = min(max(guess + side * reach, LOWEST), HIGHEST)
        if slope(far) * side >= 0:
            return float(np.exp(optimize.brentq(slope, near, far, xtol=1e-13, rtol=1e-14)))
        if far == LOWEST:
            return 0.0
        if far == HIGHEST:
            raise ValueError("the variance between groups has no finite estimate: every group's scores are alike")
        near, reach = far, 4 * reach
