"""The arms of a pool of trials, in whole people and whole scores, or scores of any kind, that print given statistics.

Real effects and sizes come first, then whole sizes, and of mean differences the standard deviations; then for each trial many pairs of arms
near its effect, each of which whole scores on the instrument can have; last, the pairs are chosen such that the table itself, with its two decimals, meets every target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from asprinted.models.effects import MEASURES
from asprinted.synthesis import integers
from asprinted.synthesis.trials.continuous import Room, Trials, approached, refuted, whole_sizes
from asprinted.synthesis.trials.laws import Law, differences, held, spreads, standardised, variances
from asprinted.synthesis.trials.targets import STATISTICS, Band, Target, bands, sides

__all__ = ["STATISTICS", "Arms", "Target", "Trials", "arms_that_print"]

ATTEMPTS = 8
EDGE = 1e-6  # the least slack, in half widths, that is accepted: other linear algebra moves no digit then
ENOUGH = 0.3  # the least slack at which the search stops;
PART = 0.75  # or this part of the slack that real numbers had, where that is less
ROUNDS = 40
NOTHING = 0.025  # a gain, as a share, that counts as none
BETWEEN, WITHIN = 0.12, 0.04  # SD of the log SD between trials, and between the arms of one
LOOSE = 1.2  # by which factor the SDs of arms may move from those drawn, where a mean difference needs it
INSIDE = 0.85  # of the largest SD that scores with a mean can have, what an arm has at most
SHIFT = 0.3  # SD of a trial's level about the usual mean, in SDs
FAR = 0.5  # how far, in standard errors, an effect may be from that wanted
FAR_OUT = (1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, -1 / 6, -1 / 3, -1 / 2, -2 / 3, -5 / 6)  # of the way to a bound, where some scores lie
SHARES = (1.0, 0.9, 3 / 4, 1 / 2)  # of the sum of squares about the mean, which they make up
NEXT = (0, 1, -1, 2, -2)  # steps of a mean or an SD that may be any number
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
    """Pairs of arms to choose from, c for each trial.

    effect, variance (k, c): nan where whole scores cannot have them. mean, sd (k, c, 2): whole numbers of 1/unit.
    """

    effect: np.ndarray
    variance: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    unit: int = 100


def arms_that_print(trials: Trials, targets: Sequence[Target], rng: np.random.Generator) -> Arms:
    """Arms whose table meets every target, computed from its rounded means and SDs by the reference models.

    Every mean and SD is that of n whole scores on the trial's instrument. Effects stay as near to those drawn as the targets allow; where they
    are mean differences, so do the SDs of the arms. Raises ValueError where it is proved that no records can meet the targets, where no whole scores give an effect, and where
    none were found: with what is nearest to the targets then.
    """
    if reason := refuted(trials, targets):
        raise ValueError(reason)
    found = bands(targets)
    free = bool((trials.least < trials.most).any())
    nearest = (-np.inf, "")
    for attempt in range(ATTEMPTS):
        y, n = _start(trials, attempt, rng)
        sd = None if trials.measure == "smd" else _spreads(trials, rng)
        if free:
            y, n, _ = approached(Room(trials.least, trials.most, trials.total), found, y, n, standardised if sd is None else differences(sd))
        sizes = whole_sizes(trials, n, rng if attempt else None)
        real = sizes.astype(float)
        if sd is None:
            y, _, slack = approached(Room(real, real), found, y, real)
        else:
            y, telling, slack = approached(Room(real / LOOSE**2, real * LOOSE**2), found, y, real, spreads(sd, real))
            sd = sd * np.sqrt(real / telling)
        if slack > 0:
            arms = _chosen(trials, found, y, sizes, sd, min(ENOUGH, PART * slack), rng)
            y, v = _effects(trials, arms)
            slack = float(sides(found, y, real, law=_law(trials, v, real))[0].min(initial=np.inf))
            if slack > EDGE and not missed(targets, y, v, sizes):
                return arms
        else:
            v = variances(y, sizes) if sd is None else (sd**2 / sizes).sum(1)
        nearest = max(nearest, (slack, "; ".join(missed(targets, y, v, sizes))))
    raise unfound("arms", targets, nearest[1], ATTEMPTS)


def unfound(what: str, targets: Sequence[Target], nearest: str, attempts: int) -> ValueError:
    """The error that a search in vain ends with, which tells the nearest miss."""
    says = ", ".join(dict.fromkeys(each.says for each in targets))
    return ValueError(f"no {what} were found that print all of {says}; the nearest miss in {attempts} attempts: {nearest or 'a digit on its border'}")


def _start(trials: Trials, attempt: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The effects drawn and the sizes; in later attempts others like them, effects less or more apart."""
    if attempt == 0:
        return trials.effects, np.clip(trials.sizes, trials.least, trials.most).astype(float)
    middle, turn = trials.effects.mean(), min(attempt / 7, 1.0)
    apart = trials.effects - middle
    error = np.sqrt((1 / trials.sizes).sum(1)) * (1.0 if trials.measure == "smd" else trials.sd)
    other = rng.permutation(apart) if trials.k > 2 else rng.normal(0, error)
    y = middle + (0.7, 1.0, 1.5)[attempt % 3] * (np.sqrt(1 - turn**2) * apart + turn * other)
    return y, np.clip(trials.sizes * np.exp(0.05 * attempt * rng.normal(size=(trials.k, 2))), trials.least, trials.most)


