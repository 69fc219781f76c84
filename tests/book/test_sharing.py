"""What stands around a chapter is computed from it: badge, citation, card, description; and what the search finds."""

from __future__ import annotations

import json

import pytest

from book import colophon, edition, finding, sharing
from book.environment import ROOT
from book.errors import BookError
from book.notebooks import CLAIM

CITATION = 'title: "A book"\nversion: 1.2.0\ndate-released: 2030-02-01\nauthors:\n  - name: "Some authors"\n  - {family-names: Bloggs, given-names: Jo}\n'


def claim(name: str, verdict: str, printed: str = "3", computed: str = "3") -> dict:
    return {"id": f"a:{name}", "says": f"Claim {name}", "printed": printed, "computed": computed, "verdict": verdict, "anchor": f"claim-a-{name}"}


def chapter(*claims: dict, code: str = "import numpy as np\nfrom scipy import stats\nimport asprinted", title: str = "# Groups: do *they* help?") -> dict:
    output = {"output_type": "display_data", "metadata": {}, "data": {CLAIM: {"claims": list(claims)}, "text/plain": ""}}
    cells = [{"cell_type": "markdown", "id": "t", "metadata": {}, "source": f"{title}\n\nWords."},
             {"cell_type": "code", "id": "c", "metadata": {}, "source": code, "outputs": [output] if claims else [], "execution_count": 1}]  # fmt: skip
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def book(tmp_path):
    (tmp_path / "CITATION.cff").write_text(CITATION, "utf-8")
    (tmp_path / "_config.yml").write_text("title: A book\n", "utf-8")
    return tmp_path


# The badge


def test_the_badge_counts_what_the_cells_found():
    good = colophon.badge("a", chapter(claim("x", "reproduced"), claim("y", "holds")), None, ledger=True)
    assert "2 of 2 claims reproduced" in good and "✓" in good and 'href="ledger.html?chapter=a"' in good
    bad = colophon.badge("a", chapter(claim("x", "reproduced"), claim("y", "misprint")), None, ledger=False)
    assert f'href="{colophon.WORDS}"' in good and "(what-each-verdict-means)=" in (ROOT / "chapters" / "how-to-use-this-book.md").read_text("utf-8")
    assert "1 of 2 claims reproduced" in bad and "✓" not in bad and "≠" not in bad and "1 misprint in the source" in bad and "ledger" not in bad


@pytest.mark.parametrize(
    ("verdict", "one", "two"),
    [
        ("reproduced", "1 reproduced as printed.", "2 reproduced as printed."),
        ("holds", "1 claim in words or with a limit is true of the records.", "2 claims in words or with a limit are true of the records."),
        ("method", "1 differs by method.", "2 differ by method."),
        ("misprint", "1 misprint in the source.", "2 misprints in the source."),
        ("misreported", "1 in which the source misreports the publication.", "2 in which the source misreports the publication."),
    ],
)
def test_the_badge_counts_one_and_several_in_whole_words(verdict, one, two):
    assert f": {one}" in colophon.badge("a", chapter(claim("x", verdict)), None, ledger=False)
    assert f": {two}" in colophon.badge("a", chapter(claim("x", verdict), claim("y", verdict)), None, ledger=False)


def test_the_badge_names_the_versions_of_what_the_chapter_imports(book):
    import numpy
    import scipy

    told = colophon.badge("a", chapter(), edition.of(book), ledger=True)
    assert f"numpy {numpy.__version__}, scipy {scipy.__version__}." in told and "asprinted" not in told
    assert "Edition 1.2.0 of 1 February 2030." in told and "claims" not in told.replace("badge-claims", "")


def test_badge_and_citation_stand_below_the_title_and_at_the_end_and_the_notebook_given_is_left_alone(book):
    given = chapter(claim("x", "reproduced"))
    before = json.dumps(given)
    shown = colophon.in_notebook(given, "a", given, edition.of(book), ledger=True)
    first, last = shown["cells"][0]["source"], shown["cells"][-1]["source"]
    assert first.index("# Groups") < first.index("chapter-badge") < first.index("Words.") and last.startswith("## Cite this chapter")
    assert json.dumps(given) == before
    assert len(colophon.in_notebook(given, "a", given, None, ledger=True)["cells"]) == 2, "without an edition there is nothing to cite"


# The citation


def test_a_chapter_is_cited_in_words_and_for_programs(book):
    cited = edition.of(book)
    assert cited.cited("Groups: do they help?", "chapters/a.html") == "Some authors and Bloggs, Jo (2030). Groups: do they help? In: A book (version 1.2.0)."
    entry = cited.bibtex("Groups", "chapters/a.html")
    assert entry.startswith("@incollection{a-2030,") and "author = {{Some authors} and {Bloggs, Jo}}" in entry and "url" not in entry
    (book / "_config.yml").write_text("sphinx: {config: {html_baseurl: 'https://example.org/book'}}\n", "utf-8")
    cited = edition.of(book)
    assert cited.cited("Groups", "chapters/a.html").endswith(" https://example.org/book/chapters/a.html") and "url = {https://example.org/book/chapters/a.html}" in cited.bibtex("G", "chapters/a.html")


