"""A table's statistic as a quick function of the columns being made, also where rows are chosen by one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models, records
from asprinted.models.formula import PROPORTIONS
from asprinted.study import Study
from asprinted.study.rules import conditions
from asprinted.synthesis.outcomes.targets import Target


def quickened(study: Study, frame: pd.DataFrame, table: str, columns: Sequence[str], targets: Sequence[Target]) -> list[Target]:
    """The targets, those of a table's counts, shares, rates and survival with a quick `value`, and `rows` where they are fixed.

    frame: the rows of `table`, joined; columns: those being made, whose values the targets take, categories as codes in the order
    of their `values`. Every other target is given back as it is.
    """
    fits: dict[str, Callable[[np.ndarray], models.Fit]] = {}
    return [_proportion(study, frame, table, columns, target, fits) if "model" in target.by else _quick(study, frame, table, tuple(columns), target) for target in targets]


def _proportion(
    study: Study, frame: pd.DataFrame, table: str, columns: Sequence[str], target: Target, fits: dict[str, Callable[[np.ndarray], models.Fit]]
) -> Target:  # fmt: skip
    """The target, of a model of proportions in fixed rows with a design that is built once; any other as it is."""
    by, spec = target.by, study.models[target.by["model"]]
    if target.refit is not None or spec["family"] not in PROPORTIONS or spec["table"] != table or by["outcome"] not in columns or "contrast" not in by:
        return target
    named = {column for terms in spec["contrasts"].values() for term in terms for column in term["at"]}
    if "missing" in spec or (named | spec.get("rows", {}).keys()) & set(columns) or not isinstance(by["contrast"], str):
        return target
    place = columns.index(by["outcome"])
    fit = fits.setdefault(by["model"], _kept(spec, frame, by["outcome"]))

    def value(y: np.ndarray) -> float:
        try:
            return float(getattr(fit(y if y.ndim == 1 else y[:, place]).contrast(spec["contrasts"][by["contrast"]]), by["statistic"]))
        except (ValueError, ArithmeticError):
            return math.nan

    return replace(target, value=value)


def _kept(spec: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Callable[[np.ndarray], models.Fit]:
    """The fit of a model of proportions as a function of its outcome (n,), whose missing values stay where they are; the last one is kept."""
    prepared: list[models.Design] = []
    last: list[Any] = [None, None]

    def fit(y: np.ndarray) -> models.Fit:
        if last[0] is None or not np.array_equal(last[0], y, equal_nan=True):
            if not prepared:
                prepared.append(models.design(spec, frame.assign(**{outcome: y}), outcome))
            last[:] = [y.copy(), models.fitted(spec, replace(prepared[0], y=y[prepared[0].rows]))]
        return last[1]

    return fit


def _quick(study: Study, frame: pd.DataFrame, table: str, columns: tuple[str, ...], target: Target) -> Target:
    by = target.by
    if by.get("table") != table or "between" in by or "rule" in by or not isinstance(by.get("column", ""), str):
        return target
    own = {name: wanted for filter in conditions(study, by) for name, wanted in filter.items() if name in columns}
    taken = by.get("column")
    statistic = _COUNTS.get(by["statistic"]) or _VALUES.get(by["statistic"])
    if statistic is None or (taken is not None and taken not in columns) or (taken is None and by["statistic"] != "count"):
        return target
    if by["statistic"] in _VALUES and (not own and target.rows is not None or "values" in study.tables[table]["columns"][taken]):
        return target  # quick as it is
    rest = {"filter": {name: wanted for name, wanted in by.get("filter", {}).items() if name not in own}}
    fixed = records.asked(study, frame, rest).to_numpy()
    chosen = [(columns.index(name), _matching(study, table, name, wanted)) for name, wanted in own.items()]
    place = columns.index(taken) if taken is not None else 0
    asked = _codes(study, table, taken, [by["equals"]]) if by["statistic"] == "percent_equal" else None
    beside = columns.index(by["event"]) if by.get("event") in columns else None
    exposure = frame[by["exposure"]].to_numpy(dtype=float, na_value=np.nan) if "exposure" in by else None

    def value(y: np.ndarray) -> float:
        table_ = y[:, None] if y.ndim == 1 else y
        rows = fixed.copy()
        for number, matches in chosen:
            rows &= matches(table_[:, number])
        values = table_[rows, place]
        more = {"equals": asked, "event": None if beside is None else table_[rows, beside], "exposure": None if exposure is None else exposure[rows]}
        return statistic(values, by, more)

    return replace(target, value=value, rows=None if own and by["statistic"] in _VALUES else fixed)


def _matching(study: Study, table: str, column: str, wanted: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Which values (n,) of a column being made a filter's condition means, as a function."""
    if isinstance(wanted, Mapping):
        low, high = wanted.get("from", -math.inf), wanted.get("to", math.inf)
        return lambda values: (values >= low) & (values <= high)
    codes = _codes(study, table, column, wanted if isinstance(wanted, list) else [wanted])
    return lambda values: np.isin(values, codes)


def _codes(study: Study, table: str, column: str | None, wanted: Sequence[Any]) -> np.ndarray:
    """The numbers that stand for values of a column: themselves, or their places among the column's values where these are words."""
    spec = study.tables[table]["columns"][column]
    return np.array([spec["values"].index(each) if spec["type"] == "string" else each for each in wanted], dtype=float)


def _share(values: np.ndarray, by: Mapping[str, Any], more: Mapping[str, Any]) -> float:
    there = values[np.isfinite(values)]
    return 100 * float(np.isin(there, more["equals"]).mean()) if len(there) else math.nan


def _rate(values: np.ndarray, by: Mapping[str, Any], more: Mapping[str, Any]) -> float:
    there = np.isfinite(values) & np.isfinite(more["exposure"])
    return by.get("per", 1) * float(values[there].sum() / more["exposure"][there].sum())


def _median(values: np.ndarray, by: Mapping[str, Any], more: Mapping[str, Any]) -> float:
    there = np.isfinite(values) & np.isfinite(more["event"])
    return models.survival_median(values[there], more["event"][there])


def _survival(values: np.ndarray, by: Mapping[str, Any], more: Mapping[str, Any]) -> float:
    there = np.isfinite(values) & np.isfinite(more["event"])
    times, survival = models.survival_curve(values[there], more["event"][there])
    before = int(np.searchsorted(times, by["at"], side="right"))
    return 100 * float(survival[before - 1]) if before else 100.0


def _of_values(function: Callable[[np.ndarray], float]) -> Callable[..., float]:
    def of(values: np.ndarray, by: Mapping[str, Any], more: Mapping[str, Any]) -> float:
        there = values[np.isfinite(values)]
        return float(function(there)) if len(there) else math.nan

    return of


_COUNTS: dict[str, Callable[..., float]] = {
    "count": lambda values, by, more: float(len(values)),
    "percent_equal": _share,
    "rate": _rate,
    "survival_median": _median,
    "survival": _survival,
    "incidence": lambda values, by, more: 100 - _survival(values, by, more),
}
_VALUES: dict[str, Callable[..., float]] = {
    "observed": lambda values, by, more: float(np.isfinite(values).sum()),
    "sum": lambda values, by, more: float(np.nansum(values)),
    "mean": _of_values(np.mean),
    "median": _of_values(np.median),
    "minimum": _of_values(np.min),
    "maximum": _of_values(np.max),
    "percent": _of_values(lambda values: 100 * values.mean()),
}
