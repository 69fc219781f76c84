"""study.yml: what a source prints, what is assumed, and how records are to be made; loaded and validated.

Every fault is reported with file, field, value and remedy, before anything else is done.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from asprinted import printed

SEPARATOR = " › "


class StudyError(ValueError):
    """A fault in a study file or its records: file, field, value and remedy."""

    def __init__(self, file: Path | str, where: str, value: Any, remedy: str):
        self.file, self.field, self.value, self.remedy = str(file), where, value, remedy
        shown = "" if value is None else f": {_short(value)}"
        super().__init__(f"{file}: {where}{shown}. {remedy}")


@dataclass(frozen=True)
class Source:
    """One document that was read."""

    id: str
    reference: str
    read: str
    cite: str | None = None
    doi: str | None = None
    pmid: str | None = None
    registration: str | None = None


@dataclass(frozen=True)
class Claim:
    """One printed number, or one statement in words, with the way it is to be recomputed.

    kind: number, inequality, words, direction or context. by: how it is computed from the records
    (None for context). printed: the source's text; declared: what words are taken to mean.
    """

    id: str
    study: str
    says: str
    kind: str
    marks: tuple[str, ...]
    source: str
    where: str
    expect: str
    printed: str | None = None
    declared: str | None = None
    rounding: str = "half-up"
    by: dict[str, Any] | None = None
    reason: str = ""

    @property
    def address(self) -> str:
        """The claim's name across all studies, such as "harp-trial:pcs.change.p"."""
        return f"{self.study}:{self.id}"

    @property
    def anchor(self) -> str:
        """The claim's HTML id."""
        return f"claim-{self.study}-{self.id.replace('.', '-').replace('_', '-')}"


@dataclass(frozen=True)
class Assumption:
    """Something neither the source nor the publication prints: a value, bounds, or both, with a reason."""

    id: str
    says: str
    reason: str
    value: str | dict[str, str] | None = None
    bounds: tuple[str, str] | None = None
    marks: tuple[str, ...] = ("A",)
    by: dict[str, Any] | None = None


@dataclass(frozen=True)
class Study:
    """One study file: `folder` is where it and its records stand, `slug` the folder's name."""

    folder: Path
    title: str
    sources: dict[str, Source]
    tables: dict[str, dict[str, Any]]
    design: dict[str, Any]
    models: dict[str, dict[str, Any]]
    claims: dict[str, Claim]
    assumptions: dict[str, Assumption]
    fingerprint: str = field(default="", compare=False)

    @property
    def slug(self) -> str:
        return self.folder.name

    @property
    def file(self) -> Path:
        return self.folder / "study.yml"

    def claim(self, id: str) -> Claim:
        """The claim called `id` (with or without "slug:"). Raises StudyError with the nearest name."""
        short = id.removeprefix(f"{self.slug}:")
        if short not in self.claims:
            raise StudyError(self.file, "claims", id, f"No such claim.{_nearest(short, self.claims)}")
        return self.claims[short]

    def number(self, amount: int | str) -> float:
        """The number that a design entry means: itself, or that of the claim or assumption it names."""
        if isinstance(amount, (int, float)):
            return amount
        if amount in self.claims and self.claims[amount].printed is not None:
            return float(printed.parse(self.claims[amount].printed).value)
        value = self.assumptions[amount].value if amount in self.assumptions else None
        if isinstance(value, str):
            return float(Decimal(value))
        known = [*self.claims, *self.assumptions]
        raise StudyError(self.file, "design", amount, f"No claim or assumption of that name holds one number.{_nearest(amount, known)}")

    def shares(self, id: str) -> dict[str, float]:
        """The shares (by category, as fractions) that the assumption `id` holds."""
        value = self.assumptions[id].value if id in self.assumptions else None
        if not isinstance(value, dict):
            raise StudyError(self.file, "assumptions", id, f"Give it a value with one share a category.{_nearest(id, self.assumptions)}")
        return {name: float(share) for name, share in value.items()}


