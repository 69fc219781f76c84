"""How statistics that need a refit respond to single values: estimated from a sample of rows, for thousands of changes at once.

A smooth statistic changes by about g·δ + h·δ²/2 where a row's value changes by δ. For the estimators of this library g hangs on
little: the row's cell, its value, and what its person and cluster have in common. So g is tried on a sample of rows, one refit
each, and regressed on these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

SAMPLE = 150  # rows that are tried, about
RIDGE = 1e-3


class Response:
    """The response of statistics to a change of each row: slope (n, m) and curve (m,)."""

    def __init__(self, evaluate: Callable[[np.ndarray], np.ndarray], y: np.ndarray, features: np.ndarray, size: float, rng: np.random.Generator):
        """evaluate: from values to statistics (m,). features: (n, F), what slopes may hang on. size: of the changes that are tried."""
        there = np.flatnonzero(np.isfinite(y))
        sample = there[np.sort(rng.permutation(len(there))[:SAMPLE])]
        changes = size * rng.choice((-1.0, 1.0), len(sample))
        here, gains = evaluate(y), []
        for row, change in zip(sample, changes, strict=True):
            moved = y.copy()
            moved[row] += change
            gains.append(evaluate(moved) - here)
        rates = np.array(gains) / changes[:, None]
        kept = np.isfinite(rates).all(axis=1)
        design = np.column_stack([features[sample], changes / 2])[kept]
        scale = np.sqrt((design**2).mean(axis=0)) + 1e-12
        design = design / scale
        weights = np.linalg.solve(design.T @ design + RIDGE * kept.sum() * np.eye(design.shape[1]), design.T @ rates[kept]) / scale[:, None]
        self.slope, self.curve = features @ weights[:-1], weights[-1]
        if len(sample) == len(there):
            self.slope[sample[kept]] = rates[kept] - np.outer(changes[kept] / 2, self.curve)

    def after(self, y: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        """By how much the statistics (M, m) change with each change alone; rows, values: (M, k), −1 where a change has fewer rows."""
        change = np.where((rows >= 0) & np.isfinite(values) & np.isfinite(y[rows]), values - y[rows], 0.0)
        return np.einsum("Mk,Mkm->Mm", change, self.slope[rows]) + np.outer((change**2).sum(axis=1) / 2, self.curve)


def features_of(y: np.ndarray, codes: np.ndarray, shared: Sequence[np.ndarray], columns: Sequence[np.ndarray]) -> np.ndarray:
    """What slopes may hang on, (n, F): in each cell a constant, the value, the number and the mean of the values in the row's person and cluster, and other columns.

    codes: (n,) cells; shared: groups of rows, (n,) codes each; columns: (n,) each.
    """
    there = np.isfinite(y)
    filled = np.where(there, y - y[there].mean(), 0.0)
    own = [np.ones(len(y)), filled]
    for groups in shared:
        counts = np.bincount(groups, there)
        own += [counts[groups].astype(float), (np.bincount(groups, filled) / np.maximum(counts, 1))[groups]]
    return np.column_stack([part * (codes == cell) for cell in np.unique(codes) for part in own] + list(columns))
