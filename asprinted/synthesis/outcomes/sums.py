"""Targets of scores as functions of sums: what least squares, means, SDs, correlations and quantiles see of a column.

All of them see it only through sums over rows of w·y, w·y² and w·(y ≤ a), with weights w that do not depend on y. A change of a
few rows changes such sums by a known amount, so that thousands of changes are tried at the cost of one refit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from asprinted import models
from asprinted.models.fits import standardised_se
from asprinted.synthesis.outcomes.aims import P_VALUES, QUANTILES, Aims, quantile_places, z_of
from asprinted.synthesis.outcomes.targets import Target

Value = Callable[[np.ndarray], np.ndarray]  # from sums (…, F) to a statistic (…), on the scale of `search.Aims`

_OF_TABLE = ("mean", "sum", "percent", "sd", "se", "lo", "hi", "percent_at_least", "observed", *QUANTILES)
_OF_LINEAR = ("est", "se", "lo", "hi", "p", "t", "d", "d_lo", "d_hi", "f", "joint_p", "chi2")


class Sums:
    """The sums that targets need, and the targets as functions of them.

    kinds: (F,) what is summed: "n" (1 where there is a value), "y", "yy", or ("le", a) and ("ge", a) for the people at or below, and at or above, a.
    weights: F arrays (n,). value: for each target its function, None where sums do not decide it. smooth: for each whether it needs none but n, y and yy.
    """

    def __init__(self, aims: Aims, y: np.ndarray, step: float = 1.0):
        self.kinds: list = []
        self.weights: list[np.ndarray] = []
        self._places: dict = {}
        self._step, self._there = step, np.isfinite(y)
        self._designs: dict[int, tuple[models.Design, list[int], list[list[int]], int]] = {}
        self.value: list[Value | None] = []
        self.smooth: list[bool] = []
        for target, sign in zip(aims.targets, aims.sign, strict=True):
            first = len(self.kinds)
            self.value.append(self._made(target, y, sign))
            self.smooth.append(self.value[-1] is not None and not any(isinstance(kind, tuple) for kind in self.kinds[first:]) and target.by["statistic"] not in (*QUANTILES, "percent_at_least"))

    def of(self, y: np.ndarray) -> np.ndarray:
        """The sums (F,) of a column."""
        parts: dict = {}
        return np.array([float(weight @ parts.setdefault(kind, _part(y, kind))) for kind, weight in zip(self.kinds, self.weights, strict=True)])

    def after(self, sums: np.ndarray, y: np.ndarray, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The sums (m, F) after each of some moves alone; rows, values: (m, k), −1 where a move has fewer rows."""
        old, gains = y[rows], {}
        values = np.where(rows < 0, old, values)
        changed = np.empty((len(rows), len(sums)))
        for place, (kind, weight) in enumerate(zip(self.kinds, self.weights, strict=True)):
            if kind not in gains:
                gains[kind] = _part(values, kind) - _part(old, kind)
            changed[:, place] = np.einsum("mk,mk->m", weight[rows], gains[kind])
        return sums + changed

    def values(self, sums: np.ndarray) -> np.ndarray:
        """The statistics (…, m) of the targets that sums decide."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([value(sums) for value in self.value if value is not None], axis=-1)

    def _feature(self, kind, weight: np.ndarray) -> int:
        """The place of a sum, made where there is none yet."""
        weight = np.asarray(weight, dtype=float)
        key = (kind, hash(weight.tobytes()))
        if key not in self._places:
            self._places[key] = len(self.kinds)
            self.kinds.append(kind)
            self.weights.append(weight)
        return self._places[key]

    def _made(self, target: Target, y: np.ndarray, sign: float) -> Value | None:
        by = target.by
        if target.refit is not None:
            spec = target.refit.spec
            if spec["family"] == "correlation" and spec.get("test", "pearson") == "pearson" and by["statistic"] in ("est", "lo", "hi", "p"):
                return self._correlation(target, y, sign)
            if spec["family"] == "linear" and spec.get("covariance") != "robust" and by["statistic"] in _OF_LINEAR:
                return self._linear(target, y, sign)
            if spec["family"] == "linear" and by["statistic"] == "r2":
                return self._explained(target, y)
            return None
        if target.rows is None or "model" in by or by["statistic"] not in _OF_TABLE:
            return None
        rows = target.rows
        n = int((rows & self._there).sum())
        if not n or (by["statistic"] in QUANTILES and not math.isfinite(target.low + target.high)):
            return None
        if by["statistic"] in QUANTILES:
            parts = []
            for at, below, above in quantile_places(n, target, self._step):
                parts.append((self._feature(("le", at + self._step / 4), rows), below))
                parts.append((self._feature(("ge", at - self._step / 4), rows), above))
            return lambda sums: sum(np.maximum(0.0, least - sums[..., place]) for place, least in parts)
        if by["statistic"] == "percent_at_least":
            at, among = self._feature(("ge", float(by["at_least"])), rows), self._feature("n", rows)
            return lambda sums: 100 * sums[..., at] / sums[..., among]
        return self._moment(by["statistic"], *(self._feature(kind, rows) for kind in ("n", "y", "yy")))

    @staticmethod
    def _moment(statistic: str, count: int, first: int, second: int) -> Value:
        def value(sums: np.ndarray) -> np.ndarray:
            n, total = sums[..., count], sums[..., first]
            mean = total / n
            if statistic in ("mean", "sum", "percent", "observed"):
                return {"mean": mean, "sum": total, "percent": 100 * mean, "observed": n}[statistic]
            sd = np.sqrt(np.maximum(sums[..., second] - total * mean, 0.0) / (n - 1))
            if statistic in ("sd", "se"):
                return sd if statistic == "sd" else sd / np.sqrt(n)
            half = special.stdtrit(n - 1, 0.975) * sd / np.sqrt(n)
            return mean - half if statistic == "lo" else mean + half

        return value

    def _rows(self, target: Target, y: np.ndarray) -> tuple[models.Design, list[int], list[list[int]], int]:
        """A model's design on the rows there, and the places of X'y, of X'X, and of y'y."""
        if id(target.refit) not in self._designs:
            design, whole = target.refit.design(np.where(self._there, 0.0, np.nan)), target.refit.whole
            columns = []
            for column in whole.X.T:
                weight = np.zeros(len(y))
                weight[whole.rows] = column
                columns.append(weight)
            used = np.zeros(len(y), dtype=bool)
            used[whole.rows] = True
            products = [[self._feature("n", columns[max(i, j)] * columns[min(i, j)]) for j in range(len(columns))] for i in range(len(columns))]
            self._designs[id(target.refit)] = design, [self._feature("y", weight) for weight in columns], products, self._feature("yy", used)
        return self._designs[id(target.refit)]

    def _linear(self, target: Target, y: np.ndarray, sign: float) -> Value:
        design, columns, products, square = self._rows(target, y)
        spec, statistic = target.refit.spec, target.by["statistic"]
        several = not isinstance(target.by["contrast"], str)
        lines = np.stack([design.contrast(terms) for terms in target.refit.terms(target.by)])  # (c, p)
        (n, p), k = design.X.shape, len(lines)
        level = spec.get("level", 0.95)
        welch = self._welch(target, len(y)) if spec.get("test") == "welch" else None

        def value(sums: np.ndarray) -> np.ndarray:
            b, gram = sums[..., columns], sums[..., products]
            fixed = gram.ndim == 2 or bool((gram == gram[:1]).all())  # the same people everywhere: one inverse will do
            inverse = np.linalg.inv(gram[0] if fixed and gram.ndim > 2 else gram)
            found = np.einsum("...i,...ij,cj->...c", b, inverse, lines, optimize=True)
            unit = np.einsum("ci,...ij,dj->...cd", lines, inverse, lines, optimize=True)
            residual = np.maximum(sums[..., square] - np.einsum("...i,...ij,...j->...", b, inverse, b, optimize=True), 1e-12) / (n - p)
            df = np.full_like(residual, n - p)
            if several:
                chi2 = np.einsum("...i,...ij,...j->...", found, np.linalg.inv(unit), found, optimize=True) / residual
                if statistic in ("chi2", "f"):
                    return chi2 if statistic == "chi2" else chi2 / k
                return z_of(special.chdtrc(k, chi2) if spec.get("test") == "wald-z" else special.fdtrc(k, df, chi2 / k))
            est = found[..., 0]
            se = np.sqrt(residual * unit[..., 0, 0])
            if welch is not None:
                se, df, residual = welch(sums)
            if statistic in ("est", "se", "d"):
                return {"est": est, "se": se, "d": est / np.sqrt(residual)}[statistic]
            if statistic in ("d_lo", "d_hi"):
                d = est / np.sqrt(residual)
                half = models.quantile(0.5 + level / 2) * standardised_se(d, unit[..., 0, 0], n)
                return d - half if statistic == "d_lo" else d + half
            if statistic in ("t", "f", "chi2"):
                return est / se if statistic == "t" else (est / se) ** 2
            normal = spec.get("test") == "wald-z"
            if statistic in P_VALUES:
                away = -np.abs(est / se)
                z = z_of(2 * (special.ndtr(away) if normal else special.stdtr(df, away)))
                return np.copysign(z, est * sign) if sign else z
            half = (models.quantile(0.5 + level / 2) if normal else special.stdtrit(df, 0.5 + level / 2)) * se
            return est - half if statistic == "lo" else est + half

        return value

    def _explained(self, target: Target, y: np.ndarray) -> Value:
        """R²: one less what is left over what there is about the mean."""
        _, columns, products, square = self._rows(target, y)
        used = self.weights[square]
        count, total = self._feature("n", used), self._feature("y", used)

        def value(sums: np.ndarray) -> np.ndarray:
            b, inverse = sums[..., columns], np.linalg.inv(sums[..., products])
            left = sums[..., square] - np.einsum("...i,...ij,...j->...", b, inverse, b, optimize=True)
            return 1 - np.maximum(left, 1e-12) / np.maximum(sums[..., square] - sums[..., total] ** 2 / sums[..., count], 1e-12)

        return value

    def _welch(self, target: Target, length: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The standard error, degrees of freedom and pooled variance of a difference, each group with its own variance."""
        design = target.refit.whole
        second = (design.X != design.X[0]).any(axis=1)
        parts = []
        for members in (~second, second):
            weight = np.zeros(length, dtype=bool)
            weight[design.rows[members]] = True
            parts.append([self._feature(kind, weight) for kind in ("n", "y", "yy")])

        def value(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            sizes = [sums[..., n] for n, _, _ in parts]
            spread = [np.maximum(sums[..., yy] - sums[..., y] ** 2 / sums[..., n], 1e-12) for n, y, yy in parts]
            errors = [each / (size - 1) / size for each, size in zip(spread, sizes, strict=True)]
            total = errors[0] + errors[1]
            df = total**2 / sum(error**2 / (size - 1) for error, size in zip(errors, sizes, strict=True))
            return np.sqrt(total), df, (spread[0] + spread[1]) / (sizes[0] + sizes[1] - 2)

        return value

    def _correlation(self, target: Target, y: np.ndarray, sign: float) -> Value | None:
        design, columns, products, square = self._rows(target, y)
        varied = [place for place in range(design.X.shape[1]) if np.ptp(design.X[:, place]) > 0]
        flat = [place for place in range(design.X.shape[1]) if place not in varied and design.X[0, place] == 1]
        if len(varied) != 1 or not flat:
            return None
        one, x, level, statistic = flat[0], varied[0], target.refit.spec.get("level", 0.95), target.by["statistic"]

        def value(sums: np.ndarray) -> np.ndarray:
            n, total, of_x = sums[..., products[one][one]], sums[..., columns[one]], sums[..., products[one][x]]
            spread = (sums[..., square] - total**2 / n) * (sums[..., products[x][x]] - of_x**2 / n)
            r = np.clip((sums[..., columns[x]] - of_x * total / n) / np.sqrt(np.maximum(spread, 1e-12)), -1 + 1e-12, 1 - 1e-12)
            if statistic == "p":
                z = z_of(2 * special.stdtr(n - 2, -np.abs(r) * np.sqrt((n - 2) / (1 - r * r))))
                return np.copysign(z, r * sign) if sign else z
            half = models.quantile(0.5 + level / 2) / np.sqrt(n - 3)
            return r if statistic == "est" else np.tanh(np.arctanh(r) + (half if statistic == "hi" else -half))

        return value


def _part(values: np.ndarray, kind: str | tuple[str, float]) -> np.ndarray:
    """What a sum of this kind takes of each value; 0 of a missing one."""
    if kind == "n":
        return np.isfinite(values).astype(float)
    if isinstance(kind, tuple):
        with np.errstate(invalid="ignore"):
            return (values <= kind[1] if kind[0] == "le" else values >= kind[1]).astype(float)
    there = np.where(np.isfinite(values), values, 0.0)
    return there if kind == "y" else there * there
