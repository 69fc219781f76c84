"""What a reader can take away from a chapter's page: its kit, its records as CSV, and links that open it on a server."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from book import kept_pdf, kits, published
from book.files import files_below
from book.published import Repository

KIT = "-kit.zip"  # what the name of a kit ends in, after the name of its chapter


def kit_place(stem: str) -> str:
    """Return where the kit of a chapter stands in the site."""
    return f"chapters/{stem}{KIT}"


def in_notebook(root: Path, stem: str, notebook: dict) -> dict:
    """Return the chapter as the site renders it, with its block of downloads below its first cell, which holds title and question."""
    if not kits.possible(root):
        return notebook
    cell = {"cell_type": "markdown", "id": "take-away", "metadata": {}, "source": f"```{{include}} {stem}.take-away.md\n```"}
    return {**notebook, "cells": [*notebook["cells"][:1], cell, *notebook["cells"][1:]]}


def files(root: Path, executed: Mapping[str, dict], included: Mapping[str, str]) -> dict[str, bytes]:
    """Return the kits and the blocks that name them, by place in the book; `executed` and `included` as in `kits.of_book`."""
    repository, made = published.repository(root), {}
    for stem, kit in kits.of_book(root, executed, included).items():
        made[kit_place(stem)] = kit
        made[f"chapters/{stem}.take-away.md"] = block(stem, len(kit), kits.studies_of(root, executed[stem]), root, repository).encode()
    return made


def block(stem: str, size: int, studies: list[str], root: Path, repository: Repository | None) -> str:
    """Return the block in Markdown: the kit with its size in bytes, the files of `studies`, and launch links where there is a repository."""
    records = [f"- **{study}:** {', '.join(f'{{download}}`{path.name} <../data/{study}/{path.name}>`' for path in files_below(root / 'data' / study))}" for study in studies]
    lines = [
        "{.take-away}",
        f'<a class="kit" href="{Path(kit_place(stem)).name}" download>Download this chapter</a> (zip, {told(size)}), to run it on your own machine.',
        "",
        f":::{{dropdown}} What is in it, its records as CSV{', and where else to run it' if repository else ''}",
        ":class-container: no-print",
        "",
        "The notebook, its records with their dictionary, the library, pinned requirements, and a README with the three lines that run it. "
        "Once installed, it needs no network.",
        "",
        "The files on their own (`datapackage.json` is the dictionary of the tables, `study.yml` holds every claim and assumption):",
        "",
        *records,
        *(_launch(stem, repository) if repository else []),
        ":::",
    ]
    return "\n".join(lines)


def _launch(stem: str, repository: Repository) -> list[str]:
    place = f"chapters/{stem}.ipynb"
    return [
        "",
        "Or run it on a server, which belongs to somebody else and sees what you do there:",
        "",
        f'- <a class="launch" href="{_attribute(repository.binder(place))}" rel="noreferrer">Open in Binder</a>: no account; starting takes some minutes.',
        f'- <a class="launch" href="{_attribute(repository.colab(place))}" rel="noreferrer">Open in Colab</a>: needs a Google account. Run this in a cell of its own first:',
        "",
        *(f"  {line}" for line in ["```text", *repository.fetched_in_colab("chapters").splitlines(), "```"]),
        "- On a JupyterHub with nbgitpuller: put this behind the address of your hub.",
        "",
        *(f"  {line}" for line in ["```text", repository.jupyterhub(place), "```"]),
    ]


def in_index(markdown: str, pdf: bytes) -> str:
    """Return the book's first page with a link to the PDF below its first paragraph; as it is where there is no PDF."""
    if not pdf:
        return markdown
    parts = markdown.split("\n\n", 2)
    link = f'<a class="whole-book" href="{kept_pdf.NAME}">The whole book as one PDF</a> ({told(len(pdf))}), with every figure and number, and the answers at its end.'
    return "\n\n".join([*parts[:2], link, *parts[2:]])


def told(size: int) -> str:
    """Return a number of bytes in words: in MB with one decimal from a tenth of one on, else in kB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _attribute(address: str) -> str:
    return address.replace("&", "&amp;")
