"""Parts of a whole that a study file prints side by side: all values of one column, by counts or percentages, with the total of the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asprinted.consistency import Finding, parts
from asprinted.questions.claims import Rows, numbers_of, printed_of, rows_of
from asprinted.study import Claim, Study
from asprinted.study.entries import columns_of

Key = tuple[Rows, str, str, str]  # the rows of the whole, the column that divides them, what is counted ("count", "observed" or "sum"), and of which column
_ADD_UP = ("count", "observed", "sum")
_OF_SEEN = {"sum": "count", "percent": "percent", "observed": "n"}


def findings(study: Study) -> Iterator[tuple[Finding, str, dict[str, tuple[str, ...]]]]:
    """Each whole whose parts are all printed, with its finding, what it is about, and name in the finding → ids of claims.

    The total of a column whose values may be missing is the number of those who have one. Where a number is printed twice, the first is taken that
    the study file takes to be right.
    """
    counts, percents, wholes = _printed(study)
    for key in dict.fromkeys((*counts, *percents)):
        rows, column, what, of = key
        values = [str(value) for value in columns_of(study, rows[0])[column].get("values", ())]
        of_counts, of_percents = counts.get(key, {}), percents.get(key, {})
        whole = _whole(study, key, wholes)
        if len(values) < 2 or any(value not in of_counts and value not in of_percents for value in values):
            continue
        if whole is None:
            if any(value not in of_percents for value in values):
                continue
            of_counts = of_counts if len(of_counts) == len(values) else {}
        finding = parts.check(
            {f"{value}": printed_of(claim) for value, claim in of_counts.items()}, {value: printed_of(claim) for value, claim in of_percents.items()},
            None if whole is None else printed_of(whole), question=f"Do the parts by {column} add up to their whole?",
        )  # fmt: skip
        ids = {f"{value} count": (claim.id,) for value, claim in of_counts.items()} | {f"{value} percent": (claim.id,) for value, claim in of_percents.items()}
        about = ", ".join([f"{rows[0]}.{of or column} by {column}", *(" ".join(pair) for pair in rows[1])])
        yield finding, about, ids | ({"total": (whole.id,)} if whole else {})


def of_people_seen(study: Study) -> Iterator[tuple[Finding, str, dict[str, tuple[str, ...]]]]:
    """Each printed number of people with an answer of yes or no, beside parts that tell theirs, at least one only by a count and its percentage; as `findings` gives it."""
    cells: dict[tuple[Rows, str], dict[str, Claim]] = {}
    for claim in sorted(numbers_of(study), key=lambda claim: claim.expect not in ("reproduced", "holds")):
        by = claim.by
        if "table" in by and "between" not in by and isinstance(by.get("column"), str) and by["statistic"] in _OF_SEEN:
            table, filter = rows_of(by)
            cells.setdefault(((table, tuple(sorted(filter))), by["column"]), {}).setdefault(_OF_SEEN[by["statistic"]], claim)
    for ((table, filter), of), whole in cells.items():
        columns = columns_of(study, table)
        if "n" not in whole or set(columns[of].get("values", ())) != {0, 1}:
            continue
        for column in (name for name in columns if name not in dict(filter)):
            values = [str(value) for value in columns[column].get("values", ())]
            found = {value: cells.get(((table, tuple(sorted((*filter, (column, value))))), of), {}) for value in values}
            if len(values) < 2 or not all("n" in part or {"count", "percent"} <= part.keys() for part in found.values()) or all("n" in part for part in found.values()):
                continue
            texts = {name: {value: printed_of(part[name]) for value, part in found.items() if name in part} for name in ("count", "percent", "n")}
            finding = parts.seen(texts["count"], texts["percent"], texts["n"], printed_of(whole["n"]), question=f"Do the people seen, by {column}, add up to their total?")
            about = ", ".join([f"{table}.{of} by {column}", *(" ".join(pair) for pair in filter)])
            yield finding, about, {f"{value} {name}": (part[name].id,) for value, part in found.items() for name in part} | {"total": (whole["n"].id,)}


def _printed(study: Study) -> tuple[dict[Key, dict[str, Claim]], dict[Key, dict[str, Claim]], dict[tuple[Rows, str, str], Claim]]:
    """The counts and the percentages of parts, by value of the column that divides, and the counts of whole rows."""
    counts: dict[Key, dict[str, Claim]] = {}
    percents: dict[Key, dict[str, Claim]] = {}
    wholes: dict[tuple[Rows, str, str], Claim] = {}
    for claim in sorted(numbers_of(study), key=lambda claim: claim.expect not in ("reproduced", "holds")):
        by = claim.by
        if "table" not in by or "between" in by or isinstance(by.get("column", ""), list):
            continue
        rows, columns = rows_of(by), columns_of(study, by["table"])
        if by["statistic"] == "percent_equal":
            percents.setdefault((rows, by["column"], "count", ""), {}).setdefault(str(by["equals"]), claim)
        if by["statistic"] not in _ADD_UP or not _from_zero(columns.get(by.get("column"), {}), by["statistic"]):
            continue
        of = by.get("column", "")
        wholes.setdefault((rows, by["statistic"], of), claim)
        for place, (column, value) in enumerate(rows[1]):
            if column in columns and value in map(str, columns[column].get("values", ())):
                rest = rows[0], (*rows[1][:place], *rows[1][place + 1 :])
                counts.setdefault((rest, column, by["statistic"], of), {}).setdefault(value, claim)
    return counts, percents, wholes


def _from_zero(spec: Mapping[str, Any], statistic: str) -> bool:
    """True where what is added up is never below 0: people, or values of a column that has no lower ones."""
    least = min(spec["values"]) if spec.get("type") != "string" and spec.get("values") else spec.get("minimum", -1)
    return statistic != "sum" or least >= 0


def _whole(study: Study, key: Key, wholes: Mapping[tuple[Rows, str, str], Claim]) -> Claim | None:
    """The claim on all rows together; where the column that divides may be empty, the one on how many have a value of it."""
    rows, column, what, of = key
    if what == "count" and (found := wholes.get((rows, "observed", column))):
        return found
    return wholes.get((rows, what, of)) if columns_of(study, rows[0])[column].get("required") else None
