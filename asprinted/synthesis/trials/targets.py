"""What a pool of trials must print, as bounds on statistics that move smoothly with effects and sizes.

A p value is turned into its t, I² and the p of Q into Q, a Q between subgroups into its root, a ratio into its log: what several printed numbers say about one statistic then
stands side by side, and a contradiction between them shows itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from asprinted.models import FEWEST
from asprinted.models.pooled import RATIOS, between_subgroups, pool
from asprinted.models.small_studies import egger
from asprinted.synthesis.trials import slopes
from asprinted.synthesis.trials.laws import Law, standardised, variances

__all__ = ["STATISTICS", "Band", "Target", "bands", "sides", "variances"]

# What counts as half the width of a wide interval, or of one that is open to one side: no need to seek its middle.
HALF = {
    "est": 0.01, "se": 0.005, "lo": 0.01, "hi": 0.01, "t": 0.05, "tau2": 0.005, "q": 0.05,
    "prediction_lo": 0.01, "prediction_hi": 0.01, "lead": 0.01, "egger": 0.1, "root_between": 1 / 50, "egger_t": 0.05,
}  # fmt: skip
# What a statistic can be.
POSSIBLE = {"i2": (0, 100), "se": (0, math.inf), "tau2": (0, math.inf), "q": (0, math.inf), "p": (0, 1), "q_p": (0, 1), "egger_p": (0, 1), "q_between": (0, math.inf), "between_p": (0, 1)}
STATISTICS = ("est", "se", "lo", "hi", "p", "tau2", "q", "q_p", "i2", "prediction_lo", "prediction_hi", "lead", "egger", "egger_p", "q_between", "between_p")
BETWEEN = ("q_between", "between_p")  # of the test of a difference between subgroups


@dataclass(frozen=True)
class Target:
    """One number to be met: printed, declared, or assumed.

    statistic: one of STATISTICS. low, high: its interval, infinite where it is open. rows (k,): the trials of the pool that it is about.
    model: {"estimator": …, "test": …, "level": …}. says: what a message calls it. others: for "lead", the rows (k,) of each other group; for the two of BETWEEN, those of each group.
    ratio: whether effects are logs of ratios: then an estimate and its limits are ratios here, as they are printed; all else is on the log scale.
    """

    statistic: str
    low: float
    high: float
    rows: np.ndarray
    model: Mapping[str, Any]
    says: str
    others: tuple[np.ndarray, ...] = ()
    ratio: bool = False

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise ValueError(f"{self.says}: statistic {self.statistic!r} is not one of a pool: give {', '.join(STATISTICS)}")
        if not self.low <= self.high:
            raise ValueError(f"{self.says}: no number lies between {self.low:g} and {self.high:g}: give the lower end first")
        least, possible = FEWEST.get(self.statistic, 1), (0, math.inf) if self._exponentiated else POSSIBLE.get(self.statistic, (-math.inf, math.inf))
        if self.high < possible[0] or self.low > possible[1]:
            raise ValueError(f"{self.says}: {self.statistic} is not {self.low:g} to {self.high:g}, but from {possible[0]:g} to {possible[1]:g} always")
        for rows in (self.rows, *self.others):
            if np.count_nonzero(rows) < least:
                raise ValueError(f"{self.says}: {self.statistic} of {np.count_nonzero(rows)} trials: it needs {least} or more")
        if self.statistic in BETWEEN and len(self.others) < 2:
            raise ValueError(f"{self.says}: a difference is between two subgroups of trials or more, and there {'is one' if self.others else 'are none'}")
        if self.statistic == "lead" and not self.others:
            raise ValueError(f"{self.says}: a lead is over other groups of trials, and there is none")

    @property
    def k(self) -> int:
        return int(np.count_nonzero(self.rows))

    @property
    def ends(self) -> tuple[float, float]:
        """low and high on the scale on which trials are pooled."""
        return tuple(math.log(end) if end > 0 else -math.inf for end in (self.low, self.high)) if self._exponentiated else (self.low, self.high)

    @property
    def _exponentiated(self) -> bool:
        return self.ratio and self.statistic in RATIOS

    def value(self, y: np.ndarray, v: np.ndarray, n: np.ndarray) -> float:
        """The statistic at effects y, variances v (k,) and sizes n (k, 2), by the reference models; y are logs where it is of ratios."""
        at = self.rows
        if self.statistic in ("egger", "egger_p"):
            line = egger(y[at], v[at], np.sqrt((1 / n[at]).sum(1)))
            return float(line.slope if self.statistic == "egger" else line.p)
        if self.statistic in BETWEEN:
            pools = [pool(y[each], v[each], **self.model) for each in self.others]
            test = between_subgroups([each.est for each in pools], [each.se for each in pools])
            return float(test.q if self.statistic == "q_between" else test.p)
        own = pool(y[at], v[at], **self.model)
        if self.statistic == "lead":
            return float(own.est - max(pool(y[each], v[each], **self.model).est for each in self.others))
        return float(getattr(own.as_ratios() if self.ratio else own, self.statistic))

    def met(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Band:
    """A target as bounds on a smooth statistic; half: what a slack is counted in; sign: of a t, where other targets settle it, else 0."""

    statistic: str
    low: float
    high: float
    half: float
    target: Target
    sign: int = 0


def bands(targets: Sequence[Target]) -> list[Band]:
    """The bands of the targets, those without any bound left out. Raises ValueError where targets about Q leave no value for it."""
    found = []
    for target in targets:
        statistic, low, high = _smooth(target)
        if target.k == 1 and statistic in ("q", "tau2"):
            if not low <= 0 <= high:
                raise ValueError(f"{target.says}: {target.statistic} of one trial is 0, not {target.low:g} to {target.high:g}")
            continue
        if low > -math.inf or high < math.inf:
            half = max(min((high - low) / 2, HALF[statistic]), 1e-9)
            low = -math.inf if statistic == "tau2" and low <= 0 else low  # as every tau² is at least
            sign = _sign(target, targets) if statistic in ("t", "egger_t") else 0
            found.append(Band(statistic, low, high, half, target, sign))
    for statistic in ("q", "root_between"):
        _held_together([band for band in found if band.statistic == statistic])
    return found


def _smooth(target: Target) -> tuple[str, float, float]:
    """The statistic that a target bounds, and its bounds: I² and p of Q as Q, p as t without its sign."""
    (low, high), df = target.ends, target.k - 1
    if target.statistic == "i2":
        return "q", df / (1 - low / 100) if low > 0 else -math.inf, df / (1 - high / 100) if high < 100 else math.inf
    if target.statistic == "q_p":
        return "q", float(special.chdtri(df, high)) if high < 1 else -math.inf, float(special.chdtri(df, low)) if low > 0 else math.inf
    if target.statistic in BETWEEN:  # its root has a slope where it is 0
        if target.statistic == "between_p":
            low, high = (float(special.chdtri(len(target.others) - 1, p)) if 0 < p < 1 else math.inf if p <= 0 else 0.0 for p in (high, low))
        return "root_between", math.sqrt(low) if low > 0 else -math.inf, math.sqrt(max(high, 0.0))
    if target.statistic in ("p", "egger_p"):
        egger_p = target.statistic == "egger_p"
        df = target.k - 2 if egger_p else math.inf if target.model["test"] == "wald-z" or target.k == 1 else df
        ends = [-float(special.stdtrit(df, p / 2)) if math.isfinite(df) else -float(special.ndtri(p / 2)) for p in (min(high, 1.0), max(low, 0.0))]
        return "egger_t" if egger_p else "t", ends[0] if high < 1 else -math.inf, ends[1] if low > 0 else math.inf
    return target.statistic, low, high


def _sign(target: Target, targets: Sequence[Target]) -> int:
    """The sign that other targets of the same trials leave to the estimate, or to the slope, whose p is the target; 0 where they leave both."""
    names = (("egger",), ("egger",)) if target.statistic == "egger_p" else (("est", "lo"), ("est", "hi"))
    same = [each for each in targets if np.array_equal(each.rows, target.rows)]
    if any(each.statistic in names[0] and each.ends[0] >= 0 for each in same):
        return 1
    return -1 if any(each.statistic in names[1] and each.ends[1] <= 0 for each in same) else 0


def _held_together(found: Sequence[Band]) -> None:
    """Raises ValueError where two bands about the same Q have no value in common."""
    for i, one in enumerate(found):
        for other in found[:i]:
            if _same(one.target, other.target) and max(one.low, other.low) > min(one.high, other.high):
                ranges = " and ".join(f"{band.target.says} ({band.target.statistic}) needs {band.low:.6g} to {band.high:.6g}" for band in (other, one))
                raise ValueError(f"no trials print these together: of Q with {(len(one.target.others) or one.target.k) - 1} degrees of freedom, {ranges}")


def _same(one: Target, other: Target) -> bool:
    """Whether two targets are about the same trials in the same groups."""
    return np.array_equal(one.rows, other.rows) and len(one.others) == len(other.others) and all(map(np.array_equal, one.others, other.others))


def sides(found: Sequence[Band], y: np.ndarray, n: np.ndarray, lifting: bool = False, law: Law = standardised) -> tuple[np.ndarray, np.ndarray]:
    """How far inside each end of each band the trials lie, in its half widths (2b,), and the slopes (2b, 4, k): by y, by the logs of both sizes,
    and by the variances alone.

    y: effects (k,); n: sizes (k, 2); law: their variances. An open end has a slack of infinity and no slope. lifting: where a tau² is held at
    zero and a rise would bring a statistic back into its band, slack and slopes are those of a tau² that could go below zero.
    """
    k = len(y)
    v, v_by_y, v_by_n, x, x_by_n = law(y, n)
    pools: dict[Any, slopes.Pool] = {}
    lines: dict[Any, tuple[slopes.Slopes, slopes.Slopes]] = {}

    def pool_of(rows: np.ndarray, model: Mapping[str, Any]) -> slopes.Pool:
        key = (rows.tobytes(), *sorted(model.items()))
        if key not in pools:
            pools[key] = slopes.pooled(y[rows], v[rows], model)
        return pools[key]

    def line_of(rows: np.ndarray) -> tuple[slopes.Slopes, slopes.Slopes]:
        key = rows.tobytes()
        if key not in lines:
            lines[key] = slopes.egger(y[rows], v[rows], x[rows])
        return lines[key]

    def chained(slope: np.ndarray, rows: np.ndarray) -> np.ndarray:
        whole = np.zeros((4, k))
        whole[0, rows] = slope[0] + slope[1] * v_by_y[rows]
        whole[1:3, rows] = slope[1] * v_by_n[rows].T + slope[2] * x_by_n[rows].T
        whole[3, rows] = slope[1]
        return whole

    slack, moves = np.full(2 * len(found), np.inf), np.zeros((2 * len(found), 4, k))
    for i, band in enumerate(found):
        rows, own = band.target.rows, None
        if band.statistic in ("egger", "egger_t"):
            reading = line_of(rows)[band.statistic == "egger_t"]
            slope = chained(reading.slope, rows)
        elif band.statistic == "root_between":
            groups = [pool_of(each, band.target.model) for each in band.target.others]
            est, se = ([each.read(name) for each in groups] for name in ("est", "se"))
            value, by_est, by_se = slopes.between(*(np.array([each.value for each in part]) for part in (est, se)))
            reading = slopes.Slopes(value, np.zeros((3, 0)))
            slope = sum(chained(a * one.slope + b * other.slope, each) for a, one, b, other, each in zip(by_est, est, by_se, se, band.target.others, strict=True))
        else:
            own = pool_of(rows, band.target.model)
            reading = own.read("est" if band.statistic == "lead" else band.statistic)
            slope = chained(reading.slope, rows)
        value = reading.value
        if band.statistic == "lead":
            best = max(band.target.others, key=lambda each: pool_of(each, band.target.model).numbers[0])
            second = pool_of(best, band.target.model).read("est")
            value, slope = value - second.value, slope - chained(second.slope, best)
        for place, side, end in ((2 * i, 1, band.low), (2 * i + 1, -1, band.high)):
            if not math.isfinite(end):
                continue
            flip = 1
            if band.statistic in ("t", "egger_t"):
                flip = band.sign if band.sign and side > 0 else -1 if value < 0 else 1
            slack[place] = side * (flip * value - end) / band.half
            moves[place] = side * flip / band.half * slope
            rising = side * flip * reading.by_tau2 / band.half
            if lifting and rising > 0 and slack[place] < 0:
                moves[place] += rising * chained(own.rise, rows)
                slack[place] += rising * own.start
    return slack, moves
