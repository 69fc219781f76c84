"""Whether a design of trials, reviewed together, can be followed: who reports what, in which columns, and which pool a claim is about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError, number_in, whole, within
from asprinted.study.parts import divided, fault, typed
from asprinted.study.pools import FEWEST, UNWRITTEN, also_of, completed, models_of, pools_of
from asprinted.study.rules import columns_in, conditions

SMALLEST = 16  # people in a trial, so that either arm keeps a mean and an SD worth the name
SCALE = ("minimum", "maximum", "mean", "sd", "direction")  # what an assumption says of an instrument
_ANY = (-math.inf, math.inf)
_CELLS = {"n": "integer", "events": "integer", "mean": "number", "sd": "number", **dict.fromkeys(("log", "se", "ratio", "lo", "hi"), "number")}  # of a model's effect
_RATIO = (1e-3, 1e3)  # what a ratio to start from lies between


def check_trials(study: Study, spec: dict[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where design.trials names something that is not there, gives a number that cannot be, or leaves a column unmade."""
    table, number = check_rows(study, spec, "trials", "trial", need)
    whole(study, spec["people"]["total"], "design", "trials", "people", "total", low=1)
    _named(study, spec, need)
    given = spec["people"]
    study = completed(study)
    spec = study.design["trials"]
    smallest = whole(study, spec["people"]["smallest"], "design", "trials", "people", "smallest", low=SMALLEST if "smallest" in given else FEWEST)
    whole(study, spec["people"]["total"], "design", "trials", "people", "total", low=number * smallest)
    check_spreads(study, spec, "trials")
    for position, entry in enumerate(spec["categories"]):
        category(study, entry, table["columns"], number, need, "trials", "categories", str(position))
    made = [table["key"][0], *(spec[name]["column"] for name in ("people", "year") if name in spec), *(entry["column"] for entry in spec["categories"])]
    if spec["effects"]["table"] != spec["table"]:
        made_once(study, made, table["columns"], "add a category, or give the column its 'values'", "trials")
    _effects(study, spec, need, made)
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
        if "column" in spec.get(name, {}):
            need(spec[name]["column"], table["columns"], "design", part, name, "column")
            typed(study, table["columns"], spec[name]["column"], ("integer",), part, name, "column")
    return table, number


def check_spreads(study: Study, spec: Mapping[str, Any], part: str) -> None:
    """Raise StudyError where the spread of sizes is no number from 0, or the last year lies before the first."""
    within(study, spec["people"]["spread"], 0, math.inf, "design", part, "people", "spread")
    if "year" in spec:
        first = whole(study, spec["year"]["first"], "design", part, "year", "first")
        whole(study, spec["year"]["last"], "design", part, "year", "last", low=first)


def check_pools_of(study: Study) -> None:
    """Raise StudyError where a claim or an assumption on these models is about no pool of the design, or about more than one."""
    pooling = {name for pool in study.design["trials"]["effects"]["pools"] for name in models_of(study, pool)}
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if (entry.by or {}).get("model") not in pooling:
                continue
            found = pools_of(study, entry.by)
            asked = [*columns_in(conditions(study, entry.by)), *([entry.by["column"]] if "column" in entry.by else [])]
            late = [column for column in asked if column in _of_arms(study)]
            if late:
                raise StudyError(study.file, SEPARATOR.join((kind, id, "by", "filter")), late[0], "Arms are made to print the claims, so none can be about trials chosen by them: take it out.")
            if len(found) != 1:
                remedy = "It is about more than one pool: name the values of one in 'filter'." if found else "No pool of design › trials › effects is of this: add one, or correct 'outcome' and 'filter'."
                raise StudyError(study.file, SEPARATOR.join((kind, id, "by")), {"outcome": entry.by["outcome"], **entry.by.get("filter", {})}, remedy)


def _of_arms(study: Study) -> list[str]:
    """The columns that hold what effects are taken of: sizes, means, SDs, events, hazard ratios; each once, in order."""
    pools = study.design["trials"]["effects"]["pools"]
    return list(dict.fromkeys(column for pool in pools for column in of_effect(study.models[also_of(study, pool)[0]]["effect"])))


def of_effect(effect: Mapping[str, Any]) -> list[str]:
    """The columns that a model's effect is taken of, in the order of its parts, but for the direction of a scale."""
    return [column for part, named in effect.items() if part in _CELLS for column in (named if isinstance(named, list) else [named])]


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


