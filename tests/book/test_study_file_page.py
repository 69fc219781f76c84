"""The page about study.yml: every field of the schema is there, every example is one, and every link to it has a place."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from asprinted import kinds
from asprinted.paper import reference
from asprinted.study import meanings, schema
from book import build, files, notebooks, study_file_page, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
FIELD = re.compile(r"^\[`(\w+)`\]\{#([\w-]+)\}", re.MULTILINE)


@functools.cache
def page() -> str:
    return study_file_page.render(ROOT, {})


@functools.cache
def of_studies() -> dict[tuple[str, str], str]:
    return study_file_page.examples(schema(), [yaml.safe_load(file.read_text("utf-8")) for file in sorted(ROOT.glob("data/*/study.yml"))])


def entries(node: Any) -> Iterator[tuple[str, Any]]:
    """Every name with what it holds, at every depth."""
    if isinstance(node, dict):
        yield from node.items()
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from entries(each)


def test_page_is_in_the_book_after_the_chapter_that_fills_in_such_a_file():
    order = toc.entries(ROOT)
    assert order.index("chapters/study-file") == order.index("chapters/bring-your-own-paper") + 1


def test_every_field_of_the_reference_is_an_entry_with_what_it_holds():
    parts = re.split(r"^## ", reference.markdown(schema()), flags=re.MULTILINE)[1:]
    listed = [(part.partition("\n")[0], name) for part in parts for name in re.findall(r"^\| `(\w+)`", part, re.MULTILINE)]
    shown = page()
    assert [name for _, name in listed] == [name for name, _ in FIELD.findall(shown)]
    assert len(listed) == len(re.findall(rf"{FIELD.pattern}[^\n]*\n: \S", shown, re.MULTILINE))
    assert "fields, below" not in shown and "see *by*" not in shown and "| field |" not in shown


def test_no_two_places_of_the_page_have_one_name():
    names = [name for _, name in FIELD.findall(page())] + re.findall(r"^\(([\w-]+)\)=$", page(), re.MULTILINE)
    assert len(names) > 100 and len(names) == len(set(names))


def test_every_link_within_the_page_has_its_place():
    wanted = set(re.findall(r"<(study-file[\w-]*)>`", page()))
    assert "study-file-claims-by" in wanted and wanted <= set(re.findall(r"^\(([\w-]+)\)=$", page(), re.MULTILINE))


def test_every_link_of_the_chapters_to_the_page_has_its_place():
    wanted = {name for path in toc.chapters(ROOT) for name in re.findall(r"<(study-file[\w-]*)>`", "".join(notebooks.text(c["source"]) for c in notebooks.read(path)["cells"]))}
    assert wanted and wanted <= set(re.findall(r"^\(([\w-]+)\)=$", page(), re.MULTILINE))


def test_every_example_is_one_line_of_yaml_that_stands_in_a_study_file():
    held: dict[str, list[Any]] = {}
    for file in ROOT.glob("data/*/study.yml"):
        for name, value in entries(yaml.safe_load(file.read_text("utf-8"))):
            held.setdefault(name, []).append(value)
    found = of_studies()
    assert len(found) > 100
    for (_, field), line in found.items():
        [(name, value)] = yaml.safe_load(line).items()
        assert name == field and value in held[field] and "\n" not in line and len(line) <= study_file_page.LONGEST


def test_every_example_stands_at_its_field():
    for (title, field), line in of_studies().items():
        place = f"{{#{study_file_page._anchor(title, field)}}}"
        if place in page():  # a form that two parts share is listed once
            assert f"Such as `{line}`" in page().partition(place)[2].partition("\n\n")[0]


def test_field_that_is_new_in_the_schema_is_new_on_the_page():
    changed = schema() | {"properties": schema()["properties"] | {"colour": {"enum": ["red", "a|b"], "description": "of the cover"}}}
    found = study_file_page.examples(changed, [{"colour": "a|b"}])
    assert found == {("the file", "colour"): 'colour: "a|b"'}
    told = study_file_page.fields(reference.markdown(changed), found)
    assert '[`colour`]{#field-file-colour}\n: `red`, `a|b`. Of the cover.\n: Such as `colour: "a|b"`' in told


@pytest.mark.parametrize("value", ["0.50", "yes", "no", "null", "1e3", "a b", "a: b", "−1.05", "", "with \"quotes\"", True, 3, -0.5, ["a", {"b": ["c", "1"]}], {"arm": ["peer-led", "2"]}])  # fmt: skip
def test_example_is_read_back_as_what_it_was(value):
    assert yaml.safe_load(f"field: {study_file_page.flow(value)}") == {"field": value}


def test_every_kind_is_there_with_the_lines_that_write_it():
    below = page().partition("(study-file-kinds)=")[2].partition("(study-file-whole)=")[0]
    written = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", below, re.MULTILINE | re.DOTALL)]
    assert written == [yaml.safe_load(row["written"]) for row in kinds.as_rows()]
    assert re.findall(r"^\(study-file-kind-([\w-]+)\)=", below, re.MULTILINE) == [row["name"] for row in kinds.as_rows()]
    assert all(row["refused"] in below for row in kinds.as_rows())


def test_a_whole_file_is_shown_that_says_what_the_one_among_the_papers_says():
    [fold] = re.findall(r"^```yaml\n(.*?)^```", page().partition("(study-file-whole)=")[2], re.MULTILINE | re.DOTALL)
    shown = yaml.safe_load(fold)
    assert shown == yaml.safe_load((ROOT / study_file_page.EXAMPLE).read_text("utf-8"))
    assert {model["family"] for model in shown["models"].values()} == {"logistic", "gee-logistic"} and "visits" in shown["design"]


def test_every_statistic_is_said_what_it_is_in_the_list_of_what_gives_it():
    section = page().partition("(study-file-statistics)=")[2].partition("(study-file-verdicts)=")[0]
    for of, fold in zip(meanings.GROUPS, re.findall(r"^:::\{dropdown\} Of (.*?)^:::$", section, re.MULTILINE | re.DOTALL), strict=True):
        assert fold.startswith(f"{of}: ") and dict(re.findall(r"^`(\w+)`\n: (.*)\.$", fold, re.MULTILINE)) == {name: said[0].upper() + said[1:] for name, said in meanings.GROUPS[of].items()}
    assert "{ref}`A statistic <study-file-statistics>`" in page() and "a statistic, below" not in page().lower()


@pytest.mark.parametrize(("language", "widest"), [("sh", 76), ("yaml", 73)])  # in folds a line is shorter
def test_every_line_of_code_is_seen_whole_on_a_page_of_1280_pixels(language, widest):
    blocks = re.findall(rf"^```{language}\n(.*?)^```", page(), re.MULTILINE | re.DOTALL)
    assert blocks and [line for block in blocks for line in block.splitlines() if len(line) > widest] == []


def test_every_word_that_a_claim_may_expect_is_said():
    listed = page().partition("(study-file-verdicts)=")[2].partition("(study-file-kinds)=")[0]
    assert set(re.findall(r"^`([\w-]+)`\n: \w", listed, re.MULTILINE)) == set(schema()["$defs"]["claim"]["properties"]["expect"]["enum"])


def test_what_the_chapter_shows_of_a_study_file_is_one():
    [chapter] = [path for path in toc.chapters(ROOT) if path.stem == "bring-your-own-paper"]
    blocks = [yaml.safe_load(block) for cell in notebooks.read(chapter)["cells"] if cell["cell_type"] == "markdown"
              for block in re.findall(r"^```yaml\n(.*?)^```", notebooks.text(cell["source"]), re.MULTILINE | re.DOTALL)]  # fmt: skip
    assert any("outcomes" in block for block in blocks)
    for block in blocks:
        part = {"$defs": schema()["$defs"], "properties": {name: schema()["$defs"]["design"]["properties"][name] for name in block}}
        assert not list(Draft202012Validator(part).iter_errors(block))


def test_introduction_without_its_marker_is_refused(tmp_path):
    files.write_whole(tmp_path / study_file_page.WORDS, "# The study file\n")
    with pytest.raises(BookError, match="docs/study-file.md: marker: not there; put this line"):
        study_file_page.render(tmp_path, {})


def test_site_is_made_anew_when_the_introduction_changes(tmp_path):
    files.write_whole(tmp_path / "requirements.lock", "")
    files.write_whole(tmp_path / study_file_page.WORDS, "one")
    before = build.site_fingerprint(tmp_path)
    files.write_whole(tmp_path / study_file_page.WORDS, "two")
    assert build.site_fingerprint(tmp_path) != before
