"""Typed numbers in prose are found; numbers from code, code itself, links, citations and years are not."""

from __future__ import annotations

import json

import pytest

from book import prose
from book.errors import BookError


def numbers(markdown: str, *allowed: prose.Allowed) -> list[str]:
    return prose.typed_numbers("index.md", "", markdown, list(allowed))


@pytest.mark.parametrize(
    "markdown",
    [
        "The difference was {glue:text}`pcs_difference` points.",
        "{glue:text}`p:.3f` and {glue:}`p2`",
        "Run `x = 3` and ``y`4`` there.",
        "```python\nx = 3\n```",
        "~~~\n12\n~~~",
        "```{code-block} python\n:emphasize-lines: 2\nx = 3\n```",
        "[the source](https://example.org/a1_(b2)/3) and <https://example.org/12>",
        "https://example.org/2/3 and doi: 10.1000/182",
        "[label]: https://example.org/5",
        "As {cite:p}`smith2014` and {cite:t}`jones99` say; see {numref}`fig-2`, {ref}`part 3 <part-3>`, {eq}`e1`.",
        "In 2014, between 1998 and 2003.",
        "1. first\n2) second",
        "(sec-1)=\n# Title",
        "A note[^1].\n\n[^1]: Words.",
        "```{figure} picture2.png\n:width: 300px\n:name: fig-1\nWords.\n```",
        ":::{admonition} Words\n---\nclass: tip2\n---\nWords.\n:::",
        '<h2 id="x1">Words</h2> <!-- 12 -->',
        "% 12\nWords {#id-1 .wide2}",
    ],
)
def test_not_a_typed_number(markdown):
    assert numbers(markdown) == []


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("There were 400 people.", ["400"]),
        ("p = .046", ["046"]),
        ("A mean of 2.70 (SD 10,000).", ["2.70", "10,000"]),
        ("[46 trials](a.md)", ["46"]),
        ("![3 lines](a.png)", ["3"]),
        (":::{admonition} All 5 of them\nOnly 4.\n:::", ["5", "4"]),
        ("````{tip}\nText 7.\n```python\nx = 3\n```\nText 8.\n````", ["7", "8"]),
        ("```{figure} a.png\n:alt: 6 bars\nCaption 9.\n```", ["6", "9"]),
        ("$x = 3$", ["3"]),
        ("In 2014.5 or 12014", ["2014.5", "12014"]),
        ("{sup}`2`", ["2"]),
        ("{math}`x^3` and {code}`y4`", ["3"]),
        ("| a | 5 |\n|---|---|", ["5"]),
    ],
)
def test_typed_number_is_found(markdown, found):
    told = numbers(markdown)
    assert [line.split("'")[1] for line in told] == found


def test_exception_covers_its_words_alone_and_is_marked_as_used():
    allowed = prose.Allowed("*.md", "SF-36", "name of a questionnaire")
    assert numbers("The SF-36 has scores.", allowed) == []
    assert allowed.used
    assert len(numbers("The 36 of them.", allowed)) == 1
    assert len(numbers("The SF-360.", allowed)) == 1


def test_exception_for_another_file_stays_unused():
    allowed = prose.Allowed("chapters/a.ipynb", "36", "reason")
    assert len(numbers("All 36.", allowed)) == 1
    assert not allowed.used


@pytest.mark.parametrize(
    "content",
    ["file: a", "- {file: a, text: '3'}", "- {file: a, text: 3, reason: b}", "- {file: a, text: none, reason: b}",
     "- {file: a, text: '3', reason: ' '}", "- {file: a, text: '3', reason: b, more: c}"],
)  # fmt: skip
def test_malformed_exception_is_refused(tmp_path, content):
    path = tmp_path / "numbers-in-prose.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BookError, match="numbers-in-prose.yml"):
        prose.load_allowed(path)


def test_notebook_page_and_its_questions_are_read(tmp_path):
    page = tmp_path / "a.ipynb"
    page.write_text(json.dumps({"cells": [
        {"cell_type": "markdown", "source": ["Words\n", "and 5 more"]},
        {"cell_type": "code", "id": "fig", "source": "x = 3", "metadata": {"mystnb": {
            "figure": {"caption": "It is 6."}, "image": {"alt": "A bar up to 7 points."}}}},
    ]}))  # fmt: skip
    (tmp_path / "a.questions.yml").write_text(
        "- {id: q-1, stem: How many of 8, kind: numeric, answer: {claim: a1}, feedback: ok}", encoding="utf-8"
    )
    told = prose.typed_numbers_of_page(tmp_path, page, [])
    assert [line.split("'")[1] for line in told] == ["5", "6", "7", "8"]
    assert "cell 1, line 2" in told[0] and "question 1 stem" in told[3]
    assert "cell fig, caption" in told[1] and "cell fig, alt" in told[2]
