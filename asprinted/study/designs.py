"""Whether the design of a study file can be followed: what it names is there, its numbers are possible, and every column is made once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Faults, Study, StudyError, columns_of, whole, within
from asprinted.study.parts import divided, fault, shares_of, typed
from asprinted.study.evidence import check_evidence, tables_of
from asprinted.study.outcomes import check_clusters, check_outcomes, check_visits
from asprinted.study.starts import columns_of_entry, made_by_people
from asprinted.study.trials import check_trials

_COVARIATES = {"whole": ("column", "mean", "sd"), "category": ("column", "shares"), "flags": ("columns", "shares"), "tally": ("column", "totals", "spread")}
_ANY, _SPREAD, _CORRELATION, _SHARE = (-math.inf, math.inf), (0.0, math.inf), (-1.0, 1.0), (0.0, 1.0)
_LIMITS: dict[str, dict[str, tuple[float, float]]] = {
    "covariates": {"sd": _SPREAD, "spread": _SPREAD, "health": _CORRELATION},
    "scores": {"decay": _CORRELATION},
    "score": {"mean": _ANY, "sd": _SPREAD, "r": _CORRELATION, "skewness": _ANY, "group_icc": _SHARE, "common": _CORRELATION, "early": _ANY},
    "scale": {"r": _CORRELATION, "common": _CORRELATION},
    "losses": {"return": _SHARE, "health": _ANY},
    "events": {"spread": _SPREAD, "health": _CORRELATION, "group": _SHARE, "lost": _CORRELATION},
    "durations": {"shape": _SPREAD, "health": _CORRELATION},
}


def check_design(study: Study, need: Callable[..., None]) -> None:
    """Raise StudyError where the design names something that is not there, gives a number that cannot be, or leaves a column unmade; StudyErrors where several parts do.

    `need(name, known, *where)` raises it where `name` is not one of the `known`.
    """
    from asprinted.kinds import refusal  # it reads entries of this package, which would be half made at the top

    if error := refusal(study):
        raise error
    for part in ("scores", "scales", "events", "durations", "visits", "outcomes"):
        if part in study.design and "people" not in study.design:
            raise fault(study, f"{part.capitalize()} belong to people: add 'people'.")
    found = Faults()
    for part, check in _PARTS.items():
        with found.noted():
            if part in study.design:
                check(study, study.design[part], need)
        if part in ("people", "visits", "events"):  # on which later parts stand
            found.told()
    found.told()
    if "people" in study.design:
        _every_column_is_made_once(study)
    makers: dict[str, str] = {}
    tables = [((part,), study.design.get(part, {})) for part in ("people", "visits", "scores", "scales", "cells", "trials")]
    tables += [(("evidence",), {"table": table}) for table in tables_of(study)]
    for where, spec in (*tables, (("trials", "effects"), study.design.get("trials", {}).get("effects", {}))):
        table, part = spec.get("table", ""), SEPARATOR.join(where)
        if table in makers:
            raise fault(study, f"The table {table!r} is made by {makers[table]!r} already: give each part a table of its own.", *where, "table")
        makers |= {table: part} if table else {}


def _arms(study: Study) -> dict[str, Any]:
    return study.design["people"]["arms"]["sizes"]


def _size(study: Study, arm: str) -> int:
    return whole(study, _arms(study)[arm], "design", "people", "arms", "sizes", arm, low=1)


def _limited(study: Study, entry: Mapping[str, Any], limits: str, *where: str) -> None:
    """Raise StudyError where a number of the entry is not one, or outside what its name allows."""
    for name, ends in _LIMITS[limits].items():
        if name in entry:
            within(study, entry[name], *ends, "design", *where, name)


def _people(study: Study, people: dict[str, Any], need: Callable[..., None]) -> None:
    need(people["table"], study.tables, "design", "people", "table")
    key, columns = study.tables[people["table"]]["key"], study.tables[people["table"]]["columns"]
    if len(key) > 1:
        raise fault(study, f"A row of it is one person: give it a key of one column, not {', '.join(key)}.", "people", "table")
    typed(study, columns, key[0], ("string",), "people", "table")
    for name in ("arms", "sites", "clusters", "groups"):
        if name in people:
            need(people[name]["column"], columns, "design", "people", name, "column")
            typed(study, columns, people[name]["column"], ("string",), "people", name, "column")
    for arm in _arms(study):
        need(arm, columns[people["arms"]["column"]].get("values", [arm]), "design", "people", "arms", "sizes")
        _size(study, arm)
    if "sites" in people:
        _sites(study, people["sites"], columns[people["sites"]["column"]], need)
    if "clusters" in people:
        check_clusters(study, people["clusters"], need)
    if "groups" in people:
        need(people["groups"]["arm"], _arms(study), "design", "people", "groups", "arm")
        smallest = whole(study, people["groups"]["smallest"], "design", "people", "groups", "smallest", low=1)
        whole(study, people["groups"]["largest"], "design", "people", "groups", "largest", low=smallest)
    for number, part in enumerate(people.get("covariates", [])):
        _covariate(study, part, columns, need, "people", "covariates", str(number))


def _sites(study: Study, sites: dict[str, Any], column: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where people cannot be divided over the sites: by their shares, or each site with a person or more."""
    if "number" not in sites:
        divided(study, sites, column, need, "people", "sites")
        if "spread" in sites:
            raise fault(study, "The shares say how large the sites are: give 'spread' with 'number', or take it out.", "people", "sites", "spread")
    elif "shares" in sites:
        raise fault(study, "Give 'shares' or 'number', not both.", "people", "sites")
    elif "values" in column:
        raise fault(study, f"The names of so many sites are made: take 'values' out of the column {sites['column']!r}, or give 'shares'.", "people", "sites")
    else:
        whole(study, sites["number"], "design", "people", "sites", "number", low=1, high=sum(_size(study, arm) for arm in _arms(study)))
    if "spread" in sites:
        within(study, sites["spread"], 0, 2, "design", "people", "sites", "spread")


