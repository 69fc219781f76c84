"""The heterogeneity of a meta-analysis: do Q, the number of trials, I² and p agree?

I² = max(0, (Q − df)/Q) with df = k − 1 (Higgins and Thompson 2002, equation 10), and p is the probability that a chi-squared
variable with df degrees of freedom exceeds Q. Both are monotone in Q, so each number confines Q to an interval.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from asprinted.consistency import conflict, outward
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.printed import Number, Printed


def check(
    chi2: Text | None = None, k: Text | None = None, i2: Text | None = None, p: Text | None = None, df: Text | None = None, question: str = ""
) -> Finding:  # fmt: skip
    """Whether one Q prints as `chi2`, `i2` (in percent) and `p`, with `k` trials or `df` degrees of freedom.

    Without k and df nothing is refuted but single numbers. Raises ValueError where a text cannot be read, or k and df are no counts.
    """
    numbers = conflict.read(chi2=chi2, k=k, df=df, i2=i2, p=p)
    for name, least in (("k", 2), ("df", 1)):
        if name in numbers and (numbers[name].relation != "=" or numbers[name].value < least or numbers[name].value % 1):
            raise ValueError(f"{name} {numbers[name].text!r} is no number of {'trials' if name == 'k' else 'degrees of freedom'}: give a whole number from {least}")
    names = conflict.and_list(numbers) if numbers else "nothing"
    return conflict.finding(question or f"Can one Q print {names}?", numbers, decide)


def p_range(chi2: Text | None = None, k: Text | None = None, i2: Text | None = None, df: Text | None = None) -> tuple[float, float]:
    """The least and the greatest p value that `chi2` and `i2` allow. Raises ValueError where they exclude each other, or k and df are missing."""
    numbers = conflict.read(chi2=chi2, k=k, df=df, i2=i2)
    degrees = _degrees(numbers)
    if not degrees:
        raise ValueError("no number of trials: give k or df")
    low, high, *_ = q_interval(numbers, degrees)
    if high is not None and low > high:
        raise ValueError("no Q prints these numbers: ask check() why")
    return 0.0 if high is None else float(_tail(high, degrees)[0]), float(_tail(low, degrees)[1])


def _degrees(numbers: Numbers) -> int:
    """Degrees of freedom; 0 where neither k nor df is there."""
    return int(numbers["df"].value) if "df" in numbers else int(numbers["k"].value) - 1 if "k" in numbers else 0


def decide(numbers: Numbers) -> Decision:
    degrees, what = _degrees(numbers), "Q" if {"k", "i2"} & numbers.keys() else "chi-squared value"
    if {"k", "df"} <= set(numbers) and degrees != numbers["k"].value - 1:
        return Decision(CONTRADICTORY, f"{numbers['k'].text} trials have {numbers['k'].value - 1} degrees of freedom, not {degrees}.")
    if degrees < 0 or (degrees == 0 and "df" in numbers):
        return Decision(CONTRADICTORY, f"No {what} has {_freedom(degrees)}.")
    if "i2" in numbers and not _is_share(numbers["i2"]):
        return Decision(CONTRADICTORY, f"I² lies from 0% to below 100%, and nothing there prints as {numbers['i2'].text}.")
    low, high, low_closed, high_closed = q_interval(numbers, degrees)
    given = conflict.and_list([name for name in ("chi2", "i2", "k", "df") if name in numbers] or ["nothing"])
    if high is not None and (low > high or (low == high and not (low_closed and high_closed))):
        of = f"With {_freedom(degrees)}, no" if degrees else "No"
        if low == high:
            return Decision(CONTRADICTORY, f"{of} {what} prints {given}: it would be {_shown(low)}, which one of them leaves out.")
        least, most = conflict.apart(low, high)
        return Decision(CONTRADICTORY, f"{of} {what} prints {given}: it would be at least {least} and at most {most}.")
    if not degrees:
        return Decision(UNDECIDED, "The number of trials is not given, and with some number every single one of these prints.")
    if "p" not in numbers:
        q = low + 1 if high is None else (low + high) / 2
        return Decision(POSSIBLE, f"Every number prints for a {what} of {_shown(q)}.", _witness(q, degrees, numbers))
    least = outward.ZERO if high is None else _tail(high, degrees)[0]
    most = _tail(low, degrees)[1]
    lower, upper, _, upper_closed = numbers["p"].interval()
    text = f"With {_freedom(degrees)}, {given} allow p from {conflict.significant(least, 4, up=False)} to {conflict.significant(most, 4, up=True)}"
    if (lower is not None and lower > most) or (upper is not None and (upper < least or upper <= 0)):
        return Decision(CONTRADICTORY, f"{text}, and none of them prints as {numbers['p'].text}.")
    q = _solve(numbers["p"], degrees, low, high, low_closed, high_closed)
    if q is None:
        return Decision(UNDECIDED, f"{text}, whose end is too near to that of {numbers['p'].text}.")
    return Decision(POSSIBLE, f"{text}; {numbers['p'].text} is among them.", _witness(q, degrees, numbers))


def _freedom(degrees: int) -> str:
    return f"{degrees} degree{'' if degrees == 1 else 's'} of freedom"


def _witness(q: Fraction, degrees: int, numbers: Numbers) -> dict[str, Number]:
    values = {"chi2": q, "i2": 100 * max(Fraction(0), 1 - degrees / q) if q else Fraction(0), "p": Fraction(_tail(q, degrees)[0])}
    return {name: conflict.plain(value, numbers[name]) if name in numbers else float(value) for name, value in values.items()}


def q_interval(numbers: Numbers, degrees: int) -> tuple[Fraction, Fraction | None, bool, bool]:
    """The values of Q that print as chi2 and i2: both ends, and whether each belongs to them; an upper end of None is open."""
    low, high, low_closed, high_closed = Fraction(0), None, True, False
    ends = []
    if "chi2" in numbers:
        lower, upper, lower_closed, upper_closed = numbers["chi2"].interval()
        ends.append((None if lower is None else Fraction(lower), None if upper is None else Fraction(upper), lower_closed, upper_closed))
    if "i2" in numbers and degrees:
        lower, upper, lower_closed, upper_closed = numbers["i2"].interval()
        from_zero = lower is None or lower < 0 or (lower == 0 and lower_closed)
        ends.append((
            None if from_zero else degrees / (1 - Fraction(lower) / 100),
            None if upper is None or upper >= 100 else degrees / (1 - Fraction(upper) / 100),
            lower_closed, upper_closed,
        ))  # fmt: skip
    for lower, upper, lower_closed, upper_closed in ends:
        if lower is not None and (lower > low or (lower == low and not lower_closed)):
            low, low_closed = lower, lower_closed
        if upper is not None and (high is None or upper < high or (upper == high and not upper_closed)):
            high, high_closed = upper, upper_closed
    return low, high, low_closed, high_closed


def _is_share(i2: Printed) -> bool:
    """True where some value from 0 to below 100 prints as `i2`."""
    lower, upper, _, upper_closed = i2.interval()
    return (lower is None or lower < 100) and (upper is None or upper > 0 or (upper == 0 and upper_closed))


def _tail(q: Fraction, degrees: int) -> outward.Enclosure:
    """The p value of Q, enclosed; it falls with Q."""
    low, high = outward.exact(q)
    return outward.chi2_tail(high, degrees)[0], outward.chi2_tail(low, degrees)[1]


def _solve(p: Printed, degrees: int, low: Fraction, high: Fraction | None, low_closed: bool, high_closed: bool) -> Fraction | None:
    """A Q between the ends whose p value prints as `p`, by bisection, else an end itself; None where none is found."""
    ends = [end for end, closed in ((low, low_closed), (high, high_closed)) if closed and end is not None]
    if high is None:
        most = p.interval().hi
        high = low + 2 * degrees + 1
        while most is not None and most <= _tail(high, degrees)[1]:
            high *= 2
    for _ in range(60):
        middle = Fraction((low + high) / 2).limit_denominator(10**15)
        values = _tail(middle, degrees)
        if all(p.contains(value) for value in values):
            return middle
        low, high = (low, middle) if _above(values[1], p) else (middle, high)
    return next((end for end in ends if all(p.contains(value) for value in _tail(end, degrees))), None)


def _above(value: Decimal, p: Printed) -> bool:
    """True where the interval of `p` lies above `value`."""
    lower, _, closed, _ = p.interval()
    return lower is not None and (lower > value or (lower == value and not closed))


def _shown(q: Fraction) -> str:
    return f"{float(q):.5g}"
