"""Records are read with every cell checked, written whole or not at all, and packaged with their dictionary."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from frictionless import validate

from asprinted import records
from asprinted.records import read, stale, write
from asprinted.study import StudyError


def with_line(number: int, text: str) -> Callable[[str], str]:
    """A change of a file: its line `number` (the header is line 1) becomes `text`."""

    def change(content: str) -> str:
        lines = content.split("\n")
        lines[number - 1] = text
        return "\n".join(lines)

    return change


def with_cell(number: int, column: int, text: str) -> Callable[[str], str]:
    """A change of a file: the cell at line `number` and `column` (the first is 0) becomes `text`."""

    def change(content: str) -> str:
        lines = content.split("\n")
        cells = lines[number - 1].split(",")
        assert cells[column] != text, "the change must change something"
        lines[number - 1] = ",".join([*cells[:column], text, *cells[column + 1 :]])
        return "\n".join(lines)

    return change


def change_file(file: Path, change: Callable[[str], str]) -> None:
    file.write_bytes(change(file.read_bytes().decode("utf-8")).encode("utf-8"))


# Reading


def test_records_are_read_in_their_types(harp):
    tables = read(harp)
    assert {name: len(frame) for name, frame in tables.items()} == {"participants": 400, "visits": 1200, "pilot": 80}
    visits = tables["visits"]
    assert visits["visit"].dtype == "int64" and visits["pcs"].dtype == "float64" and visits["recovery"].dtype == "Int64"
    assert visits["pcs"].isna().sum() == visits["recovery"].isna().sum() > 0
    assert tables["participants"]["group"].isna().sum() == (tables["participants"]["arm"] == "usual care").sum()


def test_joined_table_has_a_row_a_visit_and_the_columns_of_the_person(harp):
    tables = read(harp)
    joined = records.joined(harp, tables, "visits")
    assert len(joined) == 1200 and {"arm", "site", "pcs"} <= set(joined)
    person = tables["participants"].set_index("id")["arm"]
    assert (joined["arm"].to_numpy() == person[joined["id"]].to_numpy()).all()
    assert records.joined(harp, tables, "pilot") is tables["pilot"]


def test_line_ends_and_byte_order_mark_do_not_matter(copied, harp_copy):
    before = read(copied)
    for file in harp_copy.glob("*.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    for name, frame in read(copied).items():
        pd.testing.assert_frame_equal(frame, before[name])


CELLS = {
    "not a number": ("visits.csv", 2, "synthetic-001,0,high,46.9,70,47.8,2.00,1.13", "line 2 › pcs", "high", "It must be a number."),
    "not a whole number": ("visits.csv", 2, "synthetic-001,0,27.7,46.9,70.5,47.8,2.00,1.13", "line 2 › recovery", "70.5", "It must be a whole number."),
    "words for missing": ("visits.csv", 3, "synthetic-001,3,NA,46.9,70,47.8,2.00,1.13", "line 3 › pcs", "NA", "It must be a number."),
    "nan": ("visits.csv", 3, "synthetic-001,3,nan,46.9,70,47.8,2.00,1.13", "line 3 › pcs", "nan", "It must be a number."),
    "infinite": ("visits.csv", 3, "synthetic-001,3,inf,46.9,70,47.8,2.00,1.13", "line 3 › pcs", "inf", "It must lie between 10 and 65."),
    "above": ("visits.csv", 4, "synthetic-001,6,65.1,46.9,70,47.8,2.00,1.13", "line 4 › pcs", "65.1", "It must lie between 10 and 65."),
    "below": ("visits.csv", 4, "synthetic-001,6,27.7,46.9,23,47.8,2.00,1.13", "line 4 › recovery", "23", "It must lie between 24 and 120."),
    "enormous": ("visits.csv", 4, "synthetic-001,6,27.7,46.9,9999999999999999999999,47.8,2.00,1.13", "line 4 › recovery", "9999999999999999999999", "between 24 and 120"),
    "unplanned visit": ("visits.csv", 4, "synthetic-001,12,27.7,46.9,70,47.8,2.00,1.13", "line 4 › visit", "12", "It must be one of: 0, 3, 6."),
    "unknown arm": ("pilot.csv", 5, "synthetic-pilot-04,HRAP,1,1", "line 5 › arm", "HRAP", "It must be one of: HARP, usual care."),
    "arm in other capitals": ("pilot.csv", 5, "synthetic-pilot-04,harp,1,1", "line 5 › arm", "harp", "It must be one of: HARP, usual care."),
    "empty where required": ("pilot.csv", 5, "synthetic-pilot-04,,1,1", "line 5 › arm", "", "This column may not be empty."),
    "too few cells": ("pilot.csv", 5, "synthetic-pilot-04,HARP", "line 5 › seen_before", "", "This column may not be empty."),
    "empty line": ("pilot.csv", 5, "", "line 5 › id", "", "This column may not be empty."),
    "key twice": ("pilot.csv", 5, "synthetic-pilot-03,HARP,1,1", "line 5 › id", "synthetic-pilot-03", "The key id stands twice."),
    "visit twice": ("visits.csv", 3, "synthetic-001,0,27.7,46.9,70,47.8,2.00,1.13", "line 3 › id", "synthetic-001", "The key id, visit stands twice."),
    "stranger": ("visits.csv", 4, "synthetic-999,6,27.7,46.9,70,47.8,2.00,1.13", "line 4 › id", "synthetic-999", "No row of participants.csv has this id."),
}  # fmt: skip


@pytest.mark.parametrize("fault", CELLS)
def test_cell_at_fault_is_named_with_file_line_column_value_and_remedy(copied, harp_copy, fault):
    file, line, text, field, value, remedy = CELLS[fault]
    change_file(harp_copy / file, with_line(line, text))
    with pytest.raises(StudyError) as caught:
        read(copied)
    error = caught.value
    assert (error.file, error.field, error.value) == (str(harp_copy / file), field, value)
    assert remedy in error.remedy
    assert str(error) == f"{harp_copy / file}: {field}: {value!r}. {error.remedy}"


FILES = {
    "no bytes": (lambda text: "", "file", "Not readable as CSV in UTF-8"),
    "not CSV": (lambda text: '{"rows": [1, 2]}', "header", "The columns must be id,arm,seen_before,seen_after"),
    "other column": (lambda text: text.replace("seen_after", "seen_later"), "header", "The columns must be id,arm,seen_before,seen_after"),
    "columns in another order": (lambda text: text.replace("id,arm", "arm,id", 1), "header", "as study.yml lists them"),
    "column twice": (lambda text: text.replace("seen_after", "seen_before", 1), "header", "The columns must be"),
    "header alone": (lambda text: text.split("\n")[0] + "\n", "line 2", "There is no row below the header."),
    "quote never closed": (with_line(4, '"synthetic-pilot-03,HARP,1,1'), "file", "Not readable as CSV in UTF-8"),
    "one line with too many cells": (with_line(4, "synthetic-pilot-03,HARP,1,1,1"), "file", "Not readable as CSV in UTF-8"),
    "every line with a cell more behind": (lambda text: text.replace("\n", ",1\n").replace(",1\n", "\n", 1), "line 2", "more cells than the header's 4"),
    "every line with a cell more in front": (lambda text: text.replace("\n", "\n1,").removesuffix("1,"), "line 2", "more cells than the header's 4"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FILES)
def test_file_at_fault_is_named_with_remedy(copied, harp_copy, fault):
    change, field, remedy = FILES[fault]
    change_file(harp_copy / "pilot.csv", change)
    with pytest.raises(StudyError) as caught:
        read(copied)
    assert (caught.value.file, caught.value.field) == (str(harp_copy / "pilot.csv"), field)
    assert remedy in caught.value.remedy


def test_bytes_that_are_not_utf8_are_refused(copied, harp_copy):
    file = harp_copy / "pilot.csv"
    file.write_bytes(file.read_bytes().replace(b"HARP", b"H\xc4RP", 1))
    with pytest.raises(StudyError, match=r"pilot.csv: file: .*Not readable as CSV in UTF-8"):
        read(copied)


@pytest.mark.parametrize("instead", ["nothing", "folder"])
def test_missing_file_is_named_with_the_command_that_makes_it(copied, harp_copy, instead):
    (harp_copy / "pilot.csv").unlink()
    if instead == "folder":
        (harp_copy / "pilot.csv").mkdir()
    with pytest.raises(StudyError, match=rf"pilot.csv: file. .*asprinted synthesise {harp_copy}"):
        read(copied)


# Writing


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, the hidden ones too, with its bytes."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_records_written_are_the_records_read(copied, harp_copy):
    before = files_of(harp_copy)
    tables = read(copied)
    for file in [*harp_copy.glob("*.csv"), harp_copy / "datapackage.json"]:
        file.unlink()
    written = write(copied, tables)
    assert [file.name for file in written] == ["participants.csv", "visits.csv", "pilot.csv", "datapackage.json"]
    assert files_of(harp_copy) == before


def test_text_of_a_table_has_each_columns_decimals_and_nothing_where_missing(harp):
    tables = read(harp)
    lines = records.as_csv(harp, "visits", tables["visits"].head(40)).decode("utf-8").split("\n")
    assert lines[0] == "id,visit,pcs,mcs,recovery,activation,self_efficacy,symptoms" and lines[-1] == ""
    for line in lines[1:-1]:
        _, visit, *scores = line.split(",")
        assert visit in ("0", "3", "6")
        assert scores == [""] * 6 or [len(score.partition(".")[2]) for score in scores] == [1, 1, 0, 1, 2, 2]
    assert any(line.endswith(",,,,,,") for line in lines)


class Stop(Exception):
    """What a simulated failure raises."""


@pytest.mark.parametrize("stop", [Stop, KeyboardInterrupt])
@pytest.mark.parametrize(("step", "turn"), [("fdopen", 1), ("fdopen", 2), ("chmod", 1), ("chmod", 2), ("replace", 1)])
def test_failure_while_writing_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch, step, turn, stop):
    old = {"people.csv": b"old", "visits.csv": b"old"}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    works, turns = getattr(os, step), []

    def fail(*arguments):
        turns.append(arguments)
        if len(turns) == turn:
            raise stop
        return works(*arguments)

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(stop):
        records.write_whole(tmp_path, dict.fromkeys(old, b"new"))
    assert files_of(tmp_path) == old and len(turns) == turn


def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "visits.csv"
    file.write_bytes(b"old")
    opened = os.fdopen

    class Narrow:
        """A file on a disk with room for one byte."""

        def __init__(self, handle, mode):
            self.stream = opened(handle, mode)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.stream.close()

        def write(self, content):
            self.stream.write(content[:1])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Narrow)
    with pytest.raises(OSError, match="No space left"):
        records.write_whole(tmp_path, {"visits.csv": b"new"})
    assert files_of(tmp_path) == {"visits.csv": b"old"}


def test_file_written_replaces_the_old_one_and_can_be_read_by_all(tmp_path):
    file = tmp_path / "visits.csv"
    file.write_bytes(b"a longer old text")
    assert records.write_whole(tmp_path, {"visits.csv": b"new"}) == [file]
    assert files_of(tmp_path) == {"visits.csv": b"new"}
    assert file.stat().st_mode & 0o777 == 0o644


def test_failure_between_two_files_leaves_whole_files_that_are_known_to_be_stale(copied, harp_copy, monkeypatch):
    tables = read(copied)
    tables["visits"].loc[0, "pcs"] = 64.9
    tables["participants"].loc[0, "age"] = 85
    before, replaced = files_of(harp_copy), []

    def fail_at_the_second(source, target):
        if replaced:
            raise Stop
        replaced.append(target)
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", fail_at_the_second)
    with pytest.raises(Stop):
        write(copied, tables)
    after = files_of(harp_copy)
    assert set(after) == set(before)
    assert [name for name in before if after[name] != before[name]] == ["participants.csv"]
    assert "participants.csv was changed by hand, or a run was killed while it replaced the files" in stale(harp_copy)


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("turn", [1, 3])
def test_ctrl_c_while_files_are_moved_waits_until_all_are(copied, harp_copy, monkeypatch, turn, ctrl_c):
    tables = read(copied)
    tables["participants"].loc[0, "age"] = 85
    moves, move, handler = [], os.replace, signal.getsignal(signal.SIGINT)

    def pressed(source, target):
        moves.append(target)
        if len(moves) == turn:
            signal.raise_signal(signal.SIGINT)
        move(source, target)

    monkeypatch.setattr(os, "replace", pressed)
    before = files_of(harp_copy)
    with pytest.raises(KeyboardInterrupt):
        write(copied, tables)
    after = files_of(harp_copy)
    assert [file.name for file in moves] == ["participants.csv", "visits.csv", "pilot.csv", "datapackage.json"]
    assert set(after) == set(before) and {name for name in before if after[name] != before[name]} == {"participants.csv", "datapackage.json"}
    assert stale(harp_copy) is None
    assert signal.getsignal(signal.SIGINT) is handler


def test_records_can_be_written_outside_the_main_thread(tmp_path):
    thread = threading.Thread(target=records.write_whole, args=(tmp_path, {"visits.csv": b"new"}))
    thread.start()
    thread.join()
    assert files_of(tmp_path) == {"visits.csv": b"new"}


def test_leavings_of_a_killed_run_are_swept_away_and_nothing_else(tmp_path):
    kept = [".visits.csv.notes", ".visits.csv.notes123.txt", "visits.csv.abcdefgh", ".people.csv.abcdefgh", ".visitsxcsv.abcdefgh", ".visits.csv.ABCDEFGH"]
    for name in [".visits.csv.ab_12xyz", ".datapackage.json.abcdefgh", *kept]:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".visits.csv.afolder_").mkdir()
    records.write_whole(tmp_path, {"visits.csv": b"new", "datapackage.json": b"{}"})
    assert {file.name for file in tmp_path.iterdir()} == {"visits.csv", "datapackage.json", ".visits.csv.afolder_", *kept}


def test_hidden_leavings_of_a_killed_run_do_not_disturb_reading(copied, harp_copy):
    (harp_copy / ".visits.csv.x1").write_bytes(b"id,visit\nhalf")
    assert len(read(copied)["visits"]) == 1200
    assert stale(harp_copy) is None


# Are the records those of the study file?


def test_records_in_the_repository_are_not_stale(harp):
    assert stale(harp.folder) is None


def test_line_ends_do_not_make_records_stale(harp_copy):
    for file in [*harp_copy.glob("*.csv"), harp_copy / "study.yml"]:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert stale(harp_copy) is None


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("study.yml", lambda text: text + "# later\n", "study.yml has changed since the records were made"),
        ("visits.csv", with_cell(2, 2, "64.9"), "visits.csv was changed by hand, or a run was killed while it replaced the files"),
        ("pilot.csv", lambda text: text + "\n", "pilot.csv was changed by hand"),
        ("datapackage.json", lambda text: "{", "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: "[]", "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: "null", "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: "{}", "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: text.replace('"resources"', '"sources2"'), "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: text.replace('"file": "study.yml"', '"file": 5'), "datapackage.json cannot be read"),
        ("datapackage.json", lambda text: text.replace('"path": "visits.csv"', '"path": "gone.csv"'), "gone.csv, named in datapackage.json, is missing"),
    ],
)
def test_stale_records_are_noticed_with_the_reason_and_the_remedy(harp_copy, file, change, reason):
    change_file(harp_copy / file, change)
    found = stale(harp_copy)
    assert reason in found and found.endswith(f"make them again with: asprinted synthesise {harp_copy}")
    assert "git checkout" not in found


@pytest.mark.parametrize(("place", "repository"), [("data", True), ("data", False), ("elsewhere", True)])
def test_git_is_the_remedy_only_in_the_data_folder_of_a_repository(harp_copy, tmp_path, place, repository):
    folder = tmp_path / place / "harp-trial"
    shutil.copytree(harp_copy, folder)
    if repository:
        (tmp_path / ".git").mkdir()
    change_file(folder / "study.yml", lambda text: text + "# later\n")
    found = stale(folder)
    if place == "data" and repository:
        assert "To undo it: git checkout data/harp-trial." in found and found.endswith("asprinted synthesise data/harp-trial")
    else:
        assert f"To undo it, put back the files of {folder} as they were." in found and found.endswith(f"asprinted synthesise {folder}")
        assert "git" not in found.replace(str(folder), "")


@pytest.mark.parametrize("file", ["datapackage.json", "study.yml", "visits.csv"])
def test_missing_file_makes_records_stale(harp_copy, file):
    (harp_copy / file).unlink()
    assert file in stale(harp_copy)


def test_table_that_the_package_does_not_list_makes_records_stale(harp_copy):
    package = json.loads((harp_copy / "datapackage.json").read_text("utf-8"))
    package["resources"] = [each for each in package["resources"] if each["name"] != "pilot"]
    (harp_copy / "datapackage.json").write_text(json.dumps(package), "utf-8")
    assert "pilot.csv is not in datapackage.json" in stale(harp_copy)


# The data package


@pytest.fixture(scope="module")
def package(harp) -> dict:
    return json.loads((harp.folder / "datapackage.json").read_text("utf-8"))


def test_package_validates_with_frictionless(harp):
    report = validate(str(harp.folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "note"])
    assert [task.name for task in report.tasks] == list(harp.tables)


@pytest.mark.parametrize(
    ("file", "change", "fault"),
    [
        ("visits.csv", with_cell(2, 2, "high"), "type-error"),
        ("visits.csv", with_cell(2, 2, "99.0"), "constraint-error"),
        ("visits.csv", with_cell(3, 0, "synthetic-999"), "foreign-key"),
        ("pilot.csv", with_cell(2, 1, "HRAP"), "constraint-error"),
        ("pilot.csv", with_cell(3, 0, "synthetic-pilot-01"), "primary-key"),
        ("pilot.csv", lambda text: text + "synthetic-pilot-81,HARP,1,1\n", "hash-count"),
    ],
)
def test_frictionless_finds_a_broken_cell(harp_copy, file, change, fault):
    change_file(harp_copy / file, change)
    report = validate(str(harp_copy / "datapackage.json"))
    assert fault in {row[0] for row in report.flatten(["type"])}


def test_package_describes_every_column_as_the_study_file_does(harp, package):
    for resource in package["resources"]:
        columns = harp.tables[resource["name"]]["columns"]
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == list(columns)
        for field in fields:
            spec = columns[field["name"]]
            assert field["description"] == spec["says"] and field["type"] == spec["type"]
            assert field["mark"] == ([spec["mark"]] if isinstance(spec["mark"], str) else spec["mark"])
            constraints = field.get("constraints", {})
            assert constraints.get("enum") == spec.get("values")
            assert (constraints.get("minimum"), constraints.get("maximum")) == (spec.get("minimum"), spec.get("maximum"))


def test_package_holds_the_checksums_of_its_files_and_of_the_study_file(harp, package):
    assert package["study"] == {"file": "study.yml", "sha256": harp.fingerprint}
    for resource in package["resources"]:
        content = (harp.folder / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}" and resource["bytes"] == len(content)


def test_package_and_each_table_say_that_nobody_in_them_exists(package):
    assert package["description"].startswith("Synthetic records: nobody in them exists.")
    for resource in package["resources"]:
        assert package["description"] in resource["description"]


def test_every_id_begins_with_synthetic(harp):
    for name, frame in read(harp).items():
        assert frame[harp.tables[name]["key"][0]].str.startswith("synthetic-").all()
