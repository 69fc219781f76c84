"""Effects and sizes, real numbers still, that print given statistics and lie as near as may be to those drawn.

Every step solves a problem of least distance (Lawson and Hanson 1974, Solving Least Squares Problems, chapter 23) with the targets
linearised: of all effects and sizes inside the bands, those with the shortest way from the start, counted in what is usual for each.
Where not all bands can be entered as deep as wished, the depth gives way, by the same amount in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize

from asprinted.synthesis.trials import slopes, targets
from asprinted.synthesis.trials.laws import Law, standardised
from asprinted.synthesis.trials.targets import Band, Target

DEPTH = 0.6  # the slack aimed at, in half widths of a band: 0 at its ends, 1 in its middle
STEPS = 40
NOTHING = 0.01  # a gain, as a share, that counts as none
USUAL = 0.3  # a usual change of the logarithm of a size
LONGEST = 0.4  # the longest step of the logarithm of a size
FARTHEST = 1.0  # the longest step of an effect, in what is usual for it
LONG = 3.0  # a longer step, in these, is sought anew and not just shortened
SOFT = (1e-5, 1e-2, 1e-1, 0.5, 2.0, 8.0)  # what a unit of the distance counts against a unit of depth given up; the first that keeps a step short


@dataclass(frozen=True)
class Trials:
    """Where the search starts, and what it may change; k trials of two arms.

    effects (k,): of the measure, drawn, in the direction of the outcome. sizes, least, most (k, 2): people in each arm to
    start from, and the bounds of their number: all equal where it is fixed. total: the exact sum of all sizes, or None. minimum, maximum,
    mean, sd, direction (k,): the instrument of each trial: its lowest and highest score, its usual mean and standard deviation, and −1 where
    it counts the other way round, else 1. measure: "smd" or "md". decimals: of means and SDs where scores may be any numbers; None where they are whole.
    """

    effects: np.ndarray
    sizes: np.ndarray
    least: np.ndarray
    most: np.ndarray
    total: int | None
    minimum: np.ndarray
    maximum: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    direction: np.ndarray
    measure: str = "smd"
    decimals: int | None = None

    def __post_init__(self) -> None:
        if (self.least < 4).any():
            raise ValueError(f"an arm may have {self.least.min():g} people: give least sizes of 4 or more")
        if (self.least > self.most).any():
            at = tuple(np.argwhere(self.least > self.most)[0])
            raise ValueError(f"an arm has from {self.least[at]:g} to {self.most[at]:g} people: give the least number first")
        if self.total is not None and not np.ceil(self.least).sum() <= self.total <= np.floor(self.most).sum():
            raise ValueError(f"the trials have {self.total} people, but their arms {self.least.sum():g} to {self.most.sum():g}: change the total or the bounds")

    @property
    def k(self) -> int:
        return len(self.effects)


def refuted(trials: Trials, wanted: Sequence[Target]) -> str | None:
    """Why no trials whatever meet the targets, as far as a bound on the standard error proves it; None where it proves nothing.

    A standardised mean difference of n₁ + n₂ = N people has a weight of at most n₁n₂/N, which is at most N/4. So the standard error is at
    least 2 over the root of all people, whatever tau² is, under every test that does not scale it below Wald's. A mean difference has none.
    """

    def least(rows: np.ndarray) -> tuple[float, str]:
        people = float(trials.most[rows].sum())
        if trials.total is not None:
            people = min(people, trials.total - float(trials.least[~rows].sum()))
        weight = min(people / 4, float((1 / (1 / trials.most[rows]).sum(1)).sum()))
        return (1 / math.sqrt(weight) if trials.measure == "smd" else 0.0), f"{people:g} people is at least {{:.5f}}, since none weighs more than a quarter of its people"

    return crossed(wanted, least)


def crossed(wanted: Sequence[Target], least: Callable[[np.ndarray], tuple[float, str]]) -> str | None:
    """Why the targets leave no standard error, or one below the least of the trials that they are about; None where they leave one.

    least: of trials (k,), True and False, the least standard error of a pool, and a message with a place for it, of how many people and why.
    """
    for one in wanted:
        if one.statistic not in ("est", "se", "lo", "hi") or (one.model["test"] == "knapp-hartung" and one.k > 1):
            continue
        rows = one.rows
        quantile = slopes.critical(one.model["test"], one.k, one.model.get("level", 0.95))
        same = [each for each in wanted if each.statistic in ("est", "se", "lo", "hi") and np.array_equal(each.rows, rows) and each.model == one.model]
        top = {name: min((each.ends[1] for each in same if each.statistic == name), default=math.inf) for name in ("est", "se", "hi")}
        bottom = {name: max((each.ends[0] for each in same if each.statistic == name), default=-math.inf) for name in ("est", "lo")}
        largest = min(top["se"], (top["hi"] - bottom["lo"]) / (2 * quantile), (top["est"] - bottom["lo"]) / quantile, (top["hi"] - bottom["est"]) / quantile)
        smallest, told = least(rows)
        names = ", ".join(dict.fromkeys(each.says for each in same))
        if largest <= 0:
            return f"{names}: the estimate lies inside its interval, and these leave no standard error above 0: no records can print this"
        if largest < smallest * (1 - 1e-12):
            return f"{names}: the standard error would be at most {largest:.5f}, but that of {one.k} trials with {told.format(smallest)}: no records of such trials can print this"
    return None


class Room(NamedTuple):
    """The bounds (k, 2) between which sizes may move, and their exact sum, or None."""

    least: np.ndarray
    most: np.ndarray
    total: int | None = None


def approached(room: Room, found: Sequence[Band], y: np.ndarray, n: np.ndarray, law: Law = standardised) -> tuple[np.ndarray, np.ndarray, float]:
    """Effects (k,), sizes (k, 2) and their least slack in half widths: near to y and n, and inside the bands.

    Sizes move within their room. law: as in `targets.sides`. A slack that is not positive says that nothing was found.
    """
    if others := [band for band in found if band.statistic != "root_between"]:
        if len(others) < len(found):  # it is the same whichever subgroup is ahead, so the others go first
            y, n, _ = approached(room, others, y, n, law)
    first = _approached(room, found, y, n, law, False)
    point = _point(*first[:2])
    if first[2] > 0 or np.array_equal(_sides(found, point, law, False)[1], _sides(found, point, law, True)[1]):
        return first
    return max(first, _approached(room, found, y, n, law, True), key=lambda each: each[2])


def _approached(room: Room, found: Sequence[Band], y: np.ndarray, n: np.ndarray, law: Law, lifting: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """As `approached`; lifting: as in `targets.sides`. Steps are full while they help, and shorter from the best point when they do not."""
    k = len(y)
    low, high = np.log(room.least).T.ravel(), np.log(room.most).T.ravel()
    usual = np.concatenate([np.sqrt(law(y, n).v + np.var(y)), np.where(low < high, USUAL, 0.0)])
    longest = np.concatenate([FARTHEST * usual[:k], np.full(2 * k, LONGEST)])
    now = _point(y, n)
    slack, moves = _sides(found, now, law, lifting)
    best, least = now, slack.min(initial=np.inf)
    radius, stalled = 1.0, 0
    for _ in range(STEPS):
        if least >= (1 - NOTHING) * DEPTH or stalled > 8:
            break
        for soft in SOFT:
            step = _nearest(room.total, now, slack, moves, usual, low, high, soft) - now
            length = float((np.abs(step) / longest).max()) / radius
            if length <= LONG:
                break
        if 0 < slack.min() > (slack + moves @ step).min() - NOTHING * DEPTH:
            break  # the depth that there is
        now = _kept(now + step / max(length, 1.0), low, high, room.total)
        slack, moves = _sides(found, now, law, lifting)
        better = DEPTH - slack.min() < (1 - NOTHING) * (DEPTH - least)
        radius, stalled = (min(2 * radius, 1.0), 0) if better else (radius / 2, stalled + 1)
        if slack.min() > least:
            best, least = now, slack.min()
        elif stalled % 3 == 0:
            now, radius = best, radius / 2
            slack, moves = _sides(found, now, law, lifting)
    slack, _ = _sides(found, best, law, False)
    return *_parts(best), float(slack.min(initial=np.inf))


def _point(y: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Effects (k,) and the logs of sizes (k, 2) as one vector (3k,)."""
    return np.concatenate([y, np.log(n).T.ravel()])


