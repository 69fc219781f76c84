"""Whether a design of evidence can be followed: one pool of studies, from which the rules of several reviews each take their own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError, whole, within
from asprinted.study.parts import fault
from asprinted.study.rules import check_asked, columns_in, conditions
from asprinted.study.trials import SMALLEST, category, check_cells, check_named, check_rows, check_scale, check_spreads, made_once

RISK = (1 / 100, 1 - 1 / 100)  # of an event in an arm
COUNTED = ("count", "sum")  # statistics of the table of studies that the whole-number problem meets


def check_evidence(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where design.evidence names something that is not there, gives a number that cannot be, or leaves a column unmade."""
    (table, number), people = check_rows(study, spec, "evidence", "study", need), spec["people"]
    smallest = whole(study, people["smallest"], "design", "evidence", "people", "smallest", low=SMALLEST)
    largest = whole(study, people["largest"], "design", "evidence", "people", "largest", low=smallest)
    within(study, people["middle"], smallest, largest, "design", "evidence", "people", "middle")
    check_spreads(study, spec, "evidence")
    _kinds(study, spec, table["columns"], need)
    for position, entry in enumerate(spec.get("categories", [])):
        category(study, entry, table["columns"], number, need, "evidence", "categories", str(position))
    made = [table["key"][0], people["column"], spec["year"]["column"], *spec["kinds"][0]["values"], *(entry["column"] for entry in spec.get("categories", []))]
    made_once(study, made, table["columns"], "give it in 'values' of every kind, or add a category", "evidence")
    _taken(study, spec, need)
    _counted(study, spec)
    _reports(study, spec, need)
    if "people_of" in spec:
        _scores(study, spec, need)


def tables_of(study: Study) -> list[str]:
    """The tables that design.evidence makes, if there is such a part: studies, what they report, and people's scores."""
    spec = study.design.get("evidence")
    if spec is None:
        return []
    made = [spec["table"], *(study.models[report["model"]]["table"] for report in spec["reports"])]
    return list(dict.fromkeys([*made, *spec.get("taken", {}).get("tables", {}).values(), *([spec["people_of"]["table"]] if "people_of" in spec else [])]))


def direction_of(study: Study, table: str) -> str:
    """The column of a table of outcomes that holds the direction of instruments: the one that a model of it names."""
    named = (model["effect"].get("direction") for model in study.models.values() if model["table"] == table and "effect" in model)
    return next((column for column in named if column), "direction")


def taken_from(study: Study, table: str) -> tuple[str, str] | None:
    """The other study whose rows stand in `table` of this one, by its folder's name, and its table; None where none do."""
    taken = study.design.get("evidence", {}).get("taken", {"tables": {}})
    return next(((taken["study"], theirs) for theirs, ours in taken["tables"].items() if ours == table), None)


def _kinds(study: Study, spec: dict[str, Any], columns: Mapping[str, Any], need: Callable[..., None]) -> None:
    first = list(spec["kinds"][0]["values"])
    for position, kind in enumerate(spec["kinds"]):
        where = ("evidence", "kinds", str(position))
        within(study, kind["weight"], 0, math.inf, "design", *where, "weight")
        if set(kind["values"]) != set(first):
            raise fault(study, f"Every kind has values of the same columns: {', '.join(first)}.", *where, "values")
        for column, values in kind["values"].items():
            need(column, columns, "design", *where, "values")
            for value in values if isinstance(values, list) else [values]:
                need(value, columns[column].get("values", [value]), "design", *where, "values", column)


