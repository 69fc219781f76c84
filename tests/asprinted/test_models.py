"""Each reference model gives what statsmodels, a formula worked by hand, or both give."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

from asprinted import models

FORMULA = '{outcome} ~ C(visit) * C(arm, Treatment("usual care"))'
MIXED = {"family": "mixed", "formula": FORMULA, "groups": "id", "estimator": "REML"}
CHANGE = [
    {"weight": 1, "at": {"visit": 6, "arm": "HARP"}},
    {"weight": -1, "at": {"visit": 0, "arm": "HARP"}},
    {"weight": -1, "at": {"visit": 6, "arm": "usual care"}},
    {"weight": 1, "at": {"visit": 0, "arm": "usual care"}},
]


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Scores of 60 people at three visits with a fifth missing, and a person who was never seen."""
    rng = np.random.default_rng(20)
    frame = pd.DataFrame({"id": np.repeat(np.arange(60), 3), "visit": np.tile([0, 3, 6], 60)})
    frame["arm"] = np.where(frame["id"] % 2, "HARP", "usual care")
    level = rng.normal(0, 2, 60)[frame["id"]]
    frame["score"] = 10 + 0.4 * frame["visit"] + 0.3 * frame["visit"] * (frame["arm"] == "HARP") + level + rng.normal(0, 1.5, 180)
    frame.loc[rng.random(180) < 0.2, "score"] = np.nan
    frame.loc[frame["id"] == 7, "score"] = np.nan
    return frame


def by_statsmodels(frame: pd.DataFrame, reml: bool):
    """MixedLM with the optimiser that finds the optimum to six digits."""
    seen = frame.dropna(subset=["score"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on a boundary, about the Hessian
        return smf.mixedlm(FORMULA.format(outcome="score"), seen, groups="id").fit(reml=reml, method="powell", xtol=1e-12, ftol=1e-14)


# The mixed model


@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_mixed_model_agrees_with_statsmodels(visits, estimator):
    ours = models.fit(MIXED | {"estimator": estimator}, visits, "score")
    theirs = by_statsmodels(visits, reml=estimator == "REML")
    np.testing.assert_allclose(ours.beta, theirs.fe_params, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.cov)), theirs.bse_fe, rtol=1e-3)
    np.testing.assert_allclose(ours.variances["between"], theirs.cov_re.iloc[0, 0], rtol=1e-4)
    np.testing.assert_allclose(ours.variances["residual"], theirs.scale, rtol=1e-4)
    assert ours.n == visits["score"].notna().sum()


@pytest.mark.parametrize("reml", [True, False])
def test_mixed_model_is_where_the_likelihood_written_out_in_full_is_largest(visits, reml):
    rows = models.design(MIXED, visits, "score")
    beta, cov, found = models.random_intercept(rows.y, rows.X, rows.groups, "REML" if reml else "ML")
    same = rows.groups[:, None] == rows.groups[None, :]

    def log_likelihood(between: float, residual: float) -> float:
        V = between * same + residual * np.eye(len(rows.y))
        inverse = np.linalg.inv(V)
        information = rows.X.T @ inverse @ rows.X
        rest = rows.y - rows.X @ np.linalg.solve(information, rows.X.T @ inverse @ rows.y)
        penalty = np.linalg.slogdet(information)[1] if reml else 0.0
        return -0.5 * (np.linalg.slogdet(V)[1] + penalty + rest @ inverse @ rest)

    best = log_likelihood(found["between"], found["residual"])
    for part in found:
        for factor in (0.99, 1.01):
            assert log_likelihood(**(found | {part: found[part] * factor})) < best - 1e-6
    inverse = np.linalg.inv(found["between"] * same + found["residual"] * np.eye(len(rows.y)))
    np.testing.assert_allclose(cov, np.linalg.inv(rows.X.T @ inverse @ rows.X), rtol=1e-8)
    np.testing.assert_allclose(beta, cov @ rows.X.T @ inverse @ rows.y, rtol=1e-8)


