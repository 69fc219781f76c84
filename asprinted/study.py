"""study.yml: what a source prints, what is assumed, and how records are to be made; loaded and validated.

Every fault is reported with file, field, value and remedy, before anything else is done.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import math
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
_OF_MODEL = {"est", "se", "lo", "hi", "p"}
_OF_BOUNDED = {"share_at_minimum", "share_at_maximum", "largest_share"}
_OF_NUMBERS = _OF_BOUNDED | {"percent", "mean", "sd", "skewness", "correlation", "icc", "lost_difference", "smallest_sum"}
_ESTIMATORS = {"mixed": ("REML", "ML"), "linear": ("OLS",), "risk-ratio": ("proportions",), "gee-logistic": ("GEE",)}
_COVARIATES = {"whole": ("column", "mean", "sd"), "category": ("column", "shares"), "flags": ("columns", "shares")}
_NEEDS = {"count": (), "duplicates": ()} | {name: ("column", "between") for name in ("correlation", "icc", "lost_difference", "returned")}


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
        """The claim's name across all studies, such as "some-trial:score.change.p"."""
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
            return _number(self.file, ("assumptions", amount, "value"), value)
        known = [*self.claims, *self.assumptions]
        raise StudyError(self.file, "design", amount, f"No claim or assumption of that name holds one number.{_nearest(amount, known)}")

    def shares(self, id: str) -> dict[str, float]:
        """The shares (by category, as fractions) that the assumption `id` holds."""
        value = self.assumptions[id].value if id in self.assumptions else None
        if not isinstance(value, dict):
            raise StudyError(self.file, "assumptions", id, f"Give it a value with one share a category.{_nearest(id, self.assumptions)}")
        return {name: _number(self.file, ("assumptions", id, "value", name), share) for name, share in value.items()}


