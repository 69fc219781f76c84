"""Times of proofs that printed numbers contradict each other: the first in a fresh interpreter, and the best of many."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Union

from asprinted.consistency import Finding, conflict, integers, survival, tables, triples
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, Decision
from benchmarks import peers
from benchmarks.report import Row, Table, last_line, shown, told
from book.errors import BookError

TIMES, TARGET = 30, 0.010

TWO_BY_TWO = {"events 1": "64", "total 1": "218", "events 2": "83", "total 2": "216", "estimate": ".66", "lo": ".43", "hi": ".99", "p": ".0438"}


class Asked(NamedTuple):
    """A question to the proofs, the verdict that is right, and the numbers as a sentence of an abstract; empty where a sentence would not hold them."""

    ask: Callable[[], Union[Finding, Decision]]
    verdict: str = CONTRADICTORY
    sentence: str = ""


QUESTIONS: dict[str, Asked] = {
    "a Cox fit's HR, interval and p against its 147 events": Asked(
        lambda: survival.hazard_ratio(".71", ".52", ".97", ".029", events="147"), sentence="147 events, HR = .71, 95% CI [.52, .97], p = .029"),
    "the same HR, interval and p without the events": Asked(
        lambda: triples.check(".71", ".52", ".97", ".029", scale="log"), POSSIBLE, "HR = .71, 95% CI [.52, .97], p = .029"),
    "an OR, its interval and p": Asked(lambda: triples.check(".66", ".43", ".99", ".06", scale="log"), sentence="OR = .66, 95% CI [.43, .99], p = .06"),
    "an HR, its interval and p": Asked(lambda: triples.check(".75", ".60", ".94", ".03", scale="log"), sentence="HR = .75, 95% CI [.60, .94], p = .03"),
    "mean and SD of 20 whole-number scores from 1 to 5": Asked(lambda: integers.check("20", 1, 5, "2.20", "1.30"), sentence="(N = 20, M = 2.20, SD = 1.30)"),
    "a published OR, interval and p, alone": Asked(
        lambda: triples.check(".66", ".43", ".99", ".0438", scale="log"), POSSIBLE, "OR = .66, 95% CI [.43, .99], p = .0438"),
    "a 2×2 table against OR, interval and p, the verdict alone": Asked(lambda: tables.Comparison().decide(conflict.read(**TWO_BY_TWO))),
    "a 2×2 table against OR, interval and p": Asked(
        lambda: tables.two_by_two((64, 83), (218, 216), estimate=".66", lo=".43", hi=".99", p=".0438"),
        sentence="64 of 218 against 83 of 216, OR = .66, 95% CI [.43, .99], p = .0438"),
}  # fmt: skip


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements; raise BookError if a verdict is another than the right one, or the peer cannot be asked."""
    about = (
        f"Printed numbers held against each other, each in a fresh interpreter; the first call, and the best of {TIMES} more, which counts. statcheck "
        f"{peers.pinned(root)['statcheck']} is given the same numbers as a sentence, and what counts is whether it reads a result there that it could check."
    )
    columns = ("printed numbers", "verdict", "smallest conflicting set", "first call", "best call", "statcheck reads", "target")
    return Table(about, columns, {name: tuple(MEASURES[name](root)) for name in chosen})


def proofs(root: Path) -> list[Row]:
    """Return a row for each question."""
    sentences = [asked.sentence for asked in QUESTIONS.values() if asked.sentence]
    told("statcheck's reading")
    read = dict(zip(sentences, peers.ask(root, "statcheck", {"sentences": sentences})["found"], strict=True)) | {"": None}
    rows = []
    for what, asked in QUESTIONS.items():
        told(what)
        first, best, names = last_line(root, [sys.executable, "-m", "benchmarks.proofs", what])
        found = {None: "–", 0: "nothing"}.get(read[asked.sentence], f"{read[asked.sentence]} result")
        rows.append(Row((what, asked.verdict, ", ".join(names) or "–", shown(first), shown(best), found, f"≤ {shown(TARGET)}"), best <= TARGET))
    return rows


MEASURES = {"proofs": proofs}


def measured(asked: Asked) -> tuple[float, float, Sequence[str]]:
    """Return the seconds of the first call and of the best of those that follow, and the conflict found."""
    times = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        answer = asked.ask()
        times.append(time.perf_counter() - began)
        if answer.verdict != asked.verdict:
            raise BookError(f"benchmark: the verdict is {answer.verdict!r}, but these numbers are {asked.verdict}")
    return times[0], min(times[1:]), getattr(answer, "conflict", ())


if __name__ == "__main__":
    print(json.dumps(measured(QUESTIONS[sys.argv[1]])))
