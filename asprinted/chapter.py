"""What chapters import: the study, a check of each claim, what print alone proves, and numbers for sentences.

    from asprinted.chapter import check, say, study
    trial = study("../data/some-trial")
    check("score.change.p", p_value)
    say("mean_difference", f"{difference:.2f}")
    prove("adjusted_model", "crude_model")
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from asprinted import checks, printed, verdict
from asprinted.study import Study, StudyError, load

_current: list[Study] = []  # a notebook has one study at a time


_SIGNS = {"possible": "✓", "contradictory": "✗", "undecided": "?"}


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
    return 1.0 if model and checks.is_ratio(open_study.models[model]) else 0.0


def prove(*models: str) -> _Shown:
    """A table of what print alone says of the named models: could each print the claims that stand for it?

    Raises StudyError where the study has no such model or its claims give nothing to check; RuntimeError before `study` was called.
    """
    if not _current:
        raise RuntimeError("no study is open: call study(\"../data/…\") first")
    open_study = _current[0]
    found: dict[str, list[checks.Checked]] = {name: [] for name in open_study.models}
    for each in checks.findings(open_study):
        found.get(each.about, []).append(each)
    for name in models:
        if not found.get(name):
            raise StudyError(open_study.file, "models", name, f"Print alone decides nothing about it. Known: {', '.join(each for each in found if found[each])}.")
    rows = [(_label(open_study.models[name]["says"], each, place, len(found[name])), each) for name in models for place, each in enumerate(found[name])]
    plain = (f"{says}: {each.finding.verdict}. {each.finding.proof}{_conflict(each, ' Cannot stand together: ')}" for says, each in rows)
    body = "".join(
        f'<tr><th scope="row">{html.escape(says)}</th><td>{_SIGNS[each.finding.verdict]} {each.finding.verdict}</td>'
        f"<td>{html.escape(each.finding.proof)}{html.escape(_conflict(each, ' Smallest set that cannot stand together: '))}</td></tr>"
        for says, each in rows
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Analysis", "From print alone", "Because"))
    return _Shown({"text/plain": "\n".join(plain), "text/html": f'<table class="asprinted-proof"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'})


def _label(says: str, each: checks.Checked, place: int, count: int) -> str:
    """The analysis: what is pooled, with the model at the first of several places; or else the model, with its claims where there are several findings."""
    if each.part:
        part = f"{each.part[0].upper()}{each.part[1:]}"
        return part if place else f"{part}: {says[0].lower()}{says[1:]}"
    return says if count == 1 else f"{says} ({', '.join(each.ids(tuple(each.claims)))})"


def _conflict(each: checks.Checked, before: str) -> str:
    """The first smallest conflicting set in words: what each number is, and how it is printed."""
    if not each.finding.conflict:
        return ""
    claims = _current[0].claims
    names = {name: claims[ids[0]].says if len(ids) == 1 and ids[0] in claims else name for name, ids in each.claims.items()}
    others = len(each.finding.conflicts) - 1
    more = f" (or one of {others} other sets of that size)" if others else ""
    return before + "; ".join(f"{names.get(name, name)} {each.finding.printed[name]}" for name in each.finding.conflict) + f"{more}."


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
