"""Means and SDs of whole numbers: exactly those that n scores can print are possible."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from asprinted.consistency import integers
from asprinted.consistency.integers import Target
from asprinted.printed import parse, round_to


@cache
def reached(n: int, low: int, high: int) -> frozenset[tuple[int, int]]:
    """Every (sum, sum of squares) of n whole numbers from low to high, by enumeration."""
    found = {(0, 0)}
    for _ in range(n):
        found = {(total + value, squares + value * value) for total, squares in found for value in range(low, high + 1)}
    return frozenset(found)


@cache
def squares_of(n: int, low: int, high: int) -> dict[int, list[int]]:
    """Sum → every sum of squares that goes with it."""
    found: dict[int, list[int]] = {}
    for total, squares in reached(n, low, high):
        found.setdefault(total, []).append(squares)
    return found


def test_parity_refutes_a_well_known_case():
    finding = integers.check(n=20, mean="2.20", sd="1.30", low=1, high=5)
    assert finding.verdict == "contradictory" and "parity" in finding.proof
    assert finding.conflict == ("n", "mean", "sd")
    [(name, _, healed)] = finding.healing
    assert integers.check(**({"n": 20, "mean": "2.20", "sd": "1.30"} | {name: healed}), low=1, high=5).verdict == "possible"


@pytest.mark.parametrize(("n", "mean", "sd", "low", "high"), [(130, "2.70", "1.90", 1, 5), (500, "14.32", "5.21", 0, 27), (20_000, "14.32", "5.21", 0, 27), (1_000_000, "14.32", "5.21", 0, 27), (20_000, "14.32", "13.48", 0, 27)])
def test_counts_are_found_for_any_n(n, mean, sd, low, high):
    finding = integers.check(n=n, mean=mean, sd=sd, low=low, high=high)
    counts = finding.witness["counts"]
    assert finding.verdict == "possible" and low <= min(counts) <= max(counts) <= high
    scores = np.repeat(list(counts), list(counts.values()))
    assert len(scores) == n and parse(mean).contains(scores.mean()) and parse(sd).contains(scores.std(ddof=1))
    assert math.isclose(finding.witness["sd"], scores.std(ddof=1), rel_tol=1e-9)


@pytest.mark.parametrize(("n", "width"), [(1, 5), (2, 8), (3, 8), (4, 7), (5, 6), (6, 5), (7, 4), (8, 3), (9, 2)])
def test_exactly_the_sums_of_squares_that_exist_are_found(n, width):
    for low in (-1, 0, 3):
        exist = reached(n, low, low + width)
        totals = range(low * n, (low + width) * n + 1)
        top = max(squares for _, squares in exist)
        for total in totals:
            for squares in range(top + 2):
                counts = integers.counts(Target(n, total, squares, low, low + width))
                assert (counts is not None) == ((total, squares) in exist)
                if counts:
                    assert sum(counts.values()) == n and low <= min(counts) and max(counts) <= low + width
                    assert sum(value * count for value, count in counts.items()) == total
                    assert sum(value**2 * count for value, count in counts.items()) == squares


def test_thousand_random_cases_agree_with_enumeration():
    random = np.random.default_rng(7)
    verdicts = []
    for _ in range(1000):
        n, low, width, items, ddof = (int(random.integers(*ends)) for ends in ((2, 8), (-1, 2), (2, 5), (1, 3), (0, 2)))
        scores = random.integers(low * items, (low + width) * items + 1, size=n) / items
        decimals = int(random.integers(1, 4))
        mean, sd = (str(round_to(value + random.choice([0, 0, 0.01, 0.07]), decimals)) for value in (scores.mean(), scores.std(ddof=ddof)))
        mean_ends, sd_ends = (parse(text).interval()._replace(lo_closed=True, hi_closed=True) for text in (mean, sd))  # a tie is printed either way
        exists = any(
            _between(Fraction(n * squares - total * total, n * (n - ddof) * items * items), sd_ends)
            for total in range(low * items * n, (low + width) * items * n + 1)
            if mean_ends.contains(Fraction(total, n * items))
            for squares in squares_of(n, low * items, (low + width) * items)[total]
        )
        finding = integers.check(n=n, mean=mean, sd=sd, low=low, high=low + width, items=items, ddof=ddof)
        assert finding.verdict == ("possible" if exists else "contradictory"), (n, mean, sd, low, low + width, items, ddof)
        verdicts.append(finding.verdict)
    assert 200 < verdicts.count("possible") < 800


def _between(variance, sd_ends):
    lower, upper, lower_closed, upper_closed = sd_ends
    low = Fraction(max(lower, 0)) ** 2
    return (variance > low or (variance == low and (lower_closed or lower < 0))) and (variance < Fraction(upper) ** 2 or (upper_closed and variance == Fraction(upper) ** 2))


@pytest.mark.parametrize(
    ("printed", "conflict", "words"),
    [
        ({"n": 20, "mean": "3.43"}, ("n", "mean"), "no whole number"),
        ({"n": 20, "mean": "6.20"}, ("mean",), "contradictory"),
        ({"n": 20, "mean": "4.50", "sd": "1.98"}, ("n", "mean", "sd"), "sum of squares lies from"),
        ({"n": 20, "sd": "2.30"}, ("n", "sd"), "sum of squares lies from"),
        ({"n": 1, "mean": "3.00", "sd": "0.00"}, ("n", "sd"), "no SD"),
        ({"n": 2, "sd": "1.00"}, ("n", "sd"), "sum of squares"),
    ],
)
def test_contradiction_names_numbers_and_reason(printed, conflict, words):
    finding = integers.check(**printed, low=1, high=5)
    assert finding.verdict == "contradictory" and finding.conflict == conflict
    assert words in finding.proof or words == finding.verdict


def test_gap_between_parity_and_bounds_is_proved():
    # Two scores on 0 to 4 with a sum of 4: squares of 8, 10 and 16 exist; 12 and 14 have the parity and lie between
    assert [squares for squares in range(20) if integers.counts(Target(2, 4, squares, 0, 4))] == [8, 10, 16]
    finding = integers.check(n=2, mean="2.00", sd="2.00", low=0, high=4)
    assert finding.verdict == "contradictory" and "all were tried" in finding.proof


def test_items_widen_what_a_mean_can_be():
    assert integers.check(n=20, mean="3.43", low=1, high=5).verdict == "contradictory"
    finding = integers.check(n=20, mean="3.43", sd="1.01", low=1, high=5, items=4)
    scores = np.repeat(list(finding.witness["counts"]), list(finding.witness["counts"].values()))
    assert finding.verdict == "possible" and set(scores * 4 % 1) == {0} and parse("1.01").contains(scores.std(ddof=1))


def test_spent_budget_is_said_and_proves_nothing():
    with pytest.raises(integers.Undecided):
        integers.counts(Target(100, 1000, 12000, 0, 27), [3])


@pytest.mark.parametrize(("printed", "message"), [({"low": 5, "high": 1}, "from 5 to 1"), ({"items": 0}, "0 items"), ({"ddof": 2}, "ddof 2"), ({"n": "2.5"}, "n '2.5'"), ({"n": "<20"}, "n '<20'")])
def test_wrong_input_is_named(printed, message):
    with pytest.raises(ValueError, match=message):
        integers.check(**({"n": 20, "low": 1, "high": 5, "mean": "3.40"} | printed))
