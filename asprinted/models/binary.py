"""Models of yes and no: logistic regression, its covariance robust by group, and log risks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import patsy
from scipy.special import expit

from asprinted.models.formula import Design, used_rows
from asprinted.models.likelihood import maximum, sandwich


def logistic(y: np.ndarray, X: np.ndarray, people: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A logistic model by maximum likelihood: coefficients (p,) on the log-odds scale, covariance (p, p).

    y: (n,) of 0 and 1, or the share of yes in a row that stands for many; X: (n, p); people: (n,) how many people a
    row stands for, one each if left out. Newton's method; the covariance is the inverse of the information
    (McCullagh and Nelder 1989, Generalized Linear Models, section 4.4). Raises ValueError where the estimates are
    not finite (the outcomes are separated) or an outcome is not between 0 and 1.
    """
    beta, information = _fitted(y, X, np.ones(len(y)) if people is None else np.asarray(people, dtype=float))
    return beta, np.linalg.inv(information)


def logistic_gee(
    y: np.ndarray, X: np.ndarray, groups: np.ndarray, people: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A logistic model with independence estimating equations and robust covariance by group.

    Coefficients (p,) on the log-odds scale, those of `logistic`, and their sandwich covariance (Liang and Zeger 1986,
    Biometrika 73:13), with no correction for few groups; y: (n,) of 0 and 1; groups: (n,) codes 0 … G−1; people: (G,)
    how many people each group stands for, one each if left out. Raises ValueError as `logistic` does.
    """
    beta, information = _fitted(y, X, np.ones(len(y)) if people is None else people[groups])
    return beta, sandwich(information, X * (y - expit(X @ beta))[:, None], groups, people)


def log_risks(model: Mapping[str, Any], frame: pd.DataFrame, outcome: str) -> tuple[np.ndarray, np.ndarray, int, Design]:
    """Log risks of the cells of the contrast's column, their covariance, how many people, and the Design of the cells.

    Delta-method variances (Katz et al. 1978, Biometrics 34:469). Raises ValueError where a cell has no event.
    """
    frame = frame[used_rows(model, frame)]
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
    numbers = np.arange(len(cells))
    return log_risk, np.diag(variance), int(cells["count"].sum()), Design(log_risk, np.eye(len(cells)), numbers, numbers, info, keys.head(1))


def _fitted(y: np.ndarray, X: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p,) and information (p, p) at the largest likelihood."""
    outside = ~((y >= 0) & (y <= 1))
    if outside.any():
        raise ValueError(f"an outcome is {y[outside][0]:g}: give 0, 1 or a share between them")
    if people.min() < 0 or people.max() == 0:
        raise ValueError(f"rows stand for {people.min():g} to {people.max():g} people: give 0 or more to each, and more to some")
    rank = np.linalg.matrix_rank((X * people[:, None]).T @ X, hermitian=True)
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows")

    def at(predictor: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        mean = expit(predictor)
        value = float(people @ (y * predictor - np.logaddexp(0, predictor)))
        return value, X.T @ (people * (y - mean)), (X * (people * mean * (1 - mean))[:, None]).T @ X

    return maximum(X, at, "the logistic model has no finite estimate: in some cell every outcome is the same")
