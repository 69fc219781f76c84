"""Hazard ratios of trials whose pool prints given statistics, with events in both arms that could have given them.

Real effects and events come first, as near to those drawn as the targets allow; then whole events, no fewer; then for each trial many
pairs of a ratio and its standard error, as the table writes them, of which one is chosen such that the table itself meets every target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asprinted.models.effects import NORMAL, hazard_ratio_with_limits, log_hazard_ratio
from asprinted.synthesis.trials import laws
from asprinted.synthesis.trials.arms import ATTEMPTS, EDGE, ENOUGH, PART, missed, picked, unfound
from asprinted.synthesis.trials.continuous import Room, approached, crossed
from asprinted.synthesis.trials.measures import LOOSE
from asprinted.synthesis.trials.targets import Target, bands, sides

__all__ = ["Hazards", "hazards_that_print"]

WAYS = np.arange(-6, 7)  # steps of an effect, and of its standard error, from those wanted
STEP = 1 / 50  # such a step, in standard errors, where the last decimal is not more


@dataclass(frozen=True)
class Hazards:
    """What the table says of k trials. events (k, 2): whole. shown (k, 2) or (k, 3): the log and its standard error, or the ratio and its limits."""

    events: np.ndarray
    shown: np.ndarray


def hazards_that_print(
    n: np.ndarray, effects: np.ndarray, second: np.ndarray, targets: Sequence[Target], rng: np.random.Generator, decimals: int, limits: bool = False
) -> Hazards:
    """Hazard ratios whose pool meets every target, computed from the table with its decimals by the reference models.

    n (k, 2): people; effects (k,): logs of ratios drawn; second (k,): events of the second arms drawn. limits: whether the table has ratios
    with their 95% limits. The events of an arm are those of proportional hazards, and 4/events is never more than the variance, as of every
    Cox fit. Raises ValueError where it is proved that no trials meet the targets, and where none were found: with what is nearest then.
    """
    if reason := crossed(targets, lambda rows: _least(n[rows])):
        raise ValueError(reason)
    found, people, law = bands(targets), n.astype(float), laws.events("hr", n)
    room = Room(np.column_stack([people[:, 0], np.maximum(second / LOOSE, 1)]), np.column_stack([people[:, 0], np.minimum(second * LOOSE, people[:, 1] - 1)]))
    nearest = (-np.inf, "")
    for attempt in range(ATTEMPTS):
        y, c, slack = approached(room, found, _start(effects, attempt, rng), np.column_stack([people[:, 0], np.clip(second, room.least[:, 1], room.most[:, 1])]), law)
        v = law(y, c).v
        if slack > 0:
            events = np.ceil(np.column_stack([laws.first_events("hr", n, y, c[:, 1])[0], c[:, 1]]) - 1e-9).astype(np.int64)
            shown, log, variance = _written(y, v, events, decimals, limits)
            at = picked(log, variance, found, y, n, min(ENOUGH, PART * slack), rng)
            rows = np.arange(len(n))
            y, v = log[rows, at], variance[rows, at]
            slack = float(sides(found, y, people, law=laws.held(v, people))[0].min(initial=np.inf))
            if slack > EDGE and not missed(targets, y, v, people):
                return Hazards(events, shown[rows, at])
        nearest = max(nearest, (slack, "; ".join(missed(targets, y, v, people))))
    raise unfound(f"hazard ratios with {decimals} decimals", targets, nearest[1], ATTEMPTS)


def _start(effects: np.ndarray, attempt: int, rng: np.random.Generator) -> np.ndarray:
    """The effects drawn; in later attempts the same in other trials, less or more apart."""
    if attempt == 0:
        return effects
    return effects.mean() + (0.7, 1.0, 1.5)[attempt % 3] * rng.permutation(effects - effects.mean())


def _least(n: np.ndarray) -> tuple[float, str]:
    """The least standard error of a pool of arms of n (k, 2), as `crossed` takes it: no trial has more events than people, nor a variance below 4/events."""
    people = int(n.sum())
    return 2 / np.sqrt(people), f"{people} people is at least {{:.5f}}, since a log hazard ratio varies by 4/events at least"


def _written(y: np.ndarray, v: np.ndarray, events: np.ndarray, decimals: int, limits: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a table can write near effects y and variances v (k,): shown (k, c, 2 or 3), and the log and variance that it means, (k, c) each.

    Left out, as nan, is what no Cox fit with these events (k, 2) gives.
    """
    se, unit = np.sqrt(v)[:, None], 10.0**-decimals
    step = np.maximum(STEP * se, unit * np.exp(-y)[:, None] if limits else unit)
    ways = np.stack(np.meshgrid(WAYS, WAYS, indexing="ij"), -1).reshape(-1, 2)
    log, error = y[:, None] + step * ways[:, 0], np.maximum(se + step / 2 * ways[:, 1], unit)
    if limits:
        shown = np.maximum(np.exp(np.stack([log, log - NORMAL * error, log + NORMAL * error], -1)), unit)
    else:
        shown = np.stack([log, error], -1)
    shown = np.rint(shown / unit) / 10**decimals
    shown += 0.0  # no minus in front of a nought
    fine = shown[..., 1] < shown[..., 2] if limits else shown[..., 1] > 0
    safe = np.where(fine[..., None], shown, [1.0, 0.5, 2.0] if limits else [0.0, 1.0])
    effect, variance = (hazard_ratio_with_limits if limits else log_hazard_ratio)(*np.moveaxis(safe, -1, 0))
    fine &= variance * events.sum(axis=1)[:, None] >= 4
    if not fine.any(axis=1).all():
        at = int((~fine.any(axis=1)).argmax())
        raise ValueError(f"a hazard ratio of {np.exp(y[at]):.3g} with a standard error of {se[at, 0]:.3g} cannot be written with {decimals} decimals: give more")
    return shown, np.where(fine, effect, np.nan), np.where(fine, variance, np.nan)
