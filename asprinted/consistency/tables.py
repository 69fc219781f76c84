"""Counts, percentages and 2×2 tables: do the counts that fit print the percentages, ratios, intervals and p values?

Whole counts are enumerated. Percentages and estimates are compared exactly. Intervals and p values are computed in floats,
and a value within `MARGIN` of the end of a printed interval, a million times the error of any mathematics library, decides
nothing: a table is refuted only by a number that is surely elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from typing import NamedTuple, Union

from asprinted.consistency import conflict, outward
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.consistency.triples import Wald
from asprinted.printed import Printed

MEASURES = ("OR", "RR", "RD", "NNT")
TESTS = ("wald", "pearson", "yates", "likelihood-ratio", "fisher")
EITHER = "pearson-or-yates"
OF_CHI2 = ("pearson", "yates", EITHER)  # the tests that have a chi-squared statistic
MARGIN = 1e-9
MOST_TABLES, MOST_TOTALS = 20_000, 1_000_000
MOST_OF_A_SUBSET = 1_000  # tables looked at to refute a subset of the numbers

OF_NOBODY = "A percentage of nobody is not defined: a printed one says nothing."

Count = Union[Text, tuple[int, int], None]


# Percentages of counts


def percent_of_count(percent: Text | None = None, count: Text | None = None, n: Count = None, question: str = "") -> Finding:
    """Whether a count out of n prints as the percentage; `n` may be a range (least, greatest), or unknown."""
    return shares({"": percent} if percent is not None else {}, {"": count} if count is not None else {}, n, question)


def shares(percents: Mapping[str, Text], counts: Mapping[str, Text] | None = None, n: Count = None, question: str = "") -> Finding:
    """Whether percentages of several things print for one common n: thing → percentage, thing → count.

    The numbers are named "thing percent" and "thing count". `n` is printed, a range (least, greatest), or unknown.
    Raises ValueError where a text cannot be read.
    """
    span = n if isinstance(n, tuple) else None
    texts = {f"{thing} percent".strip(): text for thing, text in percents.items()} | {f"{thing} count".strip(): text for thing, text in (counts or {}).items()}
    numbers = conflict.read(**texts, n=None if span else n)
    names = conflict.and_list(numbers) if numbers else "nothing"
    return conflict.finding(question or f"Are there whole counts that print {names}?", numbers, lambda some: _decide_shares(some, span))


def _decide_shares(numbers: Numbers, span: tuple[int, int] | None) -> Decision:
    things = list(dict.fromkeys(name.removesuffix("percent").removesuffix("count").strip() for name in numbers if name != "n"))
    pairs = [(numbers.get(f"{thing} percent".strip()), numbers.get(f"{thing} count".strip())) for thing in things]
    totals = _totals(numbers.get("n"), span, pairs)
    if len(totals) > MOST_TOTALS:
        return Decision(UNDECIDED, f"n may be any of {len(totals)} whole numbers: give a narrower range.")
    for total in totals:
        found = [fitting_counts(percent, count, total) for percent, count in pairs]
        if all(found) and total == 0 and any(percent for percent, _ in pairs):
            return Decision(UNDECIDED, OF_NOBODY)
        if all(found):
            chosen = {thing: counts[len(counts) // 2] for thing, counts in zip(things, found)}
            witness: dict = {"n": total} | {f"{thing} count".strip(): count for thing, count in chosen.items()}
            witness |= {f"{thing} percent".strip(): 100 * count / total for thing, count in chosen.items() if total}
            shown = ", ".join(f"{count} of {total}" for count in chosen.values()) or f"A total of {total}"
            return Decision(POSSIBLE, f"Every number prints: {shown}.", witness)
    if len(totals) == 1:
        return Decision(CONTRADICTORY, _nearest_shares(things, pairs, totals[0]))
    limits = f"from {totals[0]} to {totals[-1]}" if len(totals) else "of the size that the counts and percentages need"
    return Decision(CONTRADICTORY, f"No n {limits} has whole counts that print them all.")


def _nearest_shares(things: list[str], pairs: list[tuple[Printed | None, Printed | None]], total: int) -> str:
    for thing, (percent, count) in zip(things, pairs):
        if fitting_counts(percent, count, total):
            continue
        name = f" of {thing}" if thing else ""
        if total == 0:
            return f"Out of 0, the count{name} is 0, which does not print as {count.text}."
        if count is None or not (whole := fitting_counts(None, count, total)):
            least = math.floor(percent.value * total / 100) if percent else 0
            around = " and ".join(f"{100 * one / total:.6g}% for {one}" for one in (least, least + 1)) if percent else f"counts run from 0 to {total}"
            return f"Out of {total}, no count{name} prints as {(percent or count).text}: {around}."
        return f"{whole[0]} out of {total}{name} is {100 * whole[0] / total:.6g}%, which does not print as {percent.text}."
    return f"No counts out of {total} print them all."


def _totals(number: Printed | None, span: tuple[int, int] | None, pairs: list[tuple[Printed | None, Printed | None]]) -> range:
    """The totals to try: as printed, as given, or as far as counts and percentages can need; nobody at all only where no other total is left."""
    if number is not None:
        first, last = whole_ends(number)
    elif span:
        first, last = span
    if number is not None or span:
        first = max(0 if last == 0 else 1, first)
        return range(first, first + MOST_TOTALS + 1 if last is None else last + 1)
    least, most, reach = 1, math.inf, 1
    for percent, count in pairs:
        first, last = whole_ends(count) if count else (0, None)
        least = max(least, first)
        if percent is None:
            continue
        lower, upper, *_ = percent.interval()
        reach = max(reach, 10 ** (percent.decimals + 2), math.ceil(100 * first / Fraction(upper)) if upper else 1)
        if last is not None and lower is not None and lower > 0:
            most = min(most, math.floor(100 * last / Fraction(lower)))
    return range(least, (least + reach if most == math.inf else int(most)) + 1)


def fitting_counts(percent: Printed | None, count: Printed | None, total: int) -> range:
    """The counts out of `total` that print as both; out of nobody a percentage is not defined, and rules out nothing."""
    first, last = whole_ends(count) if count else (0, None)
    low, high = max(0, first), total if last is None else min(total, last)
    if percent is not None and total:
        lower, upper, lower_closed, upper_closed = percent.interval()
        if lower is not None:
            end = Fraction(lower) * total / 100
            low = max(low, math.ceil(end) if lower_closed else math.floor(end) + 1)
        if upper is not None:
            end = Fraction(upper) * total / 100
            high = min(high, math.floor(end) if upper_closed else math.ceil(end) - 1)
    return range(low, high + 1)


@lru_cache(maxsize=1024)
def fitting_totals(percent: Printed, count: Printed) -> tuple[int, int | None]:
    """The least and the greatest total, at least 1, of which `count` prints as `percent`; None where there is no greatest. The first is above the second where there is none.

    Of a count that is one whole number, every total between them does.
    """
    first, last = whole_ends(count)
    lower, upper, lower_closed, upper_closed = percent.interval()
    least, most = max(first, 1), None
    if upper is not None and upper > 0:
        end = 100 * first / Fraction(upper)
        least = max(least, math.ceil(end) if upper_closed else math.floor(end) + 1)
    if last is not None and lower is not None and lower > 0:
        end = 100 * last / Fraction(lower)
        most = math.floor(end) if lower_closed else math.ceil(end) - 1
    return least, most


def whole_ends(number: Printed) -> tuple[int, int | None]:
    """The first (at least 0) and last whole number that print as `number`; None where no end is printed."""
    lower, upper, lower_closed, upper_closed = number.interval()
    first = 0 if lower is None else math.ceil(lower) if lower_closed else math.floor(lower) + 1
    last = None if upper is None else math.floor(upper) if upper_closed else math.ceil(upper) - 1
    return max(0, first), last


# 2×2 tables


class Table(NamedTuple):
    """Events and totals of two arms; the first is compared with the second."""

    events: int
    total: int
    other_events: int
    other_total: int

    def __str__(self) -> str:
        return f"{self.events}/{self.total} against {self.other_events}/{self.other_total}"


def two_by_two(
    events: tuple[Count, Count] = (None, None), totals: tuple[Count, Count] = (None, None), percents: tuple[Text | None, Text | None] = (None, None),
    measure: str = "OR", estimate: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None,
    test: str = "wald", level: float = 0.95, question: str = "", chi2: Text | None = None,
) -> Finding:  # fmt: skip
    """Whether a 2×2 table prints the measure of its first arm against its second, the Wald interval, the two-sided p value and chi-squared.

    Each of the events and totals is a printed count, a range (least, greatest), or None; a percentage stands for the counts
    that print it. Ratios have Wald intervals of their logarithm, RD and NNT that of the unpooled difference; RD is in percent
    where its text has a percent mark, and NNT is 1/|RD|. `test` names the p value: one of TESTS or EITHER, Wald's being that of the
    interval, Fisher's the sum of all tables no likelier; EITHER asks for one of the two that prints p and chi2 both, and chi2
    belongs to OF_CHI2. Intervals are without continuity correction: a table with an empty cell decides nothing about them. Conflicts are the smallest that are proved; numbers without a total only conflict by Wald's test.
    The numbers are named "events 1", "total 1", "percent 1", and so on. Raises ValueError where a text cannot be read, measure, test
    or level are unknown, or the test has no chi-squared.
    """
    for name, value, known in (("measure", measure, MEASURES), ("test", test, (*TESTS, EITHER))):
        if value not in known:
            raise ValueError(f"{name} {value!r} is unknown: use one of {', '.join(known)}")
    if not 0 < level < 1:
        raise ValueError(f"level {level} is no probability: give one such as 0.95")
    if chi2 is not None and test not in OF_CHI2:
        raise ValueError(f"the test {test!r} has no chi-squared: leave chi2 out, or use one of {', '.join(OF_CHI2)}")
    of_arms = {f"{name} {arm}": pair[arm - 1] for arm in (1, 2) for name, pair in (("events", events), ("total", totals), ("percent", percents))}
    spans = {name: value for name, value in of_arms.items() if isinstance(value, tuple)}
    numbers = conflict.read(**{name: value for name, value in of_arms.items() if name not in spans}, estimate=estimate, lo=lo, hi=hi, p=p, chi2=chi2)
    asked = question or f"Is there a 2×2 table that prints {conflict.and_list(numbers) if numbers else 'nothing'} ({measure}, {test} test)?"
    comparison = Comparison(measure, test, level, spans)
    return conflict.finding(asked, numbers, comparison.decide, comparison.impossible)


@dataclass(frozen=True)
class Comparison:
    """The 2×2 tables that printed numbers allow, for one measure, test and level, as `two_by_two` says; spans: name → range."""

    measure: str = "OR"
    test: str = "wald"
    level: float = 0.95
    spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def quantile(self) -> float:
        """The normal quantile of the interval."""
        return float(outward.normal_quantile((1 - Decimal(str(self.level))) / 2)[0])

    @cached_property
    def wald(self) -> Wald | None:
        """What the estimate, interval and p value alone allow; None where another test or a reciprocal loosens them."""
        return Wald("log" if self.measure in ("OR", "RR") else "identity", self.level) if self.test == "wald" and self.measure != "NNT" else None

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests of which one is to print the numbers."""
        return tuple(self.test.split("-or-"))

    def decide(self, numbers: Numbers) -> Decision:
        """The verdict on the numbers, with its proof; a witness where it is "possible"."""
        statistics, arms = _statistics(numbers), self._arms(numbers)
        for arm, found in zip((1, 2), arms):
            if found is not None and not any(found.values()):
                return Decision(CONTRADICTORY, self._no_count(numbers, arm))
        if any(f"percent {arm}" in numbers and found is not None and not any(found) for arm, found in zip((1, 2), arms)) and not (self.wald and self.wald.impossible(statistics)):
            return Decision(UNDECIDED, OF_NOBODY)
        if None in arms or _fitting(arms, "estimate" in statistics) > MOST_TABLES:
            if self.wald and self.wald.impossible(statistics):
                return self.wald.decide(statistics)
            why = "The total of an arm is not given." if None in arms else f"More than {MOST_TABLES} tables fit: give narrower counts."
            return Decision(UNDECIDED, why)
        looked_at, undecided, nearest = 0, False, None
        for table, test in product(_tables(arms, self.measure, statistics.get("estimate")), self.tests):
            looked_at += test == self.tests[0]
            if looked_at > MOST_TABLES:
                return Decision(UNDECIDED, f"More than {MOST_TABLES} tables fit: give narrower counts.")
            values = _values(table, self.measure, test, self.quantile, statistics)
            states = {name: _surely(values[name], number) for name, number in statistics.items()}
            if all(states.values()):
                cells = dict(zip(("events 1", "total 1", "events 2", "total 2"), table))
                witness = cells | {name: float(value) for name, value in values.items() if value is not None}
                by = f" by the test of {test.title()} and not of {self.tests[0].title()}" if test != self.tests[0] else ""
                return Decision(POSSIBLE, f"The table {table} prints every number{by}.", witness)
            missed = [name for name, state in states.items() if state is False]
            undecided |= not missed
            far = len(missed), sum(_steps(values[name], statistics[name]) for name in missed)
            if nearest is None or far < nearest[0]:
                nearest = far, table, missed, values, test
        if undecided:
            return Decision(UNDECIDED, "A table has an empty cell, or a value too near to the end of a printed interval.")
        if nearest is None:
            return Decision(CONTRADICTORY, f"No table that fits has the {self.measure} {statistics['estimate'].text}.")
        _, table, missed, values, test = nearest
        named, by = {"estimate": self.measure, "chi2": "chi-squared"}, f" by the test of {test.title()}" if len(self.tests) > 1 else ""
        shown = ", ".join(f"{named.get(name, name)} {float(values[name]):.5g} where {statistics[name].text} is printed" for name in missed)
        if looked_at > 1:
            return Decision(CONTRADICTORY, f"Each of the {looked_at} tables that come near misses a number; the nearest, {table}, gives {shown}{by}.")
        return Decision(CONTRADICTORY, f"The table {table} gives {shown}{by}{', and the other test does not print them either' * bool(by)}.")

    def impossible(self, numbers: Numbers) -> bool:
        """True where it is proved that no table prints the numbers; left at the first that may, and after MOST_OF_A_SUBSET."""
        statistics, arms = _statistics(numbers), self._arms(numbers)
        if any(found is not None and not any(found.values()) for found in arms):  # one arm alone
            return True
        few = None not in arms and _fitting(arms, "estimate" in statistics) <= MOST_OF_A_SUBSET
        return (few and self._refuted(arms, statistics)) or (self.wald is not None and self.wald.impossible(statistics))

    def _refuted(self, arms: list[dict[int, range]], statistics: Numbers) -> bool:
        """True where every table of the arms surely misses a number, and they are few."""
        for looked_at, table in enumerate(_tables(arms, self.measure, statistics.get("estimate"))):
            if looked_at == MOST_OF_A_SUBSET:
                return False
            for test in self.tests:
                values = _values(table, self.measure, test, self.quantile, statistics)
                if not any(_surely(values[name], number) is False for name, number in statistics.items()):
                    return False
        return True

    def _no_count(self, numbers: Numbers, arm: int) -> str:
        """Why no whole count of an arm prints what is given of it, in a sentence with the printed texts."""
        percent, events, total = (numbers.get(f"{name} {arm}") for name in ("percent", "events", "total"))
        if total is not None and len(totals := _totals(total, None, [])) == 1 and f"events {arm}" not in self.spans:
            return _nearest_shares([""], [(percent, events)], totals[0])
        texts = [number.text for number in (percent, events) if number]
        printed = conflict.and_list(texts) if texts else "what is given"
        return f"No whole number of {total.text if total else 'any number of'} people is {printed}."

    def _arms(self, numbers: Numbers) -> list[dict[int, range] | None]:
        """For each arm, total → the events that fit; None where the total may be anything."""
        names = [(f"percent {arm}", f"events {arm}", f"total {arm}") for arm in (1, 2)]
        return [
            _arm(numbers.get(percent), numbers.get(events), numbers.get(total), self.spans.get(events), self.spans.get(total))
            for percent, events, total in names
        ]


