"""The short form of design.trials: what it leaves out is put in, from print where it is printed and else as is usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from asprinted import printed
from asprinted.study.entries import SEPARATOR, Claim, Study, StudyError
from asprinted.study.rules import conditions, matches

UNWRITTEN = "people randomised"  # the column of sizes where no table has one: a name that no column of a study file can have
USUAL = {"kept": 1, "together": 0.5, "instruments": {}}
SPREAD, SMALLEST, FEWEST = 0.5, 20, 8  # SD of the log of sizes; the smallest trial; and the fewest people of any
_OF_FULL = {"outcome", "trials", "centre", "spread", "instruments"}  # what says all of a pool: then nothing of it is taken from claims


def completed(study: Study) -> Study:
    """The study with nothing left out of its design.trials; one that leaves nothing out is as it was.

    Raises StudyError where something left out is not printed either.
    """
    spec = study.design["trials"]
    number, total = study.number(spec["number"]), study.number(spec["people"]["total"])
    people = {"column": UNWRITTEN, "smallest": int(max(FEWEST, min(SMALLEST, total // (2 * max(number, 1))))), "spread": SPREAD} | spec["people"]
    spec = spec | {"people": people, "effects": {"table": spec["table"]} | USUAL | spec["effects"]}
    spec["categories"] = [*spec.get("categories", []), *_categories(study, spec)]
    study = replace(study, design=study.design | {"trials": spec})
    pools = spec["effects"].get("pools") or list(_asked(study))
    spec["effects"]["pools"] = [_full(study, pool, str(position)) for position, pool in enumerate(pools)]
    return study


def also_of(study: Study, pool: Mapping[str, Any]) -> list[str]:
    """The names of the models that print the claims on a pool's own model: that one first."""
    effects = study.design["trials"]["effects"]
    first = pool.get("model", effects["model"])
    return [first, *(effects.get("also", []) if first == effects["model"] else [])]


def models_of(study: Study, pool: Mapping[str, Any]) -> list[str]:
    """The names of the models whose claims a pool meets: `also_of` it, then those that take the same effects otherwise."""
    named = also_of(study, pool)
    own = study.models[named[0]]
    same = (
        name for name, model in study.models.items()
        if name not in named and "instead_of" not in model and all(model.get(field) == own.get(field) for field in ("family", "table", "effect", "outcome_column"))
    )  # fmt: skip
    return [*named, *same]


def pools_of(study: Study, by: Mapping[str, Any]) -> list[int]:
    """The positions of the design's pools whose rows an entry's `by`, on a random-effects model, is about."""
    filters = conditions(study, by)
    return [
        position
        for position, pool in enumerate(study.design["trials"]["effects"]["pools"])
        if pool["outcome"] == by["outcome"] and by["model"] in models_of(study, pool)
        and all(matches(filter.get(column, value), value) for filter in filters for column, value in pool.get("values", {}).items())
    ]  # fmt: skip


def said(study: Study, pool: Mapping[str, Any], statistic: str, filter: Mapping[str, Any] | None = None) -> Claim | None:
    """The claim that prints the statistic of a pool's rows, or of those that the filter leaves; None where there is none.

    Of claims on several models that on the pool's own goes first.
    """
    wanted = {**pool.get("values", {}), **(filter or {})}
    claims = [claim for claim in study.claims.values() if is_number(claim) and claim.by.get("outcome") == pool["outcome"] and claim.by["statistic"] == statistic]
    for name in models_of(study, pool):
        for claim in claims:
            if claim.by.get("model") == name and "rule" not in claim.by and claim.by.get("filter", {}) == wanted and "rows" not in study.models[name]:
                return claim
    return None


def is_number(claim: Claim) -> bool:
    """Whether a claim prints a number, no bound of one, that records are to print again."""
    if claim.kind != "number" or claim.printed is None or not claim.by or claim.expect != "reproduced":
        return False
    return printed.parse(claim.printed, claim.rounding).relation == "="


