"""A correlation, the number of people, its interval and its p value: do they agree?

With ζ = artanh r the limits are tanh(ζ ∓ z/√(n − 3)) (Fisher 1921, Metron 1:3), and p is that of t = r·√((n − 2)/(1 − r²)) on n − 2 degrees of
freedom. So ζ, ζ − h and ζ + h lie in intervals, h falls with n, and p confines |r|. Where n is not printed it is any number from four that the
others allow. Floats are rounded outward.
"""

from __future__ import annotations

import math
from decimal import Decimal

from asprinted.consistency import conflict, student, summaries
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.consistency.student import Bounds
from asprinted.consistency.summaries import ANY, Clash, between, ends, meet
from asprinted.printed import parse

NAMES = ("n", "r", "lo", "hi", "p")
LEAST = 4  # people: the interval needs n − 3 above 0
_SLACK = 1e-12
_PLACES = tuple(sixteenths / 16 for sixteenths in (8, 4, 12, 2, 14, 1, 15))  # shares of a range that are tried


def check(
    r: Text | None = None, n: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None, level: float = 0.95, question: str = ""
) -> Finding:  # fmt: skip
    """Whether the correlation of `n` pairs prints r, the limits of its interval and its two-sided p value.

    Any may be left out. Raises ValueError where a text cannot be read, n is no count, or the level is no probability.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is no probability: give one such as 0.95")
    numbers = conflict.read(n=n, r=r, lo=lo, hi=hi, p=p)
    summaries.count("n", numbers.get("n"))
    tail = (1 - Decimal(str(level))) / 2
    names = conflict.and_list([name for name in numbers if name != "n"] or ["nothing"])
    asked = question or f"Can the correlation of {numbers['n'].text if 'n' in numbers else 'any number of'} pairs print {names}?"
    return conflict.finding(asked, numbers, lambda some: _decide(some, tail), lambda some: _impossible(some, tail))


def _impossible(numbers: Numbers, tail: Decimal) -> bool:
    try:
        _allowed(numbers, tail)
    except Clash:
        return True
    return False


def _decide(numbers: Numbers, tail: Decimal) -> Decision:
    try:
        n, sides = _allowed(numbers, tail)
    except Clash as clash:
        return Decision(CONTRADICTORY, str(clash))
    for people in summaries.people_to_try(n):
        try:
            _, sides = _allowed({**numbers, "n": parse(str(people))}, tail)
        except Clash:
            continue
        for side in sides:
            for place in _PLACES:
                values = _printed(math.tanh(between(side, place)), people, tail)
                if all(number.contains(values[name]) for name, number in numbers.items()):
                    return Decision(POSSIBLE, f"Every number prints for a correlation of {values['r']:.6g} in {people} pairs.", values)
    return Decision(UNDECIDED, "The numbers meet, if at all, in a place too narrow for the bounds used here.")


def _allowed(numbers: Numbers, tail: Decimal) -> tuple[tuple[int, int | None], list[Bounds]]:
    """The numbers of people that are left, and the ζ, for each sign of it where a p value is printed. Raises Clash where nothing is."""
    n = summaries.people(numbers.get("n"), LEAST)
    zeta, lo, hi = (_of_r(ends(numbers.get(name)), name) for name in ("r", "lo", "hi"))
    half = max(0.0, zeta[0] - lo[1], hi[0] - zeta[1], (hi[0] - lo[1]) / 2), min(zeta[1] - lo[0], hi[1] - zeta[0], (hi[1] - lo[0]) / 2)
    half = meet((half[0] * (1 - _SLACK) - _SLACK, half[1] * (1 + _SLACK) + _SLACK), (0.0, math.inf), "half the interval of artanh r")
    z = student.quantile(tail, None)
    fewest = max(n[0], math.ceil(3 + (z[0] / half[1]) ** 2 * (1 - _SLACK))) if half[1] < math.inf else n[0]
    most = min((end for end in (n[1], math.floor(3 + (z[1] / half[0]) ** 2 * (1 + _SLACK)) if half[0] > 0 else None) if end is not None), default=None)
    if most is not None and fewest > most:
        raise Clash(f"The interval and the number of pairs do not agree: there would be at least {fewest} pairs, and at most {most}.")
    n = fewest, most
    h = (0.0 if n[1] is None else z[0] / math.sqrt(n[1] - 3) * (1 - _SLACK)), z[1] / math.sqrt(n[0] - 3) * (1 + _SLACK)
    half = meet(half, h, f"with {_said(n)} half the interval of artanh r")
    zeta = meet(zeta, (lo[0] + half[0] - _SLACK, lo[1] + half[1] + _SLACK), "artanh r")
    zeta = meet(zeta, (hi[0] - half[1] - _SLACK, hi[1] - half[0] + _SLACK), "artanh r")
    if "p" not in numbers:
        return n, [zeta]
    near, far = _of_p(ends(numbers["p"]), n)
    sides, clashes = [], []
    for side in ((near, far), (-far, -near)) if zeta[0] + zeta[1] >= 0 else ((-far, -near), (near, far)):
        try:
            sides.append(meet(zeta, side, f"with {_said(n)} and p {numbers['p'].text} artanh r"))
        except Clash as clash:
            clashes.append(clash)
    if not sides:
        raise clashes[0]
    return n, sides


def _of_r(r: Bounds, name: str) -> Bounds:
    """Around artanh of what lies between two ends and between −1 and 1. Raises Clash where nothing does."""
    if r == ANY:
        return ANY
    low, high = meet(r, (-1.0, 1.0), f"the correlation {name}" if name != "r" else "a correlation")
    least, most = (math.copysign(math.inf, end) if abs(end) >= 1 else math.atanh(end) for end in (low, high))
    return least - _SLACK * max(1.0, abs(least)), most + _SLACK * max(1.0, abs(most))


def _of_p(p: Bounds, n: tuple[int, int | None]) -> Bounds:
    """Between which values |artanh r| must lie for a p value between these; at a given p it falls with n."""
    if p[0] > 1 or p[1] <= 0:
        raise Clash("A p value lies above 0 and up to 1.")
    near = 0.0
    if p[1] < 1 and n[1] is not None:
        near = math.asinh(student.quantile(Decimal(p[1]) / 2, n[1] - 2)[0] / math.sqrt(n[1] - 2))
    far = math.asinh(student.quantile(Decimal(p[0]) / 2, n[0] - 2)[1] / math.sqrt(n[0] - 2)) if p[0] > 0 else math.inf
    return max(0.0, near * (1 - _SLACK)), far * (1 + _SLACK)


def _printed(r: float, n: int, tail: Decimal) -> dict[str, float]:
    """What a correlation in n pairs prints; n − 3 and the rest of it need four."""
    zeta, half = math.atanh(r), student.quantile(tail, None)[0] / math.sqrt(n - 3)
    t = r * math.sqrt((n - 2) / (1 - r * r))
    return {"n": n, "r": r, "lo": math.tanh(zeta - half), "hi": math.tanh(zeta + half), "p": student.p_value(t, n - 2)}


def _said(n: tuple[int, int | None]) -> str:
    return f"{n[0]} pairs" if n[0] == n[1] else f"{n[0]} pairs or more" if n[1] is None else f"{n[0]} to {n[1]} pairs"
