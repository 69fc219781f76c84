"""People are made in exact numbers, their columns tied to general health in the direction that the study file says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asprinted.study import Assumption, Study, StudyError
from asprinted.synthesis import design

SIZES = {"ours": 300, "theirs": 201}
COLUMNS = {
    "id": {"type": "string"}, "arm": {"type": "string"}, "age": {"type": "integer", "minimum": 18, "maximum": 80},
    "level": {"type": "string"}, "sessions": {"type": "integer"}, "falls": {"type": "integer"}, "back": {"type": "integer"},
}  # fmt: skip
AGE = {"kind": "whole", "column": "age", "mean": "age.mean", "sd": "age.sd"}
LEVEL = {"kind": "category", "column": "level", "shares": "level.shares"}
SESSIONS = {"kind": "category", "column": "sessions", "arm": "ours", "shares": "sessions.shares"}
FALLS = {"kind": "tally", "column": "falls", "totals": {"ours": 90, "theirs": 140}, "spread": "falls.spread"}


def trial(*covariates: dict[str, Any], sizes: dict[str, int] = SIZES, slug: str = "some-trial", **values: Any) -> Study:
    """A trial of two arms with these covariates; `values` are assumptions, a dot in their names as two underscores."""
    held = {"age.mean": "40", "age.sd": "12", "level.shares": {"low": "0.5", "middle": "0.3", "high": "0.2"}, "sessions.shares": {"0": "0.25", "1": "0.35", "2": "0.4"}, "falls.spread": "1"}
    held |= {name.replace("__", "."): value for name, value in values.items()}
    spec = {"table": "people", "arms": {"column": "arm", "sizes": sizes}, "covariates": list(covariates)}
    tables = {"people": {"file": "people.csv", "key": ["id"], "columns": COLUMNS}}
    return Study(Path("/nowhere") / slug, "A trial", {}, tables, {"people": spec}, {}, {}, {name: Assumption(name, "x", "x", value=value) for name, value in held.items()})


def made(*covariates: dict[str, Any], **options: Any) -> tuple[pd.DataFrame, np.ndarray]:
    return design.people(trial(*covariates, **options))


SHARES = st.lists(st.integers(1, 9), min_size=1, max_size=5).map(lambda parts: [part / sum(parts) for part in parts])
CORRELATIONS = st.none() | st.floats(-1, 1)


# Categories


@given(SHARES, CORRELATIONS, st.booleans())
def test_category_has_the_exact_counts_of_its_shares_in_one_arm_or_in_all(shares, rho, one_arm):
    spec = LEVEL | ({"arm": "theirs"} if one_arm else {}) | ({} if rho is None else {"health": "level.health"})
    names = [f"level {number}" for number in range(len(shares))]
    people, _ = made(spec, sizes={"ours": 40, "theirs": 33}, level__shares=dict(zip(names, map(str, shares), strict=True)), level__health=str(rho))
    counts = people["level"].value_counts()
    assert [counts.get(name, 0) for name in names] == design.apportion(33 if one_arm else 73, shares)
    assert people.loc[people["arm"] == "ours", "level"].isna().all() == one_arm


def test_category_of_one_arm_is_of_whole_numbers_and_the_other_arm_has_none():
    people, _ = made(SESSIONS)
    ours = people["arm"] == "ours"
    assert people.loc[ours, "sessions"].value_counts().to_dict() == {0: 75, 1: 105, 2: 120}
    assert all(isinstance(value, int) for value in people.loc[ours, "sessions"]) and people.loc[~ours, "sessions"].isna().all()


@pytest.mark.parametrize("spec", [LEVEL, SESSIONS], ids=["both arms", "one arm"])
@pytest.mark.parametrize("rho", [0.8, 0.3, -0.3, -0.8])
def test_category_rises_or_falls_with_health_in_the_order_of_its_shares(spec, rho):
    people, health = made(spec | {"health": "tie"}, tie=str(rho), sizes={"ours": 2000, "theirs": 2000})
    there = people[spec["column"]].notna().to_numpy()
    place = people.loc[there, spec["column"]].map({"low": 0, "middle": 1, "high": 2}.get if spec is LEVEL else int)
    found = stats.spearmanr(place, health[there])[0]
    assert found * rho > 0 and abs(found) == pytest.approx(abs(rho), abs=0.12)  # three values show less of it than a latent score


def test_perfect_correlation_puts_every_person_in_the_place_of_their_health():
    people, health = made(LEVEL | {"health": "tie"}, tie="1")
    ranked = people["level"].to_numpy()[np.argsort(health)]
    assert list(ranked) == ["low"] * 251 + ["middle"] * 150 + ["high"] * 100


def test_order_is_that_of_the_shares_and_not_of_the_names():
    people, health = made(LEVEL | {"health": "tie"}, tie="0.8", level__shares={"z": "0.5", "a": "0.5"})
    assert health[people["level"] == "z"].mean() < health[people["level"] == "a"].mean()


def test_category_without_health_knows_nothing_of_it():
    people, health = made(LEVEL, sizes={"ours": 2000, "theirs": 2000})
    assert stats.kruskal(*(health[people["level"] == name] for name in ("low", "middle", "high"))).pvalue > 0.01


# Tallies


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0, 3), st.floats(-1, 1))
def test_tally_has_the_exact_total_of_each_arm(ours, theirs, spread, rho):
    spec = FALLS | {"totals": {"ours": ours, "theirs": theirs}, "health": "tie"}
    people, _ = made(spec, sizes={"ours": 30, "theirs": 21}, falls__spread=str(spread), tie=str(rho))
    assert people.groupby("arm")["falls"].sum().to_dict() == {"ours": ours, "theirs": theirs}
    assert (people["falls"] >= 0).all()


@pytest.mark.parametrize("rho", [0.7, -0.7])
def test_tally_rises_with_poor_health(rho):
    people, health = made(FALLS | {"totals": {"ours": 600, "theirs": 400}, "health": "tie"}, tie=str(rho))
    assert stats.spearmanr(people["falls"], -health)[0] * rho > 0.2


@given(st.integers(0, 90), st.integers(0, 63), st.floats(0, 3))
def test_nobody_has_more_events_than_the_column_allows_and_the_totals_stay_exact(ours, theirs, spread):
    with mock.patch.dict(COLUMNS, falls={"type": "integer", "minimum": 0, "maximum": 3}):
        people, _ = made(FALLS | {"totals": {"ours": ours, "theirs": theirs}}, sizes={"ours": 30, "theirs": 21}, falls__spread=str(spread))
    assert people.groupby("arm")["falls"].sum().to_dict() == {"ours": ours, "theirs": theirs}
    assert people["falls"].between(0, 3).all()


def test_more_events_than_an_arm_can_have_are_refused():
    with mock.patch.dict(COLUMNS, falls={"type": "integer", "maximum": 3}):
        with pytest.raises(StudyError, match="falls › totals › theirs: 64. 21 people with at most 3 each cannot have 64: raise the column's maximum."):
            made(FALLS | {"totals": {"ours": 90, "theirs": 64}}, sizes={"ours": 30, "theirs": 21})


def test_maximum_that_nobody_reaches_changes_nothing():
    free, _ = made(FALLS)
    with mock.patch.dict(COLUMNS, falls={"type": "integer", "maximum": int(free["falls"].max())}):
        pd.testing.assert_frame_equal(made(FALLS)[0], free)


def test_events_gather_on_few_people_the_more_their_rates_differ():
    def most(spread: str) -> int:
        return int(made(FALLS, falls__spread=spread)[0]["falls"].nlargest(50).sum())

    assert most("0") < most("1") < most("2")


# Whole numbers within bounds


@pytest.mark.parametrize(("mean", "end", "inward"), [(25, 18, 1), (73, 80, -1)])
def test_ages_beyond_a_bound_are_folded_back_so_that_it_is_not_crowded(mean, end, inward):
    people, _ = made(AGE, sizes={"ours": 20_000, "theirs": 1}, age__mean=str(mean))
    inside = inward * (people["age"] - end)  # years from the bound
    assert inside.min() == 0
    assert (inside == 0).sum() < 2 * (inside == 1).sum(), "those beyond the bound stand on it"
    years = inward * (np.random.default_rng(0).normal(mean, 12, 400_000).round() - end)
    assert inside.between(1, 12).mean() == pytest.approx(((abs(years) >= 1) & (abs(years) <= 12)).mean(), abs=0.02)


@given(st.integers(18, 80), st.integers(0, 200))
def test_no_age_lies_beyond_its_bounds_however_wide_the_spread(mean, sd):
    people, _ = made(AGE, sizes={"ours": 30, "theirs": 30}, age__mean=str(mean), age__sd=str(sd))
    assert people["age"].between(18, 80).all()


@given(st.integers(40, 58), st.integers(5, 13), st.integers(0, 1000))
def test_folding_leaves_the_mean_and_the_spread_near_those_assumed_under_any_name(mean, sd, name):
    people, _ = made(AGE, age__mean=str(mean), age__sd=str(sd), slug=f"trial-{name}")
    assert people["age"].mean() == pytest.approx(mean, abs=0.05 * sd)
    assert people["age"].std(ddof=0) == pytest.approx(sd, abs=0.05 * sd)


def test_spread_that_the_bounds_do_not_allow_is_come_near_to():
    people, _ = made(AGE, age__mean="49", age__sd="28")
    plain = np.clip(np.random.default_rng(1).normal(49, 28, 100_000), 18, 80).std()
    assert plain < people["age"].std() <= 31


def test_ages_well_within_the_bounds_have_the_mean_and_spread_assumed_and_their_tie_to_health():
    people, health = made(AGE | {"health": "tie"}, age__mean="49", age__sd="5", tie="-0.4", sizes={"ours": 1000, "theirs": 1000})
    assert (people["age"].mean(), people["age"].std()) == pytest.approx((49, 5), abs=0.1)
    assert np.corrcoef(people["age"], health)[0, 1] == pytest.approx(-0.4, abs=0.05)


# The table as a whole


def test_columns_that_another_part_fills_are_there_and_empty():
    people, _ = made(AGE, LEVEL, SESSIONS, FALLS)
    assert list(people.columns) == list(COLUMNS) and people["back"].isna().all()
    assert people.drop(columns=["back", "sessions"]).notna().all(axis=None)


def test_people_are_the_same_each_time_and_others_under_another_name():
    first, health = made(AGE, LEVEL, SESSIONS, FALLS)
    again, health_again = made(AGE, LEVEL, SESSIONS, FALLS)
    pd.testing.assert_frame_equal(first, again)
    assert (health == health_again).all()
    other, _ = made(AGE, LEVEL, SESSIONS, FALLS, slug="other-trial")
    assert not other["age"].equals(first["age"]) and not other["falls"].equals(first["falls"])


def test_each_attempt_draws_other_numbers():
    study = trial()
    draws = [tuple(design.generator(dataclasses.replace(study, attempt=attempt), "age").standard_normal(3)) for attempt in range(4)]
    assert len(set(draws)) == 4
    assert draws[0] == tuple(design.generator(study, "age").standard_normal(3))


def test_one_covariate_does_not_hang_on_another():
    alone, _ = made(FALLS)
    among, _ = made(AGE, SESSIONS, FALLS)
    assert alone["falls"].equals(among["falls"])


# Who is seen


def test_people_seen_are_exactly_as_many_as_the_part_that_asks_says(crisis):
    arms = np.repeat(["peer support", "control"], [221, 220])
    wellness = np.random.default_rng(3).standard_normal(441)
    there = design.seen(crisis, arms, wellness, "scales")
    assert {arm: there[arms == arm].sum(axis=0).tolist() for arm in np.unique(arms)} == {"peer support": [221, 157, 148], "control": [220, 153, 144]}
    assert wellness[there[:, 1]].mean() > wellness[~there[:, 1]].mean()
    back = there[~there[:, 1], 2].mean()
    assert 0.25 <= back <= 0.35, "of the people missed once, the assumed share returns"


# Faults in arithmetic


def test_arithmetic_that_fails_is_a_fault_of_its_part(crisis):
    with pytest.raises(StudyError, match=r"design › people › covariates. No records can be made from these numbers \(math domain error\)") as caught:
        with design.faults_at(crisis, "people", "covariates"):
            raise ValueError("math domain error")
    assert caught.value.file == str(crisis.file)


def test_fault_that_is_named_already_is_left_as_it_is(crisis):
    named = StudyError(crisis.file, "design › people", 3, "Give 4.")
    with pytest.raises(StudyError) as caught, design.faults_at(crisis, "people"):
        raise named
    assert caught.value is named
