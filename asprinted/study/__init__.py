"""study.yml: what a source prints, what is assumed, and how records are to be made; loaded and validated.

Every fault is reported with file, field, value and remedy, before anything else is done.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match, relevance

from asprinted.study.entries import RATIO_FAMILIES, SEPARATOR, Assumption, Claim, Faults, Source, Study, StudyError, StudyErrors, nearest, wanted_of
from asprinted.study.families import ESTIMATORS, GIVEN_BY
from asprinted.study.meanings import GROUPS, told
from asprinted.study.references import check_references

__all__ = ["RATIO_FAMILIES", "SEPARATOR", "Assumption", "Claim", "Source", "Study", "StudyError", "StudyErrors", "load", "schema", "wanted_of"]


def load(folder: Path | str) -> Study:
    """The study in `folder`, validated. Raises StudyError (file, field, value, remedy); StudyErrors where several faults can be told apart."""
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
        claims, assumptions, hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest(), rules=data.get("rules", {}),
    )
    check_references(study)
    return study


def _claim(slug: str, id: str, entry: dict[str, Any]) -> Claim:
    usual = {"number": "reproduced", "inequality": "reproduced", "words": "holds", "direction": "holds", "context": "context"}
    rest = {key: value for key, value in entry.items() if key not in ("mark", "expect")}
    return Claim(id=id, study=slug, marks=_marks(entry["mark"]), expect=entry.get("expect", usual[entry["kind"]]), **rest)


def _marks(mark: str | list[str]) -> tuple[str, ...]:
    return (mark,) if isinstance(mark, str) else tuple(mark)


_WHOLE = re.compile(r"0|-?[1-9]\d*")


class _Loader(yaml.SafeLoader):
    """YAML without surprises: a key given twice or not text is an error, and yes, no, on, off stay words.

    A whole number is taken as the text that it is written as where it is a key below the top, as visits are: {0: …} is {"0": …}.
    """

    def construct_document(self, node: yaml.Node) -> Any:
        self._top = node
        return super().construct_document(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # <<: *name, a mapping written once and used again; what stands beside it wins
                continue
            if node is not self._top and key_node.tag == "tag:yaml.org,2002:int" and _WHOLE.fullmatch(key_node.value):
                key_node.tag = "tag:yaml.org,2002:str"
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


@functools.cache
def _validator() -> Draft202012Validator:
    """The validator of the schema with every reference written out, which takes half the time."""

    def written_out(node: Any) -> Any:
        if isinstance(node, list):
            return [written_out(each) for each in node]
        if not isinstance(node, dict):
            return node
        named = written_out(schema()["$defs"][node["$ref"].rpartition("/")[2]]) if "$ref" in node else {}
        return named | {key: written_out(value) for key, value in node.items() if key not in ("$ref", "$defs")}

    return Draft202012Validator(written_out(schema()))


def _validate(file: Path, data: dict[str, Any]) -> None:
    errors, found = list(_validator().iter_errors(data)), Faults()
    by_entry: dict[tuple, list[ValidationError]] = {}
    for error in sorted(errors, key=relevance, reverse=True):
        by_entry.setdefault(tuple(error.absolute_path)[:2], []).append(error)
    said: set[str] = set()
    for each in by_entry.values():
        error = best_match(each)
        of_fields = isinstance(error.instance, dict) and error.validator in ("required", "additionalProperties", "oneOf", "anyOf")
        remedy = _statistics(data, error, said) if error.validator == "enum" and error.absolute_path[-1] == "statistic" else _remedy(error)
        found.found.append(StudyError(file, _path(error), None if of_fields else error.instance, remedy))
    found.told()


def _statistics(data: dict[str, Any], error: ValidationError, said: set[str]) -> str:
    """What to do about a statistic that there is not: those that the table, or the model, gives, each with what it is; a list that was `said` is not given again."""
    if refused := error.schema["refused"].get(str(error.instance)):
        return refused
    by = functools.reduce(lambda node, key: node[key], list(error.absolute_path)[:-1], data)
    models = data["models"] if isinstance(data.get("models"), dict) else {}
    model = next((each for name, each in models.items() if name == by.get("model") and isinstance(each, dict)), {})
    family = str(model.get("family"))
    of = "a table" if "model" not in by else "a pool of trials" if family == "random-effects" else "a model"
    names = [name for name in GROUPS[of] if of != "a model" or family not in ESTIMATORS or family in GIVEN_BY[name]]
    slip = nearest(str(error.instance), names)
    slip = slip if slip.startswith(" Did you mean") else ""
    key = f"{of} {family}"
    if key in said:
        return f"Use one of those listed above.{slip}"
    said.add(key)
    return f"Use one of: {told(names, of)}.{slip}"


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
    expected, refused = error.validator_value, error.schema.get("refused", {})
    if error.validator == "required":
        missing = [name for name in expected if name not in error.instance]
        if missing[0] == "reason" and error.instance.get("kind") in ("words", "direction"):
            return "The field 'reason' is missing: say why the words are read as what is 'declared', such as reason: \"Not significant is read as a p value above the usual level\"."
        if missing[0] == "reason" and error.instance.get("kind") == "context":
            return "The field 'reason' is missing: say why it is not recomputed, such as reason: \"Background: no record holds it.\""
        return f"The field {missing[0]!r} is missing: add it."
    if error.validator == "additionalProperties":
        if _extra(error) in refused:
            return refused[_extra(error)]
        return f"Unknown field.{nearest(_extra(error) or '', error.schema.get('properties', {}))}"
    if error.validator == "type" and expected == "string" and isinstance(error.instance, (int, float)):
        return f'A number where text is meant: put it in quotes as the source prints it, such as "{error.instance}", so that trailing zeros survive.'
    if error.validator == "type":
        return f"It must be of type {expected if isinstance(expected, str) else ' or '.join(expected)}."
    if error.validator == "enum":
        if isinstance(error.instance, str) and error.instance in refused:
            return refused[error.instance]
        known, slip = list(map(str, expected)), nearest(str(error.instance), map(str, expected))
        return f"Use one of: {', '.join(known)}.{slip if slip.startswith(' Did you mean') else ''}"
    if error.validator == "pattern":
        return f"It must match the pattern of {error.schema['said']}, such as {_matching(expected, str(error.instance)) or error.schema['like']}."
    if error.validator == "oneOf" and "statistic" in error.schema.get("properties", {}):
        return "Give either 'model' or 'table', not both."
    if error.validator == "anyOf":
        fields = [repr(name) for each in expected for name in each.get("required", [])]
        return f"Give {' or '.join(fields)}." if fields else f"It must be {error.schema.get('description', 'otherwise')}."
    return error.message[:200] + "."


def _matching(pattern: str, text: str) -> str:
    """The text as the pattern has it, by small changes; empty where they do not lead there."""
    plain = re.sub(r"[^a-z0-9_.]+", "_", text.lower()).strip("_.")
    tried = (plain, plain.replace("_", ".", 1), f"{plain}.n", plain.replace(".", "_"), plain.replace("_", "-"), f"{plain}.csv")
    return next((each for each in tried if re.fullmatch(pattern, each)), "")
