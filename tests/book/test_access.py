"""Pages that everyone can use and that run nothing but their own scripts: the last pass, the policy, the dark figures."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from book import access, policy, vendored

ROOT = Path(__file__).resolve().parents[2]
HEAD = '<html lang="en-GB" data-content_root="./"><head><meta charset="utf-8" />'


def test_a_table_in_a_fold_scrolls_in_a_box_of_its_own_and_so_does_the_picture_of_a_figure():
    page = '<details><summary>All</summary><table class="dataframe behind" aria-label="a"><tr><th scope="col">a</th></tr></table></details><figure id="f">\n<img alt="x" /></figure>'
    mended = access.mended(page)
    assert f'</summary>{access.tables.BOX}<table class="dataframe behind"' in mended and "</table></div></details>" in mended
    assert '<figure id="f">\n<div class="picture"><img alt="x" /></div></figure>' in mended
    assert access.mended(mended) == mended


def test_links_at_the_top_skip_to_those_parts_that_the_page_has():
    page = f'<div id="pst-skip-link">{access.SKIP}</div><section id="check-yourself"></section>'
    assert access.mended(page) == page.replace(access.SKIP, f'{access.SKIP} <a href="#check-yourself">Skip to Check yourself</a>')
    assert access.mended(access.mended(page)) == access.mended(page)


def test_one_link_at_the_top_skips_to_the_first_of_the_cells_that_are_run_in_the_page():
    page = f'<div id="pst-skip-link">{access.SKIP}</div><div class="live" id="live-half"></div><div class="live" id="live-third"></div>'
    assert access.mended(page) == page.replace(access.SKIP, f'{access.SKIP} <a href="#live-half">Skip to the first cell to run here</a>')
    assert access.mended(access.mended(page)) == access.mended(page)


def test_every_header_cell_says_what_it_heads_and_an_empty_one_is_a_plain_cell():
    table = ('<table><thead><tr style="x"><th></th><th>mean</th><th colspan="2">range</th></tr></thead>'
             '<tbody><tr><th>arm</th><td>1</td><td>2</td></tr><tr><th rowspan="2">both</th><td>3</td></tr></tbody></table>')  # fmt: skip
    assert access.with_scopes(table) == (
        '<table><thead><tr style="x"><td></td><th scope="col">mean</th><th colspan="2" scope="colgroup">range</th></tr></thead>'
        '<tbody><tr><th scope="row">arm</th><td>1</td><td>2</td></tr><tr><th rowspan="2" scope="rowgroup">both</th><td>3</td></tr></tbody></table>')  # fmt: skip


def test_a_table_without_a_head_has_headers_of_columns_in_its_row_of_headers():
    table = '<table><tr><td></td> <th>coef</th></tr><tr><th>Intercept</th> <td><b>1.2</b></td></tr></table>'
    assert access.with_scopes(table) == '<table><tr><td></td> <th scope="col">coef</th></tr><tr><th scope="row">Intercept</th> <td><b>1.2</b></td></tr></table>'


def test_a_scope_that_is_there_stays():
    table = '<table><tbody><tr><th scope="rowgroup">a</th><td>1</td></tr></tbody></table>'
    assert access.with_scopes(table) == table


def test_every_table_without_a_name_is_named_by_its_fold_or_kind_and_its_heading_and_counted():
    table = "<table><tr><th>a</th></tr></table>"
    page = (f'<h2>Who &amp; when<a class="headerlink" href="#w">#</a></h2>{table}{table}<table class="asprinted-claim"></table>'
            f'<details><summary><p class="collapsed x">Show it</p><p class="expanded x">Hide it</p></summary>{table}</details>'
            f'<h3>Next</h3>{table}<table aria-label="mine"></table><table><caption>Own</caption></table>')  # fmt: skip
    told = re.findall(r"<table(?: aria-label=\"([^\"]*)\")?", access.mended(page))
    assert told == ["Table: Who &amp; when", "Table 2: Who &amp; when", "Claims held against print: Who &amp; when", "Show it: Who &amp; when", "Table: Next", "mine", ""]
    assert access.mended(access.mended(page)) == access.mended(page)


def test_columns_of_words_are_marked_and_columns_of_numbers_are_not():
    table = ('<table><thead><tr><td></td><th>p</th><th class="x">report</th></tr></thead>'
             '<tbody><tr><th>1</th><td>NaN</td><td>Peers were <em>trained</em></td></tr><tr><th>2</th><td>&lt;.001</td><td>in words</td></tr></tbody></table>')  # fmt: skip
    marked = access.tables.with_words(table)
    assert re.findall(r'<t[hd] class="words[^>]*>[^<]*', marked) == ['<th class="words x">report', '<td class="words">Peers were ', '<td class="words">in words']
    assert re.sub(r' class="words"|words ', "", marked) == table
    spanning = table.replace("<th>p", '<th rowspan="2">p')
    assert access.tables.with_words(spanning) == spanning


def test_a_sentence_that_begins_with_a_number_is_words_and_an_interval_is_none():
    table = "<table><thead><tr><th>what</th><th>how</th></tr></thead><tbody><tr><td>64 of 218 people in one arm</td><td>0.48 to 0.93</td></tr></tbody></table>"
    assert access.tables.with_words(table).count("words") == 2 and '<td class="words">64 of' in access.tables.with_words(table)


@pytest.mark.parametrize(
    ("fault", "mended"),
    [
        ('<summary aria-label="Toggle hidden content">\n<p>Show the code</p>', "<summary>\n<p>Show the code</p>"),
        ('<button class="btn search-button-field x" title="Search" aria-label="Search" a>', '<button class="btn search-button-field x" a>'),
        ('<i class="theme-switch fa-sun" data-mode="light" title="Light"></i>', '<i class="theme-switch fa-sun" data-mode="light"></i>'),
        ('<a class="navbar-brand logo" href="#">\n <p>Book</p></a>', '<nav aria-label="First page"><a class="navbar-brand logo" href="#">\n <p>Book</p></a></nav>'),
        ('<div class="citation" id="id1" role="doc-biblioentry">', '<div class="citation" id="id1">'),
    ],
)
def test_faults_of_the_theme_are_mended_once(fault, mended):
    assert access.mended(fault) == mended
    assert access.mended(mended) == mended


def test_a_page_allows_its_own_scripts_by_hash_and_no_other(tmp_path):
    codes = ["let a = 'π';\n", 'window.b = {"c": 1}']
    data = '<script type="application/ld+json">{"name": 1}</script><script src="a.js"></script>'
    (tmp_path / "own.html").write_text(f"{HEAD}<script>{codes[0]}</script><script data-x='1'>{codes[1]}</script>{data}</head></html>")
    (tmp_path / "other.html").write_text("<html><head></head></html>")
    assert policy.run(tmp_path) == 1
    assert (tmp_path / "other.html").read_text() == "<html><head></head></html>"
    page = (tmp_path / "own.html").read_text()
    allowed = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in codes)
    assert allowed == f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " \
        "worker-src 'self' blob:; base-uri 'none'; form-action 'self'; object-src 'none'"
    assert page.index("Content-Security-Policy") < page.index("<script")
    policy.run(tmp_path)
    assert (tmp_path / "own.html").read_text() == page, "a second pass changes nothing"


def test_pages_of_other_projects_are_left_alone(tmp_path):
    table = "<table><tr><th>a</th></tr></table>"
    (tmp_path / "own.html").write_text(f"{HEAD}</head>{table}</html>")
    (tmp_path / "other.html").write_text(f"<html>{table}</html>")
    assert access.run(tmp_path) == 1
    assert 'scope="col"' in (tmp_path / "own.html").read_text() and "scope" not in (tmp_path / "other.html").read_text()


def test_a_page_without_a_character_set_is_refused():
    with pytest.raises(ValueError, match="charset"):
        policy.with_policy("<html></html>")


def test_folds_of_the_same_words_are_told_apart_by_what_stands_above_them():
    fold = '<details><summary class="x"><span>Answer and feedback</span><svg><path d="M 1"/></svg></summary>so</details>'
    page = (f"<summary>Answer and feedback</summary><article><h2>One &amp; all<a class=\"headerlink\" href=\"#x\">#</a></h2>{fold}{fold}"
            f"<p><strong>Question 3.</strong> Why?</p>{fold}<p class=\"live-title\">Do it here: a half</p>{fold}<summary>Only once</summary></article>")  # fmt: skip
    done = access.mended(page)
    names = re.findall(r'<span class="live-unseen">(.*?)</span></summary>', done)
    assert names == [": One &amp; all", ": One &amp; all, 2", ": Question 3", ": Do it here: a half"]
    assert done.startswith("<summary>Answer and feedback</summary>") and "<summary>Only once</summary>" in done
    assert re.sub(r'<span class="live-unseen">.*?</span>', "", done) == page, "nothing else is changed"


def test_axe_is_the_one_that_its_origin_names():
    folder = ROOT / "tests/vendor/axe-core-4.14.1"
    assert vendored.listed(folder) and vendored.problems(folder) == []


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the contrast of two sRGB colours (0 to 1) as WCAG 2.2 defines it."""
    light = sorted(sum(w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), colour)) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def test_links_that_are_pointed_at_or_have_the_focus_stand_out_from_the_page_and_from_the_ground_of_a_printed_number():
    css = (ROOT / "book/static/access.css").read_text()
    code = re.search(r'data-theme="light"\] \{\s*--pst-color-link-hover: #([0-9a-f]{6});', css)[1]
    colour = tuple(int(code[place : place + 2], 16) / 255 for place in (0, 2, 4))
    for ground in ((1.0, 1.0, 1.0), (0.953, 0.957, 0.961), tuple(1 - 0.09 * (1 - part) for part in colour)):
        assert contrast(colour, ground) >= 4.5


