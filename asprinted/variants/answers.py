"""The answer key: what each student's records give for every claim that is recomputed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from asprinted import printed, reanalysis, verdict
from asprinted.chapter import null_value
from asprinted.study import SEPARATOR, Claim, Study, StudyError
from asprinted.variants import asking, sheets

MORE = 17  # decimals that a number near the edge of what is declared may take beside those asked for


@dataclass(frozen=True)
class Answer:
    """What one student's records give for one claim, all of it text.

    question: the claim's id. printed: the source's text, whose style the answer has. answer: the computed value in that style; of what the
    source has in words, the number, which is as the words are declared. value: the computed value with every digit. low, high: the values
    that print as the answer; empty where open, or where the answer is words. decimals: how many are asked for; empty of words.
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
    decimals: str = ""


def answers(study: Study, student: str, analysis: reanalysis.Reanalysis) -> tuple[Answer, ...]:
    """An Answer for every claim of `study` that is not context, in its order, from the student's records in `analysis`."""
    found = []
    for id, claim in study.claims.items():
        if not claim.by or claim.kind == "context":
            continue
        value = analysis.value(claim.by)
        judged = verdict.judge(claim, value, null_value(study, id))
        low = high = ""
        computed, wanted = judged.computed, asking.decimals(study, claim)
        if not isinstance(value, str):
            if claim.kind in ("words", "direction"):
                computed = _of_words(claim, value, wanted, judged.verdict == "holds")
            interval = printed.parse(computed, claim.rounding).interval()
            low, high = ("" if end is None else f"{end:f}" for end in interval[:2])
        exact = value if isinstance(value, str) else repr(int(value) if float(value).is_integer() else float(value))
        found.append(Answer(student, id, claim.says, claim.kind, judged.printed, computed, exact, low, high, claim.rounding, "" if wanted is None else str(wanted)))
    return tuple(found)


def _of_words(claim: Claim, value: printed.Number, decimals: int, holds: bool) -> str:
    """The number behind words, with so many decimals, or with more where a value in the declared set would else round out of it."""
    declared = printed.declared_interval(claim.declared or "")
    rounded = next((number for number in (printed.round_to(value, decimals + more, claim.rounding) for more in range(MORE)) if not holds or declared.contains(number)), value)
    return f"{rounded:f}".replace("-", "−")


def _in_folder(folder: Path) -> Path:
    """The key.csv of a folder of keys, or of the variants above it. Raises StudyError where there is none."""
    there = [each for each in (folder / "key.csv", folder / "key" / "key.csv") if each.is_file()]
    if not there:
        raise StudyError(folder, "file", None, "It is a folder, and no key.csv stands in it: give the key.csv or the key.json that stands in the folder key/ of the variants.")
    return there[0]


def as_csv(key: Iterable[Answer]) -> bytes:
    """The key as CSV in UTF-8, a line an answer."""
    return sheets.as_csv(Answer, key)


def as_json(key: Iterable[Answer]) -> bytes:
    """The key as JSON in UTF-8: a list of answers."""
    return (json.dumps([asdict(each) for each in key], indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_key(file: Path) -> list[Answer]:
    """The answers of a key in CSV or, by the file's name, JSON; one without `decimals`, as older versions wrote it, leaves them empty.

    A folder stands for the key.csv in it, or in its folder key/. Raises StudyError that names the line or entry at fault.
    """
    if file.is_dir():
        file = _in_folder(file)
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
    if header not in (names, names[:-1]):
        raise StudyError(file, SEPARATOR.join(("line 1", "header")), ",".join(header), f"A key has the columns {','.join(names)}: give the key.csv that the variants were made with.")
    key = []
    for line, cells in rows:
        if len(cells) != len(header):
            raise StudyError(file, f"line {line}", len(cells), f"This key has {len(header)} cells a line: give it as it was made.")
        key.append(Answer(*cells))
    return key
