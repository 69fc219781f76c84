"""The stored chapters satisfy every guard, and no page types a number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from book import guards, notebooks, prose, toc

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("guard", guards.GUARDS, ids=lambda guard: guard.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_satisfies(path, guard):
    problems = guard(notebooks.read(path))
    assert not problems, f"chapters/{path.name}\n" + "\n".join(problems)


def test_every_number_in_prose_comes_from_code_and_every_exception_is_needed():
    allowed = prose.load_allowed(ROOT / "tests" / "numbers-in-prose.yml")
    problems = [line for page in toc.pages(ROOT) for line in prose.typed_numbers_of_page(ROOT, page, allowed)]
    unused = [f"numbers-in-prose.yml: {each.file}: {each.text!r} is not met any more: remove it" for each in allowed if not each.used]
    assert not problems + unused, "\n".join(problems + unused)


def test_every_chapter_is_in_the_table_of_contents():
    listed = {page.name for page in toc.pages(ROOT)}
    pages = [path.name for path in sorted((ROOT / "chapters").iterdir()) if path.suffix in {".ipynb", ".md"}]
    assert [name for name in pages if name not in listed] == []


def test_every_file_of_questions_belongs_to_a_chapter():
    stems = {path.stem for path in NOTEBOOKS}
    assert [path.name for path in (ROOT / "chapters").glob("*.questions.yml") if path.name.removesuffix(".questions.yml") not in stems] == []


def test_a_command_stands_before_the_python_that_runs_it():
    cells = [cell for path in NOTEBOOKS for cell in notebooks.code_cells(notebooks.read(path)) if re.search(r"^asprinted\(", notebooks.text(cell["source"]), re.MULTILINE)]
    assert len(cells) > 5
    for cell in cells:
        told = next(notebooks.text(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")
        assert "hide-input" in cell["metadata"].get("tags", ()) and told.startswith("$ asprinted "), cell["id"]
