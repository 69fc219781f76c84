"""The cells of ``chapters/<slug>.live.yml``, checked: a list like this one.

    - id: interval-by-hand
      after: From three numbers to an interval      # the heading whose part of the page the cell ends
      title: The interval, from estimate and p value
      intro: Change the estimate, and see which end moves.
      code: |
        from statistics import NormalDist
        ...
        f"{upper:.2f}"                              # the last line is what the chapter has too
      expects: {said: upper}                        # or {claim: score.change.p}; a digit is never typed here
      proposes:                                     # optional: changes that the words ask for, each with what it replaces; tests run them
        - {"estimate = 1": "estimate = 2"}
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from book import listed

FLOOR = ("printed.py", "consistency")  # of asprinted: what needs the standard library alone
FIELDS = {"id", "after", "title", "intro", "code", "expects"}
WIDE = 80
ASKED = "change this"  # what a comment says beside a line that the reader is meant to change
MODULES = {"math", "statistics", "random", "csv", "json", "itertools", "fractions", "decimal", "collections", "asprinted"}


@dataclass(frozen=True)
class Cell:
    """One cell that readers run: the file's entry (which names what it must come to), where it stands, its words and its code."""

    entry: listed.Entry
    id: str
    after: str
    title: str
    intro: str
    code: str
    proposes: tuple[tuple[tuple[str, str], ...], ...] = ()

    def expected(self, chapter: dict) -> str:
        """Return the text that the executed `chapter` has where the cell must come to the same; raise BookError where it has none."""
        return self.entry.source_text("expects", self.entry.held["expects"], chapter)

    @property
    def begins(self) -> list[int]:
        """The lines, counted from one, that a reader is asked to change: those that say so, and those of each change that the cell proposes."""
        places = {self.code.find(before) for changes in self.proposes for before, _ in changes}
        asked = {self.code.count("\n", 0, place) + 1 for place in places}
        return sorted(asked | {number for number, line in enumerate(self.code.split("\n"), 1) if ASKED in line})

    @property
    def proposed(self) -> list[str]:
        """The code after each change that the cell proposes."""
        return [_changed(self.code, changes) for changes in self.proposes]


def _changed(code: str, changes: tuple[tuple[str, str], ...]) -> str:
    for before, instead in changes:
        code = code.replace(before, instead)
    return code


def load(path: Path) -> list[Cell]:
    """Return the cells in `path`, checked; raise BookError with file, cell, field, value and remedy."""
    return [_cell(entry) for entry in listed.read(path, "cell", sorted(FIELDS))]


def _cell(entry: listed.Entry) -> Cell:
    held = entry.held
    entry.fields(FIELDS, {field: value for field, value in held.items() if field != "proposes"})
    entry.texts(sorted(FIELDS - {"expects"}))
    for field in ("title", "intro"):
        if found := re.search(r"\d", re.sub(r"`[^`]*`", "", held[field])):
            raise entry.wrong(field, held[field], f"the digit {found[0]} is typed; write small numbers as words and let the code show others")
    entry.source("expects", held["expects"], "the chapter's own number")
    if fault := _code(held["code"]):
        raise entry.wrong("code", *fault)
    proposes = held.get("proposes", [])
    if not isinstance(proposes, list) or not all(isinstance(each, dict) and each for each in proposes):
        raise entry.wrong("proposes", proposes, "give a list of changes, each a mapping of what stands in the code to what is written instead")
    if absent := next((before for each in proposes for before in each if str(before) not in held["code"]), None):
        raise entry.wrong("proposes", absent, "does not stand in the code; write it as it stands there")
    changes = tuple(tuple((str(before), str(instead)) for before, instead in each.items()) for each in proposes)
    words = {field: " ".join(held[field].split()) for field in ("after", "title", "intro")}
    return Cell(entry=entry, id=held["id"], code=held["code"].rstrip("\n"), proposes=changes, **words)


def runs_in_page(module: str) -> bool:
    """Return whether code in the page can import the module."""
    top, _, below = module.partition(".")
    floor = top != "asprinted" or below.partition(".")[0] in {part.removesuffix(".py") for part in FLOOR}
    return top in MODULES and floor


def _code(code: str) -> tuple[str, str] | None:
    """Return what of the code is wrong, and the remedy."""
    long = next((line for line in code.splitlines() if len(line) > WIDE), None)
    if long:
        return long, f"lines have at most {WIDE} characters"
    try:
        tree = ast.parse(code)
    except SyntaxError as problem:
        return f"line {problem.lineno}", f"is not Python: {problem.msg}"
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return code.splitlines()[-1], "the last line must be the text that the chapter has too"
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if not runs_in_page(name):
                return name, f"cannot be imported in the page; there are {', '.join(sorted(MODULES - {'asprinted'}))}, asprinted.printed and asprinted.consistency"
    return None
