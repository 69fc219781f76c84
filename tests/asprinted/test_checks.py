"""A study file says by itself which of its printed numbers can be held against each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from asprinted import checks, synthesis, records
from asprinted.checks import Checked
from asprinted.cli import BAD_INPUT, DIFFERS, FINE, OPEN, main
from asprinted.reanalysis import Reanalysis, uses_as_declared
from asprinted.study import Assumption, Claim, Study, StudyError

COLUMNS = {
    "arm": {"type": "string", "required": True, "values": ["tea", "water"]},
    "relapsed": {"type": "integer", "values": [0, 1]},
    "gain": {"type": "integer", "minimum": 1, "maximum": 5},
    "quality": {"type": "number", "minimum": 1, "maximum": 5, "items": 4},
    "weight": {"type": "number", "minimum": 1, "maximum": 5},
    "days": {"type": "integer", "minimum": 1},
}
CONTRAST = {"tea": [{"weight": -1, "at": {"arm": "water"}}, {"weight": 1, "at": {"arm": "tea"}}]}
LOGISTIC = {"family": "logistic", "table": "people", "formula": '{outcome} ~ C(arm, Treatment("water"))', "contrasts": CONTRAST}
COUNTS = {"water": {"events": "relapsed.water.events", "people": 216}, "tea": {"events": "relapsed.tea.events", "people": "relapsed.tea.n"}}
COX = {"family": "cox", "table": "people", "formula": "{outcome} ~ arm", "contrasts": CONTRAST}


def claim(id: str, printed: str, by: dict[str, Any], **rest: Any) -> Claim:
    kind = "inequality" if printed[0] in "<>≤≥" else "number"
    return Claim(**({"id": id, "study": "tea", "says": id, "kind": kind, "marks": ("S",), "source": "paper", "where": "", "expect": "reproduced", "printed": printed, "by": by} | rest))


def of_model(model: str, outcome: str = "relapsed", **printed: str) -> list[Claim]:
    return [claim(f"{model}.{name}", text, {"model": model, "outcome": outcome, "contrast": "tea", "statistic": name}) for name, text in printed.items()]


def of_column(column: str, filter: dict[str, Any] | None = None, **printed: str) -> list[Claim]:
    name = ".".join([column, *map(str, (filter or {}).values())])
    return [claim(f"{name}.{each}", text, {"table": "people", "column": column, "statistic": each} | ({"filter": filter} if filter else {})) for each, text in printed.items()]


COUNT_CLAIMS = [
    claim("relapsed.tea.events", "64", {"table": "people", "column": "relapsed", "statistic": "sum", "filter": {"arm": "tea"}}),
    claim("relapsed.tea.n", "218", {"table": "people", "column": "relapsed", "statistic": "observed", "filter": {"arm": "tea"}}),
    claim("relapsed.water.events", "83", {"table": "people", "column": "relapsed", "statistic": "sum", "filter": {"arm": "water"}}),
]


def study(claims: list[Claim], models: dict[str, Any] | None = None, assumptions: dict[str, str] | None = None, design: dict[str, Any] | None = None, **columns: Any) -> Study:
    table = {"people": {"file": "people.csv", "row": "A person", "key": ["id"], "columns": COLUMNS | columns}}
    assumed = {id: Assumption(id, id, "", value=value) for id, value in (assumptions or {}).items()}
    return Study(Path("tea"), "Tea", {}, table, design or {}, models or {}, {each.id: each for each in claims}, assumed)


def only(study: Study, about: str) -> Checked:
    [found] = [each for each in checks.findings(study) if each.about == about]
    return found


# Models


def test_ratio_is_checked_on_the_log_scale_and_a_difference_is_not():
    printed = {"est": "2.0", "lo": "1.0", "hi": "4.0"}
    difference = {"family": "mixed", "table": "people"}
    found = {each.about: each.finding.verdict for each in checks.findings(study([*of_model("ratio", **printed), *of_model("difference", **printed)], {"ratio": LOGISTIC, "difference": difference}))}
    assert found == {"ratio": "possible", "difference": "contradictory"}


def test_finding_names_the_claims_behind_its_numbers():
    found = only(study(of_model("crude", est=".66", lo=".43", hi=".99", p=".06"), {"crude": LOGISTIC}), "crude")
    assert found.fault and found.finding.conflict == ("hi", "p")
    assert found.ids(found.finding.conflict) == ["crude.hi", "crude.p"]
    assert found.claims == {"estimate": ("crude.est",), "lo": ("crude.lo",), "hi": ("crude.hi",), "p": ("crude.p",)}


def test_level_of_the_model_is_used():
    printed = {"est": "0.0", "lo": "−1.645", "hi": "1.645", "se": "1.000"}
    verdicts = [only(study(of_model("m", **printed), {"m": {"family": "mixed", "table": "people", "level": level}}), "m").finding.verdict for level in (0.9, 0.95)]
    assert verdicts == ["possible", "contradictory"]


@pytest.mark.parametrize(("test", "verdict"), [("t", "possible"), (None, "possible"), ("wald-z", "contradictory")])
def test_t_test_is_not_held_to_the_normal_quantile(test, verdict):
    model = {"family": "linear", "table": "people"} | ({"test": test} if test else {})
    found = only(study(of_model("m", est="2.0", lo="0.0", hi="4.0", p=".20"), {"m": model}), "m")
    assert found.finding.verdict == verdict and ("p" in found.finding.printed) is (test == "wald-z")


def test_single_numbers_words_and_smallest_values_are_no_question():
    claims = [
        *of_model("m", p=".03"),
        claim("m.down", "<1", {"model": "m", "outcome": "relapsed", "contrast": "tea", "statistic": "est"}, kind="direction"),
        claim("m.all", ".20", {"model": "m", "outcome": ["relapsed", "gain"], "contrast": "tea", "statistic": "lo", "take": "smallest"}),
    ]
    assert checks.findings(study(claims, {"m": LOGISTIC})) == []


@pytest.mark.parametrize(
    ("events", "covariance", "verdict"),
    [(["relapsed.tea.events", "relapsed.water.events"], None, "contradictory"), (["relapsed.tea.events", "relapsed.water.events"], "robust", "possible"), (["relapsed.tea.events", "relapsed.water.events", 9], None, "possible"),
     (["relapsed.tea.events", "relapsed.water.events", "later.n"], "model-based", "possible")],
)  # fmt: skip
def test_events_of_a_cox_model_bound_its_precision(events, covariance, verdict):
    model = COX | {"events": events} | ({"covariance": covariance} if covariance else {})
    found = only(study([*COUNT_CLAIMS, *of_model("time", est=".71", lo=".52", hi=".97", p=".029")], {"time": model}, {"later.n": "9"}), "time")
    assert found.finding.verdict == verdict
    if verdict == "contradictory":
        assert ["time.lo", "time.hi", "relapsed.tea.events", "relapsed.water.events"] in [found.ids(names) for names in found.finding.conflicts]
    if covariance != "robust":
        assert found.claims["events"] == tuple(each for each in events if each != 9)


def test_counts_are_the_table_of_the_contrast_whose_weight_says_which_arm_is_which():
    claims = [*COUNT_CLAIMS, *of_model("crude", est="0.67", lo="0.45", hi="0.99", p=".046")]
    found = only(study(claims, {"crude": LOGISTIC | {"counts": COUNTS}}), "crude")
    assert found.finding.verdict == "possible" and (found.finding.witness["events 1"], found.finding.witness["total 2"]) == (64, 216)
    assert found.claims["events 1"] == ("relapsed.tea.events",) and found.claims["total 1"] == ("relapsed.tea.n",) and "total 2" not in found.claims
    turned = {"tea": [term | {"weight": -term["weight"]} for term in CONTRAST["tea"]]}
    assert only(study(claims, {"crude": LOGISTIC | {"counts": COUNTS, "contrasts": turned}}), "crude").finding.verdict == "contradictory"
    ratio = {"family": "risk-ratio", "table": "people", "contrasts": CONTRAST, "counts": COUNTS}
    assert only(study([*COUNT_CLAIMS, *of_model("ratio", est="0.76", lo="0.59", hi="1.00")], {"ratio": ratio}), "ratio").finding.verdict == "possible"


@pytest.mark.parametrize(
    ("change", "used"),
    [({}, True), ({"formula": "{outcome} ~ C(arm)"}, True), ({"formula": "{outcome} ~ weight * quality + C(arm, Sum) - 1"}, True), ({"formula": "{outcome} ~ relapsed", "contrasts": {"tea": [{"weight": 1, "at": {"relapsed": 1}}, {"weight": -1, "at": {"relapsed": 0}}]}}, True),
     ({"formula": "{outcome} ~ C(gain, contrast=Helmert)", "contrasts": {"tea": [{"weight": 1, "at": {"gain": 4}}, {"weight": -1, "at": {"gain": 2}}]}}, True),
     ({"formula": "{outcome} ~ gain", "contrasts": {"tea": [{"weight": 1, "at": {"gain": 4}}, {"weight": -1, "at": {"gain": 3}}]}}, False),
     ({"formula": "{outcome} ~ C(gain, [[0], [1], [2], [3], [4]])", "contrasts": {"tea": [{"weight": 1, "at": {"gain": 4}}, {"weight": -1, "at": {"gain": 2}}]}}, False),
     ({"formula": "{outcome} ~ C(arm) * weight"}, False), ({"formula": "{outcome} ~ C(arm) + weight:arm"}, False), ({"formula": '{outcome} ~ arm + I((Q("arm") == "tea") * weight)'}, False), ({"formula": "{outcome} ~ C(team)"}, False),
     ({"formula": "{outcome} ~ C(team, Treatment(arm))"}, False), ({"formula": "{outcome} ~ C(arm) + {outcome}_before"}, False),
     ({"contrasts": {"tea": [{"weight": 0.5, "at": {"arm": "tea"}}, {"weight": -0.5, "at": {"arm": "water"}}]}}, False), ({"contrasts": {"tea": [{"weight": 2, "at": {"arm": "tea"}}, {"weight": -2, "at": {"arm": "water"}}]}}, False),
     ({"contrasts": {"tea": [{"weight": 1, "at": {"arm": "tea", "gain": 2}}, {"weight": -1, "at": {"arm": "water", "gain": 2}}]}}, True), ({"contrasts": {"tea": [{"weight": 1, "at": {"arm": "tea", "gain": 3}}, {"weight": -1, "at": {"arm": "water", "gain": 2}}]}}, False),
     ({"contrasts": {"tea": [{"weight": 1, "at": {"arm": "tea", "gain": 3}}, {"weight": -1, "at": {"arm": "water"}}]}}, False), ({"contrasts": {"tea": [{"weight": 1, "at": {"arm": "tea"}}]}}, False), ({"events": ["relapsed.some", 83]}, False)],
)  # fmt: skip
def test_events_bound_only_the_contrast_of_two_levels_of_one_factor(change, used):
    some = claim("relapsed.some", ">60", {"table": "people", "column": "relapsed", "statistic": "sum"})
    model = COX | {"events": [64, 83]} | change
    found = only(study([some, *of_model("time", est=".71", lo=".52", hi=".97", p=".029")], {"time": model}), "time")
    assert (found.finding.verdict, "events" in found.finding.printed) == (("contradictory", True) if used else ("possible", False))
    assert ("'events' takes no part" in found.finding.question) is not used


@pytest.mark.parametrize(
    ("change", "used"),
    [({}, True), ({"formula": "{outcome} ~ arm"}, True), ({"formula": "{outcome} ~ 0 + C(arm)"}, True), ({"covariance": "model-based"}, True), ({"covariance": "robust", "groups": "team"}, False), ({"formula": "{outcome} ~ C(team)"}, False), ({"formula": "{outcome} ~ C(team) + C(arm)"}, False),
     ({"formula": "{outcome} ~ C(arm):weight"}, False), ({"formula": '{outcome} ~ I(arm == "tea")'}, False),
     ({"formula": "{outcome} ~ 0 + relapsed", "contrasts": {"tea": [{"weight": 1, "at": {"relapsed": 1}}, {"weight": -1, "at": {"relapsed": 0}}]}, "counts": {1: COUNTS["tea"], 0: COUNTS["water"]}}, False), ({"contrasts": {"tea": [{"weight": 0.5, "at": {"arm": "tea"}}, {"weight": -0.5, "at": {"arm": "water"}}]}}, False),
     ({"family": "risk-ratio"}, True), ({"family": "risk-ratio", "contrasts": CONTRAST | {"site": [{"weight": 1, "at": {"site": "a"}}]}}, False)],
)  # fmt: skip
def test_counts_are_used_only_where_they_are_all_that_the_contrast_uses(change, used):
    claims = [*COUNT_CLAIMS, *of_model("crude", est="1.64", lo="0.91", hi="2.96", p=".1017")]
    found = only(study(claims, {"crude": LOGISTIC | {"counts": COUNTS} | change}), "crude")
    assert (found.finding.verdict, "events 1" in found.finding.printed) == (("contradictory", True) if used else ("possible", False))
    assert ("'counts' takes no part" in found.finding.question) is not used


DIFFERENCE = {"family": "risk-difference", "table": "people", "contrasts": CONTRAST, "counts": COUNTS}


@pytest.mark.parametrize("printed", [{"est": "−9.1", "lo": "−17.9", "hi": "−0.2", "p": ".045"}, {"est": "−9.1%", "lo": "−17.9%", "hi": "−0.2%"}, {"nnt": "11", "nnt_lo": "6"}])
def test_risk_difference_in_points_and_number_needed_to_treat_are_those_of_the_table(printed):
    found = only(study([*COUNT_CLAIMS, *of_model("less", **printed)], {"less": DIFFERENCE}), "less")
    assert found.finding.verdict == "possible" and found.finding.witness["events 1"] == 64
    wrong = {name: {"est": "−9.3", "nnt": "12"}.get(name, text) for name, text in printed.items()}
    found = only(study([*COUNT_CLAIMS, *of_model("less", **wrong)], {"less": DIFFERENCE}), "less")
    assert found.fault and found.claims["estimate"] == (f"less.{next(iter(printed))}",)


def test_risk_difference_without_a_table_is_a_wald_test_of_a_difference():
    alone = {name: value for name, value in DIFFERENCE.items() if name != "counts"}
    for hi, verdict in (("−0.2", "possible"), ("0.6", "contradictory")):
        assert only(study(of_model("less", est="−9.1", lo="−17.9", hi=hi), {"less": alone}), "less").finding.verdict == verdict
    assert checks.findings(study(of_model("less", nnt="11", nnt_lo="6"), {"less": alone})) == []


@pytest.mark.parametrize("family", ["poisson", "negative-binomial", "ordinal"])
def test_ratios_of_other_families_are_checked_on_the_log_scale(family):
    model = {"family": family, "table": "people", "formula": "{outcome} ~ C(arm)", "contrasts": CONTRAST}
    for lo, verdict in (("1.0", "possible"), ("0.5", "contradictory")):
        assert only(study(of_model("m", est="2.0", lo=lo, hi="4.0"), {"m": model}), "m").finding.verdict == verdict


@pytest.mark.parametrize("family", ["log-rank", "rank-sum", "chi-squared", "correlation"])
def test_tests_without_contrasts_and_joint_tests_are_no_question(family):
    claims = [claim(f"m.{name}", "0.3", {"model": "m", "outcome": "gain", "statistic": name}) for name in ("est", "lo", "hi", "p")]
    joint = [claim(f"line.{name}", "0.3", {"model": "line", "outcome": "gain", "contrast": ["tea"], "statistic": name}) for name in ("f", "joint_p")]
    line = LOGISTIC | {"family": "linear"}
    assert checks.findings(study(claims + joint, {"m": {"family": family, "table": "people"}, "line": line})) == []


@pytest.mark.parametrize(("hi", "verdict"), [("4.1", "possible"), ("4.3", "contradictory")])
def test_mean_stands_in_the_middle_of_its_interval(hi, verdict):
    [found] = checks.findings(study(of_column("weight", {"arm": "tea"}, mean="3.1", lo="2.1", hi=hi)))
    assert (found.finding.verdict, found.about) == (verdict, "people.weight, arm tea")


def test_adjusted_model_is_not_held_to_the_crude_table():
    claims = [*COUNT_CLAIMS, *of_model("adjusted", est=".66", lo=".43", hi=".99", p=".0438")]
    for formula, verdict in ((LOGISTIC["formula"] + " + C(team)", "possible"), (LOGISTIC["formula"], "contradictory")):
        assert only(study(claims, {"adjusted": LOGISTIC | {"counts": COUNTS, "formula": formula}}), "adjusted").finding.verdict == verdict


def test_alternative_is_held_against_the_claims_of_the_other_model_and_is_no_fault():
    models = {"adjusted": LOGISTIC | {"formula": "{outcome} ~ arm + team"}, "crude": LOGISTIC | {"counts": COUNTS, "instead_of": "adjusted"}}
    claims = [*COUNT_CLAIMS, *of_model("adjusted", est=".66", lo=".43", hi=".99", p=".0438")]
    found = only(study(claims, models), "crude")
    assert found.finding.verdict == "contradictory" and found.alternative and not found.fault
    assert found.claims["p"] == ("adjusted.p",)
    elsewhere = models | {"crude": models["crude"] | {"contrasts": {"coffee": CONTRAST["tea"]}}}
    assert [each.about for each in checks.findings(study(claims, elsewhere))] == ["adjusted"]


ARMS = [{"weight": 1, "at": {"arm": "peer support"}}, {"weight": -1, "at": {"arm": "control"}}]
ALL_EVENTS = ["readmitted.peer_support.events", "readmitted.control.events", "later.peer_support.events", "later.control.events"]
IN_ARMS = {"peer support": {"events": "readmitted.peer_support.events", "people": "analysed.peer_support.n"}, "control": {"events": "readmitted.control.events", "people": "analysed.control.n"}}
FITTED = {
    "years of age": ("cox", "age", {"contrasts": {"c": [{"weight": 1, "at": {"age": 41}}, {"weight": -1, "at": {"age": 40}}]}}, None),
    "half a contrast": ("cox", "C(arm)", {"contrasts": {"c": [term | {"weight": term["weight"] / 2} for term in ARMS]}}, None),
    "events of a part": ("cox", "C(arm)", {"events": ALL_EVENTS[:2]}, "163 events in the records, 147 events by its field 'events'"),
    "the part": ("cox", "C(arm)", {"events": ALL_EVENTS[:2], "until": 365}, None),
    "some rows": ("cox", "C(arm)", {"rows": {"gender": "woman"}}, "163 events by its field 'events'"),
    "adjusted": ("cox", "C(arm) + age + C(team)", {}, None),
    "interaction": ("cox", "C(arm) * age", {}, None),
    "robust times": ("cox", "C(arm)", {"covariance": "robust", "groups": "team"}, None),
    "trend": ("cox", "C(earlier_admissions, [[0], [1], [5]])", {"contrasts": {"c": [{"weight": 1, "at": {"earlier_admissions": "two or more"}}, {"weight": -1, "at": {"earlier_admissions": "none"}}]}}, None),
    "polynomials": ("cox", "C(earlier_admissions, Poly)", {"contrasts": {"c": [{"weight": 1, "at": {"earlier_admissions": "one"}}, {"weight": -1, "at": {"earlier_admissions": "none"}}]}}, None),
    "0 and 1": ("cox", "degree", {"contrasts": {"c": [{"weight": 1, "at": {"degree": 1}}, {"weight": -1, "at": {"degree": 0}}]}}, None),
    "crude": ("logistic", "C(arm)", {}, None),
    "robust": ("logistic", "C(arm)", {"covariance": "robust", "groups": "team"}, None),
    "of teams": ("logistic", "C(team)", {"contrasts": {"c": [{"weight": 1, "at": {"arm": "peer support", "team": "alder"}}, {"weight": -1, "at": {"arm": "control", "team": "birch"}}]}}, None),
    "table of some": ("logistic", "C(arm)", {"rows": {"gender": "woman"}}, "64 events of 218 people by its field 'counts'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(crisis):
    return records.read(crisis)


@pytest.mark.parametrize(("family", "right", "change", "told"), FITTED.values(), ids=FITTED)
def test_what_a_model_prints_from_records_is_no_contradiction_unless_its_own_fields_misstate_them(crisis, tables, family, right, change, told):
    """Numbers that a fit gives exist, so a proof that they cannot is false; where a field is wrong, `uses_as_declared` names it."""
    own = {"time": "days", "events": ALL_EVENTS} if family == "cox" else {"counts": IN_ARMS}
    model = {"family": family, "table": "participants", "formula": f"{{outcome}} ~ {right}", "contrasts": {"c": ARMS}} | own | change
    by = {"model": "extra", "outcome": "readmission" if family == "cox" else "readmitted", "contrast": "c"}
    made = dataclasses.replace(crisis, models=crisis.models | {"extra": model})
    analysis = Reanalysis(made, tables)
    printed = [claim(f"extra.c.{name}", f"{analysis.value(by | {'statistic': name}):.4f}", by | {"statistic": name}) for name in ("est", "lo", "hi", "p")]
    made = dataclasses.replace(made, claims=made.claims | {each.id: each for each in printed})
    faults = uses_as_declared(made, tables)
    if told:
        assert len(faults) > 0 and all(line.startswith(f"model extra, {by['outcome']}") for line in faults) and faults[0].endswith(told)
    else:
        assert faults == [] and only(made, "extra").finding.verdict == "possible"


# Pools of trials

POOLED = {"family": "random-effects", "table": "people", "says": "Random-effects pool", "effect": {"measure": "smd"}, "outcome_column": "arm"}


def of_pool(outcome: str, filter: dict[str, Any] | None = None, **printed: str) -> list[Claim]:
    name = ".".join([outcome, *map(str, (filter or {}).values())])
    return [claim(f"{name}.{each}", text, {"model": "pooled", "outcome": outcome, "statistic": each} | ({"filter": filter} if filter else {})) for each, text in printed.items()]


CALM = {"est": "0.20", "lo": "0.11", "hi": "0.29"}


def test_numbers_of_a_pool_are_held_against_each_other_for_each_outcome_and_filter():
    claims = [*of_pool("calm", **CALM), *of_pool("calm", {"site": "a"}, **CALM, n="1,500"), *of_pool("sleep", {"site": ["a", "b"]}, q="4.09", k="4", i2="30%", q_p=".25")]
    found = checks.findings(study(claims, {"pooled": POOLED}))
    assert [(each.about, each.part, each.finding.verdict) for each in found] == [("pooled", "calm", "possible"), ("pooled", "calm, a", "contradictory"), ("pooled", "sleep, a and b", "contradictory")]
    assert found[1].fault and ["calm.a.est", "calm.a.lo", "calm.a.n"] in [found[1].ids(names) for names in found[1].finding.conflicts]
    assert {frozenset(found[2].ids(names)) for names in found[2].finding.conflicts} == {frozenset(f"sleep.['a', 'b'].{name}" for name in names) for names in (("q", "k", "i2"), ("k", "i2", "q_p"))}
    assert found[2].finding.question == "Sleep, a and b: can one pool of trials print chi2, k, i2 and q_p?" and found[2].as_json()["part"] == "sleep, a and b"


@pytest.mark.parametrize(
    ("change", "verdicts"),
    [({}, ["contradictory", "contradictory"]), ({"estimator": "common"}, ["contradictory", "possible"]), ({"test": "knapp-hartung"}, ["possible", "possible"]), ({"test": "knapp-hartung-at-least-wald"}, ["contradictory", "contradictory"]), ({"level": 0.8}, ["contradictory", "possible"])],
)  # fmt: skip
def test_estimator_test_and_level_of_the_model_decide_what_its_people_can_tell(change, verdicts):
    claims = [*of_pool("calm", **CALM, p="<.001", n="1,500"), *of_pool("sleep", **CALM, n="2,000", i2="40%", k="9")]
    found = checks.findings(study(claims, {"pooled": POOLED | change}))
    assert [each.finding.verdict for each in found] == verdicts
    assert all(("p" in each.finding.printed) is ("test" not in change) for each in found[:1])


@pytest.mark.parametrize("printed", [{"est": "0.20", "k": "9", "n": "2,000"}, {"k": "9", "i2": "40%"}, {"lo": "0.11", "lead": ">0", "egger": "1.20", "egger_p": ".04", "prediction_hi": "0.50", "tau2": "0.02"}])
def test_numbers_of_a_pool_that_say_nothing_of_each_other_are_no_question(printed):
    assert checks.findings(study(of_pool("calm", **printed), {"pooled": POOLED})) == []


@pytest.mark.parametrize(("measure", "verdicts"), [("rr", ["possible", "contradictory"]), ("or", ["possible", "contradictory"]), ("md", ["contradictory", "possible"]), ("rd", ["contradictory", "possible"])])
def test_pool_of_ratios_is_checked_on_the_log_scale_and_one_of_differences_is_not(measure, verdicts):
    claims = [*of_pool("calm", est="0.80", lo="0.58", hi="1.09", n="581"), *of_pool("sleep", est="0.80", lo="0.60", hi="1.00", k="5")]
    found = checks.findings(study(claims, {"pooled": POOLED | {"effect": {"measure": measure}}}))
    assert [each.finding.verdict for each in found] == verdicts


def test_pools_of_other_rules_or_ranges_are_other_questions():
    wanted = ({}, {"rule": "first"}, {"rule": ["first", "second"]}, {"rule": "first", "filter": {"year": {"from": 1995, "to": 2012}, "site": ["a", "b"]}}, {"filter": {"year": {"to": 2012}}})
    claims = [claim(f"calm.{place}.{name}", text, {"model": "pooled", "outcome": "calm", "statistic": name} | by) for place, by in enumerate(wanted) for name, text in CALM.items()]
    found = checks.findings(study(claims, {"pooled": POOLED}))
    assert [each.part for each in found] == ["calm", "calm, first", "calm, first and second", "calm, first, a and b, from 1995 to 2012", "calm, to 2012"]
    assert all(set(each.claims) == set(CALM) for each in found)


def test_another_pool_is_held_against_the_claims_that_it_stands_for():
    models = {"pooled": POOLED | {"estimator": "common"}, "other": POOLED | {"instead_of": "pooled"}}
    found = checks.findings(study(of_pool("calm", **CALM, n="2,000", i2="40%"), models))
    assert [(each.about, each.finding.verdict, each.alternative, each.fault) for each in found] == [("pooled", "possible", False, False), ("other", "contradictory", True, False)]


def test_page_says_which_outcome_each_finding_of_a_pool_is_about(monkeypatch):
    from asprinted import chapter

    claims = [*of_pool("calm", **CALM), *of_pool("calm", {"site": "a"}, **CALM, n="1,500")]
    monkeypatch.setattr(chapter, "_current", [study(claims, {"pooled": POOLED})])
    first, second = repr(chapter.prove("pooled")).splitlines()
    assert first.startswith("Calm: random-effects pool: possible. Every number prints for") and second.startswith("Calm, a: contradictory. ")
    assert "Cannot stand together: calm.a.est 0.20; calm.a.lo 0.11; calm.a.n 1,500" in second


# Columns


def test_percentages_are_held_against_counts_of_the_same_people():
    claims = [*COUNT_CLAIMS, *of_column("relapsed", {"arm": "tea"}, percent="29%"), *of_column("relapsed", {"arm": "water"}, percent="37%", observed="216")]
    found = checks.findings(study(claims))
    assert [(each.finding.verdict, each.fault) for each in found] == [("possible", False), ("contradictory", True)]
    assert found[1].claims == {"percent": ("relapsed.water.percent",), "count": ("relapsed.water.events",), "n": ("relapsed.water.observed",)}
    assert [each.about for each in found] == ["people.relapsed, arm tea", "people.relapsed, arm water"]


@pytest.mark.parametrize(
    ("required", "filter", "verdict"),
    [(True, {"arm": "tea"}, "contradictory"), (True, {"arm": "water"}, None), (True, None, None), (False, {"arm": "tea"}, None)],
)
def test_people_are_those_with_a_value_where_none_can_be_missing(required, filter, verdict):
    people = claim("people.tea.n", "20", {"table": "people", "statistic": "count", "filter": {"arm": "tea"}})
    found = checks.findings(study([people, *of_column("gain", filter, mean="2.20", sd="1.30")], gain=COLUMNS["gain"] | {"required": required}))
    assert [each.finding.verdict for each in found] == ([verdict] if verdict else [])
    if verdict:
        assert found[0].claims["n"] == ("people.tea.n",)
        seen = claim("gain.tea.observed", "19", {"table": "people", "column": "gain", "statistic": "observed", "filter": filter})
        [found] = checks.findings(study([people, seen, *of_column("gain", filter, mean="2.20")], gain=COLUMNS["gain"] | {"required": True}))
        assert found.claims["n"] == ("gain.tea.observed",)  # what is printed of the column itself goes first


@pytest.mark.parametrize(
    ("printed", "filter", "verdict"),
    [({"median": "112"}, {"relapsed": 1}, "possible"), ({"median": "365"}, {"arm": "tea", "relapsed": [1]}, "possible"), ({"median": "365.4"}, {"relapsed": 1}, "possible"), ({"median": "366"}, {"relapsed": 1}, "contradictory"),
     ({"mean": "400.2"}, {"relapsed": 1}, "contradictory"), ({"median": "400"}, {"relapsed": 0}, None), ({"median": "400"}, None, None), ({"median": "400"}, {"relapsed": [0, 1]}, None), ({"sd": "400"}, {"relapsed": 1}, None)],
)  # fmt: skip
def test_average_of_times_that_end_by_a_horizon_does_not_pass_it(printed, filter, verdict):
    design = {"durations": {"table": "people", "time": "days", "event": "relapse", "within": {"column": "relapsed", "until": "year.days"}}}
    found = checks.findings(study(of_column("days", filter, **printed), {}, {"year.days": "365"}, design))
    assert [each.finding.verdict for each in found] == ([verdict] if verdict else [])
    if verdict == "contradictory":
        [(name, text)] = printed.items()
        assert found[0].fault and found[0].ids(found[0].finding.conflict) == [f"days.1.{name}", "year.days"] and f"at least {float(text) - 0.5 * 10 ** -('.' in text)}" in found[0].finding.proof
    elif verdict:
        witness = found[0].finding.witness
        assert witness["median"] <= witness["until"] < 365.5 and abs(witness["median"] - float(printed["median"])) <= 0.5


@pytest.mark.parametrize(
    ("column", "printed", "verdict"),
    [("gain", {"mean": "2.20", "sd": "1.30", "observed": "20"}, "contradictory"), ("gain", {"mean": "2.20", "sd": "1.28", "observed": "20"}, "possible"), ("gain", {"mean": "3.43", "observed": "20"}, "contradictory"),
     ("quality", {"mean": "3.43", "observed": "20"}, "possible"), ("weight", {"mean": "3.43", "observed": "20"}, None), ("gain", {"mean": "3.43"}, None), ("gain", {"percent": "10%", "observed": "20"}, None)],
)  # fmt: skip
def test_mean_and_sd_of_whole_numbers_are_checked_where_the_column_holds_them(column, printed, verdict):
    assert [each.finding.verdict for each in checks.findings(study(of_column(column, **printed)))] == ([verdict] if verdict else [])


TWO = {"family": "linear", "table": "people", "test": "t", "formula": "{outcome} ~ C(arm)", "contrasts": CONTRAST}


def of_two_groups(**change: dict[str, str]) -> list[Claim]:
    """What is printed of the weight of both arms: the first less the second is -5.99, t about -3.62 on 138 degrees of freedom."""
    tea, water = {"mean": "−3.34", "sd": "9.3", "observed": "70"}, {"mean": "2.65", "sd": "10.3", "observed": "70"}
    return [*of_column("weight", {"arm": "tea"}, **(tea | change.get("tea", {}))), *of_column("weight", {"arm": "water"}, **(water | change.get("water", {})))]


@pytest.mark.parametrize(("test", "p", "verdict"), [("t", ".0004", "possible"), ("t", ".0030", "contradictory"), ("welch", ".0004", "possible"), ("welch", ".0030", "contradictory"), ("wald-z", ".0003", "possible")])
def test_t_test_is_held_against_the_means_and_sds_of_both_groups(test, p, verdict):
    found = only(study([*of_two_groups(), *of_model("m", "weight", p=p)], {"m": TWO | {"test": test}}), "m")
    assert found.finding.verdict == verdict
    assert found.claims["mean 1"] == ("weight.tea.mean",) and found.claims["n 2"] == ("weight.water.observed",)
    if verdict == "contradictory":
        assert found.fault and set(found.ids(found.finding.conflict)) == {each.id for each in of_two_groups()} | {"m.p"}


@pytest.mark.parametrize(
    "change",
    [{"formula": "{outcome} ~ C(arm) + gain"}, {"formula": "np.log({outcome}) ~ C(arm)"}, {"formula": "{outcome} ~ C(gain)"}, {"covariance": "robust"}, {"groups": "site"}, {"baseline": {"column": "month", "value": 0}}, {"rows": {"month": 4}},
     {"contrasts": {"tea": [{"weight": 0.5, "at": {"arm": "tea"}}, {"weight": -0.5, "at": {"arm": "water"}}]}}, {"family": "mixed"}],
)  # fmt: skip
def test_other_models_are_not_held_against_two_means(change):
    found = checks.findings(study([*of_two_groups(), *of_model("m", "weight", p=".0030", t="9.0")], {"m": TWO | change}))
    assert [each for each in found if each.about == "m"] == []


def test_three_groups_are_not_taken_for_two():
    arms = COLUMNS["arm"] | {"values": ["tea", "water", "milk"]}
    assert [each for each in checks.findings(study([*of_two_groups(), *of_model("m", "weight", p=".0030")], {"m": TWO}, arm=arms)) if each.about == "m"] == []


def test_contrast_says_which_mean_is_taken_from_which():
    turned = {"tea": [term | {"weight": -term["weight"]} for term in CONTRAST["tea"]]}
    for contrasts, verdict in ((CONTRAST, "possible"), (turned, "contradictory")):
        assert only(study([*of_two_groups(), *of_model("m", "weight", t="−3.62", d="−0.61")], {"m": TWO | {"contrasts": contrasts}}), "m").finding.verdict == verdict


def test_group_that_contradicts_itself_is_told_once_and_a_misprint_of_it_proves_nothing():
    wrong = {"tea": {"lo": "5.56", "hi": "−1.13"}}
    found = checks.findings(study([*of_two_groups(**wrong), *of_model("m", "weight", p=".0004")], {"m": TWO}))
    assert [(each.about, each.fault) for each in found if each.fault] == [("people.weight, arm tea", True)]
    declared = [dataclasses.replace(each, expect="misprint") if each.id == "weight.tea.lo" else each for each in of_two_groups(**wrong)]
    found = checks.findings(study([*declared, *of_model("m", "weight", p=".0004")], {"m": TWO}))
    assert not any(each.fault for each in found) and [each.finding.verdict for each in found if each.about == "m"] == ["possible"]


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [({"mean": "3.1", "sd": "2.0", "se": "0.40", "observed": "25"}, "possible"), ({"sd": "2.0", "se": "0.44", "observed": "25"}, "contradictory"), ({"mean": "3.1", "sd": "2.0", "lo": "2.3", "hi": "3.9", "observed": "60"}, "contradictory"),
     ({"mean": "3.1", "sd": "2.0", "lo": "2.3", "hi": "3.9"}, "possible"), ({"mean": "3.1", "observed": "25"}, None), ({"mean": "3.1", "sd": "2.0"}, None), ({"q1": "2", "median": "3", "q3": "5"}, "possible"), ({"q1": "5", "median": "3"}, "contradictory"),
     ({"median": "7", "q1": "2"}, "contradictory")],
)  # fmt: skip
def test_mean_sd_se_interval_and_quartiles_of_a_column_are_held_against_each_other(printed, verdict):
    found = checks.findings(study(of_column("weight", {"arm": "tea"}, **printed)))
    assert [each.finding.verdict for each in found] == ([verdict] if verdict else [])
    if verdict == "contradictory":
        assert found[0].fault and found[0].about == "people.weight, arm tea"


def test_two_claims_on_one_number_are_each_checked_and_a_declared_difference_is_no_fault():
    wrong = claim("relapsed.tea.as_reported", "300", {"table": "people", "column": "relapsed", "statistic": "observed", "filter": {"arm": "tea"}}, expect="misreported", reason="The source gives another number.")
    claims = [*COUNT_CLAIMS, *of_column("relapsed", {"arm": "tea"}, percent="29%")]
    found = checks.findings(study([*claims, wrong]))
    assert [(each.finding.verdict, each.declared, each.fault) for each in found] == [("possible", False, False), ("contradictory", True, False)]
    assert found[1].ids(found[1].finding.conflict)[-1] == "relapsed.tea.as_reported"
    [_, undeclared] = checks.findings(study([*claims, dataclasses.replace(wrong, expect="reproduced")]))
    assert undeclared.fault


# Real studies and the command


def test_findings_of_a_real_study_are_possible(harp):
    found = checks.findings(harp)
    assert found and {each.finding.verdict for each in found} == {"possible"}
    assert all(id in harp.claims for each in found for ids in each.claims.values() for id in ids)


@pytest.mark.parametrize(
    ("printed", "code"),
    [({"est": ".66", "lo": ".43", "hi": ".99", "p": ".0438"}, FINE), ({"est": ".66", "lo": ".43", "hi": ".99", "p": ".06"}, DIFFERS)],
)
def test_command_tells_each_finding_and_ends_with_its_code(monkeypatch, capsys, printed, code):
    made = study(of_model("crude", **printed), {"crude": LOGISTIC})
    monkeypatch.setattr("asprinted.cli.load", lambda folder: made)
    assert main(["check", "tea"]) == code
    text = capsys.readouterr().out
    assert text.startswith("possible: crude: " if code == FINE else "contradictory: crude: ") and text.splitlines()[-1].startswith("tea: 1 questions, 1 ")
    if code == DIFFERS:
        assert "p .06 (crude.p)" in text and "smallest conflict: crude.hi, crude.p" in text and "healed by: p .06 → .05" in text
    assert main(["check", "--json", "tea"]) == code
    data = json.loads(capsys.readouterr().out)
    [found] = data["findings"]
    assert data["faults"] == (code == DIFFERS) and found["claims"]["p"] == ["crude.p"] and found["proof"] in text


def test_undecided_has_a_code_of_its_own_and_an_alternative_has_none(monkeypatch):
    counts = {"water": {"events": 5, "people": 20}, "tea": {"events": 0, "people": 20}}
    models = {"crude": LOGISTIC | {"counts": counts}}
    made = study(of_model("crude", lo="0.01", hi="1.80"), models)
    monkeypatch.setattr("asprinted.cli.load", lambda folder: made)
    assert main(["check", "tea"]) == OPEN
    made = study(of_model("crude", lo="0.01", hi="1.80"), {"crude": LOGISTIC, "empty": LOGISTIC | {"counts": counts, "instead_of": "crude"}})
    assert main(["check", "tea"]) == FINE


@pytest.mark.parametrize(
    ("model", "field", "value", "told"),
    [("time_to_readmission", "events", ALL_EVENTS[:2], "model time_to_readmission, readmission: 163 events in the records, 147 events by its field 'events'"),
     ("time_to_readmission_in_the_year", "until", None, "model time_to_readmission_in_the_year, readmission: 163 events in the records, 147 events by its field 'events'"),
     ("readmission", "counts", {"control": {"events": "readmitted.control.events", "people": "randomised.control.n"}}, "model readmission, readmitted, control: 83 events of 216 people in the records, 83 events of 220 people by its field 'counts'")],
)  # fmt: skip
def test_model_whose_fields_misstate_the_records_is_named_by_verify_and_synthesise(monkeypatch, capsys, crisis, model, field, value, told):
    changed = {name: held for name, held in (crisis.models[model] | {field: value}).items() if held is not None}
    made = dataclasses.replace(crisis, models=crisis.models | {model: changed})
    monkeypatch.setattr("asprinted.cli.load", lambda folder: made)
    assert main(["verify", "--engine", "own", "x"]) == DIFFERS
    assert told in capsys.readouterr().out.splitlines()
    with pytest.raises(StudyError) as raised:
        synthesis.synthesise(made)
    assert told in str(raised.value)


def test_claim_that_holds_no_number_is_a_fault_of_the_study_file_even_where_a_model_names_it(load_data, crisis, crisis_data):
    crisis_data["claims"]["readmitted.control.events"]["printed"] = "83 people"
    with pytest.raises(StudyError, match=r"claims › readmitted\.control\.events › printed: '83 people'\. printed number .* cannot be read"):
        load_data(crisis_data)
    words = dataclasses.replace(crisis.claims["readmitted.control.events"], printed="83 people")
    with pytest.raises(StudyError, match="claims › readmitted.control.events › printed: '83 people'"):
        dataclasses.replace(crisis, claims=crisis.claims | {words.id: words}).number(words.id)


def test_command_takes_a_real_study(harp, capsys):
    assert main(["check", str(harp.folder)]) == FINE
    assert "harp-trial: " in capsys.readouterr().out


# Three groups

MILK = {"mean": "−1.10", "sd": "9.8", "observed": "70"}
THREE = COLUMNS["arm"] | {"values": ["tea", "water", "milk"]}


@pytest.mark.parametrize(
    ("milk", "printed", "verdict"),
    [(MILK, {"est": "−5.99", "lo": "−9.25", "hi": "−2.73"}, "possible"), (MILK, {"est": "−6.20"}, "contradictory"), ({"mean": "0.1"}, {"est": "−6.20"}, "contradictory"), (MILK, {"est": "−5.99", "lo": "−9.0", "hi": "−3.0"}, "contradictory"),
     (MILK | {"sd": "3.0"}, {"est": "−5.99", "lo": "−9.25", "hi": "−2.73"}, "contradictory"), (MILK, {"p": ".0004"}, "possible"), (MILK, {"p": ".0030"}, "contradictory")],
)  # fmt: skip
def test_each_pair_of_three_groups_is_held_against_its_means_and_the_spread_of_all(milk, printed, verdict):
    claims = [*of_two_groups(), *of_column("weight", {"arm": "milk"}, **milk), *of_model("m", "weight", **printed)]
    found = [each for each in checks.findings(study(claims, {"m": TWO}, arm=THREE)) if each.about == "m"]
    assert [each.finding.verdict for each in found] == [verdict]


@pytest.mark.parametrize(("est", "verdict"), [("−5.99", "possible"), ("−6.20", "contradictory")])
def test_a_model_of_two_of_three_groups_is_held_against_these_two(est, verdict):
    claims = [*of_two_groups(), *of_column("weight", {"arm": "milk"}, **MILK), *of_model("m", "weight", est=est)]
    found = only(study(claims, {"m": TWO | {"rows": {"arm": ["tea", "water"]}}}, arm=THREE), "m")
    assert found.finding.verdict == verdict and not [name for name in found.finding.printed if name.endswith(" 3")]


def test_an_adjusted_estimate_that_is_not_the_difference_of_the_means_is_told_and_is_no_fault():
    adjusted = TWO | {"formula": "{outcome} ~ C(arm) + gain"}
    for est, told in (("−6.20", 1), ("−5.99", 0)):
        held = study([*of_two_groups(), *of_model("m", "weight", est=est)], {"m": adjusted})
        assert len(checks.caveats(held)) == told and not any(each.fault for each in checks.findings(held))
    [line] = checks.caveats(study([*of_two_groups(), *of_model("m", "weight", est="−6.20")], {"m": adjusted}))
    assert "m.est prints −6.20" in line and "weight.tea.mean, weight.water.mean" in line and "instead_of: m" in line
    assert checks.caveats(study([*of_two_groups(), *of_model("m", "weight", est="−6.20")], {"m": TWO})) == []
