"""`asprinted new --chapter`: every claim is computed again in the open, by the libraries that students run, and comes out as printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib
import pytest

from asprinted import records
from asprinted.cli import BAD_INPUT, FINE, main
from asprinted.paper import notebook
from asprinted.study import Study, load
from book import guards
from tests.asprinted.conftest import CRISIS
from tests.asprinted.kinds import KINDS, printed_trial
from tests.asprinted.kinds.paper import Paper

LLOYD_EVANS = CRISIS.parent / "lloyd-evans-2014"
PARTS = list(notebook.PROMPTS)


@pytest.fixture(autouse=True)
def without_a_window(monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: matplotlib.pyplot.close("all"))


@pytest.fixture
def copied_folder(tmp_path) -> Path:
    """A folder with a copy of a small study file and its records."""
    return Path(shutil.copytree(LLOYD_EVANS, tmp_path / "lloyd-evans-2014"))


def simulated(kinds: tuple[str, ...], seed: int, folder: Path) -> Study:
    """A study of these kinds whose records are the people that its print was taken from."""
    kept: list[Paper] = []
    printed = Paper.printed
    with mock.patch.object(Paper, "printed", lambda self: (kept.append(self), printed(self))[1]):
        data = printed_trial(kinds, seed, 60)
    folder.mkdir()
    (folder / "study.yml").write_text(json.dumps(data), "utf-8")
    study = load(folder)
    records.write_whole(folder, {entry["file"]: records.as_csv(study, name, kept[0].frames[name]) for name, entry in study.tables.items()})
    return study


def made(study: Study) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The chapter of a study's records, which stand in its folder."""
    tables = records.read(study)
    return notebook.chapter(study, {name: records.joined(study, tables, name) for name in tables}, ".", False)


def sources(chapter: dict[str, Any], kind: str = "code") -> list[str]:
    return ["".join(cell["source"]) for cell in chapter["cells"] if cell["cell_type"] == kind]


