"""The table of studies: which there are, so that every rule takes as many studies, with as many people, as its review prints."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from asprinted import records
from asprinted.printed import Interval
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.evidence import is_counted
from asprinted.study.rules import columns_in, conditions
from asprinted.synthesis.design import generator
from asprinted.synthesis.evidence.counts import Conflict, Placed, Pool, Wanted, placed
from asprinted.synthesis.trials.aims import wanted
from asprinted.synthesis.trials.people import dealt, shared_out


def studies(study: Study, taken: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The table of studies, those taken first and as they are, the new ones in the order of years after them.

    Raises StudyError where no kinds, years and sizes meet every count and sum of people that is claimed or assumed, naming a
    smallest set of them that cannot stand together.
    """
    spec = study.design["evidence"]
    table, year, people = study.tables[spec["table"]], spec["year"]["column"], spec["people"]["column"]
    key, own = table["key"][0], taken.get(spec["table"], pd.DataFrame({table["key"][0]: [], people: [], year: []}))
    number = int(study.number(spec["number"])) - len(own)
    if number < 0:
        raise StudyError(study.file, SEPARATOR.join(("design", "evidence", "number")), spec["number"], f"There are {len(own)} studies taken already: give at least as many.")
    kinds, weights = _kinds(study)
    cells, usual = _cells(study, kinds, weights)
    old, usual_old = _of_taken(study, own, cells, kinds, weights)
    least, most = (int(study.number(spec["people"][end])) for end in ("smallest", "largest"))
    mean = study.number(spec["people"]["middle"]) * math.exp(study.number(spec["people"]["spread"]) ** 2 / 2)  # of the log-normal
    pool = Pool(number, usual, least, most, min(max(mean, least), most), own[people].to_numpy(dtype=np.int64), usual_old)
    try:
        found = placed(pool, list(_wanted(study, cells, old, taken)), generator(study, "evidence", "counts"))
    except Conflict as conflict:
        remedy = "No kinds, years and sizes of studies meet these together: correct one of them, or the kinds, or the smallest and the largest size."
        if not conflict.names:
            remedy = "So many studies cannot be: correct 'number', the kinds, or the rule of those taken."
        raise StudyError(study.file, SEPARATOR.join(("design", "evidence")), conflict.names, remedy) from None
    new = _new(study, cells, found, pool)
    new.insert(0, key, _ids(own[key], number))
    both = pd.concat([own.assign(**{column: kinds[column].to_numpy()[found.old] for column in kinds if column not in own}), new], ignore_index=True)
    for entry in spec.get("categories", []):
        column = entry["column"]
        empty = both[column].isna().to_numpy() if column in both else np.ones(len(both), dtype=bool)
        values = both[column].to_numpy(dtype=object, copy=True) if column in both else np.empty(len(both), dtype=object)
        values[empty] = dealt(study, entry, table["columns"][column]["type"] == "integer", int(empty.sum()))
        both[column] = values
    return both.reindex(columns=list(table["columns"])).astype({name: np.int64 for name in (year, people)})


def _kinds(study: Study) -> tuple[pd.DataFrame, np.ndarray]:
    """The combinations of values that a study can have, a row each, and how usual each is: a list of values stands for one of them."""
    rows, weights = [], []
    for kind in study.design["evidence"]["kinds"]:
        lists = [values if isinstance(values, list) else [values] for values in kind["values"].values()]
        combined = list(itertools.product(*lists))
        rows += [dict(zip(kind["values"], each, strict=True)) for each in combined]
        weights += [study.number(kind["weight"]) / len(combined)] * len(combined)
    return pd.DataFrame(rows), np.array(weights, dtype=float)


def _bands(study: Study) -> list[tuple[int, int]]:
    """The first and the last year of each band, between years at which what is wanted can change."""
    spec = study.design["evidence"]["year"]
    first, last = (int(study.number(spec[end])) for end in ("first", "last"))
    asked = [entry.by for entries in (study.claims, study.assumptions) for entry in entries.values() if is_counted(study, entry.by)]
    cuts = {first, last + 1}
    for filter in itertools.chain.from_iterable(conditions(study, each) for each in (*asked, *study.design["evidence"]["reports"], study.design["evidence"].get("taken", {}))):
        years = filter.get(spec["column"], [])
        if isinstance(years, dict):
            cuts |= {math.ceil(years["from"])} if "from" in years else set()
            cuts |= {math.floor(years["to"]) + 1} if "to" in years else set()
        else:
            cuts |= {edge for year in (years if isinstance(years, list) else [years]) for edge in (year, year + 1)}
    edges = sorted(cut for cut in cuts if first <= cut <= last + 1)
    return [(low, high - 1) for low, high in itertools.pairwise(edges)]


