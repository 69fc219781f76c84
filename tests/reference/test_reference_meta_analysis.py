"""R's metafor makes of both meta-analyses' records what asprinted makes of them, and what the chapter makes of them cell by cell.

peer-support-meta-analysis.csv and lloyd-evans-2014.csv are written by the R scripts of these names; `make reference` runs them again.
Two of metafor's definitions are others than those of study.yml, so R has both, and the tests of "definitions" say how far they are apart:

- `escalc("SMD")` has the exact factor of bias (a ratio of gamma functions) and the variance 1/n1 + 1/n2 + g²/(2N);
- I² of a model comes from its tau², ours from Q: they are one under DL, and not under PM and REML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from asprinted import models, printed, records
from asprinted.chapter import null_value
from asprinted.models import heterogeneity, pooled, small_studies
from asprinted.reanalysis import Reanalysis
from asprinted.study import load
from asprinted.verdict import judge

ROOT = Path(__file__).resolve().parents[2]
PEER, REVIEW = "peer-support-meta-analysis", "lloyd-evans-2014"
CHAPTER = ROOT / "chapters" / "peer-support-meta-analysis.ipynb"
STUDIES = {name: load(ROOT / "data" / name) for name in (PEER, REVIEW)}
REFERENCES = {name: pd.read_csv(Path(__file__).with_name(f"{name}.csv"), keep_default_na=False) for name in STUDIES}
IN_R = {
    (name, *key): dict(zip(rows["part"], rows["value"], strict=True))
    for name, reference in REFERENCES.items()
    for key, rows in reference.groupby(list(reference.columns[:4]), sort=False)
}  # study, outcome, setting or time, model, term → part → text
RECOVERY = "personal recovery"
LINE = ("est", "lo", "hi", "p")
CLOSE = {"rtol": 1e-8, "atol": 1e-10}


def in_r(outcome: str, model: str, term: object = "", place: str = "", study: str = PEER) -> dict[str, float]:
    """What R found: part → value, nan where it found none."""
    return {part: float(value or "nan") for part, value in IN_R[study, outcome, place, model, str(term)].items()}


def keys(study: str, model: str) -> list[tuple[str, str]]:
    """The pools that R has of a model: outcome, and setting or time."""
    return [(outcome, place) for name, outcome, place, of, _ in IN_R if (name, of) == (study, model)]


def terms(outcome: str, model: str) -> list[str]:
    return [term for name, of_outcome, _, of, term in IN_R if (name, of_outcome, of) == (PEER, outcome, model) and term]


def by_term(outcome: str, model: str) -> pd.DataFrame:
    """A row a term, a column a part."""
    return pd.DataFrame({term: in_r(outcome, model, term) for term in terms(outcome, model)}).T


def effects_in_r(study: str, model: str = "effect") -> pd.DataFrame:
    rows = {(outcome, place, term): values for (name, outcome, place, of, term), values in IN_R.items() if (name, of) == (study, model)}
    return pd.DataFrame(rows).T.astype(float)


def assert_agree(ours: Any, theirs: Any) -> None:
    theirs = np.asarray(theirs, dtype=float)
    assert theirs.size
    np.testing.assert_allclose(np.asarray(ours, dtype=float), theirs, **CLOSE)


def assert_fields_agree(ours: object, theirs: Mapping[str, float] | pd.DataFrame, but: tuple[str, ...] = ()) -> None:
    for part in [part for part in theirs if part not in but]:
        np.testing.assert_allclose(getattr(ours, part), theirs[part], err_msg=part, **CLOSE)


@pytest.fixture(scope="module")
def analyses() -> dict[str, Reanalysis]:
    return {name: Reanalysis(study, records.read(study)) for name, study in STUDIES.items()}


@pytest.fixture(scope="module")
def recovery(analyses) -> tuple[models.Effects, pd.DataFrame]:
    """The effects on personal recovery, and the trials that they are of."""
    _, effects = analyses[PEER].pooled("pooled", RECOVERY)
    table = analyses[PEER].tables["outcomes"]
    return effects, table[table["outcome"] == RECOVERY].iloc[effects.rows].reset_index(drop=True)


@pytest.fixture(scope="module")
def after(executed_cells) -> dict[str, dict[str, Any]]:
    """The chapter's variables after each of its code cells, executed in order: id of the cell → name → value."""
    return executed_cells(CHAPTER)


# The reference itself


