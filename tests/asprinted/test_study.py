"""A study file is loaded, or refused with file, field, value and remedy."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from asprinted import checks
from asprinted import study as studies
from asprinted.study import Study, StudyError, load
from asprinted.synthesis import design

Edit = Callable[[dict[str, Any]], None]


def put(*path: Any, value: Any) -> Edit:
    """A change of a study's data: the node at `path` becomes `value`."""

    def edit(data: dict[str, Any]) -> None:
        node = data
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return edit


def drop(*path: Any) -> Edit:
    """A change of a study's data: the node at `path` goes."""

    def edit(data: dict[str, Any]) -> None:
        node = data
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return edit


def both(*edits: Edit) -> Edit:
    """Several changes, one after another."""

    def edit(data: dict[str, Any]) -> None:
        for each in edits:
            each(data)

    return edit


# What a good file gives


def test_shipped_schema_is_valid():
    Draft202012Validator.check_schema(studies.schema())


def test_real_study_is_loaded_with_marks_kinds_and_expected_verdicts(harp):
    assert harp.slug == "harp-trial" and harp.file.name == "study.yml"
    claim = harp.claim("pcs.change.p")
    assert (claim.printed, claim.kind, claim.marks, claim.expect) == (".046", "number", ("S", "P"), "reproduced")
    assert claim.address == "harp-trial:pcs.change.p" and claim.anchor == "claim-harp-trial-pcs-change-p"
    assert harp.claim("harp-trial:pcs.change.p") is claim
    usual = {"number": "reproduced", "inequality": "reproduced", "words": "holds", "direction": "holds", "context": "context"}
    assert all(each.expect == usual[each.kind] for each in harp.claims.values())


def test_every_assumption_is_marked_as_assumed_or_calculated(harp):
    assert {mark for each in harp.assumptions.values() for mark in each.marks} <= {"A", "C"}


def test_fingerprint_is_the_same_whatever_the_line_ends(write_study, harp):
    text = harp.file.read_text("utf-8")
    windows = load(write_study(text.replace("\n", "\r\n").encode("utf-8")))
    assert windows.fingerprint == harp.fingerprint
    assert load(write_study(text + "# a remark\n")).fingerprint != harp.fingerprint


def test_byte_order_mark_is_no_hindrance(write_study, harp):
    assert load(write_study(b"\xef\xbb\xbf" + harp.file.read_bytes())).claims.keys() == harp.claims.keys()


def test_words_that_older_yaml_takes_for_truth_stay_words(write_study, data):
    text = copy.deepcopy(data)
    put("claims", "pcs.harp.est", "says", value="@")(text)
    folder = write_study(text)
    file = folder / "study.yml"
    file.write_text(file.read_text("utf-8").replace('"@"', "no"), "utf-8")
    assert load(folder).claim("pcs.harp.est").says == "no"


def test_design_amount_is_a_number_or_the_claim_or_assumption_that_holds_it(harp):
    assert harp.number(26) == 26
    assert harp.number("randomised.harp.n") == 198
    assert harp.number("pcs.sd") == 10
    with pytest.raises(StudyError, match="Did you mean 'pcs.sd'"):
        harp.number("pcs.sdd")
    with pytest.raises(StudyError, match="holds one number"):
        harp.number("site.shares")


def test_shares_are_those_of_the_assumption(harp):
    assert harp.shares("gender.shares") == {"woman": 0.52, "man": 0.48}
    with pytest.raises(StudyError, match="one share a category"):
        harp.shares("pcs.sd")


def test_claim_that_is_not_there_is_refused_with_the_nearest_name(harp):
    with pytest.raises(StudyError, match=r"claims: 'pcs.chnge.p'. No such claim. Did you mean 'pcs.change.p'\?"):
        harp.claim("pcs.chnge.p")


# Files that are not a study file at all


@pytest.mark.parametrize(
    ("content", "where", "remedy"),
    [
        (b"", "file", "must hold the top keys schema, title"),
        (b"# only a remark\n", "file", "must hold the top keys"),
        (b"- schema: 1\n", "file", "must hold the top keys"),
        (b"just words", "file: 'just words'", "must hold the top keys"),
        (b"schema: 1\ntitle: caf\xe9\n", "byte 20", "not UTF-8: save it as UTF-8"),
        (b"schema: 1\n\ttitle: x\n", "line 2, column 1", "Not readable as YAML"),
        (b"schema: 1\n  title: x\n", "line 2, column 8", "Check indentation"),
        (b'schema: 1\ntitle: "x\n', "line 3", "Not readable as YAML"),
        (b"schema: 1\ntitle: x\ntitle: y\n", "line 3, column 1", "the key 'title' stands twice"),
        (b"schema: 1\n[a, b]: c\n", "line 2, column 1", "is not text"),
        (b"schema: 1\n2018: x\n", "line 2, column 1", "the key 2018 is not text: put it in quotes"),
        (b"schema: 1\ntitle: *other\n", "line 2, column 8", "undefined alias"),
        (b"schema: 1\ntitle: !!python/object:os.system x\n", "line 2", "Not readable as YAML"),
        (b"schema: 1\ntitle: !!bool perhaps\n", "file", "Not readable as YAML"),
        (b"schema: 1\ntitle: !!timestamp soon\n", "file", "Not readable as YAML"),
        (b"schema: 1\n---\nschema: 1\n", "line 2", "Not readable as YAML"),
        (b"schema: 1\x00\n", "file", "Not readable as YAML"),
        (b"[" * 3000, "file", "Not readable as YAML"),
    ],
    ids=["empty", "remark", "list", "words", "latin-1", "tab", "indent", "quote", "twice", "list-key", "number-key", "alias", "python", "bool", "time", "two", "zero-byte", "deep"],
)  # fmt: skip
def test_file_that_is_no_study_file_is_refused(write_study, content, where, remedy):
    folder = write_study(content)
    with pytest.raises(StudyError) as caught:
        load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder / 'study.yml'}: {where}") and remedy in text


def test_folder_without_a_study_file_is_refused(tmp_path):
    with pytest.raises(StudyError, match="Give a folder that holds a study.yml"):
        load(tmp_path / "nowhere")


def test_folder_in_place_of_a_study_file_is_refused(tmp_path):
    (tmp_path / "study.yml").mkdir()
    with pytest.raises(StudyError, match="Give a folder that holds a study.yml"):
        load(tmp_path)


