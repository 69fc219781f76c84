"""A table of people from the study file's own counts; those of one free column are searched."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models
from asprinted.printed import parse
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.design import generator

MOST = 200_000  # counts that are tried
KEPT = 64  # searches whose counts are remembered


def cells(study: Study) -> pd.DataFrame:
    """A table of people from the study file's counts, with the free column's counts found by search.

    The search starts at the assumed share and takes counts in order of their distance from it, so the records
    are the nearest to the assumption that print every claim. Raises StudyError where MOST counts were tried in vain.
    """
    spec = study.design["cells"]
    rows = [(int(study.number(row["people"])), row["values"]) for row in spec["rows"]]
    if "free" not in spec:
        return _table(study, rows)
    share = study.number(spec["free"]["share"])
    kinds = [values | {spec["free"]["column"]: value} for _, values in rows for value in (1, 0)]
    asked = json.dumps([rows, share, spec, study.models, [(claim.id, claim.printed, claim.declared, claim.rounding, claim.by) for claim in study.claims.values()]])
    if asked not in _found:
        if len(_found) == KEPT:
            del _found[next(iter(_found))]
        _found[asked] = _nearest(study, np.array([people for people, _ in rows]), kinds, share)
    return _table(study, list(zip(_found[asked], kinds, strict=True)))


_found: dict[str, list[int]] = {}  # the people of each kind, by all that they depend on: no random number does, so records of one study share them


def _nearest(study: Study, sizes: np.ndarray, kinds: list[dict[str, Any]], share: float) -> list[int]:
    """The people of each kind, nearest to the share, that print every claim. sizes: people of the rows, each of which makes two kinds."""
    prints = _tests(study, kinds)

    def split(counts: tuple[int, ...]) -> np.ndarray:
        return np.column_stack([counts, sizes - counts]).ravel()

    start = tuple(round(share * people) for people in sizes)
    queue: list[tuple[float, tuple[int, ...]]] = [(0.0, start)]
    known = {start}
    for _ in range(MOST):
        if not queue:
            break
        _, counts = heapq.heappop(queue)
        people = split(counts)
        if all(test(people) for test in prints.values()):
            return people.tolist()
        for index, size in enumerate(sizes):
            for step in (-1, 1):
                near = counts[:index] + (counts[index] + step,) + counts[index + 1 :]
                if 0 <= near[index] <= size and near not in known:
                    known.add(near)
                    heapq.heappush(queue, (float((((np.array(near) - share * sizes) ** 2) / sizes).sum()), near))
    where = SEPARATOR.join(("design", "cells", "free"))
    claims = ", ".join(prints)
    raise StudyError(study.file, where, study.design["cells"]["free"]["column"], f"None of {len(known) - len(queue)} counts tried prints {claims}: change the share, the counts or the model.")


def _tests(study: Study, kinds: list[dict[str, Any]]) -> dict[str, Callable[[np.ndarray], bool]]:
    """For each claim that depends on the free column, by id, a function of the people (kinds,) of each kind: does it print?

    Only the family gee-logistic is searched; another claim on the free column is refused by name.
    """
    spec = study.design["cells"]
    column = spec["free"]["column"]
    name = study.tables[spec["table"]]["key"][0]
    frame = pd.DataFrame(kinds).assign(**{name: range(len(kinds))})
    tests = {}
    for claim in study.claims.values():
        by = claim.by or {}
        model = study.models.get(by.get("model", ""))
        if model is not None and model["table"] == spec["table"] and column in str(model):
            if model["family"] != "gee-logistic":
                where = SEPARATOR.join(("claims", claim.id, "by", "model"))
                raise StudyError(study.file, where, by["model"], "Free counts are searched for the family gee-logistic only.")
            tests[claim.id] = _test(claim, model, models.design(model, frame, by["outcome"]))
        elif model is None and by.get("table") == spec["table"] and by.get("column") == column:
            where = SEPARATOR.join(("claims", claim.id, "by", "column"))
            raise StudyError(study.file, where, column, "A claim on the free column itself is not searched: give the counts instead.")
    return tests


def _test(claim: Any, model: dict[str, Any], rows: models.Design) -> Callable[[np.ndarray], bool]:
    number = parse(claim.printed or claim.declared or "", claim.rounding)
    weights = rows.contrast(model["contrasts"][claim.by["contrast"]])

    def prints(people: np.ndarray) -> bool:
        try:
            beta, cov = models.logistic_gee(rows.y, rows.X, rows.groups, people.astype(float))
        except ValueError:
            return False
        fit = models.Fit(beta, cov, None, model.get("level", 0.95), True, {}, int(people.sum()), rows)
        return number.contains(getattr(fit.linear(weights), claim.by["statistic"]))

    return prints


def _table(study: Study, split: list[tuple[int, dict[str, Any]]]) -> pd.DataFrame:
    """A row a person from (people, values) pairs, in a fixed random order."""
    name = study.design["cells"]["table"]
    columns = list(study.tables[name]["columns"])
    key = study.tables[name]["key"][0]
    people = [values for number, values in split for _ in range(number)]
    order = generator(study, name, "order").permutation(len(people))
    width = len(str(len(people)))
    frame = pd.DataFrame([people[index] for index in order])
    frame[key] = [f"synthetic-{name}-{number:0{width}d}" for number in range(1, len(people) + 1)]
    return frame.reindex(columns=columns)
