"""`asprinted synthesise` on print that contradicts itself: told in words before any search; and records of all but one number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

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
    suspects = [id for ids in contradictions.advised(crisis, [alternative]) for id in ids]
    assert suspects and not {crisis.claims[id].by["statistic"] for id in suspects} & {"count", "observed"}


def test_committed_studies_are_not_held_up(harp, crisis):
    for each in (harp, crisis):
        assert not any(found.fault for found in checks.findings(load(each.folder)))


def declared_as_printed(data: dict, text: str) -> dict:
    """The study file with the claims of the fragment that was printed in the place of its own."""
    lines = text.splitlines()
    entries = yaml.safe_load("\n".join(lines[lines.index("claims:"):]))["claims"]
    return data | {"claims": data["claims"] | entries}


def test_every_number_that_would_end_it_is_named_and_does_end_it(contradictory, capsys):
    assert main(["synthesise", "--json", str(contradictory)]) == DIFFERS
    ways = json.loads(capsys.readouterr().out)["all_but"]
    assert [*map(tuple, ways)] == [("calm.test.est",), ("calm.test.lo",), ("calm.test.hi",)]  # what one digit heals stands first
    assert main(["synthesise", str(contradictory)]) == DIFFERS
    told = capsys.readouterr().out
    for [id] in ways:
        assert f"asprinted synthesise {contradictory} --all-but {id}" in told
        assert main(["check", str(contradictory), "--all-but", id]) == FINE
        capsys.readouterr()


@pytest.mark.parametrize("id", ["calm.test.hi", "calm.test.est"])
def test_the_fragment_loads_as_it_stands_and_ends_the_contradiction(write_study, capsys, id):
    data = study(hi="5.8")
    folder = write_study(data)
    main(["check", str(folder), "--all-but", id])
    changed = declared_as_printed(data, capsys.readouterr().out)
    folder = write_study(changed, "as-advised")
    claim = load(folder).claims[id]
    assert claim.expect == "misprint" and claim.printed == data["claims"][id]["printed"] and claim.by == data["claims"][id]["by"]
    assert "It contradicts calm.test." in claim.reason and "The half-width is at least" in claim.reason
    assert ("They could stand together if it were 2.7." in claim.reason) == (id == "calm.test.est")
    assert main(["check", str(folder)]) == FINE


def test_the_advice_to_synthesise_shows_the_fragment_of_the_likeliest(contradictory, capsys):
    main(["synthesise", str(contradictory)])
    folder = contradictory.with_name("as-advised")
    folder.mkdir()
    changed = declared_as_printed(study(hi="5.8"), capsys.readouterr().out)
    (folder / "study.yml").write_text(json.dumps(changed), "utf-8")
    assert load(folder).claims["calm.test.est"].expect == "misprint" and main(["check", str(folder)]) == FINE


@pytest.mark.parametrize(
    ("printed", "id", "expect"),
    [({"hi": "5.8"}, "calm.test.hi", "misprint"), ({"p": "0.18"}, "calm.test.p", "method"), ({"est": "3.4", "lo": "", "hi": "", "p": ""}, "calm.course.mean", "upstream-rounding")],
)  # fmt: skip
def test_the_verdict_fits_what_the_number_contradicts(write_study, printed, id, expect):
    data = study(**printed)
    data["claims"] = {name: claim for name, claim in data["claims"].items() if claim["printed"]}
    data["models"].pop("other")
    loaded = load(write_study(data))
    found = checks.findings(loaded)
    assert any(each.fault for each in found)
    assert contradictions.declaration(loaded, found, id)[0] == expect


def test_another_analysis_that_could_have_printed_the_numbers_makes_it_a_matter_of_method(write_study):
    data = study(est="13.2", p="0.0083", lo="", hi="")  # of eight people each: by the normal distribution, and not by Student's
    data["claims"] = {name: claim for name, claim in data["claims"].items() if claim["printed"]}
    for id, text in (("calm.course.observed", "8"), ("calm.waiting.observed", "8"), ("calm.course.mean", "51.2")):
        data["claims"][id]["printed"] = text
    loaded = load(write_study(data))
    found = checks.findings(loaded)
    verdicts = {each.about: each.finding.verdict for each in found}
    assert verdicts["welch"] == "contradictory" and verdicts["other"] == "possible"
    assert contradictions.declaration(loaded, found, "calm.course.sd")[0] == "method"


def test_where_no_single_number_ends_it_pairs_are_named(write_study, capsys):
    data = study()
    for statistic, text in (("se", "9.90"), ("lo", "20.0")):
        data["claims"][f"calm.course.{statistic}"] = data["claims"]["calm.course.mean"] | {"printed": text, "by": data["claims"]["calm.course.mean"]["by"] | {"statistic": statistic}}
    data["claims"] = {id: claim for id, claim in data["claims"].items() if "test" not in id}
    folder = write_study(data)
    assert main(["synthesise", str(folder)]) == DIFFERS
    told = capsys.readouterr().out
    assert "--all-but calm.course.se --all-but calm.course.lo" in told
    changed = declared_as_printed(data, told)
    assert main(["check", str(write_study(changed, "as-advised"))]) == FINE
