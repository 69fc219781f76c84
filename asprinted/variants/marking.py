"""Students' answers held against the key: right, too coarse, or wrong, with a word on what went wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from asprinted import printed
from asprinted.study import SEPARATOR, StudyError, nearest
from asprinted.variants import asking, sheets
from asprinted.variants.answers import Answer

MARKS = ("right", "too coarse", "wrong", "not readable", "missing", "unknown student", "unknown question", "answered twice", "not asked")
COLUMNS = ("student", "question", "answer")
UNCOUNTED = ("unknown student", "unknown question", "not asked")


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
    """The answers of a CSV file with the columns student, question and answer, in any order and with any capitals. Raises StudyError that names the line at fault."""
    rows = sheets.table(file)
    header = next(rows, (1, []))[1]
    names = [name.strip().lower() for name in header]
    if missing := [name for name in COLUMNS if name not in names]:
        raise StudyError(file, SEPARATOR.join(("line 1", "header")), ",".join(header), f"The column {missing[0]!r} is missing: give {', '.join(COLUMNS[:-1])} and {COLUMNS[-1]}.")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise StudyError(file, SEPARATOR.join(("line 1", "header")), ",".join(header), f"The column {twice[0]!r} stands there twice: leave one.")
    places = [names.index(name) for name in COLUMNS]
    found = []
    for line, cells in rows:
        if len(cells) > len(header):
            raise StudyError(file, f"line {line}", ",".join(cells), f"It has {len(cells)} cells for {len(header)} columns: put an answer that holds a comma in quotation marks.")
        found.append(Given(*(cells[place] if place < len(cells) else "" for place in places), line))
    return found


def asked(file: Path, key: Sequence[Answer], ids: Iterable[str]) -> list[str]:
    """The questions of the key, which stands in `file`, that `ids` name. Raises StudyError, with the nearest name, where the key has none of that name."""
    questions = dict.fromkeys(answer.question for answer in key)
    found = []
    for id in ids:
        if (question := _question(id)) not in questions:
            raise StudyError(file, "question", id, f"The key has no such question.{nearest(question, questions)}")
        found.append(question)
    return found


def mark(key: Sequence[Answer], given: Iterable[Given], asked: Collection[str] = ()) -> list[Mark]:
    """A Mark for every answer given, in its order, and then one for every question that was asked and that a student of the key's left out.

    asked: the questions of the exercise, with or without their study; where none are named, those of the key that any student answered, or left empty in a line of its own.
    Of two answers to one question the later counts. Students and questions are told apart without regard to case.
    """
    given = list(given)
    known: dict[str, dict[str, Answer]] = {}
    for answer in key:
        known.setdefault(answer.student.lower(), {})[answer.question] = answer
    names = {answer.student.lower(): answer.student for answer in key}
    wanted = set(map(_question, asked)) or {_question(each.question) for each in given if each.student.lower() in known}
    last = {(each.student.lower(), _question(each.question)): each for each in given if each.text}
    left = {(who, question): None for who, own in known.items() for question in own if question in wanted and (who, question) not in last}
    marks, before = [], {}
    for each in given:
        who, question = each.student.lower(), _question(each.question)
        if who not in known:
            marks.append(Mark(each.student, each.question, each.text, "unknown student", f"The key has no such student.{nearest(each.student, names.values())}", each.line))
        elif question not in known[who]:
            marks.append(Mark(names[who], each.question, each.text, "unknown question", f"The key has no such question.{nearest(question, known[who])}", each.line))
        elif question not in wanted:
            marks.append(Mark(names[who], question, each.text, "not asked", "It is not one of the questions asked, and does not count.", each.line))
        elif each.text and each is not last[who, question]:
            marks.append(Mark(names[who], question, each.text, "answered twice", f"The later answer counts, in line {last[who, question].line}.", each.line))
            before[who, question] = each.line
        elif each.text:
            found = judged(known[who][question], each.text)
            instead = f"It counts instead of line {before[who, question]}." if (who, question) in before else ""
            marks.append(replace(found, line=each.line, feedback=" ".join(filter(None, (found.feedback, instead)))))
    return marks + [Mark(names[who], question, "", "missing", "No answer.") for who, question in left]


def _question(text: str) -> str:
    """A claim's id as the key has it, from one with or without its study, in any capitals."""
    return text.rpartition(":")[2].strip().lower()


