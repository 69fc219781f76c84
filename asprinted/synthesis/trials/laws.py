"""How the variance of a trial's effect follows from the effect and from what else may move, with its slopes: a law for each measure.

A law takes effects y (k,) and sizes n (k, 2), real numbers, and gives an `At`. Some let another quantity stand in the place of a size, so
that one search moves whatever a measure leaves free: people, standard deviations, or events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special


class At(NamedTuple):
    """v (k,): the variances. v_by_y (k,), v_by_n (k, 2): their slopes by the effects and by the logs of the sizes.

    x (k,), x_by_n (k, 2): √(1/n₁ + 1/n₂) and its slopes by these logs.
    """

    v: np.ndarray
    v_by_y: np.ndarray
    v_by_n: np.ndarray
    x: np.ndarray
    x_by_n: np.ndarray


SPARE = 1.06  # how much more a log hazard ratio varies than events alone would let it: people differ in how long they are followed
Law = Callable[[np.ndarray, np.ndarray], At]


def variances(y: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The variances (k,) of standardised mean differences y (k,) of arms of n (k, 2): as `models.effects.hedges_g` has them."""
    return (1 / n).sum(1) + y**2 / (2 * (n.sum(1) - 3.94))


def standardised(y: np.ndarray, n: np.ndarray) -> At:
    """The law of standardised mean differences."""
    people = n.sum(1)
    v_by_n = -1 / n - (y**2 / (2 * (people - 3.94) ** 2))[:, None] * n
    return At(variances(y, n), y / (people - 3.94), v_by_n, *_unit(n))


def differences(sd: np.ndarray) -> Law:
    """The law of mean differences of arms with these standard deviations (k, 2), whatever their sizes."""
    return lambda y, n: At((sd**2 / n).sum(1), np.zeros(len(y)), -(sd**2) / n, *_unit(n))


def held(v: np.ndarray, n: np.ndarray) -> Law:
    """Variances (k,) of arms of n (k, 2) that are what they are."""
    return lambda y, _: At(v, np.zeros(len(y)), np.zeros(n.shape), _unit(n)[0], np.zeros(n.shape))


def spreads(sd: np.ndarray, sizes: np.ndarray) -> Law:
    """The law of mean differences of arms of these sizes (k, 2), where n says how many people with `sd` (k, 2) would tell as much.

    The standard deviation that this means is sd·√(sizes/n).
    """
    return lambda y, n: At((sd**2 / n).sum(1), np.zeros(len(y)), -(sd**2) / n, _unit(sizes)[0], np.zeros(n.shape))


def events(measure: str, sizes: np.ndarray) -> Law:
    """The law of the measure rr, or, rd or hr of arms of these sizes (k, 2), where the second column of n holds the second arm's events.

    Of a hazard ratio it is SPARE times 1/a + 1/c, which is at least 4/(a + c), the bound of a Cox fit with so many events.
    """
    n1, n2 = sizes.T.astype(float)

    def law(y: np.ndarray, n: np.ndarray) -> At:
        c = n[:, 1]
        a, a_by_y, a_by_c = first_events(measure, sizes, y, c)
        if measure == "rd":
            v, by_a, by_c = a * (n1 - a) / n1**3 + c * (n2 - c) / n2**3, (n1 - 2 * a) / n1**3, (n2 - 2 * c) / n2**3
        else:
            rest = {"or": (1 / (n1 - a), 1 / (n2 - c)), "rr": (-1 / n1, -1 / n2), "hr": (0.0, 0.0)}[measure]
            v = 1 / a + rest[0] + 1 / c + rest[1]
            by_a, by_c = ((rest[0] ** 2 - 1 / a**2, rest[1] ** 2 - 1 / c**2) if measure == "or" else (-1 / a**2, -1 / c**2))
        by_n = np.column_stack([np.zeros(len(y)), by_a * a_by_c + by_c * c])
        if measure == "hr":
            v, by_a, by_n = SPARE * v, SPARE * by_a, SPARE * by_n
        return At(v, by_a * a_by_y, by_n, _unit(sizes)[0], np.zeros(n.shape))

    return law


def first_events(measure: str, sizes: np.ndarray, y: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first arm's events (k,) that give the effects y (k,), c (k,) being those of the second, and their slopes by y and by the log of c.

    They are kept half a person away from none and from all.
    """
    n1, n2 = sizes.T.astype(float)
    risk = c / n2
    if measure == "rr":
        a = n1 * risk * np.exp(y)
        slopes = a, a
    elif measure == "or":
        share = special.expit(special.logit(risk) + y)
        a, within = n1 * share, n1 * share * (1 - share)
        slopes = within, within / (1 - risk)
    elif measure == "hr":  # risks of proportional hazards
        hazard = np.exp(y)
        without = (1 - risk) ** hazard
        a = n1 * (1 - without)
        slopes = -n1 * without * np.log1p(-risk) * hazard, n1 * hazard * without / (1 - risk) * risk
    else:
        a = n1 * (risk + y)
        slopes = n1, n1 * risk
    inside = np.clip(a, 0.5, n1 - 0.5)
    return inside, *(np.where(inside == a, slope, 0.0) for slope in slopes)


def _unit(n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """√(1/n₁ + 1/n₂) and its slopes by the logs of the sizes."""
    x = np.sqrt((1 / n).sum(1))
    return x, -1 / (2 * x[:, None] * n)
