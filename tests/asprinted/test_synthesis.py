"""Records are made from a study file alone: the same bytes each time, every claim printed, or a conflict named."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asprinted import models, reanalysis, records, synthesis
from asprinted.study import Study, StudyError, load
from asprinted.synthesis import design, events, scores
from asprinted.synthesis.events import free

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(file.parent for file in (ROOT / "data").glob("*/study.yml"))


def claim_on(outcome: str, contrast: str, statistic: str, text: str) -> dict[str, Any]:
    """A claim of the mixed model, as it stands in a study file."""
    return {
        "says": "x", "kind": "inequality" if text[0] in "<>" else "number", "printed": text, "mark": "S", "source": "abstract", "where": "x",
        "by": {"model": "lmm", "outcome": outcome, "contrast": contrast, "statistic": statistic},
    }  # fmt: skip


# The same study file gives the same bytes


def taken_by(folder: Path) -> list[str]:
    """The other study whose rows stand in that of `folder`, where there is one."""
    return [taken["study"]] if (taken := load(folder).design.get("evidence", {}).get("taken")) else []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_two_processes_make_the_same_bytes(folder, tmp_path, process_environment):
    here, there = (tmp_path / place / folder.name for place in ("here", "there"))
    for copy in (here, there):
        copy.mkdir(parents=True)
        (copy / "study.yml").write_bytes((folder / "study.yml").read_bytes())
        for other in taken_by(folder):
            shutil.copytree(folder.parent / other, copy.parent / other)
    study = load(here)
    records.write(study, synthesis.synthesise(study))
    seed = "1" if sys.flags.hash_randomization and os.environ.get("PYTHONHASHSEED") != "1" else "2"  # another order of sets
    subprocess.run(
        [sys.executable, "-m", "asprinted", "synthesise", str(there)],
        cwd=tmp_path, env=process_environment | {"PYTHONHASHSEED": seed}, check=True, capture_output=True,
    )  # fmt: skip
    made = [{file.name: file.read_bytes() for file in copy.iterdir()} for copy in (here, there)]
    assert made[0] == made[1]
    assert set(made[0]) == {"study.yml", "datapackage.json", *(entry["file"] for entry in study.tables.values())}
    assert records.stale(there) is None


def test_numbers_drawn_depend_on_study_and_variable_alone(harp, load_data, data):
    first = design.generator(harp, "health").standard_normal(3)
    design.generator(harp, "other").standard_normal(5)
    np.testing.assert_array_equal(design.generator(harp, "health").standard_normal(3), first)
    assert (design.generator(harp, "heal", "th").standard_normal(3) != first).all()
    assert (design.generator(load_data(data), "health").standard_normal(3) != first).all()


# Other random numbers, where chance put an assumption out of bounds


@pytest.fixture
def lottery(load_data) -> Callable[..., Study]:
    """A function that gives a study of sixty people the skewness of whose ages is left to chance, within these bounds."""
    def study(*bounds: str, printed: str = "60", slug: str = "some-lottery") -> Study:
        return load_data(
            {
                "schema": 1, "title": "A lottery",
                "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "x"}],
                "tables": {"people": {"file": "people.csv", "row": "one person", "key": ["id"], "columns": {
                    "id": {"type": "string", "required": True, "says": "x", "mark": "A"},
                    "arm": {"type": "string", "required": True, "values": ["ours", "theirs"], "says": "x", "mark": "S"},
                    "age": {"type": "integer", "required": True, "minimum": 18, "maximum": 80, "says": "x", "mark": "A"},
                }}},
                "design": {"people": {"table": "people", "arms": {"column": "arm", "sizes": {"ours": 30, "theirs": 30}},
                    "covariates": [{"kind": "whole", "column": "age", "mean": "age.mean", "sd": "age.sd"}]}},
                "models": {},
                "claims": {"all.n": {"says": "x", "kind": "number", "printed": printed, "mark": "S", "source": "paper", "where": "x", "by": {"table": "people", "statistic": "count"}}},
                "assumptions": {
                    "age.mean": {"says": "x", "reason": "x", "value": "45"},
                    "age.sd": {"says": "x", "reason": "x", "value": "10"},
                    "age.skewness": {"says": "x", "reason": "x", "bounds": list(bounds), "by": {"table": "people", "statistic": "skewness", "column": "age"}},
                },
            },
            slug,
        )  # fmt: skip

    return study


def skewness(study: Study, attempt: int) -> tuple[pd.DataFrame, float]:
    people, _ = design.people(dataclasses.replace(study, attempt=attempt))
    return people, float(people["age"].skew())


def test_assumption_that_chance_put_out_of_bounds_is_met_by_other_random_numbers(lottery):
    wanted, found = skewness(lottery("-9", "9"), 2)
    assert all(abs(skewness(lottery("-9", "9"), attempt)[1] - found) > 0.01 for attempt in (0, 1))
    study, lines = lottery(f"{found - 0.005:.6f}", f"{found + 0.005:.6f}"), []
    tables = synthesis.synthesise(study, lines.append)
    pd.testing.assert_frame_equal(tables["people"], wanted, check_dtype=False)
    told = [line for line in lines if line.startswith("once more")]
    assert [line.split(":")[0] for line in told] == [f"once more with other random numbers, attempt {attempt} of 5" for attempt in (2, 3)]
    assert all("assumption age.skewness: found " in line for line in told)
    pd.testing.assert_frame_equal(synthesis.synthesise(study)["people"], tables["people"])


def test_first_attempt_that_meets_all_is_the_only_one(lottery):
    lines: list[str] = []
    tables = synthesis.synthesise(lottery("-9", "9"), lines.append)
    pd.testing.assert_frame_equal(tables["people"], skewness(lottery("-9", "9"), 0)[0], check_dtype=False)
    assert not any("attempt" in line for line in lines)


def test_assumption_that_no_attempt_meets_is_named_with_what_was_found_and_a_remedy(lottery):
    lines: list[str] = []
    with pytest.raises(StudyError, match="5 attempts .* widen the bounds, or change the value they depend on") as caught:
        synthesis.synthesise(lottery("8", "9"), lines.append)
    found = [skewness(lottery("8", "9"), attempt)[1] for attempt in range(5)]
    assert str(caught.value).splitlines()[1:] == [f"  assumption age.skewness: found {each:.4g}, outside 8 to 9" for each in found]
    assert sum("once more" in line for line in lines) == 4


def test_claim_that_does_not_print_is_not_left_to_other_random_numbers(lottery):
    lines: list[str] = []
    with pytest.raises(StudyError, match="all.n: printed 61, computed 60"):
        synthesis.synthesise(lottery("8", "9", printed="61"), lines.append)
    assert not any("once more" in line for line in lines)


@pytest.mark.parametrize("number", [5, 7, 31])
def test_study_file_is_made_under_any_folder_name(crisis, tmp_path, number):
    """Under these names chance once gave a person too many events, a score that stood out, and ages too alike."""
    study = dataclasses.replace(crisis, folder=tmp_path / f"{crisis.slug}-{number}")
    tables = synthesis.synthesise(study)
    assert not tables["participants"].equals(records.read(crisis)["participants"])


# Another study, with the code unchanged


def other_study(data: dict[str, Any]) -> dict[str, Any]:
    """The study with arms renamed, twice the people, and other numbers printed."""
    text = json.dumps(data).replace('"HARP"', '"peers"').replace("usual care", "waiting list").replace("pcs", "walking")
    data = json.loads(text)
    for id, printed in {
        "randomised.all.n": "800", "randomised.harp.n": "396", "randomised.usual_care.n": "404",
        "group_size.harp.lo": "6", "group_size.harp.hi": "11",
        "walking.harp.est": "2.95", "walking.usual_care.est": "1.5", "walking.change.p": ".0038",
        "mcs.harp.est": "4.4", "mcs.usual_care.est": "2.3", "mcs.change.p": ".004",
        "recovery.change.p": ".001",
        "pilot_visit.change.p": ".03",
    }.items():  # fmt: skip
        data["claims"][id]["printed"] = printed
    for arm, amounts in {"harp_3": "350", "harp_6": "331", "usual_care_3": "370", "usual_care_6": "347"}.items():
        data["assumptions"][f"followed.{arm}"] |= {"value": amounts, "bounds": [amounts, amounts]}
    data["assumptions"]["activation.harp_change"]["value"] = "2.2"
    for id in ("followed.lost_difference", "walking.group_icc", "mcs.group_icc"):
        data["assumptions"][id]["bounds"] = ["-1", "1"]  # left to chance, and not what this test is about
    data["claims"]["walking.change.lo"] = claim_on("walking", "change", "lo", "0.47")
    return data


def test_study_with_other_names_numbers_and_size_is_made_and_verified(load_data, data):
    study = load_data(other_study(data), "walking-trial")
    records.write(study, synthesis.synthesise(study))
    tables = records.read(study)
    results = reanalysis.verdicts(study, tables)
    assert reanalysis.differing(results, reanalysis.assumptions_kept(study, tables)) == []
    shown = {each.id: each.computed for each in results}
    assert shown["walking-trial:walking.change.p"] == ".0038" and shown["walking-trial:walking.change.lo"] == "0.47"
    assert_well_inside(study, tables)
    assert set(tables["participants"]["arm"]) == {"peers", "waiting list"} and len(tables["participants"]) == 800


def test_estimates_of_opposite_sign_each_with_its_p_value_are_met(load_data, data):
    claims = data["claims"]
    claims["pcs.usual_care.est"]["printed"] = "−1.4"
    del claims["pcs.change.p"]
    claims |= {"pcs.harp.p": claim_on("pcs", "harp", "p", ".003"), "pcs.usual_care.p": claim_on("pcs", "usual_care", "p", ".11")}
    study = load_data(data)
    people, health = design.people(study)
    frame = scores.visits(only(study, "pcs"), people, health, lambda line: None)
    found = models.fit(study.models["lmm"], frame.merge(people), "pcs")
    harp, usual = (found.contrast(study.models["lmm"]["contrasts"][name]) for name in ("harp", "usual_care"))
    assert (f"{harp.est:.1f}", f"{harp.p:.3f}", f"{usual.est:.1f}", f"{usual.p:.2f}") == ("2.7", "0.003", "-1.4", "0.11")


def only(study: Study, outcome: str) -> Study:
    """The study with one outcome alone among its scores."""
    parts = study.design["scores"] | {"outcomes": {outcome: study.design["scores"]["outcomes"][outcome]}}
    columns = {name: spec for name, spec in study.tables["visits"]["columns"].items() if name in ("id", "visit", outcome)}
    return dataclasses.replace(
        study, design=study.design | {"scores": parts}, tables=study.tables | {"visits": study.tables["visits"] | {"columns": columns}}
    )


@pytest.mark.parametrize(("outcome", "text"), [("pcs", ".0456"), ("pcs", ".04381"), ("recovery", ".0201"), ("recovery", ".02013")])
def test_p_value_with_more_decimals_than_two_tests_share_is_met_under_the_declared_one(load_data, data, outcome, text):
    data["claims"][f"{outcome}.change.p"]["printed"] = text
    study = load_data(data)
    people, health = design.people(study)
    frame = scores.visits(only(study, outcome), people, health, lambda line: None)
    fit = models.fit(study.models["lmm"], frame.merge(people), outcome)
    found = fit.contrast(study.models["lmm"]["contrasts"]["change"])
    assert f"{found.p:.{len(text) - 1}f}" == f"0{text}"
    assert all(scores._slack(target, fit) >= 0.25 for target in scores._targets(study, "lmm", outcome, fit.design))


def assert_well_inside(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    """Every claim of the mixed model lies so far inside its interval that another machine's last bits change no digit."""
    analysis = reanalysis.Reanalysis(study, tables)
    for outcome in study.design["scores"]["outcomes"]:
        fit = analysis.fit("lmm", outcome)
        targets = scores._targets(study, "lmm", outcome, fit.design)
        assert targets
        assert {target.claim: slack for target in targets if (slack := scores._slack(target, fit)) < 0.25} == {}


