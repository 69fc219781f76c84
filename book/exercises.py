"""Exercises that are done in the page: ``chapters/<slug>.exercises.yml`` checked, put into the chapter, and joined with what checks them.

The file is a list like this one. Numbers of the chapter are never typed: ``{{said:name}}``, ``{{claim:id}}`` (as computed) and ``{{printed:id}}``
stand for its texts, in words and in code.

    - id: half-a-unit
      level: repeat                     # repeat, adapt or extend
      after: Repeat                     # the heading right below which it stands, before exercises that need the kit
      title: from a printed text to its interval
      task: Give the two ends the names `low` and `high`.
      makes: [low, high]                # names that the code must have made
      starter: |
        printed = "{{said:p_text}}"
        low = ...
      check: |                          # the body of a function: what it returns is what is wrong; it returns nothing where all is right
        if low > high:
            return "low lies above high."
      solution: |
        ...
      hints: ["Half a unit of the last digit lies on each side."]
      wrong:                            # at least two typical answers that are wrong, and what they must be told
        - {code: "...", told: "lies above"}

The starter runs as it stands, the solution passes its check, and every wrong answer is told what it must be: tests run all of them.
"""

from __future__ import annotations

import builtins
import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from book import listed, notebooks
from book.errors import BookError
from book.live import page

LEVELS = ("repeat", "adapt", "extend")
PLACE = re.compile(r"\{\{(said|claim|printed):([^{}\s]+)\}\}")
WIDE = 80
CHECK = '''\
def _checked():
    for name in {makes!r}:
        if globals().get(name) in (None, ...):
            return "There is no " + name + " yet: put your own code where the three dots stand, and keep the name."
{check}


def _told():
    try:
        return _checked() or ""
    except Exception as fault:
        return "The check cannot use what the code made (" + str(fault) + "). Is everything that the task asks for what it says, and are all dots replaced?"


_told()
'''


@dataclass(frozen=True)
class Exercise:
    """One exercise, all texts filled in: its place, its words, its code, what checks it, and wrong answers with what they are told."""

    id: str
    level: str
    after: str
    title: str
    task: str
    makes: tuple[str, ...]
    starter: str
    check: str
    solution: str
    hints: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]

    @property
    def judge(self) -> str:
        """Code that `runner.run` runs as a check of the reader's: its value is "" where the exercise is solved, else a sentence that says what is wrong."""
        return CHECK.format(makes=self.makes, check=textwrap.indent(self.check.rstrip("\n"), "    "))


FIELDS = [each.name for each in fields(Exercise)]


def load(path: Path, chapter: dict) -> list[Exercise]:
    """Return the exercises in `path` with the numbers of the executed `chapter`; raise BookError with file, exercise, field, value and remedy."""
    texts = _texts(chapter)
    return [_exercise(entry, texts) for entry in listed.read(path, "exercise", FIELDS)]


def _texts(chapter: dict) -> dict[tuple[str, str], str]:
    """Return the texts that a placeholder may name: said values, and claims as computed and as printed."""
    found = {("said", name): text for name, text in notebooks.said(chapter).items()}
    for address, claim in notebooks.claims(chapter).items():
        for name in (address, address.rpartition(":")[2]):
            found |= {("claim", name): claim["computed"], ("printed", name): claim["printed"]}
    return found


