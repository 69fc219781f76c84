"""Counts of events in cells of people whose logistic fit prints ratios, their intervals and their p values.

Of the data the fit sees only X′y (McCullagh and Nelder 1989, Generalized Linear Models, 4.4), so counts are searched and
never rows, at a cost that does not depend on how many people there are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from asprinted.consistency.conflict import smallest_conflicts
from asprinted.printed import Interval
from asprinted.synthesis.events.divisions import Cells
from asprinted.synthesis.wald import EDGE, Wald, wald

DEPTHS = (0.5, 0.25, 0.1, 0.03)  # how deep inside the printed intervals to aim, deepest first: 1 is their common middle, 0 an end
PROOF = 60_000  # so many divisions of the events, or fewer, are all tried
DRAWS, FITS = 10_000, 1_000  # whole-number divisions drawn in a round, and how many of them, those foreseen deepest, are fitted
SPREADS = (0.5, 0.7, 1.0, 1.5, 2.0)  # SD, in events, of the noise in each round of draws
AIMS = (*((depth, 0.0) for depth in DEPTHS), *((0.25, jitter) for jitter in (0.1, 0.2, 0.4, 0.8) for _ in range(10)))  # depth, jitter


@dataclass(frozen=True)
class Target:
    """A claim about one contrast, weights (p,) on the coefficients: its statistic, as `wald` names them, lies in the interval.

    text: as printed, for messages.
    """

    claim: str
    text: str
    statistic: str
    weights: np.ndarray
    interval: Interval


def yes_counts(
    people: np.ndarray, X: np.ndarray, arms: np.ndarray, totals: Sequence[int | None], shares: np.ndarray,
    targets: Sequence[Target], level: float, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Events in each cell, (C,) whole numbers from 0 to `people`, whose logistic fit meets every target.

    people: (C,) whole numbers above 0; X: (C, p) the design, a row a cell; arms: (C,) codes 0 … A − 1; totals: (A,)
    events of each arm, None where free; shares: (C,) assumed shares of people with the event, moved by arm on the
    log-odds scale to meet the totals. The fit is maximum likelihood, its test and interval Wald's with a normal reference.

    First come the real-valued counts nearest to the shares (chi²) that lie well inside every interval, then whole numbers
    around them, many fitted at once. The deepest aim inside the intervals is taken that lies no further from the shares
    than chance would put it, else the nearest to the shares. Where there are few divisions of the events, all are tried.

    Raises ValueError that names the claims: with a proof where no estimate and standard error print them together, or
    where every division of the events was tried; else with the nearest that was found.
    """
    known = np.array([math.nan if total is None else total for total in totals], dtype=float)
    for arm, total in enumerate(known):
        if not np.isnan(total) and not 0 <= total <= people[arms == arm].sum():
            raise ValueError(f"{total:.0f} events among {people[arms == arm].sum()} people: give from none to all of them")
    if np.linalg.matrix_rank(X) < X.shape[1]:
        raise ValueError(f"the design has rank {np.linalg.matrix_rank(X)} for {X.shape[1]} coefficients: a level has no cell")
    contrasts = np.unique([target.weights for target in targets], axis=0) if targets else np.zeros((0, X.shape[1]))
    cells = Cells(people, X, arms, known, contrasts)
    begin = cells.events(special.logit(np.clip(shares, 1e-6, 1 - 1e-6)))
    if not targets:
        return cells.whole(begin[None])[0]
    places = cells.places(begin[None])[0]
    if not np.isfinite(places).all():
        raise ValueError("the logistic model has no finite estimate: in some arm or level every outcome would be the same")
    choices = []
    for weights, place in zip(contrasts, places, strict=True):
        printed = together([target for target in targets if np.array_equal(target.weights, weights)], level)
        choices.append(sorted(polygons(printed, place[1]), key=lambda polygon: -polygon.depth(place)))
    search, every = _Search(cells, begin, np.maximum(begin * (1 - begin / people), 0.1)), cells.every(PROOF)
    nearest = (-math.inf, begin)
    for within in itertools.product(*choices):
        found = search.found(within, rng) if every is None else search.best(within, every)
        if found[0] >= EDGE:
            return found[1]
        nearest = max(nearest, found, key=lambda each: each[0])
    shown = "; ".join(_shown(*place, printed.quantile) for place in cells.places(nearest[1][None])[0])
    if every is None:
        raise ValueError(f"no division of the events was found that prints {_named(targets)}, which is no proof that there is none; the nearest gives {shown}")
    raise ValueError(f"none of the {len(every)} possible divisions of the events prints {_named(targets)}; the nearest gives {shown}")


