"""A correlation, its pairs, its interval and its p value: what one sample prints is never refuted, what none can print is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import correlations


def printed(seed: int, n: int, decimals: int, level: float = 0.95) -> dict[str, str]:
    """What scipy gives of a sample, as a paper prints it."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    found = stats.pearsonr(a, rng.uniform(-1, 1) * a + rng.normal(size=n))
    ends = found.confidence_interval(level)
    values = {"r": found.statistic, "lo": ends.low, "hi": ends.high, "p": found.pvalue}
    return {"n": str(n)} | {name: f"{value:.{decimals}f}" for name, value in values.items()}


@given(st.integers(0, 10_000), st.integers(4, 700), st.integers(1, 4), st.sets(st.sampled_from(correlations.NAMES), min_size=2), st.sampled_from([0.9, 0.95]))
def test_what_a_sample_prints_is_never_called_contradictory(seed, n, decimals, names, level):
    texts = printed(seed, n, decimals, level)
    assert correlations.check(**{name: texts[name] for name in names}, level=level).verdict != "contradictory"


@pytest.mark.parametrize("seed", range(5))
def test_plain_correlations_are_found_possible(seed):
    texts = printed(seed, 60, 2)
    found = correlations.check(**texts)
    assert found.verdict == "possible" and found.witness["n"] == 60
    assert math.tanh(math.atanh(found.witness["r"]) + 1.959964 / math.sqrt(57)) == pytest.approx(found.witness["hi"], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "conflict"),
    [({"p": ".20"}, ("n", "r", "p")), ({"hi": ".70"}, ("r", "lo", "hi")), ({"n": "400"}, ("n", "r", "p")), ({"r": "1.2"}, ("r",)), ({"lo": ".20", "hi": ".40", "p": ".04"}, ("lo", "hi", "p"))],
)  # fmt: skip
def test_numbers_that_no_sample_prints_are_refuted(change, conflict):
    plain = {"n": "80", "r": ".30", "lo": ".09", "hi": ".49", "p": ".007"}
    assert correlations.check(**plain).verdict == "possible"
    found = correlations.check(**(plain | change))
    assert found.verdict == "contradictory" and conflict in found.conflicts


def test_interval_says_how_many_pairs_there_are():
    assert correlations.check(r=".30", lo=".09", hi=".49").witness["n"] in range(70, 92)
    assert correlations.check(r=".300", lo=".086", hi=".487", n="200").verdict == "contradictory"


def test_what_is_no_count_and_no_level_is_refused():
    with pytest.raises(ValueError, match="n '4.5' is no number of people"):
        correlations.check(r=".3", n="4.5")
    with pytest.raises(ValueError, match="level 95 is no probability"):
        correlations.check(r=".3", n="40", level=95)
