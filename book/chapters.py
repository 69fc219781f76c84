"""``make chapters``: execute what differs, store the outputs in ``chapters/*.ipynb``, and say what changed."""

from __future__ import annotations

import difflib
import json
from argparse import Namespace
from pathlib import Path

from book import build, execute, notebooks, toc
from book.errors import BookError
from book.files import alone

LINES = 8  # of a text difference; git shows the rest


def run(root: Path, options: Namespace) -> int:
    """Return 0 when the stored outputs are those of the code, data and library of now."""
    chapters = toc.chapters(root)
    unknown = set(options.slugs) - {chapter.stem for chapter in chapters}
    if unknown:
        known = ", ".join(chapter.stem for chapter in chapters)
        raise BookError(f"no such chapter: {', '.join(sorted(unknown))}; _toc.yml has {known}")
    chosen = [chapter for chapter in chapters if not options.slugs or chapter.stem in options.slugs]
    with alone(root / "_build" / "build.lock", "building the book"):
        build.check_records(root)
        outdated = execute.outdated(root, chosen)
        print(f"{len(chosen)} notebooks, {len(outdated)} to execute.", flush=True)
        if outdated:
            execute.execute(root, outdated)
        for chapter in chosen:
            print(store(root, chapter), flush=True)
        others = execute.outdated(root, [chapter for chapter in chapters if chapter not in chosen])
    if others:
        print(f"Not executed, though something that they read has changed: {', '.join(chapter.stem for chapter in others)}. For all of them: make chapters")
    return 0


def store(root: Path, chapter: Path) -> str:
    """Return what changed; the chapter then holds the outputs of its executed copy."""
    old = notebooks.read(chapter)
    new = notebooks.with_outputs(old, notebooks.read(execute.result_path(root, chapter)))
    changed = changes(old, new)
    wrote = notebooks.write(chapter, new)
    name = f"chapters/{chapter.name}"
    if changed:
        return "\n".join([f"{name}: {len(changed)} cell{'s' if len(changed) > 1 else ''} with other outputs", *changed])
    return f"{name}: " + ("same outputs, layout of the file put in order" if wrote else "unchanged")


def changes(old: dict, new: dict) -> list[str]:
    """Return a description of every code cell whose outputs differ."""
    found = []
    for number, (before, after) in enumerate(zip(notebooks.code_cells(old), notebooks.code_cells(new)), 1):
        lines = _differences(before, after)
        if lines:
            found.append("\n".join([f"  cell [{number}]", *(f"    {line}" for line in lines)]))
    return found


def _differences(before: dict, after: dict) -> list[str]:
    if before.get("execution_count") is None:
        return ["outputs stored for the first time"]
    was, now = notebooks.claims({"cells": [before]}), notebooks.claims({"cells": [after]})
    lines = [
        f"claim {name}: {_said(was.get(name))} → {_said(now.get(name))}"
        for name in [*was, *(name for name in now if name not in was)]
        if was.get(name) != now.get(name)
    ]
    left, right = _texts(before), _texts(after)
    for kind in [*left, *(kind for kind in right if kind not in left)]:
        if left.get(kind) == right.get(kind):
            continue
        if not kind.startswith(("stream", "text/plain", "application/papermill", "error")):
            lines.append(f"{kind} changed")
            continue
        difference = difflib.unified_diff(left.get(kind, "").splitlines(), right.get(kind, "").splitlines(), n=0, lineterm="")
        told = [line for line in difference if not line.startswith(("---", "+++", "@@"))]
        lines += [kind, *told[:LINES], *(["..."] if len(told) > LINES else [])]
    if not lines and before.get("execution_count") != after.get("execution_count"):
        lines = [f"execution count {before.get('execution_count')} → {after.get('execution_count')}"]
    return lines


def _said(claim: dict | None) -> str:
    return f"{claim['computed']} ({claim['verdict']})" if claim else "not there"


def _texts(cell: dict) -> dict[str, str]:
    held: dict[str, str] = {}
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            pieces = {f"stream {output['name']}": notebooks.text(output["text"])}
        elif output["output_type"] == "error":
            pieces = {"error": f"{output['ename']}: {output['evalue']}"}
        else:
            pieces = {
                mime: notebooks.text(data) if isinstance(data, (str, list)) else json.dumps(data, sort_keys=True)
                for mime, data in output["data"].items()
                if mime != notebooks.CLAIM
            }
        for kind, words in pieces.items():
            held[kind] = held.get(kind, "") + words + ("" if words.endswith("\n") else "\n")
    return held
