"""Visits and outcomes of a design: what they name is there, columns fit their kinds, and every draw has somewhere to start from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Faults, Study, StudyError, whole, within
from asprinted.study.fitting import check_fitting
from asprinted.study.parts import divided, fault, typed
from asprinted.study.starts import Cut, cells, columns_of_entry, cuts, made_by_people, shares_of_cells, sizes, starts, table_of, tables_of_people

_EVERY = ("column", "kind", "seen", "follows", "health", "icc", "r")
FIELDS = {  # kind → the fields that it takes besides
    "score": ("mean", "sd", "skewness", "cut", "change"),
    "yes-no": ("share",),
    "count": ("mean", "spread", "exposure"),
    "ordinal": ("shares",),
    "category": ("shares",),
    "time": ("share", "event", "follow_up", "shape"),
}
_TYPES = {"score": ("integer", "number"), "yes-no": ("integer",), "count": ("integer",), "ordinal": ("integer",), "category": ("string",), "time": ("integer", "number")}
_STARTS = {"score": ("mean", "sd"), "yes-no": ("share",), "count": ("mean",), "time": ("share",)}  # kind → what each cell must have
_LIMITS = {"mean": (-math.inf, math.inf), "sd": (0.0, math.inf), "share": (0.0, 1.0)}


def check_visits(study: Study, visits: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where the table of visits is not one, or who is seen at them is not possible."""
    need(visits["table"], study.tables, "design", "visits", "table")
    table, people = study.tables[visits["table"]], study.design["people"]["table"]
    need(visits["column"], table["columns"], "design", "visits", "column")
    key = [*study.tables[people]["key"], visits["column"]]
    if table["key"] != key or table.get("parent") != people:
        raise fault(study, f"A row of it is one person at one visit: give it the parent {people!r} and the key {key}.", "visits", "table")
    typed(study, table["columns"], visits["column"], ("integer",), "visits", "column")
    for time in visits["times"]:
        need(time, table["columns"][visits["column"]].get("values", [time]), "design", "visits", "times")
    if visits["times"] != sorted(visits["times"]):
        raise StudyError(study.file, SEPARATOR.join(("design", "visits", "times")), visits["times"], "Give the visits in the order of time.")
    for arm, amounts in visits.get("seen", {}).items():
        need(arm, sizes(study), "design", "visits", "seen")
        if len(amounts) != len(visits["times"]):
            raise fault(study, f"Give {len(visits['times'])} amounts, one for each visit.", "visits", "seen", arm)
        for place, amount in enumerate(amounts):
            whole(study, amount, "design", "visits", "seen", arm, str(place), high=sizes(study)[arm])
    for arm in sizes(study) if "seen" in visits else ():
        need(arm, visits["seen"], "design", "visits", "seen")


def check_outcomes(study: Study, outcomes: list[dict[str, Any]], need: Callable[..., None]) -> None:
    """Raise StudyError where an outcome names what is not there or not made yet, its column does not fit its kind, or nothing says where it starts."""
    before = dict.fromkeys(made_by_people(study), study.design["people"]["table"])
    found = Faults()
    for place, entry in enumerate(outcomes):
        with found.noted():
            _check_outcome(study, entry, place, before, need)
        if (table := table_of(study, entry["column"])) is not None:
            before |= dict.fromkeys(columns_of_entry(entry), table)
    found.told()
    check_fitting(study)
    if "visits" in study.design:
        columns = study.tables[study.design["visits"]["table"]]
        for column in columns["columns"]:
            made = [each for entry in outcomes for each in columns_of_entry(entry)].count(column)
            if column in columns["key"]:
                continue
            if made != 1:
                remedy = "It is made more than once: leave one." if made else "Nothing makes it: add an outcome, or take the column out."
                raise StudyError(study.file, SEPARATOR.join(("design", "outcomes")), column, remedy)


def _check_outcome(study: Study, entry: dict[str, Any], place: int, before: Mapping[str, str], need: Callable[..., None]) -> None:
    """Raise StudyError where an outcome names what is not there or not `before` it, its column does not fit its kind, or nothing says where it starts."""
    where, table = ("outcomes", entry["column"]), table_of(study, entry["column"])
    if table is None:
        known = [column for name in tables_of_people(study) for column in study.tables[name]["columns"]]
        need(entry["column"], known, "design", "outcomes", str(place), "column")
    columns = study.tables[table]["columns"]
    for field in entry:
        if field not in (*_EVERY, *FIELDS[entry["kind"]]):
            takers = " and ".join(kind for kind, fields in FIELDS.items() if field in fields)
            raise StudyError(study.file, SEPARATOR.join(("design", *where, field)), entry[field], f"The kind {entry['kind']!r} does not take it, only {takers}: take it out.")
    _check_column(study, entry, columns, need, *where)
    _check_ties(study, entry, table, before, need, *where)
    _check_starts(study, entry, columns, need, *where)


