"""What a study file lets print be asked of tests without contrasts, and of parts beside their whole."""

from __future__ import annotations

import pytest

from asprinted import checks
from asprinted.checks import Checked
from asprinted.study import Claim, Study
from tests.asprinted.test_checks import CONTRAST, LOGISTIC, claim, of_column, study

KIND = {"type": "string", "required": True, "values": ["walk", "swim", "rest"]}
CHI2 = {"family": "chi-squared", "table": "people", "formula": "{outcome} ~ arm"}


def of_test(outcome: str = "relapsed", contrast: str | list[str] | None = None, **printed: str) -> list[Claim]:
    by = {"model": "m", "outcome": outcome} | ({"contrast": contrast} if contrast else {})
    return [claim(f"m.{name}", text, by | {"statistic": name}) for name, text in printed.items()]


def found_of(made: Study, about: str = "m") -> list[Checked]:
    return [each for each in checks.findings(made) if each.about == about]


def of_arms(tea: str, water: str, n: str = "40") -> list[Claim]:
    return [each for arm, events in (("tea", tea), ("water", water)) for each in of_column("relapsed", {"arm": arm}, sum=events, observed=n)]


@pytest.mark.parametrize(("p", "verdict"), [(".011", "possible"), (".029", "contradictory")])
def test_chi_squared_has_the_degrees_of_freedom_of_its_table(p, verdict):
    [found] = found_of(study(of_test("kind", chi2="9.0", p=p), {"m": CHI2}, kind=KIND))
    assert found.finding.verdict == verdict and found.finding.printed["df"] == "2" and "3 by 2" in found.finding.question
    [found] = found_of(study(of_test("kind", chi2="9.0", p=".0027"), {"m": CHI2 | {"rows": {"kind": ["walk", "swim"]}}}, kind=KIND))
    assert found.finding.verdict == "possible"


@pytest.mark.parametrize(
    ("model", "df"),
    [({"family": "log-rank", "time": "days"}, "1"), ({"family": "rank-sum"}, None), ({"family": "rank-sum", "test": "kruskal-wallis"}, "1"), ({"family": "chi-squared", "test": "fisher"}, None), ({"formula": "{outcome} ~ unheard_of"}, None), ({"formula": "{outcome} ~ arm + kind"}, None)],
)  # fmt: skip
def test_degrees_of_freedom_are_those_of_the_groups_where_p_is_that_of_chi_squared(model, df):
    found = found_of(study(of_test("relapsed", chi2="3.84", p=".05"), {"m": CHI2 | model}))
    assert [each.finding.printed["df"] for each in found] == ([df] if df else [])


@pytest.mark.parametrize(("family", "asked"), [("logistic", True), ("cox", True), ("linear", False)])
def test_joint_test_has_a_degree_of_freedom_a_contrast(family, asked):
    model = LOGISTIC | {"family": family}
    for p, verdict in ((".015", "possible"), (".15", "contradictory")):
        found = found_of(study(of_test("relapsed", ["tea", "milk"], chi2="8.4", joint_p=p), {"m": model}))
        assert [each.finding.verdict for each in found] == ([verdict] if asked else [])
    one = found_of(study(of_test("relapsed", "tea", f="3.84", p=".05"), {"m": model}))
    assert [(each.finding.printed["df"], each.finding.verdict) for each in one if "df" in each.finding.printed] == ([("1", "possible")] if asked else [])


@pytest.mark.parametrize(
    ("test", "chi2", "p", "verdict"),
    [(None, "5.33", ".021", "possible"), (None, "4.32", ".038", "possible"), (None, "5.33", ".038", "contradictory"), ("pearson", "4.32", ".038", "contradictory"), ("yates", "4.32", ".038", "possible"), ("yates", "5.33", ".021", "contradictory")],
)  # fmt: skip
def test_two_by_two_table_prints_pearsons_test_or_yates(test, chi2, p, verdict):
    model = CHI2 | ({"test": test} if test else {})
    [found] = found_of(study([*of_arms("10", "20"), *of_test(chi2=chi2, p=p)], {"m": model}))
    assert found.finding.verdict == verdict
    assert found.claims["events 1"] == ("relapsed.tea.sum",) and found.claims["total 2"] == ("relapsed.water.observed",)
    if test is None and p == ".038" and verdict == "possible":
        assert "by the test of Yates and not of Pearson" in found.finding.proof


def test_fishers_test_is_held_against_the_counts_by_its_p_alone():
    for p, verdict in ((".037", "possible"), (".021", "contradictory")):
        [found] = found_of(study([*of_arms("10", "20"), *of_test(p=p)], {"m": CHI2 | {"test": "fisher"}}))
        assert found.finding.verdict == verdict


