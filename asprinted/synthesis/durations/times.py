"""Times and censorings of two arms that print a hazard ratio, its interval and p value, and the medians.

Three invariances do most of the work. The Cox fit of one binary arm depends on the order of arms and events alone,
so an order is searched first. A monotone change of time common to both arms leaves that order, and puts the
medians on their printed values. What rounding to whole units then moves is repaired by small moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from asprinted.synthesis.durations.search import cost, in_order, searched
from asprinted.synthesis.durations.two_arms import Arm, Problem, Trial
from asprinted.synthesis.wald import Wald

AIM = 0.5  # how far inside its interval each number is aimed, as a share of the largest slack that there is
NEAR = 0.5  # a cost at which an order is worth more search
LOOSE = 0.4  # how much censoring may differ between the arms where no follow-up is given: SD of a log power of the uniform
STARTS = 24  # how many starts are compared, at most
BENDS = (1.0, 0.7, 1.5, 0.5, 2.0)  # factors on the shape, for starts after the first


def printing(
    reference: Arm, treated: Arm, target: Wald, rng: np.random.Generator, *,
    follow_up: tuple[float, float] | None = None, horizon: float = 0.0, until: float = math.inf,
    shape: float = 1.0, ties: str = "efron", decimals: int = 0, tries: int = 8,
) -> Trial:  # fmt: skip
    """A Trial, times in column units, whose Cox fit prints `target` and whose arms print their medians.

    follow_up: the bounds of the censoring times, uniform between them; None leaves them to the medians. horizon:
    the time by which each arm's `events` happen, with nobody censored before. until: the last time whose events the
    model counts. shape: of the Weibull times to start from. ties: efron or breslow. decimals: of the times, which are
    at least one unit. Raises ValueError with the reason, and with a proof where there is one: D events give a
    model-based standard error of at least 2/√D.
    """
    unit = 10**decimals
    bounds = None if follow_up is None else (round(follow_up[0] * unit), round(follow_up[1] * unit))
    if 0 < until <= horizon:
        reference, treated = (replace(arm, later=arm.later or 0) for arm in (reference, treated))
    problem = Problem((reference, treated), target, bounds, round(horizon * unit), until * unit, shape, ties, decimals)
    nearest = -math.inf
    for turn in range(tries):
        trial = _attempt(problem, rng, turn)
        if trial is None:
            continue
        slack = target.slack(*problem.fitted(trial))
        if slack > 0 and not any(problem.median_faults(trial)):
            return trial._replace(time=trial.time / unit if decimals else trial.time.astype(int))
        nearest = max(nearest, slack)
    if nearest > 0:
        reason = "the printed medians want another order"
    elif nearest > -math.inf:
        reason = f"the nearest was {-nearest:.2g} half widths outside an interval"
    else:
        reason = "with these counts an arm has no event, or does not reach its median"
    raise ValueError(f"no order of events was found in {tries} searches that prints every number ({reason}): change the shape, the follow-up or the events")


def _attempt(problem: Problem, rng: np.random.Generator, turn: int) -> Trial | None:
    """From the best of a few starts: an order, the change of time, the repair; in whole units. None where there is no such start.

    All starts have the problem's shape in the first `turn`, other shapes near it in later ones.
    """
    most = problem.target.interior()[0]
    starts: list[tuple[float, int, Trial, float]] = []
    for number in range(min(max(20_000 // sum(arm.people for arm in problem.arms), 1), STARTS if turn else 8)):
        shape = problem.shape * (BENDS[(turn + number) % len(BENDS)] if turn else 1.0)
        try:
            loose = LOOSE if turn and problem.follow_up is None else 0.0
            trial = _start(replace(problem, shape=shape), loose, rng)
            beta, se = problem.fitted(trial)
        except ValueError:
            continue
        if problem.follow_up is None:
            trial = _scaled(problem, trial)
        aim = AIM * max(min(most, problem.target.slack(problem.target.ratio_at(se), se)), most / 5)
        starts.append((cost(problem, trial, aim, False, beta)[0], number, trial, aim))
        if starts[-1][0] == 0:
            break
    if not starts:
        return None
    _, _, trial, aim = min(starts, key=lambda start: start[:2])
    if cost(problem, trial, aim, False)[0] > 0:
        trial = searched(replace(problem, target=problem.target.loosened()), trial, aim, rng, whole=False)
        trial = searched(problem, trial, aim, rng, whole=False)
    if None in problem.middles(trial):
        return None
    if cost(problem, trial, aim / 2, False)[0] > NEAR:
        return in_order(_whole(problem, trial))
    return searched(problem, in_order(_whole(problem, trial)), aim / 2, rng, whole=True)


# A start: Weibull times, with the exact number of events


@dataclass(frozen=True)
class _Noise:
    """The random numbers of one arm, kept while hazards are changed: two exponential (n,) and one uniform (n,).

    Each is stratified, one number in each n-th of its distribution, so that chance moves the start little.
    """

    early: np.ndarray
    late: np.ndarray
    censored: np.ndarray

    @classmethod
    def drawn(cls, people: int, loose: float, rng: np.random.Generator) -> _Noise:
        uniform = (np.argsort(rng.random((3, people)), axis=1) + rng.random((3, people))) / people
        return cls(-np.log1p(-uniform[0]), -np.log1p(-uniform[1]), uniform[2] ** math.exp(loose * rng.standard_normal()))


def _weibull(noise: np.ndarray, start: float, end: np.ndarray, events: int, shape: float) -> tuple[np.ndarray, np.ndarray]:
    """Times after `start` and whether the event happens before `end` (n,), for the hazard under which exactly `events` people have it."""
    if not len(noise):
        return noise, noise < 0
    first = start**shape
    ratio = noise / (end**shape - first)
    order = np.argpartition(ratio, (max(events - 1, 0), min(events, len(noise) - 1)))
    happens = np.zeros(len(noise), dtype=bool)
    happens[order[:events]] = True
    time = end.astype(float)
    if events:
        low = ratio[order[events - 1]]
        hazard = (low + ratio[order[events]]) / 2 if events < len(noise) else low * (1 + 1 / events)
        time[happens] = (first + noise[happens] / hazard) ** (1 / shape)
    return time, happens


def _placed(problem: Problem, noise: list[_Noise], later: tuple[int, int], tilt: float) -> Trial:
    """The start: Weibull times in both arms; `tilt` makes the treated arm's events later (above 0) or earlier."""
    times, events = [], []
    horizon = float(problem.horizon)
    low, high = problem.follow_up or (0.0, 1.0)
    for arm, drawn, number, sign in zip(problem.arms, noise, later, (-1, 1), strict=True):
        end, shape = low + (high - low) * drawn.censored, problem.shape * math.exp(sign * tilt / 2)
        if horizon:
            time, event = _weibull(drawn.early, 0.0, np.full(arm.people, horizon), arm.events, shape)
            rest = ~event
            time[rest], event[rest] = _weibull(drawn.late[rest], horizon, np.maximum(end[rest], horizon + 0.5), number, shape)
        else:
            time, event = _weibull(drawn.early, 0.0, end, number, shape)
        times.append(time)
        events.append(event)
    time, event = np.concatenate(times), np.concatenate(events)
    order = np.argsort(time, kind="stable")
    return Trial(time[order], event[order], order >= problem.arms[0].people)