@pytest.mark.parametrize("name", STUDIES)
def test_reference_was_made_from_these_records_of_the_trials(name):
    made_from = REFERENCES[name][REFERENCES[name]["model"] == "made from"].set_index("term")["value"]
    assert set(made_from.index) == {"trials.csv", "outcomes.csv"}
    for file, sha256 in made_from.items():
        found = hashlib.sha256((ROOT / "data" / name / file).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        assert found == sha256, f"{name}/{file} is not the file that R read: run `make reference`, then look at what changed"


@pytest.mark.parametrize("name", STUDIES)
def test_reference_of_the_trials_names_the_versions_that_made_it(name):
    made_by = REFERENCES[name][REFERENCES[name]["model"] == "made by"].set_index("term")["value"]
    assert set(made_by.index) == {"R", "metafor"} and made_by.str.fullmatch(r"\d+(\.\d+)+").all()


def test_reference_has_a_pool_for_every_outcome_and_place_of_the_records(analyses):
    rows = analyses[PEER].tables["outcomes"].query("in_pool == 1")
    wanted = {(outcome, place) for outcome, place in zip(rows["outcome"], rows["setting"], strict=True)} | {(outcome, "") for outcome in rows["outcome"]}
    assert set(keys(PEER, "pool DL wald-z")) == wanted
    rows = analyses[REVIEW].tables["outcomes"]
    assert set(keys(REVIEW, "pool")) == set(zip(rows["outcome"], rows["time"], strict=True))


# The library


@pytest.mark.parametrize("name", STUDIES)
def test_effects_of_the_records_agree_with_r(analyses, name):
    study, table = STUDIES[name], analyses[name].tables["outcomes"]
    found = models.effects_of({key: value for key, value in study.models["pooled"].items() if key != "rows"}, table)
    assert len(found.g) == len(table)
    assert_agree(np.column_stack([found.g, found.v]), effects_in_r(name)[["g", "v"]])


@pytest.mark.parametrize("model", [name for name, model in STUDIES[PEER].models.items() if model["family"] == "random-effects"])
@pytest.mark.parametrize("outcome", dict.fromkeys(outcome for outcome, _ in keys(PEER, "pool DL wald-z")))
def test_pool_of_a_model_agrees_with_r(analyses, model, outcome):
    spec = STUDIES[PEER].models[model]
    found, effects = analyses[PEER].pooled(model, outcome)
    theirs = in_r(outcome, f"pool {spec['estimator']} {spec['test']}")
    assert_fields_agree(found, theirs, but=("n",))
    assert effects.n.sum() == theirs["n"]


@pytest.mark.parametrize(("outcome", "setting"), [pair for pair in keys(PEER, "pool DL wald-z") if pair[1]])
def test_pool_of_a_setting_agrees_with_r(analyses, outcome, setting):
    found, effects = analyses[PEER].pooled("pooled", outcome, {"setting": setting})
    theirs = in_r(outcome, "pool DL wald-z", place=setting)
    assert_fields_agree(found, theirs, but=("n",))
    assert effects.n.sum() == theirs["n"]


@pytest.mark.parametrize(("outcome", "time"), keys(REVIEW, "pool"))
def test_row_of_the_review_agrees_with_r(analyses, outcome, time):
    found, effects = analyses[REVIEW].pooled("pooled", outcome, {"time": time})
    theirs = in_r(outcome, "pool", place=time, study=REVIEW)
    assert_fields_agree(found, theirs, but=("n",))
    assert effects.n.sum() == theirs["n"]


@pytest.mark.parametrize("test", pooled.TESTS)
@pytest.mark.parametrize("estimator", heterogeneity.ESTIMATORS)
@pytest.mark.parametrize("outcome", dict.fromkeys(outcome for outcome, _ in keys(PEER, "profile")))
def test_every_estimator_and_test_agrees_with_r(analyses, outcome, estimator, test):
    _, effects = analyses[PEER].pooled("pooled", outcome)
    assert_fields_agree(models.pool(effects.g, effects.v, estimator, test), in_r(outcome, f"pool {estimator} {test}"), but=("n",))


@pytest.mark.parametrize("outcome", dict.fromkeys(outcome for outcome, _ in keys(PEER, "profile")))
def test_q_profile_of_an_outcome_agrees_with_r(analyses, outcome):
    _, effects = analyses[PEER].pooled("pooled", outcome)
    assert_agree(heterogeneity.q_profile(effects.g, effects.v), list(in_r(outcome, "profile").values()))


@pytest.mark.parametrize("outcome", dict.fromkeys(outcome for outcome, _ in keys(PEER, "egger")))
def test_eggers_line_on_the_sizes_agrees_with_r(analyses, outcome):
    _, effects = analyses[PEER].pooled("pooled", outcome)
    assert_line_agrees(models.egger(effects.g, effects.v, effects.unit_se), outcome, "egger")


def assert_line_agrees(line: small_studies.Line, outcome: str, model: str) -> None:
    slope, limit = in_r(outcome, model, "slope"), in_r(outcome, model, "limit")
    assert_agree([line.slope, line.se, line.t, line.p], [slope[part] for part in ("est", "se", "t", "p")])
    assert_agree([line.limit, line.limit_se, line.lo, line.hi, line.limit_t, line.limit_p], [limit[part] for part in ("est", "se", "lo", "hi", "t", "p")])
    assert line.df == in_r(outcome, model)["df"]


def test_small_studies_of_recovery_agree_with_r(recovery):
    effects, _ = recovery
    corrected = small_studies.pet_peese(effects.g, effects.unit_se**2)
    assert_line_agrees(corrected.pet, RECOVERY, "pet")
    assert_line_agrees(corrected.peese, RECOVERY, "peese")
    assert_fields_agree(models.egger(effects.g, effects.v), in_r(RECOVERY, "regtest"))
    ours = small_studies.trim_and_fill(effects.g, effects.v)
    theirs = in_r(RECOVERY, "trimfill", ours.side)
    assert_fields_agree(ours.pooled, theirs, but=("filled",))
    assert ours.filled == theirs["filled"] > 0
    added = [in_r(RECOVERY, "trimfill", place) for place in range(1, ours.filled + 1)]
    assert_agree(ours.y[-ours.filled :], [each["g"] for each in added])
    assert_agree(ours.v[-ours.filled :], [each["v"] for each in added])


def test_recovery_without_each_trial_and_up_to_each_agrees_with_r(recovery):
    effects, trials = recovery
    assert terms(RECOVERY, "without") == list(trials["id"])
    assert_fields_agree(pooled.leave_one_out(effects.g, effects.v), by_term(RECOVERY, "without"))
    order = trials.sort_values(["year", "id"]).index
    assert_fields_agree(pooled.cumulative(effects.g[order], effects.v[order]), by_term(RECOVERY, "until"), but=("year",))


def settings_of(trials: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(trials)), *(trials["setting"] == name for name in terms(RECOVERY, "settings")[1:])])


