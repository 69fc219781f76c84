"""Where the draw of an outcome starts from: the number of each cell, and a standard normal score for each row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import Study
from asprinted.study import starts as named

LASTING = 0.75  # share of the correlation between visits that is due to a person's lasting level
USUAL_R = 0.6  # correlation of neighbouring visits where the study file gives none


def cells(study: Study, frame: pd.DataFrame) -> tuple[np.ndarray, list[named.Cell]]:
    """The cell of each row (n,), a place in the list of all (arm, time); time is None in the table of people."""
    arms = list(named.sizes(study))
    codes = pd.Categorical(frame[study.design["people"]["arms"]["column"]], categories=arms).codes.astype(np.int64)
    if not at_visits(study, frame):
        return codes, [(arm, None) for arm in arms]
    times = study.design["visits"]["times"]
    places = pd.Categorical(frame[study.design["visits"]["column"]], categories=times).codes
    return codes * len(times) + places, [(arm, time) for arm in arms for time in times]


def at_visits(study: Study, frame: pd.DataFrame) -> bool:
    """Whether the rows are those of the table of visits."""
    return "visits" in study.design and study.design["visits"]["column"] in frame


def start(study: Study, entry: Mapping[str, Any], field: str, frame: pd.DataFrame) -> np.ndarray:
    """The mean, SD or share that each row's draw starts from (n,): that of its cell."""
    codes, names = cells(study, frame)
    held = named.starts(study, entry, field)
    return np.array([held[name] for name in names])[codes]


def latent(study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standard normal scores (n,), tied to earlier columns (`follows`), to general health, within clusters (`icc`) and over visits (`r`).

    Within each cell its mean is 0 and its SD 1, but for what clusters share.
    """
    codes, _ = cells(study, frame)
    visits = len(study.design["visits"]["times"]) if at_visits(study, frame) else 1
    r = study.number(entry["r"]) if "r" in entry else USUAL_R
    lasting = (LASTING * max(r, 0.0) if r < 1 else 1.0) if visits > 1 else 1.0
    own = set(study.tables[study.design["visits"]["table"]]["columns"]) if visits > 1 else set()
    level, level_r, row, row_r = [], [], [], []
    for column, id in entry.get("follows", {}).items():
        x = standardised(pd.to_numeric(frame[column]).to_numpy(dtype=float, na_value=np.nan), codes)
        (row if column in own else level).append(x)
        (row_r if column in own else level_r).append(study.number(id))
    if "health" in entry:
        level.append(health)
        level_r.append(study.number(entry["health"]))
    people = slice(None, None, visits)
    n = len(frame) // visits
    lasting = max(lasting, min(1.0, float(np.dot(level_r, level_r)) if level_r else 0.0))
    scale = math.sqrt(lasting) or 1.0
    z, left = _tied([x[people] for x in level], np.array(level_r) / scale, n)
    icc = min(study.number(entry["icc"]) / scale**2, left) if "icc" in entry else 0.0
    z = z + math.sqrt(left - icc) * rng.standard_normal(n)
    if icc:
        labels = frame[study.design["people"]["clusters" if "clusters" in study.design["people"] else "groups"]["column"]]
        shared, _ = pd.factorize(labels.iloc[people])
        pulls = rng.standard_normal(shared.max() + 1)
        alone = rng.standard_normal(n) * (shared < 0)
        z = z + math.sqrt(icc) * np.where(shared >= 0, pulls[shared], alone)
    if visits > 1:
        decay = (r - lasting) / (1 - lasting) if lasting < 1 else 0.0
        decay = min(max(decay, -1.0), 1.0)
        passing = rng.standard_normal((n, visits))
        for visit in range(1, visits):
            passing[:, visit] = decay * passing[:, visit - 1] + math.sqrt(1 - decay**2) * passing[:, visit]
        z = (math.sqrt(lasting) * z[:, None] + math.sqrt(1 - lasting) * passing).ravel()
        tied, left = _tied(row, np.array(row_r), len(frame))
        z = tied + math.sqrt(left) * z if row else z
    return z if icc else standardised(z, codes)


def _tied(columns: list[np.ndarray], r: np.ndarray, n: int) -> tuple[np.ndarray, float]:
    """A sum (n,) of the columns that has about these correlations with them when the rest of the variance, given too, is added."""
    if not columns:
        return np.zeros(n), 1.0
    x = np.column_stack(columns)
    weights = np.linalg.lstsq(x.T @ x / n, r, rcond=None)[0]
    explained = float(weights @ r)
    if explained > 1:
        weights, explained = weights / math.sqrt(explained), 1.0
    return x @ weights, 1.0 - explained


def standardised(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Each value less the mean of its cell and over the SD of its cell (n,); 0 where missing, or where a cell's values are all alike."""
    there = np.isfinite(x)
    filled = np.where(there, x, 0.0)
    counts = np.maximum(np.bincount(codes, there), 1)
    centred = np.where(there, filled - (np.bincount(codes, filled) / counts)[codes], 0.0)
    spread = np.sqrt(np.bincount(codes, centred**2) / counts)
    return centred / np.where(spread > 1e-12, spread, 1.0)[codes]
