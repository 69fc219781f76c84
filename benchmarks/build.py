"""Times this build against stock tools on the same chapters, in turn, in the same run."""

from __future__ import annotations

import importlib.metadata
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from benchmarks.report import Row, Table, timed
from book import notebooks, toc
from book.errors import BookError
from book.files import write_whole

PEERS = ("jupyter-book", "sphinx", "myst-nb", "jupyter-cache", "nbclient", "nbval", "pytest", "pytest-xdist")
LEFT_OUT = (".git", ".venv", "_build", "__pycache__", ".hypothesis", ".ipynb_checkpoints")


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if a peer is missing or a side fails."""
    versions = ", ".join(f"{name} {version}" for name, version in peers().items())
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        ours, stock = Path(folder) / "ours", Path(folder) / "stock"
        shutil.copytree(root, ours, ignore=shutil.ignore_patterns(*LEFT_OUT))
        if {"cold", "warm"} & set(chosen):
            copy_stock(ours, stock)
        rows = {name: (MEASURES[name](ours, stock, runs),) for name in chosen}
    notebooks_in, entries = len(toc.chapters(root)), len(toc.entries(root))
    about = f"The build: {notebooks_in} notebooks and {entries - notebooks_in} other pages; medians of {runs}, both sides in turn. {versions}."
    return Table(about, ("what", "this book", "stock", "ratio", "target"), rows)


def peers() -> dict[str, str]:
    """Return the version of every tool that takes part; raise BookError if one is missing."""
    try:
        return {name: importlib.metadata.version(name) for name in PEERS}
    except importlib.metadata.PackageNotFoundError as missing:
        raise BookError(f"the peer {missing.name} is not installed: delete .venv and run make bench again")


def cold(ours: Path, stock: Path, runs: int) -> Row:
    """Return the row for a first build: everything executed and rendered."""

    def build_ours() -> None:
        shutil.rmtree(ours / "_build", ignore_errors=True)

    def build_stock() -> None:
        shutil.rmtree(stock / "_build", ignore_errors=True)
        configure(stock, "force")

    row = compared("first build, everything executed", 0.6, runs,
                   timed(ours, book("book"), build_ours), timed(stock, jupyter_book(), build_stock))  # fmt: skip
    same_pages(ours, stock)
    return row


def warm(ours: Path, stock: Path, runs: int) -> Row:
    """Return the row for a build after which nothing has changed; stock keeps its own cache of executions."""
    configure(stock, "cache")
    timed(ours, book("book"))()
    timed(stock, jupyter_book())()
    timed(stock, jupyter_book())()
    same_pages(ours, stock)
    return compared("rebuild, nothing changed", 0.5, runs, timed(ours, book("book")), timed(stock, jupyter_book()))


def nbval(ours: Path, stock: Path, runs: int) -> Row:
    """Return the row for every chapter executed and compared with its stored outputs."""
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-sanitize-with",
             "tests/nbval-sanitize.cfg", "chapters"]  # fmt: skip
    return compared("chapters under nbval", 0.7, runs, timed(ours, book("test", "chapters")), timed(ours, plain))


MEASURES: dict[str, Callable[[Path, Path, int], Row]] = {"cold": cold, "warm": warm, "nbval": nbval}


def compared(what: str, target: float, runs: int, ours: Callable[[], float], stock: Callable[[], float]) -> Row:
    """Return the row with the ratio of medians; both sides run in turn."""
    print(f"{what} ...", flush=True)
    pairs = [(ours(), stock()) for _ in range(runs)]
    mine, theirs = (statistics.median(side) for side in zip(*pairs))
    ratio = mine / theirs
    return Row((what, f"{mine:.2f} s", f"{theirs:.2f} s", f"{ratio:.2f}", f"≤ {target}"), ratio <= target)


def same_pages(ours: Path, stock: Path) -> None:
    """Raise BookError unless both sites have the same pages."""
    mine, theirs = ({page.relative_to(html).as_posix() for page in html.rglob("*.html")} for html in (ours / "_build/html", stock / "_build/html"))
    if mine != theirs:
        raise BookError(f"benchmark: only one side has these pages: {', '.join(sorted(mine ^ theirs))}")


def book(*arguments: str) -> list[str]:
    """Return the command that runs this book's builder."""
    return [sys.executable, "-m", "book", *arguments]


def jupyter_book() -> list[str]:
    """Return the stock command that builds the site."""
    return [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]


def copy_stock(ours: Path, stock: Path) -> None:
    """Make the same book for stock Jupyter Book: the assembled sources, with chapters to execute beside data and library.

    Generated pages, questions, and links to the ledger and the glossary stand in them as plain files, so both sides render the same.
    """
    timed(ours, book("book"))()
    shutil.copytree(ours / "_build" / "src", stock)
    for chapter in toc.chapters(ours):
        place = stock / chapter.relative_to(ours)
        notebooks.write(place, to_execute(notebooks.read(place), notebooks.read(chapter)))
    shutil.copytree(ours / "asprinted", stock / "asprinted", ignore=shutil.ignore_patterns(*LEFT_OUT))
    for beside in (ours / "chapters").iterdir():
        if beside.is_file() and not (stock / "chapters" / beside.name).exists():
            shutil.copy(beside, stock / "chapters" / beside.name)


def to_execute(assembled: dict, written: dict) -> dict:
    """Return an assembled notebook with the cells that were written for it (one more shows the table below each figure), and no outputs."""
    ids = {cell["id"] for cell in written["cells"]}
    cells = [cell for cell in assembled["cells"] if cell["id"] in ids]
    return {**assembled, "cells": [{**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell for cell in cells]}


def configure(stock: Path, mode: str) -> None:
    """Let stock Jupyter Book execute the chapters, "force" always, "cache" with its own cache, and fail where a cell does."""
    path = stock / "_config.yml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["execute"] = {"execute_notebooks": mode, "timeout": 600}
    settings["sphinx"]["config"]["nb_execution_raise_on_error"] = True  # else it would render what there is, and be fast
    settings["exclude_patterns"] = ["data/**", "asprinted/**"]
    write_whole(path, yaml.safe_dump(settings, sort_keys=False))
