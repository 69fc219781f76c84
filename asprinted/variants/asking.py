"""The sheet of questions for students: what is asked of each claim that is recomputed, and with how many decimals."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asprinted import printed
from asprinted.study import Claim, Study
from asprinted.study.entries import columns_of
from asprinted.variants import analyses, descriptions, sheets

OF_P = 3  # decimals of a p value that the source has in words
OF_SHARES, OTHERWISE = 1, 2  # decimals of percentages, and of other numbers, where nothing like them is printed
WHOLE = ("count", "observed", "distinct", "k", "n", "smallest_count", "largest_count", "duplicates")
SUMS = ("sum", "smallest_sum")
OF_VALUES = ("minimum", "maximum", *SUMS)  # with the decimals that the column has
OF_A_HUNDRED = ("percent", "percent_observed", "percent_at_least", "percent_equal", "percent_below", "survival", "incidence", "reduction", "i2")  # computed in per cent, however they are printed


@dataclass(frozen=True)
class Question:
    """What students are asked: the claim's id, its words, how it is computed (in plain words), the decimals (none of words), and what to write. No answer."""

    question: str
    says: str
    computed: str
    decimals: str
    write: str


def questions(study: Study) -> tuple[Question, ...]:
    """A Question for every claim of `study` that a key has an answer to, in its order; the same for all students."""
    found = []
    for claim in study.claims.values():
        if claim.by and claim.kind != "context":
            number = decimals(study, claim)
            found.append(Question(claim.id, claim.says, _computed(study, claim.by), "" if number is None else str(number), _to_write(claim, number)))
    return tuple(found)


def decimals(study: Study, claim: Claim) -> int | None:
    """How many decimals an answer needs: those printed, or where the source has words, three of p values, of counts none, else as many as the records have or the study prints of the like; None where the answer is words."""
    by = claim.by or {}
    if by["statistic"] == "values":
        return None
    if claim.kind in ("number", "inequality"):
        return _printed(claim)
    if _of_p(by):
        return OF_P
    if by["statistic"] in WHOLE:
        return 0
    if by["statistic"] in OF_VALUES and (style := _recorded(study, by)) is not None:
        return style
    numbers = [each for each in study.claims.values() if each.kind == "number" and each.by and not _of_p(each.by) and each.by["statistic"] not in WHOLE]
    alike = [each for each in numbers if each.by["statistic"] == by["statistic"]]
    of_the_same = [each for each in numbers if _about(each.by) == _about(by) and (each in alike or each.by["statistic"] not in SUMS)]
    nearest = [each for each in alike if each in of_the_same] or of_the_same or alike
    return max(map(_printed, nearest)) if nearest else OF_SHARES if by["statistic"] in OF_A_HUNDRED else OTHERWISE


def _printed(claim: Claim) -> int:
    return printed.parse(claim.printed or "", claim.rounding).decimals


def _recorded(study: Study, by: dict[str, Any]) -> int | None:
    """The decimals that the records have of a column, or the most of several; None where the study file does not say."""
    columns, known = by.get("column", []), columns_of(study, by["table"])
    specs = [known.get(column, {}) for column in ([columns] if isinstance(columns, str) else columns)]
    found = [0 if spec.get("type") == "integer" else spec.get("decimals") for spec in specs]
    return max(found) if found and None not in found else None


def _of_p(by: dict[str, Any]) -> bool:
    return by["statistic"].split("_")[-1] == "p"


def _about(by: dict[str, Any]) -> tuple[Any, Any]:
    return by.get("column"), by.get("outcome")


def _to_write(claim: Claim, number: int | None) -> str:
    """What to write as the answer."""
    if number is None:
        return "what there is, with semicolons between"
    unit = ", in per cent" if "%" in (claim.printed or "") or claim.by["statistic"] in OF_A_HUNDRED else ""
    or_bound = ", or < or > and a number" if claim.kind == "inequality" else ""
    return f"{'a whole number' if number == 0 else in_words(number)}{unit}{or_bound}"


def in_words(number: int) -> str:
    """So many decimals, in words."""
    return "no decimals" if number == 0 else f"{number} decimal{'s' * (number > 1)}"


def as_csv(asked: Iterable[Question]) -> bytes:
    """The questions as CSV in UTF-8, a line a question."""
    return sheets.as_csv(Question, asked)


def as_markdown(study: Study, asked: Iterable[Question]) -> bytes:
    """The questions as a page in Markdown, in UTF-8: what a student has, how to hand in answers, and a table for each analysis, which stands above it."""
    files = descriptions.listed(f"{descriptions.code(table['file'])} (a line: {table['row'][0].lower()}{table['row'][1:]})" for table in study.tables.values())
    lines = [
        f"# Questions: {study.title}", "",
        f"Answer each from your own records: {files}. What a column holds is said in `datapackage.json`. An empty cell means that the value is not known: leave it out.", "",
        "Hand in a CSV file with the columns `student`, `question` and `answer`; a question is named as in the tables below.",
        "Give the decimals asked for, or more; write a decimal point.",
    ]  # fmt: skip
    for number, (_, each) in enumerate(itertools.groupby(asked, lambda question: _part(study.claims[question.question].by)), 1):
        of_part = [(question, study.claims[question.question]) for question in each]
        by = of_part[0][1].by
        lines += ["", *([f"## {number}. {_heading(by)}", "", analyses.analysis(study, by)] if "model" in by else [f"## {number}. Count and describe"]), ""]
        lines += ["| question | what it is | what to compute | write |", "|---|---|---|---|"]
        lines += [f"| `{question.question}` | {_cell(_what(claim))} | {_cell(_number(study, claim.by))} | {question.write} |" for question, claim in of_part]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _heading(by: dict[str, Any]) -> str:
    return f"An analysis of {descriptions.listed(map(descriptions.code, [by['outcome']] if isinstance(by['outcome'], str) else by['outcome']))}"


def _part(by: dict[str, Any]) -> tuple[Any, ...]:
    """What the questions of one table have in common: the analysis, or that rows are described."""
    return analyses.key(by) if "model" in by else ()


def _what(claim: Claim) -> str:
    """The claim's words; a statement is told as one, since what is asked is the number behind it."""
    return f"The source says: {claim.says}" if claim.kind in ("words", "direction") else claim.says


def _number(study: Study, by: dict[str, Any]) -> str:
    return (analyses if "model" in by else descriptions).asked(study, by)


def _computed(study: Study, by: dict[str, Any]) -> str:
    """How a number is computed, whole: of a model the analysis first."""
    number = _number(study, by)
    return f"{analyses.analysis(study, by)} Asked is {number}." if "model" in by else number


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
