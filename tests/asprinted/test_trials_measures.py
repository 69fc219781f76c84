"""Arms and events whose pooled mean difference, ratio or risk difference prints every target, and the refusals where none does."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from asprinted import printed
from asprinted.models.effects import MEASURES
from asprinted.models.heterogeneity import ESTIMATORS
from asprinted.models.pooled import pool
from asprinted.models.small_studies import egger
from asprinted.synthesis import integers
from asprinted.synthesis.trials import laws
from asprinted.synthesis.trials.arms import Arms, Target, Trials, arms_that_print
from asprinted.synthesis.trials.measures import counts_that_print, differences_that_print
from asprinted.synthesis.trials.targets import bands, sides

BINARY = [name for name, measure in MEASURES.items() if "events" in measure.parts]
WALD = {"estimator": "DL", "test": "wald-z", "level": 0.95}
ATTRITION = {"est": "0.80", "lo": "0.58", "hi": "1.09"}
QUALITY = {"est": "−0.30", "lo": "−0.80", "hi": "0.20"}


def targets(texts: dict[str, str], k: int, measure: str, model: dict = WALD, rows: np.ndarray | None = None) -> list[Target]:
    """The targets that printed texts are, of all of k trials unless `rows` says which."""
    found = []
    for name, text in texts.items():
        low, high, *_ = printed.parse(text).interval()
        ends = -math.inf if low is None else float(low), math.inf if high is None else float(high)
        found.append(Target(name, *ends, np.ones(k, bool) if rows is None else rows, model, f"{name} {text}", ratio=MEASURES[measure].ratio))
    return found


def pool_of_counts(n: np.ndarray, events: np.ndarray, measure: str, model: dict = WALD):
    found = pool(*MEASURES[measure].of(n[:, 0], events[:, 0], n[:, 1], events[:, 1]), **model)
    return found.as_ratios() if MEASURES[measure].ratio else found


def pool_of_arms(arms: Arms, direction: np.ndarray, model: dict = WALD):
    y, v = MEASURES["md"].of(*(column for arm in (0, 1) for column in (arms.n[:, arm], arms.mean[:, arm], arms.sd[:, arm])))
    return pool(direction * y, v, **model)


def assert_prints(found, texts: dict[str, str]) -> None:
    assert {name: printed.agrees(float(getattr(found, name)), text) for name, text in texts.items()} == dict.fromkeys(texts, True)


def on_a_scale(effects, sizes, scale=(1, 7, 4.5, 1.4), direction=None, least=None, most=None) -> Trials:
    """Trials of mean differences on one scale; sizes are fixed unless `least` and `most` are given."""
    sizes = np.asarray(sizes)
    k = len(sizes)
    bounds = (sizes, sizes) if least is None else (np.full((k, 2), least), np.full((k, 2), most))
    return Trials(np.asarray(effects, float), sizes, *bounds, None, *(np.full(k, float(each)) for each in scale), np.ones(k) if direction is None else direction)


def assert_whole(arms: Arms, of: Trials) -> None:
    """Each arm is n whole scores on its scale, decided exactly from its two printed texts."""
    for i, j in np.ndindex(arms.n.shape):
        counts = integers.printing(int(arms.n[i, j]), int(of.minimum[i]), int(of.maximum[i]), f"{arms.mean[i, j]:.2f}", f"{arms.sd[i, j]:.2f}")
        assert counts.sum() == arms.n[i, j]


def some_events(seed: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = np.maximum(np.rint(np.exp(rng.normal(4, 0.5, (k, 1)) + rng.normal(0, 0.1, (k, 2)))), 12).astype(int)
    return n, np.clip(rng.binomial(n, rng.uniform(0.1, 0.5, (k, 1))), 1, n - 1)


# How variances follow


@pytest.mark.parametrize("measure", BINARY)
def test_law_of_events_gives_their_effects_and_variances(measure):
    n, events = some_events(1, 30)
    y, v = MEASURES[measure].of(n[:, 0], events[:, 0], n[:, 1], events[:, 1])
    np.testing.assert_allclose(laws.first_events(measure, n, y, events[:, 1])[0], events[:, 0], rtol=1e-9)
    np.testing.assert_allclose(laws.events(measure, n)(y, np.column_stack([n[:, 0], events[:, 1]])).v, v, rtol=1e-9)


def test_law_of_differences_gives_their_variances_whether_people_move_or_spreads():
    rng = np.random.default_rng(2)
    n, sd, moved = rng.integers(10, 90, (9, 2)), rng.uniform(1, 3, (9, 2)), rng.uniform(0.8, 1.2, (9, 2))
    _, v = MEASURES["md"].of(n[:, 0], 1.0, sd[:, 0], n[:, 1], 1.0, sd[:, 1])
    np.testing.assert_allclose(laws.differences(sd)(np.zeros(9), n).v, v)
    np.testing.assert_allclose(laws.spreads(sd * moved, n)(np.zeros(9), n * moved**2).v, v)


@pytest.mark.parametrize("law", ["standardised", "differences", "spreads", *BINARY])
@pytest.mark.parametrize("spread", [0.5, 0.02])
def test_slopes_are_those_of_small_differences(law, spread):
    rng = np.random.default_rng(4)
    n, events = some_events(3, 8)
    n, y, sd = n.astype(float), rng.normal(0.05, spread * (0.3 if law == "rd" else 1), 8), rng.uniform(0.8, 1.6, (8, 2))
    of = {"standardised": laws.standardised, "differences": laws.differences(sd), "spreads": laws.spreads(sd, n)}.get(law) or laws.events(law, n)
    point = np.column_stack([n[:, 0], np.clip(events[:, 1], 4, None)]) if law in BINARY else n * rng.uniform(0.9, 1.1, n.shape)
    wanted = [Target(name, -1e3, 1e3, np.arange(8) < 6, WALD | {"estimator": estimator}, name) for name in ("est", "se", "lo", "tau2", "q") for estimator in ("DL", "REML")]
    found = bands([*wanted, Target("egger", -9, 9, np.ones(8, bool), WALD, "egger")])
    slack, moves = sides(found, y, point, law=of)
    closed, h, logs = np.isfinite(slack), 1e-6, np.log(point)
    for i, part in itertools.product(range(8), range(3)):
        ends = []
        for step in (h, -h):
            effects, sizes = y.copy(), logs.copy()
            if part == 0:
                effects[i] += step
            else:
                sizes[i, part - 1] += step
            ends.append(sides(found, effects, np.exp(sizes), law=of)[0])
        np.testing.assert_allclose(moves[closed, part, i], (ends[0][closed] - ends[1][closed]) / (2 * h), rtol=1e-4, atol=1e-4)
    v = of(y, point).v
    for i in range(8):
        ends = [sides(found, y, point, law=laws.held(v + step * (np.arange(8) == i), point))[0] for step in (h * v[i], -h * v[i])]
        if law in ("standardised", "differences"):  # where n are the sizes of the arms, which `held` takes for √(1/n₁ + 1/n₂)
            np.testing.assert_allclose(moves[closed, 3, i], (ends[0][closed] - ends[1][closed]) / (2 * h * v[i]), rtol=1e-4, atol=1e-3)


# Ratios as they are printed


def test_target_of_ratios_is_met_by_ratios_and_its_band_is_of_logs():
    everyone = np.ones(3, bool)
    target = Target("est", 0.795, 0.805, everyone, WALD, "est", ratio=True)
    y, v, n = np.log([0.7, 0.8, 0.9]), np.array([0.1, 0.1, 0.1]), np.full((3, 2), 50.0)
    assert target.value(y, v, n) == pytest.approx((0.7 * 0.8 * 0.9) ** (1 / 3)) and target.met(0.8)
    assert [(band.low, band.high) for band in bands([target])] == [(math.log(0.795), math.log(0.805))]
    se = Target("se", 0.18, 0.19, everyone, WALD, "se", ratio=True)
    assert se.value(y, v, n) == pytest.approx(math.sqrt(0.1 / 3)) and se.ends == (0.18, 0.19)
    assert Target("lo", -0.005, 0.005, everyone, WALD, "lo", ratio=True).ends == (-math.inf, math.log(0.005))


def test_sign_of_t_is_told_by_a_ratio_below_1():
    wanted = [Target("hi", 0.9, 0.95, np.ones(3, bool), WALD, "hi", ratio=True), Target("p", 0.01, 0.02, np.ones(3, bool), WALD, "p", ratio=True)]
    assert {band.statistic: band.sign for band in bands(wanted)} == {"hi": 0, "t": -1}


def test_ratio_below_0_is_refused():
    with pytest.raises(ValueError, match="x: est is not -0.5 to -0.3, but from 0 to inf always"):
        Target("est", -0.5, -0.3, np.ones(3, bool), WALD, "x", ratio=True)


# Published rows


@pytest.mark.parametrize("seed", range(6))
def test_published_risk_ratio_of_attrition_is_printed_by_whole_people(seed):
    rng = np.random.default_rng(seed)
    people = np.maximum(np.rint(rng.dirichlet(np.full(5, 4.0)) * 581), 30).astype(int)
    people[0] += 581 - people.sum()
    n = np.column_stack([people // 2, people - people // 2])
    drawn = rng.binomial(n, [0.21, 0.26])
    events = counts_that_print(n, drawn, targets(ATTRITION, 5, "rr"), rng, "rr")
    assert events.dtype.kind == "i" and ((events > 0) & (events < n)).all()
    assert_prints(pool_of_counts(n, events, "rr"), ATTRITION)
    risk = np.clip(drawn, 1, n - 1) / n
    assert (np.abs(events - drawn) / np.sqrt(n * risk * (1 - risk))).max() < 3.5


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("i2", [None, "56%"])
def test_published_difference_in_quality_of_life_is_printed_by_whole_scores_in_arms_of_given_size(seed, i2):
    rng = np.random.default_rng(seed)
    texts = QUALITY | ({"i2": i2} if i2 else {})
    start = on_a_scale(-0.3 + 0.3 * rng.normal(size=3), rng.integers(30, 75, (3, 2)))
    arms = differences_that_print(start, targets(texts, 3, "md"), rng)
    np.testing.assert_array_equal(arms.n, start.sizes)
    assert_prints(pool_of_arms(arms, start.direction), texts)
    assert_whole(arms, start)
    assert (np.abs(np.log(arms.sd / 1.4)) < 0.6).all()


# Round trips


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("measure", BINARY)
def test_simulated_pool_of_events_is_made_again_from_its_print(measure, seed):
    rng = np.random.default_rng([3, seed])
    k, model = int(rng.integers(1, 21)), WALD | {"estimator": ESTIMATORS[seed % 4]}
    n, truth = some_events([4, seed], k)
    events = np.clip(rng.binomial(n, truth / n), 1, n - 1)
    found = pool_of_counts(n, truth, measure, model)
    digits = dict.fromkeys(("est", "lo", "hi", "p"), 3 if measure == "rd" else 2) | ({"i2": 0} if k > 1 else {})
    texts = {name: str(printed.round_to(float(getattr(found, name)), places)) for name, places in digits.items()}
    made = counts_that_print(n, events, targets(texts, k, measure, model), rng, measure)
    assert_prints(pool_of_counts(n, made, measure, model), texts)


@pytest.mark.parametrize("seed", range(30))
def test_simulated_pool_of_differences_is_made_again_from_its_print(seed):
    rng = np.random.default_rng([5, seed])
    k, model = int(rng.integers(1, 21)), WALD | {"estimator": ESTIMATORS[seed % 4]}
    scale = ((1, 7, 4.5, 1.4), (0, 60, 32.0, 10.0), (8, 32, 22.0, 5.0))[seed % 3]
    sizes = np.maximum(np.rint(np.exp(rng.normal(4, 0.5, (k, 1)) + rng.normal(0, 0.1, (k, 2)))), 12).astype(int)
    y = scale[3] * (rng.normal(0, 0.3) + rng.choice([0, 0.2]) * rng.normal(size=k) + np.sqrt((1 / sizes).sum(1)) * rng.normal(size=k))
    y = np.round(y, 2)  # as differences of means with two decimals are: of one trial no other effect can be printed
    found = pool(y, scale[3] ** 2 * (1 / sizes).sum(1), **model)
    digits = dict.fromkeys(("est", "lo", "hi", "p"), 2) | ({"i2": 0, "tau2": 2} if k > 1 else {})
    texts = {name: str(printed.round_to(float(getattr(found, name)), places)) for name, places in digits.items()}
    start = on_a_scale(y + 0.1 * scale[3] * rng.normal(size=k), sizes, scale, np.where(rng.random(k) < 0.3, -1.0, 1.0))
    arms = differences_that_print(start, targets(texts, k, "md", model), rng)
    assert_prints(pool_of_arms(arms, start.direction, model), texts)
    assert_whole(arms, start)


@pytest.mark.parametrize("measure", BINARY)
def test_groups_and_small_study_effects_of_events_are_met_at_once(measure):
    n, events = some_events(7, 16)
    group, model, everyone = np.arange(16) < 8, WALD | {"estimator": "REML"}, np.ones(16, bool)
    ratio = MEASURES[measure].ratio
    wanted = [Target("lead", 1e-3, math.inf, group, model, "lead", (~group,), ratio), Target("egger_p", 0.01, 0.05, everyone, WALD, "egger p", ratio=ratio), Target("egger", 0, math.inf, everyone, WALD, "egger", ratio=ratio)]
    wanted += targets({"est": "0.90"} if ratio else {"est": "−0.03"}, 16, measure, model)
    made = counts_that_print(n, events, wanted, np.random.default_rng(1), measure)
    y, v = MEASURES[measure].of(n[:, 0], made[:, 0], n[:, 1], made[:, 1])
    line = egger(y, v, np.sqrt((1 / n).sum(1)))
    assert line.slope > 0 and 0.01 <= line.p <= 0.05
    assert pool(y[group], v[group], **model).est > pool(y[~group], v[~group], **model).est
    assert all(target.met(target.value(y, v, n)) for target in wanted)


# What is kept


def test_without_targets_events_stay_and_arms_have_the_differences_drawn():
    n, events = some_events(8, 12)
    np.testing.assert_array_equal(counts_that_print(n, events, [], np.random.default_rng(1), "or"), events)
    rng = np.random.default_rng(2)
    start = on_a_scale(rng.normal(0.2, 0.4, 20), rng.integers(30, 90, (20, 2)))
    arms = differences_that_print(start, [], rng)
    assert np.abs(arms.mean[:, 0] - arms.mean[:, 1] - start.effects).max() < 0.02
    assert 0.05 < np.std(np.log(arms.sd[:, 1])) < 0.2


def test_same_random_numbers_give_the_same_events_and_arms():
    n, events = some_events(9, 4)
    first, second = (counts_that_print(n, events, targets({"est": "0.90", "i2": "12"}, 4, "rr"), np.random.default_rng(3), "rr") for _ in range(2))
    np.testing.assert_array_equal(first, second)
    start = on_a_scale([-0.1, -0.4, -0.3], [[30, 31], [40, 44], [55, 60]], least=20, most=90)
    one, other = (differences_that_print(start, targets(QUALITY, 3, "md"), np.random.default_rng(3)) for _ in range(2))
    for name in ("n", "mean", "sd"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_measure_of_the_trials_decides_what_the_table_prints():
    start = on_a_scale([-0.1, -0.4, -0.3], [[40, 41], [40, 44], [55, 60]])
    arms = arms_that_print(start, targets(QUALITY, 3, "md"), np.random.default_rng(3))
    y, v = MEASURES["smd"].of(*(column for arm in (0, 1) for column in (arms.n[:, arm], arms.mean[:, arm], arms.sd[:, arm])))
    assert_prints(pool(y, v), QUALITY)
    with pytest.raises(AssertionError):
        assert_prints(pool_of_arms(arms, start.direction), QUALITY)


def test_empty_cell_is_left_where_another_table_prints_as_well():
    n = np.array([[40, 40], [50, 50]])
    made = counts_that_print(n, np.array([[0, 0], [0, 50]]), targets({"i2": "0%"}, 2, "rd"), np.random.default_rng(1), "rd")
    assert ((made > 0) & (made < n)).all()


# One trial, and what is refused


@pytest.mark.parametrize("measure", BINARY)
@pytest.mark.parametrize("seed", range(5))
def test_one_trial_is_found_exactly_where_any_of_its_tables_prints(measure, seed):
    rng = np.random.default_rng([6, seed])
    n = rng.integers(6, 15, (1, 2))
    texts = {"est": f"{rng.uniform(0.5, 1.5) - (measure == 'rd'):.1f}", "lo": f"{rng.uniform(0.1, 0.5) - (measure == 'rd'):.1f}"}
    possible = []
    for a, c in itertools.product(range(n[0, 0] + 1), range(n[0, 1] + 1)):
        y, v = MEASURES[measure].of(n[0, 0], a, n[0, 1], c)
        if np.isfinite(y) and all(target.met(target.value(y[None], v[None], n)) for target in targets(texts, 1, measure)):
            possible.append((a, c))
    if possible:
        assert tuple(counts_that_print(n, n // 3, targets(texts, 1, measure), rng, measure)[0]) in possible
    else:
        with pytest.raises(ValueError, match=r"est .*, lo .*: (none of the \d+ tables of \d+ and \d+ people prints this; the nearest misses it so: |the standard error would be at most )"):
            counts_that_print(n, n // 3, targets(texts, 1, measure), rng, measure)


@pytest.mark.parametrize(
    ("texts", "measure", "message"),
    [
        ({"lo": "0.90", "hi": "0.50"}, "rr", "lo 0.90, hi 0.50: the estimate lies inside its interval.*no records can print this"),
        ({"lo": "0.99", "hi": "1.01"}, "or", r"the standard error would be at most 0.0\d+, but that of 2 trials with 180 people is at least 0.2\d+, since the log odds"),
        ({"q": "4.09", "i2": "35"}, "rr", "no trials print these together: of Q with 1 degrees of freedom"),
        ({"est": "0.80", "p": ".500", "i2": "3.1%", "tau2": "0.200"}, "rr", r"no events were found that print all of est 0.80, p .500, i2 3.1%, tau2 0.200; the nearest miss in \d+ attempts: "),
    ],
)
def test_what_no_events_print_is_refused_with_the_reason_or_the_nearest_miss(texts, measure, message):
    n = np.array([[40, 40], [50, 50]])
    with pytest.raises(ValueError, match=message):
        counts_that_print(n, n // 4, targets(texts, 2, measure), np.random.default_rng(1), measure)


def test_least_standard_error_of_log_odds_is_below_that_of_every_table():
    for a, c in itertools.product(range(9), range(12)):
        _, v = MEASURES["or"].of(8, a, 11, c)
        assert np.isnan(v) or v >= 4 / 9 + 4 / 12


@pytest.mark.parametrize(
    ("n", "events", "measure", "ratio", "message"),
    [
        ([[20, 20]], [[2, 3]], "md", False, "the measure 'md' is not of events: give rr, or, rd"),
        ([[20, 20]], [[2, 3]], "rr", False, "est: it is of differences, but the measure is 'rr': give such targets"),
        ([[20, 20]], [[2, 3]], "rd", True, "est: it is of ratios, but the measure is 'rd'"),
        ([[20, 20]], [[21, 3]], "rr", True, "arms and their events do not fit"),
        ([[20, 20]], [[2], [3]], "rr", True, "arms and their events do not fit"),
        ([[1, 20]], [[1, 3]], "rr", True, "two people or more an arm"),
    ],
)
def test_arms_events_measure_and_targets_that_do_not_fit_are_refused(n, events, measure, ratio, message):
    with pytest.raises(ValueError, match=message):
        counts_that_print(n, events, [Target("est", 0.7, 0.9, np.ones(1, bool), WALD, "est", ratio=ratio)], np.random.default_rng(1), measure)


def test_interval_of_differences_upside_down_is_refused_and_a_narrow_one_of_wide_scores_is_told():
    start = on_a_scale([-0.3, -0.2], [[30, 30], [40, 40]])
    with pytest.raises(ValueError, match="lo 0.20, hi −0.80: the estimate lies inside its interval.*no records can print this"):
        differences_that_print(start, targets({"lo": "0.20", "hi": "−0.80"}, 2, "md"), np.random.default_rng(1))
    with pytest.raises(ValueError, match="no arms were found that print all of lo −0.30, hi −0.28; the nearest miss"):
        differences_that_print(start, targets({"lo": "−0.30", "hi": "−0.28"}, 2, "md"), np.random.default_rng(1))
