"""Variants: one student's records, a roster's folders, the answer key; on processes and on a cluster, killed and run again."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asprinted import printed, reanalysis, records
from asprinted.cli import main
from asprinted.study import Study, StudyError, load, schema, starts
from asprinted.synthesis import scores
from asprinted.synthesis.design import generator
from asprinted.variants import analyses, answers, asking, descriptions, drawing, folders, make, make_all, making, marking, roster, running, ties
from asprinted.variants.progress import Progress
from tests.asprinted.kinds import KINDS
from tests.asprinted.kinds.report import loaded

ROSTER = ["ada", "ben", "cleo"]


@pytest.fixture
def small(data: dict[str, Any]) -> dict[str, Any]:
    """What a study file of one score of a trial's people holds: quick to make, with a model, a p value and assumptions."""
    data["tables"].pop("pilot")
    data["design"].pop("cells")
    columns = data["tables"]["visits"]["columns"]
    for name in ("mcs", "recovery", "activation", "self_efficacy", "symptoms"):
        columns.pop(name)
    data["design"]["scores"]["outcomes"] = {"pcs": data["design"]["scores"]["outcomes"]["pcs"]}
    data["models"] = {"lmm": data["models"]["lmm"]}

    def kept(entry: dict[str, Any]) -> bool:
        by = entry.get("by", {})
        about = by.get("column", by.get("outcome", "pcs"))
        return by.get("table") != "pilot" and by.get("model", "lmm") == "lmm" and (by.get("table") == "participants" or about in ("pcs", "visit"))

    data["claims"] = {id: entry for id, entry in data["claims"].items() if kept(entry)}
    data["assumptions"] = {id: entry for id, entry in data["assumptions"].items() if kept(entry) and id != "people.duplicates"}
    data["assumptions"]["pcs.r"]["bounds"] = ["0.5", "0.95"]
    return data


@pytest.fixture
def trial(small: dict[str, Any], load_data: Callable[..., Study]) -> Study:
    return load_data(small)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where variants are put."""
    return tmp_path / "out"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def here(study: Study, out: Path, students: list[str] = ROSTER, **options: Any) -> running.Report:
    return make_all(study, students, "spring", out, out / "key", **{"sample": 0} | options)


# One student

def test_a_variant_is_the_same_bytes_every_time_and_other_bytes_for_another_student_or_course(trial):
    first = make(trial, "spring", "ada")
    assert make(trial, "spring", "ada") == first
    others = [make(trial, "spring", "ben"), make(trial, "autumn", "ada")]
    assert all(other.contents["visits.csv"] != first.contents["visits.csv"] for other in others)
    assert others[0].contents["visits.csv"] != others[1].contents["visits.csv"]


def test_a_variant_prints_every_claim_when_it_is_read_again(trial, tmp_path):
    made = make(trial, "spring", "ada")
    there = replace(trial, folder=tmp_path / "ada")
    there.folder.mkdir()
    records.write_whole(there.folder, made.contents)
    tables = records.read(there)
    assert reanalysis.differing(reanalysis.verdicts(trial, tables), reanalysis.assumptions_kept(trial, tables)) == []
    assert json.loads(made.contents["datapackage.json"])["name"] == trial.slug


def test_the_answers_are_the_claims_with_what_the_records_give(trial):
    made = make(trial, "spring", "ada")
    found = {each.question: each for each in made.answers}
    assert set(found) == {id for id, claim in trial.claims.items() if claim.by}
    answer = found["pcs.change.p"]
    assert answer.answer == answer.printed == ".046" and printed.agrees(float(answer.value), ".046") and answer.value != "0.046"
    assert (answer.low, answer.high) == ("0.0455", "0.0465")
    assert found["visits.all.schedule"].answer == "0; 3; 6" and found["visits.all.schedule"].low == ""


def test_a_study_whose_claims_cannot_be_printed_is_refused_by_student_and_file(small, load_data):
    small["claims"]["pcs.usual_care.est"]["printed"] = "9.9"
    trial = load_data(small)
    with pytest.raises(StudyError, match=r"some-trial/study\.yml.*no variant for 'ada'") as caught:
        make(trial, "spring", "ada")
    assert "pcs" in str(caught.value)


def test_a_search_that_is_in_vain_once_is_begun_anew_with_other_random_numbers(trial, monkeypatch):
    plain, calls, visits = make(trial, "spring", "ada"), [], scores.visits

    def once_in_vain(study: Study, *rest: Any) -> Any:
        calls.append(study.slug)
        if len(calls) == 1:
            raise StudyError(study.file, "design", None, "No scores were found.")
        return visits(study, *rest)

    monkeypatch.setattr(scores, "visits", once_in_vain)
    again = make(trial, "spring", "ada")
    assert len(set(calls)) > 1 and again.contents["visits.csv"] != plain.contents["visits.csv"]
    assert [each.answer for each in again.answers if each.kind == "number"] == [each.answer for each in plain.answers if each.kind == "number"]


# Claims that are varied

def test_a_varied_claim_is_drawn_for_each_student_within_its_range_in_the_printed_style(trial):
    range_ = [drawing.varied(trial, "pcs.harp.est=2.6..3.1")]
    texts = {drawing.drawn(trial, range_, generator(trial, str(seed))).claims["pcs.harp.est"].printed for seed in range(60)}
    assert texts == {"2.6", "2.7", "2.8", "2.9", "3.0", "3.1"}
    p = drawing.drawn(trial, [drawing.varied(trial, "pcs.change.p=.02..0.029")], generator(trial, "p")).claims["pcs.change.p"].printed
    assert p[:2] == ".0" and len(p) == 4


def test_the_order_in_which_ranges_are_given_changes_no_number(trial):
    ranges = [drawing.varied(trial, text) for text in ("pcs.harp.est=1.0..9.0", "pcs.usual_care.est=1.0..9.0")]
    for given in (ranges, ranges[::-1]):
        wanted = drawing.drawn(trial, given, generator(trial, "vary"))
        assert wanted.claims == drawing.drawn(trial, ranges, generator(trial, "vary")).claims
    assert making.fingerprint(trial, "", "ada", ranges) == making.fingerprint(trial, "", "ada", ranges[::-1])


def test_the_records_print_the_number_that_was_drawn_and_the_key_tells_it(trial):
    made = [make(trial, "spring", student, [drawing.varied(trial, "pcs.harp.est=2.6..3.1")]) for student in ("ada", "ben")]
    found = [{each.question: each for each in variant.answers} for variant in made]
    texts = [each["pcs.harp.est"].answer for each in found]
    assert len(set(texts)) > 1 and all(2.6 <= float(text) <= 3.1 for text in texts)
    assert {each["pcs.change.p"].answer for each in found} == {".046"}  # of another contrast: still a target
    assert {each["pcs.harp.est"].printed for each in found} == {"2.7"}  # what the source prints


def test_every_number_that_is_not_varied_prints_as_it_does_in_the_source(trial):
    wanted = drawing.drawn(trial, [drawing.varied(trial, "pcs.change.p=.02..0.03")], generator(trial, "x"))
    assert {id for id, claim in wanted.claims.items() if claim != trial.claims[id]} == {"pcs.change.p"}
    made = make(trial, "spring", "ada", [drawing.varied(trial, "pcs.change.p=.02..0.03")])
    others = [each for each in made.answers if each.kind == "number" and each.question != "pcs.change.p" and each.printed.isascii() and each.printed[0].isdigit()]
    assert len(others) > 3 and all(each.answer == each.printed for each in others)
    assert float(next(each.value for each in made.answers if each.question == "pcs.change.direction")) > 0  # on the same contrast: still met


def with_spread(small: dict[str, Any]) -> dict[str, Any]:
    """The study file's content with mean and SD of one cell printed, as they are in one variant."""
    filter = {"arm": "HARP", "visit": 0}
    for name, text in (("mean", "38.0"), ("sd", "10.0")):
        small["claims"][f"pcs.before.{name}"] = {
            "printed": text, "says": name, "kind": "number", "mark": "P", "source": "abstract", "where": "table 1", "by": {"table": "visits", "column": "pcs", "statistic": name, "filter": filter},
        }  # fmt: skip
    return small


