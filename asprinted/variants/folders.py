"""Where variants stand: a folder a student, whole or not there, and the key in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from asprinted.records import PACKAGE, write_whole
from asprinted.study import StudyError
from asprinted.variants.answers import Answer
from asprinted.variants.making import Variant

BESIDE = ".unfinished-"  # what is being written, or was when its run was killed


def prepare(out: Path, key: Path) -> None:
    """Make both folders, and sweep away what an earlier run that was killed left half written."""
    for folder in (out, key):
        folder.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{BESIDE}*"):
        shutil.rmtree(left)


def finished(out: Path, key: Path, student: str, fingerprint: str) -> bool:
    """Whether the student's folder and answers are there and made from inputs of this fingerprint.

    Raises StudyError where the folder holds something else than a variant.
    """
    folder = out / student
    if not folder.exists():
        return False
    try:
        made_from = json.loads((folder / PACKAGE).read_text("utf-8"))["variant"]["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StudyError(folder, PACKAGE, None, "This folder is no variant made here, and is not overwritten: move it away, or give another folder.") from None
    return made_from == fingerprint and _answers(key, student).is_file()


def write(out: Path, key: Path, variant: Variant) -> None:
    """Put a variant in its place: answers first, then the folder, written beside and renamed; an older variant makes way."""
    write_whole(key, {_answers(key, variant.student).name: json.dumps([asdict(each) for each in variant.answers], ensure_ascii=False).encode("utf-8")})
    beside = Path(tempfile.mkdtemp(prefix=f"{BESIDE}{variant.student}.", dir=out))
    for name, content in variant.contents.items():
        (beside / name).write_bytes(content)
    beside.chmod(0o755)
    folder, old = out / variant.student, None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=BESIDE, dir=out))
        os.rename(folder, old / folder.name)
    os.rename(beside, folder)
    if old:
        shutil.rmtree(old)


def read_answers(key: Path, student: str) -> list[Answer]:
    """The answers of one finished student."""
    return [Answer(**entry) for entry in json.loads(_answers(key, student).read_text("utf-8"))]


def _answers(key: Path, student: str) -> Path:
    return key / f"{student}.answers.json"
