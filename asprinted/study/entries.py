"""What a study file holds, as objects: sources, claims, assumptions and the study; and the error that names a fault."""

from __future__ import annotations

import contextlib
import difflib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from asprinted import printed

SEPARATOR = " › "
RATIO_FAMILIES = ("risk-ratio", "gee-logistic", "logistic", "cox", "poisson", "negative-binomial", "ordinal")  # families of models whose contrasts are ratios


class StudyError(ValueError):
    """A fault in a study file or its records: file, field, value and remedy."""

    def __init__(self, file: Path | str, where: str, value: Any, remedy: str):
        self.file, self.field, self.value, self.remedy = str(file), where, value, remedy
        shown = "" if value is None else f": {_short(value)}"
        super().__init__(f"{file}: {where}{shown}. {remedy}")


class StudyErrors(StudyError):
    """Several faults, a line each; field, value and remedy are those of the first, and `errors` holds them all."""

    def __init__(self, errors: Sequence[StudyError]):
        super().__init__(errors[0].file, errors[0].field, errors[0].value, errors[0].remedy)
        self.errors = tuple(errors)
        self.args = ("\n".join(map(str, errors)),)


class Faults:
    """Faults of parts that can be checked one without another, gathered so that they are told together."""

    def __init__(self) -> None:
        self.found: list[StudyError] = []

    @contextlib.contextmanager
    def noted(self, name: str = "", into: set[str] | None = None) -> Iterator[None]:
        """A block whose StudyError is kept instead of raised; `name` is then put `into` a set, where there is one."""
        try:
            yield
        except StudyError as error:
            self.found += error.errors if isinstance(error, StudyErrors) else [error]
            if into is not None:
                into.add(name)

    def told(self) -> None:
        """Raise what was kept: the fault itself where it is one, StudyErrors where there are several."""
        errors = list({str(error): error for error in self.found}.values())
        if errors:
            raise errors[0] if len(errors) == 1 else StudyErrors(errors)


@dataclass(frozen=True)
class Source:
    """One document that was read."""

    id: str
    reference: str
    read: str
    cite: str | None = None
    doi: str | None = None
    pmid: str | None = None
    registration: str | None = None


@dataclass(frozen=True)
class Claim:
    """One printed number, or one statement in words, with the way it is to be recomputed.

    kind: number, inequality, words, direction or context. by: how it is computed from the records
    (None for context). printed: the source's text; declared: what words are taken to mean.
    """

    id: str
    study: str
    says: str
    kind: str
    marks: tuple[str, ...]
    source: str
    where: str
    expect: str
    printed: str | None = None
    declared: str | None = None
    rounding: str = "half-up"
    by: dict[str, Any] | None = None
    reason: str = ""

    @property
    def address(self) -> str:
        """The claim's name across all studies, such as "some-trial:score.change.p"."""
        return f"{self.study}:{self.id}"

    @property
    def calculated(self) -> bool:
        """Whether its number stands nowhere itself, but was calculated from what is printed: marked C, and neither P nor S."""
        return "C" in self.marks and not {"P", "S"} & set(self.marks)

    @property
    def anchor(self) -> str:
        """The claim's HTML id."""
        return f"claim-{self.study}-{self.id.replace('.', '-').replace('_', '-')}"


@dataclass(frozen=True)
class Assumption:
    """Something neither the source nor the publication prints: a value, bounds, or both, with a reason."""

    id: str
    says: str
    reason: str
    value: str | dict[str, str] | None = None
    bounds: tuple[str, str] | None = None
    marks: tuple[str, ...] = ("A",)
    by: dict[str, Any] | None = None

    @property
    def shown(self) -> str:
        """The value as text; of several names each with its own; nothing where bounds alone are assumed."""
        return ", ".join(f"{name} {each}" for name, each in self.value.items()) if isinstance(self.value, dict) else self.value or ""


