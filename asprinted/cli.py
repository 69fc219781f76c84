"""The command line: `asprinted check | synthesise | verify | ledger`.

Exit codes: 0 fine, 1 a claim or an assumption differs or print is contradictory, 2 bad input (or a study file that no records
were found for), 3 undecided.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from asprinted import __version__
from asprinted.study import Study, StudyError, load

if TYPE_CHECKING:
    from asprinted import checks

FINE, DIFFERS, BAD_INPUT, OPEN = 0, 1, 2, 3
CLOSED_PIPE = 141  # as a shell reports a process that wrote to a closed pipe


def main(arguments: list[str] | None = None) -> int:
    """The exit code; `arguments` default to those of the process."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(*map(load, options.folder), options=options)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # whoever reads, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}. Check that the folder is there and can be written.", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("stopped; nothing was half written", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asprinted", description="Printed numbers as intervals, and synthetic records whose reanalysis prints them again.")
    parser.add_argument("--version", action="version", version=f"asprinted {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, run, says in (
        ("check", _check, "hold the printed numbers of a study.yml against each other, without any records"),
        ("synthesise", _synthesise, "make the records of a study from its study.yml, verify them, and write them"),
        ("verify", _verify, "recompute every claim and assumption from the CSV files"),
        ("ledger", _ledger, "list every claim of one study.yml or several: printed, computed, verdict, reason"),
    ):
        command = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
        command.add_argument("folder", type=Path, nargs="+" if run is _ledger else 1, help="folder that holds study.yml, such as data/some-trial")
        command.add_argument("--json", action="store_true", help="print JSON instead of text")
        command.set_defaults(run=run)
        if name == "synthesise":
            command.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the bytes would differ from the files there")
    return parser


def _check(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import checks

    found = checks.findings(study)
    lines = [line for each in found for line in _lines(each)]
    counts: dict[str, int] = {}
    for each in found:
        counts[each.finding.verdict] = counts.get(each.finding.verdict, 0) + 1
    faults = sum(each.fault for each in found)
    answers = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    lines.append(f"{study.slug}: {len(found)} questions, {answers or 'none answered'}; {faults} faults")
    _print(options, {"study": study.slug, "counts": counts, "faults": faults, "findings": [each.as_json() for each in found]}, lines)
    if faults:
        return DIFFERS
    return OPEN if any(each.finding.verdict == "undecided" and not each.alternative for each in found) else FINE


def _lines(each: checks.Checked) -> list[str]:
    """A finding in a few lines: verdict, question, numbers, proof, conflict by claim, changes that heal it."""
    finding = each.finding
    note = " (an alternative)" if each.alternative else " (declared)" if each.declared else ""
    numbers = ", ".join(f"{name} {text}" + (f" ({', '.join(each.claims[name])})" if name in each.claims else "") for name, text in finding.printed.items())
    lines = [f"{finding.verdict}{note}: {each.about}: {finding.question}", f"    {numbers}", f"    {finding.proof}"]
    if finding.conflict:
        lines += [f"    {'or' if place else 'smallest conflict:'} {', '.join(each.ids(names))}" for place, names in enumerate(finding.conflicts)]
        healing = ", ".join(f"{name} {before} → {after}" for name, before, after in finding.healing)
        lines.append(f"    healed by: {healing}" if healing else "    healed by no change of one or two last digits that was tried")
    elif finding.witness:
        values = (f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}" for name, value in finding.witness.items() if name != "counts")
        lines.append(f"    for example: {', '.join(values)}")
    return lines


def _synthesise(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import records, synthesis

    start = time.perf_counter()

    def progress(line: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {line}", file=sys.stderr, flush=True)

    tables = synthesis.synthesise(study, progress)
    if options.check:
        made = {study.tables[name]["file"]: records.as_csv(study, name, frame) for name, frame in tables.items()}
        made[records.PACKAGE] = records.package(study, made)
        different = [file for file, content in made.items() if not _same(study.folder / file, content)]
        _print(options, {"study": study.slug, "different": different}, [f"{study.folder / file}: its bytes differ" for file in different] or [f"{study.slug}: every file is byte for byte the same"])
        return DIFFERS if different else FINE
    files = records.write(study, tables)
    rows = {name: len(frame) for name, frame in tables.items()}
    progress(f"wrote {', '.join(f'{name} ({count} rows)' for name, count in rows.items())}")
    _print(options, {"study": study.slug, "rows": rows, "files": [str(file) for file in files]}, [str(file) for file in files])
    return FINE


def _same(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _verify(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted import reanalysis, records

    tables = records.read(study)
    results, kept = reanalysis.verdicts(study, tables), reanalysis.assumptions_kept(study, tables)
    faults = [*reanalysis.differing(results, kept), *reanalysis.uses_as_declared(study, tables)]
    if reason := records.stale(study.folder):
        faults.append(reason)
    checked = sum(1 for each in results if each.verdict != "context")
    summary = f"{study.slug}: {checked} claims recomputed, {len(results) - checked} context, {len(kept)} assumptions measured, {len(faults)} faults"
    data = {"claims": [asdict(each) for each in results], "assumptions": [asdict(each) for each in kept], "faults": faults}
    _print(options, data, [*faults, summary])
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
        lines += [f"{each.id}\n    {each.says}\n    printed {each.printed or '(words)'}; computed {each.computed or '(not recomputed)'}; {each.label}" + (f"\n    {each.reason}" if each.reason else "") for each in results]
        lines.append(_counted(counts))
        each_study.append({"study": study.slug, "counts": counts, "stale": reason, "claims": [asdict(each) | _origin(study, each.id) for each in results]})
    total = sum((each["counts"] for each in each_study), Counter())
    if len(studies) > 1:
        lines.append(f"{len(studies)} studies, {total.total()} claims: {_counted(total)}")
    _print(options, {"counts": total, "studies": each_study} if len(studies) > 1 else each_study[0], lines)
    return FINE if all(claim["verdict"] == claim["expected"] for each in each_study for claim in each["claims"]) else DIFFERS


def _counted(counts: Counter[str]) -> str:
    """Verdicts in words with how often each was given."""
    from asprinted import verdict

    return "; ".join(f"{count} {verdict.VERDICTS[name]}" for name, count in counts.items())


def _origin(study: Study, address: str) -> dict[str, object]:
    """Where a claim was read and how it is recomputed, for programs that follow a number."""
    claim = study.claim(address)
    return {"mark": list(claim.marks), "source": claim.source, "where": claim.where, "by": claim.by}


def _print(options: argparse.Namespace, data: object, lines: list[str]) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False) if options.json else "\n".join(lines)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
