"""The pages and downloads that no one writes: each is made from the repository and the executed chapters, at every build."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from book import benchmarks_page, corrections, dictionaries, execution_times, ledger, ledger_page, study_file_page

# Place in the book → what makes its text from the root of the repository and the executed notebooks (by stem, in reading order).
# A page enters the book where _toc.yml names it; a download belongs to the page of its name and is put beside it.
GENERATED: dict[str, Callable[[Path, dict[str, dict]], str]] = {
    "chapters/ledger.md": ledger_page.render,
    "chapters/ledger.csv": ledger.as_csv,
    "chapters/ledger.json": ledger.as_json,
    "chapters/data-dictionaries.md": dictionaries.render,
    "chapters/corrections.md": corrections.render,
    "chapters/study-file.md": study_file_page.render,
    "chapters/execution-times.md": execution_times.render,
    "chapters/benchmarks.md": benchmarks_page.render,
}


def of(entries: list[str]) -> dict[str, Callable[[Path, dict[str, dict]], str]]:
    """Return those of GENERATED that belong to the pages of the book; `entries` are named as in _toc.yml."""
    named = {entry.removesuffix(".md") for entry in entries}
    return {place: make for place, make in GENERATED.items() if place.rpartition(".")[0] in named}
