"""Marking: answers against the key, as students write them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from asprinted.study import StudyError
from asprinted.variants import answers, marking
from asprinted.variants.answers import Answer
from asprinted.variants.marking import Given, judged, mark


def answer(text: str, value: str, question: str = "score.change.p", student: str = "ada", kind: str = "number", printed: str = "") -> Answer:
    return Answer(student, question, "x", kind, printed or text, text, value, "", "", "half-up")


@pytest.mark.parametrize(
    ("text", "value", "given", "verdict", "says"),
    [
        (".046", "0.0461", ".046", "right", ""),
        (".046", "0.0461", "0.046", "right", ""),
        (".046", "0.0461", "p = .046", "right", ""),
        (".046", "0.0461", "0.0461", "right", ""),
        (".046", "0.04648", "0.0465", "right", ""),  # rightly rounded, though it would itself round to another text
        (".046", "0.0461", "0.0472", "wrong", "Another number"),
        (".046", "0.0461", ".047", "wrong", "Another number"),
        (".046", "0.0461", ".05", "too coarse", "give 3 decimals"),
        (".046", "0.0461", "<.05", "too coarse", ""),
        (".046", "0.0461", ".04", "wrong", ""),
        (".046", "0.0461", "0,046", "right", "decimal point"),
        (".046", "0.0461", "4.6", "wrong", "Per cent"),
        (".046", "0.0461", "4.6%", "wrong", "Per cent"),
        (".046", "0.0461", "-.046", "wrong", "sign"),
        (".046", "0.0461", "about .05", "not readable", "No number"),
        ("−1.3", "-1.32", "-1.3", "right", ""),
        ("−1.3", "-1.32", "–1.32", "right", ""),
        ("−1.3", "-1.32", "1.3", "wrong", "sign"),
        ("−1.3", "-1.32", "-1", "too coarse", "no decimals: give 1 decimal"),
        ("68.4%", "68.421", "68.4", "right", ""),
        ("68.4%", "68.421", "68%", "too coarse", ""),
        ("68.4%", "68.421", "0.684", "wrong", "multiply by a hundred"),
        ("68.4%", "68.421", "0,68421", "wrong", "multiply by a hundred"),
        ("<.001", "0.0002", "<.001", "right", ""),
        ("<.001", "0.0002", "< 0.001", "right", ""),
        ("<.001", "0.0002", "0.0002", "right", ""),
        ("<.001", "0.0002", "<.05", "too coarse", ""),
        ("<.001", "0.0002", "-0.0002", "wrong", ""),
        ("<.001", "0.0002", ".03", "wrong", ""),
        ("1,234", "1234", "1234", "right", ""),
        ("1,234", "1234", "1.234", "wrong", ""),
        ("0", "0", "0", "right", ""),
        ("three", "3", "3", "right", ""),
        ("3", "3", "three", "right", ""),
        ("0; 3; 6", "0; 3; 6", "6;3;0", "right", ""),
        ("0; 3; 6", "0; 3; 6", "0; 3", "wrong", "Other words"),
    ],
)  # fmt: skip
def test_an_answer_is_marked(text, value, given, verdict, says):
    found = judged(answer(text, value), given)
    assert found.mark == verdict and says in found.feedback
    assert found.feedback or verdict == "right"


def test_a_statement_may_be_answered_as_it_is_declared_or_by_its_number():
    key = answer("1.87", "1.8712", kind="direction", printed=">0")
    assert [judged(key, given).mark for given in (">0", "> 0", "1.87", "1.9", "<0", "-1.87")] == ["right", "right", "right", "too coarse", "wrong", "wrong"]


KEY = [answer(".046", "0.0461"), answer("2.7", "2.71", "score.new.est"), answer(".046", "0.0457", student="Ben"), answer("2.7", "2.68", "score.new.est", "Ben")]


def test_nothing_is_lost_of_what_was_given_or_asked():
    given = [
        Given("ada", "score.change.p", ".046", 2), Given("ben", "trial:score.change.p", "0.0461", 3), Given("eve", "score.change.p", "1", 4), Given("ada", "score.chnge.p", "1", 5),
        Given("ada", "score.change.p", ".05", 6), Given("Ben", "score.new.est", "", 7),
    ]  # fmt: skip
    marks = mark(KEY, given)
    assert [(each.student, each.question, each.mark, each.line) for each in marks] == [
        ("ada", "score.change.p", "right", 2), ("Ben", "score.change.p", "right", 3), ("eve", "score.change.p", "unknown student", 4), ("ada", "score.chnge.p", "unknown question", 5),
        ("ada", "score.change.p", "answered twice", 6), ("ada", "score.new.est", "missing", 0), ("Ben", "score.new.est", "missing", 0),
    ]  # fmt: skip
    assert "score.change.p" in marks[3].feedback


def test_a_students_own_records_count_and_not_a_neighbours():
    assert [each.mark for each in mark(KEY, [Given("ada", "score.change.p", "0.0457", 2), Given("Ben", "score.change.p", "0.0461", 3)])][:2] == ["right", "right"]  # both print .046
    assert mark(KEY, [Given("Ben", "score.new.est", "2.6", 2)])[0].mark == "wrong"


def test_sums_are_of_the_questions_asked():
    marks = mark(KEY, [Given("ada", "score.change.p", ".046", 2), Given("ada", "score.change.p", ".04", 3), Given("eve", "score.change.p", "1", 4), Given("Ben", "score.new.est", "3", 5)])
    students, questions = marking.sums(marks, "student"), marking.sums(marks, "question")
    assert dict(students["ada"]) == {"right": 1, "answered twice": 1, "missing": 1} and marking.share(students["ada"]) == 0.5
    assert dict(questions["score.new.est"]) == {"too coarse": 1, "missing": 1} and "eve" not in students


def test_keys_and_marks_survive_a_file(tmp_path: Path):
    for name, content in (("key.csv", answers.as_csv(KEY)), ("key.json", answers.as_json(KEY))):
        (tmp_path / name).write_bytes(content)
        assert answers.read_key(tmp_path / name) == KEY
    marks = mark(KEY, [Given("ada", "score.change.p", '0,046"', 2)])
    (tmp_path / "marks.csv").write_bytes(marking.as_csv(marks))
    with (tmp_path / "marks.csv").open(newline="", encoding="utf-8") as lines:
        assert [row["mark"] for row in csv.DictReader(lines)] == [each.mark for each in marks]


def test_answers_are_read_from_any_order_of_columns_and_separator(tmp_path: Path):
    (tmp_path / "a.csv").write_text("answer;student;note;question\n0,046;ada;;score.change.p\n\n1;ben\n", "utf-8")
    assert marking.read_answers(tmp_path / "a.csv") == [Given("ada", "score.change.p", "0,046", 2), Given("ben", "", "1", 4)]


@pytest.mark.parametrize(("text", "says"), [("student,answer\nada,1\n", "'question' is missing"), ("student,question,answer\nada,p,0,046\n", "line 2.*quotation marks"), ("", "missing")])
def test_answers_that_cannot_be_read_are_refused_by_line(tmp_path: Path, text, says):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with pytest.raises(StudyError, match=says):
        marking.read_answers(tmp_path / "a.csv")


@pytest.mark.parametrize(("name", "text", "says"), [("key.csv", "a,b\n1,2\n", "A key has the columns"), ("key.json", "{", "no answer key"), ("key.json", '[{"a": 1}]', "no answer key"), ("other.json", None, "No such file")])
def test_what_is_no_key_is_refused(tmp_path: Path, name, text, says):
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(StudyError, match=says):
        answers.read_key(tmp_path / name)
