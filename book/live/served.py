"""What the Python in the reader's browser is given: the library's pure floor, the records as CSV, and the numbers of the study files.

All of it stands below ``live/`` in the site. Cells run as if in ``chapters/``, so that ``../data/<study>/visits.csv`` means there what it means in
a chapter. Beside the CSV files of a study lies ``numbers.json``: every printed and assumed number as text, by its id.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from book import studies, vendored
from book.files import files_below
from book.live.cells import FLOOR, load

RUNNER, WORKER, LIBRARY, LIST = "live_runner.py", "worker.mjs", "asprinted.zip", "live.json"
ENGINE = ("pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")  # what is counted while it loads
LOADED = {".mjs", ".wasm", ".zip", ".json"}  # of the files of Pyodide; the others are words about it


def files(root: Path) -> dict[str, bytes]:
    """Return the content of every file below `live/`, by its place there, in a fixed order; none for a book without live cells.

    Raises BookError unless exactly one version of Pyodide stands in `vendor/`.
    """
    listed = sorted(root.glob("chapters/*.live.yml"))
    if not listed:
        return {}
    records = {f"data/{path.parent.name}/{path.name}": path.read_bytes() for path in sorted(root.glob("data/*/*.csv"))}
    for study in studies.load_all(root):
        records[f"data/{study.slug}/numbers.json"] = _json(numbers(study))
    engine, library = vendored.folder_of(root, "pyodide"), floor(root)
    sizes = {name: (engine / name).stat().st_size for name in ENGINE}
    cells = {f"chapters/{path.name.partition('.')[0]}.html": [f"live-{cell.id}" for cell in load(path)] for path in listed}
    about = {"engine": engine.name, "library": LIBRARY, "bytes": sizes, "files": sorted(records), "cells": cells}
    worker = (Path(__file__).parent / WORKER).read_bytes()
    return {WORKER: worker, LIST: _json(about), LIBRARY: library, **dict(sorted(records.items()))}


def size(root: Path) -> int:
    """Return how many bytes the first run of a cell loads: Python, its library, and that of the book; 0 for a book without live cells."""
    if not any(root.glob("chapters/*.live.yml")):
        return 0
    engine = [path for path in files_below(vendored.folder_of(root, "pyodide")) if path.suffix in LOADED]
    return sum(path.stat().st_size for path in engine) + len(floor(root)) + (Path(__file__).parent / WORKER).stat().st_size


def floor(root: Path) -> bytes:
    """Return the zip that Python imports from: `asprinted` as far as it needs the standard library alone, and the runner; the same bytes each time."""
    package = root / "asprinted"
    sources = {"asprinted/__init__.py": (package / "__init__.py").read_bytes()}
    for part in FLOOR:
        sources |= {path.relative_to(root).as_posix(): path.read_bytes() for path in files_below(package / part)}
    sources[RUNNER] = (Path(__file__).parent / "runner.py").read_bytes()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sources.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return held.getvalue()


def numbers(study) -> dict[str, str | dict[str, str]]:
    """Return every number of a study as text, by the id of its claim or assumption; claims in words are left out."""
    printed = {id: claim.printed for id, claim in study.claims.items() if claim.printed is not None}
    return printed | {id: assumption.value for id, assumption in study.assumptions.items() if assumption.value is not None}


def _json(held: object) -> bytes:
    return (json.dumps(held, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")
