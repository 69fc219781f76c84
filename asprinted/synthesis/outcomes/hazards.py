"""What is printed of the times of each arm: its events, points of its survival curve, and its hazard ratios to other arms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize, special

from asprinted import models
from asprinted.study import Study
from asprinted.synthesis.outcomes.tallies import Tally
from asprinted.synthesis.outcomes.targets import Target

EDGE = 1e-3  # shares of people with the event are kept so far from 0 and 1


@dataclass(frozen=True)
class Arm:
    """One arm, or cell: how many people, the share with the event, whether that is printed, and what else is.

    survival: pairs of a time and the share without the event then. ratios: targets of hazard ratios that this arm's shape is bent to meet, each
    with the side on which the arm stands in it, 1 or −1. beside: (place of the other arm, log ratio, its standard error or nan) of the first.
    """

    people: int
    share: float
    printed: bool
    survival: tuple[tuple[float, float], ...] = ()
    ratios: tuple[tuple[Target, int], ...] = ()
    beside: tuple[int, float, float] | None = None


def arms_of(
    study: Study, targets: Sequence[Target], strata: np.ndarray, names: Sequence[str], seen: np.ndarray, known: Sequence[Tally], share: np.ndarray
) -> list[Arm]:  # fmt: skip
    """An Arm for each cell, from the targets; strata: (n,) codes of `names`; share: (n,) where nothing is printed."""
    arms = []
    for code in range(len(names)):
        own = seen & (strata == code)
        printed = any(np.array_equal(tally.rows, own) for tally in known)
        arms.append(Arm(int(own.sum()), float(share[own][0]) if own.any() else 0.5, printed, _survival(targets, own, seen)))
    column = study.design["people"]["arms"]["column"]
    for target in targets:
        pair = _pair(study, target, column, names)
        if pair is None:
            continue
        treated, reference = pair
        bent, other, side = (treated, reference, 1) if not arms[treated].ratios else (reference, treated, -1)
        if arms[bent].ratios:
            continue
        log_ratio = side * math.log(max(target.low, 1e-6) * target.high) / 2
        arms[bent] = replace(arms[bent], ratios=((target, side),), beside=(other, log_ratio, _error(targets, target)))
    return arms


def shares(arms: Sequence[Arm]) -> np.ndarray:
    """The share with the event (A,) to begin with: as printed, else so that proportional hazards give the printed ratios and standard errors."""
    found = np.array([arm.share for arm in arms])
    for code, arm in enumerate(arms):
        if arm.beside is None or arm.printed:
            continue
        other, log_ratio, error = arm.beside
        if not arms[other].printed and math.isfinite(error):
            found[other] = _reference(arms[other].people, arm.people, log_ratio, error, found[other])
        found[code] = 1 - (1 - found[other]) ** math.exp(log_ratio)
    return np.clip(found, EDGE, 1 - EDGE)


def _reference(people: int, treated: int, log_ratio: float, error: float, otherwise: float) -> float:
    """The share with the event in the reference arm at which the events of both give the standard error, √(1/d₁ + 1/d₂)."""

    def surplus(share: float) -> float:
        return 1 / (people * share) + 1 / (treated * (1 - (1 - share) ** math.exp(log_ratio))) - error**2

    return optimize.brentq(surplus, 1e-6, 1 - 1e-9) if surplus(1e-6) > 0 > surplus(1 - 1e-9) else otherwise


def _survival(targets: Sequence[Target], own: np.ndarray, seen: np.ndarray) -> tuple[tuple[float, float], ...]:
    """The points of the survival curve of the rows `own` that are printed."""
    points = []
    for target in targets:
        if target.rows is None or not np.array_equal(target.rows & seen, own) or not math.isfinite(target.low + target.high):
            continue
        middle = (target.low + target.high) / 2
        if target.by["statistic"] == "survival_median":
            points.append((middle, 0.5))
        elif target.by["statistic"] in ("survival", "incidence") and EDGE < middle / 100 < 1 - EDGE:
            points.append((float(target.by["at"]), middle / 100 if target.by["statistic"] == "survival" else 1 - middle / 100))
    return tuple(points)


def _pair(study: Study, target: Target, column: str, names: Sequence[str]) -> tuple[int, int] | None:
    """The two arms, treated and reference, whose hazard ratio a target is; None where it is none, or of more than two terms."""
    by: Mapping[str, Any] = target.by
    model = study.models.get(by.get("model", ""), {})
    if model.get("family") != "cox" or by["statistic"] != "est" or not isinstance(by.get("contrast"), str) or not math.isfinite(target.low + target.high):
        return None
    terms = {term["weight"]: term["at"].get(column) for term in model["contrasts"][by["contrast"]]}
    if set(terms) != {1, -1} or terms[1] == terms[-1] or not {terms[1], terms[-1]} <= set(names) or target.high <= 0:
        return None
    return list(names).index(terms[1]), list(names).index(terms[-1])


def _error(targets: Sequence[Target], ratio: Target) -> float:
    """The standard error of a log ratio that its printed interval, else its p value, has; nan where there is none."""
    said = {target.by["statistic"]: target for target in targets if {**target.by, "statistic": "est"} == dict(ratio.by)}
    middle = {name: (target.low + target.high) / 2 for name, target in said.items()}
    if {"lo", "hi"} <= middle.keys() and middle["lo"] > 0 and math.isfinite(middle["hi"]):
        return math.log(middle["hi"] / middle["lo"]) / 2 / float(special.ndtri(0.975))
    if "p" in middle and 0 < middle["p"] < 1 and math.isfinite(middle["p"]) and said["p"].low > 0:
        return abs(math.log(middle["est"])) / float(-special.ndtri(middle["p"] / 2))
    return math.nan


def about_medians(target: Target, unit: float) -> Target:
    """The target, or where it is a median of a survival curve one that holds where it does and changes with single people.

    Its value is how many people too few survive to just before the printed time, and too many from it on, of (time, event) in `unit`s.
    """
    if target.by["statistic"] != "survival_median" or target.rows is None or not math.isfinite(target.low + target.high):
        return target
    middle = (target.low + target.high) / 2
    first = math.floor(target.low / unit + 1e-9) + 1
    at = min(max(round(middle / unit), first), math.ceil(target.high / unit - 1e-9) - 1) * unit

    def misplaced(y: np.ndarray) -> float:
        if target.low < target.value(y) < target.high:
            return 0.0
        there = target.rows & np.isfinite(y[:, 0])
        times, survival = models.survival_curve(y[there, 0], y[there, 1])
        before, then = (float(np.append(1.0, survival)[np.searchsorted(times, at + side * unit / 2)]) for side in (-1, 1))
        return 1.0 + there.sum() * (max(0.5 - before, 0.0) + max(then - 0.5, 0.0))

    return replace(target, low=-math.inf, high=0.5, by={"statistic": "misplaced"}, value=misplaced)
