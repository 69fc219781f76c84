"""One pool of studies serves several reviews: each rule takes the studies and people printed, reports print their claims, another study's rows stay as they are."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asprinted import records, synthesis
from asprinted.models import effects_of, pool
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study, StudyError, load
from asprinted.synthesis import evidence, integers
from asprinted.synthesis.trials import arms

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [file.parent for file in sorted((ROOT / "data").glob("*/study.yml")) if "evidence" in load(file.parent).design]

Data = dict[str, Any]


def column(type: str, **fields: Any) -> Data:
    return {"type": type, "required": True, "says": "x", "mark": "A", **fields}


def claim(text: str, kind: str = "number", **by: Any) -> Data:
    said = {"printed": text} if kind == "number" else {"declared": text, "reason": "x"}
    return {"says": "x", "mark": "S", "source": "paper", "where": "x", "kind": kind, "by": by, **said}


def assumed(value: Any) -> Data:
    return {"says": "x", "reason": "x", "value": value}


def scale(low: int, high: int, mean: float, sd: float, direction: int = 1) -> Data:
    return assumed({"minimum": str(low), "maximum": str(high), "mean": str(mean), "sd": str(sd), "direction": str(direction)})


ARMS = {name: column("integer" if name[0] == "n" else "number", **({} if name[0] == "n" else {"decimals": 2})) for name in ("n_a", "m_a", "s_a", "n_b", "m_b", "s_b")}
SCORED = {"id": column("string"), "what": column("string"), "when": column("string"), "scale": column("string"), "sign": column("integer", values=[-1, 1]), "minimum": column("integer"), "maximum": column("integer"), **ARMS}
EFFECT = {"n": ["n_a", "n_b"], "mean": ["m_a", "m_b"], "sd": ["s_a", "s_b"]}
SOURCES = [{"id": "paper", "reference": "Nobody. Nothing.", "read": "x"}]
OLD = pd.DataFrame({"id": [f"synthetic-{each}" for each in range(1, 6)], "year": [1996, 1999, 2003, 2005, 2008], "where": list("nnssn"), "people": [180, 90, 260, 120, 340]})
OLD_ROWS = pd.DataFrame(
    [("synthetic-1", "hope", "end", "H-9", -1, 9, 45, 70, 30.17, 6.01, 66, 28.42, 6.22), ("synthetic-3", "mood", "end", "M-20", 1, 0, 60, 101, 22.31, 9.08, 99, 24.04, 9.2), ("synthetic-5", "hope", "later", "H-9", -1, 9, 45, 150, 29.5, 6.31, 149, 29.41, 6.05)],
    columns=list(SCORED),
)  # fmt: skip


def first_data() -> Data:
    """A review whose rows another study takes."""
    return {
        "schema": 1, "title": "A review", "sources": SOURCES, "design": {}, "models": {}, "assumptions": {}, "claims": {"all.n": claim("5", table="trials", statistic="count")},
        "tables": {
            "trials": {"file": "trials.csv", "row": "one trial", "key": ["id"], "columns": {"id": column("string"), "year": column("integer"), "where": column("string", values=["n", "s"]), "people": column("integer")}},
            "rows": {"file": "rows.csv", "row": "one outcome", "key": ["id", "what", "when"], "parent": "trials", "columns": SCORED},
        },
    }  # fmt: skip


def many_data() -> Data:
    """Two reviews of eighteen studies, five of them another review's, with pools of three measures."""
    model = {"family": "random-effects", "says": "x", "table": "results", "outcome_column": "what"}
    ruled = {"rule": "later", "filter": {"when": "end", "against": "staff"}}
    reports = [
        {"model": "raw", "outcome": "mood", "values": {"when": "end"}, "rule": "later", "filter": {"against": "staff"}, "trials": 4, "centre": "mood.est", "spread": "spread.all", "instruments": ["M-20", "M-30"]},
        {"model": "points", "outcome": "life", "values": {"when": "end"}, "rule": "later", "filter": {"against": "staff"}, "trials": 3, "centre": "life.est", "spread": "spread.all", "instruments": ["L-7"]},
        {"model": "turned", "outcome": "hope", "values": {"when": "end"}, "rule": "early", "filter": {"against": "nothing"}, "trials": 3, "centre": "hope.centre", "spread": "spread.all", "instruments": ["H-9"]},
        {"model": "lost", "outcome": "left", "values": {"when": "end"}, "rule": "later", "filter": {"against": "staff"}, "trials": 5, "centre": "left.est", "level": "left.level", "left": True, "spread": "spread.all"},
    ]  # fmt: skip
    counts = {name: column("integer") for name in ("n_a", "out_a", "n_b", "out_b")}
    printed = {"mood": ("raw", "−0.24", "−0.47", "−0.01"), "life": ("points", "−0.30", "−0.72", "0.12"), "left": ("lost", "0.80", "0.58", "1.11")}
    pooled = {f"{what}.{name}": claim(text, model=row[0], outcome=what, statistic=name, **ruled) for what, row in printed.items() for name, text in zip(("est", "lo", "hi"), row[1:], strict=True)}
    return {
        "schema": 1, "title": "Reviews", "sources": SOURCES,
        "tables": {
            "studies": {"file": "studies.csv", "row": "one study", "key": ["id"], "columns": {
                "id": column("string"), "year": column("integer"), "where": column("string", values=["n", "s"]), "against": column("string", values=["staff", "nothing"]), "blind": column("integer", values=[0, 1]), "people": column("integer"),
            }},
            "results": {"file": "results.csv", "row": "one outcome", "key": ["id", "what", "when"], "parent": "studies", "columns": SCORED},
            "leavers": {"file": "leavers.csv", "row": "one outcome", "key": ["id", "what", "when"], "parent": "studies", "columns": {name: SCORED[name] for name in ("id", "what", "when")} | counts},
            "scores": {"file": "scores.csv", "row": "one person", "key": ["person"], "columns": {"person": column("string"), "study": column("string"), "group": column("string", values=["ours", "theirs"]), "points": column("integer")}},
        },
        "rules": {"later": {"says": "x", "filter": {"year": {"from": 1998}}}, "early": {"says": "x", "filter": {"year": {"to": 2009}, "where": ["n"]}}},
        "design": {"evidence": {
            "table": "studies", "taken": {"study": "first-review", "tables": {"trials": "studies", "rows": "results"}}, "number": "all.n",
            "people": {"column": "people", "smallest": 24, "largest": 500, "middle": 110, "spread": "size.spread"}, "year": {"column": "year", "first": 1990, "last": 2015},
            "kinds": [{"weight": 2, "values": {"where": ["n", "s"], "against": "nothing"}}, {"weight": 1, "values": {"where": "n", "against": "staff"}}, {"weight": 1, "values": {"where": "s", "against": "staff"}}],
            "categories": [{"column": "blind", "shares": "blind.shares"}], "kept": "kept.mean", "together": "kept.together", "instrument": "scale",
            "instruments": {"M-20": "scale.m", "M-30": "scale.other", "L-7": "scale.l", "H-9": "scale.h"}, "reports": reports,
            "people_of": {"table": "scores", "outcome": "mood", "values": {"when": "end"}, "rule": "later", "filter": {"against": "staff"}, "study": "largest", "arms": ["ours", "theirs"]},
        }},
        "models": {
            "raw": model | {"effect": {"measure": "smd", **EFFECT}}, "turned": model | {"effect": {"measure": "smd", **EFFECT, "direction": "sign"}}, "points": model | {"effect": {"measure": "md", **EFFECT}},
            "lost": model | {"table": "leavers", "effect": {"measure": "rr", "n": ["n_a", "n_b"], "events": ["out_a", "out_b"]}},
        },
        "claims": {
            "all.n": claim("18", table="studies", statistic="count"), "later.n": claim("13", table="studies", statistic="count", rule="later"),
            "later.people": claim("1,911", table="studies", statistic="sum", column="people", rule="later"), "early.n": claim("9", table="studies", statistic="count", rule="early"),
            "staff.n": claim("6", table="studies", statistic="count", rule="later", filter={"against": "staff"}), "staff.people": claim("743", table="studies", statistic="sum", column="people", rule="later", filter={"against": "staff"}),
            **pooled, "hope.majority": claim(">50", "words", model="turned", outcome=["hope", "mood"], statistic="percent_below", rule="early", filter={"against": "nothing"}),
        },
        "assumptions": {
            "both.n": {"says": "x", "reason": "x", "bounds": ["6", "7"], "by": {"table": "studies", "statistic": "count", "rule": ["later", "early"]}},
            "size.spread": assumed("0.6"), "kept.mean": assumed("0.8"), "kept.together": assumed("0.5"), "spread.all": assumed("0.08"), "hope.centre": assumed("-0.6"), "left.level": assumed("0.2"),
            "blind.shares": assumed({"0": "0.7", "1": "0.3"}), "scale.m": scale(0, 60, 24, 9), "scale.other": scale(30, 120, 70, 15), "scale.l": scale(1, 7, 4.3, 1.3, -1), "scale.h": scale(9, 45, 29, 6, -1),
        },
    }  # fmt: skip


