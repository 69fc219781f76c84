"""What stands beside a chapter as a YAML list (quiz questions, exercises, live cells): read and checked alike, with errors that say where.

Each entry is a mapping with an id of its own. A number is never typed in one: it names a claim that the chapter checks or a text that it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from book import notebooks
from book.errors import BookError

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SOURCES = ("claim", "said")


@dataclass(frozen=True)
class Entry:
    """One mapping of such a list: the file's name, what the entry is (``question``), its id or place, and what it holds."""

    file: str
    kind: str
    name: object
    held: Any

    def wrong(self, field: str, value: object, remedy: str) -> BookError:
        """Return the error that names file, entry, field, value and remedy."""
        return BookError(f"{self.file}: {self.kind} {self.name}: field {field}: {value!r}: {remedy}")

    def fields(self, wanted: Iterable[str], held: Mapping | None = None, where: str = "") -> None:
        """Raise BookError unless exactly the `wanted` fields are there: in the entry, or in `held`, a part of it under `where`."""
        held, wanted = self.held if held is None else held, sorted(wanted)
        for field in sorted(set(wanted) ^ set(held), key=str):
            remedy = "the field is missing; add it" if field in wanted else f"unknown here; known are {', '.join(wanted)}"
            raise self.wrong(f"{where}{field}", held.get(field), remedy)

    def texts(self, fields: Iterable[str], held: Mapping | None = None, where: str = "") -> None:
        """Raise BookError unless each of these fields is a text with something in it."""
        held = self.held if held is None else held
        for field in fields:
            if not isinstance(held[field], str) or not held[field].strip():
                raise self.wrong(f"{where}{field}", held[field], "write a text (in quotes if it looks like a number)")

    def source(self, field: str, value: object, whose: str) -> None:
        """Raise BookError unless the value names one claim or one said text; `whose` says what that holds."""
        if not isinstance(value, dict) or len(value) != 1 or not set(value) <= set(SOURCES):
            raise self.wrong(field, value, f"name what holds {whose}: {{claim: score.change.p}} or {{said: name}}")

    def source_text(self, field: str, sought: Mapping[str, Any], chapter: dict) -> str:
        """Return the text of the one claim or said text that is `sought`, as the executed chapter computed it; raise BookError where it has none."""
        (source, name), = sought.items()
        if source == "claim":
            held = {address: claim["computed"] for address, claim in notebooks.claims(chapter).items()}
            meant = [address for address in held if name in (address, address.rpartition(":")[2])]
        else:
            held = notebooks.said(chapter)
            meant = [name] if name in held else []
        if len(meant) == 1:
            return str(held[meant[0]])
        kind, near = "claim" if source == "claim" else "said value", ", ".join(meant or sorted(held)[:8]) or "none"
        fault = f"several studies of the chapter have it; write one of {near}" if meant else f"the chapter has no such {kind}; it has {near}"
        raise self.wrong(f"{field}.{source}", name, fault)


def read(path: Path, kind: str, fields: Iterable[str]) -> list[Entry]:
    """Return the entries in `path`, each a mapping with an id that no other has; `kind` is the word for one of them.

    Raises BookError with file, entry, field, value and remedy; `fields` are named where an entry is no mapping.
    """
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise BookError(f"{path.name}: not readable as YAML: {problem}")
    if not isinstance(listed, list) or not listed:
        raise BookError(f"{path.name}: the file must be a list of {kind}s, each beginning with - id: ...")
    found: list[Entry] = []
    for number, held in enumerate(listed, 1):
        entry = Entry(path.name, kind, held.get("id", number) if isinstance(held, dict) else number, held)
        if not isinstance(held, dict):
            raise entry.wrong("(whole)", held, f"write a mapping with {', '.join(fields)}")
        if "id" in held and (not isinstance(held["id"], str) or not ID.fullmatch(held["id"])):
            raise entry.wrong("id", held["id"], "use lower-case words joined by hyphens")
        if "id" in held and held["id"] in {other.name for other in found}:
            raise entry.wrong("id", held["id"], f"another {kind} has this id; choose a new one")
        found.append(entry)
    return found
