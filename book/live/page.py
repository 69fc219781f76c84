"""Live cells in a chapter's page: as Markdown that reads well without a script, at the end of the part that they name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

from book import notebooks
from book.errors import BookError
from book.live import cells
from book.live.cells import Cell

NOTE = """:::{dropdown} What runs in this page, and what does not
:class-container: no-print

Cells under “Run it here” are Python, and they run in your own browser. The first one loads Python from this site, once{loads};
nothing that you write leaves your machine. There is Python's standard library, the part of `asprinted` that needs nothing more, and this book's records as CSV files.

**pandas and statsmodels cannot run here**, because no build of them exists that a page could load without asking other sites. The chapter's other cells run
from the chapter kit at the top of this page, on your own machine; where there are links beside it, they open the chapter on a server elsewhere.

If you opened this page from a folder, no code can run in it; questions and figures work. The message that a cell then gives says what to do.
:::"""


def in_notebook(notebook: dict, path: Path, chapter: dict, loads: str = "") -> dict:
    """Return `notebook` with the cells of the file at `path`, each at the end of the part under its heading; as it is where there is no such file.

    `chapter` is the executed notebook, which holds what the cells must come to; `loads` is the size of what the first run loads, in words. Raises BookError where a heading is not there.
    """
    if not path.is_file():
        return notebook
    for number, cell in enumerate(cells.load(path)):
        shown = markdown(f"live-{cell.id}", cell.title, cell.intro, cell.code, cell.expected(chapter), loads, cell.begins)
        note = NOTE.replace("{loads}", f", {loads}" if loads else "")
        text = f"{note}\n\n{shown}" if number == 0 else shown
        try:
            notebook = after(notebook, cell.after, f"live-{cell.id}", text)
        except LookupError as fault:
            raise BookError(f"{path.name}: cell {cell.id}: field after: {fault}") from None
    return notebook


def markdown(id: str, title: str, intro: str, code: str, expects: str | None = None, loads: str = "", begins: Iterable[int] = ()) -> str:
    """Return a cell as Markdown: title, words, code, and what the chapter has there; the page's script makes an editor of it, and marks the lines `begins`."""
    told = [] if expects is None else [f'<p class="live-expects">It comes to <strong>{html.escape(expects)}</strong>, as in the chapter.</p>', ""]
    held = "" if expects is None else f' data-expects="{html.escape(expects)}"'
    held += f' data-loads="{html.escape(loads)}"' if loads else ""
    held += changes(begins)
    return "\n".join([
        f'<div class="live" id="{html.escape(id)}"{held}>', f'<p class="live-title">Run it here: {html.escape(title)}</p>', "",
        intro, "", "```{code-block} python", code, "```", "", *told, "</div>", "",
    ])  # fmt: skip


def changes(begins: Iterable[int]) -> str:
    """Return the attribute that names the lines of a cell, counted from one, which its reader is asked to change; "" where there are none."""
    lines = " ".join(map(str, begins))
    return f' data-change="{lines}"' if lines else ""


def after(notebook: dict, heading: str, id: str, text: str, first: bool = False) -> dict:
    """Return `notebook` with `text` as a Markdown cell at the end of the part under `heading`, before whatever heading comes next; `first`, right below it.

    Raises LookupError, which names the headings there are, unless exactly one has these words.
    """
    parts = [part for cell in notebook["cells"] for part in _parts(cell)]
    words = [_heading(part) for part in parts]
    if words.count(heading) != 1:
        there = ", ".join(repr(each) for each in words if each)
        raise LookupError(f"{heading!r}: {words.count(heading)} headings have these words; there are {there}")
    start = words.index(heading)
    added = {"cell_type": "markdown", "id": id, "metadata": {}, "source": text}
    if first:
        return {**notebook, "cells": [*parts[:start], *_below(parts[start], added), *parts[start + 1 :]]}
    end = next((place for place in range(start + 1, len(parts)) if words[place]), len(parts))
    return {**notebook, "cells": [*parts[:end], added, *parts[end:]]}


def _below(part: dict, added: dict) -> list[dict]:
    """Return the cell `part`, which begins with a heading, with the cell `added` between that and the rest."""
    found = _HEADING.match(notebooks.text(part["source"]))
    rest = notebooks.text(part["source"])[found.end() :].strip("\n")
    return [{**part, "source": found[0]}, added, *([{**part, "id": f"{part.get('id', '')}-rest", "source": rest}] if rest else [])]


def _parts(cell: dict) -> list[dict]:
    """Return the cell cut before each heading in it; a cell that begins with its only heading, and any other, is left whole."""
    if cell["cell_type"] != "markdown":
        return [cell]
    pieces: list[list[str]] = [[]]
    fence = ""
    for line in notebooks.text(cell["source"]).split("\n"):
        mark = re.match(r"\s*(`{3,}|:{3,}|~{3,})", line)
        if mark:
            fence = "" if fence and line.strip() == fence else fence or mark[1]
        if not fence and line.startswith("#") and any(each.strip() for each in pieces[-1]):
            label = [pieces[-1].pop()] if re.fullmatch(r"\([\w-]+\)=", pieces[-1][-1]) else []  # a label belongs to the heading below it
            pieces.append(label)
        pieces[-1].append(line)
    pieces = [piece for piece in pieces if any(line.strip() for line in piece)] or [[""]]
    if len(pieces) == 1:
        return [cell]
    return [{**cell, "id": cell.get("id", "") + (f"-part{number}" if number > 1 else ""), "source": "\n".join(piece)} for number, piece in enumerate(pieces, 1)]


def _heading(cell: dict) -> str:
    """Return the words of the heading that a Markdown cell begins with, else ""."""
    found = _HEADING.match(notebooks.text(cell["source"])) if cell["cell_type"] == "markdown" else None
    return found[1].strip() if found else ""


_HEADING = re.compile(r"(?:\s*\([\w-]+\)=\n)*\s*#{1,6} +(.+)")
