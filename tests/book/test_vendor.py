"""Vendored files are the ones that their origin names, with licence and nothing beside."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("folder", sorted((ROOT / "vendor").iterdir()), ids=lambda folder: folder.name)
def test_vendored_files_are_unchanged_and_complete(folder):
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    wanted = {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"SHA256SUMS", "ORIGIN.md"}
    }
    assert found == wanted and "LICENSE" in found
    origin = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    name, _, version = folder.name.rpartition("-")
    assert name in origin and version in origin and "Licence:" in origin
