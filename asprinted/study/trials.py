"""Whether a design of trials, reviewed together, can be followed: who reports what, in which columns, and which pool a claim is about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError, number_in, whole, within
from asprinted.study.parts import divided, fault, typed
from asprinted.study.rules import columns_in, conditions, matches

SMALLEST = 16  # people in a trial, so that either arm keeps a mean and an SD worth the name
SCALE = ("minimum", "maximum", "mean", "sd", "direction")  # what an assumption says of an instrument
_ANY = (-math.inf, math.inf)
_CELLS = {"n": "integer", "events": "integer", "mean": "number", "sd": "number"}  # of a model's arms


def check_trials(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where design.trials names something that is not there, gives a number that cannot be, or leaves a column unmade."""
    table, number = check_rows(study, spec, "trials", "trial", need)
    smallest = whole(study, spec["people"]["smallest"], "design", "trials", "people", "smallest", low=SMALLEST)
    whole(study, spec["people"]["total"], "design", "trials", "people", "total", low=number * smallest)
    check_spreads(study, spec, "trials")
    for position, entry in enumerate(spec.get("categories", [])):
        category(study, entry, table["columns"], number, need, "trials", "categories", str(position))
    made = [table["key"][0], *(spec[name]["column"] for name in ("people", "year") if name in spec), *(entry["column"] for entry in spec.get("categories", []))]
    made_once(study, made, table["columns"], "add a category", "trials")
    _effects(study, spec, need)
    check_pools_of(study)


def check_rows(study: Study, spec: Mapping[str, Any], part: str, row: str, need: Callable[..., None]) -> tuple[dict[str, Any], int]:
    """The table of a part of the design in which a row is one trial, or study, and how many there are; StudyError where it cannot be that."""
    need(spec["table"], study.tables, "design", part, "table")
    table = study.tables[spec["table"]]
    if len(table["key"]) > 1:
        raise fault(study, f"A row of it is one {row}: give it a key of one column, not {', '.join(table['key'])}.", part, "table")
    typed(study, table["columns"], table["key"][0], ("string",), part, "table")
    number = whole(study, spec["number"], "design", part, "number", low=1)
    for name in ("people", "year"):
        if name in spec:
            need(spec[name]["column"], table["columns"], "design", part, name, "column")
            typed(study, table["columns"], spec[name]["column"], ("integer",), part, name, "column")
    return table, number


def check_spreads(study: Study, spec: Mapping[str, Any], part: str) -> None:
    """Raise StudyError where the spread of sizes is no number from 0, or the last year lies before the first."""
    within(study, spec["people"]["spread"], 0, math.inf, "design", part, "people", "spread")
    if "year" in spec:
        first = whole(study, spec["year"]["first"], "design", part, "year", "first")
        whole(study, spec["year"]["last"], "design", part, "year", "last", low=first)


def pools_of(study: Study, by: Mapping[str, Any]) -> list[int]:
    """The positions of the design's pools whose rows an entry's `by`, on a random-effects model, is about."""
    filters = conditions(study, by)
    return [
        position
        for position, pool in enumerate(study.design["trials"]["effects"]["pools"])
        if pool["outcome"] == by["outcome"] and all(matches(filter.get(column, value), value) for filter in filters for column, value in pool.get("values", {}).items())
    ]


def models_of(study: Study) -> list[str]:
    """The names of the models whose claims the design's pools meet: the one that it names first."""
    effects = study.design["trials"]["effects"]
    return [effects["model"], *effects.get("also", [])]


def check_pools_of(study: Study) -> None:
    """Raise StudyError where a claim or an assumption on these models is about no pool of the design, or about more than one."""
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if (entry.by or {}).get("model") not in models_of(study):
                continue
            found = pools_of(study, entry.by)
            late = [column for column in columns_in(conditions(study, entry.by)) if column in _of_arms(study)]
            if late:
                raise StudyError(study.file, SEPARATOR.join((kind, id, "by", "filter")), late[0], "Arms are made to print the claims, so none can be about trials chosen by them: take it out.")
            if len(found) != 1:
                remedy = "It is about more than one pool: name the values of one in 'filter'." if found else "No pool of design › trials › effects is of this: add one, or correct 'outcome' and 'filter'."
                raise StudyError(study.file, SEPARATOR.join((kind, id, "by")), {"outcome": entry.by["outcome"], **entry.by.get("filter", {})}, remedy)


