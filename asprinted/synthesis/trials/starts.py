"""Where the search for a pool's rows starts where the design does not say: as its printed interval and heterogeneity want it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from asprinted.models.effects import MEASURES
from asprinted.printed import parse
from asprinted.study import Study
from asprinted.study.pools import also_of, said
from asprinted.synthesis.trials.laws import SPARE
from asprinted.synthesis.trials.people import shared_out
from asprinted.synthesis.trials.reports import FREE, LEAST, Left, free
from asprinted.synthesis.trials.slopes import critical

APART = 0.2  # the share of heterogeneity in variance where nothing is printed that tells it
MOST = 29 / 30  # of heterogeneity, as a share of variance: an I² printed as 100% leaves a little within trials
LEVEL = (1 / 50, 9 / 10)  # of the share with an event, where print wants less or more
RISK, MEAN, SD = 0.3, 50.0, 10.0  # as is usual, where nothing is printed that tells it


@dataclass(frozen=True)
class Start:
    """What effects are drawn from: their spread about the centre; error (k,), their standard errors; and, of a measure, what it needs.

    sd: the SD of scores without instruments. level: the share with the event, both arms together. Effects are logs where they are ratios.
    """

    spread: float
    error: np.ndarray
    sd: float
    level: float


def start(study: Study, pool: Mapping[str, Any], sizes: np.ndarray) -> Start:
    """The Start of a pool of the design, whose trials have arms of these sizes (k, 2)."""
    name = also_of(study, pool)[0]
    measure, k, people = study.models[name]["effect"]["measure"], len(sizes), float(sizes.sum())
    se = _standard_error(study, pool, study.models[name], k)
    whole = None if se is None else k * se**2  # the variance of a typical trial's effect, with that between trials
    each = people / k
    usual = {"smd": 4 / each, "md": 4 * SD**2 / each}.get(measure) or _variance(measure, RISK, each)
    within = usual if measure == "smd" or whole is None else whole * (1 - _heterogeneity(study, pool, k, whole))
    if measure == "smd" and whole is not None:
        between = max(whole - within, 0.0)
    else:
        between = max(whole - within, 0.0) if whole is not None else within * APART / (1 - APART)
    sd = study.number(pool["sd"]) if "sd" in pool else SD if measure in ("smd", *_EVENTS) else math.sqrt(within * each) / 2
    level = study.number(pool["level"]) if "level" in pool else _level(measure, within, each) if measure in _EVENTS else RISK
    within = 4 * sd**2 / each if measure == "md" else _variance(measure, level, each) if measure in _EVENTS else within
    spread = study.number(pool["spread"]) if "spread" in pool else math.sqrt(between)
    return Start(spread, np.sqrt(within * each / 4 * (1 / sizes).sum(axis=1)), sd, level)


_EVENTS = ("rr", "or", "rd", "hr")


def as_subgroups_want(study: Study, pool: Mapping[str, Any], kinds: Sequence[Any], people: Left, freedom: int = 1) -> Left:
    """The people of a pool with as many in each subgroup of trials as the precision printed of the subgroups wants; as they are where none is.

    The same trials report other outcomes, so what all pools with these subgroups want counts alike. kinds (k,): the subgroup of each trial.
    freedom: as in `reports.left`.
    """
    others = [each for each in study.design["trials"]["effects"]["pools"] if each.get("by") == pool["by"] and set(each["trials"]) == set(pool["trials"])]
    wanted = [shares for each in others if (shares := _precisions(study, each, {str(kind): kind for kind in kinds}))]
    if not wanted or people.total is None:
        return people
    kinds = np.array([str(kind) for kind in kinds])
    share = np.array([sum(each[kind] for each in wanted) / people.sizes[kinds == kind].sum() for kind in kinds])
    sizes = shared_out(people.total, np.full(people.sizes.size, LEAST), (people.sizes * share[:, None]).ravel()).reshape(people.sizes.shape)
    return free(sizes, FREE**freedom, people.total)


def _precisions(study: Study, pool: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, float]:
    """Each subgroup's share of the information on a pool, by its printed standard error and heterogeneity; empty where one is not printed."""
    found = {}
    for text, kind in kinds.items():
        filter, k = {pool["by"]: kind.item() if hasattr(kind, "item") else kind}, int(study.number(pool["trials"][text]))
        se = _standard_error(study, pool, study.models[also_of(study, pool)[0]], k, filter)
        if se is None:
            return {}
        found[text] = 1 / (se**2 * (1 - _heterogeneity(study, pool, k, k * se**2, filter)))
    return {text: information / sum(found.values()) for text, information in found.items()}


