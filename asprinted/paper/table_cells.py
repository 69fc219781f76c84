"""Cells that describe: counts, percentages, means and the like of rows of a table, in pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asprinted.paper.code import Cell, asked_rows, assigned, cell_id, checks, literal, quoted
from asprinted.study import Claim, Study

By = Mapping[str, Any]
Expression = Callable[[str, By], str]  # of the column's cells in the rows, and the entry's `by`

_EXPRESSIONS: dict[str, Expression] = {
    "observed": lambda y, by: f"{y}.count()",
    "percent_observed": lambda y, by: f"100 * {y}.notna().mean()",
    "sum": lambda y, by: f"{y}.sum()",
    "mean": lambda y, by: f"{y}.mean()",
    "sd": lambda y, by: f"{y}.std()",
    "se": lambda y, by: f"{y}.sem()",
    "median": lambda y, by: f"{y}.median()",
    "q1": lambda y, by: f"{y}.quantile(0.25)",
    "q3": lambda y, by: f"{y}.quantile(0.75)",
    "iqr": lambda y, by: f"{y}.quantile(0.75) - {y}.quantile(0.25)",
    "minimum": lambda y, by: f"{y}.min()",
    "maximum": lambda y, by: f"{y}.max()",
    "skewness": lambda y, by: f"{y}.skew()",
    "distinct": lambda y, by: f"{y}.nunique()",
    "smallest_count": lambda y, by: f"{y}.value_counts().min()",
    "largest_count": lambda y, by: f"{y}.value_counts().max()",
    "percent": lambda y, by: f"100 * {y}.mean()",
    "percent_at_least": lambda y, by: f"100 * ({y}.dropna() >= {by['at_least']}).mean()",
    "percent_equal": lambda y, by: f"100 * ({y}.dropna() == {literal(by['equals'])}).mean()",
    "values": lambda y, by: f'"; ".join(map(str, sorted({y}.dropna().unique())))',
    "lo": lambda y, by: f"{y}.mean() - reach_{by['column']}",
    "hi": lambda y, by: f"{y}.mean() + reach_{by['column']}",
}


def cells(study: Study, claims: Mapping[str, Claim]) -> tuple[list[Cell], list[tuple[str, str]]]:
    """A cell for each set of rows that claims on tables are about, and the claims that no cell could be written for, with the reason."""
    groups: dict[str, list[Claim]] = {}
    unwritten = []
    for id, claim in claims.items():
        if claim.by["statistic"] in _EXPRESSIONS or claim.by["statistic"] in _OWN:
            groups.setdefault(asked_rows(study, claim.by), []).append(claim)
        else:
            unwritten.append((id, f"the statistic {claim.by['statistic']!r}"))
    return [_cell(study, rows, of_rows) for rows, of_rows in groups.items()], unwritten


def _cell(study: Study, rows: str, claims: list[Claim]) -> Cell:
    lines, values = assigned("rows", rows), {}
    curves: dict[tuple[str, str], str] = {}
    for column in dict.fromkeys(claim.by["column"] for claim in claims if claim.by["statistic"] in ("lo", "hi")):
        y = f"rows[{quoted(column)}]"
        lines += [f"reach_{column} = stats.t.ppf(0.975, {y}.count() - 1) * {y}.sem()"]
    for claim in claims:
        by, statistic = claim.by, claim.by["statistic"]
        if statistic in ("survival", "incidence", "survival_median"):
            key = (by["column"], by["event"])
            if key not in curves:
                curves[key] = "curve" if not curves else f"curve_{len(curves) + 1}"
                pair = f'["{by["column"]}", "{by["event"]}"]'
                lines += [f"seen = rows.dropna(subset={pair})", f"{curves[key]} = SurvfuncRight(seen[{quoted(by['column'])}], seen[{quoted(by['event'])}])"]
            values[claim.id] = _OWN[statistic](curves[key], by)
        elif statistic == "rate":
            pair = f"{by['column']}_at_risk"
            lines += [f"{pair} = rows[[{quoted(by['column'])}, {quoted(by['exposure'])}]].dropna().sum()"]
            times = f"{by['per']} * " if by.get("per", 1) != 1 else ""
            values[claim.id] = f"{times}{pair}[{quoted(by['column'])}] / {pair}[{quoted(by['exposure'])}]"
        elif statistic in _OWN:
            values[claim.id] = _OWN[statistic]("rows", by)
        else:
            values[claim.id] = _EXPRESSIONS[statistic](f"rows[{quoted(by['column'])}]", by)
    lines += checks(values)
    needs = {name for name, mark in (("stats", "stats."), ("survfunc", "SurvfuncRight(")) if any(mark in line for line in lines)}
    if rows.isidentifier():
        lines = [line.replace("rows[", f"{rows}[").replace("len(rows)", f"len({rows})").replace("rows.", f"{rows}.") for line in lines[1:]]
    return Cell(cell_id("rows", claims[0].id), tuple(lines), tuple(values), frozenset(needs))


def _correlation(rows: str, by: By) -> str:
    [(visit, pair)] = by["between"].items()
    wide = f'{rows}.pivot(index="id", columns={quoted(visit)}, values={quoted(by["column"])})'
    return f"{wide}[{literal(list(pair))}].corr().iloc[0, 1]"


_OWN: dict[str, Expression] = {
    "count": lambda rows, by: f"len({rows})",
    "rate": lambda rows, by: "",  # written with a line of its own
    "correlation": _correlation,
    "smallest_sum": lambda rows, by: f"{rows}[{literal(list(by['column']))}].sum(axis=1).min()",
    "survival": lambda curve, by: f"100 * {curve}.surv_prob[{curve}.surv_times <= {by['at']}][-1]",
    "incidence": lambda curve, by: f"100 - 100 * {curve}.surv_prob[{curve}.surv_times <= {by['at']}][-1]",
    "survival_median": lambda curve, by: f"{curve}.quantile(0.5)",
}
