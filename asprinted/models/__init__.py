"""The reference models, each named in full and fitted fast.

`fit` gives a Fit; its `contrast` gives an Estimate. Where a student runs statsmodels, a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from asprinted.models.binary import log_risks, logistic, logistic_gee
from asprinted.models.effects import MEASURES, hedges_g
from asprinted.models.formula import Design, design, used_rows
from asprinted.models.pooled import Pooled, pool
from asprinted.models.scores import least_squares, random_intercept
from asprinted.models.small_studies import egger
from asprinted.models.survival import cox, survival_curve, survival_median

__all__ = [
    "MEASURES", "Design", "Effects", "Estimate", "Fit", "Pooled", "cox", "design", "effects_of", "egger", "fit", "hedges_g", "least_squares", "logistic", "logistic_gee",
    "pool", "quantile", "random_intercept", "survival_curve", "survival_median",
]  # fmt: skip


FEWEST = {"q_p": 2, "prediction_lo": 3, "prediction_hi": 3, "egger": 3, "egger_p": 3}  # trials that a statistic of a pool needs, where one is too few


def quantile(probability: float, df: float | None = None) -> float:
    """The quantile of Student's t with df degrees of freedom, or of the normal distribution where df is None."""
    return float(special.ndtri(probability) if df is None else special.stdtrit(df, probability))


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error, interval and two-sided p value.

    For a ratio, est, lo and hi are ratios, and se stands on the log scale.
    """

    est: float
    se: float
    lo: float
    hi: float
    p: float
    ratio: bool = False

    @property
    def reduction(self) -> float:
        """By how many per cent the ratio lies below 1: 100·(1 − est). Raises ValueError for a difference."""
        if not self.ratio:
            raise ValueError("a difference has no reduction in per cent: ask a model of a ratio for it")
        return 100 * (1 - self.est)


@dataclass(frozen=True)
class Effects:
    """The effects of the rows that a random-effects model uses, each (k,).

    g: effects of the model's measure, in the direction of the outcome; logs where they are ratios. v: their variances. n: people in both arms.
    unit_se: √(1/n₁ + 1/n₂), of a standardised mean difference the part of the standard error that does not depend on it. rows: positions in
    the table. ratio: whether the effects are logs of ratios.
    """

    g: np.ndarray
    v: np.ndarray
    n: np.ndarray
    unit_se: np.ndarray
    rows: np.ndarray
    ratio: bool = False


def effects_of(model: Mapping[str, Any], frame: pd.DataFrame) -> Effects:
    """The Effects of the rows of `frame` that `model` (of the family random-effects) uses; rows without an effect are left out.

    A row has none where a cell is missing, or its counts say nothing of a ratio (`effects.log_risk_ratio`). Raises ValueError where no row
    is left, a column is missing, or cells cannot be what they should.
    """
    named, measure = model["effect"], MEASURES[model["effect"]["measure"]]
    rows = np.flatnonzero(used_rows(model, frame))
    arms = [named[part][arm] for arm in (0, 1) for part in measure.parts]
    columns = arms + ([named["direction"]] if "direction" in named else [])
    for name in columns:
        if name not in frame:
            raise ValueError(f"the table has no column {name!r}: give one of {', '.join(map(str, frame.columns))}")
    values = np.stack([pd.to_numeric(frame[name]).to_numpy(dtype=float, na_value=np.nan)[rows] for name in columns])
    there = np.isfinite(values).all(axis=0)
    if not there.any():
        raise ValueError("no row has an effect: every one has a missing value")
    g, v = measure.of(*values[: len(arms), there])
    told = np.isfinite(g)
    if not told.any():
        raise ValueError("no row has an effect: in every one both arms are without events, or without anything else")
    values, rows = values[:, there][:, told], rows[there][told]
    direction = values[-1] if "direction" in named else 1.0
    n1, n2 = values[0], values[len(measure.parts)]
    return Effects(direction * g[told], v[told], n1 + n2, np.sqrt(1 / n1 + 1 / n2), rows, measure.ratio)


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
        return Estimate(float(shown(est)), se, float(shown(est - half)), float(shown(est + half)), p, self.ratio)


def fit(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Fit:
    """The Fit of `model` (an entry of study.yml's models) to `frame` for `outcome`.

    Which rows are used, and the columns that are made for it, are `design`'s matter. Wald's z test, but for the linear
    family Student's t on the residual degrees of freedom unless the model says wald-z. With covariance: robust a logistic
    or Cox model's covariance is robust by model.groups, each row alone where it names none. Raises ValueError.
    """
    family, level = model["family"], model.get("level", 0.95)
    if family == "risk-ratio":
        beta, cov, n, cells = log_risks(model, frame, outcome)
        return Fit(beta, cov, None, level, True, {}, n, cells)
    if family not in FAMILIES:
        raise ValueError(f"family {family!r} is unknown: use one of risk-ratio, {', '.join(FAMILIES)}")
    covariance = model.get("covariance", "model-based")
    if covariance not in ("model-based", "robust") or (covariance == "robust" and family not in RATIOS):
        raise ValueError(f"family {family!r} has no covariance {covariance!r}: use model-based, or robust for {', '.join(RATIOS)}")
    rows = design(model, frame, outcome)
    beta, cov, variances = FAMILIES[family](model, rows)
    df = len(rows.y) - rows.X.shape[1] if family == "linear" and model.get("test") != "wald-z" else None
    return Fit(beta, cov, df, level, family in RATIOS, variances, len(rows.y), rows)


def _linear(model: Mapping[str, Any], rows: Design) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    beta, cov, residual = least_squares(rows.y, rows.X)
    return beta, cov, {"residual": residual}


def _logistic(model: Mapping[str, Any], rows: Design) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    robust = model["family"] == "gee-logistic" or model.get("covariance") == "robust"
    return *(logistic_gee(rows.y, rows.X, rows.groups) if robust else logistic(rows.y, rows.X)), {}


def _cox(model: Mapping[str, Any], rows: Design) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    groups = rows.groups if model.get("covariance") == "robust" else None
    return *cox(rows.time, rows.y, rows.X, model.get("ties", "efron"), groups), {}


FAMILIES: dict[str, Callable[[Mapping[str, Any], Design], tuple[np.ndarray, np.ndarray, dict[str, float]]]] = {
    "mixed": lambda model, rows: random_intercept(rows.y, rows.X, rows.groups, model.get("estimator", "REML")),
    "linear": _linear, "logistic": _logistic, "gee-logistic": _logistic, "cox": _cox,
}  # fmt: skip
RATIOS = ("logistic", "gee-logistic", "cox")  # their coefficients are logs of ratios; their covariance can be robust by group
