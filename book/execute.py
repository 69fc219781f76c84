"""Executes the notebooks whose code, data, library or environment differ from the last execution.

Results stand in ``_build/executed/<slug>.ipynb``, and ``_build/execution.json`` says what each was made from.
Nothing in the repository proper is written.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import json
import platform
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Callable, Sequence

from book import figures, notebooks
from book.errors import Differs
from book.files import files_below, fingerprint, read_json, write_whole

WORKERS = 2  # a third gains nothing on two cores
CELL_SECONDS = 600
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def surroundings(root: Path) -> str:
    """Return the fingerprint of all that a chapter may read beside its own cells.

    All data, the library, the locked packages, the Python version, and the files beside the chapters
    (pages in Markdown, questions and corrections apart, which no code reads).
    """
    beside = [path for path in files_below(root / "chapters") if path.suffix not in {".ipynb", ".md", ".yml"}]
    files = [*files_below(root / "data"), *files_below(root / "asprinted"), root / "requirements.lock", *beside]
    return fingerprint(root, files, platform.python_version())


def wanted_fingerprint(notebook: dict, around: str) -> str:
    """Return the fingerprint of what decides the notebook's outputs: its code in order, and `around`."""
    parts = [around, json.dumps(notebook.get("metadata", {}).get("kernelspec", {}).get("name"))]
    for cell in notebooks.code_cells(notebook):
        parts.append(json.dumps([notebooks.text(cell["source"]), cell.get("metadata", {}).get("tags", [])]))
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def result_path(root: Path, chapter: Path) -> Path:
    """Return where the executed copy of `chapter` stands."""
    return root / "_build" / "executed" / chapter.name


def outdated(root: Path, chapters: Sequence[Path]) -> list[Path]:
    """Return the chapters whose executed copy is missing, damaged or made from something else."""
    record, around = read_json(root / "_build" / "execution.json", {}), surroundings(root)
    found = []
    for chapter in chapters:
        made, result = record.get(chapter.stem, {}), result_path(root, chapter)
        current = (
            result.is_file()
            and made.get("fingerprint") == wanted_fingerprint(notebooks.read(chapter), around)
            and made.get("sha256") == hashlib.sha256(result.read_bytes()).hexdigest()
        )
        if not current:
            found.append(chapter)
    return found


def longest_first(root: Path, chapters: Sequence[Path]) -> list[Path]:
    """Return the chapters, those that took longest last time first, so that two workers end together."""
    record = read_json(root / "_build" / "execution.json", {})
    return sorted(chapters, key=lambda path: (-record.get(path.stem, {}).get("seconds", 60), -path.stat().st_size))


@dataclass(frozen=True)
class Failure:
    """A notebook that did not run through: its name, the cell, and what the cell said."""

    notebook: str
    message: str


