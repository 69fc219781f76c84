"""Correlations that a study file assumes of a score with a column made before it (`follows`): which of them nothing holds, and the entries that would.

Only where a claim or an assumption with bounds is about it does a correlation bind the records; else it is where the draw starts from, and a
printed number that needs the room takes it. How near it should come is what chance alone gives so many people (Fisher's z).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import NormalDist
from typing import Any

from asprinted.study.entries import Assumption, Study, wanted_of
from asprinted.study.starts import cells, table_of

LEVEL = 0.95  # of the samples of so many people, those that lie as near to what is assumed
ROOM = Decimal("0.1")  # on either side of the value, in the bounds that are proposed


@dataclass(frozen=True)
class Together:
    """One correlation that is assumed: of `column` with `other`, in one arm and, of a table of visits, at one time.

    id, value: of the assumption, and its number. people: who have a value of the column there. rows: the filter of these people.
    """

    column: str
    other: str
    table: str
    arm: str
    time: int | None
    rows: Mapping[str, Any]
    id: str
    value: float
    people: int

    @property
    def near(self) -> tuple[float, float]:
        """Between which values the correlation of so many people lies by chance alone, in LEVEL of all samples."""
        if self.people < 4:
            return -1.0, 1.0
        half = NormalDist().inv_cdf(0.5 + LEVEL / 2) / math.sqrt(self.people - 3)
        z = math.atanh(min(max(self.value, -1 + 1e-9), 1 - 1e-9))
        return math.tanh(z - half), math.tanh(z + half)

    @property
    def where(self) -> str:
        """The people, in words: "arm at 6"."""
        return self.arm if self.time is None else f"{self.arm} at {self.time}"

    @property
    def names(self) -> tuple[str, str]:
        """What a model of it and an assumption with bounds are called."""
        part = slug(self.arm) + ("" if self.time is None else f"_{self.time}")
        return f"{self.column}_with_{self.other}_{part}", f"{self.column}.{part}.r_{self.other}"

    @property
    def model(self) -> dict[str, Any]:
        """The entry of study.yml's models by which it is computed."""
        return {"family": "correlation", "test": "pearson", "says": f"Correlation of {self.column} with {self.other}, {self.where}", "table": self.table, "rows": dict(self.rows), "formula": f"{{outcome}} ~ {self.other}"}

    @property
    def by(self) -> dict[str, Any]:
        """How it is computed once `model` stands in the study file."""
        return {"model": self.names[0], "outcome": self.column, "statistic": "est"}


def assumed(study: Study) -> list[Together]:
    """Every correlation that `follows` gives of a score, in each arm and at each visit, in the order of design › outcomes; those that a claim prints are none."""
    found, arms, visits = [], study.design.get("people", {}).get("arms", {}), study.design.get("visits", {})
    for entry in study.design.get("outcomes", []):
        for other, id in entry.get("follows", {}).items() if entry["kind"] == "score" else ():
            for (arm, time), people in cells(study, entry).items() if id in study.assumptions else ():
                rows = {arms["column"]: arm} | ({} if time is None else {visits["column"]: time})
                found.append(Together(entry["column"], other, table_of(study, entry["column"]), arm, time, rows, id, study.number(id), people))
    return found


def loose(study: Study) -> list[Together]:
    """Those of `assumed` that neither a claim nor an assumption with bounds holds in their arm."""
    held = set()
    for entry in (*study.claims.values(), *study.assumptions.values()):
        by, binds = entry.by or {}, entry.bounds if isinstance(entry, Assumption) else entry.kind != "context" and entry.expect in ("reproduced", "holds")
        spec = study.models.get(by.get("model", ""), {})
        if binds and spec.get("family") == "correlation" and by["statistic"] == "est" and isinstance(by["outcome"], str):
            held.add((frozenset((by["outcome"], spec["formula"].partition("~")[2].strip())), wanted_of(spec.get("rows", {}))))
    return [each for each in assumed(study) if (frozenset((each.column, each.other)), wanted_of(each.rows)) not in held]


def held_near(study: Study, several: list[Together]) -> Study:
    """The study in which each of these is an assumption with bounds: those of `near`."""
    models = study.models | {each.names[0]: each.model for each in several}
    bounds = {each.names[1]: Assumption(each.names[1], each.model["says"], "", str(each.value), tuple(map(repr, each.near)), by=each.by) for each in several}
    return replace(study, models=models, assumptions=study.assumptions | bounds)


def lines(each: Together) -> tuple[str, str]:
    """The line below `models` and the line below `assumptions` of study.yml that bound it, ready to be put there."""
    model, id = each.names
    value = Decimal(str(each.value))
    bounds = [str(min(max(value + way * ROOM, Decimal(-1)), Decimal(1))) for way in (-1, 1)]
    spec = ", ".join(f"{field}: {_flow(held)}" for field, held in each.model.items())
    by = ", ".join(f"{field}: {held}" for field, held in each.by.items())
    says, reason = _flow(each.model["says"]), _flow("As it is assumed of all; bounded so that it holds in each arm.")
    return f"  {model}: {{{spec}}}", f"  {id}: {{value: {_flow(str(each.value))}, bounds: {_flow(bounds)}, mark: A, says: {says}, reason: {reason}, by: {{{by}}}}}"


def slug(name: str) -> str:
    """A name as it stands in ids: lower case, digits and underscores."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"arm_{plain}".rstrip("_")


def _flow(held: Any) -> str:
    """A value as YAML holds it within braces."""
    if isinstance(held, dict):
        return "{" + ", ".join(f"{name}: {_flow(value)}" for name, value in held.items()) + "}"
    return json.dumps(held, ensure_ascii=False)
