"""Which printed numbers of a study can be held against each other, and what comes of it: from the study file alone.

Models give Wald tests, 2×2 tables and information bounds; columns give percentages of counts, and means and SDs of whole
numbers. A model `instead_of` another is asked whether it could have printed the other's claims; its answer is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from asprinted.consistency import Finding, integers, survival, tables, triples
from asprinted.consistency.conflict import CONTRADICTORY
from asprinted.printed import Printed, parse
from asprinted.study import RATIO_FAMILIES, Claim, Study
from asprinted.study.entries import columns_of

NAMES = {"est": "estimate", "se": "se", "lo": "lo", "hi": "hi", "p": "p"}  # statistic of a claim → name in a finding
_MEASURES = {"logistic": "OR", "risk-ratio": "RR"}

Claims = Mapping[str, Claim]


@dataclass(frozen=True)
class Checked:
    """One finding about a study. about: the model or table; claims: name in the finding → ids of the claims, or assumptions, it stands for.

    alternative: about a model that stands instead of another. declared: every smallest conflict holds a claim that the study
    file expects to be otherwise than printed.
    """

    finding: Finding
    about: str
    claims: Mapping[str, tuple[str, ...]]
    alternative: bool = False
    declared: bool = False

    @property
    def fault(self) -> bool:
        """True where print is contradictory and neither tried as an alternative nor declared."""
        return self.finding.verdict == CONTRADICTORY and not (self.alternative or self.declared)

    def ids(self, names: tuple[str, ...]) -> list[str]:
        """The claims behind the names; a name without claims stands for itself."""
        return [id for name in names for id in self.claims.get(name, (name,))]

    def as_json(self) -> dict[str, Any]:
        """The finding with its claims, of what JSON can hold."""
        witness = {name: float(value) if isinstance(value, Fraction) else value for name, value in self.finding.witness.items()}
        rest = {"about": self.about, "claims": dict(self.claims), "alternative": self.alternative, "declared": self.declared, "fault": self.fault}
        return asdict(replace(self.finding, witness=witness)) | rest


def findings(study: Study) -> list[Checked]:
    """Everything in the study that print alone can decide: models in the order of study.yml, then columns.

    Raises StudyError where a model names an amount that holds no number.
    """
    return [*_of_models(study), *_of_columns(study)]


def _checked(study: Study, finding: Finding, about: str, claims: Mapping[str, tuple[str, ...]], alternative: bool = False) -> Checked:
    found = Checked(finding, about, {name: claims[name] for name in finding.printed if claims.get(name)}, alternative)
    otherwise = {id for ids in claims.values() for id in ids if id in study.claims and study.claims[id].expect not in ("reproduced", "holds")}
    return replace(found, declared=bool(finding.conflicts) and all(otherwise.intersection(found.ids(names)) for names in finding.conflicts))


def _numbers(study: Study) -> list[Claim]:
    return [claim for claim in study.claims.values() if claim.kind in ("number", "inequality") and claim.by and claim.printed is not None]


def _printed(claim: Claim) -> Printed:
    return parse(claim.printed or "", claim.rounding)


def _versions(claims: list[Claim], names: Mapping[str, str]) -> Iterator[dict[str, Claim]]:
    """Name → claim, once for each way to choose where several claims print the same statistic."""
    by_name: dict[str, list[Claim]] = {}
    for claim in claims:
        by_name.setdefault(names[claim.by["statistic"]], []).append(claim)
    for chosen in product(*by_name.values()):
        yield dict(zip(by_name, chosen))


# Models


def _of_models(study: Study) -> Iterator[Checked]:
    for name, model in study.models.items():
        other = model.get("instead_of")
        groups: dict[tuple, list[Claim]] = {}
        for claim in _numbers(study):
            by = claim.by
            if by.get("model") == (other or name) and by["statistic"] in NAMES and isinstance(by["outcome"], str) and "take" not in by:
                groups.setdefault((by["outcome"], by["contrast"]), []).append(claim)
        for (_, contrast), claims in groups.items():
            if other and contrast not in model.get("contrasts", {}):
                continue
            for chosen in _versions(claims, NAMES):
                finding, amounts = _of_test(study, model, contrast, chosen)
                if finding:
                    yield _checked(study, finding, name, {key: (claim.id,) for key, claim in chosen.items()} | amounts, bool(other))


def _of_test(study: Study, model: Mapping[str, Any], contrast: str, claims: Claims) -> tuple[Finding | None, dict[str, tuple[str, ...]]]:
    """What the claims on one contrast of a model come to, and the claims behind the amounts that took part."""
    numbers: dict[str, Any] = {name: _printed(claim) for name, claim in claims.items()}
    level = model.get("level", 0.95)
    arms = _arms(model, contrast)
    if arms:
        numbers.pop("se", None)
        entries = [model["counts"][arm] for arm in arms]
        texts = {part: tuple(_amount(study, entry[part]) for entry in entries) for part in ("events", "people")}
        finding = tables.two_by_two(texts["events"], texts["people"], measure=_MEASURES[model["family"]], level=level, **numbers)
        amounts = {f"{short} {arm}": _named([entry[part]]) for part, short in (("events", "events"), ("people", "total")) for arm, entry in enumerate(entries, 1)}
        return finding, amounts
    if model["family"] == "cox" and "events" in model:
        events = str(int(sum(study.number(amount) for amount in model["events"])))
        finding = survival.hazard_ratio(**numbers, events=events, covariance=model.get("covariance", "model-based"), level=level)
        return finding, {"events": _named(model["events"])}
    test = "t" if model["family"] == "linear" and model.get("test") != "wald-z" else "wald-z"
    if test == "t":  # print does not give its degrees of freedom
        numbers = {name: number for name, number in numbers.items() if name in ("estimate", "lo", "hi")}
    if len(numbers) < 2:
        return None, {}
    return triples.check(**numbers, scale="log" if model["family"] in RATIO_FAMILIES else "identity", level=level, test=test), {}


def _arms(model: Mapping[str, Any], contrast: str) -> tuple[str, str] | None:
    """The arm of the numerator and that of the reference, where the model's counts are all that it uses."""
    counts, terms = model.get("counts"), model.get("contrasts", {}).get(contrast, [])
    right = model.get("formula", "~").split("~", 1)[1]
    if not counts or model["family"] not in _MEASURES or len(terms) != 2 or any(sign in right for sign in "+*:-/"):
        return None
    first, second = sorted(terms, key=lambda term: -term["weight"])
    arms = [next((value for value in term["at"].values() if value in counts), None) for term in (first, second)]
    return (arms[0], arms[1]) if None not in arms and (first["weight"], second["weight"]) == (1, -1) else None


