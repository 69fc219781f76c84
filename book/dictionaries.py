"""The page of data dictionaries: what every table, column and assumption of every study is, read from the study files and their records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from book import headings, notebooks
from book import studies as loaded
from book.errors import BookError
from book.files import read_json

if TYPE_CHECKING:
    import pandas as pd

    from asprinted.study import Assumption, Study

TYPES = {"string": "text", "integer": "whole number", "number": "number"}
METHODS = {"REML": "restricted maximum likelihood", "ML": "maximum likelihood", "DL": "DerSimonian and Laird’s estimate", "PM": "Paule and Mandel’s estimate", "wald-z": "Wald’s z test and interval"}
HEALTH = "“General health” here is a hidden factor: a number that is drawn for each person and stands in no column. Through it a person’s scores, losses and events hang together."
MARKS = {"S": "printed in the source", "P": "printed in the publication", "C": "calculated from what is printed", "A": "assumed"}
INTRODUCTION = """# Data dictionaries

:::{admonition} Nobody in these records exists
:class: important
Every table below was made by calculation, so that its reanalysis gives the printed numbers of a source. {doc}`how-the-records-were-made` says how, and what such records cannot show.
:::

Here is, for each study, what a row and a column of its tables mean, what was assumed, and which models stand behind its numbers. All of it is written from the study files and the records themselves when the book is built. A column's mark says where its *content* was read: printed, calculated or assumed ({ref}`the marks <what-each-mark-means>`); whose row holds which value is assumed throughout.
"""


def render(root: Path, executed: Mapping[str, dict]) -> str:
    """Return the page as Markdown: a section a study of `data/`, in the order in which the chapters come to them; `executed` holds the chapters by stem.

    Raises BookError where a study file or a record cannot be read.
    """
    from asprinted.study import StudyError

    try:
        known = {study.slug: study for study in loaded.load_all(root)}
        met = (address.partition(":")[0] for notebook in executed.values() for address in notebooks.claims(notebook))
        studies = [known[slug] for slug in dict.fromkeys([*met, *known]) if slug in known]
        sections = [section(study, _chapters_of(study.slug, executed), headings.title(executed[study.slug]) if study.slug in executed else "") for study in studies]
    except StudyError as fault:
        raise BookError(str(fault)) from None
    contents = "\n".join(f"- {{ref}}`{_literal(study.title)} <dictionary-{study.slug}>`" for study in studies)
    return "\n".join([INTRODUCTION, contents, "", *_warnings(studies), *sections])


def section(study: Study, chapters: Iterable[str] = (), name: str = "") -> str:
    """Return the Markdown of one study: what its records are, its tables, rules, assumptions and models.

    `chapters` are the stems of those that use it; `name` tells its tables from those of other studies, in place of its title up to the colon. Raises StudyError where the records cannot be read or do not bear out what is asked of them.
    """
    from asprinted import reanalysis, records

    name = name or study.title.partition(":")[0]
    tables = records.read(study)
    package = read_json(study.folder / records.PACKAGE, {})
    used = ", ".join(f"{{doc}}`{stem}`" for stem in chapters)
    licence = " and ".join(each["title"] for each in package.get("licenses", []))
    about = [
        f"(dictionary-{study.slug})=\n## {_literal(study.title)}\n",
        f"**{_literal(package.get('description', records.NOTICE))}.**\n",
        *([f"Used in\n: {used}\n"] if used else []),
        f"Files\n: {', '.join(_download(study, name) for name in ('study.yml', records.PACKAGE))}\n",
        *([f"Licence of the records\n: {_literal(licence)}\n"] if licence else []),
    ]
    held = {kept.id: kept.found for kept in reanalysis.assumptions_kept(study, tables)}
    assumed = [f"{HEALTH}\n"] if any(key in ("health", "common") for key in _keys(study.design)) else []
    assumed += [line for id, each in study.assumptions.items() for line in _assumption(study, each, held.get(id))]
    rules = [line for name, rule in study.rules.items() for line in _rule(name, rule)]
    models = [line for name, model in study.models.items() for line in _model(name, model)]
    return "\n".join([
        *about,
        *(line for table, frame in tables.items() for line in _table(study, table, frame, name)),
        *_folded("eligibility rule", len(study.rules), "of reviews", rules),
        *_folded("assumption", len(study.assumptions), "of the study", assumed),
        *_folded("model", len(study.models), "behind its numbers", models),
    ])  # fmt: skip


def _chapters_of(slug: str, executed: Mapping[str, dict]) -> list[str]:
    """The stems of the chapters that check a claim of the study."""
    return [stem for stem, notebook in executed.items() if any(address.startswith(f"{slug}:") for address in notebooks.claims(notebook))]


def _keys(entry: object) -> Iterator[str]:
    """Every key of the entry, at every depth."""
    if isinstance(entry, Mapping):
        yield from entry
    for each in entry.values() if isinstance(entry, Mapping) else entry if isinstance(entry, list) else ():
        yield from _keys(each)


def _warnings(studies: Iterable[Study]) -> Iterator[str]:
    """A box for each column of signs that stands in several studies and is not described alike in all of them."""
    found: dict[str, dict[str, list[str]]] = {}
    for study in studies:
        for table, entry in study.tables.items():
            for column, spec in entry["columns"].items():
                if sorted(spec.get("values", ())) == [-1, 1]:
                    found.setdefault(column, {}).setdefault(spec["says"], []).append(f"{{ref}}`{_literal(study.title)} <dictionary-{study.slug}-{table}>`")
    for column, meanings in found.items():
        if len(meanings) > 1:
            lines = (f"- {' and '.join(places)}: {_literal(says)}." for says, places in meanings.items())
            yield "\n".join([f":::{{admonition}} A sign that is not described alike everywhere: `{column}`", ":class: warning", "Read what it says before rows of two studies are put together.\n", *lines, ":::\n"])


def _table(study: Study, name: str, frame: pd.DataFrame, of: str) -> Iterator[str]:
    entry = study.tables[name]
    key = " and ".join(f"`{column}`" for column in entry["key"])
    parent = f" Its `{entry['key'][0]}` is that of {_file(study, entry['parent'])}." if "parent" in entry else ""
    yield f"(dictionary-{study.slug}-{name})=\n### {_literal(entry['file'])} ({_literal(of)})\n"
    yield f"A row is: {_lower(_literal(entry['row']))}. {len(frame):,} rows, {len(entry['columns'])} columns; a row is known by {key}.{parent} Download {_download(study, entry['file'])}.\n"
    yield f":::{{dropdown}} What each column of {_literal(entry['file'])} means"
    for column, spec in entry["columns"].items():
        label = f" {_literal(spec['label'])}" if "label" in spec else ""
        yield f"`{column}`{label}\n: {_literal(spec['says'])}.\n: {_kind(spec, frame[column])} {_missing(spec, frame[column])} {_marks(spec)}\n"
    yield ":::\n"


def _kind(spec: Mapping[str, Any], values: pd.Series) -> str:
    """Type, what values are allowed, and which are met: "Whole number from 18 to 85 years (in the records 23 to 74)."."""
    decimals = spec.get("decimals", 0)
    kind = TYPES[spec["type"]].capitalize() + (f" with {decimals} decimal{'s' if decimals > 1 else ''}" if decimals else "")
    kind += f", the mean of {spec['items']} items," if "items" in spec else ""
    unit = f" {_literal(spec['unit'])}" if "unit" in spec else ""
    if "values" in spec:
        return f"{kind}: {', '.join(_number(str(value)) for value in spec['values'])}{unit}."
    if spec["type"] == "string":
        return f"{kind}, {values.nunique():,} different values." if values.nunique() > 1 else f"{kind}, the same in every row that has it."
    met = " to ".join(_number(f"{value:.{decimals}f}") for value in (values.min(), values.max()))
    low, high = (_number(str(spec[end])) if end in spec else "" for end in ("minimum", "maximum"))
    if low and high:
        return f"{kind} from {low} to {high}{unit} (in the records {met})."
    limit = f" of {low} or more{unit}" if low else f" of {high} or less{unit}" if high else f", in{unit}" if unit else ""
    return f"{kind}{limit} (in the records {met})."


def _missing(spec: Mapping[str, Any], values: pd.Series) -> str:
    if spec.get("required"):
        return "Never missing."
    missing = int(values.isna().sum())
    return f"Missing in {missing:,} of {len(values):,} rows." if missing else "May be missing, and never is."


def _marks(spec: Mapping[str, Any]) -> str:
    marks = [spec["mark"]] if isinstance(spec["mark"], str) else spec["mark"]
    return " and ".join(MARKS[mark] for mark in marks).capitalize() + "."


def _assumption(study: Study, each: Assumption, found: float | None) -> Iterator[str]:
    """What is assumed with its value, its bounds, what the records hold, and the reason."""
    facts, listed = [], ""
    only = each.bounds is not None and each.bounds[0] == each.bounds[1]
    if isinstance(each.value, dict):
        facts = ["Values: the list below."]
        listed = "\n  ".join(f"- {_literal(name)}: {_number(share)}" for name, share in each.value.items())
    elif each.value and not only:
        facts = [f"Value: {'; '.join(_word(word, study) for word in re.split('[;,] ', each.value))}."]
    if each.bounds and found is not None:
        facts.append(_kept(each, found))
    yield f"{_literal(each.says)}\n: {' '.join([*facts, f'`{each.id}`'])}\n: {_literal(each.reason)}.\n" + (f": {listed}\n" if listed else "")


def _word(word: str, study: Study) -> str:
    """A model's name as code, a method in words, a number with a true minus sign, other words as they are."""
    return f"`{word}`" if word in study.models else METHODS.get(word) or _number(word)


