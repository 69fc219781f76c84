"""Enclosures hold the true value, and are narrow."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import outward

positive = st.decimals(min_value="1e-6", max_value="1e6", places=6).filter(bool)


def holds(bounds: outward.Enclosure, value: float, relative: float = 1e-12) -> bool:
    """True where a float, itself off by a few units of its last digit, lies in or beside the enclosure, which is narrow."""
    low, high = map(float, bounds)
    return low <= high and low <= value + abs(value) * relative and high >= value - abs(value) * relative and high - low <= abs(value) * relative + 1e-300


@given(positive)
def test_log_exp_and_root_are_enclosed(x):
    assert holds(outward.log((x, x)), math.log(x)) or abs(math.log(x)) < 1e-9
    assert holds(outward.sqrt((x, x)), math.sqrt(x))
    low, high = outward.exp(outward.log((x, x)))
    assert low <= x <= high and high - low < x * Decimal("1e-35")


@given(positive, positive)
def test_products_and_quotients_enclose_the_exact_value(x, y):
    product, ratio = outward.multiply((-x, x), (y, y)), outward.divide((x, x), (-y, -y))
    assert Fraction(product[0]) <= -Fraction(x) * Fraction(y) < Fraction(x) * Fraction(y) <= Fraction(product[1])
    assert Fraction(ratio[0]) <= -Fraction(x) / Fraction(y) <= Fraction(ratio[1])
    third = outward.exact(Fraction(1, 3))
    assert Fraction(third[0]) < Fraction(1, 3) < Fraction(third[1])


def test_division_by_what_may_be_zero_is_refused():
    with pytest.raises(ZeroDivisionError, match="may be zero"):
        outward.divide((Decimal(1), Decimal(1)), (Decimal(-1), Decimal(1)))


@pytest.mark.parametrize("z", ["0", "0.000001", "0.3", "1", "1.959963984540054", "2.5", "4", "6", "7.9"])
def test_normal_tail_is_enclosed(z):
    assert holds(outward.normal_tail(Decimal(z)), stats.norm.sf(float(z)))


def test_normal_tail_is_known_to_many_digits():
    # Abramowitz and Stegun, table 26.1: P(1) = .84134 47460 68543, P(2) = .97724 98680 51821
    for z, p in ((1, "0.841344746068543"), (2, "0.977249868051821")):
        low, high = outward.normal_tail(Decimal(z))
        assert high - low < Decimal("1e-35") and abs(1 - low - Decimal(p)) < Decimal("1e-15")


def test_far_tails_keep_a_bound():
    low, high = outward.normal_tail(Decimal(30))
    assert low == 0 and high < Decimal("1e-15")
    assert outward.normal_quantile(Decimal("1e-40")) == (outward.FARTHEST, Decimal("Infinity"))


@given(st.decimals(min_value="1e-14", max_value="0.5", places=15).filter(lambda p: p >= Decimal("1e-14")))
def test_quantile_brackets_the_tail_that_it_is_asked_for(p):
    low, high = outward.normal_quantile(p)
    assert outward.normal_tail(low)[0] >= p >= outward.normal_tail(high)[1]
    assert high - low < Decimal("1e-9")


@pytest.mark.parametrize("tail", ["0", "-0.1", "0.6"])
def test_tail_without_a_quantile_is_named(tail):
    with pytest.raises(ValueError, match=f"tail probability {tail} "):
        outward.normal_quantile(Decimal(tail))


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 8, 9, 48, 49, 300, 301])
@pytest.mark.parametrize("share", ["0.01", "0.5", "1", "1.4"])
def test_chi_squared_tail_is_enclosed(df, share):
    x = Decimal(df) * Decimal(share)
    low, high = outward.chi2_tail(x, df)
    assert low <= high and high - low < Decimal("1e-13")
    assert float(low) == pytest.approx(stats.chi2.sf(float(x), df), rel=1e-10, abs=1e-13)


def test_chi_squared_without_a_tail_is_named():
    assert outward.chi2_tail(Decimal(0), 3) == (1, 1)
    for x, df in ((-1, 2), (1, 0)):
        with pytest.raises(ValueError, match="has no tail"):
            outward.chi2_tail(Decimal(x), df)
