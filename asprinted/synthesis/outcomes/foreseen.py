"""What changes of a few rows do to a fit of yes and no, or of counts, foreseen from the fit as it is.

To first order a row's outcome moves the coefficients by its influence, A⁻¹x (Pregibon 1981, Ann Stat 9:705); the variance of a contrast follows,
through the weights of all rows, and in a sandwich through the scores of its groups (Liang and Zeger 1986, Biometrika 73:13). So thousands of
changes cost less than a few refits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from asprinted import models
from asprinted.synthesis.outcomes.aims import P_VALUES, Aims, z_of
from asprinted.synthesis.outcomes.refits import Refit
from asprinted.synthesis.outcomes.search import Effects
from asprinted.synthesis.outcomes.targets import Target

FAMILIES = ("logistic", "gee-logistic", "poisson")
STATISTICS = ("est", "se", "lo", "hi", "t", "reduction", *P_VALUES[:1])


@dataclass(frozen=True)
class _Fitted:
    """A fit, ready to foresee: of the N rows of the table the n that have the covariates have a place, others −1.

    place: (N,) row → place among the n. X: (n, p). there: (n,) whether the fit uses it. bread: (p, p), A⁻¹. mean: (n,) what the fit expects of each.
    weight, slope: (n,) of each in the information, and its derivative, also of those that the fit does not use. scores: (G, p) sums by group; None
    for a model-based covariance. fit: as it is.
    """

    place: np.ndarray
    X: np.ndarray
    there: np.ndarray
    groups: np.ndarray
    bread: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    slope: np.ndarray
    scores: np.ndarray | None
    fit: Any


def effects(targets: Sequence[Target], aims: Aims) -> Effects | None:
    """The statistics after each of many moves alone, on the scales of `aims`, for `search.settle`; None where some model's fit cannot be foreseen.

    Those of tables are exact, those of models to first order.
    """
    fitted = [target for target in targets if target.refit is not None]
    if not fitted or any(target.rows is None and target.refit is None for target in targets):
        return None
    if any(each.refit.spec["family"] not in FAMILIES or each.by["statistic"] not in STATISTICS or not isinstance(each.by.get("contrast"), str) for each in fitted):
        return None

    def after(y: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        there = rows >= 0
        found = np.full((len(rows), len(targets)), np.nan)
        prepared: dict[int, _Fitted | None] = {}
        contrasts: dict[tuple[int, str], tuple[np.ndarray, np.ndarray, float] | None] = {}
        tables = [k for k, target in enumerate(targets) if target.refit is None]
        moved = y.copy()
        for k in tables:
            touched = np.flatnonzero((targets[k].rows[np.maximum(rows, 0)] & there).any(axis=1)) if _of_rows(targets[k]) else np.arange(len(rows))
            found[:, k] = aims.measure[k](y)
            for move in touched:
                own = rows[move][there[move]]
                moved[own] = values[move][there[move]]
                found[move, k] = aims.measure[k](moved)
                moved[own] = y[own]
        for k, target in enumerate(targets):
            if target.refit is None:
                continue
            key = id(target.refit)
            if key not in prepared:
                prepared[key] = _ready(target.refit, y)
            name = (key, target.by["contrast"])
            if name not in contrasts:
                contrasts[name] = None if prepared[key] is None else _moved(prepared[key], target.refit.terms(target.by)[0], y, rows, values)
            if contrasts[name] is not None:
                found[:, k] = _statistic(target, aims, k, *contrasts[name])
        return found

    return after


def _of_rows(target: Target) -> bool:
    """Whether a table's statistic depends on the rows that it is taken of alone."""
    return target.by.get("column") is not None


