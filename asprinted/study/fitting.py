"""Outcomes that no record could hold as they are asked for: of a kind that its model cannot take, or two scores and their difference made apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from asprinted.study.entries import SEPARATOR, Study, StudyError
from asprinted.study.starts import table_of

_OF_SCORES = {
    "yes-no": "a yes/no. Ask a model of the family gee-logistic with people as its groups, or logistic with the rows of one visit",
    "time": "a time to an event. Ask a model of the family cox, robust by its groups where there are any",
}  # kind of outcome that a mixed model does not take → what it is, and what can be asked
_CHANGE = re.compile(r"(?:_change|_diff|_difference|_delta)$|^(?:change|diff|difference|delta)_(?:in_|of_)?")

_START_OR_END = r"(?:_(?:start|before|baseline|pre|first|end|after|post|final|last|follow_?up|(?:at_|months?_|weeks?_|visit_|[mtw])?\d+))?"  # after the stem of a score's name


def check_fitting(study: Study) -> None:
    """Raise StudyError where the outcomes of a design cannot be what models, visits and each other make of them."""
    kinds = {column: entry["kind"] for entry in study.design["outcomes"] for column in (entry["column"], entry.get("event", ""))}
    for entry in study.design["outcomes"]:
        if entry["kind"] == "time" and table_of(study, entry["column"]) == study.design.get("visits", {}).get("table", ""):
            where = SEPARATOR.join(("design", "outcomes", entry["column"]))
            raise StudyError(study.file, where, "time", "A time to an event has one row a person, not one a visit: make it a column of the table of people.")
        _check_change(study, entry)
    for part, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            _check_model_of(study, entry.by or {}, kinds, part, id)


def _check_model_of(study: Study, by: Mapping[str, Any], kinds: Mapping[str, str], *where: str) -> None:
    """Raise StudyError where a mixed model is asked of an outcome that is no score."""
    if study.models.get(by.get("model"), {}).get("family") != "mixed" or not isinstance(by["outcome"], str):
        return
    if (kind := kinds.get(by["outcome"])) in _OF_SCORES:
        remedy = f"A linear mixed model is of a score, and this is {_OF_SCORES[kind]}. What a logistic or survival model with random effects printed can stand as a claim of the kind context."
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "outcome")), by["outcome"], remedy)


def _check_change(study: Study, entry: Mapping[str, Any]) -> None:
    """Raise StudyError where a score named as a change stands beside both the scores that it is taken between, since each column is made on its own."""
    stem = _CHANGE.sub("", entry["column"])
    if entry["kind"] != "score" or stem == entry["column"] or not stem:
        return
    scores = [each["column"] for each in study.design["outcomes"] if each["kind"] == "score"]
    beside = [column for column in scores if re.fullmatch(re.escape(stem) + _START_OR_END, column)]
    visits = study.design.get("visits", {}).get("table", "")
    if len(beside) > 1 or any(table_of(study, column) == visits for column in beside):
        remedy = (
            f"It would be made apart from {' and '.join(beside)}, and not be their difference. Make two of the three, a start and its change say; "
            "or make one score at visits, and ask its change of a model by a contrast of two visits; or call it otherwise where it is no such difference."
        )
        raise StudyError(study.file, SEPARATOR.join(("design", "outcomes", entry["column"])), None, remedy)