# Faults of one field: (change, field named, value named, remedy)

WORDS = ("claims", "eligibility.conditions.least")
FAULTS = {
    # what the schema sees
    "missing top key": (drop("models"), "file", None, "The field 'models' is missing: add it."),
    "unknown top key": (put("clams", value={}), "clams", None, "Unknown field. Did you mean 'claims'?"),
    "other schema": (put("schema", value=2), "schema", 2, "1 was expected"),
    "no sources": (put("sources", value=[]), "sources", [], "should be non-empty"),
    "sources as a mapping": (put("sources", value={"a": 1}), "sources", {"a": 1}, "It must be of type array."),
    "missing field": (drop("claims", "pcs.harp.est", "where"), "claims › pcs.harp.est", None, "The field 'where' is missing: add it."),
    "unknown field": (put("claims", "pcs.harp.est", "pritned", value="2.7"), "claims › pcs.harp.est › pritned", None, "Unknown field. Did you mean 'printed'?"),
    "unknown field like none": (put("claims", "pcs.harp.est", "zzz", value="2.7"), "claims › pcs.harp.est › zzz", None, "Unknown field. Known: says, kind"),
    "printed as a number": (put("claims", "pcs.harp.est", "printed", value=2.7), "claims › pcs.harp.est › printed", 2.7, 'put it in quotes as the source prints it, such as "2.7", so that trailing zeros survive'),
    "assumed as a number": (put("assumptions", "pcs.sd", "bounds", value=["9", 11]), "assumptions › pcs.sd › bounds › 1", 11, "put it in quotes"),
    "text as a number": (put("models", "lmm", "level", value="0.9"), "models › lmm › level", "0.9", "It must be of type number."),
    "level beyond one": (put("models", "lmm", "level", value=95), "models › lmm › level", 95, "maximum of 1"),
    "empty title": (put("title", value=""), "title", "", "should be non-empty"),
    "unknown kind": (put("claims", "pcs.harp.est", "kind", value="numbr"), "claims › pcs.harp.est › kind", "numbr", "Use one of: number, inequality, words, direction, context. Did you mean 'number'?"),
    "unknown mark": (put("claims", "pcs.harp.est", "mark", value="X"), "claims › pcs.harp.est › mark", "X", "one of S, P, C and A"),
    "unknown verdict": (put("claims", "pcs.harp.est", "expect", value="fine"), "claims › pcs.harp.est › expect", "fine", "Use one of: reproduced"),
    "unknown rounding": (put("claims", "pcs.harp.est", "rounding", value="up"), "claims › pcs.harp.est › rounding", "up", "Use one of: half-up"),
    "unknown family": (put("models", "lmm", "family", value="mixd"), "models › lmm › family", "mixd", "Did you mean 'mixed'?"),
    "unknown statistic": (put("claims", "pcs.harp.est", "by", "statistic", value="estimate"), "claims › pcs.harp.est › by › statistic", "estimate", "Use one of: est"),
    "claim id of one part": (put("claims", "pcs", value={}), "claims", "pcs", "It must match the pattern"),
    "claim id in capitals": (put("claims", "PCS.change.p", value={}), "claims", "PCS.change.p", "lower case, digits and underscores, parts joined by full stops"),
    "claim id without a full stop": (put("claims", "age_least", value={}), "claims", "age_least", "It must match the pattern of an id: two parts or more of lower case, digits and underscores, parts joined by full stops, the first of all a letter, such as age.least."),
    "claim id of one word": (put("claims", "age", value={}), "claims", "age", ", such as age.n."),
    "claim id of nothing but signs": (put("claims", "%", value={}), "claims", "%", ", such as age.mean."),
    "column with a hyphen": (put("claims", "pcs.harp.est", "by", "contrast", value="Pcs-start"), "claims › pcs.harp.est › by › contrast", "Pcs-start", "of a name: lower case, digits and underscores, the first a letter, such as pcs_start."),
    "file name in capitals": (put("tables", "pilot", "file", value="Pilot Data.csv"), "tables › pilot › file", "Pilot Data.csv", "and .csv at the end, such as pilot_data.csv."),
    "file name elsewhere": (put("tables", "pilot", "file", value="../pilot.csv"), "tables › pilot › file", "../pilot.csv", "It must match the pattern"),
    "words without reason": (drop(*WORDS, "reason"), "claims › eligibility.conditions.least", None, "The field 'reason' is missing: say why the words are read as what is 'declared', such as reason: \"Not significant"),
    "words undeclared": (drop(*WORDS, "declared"), "claims › eligibility.conditions.least", None, "The field 'declared' is missing"),
    "number without a way": (drop("claims", "pcs.harp.est", "by"), "claims › pcs.harp.est", None, "The field 'by' is missing"),
    "number unprinted": (drop("claims", "pcs.harp.est", "printed"), "claims › pcs.harp.est", None, "The field 'printed' is missing"),
    "context without reason": (drop("claims", "sessions.harp.n", "reason"), "claims › sessions.harp.n", None, "The field 'reason' is missing"),
    "model and table": (put("claims", "pcs.harp.est", "by", "table", value="visits"), "claims › pcs.harp.est › by", None, "Give either 'model' or 'table', not both."),
    "neither model nor table": (drop("claims", "pcs.harp.est", "by", "model"), "claims › pcs.harp.est › by", None, "Give either 'model' or 'table'"),
    "assumption without value or bounds": (drop("assumptions", "pcs.common", "value"), "assumptions › pcs.common", None, "Give 'value' or 'bounds'."),
    "assumed value as a number": (put("assumptions", "pcs.common", "value", value=0.2), "assumptions › pcs.common › value", 0.2, "It must be text in quotes"),
    "one bound": (put("assumptions", "pcs.sd", "bounds", value=["9"]), "assumptions › pcs.sd › bounds", ["9"], "too short"),
    "negative people": (put("design", "cells", "rows", 0, "people", value=-1), "design › cells › rows › 0 › people", -1, "minimum of 0"),
    "half a person": (put("design", "cells", "rows", 0, "people", value=1.5), "design › cells › rows › 0 › people", 1.5, "It must be a whole number, or the id of a claim"),
    # what is printed
    "unreadable number": (put("claims", "pcs.harp.est", "printed", value="2.7.1"), "claims › pcs.harp.est › printed", "2.7.1", "write it as the source does"),
    "inequality called a number": (put("claims", "pcs.change.p", "printed", value="<.05"), "claims › pcs.change.p › printed", "<.05", "This text is of the kind 'inequality': change 'kind'."),
    "number called an inequality": (put("claims", "pcs.change.p", "kind", value="inequality"), "claims › pcs.change.p › printed", ".046", "This text is of the kind 'number': change 'kind'."),
    "direction unreadable": (put("claims", "pcs.change.direction", "declared", value="upwards"), "claims › pcs.change.direction › declared", "upwards", 'such as ">0"'),
    "words unreadable beside a number": (put(*WORDS, "declared", value="some"), "claims › eligibility.conditions.least › declared", "some", 'such as ">0"'),
    "number of text": (put("claims", "randomised.all.n", "by", value={"table": "visits", "column": "visit", "statistic": "values"}), "claims › randomised.all.n › by › statistic", "values", "It gives text"),
    "difference without reason": (put("claims", "pcs.harp.est", "expect", value="misprint"), "claims › pcs.harp.est", None, "The field 'reason' is missing: a claim expected to be 'misprint' needs one."),
    # names of what is not there
    "unknown source": (put("claims", "pcs.harp.est", "source", value="abstrct"), "claims › pcs.harp.est › source", "abstrct", "Nothing of that name. Did you mean 'abstract'?"),
    "unknown model": (put("claims", "pcs.harp.est", "by", "model", value="lm"), "claims › pcs.harp.est › by › model", "lm", "Did you mean 'lmm'?"),
    "unknown contrast": (put("claims", "pcs.harp.est", "by", "contrast", value="hrp"), "claims › pcs.harp.est › by › contrast", "hrp", "Did you mean 'harp'?"),
    "unknown outcome": (put("claims", "pcs.harp.est", "by", "outcome", value="pc"), "claims › pcs.harp.est › by › outcome", "pc", "Did you mean 'pcs'?"),
    "unknown outcome in a list": (put("claims", "secondary.others.p", "by", "outcome", value=["activation", "pain"]), "claims › secondary.others.p › by › outcome", "pain", "Nothing of that name"),
    "unknown table": (put("claims", "randomised.all.n", "by", "table", value="people"), "claims › randomised.all.n › by › table", "people", "Known: participants, visits, pilot."),
    "unknown column": (put("claims", "clinics.all.n", "by", "column", value="clinic"), "claims › clinics.all.n › by › column", "clinic", "Nothing of that name"),
    "unknown column of a filter": (put("claims", "randomised.harp.n", "by", "filter", value={"amr": "HARP"}), "claims › randomised.harp.n › by › filter", "amr", "Did you mean 'arm'?"),
    "unknown category of a filter": (put("claims", "randomised.harp.n", "by", "filter", value={"arm": "HRAP"}), "claims › randomised.harp.n › by › filter › arm", "HRAP", "Did you mean 'HARP'?"),
    "unknown key": (put("tables", "visits", "key", value=["id", "vizit"]), "tables › visits › key", "vizit", "Did you mean 'visit'?"),
    "unknown parent": (put("tables", "visits", "parent", value="participant"), "tables › visits › parent", "participant", "Did you mean 'participants'?"),
    "parent without the key": (put("tables", "visits", "key", value=["visit", "id"]), "tables › visits › parent", "visit", "Nothing of that name"),
    "file of another table": (put("tables", "pilot", "file", value="visits.csv"), "tables › visits › file", "visits.csv", "The table 'pilot' has the same file"),
    "table of a model": (put("models", "lmm", "table", value="visit"), "models › lmm › table", "visit", "Did you mean 'visits'?"),
    "groups of a model": (put("models", "lmm", "groups", value="idd"), "models › lmm › groups", "idd", "Did you mean 'id'?"),
    "column at a contrast": (put("models", "lmm", "contrasts", "harp", 0, "at", value={"vist": 6}), "models › lmm › contrasts › harp › at", "vist", "Did you mean 'visit'?"),
    "category at a contrast": (put("models", "lmm", "contrasts", "harp", 0, "at", "visit", value=12), "models › lmm › contrasts › harp › at › visit", 12, "Known: 0, 3, 6."),
    "column of a wave": (put("models", "visit_change", "waves", "columns", value={"seen_befor": 0}), "models › visit_change › waves › columns", "seen_befor", "Did you mean 'seen_before'?"),
    # models that lack something
    "no formula": (drop("models", "lmm", "formula"), "models › lmm", None, "The field 'formula' is missing: add it."),
    "no groups": (drop("models", "lmm", "groups"), "models › lmm", None, "The field 'groups' is missing: add it."),
    "estimator of another family": (put("models", "lmm", "estimator", value="OLS"), "models › lmm › estimator", "OLS", "The family 'mixed' takes REML or ML."),
    "test of another family": (put("models", "lmm", "test", value="t"), "models › lmm › test", "t", "has no such test here: give wald-z"),
    # statistics that lack something
    "no contrast": (drop("claims", "pcs.harp.est", "by", "contrast"), "claims › pcs.harp.est › by", None, "The field 'contrast' is missing: add it."),
    "no outcome": (drop("claims", "pcs.harp.est", "by", "outcome"), "claims › pcs.harp.est › by", None, "The field 'outcome' is missing: add it."),
    "no column": (drop("claims", "clinics.all.n", "by", "column"), "claims › clinics.all.n › by", None, "The field 'column' is missing: add it."),
    "no pair": (drop("assumptions", "pcs.r", "by", "between"), "assumptions › pcs.r › by", None, "The field 'between' is missing: add it."),
    "pair of three": (put("assumptions", "pcs.r", "by", "between", "visit", value=[0, 3, 6]), "assumptions › pcs.r › by › between", {"visit": [0, 3, 6]}, "two of its values"),
    "mean from a model": (put("claims", "pcs.harp.est", "by", "statistic", value="mean"), "claims › pcs.harp.est › by › statistic", "mean", "A model does not give it."),
    "p from a table": (put("claims", "clinics.all.n", "by", "statistic", value="p"), "claims › clinics.all.n › by › statistic", "p", "A table does not give it."),
    "mean of words": (put("claims", "clinics.all.n", "by", "statistic", value="mean"), "claims › clinics.all.n › by › column", "site", "It holds text"),
    "mean of two columns": (put("claims", "clinics.all.n", "by", value={"table": "participants", "statistic": "mean", "column": ["age", "diabetes"]}), "claims › clinics.all.n › by › column", ["age", "diabetes"], "Give one column."),
    "floor of what has none": (put("assumptions", "symptoms.floor_share", "by", "column", value="visit"), "assumptions › symptoms.floor_share › by › column", "visit", "Give that column a 'minimum'."),
    # assumptions
    "bounds in words": (put("assumptions", "pcs.sd", "bounds", value=["low", "high"]), "assumptions › pcs.sd › bounds", "low", "A number is meant here."),
    "infinite bound": (put("assumptions", "pcs.sd", "bounds", value=["9", "inf"]), "assumptions › pcs.sd › bounds", "inf", "A number is meant here."),
    "bounds the wrong way round": (put("assumptions", "pcs.sd", "bounds", value=["11", "9"]), "assumptions › pcs.sd › bounds", ["11", "9"], "The lower bound comes first."),
    "share in words": (put("assumptions", "site.shares", "value", "north", value="half"), "assumptions › site.shares › value › north", "half", "A number is meant here."),
    "shares as one number": (put("assumptions", "site.shares", "value", value="0.5"), "assumptions", "site.shares", "Give it a value with one share a category."),
    # the design
    "table of people": (put("design", "people", "table", value="person"), "design › people › table", "person", "Nothing of that name"),
    "column of arms": (put("design", "people", "arms", "column", value="amr"), "design › people › arms › column", "amr", "Did you mean 'arm'?"),
    "arm of groups": (put("design", "people", "groups", "arm", value="HRAP"), "design › people › groups › arm", "HRAP", "Did you mean 'HARP'?"),
    "covariate without a column": (drop("design", "people", "covariates", 0, "column"), "design › people › covariates › 0", None, "The field 'column' is missing: add it."),
    "covariate without a mean": (drop("design", "people", "covariates", 0, "mean"), "design › people › covariates › 0", None, "The field 'mean' is missing: add it."),
    "covariate of no column": (put("design", "people", "covariates", 1, "column", value="gendr"), "design › people › covariates › 1", "gendr", "Did you mean 'gender'?"),
    "covariate without bounds": (drop("tables", "participants", "columns", "age", "minimum"), "design › people › covariates › 0", None, "Give the column 'age' a minimum and a maximum."),
    "column that nothing makes": (drop("design", "people", "covariates", 1), "design › people", None, "Nothing makes the column 'gender'"),
    "scores without people": (drop("design", "people"), "design", None, "Scores belong to people"),
    "model of scores": (put("design", "scores", "model", value="lm"), "design › scores › model", "lm", "Did you mean 'lmm'?"),
    "column of visits": (put("design", "scores", "visit", value="visits"), "design › scores › visit", "visits", "Did you mean 'visit'?"),
    "month that is no visit": (put("design", "scores", "months", value=[0, 3, 12]), "design › scores › months", 12, "Known: 0, 3, 6."),
    "score of no column": (put("design", "scores", "outcomes", "pain", value={"mean": "pcs.mean", "sd": "pcs.sd", "common": "pcs.common", "early": "scores.early", "change": {}}), "design › scores › outcomes › pain", "pain", "Nothing of that name"),
    "score without bounds": (drop("tables", "visits", "columns", "mcs", "minimum"), "design › scores › outcomes › mcs", None, "between a minimum and a larger maximum"),
    "score of one value": (put("tables", "visits", "columns", "mcs", "minimum", value=68), "design › scores › outcomes › mcs", None, "between a minimum and a larger maximum"),
    "score upside down": (put("tables", "visits", "columns", "mcs", "minimum", value=99), "tables › visits › columns › mcs › minimum", 99, "It is above the maximum, 68."),
    "change of no arm": (put("design", "scores", "outcomes", "recovery", "change", value={"HRAP": "recovery.harp_change"}), "design › scores › outcomes › recovery › change", "HRAP", "Did you mean 'HARP'?"),
    "losses of no arm": (put("design", "scores", "losses", "seen", value={"HRAP": [177, 166]}), "design › scores › losses › seen", "HRAP", "Did you mean 'HARP'?"),
    "losses at too many visits": (put("design", "scores", "losses", "seen", "HARP", value=[177, 166, 150]), "design › scores › losses › seen › HARP", None, "Give 2 amounts"),
    "cell of no column": (put("design", "cells", "rows", 0, "values", value={"amr": "HARP"}), "design › cells › rows", "amr", "Did you mean 'arm'?"),
    "cell of no arm": (put("design", "cells", "rows", 0, "values", "arm", value="HRAP"), "design › cells › rows › arm", "HRAP", "Did you mean 'HARP'?"),
    "free counts of no column": (put("design", "cells", "free", "column", value="seen_befor"), "design › cells › free › column", "seen_befor", "Did you mean 'seen_before'?"),
}  # fmt: skip


