"""The trials of a review: how many people each randomised, when it was published, and of which kind it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.design import apportion, generator

HALVINGS = 100  # of the interval in which a common factor is sought: more than a float can tell apart


def shared_out(total: int, least: np.ndarray, weights: np.ndarray, most: int | None = None) -> np.ndarray:
    """Whole numbers (n,) that sum to `total`, in proportion to `weights` but for those that would be below their `least`, or above the `most`.

    Those stay there and the others share the rest: factor × weight, held between the two, by largest remainder.
    Raises ValueError where the least numbers alone sum to more, or the most to less.
    """
    least, weights = np.asarray(least, dtype=np.int64), np.asarray(weights, dtype=float)
    if least.sum() > total:
        raise ValueError(f"{int(least.sum())} people are needed, {total} are there")
    if most is not None and len(least) * most < total:
        raise ValueError(f"{total} people are there, and {len(least)} trials of {most} hold {len(least) * most}")
    ceiling = math.inf if most is None else most
    low, high = 0.0, total / (weights.max() if most is None else weights.min())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(middle * weights, least, ceiling).sum() < total else (low, middle)
    exact = np.clip(high * weights, least, ceiling)
    counts = np.maximum(least, np.floor(exact + 1e-9).astype(np.int64))  # a whole number but for floating point is itself
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def trials(study: Study) -> pd.DataFrame:
    """The table of trials: a row a trial in the order of years, with exactly as many people in all as the study file says.

    Sizes are log-normal, with the SD of the logarithm that is given, and not below the smallest; later years are more
    often, and the first and the last occur; categories have the exact counts or shares, and are independent of each other.
    """
    spec = study.design["trials"]
    number, columns = int(study.number(spec["number"])), study.tables[spec["table"]]["columns"]
    width = len(str(number))
    rows = pd.DataFrame({study.tables[spec["table"]]["key"][0]: [f"synthetic-{each:0{width}d}" for each in range(1, number + 1)]})
    rows[spec["people"]["column"]] = _sizes(study, number)
    if "year" in spec:
        first, last = (int(study.number(spec["year"][end])) for end in ("first", "last"))
        years = first + np.floor((last - first + 1) * np.sqrt(generator(study, "trials", "year").random(number))).astype(np.int64)
        years = np.sort(np.minimum(years, last))
        years[-1], years[0] = last, first
        rows[spec["year"]["column"]] = years
    for entry in spec.get("categories", []):
        rows[entry["column"]] = dealt(study, entry, columns[entry["column"]]["type"] == "integer", number)
    return rows.reindex(columns=[*columns, *(each for each in [spec["people"]["column"]] if each not in columns)])


def dealt(study: Study, entry: Mapping[str, Any], whole: bool, number: int) -> np.ndarray:
    """A category's value for each of `number` trials, (number,), in random order: as many of each as its counts or shares say; whole: as integers."""
    if "counts" in entry:
        counts = {value: int(study.number(amount)) for value, amount in entry["counts"].items()}
    else:
        held = study.shares(entry["shares"])
        counts = dict(zip(held, apportion(number, list(held.values())), strict=True))
    values = np.repeat(np.array([int(value) if whole else value for value in counts], dtype=object), list(counts.values()))
    return generator(study, "trials", entry["column"]).permutation(values)


def _sizes(study: Study, number: int) -> np.ndarray:
    """The people randomised in each trial, (number,), with their exact sum."""
    spec = study.design["trials"]["people"]
    drawn = generator(study, "trials", "people").standard_normal(number)
    drawn = (drawn - drawn.mean()) / (drawn.std() or 1.0)
    least = np.full(number, int(study.number(spec["smallest"])))
    return shared_out(int(study.number(spec["total"])), least, np.exp(study.number(spec["spread"]) * drawn))


def resized(study: Study, rows: pd.DataFrame, needed: np.ndarray) -> pd.DataFrame:
    """The table of trials with at least as many people in each as its outcomes `needed`, (number,), and the same sum.

    Trials that have enough keep their sizes, but for what the others take from them in proportion; those get more than
    they need, so that they lose people too, where there is room. Raises StudyError where more people are needed than there are in all.
    """
    spec = study.design["trials"]
    column, kept = spec["people"]["column"], study.number(spec["effects"]["kept"])
    sizes, least = rows[column].to_numpy(), np.maximum(needed, int(study.number(spec["people"]["smallest"])))
    roomy = np.where(needed > sizes, np.ceil(needed * 2 / (1 + kept)).astype(np.int64), least)
    try:
        enough = shared_out(int(sizes.sum()), roomy if roomy.sum() <= sizes.sum() else least, sizes)
    except ValueError as error:
        where = SEPARATOR.join(("design", "trials", "people", "total"))
        raise StudyError(study.file, where, spec["people"]["total"], f"The outcomes leave no room for it: {error}. Let fewer people have an outcome, or more trials share a pool.") from None
    return rows.assign(**{column: enough})
