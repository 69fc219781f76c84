"""Outcomes of yes and no: printed counts are met at once, exchanges leave them, and the last claims are found where people are few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asprinted import printed
from asprinted import study as studies
from asprinted.study import StudyError
from asprinted.synthesis import synthesise
from asprinted.synthesis.outcomes import answers, foreseen, moves, search
from asprinted.synthesis.outcomes.answers import opposites
from asprinted.synthesis.outcomes.closing import closed
from asprinted.synthesis.outcomes.search import Aims
from asprinted.synthesis.outcomes.tallies import Tally, drawn, free
from asprinted.synthesis.outcomes.targets import Target, targets
from tests.asprinted.kinds import printed_trial


@pytest.mark.parametrize(("kinds", "seed"), [(("yes-no",), 0), (("yes-no",), 1), (("yes-no", "clusters"), 1), (("yes-no", "subgroups"), 2), (("yes-no", "visits"), 1), (("adjusted",), 3)])
def test_every_claim_of_a_printed_trial_is_printed_again(load_data, kinds, seed):
    study = load_data(printed_trial(kinds, seed))
    people = synthesise(study)  # verifies each claim after reading back
    assert any(entry["kind"] == "yes-no" for entry in study.design["outcomes"])
    for entry in study.design["outcomes"]:
        table = next(frame for frame in people.values() if entry["column"] in frame)
        assert entry["kind"] != "yes-no" or set(table[entry["column"]].dropna()) == {0, 1}


def test_the_same_study_file_gives_the_same_answers(load_data):
    study = load_data(printed_trial(("yes-no", "clusters"), 2))
    first, again = (synthesise(study) for _ in range(2))
    assert all(frame.equals(again[name]) for name, frame in first.items())


def test_counts_that_exclude_each_other_are_named(load_data, monkeypatch):
    data = printed_trial(("yes-no",), 0)
    claim = next(id for id, entry in data["claims"].items() if (entry.get("by") or {}).get("statistic") == "sum")
    data["claims"][claim]["printed"] = str(int(data["claims"][claim]["printed"]) + 3)
    monkeypatch.setattr(search, "SECONDS", 0.5, raising=False)
    with pytest.raises(StudyError, match="No values were found") as raised:
        synthesise(load_data(data))
    named = {id for id in (claim, claim.replace(".sum", ".percent")) if id in str(raised.value)}
    assert named, str(raised.value)


def test_a_draw_meets_every_tally_and_gives_the_answer_to_the_highest_scores():
    rng = np.random.default_rng(1)
    arm, woman = np.repeat([0, 1], 60), np.tile([0, 1, 1], 40)
    seen = rng.random(120) < 0.9
    score = rng.standard_normal(120)
    share = np.where(arm, 0.3, 0.5)
    known = [Tally((arm == 0) & seen, (1,), 20.5, 21.5), Tally((arm == 0) & (woman == 1) & seen, (1,), 15.5, 16.5), Tally((woman == 1) & seen, (1,), 25.5, 26.5)]
    y = drawn(arm, np.column_stack([1 - share, share]), score, known, seen)
    assert np.isnan(y[~seen]).all() and set(y[seen]) == {0.0, 1.0}
    for tally in known:
        assert tally.low < y[tally.rows].sum() < tally.high
    for cell in range(4):
        own = seen & (2 * arm + woman == cell)
        assert score[own & (y == 1)].min(initial=np.inf) > score[own & (y == 0)].max(initial=-np.inf)


def test_a_draw_without_tallies_has_the_shares_it_starts_from():
    strata = np.repeat([0, 1], [40, 50])
    y = drawn(strata, np.array([[0.75, 0.25], [0.4, 0.6]])[strata], np.arange(90.0), [], np.ones(90, dtype=bool))
    assert (y[:40].sum(), y[40:].sum()) == (10, 30)


def test_rows_held_to_one_count_are_not_free_and_others_are():
    rows = np.arange(10) < 5
    assert (free([Tally(rows, (1,), 2.5, 3.5)], np.ones(10, dtype=bool)) == ~rows).all()
    assert free([Tally(rows, (1,), 1.2, 4.4)], np.ones(10, dtype=bool)).all()
    ends = printed.parse("3").interval()
    assert ends.contains(float(ends.lo)), "an end that belongs to the interval is what this is about"
    whole = Tally(rows, (1,), np.nextafter(float(ends.lo), -np.inf), float(ends.hi))
    assert (free([whole], np.ones(10, dtype=bool)) == ~rows).all()


def test_exchanged_answers_are_opposite_of_one_stratum_and_of_different_people():
    rng = np.random.default_rng(3)
    strata, y = rng.integers(0, 4, 200), (rng.random(200) < 0.15).astype(float)
    rows, values = opposites(strata, np.arange(200))(y, 40, rng)
    assert len(rows) > 10 and len(np.unique(rows)) == rows.size
    assert (strata[rows[:, 0]] == strata[rows[:, 1]]).all() and (y[rows].sum(axis=1) == 1).all()
    assert (values == 1 - y[rows]).all()


def test_a_lumpy_pair_of_statistics_is_found_by_fours():
    rng = np.random.default_rng(5)
    weights = rng.standard_normal((2, 40))
    hidden = np.zeros(40)
    hidden[rng.choice(40, 12, replace=False)] = 1.0
    targets = [Target(f"sum {k}", *(weight @ hidden + 0.02 * np.array([-1, 1])), {"statistic": "est"}, lambda y, weight=weight: float(weight @ y)) for k, weight in enumerate(weights)]
    targets.append(Target("count", 11.5, 12.5, {"statistic": "sum"}, lambda y: float(y.sum()), rows=np.ones(40, dtype=bool)))
    start = (np.arange(40) < 12).astype(float)
    rows = np.arange(40)
    y = closed(start, targets, (moves.flips(rows), opposites(np.zeros(40, dtype=int), rows)), rng)
    assert all(target.low < target.value(y) < target.high for target in targets)
    assert not all(target.low < target.value(start) < target.high for target in targets)


def test_a_p_value_on_the_wrong_side_does_not_lead_away():
    """Both the difference and its p hold on one side only, and p alone would be nearer on the other."""
    half = np.repeat([-1.0, 1.0], 30)

    def difference(y):
        return float(half @ y)

    aim = Target("difference", 7.5, 8.5, {"statistic": "est"}, difference)
    p = Target("p", 0.046, 0.047, {"statistic": "p"}, lambda y: float(np.interp(abs(difference(y)), [0, 7.5, 8, 8.5, 30], [1, 0.06, 0.0465, 0.03, 0.001])))
    start = np.repeat([1.0, 0.0, 0.0], [7, 23, 30])
    y = closed(start, [aim, p], (moves.flips(np.arange(60)),), np.random.default_rng(0))
    assert difference(start) < 0 and 7.5 < difference(y) < 8.5
    assert Aims([replace(p)]).slack(Aims([p]).values(y)).min() > 0


def test_a_share_that_is_printed_as_an_inequality_is_met(load_data):
    trial = printed_trial(("yes-no",), 3)
    asked = {"table": "participants", "column": "working", "statistic": "percent", "filter": {"arm": "usual care"}}
    kept = {id: claim for id, claim in trial["claims"].items() if claim["by"].get("column") != "working" and "model" not in claim["by"] or id.endswith("observed")}
    over = {"says": "Over two fifths", "kind": "inequality", "printed": ">40%", "mark": "P", "source": "paper", "where": "abstract", "by": asked}
    start = {"working.start": {"says": "Share", "value": "0.3", "reason": "Usual in the field."}}
    [entry] = [each for each in trial["design"]["outcomes"] if each["column"] == "working"]
    entry["share"] = "working.start"
    study = load_data(trial | {"claims": kept | {"working.over": over}, "assumptions": trial["assumptions"] | start})
    people = synthesise(study)["participants"]
    assert people.loc[people["arm"] == "usual care", "working"].mean() > 0.4


@pytest.fixture(scope="module")
def of_two_visits():
    """The study of counts, an adjusted odds ratio and one over both visits; its response as 0, 1 and nan, and what it must print."""
    study = studies.load(Path(__file__).resolve().parents[1] / "papers" / "wiles-2013")
    tables = synthesise(study)
    columns = [*tables["participants"], *tables["visits"]]
    return study, tables["visits"]["response"].to_numpy(dtype=float, na_value=np.nan), targets(study, tables, "visits", ["response"], columns)


def test_what_a_fit_does_when_rows_change_come_in_or_go_out_is_foreseen(of_two_visits):
    _, y, aimed = of_two_visits
    on_scales, rng = Aims(aimed), np.random.default_rng(4)
    fitted = [k for k, target in enumerate(aimed) if target.refit is not None]
    assert {aimed[k].refit.spec["family"] for k in fitted} == {"logistic", "gee-logistic"}
    after, now = foreseen.effects(aimed, on_scales), on_scales.values(y)
    seen, unseen = rng.choice(np.flatnonzero(np.isfinite(y)), 60, replace=False), rng.choice(np.flatnonzero(np.isnan(y)), 60, replace=False)
    of_kinds = {
        "change": (seen[:, None], 1.0 - y[seen][:, None]),
        "come in": (unseen[:, None], rng.integers(0, 2, (60, 1)).astype(float)),
        "go out": (seen[:, None], np.full((60, 1), np.nan)),
        "change places": (np.column_stack([seen, unseen]), np.column_stack([np.full(60, np.nan), y[seen]])),
    }
    for kind, (rows, values) in of_kinds.items():
        pool = search.Pool([(rows, values)], ())
        refitted = np.array([on_scales.values(pool.made(y, np.array([k]))) for k in range(len(rows))]) - now
        told = after(y, rows, values) - now
        for k in fitted:
            off, size = np.abs(told[:, k] - refitted[:, k]).max(), np.abs(refitted[:, k]).max()
            assert off < 0.15 * size, (kind, aimed[k].id, off, size)


def test_counts_that_are_drawn_stay_while_an_adjusted_odds_ratio_is_searched(of_two_visits, monkeypatch):
    study, _, _ = of_two_visits
    counts = {"response.therapy.n": 95, "response.usual.n": 46}
    told = []

    def watched(y, targets, kinds, rng, **more):
        for propose in kinds:
            for rows, values in zip(*propose(y, 40, rng), strict=True):
                moved = y.copy()
                moved[rows[rows >= 0]] = values[rows >= 0]
                told.append({target.id: target.value(moved) for target in targets if target.id in counts})
        return y

    monkeypatch.setattr(answers, "closed", watched)
    monkeypatch.setattr(answers, "settle", lambda study, column, y, *more, effects=None, **rest: y if effects is None else (_ for _ in ()).throw(search.Unmet(study.file, column, ["x"], "None.")))
    with pytest.raises(StudyError):
        synthesise(study)
    assert len(told) > 100 and all(each == counts for each in told)
