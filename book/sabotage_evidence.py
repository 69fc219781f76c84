"""Breaks of one pool of studies that several reviews read: whom a rule takes, how many people, what is reported, and rows of another study."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

from book.sabotage import Break, claims_on, other_bound, other_digit, other_person

HELD_TO_R = "tests/reference"  # the tests that hold more of the records than their claims


def evidence_breaks(root: Path, folder: Path) -> Iterator[Break]:
    """Yield breaks of a study whose design has evidence; claims, or what else holds the records, must be named."""
    from asprinted.study import load

    study = load(folder)
    if "evidence" not in study.design:
        return
    places = {name: (folder / table["file"]).relative_to(root).as_posix() for name, table in study.tables.items()}
    yield from rule_breaks(study, places, (folder / "study.yml").relative_to(root).as_posix())
    yield from report_breaks(study, places)
    yield from taken_breaks(root, study, places)
    yield from score_breaks(study, places)


def rule_breaks(study, places: Mapping[str, str], file: str) -> Iterator[Break]:
    """Yield breaks of the studies that a rule takes: one that it takes no more, a person more, and the rule with another bound."""
    from asprinted.study.rules import matches

    spec = study.design["evidence"]
    place, columns, size = places[spec["table"]], study.tables[spec["table"]]["columns"], spec["people"]["column"]
    for rule, asked in study.rules.items():
        wanted, named = asked["filter"], claims_of(study, rule)

        def first(rows: list[dict], wanted: Mapping[str, Any] = wanted) -> dict:
            return next(row for row in rows if meets(row, [wanted]))

        for column, values in wanted.items():
            yield Break(f"{place}: one study of the rule {rule} with another {column}", place,
                        lambda text, column=column, values=values, first=first: other_person(text, column, first, lambda row: unwanted(values, columns[column])), named)  # fmt: skip
        yield Break(f"{place}: one study of the rule {rule} with a person more", place,
                    lambda text, first=first: other_person(text, size, first, lambda row: str(int(row[size]) + 1)), claims_on(study, size))  # fmt: skip
        for column, values in wanted.items():
            if isinstance(values, dict):
                held = {int(row[column]) for row in table_of(study, spec["table"]) if matches(values, int(row[column])) and meets(row, [wanted])}
                end, bound = ("to", sorted(held)[-2]) if "to" in values else ("from", sorted(held)[1])
                yield Break(f"{file}: the rule {rule} with another bound of {column}", file,
                            lambda text, rule=rule, column=column, end=end, bound=bound: other_bound(text, rule, column, end, bound), named)  # fmt: skip


def report_breaks(study, places: Mapping[str, str]) -> Iterator[Break]:
    """Yield breaks of what studies report: for each model of a printed number, one mean or one count of events in the row that matters most."""
    from asprinted.study.rules import conditions

    spec = study.design["evidence"]
    parents = {row[study.tables[spec["table"]]["key"][0]]: row for row in table_of(study, spec["table"])}
    for name in dict.fromkeys(report["model"] for report in spec["reports"]):
        model = study.models[name]
        printed = next((claim for claim in study.claims.values() if claim.kind == "number" and (claim.by or {}).get("model") == name), None)
        if printed is None:
            continue
        effect, filters = model["effect"], [*conditions(study, printed.by), {model["outcome_column"]: printed.by["outcome"]}]
        column = effect["events"][0] if "events" in effect else effect["mean"][0]
        change: Callable[[str], str] = (lambda value: str(int(value) // 2)) if "events" in effect else (lambda value: f"{1.5 * float(value):.2f}")

        def largest(rows: list[dict], effect: Mapping[str, Any] = effect, filters: list = filters) -> dict:
            about = [row for row in rows if meets({**parents[next(iter(row.values()))], **row}, filters)]
            return max(about, key=lambda row: sum(int(row[n]) for n in effect["n"]))

        yield Break(f"{places[model['table']]}: one {column} changed, in the model {name}", places[model["table"]],
                    lambda text, column=column, largest=largest, change=change: other_person(text, column, largest, lambda row: change(row[column])),
                    claims_on(study, column))  # fmt: skip


def taken_breaks(root: Path, study, places: Mapping[str, str]) -> Iterator[Break]:
    """Yield breaks of rows that stand in another study as well: one cell that is no longer the other's."""
    from asprinted.study import load

    taken = study.design["evidence"].get("taken", {"tables": {}})
    for theirs, ours in taken["tables"].items():
        other = load(study.folder.parent / taken["study"])
        key, column = other.tables[theirs]["key"], list(other.tables[theirs]["columns"])[-1]
        held = {tuple(row[name] for name in key) for row in table_of(other, theirs)}
        yield Break(f"{places[ours]}: one {column} that another study has otherwise", places[ours],
                    lambda text, key=key, column=column, held=held: other_person(
                        text, column, lambda rows: next(row for row in rows if tuple(row[name] for name in key) in held), lambda row: other_digit(row[column])),
                    ("trials_taken_from",), HELD_TO_R)  # fmt: skip


def score_breaks(study, places: Mapping[str, str]) -> Iterator[Break]:
    """Yield a break of the scores of one study's people: one of them a point lower, or higher at the bottom of the scale."""
    from asprinted.study.evidence import roles_of

    people = study.design["evidence"].get("people_of")
    if people is None:
        return
    score = roles_of(study)["score"]
    lowest = study.tables[people["table"]]["columns"][score].get("minimum")
    yield Break(f"{places[people['table']]}: one {score} moved by a point", places[people["table"]],
                lambda text: other_person(text, score, lambda rows: rows[0], lambda row: str(int(row[score]) + (1 if int(row[score]) == lowest else -1))),
                ("scores_have_the_size_mean_and_sd",), HELD_TO_R)  # fmt: skip


def claims_of(study, rule: str) -> tuple[str, ...]:
    """Return the ids of the claims and assumptions that ask for a rule."""
    from asprinted.study.rules import names_of

    return tuple(id for id, entry in {**study.claims, **study.assumptions}.items() if rule in names_of(entry.by or {}))


def meets(row: Mapping[str, str], filters: list[Mapping[str, Any]]) -> bool:
    """Return whether a row as read from its text is what every filter wants."""
    from asprinted.study.rules import matches

    return all(matches(wanted, int(row[column]) if isinstance(wanted, dict) else row[column]) for filter in filters for column, wanted in filter.items())


def unwanted(wanted: Any, column: Mapping[str, Any]) -> str:
    """Return a value of a column that a filter does not want: the next beyond a range, or the first of the others."""
    from asprinted.study.rules import matches

    if isinstance(wanted, dict):
        return str(wanted["to"] + 1 if "to" in wanted else wanted["from"] - 1)
    return next(value for value in column["values"] if not matches(wanted, value))


def table_of(study, table: str) -> list[dict]:
    """Return the rows of a study's table as they are written."""
    with (study.folder / study.tables[table]["file"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