def test_mixed_model_of_a_balanced_design_equals_analysis_of_variance():
    rng = np.random.default_rng(3)
    groups, each = 12, 5
    codes = np.repeat(np.arange(groups), each)
    y = 5 + rng.normal(0, 2, groups)[codes] + rng.normal(0, 1, groups * each)
    means = y.reshape(groups, each).mean(axis=1)
    within = ((y - means[codes]) ** 2).sum() / (groups * (each - 1))
    between = each * ((means - y.mean()) ** 2).sum() / (groups - 1)
    beta, cov, variances = models.random_intercept(y, np.ones((groups * each, 1)), codes)
    assert beta[0] == pytest.approx(y.mean(), rel=1e-10)
    assert cov[0, 0] == pytest.approx(between / (groups * each), rel=1e-9)
    assert variances == pytest.approx({"residual": within, "between": (between - within) / each}, rel=1e-9)
    # maximum likelihood divides by the number of groups, not by one less
    between_ml = each * ((means - y.mean()) ** 2).sum() / groups
    _, cov_ml, variances_ml = models.random_intercept(y, np.ones((groups * each, 1)), codes, "ML")
    assert variances_ml == pytest.approx({"residual": within, "between": (between_ml - within) / each}, rel=1e-9)
    assert cov_ml[0, 0] == pytest.approx(between_ml / (groups * each), rel=1e-9)


def test_mixed_model_without_variance_between_groups_is_least_squares():
    rng = np.random.default_rng(4)
    y = np.tile([1.0, 2.0, 3.0, 4.0], 10) + rng.normal(0, 0.01, 40)  # every group has the same mean: its variance is on the boundary
    X = np.column_stack([np.ones(40), rng.normal(size=40)])
    beta, cov, variances = models.random_intercept(y, X, np.repeat(np.arange(10), 4))
    plain_beta, plain_cov, sigma2 = models.least_squares(y, X)
    assert variances["between"] == 0
    assert variances["residual"] == pytest.approx(sigma2, rel=1e-10)
    np.testing.assert_allclose(beta, plain_beta, rtol=1e-9)
    np.testing.assert_allclose(cov, plain_cov, rtol=1e-9)


def test_mixed_model_of_groups_that_do_not_vary_within_is_refused():
    with pytest.raises(ValueError, match="no finite estimate: every group's scores are alike"):
        models.random_intercept(np.repeat(np.arange(10.0), 3), np.ones((30, 1)), np.repeat(np.arange(10), 3))


def test_shift_and_scale_of_residuals_move_estimates_and_errors_exactly(visits):
    rows = models.design(MIXED, visits, "score")
    first = models.fit(MIXED, visits, "score")
    aim, factor = np.array([40.0, 1.0, 2.5, 0.3, -0.2, 1.1]), 1.7
    moved = rows.X @ aim + factor * (rows.y - rows.X @ first.beta)
    beta, cov, variances = models.random_intercept(moved, rows.X, rows.groups)
    np.testing.assert_allclose(beta, aim, atol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), factor * np.sqrt(np.diag(first.cov)), rtol=1e-9)
    assert variances == pytest.approx({name: factor**2 * value for name, value in first.variances.items()}, rel=1e-8)


# Contrasts


