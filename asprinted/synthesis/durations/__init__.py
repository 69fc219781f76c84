"""Times to an event of the people in the records, that print the claims of a Cox model and the medians."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import patsy

from asprinted.printed import declared_interval, parse
from asprinted.study import SEPARATOR, Claim, Study, StudyError
from asprinted.synthesis.design import generator
from asprinted.synthesis.durations.order import cox, regrouped, score_residuals
from asprinted.synthesis.durations.times import printing
from asprinted.synthesis.durations.two_arms import Arm, Trial
from asprinted.synthesis.wald import Bound, Wald, wald


def durations(study: Study, people: pd.DataFrame, health: np.ndarray) -> pd.DataFrame:
    """`people` with the columns of design.durations filled: a time, and 1 where the event happened then, 0 where following ended.

    health: (n,) standard normal, high is well. Every claim on the model and every median of the time is met. People
    whose `within` column is empty have neither time nor event. Under a robust model the labels of the groups may be
    exchanged between people of one site. Raises StudyError where the claims cannot be met.
    """
    spec = study.design["durations"]
    model = study.models[spec["model"]]
    target, names = _target(study)
    codes = np.array([names.index(arm) if arm in names else -1 for arm in people[study.design["people"]["arms"]["column"]]])
    early = None
    if "within" in spec:
        early = people[spec["within"]["column"]].to_numpy(dtype=float, na_value=np.nan)
        codes[np.isnan(early)] = -1
    horizon = study.number(spec["within"]["until"]) if early is not None else 0.0
    decimals = _decimals(study, spec["time"])
    robust = model.get("covariance") == "robust"
    aim = _ratio_alone(target) if robust else target
    try:
        trial = printing(
            *_arms(study, names, codes, early), aim, generator(study, "durations", "order"),
            follow_up=tuple(study.number(end) for end in spec["follow_up"]), horizon=horizon, until=float(model.get("until", math.inf)),
            shape=study.number(spec["shape"]), ties=model.get("ties", "efron"), decimals=decimals,
        )  # fmt: skip
        time, event = _given(study, trial, codes, early, horizon, health)
        filled = people.assign(**{
            spec["time"]: pd.array(np.where(codes < 0, np.nan, time), dtype="Float64" if decimals else "Int64"),
            spec["event"]: pd.array(np.where(codes < 0, np.nan, event), dtype="Int64"),
        })  # fmt: skip
        return _exchanged_groups(study, filled, codes, target, decimals) if robust else filled
    except StudyError:
        raise
    except ValueError as error:
        shown = ", ".join(f"{claim.id} {claim.printed or claim.declared}" for claim in (*_claims(study), *_medians(study)))
        raise StudyError(study.file, SEPARATOR.join(("design", "durations")), None, f"No times can be made: {error}. Asked for were {shown}. Correct one of these claims, the model, or the assumptions of this part.") from None


def _claims(study: Study) -> list[Claim]:
    """The claims on the model."""
    spec = study.design["durations"]
    found = []
    for claim in study.claims.values():
        by = claim.by or {}
        if by.get("model") != spec["model"] or claim.expect not in ("reproduced", "holds"):
            continue
        if by["outcome"] not in (spec["event"], [spec["event"]]):
            raise StudyError(study.file, SEPARATOR.join(("claims", claim.id, "by", "outcome")), by["outcome"], f"Times are made for one event: name {spec['event']!r}.")
        found.append(claim)
    return found


def _target(study: Study) -> tuple[Wald, list[str]]:
    """What the model's claims print, and the two arms: reference, treated. Raises StudyError where the model is more than one contrast of two arms."""
    spec, column = study.design["durations"], study.design["people"]["arms"]["column"]
    name, model = spec["model"], study.models[spec["model"]]
    try:
        terms = patsy.ModelDesc.from_formula(model["formula"].partition("~")[2]).rhs_termlist
    except patsy.PatsyError as error:
        raise StudyError(study.file, SEPARATOR.join(("models", name, "formula")), model["formula"], f"It cannot be read: {error.message}.") from None
    factors = [factor.code for term in terms for factor in term.factors]
    if len(factors) != 1 or column not in factors[0] or "rows" in model:
        raise StudyError(study.file, SEPARATOR.join(("models", name, "formula")), model["formula"], f"Times are made for a Cox model of all people on {column!r} alone: leave the rest out.")
    pairs: dict[tuple[str, str], str] = {}
    for claim in _claims(study):
        contrast = claim.by["contrast"]
        ends = {term["weight"]: term["at"].get(column) for term in model["contrasts"][contrast]}
        if set(ends) != {1, -1} or len(set(ends.values()) - {None}) != 2 or len(model["contrasts"][contrast]) != 2:
            raise StudyError(study.file, SEPARATOR.join(("models", name, "contrasts", contrast)), None, "Give one arm the weight 1 and another the weight -1.")
        pairs[ends[-1], ends[1]] = contrast
    if len(pairs) != 1:
        raise StudyError(study.file, SEPARATOR.join(("models", name, "contrasts")), list(pairs.values()), "Times are made for the claims on one contrast of two arms: no more, no fewer.")
    intervals = [
        (claim.by["statistic"], parse(claim.printed, claim.rounding).interval() if claim.printed else declared_interval(claim.declared or ""))
        for claim in _claims(study)
    ]
    return wald(intervals, model.get("level", 0.95)), list(next(iter(pairs)))


def _medians(study: Study) -> list[Claim]:
    """The claims on a median of the time column."""
    spec = study.design["durations"]
    of_median = (claim for claim in study.claims.values() if (claim.by or {}).get("statistic") in ("median", "survival_median"))
    return [claim for claim in of_median if claim.by["column"] == spec["time"] and claim.by["table"] == spec["table"] and claim.expect == "reproduced"]


