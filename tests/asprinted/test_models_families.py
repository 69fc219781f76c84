"""Each family of models and each test gives what statsmodels or scipy gives, and refuses what it cannot fit."""

from __future__ import annotations

import dataclasses
import math
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.miscmodels.ordinal_model import OrderedModel

from asprinted import models
from asprinted.models.ordinal import proportional_odds

ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "usual"}}]
RIGHT = {"arm": 'C(arm, Treatment("usual"))', "adjusted": 'C(arm, Treatment("usual")) + C(site) + age'}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """240 people in two arms, at three sites and in 18 practices: scores, counts, ranks and times, some missing."""
    rng = np.random.default_rng(41)
    n = 240
    frame = pd.DataFrame({"id": np.arange(n), "arm": np.repeat(["peers", "usual"], n // 2), "site": rng.choice(["east", "north", "west"], n), "age": rng.normal(40, 12, n).round()})
    frame["practice"] = np.where(frame["arm"] == "peers", rng.integers(0, 9, n), rng.integers(9, 18, n))
    shift = -0.4 * (frame["arm"] == "peers") + 0.3 * (frame["site"] == "west") + rng.normal(0, 0.4, 18)[frame["practice"]]
    frame["score"] = (12 + 3 * shift + rng.normal(0, 1, n) * np.where(frame["arm"] == "peers", 2, 4)).round(1)
    frame["years"] = rng.uniform(0.2, 2, n).round(2)
    frame["visits"] = rng.poisson(3 * np.exp(shift) * frame["years"] * rng.gamma(1.5, 1 / 1.5, n)).astype(float)
    frame["better"] = np.digitize(shift + rng.logistic(0, 1, n), [-1.5, -0.3, 0.6, 1.8]).astype(float)
    frame["back"] = (rng.random(n) < 0.35 + 0.2 * shift).astype(float)
    frame["days"] = np.ceil(rng.exponential(40 * np.exp(-shift)))
    frame["ended"] = (rng.random(n) < 0.7).astype(float)
    for column in ("score", "visits", "better", "back"):
        frame.loc[rng.random(n) < 0.08, column] = np.nan
    return frame


def fitted(people: pd.DataFrame, outcome: str, right: str = "arm", **model) -> models.Fit:
    return models.fit({"formula": f"{{outcome}} ~ {RIGHT.get(right, right)}"} | model, people, outcome)


def agrees(ours: models.Fit, theirs, rtol: float = 1e-9, places: slice = slice(None)) -> None:
    """Coefficients and standard errors are alike to so many digits."""
    np.testing.assert_allclose(ours.beta, np.asarray(theirs.params)[places], rtol=rtol)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.cov)), np.asarray(theirs.bse)[places], rtol=rtol)


# Linear models


@pytest.mark.parametrize("right", RIGHT)
def test_linear_model_robust_by_group_agrees_with_statsmodels(people, right):
    ours = fitted(people, "score", right, family="linear", covariance="robust", groups="practice")
    seen = people.dropna(subset=["score"])
    theirs = smf.ols(f"score ~ {RIGHT[right]}", seen).fit(cov_type="cluster", cov_kwds={"groups": seen["practice"]}, use_t=True)
    agrees(ours, theirs)
    arms = ours.contrast(ARMS)
    assert ours.df == seen["practice"].nunique() - 1 == 17
    assert arms.p == pytest.approx(theirs.pvalues.iloc[1], rel=1e-9)
    assert (arms.lo, arms.hi) == pytest.approx(tuple(theirs.conf_int().iloc[1]), rel=1e-9)


def test_linear_model_robust_by_row_agrees_with_hc1(people):
    ours = fitted(people, "score", "adjusted", family="linear", covariance="robust")
    theirs = smf.ols(f"score ~ {RIGHT['adjusted']}", people).fit(cov_type="HC1", use_t=True)
    agrees(ours, theirs)
    assert ours.contrast(ARMS).p == pytest.approx(theirs.pvalues.iloc[1], rel=1e-9)
    assert fitted(people, "score", "adjusted", family="linear", covariance="robust", test="wald-z").df is None


