"""What a stored chapter must satisfy beyond nbval, which lets the things named here through without a word.

Every guard takes a notebook (plain JSON) and returns what is wrong with it, a line each; nothing wrong, no line.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from itertools import pairwise
from typing import Callable

from book.notebooks import code_cells, text

# Any other tag is a slip: a mistyped tag does nothing, and nobody notices.
TAGS = {
    "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell",
    "full-width", "margin", "output_scroll", "solution",
}  # fmt: skip
ALT_LENGTH = 40
LIGHTNESS = re.compile(r"\b(?:black|white|dark\w*|lighter|light|pale\w*)\b", re.I)
SUMMARY = re.compile(r"<summary\b[^>]*>(.*?)</summary>", re.S)
HARD_FOLD = re.compile(r"<details\b.*\bsuicid", re.I | re.S)
OUTSIDE = re.compile(r"^(\w+://|/[A-Za-z]\w*(/|$)|[A-Za-z]:[\\/]|~[\\/]|\\\\)")


def executed_in_order(notebook: dict) -> list[str]:
    """Execution counts run from 1 without a gap: nbval does not compare a cell that has none."""
    return [
        f"cell [{number}] has execution count {cell.get('execution_count')}: run make chapters"
        for number, cell in enumerate(code_cells(notebook), 1)
        if cell.get("execution_count") != number
    ]


def outputs_stored(notebook: dict) -> list[str]:
    """A notebook with code has outputs: nbval passes one that was stripped."""
    cells = code_cells(notebook)
    return ["no cell has an output: run make chapters"] if cells and not any(cell.get("outputs") for cell in cells) else []


def no_errors(notebook: dict) -> list[str]:
    """No stored output is an error or a warning."""
    return [
        f"cell [{number}] stores {'an error' if output['output_type'] == 'error' else 'text on stderr'}: mend its cause"
        for number, cell in enumerate(code_cells(notebook), 1)
        for output in cell.get("outputs", [])
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]


def known_tags(notebook: dict) -> list[str]:
    """Tags are known ones, and none switches a comparison off."""
    return [
        f"cell {number} has the tag {tag!r}: use none or one of {', '.join(sorted(TAGS))}"
        for number, cell in enumerate(notebook["cells"], 1)
        for tag in cell.get("metadata", {}).get("tags", [])
        if tag not in TAGS
    ]


def no_markers(notebook: dict) -> list[str]:
    """No comment switches a comparison off."""
    return [
        f"cell [{number}] has a comment that steers nbval: take it out"
        for number, cell in enumerate(code_cells(notebook), 1)
        if re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE)", text(cell["source"]))
    ]


def no_semicolon_at_end(notebook: dict) -> list[str]:
    """No cell ends in a semicolon: it hides the output in Jupyter but not under nbval."""
    return [
        f"cell [{number}] ends in a semicolon: assign the value to _ instead"
        for number, cell in enumerate(code_cells(notebook), 1)
        if _last_token(text(cell["source"])) == ";"
    ]


def _last_token(source: str) -> str:
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            last = last if token.type in layout else token.string
    except (tokenize.TokenError, SyntaxError):
        pass  # plain_python names such a cell
    return last


def plain_python(notebook: dict) -> list[str]:
    """Code cells are Python without magics or shell lines, so that a student can lift them into a script."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        try:
            ast.parse(text(cell["source"]))
        except SyntaxError as problem:
            found.append(f"cell [{number}] is not plain Python ({problem.msg}): take magics and shell lines out")
    return found


def only_local_files(notebook: dict) -> list[str]:
    """No text in a code cell is an absolute path or an address: data are read from ../data."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        try:
            tree = ast.parse(text(cell["source"]))
        except SyntaxError:
            continue  # plain_python names such a cell
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and OUTSIDE.match(node.value):
                found.append(f"cell [{number}] names {node.value!r}: read from ../data instead")
    return found


def figures_described(notebook: dict) -> list[str]:
    """Every image has an alternative text that says what it shows, in the cell metadata mystnb.image.alt."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        if not _has_image(cell):
            continue
        words = cell.get("metadata", {}).get("mystnb", {}).get("image", {}).get("alt", "")
        if len(words.strip()) < ALT_LENGTH or re.search(r"\.(png|jpe?g|svg|gif)\s*$", words, re.I):
            found.append(
                f"cell [{number}]: metadata mystnb.image.alt: {words!r}: say in {ALT_LENGTH} characters or more what the figure shows"
            )
    return found


