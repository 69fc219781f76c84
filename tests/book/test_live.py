"""Live cells: each comes to its chapter's own text in plain Python; faults are named; what the browser is given needs nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from book import notebooks, toc, vendored
from book.errors import BookError
from book.live import cells, page, runner, served

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob("chapters/*.live.yml"))
EACH = [(path, cell) for path in FILES for cell in cells.load(path)]
SOUND = {
    "id": "half", "after": "Part one", "title": "a half", "intro": "Change `2` to something else.",
    "code": "x = 1\nf'{x / 2:.1f}'", "expects": {"said": "half"},
}  # fmt: skip
SAID = {"cell_type": "code", "outputs": [{"output_type": "display_data", "metadata": {"scrapbook": {"name": "half"}},
        "data": {"application/papermill.record/text/plain": "'0.5'"}}], "source": "", "metadata": {}}  # fmt: skip


def chapter(*markdown: str) -> dict:
    return {"cells": [*({"cell_type": "markdown", "id": f"m{n}", "metadata": {}, "source": text} for n, text in enumerate(markdown)), SAID]}


def written(tmp_path, *held, name="trial.live.yml"):
    path = tmp_path / name
    path.write_text(yaml.safe_dump(list(held)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder as Python sees it in the browser."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "chapters").mkdir()
    for place, content in served.files(ROOT).items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize(("path", "cell"), EACH, ids=[f"{path.name.partition('.')[0]}-{cell.id}" for path, cell in EACH])
def test_cell_comes_to_the_chapters_own_text(path, cell, site, monkeypatch):
    monkeypatch.chdir(site / "chapters")
    came = runner.run(cell.code)
    stored = notebooks.read(ROOT / "chapters" / f"{path.name.partition('.')[0]}.ipynb")
    assert (came["error"], came["text"]) == ("", cell.expected(stored))


@pytest.mark.parametrize(("path", "cell"), EACH, ids=[f"{path.name.partition('.')[0]}-{cell.id}" for path, cell in EACH])
def test_every_change_that_a_cell_proposes_runs_and_moves_what_it_says(path, cell, site, monkeypatch):
    monkeypatch.chdir(site / "chapters")
    before = runner.run(cell.code)
    for code in cell.proposed:
        came = runner.run(code)
        assert came["error"] == "" and came["value"], code
        assert (came["stdout"], came["text"]) != (before["stdout"], before["text"]), code


def test_fewer_events_are_enough_without_the_p_value_and_none_are_where_print_contradicts_itself(site, monkeypatch):
    monkeypatch.chdir(site / "chapters")
    [cell] = [cell for _, cell in EACH if cell.id == "events-needed"]
    full, without, _, wide, both = [runner.run(code) for code in (cell.code, *cell.proposed)]
    assert int(full["text"]) > int(without["text"]) > int(both["text"])
    assert wide["text"] == "none is enough" and "With no number of events: " in wide["stdout"]


def test_change_of_what_does_not_stand_in_the_code_is_refused(tmp_path):
    with pytest.raises(BookError, match="cell half: field proposes: 'x = 3': does not stand in the code"):
        cells.load(written(tmp_path, SOUND | {"proposes": [{"x = 3": "x = 4"}]}))
    with pytest.raises(BookError, match="cell half: field proposes: .* give a list of changes"):
        cells.load(written(tmp_path, SOUND | {"proposes": {"x = 1": "x = 4"}}))
    [cell] = cells.load(written(tmp_path, SOUND | {"proposes": [{"x = 1": "x = 4"}]}))
    assert cell.proposed == [SOUND["code"].replace("x = 1", "x = 4")]


def test_lines_that_a_reader_is_asked_to_change_are_named_to_the_page(tmp_path):
    code = "x = 1\n# change this too\ny = 3\nf'{x / y:.1f}'"
    [cell] = cells.load(written(tmp_path, SOUND | {"code": code, "proposes": [{"y = 3": "y = 4"}, {"y = 3": "y = 5"}]}))
    assert cell.begins == [2, 3]
    assert '<div class="live" id="x" data-change="2 3">' in page.markdown("x", "a", "b", cell.code, begins=cell.begins)
    [cell] = cells.load(written(tmp_path, SOUND))
    assert cell.begins == [] and "data-change" not in page.markdown("x", "a", "b", cell.code, begins=cell.begins)


def test_every_chapter_has_at_least_two_cells_in_parts_that_are_there():
    for source in toc.chapters(ROOT):
        stored = notebooks.read(source)
        shown = page.in_notebook(stored, source.with_suffix(".live.yml"), stored)
        added = [cell for cell in shown["cells"] if cell["id"].startswith("live-")]
        assert len(added) >= 2, source.stem
        assert ["pandas and statsmodels cannot run here" in cell["source"] for cell in added] == [True] + [False] * (len(added) - 1), source.stem


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"expects": None}, "field expects: None: name what holds the chapter's own number"),
        ({"expects": {"value": "0.5"}}, "name what holds the chapter's own number"),
        ({"id": "Half A"}, "field id: 'Half A': use lower-case words joined by hyphens"),
        ({"intro": "Change it to 3."}, "field intro: .* the digit 3 is typed"),
        ({"title": " "}, "field title: ' ': write a text"),
        ({"colour": "red"}, "field colour: 'red': unknown here"),
        ({"code": "import pandas\n1"}, "field code: 'pandas': cannot be imported in the page"),
        ({"code": "from asprinted.chapter import study\n1"}, "field code: 'asprinted.chapter': cannot be imported"),
        ({"code": "x = 1"}, "field code: 'x = 1': the last line must be the text"),
        ({"code": "x = (1"}, "field code: 'line 1': is not Python"),
        ({"code": f"x = 1  # {'y' * 80}\nx"}, "lines have at most 80 characters"),
    ],
)
def test_fault_of_a_cell_is_named_with_file_cell_field_and_remedy(tmp_path, changes, told):
    with pytest.raises(BookError, match=rf"^trial\.live\.yml: cell .*: {told}" if told.startswith("field") else told):
        cells.load(written(tmp_path, SOUND | changes))


def test_missing_field_and_second_cell_of_the_same_id_are_refused(tmp_path):
    with pytest.raises(BookError, match="cell half: field intro: None: the field is missing"):
        cells.load(written(tmp_path, {key: value for key, value in SOUND.items() if key != "intro"}))
    with pytest.raises(BookError, match="cell half: field id: 'half': another cell has this id"):
        cells.load(written(tmp_path, SOUND, SOUND))


def test_text_that_the_chapter_does_not_have_and_heading_that_is_not_there_are_refused(tmp_path):
    held = chapter("# Title", "## Part one\n\nwords")
    with pytest.raises(BookError, match="cell half: field expects.said: 'third': the chapter has no such said value; it has half"):
        page.in_notebook(held, written(tmp_path, SOUND | {"expects": {"said": "third"}}), held)
    with pytest.raises(BookError, match="cell half: field after: 'Part two': 0 headings have these words; there are 'Title', 'Part one'"):
        page.in_notebook(held, written(tmp_path, SOUND | {"after": "Part two"}), held)


def test_cell_stands_at_the_end_of_its_part_and_labels_stay_with_their_headings(tmp_path):
    held = chapter("# Title\n\n## Part one\n\nwords\n\n```python\n# no heading\n```\n\n(next)=\n## Part two\n\nmore")
    shown = page.in_notebook(held, written(tmp_path, SOUND), held)
    texts = [cell["source"] for cell in shown["cells"]]
    place = next(number for number, text in enumerate(texts) if '<div class="live" id="live-half" data-expects="0.5">' in text)
    assert texts[place - 1].startswith("## Part one") and texts[place - 1].rstrip().endswith("```")
    assert texts[place + 1].startswith("(next)=\n## Part two")
    ids = [cell["id"] for cell in shown["cells"] if "id" in cell]
    assert len(set(ids)) == len(ids) and held["cells"][0]["source"].startswith("# Title")
    assert page.in_notebook(held, tmp_path / "other.live.yml", held) is held


def test_words_of_a_cell_are_escaped_in_its_markdown():
    shown = page.markdown("x", 'less < "more"', "words", "1 < 2", "<.001")
    assert 'data-expects="&lt;.001"' in shown and "less &lt; &quot;more&quot;" in shown and "\n1 < 2\n" in shown


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\n\ny", "Line 3: the name y is not known here"),
        ("def f():\n    return 1 / 0\nf()", "Line 2: something is divided by zero."),
        ("if True:\nx = 1", "Line 2: the spaces at the beginning"),
        ("x = (1", "Line 1: Python cannot read this line"),
        ("import nothing_of_this_name", "Line 1: there is no module nothing_of_this_name here"),
        ("open('../data/x.csv')", "Line 1: there is no file ../data/x.csv"),
        ("{}['a']", "Line 1: there is nothing by the name 'a'"),
        ("float('a')", "Line 1: ValueError: could not convert string to float"),
        ("from statistics import fmean\nfmean([])", "Line 2: StatisticsError: "),
        ("raise SystemExit", "Line 1: the code ended itself."),
        ("def f(): f()\nf()", "Line 1: a function calls itself without end."),
        ("class A:\n    def __repr__(self):\n        return 1 / 0\nA()", "Line 3: something is divided by zero."),
    ],
)
def test_error_is_told_in_plain_words_with_the_line(code, told):
    came = runner.run(code)
    assert came["error"].startswith(told) and not came["value"] and not came["text"]


def test_library_that_cannot_run_in_the_page_is_told_of_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # as where it is not installed
    assert runner.run("import math\nimport pandas as pd")["error"].startswith("Line 2: pandas cannot run in this page") and "chapter kit" in runner.run("import pandas")["error"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("p = 0.1\nf'{p:.3f}'.lstrip('0')", "p"),
        ("f'{100 * share:.1f}'.replace('-', '−')", "100 * share"),
        ("str(len(ways))", "len(ways)"),
        ("in_style(mean(x), like='1.0')", "mean(x)"),
        ("f'{low:.2f} to {high:.2f}'", "low to high"),
        ("needed", "needed"), ("6 * 7", ""), ("'a'", ""), ("x = 1", ""), ("", ""), ("x = (1", ""), ("x\0", ""), (f"{'x' * 80}", ""),
    ],
)  # fmt: skip
def test_result_is_called_what_the_last_line_works_out(code, name):
    assert runner.named(code) == name and json.loads(runner.run_json(code))["name"] == name


@pytest.mark.parametrize(("path", "cell"), EACH, ids=[f"{path.name.partition('.')[0]}-{cell.id}" for path, cell in EACH])
def test_result_of_every_cell_has_a_name_and_no_code_has_the_quotes_that_telephones_write(path, cell):
    assert runner.named(cell.code)
    assert not set(cell.code) & set("“”„‟‘’‚‛")  # or straightening them would change what the cell shows


def test_page_says_what_the_first_run_loads_and_asks_for_no_more(tmp_path):
    held = chapter("# Title", "## Part one\n\nwords")
    path = written(tmp_path, SOUND)
    said = "\n".join(cell["source"] for cell in page.in_notebook(held, path, held, "13.5 MB")["cells"])
    assert 'data-loads="13.5 MB"' in said and "from this site, once, 13.5 MB;" in said
    engine = vendored.folder_of(ROOT, "pyodide")
    whole = sum(each.stat().st_size for each in engine.iterdir())
    words = sum(each.stat().st_size for each in engine.iterdir() if each.suffix in {"", ".md"})
    assert whole - words < served.size(ROOT) < whole + 200_000
    assert served.size(tmp_path) == 0


def test_run_gives_print_and_last_value_and_begins_anew_each_time():
    assert runner.run("name = 'a'\nprint(name)\nname") == {"stdout": "a\n", "value": "'a'", "text": "a", "error": ""}
    assert runner.run("name")["error"].startswith("Line 1: the name name")
    assert runner.run("x = 1") == runner.run("# nothing") == {"stdout": "", "value": "", "text": "", "error": ""}
    assert json.loads(runner.run_json("1 + 1"))["value"] == "2"
    long = runner.run(f"print('x' * {runner.MOST + 1})")["stdout"]
    assert long.startswith("x" * runner.MOST + "\n… and 2 characters more")


@pytest.mark.parametrize(("code", "field"), [("print(most * 'x')", "stdout"), ("most * 'x'", "text"), ("most * 'x'", "value"), ("raise ValueError(most * 'x')", "error")])
def test_whatever_is_long_is_cut_and_how_much_is_left_is_said(code, field):
    shown = runner.run(f"most = {3 * runner.MOST}\n{code}")[field]
    assert len(shown) < runner.MOST + 100 and "characters more, which are not shown." in shown


def test_print_without_end_is_not_kept():
    printed = runner._Printed()
    for _ in range(5):
        print("x" * runner.MOST, file=printed)
    assert (len(printed.getvalue()), printed.length) == (runner.MOST, 5 * (runner.MOST + 1))


def test_cells_are_read_as_they_stand_without_what_the_runner_imports_from_the_future():
    assert runner.run("def f(x: int): pass\nf.__annotations__['x'] is int")["text"] == "True"


def test_check_is_run_after_the_code_with_its_names_and_says_what_the_run_comes_to():
    assert runner.run("x = 2\nprint(x)\n'last'", "x + 1") == {"stdout": "2\n", "value": "3", "text": "3", "error": ""}
    assert runner.run("def f():\n    raise SystemExit", "\n\n\nf()")["error"].startswith("Line 2: the code ended itself.")


def test_library_in_the_browser_needs_the_standard_library_alone(site):
    names = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in zipfile.ZipFile(site / served.LIBRARY).namelist()]
    assert {"asprinted.printed", "asprinted.consistency.survival", "live_runner"} <= set(names)
    code = f"import sys; sys.path.insert(0, {str(site / served.LIBRARY)!r})\nimport {', '.join(names)}\nprint(asprinted.printed.__file__)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, cwd=site)
    assert (ran.returncode, served.LIBRARY in ran.stdout) == (0, True), ran.stderr


def test_list_of_what_is_served_names_what_is_there(site):
    listed = json.loads((site / served.LIST).read_text(encoding="utf-8"))
    assert all((site / name).is_file() for name in [*listed["files"], listed["library"]])
    engine = ROOT / "vendor" / listed["engine"]
    assert listed["bytes"] == {name: (engine / name).stat().st_size for name in listed["bytes"]} and (engine / "pyodide.mjs").is_file()
    assert sum(len(ids) for ids in listed["cells"].values()) == len(EACH)
    for study in ROOT.glob("data/*/study.yml"):
        claims = yaml.safe_load(study.read_text(encoding="utf-8"))["claims"]
        numbers = json.loads((site / "data" / study.parent.name / "numbers.json").read_text(encoding="utf-8"))
        assert {id: claim["printed"] for id, claim in claims.items() if "printed" in claim}.items() <= numbers.items()
        assert all((site / "data" / study.parent.name / path.name).read_bytes() == path.read_bytes() for path in study.parent.glob("*.csv"))


def test_same_files_are_made_each_time_and_none_for_a_book_without_live_cells(tmp_path):
    assert served.files(ROOT) == served.files(ROOT)
    assert served.files(tmp_path) == {}
    (tmp_path / "chapters").mkdir()
    written(tmp_path / "chapters", SOUND)
    with pytest.raises(BookError, match="vendor/pyodide-…: no folder: exactly one version must stand there"):
        served.files(tmp_path)


def test_vendored_file_that_is_changed_missing_or_unlisted_is_named(tmp_path):
    folder = tmp_path / "vendor" / "engine-1"
    folder.mkdir(parents=True)
    (folder / "a.js").write_text("1", encoding="utf-8")
    (folder / vendored.LIST).write_text(f"{'0' * 64}  a.js\n{'1' * 64}  b.js\n", encoding="utf-8")
    (folder / "c.js").write_text("2", encoding="utf-8")
    told = vendored.problems(folder)
    assert [line.partition(":")[0] for line in told] == ["b.js", "c.js", "a.js"]
    assert vendored.run(tmp_path, None) == 1 and vendored.run(ROOT, None) == 0
    assert vendored.folder_of(tmp_path, "engine") == folder
    (tmp_path / "vendor" / "engine-2").mkdir()
    with pytest.raises(BookError, match="engine-1, engine-2: exactly one version"):
        vendored.folder_of(tmp_path, "engine")