def _categories(study: Study, spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An entry for each column of the trials' table with 'values' that nothing else makes: its counts as printed, the rest in equal parts."""
    table, model = study.tables[spec["table"]], study.models[spec["effects"]["model"]]
    single = spec["effects"]["table"] == spec["table"]
    made = {*table["key"], spec["people"]["column"], spec.get("year", {}).get("column"), *(entry["column"] for entry in spec.get("categories", []))}
    made |= {model.get("outcome_column")} if single else set()
    made |= {each for part in model.get("effect", {}).values() if single for each in (part if isinstance(part, list) else [part])}
    number = int(study.number(spec["number"]))
    for column, entry in table["columns"].items():
        if column in made or "values" not in entry:
            continue
        counts: dict[str, Any] = {}
        for value in entry["values"]:
            if id := _count_of(study, spec["table"], column, value, single):
                counts[str(value)] = id
        rest = [str(value) for value in entry["values"] if str(value) not in counts]
        left = max(number - int(sum(study.number(id) for id in counts.values())), 0)
        counts |= {value: left // len(rest) + (place < left % len(rest)) for place, value in enumerate(rest)}
        yield {"column": column, "counts": {str(value): counts[str(value)] for value in entry["values"]}}


def _count_of(study: Study, table: str, column: str, value: Any, single: bool) -> str | None:
    """The claim that prints how many of all trials have the value: of the table, or of the one pool that all are in; None where there is none."""
    for id, claim in study.claims.items():
        if is_number(claim) and claim.by.get("filter") == {column: value} and "rule" not in claim.by:
            if (claim.by.get("table"), claim.by["statistic"]) == (table, "count"):
                return id
            if single and claim.by["statistic"] == "k" and "rows" not in study.models[claim.by["model"]]:
                return id
    return None


def _asked(study: Study) -> Iterator[dict[str, Any]]:
    """A pool for each outcome, and each value of the further columns of the key, that claims on random-effects models of the table name."""
    effects = study.design["trials"]["effects"]
    more = [column for column in study.tables[effects["table"]]["key"][2:] if column != effects.get("instrument")]
    seen = set()
    models = [effects["model"], *(name for name in study.models if name != effects["model"])]
    entries = [entry for entry in (*study.claims.values(), *study.assumptions.values()) if entry.by and entry.by.get("model") in models]
    for entry in sorted(entries, key=lambda entry: models.index(entry.by["model"])):
        model, outcome = study.models[entry.by["model"]], entry.by.get("outcome")
        if model["family"] != "random-effects" or model["table"] != effects["table"] or not isinstance(outcome, str):
            continue
        filter = entry.by.get("filter", {})
        if any(column not in filter or isinstance(filter[column], (list, dict)) for column in more):
            continue
        key = (outcome, *(filter[column] for column in more))
        if key not in seen:
            seen.add(key)
            own = {"model": entry.by["model"]} if model["effect"] != study.models[effects["model"]].get("effect") else {}
            yield {"outcome": outcome} | own | ({"values": {column: filter[column] for column in more}} if more else {})


def _full(study: Study, pool: Mapping[str, Any], position: str) -> dict[str, Any]:
    """The pool with its trials, people, centre and instruments: as printed, where it leaves them out."""
    if pool.keys() >= _OF_FULL:
        return dict(pool)
    spec, number = study.design["trials"], study.number(study.design["trials"]["number"])
    scores = "mean" in study.models[also_of(study, pool)[0]]["effect"]
    full = {"instruments": list(spec["effects"]["instruments"]) if scores else []} | pool
    if "trials" not in full:
        k = said(study, full, "k")
        full["trials"] = k.id if k and study.number(k.id) < number else spec["number"]
        full |= {} if "by" in full else _by(study, full)
        if "by" in full and not isinstance(full["trials"], dict):
            full["trials"] = _trials_by(study, full, full["by"]) or full["trials"]
    if "centre" not in full:
        whole = said(study, full, "est")
        each = {value: said(study, full, "est", {full["by"]: _typed(study, full["by"], value)}) for value in full["trials"]} if "by" in full else {}
        if whole is None and not (each and all(each.values())):
            where = SEPARATOR.join(("design", "trials", "effects", "pools", position))
            raise StudyError(study.file, where, pool["outcome"], "No claim prints the estimate of this pool: add one, with 'statistic: est', or give 'centre', the effect that the draw starts from.")
        full["centre"] = {value: (claim or whole).id for value, claim in each.items()} if any(each.values()) else whole.id
    amounts = full["trials"].values() if isinstance(full["trials"], dict) else [full["trials"]]
    everyone = spec["effects"]["kept"] == 1 and sum(study.number(amount) for amount in amounts) == number
    if "people" not in full and ((n := said(study, full, "n")) or everyone):
        full["people"] = n.id if n else spec["people"]["total"]
    return full


def _by(study: Study, pool: Mapping[str, Any]) -> dict[str, Any]:
    """'by' and 'trials' of a pool of which subgroups are printed: by the first category with an estimate, or a number of trials, of one."""
    for entry in study.design["trials"]["categories"]:
        trials = _trials_by(study, pool, entry["column"])
        if trials and any(said(study, pool, statistic, {entry["column"]: _typed(study, entry["column"], value)}) for statistic in ("est", "k") for value in trials):
            return {"by": entry["column"], "trials": trials}
    return {}


def _trials_by(study: Study, pool: Mapping[str, Any], column: str) -> dict[str, Any] | None:
    """Value of the category → how many trials of the pool have it; None where neither print nor the design says it of all."""
    spec = study.design["trials"]
    entry = next((each for each in spec["categories"] if each["column"] == column), {})
    counts = entry.get("counts") or (study.shares(entry["shares"]) if "shares" in entry else {})
    k = {value: said(study, pool, "k", {column: _typed(study, column, value)}) for value in counts}
    k = {value: claim.id for value, claim in k.items() if claim}
    wanted = study.number(pool["trials"])
    if sum(study.number(id) for id in k.values()) == wanted:
        return k
    return dict(counts) if "counts" in entry and sum(study.number(amount) for amount in counts.values()) == wanted else None


def _typed(study: Study, column: str, value: str) -> Any:
    """A category's value as its column holds it, named by its text."""
    return int(value) if study.tables[study.design["trials"]["table"]]["columns"][column]["type"] == "integer" else value
