"""Other engines that recompute the claims: the rows are the same, the code of every fit is not ours.

`python` asks statsmodels, scipy and Python's `statistics`; `r` asks R. Neither imports a model of this library.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from asprinted import records
from asprinted.engines import python, r
from asprinted.models.formula import asked_rows, used_rows
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study

__all__ = ["ENGINES", "Answer", "Question", "available", "questions", "recompute"]

ENGINES = {python.NAME: python, r.NAME: r}


@dataclass(frozen=True)
class Question:
    """What an engine is asked, without anything of ours in it but the rows.

    frame: the rows, with the columns that are needed. by: the entry's `by`. model: the model's entry, or None. outcome: its outcome.
    contrasts: the terms of each contrast. effects: of a pool, the effects; or None.
    """

    frame: pd.DataFrame
    by: Mapping[str, Any]
    model: Mapping[str, Any] | None = None
    outcome: str = ""
    contrasts: tuple[Any, ...] = ()
    effects: Any = None


@dataclass(frozen=True)
class Answer:
    """What an engine computed of a claim: the value, or None and why there is none."""

    engine: str
    value: float | None
    reason: str = ""


def available() -> list[str]:
    """The names of the engines that this machine has."""
    return [name for name, engine in ENGINES.items() if engine.available()]


def recompute(study: Study, tables: Mapping[str, pd.DataFrame], engine: str, ids: Collection[str] | None = None) -> dict[str, Answer]:
    """The Answer of one engine to every claim that holds a number, or to those named: id → Answer.

    A claim about several outcomes gets the smallest or the largest of their values, as it asks. Raises StudyError where the records do not
    allow a question to be put.
    """
    asked = questions(study, tables, ids)
    each = iter(ENGINES[engine].answers([question for several in asked.values() for question in several], Answer))
    return {id: _one([next(each) for _ in several], several[0].by) for id, several in asked.items()}


def _one(answers: list[Answer], by: Mapping[str, Any]) -> Answer:
    """Of the answers to one claim that which it takes; the first without a value, if there is one."""
    for answer in answers:
        if answer.value is None:
            return answer
    return (max if by.get("take") == "largest" else min)(answers, key=lambda answer: answer.value)


def questions(study: Study, tables: Mapping[str, pd.DataFrame], ids: Collection[str] | None = None) -> dict[str, list[Question]]:
    """What is to be asked about each claim, one question for each outcome: id → questions."""
    analysis = Reanalysis(study, tables)
    asked: dict[tuple[str, str], tuple[pd.DataFrame, Mapping[str, Any]]] = {}  # the same rows and model for every claim on one fit
    return {
        id: _questions(study, analysis, claim.by, asked)
        for id, claim in study.claims.items()
        if claim.by and claim.kind != "context" and claim.by["statistic"] != "values" and (ids is None or id in ids)
    }


def _questions(study: Study, analysis: Reanalysis, by: Mapping[str, Any], asked: dict[tuple[str, str], tuple[pd.DataFrame, Mapping[str, Any]]]) -> list[Question]:
    if "model" not in by:
        frame = analysis.tables[by["table"]]
        return [Question(frame[records.asked(study, frame, by)], by)]
    spec = study.models[by["model"]]
    spec = spec | {"person": study.tables[spec["table"]]["key"][0]}
    if spec["family"] == "random-effects":
        effects = analysis.effects(by)[1] if isinstance(by["outcome"], str) else None
        return [Question(pd.DataFrame(), by, spec, effects=effects)]
    names = by.get("contrast", [])
    terms = tuple(spec["contrasts"][name] for name in ([names] if isinstance(names, str) else names))
    frame, found = analysis.tables[spec["table"]], []
    for outcome in [by["outcome"]] if isinstance(by["outcome"], str) else by["outcome"]:
        if (by["model"], outcome) not in asked:
            asked[by["model"], outcome] = (asked_rows(spec, frame, outcome)[0] if "formula" in spec else frame[used_rows(spec, frame)]), spec
        rows, model = asked[by["model"], outcome]
        found.append(Question(rows, by, model, outcome, terms))
    return found
