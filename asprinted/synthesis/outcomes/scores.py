"""Scores: whole numbers or decimals, bounded or not, of people or of all visits at once.

A draft (`draft`) settles means, SDs and what the score shares with other columns. Each cell's whole numbers then have exactly
the sum and the sum of squares nearest to the draft's (`integers`), and are given out in the order of the draft. What rounding
moved is put right by small changes (`search`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.changes import changes
from asprinted.study.starts import Cut, cuts, table_of
from asprinted.synthesis import integers
from asprinted.synthesis.outcomes.aims import Aims
from asprinted.synthesis.outcomes.draft import WANTED, Draft
from asprinted.synthesis.outcomes.moves import exchanges, steps, transfers
from asprinted.synthesis.outcomes.quartiles import SHARES, cuts_of, hops, quartered
from asprinted.synthesis.outcomes.response import Response, features_of
from asprinted.synthesis.outcomes.search import MANY, Unmet, settle
from asprinted.synthesis.outcomes.start import at_visits, cells, latent, start
from asprinted.synthesis.outcomes.sums import Sums
from asprinted.synthesis.outcomes.targets import Target

FINE = 201  # the most values of a scale whose people are counted value by value
TRIALS = 12  # of a finer scale: how often values are shifted and stretched against what its bounds do
WALK = 512  # moves of the walk that makes counts as uneven as those of real people
REACH = 3  # steps that a score goes up or down at once, at most
WISHED = 15  # rounds in which correlations that are only assumed are brought nearer, all of them or none
FEW = 1024  # moves of a kind that a round tries where effects are estimated


def make(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, health: np.ndarray, seen: np.ndarray, targets: Sequence[Target], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The score's column, (n,) with nan where it is not seen. Raises StudyError where a target is not met."""
    codes, names = cells(study, frame)
    rows = np.flatnonzero(seen)
    spec = study.tables[_table(study, frame)]["columns"][entry["column"]]
    step = 10.0 ** -(spec.get("decimals", 0) if spec["type"] == "number" else 0)
    low, high = float(spec.get("minimum", -math.inf)), float(spec.get("maximum", math.inf))
    wishes, targets = [target for target in targets if target.wish], [target for target in targets if not target.wish]
    least, most = _bounds(study, entry, frame, targets, step, low, high)
    y = np.where(seen, 0.0, np.nan)
    aims = Aims(targets, step)
    sums = Sums(aims, y, step)
    skewness = study.number(entry["skewness"]) if "skewness" in entry else None
    z = latent(study, entry, frame, health, rng)
    z = skewed(z, skewness) if skewness else z

    def place(values: np.ndarray) -> np.ndarray:
        whole = y.copy()
        whole[rows] = values
        return whole

    means, sds, free = _starts(study, entry, frame, targets, codes, rows, len(names), rng)
    columns = _columns(study, entry, frame, targets, z, seen, y)
    draft = Draft(codes[rows], rows, [column[rows] for column in columns], z[rows], means, sds, free, sums, aims, place).solved(WANTED if study.attempt == 0 else WANTED[-1:])
    made, marks = np.empty(len(rows)), {}
    for cell in np.unique(codes[rows]):
        own = np.flatnonzero(codes[rows] == cell)
        draft[own] = _in_order(draft[own], least[rows[own]] > least[rows].min())
        wanted = {target.by["statistic"]: (target.low, target.high) for target in targets if _of_quarters(target, codes[rows] == cell, rows)}
        made[own] = quartered(draft[own], wanted, step, low, high) if wanted else rounded(draft[own], step, low, high, skewness, rng)
        marks |= {int(cell): cuts_of(made[own], step, low, high)} if wanted else {}
    shared = _shared(study, frame)
    in_search = columns[: len(entry.get("follows", {}))]

    def search(y: np.ndarray, targets: Sequence[Target], ends: tuple[np.ndarray, np.ndarray], **how: Any) -> np.ndarray:
        """The column changed until every one of these targets holds, each row between its `ends`."""
        aims = Aims(targets, step)
        sums = Sums(aims, place(np.zeros(len(rows))), step)
        known = [k for k, value in enumerate(sums.value) if value is not None]
        others = [k for k, value in enumerate(sums.value) if value is None]

        def refitted(values: np.ndarray) -> np.ndarray:
            return np.array([aims.measure[k](values) for k in others])

        def evaluate(values: np.ndarray) -> np.ndarray:
            found = np.empty(len(targets))
            found[known] = sums.values(sums.of(values)) if known else 0.0
            found[others] = refitted(values)
            return found

        estimated: list[tuple[np.ndarray, Response]] = []

        def effects(values: np.ndarray, changed: np.ndarray, to: np.ndarray) -> np.ndarray:
            found = np.empty((len(changed), len(targets)))
            found[:, known] = sums.values(sums.after(sums.of(values), values, changed, to)) if known else 0.0
            if others:
                if not estimated or np.array_equal(estimated[-1][0], values, equal_nan=True):  # anew only where the last estimate led no further
                    features = features_of(values, codes, shared, in_search)
                    estimated.append((values, Response(refitted, values, features, max(step, float(sds.mean()) / 4), rng)))
                found[:, others] = refitted(values) + estimated[-1][1].after(values, changed, to)
            return found

        # exchanges first: they leave alone what cells hold, which is right already
        moves = [exchanges(codes, rows, *ends), steps(rows, step, *ends, REACH), transfers(codes, rows, step, *ends)]
        others_seen = [exchanges(among(codes, targets), np.arange(len(y)), *ends)] if not seen.all() else []
        moves += [hops(codes, rows, marks, step)] if marks else []
        y = np.clip(y, *ends)
        how = {"step": step, "evaluate": evaluate, "effects": effects, "exact": not others, "many": FEW if others else MANY} | how
        if at_visits(study, frame):  # who is seen at a visit is mostly seen in every column: it changes only where nothing else will do
            with contextlib.suppress(*[Unmet] if others_seen else []):
                return settle(study, column, y, targets, moves, rng, **how)
        return settle(study, column, y, targets, [*others_seen, *moves], rng, **how)

    y, column = place(made), entry["column"]
    ends = least, most
    if "change" in entry:
        on_scale = _on_scale(study, frame, column, least, most, step)
        try:
            y, ends = search(y, targets, on_scale), on_scale
        except Unmet:  # the targets come first
            y = search(np.clip(y, *on_scale), targets, ends)
    else:
        y = search(y, targets, ends)
    if all(value is not None for value in sums.value) and not all(wish.holds(y) for wish in wishes):  # where refits are needed, it would cost more than it is worth
        with contextlib.suppress(Unmet):
            y = search(y, [*targets, *wishes], ends, rounds=WISHED, seconds=math.inf)
    return {column: y}


