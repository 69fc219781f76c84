"""Which printed numbers of a study can be held against each other, and what comes of it: from the study file alone.

Models give Wald tests, t tests of two groups, 2×2 tables, chi-squared tests, correlations, information bounds and pools of trials; columns give
percentages of counts, means with their SDs, errors and intervals, quartiles in their order, means and SDs of whole numbers, averages of times that
end by a horizon, and parts that must add up to their whole. A model `instead_of` another is asked whether it could have printed the other's claims; its
answer is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from asprinted.consistency import Finding, conflict, integers, pooled, summaries, survival, tables, triples, two_groups
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision
from asprinted.printed import Printed
from asprinted.questions import parts, statistics
from asprinted.questions.claims import Claims, amount_of, named, numbers_of, printed_of, rows_of, versions
from asprinted.questions.models import categories, is_factor, levels_of, terms_of
from asprinted.study import RATIO_FAMILIES, SEPARATOR, Claim, Study
from asprinted.study.entries import columns_of
from asprinted.study.families import OF_JOINT, OF_TESTS
from asprinted.study.starts import cells, columns_of_entry, sizes, table_of

NAMES = {"est": "estimate", "se": "se", "lo": "lo", "hi": "hi", "p": "p"}  # statistic of a claim → name in a finding
_OF_POOL = {name: name for name in ("est", "se", "lo", "hi", "p", "q_p", "i2", "k", "n")} | {"q": "chi2"}
_LINKED = ({"est", "lo", "hi", "se", "p"}, {"chi2", "i2", "q_p"}, {"se", "n"})  # of these two or more are a question
_TO_TREAT = {"nnt": "estimate", "nnt_lo": "lo", "nnt_hi": "hi"}
_MEASURES = {"logistic": "OR", "risk-ratio": "RR", "risk-difference": "RD"}
_OF_GROUPS = {name: name for name in ("mean", "sd", "se", "lo", "hi")}
_OF_TEST = NAMES | {"t": "t", "d": "d"}
_OF_ORDER = {name: name for name in ("minimum", "q1", "median", "q3", "maximum", "iqr", "mean", "sd")}
_OF_PEOPLE = {"observed": "n", "count": "n"}
_OF_SEEN = {"percent_observed": "percent", "observed": "count", "count": "n"}
_OF_TIMES = ("minimum", "median", "mean", "maximum")  # none lies above the last time
_ALONE = {
    "events": "it bounds only a contrast of two levels of one factor that is in no interaction, by counts printed exactly",
    "counts": "they are the table only of a crude contrast of two levels, its covariance model-based",
}


@dataclass(frozen=True)
class Checked:
    """One finding about a study. about: the model, or the column of a table with its filter; claims: name in the finding → ids of the claims, or assumptions, it stands for.

    part: of a model that pools trials, the outcome with its rule and filter, else empty. alternative: about a model that stands instead of another. declared: contradictory as printed, and no longer
    so without the numbers that the study file expects to be otherwise; where it still is, the finding is of the numbers that are left.
    """

    finding: Finding
    about: str
    claims: Mapping[str, tuple[str, ...]]
    alternative: bool = False
    declared: bool = False
    part: str = ""

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
        rest = {"about": self.about, "part": self.part, "claims": dict(self.claims), "alternative": self.alternative, "declared": self.declared, "fault": self.fault}
        told = asdict(replace(self.finding, witness=witness, asked=None))
        del told["asked"]
        return told | rest


def is_ratio(model: Mapping[str, Any]) -> bool:
    """True where the estimates of a model (an entry of study.yml's models) are ratios, whose value of no effect is 1."""
    return model["family"] in RATIO_FAMILIES or pooled.SCALES.get(model.get("effect", {}).get("measure")) == "log"


def findings(study: Study) -> list[Checked]:
    """Everything in the study that print alone can decide: models in the order of study.yml, then columns, then parts beside their whole.

    Raises StudyError where a model names an amount that holds no number.
    """
    return [*_of_models(study), *_of_columns(study), *_of_parts(study)]


def _checked(study: Study, finding: Finding, about: str, claims: Mapping[str, tuple[str, ...]], alternative: bool = False) -> Checked:
    """The finding; of one that is contradictory beside numbers expected otherwise, the same question is asked again of those that are left."""
    gone = [name for name in finding.printed if any(_is_otherwise(study, id) for id in claims.get(name, ()))]
    still = bool(gone) and finding.verdict == CONTRADICTORY and finding.without(gone).verdict == CONTRADICTORY
    declared = bool(gone) and finding.verdict == CONTRADICTORY and not still
    asked = finding.again(gone) if still and not alternative else finding
    return Checked(asked, about, {name: claims[name] for name in asked.printed if claims.get(name)}, alternative, declared)


def _is_otherwise(study: Study, id: str) -> bool:
    """True of a claim that the study file expects to be otherwise than printed."""
    return id in study.claims and study.claims[id].expect not in ("reproduced", "holds")


# Models


def _of_models(study: Study) -> Iterator[Checked]:
    for name, model in study.models.items():
        other = model.get("instead_of")
        if model["family"] == "random-effects":
            yield from _of_pools(study, name, model)
            continue
        if other and study.models[other]["family"] == "random-effects":
            continue
        if model["family"] in OF_TESTS:
            for finding, claims in statistics.of_test(study, model, _of_statistic(study, other or name, ("chi2", "est", "lo", "hi", "p"))):
                yield _checked(study, finding, name, claims, bool(other))
            continue
        groups: dict[tuple, list[Claim]] = {}
        for claim in numbers_of(study):
            by = claim.by
            if by.get("model") == (other or name) and by["statistic"] in _OF_TEST | _TO_TREAT and isinstance(by["outcome"], str) and isinstance(by.get("contrast"), str) and "take" not in by:
                groups.setdefault((by["outcome"], by["contrast"], by["statistic"] in _TO_TREAT), []).append(claim)
        for (_, contrast, to_treat), claims in groups.items():
            if other and contrast not in model.get("contrasts", {}):
                continue
            compared = groups_of(study, model, claims[0].by["outcome"], contrast)
            if compared and (len(compared) == 2 or _comparable(claims, compared)):
                yield from _of_groups(study, name, model, claims, compared, bool(other))
                continue
            for chosen in versions([claim for claim in claims if claim.by["statistic"] in NAMES | _TO_TREAT], _TO_TREAT if to_treat else NAMES):
                finding, amounts = _of_test(study, model, contrast, chosen, "NNT" if to_treat else _MEASURES.get(model["family"], ""))
                if finding:
                    yield _checked(study, finding, name, {key: (claim.id,) for key, claim in chosen.items()} | amounts, bool(other))
        for finding, ids in statistics.of_contrasts(model, _of_statistic(study, other or name, (*OF_JOINT, "p"))):
            yield _checked(study, finding, name, ids, bool(other))


def _of_statistic(study: Study, model: str, statistics: tuple[str, ...]) -> list[Claim]:
    """The printed numbers of a model that are one of these statistics of one outcome."""
    return [claim for claim in numbers_of(study) if claim.by.get("model") == model and claim.by["statistic"] in statistics and isinstance(claim.by["outcome"], str) and "take" not in claim.by]


def _of_test(study: Study, model: Mapping[str, Any], contrast: str, claims: Claims, measure: str) -> tuple[Finding | None, dict[str, tuple[str, ...]]]:
    """What the claims on one contrast of a model come to, and the claims behind the amounts that took part; measure: of a table, where the contrast has one."""
    numbers: dict[str, Any] = {name: printed_of(claim) for name, claim in claims.items()}
    level = model.get("level", 0.95)
    arms, events = _table(study, model, contrast), _events(study, model, contrast)
    if arms:
        numbers.pop("se", None)
        if measure == "RD":  # a risk difference is in percentage points, with the sign or without
            numbers = {key: number if key == "p" else replace(number, percent=True) for key, number in numbers.items()}
        entries = [model["counts"][arm] for arm in arms]
        texts = {part: tuple(amount_of(study, entry[part]) for entry in entries) for part in ("events", "people")}
        finding = tables.two_by_two(texts["events"], texts["people"], measure=measure, level=level, **numbers)
        amounts = {f"{short} {arm}": named([entry[part]]) for part, short in (("events", "events"), ("people", "total")) for arm, entry in enumerate(entries, 1)}
        return finding, amounts
    if measure == "NNT":  # reciprocals, which no Wald test has for its ends
        return None, {}
    if events is not None:
        finding = survival.hazard_ratio(**numbers, events=events, covariance=model.get("covariance", "model-based"), level=level)
        return finding, {"events": named(model["events"])}
    test = "t" if model["family"] == "linear" and model.get("test") != "wald-z" else "wald-z"
    if test == "t":  # print does not give its degrees of freedom
        numbers = {name: number for name, number in numbers.items() if name in ("estimate", "lo", "hi")}
    if len(numbers) < 2:
        return None, {}
    finding = triples.check(**numbers, scale="log" if is_ratio(model) else "identity", level=level, test=test)
    unused = "".join(f" (Of the test alone: the field {field!r} takes no part, since {why}.)" for field, why in _ALONE.items() if field in model)
    return replace(finding, question=finding.question + unused), {}


def _comparable(claims: list[Claim], compared: tuple[Claims, ...]) -> bool:
    """Whether print tells enough of a model of more than two groups: the two means and their difference, or the size and the spread of all."""
    means = all("mean" in group for group in compared[:2]) and any(_OF_TEST.get(claim.by["statistic"]) in ("estimate", "lo", "hi") for claim in claims)
    return means or all("n" in group and group.keys() & {"sd", "se", "lo"} for group in compared)


def _of_groups(study: Study, name: str, model: Mapping[str, Any], claims: list[Claim], compared: tuple[Claims, ...], other: bool) -> Iterator[Checked]:
    """The claims on a contrast of two means against what is printed of both groups, and of the spread in the others of the model; nothing where one group contradicts itself, which its column tells."""
    of_groups = {f"{key} {place}": claim for place, group in enumerate(compared, 1) for key, claim in group.items()}
    groups = tuple({key: printed_of(claim) for key, claim in group.items()} for group in compared)
    if any(map(summaries.impossible, groups)):
        return
    for chosen in versions(claims, _OF_TEST):
        of_test = {key: printed_of(claim) for key, claim in chosen.items()}
        options = {"test": model.get("test", "t"), "level": model.get("level", 0.95)}
        interval = {key: claim for key, claim in chosen.items() if key in ("estimate", "lo", "hi")}
        alone, _ = _of_test(study, model, claims[0].by["contrast"], interval, "") if len(interval) == 3 else (None, {})
        if alone and alone.verdict == CONTRADICTORY:  # the shorter proof, and the digits that heal it
            found = _checked(study, alone, name, {key: (claim.id,) for key, claim in interval.items()}, other)
            yield found
            if not found.declared:
                continue
            chosen = {key: claim for key, claim in chosen.items() if not _is_otherwise(study, claim.id)}
            of_test = {key: printed_of(claim) for key, claim in chosen.items()}
            if not of_test:
                continue
        finding = two_groups.check(groups, **of_test, **options)
        if finding.verdict == UNDECIDED and not all("n" in group for group in groups):  # too much is left open: the smaller question, of the test alone
            if len(groups) > 2:
                alone, _ = _of_test(study, model, claims[0].by["contrast"], {key: claim for key, claim in chosen.items() if key in NAMES.values()}, "")
            elif len(of_test) > 1:
                alone = two_groups.check(({}, {}), **of_test, **options)
            if not alone:
                continue
            finding = alone
        yield _checked(study, finding, name, {key: (claim.id,) for key, claim in (of_groups | chosen).items()}, other)


def groups_of(study: Study, model: Mapping[str, Any], outcome: str, contrast: str) -> tuple[Claims, ...] | None:
    """What is printed of the column `outcome` in the two groups of a contrast, and then in the other groups of the model, each as name → claim; None where it compares anything but two means.

    Of a linear model whose formula has one factor alone, nothing robust in its covariance, and its outcome as it stands. Welch's test has two groups.
    """
    levels, plain = levels_of(model, contrast), not {"waves", "baseline", "groups"} & model.keys() and model.get("covariance", "model-based") == "model-based"
    if model["family"] != "linear" or levels is None or not plain or model["formula"].split("~")[0].strip() not in ("{outcome}", outcome):
        return None
    column, above, below = levels
    columns = columns_of(study, model["table"])
    every = [level for level in categories(study, model, column) if level not in (above, below)]
    if outcome not in columns or len(terms_of(model)) != 1 or not is_factor(study, model, column) or not {above, below} <= {*categories(study, model, column)}:
        return None
    if every and model.get("test") == "welch":
        return None
    found = tuple(_of_group(study, model["table"], outcome, model.get("rows", {}) | {column: level}) for level in (above, below, *every))
    return found if any(name in group for group in found[:2] for name in ("n", *_OF_GROUPS)) else None


def caveats(study: Study) -> list[str]:
    """A sentence for each estimate of an adjusted linear model that is not the difference of the two means printed beside it: no fault, unless the paper did not adjust."""
    told = []
    for claim in numbers_of(study):
        by, model = claim.by, study.models.get(claim.by.get("model", ""), {})
        if claim.expect != "reproduced" or by["statistic"] != "est" or model.get("family") != "linear" or not isinstance(by.get("contrast"), str) or not isinstance(by["outcome"], str):
            continue
        levels, adjusted = levels_of(model, by["contrast"]), "waves" not in model and len(terms_of(model)) > 1 and model["formula"].split("~")[0].strip() in ("{outcome}", by["outcome"])
        if levels is None or not adjusted or not is_factor(study, model, levels[0]):
            continue
        means = [_of_group(study, model["table"], by["outcome"], model.get("rows", {}) | {levels[0]: level}).get("mean") for level in levels[1:]]
        if all(means) and two_groups.check(tuple({"mean": printed_of(mean)} for mean in means), estimate=printed_of(claim)).verdict == CONTRADICTORY:
            told.append(
                f"{claim.id} prints {claim.printed}, and the means are {means[0].printed} and {means[1].printed} ({', '.join(mean.id for mean in means)}): an adjusted estimate need not be "
                f"their difference, a crude one is. If the paper adjusted for nothing, these contradict each other: declare the crude model, with 'instead_of: {by['model']}' or in its place."
            )
    return told


def _of_group(study: Study, table: str, column: str, filter: Mapping[str, Any]) -> Claims:
    """What is printed of a column's mean and spread, and of how many have a value, in the rows of a filter: of each the first claim that the study file takes to be right."""
    wanted, found = rows_of({"table": table, "filter": filter}), {}
    of_all = columns_of(study, table)[column].get("required")
    for claim in sorted(numbers_of(study), key=lambda claim: claim.by["statistic"] == "count"):
        by = claim.by
        if claim.expect not in ("reproduced", "holds") or "table" not in by or "between" in by or rows_of(by) != wanted:
            continue
        of_column = by.get("column") == column and by["statistic"] in _OF_GROUPS | {"observed": "n"}
        if of_column or (of_all and by["statistic"] == "count"):
            found.setdefault(_OF_GROUPS.get(by["statistic"], "n"), claim)
    return found


def _of_pools(study: Study, name: str, model: Mapping[str, Any]) -> Iterator[Checked]:
    """Each outcome that a model pools, under each rule and filter of its claims."""
    other = model.get("instead_of")
    groups: dict[str, list[Claim]] = {}
    for claim in numbers_of(study):
        inexact = claim.by["statistic"] == "k" and printed_of(claim).relation != "="  # fewer than so many trials: no one pool is asked about
        if claim.by.get("model") == (other or name) and claim.by["statistic"] in _OF_POOL and not inexact:
            groups.setdefault(_part(claim.by), []).append(claim)
    options = {"level": model.get("level", 0.95), "estimator": model.get("estimator", "DL"), "test": model.get("test", "wald-z"), "measure": model["effect"]["measure"]}
    for part, claims in groups.items():
        for chosen in versions(claims, _OF_POOL):
            if options["test"] != "wald-z":  # the quantile of t is not applied to print
                chosen = {key: claim for key, claim in chosen.items() if key not in ("se", "p")}
            if any(len(names & chosen.keys()) > 1 for names in _LINKED):
                question = f"{part[0].upper()}{part[1:]}: can one pool of trials print {conflict.and_list(chosen)}?"
                finding = pooled.check(**{key: printed_of(claim) for key, claim in chosen.items()}, **options, question=question)
                yield replace(_checked(study, finding, name, {key: (claim.id,) for key, claim in chosen.items()}, bool(other)), part=part)


def _part(by: Mapping[str, Any]) -> str:
    """The outcome of a pooled claim with its rule and the values of its filter: "calm, some_review, both sites, 1995 to 2012"."""
    wanted = [by["rule"]] if "rule" in by else []
    return ", ".join(map(_in_words, [by["outcome"], *wanted, *(value for _, value in sorted(by.get("filter", {}).items()))]))


def _in_words(wanted: Any) -> str:
    """What a filter or a rule asks for: a value, a list of values, or a range."""
    if isinstance(wanted, Mapping):
        return " ".join(f"{word} {wanted[word]}" for word in ("from", "to") if word in wanted)
    return conflict.and_list(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


def _table(study: Study, model: Mapping[str, Any], contrast: str) -> tuple[str, str] | None:
    """The arm of the numerator and that of the reference, where the model's counts are all that its contrast uses."""
    levels, counts = levels_of(model, contrast), model.get("counts", {})
    if levels is None or model["family"] not in _MEASURES or model.get("covariance", "model-based") != "model-based":
        return None
    column, above, below = levels
    if model["family"] in ("risk-ratio", "risk-difference"):  # their cells are those of every column that a contrast names
        crude = {name for terms in model["contrasts"].values() for term in terms for name in term["at"]} == {column}
    else:
        crude = len(terms_of(model)) == 1 and is_factor(study, model, column)
    return (above, below) if crude and above in counts and below in counts else None


def _events(study: Study, model: Mapping[str, Any], contrast: str) -> str | None:
    """How many events the model lists, where the information on its contrast has the bound that `consistency.survival` states."""
    levels = levels_of(model, contrast)
    if model["family"] != "cox" or "events" not in model or levels is None or not is_factor(study, model, levels[0]):
        return None
    amounts = [amount_of(study, amount) for amount in model["events"]]
    return str(sum(int(number.value) for number in amounts)) if all(number.relation == "=" for number in amounts) else None


# Columns


def _of_columns(study: Study) -> Iterator[Checked]:
    groups: dict[tuple, list[Claim]] = {}
    people: dict[tuple, list[Claim]] = {}
    for claim in numbers_of(study):
        by = claim.by
        if "table" not in by or "between" in by:
            continue
        if by["statistic"] == "count":
            people.setdefault(rows_of(by), []).append(claim)
        elif isinstance(by.get("column"), str):
            groups.setdefault((rows_of(by), by["column"]), []).append(claim)
    for (rows, column), claims in groups.items():
        table, filters = rows
        spec = columns_of(study, table)[column]
        if spec.get("required") and not any(claim.by["statistic"] == "observed" for claim in claims):
            claims = claims + people.get(rows, [])  # everyone is observed
        about = ", ".join([f"{table}.{column}", *(" ".join(pair) for pair in filters)])
        seen = [claim for claim in [*groups[rows, column], *people.get(rows, [])] if claim.by["statistic"] in _OF_SEEN]
        for chosen in versions(seen, _OF_SEEN) if any(claim.by["statistic"] == "percent_observed" for claim in seen) and len(seen) > 1 else ():
            numbers = {name: printed_of(claim) for name, claim in chosen.items()}
            yield _checked(study, _percentage(numbers, None if "n" in numbers else _rows(study, claims[0].by)), about, {name: (claim.id,) for name, claim in chosen.items()})
        share = partial(_share, people=_seen(study, claims[0].by))
        for names, check in (({"percent": "percent", "sum": "count"}, share), ({"mean": "mean", "sd": "sd"}, _moments), (_OF_GROUPS, _mean), (_OF_ORDER, _order)):
            names = names | _OF_PEOPLE
            for chosen in versions([claim for claim in claims if claim.by["statistic"] in names], names):
                finding = check(spec, {name: printed_of(claim) for name, claim in chosen.items()})
                if finding:
                    yield _checked(study, finding, about, {name: (claim.id,) for name, claim in chosen.items()})
        yield from _of_times(study, table, about, claims)


def _of_parts(study: Study) -> Iterator[Checked]:
    """The parts of a whole, by the column whose values make them."""
    for finding, about, ids in (*parts.findings(study), *parts.of_people_seen(study)):
        yield _checked(study, finding, about, ids)


def _of_times(study: Study, table: str, about: str, claims: list[Claim]) -> Iterator[Checked]:
    """Each average of the times of people with the event by a horizon, which none of these times passes."""
    times = study.design.get("durations", {})
    within = times.get("within")
    if not within or table != times["table"]:
        return
    until = amount_of(study, within["until"])
    for claim in claims:
        name, number = claim.by["statistic"], printed_of(claim)
        early = claim.by.get("column") == times["time"] and claim.by.get("filter", {}).get(within["column"]) in (1, [1])
        if name in _OF_TIMES and early and number.relation == until.relation == "=":
            question = f"Can times that end by until have the {name} printed?"
            yield _checked(study, conflict.finding(question, {name: number, "until": until}, _by_horizon), about, {name: (claim.id,), "until": named([within["until"]])})


def _by_horizon(numbers: Mapping[str, Printed]) -> Decision:
    """Whether an average prints that is no later than the horizon, which is named "until"; either alone is possible."""
    names = [name for name in numbers if name != "until"]
    if not names or "until" not in numbers:
        return Decision(POSSIBLE, "It stands alone.")
    number, until = numbers[names[0]], numbers["until"]
    (low, _, low_in, _), (_, high, _, high_in) = number.interval(), until.interval()
    if low > high or (low == high and not (low_in and high_in)):
        return Decision(CONTRADICTORY, f"The {names[0]} is {'at least' if low_in else 'above'} {low}, and every time {'at most' if high_in else 'below'} {high}.")
    last = max(number.value, until.value)
    value = number.value if until.contains(last) else (low + high) / 2
    return Decision(POSSIBLE, f"The {names[0]} can be {value}, no later than the last time.", {names[0]: float(value), "until": float(max(value, until.value))})


def _share(spec: Mapping[str, Any], numbers: Mapping[str, Printed], people: tuple[int, str] | None = None) -> Finding | None:
    """A percentage of ones against their count and the number of people; None where there is nothing to compare. people: how many there are where no number prints it, and who says so."""
    of_ones = set(spec.get("values", ())) <= {0, 1} if "values" in spec else (spec.get("minimum"), spec.get("maximum")) == (0, 1)
    if not of_ones or "percent" not in numbers or len(numbers) < 2:
        return None
    return _percentage(numbers, None if "n" in numbers else people)


def _percentage(numbers: Mapping[str, Printed], people: tuple[int, str] | None) -> Finding:
    """A percentage against its count and n, or against the number of `people` and who says so."""
    if people is None:
        return tables.percent_of_count(**numbers)
    n, told = people
    return tables.percent_of_count(**numbers, n=(n, n), question=f"Is there a count of the {n} people there that prints {conflict.and_list(numbers)}? ({n}: {told})")


def _seen(study: Study, by: Mapping[str, Any]) -> tuple[int, str] | None:
    """How many people of an arm, at a visit or not, have a value in the column as the records are made, and where study.yml says so; None where it does not, or about other rows."""
    entry = next((each for each in study.design.get("outcomes", []) if by["column"] in columns_of_entry(each)), None)
    observed = any(claim.by["statistic"] in ("observed", "percent_observed") and claim.by.get("column") == by["column"] and rows_of(claim.by) == rows_of(by) for claim in numbers_of(study))
    found = _cell(study, by)
    if entry is None or observed or found is None or len(found[0]) > 1 or by["table"] != table_of(study, by["column"]):
        return None
    ([arm], time), visits = found, study.design.get("visits", {})
    part, where = (visits, ("design", "visits", "seen")) if time is not None else (entry, ("design", "outcomes", entry["column"], "seen"))
    told = SEPARATOR.join(where)
    return cells(study, entry)[arm, time], told if arm in part.get("seen", {}) else f"everybody, since {told} is not given"


def _rows(study: Study, by: Mapping[str, Any]) -> tuple[int, str] | None:
    """How many people stand in the rows of an arm, or of all, at a visit or not, and where study.yml says so; None of other rows."""
    found = _cell(study, by)
    return (sum(sizes(study)[arm] for arm in found[0]), SEPARATOR.join(("design", "people", "arms", "sizes"))) if found else None


def _cell(study: Study, by: Mapping[str, Any]) -> tuple[list[str], int | None] | None:
    """The arms, one or all, and the visit (None in the table of people) that an entry is about; None where its rows are others."""
    people, visits, filter = study.design.get("people", {}), study.design.get("visits", {}), dict(by.get("filter", {}))
    if "arms" not in people or "rule" in by or by["table"] not in (people["table"], visits.get("table")):
        return None
    time = filter.pop(visits["column"], None) if by["table"] == visits.get("table") else None
    arm = filter.pop(people["arms"]["column"], None)
    known = list(sizes(study))
    if filter or (by["table"] == visits.get("table") and time not in visits["times"]) or (arm is not None and arm not in known):
        return None
    return known if arm is None else [arm], time


def _mean(spec: Mapping[str, Any], numbers: Mapping[str, Printed]) -> Finding | None:
    """A mean, its SD, its SE and its interval; None where there is nothing to compare."""
    enough = {"mean", "lo", "hi"} <= numbers.keys() or len({"se", "lo", "hi", "sd"} & numbers.keys()) > 1 or ("mean" in numbers and {"lo", "hi"} & numbers.keys())
    return summaries.check(**numbers) if enough else None


def _order(spec: Mapping[str, Any], numbers: Mapping[str, Printed]) -> Finding | None:
    """Quartiles, ends, mean and SD in their order, within the ends of the column; None where there is nothing to compare."""
    if spec["type"] == "string" or not {"minimum", "q1", "median", "q3", "maximum", "iqr"} & numbers.keys() or len(numbers.keys() - {"n"}) < 2:
        return None
    ends = {name: float(spec[field]) for name, field in (("low", "minimum"), ("high", "maximum")) if field in spec}
    return summaries.order(**numbers, **ends)


def _moments(spec: Mapping[str, Any], numbers: Mapping[str, Printed]) -> Finding | None:
    """Mean and SD of n whole-number scores; None where scores are no whole numbers between bounds, or there is nothing to compare."""
    ends = [spec.get("minimum"), spec.get("maximum")]
    bounded = all(end is not None and end == int(end) for end in ends)
    whole = bounded and (spec["type"] == "integer" or "items" in spec) and spec["type"] != "string"
    if not whole or "n" not in numbers or len(numbers) < 2 or numbers["n"].relation != "=":
        return None
    return integers.check(low=int(ends[0]), high=int(ends[1]), items=spec.get("items", 1), **numbers)