@pytest.fixture
def pooled_data(load_data: Callable[..., Study]) -> Callable[..., Study]:
    """A function that gives a study of reviews, with the review that it takes beside it, its records written."""

    def load_both(data: Data | None = None, slug: str = "some-reviews") -> Study:
        first = load_data(first_data(), "first-review")
        records.write(first, {"trials": OLD, "rows": OLD_ROWS})
        return load_data(data or many_data(), slug)

    return load_both


@pytest.fixture
def study(pooled_data) -> Study:
    return pooled_data()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Study, dict[str, pd.DataFrame]]:
    """The study of reviews and its tables, made once, read back and written."""
    folder = tmp_path_factory.mktemp("reviews")
    for slug, data in (("first-review", first_data()), ("some-reviews", many_data())):
        (folder / slug).mkdir()
        (folder / slug / "study.yml").write_text(json.dumps(data), "utf-8")
    records.write(load(folder / "first-review"), {"trials": OLD, "rows": OLD_ROWS})
    study = load(folder / "some-reviews")
    tables = synthesis.synthesise(study)
    records.write(study, tables)
    return study, tables


# Which studies there are


def test_every_rule_takes_the_studies_and_the_people_printed(made):
    _, tables = made
    frame = tables["studies"]
    later, early, staff = frame["year"] >= 1998, (frame["year"] <= 2009) & (frame["where"] == "n"), frame["against"] == "staff"
    assert [len(frame), later.sum(), frame["people"][later].sum(), early.sum(), (later & staff).sum(), frame["people"][later & staff].sum()] == [18, 13, 1911, 9, 6, 743]
    assert (later & early).sum() in (6, 7)
    new = frame[~frame["id"].isin(OLD["id"])]
    assert new["people"].between(24, 500).all() and new["year"].between(1990, 2015).all() and new["year"].is_monotonic_increasing
    assert frame["id"].is_unique and frame["id"].str.startswith("synthetic-").all()