def test_welch_agrees_with_scipy(people):
    ours = fitted(people, "score", family="linear", test="welch")
    first, second = (people.loc[people["arm"] == arm, "score"].dropna() for arm in ("peers", "usual"))
    theirs = stats.ttest_ind(first, second, equal_var=False)
    arms = ours.contrast(ARMS)
    assert (arms.t, arms.p, ours.df) == pytest.approx((theirs.statistic, theirs.pvalue, theirs.df), rel=1e-12)
    assert (arms.lo, arms.hi) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-12)
    plain = fitted(people, "score", family="linear")
    assert arms.est == pytest.approx(plain.contrast(ARMS).est) and arms.d == pytest.approx(plain.contrast(ARMS).d)
    assert arms.se != pytest.approx(plain.contrast(ARMS).se, rel=1e-3)


@pytest.mark.parametrize("right", ["C(site)", "C(arm) + C(site)", "age"])
def test_welch_of_more_than_two_groups_is_refused(people, right):
    with pytest.raises(ValueError, match="Welch's test compares two groups"):
        fitted(people, "score", right, family="linear", test="welch")


def test_welch_of_a_single_person_is_refused(people):
    alone = people[(people["arm"] == "usual") | (people["id"] == people.loc[people["score"].notna(), "id"].iloc[0])]
    with pytest.raises(ValueError, match="a group has one person"):
        fitted(alone, "score", family="linear", test="welch")


def test_robust_covariance_of_one_group_is_refused(people):
    with pytest.raises(ValueError, match="there is one group alone"):
        fitted(people.assign(practice=1), "score", family="linear", covariance="robust", groups="practice")


def test_standardised_difference_is_cohens_d(people):
    first, second = (people.loc[people["arm"] == arm, "score"].dropna() for arm in ("peers", "usual"))
    pooled = math.sqrt(((len(first) - 1) * first.var() + (len(second) - 1) * second.var()) / (len(first) + len(second) - 2))
    assert fitted(people, "score", family="linear").contrast(ARMS).d == pytest.approx((first.mean() - second.mean()) / pooled)
    with pytest.raises(ValueError, match="ask a linear model for d"):
        _ = fitted(people, "back", family="logistic").contrast(ARMS).d


SITES = [[{"weight": 1, "at": {"site": site}}, {"weight": -1, "at": {"site": "east"}}] for site in ("north", "west")]


def test_joint_test_is_the_f_test_of_statsmodels(people):
    joint = fitted(people, "score", "adjusted", family="linear").joint(SITES)
    theirs = smf.ols(f"score ~ {RIGHT['adjusted']}", people).fit().f_test("C(site)[T.north] = 0, C(site)[T.west] = 0")
    assert (joint.f, joint.joint_p, joint.df, joint.residual_df) == pytest.approx((theirs.fvalue, theirs.pvalue, theirs.df_num, theirs.df_denom), rel=1e-9)


def test_joint_test_of_a_model_of_events_is_chi_squared(people):
    joint = fitted(people, "back", "adjusted", family="logistic").joint(SITES)
    theirs = smf.logit(f"back ~ {RIGHT['adjusted']}", people).fit(disp=0, tol=1e-14).wald_test("C(site)[T.north] = 0, C(site)[T.west] = 0", scalar=True)
    assert (joint.chi2, joint.p, joint.df) == pytest.approx((theirs.statistic, theirs.pvalue, 2), rel=1e-8)


def test_joint_test_of_one_contrast_is_its_own_test(people):
    fit = fitted(people, "score", family="linear")
    one, joint = fit.contrast(ARMS), fit.joint([ARMS])
    assert (joint.f, joint.chi2, joint.joint_p) == pytest.approx((one.f, one.chi2, one.joint_p)) and one.f == pytest.approx(one.t**2)


def test_joint_test_of_contrasts_that_follow_from_each_other_is_refused(people):
    with pytest.raises(ValueError, match="leave out a contrast that follows from the others"):
        fitted(people, "score", family="linear").joint([ARMS, ARMS])


# Proportions


DIFFERENCE = {"family": "risk-difference", "contrasts": {"arm": ARMS}}


