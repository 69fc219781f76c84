"""The mean, SD, standard error and interval of one column: do they and the number of people agree? And do its quartiles and ends?

SE = SD/√n and limits = mean ± t·SE, with t of Student's distribution on n − 1 degrees of freedom. With the half-width h = t·SE the
mean and the limits are linear in (mean, h), so the values of h that print them are an interval (Fourier and Motzkin); SD, SE
and h are multiples of each other that hang on n alone and fall or rise with it. Where n is not printed, it is left to be any
number from two that the others allow. Everything is computed in floats, each rounded outward; both ends of a printed interval
count as inside, since software prints an exact tie by its nearest float, which lies on either side.

Quartiles: minimum ≤ q1 ≤ median ≤ q3 ≤ maximum, iqr = q3 − q1, and the mean between the ends; SD² ≤ (maximum − mean)·(mean − minimum)·
n/(n − 1) (Bhatia and Davis 2000), and a mean lies no farther from its median than the SD (Hotelling and Solomons 1932).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from asprinted.consistency import conflict, student
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.consistency.student import Bounds
from asprinted.printed import Printed

NAMES = ("n", "mean", "sd", "se", "lo", "hi")
TAIL = Decimal("0.025")  # limits of means are those of 95 %
MOST = 10**9  # people; beyond it n is as good as infinite
ANY: Bounds = (-math.inf, math.inf)
POSITIVE: Bounds = (0.0, math.inf)
_SLACK = 1e-12
_PLACES = tuple(sixteenths / 16 for sixteenths in (8, 4, 12, 1, 15))  # shares of a range that are tried


class Moments(NamedTuple):
    """Between which values n, the mean, the SD, the SE and the half-width of the interval must lie."""

    n: tuple[int, int | None]
    mean: Bounds
    sd: Bounds
    se: Bounds
    half: Bounds


class Clash(Exception):
    """No values print the numbers; the text is the proof, written out only where it is read."""

    def __init__(self, what: str, least: float | None = None, most: float | None = None):
        super().__init__(what, least, most)

    def __str__(self) -> str:
        what, least, most = self.args
        if least is None:
            return what
        low, high = conflict.apart(least, most)
        return f"{what[0].upper()}{what[1:]} would be at least {low}, and at most {high}."


def check(
    n: Text | None = None, mean: Text | None = None, sd: Text | None = None, se: Text | None = None, lo: Text | None = None, hi: Text | None = None, question: str = ""
) -> Finding:  # fmt: skip
    """Whether one column of `n` numbers prints its mean, SD, SE and the ends of the 95 % interval of its mean.

    Any may be left out. Raises ValueError where a text cannot be read, or n is no count.
    """
    numbers = conflict.read(n=n, mean=mean, sd=sd, se=se, lo=lo, hi=hi)
    count("n", numbers.get("n"))
    names = conflict.and_list([name for name in numbers if name != "n"] or ["nothing"])
    asked = question or f"Can {numbers['n'].text if 'n' in numbers else 'any number of'} values print {names}?"
    return conflict.finding(asked, numbers, _decide, impossible)


def order(
    minimum: Text | None = None, q1: Text | None = None, median: Text | None = None, q3: Text | None = None, maximum: Text | None = None, iqr: Text | None = None,
    mean: Text | None = None, sd: Text | None = None, n: Text | None = None, low: float = -math.inf, high: float = math.inf, question: str = "",
) -> Finding:  # fmt: skip
    """Whether one column, its values from `low` to `high`, prints its quartiles, their distance, its ends, mean and SD.

    "Possible" says that such numbers exist in that order, not that some data have them all. Raises ValueError where a text cannot be read, or n is no count.
    """
    numbers = conflict.read(minimum=minimum, q1=q1, median=median, q3=q3, maximum=maximum, iqr=iqr, mean=mean, sd=sd, n=n)
    count("n", numbers.get("n"))
    names = conflict.and_list([name for name in numbers if name != "n"] or ["nothing"])
    return conflict.finding(question or f"Can one column print {names}?", numbers, lambda some: _ordered(some, low, high))


def count(name: str, number: Printed | None) -> None:
    """Raises ValueError where a number of people is printed that is no whole number from 1."""
    if number and number.relation == "=" and (number.value < 1 or number.value % 1):
        raise ValueError(f"{name} {number.text!r} is no number of people: give a whole number from 1")


@lru_cache(maxsize=4096)
def ends(number: Printed | None) -> Bounds:
    """The floats around what prints so, both ends inside; without limit where nothing is printed."""
    if number is None:
        return ANY
    lower, upper, _, _ = number.interval()
    return -math.inf if lower is None else down(float(lower)), math.inf if upper is None else up(float(upper))


def impossible(numbers: Numbers) -> bool:
    """True where it is proved that no column prints the numbers (of NAMES)."""
    try:
        moments(tuple(numbers.items()))
    except Clash:
        return True
    return False


@lru_cache(maxsize=65536)
def moments(numbers: tuple[tuple[str, Printed], ...], middle_of: str = "mean") -> Moments:
    """What the numbers of one column (pairs of a name of NAMES and a number) allow; its mean is told as `middle_of`. Raises Clash where that is nothing."""
    given = dict(numbers)
    n = people(given.get("n"), least=2 if {"sd", "se", "lo", "hi"} & given.keys() else 1)
    mean, lo, hi = (ends(given.get(name)) for name in ("mean", "lo", "hi"))
    sd, se = (meet(ends(given.get(name)), POSITIVE, f"the {name.upper()}") for name in ("sd", "se"))
    _apart(mean, lo, hi, middle_of)
    half, middle = (max(0.0, mean[0] - lo[1], hi[0] - mean[1], (hi[0] - lo[1]) / 2), min(mean[1] - lo[0], hi[1] - mean[0], (hi[1] - lo[0]) / 2)), _middle(lo, hi)
    _reach(half, "half the interval")
    _reach((max(mean[0], middle[0]), min(mean[1], middle[1])), f"the {middle_of}, in the middle of its interval,")
    half = down(half[0]) if half[0] > 0 else 0.0, up(half[1])
    n = _narrowed(n, sd, se, half)
    root, t, told = roots(n), quantiles(n), f"with {_people_said(n)} "
    for _ in range(2):
        sd = meet(meet(sd, times(se, root), f"{told}the SD"), times(half, over(root, t)), f"{told}the SD")
        se = meet(meet(se, over(sd, root), f"{told}the SE"), over(half, t), f"{told}the SE")
        half = meet(meet(half, times(se, t), f"{told}half the interval"), times(sd, over(t, root)), f"{told}half the interval")
    return Moments(n, _centred(mean, lo, hi, half, f"{told}the mean"), sd, se, half)


def slices(found: Moments, numbers: tuple[tuple[str, Printed], ...], parts: int) -> list[Moments]:
    """What is allowed, in as many parts by the half-width; the whole where no interval is printed, or n is not one number."""
    given = dict(numbers)
    if not {"lo", "hi"} & given.keys() or found.n[0] != found.n[1] or found.half[1] == math.inf:
        return [found]
    lo, hi, cut = ends(given.get("lo")), ends(given.get("hi")), []
    to_sd = over(roots(found.n), quantiles(found.n))
    for part in range(parts):
        half = between(found.half, part / parts), between(found.half, (part + 1) / parts)
        try:
            sd = meet(found.sd, times(half, to_sd), "the SD")
            cut.append(Moments(found.n, _centred(found.mean, lo, hi, half, "the mean"), sd, meet(found.se, over(sd, roots(found.n)), "the SE"), half))
        except Clash:
            continue
    return cut


def _centred(mean: Bounds, lo: Bounds, hi: Bounds, half: Bounds, what: str) -> Bounds:
    """The mean, as far as its limits lie half the interval away."""
    mean = meet(mean, (down(lo[0] + half[0]), up(lo[1] + half[1])), what)
    return meet(meet(mean, (down(hi[0] - half[1]), up(hi[1] - half[0])), what), _middle(lo, hi), what)


def _apart(mean: Bounds, lo: Bounds, hi: Bounds, name: str) -> None:
    """Raises Clash where the mean, called by its name, does not lie between the ends of its interval, or these are not in order."""
    said = f"The {name} lies {{}} its interval"
    for lower, upper, what in ((lo, mean, said.format("below the lower end of")), (mean, hi, said.format("above the upper end of")), (lo, hi, "The lower end of the interval lies above its upper end")):
        if lower[0] > upper[1]:
            least, most = conflict.apart(lower[0], upper[1])
            own, other = (f"{least} or more", f"{most} or less") if lower is not lo or upper is hi else (f"{most} or less", f"{least} or more")
            raise Clash(f"{what}: {own} against {other}.")


def _middle(lo: Bounds, hi: Bounds) -> Bounds:
    return down(lo[0] + hi[0]) / 2, up(lo[1] + hi[1]) / 2


def _reach(bounds: Bounds, what: str) -> None:
    """Raises Clash where bounds cross, or meet in one point: a mean and both its limits do not all end in a tie."""
    low, high = bounds
    if low > 0 and high - low <= _SLACK * max(abs(low), abs(high)) or low > high:
        raise Clash(f"{what[0].upper()}{what[1:]} would be at least {low:.6g}, and at most {high:.6g}.")


def meet(x: Bounds, y: Bounds, what: str) -> Bounds:
    """What two intervals share. Raises Clash, with `what` and the bounds that cross, where that is nothing."""
    low, high = max(x[0], y[0]), min(x[1], y[1])
    if low > high:
        raise Clash(what, low, high)
    return low, high


def down(x: float) -> float:
    """The next float below."""
    return math.nextafter(x, -math.inf)


def up(x: float) -> float:
    """The next float above."""
    return math.nextafter(x, math.inf)


def roots(n: tuple[int, int | None]) -> Bounds:
    """Around the root of a number of people."""
    return down(math.sqrt(n[0])), math.inf if n[1] is None else up(math.sqrt(n[1]))


def quantiles(n: tuple[int, int | None], tail: Decimal = TAIL) -> Bounds:
    """Around the quantile of Student's t on n − 1 degrees of freedom, which falls with n."""
    return student.quantile(tail, None if n[1] is None else max(1, n[1] - 1))[0], math.inf if n[0] < 2 else student.quantile(tail, n[0] - 1)[1]


