"""What chapters import: the study, a check of each claim, what print alone proves, and numbers for sentences.

    from asprinted.chapter import check, say, study
    trial = study("../data/some-trial")
    check("score.change.p", p_value)
    say("mean_difference", f"{difference:.2f}")
    prove("adjusted_model", "crude_model")
    explore(settings, ["model", "points lower"])
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from asprinted import checks, printed, verdict
from asprinted.study import Study, StudyError, load

_current: list[Study] = []  # a notebook has one study at a time
_going_on: list[bool] = []  # empty in the book, where `check` stops at a claim that does not come out


_HOLDS = {True: "✓ holds", False: "✗ does not hold"}
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


def go_on() -> None:
    """Nothing is returned: from now on `check` shows a verdict that study.yml does not expect, and stops no more.

    It is for a reader's own copy, in which something may be changed to see what becomes of each claim. A chapter of the book may not call it.
    """
    _going_on[:] = [True]


def check(claim: str | Mapping[str, Any], value: printed.Number | str | None = None) -> _Shown:
    """A table with the verdict on a claim (or on several: {id: value}), for the notebook to show.

    Raises ClaimError, with the table's text, where a verdict is not the one that study.yml expects (after `go_on` it says so above the table instead);
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
    if wrong and not _going_on:
        raise ClaimError(
            f"{verdict.as_text(wrong)}\n{'; '.join(each.reason for each in wrong if each.reason)}\n"
            f"expected: {', '.join(verdict.VERDICTS[each.expected] for each in wrong)}"
        )
    told = [f"Not as in the book: {each.says}. There: {verdict.VERDICTS[each.expected]}." for each in wrong]
    return _Shown(
        {
            "text/plain": "\n".join([*told, verdict.as_text(verdicts)]),
            "text/html": "".join(f"<p><strong>{html.escape(line)}</strong></p>" for line in told) + verdict.as_html(verdicts),
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


def explore(frame: pd.DataFrame, controls: Sequence[str], summary: str = "Every setting as a table") -> _Shown:
    """A table of what becomes of each claim in each setting, which the page turns into a figure with controls.

    `frame` has a row for every setting and claim: the columns named in `controls` (numbers become a slider, texts a choice), `claim`, `printed` and `computed`
    (texts), `holds` (true or false), and where something is to be drawn `estimate`, `low`, `high`, `line` (the value that decides), `from` and `to` (the band of values
    that print as the source does) and `axis` (what is drawn; logarithmic where it ends in "ratio"). The first setting is where the figure starts. Raises ValueError where no controls are named,
    a column is missing, a setting or a verdict is empty, or a claim stands twice in a setting.
    """
    controls = list(controls)
    if not controls:
        raise ValueError("explore: no controls are named; name the columns in which the settings differ")
    missing = [name for name in (*controls, "claim", "printed", "computed", "holds") if name not in frame]
    if missing:
        raise ValueError(f"explore: the table has no column {', '.join(missing)}; add it, or name the controls that the table has")
    empty = [name for name in (*controls, "claim", "holds") if frame[name].isna().any()]
    if empty:
        raise ValueError(f"explore: the column {empty[0]!r} has an empty cell; give every row its setting, claim and verdict, and leave out a claim of which a setting says nothing")
    twice = frame[frame.duplicated([*controls, "claim"])]
    if len(twice):
        raise ValueError(f"explore: claim {twice['claim'].iloc[0]!r} stands twice in a setting; name every column that differs in `controls`")
    claims = frame.drop_duplicates("claim")
    heads = [f'<th scope="col" data-kind="{"slider" if pd.api.types.is_numeric_dtype(frame[name]) else "choice"}">{html.escape(name)}</th>' for name in controls]
    heads += [
        f'<th scope="col" data-axis="{html.escape(str(claim.get("axis", "")))}"><span>{html.escape(claim["claim"])}</span> <small>{html.escape(claim["printed"])}</small></th>'
        for claim in claims.to_dict("records")
    ]
    rows, lines = [], []
    for setting, part in frame.groupby(controls, sort=False):
        names = [f"{value:g}" if isinstance(value, float) else str(value) for value in setting]
        by_claim = {cell["claim"]: cell for cell in part.to_dict("records")}
        cells = [_explored(by_claim.get(claim)) for claim in claims["claim"]]
        rows.append("<tr>" + "".join(f'<th scope="row">{html.escape(name)}</th>' for name in names) + "".join(cells) + "</tr>")
        held = [f"{claim} {cell['computed']} {_HOLDS[bool(cell['holds'])]}" for claim, cell in by_claim.items()]
        lines.append(f"{', '.join(names)}: {'; '.join(held)}")
    table = f'<table class="asprinted-explore"><thead><tr>{"".join(heads)}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return _Shown({"text/plain": "\n".join(lines), "text/html": f'<details class="asprinted-explore" open><summary>{html.escape(summary)}</summary>{table}</details>'})


def _explored(cell: Mapping[str, Any] | None) -> str:
    """One claim in one setting: what was computed, the verdict in words, and what is drawn."""
    if cell is None:
        return "<td>does not apply</td>"
    drawn = "".join(f' data-{name}="{cell[name]:.4g}"' for name in ("estimate", "low", "high", "line", "from", "to") if pd.notna(cell.get(name)))
    return f'<td data-holds="{"yes" if cell["holds"] else "no"}"{drawn}><span>{html.escape(cell["computed"])}</span> <b>{_HOLDS[bool(cell["holds"])]}</b></td>'
