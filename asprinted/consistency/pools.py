"""Pools of trials that print given numbers: of one trial, every division into arms; of more, one pool built to fit.

A pool is a few kinds of trials. `pooled` asks for one where its bounds allow the numbers, so that what is called possible is there
to be seen. Floating point serves here: values stay away from the ends of every interval by far more than its errors.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from asprinted.consistency.triples import Feasible

ESTIMATORS = ("common", "DL", "PM", "REML")
_SLACK = 1e-10  # of values near 1: errors of floats are some 1e-15
_FARTHEST = 10.0  # effects that are looked at where the numbers leave them open
_BOXES = 2000  # parts of arms and effects that are looked at before a question is left open

Range = tuple[float, float]


class Kind(NamedTuple):
    """So many trials with n1 and n2 people in their arms and an effect of g."""

    how_many: int
    n1: int
    n2: int
    g: float


class Fit(NamedTuple):
    """What a pool gives: estimate, standard error, Q and τ²."""

    est: float
    se: float
    q: float
    tau2: float


class Alone(NamedTuple):
    """What comes of one trial: the trial that prints the numbers, or the proof that none does, or neither."""

    trials: list[Kind] | None = None
    refutation: str | None = None


def fit(trials: Sequence[Kind], estimator: str = "DL") -> Fit:
    """The inverse-variance pool of the trials, with τ² by the estimator: "common", "DL", "PM" or "REML".

    The variance of g is that of the Cochrane Handbook. τ² after DerSimonian and Laird (1986), Paule and Mandel (1982) in Newton's
    steps (DerSimonian and Kacker 2007), and restricted maximum likelihood by Fisher's scoring.
    """
    variances = [variance(each.n1, each.n2, each.g) for each in trials]
    est, weight, q = _pooled(trials, variances, 0.0)
    tau2, df = 0.0, sum(each.how_many for each in trials) - 1
    if estimator == "DL" and q > df > 0:
        tau2 = (q - df) / (weight - sum(each.how_many / v**2 for each, v in zip(trials, variances)) / weight)
    for _ in range(60 if estimator in ("PM", "REML") and df else 0):
        est, weight, spread = _pooled(trials, variances, tau2)
        squares = [(each.how_many / (v + tau2) ** 2, (each.g - est) ** 2, v) for each, v in zip(trials, variances)]
        if estimator == "PM":
            fall = sum(w2 * d2 for w2, d2, _ in squares)
            new = max(0.0, tau2 + (spread - df) / fall) if fall else 0.0
        else:
            new = max(0.0, sum(w2 * (d2 - v) for w2, d2, v in squares) / sum(w2 for w2, *_ in squares) + 1 / weight)
        done, tau2 = abs(new - tau2) <= 1e-14 * (1 + new), new
        if done:
            break
    est, weight, _ = _pooled(trials, variances, tau2)
    return Fit(est, 1 / math.sqrt(weight), q, tau2)


def variance(n1: int, n2: int, g: float) -> float:
    """The variance of Hedges' g of a trial of four people or more (Cochrane Handbook)."""
    return (n1 + n2) / (n1 * n2) + g * g / (2 * (n1 + n2 - 3.94))


def _pooled(trials: Sequence[Kind], variances: Sequence[float], tau2: float) -> tuple[float, float, float]:
    """The weighted mean of the effects, the sum of the weights and the weighted squares around the mean."""
    weights = [each.how_many / (v + tau2) for each, v in zip(trials, variances)]
    total = sum(weights)
    est = sum(w * each.g for w, each in zip(weights, trials)) / total
    return est, total, sum(w * (each.g - est) ** 2 for w, each in zip(weights, trials))


def build(k: int, people: int | Range, se: Range, ranges: Mapping[str, Range], quantile: Range, estimator: str) -> list[Kind] | None:
    """A pool of k trials, of so many people or of a number in a range, that prints; None where none is found.

    se: the ends between which the standard error must lie. ranges: name → ends of est, lo, hi, se, z = |est|/se and chi2, where printed.
    """
    for aim in _within(se):
        est = _estimate(ranges, aim, quantile)
        for q in _squares(ranges.get("chi2", (0.0, math.inf)), k, people, aim, estimator) if est is not None else ():
            for total in (people,) if isinstance(people, int) else _enough(k, people, aim, est, q, estimator):
                for trials in _pools(k, total, est, aim, q, estimator):
                    if _prints(fit(trials, estimator), ranges, quantile):
                        return trials
    return None


