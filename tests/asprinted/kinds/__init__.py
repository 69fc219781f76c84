"""Printed trials of every kind: study files whose claims are the print of people that were simulated and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.asprinted.kinds import answers, people, pools, scores, words
from tests.asprinted.kinds.paper import Paper

DESIGNS = ("arms", "clusters", "groups", "visits")
OUTCOMES: dict[str, Callable[[Paper], None]] = {
    "score": scores.score, "whole-score": scores.whole_score, "change": scores.change, "median": scores.median, "correlation": scores.correlation,
    "yes-no": answers.yes_no, "adjusted": answers.adjusted, "count": answers.count, "ordinal": answers.ordinal, "category": answers.category, "time": answers.time,
}  # fmt: skip
EXTRAS: dict[str, Callable[[Paper], None]] = {"subgroups": words.subgroups, "words": words.words}
APART = ("median", "correlation", "category")  # outcomes without an estimate of the arms' difference
REVIEWS = tuple(f"pool-{measure}" for measure in pools.OUTCOMES)
KINDS = (*DESIGNS, *OUTCOMES, "baseline", *EXTRAS, *REVIEWS)


def printed_trial(kinds: Iterable[str], seed: int = 0, size: int = 50) -> dict[str, Any]:
    """The study file of a simulated trial that has all of these kinds: what its abstract prints, what is assumed, no value of its people."""
    return simulated_trial(kinds, seed, size).printed()


def simulated_trial(kinds: Iterable[str], seed: int = 0, size: int = 50) -> Paper:
    """A simulated trial that has all of these kinds, with its people's values.

    size: people in an arm, about. Where a design, or what is said of an outcome, comes without one, a score is added. Raises ValueError where a kind is unknown.
    """
    kinds = tuple(kinds)
    if strange := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"kind {strange[0]!r} is unknown: use some of {', '.join(KINDS)}")
    pooled = [kind for kind in REVIEWS if kind in kinds]
    outcomes = [kind for kind in OUTCOMES if kind in kinds]
    extra = set(kinds) & set(EXTRAS) and not set(outcomes) - set(APART)
    if extra or ("visits" in kinds and outcomes == ["time"]) or (not outcomes and set(kinds) - set(REVIEWS)) or not kinds:
        outcomes = ["score", *outcomes]
    paper = Paper(sorted({*kinds, *outcomes}), seed, size)
    if outcomes:
        people.people(paper)
        if "baseline" in kinds:
            people.baseline(paper)
        if "subgroups" in kinds:
            people.covariates(paper)
        for kind in outcomes:
            OUTCOMES[kind](paper)
        people.losses(paper)
        for kind, add in EXTRAS.items():
            if kind in kinds:
                add(paper)
    if pooled:
        pools.reviews(paper, [kind.removeprefix("pool-") for kind in pooled])
    return paper