def _on_scale(study: Study, frame: pd.DataFrame, column: str, least: np.ndarray, most: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value that each row may have (n,) so that its end keeps to the scale too, where the column is a change."""
    [change] = [each for each in changes(study) if each.column == column]
    low, high = change.bounds(pd.to_numeric(frame[change.start]).to_numpy(dtype=float, na_value=np.nan))
    low = np.maximum(least, np.round(np.ceil(low / step - 1e-9) * step, _decimals(step)))
    high = np.minimum(most, np.round(np.floor(high / step + 1e-9) * step, _decimals(step)))
    return low, np.maximum(low, high)


def _of_quarters(target: Target, cell: np.ndarray, rows: np.ndarray) -> bool:
    """Whether a target is the median, a quartile or the distance of the quartiles of exactly the people of a cell, whose places among `rows` are given (m,)."""
    if target.rows is None or target.by["statistic"] not in (*SHARES, "iqr") or not math.isfinite(target.low + target.high):
        return False
    return np.array_equal(target.rows[rows], cell)


def _bounds(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, targets: Sequence[Target], step: float, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value that each row may have (n,): by the scale, by `cut`, and by targets that are a least or greatest value of some rows."""
    least, most = np.full(len(frame), low), np.full(len(frame), high)
    for cut in cuts(entry):
        answer = pd.to_numeric(frame[cut.column]).to_numpy(dtype=float, na_value=np.nan)
        edge = first_above(cut, frame, step)
        there = np.isfinite(edge) if cut.visit is None else np.isfinite(edge) & (frame[study.design["visits"]["column"]].to_numpy() == cut.visit)
        least = np.where(there & (answer == (1 if cut.upwards else 0)), np.maximum(least, edge), least)
        most = np.where(there & (answer == (0 if cut.upwards else 1)), np.minimum(most, edge - step), most)
        if (beyond := int(((least > high) | (most < low)).sum())) and cut.of:
            remedy = f"{beyond} of the people with an answer have a value of {cut.of} that leaves {entry['column']} no room for it on its scale: correct the counts, or where {cut.of} starts from."
            raise StudyError(study.file, SEPARATOR.join(("design", "outcomes", entry["column"], "cut", cut.column)), cut.at, remedy)
    for target in targets:
        if target.rows is not None and target.by["statistic"] == "minimum" and math.isfinite(target.low):
            least = np.where(target.rows, np.maximum(least, (math.floor(target.low / step) + 1) * step), least)
        if target.rows is not None and target.by["statistic"] == "maximum" and math.isfinite(target.high):
            most = np.where(target.rows, np.minimum(most, (math.ceil(target.high / step) - 1) * step), most)
    return least, np.maximum(least, most)


def first_above(cut: Cut, frame: pd.DataFrame, step: float) -> np.ndarray:
    """The first score of each row (n,) above the edge of a cut: from the edge on where yes is upwards, else beyond it; nan where it hangs on a value that is missing."""
    edge = np.full(len(frame), cut.at) if cut.of is None else cut.at * pd.to_numeric(frame[cut.of]).to_numpy(dtype=float, na_value=np.nan)
    return (np.ceil(edge / step - 1e-9) if cut.upwards else np.floor(edge / step + 1e-9) + 1) * step


def fixed_by_start(study: Study, column: str, frame: pd.DataFrame) -> np.ndarray:
    """1 or 0 for each row (n,) whose answer in the yes/no `column` the start decides, since the score of which it is a cut has no room for the other; else nan."""
    found = np.full(len(frame), np.nan)
    for entry in study.design["outcomes"]:
        for cut in (each for each in cuts(entry) if each.column == column and each.of):
            scale = study.tables[table_of(study, entry["column"])]["columns"][entry["column"]]
            step = 10.0 ** -(scale.get("decimals", 0) if scale["type"] == "number" else 0)
            edge, yes = first_above(cut, frame, step), 1.0 if cut.upwards else 0.0
            found = np.where(edge > scale.get("maximum", math.inf), 1 - yes, np.where(edge <= scale.get("minimum", -math.inf), yes, found))
    return found


def _in_order(draft: np.ndarray, lifted: np.ndarray) -> np.ndarray:
    """The draft's values (n,) given out anew where rows have bounds of their own: those `lifted`, (n,) of bool, to a higher least value get the higher ones, each group in its order."""
    if (lifted == lifted[0]).all():
        return draft
    ordered = np.empty_like(draft)
    ordered[np.lexsort((draft, lifted))] = np.sort(draft)
    return ordered


def among(codes: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
    """The cells (n,) within which anyone may be seen in place of another: cells, and in them the people whose number seen is printed."""
    for target in targets:
        if target.by["statistic"] == "observed" and target.rows is not None:
            codes = np.unique(2 * codes + target.rows, return_inverse=True)[1]
    return codes


def skewed(z: np.ndarray, skewness: float) -> np.ndarray:
    """`z` (n,) bent so that a standard normal score gets the skewness, of either sign, by a shifted log-normal curve."""
    spread = optimize.brentq(lambda v: (math.exp(v * v) + 2) * math.sqrt(math.exp(v * v) - 1) - abs(skewness), 1e-9, 2.0)
    side = math.copysign(1.0, skewness)
    return side * (np.exp(spread * side * z) - math.exp(spread**2 / 2)) / (math.exp(spread**2 / 2) * math.sqrt(math.exp(spread**2) - 1))


def rounded(draft: np.ndarray, step: float, low: float, high: float, skewness: float | None, rng: np.random.Generator) -> np.ndarray:
    """Values (n,) on the scale's steps with nearly the mean and the SD of the draft, in its order.

    On a bounded scale they have the smoothest counts with these moments, made as uneven as those of a sample; else each is rounded.
    """
    n = len(draft)
    if math.isfinite(high - low) and (high - low) / step < FINE and n > 1:
        first, last = round(low / step), round(high / step)
        total = int(min(max(round(draft.sum() / step), n * first), n * last))
        squares = round(float(((draft - draft.mean()) ** 2).sum()) / step**2 + total**2 / n)
        least, most = integers.range_of_squares(n, first, last, total)
        squares = min(max(squares + (squares - total) % 2, least), most)
        for change in (0, 2, -2, 4, -4, 8, -8):
            try:
                counts = integers.count_vector(n, first, last, total, squares + change)
            except ValueError:
                continue
            counts = integers.shaken(counts, rng, WALK if skewness is None else 8 * WALK, like="people", skewness=skewness)
            values = np.empty(n)
            values[np.argsort(draft, kind="stable")] = np.repeat(np.arange(first, last + 1), counts) * step
            return np.round(values, _decimals(step))
    mean, sd, centre, spread = draft.mean(), draft.std(), draft.mean(), 1.0
    best: tuple[float, np.ndarray] | None = None
    for _ in range(TRIALS if sd > 0 else 1):
        values = centre + spread * (draft - mean)
        values = np.where(values < low, 2 * low - values, np.where(values > high, 2 * high - values, values))
        values = np.round(np.rint(np.clip(values, low, high) / step) * step, _decimals(step))
        missed = max(abs(values.mean() - mean), abs(values.std() - sd))
        if best is None or missed < best[0]:
            best = (missed, values)
        if missed < step / 4:
            break
        centre, spread = centre + mean - values.mean(), spread * min(max(sd / max(values.std(), 1e-9), 0.5), 2.0)
    return best[1]


def _decimals(step: float) -> int:
    return max(0, round(-math.log10(step)))


def _table(study: Study, frame: pd.DataFrame) -> str:
    return study.design["visits" if at_visits(study, frame) else "people"]["table"]


def _starts(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, targets: Sequence[Target], codes: np.ndarray, rows: np.ndarray, number: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each cell's mean and SD (C,) to start from, and which of the 2C no claim is about (2C,).

    What is assumed holds for people in general; those of the trial differ from it by chance, as in any sample.
    """
    sizes = np.maximum(np.bincount(codes[rows], minlength=number), 1)
    first = np.full(number, -1)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    means, sds = (start(study, entry, field, frame)[first] for field in ("mean", "sd"))
    sds = np.maximum(sds, 1e-6)
    free = np.ones(2 * number, dtype=bool)
    for target in targets:
        if target.rows is not None and target.by["statistic"] in ("mean", "sd", "sum", "se", "lo", "hi", "median", "q1", "q3", "iqr"):
            held = np.unique(codes[rows][target.rows[rows]])
            if len(held) == 1 and target.rows[rows].sum() == sizes[held[0]]:
                free[held[0] + (0 if target.by["statistic"] in ("mean", "sum", "median") else number)] = False
                if study.attempt and target.by["statistic"] in ("mean", "sd"):  # elsewhere in the interval than before
                    (means if target.by["statistic"] == "mean" else sds)[held[0]] += 0.7 * target.half * rng.uniform(-1, 1)
    chance = rng.standard_normal(2 * number) * free
    return means + chance[:number] * sds / np.sqrt(sizes), sds * np.exp(chance[number:] / np.sqrt(2 * sizes)), free


def _columns(
    study: Study, entry: Mapping[str, Any], frame: pd.DataFrame, targets: Sequence[Target], z: np.ndarray, seen: np.ndarray, y: np.ndarray
) -> list[np.ndarray]:
    """What a score may share with other columns (n,) each: those that it follows, the models' covariates, the rows of targets, and its clusters' and people's means."""
    found = [pd.to_numeric(frame[column]).to_numpy(dtype=float, na_value=np.nan) for column in entry.get("follows", {})]
    refits = dict.fromkeys(target.refit for target in targets if target.refit is not None)
    for refit in refits:
        design = refit.design(y)
        for values in design.X.T:
            column = np.zeros(len(y))
            column[design.rows] = values
            found.append(column)
    found += [target.rows.astype(float) for target in targets if target.rows is not None]
    arms = pd.factorize(frame[study.design["people"]["arms"]["column"]])[0]
    for groups in _shared(study, frame):
        counts = np.maximum(np.bincount(groups, seen), 1)
        mean = (np.bincount(groups, np.where(seen, z, 0.0)) / counts)[groups]
        number = counts[groups].astype(float)  # of the visits at which a person was seen, for one
        found += [mean, *(part * (arms == arm) for part in (mean, number) for arm in np.unique(arms) if at_visits(study, frame))]
    return found


def _shared(study: Study, frame: pd.DataFrame) -> list[np.ndarray]:
    """The groups of rows that have something in common, (n,) codes each: clusters, programme groups or sites, and at visits people."""
    names = [study.design["people"][part]["column"] for part in ("clusters", "groups", "sites") if part in study.design["people"]]
    names += [study.tables[_table(study, frame)]["key"][0]] if at_visits(study, frame) else []
    found = []
    for name in names:
        groups, _ = pd.factorize(frame[name])
        found.append(np.where(groups < 0, groups.max() + 1, groups))
    return found