def _statistics(numbers: Numbers) -> Numbers:
    return {name: numbers[name] for name in ("estimate", "lo", "hi", "p", "chi2") if name in numbers}


@lru_cache(maxsize=64)
def _arm(
    percent: Printed | None, count: Printed | None, total: Printed | None, events: tuple[int, int] | None, totals: tuple[int, int] | None
) -> dict[int, range] | None:  # fmt: skip
    """Total → the events that fit, of numbers or ranges (least, greatest); None where the total may be anything."""
    if total is None and totals is None and not (percent and count and percent.interval().lo):
        return None
    low, high = events or (0, math.inf)
    found = {}
    for size in _totals(total, totals, [(percent, count)]):
        fitting = fitting_counts(percent, count, size)
        found[size] = range(max(fitting.start, low), int(min(fitting.stop, high + 1)))
        if len(found) > MOST_TABLES:
            return None
    return found


def _fitting(arms: list[dict[int, range]], near: bool) -> int:
    """How many tables the arms allow, those of one total in the first arm counted once where only the `near` ones are wanted."""
    first, second = (sum(map(len, found.values())) for found in arms)
    return (len(arms[0]) if near else first) * second


def _tables(arms: list[dict[int, range]], measure: str, estimate: Printed | None) -> Iterator[Table]:
    """The tables of the arms; where an OR, RR or RD is printed, only those near it, with a margin that loses none."""
    first, second = arms
    low, high = (-math.inf, math.inf) if estimate is None or measure == "NNT" else _float_ends(estimate)
    for other_total, others in second.items():
        for other in others:
            for total, events in first.items():
                near = events
                if len(events) > 1 and other_total > other > 0 and low > -math.inf and high < math.inf:
                    ends = [_risk(measure, end / (100 if estimate.percent else 1), other / other_total) * total for end in (low, high)]
                    near = range(max(events.start, math.floor(ends[0] - 1e-6)), min(events.stop, math.ceil(ends[1] + 1e-6) + 1))
                for one in near:
                    yield Table(one, total, other, other_total)


