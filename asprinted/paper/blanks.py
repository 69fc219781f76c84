"""What of a draft is still to be filled in: every field that holds a question mark alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from asprinted.study import SEPARATOR, StudyError

BLANK = "?"
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