def _spreads(trials: Trials, rng: np.random.Generator) -> np.ndarray:
    """SDs (k, 2) of the arms, drawn about that of each instrument."""
    sds = trials.sd[:, None] * np.exp(BETWEEN * np.clip(rng.normal(size=(trials.k, 1)), -2, 2) + WITHIN * np.clip(rng.normal(size=(trials.k, 2)), -2, 2))
    largest = np.sqrt((trials.mean - trials.minimum) * (trials.maximum - trials.mean))
    return np.minimum(sds, (INSIDE / LOOSE * largest)[:, None])


def missed(targets: Sequence[Target], y: np.ndarray, v: np.ndarray, n: np.ndarray) -> list[str]:
    """The targets that these effects miss, a line each, by the reference models."""
    lines = []
    for target in targets:
        value = target.value(y, v, n)
        if not target.met(value):
            lines.append(f"{target.says}: {target.statistic} is {value:.6g}, not {target.low:.6g} to {target.high:.6g}")
    return lines


def _effects(trials: Trials, arms: Arms) -> tuple[np.ndarray, np.ndarray]:
    """The effects (k,) of the table in the direction of the outcome, and their variances."""
    y, v = MEASURES[trials.measure].of(*(column for arm in (0, 1) for column in (arms.n[:, arm], arms.mean[:, arm], arms.sd[:, arm])))
    return trials.direction * y, v


def _law(trials: Trials, v: np.ndarray, n: np.ndarray) -> Law:
    """The law of variances once arms of n (k, 2) are chosen: of a standardised mean difference they follow from it, else they are v (k,)."""
    return standardised if trials.measure == "smd" else held(v, n)


# Pairs of arms near an effect


def choices(trials: Trials, y: np.ndarray, n: np.ndarray, sd: np.ndarray | None, rng: np.random.Generator) -> Choice:
    """Pairs of arms near the effects y (k,), for whole sizes n (k, 2); sd (k, 2): the SDs of mean differences, None where they are standardised.

    Levels, and SDs that are not given, are drawn about those of each instrument. Whole sums and sums of squares are then taken on a small grid,
    the SDs of standardised effects first stretched a little towards the effect; a mean or an SD on the border between two roundings is left out.
    """
    low, high = trials.minimum.astype(int), trials.maximum.astype(int)
    direction, width = trials.direction, (high - low).astype(float)
    spread = trials.sd * np.exp(BETWEEN * np.clip(rng.normal(size=trials.k), -2, 2)) if sd is None else np.ones(trials.k)
    apart = direction * y * spread / (1 - 3 / (4 * n.sum(1) - 9)) if sd is None else direction * y  # of the means
    level = trials.mean + SHIFT * trials.sd * np.clip(rng.normal(size=trials.k), -2, 2) - apart / 2
    above, below = (np.minimum(width / 7, each / 2) for each in (trials.mean - low, high - trials.mean))  # that levels keep from the bounds
    least, most = low + above + np.maximum(-apart, 0), high - below - np.maximum(apart, 0)
    level = np.where(least < most, np.clip(level, least, np.maximum(least, most)), (low + high - apart) / 2)
    sds = spread[:, None] * np.exp(WITHIN * np.clip(rng.normal(size=(trials.k, 2)), -2, 2)) if sd is None else sd
    for mean in (level, level + apart):
        sds = np.minimum(sds, INSIDE * np.sqrt(np.maximum((mean - low) * (high - mean), 1 / 4))[:, None])

    n1, n2 = n[:, :1], n[:, 1:]
    df = n - 1
    pooled = np.sqrt((df * sds**2).sum(1) / df.sum(1)) if sd is None else spread
    second = np.rint(n2 * level[:, None]).astype(np.int64) + SUMS[1]
    first = np.floor(n1 * (second / n2 + (apart * pooled / spread)[:, None])).astype(np.int64) + SUMS[0]
    difference = first / n1 - second / n2
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = difference * (direction * (1 - 3 / (4 * n.sum(1) - 9)) / (pooled * y))[:, None]
    stretch = np.clip(np.where(np.isfinite(stretch) & (sd is None), stretch, 1.0), 0.94, 1.06)
    shape = (trials.k, SUMS.shape[1], SQUARES.shape[1])
    sums = np.stack([np.broadcast_to(each[:, :, None], shape).reshape(trials.k, -1) for each in (first, second)], -1)
    wanted = np.broadcast_to((stretch[:, :, None] * sds[:, None, :])[:, :, None, :], (*shape, 2)).reshape(trials.k, -1, 2)
    steps = np.broadcast_to(SQUARES.T[None, None], (*shape, 2)).reshape(trials.k, -1, 2)

    people = n[:, None, :]
    own = sums**2 / people
    stride = np.maximum(np.rint((people - 1) * sds[:, None, :] * 0.01), 1)  # half of what moves the SD by about 0.01
    squares = 2 * np.rint(((people - 1) * wanted**2 + own - sums % 2) / 2 + steps * stride) + sums % 2
    deviation, clear = _hundredths(np.sqrt(np.maximum(squares - own, 0) / (people - 1)))
    mean, clear_too = _hundredths(sums / people)
    there = (clear & clear_too & (deviation > 0)).all(2)
    there &= _exist(people, low[:, None, None], high[:, None, None], sums, squares.astype(np.int64), there)
    effect, variance = np.full((2, *there.shape), np.nan)
    rows = np.nonzero(there)
    arm = [(n[rows[0], j], mean[(*rows, j)] / 100, deviation[(*rows, j)] / 100) for j in (0, 1)]
    effect[rows], variance[rows] = MEASURES[trials.measure].of(*arm[0], *arm[1])
    effect *= direction[:, None]
    off = np.abs(np.where(there, effect, np.inf) - y[:, None]).min(1) / np.sqrt(variances(y, n) if sd is None else (sds**2 / n).sum(1))
    if (off > FAR).any():
        at = int(off.argmax())
        raise ValueError(
            f"a trial of {n[at, 0]} and {n[at, 1]} people on a scale from {low[at]} to {high[at]}, usual mean {trials.mean[at]:g} and SD {trials.sd[at]:g}, "
            f"cannot have an effect of {y[at]:.3f}: give a smaller SD, a mean nearer to the middle, or larger arms"
        )
    return Choice(effect, variance, mean, deviation)


