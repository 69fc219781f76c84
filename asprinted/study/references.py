"""Whether everything that a study file names is there, and is of the kind that its use needs."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asprinted import printed
from asprinted.study.statistics import check_by, check_values, require
from asprinted.study.designs import check_design
from asprinted.study.entries import SEPARATOR, Assumption, Claim, Faults, Study, StudyError, columns_of, nearest, number_in, whole
from asprinted.study.families import check_family
from asprinted.study.rules import check_rules

_PARTS = dict.fromkeys(("smd", "md"), ("n", "mean", "sd")) | dict.fromkeys(("rr", "or", "rd"), ("n", "events")) | {"hr": ("n", "log", "se")}  # measure → what it is taken of
_WITH_LIMITS = ("n", "ratio", "lo", "hi")  # and hazard ratios that stand with their limits
_OF_ONE = ("direction", "log", "se", "ratio", "lo", "hi")  # parts that are one column, not one an arm


def check_references(study: Study) -> None:
    """Raise StudyError where an entry names something that is not there; StudyErrors where several do.

    What other entries stand on is checked before them: tables, then models and what is printed, then how claims are recomputed, then the design.
    """
    found = Faults()
    for name in study.tables:
        with found.noted():
            _check_table(study, name)
    found.told()
    with found.noted():
        check_rules(study)
    unfit: set[str] = set()  # claims of which the number, and models of which the fields, cannot be used
    for claim in study.claims.values():  # before the models, whose amounts name claims
        if claim.printed is not None and claim.kind in ("number", "inequality"):
            with found.noted(into=unfit, name=claim.id):
                _check_printed(study.file, claim)
    for name in study.models:
        for amount, where in _amounts_of(study, name):
            with found.noted(into=unfit, name=name):
                _check_amount(study, amount, _of_model(study, name, where[2]), *where)
    for amount, where in _people_in(study):
        with found.noted():
            everybody = "; where everybody has a value, take 'seen' out" if "seen" in where else ""
            _check_amount(study, amount, f"Add a claim of it, or an assumption, or write a whole number in its place{everybody}.", *where)
    for name, model in study.models.items():
        if name not in unfit:
            with found.noted(into=unfit, name=name):
                _check_model(study, name, model)
    for claim in study.claims.values():
        with found.noted():
            _check_claim(study, claim)
    for assumption in study.assumptions.values():
        with found.noted():
            _check_assumption(study, assumption)
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if entry.by and not {id, entry.by.get("model")} & unfit:
                with found.noted():
                    check_by(study, entry.by, kind, id)
    found.told()
    check_design(study, functools.partial(require, study))


def _amounts_of(study: Study, name: str) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Each amount in the fields `events` and `counts` of a model, and where it stands."""
    model = study.models[name]
    for number, amount in enumerate(model.get("events", [])):
        yield amount, ("models", name, "events", str(number))
    for arm, counts in model.get("counts", {}).items():
        for part, amount in counts.items():
            yield amount, ("models", name, "counts", arm, part)


def _people_in(study: Study) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Each amount that says how many people of an arm there are, are seen at a visit, or have an outcome, and where it stands."""
    places = [(("people", "arms", "sizes"), study.design.get("people", {}).get("arms", {}).get("sizes", {})), (("visits", "seen"), study.design.get("visits", {}).get("seen", {}))]
    places += [(("outcomes", str(place), "seen"), outcome.get("seen", {})) for place, outcome in enumerate(study.design.get("outcomes", []))]
    for where, arms in places:
        for arm, amounts in arms.items():
            if isinstance(amounts, list):
                yield from ((amount, ("design", *where, arm, str(place))) for place, amount in enumerate(amounts))
            else:
                yield amounts, ("design", *where, arm)


def _of_model(study: Study, name: str, field: str) -> str:
    """What to do where an amount of a model's field is gone."""
    if any(claim.by and claim.by.get("model") == name for claim in study.claims.values()):
        return f"Take {field!r} out of the model, or add a claim of it."
    return f"No claim uses the model: delete it, or take {field!r} out of it."


def _check_amount(study: Study, amount: Any, remedy: str, *where: str) -> None:
    """Raise StudyError, with what to do, where an amount names neither a claim nor an assumption."""
    if isinstance(amount, str) and amount not in study.claims and amount not in study.assumptions:
        slip = nearest(amount, [*study.claims, *study.assumptions])
        raise StudyError(study.file, SEPARATOR.join(where), amount, f"No claim or assumption of that name holds one number. {remedy}{slip if 'Did you mean' in slip else ''}")


def _check_table(study: Study, name: str) -> None:
    """Raise StudyError where a table's key, parent or columns cannot be."""
    file, need, table = study.file, functools.partial(require, study), study.tables[name]
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


def _check_claim(study: Study, claim: Claim) -> None:
    """Raise StudyError where a claim's source is not there, or what it declares or expects does not go with its kind."""
    id = claim.id
    require(study, claim.source, study.sources, "claims", id, "source")
    is_text = (claim.by or {}).get("statistic") == "values"
    if is_text and claim.kind not in ("words", "context"):
        raise StudyError(study.file, SEPARATOR.join(("claims", id, "by", "statistic")), "values", f"It gives text, for a claim of the kind 'words', not {claim.kind!r}.")
    if claim.declared is not None and claim.kind in ("words", "direction") and not is_text:
        try:
            printed.declared_interval(claim.declared)
        except ValueError as error:
            raise StudyError(study.file, SEPARATOR.join(("claims", id, "declared")), claim.declared, f'{error}: what is computed is a number, so declare one, such as ">0".') from None
    if claim.expect not in ("reproduced", "holds", "context") and not claim.reason:
        raise StudyError(study.file, SEPARATOR.join(("claims", id)), None, f"The field 'reason' is missing: a claim expected to be {claim.expect!r} needs one.")


def _check_assumption(study: Study, assumption: Assumption) -> None:
    """Raise StudyError where an assumption's bounds or shares are none."""
    where, statistic = ("assumptions", assumption.id), (assumption.by or {}).get("statistic")
    limits = [number_in(study.file, (*where, "bounds"), bound) for bound in assumption.bounds or ()]
    if limits != sorted(limits):
        raise StudyError(study.file, SEPARATOR.join((*where, "bounds")), list(assumption.bounds or ()), "The lower bound comes first.")
    if statistic == "share_deviation":
        study.shares(assumption.id)
    if statistic == "values" and assumption.bounds:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "values", "It gives text, which has no bounds: take them out.")


def _check_column(study: Study, spec: dict[str, Any], *where: str) -> None:
    """Raise StudyError where no cell can be what the column allows."""
    if spec.get("minimum", -math.inf) > spec.get("maximum", math.inf):
        raise StudyError(study.file, SEPARATOR.join((*where, "minimum")), spec["minimum"], f"It is above the maximum, {spec['maximum']}.")
    for value in spec.get("values", []):
        if isinstance(value, str) != (spec["type"] == "string"):
            raise StudyError(study.file, SEPARATOR.join((*where, "values")), value, f"It is not of the column's type, {spec['type']}: change one of them.")


def _check_model(study: Study, name: str, model: dict[str, Any]) -> None:
    """Raise StudyError where a model lacks a field, has one that its family does not take, or names something unknown."""
    need = functools.partial(require, study)

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
    check_values(study, model.get("rows", {}), columns, "models", name, "rows")
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
