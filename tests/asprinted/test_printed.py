"""A printed number is read, held against computed values, and written again in the source's style."""

from __future__ import annotations

import ast
import decimal
import doctest
import re
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asprinted import printed
from asprinted.printed import Interval, agrees, canonical, counts_printing, declared_interval, in_style, parse, percent_of, round_to, rounding_interval

THIN, NARROW, NO_BREAK = "\u2009", "\u202f", "\u00a0"


# Reading


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (".046", "0.046"),
        ("0.60", "0.60"),
        ("<.0001", "<0.0001"),
        ("< 0.001", "<0.001"),
        ("≤.05", "<=0.05"),
        (">=.05", ">=0.05"),
        ("≥ 0.05", ">=0.05"),
        (">0", ">0"),
        ("−0.21", "-0.21"),
        ("–0.21", "-0.21"),
        ("-0.21", "-0.21"),
        ("−.21", "-0.21"),
        ("+0.21", "0.21"),
        ("−0.00", "-0.00"),
        ("0.00", "0.00"),
        ("12,477", "12477"),
        (f"12{THIN}477", "12477"),
        (f"12{NARROW}477", "12477"),
        (f"12{NO_BREAK}477", "12477"),
        ("12'477", "12477"),
        ("1,234,567.80", "1234567.80"),
        ("0\u00b760", "0.60"),
        ("29%", "29%"),
        ("68.4 %", "68.4%"),
        ("three", "3"),
        ("Twelve", "12"),
        ("p = .046", "0.046"),
        ("P<.0001", "<0.0001"),
        ("= 5", "5"),
        ("  2.7 ", "2.7"),
        ("007", "7"),
    ],
)
def test_text_is_read_as(text, plain):
    assert canonical(text) == plain


@pytest.mark.parametrize(("text", "decimals"), [("3", 0), ("0.60", 2), (".0470", 4), ("12,477", 0), ("29.0%", 1), ("three", 0)])
def test_trailing_zeros_count_as_decimals(text, decimals):
    assert parse(text).decimals == decimals


@pytest.mark.parametrize(
    "text",
    ["", "   ", "p", "<", "%", ".", "1.", ",477", "12,47", "12,4777", "1,23,456", "1.2.3", "1e5", "nan", "inf", "--1", "5 to 6", "0x1f", "p .05", "2.7 points", "thirteen"],
)  # fmt: skip
def test_unreadable_text_is_refused_with_the_text_and_an_example(text):
    with pytest.raises(ValueError, match="cannot be read: write it as the source does, for example") as caught:
        parse(text)
    assert f'printed number "{text}"' in str(caught.value)


@pytest.mark.parametrize("number", [0.6, 3, Decimal("0.60"), None, b".6"])
def test_number_in_place_of_text_is_refused_since_trailing_zeros_are_lost(number):
    with pytest.raises(TypeError, match="give it as a string.*so that trailing zeros survive"):
        parse(number)


def test_unknown_rounding_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="rounding 'up' is unknown: use one of half-up, half-even, truncate"):
        parse(".05", "up")


# The interval behind a text


