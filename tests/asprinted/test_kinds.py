"""Kinds of designs, outcomes and print: each is written as the table says, and comes back whole from print alone."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

from asprinted import kinds, printed, synthesis
from asprinted.study import StudyError, schema
from tests.asprinted.kinds import KINDS, printed_trial
from tests.asprinted.kinds.report import attempts, line, loaded, unlike_print

SEEDS = (0, 1, 2)


def faults(part: dict, name: str) -> list[str]:
    """What the schema says against a part of a study file."""
    root = schema()
    at = root["properties"].get(name, {"$ref": f"#/$defs/{name}"})
    return [error.message for error in Draft202012Validator({"$defs": root["$defs"], **at}).iter_errors(part)]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_kind_is_written_as_the_schema_wants_it(kind):
    written = yaml.safe_load(kind.written)
    assert written and all(faults(part, name) == [] for name, part in written.items())


def test_schema_refuses_a_part_with_an_unknown_field():
    assert faults({"outcomes": [{"column": "calm", "kind": "score", "colour": "red"}]}, "design") != []


def test_every_kind_of_the_table_is_simulated_and_no_other():
    assert [kind.name for kind in kinds.KINDS] == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_kind_comes_back_whole_from_print_alone(kind, seed, tmp_path):
    assert unlike_print(loaded((kind,), seed, tmp_path)) == []


def test_study_file_of_a_printed_trial_holds_print_and_assumptions_and_no_value_of_its_people():
    data = printed_trial(("score",), seed=1)
    assert {"printed", "declared"} & set.intersection(*(set(claim) for claim in data["claims"].values()))
    assert all(isinstance(claim["printed"], str) and printed.parse(claim["printed"]).decimals <= 3 for claim in data["claims"].values())


def test_printed_trial_is_the_same_for_a_seed_and_another_for_another():
    first, again, other = (printed_trial(("yes-no", "visits"), seed) for seed in (1, 1, 4))
    assert first == again
    assert first["claims"] != other["claims"]


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'scores' is unknown: use some of arms, clusters"):
        printed_trial(("scores",))


@pytest.mark.parametrize("refused", kinds.REFUSED, ids=lambda refused: "+".join(refused.kinds))
def test_refusal_names_both_kinds_and_its_reason(refused, tmp_path):
    with pytest.raises(StudyError) as raised:
        loaded(refused.kinds, 0, tmp_path)
    assert raised.value.remedy == refused.reason
    assert all(kind in str(raised.value) for kind in refused.kinds)


def test_report_tells_how_many_came_back_and_why_one_did_not(monkeypatch):
    def refusing(study):
        raise StudyError(study.file, "design", None, "No.")

    whole = list(attempts(("yes-no",), (0,)))
    monkeypatch.setattr(synthesis, "synthesise", refusing)
    lost = list(attempts(("yes-no",), (1,)))
    assert [each.fault for each in whole + lost] == ["", "design: No."]
    assert "yes-no" in line(whole + lost) and "1 of 2" in line(whole + lost)


def test_table_is_imported_on_its_own(process_environment):
    done = subprocess.run([sys.executable, "-c", "from asprinted.kinds import as_text; print(as_text())"], check=False, env=process_environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and all(f"{kind}: " in done.stdout for kind in KINDS)