def test_contrast_of_cells_is_the_coefficient_that_it_means(visits):
    fit = models.fit(MIXED, visits, "score")
    np.testing.assert_array_equal(fit.design.contrast(CHANGE), [0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(fit.design.contrast(CHANGE[:2]), [0, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(fit.design.contrast([{"weight": 0.5, "at": {"visit": 3, "arm": "usual care"}}]), [0.5, 0.5, 0, 0, 0, 0])
    change = fit.contrast(CHANGE)
    error = np.sqrt(fit.cov[5, 5])
    assert (change.est, change.se) == (pytest.approx(fit.beta[5]), pytest.approx(error))
    assert change.p == pytest.approx(2 * stats.norm.sf(abs(fit.beta[5]) / error))
    assert (change.lo, change.hi) == pytest.approx((fit.beta[5] - stats.norm.isf(0.025) * error, fit.beta[5] + stats.norm.isf(0.025) * error))


def test_level_of_the_interval_is_that_of_the_model(visits):
    narrow = models.fit(MIXED | {"level": 0.5}, visits, "score").contrast(CHANGE)
    assert narrow.hi - narrow.est == pytest.approx(stats.norm.isf(0.25) * narrow.se)


def test_contrast_at_a_value_that_the_rows_do_not_have_is_refused(visits):
    with pytest.raises(ValueError, match=r"no contrast at \{'visit': 12, 'arm': 'HARP'\}"):
        models.fit(MIXED, visits, "score").contrast([{"weight": 1, "at": {"visit": 12, "arm": "HARP"}}])


# Least squares


def test_linear_model_agrees_with_statsmodels(visits):
    model = {"family": "linear", "formula": FORMULA, "level": 0.9}
    ours = models.fit(model, visits, "score")
    theirs = smf.ols(FORMULA.format(outcome="score"), visits.dropna()).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.cov, theirs.cov_params(), rtol=1e-9)
    assert ours.df == theirs.df_resid and ours.variances["residual"] == pytest.approx(theirs.scale)
    change = ours.contrast(CHANGE)
    assert change.p == pytest.approx(theirs.pvalues.iloc[-1])
    assert (change.lo, change.hi) == pytest.approx(tuple(theirs.conf_int(0.1).iloc[-1]))
    z = models.fit(model | {"test": "wald-z"}, visits, "score").contrast(CHANGE)
    assert z.p == pytest.approx(2 * stats.norm.sf(abs(change.est / change.se))) and z.p < change.p


def test_least_squares_on_columns_that_depend_on_each_other_are_refused():
    with pytest.raises(ValueError, match="rank 1 for 2 coefficients"):
        models.least_squares(np.arange(5.0), np.ones((5, 2)))


# Yes and no

PILOT = {
    "family": "gee-logistic", "formula": 'seen ~ C(time) * C(arm, Treatment("usual care"))', "groups": "id",
    "waves": {"time": "time", "outcome": "seen", "columns": {"before": 0, "after": 6}},
}  # fmt: skip
INTERACTION = [{**term, "at": {"time": term["at"]["visit"], "arm": term["at"]["arm"]}} for term in CHANGE]


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """80 people with a yes or no before and after, some lost."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"id": [f"p{n}" for n in range(80)], "arm": np.repeat(["HARP", "usual care"], 40)})
    frame["before"] = rng.integers(0, 2, 80)
    frame["after"] = np.where(rng.random(80) < 0.3, frame["before"], rng.random(80) < np.where(frame["arm"] == "HARP", 0.7, 0.4)).astype(float)
    frame.loc[rng.random(80) < 0.15, "after"] = np.nan
    return frame


def test_estimating_equations_agree_with_statsmodels(people):
    ours = models.fit(PILOT, people, "seen")
    long = people.melt(["id", "arm"], ["before", "after"], "wave", "seen").dropna()
    long["time"] = long["wave"].map({"before": 0, "after": 6})
    model = smf.gee(PILOT["formula"], "id", long, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Independence())
    theirs = model.fit(ctol=1e-12)
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.cov, theirs.cov_params(), rtol=1e-6)
    change = ours.contrast(INTERACTION)
    assert change.est == pytest.approx(np.exp(theirs.params.iloc[-1])) and change.p == pytest.approx(theirs.pvalues.iloc[-1])
    assert (change.lo, change.hi) == pytest.approx(tuple(np.exp(theirs.conf_int().iloc[-1])))
    assert ours.n == len(long)


def test_people_who_stand_for_several_count_as_several(people):
    rows = models.design(PILOT, people, "seen")
    twice = models.design(PILOT, pd.concat([people, people.assign(id=people["id"] + "b")]), "seen")
    beta, cov = models.logistic_gee(rows.y, rows.X, rows.groups, np.full(rows.groups.max() + 1, 2.0))
    again_beta, again_cov = models.logistic_gee(twice.y, twice.X, twice.groups)
    np.testing.assert_allclose(beta, again_beta, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cov, again_cov, rtol=1e-9)


def test_logistic_model_of_a_cell_in_which_everyone_is_alike_is_refused(people):
    alike = people.assign(after=np.where(people["arm"] == "HARP", 1.0, people["after"]))
    with pytest.raises(ValueError, match="no finite estimate: in some cell every outcome is the same"):
        models.fit(PILOT, alike, "seen")


RATIO = {"family": "risk-ratio", "contrasts": {"ratio": [{"weight": 1, "at": {"arm": "HARP"}}, {"weight": -1, "at": {"arm": "usual care"}}]}}


@pytest.mark.parametrize("missing", ["as-zero", "leave-out"])
def test_risk_ratio_agrees_with_statsmodels(people, missing):
    ours = models.fit(RATIO | {"missing": missing}, people, "after").contrast(RATIO["contrasts"]["ratio"])
    after = people["after"].fillna(0) if missing == "as-zero" else people["after"]
    yes, no = ((after == value).groupby(people["arm"]).sum() for value in (1, 0))
    table = sm.stats.Table2x2([[yes["HARP"], no["HARP"]], [yes["usual care"], no["usual care"]]])
    assert ours.est == pytest.approx(table.riskratio)
    assert (ours.lo, ours.hi) == pytest.approx(table.riskratio_confint())
    assert ours.se == pytest.approx(table.log_riskratio_se) and ours.p == pytest.approx(table.riskratio_pvalue())


def test_risk_ratio_without_an_event_is_refused(people):
    with pytest.raises(ValueError, match="a group has no event in 'after'"):
        models.fit(RATIO, people.assign(after=np.where(people["arm"] == "HARP", 0, 1)), "after")


def test_difference_has_no_reduction(visits):
    with pytest.raises(ValueError, match="a difference has no reduction in per cent"):
        _ = models.fit(MIXED, visits, "score").contrast(CHANGE).reduction


def test_reduction_is_by_how_many_per_cent_a_ratio_lies_below_one(people):
    ratio = models.fit(RATIO, people, "after").contrast(RATIO["contrasts"]["ratio"])
    assert ratio.reduction == pytest.approx(100 - 100 * ratio.est)


# Which rows


def test_rows_of_one_visit_alone_are_used(visits):
    model = {"family": "linear", "formula": "{outcome} ~ C(arm) * C(visit)", "rows": {"visit": [3, 6]}}
    two = models.fit(model, visits, "score")
    same = models.fit(model | {"rows": {}}, visits[visits["visit"].isin([3, 6])], "score")
    np.testing.assert_array_equal(two.beta, same.beta)
    assert two.n == same.n and two.beta.shape == (4,)
    assert set(visits["visit"].iloc[two.design.rows]) == {3, 6}
    np.testing.assert_array_equal(visits["score"].iloc[two.design.rows], two.design.y)
    one = models.fit(model | {"formula": "{outcome} ~ C(arm)", "rows": {"visit": 6, "arm": ["HARP", "usual care"]}}, visits, "score")
    assert one.n == (visits["score"].notna() & (visits["visit"] == 6)).sum()


def test_rows_of_a_risk_ratio_are_chosen_alike(people):
    half = people[people["before"] == 1]
    chosen = models.fit(RATIO | {"rows": {"before": 1}}, people, "after").contrast(RATIO["contrasts"]["ratio"])
    assert chosen == models.fit(RATIO, half, "after").contrast(RATIO["contrasts"]["ratio"])


ANCOVA = {"family": "linear", "formula": "{outcome} ~ C(arm) + baseline", "rows": {"visit": 6}, "baseline": {"column": "visit", "value": 0}}


def test_baseline_is_the_same_persons_outcome_at_the_first_visit(visits):
    shuffled = visits.sample(frac=1, random_state=1).astype({"visit": "Int64", "score": "Float64"})
    ours = models.fit(ANCOVA, shuffled, "score")
    wide = visits.pivot(index=["id", "arm"], columns="visit", values="score").reset_index().rename(columns={0: "first", 6: "last"})
    theirs = smf.ols("last ~ C(arm) + first", wide).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.cov, theirs.cov_params(), rtol=1e-9)
    assert ours.n == theirs.nobs < (visits["visit"] == 6).sum()
    arms = ours.contrast([{"weight": 1, "at": {"arm": "usual care"}}, {"weight": -1, "at": {"arm": "HARP"}}])
    assert (arms.est, arms.p) == pytest.approx((theirs.params.iloc[1], theirs.pvalues.iloc[1]))
    np.testing.assert_array_equal(ours.design.y, shuffled["score"].iloc[ours.design.rows])


def test_baseline_follows_the_person_that_the_model_names(visits):
    renamed = visits.rename(columns={"id": "participant"})
    np.testing.assert_array_equal(models.fit(ANCOVA | {"person": "participant"}, renamed, "score").beta, models.fit(ANCOVA, visits, "score").beta)
    with pytest.raises(ValueError, match="the table has no column 'id': give one of participant, visit, arm, score"):
        models.fit(ANCOVA, renamed, "score")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": {"visit": 12}}, "no row has {'visit': 12}"),
        ({"rows": {"vizit": 6}}, "the table has no column 'vizit': give one of id, visit, arm, score"),
        ({"baseline": {"column": "visit", "value": 12}}, "no row has visit 12: give the visit whose score is the baseline"),
        ({"baseline": {"column": "arm", "value": "HARP"}}, "id 1 has two rows with arm 'HARP': its baseline must be one"),
        ({"family": "quadratic"}, "family 'quadratic' is unknown: use one of risk-ratio, mixed, linear, logistic, gee-logistic, cox"),
        ({"family": "mixed", "groups": "id", "covariance": "robust"}, "family 'mixed' has no covariance 'robust': use model-based, or robust for logistic"),
        ({"family": "logistic", "covariance": "jackknife"}, "family 'logistic' has no covariance 'jackknife'"),
        ({"groups": "worker"}, "the table has no column 'worker'"),
    ],
)
def test_model_that_asks_for_what_is_not_there_is_refused(visits, change, message):
    with pytest.raises(ValueError, match=message):
        models.fit(ANCOVA | change, visits, "score")


def test_column_that_is_called_baseline_already_is_refused(visits):
    with pytest.raises(ValueError, match="the table already has a column 'baseline': rename it"):
        models.fit(ANCOVA, visits.assign(baseline=1.0), "score")


def test_row_with_a_missing_covariate_is_left_out(visits):
    """Whatever the sign of the missing value: nan, None, or that of a column of whole numbers."""
    ages = pd.Series(np.random.default_rng(2).integers(20, 60, 180), dtype="Int64")
    sites = pd.Series(np.random.default_rng(3).choice(["north", "south"], 180))
    frame = visits.assign(age=ages.where(ages.index != 30), site=sites.where(sites.index != 40, None), size=ages.astype(float).where(ages.index != 50))
    model = {"family": "linear", "formula": "{outcome} ~ C(arm) + age + C(site) + size + C(visit)"}
    ours = models.fit(model, frame.assign(size=frame["size"] ** 2), "score")
    complete = frame.drop(index=[30, 40, 50]).dropna(subset=["score"])
    assert ours.n == len(complete) and not set(ours.design.rows) & {30, 40, 50}
    theirs = smf.ols(model["formula"].format(outcome="score"), complete.assign(age=complete["age"].astype(float), size=complete["size"] ** 2)).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-7)


def test_row_without_a_group_is_a_group_of_its_own(visits):
    some = visits.assign(group=visits["id"].astype(object).where(visits["id"] % 5 > 0))
    codes = models.design(MIXED | {"groups": "group"}, some, "score").groups
    named = some["group"][visits["score"].notna()]
    assert len(np.unique(codes)) == codes.max() + 1 == named.nunique() + named.isna().sum()
    assert (np.bincount(codes)[codes[named.isna().to_numpy()]] == 1).all()


# Formulas


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("{outcome} ~ C(vizit)", "formula 'score ~ C\\(vizit\\)' cannot be read: .*'vizit' is not defined"),
        ("{outcome} ~ visit * * arm", "cannot be read: expected a noun"),
        ("visit + arm", "what stands left of '~' is not a column"),
        ("log({outcome}) ~ arm", "what stands left of '~' is not a column"),
        ('{outcome} ~ C(arm, Treatment("waiting list"))', "'waiting list' not found"),
    ],
)
def test_formula_that_cannot_be_read_is_refused(visits, formula, message):
    with pytest.raises(ValueError, match=message):
        models.fit(MIXED | {"formula": formula}, visits, "score")


def test_formula_that_leaves_no_row_is_refused(visits):
    with pytest.raises(ValueError, match="leaves no row: every row has a missing value"):
        models.fit(MIXED, visits.assign(score=np.nan), "score")


@pytest.mark.parametrize("family", ["mixed", "linear"])
def test_level_without_rows_is_refused(visits, family):
    unseen = visits.assign(score=visits["score"].where(visits["visit"] != 3))
    with pytest.raises(ValueError, match="rank 4 for 6 coefficients: a level has no rows"):
        models.fit(MIXED | {"family": family}, unseen, "score")
