"""The commands `variants` and `mark` of the command line."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from asprinted.cli.output import CODES, DIFFERS, FINE, STOPPED, show
from asprinted.study import Claim, Study, StudyError

HOW = """\
which numbers can vary:
  --list names them: those that nothing in print ties to another; those that others leave some room; and those that go
  with others only. A number that other print fixes, such as a percentage of a printed count, or an estimate beside
  its interval and p value, is refused before any records are made, with what fixes it. Vary these together, or let
  them follow: --vary ID=follows is for a number that need not be printed again; each student's key then holds what
  their own records give, which are drawn about what the source prints. What is printed as an inequality, or in words,
  can only follow. Every number that is not named prints in each variant as it does in the source.
  Assumptions cannot be varied: they are not printed. Change their bounds in study.yml.
"""
EXAMPLE = """\
example: asprinted variants my-trial --roster roster.csv --vary mood.course.est=1.5..4.0 --vary mood.course.lo=follows
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add both commands. Their `run` takes the studies loaded (one, and none) and `options`, and gives the exit code."""
    says = "make for every student other records that print the same claims, and an answer key"
    variants = commands.add_parser("variants", help=says, description=says[0].upper() + says[1:] + ".", epilog=f"{HOW}\n{EXAMPLE}{CODES}", formatter_class=argparse.RawDescriptionHelpFormatter)
    variants.add_argument("folder", type=Path, nargs=1, help="folder that holds study.yml, such as data/some-trial")
    variants.add_argument("--roster", type=Path, metavar="CSV", help="the students (needed, but with --list): a CSV file whose first line is id, with a name a line below")
    variants.add_argument("--course", default="", metavar="KEY", help="a word for this course: with another, every student gets other records")
    variants.add_argument("--out", type=Path, metavar="DIR", help="where the students' folders are put (default: variants/ and the study's name); the key goes into its folder key/")
    variants.add_argument("--vary", action="append", default=[], metavar="ID=LOW..HIGH", help="draw this claim's number for each student in this range, such as mood.course.est=1.5..4.0; or ID=follows, below; may be given again")
    variants.add_argument("--replace", action="store_true", help="make the variants of the roster anew where others stand that were made with other options, or from another study.yml")
    variants.add_argument("--list", action="store_true", help="make nothing: list the numbers that can be varied, those that others leave some room, and those that others fix, with these")
    variants.add_argument("--scheduler", metavar="ADDRESS", help="compute on the Dask cluster whose scheduler is at this address, such as tcp://10.0.0.1:8786")
    variants.add_argument("--workers", type=_positive, metavar="N", help="processes on this machine (default: one a core)")
    variants.add_argument("--second-engine", type=_count, default=20, metavar="N", help="let another engine analyse the records of N students again, some seconds each (default: 20; 0: nobody)")
    variants.add_argument("--json", action="store_true", help="print JSON instead of text")
    variants.set_defaults(run=_variants)
    says = "hold students' answers against the answer key of their variants"
    mark = commands.add_parser("mark", help=says, description=says[0].upper() + says[1:] + ".")
    mark.add_argument("key", type=Path, help="key.csv or key.json of the variants, or the folder key/ that they stand in")
    mark.add_argument("answers", type=Path, help="CSV file with the columns student, question (the claim's id) and answer")
    mark.add_argument("--ask", action="append", default=[], metavar="ID", help="a question of the exercise; may be given again (default: every question that any student answers)")
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
    from asprinted import plausible
    from asprinted.variants import drawing, roster, running
    from asprinted.variants.progress import Progress

    if options.list:
        return _list(study, options)
    if options.roster is None:
        raise StudyError(study.file, "--roster", None, "Give the students: a CSV file whose first line is id, with a name a line below; or --list.")
    students = roster.students(options.roster)
    varied = [drawing.varied(study, text) for text in options.vary]
    twice = [claim for claim, count in Counter(each.claim for each in varied).items() if count > 1]
    if twice:
        raise StudyError(study.file, "vary", twice[0], "It is varied twice: give one range a claim.")
    out = options.out or Path("variants") / study.slug
    key = out / "key"
    progress = Progress("trying whether the ranges can be printed" if varied else "looking what is there")
    try:
        with progress as tell:
            report = running.make_all(study, students, options.course, out, key, varied, options.scheduler, options.workers, options.second_engine, tell, options.replace, progress.note)
    except KeyboardInterrupt:
        after = f" after {progress.done} of {progress.total} students" if progress.total else ""
        print(f"stopped{after}. What stands in {out} is whole and stays; the same command goes on with the others.", file=sys.stderr)
        return STOPPED
    lines = [f"{student}: {reason}" for student, reason in report.failed.items()]
    lines += [f"{student}: a second engine differs: {line}" for student, each in report.differences.items() for line in each]
    again = f"a second engine looked at {len(report.sampled)} of them and differs on {len(report.differences)}"
    lines.append(f"{study.slug}: {len(report.made)} variants made and verified, {len(report.kept)} were there, {len(report.failed)} in vain; {again}")
    for claim, counts in report.shared.items():
        most = max(counts.values(), default=0)
        copied = f"; up to {most} share one, and can copy it" if most > 1 else ""
        lines.append(f"{claim}: {sum(counts.values())} students have {len(counts)} different answers{copied}")
    lines += plausible.of_several(report.notes, len(report.made))
    lines.append(f"{out} (students; the questions, without answers, in questions.csv and questions.md), {key} (answers: not for students)")
    show(options, {"study": study.slug, "out": str(out), "key": str(key), **asdict(report)}, lines)
    return DIFFERS if report.failed or report.differences else FINE


def _list(study: Study, options: argparse.Namespace) -> int:
    """Say which numbers can be varied, and which are tied to which."""
    from asprinted.variants import counted, drawing, ties

    found = ties.listed(study)
    leaning = {id: ids for id in found if (ids := counted.leaned_on(study, study.claims[id]))}
    limited, tied = ties.limits(found), {id: held for id, held in found.items() if held}
    free = [id for id in found if id not in tied and id not in limited]
    bound = sorted({id for held in found.values() for id in held if not drawing.can_vary(study.claims[id])})
    follow = "; what stands there as ID=follows can only follow" if bound else ""
    groups = (
        ("These can be varied, as far as print alone tells; records are tried before any student's are made:", dict.fromkeys(free, ())),
        ("These can be varied alone as far as those after them allow, and further with those, in ranges of their own or as ID=follows:", limited),
        (f"These are tied: each can be varied only with those after it, in ranges of their own or as ID=follows{follow}:", tied),
    )
    lines = []
    for title, ids in groups:
        lines += [title] if ids else []
        lines += [_listed(study.claims[id], [f"{other}={drawing.FOLLOWS}" if other in bound else other for other in others]) for id, others in ids.items()]
    lines += ["Some lean on counts that are printed: nothing proves how far an adjusted ratio can go from the crude one, but far from it records are seldom found:"] if leaning else []
    lines += [f"  {', '.join(id for id in leaning if leaning[id] == ids)}: beside {', '.join(ids)}" for ids in dict.fromkeys(leaning.values())]
    lines += [] if found else ["No number can be varied: none is printed in digits and reproduced by the records."]
    if alone := [*free, *limited]:
        lines.append(f"For example: {shlex.join(['asprinted', 'variants', str(options.folder[0]), '--roster', 'roster.csv', '--vary'])} {alone[0]}=LOW..HIGH")
    show(options, {"study": study.slug, "free": free, "limited": limited, "tied": tied, "only_follow": bound, "leaning": leaning}, lines)
    return FINE


def _listed(claim: Claim, others: Sequence[str]) -> str:
    """A line of the list: a number, what it is, and the ids that it goes with."""
    return f"  {claim.id} {claim.printed}: {claim.says}" + (f"; with {', '.join(others)}" if others else "")


def _mark(*, options: argparse.Namespace) -> int:
    from asprinted.records import write_whole
    from asprinted.variants import answers, marking

    key = answers.read_key(options.key)
    marks = marking.mark(key, marking.read_answers(options.answers), marking.asked(options.key, key, options.ask))
    lines = [f"{each.student}, {each.question}: {each.mark}: {each.given or '(nothing)'}. {each.feedback}".rstrip(". ") for each in marks if each.mark.startswith(("unknown", "answered", "not "))]
    students, questions = (marking.sums(marks, by) for by in ("student", "question"))
    for title, sums in (("student", students), ("question", questions)):
        for name, counts in sums.items():
            others = ", ".join(f"{counts[name]} {name}" for name in marking.MARKS[1:] if counts[name])
            lines.append(f"{title} {name}: {counts['right']} right ({100 * marking.share(counts):.0f}%)" + (f", {others}" if others else ""))
    if options.out:
        write_whole(options.out.parent, {options.out.name: marking.as_csv(marks)})
        lines.append(str(options.out))
    show(options, {"marks": [asdict(each) for each in marks], "students": students, "questions": questions}, lines)
    return FINE
