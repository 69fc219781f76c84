"""What the columns being made must print: each claim about them as a function of their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models, printed, records
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study
from asprinted.study.entries import Assumption, Claim, columns_of
from asprinted.study.rules import columns_in, conditions
from asprinted.study.together import held_near, loose
from asprinted.synthesis.outcomes.refits import Refit

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Target:
    """A statistic that must lie between two ends.

    id: of the claim or assumption. low, high: the ends, infinite where open. by: how the entry is recomputed.
    value: takes the values of the columns being made, (n,) for one and (n, 2) for two, floats in the order of the table's
    rows with nan where missing, and gives the statistic; nan where the values do not allow it.
    rows: (n,) of bool, the rows that a statistic of a table is taken of; None for a model's. refit: of a model whose covariates are
    made, its fit as a function of the values; None for others. interval: what is printed, or the bounds, exactly; else low and high
    alone decide. wish: whether it is only kept where the others leave room for it.
    """

    id: str
    low: float
    high: float
    by: Mapping[str, Any]
    value: Callable[[np.ndarray], float]
    rows: np.ndarray | None = None
    refit: Refit | None = None
    interval: printed.Interval | None = None
    wish: bool = False

    def holds(self, y: np.ndarray) -> bool:
        """Whether the statistic of `y` prints as it should, or lies within the bounds."""
        value = self.value(y)
        if not math.isfinite(value):
            return False
        return self.low < value < self.high if self.interval is None else self.interval.contains(value)

    @property
    def half(self) -> float:
        """Half the width of the interval; where it is open, a hundredth of its end, or a hundredth."""
        if math.isfinite(self.low) and math.isfinite(self.high):
            return max((self.high - self.low) / 2, 1e-12)
        ends = [abs(end) for end in (self.low, self.high) if math.isfinite(end) and end]
        return 0.01 * (ends[0] if ends else 1.0)


def targets(study: Study, tables: Mapping[str, pd.DataFrame], table: str, columns: Sequence[str], made: Iterable[str]) -> list[Target]:
    """The Targets of `columns`, which stand in `table`: every claim and bounded assumption about them that `made` columns let be computed.

    Correlations that are assumed of a score without bounds are wishes: to come as near as chance lets so many people.
    tables: as far as they are made, with every column of `columns` there (missing where nobody has a value). An entry that also needs a column
    that is not among `made` is left to that column.
    """
    known, open_ = {*made, *columns}, loose(study)
    wishes = {each.names[1] for each in open_}
    study = held_near(study, open_)
    fits: dict[tuple[str, str], Refit] = {}
    found = []
    for id, entry in (*study.claims.items(), *study.assumptions.items()):
        interval = _interval(entry)
        if interval is None:
            continue
        own = study.models[entry.by["model"]]["table"] if "model" in entry.by else entry.by["table"]
        needs = needed(study, entry.by) & set(columns_of(study, own))  # what else is named, such as functions in a formula, is no column
        if table in (own, study.tables[own].get("parent")) and needs & set(columns) and needs <= known:
            value, rows, refit = _value(study, tables, table, tuple(columns), entry.by, fits)
            target = Target(id, *_ends(interval), entry.by, value, rows, refit, interval, id in wishes)
            found.append(_counted(target, columns) if entry.by["statistic"] == "percent_observed" and rows is not None else target)
    return found


def needed(study: Study, by: Mapping[str, Any]) -> set[str]:
    """The names of columns that an entry's `by` takes into account; of a formula every name in it."""
    names = set(columns_in(conditions(study, by)))
    for field in ("outcome", "column", "event", "exposure"):
        if field in by:
            names |= {by[field]} if isinstance(by[field], str) else set(by[field])
    names |= set(by.get("between", {}))
    if "model" in by:
        spec = study.models[by["model"]]
        names |= set(_NAME.findall(spec.get("formula", "").replace("{outcome}", "")))
        names |= {spec[field] for field in ("groups", "time", "exposure") if field in spec}
        names |= set(spec.get("rows", {})) | set(spec.get("waves", {}).get("columns", {}))
        if "baseline" in spec:
            names.add(spec["baseline"]["column"])
    return names


def _interval(entry: Claim | Assumption) -> printed.Interval | None:
    """The interval that an entry's statistic must lie in; None where it asks for nothing that is a number."""
    if not entry.by or entry.by["statistic"] == "values":
        return None
    if isinstance(entry, Assumption):
        return printed.Interval(*(Decimal(bound) for bound in entry.bounds), True, True) if entry.bounds else None
    if entry.kind == "context" or entry.expect not in ("reproduced", "holds"):
        return None
    if entry.kind in ("words", "direction"):
        return printed.declared_interval(entry.declared or "")
    return printed.parse(entry.printed or "", entry.rounding).interval()


def _ends(interval: printed.Interval) -> tuple[float, float]:
    """The ends as floats; one step outside where a float that equals the end belongs to the interval."""
    lo, hi = (-math.inf if interval.lo is None else float(interval.lo)), (math.inf if interval.hi is None else float(interval.hi))
    lo = math.nextafter(lo, -math.inf) if math.isfinite(lo) and interval.contains(lo) else lo
    return lo, math.nextafter(hi, math.inf) if math.isfinite(hi) and interval.contains(hi) else hi


