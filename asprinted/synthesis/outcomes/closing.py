"""The last people: a few changes at a time, foreseen from the effects of each alone, until every target holds.

Where few people are there, statistics are lumpy, and a search by chance seldom hits all of them. But the effects of a few hundred
changes are known after as many refits, and nearly add up. So all their pairs are looked at, and pairs of pairs, which are tens of
thousands; only those that are foreseen to fit best are refitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asprinted.synthesis.outcomes.aims import P_VALUES, Aims
from asprinted.synthesis.outcomes.moves import Moves
from asprinted.synthesis.outcomes.targets import Target

FEW = 5_000  # rows: with more, statistics are smooth, and the shared search does as well for less
TRIED = 160  # changes whose effects are found, a refit each
PAIRS = 384  # pairs of them that are joined to fours
CHECKED = 24  # candidates that are refitted in a turn
TURNS = 8  # with the same effects, while they help
IDLE = 16  # rounds without a gain, after which it is given up
KICK = 6  # changes by chance, at most, from which a search that is stuck goes on


class _Tried(NamedTuple):
    """Changes: their rows (m, k), −1 where a change is of fewer, the values that these take, and what each alone changes in the statistics, (m, targets)."""

    rows: np.ndarray
    values: np.ndarray
    effects: np.ndarray

    def __getitem__(self, kept):  # type: ignore[override]
        return _Tried(*(np.asarray(part)[kept] for part in tuple(self)))


def closed(
    y: np.ndarray, targets: Sequence[Target], kinds: Sequence[Moves], rng: np.random.Generator, *,
    step: float = 1.0, margin: float = 0.3, rounds: int = 60, tried: int = TRIED,
) -> np.ndarray:  # fmt: skip
    """The values (n,) or (n, 2), changed until every target holds, or as near to it as they came; as they are where there are many.

    First come the targets that are no p values: a p value falls on either side of no difference, and from the wrong side leads away.

    kinds: proposers of changes (`moves`), asked for as many each. margin: how far inside its interval, in half widths of it, each statistic is
    aimed. step: as in `search.settle`.
    """
    if not targets or len(y) > FEW:
        return y
    first = [target for target in targets if target.by["statistic"] not in P_VALUES]
    for some, depth, turns in ((first, 0.0, rounds // 3), (targets, margin, rounds)) if len(first) < len(targets) else ((targets, margin, rounds),):
        y = _closer(y, some, kinds, rng, step, depth, turns, tried) if some else y
    return y


def _closer(y, targets, kinds, rng, step, margin, rounds, tried) -> np.ndarray:
    aims = Aims(targets, step)
    hard = np.array([target.rows is not None for target in targets])
    now = aims.values(y)
    here = float(cost(aims, now, margin))
    best, idle = (y, now, here), 0
    for _ in range(rounds):
        if best[2] <= 0 or idle >= IDLE or (idle and aims.slack(best[1]).min() > 0) or not np.isfinite(now).all():
            break
        known = _found(y, now, aims, kinds, tried, rng)
        for _ in range(TURNS):
            moved = _moved(y, now, here, aims, hard, margin, known, rng) if len(known.rows) > 1 else None
            if moved is None:
                break
            y, now, here, used = moved
            known = known[~np.isin(known.rows, used).any(axis=1)]
            if here <= 0:
                break
        idle = 0 if here < 0.95 * best[2] else idle + 1
        best = (y, now, here) if here < best[2] else best
        y, now, here = best
        if idle and idle % 2 == 0:  # from a little beside the best
            rows, values = kinds[int(rng.integers(len(kinds)))](best[0], 1 + int(rng.integers(KICK)), rng)
            y = _with(best[0], rows, values)
            now = aims.values(y)
            here = float(cost(aims, now, margin))
            y, now, here = (y, now, here) if np.isfinite(now).all() else best
    return best[0]


def cost(aims: Aims, values: np.ndarray, margin: float) -> np.ndarray:
    """What is missing (…) for each target to lie `margin` inside its interval: in half widths, squared up to one and linear beyond it.

    So a statistic with a narrow interval does not outweigh all others from afar, as it would by squares.
    """
    missing = np.maximum(margin - aims.slack(values), 0.0)
    return np.where(missing < 1, missing**2, 2 * missing - 1).sum(axis=-1)


def _found(y: np.ndarray, now: np.ndarray, aims: Aims, kinds: Sequence[Moves], tried: int, rng: np.random.Generator) -> _Tried:
    """Changes of all kinds with their effects; those that leave a statistic without value are out."""
    proposed = [moves(y, tried // len(kinds), rng) for moves in kinds]
    width = max(rows.shape[1] for rows, _ in proposed)
    rows = np.concatenate([np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=-1) for rows, _ in proposed])
    values = np.concatenate([np.pad(values, ((0, 0), (0, width - values.shape[1]), *((0, 0),) * (values.ndim - 2))) for _, values in proposed])
    effects = np.array([aims.values(_with(y, rows[k], values[k])) - now for k in range(len(rows))]).reshape(len(rows), len(now))
    return _Tried(rows, values, effects)[np.isfinite(effects).all(axis=1)]


def _moved(y, now, here, aims, hard, margin, known: _Tried, rng):
    """Values, statistics, cost and the rows changed after the best of the candidates that were refitted; None where none is better."""
    one, other = np.triu_indices(len(known.rows), 1)
    apart = ~_clash(known.rows[one], known.rows[other])
    one, other = one[apart], other[apart]
    sums = known.effects[one] + known.effects[other]
    pairs, singles = cost(aims, now + sums, margin), cost(aims, now + known.effects, margin)
    candidates = [((k,), singles[k]) for k in _distinct(singles, CHECKED)] + [((one[k], other[k]), pairs[k]) for k in _distinct(pairs, CHECKED)]
    kept = _joined(now, sums, pairs, aims, hard, margin, rng)
    first, second = np.triu_indices(len(kept), 1)
    first, second = kept[first], kept[second]
    fours = cost(aims, now + sums[first] + sums[second], margin)
    for k in _distinct(fours, 2 * CHECKED):
        parts = (one[first[k]], other[first[k]], one[second[k]], other[second[k]])
        touched = known.rows[list(parts)]
        touched = touched[touched >= 0]
        if len(np.unique(touched)) == len(touched):
            candidates.append((parts, fours[k]))
    best = None
    for parts, foreseen in sorted(candidates, key=lambda each: each[1])[:CHECKED]:
        if foreseen >= here:
            break
        chosen = np.array(parts)
        trial = _with(y, known.rows[chosen], known.values[chosen])
        after = aims.values(trial)
        reached = float(cost(aims, after, margin))
        if reached < (best[2] if best else here) * (1 - 1e-9):
            best = (trial, after, reached, known.rows[chosen][known.rows[chosen] >= 0])
            if reached <= 0:
                break
    return best


def _joined(now, sums, costs, aims, hard, margin, rng) -> np.ndarray:
    """The pairs that are joined to fours: those with the least cost, and as many by chance of those that leave what tables print."""
    if not len(costs):
        return np.zeros(0, dtype=np.int64)
    tables = np.maximum(margin - aims.slack(now + sums)[:, hard], 0.0).sum(axis=1)
    neutral = np.flatnonzero(tables <= tables.min() + 1e-9)
    chance = rng.choice(neutral, min(PAIRS // 2, len(neutral)), replace=False)
    return np.unique(np.concatenate([np.argpartition(costs, min(PAIRS // 2, len(costs) - 1))[: PAIRS // 2], chance]))


def _distinct(costs: np.ndarray, most: int) -> np.ndarray:
    """The places of the least costs, in order, one of each that are alike."""
    if not len(costs):
        return np.zeros(0, dtype=np.int64)
    some = np.argpartition(costs, min(16 * most, len(costs) - 1))[: 16 * most]
    some = some[np.argsort(costs[some], kind="stable")]
    new = np.append(True, np.diff(costs[some]) > 1e-7 * (1 + np.abs(costs[some[1:]])))
    return some[new][:most]


def _clash(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether two changes, rows (m, k) each, are of the same row."""
    return ((rows[:, :, None] == others[:, None, :]) & (rows[:, :, None] >= 0)).any(axis=(1, 2))


def _with(y: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    moved = y.copy()
    there = rows.ravel() >= 0
    moved[rows.ravel()[there]] = values.reshape(-1, *y.shape[1:])[there]
    return moved
