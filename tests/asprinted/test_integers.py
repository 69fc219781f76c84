"""Counts of whole-number scores: exactly what exists is found, walks keep both sums, and the cost does not grow with people."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asprinted.printed import agrees
from asprinted.synthesis import integers


def sums_of(counts: np.ndarray, low: int = 0) -> tuple[int, int, int]:
    """People, sum and sum of squares."""
    values = np.arange(low, low + len(counts))
    return int(counts.sum()), int(values @ counts), int(values**2 @ counts)


def shapes(n: int, size: int):
    """Every count vector of n people on `size` values."""
    for bars in itertools.combinations(range(n + size - 1), size - 1):
        ends = (-1, *bars, n + size - 1)
        yield tuple(right - left - 1 for left, right in itertools.pairwise(ends))


# One count vector


@pytest.mark.parametrize(("low", "high", "most"), [(0, 0, 4), (3, 4, 8), (-1, 1, 8), (1, 4, 8), (0, 4, 8), (-2, 3, 6), (1, 7, 5), (0, 7, 4)])
def test_count_vector_is_found_exactly_where_one_exists(low, high, most):
    for n in range(1, most + 1):
        there = {sums_of(np.array(shape), low)[1:] for shape in shapes(n, high - low + 1)}
        squares = max(low**2, high**2)
        for total in range(n * low - 1, n * high + 2):
            for square in range(-1, n * squares + 2):
                if (total, square) in there:
                    counts = integers.count_vector(n, low, high, total, square)
                    assert counts.min() >= 0 and sums_of(counts, low) == (n, total, square)
                else:
                    with pytest.raises(ValueError, match=f"no {n} whole numbers from {low} to {high}"):
                        integers.count_vector(n, low, high, total, square)


@settings(max_examples=200)
@given(st.integers(2, 90), st.integers(1, 3000), st.integers(-5, 5), st.integers(0, 2**32))
def test_count_vector_has_the_sums_of_any_scores(size, n, low, seed):
    rng = np.random.default_rng(seed)
    values = np.rint(rng.beta(*rng.uniform(0.05, 5, 2), n) * (size - 1)).astype(int)
    wanted = sums_of(np.bincount(values, minlength=size), low)
    counts = integers.count_vector(n, low, low + size - 1, *wanted[1:])
    assert counts.min() >= 0 and sums_of(counts, low) == wanted


def test_count_vector_is_smooth_and_has_one_peak():
    counts = integers.count_vector(20_000, 0, 27, 286_400, 4_644_186)
    rises = np.sign(np.diff(counts))
    assert (np.diff(rises) <= 0).all(), "more than one peak"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((10, 1, 5, 60, 300), "the sum lies between 10 and 50"),
        ((10, 1, 5, 30, 91), "both even or both odd"),
        ((10, 1, 5, 30, 88), "squares sum to 90 to 130"),
        ((2, 0, 10, 10, 98), "falls between two that the scale allows"),
        ((0, 1, 5, 0, 0), "at least one person"),
        ((3, 5, 1, 9, 27), "give the lowest value first"),
    ],
)
def test_reason_says_why_there_is_none(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        integers.count_vector(*arguments)


def test_exists_agrees_with_count_vector_and_the_range_of_squares_is_tight():
    n, low, high = 7, 1, 5
    reached = {}
    for shape in shapes(n, 5):
        _, total, squares = sums_of(np.array(shape), low)
        reached.setdefault(total, set()).add(squares)
    for total in range(n * low, n * high + 1):
        assert integers.range_of_squares(n, low, high, total) == (min(reached[total]), max(reached[total]))
        for squares in range(0, n * high**2 + 1):
            assert integers.exists(n, low, high, total, squares) == (squares in reached[total])


# Printed means and SDs


def printed_pair(counts: np.ndarray, low: int, decimals: int) -> tuple[str, str]:
    n, total, squares = sums_of(counts, low)
    return f"{total / n:.{decimals}f}", f"{math.sqrt(max(0.0, squares - total**2 / n) / (n - 1)):.{decimals}f}"


def prints(counts: np.ndarray, low: int, mean: str, sd: str) -> bool:
    n, total, squares = sums_of(counts, low)
    values = np.repeat(np.arange(low, low + len(counts)), counts)
    return n == len(values) and agrees(total / n, mean) and agrees(float(values.std(ddof=1)), sd) and squares == (values**2).sum()


@settings(max_examples=150)
@given(st.integers(2, 200), st.integers(2, 30), st.integers(1, 2), st.integers(0, 2**32))
def test_means_and_sds_of_real_scores_print_again(n, size, decimals, seed):
    rng = np.random.default_rng(seed)
    values = np.rint(rng.beta(*rng.uniform(0.2, 5, 2), n) * (size - 1)).astype(int)
    mean, sd = f"{values.mean():.{decimals}f}", f"{values.std(ddof=1):.{decimals}f}"
    if agrees(float(values.mean()), mean) and agrees(float(values.std(ddof=1)), sd):  # half-even formatting of a tie may differ
        assert prints(integers.printing(n, 0, size - 1, mean, sd), 0, mean, sd)


def test_nothing_is_called_impossible_that_some_scores_print():
    rng = np.random.default_rng(5)
    verdicts = Counter()
    for _ in range(400):
        n, high = int(rng.integers(2, 8)), int(rng.integers(2, 6))
        values = rng.integers(1, high, n, endpoint=True)
        mean, sd = f"{values.mean():.1f}", f"{values.std(ddof=1) + rng.choice((0, 0.1, -0.1, 0.3)):.{rng.integers(1, 3)}f}".lstrip("-")
        possible = any(prints(np.array(shape), 1, mean, sd) for shape in shapes(n, high))
        try:
            assert prints(integers.printing(n, 1, high, mean, sd), 1, mean, sd)
            verdicts["found"] += 1
            assert possible
        except ValueError:
            verdicts["refused"] += 1
            assert not possible, (n, high, mean, sd)
    assert min(verdicts.values()) > 10 and len(verdicts) == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((20, 1, 5, "2.20", "1.30"), "odd where the sum is even"),
        ((20, 1, 5, "2.22", "1.30"), "no sum lies in its interval"),
        ((20, 1, 5, "1.05", "2.00"), "smaller or larger than the scale allows"),
        ((3, 1, 5, "3.00", "0.50"), "no whole sum of squares"),
        ((1, 1, 5, "3.00", "0.00"), "at least two people"),
        ((20, 1, 5, "about 2", "1.30"), "cannot be read"),
    ],
)
def test_printed_pair_that_no_scores_have_is_refused_with_the_reason(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        integers.printing(*arguments)


def test_sums_are_taken_from_the_middle_of_what_prints():
    n, total, squares = sums_of(integers.printing(5000, 0, 27, "14.32", "5.21"))
    sd = math.sqrt((squares - total**2 / n) / (n - 1))
    assert abs(total / n - 14.32) < 0.001 and abs(sd - 5.21) < 0.001


# The walk


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 2000), st.sampled_from(["shapes", "people"]), st.integers(0, 2**32))
def test_walk_leaves_people_and_both_sums_alone(size, n, like, seed):
    rng = np.random.default_rng(seed)
    counts = np.bincount(rng.integers(size, size=n), minlength=size)
    walked = integers.shaken(counts, rng, 200, like=like)
    assert walked.min() >= 0 and sums_of(walked) == sums_of(counts)


def test_walk_moves_and_depends_on_its_generator_alone():
    counts = integers.printing(500, 0, 27, "14.32", "5.21")
    walks = [integers.shaken(counts, np.random.default_rng(seed), 300) for seed in (1, 1, 2)]
    assert (walks[0] == walks[1]).all() and (walks[0] != walks[2]).any() and (walks[0] != counts).any()
    drawn = integers.count_vector(500, 0, 27, *sums_of(counts)[1:], np.random.default_rng(3))
    assert sums_of(drawn) == sums_of(counts) and (drawn != integers.count_vector(500, 0, 27, *sums_of(counts)[1:])).any()


@pytest.mark.parametrize(("n", "size", "total", "squares"), [(16, 5, 32, 90), (20, 5, 40, 100), (9, 7, 27, 113)])
def test_walk_reaches_every_shape_and_favours_none(n, size, total, squares):
    every = {shape for shape in shapes(n, size) if sums_of(np.array(shape))[1:] == (total, squares)}
    rng = np.random.default_rng(11)
    counts = integers.count_vector(n, 0, size - 1, total, squares)
    visits = Counter()
    for _ in range(60 * len(every)):
        counts = integers.shaken(counts, rng, 25)
        visits[tuple(counts.tolist())] += 1
    assert set(visits) == every and len(every) > 5
    expected = sum(visits.values()) / len(every)
    chi = sum((visits[shape] - expected) ** 2 / expected for shape in every)
    assert chi < len(every) + 6 * math.sqrt(2 * len(every)), "some shapes are favoured"


def test_walk_like_people_visits_shapes_as_often_as_a_random_sample_has_them():
    n, size, total, squares = 16, 5, 32, 90
    weights = {shape: 1 / math.prod(math.factorial(count) for count in shape) for shape in shapes(n, size) if sums_of(np.array(shape))[1:] == (total, squares)}
    rng = np.random.default_rng(12)
    counts = integers.count_vector(n, 0, size - 1, total, squares)
    visits = Counter()
    for _ in range(3000):
        counts = integers.shaken(counts, rng, 30, like="people")
        visits[tuple(counts.tolist())] += 1
    mass = sum(weights.values())
    common = [(visits[shape], 3000 * weight / mass) for shape, weight in weights.items() if 3000 * weight / mass >= 5]
    assert sum((found - expected) ** 2 / expected for found, expected in common) < len(common) + 6 * math.sqrt(2 * len(common))


@pytest.mark.parametrize("skewness", [-0.4, 0.4])
def test_walk_goes_to_the_skewness_and_the_shares_at_the_ends_that_are_preferred(skewness):
    counts = integers.printing(500, 0, 27, "14.32", "5.21")
    rng = np.random.default_rng(4)
    walked = integers.shaken(counts, rng, 4000, skewness=skewness, floor=(0.0, 0.002), ceiling=(0.02, 0.05))
    deviation = np.arange(28) - 14.32
    assert float(deviation**3 @ walked) / 500 / 5.21**3 == pytest.approx(skewness, abs=0.05)
    assert walked[0] <= 1 and 10 <= walked[-1] <= 25
    assert sums_of(walked) == sums_of(counts)


def test_people_are_as_many_as_counted_and_in_random_order():
    counts = integers.printing(1000, 8, 32, "24.10", "4.20")
    values = integers.people(counts, 8, np.random.default_rng(1))
    assert (np.bincount(values - 8, minlength=25) == counts).all()
    assert abs(np.corrcoef(values, np.arange(1000))[0, 1]) < 0.15
    assert (values == integers.people(counts, 8, np.random.default_rng(1))).all()
