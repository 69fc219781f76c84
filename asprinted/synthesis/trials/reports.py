"""Who reports what: the trials of each pool, how many people each has in it, and with which instrument."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.design import generator
from asprinted.synthesis.trials.people import shared_out

BREADTH = 1.0  # SD of the trials' log-odds of reporting an outcome: some report many, some none
EVENNESS = 0.5  # of the spread of all trials: that of the trials of a pool whose people are printed, since its standard error wants them even
CLOSE, NEAR = 1 / 50, 1 / 4  # of the logarithm: how near the people of such a pool should come to what is wanted, all together and in each trial
ENOUGH = 1e-9  # an exchange that gains less is none
LOSSES = {"trial": 0.35, "outcome": 1 / 6, "arm": 0.1}  # SDs of the log-odds of having an outcome: between trials, a trial's outcomes, its arms
LEAST = 4  # people in an arm with an outcome
FREE = 1.3  # by which factor the people of an arm may move
SAME = (1.05, 1.15)  # and by which where the same trial's arms in another outcome are known
MOVES = 2000  # more than a search has needed


@dataclass(frozen=True)
class Left:
    """The people with an outcome, a row a trial and a column an arm, (k, 2): to start from, and bounds; total where their sum is printed."""

    sizes: np.ndarray
    least: np.ndarray
    most: np.ndarray
    total: int | None


def who_reports(study: Study, trials: pd.DataFrame) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The trials, and of each pool the positions of those in it, rising.

    Each pool has its numbers of trials of each kind. Trials differ in how many outcomes they report: some report many,
    some none. Where a pool's people are printed, its trials are chosen, and sizes exchanged between trials, so that what losses
    leave comes near: steepest descent in single exchanges.
    Raises StudyError where a kind has too few trials.
    """
    effects, column = study.design["trials"]["effects"], study.design["trials"]["people"]["column"]
    groups = _groups(study, trials)
    sizes = trials[column].to_numpy().astype(float)
    keen = BREADTH * generator(study, "trials", "breadth").standard_normal(len(trials))
    inside = np.zeros((len(effects["pools"]), len(trials)), dtype=bool)
    for number, members, count in groups:
        order = keen + generator(study, "trials", "reports", effects["pools"][number]["outcome"]).gumbel(size=len(trials))
        inside[number, members[np.argsort(-order[members], kind="stable")[:count]]] = True
    spread = EVENNESS * study.number(study.design["trials"]["people"]["spread"])
    wanted = {
        number: _wanted(study.number(pool["people"]) / study.number(effects["kept"]), int(inside[number].sum()), spread)
        for number, pool in enumerate(effects["pools"])
        if "people" in pool
    }
    for _ in range(MOVES):
        changes = {number: _changes(inside[number], sizes, rows) for number, rows in wanted.items()}
        if not (_exchanged_reports(inside, changes, groups) or _exchanged_sizes(sizes, changes)):
            break
    return trials.assign(**{column: sizes.astype(np.int64)}), [np.flatnonzero(row) for row in inside]


def _groups(study: Study, trials: pd.DataFrame) -> list[tuple[int, np.ndarray, int]]:
    """(pool, positions of the trials of one kind, how many of them are in it), for each pool and kind.

    Where a pool does not say which kinds, those are meant that no pool leaves out.
    """
    pools = study.design["trials"]["effects"]["pools"]
    named: dict[str, set[str]] = {}
    for pool in pools:
        if "by" in pool:
            named.setdefault(pool["by"], set()).update(pool["trials"])
    silent = np.zeros(len(trials), dtype=bool)
    for column, values in named.items():
        silent |= ~trials[column].astype(str).isin(values).to_numpy()
    groups = []
    for number, pool in enumerate(pools):
        for value, amount in pool["trials"].items() if "by" in pool else [("", pool["trials"])]:
            members = np.flatnonzero((trials[pool["by"]].astype(str) == value).to_numpy() if "by" in pool else ~silent)
            count = int(study.number(amount))
            if count > len(members):
                where = SEPARATOR.join(("design", "trials", "effects", "pools", str(number), "trials", *([value] if value else [])))
                raise StudyError(study.file, where, count, f"There are {len(members)} {'such trials' if 'by' in pool else 'trials of the kinds that no pool leaves out'}: change their share, or let fewer report {pool['outcome']!r}.")
            groups.append((number, members, count))
    return groups


