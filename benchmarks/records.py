"""Times of synthesis: the records of each study, bounded scores, and yes/no outcomes of up to a million people."""

from __future__ import annotations

import importlib.metadata
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from asprinted.printed import agrees
from asprinted.study import load
from asprinted.synthesis import integers
from benchmarks import odds, peers
from benchmarks.report import Row, Table, shown, timed
from book.errors import BookError

SEEDS = range(5)
LOW, HIGH, MEAN, SD = 0, 27, "14.32", "5.21"
STARTS = {"as its README shows": "maxvar", "started where it is fastest": "minvar"}


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if a peer is missing or records do not print what they should."""
    names = ("numpy", "scipy", "pandas")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    about = f"Synthesis: medians, of {runs} for the command line and of {len(SEEDS)} seeds else; results are checked against their print, untimed. {versions}."
    rows = tuple(row for name in chosen for row in MEASURES[name](root, runs))
    return Table(about, ("what", "in memory", "with CSV written", "peer", "peer / in memory", "target"), rows)


def studies(root: Path, runs: int) -> Iterator[Row]:
    """Return a row for each study: its records made, written, read back and verified by the command line, in a copy."""
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder)
        for part in ("asprinted", "data"):
            shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for study in sorted((copy / "data").glob("*/study.yml")):
            slug = study.parent.name
            print(f"records of {slug} ...", flush=True)
            write, verify = (timed(copy, [sys.executable, "-m", "asprinted", verb, f"data/{slug}"]) for verb in ("synthesise", "verify"))
            seconds = statistics.median(write() + verify() for _ in range(runs))
            limit = 3 if "trials" in load(study.parent).design else 5
            yield Row((f"records of {slug}, written and verified", "–", shown(seconds), "–", "–", f"≤ {limit} s"), seconds <= limit)


def scores(root: Path, runs: int) -> Iterator[Row]:
    """Return the rows for scores on a bounded scale with a printed mean and SD; the smallest n against pysprite, seed by seed."""
    what = f"scores {LOW} to {HIGH}, mean {MEAN}, SD {SD}, n = {{:,}}"
    version = peers.pinned(root)["pysprite"]
    module = peers.pysprite(root)
    for started, method in STARTS.items():
        print(f"{what.format(500)}, against pysprite {started} ...", flush=True)
        pairs = [(made_scores(500, seed), sprite(module, method, 500, seed)) for seed in SEEDS]
        memory, written, theirs = (statistics.median(side) for side in zip(*((*ours, seconds) for ours, (seconds, _) in pairs)))
        peer = f"pysprite {version}, {started}: {shown(theirs)}; its mean prints as asked in {sum(prints for _, (_, prints) in pairs)} of {len(pairs)}"
        yield Row((what.format(500), shown(memory), shown(written), peer, f"{theirs / memory:,.0f}", "≥ 100 times faster"), theirs >= 100 * memory)
    for n, target in ((20_000, 0.010), (1_000_000, 1.0)):
        print(f"{what.format(n)} ...", flush=True)
        memory, written = (statistics.median(side) for side in zip(*(made_scores(n, seed) for seed in SEEDS)))
        yield Row((what.format(n), shown(memory), shown(written), "–", "–", f"≤ {shown(target)}"), memory <= target)


def made_scores(n: int, seed: int) -> tuple[float, float]:
    """Return the seconds until n people's scores are in memory, and until they are in a CSV file."""
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    values = integers.people(integers.printing(n, LOW, HIGH, MEAN, SD), LOW, rng)
    memory = time.perf_counter() - began
    if not (agrees(values.mean(), MEAN) and agrees(values.std(ddof=1), SD) and len(values) == n and LOW <= values.min() <= values.max() <= HIGH):
        raise BookError(f"benchmark: {n} scores have the mean {values.mean()} and the SD {values.std(ddof=1)}, not {MEAN} and {SD}")
    return memory, memory + written({"score": values})


def sprite(module: object, method: str, n: int, seed: int) -> tuple[float, bool]:
    """Return pysprite's seconds to its first solution, and whether the solution's mean prints as asked (its SD does)."""
    np.random.seed(seed)
    began = time.perf_counter()
    outcome, values, _ = module.Sprite(n, float(MEAN), float(SD), 2, 2, LOW, HIGH).find_possible_distribution(init_method=method)
    seconds = time.perf_counter() - began
    if outcome != "Success":
        raise BookError(f"benchmark: pysprite ended with {outcome!r} from seed {seed}")
    return seconds, agrees(float(values.mean()), MEAN)


def events(root: Path, runs: int) -> Iterator[Row]:
    """Return the rows for people whose odds ratio, interval and p value print as those of a simulated trial, and for the growth with n."""
    medians = {}
    for n in (10_000, 100_000, 1_000_000):
        what = f"OR, interval and p together, {n:,} people in two arms of six sites"
        print(f"{what} ...", flush=True)
        medians[n] = tuple(statistics.median(side) for side in zip(*(made_events(n, seed) for seed in SEEDS)))
        target = (f"≤ {shown(30)}", medians[n][0] <= 30) if n == 1_000_000 else ("–", None)
        yield Row((what, *map(shown, medians[n]), "–", "–", target[0]), target[1])
    powers = [statistics.linear_regression([math.log(n) for n in medians], [math.log(times[side]) for times in medians.values()]).slope for side in (0, 1)]
    yield Row(("growth of that time with n", *(f"n^{power:.2f}" for power in powers), "–", "–", "≤ n^1.1"), max(powers) <= 1.1)


def made_events(n: int, seed: int) -> tuple[float, float]:
    """Return the seconds until n people's arm, site and outcome are in memory, and until they are in a CSV file."""
    trial = odds.simulated(n, np.random.default_rng(seed))
    began = time.perf_counter()
    counts = odds.counts(trial, np.random.default_rng(seed))
    people = odds.people(trial, counts)
    memory = time.perf_counter() - began
    odds.check(trial, people)
    return memory, memory + written(people)


def written(columns: dict[str, np.ndarray]) -> float:
    """Return the seconds to write the columns, and a number for each person, as CSV."""
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        began = time.perf_counter()
        pd.DataFrame(columns).to_csv(Path(folder) / "people.csv", index_label="person", lineterminator="\n")
        return time.perf_counter() - began


MEASURES: dict[str, Callable[[Path, int], Iterator[Row]]] = {"records": studies, "scores": scores, "events": events}
