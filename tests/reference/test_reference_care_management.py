"""What R makes of the pool of studies behind three reviews: rules, overlap, pools, equivalence and claims; and what the chapter makes of them, cell by cell.

care-management-review.csv is written by the R script of that name; `make reference` runs it again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from asprinted import records
from asprinted.chapter import null_value
from asprinted.reanalysis import Reanalysis
from asprinted.study import load
from asprinted.verdict import judge
from book import notebooks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "care-management-review"
CHAPTER = ROOT / "chapters" / "care-management-review.ipynb"
STUDY = load(FOLDER)
REFERENCE = pd.read_csv(Path(__file__).with_name("care-management-review.csv"), keep_default_na=False)
IN_R = {key: dict(zip(rows["part"], rows["value"], strict=True)) for key, rows in REFERENCE.groupby(list(REFERENCE.columns[:4]), sort=False)}
CLOSE = {"rtol": 1e-8, "atol": 1e-10}
LINE = {"estimate": "est", "se": "se", "low": "lo", "high": "hi", "p": "p"}  # of the chapter → of R
PROFESSIONALS = "pitt professionals"


def in_r(outcome: str, place: str, model: str, term: str = "") -> dict[str, float]:
    return {part: float(value or "nan") for part, value in IN_R[outcome, place, model, term].items()}


def assert_line_is(found: Any, theirs: dict[str, float]) -> None:
    """The chapter's line is R's, in every part that both have."""
    for ours, part in LINE.items():
        if ours in found:
            np.testing.assert_allclose(found[ours], theirs[part], err_msg=part, **CLOSE)


@pytest.fixture(scope="module")
def analysis() -> Reanalysis:
    return Reanalysis(STUDY, records.read(STUDY))


@pytest.fixture(scope="module")
def after(executed_cells) -> dict[str, Any]:
    """The chapter's variables when all of its code cells have been executed."""
    return list(executed_cells(CHAPTER).values())[-1]


# The reference itself


