"""What a study file may ask of each family of models, and what a new statistic comes to when it is asked through one."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from asprinted import models, reanalysis
from asprinted.chapter import null_value
from asprinted.cli import main
from asprinted.models import fits
from asprinted.study import StudyError, StudyErrors, families, load, meanings, schema

ARMS = [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "list"}}]
WITH = {"contrasts": {"arm": ARMS}}
FORMULA = "{outcome} ~ C(arm)"
MODELS = {
    "linear": {"family": "linear", "formula": "{outcome} ~ C(arm) + age", "contrasts": {"arm": ARMS, "peers": ARMS[:1]}},
    "welch": {"family": "linear", "formula": FORMULA, "test": "welch"} | WITH,
    "robust": {"family": "linear", "formula": FORMULA, "covariance": "robust", "groups": "practice"} | WITH,
    "difference": {"family": "risk-difference"} | WITH,
    "through_0": {"family": "linear", "formula": "{outcome} ~ 0 + age"},
    "cells": {"family": "linear", "formula": "{outcome} ~ C(arm) - 1"},
    "logistic": {"family": "logistic", "formula": FORMULA} | WITH,
    "poisson": {"family": "poisson", "formula": FORMULA, "exposure": "years"} | WITH,
    "nb": {"family": "negative-binomial", "formula": FORMULA} | WITH,
    "ordinal": {"family": "ordinal", "formula": FORMULA} | WITH,
    "log_rank": {"family": "log-rank", "formula": FORMULA, "time": "days"},
    "ranks": {"family": "rank-sum", "formula": FORMULA},
    "table": {"family": "chi-squared", "formula": FORMULA},
    "fisher": {"family": "chi-squared", "formula": FORMULA, "test": "fisher"},
    "r": {"family": "correlation", "formula": "{outcome} ~ age"},
}
COLUMNS = {
    "id": {"type": "string", "says": "person", "required": True}, "arm": {"type": "string", "says": "arm", "values": ["peers", "list"]},
    "practice": {"type": "integer", "says": "practice"}, "age": {"type": "integer", "says": "age"}, "score": {"type": "number", "says": "score"},
    "calls": {"type": "integer", "says": "calls"}, "years": {"type": "number", "says": "years"}, "better": {"type": "integer", "says": "better", "values": [0, 1, 2]},
    "back": {"type": "integer", "says": "back", "values": [0, 1]}, "days": {"type": "number", "says": "days"}, "where": {"type": "string", "says": "where", "values": ["home", "away"]},
}  # fmt: skip


def asked(model: str, outcome: str, statistic: str, **more) -> dict:
    return {"model": model, "outcome": outcome, "contrast": "arm", "statistic": statistic} | more


def of_test(model: str, outcome: str, statistic: str) -> dict:
    return {"model": model, "outcome": outcome, "statistic": statistic}


def of_table(statistic: str, column: str = "score", **more) -> dict:
    return {"table": "people", "column": column, "statistic": statistic} | more


@pytest.fixture
def study(tmp_path):
    """A function that loads a study whose one claim is computed as `by` says, with some fields of models changed."""

    def written(by: dict, change: dict | None = None):
        entries = {name: {"table": "people", "says": name} | spec | (change or {}).get(name, {}) for name, spec in MODELS.items()}
        text = {
            "schema": 1, "title": "A trial", "sources": [{"id": "paper", "reference": "A paper.", "read": "all of it"}], "design": {}, "assumptions": {}, "models": entries,
            "tables": {"people": {"file": "people.csv", "row": "a person", "key": ["id"], "columns": {name: spec | {"mark": "A"} for name, spec in COLUMNS.items()}}},
            "claims": {"the.one": {"says": "a number", "kind": "number", "printed": "1", "mark": "S", "source": "paper", "where": "abstract", "by": by}},
        }  # fmt: skip
        (tmp_path / "study.yml").write_text(yaml.safe_dump(text, sort_keys=False), "utf-8")
        return load(tmp_path)

    return written


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"id": [f"p{n}" for n in range(60)], "arm": np.repeat(["peers", "list"], 30), "practice": np.arange(60) // 6, "age": rng.integers(20, 70, 60)})
    frame["score"] = rng.normal(10, 3, 60).round(1)
    frame["calls"] = rng.poisson(2 * rng.gamma(1, 1, 60))
    frame["years"] = rng.uniform(0.5, 2, 60).round(2)
    frame["better"], frame["back"], frame["where"] = rng.integers(0, 3, 60), rng.integers(0, 2, 60), rng.choice(["home", "away"], 60)
    frame["days"] = np.ceil(rng.exponential(50, 60))
    frame.loc[[3, 41], "score"] = np.nan
    return frame


# What may be asked


@pytest.mark.parametrize(("by", "where", "value", "remedy"), [
    (asked("logistic", "back", "nnt"), "by › statistic", "nnt", "The family 'logistic' does not give it: ask a model of risk-difference."),
    (asked("ordinal", "better", "d"), "by › statistic", "d", "The family 'ordinal' does not give it: ask a model of linear."),
    (asked("difference", "back", "reduction"), "by › statistic", "reduction", "gives a difference, not a ratio: ask a model of risk-ratio, gee-logistic, logistic, cox, poisson"),
    (of_test("ranks", "score", "est"), "by › statistic", "est", "The family 'rank-sum' does not give it: ask a model of mixed, linear"),
    (of_test("r", "score", "chi2"), "by › statistic", "chi2", "The family 'correlation' does not give it: ask a model of mixed"),
    (of_test("fisher", "back", "chi2"), "by › statistic", "chi2", "Fisher's test is exact and has no such statistic: ask for p."),
    (asked("linear", "score", "mean"), "by › statistic", "mean", "A model does not give it."),
    (asked("table", "where", "p"), "by › contrast", "arm", "The family 'chi-squared' is a test without contrasts: take it out."),
    (of_test("linear", "score", "est"), "by", None, "The field 'contrast' is missing: add it."),
    (asked("linear", "score", "est", contrast=["arm", "peers"]), "by › contrast", ["arm", "peers"], "'est' is of one contrast: name it. Of several together are f, chi2, joint_p."),
    (asked("linear", "score", "f", contrast=["arm", "peer"]), "by › contrast", "peer", "Did you mean 'peers'?"),
    (of_test("through_0", "score", "r2"), "by › statistic", "r2", "The model has no intercept"),
    (of_test("cells", "score", "r2"), "by › statistic", "r2", "The model has no intercept"),
    (of_table("t"), "by › statistic", "t", "A table does not give it."),
    (of_table("chi2"), "by › statistic", "chi2", "A table does not give it."),
    (of_table("percent", "better"), "by › statistic", "percent", "'better' holds other numbers. Ask for its mean; for percent_at_least"),
    (of_table("t"), "by › statistic", "t", "Of a model it is t or z, whichever the test takes"),
    (of_test("ranks", "score", "est"), "by › statistic", "est", "The family 'rank-sum' gives p and chi2."),
    (asked("linear", "score", "mean"), "by › statistic", "mean", "Of a table it is the mean."),
    (of_table("iqr", "where"), "by › column", "where", "It holds text, of which 'iqr' cannot be taken."),
    (of_table("hi", "where"), "by › column", "where", "It holds text, of which 'hi' cannot be taken."),
    (of_table("rate", "calls"), "by", None, "The field 'exposure' is missing: add it."),
    (of_table("rate", "calls", exposure="year"), "by › exposure", "year", "Did you mean 'years'?"),
    (of_table("rate", "calls", exposure="where"), "by › exposure", "where", "It holds text: name a column of time at risk."),
    (of_table("survival", "days", event="back"), "by", None, "The field 'at' is missing: add it."),
    (of_table("survival", "days", event="where", at=30), "by › event", "where", "It holds text: name a column of 1 and 0."),
])  # fmt: skip
def test_statistic_that_is_not_there_is_refused_with_a_remedy(study, by, where, value, remedy):
    with pytest.raises(StudyError) as caught:
        study(by)
    assert (caught.value.field, caught.value.value) == (f"claims › the.one › {where}", value)
    assert remedy in caught.value.remedy


GOOD = asked("linear", "score", "est")


@pytest.mark.parametrize(("name", "change", "where", "remedy"), [
    ("linear", {"covariance": "robust", "groups": "practise"}, "groups", "Did you mean 'practice'?"),
    ("ordinal", {"covariance": "robust"}, "covariance", "The family 'ordinal' does not take it, only logistic, cox, linear and poisson: take it out."),
    ("linear", {"exposure": "years"}, "exposure", "only poisson and negative-binomial: take it out."),
    ("poisson", {"exposure": "year"}, "exposure", "Did you mean 'years'?"),
    ("poisson", {"exposure": "where"}, "exposure", "It holds text: name a column of numbers."),
    ("log_rank", {"time": "where"}, "time", "It holds text: name a column of numbers."),
    ("log_rank", {"test": "wald-z"}, "test", "The family 'log-rank' has no such test here: take it out."),
    ("ranks", {"test": "fisher"}, "test", "The family 'rank-sum' has no such test here: give mann-whitney or kruskal-wallis."),
    ("table", {"estimator": "ML"}, "estimator", "The family 'chi-squared' takes none: take it out."),
    ("table", {"contrasts": {"arm": ARMS}}, "contrasts", "only mixed, linear, risk-ratio"),
    ("table", {"formula": "{outcome} ~ C(arm) + age"}, "formula", "The test takes one column right of '~'"),
    ("ranks", {"formula": "{outcome} ~ C(amr)"}, "formula", "Did you mean 'arm'?"),
    ("r", {"formula": "{outcome} ~ C(age)"}, "formula", "A correlation is of two columns of numbers"),
    ("r", {"formula": "{outcome} ~ where"}, "formula", "A correlation is of two columns of numbers"),
    ("welch", {"formula": "{outcome} ~ C(arm) + age"}, "formula", "The test takes one column right of '~'"),
    ("welch", {"covariance": "robust"}, "covariance", "Welch's test has a covariance of its own: take it out."),
    ("welch", {"contrasts": {"arm": ARMS[:1]}}, "contrasts › arm", "give weights that add up to 0."),
    ("nb", {"missing": "as-zero"}, "missing", "only risk-ratio and risk-difference: take it out."),
])  # fmt: skip
def test_field_that_a_family_does_not_take_is_refused_with_a_remedy(study, name, change, where, remedy):
    with pytest.raises(StudyError) as caught:
        study(GOOD, {name: change})
    assert caught.value.field == f"models › {name} › {where}" and remedy in caught.value.remedy


def test_every_family_of_the_schema_is_known_to_validation_and_to_the_models():
    in_schema = set(schema()["$defs"]["model"]["properties"]["family"]["enum"])
    assert in_schema == set(families.ESTIMATORS) == set(fits.FAMILIES) | set(fits.TESTS) | {"random-effects"}
    assert set(families.OF_TESTS) == set(fits.TESTS)
    assert set(families.RATIO_FAMILIES) == set(fits.RATIOS)
    assert {family for family in fits.ROBUST if family != "gee-logistic"} == set(families._ONLY["covariance"])


def test_every_test_of_the_schema_is_one_of_a_family():
    assert set(schema()["$defs"]["model"]["properties"]["test"]["enum"]) == {test for tests in families._TESTS.values() for test in tests}


def test_every_statistic_is_said_what_it_is_of_all_that_gives_it():
    assert meanings.OF_TABLE.keys() == reanalysis._STATISTICS.keys() and meanings.OF_MODEL.keys() == families.GIVEN_BY.keys()
    assert {name for names in meanings.GROUPS.values() for name in names} == set(schema()["$defs"]["by"]["properties"]["statistic"]["enum"])
    assert all(len(set(names.values())) == len(names) and all(said == said.strip() and len(said) > 7 and said[-1] != "." for said in names.values()) for names in meanings.GROUPS.values())


@pytest.mark.parametrize(("by", "first", "wanted", "others"), [
    (of_table("average"), "count (how many rows there are", meanings.OF_TABLE, meanings.OF_MODEL), (asked("linear", "score", "average"), "est (the estimate", meanings.OF_MODEL, meanings.OF_TABLE),
])  # fmt: skip
def test_an_unknown_statistic_is_answered_by_those_that_are_given_each_once_with_what_it_is(study, by, first, wanted, others):
    with pytest.raises(StudyError) as caught:
        study(by)
    given = [name for name in wanted if wanted is meanings.OF_TABLE or "linear" in families.GIVEN_BY[name]]
    assert caught.value.remedy.startswith(f"Use one of: {first}") and "Known:" not in caught.value.remedy
    assert [line.split()[0] for line in caught.value.remedy.removeprefix("Use one of: ").split(",\n")] == given
    assert all(f"{name} ({wanted[name]})" in caught.value.remedy for name in given) and not any(f" {name} (" in caught.value.remedy for name in others.keys() - wanted.keys())


def test_a_slip_in_a_statistic_is_answered_by_the_nearest(study):
    with pytest.raises(StudyError, match=r"Did you mean 'median'\?$"):
        study(of_table("medain"))


def test_a_list_of_statistics_is_told_once_where_several_are_unknown(study, tmp_path):
    with pytest.raises(StudyError):
        study(of_table("average"))
    file = tmp_path / "study.yml"
    text = yaml.safe_load(file.read_text("utf-8"))
    text["claims"]["the.other"] = text["claims"]["the.one"]
    file.write_text(yaml.safe_dump(text, sort_keys=False), "utf-8")
    with pytest.raises(StudyErrors) as caught:
        load(tmp_path)
    assert str(caught.value).count("how many rows there are") == 1 and str(caught.value).endswith("Use one of those listed above.")


def test_a_list_of_words_is_told_once(study):
    with pytest.raises(StudyError, match="Use one of: ") as caught:
        study(of_table("mean"), {"linear": {"family": "xyz"}})
    assert caught.value.remedy.count("mixed") == 1


def test_the_command_says_what_each_statistic_is_and_what_gives_it(capsys):
    assert main(["kinds", "--statistics"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name:<16}  {said}" in listed for names in meanings.GROUPS.values() for name, said in names.items())
    assert f"{meanings.OF_MODEL['nnt']} (risk-difference)" in listed and f"{meanings.OF_MODEL['t']} (every family with contrasts)" in listed
    assert main(["kinds", "--statistics", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pool of trials"] == meanings.OF_POOL


# What it comes to


def value(study, people: pd.DataFrame, by: dict) -> float:
    return float(reanalysis.Reanalysis(study(by), {"people": people}).value(by))


def test_statistics_of_a_mean_and_quartiles_are_those_of_pandas_and_scipy(study, people):
    scores = people["score"].dropna()
    low, high = stats.t.interval(0.95, len(scores) - 1, scores.mean(), stats.sem(scores))
    wanted = {"se": stats.sem(scores), "lo": low, "hi": high, "q1": scores.quantile(0.25), "q3": scores.quantile(0.75), "iqr": stats.iqr(scores)}
    assert {name: value(study, people, of_table(name)) for name in wanted} == pytest.approx(wanted, rel=1e-12)


def test_rate_is_of_the_rows_with_both_numbers(study, people):
    gaps = people.assign(calls=people["calls"].astype(float).where(people["id"] != "p0"), years=people["years"].where(people["id"] != "p1"))
    peers = gaps[(gaps["arm"] == "peers")].dropna(subset=["calls", "years"])
    assert len(peers) == 28
    by = of_table("rate", "calls", exposure="years", per=100, filter={"arm": "peers"})
    assert value(study, gaps, by) == pytest.approx(100 * peers["calls"].sum() / peers["years"].sum(), rel=1e-12)


def test_survival_is_in_per_cent(study, people):
    found = value(study, people, of_table("survival", "days", event="back", at=40))
    assert found == pytest.approx(100 * models.survival_at(people["days"], people["back"], 40)) and 1 < found < 99


def test_survival_that_nobody_was_followed_to_is_refused(study, people):
    lost = people.assign(back=0)
    with pytest.raises(StudyError, match="The records leave too few rows"):
        value(study, lost, of_table("survival", "days", event="back", at=10_000))


@pytest.mark.parametrize(("by", "wanted"), [
    (of_test("ranks", "score", "p"), lambda a, b: stats.mannwhitneyu(a["score"].dropna(), b["score"].dropna(), method="asymptotic").pvalue),
    (of_test("ranks", "score", "chi2"), lambda a, b: stats.kruskal(a["score"].dropna(), b["score"].dropna()).statistic),
    (of_test("table", "where", "p"), lambda a, b: stats.chi2_contingency([part["where"].value_counts().sort_index() for part in (a, b)], correction=False).pvalue),
    (asked("welch", "score", "t"), lambda a, b: stats.ttest_ind(a["score"], b["score"], equal_var=False, nan_policy="omit").statistic),
    (asked("difference", "back", "est"), lambda a, b: 100 * (a["back"].mean() - b["back"].mean())),
    (asked("difference", "back", "nnt"), lambda a, b: 1 / abs(a["back"].mean() - b["back"].mean())),
    (asked("poisson", "calls", "est"), lambda a, b: a["calls"].sum() / a["years"].sum() / (b["calls"].sum() / b["years"].sum())),
    (asked("nb", "calls", "reduction"), lambda a, b: 100 * (1 - a["calls"].mean() / b["calls"].mean())),
], ids=lambda given: "-".join(map(str, given.values())) if isinstance(given, dict) else "")  # fmt: skip
def test_statistic_of_a_model_is_that_of_the_two_arms(study, people, by, wanted):
    parts = [people[people["arm"] == arm] for arm in ("peers", "list")]
    assert value(study, people, by) == pytest.approx(float(wanted(*parts)), rel=1e-8)


def test_correlation_and_joint_test_are_those_of_the_model(study, people):
    both = people.dropna(subset=["score"])
    assert value(study, people, of_test("r", "score", "hi")) == pytest.approx(stats.pearsonr(both["score"], both["age"]).confidence_interval().high, rel=1e-9)
    one = value(study, people, asked("linear", "score", "p"))
    assert value(study, people, asked("linear", "score", "joint_p", contrast=["arm"])) == pytest.approx(one, rel=1e-9)


def test_number_needed_to_treat_without_an_end_is_refused(study, people):
    even = people.assign(back=np.arange(60) % 2)
    with pytest.raises(StudyError, match="too little difference between them"):
        value(study, even, asked("difference", "back", "nnt_hi"))


def test_joint_test_that_cannot_be_taken_names_its_contrasts(study, people):
    with pytest.raises(StudyError, match="models › linear › contrasts › arm, peers") as caught:
        value(study, people.assign(score=0.0), asked("linear", "score", "f", contrast=["arm", "peers"]))
    assert "leave out a contrast" in caught.value.remedy


@pytest.mark.parametrize(("by", "null"), [(asked("poisson", "calls", "lo"), 1), (asked("nb", "calls", "lo"), 1), (asked("ordinal", "better", "lo"), 1),
                                          (asked("difference", "back", "lo"), 0), (of_test("r", "score", "lo"), 0)], ids=str)  # fmt: skip
def test_no_effect_is_one_for_a_ratio_and_zero_for_a_difference(study, by, null):
    assert null_value(study(by), "the.one") == null


def test_r2_is_of_a_model_with_an_intercept_wherever_a_0_or_1_stands_in_it(study, people):
    for formula in ("{outcome} ~ age", "{outcome} ~ I(age - 1)", "{outcome} ~ 1 + C(arm, Treatment(0))", "{outcome} ~ I((age + 0) ** 2) + C(arm)"):
        study(of_test("linear", "score", "r2"), {"linear": {"formula": formula}})
        assert 0 <= models.fit({"family": "linear", "formula": formula}, people, "score").r2 <= 1
    for formula in ("{outcome} ~ 0 + age", "{outcome} ~ age - 1", "{outcome} ~ age + 0"):
        with pytest.raises(ValueError, match="no intercept"):
            models.fit({"family": "linear", "formula": formula}, people, "score").r2