@pytest.mark.parametrize("missing", ["as-zero", "leave-out"])
def test_risk_difference_agrees_with_statsmodels(people, missing):
    arms = models.fit(DIFFERENCE | {"missing": missing}, people, "back").contrast(ARMS)
    back = people["back"].fillna(0) if missing == "as-zero" else people["back"]
    counts = back.groupby(people["arm"]).agg(["sum", "count"]).astype(int)
    first, second = counts.loc["peers"], counts.loc["usual"]
    low, high = sm.stats.confint_proportions_2indep(*first, *second, compare="diff", method="wald")
    assert arms.est == pytest.approx(100 * (first["sum"] / first["count"] - second["sum"] / second["count"]), rel=1e-12)
    assert (arms.lo, arms.hi) == pytest.approx((100 * low, 100 * high), rel=1e-9)
    assert arms.p == pytest.approx(sm.stats.test_proportions_2indep(*first, *second, compare="diff", method="wald").pvalue, rel=1e-9)
    assert not arms.ratio


def points(lo: float, est: float, hi: float) -> models.Estimate:
    return models.Estimate(est, 1.0, lo, hi, 0.5)


def test_number_needed_to_treat_is_the_reciprocal_whatever_the_direction():
    for sign in (1, -1):
        ends = sorted((sign * 5.0, sign * 20.0))
        found = points(ends[0], sign * 10.0, ends[1])
        assert (found.nnt_lo, found.nnt, found.nnt_hi) == (5.0, 10.0, 20.0)


def test_number_needed_to_treat_has_no_upper_end_where_no_difference_is_possible():
    found = points(-2.0, 10.0, 25.0)
    assert (found.nnt_lo, found.nnt, found.nnt_hi) == (4.0, 10.0, math.inf)
    assert points(-1.0, 0.0, 1.0).nnt == math.inf


def test_proportions_of_cells_that_nobody_is_in_are_refused(people):
    contrast = [{"weight": 1, "at": {"arm": "peers", "site": "east"}}, {"weight": -1, "at": {"arm": "usual", "site": "west"}}]
    both = models.fit({"family": "risk-difference", "contrasts": {"arm": contrast}}, people, "back").contrast(contrast)
    share = people.groupby(["arm", "site"])["back"].mean()
    assert both.est == pytest.approx(100 * (share["peers", "east"] - share["usual", "west"]))
    apart = people.assign(site=np.where(people["arm"] == "peers", "east", "west"))
    with pytest.raises(ValueError, match="some value of 'arm' has no row with some value of 'site'"):
        models.fit({"family": "risk-difference", "contrasts": {"arm": contrast}}, apart, "back")


def test_outcome_of_a_proportion_that_is_no_yes_or_no_is_refused(people):
    with pytest.raises(ValueError, match="an outcome is .*: give 0 or 1"):
        models.fit(DIFFERENCE, people, "visits")


# Counts


@pytest.mark.parametrize("exposure", [None, "years"])
@pytest.mark.parametrize("right", RIGHT)
def test_poisson_model_agrees_with_statsmodels(people, right, exposure):
    seen = people.dropna(subset=["visits"])
    offset = None if exposure is None else np.log(seen[exposure])
    model = smf.glm(f"visits ~ {RIGHT[right]}", seen, family=sm.families.Poisson(), offset=offset)
    options = {} if exposure is None else {"exposure": exposure}
    plain = fitted(people, "visits", right, family="poisson", **options)
    agrees(plain, model.fit(tol=1e-14))
    agrees(fitted(people, "visits", right, family="poisson", covariance="robust", **options), model.fit(tol=1e-14, cov_type="HC0"))
    clusters = {"groups": pd.factorize(seen["practice"])[0], "use_correction": False}
    agrees(fitted(people, "visits", right, family="poisson", covariance="robust", groups="practice", **options), model.fit(tol=1e-14, cov_type="cluster", cov_kwds=clusters))
    arms = plain.contrast(ARMS)
    assert arms.ratio and arms.t == pytest.approx(math.log(arms.est) / arms.se)


