"""Yes/no outcomes: counts searched until every claim prints, never rows.

Two designs. `outcomes` fills a yes/no column of the people whose odds ratio, interval and p value are printed, from
events searched in each cell of site and arm. `cells` makes a table from the study file's own counts, with a free
column's counts searched.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import patsy
from scipy import special

from asprinted import models
from asprinted.printed import declared_interval, parse
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.design import generator
from asprinted.synthesis.events.counts import Target, yes_counts
from asprinted.synthesis.events.free import cells

__all__ = ["cells", "outcomes"]


def outcomes(study: Study, people: pd.DataFrame, health: np.ndarray) -> pd.DataFrame:
    """`people` with the yes/no column of design.events filled: 1, 0, or empty where the outcome is missing.

    health: (n,) standard normal, high is well. Cells are the patterns of the model's covariates, arm and site among the
    people with the outcome; their counts print every claim on the model, and within a cell the people with the
    highest liability have the event. Raises StudyError where the claims cannot be met, or not by such counts.
    """
    spec = study.design["events"]
    column, model, part = spec["column"], study.models[spec["model"]], study.design["people"]
    arms, arm_names = pd.factorize(people[part["arms"]["column"]])
    seen = _seen(study, arms, arm_names, health)
    codes, first = _patterns(study, people, seen)
    number = np.bincount(codes)
    X, targets = _aims(study, people.iloc[first])
    totals = [int(study.number(spec["yes"][arm])) if arm in spec.get("yes", {}) else None for arm in arm_names]
    shares = [study.number(spec["share"][arm]) if total is None else 0.5 for arm, total in zip(arm_names, totals, strict=True)]
    odds = special.logit(shares)[arms[first]]
    if "sites" in part and "spread" in spec:
        sites, names = pd.factorize(people[part["sites"]["column"]])
        pull = generator(study, "events", column, "sites").standard_normal(len(names))
        odds += study.number(spec["spread"]) * ((pull - pull.mean()) / (pull.std() or 1.0))[sites[first]]
    rng = generator(study, "events", column, "counts")
    try:
        counts = yes_counts(number, X, arms[first], totals, special.expit(odds), targets, model.get("level", 0.95), rng)
    except ValueError as error:
        remedy = f"No records can be made: {error}. Correct one of these numbers, name another model, or assume another spread."
        raise StudyError(study.file, _at("design", "events"), None, remedy) from None
    order = np.lexsort((-_liability(study, people, health)[seen], codes))
    begins = np.cumsum(number) - number
    values = np.zeros(len(people), dtype=np.int64)
    values[np.flatnonzero(seen)[order]] = np.arange(len(codes)) - begins[codes[order]] < counts[codes[order]]
    return people.assign(**{column: pd.arrays.IntegerArray(values, ~seen)})


def _at(*where: str) -> str:
    return SEPARATOR.join(where)


def _seen(study: Study, arms: np.ndarray, names: Sequence[str], health: np.ndarray) -> np.ndarray:
    """Who has the outcome, (n,) of True and False, as many in each arm as the study file says."""
    spec = study.design["events"]
    rho = study.number(spec["lost"]) if "lost" in spec else 0.0
    noise = generator(study, "events", spec["column"], "lost").standard_normal(len(arms))
    liability = math.sqrt(1 - rho**2) * noise - rho * health
    seen = np.zeros(len(arms), dtype=bool)
    for code, arm in enumerate(names):
        members = np.flatnonzero(arms == code)
        target = int(study.number(spec["seen"][arm]))
        if not 0 < target <= len(members):
            raise StudyError(study.file, _at("design", "events", "seen", arm), target, f"Give from 1 to {len(members)}, the people in this arm.")
        seen[members[np.argsort(liability[members], kind="stable")[:target]]] = True
    return seen


def _patterns(study: Study, people: pd.DataFrame, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell of each person with the outcome, (m,) codes 0 … C − 1 in order of appearance, and each cell's first row in `people`."""
    spec, part = study.design["events"], study.design["people"]
    model = study.models[spec["model"]]
    place = ("models", spec["model"])
    for field in ("rows", "waves", "baseline"):
        if field in model:
            raise StudyError(study.file, _at(*place, field), None, "Counts are searched for a model of all people with the outcome: take the field out.")
    if model["family"] != "logistic" or model.get("covariance") == "robust":
        raise StudyError(study.file, _at(*place), None, "Counts are searched for the family logistic with a model-based covariance: name such a model.")
    names = [part[name]["column"] for name in ("arms", "sites") if name in part]
    try:
        terms = patsy.ModelDesc.from_formula(model["formula"].partition("~")[2]).rhs_termlist
    except patsy.PatsyError as error:
        raise StudyError(study.file, _at(*place, "formula"), model["formula"], f"It cannot be read: {error.message}.") from None
    for code in dict.fromkeys(factor.code for term in terms for factor in term.factors):
        nodes = list(ast.walk(ast.parse(code, mode="eval")))
        words = [node.id if isinstance(node, ast.Name) else node.value for node in nodes if isinstance(node, (ast.Name, ast.Constant))]
        for name in (word for word in words if isinstance(word, str) and word in people):
            if pd.api.types.is_numeric_dtype(people[name]) and people[name].nunique() > 2 and not code.startswith("C("):
                raise StudyError(study.file, _at(*place, "formula"), name, "Counts are searched in cells, which a continuous covariate does not make: write it as C(…), or take it out.")
            if people[name].isna().to_numpy()[seen].any():
                raise StudyError(study.file, _at(*place, "formula"), name, "It is empty for some people with the outcome, whom the model would leave out: fill it, or take it out.")
            names.append(name)
    codes = np.zeros(int(seen.sum()), dtype=np.int64)
    for name in dict.fromkeys(names):
        own, values = pd.factorize(people[name].to_numpy()[seen])
        codes = pd.factorize(codes * len(values) + own)[0]
    return codes, np.flatnonzero(seen)[np.unique(codes, return_index=True)[1]]


