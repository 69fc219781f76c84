"""What the scores of one visit are to meet, as functions of their sums: least squares, means, SDs and correlations.

Least squares sees the scores only through X′y and y′y, and so do the others. Two people of an arm who exchange their
scores leave every sum over whole arms as it is and change the others by a known amount: that is how they are met.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from asprinted import models
from asprinted.synthesis import integers

EDGE = 1 / 8  # how many standard errors inside an interval with one end count as the middle of one with two
SOFT = 0.1  # weight of what is assumed without bounds


@dataclass(frozen=True)
class Target:
    """Something that the scores of a visit are to meet: low ≤ statistic ≤ high, `margin` of the half-width inside.

    value: from sums (m, q) and sums of squares (m, w) to the statistic (m,); for a p value, to t, and low and high bound |t|. place: the sums used.
    soft: an assumed value without bounds, met where the claims allow it.
    """

    id: str
    text: str
    statistic: str
    low: float
    high: float
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    place: tuple[slice, int]
    about: tuple[str, int, float] | None = None  # model and contrast, or people; their number; the interval's quantile
    margin: float = 0.5
    edge: float = EDGE
    soft: bool = False

    def slack(self, sums: np.ndarray, squares: np.ndarray, sign: float = 0.0) -> np.ndarray:
        """How far inside the interval, (m,): 1 in the middle, 0 at an end, below 0 outside. sign: that of t where a p value is meant, 0 for either."""
        return self.inside(self.value(sums, squares), sign)

    def inside(self, value: np.ndarray, sign: float = 0.0) -> np.ndarray:
        """The slack of values of the statistic, of any shape; with a sign, a concave function."""
        if self.statistic == "p":
            value = sign * value if sign else np.abs(value)
        if math.isfinite(self.low) and math.isfinite(self.high):
            return np.minimum(value - self.low, self.high - value) / max((self.high - self.low) / 2, 1e-9)
        return np.minimum(1.0, (value - self.low if math.isfinite(self.low) else self.high - value) / self.edge)


class Tracked:
    """The sums that the targets of a visit need: columns of X for X′y, and 0/1 columns for sums of squares."""

    def __init__(self, n: int):
        self.linear, self.square = np.zeros((n, 0)), np.zeros((n, 0))

    def add(self, columns: np.ndarray, people: np.ndarray) -> tuple[slice, int]:
        """Where the sums of y times these columns (n, k), and of y² over these people (n,), will stand."""
        start = self.linear.shape[1]
        self.linear, self.square = np.column_stack([self.linear, columns]), np.column_stack([self.square, people])
        return slice(start, self.linear.shape[1]), self.square.shape[1] - 1


def wanted(target: Target, factor: float) -> float:
    """The slack to aim at: more than the target's margin, so that what follows may lose some."""
    return 0.0 if target.soft else min(0.9, factor * target.margin)


