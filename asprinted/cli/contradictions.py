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
from asprinted.printed import parse
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
    told = [each.as_json() | {"others": {other.about: other.finding.verdict for other in _others(study, each, found)}} for each in faults]
    return {"study": study.slug, "contradictory": told, "all_but": [list(ids) for ids in advised(study, faults)]}


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
    ways = advised(study, faults)
    lines += ["", "What to do: look the numbers up in the paper again, and which analysis each comes from."]
    if not ways:
        return [*lines, "No one or two numbers would end it if they were left out: see which analysis the numbers come from, or name several with --all-but."]
    if len(ways) > 1:
        several = f" Any one of these {len(ways)} ends {'it' if len(faults) == 1 else 'all of them'}:" if _shared(study, faults) else " Each contradiction needs one of its own, so name several at once:"
        lines += [f"If they stand there so, make records that print all but {'the one' if len(ways[0]) == 1 else 'the ones'} you doubt most.{several}"]
    else:
        lines += [f"If they stand there so, make records that print all but {'this one' if len(ways[0]) == 1 else 'these'}:"]
    lines += [f"  asprinted synthesise {folder} {' '.join(f'--all-but {id}' for id in ids)}" for ids in ways]
    return [*lines, "", *fragment(study, found, ways[0])]


def advised(study: Study, faults: Sequence[checks.Checked]) -> list[tuple[str, ...]]:
    """The claims that end the contradictions if they are left out, each way the ids of one or two claims of every fault; the likeliest to be doubted first."""
    return _shared(study, faults) or list(dict.fromkeys(ids for each in faults for ids in _ways(study, each)))


def _shared(study: Study, faults: Sequence[checks.Checked]) -> list[tuple[str, ...]]:
    """The ways that end every one of the contradictions."""
    each_fault = [_ways(study, each) for each in faults]
    return [ids for ids in each_fault[0] if all(ids in ways for ways in each_fault)] if each_fault else []


def fragment(study: Study, found: Sequence[checks.Checked], ids: Sequence[str]) -> list[str]:
    """The claims `ids` as study.yml would hold them, declared not to print: the verdict that fits, and the reason from the proof. YAML that can be loaded as it stands."""
    entries = []
    for claim in map(study.claim, ids):
        expect, reason = declaration(study, found, claim.id)
        fields = {"says": claim.says, "kind": claim.kind, "mark": list(claim.marks), "source": claim.source, "where": claim.where, "printed": claim.printed}
        fields |= {"rounding": claim.rounding} if claim.rounding != "half-up" else {}
        fields |= {"expect": expect, "reason": reason, "by": claim.by}
        entries.append(f"  {claim.id}: {{{', '.join(f'{name}: {json.dumps(value, ensure_ascii=False)}' for name, value in fields.items())}}}")
    return ["In study.yml the claim would then stand so, in the place of what stands there:", "claims:", *entries]


def declaration(study: Study, found: Sequence[checks.Checked], id: str) -> tuple[str, str]:
    """The verdict to expect of a claim that contradicts others, and why: which numbers it contradicts, the proof, and what would heal it.

    "method" where another analysis of the study file could have printed the numbers, or the claim is a model's and what it contradicts is not;
    "upstream-rounding" where it is one last digit away; else "misprint". Of a claim that contradicts nothing, the reason says so.
    """
    faults = [each for each in found if (each.fault or each.declared) and any(id in each.ids(names) for names in each.finding.conflicts)]
    if not faults:
        return "misprint", "It was left out by choice."
    against = list(dict.fromkeys(other for each in faults for names in each.finding.conflicts if id in each.ids(names) for other in each.ids(names) if other != id))
    healing = [f"They could stand together if it were {after}." for each in faults for name, _, after in each.finding.healing if len(each.finding.healing) == 1 and id in each.claims.get(name, ())]
    reason = " ".join([f"It contradicts {and_list(against)}.", *dict.fromkeys(each.finding.proof for each in faults), *healing])
    return _fitting(study, faults, found, id), reason


def _fitting(study: Study, faults: Sequence[checks.Checked], found: Sequence[checks.Checked], id: str) -> str:
    if any(other.finding.verdict == "possible" for each in faults for other in _others(study, each, found)):
        return "method"
    if any(id in each.claims.get(name, ()) and len(each.finding.healing) == 1 and _a_digit(before, after) for each in faults for name, before, after in each.finding.healing):
        return "upstream-rounding"
    against = {other for each in faults for names in each.finding.conflicts for other in each.ids(names)} - {id}
    of_model = (study.claim(id).by or {}).get("model")
    beside = any(other in study.claims and (study.claims[other].by or {}).get("model") != of_model for other in against)
    return "method" if of_model and beside else "misprint"


def _a_digit(before: str, after: str) -> bool:
    """True where two printed numbers are one unit of their last digit apart."""
    first, second = parse(before), parse(after)
    return first.decimals == second.decimals and abs(first.value - second.value) * 10**first.decimals == 1


def _ways(study: Study, each: checks.Checked) -> list[tuple[str, ...]]:
    """The ids of the claims behind each smallest set of numbers without which the rest is possible: the one that a last digit would heal first, how many people there are last."""
    healed = {name for name, _, _ in each.finding.healing} if len(each.finding.healing) == 1 else set()
    claims = {name: [id for id in each.claims.get(name, ()) if id in study.claims] for name in each.finding.printed}
    sets = [names for names in each.finding.releases if all(len(claims[name]) == 1 for name in names)]
    plain = [names for names in sets if not any(study.claims[claims[name][0]].by["statistic"] in ("count", "observed") for name in names)]  # these the design needs
    return [tuple(claims[name][0] for name in names) for names in sorted(plain or sets, key=lambda names: not healed & set(names))]


def left_out(study: Study, ids: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Of each claim that was left out: id, what it says, what is printed, what the records give in the same style, and the verdict and reason to note."""
    analysis, noted = reanalysis.Reanalysis(study, tables), []
    found = checks.findings(study)
    for claim in map(study.claim, ids):
        computed = parse(claim.printed or "", claim.rounding).render(analysis.value(claim.by))
        expect, reason = declaration(study, found, claim.id)
        noted.append({"id": claim.id, "says": claim.says, "printed": claim.printed or "", "computed": computed, "expect": expect, "reason": f"{reason} Records that print the other numbers give {computed}."})
    return noted


def to_note(study: Study, found: Sequence[Mapping[str, str]]) -> list[str]:
    """The lines to put into study.yml so that `verify` and the chapter expect what was left out; none where nothing was."""
    if not found:
        return []
    text, lines = study.file.read_text("utf-8"), ["", "Every other number prints. Note in study.yml what does not, so that verify and the chapter expect it:"]
    for each in found:
        in_braces = re.search(rf"^ *[\"']?{re.escape(each['id'])}[\"']?: *(\n *)?\{{", text, re.MULTILINE)
        reason = json.dumps(each["reason"], ensure_ascii=False)
        lines += [f"  at the claim {each['id']}, which prints {each['printed']} where the records give {each['computed']}:"]
        lines += [f"    expect: {each['expect']}, reason: {reason},"] if in_braces else [f"    expect: {each['expect']}", f"    reason: {reason}"]
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