def _value(
    study: Study, tables: Mapping[str, pd.DataFrame], table: str, columns: tuple[str, ...], by: Mapping[str, Any], fits: dict[tuple[str, str], Refit],
) -> tuple[Callable[[np.ndarray], float], np.ndarray | None, Refit | None]:  # fmt: skip
    """The function of the columns' values that an entry's `by` means, the rows of a table's statistic, and the fit of a model's."""
    if "model" in by and study.models[by["model"]]["table"] == table and isinstance(by["outcome"], str):
        spec = study.models[by["model"]] | {"person": study.tables[table]["key"][0]}
        right = set(_NAME.findall(spec.get("formula", "~").partition("~")[2]))
        fixed = not right & set(columns) and not {"baseline", "waves"} & set(spec) and not {spec.get("groups"), *spec.get("rows", {})} & set(columns)
        if fixed and spec.get("missing") != "as-zero" and by["outcome"] == columns[-1]:
            key = (by["model"], by["outcome"])
            fits[key] = refit = fits.get(key) or Refit(study, tables, table, columns, spec, by["outcome"])
            return _of_fit(refit, by), None, refit
    elif by.get("table") == table and isinstance(by.get("column"), str) and not set(columns_in(conditions(study, by))) & set(columns):
        frame = records.joined(study, tables, table)
        rows = records.asked(study, frame, by).to_numpy()
        if by["statistic"] in _QUICK and by["column"] in columns:
            of, place = _QUICK[by["statistic"]], columns.index(by["column"])
            return (lambda y: of(_there((y[:, place] if y.ndim == 2 else y)[rows]), by)), rows, None
        return _by_reanalysis(study, tables, table, columns, by), rows, None
    return _by_reanalysis(study, tables, table, columns, by), None, None


def _of_fit(refit: Refit, by: Mapping[str, Any]) -> Callable[[np.ndarray], float]:
    """A statistic of a model's fit."""
    statistic, terms = by["statistic"], refit.terms(by)

    def value(y: np.ndarray) -> float:
        fitted = refit(y)
        if fitted is None:
            return math.nan
        try:
            found = fitted if terms is None else fitted.contrast(terms[0]) if isinstance(by["contrast"], str) else fitted.joint(terms)
            return float(getattr(found, statistic))
        except (ValueError, ArithmeticError):
            return math.nan

    return value


def _counted(target: Target, columns: Sequence[str]) -> Target:
    """The target of a share of rows that have a value as that of their number, which is what can be chosen."""
    n, shown = int(target.rows.sum()), target.interval
    interval = shown._replace(lo=shown.lo and shown.lo * n / 100, hi=shown.hi and shown.hi * n / 100)
    place = columns.index(target.by["column"])
    low, high = _ends(interval)
    by = {**target.by, "statistic": "observed"}
    return replace(target, low=low, high=high, by=by, value=lambda y: float(len(_there((y[:, place] if y.ndim == 2 else y)[target.rows]))), interval=interval)


def _by_reanalysis(study, tables, table, columns, by) -> Callable[[np.ndarray], float]:
    """The statistic as the reanalysis takes it, of the tables with the values put in: always right, and slow."""

    def value(y: np.ndarray) -> float:
        filled = tables[table].assign(**{column: named(study, table, column, values) for column, values in zip(columns, np.atleast_2d(y.T), strict=True)})
        try:
            return float(Reanalysis(study, {**tables, table: filled}).value(by))
        except (ValueError, ArithmeticError):
            return math.nan

    return value


def named(study: Study, table: str, column: str, values: np.ndarray) -> np.ndarray:
    """The values of a column as they stand in its table: those of a column of text by their places, 0 … K − 1, among the values listed for it."""
    spec = study.tables[table]["columns"][column]
    if spec["type"] != "string":
        return values
    names = np.array([*spec["values"], None], dtype=object)
    return names[np.where(np.isfinite(values), values, len(names) - 1).astype(int)]


def _there(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _sd(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _limit(values: np.ndarray, sign: int) -> float:
    half = models.quantile(0.975, len(values) - 1) * _sd(values) / math.sqrt(len(values))
    return float(values.mean() + sign * half)


def _quantile(share: float) -> Callable[[np.ndarray, Mapping[str, Any]], float]:
    return lambda values, by: float(np.quantile(values, share)) if len(values) else math.nan


_QUICK: dict[str, Callable[[np.ndarray, Mapping[str, Any]], float]] = {
    "observed": lambda values, by: float(len(values)),
    "sum": lambda values, by: float(values.sum()),
    "mean": lambda values, by: float(values.mean()) if len(values) else math.nan,
    "percent": lambda values, by: 100 * float(values.mean()) if len(values) else math.nan,
    "sd": lambda values, by: _sd(values),
    "se": lambda values, by: _sd(values) / math.sqrt(max(len(values), 1)),
    "lo": lambda values, by: _limit(values, -1) if len(values) > 1 else math.nan,
    "hi": lambda values, by: _limit(values, 1) if len(values) > 1 else math.nan,
    "median": _quantile(0.5),
    "q1": _quantile(1 / 4),
    "q3": _quantile(3 / 4),
    "iqr": lambda values, by: float(np.subtract(*np.quantile(values, (3 / 4, 1 / 4)))) if len(values) else math.nan,
    "minimum": lambda values, by: float(values.min()) if len(values) else math.nan,
    "maximum": lambda values, by: float(values.max()) if len(values) else math.nan,
    "percent_at_least": lambda values, by: 100 * float((values >= by["at_least"]).mean()) if len(values) else math.nan,
}
