"""A printed number: its text, the interval of values that print so, and its comparison with a computed value.

"0.62" stands for every value that rounds to it. Nothing here needs more than the standard library,
so that the module also runs in a reader's browser.

>>> parse(".037").interval()
Interval(lo=Decimal('0.0365'), hi=Decimal('0.0375'), lo_closed=True, hi_closed=False)
>>> agrees(0.03672, ".037"), agrees(0.03752, ".037")
(True, False)
>>> in_style(0.03672, like=".037")
'.037'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple, Union

Number = Union[int, float, Decimal, Fraction]

ROUNDINGS = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "truncate": ROUND_DOWN}
NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}

_RELATIONS = {"": "=", "=": "=", "<": "<", ">": ">", "≤": "<=", "<=": "<=", "≥": ">=", ">=": ">="}
_MINUS = "−–-"  # minus sign, en dash, hyphen-minus (last: it means itself in a set)
_THOUSANDS = ",\u00a0\u2009\u202f'"  # comma, no-break, thin and narrow no-break space, apostrophe
_PATTERN = re.compile(
    rf"""^(?:[pP]\s*(?=[<>=≤≥]))?              # "p=", "P<" before the number
    (?P<relation><=|>=|[<>≤≥=])?\s*
    (?P<sign>[+{_MINUS}])?
    (?P<whole>\d{{1,3}}(?:[{_THOUSANDS}]\d{{3}})+|\d*)
    (?:[.\u00b7](?P<decimals>\d+))?            # full stop, or the raised point of some journals
    \s*(?P<percent>%)?$""",
    re.VERBOSE,
)


class Interval(NamedTuple):
    """The values between `lo` and `hi`; an end that is None is open to infinity."""

    lo: Decimal | None
    hi: Decimal | None
    lo_closed: bool
    hi_closed: bool

    def contains(self, value: Number) -> bool:
        """True where `value` lies between the ends, exactly compared."""
        exact = _exact(value)
        above = self.lo is None or exact > Fraction(self.lo) or (self.lo_closed and exact == Fraction(self.lo))
        below = self.hi is None or exact < Fraction(self.hi) or (self.hi_closed and exact == Fraction(self.hi))
        return above and below


@dataclass(frozen=True)
class Printed:
    """One printed number: what stands on the page, and how to read it.

    text: as the source prints it. relation: one of = < <= > >=. value: the signed number with the
    decimals kept. negative: whether a minus sign stands before it (matters for "−0.00").
    """

    text: str
    relation: str
    value: Decimal
    negative: bool
    percent: bool
    rounding: str = "half-up"

    @property
    def decimals(self) -> int:
        """How many decimals are printed; trailing zeros count."""
        return max(0, -int(self.value.as_tuple().exponent))

    @property
    def canonical(self) -> str:
        """ASCII text with a leading zero and no thousands mark: "<.0005" becomes "<0.0005"."""
        sign = "-" if self.negative else ""
        relation = "" if self.relation == "=" else self.relation
        return f"{relation}{sign}{self.value.copy_abs():f}{'%' if self.percent else ''}"

    def interval(self) -> Interval:
        """The values that print as this text.

        Half-up (ties away from zero) keeps the end nearer zero and leaves out the other;
        half-even keeps both or neither; truncation reaches from the number away from zero.
        A printed zero holds both signs, "−0.00" only values up to zero.
        """
        with localcontext() as context:
            context.prec = max(28, len(self.value.as_tuple().digits) + self.decimals + 2)
            return self._interval()

    def _interval(self) -> Interval:
        value, unit = self.value, Decimal(1).scaleb(-self.decimals)
        if self.relation == "<":
            return Interval(None, value, False, False)
        if self.relation == "<=":
            return Interval(None, value, False, True)
        if self.relation == ">":
            return Interval(value, None, False, False)
        if self.relation == ">=":
            return Interval(value, None, True, False)
        if self.rounding == "truncate":
            near, far, near_in, far_in = abs(value), abs(value) + unit, True, False
        else:
            near, far = abs(value) - unit / 2, abs(value) + unit / 2
            even = int(abs(value).scaleb(self.decimals)) % 2 == 0
            near_in = far_in = even
            if self.rounding == "half-up":
                near_in, far_in = True, False
        if value == 0:
            if self.negative:
                return Interval(-far, Decimal(0), far_in, True)
            return Interval(-far, far, far_in, far_in)
        if self.negative:
            return Interval(-far, -near, far_in, near_in)
        return Interval(near, far, near_in, far_in)

    def contains(self, value: Number) -> bool:
        """True where `value` (in the printed unit: percent for a percentage) prints as this text."""
        return self.interval().contains(value)

    def render(self, value: Number) -> str:
        """`value` as text with the decimals, the leading zero, the minus and the mark of the source.

        A value that satisfies a printed inequality is given as that inequality.
        """
        if self.relation != "=" and self.contains(value):
            return self.text
        number = round_to(value, self.decimals, self.rounding)
        digits = f"{number.copy_abs():f}"
        if _drops_leading_zero(self.text) and digits.startswith("0."):
            digits = digits[1:]
        elif mark := _thousands_mark(self.text):
            whole, point, rest = digits.partition(".")
            digits = f"{int(whole):,}".replace(",", mark) + point + rest
        if "\u00b7" in self.text:
            digits = digits.replace(".", "\u00b7")
        minus = next((c for c in self.text if c in _MINUS), "−")
        sign = minus if number.is_signed() and (number != 0 or self.negative) else ""
        if number == 0 and self.negative and self.contains(value):
            sign = minus
        return f"{sign}{digits}{'%' if self.percent else ''}"


def parse(text: str, rounding: str = "half-up") -> Printed:
    """A `Printed` from the text of a source, such as ".037", "<.0005", "−0.83", "41%", "98,765" or "three".

    Raises TypeError where `text` is not a string (a number has already lost its trailing zeros)
    and ValueError where it cannot be read or the rounding is unknown.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"printed number {text!r} is a {type(text).__name__}: give it as a string, "
            f'such as "{text}", so that trailing zeros survive'
        )
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding {rounding!r} is unknown: use one of {', '.join(ROUNDINGS)}")
    stripped = text.strip()
    if stripped.lower() in NUMBER_WORDS:
        return Printed(text, "=", Decimal(NUMBER_WORDS[stripped.lower()]), False, False, rounding)
    match = _PATTERN.match(stripped)
    if not match or not (match["whole"] or match["decimals"]):
        raise ValueError(
            f'printed number "{text}" cannot be read: write it as the source does, '
            'for example ".037", "<.0005", "−0.83", "41%" or "98,765"'
        )
    whole = re.sub(f"[{_THOUSANDS}]", "", match["whole"]) or "0"
    value = Decimal(f"{whole}.{match['decimals']}" if match["decimals"] else whole)
    negative = bool(match["sign"]) and match["sign"] in _MINUS
    return Printed(
        text,
        _RELATIONS[match["relation"] or ""],
        value.copy_negate() if negative else value,
        negative,
        bool(match["percent"]),
        rounding,
    )


