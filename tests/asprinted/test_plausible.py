"""What print leaves open: correlations stay near what is assumed where there is room, ends of changes keep to their scale, and what does not is told."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest

from asprinted import plausible, reanalysis, synthesis
from asprinted.cli import FINE, main
from asprinted.study import StudyError, load
from asprinted.study.together import Together, lines, loose

PEOPLE = "participants"
SEEN = {"rest": 56, "walks": 54, "talks": 55}
MOMENTS = {"rest": ("2.29", "3.8"), "walks": ("2.33", "3.6"), "talks": ("2.53", "4.2")}


def claim(printed: str, **by) -> dict:
    return {"says": "x", "kind": "number", "mark": "P", "source": "paper", "where": "abstract", "printed": printed, "by": by}


def column(type: str, **spec) -> dict:
    return {"type": type, "mark": "A", "says": "x"} | spec


def contrast(arm: str) -> dict:
    return {arm: [{"weight": 1, "at": {"arm": arm}}, {"weight": -1, "at": {"arm": "rest"}}]}


def trial(est: str = "-0.08", r: str = "0.3", start: dict[str, str] | None = None, **entry) -> dict:
    """A trial of three arms that prints how far a pain score of 0 to 20 fell, and differences adjusted for the score at the start.

    start: the printed mean at the start of each arm; of all people where it is None. entry: more fields of the fall in the design.
    """
    at = [({"arm": arm}, mean) for arm, mean in start.items()] if start else [({}, "9.2")]
    claims = {f"pain.mean_{place}": claim(mean, table=PEOPLE, column="pain", statistic="mean", filter=filter) for place, (filter, mean) in enumerate(at)}
    claims["pain.sd"] = claim("3.8", table=PEOPLE, column="pain", statistic="sd")
    for arm, printed in MOMENTS.items():
        claims |= {f"fall.{arm}.{name}": claim(text, table=PEOPLE, column="fall", statistic=name, filter={"arm": arm}) for name, text in zip(("mean", "sd"), printed)}
    claims["fall.walks.est"] = claim(est, model="walks", outcome="fall", contrast="walks", statistic="est")
    return {
        "schema": 1, "title": "A trial", "sources": [{"id": "paper", "reference": "A paper.", "read": "all"}],
        "tables": {PEOPLE: {"file": "participants.csv", "row": "One person", "key": ["id"], "columns": {
            "id": column("string", required=True), "arm": column("string", required=True, values=list(SEEN)),
            "pain": column("integer", minimum=0, maximum=20), "fall": column("integer", minimum=-20, maximum=20),
        }}},
        "design": {
            "people": {"table": PEOPLE, "arms": {"column": "arm", "sizes": {arm: seen + 4 for arm, seen in SEEN.items()}}},
            "outcomes": [{"column": "pain", "kind": "score"}, {"column": "fall", "kind": "score", "seen": SEEN, "follows": {"pain": "fall.r"}} | entry],
        },
        "models": {"walks": {"family": "linear", "table": PEOPLE, "says": "x", "rows": {"arm": ["walks", "rest"]}, "formula": "{outcome} ~ arm + pain", "contrasts": contrast("walks")}},
        "claims": claims,
        "assumptions": {"fall.r": {"says": "x", "value": r, "reason": "Usual."}},
    }  # fmt: skip


def within_arms(frame: pd.DataFrame) -> dict[str, float]:
    return {arm: float(part[["pain", "fall"]].dropna().corr().iloc[0, 1]) for arm, part in frame.groupby("arm")}


def off(frame: pd.DataFrame) -> int:
    return int((~(frame["pain"] - frame["fall"]).dropna().between(0, 20)).sum())


def prints(study, tables) -> bool:
    return all(verdict.as_expected for verdict in reanalysis.verdicts(study, tables))


FORCED = {"start": {"rest": "10.4", "walks": "8.0", "talks": "9.2"}, "est": "-1.10"}  # the adjusted difference takes a correlation below nothing


@pytest.mark.parametrize("slug", ["a-trial", "b-trial", "c-trial", "d-trial"])
def test_a_correlation_that_is_only_assumed_comes_near_in_each_arm_where_print_leaves_room(load_data, slug):
    study = load_data(trial(), slug)
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    found, near = within_arms(tables[PEOPLE]), {each.arm: each.near for each in loose(study)}
    assert near.keys() == found.keys() and all(low <= found[arm] <= high for arm, (low, high) in near.items()), found
    assert plausible.mendable(study, tables) == []


def test_a_correlation_that_print_forces_away_is_told_with_what_would_bound_it_and_the_claims_print(write_study, capsys):
    folder = write_study(trial(**FORCED))
    assert main(["synthesise", str(folder)]) == FINE
    told = capsys.readouterr().out
    found = within_arms(pd.read_csv(folder / "participants.csv"))
    assert found["walks"] < 0 or found["rest"] < 0
    far = [each.arm for each in loose(load(folder)) if not each.near[0] <= found[each.arm] <= each.near[1]]
    assert far
    for arm in far:
        assert f"the correlation of fall with pain in {arm} is assumed to be 0.3 (fall.r) and came to {found[arm]:.2f} in these {SEEN[arm]} people" in told
        assert f"  fall.{arm}.r_pain: {{value: " in told
    assert main(["verify", str(folder), "--engine", "own", "--json"]) == FINE
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert [note["about"] for note in notes][: len(far)] == [f"the correlation of fall with pain in {arm}" for arm in far]


def test_the_lines_that_are_offered_load_as_they_stand_and_hold_the_correlation(write_study):
    folder = write_study(trial())
    study = load(folder)
    text = json.dumps(trial(), ensure_ascii=False, indent=0)
    models, assumptions = zip(*map(lines, loose(study)))
    for part, added in (("models", models), ("assumptions", assumptions)):
        text = text.replace(f'"{part}": {{', f'"{part}": {{{",".join(added)},', 1)
    (folder / "study.yml").write_text(text, "utf-8")
    bound = load(folder)
    assert loose(bound) == []
    tables = synthesis.synthesise(bound)
    assert all(each.holds for each in reanalysis.assumptions_kept(bound, tables)) and len(reanalysis.assumptions_kept(bound, tables)) == len(SEEN)
    assert plausible.mendable(bound, tables) == []


def test_how_near_a_correlation_should_come_hangs_on_the_number_of_people():
    few, many, two = (Together("fall", "pain", PEOPLE, "rest", None, {"arm": "rest"}, "fall.r", 0.3, people) for people in (20, 2000, 2))
    assert few.near[0] < many.near[0] < 0.3 < many.near[1] < few.near[1] and two.near == (-1.0, 1.0)
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4000, 20))
    y = 0.3 * x + np.sqrt(1 - 0.3**2) * rng.standard_normal(x.shape)
    found = np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(x, y)])
    assert 0.93 < ((found >= few.near[0]) & (found <= few.near[1])).mean() < 0.97


@pytest.mark.parametrize("way", ["fall", "rise"])
def test_records_keep_start_and_end_of_a_change_on_the_scale(load_data, way):
    data = trial(change={"pain": way}, r="0.3" if way == "fall" else "-0.3")
    study = load_data(data)
    frame = synthesis.synthesise(study)[PEOPLE]
    end = (frame["pain"] - frame["fall"] if way == "fall" else frame["pain"] + frame["fall"]).dropna()
    assert end.between(0, 20).all() and len(end) == sum(SEEN.values()) and prints(study, {PEOPLE: frame})


def test_people_off_the_scale_are_counted_where_print_leaves_no_room_for_all_of_them(write_study, capsys):
    data = trial(change={"pain": "fall"})
    data["claims"]["pain.sd"]["printed"], data["claims"]["pain.mean_0"]["printed"] = "1.0", "1.2"  # nearly nobody can fall by two
    folder = write_study(data)
    assert main(["synthesise", str(folder)]) == FINE
    number = off(pd.read_csv(folder / "participants.csv"))
    sentence = f"{number} people leave the scale of pain, 0 to 20, by their fall"
    assert number and sentence in capsys.readouterr().out
    assert main(["verify", str(folder), "--engine", "own"]) == FINE
    assert sentence in capsys.readouterr().out


def test_a_column_that_looks_like_a_change_is_asked_about_with_how_many_people_would_be_off_the_scale(write_study, capsys):
    folder = write_study(trial())
    assert main(["synthesise", str(folder)]) == FINE
    told, number = capsys.readouterr().out, off(pd.read_csv(folder / "participants.csv"))
    assert number and f"if it is the start less the end, {number} people end off the scale" in told and "change: {pain: fall}" in told


@pytest.mark.parametrize(("change", "words"), [({"fall": "fall"}, "change"), ({"pain": "loss"}, "loss"), ({"arm": "fall"}, "scale")], ids=["not-before", "no-such-way", "text"])
def test_fault_in_a_change_is_named(write_study, change, words):
    with pytest.raises(StudyError, match=words):
        load(write_study(trial(change=change)))


def test_variants_tell_of_how_many_students_a_correlation_is_far_and_the_farthest(write_study, tmp_path, capsys):
    folder = write_study(trial(**FORCED))
    roster = tmp_path / "roster.csv"
    with roster.open("w", newline="") as file:
        csv.writer(file).writerows([["id"], ["anna"], ["ben"]])
    assert main(["variants", str(folder), "--roster", str(roster), "--out", str(tmp_path / "out"), "--workers", "1", "--second-engine", "0"]) == FINE
    told = capsys.readouterr().out
    found = {student: within_arms(pd.read_csv(tmp_path / "out" / student / "participants.csv")) for student in ("anna", "ben")}
    for each in loose(load(folder)):
        far = {student: abs(r[each.arm] - 0.3) for student, r in found.items() if not each.near[0] <= r[each.arm] <= each.near[1]}
        if far:
            worst = max(far, key=far.get)
            assert f"in the records of {len(far)} of 2 students, farthest in those of {worst}: the correlation of fall with pain in {each.arm}" in told
    assert "the correlation of fall with pain in" in told
