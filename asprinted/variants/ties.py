"""Which printed numbers hold each other: a number that others fix cannot be drawn alone. From the study file, before any records."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asprinted import checks, printed
from asprinted.consistency.conflict import CONTRADICTORY, and_list, shifted
from asprinted.study import SEPARATOR, Claim, Study, StudyError, wanted_of
from asprinted.study.entries import columns_of
from asprinted.synthesis.design import generator
from asprinted.variants import counted, drawing
from asprinted.variants.drawing import FOLLOWS, Varied

SHARES = (0.0, 1.0, 0.5)  # of a range: where it is tried first
RANDOM = 17  # other numbers of it that are tried, before it is called impossible
RIGHT = ("reproduced", "holds")  # what is expected of claims that are taken to be printed rightly
AMOUNTS = ("count", "observed", "sum")
MOST = 60  # numbers of a range that are each held against print
MOVES = (0.1, -0.1, 0.3, -0.3)  # of its size: so far a number is moved to see whether another holds it, and by three of its last digit or more


@dataclass(frozen=True)
class Tie:
    """Numbers that cannot all stand as they are: their ids, and why."""

    ids: tuple[str, ...]
    why: str


def contradiction(study: Study, ids: Collection[str]) -> Tie | None:
    """A smallest set of numbers, one of `ids` among them, that print proves cannot all be right; None where it proves nothing so.

    What the study file takes to be printed wrongly has no part in a proof: it holds nothing.
    """
    study = replace(study, claims={id: claim if claim.expect in RIGHT else replace(claim, kind="context") for id, claim in study.claims.items()})
    for tie in (*_twice(study), *_sums(study), *_percentages(study)):
        if not set(tie.ids).isdisjoint(ids):
            return tie
    try:
        found_of_print = checks.findings(_near(counted.with_counts(study), ids))
    except StudyError:
        raise
    except ValueError as error:  # a number that none of its kind can be, such as a pool of no trials
        return Tie(tuple(sorted(ids)), f"{error}.")
    for each in found_of_print:
        for names in each.finding.conflicts if each.fault else ():
            found = tuple(id for id in dict.fromkeys(each.ids(names)) if id in study.claims)
            if not set(found).isdisjoint(ids) and all(study.claims[id].expect in RIGHT for id in found):
                return Tie(found, each.finding.proof)
    return None


def holding(study: Study, ids: Collection[str]) -> list[str]:
    """The claims that hold `ids` where they are, as far as print proves it: those of a conflict, and of the next once these are left out."""
    found: list[str] = []
    needed = _needed(study)
    while tie := contradiction(study, ids):
        others = [id for id in tie.ids if id not in ids]
        found += [id for id in others if id not in found]
        free = [id for id in others if id not in needed and study.claims[id].by]
        if not free:
            break
        study = replace(study, claims=study.claims | {id: replace(study.claims[id], kind="context", by=None) for id in free})
    return found


def refuse(study: Study, varied: Sequence[Varied]) -> None:
    """Raise StudyError where print proves of each number tried in the ranges, both ends and the middle among them, that it cannot stand beside what else is printed."""
    ids = {each.claim for each in varied if not each.follows}
    tried: list[tuple[Tie, Study]] = []
    for wanted in tries(drawing.following(study, varied), varied, RANDOM):
        tie = contradiction(wanted, ids)
        if tie is None:
            return
        tried.append((tie, wanted))
    if not tried:
        return
    tie, wanted = min(tried, key=lambda each: len(each[0].ids))
    numbers = and_list(f"{id} {wanted.claims[id].printed}" for id in tie.ids)
    held = [study.claims[id] for id in holding(wanted, ids)]
    named = [each for each in varied if not each.follows]
    them = "it" if len(named) == 1 else "them"
    remedy = (
        f"Other print fixes {them}: none of the {len(tried)} numbers tried in {and_list(map(str, named))} can stand. "
        f"{numbers} cannot all be right: {tie.why} {_advice(study, them, held)}"
    )
    raise StudyError(study.file, SEPARATOR.join(("vary", and_list(each.claim for each in named))), None, remedy)


def tries(study: Study, varied: Sequence[Varied], more: int) -> Iterator[Study]:
    """The study with both ends of the ranges, their middle, and `more` numbers drawn in them, each once, and never what the source prints."""
    rng, own, seen = generator(study, "tries"), drawing.texts(study, varied), set()
    for wanted in (*(drawing.between(study, varied, share) for share in SHARES), *(drawing.drawn(study, varied, rng) for _ in range(more))):
        texts = drawing.texts(wanted, varied)
        if texts not in seen and texts != own:
            seen.add(texts)
            yield wanted


@dataclass(frozen=True)
class Pool:
    """The numbers of a range that print does not rule out, as text; tried: how many were held against print, of how many in the range."""

    claim: str
    texts: tuple[str, ...]
    tried: tuple[str, ...]
    of: int

    def __str__(self) -> str:
        whole = f"of {self.of} values between" if len(self.tried) == self.of else f"of {len(self.tried)} values tried between"
        return f"{self.claim}: {whole} {self.tried[0]} and {self.tried[-1]}, {self._runs()} can be printed with the others"

    def _runs(self) -> str:
        """The texts in words, neighbours taken together: "3, 5 to 8 and 10"."""
        runs: list[list[str]] = []
        for before, text in zip((None, *self.tried), self.tried):
            if text in self.texts:
                runs[-1].append(text) if runs and before == runs[-1][-1] else runs.append([text])
        return and_list(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs) if runs else "none"


def pools(study: Study, varied: Sequence[Varied]) -> list[Pool]:
    """The Pool of each range: every number in it, or MOST evenly apart, held against print where the other numbers that are varied may be any."""
    found = []
    for each in (one for one in varied if not one.follows):
        rest = drawing.following(study, [each, *(Varied(other.claim) for other in varied if other.claim != each.claim)])
        of, choices = drawing.spread(study, each, MOST)
        texts = [(choice.claims[each.claim].printed or "", choice) for choice in (replace(rest, claims=rest.claims | {each.claim: claim}) for claim in choices)]
        found.append(Pool(each.claim, tuple(text for text, choice in texts if contradiction(choice, {each.claim}) is None), tuple(text for text, _ in texts), of))
    return found


def listed(study: Study) -> dict[str, list[str]]:
    """Every number that can be varied in this study, in its order, with the claims that print alone proves to hold it; none where it proves nothing."""
    return {claim.id: _held(study, claim) for claim in study.claims.values() if drawing.can_vary(claim)}


def limits(found: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Every number of `found`, which is as `listed` gives it, that nothing holds but that holds others: with those. A little can be varied alone, far only with them."""
    return {id: those for id, held in found.items() if not held and (those := [other for other, of in found.items() if id in of])}


