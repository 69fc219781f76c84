"""Each arm's mean and SD, and correlations with earlier visits, as near to the assumptions as the targets allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from scipy import optimize

from asprinted.synthesis import integers
from asprinted.synthesis.scales.moments import SOFT, Target, Tracked, wanted

TRIES = 24  # starts of the search for means, SDs and correlations, by sign, margin and correlation


def basis_of(codes: np.ndarray, earlier: list[np.ndarray], latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Within each arm uncorrelated scores of mean 0 and SD 1, (n, k + 1), from earlier visits and the latent, and the latent as a mix of them (k + 1,)."""
    columns = np.column_stack([*earlier, latent])
    basis, mix = np.zeros_like(columns), np.zeros(columns.shape[1])
    for arm in range(codes.max() + 1):
        own = columns[codes == arm]
        own = np.where(np.isfinite(own), own, np.nanmean(own, axis=0))
        q, r = np.linalg.qr(own - own.mean(axis=0))
        signs = np.where(np.diag(r) < 0, -1.0, 1.0)
        basis[codes == arm] = q * signs * math.sqrt(len(own) - 1)
        mix += signs * r[:, -1] * math.sqrt(len(own))
    return basis, mix / np.linalg.norm(mix)


class Plan:
    """Each arm's mean and SD, and the mix of the basis that all arms share, as near to the assumptions as the targets allow."""

    def __init__(
        self, codes: np.ndarray, basis: np.ndarray, mix: np.ndarray, tracked: Tracked, targets: list[Target], means: np.ndarray, sds: np.ndarray, firm: np.ndarray,
        low: int, high: int,
    ):  # fmt: skip
        arms = len(means)
        self.targets, self.means, self.sds, self.firm, self.low, self.high = targets, means, sds, firm, low, high
        self.sizes = np.bincount(codes)
        self.start = mix
        own = [codes == arm for arm in range(arms)]
        self.moves = [np.any([np.ptp(sums[mine], axis=0) > 0 for mine in own], axis=0) for sums in (tracked.linear, tracked.square)]  # by exchanges
        self.linear = [np.stack([tracked.linear[mine].T @ part[mine] for mine in own]) for part in (np.ones((len(codes), 1)), basis)]
        self.square = [
            np.stack([tracked.square[mine].sum(axis=0) for mine in own]),
            np.stack([tracked.square[mine].T @ basis[mine] for mine in own]),
            np.stack([np.einsum("iw,ij,ik->wjk", tracked.square[mine], basis[mine], basis[mine], optimize=True) for mine in own]),
        ]

    def sums(self, means: np.ndarray, sds: np.ndarray, mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums (m, q) and sums of squares (m, w) that means and SDs, (m, A) or (A,), and a mix (k + 1,) lead to."""
        means, sds = np.atleast_2d(means, sds)
        ones, parts = self.linear[0][:, :, 0], self.linear[1] @ mix
        whole, cross, second = self.square[0], self.square[1] @ mix, self.square[2] @ mix @ mix
        return means @ ones + sds @ parts, means**2 @ whole + 2 * (means * sds) @ cross + sds**2 @ second

    def worst(self, targets: list[Target], means: np.ndarray, sds: np.ndarray, mix: np.ndarray) -> float:
        """The least slack of these targets."""
        return min(float(target.slack(*self.sums(means, sds, mix))[0]) for target in targets)

    def solved(self, targets: list[Target] | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means (A,), SDs (A,) and mix (k + 1,) that meet the targets by half again their margin, where possible."""
        targets = self.targets if targets is None else targets
        hard = [target for target in targets if not target.soft]
        arms, tilt = len(self.means), self.start[:-1] / self.start[-1]
        scale = np.concatenate([self.sds / np.sqrt(self.sizes), 1 / np.sqrt(2 * self.sizes)])
        weight = np.concatenate([np.where(self.firm, 1e-3, 1.0), np.full(len(tilt), math.sqrt(self.sizes.sum()) / 2)])  # in standard errors, about

        def read(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            mix = np.append(tilt + x[2 * arms :], 1.0)
            return self.means + x[:arms] * scale[:arms], self.sds * np.exp(x[arms : 2 * arms] * scale[arms:]), mix / math.sqrt(mix @ mix)

        def off(x: np.ndarray, factor: float, signs: dict[str, float]) -> np.ndarray:
            moments = self.sums(*read(x))
            missed = [
                min(0.0, float(target.slack(*moments, signs.get(target.id, 0.0))[0]) - wanted(target, factor)) * (SOFT if target.soft else 30.0)
                for target in targets
            ]  # fmt: skip
            return np.concatenate([x * weight, missed])

        start = np.zeros(2 * arms + len(tilt))
        best: tuple[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = (-math.inf, read(start))
        if not targets or np.abs(off(start, 1.5, {})).max() == 0:
            return best[1]
        means, sds, mix = best[1]
        starts = itertools.product((0.0, -0.5, 0.5, 1.0, -1.0) if len(tilt) else (0.0,), _signs(hard, self.sums(means, sds, mix)), (1.5, 0.3))
        for shift, signs, factor in itertools.islice(starts, TRIES):  # a smaller margin may be all there is room for
            found = read(optimize.least_squares(off, np.append(start[: 2 * arms], np.full(len(tilt), shift)), args=(factor, signs), max_nfev=60).x)
            worst = self.worst(hard, *found) if hard else 1.0
            if worst > best[0]:
                best = (worst, found)
            if worst > 0:
                break
        return best[1]

    def conflict(self, hard: list[Target]) -> list[Target]:
        """The smallest set, by deletion, of targets that no means, SDs and mix were found to meet."""
        kept = list(hard)
        for target in reversed(hard):
            rest = [other for other in kept if other is not target]
            if rest and self.worst(rest, *self.solved(rest)) < 0:
                kept = rest
        return kept

    def margins(self, means: np.ndarray, sds: np.ndarray, mix: np.ndarray, other: int) -> Iterator[tuple[list[tuple[int, int]], np.ndarray]]:
        """Each arm's sum and sum of squares, whole numbers that some scores have, and the mix for them: the best first.

        other: how many of the best sums to leave out.
        """
        arms, n = len(means), self.sizes
        reach = max(1, int((1500 ** (1 / arms) - 1) / 2))
        grid = np.array(list(itertools.product(range(-reach, reach + 1), repeat=arms)))
        grid = grid[np.argsort(np.abs(grid).sum(axis=1), kind="stable")]
        sums = np.clip(np.rint(means * n) + grid, self.low * n, self.high * n)
        order, _ = self._best(sums / n, np.broadcast_to(sds, sums.shape), mix)
        for total in sums[order[other : other + 12]]:
            trials = np.rint((n - 1) * sds**2 + total**2 / n) + 2 * grid
            trials += (trials - total) % 2
            trials = np.clip(trials, *np.array([integers.range_of_squares(int(k), self.low, self.high, int(t)) for k, t in zip(n, total, strict=True)]).T)
            spread = np.sqrt(np.maximum(trials - total**2 / n, 0.0) / np.maximum(n - 1, 1))
            order, mixes = self._best(np.broadcast_to(total / n, trials.shape), spread, mix)
            made = 0
            for place in order[:40]:
                pairs = [(int(t), int(q)) for t, q in zip(total, trials[place], strict=True)]
                if all(integers.exists(int(k), self.low, self.high, *pair) for k, pair in zip(n, pairs, strict=True)):
                    yield pairs, mixes[place]
                    made += 1
                if made == 6:
                    break

    def _best(self, means: np.ndarray, sds: np.ndarray, mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The order of the candidates (m, A), and a mix for each (m, k + 1).

        Ordered by the least slack, up to what is wanted, at the best point of a line of mixes: the line along which
        the worst of the targets that exchanges move changes most, and the nearer the better. Slack is concave along it,
        so that thirds find it.
        """
        hard = [target for target in self.targets if not target.soft]
        moved = [target for target in hard if self.moves[0][target.place[0]].any() or self.moves[1][target.place[1]]]
        line = np.zeros(len(mix))
        if moved and len(mix) > 1:
            here = [float(target.slack(*self.sums(means[:1], sds[:1], mix))[0]) for target in moved]
            worst = moved[int(np.argmin(here))]
            for k in range(len(mix) - 1):
                near = _turned(mix, 1e-4 * np.eye(len(mix))[k])
                line[k] = (worst.value(*self.sums(means[:1], sds[:1], near)) - worst.value(*self.sums(means[:1], sds[:1], mix)))[0]
            line = line / (np.linalg.norm(line) or 1.0)
        at = [target.value(*self.sums(means, sds, mix)) for target in hard]
        slopes = [(target.value(*self.sums(means, sds, _turned(mix, 1e-4 * line))) - value) / 1e-4 for target, value in zip(hard, at, strict=True)]

        def least(step: np.ndarray) -> np.ndarray:
            found = np.full(len(means), math.inf)
            for target, value, slope in zip(hard, at, slopes, strict=True):
                found = np.minimum(found, target.inside(value + slope * step) - wanted(target, 1.25))
            return np.minimum(found, 0.0) - 1e-3 * np.abs(step)

        low, high = np.full(len(means), -0.5), np.full(len(means), 0.5)
        for _ in range(40 if line.any() else 0):
            third = (high - low) / 3
            left = least(low + third) >= least(high - third)
            low, high = np.where(left, low, low + third), np.where(left, high - third, high)
        step = (low + high) / 2
        return np.argsort(-least(step).round(9), kind="stable"), _turned(mix, step[:, None] * line)


def _signs(targets: list[Target], moments: tuple[np.ndarray, np.ndarray]) -> Iterator[dict[str, float]]:
    """Every choice of the signs of t that p values leave open (target → 1 or −1), the present ones first, 64 at most."""
    fixed = {target.about: 1.0 if target.low > 0 else -1.0 for target in targets if target.statistic == "est" and (target.low > 0 or target.high < 0)}
    choices = {}
    for target in targets:
        if target.statistic == "p" and math.isfinite(target.low):
            present = fixed.get(target.about) or (1.0 if target.value(*moments)[0] >= 0 else -1.0)
            choices[target.id] = (present,) if target.about in fixed else (present, -present)
    return (dict(zip(choices, signs, strict=True)) for signs in itertools.islice(itertools.product(*choices.values()), 64))


def _turned(mix: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Mixes (…, k + 1) of length 1, a step (…, k + 1) away."""
    moved = mix + step
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)