def quality_of(trials: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(trials)), trials["risk_of_bias"] == "high", (trials["year"] - trials["year"].mean()) / 10])


@pytest.mark.parametrize(("name", "covariates"), [("settings", settings_of), ("quality", quality_of)])
def test_meta_regression_of_recovery_agrees_with_r(recovery, name, covariates):
    effects, trials = recovery
    ours = pooled.meta_regression(effects.g, effects.v, covariates(trials), "REML", "knapp-hartung")
    whole, lines = in_r(RECOVERY, name), by_term(RECOVERY, name)
    se = np.sqrt(np.diag(ours.cov))
    half = stats.t.ppf(0.975, ours.df) * se
    assert_agree(np.column_stack([ours.beta, se, ours.beta - half, ours.beta + half]), lines[["est", "se", "lo", "hi"]])
    assert_agree(2 * stats.t.sf(np.abs(ours.beta / se), ours.df), lines["p"])
    others = ours.test_of([1, 2])
    found = (ours.tau2, ours.q_residual, others.statistic, others.df1, others.df2, others.p)
    assert_agree(found, [whole[part] for part in ("tau2", "q", "f", "df1", "df2", "p")])


# Definitions that are not metafor's


@pytest.mark.parametrize("name", STUDIES)
def test_definitions_escalc_has_the_exact_factor_and_a_slightly_smaller_variance(analyses, name):
    """The factors differ by less than 1 in 1,000; the variance is smaller by less than its share of the standard deviation, g²/(2(N − 3.94))."""
    rows, ours, theirs = analyses[name].tables["outcomes"], effects_in_r(name), effects_in_r(name, "effect escalc")
    assert list(ours.index) == list(theirs.index)
    n1, n2, g, v = rows["n_peer"].to_numpy(), rows["n_control"].to_numpy(), ours["g"].to_numpy(), ours["v"].to_numpy()
    people = n1 + n2
    half = (people - 2) / 2
    exact = np.exp(special.gammaln(half) - special.gammaln(half - 0.5)) / np.sqrt(half)
    rounded = 1 - 3 / (4 * people - 9)
    assert_agree(theirs["g"], g * exact / rounded)
    assert_agree(theirs["v"], 1 / n1 + 1 / n2 + theirs["g"] ** 2 / (2 * people))
    assert 0 < np.abs(exact / rounded - 1).max() < 1e-3
    smaller = 1 - theirs["v"] / v
    assert ((smaller > 0) & (smaller < g**2 / (2 * (people - 3.94)))).all()


