"""Other engines recompute what this library computes, share none of its fits, and say where they have no counterpart."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import pytest
from scipy import special

from asprinted import cli, engines, printed, reanalysis, records, verification
from asprinted.engines import python
from asprinted.study import load
from tests.asprinted.kinds import DESIGNS, KINDS, REVIEWS, simulated_trial

PACKAGE = Path(engines.__file__).parent
STATSMODELS = "statsmodels"
SETS = [(kind,) for kind in KINDS if kind not in DESIGNS] + [(design, kind) for design in DESIGNS for kind in ("score", "yes-no")]
LOOSE = {"negative-binomial": 1e-4, "ordinal": 1e-3, "mixed": 2e-3}  # where an engine takes another matrix of errors, or stops its search earlier


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A function that gives the study and the simulated tables of some kinds."""

    def made(kinds):
        paper = simulated_trial(kinds, seed=5, size=45)
        folder = tmp_path_factory.mktemp("-".join(kinds))
        (folder / "study.yml").write_text(json.dumps(paper.printed()), "utf-8")
        return load(folder), paper.frames

    return made


def test_no_engine_imports_a_model_of_the_library():
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("asprinted.models"):
                assert file.name == "__init__.py" and {alias.name for alias in node.names} <= {"asked_rows", "used_rows"}, file.name


@pytest.mark.parametrize("engine", engines.available())
@pytest.mark.parametrize("kinds", SETS, ids="+".join)
def test_every_engine_prints_what_the_library_prints(trial, kinds, engine):
    study, tables = trial(kinds)
    rows = verification.recomputed(study, tables, [engine])
    own = {row.id: row for row in rows if row.engine == verification.OWN}
    theirs = {row.id: row for row in rows if row.engine == engine}
    assert theirs.keys() == {id for id in own if study.claims[id].by["statistic"] != "values"}
    answered = [id for id, row in theirs.items() if row.verdict != "no value"]
    assert len(answered) >= (0.1 if engine == STATSMODELS and kinds[0] in REVIEWS else 0.7) * len(theirs)  # it has no pool by REML
    analysis, answers = reanalysis.Reanalysis(study, tables), engines.recompute(study, tables, engine)
    for id in answered:
        by = study.claims[id].by
        family = study.models[by["model"]]["family"] if "model" in by else ""
        value, other = float(analysis.value(by)), answers[id].value
        if by["statistic"] in ("p", "joint_p") and value:
            value, other = (float(special.ndtri(p / 2)) for p in (value, other))
        assert other == pytest.approx(value, rel=LOOSE.get(family, 1e-5), abs=1e-8), (id, by["statistic"], family)


@pytest.mark.parametrize("engine", engines.available())
def test_an_engine_notices_a_fit_that_is_wrong(trial, engine, monkeypatch):
    study, tables = trial(("score",))
    by = next(claim.by for claim in study.claims.values() if claim.by.get("statistic") == "est")
    real = reanalysis.Reanalysis.value
    monkeypatch.setattr(reanalysis.Reanalysis, "value", lambda self, each: real(self, each) * (1.01 if each is by else 1))
    value = reanalysis.Reanalysis(study, tables).value(by)
    id = next(id for id, claim in study.claims.items() if claim.by is by)
    assert engines.recompute(study, tables, engine, [id])[id].value == pytest.approx(value / 1.01, rel=1e-6)


def test_what_an_engine_lacks_is_said_and_is_no_fault(trial):
    study, tables = trial(("score",))
    id, claim = next((id, claim) for id, claim in study.claims.items() if claim.by.get("column"))
    odd = dataclasses.replace(claim, by=claim.by | {"statistic": "skewness"}, kind="direction", declared=">-99", printed=None)
    asked = dataclasses.replace(study, claims={id: odd})
    [_, row] = verification.recomputed(asked, tables, [STATSMODELS])
    assert row.verdict == "no value" and row.as_expected and "skewness" in row.reason
    assert "skewness" in "\n".join(verification.as_table([row]))


def test_slack_is_one_in_the_middle_none_where_open_and_below_zero_outside(harp):
    claim = harp.claims["pcs.change.p"]
    interval = printed.rounding_interval(claim.printed)
    lo, hi = float(interval.lo), float(interval.hi)
    assert verification.slack(claim, (lo + hi) / 2) == pytest.approx(1)
    assert verification.slack(claim, lo) == pytest.approx(0) and verification.slack(claim, hi + (hi - lo)) == pytest.approx(-2)
    assert verification.slack(harp.claims["pcs.change.direction"], 2.0) is None


def test_what_slack_is_stands_below_the_table_and_what_is_calculated_is_not_told_as_printed(trial):
    study, tables = trial(("score",))
    id, claim = next((id, claim) for id, claim in study.claims.items() if claim.by["statistic"] == "mean")
    both = dataclasses.replace(study, claims={id: claim, "seen.calculated.n": dataclasses.replace(claim, id="seen.calculated.n", marks=("C",))})
    lines = verification.as_table(verification.recomputed(both, tables))
    assert lines[1].split()[1] == claim.printed and lines[2].split()[1:3] == [claim.printed, "(C)"]
    assert lines[3:] == [verification.SLACK, verification.CALCULATED] and verification.SLACK.startswith("slack: how far inside")
    assert verification.as_table(verification.recomputed(study, tables))[-1] == verification.SLACK
    assert not dataclasses.replace(claim, marks=("P", "C")).calculated


def test_verify_prints_every_engine_and_counts_what_each_gave(crisis, capsys):
    assert cli.main(["verify", "--engine", STATSMODELS, str(crisis.folder)]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["claim", "printed", "computed", "slack", "engines"]
    shown = next(line for line in lines if line.startswith("readmitted.or.est"))
    assert shown.endswith("asprinted, statsmodels")
    numbers = sum(claim.kind != "context" and claim.by["statistic"] != "values" for claim in crisis.claims.values())
    assert lines[-1].endswith(f"statsmodels gave {numbers} of them again")


def test_verify_fails_where_another_engine_does_not_print_the_number(harp, capsys, monkeypatch):
    real = python.describe
    monkeypatch.setattr(python, "describe", lambda frame, by: real(frame, by) + (1 if by["statistic"] == "count" else 0))
    assert cli.main(["verify", "--engine", STATSMODELS, "--json", str(harp.folder)]) == cli.DIFFERS
    told = json.loads(capsys.readouterr().out)
    assert any("randomised.all.n: statsmodels computes 401, printed 400" in fault for fault in told["faults"])


def test_an_engine_that_is_not_there_is_refused_by_name(harp, capsys):
    assert cli.main(["verify", "--engine", "sas", str(harp.folder)]) == cli.BAD_INPUT
    assert "'sas'. There is no such engine here. Give one of: statsmodels" in capsys.readouterr().err


def test_pools_are_recomputed_from_their_effects(tmp_path):
    study = load(Path(__file__).parents[2] / "data" / "lloyd-evans-2014")
    tables = records.read(study)
    answers = engines.recompute(study, tables, STATSMODELS)
    analysis = reanalysis.Reanalysis(study, tables)
    given = {id: answer.value for id, answer in answers.items() if answer.value is not None}
    assert len(given) > 60
    for id, value in given.items():
        assert value == pytest.approx(float(analysis.value(study.claims[id].by)), rel=1e-6, abs=1e-9), id
