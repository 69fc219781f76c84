"""The first figure of a chapter: the main outcome by arm, as it is made."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from asprinted.paper.code import Cell, frame_name, quoted
from asprinted.study import Study
from asprinted.study.entries import columns_of

ID = "first-look"
TESTS = ("p", "joint_p", "chi2", "f")
FEW = 12  # distinct values of which each has a bar


def figure(study: Study, tables: Mapping[str, pd.DataFrame]) -> Cell:
    """The cell of the figure: of the main outcome by arm or, of trials, the first column of numbers. Its one claim is the alternative text."""
    arm = study.design.get("people", {}).get("arms", {}).get("column")
    if arm is None:
        return _of_trials(study)
    table, column = _main(study, arm)
    frame, label = frame_name(table), columns_of(study, table)[column].get("label", column).lower()
    visits = study.design.get("visits", {})
    if table == visits.get("table"):
        return _over_time(frame, column, label, visits["column"], arm)
    few = tables[table][column].nunique() <= FEW
    return _shares(frame, column, label, arm) if few else _spread(frame, column, label, arm)


def _main(study: Study, arm: str) -> tuple[str, str]:
    """Table and column of the main outcome: that of the first claim on a model, else the design's first, else the first column of numbers.

    An estimate, or what goes with it, comes before a test alone, which baseline tables print too; a contrast before other models.
    """
    of_models = [claim.by for claim in study.claims.values() if claim.by and isinstance(claim.by.get("outcome"), str)]
    asked = [by["outcome"] for by in sorted(of_models, key=lambda by: (by["statistic"] in TESTS, "contrast" not in by))]
    asked += [entry["column"] for entry in study.design.get("outcomes", [])]
    asked += [name for table in study.tables.values() for name, spec in table["columns"].items() if spec["type"] != "string"]
    for column in asked:
        for table, entry in study.tables.items():
            if column in entry["columns"] and arm in columns_of(study, table):
                return table, column
    table = study.design["people"]["table"]
    return table, arm


def _spread(frame: str, column: str, label: str, arm: str) -> Cell:
    lines = (
        "fig, ax = plt.subplots(figsize=(7, 4))", f"ends = {frame}[{quoted(column)}].min(), {frame}[{quoted(column)}].max()",
        f"for arm, rows in {frame}.groupby({quoted(arm)}):", "    ax.hist(", f"        rows[{quoted(column)}].dropna(),", "        bins=20,", "        range=ends,",
        '        histtype="step",', "        linewidth=2,", "        label=arm,", "    )", f'ax.set(xlabel={quoted(label)}, ylabel="people")', "ax.legend()", "plt.show()",
        f"behind({frame}.groupby({quoted(arm)})[{quoted(column)}].describe().round(2))",
    )  # fmt: skip
    return Cell(ID, lines, (f"Histograms of {label}, a line for each arm. Say here what is seen: where they lie, how they overlap.",))


def _shares(frame: str, column: str, label: str, arm: str) -> Cell:
    lines = (
        f"shares = pd.crosstab({frame}[{quoted(column)}], {frame}[{quoted(arm)}])", "shares = 100 * shares / shares.sum()",
        "ax = shares.plot.bar(figsize=(7, 4), rot=0)", f'ax.set(xlabel={quoted(label)}, ylabel="per cent of the arm")', "plt.show()", "behind(shares.round(1))",
    )  # fmt: skip
    return Cell(ID, lines, (f"Bars of the share of each value of {label}, side by side for the arms. Say here what is seen.",))


def _over_time(frame: str, column: str, label: str, visit: str, arm: str) -> Cell:
    lines = (
        f'means = {frame}.groupby([{quoted(visit)}, {quoted(arm)}])[{quoted(column)}].agg(["mean", "sem", "count"])',
        "fig, ax = plt.subplots(figsize=(7, 4))", f"for place, (arm, rows) in enumerate(means.groupby({quoted(arm)})):",
        f"    times = rows.index.get_level_values({quoted(visit)}) + 0.1 * place", "    ax.errorbar(", '        times,', '        rows["mean"],',
        '        stats.norm.ppf(0.975) * rows["sem"],', '        fmt="os^Dv"[place % 5] + "-",', "        capsize=3,", "        label=arm,", "    )",
        f"ax.set(xlabel={quoted(visit)}, ylabel={quoted(f'mean {label}')})", "ax.legend()", "plt.show()", "behind(means.round(2))",
    )  # fmt: skip
    return Cell(ID, lines, (f"Mean {label} at each visit with intervals, a line for each arm. Say here what is seen: how the lines run, and how far apart.",), frozenset({"stats"}))


def _of_trials(study: Study) -> Cell:
    table, column = next(
        (name, column) for name, entry in study.tables.items() for column, spec in entry["columns"].items() if spec["type"] != "string"
    )  # fmt: skip
    frame, label = frame_name(table), study.tables[table]["columns"][column].get("label", column).lower()
    lines = (
        "fig, ax = plt.subplots(figsize=(7, 4))", f"ax.hist({frame}[{quoted(column)}], bins=20)", f'ax.set(xlabel={quoted(label)}, ylabel="rows")',
        "plt.show()", f"behind({frame}[[{quoted(column)}]].describe().round(2))",
    )  # fmt: skip
    return Cell(ID, lines, (f"A histogram of {label} over the rows of the table. Say here what is seen: the middle, and the spread.",))
