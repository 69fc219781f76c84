"""The page of benchmarks: what `make bench` measured last, from the results that are committed with the book."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from book import bench
from book.files import read_json

WORDS = """---
html_theme.sidebar_secondary.remove: true
---

# Benchmarks

How well this book's library does what it promises, and how fast: each line below is a target that was written down before it was measured,
beside another tool where one does the same. A target that is missed says so and stays here. {counted}

To measure again: `make bench`, or a part of it, such as `make bench ARGS="--only {example}"`. Both sides of a line are measured in the same
run, on the same machine; what is timed on either side, and how each result is checked, stands in `benchmarks/README.md`. Times vary
with the machine and with what else it is doing. No test of the book measures a time.

{summary}

{parts}

## Where this was measured

{machines}
"""
NONE = """# Benchmarks

Nothing is measured yet: `make bench` measures it and keeps the results.
"""
TITLES = {
    "proofs": "Numbers that cannot stand together",
    "scores": "Scores with a printed mean and SD",
    "pools": "Meta-analyses",
    "digits": "Every study of this book, and published abstracts",
    "trials": "Simulated trials, made again from their print",
    "scale": "Large trials and large classes",
    "build": "Building this book",
    "weight": "The weight of a page",
}


def render(root: Path, executed: dict[str, dict]) -> str:
    """Return the page in Markdown, from benchmarks/results.json; the chapters do not enter it."""
    results = read_json(root / bench.RESULTS, {})
    return page({part: results[part] for part in bench.PARTS if part in results})


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of these results: part → about, columns and benchmarks (name → on, rows)."""
    if not results:
        return NONE
    reached = {part: [row["reached"] for row in _rows(entry)] for part, entry in results.items()}
    summary = [f"| [{TITLES[part]}](#{_slug(TITLES[part])}) | {bench.counted(of_part)} |" for part, of_part in reached.items()]
    parts = "\n\n".join(f"## {TITLES[part]}\n\n{_escaped(entry['about'])}\n\n{_table(entry)}" for part, entry in results.items())
    machines: dict[str, list[str]] = {}
    for entry in results.values():
        for name, benchmark in entry["benchmarks"].items():
            machines.setdefault(_machine(benchmark["on"]), []).append(f"`{name}`")
    return WORDS.format(
        counted=f"{bench.counted([each for of_part in reached.values() for each in of_part])}.",
        example=next(iter(next(iter(results.values()))["benchmarks"])),
        summary="\n".join(["| Part | Targets |", "|---|---|", *summary]),
        parts=parts,
        machines="\n".join(["| Machine and versions | Benchmarks |", "|---|---|", *(f"| {machine} | {', '.join(names)} |" for machine, names in machines.items())]),
    )


def _rows(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for benchmark in entry["benchmarks"].values() for row in benchmark["rows"]]


def _table(entry: Mapping[str, Any]) -> str:
    return "\n".join([*bench.head(entry["columns"]), *(bench.line([_escaped(cell) for cell in row["cells"]], row["reached"]) for row in _rows(entry))])


def _machine(on: Mapping[str, Any]) -> str:
    return f"{on['machine']}; Python {on['python']}, {', '.join(f'{name} {version}' for name, version in on['packages'].items())}"


def _escaped(text: str) -> str:
    """Return plain text with the characters that Markdown and MyST would read as markup made harmless, but for code in backticks."""
    quoted = text.split("`")
    return "`".join(part if place % 2 else part.translate({ord(mark): rf"\{mark}" for mark in "*_<>[]$^~{}"}) for place, part in enumerate(quoted))


def _slug(title: str) -> str:
    return title.lower().replace(",", "").replace(" ", "-")
