"""Two arms with times to an event: what is printed of them, and what a trial prints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from asprinted.printed import Printed
from asprinted.synthesis.durations.order import TIES, cox, survival_middle
from asprinted.synthesis.wald import Wald


@dataclass(frozen=True)
class Arm:
    """What is known of one arm.

    people: how many. events: how many have the event by the horizon (0 without one). later: how many have it after
    the horizon, None where the search may choose. median: the printed median, of the kind "survival" (Kaplan–Meier,
    whole arm) or "events" (among those with the event by the horizon; without one, among all with the event).
    """

    people: int
    events: int = 0
    later: int | None = None
    median: Printed | None = None
    kind: str = "survival"


class Trial(NamedTuple):
    """People in the order of time, events first where times are equal: time, whether the event happened then, whether treated; each (n,)."""

    time: np.ndarray
    event: np.ndarray
    arm: np.ndarray


@dataclass(frozen=True)
class Problem:
    """What two arms are to print, and how they are followed; times in units of the last decimal.

    arms: reference, treated. follow_up: bounds of the censoring times, None where they are free. horizon: the time by
    which each arm's `events` happen, with nobody censored before. until: the last time whose events the model counts.
    shape: of the Weibull times to start from. Raises ValueError where the numbers exclude each other, whatever the order.
    """

    arms: tuple[Arm, Arm]
    target: Wald
    follow_up: tuple[int, int] | None
    horizon: int
    until: float
    shape: float
    ties: str
    decimals: int

    def _check_median(self, arm: Arm) -> None:
        """Raise ValueError, with the proof, where a median lies on the wrong side of the horizon."""
        unit, horizon = 10**self.decimals, self.horizon / 10**self.decimals
        low, high = (float(end) * unit for end in arm.median.interval()[:2])
        if arm.kind == "events" and low > self.horizon:
            raise ValueError(f"the median {arm.median.text} is that of people who have the event by {horizon:g}, so it cannot be later than that")
        if arm.kind == "survival" and high <= self.horizon and 2 * arm.events < arm.people:
            raise ValueError(
                f"{arm.events} of {arm.people} people, fewer than half, have the event by {horizon:g}, and nobody leaves before, "
                f"so a survival median of {arm.median.text} cannot be: it lies beyond {horizon:g}"
            )

    def __post_init__(self) -> None:
        if self.ties not in TIES:
            raise ValueError(f"ties {self.ties!r} are unknown: use {' or '.join(TIES)}")
        if self.shape <= 0:
            raise ValueError(f"shape {self.shape:g} is not of a Weibull time: give a number above 0")
        for arm in self.arms:
            given = arm.events + (arm.later or 0)
            if arm.people < 1 or arm.events < 0 or (arm.later or 0) < 0 or given > arm.people:
                raise ValueError(f"{given} events among {arm.people} people: give 0 to {arm.people} events")
            if arm.events and not self.horizon:
                raise ValueError(f"{arm.events} events by a horizon, and no horizon: give it, or give the events as later ones")
            if arm.median is not None and (arm.median.relation != "=" or arm.median.value <= 0):
                raise ValueError(f"median {arm.median.text!r} is no time: give a number above 0")
            if arm.median is not None and self.horizon:
                self._check_median(arm)
        if self.follow_up is None and (self.horizon or not any(arm.median for arm in self.arms)):
            raise ValueError("nothing says how long people are followed: give follow_up")
        if self.follow_up is not None and not self.horizon <= self.follow_up[0] <= self.follow_up[1] or self.follow_up == (0, 0):
            raise ValueError(f"follow-up {self.follow_up} must rise, and begin no earlier than the horizon {self.horizon}")
        self._check_information()

    def _check_information(self) -> None:
        most = self.target.errors()[1]
        if most < 0:
            raise ValueError("no log hazard ratio and standard error print the ratio, its interval and its p value together: correct one of them")
        only_early = 0 < self.until <= self.horizon
        known = only_early or all(arm.later is not None for arm in self.arms)
        events = sum(arm.events if only_early else arm.people if arm.later is None else arm.events + arm.later for arm in self.arms)
        least = 2 / math.sqrt(events) if events else math.inf
        if most < least:
            needed = math.ceil(4 / most**2) if most else "more"
            raise ValueError(
                f"{events} {'events' if known else 'people'} give a model-based standard error of at least {least:.4f}, and the printed "
                f"numbers need at most {most:.4f}: that takes {needed} events, or a robust variance"
            )

    @property
    def medians(self) -> list[float]:
        """The printed medians, in units."""
        return [float(arm.median.value) * 10**self.decimals for arm in self.arms if arm.median is not None]

    def fitted(self, trial: Trial, start: float = 0.0, precision: float = 1e-9) -> tuple[float, float]:
        """The trial's log hazard ratio and its model-based standard error. Raises ValueError where it has none."""
        event = trial.event if self.until == math.inf else trial.event & (trial.time <= self.until)
        return cox(trial.time, event, trial.arm, self.ties, start, precision)

    def middles(self, trial: Trial) -> list[tuple[int, int] | None]:
        """For each printed median, the two places in the trial whose mean time is that arm's median; None where it is not reached."""
        found: list[tuple[int, int] | None] = []
        for value, arm in enumerate(self.arms):
            if arm.median is None:
                continue
            places = np.flatnonzero(trial.arm == bool(value))
            if arm.kind == "survival":
                pair = survival_middle(trial.event[places])
            else:
                places = places[trial.event[places] & ((trial.time[places] <= self.horizon) | (self.horizon == 0))]
                pair = ((len(places) - 1) // 2, len(places) // 2) if len(places) else None
            found.append(None if pair is None else (int(places[pair[0]]), int(places[pair[1]])))
        return found

    def median_faults(self, trial: Trial) -> list[float]:
        """How far each median of a trial in whole units is from printing, in half widths of its interval; 0 where it prints."""
        faults = []
        printed = [arm.median for arm in self.arms if arm.median is not None]
        for median, pair in zip(printed, self.middles(trial), strict=True):
            if pair is None:
                faults.append(math.inf)
                continue
            low, high, low_closed, high_closed = median.interval()
            value = float(trial.time[pair[0]] + trial.time[pair[1]]) / 2 / 10**self.decimals
            inside = (low < value or (low_closed and low == value)) and (value < high or (high_closed and high == value))
            faults.append(0.0 if inside else max(abs(value - float(median.value)) / (float(high - low) / 2), 0.1))
        return faults