def _squares(chi2: Range, k: int, people: int | Range, se: float, estimator: str) -> Iterator[float]:
    """Values of Q inside its range, that with which arms can be balanced first."""
    low, high = chi2[0], min(chi2[1], max(chi2[0], k) * 1000)
    if k == 1:
        yield 0.0
        return
    if isinstance(people, int) and estimator != "common":
        balanced = (k - 1) * se * se * people / 4 * 0.96
        if k - 1 < balanced and low < balanced < high:
            yield balanced
    high = min(high, low + 2 * k)
    yield from (low + share * (high - low) for share in (0.5, 0.1, 0.9))


def _within(ends: Range) -> Iterator[float]:
    """Values between the ends, the middle first."""
    low, high = ends
    if high == math.inf:
        high = 2 * low if low else 0.1
    yield from (low + share * (high - low) for share in (0.5, 0.2, 0.8, 0.02))


def _estimate(ranges: Mapping[str, Range], se: float, quantile: Range) -> float | None:
    """The middle of the estimates that print with this standard error, of the sign that leaves more; None where there is none."""
    half = sum(quantile) / 2 * se
    low, high = ranges.get("est", (-math.inf, math.inf))
    for name, shift in (("lo", half), ("hi", -half)):
        if name in ranges:
            low, high = max(low, ranges[name][0] + shift), min(high, ranges[name][1] + shift)
    near, far = (end * se for end in ranges.get("z", (0.0, math.inf)))
    options = [(max(low, near), min(high, far)), (max(low, -far), min(high, -near))] if near else [(max(low, -far), min(high, far))]
    least, most = max(options, key=lambda ends: ends[1] - ends[0])
    if least > most:
        return None
    if math.isinf(least) or math.isinf(most):
        return max(least, min(most, 0.0)) if math.isinf(least) and math.isinf(most) else least + se if math.isfinite(least) else most - se
    return (least + most) / 2


def _enough(k: int, people: Range, se: float, est: float, q: float, estimator: str) -> list[int]:
    """Numbers of people in the range, somewhat above what balanced arms of equal trials need for the standard error."""
    h2 = max(1.0, q / (k - 1)) if k > 1 and estimator != "common" else 1.0
    needed = (h2 * (8 + est * est) / se**2 + q) / 2 + 4 * k
    return sorted({int(max(people[0], min(math.ceil(needed * more), people[1]))) for more in (1.1, 1.17, 1.27, 1.39, 1.5, 1.81)})


