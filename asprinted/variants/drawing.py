"""Claims that are varied: each student's study prints another number, drawn in a range that the teacher states."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from asprinted import printed
from asprinted.study import SEPARATOR, Claim, Study, StudyError

ABOUT = ("model", "table", "outcome", "column", "contrast", "filter", "rule", "between")  # what a claim is about; the rest says which statistic of it


@dataclass(frozen=True)
class Varied:
    """A claim by its id, and the smallest and the largest number that a student's study may print for it, as text."""

    claim: str
    low: str
    high: str

    def __str__(self) -> str:
        return f"{self.claim}={self.low}..{self.high}"


def varied(study: Study, text: str) -> Varied:
    """The Varied that "claim.id=LOW..HIGH" means. Raises StudyError where it cannot be read, or names no number that is recomputed."""
    match = re.fullmatch(r"(?P<claim>[^=\s]+)\s*=\s*(?P<low>\S+?)\s*\.\.\s*(?P<high>\S+)", text.strip())
    if match is None:
        raise StudyError(study.file, "vary", text, "Write a claim, the smallest and the largest number, such as score.change.est=1.5..4.0.")
    claim = study.claim(match["claim"])
    found = Varied(claim.id, match["low"], match["high"])
    where = SEPARATOR.join(("vary", claim.id))
    if claim.kind != "number" or not claim.by or claim.expect != "reproduced" or (claim.printed or "").strip().lower() in printed.NUMBER_WORDS:
        raise StudyError(study.file, where, claim.printed or claim.declared, "Only a number in digits that the records reproduce can be varied: name such a claim.")
    try:
        low, high = _ends(claim, found)
    except ValueError as error:
        raise StudyError(study.file, where, text, f"{error}.") from None
    if low > high:
        raise StudyError(study.file, where, text, f"No number with the decimals of {claim.printed!r} lies there: write the smaller first, and leave room between them.")
    return found


def _ends(claim: Claim, varied: Varied) -> tuple[int, int]:
    """The smallest and the largest number, in units of the claim's last printed decimal. Raises ValueError where one cannot be read."""
    decimals = printed.parse(claim.printed or "").decimals
    low, high = (printed.parse(end) for end in (varied.low, varied.high))
    for end in (low, high):
        if end.relation != "=":
            raise ValueError(f"{end.text!r} is no number but an inequality: give a number")
    return math.ceil(low.value.scaleb(decimals)), math.floor(high.value.scaleb(decimals))


def drawn(study: Study, varied: Sequence[Varied], rng: np.random.Generator) -> Study:
    """The study whose varied claims print numbers drawn in their ranges, every one as likely, each in the style of the source.

    Other claims about the same model, outcome and contrast (or table, column and rows) are context in it: no longer to be met.
    """
    claims = dict(study.claims)
    names = {each.claim for each in varied}
    for each in varied:
        claim = study.claims[each.claim]
        low, high = _ends(claim, each)
        value = Decimal(int(rng.integers(low, high + 1))).scaleb(-printed.parse(claim.printed or "").decimals)
        claims[claim.id] = replace(claim, printed=printed.in_style(value, claim.printed or "", claim.rounding))
        for other in study.claims.values():
            if other.id not in names and other.by and about(other) == about(claim):
                claims[other.id] = replace(other, kind="context", expect="context", by=None)
    return replace(study, claims=claims)


def about(claim: Claim) -> dict[str, object]:
    """What a claim is about: its `by` without the statistic."""
    return {field: value for field, value in (claim.by or {}).items() if field in ABOUT}
