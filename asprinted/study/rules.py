"""Eligibility rules: which rows of a table an entry is about, by the rules that it names and by its own filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError, columns_of, nearest

ENDS = ("from", "to")


def names_of(by: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the rules that an entry's `by` (or a part of the design) asks for: a row must meet them all."""
    named = by.get("rule", ())
    return (named,) if isinstance(named, str) else tuple(named)


def conditions(study: Study, by: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The filters that a row must meet, all of them: one of each rule that `by` names, and its own where it has one."""
    return [*(study.rules[name]["filter"] for name in names_of(by)), *([by["filter"]] if by.get("filter") else [])]


def columns_in(filters: Iterable[Mapping[str, Any]]) -> dict[str, None]:
    """The columns that the filters are about, in order."""
    return dict.fromkeys(column for filter in filters for column in filter)


def matches(wanted: Any, value: Any) -> bool:
    """Whether a cell with `value` is what a filter wants: that value, one of a list, or one within a range, its ends included."""
    if isinstance(wanted, dict):
        return wanted.get("from", value) <= value <= wanted.get("to", value)
    return value in wanted if isinstance(wanted, list) else value == wanted


def in_words(wanted: Any) -> str:
    """What a filter wants of a column, for a message: "a", "a or b", "1995 to 2012", "from 1995", "to 2012"."""
    if isinstance(wanted, dict):
        return " to ".join(str(wanted[end]) for end in ENDS) if len(wanted) == 2 else " ".join(f"{end} {value}" for end, value in wanted.items())
    return " or ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


def check_rules(study: Study) -> None:
    """Raise StudyError where a rule is about no one table with its parent, or wants what a column cannot hold."""
    for name, rule in study.rules.items():
        known = [columns_of(study, table) for table in study.tables]
        fitting = [columns for columns in known if rule["filter"].keys() <= columns.keys()]
        if not fitting:
            everything = {column: None for columns in known for column in columns}
            strange = next((column for column in rule["filter"] if column not in everything), None)
            remedy = f"No table has it.{nearest(str(strange), everything)}" if strange is not None else "No one table, with its parent, has all of these columns."
            raise StudyError(study.file, SEPARATOR.join(("rules", name, "filter")), strange or list(rule["filter"]), remedy)
        check_filter(study, rule["filter"], fitting[0], "rules", name, "filter")


def check_asked(study: Study, asked: Mapping[str, Any], columns: Mapping[str, Any], *where: str) -> None:
    """Raise StudyError where an entry's `rule` or `filter` cannot be asked of a table with these `columns`."""
    for name in names_of(asked):
        if name not in study.rules:
            raise StudyError(study.file, SEPARATOR.join((*where, "rule")), name, f"No such rule.{nearest(name, study.rules) or ' Add it under the top key rules.'}")
        for column in study.rules[name]["filter"]:
            if column not in columns:
                raise StudyError(study.file, SEPARATOR.join((*where, "rule")), name, f"It is about the column {column!r}, which this table does not have.{nearest(column, columns)}")
    check_filter(study, asked.get("filter", {}), columns, *where, "filter")


def check_filter(study: Study, wanted: Mapping[str, Any], columns: Mapping[str, Any], *where: str) -> None:
    """Raise StudyError where a column is not there, or cannot hold the value, one of the values or the range that is wanted of it."""
    for column, values in wanted.items():
        place = SEPARATOR.join((*where, str(column)))
        if column not in columns:
            raise StudyError(study.file, SEPARATOR.join(where), column, f"Nothing of that name.{nearest(str(column), columns)}")
        if isinstance(values, dict):
            _check_range(study, values, columns[column], place)
            continue
        each = values if isinstance(values, list) else [values]
        if not each or any(value is None or isinstance(value, (list, dict)) for value in each):
            raise StudyError(study.file, place, values, "Give a value, or a list of values. Of numbers a range {from, to} will do, too.")
        known = columns[column].get("values")
        for value in each if known else ():
            if value not in known:
                raise StudyError(study.file, place, value, f"Nothing of that name.{nearest(str(value), known)}")


def _check_range(study: Study, ends: Mapping[str, Any], column: Mapping[str, Any], place: str) -> None:
    if not ends or not ends.keys() <= set(ENDS):
        raise StudyError(study.file, place, dict(ends), "A range has 'from', 'to' or both, and nothing else.")
    if column["type"] == "string":
        raise StudyError(study.file, place, dict(ends), "The column holds text, which has no range: give a value, or a list of values.")
    for end, value in ends.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise StudyError(study.file, SEPARATOR.join((place, end)), value, "A number is needed here.")
    if len(ends) == 2 and ends["from"] > ends["to"]:
        raise StudyError(study.file, place, dict(ends), "Nothing lies in it: the lower end comes first.")