def test_modified_poisson_model_of_two_arms_gives_the_risk_ratio(people):
    ours = fitted(people, "back", family="poisson", covariance="robust").contrast(ARMS)
    ratio = models.fit({"family": "risk-ratio", "contrasts": {"arm": ARMS}}, people, "back").contrast(ARMS)
    assert (ours.est, ours.lo, ours.hi, ours.p) == pytest.approx((ratio.est, ratio.lo, ratio.hi, ratio.p), rel=1e-10)


@pytest.mark.parametrize("exposure", [None, "years"])
@pytest.mark.parametrize("right", RIGHT)
def test_negative_binomial_model_agrees_with_statsmodels(people, right, exposure):
    seen = people.dropna(subset=["visits"])
    ours = fitted(people, "visits", right, family="negative-binomial", **({} if exposure is None else {"exposure": exposure}))
    model = smf.negativebinomial(f"visits ~ {RIGHT[right]}", seen, exposure=None if exposure is None else seen[exposure])
    first = model.fit(disp=0, maxiter=500, gtol=1e-6)
    theirs = model.fit(start_params=first.params, method="newton", disp=0, maxiter=100, tol=1e-13)
    agrees(ours, theirs, rtol=1e-6, places=slice(0, -1))
    assert ours.variances["alpha"] == pytest.approx(theirs.params.iloc[-1], rel=1e-6)


def test_counts_that_vary_less_than_poissons_have_poissons_fit(people):
    even = people.assign(visits=2.0 + (people["id"] % 3 == 0))
    ours = fitted(even, "visits", family="negative-binomial")
    poisson = fitted(even, "visits", family="poisson")
    np.testing.assert_array_equal(ours.cov, poisson.cov)
    assert ours.variances["alpha"] == 0