def _exercise(entry: listed.Entry, texts: dict[tuple[str, str], str]) -> Exercise:
    held, wrong = entry.held, entry.wrong
    entry.fields(FIELDS)
    entry.texts(("id", "level", "after", "title", "task", "starter", "check", "solution"))
    if held["level"] not in LEVELS:
        raise wrong("level", held["level"], f"use {', '.join(LEVELS)}")
    for field, least in (("makes", 1), ("hints", 1)):
        if not isinstance(held[field], list) or len(held[field]) < least or not all(isinstance(each, str) and each.strip() for each in held[field]):
            raise wrong(field, held[field], "give a list of texts, one at least")
    if own := next((name for name in held["makes"] if hasattr(builtins, name)), None):
        raise wrong("makes", own, "is a name of Python itself, which means in a check what it always means; take another")
    answers = held["wrong"]
    if not isinstance(answers, list) or len(answers) < 2 or any(not isinstance(each, dict) or set(each) != {"code", "told"} for each in answers):
        raise wrong("wrong", answers, "give two typical wrong answers at least, each with code and told")
    for field, words in _words(held):
        if found := re.search(r"\d", re.sub(r"`[^`]*`", "", PLACE.sub("", words))):
            raise wrong(field, words, f"the digit {found[0]} is typed; write small numbers as words and take others from the chapter, as {{{{said:name}}}}")

    def filled(field: str, text: str) -> str:
        def held_text(found: re.Match) -> str:
            if (found[1], found[2]) not in texts:
                raise wrong(field, found[0], f"the chapter has no such text; it has {', '.join(sorted(each for kind, each in texts if kind == found[1])[:8]) or 'none'}")
            return texts[found[1], found[2]]

        return PLACE.sub(held_text, text)

    for field in ("starter", "solution"):
        if long := next((line for line in filled(field, held[field]).splitlines() if len(line) > WIDE), None):
            raise wrong(field, long, f"lines have at most {WIDE} characters")
    plain = {field: " ".join(filled(field, held[field]).split()) for field in ("id", "level", "after", "title", "task")}
    code = {field: filled(field, held[field]).rstrip("\n") for field in ("starter", "check", "solution")}
    hints = tuple(" ".join(filled("hints", each).split()) for each in held["hints"])
    pairs = tuple((filled("wrong", each["code"]), " ".join(filled("wrong", each["told"]).split())) for each in answers)
    return Exercise(**plain, **code, makes=tuple(held["makes"]), hints=hints, wrong=pairs)


def _words(held: dict) -> Iterator[tuple[str, str]]:
    yield from ((field, held[field]) for field in ("title", "task"))
    yield from (("hints", each) for each in held["hints"])
    yield from (("wrong", str(each["told"])) for each in held["wrong"])


def in_notebook(notebook: dict, path: Path, chapter: dict, loads: str = "") -> dict:
    """Return `notebook` with the exercises of the file at `path`, each right below its heading; as it is where there is no such file.

    `chapter` is the executed notebook; `loads` is the size of what the first run loads, in words. Raises BookError where a heading is not there.
    """
    if not path.is_file():
        return notebook
    slug = path.name.partition(".")[0]
    for exercise in reversed(load(path, chapter)):  # each is put above those that are there
        try:
            notebook = page.after(notebook, exercise.after, f"exercise-{exercise.id}", markdown(slug, exercise, loads), first=True)
        except LookupError as fault:
            raise BookError(f"{path.name}: exercise {exercise.id}: field after: {fault}") from None
    return notebook


def markdown(slug: str, exercise: Exercise, loads: str = "") -> str:
    """Return an exercise as Markdown: task, starter, folded hints and solution; the page's script makes an editor with a check of it."""
    marks = {"chapter": slug, "id": exercise.id, "level": exercise.level, "check": exercise.judge} | ({"loads": loads} if loads else {})
    held = "".join(f' data-{name}="{_attribute(text)}"' for name, text in marks.items())
    held += page.changes(number for number, line in enumerate(exercise.starter.split("\n"), 1) if "..." in line)
    hints = [f":::{{dropdown}} Hint\n{hint}\n:::\n" for hint in exercise.hints]
    return "\n".join([
        f'<div class="exercise" id="exercise-{exercise.id}"{held}>', f'<p class="live-title">Do it here: {html.escape(exercise.title)}</p>', "",
        exercise.task, "", "```{code-block} python", exercise.starter, "```", "", *hints,
        ":::{dropdown} Solution", "```{code-block} python", exercise.solution, "```", ":::", "", "</div>", "",
    ])  # fmt: skip


def _attribute(text: str) -> str:
    """Return the text as the value of an attribute, on one line, so that Markdown leaves it alone."""
    return html.escape(text).replace("\n", "&#10;")
