"""The page that says how long each chapter took to execute, which cells took longest, and with what they ran.

It is made from `_build/execution.json`, which no fingerprint knows: other times make another page, never another build.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path

from book import headings, notebooks
from book.execute import WORKERS
from book.files import read_json

SLOWEST = 10
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}
WORDS = """# Execution times

How long the chapters took on the machine that built these pages ({machine}), up to {workers} at a time, each in a fresh kernel. Each
time is of the chapter's last execution; a chapter is executed again only when its code, its data or the library changes, so the
times need not be of one day. They vary with the machine, with what else it is doing, and from run to run; nothing in a chapter depends on them.

{chapters}

A chapter's seconds include starting its kernel; those of its cells alone stand beside them. Chapters run side by side, so that
executing all of them takes less than the sum.

## The slowest cells

{slowest}

## Versions

Python, and the packages that the chapters import:

{versions}
"""


def render(root: Path, executed: dict[str, dict]) -> str:
    """Return the page in Markdown; `executed` holds the executed notebooks by stem, in reading order.

    Seconds are wall-clock seconds; a cell or chapter of which none are recorded has a dash.
    """
    record = read_json(root / "_build" / "execution.json", {})
    times = {stem: record.get(stem, {}).get("cells", {}) for stem in executed}
    chapters = [
        [f"[{headings.title(notebook)}]({stem}.ipynb)", str(len(notebooks.code_cells(notebook))), _shown(record.get(stem, {}).get("seconds")),
         _shown(sum(times[stem].values()) if times[stem] else None)]
        for stem, notebook in executed.items()
    ]  # fmt: skip
    taken = [record[stem]["seconds"] for stem in executed if "seconds" in record.get(stem, {})]
    in_cells = [seconds for stem in executed for seconds in times[stem].values()]
    cells = sum(len(notebooks.code_cells(notebook)) for notebook in executed.values())
    chapters.append(["All together", str(cells), _shown(sum(taken) if taken else None), _shown(sum(in_cells) if in_cells else None)])
    slowest = sorted(((seconds, stem, cell) for stem in executed for cell, seconds in times[stem].items()), key=lambda row: (-row[0], *row[1:]))
    where = {stem: sections(notebook) for stem, notebook in executed.items()}
    slow = [
        [f"`{cell}`", _link(stem, f"{headings.title(executed[stem])}: {where[stem][cell][0]}", where[stem][cell][1]), _shown(seconds)]
        for seconds, stem, cell in slowest
        if cell in where[stem]
    ][:SLOWEST]
    return WORDS.format(
        machine=machine(),
        workers=NUMBERS.get(WORKERS, str(WORKERS)),
        chapters=_table(["Chapter", "Code cells", "Seconds", "Seconds in cells"], chapters),
        slowest=_table(["Cell", "Chapter and heading", "Seconds"], slow) if slow else "No times of single cells are recorded yet.",
        versions=_table(["What", "Version"], versions(root, executed)),
    )


def machine() -> str:
    """Return the kind of machine in words: kind and number of processors, and the operating system."""
    cores = os.cpu_count() or 1
    return f"{platform.machine() or 'unknown processor'}, {NUMBERS.get(cores, str(cores))} core{'s' * (cores > 1)}, {platform.system() or 'unknown system'}"


def sections(notebook: dict) -> dict[str, tuple[str, str]]:
    """Return of each code cell, by id, the heading it stands under and that heading's address on the page.

    Headings without an address of their own are passed over; the one before stands in.
    """
    taken, here, found = set(), ("the beginning", ""), {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            found[cell["id"]] = here
        else:
            here = [here, *headings.of_text(notebooks.text(cell["source"]), taken)][-1]
    return found


def versions(root: Path, executed: dict[str, dict]) -> list[list[str]]:
    """Return name and version of Python, and of every package of requirements.txt that the chapters import."""
    code = "\n".join(notebooks.text(cell["source"]) for notebook in executed.values() for cell in notebooks.code_cells(notebook))
    imported = set(re.findall(r"^\s*(?:import|from)\s+(\w+)", code, re.M))
    wanted = [re.match(r"[A-Za-z0-9._-]+", line) for line in (root / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    return [["Python", platform.python_version()], *([name[0], importlib.metadata.version(name[0])] for name in wanted if name and name[0] in imported)]


def _link(stem: str, words: str, slug: str) -> str:
    return f"[{words}]({stem}.ipynb{'#' if slug else ''}{slug})"


def _shown(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *("---:" if name.startswith(("Seconds", "Code")) else "---" for name in head[1:])]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in [head, rule, *rows])
