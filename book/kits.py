"""Chapter kits: a zip of each chapter with its records, the library and pinned requirements, which runs offline once installed.

The same repository gives the same bytes: names in order, one date for every file, and no word about the machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Mapping

from book import edition, headings, notebooks
from book.errors import BookError
from book.files import files_below
from book.readable import of_references, readable

DATE = (2020, 1, 1, 0, 0, 0)  # of every file in a kit
EPOCH = "1577836800"  # the same, for the wheel
LOCK, SANITIZE = "book/kit/requirements.lock", "tests/nbval-sanitize.cfg"
ALWAYS = ("LICENSE", "LICENSE-data", "LICENSE-text", "references.bib", "chapters/figures.mplstyle", SANITIZE)

GO_ON = """\
# Only in this kit: where a result is not the one in the book, `check` says
# so and goes on. In the book it stops everything. Take this cell away, and
# the notebook stops here as well.
from asprinted.chapter import go_on

go_on()"""

README = """# {title}

A chapter of "{book}" to run on your own machine: the notebook, its records, and the library that it uses.
The people in the records do not exist.

## Run it

You need Python 3.11, 3.12 or 3.13, and a network once, for the second line. The first line names the version; if yours is 3.11 or 3.12, write that
in its place. A newer Python may stand beside it, and cannot be used here. In a terminal, in this folder, on Linux or macOS:

    python3.13 -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/python -m jupyterlab --ServerApp.root_dir=. chapters/{stem}.ipynb

On Windows:

    py -3.13 -m venv .venv
    .venv\\Scripts\\python -m pip install -r requirements.txt
    .venv\\Scripts\\python -m jupyterlab --ServerApp.root_dir=. chapters\\{stem}.ipynb

From then on the third line is enough, and needs no network. The packages take almost a gigabyte; all kits of one edition ask for the same ones,
so that one `.venv` serves them all. The library's program is there, too: `.venv/bin/asprinted --help` (`.venv\\Scripts\\asprinted` on Windows).

## Change it

Change what you like; this zip has the original. In the book, a cell that holds a result against print stops everything where the result is another one.
In this kit it says "Not as in the book" above its table and goes on, so that Run > Run All Cells reaches the end and shows which claims your change moves.
The second cell of the notebook does that, with `go_on()`; take it away, and the notebook stops as the book does. Where a cell ends in an AssertionError that says
"reword", a sentence beside it is no longer true; the cells after it run all the same. Numbers inside sentences do not change.

Questions and exercises stand under "Check yourself", their answers and solutions folded below them. Cells that the site calls "Run it here" and "Do it here"
run in the page of the site alone.

## See whether your machine gives the same numbers

    .venv/bin/python -m pytest -q --nbval --nbval-current-env --nbval-sanitize-with {sanitize} chapters/{stem}.ipynb

(on Windows with `.venv\\Scripts\\python`) runs every cell in a fresh kernel and compares its output with what is stored.

## What is here