def test_a_number_of_the_same_cell_stays_a_target_unless_it_is_said_to_follow(small, load_data):
    study = load_data(with_spread(small))
    mean = drawing.varied(study, "pcs.before.mean=37.0..39.0")
    kept = drawing.drawn(study, [mean], generator(study, "x"))
    assert kept.claims["pcs.before.sd"] == study.claims["pcs.before.sd"] and kept.claims["pcs.before.mean"].printed != "38.0"
    followed = drawing.drawn(study, [mean, drawing.varied(study, "pcs.before.sd=follows")], generator(study, "x"))
    assert followed.claims["pcs.before.sd"].kind == "context" and followed.claims["pcs.before.mean"] == kept.claims["pcs.before.mean"]


def test_a_number_that_follows_is_no_target_and_stands_in_the_key_as_the_records_give_it():
    study = load(TIED.with_name("peer-led-diabetes-trial"))
    varied = {"mean": "-4.00..-3.00", "mean_lo": "follows", "mean_hi": "follows"}
    ranges = [drawing.varied(study, f"waist_change.peer_led.{name}={text}") for name, text in varied.items()]
    given = {each.question: each for each in make(study, "spring", "ada", ranges).answers}
    mean, low, high = (float(given.pop(each.claim).value) for each in ranges)
    assert -4.005 <= mean <= -2.995 and low < mean < high and abs((low + high) / 2 - mean) < 1e-9
    kept = [each for each in given.values() if study.claims[each.question].expect == "reproduced"]
    assert len(kept) > 30 and all(each.answer == each.printed for each in kept if each.kind == "number")  # the SD of the same people among them
    assert fingerprints(study, ranges) != fingerprints(study, ranges[:1])


def fingerprints(study: Study, ranges: list[drawing.Varied]) -> str:
    return making.fingerprint(study, "spring", "ada", ranges)


# What other print fixes

TIED = Path(__file__).resolve().parents[2] / "data" / "crisis-readmission-trial"
POOLED = TIED.with_name("harp-trial")


@pytest.mark.parametrize(
    ("folder", "text", "holds"),
    [
        (POOLED, "randomised.harp.n=150..190", ["randomised.all.n", "randomised.usual_care.n"]),
        (POOLED, "pilot_visit.ratio.est=1.2..1.6", ["pilot_visit.ratio.lo=follows", "pilot_visit.ratio.hi=follows"]),
        (TIED, "readmitted.control.percent=45..60%", ["readmitted.control.events", "analysed.control.n"]),
        (TIED, "satisfaction.diff.hi=3.2..4.5", ["satisfaction.diff.est=follows", "satisfaction.diff.lo=follows"]),
    ],
)  # fmt: skip
def test_a_number_that_other_print_fixes_is_refused_by_name_before_any_search(folder, text, holds, monkeypatch, out):
    study = load(folder)
    monkeypatch.setattr(making.synthesis, "made", lambda *arguments, **options: pytest.fail("records were searched for"))
    with pytest.raises(StudyError, match="Other print fixes it") as caught:
        make_all(study, ROSTER, "spring", out, out / "key", [drawing.varied(study, text)], sample=0)
    assert all(each in caught.value.remedy for each in holds) and caught.value.field == f"vary › {text.partition('=')[0]}"
    assert not list(out.glob("*/datapackage.json"))


def test_letting_what_holds_a_number_follow_is_what_the_advice_says_it_is():
    study = load(POOLED)
    ranges = [drawing.varied(study, f"pilot_visit.ratio.{text}") for text in ("est=1.2..1.6", "lo=follows", "hi=follows")]
    ties.refuse(study, ranges)  # nothing in print holds it any more
    with pytest.raises(StudyError):
        ties.refuse(study, ranges[:1])


def test_numbers_that_none_of_their_kind_can_be_are_told_in_the_same_order_however_they_are_asked(monkeypatch):
    def impossible(study: Study) -> None:
        raise ValueError("a pool has one trial or more")

    monkeypatch.setattr(ties.checks, "findings", impossible)
    ids = ["pilot_visit.ratio.lo", "pcs.change.p", "pilot_visit.ratio.hi", "pilot_visit.ratio.est"]
    for order in (ids, ids[::-1]):
        assert ties.contradiction(load(POOLED), dict.fromkeys(order)).ids == tuple(sorted(ids))


