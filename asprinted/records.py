"""Records: the CSV files of a study, read with every cell checked, and written whole with their data package."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import re
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.evidence import taken_from
from asprinted.study.rules import conditions

PACKAGE = "datapackage.json"
NOTICE = (
    "Synthetic records: nobody in them exists. They were made by calculation so that their reanalysis prints "
    "the numbers of the source; what the source does not print is assumed and marked A."
)


def read(study: Study) -> dict[str, pd.DataFrame]:
    """The study's tables as data frames, in file order, every cell checked against its column.

    Raises StudyError naming file, row, column, value and remedy.
    """
    tables = {name: _read_table(study, name) for name in study.tables}
    for name, entry in study.tables.items():
        if "parent" in entry:
            key = entry["key"][0]
            known = set(tables[entry["parent"]][key])
            for row, id in enumerate(tables[name][key].tolist()):
                if id not in known:
                    raise _fault(study, name, row, key, id, f"No row of {study.tables[entry['parent']]['file']} has this {key}.")
    return tables


def joined(study: Study, tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """The table `name` with the columns of its parent table joined on, a row a row of the table."""
    entry = study.tables[name]
    if "parent" not in entry:
        return tables[name]
    return tables[name].merge(tables[entry["parent"]], on=entry["key"][0], how="left", validate="many_to_one")


def asked(study: Study, frame: pd.DataFrame, by: Mapping[str, Any]) -> pd.Series:
    """Which rows of `frame` meet the rules and the filter that an entry's `by` names: True or False, by its index. An empty cell meets none."""
    there = pd.Series(True, index=frame.index)
    for column, wanted in (pair for filter in conditions(study, by) for pair in filter.items()):
        cells = frame[column]
        if isinstance(wanted, dict):
            there &= cells.ge(wanted.get("from", -math.inf)).fillna(False) & cells.le(wanted.get("to", math.inf)).fillna(False)
        else:
            there &= cells.isin(wanted if isinstance(wanted, list) else [wanted])
    return there.astype(bool)


def _read_table(study: Study, name: str) -> pd.DataFrame:
    entry = study.tables[name]
    file = study.folder / entry["file"]
    try:
        text = file.read_text("utf-8")
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)
    except OSError as error:
        raise StudyError(file, "file", None, f"{error.strerror}. Make the records with: asprinted synthesise {_called(study.folder)}") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(file, "file", reason, f"Not readable as CSV in UTF-8. Make it again with: asprinted synthesise {_called(study.folder)}") from None
    if list(frame.columns) != list(entry["columns"]):
        raise StudyError(file, "header", ",".join(frame.columns), f"The columns must be {','.join(entry['columns'])}, as study.yml lists them.")
    if not isinstance(frame.index, pd.RangeIndex):
        raise StudyError(file, "line 2", None, f"It has more cells than the header's {len(frame.columns)}.")
    if frame.empty:
        raise StudyError(file, "line 2", None, f"There is no row below the header. Make the records with: asprinted synthesise {_called(study.folder)}")
    typed = pd.DataFrame({column: _typed(study, name, column, frame[column]) for column in frame})
    twice = typed.duplicated(entry["key"])
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise _fault(study, name, row, entry["key"][0], typed[entry["key"][0]][row], f"The key {', '.join(entry['key'])} stands twice.")
    return typed


def _typed(study: Study, table: str, column: str, cells: pd.Series) -> pd.Series:
    """The cells of one column in its type, every one checked."""
    spec = study.tables[table]["columns"][column]
    empty = (cells == "").to_numpy()
    some = cells.mask(empty, None) if empty.any() else cells
    if spec.get("required") and empty.any():
        raise _fault(study, table, int(empty.argmax()), column, "", "This column may not be empty.")
    if spec["type"] == "string":
        values: pd.Series = some
    else:
        values = pd.to_numeric(some, errors="coerce")
        numbers = values.to_numpy(dtype=float)
        wrong = ~(numbers == np.floor(numbers)) | np.isinf(numbers) if spec["type"] == "integer" else np.isnan(numbers)
        wrong &= ~empty
        if wrong.any():
            row = int(wrong.argmax())
            raise _fault(study, table, row, column, cells[row], f"It must be {'a whole number' if spec['type'] == 'integer' else 'a number'}.")
        if "minimum" in spec or "maximum" in spec:
            low, high = spec.get("minimum", float("-inf")), spec.get("maximum", float("inf"))
            outside = (numbers < low) | (numbers > high)
            if outside.any():
                row = int(outside.argmax())
                raise _fault(study, table, row, column, cells[row], f"It must lie between {low} and {high}.")
        if spec["type"] == "integer":
            values = values.astype("int64") if not empty.any() else values.astype("Int64")
    if "values" in spec:
        stranger = ~values.isin(spec["values"]).to_numpy() & ~empty
        if stranger.any():
            row = int(stranger.argmax())
            raise _fault(study, table, row, column, cells[row], f"It must be one of: {', '.join(map(str, spec['values']))}.")
    return values


