"""Rows of a table of outcomes: what is said of their instruments, the effects that a search starts from, and the arms that it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import Study
from asprinted.study.trials import SCALE
from asprinted.synthesis.design import generator
from asprinted.synthesis.trials.arms import Arms


def scale(study: Study, held: Mapping[str, str], instruments: np.ndarray) -> dict[str, np.ndarray]:
    """minimum, maximum, mean, sd and direction of each instrument, (k,) each; held: instrument → the assumption that says them."""
    scales = {name: study.assumptions[held[name]].value for name in dict.fromkeys(instruments)}
    return {each: np.array([float(scales[name][each]) for name in instruments]) for each in SCALE}


def described(study: Study, frame: pd.DataFrame, table: str, direction: str, instrument: str, held: Mapping[str, str]) -> pd.DataFrame:
    """`frame`, whose column `instrument` names them, with the columns that describe its instruments, where the table has them; direction: the one that holds theirs."""
    says = scale(study, held, frame[instrument].to_numpy())
    columns = {"minimum": "minimum", "maximum": "maximum", direction: "direction"}
    there = study.tables[table]["columns"]
    return frame.assign(**{column: says[name].astype(np.int64) for column, name in columns.items() if column in there})


def drawn(study: Study, everyone: int, at: np.ndarray, key: Sequence[str], centre: np.ndarray, spread: float, together: float, error: np.ndarray) -> np.ndarray:
    """Effects (k,) of the trials at the positions `at` among `everyone`: the centre of each, its own deviation, and chance.

    key: the outcome and the other values of the rows. error (k,): standard errors. A trial's deviations are correlated between outcomes
    in the direction of the outcomes' centres, so that a trial good for one is good for others; at two times it has the same.
    """
    own, other = (generator(study, "trials", "deviations", *of).standard_normal(everyone)[at] for of in ((), (key[0],)))
    deviation = np.sign(centre.mean() or 1.0) * (np.sqrt(together) * own + np.sqrt(1 - together) * other)
    return centre + spread * deviation + error * generator(study, "trials", "errors", *key).standard_normal(len(at))


def with_arms(frame: pd.DataFrame, effect: Mapping[str, Any], made: Arms) -> pd.DataFrame:
    """Rows of the table of outcomes: `frame` with the arms made, in the columns that a model's `effect` names."""
    return frame.assign(**{effect[part][arm]: values[:, arm] for part, values in (("n", made.n), ("mean", made.mean), ("sd", made.sd)) for arm in (0, 1)})