def test_a_claim_that_no_finished_student_has_an_answer_to_is_told_as_none(write_study, small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(running, "make_all", lambda *given: running.Report(shared={"pcs.harp.est": {}}))
    (tmp_path / "roster.csv").write_text("id\nada\n", "utf-8")
    assert main(["variants", str(write_study(small)), "--roster", str(tmp_path / "roster.csv"), "--out", str(tmp_path / "out")]) == 0
    assert "pcs.harp.est: 0 students have 0 different answers\n" in capsys.readouterr().out


def test_a_number_of_a_range_that_print_rules_out_is_passed_over_without_a_search(monkeypatch):
    study, asked = load(TIED), []

    def made(wanted: Study, **options: Any) -> None:
        asked.append([wanted.claims[f"readmitted.control.{name}"].printed for name in ("events", "percent")])
        raise StudyError(wanted.file, "design", None, "No records.")

    monkeypatch.setattr(making.synthesis, "made", made)
    with pytest.raises(StudyError, match="No records"):
        make(study, "spring", "ada", [drawing.varied(study, "readmitted.control.percent=38..39%"), drawing.varied(study, "readmitted.control.events=81..85")])
    assert asked and all(printed.agrees(100 * int(events) / 216, percent) for events, percent in asked)


def test_a_range_for_which_no_records_are_found_is_refused_before_the_roster_is_begun(trial, out):
    told: list[tuple[int, int]] = []
    with pytest.raises(StudyError, match=r"vary › pcs\.harp\.est.*1\.3.*State another range"):
        make_all(trial, ROSTER, "spring", out, out / "key", [drawing.varied(trial, "pcs.harp.est=1.2..1.3")], sample=0, tell=lambda *done: told.append(done))
    assert told == []


def test_the_list_says_what_can_be_varied_and_with_what_else():
    found = ties.listed(load(POOLED))
    assert found["pcs.change.p"] == [] and set(found["pilot_visit.ratio.est"]) == {"pilot_visit.ratio.lo", "pilot_visit.ratio.hi"}
    assert set(found["pilot_visit.ratio.hi"]) == {"pilot_visit.ratio.est", "pilot_visit.ratio.lo"}
    assert set(found["randomised.all.n"]) == {"randomised.harp.n", "randomised.usual_care.n"}
    assert "pcs.change.direction" not in found and "clinics.all.n" not in found


def test_a_number_that_follows_is_still_where_its_draw_starts():
    study = load(TIED.with_name("peer-led-diabetes-trial"))  # nothing else says how old these people are, or how many are women
    ranges = [drawing.varied(study, f"{id}=follows") for id in ("age.mean", "woman.percent")]
    given = [{each.question: float(each.value) for each in make(study, "spring", student, ranges).answers if each.question in ("age.mean", "woman.percent")} for student in ROSTER]
    assert all(48 < each["age.mean"] < 57 and 70 < each["woman.percent"] < 82 for each in given)
    assert any(not printed.agrees(each["age.mean"], study.claims["age.mean"].printed) for each in given)
    followed = drawing.following(study, ranges)
    assert set(starts.starts(followed, {"column": "woman", "kind": "yes-no", "share": "woman.percent"}, "share").values()) == {0.76}  # in per cent, as it was printed


def test_where_what_follows_is_to_blame_the_refusal_says_so_and_gives_no_advice_that_caused_it(monkeypatch):
    study = load(TIED.with_name("peer-led-diabetes-trial"))
    ranges = [drawing.varied(study, f"hba1c_change.peer_led.{text}") for text in ("mean=-1.10..-1.00", "mean_lo_in_table=follows", "mean_hi=follows")]

    def made(study: Study, **options: Any) -> None:
        raise StudyError(study.file, "design › outcomes › age", "mean", "Nothing says where it starts." if study.followed else "No values were found.")

    monkeypatch.setattr(making.synthesis, "made", made)
    with pytest.raises(StudyError) as caught:
        making.refuse(study, "spring", ranges)
    said = str(caught.value)
    assert "With hba1c_change.peer_led.mean_lo_in_table=follows and hba1c_change.peer_led.mean_hi=follows alone" in said and "design › outcomes › age: Nothing says where it starts." in said
    assert "Take one of these away again" in said and "State another range" not in said and "…" not in said
    monkeypatch.setattr(making.ties, "refuse", lambda *arguments: None)
    monkeypatch.setattr(making.ties, "contradiction", lambda *arguments: None)
    with pytest.raises(StudyError) as caught:
        making.refuse(study, "spring", [drawing.varied(study, "hba1c_change.peer_led.mean=-1.10..-1.00"), drawing.varied(study, "waist_change.peer_led.mean=-3.50..-3.20")])
    said = str(caught.value)
    assert "hba1c_change.peer_led.mean −1.10, waist_change.peer_led.mean −3.50" in said and "…" not in said
    assert said.endswith("let the claims that hold hba1c_change.peer_led.mean and waist_change.peer_led.mean follow.")


def test_what_holds_others_is_no_free_number_and_is_told_with_those():
    assert ties.limits({"a": [], "b": ["a", "c"], "c": [], "d": [], "e": ["a"]}) == {"a": ["b", "e"], "c": ["b"]}
    found = ties.listed(load(TIED))
    assert found["time.hr.p"] == [] and set(ties.limits(found)["time.hr.p"]) == {"time.hr.est", "time.hr.lo", "time.hr.hi"}


def test_the_list_tells_free_numbers_from_those_that_hold_others(monkeypatch, capsys):
    monkeypatch.setattr(ties, "listed", lambda study: {"satisfaction.diff.est": [], "satisfaction.diff.lo": ["satisfaction.diff.est"], "analysed.control.n": []})
    assert main(["variants", str(TIED), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    free, limited, tied = (next(place for place, line in enumerate(lines) if line.startswith(start)) for start in ("These can be varied, as", "These can be varied alone as far", "These are tied"))
    assert [line.split()[0] for line in lines[free + 1 : limited]] == ["analysed.control.n"]
    assert lines[limited + 1].startswith("  satisfaction.diff.est ") and lines[limited + 1].endswith("; with satisfaction.diff.lo") and tied == limited + 2


def test_a_number_printed_twice_is_held_by_its_twin(small, load_data):
    small["claims"]["pcs.again.p"] = small["claims"]["pcs.change.p"] | {"says": "again"}
    study = load_data(small)
    assert ties.listed(study)["pcs.change.p"] == ["pcs.again.p"]
    ties.refuse(study, [drawing.varied(study, "pcs.change.p=.02..0.03"), drawing.varied(study, "pcs.again.p=follows")])


def test_a_number_printed_twice_is_found_whatever_the_order_of_its_filter(small, load_data):
    filter = {"arm": "HARP", "visit": 6}
    for name, text, wanted in (("one", "30.1", filter), ("two", "33.3", dict(reversed(filter.items())))):
        small["claims"][f"pcs.{name}.mean"] = {"says": "x", "kind": "number", "mark": "P", "source": "abstract", "where": "x", "printed": text, "by": {"table": "visits", "column": "pcs", "statistic": "mean", "filter": wanted}}
    study = load_data(small)
    assert ties.contradiction(study, {"pcs.two.mean"}).why == "Both are one number, printed twice."


def test_the_command_lists_what_can_be_varied_without_a_roster_and_wants_one_otherwise(capsys):
    assert main(["variants", str(POOLED), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    free, tied = lines.index(next(line for line in lines if line.startswith("These can"))), lines.index(next(line for line in lines if line.startswith("These are tied")))
    assert free < next(place for place, line in enumerate(lines) if line.startswith("  pcs.change.p ")) < tied
    assert any(line.startswith("  pilot_visit.ratio.est ") and line.endswith("with pilot_visit.ratio.lo, pilot_visit.ratio.hi") for line in lines[tied:])
    assert main(["variants", str(POOLED)]) == 2 and "--roster" in capsys.readouterr().err


def test_an_assumption_is_told_from_a_claim_with_what_to_do(trial):
    with pytest.raises(StudyError, match=r"vary › pcs\.r.*an assumption.*widen its bounds \(0\.5 to 0\.95 now\) in study\.yml"):
        drawing.varied(trial, "pcs.r=0.6..0.7")
    unbound = next(id for id, each in trial.assumptions.items() if each.bounds is None)
    with pytest.raises(StudyError, match=r"an assumption.*change its value in study\.yml\.$"):
        drawing.varied(trial, f"{unbound}=0.6..0.7")


def test_a_range_in_which_nothing_can_be_printed_is_refused_by_name(trial):
    with pytest.raises(StudyError, match=r"vary › pcs\.harp\.est.*1\.3.*State another range"):  # below the change of the other arm, and yet better
        make(trial, "spring", "ada", [drawing.varied(trial, "pcs.harp.est=1.2..1.3")])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pcs.harp.est", "Write a claim"), ("pcs.harp.est=3..2", "smaller first"), ("pcs.harp.est=2.71..2.79", "smaller first"), ("pcs.harp.est=a..b", "cannot be read"),
        ("pcs.harp.est=<2..3", "inequality"), ("pcs.change.direction=1..2", "Only a number"), ("clinics.all.n=2..3", "Only a number"), ("pcs.harp.ext=1..2", "Did you mean"),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_meant_is_refused(trial, text, says):
    with pytest.raises(StudyError, match=says):
        drawing.varied(trial, text)


# What only follows, and what counts hold

PAPERS = Path(__file__).resolve().parents[1] / "papers"


def test_what_is_no_plain_number_can_follow_and_nothing_else(trial):
    assert drawing.varied(trial, "pcs.change.direction=follows").follows
    with pytest.raises(StudyError, match=r"or write pcs\.change\.direction=follows"):
        drawing.varied(trial, "pcs.change.direction=1..2")
    with pytest.raises(StudyError, match="Only a number"):
        drawing.varied(trial, f"{next(id for id, claim in trial.claims.items() if claim.kind == 'context')}=follows")  # no record gives it


def test_an_inequality_that_holds_a_number_is_advised_and_listed_to_follow(monkeypatch, capsys):
    study = load(PAPERS / "fuller-2014")
    ranges = [drawing.varied(study, f"apnoea.or.{text}") for text in ("lo=1.0..1.2", "hi=follows")]
    with pytest.raises(StudyError, match="Other print fixes it") as caught:
        ties.refuse(study, ranges)
    assert "Vary apnoea.or.est with it" in caught.value.remedy and caught.value.remedy.endswith("--vary apnoea.or.p=follows. apnoea.or.p cannot be varied, only follow.")
    ties.refuse(study, [*ranges, drawing.varied(study, "apnoea.or.p=follows")])
    monkeypatch.setattr(ties, "listed", lambda study: {"satisfaction.diff.est": ["satisfaction.diff.lo", "satisfaction.diff.p"]})
    assert main(["variants", str(TIED), "--list"]) == 0
    listed = capsys.readouterr().out
    assert "with satisfaction.diff.lo, satisfaction.diff.p=follows" in listed and "can only follow" in listed


@pytest.mark.parametrize(
    ("paper", "claim", "holds"),
    [
        ("fuller-2014", "diagnosed.nnt", {"diagnosed.monitor", "diagnosed.questionnaire", "n.monitor", "n.questionnaire"}),
        ("stapleton-2013", "abstinent.combination.percent", {"abstinent.combination.n", "treated.combination"}),
        ("taft-2011", "depressed.comparison.percent", {"depressed.comparison.n", "depressed.comparison.seen"}),
        ("stapleton-2013", "or.est", {"abstinent.bupropion.n", "abstinent.nrt.n", "treated.bupropion", "treated.nrt"}),
    ],
)  # fmt: skip
def test_counts_hold_what_is_computed_of_them(paper, claim, holds):
    study = load(PAPERS / paper)
    assert holds <= set(ties._held(study, study.claims[claim]))


def test_what_is_declared_a_misprint_does_not_set_free_what_the_other_print_holds():
    study = load(PAPERS / "stapleton-2013")
    wrong = {id: replace(study.claims[id], printed="1.90", expect="misprint", reason="x") for id in ("or.lo", "or.hi")}
    study = replace(study, claims=study.claims | wrong)
    held = set(ties._held(study, study.claims["or.est"]))
    assert {"abstinent.bupropion.n", "abstinent.nrt.n"} <= held and held.isdisjoint(wrong)


# Questions

def test_words_are_asked_as_a_number_with_decimals_and_the_key_is_as_they_declare(small, load_data):
    by = small["claims"]["pcs.change.p"]["by"]
    for name, declared in (("words", "<0.05"), ("edge", "<0.0458")):
        small["claims"][f"pcs.{name}.p"] = small["claims"]["pcs.change.p"] | {"kind": "words", "printed": None, "declared": declared, "says": "a difference", "expect": "holds", "reason": "x"}
        small["claims"][f"pcs.{name}.p"].pop("printed")
    study = load_data(small)
    assert asking.decimals(study, study.claims["pcs.words.p"]) == 3 and asking.decimals(study, study.claims["visits.all.schedule"]) is None

    class Given:
        def value(self, asked: dict[str, Any]) -> Any:
            return 0.04578 if asked == by else "0; 3; 6" if asked["statistic"] == "values" else 400

    key = {each.question: each for each in answers.answers(study, "ada", Given())}
    assert (key["pcs.words.p"].answer, key["pcs.words.p"].decimals) == ("0.046", "3")
    assert (key["pcs.edge.p"].answer, key["pcs.edge.p"].decimals) == ("0.04578", "3")  # 0.046 is not below 0.0458
    assert key["pcs.change.p"].decimals == "3" and key["visits.all.schedule"].decimals == ""


@pytest.mark.parametrize("slug", ["peer-led-diabetes-trial", "care-management-review"])
def test_the_answer_to_every_statement_that_holds_is_as_it_declares(slug):
    study = load(TIED.with_name(slug))
    key = {each.question: each for each in answers.answers(study, "ada", reanalysis.Reanalysis(study, records.read(study)))}
    stated = {id: each for id, each in key.items() if study.claims[id].expect == "holds" and each.decimals}
    assert stated and all(printed.declared_interval(study.claims[id].declared).contains(printed.parse(each.answer).value) for id, each in stated.items())
    assert all(marking.judged(each, each.answer).mark == "right" for each in key.values())
    assert all(printed.parse(each.answer).decimals == int(each.decimals) for each in stated.values())  # none lies so near its edge here


def test_what_is_of_a_hundred_is_asked_in_per_cent_and_a_sum_with_the_decimals_of_its_column(trial):
    years = {"type": "number", "decimals": 1, "minimum": 0, "maximum": 9, "mark": "P", "says": "years"}
    people = trial.tables["participants"]
    study = replace(trial, tables=trial.tables | {"participants": people | {"columns": people["columns"] | {"years": years}}})
    entry = next(claim for claim in study.claims.values() if claim.kind == "number")

    def write(statistic: str, **changed: Any) -> str:
        claim = replace(entry, kind="words", printed=None, by={"table": "participants", "column": "years", "statistic": statistic}) if not changed else replace(entry, by={"statistic": statistic}, **changed)
        return asking._to_write(claim, asking.decimals(study, claim))

    for statistic in ("reduction", "survival", "incidence", "i2", "percent_below"):
        assert write(statistic, printed="40") == "a whole number, in per cent"
    assert write("survival").endswith(", in per cent") and write("share_at_minimum", printed="0.4") == "1 decimal"  # a share is no percentage
    assert write("sum") == "1 decimal" and write("count") == "a whole number" and write("returned") == "2 decimals"  # a share of people
    of_two = replace(entry, kind="words", printed=None, by={"table": "participants", "column": ["years", "years"], "statistic": "smallest_sum"})
    assert asking.decimals(study, of_two) == 1


def test_the_sheet_asks_what_the_key_answers_and_holds_no_answer(trial):
    asked = asking.questions(trial)
    assert {each.question for each in asked} == {id for id, claim in trial.claims.items() if claim.by and claim.kind != "context"}
    p = next(each for each in asked if each.question == "pcs.change.p")
    assert p.write == "3 decimals" and p.decimals == "3" and "the two-sided p value of" in p.computed and "`pcs`" in p.computed
    rows = list(csv.DictReader(io.StringIO(asking.as_csv(asked).decode())))
    page = asking.as_markdown(trial, asked).decode()
    assert [row["question"] for row in rows] == [each.question for each in asked] and all(f"| `{each.question}` |" in page for each in asked)
    assert ".046" not in page


STUDIES = sorted(file.parent for file in [*TIED.parent.glob("*/study.yml"), *PAPERS.glob("*/study.yml")])


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_a_question_is_told_in_words_with_files_and_columns_as_they_stand(folder):
    study = load(folder)
    page = asking.as_markdown(study, asking.questions(study)).decode()
    known = {table["file"] for table in study.tables.values()} | {column for table in study.tables.values() for column in table["columns"]} | {"datapackage.json", "student", "question", "answer", *study.claims}
    known |= {name for model in study.models.values() for name in (model.get("waves", {}).get("time"), model.get("waves", {}).get("outcome"), *(["baseline"] if "baseline" in model else []))}
    known |= {value for model in study.models.values() for claim in study.claims.values() if claim.by and claim.by.get("model") and "outcome_column" in model for value in [claim.by["outcome"]] if isinstance(value, str)}
    known |= {value for claim in study.claims.values() if claim.by and isinstance(claim.by.get("outcome"), list) for value in claim.by["outcome"]}
    assert set(re.findall(r"`([^`]*)`", page)) <= known
    plain = re.sub(r"`[^`]*`", "", page)
    assert not re.search(r"statistic (?!t\b)|\bcontrast \w+_|\bfilter\b|[a-z]\w*_\w+|\{|None", "\n".join(line for line in plain.splitlines() if "In other words" not in line)), folder.name


@pytest.mark.parametrize("kind", KINDS)
def test_every_question_of_every_kind_is_told_in_words(kind, tmp_path):
    study = loaded((kind,), 0, tmp_path)
    asked = asking.questions(study)
    page = asking.as_markdown(study, asked).decode()
    assert asked and all(f"| `{each.question}` |" in page for each in asked)
    assert not any(word in each.computed for each in asked for word in ("None", "nothing else", "{", "``"))


def test_every_statistic_that_a_claim_can_ask_for_has_words():
    words = {*descriptions.NAMES, *analyses.NAMES}
    assert set(schema()["$defs"]["by"]["properties"]["statistic"]["enum"]) - words == {"share_deviation"}  # of assumptions alone


@pytest.mark.parametrize(
    ("folder", "question", "told"),
    [
        (POOLED, "pcs.change.p", 'the two-sided p value of the difference in the mean of `pcs`, `visit` 6 minus 0, for `arm` "HARP", less the same difference for "usual care"'),
        (POOLED, "pilot_visit.change.p", 'the ratio of two odds ratios, `time` 6 against 0: that for `arm` "HARP" over that for "usual care"'),
        (PAPERS / "stapleton-2013", "treated.nrt", 'how many of the rows of `participants.csv` where `arm` is "nrt" have 1 in `treated`'),
        (PAPERS / "furukawa-2012", "seen.therapy", 'how many of the rows of `visits.csv` where `arm` is "therapy" and `month` is 4 (with `arm` from `participants.csv`) have a value in `depression`'),
        (PAPERS / "furukawa-2012", "depression.therapy", 'the mean of `depression` that the model gives for `arm` "therapy" and `month` 4'),
        (PAPERS / "caqueo-urizar-2011", "burden.p", "the slope, how much `burden` rises for one more in `attitude`"),
        (PAPERS / "fuller-2014", "diagnosed.nnt", 'the number needed to treat: 1 / d, where d is the difference in the share with 1 in `diagnosed`, `arm` "monitor" minus "questionnaire"'),
        (PAPERS / "stenvall-2007", "age.least", "the smallest value of `age` in all rows of `participants.csv`"),
        (PAPERS / "firth-2017", "inactive.hi", 'It takes the rows of `trials.csv` where `outcome` is "anxiety" and `control` is "inactive".'),
    ],
)  # fmt: skip
def test_what_is_asked_says_rows_columns_and_what_is_compared(folder, question, told):
    study = load(folder)
    asked = next(each for each in asking.questions(study) if each.question == question)
    assert told in asked.computed


def test_an_analysis_says_outcome_predictors_and_rows_once_above_its_questions():
    study = load(PAPERS / "stapleton-2013")
    page = asking.as_markdown(study, asking.questions(study)).decode()
    told = "A logistic regression of `abstinent` on `arm`, `depressed` and the interaction of `arm` and `depressed`. It takes the rows of `participants.csv` where `treated` is 1."
    assert page.count(told) == 1 and page.index(told) < page.index("| `interaction.chi2` |") < page.index("| `interaction.p` |")
    assert page.startswith(f"# Questions: {study.title}\n") and "| `interaction.p` | Its p value | the two-sided p value of the ratio of two odds ratios" in page


def test_a_statement_is_told_as_what_the_source_says():
    study = load(PAPERS / "stenvall-2007")
    page = asking.as_markdown(study, asking.questions(study)).decode()
    assert f"| `age.least` | The source says: {study.claims['age.least'].says} | the smallest value of `age`" in page


# Who is in the course

def listed(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "roster.csv").write_text(text, "utf-8")
    return roster.students(tmp_path / "roster.csv")


def test_a_list_of_names_without_a_header_is_refused_and_loses_nobody(tmp_path):
    with pytest.raises(StudyError, match="'Anna'.*put a line 'id' above the names"):
        listed(tmp_path, "Anna\nBea\nCarla\n")
    assert listed(tmp_path, "ID\nAnna\nBea\n") == ["Anna", "Bea"]


def test_a_roster_is_read_from_the_column_id_or_another_that_holds_names(tmp_path):
    assert listed(tmp_path, "name,id\nAda L,al1\n\nBen,b.2\n") == ["al1", "b.2"]
    assert listed(tmp_path, "\ufeffstudent;group\nal1;2\nb-2;1\n") == ["al1", "b-2"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("id\nada\nADA\n", 3, "line 2"), ("id,x\nada,1\n,2\n", 3, "empty"), ("id\nada\n../ben\n", 3, "folder"), ("id\nKEY\n", 2, "folder"), ("id\nnul.x\n", 2, "folder"),
        ("id\na.\n", 2, "folder"), ("id\n-a\n", 2, "folder"), ("id\n", 2, "no student"), ("", 1, "header"), (f"id\n{'a' * 65}\n", 2, "folder"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_folder_is_refused_by_its_line(tmp_path, text, line, says):
    with pytest.raises(StudyError, match=says) as caught:
        listed(tmp_path, text)
    assert caught.value.field.startswith(f"line {line}")


# Variants that are there

MEANS = "pcs.harp.est=2.6..3.1"


def stub(study: Study, course: str, student: str, varied: Any = ()) -> making.Variant:
    """A variant of the right fingerprint without records, at once."""
    package = {"variant": {"fingerprint": making.fingerprint(study, course, student, varied)}}
    answer = answers.Answer(student, "pcs.harp.est", "x", "number", "2.7", "2.7", "2.71", "2.65", "2.75", "half-up", "1")
    return making.Variant(student, {"datapackage.json": json.dumps(package).encode()}, (answer,))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variants made by `stub`, and ranges not tried."""
    monkeypatch.setattr(running, "make", stub)
    monkeypatch.setattr(running, "refuse", lambda study, course, varied: None)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (dict(course="autumn"), "--course was spring, and is autumn now"),
        (dict(varied=MEANS), "--vary was none, and is pcs.harp.est=2.6..3.1 now"),
        (dict(fingerprint="0" * 64), "study.yml has changed"),
    ],
)  # fmt: skip
def test_variants_made_otherwise_are_refused_by_what_differs_before_anything_is_written(trial, out, at_once, changed, says):
    here(trial, out, ["ada", "ben"], workers=1)
    before = tree(out)
    study, course = replace(trial, fingerprint=changed.get("fingerprint", trial.fingerprint)), changed.get("course", "spring")
    varied = [drawing.varied(trial, changed["varied"])] if "varied" in changed else []
    for students in (["ben", "ada"], ["ben"], ["new"]):
        with pytest.raises(StudyError, match="made otherwise") as caught:
            make_all(study, students, course, out, out / "key", varied, workers=1, sample=0)
        assert says in caught.value.remedy and "--replace" in caught.value.remedy and caught.value.file == str(out) and tree(out) == before
    replaced = make_all(study, ["ben"], course, out, out / "key", varied, workers=1, sample=0, replace_others=True)
    after = tree(out)
    assert replaced.made == ["ben"] and after["ben/datapackage.json"] != before["ben/datapackage.json"]
    assert after["ada/datapackage.json"] == before["ada/datapackage.json"] and [each.student for each in answers.read_key(out / "key" / "key.csv")] == ["ben", "ada"]


def test_fewer_students_or_more_leave_all_earlier_keys(trial, out, at_once):
    here(trial, out, ["ada", "ben"], workers=1)
    assert here(trial, out, ["ben"], workers=1).kept == ["ben"]
    assert here(trial, out, ["cleo"], workers=1).made == ["cleo"]
    assert {each.student for each in answers.read_key(out / "key" / "key.csv")} == set(ROSTER)
    with pytest.raises(StudyError, match="capitals do not tell"):
        here(trial, out, ["ADA"], workers=1)


def test_variants_whose_options_nobody_wrote_down_are_still_not_replaced(trial, out, at_once):
    here(trial, out, ["ada"], workers=1)
    (out / "key" / folders.OPTIONS).unlink()
    assert here(trial, out, ["ada"], workers=1).kept == ["ada"]
    (out / "key" / folders.OPTIONS).unlink()
    with pytest.raises(StudyError, match="not written down.*'ada' first"):
        make_all(trial, ["ada"], "autumn", out, out / "key", workers=1, sample=0)


def test_a_refused_run_leaves_no_folder(out):
    with pytest.raises(StudyError, match="Other print fixes it"):
        make_all(load(POOLED), ROSTER, "spring", out, out / "key", [drawing.varied(load(POOLED), "randomised.harp.n=150..190")], sample=0)
    assert not out.exists()


def test_the_teacher_is_told_where_numbers_are_fewer_than_students_and_how_many_share_one(trial, out, at_once):
    told: list[str] = []
    report = here(trial, out, ROSTER, varied=[drawing.varied(trial, "pcs.harp.est=2.6..2.7")], workers=1, note=told.append)
    assert told == ["pcs.harp.est: 3 students, and 2 numbers at most: some share one, and can copy it."]
    assert report.shared == {"pcs.harp.est": {"2.7": 3}}


def test_of_a_range_that_print_allows_in_part_the_part_is_told():
    study = load(TIED)
    (pool,) = ties.pools(study, [drawing.varied(study, "readmitted.control.percent=34..46%")])
    assert pool.of == 13 and pool.texts == ("38%",) and str(pool) == "readmitted.control.percent: of 13 values between 34% and 46%, 38% can be printed with the others"
    both = [drawing.varied(study, text) for text in ("readmitted.control.percent=34..46%", "readmitted.control.events=follows")]
    assert [len(each.texts) for each in ties.pools(study, both)] == [13]
    assert str(ties.Pool("x", ("3", "5", "6"), ("3", "4", "5", "6"), 4)).endswith("3 and 5 to 6 can be printed with the others")


# A roster

def test_a_roster_gives_a_folder_a_student_and_a_key_apart(trial, out):
    report = here(trial, out, workers=1)
    assert sorted(report.made) == ROSTER and not report.kept and not report.failed
    assert sorted(folder.name for folder in out.iterdir()) == [*ROSTER, "key", "questions.csv", "questions.md"]
    for student in ROSTER:
        assert set(tree(out / student)) == {"participants.csv", "visits.csv", "datapackage.json"}
        assert tree(out / student) == {name: content for name, content in make(trial, "spring", student).contents.items()}
    key = answers.read_key(out / "key" / "key.csv")
    assert [each.student for each in key] == [student for student in ROSTER for _ in range(len(key) // 3)]
    assert key == answers.read_key(out / "key" / "key.json") == [answer for student in ROSTER for answer in make(trial, "spring", student).answers]
    with (out / "key" / "key.csv").open(newline="", encoding="utf-8") as lines:
        assert {row["student"] for row in csv.DictReader(lines)} == set(ROSTER)


def test_a_finished_student_is_left_alone_and_a_changed_one_made_again(trial, out):
    here(trial, out, workers=1)
    before = {student: (out / student).stat().st_mtime_ns for student in ROSTER}
    (out / "key" / "ben.answers.json").unlink()  # the answers of one are lost
    report = here(trial, out, ["dan", *ROSTER], workers=1)
    assert sorted(report.made) == ["ben", "dan"] and report.kept == ["ada", "cleo"]
    assert all((out / student).stat().st_mtime_ns == before[student] for student in ("ada", "cleo"))
    other = replace(trial, fingerprint="0" * 64)  # a changed study file
    assert here(other, out, ["ada"], workers=1, replace_others=True).made == ["ada"]
    assert (out / "ben").stat().st_mtime_ns > before["ben"] and here(other, out, ["ada"], workers=1).kept == ["ada"]


def test_a_folder_that_is_no_variant_is_never_overwritten(trial, out):
    (out / "ada").mkdir(parents=True)
    (out / "ada" / "essay.txt").write_text("mine")
    with pytest.raises(StudyError, match="no variant made here"):
        here(trial, out, workers=1)
    assert tree(out / "ada") == {"essay.txt": b"mine"}


def test_what_a_killed_run_left_half_written_is_swept_away(trial, out):
    (out / f"{folders.BESIDE}ada.x").mkdir(parents=True)
    here(trial, out, ["ada"], workers=1)
    assert sorted(folder.name for folder in out.iterdir()) == ["ada", "key", "questions.csv", "questions.md"]


def test_a_student_in_vain_does_not_stop_the_others(trial, out, monkeypatch):
    def of(packed, students, workers, study):
        yield running.Done("ben", "no records print it")
        yield running.Done("ada", make(trial, "spring", "ada"))

    monkeypatch.setattr(running, "_here", of)
    report = here(trial, out, ["ada", "ben"])
    assert report.failed == {"ben": "no records print it"} and report.made == ["ada"]
    assert {each.student for each in answers.read_key(out / "key" / "key.csv")} == {"ada"}


def test_a_second_engine_looks_at_a_sample_and_what_it_computes_otherwise_is_told(trial, out, monkeypatch):
    report = here(trial, out, ["ada", "ben"], workers=1, sample=1)
    assert len(report.sampled) == 1 and report.differences == {}
    monkeypatch.setattr(running.reanalysis.Reanalysis, "value", lambda self, by: 0.5 if by["statistic"] == "p" else 3.0)  # our own fit goes wrong
    lines = running.second_engine(trial, out / "ada")
    assert any("pcs.change.p: .046 by statsmodels, .500 by our own fit" in line for line in lines)


RUN = """
import multiprocessing, os, signal, sys
from pathlib import Path
from asprinted import variants
from asprinted.study import load

def tell(done, total):
    workers = [each.pid for each in multiprocessing.active_children()]
    if done == 2 and sys.argv[3] == "worker":
        os.kill(workers[0], signal.SIGKILL)
    if done == 2 and sys.argv[3] == "parent":
        print(*workers, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    students = ["s0", "s1", "s2", "s3", "s4", "s5"]
    out = Path(sys.argv[2])
    report = variants.make_all(load(Path(sys.argv[1])), students, "spring", out, out / "key", workers=2, sample=0, tell=tell)
    print(len(report.made), len(report.kept))
"""


@pytest.fixture
def run(tmp_path: Path, write_study: Callable[..., Path], small: dict[str, Any], process_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that makes six students' variants in a process of its own, which kills a worker or itself after the second."""
    (tmp_path / "run.py").write_text(RUN)
    folder = write_study(small)

    def run(out: Path, killed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(tmp_path / "run.py"), str(folder), str(out), killed]
        return subprocess.run(command, env=process_environment, capture_output=True, text=True, timeout=120)

    return run


def test_a_worker_that_is_killed_costs_nothing_but_time(run, trial, tmp_path):
    struck = run(tmp_path / "struck", "worker")
    assert struck.stdout.split() == ["6", "0"], struck.stderr
    here(trial, tmp_path / "calm", ["s0", "s1", "s2", "s3", "s4", "s5"], workers=1)
    assert tree(tmp_path / "struck") == tree(tmp_path / "calm")


def test_a_run_that_is_killed_is_completed_by_the_next_which_repeats_nothing(run, trial, out):
    killed = run(out, "parent")
    assert killed.returncode == -signal.SIGKILL
    done = {folder: folder.stat().st_mtime_ns for folder in out.glob("s*")}
    assert 2 <= len(done) < 6
    again = here(trial, out, ["s0", "s1", "s2", "s3", "s4", "s5"], workers=1)
    assert sorted(again.kept) == sorted(folder.name for folder in done) and len(again.made) == 6 - len(done)
    assert {folder: folder.stat().st_mtime_ns for folder in done} == done
    assert len(list(out.glob("s*"))) == 6 and not list(out.glob(".*"))
    workers = [int(pid) for pid in killed.stdout.split()]
    for _ in range(200):  # they end with their parent, as soon as they notice
        if not any(map(_alive, workers)):
            break
        time.sleep(0.05)
    assert workers and not any(map(_alive, workers))


STOP = """
import _thread, sys
from asprinted.cli import main
from asprinted.variants import progress

class Stopping(progress.Progress):
    def __call__(self, done, total):
        super().__call__(done, total)
        if done == int(sys.argv[1]):
            _thread.interrupt_main()

if __name__ == "__main__":
    progress.Progress = Stopping
    sys.exit(main(["variants", *sys.argv[2:]]))
"""


def heed_interrupts() -> None:
    """Let a child be interrupted where this run was started with interrupts ignored, as shells do in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("done", [0, 2])
def test_ctrl_c_ends_a_run_cleanly_says_what_stays_and_leaves_whole_folders(tmp_path, small, write_study, process_environment, done):
    folder, out = write_study(small), tmp_path / "out"
    (tmp_path / "stop.py").write_text(STOP)
    (tmp_path / "roster.csv").write_text("\n".join(["id", *(f"s{n}" for n in range(40))]))
    command = [sys.executable, tmp_path / "stop.py", str(done), folder, "--roster", tmp_path / "roster.csv", "--out", out, "--workers", "2", "--second-engine", "0"]
    ended = subprocess.run(command, env=process_environment, capture_output=True, text=True, timeout=120, preexec_fn=heed_interrupts)
    *progress, last = ended.stderr.splitlines()
    assert ended.returncode == 130 and last.startswith("stopped after ") and f"What stands in {out} is whole and stays" in last and "goes on" in last
    assert progress and all("of 40 variants" in line for line in progress)  # no traceback, no warning of Python's
    whole = list(out.glob("s*"))
    assert done <= len(whole) < 40 and all(len(list(each.iterdir())) == 3 for each in whole) and not list(out.glob(".*"))


def test_a_signal_to_the_whole_group_while_workers_load_brings_no_traceback(tmp_path, small, write_study, process_environment):
    folder, out = write_study(small), tmp_path / "out"
    (tmp_path / "roster.csv").write_text("\n".join(["id", *(f"s{n}" for n in range(40))]))
    command = [sys.executable, "-m", "asprinted", "variants", folder, "--roster", tmp_path / "roster.csv", "--out", out, "--workers", "2", "--second-engine", "0"]
    running = subprocess.Popen(command, env=process_environment, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed_interrupts)
    first = running.stderr.readline()
    time.sleep(0.3)  # the workers are there, and load
    os.killpg(running.pid, signal.SIGINT)
    rest = running.communicate(timeout=60)[1]
    assert first.startswith("0 of 40 variants") and running.returncode == 130
    assert rest.splitlines()[-1].startswith("stopped after ") and "Traceback" not in rest and "leaked" not in rest


class Screen(io.StringIO):
    """A terminal that keeps what is written."""

    def isatty(self) -> bool:
        return True


def test_progress_is_told_while_nothing_is_done_and_ends_with_what_was(capsys):
    stream = io.StringIO()
    with Progress("trying", stream, every=0.01) as tell:
        while stream.getvalue().count("trying") < 2:
            time.sleep(0.005)
        tell(0, 3)
        while stream.getvalue().count("0 of 3 variants") < 3:
            time.sleep(0.005)
        tell(2, 3)
        assert " left" in tell.line() and "2 of 3" in tell.line()
        tell(3, 3)
    assert stream.getvalue().splitlines()[-1].startswith("3 of 3 variants, ")


def test_progress_on_a_terminal_is_one_line_and_where_nothing_is_to_do_there_is_none_in_a_file():
    screen, file = Screen(), io.StringIO()
    with Progress("looking", screen) as tell:
        tell(0, 2)
        tell(2, 2)
    assert screen.getvalue().count("\n") == 1 and screen.getvalue().count("\r") == 2
    with Progress("looking", file):
        pass
    assert file.getvalue() == ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if Path("/proc").is_dir() else True
    except (OSError, IndexError):
        return False


def test_order_number_of_workers_and_a_cluster_do_not_change_a_byte(trial, tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask (the extra `cluster`) is not installed")
    here(trial, tmp_path / "one", workers=1)
    here(trial, tmp_path / "two", ROSTER[::-1], workers=2)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        report = here(trial, tmp_path / "cluster", scheduler=cluster.scheduler_address)
    assert sorted(report.made) == ROSTER
    one, two, on_cluster = (tree(tmp_path / name) for name in ("one", "two", "cluster"))
    assert one == on_cluster
    assert {name: content for name, content in one.items() if "key/key." not in name} == {name: content for name, content in two.items() if "key/key." not in name}


def test_a_scheduler_that_is_not_there_is_named(trial, out, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="Dask (the extra `cluster`) is not installed")

    def refused(*arguments: Any, **options: Any) -> None:
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", refused)
    with pytest.raises(StudyError, match=r"tcp://127\.0\.0\.1:1.*No Dask scheduler answers"):
        here(trial, out, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("slug", ["lloyd-evans-2014", "crisis-readmission-trial"])
def test_any_study_has_variants(slug, tmp_path):
    study = load(Path(__file__).resolve().parents[2] / "data" / slug)
    first, second = (make(study, "spring", student) for student in ("ada", "ben"))
    assert first.contents != second.contents and len(first.answers) == len(second.answers) > 10
