"""Students' answers held against the key: right, too coarse, or wrong, with a word on what went wrong."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from asprinted import printed
from asprinted.study import SEPARATOR, StudyError, nearest
from asprinted.variants.answers import Answer
from asprinted.variants.roster import table

MARKS = ("right", "too coarse", "wrong", "not readable", "missing", "unknown student", "unknown question", "answered twice")


@dataclass(frozen=True)
class Mark:
    """One answer marked: `mark` is one of MARKS, of which `right` is worth a point; line: where it stands in the answers, 0 where it is missing."""

    student: str
    question: str
    given: str
    mark: str
    feedback: str
    line: int = 0


@dataclass(frozen=True)
class Given:
    """One answer as the student wrote it, and its line in the file."""

    student: str
    question: str
    text: str
    line: int


def read_answers(file: Path) -> list[Given]:
    """The answers of a CSV file with the columns student, question and answer, in its order. Raises StudyError that names the line at fault."""
    rows = table(file)
    header = next(rows, (1, []))[1]
    if missing := [name for name in ("student", "question", "answer") if name not in header]:
        raise StudyError(file, SEPARATOR.join(("line 1", "header")), ",".join(header), f"The column {missing[0]!r} is missing: give student, question and answer.")
    places = [header.index(name) for name in ("student", "question", "answer")]
    found = []
    for line, cells in rows:
        if len(cells) > len(header):
            raise StudyError(file, f"line {line}", ",".join(cells), f"It has {len(cells)} cells for {len(header)} columns: put an answer that holds a comma in quotation marks.")
        found.append(Given(*(cells[place] if place < len(cells) else "" for place in places), line))
    return found


def mark(key: Sequence[Answer], given: Iterable[Given]) -> list[Mark]:
    """A Mark for every answer given, in its order, and then one for every question of the key's that a student in it left out.

    Of two answers to one question the first counts. Students are told apart without regard to case.
    """
    known: dict[str, dict[str, Answer]] = {}
    for answer in key:
        known.setdefault(answer.student.lower(), {})[answer.question] = answer
    names = {answer.student.lower(): answer.student for answer in key}
    marks, left = [], {(student, question): None for student, own in known.items() for question in own}
    for each in given:
        who, question = each.student.lower(), each.question.rpartition(":")[2]
        if who not in known:
            marks.append(Mark(each.student, each.question, each.text, "unknown student", f"The key has no such student.{nearest(each.student, names.values())}", each.line))
        elif question not in known[who]:
            marks.append(Mark(names[who], each.question, each.text, "unknown question", f"The key has no such question.{nearest(question, known[who])}", each.line))
        elif (who, question) not in left:
            marks.append(Mark(names[who], question, each.text, "answered twice", "The first answer counts.", each.line))
        elif each.text:
            del left[who, question]
            marks.append(replace(judged(known[who][question], each.text), line=each.line))
    return marks + [Mark(names[who], question, "", "missing", "No answer.") for who, question in left]


def judged(key: Answer, text: str) -> Mark:
    """The Mark of one answer.

    A number is right where it lies among the values that print as the key's answer does, or is the computed value rounded
    rightly to its own decimals, of which it has as many or more. With fewer decimals an answer that agrees is too coarse.
    """

    def marked(verdict: str, feedback: str = "") -> Mark:
        return Mark(key.student, key.question, text, verdict, feedback)

    try:
        wanted = printed.parse(key.answer, key.rounding)
        value = Fraction(Decimal(key.value))
    except (ValueError, ArithmeticError):  # the answer is words, such as a list of values
        return marked("right") if _words(text) == _words(key.answer) else marked("wrong", "Other words, or others in number, than the records hold.")
    try:
        answer = printed.parse(text, key.rounding)
    except ValueError:
        answer = None
    if answer and answer.relation != "=" and key.kind in ("direction", "words") and answer.interval().contains(value) and answer.canonical == _declared(key.printed):
        return marked("right")
    comma = _with_point(text, key.rounding)
    for reading, note in ((answer, ""), (comma, f"Read as {text.replace(',', '.')}: write a decimal point.")):
        if reading and (verdict := _agrees(wanted, value, reading)):
            coarse = f"It agrees, but with {_decimals(reading.decimals)}: give {_decimals(wanted.decimals)}." if verdict == "too coarse" else ""
            return marked(verdict, " ".join(filter(None, (coarse, note))))
    if answer is None and comma is None:
        return marked("not readable", "No number can be read in it: write digits with a decimal point, such as 0.25.")
    for reading in filter(None, (answer, comma)):
        if wanted.relation == "=" and _agrees(wanted, value, _times(reading, Decimal(-1))):
            return marked("wrong", "The sign is the other one.")
        if _agrees(wanted, value, _times(reading, Decimal(100))):
            return marked("wrong", "A fraction, where per cent is asked for: multiply by a hundred.")
        if _agrees(wanted, value, _times(reading, Decimal(1).scaleb(-2))):
            return marked("wrong", "Per cent, where a fraction is asked for: divide by a hundred.")
    return marked("wrong", "Another number than the records give.")


def _agrees(wanted: printed.Printed, value: Fraction, answer: printed.Printed) -> str:
    """"right", "too coarse", or nothing where the answer does not agree."""
    if answer.relation != "=":
        if answer.canonical == wanted.canonical:
            return "right"
        return "too coarse" if answer.interval().contains(value) else ""
    if (answer.value < 0) != (value < 0) and answer.value != 0 and value != 0:
        return ""
    its_own = answer.interval().contains(value)
    if wanted.relation != "=":
        return "right" if wanted.interval().contains(answer.value) or its_own else ""
    if answer.decimals < wanted.decimals:
        return "too coarse" if its_own or answer.interval().contains(wanted.value) else ""
    return "right" if its_own or wanted.interval().contains(answer.value) else ""


def _declared(text: str) -> str:
    """What a statement in words is taken to mean, for comparison; empty where that is no inequality."""
    try:
        return printed.parse(text).canonical
    except ValueError:
        return ""


def _with_point(text: str, rounding: str) -> printed.Printed | None:
    """The answer read with a decimal comma; None where it has none, or is no number then either."""
    if text.count(",") != 1:
        return None
    try:
        return printed.parse(text.replace(",", "."), rounding)
    except ValueError:
        return None


def _times(answer: printed.Printed, factor: Decimal) -> printed.Printed:
    return replace(answer, value=answer.value * factor, negative=answer.negative != (factor < 0))


def _words(text: str) -> list[str]:
    return sorted(part.strip().lower() for part in text.split(";"))


def _decimals(number: int) -> str:
    return "no decimals" if number == 0 else f"{number} decimal{'s' * (number > 1)}"


def as_csv(marks: Sequence[Mark]) -> bytes:
    """The marks as CSV in UTF-8, a line an answer."""
    text = io.StringIO(newline="")
    rows = csv.DictWriter(text, [field.name for field in fields(Mark)], lineterminator="\n")
    rows.writeheader()
    rows.writerows(map(asdict, marks))
    return text.getvalue().encode("utf-8")


def sums(marks: Sequence[Mark], by: str) -> dict[str, Counter[str]]:
    """How often each mark was given, by `student` or `question`, in order of appearance; of students and questions that the key has."""
    found: dict[str, Counter[str]] = {}
    for each in marks:
        if each.mark not in ("unknown student", "unknown question"):
            found.setdefault(getattr(each, by), Counter())[each.mark] += 1
    return found


def share(counts: Counter[str]) -> float:
    """The share of questions that were answered rightly; nan where there are none."""
    asked = counts.total() - counts["answered twice"]
    return counts["right"] / asked if asked else math.nan
