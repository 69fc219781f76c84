"""The rows and columns that a formula asks of a table: which rows are used, their design matrix, and contrasts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import patsy

from asprinted.models.patterns import columns

PROPORTIONS = ("risk-ratio", "risk-difference")  # families without a formula, of the cells that their contrasts name
WITHOUT_INTERCEPT = ("cox", "ordinal", "log-rank")
GROUPED = ("rank-sum", "chi-squared")  # tests that compare the levels of what stands right of '~'


@dataclass(frozen=True)
class Design:
    """The rows that a model uses, and how to predict at given values.

    y: (n,) outcome. X: (n, p). groups: (n,) codes 0 … G−1; a row whose group is missing is a group of its own, and of a test
    of ranks or of a table they are the groups compared.
    rows: (n,) positions in the table, or in the stacked table where the model has waves. info: patsy's columns;
    intercept: its place among them where X leaves it out, else None. first: the first row used.
    time, exposure: (n,) where the model has one, else None. outcome: the name of y. known: contrasts that were asked before.
    """

    y: np.ndarray
    X: np.ndarray
    groups: np.ndarray
    rows: np.ndarray
    info: patsy.DesignInfo
    first: pd.DataFrame
    time: np.ndarray | None = None
    intercept: int | None = None
    exposure: np.ndarray | None = None
    outcome: str = ""
    known: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def contrast(self, terms: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The (p,) weights on the coefficients; a column that a term leaves out takes its value in the first row.

        Raises ValueError where a term names a value that the rows do not have, or where an intercept that the model
        does not estimate would not cancel.
        """
        asked = repr(terms)
        if asked not in self.known:
            self.known[asked] = self._contrast(terms)
        return self.known[asked]

    def _contrast(self, terms: Sequence[Mapping[str, Any]]) -> np.ndarray:
        total = np.zeros(len(self.info.column_names))
        for term in terms:
            at = pd.concat([self.first], ignore_index=True).assign(**term["at"])
            try:
                row = np.asarray(patsy.build_design_matrices([self.info], at)[0])[0]
            except patsy.PatsyError as error:
                raise ValueError(f"no contrast at {term['at']!r}: {error.message}") from None
            total += term["weight"] * row
        if self.intercept is None:
            return total
        if abs(total[self.intercept]) > 1e-9:
            raise ValueError(f"the weights of the contrast add up to {total[self.intercept]:g}: give a difference, the model has no intercept")
        return np.delete(total, self.intercept)


