"""A pass over each built page, for people who listen to it, use it by keys or magnify it.

What the theme and the tables leave out is mended here in one place, after Sphinx and before the site is put in its place, so that
no template of the theme has to be copied. A mend that no longer finds its fault changes nothing; `make site-test` then tells whether
the fault is gone or has another shape.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path

from book import tables
from book.files import write_whole
from book.policy import PAGE

MENDS = (
    # A name that is not what the eye reads cannot be spoken to a voice control: the words inside are the name.
    (re.compile(r'(<button class="btn search-button-field[^>]*?) title="[^"]*" aria-label="[^"]*"'), r"\1"),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    (re.compile(r'(<i class="theme-switch [^>]*?) title="[^"]*"'), r"\1"),
    (re.compile(r'"Color mode"'), '"Colour mode"'),
    (re.compile(r'title="Toggle primary sidebar"'), 'title="Contents of the book"'),
    (re.compile(r'title="Toggle secondary sidebar"'), 'title="Contents of this page"'),
    # Everything stands in a landmark, and what opens over the page has a name.
    (re.compile(r'(?<!page">)(<a class="navbar-brand logo".*?</a>)', re.DOTALL), r'<nav aria-label="First page">\1</nav>'),
    (re.compile(r'<dialog id="pst-search-dialog">'), '<dialog id="pst-search-dialog" aria-label="Search">'),
    (re.compile(r'<dialog id="pst-primary-sidebar-modal">'), '<dialog id="pst-primary-sidebar-modal" aria-label="Contents of the book">'),
    (re.compile(r'<dialog id="pst-secondary-sidebar-modal">'), '<dialog id="pst-secondary-sidebar-modal" aria-label="Contents of this page">'),
    # Roles of docutils that were withdrawn, or that forbid what docutils puts inside.
    (re.compile(r' role="doc-biblioentry"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # A picture of a figure scrolls in a box of its own where it would be too small to read.
    (re.compile(r"(<figure\b[^>]*>\s*)(<img\b[^>]*>)"), r'\1<div class="picture">\2</div>'),
    # Sphinx and the theme both say it.
    (re.compile(r'(<meta name="viewport"[^>]*>)\s*<meta name="viewport"[^>]*>'), r"\1"),
)
# What a fold can be told apart by: the heading, the title or the number of the question that stands above it.
FOLD = re.compile(
    r'<h[1-6]\b[^>]*>(?P<heading>.*?)</h[1-6]>|<p class="live-title">(?P<title>.*?)</p>|<strong>(?P<question>Question \d+)\.</strong>|(?P<fold><summary\b[^>]*>)(?P<words>.*?)</summary>',
    re.DOTALL,
)
HEADER = re.compile(r"<th\b(?P<held>[^>]*)>(?P<inside>.*?)</th>", re.DOTALL)
SKIP = '<a href="#main-content">Skip to main content</a>'
SKIPS = (  # further links at the top of a page: where the part that they skip to has its id, their class, and their words
    (re.compile(r'id="(pst-page-toc-nav)"'), ' class="skip-contents"', "the contents of this page"),
    (re.compile(r'<div class="live" id="([^"]+)"'), "", "the first cell to run here"),
    (re.compile(r'id="(check-yourself)"'), "", "Check yourself"),
    (re.compile(r'id="(exercises)"'), "", "the exercises"),
)
FILLED = re.compile(r"<td\b[^>]*>\s*[^<\s]|<td\b[^>]*>\s*<(?!/td)")


def run(site: Path) -> int:
    """Return how many pages below the folder `site` were gone through; pages of other projects are left as they are."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    own = {path: page for path, page in pages.items() if PAGE in page[:1000]}
    for path, page in own.items():
        write_whole(path, mended(page))
    return len(own)


def mended(page: str) -> str:
    """Return the HTML page with the theme's faults mended and with tables that have a name, and headers that say what they are the headers of."""
    for fault, remedy in MENDS:
        page = fault.sub(remedy, page)
    page = tables.boxed(tables.named(with_skips(page)))
    return named_folds(tables.TABLE.sub(lambda table: tables.with_words(with_scopes(table[0])), page))


def with_skips(page: str) -> str:
    """Return the HTML page with links at its top that skip to those of its parts which a reader may come for."""
    parts = [(part.search(page), held, words) for part, held, words in SKIPS]
    links = [f'<a{held} href="#{found[1]}">Skip to {words}</a>' for found, held, words in parts if found]
    return page.replace(SKIP, " ".join([SKIP, *(link for link in links if link not in page)]), 1)


def named_folds(page: str) -> str:
    """Return the HTML page with a name of its own for each fold of its article whose words stand in it more than once.

    Readers who listen hear what the eye sees beside it: the question, the cell or the heading that the fold is below.
    """
    start = page.find("<article")
    if start < 0:
        return page
    article, seen = page[start:], Counter()
    often = Counter(tables.said(found["words"]) for found in FOLD.finditer(article) if found["fold"])
    above = ""

    def named(found: re.Match) -> str:
        nonlocal above
        if not found["fold"]:
            above = tables.said(found["heading"] or found["title"] or found["question"])
            return found[0]
        words = tables.said(found["words"])
        if not words or often[words] < 2:
            return found[0]
        seen[words, above] += 1
        again = f", {seen[words, above]}" if seen[words, above] > 1 else ""
        return f'{found["fold"]}{found["words"]}<span class="live-unseen">: {html.escape(above, quote=False)}{again}</span></summary>'

    return page[:start] + FOLD.sub(named, article)


def with_scopes(table: str) -> str:
    """Return the HTML table with a scope on every header cell, and with plain cells instead of empty header cells.

    A row of a `<thead>`, and one of header cells alone, holds headers of columns; another row's header cells are the row's own.
    A header that spans several columns or rows is that of the group. A scope that is there already stays.
    """
    head = table.find("</thead>")
    return tables.ROW.sub(lambda row: _with_scopes(row[0], "col" if row.start() < head or not FILLED.search(row[0]) else "row"), table)


def _with_scopes(row: str, scope: str) -> str:
    def cell(found: re.Match) -> str:
        held, inside = found["held"], found["inside"]
        if not inside.strip():
            return f"<td{re.sub(r' scope=.[a-z]*.', '', held)}></td>"
        if "scope=" in held:
            return found[0]
        span = re.search(rf'{scope}span="(\d+)"', held)
        return f'<th{held} scope="{scope}{"group" if span and int(span[1]) > 1 else ""}">{inside}</th>'

    return HEADER.sub(cell, row)