| file | what it holds |
|---|---|
{table}
"""


def of_book(root: Path, executed: Mapping[str, dict], included: Mapping[str, str]) -> dict[str, bytes]:
    """Return the kit of every chapter as the bytes of a zip, by stem; none where the repository has no library to pack.

    `executed` holds the executed chapters by stem, `included` the texts that their cells include, by the name of the file.
    Raises BookError where a file that belongs in every kit is missing, or the library cannot be packed.
    """
    if not executed or not possible(root):
        return {}
    name, wheel = library(root)
    site = edition.address(root)
    titles = {stem: headings.title(chapter) for stem, chapter in executed.items()}
    works = of_references(root / "references.bib")
    return {
        stem: packed(
            stem,
            contents(root, stem, going_on(readable(chapter, titles, included, works, site)), titles[stem]) | {name: wheel, "requirements.txt": requirements(root, name, wheel)},
        )
        for stem, chapter in executed.items()
    }


def going_on(notebook: dict) -> dict:
    """Return `notebook` as one that Run All takes to its end, whatever a reader changes.

    A cell below its first, the title, tells `check` to go on; cells that assert what a sentence says are tagged so that programs for notebooks run those after them.
    """
    switch = {"cell_type": "code", "id": "kit-go-on", "metadata": {}, "source": GO_ON, "outputs": [], "execution_count": None}
    first, *rest = notebook["cells"]
    return {**notebook, "cells": [first, switch, *map(_passed, rest)]}


def _passed(cell: dict) -> dict:
    if cell["cell_type"] != "code" or not re.search(r"^\s*assert\b", notebooks.text(cell["source"]), re.M):
        return cell
    metadata = cell.get("metadata", {})
    return {**cell, "metadata": {**metadata, "tags": [*metadata.get("tags", []), "raises-exception"]}}


def possible(root: Path) -> bool:
    """Return whether the repository has a library to pack, without which there are no kits."""
    return (root / "pyproject.toml").is_file()


def studies_of(root: Path, notebook: dict) -> list[str]:
    """Return the names of the folders of `data/` that stand in the notebook's code: the records that it reads."""
    code = "\n".join(notebooks.text(cell["source"]) for cell in notebooks.code_cells(notebook))
    known = sorted(folder.name for folder in (root / "data").iterdir() if folder.is_dir())
    return [name for name in known if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code)]


def contents(root: Path, stem: str, notebook: dict, title: str) -> dict[str, bytes]:
    """Return the files of a kit by their place in it, the library and its requirements apart."""
    studies = studies_of(root, notebook)
    files = {place: _bytes(root, place) for place in ALWAYS}
    for study in studies:
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in files_below(root / "data" / study)}
    files[f"chapters/{stem}.ipynb"] = (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    about = {
        f"chapters/{stem}.ipynb": "the chapter, with its outputs as the site shows them",
        **{f"data/{study}/": "records as CSV, their dictionary (datapackage.json), and every claim and assumption (study.yml)" for study in studies},
        "asprinted-*.whl": "the book's own library, installed by the second line",
        "requirements.txt": "every package with its version and hashes",
        "references.bib": "every work that the book cites",
        "LICENSE, LICENSE-text, LICENSE-data": "code: MIT; text: CC BY 4.0; records: CC0 1.0",
    }
    table = "\n".join(f"| `{place}` | {words} |" for place, words in about.items())
    files["README.md"] = README.format(title=title, book=_title_of_book(root), stem=stem, sanitize=SANITIZE, table=table).encode()
    return files


def library(root: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of the wheel of the book's library; raise BookError with what flit said if it cannot be made."""
    with tempfile.TemporaryDirectory(prefix="book-wheel-") as folder:
        command = [sys.executable, "-m", "flit_core.wheel", "--outdir", folder, str(root)]
        made = subprocess.run(command, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, capture_output=True, text=True)
        wheels = sorted(Path(folder).glob("*.whl"))
        if made.returncode or len(wheels) != 1:
            raise BookError(f"pyproject.toml: the library could not be packed for the chapter kits:\n{made.stderr.strip()}")
        return wheels[0].name, wheels[0].read_bytes()


def requirements(root: Path, name: str, wheel: bytes) -> bytes:
    """Return what a kit installs: the lock of the kits, and the library from the kit itself, each with its hash."""
    return _bytes(root, LOCK) + f"./{name} \\\n    --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n".encode()


def packed(stem: str, files: Mapping[str, bytes]) -> bytes:
    """Return a zip with one folder, `stem`, that holds `files`; the same files give the same bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as kit:
        for place in sorted(files):
            about = zipfile.ZipInfo(f"{stem}/{place}", DATE)
            about.create_system, about.external_attr = 3, 0o100644 << 16  # as on Unix, whatever makes it
            kit.writestr(about, files[place], zipfile.ZIP_DEFLATED, 9)
    return whole.getvalue()


def _bytes(root: Path, place: str) -> bytes:
    try:
        return (root / place).read_bytes()
    except OSError as problem:
        raise BookError(f"{place}: {problem.strerror}: it belongs in every chapter kit; put it back")


def _title_of_book(root: Path) -> str:
    import yaml

    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
