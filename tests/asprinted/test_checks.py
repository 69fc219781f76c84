"""A study file says by itself which of its printed numbers can be held against each other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from asprinted import checks
from asprinted.checks import Checked
from asprinted.cli import DIFFERS, FINE, OPEN, main
from asprinted.study import Assumption, Claim, Study

COLUMNS = {
    "relapsed": {"type": "integer", "values": [0, 1]},
    "gain": {"type": "integer", "minimum": 1, "maximum": 5},
    "quality": {"type": "number", "minimum": 1, "maximum": 5, "items": 4},
    "weight": {"type": "number", "minimum": 1, "maximum": 5},
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


def study(claims: list[Claim], models: dict[str, Any] | None = None, assumptions: dict[str, str] | None = None) -> Study:
    table = {"people": {"file": "people.csv", "row": "A person", "key": ["id"], "columns": COLUMNS}}
    assumed = {id: Assumption(id, id, "", value=value) for id, value in (assumptions or {}).items()}
    return Study(Path("tea"), "Tea", {}, table, {}, models or {}, {each.id: each for each in claims}, assumed)


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


# Columns


def test_percentages_are_held_against_counts_of_the_same_people():
    claims = [*COUNT_CLAIMS, *of_column("relapsed", {"arm": "tea"}, percent="29%"), *of_column("relapsed", {"arm": "water"}, percent="37%", observed="216")]
    found = checks.findings(study(claims))
    assert [(each.finding.verdict, each.fault) for each in found] == [("possible", False), ("contradictory", True)]
    assert found[1].claims == {"percent": ("relapsed.water.percent",), "count": ("relapsed.water.events",), "n": ("relapsed.water.observed",)}


@pytest.mark.parametrize(
    ("column", "printed", "verdict"),
    [("gain", {"mean": "2.20", "sd": "1.30", "observed": "20"}, "contradictory"), ("gain", {"mean": "2.20", "sd": "1.28", "observed": "20"}, "possible"), ("gain", {"mean": "3.43", "observed": "20"}, "contradictory"),
     ("quality", {"mean": "3.43", "observed": "20"}, "possible"), ("weight", {"mean": "3.43", "observed": "20"}, None), ("gain", {"mean": "3.43"}, None), ("gain", {"percent": "10%", "observed": "20"}, None)],
)  # fmt: skip
def test_mean_and_sd_of_whole_numbers_are_checked_where_the_column_holds_them(column, printed, verdict):
    assert [each.finding.verdict for each in checks.findings(study(of_column(column, **printed)))] == ([verdict] if verdict else [])


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
        assert "smallest conflict: crude.hi, crude.p" in text and "healed by: p .06 → .05" in text
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


def test_command_takes_a_real_study(harp, capsys):
    assert main(["check", str(harp.folder)]) == FINE
    assert "harp-trial: " in capsys.readouterr().out
