"""The columns that a formula makes of a table, computed once for each pattern of its values.

A thousand rows of a trial are mostly a handful of patterns, such as arm and visit, and many tables have the same ones.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import patsy

MOST = 200  # patterns; a formula with more is read row by row
KEPT = 256  # sets of patterns that are remembered
CODINGS = {"Treatment", "Sum", "Helmert", "Poly", "Diff"}


@dataclass(frozen=True)
class Columns:
    """What a formula makes of a table. X: (n, p). complete: (n,) whether nothing is missing in the row; X holds such rows alone.

    info: patsy's columns. known: contrasts that were asked before, by what the first row is like; see `contrasts`.
    """

    X: np.ndarray
    complete: np.ndarray
    info: patsy.DesignInfo
    codes: np.ndarray | None = None
    known: dict[int, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)

    def contrasts(self, place: int) -> dict[str, np.ndarray]:
        """The contrasts known of tables with these patterns whose first row is as the row `place` of X is; to be added to."""
        return self.known.setdefault(-1 if self.codes is None else int(self.codes[place]), {})


def columns(right: str, table: pd.DataFrame) -> Columns:
    """The Columns of what stands right of "~". Raises patsy.PatsyError where it cannot be read."""
    names = _plain_names(right)
    if names is None or not set(names) <= set(table.columns):
        return _row_by_row(right, table)
    complete = np.ones(len(table), dtype=bool)
    codes, size = np.zeros(len(table), dtype=np.int64), 1
    for name in names:
        own, values = pd.factorize(table[name], sort=True)
        complete &= own >= 0
        size *= max(len(values), 1)
        codes = codes * max(len(values), 1) + own
        if size > MOST**2:
            return _row_by_row(right, table)
    kinds, first, codes = np.unique(codes[complete], return_index=True, return_inverse=True)
    if not 0 < len(kinds) <= MOST:
        return _row_by_row(right, table)
    rows = table[list(names)].iloc[np.flatnonzero(complete)[first]]
    info, X, known = _of_patterns(right, tuple((name, str(values.dtype), tuple(values.tolist())) for name, values in rows.items()))
    return Columns(X[codes], complete, info, codes, known)


def _row_by_row(right: str, table: pd.DataFrame) -> Columns:
    found = patsy.dmatrix(right, table, NA_action="drop", return_type="dataframe")
    return Columns(found.to_numpy(dtype=float), table.index.isin(found.index), found.design_info)


@functools.lru_cache(maxsize=KEPT)
def _plain_names(right: str) -> tuple[str, ...] | None:
    """The columns that a formula takes as they are, or by C(…); None where it does anything else with one, which may depend on other rows."""
    try:
        terms = patsy.ModelDesc.from_formula(right).rhs_termlist
    except patsy.PatsyError:
        return None
    names = {}
    for code in (factor.code for term in terms for factor in term.factors):
        node = ast.parse(code, mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "C" and node.args:
            used = [each.id for part in [*node.args[1:], *(word.value for word in node.keywords)] for each in ast.walk(part) if isinstance(each, ast.Name)]
            node = node.args[0] if set(used) <= CODINGS else None
        if not isinstance(node, ast.Name):
            return None
        names[node.id] = None
    return tuple(names)


@functools.lru_cache(maxsize=KEPT)
def _of_patterns(right: str, values: tuple[tuple[str, str, tuple], ...]) -> tuple[patsy.DesignInfo, np.ndarray, dict[int, dict[str, np.ndarray]]]:
    """patsy's columns, the (patterns, p) design, and room for contrasts. values: name, type and a value a pattern of each column."""
    rows = pd.DataFrame({name: pd.Series(list(each), dtype=dtype) for name, dtype, each in values}) if values else pd.DataFrame(index=[0])
    found = patsy.dmatrix(right, rows, NA_action="raise", return_type="dataframe")
    return found.design_info, found.to_numpy(dtype=float), {}
