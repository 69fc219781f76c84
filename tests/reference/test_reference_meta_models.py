"""Random-effects models, meta-regression and small-study effects against R's metafor and lm.

meta-models.csv is written by meta-models.R (`make reference`), with the data sets that it read, meta-models-data.csv and
meta-models-counts.csv. Four of metafor's
definitions are others than ours, so they are not compared as they stand:

- `escalc("SMD")` has the exact factor of bias (a ratio of gamma functions) and the variance 1/n1 + 1/n2 + g²/(2N);
- I² of a model comes from its tau², ours from Q: they are one with DL, and `typical_variance` leads from tau² to metafor's;
- a prediction interval takes the normal distribution, or k − 1 degrees of freedom, unless Riley's k − 2 are asked for;
- trimfill tests its last model by Wald's z, unless told otherwise.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asprinted.models import effects, heterogeneity, pooled, small_studies

FOLDER = Path(__file__).parent
REFERENCE = pd.read_csv(FOLDER / "meta-models.csv", keep_default_na=False)
DATA = pd.read_csv(FOLDER / "meta-models-data.csv")
IN_R = {key: dict(zip(rows["part"], rows["value"], strict=True)) for key, rows in REFERENCE.groupby(["set", "model", "term"])}
SETS = dict(list(DATA.groupby("set", sort=False)))
COUNTS = dict(list(pd.read_csv(FOLDER / "meta-models-counts.csv").groupby("set", sort=False)))
MEASURED = sorted((label, model.split()[1].lower()) for label, model, term in IN_R if model in ("pool MD DL", "pool RR DL", "pool OR DL", "pool RD DL"))
ONE_OF_EACH = " DL wald-z"  # a model of each kind that R fitted with every estimator and every test
MODS = sorted((label, model[len("mods ") : -len(ONE_OF_EACH)]) for label, model, term in IN_R if model.startswith("mods ") and model.endswith(ONE_OF_EACH) and not term)
CLOSE = {"rtol": 1e-9, "atol": 1e-14}


def in_r(label: str, model: str, term: object = "") -> dict[str, float]:
    """What R found: part → value."""
    return {part: float(value) for part, value in IN_R[label, model, str(term)].items()}


def in_r_by_trial(label: str, model: str, k: int) -> dict[str, list[float]]:
    found = [in_r(label, model, place) for place in range(1, k + 1)]
    return {part: [each[part] for each in found] for part in found[0]}


def of(label: str) -> tuple[np.ndarray, np.ndarray]:
    return SETS[label]["g"].to_numpy(), SETS[label]["v"].to_numpy()


def assert_agree(ours: object, theirs: dict[str, float], but: tuple[str, ...] = ()) -> None:
    for part, value in theirs.items():
        if part not in but:
            np.testing.assert_allclose(getattr(ours, part), value, err_msg=part, **CLOSE)


@pytest.mark.parametrize("name", ["meta-models-data.csv", "meta-models-counts.csv"])
def test_reference_was_made_from_these_data(name):
    content = (FOLDER / name).read_bytes().replace(b"\r\n", b"\n")
    made_from = IN_R["", "made from", name]["sha256"]
    assert hashlib.sha256(content).hexdigest() == made_from, f"{name} is not the file that R read: run `make reference`"


def test_reference_names_the_versions_that_made_it():
    made_by = REFERENCE[REFERENCE["model"] == "made by"].set_index("term")["value"]
    assert set(made_by.index) == {"R", "metafor"} and made_by.str.fullmatch(r"\d+(\.\d+)+").all()


def test_data_have_what_makes_the_models_differ():
    tau2 = {label: {estimator: in_r(label, f"pool {estimator} wald-z")["tau2"] for estimator in ("DL", "PM", "REML")} for label in SETS}
    assert set(tau2["alike"].values()) == {0.0} and in_r("alike", "tau2")["hi"] > 0
    assert min(tau2["outlier"].values()) > 0.5
    for label in ("twelve", "unequal", "49", "200"):
        assert len(set(tau2[label].values())) == 3 and min(tau2[label].values()) > 0
    assert SETS["unequal"]["v"].max() > 50 * SETS["unequal"]["v"].min()
    filled = {label: in_r(label, "filled DL ") for label in SETS if label != "two"}
    assert {each["right"] for each in filled.values() if each["filled"] > 0} == {0, 1}


@pytest.mark.parametrize("label", SETS)
def test_hedges_g_is_the_formula_written_out_in_r(label):
    rows = SETS[label]
    g, v = effects.hedges_g(*(rows[name] for name in ("n1", "mean1", "sd1", "n2", "mean2", "sd2")))
    np.testing.assert_allclose(g, rows["g"], rtol=1e-14)
    np.testing.assert_allclose(v, rows["v"], rtol=1e-14)


def test_escalc_differs_from_hedges_g_by_less_than_a_hundredth():
    g, v = of("five")
    theirs = in_r_by_trial("five", "escalc", len(g))
    for ours, other in ((g, theirs["y"]), (v, theirs["v"])):
        assert 1e-6 < np.abs(ours / other - 1).max() < 0.01


def measured(label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances of a set, nan where a table says nothing of a ratio."""
    of, rows = effects.MEASURES[measure], (COUNTS if label in COUNTS else SETS)[label]
    return of.of(*(rows[f"{part}{arm}"] for arm in (1, 2) for part in of.parts))


