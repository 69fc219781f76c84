"""What a table of a page leaves unsaid to those who cannot see it all: its name, for those who listen, and which of its columns are words."""

from __future__ import annotations

import html
import re
from collections import Counter

TABLE = re.compile(r"<table\b[^>]*>.*?</table>", re.DOTALL)
BOX = '<div class="pst-scrollable-table-container">'
FOLDED = re.compile(rf'(?<!{re.escape(BOX)})<table\b[^>]*\bclass="(?:dataframe behind|asprinted-explore)".*?</table>', re.DOTALL)  # tables that stand in a fold
PART = re.compile(r"<h[1-6]\b[^>]*>.*?</h[1-6]>|<details\b|</details>|<summary\b[^>]*>.*?</summary>|" + TABLE.pattern, re.DOTALL)
TAG = re.compile(r"<[^>]*>")
UNSEEN = re.compile(r'<a class="headerlink".*?</a>|<(?:span|p) class="expanded\b.*?</(?:span|p)>|<svg\b.*?</svg>|<style\b.*?</style>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?(?=<tr\b|</tbody|</thead|</table)", re.DOTALL)
CELL = re.compile(r"<(?P<kind>t[hd])\b(?P<held>[^>]*)>(?P<inside>.*?)(?=</?t[hdr]\b|$)", re.DOTALL)
KINDS = {"asprinted-claim": "Claims held against print", "asprinted-proof": "What print alone decides"}  # by the class of the table
FOLD = "Show code cell content"  # what the renderer says of a fold that has no words of its own
WORD = re.compile(r"[^\W\d_]{2,}")  # a cell of words begins with one, or has SEVERAL; NaN and the like are no words
SEVERAL = 3
NO_WORDS = {"nan", "none", "nat", "true", "false", "inf"}


def named(page: str) -> str:
    """Return the HTML page with an `aria-label` on every table that has neither one nor a caption.

    It says what kind of table it is, or what the fold says that it stands in, and the heading above it; tables of one name are counted.
    """
    heading, folds, told = "", [], Counter()

    def part(found: re.Match) -> str:
        nonlocal heading
        text = found[0]
        if text.startswith("<h") and not text.startswith("<header"):
            heading = said(text)
        elif text == "<details":
            folds.append("")
        elif text == "</details>":
            folds[-1:] = []
        elif text.startswith("<summary"):
            folds[-1:] = [said(text)]
        elif not re.search(r"^<table\b[^>]*(?:aria-label|indextable)|<caption\b", text):
            kind = next((words for name, words in KINDS.items() if name in text[: text.find(">")]), "")
            what = kind or next((words for words in reversed(folds) if words and words != FOLD), "Table")
            told[what, heading] += 1
            number = f" {told[what, heading]}" if told[what, heading] > 1 else ""
            name = f"{what}{number}: {heading}" if heading else f"{what}{number}"
            return f'<table aria-label="{html.escape(name)}"{text[len("<table") :]}'
        return text

    return PART.sub(part, page)


def boxed(page: str) -> str:
    """Return the HTML page with a box around each table that stands in a fold of its own, so that the table scrolls and not the fold."""
    return FOLDED.sub(rf"{BOX}\g<0></div>", page)


def said(element: str) -> str:
    """Return the words that stand in an element, as plain text, without what only the eye or the pointer needs."""
    return re.sub(r"\s+", " ", html.unescape(TAG.sub(" ", UNSEEN.sub("", element)))).strip()


def with_words(table: str) -> str:
    """Return the HTML table with the class `words` on each cell of a column in which most cells begin with a word.

    A table in which a cell spans several columns or rows stays as it is.
    """
    if re.search(r'\b(?:col|row)span="?[2-9]', table):
        return table
    rows = [[said(cell["inside"]) for cell in CELL.finditer(row)] for row in ROW.findall(table[table.find("</thead>") :])]
    columns = {place for place in range(max(map(len, rows), default=0)) if _of_words([row[place] for row in rows if place < len(row)])}

    def row(found: re.Match) -> str:
        place = iter(range(len(found[0])))
        return CELL.sub(lambda cell: _marked(cell) if next(place) in columns else cell[0], found[0])

    return ROW.sub(row, table) if columns else table


def _of_words(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return 2 * sum(_are_words(cell) for cell in filled) > len(filled)


def _are_words(cell: str) -> bool:
    return bool(WORD.match(cell) or len(WORD.findall(cell)) >= SEVERAL) and cell.lower() not in NO_WORDS


def _marked(cell: re.Match) -> str:
    kind, held, inside = cell.group("kind", "held", "inside")
    held = held.replace('class="', 'class="words ', 1) if 'class="' in held else f'{held} class="words"'
    return f"<{kind}{held}>{inside}"
