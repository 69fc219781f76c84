"""Repeated whole-number scores on a bounded scale that print the claims of linear models, and means, SDs and correlations.

Least squares sees the scores of a visit only through X′y and y′y, and so do means, SDs and correlations with earlier
visits. What is searched are therefore these sums. First each arm's mean, SD and correlations with earlier visits are
chosen, as near to the assumptions as the claims allow; then each arm's sum and sum of squares, whole numbers both,
and counts with exactly these; people take them in the order of a latent score (a Gaussian copula). Last, two people
of an arm exchange their scores: this leaves every margin as it is and changes X′y by a known amount.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models, printed
from asprinted.study import SEPARATOR, Assumption, Claim, Study, StudyError
from asprinted.synthesis import integers
from asprinted.synthesis.design import faults_at, generator, seen
from asprinted.synthesis.scales.moments import EDGE, Target, Tracked, correlation, exchanged, impossible, moment, of_model, sums_of
from asprinted.synthesis.scales.plan import Plan, basis_of

LASTING = 0.75  # share of the correlation between visits that is due to a person's lasting level
TOLERANCE = 0.01  # how near an assumed correlation without bounds is met
ATTEMPTS = 8  # other sums of the first visit that are tried where a later visit leaves no room
WALK = 512  # moves of the walk that makes counts as uneven as those of real people


class _NotFound(StudyError):
    """No scores were found, which does not prove that there are none. smallest: gives the error with the fewest claims named."""

    smallest: Callable[[], StudyError]


def visits(study: Study, people: pd.DataFrame, health: np.ndarray, progress: Callable[[str], None]) -> pd.DataFrame:
    """The table of visits, a row a person and visit, whose scores print every claim of linear models on them.

    health: (n,) standard normal, high is well. Raises StudyError where a claim cannot be met.
    """
    spec = study.design["scales"]
    months, key = spec["months"], study.tables[spec["table"]]["key"][0]
    arms = people[study.design["people"]["arms"]["column"]].to_numpy()
    latents = {outcome: _latent(study, outcome, health) for outcome in spec["outcomes"]}
    first = [outcome for outcome, entry in spec["outcomes"].items() if str(months[0]) in entry["mean"]] or list(latents)
    wellness = sum(study.number(spec["outcomes"][outcome]["common"]) * latents[outcome][:, 0] for outcome in first)
    there = seen(study, arms, (wellness - wellness.mean()) / (wellness.std() or 1.0), "scales")
    long = pd.DataFrame({key: np.repeat(people[key].to_numpy(), len(months)), spec["visit"]: np.tile(months, len(people))})
    frame = long.merge(people, on=key, how="left", validate="many_to_one")
    for outcome in spec["outcomes"]:
        progress(f"scales: {outcome}")
        with faults_at(study, "scales", "outcomes", outcome):
            long[outcome] = _outcome(study, frame, arms, there, outcome, latents[outcome]).ravel()
    return long[list(study.tables[spec["table"]]["columns"])]


def _latent(study: Study, outcome: str, health: np.ndarray) -> np.ndarray:
    """Standard normal scores (n, visits): a person's lasting level, tied to health, and a part that passes from visit to visit."""
    spec = study.design["scales"]
    entry = spec["outcomes"][outcome]
    common, r = study.number(entry["common"]), study.number(entry["r"]) if "r" in entry else 1.0
    for name, value in (("common", common), ("r", r)):
        if not -1 <= value <= 1:
            raise StudyError(study.file, SEPARATOR.join(("design", "scales", "outcomes", outcome, name)), value, "A correlation lies between -1 and 1.")
    lasting = LASTING * max(r, 0.0) if r < 1 else 1.0
    decay = (r - lasting) / (1 - lasting) if r < 1 else 0.0
    rng = generator(study, "scales", outcome, "latent")
    level = common * health + math.sqrt(1 - common**2) * rng.standard_normal(len(health))
    passing = rng.standard_normal((len(health), len(spec["months"])))
    for visit in range(1, passing.shape[1]):
        passing[:, visit] = decay * passing[:, visit - 1] + math.sqrt(1 - decay**2) * passing[:, visit]
    return math.sqrt(lasting) * level[:, None] + math.sqrt(1 - lasting) * passing


