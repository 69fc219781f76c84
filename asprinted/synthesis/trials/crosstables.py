"""Tables of events of many trials that print given statistics, where people may stand in either arm of their trial.

`measures.counts_that_print` keeps the arms that it is given. Where a review prints many numbers at once, and arms are not printed, a few people
in the other arm move an effect less than one event does, so that there are many more tables to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from asprinted.models.effects import MEASURES
from asprinted.synthesis.trials.arms import EDGE, missed, unfound
from asprinted.synthesis.trials.continuous import crossed
from asprinted.synthesis.trials.measures import counts_that_print, least_error, real_events, slacks
from asprinted.synthesis.trials.targets import Band, Target, bands

__all__ = ["tables_that_print"]

MANY = 4  # trials up to which counts_that_print, whose search is thorough, takes little time
STARTS, KICKS, SHAKEN = 8, 5, 4  # searches from real effects, each with so many from the best of it in which so many trials are changed at random
SLIGHT, STALLED = 0.1, 3  # the slack, in half widths, at which a search stops; rounds in vain after which it is given up
PARTNERS, JUDGED = 100, 200  # changes of one trial that are tried with every other, and pairs of them that are judged
UNEVEN = 1 / 12  # the share of a trial's people who may stand in the other arm
# Steps of a, n₁, c, n₂: events of either arm, and people who change from the second to the first.
STEPS = np.array([(a, people, c, -people) for a, c in product((0, 1, -1), repeat=2) for people in (0, 1, -1, 2, -2, 3, -3) if a or c or people])
COUNTS = np.array([(a, 0, c, 0) for a, c in product((0, 1, -1, 2, -2), repeat=2) if a or c])  # those of people who stay where they are


def tables_that_print(n: np.ndarray, events: np.ndarray, targets: Sequence[Target], rng: np.random.Generator, measure: str, held: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """People and events, (k, 2) each, that meet every target, near those given: each trial has as many people, its arms a few more or fewer, none where they are held.

    As `counts_that_print`, which of few trials is asked last, and raises ValueError as it does.
    """
    if reason := crossed(targets, lambda rows: least_error(n[rows], measure)):
        raise ValueError(reason)
    found, start = bands(targets), events
    steps = COUNTS if held else STEPS
    nearest = np.stack([events[:, 0], n[:, 0], events[:, 1], n[:, 1]], -1)
    for _ in range(STARTS if len(n) > 1 and found else 0):
        now, slack = real_events(n, np.clip(start, 1, n - 1), found, measure)
        start = rng.binomial(n, events / n)
        best = nearest = np.stack([now[:, 0], n[:, 0], now[:, 1], n[:, 1]], -1)
        for kick in range(KICKS if slack > 0 else 0):
            tables = best.copy()
            if kick:
                at = rng.permutation(len(n))[:SHAKEN]
                tables[at] = _stepped(best, n, steps)[at, rng.integers(0, len(steps), len(at))]
            tables = _polished(tables, n, steps, found, measure, rng)
            people, after = tables[:, 1::2].copy(), _slacks(tables[None], found, measure)
            if after.min() > EDGE and not missed(targets, *_effects(tables, measure), people.astype(float)):
                return people, tables[:, ::2].copy()
            if _lacking(after)[0] < _lacking(_slacks(best[None], found, measure))[0]:
                best = nearest = tables
    if len(n) > MANY and found:
        raise unfound("events", targets, "; ".join(missed(targets, *_effects(nearest, measure), nearest[:, 1::2].astype(float))), STARTS * KICKS)
    fault: ValueError | None = None
    for first in [0] if held or len(n) > 1 else sorted(range(-int(UNEVEN * n.sum()), 1 + int(UNEVEN * n.sum())), key=abs):
        people = n + [first, -first]  # of one trial every table is tried, and of arms that are not held each
        try:
            return people, counts_that_print(people, np.clip(events, 1, people - 1), targets, rng, measure)
        except ValueError as error:
            fault = fault or error
    raise fault


def _polished(tables: np.ndarray, n: np.ndarray, steps: np.ndarray, found: Sequence[Band], measure: str, rng: np.random.Generator) -> np.ndarray:
    """Tables (k, 4) near these after changes of one trial and of two, each the best of those that are judged: pairs by the sum of what either does alone."""
    trial, step = (grid.ravel() for grid in np.meshgrid(np.arange(len(n)), np.arange(len(steps)), indexing="ij"))
    slack, stalled = _slacks(tables[None], found, measure), 0
    while stalled < STALLED and slack.min() < SLIGHT:
        choice = _stepped(tables, n, steps)
        alone = np.broadcast_to(tables, (len(trial), *tables.shape)).copy()
        alone[np.arange(len(trial)), trial] = choice[trial, step]
        each = _slacks(alone, found, measure)
        some = rng.permutation(len(trial))[:PARTNERS]
        both = _lacking((each[:, some] - slack)[:, :, None] + each[:, None])
        i, j = np.unravel_index(np.argpartition(np.where(trial[some][:, None] == trial, np.inf, both), JUDGED, axis=None)[:JUDGED], both.shape)
        pairs = alone[some[i]]
        pairs[np.arange(len(j)), trial[j]] = choice[trial[j], step[j]]
        others = np.concatenate([alone[[_lacking(each).argmin()]], pairs])
        after = _slacks(others, found, measure)
        best = [int(_lacking(after).argmin())]
        if _lacking(after[:, best])[0] < (1 - 1e-3) * _lacking(slack)[0]:
            tables, slack, stalled = others[best[0]], after[:, best], 0
        else:
            stalled += 1
    return tables


def _stepped(tables: np.ndarray, n: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Each table (k, 4) after each of the steps (c, 4), (k, c, 4): none of its cells is empty, and few of n (k, 2) stand in the other arm."""
    after = tables[:, None] + steps
    far = np.maximum((UNEVEN * n.sum(axis=1)).astype(np.int64), 1)[:, None]
    first = np.clip(after[..., 1], np.maximum(n[:, :1] - far, 2), np.minimum(n[:, :1] + far, n.sum(axis=1)[:, None] - 2))
    people = np.stack([first, n.sum(axis=1)[:, None] - first], -1)
    events = np.clip(after[..., ::2], 1, people - 1)
    return np.stack([events[..., 0], people[..., 0], events[..., 1], people[..., 1]], -1)


def _effects(tables: np.ndarray, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances (…, k) of tables (…, k, 4)."""
    a, n1, c, n2 = np.moveaxis(tables, -1, 0)
    return MEASURES[measure].of(n1, a, n2, c)


def _slacks(tables: np.ndarray, found: Sequence[Band], measure: str) -> np.ndarray:
    """The slacks (s, m) of tables (m, k, 4)."""
    return slacks(found, *_effects(tables, measure), tables[..., 1::2])


def _lacking(slack: np.ndarray) -> np.ndarray:
    """0 where every slack is SLIGHT or more; slacks along the first axis."""
    return (np.maximum(SLIGHT - slack, 0) ** 2).sum(0)