def _amount(study: Study, amount: int | str) -> Printed:
    """The printed number that an amount names, or the whole number that it is."""
    claim = study.claims.get(amount) if isinstance(amount, str) else None
    return _printed(claim) if claim and claim.printed is not None else parse(str(int(study.number(amount))))


def _named(amounts: Iterable[int | str]) -> tuple[str, ...]:
    """The ids of claims and assumptions among the amounts."""
    return tuple(amount for amount in amounts if isinstance(amount, str))


# Columns


def _of_columns(study: Study) -> Iterator[Checked]:
    groups: dict[tuple, list[Claim]] = {}
    for claim in _numbers(study):
        by = claim.by
        if isinstance(by.get("column"), str) and "between" not in by:
            groups.setdefault((by["table"], by["column"], repr(sorted(by.get("filter", {}).items()))), []).append(claim)
    for (table, column, _), claims in groups.items():
        spec = columns_of(study, table)[column]
        for names, check in (({"percent": "percent", "sum": "count", "observed": "n"}, _share), ({"mean": "mean", "sd": "sd", "observed": "n"}, _moments)):
            for chosen in _versions([claim for claim in claims if claim.by["statistic"] in names], names):
                finding = check(spec, {name: _printed(claim) for name, claim in chosen.items()})
                if finding:
                    yield _checked(study, finding, table, {name: (claim.id,) for name, claim in chosen.items()})


def _share(spec: Mapping[str, Any], numbers: Mapping[str, Printed]) -> Finding | None:
    """A percentage of ones against their count and the number of people; None where there is nothing to compare."""
    of_ones = set(spec.get("values", ())) <= {0, 1} if "values" in spec else (spec.get("minimum"), spec.get("maximum")) == (0, 1)
    return tables.percent_of_count(**numbers) if of_ones and "percent" in numbers and len(numbers) > 1 else None


def _moments(spec: Mapping[str, Any], numbers: Mapping[str, Printed]) -> Finding | None:
    """Mean and SD of n whole-number scores; None where scores are no whole numbers between bounds, or there is nothing to compare."""
    ends = [spec.get("minimum"), spec.get("maximum")]
    bounded = all(end is not None and end == int(end) for end in ends)
    whole = bounded and (spec["type"] == "integer" or "items" in spec) and spec["type"] != "string"
    if not whole or "n" not in numbers or len(numbers) < 2 or numbers["n"].relation != "=":
        return None
    return integers.check(low=int(ends[0]), high=int(ends[1]), items=spec.get("items", 1), **numbers)
