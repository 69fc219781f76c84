"""Runs the benchmarks that are asked for and prints what they measured as Markdown tables, a row a target."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from book import environment
from book.errors import BookError
from book.files import write_whole


class Row(NamedTuple):
    """One line of a table: what stands in its columns, the last of them the target, and whether it is reached (None: no target)."""

    cells: tuple[str, ...]
    reached: bool | None = None

    def __str__(self) -> str:
        last = {True: "reached", False: "**missed**", None: ""}[self.reached]
        return f"| {' | '.join([*self.cells, last])} |"


class Table(NamedTuple):
    """Measurements of one kind: a line on what they are, the names of the columns, and the rows."""

    about: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        rule = "|---" * (len(self.columns) + 1) + "|"
        return "\n".join([self.about, "", f"| {' | '.join(self.columns)} | |", rule, *map(str, self.rows)])


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every target is reached, else 1; raise BookError if a peer is missing or a side fails."""
    from benchmarks import build, pools, proofs, records

    tables = []
    for part in (build, records, pools, proofs):
        chosen = [name for name in part.MEASURES if name in options.only or not options.only]
        if chosen:
            tables.append(part.table(root, chosen, options.runs))
    load = f", {os.getloadavg()[0]:.1f} processes at work on average in the last minute" if hasattr(os, "getloadavg") else ""
    report = "\n\n".join([f"Python {platform.python_version()}, {os.cpu_count()} cores{load}; wall time.", *map(str, tables)])
    print(f"\n{report}")
    write_whole(root / "_build" / "benchmark.md", report + "\n")
    return 0 if all(row.reached is not False for table in tables for row in table.rows) else 1


def shown(seconds: float) -> str:
    """Return a time with its unit and three digits."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def timed(folder: Path, command: Sequence[str], before: Callable[[], None] = lambda: None) -> Callable[[], float]:
    """Return a function that runs the command in `folder` and gives its seconds; it raises BookError on failure."""

    def once() -> float:
        before()
        began = time.perf_counter()
        output(folder, command)
        return time.perf_counter() - began

    return once


def output(folder: Path, command: Sequence[str]) -> str:
    """Return what the command prints, run in `folder` with the book's environment; raise BookError on failure."""
    done = subprocess.run(command, cwd=folder, env=environment.variables(folder, Path(sys.prefix)),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip
    if done.returncode:
        raise BookError(f"benchmark: {' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout
