"""Questions: sound ones are rendered with answers from the chapter; others are refused with the place and the remedy."""

from __future__ import annotations

import copy
import html
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from book import notebooks, quiz, quiz_keys
from book.errors import BookError

CHOICE = {
    "id": "which-comparison", "stem": "Which comparison?", "section": "What is compared", "kind": "choice",
    "options": [
        {"text": "Change against change", "correct": True, "feedback": "Yes."},
        {"text": "Before against after", "correct": False, "misconception": "change taken for effect", "feedback": "No."},
    ],
}  # fmt: skip
NUMERIC = {"id": "how-large", "stem": "How large?", "section": "What is compared", "kind": "numeric", "answer": {"claim": "pcs.change.p"}, "feedback": "See the model."}
CHAPTER = {"cells": [{"cell_type": "markdown", "source": "# A trial\n\n## What is compared"}, {"cell_type": "code", "outputs": [
    {"output_type": "execute_result", "metadata": {}, "data": {notebooks.CLAIM: {"claims": [
        {"id": "trial:pcs.change.p", "printed": ".046", "computed": ".046", "verdict": "reproduced"}]}}},
    {"output_type": "display_data", "metadata": {"scrapbook": {"name": "difference"}},
     "data": {"application/papermill.record/text/plain": "'2.7 points'"}},
]}]}  # fmt: skip


def load(tmp_path, *questions):
    path = tmp_path / "trial.questions.yml"
    path.write_text(yaml.safe_dump(list(questions)), encoding="utf-8")
    return quiz.load(path)


def with_option(**changes) -> dict:
    question = copy.deepcopy(CHOICE)
    question["options"][1].update(changes)
    return question


def test_questions_are_rendered_in_order_with_letters_and_feedback(tmp_path):
    shown = quiz.render(load(tmp_path, CHOICE, NUMERIC), CHAPTER)
    assert shown.index("**Question 1.** Which comparison?") < shown.index("**Question 2.** How large?")
    assert "- **a.** Change against change" in shown and "- **b. Not right.** The slip: change taken for effect. No." in shown
    assert "**.046.** See the model." in shown and "#" not in shown.replace("(#what-is-compared)", "") and shown.count("{dropdown}") == 2


def test_every_answer_ends_with_a_link_to_the_part_of_the_chapter_that_explains_it(tmp_path):
    folds = quiz.render(load(tmp_path, CHOICE, NUMERIC), CHAPTER).split(":::{dropdown}")[1:]
    line = "{.quiz-section}\nWhere the chapter explains it: [What is compared](#what-is-compared)\n:::"
    assert len(folds) == 2 and all(line in fold for fold in folds)
    with pytest.raises(BookError, match="trial.questions.yml: question how-large: field section: 'Elsewhere': the chapter has no such heading; it has .*What is compared"):
        quiz.render(load(tmp_path, {**NUMERIC, "section": "Elsewhere"}), CHAPTER)


def test_misconceptions_read_on_after_a_colon_and_before_a_full_stop():
    """Readers see: Not right. The slip: ….; a first word in capitals is a name."""
    told = [(question.file, part["misconception"]) for path in sorted(CHAPTERS.glob("*.questions.yml")) for question in quiz.load(path)
            for part in (question.held.get("options") or question.held.get("slips") or []) if "misconception" in part]  # fmt: skip
    assert told and not [each for each in told if each[1].endswith(".") or (each[1][0].isupper() and not each[1].split()[0].rstrip("²").isupper())]


def test_claim_of_two_studies_must_be_named_with_its_study(tmp_path):
    chapter = copy.deepcopy(CHAPTER)
    chapter["cells"][1]["outputs"][0]["data"][notebooks.CLAIM]["claims"].append({"id": "other:pcs.change.p", "printed": ".2", "computed": ".20", "verdict": "reproduced"})
    with pytest.raises(BookError, match="several studies of the chapter have it; write one of trial:pcs.change.p, other:pcs.change.p"):
        quiz.render(load(tmp_path, NUMERIC), chapter)
    assert "**.20.**" in quiz.render(load(tmp_path, {**NUMERIC, "answer": {"claim": "other:pcs.change.p"}}), chapter)


def test_answer_may_be_a_said_value(tmp_path):
    shown = quiz.render(load(tmp_path, {**NUMERIC, "answer": {"said": "difference"}}), CHAPTER)
    assert "**2.7 points.**" in shown


def marks(shown: str) -> list[dict]:
    """Return what the page's script is told of each question."""
    names = [re.findall(r' data-(\w+)="([^"]*)"', line) for line in shown.splitlines() if line.startswith('<div class="quiz-question"')]
    return [{name: html.unescape(value) for name, value in each} for each in names]


def test_page_holds_the_key_as_data_and_the_key_is_that_of_the_chapter(tmp_path):
    choice, numeric = marks(quiz.render(load(tmp_path, CHOICE, NUMERIC), CHAPTER))
    assert choice == {"chapter": "trial", "id": "which-comparison", "kind": "choice", "right": "a"}
    assert json.loads(numeric["key"]) == quiz_keys.key(".046") and "unit" not in numeric
    moved = copy.deepcopy(CHAPTER)
    moved["cells"][1]["outputs"][0]["data"][notebooks.CLAIM]["claims"][0]["computed"] = ".051"
    assert json.loads(marks(quiz.render(load(tmp_path, NUMERIC), moved))[0]["key"]) == quiz_keys.key(".051")


SLIP = {"answer": {"said": "difference"}, "misconception": "a difference taken for a p value", "feedback": "One is in points."}


def test_a_numeric_question_may_name_slips_each_with_its_own_number(tmp_path):
    shown = quiz.render(load(tmp_path, {**NUMERIC, "slips": [SLIP]}), CHAPTER)
    assert "- **Not 2.7 points.** The slip: a difference taken for a p value. One is in points." in shown
    assert json.loads(marks(shown)[0]["slips"]) == [quiz_keys.key("2.7 points")]


def test_a_slip_that_is_the_right_answer_is_refused(tmp_path):
    same = {**SLIP, "answer": NUMERIC["answer"]}
    with pytest.raises(BookError, match=r"slips\[1\].answer: '.046': this is the right answer too"):
        quiz.render(load(tmp_path, {**NUMERIC, "slips": [same]}), CHAPTER)


def test_an_answer_that_is_no_number_is_refused_with_its_question(tmp_path):
    chapter = {"cells": [CHAPTER["cells"][0], {**CHAPTER["cells"][1], "outputs": [{**CHAPTER["cells"][1]["outputs"][1], "data": {"application/papermill.record/text/plain": "'none'"}}]}]}
    with pytest.raises(BookError, match="trial.questions.yml: question how-large: field answer: 'none' holds 0 numbers"):
        quiz.render(load(tmp_path, {**NUMERIC, "answer": {"said": "difference"}}), chapter)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({**NUMERIC, "slips": SLIP}, ["slips", "give a list"]),
        ({**NUMERIC, "slips": [{**SLIP, "answer": 3}]}, ["slips[1].answer", "claim:"]),
        ({**NUMERIC, "slips": [{"answer": SLIP["answer"], "feedback": "x"}]}, ["slips[1].misconception", "missing"]),
        ({**CHOICE, "slips": [SLIP]}, ["slips", "unknown"]),
        ({**NUMERIC, "answer": 0.046}, ["how-large", "answer", "0.046", "claim:"]),
        ({**NUMERIC, "answer": {"value": ".046"}}, ["answer", "claim:"]),
        ({**NUMERIC, "kind": "essay"}, ["kind", "'essay'", "choice or numeric"]),
        ({**NUMERIC, "hint": "x"}, ["hint", "unknown"]),
        ({**NUMERIC, "stem": 5}, ["stem", "5", "write a text"]),
        ({**NUMERIC, "id": "How large"}, ["id", "'How large'", "hyphens"]),
        ({key: value for key, value in NUMERIC.items() if key != "feedback"}, ["feedback", "missing"]),
        (with_option(correct="no"), ["options[b].correct", "true or correct: false"]),
        (with_option(correct=True), ["options[b].misconception", "unknown"]),
        (with_option(feedback=""), ["options[b].feedback", "write a text"]),
        ({**CHOICE, "options": CHOICE["options"][1:]}, ["options", "at least two"]),
        ({**CHOICE, "options": [CHOICE["options"][1]] * 2}, ["options", "at least one option correct"]),
        ("words", ["question 1", "mapping"]),
    ],
)
def test_unsound_question_is_refused_with_place_and_remedy(tmp_path, question, told):
    with pytest.raises(BookError) as problem:
        load(tmp_path, question)
    assert all(part in str(problem.value) for part in ["trial.questions.yml", *told])


def test_two_questions_with_one_id_are_refused(tmp_path):
    with pytest.raises(BookError, match="another question has this id"):
        load(tmp_path, NUMERIC, NUMERIC)


