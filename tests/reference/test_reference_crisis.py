"""R makes of the crisis trial's records what asprinted, and statsmodels and scipy as the chapter calls them, make of them.

crisis-readmission-trial.csv is written by crisis-readmission-trial.R; `make reference` runs it again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from asprinted import models, printed, records
from asprinted.chapter import null_value
from asprinted.consistency.tables import TESTS, two_by_two
from asprinted.reanalysis import Reanalysis
from asprinted.study import load
from asprinted.verdict import judge

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "crisis-readmission-trial"
STUDY = load(FOLDER)
REFERENCE = pd.read_csv(Path(__file__).with_name("crisis-readmission-trial.csv"), keep_default_na=False)
ARMS = ["peer support", "control"]
EFFECT = "armpeer support"  # what R calls the coefficient of the arm
PARTS = ["est", "se", "lo", "hi", "p"]
BY_TABLE = {"readmission_randomised_controls"}  # a model of printed counts that the records do not have
FITTED = sorted({(row.model, row.outcome) for row in REFERENCE.itertuples() if row.model in STUDY.models})


def in_r(outcome: str, model: str, term: str) -> dict[str, float]:
    """What R found: part → value, nan where it found none."""
    rows = REFERENCE[(REFERENCE["outcome"] == outcome) & (REFERENCE["model"] == model) & (REFERENCE["term"] == term)]
    assert len(rows) and rows["part"].is_unique, f"crisis-readmission-trial.csv has no rows, or rows twice, for {outcome} {model} {term}"
    return dict(zip(rows["part"], rows["value"].replace("", "nan").astype(float), strict=True))


def terms(outcome: str, model: str) -> list[str]:
    """The coefficients that R kept of a model."""
    rows = REFERENCE[(REFERENCE["outcome"] == outcome) & (REFERENCE["model"] == model)]
    return [term for term in rows["term"].unique() if term]


def name_in_r(column: str) -> str:
    """R's name of a coefficient, from patsy's."""
    if column.endswith("_0"):
        return "baseline"
    return re.sub(r"^C\((\w+).*\)\[T\.(.+)\]$", r"\1\2", column).replace("Intercept", "(Intercept)")


@pytest.fixture(scope="module")
def analysis():
    return Reanalysis(STUDY, records.read(STUDY))


class Records:
    """The records as the chapter reads them and cuts them to what it needs."""

    def __init__(self) -> None:
        self.people = pd.read_csv(FOLDER / "participants.csv")
        self.visits = pd.read_csv(FOLDER / "visits.csv")
        long = self.visits.merge(self.people, on="id", validate="many_to_one")
        symptoms = self.visits.loc[self.visits["month"] == 0, ["id", "symptoms"]]
        self.seen = self.people.dropna(subset=["readmitted"]).merge(symptoms, on="id", validate="one_to_one")
        self.followed = self.people.dropna(subset=["days"])
        self.year = self.until(365)
        self.four = long[(long["month"] == 4) & long["satisfaction"].notna()]
        wide = self.visits.pivot(index="id", columns="month")
        wide.columns = [f"{score}_{month}" for score, month in wide.columns]
        self.wide = self.people.set_index("id").join(wide)

    def until(self, day: int) -> pd.DataFrame:
        followed = self.followed
        return followed.assign(readmission=followed["readmission"].where(followed["days"] <= day, 0), days=followed["days"].clip(upper=day))

    def filled(self, unknown) -> pd.DataFrame:
        return self.people.assign(readmitted=self.people["readmitted"].fillna(unknown))

    def workers(self, frame: pd.DataFrame) -> np.ndarray:
        """Codes of the peer support workers; a person without one is a group of their own."""
        return pd.factorize(frame["peer_worker"].fillna(frame["id"]))[0]

    def counts(self, frame: pd.DataFrame | None = None) -> np.ndarray:
        """The two-by-two table of arm and readmission."""
        frame = self.seen if frame is None else frame
        return pd.crosstab(frame["arm"], frame["readmitted"]).loc[ARMS, [1.0, 0.0]].to_numpy()


@pytest.fixture(scope="module")
def trial() -> Records:
    return Records()


def test_reference_was_made_from_these_records_of_the_trial():
    made_from = REFERENCE[REFERENCE["model"] == "made from"].set_index("term")["value"]
    assert set(made_from.index) == {"participants.csv", "visits.csv"}
    for file, sha256 in made_from.items():
        found = hashlib.sha256((FOLDER / file).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        assert found == sha256, f"{FOLDER.name}/{file} is not the file that R read: run `make reference`, then look at what changed"


def test_reference_of_the_trial_names_the_versions_that_made_it():
    made_by = REFERENCE[REFERENCE["model"] == "made by"].set_index("term")["value"]
    assert set(made_by.index) == {"R", "survival"} and made_by.str.fullmatch(r"\d+(\.\d+)+").all()


# The library


def test_reference_has_every_model_of_the_study_file():
    assert {model for model, _ in FITTED} == set(STUDY.models) - BY_TABLE
    by = [claim.by for claim in STUDY.claims.values() if claim.by and "model" in claim.by]
    assert {(each["model"], outcome) for each in by for outcome in np.atleast_1d(each["outcome"])} <= set(FITTED)


@pytest.mark.parametrize(("model", "outcome"), FITTED)
def test_reanalysis_agrees_with_r(analysis, model, outcome):
    fit = analysis.fit(model, outcome)
    ours, theirs = fit.contrast(STUDY.models[model]["contrasts"]["peer_support"]), in_r(outcome, model, EFFECT)
    plain = np.log if fit.ratio else float
    assert (plain(ours.est), ours.se, plain(ours.lo), plain(ours.hi), ours.p) == pytest.approx(tuple(theirs[part] for part in PARTS), rel=1e-9)
    whole = in_r(outcome, model, "")
    assert fit.n == whole["n"]
    if STUDY.models[model]["family"] == "linear":
        assert fit.df == whole["df"]
    if "events" in whole:
        assert fit.design.y.sum() == whole["events"]


@pytest.mark.parametrize(("model", "outcome"), [pair for pair in FITTED if STUDY.models[pair[0]]["family"] in ("logistic", "linear")])
def test_every_coefficient_of_reanalysis_agrees_with_r(analysis, model, outcome):
    fit = analysis.fit(model, outcome)
    theirs = [in_r(outcome, model, name_in_r(column)) for column in fit.design.info.column_names]
    assert len(theirs) == len(terms(outcome, model))
    np.testing.assert_allclose(fit.beta, [each["est"] for each in theirs], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), [each["se"] for each in theirs], rtol=1e-9)


@pytest.mark.parametrize(("change", "outcome", "name"), [
    ({"covariance": "robust", "groups": "peer_worker"}, "readmitted", "readmission robust"),
    ({"covariance": "robust", "groups": "peer_worker", "until": 365}, "readmission", "time_to_readmission_in_the_year_robust efron"),
    ({"until": 90}, "readmission", "time_to_readmission to day 90"),
])  # fmt: skip
def test_other_ways_to_fit_agree_with_r(analysis, change, outcome, name):
    model = name.split()[0].split("_in_")[0]
    fit = models.fit(STUDY.models[model] | change, analysis.tables["participants"], outcome)
    ours, theirs = fit.contrast(STUDY.models[model]["contrasts"]["peer_support"]), in_r(outcome, name, EFFECT)
    assert (np.log(ours.est), ours.se, np.log(ours.lo), np.log(ours.hi), ours.p) == pytest.approx(tuple(theirs[part] for part in PARTS), rel=1e-9)
    whole = in_r(outcome, name, "")
    assert fit.n == whole["n"]
    if outcome == "readmission":
        assert fit.design.y.sum() == whole["events"]


@pytest.mark.parametrize("arm", ARMS)
def test_survival_of_the_arms_agrees_with_r(trial, arm):
    part = trial.followed[trial.followed["arm"] == arm]
    theirs = in_r("readmission", "curve", arm)
    times, survival = models.survival_curve(part["days"], part["readmission"])
    assert survival[times <= 365][-1] == pytest.approx(theirs["survival"], rel=1e-12)
    assert models.survival_median(part["days"], part["readmission"]) == pytest.approx(theirs["median"], nan_ok=True)


@pytest.mark.parametrize("test", TESTS)
def test_counts_print_the_p_value_of_r_and_no_other(trial, test):
    [yes, no] = trial.counts().T
    p = in_r("readmitted", "test", test.replace("-", " "))["p"]

    def verdict(p: float) -> str:
        return two_by_two(tuple(map(str, yes)), tuple(map(str, yes + no)), p=f"{p:.7f}", test=test).verdict

    assert [verdict(p), verdict(p + 2e-7)] == ["possible", "contradictory"]


# statsmodels and scipy, as the chapter calls them

ARM = 'C(arm, Treatment("control"))'
ADJUSTED = f"readmitted ~ {ARM} + C(team)"


def _logit(formula: str, frame: pd.DataFrame, **how):
    return smf.logit(formula, frame).fit(disp=False, **how)


def _cox(frame: pd.DataFrame, ties: str = "efron", groups: np.ndarray | None = None, **how):
    return smf.phreg(f"days ~ {ARM}", frame, status=frame["readmission"], ties=ties, **how).fit(groups=groups)


def _after_90(trial: Records):
    later = trial.followed[trial.followed["days"] > 90]
    return _cox(later, entry=np.full(len(later), 90))


def _poisson(trial: Records, **how):
    return smf.poisson(f"serious_adverse_events ~ {ARM}", trial.people).fit(disp=False, **how)


def _change(score: str, month: int):
    return lambda trial: smf.ols(f"{score}_{month} ~ {ARM} + {score}_0", trial.wide).fit()


def _without_correction(trial: Records) -> dict:
    return {"cov_type": "cluster", "cov_kwds": {"groups": trial.workers(trial.seen), "use_correction": False}}


OTHERS = ["symptoms", "loneliness", "recovery", "self_management", "network"]
IN_STATSMODELS = {
    ("readmitted", "readmission"): lambda trial: _logit(ADJUSTED, trial.seen),
    ("readmitted", "readmission_crude"): lambda trial: _logit(f"readmitted ~ {ARM}", trial.seen),
    ("readmitted", "readmission robust"): lambda trial: _logit(ADJUSTED, trial.seen, **_without_correction(trial)),
    ("readmitted", "readmission with symptoms"): lambda trial: _logit(f"{ADJUSTED} + symptoms", trial.seen),
    ("readmitted", "readmission unknown none"): lambda trial: _logit(ADJUSTED, trial.filled(0)),
    ("readmitted", "readmission unknown worst"): lambda trial: _logit(ADJUSTED, trial.filled((trial.people["arm"] == "peer support").astype(float))),
    ("readmitted", "readmission unknown best"): lambda trial: _logit(ADJUSTED, trial.filled((trial.people["arm"] == "control").astype(float))),
    ("readmission", "time_to_readmission"): lambda trial: _cox(trial.followed),
    ("readmission", "time_to_readmission_in_the_year"): lambda trial: _cox(trial.year),
    ("readmission", "time_to_readmission_in_the_year_robust"): lambda trial: _cox(trial.year, "breslow", trial.workers(trial.year)),
    ("readmission", "time_to_readmission by team"): lambda trial: _cox(trial.followed, strata=trial.followed["team"]),
    ("readmission", "time_to_readmission to day 90"): lambda trial: _cox(trial.until(90)),
    ("readmission", "time_to_readmission from day 90"): _after_90,
    ("satisfaction", "satisfaction_difference"): lambda trial: smf.ols(f"satisfaction ~ {ARM}", trial.four).fit(),
    ("serious_adverse_events", "adverse_difference"): lambda trial: smf.ols(f"serious_adverse_events ~ {ARM}", trial.people).fit(),
    ("serious_adverse_events", "poisson"): _poisson,
    ("serious_adverse_events", "poisson robust"): lambda trial: _poisson(trial, cov_type="HC1"),
    **{(score, f"difference_at_{month}"): _change(score, month) for score in OTHERS for month in (4, 18)},
}


@pytest.mark.parametrize(("outcome", "model"), IN_STATSMODELS)
def test_statsmodels_agrees_with_r(trial, outcome, model):
    fit = IN_STATSMODELS[outcome, model](trial)
    names = [name_in_r(column) for column in fit.model.exog_names]
    assert set(names) == set(terms(outcome, model))
    theirs = [in_r(outcome, model, name) for name in names]
    np.testing.assert_allclose(fit.params, [each["est"] for each in theirs], rtol=1e-6)
    np.testing.assert_allclose(fit.bse, [each["se"] for each in theirs], rtol=1e-6)
    place = names.index(EFFECT)
    ours = [*np.asarray(fit.conf_int())[place], np.asarray(fit.pvalues)[place]]
    np.testing.assert_allclose(ours, [theirs[place][part] for part in PARTS[2:]], rtol=1e-6)
    whole = in_r(outcome, model, "")
    assert len(fit.model.endog) == whole["n"]
    if "events" in whole:
        assert fit.model.status.sum() == whole["events"]


def test_logit_by_cluster_is_the_plain_sandwich_without_its_correction_alone(trial):
    """By default statsmodels multiplies the covariance by G/(G − 1) · (n − 1)/(n − p)."""
    how = _without_correction(trial)
    plain = _logit(ADJUSTED, trial.seen, **how)
    del how["cov_kwds"]["use_correction"]
    by_default = _logit(ADJUSTED, trial.seen, **how)
    groups, n, p = in_r("readmitted", "readmission robust", "")["groups"], len(trial.seen), len(plain.params)
    assert len(set(how["cov_kwds"]["groups"])) == groups
    theirs = [in_r("readmitted", "readmission robust", name_in_r(column))["se"] for column in plain.params.index]
    np.testing.assert_allclose(plain.bse, theirs, rtol=1e-6)
    np.testing.assert_allclose(by_default.bse, np.sqrt(groups / (groups - 1) * (n - 1) / (n - p)) * np.array(theirs), rtol=1e-6)


def test_phreg_by_worker_has_rs_error_with_breslows_rule_and_not_with_efrons(trial):
    """statsmodels takes Breslow's score residuals under Efron's rule too: where this test fails, it may have been mended."""
    groups, name = trial.workers(trial.year), "time_to_readmission_in_the_year_robust"
    breslow, efron = (_cox(trial.year, ties, groups) for ties in ("breslow", "efron"))
    in_efron = in_r("readmission", f"{name} efron", EFFECT)
    assert breslow.bse[0] == pytest.approx(in_r("readmission", name, EFFECT)["se"], rel=1e-6)
    assert efron.params[0] == pytest.approx(in_efron["est"], rel=1e-6)
    assert 1e-5 < abs(efron.bse[0] / in_efron["se"] - 1) < 0.05


def test_hc1_of_a_poisson_model_is_the_plain_sandwich_too(trial):
    """statsmodels corrects HC1 for the number of coefficients in least squares alone."""
    hc0, hc1 = (_poisson(trial, cov_type=cov_type).bse for cov_type in ("HC0", "HC1"))
    theirs = [in_r("serious_adverse_events", "poisson robust", name_in_r(column))["se"] for column in hc0.index]
    np.testing.assert_allclose([hc0, hc1], [theirs, theirs], rtol=1e-6)


def test_trend_of_schoenfeld_residuals_agrees_with_r_under_breslows_rule_alone(trial):
    """statsmodels takes Breslow's residuals under Efron's rule too: where this test fails, it may have been mended."""
    trend = {}
    for ties in ("breslow", "efron"):
        residuals = pd.Series(_cox(trial.followed, ties).schoenfeld_residuals[:, 0], trial.followed["days"].to_numpy()).dropna()
        found = pg.corr(residuals.index.to_series().rank(), residuals.to_numpy()).iloc[0]
        trend[ties] = (found["n"], found["r"], found["p_val"])
    theirs = {ties: tuple(in_r("readmission", "schoenfeld", ties).values()) for ties in trend}
    assert trend["breslow"] == pytest.approx(theirs["breslow"], rel=1e-6)
    assert trend["efron"] == pytest.approx(theirs["efron"], abs=0.01)
    assert abs(trend["efron"][1] / theirs["efron"][1] - 1) > 1e-5


TABLES = {
    "table": lambda people: people,
    "table unknown none": lambda people: people.fillna({"readmitted": 0}),
    "table unknown worst": lambda people: people.assign(readmitted=people["readmitted"].fillna((people["arm"] == "peer support").astype(float))),
    "table unknown best": lambda people: people.assign(readmitted=people["readmitted"].fillna((people["arm"] == "control").astype(float))),
    "table as reported": lambda people: people.assign(readmitted=people["readmitted"].where(people["arm"] == "peer support", people["readmitted"].fillna(0))),
}


@pytest.mark.parametrize("name", TABLES)
def test_table_agrees_with_r(trial, name):
    counts = trial.counts(TABLES[name](trial.people))
    table = Table2x2(counts)
    for term, est, se, interval, p in [
        ("odds ratio", table.log_oddsratio, table.log_oddsratio_se, table.log_oddsratio_confint(), table.oddsratio_pvalue()),
        ("risk ratio", table.log_riskratio, table.log_riskratio_se, table.log_riskratio_confint(), table.riskratio_pvalue()),
    ]:
        np.testing.assert_allclose([est, se, *interval, p], [in_r("readmitted", name, term)[part] for part in PARTS], rtol=1e-9)
    yes, total = counts[:, 0], counts.sum(axis=1)
    ours = [yes[0] / total[0] - yes[1] / total[1], *confint_proportions_2indep(yes[0], total[0], yes[1], total[1], method="wald")]
    np.testing.assert_allclose(ours, list(in_r("readmitted", name, "risk difference").values()), rtol=1e-8)


def test_table_of_the_people_analysed_gives_what_its_model_gives(trial):
    for name in ("readmission_crude", "table"):
        theirs = in_r("readmitted", name, EFFECT if name == "readmission_crude" else "odds ratio")
        assert Table2x2(trial.counts()).log_oddsratio == pytest.approx(theirs["est"], rel=1e-9)


def _likelihood_ratio(counts: np.ndarray) -> float:
    return stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood").pvalue


TESTS_OF_COUNTS = {
    "wald": lambda counts: Table2x2(counts).oddsratio_pvalue(),
    "pearson": lambda counts: stats.chi2_contingency(counts, correction=False).pvalue,
    "yates": lambda counts: stats.chi2_contingency(counts).pvalue,
    "likelihood ratio": _likelihood_ratio,
    "fisher": lambda counts: stats.fisher_exact(counts).pvalue,
}


@pytest.mark.parametrize("name", TESTS_OF_COUNTS)
def test_test_of_counts_agrees_with_r(trial, name):
    test, counts, theirs = TESTS_OF_COUNTS[name], trial.counts(), in_r("readmitted", "test", name)
    assert test(counts) == pytest.approx(theirs["p"], rel=1e-9)
    step = np.array([[1, -1], [0, 0]])
    below = [test(counts + more * step) < 0.05 for more in range(int(theirs["fragility"]) + 1)]
    assert below == [True] * int(theirs["fragility"]) + [False]


def test_likelihood_ratio_of_the_models_agrees_with_r(trial):
    crude = IN_STATSMODELS["readmitted", "readmission_crude"](trial)
    assert crude.llr_pvalue == pytest.approx(in_r("readmitted", "test", "likelihood ratio of models")["p"], rel=1e-8)
    assert crude.llf == pytest.approx(in_r("readmitted", "readmission_crude", "")["loglik"], rel=1e-12)


def test_standardised_risks_agree_with_r(trial):
    fit = IN_STATSMODELS["readmitted", "readmission"](trial)
    ours = {arm: fit.predict(trial.seen.assign(arm=arm)).mean() for arm in ARMS}
    ours["difference"] = ours["peer support"] - ours["control"]
    assert ours == pytest.approx(in_r("readmitted", "standardised", ""), rel=1e-7)


def test_logrank_test_agrees_with_r(trial):
    ours = survdiff(trial.followed["days"], trial.followed["readmission"], trial.followed["arm"])
    assert ours == pytest.approx(tuple(in_r("readmission", "logrank", "").values()), rel=1e-9)


@pytest.mark.parametrize("arm", ARMS)
def test_curve_of_statsmodels_agrees_with_r(trial, arm):
    part = trial.followed[trial.followed["arm"] == arm]
    curve, theirs = SurvfuncRight(part["days"], part["readmission"]), in_r("readmission", "curve", arm)
    at_year = np.flatnonzero(curve.surv_times <= 365)[-1]
    assert (curve.surv_prob[at_year], curve.surv_prob_se[at_year]) == pytest.approx((theirs["survival"], theirs["se"]), rel=1e-9)
    assert curve.quantile(0.5) == pytest.approx(theirs["median"], nan_ok=True)
    assert part["days"].clip(upper=365).mean() == pytest.approx(theirs["restricted"], rel=1e-12)  # nobody was lost within the year
    at_risk = in_r("readmission", "at risk", arm)
    assert {day: (part["days"] >= max(int(day), 1)).sum() for day in at_risk} == at_risk


def test_restricted_mean_difference_agrees_with_r(trial):
    a, b = (trial.year.loc[trial.year["arm"] == arm, "days"] for arm in ARMS)
    ours = [a.mean() - b.mean(), *stats.ttest_ind(a, b, equal_var=False).confidence_interval()]
    np.testing.assert_allclose(ours, list(in_r("readmission", "restricted", "").values()), rtol=1e-9)


@pytest.mark.parametrize("day", [91, 182, 274, 365])
def test_risk_difference_by_day_agrees_with_r(trial, day):
    by_then = trial.until(day).groupby("arm")["readmission"].agg(["sum", "size"]).loc[ARMS].to_numpy().ravel()
    ours = [by_then[0] / by_then[1] - by_then[2] / by_then[3], *confint_proportions_2indep(*by_then, method="wald")]
    np.testing.assert_allclose(ours, list(in_r("readmission", "risk difference by day", str(day)).values()), rtol=1e-8)


def test_effect_size_of_satisfaction_agrees_with_r(trial):
    scores = (trial.four.loc[trial.four["arm"] == arm, "satisfaction"] for arm in ARMS)
    assert pg.compute_effsize(*scores, eftype="hedges") == pytest.approx(in_r("satisfaction", "hedges", "")["g"], rel=1e-9)


def test_holms_p_values_agree_with_r(trial):
    pairs = [(score, month) for score in OTHERS for month in (4, 18)]
    found = [in_r(score, f"difference_at_{month}", EFFECT)["p"] for score, month in pairs]
    theirs = [in_r(score, "holm", str(month))["p"] for score, month in pairs]
    np.testing.assert_allclose(multipletests(found, method="holm")[1], theirs, rtol=1e-12)


def test_people_with_any_adverse_event_agree_with_r(trial):
    counts = pd.crosstab(trial.people["arm"], trial.people["serious_adverse_events"] > 0).loc[ARMS].to_numpy()
    assert counts.shape == (2, 2)
    assert stats.fisher_exact(counts).pvalue == pytest.approx(in_r("serious_adverse_events", "any event", "fisher")["p"], rel=1e-9)


# The claims, from R's numbers

RECOMPUTED = [claim.id for claim in STUDY.claims.values() if claim.by and claim.kind != "context"]
IN_R = REFERENCE[REFERENCE["model"] == "claim"].set_index("term")["value"]


def test_r_computes_every_claim_and_no_other():
    assert sorted(IN_R.index) == sorted(RECOMPUTED)


@pytest.mark.parametrize("id", RECOMPUTED)
def test_claim_comes_back_from_rs_numbers(analysis, id):
    claim, found = STUDY.claim(id), IN_R[id]
    value = found if claim.by["statistic"] == "values" else float(found)
    theirs, ours = (judge(claim, each, null_value(STUDY, id)) for each in (value, analysis.value(claim.by)))
    assert theirs.as_expected, f"{id}: printed {theirs.printed}, R found {theirs.computed}"
    assert theirs.computed == ours.computed
    if claim.kind in ("number", "inequality") and claim.expect == "reproduced":
        assert printed.canonical(theirs.computed) == printed.canonical(claim.printed)
