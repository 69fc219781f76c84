"""Computed against printed: a verdict, and the reason for it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import pandas as pd

from asprinted import printed
from asprinted.study import Claim

VERDICTS = {
    "reproduced": "reproduced as printed",
    "holds": "holds as declared",
    "context": "context, not recomputed",
    "upstream-rounding": "differs by upstream rounding",
    "method": "differs by method",
    "definition": "differs by definition",
    "misprint": "misprint in the source",
    "misreported": "source misreports the publication",
    "not-computable": "not computable from what is printed",
    "differs": "not as printed",
}
SYMBOLS = {"reproduced": "✓", "holds": "✓", "context": "·", "differs": "✗"}
MIME = "application/vnd.asprinted.claim+json"


@dataclass(frozen=True)
class Verdict:
    """One claim judged: what the source prints, what was computed, the verdict (a key of VERDICTS) and why.

    decision: "same" or "flips", for whether the computed value falls on the same side of the null, or of
    p = .05, as the printed one; empty where the question does not arise.
    """

    id: str
    says: str
    kind: str
    printed: str
    computed: str
    verdict: str
    expected: str
    decision: str
    reason: str
    anchor: str

    @property
    def as_expected(self) -> bool:
        """True where the verdict is the one that the study file expects."""
        return self.verdict == self.expected

    @property
    def label(self) -> str:
        """The verdict in words, with a sign in front that does not need colour."""
        return f"{SYMBOLS.get(self.verdict, '≠')} {VERDICTS[self.verdict]}"


def judge(claim: Claim, value: printed.Number | str | None = None, null: float = 0.0) -> Verdict:
    """The verdict on `claim` for the computed `value`; `null` is the value of no effect.

    `value` is a number in the printed unit, text for a claim in words about a set of values, and None
    for context. Raises ValueError where a value is missing, superfluous or not finite.
    """
    if claim.kind == "context":
        if value is not None:
            raise ValueError(f"{claim.address} is context and not recomputed: give no value, or change its kind")
        return _verdict(claim, claim.printed or "", "", "context", "", claim.reason)
    if value is None:
        raise ValueError(f"{claim.address} needs a computed value")
    shown = claim.printed or re.sub(r"(?<!\w)-(?=\d)", "−", (claim.declared or "").replace(">=", "≥").replace("<=", "≤"))
    if claim.kind in ("words", "direction"):
        holds, computed = _compare_declared(claim.declared or "", value)
        return _verdict(claim, shown, computed, "holds" if holds else _otherwise(claim), "", claim.reason)
    number = printed.parse(claim.printed or "", claim.rounding)
    agrees = number.contains(value)
    verdict = "reproduced" if agrees else _otherwise(claim)
    reason = claim.reason if claim.reason or agrees else f"computed {float(value):.6g}, outside the values that print as {claim.printed}"
    return _verdict(claim, shown, number.render(value), verdict, _decision(claim, number, value, null), reason)


def table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A data frame with a row a verdict: claim, printed, computed, verdict, decision, reason."""
    rows = [asdict(verdict) | {"verdict": VERDICTS[verdict.verdict]} for verdict in verdicts]
    columns = ["id", "says", "kind", "printed", "computed", "verdict", "decision", "reason"]
    return pd.DataFrame(rows, columns=columns)


def as_html(verdicts: Sequence[Verdict]) -> str:
    """A small table for a notebook: a row a claim, whose id is the claim's anchor."""
    cell = html.escape
    numbers_only = all(v.kind in ("number", "inequality") for v in verdicts)
    names = ("Claim", "Printed" if numbers_only else "Printed, or as declared", "Computed here", "Verdict")
    rows = "".join(
        f'<tr id="{cell(v.anchor)}" class="asprinted-{v.verdict}"><th scope="row">{cell(v.says)}<br/>'
        f"<code>{cell(v.id.split(':')[-1])}</code></th><td>{cell(v.printed)}</td><td>{cell(v.computed)}</td>"
        f"<td>{cell(v.label)}</td></tr>"
        for v in verdicts
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f'<table class="asprinted-claim"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def as_text(verdicts: Iterable[Verdict]) -> str:
    """A line a claim."""
    return "\n".join(f"{v.id}: printed {v.printed}, computed {v.computed}: {v.label}" for v in verdicts)


def as_json(verdicts: Iterable[Verdict]) -> dict:
    """What a notebook stores: {"claims": [{id, printed, computed, verdict, …}, …]}."""
    return {"claims": [asdict(verdict) for verdict in verdicts]}


def _verdict(claim: Claim, shown: str, computed: str, verdict: str, decision: str, reason: str) -> Verdict:
    return Verdict(
        claim.address, claim.says, claim.kind, shown, computed, verdict, claim.expect, decision, reason, claim.anchor
    )


def _otherwise(claim: Claim) -> str:
    """The verdict on a value that does not agree: the declared reason for a difference, or plainly 'differs'."""
    return "differs" if claim.expect in ("reproduced", "holds", "context") else claim.expect


def _compare_declared(declared: str, value: printed.Number | str) -> tuple[bool, str]:
    if isinstance(value, str):
        return value == declared, value
    holds = printed.declared_interval(declared).contains(value)
    if re.search(r"[<>≤≥]|\sto\s", declared):
        decimals = max([0 if value == int(value) else 2, *(len(part) for part in re.findall(r"(?<=\.)\d+", declared))])
        return holds, f"{printed.round_to(value, decimals):f}".replace("-", "−")
    return holds, printed.in_style(value, declared)


def _decision(claim: Claim, number: printed.Printed, value: printed.Number, null: float) -> str:
    statistic = (claim.by or {}).get("statistic")
    if statistic not in ("p", "joint_p", "est", "lo", "hi"):
        return ""
    threshold = Decimal("0.05") if statistic in ("p", "joint_p") else Decimal(null)
    lo, hi, _, _ = number.interval()
    if (lo is None or lo < threshold) and (hi is None or threshold < hi):
        return ""
    printed_below = hi is not None and hi <= threshold
    return "same" if (float(value) < threshold) == printed_below else "flips"
