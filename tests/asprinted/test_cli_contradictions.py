"""`asprinted synthesise` on print that contradicts itself: told in words before any search; and records of all but one number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asprinted import checks
from asprinted.cli import BAD_INPUT, DIFFERS, FINE, contradictions, main
from asprinted.study import load

ARMS = {"course": ("60", "41.2", "10.1"), "waiting": ("60", "38.0", "9.9")}
BY_ARM = [{"weight": 1, "at": {"arm": "course"}}, {"weight": -1, "at": {"arm": "waiting"}}]


def study(**changed: str) -> dict:
    """A trial of two arms, one score and a t test; `changed` numbers of the test are printed otherwise."""
    claims = {}
    for arm, texts in ARMS.items():
        for statistic, text in zip(("observed", "mean", "sd"), texts, strict=True):
            claims[f"calm.{arm}.{statistic}"] = {"printed": text, "says": f"{statistic} of calm, {arm}", "by": {"table": "people", "column": "calm", "statistic": statistic, "filter": {"arm": arm}}}
    for statistic, text in ({"est": "3.2", "lo": "-0.4", "hi": "6.8", "p": "0.08"} | changed).items():
        claims[f"calm.test.{statistic}"] = {"printed": text, "says": f"{statistic} of the difference", "by": {"model": "welch", "outcome": "calm", "contrast": "course", "statistic": statistic}}
    model = {"family": "linear", "says": "Welch's test", "table": "people", "formula": "{outcome} ~ arm", "test": "welch", "contrasts": {"course": BY_ARM}}
    return {
        "schema": 1, "title": "A trial", "sources": [{"id": "paper", "reference": "Nobody", "read": "all of it"}],
        "tables": {"people": {"file": "people.csv", "row": "one person", "key": ["id"], "columns": {
            "id": {"type": "string", "required": True, "mark": "A", "says": "who"},
            "arm": {"type": "string", "required": True, "mark": "P", "values": list(ARMS), "says": "which arm"},
            "calm": {"type": "integer", "minimum": 0, "maximum": 100, "mark": "P", "says": "a score"},
        }}},
        "design": {"people": {"table": "people", "arms": {"column": "arm", "sizes": {arm: 60 for arm in ARMS}}}, "outcomes": [{"column": "calm", "kind": "score"}]},
        "models": {"welch": model, "other": model | {"says": "another test", "test": "wald-z", "instead_of": "welch"}},
        "claims": {id: {"kind": "number", "mark": "P", "source": "paper", "where": "abstract"} | claim for id, claim in claims.items()},
        "assumptions": {},
    }  # fmt: skip


@pytest.fixture
def contradictory(write_study) -> Path:
    """The folder of a study whose interval does not stand about its estimate."""
    return write_study(study(hi="5.8"))


def without_times(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(" ")]


def test_sound_print_is_synthesised_without_a_word(write_study, capsys):
    folder = write_study(study())
    assert main(["synthesise", str(folder)]) == FINE
    assert capsys.readouterr().out.splitlines() == [str(folder / name) for name in ("people.csv", "datapackage.json")]


def test_contradiction_is_told_in_words_before_anything_is_searched(contradictory, capsys, monkeypatch):
    monkeypatch.setattr("asprinted.synthesis.synthesise", None)
    assert main(["synthesise", str(contradictory)]) == DIFFERS
    told = capsys.readouterr().out
    for expected in (
        "the printed numbers contradict each other: no records can print them all, so none were made",
        "welch (Welch's test): these numbers cannot all be right:",
        "5.8  hi of the difference (abstract; calm.test.hi)", "Why: The half-width is at least", "They could stand together if calm.test.est were 2.7 instead of 3.2.",
        "The analysis other (another test) could not have printed them either.", f"asprinted synthesise {contradictory} --all-but calm.test.hi",
    ):  # fmt: skip
        assert expected in told
    assert [file.name for file in contradictory.iterdir()] == ["study.yml"]


def test_contradiction_as_json_names_claims_changes_and_other_analyses(contradictory, capsys):
    assert main(["synthesise", "--json", str(contradictory)]) == DIFFERS
    [found] = json.loads(capsys.readouterr().out)["contradictory"]
    assert set(found["conflict"]) == {"estimate", "lo", "hi"} and found["claims"]["hi"] == ["calm.test.hi"]
    assert found["healing"] == [["estimate", "3.2", "2.7"]] and found["others"] == {"other": "contradictory"}


@pytest.mark.parametrize("style", ["block", "braces"])
def test_records_of_all_but_one_number_say_what_to_note_and_then_agree(write_study, capsys, style):
    data = study(hi="5.8")
    text = json.dumps(data, ensure_ascii=False, indent=1)
    if style == "block":
        import yaml

        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    folder = write_study(text)
    assert main(["synthesise", str(folder), "--all-but", "calm.test.hi"]) == FINE
    told = capsys.readouterr()
    note = told.out.partition("at the claim calm.test.hi, which prints 5.8 where the records give 6.8:\n")[2]
    assert "misprint" in note and "It contradicts calm.test.est and calm.test.lo" in note
    assert main(["verify", "--engine", "own", str(folder)]) == DIFFERS  # not noted yet
    if style == "block":
        assert note.splitlines()[0] == "    expect: misprint"
        text = text.replace("  calm.test.hi:\n", f"  calm.test.hi:\n{note.rstrip()}\n")
    else:
        pairs = note.strip().removesuffix(",")
        field, _, reason = pairs.partition(", reason: ")
        assert field == "expect: misprint"
        text = text.replace('"calm.test.hi": {', f'"calm.test.hi": {{"expect": "misprint", "reason": {reason},')
    (folder / "study.yml").write_text(text, "utf-8")
    assert main(["synthesise", str(folder)]) == FINE
    assert main(["verify", "--engine", "own", str(folder)]) == FINE


def test_what_is_left_out_must_be_a_number_that_is_there(contradictory, capsys):
    assert main(["synthesise", str(contradictory), "--all-but", "calm.test.high"]) == BAD_INPUT
    assert "No such claim. Did you mean 'calm.test.hi'?" in capsys.readouterr().err


def test_leaving_out_a_number_that_heals_nothing_is_told_again(contradictory, capsys):
    assert main(["synthesise", str(contradictory), "--all-but", "calm.course.mean"]) == DIFFERS
    assert "calm.test.hi" in capsys.readouterr().out


def test_how_many_people_there_are_is_not_what_to_doubt(crisis):
    found = checks.findings(crisis)
    alternative = next(each for each in found if each.alternative and each.finding.conflict)
    suspects = contradictions._suspects(crisis, alternative)
    assert suspects and not {crisis.claims[id].by["statistic"] for id in suspects} & {"count", "observed"}


def test_committed_studies_are_not_held_up(harp, crisis):
    for each in (harp, crisis):
        assert not any(found.fault for found in checks.findings(load(each.folder)))
