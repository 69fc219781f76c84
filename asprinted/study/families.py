"""The families of models: which fields each takes, and which statistics it gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from asprinted.study.entries import RATIO_FAMILIES, SEPARATOR, Study, StudyError, columns_of, nearest
from asprinted.study.meanings import given_by

ESTIMATORS = {
    "mixed": ("REML", "ML"), "linear": ("OLS",), "risk-ratio": ("proportions",), "gee-logistic": ("GEE",), "logistic": ("ML",), "cox": ("partial-likelihood",),
    "risk-difference": ("proportions",), "poisson": ("ML",), "negative-binomial": ("ML",), "ordinal": ("ML",),
    "log-rank": (), "rank-sum": (), "chi-squared": (), "correlation": (), "random-effects": ("DL", "common", "PM", "REML"),
}  # fmt: skip
OF_TESTS = dict.fromkeys(("log-rank", "rank-sum", "chi-squared"), ("chi2", "p")) | {"correlation": ("est", "lo", "hi", "p")}  # families without contrasts
OF_JOINT = ("f", "chi2", "joint_p")  # of one contrast, or of several together
OF_FIT = ("r2",)  # of the whole model, without a contrast
WITH_CONTRASTS = tuple(family for family in ESTIMATORS if family not in OF_TESTS and family != "random-effects")
_GIVEN_BY = dict.fromkeys(("est", "se", "lo", "hi", "p", "t", *OF_JOINT), WITH_CONTRASTS) | dict.fromkeys(("nnt", "nnt_lo", "nnt_hi"), ("risk-difference",))
_GIVEN_BY |= dict.fromkeys(("d", "d_lo", "d_hi", *OF_FIT), ("linear",)) | {"reduction": RATIO_FAMILIES}
GIVEN_BY = {name: (*families, *(test for test, given in OF_TESTS.items() if name in given)) for name, families in _GIVEN_BY.items()}  # statistic → families

_REQUIRED = dict.fromkeys(ESTIMATORS, ("formula",)) | dict.fromkeys(("mixed", "gee-logistic"), ("formula", "groups")) | dict.fromkeys(("cox", "log-rank"), ("formula", "time"))
_REQUIRED |= {"risk-ratio": (), "risk-difference": (), "random-effects": ("effect", "outcome_column")}
_ONLY = {
    "time": ("cox", "log-rank"), "until": ("cox", "log-rank"), "ties": ("cox",), "events": ("cox",), "covariance": ("logistic", "cox", "linear", "poisson"),
    "exposure": ("poisson", "negative-binomial"), "counts": ("logistic", "risk-ratio", "risk-difference"), "missing": ("risk-ratio", "risk-difference"),
    "effect": ("random-effects",), "outcome_column": ("random-effects",), "groups": WITH_CONTRASTS, "contrasts": WITH_CONTRASTS,
} | dict.fromkeys(("formula", "waves", "baseline"), (*WITH_CONTRASTS, *OF_TESTS))  # fmt: skip
_TESTS = {
    "linear": ("wald-z", "t", "welch"), "rank-sum": ("mann-whitney", "kruskal-wallis"), "chi-squared": ("pearson", "yates", "fisher"), "correlation": ("pearson", "spearman"),
    "log-rank": (), "random-effects": ("wald-z", "knapp-hartung", "knapp-hartung-at-least-wald"),
}  # fmt: skip
_FACTOR = re.compile(r"\s*(?:C\(\s*(\w+)\s*(?:,.*)?\)|(\w+))\s*")  # one column: arm, C(arm), C(arm, Treatment(…))


def check_family(study: Study, name: str, model: Mapping[str, Any]) -> None:
    """Raise StudyError where a model lacks a field, or has one, or a value of one, that its family does not take."""
    family, columns = model["family"], columns_of(study, model["table"])

    def fault(remedy: str, *where: str) -> StudyError:
        value = model.get(where[0]) if where else None
        return StudyError(study.file, SEPARATOR.join(("models", name, *where)), value, remedy)

    for field in _REQUIRED[family] + (("groups",) if model.get("covariance") == "robust" and family in ("logistic", "cox") else ()):
        if field not in model:
            raise fault(f"The field {field!r} is missing: add it.")
    for field, families in _ONLY.items():
        if field in model and family not in families:
            slope = " A slope over trials (meta-regression) is not made: ask for q_between or between_p over a column of kinds of trials." if (field, family) == ("formula", "random-effects") else ""
            raise fault(f"The family {family!r} does not take it, only {_listed(families)}: take it out.{slope}", field)
    if model.get("estimator", "") not in ("", *ESTIMATORS[family]):
        raise fault(f"The family {family!r} takes {' or '.join(ESTIMATORS[family]) or 'none: take it out'}.", "estimator")
    tests = _TESTS.get(family, ("wald-z",))
    if model.get("test", "") not in ("", *tests):
        raise fault(f"The family {family!r} has no such test here: {'give ' + ' or '.join(tests) if tests else 'take it out'}.", "test")
    if "formula" in model and model["formula"].count("~") != 1:
        raise fault("Write the outcome, '~' and the covariates, such as \"{outcome} ~ C(arm)\".", "formula")
    for field in ("time", "exposure"):
        if columns.get(model.get(field), {}).get("type") == "string":
            raise fault("It holds text: name a column of numbers.", field)
    if model.get("test") == "welch" or family in OF_TESTS:
        _check_two_columns(study, name, model)
    if model.get("test") == "welch":
        if model.get("covariance") == "robust":
            raise fault("Welch's test has a covariance of its own: take it out.", "covariance")
        for contrast, terms in model.get("contrasts", {}).items():
            if abs(sum(term["weight"] for term in terms)) > 1e-9:
                raise StudyError(study.file, SEPARATOR.join(("models", name, "contrasts", contrast)), None, "Welch's test is of a difference of two means: give weights that add up to 0.")


def check_statistic(study: Study, by: Mapping[str, Any], *where: str) -> None:
    """Raise StudyError where an entry asks a model, one without pools, for a statistic or by a contrast that its family does not have."""

    def fault(remedy: str, field: str) -> StudyError:
        return StudyError(study.file, SEPARATOR.join((*where, "by", field)), by.get(field), remedy)

    model, statistic = study.models[by["model"]], by["statistic"]
    family = model["family"]
    if statistic not in GIVEN_BY:
        raise fault(f"A model does not give it. {given_by(statistic)}", "statistic")
    if family not in GIVEN_BY[statistic]:
        what = f"The family {family!r} {'gives a difference, not a ratio' if statistic == 'reduction' and family not in OF_TESTS else 'does not give it'}"
        given = [name for name, families in GIVEN_BY.items() if family in families]
        raise fault(f"{what}: ask a model of {', '.join(GIVEN_BY[statistic])}. {given_by(statistic)} The family {family!r} gives {_listed(tuple(given))}.", "statistic")
    if statistic == "chi2" and model.get("test") == "fisher":
        raise fault("Fisher's test is exact and has no such statistic: ask for p.", "statistic")
    if family in OF_TESTS:
        if "contrast" in by:
            raise fault(f"The family {family!r} is a test without contrasts: take it out.", "contrast")
        return
    if statistic in OF_FIT:
        if "contrast" in by:
            raise fault(f"{statistic!r} is of the whole model: take it out.", "contrast")
        if model.get("test") == "welch":
            raise fault("Welch's test has a variance for each group: ask a linear model without it.", "statistic")
        if not _has_intercept(model["formula"]):
            raise fault("The model has no intercept, and without one programs differ in what R² is: ask a model with an intercept.", "statistic")
        return
    if "contrast" not in by:
        raise StudyError(study.file, SEPARATOR.join((*where, "by")), None, "The field 'contrast' is missing: add it.")
    if isinstance(by["contrast"], list) and statistic not in OF_JOINT:
        raise fault(f"{statistic!r} is of one contrast: name it. Of several together are {', '.join(OF_JOINT)}.", "contrast")
    names = [by["contrast"]] if isinstance(by["contrast"], str) else by["contrast"]
    if not model.get("contrasts"):
        raise StudyError(study.file, SEPARATOR.join(("models", by["model"])), None, f"The field 'contrasts' is missing: add it, with {names[0]!r}.")
    for contrast in names:
        if contrast not in model["contrasts"]:
            raise StudyError(study.file, SEPARATOR.join((*where, "by", "contrast")), contrast, f"Nothing of that name.{nearest(contrast, model['contrasts'])}")


def _has_intercept(formula: str) -> bool:
    """Whether a formula leaves the intercept in: no term of its own is 0 or −1."""
    terms, before = formula.partition("~")[2], ""
    while terms != before:  # what stands within brackets is no term of the formula
        terms, before = re.sub(r"\([^()]*\)", "", terms), terms
    return re.search(r"(?:^|\+)\s*0\s*(?:$|[+-])|-\s*1\s*(?:$|[+-])", terms) is None


def _check_two_columns(study: Study, name: str, model: Mapping[str, Any]) -> None:
    """Raise StudyError where a test's formula is not of one column on the right, or a correlation's columns are not of numbers."""
    columns = columns_of(study, model["table"]) | {model.get("waves", {}).get(part, ""): {} for part in ("time", "outcome")}
    left, _, right = model["formula"].partition("~")
    found = _FACTOR.fullmatch(right)
    column = found and (found[1] or found[2])
    place = SEPARATOR.join(("models", name, "formula"))
    if not column:
        raise StudyError(study.file, place, model["formula"], "The test takes one column right of '~', such as \"{outcome} ~ C(arm)\": other terms belong in a model.")
    if column not in columns:
        raise StudyError(study.file, place, column, f"Nothing of that name.{nearest(column, columns)}")
    for each in (left.strip(), column) if model["family"] == "correlation" else ():
        if columns.get(each, {}).get("type") == "string" or found[1]:
            raise StudyError(study.file, place, model["formula"], "A correlation is of two columns of numbers, such as \"{outcome} ~ age\".")


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
