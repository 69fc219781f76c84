"""Whole-number scores on a bounded scale, as counts: how many people have each value.

A mean and an SD fix two whole numbers, the sum and the sum of squares, so that the search runs over K counts and
not over n people. With w = v(R − v) ≥ 0 and u = (v − f)(v − f − 1) ≥ 0 for every whole f, on values v = 0 … R, the
counts that exist satisfy Σw ≥ 0, Σu ≥ 0 and Σv² ≡ Σv (mod 2): necessary always, and sufficient for three
neighbouring values. What is searched exactly is peeled from the thin ends down to three values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from asprinted import printed

_STEPS = 60  # Newton steps and repairs before the exact search takes over


def count_vector(n: int, low: int, high: int, total: int, squares: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Counts (K,) of the values low … high whose n scores have exactly this sum and this sum of squares.

    The shape is that of the two-parameter exponential family exp(a·x + b·x²) with this mean and variance, rounded
    and repaired by a few moves; with `rng` it is shaken. Raises ValueError where no such scores exist, decided exactly.
    """
    _check_scale(n, low, high)
    counts = _counts(n, high - low, total - n * low, squares - 2 * low * total + n * low * low)
    if counts is None:
        raise ValueError(f"no {n} whole numbers from {low} to {high} have the sum {total} and the sum of squares {squares}: {_why(n, low, high, total, squares)}")
    return counts if rng is None else shaken(counts, rng, 20 * len(counts))


def printing(n: int, low: int, high: int, mean_text: str, sd_text: str) -> np.ndarray:
    """Counts (K,) of the values low … high whose mean and SD (n − 1) print as the two texts.

    Sums are taken from the middle of their interval outwards, so that the first found lies well inside. Raises
    ValueError where no n whole numbers print them, decided exactly, and where a text is no number.
    """
    _check_scale(n, low, high)
    if n < 2:
        raise ValueError(f"n is {n}: a standard deviation needs at least two people")
    totals = _inside(printed.rounding_interval(mean_text), Fraction(n), Fraction(n * low), Fraction(n * high))
    if not totals:
        raise ValueError(f"no {n} whole numbers from {low} to {high} have a mean that prints as {mean_text}: no sum lies in its interval")
    spread = printed.rounding_interval(sd_text)
    met = (False, False)  # whether some sum of squares prints the SD, and whether one does that the scale allows
    for total in _outward((totals[0] + totals[-1]) / 2, totals[0], totals[-1]):
        squares = _squares(n, total, spread)
        least, most = range_of_squares(n, low, high, total)
        allowed = range(max(squares.start, least), min(squares.stop, most + 1))
        met = (met[0] or bool(squares), met[1] or bool(allowed))
        for value in _outward((squares.start + squares.stop - 1) / 2, allowed.start, allowed.stop - 1):
            counts = _counts(n, high - low, total - n * low, value - 2 * low * total + n * low * low)
            if counts is not None:
                return counts
    reason = (
        "every sum of squares that prints it is odd where the sum is even, or even where it is odd, or falls between those that the scale allows" if met[1]
        else "every sum of squares that prints it is smaller or larger than the scale allows" if met[0]
        else "no whole sum of squares lies in its interval"
    )  # fmt: skip
    raise ValueError(f"no {n} whole numbers from {low} to {high} have the mean {mean_text} and the SD {sd_text}: {reason}")


