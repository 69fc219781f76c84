"""Tables that teachers hand in and take away: CSV read with the line of each row, and written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from asprinted.study import StudyError


def table(file: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row of a CSV file that is not blank, the header first; commas, semicolons or tabs between cells.

    Raises StudyError where the file cannot be read.
    """
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise StudyError(file, "file", None, f"{error.strerror}. Give a CSV file.") from None
    except UnicodeDecodeError as error:
        raise StudyError(file, f"byte {error.start}", None, "The file is not UTF-8: save it as CSV in UTF-8.") from None
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, [cell.strip() for cell in row]
            elif row:
                yield rows.line_num, row
    except csv.Error as error:
        raise StudyError(file, f"line {rows.line_num}", None, f"Not readable as CSV ({error}): check its quotation marks.") from None


def as_csv(kind: type, rows: Iterable[Any]) -> bytes:
    """CSV in UTF-8 of rows that are dataclasses of the `kind`: a header of its fields, and a line a row."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, [field.name for field in fields(kind)], lineterminator="\n")
    lines.writeheader()
    lines.writerows(map(asdict, rows))
    return text.getvalue().encode("utf-8")
