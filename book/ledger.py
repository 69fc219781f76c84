"""The ledger: every claim of every study, with what the chapters made of it, as rows and as files for programs.

Nothing is computed here. What a claim says stands in its study file, what it came to in the output of the cell that checked it.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from book import notebooks, studies
from book.errors import BookError

if TYPE_CHECKING:
    from asprinted.study import Claim, Study
    from asprinted.verdict import Verdict

SCHEMA = 1  # of ledger.json; it grows by one where a field is renamed or taken away


@dataclass(frozen=True)
class Row:
    """One claim with its study, its verdict, and the chapters (by stem) whose cells checked it: the study's own first, none for context."""

    study: Study
    claim: Claim
    verdict: Verdict
    chapters: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """The row's HTML id on the ledger page."""
        return notebooks.ledger_anchor(self.claim.anchor)

    @property
    def cells(self) -> tuple[str, ...]:
        """Where the claim was checked, as addresses beside the ledger page."""
        return tuple(f"{stem}.html#{self.claim.anchor}" for stem in self.chapters)


def rows(root: Path, executed: dict[str, dict]) -> list[Row]:
    """Return a row for every claim, studies in the order in which the chapters come to them, claims as in the study file.

    `executed` holds the executed chapters by stem, in reading order. A study that no chapter has come to is left out. Raises
    BookError, with every claim at fault, where the chapters of a study pass over a claim, check one that no study has, or
    come to different values.
    """
    from asprinted import verdict

    checked = {stem: notebooks.claims(chapter) for stem, chapter in executed.items()}
    held: dict[str, dict] = {}
    for claims in checked.values():
        held = claims | held
    known = {study.slug: study for study in studies.load_all(root)}
    slugs = list(dict.fromkeys(address.partition(":")[0] for claims in checked.values() for address in claims))
    _without_faults(known, checked, held)
    found = []
    for study in (known[slug] for slug in slugs):
        of_study = Counter({stem: sum(address.startswith(f"{study.slug}:") for address in claims) for stem, claims in checked.items()})
        own_first = [stem for stem, _ in of_study.most_common()]
        for claim in study.claims.values():
            chapters = tuple(stem for stem in own_first if claim.address in checked[stem])
            judged = verdict.Verdict(**held[claim.address]) if chapters else verdict.judge(claim)
            found.append(Row(study, claim, judged, chapters))
    return found


def _without_faults(known: dict[str, Study], checked: dict[str, dict[str, dict]], held: dict[str, dict]) -> None:
    """Raise BookError where chapters and study files do not fit each other."""
    faults = []
    for study in known.values():
        missing = [claim.address for claim in study.claims.values() if claim.kind != "context" and claim.address not in held]
        if missing and any(address.startswith(f"{study.slug}:") for address in held):
            faults.append(f"data/{study.slug}/study.yml: no chapter checks {', '.join(missing)}: check each in a cell, or make it context with a reason")
    addresses = {claim.address for study in known.values() for claim in study.claims.values()}
    for stem, claims in checked.items():
        for address, found in claims.items():
            if address not in addresses:
                faults.append(f"chapters/{stem}.ipynb: checks {address}, which no study file has: add it there, or take the check away")
            elif found["computed"] != held[address]["computed"]:
                faults.append(f"chapters/{stem}.ipynb: {address} comes to {found['computed']}, in another chapter to {held[address]['computed']}: compute it the same way")
    if faults:
        raise BookError("The ledger cannot be written.\n" + "\n".join(faults))


def left_out(root: Path, found: list[Row]) -> list[str]:
    """Return the studies that no chapter has come to, by name of their folder."""
    return [study.slug for study in studies.load_all(root) if study.slug not in {row.study.slug for row in found}]


def counts(found: list[Row]) -> dict[str, dict[str, int]]:
    """Return how many rows have each verdict, study, chapter and kind; a claim that several chapters check counts for each of them."""
    return {
        "verdict": dict(Counter(row.verdict.verdict for row in found).most_common()),
        "study": dict(Counter(row.study.slug for row in found)),
        "chapter": dict(Counter(stem for row in found for stem in row.chapters)),
        "kind": dict(Counter(row.claim.kind for row in found).most_common()),
    }


def how(row: Row) -> str:
    """Return how the claim is recomputed: the model in the study file's words, or the table, and what is taken from it; "" for context."""
    by = row.claim.by or {}
    taken = "; ".join(f"{key.replace('_', ' ')}: {_flat(value)}" for key, value in by.items() if key not in ("model", "table"))
    if "model" in by:
        return f"{row.study.models[by['model']]['says']} ({taken})"
    return f"{row.study.tables[by['table']]['file']} ({taken})" if "table" in by else taken


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_flat(each)}" for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def flat(row: Row) -> dict[str, str]:
    """Return the row as the downloads hold it, every field a text."""
    from asprinted.verdict import VERDICTS

    source = row.study.sources[row.claim.source]
    return {
        "id": row.claim.address,
        "study": row.study.slug,
        "says": row.claim.says,
        "kind": row.claim.kind,
        "marks": " ".join(row.claim.marks),
        "source": source.id,
        "reference": source.reference,
        "doi": source.doi or "",
        "where": row.claim.where,
        "printed": row.verdict.printed,
        "computed": row.verdict.computed,
        "verdict": row.verdict.verdict,
        "verdict_in_words": VERDICTS[row.verdict.verdict],
        "decision": row.verdict.decision,
        "reason": row.verdict.reason,
        "how": how(row),
        "row": f"ledger.html#{row.anchor}",
        "cells": " ".join(row.cells),
    }


def as_csv(root: Path, executed: dict[str, dict]) -> str:
    """Return the ledger as CSV (RFC 4180), a line a claim below a line of names."""
    lines = [flat(row) for row in rows(root, executed)]
    file = io.StringIO()
    if lines:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return file.getvalue()


def as_json(root: Path, executed: dict[str, dict]) -> str:
    """Return the ledger as JSON: version of its schema, titles of the studies, counts, and the claims in order."""
    found = rows(root, executed)
    titles = {row.study.slug: row.study.title for row in found}
    held = {"schema": SCHEMA, "studies": titles, "counts": {"total": len(found)} | counts(found), "claims": [flat(row) for row in found]}
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"
