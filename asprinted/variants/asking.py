"""The sheet of questions for students: what is asked of each claim that is recomputed, and with how many decimals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asprinted import printed
from asprinted.study import Claim, Study
from asprinted.study.entries import columns_of
from asprinted.variants import sheets

OF_P = 3  # decimals of a p value that the source has in words
OF_SHARES, OTHERWISE = 1, 2  # decimals of percentages, and of other numbers, where nothing like them is printed
WHOLE = ("count", "observed", "distinct", "k", "n", "smallest_count", "largest_count", "duplicates")
SUMS = ("sum", "smallest_sum")
OF_VALUES = ("minimum", "maximum", *SUMS)  # with the decimals that the column has
OF_A_HUNDRED = ("percent", "percent_at_least", "percent_equal", "percent_below", "survival", "incidence", "reduction", "i2")  # computed in per cent, however they are printed


@dataclass(frozen=True)
class Question:
    """What students are asked: the claim's id, its words, how it is computed (as the study file says it), the decimals (none of words), and what to write. No answer."""

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
            found.append(Question(claim.id, claim.says, _in_words(claim.by), "" if number is None else str(number), _to_write(claim, number)))
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


def _in_words(entry: Any) -> str:
    """An entry of the study file in a line: "table participants, statistic mean, filter (arm course)"."""
    if isinstance(entry, dict):
        return ", ".join(f"{name} ({_in_words(value)})" if isinstance(value, dict) else f"{name} {_in_words(value)}" for name, value in entry.items())
    return " and ".join(map(_in_words, entry)) if isinstance(entry, list) else str(entry)


def as_csv(asked: Iterable[Question]) -> bytes:
    """The questions as CSV in UTF-8, a line a question."""
    return sheets.as_csv(Question, asked)


def as_markdown(study: Study, asked: Iterable[Question]) -> bytes:
    """The questions as a page in Markdown, in UTF-8: how to hand in answers, and a table."""
    lines = [
        f"# Questions: {study.slug}", "",
        "Answer each from your own records. Hand in a CSV file with the columns `student`, `question` and `answer`; a question is named as here.",
        "Give the decimals asked for, or more; write a decimal point.", "",
        "| question | what it is | how it is computed | write |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [f"| `{each.question}` | {_cell(each.says)} | {_cell(each.computed)} | {each.write} |" for each in asked]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
