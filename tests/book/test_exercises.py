"""Exercises: starters run, solutions pass, wrong answers are told what is wrong; unsound files are refused with the place and the remedy."""

from __future__ import annotations

import builtins
import copy
import functools
import html
import re
from pathlib import Path

import pytest
import yaml

from book import exercises, notebooks
from book.errors import BookError
from book.live import runner

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
GENERIC = "The check cannot use what the code made"


@functools.cache
def of(slug: str) -> dict[str, exercises.Exercise]:
    """Return the exercises of a chapter by their id."""
    return {each.id: each for each in exercises.load(ROOT / "chapters" / f"{slug}.exercises.yml", notebooks.read(ROOT / "chapters" / f"{slug}.ipynb"))}


ALL = [(path.name.partition(".")[0], each["id"]) for path in sorted((ROOT / "chapters").glob("*.exercises.yml")) for each in yaml.safe_load(path.read_text(encoding="utf-8"))]


def checked(exercise: exercises.Exercise, code: str) -> dict[str, str]:
    return runner.run(code, exercise.judge)


@pytest.fixture
def in_chapters(monkeypatch):
    monkeypatch.chdir(ROOT / "chapters")  # where ../data is what it is in a page


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_an_exercise_of_each_level(path):
    assert {each.level for each in of(path.stem).values()} == set(exercises.LEVELS)


@pytest.mark.parametrize(("slug", "id"), ALL)
def test_starter_runs_and_is_told_what_to_do(in_chapters, slug, id):
    exercise = of(slug)[id]
    assert runner.run(exercise.starter)["error"] == ""
    told = checked(exercise, exercise.starter)
    assert not told["error"] and told["text"] and GENERIC not in told["text"]


@pytest.mark.parametrize(("slug", "id"), ALL)
def test_solution_passes_its_check(in_chapters, slug, id):
    told = checked(of(slug)[id], of(slug)[id].solution)
    assert (told["error"], told["text"], told["value"]) == ("", "", "''")


@pytest.mark.parametrize(("slug", "id"), ALL)
def test_wrong_answers_are_told_what_is_wrong_each_something_else(in_chapters, slug, id):
    exercise = of(slug)[id]
    told = [checked(exercise, code) for code, _ in exercise.wrong]
    for (_, wanted), each in zip(exercise.wrong, told, strict=True):
        assert each["error"] == "" and wanted in each["text"] and GENERIC not in each["text"]
    assert len({each["text"] for each in told}) == len(told)


@pytest.mark.parametrize(("slug", "id"), ALL)
def test_an_answer_of_another_kind_is_no_accident(in_chapters, slug, id):
    exercise = of(slug)[id]
    names = "\n".join(f"{name} = 'words'" for name in exercise.makes)
    told = checked(exercise, f"{exercise.starter}\n{names}")
    assert told["error"] == "" and told["text"]