def test_numbers_of_the_committed_records_lie_well_inside_what_prints_so(harp):
    assert_well_inside(harp, records.read(harp))


# Targets that exclude each other


def contradictory_interval(data):
    data["claims"] |= {"pcs.change.lo": claim_on("pcs", "change", "lo", "0.5"), "pcs.change.hi": claim_on("pcs", "change", "hi", "2.0")}


def contradictory_errors(data):
    data["claims"] |= {"mcs.change.se": claim_on("mcs", "change", "se", "0.5")}


def contradictory_direction(data):
    data["claims"]["mcs.usual_care.est"]["printed"] = "4.9"


def spread_too_small_for_p(data):
    data["claims"]["pcs.change.p"]["printed"] = ".9"


def spread_too_large_for_p(data):
    data["claims"]["pcs.change.p"] |= {"printed": "<.0001", "kind": "inequality"}


def p_against_assumed_changes(data):
    data["assumptions"]["activation.harp_change"]["value"] = "9"


def groups_that_do_not_divide(data):
    data["assumptions"]["site.shares"]["value"] = {"north": "0.700", "south": "0.235", "east": "0.065"}


def more_people_seen_than_randomised(data):
    data["assumptions"]["followed.harp_6"]["value"] = "199"


def counts_that_print_nothing(data):
    data["claims"]["pilot_visit.change.p"]["printed"] = ".0000001"
    data["design"]["cells"]["rows"] = [{"people": 2, "values": row["values"]} for row in data["design"]["cells"]["rows"]]


