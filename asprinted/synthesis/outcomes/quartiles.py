"""Values bent so that they have the printed median and quartiles: one rising curve through the few people that decide them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from asprinted.synthesis.outcomes.moves import Moves

SHARES = {"q1": 1 / 4, "median": 1 / 2, "q3": 3 / 4}
REACH = 50  # steps between two neighbours that are tried


def quartered(values: np.ndarray, wanted: Mapping[str, tuple[float, float]], step: float, low: float, high: float) -> np.ndarray:
    """`values` (n,) on steps from low to high, in the order that they had, with each quantile in its interval where one was found.

    wanted: median, q1, q3 or iqr, by pandas' linear rule, and the interval of each. A distance of the quartiles that is printed alone is laid
    around the median as it lay before. Between the people that decide the quantiles the curve is straight, beyond them it keeps to the scale.
    """
    order = np.sort(values)
    n, goals = len(order), {name: ends for name, ends in wanted.items() if name in SHARES}
    if n < 4 or not wanted:
        return _on_steps(values, step, low, high)
    knots: dict[int, float] = {}

    def tie(name: str, ends: tuple[float, float]) -> float:
        place = (n - 1) * SHARES[name]
        below, share = math.floor(place), place - math.floor(place)
        first, second = neighbours(ends, share, step)
        knots.setdefault(below, first)
        if share:
            knots.setdefault(below + 1, second)
        return (1 - share) * first + share * second

    middle = tie("median", goals.pop("median")) if "median" in goals else float(np.median(order))
    if "iqr" in wanted and not goals:
        q1, q3 = np.quantile(order, (SHARES["q1"], SHARES["q3"]))
        width = sum(wanted["iqr"]) / 2
        start = middle - width * (np.median(order) - q1) / max(q3 - q1, step)
        lower = tie("q1", (start - step / 2, start + step / 2))
        tie("q3", (lower + wanted["iqr"][0], lower + wanted["iqr"][1]))
    for name, ends in goals.items():
        tie(name, ends)
    if not knots:
        return _on_steps(values, step, low, high)
    at = np.array(sorted(knots))
    to = np.maximum.accumulate(np.array([knots[place] for place in at]))
    bent = np.interp(values, order[at], to)
    for end, side, bound in ((0, -1, low), (-1, 1, high)):
        beyond = (values - order[at[end]]) * side > 0
        reach = float(((values[beyond] - order[at[end]]) * side).max()) if beyond.any() else 1.0
        slope = (to[-1] - to[0]) / max(order[at[-1]] - order[at[0]], step) if len(at) > 1 else 1.0
        slope = min(slope, (bound - to[end]) * side / max(reach, step / 2)) if math.isfinite(bound) else slope
        bent[beyond] = to[end] + slope * (values[beyond] - order[at[end]])
    return _on_steps(bent, step, low, high)


def hops(codes: np.ndarray, rows: np.ndarray, cuts: Mapping[int, np.ndarray], step: float) -> Moves:
    """One of the `rows` goes anywhere between the two values of its cell's `cuts` that it stands between, so that no quantile there moves.

    codes: (n,) cells, of all rows; cuts: cell → rising values, the bounds of the scale or of the sample among them.
    """

    def moves(y: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = rng.permutation(rows)[:count]
        chosen = chosen[np.isfinite(y[chosen])]
        values = y[chosen].copy()
        for cell, at in cuts.items():
            own = codes[chosen] == cell
            place = np.searchsorted(at, values[own])
            inside = (place > 0) & (place < len(at)) & ~np.isin(values[own], at)
            below, above = at[np.clip(place - 1, 0, len(at) - 1)], at[np.clip(place, 0, len(at) - 1)]
            drawn = below + step * (1 + np.floor(rng.random(len(place)) * np.maximum(np.rint((above - below) / step) - 1, 0)))
            values[own] = np.where(inside & (drawn < above - step / 2), drawn, values[own])
        kept = values != y[chosen]
        return chosen[kept, None], values[kept, None]

    return moves


def cuts_of(values: np.ndarray, step: float, low: float, high: float) -> np.ndarray:
    """The values of a cell that its quartiles are made of, and ends beyond its least and greatest that keep to the scale; rising."""
    order, places = np.sort(values), (len(values) - 1) * np.array(list(SHARES.values()))
    kept = order[np.unique(np.concatenate([np.floor(places), np.ceil(places)]).astype(int))]
    return np.unique(np.concatenate([[max(order[0], low) - step], kept, [min(order[-1], high) + step]]))


def neighbours(ends: tuple[float, float], share: float, step: float) -> tuple[float, float]:
    """Two values on steps, the lower first, between which a quantile at that share of the way lies inside the interval; the nearest two there are."""
    middle = sum(ends) / 2
    for apart in range(REACH):
        lower = math.floor((middle - share * apart * step) / step + 0.5) * step
        for first in (lower, lower - step, lower + step):
            if ends[0] < first + share * apart * step < ends[1]:
                return first, first + apart * step
        if not share:
            break
    nearest = round(middle / step) * step
    return nearest, nearest


def _on_steps(values: np.ndarray, step: float, low: float, high: float) -> np.ndarray:
    return np.round(np.clip(np.rint(values / step) * step, low, high), max(0, round(-math.log10(step))))
