"""Trials whose pooled mean difference, risk ratio, odds ratio or risk difference prints given statistics.

Mean differences are sought as standardised ones are (`arms`). Of events, real effects and risks come first, as near to those drawn as the
targets allow, and then whole counts, by changes of one trial and of two that the reference models judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np

from asprinted.models.effects import MEASURES
from asprinted.models.pooled import Pooled, between_subgroups, meta_regression, pool
from asprinted.synthesis.trials import laws
from asprinted.synthesis.trials.arms import EDGE, ENOUGH, Arms, arms_that_print, missed, unfound
from asprinted.synthesis.trials.continuous import DEPTH, Room, Trials, approached, crossed
from asprinted.synthesis.trials.targets import Band, Target, bands, sides

__all__ = ["counts_that_print", "differences_that_print", "least_error", "real_events", "slacks"]

DEPTHS = (DEPTH, 0.3, 0.1)  # the slacks aimed at, in turn: a small one where there is little room
LOOSE = 3.0  # by which factor the events of the second arms may move before they are whole
STEPS = (1, 2, 4, 8, 16)  # changes of one count
PAIRED = ((3, 4), (8, 2))  # up to so many trials, changes of two go so far; with more trials, they go by 1
JUDGED = 150  # changes of one trial and of two, the best to first order, that the models judge
ROUNDS = 60
KICKS, DEEPER = 80, 8  # searches from counts moved at random, and those where all targets are met already
FRESH = 8  # of these, each so many-th starts from other effects
SPREADS = (0.2, 0.4, 0.8)  # SDs of these moves, in turn, in what chance moves a count
NEAR = 1e-3  # what a count one standard deviation from its start weighs, against a half width missed
ALL = 300_000  # tables of one trial, up to which each is tried


def differences_that_print(start: Trials, targets: Sequence[Target], rng: np.random.Generator) -> Arms:
    """Arms whose table meets every target of pooled mean differences; as `arms.arms_that_print`, start.effects being in points of the scale.

    Effects are differences of the tables' means, and SDs of arms move a little from those drawn where targets need it. Raises ValueError as it does.
    """
    return arms_that_print(replace(start, measure="md"), targets, rng)


def counts_that_print(n: np.ndarray, events: np.ndarray, targets: Sequence[Target], rng: np.random.Generator, measure: str) -> np.ndarray:
    """Events (k, 2) in arms of n (k, 2) people that meet every target, near `events` (k, 2) and well inside the intervals.

    measure: "rr", "or" or "rd"; of the first two, targets are of ratios (`Target.ratio`). No cell of a table is empty, so that nothing hangs on
    how that is mended; one trial alone may have such a cell where no other table prints. Raises ValueError where counts cannot be, where
    it is proved that no events meet the targets, and where none were found: with what is nearest to the targets then.
    """
    n, events = np.asarray(n, dtype=np.int64), np.asarray(events, dtype=np.int64)
    if "events" not in MEASURES[measure].parts:
        raise ValueError(f"the measure {measure!r} is not of events: give {', '.join(name for name, each in MEASURES.items() if 'events' in each.parts)}")
    if n.shape != events.shape or n.shape[1:] != (2,) or (n < 2).any() or (events < 0).any() or (events > n).any():
        raise ValueError("arms and their events do not fit: give both as (k, 2), two people or more an arm, and events from 0 to the people")
    for target in targets:
        if target.ratio != MEASURES[measure].ratio:
            raise ValueError(f"{target.says}: it is of {'ratios' if target.ratio else 'differences'}, but the measure is {measure!r}: give such targets")
    if reason := crossed(targets, lambda rows: least_error(n[rows], measure)):
        raise ValueError(reason)
    search = _Search(n, np.clip(events, 1, n - 1), bands(targets), measure)
    if len(n) == 1 and (n + 1).prod() <= ALL:
        return _one_of_all(search, targets)
    best = search.whole(search.real(search.start), DEPTH)
    slack, chance = search.slack(best[None])[0], np.sqrt(search.start * (1 - search.start / n))
    for kick in range(KICKS):
        if slack >= ENOUGH or (slack > EDGE and kick >= DEEPER):
            break
        if kick % FRESH == FRESH - 1:
            start = search.real(np.clip(rng.binomial(n, search.start / n), 1, n - 1))
        else:
            start = np.clip(best + np.rint(chance * rng.normal(0, SPREADS[kick % len(SPREADS)], n.shape)).astype(np.int64), 1, n - 1)
        found = search.whole(start, DEPTHS[kick // len(SPREADS) % len(DEPTHS)])
        best, slack = max((best, slack), (found, search.slack(found[None])[0]), key=lambda each: each[1])
    unmet = _missed(search, targets, best)
    if unmet or slack <= EDGE:
        raise unfound("events", targets, "; ".join(unmet), KICKS + 1)
    return best


def real_events(n: np.ndarray, start: np.ndarray, found: Sequence[Band], measure: str) -> tuple[np.ndarray, float]:
    """Whole events (k, 2) next to real ones that are near `start` (k, 2) and inside the bands, and the least slack of these, not positive where none were found."""
    first, second = n.T.astype(float)
    room = Room(np.column_stack([first, np.maximum(start[:, 1] / LOOSE, 0.7)]), np.column_stack([first, np.minimum(start[:, 1] * LOOSE, second - 0.7)]))
    y, _ = MEASURES[measure].of(n[:, 0], start[:, 0], n[:, 1], start[:, 1])
    y, moved, slack = approached(room, found, y, np.column_stack([first, start[:, 1]]), laws.events(measure, n))
    real = np.column_stack([laws.first_events(measure, n, y, moved[:, 1])[0], moved[:, 1]])
    return np.clip(np.rint(real).astype(np.int64), 1, n - 1), slack


def slacks(found: Sequence[Band], y: np.ndarray, v: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How far inside each closed end of each band effects y and variances v (m, k) are, in its half widths, by the reference models; (s, m).

    n: people in the arms, (k, 2) or (m, k, 2); that of the first is taken where a regression of small trials needs them.
    """
    unit = np.sqrt((1 / n.reshape(-1, *n.shape[-2:])[0]).sum(1))

    @cache
    def pooled(rows: bytes, model: tuple) -> Pooled:
        at = np.frombuffer(rows, bool)
        return pool(y[:, at], v[:, at], **dict(model))

    lines = []
    for band in found:
        rows, model = band.target.rows.tobytes(), tuple(band.target.model.items())
        if band.statistic in ("egger", "egger_t"):
            at = band.target.rows
            line = meta_regression(y[:, at], v[:, at], np.column_stack([np.ones(at.sum()), unit[at]]), "common", "knapp-hartung")
            value = line.beta[:, 1] / (np.sqrt(line.cov[:, 1, 1]) if band.statistic == "egger_t" else 1.0)
        elif band.statistic == "root_between":
            groups = [pooled(each.tobytes(), model) for each in band.target.others]
            value = np.sqrt(between_subgroups(np.stack([each.est for each in groups], -1), np.stack([each.se for each in groups], -1)).q)
        elif band.statistic == "lead":
            value = pooled(rows, model).est - np.max([pooled(each.tobytes(), model).est for each in band.target.others], axis=0)
        elif band.statistic == "t":
            value = pooled(rows, model).est / pooled(rows, model).se
        else:
            value = getattr(pooled(rows, model), band.statistic)
        size = np.abs(value) if band.statistic in ("t", "egger_t") else value
        lines += [((band.sign * value if band.sign else size) - band.low) / band.half] if np.isfinite(band.low) else []
        lines += [(band.high - size) / band.half] if np.isfinite(band.high) else []
    return np.array(lines).reshape(-1, len(y))


