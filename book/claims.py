"""What the committed chapters say about their claims, a line a chapter."""

from __future__ import annotations

from pathlib import Path

from book import notebooks, toc


def summary(root: Path) -> list[str]:
    """Return a line per chapter: how many claims its stored outputs hold, and their verdicts."""
    return [
        f"  {chapter.stem}: {notebooks.told(notebooks.verdicts(notebooks.read(chapter)))}" for chapter in toc.chapters(root)
    ]
