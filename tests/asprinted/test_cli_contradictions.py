"""`asprinted synthesise` on print that contradicts itself: told in words before any search; and records of all but one number."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from asprinted import checks, synthesis
from asprinted.cli import BAD_INPUT, DIFFERS, FINE, contradictions, main
from asprinted.study import load
from asprinted.synthesis.outcomes import search

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


def of_the_test_alone(**changed: str) -> dict:
    """The same study of which the paper prints nothing of the groups, so that any one of three numbers may be the wrong one."""
    data = study(**changed)
    data["claims"] = {id: claim for id, claim in data["claims"].items() if "test" in id}
    data["assumptions"] = {f"calm.{name}": {"value": text, "says": name, "reason": "to start from"} for name, text in {"start": "40", "spread": "10"}.items()}
    data["design"]["outcomes"][0] |= {"mean": "calm.start", "sd": "calm.spread"}
    return data


def counts(expect: dict[str, str] | None = None, **changed: str) -> dict:
    """A trial of two arms and one yes/no: counts, percentages, a chi-squared test and the number needed to treat; `expect` notes verdicts."""
    data, claims = study(), {}
    printed = {"course": ("60", "21", "36%"), "waiting": ("60", "36", "60%")}
    for arm, texts in printed.items():
        for statistic, text in zip(("observed", "sum", "percent"), texts, strict=True):
            claims[f"well.{arm}.{statistic}"] = {"printed": text, "by": {"table": "people", "column": "well", "statistic": statistic, "filter": {"arm": arm}}}
    for statistic, text in {"nnt": "4.1", "nnt_lo": "2.5", "nnt_hi": "13.2"}.items():
        claims[f"well.{statistic}"] = {"printed": text, "by": {"model": "difference", "outcome": "well", "contrast": "course", "statistic": statistic}}
    claims["well.chi2"] = {"printed": "7.5", "by": {"model": "squared", "outcome": "well", "statistic": "chi2"}}
    for id, text in changed.items():
        claims[id.replace("__", ".")]["printed"] = text
    for id, verdict in (expect or {}).items():
        claims[id] |= {"expect": verdict, "reason": "Another method."}
    data["tables"]["people"]["columns"]["well"] = {"type": "integer", "values": [0, 1], "mark": "P", "says": "whether well"}
    del data["tables"]["people"]["columns"]["calm"]
    data["design"]["outcomes"] = [{"column": "well", "kind": "yes-no", "seen": {arm: f"well.{arm}.observed" for arm in printed}}]
    of_arms = {arm: {"events": f"well.{arm}.sum", "people": f"well.{arm}.observed"} for arm in printed}
    data["models"] = {
        "squared": {"family": "chi-squared", "says": "Pearson's test", "table": "people", "formula": "{outcome} ~ arm"},
        "difference": {"family": "risk-difference", "says": "difference of shares", "table": "people", "missing": "leave-out", "counts": of_arms, "contrasts": {"course": BY_ARM}},
    }
    data["claims"] = {id: {"kind": "number", "mark": "P", "source": "paper", "where": "abstract", "says": id} | claim for id, claim in claims.items()}
    return data


WRONG = ("well.course.percent", "well.nnt", "well.nnt_lo", "well.nnt_hi")  # 21 of 60 are 35 per cent; 25 percentage points make 4.0


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


def test_a_folder_whose_name_has_a_blank_is_quoted_in_the_commands(contradictory, capsys):
    folder = contradictory.rename(contradictory.with_name("my trial"))
    assert main(["synthesise", str(folder)]) != FINE
    shown = [line for line in "".join(capsys.readouterr()).splitlines() if "asprinted synthesise" in line]
    assert shown and all(f"'{folder}' --all-but " in line for line in shown)


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


def test_every_number_that_would_end_it_is_named_and_does_end_it(write_study, capsys):
    folder = write_study(of_the_test_alone(hi="5.8"))
    assert main(["synthesise", "--json", str(folder)]) == DIFFERS
    ways = json.loads(capsys.readouterr().out)["all_but"]
    assert [*map(tuple, ways)] == [("calm.test.est",), ("calm.test.lo",), ("calm.test.hi",)]  # what one digit heals stands first
    assert main(["synthesise", str(folder)]) == DIFFERS
    told = capsys.readouterr().out
    for [id] in ways:
        assert f"asprinted synthesise {folder} --all-but {id}" in told
        assert main(["check", str(folder), "--all-but", id]) == FINE
        capsys.readouterr()


def test_number_that_ends_one_question_and_not_another_of_the_same_numbers_is_no_way(contradictory, capsys):
    assert main(["synthesise", "--json", str(contradictory)]) == DIFFERS
    assert json.loads(capsys.readouterr().out)["all_but"] == [["calm.test.hi"]]
    assert main(["check", str(contradictory), "--all-but", "calm.test.est"]) == DIFFERS  # the interval does not fit the means


@pytest.mark.parametrize("gone", [WRONG[:1], WRONG[:2], WRONG[:3], ("well.nnt_hi", "well.course.percent")], ids=len)
@pytest.mark.parametrize("noted", [False, True], ids=["left out", "noted"])
def test_question_is_asked_again_of_the_numbers_that_are_left(write_study, capsys, gone, noted):
    folder = write_study(counts(dict.fromkeys(gone, "method") if noted else {}))
    options = [] if noted else [word for id in gone for word in ("--all-but", id)]
    assert main(["check", "--json", str(folder), *options]) == DIFFERS
    told = json.loads(capsys.readouterr().out)
    [fault] = [each for each in told["findings"] if each["fault"]]
    asked = {id for ids in fault["claims"].values() for id in ids}
    assert fault["about"] == "difference" and asked & set(WRONG) == set(WRONG[1:]) - set(gone)
    [way] = told["all_but"]
    assert set(way) == (set(WRONG[1:]) - set(gone) if noted else set(WRONG))


def test_check_and_synthesise_name_the_same_whole_ways_and_they_end_it(write_study, capsys):
    folder = write_study(counts())
    lines = []
    for command in ("check", "synthesise"):
        assert main([command, str(folder)]) == DIFFERS
        lines.append([line for line in capsys.readouterr().out.splitlines() if line.startswith(f"  asprinted synthesise {folder} --all-but")])
    assert lines[0] == lines[1] == [f"  asprinted synthesise {folder} {' '.join(f'--all-but {id}' for id in WRONG)}"]
    assert main(["synthesise", str(folder), *lines[0][0].split()[3:]]) == FINE


def test_counts_are_named_after_what_is_derived_and_only_where_records_can_follow(write_study):
    data = counts(well__nnt="4.0", well__nnt_lo="2.4", well__nnt_hi="13.0")
    of_model = load(write_study(data))
    assert contradictions.advised(of_model, [each for each in checks.findings(of_model) if each.fault]) == [("well.course.percent",)]
    del data["models"]["difference"]
    data["claims"] = {id: claim for id, claim in data["claims"].items() if "nnt" not in id and "chi2" not in id}
    data["claims"]["well.course.percent"]["printed"] = "37%"  # of 22, and no count prints 36%
    free = load(write_study(data, "free"))
    assert contradictions.advised(free, [each for each in checks.findings(free) if each.fault]) == [("well.course.percent",), ("well.course.sum",)]


def test_reason_names_the_smallest_conflict_of_the_number_with_its_values_and_says_nothing_twice(write_study):
    loaded = load(write_study(counts()))
    found = checks.findings(loaded)
    assert contradictions.declaration(loaded, found, "well.course.percent", WRONG) == (
        "upstream-rounding", "It contradicts well.course.observed. Out of 60, no count prints as 36%: 35% for 21 and 36.6667% for 22. They could stand together if it were 35%.",
    )  # fmt: skip
    for id, shown in (("well.nnt", "NNT 4 where 4.1"), ("well.nnt_lo", "lo 2.364 where 2.5"), ("well.nnt_hi", "hi 12.988 where 13.2")):
        expect, reason = contradictions.declaration(loaded, found, id, WRONG)
        assert expect == "method" and shown in reason and reason.count("where") == 1 and "nnt" not in reason


def test_number_left_out_without_a_proof_is_a_matter_of_method_with_a_reason_to_fill_in(write_study, capsys):
    folder = write_study(study())
    assert main(["check", str(folder), "--all-but", "calm.test.p"]) == FINE
    changed = declared_as_printed(study(), capsys.readouterr().out)
    assert changed["claims"]["calm.test.p"]["expect"] == "method"
    assert main(["check", str(write_study(changed, "as-advised"))]) == FINE
    assert "claims › calm.test.p › reason" in capsys.readouterr().out  # noted as not filled in


@pytest.mark.parametrize("id", ["calm.test.hi", "calm.test.est"])
def test_the_fragment_loads_as_it_stands_and_ends_the_contradiction(write_study, capsys, id):
    data = of_the_test_alone(hi="5.8")
    folder = write_study(data)
    main(["check", str(folder), "--all-but", id])
    changed = declared_as_printed(data, capsys.readouterr().out)
    folder = write_study(changed, "as-advised")
    claim = load(folder).claims[id]
    assert claim.expect == "misprint" and claim.printed == data["claims"][id]["printed"] and claim.by == data["claims"][id]["by"]
    assert "It contradicts calm.test." in claim.reason and "The half-width is at least" in claim.reason
    assert ("They could stand together if it were 2.7." in claim.reason) == (id == "calm.test.est")
    assert main(["check", str(folder)]) == FINE


def test_the_advice_to_synthesise_shows_the_fragment_of_the_likeliest(write_study, capsys):
    data = of_the_test_alone(hi="5.8")
    main(["synthesise", str(write_study(data))])
    folder = write_study(declared_as_printed(data, capsys.readouterr().out), "as-advised")
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


def three_arms(formula: str = "{outcome} ~ arm", **changed: str) -> dict:
    """The trial with a third arm, and one model of all three for the difference of the first two; `changed` numbers of it are printed otherwise."""
    data = study()
    data["tables"]["people"]["columns"]["arm"]["values"] = [*ARMS, "neither"]
    data["tables"]["people"]["columns"]["before"] = {"type": "integer", "minimum": 0, "maximum": 100, "mark": "P", "says": "the score before"}
    data["design"]["people"]["arms"]["sizes"]["neither"] = 60
    data["design"]["outcomes"] = [{"column": "before", "kind": "score", "mean": "before.mean", "sd": "before.sd"}, {"column": "calm", "kind": "score", "follows": {"before": "calm.r"}}]
    data["assumptions"] = {name: {"value": value, "says": name, "reason": "to start from"} for name, value in {"before.mean": "40", "before.sd": "10", "calm.r": "0.3"}.items()}
    data["models"] = {"all": data["models"]["welch"] | {"formula": formula, "test": "t"}}
    of_arms = {id: claim for id, claim in data["claims"].items() if "test" not in id}
    of_arms |= {id.replace("course", "neither"): claim | {"by": claim["by"] | {"filter": {"arm": "neither"}}} for id, claim in of_arms.items() if "course" in id}
    of_arms["calm.neither.sd"] = of_arms["calm.neither.sd"] | {"printed": "20.1"}
    printed = {"est": "3.2", "lo": "-1.9", "hi": "8.3"} | changed
    model = next(claim for id, claim in data["claims"].items() if "test" in id)
    data["claims"] = of_arms | {f"calm.test.{name}": model | {"printed": text, "by": model["by"] | {"model": "all", "statistic": name}} for name, text in printed.items()}
    return data


def test_spread_of_the_third_arm_is_in_the_proof_and_a_model_of_each_pair_is_proposed_that_ends_it(write_study, capsys):
    folder = write_study(three_arms())
    assert main(["check", str(folder)]) == FINE
    folder = write_study(three_arms(lo="-0.4", hi="6.8"))  # by the spread of these two arms alone
    assert main(["synthesise", str(folder)]) == DIFFERS
    told = capsys.readouterr().out
    assert "The model all takes more than two groups together" in told and "calm.neither.sd" in told
    [line] = [line for line in told.splitlines() if line.strip().startswith("all_course: ")]
    data = three_arms(lo="-0.4", hi="6.8")
    data["models"] = yaml.safe_load(line)
    for id in ("est", "lo", "hi"):
        data["claims"][f"calm.test.{id}"] |= {"by": data["claims"][f"calm.test.{id}"]["by"] | {"model": "all_course"}}
    folder = write_study(data)
    assert main(["check", str(folder)]) == FINE and "two such groups print" in capsys.readouterr().out
    assert main(["synthesise", str(folder)]) == FINE


def test_a_search_in_vain_for_one_model_of_three_arms_proposes_a_model_of_each_pair(write_study, capsys, monkeypatch):
    monkeypatch.setattr(search, "PATIENCE", 2)
    monkeypatch.setattr(synthesis, "made", functools.partial(synthesis.made, attempts=1))
    folder = write_study(three_arms(formula="{outcome} ~ arm + before", lo="-0.2", hi="6.6"))  # adjusted, so that print proves nothing
    assert main(["check", str(folder)]) == FINE
    capsys.readouterr()
    assert main(["synthesise", str(folder)]) == BAD_INPUT
    told = capsys.readouterr().err
    assert "no proof" in told and "A likely cause:" in told and "The model all takes more than two groups together" in told
    assert told.index("A likely cause:") > told.index("calm.test.")
    [line] = [line for line in told.splitlines() if line.strip().startswith("all_course: ")]
    assert yaml.safe_load(line)["all_course"]["rows"] == {"arm": ["course", "waiting"]}


def test_a_lost_minus_sign_is_proposed_and_expected_as_a_misprint(write_study, capsys):
    folder = write_study(of_the_test_alone(est="0.8", lo="-4.4", hi="2.8"))
    assert main(["check", str(folder)]) == DIFFERS
    assert "healed by: estimate 0.8 → −0.8 (its sign)\n" in capsys.readouterr().out
    assert main(["synthesise", str(folder)]) == DIFFERS
    assert "if calm.test.est were −0.8 instead of 0.8: a minus sign is easily lost in print." in capsys.readouterr().out
    data = of_the_test_alone(est="0.8", lo="-4.4", hi="2.8")
    del data["models"]["other"]
    loaded = load(write_study(data))
    expect, reason = contradictions.declaration(loaded, checks.findings(loaded), "calm.test.est")
    assert expect == "misprint" and reason.endswith("They could stand together if it were −0.8.")


def test_a_sign_that_would_contradict_other_print_is_told_with_that(write_study, capsys):
    folder = write_study(study(est="0.8", lo="-4.4", hi="2.8"))  # and the means differ by 3.2
    assert main(["check", str(folder)]) == DIFFERS
    assert "healed by: estimate 0.8 → −0.8 (its sign), which would contradict other printed numbers\n" in capsys.readouterr().out
    assert main(["synthesise", str(folder)]) == DIFFERS
    told = capsys.readouterr().out
    assert "easily lost in print. But then they contradict other printed numbers." in told and "print alone does not contradict it" not in told


def test_ways_out_say_that_records_were_not_tried(write_study, capsys):
    folder = write_study(of_the_test_alone(hi="5.8"))
    for command in ("check", "synthesise"):
        assert main([command, str(folder)]) == DIFFERS
        assert "(whether records are found then was not tried):" in capsys.readouterr().out


def test_a_number_that_was_left_out_and_prints_all_the_same_is_no_fault(write_study, capsys):
    folder = write_study(study())
    assert main(["synthesise", str(folder), "--all-but", "calm.course.observed"]) == FINE  # which the design gives
    told = capsys.readouterr().out
    assert "calm.course.observed was left out, and prints 60 in these records all the same: nothing is to be noted of it." in told and "expect:" not in told
    assert main(["verify", str(folder), "--engine", "own"]) == FINE


def test_people_seen_in_all_are_doubted_first_and_may_be_others():
    study = load(Path(__file__).resolve().parents[1] / "papers" / "wiles-2013")
    by = {"table": "visits", "column": "response", "statistic": "observed", "filter": {"month": 6}}
    study = replace(study, claims=study.claims | {"seen": replace(study.claims["response.therapy.n"], id="seen", printed="422", by=by)})
    found = checks.findings(study)
    ways = contradictions.advised(study, [each for each in found if each.fault])
    assert ways[0] == ("seen",) and ("response.usual.percent",) in ways
    assert contradictions.declaration(study, found, "seen")[0] == contradictions.declaration(study, found, "response.usual.percent")[0] == "definition"
    [shares] = [each for each in found if each.about == "visits.response, arm therapy, month 6"]
    assert "206: design › visits › seen" in shares.finding.question, "the total leaves the people of each arm as the design has them"
    assert synthesis.synthesise(contradictions.without(study, ["seen"]))["visits"]["response"].notna().sum() == 206 + 213 + 197 + 198
