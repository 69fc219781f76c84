"""Whole-number scores with a printed mean and SD: how fast they are made, which shapes are reached, and what is refused."""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from asprinted.consistency import integers as proofs
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE
from asprinted.printed import agrees, in_style
from asprinted.synthesis import integers
from benchmarks import histograms, peers
from benchmarks.report import Row, Table, shown, times, told, versions
from book.errors import BookError

SEEDS = range(5)
LIMIT = 20.0  # seconds that the peer gets for a search, and for a number of shapes


class Print(NamedTuple):
    """n whole-number scores from low to high, and what is printed of them."""

    n: int
    low: int
    high: int
    mean: str
    sd: str

    def __str__(self) -> str:
        return f"n = {self.n:,}, {self.low} to {self.high}, mean {self.mean}, SD {self.sd}"


LADDER = {Print(130, 1, 5, "2.70", "1.90"): 1, **{Print(n, 0, 27, "14.32", "5.21"): faster for n, faster in ((500, 100), (5_000, 100), (20_000, 0), (1_000_000, 0))}}
AT_MOST = {20_000: 0.010, 1_000_000: 1.0}  # people: seconds
STARTS = {"as its README shows": "maxvar", "started where it is fastest": "minvar"}
SHAPES = {Print(100, 1, 5, "3.0", "1.0"): 2, Print(50, 1, 7, "4.7", "2.2"): 2, Print(65, 1, 5, "2.00", "1.45"): 100}  # draws for each shape that there is
STEPS = 20  # of the walk between two draws
IMPOSSIBLE = Print(20, 1, 5, "2.20", "1.30")
RANDOM = 1_000


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if the peer is missing or scores do not print what they should."""
    about = f"Whole-number scores, from nothing but n, the scale, a printed mean and SD: medians of {len(SEEDS)} seeds; results are checked, untimed. pysprite {peers.pinned(root)['pysprite']}, {versions('numpy', 'scipy')}."
    return Table(about, ("what", "this book", "with CSV written", "peer", "peer / this book", "target"), {name: tuple(MEASURES[name](root)) for name in chosen})


def scores(root: Path) -> Iterator[Row]:
    """Return the rows for scores made; the peer is not asked for more people once it has not ended in LIMIT seconds."""
    slow: dict[str, int] = {}
    for wanted, faster in LADDER.items():
        memory, written = (statistics.median(side) for side in zip(*(made(wanted, seed) for seed in SEEDS)))
        if wanted.n in AT_MOST:
            most = AT_MOST[wanted.n]
            peer = f"not asked: no end in {LIMIT:.0f} s at n = {max(slow.values()):,}" if slow else "–"
            yield Row((str(wanted), shown(memory), shown(written), peer, "–", f"≤ {shown(most)}"), memory <= most)
            continue
        for started, method in STARTS.items():
            told(f"{wanted}, against pysprite {started}")
            target = f"≥ {faster} times faster" if faster > 1 else "faster"
            try:
                searches = peers.ask(root, "pysprite", {**wanted._asdict(), "start": method, "seconds": LIMIT, "most": len(SEEDS)}, LIMIT + 30)["searches"]
            except TimeoutError:
                slow[method] = wanted.n
                yield Row((str(wanted), shown(memory), shown(written), f"{started}: no end in {LIMIT:.0f} s", f"> {times(LIMIT / memory)}", target), LIMIT >= faster * memory)
                continue
            ended = [each for each in searches if each["counts"]]
            right = sum(prints(each["counts"], wanted) for each in ended)
            theirs = statistics.median(each["seconds"] for each in searches)
            peer = f"{started}: {shown(theirs)}; ends with scores in {len(ended)} of {len(searches)}, which print as asked in {right}"
            yield Row((str(wanted), shown(memory), shown(written), peer, times(theirs / memory), target), theirs > faster * memory)


def made(wanted: Print, seed: int) -> tuple[float, float]:
    """Return the seconds until all scores are in memory, and until they are in a CSV file."""
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    values = integers.people(integers.printing(*wanted), wanted.low, rng)
    memory = time.perf_counter() - began
    if not (prints(np.bincount(values - wanted.low, minlength=wanted.high - wanted.low + 1), wanted) and len(values) == wanted.n and values.min() >= wanted.low):
        raise BookError(f"benchmark: scores do not print {wanted}: mean {values.mean()}, SD {values.std(ddof=1)}")
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        began = time.perf_counter()
        pd.DataFrame({"score": values}).to_csv(Path(folder) / "people.csv", index_label="person", lineterminator="\n")
        return memory, memory + time.perf_counter() - began


def prints(counts: Sequence[int], wanted: Print) -> bool:
    """Return whether scores with these counts are of the scale and print the mean and the SD."""
    values = np.repeat(np.arange(wanted.low, wanted.low + len(counts)), counts)
    return len(counts) == wanted.high - wanted.low + 1 and agrees(float(values.mean()), wanted.mean) and agrees(float(values.std(ddof=1)), wanted.sd)


# Which shapes are reached


def shapes(root: Path) -> Iterator[Row]:
    """Return a row for each print: of all sets of scores that print so, how many the walk reaches; independent draws would miss some too."""
    for wanted, each in SHAPES.items():
        told(f"every set of scores with {wanted}")
        there = histograms.printing(*wanted)
        total = sum(map(len, there.values()))
        began = time.perf_counter()
        with ProcessPoolExecutor() as workers:
            reached = sum(workers.map(walked, itertools.repeat(wanted), there, map(len, there.values()), itertools.repeat(each), chunksize=4))
        seconds = time.perf_counter() - began
        expected = 100 * (1 - math.exp(-each))
        budget = min(seconds, LIMIT)
        found = peers.ask(root, "pysprite", {**wanted._asdict(), "start": "minvar", "seconds": budget, "most": each * total}, 10 * budget + 60)["searches"]
        theirs = len({tuple(each["counts"]) for each in found if each["counts"] and sums(each["counts"], wanted.low) in there})
        what = f"sets of scores with {wanted}: {total:,} exist"
        mine = f"{100 * reached / total:.3g}% reached in {each * total:,} draws, {shown(seconds)}"
        peer = f"{100 * theirs / total:.3g}% in {len(found):,} searches, {shown(sum(each['seconds'] for each in found))}"
        yield Row((what, mine, "–", peer, "–", f"≥ {0.97 * expected:.3g}%; independent draws: {expected:.3g}%"), reached >= 0.0097 * expected * total)


def sums(counts: Sequence[int], low: int) -> tuple[int, int]:
    """Return the sum and the sum of squares of scores with these counts."""
    values = np.arange(low, low + len(counts))
    return int(values @ counts), int(values**2 @ counts)


def walked(wanted: Print, own: tuple[int, int], size: int, each: int) -> int:
    """Return how many different shapes a walk among the `size` sets of scores with this sum and sum of squares comes to."""
    rng = np.random.default_rng([wanted.n, *own])
    counts, found = integers.count_vector(wanted.n, wanted.low, wanted.high, *own), set()
    for _ in range(each * size):
        counts = integers.shaken(counts, rng, STEPS)
        found.add(counts.tobytes())
    return len(found)


# What is refused


def impossible(root: Path) -> Iterator[Row]:
    """Return the rows for means and SDs that no scores have: one that the peer searches for, and random ones against every set of scores."""
    told(f"what nobody can have: {IMPOSSIBLE}")
    seconds = []
    for _ in SEEDS:
        began = time.perf_counter()
        if proofs.check(str(IMPOSSIBLE.n), *IMPOSSIBLE[1:]).verdict != CONTRADICTORY:
            raise BookError(f"benchmark: {IMPOSSIBLE} is not refused")
        seconds.append(time.perf_counter() - began)
    mine = statistics.median(seconds)
    found = peers.ask(root, "pysprite", {**IMPOSSIBLE._asdict(), "start": "maxvar", "seconds": LIMIT / 3, "most": len(SEEDS)}, 2 * LIMIT)["searches"]
    theirs = statistics.median(each["seconds"] for each in found)
    peer = f"a search ends without scores, and without a proof, after {shown(theirs)}"
    yield Row((f"a proof that nobody has {IMPOSSIBLE}", shown(mine), "–", peer, times(theirs / mine), f"≤ {shown(0.010)}"), mine <= 0.010)
    told(f"{RANDOM:,} random means and SDs against every set of scores")
    wrong = missed = undecided = refused = 0
    took = []
    for wanted in randomly(np.random.default_rng(1), RANDOM):
        exists = any(histograms.sums_that_print(*wanted))
        began = time.perf_counter()
        verdict = proofs.check(str(wanted.n), *wanted[1:]).verdict
        took.append(time.perf_counter() - began)
        wrong += exists and verdict == CONTRADICTORY
        missed += not exists and verdict == POSSIBLE
        undecided += verdict not in (CONTRADICTORY, POSSIBLE)
        refused += verdict == CONTRADICTORY
    what = f"{RANDOM:,} random prints of a mean and SD, held against every set of scores"
    mine = f"{refused} refused; wrongly refused {wrong}, wrongly let through {missed}, undecided {undecided}; {shown(statistics.median(took))} each"
    yield Row((what, mine, "–", "every set of scores enumerated", "–", "none wrong, none undecided"), not (wrong or missed or undecided))


def randomly(rng: np.random.Generator, count: int) -> Iterator[Print]:
    """Yield prints of few scores: half near what random scores print, some of their last digits changed, half drawn freely."""
    for number in range(count):
        n, top = int(rng.integers(3, 13)), int(rng.integers(3, 7))
        values = 1 + rng.integers(0, top, n)
        mean, sd = (values.mean(), values.std(ddof=1)) if number % 2 else (rng.uniform(1, top), rng.uniform(0.1, 0.6 * top))
        style = "0.00" if rng.random() < 0.7 else "0.0"
        unit = Fraction(style.replace("0.", "").replace("0", "1")) / 10 ** peers.decimals(style)
        shift = [float(unit) * int(rng.choice((-1, 0, 0, 0, 0, 1))) for _ in range(2)]
        yield Print(n, 1, top, in_style(max(mean + shift[0], 0.0), style), in_style(max(sd + shift[1], 0.0), style))


MEASURES = {"scores": scores, "shapes": shapes, "impossible": impossible}
