"""Cells of people and the events in them: how these may be divided, and the logistic fits to many divisions at once."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special


@dataclass(frozen=True)
class Cells:
    """C cells of people, each of one arm; the events of some arms are known in total.

    people: (C,) whole numbers above 0; X: (C, p) the design of the logistic model, a row a cell; arms: (C,) codes 0 … A − 1;
    totals: (A,) events of each arm, nan where free; contrasts: (K, p) weights on the coefficients.
    """

    people: np.ndarray
    X: np.ndarray
    arms: np.ndarray
    totals: np.ndarray
    contrasts: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """The codes of the arms whose total is known."""
        return np.flatnonzero(~np.isnan(self.totals))

    @property
    def members(self) -> np.ndarray:
        """Which cells are of each of these arms: (arms, C) of 1 and 0."""
        return (self.arms == self.known[:, None]).astype(float)

    def events(self, odds: np.ndarray) -> np.ndarray:
        """Real-valued events (C,) at log-odds (C,) that are moved by one amount in each arm whose total is known, so as to meet it."""
        odds = odds.copy()
        for arm in self.known:
            own, total = self.arms == arm, self.totals[arm]
            if 0 < total < self.people[own].sum():
                odds[own] += optimize.brentq(lambda shift: self.people[own] @ special.expit(odds[own] + shift) - total, -60, 60, xtol=1e-12)
            else:
                odds[own] = math.inf if total else -math.inf
        return self.people * special.expit(odds)

    def whole(self, counts: np.ndarray) -> np.ndarray:
        """Real-valued counts (B, C) in whole numbers with the arms' totals, by largest remainder; (B′, C), those that people allow."""
        rounded = np.rint(counts)
        for arm in self.known:
            own = self.arms == arm
            floor = np.floor(counts[:, own])
            ranks = np.argsort(np.argsort(floor - counts[:, own], axis=1, kind="stable"), axis=1)
            rounded[:, own] = floor + (ranks < (self.totals[arm] - floor.sum(axis=1))[:, None])
        allowed = ((rounded >= 0) & (rounded <= self.people)).all(axis=1)
        return rounded[allowed & (rounded @ self.members.T == self.totals[self.known]).all(axis=1)]

    def every(self, most: int) -> np.ndarray | None:
        """Every whole-number counts (B, C) with the arms' totals; None where there may be more than `most`."""
        tops, free = self.people.copy(), np.ones(len(self.people), dtype=bool)
        for arm in self.known:  # one cell of an arm takes what is left of its total
            own = np.flatnonzero(self.arms == arm)
            tops[own] = np.minimum(tops[own], self.totals[arm])
            free[own[np.argmax(tops[own])]] = False
        if np.log1p(tops[free]).sum() > math.log(most):
            return None
        counts = np.zeros((math.prod(int(top) + 1 for top in tops[free]), len(free)))
        counts[:, free] = list(itertools.product(*(range(int(top) + 1) for top in tops[free])))
        for arm, own in zip(self.known, self.members, strict=True):
            counts[:, (own > 0) & ~free] = (self.totals[arm] - counts @ own)[:, None]
        return counts[((counts >= 0) & (counts <= self.people)).all(axis=1)]

    def fits(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (B, p) and covariances (B, p, p) of the logistic fits to counts (B, C), by Newton's method; nan where none is finite."""
        people, X = self.people, self.X
        p = X.shape[1]
        pairs = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)
        betas, covs = np.full((len(counts), p), math.nan), np.full((len(counts), p, p), math.nan)
        left, beta = np.arange(len(counts)), np.zeros((len(counts), p))
        for _ in range(40):
            predictor = beta @ X.T
            mean = special.expit(predictor)
            information = ((people * mean * special.expit(-predictor)) @ pairs).reshape(-1, p, p)
            step = np.linalg.solve(information, ((counts[left] - people * mean) @ X)[..., None])[..., 0]
            beta = beta + np.clip(step, -3, 3)
            size = np.abs(step).max(axis=1)
            done = size < 1e-9
            betas[left[done]], covs[left[done]] = beta[done], np.linalg.inv(information[done])
            going = ~done & (np.abs(predictor).max(axis=1) < 25)
            left, beta = left[going], beta[going]
            if not len(left):
                break
        return betas, covs

    def places(self, counts: np.ndarray) -> np.ndarray:
        """(log ratio, SE) of every contrast in the fit to each of counts (B, C): (B, K, 2); nan where none is finite."""
        betas, covs = self.fits(counts)
        return np.stack([betas @ self.contrasts.T, np.sqrt(np.einsum("kp,bpq,kq->bk", self.contrasts, covs, self.contrasts))], axis=-1)

    def tangent(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(log ratio, SE) of every contrast at counts (C,), (K, 2), and their change with one event more in each cell, (K, 2, C).

        The coefficients change by cov X′ (implicit function theorem), the information with the fitted means.
        """
        X, (betas, covs) = self.X, self.fits(counts[None])
        mean = special.expit(X @ betas[0])
        third = self.people * mean * (1 - mean) * (1 - 2 * mean)
        reach = self.contrasts @ covs[0] @ X.T
        errors = np.sqrt(np.einsum("kp,pq,kq->k", self.contrasts, covs[0], self.contrasts))
        spread = -(third * reach**2) @ (X @ covs[0] @ X.T) / (2 * errors[:, None])
        return np.stack([self.contrasts @ betas[0], errors], axis=-1), np.stack([reach, spread], axis=1)
