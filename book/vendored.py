"""``python -m book vendored``: the files of other projects that the site serves are the ones that their origin names."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from book.errors import BookError

LIST, ORIGIN = "SHA256SUMS", "ORIGIN.md"


def run(root: Path, options: Namespace) -> int:
    """Return 0 where every vendored file has the hash that is listed beside it, else 1."""
    folders = sorted(path for path in (root / "vendor").iterdir() if path.is_dir())
    faults = [f"vendor/{folder.name}/{fault}" for folder in folders for fault in problems(folder)]
    for fault in faults:
        print(fault)
    files = sum(len(listed(folder)) for folder in folders)
    print(f"{files} files of {', '.join(folder.name for folder in folders)}: {f'{len(faults)} faults' if faults else 'each has the hash that is listed'}.")
    return 1 if faults else 0


def listed(folder: Path) -> dict[str, str]:
    """Return the hash of every file that the folder's SHA256SUMS lists; raise BookError where the list cannot be read."""
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
        return {name.lstrip("*"): digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    except (OSError, ValueError) as problem:
        raise BookError(f"vendor/{folder.name}/{LIST}: {problem}: write it with sha256sum, as {ORIGIN} says") from None


def problems(folder: Path) -> list[str]:
    """Return a line for every file of the folder that is missing, not listed, or not as its origin made it."""
    wanted = listed(folder)
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {LIST, ORIGIN}
    }
    faults = [f"{name}: is listed but not there: take it from the package that {ORIGIN} names" for name in wanted if name not in found]
    faults += [f"{name}: is not listed in {LIST}: list it, or take it away" for name in found if name not in wanted]
    changed = [name for name in wanted if name in found and found[name] != wanted[name]]
    faults += [f"{name}: has the hash {found[name]}, listed is {wanted[name]}: take it from its package again" for name in changed]
    return faults


def folder_of(root: Path, package: str) -> Path:
    """Return the folder of a vendored package, whatever its version; raise BookError unless there is exactly one."""
    found = sorted(path for path in (root / "vendor").glob(f"{package}-*") if path.is_dir())
    if len(found) != 1:
        raise BookError(f"vendor/{package}-…: {', '.join(path.name for path in found) or 'no folder'}: exactly one version must stand there")
    return found[0]
