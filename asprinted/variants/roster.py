"""Who is in the course: the names of students, each fit to be the name of a folder."""

from __future__ import annotations

import re
from pathlib import Path

from asprinted.study import SEPARATOR, StudyError
from asprinted.variants.sheets import table

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@+-]*(\.[A-Za-z0-9_@+-]+)*")  # no folder of another system is called otherwise
HEADERS = ("id", "student", "name", "username", "participant")  # what the column of names may be called; capitals do not matter
LONGEST = 64
TAKEN = {"key", "questions", "con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}  # ours, and those of Windows


def students(file: Path) -> list[str]:
    """The students that a CSV file with a header lists, in its order: its column `id`, or another of HEADERS.

    Raises StudyError where no column is called so, and one that names the line of a name that is empty, stands twice (case does not count), or cannot be a folder's.
    """
    rows = table(file)
    header = next(rows, (1, []))[1]
    if not header:
        raise StudyError(file, "line 1", None, "The file is empty: give a header and a line a student.")
    column = next((place for wanted in HEADERS for place, name in enumerate(header) if name.lower() == wanted), None)
    if column is None:  # a list without a header would lose its first student
        raise StudyError(file, "line 1", header[0], f"The first line names the columns, and none of them is one of {', '.join(HEADERS)}: put a line 'id' above the names.")
    found: dict[str, tuple[int, str]] = {}
    for line, cells in rows:
        name = cells[column].strip() if column < len(cells) else ""
        where = SEPARATOR.join((f"line {line}", header[column]))
        if not name:
            raise StudyError(file, where, "", "It is empty: give every student a name, or take the line out.")
        if not NAME.fullmatch(name) or len(name) > LONGEST or name.split(".")[0].lower() in TAKEN:
            remedy = f"It cannot be the name of a folder everywhere: use up to {LONGEST} letters, digits and . _ @ + -, beginning with a letter or digit, and no name that a system or this command keeps for itself."
            raise StudyError(file, where, name, remedy)
        if name.lower() in found:
            raise StudyError(file, where, name, f"It stands in line {found[name.lower()][0]} already: give every student a name of their own; capitals do not tell folders apart.")
        found[name.lower()] = (line, name)
    if not found:
        raise StudyError(file, "line 2", None, "There is no student below the header.")
    return [name for _, name in found.values()]
