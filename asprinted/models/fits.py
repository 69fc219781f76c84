"""Fits: a model of the study file, of any family, to the rows of a design, and the estimates and tests of its contrasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from asprinted.models.binary import log_risks, logistic, logistic_gee, risks_in_points
from asprinted.models.counts import negative_binomial, poisson
from asprinted.models.formula import Design, design
from asprinted.models.ordinal import proportional_odds
from asprinted.models.scores import least_squares, random_intercept, robust_least_squares, welch
from asprinted.models.survival import cox, log_rank
from asprinted.models.tests import Tested, chi_squared, correlation, rank_sum, upper_tail

Found = tuple[np.ndarray, np.ndarray, dict[str, float], float | None]  # coefficients, covariance, named variances, degrees of freedom of t or None for z


def quantile(probability: float, df: float | None = None) -> float:
    """The quantile of Student's t with df degrees of freedom, or of the normal distribution where df is None."""
    return float(special.ndtri(probability) if df is None else special.stdtrit(df, probability))


def standardised_se(d: np.ndarray | float, unit: np.ndarray | float, n: np.ndarray | float) -> np.ndarray | float:
    """The large-sample standard error of a standardised difference: √(u + d²/(2n)), with n rows in all.

    unit: the variance of the difference in residual variances; of two groups 1/n₁ + 1/n₂, and so (n₁ + n₂)/(n₁n₂) + d²/(2(n₁ + n₂)) is its square
    (Hedges and Olkin 1985, Statistical Methods for Meta-Analysis, p. 86).
    """
    return np.sqrt(unit + d * d / (2 * n))


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error, interval and two-sided p value.

    For a ratio, est, lo and hi are ratios, and se stands on the log scale. sd: the residual standard deviation of a linear model;
    d_se: the standard error of the estimate over it (`standardised_se`); level: of the interval.
    """

    est: float
    se: float
    lo: float
    hi: float
    p: float
    ratio: bool = False
    sd: float | None = None
    d_se: float | None = None
    level: float = 0.95

    @property
    def reduction(self) -> float:
        """By how many per cent the ratio lies below 1: 100·(1 − est). Raises ValueError for a difference."""
        if not self.ratio:
            raise ValueError("a difference has no reduction in per cent: ask a model of a ratio for it")
        return 100 * (1 - self.est)

    @property
    def t(self) -> float:
        """The estimate, of a ratio its logarithm, over its standard error: t or z, whichever the test takes."""
        return float(np.log(self.est) if self.ratio else self.est) / self.se

    @property
    def d(self) -> float:
        """The difference in residual standard deviations: Cohen's d. Raises ValueError where the model is not linear."""
        if self.sd is None:
            raise ValueError("this model has no one residual standard deviation: ask a linear model for d")
        return self.est / self.sd

    @property
    def d_lo(self) -> float:
        """The lower end of the interval of d, by its large-sample standard error and the normal distribution. Raises ValueError as `d` does."""
        return self.d - quantile(0.5 + self.level / 2) * self.d_se

    @property
    def d_hi(self) -> float:
        """The upper end of the interval of d. Raises ValueError as `d` does."""
        return self.d + quantile(0.5 + self.level / 2) * self.d_se

    @property
    def nnt(self) -> float:
        """The number needed to treat, or to harm: 100 over the size of a risk difference in percentage points."""
        return _over(self.est)

    @property
    def nnt_lo(self) -> float:
        """The number needed to treat at the end of the interval that lies farther from no difference."""
        return _over(max(self.lo, self.hi, key=abs))

    @property
    def nnt_hi(self) -> float:
        """The number at the nearer end; infinite where the interval holds no difference (Altman 1998, BMJ 317:1309)."""
        return _over(0.0 if self.lo <= 0 <= self.hi else min(self.lo, self.hi, key=abs))

    @property
    def f(self) -> float:
        """t squared: F of one contrast."""
        return self.t**2

    @property
    def chi2(self) -> float:
        """t squared: Wald's chi-squared of one contrast."""
        return self.t**2

    @property
    def joint_p(self) -> float:
        """The p value, under the name that a test of several contrasts has."""
        return self.p


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    beta: (p,) coefficients. cov: (p, p) their covariance. df: degrees of freedom of the t test, None for z.
    ratio: whether contrasts are exponentiated. variances: named variance components. n: rows used.
    """

    beta: np.ndarray
    cov: np.ndarray
    df: float | None
    level: float
    ratio: bool
    variances: dict[str, float]
    n: int
    design: Design

    @property
    def r2(self) -> float:
        """The share of the outcome's variance that a linear model explains, not adjusted for its size: R²; nan where the outcome does not vary.

        As of statsmodels' rsquared and R's summary.lm. Raises ValueError where the model is not linear, or has no intercept: what R²
        is then, about the mean or about 0, programs take differently.
        """
        if set(self.variances) != {"residual"}:
            raise ValueError("this model has no one residual variance: ask a linear model for r2")
        if "Intercept" not in self.design.info.column_names:
            raise ValueError("this model has no intercept, and without one programs differ in what r2 is: ask a model with one")
        y, left = self.design.y, self.design.y - self.design.X @ self.beta
        total = float(np.sum((y - y.mean()) ** 2))
        return 1 - float(left @ left) / total if total > 0 else float("nan")

    def contrast(self, terms: Sequence[Mapping[str, Any]]) -> Estimate:
        """The Estimate of a weighted sum of cell predictions; `terms` as in study.yml: weight and at."""
        return self.linear(self.design.contrast(terms))

    def linear(self, row: np.ndarray) -> Estimate:
        """The Estimate of `row` @ beta; row: (p,)."""
        est, se = float(row @ self.beta), float(np.sqrt(row @ self.cov @ row))
        half = quantile(0.5 + self.level / 2, self.df) * se
        away = -abs(est) / se if se > 0 else float("nan")
        p = float(2 * (special.ndtr(away) if self.df is None else special.stdtr(self.df, away)))
        shown = np.exp if self.ratio else float
        sd = self.variances["residual"] ** 0.5 if set(self.variances) == {"residual"} else None
        d_se = None if sd is None else standardised_se(est / sd, float(row @ np.linalg.solve(self.design.X.T @ self.design.X, row)), self.n)
        return Estimate(float(shown(est)), se, float(shown(est - half)), float(shown(est + half)), p, self.ratio, sd, d_se, self.level)

    def joint(self, contrasts: Sequence[Sequence[Mapping[str, Any]]]) -> Tested:
        """Wald's test that every contrast is 0, each of terms as in study.yml: chi2 with df contrasts, and f = chi2/df.

        p is F's, with the t test's degrees of freedom below, or chi-squared's where the fit has none; as of statsmodels' f_test and
        wald_test and R's car::linearHypothesis. Raises ValueError where a contrast follows from the others.
        """
        rows = np.stack([self.design.contrast(terms) for terms in contrasts])
        found, spread = rows @ self.beta, rows @ self.cov @ rows.T
        if np.linalg.matrix_rank(spread, hermitian=True) < len(rows):
            raise ValueError(f"a joint test of {len(rows)} contrasts has a variance of lower rank: leave out a contrast that follows from the others")
        chi2, df = float(found @ np.linalg.solve(spread, found)), len(rows)
        p = upper_tail(chi2, df) if self.df is None else float(special.fdtrc(df, self.df, chi2 / df))
        return Tested(p, chi2, df, residual_df=np.nan if self.df is None else self.df)


def fit(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Fit | Tested:
    """The Fit of `model` (an entry of study.yml's models) to `frame` for `outcome`; of a test without contrasts its Tested.

    Which rows are used, and the columns that are made for it, are `design`'s matter; the rest is `fitted`'s. Raises ValueError.
    """
    check_family(model)
    return fitted(model, design(model, frame, outcome))


def fitted(model: Mapping[str, Any], rows: Design) -> Fit | Tested:
    """The Fit of `model` to the rows of a design that `design` has made, or its Tested: the rows may have other outcomes by now.

    Wald's z test, but for the linear family Student's t unless the model says wald-z: on the residual degrees of freedom, with a
    covariance robust by group on one less than the groups, with test: welch on Welch's. With covariance: robust the covariance is
    robust by model.groups, each row alone where it names none; of the linear family corrected for few groups
    (`scores.robust_least_squares`), of others not. Raises ValueError.
    """
    family = model["family"]
    if family in TESTS:
        return TESTS[family](model, rows)
    beta, cov, variances, df = FAMILIES[family](model, rows)
    return Fit(beta, cov, None if model.get("test") == "wald-z" else df, model.get("level", 0.95), family in RATIOS, variances, len(rows.y), rows)


def tested(model: Mapping[str, Any], rows: Design) -> Tested:
    """The Tested of a model of a family without contrasts, on rows that `design` has made. Raises ValueError."""
    return TESTS[model["family"]](model, rows)


def check_family(model: Mapping[str, Any]) -> None:
    """Raise ValueError where the family is unknown, or does not have the covariance."""
    family, covariance = model["family"], model.get("covariance", "model-based")
    if family not in FAMILIES and family not in TESTS:
        raise ValueError(f"family {family!r} is unknown: use one of {', '.join([*FAMILIES, *TESTS])}")
    if covariance not in ("model-based", "robust") or (covariance == "robust" and family not in ROBUST):
        raise ValueError(f"family {family!r} has no covariance {covariance!r}: use model-based, or robust for {', '.join(ROBUST)}")


def _over(points: float) -> float:
    return 100 / abs(points) if points else float("inf")


def _linear(model: Mapping[str, Any], rows: Design) -> Found:
    if model.get("test") == "welch":
        beta, cov, residual, df = welch(rows.y, rows.X)
    elif model.get("covariance") == "robust":
        beta, cov, residual, df = robust_least_squares(rows.y, rows.X, rows.groups if "groups" in model else None)
    else:
        beta, cov, residual = least_squares(rows.y, rows.X)
        df = len(rows.y) - rows.X.shape[1]
    return beta, cov, {"residual": residual}, df


def _risk_ratio(model: Mapping[str, Any], rows: Design) -> Found:
    y = _counted(model, rows)
    if not (y @ rows.X).all():
        raise ValueError(f"a group has no event in {rows.outcome!r}: its log risk has no finite value")
    return *log_risks(y, rows.X), {}, None


def _counted(model: Mapping[str, Any], rows: Design) -> np.ndarray:
    """The outcomes of proportions, missing ones 0 where the model counts them so."""
    return np.nan_to_num(rows.y, nan=0.0) if model.get("missing") == "as-zero" else rows.y


def _logistic(model: Mapping[str, Any], rows: Design) -> Found:
    robust = model["family"] == "gee-logistic" or model.get("covariance") == "robust"
    return *(logistic_gee(rows.y, rows.X, rows.groups) if robust else logistic(rows.y, rows.X)), {}, None


def _cox(model: Mapping[str, Any], rows: Design) -> Found:
    groups = rows.groups if model.get("covariance") == "robust" else None
    return *cox(rows.time, rows.y, rows.X, model.get("ties", "efron"), groups), {}, None


def _poisson(model: Mapping[str, Any], rows: Design) -> Found:
    return *poisson(rows.y, rows.X, rows.exposure, rows.groups if model.get("covariance") == "robust" else None), {}, None


def _negative_binomial(model: Mapping[str, Any], rows: Design) -> Found:
    beta, cov, alpha = negative_binomial(rows.y, rows.X, rows.exposure)
    return beta, cov, {"alpha": alpha}, None


def _log_rank(model: Mapping[str, Any], rows: Design) -> Tested:
    chi2, df = log_rank(rows.time, rows.y, rows.X)
    return Tested(upper_tail(chi2, df), chi2, df)


def _correlation(model: Mapping[str, Any], rows: Design) -> Tested:
    other = rows.X[:, [name != "Intercept" for name in rows.info.column_names]]
    if other.shape[1] != 1:
        raise ValueError(f"a correlation is of two columns of numbers: {rows.outcome!r} and one other in the formula")
    return correlation(rows.y, other[:, 0], model.get("test", "pearson"), model.get("level", 0.95))


FAMILIES: dict[str, Callable[[Mapping[str, Any], Design], Found]] = {
    "risk-ratio": _risk_ratio,
    "mixed": lambda model, rows: (*random_intercept(rows.y, rows.X, rows.groups, model.get("estimator", "REML")), None),
    "linear": _linear, "logistic": _logistic, "gee-logistic": _logistic, "cox": _cox,
    "risk-difference": lambda model, rows: (*risks_in_points(_counted(model, rows), rows.X), {}, None),
    "poisson": _poisson, "negative-binomial": _negative_binomial,
    "ordinal": lambda model, rows: (*proportional_odds(rows.y, rows.X)[:2], {}, None),
}  # fmt: skip
TESTS: dict[str, Callable[[Mapping[str, Any], Design], Tested]] = {  # without contrasts
    "log-rank": _log_rank, "correlation": _correlation,
    "rank-sum": lambda model, rows: rank_sum(rows.y, rows.groups, model.get("test")),
    "chi-squared": lambda model, rows: chi_squared(rows.y, rows.groups, model.get("test", "pearson")),
}  # fmt: skip
RATIOS = ("risk-ratio", "logistic", "gee-logistic", "cox", "poisson", "negative-binomial", "ordinal")  # their coefficients are logs of ratios
ROBUST = ("logistic", "gee-logistic", "cox", "linear", "poisson")  # their covariance can be robust by group