PEOPLE = [claim("people.n", "41", {"table": "people", "statistic": "count"})]
TOGETHER = {"family": "correlation", "table": "people", "formula": "{outcome} ~ age"}
AGE = {"type": "integer", "required": True, "minimum": 18, "maximum": 90}
CALM = {"type": "integer", "required": True, "minimum": 0, "maximum": 40}


@pytest.mark.parametrize(
    ("printed", "calm", "verdict"),
    [({"est": "0.377", "p": "0.015"}, CALM, "possible"), ({"est": "0.377", "p": "0.15"}, CALM, "contradictory"), ({"est": "0.377", "p": "0.15"}, CALM | {"required": False}, None), ({"est": "0.377"}, CALM, None),
     ({"est": ".30", "lo": ".09", "hi": ".70"}, CALM | {"required": False}, "contradictory"), ({"est": ".30", "lo": "−.01", "hi": ".56"}, CALM, "possible")],
)  # fmt: skip
def test_correlation_is_held_against_its_pairs_interval_and_p(printed, calm, verdict):
    found = found_of(study([*PEOPLE, *of_test("calm", **printed)], {"m": TOGETHER}, age=AGE, calm=calm))
    assert [each.finding.verdict for each in found] == ([verdict] if verdict else [])
    if calm is CALM and found:
        assert found[0].claims["n"] == ("people.n",)


def test_p_and_limits_of_spearmans_correlation_are_not_held_against_pearsons():
    for printed in ({"est": "0.377", "p": "0.15"}, {"est": ".30", "lo": ".09", "hi": ".70"}):
        made = {test: found_of(study([*PEOPLE, *of_test("calm", **printed)], {"m": TOGETHER | {"test": test}}, age=AGE, calm=CALM)) for test in ("pearson", "spearman")}
        assert [each.finding.verdict for each in made["pearson"]] == ["contradictory"] and made["spearman"] == []


def of_kinds(total: str | None, statistic: str = "count", **counts: str) -> list[Claim]:
    own = [claim(f"kind.{value}", text, {"table": "people", "statistic": statistic, "filter": {"kind": value}}) for value, text in counts.items()]
    return own + ([claim("all.n", total, {"table": "people", "statistic": statistic})] if total else [])


@pytest.mark.parametrize(
    ("total", "counts", "kind", "verdict"),
    [("51", ("12", "31", "8"), KIND, "possible"), ("52", ("12", "31", "8"), KIND, "contradictory"), ("52", ("12", "31"), KIND, None), (None, ("12", "31", "8"), KIND, None), ("52", ("12", "31", "8"), KIND | {"required": False}, None)],
)  # fmt: skip
def test_counts_of_all_categories_add_up_to_the_total(total, counts, kind, verdict):
    found = checks.findings(study(of_kinds(total, **dict(zip(KIND["values"], counts))), kind=kind))
    assert [each.finding.verdict for each in found] == ([verdict] if verdict else [])
    if verdict == "contradictory":
        assert found[0].fault and found[0].ids(found[0].finding.conflict) == ["kind.walk", "kind.swim", "kind.rest", "all.n"] and found[0].about == "people.kind by kind"


def test_counts_of_a_column_that_may_be_empty_add_up_to_those_with_a_value():
    seen = claim("kind.observed", "51", {"table": "people", "column": "kind", "statistic": "observed"})
    found = checks.findings(study([*of_kinds("60", walk="12", swim="31", rest="8"), seen], kind=KIND | {"required": False}))
    assert [(each.finding.verdict, each.claims["total"]) for each in found] == [("possible", ("kind.observed",))]


def test_events_of_both_arms_add_up():
    claims = [*of_arms("10", "20"), *of_column("relapsed", None, sum="31", observed="80")]
    verdicts = {each.about: each.finding.verdict for each in checks.findings(study(claims)) if " by arm" in each.about}
    found = [each for each in checks.findings(study(claims)) if " by arm" in each.about]
    assert verdicts and [each.finding.verdict for each in found] == ["contradictory", "possible"]


@pytest.mark.parametrize(("rest", "verdict"), [("40%", "possible"), ("46%", "contradictory")])
def test_percentages_of_all_categories_add_up_to_a_hundred(rest, verdict):
    claims = [claim(f"kind.{value}", text, {"table": "people", "column": "kind", "statistic": "percent_equal", "equals": value}) for value, text in zip(KIND["values"], ("20%", "40%", rest))]
    assert [each.finding.verdict for each in checks.findings(study(claims, kind=KIND))] == [verdict]


def test_a_contrast_says_nothing_of_a_test_without_one():
    assert found_of(study(of_test("relapsed", chi2="3.84"), {"m": CHI2 | {"contrasts": CONTRAST}})) == []