def _outcome(study: Study, frame: pd.DataFrame, arms: np.ndarray, there: np.ndarray, outcome: str, latent: np.ndarray) -> np.ndarray:
    """One outcome's scores (n, visits), empty where the person was not seen or the score is not measured."""
    spec = study.design["scales"]
    measured = [visit for visit, month in enumerate(spec["months"]) if str(month) in spec["outcomes"][outcome]["mean"]]
    _check_claims(study, outcome, [spec["months"][visit] for visit in measured])
    missed: _NotFound | None = None
    for attempt in range(ATTEMPTS):
        values = np.full(there.shape, np.nan)
        try:
            for visit in measured:
                rng = generator(study, "scales", outcome, str(spec["months"][visit]))
                other = attempt if visit == measured[0] else 0
                values[there[:, visit], visit] = _visit(study, frame, arms, there, outcome, measured, visit, values, latent[:, visit], rng, other)
            return values
        except _NotFound as error:  # with these sums of the first visit: others may leave a later one room
            if visit == measured[0]:
                raise (missed or error).smallest() from None
            missed = error
    raise missed.smallest()


def _visit(
    study: Study, frame: pd.DataFrame, arms: np.ndarray, there: np.ndarray, outcome: str, measured: list[int], visit: int,
    values: np.ndarray, latent: np.ndarray, rng: np.random.Generator, other: int,
) -> np.ndarray:  # fmt: skip
    """The scores of the people seen at one visit; earlier visits stand in `values`. other: how many of the best sums to leave out."""
    spec = study.design["scales"]
    month, column = spec["months"][visit], study.tables[spec["table"]]["columns"][outcome]
    low, high = int(column["minimum"]), int(column["maximum"])
    present = np.flatnonzero(there[:, visit])
    names, codes = np.unique(arms[present].astype(str), return_inverse=True)
    sizes = np.bincount(codes)
    if not len(present):
        return np.zeros(0)
    if sizes.min() < 8:
        raise ValueError(f"{sizes.min()} people of the arm {str(names[sizes.argmin()])!r} are seen at {spec['visit']} {month}: give at least 8")
    earlier = [each for each in measured if each < visit]
    tracked, targets, crossed = Tracked(len(present)), [], set(earlier[-1:])
    for target, with_visit in _targets(study, frame, outcome, measured, visit, present, values, tracked):
        targets.append(target)
        crossed |= {with_visit} if with_visit is not None else set()
    basis, start = basis_of(codes, [values[present, each] for each in sorted(crossed)], latent[present])
    means, sds, firm = _assumed(study, outcome, month, list(names), sizes, rng)
    plan = Plan(codes, basis, start, tracked, targets, means, sds, firm, low, high)
    where = SEPARATOR.join(("design", "scales", "outcomes", outcome))
    mean, sd, mix = plan.solved()
    hard = [target for target in targets if not target.soft]

    def failure(named: list[Target]) -> StudyError:
        proved = impossible(hard, low, high)
        shown = "; ".join(f"{target.id} {target.text}" for target in (proved[0] if proved else named))
        if proved:
            return StudyError(study.file, where, shown, f"No scores at {spec['visit']} {month} can print these together: {proved[1]}. Correct one of them, or the model.")
        remedy = "which is no proof: correct one of them, an assumption, or the numbers seen."
        error = _NotFound(study.file, where, shown, f"No scores at {spec['visit']} {month} were found that print these together, {remedy}")
        error.smallest = lambda: failure(plan.conflict(hard))
        return error

    if hard and plan.worst(hard, mean, sd, mix) < 0:
        raise failure(hard)
    floor, ceiling = (_share_bounds(study, outcome, month, name) for name in ("share_at_minimum", "share_at_maximum"))
    best: tuple[float, np.ndarray | None] = (-math.inf, None)
    for tried, (margins, mixed) in enumerate(plan.margins(mean, sd, mix, other)):
        y = np.zeros(len(present))
        for arm, (total, squares) in enumerate(margins):
            counts = integers.count_vector(int(sizes[arm]), low, high, total, squares)
            counts = integers.shaken(counts, rng, WALK, like="people", floor=floor, ceiling=ceiling)
            members = np.flatnonzero(codes == arm)
            order = members[np.argsort((basis @ mixed)[members], kind="stable")]
            y[order] = np.repeat(np.arange(low, high + 1), counts)
        y = exchanged(y, codes, tracked, targets, rng)
        worst = min((float(target.slack(*sums_of(y, tracked))[0]) / target.margin for target in hard), default=1.0)
        if worst > best[0]:
            best = (worst, y)
        if best[0] >= max(0.1, 1 - tried / 12):
            break
    if best[1] is None or best[0] <= 0:
        raise failure(hard)
    return best[1]


# What the scores are to meet