def judged(key: Answer, text: str) -> Mark:
    """The Mark of one answer.

    A number is right where it lies among the values that print as the key's answer does, or is the computed value rounded
    rightly to its own decimals, of which it has as many as were asked for, or more. With fewer decimals an answer that agrees is too coarse.
    What the source has in words is answered by the number behind them; a direction also by the inequality that it is declared as.
    """

    def marked(verdict: str, feedback: str = "") -> Mark:
        return Mark(key.student, key.question, text, verdict, feedback)

    try:
        wanted = printed.parse(key.answer, key.rounding)
        value = Fraction(Decimal(key.value))
    except (ValueError, ArithmeticError):  # the answer is words, such as a list of values
        return marked("right") if _words(text) == _words(key.answer) else marked("wrong", "Other words, or others in number, than the records hold.")
    needed = int(key.decimals) if key.decimals else wanted.decimals
    try:
        answer = printed.parse(text, key.rounding)
    except ValueError:
        answer = None
    if answer and answer.relation != "=" and key.kind == "direction" and answer.interval().contains(value) and answer.canonical == _declared(key.printed):
        return marked("right")
    comma = _with_point(text, key.rounding)
    for reading, note in ((answer, ""), (comma, f"Read as {text.replace(',', '.')}: write a decimal point.")):
        if reading and (verdict := _agrees(wanted, value, reading, needed)):
            coarse = f"It agrees, but {_with(reading)}: give {asking.in_words(needed)}." if verdict == "too coarse" else ""
            return marked(verdict, " ".join(filter(None, (coarse, note))))
    if answer is None and comma is None:
        return marked("not readable", "No number can be read in it: write digits with a decimal point, such as 0.25.")
    for reading in filter(None, (answer, comma)):
        if wanted.relation == "=" and _agrees(wanted, value, _times(reading, Decimal(-1)), needed):
            return marked("wrong", "The sign is the other one.")
        if _agrees(wanted, value, _times(reading, Decimal(100)), needed):
            return marked("wrong", "A fraction, where per cent is asked for: multiply by a hundred.")
        if _agrees(wanted, value, _times(reading, Decimal(1).scaleb(-2)), needed):
            return marked("wrong", "Per cent, where a fraction is asked for: divide by a hundred.")
    return marked("wrong", "Another number than the records give.")


def _agrees(wanted: printed.Printed, value: Fraction, answer: printed.Printed, needed: int) -> str:
    """"right", "too coarse" with fewer than the decimals `needed`, or nothing where the answer does not agree."""
    if answer.relation != "=":
        if answer.canonical == wanted.canonical:
            return "right"
        return "too coarse" if answer.interval().contains(value) else ""
    if (answer.value < 0) != (value < 0) and answer.value != 0 and value != 0:
        return ""
    its_own = answer.interval().contains(value)
    if wanted.relation != "=":
        return "right" if wanted.interval().contains(answer.value) or its_own else ""
    if answer.decimals < needed:
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


def _with(answer: printed.Printed) -> str:
    return f"with {asking.in_words(answer.decimals)}" if answer.relation == "=" else "it gives no number"


def as_csv(marks: Sequence[Mark]) -> bytes:
    """The marks as CSV in UTF-8, a line an answer."""
    return sheets.as_csv(Mark, marks)


def sums(marks: Sequence[Mark], by: str) -> dict[str, Counter[str]]:
    """How often each mark was given, by `student` or `question`, in order of appearance; of students and questions that the key has, as far as they were asked."""
    found: dict[str, Counter[str]] = {}
    for each in marks:
        if each.mark not in UNCOUNTED:
            found.setdefault(getattr(each, by), Counter())[each.mark] += 1
    return found


def share(counts: Counter[str]) -> float:
    """The share of questions that were answered rightly; nan where there are none."""
    asked = counts.total() - counts["answered twice"]
    return counts["right"] / asked if asked else math.nan
