"""Times of proofs that printed numbers contradict each other: the first in a fresh interpreter, and the best of many."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Union

from asprinted.consistency import Finding, conflict, integers, survival, tables, triples
from asprinted.consistency.conflict import CONTRADICTORY, Decision
from benchmarks.report import Row, Table, output, shown
from book.errors import BookError

TIMES, TARGET = 30, 0.010

TWO_BY_TWO = {"events 1": "64", "total 1": "218", "events 2": "83", "total 2": "216", "estimate": ".66", "lo": ".43", "hi": ".99", "p": ".0438"}

QUESTIONS: dict[str, Callable[[], Union[Finding, Decision]]] = {
    "a Cox fit's HR, interval and p against its 147 events": lambda: survival.hazard_ratio(".71", ".52", ".97", ".029", events="147"),
    "an OR, its interval and p": lambda: triples.check(".66", ".43", ".99", ".06", scale="log"),
    "an HR, its interval and p": lambda: triples.check(".75", ".60", ".94", ".03", scale="log"),
    "mean and SD of 20 whole-number scores from 1 to 5": lambda: integers.check("20", 1, 5, "2.20", "1.30"),
    "a 2×2 table against OR, interval and p, the verdict alone": lambda: tables.Comparison().decide(conflict.read(**TWO_BY_TWO)),
    "a 2×2 table against OR, interval and p": lambda: tables.two_by_two((64, 83), (218, 216), estimate=".66", lo=".43", hi=".99", p=".0438"),
}


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements; raise BookError if a contradiction is not found."""
    about = f"Contradictions proved, each in a fresh interpreter; the first call, and the best of {TIMES} more, which counts."
    columns = ("numbers that contradict each other", "smallest conflicting set", "first call", "best call", "target")
    return Table(about, columns, tuple(row for name in chosen for row in MEASURES[name](root)))


def proofs(root: Path) -> list[Row]:
    """Return a row for each question."""
    rows = []
    for what in QUESTIONS:
        print(f"{what} ...", flush=True)
        first, best, names = json.loads(output(root, [sys.executable, "-m", "benchmarks.proofs", what]).splitlines()[-1])
        rows.append(Row((what, ", ".join(names) or "–", shown(first), shown(best), f"≤ {shown(TARGET)}"), best <= TARGET))
    return rows


MEASURES = {"proofs": proofs}


def measured(question: Callable[[], Union[Finding, Decision]]) -> tuple[float, float, Sequence[str]]:
    """Return the seconds of the first call and of the best of those that follow, and the conflict found."""
    times = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        answer = question()
        times.append(time.perf_counter() - began)
        if answer.verdict != CONTRADICTORY:
            raise BookError(f"benchmark: the verdict is {answer.verdict!r}, but these numbers contradict each other")
    return times[0], min(times[1:]), getattr(answer, "conflict", ())


if __name__ == "__main__":
    print(json.dumps(measured(QUESTIONS[sys.argv[1]])))
