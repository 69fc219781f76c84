"""The search that all kinds of outcomes share: small changes of a column until every target holds.

Statistics of many people are nearly additive in the changes of a few. So in each round some changes are tried alone, by
refits; those are then taken together whose effects sum to what is missing, greedily (matching pursuit; Mallat and Zhang
1993, IEEE Trans Signal Process 41:3397) or as a linear program finds them, and the sum is checked by a refit. Far from the targets a change is a block of
many moves. A p value is searched as the size of its z, and a quantile as the number of people on the wrong side of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize

from asprinted.questions import pairs
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.outcomes.aims import FAR, Aims
from asprinted.synthesis.outcomes.moves import Moves
from asprinted.synthesis.outcomes.targets import Target

MANY = 8192  # changes of a kind that a round tries where none costs a refit
TRIED = 24  # changes of a kind that a round tries, where each costs a refit
MOST = 64  # changes that are chosen one at a time
POOL = 600  # changes among which a linear program chooses
JOINED = 300  # changes of which pairs, and pairs of which pairs of pairs, are looked at
SEVERAL = 3  # of either that are tried
HEAVIER = 3.0  # by what a target that is missed counts for more after a round without gain
SECONDS = 120.0  # after which a search that has not met every claim gives up, where it is not told otherwise
GAIN = 49 / 50  # the cost after a round, against that before, which counts as a gain
NAMED = 3  # of the claims and bounds that were missed, those that progress names
WHOLE = ("count", "observed", "sum")  # statistics that are told as one number, where one whole number lies between the ends
PATIENCE = 12  # rounds without gain before the search gives up

Evaluate = Callable[[np.ndarray], np.ndarray]
Effects = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class Unmet(StudyError):
    """No values were found that print what they should, which does not prove that there are none. short: where, and the first of the claims and bounds `missed`."""

    def __init__(self, file: Path | str, where: str, missed: Sequence[str], remedy: str):
        super().__init__(file, where, None, f"{'; '.join(missed)}. {remedy}")
        more = len(missed) - NAMED
        self.short = f"no values found at {where} that print {'; '.join(missed[:NAMED])}{f'; and {more} more' if more > 0 else ''}"


def settle(
    study: Study, column: str, y: np.ndarray, targets: Sequence[Target], moves: Sequence[Moves], rng: np.random.Generator, *,
    step: float = 1.0, margin: float = 0.3, rounds: int = 150, seconds: float | None = None, evaluate: Evaluate | None = None, effects: Effects | None = None,
    exact: bool = True, many: int = MANY, tried: int = TRIED,
) -> np.ndarray:  # fmt: skip
    """The column's values, (n,) or (n, 2), changed by `moves` until every target holds, by `margin` of half its interval where that can be had.

    moves: proposers (`moves`); `many` moves of each are asked for in a round where effects are given, else `tried`. step: the smallest difference of
    two values. evaluate: from values to statistics (m,) on the scales of `Aims`, where there is a faster way than one target after another. effects: from
    values and moves, rows −1 where one has fewer, to the statistics (moves, m) after each alone, where there is a faster way than refits; where that
    is not `exact`, two rounds without gain are followed by one of refits. seconds: bounds the search on any machine far above what it takes, so that no
    result depends on it.
    Raises Unmet, naming the targets that were not met and what was found for each: a search that fails is no proof.
    """
    if not targets:
        return y
    aims = Aims(targets, step)
    evaluate = evaluate or aims.values
    y, now = y.copy(), evaluate(y)
    sizes, idle, began = [1] * len(moves), 0, time.monotonic()
    for _ in range(rounds):
        cost = float(aims.cost(now, margin))
        met = aims.slack(now).min() > 0
        if cost <= 0 or idle >= (3 if met else PATIENCE):
            break
        if not met and time.monotonic() - began > (SECONDS if seconds is None else seconds):  # never once all hold: what is found must not hang on the clock
            break
        quick = effects is not None and (exact or idle % 3 < 2)
        pool = Pool([_blocks(*kind(y, (many if quick else tried) * (1 if quick else size), rng), 1 if quick else size) for kind, size in zip(moves, sizes, strict=True)], y.shape[1:])
        if not len(pool):
            break
        if quick:
            changed = effects(y, pool.rows, pool.values) - now
        else:
            changed = np.array([evaluate(pool.made(y, np.array([place]))) for place in range(len(pool))]) - now
        changed = np.where(np.isfinite(changed), changed, FAR)
        best: tuple[float, Any] = (cost, None)
        for order in _chosen(aims, now, changed, margin, rng, stuck=idle > 0):
            for taken in _prefixes(len(order)):
                trial = pool.made(y, order[:taken])
                after = evaluate(trial)
                if (value := float(aims.cost(after, margin))) < best[0] * (1 - 1e-9):
                    best = (value, (trial, after))
                elif best[1] is not None:
                    break
            if best[0] <= 0.1 * cost:
                break
        idle = 0 if best[1] is not None and best[0] < GAIN * cost else idle + 1
        if not quick:
            sizes = [_block(aims, now, changed[pool.kind == kind], margin, size, len(y) // 8) if not idle else max(1, size // 4) for kind, size in enumerate(sizes)]
        if idle and not met:  # out of the hollow: what is missed counts for more (Morris 1993, the breakout method)
            aims.weight = np.where(aims.slack(now) <= 0, HEAVIER, 1.0) * aims.weight
        if best[1] is not None:
            y, now = best[1]
    missed = [target for target in targets if not target.holds(y)]
    if missed:
        shown = [f"{target.id} ({target.value(y):.6g}, not {_between(target)})" for target in missed]
        remedy = f"No values were found that print these together with the other {len(targets) - len(missed)} claims and bounds on it, which is no proof that there are none: correct one of them, where the draw starts from, or the numbers seen."
        cause = pairs.advice(study, (target.by["model"] for target in missed if "contrast" in target.by))
        likely = "\n".join(["\nA likely cause:", *cause, ""]) if cause else ""
        raise Unmet(study.file, SEPARATOR.join(("design", "outcomes", column)), shown, f"{remedy}{likely}")
    return y


class Pool:
    """The changes that a round tries: rows (M, K), −1 where a change has fewer, the values these are to take (M, K) or (M, K, 2), and the kind of each (M,)."""

    def __init__(self, kinds: Sequence[tuple[np.ndarray, np.ndarray]], shape: tuple[int, ...]):
        widest = max((rows.shape[1] for rows, _ in kinds), default=0)
        padded = [np.pad(rows, ((0, 0), (0, widest - rows.shape[1])), constant_values=-1) for rows, _ in kinds]
        filled = [np.pad(values, ((0, 0), (0, widest - rows.shape[1]), *((0, 0) for _ in shape))) for rows, values in kinds]
        self.rows, self.values = np.concatenate(padded).astype(np.int64), np.concatenate(filled)
        self.kind = np.repeat(np.arange(len(kinds)), [len(rows) for rows, _ in kinds])

    def __len__(self) -> int:
        return len(self.rows)

    def made(self, y: np.ndarray, order: np.ndarray) -> np.ndarray:
        """The values after these changes, in this order; one that touches a row of an earlier one is left out."""
        rows, values = self.rows[order], self.values[order]
        first = np.zeros(rows.size, dtype=bool)
        first[np.unique(rows.ravel(), return_index=True)[1]] = True
        kept = (first.reshape(rows.shape) | (rows < 0)).all(axis=1)
        there = rows[kept] >= 0
        made = y.copy()
        made[rows[kept][there]] = values[kept][there]
        return made


def _blocks(rows: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Moves (m, k) taken together, `size` at a time."""
    if size == 1 or not len(rows):
        return rows, values
    size = min(size, len(rows))
    whole = len(rows) // size * size
    return rows[:whole].reshape(whole // size, -1), values[:whole].reshape(whole // size, -1, *values.shape[2:])


def _chosen(aims: Aims, now: np.ndarray, changed: np.ndarray, margin: float, rng: np.random.Generator, stuck: bool) -> Iterator[np.ndarray]:
    """The changes to make together, as two ways choose them, or three where the search is stuck, each in the order in which to make them."""
    alone = aims.cost(now + changed, margin)
    order = np.argsort(alone, kind="stable")
    gains = order[: int((alone < float(aims.cost(now, margin))).sum())]
    run, at = np.zeros(0, dtype=np.int64), now
    if len(gains) > MOST:  # far away: the run of those that gain most alone, as long as that gains
        sums = now + np.cumsum(changed[gains], axis=0)
        run = gains[: int(aims.cost(sums, margin).argmin()) + 1]
        at = now + changed[run].sum(axis=0)
    greedy = _greedy(aims, at, changed, margin, run)
    left = float(aims.cost(now + changed[greedy].sum(axis=0), margin))
    if left <= 0:
        yield greedy
        return
    pool = np.unique(np.concatenate([order[: POOL // 2], rng.permutation(len(changed))[: POOL // 2]]))
    solved = _programmed(aims, at, changed, margin, pool[~np.isin(pool, run)], run)
    if float(aims.cost(now + changed[solved].sum(axis=0), margin)) < left:
        yield solved
    if len(greedy):
        yield greedy
    if stuck:
        yield from _joined(aims, now, changed, margin, np.unique(np.concatenate([order[: JOINED // 2], rng.permutation(len(changed))[: JOINED // 2]])))


def _joined(aims: Aims, now: np.ndarray, changed: np.ndarray, margin: float, pool: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of changes of the pool, and pairs of pairs, that come nearest together: what whole numbers and few people leave, one at a time does not find."""
    single = changed[pool]
    pairs = np.column_stack(np.triu_indices(len(pool), 1))
    double = single[pairs[:, 0]] + single[pairs[:, 1]]
    kept = np.argsort(aims.cost(now + double, margin), kind="stable")[:JOINED]
    pairs, double = pairs[kept], double[kept]
    if not len(pairs):
        return
    fours = np.column_stack(np.triu_indices(len(pairs), 1))
    costs = aims.cost(now + double[fours[:, 0]] + double[fours[:, 1]], margin) if len(fours) else np.zeros(0)
    for best in np.argsort(costs, kind="stable")[:SEVERAL]:
        yield pool[np.unique(pairs[fours[best]])]
    for pair in pairs[:SEVERAL]:
        yield pool[pair]


def _greedy(aims: Aims, at: np.ndarray, changed: np.ndarray, margin: float, taken: np.ndarray) -> np.ndarray:
    """More changes after those `taken`, which lead to the statistics `at`: one at a time what gains most."""
    found, free, cost = list(taken), np.ones(len(changed), dtype=bool), float(aims.cost(at, margin))
    free[taken] = False
    for _ in range(MOST):
        if cost <= 0:
            break
        costs = np.where(free, aims.cost(at + changed, margin), np.inf)
        place = int(costs.argmin())
        if costs[place] >= cost * (1 - 1e-9):
            break
        found.append(place)
        free[place] = False
        at, cost = at + changed[place], float(costs[place])
    return np.array(found, dtype=np.int64)


def _programmed(aims: Aims, at: np.ndarray, changed: np.ndarray, margin: float, pool: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Changes of the pool after those `taken`, by a linear program that lets each be made in part: few are, and these are rounded as is best."""
    used = np.isfinite(aims.low) | np.isfinite(aims.high)
    half, effects = aims.half[used], changed[pool][:, used] / aims.half[used]
    m, count = len(half), len(pool)
    rows, limits = [], []
    for end, side in ((aims.high[used], 1.0), (aims.low[used], -1.0)):
        there = np.isfinite(end)
        rows.append(np.hstack([side * effects.T, -np.eye(m)])[there])
        limits.append((side * (end - at[used]) / half - margin)[there])
    price = np.concatenate([np.full(count, 1e-3), np.sqrt(aims.weight[used])])
    result = optimize.linprog(price, A_ub=np.vstack(rows), b_ub=np.concatenate(limits), bounds=[(0, 1)] * count + [(0, None)] * m)
    if result.status != 0:
        return taken
    z = result.x[:count]
    whole, parts = pool[z > 1 - 1e-6], pool[(z > 1e-6) & (z <= 1 - 1e-6)][:12]
    at = at + changed[whole].sum(axis=0)
    choices = (np.arange(2 ** len(parts))[:, None] >> np.arange(len(parts))) & 1
    best = int(aims.cost(at + choices @ changed[parts], margin).argmin()) if len(parts) else 0
    kept = parts[choices[best] == 1] if len(parts) else parts
    found = np.concatenate([taken, whole, kept]).astype(np.int64)
    return _greedy(aims, at + changed[kept].sum(axis=0), changed, margin, found)


def _prefixes(count: int) -> list[int]:
    """How many of the chosen changes to try together: all, and fewer and fewer where effects do not add up."""
    found = []
    while count >= 1:
        found.append(count)
        count //= 2
    return found


def _block(aims: Aims, now: np.ndarray, changed: np.ndarray, margin: float, size: int, most: int) -> int:
    """How many moves, at most `most`, a change should be made of, so that about a third of those tried close the widest gap."""
    if not len(changed):
        return size
    gap = np.maximum(margin - aims.slack(now), 0.0) * aims.half
    usual = np.sqrt(np.mean(np.square(np.clip(changed, -FAR, FAR)), axis=0)) / math.sqrt(size)
    moved = (usual > 0) & (gap > 0)
    if not moved.any():
        return min(2 * size, max(1, most))
    needed = float(np.max(3 * gap[moved] / (len(changed) * usual[moved]))) ** 2
    return int(min(max(1.0, needed), max(1, most)))


def _between(target: Target) -> str:
    if math.isfinite(target.low) and math.isfinite(target.high):
        least, most = math.floor(target.low) + 1, math.ceil(target.high) - 1
        if target.by["statistic"] in WHOLE and least == most:
            return str(least)
        return f"{target.low:.6g} to {target.high:.6g}"
    return f"above {target.low:.6g}" if math.isfinite(target.low) else f"below {target.high:.6g}"
