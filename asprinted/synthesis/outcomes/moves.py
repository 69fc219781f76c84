"""Small changes of a column, from which the search chooses: exchanges, steps, transfers and flips.

Each function gives a proposer, `moves(y, count, rng) -> (rows, values)`: at most `count` moves, rows (m, k) and the values (m, k) that
these rows are to take; no row stands in two moves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Moves = Callable[[np.ndarray, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def exchanges(codes: np.ndarray, rows: np.ndarray, low: np.ndarray | float = -np.inf, high: np.ndarray | float = np.inf) -> Moves:
    """Two of the `rows` (positions) of one cell exchange their values: what each cell holds stays as it is. codes: (n,) cells, of all rows.

    A row without a value takes one from another, so that who is seen changes, and not how many. low, high: bounds of every row, or (n,) of each,
    in columns of one value.
    """

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pairs = _pairs(codes, rows, count, rng)
        first, second = (y[pairs[:, side]].reshape(len(pairs), -1) for side in (0, 1))
        pairs = pairs[((first != second) & ~(np.isnan(first) & np.isnan(second))).any(axis=1)]
        values = y[pairs[:, ::-1]]
        kept = _within(values, pairs, low, high) if y.ndim == 1 else slice(None)
        return pairs[kept], values[kept]

    return moves


def steps(rows: np.ndarray, step: float, low: np.ndarray | float = -np.inf, high: np.ndarray | float = np.inf, reach: int = 1) -> Moves:
    """One of the `rows` goes up or down by `step`, or by up to `reach` of them, within the bounds: those of all rows, or (n,) of each."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = _some(rows, count, rng)
        values = (y[chosen] + step * rng.choice((-1.0, 1.0), len(chosen)) * rng.integers(1, reach + 1, len(chosen)))[:, None]
        kept = _within(values, chosen[:, None], low - step / 2, high + step / 2)
        return chosen[kept, None], values[kept]

    return moves


def transfers(codes: np.ndarray, rows: np.ndarray, step: float, low: np.ndarray | float = -np.inf, high: np.ndarray | float = np.inf) -> Moves:
    """One of the `rows` goes up by `step` and another of its cell down: sums of cells stay as they are."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pairs = _pairs(codes, rows, count, rng)
        values = y[pairs] + np.array([step, -step])
        kept = _within(values, pairs, low - step / 2, high + step / 2)
        return pairs[kept], values[kept]

    return moves


def flips(rows: np.ndarray) -> Moves:
    """One of the `rows` turns from 0 to 1 or from 1 to 0."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = _some(rows, count, rng)
        return chosen[:, None], 1.0 - y[chosen][:, None]

    return moves


def _within(values: np.ndarray, rows: np.ndarray, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """The moves (m,) whose values (m, k) all lie within the bounds of their rows (m, k); a missing value lies anywhere."""
    least, most = (end if np.ndim(end) == 0 else end[rows] for end in (low, high))
    return ~((values < least) | (values > most)).any(axis=1)


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """At most `count` different ones of the rows, in random order."""
    if count >= len(rows):
        return rng.permutation(rows)
    if 4 * count < len(rows):  # drawing a few of many: those drawn twice are left out
        drawn = rng.integers(len(rows), size=count)
        return rows[drawn[np.sort(np.unique(drawn, return_index=True)[1])]]
    return rng.choice(rows, count, replace=False)


def _pairs(codes: np.ndarray, rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """At most `count` pairs (m, 2) of rows of the same cell, each row in one pair."""
    chosen = _some(rows, 2 * count + len(np.unique(codes[rows[:1000]])), rng)
    chosen = chosen[np.argsort(codes[chosen], kind="stable")]
    first, second = chosen[:-1], chosen[1:]
    same = codes[first] == codes[second]
    place = np.arange(len(same))
    start = np.maximum.accumulate(np.where(np.append(True, ~same[:-1]), place, 0)) if len(same) else place
    take = same & ((place - start) % 2 == 0)
    pairs = np.column_stack([first[take], second[take]])
    return pairs[rng.permutation(len(pairs))[:count]]