def _pools(k: int, people: int, est: float, se: float, q: float, estimator: str) -> Iterator[list[Kind]]:
    """Pools of k trials of nearly equal size, half of them with an effect above and half below the mean, nearer and nearer the values aimed at."""
    if people < 4 * k:
        return
    h2 = max(1.0, q / (k - 1)) if k > 1 and estimator != "common" else 1.0
    inner = k * se * se / h2  # the variance of a trial
    arms = inner - (est * est + q * inner / k) / (2 * (people / k - 3.94))
    if arms <= 0:
        return
    deviation = math.sqrt(q * inner / (k - k % 2)) if k > 1 else 0.0  # an odd trial has the mean effect
    balanced = sum((people // k + (i < people % k)) // 2 for i in range(k))
    smaller = min(max(k, round(people * (1 - math.sqrt(max(0.0, 1 - 4 * k / (people * arms)))) / 2)), balanced)
    step, tried = 0, set()
    while k <= smaller <= balanced and smaller not in tried and len(tried) < 8:
        tried.add(smaller)
        trials = _aimed(_divided(k, people, smaller), est, q, deviation, estimator)
        if not trials:
            return
        yield trials
        towards = 1 if fit(trials, estimator).se > se else -1  # more balanced arms are more precise
        step = 2 * step if step * towards > 0 else towards * max(1, abs(step) // 2)
        smaller = min(smaller + step, balanced)


def _divided(k: int, people: int, smaller: int) -> list[tuple[int, int, int, int]]:
    """(how many, n1, n2, sign) of trials with so many people, and so many in their smaller arms, in all."""
    size, larger = divmod(people, k)
    arm, more = divmod(smaller, k)
    signs = [0 if k % 2 and i == k - 1 else 1 - 2 * (i % 2) for i in range(k)]
    kinds = Counter((arm + (i < more), size + (i < larger) - arm - (i < more), signs[i]) for i in range(k))
    return [(count, n1, n2, sign) for (n1, n2, sign), count in kinds.items()] if min(n2 for _, n2, _ in kinds) >= 1 else []


def _aimed(kinds: Sequence[tuple[int, int, int, int]], est: float, q: float, deviation: float, estimator: str) -> list[Kind] | None:
    """The kinds with effects such that the pool has this estimate and this Q; None where the steps do not settle."""
    centre, trials = est, []
    for _ in range(25):
        trials = [Kind(count, n1, n2, centre + sign * deviation) for count, n1, n2, sign in kinds]
        made = fit(trials, estimator) if trials else None
        if made is None or not math.isfinite(made.q):
            return None
        if abs(made.est - est) < 1e-13 and abs(made.q - q) <= 1e-11 * (1 + q):
            break
        centre += est - made.est
        deviation *= math.sqrt(q / made.q) if made.q > 0 else 1.0
    return trials


def _prints(made: Fit, ranges: Mapping[str, Range], quantile: Range) -> bool:
    """True where the values of a fit lie inside every range."""
    half = sum(quantile) / 2 * made.se
    values = {"est": made.est, "lo": made.est - half, "hi": made.est + half, "se": made.se, "z": abs(made.est) / made.se, "chi2": made.q}
    return all(low + _SLACK < values[name] < high - _SLACK or (name in ("z", "chi2") and low == 0 == values[name]) for name, (low, high) in ranges.items())


def one_trial(people: int, feasible: Feasible, ranges: Mapping[str, Range], quantile: Range) -> Alone:
    """One trial of so many people that prints, over every division into arms and every feasible effect; or the proof that there is none.

    feasible: the certain ends of effect and standard error by the numbers alone; ranges as in `build`. Parts of arms and effects
    are halved: each is refused as a whole, or holds a trial that prints, or is halved again.
    """
    if people < 4:
        return Alone()
    least, most = (max(-_FARTHEST, min(end, _FARTHEST)) for end in feasible.estimate)
    left, looked = [(1, people // 2, least - _SLACK, most + _SLACK)], 0
    while left and looked < _BOXES:
        few, many, low, high = left.pop()
        looked += 1
        near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        se = math.sqrt(variance(many, people - many, near)), math.sqrt(variance(few, people - few, max(abs(low), abs(high))))
        if _refused((low, high), se, ranges, quantile):
            continue
        n1, g = (few + many) // 2, (low + high) / 2
        trial = Kind(1, n1, people - n1, g)
        if _prints(Fit(g, math.sqrt(variance(n1, people - n1, g)), 0.0, 0.0), {name: ends for name, ends in ranges.items() if name != "chi2"}, quantile):
            return Alone([trial])
        if few < many and se[1] - se[0] > 1e-3 * (high - low):
            left += [(few, n1, low, high), (n1 + 1, many, low, high)]
        else:
            left += [(few, many, low, g), (few, many, g, high)]
    searched = not left and (least, most) == feasible.estimate
    return Alone(None, _no_division(people, feasible)) if searched else Alone()


def _no_division(people: int, feasible: Feasible) -> str:
    """The two neighbouring divisions into arms between which the numbers would need one, in a sentence."""
    (low, high), (least, most) = feasible
    near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    few = bisect.bisect_left(range(1, people // 2 + 1), True, key=lambda n1: variance(n1, people - n1, near) <= most**2)
    text = f"No division of {people} people between two arms prints these numbers"
    if not 0 < few < people // 2:
        return f"{text}."
    above, below = variance(few, people - few, near), variance(few + 1, people - few - 1, max(abs(low), abs(high)))
    if below >= least**2:
        return f"{text}."
    ends = [f"arms of {n1} and {people - n1} give {side} {math.sqrt(v):.6g}" for n1, side, v in ((few, "at least", above), (few + 1, "at most", below))]
    return f"{text}: they need a standard error from {least:.6g} to {most:.6g}, but {' and '.join(ends)}."


def _refused(est: Range, se: Range, ranges: Mapping[str, Range], quantile: Range) -> bool:
    """True where no estimate and standard error between these ends print."""
    half = quantile[0] * se[0], quantile[1] * se[1]
    near = 0.0 if est[0] <= 0 <= est[1] else min(map(abs, est))
    values = {
        "est": est, "se": se, "lo": (est[0] - half[1], est[1] - half[0]), "hi": (est[0] + half[0], est[1] + half[1]),
        "z": (near / se[1], max(map(abs, est)) / se[0]),
    }  # fmt: skip
    return any(values[name][1] < low - _SLACK or values[name][0] > high + _SLACK for name, (low, high) in ranges.items() if name in values)