def claim_that_nothing_aims_at(data):
    data["claims"]["pcs.baseline.mean"] = {
        "says": "x", "kind": "number", "printed": "44.4", "mark": "S", "source": "abstract", "where": "x",
        "by": {"table": "visits", "statistic": "mean", "column": "pcs", "filter": {"visit": 0}},
    }  # fmt: skip


def skewness_that_no_curve_has(data):
    data["assumptions"]["symptoms.skewness"]["value"] = "-0.8"


def category_that_is_not_a_value(data):
    data["assumptions"]["site.shares"]["value"] = {"north": "0.42", "south": "0.33", "west": "0.25"}
    del data["design"]["cells"]["free"]  # quicker


CONTRADICTIONS = {
    contradictory_interval: ["pcs.change.p .046", "pcs.change.lo 0.5"],
    contradictory_errors: ["mcs.harp.est 4.6", "mcs.usual_care.est 2.5", "mcs.change.p .039", "mcs.change.se 0.5"],
    contradictory_direction: ["mcs.harp.est 4.6", "mcs.usual_care.est 4.9", "mcs.change.direction >0"],
    spread_too_small_for_p: ["pcs.sd", "no within-person correlation lets 'pcs' print its claims"],
    spread_too_large_for_p: ["scores › outcomes › pcs"],
    p_against_assumed_changes: ["secondary.others.p", "activation.harp_change", "activation.usual_care_change"],
    groups_that_do_not_divide: ["13 people of site 'east' cannot be divided into groups", "8 to 12"],
    more_people_seen_than_randomised: ["followed.harp_6", "199 cannot be seen: there are 198 people in this arm"],
    counts_that_print_nothing: ["pilot_visit.change.p", "counts tried"],
    claim_that_nothing_aims_at: ["pcs.baseline.mean: printed 44.4"],
    skewness_that_no_curve_has: ["scores › outcomes › symptoms"],
    category_that_is_not_a_value: ["participants.csv", "site: 'west'", "correct its design"],
}