def _check_claims(study: Study, outcome: str, months: list[int]) -> None:
    """Raise StudyError where a claim on the outcome's scores is none that this module can meet."""
    spec = study.design["scales"]
    for claim in _entries(study):
        by = claim.by
        if "model" not in by or outcome not in _listed(by.get("outcome", [])) or study.models[by["model"]]["table"] != spec["table"]:
            continue
        where, model = SEPARATOR.join(("claims" if isinstance(claim, Claim) else "assumptions", claim.id, "by")), study.models[by["model"]]
        if model["family"] != "linear":
            raise StudyError(study.file, where, by["model"], "Scores of 'scales' can be made for models of the family 'linear' alone: give one.")
        if _month(study, model.get("rows", {}), months) is None:
            raise StudyError(study.file, where, by["model"], f"The model must use one visit at which {outcome!r} is measured: give it rows: {{{spec['visit']}: …}}.")
        if "baseline" in model and model["baseline"]["value"] not in months[: months.index(_month(study, model.get("rows", {}), months))]:
            raise StudyError(study.file, where, by["model"], f"{outcome!r} is not measured at {model['baseline']['value']}, or not before that visit: correct the model's baseline.")
        low, high = _limits(claim)
        every = (by.get("take") == "largest" and low == -math.inf) or (by.get("take") != "largest" and high == math.inf)
        if len(_listed(by["outcome"])) > 1 and not every:
            raise StudyError(study.file, where, by["outcome"], "Of several outcomes only a bound that all of them meet can be made, such as a smallest p of \">=.05\": name one outcome.")


def _targets(
    study: Study, frame: pd.DataFrame, outcome: str, measured: list[int], visit: int, present: np.ndarray, values: np.ndarray, tracked: Tracked
) -> list[tuple[Target, int | None]]:
    """The targets at one visit, each with the earlier visit that it compares with, if any."""
    spec = study.design["scales"]
    months = spec["months"]
    entry, here = spec["outcomes"][outcome], [months[each] for each in measured]
    rows = present * len(months) + visit  # of `frame`, which has a row a person and visit
    designs: dict[str, models.Design] = {}
    places: dict[str, tuple[slice, int]] = {}
    found: list[tuple[Target, int | None]] = []
    column = study.tables[spec["table"]]["columns"][outcome]
    step = EDGE * (column["maximum"] - column["minimum"]) / 6  # of one person's score

    def correlated(id: str, text: str, low: float, high: float, other: int, kept: np.ndarray, **options: Any) -> None:
        x = np.where(kept, values[present, other], 0.0)
        both = kept & np.isfinite(x)
        place = tracked.add(np.column_stack([both, np.where(both, x, 0.0)]), both)
        found.append((Target(id, text, "correlation", low, high, correlation(place, np.where(both, x, 0.0), both), place, edge=EDGE / math.sqrt(max(both.sum(), 1)), **options), other))

    for entry_ in _entries(study):
        by = entry_.by
        if by.get("table", by.get("model") and study.models[by["model"]]["table"]) != spec["table"] or outcome not in _listed(by.get("outcome", by.get("column", []))):
            continue
        (low, high), text = _limits(entry_), _text(entry_)
        options: dict[str, Any] = {} if isinstance(entry_, Claim) else {"margin": 0.1}
        if "model" in by:
            model = study.models[by["model"]]
            if _month(study, model.get("rows", {}), here) != months[visit]:
                continue
            if by["model"] not in designs:
                scores = values.copy()
                scores[present, visit] = 0.0
                table = frame.assign(**{outcome: scores.ravel()})
                designs[by["model"]] = models.design(model | {"person": study.tables[spec["table"]]["key"][0], "rows": model.get("rows", {}) | {spec["visit"]: months[visit]}}, table, outcome)
                at = np.searchsorted(rows, designs[by["model"]].rows)
                X, used = np.zeros((len(rows), designs[by["model"]].X.shape[1])), np.zeros(len(rows))
                X[at], used[at] = designs[by["model"]].X, 1.0
                places[by["model"]] = tracked.add(X, used)
            design, place = designs[by["model"]], places[by["model"]]
            other = months.index(model["baseline"]["value"]) if "baseline" in model else None
            found.append((of_model(entry_.id, text, low, high, by, model, design, place, step, options), other))
        else:
            kept = np.ones(len(rows), dtype=bool)
            for name, wanted in by.get("filter", {}).items():
                kept &= frame[name].to_numpy()[rows] == wanted if not isinstance(wanted, list) else np.isin(frame[name].to_numpy()[rows], wanted)
            if by["statistic"] in ("mean", "sd") and _month(study, by.get("filter", {}), here) == months[visit] and kept.any():
                place = tracked.add(kept[:, None], kept)
                about = (str(by.get("filter", {})), int(kept.sum()), 0.0) if isinstance(entry_, Claim) and entry_.rounding == "half-up" else None
                found.append((Target(entry_.id, text, by["statistic"], low, high, moment(by["statistic"], place, int(kept.sum())), place, about, edge=step / math.sqrt(kept.sum()), **options), None))
            elif by["statistic"] == "correlation" and spec["visit"] in by["between"]:
                pair = [months.index(month) for month in by["between"][spec["visit"]]]
                if max(pair) == visit and min(pair) in measured:
                    correlated(entry_.id, text, low, high, min(pair), kept, **options)
    earlier = [each for each in measured if each < visit]
    if earlier and "r" in entry:
        r = study.number(entry["r"])
        correlated(entry["r"], f"{r:g}", r - TOLERANCE, r + TOLERANCE, earlier[-1], np.ones(len(rows), dtype=bool), soft=True, margin=0.0)
    return found