def _of_arms(study: Study) -> list[str]:
    """The columns that hold the arms of each trial: sizes, means and SDs."""
    effect = study.models[study.design["trials"]["effects"]["model"]]["effect"]
    return [column for part in ("n", "mean", "sd") for column in effect[part]]


def made_once(study: Study, made: list[str], columns: Mapping[str, Any], remedy: str, *where: str) -> None:
    """Raise StudyError where a column is not made, or made more than once."""
    for column in columns:
        if made.count(column) > 1:
            raise fault(study, f"The column {column!r} is made {made.count(column)} times: leave one.", *where)
        if column not in made:
            raise fault(study, f"Nothing makes the column {column!r}: {remedy}, or take the column out.", *where)


def category(study: Study, entry: dict[str, Any], columns: Mapping[str, Any], number: int, need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where the values of a column cannot be dealt out to `number` trials by the entry's shares, or its counts."""
    need(entry["column"], columns, "design", *where, "column")
    typed(study, columns, entry["column"], ("string", "integer"), *where, "column")
    column = columns[entry["column"]]
    if "shares" in entry and "counts" in entry:
        raise fault(study, "Give either 'shares' or 'counts', not both.", *where)
    if "shares" in entry:
        divided(study, entry, column, need, *where)
    for value in entry.get("counts", study.shares(entry["shares"]) if "shares" in entry else {}):
        if column["type"] == "integer" and not value.removeprefix("-").isdecimal():
            raise fault(study, f"The column {entry['column']!r} holds whole numbers: {value!r} is none.", *where)
        known = column.get("values", [value])
        need(value, [str(each) for each in known], "design", *where, entry["column"])
    counts = [whole(study, amount, "design", *where, "counts", value) for value, amount in entry.get("counts", {}).items()]
    if counts and sum(counts) != number:
        summed = ", ".join(str(amount) for amount in entry["counts"].values())
        raise StudyError(
            study.file, SEPARATOR.join(("design", *where, "counts")), sum(counts),
            f"They ({summed}) must add up to the number of trials, {number} ({study.design['trials']['number']}).",
        )  # fmt: skip


def _effects(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    effects, where = spec["effects"], ("trials", "effects")
    need(effects["table"], study.tables, "design", *where, "table")
    table = study.tables[effects["table"]]
    columns, trial = table["columns"], study.tables[spec["table"]]["key"][0]
    for name in models_of(study):
        need(name, study.models, "design", *where, "model" if name == effects["model"] else "also")
        model, first = study.models[name], study.models[effects["model"]]
        if model["family"] != "random-effects" or model["table"] != effects["table"]:
            raise fault(study, f"The model {name!r} must be of the family 'random-effects' and of the table {effects['table']!r}.", *where, "model")
        if model["effect"]["measure"] != "smd":
            raise StudyError(study.file, SEPARATOR.join(("models", name, "effect", "measure")), model["effect"]["measure"], "The trials of one review are made for standardised mean differences. Use one of: smd. Others are made by design › evidence.")
        for field in ("effect", "outcome_column", "rows"):
            if model.get(field) != first.get(field):
                raise StudyError(study.file, SEPARATOR.join(("models", name, field)), model.get(field), f"It must be that of {effects['model']!r}, whose claims this model prints again: {first.get(field)}.")
    outcome, named = study.models[effects["model"]]["outcome_column"], study.models[effects["model"]]["effect"]
    if table.get("parent") != spec["table"] or table["key"][:2] != [trial, outcome]:
        raise fault(study, f"A row of it is one trial and outcome: give it the parent {spec['table']!r} and a key that begins with {trial}, {outcome}.", *where, "table")
    for field, kind in (("instrument", "string"), ("second", "integer")):
        if field in effects:
            need(effects[field], columns, "design", *where, field)
            typed(study, columns, effects[field], (kind,), *where, field)
    check_cells(study, effects["model"], need, *where, "table")
    for column in study.models[effects["model"]].get("rows", {}):
        if column in _of_arms(study):
            raise StudyError(study.file, SEPARATOR.join(("models", effects["model"], "rows")), column, "Arms are made to print the claims, so rows cannot be chosen by them: take it out.")
    within(study, effects["kept"], 0.2, 1, "design", *where, "kept")
    within(study, effects["together"], 0, 1, "design", *where, "together")
    for name, id in effects["instruments"].items():
        need(name, columns[effects["instrument"]].get("values", [name]), "design", *where, "instruments")
        check_scale(study, id, "direction" in named, need, *where, "instruments", name)
    others = list(effects["pools"][0].get("values", {}))
    described = [name for name in ("minimum", "maximum", named.get("direction", "direction")) if name in columns]
    made = [trial, outcome, effects["instrument"], *([effects["second"]] if "second" in effects else []), *others, *described, *_of_arms(study)]
    made_once(study, made, columns, "give it in 'values' of every pool", *where)
    for column in (*others, *table["key"][2:]):
        need(column, columns, "design", *where, "pools", "0", "values")
        if column not in table["key"] or column not in (effects["instrument"], *others):
            raise fault(study, f"The column {column!r} must be in the key of {effects['table']!r}, and be named in 'values' or be the instrument.", *where, "pools", "0", "values")
    seen: dict[tuple, int] = {}
    for position, pool in enumerate(effects["pools"]):
        _pool(study, pool, columns, need, *where, "pools", str(position))
        what = (pool["outcome"], *(pool.get("values", {}).get(column) for column in others))
        if list(pool.get("values", {})) != others or what in seen:
            raise fault(study, f"Every pool has 'values' of the same columns ({', '.join(others) or 'none'}), and no two the same outcome and values.", *where, "pools", str(position))
        seen[what] = position


def check_cells(study: Study, name: str, need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where the columns of a model's outcome and of its arms are not of the types that are made."""
    model = study.models[name]
    columns = study.tables[model["table"]]["columns"]
    cells = ((column, kind) for part, kind in _CELLS.items() for column in model["effect"].get(part, ()))
    for column, kind in ((model["outcome_column"], "string"), *cells):
        need(column, columns, "models", name, "effect")
        typed(study, columns, column, (kind,), *where)
        if kind == "number" and columns[column].get("decimals") != 2:
            raise StudyError(study.file, SEPARATOR.join(("tables", model["table"], "columns", column, "decimals")), columns[column].get("decimals"), "Means and standard deviations are made with two decimals: give 2.")


def check_scale(study: Study, id: str, directed: bool, need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where the assumption does not describe an instrument of whole numbers between two bounds."""
    need(id, study.assumptions, "design", *where)
    value, place = study.assumptions[id].value, ("assumptions", id, "value")
    if not isinstance(value, dict) or set(value) != set(SCALE):
        raise StudyError(study.file, SEPARATOR.join(place), value, f"Give it {', '.join(SCALE)}, each as text.")
    number = {name: number_in(study.file, (*place, name), text) for name, text in value.items()}
    low, high = number["minimum"], number["maximum"]
    possible = {
        "minimum": (low == int(low), "a whole number"),
        "maximum": (high == int(high) and high > low, "a whole number above the minimum"),
        "mean": (low < number["mean"] < high, "a number between the bounds"),
        "sd": (0 < number["sd"] <= (high - low) / 2, f"a number above 0, and up to {(high - low) / 2:g}, half the distance of the bounds"),
        "direction": (number["direction"] in (1, -1), "1, or -1 where the scale counts the other way round"),
    }
    for name, (fine, kind) in possible.items():
        if not fine:
            raise StudyError(study.file, SEPARATOR.join((*place, name)), value[name], f"Give {kind}.")
    if number["direction"] < 0 and not directed:
        raise StudyError(study.file, SEPARATOR.join((*place, "direction")), value["direction"], "The model's 'effect' names no column of directions: add 'direction' to it, or give 1.")


def _pool(study: Study, pool: dict[str, Any], columns: Mapping[str, Any], need: Callable[..., None], *where: str) -> None:
    effects, categories = study.design["trials"]["effects"], study.design["trials"].get("categories", [])
    model = study.models[effects["model"]]
    need(pool["outcome"], columns[model["outcome_column"]].get("values", [pool["outcome"]]), "design", *where, "outcome")
    for column, value in pool.get("values", {}).items():
        need(column, columns, "design", *where, "values")
        need(value, columns[column].get("values", [value]), "design", *where, "values", column)
    if isinstance(pool["trials"], dict) != ("by" in pool):
        raise fault(study, "Give 'by' and the trials of each of its values together, or one number of trials without 'by'.", *where, "trials")
    counts: dict[str, Any] = {}
    if "by" in pool:
        need(pool["by"], [entry["column"] for entry in categories], "design", *where, "by")
        entry = next(entry for entry in categories if entry["column"] == pool["by"])
        counts = entry.get("counts", {})
        for value in pool["trials"]:
            need(value, counts or study.shares(entry["shares"]), "design", *where, "trials")
    parts = pool["trials"] if "by" in pool else {"": pool["trials"]}
    most = {value: whole(study, counts[value], "design", *where, "trials") if value in counts else whole(study, study.design["trials"]["number"], "design", "trials", "number") for value in parts}
    k = sum(whole(study, amount, "design", *where, "trials", *([value] if value else []), high=most[value]) for value, amount in parts.items())
    if not k:
        raise fault(study, "A pool has at least one trial.", *where, "trials")
    if isinstance(pool["centre"], dict):
        for value in parts:
            need(value, pool["centre"], "design", *where, "centre")
    for value, id in pool["centre"].items() if isinstance(pool["centre"], dict) else [("", pool["centre"])]:
        within(study, id, *_ANY, "design", *where, "centre", *([value] if value else []))
    within(study, pool["spread"], 0, math.inf, "design", *where, "spread")
    if "small" in pool:
        within(study, pool["small"], *_ANY, "design", *where, "small")
    if "people" in pool:
        whole(study, pool["people"], "design", *where, "people", low=SMALLEST * k // 2, high=study.number(study.design["trials"]["people"]["total"]))
    check_named(study, pool["instruments"], effects["instruments"], need, *where, "instruments")
    if whole(study, pool.get("twice", 0), "design", *where, "twice", high=k):
        _twice(study, pool, model, effects, *where)


def check_named(study: Study, names: list[str], known: Mapping[str, Any], need: Callable[..., None], *where: str) -> None:
    """Raise StudyError where an instrument is not one of the known, or is named twice."""
    for name in names:
        need(name, known, "design", *where)
    if [name for name, count in Counter(names).items() if count > 1]:
        raise fault(study, "Name each instrument once.", *where)


def _twice(study: Study, pool: dict[str, Any], model: dict[str, Any], effects: dict[str, Any], *where: str) -> None:
    """Raise StudyError where a second instrument of a trial could not be told from the one that is pooled."""
    if effects["instrument"] not in study.tables[effects["table"]]["key"]:
        raise fault(study, f"A trial with two instruments has two rows: put {effects['instrument']!r} into the key of {effects['table']!r}.", *where, "twice")
    if len(pool["instruments"]) < 2:
        raise fault(study, "A second instrument must be another one: name two or more.", *where, "instruments")
    if "second" not in effects or model.get("rows", {}).get(effects["second"]) not in (1, [1]):
        raise fault(study, f"The model must take one row a trial: name the column in 'second', and give it the value 1 in the rows of the model {effects['model']!r}.", *where, "twice")