@pytest.mark.parametrize(
    ("text", "rounding", "lo", "hi", "lo_closed", "hi_closed"),
    [
        (".046", "half-up", "0.0455", "0.0465", True, False),
        (".046", "half-even", "0.0455", "0.0465", True, True),
        (".047", "half-even", "0.0465", "0.0475", False, False),
        (".046", "truncate", "0.046", "0.047", True, False),
        ("−0.21", "half-up", "-0.215", "-0.205", False, True),
        ("−0.21", "half-even", "-0.215", "-0.205", False, False),
        ("−0.21", "truncate", "-0.22", "-0.21", False, True),
        ("0.00", "half-up", "-0.005", "0.005", False, False),
        ("0.00", "half-even", "-0.005", "0.005", True, True),
        ("0.00", "truncate", "-0.01", "0.01", False, False),
        ("−0.00", "half-up", "-0.005", "0", False, True),
        ("−0.00", "half-even", "-0.005", "0", True, True),
        ("−0.00", "truncate", "-0.01", "0", False, True),
        ("400", "half-up", "399.5", "400.5", True, False),
        ("29%", "half-up", "28.5", "29.5", True, False),
    ],
)
def test_interval_is(text, rounding, lo, hi, lo_closed, hi_closed):
    assert rounding_interval(text, rounding) == Interval(Decimal(lo), Decimal(hi), lo_closed, hi_closed)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("<.05", Interval(None, Decimal("0.05"), False, False)),
        ("≤.05", Interval(None, Decimal("0.05"), False, True)),
        (">.05", Interval(Decimal("0.05"), None, False, False)),
        ("≥.05", Interval(Decimal("0.05"), None, True, False)),
        ("> −0.2", Interval(Decimal("-0.2"), None, False, False)),
    ],
)
def test_inequality_is_open_to_infinity_on_one_side(text, interval):
    assert rounding_interval(text) == interval


@pytest.mark.parametrize(
    ("value", "text", "rounding", "same"),
    [
        # 0.125 is exact in binary: a tie
        (0.125, "0.13", "half-up", True),
        (0.125, "0.12", "half-up", False),
        (0.125, "0.12", "half-even", True),
        (0.125, "0.13", "half-even", False),
        (0.125, "0.12", "truncate", True),
        (-0.125, "−0.13", "half-up", True),
        (-0.125, "−0.12", "half-even", True),
        (-0.125, "−0.12", "truncate", True),
        # 0.375 is exact in binary too, and its even neighbour is above
        (0.375, "0.38", "half-even", True),
        (0.375, "0.37", "half-even", False),
        # 2.675 and 1.005 are below the tie in binary, and exactly on it as Decimal and Fraction
        (2.675, "2.67", "half-up", True),
        (2.675, "2.68", "half-up", False),
        (Decimal("2.675"), "2.68", "half-up", True),
        (Fraction(2675, 1000), "2.68", "half-up", True),
        (Decimal("2.675"), "2.68", "half-even", True),
        (Decimal("2.665"), "2.66", "half-even", True),
        (1.005, "1.00", "half-up", True),
        (Decimal("1.005"), "1.01", "half-up", True),
        (Fraction(1, 3), "0.333", "half-up", True),
        (0.05, "<.05", "half-up", False),  # the float is a little above .05
        (Decimal("0.05"), "<.05", "half-up", False),
        (Decimal("0.05"), "≤.05", "half-up", True),
        (-0.004, "0.00", "half-up", True),
        (-0.004, "−0.00", "half-up", True),
        (0.0, "−0.00", "half-up", True),
        (0.004, "−0.00", "half-up", False),
        (-0.005, "−0.00", "half-up", False),
        (2.9999, "2", "truncate", True),
        (np.float64(2.71), "2.7", "half-up", True),
        (np.int64(400), "400", "half-up", True),
    ],
)
def test_computed_value_agrees_or_not(value, text, rounding, same):
    assert agrees(value, text, rounding) is same


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), Decimal("nan"), Decimal("inf"), np.float64("nan")])
def test_value_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="is not a finite number"):
        agrees(value, ".05")


def test_text_in_place_of_a_computed_value_is_refused():
    with pytest.raises(TypeError, match="computed value '0.05' is text"):
        agrees("0.05", ".05")


# Writing in the source's style


