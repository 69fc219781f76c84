"""Where the parts of one's own paper stand: all in one folder, or, inside the book's repository, where the book has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asprinted.study import StudyError


@dataclass(frozen=True)
class Places:
    """The files of one paper. records: the way from the chapter's folder to the study's, as the chapter writes it; in_book: inside the book's repository."""

    study: Path
    chapter: Path
    records: str
    in_book: bool

    @property
    def tests(self) -> Path:
        return self.study.parent / "test_paper.py"

    @property
    def settings(self) -> Path:
        """What pytest reads so that it executes the chapter too."""
        return self.study.parent / "pytest.ini"

    @property
    def schema(self) -> Path:
        """The copy of the schema that an editor checks study.yml with; of the book's own repository, the library's."""
        return self.study.parent / ("../../asprinted/study.schema.json" if self.in_book else "study.schema.json")


def of(folder: Path) -> Places:
    """The places of the paper in `folder`: data/<slug> of the book's repository (beside a _toc.yml and chapters/), or any other folder."""
    whole = folder.resolve()
    root = whole.parent.parent
    if whole.parent.name == "data" and (root / "_toc.yml").is_file() and (root / "chapters").is_dir():
        return Places(folder / "study.yml", root / "chapters" / f"{whole.name}.ipynb", f"../data/{whole.name}", True)
    return Places(folder / "study.yml", folder / "chapter.ipynb", ".", False)


def write_new(files: Mapping[Path, str]) -> None:
    """Write every file, or none: where one is there already StudyError names it. Folders are made."""
    for file in files:
        if file.exists():
            raise StudyError(file, "file", None, "It is there already and may hold your work: nothing was written. Give another folder, or move the file away.")
    made: list[Path] = []
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_name(f".{file.name}.{os.getpid()}")
            made.append(beside)
            beside.write_bytes(text.encode("utf-8"))
        for file, beside in zip(files, list(made), strict=True):
            os.link(beside, file)  # refuses where somebody has made the file meanwhile
    except FileExistsError as error:
        raise StudyError(error.filename2 or error.filename, "file", None, "It is there already, or is no folder: give another folder.") from None
    finally:
        for beside in made:
            beside.unlink(missing_ok=True)
