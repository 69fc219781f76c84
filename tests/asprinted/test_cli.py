"""The command line says what it did, ends with the code that belongs to it, and never with a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asprinted import cli, kinds, records
from asprinted.cli import BAD_INPUT, DIFFERS, FINE, main

COMMANDS = ["check", "synthesise", "verify", "ledger"]


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder with its bytes and the time of its last change."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


# Help


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=["alone", *COMMANDS])
def test_help_says_what_the_command_does(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == FINE and text.startswith(f"usage: asprinted {' '.join(command)}".strip())
    for expected in (["folder", "--json", "study.yml"] if command else COMMANDS):
        assert expected in text
    assert ("--check" in text) is (command == ["synthesise"])
    assert "exit codes: 0 fine; 1 something differs" in text and ("example: asprinted" in text) is bool(command)


def test_command_alone_shows_the_commands_and_the_usual_order(capsys):
    with pytest.raises(SystemExit):
        main([])
    text = capsys.readouterr().err
    order = [text.index(f"\n  asprinted {step}") for step in ("new my-trial", "check", "synthesise", "new --chapter", "verify")]
    assert order == sorted(order) and all(name in text for name in COMMANDS)


@pytest.mark.parametrize("command", ["new", "schema", "kinds", "variants", "mark"])
def test_help_of_every_other_command_ends_with_the_exit_codes(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == FINE and "exit codes: 0 fine;" in capsys.readouterr().out


def test_schema_is_printed_as_it_stands_and_where(capsys):
    assert main(["schema"]) == FINE
    printed = capsys.readouterr().out
    assert main(["schema", "--path"]) == FINE
    assert Path(capsys.readouterr().out.strip()).read_text("utf-8") == printed and json.loads(printed)["$schema"]


def test_kinds_lists_the_table_and_one_kind_with_how_it_is_written(capsys):
    assert main(["kinds"]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(kinds.KINDS)]] == [kind.name for kind in kinds.KINDS]
    assert "\n".join(lines).endswith(kinds.as_text())
    assert main(["kinds", "visits"]) == FINE
    assert capsys.readouterr().out.rstrip("\n") == kinds.as_text(["visits"])
    assert main(["kinds", "clusters", "--json"]) == FINE
    found = json.loads(capsys.readouterr().out)
    assert [kind["name"] for kind in found["kinds"]] == ["clusters"] and all("clusters" in each["kinds"] for each in found["refused"])
    assert main(["kinds", "cluster"]) == BAD_INPUT
    assert "clusters" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["verfy", "data"], ["verify"], ["verify", "a", "b"], ["verify", "a", "--chek"], ["verify", "a", "--check"]])
def test_wrong_usage_ends_with_the_code_of_bad_input(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == BAD_INPUT
    assert "usage: asprinted" in capsys.readouterr().err


def test_module_is_the_command(asprinted_command):
    run = asprinted_command("--version")
    assert (run.returncode, run.stdout) == (FINE, "asprinted 0.1.0\n")


# Fine


@pytest.mark.parametrize("name", ["harp", "crisis"])
def test_verify_of_sound_records_is_fine(request, name, capsys):
    study = request.getfixturevalue(name)
    assert main(["verify", "--engine", "own", str(study.folder)]) == FINE
    recomputed = sum(claim.kind != "context" for claim in study.claims.values())
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{study.slug}: {recomputed} claims recomputed, {len(study.claims) - recomputed} context")


def test_check_tells_the_models_that_were_tried_and_that_none_that_is_used_is_at_fault(crisis, capsys):
    assert main(["check", str(crisis.folder)]) == FINE
    lines = capsys.readouterr().out.splitlines()
    tried = [name for name, model in crisis.models.items() if "instead_of" in model]
    assert tried and all(any(f"(an alternative): {name}:" in line for line in lines) for name in tried)
    assert any(line.startswith("possible: readmission:") for line in lines) and lines[-1].endswith("; 0 faults")


def test_difference_that_the_study_file_expects_is_told_and_is_no_fault(crisis, capsys):
    assert main(["ledger", str(crisis.folder)]) == FINE
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("crisis-readmission-trial:analysed.control.reported_n")
    assert lines[place + 2].strip().startswith("printed 220; computed 216; ≠ source misreports the publication")


def test_verify_gives_json(harp, capsys):
    assert main(["verify", "--json", "--engine", "own", str(harp.folder)]) == FINE
    found = json.loads(capsys.readouterr().out)
    assert found["faults"] == []
    assert [claim["id"] for claim in found["claims"]] == [claim.address for claim in harp.claims.values()]
    assert {each["id"] for each in found["assumptions"]} == {id for id, each in harp.assumptions.items() if each.by and each.bounds}
    assert all(each["lo"] <= each["found"] <= each["hi"] for each in found["assumptions"])


def test_ledger_lists_every_claim_once_and_counts_the_verdicts(harp, capsys):
    assert main(["ledger", str(harp.folder)]) == FINE
    lines = capsys.readouterr().out.splitlines()
    listed = [line for line in lines if line.startswith("harp-trial:")]
    assert listed == [claim.address for claim in harp.claims.values()]
    p = lines.index("harp-trial:pcs.change.p")
    assert lines[p + 2].strip() == "printed .046; computed .046; ✓ reproduced as printed"
    context = lines.index("harp-trial:leaders.harp.words")
    assert lines[context + 2].strip() == "printed (words); computed (not recomputed); · context, not recomputed"


def test_ledger_as_json_counts_what_it_lists(harp, capsys):
    assert main(["ledger", str(harp.folder), "--json"]) == FINE
    found = json.loads(capsys.readouterr().out)
    verdicts = [claim["verdict"] for claim in found["claims"]]
    assert found["study"] == "harp-trial" and len(verdicts) == len(harp.claims)
    assert found["counts"] == {name: verdicts.count(name) for name in set(verdicts)}
    numbers = [claim for claim in found["claims"] if claim["kind"] in ("number", "inequality")]
    assert numbers and all(claim["verdict"] == "reproduced" and claim["printed"] for claim in numbers)


def test_ledger_of_several_studies_counts_each_and_all_together(harp, crisis, capsys):
    folders = [str(harp.folder), str(crisis.folder)]
    assert main(["ledger", *folders, "--json"]) == FINE
    together = json.loads(capsys.readouterr().out)
    alone = []
    for folder in folders:
        main(["ledger", folder, "--json"])
        alone.append(json.loads(capsys.readouterr().out))
    assert together["studies"] == alone
    names = {name for each in alone for name in each["counts"]}
    assert together["counts"] == {name: sum(each["counts"].get(name, 0) for each in alone) for name in names}
    assert main(["ledger", *folders]) == FINE
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"2 studies, {len(harp.claims) + len(crisis.claims)} claims: ")


def test_ledger_of_several_studies_fails_where_one_of_them_does(harp_copy, crisis, capsys):
    file = harp_copy / "study.yml"
    file.write_text(file.read_text("utf-8").replace('printed: ".046", mark: [S, P]', 'printed: ".047", mark: [S, P]', 1), "utf-8")
    assert main(["ledger", str(harp_copy), str(crisis.folder)]) == DIFFERS
    assert main(["ledger", str(crisis.folder), str(harp_copy / "nowhere")]) == BAD_INPUT
    assert str(harp_copy / "nowhere") in capsys.readouterr().err


@pytest.fixture
def made_at_once(harp, monkeypatch):
    """Synthesis that gives the committed records without making them again (test_synthesis makes them)."""
    tables = records.read(harp)
    monkeypatch.setattr("asprinted.synthesis.synthesise", lambda study, progress: progress("people") or tables)


def test_check_tells_what_differs_and_writes_nothing_and_synthesis_mends_it(made_at_once, harp_copy, capsys):
    before = files_of(harp_copy)
    assert main(["synthesise", "--check", str(harp_copy)]) == FINE
    assert capsys.readouterr().out == "harp-trial: every file is byte for byte the same\n"
    assert files_of(harp_copy) == before

    (harp_copy / "pilot.csv").write_bytes(before["pilot.csv"][0].replace(b"\n", b"\r\n"))
    (harp_copy / "visits.csv").unlink()
    changed = files_of(harp_copy)
    assert main(["synthesise", "--check", "--json", str(harp_copy)]) == DIFFERS
    told = capsys.readouterr()
    assert json.loads(told.out) == {"study": "harp-trial", "different": ["visits.csv", "pilot.csv"]}
    assert told.err.endswith(" s  people\n")
    assert files_of(harp_copy) == changed

    assert main(["synthesise", "--json", str(harp_copy)]) == FINE
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == {"participants": 400, "visits": 1200, "pilot": 80}
    assert told["files"] == [str(harp_copy / name) for name in ("participants.csv", "visits.csv", "pilot.csv", "datapackage.json")]
    assert {name: content for name, (content, _) in files_of(harp_copy).items()} == {name: content for name, (content, _) in before.items()}


# Something differs


def test_verify_names_the_claim_and_the_file_that_was_changed(harp_copy, capsys):
    file = harp_copy / "visits.csv"
    lines = file.read_text("utf-8").split("\n")
    rows = [number for number, line in enumerate(lines) if line.split(",")[1:2] == ["6"] and line.split(",")[2]]
    cells = lines[rows[0]].split(",")
    cells[2] = f"{float(cells[2]) + (5 if float(cells[2]) < 50 else -5):.1f}"
    lines[rows[0]] = ",".join(cells)
    file.write_text("\n".join(lines), "utf-8")
    assert main(["verify", "--engine", "own", str(harp_copy)]) == DIFFERS
    text = capsys.readouterr().out
    assert "harp-trial:pcs." in text and "✗ not as printed" in text
    assert "visits.csv was changed by hand" in text


def test_verify_names_the_claim_whose_printed_number_was_changed(harp_copy, capsys):
    file = harp_copy / "study.yml"
    file.write_text(file.read_text("utf-8").replace('printed: ".046"', 'printed: ".047"', 1), "utf-8")
    assert main(["verify", "--engine", "own", str(harp_copy)]) == DIFFERS
    text = capsys.readouterr().out
    assert "harp-trial:pcs.change.p: printed .047, computed .046: ✗ not as printed" in text
    assert "study.yml has changed since the records were made" in text and "2 faults" in text
    assert main(["ledger", str(harp_copy)]) == DIFFERS


def test_a_number_that_is_calculated_is_told_as_such(harp_copy, capsys):
    file = harp_copy / "study.yml"
    text = file.read_text("utf-8")
    at = text.index("  pcs.change.p:")
    file.write_text(text[:at] + text[at:].replace('printed: ".046"', 'printed: ".047"', 1).replace("mark: [S, P]", "mark: C", 1), "utf-8")
    assert main(["verify", "--engine", "own", str(harp_copy)]) == DIFFERS
    text = capsys.readouterr().out
    assert "harp-trial:pcs.change.p: calculated .047, computed .046: ✗ not as calculated" in text and ".047 (C)" in text
    assert main(["ledger", str(harp_copy)]) == DIFFERS
    assert "calculated .047; computed .046; ✗ not as calculated" in capsys.readouterr().out


def test_verify_names_the_assumption_that_is_out_of_bounds(harp_copy, capsys):
    file = harp_copy / "study.yml"
    text = file.read_text("utf-8")
    assert 'bounds: ["9", "11"]' in text
    file.write_text(text.replace('bounds: ["9", "11"]', 'bounds: ["1", "2"]'), "utf-8")
    assert main(["verify", "--json", "--engine", "own", str(harp_copy)]) == DIFFERS
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert faults[0].startswith("assumption pcs.sd: found ") and faults[0].endswith("outside 1 to 2")


# Bad input


def broken(folder: Path, how: str) -> None:
    """Break what stands in `folder`."""
    study, pilot = folder / "study.yml", folder / "pilot.csv"
    if how == "no study file":
        study.unlink()
    elif how == "study file of odd bytes":
        study.write_bytes(bytes(range(256)))
    elif how == "study file with a fault":
        study.write_text(study.read_text("utf-8").replace("model: lmm,", "model: lm,", 1), "utf-8")
    elif how == "no records":
        pilot.unlink()
    elif how == "records of odd bytes":
        pilot.write_bytes(bytes(range(256)))
    elif how == "records without rows":
        pilot.write_text("id,arm,seen_before,seen_after\n", "utf-8")
    elif how == "records without an arm":
        lines = pilot.read_text("utf-8").splitlines(keepends=True)
        pilot.write_text("".join(line for line in lines if "usual care" not in line), "utf-8")
    elif how == "records without a visit":
        visits = folder / "visits.csv"
        lines = visits.read_text("utf-8").splitlines(keepends=True)
        visits.write_text("".join(line for line in lines if ",6," not in line), "utf-8")
    elif how == "records in which everyone is alike":
        lines = pilot.read_text("utf-8").splitlines()
        pilot.write_text("\n".join([lines[0], *(line.rsplit(",", 1)[0] + ",1" for line in lines[1:])]) + "\n", "utf-8")


FAULTS = [
    "no study file", "study file of odd bytes", "study file with a fault", "no records", "records of odd bytes", "records without rows",
    "records without an arm", "records without a visit", "records in which everyone is alike",
]  # fmt: skip


@pytest.mark.parametrize("how", FAULTS)
def test_bad_input_ends_with_a_message_that_names_the_file(harp_copy, capsys, how):
    broken(harp_copy, how)
    for command in ("verify", "ledger") if how == "no records" else ("verify",):
        assert main([command, str(harp_copy)]) == BAD_INPUT
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith(f"error: {harp_copy}{os.sep}") and told.err.count("\n") == 1


@pytest.mark.parametrize("folder", ["nowhere", "a-file"])
def test_folder_that_is_not_one_is_named(tmp_path, capsys, folder):
    (tmp_path / "a-file").write_bytes(b"")
    assert main(["synthesise", str(tmp_path / folder)]) == BAD_INPUT
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / folder / 'study.yml'}: file")


def test_target_that_no_data_can_meet_ends_with_the_claims_in_conflict(harp_copy, capsys):
    file = harp_copy / "study.yml"
    file.write_text(file.read_text("utf-8").replace('printed: "2.5"', 'printed: "4.9"', 1), "utf-8")
    before = files_of(harp_copy)
    assert main(["synthesise", str(harp_copy)]) == BAD_INPUT
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: {file}: claims") and "mcs.usual_care.est 4.9" in last and "mcs.harp.est 4.6" in last
    assert files_of(harp_copy) == before


def test_bad_input_gives_no_traceback_in_a_process_of_its_own(asprinted_command, tmp_path):
    run = asprinted_command("verify", tmp_path / "nowhere")
    assert run.returncode == BAD_INPUT and run.stdout == ""
    assert run.stderr.startswith("error: ") and "Traceback" not in run.stderr


def test_folder_that_cannot_be_written_is_named(harp, capsys, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied", str(harp.folder / "visits.csv"))

    monkeypatch.setattr("asprinted.synthesis.synthesise", lambda study, progress: {})
    monkeypatch.setattr(records, "write", refuse)
    assert main(["synthesise", str(harp.folder)]) == BAD_INPUT
    assert capsys.readouterr().err == f"error: {harp.folder / 'visits.csv'}: Permission denied. Check that the folder is there and can be written.\n"


def test_reader_that_stops_early_gets_no_complaint(harp, process_environment):
    child = subprocess.Popen(
        [sys.executable, "-m", "asprinted", "ledger", str(harp.folder)], cwd=harp.folder, env=process_environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == cli.CLOSED_PIPE


def test_terminal_without_the_signs_gets_question_marks(harp, capfd, monkeypatch):
    monkeypatch.setattr(sys, "stdout", open(os.dup(1), "w", encoding="ascii"))
    assert main(["ledger", str(harp.folder)]) == FINE
    sys.stdout.close()
    assert "printed .046; computed .046; ? reproduced as printed" in capfd.readouterr().out


def test_interrupted_run_says_so(harp, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load", interrupt)
    assert main(["verify", "--engine", "own", str(harp.folder)]) == 130
    assert capsys.readouterr().err == "stopped; nothing was half written\n"
