"""Each break changes one thing, and only that."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from asprinted import records
from asprinted.chapter import null_value
from asprinted.reanalysis import Reanalysis
from asprinted.study import load
from asprinted.verdict import judge
from book import notebooks, sabotage, sabotage_evidence
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "data" / name for name in ("harp-trial", "crisis-readmission-trial", "lloyd-evans-2014", "peer-support-meta-analysis", "care-management-review")]
VISITS = "id,visit,pcs,mcs\ns-1,0,30.5,40\ns-1,6,,41\ns-2,0,50.0,42\ns-2,6,49.5,43\n"
STUDY = 'claims:\n  a.n: {printed: "400", kind: number}\n  a.p:\n    kind: number\n    printed: ".046"\n  b.p: {printed: "<.0001", kind: inequality}\n  c: {kind: words}\n'


@pytest.mark.parametrize(("words", "other"), [(".046", ".047"), ("2.9", "2.8"), ("<.0001", "<.0002"), ("12 of", "13 of"), ("three", "four")])
def test_last_digit_is_moved_by_one(words, other):
    assert sabotage.other_digit(words) == other


def test_one_score_of_the_last_visit_is_moved_towards_the_middle():
    assert sabotage.moved_score(VISITS, "visit", "pcs", 5) == VISITS.replace("49.5", "44.5")


def test_score_of_a_month_is_moved_as_it_is_written():
    months = "id,month,mood,sleep\ns-1,4,12,4\ns-1,18,30,4\ns-2,4,10,4\ns-2,18,,4\n"
    assert sabotage.moved_score(months, "month", "mood", 5) == months.replace("18,30", "18,25")


def test_last_visit_is_the_last_at_which_the_score_was_taken():
    months = "id,month,mood\ns-1,4,12\ns-1,18,\ns-2,4,30\ns-2,18,\n"
    assert sabotage.moved_score(months, "month", "mood", 5) == months.replace("4,12", "4,17")


@pytest.mark.parametrize(("header", "found"), [("id,visit,pcs", ("visit", "pcs")), ("id,month,mood,sleep", ("month", "mood")), ("id,month", ("", "")), ("id,arm,age", ("", "")), ("id", ("", ""))])
def test_score_is_known_by_the_visit_or_month_before_it(tmp_path, header, found):
    (tmp_path / "a.csv").write_text(f"{header}\n", encoding="utf-8")
    assert sabotage.score_column(tmp_path / "a.csv") == found


TIMES = "id,days,event\ns-1,30,0\ns-2,90,1\ns-3,12,1\ns-4,,\ns-5,400,0\n"


def test_one_person_is_changed_and_nothing_else():
    changed = sabotage.other_person(TIMES, "event", lambda rows: rows[2], lambda row: str(1 - int(row["event"])))
    assert changed == TIMES.replace("12,1", "12,0")


def test_shortest_time_to_an_event_is_not_that_of_somebody_followed_to_the_end():
    assert sabotage.shortest(list(csv.DictReader(io.StringIO(TIMES.replace("12,1", "120,1")))), "days", "event")["id"] == "s-2"


def test_longest_time_is_the_largest_number_and_not_the_last_word():
    assert sabotage.max_of(TIMES, "days") == "400"  # "90" is the last word


def test_claims_on_a_column_are_those_that_use_it_by_name_in_a_filter_or_in_a_model():
    study = load(FOLDERS[1])
    on = {column: set(sabotage.claims_on(study, column)) for column in ("days", "readmitted", "readmission", "sessions", "team", "month", "age")}
    model = {f"time.hr.{name}" for name in ("est", "lo", "hi", "p", "direction")}
    assert model <= on["days"] and model <= on["readmission"] and not model & on["readmitted"]
    assert {"time.control.median", "year.readmitted.latest", "later.control.events", "readmitted.or.p"} <= on["readmitted"]
    assert on["age"] == {"age.mean", "age.sd"}
    assert on["sessions"] == {"sessions.three_or_more.percent", "sessions.all_ten.percent", "sessions.offered.n", "sessions.shares"}
    assert {"teams.all.n", "readmitted.or.est"} <= on["team"] and "readmitted.reduction.percent" not in on["team"]
    assert {"satisfaction.diff.est", "secondary.month_4.p", "symptoms.r", "interviewed.return"} <= on["month"]


def differs(analysis: Reanalysis, name: str) -> bool:
    """Whether a claim is no longer what is expected of it, or an assumption lies outside its bounds."""
    study = analysis.study
    if name in study.claims:
        claim = study.claim(name)
        return claim.kind != "context" and not judge(claim, analysis.value(claim.by), null_value(study, name)).as_expected
    entry = study.assumptions[name]
    return bool(entry.bounds) and not float(entry.bounds[0]) <= analysis.value(entry.by) <= float(entry.bounds[1])


@pytest.mark.parametrize(("folder", "number"), [(FOLDERS[0], 1), (FOLDERS[1], 3), (FOLDERS[2], 5), (FOLDERS[3], 5), (FOLDERS[4], 15)], ids=lambda value: getattr(value, "name", ""))
def test_break_of_one_person_or_trial_changes_one_cell_and_differs_in_a_claim_that_it_names(tmp_path, folder, number):
    study, copy = load(folder), Path(shutil.copytree(folder, tmp_path / folder.name))
    breaks = [each for kind in (sabotage.people_breaks, sabotage.trial_breaks, sabotage_evidence.evidence_breaks) for each in kind(ROOT, folder)]
    breaks = [each for each in breaks if each.path.endswith(".csv") and each.first == sabotage.Break.first]
    assert len(breaks) == number
    for each in breaks:
        before = (ROOT / each.path).read_text(encoding="utf-8")
        after = each.change(before)
        [(old, new)] = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
        assert sum(one != other for one, other in zip(old.split(","), new.split(","), strict=True)) == 1
        (copy / Path(each.path).name).write_text(after, encoding="utf-8")
        changed = dataclasses.replace(study, folder=copy)
        tables = records.read(changed)
        (copy / Path(each.path).name).write_text(before, encoding="utf-8")
        assert any(differs(Reanalysis(changed, tables), name) for name in each.named), each.name


def test_claims_on_a_column_of_effects_are_those_of_the_model_that_takes_it():
    study = load(FOLDERS[3])
    pooled = set(sabotage.claims_on(study, "mean_peer"))
    assert {"recovery.all.est", "anxiety.all.hi", "recovery.i2"} <= pooled and "trials.all.n" not in pooled
    assert pooled == set(sabotage.claims_on(study, "direction")) == set(sabotage.claims_on(study, "n_control"))
    assert {"people.all.n"} == set(sabotage.claims_on(study, "n"))


def test_break_of_a_rule_changes_one_bound_and_differs_in_a_claim_that_it_names(tmp_path):
    folder = FOLDERS[4]
    copy = Path(shutil.copytree(folder, tmp_path / "data" / folder.name))
    shutil.copytree(FOLDERS[2], tmp_path / "data" / FOLDERS[2].name)
    breaks = [each for each in sabotage_evidence.evidence_breaks(ROOT, folder) if each.path.endswith("study.yml")]
    assert len(breaks) == 3
    before = (folder / "study.yml").read_text(encoding="utf-8")
    for each in breaks:
        after = each.change(before)
        [(old, new)] = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
        assert len(re.findall(r"\d+", old)) == len(re.findall(r"\d+", new)) and re.sub(r"\d", "", old) == re.sub(r"\d", "", new)
        (copy / "study.yml").write_text(after, encoding="utf-8")
        changed = load(copy)
        analysis = Reanalysis(changed, records.read(changed))
        assert any(differs(analysis, name) for name in each.named if name in changed.claims), each.name


def test_bound_that_a_rule_does_not_have_is_no_break():
    with pytest.raises(BookError, match="rules.some.filter.year.to"):
        sabotage.other_bound("rules:\n  some:\n    filter: {year: {from: 1995}}\n", "some", "year", "to", 2000)


def test_value_that_a_filter_does_not_want_is_the_next_beyond_a_range_or_another_of_the_column():
    assert [sabotage_evidence.unwanted(wanted, {}) for wanted in ({"from": 1995, "to": 2012}, {"to": 2012}, {"from": 1995})] == ["2013", "2013", "1994"]
    assert [sabotage_evidence.unwanted(wanted, {"values": ["a", "b", "c"]}) for wanted in ("a", "b", ["a", "b"])] == ["b", "a", "c"]


def test_break_that_names_a_test_names_one_that_is_there():
    named = [each for each in sabotage_evidence.evidence_breaks(ROOT, FOLDERS[4]) if each.first != sabotage.Break.first]
    assert len(named) == 3
    for each in named:
        tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / each.first).glob("*.py"))
        assert re.search(rf"^def test_\w*{each.named[0]}\w*\(", tests, re.M), each.name


def test_break_of_a_page_changes_one_line_of_it():
    for each in sabotage.page_breaks(ROOT):
        before = (ROOT / each.path).read_text(encoding="utf-8").splitlines()
        after = each.change("\n".join(before)).splitlines()
        assert len([line for line in after if line not in before]) + len(before) - len(after) == 1, each.name


def test_study_without_trials_or_evidence_has_none_to_break():
    assert list(sabotage.trial_breaks(ROOT, FOLDERS[0])) == list(sabotage_evidence.evidence_breaks(ROOT, FOLDERS[0])) == []


def test_study_without_people_has_nobody_to_break(tmp_path):
    folder = Path(shutil.copytree(FOLDERS[0], tmp_path / "data" / "harp-trial"))
    text = (folder / "study.yml").read_text(encoding="utf-8")
    people = re.search(r"(?ms)^  people:\n.*?(?=^  cells:)", text)[0]
    (folder / "study.yml").write_text(text.replace(people, ""), encoding="utf-8")
    assert list(sabotage.people_breaks(tmp_path, folder)) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_break_of_a_real_study_has_its_own_name_and_changes_its_file(folder):
    before = {path: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    kinds = (sabotage.record_breaks, sabotage.people_breaks, sabotage.trial_breaks, sabotage_evidence.evidence_breaks)
    breaks = [*(each for kind in kinds for each in kind(ROOT, folder)), *sabotage.printed_breaks(ROOT, folder / "study.yml")]
    assert len({each.name for each in breaks}) == len(breaks)
    for each in breaks:
        assert each.named and each.change(before[ROOT / each.path]) != before[ROOT / each.path], each.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_break_of_a_printed_number_stands_in_the_entry_of_its_claim(folder):
    before = (folder / "study.yml").read_text(encoding="utf-8")
    lines = before.splitlines()
    for each in sabotage.printed_breaks(ROOT, folder / "study.yml"):
        [place] = [number for number, (old, new) in enumerate(zip(lines, each.change(before).splitlines(), strict=True)) if old != new]
        entry = next(found[1] for line in reversed(lines[: place + 1]) if (found := re.match(r"  ([a-z][\w.]*):", line)))
        assert (entry,) == each.named and "printed:" in lines[place]


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