@pytest.mark.parametrize(
    ("value", "like", "shown"),
    [
        (0.0457, ".046", ".046"),
        (0.0457, "0.046", "0.046"),
        (0.6, "0.70", "0.60"),
        (1.2, ".05", "1.20"),
        (-0.306, "−0.21", "−0.31"),
        (-0.304, "–0.21", "–0.30"),
        (-0.304, "-0.21", "-0.30"),
        (-0.304, "0.21", "−0.30"),
        (-0.3, "−.21", "−.30"),
        (0.3, "−.21", ".30"),
        (-0.001, "0.00", "0.00"),
        (-0.001, "−0.00", "−0.00"),
        (0, "−0.00", "−0.00"),
        (0.001, "−0.00", "0.00"),
        (12476.6, "12,477", "12,477"),
        (9999999, f"12{THIN}477", f"9{THIN}999{THIN}999"),
        (999, "12,477", "999"),
        (1234.5, "12,477.50", "1,234.50"),
        (0.601, "0\u00b760", "0\u00b760"),
        (29.4, "30%", "29%"),
        (3, "three", "3"),
        (0.00004, "<.0001", "<.0001"),
        (0.2, "<.0001", ".2000"),
        (0.2, ">.05", ">.05"),
    ],
)
def test_value_is_shown_as_the_source_would_print_it(value, like, shown):
    assert in_style(value, like) == shown


# Properties, over every style of printed number

marks = st.sampled_from([",", THIN, NARROW, NO_BREAK, "'"])
roundings = st.sampled_from(sorted(printed.ROUNDINGS))
floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
decimal_numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4)
values = st.one_of(floats, decimal_numbers, st.fractions(min_value=-1000, max_value=1000))


@st.composite
def source_texts(draw) -> str:
    """A number as a source prints it, with every mark that `render` promises to keep."""
    whole = draw(st.one_of(st.integers(0, 999), st.integers(0, 10**9)))
    decimals = draw(st.text("0123456789", max_size=6))
    text = str(whole)
    if whole > 999 and draw(st.booleans()):
        text = f"{whole:,}".replace(",", draw(marks))
    elif whole == 0 and decimals and draw(st.booleans()):
        text = ""
    if decimals:
        text += draw(st.sampled_from([".", "\u00b7"])) + decimals
    sign = draw(st.sampled_from(["", "", "−", "–", "-"]))
    return sign + text + draw(st.sampled_from(["", "", "%"]))


@st.composite
def near_ties(draw, text: str) -> Fraction:
    """A value at or very near an end of the interval of `text`, or within it."""
    interval = parse(text).interval()
    end = Fraction(draw(st.sampled_from([interval.lo, interval.hi])))
    return end + draw(st.sampled_from([0, 1, -1])) * Fraction(1, 10**30)


@given(source_texts())
def test_rendering_a_read_text_gives_the_text(text):
    number = parse(text)
    assert number.render(number.value) == text


@given(source_texts(), roundings, st.data())
def test_value_lies_in_the_interval_where_it_rounds_to_the_same_text(text, rounding, data):
    number = parse(text, rounding)
    value = data.draw(st.one_of(near_ties(text), values))
    rounded = round_to(value, number.decimals, rounding)
    same = rounded == number.value
    if number.value == 0 and number.negative:
        same = same and value <= 0
    assert number.contains(value) is same


@given(source_texts(), roundings, values)
def test_text_of_any_value_holds_that_value(text, rounding, value):
    shown = in_style(value, text, rounding)
    assert parse(shown, rounding).contains(value)
    assert parse(shown).decimals == parse(text).decimals


@given(source_texts())
def test_canonical_text_is_its_own_canonical_text(text):
    once = canonical(text)
    assert canonical(once) == once
    assert once.isascii()
    assert parse(once).interval() == parse(text).interval()


@given(st.one_of(floats, decimal_numbers), st.integers(0, 8))
@example(0.5, 0)
@example(-2.5, 0)
@example(5e-324, 8)
def test_rounding_equals_that_of_the_decimal_module(value, decimals):
    with decimal.localcontext() as context:
        context.prec = 1200  # enough for every binary float written out in full
        for name, mode in printed.ROUNDINGS.items():
            assert round_to(value, decimals, name) == Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=mode)


@pytest.mark.parametrize("value", [-0.001, -1e30, Fraction(-1, 10**40)])
def test_rounding_keeps_the_sign_and_every_digit(value):
    mirrored = round_to(-value, 2)
    assert round_to(value, 2).is_signed() and not mirrored.is_signed()
    assert round_to(value, 2).copy_abs().as_tuple() == mirrored.as_tuple()


