"""What a wheel of the library holds: every module, and the files that its commands read."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import flit_core.buildapi
import pytest

from tests.asprinted.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return zipfile.ZipFile(folder / flit_core.buildapi.build_wheel(str(folder)))


def test_wheel_holds_every_module_and_the_files_that_commands_read(wheel):
    there = {name for name in wheel.namelist() if name.startswith("asprinted/")}
    modules = {file.relative_to(ROOT).as_posix() for file in (ROOT / "asprinted").rglob("*.py")}
    assert there >= modules | {"asprinted/study.schema.json", "asprinted/paper/test_paper.txt"}


def test_wheel_installs_the_command_and_names_what_chapters_and_clusters_need(wheel):
    [entry_points] = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "asprinted=asprinted.__main__:run" in entry_points.replace(" ", "")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    [metadata] = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("METADATA")]
    for extra, needed in declared.items():
        assert f"Provides-Extra: {extra}" in metadata
        for each in needed:
            assert f"Requires-Dist: {each.split()[0]}" in metadata


def test_nothing_of_the_book_is_in_the_wheel(wheel):
    assert {Path(name).parts[0].partition("-")[0] for name in wheel.namelist()} == {"asprinted"}
