"""The key of a numeric answer holds each number of the chapter's text with the interval that it stands for."""

from __future__ import annotations

import pytest

from asprinted.printed import parse
from book import quiz_keys
from book.errors import BookError


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (".046", [".046"]), ("1,703", ["1,703"]), ("12,477,001", ["12,477,001"]), ("2.7 points", ["2.7"]), ("<.001", ["<.001"]), ("p < .001", ["< .001"]),
        ("−0.21", ["−0.21"]), ("29%", ["29%"]), ("0.02 to 2.58", ["0.02", "2.58"]), ("0.02–2.58", ["0.02", "2.58"]), ("-1.5 to -0.3", ["-1.5", "-0.3"]), ("7.", ["7"]),
    ],
)  # fmt: skip
def test_numbers_of_a_text_are_found_with_relation_sign_and_mark(text, numbers):
    assert quiz_keys.numbers(text) == numbers
    assert [entry["text"] for entry in quiz_keys.key(text)] == numbers


@pytest.mark.parametrize("text", ["none", "", "1 of 2 of 3"])
def test_text_that_is_no_number_or_interval_is_refused_with_a_remedy(text):
    with pytest.raises(BookError, match="a numeric answer is one number, or the two ends of an interval"):
        quiz_keys.key(text)


@pytest.mark.parametrize("text", [".046", "−0.30", "29%", "<.001", "1,703", "7"])
def test_ends_are_those_of_the_printed_number(text):
    (entry,), ends = quiz_keys.key(text), parse(text).interval()
    assert [entry["lo"], entry["hi"]] == ["" if end is None else str(end) for end in (ends.lo, ends.hi)]
    assert (entry["loIn"], entry["hiIn"]) == (ends.lo_closed, ends.hi_closed)
    assert "E" not in entry["value"] and entry["decimals"] == parse(text).decimals


def test_small_numbers_are_written_without_powers_of_ten():
    assert quiz_keys.key("0.00000004")[0]["hi"] == "0.000000045"


@pytest.mark.parametrize(("text", "unit"), [("2.7 points", "points"), ("2.7", ""), ("1 to 2 days", ""), ("29%", ""), ("3 of 41", "")])
def test_unit_is_the_words_after_a_lone_number(text, unit):
    assert quiz_keys.unit(text) == unit