def execute(root: Path, chapters: Sequence[Path], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Execute `chapters` and keep each result; run `meanwhile` beside them; raise Differs if a cell fails.

    The kernels are driven from a second thread, so that Ctrl-C reaches this one, which then ends them all.
    """
    import nbclient  # noqa: F401  before `meanwhile`: two threads that import the same packages at once can find them half imported
    import nbformat  # noqa: F401

    kernels, stopping, failures, broken = [], threading.Event(), [], []

    def drive() -> None:
        try:
            failures.extend(asyncio.run(_execute_all(root, longest_first(root, chapters), kernels, stopping)))
        except Exception as problem:
            broken.append(problem)

    thread = threading.Thread(target=drive)
    thread.start()
    try:
        meanwhile()
        while thread.is_alive():
            thread.join(0.1)
    except BaseException:
        stopping.set()
        while thread.is_alive():  # a notebook ends soon after its kernel
            for kernel in kernels:
                end(kernel)
            thread.join(0.2)
        raise
    if broken:
        raise broken[0]
    if failures:
        raise Differs("\n\n".join(f"{failure.notebook}: {failure.message}" for failure in failures))


def end(kernel) -> None:
    """End a kernel's process at once, if it has started."""
    process = getattr(kernel.provisioner, "process", None)
    if process is not None and process.poll() is None:
        process.kill()


async def _execute_all(root: Path, chapters: Sequence[Path], kernels: list, stopping: threading.Event) -> list[Failure]:
    turn, around = asyncio.Semaphore(WORKERS), surroundings(root)

    async def one(chapter: Path) -> Failure | None:
        async with turn:
            if stopping.is_set():
                return None
            began = time.monotonic()
            source = notebooks.read(chapter)
            executed, problem = await run_notebook(chapter, kernels)
            seconds = time.monotonic() - began
            if problem:
                if not stopping.is_set():
                    print(f"  {chapter.stem}: stopped after {seconds:.1f} s", flush=True)
                return Failure(chapter.name, problem)
            keep(root, chapter, figures.with_palettes(notebooks.with_outputs(source, executed)), wanted_fingerprint(source, around), seconds, cell_seconds(executed))
            print(f"  {chapter.stem}: executed in {seconds:.1f} s", flush=True)
            return None

    return [failure for failure in await asyncio.gather(*map(one, chapters)) if failure]


def cell_seconds(executed: dict) -> dict[str, float]:
    """Return how long each code cell took, by id, from the kernel's time stamps that nbclient leaves in the metadata."""
    found = {}
    for cell in notebooks.code_cells(executed):
        stamps = cell["metadata"].get("execution", {})
        began, ended = (stamps.get(name) for name in ("iopub.execute_input", "shell.execute_reply"))
        if began and ended:
            found[cell["id"]] = round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 3)
    return found


def keep(root: Path, chapter: Path, executed: dict, made_from: str, seconds: float, cells: dict[str, float] | None = None) -> None:
    """Store an executed notebook and then the record that vouches for it, with the times that it and its cells took."""
    result, path = result_path(root, chapter), root / "_build" / "execution.json"
    notebooks.write(result, executed)
    record = read_json(path, {})
    record[chapter.stem] = {
        "fingerprint": made_from,
        "cells": cells or {},
        "seconds": round(seconds, 2),
        "sha256": hashlib.sha256(result.read_bytes()).hexdigest(),
    }
    write_whole(path, json.dumps(record, indent=1, sort_keys=True) + "\n")


async def run_notebook(chapter: Path, kernels: list) -> tuple[dict, str]:
    """Return the executed notebook and "", or what it was when a cell failed and the description of the failure.

    Cells run in a fresh kernel of this Python, in the notebook's own folder; the kernel is added to `kernels`.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(chapter, as_version=4)
    for cell in notebooks.code_cells(notebook):  # so that what has run can be told from what has not
        cell["outputs"], cell["execution_count"] = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        record_timing=True,
        coalesce_streams=True,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    kernels.append(client.create_kernel_manager())
    try:
        await client.async_execute()
        problem = ""
    except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as raised:
        problem = describe(notebook, raised)
    finally:
        # nbclient ends the kernel itself, but after a kernel that died at its start it leaves a hook behind that fails.
        atexit.unregister(client._cleanup_kernel)
    return json.loads(nbformat.writes(notebook)), problem


def describe(notebook: dict, raised: Exception) -> str:
    """Return where a notebook stopped: the cell's number and name, its first lines, and the end of its error."""
    ran = [(number, cell) for number, cell in enumerate(notebooks.code_cells(notebook), 1) if cell["execution_count"]]
    number, cell = ran[-1] if ran else (0, {"source": "", "outputs": []})
    errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
    end = [line for part in errors[-1]["traceback"] for line in part.splitlines()] if errors else str(raised).splitlines()
    if errors and errors[-1]["ename"] in {"ClaimError", "StudyError"}:  # their own words say all
        end = f"{errors[-1]['ename']}: {errors[-1]['evalue']}".splitlines()
    code = notebooks.text(cell["source"]).splitlines()
    name = f" ({cell['id']})" if cell.get("id") else ""
    return "\n".join(
        [f"cell [{number}] failed{name}"]
        + [f"    {line}" for line in code[:6] + (["..."] if len(code) > 6 else [])]
        + [f"  | {COLOURS.sub('', line)}" for line in end[-12:]]
    )
