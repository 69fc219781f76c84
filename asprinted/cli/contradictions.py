"""Print that contradicts itself, told in words before anything is searched; and records of all of it but what was named."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from asprinted import checks, reanalysis
from asprinted.cli.ways import advised, of_all_seen, without
from asprinted.consistency.conflict import CONTRADICTORY, and_list, sign_alone
from asprinted.printed import parse
from asprinted.questions import pairs
from asprinted.study import Study

__all__ = ["advised", "as_json", "declaration", "fragment", "in_words", "left_out", "to_note", "ways_out", "without"]

_ANSWERS = {
    "possible": "could have printed these numbers",
    "contradictory": "could not have printed them either",
    "undecided": "cannot be told from print",
}
UNPROVED = "Say here why it is left out: print alone does not contradict it."


def as_json(study: Study, found: Sequence[checks.Checked], left_out: Sequence[str] = ()) -> dict[str, Any]:
    """The contradictions as data: each finding that is a fault, with the other analyses that were declared for the same claims; and the ways out, beside what is left out already."""
    faults = [each for each in found if each.fault]
    told = [each.as_json() | {"others": {other.about: other.finding.verdict for other in _others(study, each, found)}} for each in faults]
    return {"study": study.slug, "contradictory": told, "all_but": [[*left_out, *ids] for ids in advised(study, faults)]}


def in_words(study: Study, found: Sequence[checks.Checked], folder: Path, left_out: Sequence[str] = ()) -> list[str]:
    """Each contradiction in words, line by line: what cannot stand together, why, what would heal it, and what to do beside what is left out already."""
    faults = [each for each in found if each.fault]
    lines = [f"{study.file}: the printed numbers contradict each other{f' in {len(faults)} places' if len(faults) > 1 else ''}: no records can print them all, so none were made."]
    for each in faults:
        lines += ["", f"{_about(study, each)}: these numbers cannot all be right:"]
        lines += _numbers(study, each, each.finding.conflict)
        if len(each.finding.conflicts) > 1:
            others = len(each.finding.conflicts) - 1
            lines.append(f"  ({'One other set' if others == 1 else f'{others} other sets'} of that size cannot stand together either: {shlex.join(['asprinted', 'check', str(folder)])} lists {'it' if others == 1 else 'them'}.)")
        lines += [f"  Why: {each.finding.proof}", f"  {_healing(study, each)}", *_analyses(study, each, found)]
    lines += ["", "What to do: look the numbers up in the paper again, and which analysis each comes from."]
    ways = advised(study, faults)
    return [*lines, *ways_out([(*left_out, *ids) for ids in ways], folder), *(["", *fragment(study, found, ways[0])] if ways else [])]


def ways_out(ways: Sequence[tuple[str, ...]], folder: Path) -> list[str]:
    """What can be left out so that the rest can be made, a command a line, as `advised` gives the ways."""
    if not ways:
        return ["No few numbers were found that would end it if they were left out: see which analysis the numbers come from, or name several with --all-but."]
    if len(ways) > 1:
        head = f"make records that print all but what you doubt most. Any one of these {len(ways)} lines, taken whole, ends every contradiction that print alone can prove (whether records are found then was not tried):"
    else:
        head = f"make records that print all but {'this one' if len(ways[0]) == 1 else 'these'} (whether records are found then was not tried):"
    return [f"If they stand there so, {head}", *(f"  {shlex.join(['asprinted', 'synthesise', str(folder), *(part for id in ids for part in ('--all-but', id))])}" for ids in ways)]


def fragment(study: Study, found: Sequence[checks.Checked], ids: Sequence[str]) -> list[str]:
    """The claims `ids` as study.yml would hold them, declared not to print: the verdict that fits, and the reason from the proof. YAML that can be loaded as it stands."""
    entries = []
    for claim in map(study.claim, ids):
        expect, reason = declaration(study, found, claim.id, ids)
        fields = {"says": claim.says, "kind": claim.kind, "mark": list(claim.marks), "source": claim.source, "where": claim.where, "printed": claim.printed}
        fields |= {"rounding": claim.rounding} if claim.rounding != "half-up" else {}
        fields |= {"expect": expect, "reason": reason, "by": claim.by}
        entries.append(f"  {claim.id}: {{{', '.join(f'{name}: {json.dumps(value, ensure_ascii=False)}' for name, value in fields.items())}}}")
    return ["In study.yml the claim would then stand so, in the place of what stands there:", "claims:", *entries]


def declaration(study: Study, found: Sequence[checks.Checked], id: str, beside: Sequence[str] = ()) -> tuple[str, str]:
    """The verdict to expect of a claim that contradicts others, and why: a smallest set of numbers that it contradicts, the proof, and what would heal it.

    beside: the claims that are left out together with it, of which the reason does not speak. "method" where another analysis of the study file could
    have printed the numbers, or the claim is a model's and what it contradicts is not; "upstream-rounding" where it is one last digit away; "definition"
    where people seen in all, who may be others, are among what cannot stand together; else,
    and where it is the sign alone, "misprint". Of a claim that contradicts nothing, "method", and a reason to be filled in.
    """
    proofs: dict[frozenset[str], tuple[str, list[str]]] = {}  # what cannot stand together → a proof, and in the order of print
    faults = []
    for each in found:
        if (each.fault or each.declared) and (proof := _proof(each, id, set(beside) - {id})):
            faults.append(each)
            proofs.setdefault(frozenset(proof[1]), proof)
    if not faults and (others := [other for other in beside if other != id]):
        left = without(study, others)  # what they contradict may be hidden behind the shorter proof that they are in
        return declaration(left, checks.findings(left), id)
    if not faults:
        return "method", UNPROVED
    smallest = [proof for ids, proof in proofs.items() if not any(other < ids for other in proofs)]
    against = list(dict.fromkeys(other for _, ids in smallest for other in ids if other != id))
    healing = [f"They could stand together if it were {after}." for each in faults for name, _, after in each.finding.healing if len(each.finding.healing) == 1 and id in each.claims.get(name, ())]
    reason = " ".join([f"It contradicts {and_list(against)}.", *dict.fromkeys(why for why, _ in smallest), *dict.fromkeys(healing)])
    return _fitting(study, faults, found, id, set(against)), reason


def _proof(each: checks.Checked, id: str, beside: set[str]) -> tuple[str, list[str]] | None:
    """Why a claim cannot stand with others of a question, none of them `beside` it, and the ids of a smallest such set; None where it can."""
    own = {name for name in each.finding.printed if id in each.claims.get(name, ())}
    gone = {name for name, ids in each.claims.items() if beside & set(ids)} - own
    finding = each.finding.again(gone) if gone else each.finding
    while own and finding.conflicts:
        if mine := next((names for names in finding.conflicts if own & set(names)), None):
            alone = finding.without([name for name in finding.printed if name not in mine])
            return (alone.proof if alone.verdict == CONTRADICTORY else finding.proof), each.ids(mine)
        gone.add(finding.conflict[-1])  # a smaller set is in conflict without it: what was derived from the others stands last
        finding = each.finding.again(gone)
    return None


def _fitting(study: Study, faults: Sequence[checks.Checked], found: Sequence[checks.Checked], id: str, against: set[str]) -> str:
    if any(other.finding.verdict == "possible" for each in faults for other in _others(study, each, found)):
        return "method"
    if any(id in each.claims.get(name, ()) and len(each.finding.healing) == 1 and _a_digit(before, after) for each in faults for name, before, after in each.finding.healing):
        return "upstream-rounding"
    if any(id in each.claims.get(name, ()) and sign_alone(before, after) for each in faults for name, before, after in each.finding.healing):
        return "misprint"
    if any(of_all_seen(study, other) for other in (id, *against) if other in study.claims):
        return "definition"
    of_model = (study.claim(id).by or {}).get("model")
    beside = any(other in study.claims and (study.claims[other].by or {}).get("model") != of_model for other in against)
    return "method" if of_model and beside else "misprint"


def _a_digit(before: str, after: str) -> bool:
    """True where two printed numbers are one unit of their last digit apart."""
    first, second = parse(before), parse(after)
    return first.decimals == second.decimals and abs(first.value - second.value) * 10**first.decimals == 1


def left_out(study: Study, ids: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Of each claim that was left out: id, what it says, what is printed, what the records give in the same style, and the verdict and reason to note; both are empty where it prints all the same."""
    analysis, noted = reanalysis.Reanalysis(study, tables), []
    found = checks.findings(study)
    for claim in map(study.claim, ids):
        printed, value = parse(claim.printed or "", claim.rounding), analysis.value(claim.by)
        if printed.contains(value):
            noted.append({"id": claim.id, "says": claim.says, "printed": claim.printed or "", "computed": claim.printed or "", "expect": "", "reason": ""})
            continue
        computed = printed.render(value)
        expect, reason = declaration(study, found, claim.id, ids)
        noted.append({"id": claim.id, "says": claim.says, "printed": claim.printed or "", "computed": computed, "expect": expect, "reason": f"{reason} Records that print the other numbers give {computed}."})
    return noted