@pytest.mark.parametrize("change", CONTRADICTIONS, ids=lambda change: change.__name__)
def test_targets_that_cannot_be_met_are_named_and_nothing_is_written(load_data, data, change):
    change(data)
    study = load_data(data)
    with pytest.raises(StudyError) as caught:
        synthesis.synthesise(study)
    text = str(caught.value)
    assert text.startswith(f"{study.folder}{os.sep}")
    assert [part for part in CONTRADICTIONS[change] if part not in text] == [], text
    assert os.listdir(study.folder) == ["study.yml"]


def problem(study: Study, outcome: str) -> tuple[models.Fit, list, list]:
    """The fit, targets and pins of an outcome, as they are solved."""
    rng = np.random.default_rng(1)
    people, _ = design.people(study)
    spec = study.design["scores"]
    frame = pd.DataFrame({"id": np.repeat(people["id"].to_numpy(), 3), "visit": np.tile(spec["months"], len(people))}).merge(people)
    frame[outcome] = rng.normal(size=len(people)).repeat(3) * 8 + rng.normal(40, 5, len(frame))
    fit = models.fit(study.models["lmm"], frame, outcome)
    targets = scores._targets(study, "lmm", outcome, fit.design)
    pins = scores._pins(study, spec["outcomes"][outcome], outcome, fit.design, fit, targets, pin_spread=False)
    return fit, targets, pins


