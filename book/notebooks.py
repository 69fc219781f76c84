"""Notebooks as plain JSON: their outputs, and the claims and said values that the outputs carry."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import Iterator

from book.errors import BookError
from book.files import write_whole

CLAIM = "application/vnd.asprinted.claim+json"
SAID = "application/papermill.record/"
CLAIM_ROW = re.compile(r'(?P<before><tr id="(?P<anchor>claim-[\w-]+)".*?)(?P<code><code>[^<]*</code>)', re.DOTALL)
PRINTED = re.compile(r"\[[^\]]*\]\([^)]*\)|\{glue:text\}`(?P<name>printed_\w+)`")  # a link is met whole, and left as it is
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def read(path: Path) -> dict:
    """Return the notebook at `path`; raise BookError if it is not one."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BookError(f"{path.name}: not a readable notebook: {problem}")
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise BookError(f"{path.name}: field cells is missing; save the notebook again as nbformat 4")
    return notebook


def write(path: Path, notebook: dict) -> bool:
    """Return whether the file changed: keys in fixed order, indented by one, as Jupyter writes it."""
    return write_whole(path, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def text(parts: str | list[str]) -> str:
    """Return a text that a notebook may hold as one string or as a list of lines."""
    return parts if isinstance(parts, str) else "".join(parts)


def code_cells(notebook: dict) -> list[dict]:
    """Return the code cells in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def with_outputs(source: dict, executed: dict) -> dict:
    """Return `source` with the outputs and execution counts of `executed`, which has the same code cells.

    What varies from run to run or machine to machine (time stamps, versions) is left out.
    """
    ran = iter(code_cells(executed))
    cells = []
    for cell in source["cells"]:
        cell = {**cell, "metadata": {k: v for k, v in cell.get("metadata", {}).items() if k != "execution"}}
        if cell["cell_type"] == "code":
            result = next(ran)
            cell |= {"outputs": result["outputs"], "execution_count": result["execution_count"]}
        cells.append(cell)
    metadata = {**source.get("metadata", {}), "kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {**source, "cells": cells, "metadata": metadata}


def data_of(notebook: dict) -> Iterator[tuple[dict, dict]]:
    """Yield the data and the metadata of every displayed output, in order."""
    for cell in code_cells(notebook):
        for output in cell.get("outputs", []):
            if "data" in output:
                yield output["data"], output.get("metadata", {})


def for_rendering(notebook: dict, ledger: str = "") -> dict:
    """Return the notebook as the site renders it.

    The machine-readable claims are left out, a type of output that myst-nb would warn about. A captioned
    figure with its table below it becomes two cells: myst-nb would give both the caption and the name.
    Where `ledger`, the address of the ledger page, is given, the name of every claim becomes a link to its row there,
    and so does a printed number in a sentence that is said under its claim's name (`printed_score_change_p`).
    """
    rows, cells = _rows_by_name(notebook, ledger) if ledger else {}, []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            cells.append({**cell, "source": _followed(text(cell["source"]), rows)} if rows and cell["cell_type"] == "markdown" else cell)
            continue
        outputs = [
            {**output, "data": _displayed(output["data"], ledger)} if "data" in output else output
            for output in cell.get("outputs", [])
        ]
        images = [output for output in outputs if "image/png" in output.get("data", {})]
        others = [output for output in outputs if output not in images]
        if "figure" in cell["metadata"].get("mystnb", {}) and images and others:
            below = {"tags": ["remove-input"]}
            cells.append({**cell, "outputs": images})
            cells.append({**cell, "id": f"{cell['id']}-table", "metadata": below, "outputs": others})  # a cell without source is dropped
        else:
            cells.append({**cell, "outputs": outputs})
    return {**notebook, "cells": cells}


def _displayed(data: dict, ledger: str) -> dict:
    """Return what an output shows, without its machine-readable claims; `ledger` as in `for_rendering`."""
    shown = {mime: held for mime, held in data.items() if mime != CLAIM}
    if ledger and CLAIM in data:
        shown["text/html"] = CLAIM_ROW.sub(
            lambda row: f'{row["before"]}<a href="{ledger}#{ledger_anchor(row["anchor"])}" title="This claim in the ledger">{row["code"]}</a>', text(shown["text/html"])
        )
    return shown


def _rows_by_name(notebook: dict, ledger: str) -> dict[str, str]:
    """Return the addresses of the rows of the notebook's claims by the name of their printed number.

    Where claims of two studies share a name, it is the claim whose printed text was said.
    """
    texts, found = said(notebook), {}
    for address, claim in claims(notebook).items():
        found.setdefault(f"printed_{address.partition(':')[2].replace('.', '_')}", []).append(claim)
    for name, same in found.items():
        found[name] = same if len(same) == 1 else [claim for claim in same if claim["printed"] == texts.get(name)]
    return {name: f"{ledger}#{ledger_anchor(same[0]['anchor'])}" for name, same in found.items() if len(same) == 1}


def _followed(markdown: str, rows: dict[str, str]) -> str:
    """Return `markdown` with a link to the ledger around each printed number of `rows` (address by name), but in no heading or other link."""

    def link(found: re.Match) -> str:
        address = rows.get(found["name"] or "")
        return f'<a class="printed" href="{address}">{found[0]}</a>' if address else found[0]

    return "\n".join(line if line.lstrip().startswith(("#", ":::", "```")) else PRINTED.sub(link, line) for line in markdown.split("\n"))


def ledger_anchor(anchor: str) -> str:
    """Return the HTML id of a claim's row on the ledger page, given that of its row in a chapter."""
    return f"ledger-{anchor.removeprefix('claim-')}"


def claims(notebook: dict) -> dict[str, dict]:
    """Return the claims that the notebook checked, by address ("some-trial:score.change.p")."""
    held = [data[CLAIM] for data, _ in data_of(notebook) if CLAIM in data]
    return {claim["id"]: claim for each in held for claim in each["claims"]}


def said(notebook: dict) -> dict[str, str]:
    """Return the texts that the notebook stored for its prose (glue), by name."""
    found = {}
    for data, metadata in data_of(notebook):
        name = metadata.get("scrapbook", {}).get("name")
        if name is not None:
            held = text(data.get(f"{SAID}text/plain", data.get("text/plain", "''")))
            found[name] = str(ast.literal_eval(held))
    return found


def verdicts(notebook: dict) -> Counter[str]:
    """Return how many claims of the notebook have each verdict."""
    return Counter(str(claim.get("verdict", "no verdict")) for claim in claims(notebook).values())


def told(counts: Counter[str]) -> str:
    """Return verdict counts as a phrase: "31 claims: 29 reproduced as printed, 2 holds as declared"."""
    if not counts:
        return "no claims"
    total = sum(counts.values())
    each = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    return f"{total} claim{'' if total == 1 else 's'}: {each}"
