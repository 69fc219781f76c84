"""The pairs of a log ratio and its standard error that print a ratio, its interval and its p value by a Wald test.

Those of one sign of the log ratio fill a convex polygon, often a sliver. Its bounding box is no substitute: most of the
box prints something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import special

from asprinted.printed import Interval

OPEN = 0.03  # what counts as half the width of an interval that is open to one side
FAR = 30.0  # the largest log ratio, of either sign, and the largest standard error that are looked at
ERRORS = (1e-6, FAR)  # the standard errors that are looked at
EDGE = -1e-9  # the least slack: an end that rounding keeps, but for floating point


@dataclass(frozen=True)
class Bound:
    """One end of a printed number's interval: side × statistic ≤ side × limit. half: half the interval's width; open: it has no other end."""

    statistic: str
    side: int
    limit: float
    half: float
    open: bool = False


@dataclass(frozen=True)
class Wald:
    """The pairs (log ratio, standard error) that print a ratio, its interval and its p value by a Wald test."""

    bounds: tuple[Bound, ...]
    quantile: float

    def slacks(self, beta: float, se: float) -> list[float]:
        """How far inside each bound the pair lies, in half widths: 1 in the middle, 0 at the end, below 0 outside."""
        value = {"est": beta, "lo": beta - self.quantile * se, "hi": beta + self.quantile * se, "se": se, "z": abs(beta) / se}
        return [bound.side * (bound.limit - value[bound.statistic]) / bound.half for bound in self.bounds]

    def slack(self, beta: float, se: float) -> float:
        """The least of the slacks; 1 where nothing is printed."""
        return min(self.slacks(beta, se), default=1.0)

    @property
    def signs(self) -> tuple[int, ...]:
        """The signs of the log ratio with a polygon of their own: both where p is printed as below 1, else 0, for either sign."""
        return (1, -1) if any(bound.statistic == "z" and bound.side < 0 for bound in self.bounds) else (0,)

    def lines(self, sign: int, margin: float = 0.0) -> list[tuple[float, float, float, bool]]:
        """(a, b, c, open): for log ratios of this sign, a slack of at least `margin` is a × log ratio + b × standard error ≤ c."""
        slope = {"est": (1.0, 0.0), "lo": (1.0, -self.quantile), "hi": (1.0, self.quantile), "se": (0.0, 1.0)}
        found = []
        for bound in self.bounds:
            limit = bound.limit - bound.side * margin * bound.half
            rows = [(one, -limit, 0.0) for one in ((sign,) if sign else (1, -1))] if bound.statistic == "z" else [(*slope[bound.statistic], limit)]
            found += [(bound.side * a, bound.side * b, bound.side * c, bound.open) for a, b, c in rows]
        return found

    def region(self, sign: int, margin: float = 0.0, errors: tuple[float, float] = ERRORS) -> list[tuple[float, float]]:
        """The corners of the pairs of this sign whose slack is at least `margin`, with standard errors between two; empty where there are none."""
        near, far = (0.0, sign * FAR) if sign else (-FAR, FAR)
        corners = [(near, errors[0]), (far, errors[0]), (far, errors[1]), (near, errors[1])]
        for a, b, c, _ in self.lines(sign, margin):
            corners = _clipped(corners, a, b, c)
        return corners

    def corners(self, margin: float = 0.0) -> list[tuple[float, float]]:
        """The corners of the regions of all signs."""
        return [corner for sign in self.signs for corner in self.region(sign, margin)]

    def possible(self) -> bool:
        """Whether any pair prints all: False is a proof that none does."""
        return bool(self.corners(EDGE))

    def interior(self) -> tuple[float, float, float]:
        """(slack, log ratio, standard error) of a pair with the largest least slack; slack −1 where no pair prints all."""
        best = (-1.0, 0.0, ERRORS[0])
        for sign in self.signs:
            low, high = 0.0, 1.0
            for _ in range(30 if self.region(sign) else 0):
                middle = (low + high) / 2
                low, high = (middle, high) if self.region(sign, middle) else (low, middle)
            corners = self.region(sign, low)
            if corners and low > best[0]:
                best = (low, *(sum(part) / len(corners) for part in zip(*corners, strict=True)))
        return best

    def errors(self, margin: float = 0.0) -> tuple[float, float]:
        """The smallest and the largest standard error of any pair with at least this slack; (inf, −inf) where none has it."""
        found = [se for _, se in self.corners(margin)]
        return min(found, default=math.inf), max(found, default=-math.inf)

    def ratio_at(self, se: float) -> float:
        """The log ratio with the largest slack at a given standard error."""
        corners = [beta for beta, _ in self.corners()] or [0.0]
        return float(max(np.linspace(min(corners), max(corners), 201), key=lambda beta: self.slack(beta, se)))

    def loosened(self, factor: float = 5.0) -> Wald:
        """A Wald of the same standard errors whose log ratios lie in an interval `factor` times as wide: for a first, freer search."""
        corners = self.corners() or [(0.0, 1.0)]
        bounds = []
        for name, values, wide in (("est", [beta for beta, _ in corners], factor), ("se", [se for _, se in corners], 1.0)):
            middle, half = (max(values) + min(values)) / 2, max((max(values) - min(values)) / 2, 1e-9) * wide
            bounds += [Bound(name, side, middle + side * half, half) for side in (-1, 1)]
        return Wald(tuple(bounds), self.quantile)

    def errors_at(self, beta: float) -> tuple[float, float]:
        """The smallest and the largest standard error with at least half of the slack that there is at a given log ratio."""
        errors = np.geomspace(*self.errors(), 2001)
        slacks = np.array([self.slack(beta, se) for se in errors])
        found = errors[slacks >= slacks.max() / 2] if slacks.max() > 0 else errors[[slacks.argmax()]]
        return float(found[0]), float(found[-1])


def _clipped(corners: list[tuple[float, float]], a: float, b: float, c: float) -> list[tuple[float, float]]:
    """The part of a convex polygon where a·x + b·y ≤ c (Sutherland and Hodgman 1974, Commun ACM 17:32)."""
    kept = []
    for (x, y), (u, v) in zip(corners, corners[1:] + corners[:1], strict=True):
        here, there = a * x + b * y - c, a * u + b * v - c
        if here <= 0:
            kept.append((x, y))
        if (here < 0 < there) or (there < 0 < here):
            part = here / (here - there)
            kept.append((x + part * (u - x), y + part * (v - y)))
    return kept


def wald(intervals: Iterable[tuple[str, Interval]], level: float = 0.95) -> Wald:
    """The Wald of printed numbers, each a statistic and the interval of values that print so.

    Statistics: est, lo and hi (ratios), reduction (in per cent), se (of the log ratio) and p; any of them, in any number.
    Raises ValueError for another name, and where no positive ratio or no probability lies in an interval.
    """
    bounds = []
    for name, interval in intervals:
        low = -math.inf if interval.lo is None else float(interval.lo)
        high = math.inf if interval.hi is None else float(interval.hi)
        if name == "reduction":
            name, low, high = "est", 1 - high / 100, 1 - low / 100
        if name == "p":
            if high <= 0 or low > 1:
                raise ValueError(f"p of {low:g} to {high:g} is no probability: it lies above 0 and not above 1")
            name, low, high = "z", (_z(high) or -math.inf), _z(low)
        elif name in ("est", "lo", "hi"):
            if high <= 0:
                raise ValueError(f"{name} of {low:g} to {high:g} is no ratio: a ratio is positive")
            low, high = (math.log(end) if end > 0 else -math.inf for end in (low, high))
        elif name != "se":
            raise ValueError(f"statistic {name!r} is not one of a ratio: give est, reduction, lo, hi, se or p")
        opened = not math.isfinite(high - low)
        half = OPEN if opened else max((high - low) / 2, 1e-9)
        bounds += [Bound(name, side, end, half, opened) for side, end in ((-1, low), (1, high)) if math.isfinite(end)]
    return Wald(tuple(bounds), float(special.ndtri(0.5 + level / 2)))


def _z(p: float) -> float:
    """The |z| of a two-sided p value; infinite for 0 or less."""
    return float(-special.ndtri(min(p, 1.0) / 2)) if p > 0 else math.inf