def people(number: Printed | None, least: int) -> tuple[int, int | None]:
    """The least and the greatest whole number that prints so, exactly."""
    lower, upper, lower_in, upper_in = number.interval() if number else (None, None, False, False)
    fewest = least if lower is None else max(least, math.ceil(lower) if lower_in else math.floor(lower) + 1)
    most = None if upper is None else math.floor(upper) if upper_in else math.ceil(upper) - 1
    if most is not None and fewest > most:
        raise Clash(f"n would be at least {fewest}, and at most {most}.")
    return fewest, most


def _narrowed(n: tuple[int, int | None], sd: Bounds, se: Bounds, half: Bounds) -> tuple[int, int | None]:
    """The numbers of people with which SD, SE and half-width can be multiples of each other, two by two: each falls with n."""
    if n[0] == n[1] or n[0] < 2:
        return n
    pairs = [(sd, se, lambda k: over((1.0, 1.0), roots((k, k)))), (sd, half, lambda k: over(quantiles((k, k)), roots((k, k)))), (se, half, lambda k: quantiles((k, k)))]
    for of, is_, factor in pairs:
        if (of[0] > 0 and is_[1] < math.inf) or (of[1] < math.inf and is_[0] > 0):
            low = _first(n, lambda k: times(of, factor(k))[0] <= is_[1])
            above = low and _first((low, n[1]), lambda k: times(of, factor(k))[1] < is_[0])
            if low is None or above == low:
                raise Clash(f"No {_people_said(n)} make them agree: of the SD, the SE and half the interval, two are too far apart or too near.")
            n = low, n[1] if above is None else above - 1
    return n


