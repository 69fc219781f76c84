"""Repeated continuous scores that print the claims of a mixed or linear model, bounded and rounded.

Two exact invariances do most of the work. With y' = Xb + s (y − Xb̂) the estimates of a least-squares or mixed
model move to b, every standard error is multiplied by s, and ratios of variances stay as they are. So the printed
numbers become linear inequalities in (b, s), solved at once with the largest margin. Rounding to the scale's
steps then moves the results a little; the difference is fed back until every claim prints again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from asprinted import models, printed
from asprinted.models.intercept import RandomIntercept
from asprinted.study import SEPARATOR, Claim, Study, StudyError
from asprinted.synthesis.design import faults_at, generator, seen

CORRECTIONS = 4  # how often the ICC of change is aimed at anew where scores at the scale's ends moved it out of its bounds
MARGIN = 0.5  # how far inside its interval each claim must end, as a share of half the interval's width


@dataclass(frozen=True)
class Target:
    """A claim about one contrast: low ≤ statistic ≤ high. weights: (p,) on the coefficients."""

    claim: str
    text: str
    statistic: str
    weights: np.ndarray
    low: float
    high: float


class Rows:
    """The rows that the design's model uses, which are the same for every outcome of which the same people are seen."""

    def __init__(self, model: Mapping[str, Any], frame: pd.DataFrame, outcome: str):
        self.model, self.design = model, models.design(model, frame, outcome)
        self._mixed = RandomIntercept(self.design.X, self.design.groups) if model["family"] == "mixed" else None

    def fit(self, y: np.ndarray, near: models.Fit | None = None) -> models.Fit:
        """The Fit of the model to y, (n,) scores of these rows. near: a fit to scores that may be alike; it saves time."""
        level, n = self.model.get("level", 0.95), len(y)
        if self._mixed is None:
            beta, cov, sigma2 = models.least_squares(y, self.design.X)
            return models.Fit(beta, cov, n - len(beta), level, False, {"residual": sigma2}, n, self.design)
        guess = near.variances["between"] / near.variances["residual"] if near else 1.0
        return models.Fit(*(found := self._mixed.fit(y, self.model.get("estimator", "REML"), guess))[:2], None, level, False, found[2], n, self.design)


def visits(study: Study, people: pd.DataFrame, health: np.ndarray, progress: Callable[[str], None]) -> pd.DataFrame:
    """The table of visits, a row a person and visit, whose scores print every claim of the design's model."""
    spec = study.design["scores"]
    months, key = spec["months"], study.tables[spec["table"]]["key"][0]
    arms = people[study.design["people"]["arms"]["column"]].to_numpy()
    latents = _latents(study, health)
    baseline = sum(study.number(entry["common"]) * latents[outcome][1][:, 0] for outcome, entry in spec["outcomes"].items())
    there = seen(study, arms, (baseline - baseline.mean()) / baseline.std())
    long = pd.DataFrame({key: np.repeat(people[key].to_numpy(), len(months)), spec["visit"]: np.tile(months, len(people))})
    frame = long.merge(people, on=key, how="left", validate="many_to_one")
    frame = frame.assign(**dict.fromkeys(spec["outcomes"], np.where(there.ravel(), 0.0, np.nan)))
    model, rows = study.models[spec["model"]], {}  # rows by what stands right of "~"
    for outcome in spec["outcomes"]:
        progress(f"scores: {outcome}")
        with faults_at(study, "scores", "outcomes", outcome):
            right = model["formula"].replace("{outcome}", outcome).partition("~")[2]
            if right not in rows:
                rows[right] = Rows(model, frame, outcome)
            long[outcome] = _grouped(study, people, rows[right], there, outcome, latents[outcome])
    return long[list(study.tables[spec["table"]]["columns"])]