def any_numbers(trials: Trials, y: np.ndarray, n: np.ndarray, sd: np.ndarray | None, rng: np.random.Generator) -> Choice:
    """Pairs of arms as `choices` has them, of scores that may be any numbers: means and SDs with the decimals of the trials, next to those wanted."""
    spread = trials.sd * np.exp(BETWEEN * np.clip(rng.normal(size=trials.k), -2, 2))
    sds = spread[:, None] * np.exp(WITHIN * np.clip(rng.normal(size=(trials.k, 2)), -2, 2)) if sd is None else sd
    df = n - 1
    apart = y if sd is not None else y * np.sqrt((df * sds**2).sum(1) / df.sum(1)) / (1 - 3 / (4 * n.sum(1) - 9))
    level = trials.mean + SHIFT * trials.sd * np.clip(rng.normal(size=trials.k), -2, 2) - apart / 2
    unit = 10**trials.decimals
    second = np.rint(unit * level).astype(np.int64)
    stride = np.maximum(np.rint(unit * sds * 0.002), 1).astype(np.int64)  # two thousandths of an SD, or the last decimal
    steps = np.array(list(product(NEXT, NEXT, NEXT)))
    first = np.rint(second + unit * apart).astype(np.int64)[:, None] + steps[:, 0]
    mean = np.stack([first, np.broadcast_to(second[:, None], first.shape)], -1)
    deviation = np.maximum(np.rint(unit * sds).astype(np.int64)[:, None] + stride[:, None] * steps[:, 1:], 1)
    arms = [(n[:, [j]], mean[:, :, j] / unit, deviation[:, :, j] / unit) for j in (0, 1)]
    return Choice(*MEASURES[trials.measure].of(*arms[0], *arms[1]), mean, deviation, unit)


