"""A pooled standardised mean difference: what its printed numbers allow, what they rule out, and that nothing real is ruled out."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from asprinted.consistency import pooled, pools
from asprinted.printed import parse, round_to

RECOVERY = {"est": "−0.24", "lo": "−0.39", "hi": "−0.09", "chi2": "4.09", "i2": "27%", "q_p": ".25", "k": 4, "n": "1,066"}
WIDE = {"est": "0.20", "lo": "0.11", "hi": "0.29"}
ESTIMATORS = ("common", "DL", "PM", "REML")


def variance(n1, n2, g):
    """The Handbook's variance of Hedges' g, written out once more."""
    return (n1 + n2) / (n1 * n2) + g**2 / (2 * (n1 + n2 - 3.94))


def tau2_of(g, v, estimator):
    """τ² found as a root or a maximum, not by the steps of the library."""
    def weighted(t):
        w = 1 / (v + t)
        return w, (w * g).sum() / w.sum()

    def squares(t):
        w, mean = weighted(t)
        return (w * (g - mean) ** 2).sum() - (len(g) - 1)

    def minus_likelihood(t):
        w, mean = weighted(t)
        return 0.5 * ((w * (g - mean) ** 2).sum() - np.log(w).sum() + np.log(w.sum()))

    if estimator == "common" or len(g) == 1:
        return 0.0
    if estimator == "DL":
        w = 1 / v
        return max(0.0, squares(0) / (w.sum() - (w**2).sum() / w.sum()))
    if estimator == "PM":
        return optimize.brentq(squares, 0, 1e4, xtol=1e-13) if squares(0) > 0 else 0.0
    return optimize.minimize_scalar(minus_likelihood, bounds=(0, 50), method="bounded", options={"xatol": 1e-11}).x


def pool_of(n1, n2, g, estimator):
    """Estimate, standard error and Q of a pool."""
    v = variance(n1, n2, g)
    w = 1 / v
    q = (w * (g - (w * g).sum() / w.sum()) ** 2).sum()
    w = 1 / (v + tau2_of(g, v, estimator))
    return (w * g).sum() / w.sum(), 1 / math.sqrt(w.sum()), q


def printed_of(est, se, q, k, n, decimals):
    half = stats.norm.ppf(0.975) * se
    values = {"est": est, "lo": est - half, "hi": est + half, "se": se, "p": 2 * stats.norm.sf(abs(est) / se), "chi2": q}
    texts = {name: str(round_to(value, decimals + (name in ("se", "p")))) for name, value in values.items()} | {"k": str(k), "n": str(n)}
    return texts | ({"i2": f"{round_to(100 * max(0, 1 - (k - 1) / q) if q else 0.0, 0)}%", "q_p": str(round_to(stats.chi2.sf(q, k - 1), 2))} if k > 1 else {})


def random_pool(seed, k, size, balanced):
    """Trials of widely different or of equal size, with arms in any ratio or balanced: the latter come near the bounds."""
    random = np.random.default_rng(seed)
    n = np.maximum(4, (size * np.exp(random.normal(0, 0 if balanced else 0.8, k))).astype(int))
    n1 = n // 2 if balanced else np.clip((n * random.uniform(0.1, 0.9, k)).astype(int), 1, n - 1)
    return n1, n - n1, random.normal(random.normal(0, 0.4), random.choice([0, 0.05, 0.3, 1.0]), k) + random.normal(size=k) * np.sqrt(n / n1 / (n - n1)) * random.choice([0.2, 1])


def prints_everything(finding, estimator="DL"):
    """True where the trials of the witness, pooled anew, print every number, and are as many trials and people as it says."""
    how_many, n1, n2, g = (np.array(values) for values in zip(*finding.witness["trials"]))
    n1, n2, g = (np.repeat(values, how_many) for values in (n1, n2, g))
    est, se, q = pool_of(n1, n2, g, estimator)
    half, df = stats.norm.ppf(0.975) * se, len(g) - 1
    values = {"est": est, "lo": est - half, "hi": est + half, "se": se, "p": 2 * stats.norm.sf(abs(est) / se), "chi2": q, "i2": 100 * max(0, 1 - df / q) if q else 0, "k": len(g), "n": int((n1 + n2).sum())}
    values["q_p"] = stats.chi2.sf(q, df)
    near = {name: {value} if name in ("k", "n") or not df else {value * (1 - 1e-9) - 1e-12, value * (1 + 1e-9) + 1e-12} for name, value in values.items()}
    return min(n1.min(), n2.min()) >= 1 and all(parse(text).contains(value) for name, text in finding.printed.items() for value in near[name])


# What is possible


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_published_row_is_possible_and_the_pool_that_shows_it_prints_it(estimator):
    finding = pooled.check(**RECOVERY, estimator=estimator)
    assert finding.verdict == "possible" and prints_everything(finding, estimator)


def test_pool_of_the_witness_prints_in_statsmodels_too():
    how_many, n1, n2, g = (np.array(values) for values in zip(*pooled.check(**RECOVERY).witness["trials"]))
    n1, n2, g = (np.repeat(values, how_many) for values in (n1, n2, g))
    found = combine_effects(g, variance(n1, n2, g), method_re="dl")
    low, high = found.conf_int(use_t=False)[1]
    for text, value in (("est", found.mean_effect_re), ("lo", low), ("hi", high), ("chi2", found.q), ("i2", 100 * found.i2)):
        assert parse(RECOVERY[text]).contains(value)


@pytest.mark.parametrize("change", [{"k": 49, "n": "12,477"}, {"k": 1, "n": "1,800"}, {}, {"k": 20}, {"n": "<5000"}, {"n": ">5000"}, {"i2": "60%"}, {"chi2": "40.1", "i2": "60%", "n": "9,000"}, {"p": "<.001"}, {"k": 7, "q_p": "<.01"}])
def test_what_is_not_printed_is_filled_in(change):
    finding = pooled.check(**WIDE | change)
    assert finding.verdict == "possible" and prints_everything(finding)
    assert ("fewer than" in finding.proof) is ("n" not in change)


# What is not


def test_people_too_few_for_the_interval_are_refuted():
    finding = pooled.check(**WIDE, k=20, n="1,500")
    assert finding.verdict == "contradictory" and finding.conflicts == (("est", "lo", "n"), ("est", "hi", "n"), ("lo", "hi", "n"))
    assert "0.05176 for 1500 people" in finding.proof and finding.healing == (("lo", "0.11", "0.10"), ("hi", "0.29", "0.30"))
    assert math.isclose(0.05176, math.sqrt((8 + 0.195**2) / 3000), abs_tol=1e-5)


def test_heterogeneity_makes_a_pool_need_more_people():
    narrow = {"est": "−0.24", "lo": "−0.36", "hi": "−0.12", "k": 4, "n": "950"}
    assert pooled.check(**narrow).verdict == "contradictory" and pooled.check(**narrow | {"n": "1,050"}).verdict == "possible"
    spread = narrow | {"n": "1,050", "i2": "27%"}
    assert pooled.check(**spread).verdict == "contradictory" and pooled.check(**spread | {"n": "1,600"}).verdict == "possible"
    assert pooled.check(**spread, estimator="common").verdict == "possible"  # its standard error does not know of it
    assert all({"i2", "n"} <= set(names) for names in pooled.check(**spread).conflicts)


@pytest.mark.parametrize(
    ("printed", "conflict"),
    [({"i2": "30%"}, ("chi2", "i2", "k")), ({"q_p": ".26"}, ("chi2", "q_p", "k")), ({"est": "−0.25"}, ("est", "lo", "hi")), ({"k": 1}, ("chi2", "k")), ({"n": "11"}, ("k", "n")), ({"i2": "101%"}, ("i2",)), ({"n": "600"}, ("lo", "hi", "n"))],
)  # fmt: skip
def test_each_kind_of_conflict_is_found_with_its_smallest_set(printed, conflict):
    finding = pooled.check(**RECOVERY | printed)
    assert finding.verdict == "contradictory" and conflict in finding.conflicts
    assert len({len(names) for names in finding.conflicts}) == 1
    for names in finding.conflicts:
        assert pooled.check(**{name: finding.printed[name] for name in names}).verdict == "contradictory"
        for left_out in names:
            assert pooled.check(**{name: finding.printed[name] for name in names if name != left_out}).verdict != "contradictory"


def test_one_trial_has_no_heterogeneity():
    alone = WIDE | {"k": 1}
    assert pooled.check(**alone, chi2="0.00", i2="0%").verdict == "possible"
    assert pooled.check(**alone, i2="7%").conflict == ("i2", "k") and pooled.check(**alone, q_p=".98").conflict == ("q_p", "k")


# Nothing real is ruled out


@settings(max_examples=500)
@given(
    seed=st.integers(0, 10**6), k=st.integers(1, 12), size=st.sampled_from([6, 12, 40, 150, 700]), balanced=st.booleans(), estimator=st.sampled_from(ESTIMATORS), decimals=st.sampled_from([1, 2, 2, 2, 4]),
    left_out=st.sampled_from([set(), {"se", "p"}, {"n"}, {"k", "n", "chi2", "i2", "q_p"}, {"chi2", "q_p", "est"}, {"lo", "hi", "i2"}, {"k", "est", "p"}, {"lo", "p", "chi2", "i2", "q_p"}]),
)  # fmt: skip
def test_numbers_that_a_pool_of_trials_printed_are_never_called_contradictory(seed, k, size, balanced, estimator, decimals, left_out):
    n1, n2, g = random_pool(seed, k, size, balanced)
    texts = printed_of(*pool_of(n1, n2, g, estimator), k, int((n1 + n2).sum()), decimals)
    finding = pooled.check(**{name: text for name, text in texts.items() if name not in left_out}, estimator=estimator)
    assert finding.verdict != "contradictory", finding
    assert finding.verdict == "undecided" or prints_everything(finding, estimator)


@settings(max_examples=400)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 12), size=st.sampled_from([6, 12, 40, 150, 700]), balanced=st.booleans(), estimator=st.sampled_from(ESTIMATORS))
def test_no_pool_is_more_precise_than_the_bound_and_equal_trials_come_near_it(seed, k, size, balanced, estimator):
    n1, n2, g = random_pool(seed, k, size, balanced)
    est, se, q = pool_of(n1, n2, g, estimator)
    exact, df, m2 = Fraction(q), k - 1, Fraction(est) ** 2
    h2 = max(Fraction(1), exact / df) if df else Fraction(1)
    for bound in ((exact, exact), (exact * 9 / 10, None), (Fraction(0), None)):
        least = pooled.least_variance(int((n1 + n2).sum()), bound, df, h2 if bound[0] == exact else Fraction(1), m2 * 81 / 100 if bound[0] != exact else m2, estimator)
        assert float(least) <= se**2 * (1 + 1e-7)
    least = pooled.least_variance(int((n1 + n2).sum()), (exact, exact), df, h2, m2, estimator)
    if balanced and size >= 150 and estimator in ("common", "DL") and abs(g).max() < 0.5:
        assert float(least) >= se**2 * 0.96


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 12), size=st.sampled_from([12, 40, 150]))
def test_interval_of_knapp_and_hartung_kept_at_least_as_wide_as_walds_keeps_the_bound_and_theirs_has_none(seed, k, size):
    n1, n2, g = random_pool(seed, k, size, True)
    est, se, _ = pool_of(n1, n2, g, "DL")
    w = 1 / (variance(n1, n2, g) + tau2_of(g, variance(n1, n2, g), "DL"))
    scale = max(1.0, (w * (g - est) ** 2).sum() / (k - 1))
    half = stats.t.ppf(0.975, k - 1) * se * math.sqrt(scale)
    texts = {name: str(round_to(value, 3)) for name, value in (("est", est), ("lo", est - half), ("hi", est + half))} | {"n": str(int((n1 + n2).sum()))}
    assert pooled.check(**texts, test="knapp-hartung-at-least-wald").verdict == "possible"
    narrow = {"est": "0.200", "lo": "0.150", "hi": "0.250", "k": str(k), "n": "1000"}
    assert [pooled.check(**narrow, test=test).verdict for test in pooled.TESTS] == ["contradictory", "possible", "contradictory"]
    assert "n" not in pooled.check(**narrow, test="knapp-hartung").printed


# What is impossible is found


@settings(max_examples=60)
@given(people=st.integers(8, 5000), k=st.integers(1, 8), share=st.floats(0.5, 0.99), est=st.floats(-0.8, 0.8))
def test_standard_error_too_small_for_the_people_is_always_refuted(people, k, share, est):
    assume(people >= 4 * k)
    se = share * 2 / math.sqrt(people)
    texts = {"est": f"{est:.6f}", "se": f"{se:.6f}", "n": str(people), "k": str(k)}
    finding = pooled.check(**texts)
    assert finding.verdict == "contradictory" and finding.conflict == ("se", "n")
    assert pooled.check(se=texts["se"], n=str(math.ceil(4 / (float(texts["se"]) - 5e-7) ** 2) + 1)).verdict != "contradictory"


@settings(max_examples=120)
@given(n=st.integers(4, 40), decimals=st.sampled_from([2, 3]), est=st.floats(-1.5, 1.5), n1=st.integers(1, 20), shift=st.integers(-30, 30), with_p=st.booleans())
def test_one_trial_agrees_with_a_search_of_all_its_arms(n, decimals, est, n1, shift, with_p):
    assume(n1 < n)
    unit = 10.0**-decimals
    se = math.sqrt(variance(n1, n - n1, est)) + shift * unit / 4
    assume(se > unit)
    texts = {"est": f"{est:.{decimals}f}", "lo": f"{est - 1.96 * se:.{decimals}f}", "hi": f"{est + 1.96 * se:.{decimals}f}"} | ({"p": f"{2 * stats.norm.sf(abs(est) / se):.3f}"} if with_p else {})
    arms, g = np.meshgrid(np.arange(1, n // 2 + 1), np.linspace(est - unit, est + unit, 801))
    errors = np.sqrt(variance(arms, n - arms, g))
    half = stats.norm.ppf(0.975) * errors
    values = {"est": g, "lo": g - half, "hi": g + half, "p": 2 * stats.norm.sf(abs(g) / errors)}
    inside = np.ones(g.shape, bool)
    for name, text in texts.items():
        low, high, *_ = parse(text).interval()
        inside &= (values[name] > float(low)) & (values[name] < float(high))
    finding = pooled.check(**texts, k=1, n=n)
    if inside.any():
        assert finding.verdict == "possible"
    if finding.verdict == "possible":
        assert prints_everything(finding)
    else:
        assert finding.verdict == "contradictory"


def test_arms_of_one_trial_that_no_division_gives_are_named():
    finding = pooled.check(est="0.50", se="0.2883", k=1, n=50)
    assert finding.verdict == "contradictory" and finding.conflict == ("est", "se", "k", "n")
    assert "arms of 23 and 27 give at least 0.288401 and arms of 24 and 26 give at most 0.287918" in finding.proof
    assert variance(23, 27, 0.495) > 0.2884**2 and variance(24, 26, 0.505) < 0.28792**2


# How many people, and wrong input


def test_people_needed_is_the_first_number_that_is_not_refuted():
    assert pooled.people_needed(se=".046") == math.ceil(4 / 0.0465**2) == 1850
    for texts in (WIDE, WIDE | {"i2": "40%"}, {name: text for name, text in RECOVERY.items() if name != "n"}):
        needed = pooled.people_needed(**texts)
        assert pooled.check(**texts, n=needed - 1).verdict == "contradictory" and pooled.check(**texts, n=needed).verdict != "contradictory"
        assert pooled.check(**texts, n=round(1.02 * needed)).verdict == "possible"
    assert pooled.people_needed(**WIDE) == 1711 < pooled.people_needed(**WIDE, i2="40%")
    assert pooled.people_needed(**WIDE, k=600) == 1800  # three people a trial at least


@pytest.mark.parametrize(
    ("printed", "message"),
    [({"k": 0}, "k '0'"), ({"k": "2.5"}, "k '2.5'"), ({"k": "<4"}, "k '<4'"), ({"measure": "ratio"}, "measure 'ratio'"), ({"estimator": "EB"}, "estimator 'EB'"), ({"test": "t"}, "test 't'"), ({"test": "knapp-hartung", "p": ".03"}, "leave se and p out")],
)  # fmt: skip
def test_wrong_input_is_named(printed, message):
    with pytest.raises(ValueError, match=message):
        pooled.check(**WIDE, **printed)


def test_people_needed_says_where_it_has_no_answer():
    with pytest.raises(ValueError, match="any standard error"):
        pooled.people_needed(est="0.20")
    for wrong in ({"k": 0}, {"estimator": "EB"}):
        with pytest.raises(ValueError, match="k '0'|estimator 'EB'"):
            pooled.people_needed(**WIDE, **wrong)
    with pytest.raises(ValueError, match="no number of people"):
        pooled.people_needed(est="0.20", lo="0.11", hi="0.31")


# The pools that are built


@pytest.mark.parametrize("estimator", ESTIMATORS)
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 12), size=st.sampled_from([12, 40, 150]))
def test_fit_agrees_with_roots_and_maxima(estimator, seed, k, size):
    n1, n2, g = random_pool(seed, k, size, False)
    found = pools.fit([pools.Kind(1, int(a), int(b), float(each)) for a, b, each in zip(n1, n2, g)], estimator)
    assert found[:3] == pytest.approx(pool_of(n1, n2, g, estimator), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"q": (Fraction(50), Fraction(51)), "df": 9, "m2": Fraction(1), "estimator": "PM"}, Fraction(8, 150)),  # by Q alone: τ² takes Q down to 9
        ({"q": (Fraction(5), Fraction(6)), "df": 9, "m2": Fraction(1), "estimator": "PM"}, Fraction(9, 195)),  # τ² is zero
        ({"q": (Fraction(10), Fraction(11)), "df": 5, "h2": Fraction(2), "estimator": "DL"}, Fraction(16, 190)),
        ({"q": (Fraction(50), Fraction(51)), "df": 9, "m2": Fraction(1), "estimator": "common"}, Fraction(9, 150)),
    ],
)
def test_bound_on_the_variance_is_the_greatest_that_is_proven(options, expected):
    assert pooled.least_variance(100, **options) == expected


def test_interval_of_t_that_is_never_narrower_than_walds_is_bound_by_its_half_width():
    narrow = {"lo": "0.05", "hi": "0.35", "n": "400"}  # 0.15 to either side; a standard error is 0.10 at least, and 1.96 of it 0.196
    assert pooled.check(**narrow, test="knapp-hartung-at-least-wald").verdict == "contradictory"
    assert pooled.check(**narrow, test="knapp-hartung").verdict == "possible"
    assert pooled.check(**narrow | {"lo": "−0.01", "hi": "0.41"}, test="knapp-hartung-at-least-wald").verdict == "possible"


def test_effect_larger_than_any_that_is_looked_at_is_not_refused():
    g, half = 24.96, stats.norm.ppf(0.975) * math.sqrt(variance(50, 50, 24.96))
    texts = {name: f"{value:.0f}" for name, value in (("est", g), ("lo", g - half), ("hi", g + half))}
    assert pooled.check(**texts, k=1, n=100).verdict == "undecided"


# Other measures


RATIO = {"est": "0.80", "lo": "0.58", "hi": "1.09", "p": ".16", "chi2": "1.20", "i2": "0%", "q_p": ".88", "k": 5, "n": "581"}


@pytest.mark.parametrize(("measure", "verdict"), [("rr", "possible"), ("or", "possible"), ("md", "contradictory"), ("rd", "contradictory"), ("smd", "contradictory")])
def test_interval_of_a_ratio_is_even_about_it_on_the_log_scale_alone(measure, verdict):
    assert pooled.check(**{name: RATIO[name] for name in ("est", "lo", "hi")}, measure=measure).verdict == verdict


@pytest.mark.parametrize("measure", ["md", "rd", "rr", "or"])
def test_people_bound_the_precision_of_a_standardised_difference_alone(measure):
    narrow = {"est": "1.00", "lo": "0.98", "hi": "1.02", "n": "100"}
    assert pooled.check(**narrow, measure=measure).verdict == "possible" and "n" not in pooled.check(**narrow, measure=measure).printed
    assert ("lo", "hi", "n") in pooled.check(**narrow).conflicts


@pytest.mark.parametrize(
    ("change", "conflict"),
    [({}, ()), ({"hi": "1.20"}, ("est", "lo", "hi")), ({"p": ".05"}, ("est", "lo", "p")), ({"lo": "−0.58"}, ("lo",)), ({"i2": "30%"}, ("chi2", "i2", "k")), ({"q_p": ".50"}, ("chi2", "q_p", "k"))],
)
def test_every_number_of_a_ratio_is_held_to_the_others(change, conflict):
    found = pooled.check(**(RATIO | change), measure="rr")
    assert found.verdict == ("contradictory" if conflict else "possible")
    assert not conflict or set(conflict) in [set(names) for names in found.conflicts]


@pytest.mark.parametrize("test", ["knapp-hartung", "knapp-hartung-at-least-wald"])
def test_interval_of_t_for_a_ratio_is_even_on_the_log_scale_too(test):
    even = {"est": "0.80", "lo": "0.40", "hi": "1.60", "chi2": "4.44", "i2": "10%", "k": 5}
    assert pooled.check(**even, measure="rr", test=test).verdict == "possible"
    assert pooled.check(**even | {"hi": "1.20"}, measure="rr", test=test).verdict == "contradictory"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from(["rr", "or", "rd", "md"]), st.sampled_from(ESTIMATORS), st.integers(1, 3))
def test_numbers_that_a_pool_of_another_measure_printed_are_never_called_contradictory(seed, k, measure, estimator, decimals):
    random = np.random.default_rng(seed)
    y, v = random.normal(random.normal(0, 0.5), 0.4, k), random.uniform(0.01, 0.5, k)
    w = 1 / v
    q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
    w = 1 / (v + tau2_of(y, v, estimator))
    est, se = (w * y).sum() / w.sum(), 1 / math.sqrt(w.sum())
    half, shown = stats.norm.ppf(0.975) * se, math.exp if measure in ("rr", "or") else float
    texts = {name: str(round_to(shown(value), decimals)) for name, value in (("est", est), ("lo", est - half), ("hi", est + half))}
    texts |= {"se": str(round_to(se, 3)), "p": str(round_to(2 * stats.norm.sf(abs(est) / se), 3)), "chi2": str(round_to(q, 2)), "k": str(k)}
    texts |= {"i2": f"{round_to(100 * max(0, 1 - (k - 1) / q) if q else 0.0, 0)}%", "q_p": str(round_to(stats.chi2.sf(q, k - 1), 2))} if k > 1 else {}
    assert pooled.check(**texts, measure=measure, estimator=estimator).verdict == "possible"
