"""Which claims are printed numbers, which rows they are about, and what an amount stands for: what every question to print needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from asprinted.printed import Printed, parse
from asprinted.study import Claim, Study, wanted_of

Claims = Mapping[str, Claim]
Rows = tuple[str, tuple[tuple[str, str], ...]]  # a table, and the columns with what is wanted of each


def numbers_of(study: Study) -> list[Claim]:
    """The claims that print a number, or bound one, and say how it is computed."""
    return [claim for claim in study.claims.values() if claim.kind in ("number", "inequality") and claim.by and claim.printed is not None]


def printed_of(claim: Claim) -> Printed:
    """The number that a claim prints. Raises ValueError where its text is none."""
    return parse(claim.printed or "", claim.rounding)


def versions(claims: list[Claim], names: Mapping[str, str]) -> Iterator[dict[str, Claim]]:
    """Name → claim, once for each way to choose where several claims print the same statistic."""
    by_name: dict[str, list[Claim]] = {}
    for claim in claims:
        by_name.setdefault(names[claim.by["statistic"]], []).append(claim)
    for chosen in product(*by_name.values()):
        yield dict(zip(by_name, chosen))


def rows_of(by: Mapping[str, Any]) -> Rows:
    """The table and the rows of it that an entry is about, the same for entries about the same."""
    asked = {"rule": by["rule"]} if "rule" in by else {}
    return by["table"], (*((name, str(rule)) for name, rule in asked.items()), *sorted(wanted_of(by.get("filter", {}))))


def amount_of(study: Study, amount: int | str) -> Printed:
    """The printed number that an amount names, or the number that it is."""
    claim = study.claims.get(amount) if isinstance(amount, str) else None
    return printed_of(claim) if claim and claim.printed is not None else parse(f"{Decimal(str(study.number(amount))).normalize():f}")


def named(amounts: Iterable[int | str]) -> tuple[str, ...]:
    """The ids of claims and assumptions among the amounts."""
    return tuple(amount for amount in amounts if isinstance(amount, str))