@pytest.mark.parametrize("content", ["title: A", CITATION.replace("2030-02-01", "soon"), "- a", CITATION.replace("authors:", "writers:")])
def test_a_citation_file_that_leaves_something_out_is_named(book, content):
    (book / "CITATION.cff").write_text(content, "utf-8")
    with pytest.raises(BookError, match="CITATION.cff: .*date-released"):
        edition.of(book)


def test_an_address_without_a_scheme_is_refused(book):
    (book / "_config.yml").write_text("sphinx: {config: {html_baseurl: example.org}}\n", "utf-8")
    with pytest.raises(BookError, match="html_baseurl: 'example.org'"):
        edition.of(book)


# Sharing

PAGE = """<html><head><title>Groups: a "trial" &#8212; A book</title></head><body><h1>Groups<a class="headerlink" href="#g">#</a></h1>
<div class="chapter-badge"><p>One of many claims of this chapter, which is no description at all.</p></div><p>Short.</p>
<p><strong>The question.</strong> Do groups &amp; peers help the people who come to them, and how would we know it?</p></body></html>"""


def test_a_page_is_described_by_its_own_first_paragraph():
    assert sharing.description(PAGE) == "The question. Do groups & peers help the people who come to them, and how would we know it?"
    assert sharing.description("<h1>A</h1>") == ""
    long = sharing.description("<h1>A</h1><p>" + "word " * 100 + "</p>")
    assert len(long) <= sharing.MOST and long.endswith("word …")


def test_addresses_are_told_only_where_the_site_has_one():
    card = ("cards/a.png", "Groups")
    without = sharing.head(PAGE, "chapters/a.html", "A book", "", card)
    assert 'content="Groups: a &quot;trial&quot;"' in without and "og:image" not in without and "http" not in without
    whole = sharing.head(PAGE, "chapters/a.html", "A book", "https://example.org/", card)
    assert 'property="og:image" content="https://example.org/cards/a.png"' in whole and 'property="og:url" content="https://example.org/chapters/a.html"' in whole
    assert "summary_large_image" in whole and "summary_large_image" not in without


def test_a_card_shows_the_first_claim_with_a_decimal_and_is_the_same_picture_twice():
    facts = sharing.of_chapter(chapter(claim("n", "reproduced", "40"), claim("x", "misprint", "0.66", "0.71"), claim("y", "reproduced", "1.2")), "A book")
    assert (facts["printed"], facts["computed"], facts["verdict"]) == ("0.66", "0.71", "≠ misprint in the source")
    assert sharing.told(facts) == "Groups: do they help? Claim x: printed 0.66, computed 0.71, misprint in the source."
    first, second = sharing.card(facts), sharing.card(facts)
    assert first == second and sharing.card(facts | {"printed": "0.67"}) != first
    assert (int.from_bytes(first[16:20]), int.from_bytes(first[20:24])) == (1200, 630)


# Search


def test_the_search_page_holds_every_term_and_claim(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "search.html").write_text("<html><head></head></html>", "utf-8")
    (tmp_path / "chapters" / "glossary.html").write_text(
        '<dl><dt id="term-ratio">ratio<a class="headerlink" href="#term-ratio">#</a></dt><dd><p>One by <em>another</em> &amp; so on.</p></dd></dl>', "utf-8")  # fmt: skip
    (tmp_path / "chapters" / "a.html").write_text("<title>Groups: more &#8212; A book</title>", "utf-8")
    row = {"id": "a:x", "study": "a", "says": "Claim x", "printed": "0.66", "computed": "0.66", "verdict_in_words": "as printed", "how": "a fit", "row": "ledger.html#r", "cells": "a.html#c"}
    (tmp_path / "chapters" / "ledger.json").write_text(json.dumps({"studies": {"a": "Study: of"}, "claims": [row]}), "utf-8")
    assert finding.run(tmp_path) == 2 == finding.run(tmp_path)
    held = json.loads((tmp_path / finding.PLACE).read_text("utf-8").partition(" = ")[2].removesuffix(";\n"))
    assert held[0] == {"kind": "term", "name": "ratio", "says": "One by another & so on.", "to": "chapters/glossary.html#term-ratio"}
    assert held[1]["printed"] == "0.66" and held[1]["cells"] == [{"title": "Groups", "to": "chapters/a.html#c"}] and held[1]["study"] == "Study"
    assert (tmp_path / "search.html").read_text("utf-8").count("finds.js") == 1


def test_a_site_without_terms_and_claims_has_no_list(tmp_path):
    (tmp_path / "search.html").write_text("<html><head></head></html>", "utf-8")
    assert finding.run(tmp_path) == 0 and not (tmp_path / finding.PLACE).exists()
