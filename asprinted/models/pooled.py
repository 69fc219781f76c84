"""Random-effects models of a meta-analysis: the pooled effect, and effects that depend on covariates.

Everywhere y holds effects and v their variances, with a trial at each place of the last axis: shape (…, k). The axes before it are
separate sets, fitted together. A variance of infinity marks a trial that is not there, so that sets of different sizes stand in one array.
No matrix is larger than the number of coefficients, so time and memory grow with k and not with its square; `leave_one_out` and
`cumulative` fit k sets of k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from asprinted.models.heterogeneity import Covariates, between, least_squares_of, one_of, sets, weights

RATIOS = ("est", "lo", "hi", "prediction_lo", "prediction_hi")  # fields of a pool that are effects, and so ratios where the effects are their logs
TESTS = ("wald-z", "knapp-hartung", "knapp-hartung-at-least-wald")


@dataclass(frozen=True)
class Pooled:
    """A pooled effect; every field is a number, or an array over the sets.

    est, se, lo, hi, p: the mean effect, its standard error, confidence limits and two-sided p value. tau2: variance between trials.
    q, df, q_p: Cochran's Q, its degrees of freedom and its upper tail. i2: I² in percent, from Q. k: how many trials.
    prediction_lo, prediction_hi: limits of the effect in a new trial; nan below three trials.
    """

    est: np.ndarray
    se: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    p: np.ndarray
    tau2: np.ndarray
    q: np.ndarray
    df: np.ndarray
    q_p: np.ndarray
    i2: np.ndarray
    k: np.ndarray
    prediction_lo: np.ndarray
    prediction_hi: np.ndarray

    def as_ratios(self) -> Pooled:
        """The same pool of logs of ratios, with est, lo, hi, prediction_lo and prediction_hi as ratios; se and tau2 stay on the log scale."""
        return replace(self, **{name: np.exp(getattr(self, name)) for name in RATIOS})


class CoefficientTest(NamedTuple):
    """A test that some coefficients are 0: chi² (df2 is None) or F, its degrees of freedom, and its p value."""

    statistic: np.ndarray
    df1: int
    df2: np.ndarray | None
    p: np.ndarray


@dataclass(frozen=True)
class Regression:
    """A meta-regression: coefficients beta (…, p), their covariance cov (…, p, p), tau2, and the residual heterogeneity.

    df: k − p, the degrees of freedom of q_residual and of t and F tests. q_residual, q_p: the weighted squares about the common-effect
    regression, and their upper chi² tail. test: one of TESTS.
    """

    beta: np.ndarray
    cov: np.ndarray
    tau2: np.ndarray
    df: np.ndarray
    q_residual: np.ndarray
    q_p: np.ndarray
    test: str

    def test_of(self, columns: Sequence[int]) -> CoefficientTest:
        """The test that the coefficients of these columns are all 0: Wald's chi², or F under Knapp and Hartung's rules.

        Knapp and Hartung 2003, Stat Med 22:2693. For the dummy columns of a factor it is the test between subgroups.
        """
        at = np.asarray(columns)
        beta, cov = self.beta[..., at], self.cov[..., at[:, None], at]
        chi2 = np.sum(beta * np.linalg.solve(cov, beta[..., None])[..., 0], axis=-1)
        if self.test == "wald-z":
            return CoefficientTest(chi2, len(at), None, special.chdtrc(len(at), chi2))
        return CoefficientTest(chi2 / len(at), len(at), self.df, special.fdtrc(len(at), self.df, chi2 / len(at)))


def pool(y: ArrayLike, v: ArrayLike, estimator: str = "DL", test: str = "wald-z", level: float = 0.95) -> Pooled:
    """The pooled effect of each set of trials; y, v: (…, k).

    Weights are 1/(v + tau²). test: "wald-z"; "knapp-hartung", t with k − 1 degrees of freedom and the variance scaled by the weighted mean
    square (Hartung and Knapp 2001, Stat Med 20:1771); "knapp-hartung-at-least-wald", a scale never below 1 (Röver, Knapp and Friede 2015,
    BMC Med Res Methodol 15:99). I²: Higgins and Thompson 2002, Stat Med 21:1539, from Q. Prediction interval: t with k − 2 degrees of freedom
    (Higgins, Thompson and Spiegelhalter 2009, J R Stat Soc A 172:137), with the standard error of the test. One trial is its own
    pooled effect, with Wald's interval under every test. Raises ValueError as `tau_squared` does, and where a set has no trial.
    """
    y, v = sets(y, v)
    one_of(test, TESTS, "test")
    ones = Covariates.of(None, y.shape[-1])
    k = np.isfinite(v).sum(axis=-1)
    df = k - 1
    common = least_squares_of(y, 1 / v, ones)
    q = np.where(df > 0, common.q, 0.0)
    tau2 = between(y, v, ones, estimator, common)
    fit = common if estimator == "common" else least_squares_of(y, weights(v, tau2), ones)
    est, se = fit.beta[..., 0], np.sqrt(fit.inverse[..., 0, 0] * _scale(fit.q, df, test))
    above = (1 + level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        reach, p = special.ndtri(above), 2 * special.ndtr(-np.abs(est / se))
        if test != "wald-z":
            reach = np.where(df > 0, special.stdtrit(np.maximum(df, 1), above), reach)
            p = np.where(df > 0, 2 * special.stdtr(np.maximum(df, 1), -np.abs(est / se)), p)
        i2 = np.where(q > df, 100 * (q - df) / q, 0.0)
        q_p = np.where(df > 0, special.chdtrc(df, q), np.nan)
        wide = np.where(k > 2, special.stdtrit(np.maximum(k - 2, 1), above), np.nan) * np.sqrt(tau2 + se**2)
    fields = (est, se, est - reach * se, est + reach * se, p, tau2, q, df, q_p, i2, k, est - wide, est + wide)
    return Pooled(*(np.asarray(field)[()] for field in fields))


class Between(NamedTuple):
    """The test of a difference between subgroups: q, its degrees of freedom df (subgroups less 1), and p, its upper chi² tail."""

    q: np.ndarray
    df: int
    p: np.ndarray


def between_subgroups(est: ArrayLike, se: ArrayLike) -> Between:
    """The Between of subgroups whose pooled effects and standard errors are est and se, (…, g).

    Q = Σ(θ − θ̄)²/SE², θ̄ the mean with weights 1/SE²: each subgroup has its own tau² (Borenstein and Higgins 2013, Prev Sci 14:134; Cochrane's
    RevMan and Handbook 10.11.3.1). `meta_regression` and its `test_of` give the other test, of one tau² for all. Raises ValueError below two subgroups.
    """
    est, se = np.asarray(est, dtype=float), np.asarray(se, dtype=float)
    df = est.shape[-1] - 1
    if df < 1:
        raise ValueError(f"{df + 1} subgroups: a difference is between two or more")
    w = 1 / se**2
    mean = (w * est).sum(axis=-1, keepdims=True) / w.sum(axis=-1, keepdims=True)
    q = (w * (est - mean) ** 2).sum(axis=-1)
    return Between(q, df, special.chdtrc(df, q))


def leave_one_out(y: ArrayLike, v: ArrayLike, estimator: str = "DL", test: str = "wald-z", level: float = 0.95) -> Pooled:
    """The pooled effect without each trial in turn: a Pooled with arrays (…, k); y, v: (…, k). Raises ValueError as `pool` does."""
    y, v = sets(y, v)
    left_out = np.eye(y.shape[-1], dtype=bool)
    return pool(y[..., None, :], np.where(left_out, np.inf, v[..., None, :]), estimator, test, level)


def cumulative(y: ArrayLike, v: ArrayLike, estimator: str = "DL", test: str = "wald-z", level: float = 0.95) -> Pooled:
    """The pooled effect of the first trial, the first two, and so on in the order given: a Pooled with arrays (…, k); y, v: (…, k).

    Lau et al. 1992, N Engl J Med 327:248. Raises ValueError as `pool` does.
    """
    y, v = sets(y, v)
    to_come = np.triu(np.ones((y.shape[-1], y.shape[-1]), dtype=bool), 1)
    return pool(y[..., None, :], np.where(to_come, np.inf, v[..., None, :]), estimator, test, level)


def meta_regression(y: ArrayLike, v: ArrayLike, X: ArrayLike, estimator: str = "REML", test: str = "wald-z") -> Regression:
    """The weighted regression of effects on covariates; y, v: (…, k); X: (k, p), with the column of ones where there is to be one.

    Weights are 1/(v + tau²); under Knapp and Hartung's rules the covariance is scaled by the weighted mean square of k − p degrees of freedom
    (Knapp and Hartung 2003, Stat Med 22:2693). Raises ValueError as `tau_squared` does, and where trials are not more than coefficients.
    """
    y, v = sets(y, v)
    one_of(test, TESTS, "test")
    covariates = Covariates.of(X, y.shape[-1])
    df = np.isfinite(v).sum(axis=-1) - covariates.p
    if not (df > 0).all():
        raise ValueError(f"{df.min() + covariates.p} trials for {covariates.p} coefficients: leave out covariates, or merge levels")
    common = least_squares_of(y, 1 / v, covariates)
    tau2 = between(y, v, covariates, estimator, common)
    fit = least_squares_of(y, weights(v, tau2), covariates)
    cov = fit.inverse * _scale(fit.q, df, test)[..., None, None]
    return Regression(fit.beta, cov, tau2[()], df[()], common.q[()], special.chdtrc(df, common.q)[()], test)


def _scale(q: np.ndarray, df: np.ndarray, test: str) -> np.ndarray:
    """By how much a variance is scaled: the weighted mean square, or 1."""
    if test == "wald-z":
        return np.ones(q.shape)
    scale = np.where(df > 0, q / np.maximum(df, 1), 1.0)
    return np.maximum(scale, 1.0) if test == "knapp-hartung-at-least-wald" else scale
