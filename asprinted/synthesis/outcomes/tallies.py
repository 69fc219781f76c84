"""How many people have which value: what is printed of it, and the draw that begins there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from asprinted import records
from asprinted.study import Study
from asprinted.study.rules import conditions
from asprinted.synthesis.outcomes.targets import Target

ROUNDS = 500  # of proportional fitting, at most
CLOSE = 1e-6  # people: where it ends


@dataclass(frozen=True)
class Tally:
    """Of the rows (n,) of bool, from `low` to `high` have one of the values whose codes are named."""

    rows: np.ndarray
    codes: tuple[int, ...]
    low: float
    high: float

    @property
    def aim(self) -> float:
        """A number of people in the interval: its middle, in whole people where one fits; an end where it is open."""
        if not math.isfinite(self.low + self.high):
            return max(self.low + 0.5, 0.0) if math.isfinite(self.low) else self.high - 0.5 if math.isfinite(self.high) else float(self.rows.sum()) / 2
        middle = (self.low + self.high) / 2
        return float(np.rint(middle)) if self.low < np.rint(middle) < self.high else middle


def tallies(study: Study, frame: pd.DataFrame, table: str, column: str, values: Sequence[Any], seen: np.ndarray, targets: Iterable[Target]) -> list[Tally]:
    """What the targets say of how many of the rows that are `seen`, (n,) of bool, have which of the `values` of `column`.

    Counts, percentages and, of 0 and 1, sums and means. frame: the rows of `table`, joined. Targets about anything else are passed over.
    """
    found = []
    for target in targets:
        by, all_codes = target.by, range(len(values))
        if by.get("table") != table or "rule" in by or by["statistic"] not in ("count", "sum", "mean", "percent", "percent_equal"):
            continue
        own = [wanted for filter in conditions(study, by) for name, wanted in filter.items() if name == column]
        rest = {name: wanted for name, wanted in by.get("filter", {}).items() if name != column}
        if by["statistic"] == "count":
            if len(own) != 1 or by.get("column", column) != column:
                continue
            codes, share = tuple(code for code in all_codes if _meets(values[code], own[0])), None
        elif by.get("column") != column or own:
            continue
        elif by["statistic"] == "percent_equal":
            codes, share = tuple(code for code in all_codes if values[code] == by["equals"]), 100.0
        elif set(values) == {0, 1}:
            codes, share = (list(values).index(1),), {"sum": None, "mean": 1.0, "percent": 100.0}[by["statistic"]]
        else:
            continue
        if not rest.keys() <= set(frame.columns):
            continue
        rows = records.asked(study, frame, {"filter": rest}).to_numpy() & seen
        unit = 1.0 if share is None else rows.sum() / share
        if rows.any() and codes:
            everybody = rows.sum() + 0.5  # an open end, as of "over 80%", is nobody or everybody
            found.append(Tally(rows, codes, max(target.low * unit, -0.5), min(target.high * unit, everybody)))
    return found


def free(known: Iterable[Tally], seen: np.ndarray) -> np.ndarray:
    """Which rows, (n,) of bool, no tally holds to one whole number of people."""
    loose = seen.copy()
    for tally in known:
        if math.ceil(tally.high) - math.floor(tally.low) <= 2:  # one whole number lies between the ends
            loose &= ~tally.rows
    return loose


def _meets(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return wanted.get("from", -math.inf) <= value <= wanted.get("to", math.inf)
    return value in (wanted if isinstance(wanted, list) else [wanted])


def drawn(strata: np.ndarray, shares: np.ndarray, latent: np.ndarray, known: Sequence[Tally], seen: np.ndarray) -> np.ndarray:
    """Codes (n,) as floats, nan where not `seen`: in each stratum the shares of its rows, changed to meet every tally, and rising with `latent`.

    strata: (n,) codes; shares: (n, K), the same in all rows of a stratum; latent: (n,). Shares are fitted to the tallies by iterative
    proportional fitting (Deming and Stephan 1940, Ann Math Stat 11:427) and rounded along the cells of a stratum, so that its own total
    is met to the nearest person. Tallies that cannot stand together are met as far as they can.
    """
    rows = np.flatnonzero(seen)
    marks = np.column_stack([strata[rows], *(tally.rows[rows] for tally in known)]).astype(np.int64)
    cells, codes, sizes = _partition(marks)
    expected = shares[rows][_first(codes, len(sizes))] * sizes[:, None]
    expected = np.maximum(expected, 1e-9 * sizes[:, None])
    inside = [cells[:, 1 + number] > 0 for number in range(len(known))]
    for _ in range(ROUNDS if known else 0):
        moved = 0.0
        for tally, own in zip(known, inside, strict=True):
            names, total = list(tally.codes), expected[own].sum()
            there = expected[np.ix_(own, names)].sum()
            aim = there if tally.low < there < tally.high and tally.high - tally.low > 1 else min(max(tally.aim, 0.0), total)
            moved = max(moved, abs(there - aim))
            part = expected[own]
            others = [code for code in range(part.shape[1]) if code not in names]
            part[:, names] *= aim / max(there, 1e-300)
            part[:, others] *= (total - aim) / max(total - there, 1e-300)
            expected[own] = part * (sizes[own] / part.sum(axis=1).clip(1e-300))[:, None]
        if moved < CLOSE:
            break
    counts = _whole(expected, sizes, cells[:, 0])
    order = np.lexsort((latent[rows], codes))
    begins = np.cumsum(sizes) - sizes
    place = np.arange(len(rows)) - begins[codes[order]]
    values = np.full(len(seen), np.nan)
    values[rows[order]] = (place[:, None] >= np.cumsum(counts, axis=1)[codes[order]]).sum(axis=1)
    return values


def _partition(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct rows of `marks` (n, m), the code of each row, and how many rows have it; columns are folded in one by one."""
    codes = np.zeros(len(marks), dtype=np.int64)
    for column in marks.T:
        codes = np.unique(codes * (int(column.max()) + 1) + column, return_inverse=True)[1]
    sizes = np.bincount(codes)
    return marks[_first(codes, len(sizes))], codes, sizes


def _first(codes: np.ndarray, number: int) -> np.ndarray:
    first = np.zeros(number, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _whole(expected: np.ndarray, sizes: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Whole counts (C, K) near the expected ones, each cell with its size; cumulated along the cells of a stratum, they are off by half a person at most."""
    below = np.zeros((len(sizes), expected.shape[1] + 1), dtype=np.int64)
    below[:, -1] = sizes
    edges = np.cumsum(expected, axis=1)
    for stratum in np.unique(strata):
        own = strata == stratum
        for code in range(expected.shape[1] - 1):
            whole = np.diff(np.rint(np.cumsum(edges[own, code]) + 1e-9), prepend=0.0)
            below[own, code + 1] = np.clip(whole, below[own, code], sizes[own])
    return np.diff(below, axis=1)