def _number(study: Study, pool: Mapping[str, Any], statistic: str, filter: Mapping[str, Any] | None = None) -> float | None:
    claim = said(study, pool, statistic, filter)
    return None if claim is None else float(parse(claim.printed).value)


def _standard_error(study: Study, pool: Mapping[str, Any], model: Mapping[str, Any], k: int, filter: Mapping[str, Any] | None = None) -> float | None:
    """The standard error that is printed of the pool, or of the trials that the filter leaves, or that its interval, or its estimate and p value, mean; None where they do not tell it."""
    found = {name: _number(study, pool, name, filter) for name in ("est", "se", "lo", "hi", "p")}
    if found["se"]:
        return found["se"]
    if MEASURES[model["effect"]["measure"]].ratio:
        found |= {name: math.log(found[name]) if found[name] and found[name] > 0 else None for name in ("est", "lo", "hi")}
    test, level = model.get("test", "wald-z"), model.get("level", 0.95)
    lo, est, hi = found["lo"], found["est"], found["hi"]
    lengths = [(hi - lo) / 2] if None not in (lo, hi) else [abs(end - est) for end in (lo, hi) if None not in (end, est)]
    if lengths and lengths[0] > 0:
        return lengths[0] / critical(test, k, level)
    if est and found["p"] and found["p"] < 1:
        return abs(est) / critical(test, k, 1 - found["p"])
    return None


def _heterogeneity(study: Study, pool: Mapping[str, Any], k: int, whole: float, filter: Mapping[str, Any] | None = None) -> float:
    """The share of the variance between trials in that of a typical trial's effect, by I², Q or tau² as printed; APART where none is."""
    i2, q, tau2 = (_number(study, pool, name, filter) for name in ("i2", "q", "tau2"))
    if i2 is not None:
        return min(i2 / 100, MOST)
    if q is not None:
        return min(max(1 - (k - 1) / q, 0.0) if q > 0 else 0.0, MOST)
    if tau2 is not None:
        return min(tau2 / whole, MOST)
    return APART if k > 1 else 0.0


def _variance(measure: str, level: float, people: float) -> float:
    """The variance of an effect of two equal arms, so many people together, where so large a share has the event."""
    with_, without = 4 / (people * level), 4 / (people * (1 - level))
    return {"rr": with_ - 4 / people, "or": with_ + without, "rd": 4 * level * (1 - level) / people, "hr": SPARE * with_}[measure]


def _level(measure: str, variance: float, people: float) -> float:
    """The share with the event that gives an effect this variance, the smaller of two, as far as any does."""
    if measure in ("rr", "hr"):
        level = 4 / (variance * people + 4) if measure == "rr" else 4 * SPARE / (variance * people)
    else:
        product = 4 / (variance * people) if measure == "or" else variance * people / 4
        level = (1 - math.sqrt(max(1 - 4 * product, 0.0))) / 2
    return float(np.clip(level, *LEVEL))


def second_level(measure: str, level: float, centre: float) -> float:
    """The share of the second arm with the event, where that of both is `level` and the effect `centre`, a log where it is a ratio."""
    if measure == "rd":
        second = level - centre / 2
    elif measure == "or":
        second = special.expit(special.logit(level) - centre / 2)
    else:
        second = level * math.exp(-centre / 2)
    return float(np.clip(second, *LEVEL))
