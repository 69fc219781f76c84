"""The chapter of a study, and the tests that prove it: written where there is none, made anew where nobody has edited it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from asprinted import records
from asprinted.paper import blanks, notebook, places
from asprinted.study import Study, StudyError, load

SETTINGS = "# pytest executes the chapter too: its checks raise an error where a number does not print.\n[pytest]\naddopts = --nbval-lax -p no:cacheprovider\n"


def write(folder: Path) -> tuple[list[Path], list[Path], list[tuple[str, str]]]:
    """The files written, those left as they were since somebody edited them, and (claim, reason) of each that no cell could be written for.

    Raises StudyError where the study file is not filled in, or its records are not there or not of it.
    """
    blanks.refuse(folder)
    study = load(folder)
    tables = {name: records.joined(study, read, name) for read in [records.read(study)] for name in read}
    if reason := records.stale(study.folder):
        raise StudyError(study.file, "records", None, f"A chapter is made of records that are those of the study file. {reason}.")
    where = places.of(folder)
    made, unwritten = notebook.chapter(study, tables, where.records, where.in_book)
    files = {where.chapter: json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"}
    if where.in_book:
        files[where.chapter.with_suffix(".questions.yml")] = _questions(study)
    else:
        files |= {where.tests: resources.files("asprinted.paper").joinpath("test_paper.txt").read_text("utf-8"), where.settings: SETTINGS}
    wrote, left = [], []
    for file, text in files.items():
        (wrote if _may_write(file, text) else left).append(file)
    records.write_whole(where.chapter.parent, {file.name: files[file].encode("utf-8") for file in wrote if file.parent == where.chapter.parent})
    return wrote, left, unwritten


def _may_write(file: Path, text: str) -> bool:
    """Whether a file is not there, is the same already, or is a chapter whose cells nobody has edited."""
    if not file.exists():
        return True
    there = file.read_bytes()
    if there == text.encode("utf-8"):
        return True
    if file.suffix != ".ipynb":
        return False
    try:
        return notebook.unedited(json.loads(there))
    except (ValueError, AttributeError, TypeError):
        return False


def _questions(study: Study) -> str:
    """A first question for the book's quiz: the first printed number of a model, or of anything."""
    numbers = [claim for claim in study.claims.values() if claim.kind == "number" and claim.by]
    first = next((claim for claim in numbers if "model" in claim.by), numbers[0] if numbers else None)
    if first is None:
        return "[]\n"
    stem, words = json.dumps(f"{first.says}: compute it from the records.", ensure_ascii=False), "Say here which rows and which model give it."
    return f'- id: first-number\n  stem: {stem}\n  section: Reanalyse\n  kind: numeric\n  answer: {{claim: {first.id}}}\n  feedback: "{words}"\n'
