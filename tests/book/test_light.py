"""A light page shows what it showed: its icons, formulas, colours and pictures; what it loads no longer, it did not use."""

from __future__ import annotations

import re

import pytest

from book import light, style_sheets

LIBRARY = 'x={"sun":[512,512,[9728],"f185","M1 2"],moon:[384,512,[],"f186",["M3 4","M5 6"]]}'
SHEET = "\n".join(
    f'html[data-theme="{theme}"] .highlight{rule}'
    for theme, base in (("light", "#000"), ("dark", "#fff"))
    for rule in (f" {{ background: #eee; color: {base} }}", f" .n {{ color: {base} }}", " .k { color: #00f }", f" .p {{ color: {base} }}")
) + '\nhtml[data-theme="dark"] .highlight .p { font-weight: bold }'


def drawn(body: str, **given) -> str:
    return light.page(f"<html><head>{given.pop('head', '')}</head><body>{body}</body></html>", **given)


def test_an_icon_is_drawn_with_its_other_names_and_its_title():
    page = drawn('<i class="theme-switch fa-solid fa-sun fa-lg" data-mode="light" title="Light"></i>', drawings=LIBRARY)
    assert '<svg class="svg-inline--fa theme-switch fa-sun fa-lg" data-mode="light" viewBox="0 0 512 512"' in page
    assert "<title>Light</title>" in page and 'd="M1 2"' in page and "<i " not in page


def test_the_library_of_icons_stays_where_it_is_needed():
    head = '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'
    assert "fontawesome" not in drawn('<i class="fa-solid fa-moon"></i>', head=head, drawings=LIBRARY)
    kept = drawn('<i class="fa-solid fa-unknown"></i>', head=head, drawings=LIBRARY)
    assert "fontawesome" in kept and 'class="fa-solid fa-unknown"' in kept


def test_formulas_become_mathml_and_mathjax_goes():
    head = '<script>window.MathJax = {}</script><script defer src="../_static/../mathjax-3.2.2/tex-mml-chtml.js?v=1"></script>'
    page = drawn(r'<span class="math notranslate nohighlight">\(a &lt; \sqrt{n}\)</span><div class="math notranslate nohighlight" id="eq"><span class="eqno">(1)</span>\[\frac{a}{b}\]</div>', head=head)
    assert "MathJax" not in page and "tex-mml" not in page and "\\" not in page
    assert page.count("<math") == 2 and "<msqrt>" in page and "<mfrac>" in page and '<span class="eqno">(1)</span><math' in page and "&lt;" in page


def test_a_prime_is_raised():
    page = re.sub(r"\s", "", drawn(r"""<span class="math">\(y' = X'b''\)</span>"""))
    assert page.count("<msup>") == 3 and "<msup><mi>y</mi><mi>′</mi></msup>" in page and "'" not in page.split("<math")[1].split("</math>")[0]


def test_a_formula_that_cannot_be_read_is_left_to_mathjax():
    head = '<script>window.MathJax = {}</script><script defer src="../_static/../mathjax-3.2.2/tex-mml-chtml.js"></script>'
    page = drawn(r'<span class="math">\(\nosuchthing{a}\)</span><span class="math">\(b\)</span>', head=head)
    assert r"\(\nosuchthing{a}\)" in page and page.count("<math") == 1 and "window.MathJax" in page and "tex-mml-chtml" in page


def test_code_keeps_its_words_and_every_colour_but_that_of_the_ground():
    plain = light.uncoloured(SHEET)
    assert plain == {"n"}
    page = drawn('<pre><span class="k">for</span><span class="n">each</span><span class="p">:</span></pre>', plain=plain)
    assert '<pre><span class="k">for</span>each<span class="p">:</span></pre>' in page


def test_a_style_sheet_that_is_not_known_takes_no_colour_away():
    assert light.uncoloured("") == frozenset() == light.uncoloured(".highlight .n { color: red }")


def test_pictures_below_the_first_wait_and_their_place_is_kept(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4))
    page = drawn('<img alt="one" src="a.png"/><img alt="two" src="a.png" /><img alt="three" src="a.png" width="3">', folder=tmp_path)
    first, second, third = re.findall("<img[^>]*>", page)
    assert "lazy" not in first and 'loading="lazy"' in second and 'loading="lazy"' in third
    assert 'width="640" height="480"' in first and 'alt="two"' in second and third.count("width") == 1


@pytest.mark.parametrize("name, body", [("searchindex.js", '<div id="search-results">'), ("copybutton.js", '<div class="highlight-python">'), ("ledger.js", '<div class="ledger-filters">')])
def test_a_script_stands_where_it_has_something_to_do(name, body):
    head = f'<script src="../{name}?v=1"></script>'
    assert name in drawn(body, head=head) and name not in drawn("<p>", head=head)


def test_a_script_of_which_nothing_is_known_stays():
    assert "mine.js" in drawn("<p>", head='<script src="../_static/mine.js"></script>')


# Style sheets


def test_a_rule_stays_if_some_page_can_meet_it():
    sheet = '@charset "utf-8";a{color:red}.used,.gone p{color:blue}.gone{x:y}.used:not(.gone) #place{b:c}.other[data-x=".gone"]{d:e}'
    kept = style_sheets.kept(sheet, '<p class="used other" id="place">')
    assert kept.split("\n") == ['@charset "utf-8";', "a{color:red}", ".used{color:blue}", ".used:not(.gone) #place{b:c}", '.other[data-x=".gone"]{d:e}']


def test_rules_within_rules_and_signs_within_texts_are_read():
    sheet = '/* .a{ */@media print{.used::after{content:"}{;"}.gone{a:b}}@media screen{.gone{a:b}}@font-face{src:url(a;b)}@keyframes spin{from{a:b}to{c:d}}'
    kept = style_sheets.kept(sheet, "used")
    assert '@media print{\n.used::after{content:"}{;"}\n}' in kept and "screen" not in kept
    assert "@font-face{src:url(a;b)}" in kept and "@keyframes spin{from{a:b}to{c:d}}" in kept and "/*" not in kept


def test_a_name_that_a_script_puts_together_stays():
    assert style_sheets.kept(".bs-tooltip-top{a:b}.bs-other{a:b}", 'element.className = "bs-tooltip-" + side') == ".bs-tooltip-top{a:b}"


def test_a_style_sheet_that_breaks_off_is_refused():
    with pytest.raises(ValueError, match="ends within the rule '.a'"):
        style_sheets.kept(".a{b:c", "a")
