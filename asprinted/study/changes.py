"""Scores that are changes of another score of the same people, which the study file says (`change`): between which ends each may lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from asprinted.study.entries import Study, columns_of
from asprinted.study.starts import table_of

WAYS = ("fall", "rise")  # the start less the end, and the end less the start


@dataclass(frozen=True)
class Change:
    """`column` is how far people's `start` falls or rises (`way`) to its end; low, high: the scale of the start, which is that of the end too."""

    column: str
    start: str
    way: str
    table: str
    low: float
    high: float

    @property
    def field(self) -> str:
        """The field that says it in the column's entry of design › outcomes."""
        return f"change: {{{self.start}: {self.way}}}"

    def bounds(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest change (n,) that keep the end on the scale, for each start (n,); without limit where the start is missing."""
        least, most = (self.low - start, self.high - start) if self.way == "rise" else (start - self.high, start - self.low)
        there = np.isfinite(start)
        return np.where(there, least, -math.inf), np.where(there, most, math.inf)


def changes(study: Study) -> list[Change]:
    """Every change that design › outcomes names, in their order."""
    return [_change(study, entry["column"], start, way) for entry in study.design.get("outcomes", []) for start, way in entry.get("change", {}).items()]


def likely(study: Study) -> list[tuple[Change, Change]]:
    """As a fall and as a rise, each score that may be a change, though nothing says so: it follows another score, and its scale goes just as far down and up as that one is wide."""
    found = []
    scores = {entry["column"] for entry in study.design.get("outcomes", []) if entry["kind"] == "score"}
    for entry in study.design.get("outcomes", []):
        for start in entry.get("follows", {}) if entry["kind"] == "score" and "change" not in entry else ():
            spec, of_start = (columns_of(study, table_of(study, entry["column"])).get(column, {}) for column in (entry["column"], start))
            if start in scores and {"minimum", "maximum"} <= spec.keys() & of_start.keys():
                wide = of_start["maximum"] - of_start["minimum"]
                if (spec["minimum"], spec["maximum"]) == (-wide, wide):
                    found.append(tuple(_change(study, entry["column"], start, way) for way in WAYS))
    return found


def _change(study: Study, column: str, start: str, way: str) -> Change:
    table = table_of(study, column)
    spec = columns_of(study, table)[start]
    return Change(column, start, way, table, spec.get("minimum", -math.inf), spec.get("maximum", math.inf))