def _held(study: Study, claim: Claim) -> list[str]:
    """The claims that hold a number wherever it is moved; none where one of MOVES leads to a number that nothing proves wrong."""
    number, first = printed.parse(claim.printed or "", claim.rounding), None
    for move in MOVES:
        units = max(3, round(abs(move * float(number.value)) * 10**number.decimals))
        moved = shifted(number, units if move > 0 else -units)
        if number.value >= 0 > moved.value:
            continue
        there = replace(study, claims=study.claims | {claim.id: replace(claim, printed=moved.text)})
        tie = contradiction(there, {claim.id})
        if tie is None:
            return []
        first = first or (there if len(tie.ids) > 1 else None)
    if first is None:
        return []
    found = holding(first, {claim.id})
    for ids in (*(tuple(ids.values()) for _, ids in counted.percentages(study)), counted.of_table(study, claim)):
        if claim.id in ids and not set(ids).isdisjoint(found):  # whichever number it is moved to, all of them together hold it
            found += [id for id in ids if id not in (claim.id, *found) and study.claims[id].expect in RIGHT]
    return found


def _near(study: Study, ids: Collection[str]) -> Study:
    """The study with only those claims to check that are about the same variables as `ids`, or are of models that name one of them."""
    about = [_variables(study.claims[id].by or {}) for id in ids]
    if not all(about):
        return study
    wanted = set().union(*about)
    models = {name for name, model in study.models.items() if not _mentioned(model).isdisjoint(ids)}
    return replace(study, claims={
        id: claim if not claim.by or claim.by["statistic"] == "count" or claim.by.get("model") in models or wanted & _variables(claim.by) else replace(claim, kind="context")
        for id, claim in study.claims.items()
    })  # fmt: skip


