"""Times to an event with their column of events (kind time): survival curves through what is printed, then exchanges of an order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import Study
from asprinted.study.starts import table_of
from asprinted.synthesis.outcomes import curves, shifts, start
from asprinted.synthesis.outcomes.closing import closed
from asprinted.synthesis.outcomes.described import quickened
from asprinted.synthesis.outcomes.hazards import Arm, about_medians, arms_of, shares
from asprinted.synthesis.outcomes.search import settle
from asprinted.synthesis.outcomes.tallies import Tally, drawn, free, tallies
from asprinted.synthesis.outcomes.targets import Target

BENDS = 14  # halvings of the bend that makes a hazard ratio


def make(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:  # fmt: skip
    """The columns of `entry`, times and events (1 at that time, 0 followed to it without), (n,) and nan where not `seen`, so that every target holds.

    It starts, in each arm, with the printed number of events on a survival curve through the printed medians and shares, whose shape is
    bent until the hazard ratios are near the printed ones; people's latent score says who has it early. Then people exchange their times,
    between arms and within them, times are shifted, and where no count forbids it events are made censorings and back. Raises StudyError
    as `search.settle` does. Time and memory grow as n does, but for sorting.
    """
    time, event = entry["column"], entry["event"]
    table = table_of(study, time)
    targets = quickened(study, frame, table, [time, event], targets)
    spec = study.tables[table]["columns"][time]
    unit = 10.0 ** (spec.get("decimals", 0) if spec["type"] == "number" else 0)
    ends = tuple(study.number(end) for end in entry["follow_up"])
    strata, cells = start.cells(study, frame)
    known = tallies(study, frame, table, event, (1, 0), seen, targets)
    arms = arms_of(study, targets, strata, [arm for arm, _ in cells], seen, known, start.start(study, entry, "share", frame))
    latent = start.latent(study, entry, frame, health, rng)
    shape = study.number(entry["shape"]) if "shape" in entry else 1.0
    places = (np.argsort(np.argsort(rng.random(len(seen)))) + 0.5) / len(seen)
    followed = np.maximum(np.rint((ends[0] + (ends[1] - ends[0]) * places) * unit), 1.0) / unit
    share = shares(arms)[strata]
    had = drawn(strata, np.column_stack([share, 1 - share]), latent, known, seen) == 0
    draft = _Draft(strata, seen, had, latent, followed, arms, known, shape, unit)
    y = draft.bent()
    loose = np.flatnonzero(free(known, seen))
    bounds = shifts.Bounds(1 / unit, *(max(round(end * unit), 1.0) / unit for end in ends))
    kinds = shifts.kinds(strata, np.flatnonzero(seen), loose, bounds, targets)
    y = closed(y, [about_medians(target, bounds.unit) for target in targets], kinds, rng, step=1 / unit)
    y = settle(study, time, y, targets, kinds, rng, step=1 / unit)
    return {time: y[:, 0], event: y[:, 1]}


@dataclass(frozen=True)
class _Draft:
    """What a start is made of: cells, who has a value, how many events each cell is to have, who comes early, how long each is followed."""

    strata: np.ndarray
    seen: np.ndarray
    had: np.ndarray
    latent: np.ndarray
    followed: np.ndarray
    arms: Sequence[Arm]
    known: Sequence[Tally]
    shape: float
    unit: float

    def made(self, bends: Sequence[float]) -> np.ndarray:
        """Times and events (n, 2), nan where not seen, with each arm's shape times the exponential of its bend."""
        y = np.full((len(self.seen), 2), np.nan)
        codes = self.strata.copy()
        for tally in self.known:
            codes = np.unique(2 * codes + tally.rows, return_inverse=True)[1]
        for code, arm in enumerate(self.arms):
            curve = curves.through(arm.survival, self.shape * math.exp(bends[code]))
            for part in np.unique(codes[self.seen & (self.strata == code)]):
                own = np.flatnonzero(self.seen & (codes == part) & (self.strata == code))
                time, event = curves.times(curve, int(self.had[own].sum()), self.followed[own], curves.exponentials(self.latent[own]))
                y[own, 0], y[own, 1] = np.maximum(np.rint(time * self.unit), 1.0) / self.unit, event
        return y

    def bent(self) -> np.ndarray:
        """The start whose hazard ratios are as near the printed ones as bends of the arms' shapes bring them, one arm after another."""
        bends = [0.0] * len(self.arms)
        for code, arm in enumerate(self.arms):
            for target, side in arm.ratios:
                low, high, aim = -1.5, 1.5, math.log(max(target.low, 1e-6) * target.high) / 2
                for _ in range(BENDS):
                    bends[code] = (low + high) / 2
                    found = target.value(self.made(bends))
                    if not found > 0:
                        bends[code] = 0.0
                        break
                    rises = side * (math.log(found) - aim) > 0
                    low, high = (bends[code], high) if rises else (low, bends[code])
        return self.made(bends)