def feasible(fit: models.Fit, targets: list, pins: list) -> bool:
    return any(scores._program(fit, targets, pins, signs)[0] >= 0 for signs in scores._signs(targets))


@pytest.mark.parametrize("change", [contradictory_interval, contradictory_errors, contradictory_direction, p_against_assumed_changes])
def test_conflict_named_is_smallest(load_data, data, change):
    change(data)
    study = load_data(data)
    outcome = "activation" if change is p_against_assumed_changes else "pcs" if change is contradictory_interval else "mcs"
    fit, targets, pins = problem(study, outcome)
    if change is p_against_assumed_changes:
        pins.append(("spread", np.append(np.zeros(len(fit.beta)), 1.0), 0.01))
    names = [name for name, _ in scores._conflict(fit, targets, pins)]
    kept_targets = [target for target in targets if target.claim in names]
    kept_pins = [pin for pin in pins if pin[0] in names]
    assert not feasible(fit, kept_targets, kept_pins), "the set named is no conflict"
    for dropped in names:
        rest_of_targets = [target for target in kept_targets if target.claim != dropped]
        rest_of_pins = [pin for pin in kept_pins if pin[0] != dropped]
        assert feasible(fit, rest_of_targets, rest_of_pins), f"{dropped} is not needed for the conflict"


def test_feasible_targets_have_no_conflict_and_are_solved_inside(harp):
    fit, targets, pins = problem(harp, "pcs")
    margin, b, s = max((scores._program(fit, targets, pins, signs) for signs in scores._signs(targets)), key=lambda found: found[0])
    assert 0 < margin <= 1 and s > 0
    moved = models.Fit(b, s**2 * fit.cov, None, 0.95, False, fit.variances, fit.n, fit.design)
    assert all(scores._slack(target, moved) > 0 for target in targets)
    for _, weights, value in pins:
        assert weights @ np.append(b, s) == pytest.approx(value, abs=1e-6)


# A run that is killed


