"""A simulated trial of two arms in six sites, its print, and people who print the same again."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from asprinted import models
from asprinted.printed import agrees, in_style, rounding_interval
from asprinted.synthesis.events.counts import Target, yes_counts
from book.errors import BookError

SITES, SPREAD = 6, 0.5  # how many, and the SD of their log-odds
TREATED = np.eye(SITES + 1)[1]  # the coefficient of the arm


class Trial(NamedTuple):
    """Cells of arm and site, (12,) each; the design, (12, 7); the events of each arm; and the print of the adjusted analysis."""

    people: np.ndarray
    X: np.ndarray
    arms: np.ndarray
    sites: np.ndarray
    totals: list[int]
    printed: dict[str, str]


def simulated(n: int, rng: np.random.Generator) -> Trial:
    """Return a trial of n people whose effect is about two standard errors, so that its p value takes four decimals at every n."""
    arms, sites = np.repeat([0, 1], SITES), np.tile(np.arange(SITES), 2)
    weights = rng.uniform(0.6, 1.4, 2 * SITES)
    people = rng.multinomial(n, weights / weights.sum())
    X = np.column_stack([np.ones(2 * SITES), arms == 0, *(sites == site for site in range(1, SITES))]).astype(float)
    log_odds = -0.7 + rng.normal(0, SPREAD, SITES)[sites] - 8.5 / math.sqrt(n) * (arms == 0)
    happened = rng.binomial(people, special.expit(log_odds))
    found = fitted(happened, people, X)
    printed = {name: in_style(found[name], like="0.66") for name in ("est", "lo", "hi")}
    printed["p"] = in_style(found["p"], like="0.0438") if found["p"] >= 0.00005 else "<0.0001"
    return Trial(people, X, arms, sites, [int(happened[arms == arm].sum()) for arm in (0, 1)], printed)


def fitted(happened: np.ndarray, people: np.ndarray, X: np.ndarray) -> dict[str, float]:
    """Return the odds ratio of the first arm, its interval and p value, by the reference model."""
    beta, cov = models.logistic(happened / people, X, people)
    log_ratio, error = float(TREATED @ beta), math.sqrt(TREATED @ cov @ TREATED)
    half = float(stats.norm.isf(0.025)) * error
    ends = {"est": log_ratio, "lo": log_ratio - half, "hi": log_ratio + half}
    return {name: math.exp(end) for name, end in ends.items()} | {"p": 2 * float(stats.norm.sf(abs(log_ratio) / error))}


def counts(trial: Trial, rng: np.random.Generator) -> np.ndarray:
    """Return events in each cell, searched from the print alone: the sites' odds are drawn anew. Raises BookError where none is found."""
    targets = [Target(name, text, name, TREATED, rounding_interval(text)) for name, text in trial.printed.items()]
    shares = special.expit(-0.7 + rng.normal(0, SPREAD, SITES)[trial.sites])
    try:
        return yes_counts(trial.people, trial.X, trial.arms, trial.totals, shares, targets, 0.95, rng)
    except ValueError as error:
        raise BookError(f"benchmark: {trial.people.sum():,} people: {error}") from None


def people(trial: Trial, happened: np.ndarray) -> dict[str, np.ndarray]:
    """Return the arm, site and outcome of each person, cell after cell."""
    cell = np.repeat(np.arange(len(trial.people)), trial.people)
    place = np.arange(len(cell)) - (np.cumsum(trial.people) - trial.people)[cell]
    return {"arm": trial.arms[cell], "site": trial.sites[cell], "outcome": (place < happened[cell]).astype(np.int8)}


def check(trial: Trial, columns: dict[str, np.ndarray]) -> None:
    """Raise BookError unless the people, counted again, have the arms' events and print every number."""
    cell = columns["arm"] * SITES + columns["site"]
    happened = np.bincount(cell, weights=columns["outcome"])
    found = fitted(happened, np.bincount(cell), trial.X)
    wrong = [f"{name} is {found[name]}, not {text}" for name, text in trial.printed.items() if not agrees(found[name], text)]
    totals = [int(happened[trial.arms == arm].sum()) for arm in range(len(trial.totals))]
    if totals != trial.totals:
        wrong.append(f"the arms have {totals} events, not {trial.totals}")
    if wrong:
        raise BookError(f"benchmark: the records of {len(cell):,} people do not print: {'; '.join(wrong)}")
