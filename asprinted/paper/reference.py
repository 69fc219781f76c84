"""The reference of study.yml, made from its schema: a section for each part, a line for each field; and what each statistic is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from asprinted.study import StudyError
from asprinted.study.meanings import GROUPS

MARKER = "<!-- from here on made by: asprinted schema --markdown docs/study-file.md -->"
WIDTH = 48  # of a line of an example, from which on YAML breaks it, so that a page 1280 pixels wide shows it whole
SHORT = {
    "text": "text", "name": "a name", "path": "an id", "amount": "a whole number, or an id", "share": "a number from 0, or an id", "mark": "a mark", "marks": "a mark, or a list of marks",
    "pair": "two columns", "amounts": "name: a whole number, or an id", "filter": "column: what is wanted", "ruled": "a rule, or a list of rules", "start": "an id; or arm: id; or visit: either",
    "monthly": "visit: an id, or arm: id", "by": "see *by*",
}  # fmt: skip

OF_STATISTICS = """What `statistic` asks for depends on what `by` names: a table, whose rows are described; a model, whose contrast or test is asked; or a pool of
trials, a model of the family `random-effects`. One name can stand in two of these lists, and is another number there. `asprinted kinds --statistics`
says also which families of models give each."""

Node = Mapping[str, Any]


def markdown(schema: Node) -> str:
    """The sections of every part, in the order of the schema, and the statistics, as Markdown."""
    return f"{parts(schema)}\n{statistics()}"


def statistics() -> str:
    """The section that says what each statistic is, as Markdown: a list for each of what `by` can name."""
    lists = ("\n".join([f"Of {of}:", "", *(f"- `{name}`: {said}" for name, said in names.items())]) for of, names in GROUPS.items())
    return "\n\n".join(["## statistics", OF_STATISTICS, *lists]) + "\n"


def parts(schema: Node) -> str:
    """The sections of every part, in the order of the schema, as Markdown."""
    lines: list[str] = []
    for title, node, examples in _sections(schema, schema, "the file", "", set()):
        needed = set(node.get("required", ()))
        lines += [f"## {title}", ""]
        lines += [f"{node['description'][0].upper()}{node['description'][1:]}.", ""] if "description" in node else []
        lines += ["| field | holds | |", "|---|---|---|"]
        for name, part in node["properties"].items():
            lines.append(f"| `{name}`{' (needed)' if name in needed else ''} | {_cell(_holds(schema, part))} | {_cell(_says(schema, part))} |")
        lines.append("")
        lines += [*_shown(examples), ""] if examples else []
    return "\n".join(lines).rstrip() + "\n"


def rewrite(file: Path, schema: Node) -> bool:
    """Whether the page changed: what follows its marker is made anew. Raises StudyError where it has no marker."""
    text = file.read_text("utf-8")
    head, marker, _ = text.partition(MARKER)
    if not marker:
        raise StudyError(file, "marker", None, f"Put this line where the reference is to begin: {MARKER}")
    whole = f"{head}{MARKER}\n\n{markdown(schema)}"
    if whole != text:
        file.write_bytes(whole.encode("utf-8"))
    return whole != text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _resolved(schema: Node, node: Node) -> Node:
    """The node with what it refers to, its own fields first."""
    return {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node} if "$ref" in node else node


def _shown(examples: Sequence[Any]) -> list[str]:
    """The examples of a part as one block of YAML."""
    return ["Examples:", "", "```yaml", *(yaml.safe_dump(each, sort_keys=False, allow_unicode=True, default_flow_style=None, width=WIDTH).rstrip("\n") for each in examples), "```"]


def _sections(schema: Node, node: Node, title: str, path: str, seen: set[str], examples: Sequence[Any] = ()) -> Iterator[tuple[str, Node, Sequence[Any]]]:
    """(title, object, examples) of every object with fields below `node`, each shared definition once; examples of a list or a map are shown with its parts."""
    if (shared := node.get("$ref", "").rpartition("/")[2]) in SHORT and shared not in ("by", "filter") or shared in seen:
        return
    seen |= {shared} if shared else set()
    whole = _resolved(schema, node)
    examples = whole.get("examples", examples)
    if "properties" in whole:
        yield title, whole, examples
        for name, part in whole["properties"].items():
            yield from _sections(schema, part, f"{path}{name}", f"{path}{name} › ", seen)
    for each in whole.get("anyOf", ()):
        yield from _sections(schema, each, title, path, seen, examples)
    for inside in ("items", "additionalProperties"):
        if isinstance(whole.get(inside), Mapping):
            yield from _sections(schema, whole[inside], title, path, seen, examples)


def _holds(schema: Node, node: Node) -> str:
    """What a field can hold, in a few words."""
    shared = node.get("$ref", "").rpartition("/")[2]
    if shared in SHORT:
        return SHORT[shared]
    whole = _resolved(schema, node)
    if "properties" in whole:
        return "fields, below"
    if set(whole.get("enum", ())) == {name for names in GROUPS.values() for name in names}:
        return "a statistic, below"
    if "enum" in whole:
        return ", ".join(f"`{each}`" for each in whole["enum"])
    if "const" in whole:
        return f"`{whole['const']}`"
    if "anyOf" in whole:
        return "; or ".join(dict.fromkeys(_holds(schema, each) for each in whole["anyOf"]))
    kind = whole.get("type")
    if kind == "array":
        return f"a list: {_holds(schema, whole.get('items', {}))}"
    if kind == "object":
        inside = whole.get("additionalProperties")
        return f"name: {_holds(schema, inside)}" if isinstance(inside, Mapping) else "column: value"
    words = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return " or ".join(words.get(each, each) for each in ([kind] if isinstance(kind, str) else kind or ["anything"]))


def _says(schema: Node, node: Node) -> str:
    """The description of a field; that of the list or the part behind it where it has none of its own."""
    if "description" in node:
        return node["description"]
    shared = node.get("$ref", "").rpartition("/")[2]
    return "" if shared in SHORT or "properties" in _resolved(schema, node) else _resolved(schema, node).get("description", "")
