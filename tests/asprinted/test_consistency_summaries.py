"""What is printed of columns and of t tests: what data print is never refused, and what no data print is."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import student, summaries, two_groups
from asprinted.printed import parse

HBA1C = {"mean": "−1.05", "sd": "2.0", "lo": "−1.54", "hi": "−0.56"}
WAIST = {"n": "70", "mean": "−3.34", "sd": "9.3", "lo": "−5.56", "hi": "−1.13"}, {"n": "70", "mean": "2.65", "sd": "10.3", "lo": "0.20", "hi": "5.09"}
BMI = {"n": "70", "mean": "−1.65", "sd": "2.5", "lo": "−2.25", "hi": "−1.06"}, {"n": "70", "mean": "0.05", "sd": "3.2", "lo": "−0.71", "hi": "0.81"}
SUMMARIES = ("n", "mean", "sd", "se", "lo", "hi")
ORDER = ("minimum", "q1", "median", "q3", "maximum", "iqr", "mean", "sd", "n")


def prints_everything(finding):
    return all(parse(text).contains(finding.witness[name]) for name, text in finding.printed.items() if name in finding.witness)


def in_print(values, decimals, names):
    """The values as software prints them, of the names wanted: floats rounded by their nearest decimal."""
    return {name: str(value) if name.startswith("n") else f"{value:.{4 if name == 'p' else decimals}f}" for name, value in values.items() if name in names}


def of_column(values):
    n, mean, sd = len(values), values.mean(), values.std(ddof=1)
    half = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)
    return {"n": n, "mean": mean, "sd": sd, "se": sd / math.sqrt(n), "lo": mean - half, "hi": mean + half}


def of_order(values):
    q1, median, q3 = np.quantile(values, (0.25, 0.5, 0.75))
    return {"minimum": values.min(), "q1": q1, "median": median, "q3": q3, "maximum": values.max(), "iqr": q3 - q1, "mean": values.mean(), "sd": values.std(ddof=1), "n": len(values)}


def of_test(one, two, test, level):
    parts = np.array([values.var(ddof=1) / len(values) for values in (one, two)])
    n = np.array([len(one), len(two)])
    within = math.sqrt(((n - 1) @ (parts * n)) / (n.sum() - 2))
    se, df = within * math.sqrt((1 / n).sum()), n.sum() - 2
    if test == "welch":
        se, df = math.sqrt(parts.sum()), parts.sum() ** 2 / (parts**2 / (n - 1)).sum()
    if test == "wald-z":
        df = np.inf
    difference = one.mean() - two.mean()
    half = stats.t.ppf(0.5 + level / 2, df) * se
    return {"estimate": difference, "se": se, "t": difference / se, "d": difference / within, "lo": difference - half, "hi": difference + half, "p": 2 * stats.t.sf(abs(difference / se), df)}


def drawn(rng, kind, n, shift=0.0):
    if kind == "whole":
        return np.clip(np.round(rng.normal(4 + shift, 2, n)), 0, 10)
    return rng.normal(40 + 5 * shift, 9, n) if kind == "normal" else rng.exponential(3 + abs(shift), n)


# Student's t, enclosed


@settings(max_examples=80)
@given(tail=st.floats(1e-8, 0.499), df=st.one_of(st.integers(1, 600), st.integers(1, 10**6)))
def test_quantile_of_t_lies_between_its_bounds(tail, df):
    low, high = student.quantile(Decimal(tail), df)
    value = stats.t.isf(tail, df)
    assert low * (1 - 1e-10) - 1e-12 <= value <= high * (1 + 1e-10) + 1e-12  # scipy's own accuracy
    if df <= student.EXACT:
        assert high - low <= 1e-9 * value + 1e-12
    elif tail > 1e-6:
        assert high - low <= value / df


def test_quantile_of_t_has_the_normal_for_its_limit_and_refuses_what_is_none():
    low, high = student.quantile(Decimal("0.025"), None)
    assert low <= stats.norm.isf(0.025) * (1 + 1e-15) and stats.norm.isf(0.025) <= high * (1 + 1e-15) and high - low < 1e-14
    for tail, df in (("0", 3), ("0.6", 3), ("0.1", 0)):
        with pytest.raises(ValueError, match="has no quantile"):
            student.quantile(Decimal(tail), df)


@settings(max_examples=80)
@given(t=st.floats(0, 12), df=st.floats(1, 500))
def test_p_value_of_a_witness_is_that_of_t(t, df):
    assert math.isclose(student.p_value(t, df), 2 * stats.t.sf(t, df), rel_tol=1e-8)


# One column


@settings(max_examples=300)
@given(seed=st.integers(0, 10**9), n=st.integers(2, 200), kind=st.sampled_from(["whole", "normal", "skewed"]), decimals=st.integers(0, 3), names=st.sets(st.sampled_from(SUMMARIES), min_size=1))
def test_what_a_column_prints_is_never_called_contradictory(seed, n, kind, decimals, names):
    finding = summaries.check(**in_print(of_column(drawn(np.random.default_rng(seed), kind, n)), decimals, names))
    assert finding.verdict != "contradictory", finding
    if finding.verdict == "possible":
        assert prints_everything(finding)


@pytest.mark.parametrize("names", [("n", "sd", "se"), ("n", "sd", "lo", "hi"), ("n", "mean", "sd", "lo"), ("n", "se", "hi", "mean"), SUMMARIES])
def test_plain_columns_are_found_possible(names):
    rng = np.random.default_rng(7)
    verdicts = [summaries.check(**in_print(of_column(drawn(rng, "normal", n)), 2, names)).verdict for n in range(10, 70)]
    assert verdicts.count("possible") >= 57 and "contradictory" not in verdicts


@pytest.mark.parametrize(("change", "verdict"), [({}, "possible"), ({"n": "70"}, "possible"), ({"n": "62"}, "contradictory"), ({"n": "63"}, "possible"), ({"n": "71"}, "possible"), ({"n": "72"}, "contradictory"), ({"n": ">71"}, "contradictory")])
def test_mean_sd_and_interval_say_how_many_people_there_are(change, verdict):
    assert summaries.check(**HBA1C, **change).verdict == verdict


@pytest.mark.parametrize(
    ("printed", "conflict", "healing"),
    [(HBA1C | {"n": "70", "lo": "1.54"}, {("mean", "lo"), ("lo", "hi")}, 1), ({"n": "25", "sd": "5.0", "se": "1.2"}, {("n", "sd", "se")}, 1), ({"n": "1", "sd": "2.0"}, {("n", "sd")}, 1),
     ({"mean": "3.1", "lo": "2.1", "hi": "4.3"}, {("mean", "lo", "hi")}, 1), ({"se": "1.0", "lo": "2.0", "hi": "5.0"}, {("se", "lo", "hi")}, None), ({"sd": "−2"}, {("sd",)}, None)],
)  # fmt: skip
def test_contradiction_of_a_column_names_the_smallest_conflicts(printed, conflict, healing):
    finding = summaries.check(**printed)
    assert finding.verdict == "contradictory" and set(finding.conflicts) == conflict
    if healing is not None:
        assert len(finding.healing) == (healing or 0)
    if finding.healing:
        assert summaries.check(**(printed | {name: after for name, _, after in finding.healing})).verdict == "possible"
    for names in finding.conflicts:
        assert summaries.check(**{name: printed[name] for name in names}).verdict == "contradictory"


def test_number_of_people_is_a_whole_number():
    with pytest.raises(ValueError, match="n '12.5' is no number of people"):
        summaries.check(n="12.5", mean="3")
    with pytest.raises(ValueError, match="n 2 '0' is no number of people"):
        two_groups.check(({}, {"n": "0"}), p=".03")


# Quartiles and ends


@settings(max_examples=300)
@given(seed=st.integers(0, 10**9), n=st.integers(2, 60), kind=st.sampled_from(["whole", "normal", "skewed"]), decimals=st.integers(0, 2), names=st.sets(st.sampled_from(ORDER), min_size=2))
def test_what_quartiles_print_is_never_called_contradictory(seed, n, kind, decimals, names):
    ends = {"low": 0, "high": 10} if kind == "whole" else {}
    finding = summaries.order(**in_print(of_order(drawn(np.random.default_rng(seed), kind, n)), decimals, names), **ends)
    assert finding.verdict != "contradictory", finding
    if finding.verdict == "possible":
        assert prints_everything(finding)


@pytest.mark.parametrize(
    ("printed", "ends", "conflict"),
    [({"q1": "3.5", "median": "3.0", "q3": "6"}, {}, ("q1", "median")), ({"q1": "2.5", "q3": "5.0", "iqr": "3.5"}, {}, ("q1", "q3", "iqr")), ({"median": "2.5", "mean": "5", "sd": "1.0"}, {}, ("median", "mean", "sd")),
     ({"mean": "3.5", "sd": "2.6", "n": "30"}, {"low": 1, "high": 5}, ("sd", "n")), ({"mean": "4.8", "sd": "1.9", "n": "30"}, {"low": 1, "high": 5}, ("mean", "sd")), ({"minimum": "4", "mean": "3.1", "maximum": "9"}, {}, ("minimum", "mean")),
     ({"median": "12", "q1": "2"}, {"low": 0, "high": 10}, ("median",)), ({"minimum": "2", "maximum": "9", "sd": "8"}, {}, ("minimum", "maximum", "sd"))],
)  # fmt: skip
def test_numbers_out_of_order_are_contradictory(printed, ends, conflict):
    finding = summaries.order(**printed, **ends)
    assert (finding.verdict, finding.conflict) == ("contradictory", conflict)


# Two groups


@settings(max_examples=120)
@given(
    seed=st.integers(0, 10**9), n=st.tuples(st.integers(2, 120), st.integers(2, 120)), kind=st.sampled_from(["whole", "normal", "skewed"]), shift=st.floats(-1.5, 1.5), decimals=st.integers(0, 3),
    test=st.sampled_from(two_groups.TESTS), level=st.sampled_from([0.9, 0.95]),
    names=st.tuples(*[st.sets(st.sampled_from(SUMMARIES))] * 2, st.sets(st.sampled_from(two_groups.OF_TEST), min_size=1)),
)  # fmt: skip
def test_what_a_t_test_prints_is_never_called_contradictory(seed, n, kind, shift, decimals, test, level, names):
    rng = np.random.default_rng(seed)
    one, two = drawn(rng, kind, n[0]), drawn(rng, kind, n[1], shift)
    if one.std() + two.std() == 0 or (test == "welch" and one.std() * two.std() == 0):
        return
    groups = tuple(in_print(of_column(values), decimals, wanted) for values, wanted in zip((one, two), names))
    finding = two_groups.check(groups, **in_print(of_test(one, two, test, level), decimals, names[2]), test=test, level=level)
    assert finding.verdict != "contradictory", finding
    if finding.verdict == "possible":
        assert prints_everything(finding)


@pytest.mark.parametrize("test", two_groups.TESTS)
def test_plain_t_tests_are_found_possible(test):
    rng, verdicts = np.random.default_rng(3), []
    for n in range(10, 50):
        one, two = drawn(rng, "normal", n), drawn(rng, "normal", n + 7, 1.0)
        groups = tuple(in_print(of_column(values), 1, ("n", "mean", "sd", "lo", "hi")) for values in (one, two))
        verdicts.append(two_groups.check(groups, **in_print(of_test(one, two, test, 0.95), 1, ("estimate", "lo", "hi", "p")), test=test).verdict)
    assert verdicts.count("possible") >= 36 and "contradictory" not in verdicts


@pytest.mark.parametrize(("test", "p"), [("t", "0.0004"), ("welch", "0.0004"), ("wald-z", "0.0003")])
def test_p_value_that_no_means_and_sds_leave_is_proved_and_healed(test, p):
    assert two_groups.check(WAIST, p=p, test=test).verdict == "possible"
    wrong = "0.0003" if p == "0.0004" else "0.0004"
    finding = two_groups.check(WAIST, p=wrong, test=test)
    assert finding.verdict == "contradictory" and finding.healing == (("p", wrong, p),)
    assert all("p" in names and len(names) == 7 for names in finding.conflicts)
    assert ("n 1", "mean 1", "sd 1", "n 2", "mean 2", "sd 2", "p") in finding.conflicts
    assert "t" in finding.proof and f"no such p prints as {wrong}" in finding.proof
    for names in finding.conflicts[:3]:
        groups = tuple({name: text for name, text in group.items() if f"{name} {place}" in names} for place, group in enumerate(WAIST, 1))
        assert two_groups.check(groups, p=wrong, test=test).verdict == "contradictory"


def test_p_value_at_the_edge_of_what_means_and_intervals_leave_is_found():
    finding = two_groups.check(BMI, p="0.0005")
    assert finding.verdict == "possible" and prints_everything(finding)
    assert two_groups.check(BMI, p="0.0004").verdict == "contradictory"


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [({"estimate": "−5.99"}, "possible"), ({"estimate": "5.99"}, "contradictory"), ({"t": "−3.62"}, "possible"), ({"t": "−3.8"}, "contradictory"), ({"d": "−0.61"}, "possible"), ({"d": "−0.64"}, "contradictory"),
     ({"se": "1.65"}, "possible"), ({"se": "1.70"}, "contradictory"), ({"lo": "−9.3", "hi": "−2.7"}, "possible"), ({"lo": "−8.7", "hi": "−3.3"}, "contradictory"), ({"p": "<.001"}, "possible"), ({"p": ".02"}, "contradictory"), ({"p": ">.05"}, "contradictory")],
)  # fmt: skip
@pytest.mark.parametrize("test", ["t", "welch"])
def test_each_number_of_a_test_is_held_against_both_groups(test, printed, verdict):
    assert two_groups.check(WAIST, **printed, test=test).verdict == verdict


def test_test_alone_is_a_symmetric_interval_whose_quantile_hangs_on_the_people():
    alone = {"estimate": "2.00", "lo": "0.00", "hi": "4.00", "p": ".05"}
    assert two_groups.check(({}, {}), **alone).verdict == "possible"
    assert two_groups.check(({}, {}), **(alone | {"hi": "4.10"})).verdict == "contradictory"
    tight = {"estimate": "2.000", "lo": "0.100", "se": "0.950"}  # 2.0 SE: t on 60 degrees of freedom, not on 10
    assert [two_groups.check(({"n": n}, {"n": n}), **tight).verdict for n in ("31", "6")] == ["possible", "contradictory"]


def test_unknown_tests_and_levels_are_refused():
    with pytest.raises(ValueError, match="test 'z' is unknown: use one of t, welch, wald-z"):
        two_groups.check(({}, {}), p=".03", test="z")
    with pytest.raises(ValueError, match="level 95 is no probability"):
        two_groups.check(({}, {}), p=".03", level=95)


def test_means_that_are_not_apart_by_the_estimate_conflict_with_it_and_nothing_else():
    groups = {"n": "110", "mean": "2.32", "sd": "3.6"}, {"n": "109", "mean": "2.28", "sd": "3.8"}
    finding = two_groups.check(groups, estimate="0.08")
    assert finding.proof == "The difference of the means would be at least 0.07499, and at most 0.05001."
    assert set(finding.conflict) == {"mean 1", "mean 2", "estimate"}
    assert set(two_groups.check(groups, estimate="0.08", lo="-0.9", hi="1.1").conflict) == {"mean 1", "mean 2", "estimate"}


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), n=st.tuples(*[st.integers(2, 90)] * 3), decimals=st.integers(0, 3), test=st.sampled_from(["t", "wald-z"]), names=st.tuples(*[st.sets(st.sampled_from(SUMMARIES))] * 3, st.sets(st.sampled_from(two_groups.OF_TEST), min_size=1)))
def test_what_a_model_of_three_groups_prints_is_never_called_contradictory(seed, n, decimals, test, names):
    rng = np.random.default_rng(seed)
    groups = [drawn(rng, "normal", size, shift) for size, shift in zip(n, (0.0, 0.4, -0.3))]
    df = sum(n) - 3
    within = math.sqrt(sum((size - 1) * values.var(ddof=1) for size, values in zip(n, groups)) / df)
    est, se = groups[0].mean() - groups[1].mean(), within * math.sqrt(1 / n[0] + 1 / n[1])
    law = stats.t(df) if test == "t" else stats.norm()
    printed = {"estimate": est, "se": se, "t": est / se, "d": est / within, "lo": est - law.ppf(0.975) * se, "hi": est + law.ppf(0.975) * se, "p": 2 * law.sf(abs(est / se))}
    finding = two_groups.check([in_print(of_column(values), decimals, wanted) for values, wanted in zip(groups, names)], **in_print(printed, decimals, names[3]), test=test)
    assert finding.verdict != "contradictory", finding
    if finding.verdict == "possible":
        assert prints_everything(finding)


def test_spread_of_a_third_group_narrows_what_the_interval_of_two_can_be():
    groups = ({"n": "109", "mean": "2.32", "sd": "3.6"}, {"n": "111", "mean": "2.28", "sd": "3.8"}, {"n": "110", "sd": "9.0"})
    assert two_groups.check(groups[:2], lo="-0.9", hi="1.0").verdict == "possible"
    assert two_groups.check(groups, lo="-0.9", hi="1.0").verdict == "contradictory"
    with pytest.raises(ValueError, match="welch"):
        two_groups.check(groups, lo="-0.9", test="welch")


@pytest.mark.parametrize(
    ("printed", "words"),
    [({"mean": "2.1", "lo": "3.0"}, "The mean lies below the lower end of its interval: 2.151 or less against 2.949 or more."), ({"mean": "4.1", "hi": "3.0"}, "The mean lies above the upper end of its interval: 4.049 or more against 3.051 or less."),
     ({"lo": "3.0", "hi": "2.0"}, "The lower end of the interval lies above its upper end: 2.949 or more against 2.051 or less.")],
)  # fmt: skip
def test_what_does_not_lie_between_the_ends_of_its_interval_is_said_in_words(printed, words):
    assert summaries.check(**printed).proof == words
    named = {"estimate" if name == "mean" else name: text for name, text in printed.items()}
    assert two_groups.check(({}, {}), **named).proof == words.replace("The mean", "The estimate")