def _covariate(study: Study, part: dict[str, Any], columns: dict[str, Any], need: Callable[..., None], *where: str) -> None:
    for name in _COVARIATES[part["kind"]]:
        if name not in part:
            raise fault(study, f"The field {name!r} is missing: add it.", *where)
    for arm in (*([part["arm"]] if "arm" in part else []), *part.get("totals", {})):
        need(arm, _arms(study), "design", *where)
    for column in part["columns"] if part["kind"] == "flags" else [part["column"]]:
        need(column, columns, "design", *where)
        typed(study, columns, column, ("integer", "string") if part["kind"] == "category" else ("integer",), *where)
    _limited(study, part, "covariates", *where)
    if part["kind"] == "flags":
        shares = shares_of(study, part, need, *where)
        for column in part["columns"]:
            need(column, shares, "design", *where, "columns")
        return
    spec = columns[part["column"]]
    if part["kind"] == "category":
        divided(study, part, spec, need, *where)
    elif part["kind"] == "whole":
        if not {"minimum", "maximum"} <= set(spec):
            raise fault(study, f"Give the column {part['column']!r} a minimum and a maximum.", *where)
        within(study, part["mean"], spec["minimum"], spec["maximum"], "design", *where, "mean")
    else:
        for arm in _arms(study):
            need(arm, part["totals"], "design", *where, "totals")
            whole(study, part["totals"][arm], "design", *where, "totals", arm, high=_size(study, arm) * spec.get("maximum", math.inf))


def _every_column_is_made_once(study: Study) -> None:
    people = study.design["people"]
    outcomes = [column for entry in study.design.get("outcomes", []) for column in columns_of_entry(entry)]
    made = [*made_by_people(study), *(column for column in outcomes if column in study.tables[people["table"]]["columns"])]
    for column in study.tables[people["table"]]["columns"]:
        if made.count(column) > 1:
            raise fault(study, f"The column {column!r} is made {made.count(column)} times: leave one.", "people")
        if column not in made:
            raise fault(study, f"Nothing makes the column {column!r}: add a covariate or an outcome, or take the column out.", "people")


def _scored(study: Study, part: str, spec: dict[str, Any], need: Callable[..., None]) -> None:
    """What `scores` and `scales` have in common: the table, its visits, the outcomes' bounds, and the losses."""
    need(spec["table"], study.tables, "design", part, "table")
    table, people = study.tables[spec["table"]], study.design["people"]["table"]
    columns, key = table["columns"], [*study.tables[people]["key"], spec["visit"]]
    need(spec["visit"], columns, "design", part, "visit")
    if table["key"] != key or table.get("parent") != people:
        raise fault(study, f"A row of it is one person at one visit: give it the parent {people!r} and the key {key}.", part, "table")
    typed(study, columns, spec["visit"], ("integer",), part, "visit")
    for month in spec["months"]:
        need(month, columns[spec["visit"]].get("values", [month]), "design", part, "months")
    if spec["months"] != sorted(set(spec["months"])):
        raise StudyError(study.file, SEPARATOR.join(("design", part, "months")), spec["months"], "Give each visit once, in the order of time.")
    for outcome in spec["outcomes"]:
        need(outcome, columns, "design", part, "outcomes", outcome)
        if columns[outcome]["type"] == "string" or not columns[outcome].get("minimum", math.inf) < columns[outcome].get("maximum", -math.inf):
            raise fault(study, f"The column {outcome!r} must hold numbers between a minimum and a larger maximum.", part, "outcomes", outcome)
    for column in columns:
        if column not in (*key, *spec["outcomes"]):
            raise fault(study, f"Nothing makes the column {column!r} of {spec['table']!r}: add an outcome, or take the column out.", part, "outcomes")
    _limited(study, spec["losses"], "losses", part, "losses")
    for arm, amounts in spec["losses"]["seen"].items():
        need(arm, _arms(study), "design", part, "losses", "seen")
        if len(amounts) != len(spec["months"]) - 1:
            raise fault(study, f"Give {len(spec['months']) - 1} amounts, one for each visit after the first.", part, "losses", "seen", arm)
        for amount in amounts:
            whole(study, amount, "design", part, "losses", "seen", arm)
    for arm in _arms(study):
        need(arm, spec["losses"]["seen"], "design", part, "losses", "seen")


