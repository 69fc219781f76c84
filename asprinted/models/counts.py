"""Models of counts: log rates by Poisson regression, its covariance robust by group, and negative binomial regression."""

from __future__ import annotations

import numpy as np

from asprinted.models.likelihood import joint_maximum, maximum, sandwich

NO_ESTIMATE = "the model of counts has no finite estimate: in some cell every outcome is 0"
NO_DISPERSION = "the negative binomial model has no finite estimate: its dispersion grows without end, since hardly anybody has a count above 0; ask for the family poisson with covariance: robust"


def poisson(
    y: np.ndarray, X: np.ndarray, exposure: np.ndarray | None = None, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A Poisson model by maximum likelihood: coefficients (p,) on the log scale, covariance (p, p).

    y: (n,) counts, or 0 and 1: then the coefficients are logs of risk ratios (the modified Poisson model with groups, Zou 2004,
    Am J Epidemiol 159:702). X: (n, p); exposure: (n,) time at risk, whose logarithm is added to the linear predictor. The
    covariance is the inverse of the information; with groups, (n,) codes 0 … G−1, the sandwich by group with no correction
    for few groups: R's vcovCL(type = "HC0", cadjust = FALSE), statsmodels' cov_type "cluster" with use_correction False, and
    "HC0" where every row is its own group. Raises ValueError where an outcome is below 0, an exposure not above 0, the rows do
    not determine every coefficient, or an estimate is not finite.
    """
    offset = _offset(y, X, exposure)
    beta, information = _poisson(y, X, offset)
    if groups is None:
        return beta, np.linalg.inv(information)
    return beta, sandwich(information, X * (y - np.exp(X @ beta + offset))[:, None], groups)


def negative_binomial(y: np.ndarray, X: np.ndarray, exposure: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """A negative binomial model (NB2: variance μ + αμ²) by maximum likelihood: coefficients (p,), covariance (p, p), and α.

    y: (n,) whole counts; X: (n, p); exposure as in `poisson`. Coefficients and α are estimated together, and the covariance is
    the coefficients' block of the inverse of the observed information of both, as statsmodels' NegativeBinomial has it
    (Lawless 1987, Can J Stat 15:209). R's MASS::glm.nb finds the same coefficients and α (its θ is 1/α); its standard errors
    take α as known and the information as expected, and differ by up to a few per cent. Where the counts vary no more
    than Poisson's, α is 0 and the result is `poisson`'s. Raises ValueError as `poisson` does, where a count is not whole, and where the
    likelihood rises however large α becomes.
    """
    offset = _offset(y, X, exposure)
    if (y % 1 != 0).any():
        raise ValueError(f"a count is {y[y % 1 != 0][0]:g}: give whole numbers")
    beta, information = _poisson(y, X, offset)
    mean = np.exp(X @ beta + offset)
    surplus = float(np.sum((y - mean) ** 2 - y))
    if surplus <= 0:
        return beta, np.linalg.inv(information), 0.0
    above = len(y) - np.cumsum(np.bincount(y.astype(int)))[:-1]  # people with more than j events
    j = np.arange(len(above))
    size = X.shape[1]

    def at(found: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        predictor, alpha = X @ found[:size] + offset, np.exp(found[size])
        mean = np.exp(predictor)
        spread, growth = 1 + alpha * mean, 1 + alpha * j
        log_spread, relative = np.log1p(alpha * mean), mean / spread
        value = float(above @ np.log(growth) + y @ predictor - (y + 1 / alpha) @ log_spread)
        by_beta = X.T @ ((y - mean) / spread)
        by_alpha = float(above @ (j / growth) + np.sum(log_spread / alpha**2 - (y + 1 / alpha) * relative))
        twice = float(-above @ (j / growth) ** 2 + np.sum(2 * relative / alpha**2 - 2 * log_spread / alpha**3 + (y + 1 / alpha) * relative**2))
        information = np.empty((size + 1, size + 1))
        information[:size, :size] = (X * (relative * (1 + alpha * y) / spread)[:, None]).T @ X
        information[size, :size] = information[:size, size] = alpha * (X.T @ ((y - mean) * relative / spread))
        information[size, size] = -(alpha**2) * twice - alpha * by_alpha
        return value, np.append(by_beta, alpha * by_alpha), information

    start = np.append(beta, np.log(max(surplus / float(mean @ mean), 1e-4)))
    found, information = joint_maximum(start, at, lambda step: max(float(np.abs(X @ step[:size]).max()), abs(float(step[size]))), NO_DISPERSION)
    return found[:size], np.linalg.inv(information)[:size, :size], float(np.exp(found[size]))


def _offset(y: np.ndarray, X: np.ndarray, exposure: np.ndarray | None) -> np.ndarray:
    """The logarithm of the exposure, (n,), 0 where there is none; what cannot be fitted is refused."""
    if not (y >= 0).all():
        raise ValueError(f"an outcome is {y[~(y >= 0)][0]:g}: give counts from 0")
    rank = np.linalg.matrix_rank(X.T @ X, hermitian=True)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")
    if exposure is None:
        return np.zeros(len(y))
    if not (exposure > 0).all():
        raise ValueError(f"an exposure is {exposure[~(exposure > 0)][0]:g}: give times above 0")
    return np.log(exposure)


def _poisson(y: np.ndarray, X: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p,) and information (p, p) at the largest likelihood, from the least squares fit of logarithms on."""

    def at(predictor: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        mean = np.exp(predictor + offset)
        return float(y @ predictor - mean.sum()), X.T @ (y - mean), (X * mean[:, None]).T @ X

    return maximum(X, at, NO_ESTIMATE, np.linalg.solve(X.T @ X, X.T @ (np.log(y + 0.5) - offset)))