def _taken(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    taken = spec.get("taken")
    if taken is None:
        return
    if taken["study"] == study.slug or spec["table"] not in taken["tables"].values():
        raise fault(study, f"Name another study, and its table whose rows stand in {spec['table']!r}.", "evidence", "taken")
    for theirs, ours in taken["tables"].items():
        need(ours, study.tables, "design", "evidence", "taken", "tables", theirs)
    check_asked(study, taken, study.tables[spec["table"]]["columns"], "design", "evidence", "taken")


def _counted(study: Study, spec: dict[str, Any]) -> None:
    """Raise StudyError where a number of studies or people is asked of columns that are not sought for it."""
    sought = [*spec["kinds"][0]["values"], spec["year"]["column"]]
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if is_counted(study, entry.by):
                late = [column for column in columns_in(conditions(study, entry.by)) if column not in sought]
                if late:
                    raise StudyError(study.file, SEPARATOR.join((kind, id, "by")), late[0], f"Studies are sought by {', '.join(sought)}: take it out, or make the column a part of the kinds.")


def is_counted(study: Study, by: Mapping[str, Any] | None) -> bool:
    """Whether an entry's `by` is a number of studies, or of the people in them, that the whole-number problem meets."""
    spec = study.design["evidence"]
    if not by or by.get("table") != spec["table"] or by["statistic"] not in COUNTED:
        return False
    return by["statistic"] == "count" or by.get("column") == spec["people"]["column"]


def _reports(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    within(study, spec["kept"], 0.2, 1, "design", "evidence", "kept")
    within(study, spec["together"], 0, 1, "design", "evidence", "together")
    for position, report in enumerate(spec["reports"]):
        where = ("evidence", "reports", str(position))
        need(report["model"], study.models, "design", *where, "model")
        model = study.models[report["model"]]
        if model["family"] != "random-effects":
            raise fault(study, f"The model {report['model']!r} must be of the family 'random-effects'.", *where, "model")
        _report(study, spec, report, model, need, *where)


def _report(study: Study, spec: dict[str, Any], report: dict[str, Any], model: dict[str, Any], need: Callable[..., None], *where: str) -> None:
    table, key = study.tables[model["table"]], study.tables[spec["table"]]["key"][0]
    columns, outcome = table["columns"], model["outcome_column"]
    check_cells(study, report["model"], need, *where, "model")
    if table.get("parent") != spec["table"] or table["key"] != [key, outcome, *report.get("values", {})]:
        raise fault(study, f"A row of {model['table']!r} is one study and outcome: give it the parent {spec['table']!r} and the key {', '.join([key, outcome, *report.get('values', {})])}.", *where, "model")
    for column, value in ((outcome, report["outcome"]), *report.get("values", {}).items()):
        need(value, columns[column].get("values", [value]), "design", *where, column if column != outcome else "outcome")
    check_asked(study, report, study.tables[spec["table"]]["columns"], "design", *where)
    whole(study, report["trials"], "design", *where, "trials", low=1, high=whole(study, spec["number"], "design", "evidence", "number"))
    binary = "events" in model["effect"]
    within(study, report["centre"], -math.inf, math.inf, "design", *where, "centre")
    within(study, report["spread"], 0, math.inf, "design", *where, "spread")
    described: list[str] = []
    if binary:
        if "level" not in report or "instruments" in report:
            raise fault(study, "Events have no instrument but a level, the share with the event in the second arm: give 'level', and take out 'instruments'.", *where)
        within(study, report["level"], *RISK, "design", *where, "level")
        if model["effect"]["measure"] in ("rr", "or"):
            within(study, report["centre"], 1e-3, 1e3, "design", *where, "centre")
    else:
        if "instruments" not in report or {"level", "left"} & report.keys():
            raise fault(study, "Scores have instruments: give 'instruments', and take out 'level' and 'left'.", *where)
        need(spec["instrument"], columns, "design", "evidence", "instrument")
        check_named(study, report["instruments"], spec["instruments"], need, *where, "instruments")
        for name in report["instruments"]:
            need(name, columns[spec["instrument"]].get("values", [name]), "design", *where, "instruments")
            check_scale(study, spec["instruments"][name], direction_of(study, model["table"]) in columns, need, "evidence", "instruments", name)
        if model["effect"]["measure"] == "md" and len(report["instruments"]) > 1:
            raise fault(study, "Differences in points can be pooled only on one scale: name one instrument.", *where, "instruments")
        described = [spec["instrument"], *(name for name in ("minimum", "maximum", direction_of(study, model["table"])) if name in columns)]
    arms = [column for part in ("n", "mean", "sd", "events") for column in model["effect"].get(part, ())]
    made_once(study, [key, outcome, *report.get("values", {}), *described, *arms], columns, "name it in 'values' of every report", *where)


def _scores(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    people, where = spec["people_of"], ("evidence", "people_of")
    need(people["table"], study.tables, "design", *where, "table")
    columns = study.tables[people["table"]]["columns"]
    roles_of(study)
    if people["study"] != "largest":
        raise fault(study, "Only the study with the most people in these rows can be taken: give 'largest'.", *where, "study")
    arm = roles_of(study)["arm"]
    for name in people["arms"]:
        need(name, columns[arm]["values"], "design", *where, "arms")
    fitting = [report for report in spec["reports"] if report["outcome"] == people["outcome"] and report.get("values", {}) == people.get("values", {}) and "instruments" in report]
    if not fitting:
        raise fault(study, "No report has this outcome, with these values, in scores: add one, or correct 'outcome' and 'values'.", *where)
    check_asked(study, people, study.tables[spec["table"]]["columns"], "design", *where)


def roles_of(study: Study) -> dict[str, str]:
    """Which column of the table of people's scores is which: its key, 'study', 'arm' and 'score'. Raises StudyError where that cannot be told."""
    people = study.design["evidence"]["people_of"]
    table = study.tables[people["table"]]
    named = [column for column, each in table["columns"].items() if each["type"] == "string" and column not in table["key"]]
    arms = [column for column in named if set(table["columns"][column].get("values", ())) >= set(people["arms"])]
    scores = [column for column, each in table["columns"].items() if each["type"] == "integer"]
    others = [column for column in named if column not in arms]
    if Counter(map(len, (table["key"], arms, scores, others)))[1] != 4 or len(table["columns"]) != 4:
        raise fault(study, "Such a table has a key, a column of text for the study, one whose 'values' are the arms, and one of whole-number scores, and no more.", "evidence", "people_of", "table")
    return {"key": table["key"][0], "study": others[0], "arm": arms[0], "score": scores[0]}