def _named(study: Study, spec: Mapping[str, Any], need: Callable[..., None]) -> None:
    """Raise StudyError where a table, a model, or the column of a year or a category is not there: what the rest is completed by."""
    effects, where = spec["effects"], ("trials", "effects")
    table = effects.get("table", spec["table"])
    need(table, study.tables, "design", *where, "table")
    named = {"model": [effects["model"]], "also": effects.get("also", [])}
    pools = {("pools", str(position), "model"): [pool["model"]] for position, pool in enumerate(effects.get("pools", [])) if "model" in pool}
    for field, names in (*(((field,), names) for field, names in named.items()), *pools.items()):
        for name in names:
            need(name, study.models, "design", *where, *field)
            if study.models[name]["family"] != "random-effects" or study.models[name]["table"] != table:
                raise fault(study, f"The model {name!r} must be of the family 'random-effects' and of the table {table!r}.", *where, *field[:-1], "model")
    for position, entry in enumerate(spec.get("categories", [])):
        need(entry["column"], study.tables[spec["table"]]["columns"], "design", "trials", "categories", str(position), "column")
        if "shares" in entry:
            need(entry["shares"], study.assumptions, "design", "trials", "categories", str(position), "shares")


def _effects(study: Study, spec: dict[str, Any], need: Callable[..., None], of_trials: list[str]) -> None:
    effects, where = spec["effects"], ("trials", "effects")
    table = study.tables[effects["table"]]
    columns, trial = table["columns"], study.tables[spec["table"]]["key"][0]
    own = study.models[effects["model"]]
    for name in effects.get("also", []):
        for field in ("effect", "outcome_column", "rows"):
            if study.models[name].get(field) != own.get(field):
                raise StudyError(study.file, SEPARATOR.join(("models", name, field)), study.models[name].get(field), f"It must be that of {effects['model']!r}, whose claims this model prints again: {own.get(field)}.")
    outcome, single = own["outcome_column"], effects["table"] == spec["table"]
    if single and (len(effects["pools"]) != 1 or effects["pools"][0].keys() & {"values", "twice", "model"}):
        raise fault(study, f"In one table a row is one trial with one outcome: give the outcomes a table of their own, with the parent {spec['table']!r}, and name it in 'table'.", *where)
    if not single and (table.get("parent") != spec["table"] or table["key"][:2] != [trial, outcome]):
        raise fault(study, f"A row of it is one trial and outcome: give it the parent {spec['table']!r} and a key that begins with {trial}, {outcome}.", *where, "table")
    if ("instrument" in effects) != bool(effects["instruments"]):
        raise fault(study, "Give 'instrument', the column that names them, and 'instruments' together, or neither of them.", *where)
    for field, kind in (("instrument", "string"), ("second", "integer")):
        if field in effects:
            need(effects[field], columns, "design", *where, field)
            typed(study, columns, effects[field], (kind,), *where, field)
    models = list(dict.fromkeys(also_of(study, pool)[0] for pool in effects["pools"]))
    for name in models:
        check_cells(study, name, need, *where, "table", decimals=2 if effects["instruments"] else None)
        if study.models[name]["outcome_column"] != outcome:
            raise StudyError(study.file, SEPARATOR.join(("models", name, "outcome_column")), study.models[name]["outcome_column"], f"It must be that of {effects['model']!r}: {outcome}.")
        for column in study.models[name].get("rows", {}):
            if column in _of_arms(study):
                raise StudyError(study.file, SEPARATOR.join(("models", name, "rows")), column, "Arms are made to print the claims, so rows cannot be chosen by them: take it out.")
    for column in _of_arms(study):
        if columns[column].get("required") and not all(column in of_effect(study.models[name]["effect"]) for name in models):
            raise StudyError(study.file, SEPARATOR.join(("tables", effects["table"], "columns", column, "required")), True, "It stays empty in the rows of another model: take 'required' out.")
    within(study, effects["kept"], 0.2, 1, "design", *where, "kept")
    within(study, effects["together"], 0, 1, "design", *where, "together")
    for name, id in effects["instruments"].items():
        need(name, columns[effects["instrument"]].get("values", [name]), "design", *where, "instruments")
        check_scale(study, id, "direction" in own["effect"], need, *where, "instruments", name)
    if "direction" in own["effect"] and not effects["instruments"]:
        raise StudyError(study.file, SEPARATOR.join(("models", effects["model"], "effect", "direction")), own["effect"]["direction"], "Only instruments have a direction: take it out, or give 'instruments'.")
    others = list(effects["pools"][0].get("values", {})) if effects["pools"] else []
    described = [name for name in ("minimum", "maximum", own["effect"].get("direction", "direction")) if name in columns] if effects["instruments"] else []
    used = [effects[field] for field in ("instrument", "second") if field in effects]
    made = [*(of_trials if single else [trial]), outcome, *used, *others, *described, *_of_arms(study)]
    made_once(study, [column for column in made if column != UNWRITTEN], columns, "give it in 'values' of every pool", *where)
    for column in (*others, *table["key"][2:]):
        need(column, columns, "design", *where, "pools", "0", "values")
        if column not in table["key"] or column not in (effects.get("instrument"), *others):
            raise fault(study, f"The column {column!r} must be in the key of {effects['table']!r}, and be named in 'values' or be the instrument.", *where, "pools", "0", "values")
    seen: dict[tuple, int] = {}
    for position, pool in enumerate(effects["pools"]):
        _pool(study, pool, columns, need, *where, "pools", str(position))
        what = (pool["outcome"], *(pool.get("values", {}).get(column) for column in others))
        if list(pool.get("values", {})) != others or what in seen:
            raise fault(study, f"Every pool has 'values' of the same columns ({', '.join(others) or 'none'}), and no two the same outcome and values.", *where, "pools", str(position))
        seen[what] = position


