"""The reference models, each named in full and fitted fast.

`fit` gives a Fit; its `contrast` gives an Estimate. Where a student runs statsmodels, a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy
from scipy import optimize, stats


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error, interval and two-sided p value.

    For a ratio, est, lo and hi are ratios, and se stands on the log scale.
    """

    est: float
    se: float
    lo: float
    hi: float
    p: float


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    beta: (p,) coefficients. cov: (p, p) their covariance. df: degrees of freedom of the t test, None for z.
    ratio: whether contrasts are exponentiated. variances: named variance components. n: rows used.
    """

    beta: np.ndarray
    cov: np.ndarray
    df: float | None
    level: float
    ratio: bool
    variances: dict[str, float]
    n: int
    design: Design

    def contrast(self, terms: Sequence[Mapping[str, Any]]) -> Estimate:
        """The Estimate of a weighted sum of cell predictions; `terms` as in study.yml: weight and at."""
        return self.linear(self.design.contrast(terms))

    def linear(self, row: np.ndarray) -> Estimate:
        """The Estimate of `row` @ beta; row: (p,)."""
        est, se = float(row @ self.beta), float(np.sqrt(row @ self.cov @ row))
        reference = stats.norm if self.df is None else stats.t(self.df)
        half = reference.ppf(0.5 + self.level / 2) * se
        p = float(2 * reference.sf(abs(est) / se)) if se > 0 else float("nan")
        shown = np.exp if self.ratio else float
        return Estimate(float(shown(est)), se, float(shown(est - half)), float(shown(est + half)), p)


@dataclass(frozen=True)
class Design:
    """The rows that a model uses: y (n,), X (n, p), group codes (n,), and how to predict at given values."""

    y: np.ndarray
    X: np.ndarray
    groups: np.ndarray
    rows: np.ndarray
    info: patsy.DesignInfo
    first: pd.DataFrame

    def contrast(self, terms: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The (p,) weights on the coefficients; a column that a term leaves out takes its value in the first row.

        Raises ValueError where a term names a value that the rows do not have.
        """
        total = np.zeros(self.X.shape[1])
        for term in terms:
            at = pd.concat([self.first], ignore_index=True).assign(**term["at"])
            try:
                row = np.asarray(patsy.build_design_matrices([self.info], at)[0])[0]
            except patsy.PatsyError as error:
                raise ValueError(f"no contrast at {term['at']!r}: {error.message}") from None
            total += term["weight"] * row
        return total


