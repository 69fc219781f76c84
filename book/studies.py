"""The study files of the book, each loaded once for as long as it stays the same."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from book.errors import BookError

if TYPE_CHECKING:
    from asprinted.study import Study


def load_all(root: Path) -> list[Study]:
    """Return the studies below `data/`, by name of their folder; raise BookError where a study file has a fault."""
    return [_load(file.parent, file.read_bytes()) for file in sorted(root.glob("data/*/study.yml"))]


@functools.cache
def _load(folder: Path, content: bytes) -> Study:
    """Return the study whose file now holds `content`, which is only what tells one state of the file from another."""
    from asprinted.study import StudyError, load

    try:
        return load(folder)
    except StudyError as fault:
        raise BookError(str(fault)) from None
