"""What the page on using the book says of the book is so."""

from __future__ import annotations

import re
from pathlib import Path

from asprinted.verdict import VERDICTS
from book import ledger, notebooks, toc

ROOT = Path(__file__).resolve().parents[2]
PAGE = " ".join((ROOT / "chapters/how-to-use-this-book.md").read_text(encoding="utf-8").split())
NUMBERS = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight", 9: "Nine", 10: "Ten"}


def chapters() -> dict[str, dict]:
    return {page.stem: notebooks.read(page) for page in toc.chapters(ROOT)}


def test_verdicts_that_are_said_to_occur_are_those_that_do():
    met = {row.verdict.verdict for row in ledger.rows(ROOT, chapters())}
    said = re.search(r"(\w+) of these ten occur in the book as it stands: (.*?)\. ", PAGE)
    assert said and said[1] == NUMBERS[len(met)] and len(VERDICTS) == 10
    assert set(re.findall(r"\*([^*]+)\*", said[2])) == {VERDICTS[name] for name in met}


def test_places_to_divide_a_chapter_are_headings_of_the_book():
    table = re.search(r"\| Chapter \| Classes \|.*?(?=The records, their)", PAGE)[0]
    headings = "\n".join(line for chapter in chapters().values() for cell in chapter["cells"] if cell["cell_type"] == "markdown"
                         for line in notebooks.text(cell["source"]).splitlines() if line.startswith("#"))  # fmt: skip
    named = re.findall(r'"([^"]+)"', table)
    assert named and [words for words in named if words not in headings] == []