def _check_column(study: Study, entry: dict[str, Any], columns: Mapping[str, Any], need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where an outcome's column cannot hold what its kind makes."""
    column = columns[entry["column"]]
    typed(study, columns, entry["column"], _TYPES[entry["kind"]], *where)
    if entry["kind"] == "score" and column["type"] == "integer" and not column.get("minimum", math.inf) < column.get("maximum", -math.inf):
        raise fault(study, f"A score in whole numbers has two bounds: give the column {entry['column']!r} a minimum and a larger maximum.", *where)
    if entry["kind"] == "yes-no" and ({0, 1} - set(column.get("values", (0, 1))) or column.get("minimum", 0) > 0 or column.get("maximum", 1) < 1):
        raise fault(study, f"Yes is 1 and no is 0: let the column {entry['column']!r} hold both.", *where)
    if entry["kind"] == "count" and column.get("minimum", 0) > 0:
        raise StudyError(study.file, SEPARATOR.join(("design", *where)), column["minimum"], f"Counts begin at 0: let the column {entry['column']!r} hold it.")
    if entry["kind"] in ("ordinal", "category") and len(column.get("values", ())) < 2:
        raise fault(study, f"Its values must be listed: give the column {entry['column']!r} 'values', two or more.", *where)
    if entry["kind"] == "time":
        for field in ("event", "follow_up"):
            if field not in entry:
                raise fault(study, f"The field {field!r} is missing: add it.", *where)
        need(entry["event"], columns, "design", *where, "event")
        typed(study, columns, entry["event"], ("integer",), *where, "event")
        least, most = (within(study, amount, 0, column.get("maximum", math.inf), "design", *where, "follow_up", str(end)) for end, amount in enumerate(entry["follow_up"]))
        if not 0 < most or least > most:
            raise fault(study, f"The shortest follow-up comes first and the longest is above 0, not {least:g} and {most:g}.", *where, "follow_up")
    if "exposure" in entry:
        need(entry["exposure"], columns, "design", *where, "exposure")
        typed(study, columns, entry["exposure"], ("integer", "number"), *where, "exposure")


def _check_ties(study: Study, entry: dict[str, Any], table: str, before: Mapping[str, str], need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where an outcome is seen in people who are not there, or tied to what is not made before it."""
    at_visits = "visits" in study.design and table == study.design["visits"]["table"]
    if at_visits and "seen" in entry:
        raise fault(study, "Who is seen at a visit is said of all its columns: give it in design › visits › seen.", *where, "seen")
    for arm, amount in entry.get("seen", {}).items():
        need(arm, sizes(study), "design", *where, "seen")
        whole(study, amount, "design", *where, "seen", arm, high=sizes(study)[arm])
    usable = {column: home for column, home in before.items() if home == table or at_visits}
    for column, id in entry.get("follows", {}).items():
        if column not in usable:
            if column not in {each for other in study.design["outcomes"] if table_of(study, other["column"]) for each in columns_of_entry(other)}:
                need(column, usable, "design", *where, "follows")
            raise StudyError(study.file, SEPARATOR.join(("design", *where, "follows")), column, "It is made later, or at visits: name a column made before, or change the order.")
        if study.tables[usable[column]]["columns"][column]["type"] == "string":
            raise StudyError(study.file, SEPARATOR.join(("design", *where, "follows")), column, "It holds text, with which nothing correlates: name a column of numbers.")
        within(study, id, -1, 1, "design", *where, "follows", column)
    for column in entry.get("change", {}):
        need(column, usable, "design", *where, "change")
        start = study.tables[usable[column]]["columns"][column]
        if start["type"] == "string" or not start.get("minimum", math.inf) < start.get("maximum", -math.inf):
            raise StudyError(study.file, SEPARATOR.join(("design", *where, "change")), column, "Its scale says where the end may lie: give that column a minimum and a larger maximum, or take 'change' out.")
    for cut in cuts(entry):
        _check_cut(study, entry, table, cut, usable, need, *where, "cut")
    if "exposure" in entry and entry["exposure"] not in usable:
        raise StudyError(study.file, SEPARATOR.join(("design", *where, "exposure")), entry["exposure"], "It is not made before: make it a covariate or an earlier outcome.")
    for field, ends in (("health", (-1, 1)), ("icc", (0, 1)), ("r", (-1, 1)), ("skewness", (-3, 3)), ("spread", (0, 3)), ("shape", (1e-6, math.inf))):
        if field in entry:
            within(study, entry[field], *ends, "design", *where, field)
    if "icc" in entry and not {"clusters", "groups"} & set(study.design["people"]):
        raise fault(study, "It is of clusters or programme groups: add one of them to people, or take it out.", *where, "icc")
    if "r" in entry and not at_visits:
        raise fault(study, "It is a correlation of visits: give 'follows' for a column measured before, or take it out.", *where, "r")


def _check_cut(
    study: Study, entry: dict[str, Any], table: str, cut: Cut, usable: Mapping[str, str], need: Callable[..., None], *where: str
) -> None:
    """Raise StudyError where a yes/no column is not made before, or the score leaves nobody a yes or a no."""
    column, at, upwards, visit, of = cut
    kinds = {each["column"]: each["kind"] for each in study.design["outcomes"]}
    yes_no = [each for each in usable if kinds.get(each) == "yes-no"]
    if column in kinds and column not in usable:
        raise StudyError(study.file, SEPARATOR.join(("design", *where)), column, "It is made later, or at visits: list the yes/no before the score, and give it a column of people, or of visits where the score is.")
    need(column, usable, "design", *where, like=yes_no)
    typed(study, study.tables[usable[column]]["columns"], column, ("integer",), *where)
    visits = study.design.get("visits", {})
    if table == visits.get("table") and visit is None and usable[column] != table:
        raise StudyError(study.file, SEPARATOR.join(("design", *where)), column, f"It is one answer a person, and the score has several visits: say which, such as {{{column}: {{from: {at:g}, at: {visits['times'][-1]}}}}}.")
    if visit is not None:
        if table != visits.get("table"):
            raise fault(study, "The score is no column of visits: take it out.", *where, column, "at")
        need(visit, visits["times"], "design", *where, column, "at")
    if of is not None:
        need(of, [each for each in usable if study.tables[usable[each]]["columns"][each]["type"] != "string"], "design", *where, column, "of")
        if not 0 < at:
            raise StudyError(study.file, SEPARATOR.join(("design", *where, column)), at, f"With 'of' it is a share of {of}: give one above 0, such as 0.5 for a score halved.")
        return
    scale = study.tables[table]["columns"][entry["column"]]
    low, high = scale.get("minimum", -math.inf), scale.get("maximum", math.inf)
    if not (low < at <= high if upwards else low <= at < high):
        raise StudyError(study.file, SEPARATOR.join(("design", *where, column)), at, f"The scale goes from {low:g} to {high:g}: give a score that leaves room for a yes and a no.")


def _check_starts(study: Study, entry: dict[str, Any], columns: Mapping[str, Any], need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where a start is named for no arm or visit, is missing, or is no such number."""
    known = {str(part) for cell in cells(study, entry) for part in cell if part is not None}
    for field in ("mean", "sd", "share", "shares"):
        for name, held in entry[field].items() if isinstance(entry.get(field), dict) else ():
            need(name, known, "design", *where, field)
            for inner in held if isinstance(held, dict) else ():
                need(inner, sizes(study), "design", *where, field, name)
    for field in _STARTS.get(entry["kind"], ()):
        for (arm, time), value in starts(study, entry, field).items():
            low, high = _LIMITS[field]
            if field == "mean":
                low, high = columns[entry["column"]].get("minimum", 0 if entry["kind"] == "count" else low), columns[entry["column"]].get("maximum", high)
            if not low <= value <= high:
                raise StudyError(study.file, SEPARATOR.join(("design", *where, field)), value, f"It must lie between {low:g} and {high:g} ({arm!r}{'' if time is None else f' at {time}'}).")
    if entry["kind"] in ("ordinal", "category"):
        for id in dict.fromkeys(_ids(entry.get("shares"))):
            divided(study, {"shares": id, "column": entry["column"]}, columns[entry["column"]], need, *where)
            for name in study.shares(id):
                need(name, [str(value) for value in columns[entry["column"]]["values"]], "assumptions", id, "value")
        shares_of_cells(study, entry)


def _ids(held: Any) -> Iterator[str]:
    for each in held.values() if isinstance(held, dict) else [held] if held else []:
        yield from _ids(each) if isinstance(each, dict) else [each]


def check_clusters(study: Study, clusters: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where the people of an arm cannot be divided into its clusters, each with a person or more."""
    where = ("people", "clusters")
    if "sites" in study.design["people"]:
        raise fault(study, "Whole clusters are randomised, so people have no sites besides: leave one of the two.", *where)
    for arm, size in sizes(study).items():
        need(arm, clusters["number"], "design", *where, "number")
        whole(study, clusters["number"][arm], "design", *where, "number", arm, low=1, high=size)
    for arm in clusters["number"]:
        need(arm, sizes(study), "design", *where, "number")
    if "spread" in clusters:
        within(study, clusters["spread"], 0, 2, "design", *where, "spread")

