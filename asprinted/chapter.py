"""What chapters import: the study, a check of each claim, and numbers for sentences.

    from asprinted.chapter import check, say, study
    trial = study("../data/some-trial")
    check("score.change.p", p_value)
    say("mean_difference", f"{difference:.2f}")
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from asprinted import printed, verdict
from asprinted.study import Study, load

_current: list[Study] = []  # a notebook has one study at a time


class ClaimError(AssertionError):
    """A claim was checked and the verdict is not the one that study.yml expects."""


class _Shown:
    """Something a notebook shows: plain text, HTML, and data for other programs."""

    def __init__(self, bundle: Mapping[str, Any]):
        self._bundle = dict(bundle)

    def __repr__(self) -> str:
        return self._bundle["text/plain"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._bundle


def study(folder: str | Path) -> Study:
    """The study in `folder`, from now on the one that `check` means. Raises StudyError."""
    _current[:] = [load(folder)]
    return _current[0]


def check(claim: str | Mapping[str, Any], value: printed.Number | str | None = None) -> _Shown:
    """A table with the verdict on a claim (or on several: {id: value}), for the notebook to show.

    Raises ClaimError, with the table's text, where a verdict is not the one that study.yml expects;
    StudyError where there is no such claim; RuntimeError before `study` was called.
    """
    if not _current:
        raise RuntimeError("no study is open: call study(\"../data/…\") first")
    values = dict(claim) if isinstance(claim, Mapping) else {claim: value}
    open_study = _current[0]
    verdicts = [
        verdict.judge(open_study.claim(id), number, null_value(open_study, id)) for id, number in values.items()
    ]
    wrong = [each for each in verdicts if not each.as_expected]
    if wrong:
        raise ClaimError(
            f"{verdict.as_text(wrong)}\n{'; '.join(each.reason for each in wrong if each.reason)}\n"
            f"expected: {', '.join(verdict.VERDICTS[each.expected] for each in wrong)}"
        )
    return _Shown(
        {
            "text/plain": verdict.as_text(verdicts),
            "text/html": verdict.as_html(verdicts),
            verdict.MIME: verdict.as_json(verdicts),
        }
    )


def null_value(open_study: Study, id: str) -> float:
    """The value of no effect for a claim: 1 for a ratio, 0 otherwise."""
    model = (open_study.claim(id).by or {}).get("model")
    return 1.0 if model and open_study.models[model]["family"] == "risk-ratio" else 0.0


def say(name: str, text: str) -> None:
    """Store `text` under `name` for a sentence of the page, which takes it with {glue:text}`name`.

    Prints it where myst-nb is not installed. Raises TypeError where `text` is not a string: a number
    in a sentence needs its decimals chosen.
    """
    if not isinstance(text, str):
        raise TypeError(f"say({name!r}, …) got {type(text).__name__}: format the number first, such as f\"{{x:.2f}}\"")
    try:
        from myst_nb import glue
    except ImportError:
        print(f"{name}: {text}")
    else:
        glue(name, text, display=False)


def behind(frame: pd.DataFrame, summary: str = "The numbers behind this figure") -> _Shown:
    """A folded table, with header cells that a screen reader can follow."""
    flat = frame.reset_index() if frame.index.names != [None] else frame
    table = flat.to_html(index=False, border=0, na_rep="", classes="behind").replace("<th>", '<th scope="col">')
    return _Shown(
        {
            "text/plain": flat.to_string(index=False),
            "text/html": f"<details><summary>{html.escape(summary)}</summary>{table}</details>",
        }
    )
