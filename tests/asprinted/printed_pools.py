"""Study files of reviews that could have been published: simulated trials, pooled, and printed as an abstract prints them.

Nothing here draws on how records are made: trials are drawn by numpy alone, and pooled by the reference models. `printed_review` gives the
study file, with a design of a few lines and every number as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asprinted import printed
from asprinted.models import MEASURES, between_subgroups, pool

Data = dict[str, Any]

SETTINGS = ("ward", "community", "online")
COLUMNS = {  # measure: what a model's effect names
    "smd": {"n": ["n_peer", "n_usual"], "mean": ["mean_peer", "mean_usual"], "sd": ["sd_peer", "sd_usual"]},
    "or": {"n": ["n_peer", "n_usual"], "events": ["events_peer", "events_usual"]},
    "hr": {"n": ["n_peer", "n_usual"], "events": ["events_peer", "events_usual"], "log": "log_hr", "se": "se_log_hr"},
}
COLUMNS |= {"md": COLUMNS["smd"], "rr": COLUMNS["or"], "rd": COLUMNS["or"]}
LIMITS = {"n": ["n_peer", "n_usual"], "ratio": "hr", "lo": "hr_lo", "hi": "hr_hi"}
USUAL_DIGITS = dict.fromkeys(("est", "lo", "hi", "tau2", "prediction_lo", "prediction_hi", "q"), 2) | {"i2": 0, "p": 3, "q_p": 3, "between_p": 3, "egger_p": 3}


def drawn(measure: str, rng: np.random.Generator, k: int, groups: np.ndarray, i2: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects and variances (k,), logs where they are ratios, and people in the arms (k, 2), of simulated trials; groups (k,): a number each."""
    n = np.maximum(np.rint(np.exp(rng.normal(4.2, 0.5, (k, 1)) + rng.normal(0, 0.08, (k, 2)))), 12).astype(int)
    unit = np.sqrt((1 / n).sum(1))
    centre, gap, scale = {"smd": (-0.25, 0.1, 1.0), "md": (-2.0, 1.0, 8.0), "rd": (-0.08, 0.03, 0.45)}.get(measure, (-0.25, 0.15, 2.2))
    tau = scale * np.sqrt(i2 / (1 - i2)) * unit.mean() * 0.8
    truth = centre - gap * groups + tau * rng.standard_normal(k)
    if measure in ("smd", "md"):
        sd = 1.0 if measure == "smd" else 8.0 * np.exp(rng.normal(0, 0.1, k))
        y = truth + sd * unit * rng.standard_normal(k)
        v = unit**2 + y**2 / (2 * (n.sum(1) - 3.94)) if measure == "smd" else sd**2 * unit**2
        return np.round(y, 2) if measure == "md" else y, v, n  # as differences of means with two decimals are
    risk = rng.uniform(0.2, 0.4, k)
    first = {"rr": risk * np.exp(truth), "rd": risk + truth, "or": 1 / (1 + (1 - risk) / risk * np.exp(-truth)), "hr": 1 - (1 - risk) ** np.exp(truth)}[measure]
    events = np.clip(rng.binomial(n, np.clip(np.column_stack([first, risk]), 0.02, 0.9)), 1, n - 1)
    if measure == "hr":
        v = (1 / events).sum(1) * rng.uniform(1.01, 1.15, k)
        return np.round(truth + np.sqrt(v) * rng.standard_normal(k), 4), np.round(np.sqrt(v), 4) ** 2, n
    y, v = MEASURES[measure].of(n[:, 0], events[:, 0], n[:, 1], events[:, 1])
    return y, v, n


def text(value: float, name: str, places: int) -> str:
    """A statistic as an abstract prints it: a small p value as an inequality."""
    if name.endswith("p") and value < 0.001:
        return "<0.001"
    return str(printed.round_to(float(value), places))


def claim(shown: str, **by: Any) -> Data:
    return {"says": "x", "kind": "inequality" if shown[0] in "<>" else "number", "mark": "P", "source": "paper", "where": "abstract", "printed": shown, "by": by}


def column(type: str, required: bool = True, **fields: Any) -> Data:
    return {"type": type, "required": required, "mark": "A", "says": "x", **fields}


