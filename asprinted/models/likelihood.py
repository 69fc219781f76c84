"""The maximum of a concave log-likelihood, and covariance robust by group: what the models of events share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ITERATIONS = 30  # a linear predictor without a finite estimate moves by about 1 an iteration, and never stops


def maximum(
    X: np.ndarray, at: Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]], otherwise: str, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p,) of the largest log-likelihood, and the information (p, p) there, by Newton's method from `start`, or 0.

    X: (n, p); at: the log-likelihood, its gradient (p,) and the information (p, p) at linear predictors (n,). A step
    that lowers the likelihood is halved; one that moves no linear predictor by more than 1e-8 is the last, since
    the error that it leaves is of the order of its square. Raises ValueError(otherwise) where the steps do not
    shrink: then the estimate is not finite.
    """
    beta, predictor = (np.zeros(X.shape[1]), np.zeros(len(X))) if start is None else (start, X @ start)
    value, gradient, information = at(predictor)
    for _ in range(ITERATIONS):
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        change = X @ step
        for share in 0.5 ** np.arange(12):
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a step too long is one that is halved
                reached, gradient, information = at(predictor + share * change)
            if reached >= value - 1e-10 * abs(value):
                break
        beta, predictor, value = beta + share * step, predictor + share * change, reached
        if np.abs(change).max() < 1e-8:
            return beta, information
    raise ValueError(otherwise)


def joint_maximum(
    start: np.ndarray, at: Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]], moved: Callable[[np.ndarray], float], otherwise: str
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (k,) of the largest log-likelihood, and the observed information (k, k) there, by Newton's method from `start`.

    For a likelihood of more than linear predictors. at: the log-likelihood, its gradient (k,) and the observed information
    (k, k) at parameters (k,); moved: by how much a step (k,) changes what the rows are predicted to be. Where the information is
    not positive definite its eigenvalues are taken positive; steps are halved, end and fail as those of `maximum`.
    """
    found = start
    value, gradient, information = at(found)
    for _ in range(ITERATIONS):
        if not np.isfinite(information).all():
            break
        values, vectors = np.linalg.eigh(information)
        step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-10 * np.abs(values).max()))
        for share in 0.5 ** np.arange(12):
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                reached, gradient, information = at(found + share * step)
            if reached >= value - 1e-10 * abs(value):
                break
        found, value = found + share * step, reached
        if moved(step) < 1e-8:
            return found, information
    raise ValueError(otherwise)


def sums_by(groups: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """The sums of `values` (n,) or (n, p) over groups (n,) with codes 0 … size−1: (size,) or (size, p)."""
    if values.ndim == 1:
        return np.bincount(groups, weights=values, minlength=size)
    return np.column_stack([np.bincount(groups, weights=column, minlength=size) for column in values.T])


def sandwich(information: np.ndarray, scores: np.ndarray, groups: np.ndarray, people: np.ndarray | None = None) -> np.ndarray:
    """The (p, p) covariance robust by group: the squares of the groups' scores between two inverse informations.

    scores: (n, p) a row's part of the gradient; groups: (n,) codes 0 … G−1; people: (G,) how many people each group
    stands for, one each if left out. No correction for few groups.
    """
    size = groups.max() + 1
    sums = sums_by(groups, scores, size)
    bread = np.linalg.inv(information)
    return bread @ ((sums if people is None else sums * people[:, None]).T @ sums) @ bread
