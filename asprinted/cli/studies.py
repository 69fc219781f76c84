"""The commands that take the folder of a study: check, synthesise, verify, ledger."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from asprinted.cli.output import CODES, DIFFERS, FINE, OPEN, show, tell_next
from asprinted.study import Claim, Study, StudyError

if TYPE_CHECKING:
    from asprinted import checks, verdict

CONFLICTS = 3  # smallest sets that are shown of one finding
STUDY_FOLDER = "folder that holds study.yml, such as data/some-trial"


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the commands of this module."""
    for name, run, says, example in (
        ("check", _check, "hold the printed numbers of a study.yml against each other, without any records", "asprinted check my-trial"),
        ("synthesise", _synthesise, "make the records of a study from its study.yml, verify them, and write them", "asprinted synthesise my-trial --all-but mood.course.hi"),
        ("verify", _verify, "recompute every claim and assumption from the CSV files", "asprinted verify my-trial --json"),
        ("ledger", _ledger, "list every claim of one study.yml or several: printed, computed, verdict, reason", "asprinted ledger data/* --json"),
    ):
        command = commands.add_parser(
            name, help=says, description=says[0].upper() + says[1:] + ".", epilog=f"example: {example}\n{CODES}", formatter_class=argparse.RawDescriptionHelpFormatter
        )  # fmt: skip
        command.add_argument("folder", type=Path, nargs="+" if run is _ledger else 1, help=STUDY_FOLDER)
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
        command.set_defaults(run=run)
        if name == "verify":
            command.add_argument(
                "--engine", action="append", metavar="NAME",
                help="the engine to recompute with, beside our own fits: statsmodels or R, or 'own' for none; can be repeated; left out, every one that is installed",
            )  # fmt: skip
        if name == "check":
            command.add_argument("--all-but", action="append", default=[], metavar="ID", help="leave the number of this claim out, and print the claim as study.yml would then hold it; can be repeated")
        if name == "synthesise":
            command.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the bytes would differ from the files there")
            command.add_argument("--all-but", action="append", default=[], metavar="ID", help="print every number but that of this claim, and say what to note in study.yml; can be repeated")


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 fault", "2 faults"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _check(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import checks, directions
    from asprinted.cli import contradictions
    from asprinted.paper import blanks

    asked = contradictions.without(study, options.all_but)
    found = checks.findings(asked)
    lines = [line for each in found for line in _lines(asked, each)]
    lone = directions.undirected(study)
    lines += [directions.in_words(study, claim) for claim in lone]
    caveats = [f"no contradiction, but: {line}" for line in checks.caveats(asked)]
    lines += caveats
    counts = Counter(each.finding.verdict for each in found)
    faults = [each for each in found if each.fault]
    ways = [(*options.all_but, *ids) for ids in contradictions.advised(asked, faults)]
    unfilled = blanks.left_over(study)
    answers = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    for what in dict.fromkeys(what for _, what in unfilled):
        lines.append(f"draft wording is left, to be filled in: {what}: {'; '.join(place for place, asked_for in unfilled if asked_for == what)}")
    if faults:
        lines += contradictions.ways_out(ways, options.folder[0])
    lines.append(f"{study.slug}: {len(found)} questions, {answers or 'none answered'}; {counted(len(faults), 'fault')}")
    if options.all_but:
        lines += contradictions.fragment(study, checks.findings(study), options.all_but)
    told = {"study": study.slug, "counts": counts, "faults": len(faults), "findings": [each.as_json() for each in found], "undirected": [claim.id for claim in lone], "caveats": caveats}
    show(options, told | {"all_but": [list(ids) for ids in ways], "unfilled": [place for place, _ in unfilled]}, lines)
    if faults:
        tell_next(options, "asprinted", "synthesise", options.folder[0], note="tells the contradiction in words, and what to do")
        return DIFFERS
    tell_next(options, "asprinted", "synthesise", options.folder[0], *(word for id in options.all_but for word in ("--all-but", id)))
    return OPEN if any(each.finding.verdict == "undecided" and not each.alternative for each in found) else FINE