def _first(n: tuple[int, int | None], holds: Callable[[int], bool]) -> int | None:
    """The first number of people at which something holds that keeps holding from there on; None where none up to the last, or MOST, does."""
    low, high = n[0], n[1] if n[1] is not None else MOST
    if holds(low):
        return low
    step = 1
    while low + step < high and not holds(low + step):
        low, step = low + step, step * 2
    high = min(high, low + step)
    if not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def times(x: Bounds, y: Bounds) -> Bounds:
    """Products of numbers that are not negative."""
    return (0.0 if 0 in (x[0], y[0]) else down(x[0] * y[0])), (math.inf if math.inf in (x[1], y[1]) else up(x[1] * y[1]))


def plus(x: Bounds, y: Bounds) -> Bounds:
    """Sums."""
    return down(x[0] + y[0]), up(x[1] + y[1])


def over(x: Bounds, y: Bounds) -> Bounds:
    """Quotients of numbers that are not negative."""
    return (0.0 if x[0] == 0 or y[1] == math.inf else down(x[0] / y[1])), (math.inf if x[1] == math.inf or y[0] == 0 else up(x[1] / y[0]))


def _people_said(n: tuple[int, int | None]) -> str:
    return f"{n[0]} people" if n[0] == n[1] else f"{n[0]} people or more" if n[1] is None else f"{n[0]} to {n[1]} people"


