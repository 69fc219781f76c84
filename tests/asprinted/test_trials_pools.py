"""Arms of a pool of trials: the table alone prints every target, whole scores stand behind every row, and what cannot be is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import meta_analysis

from asprinted import printed
from asprinted.models.effects import hedges_g
from asprinted.models.heterogeneity import ESTIMATORS
from asprinted.models.pooled import TESTS, pool
from asprinted.models.small_studies import egger
from asprinted.synthesis import integers
from asprinted.synthesis.trials import arms as made
from asprinted.synthesis.trials import continuous, slopes
from asprinted.synthesis.trials.arms import Arms, Target, Trials, arms_that_print
from asprinted.synthesis.trials.continuous import whole_sizes
from asprinted.synthesis.trials.targets import bands, sides, variances

WALD = {"estimator": "DL", "test": "wald-z", "level": 0.95}


def target(statistic: str, text: str, rows: np.ndarray, model: dict = WALD, **more) -> Target:
    """The target that a printed text is."""
    interval = printed.parse(text).interval()
    low, high = (side * math.inf if end is None else float(end) for side, end in ((-1, interval.lo), (1, interval.hi)))
    return Target(statistic, low, high, rows, model, f"{statistic} {text}", **more)


def trials(effects, sizes, rng=None, total=None, free=False, scale=(0, 60, 32.0, 10.0), least=15, most=5000) -> Trials:
    """Trials on one scale; with `rng` some of them count the other way round."""
    effects, sizes = np.asarray(effects, float), np.asarray(sizes, float)
    k = len(effects)
    low, high, mean, sd = (np.full(k, float(each)) for each in scale)
    direction = np.ones(k) if rng is None else np.where(rng.random(k) < 0.3, -1.0, 1.0)
    bounds = (np.full((k, 2), least), np.full((k, 2), most)) if free else (sizes, sizes)
    return Trials(effects, sizes, *bounds, total, low, high, mean, sd, direction)


def effects_of(arms: Arms, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    g, v = hedges_g(*(column for arm in (0, 1) for column in (arms.n[:, arm], arms.mean[:, arm], arms.sd[:, arm])))
    return direction * g, v


def assert_prints(arms: Arms, direction: np.ndarray, texts: dict[str, str], model: dict = WALD) -> None:
    found = pool(*effects_of(arms, direction), **model)
    shown = {name: printed.parse(text).render(float(getattr(found, name))) for name, text in texts.items()}
    assert shown == texts


def assert_whole(arms: Arms, of: Trials) -> None:
    """Each arm is n whole scores on its scale, decided exactly from its two printed texts."""
    for i, j in np.ndindex(arms.n.shape):
        counts = integers.printing(int(arms.n[i, j]), int(of.minimum[i]), int(of.maximum[i]), f"{arms.mean[i, j]:.2f}", f"{arms.sd[i, j]:.2f}")
        assert counts.sum() == arms.n[i, j]


# Slopes


def a_pool(seed: int, k: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(10, 150, (k, 2)).astype(float)
    return rng.normal(0.2, spread, k), n


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("k", "spread"), [(3, 0.6), (12, 0.5), (12, 0.01)])
def test_statistics_are_those_of_the_reference_models(estimator, test, k, spread):
    y, n = a_pool(1, k, spread)
    v = variances(y, n)
    found, reference = slopes.pooled(y, v, {"estimator": estimator, "test": test, "level": 0.9}), pool(y, v, estimator, test, 0.9)
    for name in ("est", "se", "lo", "hi", "tau2", "q", "prediction_lo", "prediction_hi"):
        assert found.read(name).value == pytest.approx(float(getattr(reference, name)), rel=1e-9, abs=1e-12)
    assert found.read("t").value == pytest.approx(float(reference.est / reference.se), rel=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("spread", [0.5, 0.02])
def test_slopes_are_those_of_small_differences(estimator, test, spread):
    y, n = a_pool(2, 9, spread)
    rows = np.arange(9) < 7
    model, h = {"estimator": estimator, "test": test, "level": 0.95}, 1e-5
    wanted = [Target(name, -1e3, 1e3, rows, model, name) for name in ("est", "se", "lo", "hi", "tau2", "q", "prediction_lo", "prediction_hi")]
    wanted += [Target("p", 0.001, 0.9, rows, model, "p"), Target("lead", -9, 9, rows, model, "lead", (~rows,))]
    wanted += [Target("egger", -9, 9, rows, model, "egger"), Target("egger_p", 0.01, 0.99, rows, model, "egger p")]
    found = bands(wanted)
    _, moves = sides(found, y, n)
    logs = np.log(n)
    for i in range(9):
        for part in range(3):
            ends = []
            for step in (h, -h):
                moved, sizes = y.copy(), logs.copy()
                if part == 0:
                    moved[i] += step
                else:
                    sizes[i, part - 1] += step
                ends.append(sides(found, moved, np.exp(sizes))[0])
            closed = np.isfinite(ends[0])
            np.testing.assert_allclose(moves[closed, part, i], (ends[0][closed] - ends[1][closed]) / (2 * h), rtol=2e-5, atol=2e-5)


def test_eggers_slope_and_t_are_those_of_the_reference_model():
    y, n = a_pool(3, 15, 0.4)
    v, x = variances(y, n), np.sqrt((1 / n).sum(1))
    slope, t = slopes.egger(y, v, x)
    reference = egger(y, v, x)
    assert (slope.value, t.value) == pytest.approx((reference.slope, reference.t), rel=1e-9)


# Published rows: k, people, estimate, limits, Q, its p, I²

ROWS = {
    "recovery": (4, 1066, "−0.24", "−0.39", "−0.09", "4.09", ".25", "27%"),
    "hope": (4, 1072, "−0.14", "−0.27", "−0.02", "3.21", ".36", "7%"),
    "depression and anxiety": (3, 861, "−0.10", "−0.24", "0.03", "1.97", ".37", "0%"),
    "psychosis, later": (1, 448, "−0.00", "−0.19", "0.18"),
    "quality of life, later": (2, 639, "−0.24", "−0.40", "−0.08", "0.00", ".98", "0%"),
    "depression and anxiety, later": (2, 721, "−0.17", "−0.32", "−0.03", "0.15", ".70", "0%"),
    "overall symptoms, later": (1, 448, "−0.08", "−0.26", "0.11"),
    "recovery, later": (2, 757, "−0.23", "−0.37", "−0.09", "0.71", ".40", "0%"),
    "hope, later": (3, 967, "−0.24", "−0.46", "−0.02", "5.74", ".06", "65%"),
    "empowerment, later": (2, 538, "−0.25", "−0.43", "−0.07", "1.13", ".29", "12%"),
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_published_row_is_printed_by_whole_arms_with_its_people(row, seed):
    k, people, *texts = ROWS[row]
    texts = dict(zip(("est", "lo", "hi", "q", "q_p", "i2"), texts, strict=False))
    rng = np.random.default_rng(seed)
    sizes = np.maximum(np.outer(rng.dirichlet(np.full(k, 6.0)), [0.5, 0.5]) * people * np.exp(rng.normal(0, 0.05, (k, 2))), 20)
    effects = float(printed.parse(texts["est"]).value) + rng.normal(0, 0.1, k)
    start = trials(effects, sizes, rng, people, free=True, most=people)
    arms = arms_that_print(start, [target(name, text, np.ones(k, bool)) for name, text in texts.items()], rng)
    assert arms.n.sum() == people
    assert_prints(arms, start.direction, texts)
    assert_whole(arms, start)


def test_table_prints_the_same_in_statsmodels():
    k, people, *texts = ROWS["hope, later"]
    rng = np.random.default_rng(5)
    start = trials(rng.normal(-0.24, 0.15, k), np.full((k, 2), people / 2 / k), None, people, free=True, most=people)
    arms = arms_that_print(start, [target(name, text, np.ones(k, bool)) for name, text in zip(("est", "lo", "hi", "q"), texts, strict=False)], rng)
    (n1, n2), (m1, m2), (s1, s2) = arms.n.T, arms.mean.T, arms.sd.T
    y, v = meta_analysis.effectsize_smd(m1, s1, n1, m2, s2, n2)
    table = meta_analysis.combine_effects(y, v, method_re="chi2").summary_frame().loc["random effect"]
    assert [printed.parse(text).render(table[name]) for name, text in zip(("eff", "ci_low", "ci_upp"), texts, strict=False)] == texts[:3]


# Many targets at once


@pytest.mark.parametrize("seed", range(4))
def test_three_estimators_and_three_groups_are_met_at_once_with_sizes_fixed(seed):
    rng = np.random.default_rng(seed)
    k, groups, everyone = 20, np.repeat([0, 1, 2], [8, 8, 4]), np.ones(20, bool)
    weights = np.exp(rng.normal(0, 0.5, (k, 1)) + rng.normal(0, 0.05, (k, 2)))
    sizes = np.maximum(np.rint(weights / weights.sum() * 5000), 15)
    sizes[0, 0] += 5000 - sizes.sum()
    texts, models = {"est": "0.20", "lo": "0.11", "hi": "0.29"}, [WALD | {"estimator": name} for name in ("DL", "PM", "REML")]
    wanted = [target(name, text, everyone, model) for model in models for name, text in texts.items()]
    for model in models:
        wanted.append(Target("lead", 1e-3, math.inf, groups == 0, model, "lead", (groups == 1, groups == 2)))
        wanted += [Target("p", 0.05, math.inf, groups == 2, model, "group p"), Target("est", 0.1, 0.35, groups == 0, model, "group est")]
    wanted += [Target("egger_p", 0.01, 0.05, everyone, WALD, "egger p"), Target("egger", 0, math.inf, everyone, WALD, "egger")]
    wanted.append(Target("i2", 40, 75, everyone, WALD, "i2"))
    unit = np.sqrt((1 / sizes).sum(1))
    drawn = np.array([0.3, 0.15, 0.1])[groups] + 0.8 * (unit - unit.mean()) + rng.normal(0, 0.17, k) + unit * rng.normal(size=k)
    start = trials(drawn, sizes, rng, 5000)
    arms = arms_that_print(start, wanted, rng)
    np.testing.assert_array_equal(arms.n, sizes)
    y, v = effects_of(arms, start.direction)
    for model in models:
        assert_prints(arms, start.direction, texts, model)
        means = [float(pool(y[groups == group], v[groups == group], **model).est) for group in range(3)]
        assert max(means) == means[0] <= 0.35
        assert pool(y[groups == 2], v[groups == 2], **model).p >= 0.05
    line = egger(y, v, unit)
    assert line.slope > 0 and 0.01 <= line.p <= 0.05
    assert 40 <= pool(y, v).i2 <= 75
    assert_whole(arms, start)


@pytest.mark.parametrize("test", ["knapp-hartung", "knapp-hartung-at-least-wald"])
@pytest.mark.parametrize(
    "texts", [{"est": "0.31", "lo": "0.02", "hi": "0.60", "p": ".040"}, {"est": "0.31", "tau2": "0.041", "prediction_lo": "−0.34", "p": "<.05"}]
)
def test_knapp_and_hartungs_tests_are_met(test, texts):
    model, everyone = {"estimator": "REML", "test": test, "level": 0.95}, np.ones(6, bool)
    start = trials([0.1, 0.5, 0.3, 0.2, 0.6, 0.1], [[40, 42], [35, 35], [80, 70], [50, 60], [30, 33], [55, 54]])
    arms = arms_that_print(start, [target(name, text, everyone, model) for name, text in texts.items()], np.random.default_rng(1))
    assert_prints(arms, start.direction, texts, model)


# Round trips from print alone


@pytest.mark.parametrize("seed", range(30))
def test_simulated_pool_is_made_again_from_its_print(seed):
    rng = np.random.default_rng([7, seed])
    model = WALD | {"estimator": "REML"}
    k = int(rng.integers(5, 101))
    sizes = np.maximum(np.rint(np.exp(rng.normal(4, 0.7, (k, 1)) + rng.normal(0, 0.1, (k, 2)))), 10)
    y = rng.normal(0, 0.4) + rng.choice([0, 0.1, 0.2, 0.35]) * rng.normal(size=k) + np.sqrt((1 / sizes).sum(1)) * rng.normal(size=k)
    found = pool(y, variances(y, sizes), **model)
    decimals = int(rng.integers(2, 4))
    digits = dict.fromkeys(("est", "lo", "hi", "prediction_lo", "prediction_hi"), decimals) | {"tau2": decimals + 1, "q": 2, "i2": int(rng.integers(2))}
    texts = {name: str(printed.round_to(float(getattr(found, name)), places)) for name, places in digits.items()}
    people = int(sizes.sum()) if rng.random() < 0.5 else None

    se, tau2 = (float(texts["hi"]) - float(texts["lo"])) / 3.92, float(texts["tau2"])
    each = np.clip(people / k if people else 4 / max(k * se**2 - tau2, 0.004), 40, 3000)
    weights = np.exp(rng.normal(0, 0.5, (k, 1)) + rng.normal(0, 0.05, (k, 2)))
    drawn = float(texts["est"]) + rng.normal(size=k) * np.sqrt(tau2 + 4 / each)
    start = trials(drawn, np.maximum(weights / weights.mean() * each / 2, 8), rng, people, free=True, least=6, most=8000)
    arms = arms_that_print(start, [target(name, text, np.ones(k, bool), model) for name, text in texts.items()], rng)
    assert people is None or arms.n.sum() == people
    again = pool(*effects_of(arms, start.direction), **model)
    assert {name: printed.agrees(float(getattr(again, name)), text) for name, text in texts.items()} == dict.fromkeys(texts, True)


# What is kept


def test_without_targets_the_table_has_the_effects_drawn():
    rng = np.random.default_rng(2)
    start = trials(rng.normal(0.2, 0.3, 40), rng.integers(20, 200, (40, 2)), rng)
    arms = arms_that_print(start, [], rng)
    y, _ = effects_of(arms, start.direction)
    assert np.abs(y - start.effects).max() < 0.01
    assert_whole(arms, start)


def test_effects_move_little_where_little_is_asked():
    rng = np.random.default_rng(3)
    start = trials(rng.normal(0.2, 0.2, 30), rng.integers(40, 120, (30, 2)), rng)
    arms = arms_that_print(start, [target("est", "0.25", np.ones(30, bool))], rng)
    y, v = effects_of(arms, start.direction)
    assert (np.abs(y - start.effects) / np.sqrt(v)).max() < 1


def test_levels_and_spreads_differ_between_trials_and_a_scale_may_count_the_other_way_round():
    rng = np.random.default_rng(4)
    start = trials(np.full(40, 0.5), np.full((40, 2), 100), rng)
    arms = arms_that_print(start, [], rng)
    np.testing.assert_array_equal(np.sign(arms.mean[:, 0] - arms.mean[:, 1]), start.direction)
    assert 0.05 < np.std(np.log(arms.sd[:, 1])) < 0.2 and 1.5 < np.std(arms.mean[:, 1]) < 6


def test_the_same_random_numbers_give_the_same_arms():
    start = trials([0.1, 0.3, 0.2], [[50, 50], [60, 62], [70, 70]], None, 362, free=True)
    wanted = [target("est", "0.22", np.ones(3, bool)), target("q", "1.30", np.ones(3, bool))]
    first, second = (arms_that_print(start, wanted, np.random.default_rng(9)) for _ in range(2))
    for name in ("n", "mean", "sd"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize("scale", [(1, 5, 3.2, 0.9), (0, 27, 9.0, 6.0), (-10, 10, 0.0, 4.0), (0, 4, 0.7, 0.8)])
def test_short_scales_and_small_arms_are_whole_scores(scale):
    rng = np.random.default_rng(6)
    start = trials(rng.normal(0.2, 0.2, 12), rng.integers(8, 20, (12, 2)), rng, scale=scale)
    arms = arms_that_print(start, [target("est", "0.21", np.ones(12, bool))], rng)
    assert_prints(arms, start.direction, {"est": "0.21"})
    assert_whole(arms, start)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 2), (-2, 3), (1, 7)])
def test_what_is_said_to_exist_exists_and_nothing_else(n, low, high):
    there = {(sum(scores), sum(score**2 for score in scores)) for scores in itertools.combinations_with_replacement(range(low, high + 1), n)}
    top = n * max(low**2, high**2)
    asked = np.array([(total, squares) for total in range(n * low, n * high + 1) for squares in range(total % 2, top + 1, 2)])
    rows = np.repeat(asked[:, None, None, :], 2, axis=2)  # a row each, so that every pair is decided
    shape = (len(asked), 1, 1)
    shown = made._exist(np.full((len(asked), 1, 2), n), np.full(shape, low), np.full(shape, high), rows[..., 0], rows[..., 1], np.ones((len(asked), 1), bool))
    assert {tuple(pair) for pair in asked[shown[:, 0]].tolist()} == there


@given(st.integers(1, 12), st.integers(0, 2**32), st.booleans())
def test_whole_sizes_keep_total_and_bounds(k, seed, by_chance):
    rng = np.random.default_rng(seed)
    least = rng.integers(4, 30, (k, 2))
    most = least + rng.integers(0, 40, (k, 2))
    total = int(rng.integers(least.sum(), most.sum() + 1))
    start = Trials(np.zeros(k), least, least, most, total, *np.tile([[0.0], [9.0], [4.0], [2.0], [1.0]], (1, k)))
    whole = whole_sizes(start, rng.uniform(least, most + 1e-9), rng if by_chance else None)
    assert whole.sum() == total and (whole >= least).all() and (whole <= most).all()


# What is refused


def test_standard_error_below_what_the_people_allow_is_refused_with_the_proof():
    start = trials([0.2] * 5, [[20, 20]] * 5, None, 200, free=True)
    wanted = [target("lo", "0.11", np.ones(5, bool)), target("hi", "0.29", np.ones(5, bool))]
    with pytest.raises(ValueError, match=r"lo 0.11, hi 0.29: the standard error would be at most 0.048.* 200 people is at least 0.1414.*no records of such trials can print this"):
        arms_that_print(start, wanted, np.random.default_rng(1))


def test_standard_error_just_above_what_the_people_allow_is_found():
    k, least = 5, 2 / math.sqrt(200)
    start = trials([0.01] * k, [[20, 20]] * k, None, 200, free=True)
    wanted = [Target("se", least * 1.001, least * 1.02, np.ones(k, bool), WALD, "se"), target("est", "0.00", np.ones(k, bool))]
    arms = arms_that_print(start, wanted, np.random.default_rng(1))
    assert least < pool(*effects_of(arms, start.direction)).se <= least * 1.02


def test_i_squared_that_q_cannot_have_is_refused():
    start = trials([0.1, 0.2, 0.3, 0.4], [[50, 50]] * 4)
    with pytest.raises(ValueError, match=r"of Q with 3 degrees of freedom, q 4.09 \(q\) needs 4.085 to 4.095 and i2 35 \(i2\) needs 4.58015 to 4.65116"):
        arms_that_print(start, [target("q", "4.09", np.ones(4, bool)), target("i2", "35", np.ones(4, bool))], np.random.default_rng(1))


def test_heterogeneity_of_one_trial_is_refused():
    with pytest.raises(ValueError, match="q 1.20: q of one trial is 0, not 1.195 to 1.205"):
        arms_that_print(trials([0.1], [[50, 50]]), [target("q", "1.20", np.ones(1, bool))], np.random.default_rng(1))


def test_what_is_not_found_is_told_with_the_nearest_miss():
    start = trials([0.1, 0.1, 0.1, 0.1], [[50, 50]] * 4)
    first = np.arange(4) < 2
    wanted = [target("est", "0.50", np.ones(4, bool)), target("est", "0.10", first), target("est", "0.20", ~first)]
    message = r"no arms were found that print all of est 0.50, est 0.10, est 0.20; the nearest miss in \d+ attempts: est 0.50: est is 0\.\d+, not 0.495 to 0.505"
    with pytest.raises(ValueError, match=message):
        arms_that_print(start, wanted, np.random.default_rng(1))


def test_one_trial_has_walds_interval_under_every_test_and_is_refused_alike():
    start = trials([0.2], [[20, 20]], None, 40, free=True)
    for test in TESTS:
        wanted = [target("lo", "0.11", np.ones(1, bool), WALD | {"test": test}), target("hi", "0.29", np.ones(1, bool), WALD | {"test": test})]
        with pytest.raises(ValueError, match="of 1 trials with 40 people is at least 0.3162"):
            arms_that_print(start, wanted, np.random.default_rng(1))


def test_interval_upside_down_is_refused():
    wanted = [target("lo", "0.29", np.ones(5, bool)), target("hi", "0.11", np.ones(5, bool))]
    with pytest.raises(ValueError, match="lo 0.29, hi 0.11: .* leave no standard error above 0: no records can print this"):
        arms_that_print(trials([0.2] * 5, [[20, 20]] * 5), wanted, np.random.default_rng(1))


def test_variance_between_trials_of_zero_is_inside_bounds_that_begin_there():
    band = bands([Target("tau2", 0.0, 0.05, np.ones(3, bool), WALD, "x")])[0]
    assert (band.low, band.high) == (-math.inf, 0.05)


def test_effects_so_far_away_that_no_step_leads_back_are_refused_in_words():
    with pytest.raises(ValueError, match="the effects drawn lie so far from the numbers printed"):
        continuous._least(np.array([[1e12, 0.0], [1e12, 1e-3]]), np.ones(2), 1e-5)


def test_effect_that_a_scale_cannot_show_is_refused():
    with pytest.raises(ValueError, match="a trial of 6 and 6 people on a scale from 0 to 1, usual mean 0.5 and SD 0.5, cannot have an effect of 4.000: give"):
        arms_that_print(trials([4.0], [[6, 6]], scale=(0, 1, 0.5, 0.5)), [], np.random.default_rng(1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"statistic": "median"}, "x: statistic 'median' is not one of a pool: give est"),
        ({"low": 2.0, "high": 1.0}, "x: no number lies between 2 and 1: give the lower end first"),
        ({"rows": np.zeros(3, bool)}, "x: est of 0 trials: it needs 1 or more"),
        ({"statistic": "egger_p", "rows": np.arange(3) < 2}, "x: egger_p of 2 trials: it needs 3 or more"),
        ({"statistic": "lead"}, "x: a lead is over other groups of trials, and there is none"),
        ({"statistic": "i2", "low": 119.5, "high": 120.5}, "x: i2 is not 119.5 to 120.5, but from 0 to 100 always"),
        ({"statistic": "q_p", "low": -0.2, "high": -0.1}, "x: q_p is not -0.2 to -0.1, but from 0 to 1 always"),
    ],
)
def test_target_that_means_nothing_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Target(**{"statistic": "est", "low": 0.0, "high": 1.0, "rows": np.ones(3, bool), "model": WALD, "says": "x"} | fields)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"least": np.full((2, 2), 3)}, "an arm may have 3 people: give least sizes of 4 or more"),
        ({"most": np.full((2, 2), 10)}, "an arm has from 20 to 10 people: give the least number first"),
        ({"total": 30}, "the trials have 30 people, but their arms 80 to 200: change the total or the bounds"),
    ],
)
def test_sizes_that_cannot_be_are_refused(change, message):
    fields = {"least": np.full((2, 2), 20), "most": np.full((2, 2), 50), "total": 100} | change
    with pytest.raises(ValueError, match=message):
        Trials(np.zeros(2), np.full((2, 2), 25), **fields, **{name: np.ones(2) for name in ("minimum", "maximum", "mean", "sd", "direction")})