def together(targets: Sequence[Target], level: float) -> Wald:
    """What the targets of one contrast print together. Raises ValueError that names the smallest sets of them that no estimate and standard error print."""

    def of(some: Sequence[Target]) -> Wald:
        return wald([(target.statistic, target.interval) for target in some], level)

    try:
        printed = of(targets)
    except ValueError as error:
        raise ValueError(f"{_named(targets)}: {error}") from None
    if not printed.possible():
        sets = smallest_conflicts(range(len(targets)), lambda some: not of([targets[place] for place in some]).possible())
        clashes = ([targets[place] for place in some] for some in sets)
        raise ValueError(f"no estimate and standard error print these together: {'; or '.join(map(_named, clashes))}")
    return printed


def _named(targets: Sequence[Target]) -> str:
    return ", ".join(f"{target.claim} {target.text}" for target in targets)


def _shown(log_ratio: float, error: float, quantile: float) -> str:
    low, high = (math.exp(log_ratio + side * quantile * error) for side in (-1, 1))
    return f"ratio {math.exp(log_ratio):.5f} ({low:.5f} to {high:.5f}), SE {error:.5f}, p {2 * special.ndtr(-abs(log_ratio) / error):.6f}"


@dataclass(frozen=True)
class Polygon:
    """The pairs q = (log ratio, SE) with lines (m, 2) @ q ≤ limits (m,), both in units of depth."""

    lines: np.ndarray
    limits: np.ndarray

    def depth(self, pairs: np.ndarray) -> np.ndarray:
        """How deep inside each of the pairs (…, 2) is: 1 in the middle, 0 at an end, negative outside; inf where nothing is printed."""
        return (self.limits - pairs @ self.lines.T).min(axis=-1, initial=math.inf)


def polygons(printed: Wald, error: float) -> list[Polygon]:
    """The Polygon of each sign of the log ratio that has one: its middle is that of the standard errors near `error`, where it reaches them.

    From a number that is open to one side, a twentieth of `error` is deep enough.
    """
    found = []
    for sign in printed.signs:
        corners = printed.region(sign, EDGE)
        if corners:
            table = np.array(printed.lines(sign)).reshape(-1, 4)
            lines, limits, ends = table[:, :2], table[:, 2], table[:, 3] > 0
            middle = np.mean(printed.region(sign, EDGE, (error / 2, 2 * error)) or corners, axis=0)
            units = np.minimum(np.maximum(limits - lines @ middle, 1e-12), np.where(ends, error / 20, math.inf))
            found.append(Polygon(lines / units[:, None], limits / units))
    return found


def _depth(within: Sequence[Polygon], places: np.ndarray) -> np.ndarray:
    """How deep places (…, K, 2) are within the K polygons: the least over contrasts, −inf where there is no fit."""
    depth = np.min([polygon.depth(places[..., number, :]) for number, polygon in enumerate(within)], axis=0)
    return np.where(np.isnan(depth), -math.inf, depth)