def _hundredths(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values in hundredths, rounded, and whether each is clear of the border between two roundings."""
    scaled = 100 * value
    whole = np.rint(scaled)
    return whole.astype(np.int64), np.abs(np.abs(scaled - whole) - 0.5) > 1e-6


def _exist(n: np.ndarray, low: np.ndarray, high: np.ndarray, total: np.ndarray, squares: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Whether both arms (…, 2) of each pair exist: n whole scores from low to high with this sum and sum of squares.

    What scores spread evenly to either side of their mean show is tried first; then, for rows that would be left without any pair asked for,
    with some scores far out to one side, as where most people have few days of something and some have many; and what neither shows is decided exactly.
    """
    shown = _evenly(n, low, high, total, squares)
    for part, share in product(FAR_OUT, SHARES):
        bare = ~(shown.all(-1) & asked).any(1)
        if not bare.any():
            return shown.all(-1)
        people, middle = n[bare], total[bare] // n[bare]
        at = np.clip(middle + np.rint(part * np.where(part > 0, high[bare] - middle, middle - low[bare])), low[bare], high[bare]).astype(np.int64)
        about = np.maximum(squares[bare] - total[bare] ** 2 / people, 0)
        some = np.clip((share * about / ((at - middle) ** 2 + about / people + 1)).astype(np.int64), 1, people - 1)
        shown[bare] |= (people > 1) & _evenly(np.maximum(people - some, 1), low[bare], high[bare], total[bare] - some * at, squares[bare] - some * at**2)
    for row, j in ((row, j) for row in np.nonzero(~(shown.all(-1) & asked).any(1))[0] for j in (0, 1)):
        scale = (int(n[row, 0, j]), int(low[row, 0, 0]), int(high[row, 0, 0]))
        sums = np.stack([total[row, :, j], squares[row, :, j]], 1)
        found, which = np.unique(sums, axis=0, return_inverse=True)
        shown[row, :, j] = np.array([integers.exists(*scale, int(one), int(two)) for one, two in found])[which.ravel()]
    return shown.all(-1)


def _evenly(n: np.ndarray, low: np.ndarray, high: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Whether scores spread evenly show that n whole scores from low to high have this sum and sum of squares.

    From the scores nearest to their mean, two equal ones moved by j to either side add 2j² to the sum of squares. Where the
    largest moves, and then the largest square each time, come to the sum of squares with the pairs that there are, scores exist.
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
    return possible & (room >= 1) & (rest == 0) & (used <= pairs)


# Which pair for which trial


def _chosen(trials: Trials, found: Sequence[Band], y: np.ndarray, n: np.ndarray, sd: np.ndarray | None, enough: float, rng: np.random.Generator) -> Arms:
    """The arms found with slacks of at least `enough`, or with those nearest to that; sd as in `choices`."""
    choice = choices(trials, y, n, sd, rng) if trials.decimals is None else any_numbers(trials, y, n, sd, rng)
    best = picked(choice.effect, choice.variance, found, y, n, enough, rng, trials.measure == "smd")
    rows = np.arange(trials.k)
    return Arms(n, choice.mean[rows, best] / choice.unit, choice.sd[rows, best] / choice.unit)


def picked(effects: np.ndarray, variances: np.ndarray, found: Sequence[Band], y: np.ndarray, n: np.ndarray, enough: float, rng: np.random.Generator, follows: bool = False) -> np.ndarray:
    """Which choice for which trial, (k,), by changes of one trial and of two: such that all slacks are at least `enough`, or nearest to that.

    effects, variances (k, c): of the choices, nan where there is none. follows: whether variances are those that standardised mean differences have.
    """
    k = len(y)
    real = n.astype(float)
    rows = np.arange(k)
    there = np.isfinite(effects)
    effect = np.where(there, effects, np.inf)
    at = np.abs(effect - y[:, None]).argmin(1)

    def linear(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slacks (s,) of the ends that are closed, and by how much every choice would change them, (s, k, c), to first order."""
        law = standardised if follows else held(variances[rows, at], real)
        slack, moves = sides(found, effect[rows, at], real, law=law)
        kept = np.isfinite(slack)
        shift = np.where(there, effects - effect[rows, at][:, None], 0.0)
        changes = moves[kept, 0][:, :, None] * shift
        if not follows:
            changes += moves[kept, 3][:, :, None] * np.where(there, variances - variances[rows, at][:, None], 0.0)
        return slack[kept], changes

    slack, changes = linear(at)
    best, value = at, _cost(slack, enough)
    for turn in range(ROUNDS):
        if value <= 0:
            break
        one = _cost(slack[:, None, None] + changes, enough)
        if turn % 2 and k > 1 or one.min() > (1 - NOTHING) * _cost(slack, enough):
            trial = np.argsort(one.min(1))[: min(6, k)] if turn < ROUNDS // 2 else rng.permutation(k)[:6]
            i, j = rng.permutation(trial)[:2] if k > 1 else (0, 0)
            two = _cost((slack[:, None] + changes[:, i])[:, :, None] + changes[:, j][:, None, :] * (i != j), enough)
            a, b = np.unravel_index(two.argmin(), two.shape)
            after = at.copy()
            after[i] = a
            after[j] = b if i != j else a
        else:
            i, a = np.unravel_index(one.argmin(), one.shape)
            after = at.copy()
            after[i] = a
        at = np.where(there[rows, after], after, at)
        slack, changes = linear(at)
        if _cost(slack, enough) < value:
            best, value = at, _cost(slack, enough)
    return best


def _cost(slack: np.ndarray, enough: float) -> np.ndarray:
    """0 where every slack is enough; slacks along the first axis."""
    return (np.maximum(enough - slack, 0) ** 2).sum(0)