def test_reference_was_made_from_these_records_of_the_reviews():
    made_from = REFERENCE[REFERENCE["model"] == "made from"].set_index("term")["value"]
    assert set(made_from.index) == {table["file"] for table in STUDY.tables.values()}
    for file, sha256 in made_from.items():
        found = hashlib.sha256((FOLDER / file).read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        assert found == sha256, f"{file} is not the file that R read: run `make reference`, then look at what changed"


# The library

RECOMPUTED = [claim.id for claim in STUDY.claims.values() if claim.by and claim.kind != "context"]


def test_r_computes_every_claim_of_the_reviews_and_no_other():
    assert sorted(term for _, _, model, term in IN_R if model == "claim") == sorted(RECOMPUTED)


@pytest.mark.parametrize("id", RECOMPUTED)
def test_claim_about_the_reviews_comes_back_from_rs_numbers(analysis, id):
    claim, found = STUDY.claim(id), in_r("", "", "claim", id)["value"]
    value = analysis.value(claim.by)
    np.testing.assert_allclose(value, found, **CLOSE)
    theirs, ours = (judge(claim, each, null_value(STUDY, id)) for each in (found, value))
    assert theirs.as_expected and theirs.computed == ours.computed


def test_trials_taken_from_the_third_review_are_its_own(analysis):
    """Row for row and cell by cell, in the columns that both have."""
    other = load(ROOT / "data" / "lloyd-evans-2014")
    theirs = records.read(other)
    for ours, of_review in (("studies", "trials"), ("outcomes", "outcomes")):
        rows, keys = theirs[of_review], other.tables[of_review]["key"]
        here = records.read(STUDY)[ours]
        same = rows[keys].merge(here, on=keys, how="left", validate="one_to_one")
        pd.testing.assert_frame_equal(same[list(rows)], rows, check_dtype=False)


# The chapter, cell by cell


def test_rules_of_the_chapter_take_what_r_takes(after):
    for rule in ("chinman", "pitt", "lloyd"):
        theirs = in_r("", rule, "rule")
        assert (after[rule].sum(), after["studies"].loc[after[rule], "n"].sum()) == (theirs["n"], theirs["people"])


def test_rules_of_the_chapter_are_those_of_the_study_file_for_every_kind_of_study():
    """On one made-up study of every year, design, service, comparator and main outcome, so on both sides of every bound."""
    columns = STUDY.tables["studies"]["columns"]
    years = range(columns["year"]["minimum"], columns["year"]["maximum"] + 1)
    parts = {"year": years} | {name: columns[name]["values"] for name in ("design", "service", "comparator", "main_outcome")}
    studies = pd.MultiIndex.from_product(parts.values(), names=parts).to_frame(index=False)
    [cell] = [cell for cell in notebooks.code_cells(notebooks.read(CHAPTER)) if cell["id"] == "meet-rules-code"]
    names = {"studies": studies}
    exec(notebooks.text(cell["source"]), names)
    for rule in STUDY.rules:
        asked = records.asked(STUDY, studies, {"table": "studies", "rule": rule})
        assert (names[rule] == asked).all() and 0 < asked.sum() < len(asked), f"the chapter and study.yml mean other studies by the rule {rule!r}"


@pytest.mark.parametrize("rule", STUDY.rules)
def test_years_that_a_claim_tells_of_a_rule_are_those_of_the_rule(rule):
    told = {int(year) for year in re.findall(r"\b(?:19|20)\d{2}\b", STUDY.claim(f"{rule}.years.words").says)}
    assert told == set(STUDY.rules[rule]["filter"]["year"].values())


def test_overlap_of_the_chapter_is_rs(after):
    names = {"chinman.pitt": ["first", "second"], "pitt.lloyd": ["second", "third"], "chinman.lloyd": ["first", "third"], "all": ["first", "second", "third"]}
    for place, pair in names.items():
        theirs = in_r("", place, "rule", "overlap")
        matrix = after["matrix"][pair]
        assert matrix.all(axis=1).sum() == theirs["n"]
        np.testing.assert_allclose(after["covered"](matrix), theirs["cca"], **CLOSE)


@pytest.mark.parametrize("name", ["symptoms", "satisfaction", "crisis", "hospital"])
def test_standardised_pools_of_the_chapter_are_metafors(after, name):
    rows = after[name]
    outcome = rows["outcome"].iloc[0]
    for method, model in ((after["pool"], "pool"), (after["hartung_knapp"], "pool KH")):
        theirs = in_r(outcome, PROFESSIONALS, model)
        line = method(rows["g"], rows["v"])
        if model == "pool KH":  # its p value is still Wald's, and the chapter does not use it
            line = {part: line[part] for part in ("estimate", "se", "low", "high")}
        assert_line_is(line, theirs)
    np.testing.assert_allclose(after["pool"](rows["g"], rows["v"])["tau2"], in_r(outcome, PROFESSIONALS, "pool")["tau2"], **CLOSE)


def test_mean_difference_and_risk_ratio_of_the_chapter_are_metafors(after):
    life = after["pool"](*after["difference"](after["of"]("quality of life")))
    assert_line_is(life, in_r("quality of life", PROFESSIONALS, "pool"))
    left = after["pool"](*after["log_risk_ratio"](after["left"]))
    assert_line_is(left, in_r("attrition", PROFESSIONALS, "pool"))


def test_effects_of_the_chapter_are_rs(after):
    rows = after["outcomes"]
    theirs = [in_r(outcome, time, "effect", id) for outcome, time, id in zip(rows["outcome"], rows["time"], rows["id"], strict=True)]
    np.testing.assert_allclose(rows["turned"], [each["g"] for each in theirs], **CLOSE)
    np.testing.assert_allclose(rows["v"], [each["v"] for each in theirs], **CLOSE)


def test_equivalence_of_the_people_is_that_of_rs_two_t_tests(after):
    theirs = in_r("satisfaction", "people", "tost")
    assert (after["n1"], after["n2"]) == (theirs["n1"], theirs["n2"])
    np.testing.assert_allclose(after["bound"], theirs["bound"], **CLOSE)
    np.testing.assert_allclose(after["ready"]["pval"].iloc[0], theirs["p"], **CLOSE)
    np.testing.assert_allclose(after["by_statsmodels"], theirs["p"], **CLOSE)
    np.testing.assert_allclose(after["classic"].pvalue, theirs["t_p"], **CLOSE)


def test_people_are_those_of_their_trials_row(after, analysis):
    people, theirs = after["people"], in_r("satisfaction", "people", "tost")
    rows = analysis.tables["outcomes"]
    row = rows[(rows["id"] == people["study"].iloc[0]) & (rows["outcome"] == "satisfaction")].iloc[0]
    assert people["study"].nunique() == 1 and people["score"].between(row["minimum"], row["maximum"]).all()
    for arm, place in (("peer", 1), ("control", 2)):
        assert row[f"n_{arm}"] == theirs[f"n{place}"]
        assert [row[f"mean_{arm}"], row[f"sd_{arm}"]] == [round(theirs[f"mean{place}"], 2), round(theirs[f"sd{place}"], 2)]


def test_scores_have_the_size_mean_and_sd_of_their_trials_row(analysis):
    """As they are committed, whatever the chapter makes of them."""
    people, outcomes = analysis.tables["scores"], analysis.tables["outcomes"]
    row = outcomes[(outcomes["id"] == people["study"].iloc[0]) & (outcomes["outcome"] == "satisfaction") & (outcomes["time"] == "end of intervention")].squeeze()
    for arm, column in (("peers", "peer"), ("professionals", "control")):
        scores = people.loc[people["arm"] == arm, "score"]
        assert len(scores) == row[f"n_{column}"]
        assert (f"{scores.mean():.2f}", f"{scores.std():.2f}") == (f"{row[f'mean_{column}']:.2f}", f"{row[f'sd_{column}']:.2f}")


@pytest.mark.parametrize("row", ["symptoms", "satisfaction", "crisis"])
def test_equivalence_from_print_is_rs(after, row):
    theirs = in_r(row, "printed", "tost")
    estimate, se = after["squeezed"].loc[after["names"][row], ["estimate", "SE"]]
    np.testing.assert_allclose(se, theirs["se"], **CLOSE)
    np.testing.assert_allclose(after["tost"](estimate, se, after["margin"]), theirs["p"], **CLOSE)
    np.testing.assert_allclose([estimate - after["z95"] * se, estimate + after["z95"] * se], [theirs["lo"], theirs["hi"]], **CLOSE)


def test_power_of_the_chapter_is_rs(after):
    theirs = in_r("", "", "power")
    assert after["margin"] == theirs["margin"]
    np.testing.assert_allclose(next(iter(after["questions"].values())), theirs["difference"], rtol=1e-6)
    np.testing.assert_allclose(after["needed"]["difference of the margin"], theirs["n_difference"], rtol=1e-4)
