"""Above each solution stands where the exercise can be done, as the imports behind its code decide."""

from __future__ import annotations

import pytest

from book import exercise_places, notebooks, toc
from book.environment import ROOT


def notebook(*cells: tuple[str, str]) -> dict:
    return {"cells": [{"cell_type": "code", "id": id, "metadata": {}, "source": source} for id, source in cells]}


@pytest.mark.parametrize(
    ("earlier", "solution", "used", "behind"),
    [
        ("import math, textwrap\nx = 1", "math.sqrt(x), textwrap", set(), set()),
        ("import pandas as pd\nx = 1", "x + 1", set(), set()),
        ("import pandas as pd\nx = pd.Series([1])", "x + 1", set(), {"pandas"}),
        ("from scipy.stats import norm\ndef f(p):\n    return norm.isf(p)\n", "y = f(1)\ny", set(), {"scipy"}),
        ("import numpy as np\nrows = {}\nfor k in [1]:\n    rows[k] = np.sqrt(k)", "rows", set(), {"numpy"}),
        ("import numpy as np\nfor k in [1]:\n    np.sqrt(k)", "k", set(), set()),
        ("import numpy as np\nx = np.ones(2)\nx = 3", "x", set(), set()),
        ("import numpy as np\nx = np.ones(2)", "[x for x in (1, 2)], (lambda x: x)(1)", set(), set()),
        ("import numpy as np\nif np.ones(2).any():\n    x = 3\nelse:\n    x = np.ones(1)", "np.zeros(x)", {"numpy"}, {"numpy"}),
        ("x = 1", "import statsmodels.api as sm\nsm.add_constant(x)", {"statsmodels"}, {"statsmodels"}),
        ("from asprinted.chapter import study\nt = study('a')", "t", set(), {"asprinted"}),
        ("from asprinted.printed import parse", "parse('.05')", set(), set()),
    ],
)
def test_packages_are_found_behind_every_name_that_a_solution_uses(earlier, solution, used, behind):
    found = exercise_places.beyond_the_page(notebook(("setup", earlier), ("solution-a", solution)))
    assert found["solution-a"] == (used, behind)


def test_line_names_the_kit_and_what_the_page_lacks_or_says_that_the_page_is_enough():
    nothing, behind = frozenset(), frozenset({"pandas", "numpy"})
    assert "in this page" in exercise_places.told(nothing, nothing) and "kit, the download" not in exercise_places.told(nothing, nothing)
    assert exercise_places.told(frozenset({"pandas"}), behind).endswith("in the chapter kit, the download at the top of this page. It uses pandas, which does not run in the page.")
    assert exercise_places.told(behind, behind).endswith("It uses NumPy and pandas, which do not run in the page.")
    assert exercise_places.told(nothing, behind).endswith("It builds on cells of the chapter that do not run in the page.")


def test_a_solution_in_two_cells_has_one_line_and_the_notebook_itself_is_left_alone():
    held = notebook(("setup", "import pandas as pd"), ("solution-a", "pd"), ("solution-b", "pd"), ("say", "1"), ("solution-c", "2"))
    shown = exercise_places.in_notebook(held)
    assert [cell["id"] for cell in shown["cells"]] == ["setup", "where-solution-a", "solution-a", "solution-b", "say", "where-solution-c", "solution-c"]
    assert len(held["cells"]) == 5


def test_every_solution_of_the_book_is_found_by_its_id():
    for path in toc.chapters(ROOT):
        stored = notebooks.read(path)
        tagged = {cell["id"] for cell in notebooks.code_cells(stored) if "solution" in cell["metadata"].get("tags", [])}
        assert all(id.startswith(exercise_places.SOLUTION) for id in tagged), path.stem
        said = [cell for cell in exercise_places.in_notebook(stored)["cells"] if cell["id"].startswith("where-")]
        assert said and all("chapter kit" in cell["source"] for cell in said), path.stem
