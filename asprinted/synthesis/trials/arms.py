"""The arms of a pool of trials, in whole people and whole scores, that print given statistics.

Real effects and sizes come first, then whole sizes, then for each trial many pairs of arms near its effect, each of which whole scores
on the instrument can have; last, the pairs are chosen such that the table itself, with its two decimals, meets every target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asprinted.models.effects import hedges_g
from asprinted.synthesis import integers
from asprinted.synthesis.trials.continuous import Trials, approached, refuted, whole_sizes
from asprinted.synthesis.trials.targets import STATISTICS, Band, Target, bands, sides, variances

__all__ = ["STATISTICS", "Arms", "Target", "Trials", "arms_that_print"]

ATTEMPTS = 8
EDGE = 1e-6  # the least slack, in half widths, that is accepted: other linear algebra moves no digit then
ENOUGH = 0.3  # the least slack at which the search stops;
PART = 0.75  # or this part of the slack that real numbers had, where that is less
ROUNDS = 40
NOTHING = 0.025  # a gain, as a share, that counts as none
BETWEEN, WITHIN = 0.12, 0.04  # SD of the log SD between trials, and between the arms of one
SHIFT = 0.3  # SD of a trial's level about the usual mean, in SDs
FAR = 0.5  # how far, in standard errors, an effect may be from that wanted
SUMS = np.array([(a, b) for b in (0, 1, -1) for a in (0, 1, -1, 2)]).T  # steps of the two sums
SQUARES = np.array([(a, b) for b in (0, 1, -1) for a in (0, 1, -1, 2, -2, 3, -3)]).T  # steps of the two sums of squares


@dataclass(frozen=True)
class Arms:
    """What the table says of k trials of two arms: n, mean and sd, each (k, 2); means and SDs have two decimals, sizes are whole."""

    n: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


@dataclass(frozen=True)
class Choice:
    """Pairs of arms to choose from, c for each trial: effect (k, c), nan where whole scores cannot have them; mean, sd (k, c, 2) in hundredths."""

    effect: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def arms_that_print(trials: Trials, targets: Sequence[Target], rng: np.random.Generator) -> Arms:
    """Arms whose table meets every target, computed from its rounded means and SDs by the reference models.

    Every mean and SD is that of n whole scores on the trial's instrument. Effects stay as near to those drawn as the targets allow.
    Raises ValueError where it is proved that no records can meet the targets, where no whole scores give an effect, and where
    none were found: with what is nearest to the targets then.
    """
    if reason := refuted(trials, targets):
        raise ValueError(reason)
    found = bands(targets)
    free = bool((trials.least < trials.most).any())
    nearest = (-np.inf, "")
    for attempt in range(ATTEMPTS):
        y, n = _start(trials, attempt, rng)
        if free:
            y, n, _ = approached(trials, found, y, n, True)
        sizes = whole_sizes(trials, n, rng if attempt else None)
        y, _, slack = approached(trials, found, y, sizes.astype(float), False)
        if slack > 0:
            arms = _chosen(trials, found, y, sizes, min(ENOUGH, PART * slack), rng)
            y, v = _effects(trials.direction, arms)
            slack = float(sides(found, y, sizes.astype(float))[0].min(initial=np.inf))
            if slack > EDGE and not _missed(targets, y, v, sizes):
                return arms
        else:
            v = variances(y, sizes)
        nearest = max(nearest, (slack, "; ".join(_missed(targets, y, v, sizes))))
    says = ", ".join(dict.fromkeys(each.says for each in targets))
    raise ValueError(f"no arms were found that print all of {says}; the nearest miss in {ATTEMPTS} attempts: {nearest[1] or 'a digit on its border'}")


def _start(trials: Trials, attempt: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The effects drawn and the sizes; in later attempts others like them, effects less or more apart."""
    if attempt == 0:
        return trials.effects, np.clip(trials.sizes, trials.least, trials.most).astype(float)
    middle, turn = trials.effects.mean(), min(attempt / 7, 1.0)
    apart = trials.effects - middle
    other = rng.permutation(apart) if trials.k > 2 else rng.normal(0, np.sqrt((1 / trials.sizes).sum(1)))
    y = middle + (0.7, 1.0, 1.5)[attempt % 3] * (np.sqrt(1 - turn**2) * apart + turn * other)
    return y, np.clip(trials.sizes * np.exp(0.05 * attempt * rng.normal(size=(trials.k, 2))), trials.least, trials.most)