def test_taken_studies_and_their_rows_stand_unchanged_and_first(made):
    _, tables = made
    pd.testing.assert_frame_equal(tables["studies"].iloc[:5][list(OLD)], OLD)
    both = tables["results"].merge(OLD_ROWS[["id", "what", "when"]], on=["id", "what", "when"])
    pd.testing.assert_frame_equal(both, OLD_ROWS, check_like=True)


def test_other_random_numbers_give_another_pool_and_the_same_the_same(study):
    first, again, other = (evidence.tables(each)["studies"] for each in (study, study, dataclasses.replace(study, attempt=1)))
    pd.testing.assert_frame_equal(first, again)
    assert not first.iloc[5:].equals(other.iloc[5:])
    pd.testing.assert_frame_equal(first.iloc[:5][list(OLD)], other.iloc[:5][list(OLD)])


def test_counts_that_cannot_stand_together_are_named_and_no_others(pooled_data):
    data = many_data()
    data["claims"]["staff.people"]["printed"] = "100"  # of six studies of 24 or more
    with pytest.raises(StudyError, match="design › evidence.*No kinds, years and sizes of studies meet these together") as caught:
        evidence.tables(pooled_data(data))
    assert caught.value.value == ["staff.n", "staff.people"]


def test_reports_that_find_too_few_studies_are_part_of_a_conflict(pooled_data):
    data = many_data()
    data["design"]["evidence"]["reports"][0]["trials"] = 7
    with pytest.raises(StudyError) as caught:
        evidence.tables(pooled_data(data))
    assert caught.value.value == ["staff.n", "design › evidence › reports › 0 › trials"]


