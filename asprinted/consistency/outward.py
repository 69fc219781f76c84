"""Bounds that are certain: functions whose values are enclosed between two decimals.

An enclosure is a pair (lower, upper) of Decimals with the true value between them. Sums and products are rounded down in
`DOWN` and up in `UP`, the directed roundings of the decimal module; its ln, exp and sqrt are correctly rounded by
specification, so one step of the last of 40 digits covers their error. No result depends on the machine's mathematics library.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from asprinted.printed import Number

Enclosure = tuple[Decimal, Decimal]

DOWN, UP = Context(prec=40, rounding=ROUND_FLOOR), Context(prec=40, rounding=ROUND_CEILING)
ZERO, HALF, ONE = Decimal(0), Decimal("0.5"), Decimal(1)
FARTHEST = Decimal(8)  # beyond so many standard deviations only this bound is known of a quantile
_PI = Decimal("3.141592653589793238462643383279502884197")  # rounded down
_TINY = Decimal("1e-41")
_PLACES = Decimal("1e-18")
_STEP = Decimal("1e-17")


def exact(value: Number) -> Enclosure:
    """The enclosure of a number: itself twice, or its neighbours where 40 decimal digits do not hold it."""
    ratio = Fraction(value)
    return divide((Decimal(ratio.numerator),) * 2, (Decimal(ratio.denominator),) * 2)


def multiply(x: Enclosure, y: Enclosure) -> Enclosure:
    """The products of two enclosures."""
    pairs = [(a, b) for a in x for b in y]
    return min(DOWN.multiply(a, b) for a, b in pairs), max(UP.multiply(a, b) for a, b in pairs)


def divide(x: Enclosure, y: Enclosure) -> Enclosure:
    """The quotients of two enclosures. Raises ZeroDivisionError where the divisor may be zero."""
    if y[0] <= 0 <= y[1]:
        raise ZeroDivisionError(f"the divisor may be zero: it lies between {y[0]} and {y[1]}")
    pairs = [(a, b) for a in x for b in y]
    return min(DOWN.divide(a, b) for a, b in pairs), max(UP.divide(a, b) for a, b in pairs)


def exp(x: Enclosure) -> Enclosure:
    """e to the power of `x`."""
    return max(ZERO, DOWN.next_minus(DOWN.exp(x[0]))), UP.next_plus(UP.exp(x[1]))


def log(x: Enclosure) -> Enclosure:
    """The natural logarithm of a positive `x`."""
    return DOWN.next_minus(DOWN.ln(x[0])), UP.next_plus(UP.ln(x[1]))


def sqrt(x: Enclosure) -> Enclosure:
    """The square root of an `x` that is not negative."""
    return max(ZERO, DOWN.next_minus(DOWN.sqrt(x[0]))), UP.next_plus(UP.sqrt(x[1]))


ROOT_TWO_PI = sqrt(multiply((Decimal(2),) * 2, (_PI, UP.next_plus(_PI))))


def normal_tail(z: Decimal) -> Enclosure:
    """The probability that a standard normal variable exceeds z ≥ 0.

    One half minus φ(z) (z + z³/3 + z⁵/(3·5) + …) (Abramowitz and Stegun 26.2.11): a sum of positive terms, cut off where
    each is less than half the one before, so that the rest is less than the last.
    """
    if z > FARTHEST + 1:
        return ZERO, normal_tail(FARTHEST)[1]
    near, far = z.quantize(_PLACES, ROUND_FLOOR, DOWN), z.quantize(_PLACES, ROUND_CEILING, UP)
    least, most = _normal_mass(near)
    if near != far:
        most = _normal_mass(far)[1]
    return max(ZERO, DOWN.subtract(HALF, most)), UP.subtract(HALF, least)


def _normal_mass(z: Decimal) -> Enclosure:
    """The normal probability between 0 and z. With at most 18 decimals and z < 10, the square of z is exact.

    Each term and each sum is rounded down three times at most, by less than one part in 10³⁹.
    """
    square = DOWN.multiply(z, z)
    total = term = z
    odd, far = 1, int(2 * square)
    while term > _TINY or odd <= far:
        odd += 2
        term = DOWN.divide(DOWN.multiply(term, square), odd)
        total = DOWN.add(total, term)
    most = UP.multiply(UP.add(total, term), UP.add(ONE, 3 * odd * Decimal("1e-39")))
    density = divide(exp((DOWN.multiply(square, -HALF), UP.multiply(square, -HALF))), ROOT_TWO_PI)
    return DOWN.multiply(density[0], total), UP.multiply(density[1], most)


@lru_cache(maxsize=1024)
def normal_quantile(tail: Decimal) -> Enclosure:
    """The z ≥ 0 that a standard normal variable exceeds with probability `tail`, 0 < tail ≤ ½.

    Newton's method from floats guesses it, and the bounds on the tail at both ends of a narrow bracket prove it.
    Beyond FARTHEST the upper bound is infinite. Raises ValueError for another `tail`.
    """
    if not 0 < tail <= HALF:
        raise ValueError(f"tail probability {tail} has no quantile from zero upwards: give one above 0 and up to one half")
    if tail == HALF:
        return ZERO, ZERO
    if normal_tail(FARTHEST)[0] > tail:
        return FARTHEST, Decimal("Infinity")
    guess, aim = 0.0, float(tail)
    for _ in range(200):
        step = (math.erfc(guess / math.sqrt(2)) / 2 - aim) * math.sqrt(2 * math.pi) * math.exp(guess * guess / 2)
        guess += step
        if abs(step) < 1e-14:
            break
    z = Decimal(guess).quantize(_PLACES)
    lo, hi = normal_tail(z)
    slope = DOWN.divide(exp((-z * z / 2,) * 2)[0], ROOT_TWO_PI[1])
    z = (z + DOWN.divide((lo + hi) / 2 - tail, slope)).quantize(_PLACES)
    width = _STEP
    while True:
        low, high = max(ZERO, z - width), z + width
        if normal_tail(low)[0] >= tail >= normal_tail(high)[1]:
            return low, high
        width *= 16


@lru_cache(maxsize=1024)
def chi2_tail(x: Decimal, df: int) -> Enclosure:
    """The probability that a chi-squared variable with `df` degrees of freedom exceeds x ≥ 0.

    Finite sums of positive terms (Abramowitz and Stegun 26.4.4 and 26.4.5). Raises ValueError unless df ≥ 1 and x ≥ 0.
    """
    if df < 1 or x < 0:
        raise ValueError(f"chi-squared {x} with {df} degrees of freedom has no tail: give x ≥ 0 and df ≥ 1")
    if x == 0:
        return ONE, ONE
    square = (x, x)
    root = sqrt(square)
    decay = exp(multiply(square, (-HALF, -HALF)))
    ends = []
    for side, context in enumerate((DOWN, UP)):
        total = term = ONE if df % 2 == 0 else root[side] if df > 1 else ZERO
        for divisor in range(2 + df % 2, df - 1, 2):
            term = context.divide(context.multiply(term, x), divisor)
            total = context.add(total, term)
        tail = context.multiply(decay[side], total)
        if df % 2:
            tail = context.multiply(2, context.add(context.divide(tail, ROOT_TWO_PI[1 - side]), normal_tail(root[1 - side])[side]))
        ends.append(tail)
    return max(ZERO, ends[0]), min(ONE, ends[1])
