"""The reference models, each named in full and fitted fast.

`fit` gives a Fit, whose `contrast` gives an Estimate, or of a test without contrasts its Tested. Where a student runs statsmodels, a
test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from asprinted.models.binary import logistic, logistic_gee
from asprinted.models.effects import MEASURES, hedges_g, measure_of
from asprinted.models.fits import Estimate, Fit, fit, fitted, quantile, tested
from asprinted.models.formula import Design, design, used_rows
from asprinted.models.pooled import Between, Pooled, between_subgroups, pool
from asprinted.models.scores import least_squares, random_intercept
from asprinted.models.small_studies import egger
from asprinted.models.survival import cox, survival_at, survival_curve, survival_median
from asprinted.models.tests import Tested

__all__ = [
    "MEASURES", "Between", "Design", "Effects", "Estimate", "Fit", "Pooled", "Tested", "between_subgroups", "cox", "design", "effects_of", "egger", "fit", "fitted", "hedges_g",
    "least_squares", "logistic", "logistic_gee", "pool", "quantile", "random_intercept", "survival_at", "survival_curve", "survival_median", "tested",
]  # fmt: skip


FEWEST = {"q_p": 2, "prediction_lo": 3, "prediction_hi": 3, "egger": 3, "egger_p": 3}  # trials that a statistic of a pool needs, where one is too few


@dataclass(frozen=True)
class Effects:
    """The effects of the rows that a random-effects model uses, each (k,).

    g: effects of the model's measure, in the direction of the outcome; logs where they are ratios. v: their variances. n: people in both arms.
    unit_se: √(1/n₁ + 1/n₂), of a standardised mean difference the part of the standard error that does not depend on it. rows: positions in
    the table. ratio: whether the effects are logs of ratios.
    """

    g: np.ndarray
    v: np.ndarray
    n: np.ndarray
    unit_se: np.ndarray
    rows: np.ndarray
    ratio: bool = False


def effects_of(model: Mapping[str, Any], frame: pd.DataFrame) -> Effects:
    """The Effects of the rows of `frame` that `model` (of the family random-effects) uses; rows without an effect are left out.

    A row has none where a cell is missing, or its counts say nothing of a ratio (`effects.log_risk_ratio`). Raises ValueError where no row
    is left, a column is missing, or cells cannot be what they should.
    """
    named, measure = model["effect"], measure_of(model["effect"])
    rows = np.flatnonzero(used_rows(model, frame))
    arms = [named[part][arm] for arm in (0, 1) for part in measure.parts] + [named[part] for part in measure.own]
    columns = arms + list(named["n"]) + ([named["direction"]] if "direction" in named else [])
    for name in columns:
        if name not in frame:
            raise ValueError(f"the table has no column {name!r}: give one of {', '.join(map(str, frame.columns))}")
    values = np.stack([pd.to_numeric(frame[name]).to_numpy(dtype=float, na_value=np.nan)[rows] for name in columns])
    there = np.isfinite(values).all(axis=0)
    if not there.any():
        raise ValueError("no row has an effect: every one has a missing value")
    g, v = measure.of(*values[: len(arms), there])
    told = np.isfinite(g)
    if not told.any():
        raise ValueError("no row has an effect: in every one both arms are without events, or without anything else")
    values, rows = values[:, there][:, told], rows[there][told]
    direction = values[-1] if "direction" in named else 1.0
    n1, n2 = values[len(arms) : len(arms) + 2]
    return Effects(direction * g[told], v[told], n1 + n2, np.sqrt(1 / n1 + 1 / n2), rows, measure.ratio)