def _scores(study: Study, scores: dict[str, Any], need: Callable[..., None]) -> None:
    _scored(study, "scores", scores, need)
    need(scores["model"], study.models, "design", "scores", "model")
    _limited(study, scores, "scores", "scores")
    for outcome, entry in scores["outcomes"].items():
        where = ("scores", "outcomes", outcome)
        _limited(study, entry, "score", *where)
        for arm, amount in entry["change"].items():
            need(arm, _arms(study), "design", *where, "change")
            within(study, amount, *_ANY, "design", *where, "change", arm)
        if "group_icc" in entry and "groups" not in study.design["people"]:
            raise fault(study, "It is of programme groups: add 'groups' to people, or take it out.", *where, "group_icc")


def _scales(study: Study, scales: dict[str, Any], need: Callable[..., None]) -> None:
    _scored(study, "scales", scales, need)
    months = [str(month) for month in scales["months"]]
    for outcome, entry in scales["outcomes"].items():
        where, column = ("scales", "outcomes", outcome), study.tables[scales["table"]]["columns"][outcome]
        typed(study, {outcome: column}, outcome, ("integer",), *where)
        if len(entry["mean"]) > 1 and "r" not in entry:
            raise fault(study, "The field 'r' is missing: a score measured more than once needs it.", *where)
        _limited(study, entry, "scale", *where)
        sd = entry["sd"] if isinstance(entry["sd"], dict) else dict.fromkeys(entry["mean"], entry["sd"])
        for name, held, ends in (("mean", entry["mean"], (column["minimum"], column["maximum"])), ("sd", sd, _SPREAD)):
            for month in (*held, *entry["mean"]):
                need(month, months if month in held else held, "design", *where, name)
                by_arm = held[month] if isinstance(held[month], dict) else dict.fromkeys(_arms(study), held[month])
                for arm in (*by_arm, *_arms(study)):
                    need(arm, _arms(study) if arm in by_arm else by_arm, "design", *where, name, month)
                    within(study, by_arm[arm], *ends, "design", *where, name, month, arm)


def _events(study: Study, events: dict[str, Any], need: Callable[..., None]) -> None:
    _filled(study, "events", events, need, ("column",), "logistic")
    for name in ("seen", "yes", "share"):
        for arm in events.get(name, {}):
            need(arm, _arms(study), "design", "events", name)
    for arm in _arms(study):
        need(arm, events["seen"], "design", "events", "seen")
        seen = whole(study, events["seen"][arm], "design", "events", "seen", arm)
        if seen > _size(study, arm):
            raise fault(study, f"{seen} people cannot have the outcome: the arm {arm!r} has fewer.", "events", "seen", arm)
        if arm not in events.get("yes", {}) and arm not in events.get("share", {}):
            raise fault(study, f"Give the arm {arm!r} a number in 'yes', or a 'share' where none is printed.", "events")
        if arm in events.get("yes", {}) and whole(study, events["yes"][arm], "design", "events", "yes", arm) > seen:
            raise fault(study, f"More people of the arm {arm!r} have the event than have the outcome.", "events", "yes", arm)


