"""Where the draws of outcomes start from: each cell's people, and its mean, SD or shares, as the study file gives or prints them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

from asprinted import printed
from asprinted.study.entries import SEPARATOR, Claim, Study, StudyError
from asprinted.study.parts import fault

Cell = tuple[str, int | None]  # an arm and, of a table of visits, a time

_QUARTILES = 2 * NormalDist().inv_cdf(0.75)  # SDs between the quartiles of a normal distribution


def columns_of_entry(entry: Mapping[str, Any]) -> list[str]:
    """The columns that an outcome fills: its own and, of a time, that of events."""
    return [entry["column"], *([entry["event"]] if "event" in entry else [])]


class Cut(NamedTuple):
    """What makes a yes/no of a score: `column` is yes from the score `at` on (upwards), or up to it. visit: of a score at visits, the one that is cut; of: the column of whose value `at` is a share."""

    column: str
    at: float
    upwards: bool
    visit: int | None
    of: str | None


def cuts(entry: Mapping[str, Any]) -> list[Cut]:
    """Each `cut` of a score's entry."""
    held = {column: cut if isinstance(cut, dict) else {"from": cut} for column, cut in entry.get("cut", {}).items()}
    return [Cut(column, cut["from"] if "from" in cut else cut["to"], "from" in cut, cut.get("at"), cut.get("of")) for column, cut in held.items()]


def table_of(study: Study, column: str) -> str | None:
    """The table of the design's people or visits in which an outcome's column stands; None where it is in neither."""
    return next((name for name in tables_of_people(study) if column in study.tables[name]["columns"]), None)


def tables_of_people(study: Study) -> list[str]:
    """The names of the tables in which outcomes stand: that of people and, where there is one, that of visits."""
    return [study.design[part]["table"] for part in ("people", "visits") if part in study.design]


def made_by_people(study: Study) -> list[str]:
    """The columns of people that stand before any outcome is made, one as often as it is made."""
    people = study.design["people"]
    made = [*study.tables[people["table"]]["key"], *(people[name]["column"] for name in ("arms", "sites", "clusters", "groups") if name in people)]
    for part in people.get("covariates", []):
        made += part["columns"] if part["kind"] == "flags" else [part["column"]]
    for part, fields in (("events", ("column",)), ("durations", ("time", "event"))):
        made += [study.design[part][field] for field in fields if part in study.design]
    return made


def sizes(study: Study) -> dict[str, int]:
    """arm: how many people are in it."""
    return {arm: int(study.number(amount)) for arm, amount in study.design["people"]["arms"]["sizes"].items()}


def cells(study: Study, entry: Mapping[str, Any]) -> dict[Cell, int]:
    """(arm, time): how many people have a value of the outcome there, as the study file says; time is None in the table of people."""
    visits = study.design.get("visits", {})
    if table_of(study, entry["column"]) == visits.get("table", ""):
        seen = visits.get("seen", {})
        return {(arm, time): int(study.number(seen[arm][place])) if arm in seen else size for arm, size in sizes(study).items() for place, time in enumerate(visits["times"])}
    return {(arm, None): int(study.number(entry["seen"][arm])) if arm in entry.get("seen", {}) else size for arm, size in sizes(study).items()}


def starts(study: Study, entry: Mapping[str, Any], field: str) -> dict[Cell, float]:
    """What a draw of the outcome starts from in each of its cells: mean, sd or share.

    Taken from the outcome's own field; else from what is printed of the cell; else of its arm, of its visit, or of all; where none of these is to be
    printed again, from what the source prints of them. Raises StudyError where there is none of these.
    """
    found = {}
    for (arm, time), people in cells(study, entry).items():
        id = _named(entry.get(field), arm, time)
        value = _meant(study, id, field, people) if id else _printed(study, study.claims, entry, field, arm, time)
        if value is None and study.followed:
            value = _printed(study, study.claims | study.followed, entry, field, arm, time)
        if value is None and not people:  # nobody there: any number will do
            continue
        if value is None:
            at = f"the arm {arm!r}" + ("" if time is None else f" at {study.design['visits']['column']} {time}")
            where = SEPARATOR.join(("design", "outcomes", entry["column"]))
            raise StudyError(study.file, where, field, f"Nothing says what the {field} of {entry['column']!r} is in {at}: print a claim of it, or give {field!r} an assumption.")
        found[arm, time] = value
    return {cell: found.get(cell, next(iter(found.values()), 0.0)) for cell in cells(study, entry)}