def shaken(
    counts: np.ndarray,
    rng: np.random.Generator,
    moves: int,
    like: str = "shapes",
    skewness: float | None = None,
    floor: tuple[float, float] = (0.0, 1.0),
    ceiling: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """Counts (K,) after a random walk that leaves the number of people, the sum and the sum of squares alone.

    A move adds a multiple of (1 − x^s)(1 − x^t)(1 − x^u), read as counts, somewhere on the scale: a third difference
    with three strides, such as +1, −3, +3, −1. Proposals are symmetric (Metropolis et al. 1953, J Chem Phys 21:1087):
    with like="shapes" every shape is in the long run as likely as any other; with like="people" it is as likely as
    in a random sample of the exponential family, given the two sums. `skewness`, and bounds on the shares at the
    lowest and the highest value, are preferences: a move away from them is refused, but nothing is promised.
    """
    size, n = len(counts), int(counts.sum())
    now = [int(count) for count in counts]
    if size < 4 or n < 2:
        return np.array(now, dtype=np.int64)
    draws = rng.random((moves, 7))
    widths = np.minimum(np.floor(3 * (size / 3) ** draws[:, 0]), size - 1).astype(int)  # s + t + u, short ones more often
    first = 1 + np.floor(draws[:, 1] * (widths - 2)).astype(int)
    second = 1 + np.floor(draws[:, 2] * (widths - first - 1)).astype(int)
    starts = np.floor(draws[:, 3] * (size - widths)).astype(int)
    largest = max(1.0, n / (8 * size) if like == "shapes" else math.sqrt(n / size))
    amounts = np.where(draws[:, 4] < 0.5, -1, 1) * np.floor(largest ** draws[:, 5]).astype(int)
    limits = np.log(draws[:, 6])
    centred = np.arange(size) - float(np.arange(size) @ counts) / n
    third = (centred**3 / max(n * (float(centred**2 @ counts) / n) ** 1.5, 1e-300)).tolist()

    def away(skew: float, lowest: int, highest: int) -> float:
        off = 0.0 if skewness is None else max(0.0, abs(skew - skewness) - 1 / 32)
        return off + sum(max(0.0, lo - k / n) + max(0.0, k / n - hi) for k, (lo, hi) in ((lowest, floor), (highest, ceiling)))

    skew = sum(weight * count for weight, count in zip(third, now, strict=True))
    cost = away(skew, now[0], now[-1])
    for start, s, t, width, amount, limit in zip(*(each.tolist() for each in (starts, first, second, widths, amounts, limits)), strict=True):
        u = width - s - t
        step: dict[int, int] = {}
        for place, sign in ((0, 1), (s, -1), (t, -1), (u, -1), (s + t, 1), (s + u, 1), (t + u, 1), (width, -1)):
            step[start + place] = step.get(start + place, 0) + sign * amount
        if any(now[place] + change < 0 for place, change in step.items()):
            continue
        if like == "people" and sum(math.lgamma(now[place] + 1) - math.lgamma(now[place] + change + 1) for place, change in step.items()) < limit:
            continue
        skew_after = skew + sum(third[place] * change for place, change in step.items())
        cost_after = away(skew_after, now[0] + step.get(0, 0), now[-1] + step.get(size - 1, 0))
        if cost_after <= cost:
            for place, change in step.items():
                now[place] += change
            skew, cost = skew_after, cost_after
    return np.array(now, dtype=np.int64)


def people(counts: np.ndarray, low: int, rng: np.random.Generator) -> np.ndarray:
    """The scores (n,) of the people that the counts stand for, in random order."""
    values = np.repeat(np.arange(low, low + len(counts)), counts)
    rng.shuffle(values)
    return values


def range_of_squares(n: int, low: int, high: int, total: int) -> tuple[int, int]:
    """The least and the largest sum of squares of n whole numbers from low to high with this sum."""
    middle, above = divmod(total, n)
    least = (n - above) * middle**2 + above * (middle + 1) ** 2
    if high == low:
        return least, least
    at_top, rest = divmod(total - n * low, high - low)
    at_bottom = n - at_top - (1 if rest else 0)
    return least, at_top * high**2 + at_bottom * low**2 + ((low + rest) ** 2 if rest else 0)


def exists(n: int, low: int, high: int, total: int, squares: int) -> bool:
    """Whether n whole numbers from low to high have this sum and this sum of squares, decided exactly."""
    return _counts(n, high - low, total - n * low, squares - 2 * low * total + n * low * low) is not None


def _check_scale(n: int, low: int, high: int) -> None:
    if n < 1:
        raise ValueError(f"n is {n}: give at least one person")
    if high < low:
        raise ValueError(f"the scale runs from {low} to {high}: give the lowest value first")


def _why(n: int, low: int, high: int, total: int, squares: int) -> str:
    if not n * low <= total <= n * high:
        return f"the sum lies between {n * low} and {n * high}"
    least, most = range_of_squares(n, low, high, total)
    if not least <= squares <= most:
        return f"with this sum the squares sum to {least} to {most}"
    if (total - squares) % 2:
        return "sum and sum of squares are both even or both odd"
    return "the sum of squares falls between two that the scale allows"


# Intervals of whole numbers


def _inside(interval: printed.Interval, factor: Fraction, least: Fraction, most: Fraction) -> range:
    """The whole numbers k with k / factor in the interval, and least ≤ k ≤ most."""
    first, last = math.ceil(least), math.floor(most)
    if interval.lo is not None:
        edge = Fraction(interval.lo) * factor
        first = max(first, math.ceil(edge) if interval.lo_closed else math.floor(edge) + 1)
    if interval.hi is not None:
        edge = Fraction(interval.hi) * factor
        last = min(last, math.floor(edge) if interval.hi_closed else math.ceil(edge) - 1)
    return range(first, last + 1)


def _squares(n: int, total: int, sd: printed.Interval) -> range:
    """The whole sums of squares of n scores with this sum whose SD (n − 1) lies in the interval."""
    own = Fraction(total * total, n)
    lo = Fraction(sd.lo) if sd.lo is not None and sd.lo > 0 else Fraction(0)
    edge = own + (n - 1) * lo**2
    first = math.floor(edge) + 1 if lo > 0 and not sd.lo_closed else math.ceil(edge)
    if sd.hi is None:
        raise ValueError("the SD is printed without an upper end: give a number")
    if sd.hi < 0:
        return range(0)
    edge = own + (n - 1) * Fraction(sd.hi) ** 2
    return range(first, (math.floor(edge) if sd.hi_closed else math.ceil(edge) - 1) + 1)


def _outward(middle: float, first: int, last: int) -> Iterator[int]:
    """The whole numbers first … last, those nearest to `middle` first."""
    down = max(first - 1, min(last, math.floor(middle)))
    up = down + 1
    while down >= first or up <= last:
        if up > last or (down >= first and middle - down <= up - middle):
            yield down
            down -= 1
        else:
            yield up
            up += 1


# Counts on the values 0 … top


def _counts(n: int, top: int, total: int, squares: int) -> np.ndarray | None:
    """Counts (top + 1,) with these sums, or None where none exist."""
    if not _possible(n, top, total, squares):
        return None
    start = _exponential(n, top, total, squares)
    found = _repaired(_rounded(start, n), total, squares)
    if found is None:
        solution = _peeled((0, top, n, total, squares), start, set())
        found = None if solution is None else np.array(solution, dtype=np.int64)
    return found


def _possible(n: int, top: int, total: int, squares: int) -> bool:
    """The necessary conditions; sufficient for top ≤ 2."""
    if n == 0 or top == 0:
        return total == 0 and squares == 0
    if (total - squares) % 2 or not 0 <= total <= n * top or squares > top * total:
        return False
    middle = total // n
    return squares >= (2 * middle + 1) * total - n * middle * (middle + 1)


def _exponential(n: int, top: int, total: int, squares: int) -> np.ndarray:
    """Expected counts (top + 1,) of the family exp(a·x + b·x²) with this mean and variance, by damped Newton steps."""
    if top == 0:
        return np.array([float(n)])
    x = 2 * np.arange(top + 1) / top - 1
    features = np.vstack([x, x * x])
    mean, second = 2 * total / n / top - 1, 4 * (squares / n - total / n * top) / top**2 + 1
    aim = np.array([mean, second])
    variance = max(second - mean**2, 1 / top**2)
    theta = np.array([mean / variance, -0.5 / variance])

    def at(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logits = theta @ features
        peak = logits.max()
        weights = np.exp(logits - peak)
        mass = weights.sum()
        return float(peak + math.log(mass) - theta @ aim), weights / mass

    value, shares = at(theta)
    for _ in range(_STEPS):
        centre = features @ shares
        gap = aim - centre
        if np.abs(gap).max() < 1e-10:
            break
        spread = (features * shares) @ features.T - np.outer(centre, centre) + 1e-12 * np.eye(2)
        step = np.linalg.solve(spread, gap)
        for _ in range(30):
            lower, moved = at(theta + step)
            if lower <= value:
                break
            step = step / 4
        else:
            break
        theta, value, shares = theta + step, lower, moved
    return n * shares


def _rounded(exact: np.ndarray, n: int) -> np.ndarray:
    """Whole numbers that sum to n, by largest remainder."""
    counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: n - int(counts.sum())]] += 1
    return counts


