"""The headings of a notebook and their addresses on its page."""

from __future__ import annotations

import re
from typing import Iterator

from book import notebooks

ANCHORED = 3  # levels of headings that have an address: myst_heading_anchors in _config.yml


def of_text(markdown: str, taken: set[str]) -> Iterator[tuple[str, str]]:
    """Yield words and address of each heading of one cell, in order; `taken` holds the page's addresses so far and grows.

    Headings with a role in them have an address that cannot be told from their text, and are passed over.
    """
    from markdown_it import MarkdownIt
    from myst_parser.mdit_to_docutils.base import default_slugify

    tokens = MarkdownIt("commonmark").parse(markdown)
    for token, inline in zip(tokens, tokens[1:]):
        if token.type != "heading_open" or token.level or int(token.tag[1]) > ANCHORED or "{" in inline.content:
            continue
        words = "".join(child.content for child in inline.children or [] if child.type in {"text", "code_inline"})
        slug, number = default_slugify(words), 1
        while slug in taken:
            slug, number = f"{slug}-{number}", number + 1
        taken.add(slug)
        yield words, slug


def by_address(notebook: dict) -> dict[str, str]:
    """Return the words of every heading of the notebook that has an address, by that address."""
    taken: set[str] = set()
    return {slug: words for cell in notebook["cells"] if cell["cell_type"] == "markdown" for words, slug in of_text(notebooks.text(cell["source"]), taken)}


def title(notebook: dict) -> str:
    """Return the notebook's first heading, up to a colon."""
    for cell in notebook["cells"]:
        found = re.search(r"^# (.+)$", notebooks.text(cell["source"]), re.M) if cell["cell_type"] == "markdown" else None
        if found:
            return found[1].partition(":")[0].strip()
    return "Untitled"
