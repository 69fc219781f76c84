"""Files written whole or not at all, fingerprints of files, and locks that end with their process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Iterable, Iterator

UNSEEN = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}


def write_whole(path: Path, content: str | bytes) -> bool:
    """Return whether `path` had to change; it then holds `content`, all of it, or what it held before.

    A file that already holds `content` is not touched, so that its time stamp stays.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        if beside.exists():
            beside.unlink()
    return True


def read_json(path: Path, default: object = None) -> object:
    """Return what the JSON file holds, or `default` if it is missing or unreadable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default


def files_below(folder: Path) -> list[Path]:
    """Return every file below `folder` in a fixed order, without caches and hidden files."""
    if folder.is_file():
        return [folder]
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part in UNSEEN or part.startswith(".") for part in path.relative_to(folder).parts)
    )


def fingerprint(root: Path, files: Iterable[Path], *words: str) -> str:
    """Return one hash of the files (their places below `root` and their bytes) and of `words`."""
    whole = hashlib.sha256("\0".join(words).encode("utf-8"))
    for path in files:
        name = path.relative_to(root).as_posix()
        whole.update(f"\0{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode("utf-8"))
    return whole.hexdigest()


@contextlib.contextmanager
def alone(lock: Path, task: str) -> Iterator[None]:
    """Hold `lock` for as long as the block runs; wait, and say so, while another process holds it.

    The lock is SQLite's: the operating system drops it when the process ends, however it ends,
    so that a killed run leaves nothing to clear away.
    """
    import sqlite3

    lock.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as held:
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            print(f"Another process is {task}; waiting for it (Ctrl-C to stop).", flush=True)
            held.execute("PRAGMA busy_timeout = 900000")
            held.execute("BEGIN EXCLUSIVE")
        yield