@pytest.mark.parametrize("family", ["poisson", "negative-binomial"])
@pytest.mark.parametrize(("change", "message"), [
    (lambda frame: frame.assign(visits=frame["visits"] - 1), "an outcome is -1: give counts from 0"),
    (lambda frame: frame.assign(years=frame["years"].where(frame["id"] != 7, 0)), "an exposure is 0: give times above 0"),
    (lambda frame: frame.assign(visits=frame["visits"].where(frame["arm"] == "peers", 0)), "no finite estimate: in some cell every outcome is 0"),
])  # fmt: skip
def test_counts_that_have_no_fit_are_refused(people, family, change, message):
    with pytest.raises(ValueError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(change(people), "visits", family=family, exposure="years")


def test_count_that_is_not_whole_is_refused(people):
    with pytest.raises(ValueError, match="a count is .*: give whole numbers"):
        fitted(people.assign(visits=people["visits"] + 0.5), "visits", family="negative-binomial")


def test_row_without_exposure_is_left_out(people):
    gap = people.assign(years=people["years"].where(people["id"] > 9))
    assert fitted(gap, "visits", family="poisson", exposure="years").n == people.loc[people["id"] > 9, "visits"].notna().sum()


# Ordered categories


@pytest.mark.parametrize("right", RIGHT)
def test_proportional_odds_agree_with_statsmodels(people, right):
    ours = fitted(people, "better", right, family="ordinal")
    seen = people.dropna(subset=["better"])
    theirs = OrderedModel.from_formula(f"better ~ {RIGHT[right]}", seen.assign(better=seen["better"].astype(int)), distr="logit").fit(method="bfgs", disp=0, gtol=1e-6, maxiter=1000)
    agrees(ours, theirs, rtol=1e-5, places=slice(0, len(ours.beta)))
    cuts = theirs.model.transform_threshold_params(theirs.params.to_numpy())[1:-1]
    np.testing.assert_allclose(proportional_odds(ours.design.y, ours.design.X)[2], cuts, rtol=1e-4)
    assert ours.contrast(ARMS).est == pytest.approx(math.exp(theirs.params.iloc[0]), rel=1e-5)


def test_proportional_odds_of_two_categories_are_logistic(people):
    ordinal, logistic = (fitted(people, "back", "adjusted", family=family).contrast(ARMS) for family in ("ordinal", "logistic"))
    assert (ordinal.est, ordinal.lo, ordinal.hi, ordinal.p) == pytest.approx((logistic.est, logistic.lo, logistic.hi, logistic.p), rel=1e-9)


def test_more_of_the_higher_categories_is_an_odds_ratio_above_one(people):
    higher = people.assign(better=people["better"] + 2 * (people["arm"] == "peers"))
    assert fitted(higher, "better", family="ordinal").contrast(ARMS).est > 1


@pytest.mark.parametrize(("change", "message"), [
    (lambda frame: frame.assign(better=2.0), "everyone is in one category"),
    (lambda frame: frame.assign(better=np.where(frame["arm"] == "peers", 4, frame["better"].clip(upper=3))), "no finite estimate: some level has the highest, or the lowest"),
])  # fmt: skip
def test_categories_that_have_no_fit_are_refused(people, change, message):
    with pytest.raises(ValueError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(change(people), "better", family="ordinal")


# Tests without contrasts


@pytest.mark.parametrize("factor", ["arm", "site"])
def test_log_rank_test_agrees_with_statsmodels(people, factor):
    ours = fitted(people, "ended", f"C({factor})", family="log-rank", time="days")
    chi2, p = survdiff(people["days"], people["ended"], people[factor])
    assert (ours.chi2, ours.p, ours.df) == pytest.approx((chi2, p, people[factor].nunique() - 1), rel=1e-9)


def test_log_rank_test_is_cut_where_following_is(people):
    ours = fitted(people, "ended", family="log-rank", time="days", until=30)
    chi2, _ = survdiff(people["days"].clip(upper=30), people["ended"].where(people["days"] <= 30, 0), people["arm"])
    assert ours.chi2 == pytest.approx(chi2, rel=1e-9)


def test_log_rank_test_without_events_is_refused(people):
    with pytest.raises(ValueError, match="no row has an event"):
        fitted(people.assign(ended=0.0), "ended", family="log-rank", time="days")


@pytest.mark.parametrize("outcome", ["score", "visits"])
def test_rank_sum_test_agrees_with_scipy(people, outcome):
    first, second = (people.loc[people["arm"] == arm, outcome].dropna() for arm in ("peers", "usual"))
    ours = fitted(people, outcome, family="rank-sum")
    assert ours.p == pytest.approx(stats.mannwhitneyu(first, second, method="asymptotic").pvalue, rel=1e-10)
    plain = fitted(people, outcome, family="rank-sum", test="kruskal-wallis")
    assert plain.p == pytest.approx(stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=False).pvalue, rel=1e-9)
    h, p = stats.kruskal(first, second)
    assert (plain.chi2, plain.p, ours.chi2) == pytest.approx((h, p, h), rel=1e-10)


def test_rank_sum_test_of_three_groups_is_kruskal_and_wallis(people):
    groups = [part["visits"].dropna() for _, part in people.groupby("site")]
    ours = fitted(people, "visits", "C(site)", family="rank-sum")
    assert (ours.chi2, ours.p, ours.df) == pytest.approx((*stats.kruskal(*groups), 2), rel=1e-10)
    with pytest.raises(ValueError, match="there are 3 groups: give two to the test 'mann-whitney'"):
        fitted(people, "visits", "C(site)", family="rank-sum", test="mann-whitney")


@pytest.mark.parametrize(("score", "message"), [(lambda frame: 1.0, "all values are alike"), (lambda frame: frame["score"].where(frame["arm"] == "peers"), "a level has no rows")])
def test_ranks_that_cannot_be_compared_are_refused(people, score, message):
    with pytest.raises(ValueError, match=message):
        fitted(people.assign(score=score(people)), "score", family="rank-sum")


@pytest.mark.parametrize(("outcome", "factor"), [("back", "arm"), ("better", "site"), ("site", "arm")])
def test_chi_squared_test_agrees_with_scipy(people, outcome, factor):
    table = pd.crosstab(people[outcome], people[factor])
    ours = fitted(people, outcome, f"C({factor})", family="chi-squared")
    theirs = stats.chi2_contingency(table, correction=False)
    assert (ours.chi2, ours.p, ours.df) == pytest.approx((theirs.statistic, theirs.pvalue, theirs.dof), rel=1e-10)


def test_corrected_and_exact_tests_of_a_table_agree_with_scipy(people):
    table = pd.crosstab(people["back"], people["arm"])
    yates = fitted(people, "back", family="chi-squared", test="yates")
    assert (yates.chi2, yates.p) == pytest.approx(stats.chi2_contingency(table)[:2], rel=1e-10)
    fisher = fitted(people, "back", family="chi-squared", test="fisher")
    assert fisher.p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-10) and math.isnan(fisher.chi2)


