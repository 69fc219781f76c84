"""Models of durations: the Cox model, its covariance robust by group, the log-rank test, and the Kaplan–Meier curve with its median.

time: (n,) how long each row was followed; event: (n,) 1 where the event ended it, 0 where following did (censored).
Times that differ by less than the square root of the machine's precision, absolutely or relative to the mean
distinct time, are one time, as in R's survival package.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asprinted.models.likelihood import maximum, sandwich, sums_by

TOLERANCE = float(np.sqrt(np.finfo(float).eps))  # R's, for ties in time and for survival of one half


def cox(
    time: np.ndarray, event: np.ndarray, X: np.ndarray, ties: str = "efron", groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A Cox model by partial likelihood: coefficients (p,) on the log-hazard scale, covariance (p, p).

    X: (n, p) without an intercept. ties: "efron" (Efron 1977, J Am Stat Assoc 72:557) or "breslow" (Breslow 1974,
    Biometrics 30:89). The covariance is the inverse of the information; with groups, (n,) codes 0 … G−1, it is
    robust by group (Lin and Wei 1989, J Am Stat Assoc 84:1074), as of R's coxph with cluster: no correction for
    few groups. Raises ValueError where no event is there, the rows do not determine every coefficient, or an
    estimate is not finite.
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties {ties!r} is unknown: use efron or breslow")
    time, event = _checked(time, event)
    if not event.any():
        raise ValueError("no row has an event: a hazard ratio has no finite value")
    X = np.asarray(X, dtype=float)
    order = np.argsort(time, kind="stable")
    centred = (X - X.mean(axis=0))[order]
    at_risk = X[time >= time[event].min()]
    rank = np.linalg.matrix_rank(np.column_stack([np.ones(len(at_risk)), at_risk])) - 1
    if rank < X.shape[1]:
        raise ValueError(f"the design has rank {rank} for {X.shape[1]} coefficients: a level has no rows, or a column is constant")
    sets = _RiskSets.of(time[order], event[order], centred, ties)
    beta, information = maximum(
        centred, sets.likelihood, "the Cox model has no finite estimate: at some level no event happened, or every event where others were at risk"
    )
    if groups is None:
        return beta, np.linalg.inv(information)
    return beta, sandwich(information, sets.scores(centred @ beta), np.asarray(groups)[order])


def log_rank(time: np.ndarray, event: np.ndarray, X: np.ndarray) -> tuple[float, int]:
    """The log-rank test of a factor: its statistic, chi-squared where hazards are alike, and the degrees of freedom.

    X: (n, p) without an intercept, the p columns of a factor of p + 1 levels. The variance is the hypergeometric one, so that events
    that stand at one time are drawn together (Peto and Peto 1972, J R Stat Soc A 135:185; R's survdiff, statsmodels' survdiff).
    Raises ValueError where no event is there, or a level has nobody at risk at any event.
    """
    time, event = _checked(time, event)
    if not event.any():
        raise ValueError("no row has an event: there is nothing to compare")
    order = np.argsort(time, kind="stable")
    time, event, X = time[order], event[order], (X - X.mean(axis=0))[order]
    starts = np.flatnonzero(_changes(time))
    deaths = np.add.reduceat(event, starts, dtype=float)
    starts, deaths = starts[deaths > 0], deaths[deaths > 0]
    at_risk = (len(time) - starts).astype(float)
    means = np.cumsum(X[::-1], axis=0)[::-1][starts] / at_risk[:, None]
    products = np.cumsum((X[:, :, None] * X[:, None, :])[::-1], axis=0)[::-1][starts] / at_risk[:, None, None]
    score = X[event].sum(axis=0) - deaths @ means
    drawn = deaths * (at_risk - deaths) / np.maximum(at_risk - 1, 1)
    variance = np.tensordot(drawn, products - means[:, :, None] * means[:, None, :], axes=1)
    if np.linalg.matrix_rank(variance, hermitian=True) < X.shape[1]:
        raise ValueError("the log-rank test has no variance: a level has nobody at risk at an event")
    return float(score @ np.linalg.solve(variance, score)), X.shape[1]


def survival_at(time: np.ndarray, event: np.ndarray, at: float) -> float:
    """Kaplan–Meier survival at a time, from 0 to 1; nan where nobody was followed as long and somebody was left.

    An event at the very time has happened by then. R's summary(survfit(…), times = at).
    """
    times, survival = survival_curve(time, event)
    last = max(np.asarray(time, dtype=float), default=-np.inf)
    before = np.searchsorted(times, at + TOLERANCE * max(1.0, abs(at)), side="right")
    reached = float(survival[before - 1]) if before else 1.0
    return reached if reached < TOLERANCE or last >= at * (1 - TOLERANCE) else float("nan")


def survival_curve(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct times of events (k,), in order, and survival (k,) from each on (Kaplan and Meier 1958, J Am Stat
    Assoc 53:457). Before the first time survival is 1. Raises ValueError for missing values and events not 0 or 1.
    """
    time, event = _checked(time, event)
    order = np.argsort(time, kind="stable")
    time, event = time[order], event[order]
    starts = np.flatnonzero(_changes(time))
    if not len(starts):
        return time, time
    deaths, at_risk = np.add.reduceat(event, starts, dtype=float), len(time) - starts
    some = deaths > 0
    return time[starts][some], np.cumprod(1 - deaths[some] / at_risk[some])


