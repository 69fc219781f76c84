"""Student's t, enclosed: tails and quantiles between bounds that are certain, for whole degrees of freedom.

Up to EXACT degrees of freedom the tail is one minus a finite sum of positive terms (Abramowitz and Stegun 26.7.3 and 26.7.4).
Beyond, and without limit, it is bounded by the normal distribution: where Φ(u) = P(T ≤ t), with t ≥ 0 and ν degrees of freedom,
√(ν − ½) ≤ u/√log(1 + t²/ν) ≤ √ν (Wallace 1959, Annals of Mathematical Statistics 30:1121).
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache

from asprinted.consistency import outward
from asprinted.consistency.outward import DOWN, HALF, ONE, ROOT_TWO_PI, UP, ZERO, Enclosure

EXACT = 1 << 9  # degrees of freedom up to which sums are taken
_HALVINGS = 4  # of an angle, before its series is summed
_TINY = Decimal("1e-41")
Bounds = tuple[float, float]


@lru_cache(maxsize=4096)
def quantile(tail: Decimal, df: int | None) -> Bounds:
    """Floats around the t ≥ 0 that Student's t with `df` degrees of freedom exceeds with probability `tail`, 0 < tail ≤ ½.

    df None is the normal distribution, the limit. The upper bound is infinite where none is known. Raises ValueError for another tail or df.
    """
    if not 0 < tail <= HALF or (df is not None and df < 1):
        raise ValueError(f"tail probability {tail} with {df} degrees of freedom has no quantile: give a tail above 0 and up to one half, and df of 1 or more")
    if tail == HALF:
        return 0.0, 0.0
    if df is None or df > EXACT:
        return _nearly_normal(tail, df)
    t = _guess(float(tail), df)
    width = 1e-13
    while width < 1e-3:
        low, high = (Decimal(max(0.0, t + side * width * max(t, 1.0))) for side in (-1, 1))
        if upper_tail(low, df)[0] >= tail >= upper_tail(high, df)[1]:
            return outside((low, high))
        width *= 16
    return 0.0, math.inf


@lru_cache(maxsize=4096)
def upper_tail(t: Decimal, df: int) -> Enclosure:
    """The probability that Student's t with `df` degrees of freedom, 1 to EXACT, exceeds t ≥ 0."""
    square = outward.multiply((t, t), (t, t))
    total = DOWN.add(square[0], df), UP.add(square[1], df)
    cos2 = outward.divide((Decimal(df),) * 2, total)
    sine = outward.divide((t, t), outward.sqrt(total))
    sums = []
    for side, context in enumerate((DOWN, UP)):
        term = added = ONE
        for k in range(1, df // 2 if df % 2 == 0 else (df - 1) // 2):
            of_k = (2 * k - 1, 2 * k) if df % 2 == 0 else (2 * k, 2 * k + 1)
            term = context.divide(context.multiply(context.multiply(term, cos2[side]), of_k[0]), of_k[1])
            added = context.add(added, term)
        sums.append(added)
    inside = outward.multiply(sine, (sums[0], sums[1]))
    if df % 2:
        inside = outward.multiply(inside, outward.sqrt(cos2)) if df > 1 else (ZERO, ZERO)
        angle = _arctan(outward.divide((t, t), outward.sqrt((Decimal(df),) * 2)))
        pi = outward.multiply(ROOT_TWO_PI, ROOT_TWO_PI)  # 2π
        inside = outward.divide(outward.multiply((Decimal(4),) * 2, (DOWN.add(angle[0], inside[0]), UP.add(angle[1], inside[1]))), pi)
    return max(ZERO, DOWN.divide(DOWN.subtract(ONE, inside[1]), 2)), min(HALF, UP.divide(UP.subtract(ONE, inside[0]), 2))


def p_value(t: float, df: float) -> float:
    """The two-sided p value of t with any degrees of freedom, to about ten digits: for witnesses, not for proofs.

    The incomplete beta function by its continued fraction (Numerical Recipes 6.4; Abramowitz and Stegun 26.5.8); infinite df is the normal distribution.
    """
    if df == math.inf:
        return math.erfc(abs(t) / math.sqrt(2))
    a, b, x = df / 2, 0.5, df / (df + t * t)
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, t * t / (df + t * t))
    return _beta(a, b, x)


def outside(bounds: Enclosure) -> Bounds:
    """An enclosure as floats, rounded outward."""
    return math.nextafter(float(bounds[0]), -math.inf), math.nextafter(float(bounds[1]), math.inf)


def _nearly_normal(tail: Decimal, df: int | None) -> Bounds:
    z = outward.normal_quantile(tail)
    if df is None or not z[1].is_finite():
        return math.nextafter(float(z[0]), -math.inf), math.nextafter(float(z[1]), math.inf) if df is None else math.inf
    ends = []
    for context, root, least in ((DOWN, z[0], Decimal(df)), (UP, z[1], Decimal(df) - HALF)):
        power = context.divide(context.multiply(root, root), least)
        side = context is UP
        grown = context.subtract(outward.exp((power, power))[side], ONE)
        ends.append(outward.sqrt((context.multiply(grown, df),) * 2)[side])
    return outside((ends[0], ends[1]))


def _guess(tail: float, df: int) -> float:
    """The quantile in floats, by Newton's method on the logarithm of the tail, which bends one way alone, kept within a bracket."""
    low, high = 0.0, 2.0
    while p_value(high, df) > 2 * tail:
        low, high = high, 2 * high
    t = (low + high) / 2
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    for _ in range(60):
        found = p_value(t, df) / 2
        low, high = (t, high) if found > tail else (low, t)
        step = math.log(found / tail) * found / (scale * (1 + t * t / df) ** (-(df + 1) / 2))
        t, before = (t + step if low < t + step < high else (low + high) / 2), t
        if abs(t - before) <= 1e-15 * high:
            break
    return t


def _arctan(x: Enclosure) -> Enclosure:
    """The arc tangent of x ≥ 0: the angle halved by tan(θ/2) = tan θ/(1 + √(1 + tan² θ)), then its alternating series."""
    for _ in range(_HALVINGS):
        square = outward.multiply(x, x)
        root = outward.sqrt((DOWN.add(square[0], ONE), UP.add(square[1], ONE)))
        x = outward.divide(x, (DOWN.add(root[0], ONE), UP.add(root[1], ONE)))
    ends = []
    for side in (0, 1):  # partial sums of an alternating series that falls lie on both sides of its limit
        least, most, place, sign, power = ZERO, ZERO, 1, 1, (x[side], x[side])
        square = outward.multiply(power, power)
        while power[1] > _TINY or sign < 0:
            term = outward.divide(power, (Decimal(place),) * 2)
            least, most = (DOWN.add(least, term[0]), UP.add(most, term[1])) if sign > 0 else (DOWN.subtract(least, term[1]), UP.subtract(most, term[0]))
            power, place, sign = outward.multiply(power, square), place + 2, -sign
        ends.append((DOWN.subtract(least, power[1]), UP.add(most, power[1])))
    scale = (Decimal(2**_HALVINGS),) * 2
    return outward.multiply((ends[0][0], ends[1][1]), scale)


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, where its continued fraction converges fast."""
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) if 0 < x < 1 else float(x >= 1)
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1 << 9):
        for factor in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            c, d = _not_zero(1 + factor / c), 1 / _not_zero(1 + factor * d)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front * value / a


def _not_zero(value: float) -> float:
    return value or 1e-300
