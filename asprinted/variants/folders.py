"""Where variants stand: a folder a student, whole or not there, the questions beside them, and the key, with the options it was made with, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from asprinted.records import PACKAGE, write_whole
from asprinted.study import StudyError
from asprinted.variants.answers import Answer
from asprinted.variants.making import Variant

BESIDE = ".unfinished-"  # what is being written, or was when its run was killed
OPTIONS = "options.json"
ANSWERS = ".answers.json"


def prepare(out: Path, key: Path, options: Mapping[str, Any]) -> None:
    """Make both folders, sweep away what an earlier run that was killed left half written, and write down the options."""
    for folder in (out, key):
        folder.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{BESIDE}*"):
        shutil.rmtree(left)
    write_whole(key, {OPTIONS: (json.dumps(options, indent=1, ensure_ascii=False) + "\n").encode("utf-8")})


def made_from(out: Path, student: str) -> str | None:
    """The fingerprint of the inputs that the student's folder was made from; None where there is no folder.

    Raises StudyError where the folder holds something else than a variant.
    """
    folder = out / student
    if not folder.exists():
        return None
    try:
        return json.loads((folder / PACKAGE).read_text("utf-8"))["variant"]["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StudyError(folder, PACKAGE, None, "This folder is no variant made here, and is not overwritten: move it away, or give another folder.") from None


def answered(key: Path, student: str) -> bool:
    """Whether the student's answers are there."""
    return _answers(key, student).is_file()


def earlier(key: Path) -> list[str]:
    """The students whose answers are there, by name: also of those whose folder was handed out and moved away."""
    return sorted(file.name.removesuffix(ANSWERS) for file in key.glob(f"*{ANSWERS}")) if key.is_dir() else []


def refuse_others(out: Path, key: Path, wanted: Mapping[str, str], options: Mapping[str, Any]) -> None:
    """Raise StudyError where variants there were made with other options, or would become others: student → fingerprint wanted now.

    Students may have these records in hand, and the key is of them. Nothing is written.
    """
    try:
        there = json.loads((key / OPTIONS).read_text("utf-8"))
    except (OSError, ValueError):
        there = None
    changed = [student for student, fingerprint in wanted.items() if made_from(out, student) not in (None, fingerprint)]
    if there == options or not (there or changed):
        if not changed:
            return
        differ = "something that they are made from has changed"
    else:
        differ = "; ".join(_differ(name, there.get(name), now) for name, now in options.items() if there.get(name) != now) if there else "with which options is not written down"
    who = f" Those of {len(changed)} students of the roster would be replaced, {changed[0]!r} first." if changed else ""
    remedy = f"Variants stand here that were made otherwise: {differ}.{who} Nothing was written. Give another folder with --out, or --replace to make those of the roster anew; others keep theirs."
    raise StudyError(out, "options", None, remedy)


def _differ(name: str, there: Any, now: Any) -> str:
    """What of one option is not as it was, in words."""
    if name == "study_file":
        return "study.yml has changed"
    there, now = ((" ".join(each) if isinstance(each, list) else each) or "none" for each in (there, now))
    named = f"--{name}" if name in ("course", "vary") else name
    return f"{named} was {there}, and is {now} now"


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
    return key / f"{student}{ANSWERS}"
