"""Effect sizes: Hedges' g against statsmodels, its symmetries, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import effectsize_smd

from asprinted.models.effects import hedges_g

PEOPLE = st.integers(2, 5000)
MEAN = st.floats(-100, 100)
SD = st.floats(0.01, 50)
ARM = st.tuples(PEOPLE, MEAN, SD)


@given(ARM, ARM)
def test_g_and_its_variance_are_those_of_statsmodels(first, second):
    (n1, mean1, sd1), (n2, mean2, sd2) = first, second
    theirs = effectsize_smd(mean1, sd1, n1, mean2, sd2, n2)
    np.testing.assert_allclose(hedges_g(*first, *second), theirs, rtol=1e-13, atol=1e-15)


@given(ARM, ARM)
def test_exchanging_the_arms_turns_the_sign_alone(first, second):
    (g, v), (turned, same) = hedges_g(*first, *second), hedges_g(*second, *first)
    assert turned == pytest.approx(-g, rel=1e-13) and same == pytest.approx(v, rel=1e-13)


@given(ARM, ARM, st.floats(0.1, 10), st.floats(-50, 50))
def test_another_unit_and_origin_of_the_scale_change_nothing(first, second, unit, origin):
    there = [(n, origin + unit * mean, unit * sd) for n, mean, sd in (first, second)]
    np.testing.assert_allclose(hedges_g(*there[0], *there[1]), hedges_g(*first, *second), rtol=1e-9, atol=1e-9)


def test_a_standard_deviation_apart_is_almost_1_in_many_people():
    g, v = hedges_g(10_000, 11.0, 1.0, 10_000, 10.0, 1.0)
    assert g == pytest.approx(1 - 3 / (4 * 20_000 - 9), rel=1e-14)
    assert v == pytest.approx(2 / 10_000 + 1 / 40_000, rel=1e-3)


def test_columns_of_a_table_and_single_numbers_go_together():
    rows = pd.DataFrame({"n": [20, 30, 40], "mean": [1.0, 2.0, 3.0], "sd": [1.0, 2.0, 4.0]})
    g, v = hedges_g(rows["n"], rows["mean"], rows["sd"], 25, 1.5, 2.0)
    assert isinstance(g, np.ndarray) and g.shape == v.shape == (3,)
    assert [g[1], v[1]] == pytest.approx(hedges_g(30, 2.0, 2.0, 25, 1.5, 2.0), rel=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n1": [20, 1]}, "an arm has 1 people: give two or more"),
        ({"n2": [np.nan, 20]}, "an arm has nan people"),
        ({"sd1": [5.0, 0.0], "sd2": [5.0, 0.0]}, "standard deviation of 0: leave out rows"),
        ({"sd1": [np.nan, 5.0]}, "standard deviation of nan: leave out rows"),
    ],
)
def test_rows_without_an_effect_are_refused(change, message):
    arms = {"n1": [20, 20], "mean1": [1.0, 2.0], "sd1": [5.0, 5.0], "n2": [20, 20], "mean2": [1.0, 2.0], "sd2": [5.0, 5.0]}
    with pytest.raises(ValueError, match=message):
        hedges_g(**(arms | change))
