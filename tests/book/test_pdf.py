"""The PDF of the book is printed from one page that holds the whole site, and is offered only for the site that it was printed from."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfWriter

from book import build, exercise_places, files, kept_pdf, one_page, pdf_check, take_away
from book.errors import BookError

FACE = {"title": "A book", "author": "Somebody", "year": "1999", "note": "Made up."}
FIRST = """<article><section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1><h2 id="part">A part</h2>
<p><a href="two.html#there">there</a> <a href="#part">here</a> <a href="data.csv">file</a> <a href="https://example.org/x">out</a></p>
<img src="../_images/f.png" alt="a figure"><script>1</script><button>Copy</button>
<details><summary>Answer and feedback</summary><p>Forty-two.</p></details><details><summary>The numbers behind</summary><p>Seven.</p></details>
<pre><span class="k">for</span> <span class="n">x</span></pre></section></article>"""
SECOND = '<article><section id="two"><h1>Two</h1><p id="part">Same id as in the other.</p><p id="there">There.</p><img src="../_images/g.png" alt="g"></section></article>'
PAGES = ["chapters/one.html", "chapters/two.html"]


@pytest.fixture
def site(tmp_path):
    for page, content in zip(PAGES, (FIRST, SECOND)):
        files.write_whole(tmp_path / "html" / page, f"<html><body><nav>menu</nav>{content}</body></html>")
    return tmp_path / "html"


def test_whole_book_is_one_page_with_every_figure_and_unique_places(site):
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert len(ids) == len(set(ids)) and set(one_page.places(PAGES)) <= set(ids)
    assert re.findall(r'<img[^>]*src="([^"]+)"', whole) == ["html/_images/f.png", "html/_images/g.png"]
    assert one_page.figures(site, PAGES) == 2
    assert "menu" not in whole and "Copy" not in whole and "headerlink" not in whole


def test_links_stay_inside_the_book_and_files_are_named_without_one(site):
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    inside = re.findall(r'href="#([^"]+)"', whole)
    assert {"chapters-two--there", "chapters-one--part"} <= set(inside) <= set(re.findall(r'\bid="([^"]+)"', whole))
    assert 'href="https://example.org/x"' in whole and "<span>file</span>" in whole


def test_answers_stand_at_the_end_with_a_way_there_and_back_and_other_folds_are_open(site):
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    assert whole.index("Same id") < whole.index("Forty-two.") and whole.index("Seven.") < whole.index("Same id")
    assert 'href="#answer-chapters-one-1"' in whole and 'href="#from-chapters-one-1"' in whole
    assert len(re.findall("<details", whole)) == len(re.findall(r'<details[^>]*open=""', whole)) == 2
    assert "<pre>for x</pre>" in whole


def test_what_is_said_of_a_screen_is_said_otherwise_on_paper(site):
    said = f'<p class="live-title">Run it here: a sum</p><p><em>Where to do it:</em> {exercise_places.HERE.partition("* ")[2]}</p><p>It is {exercise_places.KIT.partition("* ")[2]}</p><pre>Do it here:</pre>'
    files.write_whole(site / "chapters/two.html", f"<html><body><article>{said}</article></body></html>")
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    assert "To run in the site: a sum" in whole and "<pre>Do it here:</pre>" in whole
    assert "this page" not in whole and whole.count("in the site") >= 4


def test_a_table_with_more_columns_than_a_page_holds_is_turned(site):
    names = [f"c{number}" for number in range(one_page.COLUMNS + 1)]
    head, row = "".join(f"<th>{name}</th>" for name in names), "".join(f"<td>{name} of one</td>" for name in names)
    table = f"<table><thead><tr><td></td>{head}</tr></thead><tbody><tr><th>one</th>{row}</tr></tbody></table>"
    narrow = "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>"
    files.write_whole(site / "chapters/two.html", f"<html><body><article>{table}{narrow}</article></body></html>")
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    assert '<thead><tr><td></td><th scope="col">one</th></tr></thead><tbody><tr><th scope="row">c0</th><td>c0 of one</td></tr>' in whole
    assert narrow in whole


def test_contents_show_the_numbers_of_pages(site):
    assert '<span class="number">17</span>' in one_page.assembled(site, PAGES, FACE, "", {"chapters-two": 17})


def test_a_page_without_an_article_is_refused_by_name(site):
    files.write_whole(site / "chapters/one.html", "<html></html>")
    with pytest.raises(BookError, match="chapters/one.html: the page has no article"):
        one_page.assembled(site, PAGES, FACE, "", {})


@pytest.mark.parametrize(("text", "missing"), [
    ("a.b.est reads 0.66 and came to 0.661", ""),
    ("a.b.est reads 0.6 6 and came to 0.6\n61", ""),
    ("a.b.est reads 0.661 and came to 0.661", "not beside its name"),
    ("a.b.est reads 10.66 and came to 0.661", "not beside its name"),
    ("a.b.estimate reads 0.66 and came to 0.661", "its name is not"),
    ("a.b.est reads 0.67 and came to 0.671", "not beside its name"),
    ("0.66 and 0.661", "its name is not"),
    ("a.b.est" + " x" * 1000 + " 0.66 0.661", "not beside its name"),
])  # fmt: skip
def test_a_claim_is_there_only_with_its_numbers_beside_its_name(text, missing):
    found = pdf_check.lacking(text, [{"id": "s:a.b.est", "printed": "0.66", "computed": "0.661"}])
    assert bool(found) == bool(missing) and all(missing in line for line in found)


def test_bookmarks_have_the_words_of_headings_where_chromium_glues_or_doubles_them():
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    part = writer.add_outline_item(title="A long headingin two lines", page_number=0)
    writer.add_outline_item(title="Moved onMoved on", page_number=0, parent=part)
    writer.add_outline_item(title="A longA long headingin two lines", page_number=0)
    writer.add_outline_item(title="of no heading", page_number=0)
    held = io.BytesIO()
    writer.write(held)
    mended = pdf_check.with_bookmarks(held.getvalue(), ["A long heading in two lines", "Moved on"])
    assert pdf_check.bookmarks(mended) == ["A long heading in two lines", "Moved on", "A long heading in two lines", "of no heading"]


def test_a_pdf_is_offered_only_for_its_own_site_and_whole(tmp_path):
    kept_pdf.keep(tmp_path, "this site", b"%PDF")
    assert kept_pdf.of_site(tmp_path, "this site") == b"%PDF" and kept_pdf.of_site(tmp_path, "another") == b""
    (tmp_path / kept_pdf.FOLDER / kept_pdf.NAME).write_bytes(b"%PD")
    assert kept_pdf.of_site(tmp_path, "this site") == b""


def test_a_site_that_does_not_link_the_pdf_printed_from_it_is_not_current(tmp_path):
    files.write_whole(tmp_path / "_build/html/index.html", "words")
    made = {"fingerprint": build.site_fingerprint(tmp_path), "files": build.inventory(tmp_path / "_build/html"), "summary": "fine"}
    files.write_whole(tmp_path / "_build/site.json", build.json.dumps(made))
    assert build.current(tmp_path) == "fine"
    kept_pdf.keep(tmp_path, build.site_fingerprint(tmp_path), b"%PDF")
    assert build.current(tmp_path) == ""


def test_first_page_links_the_pdf_where_there_is_one_and_only_then():
    assert take_away.in_index("# Book\n\nWords.\n\nMore.", b"") == "# Book\n\nWords.\n\nMore."
    assert 'href="book.pdf"' in take_away.in_index("# Book\n\nWords.\n\nMore.", b"%PDF").split("\n\n")[2]


SOLVED = """<article><h1>One</h1><p>Do it.</p>
<div class="cell tag_hide-cell"><details><summary><span>Show the solution: it</span></summary><pre>solve()</pre></details></div>
<div class="cell tag_hide-input"><details><summary>Show code</summary><pre>say()</pre></details></div>
<div class="admonition dropdown"><p>What to notice</p><p>It is seven.</p></div>
<p>Now the next.</p><details class="no-print"><summary>What runs here</summary></details></article>"""


def test_what_is_said_of_a_solution_below_it_goes_to_the_end_with_it(site):
    files.write_whole(site / "chapters/two.html", f"<html><body>{SOLVED}</body></html>")
    whole = one_page.assembled(site, PAGES, FACE, "", {})
    before, answers = whole.split('id="answers"')
    assert "Do it." in before and "Now the next." in before and before.count('id="from-chapters-two-') == 1
    for moved in ("solve()", "say()", "It is seven."):
        assert moved not in before and answers.count(moved) == 1
    assert "What runs here" not in whole