@pytest.mark.parametrize("answer", [{"claim": "pcs.change.lo"}, {"said": "nothing"}])
def test_answer_that_the_chapter_does_not_hold_is_refused(tmp_path, answer):
    with pytest.raises(BookError, match="how-large.*it has"):
        quiz.render(load(tmp_path, {**NUMERIC, "answer": answer}), CHAPTER)


@pytest.mark.parametrize("content", ["", "a: b", "[", "- - x"])
def test_file_that_is_no_list_of_questions_is_refused(tmp_path, content):
    path = tmp_path / "trial.questions.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BookError, match="trial.questions.yml"):
        quiz.load(path)


CHAPTERS = Path(__file__).parents[2] / "chapters"
GLUE = re.compile(r"\{glue:text\}`(\w+)`")  # a said value is about as long as its name


def one_right(files: list[Path]) -> dict[str, tuple[list[int], int]]:
    """Return, by chapter and id of each choice question with one right option, how long its options read, and the place of the right one."""
    found = {}
    for path in files:
        for held in (question.held for question in quiz.load(path) if question.held["kind"] == "choice"):
            right = [place for place, option in enumerate(held["options"]) if option["correct"]]
            if len(right) == 1:
                lengths = [len(GLUE.sub(r"\1", option["text"])) for option in held["options"]]
                found[f"{path.name.removesuffix('.questions.yml')}: {held['id']}"] = lengths, right[0]
    return found


def giveaways(questions: dict[str, tuple[list[int], int]]) -> list[str]:
    """Return what would give a right option away to somebody who has not read the chapter, with the questions to mend.

    With three or four options chance makes the right one the longest in a quarter to a third of the questions; two in five is the most that is let pass.
    """
    told, most = [], 0.4 * len(questions)
    rest = {name: (lengths[right], lengths[:right] + lengths[right + 1 :]) for name, (lengths, right) in questions.items()}
    for word, those in (("longest", [name for name, (own, others) in rest.items() if own > max(others)]),
                        ("shortest", [name for name, (own, others) in rest.items() if own < min(others)])):  # fmt: skip
        if len(those) > most:
            told.append(f"the right option is the {word} in {len(those)} of {len(questions)}; write some wrong ones as full: {', '.join(those)}")
    told += [f"{name}: the right option stands out by its length; give the others as much to say" for name, (own, others) in rest.items()
             if own > 1.25 * max(others) or own < 0.75 * min(others)]  # fmt: skip
    for place, count in Counter(right for _, right in questions.values()).items():
        if count > most:
            those = [name for name, (_, right) in questions.items() if right == place]
            told.append(f"{chr(97 + place)} is right in {count} of {len(questions)}; move the right option in some: {', '.join(those)}")
    for chapter in sorted({name.split(":")[0] for name in questions}):
        places = [right for name, (_, right) in questions.items() if name.split(":")[0] == chapter]
        if len(places) > 1 and len(set(places)) == 1:
            told.append(f"{chapter}: all {len(places)} right options stand at {chr(97 + places[0])}; move some")
        if len(places) > 1 and all(own > max(others) for name, (own, others) in rest.items() if name.split(":")[0] == chapter):
            told.append(f"{chapter}: the right option is the longest in all {len(places)}; write some wrong ones as full")
    return told


def test_no_right_option_is_given_away_by_its_length_or_place():
    questions = one_right(sorted(CHAPTERS.glob("*.questions.yml")))
    assert questions, f"no choice question in {CHAPTERS}"
    assert not (told := giveaways(questions)), "\n".join(told)


@pytest.mark.parametrize(
    ("lengths", "rights", "told"),
    [
        ([[30, 30, 31]] * 3, [2, 2, 2], ["longest in 3 of 3", "c is right in 3 of 3", "a: all 3 right options stand at c", "a: the right option is the longest in all 3"]),
        ([[30, 29, 30]] * 3, [1, 1, 1], ["shortest in 3 of 3", "b is right in 3 of 3", "a: all 3"]),
        ([[60, 40, 40], [40, 40, 40], [40, 40, 40]], [0, 1, 2], ["a: 0: the right option stands out"]),
        ([[40, 30, 40], [40, 40, 50], [40, 40, 40]], [0, 1, 2], []),
    ],
)
def test_giveaways_are_told_with_the_questions_to_mend(lengths, rights, told):
    found = giveaways({f"a: {number}": each for number, each in enumerate(zip(lengths, rights, strict=True))})
    assert len(found) == len(told) and all(part in line for part, line in zip(told, found, strict=True))
