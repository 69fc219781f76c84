"""Claims that are varied: each student's study prints another number, drawn in a range that the teacher states."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from asprinted import printed
from asprinted.study import SEPARATOR, Claim, Study, StudyError

FOLLOWS = "follows"


@dataclass(frozen=True)
class Varied:
    """A claim by its id, and the smallest and the largest number that a student's study may print for it, as text.

    Both are empty where the number follows: it is not to be printed again, and is whatever the student's records give.
    """

    claim: str
    low: str = ""
    high: str = ""

    @property
    def follows(self) -> bool:
        return not self.low

    def __str__(self) -> str:
        return f"{self.claim}={FOLLOWS if self.follows else f'{self.low}..{self.high}'}"


def can_vary(claim: Claim) -> bool:
    """Whether the claim is a number in digits that the records reproduce."""
    return claim.kind == "number" and bool(claim.by) and claim.expect == "reproduced" and (claim.printed or "").strip().lower() not in printed.NUMBER_WORDS


def varied(study: Study, text: str) -> Varied:
    """The Varied that "claim.id=LOW..HIGH" or "claim.id=follows" means. Raises StudyError where it cannot be read, or names no number that is recomputed."""
    match = re.fullmatch(rf"(?P<claim>[^=\s]+)\s*=\s*(?:(?P<low>\S+?)\s*\.\.\s*(?P<high>\S+)|{FOLLOWS})", text.strip())
    if match is None:
        remedy = f"Write a claim, the smallest and the largest number, such as score.change.est=1.5..4.0, or score.change.est={FOLLOWS} where its number may be what the others make it."
        raise StudyError(study.file, "vary", text, remedy)
    _refuse_assumption(study, match["claim"])
    claim = study.claim(match["claim"])
    found = Varied(claim.id, match["low"] or "", match["high"] or "")
    where = SEPARATOR.join(("vary", claim.id))
    if found.follows and claim.by and claim.kind != "context":
        return found
    if not can_vary(claim):
        remedy = "Only a number in digits that the records reproduce can be varied: name such a claim"
        follow = f", or write {claim.id}={FOLLOWS} where it need not be printed again" if claim.by and claim.kind != "context" else ""
        raise StudyError(study.file, where, claim.printed or claim.declared, f"{remedy}{follow}.")
    try:
        low, high = _ends(claim, found)
    except ValueError as error:
        raise StudyError(study.file, where, text, f"{error}.") from None
    if low > high:
        raise StudyError(study.file, where, text, f"No number with the decimals of {claim.printed!r} lies there: write the smaller first, and leave room between them.")
    return found


def _refuse_assumption(study: Study, id: str) -> None:
    """Raise StudyError where `id` is an assumption."""
    assumption = study.assumptions.get(id.removeprefix(f"{study.slug}:"))
    if assumption is None:
        return
    wider = f"widen its bounds ({' to '.join(assumption.bounds)} now)" if assumption.bounds else "change its value"
    remedy = f"This is an assumption, which no source prints, so there is no number to vary: {wider} in study.yml, and every student's records may differ within them."
    raise StudyError(study.file, SEPARATOR.join(("vary", assumption.id)), None, remedy if assumption.bounds else remedy.partition(", and every")[0] + ".")


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

    Claims that follow are context in it, no longer to be met, though draws may start from them; all others print what they print.
    """
    return _printing(study, varied, lambda low, high: int(rng.integers(low, high + 1)))


def following(study: Study, varied: Sequence[Varied]) -> Study:
    """The study in which only the claims that follow are changed."""
    return _printing(study, [each for each in varied if each.follows], lambda low, high: low)


def between(study: Study, varied: Sequence[Varied], share: float) -> Study:
    """As `drawn`, with each number at the same share of its range: 0 is the lower end, 1 the upper."""
    return _printing(study, varied, lambda low, high: low + round(share * (high - low)))


def _printing(study: Study, varied: Sequence[Varied], choose: Callable[[int, int], int]) -> Study:
    """The study whose varied claims print what `choose` makes of the ends of their ranges, in units of the last decimal.

    Chosen in the order of their names, so that the order in which they are given changes no record.
    """
    claims, followed = dict(study.claims), dict(study.followed)
    for each in sorted(varied, key=str):
        claim = study.claims[each.claim]
        if each.follows:
            claims[claim.id], followed[claim.id] = replace(claim, kind="context", expect="context", by=None), claim
            continue
        claims[claim.id] = _saying(claim, choose(*_ends(claim, each)))
    return replace(study, claims=claims, followed=followed)


def spread(study: Study, varied: Varied, most: int) -> tuple[int, list[Claim]]:
    """How many numbers a range holds; and the claim printing each of them, or where they are more than `most` so many, evenly apart from end to end."""
    claim = study.claims[varied.claim]
    low, high = _ends(claim, varied)
    places = range(low, high + 1) if high - low < most else sorted({low + round(place * (high - low) / (most - 1)) for place in range(most)})
    return high - low + 1, [_saying(claim, place) for place in places]


def _saying(claim: Claim, place: int) -> Claim:
    """The claim printing a number that is given in units of its last decimal, in the style of the source."""
    value = Decimal(place).scaleb(-printed.parse(claim.printed or "").decimals)
    return replace(claim, printed=printed.in_style(value, claim.printed or "", claim.rounding))


def texts(study: Study, varied: Sequence[Varied]) -> tuple[str, ...]:
    """What `study` prints for each claim whose number is drawn."""
    return tuple(study.claims[each.claim].printed or "" for each in varied if not each.follows)
