"""Outcomes of yes and no (kind yes-no): exact counts first, then exchanges that leave them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import Study
from asprinted.study.starts import table_of
from asprinted.synthesis.outcomes import foreseen, moves, start
from asprinted.synthesis.outcomes.aims import Aims
from asprinted.synthesis.outcomes.closing import closed
from asprinted.synthesis.outcomes.described import quickened
from asprinted.synthesis.outcomes.scores import among, fixed_by_start
from asprinted.synthesis.outcomes.search import Unmet, settle
from asprinted.synthesis.outcomes.tallies import drawn, free, tallies
from asprinted.synthesis.outcomes.targets import Target


FORESEEN = 2_000  # exchanges of which the effects are foreseen in a round


def make(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:  # fmt: skip
    """The column of `entry` filled with 1 and 0, (n,) and nan where not `seen`, so that every target holds.

    It starts with the counts that are printed, in arms, visits and any part of them, among the people with the highest liability; then
    two answers of one arm (and visit) are exchanged, and where no count forbids it one is changed. Raises StudyError as `search.settle`
    does. Time and memory grow as n does, but for one sort.
    """
    column = entry["column"]
    table = table_of(study, column)
    targets = quickened(study, frame, table, [column], targets)
    strata, _ = start.cells(study, frame)
    known = tallies(study, frame, table, column, (0, 1), seen, targets)
    share = start.start(study, entry, "share", frame)
    decided = fixed_by_start(study, column, frame)
    open_ = np.isnan(decided)
    latent = start.latent(study, entry, frame, health, rng)
    y = drawn(strata, np.column_stack([1 - share, share]), np.where(open_, latent, np.where(decided > 0, np.inf, -np.inf)), known, seen)
    rows, loose = np.flatnonzero(seen & open_), np.flatnonzero(free(known, seen) & open_)
    flips = [moves.flips(loose)] if len(loose) else []
    others = [moves.exchanges(among(strata, targets), np.flatnonzero(open_))] if not seen.all() else []  # also who is seen
    effects = foreseen.effects(targets, Aims(targets))
    if effects is None:
        y = closed(y, targets, (opposites(strata, rows), *flips), rng)
        return {column: settle(study, column, y, targets, (opposites(strata, rows), *flips), rng)}
    for more in ([], others) if others else ([],):
        with contextlib.suppress(Unmet):
            return {column: settle(study, column, y, targets, (opposites(strata, rows, apart=False), *flips, *more), rng, effects=effects, exact=False, many=FORESEEN)}
    kinds = (opposites(strata, rows), *flips, *others)  # few people: each change counts, and none is small
    y = closed(y, targets, kinds, rng)
    return {column: settle(study, column, y, targets, kinds, rng)}


def opposites(strata: np.ndarray, rows: np.ndarray, apart: bool = True) -> moves.Moves:
    """A yes and a no of one stratum are exchanged: every count of a stratum stays. strata: (n,) codes of all rows; rows: positions.

    apart: whether no row stands in two proposals; else each no is drawn anew for every yes.
    """

    def proposed(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        answers = y[rows] > 0
        if not apart:
            pairs = np.column_stack([rng.choice(rows[answers == value], count) for value in (False, True)]) if 0 < answers.sum() < len(rows) else np.zeros((0, 2), dtype=np.int64)
            pairs = np.unique(pairs[strata[pairs[:, 0]] == strata[pairs[:, 1]]], axis=0)
            return pairs, y[pairs[:, ::-1]]
        sides = [_some(rows[answers == value], 2 * count, rng) for value in (False, True)]
        places = [_numbered(strata[side]) for side in sides]
        keys = [strata[side] * len(rows) + place for side, place in zip(sides, places, strict=True)]
        _, no, yes = np.intersect1d(*keys, assume_unique=True, return_indices=True)
        pairs = np.column_stack([sides[0][no], sides[1][yes]])
        pairs = pairs[rng.permutation(len(pairs))[:count]]
        return pairs, y[pairs[:, ::-1]]

    return proposed


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(rows, min(count, len(rows)), replace=False) if len(rows) else rows


def _numbered(codes: np.ndarray) -> np.ndarray:
    """The number of each place (m,) among those of its code, from 0."""
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]
    begins = np.searchsorted(ranked, ranked, side="left")
    numbers = np.empty(len(codes), dtype=np.int64)
    numbers[order] = np.arange(len(codes)) - begins
    return numbers