def figures_have_numbers(notebook: dict) -> list[str]:
    """Every cell with an image also shows the table behind it: nbval does not look at images."""
    return [
        f"cell [{number}] shows a figure without its numbers: end the cell with the small table behind it"
        for number, cell in enumerate(code_cells(notebook), 1)
        if _has_image(cell)
        and not any("<table" in text(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])
    ]


def _has_image(cell: dict) -> bool:
    return any(kind.startswith("image/") for output in cell.get("outputs", []) for kind in output.get("data", {}))


def python_kernel(notebook: dict) -> list[str]:
    """The kernel is the one that every Python installation has."""
    name = notebook.get("metadata", {}).get("kernelspec", {}).get("name")
    return [] if name == "python3" else [f"metadata kernelspec.name is {name!r}: make it python3"]


def cells_have_ids(notebook: dict) -> list[str]:
    """Every cell has an id of its own, so that changes can be followed."""
    ids = [cell.get("id") for cell in notebook["cells"]]
    return [f"cell {number} has the id {name!r}, missing or used before" for number, name in enumerate(ids, 1)
            if not name or name in ids[: number - 1]]  # fmt: skip


def said_values_are_computed(notebook: dict) -> list[str]:
    """What `say` puts into a sentence has no typed digit: a number there comes from a computation."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        try:
            calls = [node for node in ast.walk(ast.parse(text(cell["source"]))) if isinstance(node, ast.Call)]
        except SyntaxError:  # plain_python reports it
            continue
        for call in calls:
            if getattr(call.func, "id", "") != "say" or len(call.args) < 2:
                continue
            value = call.args[1]
            typed = value.values if isinstance(value, ast.JoinedStr) else [value]
            if any(isinstance(part, ast.Constant) and re.search(r"\d", str(part.value)) for part in typed):
                found.append(f"cell [{number}] says a typed number, {ast.unparse(value)}: compute it")
    return found


def stops_where_a_claim_fails(notebook: dict) -> list[str]:
    """No chapter tells `check` to go on: a page with a claim that does not come out must not be built."""
    return [
        f"cell [{number}] says go_on, which is for a reader's own copy: take it out, and say in study.yml what is expected"
        for number, cell in enumerate(code_cells(notebook), 1)
        if re.search(r"\b_?go(?:_on|ing_on)\b", text(cell["source"]))
    ]


def captions_hold_in_the_dark(notebook: dict) -> list[str]:
    """No caption of a figure, and no name of a fold, tells parts by lightness, which the dark theme turns round."""
    found = []
    for number, cell in enumerate(code_cells(notebook), 1):
        caption = str(cell.get("metadata", {}).get("mystnb", {}).get("figure", {}).get("caption", ""))
        folds = [name for output in cell.get("outputs", []) for name in SUMMARY.findall(text(output.get("data", {}).get("text/html", "")))]
        for what, words in (("metadata mystnb.figure.caption", caption), *(("the name of a fold", name) for name in folds)):
            if said := LIGHTNESS.search(words):
                found.append(f"cell [{number}]: {what} says {said[0]!r}, which is another in the dark theme: name the part by its shape or place")
    return found


def folds_say_what_is_hard_to_read(notebook: dict) -> list[str]:
    """A fold in which deaths by suicide are named has a note right before it that says so, and where to turn."""
    found = []
    for before, cell in pairwise(notebook["cells"]):
        folded = cell["cell_type"] == "code" and any(HARD_FOLD.search(text(output.get("data", {}).get("text/html", ""))) for output in cell.get("outputs", []))
        words = text(before["source"]) if before["cell_type"] == "markdown" else ""
        if folded and not ("suicide" in words and "{doc}`how-to-use-this-book`" in words):
            found.append(f"cell {cell.get('id')!r} folds away deaths by suicide: say so in a Markdown cell right before it, with a link to how-to-use-this-book")
    return found


GUARDS: tuple[Callable[[dict], list[str]], ...] = (
    executed_in_order, outputs_stored, no_errors, known_tags, no_markers, no_semicolon_at_end, plain_python,
    only_local_files, figures_described, figures_have_numbers, python_kernel, cells_have_ids, said_values_are_computed,
    stops_where_a_claim_fails, captions_hold_in_the_dark, folds_say_what_is_hard_to_read,
)  # fmt: skip