def test_reading_does_not_depend_on_the_decimal_context():
    texts = ["12,477", "−0.123456", "0.62", "1,234,567.80", "−0.00"]
    usual = [(canonical(text), rounding_interval(text), in_style(-98765.4321, text)) for text in texts]
    with decimal.localcontext() as context:
        context.prec = 3
        assert [(canonical(text), rounding_interval(text), in_style(-98765.4321, text)) for text in texts] == usual


# Percentages of counts


@pytest.mark.parametrize("rounding", sorted(printed.ROUNDINGS))
@pytest.mark.parametrize("text", ["0%", "29%", "68.4%", "50.00%", "100%", "33"])
def test_counts_printing_are_those_found_by_trying_each(text, rounding):
    number = parse(text, rounding)
    for total in (1, 2, 7, 38, 160):
        tried = [
            count for count in range(total + 1)
            if round_to(Fraction(100 * count, total), number.decimals, rounding) == number.value
        ]  # fmt: skip
        assert list(counts_printing(text, total, rounding)) == tried


def test_one_count_alone_prints_a_percentage_of_few_people():
    assert list(counts_printing("68.4%", 38)) == [26]
    assert list(counts_printing("68.5%", 38)) == []


def test_percentage_of_a_count_is_exact():
    assert percent_of(1, 3) == Fraction(100, 3)
    assert agrees(percent_of(1, 8), "12.5%")


@pytest.mark.parametrize(("count", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_count_that_is_no_share_is_refused(count, total):
    with pytest.raises(ValueError, match=f"count {count} of {total} is not a share"):
        percent_of(count, total)


# What is declared


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [("20 to 30", "20", "30"), (" 20  to\t30 ", "20", "30"), ("0.5 to .75", "0.5", "0.75"), ("−2 to 2", "-2", "2"), ("5 to 5", "5", "5"), ("20% to 30%", "20", "30"), ("two to three", "2", "3"), ("900 to 1,000", "900", "1000")],
)  # fmt: skip
def test_declared_range_is_closed_and_reaches_from_end_to_end(text, lo, hi):
    assert declared_interval(text) == Interval(Decimal(lo), Decimal(hi), True, True)


@pytest.mark.parametrize("text", [">0", "<=12", "≥.05", ".046", "29%", "three", "−0.83"])
def test_declared_number_or_inequality_is_the_printed_one(text):
    assert declared_interval(text) == parse(text).interval()


@pytest.mark.parametrize("text", ["30 to 20", "1 to 2 to 3", "<5 to 10", "5 to >10", "2 to −2"])
def test_declared_range_that_is_none_is_refused_with_the_text_and_an_example(text):
    with pytest.raises(ValueError, match=re.escape(f'declared range "{text}" cannot be read: write the smaller number first, such as "20 to 30"')):
        declared_interval(text)


@pytest.mark.parametrize("text", ["low to 30", "20 to", "to 30", "20to30", "20-30", ""])
def test_declared_text_that_is_no_range_and_no_number_is_refused(text):
    with pytest.raises(ValueError, match="cannot be read"):
        declared_interval(text)


@given(st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2), st.decimals(-1100, 1100, places=3))
def test_range_holds_the_values_between_its_ends_and_no_others(one, other, value):
    low, high = sorted((one, other))
    assert declared_interval(f"{low} to {high}").contains(value) is (low <= value <= high)


# The module itself


def test_module_imports_the_standard_library_alone():
    tree = ast.parse(Path(printed.__file__).read_text("utf-8"))
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            roots.add(node.module.split(".")[0])
    assert roots and roots <= set(sys.stdlib_module_names)


def test_examples_in_the_module_give_what_they_say():
    result = doctest.testmod(printed)
    assert result.attempted > 0 and result.failed == 0
