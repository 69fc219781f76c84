"""Simulated trials thrown away but for their print, and made again from the study file that it gives; and the mixed model against lme4 and statsmodels."""

from __future__ import annotations

import itertools
import math
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from asprinted import engines, synthesis, verification
from asprinted.engines import python
from asprinted.models import random_intercept
from asprinted.study import StudyError
from asprinted.synthesis.outcomes import search
from benchmarks import ancova, regression
from benchmarks.report import Row, Table, output, shown, times, told, versions

SECONDS = 20.0  # that making a trial again may take
TIMES, MIXED = 60, 100  # trials
NESTED = (("visits", "score"), ("visits", "whole-score"), ("visits", "groups", "score"), ("visits", "groups", "whole-score"))
REGRESSIONS = REALISM = 10
FITS = {300: 15, 3_000: 5}  # people with three visits: calls on each side


class Remade(NamedTuple):
    """A trial made again from its print: how many numbers it prints, and how many come back by every engine that has them; seconds, and the fault if there is one.

    aside: of the numbers of a mixed model, whether each is the same by statsmodels, whose standard errors are those of another curvature.
    """

    numbers: int
    right: int
    engines: tuple[str, ...]
    seconds: float
    fault: str
    aside: tuple[bool, ...] = ()


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen. Where R or lme4 is missing, the row says so, and is missed."""
    about = (
        f"Simulated trials, made again from their print alone. A number counts where every engine that computes it from the records prints it as the text: "
        f"{', '.join([verification.OWN, *engines.available()])}. A trial that is not made in {SECONDS:.0f} s is given up. {versions('numpy', 'scipy', 'statsmodels')}."
    )
    return Table(about, ("what", "this book", "peer", "peer / this book", "target"), {name: tuple(MEASURES[name](root)) for name in chosen})


def regressions(root: Path) -> Iterator[Row]:
    """Return the row for a regression whose means, SDs, correlations, slopes and standard errors are all printed."""
    yield rebuilt(f"a regression of {regression.PEOPLE} people with {regression.NUMBERS} printed numbers", regression.printed_file, range(REGRESSIONS))


def survival(root: Path) -> Iterator[Row]:
    """Return the row for trials with times to an event."""
    yield rebuilt("times to an event: events, survival or medians, HR with interval and p, log-rank test", _times, range(TIMES), 59 / 60)


def mixed(root: Path) -> Iterator[Row]:
    """Return the row for trials with three visits, losses, and in half of them groups in one arm."""
    yield rebuilt("three visits with losses, half of them with groups in one arm: means, SDs, and a mixed model's estimates, intervals and p", _mixed, range(MIXED))


def _times(seed: int) -> dict:
    from tests.asprinted.kinds import printed_trial

    return printed_trial(("time",), seed)


def _mixed(seed: int) -> dict:
    from tests.asprinted.kinds import printed_trial

    return printed_trial(NESTED[seed % len(NESTED)], seed)


def rebuilt(what: str, simulated: Callable[[int], dict], seeds: Sequence[int], share: float = 1.0) -> Row:
    """Return the row for a study file of each seed: how many trials come back whole, and how long that takes; the target is that share of them."""
    told(f"{len(seeds)} simulated trials made again: {what}")
    with ProcessPoolExecutor() as workers:
        found = []
        for each in workers.map(remade, itertools.repeat(simulated), seeds):
            found.append(each)
            if each.fault:
                print(f"    {each.fault}", flush=True)
            if len(found) % 10 == 0:
                print(f"    {len(found)} of {len(seeds)}, {sum(not each.fault for each in found)} whole", flush=True)
    whole, needed = sum(not each.fault for each in found), math.ceil(share * len(found))
    named = sorted({name for each in found for name in each.engines})
    mine = (
        f"{whole} of {len(found)} whole, {sum(each.right for each in found):,} of {sum(each.numbers for each in found):,} numbers; "
        f"{shown(statistics.median(each.seconds for each in found))} in the middle, {shown(max(each.seconds for each in found))} at most"
    )
    aside = [same for each in found for same in each.aside]
    judges = f"judged by {', '.join(named) or 'nobody'}" + (f"; statsmodels' MixedLM prints {sum(aside):,} of {len(aside):,} numbers of the models alike" if aside else "")
    return Row((what, mine, judges, "–", f"≥ {needed} of {len(found)} whole"), whole >= needed)


def remade(simulated: Callable[[int], dict], seed: int) -> Remade:
    """Return what became of the trial of this seed."""
    search.SECONDS = SECONDS
    content = simulated(seed)
    numbers = sum(entry["kind"] in ("number", "inequality") for entry in content["claims"].values())
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        trial = ancova.opened(content, Path(folder) / f"trial-{seed}")
        began = time.perf_counter()

        def in_time(line: str) -> None:
            if time.perf_counter() - began > SECONDS:
                raise TimeoutError(f"not made in {SECONDS:.0f} s: {line}")

        try:
            tables = synthesis.synthesise(trial, in_time)
        except (StudyError, TimeoutError) as error:
            why = error.remedy if isinstance(error, StudyError) else str(error)
            return Remade(numbers, 0, (), time.perf_counter() - began, f"seed {seed}: {' '.join(why.split())[:200]}")
        seconds = time.perf_counter() - began
        rows = [row for row in verification.recomputed(trial, tables, engines.available()) if row.verdict != "no value"]
    mixed_model = {id for id, claim in trial.claims.items() if claim.by and trial.models.get(claim.by.get("model"), {}).get("family") == "mixed"}
    other = [row for row in rows if row.id in mixed_model and row.engine == python.NAME]
    wrong = {row.id for row in rows if not row.as_expected and row not in other}
    fault = f"seed {seed}: {', '.join(sorted(wrong))}" if wrong else ""
    return Remade(numbers, numbers - len(wrong), tuple({row.engine for row in rows}), seconds, fault, tuple(row.as_expected for row in other))


# The fit of a mixed model


def fits(root: Path) -> Iterator[Row]:
    """Return the rows for a mixed model of three visits fitted here, by lme4 and by statsmodels."""
    for n, calls in FITS.items():
        what = f"REML fit of three visits with a random intercept, {n:,} people"
        told(what)
        visits = seen(n, np.random.default_rng(n))
        month, arm = (pd.get_dummies(visits[name], drop_first=True).to_numpy(float) for name in ("month", "arm"))
        X, y, people = np.column_stack([np.ones(len(visits)), month, arm, month * arm]), visits["y"].to_numpy(), visits["id"].to_numpy()
        seconds, (beta, covariance, _) = median_of(lambda: random_intercept(y, X, people), calls)
        found = {"beta": beta, "se": np.sqrt(np.diag(covariance))}
        theirs = lme4(root, visits, calls)
        if theirs:
            agree = all(np.allclose(found[name], [float(each) for each in theirs[name]], rtol=1e-5) for name in found)
            ratio = float(theirs["seconds"][0]) / seconds
            peer = f"lme4 {theirs['lme4'][0]}, R {theirs['R'][0]}: {shown(float(theirs['seconds'][0]))}; {'the same' if agree else 'NOT the same'} in five digits"
            yield Row((what, shown(seconds), peer, times(ratio), "at least as fast"), agree and ratio >= 1)
        else:
            yield Row((what, shown(seconds), "missing: R with lme4 (apt install r-base-core r-cran-lme4)", "–", "at least as fast"), False)
        other, estimates = median_of(lambda: statsmodels(y, X, people), max(calls // 5, 1))
        agree = np.allclose(beta, estimates, rtol=1e-4, atol=1e-6)
        peer = f"statsmodels' MixedLM: {shown(other)}; estimates {'the same' if agree else 'NOT the same'} in four digits"
        yield Row((what, shown(seconds), peer, times(other / seconds), "at least as fast"), agree and other >= seconds)


def seen(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the visits of n simulated people in two arms, a quarter of the later ones missing."""
    own, arm = rng.standard_normal(n), np.arange(n) % 2
    y = 50 + 6 * own[:, None] + 1.5 * arm[:, None] * np.arange(3) + 8 * rng.standard_normal((n, 3))
    visits = pd.DataFrame({"id": np.repeat(np.arange(n), 3), "month": np.tile([0, 3, 12], n), "arm": np.repeat(arm, 3), "y": y.ravel()})
    return visits[(visits["month"] == 0) | (rng.random(len(visits)) < 0.75)].reset_index(drop=True)


