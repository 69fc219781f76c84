"""A first draft of a score: each cell's mean and SD, and what it shares with other columns, as near to where it starts as the targets allow.

A draft is mean + SD × (B·mix) in each cell, with columns B that have mean 0, SD 1 and no correlation within the cell: earlier
columns, what the models' covariates leave within cells, the mean of a person's or a cluster's latent scores, and the latent score
itself. Sums over its rows are known functions of means, SDs and mix, so that the draft is solved without looking at the rows
again, however many there are; only what sums do not decide is refitted (Levenberg and Marquardt's method).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from asprinted.synthesis.outcomes.aims import Aims
from asprinted.synthesis.outcomes.sums import Sums

WANTED = (0.8, 0.4, 1 / 8)  # how far inside each interval a draft aims, as a share of half the interval's width: less where there is no room for more
WEIGHT = 30.0  # of what is missing in half widths, against a standard error of a mean, SD or correlation
SHIFT = 1e-3  # the step, in standard errors, of a numerical derivative


def basis_of(columns: Sequence[np.ndarray], latent: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns (n, k + 1) of a draft, the latent's the last, and the latent as a mix (k + 1,) of them. codes: (n,) cells 0 … C−1.

    A column that others determine in every cell is left out; in a cell where it is determined it is 0. Columns that vary in few cells come
    first, so that a covariate with an effect of its own in each arm becomes one column for each.
    """
    kept: list[np.ndarray] = []
    mix: list[float] = []
    counts = np.maximum(np.bincount(codes), 1.0)
    columns = sorted((np.where(np.isfinite(column), column, 0.0) for column in columns), key=lambda column: _varies_in(column, codes))

    def mean(x: np.ndarray) -> np.ndarray:
        return (np.bincount(codes, x) / counts)[codes]

    rest = latent - mean(latent)
    for place, column in enumerate((*columns, latent)):
        x = column - mean(column)
        whole = np.bincount(codes, x * x)
        for other in kept:
            x = x - mean(x * other) * other
        left = np.bincount(codes, x * x)
        there = left > 1e-9 * np.maximum(whole, 1e-12)
        if not there.any():
            continue
        x = np.where(there, 1 / np.sqrt(np.where(there, left / counts, 1.0)), 0.0)[codes] * x
        kept.append(x)
        mix.append(float((rest @ x) / (x @ x)) if place < len(columns) else math.nan)
        rest = rest - mix[-1] * x if place < len(columns) else rest
    if not mix or not math.isnan(mix[-1]):
        kept.append(np.zeros(len(latent)))
        mix.append(0.0)
    mix[-1] = math.sqrt(max(float(rest @ rest) / len(rest), 1e-6))
    found = np.array(mix)
    return np.column_stack(kept), found / np.linalg.norm(found)


def _varies_in(x: np.ndarray, codes: np.ndarray) -> int:
    """In how many cells the values differ."""
    counts = np.maximum(np.bincount(codes), 1.0)
    centred = x - (np.bincount(codes, x) / counts)[codes]
    return int((np.bincount(codes, centred**2) > 1e-9 * max(float(x @ x), 1e-12)).sum())


