"""A chapter kit holds what its chapter reads, in the same bytes each time, and a notebook that any program for notebooks can show."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from book import kits, notebooks, take_away, toc
from book.errors import BookError
from book.readable import of_references, readable

ROOT = Path(__file__).resolve().parents[2]


def chapter(*cells: tuple[str, str]) -> dict:
    return {"cells": [{"cell_type": kind, "id": f"c{place}", "metadata": {}, "source": source} | ({"outputs": [], "execution_count": 1} if kind == "code" else {})
                      for place, (kind, source) in enumerate(cells)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # fmt: skip


@pytest.fixture(scope="module")
def stored() -> dict[str, dict]:
    return {path.stem: notebooks.read(path) for path in toc.chapters(ROOT)}


@pytest.fixture(scope="module")
def made(stored) -> dict[str, zipfile.ZipFile]:
    return {stem: zipfile.ZipFile(io.BytesIO(kit)) for stem, kit in kits.of_book(ROOT, stored, {}).items()}


def test_every_chapter_has_a_kit_with_its_notebook_records_library_requirements_and_licences(made, stored):
    assert list(made) == list(stored)
    for stem, kit in made.items():
        held = {name.removeprefix(f"{stem}/") for name in kit.namelist()}
        assert {f"chapters/{stem}.ipynb", "chapters/figures.mplstyle", "README.md", "requirements.txt", "LICENSE", "LICENSE-data", "LICENSE-text"} <= held
        code = "\n".join(notebooks.text(cell["source"]) for cell in notebooks.code_cells(stored[stem]))
        read = {place.removeprefix("../") for place in re.findall(r"\.\./data/[\w-]+/[\w.-]+\.csv", code)}
        assert read <= held and any(name.startswith("data/") for name in held)
        for study in {name.split("/")[1] for name in held if name.startswith("data/")}:
            assert {f"data/{study}/study.yml", f"data/{study}/datapackage.json"} <= held


def test_a_kit_goes_on_by_a_cell_that_can_be_seen_and_no_chapter_has_one(made, stored):
    for stem, kit in made.items():
        told, notebook = kit.read(f"{stem}/README.md").decode(), json.loads(kit.read(f"{stem}/chapters/{stem}.ipynb"))
        assert "`go_on()`" in told and "Not as in the book" in told
        first = notebook["cells"][1]
        assert first["cell_type"] == "code" and first["source"].endswith("\ngo_on()") and "# Only in this kit" in first["source"] and not first["metadata"]
        assert sum("go_on" in notebooks.text(cell["source"]) for cell in notebooks.code_cells(notebook)) == 1
        for cell in notebooks.code_cells(notebook):
            asserts = any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(notebooks.text(cell["source"]))))
            assert asserts == ("raises-exception" in cell["metadata"].get("tags", [])), cell["id"]
        assert not any("go_on" in notebooks.text(cell["source"]) for cell in notebooks.code_cells(stored[stem]))


def test_what_a_reader_changes_in_a_kit_does_not_stop_what_stands_below_it(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    study = ROOT / "data" / "harp-trial"
    cells = chapter(("markdown", "# Title"), ("code", f"from asprinted.chapter import check, study\n_ = study({str(study)!r})"),
                    ("code", "check('pcs.change.p', 0.2)"), ("code", "assert 0.2 < 0.05, 'reword'"), ("code", "print('the end')"))  # fmt: skip
    ran = NotebookClient(nbformat.from_dict(kits.going_on(cells)), kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = ran.cells[3].outputs[0].data["text/plain"]
    assert told.startswith("Not as in the book") and ran.cells[-1].outputs[0].text == "the end\n"


def test_kit_has_every_file_that_its_readme_names_and_installs_the_library_that_it_holds(made):
    for stem, kit in made.items():
        told, asked = kit.read(f"{stem}/README.md").decode(), kit.read(f"{stem}/requirements.txt").decode()
        for place in re.findall(r"(?:chapters|tests)/[\w.-]+", told):
            assert f"{stem}/{place}" in kit.namelist()
        wheel, wanted = re.search(r"^\./(\S+\.whl) \\\n    --hash=sha256:(\w+)$", asked, re.M).groups()
        assert hashlib.sha256(kit.read(f"{stem}/{wheel}")).hexdigest() == wanted
        library = zipfile.ZipFile(io.BytesIO(kit.read(f"{stem}/{wheel}"))).namelist()
        assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "asprinted").rglob("*.py")} <= set(library)


def test_readme_makes_its_environment_with_a_python_that_the_library_takes(made):
    takes = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"])
    for stem, kit in made.items():
        commands = re.findall(r"^    (.*) -m venv", kit.read(f"{stem}/README.md").decode(), re.M)
        named = [re.search(r"\d\.\d+$", each) for each in commands]  # without a version, any newer Python would be taken
        assert len(named) == 2 and all(each and each[0] in takes for each in named), commands


def test_the_same_book_gives_the_same_bytes(stored):
    one = {stem: stored[stem] for stem in list(stored)[:1]}
    assert kits.of_book(ROOT, one, {}) == kits.of_book(ROOT, one, {})


def test_another_number_in_the_records_gives_another_kit():
    assert kits.packed("a", {"data/x.csv": b"1"}) != kits.packed("a", {"data/x.csv": b"2"})


def test_versions_of_the_kits_are_those_of_the_book():
    def versions(place: str) -> dict[str, set[str]]:
        held: dict[str, set[str]] = {}
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / place).read_text("utf-8"), re.M):
            held.setdefault(name, set()).add(version)
        return held

    book, kit = versions("requirements.lock"), versions(kits.LOCK)
    assert {"numpy", "pandas", "statsmodels", "nbval", "ipykernel"} <= set(book) & set(kit)
    assert {name: kit[name] for name in kit if name in book and not kit[name] <= book[name]} == {}


def test_a_kit_without_one_of_its_files_is_refused_by_name(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(BookError, match="LICENSE: .*belongs in every chapter kit"):
        kits.contents(tmp_path, "a", chapter(("code", "1")), "A")


def test_only_studies_named_in_code_are_read(tmp_path):
    for name in ("one", "one-more", "two"):
        (tmp_path / "data" / name).mkdir(parents=True)
    assert kits.studies_of(tmp_path, chapter(("markdown", "two"), ("code", 'study("../data/one-more")'))) == ["one-more"]


def test_notebook_of_a_kit_shows_numbers_folds_and_links_without_the_site():
    source = chapter(("code", "say('n', '12')"), ("markdown", "(here)=\n{glue:text}`n` people {cite:p}`a2020,b2021`, see {doc}`other` and {download}`x.csv <../data/x.csv>`.\n"
                     "\n:::{admonition} Notice\n:class: dropdown\nThat.\n:::\n\n:::{admonition} Also\nThis.\n:::\n"), ("markdown", "```{include} a.questions.md\n```"))  # fmt: skip
    source["cells"][0]["outputs"] = [{"output_type": "display_data", "data": {"application/papermill.record/text/plain": "'12'"}, "metadata": {"scrapbook": {"name": "n"}}}]
    shown = readable(source, {"other": "Other"}, {"a.questions.md": '<div class="q">\n\n::::{dropdown} Answer\nYes.\n::::\n\n</div>\n'})
    text, asked = shown["cells"][1]["source"], shown["cells"][2]["source"]
    assert text.startswith("12 people [a2020, b2021], see *Other* and [x.csv](../data/x.csv).")
    assert "<details><summary><b>Notice</b></summary>\n\nThat.\n\n</details>" in text and "> **Also**\n>\n> This." in text
    assert asked.strip() == "<details><summary><b>Answer</b></summary>\n\nYes.\n\n</details>"
    assert shown["cells"][0] == source["cells"][0], "code and outputs are what the chapter is held against"
    assert source["cells"][1]["source"].startswith("(here)="), "the chapter itself is left as it is"


LINKED = "See {doc}`other`, [the *other* page](other.ipynb#part-one), <a class=\"printed\" href=\"ledger.html#row\">12</a>, [below](a-label), [above](#a-heading) and [x](../data/x.csv)."


def test_pages_that_a_kit_lacks_are_linked_where_they_are_published_and_else_said_to_be_in_the_book():
    source = chapter(("markdown", LINKED))
    [kept], [alone], [linked] = (readable(source, {"other": "Other"}, {}, {}, site)["cells"] for site in (None, "", "https://example.org/book/"))
    assert kept["source"] == LINKED.replace("{doc}`other`", "*Other*").replace("[below](a-label)", "below").replace("[above](#a-heading)", "above")
    assert alone["source"] == "See *Other* (in the book), the *other* page (in the book), 12 (in the book), below, above and [x](../data/x.csv)."
    assert linked["source"] == ("See [*Other*](https://example.org/book/chapters/other.html), [the *other* page](https://example.org/book/chapters/other.html#part-one), "
                                "[12](https://example.org/book/chapters/ledger.html#row), below, above and [x](../data/x.csv).")  # fmt: skip


def test_no_kit_links_to_a_file_that_it_lacks_and_each_folds_what_the_site_folds(made, stored):
    for stem, kit in made.items():
        cells = {cell["id"]: cell for cell in json.loads(kit.read(f"{stem}/chapters/{stem}.ipynb"))["cells"]}
        for cell in cells.values():
            if cell["cell_type"] == "markdown":
                for place in re.findall(r"\]\((?!<?https?://|#)([^)#\s]+)[^)]*\)|href=\"(?!https?://|#)([^\"#]+)", notebooks.text(cell["source"])):
                    name = (place[0] or place[1]).removeprefix("../")
                    assert f"{stem}/{name}" in kit.namelist(), (stem, cell["id"], place)
        for cell in notebooks.code_cells(stored[stem]):
            hidden = {"hide-input", "hide-cell"} & set(cell["metadata"].get("tags", []))
            assert bool(hidden) == bool(cells[cell["id"]]["metadata"].get("jupyter", {}).get("source_hidden")), cell["id"]


def test_notebook_of_a_kit_has_definitions_and_citations_that_any_program_shows(tmp_path):
    (tmp_path / "a.bib").write_text("@book{doe, author = {Doe, Jo and {de L{\\'o}n}, Ann}, year = {2020}}\n"
                                    "@book{all, author = {{A Group} and Doe, Jo and others}, year = {2021}, doi = {10.1/a}}\n", "utf-8")  # fmt: skip
    works = of_references(tmp_path / "a.bib")
    source = chapter(("markdown", "## Words\n\nDesign\n: a trial {cite:p}`doe,all`\n  of two [arms](the-arms)\n\n**Time**\n: an hour\n: or two\n\nSee {cite:t}`all` and {cite:p}`other`: it is\n[there](x.csv)."))
    assert readable(source, {}, {}, works)["cells"][0]["source"] == (
        "## Words\n\n- **Design**: a trial (Doe and de Lón, 2020; [A Group et al., 2021](<https://doi.org/10.1/a>)) of two arms\n\n- **Time**: an hour; or two\n\n"
        "See [A Group et al. (2021)](<https://doi.org/10.1/a>) and [other]: it is\n[there](x.csv).")  # fmt: skip


def test_no_mark_of_the_site_is_left_in_the_text_of_any_kit(made):
    for stem, kit in made.items():
        for cell in json.loads(kit.read(f"{stem}/chapters/{stem}.ipynb"))["cells"]:
            if cell["cell_type"] == "markdown":
                assert not re.search(r"\{(?:glue|cite|doc|download|ref|numref)\b[\w:]*\}`|^:::|^```\{|^: +\S|\[[a-z]+\d{4}[a-z]*[,\]]", notebooks.text(cell["source"]), re.M), cell["source"][:200]


def test_block_on_the_page_names_the_size_and_every_file_of_the_records():
    words = take_away.block("a", 1_240_000, ["harp-trial"], ROOT, None)
    assert 'href="a-kit.zip" download' in words and "(zip, 1.2 MB)" in words
    for path in (ROOT / "data/harp-trial").iterdir():
        assert f"`{path.name} <../data/harp-trial/{path.name}>`" in words
    assert take_away.told(84_300) == "84 kB"