def _aims(study: Study, cells_: pd.DataFrame) -> tuple[np.ndarray, list[Target]]:
    """The model's design, (C, p), on the first row of each cell, and every claim on it as a Target."""
    spec = study.design["events"]
    column, model = spec["column"], study.models[spec["model"]]
    try:
        rows = models.design(model, cells_.assign(**{column: 0}), column)
    except ValueError as error:
        raise StudyError(study.file, _at("models", spec["model"], "formula"), model["formula"], f"{error}.") from None
    targets = []
    for claim in study.claims.values():
        by = claim.by or {}
        named = by.get("outcome", [])
        if by.get("model") != spec["model"] or column not in ([named] if isinstance(named, str) else named) or claim.expect not in ("reproduced", "holds"):
            continue
        if named not in (column, [column]):
            raise StudyError(study.file, _at("claims", claim.id, "by", "outcome"), named, f"Counts are searched for one outcome: name {column!r} alone.")
        text = claim.printed or claim.declared or ""
        interval = parse(text, claim.rounding).interval() if claim.printed else declared_interval(text)
        targets.append(Target(claim.id, text, by["statistic"], rows.contrast(model["contrasts"][by["contrast"]]), interval))
    return rows.X, targets


def _liability(study: Study, people: pd.DataFrame, health: np.ndarray) -> np.ndarray:
    """Each person's liability to the event, (n,) of variance 1: poor health, the programme group's part, and chance."""
    spec = study.design["events"]
    rho, tau = study.number(spec["health"]), study.number(spec["group"]) if "group" in spec else 0.0
    if rho**2 + tau**2 > 1:
        raise StudyError(study.file, _at("design", "events", "health"), rho, f"With a group's part of {tau:g} it must be {math.sqrt(max(0.0, 1 - tau**2)):.3f} or less: the liability has variance 1.")
    rng = generator(study, "events", spec["column"], "liability")
    shared = rng.standard_normal(len(people))
    if "group" in spec:
        codes, _ = pd.factorize(people[study.design["people"]["groups"]["column"]])
        shared = np.where(codes >= 0, shared[codes], shared)
    return tau * shared - rho * health + math.sqrt(1 - rho**2 - tau**2) * rng.standard_normal(len(people))
