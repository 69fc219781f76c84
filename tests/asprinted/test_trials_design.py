"""Trials of a review are made as the study file says: who reports what, how many people, and pooled results that print every claim."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asprinted import checks, reanalysis, records, synthesis
from asprinted.study import Assumption, Study, StudyError
from asprinted.synthesis import trials as made
from asprinted.synthesis.design import apportion
from asprinted.synthesis.trials import aims, people, reports

Data = dict[str, Any]


def claim(text: str, statistic: str, outcome: str = "", model: str = "main", printed: bool = True, **filter: Any) -> Data:
    """A claim of a pool, as it stands in a study file."""
    by = {"model": model, "outcome": outcome, "statistic": statistic} | ({"filter": filter} if filter else {})
    kind = {"kind": "number", "printed": text} if printed else {"kind": "words", "declared": text, "reason": "x"}
    return {"says": "x", "mark": "S", "source": "paper", "where": "x", "by": by, **kind}


def of_table(text: str, table: str, statistic: str, **by: Any) -> Data:
    return {"says": "x", "mark": "S", "source": "paper", "where": "x", "kind": "number", "printed": text, "by": {"table": table, "statistic": statistic, **by}}


def assumed(value: Any, **fields: Any) -> Data:
    return {"says": "x", "reason": "x", "value": value, **fields}


def column(type: str, **fields: Any) -> Data:
    return {"type": type, "required": True, "says": "x", "mark": "A", **fields}


def scale(low: int, high: int, mean: float, sd: float, direction: int = 1) -> Data:
    return assumed({"minimum": str(low), "maximum": str(high), "mean": str(mean), "sd": str(sd), "direction": str(direction)})


def base(number: int, total: int, keys: tuple[str, ...], columns: Data, pools: list[Data], claims: Data, assumptions: Data) -> Data:
    """A review whose columns, arms and models have names of their own: studies (a row a study) and results."""
    effect = {"measure": "smd", "n": ["n_ours", "n_theirs"], "mean": ["m_ours", "m_theirs"], "sd": ["s_ours", "s_theirs"], "direction": "sign"}
    arms = {name: column("integer" if name[0] == "n" else "number", **({} if name[0] == "n" else {"decimals": 2})) for pair in ("n", "m", "s") for name in (f"{pair}_ours", f"{pair}_theirs")}
    model = {"family": "random-effects", "says": "x", "table": "results", "effect": effect, "outcome_column": "what", "estimator": "DL", "test": "wald-z"}
    return {
        "schema": 1, "title": "A review", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "x"}],
        "tables": {
            "studies": {"file": "studies.csv", "row": "one trial", "key": ["trial_id"], "columns": {
                "trial_id": column("string"), "place": column("string", values=["ward", "town", "web"]), "blind": column("integer", values=[0, 1]),
                "appeared": column("integer"), "size": column("integer", minimum=1),
            }},
            "results": {"file": "results.csv", "row": "one outcome of one trial", "key": ["trial_id", "what", *keys], "parent": "studies", "columns": {
                "trial_id": column("string"), "what": column("string"), **columns, "scale": column("string"), "sign": column("integer", values=[-1, 1]), **arms,
            }},
        },
        "design": {"trials": {
            "table": "studies", "number": number, "people": {"column": "size", "total": total, "smallest": "size.least", "spread": "size.spread"},
            "year": {"column": "appeared", "first": 1990, "last": 2015},
            "categories": [{"column": "place", "shares": "place.shares"}, {"column": "blind", "shares": "blind.shares"}],
            "effects": {
                "table": "results", "model": "main", "kept": "effects.kept", "together": "effects.together", "instrument": "scale",
                "instruments": {"A-10": "scale.a", "B-20": "scale.b", "C-30": "scale.c"}, "pools": pools,
            },
        }},
        "models": {"main": model},
        "claims": {"trials.all.n": of_table(str(number), "studies", "count"), "people.all.n": of_table(f"{total:,}", "studies", "sum", column="size"), **claims},
        "assumptions": {
            "size.least": assumed("30"), "size.spread": assumed("0.7"), "place.shares": assumed({"ward": "0.4", "town": "0.4", "web": "0.2"}),
            "blind.shares": assumed({"0": "0.7", "1": "0.3"}), "effects.kept": assumed("0.8"), "effects.together": assumed("0.5"),
            "scale.a": scale(0, 40, 22, 7), "scale.b": scale(20, 100, 60, 13, -1), "scale.c": scale(30, 120, 80, 16), **assumptions,
        },
    }  # fmt: skip


def rows_data() -> Data:
    """Pools with printed people, at two times: a sliver of effects and sizes prints each."""
    pools = [
        {"outcome": "mood", "values": {"time": "end"}, "trials": "mood.end.k", "people": "mood.end.n", "centre": "mood.end.est", "spread": "spread.all", "instruments": ["A-10", "C-30"]},
        {"outcome": "hope", "values": {"time": "later"}, "trials": "hope.later.k", "people": "hope.later.n", "centre": "hope.later.est", "spread": "spread.all", "instruments": ["B-20"]},
        {"outcome": "mood", "values": {"time": "later"}, "trials": 1, "people": "mood.later.n", "centre": "mood.later.est", "spread": "spread.all", "instruments": ["A-10", "C-30"]},
    ]
    printed = {
        ("mood", "end"): {"k": "4", "n": "1,066", "est": "−0.24", "lo": "−0.39", "hi": "−0.09", "q": "4.09", "i2": "27%", "q_p": ".25"},
        ("hope", "later"): {"k": "2", "n": "639", "est": "−0.24", "lo": "−0.40", "hi": "−0.08", "q": "0.00", "q_p": ".98", "i2": "0%"},
        ("mood", "later"): {"n": "448", "est": "−0.08", "lo": "−0.26", "hi": "0.11"},
    }
    claims = {f"{what}.{time}.{name}": claim(text, name, what, time=time) for (what, time), row in printed.items() for name, text in row.items()}
    return base(18, 5597, ("time",), {"time": column("string", values=["end", "later"])}, pools, claims, {"spread.all": assumed("0.05")})


def many_data() -> Data:
    """One large pool by place, printed by three models at once, with a second instrument in some trials, and two small pools."""
    pools = [
        {"outcome": "growth", "by": "place", "trials": {"ward": 7, "town": 9}, "centre": {"ward": "growth.ward", "town": "growth.town"}, "spread": "spread.all", "small": "growth.small",
         "instruments": ["A-10", "B-20"], "twice": 2},
        {"outcome": "fear", "by": "place", "trials": {"ward": 3, "town": 4}, "centre": "fear.centre", "spread": "spread.all", "instruments": ["A-10", "C-30"]},
        {"outcome": "trust", "trials": 4, "centre": "growth.town", "spread": "spread.all", "instruments": ["C-30"]},
    ]  # fmt: skip
    claims = {
        "growth.all.est": claim("0.20", "est", "growth"), "growth.all.lo": claim("0.11", "lo", "growth"), "growth.all.hi": claim("0.29", "hi", "growth"),
        "growth.ward.est": claim("0.10 to 0.35", "est", "growth", printed=False, place="ward"), "growth.ward.lead": claim(">0", "lead", "growth", printed=False, place="ward"),
        "fear.all.est": claim("−0.21", "est", "fear"), "fear.all.lo": claim("−0.40", "lo", "fear"), "fear.all.hi": claim("−0.02", "hi", "fear"), "trust.all.k": claim("4", "k", "trust"),
    }  # fmt: skip
    assumptions = {
        "spread.all": assumed("0.12"), "growth.ward": assumed("0.28"), "growth.town": assumed("0.15"), "growth.small": assumed("0.8"), "fear.centre": assumed("-0.2"),
        "growth.egger_p": {"says": "x", "reason": "x", "bounds": ["0.005", "0.2"], "by": {"model": "main", "outcome": "growth", "statistic": "egger_p"}},
    }  # fmt: skip
    data = base(40, 9000, ("scale",), {"counts": column("integer", values=[0, 1]), "minimum": column("integer"), "maximum": column("integer")}, pools, claims, assumptions)
    data["models"]["main"]["rows"] = {"counts": 1}
    data["models"] |= {name: {**data["models"]["main"], "estimator": name.upper()} for name in ("pm", "reml")}
    data["design"]["trials"]["effects"] |= {"second": "counts", "also": ["pm", "reml"]}
    return data


@pytest.fixture
def rows(load_data: Callable[..., Study]) -> Study:
    return load_data(rows_data())


@pytest.fixture
def many(load_data: Callable[..., Study]) -> Study:
    return load_data(many_data())


def frames(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    tables = made.tables(study)
    return tables["studies"], tables["results"]


# Sizes


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0.1, 100)), min_size=1, max_size=30), st.integers(0, 3000))
def test_whole_numbers_have_their_sum_keep_their_least_and_are_else_in_proportion(pairs, more):
    least, weights = (np.array(each) for each in zip(*pairs, strict=True))
    total = int(least.sum()) + more
    counts = people.shared_out(total, least, weights)
    assert counts.sum() == total and (counts >= least).all()
    factor = (counts / weights)[counts > least + 1]
    if len(factor) > 1:
        slack = (1 / weights)[counts > least + 1]
        assert (factor + slack).min() >= (factor - slack).max() - 1e-6


@given(st.lists(st.integers(5, 900), min_size=1, max_size=60))
def test_whole_numbers_that_have_their_sum_already_stay(sizes):
    np.testing.assert_array_equal(people.shared_out(sum(sizes), np.full(len(sizes), 5), np.array(sizes)), sizes)


def test_least_numbers_above_the_sum_are_refused():
    with pytest.raises(ValueError, match="31 people are needed, 30 are there"):
        people.shared_out(30, np.array([30, 1]), np.ones(2))


def sized(number: int, total: int, least: int, spread: float = 0.7) -> Study:
    """A review of so many trials and people, in which nothing is reported."""
    data = base(number, total, (), {}, [], {}, {"size.least": assumed(str(least)), "size.spread": assumed(str(spread))})
    assumptions = {id: Assumption(id, **entry) for id, entry in data["assumptions"].items()}
    return Study(Path("/nowhere/some-trial"), "A review", {}, data["tables"], data["design"], {}, {}, assumptions)


@pytest.mark.parametrize(("number", "total", "least"), [(18, 5597, 30), (49, 12477, 20), (1, 77, 16), (40, 1200, 30), (3, 100_000, 16)])
def test_trials_have_the_people_the_years_and_the_kinds_that_the_study_file_gives(number, total, least):
    frame = people.trials(sized(number, total, least))
    assert list(frame) == ["trial_id", "place", "blind", "appeared", "size"] and len(frame) == number == frame["trial_id"].nunique()
    assert frame["trial_id"].str.startswith("synthetic-").all()
    assert frame["size"].sum() == total and frame["size"].min() >= least
    assert frame["appeared"].is_monotonic_increasing and frame["appeared"].between(1990, 2015).all()
    assert number == 1 or {1990, 2015} <= set(frame["appeared"])
    assert [int((frame["place"] == place).sum()) for place in ("ward", "town", "web")] == apportion(number, [0.4, 0.4, 0.2])
    assert [int((frame["blind"] == value).sum()) for value in (0, 1)] == apportion(number, [0.7, 0.3])


@pytest.mark.parametrize("spread", [0.3, 0.9])
def test_sizes_have_the_spread_given_and_later_years_are_more_often(spread):
    frame = people.trials(sized(400, 200_000, 16, spread))
    assert abs(np.log(frame["size"]).std() - spread) < 0.05
    assert frame["size"].skew() > 0.5
    assert (frame["appeared"] > 2002).mean() > 0.65


@given(st.lists(st.integers(20, 500), min_size=2, max_size=20), st.data())
def test_sizes_make_room_for_outcomes_and_keep_their_sum(sizes, data):
    study = sized(len(sizes), sum(sizes), 16)
    needed = np.array([data.draw(st.integers(0, 2 * size)) for size in sizes])
    frame = pd.DataFrame({"size": sizes})
    if np.maximum(needed, 16).sum() > sum(sizes):
        with pytest.raises(StudyError, match="design › trials › people › total.*The outcomes leave no room for it"):
            people.resized(study, frame, needed)
        return
    enough = people.resized(study, frame, needed)["size"].to_numpy()
    assert enough.sum() == sum(sizes) and (enough >= needed).all()
    if (needed <= sizes).all():
        np.testing.assert_array_equal(enough, sizes)


def test_trials_with_more_outcomes_than_people_get_some_who_are_lost_too():
    study = sized(3, 1000, 16)
    enough = people.resized(study, pd.DataFrame({"size": [100, 400, 500]}), np.array([120, 50, 60]))["size"].tolist()
    assert enough[0] == math.ceil(120 / 0.9) and sum(enough) == 1000  # half of the usual losses, a fifth


# Who reports what


def test_each_pool_has_its_trials_of_each_kind_and_a_kind_that_no_pool_names_reports_nothing(many):
    trials, results = frames(many)
    joined = results.merge(trials, on="trial_id").query("counts == 1")
    assert joined[joined["what"] == "growth"]["place"].value_counts().to_dict() == {"town": 9, "ward": 7}
    assert joined[joined["what"] == "fear"]["place"].value_counts().to_dict() == {"town": 4, "ward": 3}
    assert (joined["what"] == "trust").sum() == 4
    assert (trials["place"] == "web").sum() == 8 and not (joined["place"] == "web").any()


def test_trials_report_different_numbers_of_outcomes_and_a_kind_that_no_pool_names_reports_none(load_data):
    data = many_data()
    data["design"]["trials"]["effects"]["pools"][0]["trials"] = {"ward": 10, "town": 11}
    data["design"]["trials"]["effects"]["pools"][1]["trials"] = {"ward": 8, "town": 8}
    data["design"]["trials"]["effects"]["pools"][2]["trials"] = 16
    study = load_data(data)
    trials, inside = reports.who_reports(study, people.trials(study))
    counts = np.bincount(np.concatenate(inside), minlength=len(trials))
    there = (trials["place"] != "web").to_numpy()
    assert not counts[~there].any()
    assert {0, 1, 2, 3} <= set(counts[there])


def test_people_whom_losses_leave_come_near_those_printed_and_have_their_exact_sum(rows):
    first = people.trials(rows)
    trials, inside = reports.who_reports(rows, first)
    assert sorted(trials["size"]) == sorted(first["size"])
    arms = reports.arms_of(rows, trials["size"].to_numpy())
    np.testing.assert_array_equal(arms.sum(axis=1), trials["size"])
    for number, (members, total) in enumerate(zip(inside, (1066, 639, 448), strict=True)):
        assert abs(np.log(0.8 * trials["size"].to_numpy()[members].sum() / total)) < 0.1
        left = reports.left(rows, number, members, arms)
        assert left.sizes.sum() == left.total == total
        assert (left.least < left.sizes).all() and (left.sizes < left.most).all() and (left.sizes <= arms[members]).all()
        freer = reports.left(rows, number, members, arms, 3)
        assert freer.sizes.sum() == total and np.log(freer.sizes).std() < np.log(left.sizes).std()
        assert (freer.most / freer.sizes > 2.1).all() and (freer.sizes / freer.least > 2.1).all()


def test_people_are_fixed_by_losses_alone_where_none_are_printed(many):
    trials, inside = reports.who_reports(many, people.trials(many))
    arms = reports.arms_of(many, trials["size"].to_numpy())
    left = reports.left(many, 0, inside[0], arms)
    assert left.total is None and (left.least == left.sizes).all() and (left.most == left.sizes).all()
    freer = reports.left(many, 0, inside[0], arms, 2)
    assert freer.total is None and (freer.sizes == left.sizes).all() and (freer.least < freer.sizes).all() and (freer.sizes < freer.most).all()
    share = left.sizes / arms[inside[0]]
    lowest, highest = (1 / (1 + np.exp(-np.log(4) - side * 2 * reports.LOSSES["trial"])) for side in (-1, 1))  # of 0.8
    assert (left.sizes >= lowest * arms[inside[0]] - 0.5).all() and (left.sizes <= highest * arms[inside[0]] + 0.5).all()
    assert (share <= 1).all() and 0.75 < share.mean() < 0.85 and share.std() > 0.02


def test_a_trial_has_the_same_instrument_at_every_time_and_none_is_in_more_than_its_share_by_half(rows, many):
    _, results = frames(rows)
    both = results[results["what"] == "mood"].groupby("trial_id")["scale"].nunique()
    assert (both == 1).all()
    members = [np.arange(16), np.arange(7), np.arange(4)]
    used = [first for first, _ in reports.instruments(many, members, 40)]
    assert pd.Series(used[0]).value_counts().max() <= 12 and set(used[0]) == {"A-10", "B-20"}
    for first in range(0, 40, 4):
        assert all(len(set(each)) > 1 for each, _ in reports.instruments(many, [np.arange(first, first + 4)] * 3, 40)[:2])
    assert all((first != second).all() for first, second in reports.instruments(many, members, 40)[:2])


# Targets


def pool_rows(study: Study, number: int) -> pd.DataFrame:
    """Four trials of a pool, two of each place."""
    pool = study.design["trials"]["effects"]["pools"][number]
    return pd.DataFrame({"trial_id": list("abcd"), "place": ["ward", "town", "ward", "town"], "blind": [0, 0, 1, 1], "what": pool["outcome"], "scale": "A-10", "counts": 1})


def test_claims_are_targets_by_every_model_and_bounds_by_the_first_alone(many):
    found = aims.targets(many, 0, pool_rows(many, 0))
    says = [target.says for target in found]
    assert [each for each in says if each.startswith("growth.all.est")] == ["growth.all.est", "growth.all.est by pm", "growth.all.est by reml"]
    assert [target.model["estimator"] for target in found if target.says.startswith("growth.all.lo")] == ["DL", "PM", "REML"]
    assert says.count("growth.egger_p") == 1 and not any("egger_p by" in each for each in says)
    assert not any("fear" in each or "trust" in each for each in says)
    assert [(target.low, target.high) for target in found if target.says == "growth.egger_p"] == [(0.005, 0.2)]
    assert [(target.low, target.high) for target in found if target.says == "growth.all.est"] == [(0.195, 0.205)]


def test_target_is_about_the_rows_of_its_filter_and_a_lead_is_over_each_other_value(many):
    found = {target.says: target for target in aims.targets(many, 0, pool_rows(many, 0))}
    assert found["growth.all.est"].rows.all()
    assert found["growth.ward.est"].rows.tolist() == [True, False, True, False]
    lead = found["growth.ward.lead"]
    assert lead.rows.tolist() == [True, False, True, False] and [other.tolist() for other in lead.others] == [[False, True, False, True]]
    assert (lead.low, lead.high) == (0.0, np.inf)


def test_lead_within_a_filter_is_over_the_values_that_it_leaves(load_data):
    data = many_data()
    data["claims"]["growth.ward.lead"]["by"]["filter"] = {"blind": 0, "place": "ward"}
    study = load_data(data)
    rows = pool_rows(study, 0).assign(place=["ward", "town", "ward", "web"], blind=[0, 0, 1, 1])
    lead = next(target for target in aims.targets(study, 0, rows) if target.statistic == "lead")
    assert lead.rows.tolist() == [True, False, False, False] and [other.tolist() for other in lead.others] == [[False, True, False, False]]


def test_targets_have_the_estimator_the_test_and_the_level_of_their_model(load_data):
    data = many_data()
    data["models"]["main"] |= {"level": 0.9}
    data["models"]["pm"] |= {"test": "knapp-hartung"}
    models = {target.says: target.model for target in aims.targets(load_data(data), 0, pool_rows(load_data(data), 0))}
    assert models["growth.all.lo"] == {"estimator": "DL", "test": "wald-z", "level": 0.9}
    assert models["growth.all.lo by pm"] == {"estimator": "PM", "test": "knapp-hartung", "level": 0.95}


def test_filter_that_no_trial_of_the_pool_meets_is_refused(load_data):
    data = many_data()
    data["claims"]["fear.web.est"] = claim("0.1", "est", "fear", place="web")
    with pytest.raises(StudyError, match="claims › fear.web.est › by › filter.*No trial with the outcome 'fear' is so"):
        made.tables(load_data(data))


@pytest.mark.parametrize(
    ("id", "text", "field", "remedy"),
    [
        ("mood.end.k", "5", "claims › mood.later.k › printed", "pools › 2 › trials gives 1: correct one of them"),
        ("mood.end.n", "900", "claims › mood.later.n › printed", "pools › 2 gives 448: correct one of them"),
    ],
)
def test_trials_and_people_that_contradict_a_claim_are_refused(load_data, id, text, field, remedy):
    data = rows_data()
    statistic = id.rpartition(".")[2]
    data["design"]["trials"]["effects"]["pools"][2] |= {"trials": 1, "people": 448}
    data["claims"][f"mood.later.{statistic}"] = claim(text, statistic, "mood", time="later")
    lines: list[str] = []
    with pytest.raises(StudyError) as caught:
        made.tables(load_data(data), lines.append)
    assert caught.value.field == field and remedy in caught.value.remedy
    assert not any("others are drawn" in line for line in lines)  # they would have as many


def test_people_claimed_of_a_pool_without_people_are_refused_when_losses_leave_others(load_data):
    data = many_data()
    data["claims"]["trust.all.n"] = claim("77", "n", "trust")
    with pytest.raises(StudyError, match=r"claims › trust.all.n › printed: '77'. design › trials › effects › pools › 2 has no 'people', and losses leave \d+: correct one of them"):
        made.tables(load_data(data))


# Whole tables


def test_pools_with_printed_people_print_every_claim(rows):
    trials, results = frames(rows)
    verdicts = reanalysis.verdicts(rows, {"studies": trials, "results": results})
    assert reanalysis.differing(verdicts, []) == []
    assert len(verdicts) == 22 and not any(each.computed is None for each in verdicts)
    assert results.groupby(["what", "time"])[["n_ours", "n_theirs"]].sum().sum(axis=1).to_dict() == {("mood", "end"): 1066, ("hope", "later"): 639, ("mood", "later"): 448}


@pytest.mark.parametrize("slug", ["one", "two", "three", "four", "five", "six"])
def test_pools_with_printed_people_print_every_claim_from_other_random_numbers_too(load_data, slug):
    assert set(synthesis.synthesise(load_data(rows_data(), slug))) == {"studies", "results"}


def test_large_pool_prints_by_three_models_at_once_and_keeps_its_bounds(many):
    tables = synthesis.synthesise(many)
    by_others = {id: dataclasses.replace(entry, by=entry.by | {"model": name}) for id, entry in many.claims.items() for name in ("pm", "reml") if entry.by["statistic"] in ("est", "lo", "hi")}
    assert reanalysis.differing(reanalysis.verdicts(dataclasses.replace(many, claims=by_others), tables), reanalysis.assumptions_kept(many, tables)) == []


def test_every_trial_has_the_people_of_its_rows_and_all_trials_their_sum(rows, many):
    for study, total in ((rows, 5597), (many, 9000)):
        trials, results = frames(study)
        largest = results.groupby("trial_id")[["n_ours", "n_theirs"]].max().sum(axis=1)
        assert (trials.set_index("trial_id")["size"][largest.index] >= largest).all()
        assert trials["size"].sum() == total


def test_trial_has_the_people_of_its_largest_row_whichever_pool_comes_last(load_data):
    data = rows_data()
    pools = data["design"]["trials"]["effects"]["pools"]
    data["design"]["trials"] |= {"number": 4, "people": data["design"]["trials"]["people"] | {"total": 1200}}
    data["design"]["trials"]["effects"]["pools"] = [{**pools[0], "trials": 4, "people": 1120}, {**pools[2], "trials": 4, "people": 500}]
    data["claims"] = {"trials.all.n": of_table("4", "studies", "count")} | {f"mood.{time}.est": claim("−0.1", "est", "mood", time=time) for time in ("end", "later")}
    trials, results = frames(load_data(data))
    largest = results.groupby("trial_id")[["n_ours", "n_theirs"]].max().sum(axis=1)
    assert (trials.set_index("trial_id")["size"] >= largest).all() and trials["size"].sum() == 1200


def test_rows_are_in_order_of_trials_and_pools_and_their_keys_differ(rows, many):
    for study in (rows, many):
        _, results = frames(study)
        assert list(results) == list(study.tables["results"]["columns"])
        assert not results.duplicated(study.tables["results"]["key"]).any()
        assert results["trial_id"].is_monotonic_increasing
        order = [pool["outcome"] for pool in study.design["trials"]["effects"]["pools"]]
        places = results.groupby("trial_id")["what"].apply(lambda names, order=order: [order.index(name) for name in names])
        assert study is rows or all(place == sorted(place) for place in places)


def test_second_instrument_is_another_one_in_the_same_people_and_outside_the_pool(many):
    _, results = frames(many)
    second = results[results["counts"] == 0]
    assert len(second) == 2 and set(second["what"]) == {"growth"}
    first = results[results["counts"] == 1].merge(second, on=["trial_id", "what"], suffixes=("", "_other"))
    assert len(first) == 2 and (first["scale"] != first["scale_other"]).all()
    assert (first["n_ours"] == first["n_ours_other"]).all() and (first["n_theirs"] == first["n_theirs_other"]).all()


def test_second_instrument_finds_the_same_effect_but_for_sampling(load_data):
    data = many_data()
    data["design"]["trials"]["effects"]["pools"][0]["twice"] = 16
    _, results = frames(load_data(data))
    g = (results["m_ours"] - results["m_theirs"]) / np.sqrt((results["s_ours"] ** 2 + results["s_theirs"] ** 2) / 2) * results["sign"]
    growth = results.assign(g=g, unit=np.sqrt(1 / results["n_ours"] + 1 / results["n_theirs"])).query("what == 'growth'").set_index("trial_id")
    first, second = (growth[growth["counts"] == counts] for counts in (1, 0))
    apart = (second["g"] - first["g"]) / first["unit"]
    assert len(apart) == 16 and 0.5 < np.sqrt((apart**2).mean()) / np.sqrt(2 * (1 - made.AGREE)) < 1.5


def test_instruments_are_described_in_each_row_and_means_lie_between_their_bounds(many):
    _, results = frames(many)
    said = {"A-10": (0, 40, 1), "B-20": (20, 100, -1), "C-30": (30, 120, 1)}
    assert [tuple(row) for row in results[["minimum", "maximum", "sign"]].to_numpy()] == [said[name] for name in results["scale"]]
    for arm in ("ours", "theirs"):
        assert results[f"m_{arm}"].between(results["minimum"], results["maximum"]).all()
        assert (results[f"s_{arm}"] > 0).all()


def test_people_with_an_outcome_are_a_plausible_share_of_those_randomised(rows):
    trials, results = frames(rows)
    share = (results["n_ours"] + results["n_theirs"]) / results["trial_id"].map(trials.set_index("trial_id")["size"])
    assert 0.4 < share.min() and share.max() <= 1 and 0.7 < share.mean() < 0.9


def test_number_of_trials_that_chance_put_out_of_bounds_is_met_by_other_trials(load_data):
    def blind(study: Study) -> int:
        trials, results = frames(study)
        return int(results.query("what == 'trust'").merge(trials, on="trial_id")["blind"].sum())

    first = blind(load_data(many_data()))
    wanted = str(1 if first != 1 else 2)
    data = many_data()
    data["assumptions"]["trust.blind.k"] = {"says": "x", "reason": "x", "bounds": [wanted, wanted], "by": {"model": "main", "outcome": "trust", "filter": {"blind": 1}, "statistic": "k"}}
    lines: list[str] = []
    study = load_data(data)
    tables = synthesis.synthesise(study, lines.append)
    assert "assumptions › trust.blind.k › bounds: not met by these trials, so others are drawn" in lines
    assert all(each.holds for each in reanalysis.assumptions_kept(study, tables))
    assert blind(study) == int(wanted) != first


def test_two_runs_give_the_same_bytes_and_another_attempt_others(many):
    def text(study: Study) -> list[bytes]:
        return [records.as_csv(study, name, frame) for name, frame in made.tables(study).items()]

    assert text(many) == text(many)
    assert text(dataclasses.replace(many, attempt=1)) != text(many)


def test_deviations_of_a_trial_are_correlated_between_outcomes_in_the_direction_of_their_centres(load_data):
    data = many_data()
    data["design"]["trials"]["number"] = 400
    data["design"]["trials"]["people"]["total"] = 400_000
    data["claims"] = {"growth.all.k": claim("160", "k", "growth")}
    data["assumptions"] |= {"spread.all": assumed("3"), "effects.together": assumed("0.6")}
    del data["assumptions"]["growth.egger_p"]
    pools = data["design"]["trials"]["effects"]["pools"]
    pools[0] |= {"trials": {"ward": 160}, "centre": "growth.ward"}
    pools[1] |= {"trials": {"ward": 160}, "centre": "fear.centre"}
    del pools[2], pools[0]["twice"], pools[0]["small"]
    study = load_data(data)
    drawn = []
    everyone, inside = reports.who_reports(study, people.trials(study))
    for number, used in enumerate(reports.instruments(study, inside, 400)):
        pool = made._Pool(number, study.design["trials"]["effects"]["pools"][number], inside[number], [], *used)
        drawn.append(made._drawn(study, pool, made._frame(study, everyone, pool), np.full((160, 2), 500)))
    assert -0.75 < np.corrcoef(drawn)[0, 1] < -0.4
    assert abs(np.std(drawn[0]) - 3) < 0.5


def test_small_trials_start_from_larger_effects_around_the_same_mean(load_data):
    data = many_data()
    sizes = np.column_stack([np.arange(20, 100, 5), np.arange(30, 110, 5)])
    drawn = []
    for small in ("0", "2"):
        data["assumptions"]["growth.small"] = assumed(small)
        study = load_data(data)
        everyone, inside = reports.who_reports(study, people.trials(study))
        pool = made._Pool(0, study.design["trials"]["effects"]["pools"][0], inside[0], [], *reports.instruments(study, inside, 40)[0])
        drawn.append(made._drawn(study, pool, made._frame(study, everyone, pool), sizes))
    unit = np.sqrt((1 / sizes).sum(axis=1))
    np.testing.assert_allclose(drawn[1] - drawn[0], 2 * (unit - unit.mean()), atol=1e-12)


# Faults


def test_result_that_no_trials_can_print_is_refused_with_its_pool_and_claims(load_data):
    data = rows_data()
    for name, text in (("lo", "−0.25"), ("hi", "−0.23")):
        data["claims"][f"mood.end.{name}"]["printed"] = text
    with pytest.raises(StudyError, match=r"design › trials › effects › pools › 0: 'mood, end'. No records can be made: .*mood\.end\."):
        made.tables(load_data(data))


def test_people_of_pools_that_all_trials_together_do_not_have_are_refused(load_data):
    data = rows_data()
    data["design"]["trials"]["people"]["total"] = 600
    data["claims"]["people.all.n"]["printed"] = "600"
    data["design"]["trials"]["effects"]["pools"] = [{**pool, "people": 590} for pool in data["design"]["trials"]["effects"]["pools"]]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if id.startswith(("trials", "people")) or id.endswith(("k", "est"))}
    with pytest.raises(StudyError, match="design › trials › people › total: 600. The outcomes leave no room for it: .* people are needed, 600 are there"):
        made.tables(load_data(data))


def test_pool_that_needs_more_trials_of_a_kind_than_shares_give_is_refused(load_data):
    data = many_data()
    data["design"]["trials"]["effects"]["pools"][0]["trials"]["ward"] = 17
    with pytest.raises(StudyError, match="pools › 0 › trials › ward: 17. There are 16 such trials: change their share, or let fewer report 'growth'"):
        made.tables(load_data(data))


def test_pool_of_all_kinds_has_the_trials_of_the_kinds_that_no_pool_leaves_out(load_data):
    data = many_data()
    data["design"]["trials"]["effects"]["pools"][2]["trials"] = 33
    data["claims"]["trust.all.k"]["printed"] = "33"
    with pytest.raises(StudyError, match="pools › 2 › trials: 33. There are 32 trials of the kinds that no pool leaves out: change their share"):
        made.tables(load_data(data))


def changed(data: Data, path: str, value: Any) -> Data:
    """`data` with the entry at the path (parts joined by ›) set, or taken out where `value` is None."""
    *above, last = path.split("›")
    place: Any = data
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return data


EFFECTS = "design›trials›effects"
FAULTS = {
    "a table that is not there": ("design›trials›table", "study", "design › trials › table", "Did you mean 'studies'"),
    "a column that is not there": ("design›trials›people›column", "sise", "design › trials › people › column", "Did you mean 'size'"),
    "people in a column of text": ("design›trials›people›column", "place", "design › trials › people › column", "must be of the type integer"),
    "too few people": ("design›trials›people›total", 100, "design › trials › people › total", "a whole number, 1200 or more"),
    "a tiny trial": ("assumptions›size.least›value", "4", "design › trials › people › smallest", "a whole number, 16 or more"),
    "years that go back": ("design›trials›year›first", 2020, "design › trials › year › last", "a whole number, 2020 or more"),
    "a column made by nothing": ("design›trials›year", None, "design › trials", "Nothing makes the column 'appeared'"),
    "a column made twice": ("design›trials›categories›1›column", "place", "design › trials › categories › 1 › place", "Nothing of that name"),
    "counts that do not add up": ("design›trials›categories›0", {"column": "place", "counts": {"ward": 20, "town": 19}}, "design › trials › categories › 0 › counts", "add up to the number of trials, 40"),
    "shares that do not add up": ("assumptions›place.shares›value›ward", "0.1", "assumptions › place.shares › value", "must add up to 1"),
    "a value that the column does not have": ("assumptions›place.shares›value", {"ward": "0.5", "hill": "0.5"}, "design › trials › categories › 0 › place", "Nothing of that name"),
    "shares and counts": ("design›trials›categories›0›counts", {"ward": 40}, "design › trials › categories › 0", "either 'shares' or 'counts'"),
    "a model that is not there": (f"{EFFECTS}›also", ["pn"], "design › trials › effects › also", "Known: main, pm, reml"),
    "a model of other rows": ("models›pm›rows", {"counts": 0}, "models › pm › rows", "It must be that of 'main'"),
    "another key": ("tables›results›key", ["trial_id", "scale"], "design › trials › effects › table", "give it the parent 'studies' and a key that begins with trial_id, what"),
    "one decimal": ("tables›results›columns›m_ours›decimals", 1, "tables › results › columns › m_ours › decimals", "give 2"),
    "losses above all": ("assumptions›effects.kept›value", "1.2", "design › trials › effects › kept", "a number from 0.2 to 1"),
    "an instrument without an SD": ("assumptions›scale.a›value›sd", None, "assumptions › scale.a › value", "Give it minimum, maximum, mean, sd, direction"),
    "an instrument whose mean is outside": ("assumptions›scale.a›value›mean", "41", "assumptions › scale.a › value › mean", "Give a number between the bounds"),
    "an instrument whose SD cannot be": ("assumptions›scale.a›value›sd", "21", "assumptions › scale.a › value › sd", "up to 20, half the distance of the bounds"),
    "an instrument without direction": ("assumptions›scale.a›value›direction", "0", "assumptions › scale.a › value › direction", "Give 1, or -1"),
    "an instrument of no pool's list": (f"{EFFECTS}›pools›1›instruments", ["A-11"], "design › trials › effects › pools › 1 › instruments", "Did you mean 'A-10'"),
    "the same instrument twice": (f"{EFFECTS}›pools›1›instruments", ["A-10", "A-10"], "design › trials › effects › pools › 1 › instruments", "Name each instrument once"),
    "numbers of kinds without 'by'": (f"{EFFECTS}›pools›0›by", None, "design › trials › effects › pools › 0 › trials", "Give 'by' and the trials of each of its values together"),
    "a kind that is not there": (f"{EFFECTS}›pools›0›trials", {"wards": 3}, "design › trials › effects › pools › 0 › trials", "Did you mean 'ward'"),
    "no centre for a kind": (f"{EFFECTS}›pools›0›centre", {"ward": "growth.ward"}, "design › trials › effects › pools › 0 › centre", "Nothing of that name"),
    "no trial": (f"{EFFECTS}›pools›1›trials", {"ward": 0}, "design › trials › effects › pools › 1 › trials", "at least one trial"),
    "more trials than there are": (f"{EFFECTS}›pools›2›trials", 41, "design › trials › effects › pools › 2 › trials", "a whole number, from 0 to 40"),
    "more people than there are": (f"{EFFECTS}›pools›2›people", 9001, "design › trials › effects › pools › 2 › people", "a number from|a whole number, from 32 to 9000"),
    "the same pool twice": (f"{EFFECTS}›pools›2›outcome", "fear", "design › trials › effects › pools › 2", "no two the same outcome and values"),
    "two instruments in more trials than there are": (f"{EFFECTS}›pools›0›twice", 17, "design › trials › effects › pools › 0 › twice", "from 0 to 16"),
    "one instrument, twice": (f"{EFFECTS}›pools›0›instruments", ["A-10"], "design › trials › effects › pools › 0 › instruments", "name two or more"),
    "arms in words": ("models›main›effect›mean", ["place", "m_theirs"], "models › main › effect › mean", "The column 'place' holds text: name one of numbers"),
    "arms that are not there": ("models›main›effect›sd", ["s_ours", "s_their"], "models › main › effect › sd", "Did you mean 's_theirs'"),
    "a direction that is not there": ("models›main›effect›direction", "sing", "models › main › effect › direction", "Did you mean 'sign'"),
    "an effect in points, of several scales": ("models›main›effect›measure", "md", "design › trials › effects › pools › 0 › instruments", "can be pooled only on one scale: name one instrument"),
    "no effect": ("models›main›effect", None, "models › main", "The field 'effect' is missing: add it."),
    "an estimator of scores": ("models›main›estimator", "ML", "models › main › estimator", "takes DL or common or PM or REML"),
    "a test of scores": ("models›main›test", "t", "models › main › test", "give wald-z or knapp-hartung or knapp-hartung-at-least-wald"),
    "contrasts of a pool": ("models›main›contrasts", {"arm": [{"weight": 1, "at": {"place": "ward"}}]}, "models › main › contrasts", "The family 'random-effects' does not take it"),
    "a formula of a pool": ("models›main›formula", "{outcome} ~ place", "models › main › formula", "The family 'random-effects' does not take it"),
    "waves of a pool": ("models›main›waves", {"time": "wave", "outcome": "y", "columns": {"m_ours": 0}}, "models › main › waves", "The family 'random-effects' does not take it"),
    "no column of outcomes": ("models›main›outcome_column", None, "models › main", "The field 'outcome_column' is missing: add it."),
    "a column of outcomes that is not there": ("models›main›outcome_column", "whta", "models › main › outcome_column", "Did you mean 'what'"),
    "a contrast of a pool": ("claims›fear.all.est›by›contrast", "arm", "claims › fear.all.est › by › contrast", "A random-effects model does not take it: take it out."),
    "the smallest of pools": ("claims›fear.all.est›by›take", "smallest", "claims › fear.all.est › by › take", "A random-effects model does not take it: take it out."),
    "a column of a pool": ("claims›fear.all.est›by›column", "place", "claims › fear.all.est › by › column", "A random-effects model does not take it: take it out."),
    "two outcomes in one pool": ("claims›fear.all.est›by›outcome", ["fear", "trust"], "claims › fear.all.est › by › outcome", "Name one outcome"),
    "no outcome": ("claims›fear.all.est›by›outcome", None, "claims › fear.all.est › by", "The field 'outcome' is missing: add it."),
    "a filter of no value": ("claims›growth.ward.est›by›filter", {"place": "wards"}, "claims › growth.ward.est › by › filter › place", "Did you mean 'ward'"),
    "a filter of no values": ("claims›growth.ward.est›by›filter", {"place": []}, "claims › growth.ward.est › by › filter › place", "Give a value, or a list of values."),
    "a filter of no column": ("claims›growth.ward.est›by›filter", {"plaec": "ward"}, "claims › growth.ward.est › by › filter", "Did you mean 'place'"),
    "a filter of outcomes": ("claims›growth.ward.est›by›filter", {"what": "fear"}, "claims › growth.ward.est › by › filter", "The 'outcome' says which rows of this column are pooled"),
    "a filter of arms": ("claims›growth.ward.est›by›filter", {"n_ours": 40}, "claims › growth.ward.est › by › filter", "Arms are made to print the claims"),
    "a lead over nothing": ("claims›growth.ward.lead›by›filter", None, "claims › growth.ward.lead › by › filter", "give it one value"),
    "a lead of two": ("claims›growth.ward.lead›by›filter", {"place": ["ward", "town"]}, "claims › growth.ward.lead › by › filter", "give it one value"),
    "a statistic of tables": ("claims›fear.all.est›by›statistic", "mean", "claims › fear.all.est › by › statistic", "A model of that family does not give it."),
    "a statistic of ratios": ("claims›fear.all.est›by›statistic", "reduction", "claims › fear.all.est › by › statistic", "A model of that family does not give it."),
    "a statistic of pools": ("claims›trials.all.n›by›statistic", "tau2", "claims › trials.all.n › by › statistic", "A table does not give it."),
    "half a trial": ("claims›trust.all.k›printed", "4.5", "claims › trust.all.k › printed", "Trials are counted: a whole number from 1 is needed here."),
    "fewer than no trials": ("claims›trust.all.k›printed", "−4", "claims › trust.all.k › printed", "Trials are counted: a whole number from 1 is needed here."),
    "a column of both tables": ("tables›results›columns›blind", column("integer"), "tables › results › columns", "The parent 'studies' has a column of that name too"),
    "a direction that the model does not know": ("tables›results›columns›direction", column("integer"), "design › trials › effects", "Nothing makes the column 'direction'"),
    "a claim on no pool": ("claims›fear.all.est›by›outcome", "hunger", "claims › fear.all.est › by", "No pool of design › trials › effects is of this"),
}


@pytest.mark.parametrize(("path", "value", "field", "remedy"), FAULTS.values(), ids=list(FAULTS))
def test_design_that_cannot_be_followed_is_refused_with_field_and_remedy(load_data, path, value, field, remedy):
    with pytest.raises(StudyError) as caught:
        load_data(changed(copy.deepcopy(many_data()), path, value))
    assert caught.value.field == field
    assert any(each in caught.value.remedy for each in remedy.split("|")), caught.value.remedy


def test_claim_on_two_pools_is_refused(load_data):
    data = rows_data()
    del data["claims"]["mood.end.est"]["by"]["filter"]
    with pytest.raises(StudyError, match="claims › mood.end.est › by.*more than one pool: name the values of one in 'filter'"):
        load_data(data)


def test_pools_with_values_of_other_columns_are_refused(load_data):
    data = rows_data()
    del data["design"]["trials"]["effects"]["pools"][1]["values"]
    with pytest.raises(StudyError, match="pools › 1.*Every pool has 'values' of the same columns"):
        load_data(data)


def test_scale_that_counts_the_other_way_round_needs_a_column_of_directions(load_data):
    data = many_data()
    for model in data["models"].values():
        model["effect"].pop("direction", None)
    with pytest.raises(StudyError, match="assumptions › scale.b › value › direction.*add 'direction' to it, or give 1"):
        load_data(data)


def test_second_instrument_needs_a_column_that_keeps_it_out_of_the_pool(load_data):
    data = many_data()
    for model in data["models"].values():
        model.pop("rows", None)
    with pytest.raises(StudyError, match="pools › 0 › twice.*The model must take one row a trial"):
        load_data(data)


def test_rows_of_a_model_are_not_chosen_by_the_arms_that_are_to_be_made(load_data):
    data = many_data()
    for model in data["models"].values():
        model["rows"] = {"counts": 1, "n_ours": 40}
    with pytest.raises(StudyError, match="models › main › rows: 'n_ours'. Arms are made to print the claims"):
        load_data(data)


def test_outcome_that_the_column_does_not_have_is_refused(load_data):
    data = many_data()
    data["tables"]["results"]["columns"]["what"]["values"] = ["growth", "fear", "trust"]
    data["claims"]["fear.all.est"]["by"]["outcome"] = "faer"
    with pytest.raises(StudyError, match="claims › fear.all.est › by › outcome: 'faer'. Nothing of that name. Did you mean 'fear'"):
        load_data(data)


def test_lead_over_nothing_and_limits_of_two_trials_are_refused_with_their_claim(load_data):
    for statistic, remedy, filter in (("lead", "a lead is over other groups of trials, and there is none", {"scale": "C-30"}), ("prediction_lo", r"prediction_lo of \d trials: it needs 3 or more", {"place": "web"})):
        data = many_data()
        data["design"]["trials"]["effects"]["pools"][1] |= {"trials": {"ward": 3, "town": 4, "web": 2}}
        data["claims"]["odd.all.x"] = claim("0.1", statistic, "trust" if statistic == "lead" else "fear", **filter)
        with pytest.raises(StudyError, match=f"claims › odd.all.x › by.*{remedy}"):
            made.tables(load_data(data))


def test_trials_fewer_than_a_number_are_no_question_for_print_alone(load_data):
    data = rows_data()
    data["claims"]["mood.end.k"] |= {"kind": "inequality", "printed": "<5"}
    data["design"]["trials"]["effects"]["pools"][0]["trials"] = 4
    found = checks.findings(load_data(data))
    assert ["k" in each.finding.printed for each in found] == [False, True, False]


@pytest.mark.parametrize("seed", [4, 10, 27])
def test_sizes_that_losses_leave_give_way_where_print_needs_others(load_data, seed):
    data = rows_data()
    del data["claims"]["mood.end.n"], data["design"]["trials"]["effects"]["pools"][0]["people"]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if not id.startswith("mood.later")}
    del data["design"]["trials"]["effects"]["pools"][2]
    study = load_data(data, f"review-{seed}")
    assert reanalysis.differing(reanalysis.verdicts(study, made.tables(study)), []) == []


def test_table_is_made_by_one_part(load_data):
    data = many_data()
    data["design"]["cells"] = {"table": "studies", "rows": [{"people": 1, "values": {}}]}
    with pytest.raises(StudyError, match="design › trials › table.*made by 'cells' already"):
        load_data(data)
