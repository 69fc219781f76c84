"""The page of corrections: slips in the sources, what only looks like one, and what was corrected in the book itself.

Its words stand in `chapters/corrections.yml`, which says how; its numbers come from the study files and the executed chapters.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from book import glossary, headings, ledger, notebooks
from book.errors import BookError

FILE = "chapters/corrections.yml"
PLACE = "chapters/corrections.md"
VALUE = re.compile(r"\{(printed|turned|said)\}`([\w-]+):([\w.-]+)`")
SLIP = {"id", "title", "claims", "printed", "found", "sure", "fair"}
OWN = {"date", "where", "was", "now"}
PARTS = {"Printed": "printed", "Found": "found", "How sure": "sure", "A fair way to say it": "fair"}
ORDER = ("Printed", "Found", "Evidence", "How sure", "A fair way to say it")
WORDS = """# Corrections

People write sources, and people wrote this book. Both make slips. This page lists those we know: first what does not fit, or could not
be reproduced, in the four sources, the publications read beside them and the example of {{doc}}`bring-your-own-paper`; then what looks
like a slip and is none; then what was wrong
in the book. Each entry says what is printed, what was found, how sure that is, and how it can be told fairly: by quoting what can be read,
and where, without guessing at motives. A slip in a report takes nothing away from the study, nor from the people who took part in it.

## In the sources

{sources}

## What looks like a slip and is none

{none}

## In this book

{book}

If something here strikes you as wrong, unclear or careless, say so; if you have lived experience of what a chapter is about, all the more.
The file `CONTRIBUTING.md` of the repository says how. A correction changes the page, the study file or the records, never one without
the others, and is then listed here with its date, so that whoever has used the old number can see it.
"""


def load(path: Path) -> dict[str, list[dict]]:
    """Return the entries of the file; raise BookError with file, entry, field and remedy if one is not as it should be."""
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise BookError(f"{path.name}: not readable as YAML: {problem}")
    if not isinstance(held, dict) or set(held) != {"sources", "none", "book"} or not all(isinstance(part, list) for part in held.values()):
        raise BookError(f"{path.name}: the file must have the lists sources, none and book (an empty list is []), and nothing else")
    for part, entries in held.items():
        for number, entry in enumerate(entries, 1):
            name, wanted = f"{path.name}: {part}, entry {number}", OWN if part == "book" else SLIP
            if not isinstance(entry, dict) or set(entry) - {"section"} != wanted or (part == "book" and "section" in entry):
                raise BookError(f"{name}: fields {sorted(entry) if isinstance(entry, dict) else entry!r}: write {', '.join(sorted(wanted))}")
            for field, value in entry.items():
                texts = value if field == "claims" and isinstance(value, list) else [value]
                if not texts or not all(isinstance(each, str) and each.strip() for each in texts):
                    raise BookError(f"{name}: field {field}: {value!r}: write {'a list of study:claim' if field == 'claims' else 'a text (a date in quotes)'}")
    return held


def render(root: Path, executed: dict[str, dict]) -> str:
    """Return the page in Markdown; raise BookError where an entry names a claim or a said value that is not there.

    `executed` holds the executed chapters by stem. Entries of a study that no chapter has come to are left out, as in the ledger.
    """
    held, rows = load(root / FILE), {row.claim.address: row for row in ledger.rows(root, executed)}
    studies = {row.study.slug for row in rows.values()}
    values = {("printed", address): row.claim.printed for address, row in rows.items()}
    values |= {("turned", address): turned(row.claim.printed) for address, row in rows.items() if row.claim.kind == "number"}
    values |= {("said", f"{stem}:{name}"): words for stem, chapter in executed.items() for name, words in notebooks.said(chapter).items()}

    def filled(entry: dict, field: str) -> str:
        def value(found: re.Match) -> str:
            kind, address = found[1], f"{found[2]}:{found[3]}"
            if values.get((kind, address)) is None:
                raise BookError(f"{FILE}: {entry.get('id', entry.get('date'))}: field {field}: {found[0]}: nothing of that name is {kind}; see the study file or the chapter")
            return values[kind, address]

        return VALUE.sub(value, " ".join(entry[field].split()))

    def slip(entry: dict) -> str:
        missing = [address for address in entry["claims"] if address not in rows]
        if missing:
            raise BookError(f"{FILE}: {entry['id']}: field claims: {', '.join(missing)}: no study file has it")
        parts = {name: filled(entry, field) for name, field in PARTS.items()}
        section = _section(entry, executed) if "section" in entry else ""
        parts["Evidence"] = evidence([rows[address] for address in entry["claims"]], section)
        return "\n\n".join([f"(correction-{entry['id']})=\n### {entry['title']}", *(f"{name}\n: {parts[name]}" for name in ORDER)])

    told = {part: [slip(entry) for entry in held[part] if _studies(entry) <= studies] for part in ("sources", "none")}
    own = [f"- **{entry['date']}**, {entry['where']}: {entry['was'].strip()} Now: {filled(entry, 'now')}" for entry in held["book"]]
    page = WORDS.format(
        sources="\n\n".join(told["sources"]) or "None so far.",
        none="\n\n".join(told["none"]) or "Nothing so far.",
        book="\n".join(own) or "None so far: since the book was first published, nothing in it has had to be corrected.",
    )
    return glossary.in_page(PLACE, page, glossary.of_book(root))


def _studies(entry: dict) -> set[str]:
    """Return the studies that an entry needs: those of its claims and of the print that it quotes."""
    words = " ".join(entry[field] for field in PARTS.values())
    return {address.partition(":")[0] for address in entry["claims"]} | {found[2] for found in VALUE.finditer(words) if found[1] != "said"}


def turned(printed: str) -> str:
    """Return a printed number with its sign turned, in the minus sign of print."""
    return printed.removeprefix("−") if printed.startswith("−") else f"−{printed.removeprefix('+')}"


def _section(entry: dict, executed: dict[str, dict]) -> str:
    """Return a link to the section of a chapter, in the words of its heading, "" if the chapter is not in the book yet.

    Raise BookError if the chapter has no heading of that address.
    """
    page, _, address = entry["section"].partition("#")
    chapter = executed.get(page.removesuffix(".ipynb"))
    if chapter is None:
        return ""
    words = headings.by_address(chapter).get(address)
    if words is None:
        raise BookError(f"{FILE}: {entry['id']}: field section: {entry['section']!r}: no such heading; write chapter.ipynb#address-of-a-heading")
    return f"[{headings.title(chapter)}, “{words}”]({entry['section']})"


def evidence(rows: list[ledger.Row], section: str) -> str:
    """Return where the evidence stands: a link to the section of a chapter, if there is one, and the rows of the ledger."""
    links = ", ".join(f'<a href="ledger.html#{row.anchor}"><code>{row.claim.id}</code></a>' for row in rows)
    cells = ", with the cells that compute them" if any(row.chapters for row in rows) else ""
    return f"{f'{section}; ' if section else ''}in the ledger {links}{cells}."
