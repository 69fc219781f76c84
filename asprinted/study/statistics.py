"""What a claim or an assumption is recomputed by: whether the table or the model that it names is there, and gives what it asks for."""

from __future__ import annotations

import functools
from typing import Any

from asprinted import printed
from asprinted.study.entries import SEPARATOR, Faults, Study, StudyError, columns_of, nearest
from asprinted.study.families import check_statistic
from asprinted.study.meanings import OF_POOL, OF_TABLE, given_by
from asprinted.study.rules import check_asked, columns_in, conditions

_OF_POOL = OF_POOL.keys()
_OF_SUBGROUPS = {"q_between", "between_p"}
_OF_BOUNDED = {"share_at_minimum", "share_at_maximum", "largest_share"}
_OF_NUMBERS = _OF_BOUNDED | {"percent", "mean", "sd", "skewness", "correlation", "icc", "lost_difference", "smallest_sum", "sum", "percent_at_least", "median", "survival_median", "survival", "incidence", "rate", "q1", "q3", "iqr", "minimum", "maximum"} | {"se", "lo", "hi"}
_OF_VISITS = {"correlation", "icc", "lost_difference", "returned", "duplicates"}
_NEEDS = {"count": (), "duplicates": ()} | {name: ("column", "between") for name in ("correlation", "icc", "lost_difference", "returned")} | {"survival_median": ("column", "event"), "survival": ("column", "event", "at"), "incidence": ("column", "event", "at"), "rate": ("column", "exposure"), "percent_at_least": ("column", "at_least"), "percent_equal": ("column", "equals")}


def require(study: Study, name: Any, known: Any, *where: str, like: Any = None) -> None:
    """Raise StudyError at `where` unless `name` is one of the `known`; `like`, where given, are those that can have been meant."""
    if name not in known:
        raise StudyError(study.file, SEPARATOR.join(where), name, f"Nothing of that name.{nearest(str(name), like or known)}")


def check_by(study: Study, by: dict[str, Any], *where: str) -> None:
    """Raise StudyError where what an entry's `by` names is not there or does not give its statistic; StudyErrors where several names are not."""
    need, of_model = functools.partial(require, study), "model" in by
    of_pool = of_model and study.models.get(by["model"], {}).get("family") == "random-effects"
    if of_pool and by["statistic"] not in _OF_POOL or not of_model and by["statistic"] not in OF_TABLE:
        what, given = ("A model of that family", OF_POOL) if of_pool else ("A table", OF_TABLE)
        remedy = f"{what} does not give it. {given_by(by['statistic'])} Ask for one of {', '.join(given)}: `asprinted kinds --statistics` says what each is."
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), by["statistic"], remedy)
    for name in ("outcome",) if of_model else _NEEDS.get(by["statistic"], ("column",)):
        if name not in by:
            raise StudyError(study.file, SEPARATOR.join((*where, "by")), None, f"The field {name!r} is missing: add it.")
    if of_pool:
        _check_pool(study, by, *where)
    elif of_model:
        need(by["model"], study.models, *where, "by", "model")
        model = study.models[by["model"]]
        columns, found = columns_of(study, model["table"]) | {model.get("waves", {}).get("outcome", ""): {}}, Faults()
        if "instead_of" in model:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "model")), by["model"], f"It stands instead of {model['instead_of']!r} and is never used: name that one.")
        with found.noted():
            check_statistic(study, by, *where)
        for outcome in [by["outcome"]] if isinstance(by["outcome"], str) else by["outcome"]:
            with found.noted():
                need(outcome, columns, *where, "by", "outcome", like=_measured(study, model["table"]))
        found.told()
        if "rule" in by:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "rule")), by["rule"], "Rules choose rows of a table or of a pool: ask one of those, or take it out.")
    if of_model:
        return
    need(by["table"], study.tables, *where, "by", "table")
    columns, found = columns_of(study, by["table"]), Faults()
    if by["statistic"] == "share_deviation" and where[0] != "assumptions":
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "share_deviation", "It compares with an assumption's shares: only an assumption can have it.")
    if by["statistic"] in _OF_VISITS and len(study.tables[by["table"]]["key"]) < 2:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "table")), by["table"], f"{by['statistic']!r} is taken over visits: name a table whose key is a person and a visit.")
    if by["statistic"] == "icc" and "groups" not in study.design.get("people", {"groups": {}}):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "icc", "It is of programme groups: add 'groups' to the people of the design.")
    if by["statistic"] != "share_deviation" and "column" in by and isinstance(by["column"], list) != (by["statistic"] == "smallest_sum"):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), by["column"], f"Give {'a list of columns' if by['statistic'] == 'smallest_sum' else 'one column'}.")
    with found.noted():
        _check_columns(study, by, columns, *where)
    with found.noted():
        check_asked(study, by, columns, *where, "by")
    found.told()
    check_values(study, by.get("between", {}), columns, *where, "by", "between")
    pairs = list(by.get("between", {"": [0, 0]}).values())
    if len(pairs) != 1 or not isinstance(pairs[0], list) or len(pairs[0]) != 2:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "between")), by["between"], "Give one column and two of its values.")


