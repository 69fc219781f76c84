"""A second engine: R, with survival, lme4, MASS and metafor where they are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

NAME = "R"
_CATEGORY = re.compile(r"C\(\s*([A-Za-z_]\w*)\s*(?:,[^()]*(?:\([^()]*\))?[^()]*)?\)")


def available() -> bool:
    """True where Rscript is on the PATH and R has the package jsonlite."""
    program = shutil.which("Rscript")
    return bool(program) and subprocess.run([program, "--vanilla", "-e", "quit(status = !requireNamespace('jsonlite', quietly = TRUE))"], capture_output=True).returncode == 0


def answers(questions: Sequence[Any], answer: Callable[..., Any]) -> list[Any]:
    """An answer (engine, value, reason) to each question, all asked of one R process. Raises OSError where Rscript cannot be started."""
    with tempfile.TemporaryDirectory() as folder:
        files: dict[int, str] = {}
        asked = [_asked(question, Path(folder), files) for question in questions]
        job, out = Path(folder) / "questions.json", Path(folder) / "answers.json"
        job.write_text(json.dumps({"questions": asked}), "utf-8")
        with resources.as_file(resources.files("asprinted.engines").joinpath("reanalyse.R")) as script:
            run = subprocess.run(["Rscript", "--vanilla", str(script), str(job), str(out)], capture_output=True, text=True)
        if run.returncode or not out.exists():
            return [answer(NAME, None, f"R stopped: {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else 'no message'}") for _ in questions]
        found = json.loads(out.read_text("utf-8"))
    return [answer(NAME, each.get("value"), each.get("cannot", "")) for each in found["answers"]]


def _asked(question: Any, folder: Path, files: dict[int, str]) -> dict[str, Any]:
    by, spec = dict(question.by), question.model
    if spec is None:
        return {"file": _file(question.frame, folder, files)} | _plain(by)
    if spec["family"] == "random-effects":
        if question.effects is None:
            return {"statistic": by["statistic"]}
        frame = pd.DataFrame({"g": question.effects.g, "v": question.effects.v, "n": question.effects.n})
        return {
            "file": _file(frame, folder, files), "pool": True, "family": "a pool", "statistic": by["statistic"], "ratio": question.effects.ratio,
            "estimator": spec.get("estimator", "DL"), "test": spec.get("test", "wald-z"), "level": spec.get("level", 0.95),
        }  # fmt: skip
    formula = _CATEGORY.sub(r"factor(\1)", spec.get("formula", "").replace("{outcome}", question.outcome))
    kept = {name: spec[name] for name in ("family", "groups", "estimator", "test", "covariance", "time", "until", "ties", "exposure", "level", "missing") if name in spec}
    return {"file": _file(question.frame, folder, files), "formula": formula, "outcome": question.outcome, "statistic": by["statistic"], "contrasts": [list(terms) for terms in question.contrasts]} | kept


def _plain(by: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(by.get("column", ""), str):
        return {"statistic": f"{by['statistic']} of several columns", "column": by["column"][0]}
    return {name: by[name] for name in ("statistic", "column", "event", "at", "at_least", "equals", "exposure", "per") if name in by}


def _file(frame: pd.DataFrame, folder: Path, files: dict[int, str]) -> str:
    """The CSV of a frame, written once for frames with the same content."""
    key = hash((tuple(frame.columns), len(frame), pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes()))
    if key not in files:
        path = folder / f"table-{len(files)}.csv"
        frame.to_csv(path, index=False, float_format="%.17g")
        files[key] = str(path)
    return files[key]
