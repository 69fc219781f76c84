"""Two means and their difference: do what is printed of each group and what is printed of a t test agree?

With δ the difference of the means and SE its standard error, the estimate is δ, the limits are δ ± q·SE, t = δ/SE, and p confines |δ|/SE.
The groups confine δ and SE to a box (`summaries.moments`): Student's SE² is s²(1/n₁ + 1/n₂), with s² the mean of the SD² weighted by n − 1;
of all groups where a model has more than two, one residual variance; Welch's is SE₁² + SE₂², with (SE₁² + SE₂²)²/(SE₁⁴/(n₁ − 1) + SE₂⁴/(n₂ − 1)) degrees of freedom (Welch 1947, Biometrika 34:28). Each number
bounds δ by a straight line in SE, so δ is eliminated exactly, and what is left of SE says whether any test prints all. A standardised
difference is δ/s under either test. Quantiles fall as degrees of freedom rise. Floats are rounded outward throughout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import product
from typing import NamedTuple

from asprinted.consistency import conflict, student, summaries
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.consistency.student import Bounds
from asprinted.consistency.summaries import ANY, Clash, Moments, between, down, ends, meet, over, plus, times, up
from asprinted.printed import Printed, parse

TESTS = ("t", "welch", "wald-z")
OF_TEST = ("estimate", "se", "t", "d", "lo", "hi", "p")
_FEW = tuple(sixteenths / 16 for sixteenths in (8, 4, 12, 1, 15))  # shares of a range that are tried
_TINY = 1e-50  # a standard error beyond it, or its reciprocal, is none that anybody prints
_SLACK = 1e-12  # relative, far above what a few operations on floats can be off


class Line(NamedTuple):
    """A bound on the difference: start + slope·SE."""

    start: float
    slope: float


class Left(NamedTuple):
    """The SE that are left for a difference of one sign, and the lines between which it lies."""

    se: Bounds
    lower: tuple[Line, ...]
    upper: tuple[Line, ...]


class Box(NamedTuple):
    """Between which values the difference, its SE, the SD within groups, and the degrees of freedom must lie."""

    difference: Bounds
    se: Bounds
    within: Bounds
    df: tuple[int | None, int | None]


def check(
    groups: Sequence[Mapping[str, Text]],
    estimate: Text | None = None, se: Text | None = None, t: Text | None = None, d: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None,
    test: str = "t", level: float = 0.95, question: str = "",
) -> Finding:  # fmt: skip
    """Whether a test of the first mean less the second prints what is given of it and of both groups.

    groups: of each, any of n, mean, sd, se, lo and hi (of `summaries.NAMES`); in the finding they are called "mean 1", "n 2". After these two may come others of
    the same model, which take part in its residual variance alone (not with "welch"). test: "t" (Student's),
    "welch" or "wald-z" (Student's SE, normal quantiles). d: the difference in SDs within groups. Raises ValueError where a text cannot be
    read, n is no count, or test or level are unknown.
    """
    if test not in TESTS:
        raise ValueError(f"test {test!r} is unknown: use one of {', '.join(TESTS)}")
    if not 0 < level < 1:
        raise ValueError(f"level {level} is no probability: give one such as 0.95")
    numbers = {f"{name} {place}": number for place, group in enumerate(groups, 1) for name, number in conflict.read(**group).items()}
    if len(groups) != 2 and (test == "welch" or len(groups) < 2):
        raise ValueError(f"test {test!r} of {len(groups)} groups: give two, or with 't' and 'wald-z' the others of the model after them")
    for place in range(1, len(groups) + 1):
        summaries.count(f"n {place}", numbers.get(f"n {place}"))
    numbers |= conflict.read(estimate=estimate, se=se, t=t, d=d, lo=lo, hi=hi, p=p)
    two = _Test(test, (1 - Decimal(str(level))) / 2, len(groups))
    names = conflict.and_list([name for name in OF_TEST if name in numbers] or ["nothing"])
    called = {"t": "Student's t test", "welch": "Welch's t test", "wald-z": "a Wald test"}[test]
    such = "two such groups" if len(groups) == 2 else f"two of {len(groups)} such groups, with one residual variance,"
    return conflict.finding(question or f"Can {called} of {such} print {names}?", numbers, two.decide, two.impossible)


class _Test:
    """What printed numbers one kind of test allows, at the tail probability of its interval, in a model of so many groups."""

    def __init__(self, test: str, tail: Decimal, number: int = 2):
        self.test, self.tail, self.places = test, tail, range(1, number + 1)
        self._box = cache(self._box_of)

    def impossible(self, numbers: Numbers) -> bool:
        try:
            self._allowed(numbers)
        except Clash:
            return True
        return False

    def decide(self, numbers: Numbers) -> Decision:
        try:
            groups, box, _ = self._allowed(numbers)
        except Clash as clash:
            return Decision(CONTRADICTORY, self._of_t(numbers) or str(clash))
        known = all(group.n[0] == group.n[1] for group in groups)
        for n in product(*(summaries.people_to_try(group.n) for group in groups)):
            values = self._witness({**numbers, **{f"n {place}": parse(str(k)) for place, k in enumerate(n, 1)}}, (1, 4, 8) if known else (1,))
            if values and all(number.contains(values[name]) for name, number in numbers.items()):
                return Decision(POSSIBLE, f"Every number prints for a difference{_said(box.difference)} with a standard error{_said(box.se)}.", values)
        return Decision(UNDECIDED, "The numbers meet, if at all, in a place too narrow for the bounds used here.")

    def _allowed(self, numbers: Numbers) -> tuple[tuple[Moments, ...], Box, list[Left]]:
        """The groups, their box, and what is left for each sign of the difference that is possible. Raises Clash."""
        groups = tuple(_of_group(numbers, place) for place in self.places)
        return groups, *self._of_groups(numbers, groups)

    def _of_groups(self, numbers: Numbers, groups: tuple[Moments, ...]) -> tuple[Box, list[Left]]:
        box, found, clashes = self._box(*groups), [], {}
        likely = 1 if box.difference[0] + box.difference[1] >= 0 else -1
        for side in (likely, -likely) if "p" in numbers else (0,):
            try:
                found.append(self._left(numbers, groups, box, side))
            except Clash as refused:
                clashes[side] = refused
        if not found:
            raise clashes[likely if "p" in numbers else 0]
        return box, found

    def _box_of(self, one: Moments, two: Moments, *others: Moments) -> Box:
        """What the groups say of the test of the first two."""
        difference = down(one.mean[0] - two.mean[1]), up(one.mean[1] - two.mean[0])
        within = _within(one, two, *others)
        if self.test == "welch":
            squares = plus(times(one.se, one.se), times(two.se, two.se))
            return Box(difference, (max(0.0, down(math.sqrt(max(0.0, squares[0])))), up(math.sqrt(squares[1]))), within, _welch_df(one, two))
        every = (one, two, *others)
        most = None if any(group.n[1] is None for group in every) else max(1, sum(group.n[1] - 1 for group in every))
        df = max(1, sum(group.n[0] - 1 for group in every)), most
        return Box(difference, times(within, _harmonic(one.n, two.n)), within, (None, None) if self.test == "wald-z" else df)

    def _left(self, numbers: Numbers, groups: tuple[Moments, ...], box: Box, side: int) -> Left:
        """What is left for a difference of this sign, 0 being either. Raises Clash where that is nothing."""
        printed = {name: ends(numbers[name]) if name in numbers else ANY for name in OF_TEST}
        se, lines = meet(printed["se"], box.se, "the standard error of the difference"), []
        difference = meet(box.difference, printed["estimate"], "the difference of the means")
        if "lo" in numbers or "hi" in numbers:
            q = self._quantiles(self.tail, box.df)
            middle = summaries.moments(tuple((name, numbers[of]) for name, of in (("mean", "estimate"), ("lo", "lo"), ("hi", "hi")) if of in numbers), "estimate")
            se = meet(se, over(middle.half, q), "the standard error of the difference")
            difference = meet(difference, middle.mean, "the difference of the means")
            lines.append((Line(printed["lo"][0], q[0]), Line(printed["lo"][1], q[1])))
            lines.append((Line(printed["hi"][0], -q[1]), Line(printed["hi"][1], -q[0])))
        if "t" in numbers:
            lines.append((Line(0.0, printed["t"][0]), Line(0.0, printed["t"][1])))
        if "d" in numbers and self.test == "welch":
            difference = meet(difference, _signed(printed["d"], box.within), "the difference of the means")
        elif "d" in numbers:
            low, high = _signed(printed["d"], over((1.0, 1.0), _harmonic(groups[0].n, groups[1].n)))
            lines.append((Line(0.0, low), Line(0.0, high)))
        if side:
            least, most = self._of_p(printed["p"], box.df)
            lines.append((Line(0.0, least), Line(0.0, most)) if side > 0 else (Line(0.0, -most), Line(0.0, -least)))
        lower, upper = zip((Line(difference[0], 0.0), Line(difference[1], 0.0)), *lines)
        return Left(_eliminated(lower, upper, se), lower, upper)

    def _of_p(self, p: Bounds, df: tuple[int | None, int | None]) -> Bounds:
        """Between which values |t| must lie for a p value between these."""
        if p[0] > 1 or p[1] <= 0:
            raise Clash("A p value lies above 0 and up to 1.")
        least = 0.0 if p[1] >= 1 else self._quantiles(Decimal(p[1]) / 2, df)[0]
        return least, math.inf if p[0] <= 0 else self._quantiles(Decimal(p[0]) / 2, df)[1]

    def _quantiles(self, tail: Decimal, df: tuple[int | None, int | None]) -> Bounds:
        return student.quantile(tail, df[1])[0], student.quantile(tail, df[0])[1]

    def _of_t(self, numbers: Numbers) -> str:
        """The proof in terms of t and p, where what is printed of the groups alone leaves no t value with this p; else nothing."""
        try:
            _, box, _ = self._allowed({name: number for name, number in numbers.items() if name not in OF_TEST})
            least, most = self._of_p(ends(numbers["p"]), box.df)
        except (Clash, KeyError):
            return ""
        (low, high), (narrow, wide) = box.difference, box.se
        nearest, farthest = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        greatest, smallest = up(farthest / narrow) if narrow > 0 else math.inf, down(nearest / wide) if wide < math.inf else 0.0
        of = "" if box.df[0] is None else f" with {box.df[0]}{'' if box.df[0] == box.df[1] else ' or more' if box.df[1] is None else f' to {box.df[1]}'} degrees of freedom"
        if greatest < least:
            p, degrees = student.p_value(greatest, box.df[1] or math.inf), "at most"
            shown = f"{conflict.significant(greatest, 4, up=True)}: p is at least {conflict.significant(p, 3, up=False)}"
        elif smallest > most:
            p, degrees = student.p_value(smallest, box.df[0] or math.inf), "at least"
            shown = f"{conflict.significant(smallest, 4, up=False)}: p is at most {conflict.significant(p, 3, up=True)}"
        else:
            return ""
        return f"By what is printed of the groups, t{of} is {degrees} {shown}, and no such p prints as {numbers['p'].text}."

    def _witness(self, numbers: Numbers, cuts: tuple[int, ...]) -> dict[str, float] | None:
        """Unrounded values that print all numbers, both numbers of people among these; None where none is found.

        Sought in the whole box of both groups, then, since a mean and its interval leave less than a box, in so many slices by their half-widths.
        """
        try:
            whole = tuple(_of_group(numbers, place) for place in self.places)
        except Clash:
            return None
        for parts in cuts:
            for groups in product(*(summaries.slices(group, _named(numbers, place), parts) for place, group in enumerate(whole, 1))):
                values = self._within(numbers, groups)
                if values:
                    return values
        return None

    def _within(self, numbers: Numbers, groups: tuple[Moments, ...]) -> dict[str, float] | None:
        n = tuple(group.n[0] for group in groups)
        try:
            _, sides = self._of_groups(numbers, groups)
        except Clash:
            return None
        if min(n) < 2:
            return None
        for left in sides:
            for wide, place in product(_FEW, _FEW):
                se = between(left.se, wide)
                low, high = max(line.start + line.slope * se for line in left.lower), min(line.start + line.slope * se for line in left.upper)
                values = self._values(groups, n, between((low, high), place), se)
                if values and all(number.contains(values[name]) for name, number in numbers.items()):
                    return values
        return None

    def _values(self, groups: tuple[Moments, ...], n: tuple[int, ...], difference: float, se: float) -> dict[str, float] | None:
        """What groups of so many people print of which the first two have this difference and this standard error of it; None where they cannot."""
        one, two = groups[:2]
        low, high = max(one.mean[0], two.mean[0] + difference), min(one.mean[1], two.mean[1] + difference)
        mean = between((low, high), 0.5)
        df, parts = sum(n) - len(n), (1 / n[0], 1 / n[1])
        if self.test != "welch":
            parts = tuple((k - 1) / df * (1 / n[0] + 1 / n[1]) for k in n)
        others = _squares(groups, parts, se * se)[2:]
        rest = se * se - sum(part * each for part, each in zip(parts[2:], others))
        left = [(rest - parts[1] * two.sd[place] ** 2) / parts[0] for place in (1, 0)]
        square = between((max(one.sd[0] ** 2, left[0]), min(one.sd[1] ** 2, left[1])), 0.5)
        other = (rest - parts[0] * square) / parts[1]
        if min(square, other) < 0 or not _TINY < se < 1 / _TINY:
            return None
        values = {}
        means = (mean, mean - difference, *(between(group.mean, 0.5) for group in groups[2:]))
        for place, (k, each, spread) in enumerate(zip(n, means, (square, other, *others)), 1):
            values |= {f"{name} {place}": value for name, value in summaries.described(k, each, math.sqrt(spread)).items()}
        if self.test == "welch":
            df = se**4 / sum((spread / k) ** 2 / (k - 1) for k, spread in zip(n, (square, other)))
        df = math.inf if self.test == "wald-z" else df
        half = _quantile(self.tail, df) * se
        within = math.sqrt(sum((k - 1) * each for k, each in zip(n, (square, other, *others))) / (sum(n) - len(n)))
        t = difference / se
        of_test = {"estimate": difference, "se": se, "t": t, "d": difference / within if within else math.inf, "lo": difference - half, "hi": difference + half, "p": student.p_value(t, df)}
        return values | of_test


def _named(numbers: Numbers, place: int) -> tuple[tuple[str, Printed], ...]:
    return tuple((name, numbers[own]) for name in summaries.NAMES if (own := f"{name} {place}") in numbers)


def _of_group(numbers: Numbers, place: int) -> Moments:
    try:
        return summaries.moments(_named(numbers, place))
    except Clash as clash:
        raise Clash(f"In group {place}: {clash}") from None


def _quantile(tail: Decimal, df: float) -> float:
    """The quantile of t with any degrees of freedom, between those of the whole numbers beside it: for witnesses."""
    if df == math.inf:
        return student.quantile(tail, None)[0]
    low = math.floor(df)
    beside = [student.quantile(tail, whole)[0] for whole in (max(1, low), low + 1)]
    return beside[0] + (df - low) * (beside[1] - beside[0])


def _harmonic(one: tuple[int, int | None], two: tuple[int, int | None]) -> Bounds:
    """Around √(1/n₁ + 1/n₂)."""
    least = sum(0.0 if n[1] is None else 1 / n[1] for n in (one, two))
    return max(0.0, down(down(math.sqrt(max(0.0, down(least)))))) if least else 0.0, up(up(math.sqrt(up(1 / one[0] + 1 / two[0]))))


def _squares(groups: Sequence[Moments], parts: Sequence[float], whole: float) -> list[float]:
    """Squares of SDs (…), at the same share of the way from the least to the greatest in each group, that add up to `whole` by their parts."""
    ends_of = [(group.sd[0] ** 2, group.sd[1] ** 2 if group.sd[1] < math.inf else max(group.sd[0] ** 2, whole / part)) for group, part in zip(groups, parts)]
    low, high = (sum(part * each[end] for part, each in zip(parts, ends_of)) for end in (0, 1))
    share = min(max((whole - low) / (high - low), 0.0), 1.0) if high > low else 0.5
    return [least + share * (most - least) for least, most in ends_of]


def _within(one: Moments, two: Moments, *others: Moments) -> Bounds:
    """Around the SD within groups: the root of the mean of all squares, each weighing n − 1."""
    if others:
        return _within_several((one, two, *others))
    (a, b), (c, d) = one.n, two.n
    least = 0.0 if d is None else (a - 1) / (a + d - 2) if a + d > 2 else 0.0
    most = 1.0 if b is None else (b - 1) / (b + c - 2) if b + c > 2 else 1.0
    ends_of = []
    for step, place, choose in ((down, 0, min), (up, 1, max)):
        x, y = one.sd[place], two.sd[place]
        if math.inf in (x, y):
            ends_of.append(math.inf)
            continue
        low, high = max(0.0, least * (1 - _SLACK)), min(1.0, most * (1 + _SLACK))
        ends_of.append(step(math.sqrt(choose(w * x * x + (1 - w) * y * y for w in (low, high))) * (1 + (_SLACK if step is up else -_SLACK))))
    return max(0.0, ends_of[0]), ends_of[1]


def _within_several(groups: Sequence[Moments]) -> Bounds:
    """The same of more than two groups; between the least and the greatest SD where one of the numbers of people is not known."""
    low, high = min(group.sd[0] for group in groups), max(group.sd[1] for group in groups)
    weights = [group.n[0] - 1 for group in groups]
    if all(group.n[0] == group.n[1] for group in groups) and sum(weights) > 0:
        low = math.sqrt(sum(weight * group.sd[0] ** 2 for weight, group in zip(weights, groups)) / sum(weights))
        high = math.sqrt(sum(weight * group.sd[1] ** 2 for weight, group in zip(weights, groups) if weight) / sum(weights))
    return max(0.0, down(low * (1 - _SLACK))), up(high * (1 + _SLACK))


def _welch_df(one: Moments, two: Moments) -> tuple[int, int | None]:
    """Whole numbers around Welch's degrees of freedom: as a function of the ratio of the squared errors they rise to n₁ + n₂ − 2, then fall."""
    (a, b), (c, d) = one.n, two.n
    fewest, most = max(1, min(a, c) - 1), None if b is None or d is None else max(1, b + d - 2)
    if a != b or c != d or min(a, c) < 2 or min(one.se[0], two.se[0]) < _TINY or max(one.se[1], two.se[1]) > 1 / _TINY:
        return fewest, most
    low, high = (one.se[0] / two.se[1]) ** 2, (one.se[1] / two.se[0]) ** 2
    at = [(1 + r) ** 2 / (r * r / (a - 1) + 1 / (c - 1)) for r in (low, high)]
    top = a + c - 2 if low * (1 - _SLACK) <= (a - 1) / (c - 1) <= high * (1 + _SLACK) else max(at)
    return max(fewest, math.floor(min(at) * (1 - _SLACK))), min(most, math.ceil(top * (1 + _SLACK)))


def _signed(x: Bounds, y: Bounds) -> Bounds:
    """Products of any number with one that is not negative."""
    corners = [0.0 if 0 in pair else pair[0] * pair[1] for pair in product(x, y)]
    return down(min(corners)), up(max(corners))


def _eliminated(lower: tuple[Line, ...], upper: tuple[Line, ...], se: Bounds) -> Bounds:
    """The SE with which every lower line lies below every upper one. Raises Clash where there is none."""
    least, most = se
    above = [(start, slope) for start, slope in upper if start < math.inf and slope < math.inf]
    for low, steep in lower:
        if low == -math.inf or steep == -math.inf:
            continue
        for high, slope in above:
            rise, room = math.nextafter(steep - slope, -math.inf), math.nextafter(high - low, math.inf)
            if rise > 0:
                most = min(most, math.nextafter(room / rise, math.inf))
            elif room < 0:
                least = max(least, math.nextafter(room / rise, -math.inf) if rise else math.inf)
    return meet((least, math.inf), (0.0, most), "the standard error of the difference")


def _said(bounds: Bounds) -> str:
    return f" from {bounds[0]:.4g} to {bounds[1]:.4g}" if -math.inf < bounds[0] and bounds[1] < math.inf else " of some size"