PEOPLE, COVARIATES = ("design", "people"), ("design", "people", "covariates")
EVENTS, DURATIONS, SCALES = ("design", "events"), ("design", "durations"), ("design", "scales")
AT = "design › people › covariates"  # age, gender, ethnicity, degree, earlier admissions, sessions, adverse events
# The same of the study of readmission, for what only it has
CRISIS_FAULTS = {
    # columns and tables
    "value of another type": (put("tables", "visits", "columns", "month", "values", value=[0, "4", 18]), "tables › visits › columns › month › values", "4", "It is not of the column's type, integer"),
    "own parent": (put("tables", "visits", "parent", value="visits"), "tables › visits › parent", "visits", "A parent has no parent itself, and is another table"),
    # models
    "formula without a right side": (put("models", "readmission", "formula", value="{outcome}"), "models › readmission › formula", "{outcome}", "Write the outcome, '~' and the covariates"),
    "cox without time": (drop("models", "time_to_readmission", "time"), "models › time_to_readmission", None, "The field 'time' is missing: add it."),
    "robust without groups": (drop("models", "time_to_readmission_in_the_year_robust", "groups"), "models › time_to_readmission_in_the_year_robust", None, "The field 'groups' is missing: add it."),
    "time of another family": (put("models", "readmission", "time", value="days"), "models › readmission › time", "days", "The family 'logistic' does not take it, only cox and log-rank: take it out."),
    "covariance of another family": (put("models", "readmission_ratio", "covariance", value="robust"), "models › readmission_ratio › covariance", "robust", "does not take it, only logistic, cox, linear and poisson: take it out"),
    "model-based covariance of another family": (put("models", "readmission_ratio", "covariance", value="model-based"), "models › readmission_ratio › covariance", "model-based", "only logistic, cox, linear and poisson: take it out"),
    "counts of another family": (put("models", "time_to_readmission", "counts", value={"peer support": {"events": 1, "people": 2}, "control": {"events": 1, "people": 2}}), "models › time_to_readmission › counts", {"peer support": {"events": 1, "people": 2}, "control": {"events": 1, "people": 2}}, "only logistic, risk-ratio and risk-difference: take it out"),
    "events of another family": (put("models", "readmission", "events", value=[147]), "models › readmission › events", [147], "only cox: take it out"),
    "ties of another family": (put("models", "readmission", "ties", value="efron"), "models › readmission › ties", "efron", "only cox: take it out"),
    "until of another family": (put("models", "readmission", "until", value=365), "models › readmission › until", 365, "only cox and log-rank: take it out"),
    "missing of another family": (put("models", "readmission", "missing", value="leave-out"), "models › readmission › missing", "leave-out", "only risk-ratio and risk-difference: take it out"),
    "estimator of cox": (put("models", "time_to_readmission", "estimator", value="ML"), "models › time_to_readmission › estimator", "ML", "The family 'cox' takes partial-likelihood."),
    "estimator of logistic": (put("models", "readmission", "estimator", value="GEE"), "models › readmission › estimator", "GEE", "The family 'logistic' takes ML."),
    "column of times": (put("models", "time_to_readmission", "time", value="day"), "models › time_to_readmission › time", "day", "Did you mean 'days'?"),
    "column of rows": (put("models", "difference_at_4", "rows", value={"mnth": 4}), "models › difference_at_4 › rows", "mnth", "Did you mean 'month'?"),
    "value of rows": (put("models", "difference_at_4", "rows", value={"month": [4, 6]}), "models › difference_at_4 › rows › month", 6, "Known: 0, 4, 18."),
    "column of the baseline": (put("models", "difference_at_4", "baseline", "column", value="mnth"), "models › difference_at_4 › baseline › column", "mnth", "Did you mean 'month'?"),
    "value of the baseline": (put("models", "difference_at_4", "baseline", "value", value=7), "models › difference_at_4 › baseline › value", 7, "Known: 0, 4, 18."),
    "counts of no arm": (put("models", "readmission_crude", "counts", value={"peer suport": {"events": 1, "people": 2}, "control": {"events": 1, "people": 2}}), "models › readmission_crude › counts", "peer suport", "Did you mean 'peer support'?"),
    "counts of nothing": (put("models", "readmission_crude", "counts", "control", "events", value="readmitted.contrl.events"), "models › readmission_crude › counts › control › events", "readmitted.contrl.events", "Did you mean 'readmitted.control.events'?"),
    "more events than people": (put("models", "readmission_crude", "counts", "control", "events", value="randomised.all.n"), "models › readmission_crude › counts › control › events", "randomised.all.n", "It means 441: a whole number, from 0 to 216, is needed here."),
    "counts of nobody": (put("models", "readmission_crude", "counts", "control", "people", value=0), "models › readmission_crude › counts › control › people", 0, "It means 0: a whole number, 1 or more, is needed here."),
    "events that are no whole number": (put("models", "time_to_readmission", "events", 1, value="readmitted.or.hi"), "models › time_to_readmission › events › 1", "readmitted.or.hi", "It means 0.99: a whole number, 0 or more, is needed here."),
    "negative events": (put("models", "time_to_readmission", "events", 1, value="age.health"), "models › time_to_readmission › events › 1", "age.health", "It means -0.05: a whole number, 0 or more"),
    "no events": (put("models", "time_to_readmission", "events", value=[0]), "models › time_to_readmission › events", [0], "They add up to none: a fit uses one event or more."),
    "instead of no model": (put("models", "readmission_crude", "instead_of", value="readmision"), "models › readmission_crude › instead_of", "readmision", "Did you mean 'readmission'?"),
    "instead of itself": (put("models", "readmission_crude", "instead_of", value="readmission_crude"), "models › readmission_crude › instead_of", "readmission_crude", "Nothing of that name"),
    "instead of what stands instead": (put("models", "readmission_crude", "instead_of", value="readmission_randomised_controls"), "models › readmission_crude › instead_of", "readmission_randomised_controls", "name the one whose claims were tried"),
    "contrast of the other model": (put("models", "readmission_crude", "contrasts", value={"peers": [{"weight": 1, "at": {"arm": "peer support"}}, {"weight": -1, "at": {"arm": "control"}}]}), "models › readmission_crude › contrasts", "peers", "Known: peer_support."),
    "no contrasts": (drop("models", "readmission", "contrasts"), "models › readmission_crude › contrasts", "peer_support", "Nothing of that name"),
    "no contrasts for a claim": (drop("models", "adverse_difference", "contrasts"), "models › adverse_difference", None, "The field 'contrasts' is missing: add it, with 'peer_support'."),
    # statistics
    "claim on what stands instead": (put("claims", "readmitted.or.p", "by", "model", value="readmission_crude"), "claims › readmitted.or.p › by › model", "readmission_crude", "It stands instead of 'readmission' and is never used: name that one."),
    "reduction of a difference": (put("claims", "readmitted.reduction.percent", "by", "model", value="adverse_difference"), "claims › readmitted.reduction.percent › by › statistic", "reduction", "gives a difference, not a ratio: ask a model of risk-ratio"),
    "reduction of a table": (put("claims", "readmitted.control.percent", "by", "statistic", value="reduction"), "claims › readmitted.control.percent › by › statistic", "reduction", "A table does not give it."),
    "sum of words": (put("claims", "readmitted.control.events", "by", "column", value="team"), "claims › readmitted.control.events › by › column", "team", "It holds text, of which 'sum' cannot be taken."),
    "median of words": (put("claims", "time.control.median", "by", "column", value="team"), "claims › time.control.median › by › column", "team", "of which 'median' cannot be taken"),
    "maximum of words": (put("claims", "sessions.offered.n", "by", "column", value="team"), "claims › sessions.offered.n › by › column", "team", "of which 'maximum' cannot be taken"),
    "threshold missing": (drop("claims", "sessions.three_or_more.percent", "by", "at_least"), "claims › sessions.three_or_more.percent › by", None, "The field 'at_least' is missing: add it."),
    "threshold in words": (put("claims", "sessions.three_or_more.percent", "by", "at_least", value="three"), "claims › sessions.three_or_more.percent › by › at_least", "three", "It must be of type number."),
    "curve without events": (put("claims", "time.control.median", "by", "statistic", value="survival_median"), "claims › time.control.median › by", None, "The field 'event' is missing: add it."),
    "curve of no events": (put("claims", "time.control.median", "by", value={"table": "participants", "statistic": "survival_median", "column": "days", "event": "readmision"}), "claims › time.control.median › by › event", "readmision", "Did you mean 'readmission'?"),
    "curve of events in words": (put("claims", "time.control.median", "by", value={"table": "participants", "statistic": "survival_median", "column": "days", "event": "team"}), "claims › time.control.median › by › event", "team", "It holds text: name a column of 1 and 0."),
    "shares of a claim": (put("claims", "teams.all.n", "by", "statistic", value="share_deviation"), "claims › teams.all.n › by › statistic", "share_deviation", "only an assumption can have it"),
    "bounds of text": (put("assumptions", "peer_worker.least", "by", "statistic", value="values"), "assumptions › peer_worker.least › by › statistic", "values", "It gives text, which has no bounds"),
    "duplicates of people": (put("assumptions", "scores.duplicates", "by", "table", value="participants"), "assumptions › scores.duplicates › by › table", "participants", "'duplicates' is taken over visits"),
    "programme groups that are not there": (both(put("assumptions", "symptoms.r", "by", "statistic", value="icc"), drop(*PEOPLE, "groups")), "assumptions › symptoms.r › by › statistic", "icc", "add 'groups' to the people of the design"),
    "range upside down": (put("claims", "readmitted.reduction.quarter", "declared", value="30 to 20"), "claims › readmitted.reduction.quarter › declared", "30 to 20", "write the smaller number first"),
    "range in words": (put("claims", "readmitted.reduction.quarter", "declared", value="low to high"), "claims › readmitted.reduction.quarter › declared", "low to high", "declare one, such as"),
    # people
    "people without the outcome's arm": (put(*PEOPLE, "arms", "sizes", value={"peer support": 221, "controls": 220}), "design › people › arms › sizes", "controls", "Did you mean 'control'?"),
    "arm of nobody": (put(*PEOPLE, "arms", "sizes", "control", value=0), "design › people › arms › sizes › control", 0, "a whole number, 1 or more, is needed here"),
    "arm of a fraction": (put(*PEOPLE, "arms", "sizes", "control", value="age.mean"), "design › people › arms › sizes › control", "age.mean", "It means 40.2: a whole number"),
    "arm of no number": (put(*PEOPLE, "arms", "sizes", "control", value="team.shares"), "design › people › arms › sizes › control", "team.shares", "No claim or assumption of that name holds one number."),
    "key of two columns": (put("tables", "participants", "key", value=["id", "team"]), "design › people › table", None, "A row of it is one person: give it a key of one column, not id, team."),
    "arms as numbers": (both(put("tables", "participants", "columns", "arm", "type", value="integer"), drop("tables", "participants", "columns", "arm", "values")), "design › people › arms › column", None, "The column 'arm' must be of the type string."),
    "sites of no shares": (put(*PEOPLE, "sites", "shares", value="team.share"), "design › people › sites › shares", "team.share", "Did you mean 'team.shares'?"),
    "shares of less than a whole": (put("assumptions", "team.shares", "value", "alder", value="0.13"), "assumptions › team.shares › value", 0.9, "The shares must add up to 1."),
    "shares in per cent": (put("assumptions", "gender.shares", "value", value={"woman": "58.5", "man": "41.5"}), "assumptions › gender.shares › value › woman", 58.5, "A share lies between 0 and 1."),
    "negative share": (put("assumptions", "gender.shares", "value", value={"woman": "-0.1", "man": "1.1"}), "assumptions › gender.shares › value › woman", -0.1, "A share lies between 0 and 1."),
    "share of a number by a word": (put("assumptions", "degree.shares", "value", value={"no": "0.71", "yes": "0.29"}), "assumptions › degree.shares › value", "no", "The column 'degree' holds whole numbers: name each share by one."),
    "groups of nobody": (put(*PEOPLE, "groups", "smallest", value=0), "design › people › groups › smallest", 0, "a whole number, 1 or more"),
    "groups upside down": (put(*PEOPLE, "groups", "largest", value=2), "design › people › groups › largest", 2, "a whole number, 3 or more"),
    "category without shares": (drop(*COVARIATES, 1, "shares"), f"{AT} › 1", None, "The field 'shares' is missing: add it."),
    "category of no arm": (put(*COVARIATES, 5, "arm", value="peer suport"), f"{AT} › 5", "peer suport", "Did you mean 'peer support'?"),
    "category of measurements": (put("tables", "participants", "columns", "sessions", "type", value="number"), f"{AT} › 5", None, "The column 'sessions' must be of the type integer or string."),
    "health beyond one": (put(*COVARIATES, 5, "health", value="adverse.spread"), f"{AT} › 5 › health", "adverse.spread", "It means 1.3: a number from -1 to 1 is needed here."),
    "health of no number": (put(*COVARIATES, 5, "health", value="sessions.helth"), f"{AT} › 5 › health", "sessions.helth", "Did you mean 'sessions.health'?"),
    "mean beyond the bounds": (put("assumptions", "age.mean", "value", value="402"), f"{AT} › 0 › mean", "age.mean", "It means 402: a number from 18 to 80 is needed here."),
    "negative spread": (put("assumptions", "age.sd", "value", value="-12.8"), f"{AT} › 0 › sd", "age.sd", "It means -12.8: a number of 0 or more is needed here."),
    "tally without totals": (drop(*COVARIATES, 6, "totals"), f"{AT} › 6", None, "The field 'totals' is missing: add it."),
    "tally without spread": (drop(*COVARIATES, 6, "spread"), f"{AT} › 6", None, "The field 'spread' is missing: add it."),
    "tally of no arm": (put(*COVARIATES, 6, "totals", "controls", value=42), f"{AT} › 6", "controls", "Did you mean 'control'?"),
    "tally of one arm": (drop(*COVARIATES, 6, "totals", "control"), f"{AT} › 6 › totals", "control", "Known: peer support."),
    "tally of more than people can have": (put(*COVARIATES, 6, "totals", "control", value=4401), f"{AT} › 6 › totals › control", 4401, "a whole number, from 0 to 4400, is needed here"),
    "tally in words": (put(*COVARIATES, 6, "column", value="team"), f"{AT} › 6", None, "The column 'team' must be of the type integer."),
    "column made twice": (put(*COVARIATES, 6, value={"kind": "category", "column": "gender", "shares": "gender.shares"}), "design › people", None, "The column 'gender' is made 2 times: leave one."),
    "column that only events make": (drop("design", "events"), "design › people", None, "Nothing makes the column 'readmitted'"),
    # events
    "events elsewhere": (put(*EVENTS, "table", value="visits"), "design › events › table", None, "It must be the table of people, 'participants'."),
    "events in no column": (put(*EVENTS, "column", value="readmited"), "design › events › column", "readmited", "Did you mean 'readmitted'?"),
    "events in words": (put(*EVENTS, "column", value="team"), "design › events › column", None, "The column 'team' must be of the type integer."),
    "events of no model": (put(*EVENTS, "model", value="readmision"), "design › events › model", "readmision", "Did you mean 'readmission'?"),
    "events by a model of another family": (put(*EVENTS, "model", value="time_to_readmission"), "design › events › model", None, "It must name a model of the family 'logistic'."),
    "model of another table": (put("models", "readmission", "table", value="visits"), "design › events › model", None, "It must name a model of the table 'participants'."),
    "outcome of no arm": (put(*EVENTS, "seen", "controls", value=216), "design › events › seen", "controls", "Did you mean 'control'?"),
    "outcome of one arm": (drop(*EVENTS, "seen", "control"), "design › events › seen", "control", "Known: peer support."),
    "outcome of more than there are": (put(*EVENTS, "seen", "control", value=221), "design › events › seen › control", None, "221 people cannot have the outcome: the arm 'control' has fewer."),
    "events not given": (drop(*EVENTS, "yes", "control"), "design › events", None, "Give the arm 'control' a number in 'yes', or a 'share'"),
    "more events than outcomes": (put(*EVENTS, "yes", "control", value=217), "design › events › yes › control", None, "More people of the arm 'control' have the event than have the outcome."),
    "events of a fraction": (put(*EVENTS, "yes", "control", value="readmitted.or.hi"), "design › events › yes › control", "readmitted.or.hi", "It means 0.99: a whole number"),
    "share of events above one": (both(drop(*EVENTS, "yes", "control"), put(*EVENTS, "share", value={"control": "adverse.spread"})), "design › events › share › control", "adverse.spread", "a number from 0 to 1 is needed here"),
    "liability to more than one": (put("assumptions", "readmitted.health", "value", value="5"), "design › events › health", "readmitted.health", "a number from -1 to 1 is needed here"),
    "events without people": (drop("design", "people"), "design", None, "Scales belong to people: add 'people'."),
    # durations
    "times in no column": (both(put(*DURATIONS, "time", value="day"), put("models", "time_to_readmission", "time", value="days")), "design › durations › time", "day", "Did you mean 'days'?"),
    "times of another column": (put("models", "time_to_readmission", "time", value="age"), "design › durations › time", None, "takes its times from the column 'age': name that one."),
    "times without a claim": (lambda data: [claim["by"].update(model="time_to_readmission_in_the_year") for claim in data["claims"].values() if claim.get("by", {}).get("model") == "time_to_readmission"] and data["models"]["time_to_readmission_in_the_year"].pop("instead_of"), "design › durations › model", None, "No claim is on the model 'time_to_readmission'"),
    "times of another family": (put(*DURATIONS, "model", value="readmission"), "design › durations › model", None, "It must name a model of the family 'cox'."),
    "shape below zero": (put("assumptions", "days.shape", "value", value="-0.75"), "design › durations › shape", "days.shape", "a number of 0 or more"),
    "follow-up upside down": (put(*DURATIONS, "follow_up", value=["followed.most", "followed.least"]), "design › durations › follow_up", None, "The shortest follow-up comes first, not 548 before 366."),
    "follow-up of no number": (put(*DURATIONS, "follow_up", 1, value="followed.longest"), "design › durations › follow_up › 1", "followed.longest", "No claim or assumption of that name holds one number."),
    "follow-up beyond the column": (put("assumptions", "followed.most", "value", value="600"), "design › durations › follow_up", None, "It ends at 600, which the column 'days' does not hold"),
    "follow-up of no time": (put(*DURATIONS, "follow_up", value=[0, 0]), "design › durations › follow_up", None, "It ends at 0"),
    "follow-up shorter than the year": (put(*DURATIONS, "follow_up", 0, value=300), "design › durations › follow_up", None, "It begins at 300, before 365, by which the column 'readmitted' says who had the event: follow everyone to then."),
    "within no column": (put(*DURATIONS, "within", "column", value="readmited"), "design › durations › within › column", "readmited", "Did you mean 'readmitted'?"),
    "within what says nothing of it": (put(*DURATIONS, "within", "column", value="age"), "design › durations › within › column", None, "The column 'age' does not say who had the event by then: name another column, whose values are 0 and 1."),
    "within what is made with it": (put(*DURATIONS, "within", "column", value="readmission"), "design › durations › within › column", None, "name another column"),
    "within no time": (put(*DURATIONS, "within", "until", value="year.days"), "design › durations › within › until", "year.days", "Did you mean 'year.all.days'?"),
    "later events of no arm": (put(*DURATIONS, "later", "controls", value=9), "design › durations › later", "controls", "Did you mean 'control'?"),
    "later events of too many": (put(*DURATIONS, "later", "control", value=134), "design › durations › later › control", 134, "a whole number, from 0 to 133, is needed here"),
    "fewer events in all than in the year": (put(*DURATIONS, "events", value={"control": 82}), "design › durations › events › control", 82, "a whole number, from 83 to 216, is needed here"),
    # scales
    "two makers of a table": (put("design", "cells", value={"table": "visits", "rows": [{"people": 1, "values": {"month": 0}}]}), "design › cells › table", None, "The table 'visits' is made by 'scales' already"),
    "visits of nobody": (put("tables", "visits", "key", value=["id", "symptoms"]), "design › scales › table", None, "give it the parent 'participants' and the key ['id', 'month']"),
    "score that nothing makes": (drop(*SCALES, "outcomes", "network"), "design › scales › outcomes", None, "Nothing makes the column 'network' of 'visits': add an outcome, or take the column out."),
    "scale of measurements": (put("tables", "visits", "columns", "network", "type", value="number"), "design › scales › outcomes › network", None, "The column 'network' must be of the type integer."),
    "visits out of order": (put(*SCALES, "months", value=[0, 18, 4]), "design › scales › months", [0, 18, 4], "Give each visit once, in the order of time."),
    "scale without correlation": (drop(*SCALES, "outcomes", "network", "r"), "design › scales › outcomes › network", None, "The field 'r' is missing"),
    "correlation beyond one": (put("assumptions", "network.r", "value", value="7"), "design › scales › outcomes › network › r", "network.r", "a number from -1 to 1"),
    "mean at no visit": (put(*SCALES, "outcomes", "network", "mean", "6", value="network.mean_0"), "design › scales › outcomes › network › mean", "6", "Known: 0, 4, 18."),
    "mean of no arm": (put(*SCALES, "outcomes", "network", "mean", "4", "controls", value="network.mean_0"), "design › scales › outcomes › network › mean › 4", "controls", "Did you mean 'control'?"),
    "mean of one arm": (drop(*SCALES, "outcomes", "network", "mean", "4", "control"), "design › scales › outcomes › network › mean › 4", "control", "Known: peer support."),
    "mean off the scale": (put("assumptions", "network.mean_0", "value", value="31"), "design › scales › outcomes › network › mean › 0 › peer support", "network.mean_0", "It means 31: a number from 0 to 30 is needed here."),
    "spread at one visit": (put(*SCALES, "outcomes", "network", "sd", value={"0": "network.sd"}), "design › scales › outcomes › network › sd", "4", "Known: 0."),
    "negative spread of a scale": (put("assumptions", "network.sd", "value", value="-6"), "design › scales › outcomes › network › sd › 0 › peer support", "network.sd", "a number of 0 or more"),
    "losses of one arm": (drop(*SCALES, "losses", "seen", "control"), "design › scales › losses › seen", "control", "Known: peer support."),
    "losses of a fraction": (put(*SCALES, "losses", "seen", "control", 0, value="age.mean"), "design › scales › losses › seen › control", "age.mean", "It means 40.2: a whole number"),
    "more return than were missed": (put("assumptions", "interviewed.return", "value", value="30"), "design › scales › losses › return", "interviewed.return", "a number from 0 to 1"),
}  # fmt: skip