def _lines(study: Study, each: checks.Checked) -> list[str]:
    """A finding in a few lines: verdict, question, numbers, proof, conflict by claim, changes that heal it."""
    from asprinted.cli import contradictions
    from asprinted.consistency.conflict import sign_alone

    finding = each.finding
    note = " (an alternative)" if each.alternative else " (declared)" if each.declared else ""
    numbers = ", ".join(f"{name} {text}" + (f" ({', '.join(each.claims[name])})" if name in each.claims else "") for name, text in finding.printed.items())
    lines = [f"{finding.verdict}{note}: {each.about}: {finding.question}", f"    {numbers}", f"    {finding.proof}"]
    if finding.conflict:
        lines += [f"    {'or' if place else 'smallest conflict:'} {', '.join(each.ids(names))}" for place, names in enumerate(finding.conflicts[:CONFLICTS])]
        if (more := len(finding.conflicts) - CONFLICTS) > 0:
            lines.append(f"    or one of {more} more sets, which --json lists")
        healing = ", ".join(f"{name} {before} → {after}{' (its sign)' if sign_alone(before, after) else ''}" for name, before, after in finding.healing)
        healing += "" if not (healing and each.fault) or contradictions.heals(study, each) else ", which would contradict other printed numbers"
        lines.append(f"    healed by: {healing}" if healing else "    healed by no change of one or two last digits, or of one sign, that was tried")
    elif finding.witness:
        values = (f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}" for name, value in finding.witness.items() if name != "counts")
        lines.append(f"    for example: {', '.join(values)}")
    return lines


