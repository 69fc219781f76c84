"""How time and memory grow: yes/no outcomes and scores of up to a million people, and a thousand variants of one study."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from asprinted import reanalysis, records, synthesis
from benchmarks import ancova, odds
from benchmarks.report import Row, Table, last_line, shown, timed, told, versions
from book.errors import BookError

SEEDS = range(5)
PEOPLE = (10_000, 100_000, 1_000_000)
MAKING, MEMORY, ODDS = 10.0, 2.0, 30.0  # seconds, GiB, seconds, for the largest of these
GROWTH, PATIENCE = 1.1, 300.0  # the power of n; seconds after which a command is given up
VARIED, STUDENTS, VARIANTS, CLUSTER = "harp-trial", 1_000, 60.0, 1.3  # the study, how many, seconds, and how many times as long a local cluster may take


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if records do not print what they should."""
    about = f"Large trials and large classes; results are checked, untimed. {versions('numpy', 'scipy', 'pandas', 'distributed')}."
    columns = ("what", "this book", "with CSV written", "memory at most", "target")
    return Table(about, columns, {name: tuple(MEASURES[name](root)) for name in chosen})


def power(taken: Mapping[int, float]) -> float:
    """Return the power of n by which what is taken grows, fitted to logarithms."""
    return statistics.linear_regression([math.log(n) for n in taken], [math.log(each) for each in taken.values()]).slope


def events(root: Path) -> Iterator[Row]:
    """Return the rows for people whose odds ratio, interval and p value print as those of a simulated trial, and for the growth with n."""
    medians = {}
    for n in PEOPLE:
        what = f"OR, interval and p together, {n:,} people in two arms of six sites"
        told(what)
        medians[n] = tuple(statistics.median(side) for side in zip(*(made_events(n, seed) for seed in SEEDS)))
        target = (f"≤ {shown(ODDS)}", medians[n][0] <= ODDS) if n == PEOPLE[-1] else ("–", None)
        yield Row((what, *map(shown, medians[n]), "–", target[0]), target[1])
    powers = [power({n: seconds[side] for n, seconds in medians.items()}) for side in (0, 1)]
    yield Row(("growth of that time with n", *(f"n^{each:.2f}" for each in powers), "–", f"≤ n^{GROWTH}"), max(powers) <= GROWTH)


def made_events(n: int, seed: int) -> tuple[float, float]:
    """Return the seconds until n people's arm, site and outcome are in memory, and until they are in a CSV file."""
    trial = odds.simulated(n, np.random.default_rng(seed))
    began = time.perf_counter()
    people = odds.people(trial, odds.counts(trial, np.random.default_rng(seed)))
    memory = time.perf_counter() - began
    odds.check(trial, people)
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        began = time.perf_counter()
        pd.DataFrame(people).to_csv(Path(folder) / "people.csv", index_label="person", lineterminator="\n")
        return memory, memory + time.perf_counter() - began


# Scores at start and end, by the command line's own way from a study file


def scores(root: Path) -> Iterator[Row]:
    """Return the rows for trials made from a study file, each in a process of its own, twice: time, memory, and whether the bytes are the same."""
    made: dict[int, dict[str, float]] = {}
    for n in PEOPLE:
        what = f"means and SDs at start and end, and an ANCOVA's p to four decimals, {n:,} people"
        told(what)
        last, limits = n == PEOPLE[-1], f"≤ {shown(MAKING)}, {MEMORY:.0f} GiB"
        try:
            both = [last_line(root, [sys.executable, "-m", "benchmarks.scale", str(n)], PATIENCE) for _ in range(2)]
        except (BookError, TimeoutError) as problem:
            yield Row((what, _why(problem), "–", "–", limits), False)
            continue
        best = min(both, key=lambda one: one["made"])
        same = both[0]["bytes"] == both[1]["bytes"]
        made[n] = best
        reached = same and (best["made"] <= MAKING and best["peak"] <= MEMORY if last else True)
        written = f"{shown(best['made'] + best['written'])}{'; the same bytes twice' if same else '; NOT the same bytes twice'}"
        yield Row((what, shown(best["made"]), written, f"{best['peak']:.2f} GiB", limits if last else "the same bytes twice"), reached)
    if len(made) > 1:
        powers = [power({n: one[part] for n, one in made.items()}) for part in ("made", "written", "peak")]
        cells = (f"n^{powers[0]:.2f}", f"n^{powers[1]:.2f} (writing alone)", f"n^{powers[2]:.2f}")
        yield Row(("growth of these with n", *cells, f"≤ n^{GROWTH}"), powers[0] <= GROWTH and powers[2] <= GROWTH)


