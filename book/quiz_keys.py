"""The key of a numeric answer: each number of its text with the interval of values that print so, as the page's script judges by it.

The text is the chapter's own (a claim that it checks or a text that it says), so the key changes when the number does.
Intervals are those of `asprinted.printed`; what a script does with them is tried against the same module in `book.site_quiz`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from book.errors import BookError

if TYPE_CHECKING:
    from asprinted.printed import Printed

NUMBER = re.compile(r"(?:<=|>=|[<>≤≥])?\s*(?<![\d.])[+−–-]?(?:\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d)|\d+)?(?:(?<=\d)\.\d+|(?<!\d)\.\d+|(?<=\d))%?")
MOST = 2  # numbers that one question asks for: an estimate, or the two ends of an interval


def key(text: str) -> list[dict]:
    """Return for each number in `text` its `text`, `relation`, `value`, ends `lo` and `hi` ("" where open), `loIn`, `hiIn`, `decimals`, `percent`.

    Decimals are texts, so that a script can compare them exactly. Raises BookError where there is no number, or more than two.
    """
    from asprinted.printed import parse  # a book without questions needs no library

    found = numbers(text)
    if not 1 <= len(found) <= MOST:
        raise BookError(f"{text!r} holds {len(found)} numbers: a numeric answer is one number, or the two ends of an interval; say a text that is")
    return [_entry(parse(each)) for each in found]


def numbers(text: str) -> list[str]:
    """Return the printed numbers in a text, each with its relation, sign and percent mark: ["0.02", "2.58"] of "0.02 to 2.58"."""
    return [found[0].strip() for found in NUMBER.finditer(text)]


def unit(text: str) -> str:
    """Return the words that follow the only number of a text: "points" of "2.7 points", else ""."""
    found = numbers(text)
    words = text.rpartition(found[-1])[2].strip() if len(found) == 1 else ""
    return words if re.fullmatch(r"[a-z][a-z ]*", words) else ""


def _entry(printed: Printed) -> dict:
    ends = printed.interval()
    return {
        "text": printed.text, "relation": printed.relation, "value": _plain(printed.value), "decimals": printed.decimals, "percent": printed.percent,
        "lo": _plain(ends.lo), "hi": _plain(ends.hi), "loIn": ends.lo_closed, "hiIn": ends.hi_closed,
    }  # fmt: skip


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
