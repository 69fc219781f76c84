"""Reviews of simulated trials: pooled mean differences, ratios and risk differences with their heterogeneity, and subgroups of trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tests.asprinted.kinds.paper import Paper

TRIALS, RESULTS = "trials", "results"
OUTCOMES = {"smd": "distress", "md": "weight", "rr": "relapse", "or": "work", "rd": "housing", "hr": "readmission"}  # measure → what is pooled by it
PARTS = dict.fromkeys(("smd", "md"), ("n", "mean", "sd")) | dict.fromkeys(("rr", "or", "rd"), ("n", "events")) | {"hr": ("n",)}
SETTINGS = ("clinic", "community")
DECIMALS = {"mean": 2, "sd": 2, "log": 4, "se": 4}


def reviews(paper: Paper, measures: Sequence[str]) -> None:
    """Trials of which each reports an outcome for every measure, and what a review prints of each: k, people, estimate, heterogeneity, in some subgroups."""
    rng, number = paper.rng, int(paper.rng.integers(8, 15))
    n = np.maximum(20, np.exp(rng.normal(4.8, 0.5, number))).astype(int)[:, None] // 2 + rng.integers(-2, 3, (number, 2))
    trials = [f"synthetic-trial-{place:02d}" for place in range(1, number + 1)]
    setting = np.array(SETTINGS)[rng.permutation(number) % 2]
    paper.column(TRIALS, "trial", trials, "string", required=True)
    paper.column(TRIALS, "setting", setting, "string", values=list(SETTINGS), required=True)
    paper.data["tables"][TRIALS]["key"] = ["trial"]
    reports = {measure: _reported(rng, measure, rng.binomial(n, 0.93)) for measure in measures}  # some people are lost from each outcome
    rows = pd.concat([pd.DataFrame({"trial": trials, "outcome": OUTCOMES[measure]} | cells) for measure, cells in reports.items()], ignore_index=True)
    for name, cells in rows.items():
        part = name.partition("_")[0]
        whole = {"type": "integer", "minimum": 0} if part in ("n", "events") else {"type": "number", "decimals": DECIMALS.get(part, 0)}
        paper.column(RESULTS, name, cells, **({"type": "string", "required": True} if name in ("trial", "outcome") else whole))
    paper.data["tables"][RESULTS] |= {"key": ["trial", "outcome"], "parent": TRIALS}
    total = paper.assume("people.total", str(int(n.sum())))
    effects = {"table": RESULTS, "model": f"pooled_{measures[0]}", "kept": 0.93}
    paper.data["design"]["trials"] = {"table": TRIALS, "number": number, "people": {"total": total}, "effects": effects}
    for measure in measures:
        _printed(paper, measure)


def _reported(rng: np.random.Generator, measure: str, n: np.ndarray) -> dict[str, np.ndarray]:
    """What each trial reports of two arms of n people, (k, 2), by column."""
    number = len(n)
    true = rng.normal(rng.uniform(-0.6, 0.0), 0.15, number)
    cells = {"n": n}
    if measure in ("smd", "md"):
        cells["mean"] = np.column_stack([50 + 10 * true, np.full(number, 50.0)]) + 10 * rng.standard_normal(n.shape) / np.sqrt(n)
        cells["sd"] = 10 * np.sqrt(rng.chisquare(n - 1) / (n - 1))
    elif measure == "hr":
        se = np.sqrt(8 / n.sum(axis=1))  # half of the people have the event
        return _by_arm(cells) | {"log_hr": np.round(true + se * rng.standard_normal(number), 4), "se_hr": np.round(se, 4)}
    else:
        odds = np.exp(np.column_stack([true, np.zeros(number)]) - 0.5)
        cells["events"] = np.clip(rng.binomial(n, odds / (1 + odds)), 1, n - 1)
    return _by_arm(cells)


def _by_arm(cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{part}_{arm}": np.round(values[:, place], DECIMALS.get(part, 0)) for part, values in cells.items() for place, arm in enumerate(("new", "usual"))}


def _printed(paper: Paper, measure: str) -> None:
    """The model of a measure, and claims on its pool: of all trials, and in every other seed of those of each setting and the difference between them."""
    outcome, seed = OUTCOMES[measure], paper.seed
    effect = {"measure": measure} | {part: [f"{part}_new", f"{part}_usual"] for part in PARTS[measure]} | ({"log": "log_hr", "se": "se_hr"} if measure == "hr" else {})
    model = paper.model(f"pooled_{measure}", "random-effects", table=RESULTS, pairs=False, effect=effect, outcome_column="outcome", estimator=("DL", "REML")[seed % 2])
    styles = {"k": "0", "n": "0", "i2": "0%", "q": "0.00", "tau2": "0.00"} | (dict.fromkeys(("est", "lo", "hi"), "0.000") if measure == "rd" else {})
    more = (("q", "q_p"), ("tau2",), ("prediction_lo", "prediction_hi"))[seed % 3]
    styles |= {"q_p": "p"} | dict.fromkeys(("prediction_lo", "prediction_hi"), styles.get("lo", "0.00"))
    paper.of_model(f"{outcome}.all", model, outcome, ("k", "n", "est", "lo", "hi", "p", "i2", *more), **styles)
    if seed % 2:
        for setting in SETTINGS:
            by = {"model": model, "outcome": outcome, "filter": {"setting": setting}}
            for statistic in ("k", "est", "lo", "hi"):
                paper.claim(f"{outcome}.{setting}.{statistic}", by | {"statistic": statistic}, styles.get(statistic, "0.00"))
        paper.claim(f"{outcome}.between.p", {"model": model, "outcome": outcome, "column": "setting", "statistic": "between_p"}, "p")