def _risk(measure: str, effect: float, other: float) -> float:
    """The risk in the first arm, from 0 to 1, that has this effect against the other risk."""
    if measure == "OR":
        odds = max(0.0, effect) * other / (1 - other)
        return odds / (1 + odds)
    return min(1.0, max(0.0, effect * other if measure == "RR" else effect + other))


def _values(table: Table, measure: str, test: str, quantile: float, statistics: Numbers) -> dict[str, float | Fraction | None]:
    """Estimate (exact), lo, hi, p and chi2 of a table, in the unit of the printed texts; None where the table does not give it."""
    a, n, c, m = table
    b, d = n - a, m - c
    found: dict[str, float | Fraction | None] = dict.fromkeys(("estimate", "lo", "hi", "p", "chi2"))
    if n == 0 or m == 0:
        return found
    if measure in ("OR", "RR"):
        above, below = (a * d, b * c) if measure == "OR" else (a * m, c * n)
        found["estimate"] = Fraction(above, below) if below else None
        cells = (a, b, c, d) if measure == "OR" else (a, c)
        if all(cells):
            centre = math.log(above / below)
            se = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d) if measure == "OR" else math.sqrt(max(0.0, 1 / a - 1 / n + 1 / c - 1 / m))
            if se:  # none where everybody in both arms has the event
                found["lo"], found["hi"] = math.exp(centre - quantile * se), math.exp(centre + quantile * se)
    else:
        difference = Fraction(a, n) - Fraction(c, m)
        centre, se = float(difference), math.sqrt(a * b / n**3 + c * d / m**3)
        ends = centre - quantile * se, centre + quantile * se
        if measure == "NNT":
            found["estimate"] = 1 / abs(difference) if difference else None
            if ends[0] > 0 or ends[1] < 0:
                found["lo"], found["hi"] = sorted(1 / abs(end) for end in ends)
        else:
            found["estimate"] = difference * (100 if "estimate" in statistics and statistics["estimate"].percent else 1)
            found |= {name: end * (100 if name in statistics and statistics[name].percent else 1) for name, end in zip(("lo", "hi"), ends)}
        if not (a * b or c * d):
            found["lo"] = found["hi"] = None
    if "chi2" in statistics:
        found["chi2"] = _chi2(a, b, c, d, 0.5 if test == "yates" else 0.0)
    if "p" in statistics:
        if test != "wald":
            found["p"] = P_VALUES[test](a, b, c, d)
        elif found["lo"] is not None or (measure == "NNT" and se):
            found["p"] = _two_sided(abs(centre) / se)
    return found