def _decide(numbers: Numbers) -> Decision:
    try:
        found = moments(tuple(numbers.items()))
    except Clash as clash:
        return Decision(CONTRADICTORY, str(clash))
    for n in people_to_try(found.n):
        for place in _PLACES:
            for wide in _PLACES:
                values = column(found, n, place, wide)
                if values and all(numbers[name].contains(values[name]) for name in numbers if name in values):
                    return Decision(POSSIBLE, _allowed(found), values)
    return Decision(UNDECIDED, "The numbers meet, if at all, in a place too narrow for the bounds used here.")


def people_to_try(n: tuple[int, int | None]) -> list[int]:
    """A few numbers of people: the middle of what is allowed, the ends, and some between, by their ratios."""
    low, high = n
    high = max(32 * low, 1 << 9) if high is None else high
    return list(dict.fromkeys((round(math.sqrt(low * high)), round((low + high) / 2), *(round(low * (high / low) ** (part / 4)) for part in range(5)))))


def column(found: Moments, n: int, place: float, wide: float) -> dict[str, float]:
    """Mean, SD, SE and limits of n values, the mean and the spread at these shares of what is allowed; n and mean alone where n is 1."""
    mean = between(found.mean, place)
    if n < 2:
        return {"n": n, "mean": mean}
    t = student.quantile(TAIL, n - 1)[0]
    least, most = (max(found.sd[0], found.se[0] * math.sqrt(n), found.half[0] / t * math.sqrt(n)), min(found.sd[1], found.se[1] * math.sqrt(n), found.half[1] / t * math.sqrt(n)))
    return described(n, mean, between((least, most), wide))


def described(n: int, mean: float, sd: float) -> dict[str, float]:
    """What n values with this mean and SD print."""
    se = sd / math.sqrt(n)
    half = student.quantile(TAIL, n - 1)[0] * se if n > 1 else math.inf
    return {"n": n, "mean": mean, "sd": sd, "se": se, "lo": mean - half, "hi": mean + half}


