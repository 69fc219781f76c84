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
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from book import notebooks
from book.errors import BookError

FLOOR = ("printed.py", "consistency")  # of asprinted: what needs the standard library alone
FIELDS = {"id", "after", "title", "intro", "code", "expects"}
WIDE = 80
MODULES = {"math", "statistics", "random", "csv", "json", "itertools", "fractions", "decimal", "collections", "asprinted"}


@dataclass(frozen=True)
class Cell:
    """One cell that readers run: where it stands, its words, its code, and the source (claim or said) and name of what it must come to."""

    id: str
    after: str
    title: str
    intro: str
    code: str
    source: str
    name: str


def load(path: Path) -> list[Cell]:
    """Return the cells in `path`, checked; raise BookError with file, cell, field, value and remedy."""
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise BookError(f"{path.name}: not readable as YAML: {problem}")
    if not isinstance(held, list) or not held:
        raise BookError(f"{path.name}: the file must be a list of cells, each beginning with - id: ...")
    cells = [_cell(path.name, number, each) for number, each in enumerate(held, 1)]
    for place, cell in enumerate(cells):
        if cell.id in {other.id for other in cells[:place]}:
            raise BookError(f"{path.name}: cell {cell.id}: field id: another cell has this id; choose a new one")
    return cells


def _cell(file: str, number: int, held: object) -> Cell:
    name = held.get("id", number) if isinstance(held, dict) else number

    def wrong(field: str, value: object, remedy: str) -> BookError:
        return BookError(f"{file}: cell {name}: field {field}: {value!r}: {remedy}")

    if not isinstance(held, dict):
        raise wrong("(whole)", held, f"write a mapping with {', '.join(sorted(FIELDS))}")
    for field in sorted(FIELDS ^ set(held), key=str):
        raise wrong(field, held.get(field), "the field is missing; add it" if field in FIELDS else f"unknown here; known are {', '.join(sorted(FIELDS))}")
    for field in sorted(FIELDS - {"expects"}):
        if not isinstance(held[field], str) or not held[field].strip():
            raise wrong(field, held[field], "write a text")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", held["id"]):
        raise wrong("id", held["id"], "use lower-case words joined by hyphens")
    for field in ("title", "intro"):
        if found := re.search(r"\d", re.sub(r"`[^`]*`", "", held[field])):
            raise wrong(field, held[field], f"the digit {found[0]} is typed; write small numbers as words and let the code show others")
    expects = held["expects"]
    if not isinstance(expects, dict) or len(expects) != 1 or not set(expects) <= {"claim", "said"}:
        raise wrong("expects", expects, "name what holds the chapter's own number: {claim: score.change.p} or {said: name}")
    if fault := _code(held["code"]):
        raise wrong("code", *fault)
    (source, meant), = expects.items()
    words = {field: " ".join(held[field].split()) for field in ("after", "title", "intro")}
    return Cell(id=held["id"], code=held["code"].rstrip("\n"), source=source, name=str(meant), **words)


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
            top, _, below = name.partition(".")
            floor = top != "asprinted" or below.partition(".")[0] in {part.removesuffix(".py") for part in FLOOR}
            if top not in MODULES or not floor:
                return name, f"cannot be imported in the page; there are {', '.join(sorted(MODULES - {'asprinted'}))}, asprinted.printed and asprinted.consistency"
    return None


def expected(file: str, cell: Cell, chapter: dict) -> str:
    """Return the text that the executed `chapter` has where the cell must come to the same; raise BookError where it has none."""
    if cell.source == "said":
        held = notebooks.said(chapter)
        meant = [cell.name] if cell.name in held else []
    else:
        held = {address: claim["computed"] for address, claim in notebooks.claims(chapter).items()}
        meant = [address for address in held if cell.name in (address, address.rpartition(":")[2])]
    if len(meant) != 1:
        near = ", ".join(meant or sorted(held)[:8]) or "none"
        kind = "claim" if cell.source == "claim" else "said value"
        fault = f"several studies of the chapter have it; write one of {near}" if meant else f"the chapter has no such {kind}; it has {near}"
        raise BookError(f"{file}: cell {cell.id}: field expects.{cell.source}: {cell.name!r}: {fault}")
    return str(held[meant[0]])
