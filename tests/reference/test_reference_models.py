"""The models of events and durations against R's glm and survival package; statsmodels against them too.

models.csv is written by models.R (`make reference`), with the data sets that it read, models-data.csv.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.duration.survfunc import SurvfuncRight

from asprinted import models

FOLDER = Path(__file__).parent
REFERENCE = pd.read_csv(FOLDER / "models.csv", keep_default_na=False)
DATA = pd.read_csv(FOLDER / "models-data.csv")
TRIAL = DATA[DATA["set"] == "trial"].reset_index(drop=True)
RIGHT = {"arm": '{outcome} ~ C(arm, Treatment("usual"))', "adjusted": '{outcome} ~ C(arm, Treatment("usual")) + C(site) + age'}
TERMS = {"arm": ["armpeers"], "adjusted": ["armpeers", "sitenorth", "sitewest", "age"]}  # R's names, in patsy's order
ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "usual"}}]
VARIANTS = {"": {}, " robust": {"covariance": "robust", "groups": "worker"}, " cut": {"until": 40}}


def in_r(label: str, model: str, term: str) -> dict[str, float]:
    """What R found: part → value."""
    rows = REFERENCE[(REFERENCE["set"] == label) & (REFERENCE["model"] == model) & (REFERENCE["term"] == term)]
    assert len(rows), f"models.csv has no rows for {label} {model} {term}"
    return dict(zip(rows["part"], rows["value"].astype(float), strict=True))


def survival_sets() -> dict[str, pd.DataFrame]:
    """Each set of durations by the name that R gave it, rows without a time left out."""
    label = DATA["set"].where(DATA["set"] != "trial", "trial " + DATA["arm"].fillna(""))
    return dict(list(DATA.dropna(subset=["time"]).groupby(label)))


SETS = survival_sets()


def test_reference_was_made_from_these_data():
    [made_from] = REFERENCE["value"][REFERENCE["model"] == "made from"]
    content = (FOLDER / "models-data.csv").read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == made_from, "models-data.csv is not the file that R read: run `make reference`"


def test_reference_names_the_versions_that_made_it():
    made_by = REFERENCE[REFERENCE["model"] == "made by"].set_index("term")["value"]
    assert set(made_by.index) == {"R", "survival"} and made_by.str.fullmatch(r"\d+(\.\d+)+").all()


def test_data_have_what_makes_the_models_differ():
    seen = TRIAL.dropna(subset=["time"])
    deaths = seen[seen["event"] == 1]
    assert deaths["time"].duplicated().sum() >= 20  # ties
    assert np.intersect1d(deaths["time"], seen["time"][seen["event"] == 0]).size >= 5  # deaths and losses at one time
    assert len(seen) < len(TRIAL) and TRIAL["yes"].isna().any() and TRIAL["worker"].isna().sum() == 80
    for contrast in ("cox arm {} robust", "cox arm {}"):
        assert in_r("trial", contrast.format("efron"), "armpeers") != in_r("trial", contrast.format("breslow"), "armpeers")


@pytest.mark.parametrize("variant", ["", " robust"])
@pytest.mark.parametrize("formula", RIGHT)
def test_logistic_model_agrees_with_r(formula, variant):
    fit = models.fit({"family": "logistic", "formula": RIGHT[formula]} | VARIANTS[variant], TRIAL, "yes")
    theirs = [in_r("trial", f"logistic {formula}{variant}", term) for term in TERMS[formula]]
    columns = [1] if formula == "arm" else [1, 2, 3, 4]
    if formula == "adjusted":  # patsy: the factors first, then the number
        assert fit.design.info.column_names[-1] == "age"
    np.testing.assert_allclose(fit.beta[columns], [each["est"] for each in theirs], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov))[columns], [each["se"] for each in theirs], rtol=1e-9)
    arms = fit.contrast(ARMS)
    assert (np.log(arms.est), arms.se, arms.p) == pytest.approx(tuple(theirs[0].values()), rel=1e-9)
    assert fit.n == in_r("trial", f"logistic {formula}", "")["n"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("formula", RIGHT)
def test_cox_model_agrees_with_r(formula, ties, variant):
    model = {"family": "cox", "formula": RIGHT[formula], "time": "time", "ties": ties} | VARIANTS[variant]
    fit = models.fit(model, TRIAL, "event")
    theirs = [in_r("trial", f"cox {formula} {ties}{variant}", term) for term in TERMS[formula]]
    np.testing.assert_allclose(fit.beta, [each["est"] for each in theirs], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), [each["se"] for each in theirs], rtol=1e-9)
    arms = fit.contrast(ARMS)
    assert (np.log(arms.est), arms.se, arms.p) == pytest.approx(tuple(theirs[0].values()), rel=1e-9)
    counts = in_r("trial", f"cox {formula} {ties}{variant.replace(' robust', '')}", "")
    assert (fit.n, fit.design.y.sum()) == (counts["n"], counts["events"])


@pytest.mark.parametrize("label", SETS)
def test_survival_and_its_median_agree_with_r(label):
    times, survival = models.survival_curve(SETS[label]["time"], SETS[label]["event"])
    rows = REFERENCE[(REFERENCE["set"] == label) & (REFERENCE["model"] == "curve")]
    np.testing.assert_allclose(times, rows["term"].astype(float), rtol=1e-14)
    np.testing.assert_allclose(survival, rows["value"].astype(float), rtol=1e-13, atol=1e-15)
    median = models.survival_median(SETS[label]["time"], SETS[label]["event"])
    assert median == pytest.approx(in_r(label, "median", "")["median"], rel=1e-14, nan_ok=True)


# What a student finds in statsmodels


def by_phreg(formula: str, ties: str, cluster: bool):
    used = TRIAL.dropna(subset=["time"])
    model = smf.phreg(RIGHT[formula].format(outcome="time"), used, status=used["event"].to_numpy(), ties=ties)
    alone = pd.Series([f"alone {id}" for id in used["id"]], index=used.index)
    return model.fit(groups=used["worker"].fillna(alone).to_numpy()) if cluster else model.fit()


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("formula", RIGHT)
def test_phreg_agrees_with_r(formula, ties):
    theirs = [in_r("trial", f"cox {formula} {ties}", term) for term in TERMS[formula]]
    ours = by_phreg(formula, ties, cluster=False)
    np.testing.assert_allclose(ours.params, [each["est"] for each in theirs], rtol=1e-6)
    np.testing.assert_allclose(ours.bse, [each["se"] for each in theirs], rtol=1e-6)


@pytest.mark.parametrize("formula", RIGHT)
def test_phreg_by_cluster_agrees_with_r_under_breslows_rule_alone(formula):
    """With Efron's rule statsmodels takes the score residuals of Breslow's: its robust errors differ where times tie."""
    found, wanted = {}, {}
    for ties in ("breslow", "efron"):
        wanted[ties] = [in_r("trial", f"cox {formula} {ties} robust", term)["se"] for term in TERMS[formula]]
        found[ties] = by_phreg(formula, ties, cluster=True).bse
    np.testing.assert_allclose(found["breslow"], wanted["breslow"], rtol=1e-6)
    np.testing.assert_allclose(found["efron"], wanted["efron"], rtol=0.05)
    assert np.abs(found["efron"] / wanted["efron"] - 1).max() > 1e-3


def test_median_of_statsmodels_is_r_s_but_where_survival_rests_at_one_half():
    differ = set()
    for label, rows in SETS.items():
        median = SurvfuncRight(rows["time"], rows["event"]).quantile(0.5) if rows["event"].any() else np.nan
        if median != pytest.approx(in_r(label, "median", "")["median"], rel=1e-14, nan_ok=True):
            differ.add(label)
    assert differ == {"half then an event", "half to the end", "half after censoring", "times alike"}
