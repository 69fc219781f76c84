"""The page about study.yml: every part and field of it from the schema, examples from the book's own study files, and how each kind is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from book.errors import BookError

EXAMPLE = "tests/papers/wiles-2013/study.yml"  # shown whole
WORDS = "docs/study-file.md"  # what stands there before its marker introduces the page
LONGEST = 90  # characters of an example
ROW = re.compile(r"\| `(?P<name>\w+)`(?P<needed> \(needed\))? \| (?P<holds>(?:\\.|[^|\\])*) \| (?P<says>(?:\\.|[^|\\])*) ?\|$")
ABOUT = """{doc}`bring-your-own-paper` fills in such a file from an abstract; this page is for looking things up. Below are the parts of the file, each with its
fields folded; then {ref}`the statistics <study-file-statistics>` that can be asked for, {ref}`the verdicts <study-file-verdicts>` that a claim may expect, {ref}`the kinds <study-file-kinds>` of designs, outcomes and print, each with the lines
that write it, and {ref}`a whole file <study-file-whole>`. An example beside a field is taken from one of the study files of this book, which can be downloaded whole at {doc}`data-dictionaries`."""
STATISTICS = """(study-file-statistics)=
## Statistics, and what each is

{words}

{lists}"""
VERDICTS = """(study-file-verdicts)=
## The words of a verdict

A claim that comes out as printed needs no `expect`. One that is known not to has `expect` with one of these words, and a `reason`. {ref}`what-each-verdict-means` says when which of them is true."""
KINDS = """(study-file-kinds)=
## Kinds, and how each is written

What stands under `by` belongs to a claim, or to an assumption that is measured; the rest are top parts of the file. Kinds can be put together in one file; where two cannot, it is said."""
WHOLE = """(study-file-whole)=
## A whole file

The numbers of one abstract, written down as a study file: {title}. The people were seen at two visits; the odds ratio at the first is adjusted for the score at
the start, and another, by estimating equations, takes both visits at once. `asprinted check` and `asprinted synthesise` run on it as it stands, and the tests of this book do so.

:::{{dropdown}} The file, from its first line to its last
```yaml
{text}
```
:::"""
REFERENCE = "The parts below, down to the statistics, are written from the schema that every study file is held against."


def render(root: Path, executed: Mapping[str, dict]) -> str:
    """Return the page as Markdown, from the schema, the words before the marker in docs/study-file.md and the study files below `data/`; the chapters do not enter it.

    Raises BookError where the introduction is missing.
    """
    from asprinted import kinds, verdict
    from asprinted.paper import reference
    from asprinted.study import meanings, schema

    head, marker, _ = (root / WORDS).read_text("utf-8").partition(reference.MARKER)
    if not marker:
        raise BookError(f"{WORDS}: marker: not there; put this line where the reference is to begin: {reference.MARKER}")
    title, _, introduction = head.strip().partition("\n")
    shape, loader = schema(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    studies = [yaml.load(file.read_text("utf-8"), loader) for file in sorted(root.glob("data/*/study.yml"))]
    parts = fields(reference.parts(shape), examples(shape, studies))
    statistics = STATISTICS.format(words=reference.OF_STATISTICS, lists="\n\n".join(_statistics(of, names) for of, names in meanings.GROUPS.items()))
    words = (f"`{word}`\n: {words}\n" for word, words in verdict.VERDICTS.items() if word in _words_of(shape, "expect"))
    example = yaml.load((root / EXAMPLE).read_text("utf-8"), loader)
    whole = WHOLE.format(title=example["title"], text=re.sub(r"\n(?=\w)", "\n\n", _yaml(example)))
    return "\n\n".join([title, ABOUT, introduction.strip(), REFERENCE, parts, statistics, VERDICTS, "\n".join(words), KINDS, *map(_kind, kinds.as_rows()), whole]) + "\n"


def examples(schema: Mapping[str, Any], studies: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return an example of every field that a study file has, as YAML on one line, by the title of its part and its name.

    It is the first that is not long; a part with fields of its own has none, as they have theirs.
    """
    found: dict[tuple[str, str], str] = {}
    for study in studies:
        for place, value in _values(schema, schema, study, "the file", ""):
            if place not in found and len(line := f"{place[1]}: {flow(value)}") <= LONGEST:
                found[place] = line
    return found


def fields(markdown: str, examples: Mapping[tuple[str, str], str]) -> str:
    """Return the reference with each table of fields as a folded list: what a field holds, what it is for, an example.

    `markdown` is that of asprinted.paper.reference. A part and a field can be linked to: `study-file-models` by its label, `field-models-family` by its anchor.
    """
    titles = set(re.findall(r"^## (.*)$", markdown, re.M))
    shown = []
    for part in re.split(r"^(?=## )", markdown, flags=re.M):
        title = part.partition("\n")[0].removeprefix("## ")
        lines = part.splitlines()
        rows = [ROW.match(line) for line in lines]
        listed = [place for place, line in enumerate(lines) if line.startswith("|")]
        if not listed:
            shown.append(part.strip())
            continue
        names = [row["name"] for row in rows if row]
        entries = [_entry(title, row, examples.get((title, row["name"])), titles) for row in rows if row]
        level = "###" if " › " in title else "##"
        fold = [f":::{{dropdown}} {', '.join(f'`{name}`' for name in names)}", *entries, ":::"]
        heading = f"{level} {'The file' if title == 'the file' else title}"
        more = "\n".join(lines[listed[-1] + 1 :]).strip().removeprefix("Examples:").strip()
        shown.append("\n".join([f"({_label(title)})=", heading, *lines[1 : listed[0]], *fold, *([f"\n:::{{dropdown}} Examples\n{more}\n:::"] if more else [])]))
    return "\n\n".join(each for each in shown if each)