def cell_columns(effect: Mapping[str, Any], required: bool = True, decimals: int = 2) -> Data:
    """The columns that an effect names."""
    parts = [(part, each) for part, named in effect.items() for each in (named if isinstance(named, list) else [named])]
    return {each: column("integer", required, minimum=0) if part in ("n", "events") else column("number", required, decimals=decimals) for part, each in parts if part != "measure"}


def printed_pool(
    measure: str, rng: np.random.Generator, k: int, model: str, outcome: str, estimator: str = "DL", test: str = "wald-z",
    statistics: Sequence[str] = ("est", "lo", "hi", "i2", "p"), subgroups: int = 0, i2: float = 0.3,
) -> tuple[Data, int]:  # fmt: skip
    """The claims that an abstract makes on one simulated pool of k trials, by id, and its people. subgroups: how many settings are printed apart."""
    groups = rng.permutation(np.arange(k) % max(subgroups, 1))
    y, v, n = drawn(measure, rng, k, groups, i2)
    of = {"model": model, "outcome": outcome}
    digits = USUAL_DIGITS | (dict.fromkeys(("est", "lo", "hi", "prediction_lo", "prediction_hi", "tau2"), 3) if measure == "rd" else {}) | {"tau2": 3}

    def fitted(at: np.ndarray):
        found = pool(y[at], v[at], estimator, test)
        return found, found.as_ratios() if MEASURES[measure].ratio else found

    everything = np.ones(k, bool)
    names = [name for name in statistics if k > 1 or name in ("est", "lo", "hi", "p")]
    claims = {f"{outcome}.{name}": claim(text(getattr(fitted(everything)[1], name), name, digits[name]), **of, statistic=name) for name in names}
    claims |= {f"{outcome}.k": claim(str(k), **of, statistic="k"), f"{outcome}.n": claim(str(int(n.sum())), **of, statistic="n")}
    apart = []
    for group in range(subgroups):
        at, setting = groups == group, SETTINGS[group]
        found, shown = fitted(at)
        apart.append(found)
        claims[f"{outcome}.{setting}.k"] = claim(str(int(at.sum())), **of, statistic="k", filter={"setting": setting})
        for name in ("est", "lo", "hi", "i2"):
            claims[f"{outcome}.{setting}.{name}"] = claim(text(getattr(shown, name), name, digits[name]), **of, statistic=name, filter={"setting": setting})
    if subgroups > 1:
        p = between_subgroups([each.est for each in apart], [each.se for each in apart]).p
        claims[f"{outcome}.between_p"] = claim(text(p, "p", 3), **of, statistic="between_p", column="setting")
    return claims, int(n.sum())


def printed_review(
    measure: str, seed: int, k: int = 12, estimator: str = "DL", test: str = "wald-z", statistics: Sequence[str] = ("est", "lo", "hi", "i2", "p"),
    subgroups: int = 0, limits: bool = False, i2: float = 0.3,
) -> Data:  # fmt: skip
    """The study file of a review of k trials with one outcome, in one table, its design in five lines."""
    rng = np.random.default_rng([11, seed, k])
    effect = {"measure": measure, **(LIMITS if limits else COLUMNS[measure])}
    claims, people = printed_pool(measure, rng, k, "pooled", "relapse", estimator, test, statistics, subgroups, i2)
    kinds = {"setting": column("string", values=list(SETTINGS[:subgroups]))} if subgroups else {}
    return {
        "schema": 1, "title": "A review", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "abstract"}],
        "tables": {"trials": {"file": "trials.csv", "row": "one trial", "key": ["id"], "columns": {
            "id": column("string"), **kinds, "outcome": column("string"), **cell_columns(effect, decimals=4 if measure == "hr" else 2),
        }}},
        "design": {"trials": {"table": "trials", "number": "relapse.k", "people": {"total": "relapse.n"}, "effects": {"model": "pooled"}}},
        "models": {"pooled": {"family": "random-effects", "says": "x", "table": "trials", "effect": effect, "outcome_column": "outcome", "estimator": estimator, "test": test}},
        "claims": claims, "assumptions": {},
    }  # fmt: skip