def _measured(study: Study, table: str) -> list[str]:
    """The columns of a table that can be an outcome: all but keys and those that say who people are."""
    people = study.design.get("people", {})
    others = {key for each in study.tables.values() for key in each["key"]} | {people[part]["column"] for part in ("arms", "sites", "clusters", "groups") if part in people}
    return [column for column in columns_of(study, table) if column not in others]


def _check_columns(study: Study, by: dict[str, Any], columns: dict[str, Any], *where: str) -> None:
    """Raise StudyError where a table does not have the columns of an entry's `by`, or they do not hold what its statistic is taken of."""
    need = functools.partial(require, study)
    for column in [by["column"]] if isinstance(by.get("column"), str) else by.get("column", []):
        need(column, columns, *where, "by", "column")
        if columns[column]["type"] == "string" and by["statistic"] in _OF_NUMBERS:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"It holds text, of which {by['statistic']!r} cannot be taken.")
        for field, of in (("event", "1 and 0"), ("exposure", "time at risk")):
            if field in _NEEDS.get(by["statistic"], ()):
                need(by[field], columns, *where, "by", field)
                if columns[by[field]]["type"] == "string":
                    raise StudyError(study.file, SEPARATOR.join((*where, "by", field)), by[field], f"It holds text: name a column of {of}.")
        if by["statistic"] == "percent" and not _yes_or_no(study, column, columns[column]):
            remedy = (
                f"'percent' is {OF_TABLE['percent']}, and {column!r} holds other numbers. Ask for its mean; for percent_at_least with a number 'at_least', or for percent_equal with a value 'equals'; "
                "where the paper prints the share of people who were seen, claim how many they are: that is observed."
            )
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), "percent", remedy)
        for bound in ("minimum", "maximum") if by["statistic"] in _OF_BOUNDED else ():
            if bound not in columns[column]:
                raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"Give that column a {bound!r}.")
    if "equals" in by:
        need(by["equals"], columns[by["column"]].get("values", [by["equals"]]), *where, "by", "equals")


def _yes_or_no(study: Study, column: str, spec: dict[str, Any]) -> bool:
    """Whether a column can hold nothing but 1 and 0, as far as its entry says; whether it is an outcome of another kind says the design."""
    allowed = spec.get("values", (spec.get("minimum", 0), spec.get("maximum", 1)))
    other = any(entry["column"] == column and entry["kind"] in ("score", "count", "ordinal", "time") for entry in study.design.get("outcomes", ()))
    return set(allowed) <= {0, 1} and not other


def check_values(study: Study, wanted: dict[str, Any], columns: dict[str, Any], *where: str) -> None:
    """Raise StudyError where a column is not there, or cannot hold a value that is wanted of it."""
    for column, values in wanted.items():
        require(study, column, columns, *where)
        if values is None or values == [] or any(isinstance(value, (list, dict)) for value in (values if isinstance(values, list) else [values])):
            raise StudyError(study.file, SEPARATOR.join((*where, str(column))), values, "Give a value, or a list of values.")
        for value in values if isinstance(values, list) else [values]:
            require(study, value, columns[column].get("values", [value]), *where, str(column))


def _check_pool(study: Study, by: dict[str, Any], *where: str) -> None:
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
        require(study, outcome, columns[model["outcome_column"]].get("values", [outcome]), *where, "by", "outcome")
    check_asked(study, by, columns, *where, "by")
    if model["outcome_column"] in columns_in(conditions(study, by)):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), model["outcome_column"], "The 'outcome' says which rows of this column are pooled: take it out of the filter, or of the rule.")
    claim = study.claims[where[1]] if where[0] == "claims" else None
    if by["statistic"] in ("k", "n") and claim and claim.printed is not None and ((number := printed.parse(claim.printed, claim.rounding).value) < 1 or number % 1):
        raise StudyError(study.file, SEPARATOR.join((*where, "printed")), claim.printed, f"{'Trials' if by['statistic'] == 'k' else 'People'} are counted: a whole number from 1 is needed here.")
    if by["statistic"] in _OF_SUBGROUPS:
        if not isinstance(by.get("column"), str):
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), by.get("column"), "The test is between subgroups of trials: name the column whose values make them.")
        require(study, by["column"], columns, *where, "by", "column")
        chosen = by.get("filter", {}).get(by["column"])
        if chosen is not None and not (isinstance(chosen, list) and len(chosen) > 1):
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), chosen, f"It leaves one subgroup: give two or more values of {by['column']!r}, or take it out.")
    if by["statistic"] == "lead" and (not by.get("filter") or isinstance(list(by["filter"].values())[-1], (list, dict))):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "filter")), None, "The lead is over the other values of the filter's last column: give it one value.")