def median_of(call: Callable[[], object], calls: int) -> tuple[float, object]:
    """Return the median seconds of the calls after one that is not counted, and what the last gave."""
    seconds = []
    for _ in range(1 + calls):
        began = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:]), found


def statsmodels(y: np.ndarray, X: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Return the estimates of statsmodels' MixedLM with the optimiser that converges best."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MixedLM(y, X, people).fit(reml=True, method="powell").fe_params


def lme4(root: Path, visits: pd.DataFrame, calls: int) -> dict[str, list[str]]:
    """Return what benchmarks/mixed.R prints, timed in R itself; empty where R or lme4 is missing. Raises BookError if it fails."""
    rscript = shutil.which("Rscript")
    if not rscript:
        return {}
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "visits.csv"
        visits.to_csv(file, index=False, float_format="%.17g", lineterminator="\n")
        lines = output(root, [rscript, "--vanilla", "benchmarks/mixed.R", str(file), str(calls)]).splitlines()
    return {name: values for name, *values in map(str.split, lines)}


# How real the rows look


def realism(root: Path) -> Iterator[Row]:
    """Return the rows that say how far records are from the people whose print they have, beside other people simulated in the same way; there is no target."""
    told("how near records are to the people whose print they have")
    pairs = []
    for seed in range(REALISM):
        rng = np.random.default_rng(seed)
        people, others = (ancova.simulated(400, rng) for _ in range(2))
        with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
            trial = ancova.opened(ancova.printed(people), Path(folder) / f"trial-{seed}")
            try:
                pairs.append((people, synthesis.synthesise(trial)["participants"], others))
            except StudyError as error:
                print(f"    seed {seed}: {' '.join(error.remedy.split())[:200]}", flush=True)
    if not pairs:
        yield Row(("records of 400 people beside those whose print they have", "not made", "–", "–", "–"))
        return
    for what, measure in MEASURED.items():
        near, far = ([measure(people, side) for people, side in zip([pair[0] for pair in pairs], [pair[place] for pair in pairs])] for place in (1, 2))
        cells = (f"{what}, in the middle of {len(pairs)} trials of 400 people", f"{statistics.median(near):.3f}", f"{statistics.median(far):.3f} of other people simulated in the same way", "–", "–")
        yield Row(cells)


def _apart(column: str) -> Callable[[pd.DataFrame, pd.DataFrame], float]:
    return lambda people, side: float(stats.ks_2samp(people[column], side[column]).statistic)


def told_apart(people: pd.DataFrame, side: pd.DataFrame) -> float:
    """Return the area under the curve of a logistic model that tells the two apart by scores, squares and product: 0.5 where it cannot."""
    from asprinted.models import logistic

    scores = pd.concat([people, side])[["start", "end"]].to_numpy(float) / 10 - 1
    X = np.column_stack([np.ones(len(scores)), scores, scores**2, scores.prod(axis=1)])
    ours = np.repeat([0.0, 1.0], [len(people), len(side)])
    ranks = stats.rankdata(X @ logistic(ours, X)[0])
    return float((ranks[ours == 1].mean() - (len(side) + 1) / 2) / len(people))


MEASURED: dict[str, Callable[[pd.DataFrame, pd.DataFrame], float]] = {
    "distance of the distributions at the start (Kolmogorov and Smirnov)": _apart("start"),
    "distance of the distributions at the end": _apart("end"),
    "difference of the shares at the lowest score": lambda people, side: abs(float((people["end"] == ancova.LOW).mean() - (side["end"] == ancova.LOW).mean())),
    "difference of the correlations of start and end": lambda people, side: abs(float(people[["start", "end"]].corr().iloc[0, 1] - side[["start", "end"]].astype(float).corr().iloc[0, 1])),
    "area under the curve of a model that tells them apart": told_apart,
}
MEASURES = {"lme4": fits, "regression": regressions, "times": survival, "mixed": mixed, "realism": realism}
