"""docs/study-file.md: the reference of study.yml is that of its schema, every field of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from asprinted.cli import BAD_INPUT, FINE, main
from asprinted.paper import reference
from asprinted.study import meanings, schema
from tests.asprinted.conftest import ROOT

PAGE = ROOT / "docs" / "study-file.md"


def fields(node: Any) -> Iterator[str]:
    """The name of every field in the schema."""
    if isinstance(node, dict):
        yield from node["properties"] if isinstance(node.get("properties"), dict) else ()
        for each in node.values():
            yield from fields(each)
    elif isinstance(node, list):
        for each in node:
            yield from fields(each)


def test_page_is_that_of_the_schema():
    made = PAGE.read_text("utf-8").partition(reference.MARKER)[2].strip()
    assert made == reference.markdown(schema()).strip(), "run: python -m asprinted schema --markdown docs/study-file.md"


def test_every_field_of_the_schema_has_a_line():
    listed = set(re.findall(r"^\| `(\w+)`", reference.markdown(schema()), re.MULTILINE))
    assert listed == set(fields(schema()))


def test_every_statistic_has_a_line_that_says_what_it_is():
    below = reference.markdown(schema()).partition("## statistics")[2]
    assert [line for line in below.splitlines() if line.startswith("- ")] == [f"- `{name}`: {said}" for names in meanings.GROUPS.values() for name, said in names.items()]


def test_field_that_is_new_in_the_schema_is_new_in_the_reference():
    changed = schema() | {"properties": schema()["properties"] | {"colour": {"enum": ["red", "a|b"], "description": "of the cover"}}}
    assert "| `colour` | `red`, `a\\|b` | of the cover |" in reference.markdown(changed)


def test_page_is_made_anew_after_its_marker_alone(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"# Mine\n\n{reference.MARKER}\nof yesterday\n", "utf-8")
    assert main(["schema", "--markdown", str(page)]) == FINE
    text = page.read_text("utf-8")
    assert text.startswith(f"# Mine\n\n{reference.MARKER}\n\n## ") and "of yesterday" not in text
    assert main(["schema", "--markdown", str(page)]) == FINE
    assert capsys.readouterr().out.splitlines() == [f"{page}: made anew", f"{page}: as it was"]


@pytest.mark.parametrize("content", ["# No marker\n", None])
def test_page_without_a_marker_or_missing_is_refused(tmp_path, capsys, content):
    page = tmp_path / "page.md"
    if content:
        page.write_text(content, "utf-8")
    assert main(["schema", "--markdown", str(page)]) == BAD_INPUT
    assert capsys.readouterr().err.startswith(f"error: {page}: ")