def test_killed_run_leaves_the_old_records_as_they_were(copied, harp_copy, process_environment):
    before = {file.name: file.read_bytes() for file in harp_copy.iterdir()}
    child = subprocess.Popen(
        [sys.executable, "-m", "asprinted", "synthesise", str(harp_copy)],
        cwd=ROOT, env=process_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in child.stderr:
        if "scores: pcs" in line:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert {file.name: file.read_bytes() for file in harp_copy.iterdir()} == before
    assert records.stale(harp_copy) is None and len(records.read(copied)["visits"]) == 1200


def test_run_killed_while_it_writes_leaves_whole_files(copied, harp_copy, process_environment):
    """The process dies in the middle of writing the second file."""
    program = f"""
import os, signal, sys
from asprinted import records, study
opened, count = os.fdopen, []
class Dying:
    def __init__(self, handle, mode): self.stream = opened(handle, mode)
    def __enter__(self): return self
    def __exit__(self, *error): self.stream.close()
    def write(self, content):
        count.append(1)
        self.stream.write(content[: len(content) // 2] if len(count) == 2 else content)
        self.stream.flush()
        if len(count) == 2: os.kill(os.getpid(), signal.SIGKILL)
trial = study.load({str(harp_copy)!r})
tables = records.read(trial)
os.fdopen = Dying
records.write(trial, tables)
"""
    before = {file.name: file.read_bytes() for file in harp_copy.iterdir()}
    child = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=process_environment)
    assert child.returncode == -signal.SIGKILL
    after = {file.name: file.read_bytes() for file in harp_copy.iterdir()}
    assert {name: after[name] for name in before} == before
    left = sorted(set(after) - set(before))
    assert [name.rpartition(".")[0] for name in left] == [".participants.csv", ".visits.csv"]
    assert records.stale(harp_copy) is None and len(records.read(copied)["visits"]) == 1200
    records.write(copied, records.read(copied))
    assert {file.name: file.read_bytes() for file in harp_copy.iterdir()} == before, "the next run does not sweep"


def test_mixture_that_a_killed_run_leaves_is_found_and_mended_by_the_next(copied, harp_copy, process_environment):
    """The process dies after the first file was moved into place."""
    program = f"""
import os, signal
from asprinted import records, study
replace = os.replace
def dying(source, target):
    replace(source, target)
    os.kill(os.getpid(), signal.SIGKILL)
trial = study.load({str(harp_copy)!r})
tables = records.read(trial)
tables["participants"].loc[0, "age"] = 85
os.replace = dying
records.write(trial, tables)
"""
    before = {file.name: file.read_bytes() for file in harp_copy.iterdir()}
    tables = records.read(copied)
    child = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=process_environment)
    assert child.returncode == -signal.SIGKILL
    found = records.stale(harp_copy)
    assert "participants.csv was changed by hand, or a run was killed while it replaced the files" in found
    assert found.endswith(f"make them again with: asprinted synthesise {harp_copy}")
    records.write(copied, tables)
    assert {file.name: file.read_bytes() for file in harp_copy.iterdir()} == before


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_traceback(process_environment):
    program = """
import os, runpy, signal, sys
class Pressed:
    def find_spec(self, name, *rest):
        if name == "asprinted.study": os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores Ctrl-C
sys.meta_path.insert(0, Pressed())
sys.argv = ["asprinted", "--version"]
runpy.run_module("asprinted", run_name="__main__")
"""
    child = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=process_environment, capture_output=True, text=True)
    assert (child.returncode, child.stdout, child.stderr) == (130, "", "stopped; nothing was half written\n")


# The parts


@given(st.integers(0, 5000), st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_whole_numbers_in_proportion_sum_to_the_total_and_are_off_by_less_than_one(total, shares):
    counts = design.apportion(total, shares)
    assert sum(counts) == total
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - total * share / sum(shares)) < 1 + 1e-9


def test_whole_numbers_in_proportion_go_to_the_largest_remainder():
    assert design.apportion(10, [0.25, 0.42, 0.33]) == [3, 4, 3]
    assert design.apportion(5, [1, 1]) == [3, 2]