def _start(problem: Problem, loose: float, rng: np.random.Generator) -> Trial:
    """A start with the fewest events that print the standard error, tilted until its hazard ratio is near the printed one."""
    noise = [_Noise.drawn(arm.people, loose, rng) for arm in problem.arms]
    slack, beta, _ = problem.target.interior()
    later, se = _later(problem, noise, beta, problem.target.errors(slack * AIM / 2)[1])
    beta = problem.target.ratio_at(se)
    low, high = -2.0, 2.0
    for _ in range(14):
        tilt = (low + high) / 2
        trial = _placed(problem, noise, later, tilt)
        found, se = problem.fitted(trial)
        if abs(found - beta) < 1e-3 * se:
            break
        low, high = (tilt, high) if found > beta else (low, tilt)
    return trial


def _later(problem: Problem, noise: list[_Noise], beta: float, most_se: float) -> tuple[tuple[int, int], float]:
    """Later events of the two arms, the fewest with a standard error of at most `most_se`, split as the hazard ratio wants; and that error."""
    arms = problem.arms
    known = all(arm.later is not None for arm in arms)
    rest = np.array([arm.people - arm.events for arm in arms])
    before = sum(arm.events for arm in arms)
    total = min(max(math.ceil(4 / most_se**2) - before if math.isfinite(most_se) else 0, 2), int(rest.sum()))
    odds = beta + math.log(max(rest[1], 1) / max(rest[0], 1))
    for _ in range(25):
        later = tuple(arm.later for arm in arms) if known else _split(arms, total, odds, rest)
        found, se = problem.fitted(_placed(problem, noise, later, 0.0))
        wanted = min(max(math.ceil((before + total) * (se / most_se) ** 2) - before, 2), int(rest.sum()))
        apart = 0.0 if problem.horizon else beta - found
        if known or (abs(apart) < se / 4 and wanted <= total <= wanted + (before + total) // 50):
            break
        odds += apart
        total = max(wanted, total + 1) if problem.horizon and wanted > total else wanted
    return later, se


def _split(arms: tuple[Arm, Arm], total: int, odds: float, rest: np.ndarray) -> tuple[int, int]:
    """Later events of both arms: `total` split by log odds among those that are free."""
    if arms[0].later is not None:
        return arms[0].later, min(max(total - arms[0].later, 0), int(rest[1]))
    if arms[1].later is not None:
        return min(max(total - arms[1].later, 0), int(rest[0])), arms[1].later
    treated = min(max(round(total / (1 + math.exp(-odds))), total - int(rest[0])), int(rest[1]))
    return total - treated, treated


# The change of time


def _scaled(problem: Problem, trial: Trial) -> Trial:
    """The trial with its times stretched so that the medians have the printed geometric mean."""
    pairs = [(value, pair) for value, pair in zip(problem.medians, problem.middles(trial), strict=True) if pair]
    if not pairs:
        return trial
    logs = [math.log(2 * value / (trial.time[i] + trial.time[j])) for value, (i, j) in pairs]
    return trial._replace(time=trial.time * math.exp(sum(logs) / len(logs)))


def _whole(problem: Problem, trial: Trial) -> Trial:
    """The trial in whole units, after one piecewise-linear change of time that puts the medians on print; the order stays, but for ties."""
    knots = []
    for value, pair in zip(problem.medians, problem.middles(trial), strict=True):
        x, y = (trial.time[place] for place in pair)
        if x == y:
            knots.append((x, value))
            continue
        total, gap = round(2 * value), round((y - x) * 2 * value / (x + y))  # two whole units with the printed mean
        low = max((total - gap) // 2, 1)
        knots += [(x, float(low)), (y, float(max(total - low, low)))]
    ends = [float(end) for end in (problem.horizon, *(problem.follow_up or ())) if end]
    fixed = [(end, end) for end in dict.fromkeys(ends) if all((x - end) * (y - end) > 0 for x, y in knots)]
    knots = [(0.0, 0.0), *sorted(knots + fixed)]
    x, y = knots[-1]
    if trial.time[-1] > x:
        knots.append((trial.time[-1], trial.time[-1] * y / x if x else trial.time[-1]))
    x, y = np.array(knots).T
    time = np.rint(np.interp(trial.time, x, np.maximum.accumulate(y)))
    if problem.horizon:
        late = trial.time > problem.horizon
        time = np.where(late, np.maximum(time, problem.horizon + 1), np.minimum(time, problem.horizon))
    if problem.follow_up:
        time = np.where(trial.event, time, np.clip(time, *problem.follow_up))
    return trial._replace(time=np.maximum(time, 1))
