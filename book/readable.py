"""A chapter as a notebook program shows it: what only the site's renderer knows is written as plain Markdown and HTML.

Code cells and their outputs stay as they are, so that the notebook of a kit is held against the same outputs as the chapter.
"""

from __future__ import annotations

import re
from typing import Mapping

from book import notebooks

FENCE = re.compile(r"^(?P<fence>:{3,})\{(?P<name>\w+)\} ?(?P<title>[^\n]*)\n(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)$\n?", re.M | re.S)
INCLUDE = re.compile(r"^```\{include\} (?P<name>\S+)\n```$", re.M)
LABEL = re.compile(r"^(?:\([\w-]+\)=|\{[.#][^}\n]*\}|</?div\b[^>\n]*>)\n", re.M)  # what only names or marks a part of the page
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?:(?P<words>[^`<]*?)\s*<(?P<target>[^`>]+)>|(?P<alone>[^`]+))`")

FOLDED = {"hide-cell": ("source_hidden", "outputs_hidden"), "hide-input": ("source_hidden",), "hide-output": ("outputs_hidden",)}


def readable(notebook: dict, titles: Mapping[str, str], included: Mapping[str, str]) -> dict:
    """Return `notebook` with Markdown that any program for notebooks can show.

    `titles` holds the titles of chapters by stem, `included` the texts of files that a cell includes, by name; a file that is not
    in it is named instead. A number that the code said stands in its sentence as text. What the site folds, solutions among it, is folded.
    """
    said = notebooks.said(notebook)
    return {**notebook, "cells": [
        {**cell, "source": _plain(notebooks.text(cell["source"]), said, titles, included)} if cell["cell_type"] == "markdown" else _folded(cell)
        for cell in notebook["cells"]
    ]}  # fmt: skip


def _folded(cell: dict) -> dict:
    """Return a code cell that programs for notebooks fold as the site does."""
    metadata = cell.get("metadata", {})
    hidden = {part: True for tag in metadata.get("tags", []) for part in FOLDED.get(tag, ())}
    return {**cell, "metadata": {**metadata, "jupyter": {**metadata.get("jupyter", {}), **hidden}}} if hidden else cell


def _plain(markdown: str, said: Mapping[str, str], titles: Mapping[str, str], included: Mapping[str, str]) -> str:
    def of_role(found: re.Match) -> str:
        words = found["words"] or found["alone"] or ""
        match found["role"]:
            case "glue:text":
                return said.get(words, words)
            case "doc":
                return f"*{words if found['target'] else titles.get(words, words)}*"
            case "download":
                return f"[{words}]({found['target']})" if found["target"] else words
            case "cite:p" | "cite:t" | "cite":
                return f"[{words.replace(',', ', ')}]"
            case _:
                return words

    markdown = INCLUDE.sub(lambda found: included.get(found["name"], f"*({found['name']} is part of the site.)*"), markdown)
    return ROLE.sub(of_role, LABEL.sub("", FENCE.sub(_box, markdown)))


def _box(found: re.Match) -> str:
    """Return a directive as a fold, where it was one, or as a quotation under its title."""
    body = FENCE.sub(_box, found["body"]).strip()
    if found["name"] == "dropdown" or "dropdown" in found["options"].split():
        return f"<details><summary><b>{found['title']}</b></summary>\n\n{body}\n\n</details>\n"
    quoted = [f"**{found['title']}**", "", *body.splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in quoted) + "\n"