def test_counts_have_the_tables_on_which_rules_differ():
    rows = COUNTS["rare"]
    cells = np.stack([rows["events1"], rows["n1"] - rows["events1"], rows["events2"], rows["n2"] - rows["events2"]])
    assert {tuple(np.flatnonzero(table == 0)) for table in cells.T} >= {(0, 2), (2,), (1, 3), (0,), ()}
    assert set(MEASURED) == {(label, "md") for label in ("alike", "five", "twelve", "unequal")} | {(label, measure) for label in COUNTS for measure in ("rr", "or", "rd")}


@pytest.mark.parametrize(("label", "measure"), MEASURED)
def test_effects_of_each_measure_agree_with_escalc_row_by_row(label, measure):
    y, v = measured(label, measure)
    rows = [(place, in_r(label, f"escalc {measure.upper()}", place)) for place in range(1, len(y) + 1) if (label, f"escalc {measure.upper()}", str(place)) in IN_R]
    assert [place - 1 for place, _ in rows] == np.flatnonzero(np.isfinite(y)).tolist()
    assert len(rows) == len(y) - 2 * (label == "rare" and measure != "rd")
    np.testing.assert_allclose(y[np.isfinite(y)], [each["y"] for _, each in rows], **CLOSE)
    np.testing.assert_allclose(v[np.isfinite(y)], [each["v"] for _, each in rows], **CLOSE)


@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
@pytest.mark.parametrize(("label", "measure"), MEASURED)
def test_pool_of_each_measure_agrees_with_rma_and_its_ratios_with_predict(label, measure, estimator):
    y, v = measured(label, measure)
    ours = pooled.pool(y[np.isfinite(y)], v[np.isfinite(y)], estimator)
    assert_agree(ours.as_ratios() if effects.MEASURES[measure].ratio else ours, in_r(label, f"pool {measure.upper()} {estimator}"))


@pytest.mark.parametrize("test", pooled.TESTS)
@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
@pytest.mark.parametrize("label", SETS)
def test_pooled_effect_agrees_with_rma(label, estimator, test):
    y, v = of(label)
    assert_agree(pooled.pool(y, v, estimator, test), in_r(label, f"pool {estimator} {test}"))


@pytest.mark.parametrize("estimator", ["DL", "PM", "REML"])
@pytest.mark.parametrize("label", SETS)
def test_i_squared_of_tau_squared_agrees_with_rma(label, estimator):
    y, v = of(label)
    tau2 = heterogeneity.tau_squared(y, v, estimator)
    i2 = 100 * tau2 / (tau2 + heterogeneity.typical_variance(v))
    np.testing.assert_allclose(i2, in_r(label, f"i2 of tau2 {estimator}")["i2"], **CLOSE)