def load(folder: Path | str) -> Study:
    """The study in `folder`, validated. Raises StudyError (file, field, value, remedy) at the first fault."""
    folder = Path(folder)
    file = folder / "study.yml"
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise StudyError(file, "file", error.strerror, "Give a folder that holds a study.yml.") from None
    data = _parse(file, raw)
    _validate(file, data)
    sources = {entry["id"]: Source(**entry) for entry in data["sources"]}
    claims = {id: _claim(folder.resolve().name, id, entry) for id, entry in data["claims"].items()}
    assumptions = {
        id: Assumption(
            id,
            marks=_marks(entry.get("mark", "A")),
            bounds=tuple(entry["bounds"]) if "bounds" in entry else None,
            **{key: entry[key] for key in ("says", "reason", "value", "by") if key in entry},
        )
        for id, entry in data["assumptions"].items()
    }
    study = Study(
        folder.resolve(), data["title"], sources, data["tables"], data["design"], data["models"],
        claims, assumptions, hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest(),
    )
    _check_references(study, file)
    return study


def _claim(slug: str, id: str, entry: dict[str, Any]) -> Claim:
    usual = {"number": "reproduced", "inequality": "reproduced", "words": "holds", "direction": "holds", "context": "context"}
    rest = {key: value for key, value in entry.items() if key not in ("mark", "expect")}
    return Claim(id=id, study=slug, marks=_marks(entry["mark"]), expect=entry.get("expect", usual[entry["kind"]]), **rest)


def _marks(mark: str | list[str]) -> tuple[str, ...]:
    return (mark,) if isinstance(mark, str) else tuple(mark)


class _Loader(yaml.SafeLoader):
    """YAML without surprises: a key given twice is an error, and yes, no, on, off stay words."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, (str, int, float, bool)):
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not a name", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def _parse(file: Path, raw: bytes) -> dict[str, Any]:
    try:
        data = yaml.load(raw.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise StudyError(file, f"byte {error.start}", None, "The file is not UTF-8: save it as UTF-8.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise StudyError(file, where, None, f"Not readable as YAML: {problem}. Check indentation, colons and quotes there.") from None
    if not isinstance(data, dict):
        raise StudyError(file, "file", data, "The file must hold the top keys schema, title, sources, tables, design, models, claims, assumptions.")
    return data


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema of study.yml."""
    return json.loads(resources.files("asprinted").joinpath("study.schema.json").read_text("utf-8"))


def _validate(file: Path, data: dict[str, Any]) -> None:
    error = best_match(Draft202012Validator(schema()).iter_errors(data))
    if error is not None:
        raise StudyError(file, _path(error), error.instance if error.validator not in ("required", "additionalProperties") else None, _remedy(error))


def _path(error: ValidationError) -> str:
    parts = [str(part) for part in error.absolute_path]
    if error.validator == "additionalProperties" and (extra := _extra(error)):
        parts.append(extra)
    return SEPARATOR.join(parts) or "file"


def _extra(error: ValidationError) -> str | None:
    known = error.schema.get("properties", {})
    return next((str(key) for key in error.instance if key not in known), None)


def _remedy(error: ValidationError) -> str:
    """What to do about a schema error, in a sentence."""
    expected = error.validator_value
    if error.validator == "required":
        missing = [name for name in expected if name not in error.instance]
        return f"The field {missing[0]!r} is missing: add it."
    if error.validator == "additionalProperties":
        return f"Unknown field.{_nearest(_extra(error) or '', error.schema.get('properties', {}))}"
    if error.validator == "type" and expected == "string" and isinstance(error.instance, (int, float)):
        return f'A number where text is meant: put it in quotes as the source prints it, such as "{error.instance}", so that trailing zeros survive.'
    if error.validator == "type":
        return f"It must be of type {expected if isinstance(expected, str) else ' or '.join(expected)}."
    if error.validator == "enum":
        return f"Use one of: {', '.join(map(str, expected))}.{_nearest(str(error.instance), map(str, expected))}"
    if error.validator == "pattern":
        return f"It must match the pattern {expected}: lower case, digits and underscores, parts joined by full stops where it is a path."
    if error.validator == "oneOf" and "statistic" in error.schema.get("properties", {}):
        return "Give either 'model' or 'table', not both."
    return error.message[:200] + "."


