"""The answer key: what each student's records give for every claim that is recomputed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from asprinted import printed, reanalysis, verdict
from asprinted.chapter import null_value
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.variants import sheets


@dataclass(frozen=True)
class Answer:
    """What one student's records give for one claim, all of it text.

    question: the claim's id. printed: the source's text, whose style the answer has. answer: the computed value in that style.
    value: the computed value with every digit. low, high: the values that print as the answer; empty where open, or where the
    answer is words.
    """

    student: str
    question: str
    says: str
    kind: str
    printed: str
    answer: str
    value: str
    low: str
    high: str
    rounding: str


def answers(study: Study, student: str, analysis: reanalysis.Reanalysis) -> tuple[Answer, ...]:
    """An Answer for every claim of `study` that is not context, in its order, from the student's records in `analysis`."""
    found = []
    for id, claim in study.claims.items():
        if not claim.by or claim.kind == "context":
            continue
        value = analysis.value(claim.by)
        judged = verdict.judge(claim, value, null_value(study, id))
        low = high = ""
        if not isinstance(value, str):
            interval = printed.parse(judged.computed, claim.rounding).interval()
            low, high = ("" if end is None else f"{end:f}" for end in interval[:2])
        exact = value if isinstance(value, str) else repr(int(value) if float(value).is_integer() else float(value))
        found.append(Answer(student, id, claim.says, claim.kind, judged.printed, judged.computed, exact, low, high, claim.rounding))
    return tuple(found)


def as_csv(key: Iterable[Answer]) -> bytes:
    """The key as CSV in UTF-8, a line an answer."""
    return sheets.as_csv(Answer, key)


def as_json(key: Iterable[Answer]) -> bytes:
    """The key as JSON in UTF-8: a list of answers."""
    return (json.dumps([asdict(each) for each in key], indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_key(file: Path) -> list[Answer]:
    """The answers of a key in CSV or, by the file's name, JSON. Raises StudyError that names the line or entry at fault."""
    names = [field.name for field in fields(Answer)]
    if file.suffix.lower() == ".json":
        try:
            return [Answer(**entry) for entry in json.loads(file.read_text("utf-8"))]
        except OSError as error:
            raise StudyError(file, "file", None, f"{error.strerror}. Give the key that the variants were made with.") from None
        except (ValueError, TypeError) as error:
            raise StudyError(file, "file", None, f"It is no answer key ({error}): give the key.json that the variants were made with.") from None
    rows = sheets.table(file)
    header = next(rows, (1, []))[1]
    if header != names:
        raise StudyError(file, SEPARATOR.join(("line 1", "header")), ",".join(header), f"A key has the columns {','.join(names)}: give the key.csv that the variants were made with.")
    key = []
    for line, cells in rows:
        if len(cells) != len(names):
            raise StudyError(file, f"line {line}", len(cells), f"A key has {len(names)} cells a line: make it again.")
        key.append(Answer(*cells))
    return key
