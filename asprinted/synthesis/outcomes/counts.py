"""Outcomes that count events (kind count): people's rates differ, every arm has its total, and single events are moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from asprinted.study import Study
from asprinted.study.starts import table_of
from asprinted.synthesis.outcomes import moves, start
from asprinted.synthesis.outcomes.closing import closed
from asprinted.synthesis.outcomes.described import quickened
from asprinted.synthesis.outcomes.search import settle
from asprinted.synthesis.outcomes.targets import Target

TURNS = 12  # steps towards a total, each a factor on all rates


def make(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:  # fmt: skip
    """The column of `entry` filled with whole numbers from 0, (n,) and nan where not `seen`, so that every target holds.

    It starts with the quantiles of a negative binomial distribution in each arm (and visit), whose rates are those printed, for each
    person's time at risk where there is one, and spread as assumed, or as a printed SD wants. Then events are added and taken, moved between
    people, and counts exchanged. Raises StudyError as `search.settle` does. Time and memory grow as n does, but for one sort.
    """
    column = entry["column"]
    table = table_of(study, column)
    targets = quickened(study, frame, table, [column], targets)
    spec = study.tables[table]["columns"][column]
    most = float(spec.get("maximum", math.inf))
    strata, cells = start.cells(study, frame)
    mean = start.start(study, entry, "mean", frame)
    spread = math.expm1(study.number(entry["spread"]) ** 2) if "spread" in entry else 0.0
    exposure = pd.to_numeric(frame[entry["exposure"]]).to_numpy(dtype=float, na_value=np.nan) if "exposure" in entry else np.ones(len(frame))
    seen = seen & np.isfinite(exposure)
    latent = start.latent(study, entry, frame, health, rng)
    y = np.full(len(frame), np.nan)
    for code in range(len(cells)):
        own = np.flatnonzero(seen & (strata == code))
        if len(own):
            rate, wide = _printed(targets, own, exposure, mean[own[0]], spread)
            y[own] = _quantiles(latent[own], rate * exposure[own], wide, most, rng)
    rows = np.flatnonzero(seen)
    kinds = (moves.transfers(strata, rows, 1.0, 0.0, most), moves.steps(rows, 1.0, 0.0, most), moves.exchanges(strata, rows))
    return {column: settle(study, column, closed(y, targets, kinds, rng), targets, kinds, rng)}


def _printed(targets: Sequence[Target], own: np.ndarray, exposure: np.ndarray, mean: float, spread: float) -> tuple[float, float]:
    """The rate of the rows `own` for each unit of exposure and the spread of rates, the square of their coefficient of variation, that print allows."""
    rate = mean * len(own) / exposure[own].sum()
    said = {}
    for target in targets:
        if target.rows is not None and math.isfinite(target.low + target.high) and "model" not in target.by:
            there = np.flatnonzero(target.rows & np.isfinite(exposure))
            if len(own) <= len(there) and np.isin(own, there).all() and len(there) <= 1.2 * len(own):
                said[target.by["statistic"]] = (target.low + target.high) / 2 / target.by.get("per", 1)
    rate = said.get("rate", rate)
    total = said.get("sum", said["mean"] * len(own) if "mean" in said else None)
    rate = rate if total is None else total / exposure[own].sum()
    if "sd" in said and rate > 0:
        mean = rate * exposure[own].mean()
        spread = max((said["sd"] ** 2 - mean) / mean**2 - (exposure[own] / exposure[own].mean()).var(), 0.0)
    return rate, spread


def _quantiles(latent: np.ndarray, expected: np.ndarray, spread: float, most: float, rng: np.random.Generator) -> np.ndarray:
    """Whole counts (n,) that rise with `latent`, of negative binomial distributions around `expected` (n,), with the total that they have together."""
    rank = np.argsort(np.argsort(latent, kind="stable"), kind="stable")
    level, total = (rank + 0.5) / len(latent), expected.sum()
    factor = 1.0
    for _ in range(TURNS):
        counts = np.minimum(_quantile(level, expected * factor, spread), most)
        found = counts.sum()
        if abs(found - total) <= max(0.5, total / 1000) or not found:
            break
        factor *= total / found
    short = round(total - counts.sum())
    side = 1 if short > 0 else -1
    while short:
        free = np.flatnonzero((counts < most) if side > 0 else (counts > 0))
        if not len(free):
            break
        chosen = rng.choice(free, min(abs(short), len(free)), replace=False)
        counts[chosen] += side
        short -= side * len(chosen)
    return counts


def _quantile(level: np.ndarray, mean: np.ndarray, spread: float) -> np.ndarray:
    """The counts (n,) below which a share `level` (n,) of a negative binomial distribution lies, with variance mean + spread · mean²."""
    mean = np.maximum(mean, 1e-12)
    if spread < 1e-9:
        return np.ceil(np.maximum(special.pdtrik(level, mean), 0.0) - 1e-9)
    return stats.nbinom.ppf(level, 1 / spread, 1 / (1 + spread * mean))
