"""Counts that claims print, found by the rows they are about: people, and those of them with an event, however the study file counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from asprinted.consistency import Finding, tables
from asprinted.questions.claims import numbers_of, printed_of
from asprinted.questions.models import levels_of
from asprinted.study import Claim, Study, wanted_of
from asprinted.study.entries import columns_of

OF_TABLES = ("logistic", "risk-ratio", "risk-difference")  # families whose crude contrast is that of a 2×2 table

Rows = tuple[str, frozenset[tuple[str, str]]]  # a table, and what is wanted of its columns
Counted = Mapping[Rows, Claim]


def with_counts(study: Study) -> Study:
    """The study whose models of two arms name the printed table that they use, where claims print all of it and the entry names none.

    Only models of one outcome have one table. Whether a contrast is that of the table alone is for `checks` to say.
    """
    counted, models = people(study), dict(study.models)
    for name, model in study.models.items():
        by = [claim.by for claim in numbers_of(study) if claim.by.get("model") == name]
        outcomes = {entry["outcome"] for entry in by if isinstance(entry["outcome"], str)}
        if model["family"] not in OF_TABLES or "counts" in model or len(outcomes) != 1:
            continue
        arms = [levels_of(model, entry["contrast"]) for entry in by if isinstance(entry.get("contrast"), str)]
        found = _table(study, model, outcomes.pop(), arms[0], counted) if arms and arms[0] else {}
        if found:
            models[name] = model | {"counts": found}
    return replace(study, models=models)


def of_table(study: Study, claim: Claim) -> tuple[str, ...]:
    """The claim on a model of two arms, with the claims on the counts of its table; empty where there are none."""
    model = with_counts(study).models.get((claim.by or {}).get("model"), {})
    amounts = [entry[part] for entry in model.get("counts", {}).values() for part in ("events", "people")]
    return (claim.id, *(id for id in amounts if id in study.claims)) if amounts else ()


def leaned_on(study: Study, claim: Claim) -> tuple[str, ...]:
    """The claims on how many people of two arms have an event, where the claim is a model's ratio or difference of them that is adjusted, or of several visits: no table proves how near it is to these.

    Empty for any other claim.
    """
    by = claim.by or {}
    model = study.models.get(by.get("model"), {})
    arms = levels_of(model, by["contrast"]) if model.get("family") in (*OF_TABLES, "gee-logistic") and isinstance(by.get("contrast"), str) else None
    if arms is None or of_table(study, claim):
        return ()
    column, *levels = arms
    of_outcome = (each for each in _right(study) if each.by.get("column") == by["outcome"] and each.by["statistic"] in ("sum", "percent"))
    return tuple(each.id for each in of_outcome if each.by.get("filter", {}).get(column) in levels)


def _table(study: Study, model: Mapping[str, Any], outcome: str, arms: tuple[str, Any, Any], counted: Counted) -> dict[Any, dict[str, str]]:
    """Arm → ids of the claims on its events and its people; empty where one is not printed."""
    column, *levels = arms
    if not _of_everyone(study, model["table"], outcome):
        return {}
    found = {}
    for level in levels:
        rows = _rows(model["table"], model.get("rows", {}) | {column: level})
        events, everyone = counted.get((rows[0], rows[1] | {(outcome, "1")})), counted.get(rows)
        if events is None or everyone is None:
            return {}
        found[level] = {"events": events.id, "people": everyone.id}
    return found


def percentages(study: Study) -> Iterator[tuple[Finding, dict[str, str]]]:
    """Each percentage of a yes/no column with the printed counts that it is the share of; with name in the finding → id of the claim."""
    counted = people(study)
    observed = {(*_rows(claim.by["table"], claim.by.get("filter", {})), claim.by["column"]): claim for claim in _right(study) if claim.by["statistic"] == "observed"}
    for claim in numbers_of(study):
        by = claim.by
        if by["statistic"] != "percent" or "table" not in by or "between" in by or "rule" in by or not _yes_or_no(study, by["table"], by["column"]):
            continue
        table, rows = _rows(by["table"], by.get("filter", {}))
        everyone = counted.get((table, rows)) if _of_everyone(study, table, by["column"]) else None
        parts = {"percent": claim, "count": counted.get((table, rows | {(by["column"], "1")})), "n": observed.get((table, rows, by["column"]), everyone)}
        found = {name: part for name, part in parts.items() if part is not None}
        if len(found) == len(parts):
            yield tables.percent_of_count(**{name: printed_of(part) for name, part in found.items()}), {name: part.id for name, part in found.items()}


def people(study: Study) -> dict[Rows, Claim]:
    """Rows → the first claim taken to be right that prints how many people are in them: counts, and sums of columns of 0 and 1."""
    found: dict[Rows, Claim] = {}
    for claim in _right(study):
        by = claim.by
        table, rows = _rows(by["table"], by.get("filter", {}))
        if by["statistic"] == "count":
            found.setdefault((table, rows), claim)
        elif by["statistic"] == "sum" and isinstance(by["column"], str) and _yes_or_no(study, table, by["column"]):
            found.setdefault((table, rows | {(by["column"], "1")}), claim)
    return found


def _right(study: Study) -> Iterator[Claim]:
    """The numbers of tables that are taken to be printed rightly, each of rows that a filter says."""
    for claim in numbers_of(study):
        if "table" in claim.by and "rule" not in claim.by and "between" not in claim.by and claim.expect in ("reproduced", "holds") and printed_of(claim).relation == "=":
            yield claim


def _rows(table: str, filter: Mapping[str, Any]) -> Rows:
    return table, wanted_of(filter)


def _yes_or_no(study: Study, table: str, column: str) -> bool:
    return set(columns_of(study, table).get(column, {}).get("values", ())) == {0, 1}


def _of_everyone(study: Study, table: str, column: str) -> bool:
    """True where every person has a 0 or a 1 in the column, so that its share is one of all people in the rows."""
    return _yes_or_no(study, table, column) and bool(columns_of(study, table)[column].get("required"))
