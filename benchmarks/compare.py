"""Times this build against stock tools on the same chapters, in the same run, and prints a Markdown table."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import Callable

import yaml

from book import environment, notebooks, toc
from book.errors import BookError
from book.files import write_whole

CHAPTERS = 4
PEERS = ("jupyter-book", "sphinx", "myst-nb", "jupyter-cache", "nbclient", "nbval", "pytest", "pytest-xdist")
LEFT_OUT = (".git", ".venv", "_build", "__pycache__", ".hypothesis", ".ipynb_checkpoints")
RECORDS = "data/harp-trial"


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every target is reached, else 1; raise BookError if a peer is missing or fails."""
    versions = peers()
    chosen = options.only or ["cold", "warm", "proof", "records"]
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        ours, stock = Path(folder) / "ours", Path(folder) / "stock"
        copy_book(root, ours)
        if {"cold", "warm"} & set(chosen):
            copy_stock(ours, stock)
        rows = [MEASURES[name](ours, stock, options.runs) for name in chosen]
    table = "\n".join([
        f"Python {platform.python_version()}, {os.cpu_count()} cores; " + ", ".join(f"{n} {v}" for n, v in versions.items()),
        f"Medians of {options.runs} in turn; {CHAPTERS} chapters of studies or more, and the other pages; seconds of wall time.", "",
        "| what | this book | stock | ratio | target | |", "|---|---|---|---|---|---|", *(line for line, _ in rows),
    ])  # fmt: skip
    print(f"\n{table}")
    write_whole(root / "_build" / "benchmark.md", table + "\n")
    return 0 if all(reached for _, reached in rows) else 1


def peers() -> dict[str, str]:
    """Return the version of every tool that takes part; raise BookError if one is missing."""
    try:
        return {name: importlib.metadata.version(name) for name in PEERS}
    except importlib.metadata.PackageNotFoundError as missing:
        raise BookError(f"the peer {missing.name} is not installed: delete .venv and run make bench again")


def cold(ours: Path, stock: Path, runs: int) -> tuple[str, bool]:
    """Return the row for a first build: everything executed and rendered."""

    def build_ours() -> None:
        shutil.rmtree(ours / "_build", ignore_errors=True)

    def build_stock() -> None:
        shutil.rmtree(stock / "_build", ignore_errors=True)
        configure(stock, "force")

    return compared("first build, everything executed", 0.6, runs,
                    timed(ours, book("book"), build_ours), timed(stock, jupyter_book(), build_stock))  # fmt: skip


def warm(ours: Path, stock: Path, runs: int) -> tuple[str, bool]:
    """Return the row for a build after which nothing has changed; stock keeps its own cache of executions."""
    configure(stock, "cache")
    timed(ours, book("book"))()
    timed(stock, jupyter_book())()
    timed(stock, jupyter_book())()
    return compared("rebuild, nothing changed", 0.5, runs, timed(ours, book("book")), timed(stock, jupyter_book()))


def proof(ours: Path, stock: Path, runs: int) -> tuple[str, bool]:
    """Return the row for every chapter executed and compared with its stored outputs."""
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-sanitize-with",
             "tests/nbval-sanitize.cfg", "chapters"]  # fmt: skip
    return compared("chapters under nbval", 0.7, runs, timed(ours, book("test", "chapters")), timed(ours, plain))


def records(ours: Path, stock: Path, runs: int) -> tuple[str, bool]:
    """Return the row for the records of HARP, written and verified."""
    library = [sys.executable, "-m", "asprinted"]
    write, verify = (timed(ours, [*library, verb, RECORDS]) for verb in ("synthesise", "verify"))
    seconds = statistics.median(write() + verify() for _ in range(runs))
    return f"| records of HARP, written and verified | {seconds:.2f} | – | – | ≤ 5 s | {verdict(seconds <= 5)} |", seconds <= 5


MEASURES: dict[str, Callable[[Path, Path, int], tuple[str, bool]]] = {
    "cold": cold, "warm": warm, "proof": proof, "records": records,
}  # fmt: skip


def compared(what: str, target: float, runs: int, ours: Callable[[], float], stock: Callable[[], float]) -> tuple[str, bool]:
    """Return the table row and whether the ratio of medians reaches the target; both sides run in turn."""
    print(f"{what} ...", flush=True)
    pairs = [(ours(), stock()) for _ in range(runs)]
    mine, theirs = (statistics.median(side) for side in zip(*pairs))
    ratio = mine / theirs
    return f"| {what} | {mine:.2f} | {theirs:.2f} | {ratio:.2f} | ≤ {target} | {verdict(ratio <= target)} |", ratio <= target


def verdict(reached: bool) -> str:
    """Return the word for the last column."""
    return "reached" if reached else "**missed**"


def timed(folder: Path, command: list[str], before: Callable[[], None] = lambda: None) -> Callable[[], float]:
    """Return a function that runs the command in `folder` and gives its seconds; it raises BookError on failure."""

    def once() -> float:
        before()
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment.variables(folder, Path(sys.prefix)),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip
        seconds = time.perf_counter() - began
        if done.returncode:
            raise BookError(f"benchmark: {' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return seconds

    return once


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