OF_EFFECTS = ("est", "lo", "hi", "p", "q", "q_p", "i2")
ABOUT_A_POOL = [
    (name, claim.id)
    for name, study in STUDIES.items()
    for claim in study.claims.values()
    if claim.by and claim.by.get("model") == "pooled" and claim.by["statistic"] in OF_EFFECTS and "setting" not in claim.by.get("filter", {})
]


@pytest.mark.parametrize(("name", "id"), ABOUT_A_POOL)
def test_definitions_claim_prints_the_same_from_escalcs_effects(name, id):
    claim = STUDIES[name].claim(id)
    by, time = claim.by, claim.by.get("filter", {}).get("time", "")
    pair = ("pool", "pool escalc") if time else ("pool DL wald-z", "pool escalc DL wald-z")
    ours, theirs = (judge(claim, in_r(by["outcome"], model, place=time, study=name)[by["statistic"]], null_value(STUDIES[name], id)) for model in pair)
    assert (theirs.computed, theirs.as_expected) == (ours.computed, True)


@pytest.mark.parametrize("estimator", ["DL", "PM", "REML"])
@pytest.mark.parametrize("outcome", dict.fromkeys(outcome for outcome, _ in keys(PEER, "profile")))
def test_definitions_metafors_i_squared_is_that_of_tau_squared(analyses, outcome, estimator):
    _, effects = analyses[PEER].pooled("pooled", outcome)
    found, theirs = models.pool(effects.g, effects.v, estimator), in_r(outcome, f"metafor {estimator}")
    of_tau2 = 100 * found.tau2 / (found.tau2 + heterogeneity.typical_variance(effects.v))
    assert_agree([of_tau2, 1 / (1 - of_tau2 / 100)], [theirs["i2"], theirs["h2"]])
    if estimator == "DL":
        assert_agree(found.i2, theirs["i2"])


@pytest.mark.parametrize("estimator", ["PM", "REML"])
def test_definitions_i_squared_of_tau_squared_is_not_that_of_q(estimator):
    """By more than a point for some outcome, so a report has to say which of the two it prints."""
    apart = [in_r(outcome, f"metafor {estimator}")["i2"] - in_r(outcome, f"pool {estimator} wald-z")["i2"] for outcome, _ in keys(PEER, f"metafor {estimator}")]
    assert np.abs(apart).max() > 1


# The claims, from R's numbers

RECOMPUTED = [(name, claim.id) for name, study in STUDIES.items() for claim in study.claims.values() if claim.by and claim.kind != "context"]
CLAIMS_IN_R = {(name, term): values["value"] for (name, _, _, model, term), values in IN_R.items() if model == "claim"}


def test_r_computes_every_claim_of_both_studies_and_no_other():
    assert sorted(CLAIMS_IN_R) == sorted(RECOMPUTED)


@pytest.mark.parametrize(("name", "id"), RECOMPUTED)
def test_claim_about_the_trials_comes_back_from_rs_numbers(analyses, name, id):
    study, claim, found = STUDIES[name], STUDIES[name].claim(id), CLAIMS_IN_R[name, id]
    value = analyses[name].value(claim.by)
    theirs, ours = (judge(claim, each, null_value(study, id)) for each in (found if claim.by["statistic"] == "values" else float(found), value))
    if not isinstance(value, str):
        assert_agree(value, float(found))
    assert theirs.as_expected, f"{id}: printed {theirs.printed}, R found {theirs.computed}"
    assert theirs.computed == ours.computed
    if claim.kind in ("number", "inequality") and claim.expect == "reproduced":
        assert printed.canonical(theirs.computed) == printed.canonical(claim.printed)


# The chapter, cell by cell