def turned(colour: tuple[float, ...], amount: float) -> tuple[float, ...]:
    """Return what `invert(amount) hue-rotate(180deg)` makes of a colour: the matrices of the Filter Effects specification."""
    red, green, blue = (c * (1 - 2 * amount) + amount for c in colour)
    grey = 2 * (0.213 * red + 0.715 * green + 0.072 * blue)  # a half turn about the axis of greys
    return tuple(min(max(grey - c, 0.0), 1.0) for c in (red, green, blue))


def test_in_the_dark_every_colour_of_the_figures_stands_out_as_it_does_on_white():
    css = (ROOT / "book/static/access.css").read_text()
    amount = float(re.search(r"filter: invert\(([\d.]+)\) hue-rotate\(180deg\);", css)[1])
    style = (ROOT / "chapters/figures.mplstyle").read_text()
    colours = {"axes.labelcolor", "axes.edgecolor", "text.color", "xtick.color", "axes.prop_cycle"}
    lines = [line for line in style.splitlines() if line.partition(":")[0] in colours]
    codes = {code for line in lines for code in re.findall(r"\b[0-9A-Fa-f]{6}\b", line)}
    assert len(lines) == len(colours) and len(codes) > 8
    white = (1.0, 1.0, 1.0)
    for code in codes:
        colour = tuple(int(code[place : place + 2], 16) / 255 for place in (0, 2, 4))
        here, there = contrast(colour, white), contrast(turned(colour, amount), turned(white, amount))
        assert there >= min(here, 4.5), f"#{code}: {there:.2f} to 1 in the dark, {here:.2f} on white"
