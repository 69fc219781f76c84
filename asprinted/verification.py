"""Every claim recomputed by several engines, each held against print: computed text, slack, verdict."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from asprinted import engines, printed, reanalysis, verdict
from asprinted.chapter import null_value
from asprinted.study import Study
from asprinted.study.entries import Claim

OWN = "asprinted"
SLACK = (
    "slack: how far inside the values that print so the computed value lies, in halves of that interval's width: 1 in its middle, 0 at an end, below 0 outside; "
    "with several engines the least of theirs; – where the interval has an open end, or there is no number."
)
CALCULATED = "(C): calculated from what is printed, as its mark says; it is not printed itself."


@dataclass(frozen=True)
class Recomputed:
    """One claim as one engine computes it.

    printed: the text, or what is declared. computed: the value in the style of print; empty where the engine has none. slack: how far inside the
    values that print so it lies, 1 in the middle, 0 at an end, below 0 outside; None where the interval is open, or there is no value.
    verdict: a key of verdict.VERDICTS, or "no value". as_expected: whether it is the verdict that the study file expects; True without a value.
    reason: why there is no value, or why the verdict is so. calculated: whether `printed` was calculated from print and stands nowhere itself.
    """

    id: str
    engine: str
    printed: str
    computed: str
    slack: float | None
    verdict: str
    as_expected: bool
    reason: str
    calculated: bool = False


def recomputed(study: Study, tables: Mapping[str, pd.DataFrame], names: Collection[str] = (), ids: Collection[str] | None = None) -> list[Recomputed]:
    """A Recomputed for every claim and engine: the library's own first, then each of `names`, in the order of study.yml.

    tables: read back from their files. ids: these claims alone. Raises StudyError where the records do not allow a claim.
    """
    analysis = reanalysis.Reanalysis(study, tables)
    others = {name: engines.recompute(study, tables, name, ids) for name in names}
    rows = []
    for id, claim in study.claims.items():
        if not claim.by or claim.kind == "context" or (ids is not None and id not in ids):
            continue
        rows.append(_judged(study, claim, OWN, analysis.value(claim.by)))
        for name, answers in others.items():
            if id in answers:
                answer = answers[id]
                rows.append(_without(claim, name, answer.reason) if answer.value is None else _judged(study, claim, name, answer.value))
    return rows


def _judged(study: Study, claim: Claim, engine: str, value: float | str) -> Recomputed:
    found = verdict.judge(claim, value, null_value(study, claim.id))
    return Recomputed(claim.id, engine, found.printed, found.computed, slack(claim, value), found.verdict, found.as_expected, found.reason, claim.calculated)


def _without(claim: Claim, engine: str, reason: str) -> Recomputed:
    return Recomputed(claim.id, engine, claim.printed or claim.declared or "", "", None, "no value", True, reason, claim.calculated)


def slack(claim: Claim, value: float | str) -> float | None:
    """How far inside the claim's interval `value` lies, in half widths of it: 1 in the middle, below 0 outside; None where an end is open."""
    if isinstance(value, str):
        return None
    of_print = claim.kind in ("number", "inequality")
    interval = printed.parse(claim.printed or "", claim.rounding).interval() if of_print else printed.declared_interval(claim.declared or "")
    if interval.lo is None or interval.hi is None or interval.lo == interval.hi:
        return None
    lo, hi = float(interval.lo), float(interval.hi)
    return min(float(value) - lo, hi - float(value)) / ((hi - lo) / 2)


def as_table(rows: Collection[Recomputed]) -> list[str]:
    """The rows as lines: claim, printed, computed, slack, engines; below them what slack is, and the mark of what is calculated. Engines that compute the same text share a line, with the smallest slack of theirs.

    The reason follows where an engine has no value, or the verdict is another than expected.
    """
    cells = [("claim", "printed", "computed", "slack", "engines")]
    for _, several in itertools.groupby(rows, key=lambda row: row.id):
        first, groups = True, {}
        for row in several:
            groups.setdefault(_likeness(row), []).append(row)
        for (computed, reason), alike in groups.items():
            least = min((row.slack for row in alike if row.slack is not None), default=None)
            names = ", ".join(row.engine for row in alike)
            cells.append((
                alike[0].id if first else "", _short(alike[0].printed) + " (C)" * alike[0].calculated if first else "", _short(computed) or "–",
                "–" if least is None else f"{least:.2f}", names + (f": {reason}" if reason else ""),
            ))  # fmt: skip
            first = False
    widths = [max(len(row[place]) for row in cells) for place in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  {e}".rstrip() for a, b, c, d, e in cells]
    return [*lines, SLACK, *([CALCULATED] if any(row.calculated for row in rows) else [])]


def _likeness(row: Recomputed) -> tuple[str, str]:
    return row.computed, "" if row.as_expected and row.computed else row.reason


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