def test_taken_study_that_no_kind_fits_is_named(pooled_data):
    data = many_data()
    data["design"]["evidence"]["kinds"] = [{"weight": 1, "values": {"where": "n", "against": ["staff", "nothing"]}}]
    with pytest.raises(StudyError, match="design › evidence › kinds: 'synthetic-3'. No kind fits this study of 'first-review'"):
        evidence.tables(pooled_data(data))


# What they report


def pooled_by_hand(rows: pd.DataFrame, model: Data) -> Any:
    effects = effects_of(model, rows)
    return pool(effects.g, effects.v), effects


@pytest.mark.parametrize(("outcome", "table", "model", "k"), [("mood", "results", "raw", 4), ("life", "results", "points", 3), ("left", "leavers", "lost", 5)])
def test_reports_print_their_claims(made, outcome, table, model, k):
    study, tables = made
    joined = records.joined(study, tables, table)
    rows = joined[(joined["what"] == outcome) & (joined["when"] == "end") & (joined["year"] >= 1998) & (joined["against"] == "staff")]
    found, effects = pooled_by_hand(rows, study.models[model])
    assert len(rows) == k
    shown = np.exp if effects.ratio else float
    printed = [study.claims[f"{outcome}.{name}"].printed for name in ("est", "lo", "hi")]
    assert [f"{shown(getattr(found, name)):.2f}".replace("-", "−") for name in ("est", "lo", "hi")] == printed


def test_claim_about_rows_of_several_reports_and_of_taken_ones_holds(made):
    study, tables = made
    joined = records.joined(study, tables, "results")
    rows = joined[joined["what"].isin(["hope", "mood"]) & (joined["year"] <= 2009) & (joined["where"] == "n") & (joined["against"] == "nothing")]
    effects = effects_of(study.models["turned"], rows)
    below = rows["id"].to_numpy()[effects.g + 1.96 * np.sqrt(effects.v) < 0]
    assert len(set(below)) > rows["id"].nunique() / 2
    assert Reanalysis(study, tables).value(study.claims["hope.majority"].by) == pytest.approx(100 * len(set(below)) / rows["id"].nunique())


def test_nobody_has_an_outcome_who_left_and_arms_are_no_larger_than_their_studies(made):
    _, tables = made
    leavers, results = tables["leavers"].set_index("id"), tables["results"]
    size = tables["studies"].set_index("id")["people"]
    assert (leavers["n_a"] + leavers["n_b"]).equals(size[leavers.index].astype("int64"))
    assert ((results["n_a"] + results["n_b"]).to_numpy() <= size[results["id"]].to_numpy()).all()
    there = results[results["id"].isin(leavers.index)]
    assert len(there) > 3
    for arm in "ab":
        stayed = leavers[f"n_{arm}"] - leavers[f"out_{arm}"]
        assert (there[f"n_{arm}"].to_numpy() <= stayed[there["id"]].to_numpy()).all()


def test_every_new_mean_and_deviation_is_one_of_whole_scores(made):
    _, tables = made
    rows = tables["results"].merge(OLD_ROWS[["id", "what", "when"]], on=["id", "what", "when"], how="left", indicator=True).query("_merge == 'left_only'")
    assert len(rows) == 10
    for _, row in rows.iterrows():
        for arm in "ab":
            integers.printing(row[f"n_{arm}"], row["minimum"], row["maximum"], f"{row[f'm_{arm}']:.2f}", f"{row[f's_{arm}']:.2f}")  # raises where there are none


