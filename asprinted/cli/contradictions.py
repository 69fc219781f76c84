"""Print that contradicts itself, told in words before anything is searched; and records of all of it but what was named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from asprinted import checks, reanalysis
from asprinted.consistency.conflict import and_list
from asprinted.study import SEPARATOR, Study, StudyError

_ANSWERS = {
    "possible": "could have printed these numbers",
    "contradictory": "could not have printed them either",
    "undecided": "cannot be told from print",
}
_REASON = "Named with --all-but: the other printed numbers stand, this one is left out."


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


def as_json(study: Study, found: Sequence[checks.Checked]) -> dict[str, Any]:
    """The contradictions as data: each finding that is a fault, with the other analyses that were declared for the same claims."""
    faults = [each for each in found if each.fault]
    return {"study": study.slug, "contradictory": [each.as_json() | {"others": {other.about: other.finding.verdict for other in _others(study, each, found)}} for each in faults]}


def in_words(study: Study, found: Sequence[checks.Checked], folder: Path) -> list[str]:
    """Each contradiction in words, line by line: what cannot stand together, why, what would heal it, and what to do."""
    faults = [each for each in found if each.fault]
    lines = [f"{study.file}: the printed numbers contradict each other{f' in {len(faults)} places' if len(faults) > 1 else ''}: no records can print them all, so none were made."]
    for each in faults:
        lines += ["", f"{_about(study, each)}: these numbers cannot all be right:"]
        lines += _numbers(study, each, each.finding.conflict)
        if len(each.finding.conflicts) > 1:
            others = len(each.finding.conflicts) - 1
            lines.append(f"  ({'One other set' if others == 1 else f'{others} other sets'} of that size cannot stand together either: asprinted check {folder} lists {'it' if others == 1 else 'them'}.)")
        lines += [f"  Why: {each.finding.proof}", f"  {_healing(study, each)}", *_analyses(study, each, found)]
    suspects = dict.fromkeys(id for each in faults for id in _suspects(study, each))
    lines += ["", "What to do: look the numbers up in the paper again, and which analysis each comes from."]
    lines += ["If they stand there so, make records that print all but the one you doubt most:"]
    return lines + [f"  asprinted synthesise {folder} --all-but {id}" for id in suspects]


def left_out(study: Study, ids: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Of each claim that was left out: id, what it says, what is printed, what the records give in the same style, and a reason to note."""
    analysis, found = reanalysis.Reanalysis(study, tables), []
    for claim in map(study.claim, ids):
        computed = checks.parse(claim.printed or "", claim.rounding).render(analysis.value(claim.by))
        against = dict.fromkeys(
            other for each in checks.findings(study) if each.fault for names in each.finding.conflicts if claim.id in each.ids(names) for other in each.ids(names) if other != claim.id
        )  # fmt: skip
        why = f"It contradicts {and_list(against)}" if against else "It was left out by choice"
        found.append({"id": claim.id, "says": claim.says, "printed": claim.printed or "", "computed": computed, "reason": f"{why}; records that print the other numbers give {computed}."})
    return found


def to_note(study: Study, found: Sequence[Mapping[str, str]]) -> list[str]:
    """The lines to put into study.yml so that `verify` and the chapter expect what was left out; none where nothing was."""
    if not found:
        return []
    text, lines = study.file.read_text("utf-8"), ["", "Every other number prints. Note in study.yml what does not, so that verify and the chapter expect it:"]
    for each in found:
        in_braces = re.search(rf"^ *[\"']?{re.escape(each['id'])}[\"']?: *(\n *)?\{{", text, re.MULTILINE)
        reason = json.dumps(each["reason"], ensure_ascii=False)
        lines += [f"  at the claim {each['id']}, which prints {each['printed']} where the records give {each['computed']}:"]
        lines += [f"    expect: misprint, reason: {reason},"] if in_braces else ["    expect: misprint", f"    reason: {reason}"]
    return lines


def _others(study: Study, fault: checks.Checked, found: Sequence[checks.Checked]) -> list[checks.Checked]:
    """What was found about the models that stand instead of the one at fault, for claims that both are about."""
    ids = {id for each in fault.claims.values() for id in each}
    return [
        each for each in found
        if each.alternative and study.models.get(each.about, {}).get("instead_of") == fault.about and ids & {id for named in each.claims.values() for id in named}
    ]  # fmt: skip


def _about(study: Study, each: checks.Checked) -> str:
    says = study.models.get(each.about, {}).get("says")
    return f"{each.about} ({says})" if says else each.about


def _numbers(study: Study, each: checks.Checked, names: Sequence[str]) -> list[str]:
    """A line for each number of a conflict: as it is printed, what it is, where, and its id."""
    lines = []
    for name in names:
        ids = [id for id in each.claims.get(name, ()) if id in study.claims]
        for claim in map(study.claim, ids):
            lines.append(f"  {claim.printed:>8}  {claim.says} ({claim.where}; {claim.id})")
        lines += [] if ids else [f"  {each.finding.printed.get(name, ''):>8}  {name}, as the design gives it"]
    return lines


def _healing(study: Study, each: checks.Checked) -> str:
    """What the fewest changes of last digits would be, as a sentence."""
    if not each.finding.healing:
        return "No change of one or two last digits would heal it."
    changes = and_list(f"{' + '.join(each.claims.get(name, (name,)))} were {after} instead of {before}" for name, before, after in each.finding.healing)
    return f"They could stand together if {changes}."


def _analyses(study: Study, each: checks.Checked, found: Sequence[checks.Checked]) -> list[str]:
    if each.about not in study.models:
        return []
    if others := _others(study, each, found):
        return [f"  The analysis {_about(study, other)} {_ANSWERS[other.finding.verdict]}." for other in others]
    return [
        "  Perhaps another analysis printed them: crude or adjusted, with standard errors by cluster or without. Add it to the models",
        f"  with 'instead_of: {each.about}', and asprinted check says whether it could.",
    ]


def _suspects(study: Study, each: checks.Checked) -> list[str]:
    """The claims to doubt: one whose change would heal it first, then those in every smallest conflict; where there are none, all of the first."""
    healed = [id for name, _, _ in each.finding.healing for id in each.claims.get(name, ())]
    shared = [id for id in each.ids(each.finding.conflict) if all(id in each.ids(names) for names in each.finding.conflicts)]
    chosen = [*(healed if len(healed) == 1 else ()), *(shared or each.ids(each.finding.conflict))]
    known = [id for id in dict.fromkeys(chosen) if id in study.claims]
    return [id for id in known if study.claims[id].by["statistic"] not in ("count", "observed")] or known  # how many people there are, the design needs