def to_note(study: Study, found: Sequence[Mapping[str, str]]) -> list[str]:
    """The lines to put into study.yml so that `verify` and the chapter expect what was left out; none where nothing was."""
    if not found:
        return []
    same = [f"{each['id']} was left out, and prints {each['printed']} in these records all the same: nothing is to be noted of it." for each in found if not each["expect"]]
    found = [each for each in found if each["expect"]]
    if not found:
        return ["", *same]
    text, lines = study.file.read_text("utf-8"), ["", *same, "Every other number prints. Note in study.yml what does not, so that verify and the chapter expect it:"]
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
    """What the fewest changes of last digits, or of a sign, would be, as a sentence."""
    if not each.finding.healing:
        return "No change of one or two last digits, or of one sign, would heal it."
    changes = and_list(f"{' + '.join(each.claims.get(name, (name,)))} were {after} instead of {before}" for name, before, after in each.finding.healing)
    signs = ": a minus sign is easily lost in print" if any(sign_alone(before, after) for _, before, after in each.finding.healing) else ""
    alone = "" if heals(study, each) else ". But then they contradict other printed numbers"
    return f"They could stand together if {changes}{signs}{alone}."


def heals(study: Study, each: checks.Checked) -> bool:
    """Whether no question about the same is contradictory once the changes that heal this one are made."""
    healed = {id: after for name, _, after in each.finding.healing for id in each.claims.get(name, ()) if id in study.claims}
    changed = replace(study, claims=study.claims | {id: replace(study.claims[id], printed=after) for id, after in healed.items()})
    return not any(other.fault and other.about == each.about and set(healed) & {id for ids in other.claims.values() for id in ids} for other in checks.findings(changed))


def _analyses(study: Study, each: checks.Checked, found: Sequence[checks.Checked]) -> list[str]:
    if each.about not in study.models:
        return []
    if others := _others(study, each, found):
        return [f"  The analysis {_about(study, other)} {_ANSWERS[other.finding.verdict]}." for other in others]
    return [
        "  Perhaps another analysis printed them: crude or adjusted, with standard errors by cluster or without. Add it to the models",
        f"  with 'instead_of: {each.about}', and asprinted check says whether it could.",
        *(f"  {line}" for line in pairs.advice(study, [each.about])),
    ]