def flow(value: Any) -> str:
    """Return the value as YAML on one line, texts in quotes where YAML would read them otherwise or they are more than one word."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(name)}: {flow(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w./-]*", value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _values(schema: Mapping[str, Any], node: Mapping[str, Any], value: Any, title: str, path: str) -> Iterator[tuple[tuple[str, str], Any]]:
    """((title of the part, field), value) of every field without fields of its own that `value` has; titles are those of the reference."""
    whole = _resolved(schema, node)
    for each in whole.get("anyOf", ()):
        yield from _values(schema, each, value, title, path)
    if isinstance(value, Mapping) and "properties" in whole:
        for name, part in whole["properties"].items():
            if name in value:
                if not _has_fields(schema, part):
                    yield (title, name), value[name]
                yield from _values(schema, part, value[name], f"{path}{name}", f"{path}{name} › ")
    elif isinstance(value, Mapping) and isinstance(whole.get("additionalProperties"), Mapping):
        for each in value.values():
            yield from _values(schema, whole["additionalProperties"], each, title, path)
    elif isinstance(value, list) and "items" in whole:
        for each in value:
            yield from _values(schema, whole["items"], each, title, path)


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node} if "$ref" in node else node


def _has_fields(schema: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Whether the node, its items or its named entries have fields; those of an alternative form do not count."""
    whole = _resolved(schema, node)
    inside = [whole[key] for key in ("items", "additionalProperties") if isinstance(whole.get(key), Mapping)]
    return "properties" in whole or any(_has_fields(schema, each) for each in inside)


def _words_of(schema: Mapping[str, Any], field: str) -> list[str]:
    """The words that the field of a claim may hold."""
    return schema["$defs"]["claim"]["properties"][field]["enum"]


def _entry(title: str, row: re.Match, example: str | None, titles: set[str]) -> str:
    """A field as an entry of a definition list."""
    below = row["name"] if title == "the file" else f"{title} › {row['name']}"
    if below not in titles:  # a form that two parts share is listed once
        below = next((each for each in sorted(titles) if each.split(" › ")[-1] == row["name"]), "")
    link = f"{{ref}}`fields of its own <{_label(below)}>`" if below else "fields of its own"
    holds = row["holds"].replace("see *by*", "fields, below").replace("a list: fields, below", "a list, each entry with fields, below").replace("name: fields, below", "names, each with fields, below")
    holds = (holds[:1].upper() + holds[1:]).replace("fields, below", link).replace("Fields, below", link.replace("`fields", "`Fields"))
    holds = holds.replace("A statistic, below", "{ref}`A statistic <study-file-statistics>`")
    says = f"{row['says'].strip()[:1].upper()}{row['says'].strip()[1:]}".replace("fields, below", link)
    lines = [f"[`{row['name']}`]{{#{_anchor(title, row['name'])}}}{row['needed'] or ''}", f": {holds}.{f' {says}.' if says else ''}"]
    return "\n".join([*lines, *([f": Such as `{example}`"] if example else []), ""]).replace(r"\|", "|")


def _statistics(of: str, names: Mapping[str, str]) -> str:
    """The statistics of what `by` can name, folded: each with what it is."""
    entries = (f"`{name}`\n: {said[:1].upper()}{said[1:]}.\n" for name, said in names.items())
    return "\n".join([f":::{{dropdown}} Of {of}: {', '.join(f'`{name}`' for name in names)}", *entries, ":::"])


def _kind(row: Mapping[str, str]) -> str:
    """A kind: what it covers, open; how it is written, folded."""
    refused = f"Refused {row['refused']}\n\n" if row["refused"] else ""
    return f"(study-file-kind-{row['name']})=\n:::{{dropdown}} `{row['name']}`: {row['covers']}\n{refused}```yaml\n{_yaml(yaml.safe_load(row['written']))}\n```\n:::"


def _yaml(held: Any) -> str:
    """A part of a study file as it is shown, in lines that fit a page."""
    from asprinted.paper import reference

    return yaml.safe_dump(held, sort_keys=False, default_flow_style=None, allow_unicode=True, width=reference.WIDTH).rstrip()


def _label(title: str) -> str:
    return f"study-file-{_slug(title)}"


def _anchor(title: str, field: str) -> str:
    return f"field-{_slug(title)}-{_slug(field)}"


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.removeprefix("the "))
