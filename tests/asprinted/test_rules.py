"""Eligibility rules: which rows a claim is about, by value, list and range, under one rule or several; and what a study file may not ask."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asprinted import checks, records
from asprinted.models import effects_of
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study, StudyError
from asprinted.study import rules as of_rules

Data = dict[str, Any]


def column(type: str, **fields: Any) -> Data:
    return {"type": type, "required": True, "says": "x", "mark": "A", **fields}


def claim(printed: str, **by: Any) -> Data:
    return {"says": "x", "mark": "S", "source": "paper", "where": "x", "kind": "number", "printed": printed, "by": by}


def study_data() -> Data:
    """Nine studies in a table, what they report in another, and two rules that overlap."""
    arms = {f"{part}_{arm}": column("integer" if part == "n" else "number", **({} if part == "n" else {"decimals": 2})) for part in ("n", "m", "s") for arm in ("a", "b")}
    effect = {"measure": "smd", "n": ["n_a", "n_b"], "mean": ["m_a", "m_b"], "sd": ["s_a", "s_b"]}
    return {
        "schema": 1, "title": "Reviews", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "x"}],
        "tables": {
            "studies": {"file": "studies.csv", "row": "one study", "key": ["id"], "columns": {
                "id": column("string"), "year": column("integer"), "kind": column("string", values=["trial", "cohort"]), "people": column("integer"),
            }},
            "results": {"file": "results.csv", "row": "one outcome", "key": ["id", "what"], "parent": "studies", "columns": {"id": column("string"), "what": column("string", values=["mood", "hope"]), **arms}},
        },
        "rules": {
            "early": {"says": "x", "filter": {"year": {"to": 2004}}},
            "strict": {"says": "x", "filter": {"kind": "trial", "year": {"from": 2002, "to": 2006}}},
        },
        "design": {},
        "models": {"pool": {"family": "random-effects", "says": "x", "table": "results", "effect": effect, "outcome_column": "what"}},
        "claims": {
            "early.all.n": claim("5", table="studies", statistic="count", rule="early"),
            "strict.all.n": claim("3", table="studies", statistic="count", rule="strict"),
            "both.all.n": claim("2", table="studies", statistic="count", rule=["early", "strict"]),
            "strict.mood.est": claim("−0.30", model="pool", outcome="mood", statistic="est", rule="strict"),
        },
        "assumptions": {},
    }  # fmt: skip


STUDIES = pd.DataFrame({"id": list("abcdefghi"), "year": range(2000, 2009), "kind": ["trial", "cohort", "trial", "cohort", "trial", "cohort", "trial", "trial", "trial"], "people": range(40, 130, 10)})
RESULTS = pd.DataFrame(
    [(id, what, 40, 40, 20 + far, 22.0, 5.0, 5.5) for id, what, far in [("c", "mood", 2.0), ("e", "mood", -4.0), ("e", "hope", 1.0), ("g", "hope", -3.5), ("g", "mood", 1.5), ("h", "mood", -6.0)]],
    columns=["id", "what", "n_a", "n_b", "m_a", "m_b", "s_a", "s_b"],
)  # fmt: skip


@pytest.fixture
def study(load_data) -> Study:
    return load_data(study_data())


@pytest.fixture
def analysis(study) -> Reanalysis:
    return Reanalysis(study, {"studies": STUDIES, "results": RESULTS})


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("a", ["a"], ["b"]), ([3, 5], [3, 5], [4]), ({"from": 3}, [3, 99], [2]), ({"to": 3}, [3, -9], [4]), ({"from": 3, "to": 3}, [3], [2, 4]),
    ],
)  # fmt: skip
def test_value_list_and_range_with_its_ends(wanted, inside, outside):
    assert all(of_rules.matches(wanted, value) for value in inside) and not any(of_rules.matches(wanted, value) for value in outside)


wishes = st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), min_size=1, max_size=3), st.dictionaries(st.sampled_from(["from", "to"]), st.integers(0, 9), min_size=1))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), wishes, wishes, wishes)
def test_rows_asked_for_meet_every_rule_and_the_filter(cells, one, other, own):
    frame = pd.DataFrame(cells, columns=["x", "y"])
    study = Study(folder=None, title="", sources={}, tables={}, design={}, models={}, claims={}, assumptions={}, rules={"one": {"filter": {"x": one}}, "other": {"filter": {"y": other}}})
    found = records.asked(study, frame, {"rule": ["one", "other"], "filter": {"x": own}})
    assert found.tolist() == [of_rules.matches(one, x) and of_rules.matches(own, x) and of_rules.matches(other, y) for x, y in cells]


def test_empty_cell_meets_no_range_and_no_value(study):
    frame = pd.DataFrame({"year": pd.array([2001, None, 2003], dtype="Int64")})
    assert records.asked(study, frame, {"rule": "early"}).tolist() == [True, False, True]
    assert records.asked(study, frame, {"filter": {"year": [2001, 2003]}}).tolist() == [True, False, True]


def test_counts_and_sums_are_of_the_rows_of_a_rule_and_of_those_of_both(analysis):
    def count(**by: Any) -> float:
        return analysis.value({"table": "studies", "statistic": "count", **by})

    assert [count(rule="early"), count(rule="strict"), count(rule=["early", "strict"]), count(rule="strict", filter={"year": {"from": 2005}})] == [5, 3, 2, 1]
    assert analysis.value({"table": "studies", "statistic": "sum", "column": "people", "rule": ["strict"]}) == 60 + 80 + 100


def test_pool_is_of_the_rows_of_a_rule_about_their_studies(analysis):
    ruled = {"model": "pool", "outcome": "mood", "rule": "strict"}
    assert analysis.value(ruled | {"statistic": "k"}) == 3
    filtered = {"model": "pool", "outcome": "mood", "filter": {"id": ["c", "e", "g"]}}
    assert analysis.value(ruled | {"statistic": "est"}) == analysis.value(filtered | {"statistic": "est"})
    pooled, effects = analysis.pooled("pool", "mood", {"year": {"from": 2005}}, "strict")
    assert len(effects.rows) == 1 and pooled.k == 1


def test_lead_is_over_the_other_values_that_the_rule_leaves(analysis):
    lead = analysis.value({"model": "pool", "outcome": "mood", "statistic": "lead", "rule": "strict", "filter": {"id": "c"}})
    one, *others = (analysis.pooled("pool", "mood", {"id": id})[0].est for id in "ceg")
    assert lead == pytest.approx(one - max(others))


def test_percent_below_counts_studies_with_one_interval_or_more_below_the_null(analysis):
    def percent(outcome: Any, **by: Any) -> float:
        return analysis.value({"model": "pool", "outcome": outcome, "statistic": "percent_below", **by})

    effects = effects_of(analysis.study.models["pool"], RESULTS)
    below = RESULTS["id"][effects.g + stats.norm.ppf(0.975) * np.sqrt(effects.v) < 0]
    assert set(below) == {"e", "g", "h"} and list(below).count("e") == 1
    assert percent(["mood", "hope"]) == 75 and percent(["hope", "mood"], rule="strict") == pytest.approx(200 / 3)
    assert percent("mood") == 50 and percent("hope", rule="strict") == 50


@pytest.mark.parametrize(
    ("part", "field", "value", "remedy"),
    [
        ({"rules": {"early": {"filter": {"yaer": 3}}}}, "rules › early › filter", "yaer", "No table has it. Did you mean 'year'"),
        ({"rules": {"early": {"filter": {"kind": "trail"}}}}, "rules › early › filter › kind", "trail", "Did you mean 'trial'"),
        ({"rules": {"early": {"filter": {"year": {"from": 2005, "to": 2004}}}}}, "rules › early › filter › year", {"from": 2005, "to": 2004}, "lower end comes first"),
        ({"rules": {"early": {"filter": {"year": {"since": 2005}}}}}, "rules › early › filter › year", {"since": 2005}, "'from', 'to' or both"),
        ({"rules": {"early": {"filter": {"year": {}}}}}, "rules › early › filter › year", {}, "'from', 'to' or both"),
        ({"rules": {"early": {"filter": {"year": {"from": "2005"}}}}}, "rules › early › filter › year › from", "2005", "A number is needed"),
        ({"rules": {"early": {"filter": {"kind": {"from": 1}}}}}, "rules › early › filter › kind", {"from": 1}, "holds text, which has no range"),
        ({"rules": {"early": {"filter": {"year": []}}}}, "rules › early › filter › year", [], "Give a value, or a list of values"),
        ({"rules": {"early": {}}}, "rules › early", None, "'filter' is missing"),
        ({"claims": {"early.all.n": {"by": {"rule": "erly"}}}}, "claims › early.all.n › by › rule", "erly", "No such rule. Did you mean 'early'"),
        ({"claims": {"both.all.n": {"by": {"rule": ["early", "late"]}}}}, "claims › both.all.n › by › rule", "late", "No such rule."),
        ({"claims": {"both.all.n": {"by": {"filter": {"people": {"from": 1, "until": 3}}}}}}, "claims › both.all.n › by › filter › people", {"from": 1, "until": 3}, "'from', 'to' or both"),
        ({"claims": {"strict.mood.est": {"by": {"outcome": ["mood"]}}}}, "claims › strict.mood.est › by › outcome", ["mood"], "Name one outcome"),
        ({"claims": {"strict.mood.est": {"by": {"outcome": [], "statistic": "percent_below"}}}}, "claims › strict.mood.est › by › outcome", [], "Name one outcome"),
        ({"claims": {"strict.mood.est": {"by": {"filter": {"what": "hope"}}}}}, "claims › strict.mood.est › by › filter", "what", "take it out of the filter"),
        ({"rules": {"strict": {"filter": {"what": "mood"}}}}, "claims › strict.all.n › by › rule", "strict", "'what', which this table does not have"),
        ({"claims": {"both.all.n": {"by": {"statistic": "percent_below"}}}}, "claims › both.all.n › by › statistic", "percent_below", "A table does not give it"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_field_value_and_remedy(load_data, part, field, value, remedy):
    def merged(old: Any, new: Any) -> Any:
        rule = isinstance(new, dict) and "filter" in new and "says" in old
        return {**old, **{key: merged(old[key], each) if key in old and isinstance(each, dict) and not (rule and key == "filter") else each for key, each in new.items()}}

    data = merged(copy.deepcopy(study_data()), part)
    if part == {"rules": {"early": {}}}:
        del data["rules"]["early"]["filter"]
    with pytest.raises(StudyError) as caught:
        load_data(data)
    assert (caught.value.field, caught.value.value) == (field, value) and remedy in caught.value.remedy


def test_rule_of_a_contrast_is_refused(load_data):
    data = study_data()
    data["models"]["line"] = {"family": "linear", "says": "x", "table": "studies", "formula": "{outcome} ~ C(kind)", "contrasts": {"trial": [{"weight": 1, "at": {"kind": "trial"}}]}}
    data["claims"]["line.est"] = claim("1", model="line", outcome="people", contrast="trial", statistic="est", rule="early")
    with pytest.raises(StudyError, match="claims › line.est › by › rule: 'early'. Rules choose rows of a table or of a pool"):
        load_data(data)


def test_numbers_under_different_rules_are_not_one_question(load_data):
    data = study_data()
    data["claims"] |= {f"{rule}.hope.{name}": claim(text, model="pool", outcome="hope", statistic=name, rule=rule) for rule, name, text in [("early", "lo", "−0.40"), ("strict", "hi", "−0.50"), ("early", "hi", "0.10")]}
    found = checks.findings(load_data(data))
    assert [(each.part, sorted(each.claims)) for each in found] == [("hope, early", ["hi", "lo"])]
    assert not any(each.fault for each in found)


def test_numbers_of_a_column_under_different_rules_are_not_one_question(load_data):
    data = study_data()
    data["tables"]["studies"]["columns"]["blind"] = column("integer", values=[0, 1])
    data["claims"] |= {"early.blind.percent": claim("60%", table="studies", statistic="percent", column="blind", rule="early"), "strict.blind.n": claim("3", table="studies", statistic="sum", column="blind", rule="strict")}
    asked = [set(sum(each.claims.values(), ())) for each in checks.findings(load_data(data))]
    assert asked == [{"early.blind.percent", "early.all.n"}]