def _fault(study: Study, table: str, row: int, column: str, value: Any, remedy: str) -> StudyError:
    file = study.folder / study.tables[table]["file"]
    return StudyError(file, SEPARATOR.join((f"line {row + 2}", column)), value, remedy)


def as_csv(study: Study, name: str, frame: pd.DataFrame) -> bytes:
    """The bytes of a table: UTF-8, line feeds, each column with its decimals, empty where missing."""
    columns = study.tables[name]["columns"]
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(_cells(frame[column], spec) for column, spec in columns.items()), strict=True))
    return text.getvalue().encode("utf-8")


def _cells(values: pd.Series, spec: Mapping[str, Any]) -> list[str]:
    decimals = spec.get("decimals", 0) if spec["type"] == "number" else 0
    style = "" if spec["type"] == "string" else f".{decimals}f"
    return ["" if missing else format(value, style) for value, missing in zip(values.tolist(), values.isna().tolist(), strict=True)]


def write(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """The files written: one CSV a table, and datapackage.json last, so that `stale` finds a mixture of old and new."""
    contents = {study.tables[name]["file"]: as_csv(study, name, frame) for name, frame in tables.items()}
    contents[PACKAGE] = package(study, contents)
    return write_whole(study.folder, contents)


def write_whole(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """The files of `folder` that hold `contents` (name → bytes), in that order.

    All are written beside their places before the first is moved there, and Ctrl-C waits until the last has been moved:
    a run that is interrupted, or finds the disk full, leaves the old files as they were. What an earlier run that was
    killed left beside them is swept away.
    """
    _sweep(folder, contents)
    beside: dict[Path, Path] = {}
    try:
        for name, content in contents.items():
            handle, written = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            beside[folder / name] = Path(written)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(written, 0o644)
        with _ctrl_c_held():
            for file, whole in beside.items():
                os.replace(whole, file)
    except BaseException:
        for whole in beside.values():
            whole.unlink(missing_ok=True)
        raise
    return list(beside)


def _sweep(folder: Path, names: Iterable[str]) -> None:
    """Delete what `write_whole` wrote beside the files `names` and could not move, and nothing that it would not call so."""
    left = re.compile(rf"\.({'|'.join(map(re.escape, names))})\.[a-z0-9_]{{8}}")
    for file in folder.glob(".*"):
        if left.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """A block after which, not in which, Ctrl-C takes effect. Python gives signals to the main thread alone, so in others there is nothing to hold."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def package(study: Study, contents: Mapping[str, bytes]) -> bytes:
    """The study's data package (Frictionless Tabular Data Package): dictionary, checksums, fingerprint of study.yml."""
    resources = []
    for name, entry in study.tables.items():
        content = contents[entry["file"]]
        schema: dict[str, Any] = {
            "fields": [_field(column, spec) for column, spec in entry["columns"].items()],
            "primaryKey": entry["key"],
            "missingValues": [""],
        }
        if "parent" in entry:
            key = entry["key"][0]
            schema["foreignKeys"] = [{"fields": [key], "reference": {"resource": entry["parent"], "fields": [key]}}]
        resources.append(
            {
                "name": name,
                "path": entry["file"],
                "profile": "tabular-data-resource",
                "description": f"{entry['row']}. {_origin(study, name)}{NOTICE}",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(content),
                "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
                "schema": schema,
            }
        )
    whole = {
        "profile": "tabular-data-package",
        "name": study.slug,
        "title": study.title,
        "description": NOTICE,
        "licenses": [{"name": "CC0-1.0", "title": "Creative Commons Zero v1.0 Universal"}],
        "sources": [{"title": source.reference} for source in study.sources.values()],
        "study": {"file": study.file.name, "sha256": study.fingerprint},
        "resources": resources,
    }
    if "taken" in study.design.get("evidence", {}):
        whole["taken"] = _taken(study)
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _origin(study: Study, table: str) -> str:
    """A sentence on the rows of a table that are another study's; empty where all are its own."""
    there = taken_from(study, table)
    return f"Among its rows stand those of the table {there[1]!r} of {there[0]!r}, unchanged in the columns that both have. " if there else ""


def _taken(study: Study) -> dict[str, Any]:
    """Whose rows stand in this study's tables, and the fingerprint of each file that they come from. Raises StudyError where one cannot be read."""
    slug = study.design["evidence"]["taken"]["study"]
    folder = study.folder.parent / slug
    try:
        files = [resource["path"] for resource in json.loads((folder / PACKAGE).read_text("utf-8"))["resources"]]
        return {"study": slug, "files": {file: _fingerprint(folder / file) for file in files}}
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(folder / PACKAGE, "file", None, f"Not readable ({error}). Make the records of {slug!r} first.") from None


def _fingerprint(file: Path) -> str:
    """The checksum of a file, the same on every system."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _field(column: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    marks = spec["mark"] if isinstance(spec["mark"], list) else [spec["mark"]]
    constraints: dict[str, Any] = {"required": True} if spec.get("required") else {}
    if "values" in spec:
        constraints["enum"] = spec["values"]
    constraints |= {bound: spec[bound] for bound in ("minimum", "maximum") if bound in spec}
    field = {"name": column, "type": spec["type"], "title": spec.get("label", column), "description": spec["says"], "mark": marks}
    if "unit" in spec:
        field["unit"] = spec["unit"]
    if "decimals" in spec:
        field["decimals"] = spec["decimals"]
    return field | ({"constraints": constraints} if constraints else {})


def stale(folder: Path | str) -> str | None:
    """Why the records in `folder` are not those of its study.yml, or None where they are.

    Compares the fingerprint of study.yml and the checksum of each CSV with datapackage.json, and of each file of another study whose rows stand here.
    """
    folder = Path(folder)
    called = _called(folder)
    again = f"make them again with: asprinted synthesise {called}"
    back = f"To undo it: git checkout {called}" if _in_repository(folder) else f"To undo it, put back the files of {called} as they were"
    if not (folder / PACKAGE).is_file():
        return f"{folder / PACKAGE} is missing: {again}"
    try:
        whole = json.loads((folder / PACKAGE).read_text("utf-8"))
        if _fingerprint(folder / whole["study"]["file"]) != whole["study"]["sha256"]:
            return f"{folder / 'study.yml'} has changed since the records were made. {back}. If it was meant, {again}"
        for resource in whole["resources"]:
            if not (folder / resource["path"]).is_file():
                return f"{folder / resource['path']}, named in {PACKAGE}, is missing. {back}. Or {again}"
            if f"sha256:{_fingerprint(folder / resource['path'])}" != resource["hash"]:
                return f"{folder / resource['path']} was changed by hand, or a run was killed while it replaced the files: it is not the one that {PACKAGE} was made with. {back}. Or {again}"
        strangers = {file.name for file in folder.glob("*.csv")} - {resource["path"] for resource in whole["resources"]}
        if strangers:
            return f"{folder / min(strangers)} is not in {PACKAGE}: take it away, or name it in study.yml and {again}"
        taken = whole.get("taken", {"study": "", "files": {}})
        for name, fingerprint in taken["files"].items():
            file = folder.parent / taken["study"] / name
            if not file.is_file() or _fingerprint(file) != fingerprint:
                return f"{file}, whose rows stand in the records of {folder}, is not the one that they were made with: {again}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{folder / PACKAGE} cannot be read ({error}): {again}"
    return None


def _called(folder: Path) -> str:
    """What to call a study's folder in a command: from the root of the repository where it is in its data/, else by its path."""
    return f"data/{folder.resolve().name}" if _in_repository(folder) else str(folder)


def _in_repository(folder: Path) -> bool:
    above = folder.resolve().parent
    return above.name == "data" and (above.parent / ".git").exists()