def test_people_are_as_many_as_the_design_says_in_each_arm_and_site(harp):
    people, health = design.people(harp)
    assert people["arm"].value_counts().to_dict() == {"HARP": 198, "usual care": 202}
    shares = harp.shares("site.shares")
    for arm, size in (("HARP", 198), ("usual care", 202)):
        found = people.loc[people["arm"] == arm, "site"].value_counts()
        assert [found[site] for site in shares] == design.apportion(size, list(shares.values()))
    assert people["id"].is_unique and people["id"].str.fullmatch(r"synthetic-\d{3}").all()
    assert health.shape == (400,) and abs(np.corrcoef(health, people["age"])[0, 1] + 0.15) < 0.15


def test_groups_are_of_the_arm_and_site_and_both_bounds_occur(harp):
    people, _ = design.people(harp)
    assert (people["group"].notna() == (people["arm"] == "HARP")).all()
    members = people.dropna(subset=["group"])
    sizes = members["group"].value_counts()
    assert (sizes.min(), sizes.max()) == (8, 12)
    assert (members["group"].str.rsplit("-", n=1).str[0] == members["site"]).all()


@pytest.mark.parametrize(("count", "possible"), [(8, True), (13, False), (15, False), (16, True), (25, True), (7, False)])
def test_groups_are_made_where_people_can_be_divided_so(load_data, data, count, possible):
    data["design"]["people"]["arms"]["sizes"] = {"HARP": count, "usual care": 1}
    data["assumptions"]["site.shares"]["value"] = {"north": "1"}
    study = load_data(data)
    if not possible:
        with pytest.raises(StudyError, match=f"{count} people of site 'north' cannot be divided"):
            design.people(study)
        return
    sizes = design.people(study)[0]["group"].value_counts()
    assert sizes.sum() == count and sizes.between(8, 12).all()


def test_smallest_and_largest_group_both_occur_where_people_allow_it(load_data, data):
    data["design"]["people"]["arms"]["sizes"] = {"HARP": 20, "usual care": 1}
    for slug in ("first-trial", "second-trial", "third-trial"):
        data["assumptions"]["site.shares"]["value"] = {"north": "1"}
        assert sorted(design.people(load_data(data, slug))[0]["group"].value_counts()) == [8, 12]


def test_people_seen_are_exactly_as_many_as_the_design_says(harp):
    arms = np.repeat(["HARP", "usual care"], [198, 202])
    wellness = np.random.default_rng(2).normal(size=400)
    there = design.seen(harp, arms, wellness)
    assert there.shape == (400, 3) and there[:, 0].all()
    assert [there[arms == "HARP", visit].sum() for visit in (1, 2)] == [177, 166]
    assert [there[arms == "usual care", visit].sum() for visit in (1, 2)] == [184, 174]
    assert (~there[:, 1] & there[:, 2]).any(), "nobody returns"
    lost = ~there[:, 2]
    assert wellness[lost].mean() < wellness[~lost].mean(), "losses do not depend on health"


def test_everyone_can_be_seen_or_nobody(load_data, data):
    data["design"]["scores"]["losses"]["seen"] = {"HARP": [198, 0], "usual care": [0, 202]}
    study = load_data(data)
    arms = np.repeat(["HARP", "usual care"], [198, 202])
    there = design.seen(study, arms, np.zeros(400))
    assert there[arms == "HARP"].sum(axis=0).tolist() == [198, 198, 0]
    assert there[arms == "usual care"].sum(axis=0).tolist() == [202, 0, 202]