def _missed(targets: Sequence[Target], y: np.ndarray, v: np.ndarray, n: np.ndarray) -> list[str]:
    """The targets that these effects miss, a line each, by the reference models."""
    lines = []
    for target in targets:
        value = target.value(y, v, n)
        if not target.met(value):
            lines.append(f"{target.says}: {target.statistic} is {value:.6g}, not {target.low:.6g} to {target.high:.6g}")
    return lines


def _effects(direction: np.ndarray, arms: Arms) -> tuple[np.ndarray, np.ndarray]:
    """The effects (k,) of the table in the direction of the outcome, and their variances."""
    g, v = hedges_g(arms.n[:, 0], arms.mean[:, 0], arms.sd[:, 0], arms.n[:, 1], arms.mean[:, 1], arms.sd[:, 1])
    return direction * g, v


# Pairs of arms near an effect


def choices(trials: Trials, y: np.ndarray, n: np.ndarray, rng: np.random.Generator) -> Choice:
    """Pairs of arms near the effects y (k,), for whole sizes n (k, 2).

    Levels and SDs are drawn about those of each instrument. Whole sums and sums of squares are then taken on a small grid, the SDs first
    stretched a little towards the effect; a mean or an SD on the border between two roundings is left out.
    """
    low, high = trials.minimum.astype(int), trials.maximum.astype(int)
    direction, width = trials.direction, (high - low).astype(float)
    spread = trials.sd * np.exp(BETWEEN * np.clip(rng.normal(size=trials.k), -2, 2))
    apart = direction * y * spread / (1 - 3 / (4 * n.sum(1) - 9))  # of the means
    level = trials.mean + SHIFT * trials.sd * np.clip(rng.normal(size=trials.k), -2, 2) - apart / 2
    least, most = low + width / 7 + np.maximum(-apart, 0), high - width / 7 - np.maximum(apart, 0)
    level = np.where(least < most, np.clip(level, least, np.maximum(least, most)), (low + high - apart) / 2)
    sds = spread[:, None] * np.exp(WITHIN * np.clip(rng.normal(size=(trials.k, 2)), -2, 2))
    for mean in (level, level + apart):
        sds = np.minimum(sds, 0.85 * np.sqrt(np.maximum((mean - low) * (high - mean), 1 / 4))[:, None])

    n1, n2 = n[:, :1], n[:, 1:]
    df = n - 1
    pooled = np.sqrt((df * sds**2).sum(1) / df.sum(1))
    second = np.rint(n2 * level[:, None]).astype(np.int64) + SUMS[1]
    first = np.floor(n1 * (second / n2 + (apart * pooled / spread)[:, None])).astype(np.int64) + SUMS[0]
    difference = first / n1 - second / n2
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = difference * (direction * (1 - 3 / (4 * n.sum(1) - 9)) / (pooled * y))[:, None]
    stretch = np.clip(np.where(np.isfinite(stretch), stretch, 1.0), 0.94, 1.06)
    shape = (trials.k, SUMS.shape[1], SQUARES.shape[1])
    sums = np.stack([np.broadcast_to(each[:, :, None], shape).reshape(trials.k, -1) for each in (first, second)], -1)
    wanted = np.broadcast_to((stretch[:, :, None] * sds[:, None, :])[:, :, None, :], (*shape, 2)).reshape(trials.k, -1, 2)
    steps = np.broadcast_to(SQUARES.T[None, None], (*shape, 2)).reshape(trials.k, -1, 2)

    people = n[:, None, :]
    own = sums**2 / people
    stride = np.maximum(np.rint((people - 1) * sds[:, None, :] * 0.01), 1)  # half of what moves the SD by about 0.01
    squares = 2 * np.rint(((people - 1) * wanted**2 + own - sums % 2) / 2 + steps * stride) + sums % 2
    sd, clear = _hundredths(np.sqrt(np.maximum(squares - own, 0) / (people - 1)))
    mean, clear_too = _hundredths(sums / people)
    there = (clear & clear_too & (sd > 0)).all(2)
    there &= _exist(people, low[:, None, None], high[:, None, None], sums, squares.astype(np.int64), there)
    g = np.full(there.shape, np.nan)
    rows = np.nonzero(there)
    arm = [(n[rows[0], j], mean[(*rows, j)] / 100, sd[(*rows, j)] / 100) for j in (0, 1)]
    g[rows] = direction[rows[0]] * hedges_g(*arm[0], *arm[1])[0]
    off = np.abs(np.where(there, g, np.inf) - y[:, None]).min(1) / np.sqrt(variances(y, n))
    if (off > FAR).any():
        at = int(off.argmax())
        raise ValueError(
            f"a trial of {n[at, 0]} and {n[at, 1]} people on a scale from {low[at]} to {high[at]}, usual mean {trials.mean[at]:g} and SD {trials.sd[at]:g}, "
            f"cannot have an effect of {y[at]:.3f}: give a smaller SD, a mean nearer to the middle, or larger arms"
        )
    return Choice(g, mean, sd)


