"""What of a draft is still to be filled in: every field that holds a question mark alone; and wording that a draft leaves to the reader."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from asprinted.study import SEPARATOR, Study, StudyError

BLANK = "?"
TO_SAY = ("say whether higher is better", "say what the lowest and the highest mean", "Say here why", "edit it to the paper's follow-up")  # what a draft asks for, as it stands in it
_SEEN = re.compile(rb"""(["'])\?\1""")


def refuse(folder: str | os.PathLike[str]) -> None:
    """Raise one StudyError that names every blank of the study.yml in `folder`; a file that is missing, or no YAML, is left to the loader."""
    file = Path(folder) / "study.yml"
    try:
        raw = file.read_bytes()
        found = list(_blanks(yaml.compose(raw.decode("utf-8"), yaml.SafeLoader), ())) if _SEEN.search(raw) else []
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return
    if found:
        count = f"{len(found)} fields are" if len(found) > 1 else "1 field is"
        listed = "".join(f"\n  line {line}: {SEPARATOR.join(where)}" for line, where in found)
        remedy = f'{count} still "{BLANK}". Write each as the paper prints it, in quotes; delete a claim whose number it does not print:{listed}'
        raise StudyError(file, "file", None, remedy)


def left_over(study: Study) -> list[tuple[str, str]]:
    """(place, what is to be done) of each text that still asks for something, or speaks of people by the name of a column: worth a note, no error."""
    columns = {column for table in study.tables.values() for column in table["columns"]}
    found = [
        (SEPARATOR.join(("tables", name, "columns", column, "says")), f'it still says "{text}"')
        for name, table in study.tables.items() for column, spec in table["columns"].items() for text in TO_SAY if text in spec.get("says", "")
    ]  # fmt: skip
    found += [
        (SEPARATOR.join((part, id, field)), f'it still says "{text}"')
        for part, entries in (("claims", study.claims), ("assumptions", study.assumptions)) for id, entry in entries.items()
        for field, said in (("says", entry.says), ("reason", entry.reason)) for text in TO_SAY if text in said
    ]  # fmt: skip
    for claim in study.claims.values():
        column = (claim.by or {}).get("column")
        worded = isinstance(column, str) and column in columns and (f" whose {column} is known" in claim.says or claim.says.endswith(f" with {column}"))
        if worded:
            found.append((SEPARATOR.join(("claims", claim.id, "says")), "it has the name of a column for words; say what is meant"))
    return found


def _blanks(node: yaml.Node | None, where: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(line, path) of every scalar below `node` that is a blank."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _blanks(value, (*where, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _blanks(value, (*where, str(place)))
    elif isinstance(node, yaml.ScalarNode) and node.value == BLANK:
        yield node.start_mark.line + 1, where
