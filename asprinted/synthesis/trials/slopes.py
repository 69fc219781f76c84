"""Pooled statistics with their slopes: how each moves with the effects, their variances and the sizes of the arms.

All in closed form and O(k): tau² by the implicit function theorem from the equation that defines its estimator. Where
tau² is held at zero it can only rise; what would raise it is kept apart, since a slope of zero would never let it start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from asprinted.models.heterogeneity import tau_squared


@dataclass(frozen=True)
class Slopes:
    """A statistic and how it moves.

    value: the statistic. slope (3, k): by the effects, by their variances and by √(1/n₁ + 1/n₂), each alone. by_tau2: where
    tau² is held at zero, how the statistic moves once tau² rises, else 0.
    """

    value: float
    slope: np.ndarray
    by_tau2: float = 0.0


@dataclass(frozen=True)
class Pool:
    """One pooled model at one point, from which its statistics are read.

    numbers (5,): estimate, sum of weights, weighted sum of squares about the estimate, tau² and Q. slope (5, 3, k): theirs.
    by_tau2 (5,): how they move with a tau² that is held at zero. start, rise (3, k): a tau² that could go below zero, and how it
    moves: it tells how far the effects are from a tau² above zero.
    """

    k: int
    test: str
    level: float
    numbers: np.ndarray
    slope: np.ndarray
    by_tau2: np.ndarray
    start: float
    rise: np.ndarray

    def read(self, statistic: str) -> Slopes:
        """est, se, lo, hi, t (the estimate over its standard error), tau2, q, prediction_lo or prediction_hi."""
        mean, weight, squares, tau2, q = self.numbers
        df = max(self.k - 1, 1)
        spread = squares / df
        wald = self.k == 1 or self.test == "wald-z" or (self.test == "knapp-hartung-at-least-wald" and spread <= 1)
        se = float(np.sqrt((1.0 if wald else spread) / weight))
        of_se = np.array([0.0, -se / (2 * weight), 0.0 if wald else se / (2 * max(squares, 1e-300)), 0.0, 0.0])
        of = np.eye(5)
        quantile = critical(self.test, self.k, self.level)
        if statistic == "est":
            return self._along(mean, of[0])
        if statistic == "se":
            return self._along(se, of_se)
        if statistic in ("lo", "hi"):
            side = -quantile if statistic == "lo" else quantile
            return self._along(mean + side * se, of[0] + side * of_se)
        if statistic == "t":
            return self._along(mean / se, of[0] / se - mean / se**2 * of_se)
        if statistic == "tau2":
            return self._along(tau2, of[3])
        if statistic == "q":
            return self._along(q, of[4])
        if statistic in ("prediction_lo", "prediction_hi"):
            side = float(special.stdtrit(max(self.k - 2, 1), 0.5 + self.level / 2)) * (-1 if statistic == "prediction_lo" else 1)
            width = float(np.sqrt(tau2 + se**2))
            return self._along(mean + side * width, of[0] + side / width * (se * of_se + of[3] / 2))
        raise ValueError(f"statistic {statistic!r} is not one of a pool: give est, se, lo, hi, t, tau2, q, prediction_lo or prediction_hi")

    def _along(self, value: float, parts: np.ndarray) -> Slopes:
        return Slopes(float(value), (parts @ self.slope.reshape(5, -1)).reshape(3, self.k), float(parts @ self.by_tau2))


def critical(test: str, k: int, level: float) -> float:
    """The quantile by which an interval of this test is wider than its standard error, to each side."""
    upper = 0.5 + level / 2
    return float(special.ndtri(upper)) if test == "wald-z" or k == 1 else float(special.stdtrit(k - 1, upper))


def pooled(y: np.ndarray, v: np.ndarray, model: Mapping[str, Any]) -> Pool:
    """The pool of k effects y with variances v under {"estimator": …, "test": …, "level": …}, with its slopes."""
    k, estimator = len(y), model["estimator"]
    tau2 = float(tau_squared(y, v, estimator)) if k > 1 else 0.0
    w, w0 = 1 / (v + tau2), 1 / v
    weight, mean = w.sum(), w @ y / w.sum()
    r = y - mean
    r0 = y - w0 @ y / w0.sum()
    squares, q = w @ r**2, w0 @ r0**2
    zero = np.zeros(k)
    by_y = np.stack([w / weight, zero, 2 * w * r, zero, 2 * w0 * r0])
    by_v = np.stack([-(w**2) * r / weight, -(w**2), -((w * r) ** 2), zero, -((w0 * r0) ** 2)])
    by_tau2 = np.array([*by_v[:3].sum(1), 1.0, 0.0])
    slope = np.stack([by_y, by_v, np.zeros((5, k))], 1)
    rise, start = np.zeros((3, k)), 0.0
    if k > 1 and estimator != "common":
        if tau2 > 0:
            rise[:2] = _rise(y, v, tau2, estimator)
            slope = slope + by_tau2[:, None, None] * rise
            by_tau2 = np.zeros(5)
        else:
            start, rise[:2] = _below(w, r, estimator)
    else:
        by_tau2 = np.zeros(5)
    return Pool(k, model["test"], model.get("level", 0.95), np.array([mean, weight, squares, tau2, q]), slope, by_tau2, float(start), rise)


def _rise(y: np.ndarray, v: np.ndarray, tau2: float, estimator: str) -> np.ndarray:
    """How tau² moves with effects and variances (2, k): DerSimonian–Laird (1986), Paule–Mandel (1982) or REML, from its equation."""
    w = 1 / (v if estimator == "DL" else v + tau2)
    weight = w.sum()
    r = y - w @ y / weight
    if estimator == "DL":
        second = (w**2).sum() / weight
        scale = weight - second
        by_v = -(w**2) * (r**2 - tau2 * (1 - 2 * w / weight + second / weight))
        return np.stack([2 * w * r, by_v]) / scale
    if estimator == "PM":
        by_y, by_v = 2 * w * r, -((w * r) ** 2)
    elif estimator == "REML":
        cross = (w**2 @ r) / weight
        by_y = 2 * w * (w * r - cross)
        by_v = -(w**2) * (2 * w * r**2 - 2 * cross * r - 1 + 2 * w / weight - (w**2).sum() / weight**2)
    else:
        raise ValueError(f"estimator {estimator!r} is unknown: give common, DL, PM or REML")
    return np.stack([by_y, by_v]) / -by_v.sum()


def _below(w: np.ndarray, r: np.ndarray, estimator: str) -> tuple[float, np.ndarray]:
    """Where tau² would lie if it could go below zero, to first order, and how it moves (2, k): from w and residuals r at tau² = 0."""
    weight, second, third = w.sum(), (w**2).sum(), (w**3).sum()
    if estimator == "REML":
        information = second - 2 * third / weight + (second / weight) ** 2
        cross = (w**2 @ r) / weight
        by_y = 2 * w * (w * r - cross)
        by_v = -(w**2) * (2 * w * r**2 - 2 * cross * r - 1 + 2 * w / weight - second / weight**2)
        return min(float((w**2 @ r**2 - weight + second / weight) / information), 0.0), np.stack([by_y, by_v]) / information
    scale = weight - second / weight
    return min(float((w @ r**2 - len(w) + 1) / scale), 0.0), np.stack([2 * w * r, -((w * r) ** 2)]) / scale


def between(est: np.ndarray, se: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The root of Q between subgroups with these effects and standard errors (g,), Q as `models.pooled.between_subgroups` has it, and its slopes (g,) by either."""
    w = 1 / se**2
    apart = est - w @ est / w.sum()
    root = float(np.sqrt(w @ apart**2))
    return root, w * apart / max(root, 1e-12), -(apart**2) / (se**3 * max(root, 1e-12))


def egger(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> tuple[Slopes, Slopes]:
    """The slope of the regression of y on x with weights 1/v, and its t (dispersion estimated), with their slopes."""
    w, df = 1 / v, len(y) - 2
    c, e = x - w @ x / w.sum(), y - w @ y / w.sum()
    sxx = w @ c**2
    b = (w * c) @ e / sxx
    e = e - b * c
    rest = w @ e**2
    of_b = np.stack([w * c, -(w**2) * c * e, w * (e - b * c)]) / sxx
    of_sxx = np.stack([np.zeros_like(w), -((w * c) ** 2), 2 * w * c])
    of_rest = np.stack([2 * w * e, -((w * e) ** 2), -2 * b * w * e])
    root = np.sqrt(df * sxx / rest)
    return Slopes(float(b), of_b), Slopes(float(b * root), root * (of_b + b * (of_sxx / (2 * sxx) - of_rest / (2 * rest))))
