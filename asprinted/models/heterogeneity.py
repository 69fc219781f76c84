"""The variance between the trials of a meta-analysis: its estimates, its interval, and the weighted least squares under both.

y holds effects and v their variances, (…, k): a trial at each place of the last axis, separate sets along the others, fitted together.
A variance of infinity marks a trial that is not there. No matrix is larger than the number of coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

ESTIMATORS = ("common", "DL", "PM", "REML")

GRID = 24  # values of tau² among which the highest restricted likelihood is sought, before Newton's method
BLOCK = 2**16  # effects times values of tau² in one array: what a processor's cache holds
STEPS = 100  # of a bracketed Newton's method, which takes about 5 and has taken 13; enough for bisection alone
CLOSE = 1e-13  # the step, as a share of tau² plus the smallest variance, after which there is no other


def tau_squared(y: ArrayLike, v: ArrayLike, estimator: str = "DL", X: ArrayLike | None = None) -> np.ndarray:
    """The variance of the true effects between trials, (…,); y, v: (…, k); X: (k, p) covariates, a column of ones if left out.

    DL: DerSimonian and Laird 1986, Controlled Clinical Trials 7:177. PM: Paule and Mandel 1982, J Res Natl Bur Stand 87:377;
    with covariates, DerSimonian and Kacker 2007, Contemp Clin Trials 28:105. REML: the highest restricted likelihood (Viechtbauer 2005,
    J Educ Behav Stat 30:261), exactly 0 where it is highest there. "common": 0. Negative estimates are 0, and so is that of as
    many trials as coefficients. Raises ValueError where an effect or a variance is missing, a variance is not positive, or X has less than full rank.
    """
    y, v = sets(y, v)
    return between(y, v, Covariates.of(X, y.shape[-1]), estimator)[()]


def q_profile(y: ArrayLike, v: ArrayLike, level: float = 0.95, X: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The confidence limits of tau², (…,) each; y, v: (…, k); X: (k, p).

    The values of tau² under which the generalised Q is no rarer than the level allows (Viechtbauer 2007, Stat Med 26:37). Both are 0 where
    Q is so small that no tau² would do, and nan where there are as many trials as coefficients. `typical_variance` turns them into limits of I².
    """
    y, v = sets(y, v)
    covariates = Covariates.of(X, y.shape[-1])
    df = np.isfinite(v).sum(axis=-1) - covariates.p
    targets = (special.chdtri(np.maximum(df, 1), tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    lo, hi = (np.where(df > 0, _where_q_is(y, v, covariates, target), np.nan)[()] for target in targets)
    return lo, hi


def typical_variance(v: ArrayLike) -> np.ndarray:
    """The variance of a typical trial, (…,), by which tau² and I² are one: I² = 100 tau²/(tau² + it); v: (…, k).

    Higgins and Thompson 2002, Stat Med 21:1539, equation 9. nan below two trials.
    """
    w = 1 / np.asarray(v, dtype=float)
    total, squares = w.sum(axis=-1), (w**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((np.sum(w > 0, axis=-1) - 1) * total / (total**2 - squares))[()]


# Weighted least squares of many sets at once


class Covariates(NamedTuple):
    """X (k, p), and the products of its columns (k, p²), so that every X′WX is one product of matrices."""

    X: np.ndarray
    products: np.ndarray

    @property
    def p(self) -> int:
        return self.X.shape[1]

    @classmethod
    def of(cls, X: ArrayLike | None, k: int) -> Covariates:
        X = np.ones((k, 1)) if X is None else np.asarray(X, dtype=float)
        if X.ndim != 2 or len(X) != k:
            raise ValueError(f"covariates have the shape {X.shape}: give a row for each of {k} trials and a column for each coefficient")
        if not np.isfinite(X).all():
            raise ValueError("a covariate is missing or infinite: leave out its trial")
        if (rank := np.linalg.matrix_rank(X) if X.shape[1] > 1 else int(np.any(X))) < X.shape[1]:
            raise ValueError(f"the covariates have rank {rank} for {X.shape[1]} coefficients: a level has no trials, or one column follows from others")
        return cls(X, (X[:, :, None] * X[:, None, :]).reshape(k, -1))

    def cross(self, w: np.ndarray) -> np.ndarray:
        """X′WX (…, p, p) for weights (…, k)."""
        return (w @ self.products).reshape(*w.shape[:-1], self.p, self.p)


class LeastSquares(NamedTuple):
    """Weighted least squares: coefficients (…, p), (X′WX)⁻¹ (…, p, p), residuals (…, k), their weighted sum of squares (…,)."""

    beta: np.ndarray
    inverse: np.ndarray
    residuals: np.ndarray
    q: np.ndarray


def least_squares_of(y: np.ndarray, w: np.ndarray, covariates: Covariates) -> LeastSquares:
    try:
        inverse = np.linalg.inv(covariates.cross(w))
    except np.linalg.LinAlgError:
        raise ValueError("a set has fewer trials than coefficients: leave it out") from None
    beta = (inverse @ ((w * y) @ covariates.X)[..., None])[..., 0]
    fitted = beta @ covariates.X.T
    residuals = np.subtract(y, fitted, out=fitted)
    return LeastSquares(beta, inverse, residuals, np.vecdot(w * residuals, residuals))


def weights(v: np.ndarray, tau2: np.ndarray) -> np.ndarray:
    variance = v + tau2[..., None]
    return np.reciprocal(variance, out=variance)


def sets(y: ArrayLike, v: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, v = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(v, dtype=float))
    if y.ndim == 0 or y.shape[-1] == 0:
        raise ValueError("no trials: give at least one effect and its variance")
    if not np.isfinite(y).all():
        raise ValueError(f"an effect is {y[~np.isfinite(y)].flat[0]}: leave out trials without one, or give them a variance of infinity and the effect 0")
    if not (v > 0).all():
        raise ValueError(f"a variance is {v[~(v > 0)].flat[0]:g}: give a positive number, or infinity for a trial that is not there")
    return y, v


def one_of(given: str, known: tuple[str, ...], what: str) -> None:
    if given not in known:
        raise ValueError(f"the {what} {given!r} is unknown: give one of {', '.join(known)}")


# The variance between trials


def between(y: np.ndarray, v: np.ndarray, covariates: Covariates, estimator: str, common: LeastSquares | None = None) -> np.ndarray:
    one_of(estimator, ESTIMATORS, "estimator")
    df = np.isfinite(v).sum(axis=-1) - covariates.p
    if estimator == "common":
        return np.zeros(df.shape)
    if estimator == "DL":
        w = 1 / v
        fit = least_squares_of(y, w, covariates) if common is None else common
        trace = w.sum(axis=-1) - np.trace(fit.inverse @ covariates.cross(w * w), axis1=-2, axis2=-1)
        return np.where((df > 0) & (fit.q > df), (fit.q - df) / np.where(df > 0, trace, 1.0), 0.0)
    found = _where_q_is(y, v, covariates, df) if estimator == "PM" else _restricted(y, v, covariates, df)
    return np.where(df > 0, found, 0.0)


def _where_q_is(y: np.ndarray, v: np.ndarray, covariates: Covariates, target: np.ndarray) -> np.ndarray:
    """The tau² at which the generalised Q is `target`, or 0 where it is nowhere so large.

    Q falls with tau² and is at most the unweighted sum of squares over tau², which bounds the root. Newton's method runs on 1/Q, a
    straight line where all variances are alike.
    """
    squares = least_squares_of(y, np.isfinite(v).astype(float), covariates).q
    target = np.maximum(target, np.finfo(float).tiny)

    def at(tau2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = weights(v, tau2)
        fit = least_squares_of(y, w, covariates)
        weighted = w * fit.residuals
        with np.errstate(invalid="ignore"):  # effects all alike: Q is 0, and so is tau²
            return fit.q - target, fit.q / target * (fit.q - target) / np.vecdot(weighted, weighted)

    zero = np.zeros(squares.shape)
    return _root(at, zero, zero, squares / target, v.min(axis=-1))


def _restricted(y: np.ndarray, v: np.ndarray, covariates: Covariates, df: np.ndarray) -> np.ndarray:
    """The tau² of the highest restricted likelihood.

    The likelihood can have several maxima, so the highest of a grid comes first and Newton's method, between that value's neighbours, second.
    No maximum lies beyond the grid: with u = tau² plus the smallest variance and s² the unweighted mean square, the score is below 0
    where u² > s²(u + largest − smallest variance).
    """
    smallest, largest = v.min(axis=-1), np.where(np.isfinite(v), v, 0.0).max(axis=-1)
    mean_square = least_squares_of(y, np.isfinite(v).astype(float), covariates).q / np.maximum(df, 1)
    highest = (mean_square + np.sqrt(mean_square**2 + 4 * mean_square * (largest - smallest))) / 2 - smallest
    lowest = 0.01 * smallest
    grid = np.concatenate([np.zeros((1, *df.shape)), np.geomspace(lowest, np.maximum(highest, 2 * lowest), GRID)])
    together = max(1, BLOCK // y.size)
    heights = [_likelihood(y, v, covariates, grid[first : first + together]) for first in range(0, GRID + 1, together)]
    best = np.argmax(np.concatenate(heights), axis=0)

    def near(step: int) -> np.ndarray:
        return np.take_along_axis(grid, np.clip(best + step, 0, GRID)[None], axis=0)[0]

    def at(tau2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = weights(v, tau2)
        fit = least_squares_of(y, w, covariates)
        weighted = w * fit.residuals
        squares, twice = w * w, w * weighted
        leverage = fit.inverse @ covariates.cross(squares)
        pulled = twice @ covariates.X
        trace = w.sum(axis=-1) - np.trace(leverage, axis1=-2, axis2=-1)
        traces = squares.sum(axis=-1) + np.sum(leverage * np.swapaxes(leverage, -1, -2), axis=(-2, -1))
        traces -= 2 * np.trace(fit.inverse @ covariates.cross(np.multiply(squares, w, out=squares)), axis1=-2, axis2=-1)
        cubes = np.vecdot(twice, weighted) - np.vecdot(pulled, (fit.inverse @ pulled[..., None])[..., 0])
        slope = np.vecdot(weighted, weighted) - trace
        with np.errstate(divide="ignore", invalid="ignore"):
            return slope, slope / (2 * cubes - traces)

    found = _root(at, near(0), near(-1), near(1), smallest)
    return np.where(found > 2 * CLOSE * smallest, found, 0.0)  # bisection towards 0 ends beside it


def _likelihood(y: np.ndarray, v: np.ndarray, covariates: Covariates, tau2: np.ndarray) -> np.ndarray:
    """Twice the restricted log-likelihood at tau2 (…,), but for a constant."""
    w = weights(v, tau2)
    fit = least_squares_of(y, w, covariates)
    logs = np.log(w, where=w > 0, out=w)  # a trial that is not there keeps its 0
    return logs.sum(axis=-1) + np.linalg.slogdet(fit.inverse)[1] - fit.q


def _root(
    at: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], start: np.ndarray, lo: np.ndarray, hi: np.ndarray, unit: np.ndarray
) -> np.ndarray:  # fmt: skip
    """Where a function of tau² crosses 0 from above between lo and hi, (…,), or lo where it does not.

    at: the function's value and Newton's step at tau² (…,). The sign closes the bracket at each step; a step that leaves it is replaced by
    its middle.
    """
    tau2 = start
    for _ in range(STEPS):
        value, step = at(tau2)
        lo, hi = np.where(value > 0, tau2, lo), np.where(value > 0, hi, tau2)
        reached = tau2 + step
        reached = np.where((reached >= lo) & (reached <= hi), reached, (lo + hi) / 2)
        moved = np.abs(reached - tau2) > CLOSE * (reached + unit)
        tau2 = reached
        if not moved.any():
            break
    return tau2
