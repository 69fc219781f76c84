"""Models of yes and no: logistic regression, its covariance robust by group, and risks and their logarithms."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from asprinted.models.likelihood import maximum, sandwich


def logistic(y: np.ndarray, X: np.ndarray, people: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A logistic model by maximum likelihood: coefficients (p,) on the log-odds scale, covariance (p, p).

    y: (n,) of 0 and 1, or the share of yes in a row that stands for many; X: (n, p); people: (n,) how many people a
    row stands for, one each if left out. Newton's method; the covariance is the inverse of the information
    (McCullagh and Nelder 1989, Generalized Linear Models, section 4.4). Raises ValueError where the estimates are
    not finite (the outcomes are separated) or an outcome is not between 0 and 1.
    """
    beta, information = _fitted(y, X, np.ones(len(y)) if people is None else np.asarray(people, dtype=float))
    return beta, np.linalg.inv(information)


def logistic_gee(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, people: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A logistic model with independence estimating equations and robust covariance by group.

    Coefficients (p,) on the log-odds scale, those of `logistic`, and their sandwich covariance (Liang and Zeger 1986,
    Biometrika 73:13), with no correction for few groups; y: (n,) of 0 and 1; groups: (n,) codes 0 … G−1; people: (G,)
    how many people each group stands for, one each if left out. Raises ValueError as `logistic` does.
    """
    beta, information = _fitted(y, X, np.ones(len(y)) if people is None else people[groups])
    return beta, sandwich(information, X * (y - expit(X @ beta))[:, None], groups, people)


def events_of(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many events and how many people each cell has, (c,) both. y: (n,) of 0 and 1; X: (n, c), 1 in the column of the row's cell."""
    outside = ~((y >= 0) & (y <= 1))
    if outside.any():
        raise ValueError(f"an outcome is {y[outside][0]:g}: give 0 or 1")
    return y @ X, X.sum(axis=0)


def log_risks(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log risks of cells, (c,), and their covariance (c, c), of rows as in `events_of`.

    Delta-method variances (Katz et al. 1978, Biometrics 34:469). Raises ValueError where a cell has no event.
    """
    events, people = events_of(y, X)
    if not events.all():
        raise ValueError("a group has no event: its log risk has no finite value")
    return np.log(events / people), np.diag(1 / events - 1 / people)


def risks_in_points(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Risks of cells in per cent, (c,), and their covariance (c, c), of rows as in `events_of`.

    Each variance is that of a proportion, p(1 − p)/n, so that a difference has Wald's interval (statsmodels'
    confint_proportions_2indep(method="wald"), R's prop.test(correct = FALSE)); its p value is Wald's too, not that of a
    chi-squared test, which pools the variance.
    """
    events, people = events_of(y, X)
    share = events / people
    return 100 * share, np.diag(1e4 * share * (1 - share) / people)


def _fitted(y: np.ndarray, X: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p,) and information (p, p) at the largest likelihood."""
    outside = ~((y >= 0) & (y <= 1))
    if outside.any():
        raise ValueError(f"an outcome is {y[outside][0]:g}: give 0, 1 or a share between them")
    if people.min() < 0 or people.max() == 0:
        raise ValueError(f"rows stand for {people.min():g} to {people.max():g} people: give 0 or more to each, and more to some")
    rank = np.linalg.matrix_rank((X * people[:, None]).T @ X, hermitian=True)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")

    def at(predictor: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        mean = expit(predictor)
        value = float(people @ (y * predictor - np.logaddexp(0, predictor)))
        return value, X.T @ (people * (y - mean)), (X * (people * mean * (1 - mean))[:, None]).T @ X

    return maximum(X, at, "the logistic model has no finite estimate: in some cell every outcome is the same")
