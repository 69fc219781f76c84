"""Small changes of times and events, from which the search chooses; rows are (time, event)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asprinted.synthesis.outcomes.moves import Moves, exchanges
from asprinted.synthesis.outcomes.targets import Target

AROUND = 6  # people on either side of a printed time whose own times are moved to meet it
PLACED = ("survival_median", "survival", "incidence", "median", "q1", "q3", "iqr", "minimum", "maximum")


class Bounds(NamedTuple):
    """unit: the smallest difference of two times, and the smallest time; first, last: the shortest and the longest follow-up."""

    unit: float
    first: float
    last: float


def kinds(strata: np.ndarray, rows: np.ndarray, loose: np.ndarray, bounds: Bounds, targets: Sequence[Target]) -> list[Moves]:
    """The proposers for people in cells `strata` (n,) with values in `rows`; `loose`: rows whose events no count forbids to change."""
    found = [across(strata, rows), exchanges(strata, rows), shifted(rows, bounds)]
    if bounds.first < bounds.last:
        found.append(relabelled(strata, rows, bounds))
    if len(loose):
        found.append(turned(loose, bounds))
    placed = [target for target in targets if target.by["statistic"] in PLACED and "model" not in target.by]
    return [*found, nearby(placed, rows, bounds)] if placed else found


def across(strata: np.ndarray, rows: np.ndarray) -> Moves:
    """Two people of different cells and alike in their event exchange their times, over a distance in the order of times that is drawn anew each time."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        some = rng.choice(rows, min(6 * count, len(rows)), replace=False)
        some = some[np.lexsort((y[some, 0], y[some, 1]))]
        stride = max(1, int((len(some) / 2) ** rng.random()))
        place = np.arange(len(some) - stride)
        place = place[(place // stride) % 2 == 0]
        pairs = np.column_stack([some[place], some[place + stride]])
        kept = (strata[pairs[:, 0]] != strata[pairs[:, 1]]) & (y[pairs[:, 0], 1] == y[pairs[:, 1], 1]) & (y[pairs[:, 0], 0] != y[pairs[:, 1], 0])
        pairs = pairs[kept]
        pairs = pairs[rng.permutation(len(pairs))[:count]]
        return pairs, y[pairs[:, ::-1]]

    return moves


def shifted(rows: np.ndarray, bounds: Bounds) -> Moves:
    """One person's time goes up or down, by a unit or by a good deal more."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        some = rng.choice(rows, min(count, len(rows)), replace=False)
        reach = max(bounds.last / bounds.unit / 5, 1.0)
        return _placed(y, some, np.floor(reach ** rng.random(len(some))) * rng.choice((-1.0, 1.0), len(some)), bounds)

    return moves


def relabelled(strata: np.ndarray, rows: np.ndarray, bounds: Bounds) -> Moves:
    """Of two people of one cell, both followed as long as anybody must be, the one with the event has it no more and the other has it."""
    pairs = exchanges(strata, rows)

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        both, _ = pairs(y, 4 * count, rng)
        kept = (y[both[:, 0], 1] != y[both[:, 1], 1]) & (y[both, 0] >= bounds.first).all(axis=1)
        both = both[kept][:count]
        values = y[both]
        values[:, :, 1] = values[:, ::-1, 1]
        return both, values

    return moves


def turned(rows: np.ndarray, bounds: Bounds) -> Moves:
    """One person's event becomes the end of following, or the other way round."""

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        some = rng.choice(rows, min(count, len(rows)), replace=False)
        time, event = y[some].T
        end = bounds.first + (bounds.last - bounds.first) * rng.random(len(some))
        then = np.where(event > 0, np.maximum(time, end), time * rng.random(len(some)))
        then = np.clip(np.rint(then / bounds.unit) * bounds.unit, bounds.unit, bounds.last)
        return some[:, None], np.column_stack([then, 1 - event])[:, None]

    return moves


def nearby(targets: Sequence[Target], rows: np.ndarray, bounds: Bounds) -> Moves:
    """A person near a printed time, or near where it stands now, is moved about it: what medians and shares of a curve depend on."""
    times = [float(target.by["at"]) if "at" in target.by else (target.low + target.high) / 2 for target in targets]
    allowed = np.zeros(rows.max() + 1, dtype=bool)
    allowed[rows] = True

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = []
        for target, time in zip(targets, times, strict=True):
            own = rows if target.rows is None else np.flatnonzero(target.rows[: len(allowed)] & allowed)
            now = target.value(y)
            for at in {time, now} if "at" not in target.by and math.isfinite(now) else {time}:
                if math.isfinite(at) and len(own):
                    near = np.argsort(np.abs(y[own, 0] - at), kind="stable")[: 2 * AROUND]
                    chosen.append(own[near])
        some = np.unique(np.concatenate(chosen)) if chosen else rows[:0]
        some = some[rng.permutation(len(some))[:count]]
        aims = np.array([time for time in times if math.isfinite(time)] or [bounds.last])
        gap = (aims[np.abs(aims[None] - y[some, :1]).argmin(axis=1)] - y[some, 0]) / bounds.unit if len(some) else np.zeros(0)
        step = np.where(rng.random(len(some)) < 0.5, rng.choice((-1.0, 1.0), len(some)), np.rint(gap * 2 * rng.random(len(some))))
        return _placed(y, some, step, bounds)

    return moves


def _placed(y: np.ndarray, some: np.ndarray, steps: np.ndarray, bounds: Bounds) -> tuple[np.ndarray, np.ndarray]:
    """The rows and values (m, 1), (m, 1, 2) of people whose times go so many units up or down, as far as they may; those that stay are left out."""
    time, event = y[some].T
    low = np.where(event > 0, bounds.unit, bounds.first)
    then = np.clip(np.rint(time / bounds.unit + steps) * bounds.unit, low, bounds.last)
    moved = then != time
    return some[moved, None], np.column_stack([then, event])[moved, None]
