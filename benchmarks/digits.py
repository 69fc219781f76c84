"""Every study of the book and every published abstract among the tests: from the study file alone to records that print each number again."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from asprinted import engines, study
from asprinted.verification import OWN
from benchmarks.report import Row, Table, shown, timed, told
from book import environment
from book.errors import BookError

TARGET, LIMIT = 5.0, 60.0  # seconds; after LIMIT a study is given up
PRINTED = ("number", "inequality")
PLACES = ("data/*/study.yml", "tests/papers/*/study.yml")


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements; a study whose records are not made, or do not print, counts as missed."""
    about = (
        f"From a study file to records on disk that are verified: `asprinted synthesise`, then `asprinted verify`; medians of {runs}. Printed numbers are those that the "
        f"study file expects to be reproduced, as text; the others contradict each other by proof, or are declared, with a reason. Engines, untimed: {', '.join([OWN, *engines.available()])}."
    )
    columns = ("study", "numbers printed again", "declared otherwise", "the same by other engines", "file to verified records", "target")
    return Table(about, columns, {name: tuple(MEASURES[name](root, runs)) for name in chosen})


def digits(root: Path, runs: int) -> Iterator[Row]:
    """Return a row for each study, and one for all of them."""
    whole = again = 0
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder)
        for part in ("asprinted", "data", "tests/papers"):
            shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (file for place in PLACES for file in sorted(copy.glob(place))):
            row, printed, reproduced = of_study(copy, file.parent, runs)
            whole, again = whole + printed, again + reproduced
            yield row
    yield Row(("all of them", f"{again} of {whole}", "–", "–", "–", "all"), again == whole)


def of_study(copy: Path, folder: Path, runs: int) -> tuple[Row, int, int]:
    """Return the row of a study, how many of its printed numbers should be printed again, and how many are."""
    told(f"records of {folder.name}")
    claims = study.load(folder).claims
    wanted = {id for id, claim in claims.items() if claim.kind in PRINTED and claim.by and claim.expect == "reproduced"}
    otherwise = sum(claim.kind in PRINTED and bool(claim.by) for claim in claims.values()) - len(wanted)
    place = folder.relative_to(copy).as_posix()
    write = timed(copy, [sys.executable, "-m", "asprinted", "synthesise", place], limit=LIMIT)
    verify = timed(copy, [sys.executable, "-m", "asprinted", "verify", "--engine", "own", place], limit=LIMIT)
    try:
        seconds = statistics.median(write() + verify() for _ in range(runs))
        rows = json.loads(_standard_output(copy, [sys.executable, "-m", "asprinted", "verify", "--json", place]))["recomputed"]
    except (BookError, TimeoutError) as problem:
        why = f"no end in {LIMIT:.0f} s" if isinstance(problem, TimeoutError) else _reason(problem)
        return Row((folder.name, f"0 of {len(wanted)}: {why}", str(otherwise), "–", "–", f"all, ≤ {shown(TARGET)}"), False), len(wanted), 0
    by_engine: dict[str, Counter[bool]] = {}
    for row in rows:
        if row["id"] in wanted and row["verdict"] != "no value":
            by_engine.setdefault(row["engine"], Counter())[row["verdict"] == "reproduced"] += 1
    again = by_engine.get(OWN, Counter())[True]
    others = "; ".join(f"{name} {counts[True]} of {counts.total()}" for name, counts in by_engine.items() if name != OWN) or "–"
    reached = again == len(wanted) and all(not counts[False] for counts in by_engine.values()) and seconds <= TARGET
    return Row((folder.name, f"{again} of {len(wanted)}", str(otherwise), others, shown(seconds), f"all, ≤ {shown(TARGET)}"), reached), len(wanted), again


def _standard_output(copy: Path, command: Sequence[str]) -> str:
    """Return what the command prints on standard output alone; raise BookError on failure."""
    done = subprocess.run(command, cwd=copy, env=environment.variables(copy, Path(sys.prefix)), capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: an engine differs, which is what is counted
        raise BookError(f"benchmark: {' '.join(command)} ended with {done.returncode}:\n{done.stderr[-1000:]}")
    return done.stdout


def _reason(problem: BookError) -> str:
    """Return the error that the command told, without the folder it ran in."""
    lines = [line for line in str(problem).splitlines() if line.startswith("error:")]
    return (lines or str(problem).splitlines())[-1].rpartition("study.yml: ")[2][:160]


MEASURES = {"digits": digits}