def _ready(refit: Refit, y: np.ndarray) -> _Fitted | None:
    fit = refit(y)
    if fit is None:
        return None
    used = refit.design(y)
    rows = refit.whole if refit.whole.X.shape[1] == used.X.shape[1] and np.array_equal(refit.whole.X[np.isin(refit.whole.rows, used.rows)], used.X) else used
    there = np.isin(rows.rows, used.rows)
    spec: Mapping[str, Any] = refit.spec
    predictor = rows.X @ fit.beta
    if spec["family"] == "poisson":
        mean = np.exp(predictor + (0.0 if rows.exposure is None else np.log(rows.exposure)))
        weight = slope = mean
    else:
        mean = special.expit(predictor)
        weight = mean * (1 - mean)
        slope = weight * (1 - 2 * mean)
    robust = spec["family"] == "gee-logistic" or spec.get("covariance") == "robust"
    residual = rows.X * np.where(there, y[rows.rows] - mean, 0.0)[:, None]
    scores = np.stack([np.bincount(rows.groups, column, rows.groups.max() + 1) for column in residual.T], axis=1) if robust else None
    place = np.full(len(y), -1)
    place[rows.rows] = np.arange(len(rows.rows))
    bread = np.linalg.inv((rows.X * np.where(there, weight, 0.0)[:, None]).T @ rows.X)
    return _Fitted(place, rows.X, there, rows.groups, bread, mean, weight, slope, scores, fit)


def _moved(ready: _Fitted, terms: Sequence[Mapping[str, Any]], y: np.ndarray, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The estimate (M,) of a contrast and its standard error (M,) after each move, on the scale of the model, and the share of the interval.

    A row that gets a value, or loses it, moves the coefficients by its residual, and the information by its weight.
    """
    c = ready.fit.design.contrast(terms)
    places = np.where(rows >= 0, ready.place[np.maximum(rows, 0)], -1)
    used, places = places >= 0, np.maximum(places, 0)
    X = np.where(used[:, :, None], ready.X[places], 0.0)  # (M, k, p)
    before, after = y[np.maximum(rows, 0)], values
    change = np.where(used, np.nan_to_num(after - ready.mean[places]) - np.nan_to_num(before - ready.mean[places]), 0.0)
    more = np.where(used, np.isfinite(after) * 1.0 - np.isfinite(before), 0.0)  # 1 for a row that gets a value, −1 for one that loses it
    delta = np.einsum("mkp,mk->mp", X, change) @ ready.bread  # (M, p)
    u = ready.bread @ c
    along, weight, slope = ready.X @ u, np.where(ready.there, ready.weight, 0.0), np.where(ready.there, ready.slope, 0.0)
    if ready.scores is None:
        variance = float(c @ u)
        bend = -(slope * along**2) @ ready.X
        change_of_variance = delta @ bend - (more * (ready.weight * along**2)[places]).sum(axis=1)
    else:
        of_group = ready.scores @ u  # (G,) what each group adds
        variance = float(of_group @ of_group)
        meat = ready.scores.T @ of_group  # B u
        beyond = ready.X @ (ready.bread @ meat)
        bend = -2 * ((of_group[ready.groups] * weight * along) + slope * along * beyond) @ ready.X
        direct = np.einsum("mkp,p->mk", X, u) * change
        group = np.where(used, ready.groups[places], -1)
        change_of_variance = delta @ bend + 2 * (np.where(used, of_group[group], 0.0) * direct).sum(axis=1) + _squares(direct, group)
        change_of_variance = change_of_variance - 2 * (more * (ready.weight * along * beyond)[places]).sum(axis=1)
    variance = variance + change_of_variance
    return float(c @ ready.fit.beta) + delta @ c, np.sqrt(np.where(variance > 0, variance, np.nan)), ready.fit.level


def _squares(direct: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The sum over groups of the squares of what a move adds to each, (M,): rows of one group are added first."""
    same = (group[:, :, None] == group[:, None, :]) & (group >= 0)[:, :, None]
    return np.einsum("mk,mkl,ml->m", direct, same.astype(float), direct)


def _statistic(target: Target, aims: Aims, k: int, est: np.ndarray, se: np.ndarray, level: float) -> np.ndarray:
    """A statistic of a ratio from the estimate and standard error of its logarithm, on its scale."""
    half = models.quantile(0.5 + level / 2) * se
    name = target.by["statistic"]
    if name in P_VALUES:
        size = z_of(2 * special.ndtr(-np.abs(est) / se))
        return size if not aims.sign[k] else np.copysign(size, est * aims.sign[k])
    return {"est": lambda: np.exp(est), "se": lambda: se, "lo": lambda: np.exp(est - half), "hi": lambda: np.exp(est + half), "t": lambda: est / se, "reduction": lambda: 100 * (1 - np.exp(est))}[name]()