def check_cells(study: Study, name: str, need: Callable[..., None], *where: str, decimals: int | None = 2) -> None:
    """Raise StudyError where the columns of a model's outcome and of its effect are not of the types that are made.

    decimals: those that means and SDs have; None where they may have any, all the same.
    """
    model = study.models[name]
    columns = study.tables[model["table"]]["columns"]
    cells = ((column, _CELLS[part]) for part in model["effect"] if part in _CELLS for column in of_effect({part: model["effect"][part]}))
    two = decimals is not None
    if not two:
        numbers = [column for column in of_effect(model["effect"]) if columns.get(column, {}).get("type") == "number"]
        decimals = columns[numbers[0]].get("decimals", 0) if numbers else 0
    for column, kind in ((model["outcome_column"], "string"), *cells):
        need(column, columns, "models", name, "effect")
        typed(study, columns, column, (kind,), *where)
        if kind == "number" and columns[column].get("decimals", 0) != decimals:
            wanted = "Means and standard deviations are made with two decimals: give 2." if two else f"All that an effect is taken of has as many decimals: give {decimals}."
            raise StudyError(study.file, SEPARATOR.join(("tables", model["table"], "columns", column, "decimals")), columns[column].get("decimals"), wanted)


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
    effects, categories = study.design["trials"]["effects"], study.design["trials"]["categories"]
    model = study.models[also_of(study, pool)[0]]
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
        within(study, id, *(_RATIO if model["effect"]["measure"] in ("rr", "or", "hr") else _ANY), "design", *where, "centre", *([value] if value else []))
    for field, ends in (("spread", (0, math.inf)), ("level", (0.01, 0.99)), ("sd", (1e-9, math.inf)), ("mean", _ANY)):
        if field in pool:
            within(study, pool[field], *ends, "design", *where, field)
    if "small" in pool:
        within(study, pool["small"], *_ANY, "design", *where, "small")
    if "people" in pool:
        whole(study, pool["people"], "design", *where, "people", low=SMALLEST * k // 2, high=study.number(study.design["trials"]["people"]["total"]))
    of_scores, named = "mean" in model["effect"], pool["instruments"]
    if bool(named) != bool(of_scores and effects["instruments"]):
        raise fault(study, "Scores have instruments where 'effects' names any, and other measures have none: correct this.", *where, "instruments")
    if model["effect"]["measure"] == "md" and len(named) > 1:
        raise fault(study, "Differences in points can be pooled only on one scale: name one instrument.", *where, "instruments")
    for field in ("mean", "sd") if named or not of_scores else ("level",):
        if field in pool:
            remedy = "The instruments say it" if named else f"Nothing with the measure {model['effect']['measure']!r} has it"
            raise StudyError(study.file, SEPARATOR.join(("design", *where, field)), pool[field], f"{remedy}: take it out.")
    check_named(study, named, effects["instruments"], need, *where, "instruments")
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