def _latents(study: Study, health: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each outcome a standard normal level (n, 1) and visit-to-visit part (n, visits), tied by common factors."""
    spec = study.design["scores"]
    n, visits_ = len(health), len(spec["months"])
    decay = study.number(spec["decay"])
    shared = _autoregressive(generator(study, "scores", "shared"), n, visits_, decay)
    latents = {}
    for outcome, entry in spec["outcomes"].items():
        common = study.number(entry["common"])
        own = math.sqrt(1 - common**2)
        level = common * health + own * generator(study, "scores", outcome, "level").standard_normal(n)
        moves = common * shared + own * _autoregressive(generator(study, "scores", outcome, "moves"), n, visits_, decay)
        latents[outcome] = (((level - level.mean()) / level.std())[:, None], moves)
    return latents


def _autoregressive(rng: np.random.Generator, n: int, steps: int, correlation: float) -> np.ndarray:
    """(n, steps) standard normal scores whose neighbours in time have the given correlation."""
    noise = rng.standard_normal((n, steps))
    for step in range(1, steps):
        noise[:, step] = correlation * noise[:, step - 1] + math.sqrt(1 - correlation**2) * noise[:, step]
    return noise


def _grouped(
    study: Study, people: pd.DataFrame, shared: Rows, there: np.ndarray, outcome: str, latent: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """One outcome's scores (n × visits, flat) whose change has the ICC by programme group that the study file assumes, if it does.

    Scores at the scale's ends move it. Where they move it out of its bounds, as much more or less is aimed at.
    """
    entry = study.design["scores"]["outcomes"][outcome]
    if "group_icc" not in entry:
        return _score(study, people, shared, there, outcome, latent, 0.0)
    wanted = aim = study.number(entry["group_icc"])
    assumed = study.assumptions.get(entry["group_icc"])
    low, high = (float(end) for end in assumed.bounds) if assumed and assumed.bounds else (-math.inf, math.inf)
    for _ in range(CORRECTIONS):
        values = _score(study, people, shared, there, outcome, latent, aim)
        sizes, _, means, within, typical = _groups(study, people, values.reshape(there.shape), there)
        between = float(sizes @ (means - sizes @ means / sizes.sum()) ** 2 / (len(sizes) - 1))
        found = (between - within) / (between + (typical - 1) * within)
        if low <= found <= high:
            break
        aim = min(max(aim + wanted - found, -0.5 / typical), 0.5)
    return values


def _score(
    study: Study, people: pd.DataFrame, shared: Rows, there: np.ndarray, outcome: str, latent: tuple[np.ndarray, np.ndarray], icc: float
) -> np.ndarray:
    """One outcome's scores (n × visits, flat), empty where the person was not seen, on the scale's steps."""
    spec = study.design["scores"]
    entry, rows = spec["outcomes"][outcome], shared.design
    column = study.tables[spec["table"]]["columns"][outcome]
    mean, sd = study.number(entry["mean"]), study.number(entry["sd"])
    decay = study.number(spec["decay"]) ** (len(spec["months"]) - 1)
    level, moves = latent
    targets = _targets(study, spec["model"], outcome, rows)
    fixed_r = "r" in entry
    fitted = None
    share = (1 - study.number(entry["r"])) / (1 - decay) if fixed_r else 0.35
    for _ in range(12):
        if not 0 < share < 1:
            raise StudyError(study.file, SEPARATOR.join(("assumptions", str(entry["sd"]))), sd, f"With this spread no within-person correlation lets {outcome!r} print its claims: raise it, or the numbers of people seen.")
        z = math.sqrt(1 - share) * level + math.sqrt(share) * moves
        if "skewness" in entry:
            z = _skewed(z, study.number(entry["skewness"]))
        if "group_icc" in entry:
            z = _with_group_icc(study, people, z, there, icc, outcome)
        y = mean + sd * (z - z[:, 0].mean()) / z[:, 0].std(ddof=1)
        fitted = shared.fit(y.ravel()[rows.rows], fitted)
        b, s = _solve(study, entry, outcome, rows, fitted, targets, pin_spread=fixed_r)
        if fixed_r or abs(s - 1) < 1e-3:
            break
        share *= s**2
    residuals = y.ravel()[rows.rows] - rows.X @ fitted.beta
    steps, low, high = _scale(column)
    finished = _finish(study, outcome, shared, targets, b, s, fitted, residuals, steps, low, high)
    values = np.full(there.size, np.nan)
    values[rows.rows] = finished
    return values


def _skewed(z: np.ndarray, skewness: float) -> np.ndarray:
    """`z` bent so that a standard normal score gets the skewness, by a shifted log-normal curve; skewness > 0."""
    spread = optimize.brentq(lambda v: (math.exp(v * v) + 2) * math.sqrt(math.exp(v * v) - 1) - skewness, 1e-6, 2.0)
    return (np.exp(spread * z) - math.exp(spread**2 / 2)) / (math.exp(spread**2 / 2) * math.sqrt(math.exp(spread**2) - 1))


def _with_group_icc(study: Study, people: pd.DataFrame, z: np.ndarray, there: np.ndarray, icc: float, outcome: str) -> np.ndarray:
    """`z` with programme groups drawn apart after baseline, so that the ICC of change at the last visit is `icc`.

    The ICC is that of one-way analysis of variance on the people seen.
    """
    sizes, codes, means, within, typical = _groups(study, people, z, there)
    pull = generator(study, "scores", outcome, "groups").standard_normal(len(sizes))
    wanted = within * (1 + typical * icc / (1 - icc))
    centred = pull - sizes @ pull / sizes.sum()
    found = float(sizes @ centred**2 / (len(sizes) - 1))
    shift = math.sqrt(wanted / found) * centred + sizes @ means / sizes.sum() - means
    moved = z.copy()
    moved[np.ix_(np.flatnonzero(codes >= 0), range(1, z.shape[1]))] += shift[codes[codes >= 0]][:, None]
    return moved


def _groups(study: Study, people: pd.DataFrame, z: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """Of the change from the first to the last visit of `z` (n, visits), by programme group, of the people seen: sizes and means (G,), variance within, typical size.

    Second, everybody's group, (n,) codes; −1 for none.
    """
    codes, names = pd.factorize(people[study.design["people"]["groups"]["column"]])
    counted = (codes >= 0) & there[:, -1]
    block, change = codes[counted], z[counted, -1] - z[counted, 0]
    sizes = np.bincount(block, minlength=len(names))
    means = np.bincount(block, change, minlength=len(names)) / sizes
    typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(names) - 1)
    within = float(((change - means[block]) ** 2).sum() / (sizes.sum() - len(names)))
    return sizes, codes, means, within, typical


def _targets(study: Study, model: str, outcome: str, rows: models.Design) -> list[Target]:
    """Every claim on this outcome under this model, as a Target."""
    spec = study.models[model]
    targets = []
    for claim in study.claims.values():
        by = claim.by or {}
        outcomes = by.get("outcome", [])
        if by.get("model") != model or outcome not in ([outcomes] if isinstance(outcomes, str) else outcomes):
            continue
        low, high = _limits(claim)
        every = (by.get("take") == "largest" and low == -math.inf) or (by.get("take") != "largest" and high == math.inf)
        if not isinstance(outcomes, str) and len(outcomes) > 1 and not every:
            where = SEPARATOR.join(("claims", claim.id, "by", "outcome"))
            raise StudyError(study.file, where, outcomes, "Of several outcomes only a bound that all of them meet can be made, such as a smallest p of \">=.05\": name one outcome.")
        weights = rows.contrast(spec["contrasts"][by["contrast"]])
        targets.append(Target(claim.id, claim.printed or claim.declared or "", by["statistic"], weights, low, high))
    return targets


def _limits(claim: Claim) -> tuple[float, float]:
    lo, hi, _, _ = printed.parse(claim.printed or claim.declared or "", claim.rounding).interval()
    return (-math.inf if lo is None else float(lo)), (math.inf if hi is None else float(hi))


def _critical(target: Target, fit: models.Fit) -> tuple[float, float]:
    """The smallest and largest |estimate / SE| that print the p value, whether z or t is the reference.

    The z test and a t test on the within-person degrees of freedom must both print it, so that the choice
    between them does not decide the digits; a p with too many decimals for that is left to the model's own test.
    """
    df = fit.df or max(3, fit.n - int(fit.design.groups.max()) - 1 - len(fit.beta))
    low = -models.quantile(target.high / 2, df) if target.high < 1 else 0.0
    high = -models.quantile(target.low / 2, fit.df) if target.low > 0 else math.inf
    if low >= high:
        low = -models.quantile(target.high / 2, fit.df)
    return low, high


def _solve(
    study: Study, entry: Mapping[str, Any], outcome: str, rows: models.Design, fit: models.Fit, targets: list[Target], pin_spread: bool
) -> tuple[np.ndarray, float]:
    """Coefficients b (p,) and scale s of the residuals that meet every target with the largest margin.

    Raises StudyError with the smallest set of claims and assumptions that exclude each other.
    """
    pins = _pins(study, entry, outcome, rows, fit, targets, pin_spread)
    best = max((_program(fit, targets, pins, signs) for signs in _signs(targets)), key=lambda found: found[0])
    if best[0] < 0:
        names = _conflict(fit, targets, pins)
        shown = "; ".join(f"{name} {text}".strip() for name, text in names)
        where = "claims" if any(name in study.claims for name, _ in names) else "assumptions"
        raise StudyError(study.file, SEPARATOR.join((where, names[0][0] if names else outcome)), None, f"No scores of {outcome!r} can print these together: {shown}. Correct one of them, or the model.")
    return best[1], best[2]


def _pins(
    study: Study, entry: Mapping[str, Any], outcome: str, rows: models.Design, fit: models.Fit, targets: list[Target], pin_spread: bool
) -> list[tuple[str, np.ndarray, float]]:
    """What is fixed beside the claims: (name, weights on (b, s), value)."""
    spec = study.design["scores"]
    arm_column, months = study.design["people"]["arms"]["column"], spec["months"]
    early = study.number(entry["early"])
    p = rows.X.shape[1]

    def cell(arm: str, month: int) -> np.ndarray:
        return rows.contrast([{"weight": 1, "at": {arm_column: arm, spec["visit"]: month}}])

    pins: list[tuple[str, np.ndarray, float]] = []
    arms = list(study.design["people"]["arms"]["sizes"])
    overall = float(np.mean([cell(arm, months[0]) @ fit.beta for arm in arms]))
    for arm in arms:
        first = cell(arm, months[0])
        level = study.number(entry["mean"]) + float(first @ fit.beta) - overall
        pins.append((entry["mean"], np.append(first, 0.0), level))
        last = cell(arm, months[-1]) - first
        if arm in entry["change"] and entry["change"][arm] in study.assumptions:
            pins.append((entry["change"][arm], np.append(last, 0.0), study.number(entry["change"][arm])))
        for month in months[1:-1]:
            pins.append((entry["early"], np.append(cell(arm, month) - first - early * last, 0.0), 0.0))
    if pin_spread:
        pins.append((entry["r"], np.append(np.zeros(p), 1.0), 1.0))
    return pins


def _signs(targets: list[Target]) -> Iterable[dict[str, int]]:
    """Every choice of the estimates' signs that a p value, and what is known of the estimate, leave open: claim → 1 or −1."""

    def possible(target: Target) -> list[int]:
        same = [other for other in targets if other.statistic == "est" and np.array_equal(other.weights, target.weights)]
        signs = [sign for sign in (1, -1) if all((other.high if sign > 0 else -other.low) > 0 for other in same)]
        return signs or [1, -1]

    open_ = {target.claim: possible(target) for target in targets if target.statistic == "p"}
    return (dict(zip(open_, signs, strict=True)) for signs in itertools.product(*open_.values()))


def _program(
    fit: models.Fit, targets: list[Target], pins: list[tuple[str, np.ndarray, float]], signs: Mapping[str, int]
) -> tuple[float, np.ndarray, float]:
    """(margin, b, s) of the linear program over (b, s, margin); margin −1 where it has no solution."""
    p = len(fit.beta)
    rows_, limits = [], []

    def at_most(weights: np.ndarray, limit: float, half: float) -> None:
        rows_.append(np.append(weights, half))
        limits.append(limit)

    quantile = models.quantile(0.975, fit.df)
    for target in targets:
        k = math.sqrt(target.weights @ fit.cov @ target.weights)
        estimate, error = np.append(target.weights, 0.0), np.append(np.zeros(p), k)
        if target.statistic == "p":
            low, high = _critical(target, fit)
            sign = signs[target.claim]
            half = (high - low) / 2 * k if math.isfinite(high) and low > 0 else 0.02 * k
            at_most(low * error - sign * estimate, 0.0, half if low > 0 else 0.0)
            if math.isfinite(high):
                at_most(sign * estimate - high * error, 0.0, half)
            continue
        weights = {"est": estimate, "se": error, "lo": estimate - quantile * error, "hi": estimate + quantile * error}[target.statistic]
        half = (target.high - target.low) / 2 if math.isfinite(target.high - target.low) else 1e-3 * k
        if math.isfinite(target.high):
            at_most(weights, target.high, half)
        if math.isfinite(target.low):
            at_most(-weights, -target.low, half)
    rows_ += [np.append(weights, 0.0) for _, weights, _ in pins]
    fixed = np.array([value for _, _, value in pins])
    result = optimize.milp(  # a linear program, without whole numbers; `linprog` takes twice the time
        np.append(np.zeros(p + 1), -1.0),
        constraints=(np.array(rows_), np.append(np.full(len(limits), -np.inf), fixed), np.append(limits, fixed)),
        bounds=optimize.Bounds(np.append(np.full(p, -np.inf), (1e-3, 0.0)), np.append(np.full(p, np.inf), (1e3, 1.0))),
    )
    if result.status != 0:
        return -1.0, fit.beta, 1.0
    return float(result.x[-1]), result.x[:p], float(result.x[p])


def _conflict(fit: models.Fit, targets: list[Target], pins: list[tuple[str, np.ndarray, float]]) -> list[tuple[str, str]]:
    """The smallest set, by deletion, of claims and pins that no (b, s) meets: (name, printed text)."""
    items: list[Any] = [*targets, *pins]

    def impossible(kept: list[Any]) -> bool:
        some_targets = [item for item in kept if isinstance(item, Target)]
        some_pins = [item for item in kept if not isinstance(item, Target)]
        return all(_program(fit, some_targets, some_pins, signs)[0] < 0 for signs in _signs(some_targets))

    for item in reversed(list(items)):
        rest = [other for other in items if other is not item]
        if impossible(rest):
            items = rest
    return [(item.claim, item.text) if isinstance(item, Target) else (item[0], "") for item in items]


def _scale(column: Mapping[str, Any]) -> tuple[Callable[[np.ndarray], np.ndarray], float, float]:
    """How scores fall on the column's steps, and the scale's two ends."""
    low, high = float(column["minimum"]), float(column["maximum"])
    decimals = column.get("decimals", 0) if column["type"] == "number" else 0
    per_point = column.get("items") or 10**decimals

    def steps(values: np.ndarray) -> np.ndarray:
        return np.round(np.rint(np.clip(values, low, high) * per_point) / per_point, decimals)

    return steps, low, high


def _slack(target: Target, fit: models.Fit) -> float:
    """How far inside its interval the claim is: 1 in the middle, 0 at an end, below 0 outside."""
    row = fit.linear(target.weights)
    if target.statistic == "p":
        low, high = _critical(target, fit)
        value = abs(row.est) / row.se
    else:
        low, high, value = target.low, target.high, getattr(row, target.statistic)
    if math.isfinite(low) and math.isfinite(high) and (target.statistic != "p" or low > 0):
        return float(min(value - low, high - value) / ((high - low) / 2))
    gap = value - low if math.isfinite(low) and (target.statistic != "p" or low > 0) else high - value
    return float(min(1.0, gap / (0.02 if target.statistic == "p" else 1e-3 * row.se)))


def _finish(
    study: Study, outcome: str, rows: Rows, targets: list[Target], b: np.ndarray, s: float, fit: models.Fit,
    residuals: np.ndarray, steps: Callable[[np.ndarray], np.ndarray], low: float, high: float,
) -> np.ndarray:
    """Scores on the scale's steps that meet every target by MARGIN: feedback first, single steps after."""

    def worst(values: np.ndarray) -> tuple[float, models.Fit]:
        found = rows.fit(values, fit)
        return min((_slack(target, found) for target in targets), default=1.0), found

    spread = s * math.sqrt(sum(fit.variances.values()))
    aim_b, aim_s = b.copy(), s
    best: tuple[float, np.ndarray] = (-math.inf, residuals)
    for _ in range(25):
        values = steps(rows.design.X @ aim_b + aim_s * residuals)
        margin, found = worst(values)
        if margin > best[0]:
            best = (margin, values)
        if margin >= MARGIN:
            return values
        aim_b = aim_b + (b - found.beta)
        aim_s *= spread / math.sqrt(sum(found.variances.values()))
    rng = generator(study, "scores", outcome, "steps")
    margin, values = best
    step = np.min(np.diff(np.unique(steps(np.linspace(low, high, 10_001)))))
    for _ in range(3_000):
        if margin >= MARGIN:
            return values
        trial = values.copy()
        trial_row = rng.integers(len(values))
        trial[trial_row] = steps(trial[trial_row] + rng.choice((-1.0, 1.0)) * step)
        after, _ = worst(trial)
        if after > margin:
            margin, values = after, trial
    if margin <= 0:
        texts = ", ".join(f"{target.claim} {target.text}" for target in targets)
        raise StudyError(study.file, SEPARATOR.join(("design", "scores", "outcomes", outcome)), texts, "No scores on this scale's steps were found that print these: the scale is too coarse or too short for them.")
    return values