def between(bounds: Bounds, place: float) -> float:
    """A value at a share of the way; a unit inside the one end where the other is missing."""
    low, high = bounds
    if low == -math.inf or high == math.inf:
        return low + 1 if low > -math.inf else high - 1 if high < math.inf else 0.0
    return low + place * (high - low)


def _allowed(found: Moments) -> str:
    parts = [f"a {name} from {low:.4g} to {high:.4g}" for name, (low, high) in (("mean", found.mean), ("SD", found.sd), ("standard error", found.se)) if -math.inf < low and high < math.inf]
    return f"Every number prints for {_people_said(found.n)}{', with ' * bool(parts)}{conflict.and_list(parts) if parts else ''}."


# Quartiles and ends


_CHAIN = (("minimum", "q1"), ("q1", "median"), ("median", "q3"), ("q3", "maximum"), ("minimum", "mean"), ("mean", "maximum"))


def _ordered(numbers: Numbers, low: float, high: float) -> Decision:
    box = {name: meet(ends(numbers.get(name)), ANY, name) for name in ("minimum", "q1", "median", "q3", "maximum", "mean")}
    apart = [(lower, upper, POSITIVE) for lower, upper in _CHAIN]
    if "iqr" in numbers:
        apart.append(("q1", "q3", ends(numbers["iqr"])))
    if "sd" in numbers:
        most = ends(numbers["sd"])[1]
        apart.append(("median", "mean", (-most, most)))
    try:
        if "iqr" in numbers:
            meet(ends(numbers["iqr"]), POSITIVE, "the distance of the quartiles")
        box = _settled({name: meet(bounds, (low, high), f"with values from {low:g} to {high:g} the {name}") for name, bounds in box.items()}, apart)
        if "sd" in numbers:
            meet(meet(ends(numbers["sd"]), POSITIVE, "the SD"), (0.0, _greatest_sd(box, numbers.get("n"))), "within these ends the SD")
        for name in box:
            box = _settled(box | {name: (between(box[name], 0.5),) * 2}, apart)
    except Clash as clash:
        fixed = any(low == high for low, high in box.values())
        return Decision(UNDECIDED, "The numbers meet, if at all, in a place too narrow for floats.") if fixed else Decision(CONTRADICTORY, str(clash))
    values = {name: bounds[0] for name, bounds in box.items()} | {"iqr": box["q3"][0] - box["q1"][0]}
    if not all(numbers[name].contains(values[name]) for name in numbers if name in values):
        return Decision(UNDECIDED, "The numbers meet, if at all, at the end of what one of them prints.")
    return Decision(POSSIBLE, f"In order: {', '.join(f'{name} {values[name]:.6g}' for name in numbers if name in values)}.", {name: values[name] for name in numbers if name in values})


def _settled(box: Mapping[str, Bounds], apart: list[tuple[str, str, Bounds]]) -> dict[str, Bounds]:
    """The box with all that the distances say of its sides: bounds on differences alone, so what is left at rest can be met. Raises Clash."""
    box = dict(box)
    for _ in range(2 * len(box)):
        before = dict(box)
        for lower, upper, (least, most) in apart:
            box[upper] = meet(box[upper], (down(box[lower][0] + least), up(box[lower][1] + most)), f"with the others the {upper}")
            box[lower] = meet(box[lower], (down(box[upper][0] - most), up(box[upper][1] - least)), f"with the others the {lower}")
        if box == before:
            break
    return box


def _greatest_sd(box: Mapping[str, Bounds], n: Printed | None) -> float:
    low, high, mean = box["minimum"][0], box["maximum"][1], box["mean"]
    if low == -math.inf or high == math.inf:
        return math.inf
    middle = min(max((low + high) / 2, mean[0]), mean[1])
    fewest = max(2, ends(n)[0]) if n else 2
    return up(up(math.sqrt(up(up(high - middle) * up(middle - low)) * up(fewest / (fewest - 1)))))
