"""What stands around every chapter: at its top how many of its claims came back, and with what; at its end how to cite it."""

from __future__ import annotations

import html
import importlib.metadata
import platform
import re
from functools import cache

from book import notebooks
from book.edition import Edition

IMPORTED = re.compile(r"^(?:import|from) +(\w+)", re.M)
OURS = "asprinted"
WORDS = "how-to-use-this-book.html#what-each-verdict-means"
COUNTED = {  # one of a verdict, and several, where its words in the ledger do not bear a count before them
    "holds": ("claim in words or with a limit is true of the records", "claims in words or with a limit are true of the records"),
    "upstream-rounding": ("differs by upstream rounding", "differ by upstream rounding"),
    "method": ("differs by method", "differ by method"),
    "definition": ("differs by definition", "differ by definition"),
    "misprint": ("misprint in the source", "misprints in the source"),
    "misreported": ("in which the source misreports the publication",) * 2,
}


def in_notebook(notebook: dict, stem: str, chapter: dict, edition: Edition | None, ledger: bool) -> dict:
    """Return `notebook` with its badge below the title and, where there is an edition, how to cite it at the end.

    `chapter` is the executed notebook; `ledger` says whether the book has a ledger to link to.
    """
    title = whole_title(chapter)
    cells = list(notebook["cells"])
    place = next((place for place, cell in enumerate(cells) if cell["cell_type"] == "markdown" and _TITLE.search(notebooks.text(cell["source"]))), None)
    if place is None:
        return notebook
    words = badge(stem, chapter, edition, ledger)
    told = _TITLE.sub(lambda found: f"{found[0]}\n\n{words}\n", notebooks.text(cells[place]["source"]), count=1)
    cells[place] = {**cells[place], "source": told}
    if edition:
        cells.append({"cell_type": "markdown", "id": "cite-this-chapter", "metadata": {}, "source": cite(edition, title, f"chapters/{stem}.html")})
    return {**notebook, "cells": cells}


_TITLE = re.compile(r"^# (.+)$", re.M)


def whole_title(notebook: dict) -> str:
    """Return the notebook's first heading, without marks of emphasis."""
    found = next((found for cell in notebook["cells"] if cell["cell_type"] == "markdown" and (found := _TITLE.search(notebooks.text(cell["source"])))), None)
    return re.sub(r"[*`]", "", found[1]).strip() if found else "Untitled"


def badge(stem: str, chapter: dict, edition: Edition | None, ledger: bool) -> str:
    """Return the badge as HTML that Markdown takes as it is: claims reproduced of all, the edition, versions; a link to the chapter's rows."""
    counts = notebooks.verdicts(chapter)
    parts = []
    if counts:
        parts.append(f'<p class="badge-claims">{_counted(counts)}{_link(stem) if ledger else ""}</p>')
    on = f"Edition {html.escape(edition.version)} of {edition.day}. " if edition else ""
    parts.append(f'<p class="badge-made">{on}Computed with {html.escape(", ".join(versions(chapter)))}.</p>')
    return f'<div class="chapter-badge" role="note" aria-label="How this chapter was checked">{"".join(parts)}</div>'


def _counted(counts: dict[str, int]) -> str:
    from asprinted.verdict import VERDICTS

    good, total = counts["reproduced"] + counts["holds"], sum(counts.values())
    each = "; ".join(f"{number} {COUNTED.get(name, (VERDICTS.get(name, name),) * 2)[number != 1]}" for name, number in counts.most_common())
    sign = '<span aria-hidden="true">✓</span> ' if good == total else ""
    return f'<strong>{sign}{good} of {total} claim{"" if total == 1 else "s"} reproduced</strong>: {html.escape(each)}.'


def _link(stem: str) -> str:
    return f' <a href="ledger.html?chapter={stem}">See them in the ledger</a>, or <a href="{WORDS}">what these words mean</a>.'


def versions(chapter: dict) -> list[str]:
    """Return Python and the packages that the chapter imports, each with its version, in the order in which they are imported."""
    code = "\n".join(notebooks.text(cell["source"]) for cell in notebooks.code_cells(chapter))
    found = [f"Python {platform.python_version()}"]
    for module in dict.fromkeys(IMPORTED.findall(code)):
        for package in _packages().get(module, [])[:1] if module != OURS else ():
            found.append(f"{package} {importlib.metadata.version(package)}")
    return list(dict.fromkeys(found))


@cache
def _packages() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def cite(edition: Edition, title: str, place: str) -> str:
    """Return the part on how to cite the chapter, in Markdown; each form is a block of code, which has a button that copies it."""
    return "\n".join([
        "## Cite this chapter", "",
        "If you use this chapter, its records or its code, please cite it. If you use a result of a study, cite the study.", "",
        "```{code-block} text", edition.cited(title, place), "```", "",
        "```{code-block} bibtex", edition.bibtex(title, place), "```", "",
    ])  # fmt: skip