SETTINGS = ("hospital services", "non-hospital settings", "online groups")
OF_CHAPTER = ("estimate", "low", "high", "p")


def line_in_r(outcome: str, setting: str = "", parts: tuple[str, ...] = LINE) -> list[float]:
    """Estimate, ends and p of a pool after DerSimonian and Laird; nan where no trial is."""
    there = (PEER, outcome, setting, "pool DL wald-z", "") in IN_R
    return [in_r(outcome, "pool DL wald-z", place=setting)[part] if there else np.nan for part in parts]


def test_chapter_has_rs_effects(after):
    assert_agree(after["look-effects"]["every"][["g", "v"]], effects_in_r(PEER))
    names = after["by-hand"]
    one = names["one"]
    assert_agree([names["g"], names["v"]], effects_in_r(PEER).loc[(RECOVERY, one["setting"], f"synthetic-{one['id']} {one['instrument']}"), ["g", "v"]])


def test_chapter_has_rs_numbers_for_what_a_difference_means(after):
    names = after["look-smd-numbers"]
    assert_agree([names[name] for name in ("overlap", "superiority", "response", "needed_to_treat")], list(in_r(RECOVERY, "smd").values()))


def test_chapter_has_rs_averages_with_and_without_directions(after):
    names = after["direction-code"]
    theirs = [in_r(RECOVERY, "variant", name)["est"] for name in ("common", "directions forgotten common")]
    assert_agree([names["turned"], names["as_printed"]], theirs)


def test_chapter_has_rs_diamond(after):
    names, theirs, common = after["diamond"], in_r(RECOVERY, "pool DL wald-z"), in_r(RECOVERY, "pool common wald-z")
    ours = [names[name] for name in ("k", "q", "tau2", "est", "se", "low_est", "high_est")]
    assert_agree(ours, [theirs[part] for part in ("k", "q", "tau2", "est", "se", "lo", "hi")])
    assert_agree([names["common"], names["common_se"]], [common["est"], common["se"]])
    assert_agree(after["diamond-check"]["line"][["eff", "sd_eff", "ci_low", "ci_upp"]], [theirs[part] for part in ("est", "se", "lo", "hi")])


def test_chapter_has_rs_forest(after):
    drawn, lines = after["forest"]["drawn"], after["forest"]["behind_forest"]
    assert [f"synthetic-{id}" for id in drawn["id"]] == terms(RECOVERY, "weights")
    assert_agree(drawn["weight"], by_term(RECOVERY, "weights")["random"])
    assert_agree(lines[list(OF_CHAPTER)], [line_in_r(RECOVERY, setting) for setting in (*SETTINGS, "")])
    assert_agree(after["forest"]["predicted"](after["forest"]["y"], after["forest"]["v"]), line_in_r(RECOVERY, parts=("prediction_lo", "prediction_hi")))


def test_chapter_has_rs_heterogeneity(after):
    names, theirs, profile = after["heterogeneity"], in_r(RECOVERY, "pool DL wald-z"), in_r(RECOVERY, "profile")
    assert_agree([names["tau2_low"], names["tau2_high"]], [profile["lo"], profile["hi"]])
    assert_agree([names["new_low"], names["new_high"]], [theirs["prediction_lo"], theirs["prediction_hi"]])
    k, q = names["k"], names["q"]
    assert_agree([stats.chi2.sf(q, k - 1), 100 * max(0, 1 - (k - 1) / q)], [theirs["q_p"], theirs["i2"]])
    assert_agree(after["say-heterogeneity"]["harm"], in_r(RECOVERY, "below zero")["share"])


ESTIMATORS = {"DerSimonian-Laird": "DL", "Paule-Mandel": "PM", "REML": "REML"}
TESTS = {"Wald": "wald-z", "Knapp-Hartung": "knapp-hartung", "the same, scale at least one": "knapp-hartung-at-least-wald"}


def test_chapter_has_rs_estimators_and_intervals(after):
    names = after["models"]
    theirs = [in_r(RECOVERY, f"pool {estimator} {test}") for estimator in ESTIMATORS.values() for test in TESTS.values()]
    assert list(names["estimators"]) == list(ESTIMATORS) and list(names["models"].index.unique("interval")) == list(TESTS)
    assert_agree(names["models"][["estimate", "low", "high"]], [[each[part] for part in LINE[:3]] for each in theirs])
    tau2 = [of(names["y"], names["v"]) for of in names["estimators"].values()]
    assert_agree(tau2, [each["tau2"] for each in theirs[::3]])