def _hundredths(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values in hundredths, rounded, and whether each is clear of the border between two roundings."""
    scaled = 100 * value
    whole = np.rint(scaled)
    return whole.astype(np.int64), np.abs(np.abs(scaled - whole) - 0.5) > 1e-6


def _exist(n: np.ndarray, low: np.ndarray, high: np.ndarray, total: np.ndarray, squares: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Whether both arms (…, 2) of each pair exist: n whole scores from low to high with this sum and sum of squares.

    From the scores nearest to their mean, two equal ones moved by j to either side add 2j² to the sum of squares. Where the
    largest moves, and then the largest square each time, come to the sum of squares with the pairs that there are, scores exist.
    Where this does not show it, it is decided exactly, but only for rows that would be left without any pair asked for.
    """
    middle, above = np.divmod(total, n)
    room = np.minimum(middle - low, high - middle - 1)
    pairs = above // 2 + (n - above) // 2
    rest = (squares - (n - above) * middle**2 - above * (middle + 1) ** 2) // 2
    possible = (total >= n * low) & (total <= n * high) & (rest >= 0)
    widest, rest = np.maximum(room, 1) ** 2, np.maximum(rest, 0)
    used, rest = rest // widest, rest % widest
    for _ in range(8):
        used, rest = used + (rest > 0), rest - np.floor(np.sqrt(rest)).astype(np.int64) ** 2
    shown = possible & (room >= 1) & (rest == 0) & (used <= pairs)
    for row, j in ((row, j) for row in np.nonzero(~(shown.all(-1) & asked).any(1))[0] for j in (0, 1)):
        scale = (int(n[row, 0, j]), int(low[row, 0, 0]), int(high[row, 0, 0]))
        sums = np.stack([total[row, :, j], squares[row, :, j]], 1)
        found, which = np.unique(sums, axis=0, return_inverse=True)
        shown[row, :, j] = np.array([integers.exists(*scale, int(one), int(two)) for one, two in found])[which.ravel()]
    return shown.all(-1)


# Which pair for which trial


def _chosen(trials: Trials, found: Sequence[Band], y: np.ndarray, n: np.ndarray, enough: float, rng: np.random.Generator) -> Arms:
    """The arms found with slacks of at least `enough`, or with those nearest to that, by changes of one trial and of two."""
    choice = choices(trials, y, n, rng)
    real = n.astype(float)
    rows = np.arange(trials.k)
    effect = np.where(np.isfinite(choice.effect), choice.effect, np.inf)
    at = np.abs(effect - y[:, None]).argmin(1)
    slack, moves = _linear(found, effect[rows, at], real)
    best, value = at, _cost(slack, enough)
    for turn in range(ROUNDS):
        if value <= 0:
            break
        shift = np.where(np.isfinite(choice.effect), choice.effect - effect[rows, at][:, None], 0.0)
        one = _cost(slack[:, None, None] + moves[:, :, None] * shift, enough)
        if turn % 2 and trials.k > 1 or one.min() > (1 - NOTHING) * _cost(slack, enough):
            trial = np.argsort(one.min(1))[: min(6, trials.k)] if turn < ROUNDS // 2 else rng.permutation(trials.k)[:6]
            i, j = rng.permutation(trial)[:2] if trials.k > 1 else (0, 0)
            two = _cost((slack[:, None] + moves[:, i, None] * shift[i])[:, :, None] + (moves[:, j, None] * shift[j])[:, None, :] * (i != j), enough)
            a, b = np.unravel_index(two.argmin(), two.shape)
            after = at.copy()
            after[i] = a
            after[j] = b if i != j else a
        else:
            i, a = np.unravel_index(one.argmin(), one.shape)
            after = at.copy()
            after[i] = a
        at = np.where(np.isfinite(choice.effect[rows, after]), after, at)
        slack, moves = _linear(found, effect[rows, at], real)
        if _cost(slack, enough) < value:
            best, value = at, _cost(slack, enough)
    return Arms(n, choice.mean[rows, best] / 100, choice.sd[rows, best] / 100)


def _linear(found: Sequence[Band], y: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slacks (s,) of the ends that are closed, and their slopes by the effects (s, k)."""
    slack, moves = sides(found, y, n)
    kept = np.isfinite(slack)
    return slack[kept], moves[kept, 0]


def _cost(slack: np.ndarray, enough: float) -> np.ndarray:
    """0 where every slack is enough; slacks along the first axis."""
    return (np.maximum(enough - slack, 0) ** 2).sum(0)
