"""R² and the interval of Cohen's d: records are made that print them, and every engine gives them again."""

from __future__ import annotations

import json

import pytest

from asprinted import engines, records, synthesis
from asprinted.reanalysis import Reanalysis, verdicts
from asprinted.study import StudyError, load
from tests.asprinted.test_cli_contradictions import study as of_two_arms

PRINTED = {"d": "0.45", "d_lo": "0.09", "d_hi": "0.81"}


def printed_again(test: str) -> dict:
    data = of_two_arms()
    model = data["models"]["welch"] | {"test": test}
    data["claims"] = {id: claim for id, claim in data["claims"].items() if "test" not in id}
    data["claims"]["calm.course.mean"]["printed"] = "42.5"
    own = {"kind": "number", "mark": "P", "source": "paper", "where": "abstract"}
    for name, text in PRINTED.items():
        data["claims"][f"calm.{name}"] = own | {"says": name, "printed": text, "by": {"model": "main", "outcome": "calm", "contrast": "course", "statistic": name}}
    data["models"] = {"main": model}
    if test != "welch":
        data["claims"]["calm.r2"] = own | {"says": "R²", "printed": ".049", "by": {"model": "main", "outcome": "calm", "statistic": "r2"}}
    return data


@pytest.mark.parametrize("test", ["t", "welch"])
def test_records_print_them_and_every_engine_agrees(write_study, test):
    loaded = load(write_study(printed_again(test)))
    tables = synthesis.synthesise(loaded)
    records.write(loaded, tables)
    tables = records.read(loaded)
    assert {each.id for each in verdicts(loaded, tables) if each.verdict != "reproduced"} == set()
    analysis = Reanalysis(loaded, tables)
    asked = [id for id in loaded.claims if id in ("calm.r2", "calm.d", "calm.d_lo", "calm.d_hi")]
    for engine in engines.available() if test == "t" else ():
        answers = engines.recompute(loaded, tables, engine, asked)
        for id in asked:
            assert answers[id].value == pytest.approx(float(analysis.value(loaded.claims[id].by)), rel=1e-9), (engine, id)


@pytest.mark.parametrize(
    ("change", "by", "message"),
    [({}, {"contrast": "course"}, "'r2' is of the whole model: take it out"), ({"test": "welch"}, {}, "Welch's test has a variance for each group"), ({"family": "logistic", "test": "wald-z"}, {}, "ask a model of linear")],
)  # fmt: skip
def test_share_explained_is_of_a_whole_linear_model(write_study, change, by, message):
    data = printed_again("t")
    data["models"]["main"] |= change
    data["claims"] = {id: claim for id, claim in data["claims"].items() if not id.startswith("calm.d")}
    data["claims"]["calm.r2"]["by"] |= by
    with pytest.raises(StudyError) as refused:
        load(write_study(json.dumps(data)))
    assert message in str(refused.value)