def declared_interval(text: str) -> Interval:
    """The values that a declared text means: a printed number's, an inequality's, or the closed range of "20 to 30".

    Raises ValueError where it cannot be read or the range is empty.
    """
    ends = re.split(r"\s+to\s+", text.strip())
    if len(ends) == 1:
        return parse(text).interval()
    low, high = (parse(end) for end in ends) if len(ends) == 2 else (None, None)
    if low is None or high is None or {low.relation, high.relation} != {"="} or low.value > high.value:
        raise ValueError(f'declared range "{text}" cannot be read: write the smaller number first, such as "20 to 30"')
    return Interval(low.value, high.value, True, True)


def rounding_interval(text: str, rounding: str = "half-up") -> Interval:
    """The interval of values that print as `text`. Raises as `parse` does."""
    return parse(text, rounding).interval()


def agrees(value: Number, text: str, rounding: str = "half-up") -> bool:
    """True where the computed `value` prints as `text`. Raises as `parse` does."""
    return parse(text, rounding).contains(value)


def in_style(value: Number, like: str, rounding: str = "half-up") -> str:
    """The computed `value` as the source would print it, in the style of the printed text `like`."""
    return parse(like, rounding).render(value)


def canonical(text: str) -> str:
    """The text of a printed number for comparison: ASCII minus, leading zero, no thousands mark, decimals kept."""
    return parse(text).canonical


def round_to(value: Number, decimals: int, rounding: str = "half-up") -> Decimal:
    """`value` rounded to `decimals` places from its exact binary or rational value; keeps the sign of zero."""
    exact = _exact(value)
    scaled = abs(exact) * 10**decimals
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest
    up = {
        "half-up": twice >= scaled.denominator,
        "half-even": twice > scaled.denominator or (twice == scaled.denominator and whole % 2 == 1),
        "truncate": False,
    }[rounding]
    with localcontext() as context:
        context.prec = max(28, len(str(whole)) + 2)
        number = Decimal(whole + up).scaleb(-decimals)
    return number.copy_negate() if exact < 0 else number


def percent_of(count: int, total: int) -> Fraction:
    """The exact percentage 100 × count / total. Raises ValueError unless 0 ≤ count ≤ total and total > 0."""
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"count {count} of {total} is not a share: give 0 ≤ count ≤ total, total > 0")
    return Fraction(100 * count, total)


def counts_printing(text: str, total: int, rounding: str = "half-up") -> range:
    """The counts out of `total` whose percentage prints as `text`; empty where none does."""
    printed = parse(text, rounding)
    hits = [count for count in range(total + 1) if printed.contains(percent_of(count, total))]
    return range(hits[0], hits[-1] + 1) if hits else range(0)


def _exact(value: Number) -> Fraction:
    """`value` as an exact fraction. Raises ValueError for nan and infinity, TypeError for text."""
    if isinstance(value, str):
        raise TypeError(f"computed value {value!r} is text: give the number")
    try:
        return Fraction(value) if isinstance(value, (int, Fraction, Decimal)) else Fraction(float(value))
    except (ValueError, OverflowError):
        raise ValueError(f"computed value {value!r} is not a finite number") from None


def _drops_leading_zero(text: str) -> bool:
    return re.search(r"(?<!\d)[.\u00b7]\d", text) is not None


def _thousands_mark(text: str) -> str:
    match = re.search(rf"\d([{_THOUSANDS}])\d{{3}}", text)
    return match[1] if match else ""
