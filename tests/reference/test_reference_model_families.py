"""The families of models and tests against R: lm, glm, MASS, survival and the tests of stats.

model-families.csv is written by model-families.R (`make reference`), with the trial that it read, model-families-data.csv.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asprinted import models

FOLDER = Path(__file__).parent
REFERENCE = pd.read_csv(FOLDER / "model-families.csv", keep_default_na=False)
TRIAL = pd.read_csv(FOLDER / "model-families-data.csv")
RIGHT = {"arm": '{outcome} ~ C(arm, Treatment("usual"))', "adjusted": '{outcome} ~ C(arm, Treatment("usual")) + C(site) + age'}
TERMS = {"arm": ["armpeers"], "adjusted": ["armpeers", "sitenorth", "sitewest", "age"]}  # R's names, in patsy's order, without the intercept
ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "usual"}}]
CLUSTERED = {"covariance": "robust", "groups": "practice"}
OF_COUNTS = {"exposure": "years"}


def in_r(model: str, term: str = "") -> dict[str, float]:
    """What R found: part → value."""
    rows = REFERENCE[(REFERENCE["model"] == model) & (REFERENCE["term"] == term)]
    assert len(rows), f"model-families.csv has no rows for {model} {term}"
    return dict(zip(rows["part"], rows["value"].astype(float), strict=True))


def fitted(outcome: str, formula: str = "arm", **model):
    return models.fit({"formula": RIGHT.get(formula, formula)} | model, TRIAL, outcome)


def test_reference_was_made_from_these_data():
    [made_from] = REFERENCE["value"][REFERENCE["model"] == "made from"]
    content = (FOLDER / "model-families-data.csv").read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == made_from, "model-families-data.csv is not the file that R read: run `make reference`"
    assert set(REFERENCE["term"][REFERENCE["model"] == "made by"]) == {"R", "survival", "MASS"}


def test_data_have_what_makes_the_models_differ():
    assert TRIAL["score"].isna().any() and TRIAL["visits"].isna().any()
    assert TRIAL["visits"].var() > 2 * TRIAL["visits"].mean()  # more than Poisson's
    assert TRIAL["days"].duplicated().sum() > 50 and set(TRIAL["better"]) == {0, 1, 2, 3}


FITS = {  # name in R → outcome, model, digits of estimates and of standard errors
    "linear {} by practice": ("score", {"family": "linear"} | CLUSTERED, 1e-9, 1e-9),
    "linear {} by row": ("score", {"family": "linear", "covariance": "robust"}, 1e-9, 1e-9),
    "poisson {}": ("visits", {"family": "poisson"} | OF_COUNTS, 1e-9, 1e-9),
    "poisson {} by practice": ("visits", {"family": "poisson"} | OF_COUNTS | CLUSTERED, 1e-9, 1e-9),
    "negative-binomial {}": ("visits", {"family": "negative-binomial"} | OF_COUNTS, 1e-6, 5e-2),  # R's errors take alpha as known, ours as estimated
    "ordinal {}": ("better", {"family": "ordinal"}, 1e-6, 2e-4),  # R's information is a numerical derivative
}


@pytest.mark.parametrize("formula", RIGHT)
@pytest.mark.parametrize("name", FITS)
def test_model_agrees_with_r(name, formula):
    outcome, model, of_estimates, of_errors = FITS[name]
    fit = fitted(outcome, formula, **model)
    theirs = [in_r(name.format(formula), term) for term in TERMS[formula]]
    last = -len(TERMS[formula])
    np.testing.assert_allclose(fit.beta[last:], [each["est"] for each in theirs], rtol=of_estimates)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov))[last:], [each["se"] for each in theirs], rtol=of_errors)
    arms = fit.contrast(ARMS)
    assert (np.log(arms.est) if arms.ratio else arms.est) == pytest.approx(theirs[0]["est"], rel=of_estimates)


@pytest.mark.parametrize("formula", RIGHT)
def test_negative_binomial_models_agree_in_the_variance_and_differ_in_the_error(formula):
    fit = fitted("visits", formula, family="negative-binomial", **OF_COUNTS)
    assert fit.variances["alpha"] == pytest.approx(in_r(f"negative-binomial {formula}")["alpha"], rel=1e-6)
    assert fit.contrast(ARMS).se != pytest.approx(in_r(f"negative-binomial {formula}", "armpeers")["se"], rel=1e-5)


@pytest.mark.parametrize("formula", RIGHT)
def test_p_value_by_practice_has_one_degree_of_freedom_less_than_practices(formula):
    assert fitted("score", formula, family="linear", **CLUSTERED).contrast(ARMS).p == pytest.approx(in_r(f"linear {formula} by practice", "armpeers p")["p"], rel=1e-9)


def test_welch_agrees_with_t_test():
    fit, theirs = fitted("score", family="linear", test="welch"), in_r("welch")
    arms = fit.contrast(ARMS)
    assert (arms.t, fit.df, arms.p, arms.lo, arms.hi) == pytest.approx(tuple(theirs[part] for part in ("statistic", "df", "p", "lo", "hi")), rel=1e-10)


def test_joint_test_agrees_with_anova():
    sites = [[{"weight": 1, "at": {"site": site}}, {"weight": -1, "at": {"site": "east"}}] for site in ("north", "west")]
    joint = fitted("score", "adjusted", family="linear").joint(sites)
    assert (joint.f, joint.joint_p) == pytest.approx(tuple(in_r("joint test of site").values()), rel=1e-9)


def test_risk_difference_agrees_with_prop_test():
    arms = models.fit({"family": "risk-difference", "contrasts": {"arm": ARMS}}, TRIAL, "yes").contrast(ARMS)
    assert (arms.est, arms.lo, arms.hi) == pytest.approx(tuple(in_r("risk-difference").values()), rel=1e-9)


TESTS = {  # name and term in R → outcome, model
    ("log-rank", "arm"): ("event", {"family": "log-rank", "time": "days"}),
    ("log-rank", "site"): ("event", {"family": "log-rank", "time": "days", "formula": "{outcome} ~ C(site)"}),
    ("rank-sum", "arm"): ("visits", {"family": "rank-sum"}),
    ("kruskal-wallis", "arm"): ("visits", {"family": "rank-sum", "test": "kruskal-wallis"}),
    ("kruskal-wallis", "site"): ("visits", {"family": "rank-sum", "formula": "{outcome} ~ C(site)"}),
    ("pearson", "arm"): ("yes", {"family": "chi-squared"}),
    ("pearson", "site"): ("better", {"family": "chi-squared", "formula": "{outcome} ~ C(site)"}),
    ("yates", "arm"): ("yes", {"family": "chi-squared", "test": "yates"}),
    ("fisher", "arm"): ("yes", {"family": "chi-squared", "test": "fisher"}),
    ("pearson", ""): ("score", {"family": "correlation", "formula": "{outcome} ~ age"}),
    ("spearman", ""): ("score", {"family": "correlation", "formula": "{outcome} ~ age", "test": "spearman"}),
}


@pytest.mark.parametrize("name", TESTS, ids=str)
def test_test_agrees_with_r(name):
    outcome, model = TESTS[name]
    found = fitted(outcome, **model)
    for part, value in in_r(*name).items():
        assert getattr(found, part) == pytest.approx(value, rel=1e-9), part


@pytest.mark.parametrize("at", [5, 20, 50])
@pytest.mark.parametrize("arm", ["peers", "usual"])
def test_survival_at_a_time_agrees_with_survfit(arm, at):
    group = TRIAL[TRIAL["arm"] == arm]
    assert models.survival_at(group["days"], group["event"], at) == pytest.approx(in_r("survival", f"{arm} {at}")["survival"], rel=1e-12)