def _parts(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    k = len(point) // 3
    return point[:k], np.exp(point[k:]).reshape(2, k).T


def _sides(found: Sequence[Band], point: np.ndarray, law: Law, lifting: bool) -> tuple[np.ndarray, np.ndarray]:
    """Slacks (s,) of the ends that are closed, and their slopes (s, 3k)."""
    slack, moves = targets.sides(found, *_parts(point), lifting, law)
    kept = np.isfinite(slack)
    return slack[kept], moves[:, :3].reshape(len(slack), len(point))[kept]


def _nearest(
    total: int | None, now: np.ndarray, slack: np.ndarray, moves: np.ndarray, usual: np.ndarray, low: np.ndarray, high: np.ndarray, soft: float
) -> np.ndarray:
    """The point nearest to this one whose linearised slacks are at least DEPTH; a size that would leave its bounds stays on one, the total is kept."""
    k = len(now) // 3
    usual, wanted = usual.copy(), now.copy()
    for _ in range(4):
        scaled = moves * usual
        short = DEPTH - slack - moves @ (wanted - now)
        along = np.zeros_like(now)
        if total is not None and usual[k:].any():
            sizes = np.exp(now[k:])
            along[k:] = sizes * usual[k:]
            along /= along @ along
            along *= total - sizes.sum() - sizes @ (wanted - now)[k:]
            short = short - scaled @ along
            across = np.concatenate([np.zeros(k), sizes * usual[k:]])
            across /= np.linalg.norm(across)
            scaled = scaled - np.outer(scaled @ across, across)
        goal = wanted + usual * (_least(scaled, short, soft) + along)
        outside = np.zeros(len(now), bool)
        outside[k:] = (usual[k:] > 0) & ((goal[k:] < low - 1e-9) | (goal[k:] > high + 1e-9))
        if not outside.any():
            break
        wanted[outside] = np.clip(goal[k:], low, high)[outside[k:]]
        usual[outside] = 0.0
    return goal


def _least(scaled: np.ndarray, short: np.ndarray, soft: float) -> np.ndarray:
    """The shortest x with scaled @ x ≥ short, by its dual; where there is none, short gives way by about the same amount in all rows.

    Raises ValueError where the rows are too large and too alike for floating point.
    """
    size = len(short)
    try:
        root = linalg.cholesky(scaled @ scaled.T + soft * (1 + np.eye(size)), lower=True)
    except linalg.LinAlgError:
        raise ValueError("the effects drawn lie so far from the numbers printed that no step leads there") from None
    weights, _ = optimize.nnls(root.T, linalg.solve_triangular(root, short, lower=True), maxiter=50 * size)
    return weights @ scaled


def _kept(point: np.ndarray, low: np.ndarray, high: np.ndarray, total: int | None) -> np.ndarray:
    """The point with its sizes inside their bounds and their sum exact."""
    k = len(point) // 3
    logs = np.clip(point[k:], low, high)
    for _ in range(30 if total is not None else 0):
        sizes = np.exp(logs)
        missing = total - sizes.sum()
        movable = logs < high if missing > 0 else logs > low
        if abs(missing) < 1e-9 * total or not movable.any():
            break
        factor = max(1 + missing / sizes[movable].sum(), 1e-3)
        logs = np.where(movable, np.clip(logs + np.log(factor), low, high), logs)
    return np.concatenate([point[:k], logs])


def whole_sizes(trials: Trials, n: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Whole sizes (k, 2) next to n, inside their bounds and with the exact total; with `rng`, up or down by chance."""
    least, most = np.ceil(trials.least).astype(int), np.floor(trials.most).astype(int)
    if trials.total is None:
        return np.clip(np.rint(n if rng is None else np.floor(n + rng.random(n.shape))), least, most).astype(int)
    whole = np.clip(np.floor(n), least, most).astype(int)
    missing = trials.total - int(whole.sum())
    order = (n - whole) + (0 if rng is None else rng.normal(0, 0.3, n.shape))
    while missing:
        step = 1 if missing > 0 else -1
        movable = (whole < most) if step > 0 else (whole > least)
        places = np.argsort(np.where(movable, -step * order, np.inf), axis=None, kind="stable")[: min(abs(missing), int(movable.sum()))]
        whole.ravel()[places] += step
        missing -= step * len(places)
    return whole