def _durations(study: Study, durations: dict[str, Any], need: Callable[..., None]) -> None:
    _filled(study, "durations", durations, need, ("event", "time"), "cox")
    model, columns = study.models[durations["model"]], columns_of(study, durations["table"])
    if model["time"] != durations["time"]:
        raise fault(study, f"The model {durations['model']!r} takes its times from the column {model['time']!r}: name that one.", "durations", "time")
    claimed = {name: [claim.id for claim in study.claims.values() if (claim.by or {}).get("model") == name] for name in study.models}
    if not claimed[durations["model"]]:
        others = "; ".join(f"{name!r} has {', '.join(ids)}" for name, ids in claimed.items() if ids and study.models[name]["family"] == "cox")
        raise fault(study, f"No claim is on the model {durations['model']!r}, so nothing says what the times are to print.{f' Name another: {others}.' if others else ''}", "durations", "model")
    least, most = (within(study, amount, 0, math.inf, "design", "durations", "follow_up", str(end)) for end, amount in enumerate(durations["follow_up"]))
    if least > most:
        raise fault(study, f"The shortest follow-up comes first, not {least:g} before {most:g}.", "durations", "follow_up")
    if not 0 < most <= columns[durations["time"]].get("maximum", math.inf):
        raise fault(study, f"It ends at {most:g}, which the column {durations['time']!r} does not hold: change one of them.", "durations", "follow_up")
    if "within" in durations:
        column = durations["within"]["column"]
        need(column, columns, "design", "durations", "within", "column")
        if column in (durations["time"], durations["event"]) or columns[column].get("values") not in ([0, 1], [1, 0]):
            raise fault(study, f"The column {column!r} does not say who had the event by then: name another column, whose values are 0 and 1.", "durations", "within", "column")
        until = within(study, durations["within"]["until"], 0, math.inf, "design", "durations", "within", "until")
        if least < until:
            raise fault(study, f"It begins at {least:g}, before {until:g}, by which the column {column!r} says who had the event: follow everyone to then.", "durations", "follow_up")
    for name in ("events", "share", "later"):
        for arm, amount in durations.get(name, {}).items():
            need(arm, _arms(study), "design", "durations", name)
            within(study, amount, 0, 1 if name == "share" else _size(study, arm), "design", "durations", name, arm)
    for arm in _arms(study):
        _events_fit(study, durations, arm)


def _events_fit(study: Study, durations: dict[str, Any], arm: str) -> None:
    """Raise StudyError where an arm's events in all are fewer than those by the time of `within`, or later ones more than people are left."""
    events = study.design.get("events", {})
    if durations.get("within", {}).get("column", "") != events.get("column") or arm not in events.get("yes", {}):
        return
    early, seen = (whole(study, events[name][arm], "design", "events", name, arm) for name in ("yes", "seen"))
    for name, low, high in (("events", early, seen), ("later", 0, seen - early)):
        if arm in durations.get(name, {}):
            whole(study, durations[name][arm], "design", "durations", name, arm, low=low, high=high)


def _filled(study: Study, part: str, spec: dict[str, Any], need: Callable[..., None], columns: tuple[str, ...], family: str) -> None:
    """What `events` and `durations` have in common: columns of the table of people, and a model of one family."""
    if spec["table"] != study.design["people"]["table"]:
        raise fault(study, f"It must be the table of people, {study.design['people']['table']!r}.", part, "table")
    held = study.tables[spec["table"]]["columns"]
    for name in columns:
        need(spec[name], held, "design", part, name)
        typed(study, held, spec[name], ("integer", "number") if name == "time" else ("integer",), part, name)
    need(spec["model"], study.models, "design", part, "model")
    if study.models[spec["model"]]["family"] != family:
        raise fault(study, f"It must name a model of the family {family!r}.", part, "model")
    if study.models[spec["model"]]["table"] != spec["table"]:
        raise fault(study, f"It must name a model of the table {spec['table']!r}.", part, "model")
    _limited(study, spec, part, part)
    for arm, amount in spec.get("share", {}).items():
        within(study, amount, *_SHARE, "design", part, "share", arm)


def _cells(study: Study, cells: dict[str, Any], need: Callable[..., None]) -> None:
    need(cells["table"], study.tables, "design", "cells", "table")
    columns = study.tables[cells["table"]]["columns"]
    for number, row in enumerate(cells["rows"]):
        whole(study, row["people"], "design", "cells", "rows", str(number), "people")
        for column, value in row["values"].items():
            need(column, columns, "design", "cells", "rows")
            need(value, columns[column].get("values", [value]), "design", "cells", "rows", str(column))
    if "free" in cells:
        need(cells["free"]["column"], columns, "design", "cells", "free", "column")
        within(study, cells["free"]["share"], *_SHARE, "design", "cells", "free", "share")


_PARTS = {"people": _people, "visits": check_visits, "outcomes": check_outcomes, "scores": _scores, "scales": _scales, "events": _events, "durations": _durations, "cells": _cells, "trials": check_trials, "evidence": check_evidence}
