"""A simulated trial with a whole-number score at the start and at the end, and the study file that an abstract of it gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from asprinted import study
from asprinted.models import fit
from asprinted.printed import in_style
from asprinted.study import Study

ARMS, LOW, HIGH = ("usual care", "support"), 0, 27
R, EFFECT = 0.6, 2.2  # correlation of start and end before rounding; the effect in standard errors, so that p takes four decimals at every size
MODEL = {
    "family": "linear", "table": "participants", "formula": "{outcome} ~ C(arm) + start", "test": "t", "says": "ANCOVA of the score at the end on arm and start",
    "contrasts": {"arms": [{"weight": 1, "at": {"arm": ARMS[1]}}, {"weight": -1, "at": {"arm": ARMS[0]}}]},
}  # fmt: skip


def simulated(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return n people with arm, start and end; the scores are skewed and pile up at 0, as those of a questionnaire do."""
    arm = np.repeat([0, 1], [n - n // 2, n // 2])
    first, own = rng.standard_normal((2, n))
    second = R * first + np.sqrt(1 - R**2) * own - EFFECT * 2 / np.sqrt(n) * np.sqrt(1 - R**2) * arm

    def scored(latent: np.ndarray, mean: float) -> np.ndarray:
        return np.clip(np.rint(mean * stats.gamma(2.5, scale=1 / 2.5).ppf(stats.norm.cdf(latent))), LOW, HIGH).astype(int)

    ids = np.char.add("synthetic-", np.arange(1, n + 1).astype(str))
    return pd.DataFrame({"id": ids, "arm": np.array(ARMS, dtype=object)[arm], "start": scored(first, 12), "end": scored(second, 9)})


def printed(people: pd.DataFrame) -> dict[str, Any]:
    """Return the study file: people in each arm, means and SDs with two decimals, the ANCOVA's p value with four, and what is assumed."""
    score = {"type": "integer", "minimum": LOW, "maximum": HIGH, "required": True, "mark": "A", "says": "Score"}
    by_arm = people.groupby("arm")[["start", "end"]].agg(["count", "mean", "std"])
    claims: dict[str, Any] = {}

    def claim(id: str, text: str, **by: Any) -> str:
        kind = "inequality" if text[0] in "<>" else "number"
        claims[id] = {"printed": text, "kind": kind, "mark": "S", "source": "paper", "where": "table", "says": id, "by": by}
        return id

    sizes = {}
    for place, arm in enumerate(ARMS):
        rows = {"table": "participants", "filter": {"arm": arm}}
        sizes[arm] = claim(f"n.arm{place}", str(by_arm.loc[arm, ("start", "count")]), **rows, statistic="count")
        for column in ("start", "end"):
            for statistic, found in (("mean", "mean"), ("sd", "std")):
                claim(f"{column}.{statistic}.arm{place}", in_style(float(by_arm.loc[arm, (column, found)]), "0.00"), **rows, column=column, statistic=statistic)
    p = fit(MODEL, people, "end").contrast(MODEL["contrasts"]["arms"]).p
    claim("end.p", in_style(p, "0.0000") if p >= 0.00005 else "<0.0001", model="ancova", outcome="end", contrast="arms", statistic="p")
    return {
        "schema": 1, "title": "A simulated trial", "sources": [{"id": "paper", "reference": "A simulation.", "read": "all of it"}],
        "tables": {"participants": {"file": "participants.csv", "row": "One person", "key": ["id"], "columns": {
            "id": {"type": "string", "required": True, "mark": "A", "says": "Identifier"},
            "arm": {"type": "string", "required": True, "values": list(ARMS), "mark": "S", "says": "Arm"},
            "start": score, "end": score,
        }}},
        "design": {
            "people": {"table": "participants", "arms": {"column": "arm", "sizes": sizes}},
            "outcomes": [{"column": "start", "kind": "score", "skewness": "score.skewness"}, {"column": "end", "kind": "score", "skewness": "score.skewness", "follows": {"start": "score.r"}}],
        },
        "models": {"ancova": MODEL}, "claims": claims,
        "assumptions": {
            "score.r": {"says": "Correlation of start and end", "value": str(R), "reason": "Usual."},
            "score.skewness": {"says": "Skewness", "value": "0.7", "reason": "Usual."},
        },
    }  # fmt: skip


def opened(content: dict[str, Any], folder: Path) -> Study:
    """Return the study of a study file that is written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yml").write_text(json.dumps(content), "utf-8")  # JSON is YAML
    return study.load(folder)