@dataclass(frozen=True)
class Study:
    """One study file: `folder` is where it and its records stand, `slug` the folder's name.

    attempt: how often records were made in vain; it goes into the key of every random draw. rules: the eligibility rules of reviews, by name.
    followed: claims, as they were printed, that need not be printed again; in `claims` they are context. A draw may still start from them.
    """

    folder: Path
    title: str
    sources: dict[str, Source]
    tables: dict[str, dict[str, Any]]
    design: dict[str, Any]
    models: dict[str, dict[str, Any]]
    claims: dict[str, Claim]
    assumptions: dict[str, Assumption]
    fingerprint: str = field(default="", compare=False)
    attempt: int = field(default=0, compare=False)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    followed: dict[str, Claim] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return self.folder.name

    @property
    def file(self) -> Path:
        return self.folder / "study.yml"

    def claim(self, id: str) -> Claim:
        """The claim called `id` (with or without "slug:"). Raises StudyError with the nearest name."""
        short = id.removeprefix(f"{self.slug}:")
        if short not in self.claims:
            raise StudyError(self.file, "claims", id, f"No such claim.{nearest(short, self.claims)}")
        return self.claims[short]

    def number(self, amount: int | str) -> float:
        """The number that a design entry means: itself, or that of the claim or assumption it names. Raises StudyError where that is none."""
        if isinstance(amount, (int, float)):
            return amount
        if amount in self.claims and self.claims[amount].printed is not None:
            try:
                return float(printed.parse(self.claims[amount].printed).value)
            except ValueError as error:
                raise StudyError(self.file, SEPARATOR.join(("claims", amount, "printed")), self.claims[amount].printed, f"{error}.") from None
        value = self.assumptions[amount].value if amount in self.assumptions else None
        if isinstance(value, str):
            return number_in(self.file, ("assumptions", amount, "value"), value)
        known = [id for id, claim in self.claims.items() if claim.kind in ("number", "inequality")] + [id for id, assumption in self.assumptions.items() if isinstance(assumption.value, str)]
        raise StudyError(self.file, "design", amount, f"No claim or assumption of that name holds one number.{nearest(amount, known)}")

    def shares(self, id: str) -> dict[str, float]:
        """The shares (by category, as fractions) that the assumption `id` holds."""
        value = self.assumptions[id].value if id in self.assumptions else None
        if not isinstance(value, dict):
            raise StudyError(self.file, "assumptions", id, f"Give it a value with one share a category.{nearest(id, [name for name, each in self.assumptions.items() if isinstance(each.value, dict)])}")
        return {name: number_in(self.file, ("assumptions", id, "value", name), share) for name, share in value.items()}


def columns_of(study: Study, table: str) -> dict[str, dict[str, Any]]:
    """The columns of a table and of the table it belongs to."""
    entry = study.tables[table]
    return (study.tables[entry["parent"]]["columns"] if "parent" in entry else {}) | entry["columns"]


def wanted_of(filter: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Each column of a filter with what is wanted of it as text, the same for a value and a list of that one value."""
    return frozenset((column, str(value[0] if isinstance(value, list) and len(value) == 1 else value)) for column, value in filter.items())


def within(study: Study, amount: int | str, low: float, high: float, *where: str) -> float:
    """The number from `low` to `high` that an amount means. Raises StudyError at `where` in the study file where it is none."""
    try:
        value = study.number(amount)
    except StudyError as error:
        raise StudyError(study.file, SEPARATOR.join(where), amount, error.remedy) from None
    if not low <= value <= high:
        needed = f"from {low:g} to {high:g}" if high < math.inf else f"of {low:g} or more"
        raise StudyError(study.file, SEPARATOR.join(where), amount, f"It means {value:g}: a number {needed} is needed here.")
    return value


def whole(study: Study, amount: int | str, *where: str, low: int = 0, high: float = math.inf) -> int:
    """The whole number from `low` to `high` that an amount means. Raises StudyError at `where` in the study file where it is none."""
    value = within(study, amount, -math.inf, math.inf, *where)
    if not low <= value <= high or value != int(value):
        needed = f"from {low} to {high:g}" if high < math.inf else f"{low} or more"
        raise StudyError(study.file, SEPARATOR.join(where), amount, f"It means {value:g}: a whole number, {needed}, is needed here.")
    return int(value)


def number_in(file: Path, where: tuple[str, ...], text: str) -> float:
    try:
        number = float(Decimal(text))
    except ArithmeticError:
        number = math.nan
    if not math.isfinite(number):
        raise StudyError(file, SEPARATOR.join(where), text, "A number is meant here.")
    return number


def nearest(name: str, known: Any) -> str:
    """A sentence with the one of the `known` names that `name` may be a slip of; else with the first of them; empty where there are none."""
    names = [str(key) for key in known]
    close = [each for each in difflib.get_close_matches(str(name), names, 3, 0.6) if _is_slip(str(name), each)]
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}." if names else ""


def _is_slip(name: str, other: str) -> bool:
    """Whether one name may be a slip of the other: in a path of several parts each part, with the same digits; else most letters, or the beginning, alike."""
    parts, others = name.split("."), other.split(".")
    if len(parts) == len(others) > 1:
        same_digits = [list(filter(str.isdigit, each)) for each in (name, other)]
        unlike = [(part, other) for part, other in zip(parts, others) if part != other]
        slight = len(unlike) == 1 and difflib.SequenceMatcher(None, *unlike[0]).ratio() >= 0.6  # short words: one letter of three
        return same_digits[0] == same_digits[1] and (slight or all(map(_is_slip, parts, others)))
    if sorted(name) == sorted(other):
        return True
    begins = len(os.path.commonprefix([name, other])) >= 0.75 * min(len(name), len(other)) and abs(len(name) - len(other)) <= 2
    return begins or difflib.SequenceMatcher(None, name, other).ratio() >= 0.75


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
