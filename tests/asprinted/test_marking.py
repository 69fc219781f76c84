"""Marking: answers against the key, as students write them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from asprinted.cli import main
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


def test_words_of_the_source_are_answered_by_the_number_with_the_decimals_asked_for():
    key = replace(answer("0.0502", "0.0502", kind="words", printed=">0.05"), decimals="3")
    assert [judged(key, given).mark for given in (".050", "0.0502", ">0.05", ".05", ".051", ".049")] == ["right", "right", "too coarse", "too coarse", "wrong", "wrong"]
    assert "gives no number: give 3 decimals" in judged(key, ">0.05").feedback and "with 2 decimals: give 3" in judged(key, ".05").feedback


KEY = [answer(".046", "0.0461"), answer("2.7", "2.71", "score.new.est"), answer(".046", "0.0457", student="Ben"), answer("2.7", "2.68", "score.new.est", "Ben")]


def test_nothing_is_lost_of_what_was_given_or_asked():
    given = [
        Given("ada", "score.change.p", ".046", 2), Given("ben", "trial:score.change.p", "0.0461", 3), Given("eve", "score.change.p", "1", 4), Given("ada", "score.chnge.p", "1", 5),
        Given("ada", "score.change.p", ".05", 6), Given("Ben", "score.new.est", "", 7),
    ]  # fmt: skip
    marks = mark(KEY, given)
    assert [(each.student, each.question, each.mark, each.line) for each in marks] == [
        ("ada", "score.change.p", "answered twice", 2), ("Ben", "score.change.p", "right", 3), ("eve", "score.change.p", "unknown student", 4), ("ada", "score.chnge.p", "unknown question", 5),
        ("ada", "score.change.p", "too coarse", 6), ("ada", "score.new.est", "missing", 0), ("Ben", "score.new.est", "missing", 0),
    ]  # fmt: skip
    assert "'score.change.p'" in marks[3].feedback
    assert "in line 6" in marks[0].feedback and "instead of line 2" in marks[4].feedback


def test_a_student_unknown_to_the_key_is_named_with_the_nearest_of_the_names():
    key = [answer("1", "1", student="binta"), answer("1", "1", student="chidi")]
    assert "'binta'" in mark(key, [Given("bnita", "score.change.p", "1", 2)])[0].feedback


def test_a_later_correction_counts_and_an_empty_line_is_none():
    given = [Given("ada", "score.change.p", text, line) for line, text in ((2, ".4"), (3, ".5"), (4, ".046"), (5, ""))]
    marks = [each for each in mark(KEY, given) if each.student == "ada"]
    assert [(each.mark, each.line) for each in marks] == [("answered twice", 2), ("answered twice", 3), ("right", 4)]
    assert [each.feedback for each in marks] == ["The later answer counts, in line 4."] * 2 + ["It counts instead of line 3."]


def test_a_question_that_nobody_was_asked_is_not_missing():
    marks = mark(KEY, [Given("ada", "score.change.p", ".046", 2)])
    assert [(each.student, each.question, each.mark) for each in marks] == [("ada", "score.change.p", "right"), ("Ben", "score.change.p", "missing")]
    assert mark(KEY, [Given("eve", "score.new.est", "2", 2)])[1:] == []  # who is not in the course asks nothing


def test_questions_that_are_named_are_those_that_count():
    named = marking.asked(Path("key.csv"), KEY, ["trial:Score.New.est"])
    marks = mark(KEY, [Given("ada", "score.change.p", ".046", 2), Given("ada", "SCORE.new.est ", "2.7", 3)], named)
    assert [(each.student, each.question, each.mark) for each in marks] == [("ada", "score.change.p", "not asked"), ("ada", "score.new.est", "right"), ("Ben", "score.new.est", "missing")]
    assert marking.sums(marks, "question").keys() == {"score.new.est"} and marking.share(marking.sums(marks, "student")["ada"]) == 1
    with pytest.raises(StudyError, match=r"key\.csv.*score\.nw\.est.*Did you mean 'score\.new\.est'"):
        marking.asked(Path("key.csv"), KEY, ["score.nw.est"])


def test_a_students_own_records_count_and_not_a_neighbours():
    assert [each.mark for each in mark(KEY, [Given("ada", "score.change.p", "0.0457", 2), Given("Ben", "score.change.p", "0.0461", 3)])][:2] == ["right", "right"]  # both print .046
    assert mark(KEY, [Given("Ben", "score.new.est", "2.6", 2)])[0].mark == "wrong"


def test_sums_are_of_the_questions_asked():
    marks = mark(KEY, [Given("ada", "score.change.p", ".04", 2), Given("ada", "score.change.p", ".046", 3), Given("eve", "score.change.p", "1", 4), Given("Ben", "score.new.est", "3", 5)])
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


def test_the_header_may_have_capitals_and_blanks(tmp_path: Path):
    (tmp_path / "a.csv").write_text(" Student ,QUESTION,Group , Answer\nada,p,1,.046\n", "utf-8")
    assert marking.read_answers(tmp_path / "a.csv") == [Given("ada", "p", ".046", 2)]
    (tmp_path / "a.csv").write_text("student,question,answer,Answer\nada,p,1,.046\n", "utf-8")
    with pytest.raises(StudyError, match="'answer' stands there twice"):
        marking.read_answers(tmp_path / "a.csv")


def test_a_key_of_a_version_that_wrote_no_decimals_is_read(tmp_path: Path):
    lines = answers.as_csv(KEY).decode().splitlines()
    assert lines[0].endswith(",decimals") and all(line.endswith(",") for line in lines[1:])
    older = [lines[0].removesuffix(",decimals"), *(line[:-1] for line in lines[1:])]
    (tmp_path / "key.csv").write_text("\n".join(older) + "\n", "utf-8")
    assert answers.read_key(tmp_path / "key.csv") == KEY
    (tmp_path / "key.csv").write_text("\n".join([*older, lines[1]]) + "\n", "utf-8")
    with pytest.raises(StudyError, match=f"line {len(older) + 1}.*10 cells"):
        answers.read_key(tmp_path / "key.csv")


def test_a_question_may_be_named_with_its_study():
    given = [Given("ada", "score.change.p", ".046", 2)]
    assert [each.mark for each in mark(KEY, given, ["Trial:score.change.p"])] == [each.mark for each in mark(KEY, given, ["score.change.p"])] != ["not asked"]


def test_the_command_tells_what_counts_and_what_it_cannot_place(tmp_path: Path, capsys):
    (tmp_path / "key.csv").write_bytes(answers.as_csv(KEY))
    (tmp_path / "a.csv").write_text("Student,Question,Answer\nada,score.change.p,.5\nada,score.change.p,.046\nada,score.chang.p,1\nbne,score.change.p,1\n", "utf-8")
    assert main(["mark", str(tmp_path / "key.csv"), str(tmp_path / "a.csv")]) == 0
    told = capsys.readouterr().out
    assert "answered twice: .5. The later answer counts, in line 3" in told and "Did you mean 'score.change.p'" in told and "unknown student" in told
    assert "student ada: 1 right (100%), 1 answered twice\n" in told and "missing" in told.partition("student Ben")[2] and "score.new.est" not in told
    assert main(["mark", str(tmp_path / "key.csv"), str(tmp_path / "a.csv"), "--ask", "score.new.est", "--json"]) == 0
    assert {each["mark"] for each in json.loads(capsys.readouterr().out)["marks"]} == {"not asked", "unknown question", "unknown student", "missing"}


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


@pytest.mark.parametrize("folder", ["variants/key", "variants"])
def test_the_folder_of_the_key_stands_for_it(tmp_path, capsys, folder):
    key = tmp_path / "variants" / "key"
    key.mkdir(parents=True)
    (key / "key.csv").write_bytes(answers.as_csv(KEY))
    (tmp_path / "a.csv").write_text("student,question,answer\n", "utf-8")
    assert answers.read_key(tmp_path / folder) == KEY
    assert main(["mark", str(tmp_path / folder), str(tmp_path / "a.csv")]) == 0


def test_a_folder_without_a_key_is_refused_with_what_to_give(tmp_path):
    with pytest.raises(StudyError, match="It is a folder, and no key.csv stands in it: give the key.csv or the key.json"):
        answers.read_key(tmp_path)