def _two_sided(z: float) -> float:
    return math.erfc(z / math.sqrt(2))


def _chi2(a: int, b: int, c: int, d: int, correction: float) -> float | None:
    """Chi-squared, every difference from what is expected less the correction, or 0; None where a margin is empty."""
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    total = a + b + c + d
    return total / margins * max(0.0, abs(a * d - b * c) - correction * total) ** 2 if margins else None


def _pearson(a: int, b: int, c: int, d: int, correction: float = 0.0) -> float | None:
    chi2 = _chi2(a, b, c, d, correction)
    return None if chi2 is None else _two_sided(math.sqrt(chi2))


def _yates(a: int, b: int, c: int, d: int) -> float | None:
    return _pearson(a, b, c, d, correction=0.5)


def _likelihood_ratio(a: int, b: int, c: int, d: int) -> float | None:
    total = a + b + c + d
    if not (a + c and b + d):
        return None
    cells = ((a, a + b, a + c), (b, a + b, b + d), (c, c + d, a + c), (d, c + d, b + d))
    g = 2 * math.fsum(cell * math.log(cell * total / (row * column)) for cell, row, column in cells if cell)
    return _two_sided(math.sqrt(max(0.0, g)))


def _fisher(a: int, b: int, c: int, d: int) -> Fraction:
    """The exact two-sided p value: the share of all tables with these margins that are no likelier."""
    row, other, column = a + b, c + d, a + c
    ways = [math.comb(row, x) * math.comb(other, column - x) for x in range(max(0, column - other), min(row, column) + 1)]
    observed = math.comb(row, a) * math.comb(other, c)
    return Fraction(sum(way for way in ways if way <= observed), sum(ways))


P_VALUES: dict[str, Callable[[int, int, int, int], float | Fraction | None]] = {
    "pearson": _pearson, "yates": _yates, "likelihood-ratio": _likelihood_ratio, "fisher": _fisher,
}  # fmt: skip


def _surely(value: float | Fraction | None, number: Printed) -> bool | None:
    """True where `value` surely prints as `number`, False where it surely does not, None where that is open."""
    if value is None:
        return None
    low, high = _float_ends(number)
    near = float(value)
    margin = MARGIN * max(1.0, abs(near))
    if near < low - margin or near > high + margin:
        return False
    if low + margin < near < high - margin:
        return True
    return number.contains(value) if isinstance(value, Fraction) else None


def _steps(value: float | Fraction, number: Printed) -> float:
    """How far `value` is from the printed number, in units of its last digit."""
    return abs(float(value) - float(number.value)) * 10**number.decimals


@lru_cache(maxsize=1024)
def _float_ends(number: Printed) -> tuple[float, float]:
    lower, upper, *_ = number.interval()
    return -math.inf if lower is None else float(lower), math.inf if upper is None else float(upper)