def _kept(each: Assumption, found: float) -> str:
    """What the records must hold, and what they do."""
    low, high = map(_number, each.bounds)
    decimals = max(len(bound.partition(".")[2]) for bound in each.bounds) + 1
    shown = _number(f"{found:.{0 if found == int(found) else decimals}f}")
    if low == high:
        return f"Must be {low}; is {shown}."
    if (each.by or {}).get("statistic") == "share_deviation":
        return f"In the records each share may differ from these by {high}; the largest difference is {shown}."
    return f"Bounds: {low} to {high}; in the records: {shown}."


def _rule(name: str, rule: Mapping[str, Any]) -> Iterator[str]:
    """Which rows a review takes, in words and by column."""
    from asprinted.study.rules import in_words

    columns = "; ".join(f"`{column}`: {_literal(in_words(wanted))}" for column, wanted in rule["filter"].items())
    yield f"`{name}`\n: {_literal(rule['says'])}.\n: {columns}.\n"


def _model(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    formula = f" Formula: `{model['formula']}`." if "formula" in model else ""
    instead = f" Tried in place of `{model['instead_of']}`, to see whether it could have printed the same." if "instead_of" in model else ""
    yield f"`{name}`\n: {_literal(model['says'])}.{formula}{instead}\n"


def _folded(what: str, number: int, of: str, lines: list[str]) -> list[str]:
    """The lines in a box that opens; none where there are none."""
    return [f":::{{dropdown}} {number} {what}{'s' if number > 1 else ''} {of}", *lines, ":::\n"] if lines else []


def _download(study: Study, file: str) -> str:
    return f"{{download}}`{file} <../data/{study.slug}/{file}>`"


def _file(study: Study, table: str) -> str:
    return f"`{study.tables[table]['file']}`"


def _number(text: str) -> str:
    """A number with a true minus sign; other words as they are, safe in Markdown."""
    return re.sub(r"^-(?=\d)", "−", text) if re.fullmatch(r"-?[\d.]+", text) else _literal(text)


def _literal(text: str) -> str:
    """Markdown that shows exactly `text`, without a full stop at its end."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~^])", r"\\\1", text.strip().removesuffix("."))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
