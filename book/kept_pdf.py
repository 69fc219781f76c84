"""The PDF of the book that `make pdf` printed last, and the site that it was printed from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from book.files import read_json, write_whole

NAME, MADE, FOLDER = "book.pdf", "book.json", "_build/pdf"


def keep(root: Path, fingerprint: str, printed: bytes) -> None:
    """Keep the PDF, and then the note that vouches for it, with the fingerprint of the site that it was printed from."""
    write_whole(root / FOLDER / NAME, printed)
    made = {"site": fingerprint, "sha256": hashlib.sha256(printed).hexdigest()}
    write_whole(root / FOLDER / MADE, json.dumps(made, indent=1, sort_keys=True) + "\n")


def of_site(root: Path, fingerprint: str) -> bytes:
    """Return the PDF if it was printed from the site with this fingerprint and is whole, else nothing."""
    made, path = read_json(root / FOLDER / MADE, {}), root / FOLDER / NAME
    if made.get("site") != fingerprint or not path.is_file():
        return b""
    held = path.read_bytes()
    return held if hashlib.sha256(held).hexdigest() == made.get("sha256") else b""