def _arms(study: Study, names: list[str], codes: np.ndarray, early: np.ndarray | None) -> list[Arm]:
    """Reference and treated, as the study file and the people know them."""
    spec = study.design["durations"]
    made = []
    for code, name in enumerate(names):
        members = codes == code
        events = int(early[members].sum()) if early is not None else 0
        later = None
        if name in spec.get("later", {}):
            later = int(study.number(spec["later"][name]))
        elif name in spec.get("events", {}):
            later = int(study.number(spec["events"][name])) - events
        elif name in spec.get("share", {}) and early is None:
            later = round(study.number(spec["share"][name]) * int(members.sum()))
        made.append(Arm(int(members.sum()), events, later, *_median(study, name)))
    return made


def _median(study: Study, arm: str) -> tuple[Any, str]:
    """The printed median of one arm and its kind. Raises StudyError for a median of other people, or a second one."""
    spec, column = study.design["durations"], study.design["people"]["arms"]["column"]
    kinds: dict[str, Mapping[str, Any]] = {"survival_median": {}, "median": {spec["within"]["column"] if "within" in spec else spec["event"]: 1}}
    claims = [claim for claim in _medians(study) if claim.by.get("filter", {}).get(column) in (arm, [arm])]
    for claim in claims:
        wanted = kinds[claim.by["statistic"]]
        rest = {name: value for name, value in claim.by["filter"].items() if name != column}
        if rest != wanted or claim.by.get("event", spec["event"]) != spec["event"] or len(claims) > 1:
            shown = {column: arm, **wanted}
            raise StudyError(study.file, SEPARATOR.join(("claims", claim.id, "by", "filter")), dict(claim.by["filter"]), f"One median an arm can be made, among the people {shown!r}: leave the others out.")
    if not claims:
        return None, "survival"
    kind = "survival" if claims[0].by["statistic"] == "survival_median" else "events"
    return parse(claims[0].printed, claims[0].rounding), kind


def _decimals(study: Study, column: str) -> int:
    entry = study.tables[study.design["durations"]["table"]]["columns"][column]
    return entry.get("decimals", 0) if entry["type"] == "number" else 0


def _given(study: Study, trial: Trial, codes: np.ndarray, early: np.ndarray | None, horizon: float, health: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The trial's times and events given to people (n,): within an arm, early ones to people with the event early, and to the less well first."""
    spec = study.design["durations"]
    rho = study.number(spec["health"]) if "health" in spec else 0.0
    rng = generator(study, "durations", "people")
    latent = rho * health + math.sqrt(1 - rho**2) * rng.standard_normal(len(codes))
    time, event = np.zeros(len(codes)), np.zeros(len(codes))
    for code in (0, 1):
        members = np.flatnonzero(codes == code)
        members = members[np.argsort(latent[members], kind="stable")]
        had = early[members] == 1 if early is not None else np.zeros(len(members), dtype=bool)
        of_arm = trial.arm == bool(code)
        soon = of_arm & trial.event & (trial.time <= horizon)
        for places, takers in ((soon, members[had]), (of_arm & ~soon, members[~had])):
            places = np.flatnonzero(places)
            places = np.append(places[trial.event[places]], rng.permutation(places[~trial.event[places]]))
            time[takers], event[takers] = trial.time[places], trial.event[places]
    return time, event


# A standard error robust by group


def _ratio_alone(target: Wald) -> Wald:
    """The target of an order whose standard error the groups will make: log ratios around the most interior pair."""
    slack, beta, se = target.interior()
    if slack < 0:
        raise ValueError("no log hazard ratio and standard error print the ratio, its interval and its p value together: correct one of them")
    half = next(width for width in (0.05 * 0.8**step for step in range(200)) if min(target.slack(beta - width, se), target.slack(beta + width, se)) >= slack / 2)
    return Wald((Bound("est", -1, beta - half, half), Bound("est", 1, beta + half, half)), target.quantile)


def _exchanged_groups(study: Study, people: pd.DataFrame, codes: np.ndarray, target: Wald, decimals: int) -> pd.DataFrame:
    """`people` with the labels of the groups exchanged within sites until the robust standard error prints the claims."""
    spec, part = study.design["durations"], study.design["people"]
    name, model = spec["model"], study.models[spec["model"]]
    column = model["groups"]
    if column != part.get("groups", {}).get("column"):
        raise StudyError(study.file, SEPARATOR.join(("models", name, "groups")), column, "Its labels are exchanged to meet the claims: name the column of design › people › groups.")
    members = np.flatnonzero(codes >= 0)
    time = np.rint(people[spec["time"]].to_numpy(dtype=float, na_value=np.nan)[members] * 10**decimals)
    event = people[spec["event"]].to_numpy(dtype=float, na_value=0.0)[members] == 1
    counted = event & (time <= float(model.get("until", math.inf)) * 10**decimals)
    order = np.argsort(2 * time - counted, kind="stable")
    trial, ties = Trial(time[order], counted[order], codes[members][order] == 1), model.get("ties", "efron")
    beta, se = cox(*trial, ties)
    residuals = np.empty(len(members))
    residuals[order] = score_residuals(*trial, beta, ties)
    groups, labels = pd.factorize(people[column].iloc[members])
    sites = pd.factorize(people[part["sites"]["column"]].iloc[members])[0] if "sites" in part else np.zeros(len(members), dtype=int)
    found = regrouped(residuals, groups, sites, se, *target.errors_at(beta), generator(study, "durations", "groups"))
    values = people[column].to_numpy(dtype=object).copy()
    values[members] = np.append(np.asarray(labels, dtype=object), None)[found]
    return people.assign(**{column: values})
