"""R, with lme4 and lmerTest, makes of the records what Python makes of them.

tests/reference/harp-trial.csv is written by harp-trial.R; `make reference` runs it again.
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from asprinted import models, printed, records
from asprinted.reanalysis import Reanalysis
from asprinted.study import load

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = pd.read_csv(Path(__file__).with_name("harp-trial.csv"), keep_default_na=False)
OUTCOMES = list(REFERENCE["outcome"][REFERENCE["model"] == "mixed"].unique())
CONTRASTS = ["harp", "usual_care", "change"]
COEFFICIENTS = ["(Intercept)", "visit3", "visit6", "armHARP", "visit3:armHARP", "visit6:armHARP"]  # R's names, in patsy's order


def in_r(outcome: str, model: str, term: str) -> dict[str, float]:
    """What R found: part → value."""
    rows = REFERENCE[(REFERENCE["outcome"] == outcome) & (REFERENCE["model"] == model) & (REFERENCE["term"] == term)]
    assert len(rows), f"harp-trial.csv has no rows for {outcome} {model} {term}"
    return dict(zip(rows["part"], rows["value"].astype(float), strict=True))


@pytest.fixture(scope="module")
def study():
    return load(ROOT / "data" / "harp-trial")


@pytest.fixture(scope="module")
def analysis(study):
    return Reanalysis(study, records.read(study))


@pytest.fixture(scope="module")
def mixed_lm(analysis):
    """statsmodels' MixedLM of each outcome, fitted as the chapter fits it."""
    fits = {}
    formula = analysis.study.models["lmm"]["formula"]
    for outcome in OUTCOMES:
        seen = analysis.tables["visits"].dropna(subset=[outcome])
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a fit that does not converge must not pass
            fits[outcome] = smf.mixedlm(formula.format(outcome=outcome), seen, groups="id").fit(method="powell")
    return fits


def test_reference_was_made_from_these_records():
    made_from = REFERENCE[REFERENCE["model"] == "made from"].set_index("term")["value"]
    assert set(made_from.index) == {"participants.csv", "visits.csv", "pilot.csv"}
    for file, sha256 in made_from.items():
        content = (ROOT / "data" / "harp-trial" / file).read_bytes().replace(b"\r\n", b"\n")
        found = hashlib.sha256(content).hexdigest()
        assert found == sha256, f"data/harp-trial/{file} is not the file that R read: run `make reference`, then look at what changed"


def test_reference_names_the_versions_that_made_it():
    made_by = REFERENCE[REFERENCE["model"] == "made by"].set_index("term")["value"]
    assert set(made_by.index) == {"R", "lme4", "lmerTest"}
    assert made_by.str.fullmatch(r"\d+(\.\d+)+").all()


def test_reference_has_every_outcome_of_the_design(study):
    assert OUTCOMES == list(study.design["scores"]["outcomes"])
    assert CONTRASTS == list(study.models["lmm"]["contrasts"])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_mixed_model_agrees_with_lme4_to_six_digits(analysis, outcome):
    fit = analysis.fit("lmm", outcome)
    in_lme4 = [in_r(outcome, "mixed", term) for term in COEFFICIENTS]
    np.testing.assert_allclose(fit.beta, [each["est"] for each in in_lme4], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), [each["se"] for each in in_lme4], rtol=1e-6)
    whole = in_r(outcome, "mixed", "")
    assert np.sqrt(fit.variances["residual"]) == pytest.approx(whole["sigma"], rel=1e-6)
    assert np.sqrt(fit.variances["between"]) == pytest.approx(whole["tau"], rel=1e-6)
    assert fit.n == whole["n"]


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_contrast_agrees_with_lme4_to_six_digits(analysis, study, outcome, contrast):
    ours = analysis.fit("lmm", outcome).contrast(study.models["lmm"]["contrasts"][contrast])
    theirs = in_r(outcome, "mixed", contrast)
    assert (ours.est, ours.se, ours.p) == pytest.approx((theirs["est"], theirs["se"], theirs["z_p"]), rel=1e-5 if ours.p < 1e-6 else 1e-6)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_mixedlm_agrees_with_lme4_in_six_digits_of_estimates_and_three_of_errors(mixed_lm, outcome):
    fit = mixed_lm[outcome]
    in_lme4 = [in_r(outcome, "mixed", term) for term in COEFFICIENTS]
    np.testing.assert_allclose(fit.fe_params, [each["est"] for each in in_lme4], rtol=1e-6)
    np.testing.assert_allclose(fit.bse_fe, [each["se"] for each in in_lme4], rtol=1e-3)


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_linear_model_agrees_with_r(analysis, study, outcome, contrast):
    model = study.models["lmm"] | {"family": "linear", "estimator": "OLS", "test": "t"}
    ours = models.fit(model, analysis.tables["visits"], outcome)
    theirs = in_r(outcome, "linear", contrast)
    estimate = ours.contrast(study.models["lmm"]["contrasts"][contrast])
    assert ours.df == theirs["t_df"]
    assert (estimate.est, estimate.se, estimate.p) == pytest.approx((theirs["est"], theirs["se"], theirs["t_p"]), rel=1e-8)


def test_pilot_model_agrees_with_r(analysis, study):
    ours = analysis.fit("visit_change", "seen").contrast(study.models["visit_change"]["contrasts"]["interaction"])
    theirs = in_r("seen", "gee", "interaction")
    assert (np.log(ours.est), ours.se, ours.p) == pytest.approx((theirs["log_est"], theirs["se"], theirs["z_p"]), rel=1e-8)


def test_pilot_ratio_agrees_with_r(analysis, study):
    ours = analysis.fit("visit_ratio", "seen_after").contrast(study.models["visit_ratio"]["contrasts"]["ratio"])
    theirs = in_r("seen_after", "ratio", "ratio")
    assert {part: getattr(ours, part) for part in theirs} == pytest.approx(theirs, rel=1e-9)


# The printed p values, whichever test of the mixed model is meant

PRINTED_P = [
    claim.id for claim in load(ROOT / "data" / "harp-trial").claims.values()
    if claim.by and claim.by.get("model") == "lmm" and claim.by["statistic"] == "p" and isinstance(claim.by["outcome"], str)
]  # fmt: skip


@pytest.mark.parametrize("id", PRINTED_P)
def test_printed_p_comes_back_under_all_three_tests(study, analysis, mixed_lm, id):
    claim = study.claim(id)
    outcome, contrast = claim.by["outcome"], claim.by["contrast"]
    weights = analysis.fit("lmm", outcome).design.contrast(study.models["lmm"]["contrasts"][contrast])
    found = {
        "Wald z of MixedLM": float(mixed_lm[outcome].t_test(weights[None, :]).pvalue),
        "Wald z of generalised least squares": in_r(outcome, "mixed", contrast)["z_p"],
        "Satterthwaite's t of lmerTest": in_r(outcome, "mixed", contrast)["t_p"],
    }
    shown = {test: printed.in_style(p, claim.printed) for test, p in found.items()}
    assert shown == dict.fromkeys(found, claim.printed)


def test_p_values_that_are_called_not_significant_are_so_under_all_three_tests(study, mixed_lm):
    claim = study.claim("secondary.others.p")
    for outcome in claim.by["outcome"]:
        theirs = in_r(outcome, "mixed", claim.by["contrast"])
        for p in (mixed_lm[outcome].pvalues["C(visit)[T.6]:C(arm, Treatment(\"usual care\"))[T.HARP]"], theirs["z_p"], theirs["t_p"]):
            assert printed.agrees(p, claim.declared)