def assert_refused(data: dict[str, Any], study: Study, edit: Edit, field: str, value: Any, remedy: str) -> None:
    edit(data)
    with pytest.raises(StudyError) as caught:
        load_as(data, study.folder)
    error = caught.value
    assert (error.file, error.field, error.value) == (str(study.file), field, value), error
    assert remedy in error.remedy
    assert str(error).startswith(f"{error.file}: {field}") and error.remedy in str(error)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_with_file_field_value_and_remedy(data, fault, harp):
    assert_refused(data, harp, *FAULTS[fault])


@pytest.mark.parametrize("fault", CRISIS_FAULTS)
def test_fault_of_models_statistics_and_parts_is_named_with_file_field_value_and_remedy(crisis_data, fault, crisis):
    assert_refused(crisis_data, crisis, *CRISIS_FAULTS[fault])


def load_as(data: Any, folder: Path) -> Study:
    """The study in `folder`, its file read as `data` (reading the YAML is most of the time of loading)."""
    with mock.patch.object(studies, "_parse", return_value=data):
        return load(folder)


def test_unchanged_data_written_out_again_are_loaded(write_study, data, harp):
    assert load(write_study(data)).claims.keys() == harp.claims.keys()


def test_long_value_is_shortened_in_the_message(write_study, data):
    put("claims", "pcs.harp.est", "kind", value="x" * 500)(data)
    with pytest.raises(StudyError) as caught:
        load(write_study(data))
    assert len(str(caught.value)) < 500 and "…" in str(caught.value)