class Draft:
    """The means, SDs and mix of a score's draft, and the search for them. Rows are those with a value.

    means, sds: (C,) where it starts; free: (2C,) whether each of these may differ from there by chance, so that no claim holds it.
    """

    def __init__(
        self, codes: np.ndarray, rows: np.ndarray, columns: Sequence[np.ndarray], latent: np.ndarray, means: np.ndarray, sds: np.ndarray, free: np.ndarray,
        sums: Sums, aims: Aims, place: Callable[[np.ndarray], np.ndarray],
    ):  # fmt: skip
        self.codes, self.means, self.sds, self.free = codes, means, sds, free
        self.sums, self.aims, self.place = sums, aims, place
        self.basis, self.mix = basis_of(columns, latent, codes)
        self.sizes = np.maximum(np.bincount(codes, minlength=len(means)), 1)
        self.present = np.stack([(self.basis[codes == cell] != 0).any(axis=0) for cell in range(len(means))])
        self.smooth = np.array(sums.smooth, dtype=bool)
        self.refitted = [k for k, value in enumerate(sums.value) if value is None]
        self._gram(rows)

    def _gram(self, rows: np.ndarray) -> None:
        """What the sums of y and y² over rows are made of, cell by cell: (C, F, …)."""
        cells, kinds = len(self.means), self.sums.kinds
        k = self.basis.shape[1]
        self._once, self._first = np.zeros((cells, len(kinds))), np.zeros((cells, len(kinds), k))
        self._second, self._count = np.zeros((cells, len(kinds), k, k)), np.zeros(len(kinds))
        for cell in range(cells):
            own = np.flatnonzero(self.codes == cell)
            basis = self.basis[own]
            for place, (kind, weight) in enumerate(zip(kinds, self.sums.weights, strict=True)):
                if isinstance(kind, tuple):
                    continue
                w = weight[rows[own]]
                if kind == "n":
                    self._count[place] += w.sum()
                    continue
                self._once[cell, place], weighted = w.sum(), w[:, None] * basis
                self._first[cell, place] = weighted.sum(axis=0)
                if kind == "yy":
                    self._second[cell, place] = weighted.T @ basis

    def _sums(self, means: np.ndarray, sds: np.ndarray, mix: np.ndarray) -> np.ndarray:
        """The sums (b, F) of drafts with means and SDs (b, C) and mixes (b, k + 1)."""
        first = np.einsum("cfk,bk->bcf", self._first, mix)
        second = np.einsum("cfkl,bk,bl->bcf", self._second, mix, mix, optimize=True)
        m, s = means[:, :, None], self._each(sds, mix)[:, :, None]
        linear = m * self._once + s * first
        square = m**2 * self._once + 2 * m * s * first + s**2 * second
        squared = np.array([kind == "yy" for kind in self.sums.kinds], dtype=bool)
        return np.where(squared, square, linear).sum(axis=1) + self._count

    def _each(self, sds: np.ndarray, mix: np.ndarray) -> np.ndarray:
        """What the basis is multiplied by in each cell, so that the cell has the SD: a column may be 0 there. sds: (…, C); mix: (…, k + 1)."""
        return sds / np.sqrt(np.maximum(mix**2 @ self.present.T, 1e-12))

    def values(self, means: np.ndarray, sds: np.ndarray, mix: np.ndarray) -> np.ndarray:
        """A draft's values (n,)."""
        spread = np.sqrt(np.maximum(self.sizes - 1, 1) / self.sizes)  # SDs have n − 1 below
        return means[self.codes] + self._each(sds * spread, mix)[self.codes] * (self.basis @ mix)

    def solved(self, margins: Sequence[float] = WANTED, rounds: int = 25) -> np.ndarray:
        """The values (n,) of a draft that meets the smooth targets and those that are refitted, by the first of the margins that can be had, as nearly as was found."""
        cells, tilts = len(self.means), len(self.mix) - 1
        spread = np.sqrt(np.maximum(self.sizes - 1, 1) / self.sizes)
        scale = np.concatenate([self.sds / np.sqrt(self.sizes), 1 / np.sqrt(2 * self.sizes)])
        correlation = 2 / math.sqrt(len(self.codes))
        smooth = np.flatnonzero(self.smooth)
        every = np.sort(np.concatenate([smooth, self.refitted])).astype(int)
        weight = np.concatenate([np.where(self.free, 1.0, 1e-3), np.ones(tilts)])

        def read(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            mix = np.concatenate([self.mix[:-1] + x[:, 2 * cells :] * correlation, np.full((len(x), 1), self.mix[-1])], axis=1)
            sds = self.sds * np.exp(np.clip(x[:, cells : 2 * cells] * scale[cells:], -1.5, 1.5))
            return self.means + x[:, :cells] * scale[:cells], sds, mix / np.linalg.norm(mix, axis=1, keepdims=True)

        def missing(x: np.ndarray, wanted: float, used: np.ndarray) -> np.ndarray:
            means, sds, mix = read(x)
            values = np.full((len(x), len(self.aims.targets)), np.nan)
            if self.smooth.any():
                known = [k for k, value in enumerate(self.sums.value) if value is not None]
                values[:, known] = self.sums.values(self._sums(means, sds * spread, mix))
            for k in range(len(x) if len(used) > len(smooth) else 0):
                y = self.place(self.values(means[k], sds[k], mix[k]))
                values[k, self.refitted] = [self.aims.measure[target](y) for target in self.refitted]
            slack = np.maximum(self.aims.slack(values)[:, used], -1e4)
            return np.concatenate([x * weight, WEIGHT * np.minimum(0.0, slack - wanted)], axis=1)

        x = np.zeros(2 * cells + tilts)
        for used in (smooth, every) if self.refitted else (smooth,):  # first without refits, which are far from straight far away
            for wanted in margins if len(used) else ():
                x, left = _least(lambda tried, wanted=wanted, used=used: missing(tried, wanted, used), x, rounds)
                if np.abs(left[len(x) :]).max(initial=0.0) < WEIGHT * wanted / 2:
                    break
        means, sds, mix = (each[0] for each in read(x[None]))
        return self.values(means, sds, mix)


def _least(missing: Callable[[np.ndarray], np.ndarray], x: np.ndarray, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """The x (p,) near the one given at which what is `missing`, from (b, p) to (b, r), has the least sum of squares, and what is missing there (r,)."""
    here, damping = missing(x[None])[0], 1e-2
    for _ in range(rounds):
        before = float(here @ here)
        if before <= 1e-12:
            break
        slopes = (missing(x + SHIFT * np.eye(len(x))) - here).T / SHIFT
        normal, pull = slopes.T @ slopes, slopes.T @ here
        factors = (0.1, 1.0, 30.0, 1e3)
        steps = np.stack([-np.linalg.solve(normal + damping * factor * np.diag(np.diag(normal) + 1e-9), pull) for factor in factors])
        tried = missing(x + steps)
        costs = np.square(tried).sum(axis=1)
        best = int(np.nanargmin(costs))
        if not costs[best] < before * (1 - 1e-3):
            break
        x, here, damping = x + steps[best], tried[best], min(max(damping * factors[best], 1e-8), 1e6)
    return x, here