def test_scores_of_people_have_the_size_the_mean_and_the_deviation_of_the_largest_row(made):
    study, tables = made
    joined, scores = records.joined(study, tables, "results"), tables["scores"]
    rows = joined[(joined["what"] == "mood") & (joined["year"] >= 1998) & (joined["against"] == "staff")]
    row = rows.iloc[int((rows["n_a"] + rows["n_b"]).argmax())]
    assert set(scores["study"]) == {row["id"]} and scores["person"].is_unique
    for name, arm in (("ours", "a"), ("theirs", "b")):
        own = scores["points"][scores["group"] == name]
        assert [len(own), f"{own.mean():.2f}", f"{own.std():.2f}"] == [row[f"n_{arm}"], f"{row[f'm_{arm}']:.2f}", f"{row[f's_{arm}']:.2f}"]
        assert own.between(row["minimum"], row["maximum"]).all() and own.nunique() > 10


@pytest.mark.parametrize(("n", "mean", "sd", "low", "high"), [(13, 22, 22, 0, 180), (52, 18, 24, 0, 180), (20, 6, 5, 0, 60), (40, 165, 20, 0, 180)])
def test_scores_far_out_to_one_side_are_shown_to_exist_without_a_search(monkeypatch, n, mean, sd, low, high):
    total = np.rint(n * mean) + np.arange(6)[:, None] + np.zeros(2)
    squares = np.rint((n - 1) * sd**2 + total**2 / n) // 2 * 2 + total % 2
    people, ends = np.full((1, 1, 2), n), (np.full((1, 1, 1), end) for end in (low, high))
    arguments = (people, *ends, total[None].astype(np.int64), squares[None].astype(np.int64), np.ones((1, 6), dtype=bool))
    with monkeypatch.context() as patch:
        patch.setattr(integers, "exists", lambda *_: pytest.fail("searched"))
        shown = arms._exist(*arguments)
    assert shown.any()
    assert all(integers.exists(n, low, high, int(one), int(two)) for one, two in zip(total[shown[0], 0], squares[shown[0], 0], strict=True))


@given(st.integers(2, 25), st.integers(2, 14), st.integers(-20, 400), st.integers(0, 4000))
def test_scores_shown_to_exist_do_whatever_is_asked(n, high, total, squares):
    one = np.full((1, 1, 2), n), np.zeros((1, 1, 1), dtype=np.int64), np.full((1, 1, 1), high)
    sums = (np.full((1, 1, 2), each) for each in (total, squares - (squares - total) % 2))
    assert bool(arms._exist(*one, *sums, np.ones((1, 1), dtype=bool))[0, 0]) == integers.exists(n, 0, high, total, squares - (squares - total) % 2)


# Records


def test_records_are_stale_when_those_taken_change(made, tmp_path):
    study, _ = made
    for slug in ("first-review", "some-reviews"):
        shutil.copytree(study.folder.parent / slug, tmp_path / slug)
    assert records.stale(tmp_path / "some-reviews") is None
    file = tmp_path / "first-review" / "rows.csv"
    file.write_text(file.read_text("utf-8").replace("30.17", "30.18"), "utf-8")
    assert "rows.csv, whose rows stand in the records of" in records.stale(tmp_path / "some-reviews")
    with pytest.raises(StudyError, match="Its records cannot be taken.*was changed by hand"):
        evidence.tables(load(tmp_path / "some-reviews"))
    file.unlink()
    assert "rows.csv, whose rows stand" in records.stale(tmp_path / "some-reviews")


