"""What the search aims at: each target on a scale that small changes move steadily.

A p value is taken as the size of its z, on the side of the estimate that is printed with it; a quantile as the number of people
on the wrong side of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from asprinted.study import RATIO_FAMILIES
from asprinted.synthesis.outcomes.targets import Target

FAR = 1e6  # the slack, below 0, of a statistic that does not exist
QUANTILES = {"median": 1 / 2, "q1": 1 / 4, "q3": 3 / 4}
P_VALUES = ("p", "joint_p")


class Aims:
    """The targets on scales that changes move steadily: z for p, people on the wrong side for quantiles.

    measure: for each target the function of the values; low, high, half: (m,) its interval on that scale, and half the width of it.
    weight: (m,) of each in the cost. sign: for each p value that of the estimate which is printed with it, 1 or −1, so that z is counted in this direction; 0 where none is.
    """

    def __init__(self, targets: Sequence[Target], step: float = 1.0):
        self.targets = list(targets)
        with_p = [_estimate_of(target, self.targets) for target in targets]
        self.sign = np.array([sign for sign, _ in with_p])
        found = [_measured(target, step, *beside) for target, beside in zip(targets, with_p, strict=True)]
        self.measure = [measure for measure, _, _ in found]
        self.low, self.high = (np.array([ends[place] for ends in found], dtype=float) for place in (1, 2))
        self.half = np.array([_half(low, high) for _, low, high in found])
        self.weight = np.ones(len(found))

    def values(self, y: np.ndarray) -> np.ndarray:
        """The statistics (m,) of a column, each on its scale."""
        return np.array([measure(y) for measure in self.measure])

    def slack(self, values: np.ndarray) -> np.ndarray:
        """How far inside its interval each statistic (…, m) lies, in half widths: 1 in the middle, 0 at an end, below 0 outside."""
        with np.errstate(invalid="ignore"):
            inside, above = np.subtract(values, self.low), np.subtract(self.high, values)
            np.divide(np.minimum(inside, above, out=inside), self.half, out=inside)
        np.copyto(inside, -FAR, where=~np.isfinite(values))
        return np.minimum(inside, 1.0, out=inside)

    def cost(self, values: np.ndarray, margin: float) -> np.ndarray:
        """What is missing (…), for each target to lie `margin` inside its interval: the weighted sum of squares."""
        missing = self.slack(values)  # in one array: there can be a hundred thousand changes
        np.maximum(np.subtract(margin, missing, out=missing), 0.0, out=missing)
        return np.multiply(self.weight, np.square(missing, out=missing), out=missing).sum(axis=-1)


def _half(low: float, high: float) -> float:
    if math.isfinite(low) and math.isfinite(high):
        return max((high - low) / 2, 1e-12)
    end = low if math.isfinite(low) else high
    return max(abs(end), 1.0) / 50 if math.isfinite(end) else 1.0


def z_of(p: np.ndarray | float) -> np.ndarray:
    """The size of z that has the two-sided p value, from 0 (p = 1) up."""
    return -special.ndtri(np.clip(p, 1e-300, 1.0) / 2)


def _estimate_of(target: Target, targets: Sequence[Target]) -> tuple[float, Callable[[np.ndarray], float] | None]:
    """The sign of the effect that is printed beside a p value, and the effect less its null as a function; 0 and None where none is, or it may be either."""
    if target.by["statistic"] not in P_VALUES or target.refit is None or not isinstance(target.by.get("contrast", ""), str):
        return 0.0, None
    null = 1.0 if target.refit.spec["family"] in RATIO_FAMILIES else 0.0
    for other in targets:
        same = all(other.by.get(field) == target.by.get(field) for field in ("model", "outcome", "contrast"))
        at = {"est": null, "t": 0.0, "d": 0.0}.get(other.by["statistic"])
        if same and at is not None and (other.low >= at or other.high <= at):
            return (1.0 if other.low >= at else -1.0), lambda y, other=other, at=at: other.value(y) - at
    return 0.0, None


def _measured(target: Target, step: float, sign: float, effect: Callable[[np.ndarray], float] | None) -> tuple[Callable[[np.ndarray], float], float, float]:
    """A target's function on its scale, and the two ends there."""
    if target.by["statistic"] in P_VALUES:
        low = float(z_of(target.high)) if target.high < 1 else -math.inf
        high = float(z_of(target.low)) if target.low > 0 else math.inf

        def z(y: np.ndarray) -> float:
            p = target.value(y)
            size = float(z_of(p)) if math.isfinite(p) else math.nan
            return size if effect is None else math.copysign(size, effect(y) * sign)

        return z, low, high
    if target.by["statistic"] in QUANTILES and target.rows is not None and "model" not in target.by and math.isfinite(target.low + target.high):
        return (lambda y: misplaced(y[target.rows] if y.ndim == 1 else y[target.rows, 0], target, step)), -math.inf, 0.5
    return target.value, target.low, target.high


def quantile_places(n: int, target: Target, step: float) -> list[tuple[float, int, int]]:
    """(value, least people at or below it, least people at or above it) for each value that the quantile of n people is to be made of."""
    h = (n - 1) * QUANTILES[target.by["statistic"]]
    below, share = math.floor(h), h - math.floor(h)
    first = math.floor(target.low / step) + 1
    middle = (target.low + target.high) / 2
    if first * step < target.high:  # a value in the interval: the quantile is this one
        inner = min(max(round(middle / step), first), math.ceil(target.high / step) - 1) * step
        return [(inner, below + 1 + (share > 0), n - below)]
    a = math.floor(middle / step)
    pairs = ((a - down, a - down + apart) for apart in range(1, 50) for down in range(apart))  # the nearest two between which it lies
    lower, upper = next((pair for pair in pairs if target.low < (pair[0] + share * (pair[1] - pair[0])) * step < target.high), (a, a + 1))
    return [(lower * step, below + 1, n - below), (upper * step, below + 2, n - below - 1)]


def misplaced(values: np.ndarray, target: Target, step: float) -> float:
    """How many people stand on the wrong side of the values that a quantile is to be made of; nan where there is nobody."""
    values = values[np.isfinite(values)]
    if not len(values):
        return math.nan
    e = step / 4
    return float(sum(max(0, low - int((values <= at + e).sum())) + max(0, high - int((values >= at - e).sum())) for at, low, high in quantile_places(len(values), target, step)))