def design(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Design:
    """The Design of a formula model on the rows of `frame` that have no missing value in it.

    Raises ValueError where the formula cannot be read, no row is left, or the rows do not determine every coefficient.
    """
    stacked = _stack(model, frame)
    formula = model["formula"].replace("{outcome}", outcome)
    left, _, right = formula.partition("~")
    if left.strip() not in stacked:
        raise ValueError(f"formula {formula!r} cannot be read: what stands left of '~' is not a column")
    try:
        X = patsy.dmatrix(right, stacked, NA_action=patsy.NAAction(NA_types=[]), return_type="matrix")
    except patsy.PatsyError as error:
        raise ValueError(f"formula {formula!r} cannot be read: {error.message}") from None
    matrix = np.asarray(X, dtype=float)
    y = pd.to_numeric(stacked[left.strip()]).to_numpy(dtype=float, na_value=np.nan)
    keep = np.isfinite(y) & np.isfinite(matrix).all(axis=1)
    if not keep.any():
        raise ValueError(f"formula {formula!r} leaves no row: every row has a missing value")
    rank = np.linalg.matrix_rank(matrix[keep])
    if rank < matrix.shape[1]:
        raise ValueError(f"formula {formula!r} gives a design of rank {rank} for {matrix.shape[1]} coefficients: a level has no rows")
    groups = stacked[model["groups"]] if "groups" in model else pd.Series(np.arange(len(stacked)))
    codes = pd.factorize(groups[keep])[0]
    first = stacked[keep].head(1).reset_index(drop=True)
    return Design(y[keep], matrix[keep], codes, np.flatnonzero(keep), X.design_info, first)


def fit(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> Fit:
    """The Fit of `model` (an entry of study.yml's models) to `frame` for `outcome`. Raises ValueError."""
    level = model.get("level", 0.95)
    if model["family"] == "risk-ratio":
        return _log_risks(model, frame, outcome, level)
    rows = design(model, frame, outcome)
    if model["family"] == "mixed":
        beta, cov, variances = random_intercept(rows.y, rows.X, rows.groups, model.get("estimator", "REML"))
        return Fit(beta, cov, None, level, False, variances, len(rows.y), rows)
    if model["family"] == "linear":
        beta, cov, sigma2 = least_squares(rows.y, rows.X)
        df = len(rows.y) - rows.X.shape[1]
        return Fit(beta, cov, None if model.get("test") == "wald-z" else df, level, False, {"residual": sigma2}, len(rows.y), rows)
    beta, cov = logistic_gee(rows.y, rows.X, rows.groups)
    return Fit(beta, cov, None, level, True, {}, len(rows.y), rows)


def least_squares(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Ordinary least squares: coefficients (p,), covariance (p, p), residual variance; y: (n,), X: (n, p)."""
    beta, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")
    sigma2 = float(np.sum((y - X @ beta) ** 2) / (len(y) - X.shape[1]))
    return beta, sigma2 * np.linalg.inv(X.T @ X), sigma2


def random_intercept(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, estimator: str = "REML"
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """A mixed model with one random intercept: coefficients (p,), covariance (p, p), variance components.

    y: (n,) scores; X: (n, p); groups: (n,) codes 0 … G−1. The criterion is profiled to the ratio of the two
    variances (Bates et al. 2015, J Stat Softw 67(1), section 3.4; Laird and Ware 1982, Biometrics 38:963) and
    its derivative's root taken, so that the ratio is exact to rounding. Standard errors are those of (X′V⁻¹X)⁻¹.
    """
    n, p = X.shape
    reml = estimator == "REML"
    sizes = np.bincount(groups).astype(float)
    sums_X = np.zeros((len(sizes), p))
    np.add.at(sums_X, groups, X)
    sums_y = np.bincount(groups, weights=y)
    XX, Xy, yy = X.T @ X, X.T @ y, float(y @ y)

    def at(ratio: float) -> tuple[np.ndarray, np.ndarray, float]:
        shrink = ratio / (1 + sizes * ratio)
        A = XX - (sums_X * shrink[:, None]).T @ sums_X
        b = Xy - sums_X.T @ (shrink * sums_y)
        beta = np.linalg.solve(A, b)
        return A, beta, float(yy - shrink @ sums_y**2 - b @ beta)

    def slope(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        A, beta, rss = at(ratio)
        weight = 1 / (1 + sizes * ratio) ** 2
        d_rss = -float(weight @ (sums_y - sums_X @ beta) ** 2)
        d_log_det = float(np.sum(sizes / (1 + sizes * ratio)))
        if reml:
            d_log_det -= float(np.trace(np.linalg.solve(A, (sums_X * weight[:, None]).T @ sums_X)))
        return (n - p if reml else n) * d_rss / rss + d_log_det

    low, high = np.log(1e-10), np.log(1e6)
    if slope(low) >= 0:
        ratio = 0.0
    elif slope(high) <= 0:
        raise ValueError("the variance between groups has no finite estimate: every group's scores are alike")
    else:
        ratio = float(np.exp(optimize.brentq(slope, low, high, xtol=1e-13, rtol=1e-14)))
    A, beta, rss = at(ratio)
    sigma2 = rss / (n - p if reml else n)
    return beta, sigma2 * np.linalg.inv(A), {"between": ratio * sigma2, "residual": sigma2}


def logistic_gee(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, people: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A logistic model with independence estimating equations and robust covariance by group.

    Coefficients (p,) on the log-odds scale and their sandwich covariance (Liang and Zeger 1986, Biometrika
    73:13); y: (n,) of 0 and 1; groups: (n,) codes 0 … G−1; people: (G,) how many people each group stands for,
    one each if left out. Raises ValueError where the estimates do not converge (a cell is all 0 or all 1).
    """
    beta = np.zeros(X.shape[1])
    people = np.ones(groups.max() + 1) if people is None else people
    weight = people[groups]
    for _ in range(50):
        mean = 1 / (1 + np.exp(-X @ beta))
        information = (X * (weight * mean * (1 - mean))[:, None]).T @ X
        try:
            step = np.linalg.solve(information, X.T @ (weight * (y - mean)))
        except np.linalg.LinAlgError:
            break
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            scores = np.zeros((len(people), X.shape[1]))
            np.add.at(scores, groups, X * (y - mean)[:, None])
            bread = np.linalg.inv(information)
            return beta, bread @ ((scores * people[:, None]).T @ scores) @ bread
        if np.abs(beta).max() > 25:
            break
    raise ValueError("the logistic model has no finite estimate: in some cell every outcome is the same")


def _log_risks(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str, level: float) -> Fit:
    """Log risks per cell of the contrast's columns, with delta-method variances (Katz et al. 1978, Biometrics 34:469)."""
    y = pd.to_numeric(frame[outcome]).astype(float)
    if model.get("missing") == "as-zero":
        y = y.fillna(0.0)
    columns = sorted({column for terms in model["contrasts"].values() for term in terms for column in term["at"]})
    cells = frame.assign(_y=y).dropna(subset=["_y"]).groupby(columns)["_y"].agg(["sum", "count"])
    if (cells["sum"] == 0).any():
        raise ValueError(f"a group has no event in {outcome!r}: its log risk has no finite value")
    log_risk = np.log(cells["sum"] / cells["count"]).to_numpy()
    variance = (1 / cells["sum"] - 1 / cells["count"]).to_numpy()
    keys = cells.index.to_frame(index=False)
    info = patsy.dmatrix(f"0 + C({columns[0]})", keys).design_info
    rows = Design(log_risk, np.eye(len(cells)), np.arange(len(cells)), np.arange(len(cells)), info, keys.head(1))
    return Fit(log_risk, np.diag(variance), None, level, True, {}, int(cells["count"].sum()), rows)


def _stack(model: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the columns named in model.waves stacked into one row a time."""
    waves = model.get("waves")
    if not waves:
        return frame
    times = [
        frame.assign(**{waves["time"]: time, waves["outcome"]: frame[column]}) for column, time in waves["columns"].items()
    ]
    return pd.concat(times, ignore_index=True)
