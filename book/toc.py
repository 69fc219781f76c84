"""The order of the book, which lives in _toc.yml alone."""

from __future__ import annotations

from pathlib import Path

import yaml

from book.errors import BookError


def entries(root: Path) -> list[str]:
    """Return the pages of the book in reading order, as _toc.yml names them (without suffix)."""
    path = root / "_toc.yml"
    try:
        toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise BookError(f"_toc.yml: {problem}")
    if not isinstance(toc, dict) or "root" not in toc:
        raise BookError("_toc.yml: field root is missing; it names the first page, for example root: index")
    found = [toc["root"]]

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if "file" in part:
                found.append(part["file"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk({key: value for key, value in toc.items() if key != "root"})
    return found


def pages(root: Path) -> list[Path]:
    """Return the source file of every written page in reading order; raise BookError if one is missing.

    Generated pages have none and are passed over.
    """
    from book.generated import GENERATED

    found = []
    for entry in entries(root):
        stem = entry.removesuffix(".ipynb").removesuffix(".md")
        here = [root / f"{stem}{suffix}" for suffix in (".ipynb", ".md") if (root / f"{stem}{suffix}").is_file()]
        made = f"{stem}.md" in GENERATED
        if made and not here:
            continue
        if made or len(here) != 1:
            fault = "a page of this name is generated" if made else "both .ipynb and .md exist" if here else "no such page"
            raise BookError(f"_toc.yml: file {entry}: {fault}; every entry names one .ipynb or .md file, or a generated page")
        found += here
    return found


def chapters(root: Path) -> list[Path]:
    """Return the notebooks of the book in reading order."""
    return [page for page in pages(root) if page.suffix == ".ipynb"]
