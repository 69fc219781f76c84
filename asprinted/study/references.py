"""Whether everything that a study file names is there, and is of the kind that its use needs."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

from asprinted import printed
from asprinted.study.designs import check_design
from asprinted.study.entries import SEPARATOR, Claim, Study, StudyError, columns_of, nearest, number_in, whole
from asprinted.study.families import GIVEN_BY, check_family, check_statistic
from asprinted.study.rules import check_asked, check_rules, columns_in, conditions

_OF_POOL = {"est", "se", "lo", "hi", "p", "tau2", "q", "q_p", "i2", "k", "n", "prediction_lo", "prediction_hi", "lead", "egger", "egger_p", "q_between", "between_p", "percent_below"}
_OF_SUBGROUPS = {"q_between", "between_p"}
_OF_BOUNDED = {"share_at_minimum", "share_at_maximum", "largest_share"}
_OF_MEAN = {"se", "lo", "hi"}  # of a table's mean, and of models
_OF_NUMBERS = _OF_BOUNDED | {"percent", "mean", "sd", "skewness", "correlation", "icc", "lost_difference", "smallest_sum", "sum", "percent_at_least", "median", "survival_median", "survival", "incidence", "rate", "q1", "q3", "iqr", "minimum", "maximum"} | _OF_MEAN
_OF_VISITS = {"correlation", "icc", "lost_difference", "returned", "duplicates"}
_PARTS = dict.fromkeys(("smd", "md"), ("n", "mean", "sd")) | dict.fromkeys(("rr", "or", "rd"), ("n", "events")) | {"hr": ("n", "log", "se")}  # measure → what it is taken of
_WITH_LIMITS = ("n", "ratio", "lo", "hi")  # and hazard ratios that stand with their limits
_OF_ONE = ("direction", "log", "se", "ratio", "lo", "hi")  # parts that are one column, not one an arm
_NEEDS = {"count": (), "duplicates": ()} | {name: ("column", "between") for name in ("correlation", "icc", "lost_difference", "returned")} | {"survival_median": ("column", "event"), "survival": ("column", "event", "at"), "incidence": ("column", "event", "at"), "rate": ("column", "exposure"), "percent_at_least": ("column", "at_least"), "percent_equal": ("column", "equals")}


def check_references(study: Study) -> None:
    """Raise StudyError where an entry names something that is not there."""
    file, need = study.file, functools.partial(_need, study)
    for name, table in study.tables.items():
        for column in table["key"]:
            need(column, table["columns"], "tables", name, "key")
        if "parent" in table:
            need(table["parent"], study.tables, "tables", name, "parent")
            need(table["key"][0], study.tables[table["parent"]]["columns"], "tables", name, "parent")
            if table["parent"] == name or "parent" in study.tables[table["parent"]]:
                raise StudyError(file, SEPARATOR.join(("tables", name, "parent")), table["parent"], "A parent has no parent itself, and is another table: name the table of people, or take it out.")
            for column in table["columns"]:
                if column != table["key"][0] and column in study.tables[table["parent"]]["columns"]:
                    raise StudyError(file, SEPARATOR.join(("tables", name, "columns")), column, f"The parent {table['parent']!r} has a column of that name too: call one of them otherwise.")
        for column, spec in table["columns"].items():
            _check_column(study, spec, "tables", name, "columns", column)
        for other in study.tables:
            if other != name and study.tables[other]["file"] == table["file"]:
                raise StudyError(file, SEPARATOR.join(("tables", name, "file")), table["file"], f"The table {other!r} has the same file: give each its own.")
    check_rules(study)
    for claim in study.claims.values():  # before the models, whose amounts name claims
        if claim.printed is not None and claim.kind in ("number", "inequality"):
            _check_printed(file, claim)
    for name, model in study.models.items():
        _check_model(study, name, model)
    for id, claim in study.claims.items():
        need(claim.source, study.sources, "claims", id, "source")
        is_text = (claim.by or {}).get("statistic") == "values"
        if is_text and claim.kind not in ("words", "context"):
            raise StudyError(file, SEPARATOR.join(("claims", id, "by", "statistic")), "values", f"It gives text, for a claim of the kind 'words', not {claim.kind!r}.")
        if claim.declared is not None and claim.kind in ("words", "direction") and not is_text:
            try:
                printed.declared_interval(claim.declared)
            except ValueError as error:
                raise StudyError(file, SEPARATOR.join(("claims", id, "declared")), claim.declared, f'{error}: what is computed is a number, so declare one, such as ">0".') from None
        if claim.expect not in ("reproduced", "holds", "context") and not claim.reason:
            raise StudyError(file, SEPARATOR.join(("claims", id)), None, f"The field 'reason' is missing: a claim expected to be {claim.expect!r} needs one.")
    for id, assumption in study.assumptions.items():
        limits = [number_in(study.file, ("assumptions", id, "bounds"), bound) for bound in assumption.bounds or ()]
        if limits != sorted(limits):
            raise StudyError(file, SEPARATOR.join(("assumptions", id, "bounds")), list(assumption.bounds or ()), "The lower bound comes first.")
        if (assumption.by or {}).get("statistic") == "share_deviation":
            study.shares(id)
        if (assumption.by or {}).get("statistic") == "values" and assumption.bounds:
            raise StudyError(file, SEPARATOR.join(("assumptions", id, "by", "statistic")), "values", "It gives text, which has no bounds: take them out.")
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if entry.by:
                _check_by(study, entry.by, kind, id)
    check_design(study, need)


def _need(study: Study, name: Any, known: Any, *where: str) -> None:
    """Raise StudyError at `where` unless `name` is one of the `known`."""
    if name not in known:
        raise StudyError(study.file, SEPARATOR.join(where), name, f"Nothing of that name.{nearest(str(name), known)}")


def _check_column(study: Study, spec: dict[str, Any], *where: str) -> None:
    """Raise StudyError where no cell can be what the column allows."""
    if spec.get("minimum", -math.inf) > spec.get("maximum", math.inf):
        raise StudyError(study.file, SEPARATOR.join((*where, "minimum")), spec["minimum"], f"It is above the maximum, {spec['maximum']}.")
    for value in spec.get("values", []):
        if isinstance(value, str) != (spec["type"] == "string"):
            raise StudyError(study.file, SEPARATOR.join((*where, "values")), value, f"It is not of the column's type, {spec['type']}: change one of them.")


def _check_model(study: Study, name: str, model: dict[str, Any]) -> None:
    """Raise StudyError where a model lacks a field, has one that its family does not take, or names something unknown."""
    need = functools.partial(_need, study)

    def fault(remedy: str, *where: str, value: Any = None) -> StudyError:
        return StudyError(study.file, SEPARATOR.join(("models", name, *where)), value, remedy)

    need(model["table"], study.tables, "models", name, "table")
    check_family(study, name, model)
    columns = columns_of(study, model["table"])
    if "waves" in model:
        for column in model["waves"]["columns"]:
            need(column, columns, "models", name, "waves", "columns")
        columns = columns | {model["waves"]["time"]: {"values": list(model["waves"]["columns"].values())}}
    for field in ("groups", "time", "exposure", "outcome_column"):
        if field in model:
            need(model[field], columns, "models", name, field)
    if "effect" in model:
        measure = model["effect"]["measure"]
        parts = _WITH_LIMITS if measure == "hr" and "ratio" in model["effect"] else _PARTS[measure]
        more = ("direction",) if "mean" in parts else ("events",) if measure == "hr" else ()
        for part in parts:
            if part not in model["effect"]:
                raise fault(f"The field {part!r} is missing: the measure {measure!r} is taken of {', '.join(parts)}.", "effect")
        for part in (each for each in model["effect"] if each not in ("measure", *parts, *more)):
            raise fault(f"The measure {measure!r} is taken of {', '.join(parts)}: take it out.", "effect", part, value=model["effect"][part])
    for part, pair in model.get("effect", {}).items():
        for column in () if part == "measure" else [pair] if part in _OF_ONE else pair:
            need(column, columns, "models", name, "effect", part)
            if columns[column]["type"] == "string":
                raise fault(f"The column {column!r} holds text: name one of numbers.", "effect", part, value=column)
    if "baseline" in model:
        need(model["baseline"]["column"], columns, "models", name, "baseline", "column")
        need(model["baseline"]["value"], columns[model["baseline"]["column"]].get("values", [model["baseline"]["value"]]), "models", name, "baseline", "value")
    _check_values(study, model.get("rows", {}), columns, "models", name, "rows")
    if "events" in model and not sum(whole(study, amount, "models", name, "events", str(number)) for number, amount in enumerate(model["events"])):
        raise fault("They add up to none: a fit uses one event or more.", "events", value=model["events"])
    arms = [value for terms in model.get("contrasts", {}).values() for term in terms for value in term["at"].values()]
    for arm, counts in model.get("counts", {}).items():
        need(arm, arms, "models", name, "counts")
        people = whole(study, counts["people"], "models", name, "counts", arm, "people", low=1)
        whole(study, counts["events"], "models", name, "counts", arm, "events", high=people)
    if "instead_of" in model:
        need(model["instead_of"], [other for other in study.models if other != name], "models", name, "instead_of")
        if "instead_of" in study.models[model["instead_of"]]:
            raise fault("That model stands instead of another itself: name the one whose claims were tried.", "instead_of", value=model["instead_of"])
        for contrast in model.get("contrasts", {}):
            need(contrast, study.models[model["instead_of"]].get("contrasts", {}), "models", name, "contrasts")
    for contrast, terms in model.get("contrasts", {}).items():
        for column, value in (pair for term in terms for pair in term["at"].items()):
            need(column, columns, "models", name, "contrasts", contrast, "at")
            need(value, columns[column].get("values", [value]), "models", name, "contrasts", contrast, "at", str(column))


def _check_printed(file: Path, claim: Claim) -> None:
    where = SEPARATOR.join(("claims", claim.id, "printed"))
    try:
        number = printed.parse(claim.printed, claim.rounding)
    except ValueError as error:
        raise StudyError(file, where, claim.printed, f"{error}.") from None
    if (number.relation != "=") != (claim.kind == "inequality"):
        kind = "inequality" if number.relation != "=" else "number"
        raise StudyError(file, where, claim.printed, f"This text is of the kind {kind!r}: change 'kind'.")


def _check_by(study: Study, by: dict[str, Any], *where: str) -> None:
    need, of_model = functools.partial(_need, study), "model" in by
    of_pool = of_model and study.models.get(by["model"], {}).get("family") == "random-effects"
    if by["statistic"] not in _OF_POOL if of_pool else not of_model and by["statistic"] in (GIVEN_BY.keys() | _OF_POOL) - _OF_MEAN:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), by["statistic"], f"{'A model of that family' if of_pool else 'A table'} does not give it.")
    for name in ("outcome",) if of_model else _NEEDS.get(by["statistic"], ("column",)):
        if name not in by:
            raise StudyError(study.file, SEPARATOR.join((*where, "by")), None, f"The field {name!r} is missing: add it.")
    if of_pool:
        _check_by_pool(study, by, *where)
    elif of_model:
        need(by["model"], study.models, *where, "by", "model")
        model = study.models[by["model"]]
        columns = columns_of(study, model["table"]) | {model.get("waves", {}).get("outcome", ""): {}}
        if "instead_of" in model:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "model")), by["model"], f"It stands instead of {model['instead_of']!r} and is never used: name that one.")
        check_statistic(study, by, *where)
        for outcome in [by["outcome"]] if isinstance(by["outcome"], str) else by["outcome"]:
            need(outcome, columns, *where, "by", "outcome")
        if "rule" in by:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "rule")), by["rule"], "Rules choose rows of a table or of a pool: ask one of those, or take it out.")
    if of_model:
        return
    need(by["table"], study.tables, *where, "by", "table")
    columns = columns_of(study, by["table"])
    if by["statistic"] == "share_deviation" and where[0] != "assumptions":
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "share_deviation", "It compares with an assumption's shares: only an assumption can have it.")
    if by["statistic"] in _OF_VISITS and len(study.tables[by["table"]]["key"]) < 2:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "table")), by["table"], f"{by['statistic']!r} is taken over visits: name a table whose key is a person and a visit.")
    if by["statistic"] == "icc" and "groups" not in study.design.get("people", {"groups": {}}):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "icc", "It is of programme groups: add 'groups' to the people of the design.")
    if by["statistic"] != "share_deviation" and "column" in by and isinstance(by["column"], list) != (by["statistic"] == "smallest_sum"):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), by["column"], f"Give {'a list of columns' if by['statistic'] == 'smallest_sum' else 'one column'}.")
    for column in [by["column"]] if isinstance(by.get("column"), str) else by.get("column", []):
        need(column, columns, *where, "by", "column")
        if columns[column]["type"] == "string" and by["statistic"] in _OF_NUMBERS:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"It holds text, of which {by['statistic']!r} cannot be taken.")
        for field, of in (("event", "1 and 0"), ("exposure", "time at risk")):
            if field in _NEEDS.get(by["statistic"], ()):
                need(by[field], columns, *where, "by", field)
                if columns[by[field]]["type"] == "string":
                    raise StudyError(study.file, SEPARATOR.join((*where, "by", field)), by[field], f"It holds text: name a column of {of}.")
        for bound in ("minimum", "maximum") if by["statistic"] in _OF_BOUNDED else ():
            if bound not in columns[column]:
                raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"Give that column a {bound!r}.")
    if "equals" in by:
        need(by["equals"], columns[by["column"]].get("values", [by["equals"]]), *where, "by", "equals")
    check_asked(study, by, columns, *where, "by")
    _check_values(study, by.get("between", {}), columns, *where, "by", "between")
    pairs = list(by.get("between", {"": [0, 0]}).values())
    if len(pairs) != 1 or not isinstance(pairs[0], list) or len(pairs[0]) != 2:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "between")), by["between"], "Give one column and two of its values.")


def _check_values(study: Study, wanted: dict[str, Any], columns: dict[str, Any], *where: str) -> None:
    """Raise StudyError where a column is not there, or cannot hold a value that is wanted of it."""
    for column, values in wanted.items():
        _need(study, column, columns, *where)
        if values is None or values == [] or any(isinstance(value, (list, dict)) for value in (values if isinstance(values, list) else [values])):
            raise StudyError(study.file, SEPARATOR.join((*where, str(column))), values, "Give a value, or a list of values.")
        for value in values if isinstance(values, list) else [values]:
            _need(study, value, columns[column].get("values", [value]), *where, str(column))


def _check_by_pool(study: Study, by: dict[str, Any], *where: str) -> None:
    """Raise StudyError where what an entry asks of a random-effects model is not there."""
    model = study.models[by["model"]]
    columns = columns_of(study, model["table"])
    for field in by:
        if field not in ("model", "outcome", "rule", "filter", "statistic", *(["column"] if by["statistic"] in _OF_SUBGROUPS else [])):
            raise StudyError(study.file, SEPARATOR.join((*where, "by", field)), by[field], "A random-effects model does not take it: take it out.")
    if "instead_of" in model:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "model")), by["model"], f"It stands instead of {model['instead_of']!r} and is never used: name that one.")
    if not isinstance(by["outcome"], str) and (by["statistic"] != "percent_below" or not by["outcome"]):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "outcome")), by["outcome"], "Name one outcome: others are pooled on their own.")
    for outcome in [by["outcome"]] if isinstance(by["outcome"], str) else by["outcome"]:
        _need(study, outcome, columns[model["outcome_column"]].get("values", [outcome]), *where, "by", "outcome")
    check_asked(study, by, columns, *where, "by")
    if model["outcome_column"] in columns_in(conditions(study, by)):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), model["outcome_column"], "The 'outcome' says which rows of this column are pooled: take it out of the filter, or of the rule.")
    claim = study.claims[where[1]] if where[0] == "claims" else None
    if by["statistic"] in ("k", "n") and claim and claim.printed is not None and ((number := printed.parse(claim.printed, claim.rounding).value) < 1 or number % 1):
        raise StudyError(study.file, SEPARATOR.join((*where, "printed")), claim.printed, f"{'Trials' if by['statistic'] == 'k' else 'People'} are counted: a whole number from 1 is needed here.")
    if by["statistic"] in _OF_SUBGROUPS:
        if not isinstance(by.get("column"), str):
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), by.get("column"), "The test is between subgroups of trials: name the column whose values make them.")
        _need(study, by["column"], columns, *where, "by", "column")
        chosen = by.get("filter", {}).get(by["column"])
        if chosen is not None and not (isinstance(chosen, list) and len(chosen) > 1):
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), chosen, f"It leaves one subgroup: give two or more values of {by['column']!r}, or take it out.")
    if by["statistic"] == "lead" and (not by.get("filter") or isinstance(list(by["filter"].values())[-1], (list, dict))):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), None, "The lead is over the other values of the filter's last column: give it one value.")