def _synthesise(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import checks, plausible, records, synthesis
    from asprinted.cli import contradictions

    start = time.perf_counter()

    def progress(line: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {line}", file=sys.stderr, flush=True)

    asked = contradictions.without(study, options.all_but)
    found = checks.findings(asked)
    if any(each.fault for each in found):
        show(options, contradictions.as_json(asked, found, options.all_but), contradictions.in_words(asked, found, options.folder[0], options.all_but))
        return DIFFERS
    tables = synthesis.synthesise(asked, progress, **({"either": options.all_but} if options.all_but else {}))
    if options.check:
        made = {study.tables[name]["file"]: records.as_csv(study, name, frame) for name, frame in tables.items()}
        made[records.PACKAGE] = records.package(study, made)
        different = [file for file, content in made.items() if not _same(study.folder / file, content)]
        show(options, {"study": study.slug, "different": different}, [f"{study.folder / file}: its bytes differ" for file in different] or [f"{study.slug}: every file is byte for byte the same"])
        return DIFFERS if different else FINE
    files = records.write(study, tables)
    rows = {name: len(frame) for name, frame in tables.items()}
    progress(f"wrote {', '.join(f'{name} ({count} rows)' for name, count in rows.items())}")
    left_out = contradictions.left_out(study, options.all_but, tables)
    notes = plausible.notes(asked, tables)
    data = {"study": study.slug, "rows": rows, "files": [str(file) for file in files]} | ({"all_but": left_out} if left_out else {}) | {"notes": [asdict(each) for each in notes]}
    show(options, data, [*map(str, files), *plausible.told(notes), *contradictions.to_note(study, left_out)])
    if any(each["expect"] for each in left_out):
        tell_next(options, "asprinted", "synthesise", options.folder[0], note="once those lines stand in study.yml")
    else:
        tell_next(options, "asprinted", *(["verify"] if _has_chapter(study) else ["new", "--chapter"]), options.folder[0])
    return FINE


def _has_chapter(study: Study) -> bool:
    from asprinted.paper import places

    return places.of(study.folder).chapter.exists()


def _same(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _verify(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import engines, plausible, reanalysis, records, verification

    tables = records.read(study)
    results, kept = reanalysis.verdicts(study, tables), reanalysis.assumptions_kept(study, tables)
    calculated = {claim.address for claim in study.claims.values() if claim.calculated}
    faults = [*reanalysis.differing(results, kept, calculated), *reanalysis.uses_as_declared(study, tables)]
    if reason := records.stale(study.folder):
        faults.append(reason)
    there = engines.available()
    others = there if options.engine is None else [name for name in dict.fromkeys(options.engine) if name != "own"]
    if missing := [name for name in others if name not in there]:
        raise StudyError(study.file, "--engine", missing[0], f"There is no such engine here. Give one of: {', '.join([*there, 'own'])}.")
    print(f"recomputing every claim by {', '.join([verification.OWN, *others])}", file=sys.stderr, flush=True)
    rows = verification.recomputed(study, tables, others)
    sound = {each.id for each in rows if each.engine == verification.OWN and each.as_expected}
    faults += [f"{each.id}: {each.engine} computes {each.computed}, {'calculated' if each.calculated else 'printed'} {each.printed}. {each.reason}" for each in rows if each.id in sound and not each.as_expected]
    notes = plausible.notes(study, tables)
    checked = sum(1 for each in results if each.verdict != "context")
    measured = f"{counted(len(kept), 'assumption')} measured against {'its' if len(kept) == 1 else 'their'} bounds, " if kept else "no assumption has bounds to be measured against, "
    summary = f"{study.slug}: {checked} claims recomputed, {len(results) - checked} context, {measured}{counted(len(faults), 'fault')}"
    again = (f"{name} gave {sum(1 for each in rows if each.engine == name and each.computed)} of them again" for name in others)
    data = {
        "claims": [asdict(each) for each in results], "assumptions": [asdict(each) for each in kept], "faults": faults,
        "engines": [verification.OWN, *others], "recomputed": [asdict(each) for each in rows], "notes": [asdict(each) for each in notes],
    }  # fmt: skip
    show(options, data, [*verification.as_table(rows), *plausible.told(notes), *faults, "; ".join([summary, *again])])
    return DIFFERS if faults else FINE


def _ledger(*studies: Study, options: argparse.Namespace) -> int:
    from asprinted import reanalysis, records

    lines, each_study = [], []
    for study in studies:
        results = reanalysis.verdicts(study, records.read(study))
        reason = records.stale(study.folder)
        if reason:
            print(f"warning: {reason}", file=sys.stderr)
        counts = Counter(each.verdict for each in results)
        lines += [_listed(each, study.claim(each.id)) for each in results]
        lines.append(_counted(counts))
        each_study.append({"study": study.slug, "counts": counts, "stale": reason, "claims": [asdict(each) | _origin(study, each.id) for each in results]})
    total = sum((each["counts"] for each in each_study), Counter())
    if len(studies) > 1:
        lines.append(f"{len(studies)} studies, {total.total()} claims: {_counted(total)}")
    show(options, {"counts": total, "studies": each_study} if len(studies) > 1 else each_study[0], lines)
    return FINE if all(claim["verdict"] == claim["expected"] for each in each_study for claim in each["claims"]) else DIFFERS


def _listed(each: verdict.Verdict, claim: Claim) -> str:
    """A claim of the ledger in a few lines: what it says, what is printed, or calculated from print, what the records give, and the reason."""
    word = "calculated" if claim.calculated else "printed"
    told = f"{word} {each.printed or '(words)'}; computed {each.computed or '(not recomputed)'}; {each.label.replace('as printed', f'as {word}')}"
    return "\n    ".join([each.id, each.says, told, *([each.reason] if each.reason else [])])


def _counted(counts: Counter[str]) -> str:
    """Verdicts in words with how often each was given."""
    from asprinted import verdict

    return "; ".join(f"{count} {verdict.VERDICTS[name]}" for name, count in counts.items())


def _origin(study: Study, address: str) -> dict[str, object]:
    """Where a claim was read and how it is recomputed, for programs that follow a number."""
    claim = study.claim(address)
    return {"mark": list(claim.marks), "source": claim.source, "where": claim.where, "by": claim.by}
