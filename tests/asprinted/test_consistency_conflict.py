"""A conflict found is the smallest, and healing changes the fewest digits."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asprinted.consistency import conflict
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, Decision
from asprinted.printed import parse

NAMES = list("abcdefg")


@given(st.sets(st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=5), min_size=1, max_size=4))
def test_every_smallest_conflict_is_found_and_nothing_else(cores):
    def impossible(names):
        return any(core <= set(names) for core in cores)

    found = conflict.smallest_conflicts(NAMES, impossible)
    least = min(map(len, cores))
    assert {frozenset(names) for names in found} == {core for core in cores if len(core) == least}
    assert conflict.smallest_conflict(NAMES, impossible) == found[0]
    for names in found:
        assert not any(impossible(part) for part in combinations(names, least - 1))


def test_no_conflict_is_empty():
    assert conflict.smallest_conflict(NAMES, lambda names: False) == ()


@pytest.mark.parametrize(
    ("text", "units", "after"),
    [(".66", 1, ".67"), ("1.00", -1, "0.99"), ("−0.10", 1, "−0.09"), ("29%", -2, "27%"), ("0.00", -1, "−0.01"), ("three", 1, "4"), ("9,999", 1, "10,000")],
)
def test_shift_keeps_the_style(text, units, after):
    assert conflict.shifted(parse(text), units).text == after


def sum_is(total):
    """A check of whole numbers: they must sum to `total`."""
    return lambda some: Decision(POSSIBLE, "") if sum(number.value for number in some.values()) == total else Decision(CONTRADICTORY, "no")


@pytest.mark.parametrize(
    ("total", "changed", "by"),
    [(7, 1, 1), (4, 2, 2), (11, 1, 5), (30, 0, 0)],
)
def test_healing_changes_one_digit_before_two_and_few_units_before_many(total, changed, by):
    numbers = conflict.read(a="2", b="4")
    healing = conflict.fewest_changes(numbers, lambda some: sum_is(total)(some).verdict == POSSIBLE)
    assert len(healing) == changed
    assert sum(abs(int(after) - int(before)) for _, before, after in healing) == by


def test_inequality_is_never_healed():
    numbers = conflict.read(p="<.05", n=3)
    tried = []
    conflict.fewest_changes(numbers, lambda some: tried.append(some["p"].text) or False)
    assert tried and set(tried) == {"<.05"}


def test_change_that_leaves_a_conflict_alone_is_not_tried():
    numbers = conflict.read(a="1", b="1", c="1")
    tried = []
    conflict.fewest_changes(numbers, lambda some: tried.append({name for name in some if some[name].text != "1"}) or False, [("a",), ("a", "b")])
    assert tried and all("a" in changed for changed in tried)


@pytest.mark.parametrize(("value", "digits", "up", "text"), [("0.16495", 3, False, "0.164"), ("0.16041", 3, True, "0.161"), ("-0.0251", 2, False, "-0.026"), ("12345", 2, True, "13000"), ("0", 3, True, "0")])
def test_bounds_are_shown_rounded_outward(value, digits, up, text):
    assert float(conflict.significant(parse(value).value, digits, up)) == float(text)


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(2, 9))
def test_shown_bound_is_never_inside(value, digits):
    low, high = (Fraction(conflict.significant(value, digits, up)) for up in (False, True))
    assert low <= value <= high and high - low <= abs(value) * Fraction(10) ** (2 - digits)


def test_bounds_in_conflict_are_shown_apart():
    low, high = conflict.apart(Fraction("0.1600002"), Fraction("0.16"))
    assert float(low) > float(high)


def test_a_sign_is_tried_after_one_last_digit_and_before_two():
    numbers = conflict.read(estimate="0.08", lo="3")

    def changes(total: str) -> tuple:
        return conflict.fewest_changes(numbers, lambda some: sum(number.value for number in some.values()) == Decimal(total))

    assert changes("2.92") == (("estimate", "0.08", "−0.08"),) and changes("-2.92") == (("lo", "3", "−3"),)
    assert changes("3.09") == (("estimate", "0.08", "0.09"),) and len(changes("4.09")) == 2
    assert conflict.sign_alone("0.08", "−0.08") and not conflict.sign_alone("0.08", "−0.09") and not conflict.sign_alone("0", "−0")


def test_what_has_no_sign_is_never_turned():
    numbers = conflict.read(p=".04", sd="2.1", n=3)
    tried = []
    conflict.fewest_changes(numbers, lambda some: tried.append({number.text for number in some.values()}) or False)
    assert tried and not set.union(*tried) & {"−.04", "−2.1", "−3"}
