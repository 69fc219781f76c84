"""Rows of another study's tables that stand in ours: read from its committed records, and cut to the columns that both have."""

from __future__ import annotations

import pandas as pd

from asprinted import records
from asprinted.study import SEPARATOR, Study, StudyError, load


def taken(study: Study) -> dict[str, pd.DataFrame]:
    """Of each of our tables the rows that another study's table gives it, in their order, with the columns that both have; {} where none is named.

    Raises StudyError where that study is not there or its records are not those of its study file, where a cell is none of what our
    column allows, and where our column may not be empty and theirs is missing.
    """
    spec = study.design["evidence"].get("taken")
    if spec is None:
        return {}
    place = ("design", "evidence", "taken")
    other = load(study.folder.parent / spec["study"])
    if reason := records.stale(other.folder):
        raise StudyError(study.file, SEPARATOR.join((*place, "study")), spec["study"], f"Its records cannot be taken. {reason}.")
    there, found = records.read(other), {}
    for theirs, ours in spec["tables"].items():
        if theirs not in other.tables:
            raise StudyError(study.file, SEPARATOR.join((*place, "tables")), theirs, f"The study {spec['study']!r} has no such table: give one of {', '.join(other.tables)}.")
        columns = study.tables[ours]["columns"]
        both = [column for column in columns if column in other.tables[theirs]["columns"]]
        lacking = [column for column in _own(study, ours) if column not in both]
        if lacking:
            remedy = f"The table {ours!r} has this column and theirs does not, so that their rows would be empty there: call it as they do, or take it out."
            raise StudyError(study.file, SEPARATOR.join((*place, "tables", theirs)), lacking[0], remedy)
        for column in both:
            strange = [value for value in there[theirs][column].dropna().unique() if "values" in columns[column] and value not in columns[column]["values"]]
            if strange:
                raise StudyError(study.file, SEPARATOR.join(("tables", ours, "columns", column, "values")), strange[0], f"The rows taken from {spec['study']!r} hold it: add it.")
        found[ours] = there[theirs][both]
    return found


def _own(study: Study, table: str) -> list[str]:
    """The columns of a table that rows taken must bring along: all but those that the design gives every study."""
    spec = study.design["evidence"]
    if table != spec["table"]:
        return list(study.tables[table]["columns"])
    return [study.tables[table]["key"][0], spec["people"]["column"], spec["year"]["column"]]
