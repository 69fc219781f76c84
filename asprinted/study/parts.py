"""What the checks of a design's parts have in common: the error at a part, a column's type, and shares that divide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError


def fault(study: Study, remedy: str, *where: str) -> StudyError:
    """The error that is to be raised at that part of the design."""
    return StudyError(study.file, SEPARATOR.join(("design", *where)), None, remedy)


def typed(study: Study, columns: Mapping[str, Any], column: str, types: tuple[str, ...], *where: str) -> None:
    """Raise StudyError where the column is of none of the types."""
    if columns[column]["type"] not in types:
        raise fault(study, f"The column {column!r} must be of the type {' or '.join(types)}.", *where)


def shares_of(study: Study, entry: Mapping[str, Any], need: Callable[..., None], *where: str) -> dict[str, float]:
    """The shares that the entry names. Raises StudyError where there are none, or one is no share."""
    id = entry["shares"]
    need(id, study.assumptions, "design", *where, "shares")
    shares = study.shares(id)
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise StudyError(study.file, SEPARATOR.join(("assumptions", id, "value", name)), share, "A share lies between 0 and 1.")
    return shares


def divided(study: Study, entry: Mapping[str, Any], column: Mapping[str, Any], need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where the entry's shares do not divide people over the values of one column."""
    shares, place = shares_of(study, entry, need, *where), SEPARATOR.join(("assumptions", entry["shares"], "value"))
    if abs(sum(shares.values()) - 1) > len(shares) / 200:  # whole percentages, each rounded by half of one at most
        raise StudyError(study.file, place, round(sum(shares.values()), 6), "The shares must add up to 1.")
    for name in shares if column["type"] == "integer" else ():
        if not name.removeprefix("-").isdecimal():
            raise StudyError(study.file, place, name, f"The column {entry['column']!r} holds whole numbers: name each share by one.")
