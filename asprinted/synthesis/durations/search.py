"""Small moves through the orders of two arms until every printed number has the slack aimed at."""

from __future__ import annotations

import math

import numpy as np

from asprinted.synthesis.durations.two_arms import Problem, Trial


def cost(problem: Problem, trial: Trial, aim: float, whole: bool, start: float = 0.0) -> tuple[float, float]:
    """(cost, log hazard ratio): 0 where every number has the slack aimed at and the medians are in place.

    whole: times are whole units, and the medians must print; else their order and distance must allow it.
    """
    try:
        beta, se = problem.fitted(trial, start, 1e-5)
    except ValueError:
        return math.inf, start
    value = sum(max(aim - slack, 0.0) for slack in problem.target.slacks(beta, se))
    if whole:
        return value + sum(min(fault, 1e3) for fault in problem.median_faults(trial)), beta
    return value + 3 * order_fault(problem, trial), beta


def order_fault(problem: Problem, trial: Trial) -> float:
    """How far the two medians are from an order and a distance that a mild change of time can put on print; 0 where it can."""
    middles = problem.middles(trial)
    if None in middles:
        return 4.0
    if len(middles) < 2:
        return 0.0
    wanted = float(np.subtract(*problem.medians))
    found = float(np.subtract(*((trial.time[i] + trial.time[j]) / 2 for i, j in middles)))
    found = found if wanted >= 0 else -found
    low, high = (abs(wanted) / 3, 3 * abs(wanted)) if wanted else (-0.5, 0.5)
    return max(low - found, found - high, 0.0) / max(abs(wanted), 5.0)


def searched(problem: Problem, trial: Trial, aim: float, rng: np.random.Generator, whole: bool) -> Trial:
    """The best trial met by simulated annealing on the cost; every count of people and events is kept.

    whole: times are whole units, and may move too.
    """
    now, beta = cost(problem, trial, aim, whole)
    best, least = trial, now
    steps = int(min(max(2e6 / len(trial.time), 60), 2500))
    for step in range(steps):
        if least <= 0:
            break
        shift = whole and rng.random() < 0.4
        moved = _shifted(problem, trial, rng) if shift else _exchanged(problem, trial, rng, whole)
        after, found = cost(problem, moved, aim, whole, beta)
        heat = 0.2 * min(least, 1.0) * (1 - step / steps)
        if after <= now or rng.random() < math.exp((now - after) / max(heat, 1e-12)):
            trial, now, beta = moved, after, found
            if now < least:
                best, least = trial, now
    return best


def in_order(trial: Trial) -> Trial:
    """A trial in whole units put in the order of time, events first where times are equal."""
    order = np.argsort(2 * trial.time - trial.event, kind="stable")
    return Trial(trial.time[order], trial.event[order], trial.arm[order])


def _exchanged(problem: Problem, trial: Trial, rng: np.random.Generator, whole: bool) -> Trial:
    """A neighbour of the trial: arms exchanged between people alike but for time, or events with censorings within an arm.

    One exchange moves the hazard ratio; two over the same distance in opposite directions move the standard error
    and hardly the ratio.
    """
    events = rng.random() < 0.3
    column, kept = (trial.event.copy(), trial.arm) if events else (trial.arm.copy(), trial.event)
    same = kept + 2 * (trial.time > problem.horizon)
    if events and problem.follow_up:
        same = np.where(trial.time < problem.follow_up[0], 4 + trial.event, same)  # nobody may be censored there
    n = len(column)
    stride = min(int(n ** rng.random()), n - 1)
    size = int((1 + n / 200) ** rng.random())
    side = bool(rng.integers(2))
    for turn in range(1 + (rng.random() < 0.7)):
        before = side ^ bool(turn)
        first = rng.integers(n - stride, size=12 * size)
        second = first + stride
        first = first[(column[first] == before) & (column[second] != before) & (same[first] == same[second])][:size]
        column[first], column[first + stride] = not before, before
    if not events:
        return trial._replace(arm=column)
    return in_order(trial._replace(event=column)) if whole else trial._replace(event=column)


def _shifted(problem: Problem, trial: Trial, rng: np.random.Generator) -> Trial:
    """The trial with one person's time moved by few units, often near a median; as it was where that would leave its bounds."""
    middles = [place for pair in problem.middles(trial) if pair for place in pair]
    place = int(rng.integers(len(trial.time)))
    if middles and rng.random() < 0.7:
        place = min(max(middles[rng.integers(len(middles))] + int(rng.integers(-2, 3)), 0), len(trial.time) - 1)
    now = trial.time[place]
    then = now + rng.choice((-1, 1)) * (1 + int(rng.exponential()))
    low, high = problem.follow_up if problem.follow_up and not trial.event[place] else (1, problem.follow_up[1] if problem.follow_up else math.inf)
    if then < max(low, 1) or then > high or (then > problem.horizon) != (now > problem.horizon):
        return trial
    time = trial.time.copy()
    time[place] = then
    return in_order(trial._replace(time=time))
