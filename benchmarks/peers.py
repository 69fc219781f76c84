"""Peers of the synthesis that are no part of the book's environment, installed for the benchmark alone."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

from benchmarks.report import output
from book.errors import BookError

FOLDER = Path("_build", "benchmark-peers")
REQUIREMENTS = Path("benchmarks", "requirements.txt")


def pinned(root: Path) -> dict[str, str]:
    """Return the version of each peer that benchmarks/requirements.txt names."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (root / REQUIREMENTS).read_text(encoding="utf-8"), re.M))


def pysprite(root: Path) -> ModuleType:
    """Return pysprite, in the version pinned; raise BookError if it is missing and cannot be installed."""
    folder = root / FOLDER
    if pinned(root) != installed(folder):
        print(f"installing {REQUIREMENTS} in {FOLDER} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
        try:
            output(root, [*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", str(folder), "-r", str(REQUIREMENTS)])
        except BookError as problem:
            shutil.rmtree(folder, ignore_errors=True)
            raise BookError(f"{problem}\nThe peers of the benchmark need the network once. Without it choose rows that need none, "
                            'for example: make bench ARGS="--only records --only events --only proofs"')  # fmt: skip
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # last: numpy and the others come from the book's environment
    return importlib.import_module("pysprite")


def installed(folder: Path) -> dict[str, str]:
    """Return the version of each package in the folder."""
    return {found.name: found.version for found in importlib.metadata.distributions(path=[str(folder)])}
