"""Effect sizes: the standardised mean difference of two arms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def hedges_g(
    n1: ArrayLike, mean1: ArrayLike, sd1: ArrayLike, n2: ArrayLike, mean2: ArrayLike, sd2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Hedges' g, the first arm minus the second in standard deviations, and its variance; arguments broadcast, and both have their shape.

    The difference is divided by the pooled standard deviation (weights n − 1) and multiplied by 1 − 3/(4N − 9), N = n1 + n2; the variance is
    N/(n1 n2) + g²/(2(N − 3.94)) (Cochrane's RevMan and `statsmodels.stats.meta_analysis.effectsize_smd`; Hedges and Olkin 1985, Statistical
    Methods for Meta-Analysis, chapter 5). Raises ValueError where an arm has fewer than two people, or the pooled deviation is no positive number.
    """
    n1, mean1, sd1, n2, mean2, sd2 = (np.asarray(each, dtype=float) for each in (n1, mean1, sd1, n2, mean2, sd2))
    for n in (n1, n2):
        if not (n >= 2).all():
            raise ValueError(f"an arm has {n[~(n >= 2)].flat[0]:g} people: give two or more, since one person has no standard deviation")
    people = n1 + n2
    pooled = np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (people - 2))
    if not (pooled > 0).all():
        raise ValueError(f"two arms have a pooled standard deviation of {pooled[~(pooled > 0)].flat[0]:g}: leave out rows where it is missing or 0")
    g = (1 - 3 / (4 * people - 9)) * (mean1 - mean2) / pooled
    return g, people / (n1 * n2) + g**2 / (2 * (people - 3.94))
