"""What stumbles in a study file is told together, with what can have been meant, and what cannot be made is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from asprinted import directions, printed
from asprinted.cli import BAD_INPUT, FINE, main
from asprinted.study import StudyError, StudyErrors, _parse, schema
from asprinted.study.entries import nearest

PEOPLE = "participants"
SCORES = {"calm": ("20.1", "6.0"), "calm_start": ("19.0", "6.2")}


def claim(printed: str, **by: Any) -> dict[str, Any]:
    return {"says": "x", "kind": "number", "mark": "P", "source": "paper", "where": "abstract", "printed": printed, "by": by}


def assumed(value: Any) -> dict[str, Any]:
    return {"says": "x", "value": value, "reason": "Usual."}


def column(type: str, **spec: Any) -> dict[str, Any]:
    return {"type": type, "mark": "A", "says": "x"} | spec


def contrasts(name: str = "course") -> dict[str, Any]:
    return {name: [{"weight": 1, "at": {"arm": "course"}}, {"weight": -1, "at": {"arm": "usual"}}]}


@pytest.fixture
def data() -> dict[str, Any]:
    """A trial of two arms with scores before and after, of one of which a yes/no is a cut, a category and a count."""
    claims = {f"{arm}.all.n": claim("60", table=PEOPLE, statistic="count", filter={"arm": arm}) for arm in ("usual", "course")}
    for name, texts in SCORES.items():
        for arm in ("usual", "course"):
            for statistic, text in zip(("mean", "sd"), texts, strict=True):
                claims[f"{name}.{arm}.{statistic}"] = claim(text, table=PEOPLE, column=name, filter={"arm": arm}, statistic=statistic)
    score = {"minimum": 0, "maximum": 40}
    return {
        "schema": 1, "title": "A trial", "sources": [{"id": "paper", "reference": "A paper.", "read": "all"}],
        "tables": {PEOPLE: {"file": "participants.csv", "row": "One person", "key": ["id"], "columns": {
            "id": column("string", required=True), "arm": column("string", required=True, values=["usual", "course"]),
            "calm_start": column("integer", **score), "calmer": column("integer", values=[0, 1]), "calm": column("integer", **score),
            "housed": column("integer", values=[0, 1]), "place": column("string", values=["home", "hostel", "street"]), "sessions": column("integer", minimum=0),
        }}},
        "design": {
            "people": {"table": PEOPLE, "arms": {"column": "arm", "sizes": {"usual": "usual.all.n", "course": "course.all.n"}}},
            "outcomes": [
                {"column": "calm_start", "kind": "score"}, {"column": "calmer", "kind": "yes-no", "share": "half.x"}, {"column": "calm", "kind": "score"},
                {"column": "housed", "kind": "yes-no", "share": "half.x"}, {"column": "place", "kind": "category", "shares": "place.shares"}, {"column": "sessions", "kind": "count", "mean": "sessions.mean"},
            ],
        },
        "models": {"main": {"family": "linear", "table": PEOPLE, "says": "x", "formula": "{outcome} ~ C(arm)", "contrasts": contrasts()}},
        "claims": claims,
        "assumptions": {"half.x": assumed("0.5"), "calm.r": assumed("0.5"), "sessions.mean": assumed("6"), "place.shares": assumed({"home": "0.5", "hostel": "0.3", "street": "0.2"})},
    }  # fmt: skip


def refused(load_data, data) -> StudyError:
    with pytest.raises(StudyError) as raised:
        load_data(data)
    return raised.value


# Together


def test_loose_ends_are_told_together_a_line_each_with_file_field_value_and_remedy(data, load_data):
    of_model = {"model": "main", "outcome": "calm", "contrast": "course", "statistic": "est"}
    data["claims"] |= {
        "a.b": claim("1", **of_model | {"model": "mian"}), "a.c": claim("1", **of_model | {"outcome": "clam", "contrast": "cuorse"}),
        "a.d": claim("1", table=PEOPLE, column="calmm", statistic="mean", filter={"amr": "usual"}), "a.e": claim("1", **of_model) | {"source": "papre"},
    }  # fmt: skip
    error = refused(load_data, data)
    assert isinstance(error, StudyErrors)
    wanted = [
        ("claims › a.e › source", "papre", "paper"), ("claims › a.b › by › model", "mian", "main"), ("claims › a.c › by › contrast", "cuorse", "course"),
        ("claims › a.c › by › outcome", "clam", "calm"), ("claims › a.d › by › column", "calmm", "calm"), ("claims › a.d › by › filter", "amr", "arm"),
    ]  # fmt: skip
    assert str(error).splitlines() == [f"{error.file}: {field}: {value!r}. Nothing of that name. Did you mean {meant!r}?" for field, value, meant in wanted]
    assert (error.field, error.value) == wanted[0][:2] and len(error.errors) == len(wanted)


def test_fields_that_the_schema_refuses_are_told_together(data, load_data):
    data["claims"]["usual.all.n"]["printed"] = 60
    data["models"]["main"]["family"] = "liner"
    data["design"]["outcomes"][0]["knid"] = "score"
    told = str(refused(load_data, data))
    assert len(told.splitlines()) == 3
    assert all(part in told for part in ("claims › usual.all.n › printed: 60", "models › main › family: 'liner'", "design › outcomes › 0 › knid"))


def test_faults_of_outcomes_are_told_together(data, load_data):
    data["design"]["outcomes"][0]["follows"] = {"calm": "calm.r"}
    data["design"]["outcomes"][5]["mean"] = "sessions.maen"
    told = str(refused(load_data, data)).splitlines()
    assert ["follows" in line for line in told] == [True, False] and "Did you mean 'sessions.mean'?" in told[1]


def test_column_that_no_table_has_is_told_and_what_follows_it_too(data, load_data):
    at_visits(data, "yes-no")
    data["design"]["outcomes"][2]["column"] = "clam"
    data["design"]["outcomes"][-1]["follows"] = {"clam": "calm.r"}
    told = [error.field for error in refused(load_data, data).errors]
    assert "design › outcomes › 2 › column" in told and "design › outcomes › well › follows" in told


def test_command_prints_each_fault_on_a_line(data, write_study, capsys):
    data["claims"]["usual.all.n"]["source"] = data["claims"]["course.all.n"]["source"] = "papre"
    assert main(["check", str(write_study(data))]) == BAD_INPUT
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("chnge", ["change", "arm"], "change"), ("amr", ["arm", "age"], "arm"), ("study", ["studies", "pools"], "studies"), ("mood.cuorse.p", ["mood.usual.p", "mood.course.p"], "mood.course.p"),
        ("mood", ["month", "id"], None), ("mood.course.hi", ["mood.course.lo", "mood.course.p"], None), ("seen.usual.at_3", ["seen.usual.at_6"], None), ("calm.course.p", ["warm.course.p"], None),
    ],
)  # fmt: skip
def test_only_a_slip_of_the_name_is_suggested(name, known, meant):
    assert nearest(name, known) == (f" Did you mean {meant!r}?" if meant else f" Known: {', '.join(known)}.")


def test_outcome_is_suggested_among_columns_that_can_be_one(data, load_data):
    data["claims"]["a.b"] = claim("1", model="main", outcome="amr", contrast="course", statistic="est")
    assert refused(load_data, data).remedy == "Nothing of that name. Known: calm_start, calmer, calm, housed, place, sessions."


# Keys that are visits


def test_whole_number_as_a_key_is_the_text_that_it_is_written_as(data, tmp_path):
    text = yaml.safe_dump(data, sort_keys=False).replace("\nmodels:", "\n  visits: {0: [1], -3: [2], '12': [3]}\nmodels:")
    assert _parse(tmp_path / "study.yml", text.encode())["design"]["visits"] == {"0": [1], "-3": [2], "12": [3]}
    with pytest.raises(StudyError, match="stands twice"):
        _parse(tmp_path / "study.yml", b'a: {0: x, "0": y}')
    with pytest.raises(StudyError, match="put it in quotes"):
        _parse(tmp_path / "study.yml", b"a: {007: x}")


# Refused by name


def at_visits(data: dict[str, Any], kind: str) -> None:
    """Make a table of visits with one column of this kind."""
    columns = {"id": column("string", required=True), "month": column("integer", required=True), "well": column("integer", values=[0, 1]) if kind == "yes-no" else column("integer")}
    entry = {"column": "well", "kind": kind, "share": "half.x"}
    if kind == "time":
        columns["back"] = column("integer", values=[0, 1])
        entry |= {"event": "back", "follow_up": [10, 20]}
    data["tables"]["visits"] = {"file": "visits.csv", "row": "One visit", "key": ["id", "month"], "parent": PEOPLE, "columns": columns}
    data["design"]["visits"] = {"table": "visits", "column": "month", "times": [0, 6]}
    data["design"]["outcomes"].append(entry)


def test_mixed_model_of_a_yes_no_at_visits_is_refused_with_what_can_be_asked(data, load_data):
    at_visits(data, "yes-no")
    data["models"]["mixed"] = {"family": "mixed", "table": "visits", "says": "x", "formula": "{outcome} ~ C(arm)", "groups": "id", "contrasts": contrasts()}
    data["claims"]["well.course.est"] = claim("1", model="mixed", outcome="well", contrast="course", statistic="est")
    error = refused(load_data, data)
    assert (error.field, error.value) == ("claims › well.course.est › by › outcome", "well") and "gee-logistic" in error.remedy
    data["models"]["mixed"]["family"] = "gee-logistic"
    assert load_data(data).models["mixed"]["family"] == "gee-logistic"


def test_time_to_an_event_at_visits_is_refused(data, load_data):
    at_visits(data, "time")
    error = refused(load_data, data)
    assert error.field == "design › outcomes › well" and "table of people" in error.remedy


def test_change_beside_both_scores_that_it_is_between_is_refused_and_beside_one_is_not(data, load_data):
    data["tables"][PEOPLE]["columns"]["calm_change"] = column("integer", minimum=-40, maximum=40)
    data["design"]["outcomes"].append({"column": "calm_change", "kind": "score", "mean": "sessions.mean", "sd": "sessions.mean"})
    error = refused(load_data, data)
    assert error.field == "design › outcomes › calm_change" and "calm_start and calm" in error.remedy
    assert "call it otherwise" in error.remedy
    data["design"]["outcomes"] = [entry for entry in data["design"]["outcomes"] if entry["column"] != "calm"]
    del data["tables"][PEOPLE]["columns"]["calm"]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if not id.startswith("calm.")}
    assert load_data(data).design["outcomes"][-1]["column"] == "calm_change"


def test_change_beside_scores_that_only_begin_alike_is_no_difference_of_them(data, load_data):
    for name in ("mood_change", "mood_swings", "mood_clarity"):
        data["tables"][PEOPLE]["columns"][name] = column("integer", minimum=-40, maximum=40)
        data["design"]["outcomes"].append({"column": name, "kind": "score", "mean": "sessions.mean", "sd": "sessions.mean"})
    assert load_data(data).design["outcomes"][-3]["column"] == "mood_change"
    data["design"]["outcomes"][-1]["column"], data["design"]["outcomes"][-2]["column"] = names = "mood_12", "mood_before"
    for name, old in zip(names, ("mood_clarity", "mood_swings")):
        data["tables"][PEOPLE]["columns"][name] = data["tables"][PEOPLE]["columns"].pop(old)
    assert "mood_before and mood_12" in refused(load_data, data).remedy


@pytest.mark.parametrize(
    ("model", "field", "possible"),
    [
        ({"family": "meta-regression"}, "family", "q_between"),
        ({"family": "random-effects", "outcome_column": "place", "effect": {"measure": "proportion", "n": ["calm", "calm"]}}, "effect › measure", "each row of a pool holds two arms"),
        ({"family": "random-effects", "outcome_column": "place", "effect": {"measure": "rd", "n": ["calm", "calm"]}, "moderator": "calm"}, "moderator", "q_between"),
        ({"family": "random-effects", "outcome_column": "place", "effect": {"measure": "rd", "n": ["calm", "calm"]}, "formula": "{outcome} ~ calm"}, "formula", "q_between"),
    ],
)  # fmt: skip
def test_pools_that_are_not_made_are_refused_with_what_is_possible(data, load_data, model, field, possible):
    data["models"]["pool"] = {"table": PEOPLE, "says": "x"} | model
    error = refused(load_data, data)
    assert error.field == f"models › pool › {field}" and possible in error.remedy


@pytest.mark.parametrize(
    ("cut", "field", "words"),
    [
        ({"calmer": 0}, "cut › calmer", "from 0 to 40"), ({"calmer": {"to": 40}}, "cut › calmer", "from 0 to 40"), ({"calmer": {"from": 20, "at": 6}}, "cut › calmer › at", "no column of visits"),
        ({"calmer": {"to": 0, "of": "calm_start"}}, "cut › calmer", "0.5 for a score halved"), ({"calmer": {"to": 0.5, "of": "calm_strat"}}, "cut › calmer › of", "Did you mean 'calm_start'?"),
        ({"housed": 20}, "cut", "made later"), ({"clamer": 20}, "cut", "Did you mean 'calmer'?"),
    ],
)  # fmt: skip
def test_cut_that_cannot_be_is_refused_with_a_remedy(data, load_data, cut, field, words):
    data["design"]["outcomes"][2]["cut"] = cut
    error = refused(load_data, data)
    assert error.field == f"design › outcomes › calm › {field}" and words in error.remedy


# Directions


def test_lone_p_value_is_told_with_how_to_fix_the_direction_and_then_no_more(data, write_study, load_data, capsys):
    data["claims"] = {id: entry for id, entry in data["claims"].items() if not id.startswith("calm.")}
    data["claims"]["calm.course.p"] = claim("0.03", model="main", outcome="calm", contrast="course", statistic="p")
    data["design"]["outcomes"][2] |= {"mean": "sessions.mean", "sd": "sessions.mean"}
    assert main(["check", str(write_study(data))]) == FINE
    told = capsys.readouterr().out
    assert "direction open: calm.course.p" in told and "kind: direction" in told and "statistic: est" in told
    fixed = claim("", model="main", outcome="calm", contrast="course", statistic="est") | {"kind": "direction", "declared": ">0", "reason": "Plain words."}
    del fixed["printed"]
    for id, entry in (("claims", fixed), ("assumptions", {"says": "x", "bounds": ["0.5", "9"], "reason": "Usual.", "by": fixed["by"]})):
        changed = data | {id: data[id] | {"calm.course.direction": entry}}
        assert directions.undirected(load_data(changed)) == []


def test_p_value_beside_the_means_of_both_arms_or_of_three_places_has_no_open_direction(data, load_data):
    data["models"]["places"] = {"family": "chi-squared", "table": PEOPLE, "says": "x", "formula": "{outcome} ~ arm"}
    data["claims"]["calm.course.p"] = claim("0.9", model="main", outcome="calm", contrast="course", statistic="p")
    data["claims"]["place.arms.p"] = claim("0.5", model="places", outcome="place", statistic="p")
    assert directions.undirected(load_data(data)) == []
    data["claims"]["housed.arms.p"] = claim("0.5", model="places", outcome="housed", statistic="p")
    [lone] = directions.undirected(study := load_data(data))
    assert lone.id == "housed.arms.p" and "an assumption with bounds" in directions.in_words(study, lone)


def test_means_of_another_visit_than_the_models_do_not_say_the_direction(data, load_data):
    at_visits(data, "yes-no")
    data["tables"]["visits"]["columns"]["well"] = column("integer", minimum=0, maximum=40)
    data["design"]["outcomes"][-1] = {"column": "well", "kind": "score", "mean": "sessions.mean", "sd": "sessions.mean"}
    data["models"]["end"] = {"family": "linear", "table": "visits", "says": "x", "rows": {"month": 6}, "formula": "{outcome} ~ C(arm)", "contrasts": contrasts()}
    at = [{"weight": weight, "at": {"arm": arm, "month": month}} for weight, arm, month in ((1, "course", 6), (-1, "course", 0), (-1, "usual", 6), (1, "usual", 0))]
    data["models"]["both"] = {"family": "mixed", "table": "visits", "says": "x", "formula": "{outcome} ~ C(month) * C(arm)", "groups": "id", "contrasts": {"change": at}}
    data["claims"] |= {"well.end.p": claim("0.03", model="end", outcome="well", contrast="course", statistic="p"), "well.change.p": claim("0.03", model="both", outcome="well", contrast="change", statistic="p")}

    def undirected(*months):
        for arm in ("usual", "course"):
            data["claims"] |= {f"well.{arm}.at_{month}": claim("20", table="visits", column="well", filter={"arm": arm, "month": month}, statistic="mean") for month in months}
        return [each.id for each in directions.undirected(load_data(data))]

    assert undirected() == undirected(0) == ["well.end.p", "well.change.p"] and undirected(6) == []


# Examples of the reference


def test_examples_of_the_schema_are_loaded_as_they_stand(data, load_data):
    properties = schema()["properties"]
    shown = {name: {key: value for each in properties[name]["examples"] for key, value in each.items()} for name in ("models", "claims")}
    outcomes = {entry["column"]: entry for each in schema()["$defs"]["design"]["properties"]["outcomes"]["examples"] for entry in each}
    data["design"]["outcomes"] = [outcomes.get(entry["column"], entry) for entry in data["design"]["outcomes"]]
    [sites] = schema()["$defs"]["design"]["properties"]["people"]["properties"]["sites"]["examples"]
    data["design"]["people"]["sites"] = sites
    data["tables"][PEOPLE]["columns"][sites["column"]] = column("string", required=True)
    for name, entries in shown.items():
        data[name] |= entries
    study = load_data(data)
    statistics = {claim.by["statistic"] for id, claim in study.claims.items() if id in shown["claims"] and claim.by}
    assert {"nnt", "chi2", "distinct", "percent_observed"} <= statistics and any(entry.kind == "context" for entry in study.claims.values()) and any(entry.expect == "misprint" for entry in study.claims.values())
    assert any("instead_of" in model for model in study.models.values()) and any(0 in entry.get("seen", {}).values() for entry in study.design["outcomes"])
    assert any("cut" in entry for entry in study.design["outcomes"])
    assert all(printed.parse(study.claims[id].printed) for id in shown["claims"])
