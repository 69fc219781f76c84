"""Times this build against stock tools on the same chapters, in turn, in the same run."""

from __future__ import annotations

import importlib.metadata
import re
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

CHAPTERS = 4
PEERS = ("jupyter-book", "sphinx", "myst-nb", "jupyter-cache", "nbclient", "nbval", "pytest", "pytest-xdist")
LEFT_OUT = (".git", ".venv", "_build", "__pycache__", ".hypothesis", ".ipynb_checkpoints")


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements chosen; raise BookError if a peer is missing or a side fails."""
    versions = ", ".join(f"{name} {version}" for name, version in peers().items())
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        ours, stock = Path(folder) / "ours", Path(folder) / "stock"
        copy_book(root, ours)
        if {"cold", "warm"} & set(chosen):
            copy_stock(ours, stock)
        rows = tuple(MEASURES[name](ours, stock, runs) for name in chosen)
    about = f"The build: {CHAPTERS} chapters of studies or more, and the other pages; medians of {runs}, both sides in turn. {versions}."
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

    return compared("first build, everything executed", 0.6, runs,
                    timed(ours, book("book"), build_ours), timed(stock, jupyter_book(), build_stock))  # fmt: skip


def warm(ours: Path, stock: Path, runs: int) -> Row:
    """Return the row for a build after which nothing has changed; stock keeps its own cache of executions."""
    configure(stock, "cache")
    timed(ours, book("book"))()
    timed(stock, jupyter_book())()
    timed(stock, jupyter_book())()
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


def book(*arguments: str) -> list[str]:
    """Return the command that runs this book's builder."""
    return [sys.executable, "-m", "book", *arguments]


def jupyter_book() -> list[str]:
    """Return the stock command that builds the site."""
    return [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]


def copy_book(root: Path, ours: Path) -> None:
    """Copy the repository; a book with fewer than four studies holds the chapter of its first under further names."""
    shutil.copytree(root, ours, ignore=shutil.ignore_patterns(*LEFT_OUT))
    chapters = [chapter for chapter in toc.chapters(root) if (root / "data" / chapter.stem).is_dir()]
    if not chapters:
        raise BookError("_toc.yml lists no chapter with a folder in data/, so there is nothing to time")
    entries = [entry.removesuffix(".ipynb").removesuffix(".md") for entry in toc.entries(root)]
    for number in range(2, CHAPTERS - len(chapters) + 2):
        first = chapters[0]
        notebook = renamed_labels(notebooks.read(first), f"-{number}")
        notebooks.write(ours / "chapters" / f"{first.stem}-{number}.ipynb", notebook)
        entries.append(f"chapters/{first.stem}-{number}")
    listed = {"format": "jb-book", "root": entries[0], "chapters": [{"file": entry} for entry in entries[1:]]}
    write_whole(ours / "_toc.yml", yaml.safe_dump(listed, sort_keys=False))


def renamed_labels(notebook: dict, ending: str) -> dict:
    """Return the notebook with `ending` behind every label that it defines; includes of questions are left out."""
    texts = [notebooks.text(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    labels = {label for text in texts for label in re.findall(r"^\(([\w:.-]+)\)=|^:(?:name|label):\s*(\S+)", text, re.M) for label in label if label}
    figures = [cell.get("metadata", {}).get("mystnb", {}).get("figure", {}) for cell in notebook["cells"]]
    labels |= {figure["name"] for figure in figures if "name" in figure}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = re.sub(r"```+\s*\{include\}[^`]*```+", "", notebooks.text(cell["source"]))
            for label in labels:
                source = re.sub(rf"(?<![\w-]){re.escape(label)}(?![\w-])", label + ending, source)
            cell["source"] = source
        figure = cell.get("metadata", {}).get("mystnb", {}).get("figure", {})
        if "name" in figure:
            figure["name"] += ending
    return notebook


def copy_stock(ours: Path, stock: Path) -> None:
    """Make the same book for stock Jupyter Book: the assembled sources, with chapters to execute beside the data."""
    timed(ours, book("book"))()
    shutil.copytree(ours / "_build" / "src", stock)
    for chapter in toc.chapters(ours):
        shutil.copy(chapter, stock / "chapters" / chapter.name)
    shutil.copytree(ours / "asprinted", stock / "asprinted")
    for beside in (ours / "chapters").iterdir():
        if beside.is_file() and not (stock / "chapters" / beside.name).exists():
            shutil.copy(beside, stock / "chapters" / beside.name)


def configure(stock: Path, mode: str) -> None:
    """Let stock Jupyter Book execute the chapters: "force" always, "cache" with its own cache."""
    path = stock / "_config.yml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["execute"] = {"execute_notebooks": mode, "timeout": 600}
    settings["exclude_patterns"] = ["data/**", "asprinted/**"]
    write_whole(path, yaml.safe_dump(settings, sort_keys=False))
