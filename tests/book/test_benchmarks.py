"""The benchmarks' page says what was measured, misses too; results are kept by benchmark; and the judges of the benchmarks judge rightly."""

from __future__ import annotations

import importlib
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from asprinted.synthesis import integers
from benchmarks import histograms, regression, report, scale, scores
from benchmarks.report import Row, Table
from book import bench, benchmarks_page, build, headings, toc

ROOT = Path(__file__).resolve().parents[2]
ON = {"python": "3.0.0", "machine": "a machine", "packages": {"numpy": "0.0"}}


def results(*rows: tuple[list[str], bool | None], part: str = "proofs", on: dict = ON) -> dict:
    return {part: {"about": "What *is* measured, with `code_of_it`.", "columns": ["what", "target"], "benchmarks": {bench.PARTS[part][0]: {"on": on, "rows": [{"cells": cells, "reached": reached} for cells, reached in rows]}}}}


# The names


def test_every_benchmark_stands_in_the_part_that_measures_it():
    for part, names in bench.PARTS.items():
        assert tuple(importlib.import_module(f"benchmarks.{part}").MEASURES) == names
    assert len(set(bench.NAMES)) == len(bench.NAMES)
    assert benchmarks_page.TITLES.keys() == bench.PARTS.keys()


def test_every_benchmark_stands_in_the_readme():
    text = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", text, re.M) == list(bench.NAMES)


# The page


def test_targets_are_counted_and_a_miss_is_shown():
    page = benchmarks_page.page(results((["fast", "≤ 1 s"], True), (["slow", "≤ 1 s"], False), (["told", "–"], None)))
    assert "1 of 2 targets reached." in page
    assert "| fast | reached | ≤ 1 s |" in page and "| slow | **missed** | ≤ 1 s |" in page and "| told | – | – |" in page


def test_signs_in_what_was_measured_are_no_markup():
    page = benchmarks_page.page(results((["a|b, k^2 <c> {d}", "*e*"], True)))
    assert r"| a\|b, k\^2 \<c\> \{d\} | reached | \*e\* |" in page
    assert r"What \*is\* measured, with `code_of_it`." in page


def test_parts_are_linked_and_machines_are_told_apart():
    page = benchmarks_page.page(results((["a", "b"], True)) | results((["c", "d"], True), part="scale", on=ON | {"machine": "another"}))
    there = {slug for _, slug in headings.of_text(page, set())}
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= there
    assert f"| a machine; Python 3.0.0, numpy 0.0 | `{bench.PARTS['proofs'][0]}` |" in page and "| another; Python 3.0.0, numpy 0.0 |" in page


def test_without_results_the_page_says_so(tmp_path):
    assert benchmarks_page.render(tmp_path, {}) == benchmarks_page.NONE


def test_words_of_the_page_hold_no_digit():
    assert not re.search(r"\d", benchmarks_page.WORDS + benchmarks_page.NONE + "".join(benchmarks_page.TITLES.values()))


def test_other_results_make_another_site(tmp_path):
    before = build.site_fingerprint(tmp_path)
    (tmp_path / bench.RESULTS).parent.mkdir()
    (tmp_path / bench.RESULTS).write_text("{}", "utf-8")
    assert build.site_fingerprint(tmp_path) != before


# What is kept


def test_committed_results_are_of_benchmarks_that_there_are_and_name_no_place_of_the_machine():
    assert "chapters/benchmarks" in toc.entries(ROOT)
    text = (ROOT / bench.RESULTS).read_text("utf-8")
    kept = json.loads(text)
    assert list(kept) == [part for part in bench.PARTS if part in kept]
    for part, entry in kept.items():
        assert set(entry["benchmarks"]) <= set(bench.PARTS[part])
        for benchmark in entry["benchmarks"].values():
            assert benchmark["on"].keys() == {"python", "machine", "packages"} and benchmark["rows"]
            assert all(len(row["cells"]) == len(entry["columns"]) for row in benchmark["rows"])
    assert not re.search(r"/(?:home|tmp|root|Users|work)/|20\d\d-\d\d-\d\d", text)


def test_measuring_one_benchmark_keeps_the_others(tmp_path):
    first, second = bench.PARTS["pools"]
    report.keep(tmp_path, "pools", Table("About.", ("a", "b"), {first: (Row(("1", "2"), True),), second: (Row(("3", "4"), False),)}))
    report.keep(tmp_path, "pools", Table("About.", ("a", "b"), {second: (Row(("5", "6"), True),)}))
    entry = json.loads((tmp_path / bench.RESULTS).read_text("utf-8"))["pools"]
    assert {name: [row["cells"] for row in each["rows"]] for name, each in entry["benchmarks"].items()} == {first: [["1", "2"]], second: [["5", "6"]]}
    report.keep(tmp_path, "pools", Table("About.", ("another", "table"), {second: (Row(("7", "8")),)}))
    assert list(json.loads((tmp_path / bench.RESULTS).read_text("utf-8"))["pools"]["benchmarks"]) == [second], "rows of other columns would be misread"


# The judges


@pytest.mark.parametrize("wanted", [scores.Print(6, 1, 5, "2.5", "1.4"), scores.Print(9, 0, 4, "1.9", "1.2"), scores.Print(7, 1, 3, "2.0", "0.8")])
def test_enumeration_finds_every_set_of_scores_and_no_other(wanted):
    found = {tuple(counts) for several in histograms.printing(*wanted).values() for counts in several.tolist()}
    ends = [histograms._ends(text) for text in wanted[3:]]
    there = set()
    for each in itertools.combinations_with_replacement(range(wanted.low, wanted.high + 1), wanted.n):
        if all(float(low) - 1e-12 <= value <= float(high) + 1e-12 for value, (low, high) in zip((np.mean(each), np.std(each, ddof=1)), ends, strict=True)):
            there.add(tuple(np.bincount(np.array(each) - wanted.low, minlength=wanted.high - wanted.low + 1).tolist()))
    assert found == there and there


def test_there_are_as_many_sets_of_scores_as_others_have_counted():
    assert sum(map(len, histograms.printing(100, 1, 5, "3.0", "1.0").values())) == 24_907
    assert sum(map(len, histograms.printing(65, 1, 5, "2.00", "1.45").values())) == 30


def test_walk_visits_only_what_exists():
    wanted = scores.Print(65, 1, 5, "2.00", "1.45")
    ((sums, there),) = histograms.printing(*wanted).items()
    assert 1 < scores.walked(wanted, sums, len(there), 20) <= len(there)
    assert integers.count_vector(wanted.n, wanted.low, wanted.high, *sums).tolist() in there.tolist()


def test_random_prints_are_of_both_sorts():
    exist = [any(histograms.sums_that_print(*each)) for each in scores.randomly(np.random.default_rng(1), 60)]
    assert 10 < sum(exist) < 50


def test_trial_of_the_ladder_is_made_and_prints_the_same(tmp_path):
    found = scale.once(120)
    assert found["made"] > 0 and found["peak"] > 0 and re.fullmatch("[0-9a-f]{64}", found["bytes"])


def test_regression_prints_eighteen_numbers():
    assert len(regression.printed_file(0)["claims"]) == regression.NUMBERS == 18


def test_power_is_that_of_growth():
    assert scale.power({10: 5.0, 100: 50.0, 1_000: 500.0}) == pytest.approx(1)
    assert scale.power({10: 1.0, 100: 100.0}) == pytest.approx(2)