@dataclass(frozen=True)
class _Search:
    """The cells and `begin`, the real-valued events (C,) at the assumed shares, with their variance (C,) by chance."""

    cells: Cells
    begin: np.ndarray
    variance: np.ndarray

    def distance(self, counts: np.ndarray) -> np.ndarray:
        """How far counts (…, C) are from the assumed shares: chi², of the order of C where chance alone would put them as far."""
        return ((counts - self.begin) ** 2 / self.variance).sum(axis=-1)

    def best(self, within: Sequence[Polygon], counts: np.ndarray) -> tuple[float, np.ndarray]:
        """(depth, counts (C,)) of the one that is chosen among counts (B, C), as `yes_counts` says."""
        places = np.vstack([self.cells.places(part) for part in np.array_split(counts, len(counts) // 4096 + 1)])
        depth, far = _depth(within, places), self.distance(counts)
        for aim, reach in [*((aim, counts.shape[1]) for aim in DEPTHS), (DEPTHS[-1], math.inf)]:
            good = (depth >= aim / 2) & (far <= reach)
            if good.any():
                chosen = int(np.argmin(np.where(good, far, math.inf)))
                return float(depth[chosen]), counts[chosen]
        chosen = int(np.argmax(depth))
        return float(depth[chosen]), counts[chosen]

    def found(self, within: Sequence[Polygon], rng: np.random.Generator) -> tuple[float, np.ndarray]:
        """(depth, counts (C,)) of the best that is found aim after aim; after the first few only where none was inside."""
        pool, reachable = self.cells.whole(self.begin[None]), False
        for number, (aim, jitter) in enumerate(AIMS, 1):
            drawn, inside = self.around(within, aim, jitter, rng)
            pool, reachable = np.vstack([pool, *drawn]), reachable or inside
            depth, counts = self.best(within, pool)
            if depth >= aim / 2 and self.distance(counts) <= len(counts):
                break
            if number >= len(DEPTHS) and (depth >= EDGE or (not reachable and number > len(DEPTHS) + 1)):
                break
        return depth, counts

    def around(self, within: Sequence[Polygon], depth: float, jitter: float, rng: np.random.Generator) -> tuple[list[np.ndarray], bool]:
        """Whole-number counts, (C,) each, around real-valued ones at that depth, the best of each round, until one is half as deep.

        And whether the real-valued ones lie inside: where they do not, one round must do. jitter: SD of the noise on the log-odds to begin at. Each round draws
        around the best of the one before and fits those that the slopes there foresee deepest.
        """
        cells, begin, pool = self.cells, self.begin, []
        if jitter:
            odds = special.logit(np.clip(begin / cells.people, 1e-6, 1 - 1e-6)) + jitter * rng.standard_normal(len(begin))
            begin = cells.events(odds)
        middle, inside = self.approach(within, depth, begin), False
        for spread in SPREADS:
            place, slopes = cells.tangent(middle)
            inside |= bool(_depth(within, place) >= 0)
            draws = cells.whole(middle + spread * rng.standard_normal((DRAWS, len(begin))))
            draws = draws[np.argsort(self.distance(draws), kind="stable")]
            draws = draws[np.unique(draws @ cells.X @ rng.standard_normal(cells.X.shape[1]), return_index=True)[1]]  # each fit once
            if not len(draws) or np.isnan(place).any():
                break
            foreseen = _depth(within, place + np.einsum("bc,ksc->bks", draws - middle, slopes))
            reached, middle = self.best(within, draws[np.argsort(-foreseen, kind="stable")[:FITS]])
            pool.append(middle)
            if reached >= depth / 2 or not inside:
                break
        return pool, inside

    def approach(self, within: Sequence[Polygon], depth: float, begin: np.ndarray) -> np.ndarray:
        """Real-valued counts (C,) nearest to `begin` (C,), by chi², of those so deep within; the last tried where none is found.

        Sequential quadratic programming (Kraft 1988, DFVLR-FB 88-28), with events counted in their SD by chance.
        """
        cells, scale, members = self.cells, np.sqrt(self.variance), self.cells.members
        latest: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

        def ends(moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            if moved.tobytes() not in latest:
                place, slopes = cells.tangent(begin + scale * moved)
                inside = [polygon.limits - polygon.lines @ at - depth for polygon, at in zip(within, place, strict=True)]
                rows = [-polygon.lines @ slope * scale for polygon, slope in zip(within, slopes, strict=True)]
                latest.clear()
                latest[moved.tobytes()] = np.concatenate(inside), np.vstack(rows)
            return latest[moved.tobytes()]

        conditions = [{"type": "ineq", "fun": lambda moved: ends(moved)[0], "jac": lambda moved: ends(moved)[1]}]
        if len(members):
            short = cells.totals[cells.known] - members @ begin
            conditions.append({"type": "eq", "fun": lambda moved: members @ (scale * moved) - short, "jac": lambda moved: members * scale})
        edges = (0.01 - begin) / scale, (cells.people - 0.01 - begin) / scale
        moved = optimize.minimize(
            lambda moved: (moved @ moved / 2, moved), np.clip(np.zeros(len(begin)), *edges), jac=True, method="SLSQP",
            bounds=np.column_stack(edges), constraints=conditions, options={"maxiter": 50, "ftol": 1e-6},
        ).x  # fmt: skip
        return begin + scale * np.clip(moved, *edges)