def once(n: int) -> dict[str, float | str]:
    """Return the seconds of making and of writing, the most memory in GiB until the tables are made, and a hash of the files; raise BookError unless all prints."""
    content = ancova.printed(ancova.simulated(n, np.random.default_rng(n)))
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        trial = ancova.opened(content, Path(folder) / "trial")
        began = time.perf_counter()
        making = peak = 0.0

        def progress(line: str) -> None:
            nonlocal making, peak
            if line.startswith("reading back"):
                making, peak = time.perf_counter() - began, most_memory()

        tables = synthesis.synthesise(trial, progress)
        started = time.perf_counter()
        files = records.write(trial, tables)
        written = time.perf_counter() - started
        differing = [each.id for each in reanalysis.verdicts(trial, tables) if not each.as_expected]
        if differing or len(tables["participants"]) != n:
            raise BookError(f"benchmark: {n:,} people do not print {', '.join(differing)}")
        return {"made": making, "written": written, "peak": peak, "bytes": whole(files[0].parent)}


def whole(folder: Path) -> str:
    """Return a hash of every file below the folder, with its name."""
    found = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _why(problem: BookError | TimeoutError) -> str:
    return f"no end in {PATIENCE:.0f} s or more" if isinstance(problem, TimeoutError) else f"not made: {str(problem).strip().splitlines()[-1][:160]}"


def most_memory() -> float:
    """Return the most memory that this process has held, in GiB."""
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30


# Variants for a class


def variants(root: Path) -> Iterator[Row]:
    """Return the rows for variants of one study: on all cores, and on a local Dask cluster of as many workers."""
    import distributed

    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as place:
        copy, cores = Path(place), os.cpu_count() or 1
        for part in ("asprinted", "data"):
            shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        with (copy / "roster.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id"], *([f"student-{number:04d}"] for number in range(1, STUDENTS + 1))])
        command = [sys.executable, "-m", "asprinted", "variants", f"data/{VARIED}", "--roster", "roster.csv", "--json", "--out"]
        what = f"{STUDENTS:,} variants of {VARIED}, each read back and verified, {cores} cores"
        told(what)
        try:
            alone = timed(copy, [*command, "alone"], limit=PATIENCE)()
        except (BookError, TimeoutError) as problem:
            yield Row((what, "–", _why(problem), "–", f"≤ {shown(VARIANTS)}"), False)
            return
        yield Row((what, "–", shown(alone), "–", f"≤ {shown(VARIANTS)}"), alone <= VARIANTS)
        told(f"the same on a local Dask cluster of {cores} workers")
        with distributed.LocalCluster(n_workers=cores, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
            what = f"the same on a local Dask cluster of {cores} workers, distributed {distributed.__version__}"
            try:
                together = timed(copy, [*command, "together", "--scheduler", cluster.scheduler_address], limit=2 * PATIENCE)()
            except (BookError, TimeoutError) as problem:
                yield Row((what, "–", _why(problem), "–", f"≤ {CLUSTER} times"), False)
                return
        same = whole(copy / "alone") == whole(copy / "together")
        cells = (what, "–", f"{shown(together)}: {together / alone:.2f} times as long", "–")
        yield Row((*cells, f"≤ {CLUSTER} times, the same files"), same and together <= CLUSTER * alone)


MEASURES = {"events": events, "scale": scores, "variants": variants}

if __name__ == "__main__":
    print(json.dumps(once(int(sys.argv[1]))))
