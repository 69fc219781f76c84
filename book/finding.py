"""Terms and claims for the page of search: a script that holds them, since a page opened from a folder may fetch nothing."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from book.files import read_json, write_whole

PLACE = "finds.js"
LIST = "asprintedFinds"
TERM = re.compile(r'<dt id="(term-[^"]+)">(.*?)</dt>(?:\s*<dt.*?</dt>)*\s*<dd>(.*?)</dd>', re.S)
TITLE = re.compile(r"<title>(.*?)\s*(?:&#8212;|—)", re.S)
PAGE = "search.html"
# What Sphinx says where no page is found speaks of categories, which its search does not have.
NOTHING = (
    "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories.",
    "No page holds all these words. Are they spelled as in the book? Fewer words find more pages.",
)


def run(site: Path) -> int:
    """Return how many terms and claims the search page of `site` now finds; 0 where the site has no such page."""
    page = site / PAGE
    found = [*terms(_text(site / "chapters" / "glossary.html")), *claims(site)]
    if not page.is_file() or not found:
        return 0
    write_whole(site / PLACE, f"globalThis.{LIST} = {json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n")
    tools = site / "_static" / "searchtools.js"
    if tools.is_file():
        write_whole(tools, _text(tools).replace(*NOTHING))
    tag = f'<script defer src="{PLACE}"></script>'
    text = _text(page)
    write_whole(page, text if tag in text else text.replace("</head>", f"  {tag}\n  </head>", 1))
    return len(found)


def terms(glossary: str) -> list[dict]:
    """Return each term of the built glossary: its words, its definition, and its place."""
    return [{"kind": "term", "name": _plain(name), "says": _plain(definition), "to": f"chapters/glossary.html#{place}"}
            for place, name, definition in TERM.findall(glossary)]  # fmt: skip


def claims(site: Path) -> list[dict]:
    """Return each claim of the ledger that stands in `site`: what it says, what is printed and computed, its row, and the cells that check it."""
    held = read_json(site / "chapters" / "ledger.json", {}) or {}
    found = []
    for claim in held.get("claims", []):
        cells = [{"title": title_of(site / "chapters" / cell.partition("#")[0]), "to": f"chapters/{cell}"} for cell in claim["cells"].split()]
        found.append({
            "kind": "claim", "name": claim["says"], "printed": claim["printed"], "computed": claim["computed"], "verdict": claim["verdict_in_words"],
            "study": held["studies"][claim["study"]].partition(":")[0], "more": f"{claim['id']} {claim['how']}", "to": f"chapters/{claim['row']}", "cells": cells,
        })  # fmt: skip
    return found


def title_of(page: Path) -> str:
    """Return the title of a built page up to a colon."""
    found = TITLE.search(_text(page))
    return html.unescape(found[1]).partition(":")[0].strip() if found else page.stem


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<a class=\"headerlink\".*?</a>|<[^>]+>", "", markup, flags=re.S)).split())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
