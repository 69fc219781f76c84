"""Outcomes: columns of people or of visits, made one after another so that every claim about them prints.

Each kind of outcome has a maker. A maker draws the column from where the study file says it starts, meets exactly what
moments alone decide, and leaves the rest to the search (`search.settle`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from asprinted import plausible, records
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.starts import columns_of_entry, made_by_people, table_of
from asprinted.synthesis.design import faults_at, generator
from asprinted.synthesis.outcomes import answers, categories, counts, scores, times
from asprinted.synthesis.outcomes.search import Unmet
from asprinted.synthesis.outcomes.start import at_visits, cells
from asprinted.synthesis.outcomes.targets import Target, named, targets

__all__ = ["MAKERS", "Unmet", "outcomes"]

TRIES = 2  # with the same people
BETTER = 6  # tries in all, where records that print every claim are far from what is assumed, or off a scale
IDLE = 2  # such tries in a row that came no nearer, after which it is left at the best
WAVERING = 0.3  # of those lost, how much is chance of the visit, against what lasts

Make = Callable[[Study, Mapping[str, Any], pd.DataFrame, np.ndarray, np.ndarray, list[Target], np.random.Generator], dict[str, np.ndarray]]

MAKERS: dict[str, Make] = {
    "score": scores.make, "yes-no": answers.make, "count": counts.make, "ordinal": categories.ordinal, "category": categories.category, "time": times.make,
}  # fmt: skip


def outcomes(study: Study, tables: Mapping[str, pd.DataFrame], health: np.ndarray, progress: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """The tables with every column of design.outcomes filled, and the table of visits where the design has one.

    tables: that of people among them. health: (people,) their general health. Where a claim is not met, all are made again from other random
    numbers, since an earlier column, or who is seen, may have left it no room; in up to TRIES tries. Where all are met, but what is assumed without
    bounds came out far off, or ends of changes off their scale, so it is in up to BETTER tries, while they help, of which the best is kept. Raises the first of the errors.
    """
    first: Unmet | None = None
    best: tuple[int, dict[str, pd.DataFrame]] | None = None
    idle = 0
    for again in range(BETTER):
        if idle == IDLE or (best is None and again >= TRIES):
            break
        try:
            made = _made(replace(study, attempt=study.attempt * TRIES + again), tables, health, progress)
        except Unmet as error:
            progress(f"outcomes: drawn in vain: {error.short}")
            first = first or error
            continue
        odd = plausible.mendable(study, made)
        idle = idle + 1 if best and len(odd) >= best[0] else 0
        best = (len(odd), made) if best is None or not idle else best
        if not best[0]:
            break
        progress(f"outcomes: drawn so that every claim prints, but {odd[0].about} is not as assumed: {'kept, since no draw came nearer' if idle == IDLE or again + 1 == BETTER else 'drawn again'}")
    if best is None:
        raise first
    return best[1]


def _made(study: Study, tables: Mapping[str, pd.DataFrame], health: np.ndarray, progress: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """The same, from the random numbers of the study's attempt."""
    tables = dict(tables)
    people = study.design["people"]["table"]
    if "visits" in study.design:
        tables[study.design["visits"]["table"]] = _visits(study, tables[people])
    for entry in study.design["outcomes"]:
        table, columns = table_of(study, entry["column"]), columns_of_entry(entry)
        tables[table] = tables[table].assign(**dict.fromkeys(columns, np.nan))
    made = [*made_by_people(study), *study.tables[study.design.get("visits", {"table": people})["table"]]["key"]]
    losses = generator(study, "losses").standard_normal(len(health))
    for entry in study.design["outcomes"]:
        table, columns = table_of(study, entry["column"]), columns_of_entry(entry)
        progress(f"outcomes: {entry['column']}")
        with faults_at(study, "outcomes", entry["column"]):
            frame = records.joined(study, tables, table)
            aims = targets(study, tables, table, columns, made)
            seen = _seen(study, entry, frame, losses, aims)
            own = np.repeat(health, len(frame) // len(health))
            values = MAKERS[entry["kind"]](study, entry, frame, own, seen, aims, generator(study, "outcomes", entry["column"]))
        tables[table] = tables[table].assign(**{column: _typed(study, table, column, each) for column, each in values.items()})
        made += columns
    return tables


def _visits(study: Study, people: pd.DataFrame) -> pd.DataFrame:
    """The table of visits without any outcome: a row a person and visit, in the order of people."""
    spec = study.design["visits"]
    key = study.tables[spec["table"]]["key"][0]
    return pd.DataFrame({key: np.repeat(people[key].to_numpy(), len(spec["times"])), spec["column"]: np.tile(spec["times"], len(people))})


def _seen(study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, losses: np.ndarray, aims: list[Target]) -> np.ndarray:
    """The rows that have a value (n,): exactly as many of each arm, and visit, as the study file says, and of others as claims of the number observed do.

    losses: (people,) how readily each is lost. Those lost from one column, or at one visit, are mostly lost from others too.
    """
    spec = study.design.get("visits", {}) if at_visits(study, frame) else entry
    codes, names = cells(study, frame)
    wanted = [(codes == code, *3 * [_amount(study, spec, arm, time)], f"'seen' of {arm}") for code, (arm, time) in enumerate(names) if arm in spec.get("seen", {})]
    printed = [(target.rows, *_numbers(target), target.id) for target in aims if target.by["statistic"] == "observed" and target.rows is not None]
    wavering = generator(study, "losses", "visits").standard_normal(len(frame)) if at_visits(study, frame) else 0.0
    readiness = np.repeat(losses, len(frame) // len(losses)) + WAVERING * wavering
    there, open_ = np.ones(len(frame), dtype=bool), np.ones(len(frame), dtype=bool)
    for rows, least, number, most, asks in sorted([*printed, *wanted], key=lambda each: int(each[0].sum())):  # the smallest first: larger ones hold them, or none of theirs
        free, now = np.flatnonzero(rows & open_), int((rows & there).sum())
        number = min(max(number, least, now - len(free)), most, now) if least <= now and now - len(free) <= most else number
        lost = now - number
        if not 0 <= lost <= len(free):
            field, where = entry["column"], SEPARATOR.join(("design", "visits" if at_visits(study, frame) else "outcomes"))
            asked, left = (f"{low}" if low == high else f"{low} to {high}" for low, high in ((least, most), (now - len(free), now)))
            remedy = f"{asks} asks for {asked} of these {int(rows.sum())} people to have it, and the other numbers seen leave {left}: correct one of them, or 'seen', or leave it out with --all-but."
            raise StudyError(study.file, where, field, remedy)
        there[free[np.argsort(-readiness[free], kind="stable")[:lost]]] = False
        open_ &= ~rows
    return there


def _numbers(target: Target) -> tuple[int, int, int]:
    """The least, the likeliest and the greatest number of rows with a value that a target leaves: one where it is printed whole, several where it is a percentage."""
    least = max(math.floor(target.low) + 1, 0) if math.isfinite(target.low) else 0
    most = math.ceil(target.high) - 1 if math.isfinite(target.high) else int(target.rows.sum())
    return least, round((target.low + target.high) / 2) if math.isfinite(target.low + target.high) else least, most


def _amount(study: Study, spec: Mapping[str, Any], arm: str, time: int | None) -> int:
    held = spec["seen"][arm]
    return int(study.number(held if time is None else held[study.design["visits"]["times"].index(time)]))


def _typed(study: Study, table: str, column: str, values: np.ndarray) -> pd.Series:
    """A column as its type has it, empty where a value is missing."""
    kind = study.tables[table]["columns"][column]["type"]
    if kind == "string":
        return pd.Series(values if values.dtype == object else named(study, table, column, values), dtype=object)
    series = pd.Series(np.asarray(values, dtype=float))
    return series if kind == "number" else series.astype("Int64") if series.hasnans else series.astype("int64")