def least_error(n: np.ndarray, measure: str) -> tuple[float, str]:
    """The least standard error of a pool of arms of n (k, 2), as `crossed` takes it: of a log odds, 1/a + 1/b is at least 4/n, or 4/(n + 1) with 0.5 added."""
    weight = (1 / (4 / (n + 1)).sum(1)).sum()
    return (float(1 / np.sqrt(weight)) if measure == "or" else 0.0), f"{int(n.sum())} people is at least {{:.5f}}, since the log odds of n people vary by 4/(n + 1) at least"


def _missed(search: _Search, targets: Sequence[Target], events: np.ndarray) -> list[str]:
    return missed(targets, *search.effects(events), search.n.astype(float))


def _one_of_all(search: _Search, targets: Sequence[Target]) -> np.ndarray:
    """The best of all tables of one trial. Raises ValueError, which is a proof, where none meets the targets."""
    n1, n2 = search.n[0]
    tables = np.stack(np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij"), -1).reshape(-1, 1, 2)
    tables = tables[np.isfinite(search.effects(tables)[0]).all(1)]
    empty = ((tables == 0) | (tables == search.n)).any((1, 2))
    slack = search.slack(tables)
    order = np.lexsort([search.cost(tables, DEPTH), empty, slack <= EDGE])
    for place in order[slack[order] > -EDGE]:  # a table on the border of two roundings too, if there is no other
        if not _missed(search, targets, tables[place]):
            return tables[place]
    says, nearest = ", ".join(dict.fromkeys(each.says for each in targets)), "; ".join(_missed(search, targets, tables[slack.argmax()]))
    raise ValueError(f"{says}: none of the {len(tables)} tables of {n1} and {n2} people prints this; the nearest misses it so: {nearest}")


def _changed(events: np.ndarray, choice: np.ndarray, trial: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Events (…, k, 2) once for each of m changes, (m, k, 2): those of one trial (m,) become the choice (k, c, 2) at a place (m,)."""
    after = np.broadcast_to(events, (len(trial), *choice.shape[::2])).copy()
    after[np.arange(len(trial)), trial] = choice[trial, place]
    return after


def _lacking(slack: np.ndarray, depth: float) -> np.ndarray:
    """0 where every slack is as deep; slacks along the first axis."""
    return (np.maximum(depth - slack, 0) ** 2).sum(0)


def _smallest(costs: np.ndarray) -> np.ndarray:
    """The places, in the flat array, of the JUDGED smallest costs."""
    near = np.argpartition(costs, min(JUDGED, costs.size) - 1, axis=None)[:JUDGED]
    return near[np.argsort(costs.ravel()[near], kind="stable")]


@dataclass(frozen=True)
class _Search:
    """A search for events (k, 2), from a start, in arms of n (k, 2), inside bands of a pool of this measure."""

    n: np.ndarray
    start: np.ndarray
    found: Sequence[Band]
    measure: str

    def real(self, start: np.ndarray) -> np.ndarray:
        """Whole events next to real ones that are inside the bands and near `start`."""
        return real_events(self.n, start, self.found, self.measure)[0]

    def whole(self, events: np.ndarray, depth: float) -> np.ndarray:
        """Events after changes of one trial or of two, each the best of those that are best to first order, until none is better."""
        k = len(self.n)
        each = np.array([pair for pair in product(*2 * [[0, *(side * step for step in STEPS for side in (-1, 1))]]) if any(pair)])
        widest = next((step for most, step in PAIRED if k <= most), 1)
        trial, step = (grid.ravel() for grid in np.meshgrid(np.arange(k), np.flatnonzero(np.abs(each).max(1) <= widest), indexing="ij"))
        same = trial[:, None] >= trial
        cost = self.cost(events[None], depth)[0]
        for _ in range(ROUNDS):
            choice = np.clip(events[:, None] + each, 1, self.n[:, None] - 1)
            slack, changes, away = self._linear(events, choice)
            one = _lacking(slack[:, None, None] + changes, depth) + NEAR * away
            others = [_changed(events, choice, *np.unravel_index(_smallest(one), one.shape))]
            if k > 1:
                small = changes[:, trial, step]
                two = _lacking(slack[:, None, None] + small[:, :, None] + small[:, None, :], depth) + NEAR * (away[trial, step][:, None] + away[trial, step])
                i, j = np.unravel_index(_smallest(np.where(same, np.inf, two)), two.shape)
                others.append(_changed(_changed(events, choice, trial[i], step[i]), choice, trial[j], step[j]))
            others = np.concatenate(others)
            costs = self.cost(others, depth)
            if costs.min() >= cost - 1e-9:
                break
            events, cost = others[costs.argmin()], costs.min()
        return events

    def _linear(self, events: np.ndarray, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Slacks (s,), by how much every choice (k, c, 2) changes them to first order, (s, k, c), and by how much the way from the start, (k, c)."""
        y, v = self.effects(events)
        others = [each.T for each in self.effects(choice.swapaxes(0, 1))]
        slack, moves = sides(self.found, y, self.n.astype(float), law=laws.held(v, self.n))
        slack, moves = slack[kept := np.isfinite(slack)], moves[kept]
        changes = moves[:, 0, :, None] * (others[0] - y[:, None]) + moves[:, 3, :, None] * (others[1] - v[:, None])
        return slack, changes, self._ways(choice.swapaxes(0, 1)).T - self._ways(events)[:, None]

    def effects(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Effects and variances (…, k) of events (…, k, 2)."""
        return MEASURES[self.measure].of(self.n[:, 0], events[..., 0], self.n[:, 1], events[..., 1])

    def _ways(self, events: np.ndarray) -> np.ndarray:
        """How far events (…, k, 2) of each trial are from the start, in squares of what chance takes them; (…, k)."""
        return ((events - self.start) ** 2 / (self.start * (1 - self.start / self.n))).sum(-1)

    def cost(self, events: np.ndarray, depth: float) -> np.ndarray:
        """What events (m, k, 2) lack of the depth, and a little for their way from the start; (m,)."""
        return _lacking(self._slacks(events), depth) + NEAR * self._ways(events).sum(1)

    def slack(self, events: np.ndarray) -> np.ndarray:
        """The least slack of events (m, k, 2); (m,)."""
        return self._slacks(events).min(0, initial=np.inf)

    def _slacks(self, events: np.ndarray) -> np.ndarray:
        """How far inside each closed end of each band events (m, k, 2) are, in its half widths, by the reference models; (s, m)."""
        return slacks(self.found, *self.effects(events), self.n)
