"""A simulated meta-analysis, its print, and trials that print the same again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats
from statsmodels.stats import meta_analysis

from asprinted.consistency import integers
from asprinted.consistency.conflict import POSSIBLE
from asprinted.models.effects import hedges_g
from asprinted.models.pooled import pool
from asprinted.printed import in_style, parse
from asprinted.synthesis.trials.arms import Arms, Target, Trials, arms_that_print

FEWEST, MOST = 5, 100  # trials
LOW, HIGH, MEAN, SD = 0, 60, 32.0, 10.0  # the instrument of every trial
TAUS = (0, 0.1, 0.2, 0.35)  # SD of the true effects
LEAST, LARGEST = 6, 8000  # people in an arm of the trials sought
USUAL = (40, 3000)  # people in a trial of the usual size, as far as they are concluded from rounded print
MODEL = {"estimator": "REML", "test": "wald-z", "level": 0.95}
NAMES = ("est", "lo", "hi", "prediction_lo", "prediction_hi", "tau2", "q", "i2")
STYLES = tuple(dict(zip(NAMES, (*5 * [effect], tau2, q, i2))) for effect, tau2, q, i2 in (("0.20", "0.04", "40.51", "70"), ("0.203", "0.0412", "40.51", "70.4")))
STEP = 0.02  # of tau, on the grid where the highest restricted likelihood is looked for


class Review(NamedTuple):
    """The print of a meta-analysis: how many trials, each statistic, and the people in all trials, or None where that is not printed."""

    k: int
    printed: Mapping[str, str]
    people: int | None


def effects(k: int, tau: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Hedges' g of k simulated trials and its variance, (k,) each, and the people in their arms, (k, 2); tau: the SD of the true effects."""
    n = np.maximum(np.rint(np.exp(rng.normal(4, 0.7, (k, 1)) + rng.normal(0, 0.1, (k, 2)))), 10)
    sd = SD * np.sqrt(rng.chisquare(n - 1) / (n - 1))
    true = rng.normal(0, 0.4) + tau * rng.normal(size=k)
    mean = MEAN + SD * (np.column_stack([true, np.zeros(k)]) + rng.normal(size=(k, 2)) / np.sqrt(n))
    return *hedges_g(n[:, 0], mean[:, 0], sd[:, 0], n[:, 1], mean[:, 1], sd[:, 1]), n


def simulated(rng: np.random.Generator) -> Review:
    """Return the print of a simulated meta-analysis in one of two usual styles; the people of half of them are printed."""
    k = int(rng.integers(FEWEST, MOST + 1))
    y, v, n = effects(k, rng.choice(TAUS), rng)
    found, style = pool(y, v, MODEL["estimator"]), STYLES[rng.integers(len(STYLES))]
    return Review(k, {name: in_style(float(getattr(found, name)), like) for name, like in style.items()}, int(n.sum()) if rng.random() < 0.5 else None)


def rebuilt(review: Review, rng: np.random.Generator) -> tuple[Arms, np.ndarray]:
    """Return arms that print the review, and the direction of each trial's instrument, from the print alone.

    The usual size of a trial follows from the people, or from the standard error and tau². Raises ValueError where no arms are found.
    """
    printed = {name: parse(text) for name, text in review.printed.items()}
    intervals = {name: number.interval() for name, number in printed.items()}
    rows = np.ones(review.k, dtype=bool)
    targets = [Target(name, float(lo), float(hi), rows, MODEL, f"{name} {review.printed[name]}") for name, (lo, hi, *_) in intervals.items()]
    est, lo, hi, tau2 = (float(printed[name].value) for name in ("est", "lo", "hi", "tau2"))
    error = (hi - lo) / (2 * stats.norm.isf(0.025))
    usual = review.people / review.k if review.people else 4 / np.clip(review.k * error**2 - tau2, 4 / USUAL[1], 4 / USUAL[0])
    share = np.exp(rng.normal(0, 0.5, (review.k, 1)) + rng.normal(0, 0.05, (review.k, 2)))
    sizes = np.maximum(share / share.mean() * usual / 2, LEAST)
    drawn = est + rng.normal(size=review.k) * np.sqrt(tau2 + 4 / sizes.sum(1))
    scale = (np.full(review.k, float(each)) for each in (LOW, HIGH, MEAN, SD))
    direction = np.where(rng.random(review.k) < 0.3, -1.0, 1.0)
    bounds = (np.full((review.k, 2), float(each)) for each in (LEAST, LARGEST))
    return arms_that_print(Trials(drawn, sizes, *bounds, review.people, *scale, direction), targets, rng), direction


def prints(review: Review, arms: Arms, direction: np.ndarray) -> bool:
    """Return whether the arms' rounded table prints every number of the review again, and each row of it is one of whole scores.

    Computed by statsmodels' effect size, scipy's minimiser and the formulas, and by the exact proof that scores exist: nothing of the search.
    """
    mean, sd = ([[f"{each:.2f}" for each in row] for row in part] for part in (arms.mean, arms.sd))
    (n1, n2), (mean1, mean2), (sd1, sd2) = (np.array(part, dtype=float).T for part in (arms.n, mean, sd))
    g, v = meta_analysis.effectsize_smd(mean1, sd1, n1, mean2, sd2, n2)
    found = recomputed(direction * g, v)
    shown = {name: parse(text).render(found[name]) for name, text in review.printed.items()}
    counted = arms.n.shape == (review.k, 2) and review.people in (None, arms.n.sum())
    scores = (integers.check(f"{arms.n[i, j]:.0f}", LOW, HIGH, mean[i][j], sd[i][j]) for i, j in np.ndindex(arms.n.shape))
    return counted and shown == review.printed and all(found.verdict == POSSIBLE for found in scores)


def recomputed(y: np.ndarray, v: np.ndarray) -> dict[str, float]:
    """Return the statistics of a REML model of effects y with variances v, by its definition: the likelihood's maximum is searched."""

    def mean_of(tau2: float) -> tuple[float, np.ndarray]:
        w = 1 / (v + tau2)
        return w @ y / w.sum(), w

    def height(tau: float) -> float:
        mean, w = mean_of(tau**2)
        return np.log(w).sum() - math.log(w.sum()) - w @ (y - mean) ** 2

    grid = np.arange(0, 4 * y.std() + 2 * STEP, STEP)
    near = grid[np.argmax([height(tau) for tau in grid])]
    tau = optimize.minimize_scalar(lambda tau: -height(tau), bounds=(max(near - STEP, 0), near + STEP), method="bounded", options={"xatol": 1e-10}).x
    tau2 = tau**2 if height(tau) > height(0) else 0.0
    (common, w), df = mean_of(0), len(y) - 1
    q = float(w @ (y - common) ** 2)
    est, w = mean_of(tau2)
    error = 1 / math.sqrt(w.sum())
    reach, wide = stats.norm.isf(0.025) * error, stats.t.isf(0.025, df - 1) * math.sqrt(tau2 + error**2)
    values = (est, est - reach, est + reach, est - wide, est + wide, tau2, q, 100 * max(0.0, (q - df) / q))
    return dict(zip(NAMES, map(float, values)))
