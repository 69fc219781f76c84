"""Runs the benchmarks that are asked for, prints what they measured as Markdown tables, and keeps it in `benchmarks/results.json`."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from book import bench, environment, execution_times
from book.errors import BookError
from book.files import read_json, write_whole

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels")


class Row(NamedTuple):
    """One line of a table: what stands in its columns, the last of them the target, and whether it is reached (None: no target)."""

    cells: tuple[str, ...]
    reached: bool | None = None

    def __str__(self) -> str:
        return bench.line(self.cells, self.reached)


class Table(NamedTuple):
    """Measurements of one kind: a line on what they are, the names of the columns, and the rows of each benchmark, by its name."""

    about: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Row, ...]]

    def __str__(self) -> str:
        return "\n".join([self.about, "", *bench.head(self.columns), *map(str, self.every())])

    def every(self) -> list[Row]:
        """Return the rows of all benchmarks, in order."""
        return [row for several in self.rows.values() for row in several]


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every target is reached, else 1; raise BookError if a peer is missing or a side fails.

    A part's results are kept as soon as it is done, so that a run that is stopped loses one part at most.
    """
    began, tables = time.perf_counter(), []
    print(about_here(), flush=True)
    for part, names in bench.PARTS.items():
        chosen = [name for name in names if name in options.only or not options.only]
        if chosen:
            print(f"[{time.perf_counter() - began:5.0f} s] {part}: {', '.join(chosen)}", flush=True)
            table = importlib.import_module(f"benchmarks.{part}").table(root, chosen, options.runs)
            tables.append(table)
            keep(root, part, table)
    report = "\n\n".join([about_here(), *map(str, tables)])
    print(f"\n{report}\n\n{bench.counted([row.reached for table in tables for row in table.every()])}, in {time.perf_counter() - began:.0f} s.")
    write_whole(root / "_build" / "benchmark.md", report + "\n")
    return 0 if all(row.reached is not False for table in tables for row in table.every()) else 1


def keep(root: Path, part: str, table: Table) -> None:
    """Put a part's measurements into benchmarks/results.json; what stands there of other benchmarks stays, each with the machine it ran on."""
    kept = read_json(root / bench.RESULTS, {})
    before = kept.get(part, {}).get("benchmarks", {}) if kept.get(part, {}).get("columns") == list(table.columns) else {}
    there = {"python": platform.python_version(), "machine": execution_times.machine(), "packages": {name: importlib.metadata.version(name) for name in PACKAGES}}
    new = {name: {"on": there, "rows": [{"cells": list(row.cells), "reached": row.reached} for row in rows]} for name, rows in table.rows.items()}
    merged = before | new
    entry = {"about": table.about, "columns": list(table.columns), "benchmarks": {name: merged[name] for name in bench.PARTS[part] if name in merged}}
    kept = {name: each for name, each in (kept | {part: entry}).items() if name in bench.PARTS}
    write_whole(root / bench.RESULTS, json.dumps({name: kept[name] for name in bench.PARTS if name in kept}, indent=1, ensure_ascii=False) + "\n")


def about_here() -> str:
    """Return a line on Python, machine, and how busy it is."""
    load = f", {os.getloadavg()[0]:.1f} processes at work on average in the last minute" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores{load}; wall time."


def told(what: str) -> None:
    """Print what is measured now."""
    print(f"{what} ...", flush=True)


def shown(seconds: float) -> str:
    """Return a time with its unit and three digits."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def times(ratio: float) -> str:
    """Return how many times faster, with three digits."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def versions(*names: str) -> str:
    """Return the versions of installed packages, as a list in words."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def timed(folder: Path, command: Sequence[str], before: Callable[[], None] = lambda: None, limit: float | None = None) -> Callable[[], float]:
    """Return a function that runs the command in `folder` and gives its seconds; it raises BookError on failure, TimeoutError after `limit` seconds."""

    def once() -> float:
        before()
        began = time.perf_counter()
        output(folder, command, limit)
        return time.perf_counter() - began

    return once


def output(folder: Path, command: Sequence[str], limit: float | None = None) -> str:
    """Return what the command prints, run in `folder` with the book's environment; raise BookError on failure, TimeoutError after `limit` seconds."""
    try:
        done = subprocess.run(command, cwd=folder, env=environment.variables(folder, Path(sys.prefix)), timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{' '.join(command)} has not ended after {limit:.0f} s") from None
    if done.returncode:
        raise BookError(f"benchmark: {' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def last_line(folder: Path, command: Sequence[str], limit: float | None = None) -> Any:
    """Return what the last line that the command prints holds as JSON; raises as `output` does."""
    return json.loads(output(folder, command, limit).splitlines()[-1])
