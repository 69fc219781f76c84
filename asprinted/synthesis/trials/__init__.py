"""The trials of a meta-analysis and what they report: two tables whose pooled results print every claim.

Who reports what, and how many people, comes from the design; the arms of each pool's trials are then sought so that all
claims on it print (`arms`), starting from effects drawn around the centres that the design gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from asprinted.models.effects import MEASURES
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.pools import also_of, completed
from asprinted.study.trials import SCALE
from asprinted.synthesis.design import generator
from asprinted.synthesis.trials import aims
from asprinted.synthesis.trials.arms import arms_that_print
from asprinted.synthesis.trials.cells import Cells, cells, with_cells
from asprinted.synthesis.trials.continuous import Trials
from asprinted.synthesis.trials.people import resized, trials
from asprinted.synthesis.trials.reports import Left, arms_of, as_before, instruments, left, who_reports
from asprinted.synthesis.trials.rows import described, drawn, scale, with_arms
from asprinted.synthesis.trials.starts import as_subgroups_want, start

__all__ = ["tables"]

PLANS, SEARCHES = 100, 3  # draws of all trials, and searches for arms that print, before they are given up
FREEDOMS = 6  # in which the sizes of a pool are sought, each wider than the last
LATER = 1000  # what a further plan adds to the study's attempt, so that no later attempt draws the same
AGREE = 0.7  # correlation of two instruments' errors in the same people


@dataclass(frozen=True)
class _Pool:
    """One pool of the design: its position there; its trials' positions among all, (k,); their people, in each freedom; their instruments, (k,)."""

    number: int
    spec: dict[str, Any]
    members: np.ndarray
    people: Sequence[Left]
    instruments: np.ndarray
    seconds: np.ndarray

    @property
    def key(self) -> tuple[str, ...]:
        return (self.spec["outcome"], *map(str, self.spec.get("values", {}).values()))


def tables(study: Study, progress: Callable[[str], None] = lambda line: None) -> dict[str, pd.DataFrame]:
    """The tables of trials and of their outcomes, by name, from design.trials.

    Every pool's rows print every claim on it, and each trial has at least as many people as its rows. `progress` is told
    each step. Where the trials drawn do not allow it, all are drawn again: in up to PLANS plans, of which SEARCHES have the
    numbers of trials that are claimed and assumed. Raises StudyError where a pool's claims contradict its trials and people,
    or cannot be met, naming the pool and them.
    """
    study = completed(study)
    progress("trials: sizes, kinds, who reports what")
    searches = 0
    for plan in range(PLANS):
        again = replace(study, attempt=study.attempt + LATER * plan)
        try:
            everyone, pools, frames = _planned(again)
            searches += 1
            return _filled(again, everyone, pools, frames, progress)
        except aims.Unmet as error:
            fault = error
            if searches == SEARCHES:
                break
            progress(f"{fault.field}: not met by these trials, so others are drawn")
    raise StudyError(study.file, fault.field, fault.value, fault.remedy)


def _planned(study: Study) -> tuple[pd.DataFrame, list[_Pool], list[pd.DataFrame]]:
    """The table of trials, the pools, and the rows of each without arms. Raises Unmet where they are not as many as claimed."""
    spec = study.design["trials"]
    everyone, inside = who_reports(study, trials(study))
    randomised = arms_of(study, everyone[spec["people"]["column"]].to_numpy())
    used = instruments(study, inside, len(everyone))
    pools = []
    for number, (pool, members) in enumerate(zip(spec["effects"]["pools"], inside, strict=True)):
        pools.append(_Pool(number, pool, members, [left(study, number, members, randomised, freedom) for freedom in range(1, 1 + FREEDOMS)], *used[number]))
    frames = [_frame(study, everyone, pool) for pool in pools]
    for pool, frame in zip(pools, frames, strict=True):
        aims.check_counts(study, pool.number, frame)
    return everyone, pools, frames


def _filled(study: Study, everyone: pd.DataFrame, pools: Sequence[_Pool], frames: Sequence[pd.DataFrame], progress: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """Both tables, from a plan. Raises Unmet where a pool's claims are not met."""
    spec = study.design["trials"]
    rows, places, needed = [], [], np.zeros((len(everyone), 2), dtype=np.int64)
    arms: dict[tuple[str, ...], np.ndarray] = {}  # at each time, the people of each trial's arms in the latest pool, 0 before; () at any time
    latest = arms.setdefault((), needed.copy())
    for pool, frame in zip(pools, frames, strict=True):
        progress(f"{', '.join(pool.key)}: arms that print the claims, trials: {len(frame)}")
        there = arms.setdefault(pool.key[1:], np.zeros((len(everyone), 2), dtype=np.int64))
        made = _printing(study, pool, frame, np.where(there > 0, there, latest)[pool.members])
        there[pool.members] = latest[pool.members] = made["n"]
        aims.check_counts(study, pool.number, frame, made["n"].sum(axis=1))
        np.maximum.at(needed, pool.members, made["n"])
        rows.append(with_cells(frame, study.models[also_of(study, pool.spec)[0]]["effect"], made))
        places.append(pool.members)
        if study.number(pool.spec.get("twice", 0)):
            at, second = _second_rows(study, pool, frame, made)
            rows.append(second)
            places.append(pool.members[at])
    order = np.argsort(np.concatenate(places), kind="stable")
    try:
        trials = resized(study, everyone, needed.sum(axis=1))
    except StudyError as error:
        raise aims.Unmet(error.file, error.field, error.value, error.remedy) from None
    results = pd.concat(rows, ignore_index=True).iloc[order].reset_index(drop=True)
    if spec["effects"]["table"] == spec["table"]:
        trials = results.assign(**{spec["people"]["column"]: trials[spec["people"]["column"]]})
    frames = {spec["table"]: trials, spec["effects"]["table"]: results} if trials is not results else {}
    return {name: frame.reindex(columns=list(study.tables[name]["columns"])) for name, frame in frames.items()}


def _frame(study: Study, everyone: pd.DataFrame, pool: _Pool) -> pd.DataFrame:
    """The pool's rows, one a trial: the columns of its trial, the outcome, the other values, the instrument and what is said of it."""
    effects = study.design["trials"]["effects"]
    model = study.models[effects["model"]]
    frame = everyone.iloc[pool.members].reset_index(drop=True).assign(**{model["outcome_column"]: pool.spec["outcome"]}, **pool.spec.get("values", {}))
    if "second" in effects:
        frame[effects["second"]] = 1
    return _described(study, frame.assign(**{effects["instrument"]: pool.instruments})) if pool.spec["instruments"] else frame


def _described(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    effects = study.design["trials"]["effects"]
    direction = study.models[effects["model"]]["effect"].get("direction", "direction")
    return described(study, frame, effects["table"], direction, effects["instrument"], effects["instruments"])


def _drawn(study: Study, pool: _Pool, frame: pd.DataFrame, sizes: np.ndarray, spread: float | None = None, error: np.ndarray | None = None) -> np.ndarray:
    """The effects (k,) that the search starts from, about the centre of each trial's kind, and more of it in small trials; logs where they are ratios.

    sizes (k, 2): people in the arms. spread: that of the pool, unless it is given. error (k,): standard errors, of standardised mean differences if left out.
    """
    spec, design = pool.spec, study.design["trials"]
    centre = spec["centre"]
    middle = np.array([study.number(centre[str(value)]) for value in frame[spec["by"]]] if isinstance(centre, dict) else [study.number(centre)] * len(frame))
    if MEASURES[study.models[also_of(study, spec)[0]]["effect"]["measure"]].ratio:
        middle = np.log(middle)
    unit = np.sqrt((1 / sizes).sum(axis=1))
    everyone, together = int(study.number(design["number"])), study.number(design["effects"]["together"])
    spread = study.number(spec["spread"]) if spread is None else spread
    small = study.number(spec["small"]) * (unit - unit.mean()) if "small" in spec else 0.0
    return small + drawn(study, everyone, pool.members, pool.key, middle, spread, together, unit if error is None else error)


def _printing(study: Study, pool: _Pool, frame: pd.DataFrame, arms: np.ndarray) -> Cells:
    """The cells of the pool's trials that print every claim on it. Raises Unmet where no start finds any.

    arms (k, 2): the people of these trials in an earlier pool, of the same time if there is one, 0 where there is none; tried first.
    """
    sought = aims.targets(study, pool.number, frame)
    says = scale(study, study.design["trials"]["effects"]["instruments"], pool.instruments) if pool.spec["instruments"] else None
    starts = [*as_before(pool.people[0], arms), *pool.people]
    if says is None and "by" in pool.spec:
        wanted = (as_subgroups_want(study, pool.spec, frame[pool.spec["by"]], people, freedom) for freedom, people in enumerate(pool.people, 1))
        starts = [*as_before(pool.people[0], arms), *wanted]
    if study.design["trials"]["effects"]["kept"] == 1 and arms.all() and pool.people[0].total in (None, arms.sum()):
        starts = [Left(arms, arms, arms, pool.people[0].total)]  # nobody is lost, so the same people have every outcome
    sizes: list[np.ndarray] = []
    for people in starts:
        if "mean" not in study.models[also_of(study, pool.spec)[0]]["effect"] and any(np.array_equal(people.sizes, each) for each in sizes):
            continue  # of events these were tried already: only scores let sizes move
        sizes.append(people.sizes)
        begun = start(study, pool.spec, people.sizes)
        effects = _drawn(study, pool, frame, people.sizes, begun.spread, None if says else begun.error)
        try:
            return cells(study, pool.spec, people, effects, begun, says, sought, generator(study, "trials", "arms", *pool.key))
        except ValueError as error:
            fault = error
    where = SEPARATOR.join(("design", "trials", "effects", "pools", str(pool.number)))
    remedy = f"No records can be made: {fault}. Correct one of these numbers, or change the pool's trials, people or spread."
    raise aims.Unmet(study.file, where, ", ".join(pool.key), remedy) from None


def _second_rows(study: Study, pool: _Pool, frame: pd.DataFrame, made: Cells) -> tuple[np.ndarray, pd.DataFrame]:
    """Which trials of a pool report a second instrument, as many as the design says, and their rows: the same people, an effect that differs by sampling."""
    effects, twice = study.design["trials"]["effects"], int(study.number(pool.spec["twice"]))
    rng = generator(study, "trials", "twice", *pool.key)
    at = np.sort(rng.permutation(len(frame))[:twice])
    first, second = (scale(study, effects["instruments"], names[at]) for names in (pool.instruments, pool.seconds))
    n = made["n"][at]
    within = np.sqrt(((n - 1) * made["sd"][at] ** 2).sum(axis=1) / (n.sum(axis=1) - 2))
    g = first["direction"] * (made["mean"][at, 0] - made["mean"][at, 1]) / within
    g = g + np.sqrt(2 * (1 - AGREE) * (1 / n).sum(axis=1)) * rng.standard_normal(twice)
    arms = arms_that_print(Trials(g, n, n, n, None, *(second[name] for name in SCALE)), [], rng)
    other = _described(study, frame.iloc[at].assign(**{effects["instrument"]: pool.seconds[at], effects["second"]: 0}))
    return at, with_arms(other, study.models[effects["model"]]["effect"], arms)
