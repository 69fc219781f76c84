"""Times to an event to begin with: in each arm a survival curve through what is printed of it, and the exact number of events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

FLAT, STEEP = 1e-3, 60.0  # the shapes that are looked at after the last knot


@dataclass(frozen=True)
class Curve:
    """A cumulative hazard that is a power of time between knots: times (k,), ascending and above 0, and the hazard there (k,).

    shape: the power before the first knot; last: that after the last one. Without knots the hazard at time 1 is 1.
    """

    times: tuple[float, ...]
    hazards: tuple[float, ...]
    shape: float
    last: float

    def _points(self) -> tuple[np.ndarray, np.ndarray]:
        """Logarithms of times and hazards, with one point beyond either end."""
        times, hazards = (self.times, self.hazards) if self.times else ((1.0,), (1.0,))
        x, y, far = np.log(times), np.log(hazards), 60.0
        return np.concatenate([[x[0] - far], x, [x[-1] + far]]), np.concatenate([[y[0] - far * self.shape], y, [y[-1] + far * self.last]])

    def hazard(self, time: np.ndarray) -> np.ndarray:
        """The cumulative hazard at times (n,) above 0."""
        return np.exp(np.interp(np.log(time), *self._points()))

    def time(self, hazard: np.ndarray) -> np.ndarray:
        """The times (n,) at which the cumulative hazard is so large."""
        x, y = self._points()
        return np.exp(np.interp(np.log(hazard), y, x))


def through(survival: Sequence[tuple[float, float]], shape: float) -> Curve:
    """The Curve on which survival is what is printed: pairs of a time and a share between 0 and 1, of which those that do not fall are left out."""
    kept: list[tuple[float, float]] = []
    for time, share in sorted(survival):
        hazard = -math.log(share)
        if time > 0 and (not kept or (time > kept[-1][0] and hazard > kept[-1][1])):
            kept.append((time, hazard))
    return Curve(tuple(time for time, _ in kept), tuple(hazard for _, hazard in kept), shape, shape)


def times(curve: Curve, events: int, ends: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and whether the event happened then (n,), of exactly so many events before each person's follow-up `ends`, (n,).

    noise: (n,) standard exponential numbers. Where the curve has knots, its part after the last one is bent to give the events; what is
    then missing, and everything where it has none, is made good by a factor on the hazard.
    """
    if curve.times:
        def surplus(log_last: float) -> float:
            return float((noise <= Curve(curve.times, curve.hazards, curve.shape, math.exp(log_last)).hazard(ends)).sum()) - events - 0.5

        low, high = math.log(FLAT), math.log(STEEP)
        if surplus(low) < 0 < surplus(high):
            bent = optimize.brentq(surplus, low, high, xtol=1e-6)
            curve = Curve(curve.times, curve.hazards, curve.shape, math.exp(bent))
        elif surplus(low) >= 0:
            curve = Curve(curve.times, curve.hazards, curve.shape, FLAT)
    ratio = noise / curve.hazard(ends)
    order = np.argsort(ratio, kind="stable")
    happens = np.zeros(len(noise), dtype=bool)
    happens[order[:events]] = True
    time = ends.astype(float)
    if events:
        low = ratio[order[events - 1]]
        high = ratio[order[events]] if events < len(noise) else low * (1 + 1 / events)
        factor = min(max(1.0, low), high) if low <= 1.0 <= high else (low + high) / 2
        time[happens] = np.minimum(curve.time(noise[happens] / factor), ends[happens])
    return time, happens


def exponentials(latent: np.ndarray) -> np.ndarray:
    """Standard exponential numbers (n,) in the order of `latent` (n,), each from the middle of its n-th of the distribution."""
    rank = np.argsort(np.argsort(latent, kind="stable"), kind="stable")
    return -np.log1p(-(rank + 0.5) / len(latent))
