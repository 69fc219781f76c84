"""The mean and SD of whole-number scores: do n of them exist that print so? Exactly, for any n.

The sum of n whole numbers is whole (GRIM: Brown and Heathers 2017), their sum of squares has the parity of the sum and must
give the SD (GRIMMER: Anaya 2016; Allard 2018), and both have bounds where the scores do. Between these bounds nearly every
sum of squares exists, but not all near the ends. So counts of each score are sought outright, from the ends of the scale
inwards: k scores at one end leave n − k scores on a shorter scale, with sums that two linear inequalities confine. On a scale
of three points or fewer the bounds and the parity say everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from asprinted.consistency import conflict
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.printed import Printed

BUDGET = 200_000  # how many partial counts are looked at before the question is left undecided


class Target(NamedTuple):
    """`n` whole numbers from `low` to `high` are to have this sum and this sum of squares."""

    n: int
    total: int
    squares: int
    low: int
    high: int


class Undecided(Exception):
    """The budget is spent."""


def check(n: Text, low: int, high: int, mean: Text | None = None, sd: Text | None = None, items: int = 1, ddof: int = 1, question: str = "") -> Finding:
    """Whether `n` scores print as `mean` and `sd`; the witness holds counts: score → how many.

    A score is a whole number from low to high, or the mean of that many whole-number `items`. The SD divides by n − ddof.
    Raises ValueError where a text cannot be read, n is no count, or low, high, items and ddof are not as said.
    """
    if not (type(low) is type(high) is type(items) is int and low < high and items >= 1 and ddof in (0, 1)):
        raise ValueError(f"scores from {low} to {high}, {items} items, ddof {ddof}: give whole numbers low < high, items ≥ 1, and ddof 0 or 1")
    numbers = conflict.read(n=n, mean=mean, sd=sd)
    if numbers["n"].relation != "=" or numbers["n"].value < 1 or numbers["n"].value % 1:
        raise ValueError(f"n {numbers['n'].text!r} is no number of scores: give a whole number from 1")
    names = conflict.and_list([name for name in numbers if name != "n"] or ["nothing"])
    scale = f"from {low} to {high}" + (f", each the mean of {items} whole-number items," if items > 1 else "")
    asked = question or f"Do {numbers['n'].text} {'scores' if items > 1 else 'whole-number scores'} {scale} print {names}?"
    return conflict.finding(asked, numbers, lambda some: _decide(some, low, high, items, ddof))


def counts(target: Target, budget: list[int] | None = None) -> dict[int, int] | None:
    """How many scores of each value meet the target, or None where no counts do (proved by exhaustion).

    Raises Undecided where the budget (a list of one number, counted down) is spent.
    """
    return _counts(target, [BUDGET] if budget is None else budget, set())


def squares_bounds(n: int, total: int, low: int, high: int) -> tuple[int, int]:
    """The least and the greatest sum of squares of n whole numbers from low to high with this sum (low·n ≤ total ≤ high·n)."""
    if n == 0:
        return 0, 0
    near, over = divmod(total, n)
    least = n * near * near + over * (2 * near + 1)
    if low == high:
        return least, least
    tops, rest = divmod(total - low * n, high - low)
    most = tops * high * high + (n - tops) * low * low
    return least, most + rest * (2 * low + rest)


def _counts(target: Target, budget: list[int], failed: set[Target]) -> dict[int, int] | None:
    n, total, squares, low, high = target
    if not _within_bounds(target) or target in failed:
        return None
    if high - low <= 2:
        return _of_three(target)
    top = high * n - total > total - low * n  # the end that is farther from the mean holds fewer
    end, inner = (high, (low, high - 1)) if top else (low, (low + 1, high))
    for k in _middle_out(*_ends(target, end, *inner)):
        budget[0] -= 1
        if budget[0] < 0:
            raise Undecided
        rest = _counts(Target(n - k, total - k * end, squares - k * end * end, *inner), budget, failed)
        if rest is not None:
            return rest | {end: k} if k else rest
    failed.add(target)
    return None


def _within_bounds(target: Target) -> bool:
    n, total, squares, low, high = target
    if n < 0 or not low * n <= total <= high * n or (squares - total) % 2:
        return False
    least, most = squares_bounds(n, total, low, high)
    return least <= squares <= most


def _of_three(target: Target) -> dict[int, int]:
    """The counts on a scale of at most three points; unique, and there where the sum of squares is within its bounds."""
    n, total, squares, low, _ = target
    rise = total - low * n
    twice = squares - 2 * low * total + low * low * n  # sum of squares of score − low
    second = (twice - rise) // 2
    found = {low: n - rise + second, low + 1: rise - 2 * second, low + 2: second}
    return {value: count for value, count in found.items() if count}


def _ends(target: Target, end: int, low: int, high: int) -> tuple[int, int]:
    """The least and greatest k for k scores at `end` with the others from low to high.

    For each y of the others, (high − y)(y − low) and, for every whole a, (y − a)(y − a − 1) are not negative. Summed, both
    are linear in k; the second, over all a, says exactly that the others' sum of squares reaches its least.
    """
    n, total, squares = target.n, target.total, target.squares
    outside = end * end + low * high - (low + high) * end  # (end − low)(end − high)
    least = -(((low + high) * total - squares - n * low * high) // outside)
    most = min((squares - (2 * a + 1) * total + a * (a + 1) * n) // ((end - a) * (end - a - 1)) for a in range(low, high))
    return max(0, least), min(n, most)


def _middle_out(low: int, high: int) -> Iterator[int]:
    """The whole numbers from low to high, those in the middle first."""
    middle = (low + high) // 2
    for step in range(high - low + 1):
        k = middle + (step + 1) // 2 * (1 if step % 2 else -1)
        if low <= k <= high:
            yield k


def _decide(numbers: Numbers, low: int, high: int, items: int, ddof: int) -> Decision:
    if "n" not in numbers:
        return _any_n(numbers, low, high)
    n = int(numbers["n"].value)
    low, high = low * items, high * items
    sums = _sums(numbers.get("mean"), n, low, high, items)
    if not sums:
        mean = numbers["mean"]
        between = conflict.significant(Fraction(mean.value) * n * items, 8, up=False)
        span = f"near {between}, from {low * n} to {high * n},"
        return Decision(CONTRADICTORY, f"The {n * items} whole numbers sum to no whole number {span} that gives {mean.text}.")
    if "sd" not in numbers:
        total = sums[len(sums) // 2]
        squares = squares_bounds(n, total, low, high)[0]
        return _found(_counts(Target(n, total, squares, low, high), [BUDGET], set()) or {}, n, items, ddof)
    if n <= ddof:
        return Decision(CONTRADICTORY, f"{n} score has no SD with n − {ddof} in the divisor.")
    return _search(numbers["sd"], n, sums, low, high, items, ddof)


def _any_n(numbers: Numbers, low: int, high: int) -> Decision:
    """What is certain whatever n is: a mean lies on the scale, an SD is not negative."""
    for name, least, most in (("mean", low, high), ("sd", 0, None)):
        if name in numbers:
            lower, upper, lower_closed, upper_closed = numbers[name].interval()
            below = upper is not None and (upper < least or (upper == least and not upper_closed))
            above = most is not None and lower is not None and (lower > most or (lower == most and not lower_closed))
            if below or above:
                return Decision(CONTRADICTORY, f"No {name} from {least} {f'to {most}' if most is not None else 'upwards'} prints as {numbers[name].text}.")
    return Decision(UNDECIDED, "Without the number of scores nothing else follows.")


def _sums(mean: Printed | None, n: int, low: int, high: int, items: int) -> range:
    """The whole sums of n scores whose mean prints; all that the scale allows where none is printed."""
    if mean is None:
        return range(low * n, high * n + 1)
    first, last = _whole_between(*_ends_of(mean), n * items)
    return range(max(low * n, low * n if first is None else first), min(high * n, high * n if last is None else last) + 1)


def _ends_of(number: Printed) -> tuple[Decimal | None, Decimal | None, bool, bool]:
    """The ends of what prints so, both of them in it: software prints an exact tie, such as 107/40, by its nearest float, which lies on either side."""
    lower, upper, lower_closed, upper_closed = number.interval()
    tied = number.relation == "="
    return lower, upper, lower_closed or tied, upper_closed or tied


def _whole_between(
    lower: Decimal | None, upper: Decimal | None, lower_closed: bool, upper_closed: bool, factor: int, power: int = 1
) -> tuple[int | None, int | None]:
    """The first and last whole number x with x / factor in the interval raised to `power`; None at an open end."""
    first = last = None
    if lower is not None:
        end = Fraction(lower) ** power * factor
        first = math.ceil(end) if lower_closed else math.floor(end) + 1
    if upper is not None:
        end = Fraction(upper) ** power * factor
        last = math.floor(end) if upper_closed else math.ceil(end) - 1
    return first, last


def _search(sd: Printed, n: int, sums: range, low: int, high: int, items: int, ddof: int) -> Decision:
    """The verdict on the SD: for each sum, from the middle, the sums of squares that print it, from the middle."""
    lower, upper, lower_closed, upper_closed = _ends_of(sd)
    if upper is not None and (upper < 0 or (upper == 0 and not upper_closed)):
        return Decision(CONTRADICTORY, f"No SD prints as {sd.text}.")
    if lower is not None and lower < 0:
        lower = None
    # n·squares − total² = n(n − ddof)·items²·SD²
    first, last = _whole_between(lower, upper, lower_closed, upper_closed, n * (n - ddof) * items * items, 2)
    budget, failed = [BUDGET], set()
    wrong_parity, out_of_bounds, gaps = [], [], []
    for total in (sums[place] for place in _middle_out(0, len(sums) - 1)):
        least, most = squares_bounds(n, total, low, high)
        allowed = (least if first is None else -(-(first + total * total) // n), most if last is None else (last + total * total) // n)
        inside = max(allowed[0], least), min(allowed[1], most)
        if inside[0] > inside[1]:
            out_of_bounds.append((total, *allowed, least, most))
            continue
        if inside[0] == inside[1] and (inside[0] - total) % 2:
            wrong_parity.append((total, inside[0]))
            continue
        for squares in _middle_out(*inside):
            if (squares - total) % 2:
                continue
            try:
                found = _counts(Target(n, total, squares, low, high), budget, failed)
            except Undecided:
                return Decision(UNDECIDED, f"Counts with a sum of {total} were sought in {BUDGET} steps, and neither found nor excluded.")
            if found is not None:
                return _found(found, n, items, ddof)
            gaps.append((total, squares))
    return Decision(CONTRADICTORY, _why_not(wrong_parity, out_of_bounds, gaps))


def _why_not(wrong_parity: list, out_of_bounds: list, gaps: list) -> str:
    reasons = []
    if wrong_parity:
        total, squares = wrong_parity[0]
        reasons.append(f"a sum of {total} needs a sum of squares of the same parity, and the SD allows only {squares}")
    if out_of_bounds:
        total, first, last, least, most = out_of_bounds[0]
        allowed = "no whole number" if first > last else f"{first}" if first == last else f"{first} to {last}"
        reasons.append(f"with a sum of {total} the sum of squares lies from {least} to {most}, and the SD allows {allowed}")
    if gaps:
        total, squares = gaps[0]
        reasons.append(f"no counts of scores have a sum of {total} with a sum of squares of {squares} (all were tried)")
    others = len(wrong_parity) + len(out_of_bounds) + len(gaps) - len(reasons)
    text = "; ".join(reasons) + (f"; likewise for {others} more" if others else "")
    return f"{text[0].upper()}{text[1:]}."


def _found(found: dict[int, int], n: int, items: int, ddof: int) -> Decision:
    total = sum(value * count for value, count in found.items())
    squares = sum(value * value * count for value, count in found.items())
    scores = {(value if items == 1 else value / items): found[value] for value in sorted(found)}
    witness: dict = {"n": n, "mean": total / (n * items), "counts": scores}
    if n > ddof:
        witness["sd"] = math.sqrt(Fraction(n * squares - total * total, n * (n - ddof) * items * items))
    unit = "scores" if items == 1 else f"scores (times {items})"
    return Decision(POSSIBLE, f"{n} {unit} with a sum of {total} and a sum of squares of {squares} print every number.", witness)