def test_chapter_has_rs_settings_and_the_test_between_them(after):
    by_place, names = after["settings-code"]["by_place"], after["settings-test"]
    assert list(by_place.index) == list(SETTINGS)
    assert_agree(by_place[["trials", *OF_CHAPTER]], [line_in_r(RECOVERY, setting, ("k", *LINE)) for setting in SETTINGS])
    whole, lines = in_r(RECOVERY, "settings"), by_term(RECOVERY, "settings").loc[list(SETTINGS)]
    assert list(names["X"].columns) == list(SETTINGS)
    assert_agree(names["left"], whole["tau2"])
    assert_agree(np.column_stack([names["fit"].params, names["fit"].bse, names["ends"], names["fit"].pvalues]), lines[["est", "se", "lo", "hi", "p"]])
    assert_agree(names["table"], lines[["est", "lo", "hi", "p"]][1:])
    between = names["between"]
    assert_agree([between.fvalue, between.df_num, between.df_denom, between.pvalue], [whole[part] for part in ("f", "df1", "df2", "p")])


def test_chapter_has_rs_outcomes(after):
    whole, place = after["outcomes-table"]["whole"], after["outcomes-check"]["place"]
    assert set(whole.index) == {outcome for outcome, _ in keys(PEER, "holm")} == set(place)
    assert_agree(whole[["trials", *OF_CHAPTER]], [line_in_r(outcome, parts=("k", *LINE)) for outcome in whole.index])
    assert_agree(whole["p: Holm"], [in_r(outcome, "holm")["p"] for outcome in whole.index])
    for outcome, lines in place.items():
        assert_agree(lines[["trials", *OF_CHAPTER]], [line_in_r(outcome, setting, ("k", *LINE)) for setting in SETTINGS])


def test_chapter_has_rs_spread_of_outcomes(after):
    spread = after["outcomes-spread"]["spread"]
    for outcome, row in spread.iterrows():
        wald, safer = in_r(outcome, "pool DL wald-z"), in_r(outcome, "pool DL knapp-hartung")
        assert_agree(row[["KH: low", "KH: high", "people", "τ", "new: low", "new: high"]].astype(float),
                     [safer["lo"], safer["hi"], wald["n"], wald["tau2"] ** 0.5, wald["prediction_lo"], wald["prediction_hi"]])  # fmt: skip
        assert row["I², %"] == round(wald["i2"])


def test_chapter_has_the_librarys_safer_intervals_of_settings(after, analyses):
    safer = after["settings-code"]["safer"]
    for setting, row in safer.iterrows():
        _, effects = analyses[PEER].pooled("pooled", RECOVERY, {"setting": setting})
        found = models.pool(effects.g, effects.v, "DL", "knapp-hartung")
        assert_agree(row, [found.lo, found.hi])


def test_chapter_has_rs_test_of_small_studies(after):
    asked = after["egger"]["asked"]
    assert sorted(asked) == sorted(dict.fromkeys(outcome for outcome, _ in keys(PEER, "egger")))
    for outcome, line in asked.items():
        assert_agree([line[part] for part in ("slope", "low", "high", "p")], [in_r(outcome, "egger", "slope")[part] for part in LINE])
        assert line["trials"] == in_r(outcome, "pool DL wald-z")["k"]


def test_chapter_has_rs_answers_to_a_leaning_funnel(after):
    """R chooses the side that is filled; the chapter fills the left."""
    names, filled = after["corrections"], in_r(RECOVERY, "trimfill", "left")
    theirs = {
        "reference: random effects": in_r(RECOVERY, "pool DL wald-z"),
        "trim and fill": filled,
        "common effect": in_r(RECOVERY, "pool common wald-z"),
        "PET": in_r(RECOVERY, "pet", "limit"),
        "PEESE": in_r(RECOVERY, "peese", "limit"),
    }
    assert list(names["answers"].index) == list(theirs)
    assert_agree(names["answers"][list(OF_CHAPTER)], [[each[part] for part in LINE] for each in theirs.values()])
    assert list(names["answers"]["trials"])[:3] == [theirs[name]["k"] for name in list(theirs)[:3]]
    added = pd.DataFrame([in_r(RECOVERY, "trimfill", place) for place in range(1, int(filled["filled"]) + 1)])
    k = len(names["y"])
    assert_agree(sorted(names["filled_y"][k:]), sorted(added["g"]))
    assert_agree(sorted(names["filled_v"][k:]), sorted(added["v"]))


