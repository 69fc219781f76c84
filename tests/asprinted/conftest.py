"""What the tests of the library share: folders with a study file, real or changed, and hypothesis without files."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import configuration, settings

from asprinted import study as studies
from asprinted.study import Study

ROOT = Path(__file__).resolve().parents[2]
HARP = ROOT / "data" / "harp-trial"
CRISIS = ROOT / "data" / "crisis-readmission-trial"

configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "asprinted-hypothesis")
settings.register_profile("asprinted", database=None, derandomize=True, deadline=None, max_examples=100)
settings.load_profile("asprinted")


@pytest.fixture(scope="session")
def harp() -> Study:
    """The HARP study as it stands in data/."""
    return studies.load(HARP)


@pytest.fixture(scope="session")
def _harp_data() -> dict[str, Any]:
    return studies._parse(HARP / "study.yml", (HARP / "study.yml").read_bytes())


@pytest.fixture
def data(_harp_data: dict[str, Any]) -> dict[str, Any]:
    """What the HARP study file holds, as a fresh dictionary that a test may change."""
    return copy.deepcopy(_harp_data)


@pytest.fixture(scope="session")
def crisis() -> Study:
    """The study of readmission after a crisis as it stands in data/: the families logistic and cox, events, durations, scales."""
    return studies.load(CRISIS)


@pytest.fixture(scope="session")
def _crisis_data() -> dict[str, Any]:
    return studies._parse(CRISIS / "study.yml", (CRISIS / "study.yml").read_bytes())


@pytest.fixture
def crisis_data(_crisis_data: dict[str, Any]) -> dict[str, Any]:
    """What that study file holds, as a fresh dictionary that a test may change."""
    return copy.deepcopy(_crisis_data)


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a study file (a dictionary, text or bytes) and returns its folder."""

    def write(content: dict[str, Any] | str | bytes, slug: str = "some-trial") -> Path:
        folder = tmp_path / slug
        folder.mkdir(exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content, ensure_ascii=False)  # JSON is YAML
        (folder / "study.yml").write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def load_data(write_study: Callable[..., Path]) -> Callable[..., Study]:
    """A function that gives the study of a dictionary, without the time that reading its YAML takes."""

    def load(data: dict[str, Any], slug: str = "some-trial") -> Study:
        folder = write_study(data, slug)
        with mock.patch.object(studies, "_parse", return_value=data):
            return studies.load(folder)

    return load


@pytest.fixture
def harp_copy(tmp_path: Path) -> Path:
    """A folder with a copy of the HARP study file and records, called harp-trial."""
    return Path(shutil.copytree(HARP, tmp_path / "harp-trial"))


@pytest.fixture
def copied(harp: Study, harp_copy: Path) -> Study:
    """The HARP study whose folder is `harp_copy`."""
    return dataclasses.replace(harp, folder=harp_copy)


@pytest.fixture
def asprinted_command(process_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs `python -m asprinted …` in a process of its own."""

    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "asprinted", *map(str, arguments)],
            cwd=ROOT, env=process_environment, capture_output=True, text=True, timeout=120, **options,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def process_environment() -> dict[str, str]:
    """The environment of a Python process that imports the library from this repository and leaves no bytecode."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
