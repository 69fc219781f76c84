"""The model of ordered categories: proportional odds."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from asprinted.models.likelihood import joint_maximum


def proportional_odds(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A proportional odds model by maximum likelihood: coefficients (p,), their covariance (p, p), and the thresholds.

    y: (n,) codes in the order of the categories, of which K are there; X: (n, p) without an intercept; thresholds: (K − 1,). The
    log-odds of at most category j are θ_j − Xβ, so that a coefficient above 0 means more of the higher codes, and its exponential
    is the common odds ratio (McCullagh 1980, J R Stat Soc B 42:109; statsmodels' OrderedModel(distr="logit"); R's MASS::polr).
    The covariance is the coefficients' block of the inverse of the observed information of β and θ. Raises ValueError where all
    are in one category, the rows do not determine every coefficient, or an estimate is not finite.
    """
    codes, place = np.unique(y, return_inverse=True)
    cuts, size = len(codes) - 1, X.shape[1]
    if not cuts:
        raise ValueError("everyone is in one category: an odds ratio has no finite value")
    rank = np.linalg.matrix_rank(np.column_stack([np.ones(len(X)), X])) - 1
    if rank < size:
        raise ValueError(f"the design has rank {rank} for {size} coefficients: a level has no rows, or a column is constant")
    middle, shares = X.mean(axis=0), np.bincount(place) / len(y)
    cells, people = _alike(np.column_stack([place, X]))
    place, centred = cells[:, 0].astype(int), cells[:, 1:] - middle
    steps = np.eye(cuts)
    above = np.hstack([np.vstack([steps, np.zeros(cuts)])[place], -centred])  # the threshold over each row's category, and that under it
    under = np.hstack([np.vstack([np.zeros(cuts), steps])[place], -centred])
    top, bottom = place == cuts, place == 0

    def at(found: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        high, low = np.where(top, 1.0, expit(above @ found)), np.where(bottom, 0.0, expit(under @ found))
        share = high - low
        steep_high, steep_low = high * (1 - high), low * (1 - low)
        by_high, by_low = steep_high / share, -steep_low / share
        twice_high, twice_low = people * (by_high**2 - by_high * (1 - 2 * high)), people * (by_low**2 - by_low * (1 - 2 * low))
        cross = (above * (people * by_high * by_low)[:, None]).T @ under
        information = (above * twice_high[:, None]).T @ above + (under * twice_low[:, None]).T @ under + cross + cross.T
        value = float(people @ np.log(share)) if (share > 0).all() else -np.inf
        return value, above.T @ (people * by_high) + under.T @ (people * by_low), information

    start = np.append(logit(np.cumsum(shares)[:-1]), np.zeros(size))
    otherwise = "the ordinal model has no finite estimate: some level has the highest, or the lowest, categories alone"
    found, information = joint_maximum(start, at, lambda step: max(np.abs(above @ step).max(), np.abs(under @ step).max()), otherwise)
    beta = found[cuts:]
    return beta, np.linalg.inv(information)[cuts:, cuts:], found[:cuts] + middle @ beta


def _alike(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows, (m, k) of (n, k), and how often each is there, (m,)."""
    rows = rows[np.lexsort(rows.T)]
    new = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1)))
    return rows[new], np.diff(np.append(new, len(rows)))
