"""The first use of a term on a page leads to the glossary; nothing else does, and what a page says stays what it was."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from book import glossary, notebooks, prose, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
ROLE = re.compile(r"\{term\}`([^`<]*) <([^`]*)>`")
SMALL = glossary.terms(""":::{glossary}
:sorted:

arm
  One of the groups.

.. also: Hedges' *g*
Hedges' g
  A difference.

.. also: random effects; random-effects
random-effects model
  Spread.

meta-analysis
MA
  Pooling.

.. not: acute care workbook
acute care
  Help.

study
  One.
:::
""")
# Terms of a chapter that is being written: they must occur in the book as soon as _toc.yml names it.
AWAITED = {
    "chapters/care-management-review": {
        "care management", "collaborative care", "corrected covered area", "equivalence test", "evidence map", "GRADE",
        "non-inferiority margin", "vote counting",
    },
}  # fmt: skip


def linked(*texts: str) -> str:
    return "\n---\n".join(glossary.linked(list(texts), SMALL))


def pages() -> list[tuple[str, list[str]]]:
    """Return place and prose texts of every page that takes links."""
    found = []
    for page in toc.pages(ROOT):
        place = page.relative_to(ROOT).as_posix()
        cells = notebooks.read(page)["cells"] if page.suffix == ".ipynb" else [{"cell_type": "markdown", "source": page.read_text(encoding="utf-8")}]
        if place.rpartition(".")[0] not in glossary.UNLINKED:
            found.append((place, [notebooks.text(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]))
    return found


def test_first_use_on_a_page_is_linked_and_no_later_one():
    assert linked("Two arms, one arm.", "An arm.") == "Two {term}`arms <arm>`, one arm.\n---\nAn arm."


def test_words_stay_as_written_whatever_their_case_and_emphasis():
    assert linked("**Random effects** and *random-effects*") == "**{term}`Random effects <random-effects model>`** and *random-effects*"
    assert linked("Hedges’ g") == "{term}`Hedges’ g <Hedges' g>`"
    assert linked("(Hedges' *g*)") == "({term}`Hedges' g <Hedges' g>`)"


def test_longer_term_is_meant_where_two_begin():
    assert linked("a random-effects model and studies") == "a {term}`random-effects model <random-effects model>` and {term}`studies <study>`"
    assert linked("many meta-analyses") == "many {term}`meta-analyses <meta-analysis>`"


def test_synonyms_share_one_entry_and_abbreviations_keep_their_capitals():
    assert linked("MA, then meta-analysis") == "{term}`MA <meta-analysis>`, then meta-analysis"
    assert linked("ma") == "ma"


def test_name_with_a_digit_stands_in_backticks_in_the_glossary_alone():
    terms = glossary.terms(":::{glossary}\n.. also: `XY-36`\nscale\n  One.\n:::\n")
    assert glossary.linked(["the XY-36"], terms) == ["the {term}`XY-36 <scale>`"]


def test_quotation_marks_around_a_term_are_part_of_the_link():
    assert linked('("arm") or "an arm"') == '({term}`"arm" <arm>`) or "an arm"'
    assert linked('"Arm" and "study design"') == '{term}`"Arm" <arm>` and {term}`"study <study>` design"'
    assert linked('an "odd arm"') == 'an "odd {term}`arm <arm>`"'


def test_words_in_another_sense_are_passed_over():
    assert linked("An acute care workbook; acute care.") == "An acute care workbook; {term}`acute care <acute care>`."


@pytest.mark.parametrize(
    "markdown",
    [
        "# One arm", "## One arm\n", "`arm` and ``an arm``", "```python\narm = 1\n```", "~~~\narm\n~~~", "$arm$ and $$\narm\n$$",
        "[an arm](a.md) and [arm][b] and ![an arm](a.png)", "{doc}`the arm <arm>` and {glue:text}`arm` and {cite:p}`arm`",
        "```{code-block} python\narm\n```", ":::{math}\narm\n:::", "<b>arm</b> <!-- arm --> <a href='arm'>", "% arm",
        ":::{admonition} One arm\n:class: arm\n:::", ":::{dropdown} arm\n:::", ":::{card} A\n:link: arm\none arm\n:::",
        "| arm | b |\n|---|---|", "arm\n===", "(arm)=\n", "{.arm}\n", "https://arm.example/arm", "[arm]: arm.md",
        "pre-arm, arm-in-arm, armour, arm–leg", "un*arm* and *arm*s",
        "## At a glance\n\nan arm\n\n- an arm", ":::{admonition} At a glance\nan arm\n:::",
        "# Title\n\n**The question.** Which arm?\n\n## At a glance\n\narm",
    ],
)  # fmt: skip
def test_nothing_is_linked_where_a_link_would_break_or_crowd(markdown):
    assert linked(markdown) == markdown


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        (":::{admonition} Title\n:class: tip\nOne arm.\n:::", ":::{admonition} Title\n:class: tip\nOne {term}`arm <arm>`.\n:::"),
        ("````{tip}\n```python\narm\n```\nOne arm.\n````", "````{tip}\n```python\narm\n```\nOne {term}`arm <arm>`.\n````"),
        ("| a |\n|---|\n| arm |", "| a |\n|---|\n| {term}`arm <arm>` |"),
        ("## At a glance\n\narm\n\n## Story\n\narm", "## At a glance\n\narm\n\n## Story\n\n{term}`arm <arm>`"),
        ("Costs of $5 an arm", "Costs of $5 an {term}`arm <arm>`"),
        ("> an arm\n\n1. arm", "> an {term}`arm <arm>`\n\n1. arm"),
    ],
)
def test_prose_around_such_places_is_linked(markdown, wanted):
    assert linked(markdown) == wanted


def test_glance_reaches_over_cells():
    assert linked("# T\n\narm", "## At a glance", "arm", "## Story\n\narm").endswith("arm\n---\n## Story\n\n{term}`arm <arm>`")


@pytest.mark.parametrize(
    "body",
    ["arm\n  One.\n\narm\n  Two.", "arm\n  One.\n\n.. also: Arm\nleg\n  Two.", "arm\n\nleg\n  Two."],
    ids=["headword twice", "variant of another", "no definition"],
)
def test_glossary_that_leaves_a_link_in_doubt_is_refused(body):
    with pytest.raises(BookError, match="glossary.md"):
        glossary.terms(f":::{{glossary}}\n{body}\n:::\n")


def test_notebook_is_linked_in_its_words_alone_and_left_as_it_was():
    cells = [{"cell_type": "code", "source": "# an arm"}, {"cell_type": "markdown", "source": ["An ", "arm"], "id": "a"}]
    notebook = {"cells": cells, "nbformat": 4}
    before = copy.deepcopy(notebook)
    assert glossary.in_notebook(notebook, SMALL)["cells"] == [cells[0], {"cell_type": "markdown", "source": "An {term}`arm <arm>`", "id": "a"}]
    assert notebook == before


def test_committed_pages_hold_no_links_and_read_the_same_with_them():
    terms = glossary.terms((ROOT / "chapters/glossary.md").read_text(encoding="utf-8"))
    for place, texts in pages():
        assert not ROLE.search("\n".join(texts)), place
        shown = glossary.linked(texts, terms)
        heads = [found[2] for found in ROLE.finditer("\n".join(shown))]
        assert len(heads) == len(set(heads)), place
        assert [ROLE.sub(r"\1", words).replace("*", "") for words in shown] == [words.replace("*", "") for words in texts], place


def test_every_term_of_the_glossary_occurs_in_the_book():
    terms = glossary.terms((ROOT / "chapters/glossary.md").read_text(encoding="utf-8"))
    met = {found[2] for _, texts in pages() for found in ROLE.finditer("\n".join(glossary.linked(texts, terms)))}
    awaited = {term for place, waiting in AWAITED.items() if place not in toc.entries(ROOT) for term in waiting}
    assert awaited <= set(terms.values()), f"not in the glossary: {sorted(awaited - set(terms.values()))}"
    unused = set(terms.values()) - met - awaited - {""}
    assert not unused, f"in no page: {', '.join(sorted(unused))}: use the words, add a way to write them (.. also:), or take the entries out"


def test_entries_lead_to_headwords_and_not_to_themselves():
    text = (ROOT / "chapters/glossary.md").read_text(encoding="utf-8")
    entries = glossary._entries(text)
    heads = {head for headwords, *_ in entries for head in headwords}
    links = [(headwords, found[1]) for headwords, _, _, definition in entries
             for found in re.finditer(r"\{term\}`(?:[^`<]* <)?([^`<>]*)>?`", definition)]  # fmt: skip
    assert links and {target for _, target in links} <= heads
    assert not [target for headwords, target in links if target in headwords]


def test_glossary_types_no_number():
    assert prose.typed_numbers("chapters/glossary.md", "", (ROOT / "chapters/glossary.md").read_text(encoding="utf-8"), []) == []