def test_scores_stand_on_the_steps_of_their_scale(harp):
    visits = records.read(harp)["visits"]
    for outcome in harp.design["scores"]["outcomes"]:
        spec = harp.tables["visits"]["columns"][outcome]
        steps, low, high = scores._scale(spec)
        values = visits[outcome].dropna().to_numpy(dtype=float)
        np.testing.assert_array_equal(steps(values), values)
        assert low <= values.min() and values.max() <= high
        if "items" in spec:
            sums = values * spec["items"]
            assert np.abs(sums - np.rint(sums)).max() <= spec["items"] * 0.5 * 10 ** -spec["decimals"] + 1e-9


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ({"type": "number", "minimum": 1, "maximum": 10, "decimals": 2, "items": 6}, [5.26, 0.2, 12, 1.24], [5.33, 1, 10, 1.17]),
        ({"type": "number", "minimum": 10, "maximum": 65, "decimals": 1}, [38.46, 9.9, 65.04], [38.5, 10, 65]),
        ({"type": "integer", "minimum": 24, "maximum": 120}, [88.4, 88.6, 200], [88, 89, 120]),
    ],
)
def test_values_fall_on_the_nearest_step_within_the_scale(column, values, expected):
    steps, low, high = scores._scale(column)
    np.testing.assert_array_equal(steps(np.array(values)), expected)
    assert (low, high) == (column["minimum"], column["maximum"])


@pytest.mark.parametrize("skewness", [0.3, 0.8, 1.2])
def test_bent_scores_have_the_skewness_asked_for(skewness):
    grid = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    bent = scores._skewed(grid, skewness)
    assert (bent.mean(), bent.std()) == pytest.approx((0, 1), abs=0.01)
    assert stats.skew(bent) == pytest.approx(skewness, rel=0.03)
    assert (np.diff(bent) > 0).all()


def test_scores_that_nobody_claims_anything_about_follow_the_assumptions(harp):
    visits = records.read(harp)["visits"].pivot(index="id", columns="visit", values="activation")
    assert visits[0].std() == pytest.approx(harp.number("activation.sd"), rel=0.05)
    assert visits[0].corr(visits[6]) == pytest.approx(harp.number("activation.r"), abs=0.07)


# Counts


def test_free_counts_are_the_nearest_to_the_assumption_that_print_the_claim(harp):
    """No combination nearer to the assumed share than the one found prints the p value."""
    table = events.cells(harp)
    spec = harp.design["cells"]
    sizes = np.array([row["people"] for row in spec["rows"]])
    keys = [(row["values"]["arm"], row["values"].get("seen_after")) for row in spec["rows"]]
    found = [
        int(((table["arm"] == arm) & (table["seen_after"].isna() if after is None else table["seen_after"] == after) & (table["seen_before"] == 1)).sum())
        for arm, after in keys
    ]  # fmt: skip
    share = harp.number(spec["free"]["share"])

    def distance(counts) -> float:
        return float((((np.array(counts) - share * sizes) ** 2) / sizes).sum())

    kinds = [row["values"] | {"seen_before": value} for row in spec["rows"] for value in (1, 0)]
    [(claim, prints)] = free._tests(harp, kinds).items()
    assert claim == "pilot_visit.change.p"

    def people(counts) -> np.ndarray:
        return np.column_stack([counts, sizes - counts]).ravel()

    assert prints(people(np.array(found)))
    reach = [range(max(0, count - 2), min(size, count + 2) + 1) for count, size in zip(found, sizes, strict=True)]
    nearer = (counts for counts in itertools.product(*reach) if distance(counts) < distance(found) - 1e-9)
    assert not any(prints(people(np.array(counts))) for counts in itertools.islice(nearer, 1500))


def test_counts_without_a_free_column_are_written_out(load_data, data):
    cells = data["design"]["cells"]
    del cells["free"]
    for row in cells["rows"]:
        row["values"]["seen_before"] = 1
    table = events.cells(load_data(data))
    assert len(table) == 80 and (table["seen_before"] == 1).all()
    assert table.groupby("arm")["seen_after"].sum().to_dict() == {"HARP": 26, "usual care": 14}
    assert table["id"].is_unique and table["id"].str.fullmatch(r"synthetic-pilot-\d{2}").all()


def test_table_that_nothing_makes_is_refused(load_data, data):
    del data["design"]["cells"]
    with pytest.raises(StudyError, match="'pilot'. No part of the design makes this table"):
        synthesis.synthesise(load_data(data))
