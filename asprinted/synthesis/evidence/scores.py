"""People's own scores behind one row of a table of outcomes: as many, with its means and standard deviations exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from asprinted import records
from asprinted.study import SEPARATOR, Study
from asprinted.study.evidence import roles_of
from asprinted.synthesis import integers
from asprinted.synthesis.design import generator
from asprinted.synthesis.trials.aims import Unmet

MOVES = 60  # of the walk that roughens the counts of scores, for each value of the scale


def people(study: Study, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The table of people's scores for the row with the most people among those that design.evidence.people_of asks for, first arm first.

    Counts of scores are found exactly (`integers.printing`) and then shaken until they look like a sample's. Raises Unmet where no row is so.
    """
    spec, roles = study.design["evidence"]["people_of"], roles_of(study)
    report = next(each for each in study.design["evidence"]["reports"] if each["outcome"] == spec["outcome"] and each.get("values", {}) == spec.get("values", {}) and "instruments" in each)
    model = study.models[report["model"]]
    rows = records.joined(study, tables, model["table"])
    there = records.asked(study, rows, spec) & records.asked(study, rows, {"filter": {model["outcome_column"]: spec["outcome"]} | spec.get("values", {})})
    if not there.any():
        raise Unmet(study.file, SEPARATOR.join(("design", "evidence", "people_of")), spec["outcome"], "No row meets it: correct rule, filter or values.")
    effect = model["effect"]
    row = rows[there].iloc[int(rows[there][list(effect["n"])].sum(axis=1).to_numpy().argmax())]
    low, high, rng = int(row["minimum"]), int(row["maximum"]), generator(study, "evidence", "scores")
    scores = []
    for arm in (0, 1):
        texts = (f"{row[effect[part][arm]]:.2f}" for part in ("mean", "sd"))
        counts = integers.printing(int(row[effect["n"][arm]]), low, high, *texts)
        scores.append(integers.people(integers.shaken(counts, rng, MOVES * len(counts), like="people"), low, rng))
    arms = np.repeat(spec["arms"], [len(each) for each in scores])
    width = len(str(len(arms)))
    ids = [f"synthetic-{each:0{width}d}" for each in range(1, len(arms) + 1)]
    made = {roles["key"]: ids, roles["study"]: row[study.tables[model["table"]]["key"][0]], roles["arm"]: arms, roles["score"]: np.concatenate(scores)}
    return pd.DataFrame(made).reindex(columns=list(study.tables[spec["table"]]["columns"]))
