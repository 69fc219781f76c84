"""A chapter as a notebook program shows it: what only the site's renderer knows is written as plain Markdown and HTML.

Code cells and their outputs stay as they are, so that the notebook of a kit is held against the same outputs as the chapter.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Mapping

from book import notebooks

FENCE = re.compile(r"^(?P<fence>:{3,})\{(?P<name>\w+)\} ?(?P<title>[^\n]*)\n(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)$\n?", re.M | re.S)
INCLUDE = re.compile(r"^```\{include\} (?P<name>\S+)\n```$", re.M)
LABEL = re.compile(r"^(?:\([\w-]+\)=|\{[.#][^}\n]*\}|</?div\b[^>\n]*>)\n", re.M)  # what only names or marks a part of the page
DEFINED = re.compile(r"^(?P<term>[^\s:>|#<-][^\n]*)\n(?P<definitions>(?::[ \t]+\S[^\n]*\n?(?:[ \t]+\S[^\n]*\n?)*)+)", re.M)
HERE = re.compile(r"(?<!!)\[(?P<words>[^\[\]]+)\]\((?P<target>#?[\w-]+)\)")  # a link to a label or a heading of this page, which only the site has
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?:(?P<words>[^`<]*?)\s*<(?P<target>[^`>]+)>|(?P<alone>[^`]+))`")
PAGE = re.compile(
    r'(?<!!)\[(?P<words>[^\]]*)\]\((?P<page>[\w./-]+)\.(?:ipynb|md|html)(?P<anchor>#[^)\s]*)?\)|<a\b[^>]*href="(?P<page_too>[\w./-]+)\.html(?P<anchor_too>#[^"]*)?"[^>]*>(?P<words_too>.*?)</a>',
    re.S,
)

FOLDED = {"hide-cell": ("source_hidden", "outputs_hidden"), "hide-input": ("source_hidden",), "hide-output": ("outputs_hidden",)}


def readable(
    notebook: dict, titles: Mapping[str, str], included: Mapping[str, str], works: Mapping[str, tuple[str, str, str]] = {}, site: str | None = None,
) -> dict:
    """Return `notebook` with Markdown that any program for notebooks can show.

    `titles` holds the titles of chapters by stem, `included` the texts of files that a cell includes, by name; a file that is not
    in it is named instead. `works` are those that can be cited, as `of_references` gives them; others are cited by their keys. `site` is for a
    notebook that leaves the book: the address of the site, to which what names another page then links, or "" where there is none, and
    "(in the book)" is said of it; without it, names and links of pages stay. A number that the code said stands in its sentence as text. What
    the site folds, solutions among it, is folded; definitions are a list.
    """
    said = notebooks.said(notebook)
    return {**notebook, "cells": [
        {**cell, "source": _plain(notebooks.text(cell["source"]), said, titles, included, works, site)} if cell["cell_type"] == "markdown" else _folded(cell)
        for cell in notebook["cells"]
    ]}  # fmt: skip


def of_references(path: Path) -> dict[str, tuple[str, str, str]]:
    """Return authors in short ("Bloggs and Doe", "Bloggs et al."), year and address of each work in the BibTeX file at `path`, by key.

    The address is that of the DOI, "" where there is none.
    """
    from pybtex.database import parse_file
    from pybtex.richtext import Text

    found = {}
    for key, work in parse_file(path, "bibtex").entries.items():
        names = [str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in work.persons.get("author") or work.persons.get("editor") or []]
        named = [name for name in names if name != "others"]
        authors = f"{named[0]} et al." if len(names) > 2 else " and ".join(named) or key
        doi = work.fields.get("doi", "")
        found[key] = (authors, work.fields.get("year", ""), f"https://doi.org/{doi}" if doi else "")
    return found


def cited(keys: str, works: Mapping[str, tuple[str, str, str]], in_sentence: bool) -> str:
    """Return a citation of the works of `keys`, set apart by commas, in Markdown: "Bloggs (2020)" in a sentence, else "(Bloggs, 2020; Doe, 2021)"; the keys, where one is unknown."""
    held = [key.strip() for key in keys.split(",")]
    if not all(key in works for key in held):
        return f"[{', '.join(held)}]"
    told = []
    for authors, year, address in (works[key] for key in held):
        words = f"{authors} ({year})" if in_sentence else f"{authors}, {year}"
        told.append(f"[{words}](<{address}>)" if address else words)
    return ", ".join(told) if in_sentence else f"({'; '.join(told)})"


def _listed(found: re.Match) -> str:
    """Return a term with its definitions as one item of a list."""
    definitions = [re.sub(r"\s*\n[ \t]+", " ", each).strip() for each in re.split(r"^:[ \t]+", found["definitions"], flags=re.M)[1:]]
    return f"- **{found['term'].strip().strip('*')}**: {'; '.join(definitions)}\n"


def _folded(cell: dict) -> dict:
    """Return a code cell that programs for notebooks fold as the site does."""
    metadata = cell.get("metadata", {})
    hidden = {part: True for tag in metadata.get("tags", []) for part in FOLDED.get(tag, ())}
    return {**cell, "metadata": {**metadata, "jupyter": {**metadata.get("jupyter", {}), **hidden}}} if hidden else cell


def _plain(
    markdown: str, said: Mapping[str, str], titles: Mapping[str, str], included: Mapping[str, str], works: Mapping[str, tuple[str, str, str]], site: str | None,
) -> str:
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
                return cited(words, works, in_sentence=found["role"] == "cite:t")
            case _:
                return words

    markdown = INCLUDE.sub(lambda found: included.get(found["name"], f"*({found['name']} is part of the site.)*"), markdown)
    markdown = HERE.sub(r"\g<words>", DEFINED.sub(_listed, LABEL.sub("", FENCE.sub(_box, markdown))))
    if site is not None:
        markdown = PAGE.sub(lambda found: _of_page(found, site), markdown)
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
