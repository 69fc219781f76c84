"""Tests that print no estimate of a contrast: chi-squared with its degrees of freedom, a 2×2 table of printed counts, and a correlation's interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asprinted.consistency import Finding, conflict, correlations, heterogeneity, tables
from asprinted.questions.claims import numbers_of, printed_of, rows_of, versions
from asprinted.questions.models import categories, factor_of
from asprinted.study import Claim, Study
from asprinted.study.entries import columns_of

Found = tuple[Finding, dict[str, tuple[str, ...]]]  # a finding, and name in it → ids of the claims that it stands for

_OF_CHI2 = {"chi2": "chi2", "p": "p"}
_OF_CORRELATION = {"est": "r", "lo": "lo", "hi": "hi", "p": "p"}
_TABLE_TESTS = {None: tables.EITHER, "pearson": "pearson", "yates": "yates", "fisher": "fisher"}


def of_test(study: Study, model: Mapping[str, Any], claims: Sequence[Claim]) -> Iterator[Found]:
    """What the claims on a model without contrasts come to, for each outcome; nothing where its formula does not say what is compared."""
    factor, family = factor_of(model), model["family"]
    if factor is None:
        return
    for outcome in dict.fromkeys(claim.by["outcome"] for claim in claims):
        own = [claim for claim in claims if claim.by["outcome"] == outcome]
        if family == "correlation":
            yield from _correlation(study, model, outcome, factor, own)
            continue
        groups = categories(study, model, factor)
        of_outcome = categories(study, model, outcome) if family == "chi-squared" else (0, 1)
        for chosen in versions([claim for claim in own if claim.by["statistic"] in _OF_CHI2], _OF_CHI2):
            table = _table(study, model, outcome, of_outcome, factor, groups) if family == "chi-squared" and len(of_outcome) == len(groups) == 2 else {}
            if table:
                yield _two_by_two(model, chosen, table)
            elif len(chosen) == 2 and len(groups) > 1 and len(of_outcome) > 1 and _is_chi2(model, len(groups)):
                size = f"a table of {len(of_outcome)} by {len(groups)}" if family == "chi-squared" else f"{len(groups)} groups"
                yield _chi2(chosen, (len(of_outcome) - 1) * (len(groups) - 1), f"Can a chi-squared test of {size} print chi2 and p?")


def of_contrasts(model: Mapping[str, Any], claims: Sequence[Claim]) -> Iterator[Found]:
    """The chi-squared of one contrast or of several together against its p value, where the model tests on the normal distribution and not on t."""
    if "contrasts" not in model or (model["family"] == "linear" and model.get("test") != "wald-z"):
        return
    groups: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        groups.setdefault((claim.by["outcome"], repr(claim.by.get("contrast"))), []).append(claim)
    for own in groups.values():
        several = len(own[0].by["contrast"]) if isinstance(own[0].by.get("contrast"), list) else 1
        names = {"chi2": "chi2", "p": "p", "joint_p": "p"} | ({"f": "chi2"} if several == 1 else {})
        for chosen in versions([claim for claim in own if claim.by["statistic"] in names], names):
            if len(chosen) == 2:
                of = "one contrast" if several == 1 else f"{several} contrasts together"
                yield _chi2(chosen, several, f"Can Wald's chi-squared test of {of} print chi2 and p?")


def _is_chi2(model: Mapping[str, Any], groups: int) -> bool:
    """True where the p value is that of the chi-squared statistic: Mann and Whitney's is corrected, Fisher's exact."""
    return model.get("test") != "fisher" and not (model["family"] == "rank-sum" and groups == 2 and model.get("test") != "kruskal-wallis")


def _chi2(chosen: Mapping[str, Claim], df: int, question: str) -> Found:
    finding = heterogeneity.check(**{name: printed_of(claim) for name, claim in chosen.items()}, df=str(df), question=question)
    return finding, {name: (claim.id,) for name, claim in chosen.items()}


def _two_by_two(model: Mapping[str, Any], chosen: Mapping[str, Claim], table: Mapping[str, Claim]) -> Found:
    """chi2 and p against the counts of both groups; a test that the model does not name may be Pearson's, or with Yates's correction."""
    test = _TABLE_TESTS[model.get("test")]
    if test == "fisher":
        chosen = {name: claim for name, claim in chosen.items() if name == "p"}
    pairs = {f"{part}s": tuple(printed_of(table[f"{part} {arm}"]) if f"{part} {arm}" in table else None for arm in (1, 2)) for part in ("event", "total", "percent")}
    named = conflict.and_list(chosen)
    asked = f"Is there a 2×2 table of these counts whose test ({test.replace('-or-', ' or ').title()}) prints {named}?"
    found = tables.two_by_two(**pairs, **{name: printed_of(claim) for name, claim in chosen.items()}, test=test, question=asked)
    named_as = {f"event {arm}": f"events {arm}" for arm in (1, 2)}
    return found, {named_as.get(name, name): (claim.id,) for name, claim in (*table.items(), *chosen.items())}


def _table(study: Study, model: Mapping[str, Any], outcome: str, values: Sequence[Any], factor: str, groups: Sequence[Any]) -> dict[str, Claim]:
    """The claims on how many in each group have an outcome, and how many of them the one value of it; empty where either is not printed of both."""
    found: dict[str, Claim] = {}
    value = 1 if set(values) == {0, 1} else values[0]
    required = columns_of(study, model["table"])[outcome].get("required")
    for arm, group in enumerate(groups, 1):
        filter = {column: wanted for column, wanted in model.get("rows", {}).items() if column not in (factor, outcome)} | {factor: group}
        of_group, of_value = (rows_of({"table": model["table"], "filter": each}) for each in (filter, filter | {outcome: value}))
        for claim in numbers_of(study):
            by = claim.by
            if claim.expect not in ("reproduced", "holds") or "table" not in by or "between" in by:
                continue
            rows, statistic, own = rows_of(by), by["statistic"], by.get("column") == outcome
            if rows == of_value and statistic == "count" or rows == of_group and own and statistic == "sum" and value == 1:
                found.setdefault(f"event {arm}", claim)
            elif rows == of_group and (own and statistic == "observed" or required and statistic == "count"):
                found.setdefault(f"total {arm}", claim)
            elif rows == of_group and own and (statistic == "percent" and value == 1 or statistic == "percent_equal" and by["equals"] == value):
                found.setdefault(f"percent {arm}", claim)
    enough = all(f"total {arm}" in found and found.keys() & {f"event {arm}", f"percent {arm}"} for arm in (1, 2))
    return found if enough else {}


def _correlation(study: Study, model: Mapping[str, Any], outcome: str, other: str, claims: Sequence[Claim]) -> Iterator[Found]:
    """Pearson's correlation against its interval, its p value, and the number of pairs where that is printed.

    Nothing of Spearman's: its p value may be exact, and there are several ways to its interval, so none of them can be refuted.
    """
    if model.get("test") == "spearman":
        return
    people = _pairs(study, model, outcome, other)
    for chosen in versions(list(claims), _OF_CORRELATION):
        chosen = ({"n": people} if people else {}) | chosen
        enough = len(chosen) > 2 and {"lo", "hi"} & chosen.keys() or ("n" in chosen and len(chosen) > 2)
        if enough:
            finding = correlations.check(**{name: printed_of(claim) for name, claim in chosen.items()}, level=model.get("level", 0.95))
            yield finding, {name: (claim.id,) for name, claim in chosen.items()}


def _pairs(study: Study, model: Mapping[str, Any], outcome: str, other: str) -> Claim | None:
    """The claim on how many have both values: on the people where neither can be missing, on those with the one value where the other cannot."""
    columns, rows = columns_of(study, model["table"]), rows_of({"table": model["table"], "filter": model.get("rows", {})})
    open_ = [name for name in (outcome, other) if not columns.get(name, {}).get("required")]
    if len(open_) > 1:
        return None
    for claim in numbers_of(study):
        by = claim.by
        if claim.expect in ("reproduced", "holds") and "table" in by and "between" not in by and rows_of(by) == rows:
            if (not open_ and by["statistic"] == "count") or (by["statistic"] == "observed" and by.get("column") in (open_ or (outcome, other))):
                return claim
    return None
