"""The rows and columns that a formula asks of a table: which rows are used, their design matrix, and contrasts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy


@dataclass(frozen=True)
class Design:
    """The rows that a model uses, and how to predict at given values.

    y: (n,) outcome. X: (n, p). groups: (n,) codes 0 … G−1; a row whose group is missing is a group of its own.
    rows: (n,) positions in the table, or in the stacked table where the model has waves. info: patsy's columns;
    intercept: its place among them where X leaves it out, else None. first: the first row used.
    time: (n,) where the model has a time, else None.
    """

    y: np.ndarray
    X: np.ndarray
    groups: np.ndarray
    rows: np.ndarray
    info: patsy.DesignInfo
    first: pd.DataFrame
    time: np.ndarray | None = None
    intercept: int | None = None

    def contrast(self, terms: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The (p,) weights on the coefficients; a column that a term leaves out takes its value in the first row.

        Raises ValueError where a term names a value that the rows do not have, or where an intercept that the model
        does not estimate would not cancel.
        """
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
    `baseline`: the outcome of the same person (column model.person, else `id`) in the row that has that value. In the
    family cox, model.time is a column, events after model.until count as rows followed to that time without one, and
    no intercept stands in X.
    Raises ValueError where the formula or a column cannot be read, no row is left, or the rows do not determine
    every coefficient.
    """
    formula = model["formula"].replace("{outcome}", outcome)
    left, _, right = formula.partition("~")
    left = left.strip()
    stacked = _stacked(model, frame)
    if left not in stacked:
        raise ValueError(f"formula {formula!r} cannot be read: what stands left of '~' is not a column")
    used = used_rows(model, stacked)
    table = _plain(_with_baseline(model, stacked, left)[used])
    try:
        columns = patsy.dmatrix(right, table, NA_action="drop", return_type="dataframe")
    except patsy.PatsyError as error:
        raise ValueError(f"formula {formula!r} cannot be read: {error.message}") from None
    info = columns.design_info
    y, time = _numbers(table, left), None
    keep = table.index.isin(columns.index) & np.isfinite(y)
    if model["family"] == "cox":
        time = _numbers(table, model["time"])
        keep &= np.isfinite(time)
    if not keep.any():
        raise ValueError(f"formula {formula!r} leaves no row: every row has a missing value")
    y, matrix = y[keep], columns.loc[table.index[keep]].to_numpy(dtype=float)
    rank = np.linalg.matrix_rank(matrix)
    if rank < matrix.shape[1]:
        raise ValueError(f"formula {formula!r} gives a design of rank {rank} for {matrix.shape[1]} coefficients: a level has no rows")
    intercept = None
    if time is not None:
        until, intercept = model.get("until", np.inf), _intercept(formula, info)
        y, time = np.where(time[keep] > until, 0.0, y), np.minimum(time[keep], until)
        matrix = np.delete(matrix, intercept, axis=1)
    groups = _column(table, model["groups"]) if "groups" in model else pd.Series(np.arange(len(table)))
    first = table[keep].head(1).reset_index(drop=True)
    return Design(y, matrix, _codes(groups[keep]), np.flatnonzero(used)[keep], info, first, time, intercept)


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
    return frame.astype({name: float for name, values in frame.items() if pd.api.types.is_numeric_dtype(values) and values.hasnans})


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise ValueError(f"the table has no column {name!r}: give one of {', '.join(map(str, frame.columns))}")
    return frame[name]


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    return pd.to_numeric(_column(frame, name)).to_numpy(dtype=float, na_value=np.nan)


def _intercept(formula: str, info: patsy.DesignInfo) -> int:
    if "Intercept" not in info.column_names:
        raise ValueError(f"formula {formula!r} has no intercept to leave out: write it without '0 +', a Cox model drops its intercept itself")
    return info.column_names.index("Intercept")


def _codes(groups: pd.Series) -> np.ndarray:
    """Codes 0 … G−1 in order of appearance; a missing group is a group of its own, after the named ones."""
    codes, names = pd.factorize(groups)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(names) + np.arange(len(alone))
    return codes
