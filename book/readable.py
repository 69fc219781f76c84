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
PAGE = re.compile(
    r'(?<!!)\[(?P<words>[^\]]*)\]\((?P<page>[\w./-]+)\.(?:ipynb|md|html)(?P<anchor>#[^)\s]*)?\)|<a\b[^>]*href="(?P<page_too>[\w./-]+)\.html(?P<anchor_too>#[^"]*)?"[^>]*>(?P<words_too>.*?)</a>',
    re.S,
)
WITHIN = re.compile(r"(?<!!)\[(?P<words>[^\]]*)\]\([\w-]+\)")  # to a label, which only the site's renderer knows

FOLDED = {"hide-cell": ("source_hidden", "outputs_hidden"), "hide-input": ("source_hidden",), "hide-output": ("outputs_hidden",)}


def readable(notebook: dict, titles: Mapping[str, str], included: Mapping[str, str], site: str | None = None) -> dict:
    """Return `notebook` with Markdown that any program for notebooks can show.

    `titles` holds the titles of chapters by stem, `included` the texts of files that a cell includes, by name; a file that is not
    in it is named instead. `site` is for a notebook that leaves the book: the address of the site, to which what names another page then links, or "" where
    there is none, and "(in the book)" is said of it; without it, names and links of pages stay. A number that the code said stands in its sentence as text. What the site folds, solutions among it, is folded.
    """
    said = notebooks.said(notebook)
    return {**notebook, "cells": [
        {**cell, "source": _plain(notebooks.text(cell["source"]), said, titles, included, site)} if cell["cell_type"] == "markdown" else _folded(cell)
        for cell in notebook["cells"]
    ]}  # fmt: skip


def _folded(cell: dict) -> dict:
    """Return a code cell that programs for notebooks fold as the site does."""
    metadata = cell.get("metadata", {})
    hidden = {part: True for tag in metadata.get("tags", []) for part in FOLDED.get(tag, ())}
    return {**cell, "metadata": {**metadata, "jupyter": {**metadata.get("jupyter", {}), **hidden}}} if hidden else cell


def _plain(markdown: str, said: Mapping[str, str], titles: Mapping[str, str], included: Mapping[str, str], site: str | None) -> str:
    def of_role(found: re.Match) -> str:
        words = found["words"] or found["alone"] or ""
        match found["role"]:
            case "glue:text":
                return said.get(words, words)
            case "doc":
                shown = f"*{words if found['target'] else titles.get(words, words)}*"
                return shown if site is None else _elsewhere(shown, found["target"] or words, "", site)
            case "download":
                return f"[{words}]({found['target']})" if found["target"] else words
            case "cite:p" | "cite:t" | "cite":
                return f"[{words.replace(',', ', ')}]"
            case _:
                return words

    markdown = INCLUDE.sub(lambda found: included.get(found["name"], f"*({found['name']} is part of the site.)*"), markdown)
    markdown = LABEL.sub("", FENCE.sub(_box, markdown))
    if site is not None:
        markdown = WITHIN.sub(lambda found: found["words"], PAGE.sub(lambda found: _of_page(found, site), markdown))
    return ROLE.sub(of_role, markdown)


def _of_page(found: re.Match, site: str) -> str:
    words, page, anchor = (found[name] or found[f"{name}_too"] or "" for name in ("words", "page", "anchor"))
    return found[0] if "//" in page else _elsewhere(words, page, anchor, site)


def _elsewhere(words: str, page: str, anchor: str, site: str) -> str:
    """Return the words for another page of the book as a link to where that is published, or with a word on where it is; `page` as seen from `chapters/`."""
    place = page.removeprefix("../") if page.startswith("../") else f"chapters/{page}"
    return f"[{words}]({site.rstrip('/')}/{place}.html{anchor})" if site else f"{words} (in the book)"


def _box(found: re.Match) -> str:
    """Return a directive as a fold, where it was one, or as a quotation under its title."""
    body = FENCE.sub(_box, found["body"]).strip()
    if found["name"] == "dropdown" or "dropdown" in found["options"].split():
        return f"<details><summary><b>{found['title']}</b></summary>\n\n{body}\n\n</details>\n"
    quoted = [f"**{found['title']}**", "", *body.splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in quoted) + "\n"
