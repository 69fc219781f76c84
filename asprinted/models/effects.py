"""Effect sizes of two arms, each the first arm against the second: standardised and raw mean differences, risk, odds and hazard ratios, risk differences.

Every function gives effects and their variances, of arguments that broadcast. Ratios are logs. `MEASURES` has them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

NORMAL = float(special.ndtri(0.975))  # half the width of a 95% interval, in standard errors


def hedges_g(
    n1: ArrayLike, mean1: ArrayLike, sd1: ArrayLike, n2: ArrayLike, mean2: ArrayLike, sd2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Hedges' g, the first arm minus the second in standard deviations, and its variance; arguments broadcast, and both have their shape.

    The difference is divided by the pooled standard deviation (weights n − 1) and multiplied by 1 − 3/(4N − 9), N = n1 + n2; the variance is
    N/(n1 n2) + g²/(2(N − 3.94)) (Cochrane's RevMan and `statsmodels.stats.meta_analysis.effectsize_smd`; Hedges and Olkin 1985, Statistical
    Methods for Meta-Analysis, chapter 5). Raises ValueError where an arm has fewer than two people, or the pooled deviation is no positive number.
    """
    n1, mean1, sd1, n2, mean2, sd2 = _arms(n1, mean1, sd1, n2, mean2, sd2)
    people = n1 + n2
    pooled = np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (people - 2))
    if not (pooled > 0).all():
        raise ValueError(f"two arms have a pooled standard deviation of {pooled[~(pooled > 0)].flat[0]:g}: leave out rows where it is missing or 0")
    g = (1 - 3 / (4 * people - 9)) * (mean1 - mean2) / pooled
    return g, people / (n1 * n2) + g**2 / (2 * (people - 3.94))


