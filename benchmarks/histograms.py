"""Every set of whole-number scores that prints a mean and an SD, by plain enumeration: the judge of what exists, which shares no code with the search.

Both ends of a printed number's interval count: software prints an exact tie either way.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from asprinted.printed import rounding_interval


def printing(n: int, low: int, high: int, mean: str, sd: str) -> dict[tuple[int, int], np.ndarray]:
    """Return the counts (k, high − low + 1) of every such set of n scores, by their sum and sum of squares; three values or more."""
    upper = divided(n, high - low - 2)  # the counts of all values but the three lowest, which the sums then decide
    values = np.arange(3, high - low + 1)
    people, total, squares = upper.sum(1), upper @ values, upper @ values**2
    found = {}
    for sums in sums_near(n, low, high, mean, sd):
        shifted = sums[0] - n * low, sums[1] - 2 * low * sums[0] + n * low * low  # as if the scale began at 0
        ones_and_twice, ones_and_four = shifted[0] - total, shifted[1] - squares
        two = (ones_and_four - ones_and_twice) // 2
        one = ones_and_twice - 2 * two
        none = n - people - one - two
        there = ((ones_and_four - ones_and_twice) % 2 == 0) & (two >= 0) & (one >= 0) & (none >= 0)
        if there.any():
            found[sums] = np.column_stack([none, one, two, upper])[there]
    return found


def sums_that_print(n: int, low: int, high: int, mean: str, sd: str) -> Iterator[tuple[int, int]]:
    """Yield the sum and sum of squares of every set of n scores, few enough to be written down, that prints the mean and the SD."""
    ends = _ends(mean), _ends(sd)
    yield from (sums for sums in sorted(every_sum(n, low, high)) if _prints(n, *sums, *ends))


def sums_near(n: int, low: int, high: int, mean: str, sd: str) -> Iterator[tuple[int, int]]:
    """Yield each sum and sum of squares that prints the mean and the SD, whether scores have them or not."""
    means, sds = _ends(mean), _ends(sd)
    for total in range(n * low, n * high + 1):
        if means[0] <= Fraction(total, n) <= means[1]:
            first, last = (int(Fraction(total**2, n) + (n - 1) * end**2) for end in sds)
            yield from ((total, squares) for squares in range(first, last + 2) if _prints(n, total, squares, means, sds))


def _ends(text: str) -> tuple[Fraction, Fraction]:
    interval = rounding_interval(text)
    return max(Fraction(interval.lo), Fraction(0)), Fraction(interval.hi)


def _prints(n: int, total: int, squares: int, means: tuple[Fraction, Fraction], sds: tuple[Fraction, Fraction]) -> bool:
    variance = (squares - Fraction(total**2, n)) / (n - 1)
    return means[0] <= Fraction(total, n) <= means[1] and sds[0] ** 2 <= variance <= sds[1] ** 2


@functools.lru_cache(maxsize=None)
def every_sum(n: int, low: int, high: int) -> frozenset[tuple[int, int]]:
    """Return the sum and sum of squares of every set of n scores, each set written down."""
    return frozenset((sum(scores), sum(score * score for score in scores)) for scores in itertools.combinations_with_replacement(range(low, high + 1), n))


def divided(n: int, parts: int) -> np.ndarray:
    """Return every way (k, parts) to give at most n people to so many parts."""
    found = np.zeros((1, 0), dtype=np.int64)
    for _ in range(parts):
        room = n - found.sum(1) + 1
        found = np.column_stack([np.repeat(found, room, axis=0), np.concatenate([np.arange(each) for each in room])])
    return found