def design(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Design:
    """The Design of a formula model on the rows of `frame` that have no missing value in it.

    model.rows, column: value or list of values, says which rows are used. model.baseline, {column, value}, adds a column
    `baseline`: the outcome of the same person (column model.person, else `id`) in the row that has that value. model.time
    names a column of times: events after model.until count as rows followed to that time without one. model.exposure names
    one of time at risk. In the families cox, ordinal and log-rank no intercept stands in X. A chi-squared test's outcome may be
    text: y then holds codes in the order of the alphabet. In the families of proportions, which have no formula, X has a column for each cell of
    the columns that model.contrasts name, and with model.missing as-zero a missing outcome is 0.
    Raises ValueError where the formula or a column cannot be read, no row is left, or the rows do not determine
    every coefficient.
    """
    if model["family"] in PROPORTIONS:
        return _cells(model, frame, outcome)
    formula = model["formula"].replace("{outcome}", outcome)
    left, _, right = formula.partition("~")
    left = left.strip()
    table, used = asked_rows(model, frame, outcome)
    try:
        found = columns(right, table)
    except patsy.PatsyError as error:
        raise ValueError(f"formula {formula!r} cannot be read: {error.message}") from None
    info = found.info
    y = _numbers(table, left) if model["family"] != "chi-squared" else _values(table, left)
    beside = {part: _numbers(table, model[part]) for part in ("time", "exposure") if part in model}
    keep = found.complete & np.isfinite([y, *beside.values()]).all(axis=0)
    if not keep.any():
        raise ValueError(f"formula {formula!r} leaves no row: every row has a missing value")
    places = np.flatnonzero(keep[found.complete])  # of the rows used, among those of X
    y, matrix, beside = y[keep], found.X[places], {part: values[keep] for part, values in beside.items()}
    rank = np.linalg.matrix_rank(matrix if found.codes is None else matrix[np.unique(found.codes[places], return_index=True)[1]])
    if rank < matrix.shape[1]:
        raise ValueError(f"formula {formula!r} gives a design of rank {rank} for {matrix.shape[1]} coefficients: a level has no rows")
    intercept = _intercept(formula, info, model["family"]) if model["family"] in WITHOUT_INTERCEPT else None
    if "time" in beside:
        until = model.get("until", np.inf)
        y, beside["time"] = np.where(beside["time"] > until, 0.0, y), np.minimum(beside["time"], until)
    groups = _codes((_column(table, model["groups"]) if "groups" in model else pd.Series(np.arange(len(table))))[keep])
    if model["family"] in GROUPED:
        groups = np.unique(matrix, axis=0, return_inverse=True)[1].ravel()
    if intercept is not None:
        matrix = np.delete(matrix, intercept, axis=1)
    first = table.iloc[[int(np.argmax(keep))]].reset_index(drop=True)
    known = found.contrasts(places[0]) if intercept is None else {}
    return Design(y, matrix, groups, np.flatnonzero(used)[keep], info, first, intercept=intercept, outcome=left, known=known, **beside)


def _cells(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Design:
    """The Design of a model of proportions."""
    used = used_rows(model, frame)
    table = frame[used].reset_index(drop=True)
    y = _numbers(table, outcome)
    if model.get("missing") == "as-zero":
        y = np.where(np.isfinite(y), y, 0.0)
    names = sorted({column for terms in model["contrasts"].values() for term in terms for column in term["at"]})
    keep = np.isfinite(y) & np.logical_and.reduce([_column(table, name).notna() for name in names])
    if not keep.any():
        raise ValueError(f"no row has an outcome {outcome!r}: every one is missing")
    table = _plain(table[keep]).reset_index(drop=True)
    found = columns("0 + " + ":".join(f"C({name})" for name in names), table)
    matrix = found.X
    if not matrix.any(axis=0).all():
        raise ValueError(f"some value of {names[0]!r} has no row with some value of {' and '.join(map(repr, names[1:]))}: name one column in the contrasts")
    return Design(y[keep], matrix, np.arange(len(table)), np.flatnonzero(used)[keep], found.info, table.head(1), outcome=outcome, known=found.contrasts(0))


def asked_rows(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of `frame` that a formula model is asked to use, missing values among them, and which rows of the stacked table these are.

    Waves are stacked, and the column `baseline` is there where the model has one. Raises ValueError as `design` does.
    """
    formula = model["formula"].replace("{outcome}", outcome)
    left = formula.partition("~")[0].strip()
    stacked = _stacked(model, frame)
    if left not in stacked:
        raise ValueError(f"formula {formula!r} cannot be read: what stands left of '~' is not a column")
    used = used_rows(model, stacked)
    table = _with_baseline(model, stacked, left)
    return _plain(table if used.all() else table[used]), used


def used_rows(model: Mapping[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Which rows of `frame` model.rows keeps, (n,) of bool; all where it names none. Raises ValueError where none is left."""
    keep = np.ones(len(frame), dtype=bool)
    for column, wanted in model.get("rows", {}).items():
        keep &= _column(frame, column).isin(wanted if isinstance(wanted, list) else [wanted]).to_numpy()
    if not keep.any():
        raise ValueError(f"no row has {model.get('rows', {})!r}: give values that the table has")
    return keep


def _stacked(model: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the columns named in model.waves stacked into one row a time; rows numbered from 0."""
    waves = model.get("waves")
    if not waves:
        return frame.reset_index(drop=True)
    times = [
        frame.assign(**{waves["time"]: time, waves["outcome"]: frame[column]}) for column, time in waves["columns"].items()
    ]
    return pd.concat(times, ignore_index=True)


def _with_baseline(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """`frame` with a column `baseline`, where the model asks for it: the person's outcome at the visit that it names."""
    if "baseline" not in model:
        return frame
    if "baseline" in frame:
        raise ValueError("the table already has a column 'baseline': rename it")
    visit, value, person = model["baseline"]["column"], model["baseline"]["value"], model.get("person", "id")
    people, there = _column(frame, person), _column(frame, visit).isin([value]).to_numpy()
    first = pd.Series(_numbers(frame, outcome)[there], people[there])
    if first.empty:
        raise ValueError(f"no row has {visit} {value!r}: give the visit whose {outcome} is the baseline")
    if not first.index.is_unique:
        raise ValueError(f"{person} {first.index[first.index.duplicated()][0]} has two rows with {visit} {value!r}: its baseline must be one")
    return frame.assign(baseline=people.map(first))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with nan in place of pd.NA in columns of numbers: patsy knows no pd.NA."""
    types = frame.dtypes
    nullable = [name for name, kind in types.items() if pd.api.types.is_extension_array_dtype(kind) and pd.api.types.is_numeric_dtype(kind)]
    return frame.assign(**{name: frame[name].to_numpy(dtype=float, na_value=np.nan) for name in nullable if frame[name].hasnans})


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise ValueError(f"the table has no column {name!r}: give one of {', '.join(map(str, frame.columns))}")
    return frame[name]


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return pd.to_numeric(_column(frame, name)).to_numpy(dtype=float, na_value=np.nan)


def _values(frame: pd.DataFrame, name: str) -> np.ndarray:
    """The numbers of a column, or where it holds text the places of its values in the order of the alphabet; nan where missing."""
    values = _column(frame, name)
    if pd.api.types.is_numeric_dtype(values):
        return _numbers(frame, name)
    codes, _ = pd.factorize(values, sort=True)
    return np.where(codes < 0, np.nan, codes)


def _intercept(formula: str, info: patsy.DesignInfo, family: str) -> int:
    if "Intercept" not in info.column_names:
        what = {"cox": "a Cox model", "ordinal": "an ordinal model", "log-rank": "the log-rank test"}[family]
        raise ValueError(f"formula {formula!r} has no intercept to leave out: write it without '0 +', {what} drops its intercept itself")
    return info.column_names.index("Intercept")


def _codes(groups: pd.Series) -> np.ndarray:
    """Codes 0 … G−1 in order of appearance; a missing group is a group of its own, after the named ones."""
    codes, names = pd.factorize(groups)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(names) + np.arange(len(alone))
    return codes
