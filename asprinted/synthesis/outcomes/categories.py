"""Outcomes in categories, ordered (kind ordinal) or not (kind category): exact counts of each first, then exchanges that leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import Study
from asprinted.study.starts import shares_of_cells, table_of
from asprinted.synthesis.outcomes import moves, start
from asprinted.synthesis.outcomes.closing import closed
from asprinted.synthesis.outcomes.described import quickened
from asprinted.synthesis.outcomes.search import settle
from asprinted.synthesis.outcomes.tallies import drawn, free, tallies
from asprinted.synthesis.outcomes.targets import Target


def ordinal(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:  # fmt: skip
    """The column of `entry` filled with values of its table's `values`, (n,) of floats and nan where not `seen`, so that every target holds.

    It starts with the counts that are printed, and the others in the shares assumed, rising with people's latent score; then two people
    of one arm (and visit) exchange their categories, and where no count forbids it one goes to a neighbouring category. Raises StudyError
    as `search.settle` does. Time and memory grow as n does, but for one sort.
    """
    values = np.asarray(study.tables[table_of(study, entry["column"])]["columns"][entry["column"]]["values"], dtype=float)
    return {entry["column"]: _made(study, entry, frame, health, seen, targets, rng, values, neighbours)}


def category(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:  # fmt: skip
    """The column of `entry` as codes of its table's `values`, 0 … K − 1, (n,) of floats and nan where not `seen`: as `ordinal`, but any category is a neighbour."""
    number = len(study.tables[table_of(study, entry["column"])]["columns"][entry["column"]]["values"])
    return {entry["column"]: _made(study, entry, frame, health, seen, targets, rng, np.arange(number, dtype=float), others)}


def _made(study, entry, frame, health, seen, targets, rng, values, changed) -> np.ndarray:
    column = entry["column"]
    table = table_of(study, column)
    names = study.tables[table]["columns"][column]["values"]
    targets = quickened(study, frame, table, [column], targets)
    strata, cells = start.cells(study, frame)
    known = tallies(study, frame, table, column, names, seen, targets)
    held = shares_of_cells(study, entry)
    shares = np.array([[held[cell].get(str(name), 0.0) for name in names] for cell in cells])
    codes = drawn(strata, (shares / shares.sum(axis=1, keepdims=True))[strata], start.latent(study, entry, frame, health, rng), known, seen)
    y = np.full(len(seen), np.nan)
    y[seen] = values[codes[seen].astype(int)]
    rows, loose = np.flatnonzero(seen), np.flatnonzero(free(known, seen))
    kinds = (moves.exchanges(strata, rows), changed(loose, values)) if len(loose) else (moves.exchanges(strata, rows),)
    y = closed(y, targets, (changed(rows, values), moves.exchanges(strata, rows)), rng)
    return settle(study, column, y, targets, kinds, rng)


def neighbours(rows: np.ndarray, values: np.ndarray) -> moves.Moves:
    """One of the `rows` (positions) goes to the category before or after its own among the ordered `values` (K,)."""

    def proposed(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = rng.choice(rows, min(count, len(rows)), replace=False)
        to = np.searchsorted(values, y[chosen]) + rng.choice((-1, 1), len(chosen))
        kept = (to >= 0) & (to < len(values))
        return chosen[kept, None], values[to[kept], None]

    return proposed


def others(rows: np.ndarray, values: np.ndarray) -> moves.Moves:
    """One of the `rows` (positions) goes to another category, whose codes are `values` (K,)."""

    def proposed(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = rng.choice(rows, min(count, len(rows)), replace=False)
        to = (y[chosen] + rng.integers(1, max(len(values), 2), len(chosen))) % len(values)
        return chosen[:, None], to[:, None]

    return proposed