def _check_references(study: Study, file: Path) -> None:
    """Raise StudyError where an entry names something that is not there."""

    def need(name: Any, known: Any, *where: str) -> None:
        if name not in known:
            raise StudyError(file, SEPARATOR.join(where), name, f"Nothing of that name.{_nearest(str(name), known)}")

    for name, table in study.tables.items():
        for column in table["key"]:
            need(column, table["columns"], "tables", name, "key")
        if "parent" in table:
            need(table["parent"], study.tables, "tables", name, "parent")
    for name, model in study.models.items():
        need(model["table"], study.tables, "models", name, "table")
        if model["family"] in ("mixed", "linear", "gee-logistic") and "formula" not in model:
            raise StudyError(file, SEPARATOR.join(("models", name)), None, "The field 'formula' is missing: add it.")
        if model["family"] in ("mixed", "gee-logistic") and "groups" not in model:
            raise StudyError(file, SEPARATOR.join(("models", name)), None, "The field 'groups' is missing: add it.")
    for id, claim in study.claims.items():
        need(claim.source, study.sources, "claims", id, "source")
        if claim.printed is not None and claim.kind in ("number", "inequality"):
            _check_printed(file, claim)
        if claim.declared is not None and claim.kind == "direction":
            try:
                printed.parse(claim.declared)
            except ValueError as error:
                raise StudyError(file, SEPARATOR.join(("claims", id, "declared")), claim.declared, f'{error}: a direction reads like ">0".') from None
        if claim.expect not in ("reproduced", "holds", "context") and not claim.reason:
            raise StudyError(file, SEPARATOR.join(("claims", id)), None, f"The field 'reason' is missing: a claim expected to be {claim.expect!r} needs one.")
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if entry.by:
                _check_by(study, entry.by, need, kind, id)
    people = study.design.get("people")
    if people:
        need(people["table"], study.tables, "design", "people", "table")
    scores = study.design.get("scores")
    if scores:
        need(scores["table"], study.tables, "design", "scores", "table")
        need(scores["model"], study.models, "design", "scores", "model")
        for outcome in scores["outcomes"]:
            need(outcome, study.tables[scores["table"]]["columns"], "design", "scores", "outcomes", outcome)
    cells = study.design.get("cells")
    if cells:
        need(cells["table"], study.tables, "design", "cells", "table")


def _check_printed(file: Path, claim: Claim) -> None:
    where = SEPARATOR.join(("claims", claim.id, "printed"))
    try:
        number = printed.parse(claim.printed, claim.rounding)
    except ValueError as error:
        raise StudyError(file, where, claim.printed, f"{error}.") from None
    if (number.relation != "=") != (claim.kind == "inequality"):
        kind = "inequality" if number.relation != "=" else "number"
        raise StudyError(file, where, claim.printed, f"This text is of the kind {kind!r}: change 'kind'.")


def _check_by(study: Study, by: dict[str, Any], need: Any, *where: str) -> None:
    outcomes = [by["outcome"]] if isinstance(by.get("outcome"), str) else by.get("outcome", [])
    if "model" in by:
        need(by["model"], study.models, *where, "by", "model")
        model = study.models[by["model"]]
        columns = _columns(study, model["table"]) | {model.get("waves", {}).get("outcome", "")}
        if "contrast" in by:
            need(by["contrast"], model.get("contrasts", {}), *where, "by", "contrast")
        for outcome in outcomes:
            need(outcome, columns, *where, "by", "outcome")
    else:
        need(by["table"], study.tables, *where, "by", "table")
        named = [by["column"]] if isinstance(by.get("column"), str) else by.get("column", [])
        for column in [*named, *by.get("filter", {}), *by.get("between", {})]:
            need(column, _columns(study, by["table"]), *where, "by", "column")


def _columns(study: Study, table: str) -> set[str]:
    """The columns of a table and of the table it belongs to."""
    entry = study.tables[table]
    own = set(entry["columns"])
    return own | set(study.tables[entry["parent"]]["columns"]) if "parent" in entry else own


def _nearest(name: str, known: Any) -> str:
    names = [str(key) for key in known]
    close = difflib.get_close_matches(str(name), names, 1, 0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}." if names else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
