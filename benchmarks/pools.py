"""Times of meta-analysis: trials rebuilt from print alone, and the REML fit against metafor and as the trials grow many."""

from __future__ import annotations

import itertools
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from asprinted.models.pooled import Pooled, pool
from benchmarks import peers, reviews
from benchmarks.report import Row, Table, output, shown, times, told, versions

SETS, RIGHT, TARGET = 200, 198, 0.050
AGAINST = {49: (101, 1), 1_000: (5, 100)}  # trials: calls on each side, and how many times faster the target is
MANY = (1_000, 10_000, 100_000)
CALLS = 15  # fits of each of these; the median counts
TAU = 0.2
FIT = {"est": "beta", "se": "se", "lo": "ci.lb", "hi": "ci.ub", "tau2": "tau2"}  # the same number in asprinted and in metafor
SCRIPT = Path("benchmarks", "pools.R")


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if R or PyMARE fails. Where R or metafor is missing, the row says so, and is missed."""
    about = f"Meta-analysis: random-effects models by REML. Results are checked, untimed. {versions('numpy', 'scipy')}."
    return Table(about, ("what", "this book", "peer", "peer / this book", "target"), {name: tuple(MEASURES[name](root)) for name in chosen})


def rebuilt(root: Path) -> Iterator[Row]:
    """Return the rows for simulated meta-analyses whose trials are made anew from print: the time, and how many print the same."""
    what = f"{SETS} random sets of {reviews.FEWEST} to {reviews.MOST} trials rebuilt from print"
    told(what)
    seconds, right = zip(*(remade(seed) for seed in range(SETS)))
    mean = statistics.mean(seconds)
    yield Row((f"{what}, a set", f"{shown(mean)} on average, {shown(max(seconds))} at most", "–", "–", f"≤ {shown(TARGET)} on average"), mean <= TARGET)
    yield Row(("sets of these that print every number again", f"{sum(right)} of {SETS}", "–", "–", f"≥ {RIGHT}"), sum(right) >= RIGHT)


def remade(seed: int) -> tuple[float, bool]:
    """Return the seconds from the print of a review to the arms of its trials, and whether these print it again."""
    review = reviews.simulated(np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    began = time.perf_counter()
    try:
        found = reviews.rebuilt(review, rng)
    except ValueError:  # no arms were found
        found = None
    seconds = time.perf_counter() - began
    return seconds, found is not None and reviews.prints(review, *found)


def fits(root: Path) -> Iterator[Row]:
    """Return the rows for the REML fit with its interval: against metafor, and the power of the number of trials by which its time grows."""
    for k, (calls, faster) in AGAINST.items():
        yield against_metafor(root, k, calls, faster)
        yield against_pymare(root, k, calls)
    medians = {}
    for k in MANY:
        what = f"REML fit with its interval, k = {k:,}"
        told(what)
        medians[k], _ = fitted(*reviews.effects(k, TAU, np.random.default_rng(k))[:2], CALLS)
        yield Row((what, shown(medians[k]), "–", "–", "–"))
    whole, *_, last = (power(medians, few, many) for few, many in ((MANY[0], MANY[-1]), *itertools.pairwise(MANY)))
    yield Row(("growth of that time with k", f"k^{whole:.2f}; the last step k^{last:.2f}", "–", "–", "≤ k^1.1"), whole <= 1.1)


def against_metafor(root: Path, k: int, calls: int, faster: int) -> Row:
    """Return the row for k effects fitted here and in R; missed also where the fits differ in six digits, or metafor is not there."""
    what = f"REML fit with its interval, k = {k:,}, against metafor"
    told(what)
    y, v, _ = reviews.effects(k, TAU, np.random.default_rng(k))
    seconds, fit = fitted(y, v, calls)
    theirs = metafor(root, y, v, calls)
    target = f"≥ {faster} times faster" if faster > 1 else "at least as fast"
    if not theirs:
        return Row((what, shown(seconds), "missing: R with metafor (apt install r-base-core r-cran-metafor)", "–", target), False)
    ratio = float(theirs["seconds"]) / seconds
    agree = all(math.isclose(getattr(fit, ours), float(theirs[name]), rel_tol=1e-6) for ours, name in FIT.items())
    peer = f"metafor {theirs['metafor']}, R {theirs['R']}, {theirs['BLAS']}: {shown(float(theirs['seconds']))}; {'the same' if agree else 'NOT the same'} in six digits"
    return Row((what, shown(seconds), peer, times(ratio), target), agree and ratio >= faster)


def against_pymare(root: Path, k: int, calls: int) -> Row:
    """Return the row for k effects fitted here and by PyMARE; missed also where estimate or τ² differ in six digits."""
    what = f"REML fit with its interval, k = {k:,}, against PyMARE"
    told(what)
    y, v, _ = reviews.effects(k, TAU, np.random.default_rng(k))
    seconds, fit = fitted(y, v, calls)
    theirs = peers.ask(root, "PyMARE", {"y": y.tolist(), "v": v.tolist(), "calls": calls})
    ratio, agree = theirs["seconds"] / seconds, all(math.isclose(getattr(fit, name), theirs[name], rel_tol=1e-6) for name in ("est", "tau2"))
    peer = f"PyMARE {peers.pinned(root)['PyMARE']}: {shown(theirs['seconds'])}; estimate and τ² {'the same' if agree else 'NOT the same'} in six digits"
    return Row((what, shown(seconds), peer, times(ratio), "at least as fast"), agree and ratio >= 1)


def fitted(y: np.ndarray, v: np.ndarray, calls: int) -> tuple[float, Pooled]:
    """Return the median seconds of the calls after one that is not counted, and the fit."""
    seconds = []
    for _ in range(1 + calls):
        began = time.perf_counter()
        fit = pool(y, v, "REML")
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:]), fit


def metafor(root: Path, y: np.ndarray, v: np.ndarray, calls: int) -> dict[str, str]:
    """Return what benchmarks/pools.R prints, timed in R itself; empty where R or metafor is missing. Raises BookError if it fails."""
    rscript = shutil.which("Rscript")
    if not rscript:
        return {}
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        effects = Path(folder) / "effects.csv"
        pd.DataFrame({"y": y, "v": v}).to_csv(effects, index=False, lineterminator="\n")
        lines = output(root, [rscript, "--vanilla", SCRIPT.as_posix(), str(effects), str(calls)]).splitlines()
    return {name: value for name, value in map(str.split, lines)}


def power(seconds: dict[int, float], few: int, many: int) -> float:
    """Return the power of k by which the seconds grow from few trials to many."""
    return math.log(seconds[many] / seconds[few]) / math.log(many / few)


MEASURES: dict[str, Callable[[Path], Iterator[Row]]] = {"pools": rebuilt, "fits": fits}
