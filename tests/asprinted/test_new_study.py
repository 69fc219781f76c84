"""`asprinted new`: a study.yml to fill in, which says what is left to do, and makes records once it is filled in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from asprinted.cli import BAD_INPUT, FINE, main
from asprinted.paper import commands, plan, questions
from asprinted.study import StudyError, load, together

ARMS = ["--arm", "new course=60", "--arm", "waiting list=60"]
OUTCOMES = ["score:calm:0-100", "score:weight", "score:share:0.00-1.00", "yes-no:working", "count:falls", "ordinal:rank:0-6", "category:colour:red|dark green|3", "time:days:back"]
PRINTED = {
    "calm.course.n": "60", "calm.waiting.n": "60", "calm.course.mean": "41.2", "calm.course.sd": "10.1", "calm.waiting.mean": "38.0", "calm.waiting.sd": "9.9",
    "calm.course.est": "3.2", "calm.course.lo": "-0.4", "calm.course.hi": "6.8", "calm.course.p": "0.08",
}  # fmt: skip


def new(folder: Path, *options: str) -> Path:
    """The study file that the command writes into `folder`."""
    assert main(["new", str(folder), *options]) == FINE
    return folder / "study.yml"


def fill(file: Path, printed: dict[str, str]) -> None:
    """Write what is printed of each claim, and take out every other claim with a blank; other blanks become a word."""
    kept: list[str] = []
    for claim in re.split(r"\n(?=  [a-z][a-z0-9_.]*:\n    \{printed)|\n(?=\n# What the paper)", file.read_text("utf-8")):
        id = re.match(r"  ([a-z][a-z0-9_.]*):\n    \{printed: ", claim)
        if id is None:
            kept.append(claim.replace('"?"', '"the abstract"'))
        elif id[1] in printed or '{printed: "?"' not in claim:
            kept.append(claim.replace('"?"', f'"{printed.get(id[1])}"'))
    file.write_text("\n".join(kept), "utf-8")


def filled_with(text: str) -> str:
    """The study file with a plausible number in each blank."""
    usual = {"n": "30", "percent": "40", "events": "20", "p": "0.5", "median": "3", "mean": "40", "sd": "1", "est": "1.1", "lo": "0.9", "hi": "1.4", "total": "70", "k": "8", "i2": "20", "q": "9", "q_p": "0.3", "tau2": "0.01"}

    def number(found: re.Match[str]) -> str:
        name = re.sub(r"_\d+$", "", found[1].split(".")[-1]).removesuffix("_percent").split("_")[-1]
        name = "q_p" if found[1].endswith("q_p") else name
        whole = {"people.all.n": "900", "trials.all.n": "9", "low_mood.all.n": "400", "hope.all.n": "400"}
        of_share = "0.5" if found[1].startswith("share.") and name == "mean" else "0.1" if found[1].startswith("share.") and name == "sd" else None
        value = whole.get(found[1]) or of_share or usual.get(name, "30")
        return f'{found[0].removesuffix(chr(34) + "?" + chr(34))}"{value}"'

    return re.sub(r'  ([a-z][a-z0-9_.]*):\n    \{printed: "\?"', number, text).replace('"?"', '"the abstract"')


# What is written


@pytest.mark.parametrize("design", [[], ["--visits", "0,3"], ["--visits", "week:0,6,12"], ["--clusters", "6,7"], ["--clusters", "6", "--visits", "0,3,12"], ["--design", "groups"]], ids=" ".join)
def test_draft_of_every_kind_of_outcome_loads_once_it_is_filled_in(tmp_path, design):
    file = new(tmp_path / "mine", *ARMS, *design, *(word for outcome in OUTCOMES for word in ("--outcome", outcome)))
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    study = load(file.parent)
    assert [entry["column"] for entry in study.design["outcomes"]] == [outcome.split(":")[1] for outcome in OUTCOMES]
    asked = {claim.by["column"] if "column" in claim.by else claim.by["outcome"] for claim in study.claims.values() if "column" in claim.by or "outcome" in claim.by}
    assert asked >= {outcome.split(":")[1] for outcome in OUTCOMES}
    assert ("visits" in study.tables) is ("--visits" in design)
    assert all(assumption.reason and assumption.marks == ("A",) for assumption in study.assumptions.values())


@pytest.mark.parametrize(("kind", "analysis"), [(kind, analysis) for kind, analyses in plan.ANALYSES.items() for analysis in analyses])
def test_every_analysis_can_be_drafted(tmp_path, kind, analysis):
    outcome = next(each for each in OUTCOMES if each.startswith(f"{kind}:"))
    more = {"ancova": ["--visits", "0,3"], "mixed": ["--visits", "0,3,12"], "gee-logistic": ["--clusters", "8"]}.get(analysis, [])
    file = new(tmp_path / "mine", *ARMS, *more, "--outcome", outcome, "--analysis", f"{outcome.split(':')[1]}={analysis}")
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    [model] = load(file.parent).models.values()
    assert model["family"] == {"welch": "linear", "ancova": "linear"}.get(analysis, analysis)


def test_estimating_equations_over_visits_are_not_told_to_randomise_clusters_alone(tmp_path, capsys):
    assert main(["new", str(tmp_path / "mine"), *ARMS, "--visits", "0,6", "--outcome", "score:calm:0-100", "--outcome", "yes-no:well", "--analysis", "well=gee-logistic"]) == BAD_INPUT
    told = capsys.readouterr().err
    assert "where whole clusters were randomised" in told and "--outcome yes-no:well:visits" in told and told.rstrip().endswith(".")


AT_VISITS = ["--visits", "0,6,12", "--outcome", "score:calm:0-100", "--outcome", "yes-no:well:visits"]


@pytest.mark.parametrize("analysis", plan.ANALYSES["yes-no"])
def test_every_analysis_of_a_yes_or_no_at_visits_can_be_drafted(tmp_path, analysis):
    file = new(tmp_path / "mine", *ARMS, *AT_VISITS, "--analysis", "calm=linear", "--analysis", f"well={analysis}")
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    models = [model for name, model in load(file.parent).models.items() if name.startswith("well")]
    assert [model["rows"] for model in models] == [{"month": [6, 12]}] if analysis == "gee-logistic" else [{"month": 6}, {"month": 12}]
    assert all(model["table"] == "visits" for model in models)


def test_a_score_adjusted_for_its_start_is_drafted_at_every_later_visit(tmp_path):
    file = new(tmp_path / "mine", *ARMS, *AT_VISITS, "--analysis", "calm=ancova")
    models = {name: model["rows"] for name, model in yaml.safe_load(file.read_text("utf-8"))["models"].items() if name.startswith("calm")}
    assert models == {"calm_ancova_6": {"month": 6}, "calm_ancova": {"month": 12}}


@pytest.mark.parametrize("given", [["--outcome", "yes-no:well:visits"], ["--outcome", "yes-no:well", "--visits", "0,6"], ["--outcome", "yes-no:well:always"]], ids=" ".join)
def test_an_outcome_at_visits_and_visits_need_each_other(tmp_path, capsys, given):
    assert main(["new", str(tmp_path / "mine"), *ARMS, *given]) == BAD_INPUT
    assert "visits" in capsys.readouterr().err and not (tmp_path / "mine").exists()


def test_draft_of_a_yes_or_no_at_visits_makes_records_once_the_printed_numbers_stand_in_it(tmp_path):
    file = new(tmp_path / "mine", *ARMS, *AT_VISITS, "--analysis", "calm=ancova", "--analysis", "well=logistic", "--analysis", "well=gee-logistic")
    seen = {f"seen.{arm}.at_{month}": number for arm, month, number in (("new_course", 6, "52"), ("new_course", 12, "48"), ("waiting_list", 6, "55"), ("waiting_list", 12, "50"))}
    of_calm = {"calm.new_course.mean_0": "51.2", "calm.waiting_list.mean_0": "50.4", "calm.new_course.mean_12": "58.1", "calm.waiting_list.mean_12": "52.3"}
    of_well = {"well.new_course.events_6": "25", "well.new_course.percent_6": "48%", "well.waiting_list.events_6": "14", "well.waiting_list.percent_6": "25%", "well.new_course.events_12": "25", "well.waiting_list.events_12": "16"}
    ratios = {"well.new_course.at_6.logistic_est": "2.7", "well.new_course.gee_logistic_est": "2.5", "well.new_course.gee_logistic_lo": "1.3", "well.new_course.gee_logistic_hi": "4.8"}
    fill(file, seen | of_calm | of_well | ratios)
    text = re.sub(r"(column: calm, kind: score), ", r"\1, sd: calm.sd, mean: {0: calm.usual, 6: calm.usual, 12: calm.usual}, ", file.read_text("utf-8"))
    usual = [f'  calm.{name}: {{value: "{value}", mark: A, says: "Usual", reason: "Usual."}}' for name, value in (("sd", "12"), ("usual", "54"))]
    file.write_text("\n".join([text.rstrip(), *usual, ""]), "utf-8")
    assert main(["check", str(file.parent)]) == FINE
    assert main(["synthesise", str(file.parent)]) == FINE
    assert main(["verify", str(file.parent), "--engine", "statsmodels"]) == FINE


def test_risk_difference_drafts_the_number_needed_to_treat_and_says_its_sign_and_ends(tmp_path):
    file = new(tmp_path / "mine", *ARMS, "--outcome", "yes-no:well", "--analysis", "well=risk-difference", "--analysis", "well=chi-squared")
    text = file.read_text("utf-8")
    assert "no sign here" in text and text.index("nnt_lo is the smaller number") < text.index("well.new_course.risk_difference_nnt:")
    file.write_text(filled_with(text), "utf-8")
    asked = [(claim.by["model"], claim.by["statistic"]) for claim in load(file.parent).claims.values() if "model" in claim.by]
    assert asked == [("well_risk_difference", each) for each in ("est", "lo", "hi", "p", "nnt", "nnt_lo", "nnt_hi")] + [("well_chi_squared", each) for each in ("chi2", "p")]


@pytest.mark.parametrize("measure", plan.MEASURES)
def test_draft_of_a_review_loads_once_it_is_filled_in(tmp_path, measure):
    file = new(tmp_path / "review", "--pool", f"{measure}:low mood", "--pool", f"{measure}:hope")
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    study = load(file.parent)
    assert study.models["pooled"]["effect"]["measure"] == measure
    assert {claim.by["outcome"] for claim in study.claims.values() if "outcome" in claim.by} == {"low mood", "hope"}


def test_three_arms_are_each_held_against_the_last(tmp_path):
    file = new(tmp_path / "mine", "--arm", "a course", "--arm", "a leaflet=40", "--arm", "nothing=41", "--outcome", "score:calm:0-100")
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    model = load(file.parent).models["calm_linear"]
    assert model["contrasts"] == {name: [{"weight": 1, "at": {"arm": arm}}, {"weight": -1, "at": {"arm": "nothing"}}] for name, arm in (("a_course", "a course"), ("a_leaflet", "a leaflet"))}


def test_what_is_suggested_to_start_from_is_the_middle_of_the_scale_or_nothing(tmp_path):
    text = new(tmp_path / "mine", *ARMS, "--outcome", "score:calm:14-70", "--outcome", "score:weight").read_text("utf-8")
    assert "mean: calm.mean, sd: calm.sd (such as 42.0 and 9.3: the middle of the scale" in text
    [hint] = [line for line in text.splitlines() if "mean: weight.mean" in line]
    assert not re.search(r"\d", hint) and "come out near it" in hint
    assert re.search(r'^      weight: .*unit: "\?"', text, re.MULTILINE) and re.search("^      calm: .*unit: points", text, re.MULTILINE)


@pytest.mark.parametrize("visits", [[], ["--visits", "0,6"]], ids=["people", "visits"])
def test_draft_tells_how_a_yes_no_is_tied_to_its_score(tmp_path, visits):
    text = new(tmp_path / "mine", *ARMS, *visits, "--outcome", "yes-no:well", "--outcome", "score:calm:0-40").read_text("utf-8")
    [hint] = [line for line in text.splitlines() if "cut: {well:" in line]
    assert ("at: 6" in hint) is bool(visits)


@pytest.mark.parametrize("scale", [":0-40", ""])
def test_covariance_analysis_without_visits_assumes_the_start_and_claims_nothing_of_it(tmp_path, scale):
    file = new(tmp_path / "mine", *ARMS, "--outcome", f"score:calm{scale}", "--analysis", "calm=ancova")
    file.write_text(filled_with(file.read_text("utf-8").replace('{value: "?"', '{value: "12"')), "utf-8")
    study = load(file.parent)
    assert [entry["column"] for entry in study.design["outcomes"]] == ["calm_start", "calm"] and "visits" not in study.design
    assert study.models["calm_ancova"]["formula"].endswith(" + calm_start")
    assert not any("start" in id for id in study.claims)
    assert study.assumptions["calm_start.mean"].value == ("20.0" if scale else "12")


def test_names_with_quotes_and_signs_of_yaml_survive(tmp_path):
    arms = ["people's \"own\" course: first", "waiting, {then} # course"]
    file = new(tmp_path / "mine", "--title", 'A "title": with # signs', "--arm", f"{arms[0]}=30", "--arm", arms[1], "--outcome", "yes-no:working", "--analysis", "working=logistic")
    file.write_text(filled_with(file.read_text("utf-8")), "utf-8")
    study = load(file.parent)
    assert study.title == 'A "title": with # signs' and list(study.design["people"]["arms"]["sizes"]) == arms


def test_editor_finds_the_schema_beside_the_file_and_in_the_books_repository_in_the_library(tmp_path):
    file = new(tmp_path / "mine", *ARMS, "--outcome", "count:falls")
    assert file.read_text("utf-8").startswith("# yaml-language-server: $schema=study.schema.json\n")
    assert json.loads((file.parent / "study.schema.json").read_text("utf-8"))["properties"]["claims"]
    book = tmp_path / "book"
    (book / "chapters").mkdir(parents=True)
    (book / "_toc.yml").write_text("", "utf-8")
    inside = new(book / "data" / "mine", *ARMS, "--outcome", "count:falls")
    assert inside.read_text("utf-8").startswith("# yaml-language-server: $schema=../../asprinted/study.schema.json\n")
    assert [each.name for each in inside.parent.iterdir()] == ["study.yml"]


# What is left to do


def test_check_names_everything_that_is_still_to_be_filled_in_in_one_message(tmp_path, capsys):
    file = new(tmp_path / "mine", *ARMS, "--outcome", "score:calm:0-100")
    blanks = [line for line, text in enumerate(file.read_text("utf-8").splitlines(), 1) if '"?"' in text and not text.startswith("#")]
    capsys.readouterr()
    for command in ("check", "synthesise", "verify"):
        assert main([command, str(file.parent)]) == BAD_INPUT
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith(f"error: {file}: file. {len(blanks)} fields are still")
        assert [int(line) for line in re.findall(r"^  line (\d+): ", told.err, re.MULTILINE)] == blanks
    assert "claims › calm.new_course.mean › printed" in told.err and "sources › 0 › reference" in told.err


def test_draft_that_is_filled_in_makes_its_records(tmp_path, capsys):
    file = new(tmp_path / "mine", "--arm", "course=60", "--arm", "waiting=60", "--outcome", "score:calm:0-100")
    fill(file, PRINTED)
    assert main(["check", str(file.parent)]) == FINE
    assert main(["synthesise", str(file.parent)]) == FINE
    assert main(["verify", "--engine", "own", str(file.parent)]) == FINE
    told = capsys.readouterr()
    assert "mine: 12 claims recomputed" in told.out and "0 faults" in told.out
    hints = [line.split()[2] for line in told.err.splitlines() if line.startswith("next: ")]
    assert hints[:3] == ["check", "synthesise", "new"]


def test_claims_that_are_deleted_are_told_wherever_they_are_named_in_one_run_with_what_to_do(tmp_path, capsys):
    file = new(tmp_path / "mine", *ARMS, "--outcome", "yes-no:well")
    fill(file, {"randomised.new_course.n": "60", "randomised.waiting_list.n": "60"} | {f"well.new_course.{name}": text for name, text in {"est": "1.10", "lo": "0.90", "hi": "1.34"}.items()})
    capsys.readouterr()
    assert main(["check", str(file.parent)]) == BAD_INPUT
    told = capsys.readouterr().err
    for place, remedy in (
        ("models › well_logistic › counts › new course › events: 'well.new_course.events'", "Take 'counts' out of the model, or add a claim of it."),
        ("design › outcomes › 0 › seen › waiting list: 'well.waiting_list.n'", "Add a claim of it, or an assumption, or write a whole number in its place; where everybody has a value, take 'seen' out."),
    ):  # fmt: skip
        [line] = [line for line in told.splitlines() if place in line]
        assert remedy in line
    file.write_text(re.sub(r"\n  well\.new_course\.(est|lo|hi):\n.*\n.*", "", file.read_text("utf-8")), "utf-8")
    assert main(["check", str(file.parent)]) == BAD_INPUT
    assert "No claim uses the model: delete it, or take 'counts' out of it." in capsys.readouterr().err


def test_wording_that_a_draft_left_is_noted_and_is_no_fault(tmp_path, capsys):
    file = new(tmp_path / "mine", "--arm", "course=60", "--arm", "waiting=60", "--outcome", "score:calm:0-100")
    fill(file, PRINTED)
    assert main(["check", str(file.parent)]) == FINE
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("draft wording is left")]
    assert notes == [
        'draft wording is left, to be filled in: it still says "say whether higher is better": tables › participants › columns › calm › says',
        "draft wording is left, to be filled in: it has the name of a column for words; say what is meant: claims › calm.course.n › says; claims › calm.waiting.n › says",
    ]
    file.write_text(file.read_text("utf-8").replace("say whether higher is better", "higher is calmer").replace("whose calm is known", "who answered"), "utf-8")
    assert main(["check", "--json", str(file.parent)]) == FINE
    assert json.loads(capsys.readouterr().out)["unfilled"] == []


@pytest.mark.parametrize(("part", "id"), [("claims", "calm.course.mean"), ("assumptions", "calm.r")])
def test_a_reason_that_nobody_wrote_is_noted_wherever_it_stands(tmp_path, capsys, part, id):
    file = new(tmp_path / "mine", "--arm", "course=60", "--arm", "waiting=60", "--outcome", "score:calm:0-100")
    fill(file, PRINTED)
    data = yaml.safe_load(file.read_text("utf-8"))
    data["assumptions"]["calm.r"] = {"value": "0.5", "says": "A correlation", "reason": "Usual."}
    data[part][id]["reason"] = "Say here why: nobody has."
    file.write_text(yaml.safe_dump(data), "utf-8")
    assert main(["check", str(file.parent)]) == FINE
    assert f'draft wording is left, to be filled in: it still says "Say here why": {part} › {id} › reason' in capsys.readouterr().out.splitlines()


# What is refused

WRONG = {
    "one arm": (["--arm", "course=60", "--outcome", "score:calm:0-100"], "--arm"),
    "an arm of nobody": (["--arm", "course=0", "--arm", "waiting", "--outcome", "count:falls"], "--arm"),
    "arms of one name in ids": (["--arm", "a b", "--arm", "a-b", "--outcome", "count:falls"], "--arm"),
    "no outcome": (ARMS, "--arm and --outcome"),
    "an unknown kind": ([*ARMS, "--outcome", "scale:calm:0-100"], "--outcome"),
    "a score upside down": ([*ARMS, "--outcome", "score:calm:100-0"], "--outcome"),
    "a time without an event": ([*ARMS, "--outcome", "time:days"], "--outcome"),
    "a name in capitals": ([*ARMS, "--outcome", "count:Falls"], "--outcome"),
    "two columns of one name": ([*ARMS, "--outcome", "count:falls", "--outcome", "yes-no:falls"], "--outcome"),
    "an outcome called arm": ([*ARMS, "--outcome", "count:arm"], "--outcome"),
    "one visit": ([*ARMS, "--outcome", "score:calm", "--visits", "0"], "--visits"),
    "visits without a score": ([*ARMS, "--outcome", "count:falls", "--visits", "0,3"], "--visits"),
    "clusters of three arms in two": ([*ARMS, "--outcome", "count:falls", "--clusters", "3,4,5"], "--clusters"),
    "clusters where people are randomised": ([*ARMS, "--outcome", "count:falls", "--design", "parallel", "--clusters", "3"], "--clusters"),
    "an analysis of another kind": ([*ARMS, "--outcome", "count:falls", "--analysis", "falls=cox"], "--analysis"),
    "an analysis of no outcome": ([*ARMS, "--outcome", "count:falls", "--analysis", "fall=poisson"], "--analysis"),
    "a mixed model of one visit": ([*ARMS, "--outcome", "score:calm", "--analysis", "calm=mixed"], "--analysis"),
    "a start of a name that is taken": ([*ARMS, "--outcome", "score:calm", "--outcome", "score:calm_start", "--analysis", "calm=ancova"], "--outcome"),
    "a pool of an unknown measure": (["--pool", "d:calm"], "--pool"),
    "pools of two measures": (["--pool", "smd:calm", "--pool", "or:working"], "--pool"),
    "a pool in a trial": ([*ARMS, "--outcome", "count:falls", "--pool", "smd:calm"], "--pool"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_options_that_make_no_study_are_refused_by_name_and_nothing_is_written(tmp_path, capsys, how):
    options, named = WRONG[how]
    assert main(["new", str(tmp_path / "mine"), *options]) == BAD_INPUT
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith(f"error: asprinted new: {named}") and told.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_overwritten(tmp_path, capsys):
    file = new(tmp_path / "mine", *ARMS, "--outcome", "count:falls")
    before = {each: each.read_bytes() for each in file.parent.iterdir()}
    assert main(["new", str(file.parent), *ARMS, "--outcome", "yes-no:working"]) == BAD_INPUT
    assert f"error: {file}: file. It is there already" in capsys.readouterr().err
    file.unlink()  # the schema alone is in the way too
    assert main(["new", str(file.parent), *ARMS, "--outcome", "yes-no:working"]) == BAD_INPUT
    assert {each: each.read_bytes() for each in file.parent.iterdir()} == {each: content for each, content in before.items() if each != file}


def test_folder_that_is_a_file_is_named(tmp_path, capsys):
    (tmp_path / "mine").write_bytes(b"mine")
    assert main(["new", str(tmp_path / "mine"), *ARMS, "--outcome", "count:falls"]) == BAD_INPUT
    told = capsys.readouterr().err
    assert told.startswith("error: ") and str(tmp_path / "mine") in told and (tmp_path / "mine").read_bytes() == b"mine"


# Questions on a terminal

PAIR = ("new course=60", "waiting list=60", "")  # two arms, and no more


@pytest.fixture
def answering(monkeypatch):
    """A function that gives the answers to come, one a question; it returns the questions that were asked."""

    def answer(*answers: str | type[BaseException]) -> list[str]:
        left, asked = list(answers), []

        def reply(question: str) -> str:
            asked.append(question)
            found = left.pop(0)
            if isinstance(found, str):
                return found
            raise found

        monkeypatch.setattr(commands.sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", reply)
        return asked

    return answer


def test_questions_make_the_same_file_as_the_options(tmp_path, answering):
    asked = answering("", "", "", "", "new course=60", "waiting list=60", "", "clusters", "7,8", "0,3,12", "score:calm:0-100", "yes-no:working", "", "", "")
    by_answers = new(tmp_path / "a" / "mine").read_text("utf-8")
    assert len(asked) == 15 and asked[0] == "Title [mine]: "
    by_options = new(tmp_path / "b" / "mine", *ARMS, "--clusters", "7,8", "--visits", "0,3,12", "--outcome", "score:calm:0-100", "--outcome", "yes-no:working").read_text("utf-8")
    assert by_answers == by_options


@pytest.mark.parametrize(("answers", "models"), [(("", ""), ["calm_linear", "well_logistic"]), (("ancova", "risk-difference, chi-squared"), ["calm_ancova", "well_risk_difference", "well_chi_squared"])])
def test_analysis_of_each_outcome_is_asked_for_and_nothing_means_the_usual_one(tmp_path, answering, answers, models):
    asked = answering("", "", "", "", "new course=60", "waiting list=60", "", "", "", "score:calm:0-100", "count:falls", "yes-no:well", "", answers[0], "", answers[1])
    text = new(tmp_path / "mine").read_text("utf-8")
    assert "Analysis of calm: linear, welch, ancova, rank-sum [linear]: " in asked  # what the design has no use for is not offered
    assert re.findall(r"^  ((?:calm|well)_[a-z_]+):$", text, re.MULTILINE) == models


def test_analysis_that_was_an_option_is_not_asked_for_again_and_an_unknown_answer_is(tmp_path, answering, capsys):
    asked = answering("", "", "", "", "new course=60", "waiting list=60", "", "", "", "score:calm:0-100", "yes-no:well", "", "poison", "poisson")
    text = new(tmp_path / "mine", "--analysis", "calm=welch").read_text("utf-8")
    assert [each.partition(":")[0] for each in asked[-2:]] == ["Analysis of well"] * 2 and "calm_welch:" in text and "well_poisson:" in text
    assert "Answer one of logistic, risk-ratio" in capsys.readouterr().err


def test_question_is_asked_again_until_the_answer_can_be_read(tmp_path, answering, capsys):
    asked = answering("", "", "", "review", "meta-analysis", "calm", "smd:calm", "")
    new(tmp_path / "mine")
    assert asked.count("Trial or meta-analysis [trial]: ") == 2 and sum(each.startswith("Pool 1") for each in asked) == 2
    assert "Answer trial or meta-analysis." in capsys.readouterr().err


@pytest.mark.parametrize("back", ["<", "back", " < "])
def test_an_answer_can_be_taken_back_as_often_as_wanted(tmp_path, answering, capsys, back):
    asked = answering("Wrong title", back, "", "", "", "", "new=60", "old course=60", back, back, "new course=60", "waiting list=60", "", "clusters", "7,8", back, "7,8", "0,3,12", "score:calm:0-100", "yes-no:worknig", back, "yes-no:working", "", "", "")
    by_answers = new(tmp_path / "a" / "mine").read_text("utf-8")
    assert [each.partition(" ")[0] for each in asked[:3]] == ["Title", "Authors,", "Title"] and questions.HINT in capsys.readouterr().out
    by_options = new(tmp_path / "b" / "mine", *ARMS, "--clusters", "7,8", "--visits", "0,3,12", "--outcome", "score:calm:0-100", "--outcome", "yes-no:working").read_text("utf-8")
    assert by_answers == by_options


def test_what_is_told_beside_the_questions_is_not_told_again_where_answers_stand(tmp_path, answering, capsys):
    answering("<", "", "", "", "", *PAIR, "<", "", "", "", "count:falls", "", "")
    new(tmp_path / "mine")
    told = capsys.readouterr().err
    assert told.count("Name the arm") == 1 and "This is the first question." in told


@pytest.mark.parametrize(("answers", "says", "question"), [
    (["a=10", "", "", "", "trial", *PAIR, "", "", "count:falls", "", ""], "Give the title in words, such as", "Title"),
    (["", "a=10", "", "", "trial", *PAIR, "", "", "count:falls", "", ""], "Give authors, title, journal and year, such as", "Authors"),
    (["", "", "a=10", "", "trial", *PAIR, "", "", "count:falls", "", ""], "A DOI is 10., a number, a slash and more, such as", "DOI"),
    (["", "", "", "", "new course=60", "New Course=60", "waiting list=60", "", "", "", "count:falls", "", ""], "Two arms come to the same name", "Arm 2"),
    (["", "", "", "", *PAIR, "", "", "count:falls", "yes-no:falls", "", ""], "Two things have this name", "Outcome 2"),
    (["", "", "", "", *PAIR, "", "", "yes-no:arm", "count:falls", "", ""], "Two things have this name", "Outcome 1"),
    (["", "", "", "", *PAIR, "", "0,3", "count:falls", "", "score:calm:0-10", "", "", ""], "Nothing is drafted at the visits", "Outcome 2"),
    (["", "", "", "meta-analysis", "smd:calm", "md:hope", ""], "Pools of two measures", "Pool 2"),
    (["", "", "", "", *PAIR, "", "", "score:calm:0-9", "score:calm_start:0-9", "", "ancova", "linear", "linear"], "Two things have this name", "Analysis of calm"),
])  # fmt: skip
def test_each_answer_is_held_against_what_it_must_be_when_it_is_given(tmp_path, answering, capsys, answers, says, question):
    asked = answering(*answers)
    new(tmp_path / "mine")
    assert says in capsys.readouterr().err and sum(each.startswith(question) for each in asked) >= 2 and len(asked) == len(answers)


@pytest.mark.parametrize(("text", "found"), [("10.1000/182", "10.1000/182"), (" https://doi.org/10.1000/182", "10.1000/182"), ("doi: 10.1000/182", "10.1000/182"), ("", "")])
def test_a_doi_is_kept_without_what_stands_before_it(text, found):
    assert plan.doi(text) == found


@pytest.mark.parametrize("text", ["a=10", "10.1000", "see below", "10.1000/ 182"])
def test_what_is_no_doi_is_refused_as_an_option_too(tmp_path, capsys, text):
    assert main(["new", str(tmp_path / "mine"), *ARMS, "--outcome", "count:falls", "--doi", text]) == BAD_INPUT
    assert "such as 10.1000/182" in capsys.readouterr().err and not (tmp_path / "mine").exists()


@pytest.mark.parametrize("options", [["--arm", "course=60"], ["--arm", "course=60", "--arm", "Course=61"], [*ARMS, "--clusters", "7,8", "--design", "parallel"]])
def test_options_that_cannot_be_are_refused_and_not_asked_about_for_ever(tmp_path, answering, options):
    answering("", "", "", "", "", "", "")
    assert main(["new", str(tmp_path / "mine"), *options]) == BAD_INPUT


def test_interrupted_questions_leave_nothing(tmp_path, answering, capsys):
    answering("", "", KeyboardInterrupt)
    assert main(["new", str(tmp_path / "mine")]) == 130
    assert list(tmp_path.iterdir()) == [] and capsys.readouterr().err == "stopped; nothing was half written\n"


def test_end_of_input_is_no_traceback(tmp_path, answering, capsys):
    answering("", EOFError)
    assert main(["new", str(tmp_path / "mine")]) == BAD_INPUT
    assert list(tmp_path.iterdir()) == [] and capsys.readouterr().err.startswith("error: asprinted new: ")


@pytest.mark.parametrize("text", ["", "course=", "=5", "a=-3", "a=1.5"])
def test_arm_needs_a_name_and_a_whole_number(text):
    if text == "course=":
        assert plan.arm(text) == ("course", "?")
    else:
        with pytest.raises(StudyError):
            plan.arm(text)


def test_lines_that_hold_the_correlation_in_each_arm_stand_ready_in_the_draft(tmp_path):
    file = new(tmp_path / "trial", "--arm", "new course=60", "--arm", "waiting list=60", "--arm", "neither=60", "--outcome", "score:calm:0-100", "--analysis", "calm=ancova")
    text = filled_with(file.read_text("utf-8"))
    ready = re.findall(r"^  # (?:calm_with_calm_start_|calm\.\w+\.r_calm_start).*$", text, re.MULTILINE)
    assert len(ready) == 6
    for line in ready:
        text = text.replace(line, line.replace("# ", "", 1))
    file.write_text(text, "utf-8")
    study = load(file.parent)
    held = [entry for entry in study.assumptions.values() if entry.by and entry.by["statistic"] == "est"]
    assert [study.models[entry.by["model"]]["rows"]["arm"] for entry in held] == ["new course", "waiting list", "neither"] and all(entry.bounds == ("0.4", "0.6") for entry in held)
    assert together.loose(study) == []