@pytest.mark.parametrize("label", SETS)
def test_q_profile_agrees_with_confint(label):
    y, v = of(label)
    theirs = in_r(label, "tau2")
    lo, hi = heterogeneity.q_profile(y, v)
    np.testing.assert_allclose((lo, hi), (theirs["lo"], theirs["hi"]), **CLOSE)
    typical = heterogeneity.typical_variance(v)
    np.testing.assert_allclose([100 * limit / (limit + typical) for limit in (lo, hi)], (theirs["i2_lo"], theirs["i2_hi"]), **CLOSE)


@pytest.mark.parametrize("estimator", ["DL", "REML"])
@pytest.mark.parametrize("label", ["five", "twelve", "unequal"])
def test_pool_without_each_trial_and_up_to_each_agrees_with_leave1out_and_cumul(label, estimator):
    y, v = of(label)
    assert_agree(pooled.leave_one_out(y, v, estimator), in_r_by_trial(label, f"without {estimator}", len(y)))
    assert_agree(pooled.cumulative(y, v, estimator), in_r_by_trial(label, f"until {estimator}", len(y)))


@pytest.mark.parametrize("test", pooled.TESTS)
@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
@pytest.mark.parametrize(("label", "formula"), MODS)
def test_meta_regression_agrees_with_rma(label, formula, estimator, test):
    name = f"mods {formula} {estimator} {test}"
    rows = SETS[label]
    columns = [np.ones(len(rows)), rows["group"] == "b", rows["group"] == "c"]
    X = np.column_stack(columns if formula == "group" else [*columns, np.log(rows["n1"] + rows["n2"])])
    ours = pooled.meta_regression(*of(label), X, estimator, test)
    theirs, by_column = in_r(label, name), in_r_by_trial(label, name, X.shape[1])
    np.testing.assert_allclose(ours.beta, by_column["est"], **CLOSE)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.cov)), by_column["se"], **CLOSE)
    np.testing.assert_allclose(ours.cov[0, 1], theirs["covariance"], **CLOSE)
    groups = ours.test_of([1, 2])
    found = (ours.tau2, ours.q_residual, ours.q_p, groups.statistic, groups.p)
    np.testing.assert_allclose(found, [theirs[part] for part in ("tau2", "q", "q_p", "statistic", "p")], **CLOSE)


@pytest.mark.parametrize("label", [label for label in SETS if label != "two"])
def test_lines_of_the_funnel_plot_agree_with_lm_and_regtest(label):
    y, v = of(label)
    unit = np.sqrt(1 / SETS[label]["n1"] + 1 / SETS[label]["n2"])
    corrected = small_studies.pet_peese(y, v)
    lines = {"egger": small_studies.egger(y, v), "egger by unit": small_studies.egger(y, v, unit), "pet": corrected.pet, "peese": corrected.peese}
    for name, line in lines.items():
        assert_agree(line, in_r(label, name))
    assert_agree(lines["egger"], in_r(label, "regtest"))
    assert corrected.name == ("PEESE" if in_r(label, "pet")["limit_p"] < 0.05 else "PET")


@pytest.mark.parametrize("side", ["", "left", "right"])
@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
@pytest.mark.parametrize("label", [label for label in SETS if label != "two"])
def test_trim_and_fill_agrees_with_trimfill(label, estimator, side):
    y, v = of(label)
    ours = small_studies.trim_and_fill(y, v, estimator, side or None)
    theirs = in_r(label, f"filled {estimator} {side}")
    assert (ours.filled, ours.side) == (theirs["filled"], "right" if theirs["right"] else "left")
    assert_agree(ours.pooled, theirs, but=("filled", "right"))
    if ours.filled and not side:
        added = in_r_by_trial(label, f"filled {estimator} ", ours.filled)
        np.testing.assert_allclose(ours.y[len(y) :], added["y"], **CLOSE)
        np.testing.assert_allclose(ours.v[len(y) :], added["v"], **CLOSE)
