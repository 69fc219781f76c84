"""The order of events in two arms, which is all that a Cox model of one binary arm depends on.

Every function takes people sorted by time, events before censorings where times are equal. At each event the
model sees how many people of either arm are at risk; its information there is p(1 − p), where p is the treated
arm's share of the hazard at risk. So D events give a standard error of at least 2/√D.
"""

from __future__ import annotations

import math

import numpy as np

TIES = ("efron", "breslow")


def risk_sets(time: np.ndarray, event: np.ndarray, arm: np.ndarray, ties: str = "efron") -> tuple[np.ndarray, np.ndarray]:
    """People at risk at each event, (D,) in the reference arm and (D,) in the treated arm.

    time: (n,) ascending; event and arm: (n,) of True and False. With Efron's rule (1977, J Am Stat Assoc 72:557) the
    events of one time leave the risk set one part after the other; with Breslow's they all stay in it.
    """
    times = time[event]
    first = np.searchsorted(time, times)
    treated = np.cumsum(arm[::-1])[::-1][first].astype(float)
    reference = len(time) - first - treated
    if ties == "efron" and len(times) and (times[1:] == times[:-1]).any():
        gone, starts, sizes = _gone(times)
        of_treated = np.repeat(np.add.reduceat(arm[event].astype(float), starts), sizes)
        treated -= gone * of_treated
        reference -= gone * (np.repeat(sizes, sizes) - of_treated)
    return reference, treated


def _gone(times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For events at ascending `times`: the share of its tie that has left before each (D,), where ties start, their sizes."""
    starts = np.flatnonzero(np.append(True, times[1:] != times[:-1]))
    sizes = np.diff(np.append(starts, len(times)))
    return (np.arange(len(times)) - np.repeat(starts, sizes)) / np.repeat(sizes, sizes), starts, sizes


def log_hazard_ratio(reference: np.ndarray, treated: np.ndarray, events: float, start: float = 0.0, precision: float = 1e-9) -> tuple[float, float]:
    """The log hazard ratio of the treated arm and its model-based standard error, by Newton's method.

    reference, treated: (D,) people at risk at each event; events: how many of the D are of the treated arm.
    Raises ValueError where the partial likelihood has no maximum.
    """
    beta = start
    for _ in range(30):
        hazard = treated * math.exp(beta)
        share = hazard / (reference + hazard)
        total = float(share.sum())
        information = total - float(share @ share)
        if information <= 1e-12 * len(share):
            break
        step = (events - total) / information
        beta += min(max(step, -2.0), 2.0)
        if abs(step) < precision:
            return beta, 1 / math.sqrt(information)
        if abs(beta) > 20:
            break
    raise ValueError(f"the log hazard ratio has no finite estimate: {events:g} of {len(reference)} events are in the treated arm")


def cox(
    time: np.ndarray, event: np.ndarray, arm: np.ndarray, ties: str = "efron", start: float = 0.0, precision: float = 1e-9
) -> tuple[float, float]:
    """The log hazard ratio and its model-based standard error; arguments as of `risk_sets` and `log_hazard_ratio`, which raises."""
    return log_hazard_ratio(*risk_sets(time, event, arm, ties), int((event & arm).sum()), start, precision)


def score_residuals(time: np.ndarray, event: np.ndarray, arm: np.ndarray, beta: float, ties: str = "efron") -> np.ndarray:
    """Each person's score residual (n,) at log hazard ratio `beta`; their squared sums by cluster make the robust variance.

    Lin and Wei 1989, J Am Stat Assoc 84:1074, eq. 2.2, with the risk sets of the rule for ties.
    """
    reference, treated = risk_sets(time, event, arm, ties)
    ratio = math.exp(beta)
    at_risk = reference + treated * ratio
    share = treated * ratio / at_risk
    times = time[event]
    gone, starts, sizes = _gone(times)
    if ties != "efron":
        gone = np.zeros_like(gone)
    last = np.searchsorted(times, time, side="right")
    residuals = np.zeros(len(time))
    for value, members in ((0, ~arm), (1, arm)):
        rise = ratio**value * (value - share) / at_risk
        residuals[members] -= np.append(0.0, np.cumsum(rise))[last[members]]
        own = value - np.repeat(np.add.reduceat(share, starts) / sizes, sizes) + np.repeat(np.add.reduceat(gone * rise, starts), sizes)
        residuals[event & members] += own[arm[event] == value]
    return residuals


def survival_middle(event: np.ndarray) -> tuple[int, int] | None:
    """The places of the two events whose mean time is one arm's Kaplan–Meier median; None where it is not reached.

    event: (n,) of one arm in the order of time. The two are the same event, except where survival stays at exactly
    one half until the second (the midpoint is taken there, as R's survfit does).
    """
    survival = np.cumprod(1 - event / np.arange(len(event), 0, -1))
    first = int(np.searchsorted(-survival, -0.5 - 1e-9))
    if first == len(event):
        return None
    if abs(survival[first] - 0.5) > 1e-9:
        return first, first
    later = int(np.searchsorted(-survival, -0.5 + 1e-9))
    return first, later if later < len(event) else first


def robust_error(residuals: np.ndarray, groups: np.ndarray, se: float) -> float:
    """The standard error robust by group, from score residuals (n,) and the model-based `se`; group −1: a group of one's own."""
    return se**2 * math.sqrt(_within(residuals, groups)[1])


def _within(residuals: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, float]:
    """Each group's sum of residuals, and the sum of squares over groups and people without one."""
    member = groups >= 0
    sums = np.bincount(groups[member], residuals[member])
    return sums, float(sums @ sums + residuals[~member] @ residuals[~member])


def regrouped(
    residuals: np.ndarray, groups: np.ndarray, sites: np.ndarray, se: float, low: float, high: float, rng: np.random.Generator
) -> np.ndarray:
    """Groups (n,) with the robust standard error between `low` and `high`, after exchanges between two people of one site.

    Nothing but the labels moves, so every group keeps its size and its site, and the log hazard ratio and its
    model-based error `se` stay. residuals: (n,) score residuals. groups: (n,) codes, −1 for none. sites: (n,) codes.
    Raises ValueError with the nearest error reached.
    """
    groups = groups.copy()
    members = np.flatnonzero(groups >= 0)
    wanted = ((low + high) / 2 / se**2) ** 2
    sums, total = _within(residuals, groups)
    for _ in range(20 * len(members)):
        if low <= se**2 * math.sqrt(total) <= high:
            return groups
        one, other = members[rng.integers(len(members), size=(2, 200))]
        step = residuals[other] - residuals[one]
        change = 2 * step * (sums[groups[one]] - sums[groups[other]] + step)
        change[(sites[one] != sites[other]) | (groups[one] == groups[other])] = 0.0
        best = int(np.argmin(np.abs(total + change - wanted)))
        if abs(total + change[best] - wanted) >= abs(total - wanted):
            continue
        first, second = one[best], other[best]
        groups[first], groups[second] = groups[second], groups[first]
        sums, total = _within(residuals, groups)
    raise ValueError(f"no exchange of groups within sites gives a robust standard error of {low:.4f} to {high:.4f}: the nearest was {se**2 * math.sqrt(total):.4f}")