def survival_median(time: np.ndarray, event: np.ndarray) -> float:
    """The median survival time: the first time at which Kaplan–Meier survival is one half or less; nan where none is.

    Where survival stays at exactly one half until a later event, it is the midpoint of the two times, as R prints for
    survfit. (Where no event follows, R's printed median is the first time, and its quantile() another.)
    """
    times, survival = survival_curve(time, event)
    below = np.flatnonzero(survival < 0.5 + TOLERANCE)
    if not len(below):
        return float("nan")
    first = below[0]
    last = first + 1 if abs(survival[first] - 0.5) < TOLERANCE and first + 1 < len(times) else first
    return float((times[first] + times[last]) / 2)


@dataclass(frozen=True)
class _RiskSets:
    """Who is at risk when: rows in order of time, with the events that stand at one time counted through.

    X: (n, p). event: (n,) of bool. group: (n,) which distinct time, 0 … G−1. starts: (G,) its first row.
    rows: (D,) those with an event. share: (D,) how much of the events at its time Efron's rule takes out of the
    risk set of an event: 0, 1/d, … (d−1)/d of d events in turn; 0 for Breslow's rule.
    """

    X: np.ndarray
    event: np.ndarray
    group: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray, event: np.ndarray, X: np.ndarray, ties: str) -> _RiskSets:
        new = _changes(time)
        group, rows = np.cumsum(new) - 1, np.flatnonzero(event)
        deaths = np.bincount(group[rows], minlength=group[-1] + 1)
        turn = np.arange(len(rows)) - (np.cumsum(deaths) - deaths)[group[rows]]
        share = turn / deaths[group[rows]] if ties == "efron" else np.zeros(len(rows))
        return cls(X, event, group, np.flatnonzero(new), rows, share)

    def likelihood(self, predictor: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The partial log-likelihood, its gradient (p,) and the information (p, p)."""
        risk, total, mean = self._at_risk(predictor)
        hazard = risk * self._cumulated(1 / total)
        value = float(np.sum(predictor[self.rows] - np.log(total)))
        return value, self.X[self.rows].sum(axis=0) - mean.sum(axis=0), (self.X * hazard[:, None]).T @ self.X - mean.T @ mean

    def scores(self, predictor: np.ndarray) -> np.ndarray:
        """Each row's score residual, (n, p): what it adds to the gradient, its part in every risk set taken off."""
        risk, total, mean = self._at_risk(predictor)
        of_event, size = self.group[self.rows], len(self.starts)
        typical = sums_by(of_event, mean, size) / np.maximum(np.bincount(of_event, minlength=size), 1)[:, None]
        expected = self.X * self._cumulated(1 / total)[:, None] - self._cumulated(mean / total[:, None])
        return self.event[:, None] * (self.X - typical[self.group]) - risk[:, None] * expected

    def _at_risk(self, predictor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows' hazard ratios (n,); their sum (D,) and the mean of X weighted by them (D, p) at each event."""
        risk = np.exp(predictor)
        of_event = self.group[self.rows]
        weighted = np.column_stack([risk, self.X * risk[:, None]])
        everyone = np.cumsum(weighted[::-1], axis=0)[::-1][self.starts][of_event]
        tied = sums_by(of_event, weighted[self.rows], len(self.starts))[of_event]
        sums = everyone - self.share[:, None] * tied
        return risk, sums[:, 0], sums[:, 1:] / sums[:, :1]

    def _cumulated(self, steps: np.ndarray) -> np.ndarray:
        """The sum of `steps`, one an event, (D,) or (D, p), over the events up to each row's time, (n,) or (n, p).

        A row takes its own time's steps in full, or where its event is one of them, without the shares taken out.
        """
        of_event, size = self.group[self.rows], len(self.starts)
        share = self.share if steps.ndim == 1 else self.share[:, None]
        total = np.cumsum(sums_by(of_event, steps, size), axis=0)[self.group]
        out = sums_by(of_event, share * steps, size)[self.group]
        return total - out * (self.event if steps.ndim == 1 else self.event[:, None])


def _checked(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """time (n,) as numbers and event (n,) as bool. Raises ValueError."""
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=float)
    if not np.isfinite(time).all():
        raise ValueError(f"{np.sum(~np.isfinite(time))} of {len(time)} times are missing or infinite: leave those rows out")
    strange = ~np.isin(event, (0, 1))
    if strange.any():
        raise ValueError(f"an event is {event[strange][0]:g}: give 1 where it happened, 0 where following ended without")
    return time, event.astype(bool)


def _changes(time: np.ndarray) -> np.ndarray:
    """Whether each of the ordered times (n,) is a new one, (n,) of bool: R's aeqSurv."""
    gap = np.diff(time, prepend=-np.inf)
    typical = np.abs(time[gap > 0]).mean() if len(time) else 0.0
    return gap > TOLERANCE * max(1.0, typical)
