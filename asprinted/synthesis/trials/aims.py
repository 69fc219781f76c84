"""What the study file says of a pool, as targets: printed numbers, sets that words are taken to mean, and bounds of assumptions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from asprinted import records
from asprinted.models.effects import MEASURES
from asprinted.printed import Interval, declared_interval, parse
from asprinted.study import SEPARATOR, Assumption, Claim, Study, StudyError
from asprinted.study.pools import also_of, models_of, pools_of
from asprinted.synthesis.trials.targets import BETWEEN, Target

COUNTS = ("k", "n")  # statistics that the design gives, so that nothing is sought for them


class Unmet(StudyError):
    """What these trials cannot meet: others, drawn again, may."""


def targets(study: Study, number: int, rows: pd.DataFrame) -> list[Target]:
    """Every claim and every bound on the pool at position `number`, as Targets about its `rows`, which have the columns of their trials too.

    What is claimed of the design's model is a target again with each model in 'also'; bounds are not. Raises StudyError
    where an entry cannot be of the pool, and Unmet where none of its rows is what the entry is about.
    """
    first, *also = also_of(study, study.design["trials"]["effects"]["pools"][number])
    found = []
    for where, entry, interval in _entries(study, number):
        if entry.by["statistic"] in COUNTS:
            continue
        for name in [first, *also] if entry.by["model"] == first and isinstance(entry, Claim) else [entry.by["model"]]:
            found.append(target(study, where, entry, interval, rows, name))
    return found


def target(study: Study, where: tuple[str, str], entry: Claim | Assumption, interval: Interval, rows: pd.DataFrame, name: str) -> Target:
    """What the entry at `where` says of `rows`, as a Target by the model `name`. Raises StudyError where it cannot be, and Unmet where no row is so."""
    mask, others = _masks(study, where, entry.by, rows)
    spec = study.models[name]
    says = entry.id if name == entry.by["model"] else f"{entry.id} by {name}"
    model = {"estimator": spec.get("estimator", "DL"), "test": spec.get("test", "wald-z"), "level": spec.get("level", 0.95)}
    ends = (-math.inf if interval.lo is None else float(interval.lo), math.inf if interval.hi is None else float(interval.hi))
    try:
        return Target(entry.by["statistic"], *ends, mask, model, says, others, MEASURES[spec["effect"]["measure"]].ratio)
    except ValueError as error:
        raise StudyError(study.file, SEPARATOR.join((*where, "by")), dict(entry.by), f"{error}.") from None


def check_counts(study: Study, number: int, rows: pd.DataFrame, people: np.ndarray | None = None) -> None:
    """Raise Unmet where the pool's rows are not as many as is claimed or assumed, or `people` (k,), those in each row, do not add up so.

    Without `people` only what the design itself says is compared: the number of trials, and the people of a whole pool. Of a
    whole pool no other trials would have others, so there it is a StudyError.
    """
    pool = study.design["trials"]["effects"]["pools"][number]
    design = SEPARATOR.join(("design", "trials", "effects", "pools", str(number)))
    for where, entry, interval in _entries(study, number):
        if entry.by["statistic"] not in COUNTS:
            continue
        mask, _ = _masks(study, where, entry.by, rows)
        found, said = int(mask.sum()), f"{design}{SEPARATOR}trials gives"
        if entry.by["statistic"] == "n":
            if people is None and not (mask.all() and "people" in pool):
                continue
            found = int(study.number(pool["people"])) if people is None else int(people[mask].sum())
            said = f"{design} gives" if "people" in pool else f"{design} has no 'people', and losses leave"
        if not interval.contains(found):
            field, value = ("bounds", list(entry.bounds or ())) if isinstance(entry, Assumption) else ("printed", entry.printed) if entry.printed else ("declared", entry.declared)
            kind = StudyError if people is None and mask.all() else Unmet
            raise kind(study.file, SEPARATOR.join((*where, field)), value, f"{said} {found}: correct one of them.")


def _entries(study: Study, number: int) -> Iterator[tuple[tuple[str, str], Claim | Assumption, Interval]]:
    """(place in the study file, entry, the values that meet it) for each claim and each assumption with bounds on the pool."""
    models = models_of(study, study.design["trials"]["effects"]["pools"][number])
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if (entry.by or {}).get("model") not in models or pools_of(study, entry.by) != [number]:
                continue
            if (interval := wanted(entry)) is not None:
                yield (kind, id), entry, interval


def wanted(entry: Claim | Assumption) -> Interval | None:
    """The values that meet an entry; None where it asks for none: a claim expected to be otherwise, an assumption without bounds."""
    if isinstance(entry, Assumption):
        return Interval(*map(Decimal, entry.bounds), True, True) if entry.bounds else None
    if entry.expect not in ("reproduced", "holds"):
        return None
    return parse(entry.printed, entry.rounding).interval() if entry.printed else declared_interval(entry.declared or "")


def _masks(study: Study, where: tuple[str, str], by: Mapping[str, Any], rows: pd.DataFrame) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The rows, (k,) of True and False, that an entry is about, and other rows.

    Of a lead these are those of each other value of its filter's last column, of a test between subgroups those of each subgroup.
    """
    spec, filter = study.models[by["model"]], by.get("filter", {})

    def of(wanted: Mapping[str, Any]) -> np.ndarray:
        chosen = records.asked(study, rows, by | {"filter": wanted}) & records.asked(study, rows, {"filter": spec.get("rows", {})})
        return chosen.to_numpy()

    mask, others = of(filter), []
    if by["statistic"] in BETWEEN:
        values = rows[by["column"]]
        mask = mask & values.notna().to_numpy()
        others = [mask & (values == value).to_numpy() for value in values[mask].unique()]
    if by["statistic"] == "lead":
        *_, column = filter
        rest = of({name: value for name, value in filter.items() if name != column})
        others = [of(filter | {column: value}) for value in rows[column][rest].dropna().unique() if value != filter[column]]
    if not mask.any() and by["statistic"] not in COUNTS:
        raise Unmet(study.file, SEPARATOR.join((*where, "by", "filter")), dict(filter), f"No trial with the outcome {by['outcome']!r} is so: correct it, or let such a trial report the outcome.")
    return mask, tuple(others)