SOUND = {
    "id": "double", "level": "adapt", "after": "Adapt", "title": "twice as much", "task": "Double {{said:half}}, as `twice`.", "makes": ["twice"],
    "starter": "half = {{said:half}}\ntwice = ...", "check": "if twice != 2 * {{printed:x.n}}:\n    return f'{twice} is not the double of {half}.'",
    "solution": "half = {{said:half}}\ntwice = 2 * half", "hints": ["Add it to itself."],
    "wrong": [{"code": "half = {{said:half}}\ntwice = half", "told": "is not the double"}, {"code": "twice = 0; half = 1", "told": "is not the double of"}],
}  # fmt: skip
CHAPTER = {"cells": [
    {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A\n\n## Adapt\n\nWords.\n\n## Next"},
    {"cell_type": "code", "id": "b", "metadata": {}, "source": "", "outputs": [
        {"output_type": "display_data", "metadata": {"scrapbook": {"name": "half"}}, "data": {"application/papermill.record/text/plain": "'21'"}},
        {"output_type": "execute_result", "metadata": {}, "data": {notebooks.CLAIM: {"claims": [{"id": "trial:x.n", "printed": "21", "computed": "21", "verdict": "reproduced"}]}}},
    ]},
]}  # fmt: skip


def written(tmp_path, *held) -> Path:
    path = tmp_path / "trial.exercises.yml"
    path.write_text(yaml.safe_dump(list(held)), encoding="utf-8")
    return path


def test_numbers_come_from_the_chapter(tmp_path):
    (exercise,) = exercises.load(written(tmp_path, SOUND), CHAPTER)
    assert exercise.task == "Double 21, as `twice`." and exercise.solution == "half = 21\ntwice = 2 * half"
    assert checked(exercise, exercise.solution)["text"] == "" and checked(exercise, exercise.wrong[0][0])["text"] == "21 is not the double of 21."


def test_exercise_stands_right_below_its_heading_and_reads_well_without_a_script(tmp_path):
    shown = exercises.in_notebook(CHAPTER, written(tmp_path, SOUND), CHAPTER)
    text = "\n".join(notebooks.text(cell["source"]) for cell in shown["cells"])
    order = ["## Adapt", "Double 21", "twice = ...", ":::{dropdown} Hint", ":::{dropdown} Solution", "Words.", "## Next"]
    assert sorted(order, key=text.index) == order
    (check,) = re.findall(r'data-check="([^"]*)"', text)
    assert html.unescape(check) == exercises.load(written(tmp_path, SOUND), CHAPTER)[0].judge


def test_exercises_below_one_heading_keep_their_order_and_a_label_its_heading(tmp_path):
    chapter = {"cells": [{**CHAPTER["cells"][0], "source": "# A\n\n(adapt)=\n## Adapt\n\n## Next"}, CHAPTER["cells"][1]]}
    shown = exercises.in_notebook(chapter, written(tmp_path, SOUND, {**SOUND, "id": "again"}), chapter)
    assert [cell["id"] for cell in shown["cells"] if cell["source"]] == ["a", "a-part2", "exercise-double", "exercise-again", "a-part3"]
    assert shown["cells"][1]["source"] == "(adapt)=\n## Adapt"


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.exercises.yml")), ids=lambda path: path.name.partition(".")[0])
def test_at_each_level_what_can_be_done_in_the_page_comes_before_what_needs_the_kit(path):
    chapter = notebooks.read(path.with_name(path.name.replace(".exercises.yml", ".ipynb")))
    parts: list[list[str]] = []
    for cell in exercises.in_notebook(chapter, path, chapter)["cells"]:
        if re.match(r"#{3,4} (?:Repeat|Adapt|Extend)$", notebooks.text(cell["source"]), re.M):
            parts.append([])
        elif parts and cell["id"].startswith(("exercise-", "solution-")):
            parts[-1].append("page" if cell["id"].removeprefix("exercise-") in of(path.name.partition(".")[0]) else "kit")
    assert len(parts) == 3 and all(part[0] == "page" and part[1:].count("page") == 0 for part in parts)


def test_chapter_without_exercises_stays_as_it_is(tmp_path):
    assert exercises.in_notebook(CHAPTER, tmp_path / "none.exercises.yml", CHAPTER) is CHAPTER


def test_check_that_stumbles_says_so_in_a_sentence(tmp_path):
    (exercise,) = exercises.load(written(tmp_path, {**SOUND, "check": "return 1 / 0"}), CHAPTER)
    assert checked(exercise, exercise.solution)["text"].startswith(GENERIC)


@pytest.mark.parametrize(("slug", "id"), ALL)
def test_solution_passes_where_the_reader_gave_names_of_python_to_something_else(in_chapters, slug, id):
    solution = of(slug)[id].solution
    own = [name for name in dir(builtins) if name.isidentifier() and name not in {"None", "True", "False", "__debug__"} and not re.search(rf"\b{name}\b", solution)]
    told = checked(of(slug)[id], f"{solution}\n{' = '.join(own)} = 5")
    assert {"globals", "Exception"} <= set(own)
    assert (told["error"], told["text"]) == ("", "")


def test_right_mean_is_right_to_two_decimals_too(in_chapters):
    exercise = of("harp-trial")["change-of-people-seen-twice"]
    assert checked(exercise, f"{exercise.solution}\nchange = round(change, 2)")["text"] == ""
    assert checked(exercise, f"{exercise.solution}\nchange = round(change, 2) + 0.02")["text"] != ""


def test_lines_with_dots_are_named_to_the_page_as_those_to_be_changed(tmp_path):
    (exercise,) = exercises.load(written(tmp_path, SOUND | {"starter": "n = 21\n\ntwice = ...\nprint(n)"}), CHAPTER)
    assert ' data-change="3">' in exercises.markdown("trial", exercise)


def test_lines_that_are_told_are_the_readers_and_what_is_open_at_the_end_is_not_closed_by_the_check(tmp_path):
    (exercise,) = exercises.load(written(tmp_path, SOUND), CHAPTER)
    for code, line in (("twice = 42\n@staticmethod", 2), ("twice = 42\nif twice:", 2), ("twice = 42\nhalf = (1", 2), ("twice = 42\n1 / 0", 2)):
        assert checked(exercise, code)["error"].startswith(f"Line {line}: "), code


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level": "hard"}, ["double", "level", "'hard'", "repeat, adapt, extend"]),
        ({"id": "Double it"}, ["id", "hyphens"]),
        ({"task": 5}, ["task", "5", "write a text"]),
        ({"task": "Double 21."}, ["task", "the digit 2 is typed", "{{said:name}}"]),
        ({"hints": ["It is 42."]}, ["hints", "the digit 4"]),
        ({"starter": "x = {{said:nothing}}"}, ["starter", "{{said:nothing}}", "half"]),
        ({"starter": "x = 1  # " + "long " * 20}, ["starter", "80 characters"]),
        ({"hints": []}, ["hints", "one at least"]),
        ({"makes": "twice"}, ["makes", "list of texts"]),
        ({"makes": ["sum"]}, ["makes", "'sum'", "a name of Python itself"]),
        ({"wrong": SOUND["wrong"][:1]}, ["wrong", "two typical wrong answers"]),
        ({"points": 3}, ["points", "unknown"]),
        ({"after": "Nowhere"}, ["after", "'Nowhere'", "there are 'A', 'Adapt', 'Next'"]),
    ],
)
def test_unsound_exercise_is_refused_with_place_and_remedy(tmp_path, changes, told):
    with pytest.raises(BookError) as problem:
        exercises.in_notebook(CHAPTER, written(tmp_path, {**copy.deepcopy(SOUND), **changes}), CHAPTER)
    assert all(part in str(problem.value) for part in ["trial.exercises.yml", *told])


def test_missing_field_and_doubled_id_are_refused(tmp_path):
    with pytest.raises(BookError, match="field check: None: the field is missing"):
        exercises.load(written(tmp_path, {field: value for field, value in SOUND.items() if field != "check"}), CHAPTER)
    with pytest.raises(BookError, match="another exercise has this id"):
        exercises.load(written(tmp_path, SOUND, SOUND), CHAPTER)


@pytest.mark.parametrize("content", ["", "a: b", "[", "- - x"])
def test_file_that_is_no_list_of_exercises_is_refused(tmp_path, content):
    path = tmp_path / "trial.exercises.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BookError, match="trial.exercises.yml"):
        exercises.load(path, CHAPTER)


def test_every_file_of_exercises_belongs_to_a_chapter():
    assert {slug for slug, _ in ALL} == {path.stem for path in CHAPTERS}
