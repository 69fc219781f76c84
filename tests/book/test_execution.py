"""What is executed again and what is not; what a failing cell says; files whole or not at all."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from book import chapters, execute, files, notebooks
from book.errors import BookError, Differs


def notebook(*sources: str) -> dict:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {"kernelspec": notebooks.KERNEL}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def repository(tmp_path):
    for name, content in {
        "requirements.lock": "a==1\n", "asprinted/models.py": "x = 1\n", "data/trial/visits.csv": "id,score\na,1\n",
        "chapters/style.mplstyle": "a: b\n", "chapters/page.md": "# Page\n",
    }.items():  # fmt: skip
        files.write_whole(tmp_path / name, content)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["requirements.lock", "asprinted/models.py", "data/trial/visits.csv", "chapters/style.mplstyle", "data/trial/new.csv"]
)
def test_change_of_anything_a_chapter_may_read_changes_the_fingerprint(repository, name):
    before = execute.surroundings(repository)
    files.write_whole(repository / name, "changed\n")
    assert execute.surroundings(repository) != before


@pytest.mark.parametrize("name", ["chapters/page.md", "chapters/a.ipynb", "index.md", "data/trial/__pycache__/a.pyc", "data/.hidden"])
def test_change_of_what_no_code_reads_keeps_the_fingerprint(repository, name):
    before = execute.surroundings(repository)
    files.write_whole(repository / name, "changed\n")
    assert execute.surroundings(repository) == before


def test_renamed_data_file_changes_the_fingerprint(repository):
    before = execute.surroundings(repository)
    (repository / "data/trial/visits.csv").rename(repository / "data/trial/other.csv")
    assert execute.surroundings(repository) != before


def test_change_of_a_cell_or_its_tags_changes_the_fingerprint_and_outputs_and_text_do_not():
    base = notebook("x = 1", "x")
    before = execute.wanted_fingerprint(base, "around")
    code, tag, order, output, words = (copy.deepcopy(base) for _ in range(5))
    code["cells"][1]["source"] = "x + 1"
    tag["cells"][1]["metadata"]["tags"] = ["hide-input"]
    order["cells"].reverse()
    output["cells"][1] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}], "execution_count": 2}
    words["cells"].insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Title"})
    assert all(execute.wanted_fingerprint(other, "around") != before for other in (code, tag, order))
    assert execute.wanted_fingerprint(base, "elsewhere") != before
    assert all(execute.wanted_fingerprint(other, "around") == before for other in (output, words))


def test_executed_copy_is_trusted_only_while_it_is_what_was_recorded(repository):
    chapter = repository / "chapters" / "a.ipynb"
    notebooks.write(chapter, notebook("1 + 1"))
    assert execute.outdated(repository, [chapter]) == [chapter]
    made_from = execute.wanted_fingerprint(notebooks.read(chapter), execute.surroundings(repository))
    execute.keep(repository, chapter, notebook("1 + 1"), made_from, 1.0)
    assert execute.outdated(repository, [chapter]) == []
    result = execute.result_path(repository, chapter)
    result.write_text(result.read_text().replace("1 + 1", "1 + 2"))
    assert execute.outdated(repository, [chapter]) == [chapter]


def test_failing_cell_is_named_and_the_other_notebook_is_kept(repository, capsys):
    good, bad = repository / "chapters" / "good.ipynb", repository / "chapters" / "bad.ipynb"
    notebooks.write(good, notebook("open('../data/trial/visits.csv').read()"))
    stored = notebook("x = 1", "# find it\nx.missing", "print('never')")
    for number, cell in enumerate(stored["cells"], 1):  # as committed: later cells carry counts of an earlier run
        cell["execution_count"] = number
    notebooks.write(bad, stored)
    with pytest.raises(Differs) as problem:
        execute.execute(repository, [bad, good])
    told = str(problem.value)
    assert "bad.ipynb: cell [2] failed (c1)" in told and "# find it" in told and "AttributeError" in told
    assert execute.outdated(repository, [good, bad]) == [bad]
    kept = notebooks.read(execute.result_path(repository, good))
    assert "id,score" in json.dumps(kept) and kept["cells"][0]["execution_count"] == 1
    assert not execute.result_path(repository, bad).exists()
    assert notebooks.read(good)["cells"][0]["outputs"] == []  # the chapter itself is not written


def test_outputs_move_to_the_source_and_what_varies_is_left_out():
    source, executed = notebook("1"), notebook("1")
    source["cells"].insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "new words"})
    executed["cells"][0] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}], "execution_count": 1}
    executed["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    source["cells"][1]["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01"}
    joined = notebooks.with_outputs(source, executed)
    assert joined["cells"][0]["source"] == "new words" and joined["cells"][1]["execution_count"] == 1
    assert joined["metadata"]["language_info"] == {"name": "python"} and joined["cells"][1]["metadata"] == {}


def test_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    assert files.write_whole(path, "old") and not files.write_whole(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError):
        files.write_whole(path, "new")
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_unreadable_notebook_is_named(tmp_path):
    (tmp_path / "a.ipynb").write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(BookError, match="a.ipynb"):
        notebooks.read(tmp_path / "a.ipynb")


def test_said_values_and_claims_are_read_from_outputs():
    held = notebook("1")
    claim = {"id": "trial:pcs.change.p", "printed": ".046", "computed": ".046", "verdict": "reproduced"}
    held["cells"][0]["outputs"] = [
        {"output_type": "display_data", "data": {notebooks.CLAIM: {"claims": [claim]}, "text/plain": ""}, "metadata": {}},
        {"output_type": "display_data", "data": {"application/papermill.record/text/plain": "'−2.70'"},
         "metadata": {"scrapbook": {"name": "difference", "mime_prefix": "application/papermill.record/"}}},
    ]  # fmt: skip
    assert notebooks.claims(held) == {"trial:pcs.change.p": claim}
    assert notebooks.said(held) == {"difference": "−2.70"}
    assert notebooks.told(notebooks.verdicts(held)) == "1 claim: 1 reproduced"
    assert notebooks.CLAIM not in json.dumps(notebooks.for_rendering(held))


def test_caption_of_a_figure_with_its_table_goes_to_the_figure_alone():
    held = notebook("plot()")
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}
    table = {"output_type": "display_data", "data": {"text/html": "<table></table>"}, "metadata": {}}
    held["cells"][0] |= {"outputs": [picture, table], "metadata": {"mystnb": {"figure": {"name": "fig-a", "caption": "A."}}}}
    figure, below = notebooks.for_rendering(held)["cells"]
    assert figure["outputs"] == [picture] and figure["source"] == "plot()" and "figure" in figure["metadata"]["mystnb"]
    assert below["outputs"] == [table] and below["metadata"] == {"tags": ["remove-input"]} and below["id"] != figure["id"]


def test_outputs_are_not_stored_for_records_that_are_not_those_of_their_study_file(repository):
    study = repository / "data" / "harp-trial"
    shutil.copytree(Path(__file__).resolve().parents[2] / "data" / "harp-trial", study)
    scores = study / "visits.csv"
    scores.write_bytes(scores.read_bytes().replace(b",27.7,", b",27.8,", 1))
    files.write_whole(repository / "_toc.yml", "format: jb-book\nroot: index\nchapters:\n  - file: chapters/a\n")
    files.write_whole(repository / "index.md", "# Book\n")
    notebooks.write(repository / "chapters" / "a.ipynb", notebook("1"))
    with pytest.raises(Differs, match="visits.csv was changed by hand"):
        chapters.run(repository, Namespace(slugs=[]))
    assert notebooks.read(repository / "chapters" / "a.ipynb")["cells"][0]["outputs"] == []


def test_what_drives_the_kernels_is_imported_before_anything_else_is_imported_beside_them(tmp_path):
    """Two threads that import the same packages at once can find them half imported."""
    code = "import sys; from pathlib import Path; from book import execute; execute.execute(Path(sys.argv[1]), [], lambda: print('nbclient' in sys.modules))"
    (tmp_path / "requirements.lock").write_text("")
    told = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=Path(execute.__file__).parents[1], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "True"
