"""P values of which nothing says the direction: the records print them, and chance decides which arm does better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asprinted.study import RATIO_FAMILIES, Claim, Study, wanted_of

_OF_EFFECT = ("est", "lo", "hi", "t", "d", "reduction", "nnt", "nnt_lo", "nnt_hi")
_OF_ARM = ("mean", "median", "sum", "percent", "percent_at_least", "percent_equal", "rate", "survival", "incidence", "survival_median", "q1", "q3")
_OF_TWO_ARMS = ("log-rank", "rank-sum", "chi-squared")  # families of tests without an estimate
_IN_ORDER = ("score", "yes-no", "count", "ordinal", "time")  # kinds of outcomes that go one way or the other

Place = frozenset[tuple[str, str]]  # what is wanted of the columns of a table but the arm


def undirected(study: Study) -> list[Claim]:
    """The claims of a p value beside which neither an effect nor what it is between is printed, declared or held by bounds.

    Of outcomes that are made (design.outcomes) and contrasts between arms; a test of three arms or more has no direction.
    """
    columns = {column: (entry["column"], entry.get("event", "")) for entry in study.design.get("outcomes", []) if entry["kind"] in _IN_ORDER for column in (entry["column"], entry.get("event", "")) if column}
    return [claim for claim in study.claims.values() if _is_lone(study, claim, columns)]


def _is_lone(study: Study, claim: Claim, columns: Mapping[str, tuple[str, str]]) -> bool:
    by = claim.by or {}
    if "model" not in by or by["statistic"] != "p" or claim.expect != "reproduced" or not isinstance(by.get("outcome"), str) or by["outcome"] not in columns:
        return False
    family = study.models[by["model"]]["family"]
    if family not in _OF_TWO_ARMS and not isinstance(by.get("contrast"), str):
        return False
    arms = study.design["people"]["arms"]
    if family in _OF_TWO_ARMS and len(arms["sizes"]) != 2:
        return False
    needed = _places(study, by, arms["column"])
    told: dict[str, set[Place]] = {}
    for other in _told(study):
        if "table" in other and _of_arm(other, arms["column"]) and other.get("column") in columns[by["outcome"]]:
            told.setdefault(other["filter"][arms["column"]], set()).add(_beside(other["filter"], arms["column"]))
    return sum(needed <= places for places in told.values()) < 2 and not any(_of_effect(other, by) for other in _told(study))


def _places(study: Study, by: Mapping[str, Any], arm: str) -> set[Place]:
    """Where the outcome of an arm decides the direction: the rows of the model, at each visit that its contrast compares."""
    model, visit = study.models[by["model"]], study.design.get("visits", {}).get("column")
    terms = model["contrasts"][by["contrast"]] if "contrast" in by else []
    return {_beside(model.get("rows", {}) | at, arm) for at in [{visit: term["at"][visit]} for term in terms if visit in term["at"]] or [{}]}


def _beside(filter: Mapping[str, Any], arm: str) -> Place:
    return wanted_of({column: value for column, value in filter.items() if column != arm})


def _told(study: Study) -> Iterator[Mapping[str, Any]]:
    """How every entry that decides a number is recomputed."""
    for claim in study.claims.values():
        if claim.by and claim.expect in ("reproduced", "holds"):
            yield claim.by
    for assumption in study.assumptions.values():
        if assumption.by and assumption.bounds:
            yield assumption.by


def _of_effect(other: Mapping[str, Any], by: Mapping[str, Any]) -> bool:
    """Whether an entry is of the effect that a p value belongs to, by this model or another."""
    return other.get("outcome") == by["outcome"] and other["statistic"] in _OF_EFFECT and by.get("contrast", other.get("contrast")) == other.get("contrast")


def _of_arm(other: Mapping[str, Any], arm: str) -> bool:
    return other["statistic"] in _OF_ARM and isinstance(other.get("filter", {}).get(arm), str)


def in_words(study: Study, claim: Claim) -> str:
    """What is open about a claim that `undirected` gives, and what to add, in a few lines."""
    by, model = claim.by, study.models[claim.by["model"]]
    lines = [f"direction open: {claim.id}: p {claim.printed} alone does not say which way {by['outcome']} goes; chance decides, led by what the draw starts from."]
    if model["family"] in _OF_TWO_ARMS:
        table, arms = model["table"], study.design["people"]["arms"]["column"]
        lines.append(f"    To fix it, add for each arm an assumption with bounds, measured by {{table: {table}, column: {by['outcome']}, filter: {{{arms}: …}}, statistic: …}}: its median, mean or share.")
    else:
        asked = f"by: {{model: {by['model']}, outcome: {by['outcome']}, contrast: {by['contrast']}, statistic: est}}"
        null = 1 if model["family"] in RATIO_FAMILIES else 0
        lines.append(f'    To fix it, add a claim {{kind: direction, declared: ">{null}" or "<{null}", {asked}}} where the paper says it in words; else an assumption with bounds and the same by.')
    return "\n".join(lines)