def load(folder: Path | str) -> Study:
    """The study in `folder`, validated. Raises StudyError (file, field, value, remedy) at the first fault."""
    folder = Path(folder)
    file = folder / "study.yml"
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise StudyError(file, "file", None, f"{error.strerror}. Give a folder that holds a study.yml.") from None
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
    """YAML without surprises: a key given twice or not text is an error, and yes, no, on, off stay words."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text: put it in quotes", key_node.start_mark)
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
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        problem = getattr(error, "problem", None) or (str(error).splitlines() or [type(error).__name__])[0]
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
        of_fields = isinstance(error.instance, dict) and error.validator in ("required", "additionalProperties", "oneOf", "anyOf")
        raise StudyError(file, _path(error), None if of_fields else error.instance, _remedy(error))


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
    if error.validator == "anyOf":
        fields = [repr(name) for each in expected for name in each.get("required", [])]
        return f"Give {' or '.join(fields)}." if fields else f"It must be {error.schema.get('description', 'otherwise')}."
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
            need(table["key"][0], study.tables[table["parent"]]["columns"], "tables", name, "parent")
        for other in study.tables:
            if other != name and study.tables[other]["file"] == table["file"]:
                raise StudyError(file, SEPARATOR.join(("tables", name, "file")), table["file"], f"The table {other!r} has the same file: give each its own.")
    for name, model in study.models.items():
        need(model["table"], study.tables, "models", name, "table")
        if model["family"] in ("mixed", "linear", "gee-logistic") and "formula" not in model:
            raise StudyError(file, SEPARATOR.join(("models", name)), None, "The field 'formula' is missing: add it.")
        if model["family"] in ("mixed", "gee-logistic") and "groups" not in model:
            raise StudyError(file, SEPARATOR.join(("models", name)), None, "The field 'groups' is missing: add it.")
        if model.get("estimator", _ESTIMATORS[model["family"]][0]) not in _ESTIMATORS[model["family"]]:
            raise StudyError(file, SEPARATOR.join(("models", name, "estimator")), model["estimator"], f"The family {model['family']!r} takes {' or '.join(_ESTIMATORS[model['family']])}.")
        if model.get("test") == "t" and model["family"] != "linear":
            raise StudyError(file, SEPARATOR.join(("models", name, "test")), "t", "Only the family 'linear' has a t test here: give wald-z.")
        columns = _columns(study, model["table"])
        if "waves" in model:
            for column in model["waves"]["columns"]:
                need(column, columns, "models", name, "waves", "columns")
            columns = columns | {model["waves"]["time"]: {"values": list(model["waves"]["columns"].values())}}
        if "groups" in model:
            need(model["groups"], columns, "models", name, "groups")
        for contrast, terms in model.get("contrasts", {}).items():
            for column, value in (pair for term in terms for pair in term["at"].items()):
                need(column, columns, "models", name, "contrasts", contrast, "at")
                need(value, columns[column].get("values", [value]), "models", name, "contrasts", contrast, "at", str(column))
    for id, claim in study.claims.items():
        need(claim.source, study.sources, "claims", id, "source")
        if claim.printed is not None and claim.kind in ("number", "inequality"):
            _check_printed(file, claim)
        is_text = (claim.by or {}).get("statistic") == "values"
        if is_text and claim.kind not in ("words", "context"):
            raise StudyError(file, SEPARATOR.join(("claims", id, "by", "statistic")), "values", f"It gives text, for a claim of the kind 'words', not {claim.kind!r}.")
        if claim.declared is not None and claim.kind in ("words", "direction") and not is_text:
            try:
                printed.parse(claim.declared)
            except ValueError as error:
                raise StudyError(file, SEPARATOR.join(("claims", id, "declared")), claim.declared, f'{error}: what is computed is a number, so declare one, such as ">0".') from None
        if claim.expect not in ("reproduced", "holds", "context") and not claim.reason:
            raise StudyError(file, SEPARATOR.join(("claims", id)), None, f"The field 'reason' is missing: a claim expected to be {claim.expect!r} needs one.")
    for id, assumption in study.assumptions.items():
        limits = [_number(file, ("assumptions", id, "bounds"), bound) for bound in assumption.bounds or ()]
        if limits != sorted(limits):
            raise StudyError(file, SEPARATOR.join(("assumptions", id, "bounds")), list(assumption.bounds or ()), "The lower bound comes first.")
        if (assumption.by or {}).get("statistic") == "share_deviation":
            study.shares(id)
    for kind, entries in (("claims", study.claims), ("assumptions", study.assumptions)):
        for id, entry in entries.items():
            if entry.by:
                _check_by(study, entry.by, need, kind, id)
    _check_design(study, need)


def _check_design(study: Study, need: Any) -> None:
    """Raise StudyError where the design names something that is not there, or leaves a column of people unmade."""

    def fault(remedy: str, *where: str) -> StudyError:
        return StudyError(study.file, SEPARATOR.join(("design", *where)), None, remedy)

    people, scores, cells = (study.design.get(part, {}) for part in ("people", "scores", "cells"))
    arms = people.get("arms", {}).get("sizes", {})
    if people:
        need(people["table"], study.tables, "design", "people", "table")
        columns = study.tables[people["table"]]["columns"]
        made = list(study.tables[people["table"]]["key"])
        for name in ("arms", "sites", "groups"):
            if name in people:
                need(people[name]["column"], columns, "design", "people", name, "column")
                made.append(people[name]["column"])
        if "groups" in people:
            need(people["groups"]["arm"], arms, "design", "people", "groups", "arm")
        for number, part in enumerate(people.get("covariates", [])):
            where = ("people", "covariates", str(number))
            for name in _COVARIATES[part["kind"]]:
                if name not in part:
                    raise fault(f"The field {name!r} is missing: add it.", *where)
            for column in part["columns"] if part["kind"] == "flags" else [part["column"]]:
                need(column, columns, "design", *where)
                made.append(column)
                if part["kind"] == "whole" and not {"minimum", "maximum"} <= set(columns[column]):
                    raise fault(f"Give the column {column!r} a minimum and a maximum.", *where)
        for column in columns:
            if column not in made:
                raise fault(f"Nothing makes the column {column!r}: add a covariate, or take the column out.", "people")
    if scores:
        if not people:
            raise fault("Scores belong to people: add 'people'.")
        need(scores["table"], study.tables, "design", "scores", "table")
        need(scores["model"], study.models, "design", "scores", "model")
        columns = study.tables[scores["table"]]["columns"]
        need(scores["visit"], columns, "design", "scores", "visit")
        for month in scores["months"]:
            need(month, columns[scores["visit"]].get("values", [month]), "design", "scores", "months")
        for outcome, entry in scores["outcomes"].items():
            where = ("scores", "outcomes", outcome)
            need(outcome, columns, "design", *where)
            if columns[outcome]["type"] == "string" or not columns[outcome].get("minimum", math.inf) < columns[outcome].get("maximum", -math.inf):
                raise fault(f"The column {outcome!r} must hold numbers between a minimum and a larger maximum.", *where)
            for arm in entry["change"]:
                need(arm, arms, "design", *where, "change")
        for arm, amounts in scores["losses"]["seen"].items():
            need(arm, arms, "design", "scores", "losses", "seen")
            if len(amounts) != len(scores["months"]) - 1:
                raise fault(f"Give {len(scores['months']) - 1} amounts, one for each visit after the first.", "scores", "losses", "seen", arm)
    if cells:
        need(cells["table"], study.tables, "design", "cells", "table")
        columns = study.tables[cells["table"]]["columns"]
        for row in cells["rows"]:
            for column, value in row["values"].items():
                need(column, columns, "design", "cells", "rows")
                need(value, columns[column].get("values", [value]), "design", "cells", "rows", str(column))
        if "free" in cells:
            need(cells["free"]["column"], columns, "design", "cells", "free", "column")


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
    of_model = "model" in by
    for name in ("outcome", "contrast") if of_model else _NEEDS.get(by["statistic"], ("column",)):
        if name not in by:
            raise StudyError(study.file, SEPARATOR.join((*where, "by")), None, f"The field {name!r} is missing: add it.")
    if of_model != (by["statistic"] in _OF_MODEL):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "statistic")), by["statistic"], f"A {'model' if of_model else 'table'} does not give it.")
    if of_model:
        need(by["model"], study.models, *where, "by", "model")
        model = study.models[by["model"]]
        columns = _columns(study, model["table"]) | {model.get("waves", {}).get("outcome", ""): {}}
        need(by["contrast"], model.get("contrasts", {}), *where, "by", "contrast")
        for outcome in [by["outcome"]] if isinstance(by["outcome"], str) else by["outcome"]:
            need(outcome, columns, *where, "by", "outcome")
        return
    need(by["table"], study.tables, *where, "by", "table")
    columns = _columns(study, by["table"])
    if by["statistic"] != "share_deviation" and "column" in by and isinstance(by["column"], list) != (by["statistic"] == "smallest_sum"):
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), by["column"], f"Give {'a list of columns' if by['statistic'] == 'smallest_sum' else 'one column'}.")
    for column in [by["column"]] if isinstance(by.get("column"), str) else by.get("column", []):
        need(column, columns, *where, "by", "column")
        if columns[column]["type"] == "string" and by["statistic"] in _OF_NUMBERS:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"It holds text, of which {by['statistic']!r} cannot be taken.")
        for bound in ("minimum", "maximum") if by["statistic"] in _OF_BOUNDED else ():
            if bound not in columns[column]:
                raise StudyError(study.file, SEPARATOR.join((*where, "by", "column")), column, f"Give that column a {bound!r}.")
    for name in ("filter", "between"):
        for column, wanted in by.get(name, {}).items():
            need(column, columns, *where, "by", name)
            for value in wanted if isinstance(wanted, list) else [wanted]:
                need(value, columns[column].get("values", [value]), *where, "by", name, str(column))
    pairs = list(by.get("between", {"": [0, 0]}).values())
    if len(pairs) != 1 or not isinstance(pairs[0], list) or len(pairs[0]) != 2:
        raise StudyError(study.file, SEPARATOR.join((*where, "by", "between")), by["between"], "Give one column and two of its values.")


def _columns(study: Study, table: str) -> dict[str, dict[str, Any]]:
    """The columns of a table and of the table it belongs to."""
    entry = study.tables[table]
    return (study.tables[entry["parent"]]["columns"] if "parent" in entry else {}) | entry["columns"]


def _number(file: Path, where: tuple[str, ...], text: str) -> float:
    try:
        number = float(Decimal(text))
    except ArithmeticError:
        number = math.nan
    if not math.isfinite(number):
        raise StudyError(file, SEPARATOR.join(where), text, "A number is meant here.")
    return number


def _nearest(name: str, known: Any) -> str:
    names = [str(key) for key in known]
    close = difflib.get_close_matches(str(name), names, 1, 0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}." if names else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
