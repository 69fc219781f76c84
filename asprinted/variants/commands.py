"""The commands `variants` and `mark` of the command line."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from asprinted.study import Study, StudyError

FINE, DIFFERS = 0, 1
EVERY = 5  # seconds between two lines of progress where there is no terminal


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add both commands. Their `run` takes the studies loaded (one, and none) and `options`, and gives the exit code."""
    says = "make for every student other records that print the same claims, and an answer key"
    variants = commands.add_parser("variants", help=says, description=says[0].upper() + says[1:] + ".")
    variants.add_argument("folder", type=Path, nargs=1, help="folder that holds study.yml, such as data/some-trial")
    variants.add_argument("--roster", type=Path, required=True, metavar="CSV", help="the students: a CSV file whose first line is id, with a name a line below")
    variants.add_argument("--course", default="", metavar="KEY", help="a word for this course: with another, every student gets other records")
    variants.add_argument("--out", type=Path, metavar="DIR", help="where the students' folders are put (default: variants/ and the study's name); the key goes into its folder key/")
    variants.add_argument("--vary", action="append", default=[], metavar="ID=LOW..HIGH", help="draw this claim's number for each student in this range; may be given again")
    variants.add_argument("--scheduler", metavar="ADDRESS", help="compute on the Dask cluster whose scheduler is at this address, such as tcp://10.0.0.1:8786")
    variants.add_argument("--workers", type=_positive, metavar="N", help="processes on this machine (default: one a core)")
    variants.add_argument("--second-engine", type=_count, default=20, metavar="N", help="let another engine analyse the records of N students again, some seconds each (default: 20; 0: nobody)")
    variants.add_argument("--json", action="store_true", help="print JSON instead of text")
    variants.set_defaults(run=_variants)
    says = "hold students' answers against the answer key of their variants"
    mark = commands.add_parser("mark", help=says, description=says[0].upper() + says[1:] + ".")
    mark.add_argument("key", type=Path, help="key.csv or key.json of the variants")
    mark.add_argument("answers", type=Path, help="CSV file with the columns student, question (the claim's id) and answer")
    mark.add_argument("--out", type=Path, metavar="CSV", help="where the marks are written, a line an answer")
    mark.add_argument("--json", action="store_true", help="print JSON instead of text")
    mark.set_defaults(run=_mark, folder=())


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes: give 1 or more")
    return int(text)


def _variants(study: Study, *, options: argparse.Namespace) -> int:
    from asprinted.variants import drawing, roster, running

    students = roster.students(options.roster)
    varied = [drawing.varied(study, text) for text in options.vary]
    twice = [claim for claim, count in Counter(each.claim for each in varied).items() if count > 1]
    if twice:
        raise StudyError(study.file, "vary", twice[0], "It is varied twice: give one range a claim.")
    out = options.out or Path("variants") / study.slug
    key = out / "key"
    report = running.make_all(study, students, options.course, out, key, varied, options.scheduler, options.workers, options.second_engine, _progress())
    lines = [f"{student}: {reason}" for student, reason in report.failed.items()]
    lines += [f"{student}: a second engine differs: {line}" for student, each in report.differences.items() for line in each]
    again = f"a second engine looked at {len(report.sampled)} of them and differs on {len(report.differences)}"
    lines.append(f"{study.slug}: {len(report.made)} variants made and verified, {len(report.kept)} were there, {len(report.failed)} in vain; {again}")
    lines.append(f"{out} (students), {key} (answers: not for students)")
    _print(options, {"study": study.slug, "out": str(out), "key": str(key), **asdict(report)}, lines)
    return DIFFERS if report.failed or report.differences else FINE


def _progress() -> Callable[[int, int], None]:
    """A function that, told how many of how many are done, says so on standard error with the rate and the time left."""
    start, terminal = time.perf_counter(), sys.stderr.isatty()
    said = [start]

    def tell(done: int, total: int) -> None:
        now = time.perf_counter()
        if done < total and now - said[0] < (0.2 if terminal else EVERY):
            return
        said[0] = now
        rate = done / (now - start)
        line = f"{done} of {total} variants, {rate:.1f} a second, {(total - done) / rate:.0f} s left"
        print(f"\r{line}\x1b[K" if terminal else line, end="" if terminal and done < total else "\n", file=sys.stderr, flush=True)

    return tell


def _mark(*, options: argparse.Namespace) -> int:
    from asprinted.records import write_whole
    from asprinted.variants import answers, marking

    marks = marking.mark(answers.read_key(options.key), marking.read_answers(options.answers))
    lines = [f"{each.student}, {each.question}: {each.mark}: {each.given or '(nothing)'}. {each.feedback}".rstrip(". ") for each in marks if each.mark.startswith(("unknown", "answered", "not "))]
    students, questions = (marking.sums(marks, by) for by in ("student", "question"))
    for title, sums in (("student", students), ("question", questions)):
        for name, counts in sums.items():
            others = ", ".join(f"{counts[name]} {name}" for name in marking.MARKS[1:] if counts[name])
            lines.append(f"{title} {name}: {counts['right']} right ({100 * marking.share(counts):.0f}%)" + (f", {others}" if others else ""))
    if options.out:
        write_whole(options.out.parent, {options.out.name: marking.as_csv(marks)})
        lines.append(str(options.out))
    _print(options, {"marks": [asdict(each) for each in marks], "students": students, "questions": questions}, lines)
    return FINE


def _print(options: argparse.Namespace, data: object, lines: list[str]) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False) if options.json else "\n".join(lines)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)