def _entries(study: Study) -> list[Claim | Assumption]:
    """Claims that are to come back, and assumptions with bounds, that say how they are computed."""
    claims = [claim for claim in study.claims.values() if claim.by and claim.kind != "context" and claim.expect in ("reproduced", "holds")]
    return [*(claim for claim in claims if claim.by["statistic"] != "values"), *(each for each in study.assumptions.values() if each.by and each.bounds)]


def _text(entry: Claim | Assumption) -> str:
    return (entry.printed or entry.declared or "") if isinstance(entry, Claim) else f"{entry.bounds[0]} to {entry.bounds[1]}"


def _limits(entry: Claim | Assumption) -> tuple[float, float]:
    if isinstance(entry, Assumption):
        return float(entry.bounds[0]), float(entry.bounds[1])
    interval = printed.rounding_interval(entry.printed, entry.rounding) if entry.printed else printed.declared_interval(entry.declared or "")
    lo, hi = interval.lo, interval.hi
    return (-math.inf if lo is None else float(lo)), (math.inf if hi is None else float(hi))


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _month(study: Study, rows: Mapping[str, Any], measured: list[int]) -> int | None:
    """The one measured visit that these rows leave, or None."""
    wanted = rows.get(study.design["scales"]["visit"], measured)
    left = [month for month in measured if month in (wanted if isinstance(wanted, list) else [wanted])]
    return left[0] if len(left) == 1 else None


def _share_bounds(study: Study, outcome: str, month: int, statistic: str) -> tuple[float, float]:
    """The bounds on the share at an end of the scale, at one visit."""
    spec = study.design["scales"]
    low, high = 0.0, 1.0
    for entry in _entries(study):
        by = entry.by
        if by["statistic"] == statistic and by.get("column") == outcome and by.get("table") == spec["table"] and by.get("filter", {}).get(spec["visit"], month) in (month, [month]):
            low, high = max(low, _limits(entry)[0]), min(high, _limits(entry)[1])
    return low, high


def _assumed(study: Study, outcome: str, month: int, arms: list[str], sizes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each arm's mean and SD to start from (A,), and which of the 2A are printed.

    What is assumed holds for people in general; those of the trial differ from it by chance, as in any sample.
    """
    entry = study.design["scales"]["outcomes"][outcome]
    means, sds = np.zeros(len(arms)), np.zeros(len(arms))
    firm = np.zeros(2 * len(arms), dtype=bool)
    for place, arm in enumerate(arms):
        ids = []
        for name in ("mean", "sd"):
            held = entry[name] if isinstance(entry[name], str) else entry[name].get(str(month))
            held = held.get(arm) if isinstance(held, dict) else held
            if held is None:
                raise StudyError(study.file, SEPARATOR.join(("design", "scales", "outcomes", outcome, name)), str(month), f"Nothing is given for this visit and the arm {arm!r}: add it.")
            ids.append(held)
        means[place], sds[place] = (study.number(id) for id in ids)
        firm[place], firm[len(arms) + place] = (id in study.claims for id in ids)
    if (sds <= 0).any():
        raise StudyError(study.file, SEPARATOR.join(("design", "scales", "outcomes", outcome, "sd")), float(sds.min()), "A standard deviation is larger than 0.")
    chance = rng.standard_normal(2 * len(arms)) * ~firm
    return means + chance[: len(arms)] * sds / np.sqrt(sizes), sds * (1 + chance[len(arms) :] / np.sqrt(2 * sizes)), firm
