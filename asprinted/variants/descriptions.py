"""What a claim on a table's rows asks, in plain words for students: the number, the column as it stands in the CSV file, and the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asprinted.study import Study
from asprinted.study.entries import columns_of
from asprinted.study.rules import conditions, matches

By = Mapping[str, Any]
Words = Callable[[str, str, By], str]  # of the column, the rows, and the entry's `by`

_OF_COLUMN: dict[str, Words] = {
    "observed": lambda x, of, by: f"how many of {of} have a value in {x}",
    "percent_observed": lambda x, of, by: f"the percentage of {of} that have a value in {x}",
    "distinct": lambda x, of, by: f"how many different values {x} has in {of}",
    "values": lambda x, of, by: f"which values {x} has in {of}, in order",
    "smallest_count": lambda x, of, by: f"how many rows the rarest value of {x} has among {of}",
    "largest_count": lambda x, of, by: f"how many rows the commonest value of {x} has among {of}",
    "percent": lambda x, of, by: f"100 times the mean of {x} in {of}",
    "percent_at_least": lambda x, of, by: f"the percentage whose {x} is {by['at_least']} or more, among {of}",
    "percent_equal": lambda x, of, by: f"the percentage whose {x} is {value(by['equals'])}, among {of}",
    "share_at_minimum": lambda x, of, by: f"the share, from 0 to 1, with the lowest possible value of {x}, among {of}",
    "share_at_maximum": lambda x, of, by: f"the share, from 0 to 1, with the highest possible value of {x}, among {of}",
    "largest_share": lambda x, of, by: f"the share, from 0 to 1, with the commonest value of {x} besides the lowest and the highest possible, among {of}",
    "survival": lambda x, of, by: f"the percentage without the event up to {x} {by['at']}, {_curve(by)}, among {of}",
    "incidence": lambda x, of, by: f"100 less the percentage without the event up to {x} {by['at']}, {_curve(by)}, among {of}",
    "survival_median": lambda x, of, by: f"the median of {x} {_curve(by)}, among {of}",
    "rate": lambda x, of, by: f"{str(by['per']) + ' times ' if by.get('per', 1) != 1 else ''}the sum of {x} over the sum of {code(by['exposure'])} in {of}",
    "correlation": lambda x, of, by: f"Pearson's correlation, over people, of {x} at {_pair(by)}, in {of}",
    "icc": lambda x, of, by: f"the intraclass correlation, within programme groups, of the change of {x} between {_pair(by)}, in {of}",
    "lost_difference": lambda x, of, by: f"by how many standard deviations {x} was higher at the first of {_pair(by)} in people without a value at the second than in the others, in {of}",
    "returned": lambda x, of, by: f"of the people without a value of {x} at the first of {_pair(by)} the share, from 0 to 1, with one at the second, in {of}",
} | {
    name: lambda x, of, by, what=what: f"{what} of {x} in {of}"
    for name, what in {
        "sum": "the sum", "mean": "the mean", "sd": "the standard deviation", "se": "the standard error of the mean", "median": "the median", "q1": "the lower quartile", "q3": "the upper quartile",
        "iqr": "the distance from the lower to the upper quartile", "skewness": "the skewness", "minimum": "the smallest value", "maximum": "the largest value",
        "lo": "the lower end of the 95% confidence interval (by Student's t) of the mean", "hi": "the upper end of the 95% confidence interval (by Student's t) of the mean",
    }.items()
}  # fmt: skip
_OF_YES_NO: dict[str, Words] = {
    "sum": lambda x, of, by: f"how many of {of} have 1 in {x}",
    "percent": lambda x, of, by: f"the percentage with 1 in {x}, among {of}",
}
_OF_THOSE_WITH_A_VALUE = ("percent", "percent_at_least", "percent_equal")
NAMES = (*_OF_COLUMN, "count", "duplicates", "smallest_sum")  # statistics of a table that have words here


def asked(study: Study, by: By) -> str:
    """The number that an entry's `by` on a table means, such as "the mean of `age` in the rows of `people.csv` where `arm` is "course""."""
    table, statistic, filters = by["table"], by["statistic"], conditions(study, by)
    if statistic == "count":
        return f"the number of {rows(study, table, filters).removeprefix('all ').removeprefix('the ')}"
    if statistic == "duplicates":
        return f"how many people share every score at every visit with somebody else, in {rows(study, table, filters)}"
    if statistic == "smallest_sum":
        return f"add up {listed(map(code, by['column']))} in each row: the smallest sum in {rows(study, table, filters)}"
    spec = columns_of(study, table)[by["column"]]
    words = {**_OF_COLUMN, **(_OF_YES_NO if set(spec.get("values", ())) == {0, 1} else {})}[statistic]
    having = " that have a value in it" if statistic in _OF_THOSE_WITH_A_VALUE and not spec.get("required") else ""
    return words(code(by["column"]), f"{rows(study, table, filters, [by['column']])}{having}", by)


def rows(study: Study, table: str, filters: Iterable[Mapping[str, Any]], used: Iterable[str] = ()) -> str:
    """The rows of a table that meet all filters: "all rows of `people.csv`", "the rows of `visits.csv` where `month` is 0".

    used: other columns that the reader needs. Where a column stands in the file of the table's parent, that is said.
    """
    wanted: list[tuple[str, Any]] = []
    for column, each in (pair for filter in filters for pair in filter.items()):
        narrowed = [pair for pair in wanted if not (pair[0] == column and not isinstance(each, (Mapping, list)) and matches(pair[1], each))]
        wanted = [*narrowed, (column, each)]
    text = f"all rows of {file_of(study, table)}"
    if wanted:
        text = f"the rows of {file_of(study, table)} where {listed(f'{code(column)} is {meant(each)}' for column, each in wanted)}"
    other = elsewhere(study, table, [*(column for column, _ in wanted), *used])
    return f"{text} (with {listed(map(code, other))} from {file_of(study, study.tables[table]['parent'])})" if other else text


def file_of(study: Study, table: str) -> str:
    """The table's file, as code."""
    return code(study.tables[table]["file"])


def code(name: str) -> str:
    """A name as Markdown shows code."""
    return f"`{name}`"


def value(each: Any) -> str:
    """A value of a column: text in quotation marks, numbers as they are."""
    return f'"{each}"' if isinstance(each, str) else str(each)


def meant(wanted: Any) -> str:
    """What a filter wants of a column: one value, one of several, or a range."""
    if isinstance(wanted, Mapping):
        low, high = wanted.get("from"), wanted.get("to")
        return f"{low} to {high}" if low is not None and high is not None else f"{low} or more" if high is None else f"{high} or less"
    return listed(map(value, wanted), "or") if isinstance(wanted, list) else value(wanted)


def listed(parts: Iterable[str], last: str = "and") -> str:
    """Parts as a sentence lists them: "a", "a and b", "a, b and c"."""
    *rest, end = parts
    return f"{', '.join(rest)} {last} {end}" if rest else end


def elsewhere(study: Study, table: str, columns: Iterable[str]) -> list[str]:
    """Those of the columns that stand in the file of the table's parent."""
    return [column for column in dict.fromkeys(columns) if column not in study.tables[table]["columns"] and column in columns_of(study, table)]


def _pair(by: By) -> str:
    [(visit, (first, second))] = by["between"].items()
    return f"{code(visit)} {value(first)} and {value(second)}"


def _curve(by: By) -> str:
    return f"by Kaplan and Meier ({code(by['event'])} is 1 where the event came at that time)"
