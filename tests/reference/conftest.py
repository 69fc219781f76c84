"""What the tests against R share: a chapter executed cell by cell, with what its variables are after each."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from asprinted import chapter
from book import notebooks


@pytest.fixture(scope="session")
def executed_cells() -> Callable[[Path], dict[str, dict[str, Any]]]:
    """A function that executes the code cells of a notebook in order: id of the cell → name → value."""

    def executed(notebook: Path) -> dict[str, dict[str, Any]]:
        seen: dict[str, dict[str, Any]] = {}
        names: dict[str, Any] = {"display": print}
        plt.switch_backend("Agg")
        shown = pd.option_context("display.width", 80, "display.max_colwidth", 50)
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()), plt.rc_context(), shown:
            patch.chdir(notebook.parent)
            patch.setattr(chapter, "_current", [])
            patch.setattr(plt, "show", lambda: plt.close("all"))
            for cell in notebooks.code_cells(notebooks.read(notebook)):
                exec(compile(notebooks.text(cell["source"]), f"{notebook.name}: {cell['id']}", "exec"), names)
                seen[cell["id"]] = dict(names)
        return seen

    return executed