def _named(held: Any, arm: str, time: int | None) -> str | None:
    """The id that a start value holds for a cell: one for all, or {arm: id}, {time: id}, {time: {arm: id}}."""
    if isinstance(held, dict):
        held = held.get(arm, held.get(str(time)))
    return held.get(arm) if isinstance(held, dict) else held


def shares_of_cells(study: Study, entry: Mapping[str, Any]) -> dict[Cell, dict[str, float]]:
    """(arm, time): the share of each category that a draw of the outcome starts from. Raises StudyError where a cell has none."""
    found = {}
    for arm, time in cells(study, entry):
        id = _named(entry.get("shares"), arm, time)
        if id is None:
            raise fault(study, f"Nothing says how the arm {arm!r} is divided: give it an assumption with a share for each value.", "outcomes", entry["column"], "shares")
        found[arm, time] = study.shares(id)
    return found


def _meant(study: Study, id: str, field: str, people: int) -> float:
    """The number that an id means as a start: a share may be printed in per cent, or as a count of the people."""
    value = study.number(id)
    claim = study.followed.get(id) or study.claims.get(id)
    statistic = (claim.by or {}).get("statistic", "") if claim else ""
    if field == "share" and statistic.startswith("percent"):
        return value / 100
    if field == "share" and statistic in ("sum", "count"):
        return value / max(people, 1)
    return value


def _printed(study: Study, claims: Mapping[str, Claim], entry: Mapping[str, Any], field: str, arm: str, time: int | None) -> float | None:
    """What `claims` print of a cell as mean, sd or share; of its arm or visit, or of all, where nothing is printed of the cell itself."""
    arm_column = study.design["people"]["arms"]["column"]
    visit = study.design["visits"]["column"] if time is not None else ""
    for wanted in ({arm_column: arm, visit: time}, {arm_column: arm}, {visit: time}, {}):
        filter = {column: value for column, value in wanted.items() if column}
        said = {}
        for claim in claims.values():
            by = claim.by or {}
            if "table" in by and by.get("column") in (entry["column"], entry.get("event")) and claim.kind == "number" and "rule" not in by and _plain(by.get("filter", {})) == filter:
                said[by["statistic"]] = float(printed.parse(claim.printed, claim.rounding).value)
        people = sum(count for (other, at), count in cells(study, entry).items() if filter.get(arm_column, other) == other and (not visit or filter.get(visit, at) == at))
        value = _as_start(field, said, people)
        if value is not None:
            return value
    return None


def _plain(filter: Mapping[str, Any]) -> dict[str, Any]:
    return {column: value[0] if isinstance(value, list) and len(value) == 1 else value for column, value in filter.items()}


def _as_start(field: str, said: Mapping[str, float], people: int) -> float | None:
    """A mean, SD or share from what is printed of the same people, by name of the statistic."""
    n = max(people, 2)
    limits = said["hi"] - said["lo"] if {"lo", "hi"} <= said.keys() else None
    quartiles = said.get("iqr", said["q3"] - said["q1"] if {"q1", "q3"} <= said.keys() else None)
    if field == "mean":
        middle = (said["lo"] + said["hi"]) / 2 if limits is not None else None
        total = said["sum"] / max(people, 1) if "sum" in said else None
        return next((value for value in (said.get("mean"), total, middle, said.get("median")) if value is not None), None)
    if field == "sd":
        spread = said["se"] * math.sqrt(n) if "se" in said else None
        wide = limits / 2 / NormalDist().inv_cdf(0.975) * math.sqrt(n) if limits is not None else None
        between = quartiles / _QUARTILES if quartiles is not None else None
        return next((value for value in (said.get("sd"), spread, wide, between) if value is not None), None)
    if "percent" in said or "mean" in said:
        return said["percent"] / 100 if "percent" in said else said["mean"]
    return said["sum"] / max(people, 1) if "sum" in said else None
