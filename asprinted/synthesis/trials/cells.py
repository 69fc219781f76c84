"""The cells of a pool's rows: people, and what its measure is taken of, such that they print every target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from asprinted.study import Study
from asprinted.study.pools import also_of
from asprinted.study.trials import SCALE, of_effect
from asprinted.synthesis.trials.arms import arms_that_print
from asprinted.synthesis.trials.continuous import Trials
from asprinted.synthesis.trials.crosstables import tables_that_print
from asprinted.synthesis.trials.hazards import hazards_that_print
from asprinted.synthesis.trials.laws import first_events
from asprinted.synthesis.trials.reports import Left
from asprinted.synthesis.trials.starts import MEAN, Start, second_level
from asprinted.synthesis.trials.targets import Target

LEVELS = 1 / 4  # SD of the log-odds of an event between trials

Cells = dict[str, np.ndarray]  # part of a model's effect → what it is in each row: (k, 2) where it is of arms, (k,) where of the trial


def cells(
    study: Study, pool: Mapping[str, Any], people: Left, effects: np.ndarray, begun: Start, scales: Mapping[str, np.ndarray] | None,
    targets: Sequence[Target], rng: np.random.Generator,
) -> Cells:  # fmt: skip
    """The cells of a pool's rows, "n" among them, that meet every target.

    effects (k,): drawn, logs where they are ratios. scales: what is said of the trials' instruments; None of other scores and measures.
    Raises ValueError where none are found, or none can be.
    """
    effect = study.models[also_of(study, pool)[0]]["effect"]
    measure, columns = effect["measure"], study.tables[study.design["trials"]["effects"]["table"]]["columns"]
    if "mean" in effect:
        k = len(effects)
        if scales is None:
            usual = (-np.inf, np.inf, study.number(pool["mean"]) if "mean" in pool else MEAN, begun.sd, 1.0)
            scales = {name: np.full(k, each) for name, each in zip(SCALE, usual, strict=True)}
            decimals = columns[effect["mean"][0]].get("decimals", 0)
        else:
            decimals = None
        start = Trials(effects, people.sizes, people.least, people.most, people.total, *(scales[name] for name in SCALE), measure, decimals)
        made = arms_that_print(start, targets, rng)
        return {"n": made.n, "mean": made.mean, "sd": made.sd}
    n = people.sizes
    middle = second_level(measure, begun.level, float(effects.mean()))
    second = n[:, 1] * special.expit(special.logit(middle) + LEVELS * rng.standard_normal(len(n)))
    if measure != "hr":
        events = np.column_stack([first_events(measure, n, effects, second)[0], second])
        held = bool((people.least == people.most).all())
        n, events = tables_that_print(n, np.clip(np.rint(events), 1, n - 1).astype(np.int64), targets, rng, measure, held)
        return {"n": n, "events": events}
    parts = ("ratio", "lo", "hi") if "ratio" in effect else ("log", "se")
    made = hazards_that_print(n, effects, second, targets, rng, columns[effect[parts[0]]].get("decimals", 0), "ratio" in effect)
    return {"n": n, "events": made.events, **dict(zip(parts, made.shown.T, strict=True))}


def with_cells(frame: pd.DataFrame, effect: Mapping[str, Any], made: Cells) -> pd.DataFrame:
    """Rows of the table of outcomes: `frame` with the cells made, in the columns that a model's `effect` names."""
    values = {}
    for part, cell in made.items():
        for column in of_effect({part: effect[part]}) if part in effect else ():
            values[column] = cell if cell.ndim == 1 else cell[:, effect[part].index(column)]
    return frame.assign(**values)
