"""Counts, percentages and 2×2 tables: the tables that print everything, and the proof that there are none."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import tables
from asprinted.printed import parse, percent_of, round_to

PRINTED = dict(estimate=".66", lo=".43", hi=".99", p=".0438")


def prints_everything(finding):
    return all(parse(finding.printed[name]).contains(finding.witness[name]) for name in finding.printed if name in finding.witness)


# Percentages


@pytest.mark.parametrize(
    ("printed", "verdict", "conflict"),
    [
        ({"percent": "29%", "count": 64, "n": 218}, "possible", ()),
        ({"percent": "38%", "count": 83, "n": 216}, "possible", ()),
        ({"percent": "37%", "count": 83, "n": 216}, "contradictory", ("percent", "count", "n")),
        ({"percent": "33.5%", "n": 17}, "contradictory", ("percent", "n")),
        ({"percent": "33.5%", "count": 4}, "contradictory", ("percent", "count")),
        ({"percent": "33.5%"}, "possible", ()),
        ({"percent": "101%"}, "contradictory", ("percent",)),
        ({"percent": "0%", "count": 3}, "possible", ()),
        ({"percent": "0.0%", "count": 1, "n": "1,000"}, "contradictory", ("percent", "count", "n")),
        ({"count": 5, "n": 4}, "contradictory", ("count", "n")),
    ],
)
def test_percentage_of_a_count(printed, verdict, conflict):
    finding = tables.percent_of_count(**printed)
    assert (finding.verdict, finding.conflict) == (verdict, conflict)
    assert verdict != "possible" or prints_everything(finding)


@settings(max_examples=60)
@given(st.integers(0, 100), st.integers(1, 40), st.integers(1, 40))
def test_unknown_n_is_searched_as_far_as_it_can_matter(percent, least, width):
    finding = tables.percent_of_count(f"{percent}%", n=(least, least + width))
    exists = any(parse(f"{percent}%").contains(percent_of(count, n)) for n in range(least, least + width + 1) for count in range(n + 1))
    assert finding.verdict == ("possible" if exists else "contradictory")


def test_count_and_percentage_bound_the_n():
    for count in range(1, 14):
        for percent in ("12.3%", "47%", "9.99%"):
            exists = any(parse(percent).contains(percent_of(count, n)) for n in range(count, 12 * count))
            assert tables.percent_of_count(percent, count).verdict == ("possible" if exists else "contradictory")


def test_percentages_share_one_n():
    finding = tables.shares({"readers": "41%", "writers": "29%"}, n=(15, 18))
    assert finding.verdict == "possible" and finding.witness["n"] == 17
    finding = tables.shares({"readers": "41%", "writers": "30%"}, n=(15, 18))
    assert finding.verdict == "contradictory" and finding.conflict == ("writers percent",)  # neither 15 nor 18 has a 30%
    finding = tables.shares({"readers": "41.2%", "writers": "33.3%"}, n=(15, 18))
    assert finding.conflict == ("readers percent", "writers percent") and not finding.witness
    assert tables.shares({"readers": "41.2%"}, {"readers": "7"}, n=17).verdict == "possible"


# 2×2 tables


def test_crude_table_cannot_print_an_adjusted_odds_ratio():
    finding = tables.two_by_two((64, 83), (218, 216), **PRINTED)
    assert finding.verdict == "contradictory" and "p 0.0464" in finding.proof
    finding = tables.two_by_two((64, 83), (218, 220), estimate=".66")
    assert finding.verdict == "contradictory" and "OR 0.68596" in finding.proof
    assert set(finding.conflict) == {"events 1", "total 1", "events 2", "total 2", "estimate"}


@pytest.mark.parametrize(
    ("events", "totals", "measure", "printed"),
    [
        ((64, 83), (218, 216), "OR", {"estimate": "0.67", "lo": "0.446", "hi": "0.994", "p": ".046"}),
        ((64, 83), (218, 220), "OR", {"estimate": "0.686", "lo": "0.460", "hi": "1.022", "p": ".064"}),
        ((64, 83), (218, 216), "RR", {"estimate": "0.764", "lo": "0.585", "hi": "0.997"}),
        ((64, 83), (218, 216), "RD", {"estimate": "−9.1%", "lo": "−17.9%", "hi": "−0.2%"}),
        ((64, 83), (218, 216), "RD", {"estimate": "−0.091", "lo": "−0.179", "hi": "−0.002"}),
        ((64, 83), (218, 216), "NNT", {"estimate": "11", "lo": "5.6"}),
    ],
)
def test_measures_print(events, totals, measure, printed):
    finding = tables.two_by_two(events, totals, measure=measure, **printed)
    assert finding.verdict == "possible" and prints_everything(finding)


@settings(max_examples=150)
@given(st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60)))
def test_p_values_are_those_of_scipy(cells):
    a, b, c, d = cells
    square = np.array([[a, b], [c, d]])
    assert tables._pearson(a, b, c, d) == pytest.approx(stats.chi2_contingency(square, correction=False).pvalue, rel=1e-9)
    assert tables._yates(a, b, c, d) == pytest.approx(stats.chi2_contingency(square).pvalue, rel=1e-9)
    assert tables._likelihood_ratio(a, b, c, d) == pytest.approx(stats.chi2_contingency(square, correction=False, lambda_="log-likelihood").pvalue, rel=1e-7, abs=1e-12)
    assert float(tables._fisher(a, b, c, d)) == pytest.approx(stats.fisher_exact(square).pvalue, rel=1e-9)
    se = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    values = tables._values(tables.Table(a, a + b, c, c + d), "OR", "wald", stats.norm.ppf(0.975), {"p": parse(".05")})
    assert values["p"] == pytest.approx(2 * stats.norm.sf(abs(math.log(a * d / (b * c))) / se), rel=1e-9)
    assert values["hi"] == pytest.approx(a * d / (b * c) * math.exp(1.959963984540054 * se), rel=1e-9)


@pytest.mark.parametrize(("test", "p"), [("wald", ".0464"), ("pearson", ".0460"), ("yates", ".0582"), ("likelihood-ratio", ".0457"), ("fisher", ".0539")])
def test_each_test_prints_its_own_p(test, p):
    assert tables.two_by_two((64, 83), (218, 216), p=p, test=test).verdict == "possible"
    others = [other for other in tables.TESTS if other != test]
    assert all(tables.two_by_two((64, 83), (218, 216), p=p, test=other).verdict == "contradictory" for other in others)


def test_percentages_stand_for_the_counts_that_print_them():
    finding = tables.two_by_two(percents=("29%", "38%"), totals=(218, 220), estimate="0.66", p=".040")
    assert finding.verdict == "possible" and (finding.witness["events 1"], finding.witness["events 2"]) == (63, 84)
    assert tables.two_by_two(percents=("29%", "38%"), totals=(218, 220), **PRINTED).verdict == "contradictory"


@settings(max_examples=60)
@given(st.integers(2, 14), st.integers(2, 14), st.sampled_from(["OR", "RR", "RD"]), st.integers(1, 300), st.data())
def test_verdict_agrees_with_trying_every_table(n, m, measure, hundredths, data):
    a, c = data.draw(st.integers(1, n - 1)), data.draw(st.integers(1, m - 1))
    true = {"OR": a * (m - c) / ((n - a) * c), "RR": a * m / (c * n), "RD": a / n - c / m}[measure]
    text = str(round_to(data.draw(st.sampled_from([true, hundredths / 100])), 2))
    ranges = (0, n - 1), (max(1, c - 2), c)
    finding = tables.two_by_two(ranges, (n, m), measure=measure, estimate=text)
    effect = {"OR": lambda a, c: Fraction(a * (m - c), (n - a) * c), "RR": lambda a, c: Fraction(a * m, c * n), "RD": lambda a, c: Fraction(a, n) - Fraction(c, m)}[measure]
    exists = any(parse(text).contains(effect(a, c)) for a in range(n) for c in range(ranges[1][0], ranges[1][1] + 1))
    assert finding.verdict == ("possible" if exists else "contradictory")


def test_numbers_that_no_wald_test_prints_need_no_counts():
    finding = tables.two_by_two((64, 83), (218, 216), hi=".99", p=".06")
    assert finding.verdict == "contradictory" and finding.conflict == ("hi", "p")


def test_empty_cell_decides_nothing_about_intervals():
    assert tables.two_by_two((0, 5), (20, 20), lo="0.01", hi="1.80").verdict == "undecided"
    assert tables.two_by_two((0, 5), (20, 20), p=".047", test="fisher").verdict == "possible"
    assert tables.two_by_two((1, 5), (None, 20), estimate="0.16").verdict == "undecided"


def test_event_in_everybody_decides_nothing_about_the_interval_of_a_risk_ratio():
    assert tables.two_by_two((20, 20), (20, 20), measure="RR", estimate="1.00", lo="0.90", p=".50").verdict == "undecided"
    assert tables.two_by_two(((19, 20), 20), (20, 20), measure="RR", estimate="1.00", lo="0.90", p=".50").verdict == "undecided"


def test_subset_is_refuted_exactly_where_the_verdict_on_it_is_contradictory():
    numbers = {name: parse(text) for name, text in {"events 1": "64", "total 1": "218", "events 2": "83", "total 2": "216", **PRINTED}.items()}
    comparison = tables.Comparison()
    subsets = [dict(subset) for size in range(1, 9) for subset in combinations(numbers.items(), size)]
    contradictory = [subset for subset in subsets if comparison.decide(subset).verdict == "contradictory"]
    assert len(contradictory) > 20 and [subset for subset in subsets if comparison.impossible(subset)] == contradictory


def test_wide_ranges_are_left_undecided():
    assert tables.two_by_two(((0, 500), (0, 500)), (500, 500), p=".0438").verdict == "undecided"


@pytest.mark.parametrize(("options", "message"), [({"measure": "HR"}, "measure 'HR'"), ({"test": "barnard"}, "test 'barnard'"), ({"level": 2}, "level 2 ")])
def test_wrong_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        tables.two_by_two((64, 83), (218, 216), **options)


@pytest.mark.parametrize("test", ["pearson", "pearson-or-yates"])
def test_conflict_that_only_a_thousand_tables_and_more_prove_is_named(test):
    found = tables.two_by_two(totals=("5000", "5000"), percents=("12%", "15%"), chi2="1.2", p=".27", test=test)
    assert found.verdict == "contradictory" and len(found.conflicts) == 2
    for names in found.conflicts:  # each proved, and the smallest: without any one of its numbers nothing is
        gone = set(found.printed) - set(names)
        assert found.without(gone).verdict == "contradictory"
        assert not any(found.without({*gone, name}).verdict == "contradictory" for name in names)
    assert not any(found.without(names).verdict == "contradictory" for names in found.releases) and found.releases


def test_a_percentage_of_nobody_contradicts_nothing():
    assert tables.percent_of_count("0%", count="0", n="0").verdict == "undecided"
    assert tables.two_by_two(("0", "5"), ("0", "20"), ("0%", "25%"), chi2="0.00", test="pearson").verdict == "undecided"
    assert tables.two_by_two(("0", "5"), ("0", "20"), ("0%", "26%")).conflict == ("total 2", "percent 2")
    found = tables.percent_of_count("0%", count="3", n="0")
    assert (found.conflict, found.proof) == (("count", "n"), "Out of 0, the count is 0, which does not print as 3.")
    assert tables.percent_of_count(count="0", n="0").verdict == "possible"


def test_a_total_that_nothing_else_is_printed_of_is_named_where_it_cannot_be():
    assert tables.two_by_two((None, "5"), ("-3", "20")).proof == "No whole number of -3 people is what is given."
