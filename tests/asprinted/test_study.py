"""A study file is loaded, or refused with file, field, value and remedy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from asprinted import study as studies
from asprinted.study import Study, StudyError, load

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
    "file name elsewhere": (put("tables", "pilot", "file", value="../pilot.csv"), "tables › pilot › file", "../pilot.csv", "It must match the pattern"),
    "words without reason": (drop(*WORDS, "reason"), "claims › eligibility.conditions.least", None, "The field 'reason' is missing"),
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
    "test of another family": (put("models", "lmm", "test", value="t"), "models › lmm › test", "t", "Only the family 'linear' has a t test"),
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
    "score upside down": (put("tables", "visits", "columns", "mcs", "minimum", value=99), "design › scores › outcomes › mcs", None, "between a minimum and a larger maximum"),
    "change of no arm": (put("design", "scores", "outcomes", "recovery", "change", value={"HRAP": "recovery.harp_change"}), "design › scores › outcomes › recovery › change", "HRAP", "Did you mean 'HARP'?"),
    "losses of no arm": (put("design", "scores", "losses", "seen", value={"HRAP": [177, 166]}), "design › scores › losses › seen", "HRAP", "Did you mean 'HARP'?"),
    "losses at too many visits": (put("design", "scores", "losses", "seen", "HARP", value=[177, 166, 150]), "design › scores › losses › seen › HARP", None, "Give 2 amounts"),
    "cell of no column": (put("design", "cells", "rows", 0, "values", value={"amr": "HARP"}), "design › cells › rows", "amr", "Did you mean 'arm'?"),
    "cell of no arm": (put("design", "cells", "rows", 0, "values", "arm", value="HRAP"), "design › cells › rows › arm", "HRAP", "Did you mean 'HARP'?"),
    "free counts of no column": (put("design", "cells", "free", "column", value="seen_befor"), "design › cells › free › column", "seen_befor", "Did you mean 'seen_before'?"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_with_file_field_value_and_remedy(data, fault, harp):
    edit, field, value, remedy = FAULTS[fault]
    edit(data)
    with pytest.raises(StudyError) as caught:
        load_as(data, harp.folder)
    error = caught.value
    assert (error.file, error.field, error.value) == (str(harp.file), field, value)
    assert remedy in error.remedy
    assert str(error).startswith(f"{error.file}: {field}") and error.remedy in str(error)


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


@pytest.fixture(scope="module")
def original(_harp_data):
    return _harp_data, places(_harp_data)


@settings(max_examples=60)
@given(draw=st.data())
def test_data_with_odd_nodes_are_loaded_or_refused(original, draw, harp):
    data, paths = copy.deepcopy(original[0]), original[1]
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
        loaded = load_as(data, harp.folder)
    except StudyError as error:
        assert error.file and error.field and error.remedy and str(error)
    else:
        assert loaded.claims


def get(data: Any, path: tuple) -> Any:
    """The node at `path`."""
    for step in path:
        data = data[step]
    return data