def _variables(by: dict[str, Any]) -> set[str]:
    """The columns or outcomes that an entry is about; none of one that counts people."""
    found = (by.get(field, []) for field in ("column", "outcome"))
    return {name for each in found for name in ([each] if isinstance(each, str) else each)}


def _mentioned(entry: Any) -> set[str]:
    """Every text in an entry of the study file, ids among them."""
    if isinstance(entry, dict):
        return set().union(*map(_mentioned, entry.values()))
    if isinstance(entry, list):
        return set().union(*map(_mentioned, entry))
    return {entry} if isinstance(entry, str) else set()


# What is tied without any statistics


def _numbers(study: Study) -> list[Claim]:
    return [claim for claim in study.claims.values() if drawing.can_vary(claim)]


def _twice(study: Study) -> Iterator[Tie]:
    """Claims on the same number that print no common value."""
    first: dict[str, Claim] = {}
    for claim in _numbers(study):
        other = first.setdefault(json.dumps(claim.by, sort_keys=True), claim)
        ours, theirs = (printed.parse(each.printed, each.rounding) for each in (claim, other))
        if not (ours.contains(theirs.value) or theirs.contains(ours.value)):
            yield Tie((other.id, claim.id), "Both are one number, printed twice.")


def _sums(study: Study) -> Iterator[Tie]:
    """Counts of people whose parts, by the values of a column, do not add up to the whole."""
    counts = {(claim.by["table"], wanted_of(claim.by.get("filter", {}))): claim for claim in _numbers(study) if claim.by["statistic"] == "count" and "rule" not in claim.by}
    for (table, filter), whole in counts.items():
        for column, spec in columns_of(study, table).items():
            parts = [counts.get((table, filter | {(column, str(value))})) for value in spec.get("values", ())]
            complete = parts and spec.get("required") and all(parts) and column not in dict(filter)
            if complete and sum(printed.parse(part.printed).value for part in parts) != printed.parse(whole.printed).value:
                yield Tie((whole.id, *(part.id for part in parts)), "The parts must add up to the whole.")


def _percentages(study: Study) -> Iterator[Tie]:
    """Percentages that their own printed counts do not print."""
    for finding, ids in counted.percentages(study):
        if finding.verdict == CONTRADICTORY:
            yield Tie(tuple(ids[name] for name in finding.conflict), finding.proof)


def _needed(study: Study) -> set[str]:
    """The claims that say how many people or events the design and the models have: without them there is nothing to make."""
    named = _mentioned(study.design) | _mentioned(study.models)
    return {id for id, claim in study.claims.items() if id in named and claim.by and claim.by["statistic"] in AMOUNTS}


def _advice(study: Study, them: str, others: Sequence[Claim]) -> str:
    """What to do about the numbers that hold one varied ("it") or several ("them"): vary them, or let them follow; those that the design needs do not follow, and what is no plain number only follows."""
    if not others:
        return "State another range."
    needed = _needed(study)
    varying = [claim.id for claim in others if drawing.can_vary(claim)]
    free = [claim.id for claim in others if claim.id not in needed]
    following = " ".join(f"--vary {id}={FOLLOWS}" for id in free)
    fixed = [id for id in free if id not in varying]
    only = f" {and_list(fixed)} cannot be varied, only follow." if fixed and varying else ""
    if not varying:
        return f"Let what holds {them} be whatever the records give: {following}." if free else "State another range."
    together = f"Vary {and_list(varying)} with {them}, each in a range"
    return f"{together}, or let what holds {them} be whatever the records give: {following}.{only}" if free else f"{together}."
