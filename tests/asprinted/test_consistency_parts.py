"""Parts and their whole: the verdict is that of trying every division of the total."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asprinted.consistency import parts
from asprinted.printed import parse


@given(st.integers(1, 14), st.lists(st.integers(0, 100), min_size=3, max_size=3), st.lists(st.one_of(st.none(), st.integers(0, 14)), min_size=3, max_size=3))
def test_verdict_agrees_with_trying_every_division(total, shares, printed):
    percents = {name: f"{share}%" for name, share in zip("abc", shares)}
    counts = {name: str(count) for name, count in zip("abc", printed) if count is not None}
    found = parts.check(counts, percents, str(total))
    divisions = (each for each in product(range(total + 1), repeat=3) if sum(each) == total and all(count is None or count == one for count, one in zip(printed, each)))
    exists = any(all(parse(text).contains(100 * one / total) for text, one in zip(percents.values(), each)) for each in divisions)
    assert found.verdict == ("possible" if exists else "contradictory")
    if exists:
        assert sum(found.witness[f"{name} count"] for name in "abc") == total


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [(("33.3%", "33.3%", "33.3%"), "possible"), (("33%", "33%", "33%"), "possible"), (("30%", "33%", "33%"), "contradictory"), (("40.1%", "40.0%", "20.1%"), "contradictory"), (("<50%", "25%", "30%"), "possible"), (("120%", "0%"), "contradictory")],
)  # fmt: skip
def test_percentages_alone_add_up_to_a_hundred(texts, verdict):
    assert parts.check({}, dict(zip("abc", texts))).verdict == verdict


def test_contradiction_names_all_parts_and_the_digit_that_heals():
    found = parts.check({"one": "12", "two": "31", "three": "8"}, {}, "52")
    assert (found.verdict, found.conflict) == ("contradictory", ("one count", "two count", "three count", "total"))
    assert found.proof == "The parts add up to 51, and the total is 52." and found.healing == (("one count", "12", "13"),)
    assert found.releases == (("one count",), ("two count",), ("three count",), ("total",))


def test_parts_that_exceed_the_total_need_not_all_be_known():
    found = parts.check({"one": "40", "two": "31", "three": "0"}, {}, "52")
    assert found.conflict == ("one count", "two count", "total")


def test_counts_without_a_total_are_their_own():
    assert parts.check({"a": "10", "b": "30"}, {"a": "25%", "b": "75%"}).verdict == "possible"
    assert parts.check({"a": "10", "b": "30"}, {"a": "26%", "b": "74%"}).verdict == "contradictory"


def test_percentages_of_nobody_contradict_nothing_and_counts_of_nobody_do():
    assert parts.check({"a": "0", "b": "0"}, {"a": "0%", "b": "0%"}, "0").verdict == "undecided"
    assert parts.check({}, {"a": "0%", "b": "0%"}).verdict == "undecided"
    assert parts.check({}, {"a": "0%", "b": "0%"}, "20").verdict == "contradictory"
    assert parts.check({"a": "0", "b": "1"}, {"a": "0%"}, "0").conflict == ("b count", "total")
