"""Parts and their whole: the verdict is that of trying every division of the total."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asprinted import checks
from asprinted import study as studies
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


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 99)), min_size=2, max_size=2), st.integers(2, 80))
def test_people_seen_add_up_where_some_numbers_of_people_print_all_shares(shares, total):
    counts, percents = ({part: text for part, text in zip("ab", texts)} for texts in ([f"{count}" for count, _ in shares], [f"{share}%" for _, share in shares]))
    found = parts.seen(counts, percents, {}, f"{total}")
    fits = [[n for n in range(1, 81) if n >= count and parse(f"{share}%").contains(Fraction(100 * count, n))] for count, share in shares]
    exists = any(first + second == total for first, second in product(*fits))
    assert found.verdict == ("possible" if exists else "contradictory")
    if exists:
        assert found.witness["a n"] in fits[0] and found.witness["b n"] in fits[1] and found.witness["a n"] + found.witness["b n"] == total


def test_people_seen_who_are_too_few_are_named_with_how_many_each_share_is_of():
    found = parts.seen({"therapy": "95", "usual": "46"}, {"therapy": "46%", "usual": "22%"}, {}, "422")
    assert set(found.conflict) == set(found.printed)
    assert found.proof == "95 is 46% of 205 to 208 people and 46 is 22% of 205 to 213 people: at most 421 in all, and the total is 422."
    assert parts.seen({"therapy": "95", "usual": "46"}, {"therapy": "46%", "usual": "22%"}, {}, "421").verdict == "possible"
    assert parts.seen({"therapy": "95"}, {"therapy": "46%"}, {"usual": "213"}, "422").verdict == "contradictory"
    assert parts.seen({"therapy": "95"}, {}, {"usual": "213"}, "422").verdict == "possible"


def test_a_study_file_is_asked_whether_its_people_seen_add_up():
    study = studies.load(Path(__file__).resolve().parents[1] / "papers" / "wiles-2013")
    claim = study.claims["response.therapy.n"]
    by = {"table": "visits", "column": "response", "statistic": "observed", "filter": {"month": 6}}
    told = {printed: replace(claim, id="seen", printed=printed, by=by) for printed in ("421", "422")}
    faults = {printed: [each for each in checks.findings(replace(study, claims=study.claims | {"seen": seen})) if each.fault] for printed, seen in told.items()}
    assert not faults["421"]
    [fault] = faults["422"]
    assert fault.about == "visits.response by arm, month 6"
    assert set(fault.ids(fault.finding.conflict)) == {"seen", *(f"response.{arm}.{part}" for arm in ("therapy", "usual") for part in ("n", "percent"))}