def _wanted(people: float, k: int, spread: float) -> np.ndarray:
    """Sizes (k,) of trials with so many people in all, rising, whose logarithms are spread so."""
    sizes = np.exp(spread * special.ndtri((np.arange(k) + 0.5) / k))
    return people * sizes / sizes.sum()


def _misfit(sizes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How far trials of these sizes (…, k) are from those wanted (k,), each and all together, on the scale of the logarithm."""
    each = np.log(np.sort(sizes, axis=-1) / wanted) / NEAR
    return (each**2).sum(axis=-1) + (np.log(sizes.sum(axis=-1) / wanted.sum()) / CLOSE) ** 2


def _changes(inside: np.ndarray, sizes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """How the misfit of one pool changes, (n, n), where the size of a trial in it (row) becomes that of one that is not (column)."""
    there, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    replaced = np.broadcast_to(sizes[there], (len(there), len(others), len(there))).copy()
    replaced[np.arange(len(there)), :, np.arange(len(there))] = sizes[others]
    changes = np.zeros((len(sizes), len(sizes)))
    changes[np.ix_(there, others)] = _misfit(replaced, wanted) - _misfit(sizes[there], wanted)
    return changes


def _exchanged_reports(inside: np.ndarray, changes: Mapping[int, np.ndarray], groups: Sequence[tuple[int, np.ndarray, int]]) -> bool:
    """Let one trial report in place of another of its kind, where that is best; False where no such exchange is better."""
    best = (-ENOUGH, 0, 0, 0)
    for number, members, _ in groups:
        there, others = members[inside[number, members]], members[~inside[number, members]]
        if number in changes and len(there) and len(others):
            change = changes[number][np.ix_(there, others)]
            row, place = np.unravel_index(change.argmin(), change.shape)
            best = min(best, (float(change[row, place]), number, int(there[row]), int(others[place])))
    _, number, leaves, joins = best
    inside[number, [leaves, joins]] ^= leaves != joins
    return leaves != joins


def _exchanged_sizes(sizes: np.ndarray, changes: Mapping[int, np.ndarray]) -> bool:
    """Exchange the sizes of two trials, where that is best; False where no such exchange is better."""
    change = sum((each + each.T for each in changes.values()), np.zeros((1, 1)))
    one, other = np.unravel_index(change.argmin(), change.shape)
    if change[one, other] > -ENOUGH:
        return False
    sizes[[one, other]] = sizes[[other, one]]
    return True


def arms_of(study: Study, sizes: np.ndarray) -> np.ndarray:
    """The people randomised to each arm, (n, 2): about half of each trial's."""
    uneven = generator(study, "trials", "arms").normal(scale=np.sqrt(sizes) / 8)
    first = np.clip(np.rint(sizes / 2 + uneven), LEAST, sizes - LEAST).astype(np.int64)
    return np.column_stack([first, sizes - first])


def left(study: Study, number: int, members: np.ndarray, arms: np.ndarray, freedom: int = 1) -> Left:
    """The people of one pool's trials, at the positions `members`, whom losses leave of those randomised, (n, 2).

    Where the pool's people are printed they are shared out in proportion, exactly, and may move by the factor FREE to the
    power of `freedom`; with more of it they start more even. Else they are fixed at first, and may move by a power less.
    """
    effects = study.design["trials"]["effects"]
    pool, kept = effects["pools"][number], study.number(effects["kept"])
    people = arms[members] * shares_left(study, len(arms), members, kept, str(number))
    if "people" not in pool:
        sizes = np.clip(np.rint(people), LEAST, arms[members]).astype(np.int64)
        return free(sizes, FREE ** (freedom - 1), None)
    total = int(study.number(pool["people"]))
    sizes = shared_out(total, np.full(people.size, LEAST), people.ravel() ** (1 / freedom)).reshape(people.shape)
    return free(sizes, FREE**freedom, total)


def shares_left(study: Study, everyone: int, members: np.ndarray, kept: float, *key: str) -> np.ndarray:
    """The share of each arm, (k, 2), that has an outcome, of the trials at the positions `members` among `everyone`: about `kept`, never all."""
    own = generator(study, "trials", "losses").standard_normal(everyone)[members]
    other, of_arms = np.split(generator(study, "trials", "losses", *key).standard_normal(3 * len(members)), [len(members)])
    noise = LOSSES["trial"] * own + LOSSES["outcome"] * other
    noise = noise[:, None] + LOSSES["arm"] * of_arms.reshape(-1, 2)
    return special.expit(special.logit(kept) + np.clip(noise, -2 * LOSSES["trial"], 2 * LOSSES["trial"]))


def free(sizes: np.ndarray, factor: float | np.ndarray, total: int | None) -> Left:
    """These sizes, which may move by a factor, the same for all or one for each."""
    return Left(sizes, np.maximum(LEAST, np.floor(sizes / factor)).astype(np.int64), np.ceil(sizes * factor).astype(np.int64), total)


def as_before(people: Left, arms: np.ndarray) -> list[Left]:
    """Starts with the arms (k, 2) that trials have in another outcome, 0 where a trial has none: near them first, then freer.

    The same people answer most questionnaires, so such arms move by the factors SAME; other arms take the rest of the total.
    None where sizes are fixed, no trial is known, or those known leave the others no people.
    """
    known = arms.sum(axis=1) > 0
    if people.total is None or not known.any():
        return []
    rest = people.total - int(arms[known].sum())
    sizes = arms.copy()
    if not known.all():
        if rest < LEAST * 2 * (~known).sum():
            return []
        sizes[~known] = shared_out(rest, np.full(2 * (~known).sum(), LEAST), people.sizes[~known].ravel().astype(float)).reshape(-1, 2)
    else:
        sizes = shared_out(people.total, np.full(arms.size, LEAST), arms.ravel().astype(float)).reshape(arms.shape)
    return [free(sizes, np.where(known, factor, max(factor, FREE))[:, None], people.total) for factor in SAME]


def instruments(study: Study, inside: Sequence[np.ndarray], number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each pool the instrument of each of its trials, (k,), and the one that the trial likes next, None where it has none; number: all trials.

    At every time a trial has the same instrument for an outcome, and for outcomes with the same instruments it likes the same best.
    No instrument is in more than its share of an outcome's trials by half.
    """
    pools = study.design["trials"]["effects"]["pools"]
    shared: dict[tuple, list[int]] = {}
    for place, pool in enumerate(pools):
        shared.setdefault((pool["outcome"], *pool["instruments"]), []).append(place)
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for (_, *names), places in shared.items():
        if not names:
            found |= {place: (np.full(len(inside[place]), None),) * 2 for place in places}
            continue
        members = np.unique(np.concatenate([inside[place] for place in places]))
        liking = np.stack([generator(study, "trials", "instruments", name).random(number)[members] for name in names], axis=1)
        first = best_liked(liking, math.ceil(1.5 * len(members) / len(names)))
        liking[np.arange(len(members)), first] = -1.0
        held = np.array(names, dtype=object)
        for place in places:
            at = np.searchsorted(members, inside[place])
            found[place] = held[first[at]], held[liking.argmax(axis=1)[at]]
    return [found[place] for place in range(len(pools))]


def best_liked(liking: np.ndarray, most: int) -> np.ndarray:
    """The choice of each row of `liking` (n, m), from the strongest liking down, none chosen more than `most` times; (n,)."""
    chosen, left = np.full(len(liking), -1), np.full(liking.shape[1], most)
    for row, choice in zip(*np.unravel_index(np.argsort(-liking, axis=None, kind="stable"), liking.shape), strict=True):
        if chosen[row] < 0 and left[choice]:
            chosen[row] = choice
            left[choice] -= 1
    return chosen