def _repaired(counts: np.ndarray, total: int, squares: int) -> np.ndarray | None:
    """The counts with these sums, after unit moves and then spread moves; None where they do not suffice."""
    top = len(counts) - 1
    values = np.arange(top + 1)
    for _ in range(_STEPS):
        missing = total - int(values @ counts)
        if missing == 0:
            break
        sources = counts[:-1] if missing > 0 else counts[1:]
        at = int(sources.argmax()) + (missing < 0)
        amount = min(abs(missing), (int(counts[at]) + 1) // 2)
        counts[at] -= amount
        counts[at + (1 if missing > 0 else -1)] += amount
    for _ in range(_STEPS if total == int(values @ counts) else 0):
        missing = (squares - int(values**2 @ counts)) // 2
        if missing == 0:
            return counts
        if not _spread(counts, missing):
            break
    return None


def _spread(counts: np.ndarray, missing: int) -> bool:
    """Move pairs of people apart (or together, where `missing` is negative); half the sum of squares grows by at most `missing`.

    Two people g apart who each move one step away add 2(g + 1) to the sum of squares. False where no pair can move.
    """
    top, apart = len(counts) - 1, missing > 0
    edge, least = (1, 0) if apart else (0, 2)
    for gap in range(min(abs(missing) + (-1 if apart else 1), top - 2 * edge), least - 1, -1):
        left, right = counts[edge : top + 1 - edge - gap], counts[edge + gap : top + 1 - edge]
        pairs = left // 2 if gap == 0 else np.minimum(left, right)
        at = int(pairs.argmax())
        if pairs[at] > 0:
            amount = min(abs(missing) // (gap + 1 if apart else gap - 1), max(1, int(pairs[at]) // 2))
            a, b, outward = edge + at, edge + at + gap, 1 if apart else -1
            for place, change in ((a, -1), (b, -1), (a - outward, 1), (b + outward, 1)):
                counts[place] += change * amount
            return True
    return False


def _peeled(state: tuple[int, int, int, int, int], start: np.ndarray, failed: set) -> list[int] | None:
    """The counts of the values first … last with these sums, or None: an exact search, nearest to `start` first.

    state: first, last, and n, sum and sum of squares counted from first. The end with fewer people in `start` is
    settled before the other, within the bounds that Σw ≥ 0 and Σu ≥ 0 leave for the rest.
    """
    first, last, n, total, squares = state
    top = last - first
    if state in failed or not _possible(n, top, total, squares):
        return None
    if top <= 2:
        twos = (squares - total) // 2
        return [n - total + twos, 2 * total - squares, twos][: top + 1]
    above = start[last] <= start[first]
    sums = [(f, squares - (2 * f + 1) * total + n * f * (f + 1)) for f in range(top)]
    if above:
        least = max(0, -((top * total - squares - total) // top))
        most = min(each // ((top - f) * (top - f - 1)) for f, each in sums[:-1])
    else:
        least = max(0, -(((top + 1) * total - squares - top * n) // top))
        most = min(each // (f * (f + 1)) for f, each in sums[1:])
    for k in _outward(float(start[last if above else first]), least, most):
        if above:
            rest = _peeled((first, last - 1, n - k, total - k * top, squares - k * top * top), start, failed)
            solution = None if rest is None else [*rest, k]
        else:
            rest = _peeled((first + 1, last, n - k, total - (n - k), squares - 2 * total + (n - k)), start, failed)
            solution = None if rest is None else [k, *rest]
        if solution is not None:
            return solution
    failed.add(state)
    return None
