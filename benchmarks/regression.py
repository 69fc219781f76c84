"""A simulated regression whose means, SDs, correlations, slopes and standard errors are all printed, and its study file."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from asprinted.models import fit
from asprinted.printed import in_style

PEOPLE, NAMES, SCALES = 60, ("support", "hope", "recovery"), ((20, 4), (15, 3), (60, 9))
OUTCOME, PREDICTORS = NAMES[-1], NAMES[:-1]
OF_SLOPES = {"est": "0.00", "se": "0.00", "t": "0.00", "p": "0.000"}
NUMBERS = 1 + 3 * len(NAMES) + len(OF_SLOPES) * len(PREDICTORS)


def printed_file(seed: int) -> dict[str, Any]:
    """Return the study file of a simulated regression: means and SDs with one decimal; correlations, slopes, standard errors and t with two, p with three."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((PEOPLE, len(NAMES))) + 0.7 * rng.standard_normal((PEOPLE, 1))
    latent[:, -1] += latent[:, :-1] @ rng.uniform(0.1, 0.5, len(PREDICTORS))
    z = (latent - latent.mean(0)) / latent.std(0)
    people = pd.DataFrame({name: np.round(mean + sd * z[:, place], 1) for place, (name, (mean, sd)) in enumerate(zip(NAMES, SCALES, strict=True))})
    claims: dict[str, Any] = {}

    def claim(id: str, text: str, **by: Any) -> None:
        claims[id] = {"printed": text, "kind": "inequality" if text[0] == "<" else "number", "mark": "S", "source": "paper", "where": "table", "says": id, "by": by}

    claim("people.n", str(PEOPLE), table="people", statistic="count")
    for name in NAMES:
        claim(f"{name}.mean", in_style(people[name].mean(), "0.0"), table="people", column=name, statistic="mean")
        claim(f"{name}.sd", in_style(people[name].std(), "0.0"), table="people", column=name, statistic="sd")
    models = {
        f"with_{name}": {"family": "correlation", "table": "people", "formula": f"{{outcome}} ~ {name}", "test": "pearson", "says": "Pearson's correlation"} for name in PREDICTORS
    }
    slopes = {name: [{"weight": weight, "at": dict.fromkeys(PREDICTORS, 0) | {name: value}} for weight, value in ((1, 1), (-1, 0))] for name in PREDICTORS}
    models["regression"] = {"family": "linear", "table": "people", "formula": f"{{outcome}} ~ {' + '.join(PREDICTORS)}", "test": "t", "contrasts": slopes, "says": "Least squares"}
    found = fit(models["regression"], people, OUTCOME)
    for one, other in itertools.combinations(NAMES, 2):
        claim(f"{other}.with_{one}", in_style(people[one].corr(people[other]), "0.00"), model=f"with_{one}", outcome=other, statistic="est")
    for name in PREDICTORS:
        slope = found.contrast(slopes[name])
        values = {"est": slope.est, "se": slope.se, "t": slope.est / slope.se, "p": slope.p}
        for statistic, like in OF_SLOPES.items():
            text = "<0.001" if statistic == "p" and slope.p < 0.0005 else in_style(values[statistic], like)
            claim(f"{name}.{statistic}", text, model="regression", outcome=OUTCOME, contrast=name, statistic=statistic)
    entries = [{"column": name, "kind": "score", **({"follows": {each: "any.r" for each in NAMES[:place]}} if place else {})} for place, name in enumerate(NAMES)]
    columns = {name: {"type": "number", "decimals": 1, "required": True, "mark": "A", "says": "Score"} for name in NAMES}
    text = {"type": "string", "required": True, "mark": "A", "says": "Text"}
    return {
        "schema": 1, "title": "A simulated regression", "sources": [{"id": "paper", "reference": "A simulation.", "read": "all of it"}],
        "tables": {"people": {"file": "people.csv", "row": "One person", "key": ["id"], "columns": {"id": text, "group": text | {"values": ["everybody"]}, **columns}}},
        "design": {"people": {"table": "people", "arms": {"column": "group", "sizes": {"everybody": "people.n"}}}, "outcomes": entries},
        "models": models, "claims": claims, "assumptions": {"any.r": {"says": "Correlation of any two scores", "value": "0.3", "reason": "Usual."}},
    }  # fmt: skip