def test_chapter_has_rs_average_without_each_trial_and_up_to_each(after):
    without, cumulative = after["influence"]["without"], after["influence"]["cumulative"]
    theirs = by_term(RECOVERY, "without")
    assert [f"synthetic-{name.split(',')[0]}" for name in without.index] == list(theirs.index)
    assert_agree(without[list(OF_CHAPTER)], theirs[list(LINE)])
    theirs = by_term(RECOVERY, "until")[1:]
    assert_agree(cumulative[list(OF_CHAPTER)], theirs[list(LINE)])
    assert list(cumulative.index) == list(theirs["year"])


def test_chapter_has_rs_numbers_on_risk_of_bias(after):
    names, lines = after["quality"], by_term(RECOVERY, "quality")
    names_in_r = ["low risk", "low risk knapp-hartung", "low risk knapp-hartung-at-least-wald"]
    assert list(names["kept"].index) == list(TESTS)
    assert_agree(names["kept"], [[in_r(RECOVERY, "variant", name)[part] for part in LINE[:3]] for name in names_in_r])
    assert list(names["X"].columns) == ["not at high risk, mean year", "high risk of bias", "per ten years"]
    assert_agree(names["left"], in_r(RECOVERY, "quality")["tau2"])
    assert_agree(names["fit"].bse, lines["se"])
    assert_agree(names["regression"], lines[list(LINE)])


def test_chapter_has_rs_rows_of_the_review(after):
    made = after["review-rows"]["made"]
    assert set(made.index) == set(keys(REVIEW, "pool"))
    for (outcome, time), row in made.iterrows():
        theirs = in_r(outcome, "pool", place=time, study=REVIEW)
        single = row["trials"] == 1
        parts = ("k", "n", *LINE, "q", "q_p", "i2")
        ours = row[["trials", "people", *OF_CHAPTER, "Q", "p of Q", "I²"]]
        assert_agree(ours, [np.nan if single and part == "i2" else theirs[part] for part in parts])


VARIANTS = {
    "reference: DerSimonian-Laird, Wald": "DL",
    "Paule-Mandel": "PM",
    "REML": "REML",
    "Knapp-Hartung interval": "knapp-hartung",
    "common effect": "common",
    "the second questionnaire": "second questionnaire",
    "directions forgotten": "directions forgotten",
    "without the largest trial": "without the largest",
    "larger half of the trials": "larger half",
    "without waiting lists": "without waiting lists",
    "without high risk of bias": "without high risk",
    "low risk of bias alone": "low risk",
}


def test_chapter_has_rs_numbers_with_one_choice_changed(after):
    broken = after["break-compute"]["broken"]
    theirs = {name: in_r(RECOVERY, "variant", term) for name, term in VARIANTS.items()}
    theirs["trim and fill"] = in_r(RECOVERY, "trimfill", "left")
    theirs |= {name: in_r(RECOVERY, name.lower(), "limit") for name in ("PET", "PEESE")}
    assert list(broken.index) == list(theirs)
    assert_agree(broken[["estimate", "low", "high"]], [[each[part] for part in LINE[:3]] for each in theirs.values()])
    assert_agree(broken["trials"][: len(VARIANTS)], [theirs[name]["k"] for name in VARIANTS])


def test_exercises_have_rs_numbers(after):
    names = after["solution-another"]
    assert_agree([names["other_line"][part] for part in OF_CHAPTER], line_in_r("depression"))
    assert_agree(names["other_new"], line_in_r("depression", parts=("prediction_lo", "prediction_hi")))
    weights, theirs = after["solution-weights"]["weights"], by_term(RECOVERY, "weights")
    assert_agree(weights[["common effect, %", "random effects, %"]], theirs.loc["synthetic-" + weights.index])
    doubled = after["solution-twice"]["doubled"]
    theirs = [in_r(RECOVERY, "variant", name) for name in ("DL", "both questionnaires", "mean of the questionnaires")]
    assert_agree(doubled[list(OF_CHAPTER)], [[each[part] for part in LINE] for each in theirs])
    settled, theirs = after["solution-settle"]["settled"].set_index("more trials"), by_term(RECOVERY, "more trials")
    assert_agree(settled.loc[theirs.index.astype(int), ["width of the confidence interval", "prediction: low"]], theirs)