# Whatever is done to the data, a file is loaded or refused

ODD = st.sampled_from(
    [None, True, False, 0, -1, 6, 1.5, float("nan"), 10**30, "", " ", "x", "0.5", ".046", "<.05", "pcs", "pcs.sd", "HARP", "values", [], [None], ["x"], [0, 6], {}, {"x": 1}, {"visit": [0, 6]}, b"x"]
)  # fmt: skip


def places(node: Any, path: tuple = ()) -> list[tuple]:
    """The path of every node below `node`."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [(*path, key) for key, _ in pairs]
    return found + [deeper for key, value in pairs for deeper in places(value, (*path, key))]


@pytest.fixture(scope="module", params=["harp", "crisis"])
def original(request):
    held = request.getfixturevalue(f"_{request.param}_data")
    return request.getfixturevalue(request.param).folder, held, places(held)


@settings(max_examples=40)
@given(draw=st.data())
def test_data_with_odd_nodes_are_loaded_checked_and_peopled_or_refused(original, draw):
    folder, held, paths = original
    data = copy.deepcopy(held)
    for _ in range(draw.draw(st.integers(1, 3))):
        path = draw.draw(st.sampled_from(paths))
        change = draw.draw(st.sampled_from(["drop", "put", "rename", "copy"]))
        try:
            if change == "drop":
                drop(*path)(data)
            elif change == "put":
                put(*path, value=draw.draw(ODD))(data)
            elif change == "rename":
                node = get(data, path)
                drop(*path)(data)
                put(*path[:-1], draw.draw(st.sampled_from(["x", "x.y", "pcs.sd", "visits"])), value=node)(data)
            else:
                put(*path, value=copy.deepcopy(get(data, draw.draw(st.sampled_from(paths)))))(data)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    try:
        loaded = load_as(data, folder)
        assert loaded.claims
        checks.findings(loaded)
        if "people" in loaded.design:
            with design.faults_at(loaded, "people"):
                design.people(loaded)
    except StudyError as error:
        assert error.file and error.field and error.remedy and str(error)


def get(data: Any, path: tuple) -> Any:
    """The node at `path`."""
    for step in path:
        data = data[step]
    return data


def test_no_pattern_is_told_as_a_regular_expression(harp):
    def nodes(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            yield node
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from nodes(each)

    patterned = [node for node in nodes(studies.schema()) if isinstance(node.get("pattern"), str)]
    assert len(patterned) > 3 and all(re.fullmatch(node["pattern"], node["like"]) and not set("^$*\\[") & set(node["said"]) for node in patterned)
