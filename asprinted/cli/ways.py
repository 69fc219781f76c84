"""Ways out of print that contradicts itself: which numbers to leave out, each way asked again of all that is left before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from asprinted import checks
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, releases
from asprinted.study import SEPARATOR, Study, StudyError

MOST_NUMBERS = 4  # left out of one question
MOST_WAYS = 6  # named
MOST_ASKED = 12  # ways of which all questions are asked again
_REASON = "Named with --all-but: the other printed numbers stand, this one is left out."
_COUNTS, _PEOPLE = ("sum", "smallest_sum"), ("count", "observed", "n", "k", "distinct")  # whatever else is printed is derived from such numbers

Way = tuple[str, ...]  # ids of claims


def without(study: Study, ids: Sequence[str]) -> Study:
    """The study with the claims `ids` expected to be misprints, so that nothing is made to print them.

    Raises StudyError where there is no such claim, or it is no number.
    """
    claims = dict(study.claims)
    for id in ids:
        claim = study.claim(id)
        if claim.kind not in ("number", "inequality"):
            raise StudyError(study.file, SEPARATOR.join(("claims", claim.id, "kind")), claim.kind, "--all-but leaves out a number: name a claim of the kind number or inequality.")
        claims[claim.id] = replace(claim, expect="misprint", reason=claim.reason or _REASON)
    return replace(study, claims=claims)


def advised(study: Study, faults: Sequence[checks.Checked]) -> list[Way]:
    """The sets of claims of which each, left out as a whole, ends every contradiction of the study; the likeliest to be doubted first.

    Numbers derived from others come before counts, how many people there are last and only where nothing else would do. Each way
    has been asked again: no question of what is left is a fault. At most MOST_WAYS; empty where none was found.
    """
    found: list[Way] = []
    waiting = _joined(study, faults)
    for _ in range(MOST_ASKED):
        waiting = [ids for ids in waiting if not any(set(way) <= set(ids) for way in found)]
        if not waiting:
            break
        ids = waiting.pop(0)
        left = [each for each in checks.findings(without(study, ids)) if each.fault]
        if not left:
            found.append(ids)
        waiting += [(*ids, *more) for more in _joined(study, left) if more]  # what was hidden behind what is left out now
    return sorted(found, key=lambda ids: _rank(study, ids))[:MOST_WAYS]


def _joined(study: Study, faults: Sequence[checks.Checked]) -> list[Way]:
    """Ways that end each of the faults on its own, in the order in which they are to be doubted; none holds another."""
    ways: list[Way] = [()] if faults else []
    for each in faults:
        own = _ways(study, each)
        ways = [joined for ids in ways for joined in ([ids] if _ends(each, ids) else [tuple(dict.fromkeys((*ids, *more))) for more in own])]
        ways = list({frozenset(ids): ids for ids in reversed(ways)}.values())[::-1]
        ways = sorted((ids for ids in ways if not any(set(other) < set(ids) for other in ways)), key=lambda ids: _rank(study, ids))[: 4 * MOST_WAYS]
    return ways


def _ends(each: checks.Checked, ids: Way) -> bool:
    """Whether a question is no longer contradictory without these claims."""
    gone = [name for name, of in each.claims.items() if set(of) & set(ids)]
    return bool(gone) and each.finding.without(gone).verdict != CONTRADICTORY


def _ways(study: Study, each: checks.Checked) -> list[Way]:
    """The smallest sets of derived numbers that end one fault, then those with counts of which records could follow, and only where there are neither those with numbers of people."""
    finding, named = each.finding, {name: of[0] for name, of in each.claims.items() if len(of) == 1 and of[0] in study.claims}
    held = _fixed(study)
    tiers = {name: _tier(study, named[name]) for name in finding.printed if name in named}
    fixed = {name for name in tiers if tiers[name] and named[name] in held}
    healed = {name for name, _, _ in finding.healing} if len(finding.healing) == 1 else set()
    found: list[tuple[str, ...]] = []
    for most in range(3):
        names = [name for name, late in tiers.items() if late <= most and name not in fixed]
        ends = releases(names, finding.conflicts, lambda some: finding.without(some).verdict == CONTRADICTORY, MOST_NUMBERS) if most < 2 or not found else ()
        more = [some for some in ends if some not in found and (not most or finding.without(some).verdict == POSSIBLE)]
        found += sorted(more, key=lambda some: not healed & set(some))
    return [tuple(named[name] for name in some) for some in found]


def _tier(study: Study, id: str) -> int:
    """How late a claim is to be doubted: -1 of how many were seen in all, 0 where it is derived from other numbers, 1 of counts of what people had, 2 of how many people there are."""
    statistic = study.claims[id].by["statistic"]
    if of_all_seen(study, id):
        return -1
    return 2 if statistic in _PEOPLE else 1 if statistic in _COUNTS else 0


def of_all_seen(study: Study, id: str) -> bool:
    """True of a claim on how many people of all arms were seen, which the design does not take: it may count people of whom the answer is not known."""
    by, arm = study.claims[id].by or {}, study.design.get("people", {}).get("arms", {}).get("column")
    return by.get("statistic") == "observed" and arm is not None and arm not in by.get("filter", {}) and id not in _fixed(study)


def _rank(study: Study, ids: Way) -> tuple[int, int]:
    return max((_tier(study, id) for id in ids), default=0), len(ids)


def _fixed(study: Study) -> set[str]:
    """The claims that the design or a model's amounts take as they are printed, so that records hold them in any case."""

    def texts(part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from texts(each)

    amounts = [model[field] for model in study.models.values() if "instead_of" not in model for field in ("counts", "events") if field in model]
    return {text for part in (study.design, *amounts) for text in texts(part)} & study.claims.keys()