def mean_difference(
    n1: ArrayLike, mean1: ArrayLike, sd1: ArrayLike, n2: ArrayLike, mean2: ArrayLike, sd2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """The first mean minus the second, in points of the scale, and its variance sd1²/n1 + sd2²/n2; arguments broadcast, and both have their shape.

    Cochrane's RevMan; metafor's escalc("MD"). Raises ValueError where an arm has fewer than two people, or the variance is no positive number.
    """
    n1, mean1, sd1, n2, mean2, sd2 = _arms(n1, mean1, sd1, n2, mean2, sd2)
    v = sd1**2 / n1 + sd2**2 / n2
    if not (v > 0).all():
        raise ValueError(f"a difference of two means has a variance of {v[~(v > 0)].flat[0]:g}: leave out rows where both standard deviations are 0 or one is missing")
    return np.broadcast_to(mean1 - mean2, v.shape).copy(), v


def log_risk_ratio(n1: ArrayLike, events1: ArrayLike, n2: ArrayLike, events2: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The log of the first risk over the second, and its variance 1/a − 1/n1 + 1/c − 1/n2; arguments broadcast, and both have their shape.

    a, c: events. A table with an empty cell gets 0.5 added to all four (Cochrane Handbook 10.4.4; metafor's escalc("RR") with its default
    "only0"). Both are nan where no arm has an event, or everyone has one: such a table says nothing of a ratio (RevMan leaves it out;
    metafor's drop00). Raises ValueError where counts are no whole numbers from 0 to n, or an arm is empty.
    """
    n1, a, n2, c = _informative(*_filled(n1, events1, n2, events2))
    return np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2


def log_odds_ratio(n1: ArrayLike, events1: ArrayLike, n2: ArrayLike, events2: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The log of the first odds over the second, and its variance 1/a + 1/b + 1/c + 1/d (Woolf 1955); all else as `log_risk_ratio`."""
    n1, a, n2, c = _informative(*_filled(n1, events1, n2, events2))
    b, d = n1 - a, n2 - c
    return np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d


def risk_difference(n1: ArrayLike, events1: ArrayLike, n2: ArrayLike, events2: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The first risk minus the second, and its variance ab/n1³ + cd/n2³; arguments broadcast, and both have their shape.

    Empty cells as in `log_risk_ratio`; but a table without events, or of nothing else, has a difference of 0, and is kept. Raises
    ValueError as it does.
    """
    n1, a, n2, c = _filled(n1, events1, n2, events2)[:4]
    return a / n1 - c / n2, a * (n1 - a) / n1**3 + c * (n2 - c) / n2**3


def log_hazard_ratio(log: ArrayLike, se: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The log of the hazard ratio as each trial reports it, and its variance se²; arguments broadcast, and both have their shape.

    Nothing is computed from people or events: a Cox fit has seen the times, which a table does not hold (Cochrane Handbook 6.8.2; metafor's
    rma(yi, sei=)). Raises ValueError where a standard error is no positive number.
    """
    log, se = np.broadcast_arrays(np.asarray(log, dtype=float), np.asarray(se, dtype=float))
    if not (se > 0).all():
        raise ValueError(f"a log hazard ratio has a standard error of {se[~(se > 0)].flat[0]:g}: leave out rows where it is missing or 0")
    return log.copy(), se**2


def hazard_ratio_with_limits(ratio: ArrayLike, lo: ArrayLike, hi: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The log of hazard ratios that stand with their 95% limits, and its variance ((log hi − log lo)/3.92)²; else as `log_hazard_ratio`.

    Tierney et al. 2007, Trials 8:16, and Cochrane Handbook 6.3.2. Raises ValueError where a limit is no positive number, or the lower one does not come first.
    """
    ratio, lo, hi = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (ratio, lo, hi)))
    fine = (ratio > 0) & (lo > 0) & (lo < hi)
    if not fine.all():
        at = tuple(np.argwhere(~fine)[0])
        raise ValueError(f"a hazard ratio of {ratio[at]:g} has limits of {lo[at]:g} and {hi[at]:g}: give positive numbers, the lower limit first")
    return log_hazard_ratio(np.log(ratio), (np.log(hi) - np.log(lo)) / (2 * NORMAL))


@dataclass(frozen=True)
class Measure:
    """A measure of effect. of: its function. parts: what it takes of each arm, in its order. ratio: whether the effects are logs of ratios.

    own: what it takes of the trial itself, in its order, where it takes nothing of the arms.
    """

    of: Callable[..., tuple[np.ndarray, np.ndarray]]
    parts: tuple[str, ...]
    ratio: bool = False
    own: tuple[str, ...] = ()


MEASURES = {
    "smd": Measure(hedges_g, ("n", "mean", "sd")),
    "md": Measure(mean_difference, ("n", "mean", "sd")),
    "rr": Measure(log_risk_ratio, ("n", "events"), ratio=True),
    "or": Measure(log_odds_ratio, ("n", "events"), ratio=True),
    "rd": Measure(risk_difference, ("n", "events")),
    "hr": Measure(log_hazard_ratio, (), ratio=True, own=("log", "se")),
}
WITH_LIMITS = Measure(hazard_ratio_with_limits, (), ratio=True, own=("ratio", "lo", "hi"))  # of a model whose effect names limits instead


def measure_of(effect: Mapping[str, Any]) -> Measure:
    """The Measure that a model's `effect` names: of hazard ratios with limits WITH_LIMITS, else that of its name."""
    return WITH_LIMITS if effect["measure"] == "hr" and "ratio" in effect else MEASURES[effect["measure"]]


def _arms(*numbers: ArrayLike) -> tuple[np.ndarray, ...]:
    """n, mean and sd of either arm as arrays of float. Raises ValueError where an arm has fewer than two people."""
    n1, mean1, sd1, n2, mean2, sd2 = (np.asarray(each, dtype=float) for each in numbers)
    for n in (n1, n2):
        if not (n >= 2).all():
            raise ValueError(f"an arm has {n[~(n >= 2)].flat[0]:g} people: give two or more, since one person has no standard deviation")
    return n1, mean1, sd1, n2, mean2, sd2


def _filled(*numbers: ArrayLike) -> tuple[np.ndarray, ...]:
    """n1, a, n2 and c, with 0.5 in each cell more where one is empty, and whether both arms are alike in having no event, or nothing else."""
    n1, a, n2, c = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in numbers))
    for n, events in ((n1, a), (n2, c)):
        if not (n >= 1).all():
            raise ValueError(f"an arm has {n[~(n >= 1)].flat[0]:g} people: give one or more")
        fine = (events >= 0) & (events <= n) & (events % 1 == 0)
        if not fine.all():
            raise ValueError(f"an arm of {n[~fine].flat[0]:g} people has {events[~fine].flat[0]:g} events: give a whole number from 0 to the people")
    alike = ((a == 0) & (c == 0)) | ((a == n1) & (c == n2))
    half = np.where((a == 0) | (a == n1) | (c == 0) | (c == n2), 0.5, 0.0)
    return n1 + 2 * half, a + half, n2 + 2 * half, c + half, alike


def _informative(n1: np.ndarray, a: np.ndarray, n2: np.ndarray, c: np.ndarray, alike: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same counts, the events nan where both arms are alike."""
    return n1, np.where(alike, np.nan, a), n2, np.where(alike, np.nan, c)
