"""Each break changes one thing, and only that."""

from __future__ import annotations

import json

import pytest

from book import notebooks, sabotage

VISITS = "id,visit,pcs,mcs\ns-1,0,30.5,40\ns-1,6,,41\ns-2,0,50.0,42\ns-2,6,49.5,43\n"
STUDY = 'claims:\n  a.n: {printed: "400", kind: number}\n  a.p:\n    kind: number\n    printed: ".046"\n  b.p: {printed: "<.0001", kind: inequality}\n  c: {kind: words}\n'


@pytest.mark.parametrize(("words", "other"), [(".046", ".047"), ("2.9", "2.8"), ("<.0001", "<.0002"), ("12 of", "13 of"), ("three", "four")])
def test_last_digit_is_moved_by_one(words, other):
    assert sabotage.other_digit(words) == other


def test_one_score_of_the_last_visit_is_moved_towards_the_middle():
    assert sabotage.moved_score(VISITS, "pcs", 5) == VISITS.replace("49.5", "44.5")


def test_last_cell_is_edited():
    assert sabotage.other_last_cell(VISITS) == VISITS.replace("49.5,43", "49.5,44")


@pytest.mark.parametrize(("claim", "printed", "other"), [("a.n", "400", "401"), ("a.p", ".046", ".047"), ("b.p", "<.0001", "<.0002")])
def test_one_printed_number_is_changed_and_nothing_else(claim, printed, other):
    assert sabotage.other_print(STUDY, claim, printed) == STUDY.replace(printed, other)


def test_every_number_and_inequality_of_a_study_is_broken(tmp_path):
    (tmp_path / "study.yml").write_text(STUDY)
    assert [each.named for each in sabotage.printed_breaks(tmp_path, tmp_path / "study.yml")] == [("a.n",), ("a.p",), ("b.p",)]


def test_chapter_is_broken_in_four_ways(tmp_path):
    shown = {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": ["p .046"], notebooks.CLAIM: {"claims": []}}}
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [shown], "execution_count": 1,
            "source": "smf.mixedlm(\"pcs ~ C(visit) * C(arm, Treatment('usual care'))\", d * 2)"}  # fmt: skip
    path = tmp_path / "a.ipynb"
    notebooks.write(path, {"cells": [cell], "metadata": {}})
    before = path.read_text()
    broken = [json.loads(each.change(before))["cells"][0] for each in sabotage.chapter_breaks(tmp_path, path)]
    assert broken[0]["outputs"][0]["data"]["text/plain"] == "p .047"
    assert broken[1]["outputs"] == [] and broken[1]["execution_count"] == 1
    assert broken[2]["outputs"] == [] and broken[2]["execution_count"] is None
    assert broken[3]["source"] == cell["source"].replace(" * C", " + C")
