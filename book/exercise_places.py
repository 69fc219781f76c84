"""Where an exercise of a chapter can be done: said above each solution, as the imports behind its code decide.

The page has Python's standard library and the floor of `asprinted` alone (`book/live/cells.py`); a solution that uses more, itself or by a name
that an earlier cell made with more, needs the chapter kit.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from book import notebooks
from book.live.cells import runs_in_page

SOLUTION = "solution-"  # what the id of a solution's cell begins with
SPELT = {"numpy": "NumPy", "scipy": "SciPy", "matplotlib": "Matplotlib"}  # as their makers write them; others are written as they are imported
HERE = "*Where to do it:* in this page or in the chapter kit. Python's own library is enough: a cell under “Run it here” takes the code, with what it needs from above."
KIT = "*Where to do it:* in the chapter kit, the download at the top of this page. {why} not run in the page."
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def in_notebook(notebook: dict) -> dict:
    """Return `notebook` with a line above the solution of each exercise that says where it can be done."""
    found, cells, before = beyond_the_page(notebook), [], ""
    for cell in notebook["cells"]:
        id = cell.get("id", "")
        if id in found and id.startswith(SOLUTION) and not before.startswith(SOLUTION):  # a solution in two cells has one line
            cells.append({"cell_type": "markdown", "id": f"where-{id}", "metadata": {}, "source": told(*found[id])})
        cells.append(cell)
        before = id
    return {**notebook, "cells": cells}


def told(used: frozenset[str], behind: frozenset[str]) -> str:
    """Return the line for a solution that uses the packages `used` itself, and `behind` in all, of those that the page lacks."""
    if not behind:
        return HERE
    names = sorted((SPELT.get(name, name) for name in used), key=str.lower)
    if not names:
        return KIT.format(why="It builds on cells of the chapter that do")
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return KIT.format(why=f"It uses {listed}, which {'do' if len(names) > 1 else 'does'}")


def beyond_the_page(notebook: dict) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return for each code cell, by id, the packages that a page lacks: those that its code names, and those behind any name that it uses."""
    imported: dict[str, frozenset[str]] = {}  # by the name that an import made
    behind: dict[str, frozenset[str]] = {}  # by any name
    found = {}
    for cell in notebooks.code_cells(notebook):
        own: set[str] = set()
        whole: set[str] = set()
        for statement, made, used in _steps(ast.parse(notebooks.text(cell["source"])).body):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                new = dict(_imports(statement))
                imported |= new
                behind |= new
                own = own.union(*new.values())
                continue
            needs = frozenset().union(*(behind.get(name, frozenset()) for name in used))
            own = own.union(*(imported.get(name, frozenset()) for name in used))
            whole |= needs
            behind |= dict.fromkeys(made, needs)
            imported = {name: packages for name, packages in imported.items() if name not in made}
        found[cell["id"]] = (frozenset(own - {"asprinted"}), frozenset(whole | own))
    return found


def _steps(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, set[str], set[str]]]:
    """Yield each simple statement, and the head of each compound one, with the names that it makes and those that it uses."""
    for statement in body:
        inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(statement, name, [])] if not isinstance(statement, SCOPES) else []
        nodes = _outside(statement, set(map(id, inner)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        own = {name for node in nodes if isinstance(node, SCOPES) for name in _local(node)}
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)} - own
        parts = [node.value.id for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)]
        made |= {*parts, *([statement.name] if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else [])}
        yield statement, made, {node.id for node in names if isinstance(node.ctx, ast.Load)} - own
        yield from _steps(inner)


def _outside(node: ast.AST, inner: set[int]) -> list[ast.AST]:
    """Return the node and all below it, but not the statements of `inner`."""
    return [node, *(found for child in ast.iter_child_nodes(node) if id(child) not in inner for found in _outside(child, inner))]


def _local(scope: ast.AST) -> Iterator[str]:
    """Yield the names that belong to a function or to a comprehension alone."""
    for node in ast.walk(scope):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each name that an import makes, with the package behind it where the page lacks that."""
    for each in node.names:
        module = each.name if isinstance(node, ast.Import) else node.module or ""
        top = module.partition(".")[0]
        here = top in sys.stdlib_module_names or runs_in_page(module)
        yield each.asname or each.name.partition(".")[0], frozenset() if here else frozenset({top})
