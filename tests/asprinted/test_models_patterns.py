"""Columns that a formula makes of a table: by pattern, and as patsy makes them of every row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import patsy
import pytest

from asprinted.models import design, patterns


def table(seed: int = 1, rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "arm": rng.choice(["new", "usual"], rows), "visit": rng.choice([0, 3, 6], rows), "site": rng.choice(["a", "b", None], rows), "dose": rng.choice([0.5, 1.0, np.nan], rows),
            "flag": rng.choice([True, False], rows), "age": rng.normal(50, 10, rows), "y": rng.normal(size=rows),
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    "right",
    ["C(visit) * C(arm, Treatment('usual'))", "arm", "arm + site", "arm:C(visit)", "0 + C(arm):C(visit)", "1", "dose + arm", "C(dose, Sum)", "flag + arm", "C(visit, levels=[6, 3, 0])",
     "visit + arm", "age + arm", "center(visit) + arm", "np.log(visit + 1)", "I(visit ** 2) + arm", "(arm + C(visit))**2"],
)  # fmt: skip
def test_columns_are_patsys(right):
    rows = table()
    expected = patsy.dmatrix(right, rows, NA_action="drop", return_type="dataframe")
    for _ in range(2):  # made, and remembered
        found = patterns.columns(right, rows)
        assert found.info.column_names == expected.design_info.column_names
        assert np.array_equal(found.X, expected.to_numpy()) and np.array_equal(np.flatnonzero(found.complete), expected.index)


def test_only_formulas_whose_columns_depend_on_their_own_row_are_read_by_pattern():
    read = {right: patterns.columns(right, table()).codes is not None for right in ("arm + C(visit)", "center(visit) + arm", "age", "np.log(visit + 1)")}
    assert read == {"arm + C(visit)": True, "center(visit) + arm": False, "age": False, "np.log(visit + 1)": False}


def test_a_table_with_other_levels_or_another_type_is_not_taken_for_one_seen_before():
    rows = table()
    patterns.columns("C(visit)", rows)
    for other in (rows[rows["visit"] != 3], rows.assign(visit=rows["visit"].astype(str)), rows.assign(visit=rows["visit"] + 1)):
        assert patterns.columns("C(visit)", other).info.column_names == patsy.dmatrix("C(visit)", other).design_info.column_names


def test_contrasts_of_two_tables_whose_first_rows_differ_are_not_mixed_up():
    model = {"family": "linear", "formula": "{outcome} ~ C(arm) * C(visit)"}
    rows = table()
    terms = [{"weight": 1, "at": {"arm": "new"}}, {"weight": -1, "at": {"arm": "usual"}}]  # at the visit of the first row
    for order in (rows, rows.sort_values("visit"), rows.sort_values("visit", ascending=False)):
        made = design(model, order, "y")
        at = pd.DataFrame({"arm": ["new", "usual"], "visit": [made.first["visit"][0]] * 2})
        expected = np.diff(np.asarray(patsy.build_design_matrices([made.info], at)[0])[::-1], axis=0)[0]
        assert np.array_equal(made.contrast(terms), expected)


def test_a_formula_that_cannot_be_read_raises_as_patsy_does():
    with pytest.raises(patsy.PatsyError):
        patterns.columns("arm +* visit", table())
    with pytest.raises(patsy.PatsyError):
        patterns.columns("nobody", table())