def execute(chapter: dict[str, Any], folder: Path, monkeypatch) -> dict[str, Any]:
    """The names that the cells leave, executed in order in `folder`."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for source in sources(chapter):
        exec(compile(source, "cell", "exec"), names)
    return names


def checked(chapter: dict[str, Any]) -> set[str]:
    """The ids that the cells name."""
    return set(re.findall(r"[\"']([a-z0-9_.]+)[\"']", "\n".join(sources(chapter))))


# Every kind of study


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_claim_of_a_kind_comes_out_as_printed_in_the_open(tmp_path, monkeypatch, recwarn, kind, seed):
    study = simulated((kind,), seed, tmp_path / "some-trial")
    chapter, unwritten = made(study)
    assert unwritten == []
    assert checked(chapter) >= {claim.id for claim in study.claims.values() if claim.kind != "context"}
    execute(chapter, study.folder, monkeypatch)
    assert [str(warning.message) for warning in recwarn if "Agg" not in str(warning.message)] == []
    long = [line for source in sources(chapter) for line in source.splitlines() if len(line) > 80]
    assert long == []


def test_claim_whose_number_is_another_stops_its_cell(tmp_path, monkeypatch):
    study = simulated(("yes-no",), 1, tmp_path / "some-trial")
    claim = next(id for id in study.claims if id.endswith(".est"))
    text = study.file.read_text("utf-8")
    shown = json.loads(text)["claims"][claim]["printed"]
    data = json.loads(text)
    data["claims"][claim]["printed"] = f"{float(shown) + 0.05:.2f}"
    study.file.write_text(json.dumps(data), "utf-8")
    chapter, _ = made(load(study.folder))
    with pytest.raises(AssertionError, match=claim):
        execute(chapter, study.folder, monkeypatch)


def test_chapter_of_committed_records_says_which_claims_are_left_to_write(crisis, monkeypatch):
    chapter, unwritten = made(crisis)
    execute(chapter, crisis.folder, monkeypatch)
    left = {id for id, _ in unwritten}
    assert left == {"secondary.month_4.p", "secondary.month_18.p"}
    assert not left & checked(chapter) and all(f"`{id}`" in "\n".join(sources(chapter, "markdown")) for id in left)


# The notebook


def test_first_figure_is_of_what_the_arms_are_compared_in_and_not_of_the_column_made_first(tmp_path):
    study = simulated(("baseline", "correlation", "score"), 1, tmp_path / "some-trial")
    look = next("".join(cell["source"]) for cell in made(study)[0]["cells"] if cell["id"] == "first-look")
    assert study.design["outcomes"][0]["column"] == "age" and '"calm"' in look and '"age"' not in look


def test_what_is_assumed_is_shown_whole_with_value_bounds_and_reason(crisis, monkeypatch):
    chapter, _ = made(crisis)
    names = execute(chapter, crisis.folder, monkeypatch)
    [source] = [source for source in sources(chapter) if source.startswith("assumed = ")]
    table = eval(source.partition("\n")[2], names)
    assert list(table.index) == list(crisis.assumptions)
    first = next(each for each in crisis.assumptions.values() if each.bounds and isinstance(each.value, str))
    shares = next(each for each in crisis.assumptions.values() if isinstance(each.value, dict))
    assert list(table.loc[first.id]) == [first.says, first.value, f"{first.bounds[0]} to {first.bounds[1]}", first.reason]
    assert all(f"{name} {share}" in table.loc[shares.id, "value"] for name, share in shares.value.items())
    assert all(each.reason.partition("'")[0] in table.to_html(escape=False) for each in crisis.assumptions.values())


def test_chapter_without_assumptions_has_no_table_of_them(tmp_path):
    study = simulated(("category",), 1, tmp_path / "some-trial")
    assert not any(source.startswith("assumed = ") for source in sources(made(replace(study, assumptions={}))[0]))

def test_twelve_parts_stand_in_order_with_readable_ids_of_their_own(crisis):
    chapter, _ = made(crisis)
    ids = [cell["id"] for cell in chapter["cells"]]
    assert len(PARTS) == 11 and [id for id in ids if id in ("at-a-glance", *PARTS)] == ["at-a-glance", *PARTS]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-z0-9-]{2,64}", id) for id in ids)
    headings = [line for source in sources(chapter, "markdown") for line in source.splitlines() if line.startswith("#")]
    assert len(headings) == 12


@pytest.mark.parametrize("guard", [guards.known_tags, guards.no_markers, guards.no_semicolon_at_end, guards.plain_python, guards.only_local_files])
def test_book_finds_nothing_against_the_cells(crisis, guard):
    assert guard(made(crisis)[0]) == []


def test_table_that_is_called_like_a_name_of_the_chapter_gets_another(tmp_path, monkeypatch):
    study = simulated(("yes-no",), 1, tmp_path / "some-trial")
    data = json.loads(study.file.read_text("utf-8").replace('"participants"', '"stats"'))
    study.file.write_text(json.dumps(data), "utf-8")
    names = execute(made(load(study.folder))[0], study.folder, monkeypatch)
    assert len(names["stats_table"]) and hasattr(names["stats"], "norm")


# The files


def test_chapter_tests_and_settings_are_written_and_the_next_command_is_named(copied_folder, capsys):
    assert main(["new", "--chapter", str(copied_folder)]) == FINE
    told = capsys.readouterr()
    names = ["chapter.ipynb", "test_paper.py", "pytest.ini"]
    assert told.out.splitlines() == [str(copied_folder / name) for name in names] and told.err == f"next: {sys.executable} -m pytest {copied_folder}\n"


def test_unedited_chapter_is_made_anew_and_an_edited_one_is_left(copied_folder, capsys):
    file = copied_folder / "chapter.ipynb"
    assert main(["new", "--chapter", str(copied_folder)]) == FINE
    first = file.read_bytes()
    executed = json.loads(first)
    for cell in executed["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": 1, "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}
    file.write_text(json.dumps(executed), "utf-8")  # run, not edited
    assert main(["new", "--chapter", str(copied_folder)]) == FINE
    assert file.read_bytes() == first
    edited = json.loads(first)
    edited["cells"][0]["source"].append("Mine.")
    file.write_text(json.dumps(edited), "utf-8")
    (copied_folder / "test_paper.py").write_text("mine", "utf-8")
    before = file.read_bytes()
    capsys.readouterr()
    assert main(["new", "--chapter", "--json", str(copied_folder)]) == FINE
    assert json.loads(capsys.readouterr().out)["left"] == [str(file), str(copied_folder / "test_paper.py")]
    assert file.read_bytes() == before and (copied_folder / "test_paper.py").read_text("utf-8") == "mine"


def test_chapter_is_refused_without_its_records_or_with_those_of_another_study_file(copied_folder, capsys):
    study = copied_folder / "study.yml"
    study.write_text(study.read_text("utf-8") + "\n# later\n", "utf-8")
    assert main(["new", "--chapter", str(copied_folder)]) == BAD_INPUT
    assert "has changed since the records were made" in capsys.readouterr().err
    (copied_folder / "trials.csv").unlink()
    assert main(["new", "--chapter", str(copied_folder)]) == BAD_INPUT
    assert "trials.csv" in capsys.readouterr().err and not (copied_folder / "chapter.ipynb").exists()


def test_chapter_in_the_books_repository_stands_among_its_chapters_with_a_first_question(tmp_path, capsys):
    folder = Path(shutil.copytree(LLOYD_EVANS, tmp_path / "data" / "lloyd-evans-2014"))
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_toc.yml").write_text("", "utf-8")
    assert main(["new", "--chapter", str(folder)]) == FINE
    assert sorted(each.name for each in (tmp_path / "chapters").iterdir()) == ["lloyd-evans-2014.ipynb", "lloyd-evans-2014.questions.yml"]
    assert capsys.readouterr().err == "next: make chapters ARGS=lloyd-evans-2014\n"
    chapter = json.loads((tmp_path / "chapters" / "lloyd-evans-2014.ipynb").read_text("utf-8"))
    code = "\n".join(sources(chapter))
    assert 'study("../data/lloyd-evans-2014")' in code and 'read_csv("../data/lloyd-evans-2014/trials.csv")' in code


def test_pytest_executes_the_chapter_and_recomputes_the_claims(tmp_path, process_environment):
    study = simulated(("yes-no",), 1, tmp_path / "some-trial")
    records.write(study, records.read(study))
    assert main(["new", "--chapter", str(study.folder)]) == FINE
    environment = {name: value for name, value in process_environment.items() if not name.startswith("PYTEST_")} | {"IPYTHONDIR": str(tmp_path / "ipython"), "MPLBACKEND": "agg"}

    def run(what: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "pytest", "-q", str(what)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    passed = run(study.folder)
    assert passed.returncode == 0, passed.stdout
    cells = len(sources(json.loads((study.folder / "chapter.ipynb").read_text("utf-8"))))
    assert f"{cells + len(study.claims) + 3} passed" in passed.stdout
    file = study.folder / "participants.csv"
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n", "utf-8")  # a person less
    failed = run(study.folder / "test_paper.py")
    assert failed.returncode == 1 and "test_claim_comes_out_as_study_yml_expects" in failed.stdout
