"""An estimate, its interval, its standard error and its p value: can one Wald test print them all?

With half-width w = q·SE (q the normal quantile of the level) and the estimate m on its scale, everything printed is linear
in (m, w): m, m − w and m + w lie in their intervals, w in q times that of the SE, and |m| between w·z/q for the two values
of z between which the p value lies. So the numbers confine (m, w) to a polygon. It is empty, or not, by elimination of one
unknown (Fourier and Motzkin) on whole numbers: exact, and the two bounds that cross are the proof. Logarithms and normal
quantiles enter as certain bounds: widened to refute, narrowed to find a witness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from asprinted.consistency import conflict, outward
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.printed import Number, Printed

NAMES = ("estimate", "lo", "hi", "se", "p")
SCALES, TESTS = ("identity", "log"), ("wald-z", "t")
_UNIT = 10**24  # rows hold m and w in this many parts


class Row(NamedTuple):
    """m·of_m + w·of_w ≤ limit, or < where strict; names are the printed numbers that it stands for."""

    of_m: int
    of_w: int
    limit: int
    strict: bool
    names: tuple[str, ...]


class Bound(NamedTuple):
    """A bound on m or w, value / divisor (divisor > 0), excluded where strict; names are the numbers that give it."""

    value: int
    divisor: int
    strict: bool
    names: tuple[str, ...]


class Feasible(NamedTuple):
    """Certain bounds, lower and upper, on the unrounded estimate (as printed, not its logarithm) and on its standard error."""

    estimate: tuple[float, float]
    se: tuple[float, float]


def check(
    estimate: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None,
    scale: str = "identity", level: float = 0.95, se: Text | None = None, test: str = "wald-z", question: str = "",
) -> Finding:  # fmt: skip
    """Whether one Wald test prints the numbers given: lo and hi are estimate ∓ q·SE, p is two-sided and normal.

    On the scale "log" (ratios) that holds for logarithms, and the SE is that of the logarithm. Any of the numbers may be
    left out, and each may be an inequality. With the test "t" the degrees of freedom, and so q, are unknown: lo and hi are
    then equally far from the estimate, and nothing is asked of se and p. Raises ValueError where a text cannot be read,
    scale, level or test are unknown, or se or p are given with "t".
    """
    if test not in TESTS:
        raise ValueError(f"test {test!r} is unknown: use one of {', '.join(TESTS)}")
    if test == "t" and (se is not None or p is not None):
        raise ValueError("the quantile of t is not known without its degrees of freedom: leave se and p out")
    numbers = conflict.read(estimate=estimate, lo=lo, hi=hi, se=se, p=p)
    wald = Wald(scale, level, symmetric=test == "t")
    names = conflict.and_list(numbers) if numbers else "nothing"
    what = "symmetric interval" if test == "t" else "Wald test"
    return conflict.finding(question or f"Can one {what}{' of a logarithm' if scale == 'log' else ''} print {names}?", numbers, wald.decide, wald.impossible)


def feasible(
    estimate: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None,
    scale: str = "identity", level: float = 0.95, se: Text | None = None,
) -> Feasible:  # fmt: skip
    """The bounds within which the unrounded estimate and its SE must lie. Raises ValueError where no value prints all numbers."""
    return Wald(scale, level).feasible(conflict.read(estimate=estimate, lo=lo, hi=hi, se=se, p=p))


class Wald:
    """The Wald test of one estimate on a scale and at a level: what printed numbers it allows.

    Beside NAMES, `floors` may hold numbers that bound the SE from below: name → function from the printed number to an
    enclosure of the least SE. A `symmetric` interval says nothing about the SE: its half-width stands in its place.
    """

    def __init__(
        self, scale: str = "identity", level: float = 0.95, floors: Mapping[str, Callable[[Printed], outward.Enclosure]] | None = None, symmetric: bool = False
    ):  # fmt: skip
        if scale not in SCALES:
            raise ValueError(f"scale {scale!r} is unknown: use one of {', '.join(SCALES)}")
        if not 0 < level < 1:
            raise ValueError(f"level {level} is no probability: give one such as 0.95")
        self.log, self.floors = scale == "log", floors or {}
        self.tail = (1 - Decimal(str(level))) / 2
        self.q = (outward.ONE, outward.ONE) if symmetric else outward.normal_quantile(self.tail)
        self.symmetric, self.spread = symmetric, "half-width" if symmetric else "standard error"
        self._known: dict[tuple, list[Row]] = {}

    def impossible(self, numbers: Numbers) -> bool:
        """True where it is proved that no estimate and SE print the numbers."""
        return all(_crossing(self.rows(numbers, side, wide=True)) is not None for side in self._sides(numbers))

    def decide(self, numbers: Numbers) -> Decision:
        """The verdict on the numbers, with its proof; a witness where it is "possible"."""
        crossings = [_crossing(self.rows(numbers, side, wide=True)) for side in self._sides(numbers)]
        if all(crossing is not None for crossing in crossings):
            return Decision(CONTRADICTORY, self._refutation(crossings))
        for side, crossing in zip(self._sides(numbers), crossings):
            witness = None if crossing else self._witness(numbers, side)
            if witness:
                return Decision(POSSIBLE, self._range(numbers), witness)
        return Decision(UNDECIDED, "The numbers meet, if at all, in a place too narrow for the bounds used here.")

    def feasible(self, numbers: Numbers) -> Feasible:
        """The bounds on estimate and SE. Raises ValueError where no value prints all numbers."""
        sides = [rows for side in self._sides(numbers) if _crossing(rows := self.rows(numbers, side, wide=True)) is None]
        if not sides:
            raise ValueError(f"No estimate prints {', '.join(f'{name} {number.text}' for name, number in numbers.items())}: ask check() why")
        ends = []
        for keep in (0, 1):
            bounds = [_bounds(rows, keep) for rows in sides]
            lows = [low and Fraction(low.value, low.divisor * _UNIT) for low, _, _ in bounds]
            highs = [high and Fraction(high.value, high.divisor * _UNIT) for _, high, _ in bounds]
            ends.append((None if None in lows else min(lows), None if None in highs else max(highs)))
        (m_lo, m_hi), (w_lo, w_hi) = ends
        estimate = (self._unscale(m_lo, 0), self._unscale(m_hi, 1))
        least = _float(outward.divide(outward.exact(w_lo), self.q)[0], 0)
        most = math.inf if w_hi is None else _float(outward.divide(outward.exact(w_hi), self.q)[1], 1)
        return Feasible(estimate, (least, most))

    def rows(self, numbers: Numbers, side: int, wide: bool) -> list[Row]:
        """What the numbers say about (m, w) where m has the sign `side`; wide rows refute, narrow ones hold a witness."""
        rows = [Row(0, -1, 0, True, ())]
        for name, number in numbers.items():
            key = name, number, side if name == "p" else 0, wide
            if key not in self._known:
                self._known[key] = self._rows_of(*key)
            rows += self._known[key]
        return rows

    def _rows_of(self, name: str, number: Printed, side: int, wide: bool) -> list[Row]:
        if name == "p":
            return [Row(-side, 0, 0, False, ()), *self._rows_of_p(number, side, wide)]
        if name in self.floors:
            return [Row(0, -1, -_whole(outward.multiply(self.q, self.floors[name](number)), up=not wide), False, (name,))]
        lower, upper, lower_closed, upper_closed = number.interval()
        below = None if lower is None else (lower, lower)
        above = None if upper is None else (upper, upper)
        if name == "se":
            below, above = (end and outward.multiply(self.q, end) for end in (below, above))
        elif self.log:
            if upper is not None and upper <= 0:
                return [Row(0, 0, -1, False, (name,))]  # no positive number prints so
            below = outward.log(below) if below and lower > 0 else None
            above = above and outward.log(above)
        of_m, of_w = {"estimate": (1, 0), "lo": (1, -1), "hi": (1, 1), "se": (0, 1)}[name]
        rows = []
        if below:
            rows.append(Row(-of_m, -of_w, -_whole(below, up=not wide), not lower_closed, (name,)))
        if above:
            rows.append(Row(of_m, of_w, _whole(above, up=wide), not upper_closed, (name,)))
        return rows

    def _sides(self, numbers: Numbers) -> tuple[int, ...]:
        """The signs of m to look at: where a p value is printed, each that the others leave open, the likelier first; else any."""
        if "p" not in numbers:
            return (1,)
        for name, side in (("estimate", 1), ("estimate", -1), ("lo", 1), ("hi", -1)):
            if name in numbers:
                end = numbers[name].interval()[0 if side == 1 else 1]
                if end is not None and side * (end - self.log) >= 0:
                    return (side,)
        middle = sum(Fraction(numbers[name].value) - self.log for name in ("lo", "hi") if name in numbers)
        return (1, -1) if middle >= 0 else (-1, 1)

    def _rows_of_p(self, number: Printed, side: int, wide: bool) -> list[Row]:
        """|m| / w between z / q for the ends of the interval of the p value."""
        lower, upper, lower_closed, upper_closed = number.interval()
        if (lower is not None and (lower > 1 or lower == 1 and not lower_closed)) or (upper is not None and upper <= 0):
            return [Row(0, 0, -1, False, ("p",))]
        rows = []
        if lower is not None and lower > 0:
            most = self._ratio(lower / 2)
            if most[1].is_finite():
                rows.append(Row(side * _UNIT, -_whole(most, up=wide), 0, not lower_closed, ("p",)))
        if upper is not None and upper <= 1:
            least = self._ratio(upper / 2)
            rows.append(Row(-side * _UNIT, _whole(least, up=not wide), 0, not upper_closed, ("p",)))
        return rows

    def _ratio(self, tail: Decimal) -> outward.Enclosure:
        """z / q for a tail probability of the p value; exactly one where it is that of the level, so that p < .05 and an interval over 0 clash."""
        return (outward.ONE, outward.ONE) if tail == self.tail else outward.divide(outward.normal_quantile(tail), self.q)

    def _witness(self, numbers: Numbers, side: int) -> dict[str, Number] | None:
        """Unrounded values from the middle of the narrow polygon; None where it is empty or they do not print."""
        rows = self.rows(numbers, side, wide=False)
        if _crossing(rows) is not None:
            return None
        w = _middle(*_bounds(rows, 1)[:2], side=1)
        fixed = [Row(row.of_m * w.denominator, 0, row.limit * w.denominator - row.of_w * w.numerator, row.strict, row.names) for row in rows]
        m = _middle(*_bounds(fixed, 0)[:2], side=side)
        m, w = m / _UNIT, w / _UNIT
        se = w / Fraction(self.q[0])
        z = outward.exact(abs(m) / se)[0]
        values = {"estimate": m, "lo": m - w, "hi": m + w}
        if self.log:
            values = {name: Fraction(outward.exp(outward.exact(value))[0]) for name, value in values.items()}
        if not self.symmetric:
            values |= {"se": se, "p": 2 * Fraction(outward.normal_tail(z)[1])}
        if not all(numbers[name].contains(values[name]) for name in NAMES if name in numbers):
            return None
        return {name: conflict.plain(value, numbers[name]) if name in numbers else float(value) for name, value in values.items()}

    def _range(self, numbers: Numbers) -> str:
        estimate, se = self.feasible(numbers)
        return f"Every number prints for some estimate {_between(*estimate)} with a {self.spread} {_between(*se)}."

    def _refutation(self, crossings: list[tuple[int, Bound, Bound] | tuple]) -> str:
        """The bounds that cross on the likelier side of no effect, in a sentence."""
        keep, lower, upper = crossings[0]
        if lower is None or upper is None:
            return f"No value prints as {conflict.and_list((upper or lower).names or ('these',))}."
        low, high = (Fraction(bound.value, bound.divisor * _UNIT) for bound in (lower, upper))
        touch = low == high
        if keep == 1:
            low, high = Fraction(outward.divide(outward.exact(low), self.q)[0]), Fraction(outward.divide(outward.exact(high), self.q)[1])
        elif self.log:
            low, high = (Fraction(outward.exp(outward.exact(end))[place]) for place, end in enumerate((low, high)))
        what = self.spread if keep else "estimate"
        order = [*NAMES, *self.floors]
        needs, allows = (conflict.and_list(sorted(bound.names, key=order.index) or ["no effect"]) for bound in (lower, upper))
        other = " An estimate on the other side of no effect is refused too." if len(crossings) > 1 else ""
        if keep == 1 and high <= 0:
            inside = " An estimate lies between the ends of its interval." if {*lower.names, *upper.names} <= {"estimate", "lo", "hi"} else ""
            return f"No {self.spread} above zero is left by {allows}.{inside}{other}"
        least, most = (f"{float(low):.6g}",) * 2 if touch else conflict.apart(low, high)
        equal = "; one of them leaves its end out" if touch else ""
        return f"The {what} is at least {least} by {needs}, and at most {most} by {allows}{equal}.{other}"

    def _unscale(self, value: Fraction | None, upper: int) -> float:
        """An end of the estimate as printed, as a float rounded outward."""
        if value is None:
            return math.inf if upper else (0.0 if self.log else -math.inf)
        bounds = outward.exact(value)
        return _float((outward.exp(bounds) if self.log else bounds)[upper], upper)


def _crossing(rows: list[Row]) -> tuple[int, Bound | None, Bound | None] | None:
    """None where some (m, w) meets all rows; else the unknown whose bounds cross (1 for w) with those bounds."""
    lower, upper, clash = _bounds(rows, 1)
    if clash:
        single = _bounds([row for row in rows if row.of_w == 0], 0)
        return (0, *single[:2]) if single[0] and single[1] and _cross(*single[:2]) else (1, None, clash)
    return (1, lower, upper) if lower and upper and _cross(lower, upper) else None


def _cross(lower: Bound, upper: Bound) -> bool:
    difference = lower.value * upper.divisor - upper.value * lower.divisor
    return difference > 0 or (difference == 0 and (lower.strict or upper.strict))


def _bounds(rows: list[Row], keep: int) -> tuple[Bound | None, Bound | None, Bound | None]:
    """The greatest lower and least upper bound on m (keep 0) or w (keep 1) after the other is eliminated, and a row that fails alone."""
    up, down, reduced = [], [], []
    for row in rows:
        gone, kept = (row.of_w, row.of_m) if keep == 0 else (row.of_m, row.of_w)
        if gone == 0:
            reduced.append((kept, row.limit, row.strict, row, None))
        else:
            (up if gone > 0 else down).append((abs(gone), kept, row.limit, row.strict, row))
    for a, kept, limit, strict, row in up:
        for b, other_kept, other_limit, other_strict, other in down:
            reduced.append((kept * b + other_kept * a, limit * b + other_limit * a, strict or other_strict, row, other))
    lower = upper = clash = None  # each as (kept, limit, strict, row, row): kept·x ≤ limit
    for each in reduced:
        kept, limit, strict = each[:3]
        if kept > 0:
            if upper is None or _tighter(each, upper):
                upper = each
        elif kept < 0:
            if lower is None or _tighter(each, lower):
                lower = each
        elif limit < 0 or (limit == 0 and strict):
            clash = each
    return _bound(lower), _bound(upper), _bound(clash)


def _tighter(new: tuple, old: tuple) -> bool:
    """True where `new` says more than `old`, both bounds on the same side."""
    difference = new[1] * abs(old[0]) - old[1] * abs(new[0])
    return difference < 0 or (difference == 0 and new[2] and not old[2])


def _bound(reduced: tuple | None) -> Bound | None:
    """The bound that a reduced row gives, with the names of the rows that it comes from."""
    if reduced is None:
        return None
    kept, limit, strict, row, other = reduced
    names = row.names + tuple(name for name in (other.names if other else ()) if name not in row.names)
    return Bound(-limit if kept < 0 else limit, abs(kept) or 1, strict, names)


def _middle(lower: Bound | None, upper: Bound | None, side: int) -> Fraction:
    """A value well between the bounds; where one is missing, a unit inside the other, on the given side where both are."""
    low, high = (bound and Fraction(bound.value, bound.divisor) for bound in (lower, upper))
    if low is None and high is None:
        return Fraction(side * _UNIT)
    if low is None or high is None:
        return high - _UNIT if low is None else low + _UNIT
    return (low + high) / 2


def _whole(bounds: outward.Enclosure, up: bool) -> int:
    """The enclosure's upper or lower end in parts of a unit, rounded the same way."""
    numerator, denominator = bounds[up].as_integer_ratio()
    return -(-numerator * _UNIT // denominator) if up else numerator * _UNIT // denominator


def _float(value: Decimal, up: int) -> float:
    """`value` as a float rounded outward."""
    near = float(value)
    if (near < value) if up else (near > value):
        return math.nextafter(near, math.inf if up else -math.inf)
    return near


def _between(low: float, high: float) -> str:
    if high == math.inf:
        return "of any size" if low in (0, -math.inf) else f"above {low:.4g}"
    return f"below {high:.4g}" if low in (0, -math.inf) else f"from {low:.4g} to {high:.4g}"