def test_data_package_says_whose_rows_stand_in_a_table(made):
    study, _ = made
    package = json.loads((study.folder / "datapackage.json").read_text("utf-8"))
    says = {resource["name"]: resource["description"] for resource in package["resources"]}
    assert "those of the table 'trials' of 'first-review', unchanged" in says["studies"] and "'rows' of 'first-review'" in says["results"]
    assert "first-review" not in says["leavers"] and package["taken"]["study"] == "first-review" and set(package["taken"]["files"]) == {"trials.csv", "rows.csv"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_committed_rows_taken_are_those_of_the_other_study(folder):
    study = load(folder)
    taken, tables = study.design["evidence"]["taken"], records.read(study)
    other = load(folder.parent / taken["study"])
    theirs = records.read(other)
    for name, ours in taken["tables"].items():
        both = [column for column in theirs[name] if column in tables[ours]]
        rows = tables[ours].merge(theirs[name][other.tables[name]["key"]], on=other.tables[name]["key"])
        pd.testing.assert_frame_equal(rows[both], theirs[name][both], check_dtype=False)


# What a study file may not ask

FAULTS = {
    "a table that is not there": ("table", "study", "table", "Did you mean 'studies'"),
    "sizes that go down": ("people›largest", 20, "people › largest", "a whole number, 24 or more"),
    "a median outside the sizes": ("people›middle", 600, "people › middle", "a number from 24 to 500"),
    "years that go back": ("year›last", 1980, "year › last", "a whole number, 1990 or more"),
    "kinds of unlike columns": ("kinds›1›values", {"where": "n"}, "kinds › 1 › values", "values of the same columns: where, against"),
    "a kind that a column does not have": ("kinds›1›values›where", ["n", "w"], "kinds › 1 › values › where", "Nothing of that name"),
    "a column made by nothing": ("categories", [], "", "Nothing makes the column 'blind'"),
    "its own rows taken": ("taken›study", "some-trial", "taken", "Name another study"),
    "rows taken into no table": ("taken›tables›rows", "result", "taken › tables › rows", "Did you mean 'results'"),
    "a report by an unknown rule": ("reports›0›rule", "latter", "reports › 0 › rule", "Did you mean 'later'"),
    "a report of more trials than studies": ("reports›0›trials", 19, "reports › 0 › trials", "from 1 to 18"),
    "a report with values of another column": ("reports›0›values", {}, "reports › 0 › model", "the key id, what"),
    "points on two scales": ("reports›1›instruments", ["L-7", "M-20"], "reports › 1 › instruments", "only on one scale"),
    "scores with a level": ("reports›0›level", "left.level", "reports › 0", "take out 'level'"),
    "events without a level": ("reports›3›level", None, "reports › 3", "give 'level'"),
    "a ratio below nothing": ("reports›3›centre", "hope.centre", "reports › 3 › centre", "a number from 0.001"),
    "arms of people that have no name": ("people_of›arms", ["ours", "others"], "people_of › table", "one whose 'values' are the arms"),
    "people of an outcome without scores": ("people_of›outcome", "left", "people_of", "No report has this outcome"),
}


@pytest.mark.parametrize(("path", "value", "field", "remedy"), FAULTS.values(), ids=list(FAULTS))
def test_design_that_cannot_be_followed_is_refused_with_field_and_remedy(load_data, path, value, field, remedy):
    data = copy.deepcopy(many_data())
    *above, last = path.split("›")
    place: Any = data["design"]["evidence"]
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(StudyError) as caught:
        load_data(data)
    assert caught.value.field == " › ".join(["design", "evidence", *([field] if field else [])])
    assert remedy in caught.value.remedy, caught.value.remedy


def test_count_by_a_column_that_is_not_sought_is_refused(load_data):
    data = many_data()
    data["claims"]["blind.n"] = claim("5", table="studies", statistic="count", filter={"blind": 1})
    with pytest.raises(StudyError, match="claims › blind.n › by: 'blind'. Studies are sought by where, against, year"):
        load_data(data)


def test_taken_table_that_lacks_a_column_is_refused(pooled_data):
    data = copy.deepcopy(many_data())
    data["tables"]["results"]["columns"]["note"] = column("string")
    for report in data["design"]["evidence"]["reports"][:3]:
        report["values"]["note"] = "x"
    data["tables"]["results"]["key"].append("note")
    del data["design"]["evidence"]["people_of"]
    with pytest.raises(StudyError, match="design › evidence › taken › tables › rows: 'note'. The table 'results' has this column and theirs does not"):
        evidence.tables(pooled_data(data))