def of_model(id: str, text: str, low: float, high: float, by: Mapping[str, Any], model: Mapping[str, Any], rows: models.Design, place: tuple[slice, int], step: float, options: dict) -> Target:
    """The Target of a statistic of least squares as a function of X′y and y′y.

    With b = X′y: estimates (X′X)⁻¹b, residual sum of squares y′y − b′(X′X)⁻¹b. step: what counts as EDGE of one person's score.
    """
    columns, used = place
    weights = rows.contrast(model["contrasts"][by["contrast"]])
    inverse = np.linalg.inv(rows.X.T @ rows.X)
    n, p = rows.X.shape
    if n <= p:
        raise ValueError(f"{n} people for {p} coefficients of {id}: too few")
    unit = float(weights @ inverse @ weights)
    df = None if model.get("test") == "wald-z" else n - p
    quantile = models.quantile(0.5 + model.get("level", 0.95) / 2, df)
    statistic = by["statistic"]
    if statistic == "p":
        low, high = -models.quantile(high / 2, df) if high < 1 else -math.inf, -models.quantile(low / 2, df) if low > 0 else math.inf

    def value(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
        b = sums[:, columns]
        beta = b @ inverse
        est = beta @ weights
        if statistic == "est":
            return est
        se = np.sqrt(np.maximum(squares[:, used] - np.sum(b * beta, axis=1), 1e-12) / (n - p) * unit)
        return {"se": se, "lo": est - quantile * se, "hi": est + quantile * se}[statistic] if statistic != "p" else est / se

    return Target(id, text, statistic, low, high, value, place, (f"{by['model']} {by['contrast']}", n, quantile), edge=EDGE if statistic == "p" else step * math.sqrt(unit), **options)


def moment(statistic: str, place: tuple[slice, int], n: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The mean, or the SD (n − 1), of n people as a function of sums (m, q) and sums of squares (m, w)."""
    columns, used = place
    if statistic == "mean":
        return lambda sums, squares: sums[:, columns.start] / n
    return lambda sums, squares: np.sqrt(np.maximum(squares[:, used] - sums[:, columns.start] ** 2 / n, 0.0) / max(n - 1, 1))


def correlation(place: tuple[slice, int], x: np.ndarray, both: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The correlation with x, among the people who have both, as a function of sums (m, q) and sums of squares (m, w)."""
    columns, used = place
    n, sum_x = int(both.sum()), float(x.sum())
    spread_x = float(x @ x) - sum_x**2 / n

    def value(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
        sum_y, cross = sums[:, columns.start], sums[:, columns.start + 1]
        spread_y = np.maximum(squares[:, used] - sum_y**2 / n, 1e-12)
        return (cross - sum_x * sum_y / n) / np.sqrt(spread_x * spread_y)

    return value


def impossible(targets: list[Target], low: int, high: int) -> tuple[list[Target], str] | None:
    """The smallest set, by deletion, of targets that provably exclude each other, and why; None where no proof is known.

    Proved is that no whole numbers from low to high have a mean and an SD, and that no estimate and standard error
    whatever give what is claimed of one contrast (a linear program in these two, for either sign of the estimate).
    """
    groups: dict[tuple[str, int, float], list[Target]] = {}
    for target in targets:
        if target.about is not None:
            groups.setdefault(target.about, []).append(target)
    for (_, n, quantile), group in groups.items():
        own = {target.statistic: target for target in group}
        if {"mean", "sd"} <= set(own) and quantile == 0:
            try:
                integers.printing(n, low, high, own["mean"].text, own["sd"].text)
            except ValueError as error:
                return [own["mean"], own["sd"]], str(error)
        elif quantile > 0 and _no_estimate(group):
            for target in list(group):
                rest = [other for other in group if other is not target]
                group = rest if _no_estimate(rest) else group
            return group, "no estimate and standard error whatever do"
    return None


def _no_estimate(targets: list[Target]) -> bool:
    """Whether no estimate and standard error meet these targets on one contrast."""
    for sign in (1, -1):
        rows, limits = [], []
        for target in targets:
            quantile = target.about[2]
            line = np.array({"est": (1.0, 0.0), "se": (0.0, 1.0), "lo": (1.0, -quantile), "hi": (1.0, quantile), "p": (sign, 0.0)}[target.statistic])
            for end, side in ((target.high, 1), (target.low, -1)):
                if math.isfinite(end):
                    rows.append(side * (line - np.array([0.0, end])) if target.statistic == "p" else side * line)
                    limits.append(0.0 if target.statistic == "p" else side * end)
        bounds = [(0, None) if sign > 0 else (None, 0), (1e-9, None)]
        if not rows or optimize.linprog(np.zeros(2), A_ub=np.array(rows), b_ub=np.array(limits), bounds=bounds).status != 2:
            return False
    return True


def sums_of(y: np.ndarray, tracked: Tracked) -> tuple[np.ndarray, np.ndarray]:
    """The sums (1, q) and sums of squares (1, w) of scores (n,)."""
    return (y @ tracked.linear)[None], (y**2 @ tracked.square)[None]


def exchanged(y: np.ndarray, codes: np.ndarray, tracked: Tracked, targets: list[Target], rng: np.random.Generator, rounds: int = 512) -> np.ndarray:
    """The scores (n,) after people of an arm have exchanged theirs until the targets are met, or no exchange helps.

    codes: (n,) arms 0 … A−1. In each round disjoint pairs are tried together; they are ordered by what each would gain
    alone, and the best run of 1, 2, 4, … of them is made. A round tries at most 8192 pairs an arm.
    """
    y = y.copy()
    members = [np.flatnonzero(codes == arm) for arm in range(codes.max() + 1)]

    def cost(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
        total = np.zeros(len(sums))
        for target in targets:
            missed = np.minimum(0.0, target.slack(sums, squares) - wanted(target, 1.2))
            total += (SOFT**2 if target.soft else 100.0) * missed**2
        return total

    sums, squares = sums_of(y, tracked)
    now, idle = float(cost(sums, squares)[0]), 0
    pairs = [min(len(mine) // 2, max(128, min(8192, len(mine) // 16))) for mine in members]
    for _ in range(rounds):
        if now <= 0 or idle >= 25:
            break
        both = np.concatenate([rng.choice(mine, 2 * k, replace=False).reshape(2, k) for mine, k in zip(members, pairs, strict=True)], axis=1)
        first, second = both[:, y[both[0]] != y[both[1]]]
        gap = (y[second] - y[first])[:, None]
        moves = (tracked.linear[first] - tracked.linear[second]) * gap
        moves_of_squares = (tracked.square[first] - tracked.square[second]) * (y[second] ** 2 - y[first] ** 2)[:, None]
        alone = cost(sums + moves, squares + moves_of_squares)
        order = np.argsort(alone, kind="stable")[: max(1, int((alone < now).sum()))]
        runs = 2 ** np.arange(int(math.log2(len(order))) + 1) - 1 if len(order) else np.zeros(0, dtype=int)
        together, together_of_squares = np.cumsum(moves[order], axis=0)[runs], np.cumsum(moves_of_squares[order], axis=0)[runs]
        after = cost(sums + together, squares + together_of_squares)
        if not len(after) or after.min() >= now:
            idle += 1
            continue
        idle = 0
        best = int(after.argmin())
        made = order[: runs[best] + 1]
        y[first[made]], y[second[made]] = y[second[made]], y[first[made]]
        sums, squares, now = sums + together[best], squares + together_of_squares[best], float(after[best])
    return y