def _cells(study: Study, kinds: pd.DataFrame, weights: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Every kind in every band of years, kinds running fastest, and how usual each is: later years are more often."""
    year = study.design["evidence"]["year"]
    bands = _bands(study)
    first, whole = bands[0][0], bands[-1][1] + 1 - bands[0][0]
    rising = [((high + 1 - first) ** 2 - (low - first) ** 2) / whole**2 for low, high in bands]
    cells = pd.concat([kinds.assign(**{year["column"]: low, "_last": high}) for low, high in bands], ignore_index=True)
    return cells, np.outer(rising, weights).ravel()


def _of_taken(study: Study, own: pd.DataFrame, cells: pd.DataFrame, kinds: pd.DataFrame, weights: np.ndarray) -> tuple[list[pd.DataFrame], np.ndarray]:
    """For each study taken the cells as it would be in them, with its own year and whatever else it brings; and how usual each is, 0 where it cannot be there."""
    spec, usual = study.design["evidence"], np.zeros((len(own), len(cells)))
    shared = [column for column in kinds if column in own]
    frames = []
    for place, (_, row) in enumerate(own.iterrows()):
        frame = kinds.assign(**{spec["year"]["column"]: int(row[spec["year"]["column"]])})
        fits = (kinds[shared] == row[shared]).all(axis=1) & records.asked(study, frame, spec["taken"])
        if not fits.any():
            remedy = f"No kind fits this study of {spec['taken']['study']!r} ({', '.join(str(row[name]) for name in shared)}) and the rule of those taken: add one."
            raise StudyError(study.file, SEPARATOR.join(("design", "evidence", "kinds")), row.iloc[0], remedy)
        usual[place, : len(kinds)] = np.where(fits, np.maximum(weights, 1e-9), 0)
        frames.append(frame)
    return frames, usual


def _wanted(study: Study, cells: pd.DataFrame, old: Sequence[pd.DataFrame], taken: Mapping[str, pd.DataFrame]) -> Iterator[Wanted]:
    """What is wanted of studies: every count and sum of people, and that each report finds enough studies to make it."""

    def counted(by: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        there = np.zeros((len(old), len(cells)), dtype=bool)
        for place, frame in enumerate(old):
            there[place, : len(frame)] = records.asked(study, frame, by)
        return records.asked(study, cells, by).to_numpy(), there

    for entries in (study.claims, study.assumptions):
        for id, entry in entries.items():
            if is_counted(study, entry.by) and (interval := wanted(entry)) is not None:
                yield Wanted(id, entry.by["statistic"] == "sum", *_whole(interval), *counted(entry.by))
    known = set(cells)
    for number, report in enumerate(study.design["evidence"]["reports"]):
        if set(columns_in(conditions(study, report))) <= known:
            new, there = counted(report)
            if old:
                there &= able(study, report, taken[study.design["evidence"]["table"]], taken, taken.get(study.models[report["model"]]["table"]))[:, None]
            yield Wanted(SEPARATOR.join(("design", "evidence", "reports", str(number), "trials")), False, study.number(report["trials"]), math.inf, new, there)


def able(study: Study, report: Mapping[str, Any], studies: pd.DataFrame, taken: Mapping[str, pd.DataFrame], rows: pd.DataFrame | None) -> np.ndarray:
    """Which `studies` can make a report, (n,): those without such a row among `rows`, and, where it is of people who left, with room for them beside the people in rows taken."""
    model, spec = study.models[report["model"]], study.design["evidence"]
    can = np.ones(len(studies), dtype=bool)
    if rows is not None and not rows.empty:
        there = records.asked(study, rows, {"filter": {model["outcome_column"]: report["outcome"]} | report.get("values", {})})
        can &= ~studies[study.tables[spec["table"]]["key"][0]].isin(rows[study.tables[model["table"]]["key"][0]][there]).to_numpy()
    if report.get("left"):
        can &= seen(study, studies, taken).sum(axis=1) <= (1 - study.number(report["level"])) * studies[spec["people"]["column"]].to_numpy()
    return can


def seen(study: Study, studies: pd.DataFrame, taken: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """The most people of each arm of each study, (n, 2), in any row taken; 0 where there is none."""
    most = pd.DataFrame(0, index=studies[study.tables[study.design["evidence"]["table"]]["key"][0]], columns=[0, 1])
    for model in study.models.values():
        if "effect" in model and model["table"] in taken:
            rows = taken[model["table"]].groupby(study.tables[model["table"]]["key"][0])[list(model["effect"]["n"])].max().set_axis([0, 1], axis=1)
            most.loc[rows.index] = np.maximum(most.loc[rows.index], rows)
    return most.to_numpy(dtype=np.int64)


def _whole(interval: Interval) -> tuple[float, float]:
    """The least and the largest whole number in an interval, infinite where it is open."""
    low = -math.inf if interval.lo is None else math.ceil(interval.lo) if interval.lo_closed else math.floor(interval.lo) + 1
    high = math.inf if interval.hi is None else math.floor(interval.hi) if interval.hi_closed else math.ceil(interval.hi) - 1
    return low, high


def _new(study: Study, cells: pd.DataFrame, found: Placed, pool: Pool) -> pd.DataFrame:
    """The new studies in the order of years: of their cells, with years drawn inside the bands and sizes that add up in each class."""
    spec, rng = study.design["evidence"], generator(study, "evidence", "studies")
    year, rows = spec["year"]["column"], cells.iloc[found.cells].reset_index(drop=True)
    first = int(cells[year].min())
    low, high = (rows[year] - first).to_numpy(dtype=float), (rows["_last"] + 1 - first).to_numpy(dtype=float)
    at = np.sqrt(low**2 + rng.random(len(rows)) * (high**2 - low**2))
    rows[year] = first + np.clip(np.floor(at), low, high - 1).astype(np.int64)
    sizes, drawn = np.zeros(len(rows), dtype=np.int64), np.exp(study.number(spec["people"]["spread"]) * rng.standard_normal(len(rows)))
    for each in np.unique(found.classes):
        there = found.classes == each
        sizes[there] = shared_out(int(found.people[each]), np.full(int(there.sum()), pool.least), drawn[there], pool.most)
    rows = rows.drop(columns="_last").assign(**{spec["people"]["column"]: sizes})
    return rows.sort_values(year, kind="stable").reset_index(drop=True)


def _ids(own: pd.Series, number: int) -> list[str]:
    """Identifiers of new studies, after the last of those taken, and none of theirs."""
    known, width = set(own), len(str(len(own) + number))
    free = (f"synthetic-{each:0{width}d}" for each in itertools.count(1))
    return list(itertools.islice((id for id in free if id not in known), number))