@pytest.mark.parametrize("seed", range(12))
def test_fishers_test_of_small_and_lopsided_tables_agrees_with_scipy(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, [[9, 3], [4, 12]]) + np.eye(2, dtype=int)
    rows = pd.DataFrame({"arm": np.repeat(["a", "a", "b", "b"], table.ravel()), "back": np.repeat([0, 1, 0, 1], table.ravel())})
    assert fitted(rows, "back", "C(arm)", family="chi-squared", test="fisher").p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-10)


@pytest.mark.parametrize("test", ["yates", "fisher"])
def test_tests_of_two_by_two_tables_refuse_larger_ones(people, test):
    with pytest.raises(ValueError, match="the table has 2 values and 3 groups: the test '.*' is of two and two, use pearson"):
        fitted(people, "back", "C(site)", family="chi-squared", test=test)


def test_table_of_one_value_is_refused(people):
    with pytest.raises(ValueError, match="the table has 1 values and 2 groups"):
        fitted(people.assign(back=1.0), "back", family="chi-squared")


def test_correlations_agree_with_scipy(people):
    both = people[["score", "age"]].dropna()
    pearson, theirs = fitted(people, "score", "age", family="correlation"), stats.pearsonr(both["score"], both["age"])
    assert (pearson.est, pearson.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert (pearson.lo, pearson.hi) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9)
    spearman, theirs = fitted(people, "score", "age", family="correlation", test="spearman"), stats.spearmanr(both["score"], both["age"])
    assert (spearman.est, spearman.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert spearman.lo < spearman.est < spearman.hi


@pytest.mark.parametrize(("change", "right", "message"), [
    (lambda frame: frame.assign(score=3.0), "age", "the values of a column are all alike"),
    (lambda frame: frame[frame["score"].notna()].head(3), "age", "there are 3 rows with both values"),
    (lambda frame: frame, "age + years", "a correlation is of two columns"),
])  # fmt: skip
def test_columns_that_cannot_be_correlated_are_refused(people, change, right, message):
    with pytest.raises(ValueError, match=message):
        fitted(change(people), "score", right, family="correlation")


def test_perfect_correlation_has_no_width():
    rows = pd.DataFrame({"a": range(9), "b": range(0, 18, 2)})
    found = fitted(rows, "a", "b", family="correlation")
    assert (found.est, found.lo, found.hi, found.p) == (1.0, 1.0, 1.0, 0.0)


# Survival at a time


@pytest.mark.parametrize("at", [0, 1, 17, 40, 90.5])
def test_survival_at_a_time_agrees_with_statsmodels(people, at):
    curve = SurvfuncRight(people["days"], people["ended"])
    reached = curve.surv_times <= at
    assert models.survival_at(people["days"], people["ended"], at) == pytest.approx(curve.surv_prob[reached][-1] if reached.any() else 1.0)


def test_survival_after_everyone_was_lost_is_not_known():
    assert math.isnan(models.survival_at(np.array([1, 2, 3]), np.array([1, 0, 0]), 4))
    assert models.survival_at(np.array([1, 2, 3]), np.array([1, 0, 0]), 3) == pytest.approx(2 / 3)
    assert models.survival_at(np.array([1, 2, 3]), np.array([1, 0, 1]), 4) == 0


# One design, many outcomes


EVERY = {
    "score": [{"family": "linear"}, {"family": "linear", "test": "welch"}, {"family": "linear", "covariance": "robust", "groups": "practice"}, {"family": "rank-sum"},
              {"family": "correlation", "formula": "{outcome} ~ age"}],
    "visits": [{"family": "poisson", "exposure": "years"}, {"family": "negative-binomial"}],
    "better": [{"family": "ordinal"}, {"family": "chi-squared"}],
    "back": [{"family": "risk-ratio", "contrasts": {"arm": ARMS}}, DIFFERENCE | {"missing": "as-zero"}, {"family": "logistic"}],
    "ended": [{"family": "log-rank", "time": "days"}, {"family": "cox", "time": "days"}],
}  # fmt: skip


@pytest.mark.parametrize(("outcome", "model"), [(outcome, model) for outcome, entries in EVERY.items() for model in entries], ids=str)
def test_other_outcomes_on_the_same_design_are_fitted_as_from_the_table(people, outcome, model):
    """What a maker of records relies on: the design is built once, and only the outcome exchanged."""
    model = {"formula": f"{{outcome}} ~ {RIGHT['arm']}"} | model
    rows = models.design(model, people, outcome)
    shuffled = people[outcome].copy()
    seen = people[outcome].notna()
    shuffled[seen] = np.random.default_rng(3).permutation(people.loc[seen, outcome])
    again = models.fitted(model, dataclasses.replace(rows, y=shuffled.to_numpy()[rows.rows]))
    whole = models.fit(model, people.assign(**{outcome: shuffled}), outcome)
    first = models.fit(model, people, outcome)
    if isinstance(whole, models.Tested):
        np.testing.assert_equal(dataclasses.astuple(again), dataclasses.astuple(whole))
        assert again.p != first.p
    else:
        assert again.contrast(ARMS) == whole.contrast(ARMS) != first.contrast(ARMS)


def test_contrast_is_read_once_for_all_outcomes_of_a_design(people):
    rows = models.design({"family": "linear", "formula": f"{{outcome}} ~ {RIGHT['adjusted']}"}, people, "score")
    found = rows.contrast(ARMS)
    assert dataclasses.replace(rows, y=rows.y + 1).contrast(ARMS) is found
    assert not np.array_equal(rows.contrast(SITES[0]), found)


# What a linear model explains, and the interval of a standardised difference


@pytest.mark.parametrize("right", RIGHT)
def test_share_explained_is_that_of_statsmodels(people, right):
    assert fitted(people, "score", right, family="linear").r2 == pytest.approx(smf.ols(f"score ~ {RIGHT[right]}", people).fit().rsquared, rel=1e-10)
    with pytest.raises(ValueError, match="ask a linear model for r2"):
        _ = fitted(people, "back", family="logistic").r2


@pytest.mark.parametrize("model", [{}, {"test": "welch"}, {"covariance": "robust", "groups": "practice"}, {"level": 0.9}])
def test_interval_of_cohens_d_is_that_of_two_groups_in_large_samples(people, model):
    found = fitted(people, "score", family="linear", **model).contrast(ARMS)
    n1, n2 = (int(people.loc[people["arm"] == arm, "score"].notna().sum()) for arm in ("peers", "usual"))
    variance = (n1 + n2) / (n1 * n2) + found.d**2 / (2 * (n1 + n2))
    half = stats.norm.ppf(0.5 + model.get("level", 0.95) / 2) * math.sqrt(variance)
    assert (found.d_lo, found.d_hi) == pytest.approx((found.d - half, found.d + half), rel=1e-10)
    with pytest.raises(ValueError, match="ask a linear model for d"):
        _ = fitted(people, "back", family="logistic").contrast(ARMS).d_lo


def test_dispersion_without_end_is_told_apart_from_a_cell_without_counts():
    rows = pd.DataFrame({"events": [0.0] * 4 + [4.0, 92.0] + [0.0] * 7, "a": [-0.522, -1.606, 0.235, -0.953, -0.273, 0.084, -1.237, 1.292, -0.112, 0.75, 0.593, 1.303, 1.152],
                         "b": [0.005, -2.172, -0.484, 0.678, 0.878, 1.254, -0.412, 0.286, 0.064, 1.234, 1.555, -0.392, 3.752], "c": [0.0, 1.0] * 6 + [0.0]})  # fmt: skip
    with pytest.raises(ValueError, match="its dispersion grows without end, since hardly anybody has a count above 0"):
        models.fit({"family": "negative-binomial", "formula": "{outcome} ~ a + b + c"}, rows, "events")
