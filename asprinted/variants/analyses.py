"""What a claim on a model asks, in plain words for students: the analysis with its rows, outcome and predictors, and the number that is read off."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asprinted.questions.models import terms_of
from asprinted.study import Study
from asprinted.study.entries import columns_of
from asprinted.study.families import OF_TESTS
from asprinted.study.rules import conditions
from asprinted.variants.descriptions import code, elsewhere, file_of, listed, meant, rows, value

By = Mapping[str, Any]
Model = Mapping[str, Any]
Terms = Sequence[Mapping[str, Any]]

_FITS = {
    "linear": "a linear regression (ordinary least squares) of {y}", "logistic": "a logistic regression of {y}", "gee-logistic": "a logistic regression of {y} by generalised estimating equations (independent within groups)",
    "poisson": "a Poisson regression of {y}", "negative-binomial": "a negative binomial regression of {y}", "ordinal": "a proportional odds regression (ordinal logistic) of {y}",
    "cox": "a Cox regression of the time in {time}, with {y} 1 where the event came at that time and 0 where it had not come yet,",
}  # fmt: skip
_TESTS = {
    "mann-whitney": "the Mann-Whitney test (with continuity correction) of {y} between the values of {x}", "kruskal-wallis": "the Kruskal-Wallis test of {y} between the values of {x}",
    "pearson": "Pearson's chi-squared test (without continuity correction) of {y} by {x}", "yates": "the chi-squared test with Yates's correction of {y} by {x}",
    "fisher": "Fisher's exact test of {y} by {x}", "log-rank": "the log-rank test of the time in {time}, with {y} 1 where the event came at that time, between the values of {x}",
    "correlation": "Pearson's correlation of {y} with {x}", "spearman": "Spearman's rank correlation of {y} with {x}",
}  # fmt: skip
_RATIOS = {"logistic": "odds ratio", "gee-logistic": "odds ratio", "ordinal": "common odds ratio", "cox": "hazard ratio", "risk-ratio": "risk ratio"}
_EFFECTS = {"smd": "standardised mean difference", "md": "mean difference", "rr": "risk ratio", "or": "odds ratio", "rd": "risk difference", "hr": "hazard ratio"}
_HELD = {
    "n": "people in", "mean": "means in", "sd": "standard deviations in", "events": "people with the event in", "log": "logarithms of the hazard ratios in", "se": "their standard errors in",
    "ratio": "hazard ratios in", "lo": "lower limits in", "hi": "upper limits in",
}  # fmt: skip
_BETWEEN = {"DL": "DerSimonian and Laird's variance between trials", "PM": "Paule and Mandel's variance between trials", "REML": "the variance between trials by REML"}
_POOLED = {
    "est": "the pooled {effect}", "se": "the standard error of the pooled {effect}", "lo": "the lower end of the {level} confidence interval of the pooled {effect}",
    "hi": "the upper end of the {level} confidence interval of the pooled {effect}", "p": "the two-sided p value of the pooled {effect}", "tau2": "the variance between trials (τ²)", "q": "Cochran's Q",
    "q_p": "the p value of Cochran's Q", "i2": "I², in per cent", "k": "how many rows have an effect that is pooled", "n": "how many people these rows have in both arms together",
    "prediction_lo": "the lower end of the {level} prediction interval", "prediction_hi": "the upper end of the {level} prediction interval", "egger": "the slope of Egger's test",
    "egger_p": "the p value of Egger's test", "lead": "the pooled {effect} less the largest that the other values of {last} have", "percent_below": "the percentage of trials of which some effect has its whole interval below no effect",
    "q_between": "Q between the groups of rows that {column} makes, each pooled by itself", "between_p": "the p value of the test between the groups of rows that {column} makes, each pooled by itself",
}  # fmt: skip
_OF_MODEL = {
    "est": "{it}", "se": "the standard error of {log}{it}", "lo": "the lower end of the {level} confidence interval of {it}", "hi": "the upper end of the {level} confidence interval of {it}",
    "p": "the two-sided p value of {it}", "t": "the t value (estimate over standard error) of {it}", "f": "the F value of the test of {it}", "chi2": "the chi-squared value of Wald's test of {it}",
    "joint_p": "the p value of the test of {it}", "reduction": "100 × (1 − r), where r is {it}", "nnt": "the number needed to treat: 1 / d, where d is {it}",
    "nnt_lo": "the lower end of the {level} confidence interval of the number needed to treat: 1 / d, where d is {it}", "nnt_hi": "the upper end of the {level} confidence interval of the number needed to treat: 1 / d, where d is {it}",
    "d": "{it}, divided by the residual standard deviation", "d_lo": "the lower end of the {level} confidence interval of {it}, divided by the residual standard deviation",
    "d_hi": "the upper end of the {level} confidence interval of {it}, divided by the residual standard deviation", "r2": "R², the share of the variance that the regression explains",
}  # fmt: skip
_OF_TEST = {"chi2": "the chi-squared value", "p": "the p value", "est": "the correlation", "lo": "the lower end of its {level} confidence interval", "hi": "the upper end of its {level} confidence interval"}
NAMES = tuple(dict.fromkeys((*_POOLED, *_OF_MODEL, *_OF_TEST)))  # statistics of a model that have words here


def key(by: By) -> tuple[Any, ...]:
    """What tells one analysis from another: entries on models that share it are read off the same fit."""
    return by["model"], repr(by["outcome"]), repr(by.get("rule")), repr(by.get("filter"))


def analysis(study: Study, by: By) -> str:
    """The analysis that an entry's `by` on a model reads a number off, a few sentences: the outcome, the predictors, the rows, and what the study file calls it."""
    model = study.models[by["model"]]
    outcomes = _several(by["outcome"])
    done = _pool(study, model, by, outcomes) if model["family"] == "random-effects" else _fit(study, model, outcomes)
    return " ".join([*(f"{each[0].upper()}{each[1:]}." for each in done), f"In other words: {model['says'].rstrip('.')}."])


def asked(study: Study, by: By) -> str:
    """The number that an entry's `by` on a model reads off its analysis, such as "the odds ratio of `arm` "course" against "usual""."""
    model, statistic = study.models[by["model"]], by["statistic"]
    level = f"{100 * model.get('level', 0.95):g}%"
    if model["family"] == "random-effects":
        return _POOLED[statistic].format(level=level, effect=_EFFECTS[model["effect"]["measure"]], column=code(by.get("column", "")), last=code(list(by.get("filter", {"": ""}))[-1]))
    one_of = f"the {by.get('take', 'smallest')}, over these outcomes, of " if len(_several(by["outcome"])) > 1 else ""
    if model["family"] in OF_TESTS:
        return one_of + _OF_TEST[statistic].format(level=level)
    contrasts = [by["contrast"]] if isinstance(by.get("contrast"), str) else by.get("contrast", [])
    it = " and ".join(_estimate(study, model, model["contrasts"][name], _outcome(by["outcome"])) for name in contrasts) + (", together" if len(contrasts) > 1 else "")
    return one_of + _OF_MODEL[statistic].format(it=it, level=level, log="the logarithm of " if _ratio(study, model, by["outcome"]) else "")


# The analysis


def _fit(study: Study, model: Model, outcomes: Sequence[str]) -> list[str]:
    family, y = model["family"], f"{'each of ' if len(outcomes) > 1 else ''}{listed(map(code, outcomes))}"
    given = {"y": y, "time": code(model.get("time", ""))}
    if family in OF_TESTS:
        test = model.get("test", {"rank-sum": _rank_test(study, model), "chi-squared": "pearson", "log-rank": "log-rank"}.get(family, "correlation"))
        test = "correlation" if family == "correlation" and test == "pearson" else test
        what = _TESTS[test].format(x=listed(_predictors(study, model)), **given)
    elif family in ("risk-ratio", "risk-difference"):
        what = f"a comparison of the shares with 1 in {y}, with Wald's interval{' of the logarithm' if family == 'risk-ratio' else ''}"
    elif model.get("test") == "welch":
        what = f"Welch's t test (of unequal variances) of {y} between the values of {listed(_predictors(study, model))}"
    elif family == "mixed":
        how = "maximum likelihood" if model.get("estimator") == "ML" else "REML"
        what = f"a linear mixed model of {y} on {_right(study, model)}, with a random intercept for each {code(model['groups'])}, by {how}, with Wald's z test"
    else:
        what = f"{_FITS[family].format(**given)} on {_right(study, model)}"
    robust = model.get("covariance") == "robust" or family == "gee-logistic"
    what += (f", with standard errors robust by {code(model['groups'])}" if "groups" in model else ", with robust standard errors") if robust else ""
    what += f", with {code(model['exposure'])} as time at risk" if "exposure" in model else ""
    what += {"efron": ", ties by Efron's method", "breslow": ", ties by Breslow's method"}[model.get("ties", "efron")] if family == "cox" else ""
    what += ", tested by the normal distribution" if family == "linear" and model.get("test") == "wald-z" else ""
    return [what, *_more(study, model, outcomes), _used(study, model, outcomes)]


def _more(study: Study, model: Model, outcomes: Sequence[str]) -> list[str]:
    """What has to be made of the rows first."""
    person, found = code(study.tables[model["table"]]["key"][0]), []
    if waves := model.get("waves"):
        times = listed(f"{code(column)} with {code(waves['time'])} {time}" for column, time in waves["columns"].items())
        found.append(f"for it the columns are stacked, so that each {person} has a row a time: {times}, as {code(waves['outcome'])}")
    if baseline := model.get("baseline"):
        found.append(f"{code('baseline')} is the same person's {_outcome(outcomes)} where {code(baseline['column'])} is {value(baseline['value'])}")
    if "until" in model:
        found.append(f"follow-up ends at {code(model['time'])} {model['until']}: what came later had not come yet")
    return found


def _used(study: Study, model: Model, outcomes: Sequence[str]) -> str:
    """Which rows are used, and what becomes of empty cells."""
    table, right = model["table"], _names(study, model)
    named = [*outcomes, *right, *(model[field] for field in ("time", "exposure", "groups") if field in model)]
    other = [column for column in elsewhere(study, table, named) if column not in model.get("rows", {})]
    text = f"it takes {rows(study, table, [model['rows']] if model.get('rows') else [])}"
    text += f", with {listed(map(code, other))} from {file_of(study, study.tables[table]['parent'])}" if other else ""
    if model.get("missing") == "as-zero":
        return f"{text}; an empty {_outcome(outcomes)} counts as 0"
    known = columns_of(study, table)
    return text + ("" if all(known.get(column, {}).get("required") for column in named) else "; rows with an empty cell in one of these columns are left out")


def _pool(study: Study, model: Model, by: By, outcomes: Sequence[str]) -> list[str]:
    effect = model["effect"]
    columns = [f"{_HELD[name]} {listed(map(code, _several(held)))}" for name, held in effect.items() if name in _HELD]
    common = model.get("estimator") == "common"
    hedges = " (Hedges' g)" if effect["measure"] == "smd" else ""
    what = f"a {'common-effect' if common else 'random-effects'} meta-analysis of {_EFFECTS[effect['measure']]}s{hedges}, the first arm against the second, from {listed(columns)}"
    what += "" if common else f", with {_BETWEEN[model.get('estimator', 'DL')]}"
    what += ", its interval by Knapp and Hartung" if model.get("test", "wald-z") != "wald-z" else ""
    turned = [f"an effect changes its sign where {code(effect['direction'])} is -1"] if "direction" in effect else []
    outcome = {model["outcome_column"]: outcomes[0] if len(outcomes) == 1 else list(outcomes)}
    return [what, *turned, f"it takes {rows(study, model['table'], [outcome, *conditions(study, by)])}"]


def _rank_test(study: Study, model: Model) -> str:
    """The test of ranks that a model means where it names none: of two groups Mann and Whitney's."""
    column = (_names(study, model) or [""])[0]
    levels = model.get("rows", {}).get(column, columns_of(study, model["table"]).get(column, {}).get("values", ()))
    return "kruskal-wallis" if isinstance(levels, list) and len(levels) > 2 else "mann-whitney"


def _right(study: Study, model: Model) -> str:
    return listed(_predictors(study, model)) or "nothing else"


def _predictors(study: Study, model: Model) -> list[str]:
    """What stands right of '~', a part a term; main effects before interactions, each once."""
    single, together = [], []
    for term in reversed(terms_of(model)):
        factors = list(_factors(term))
        single += [_term(study, model, factor) for factor in factors]
        if len(factors) > 1:
            together.append(f"the interaction of {listed(code(_name(factor)) for factor in factors)}")
    found = list(dict.fromkeys([*single, *together]))
    return found or [code(model.get("formula", "~").partition("~")[2].strip())]


def _factors(term: ast.expr) -> Iterable[ast.expr]:
    if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult):
        yield from _factors(term.left)
        yield from _factors(term.right)
    else:
        yield term


def _term(study: Study, model: Model, term: ast.expr) -> str:
    """One predictor: a column of numbers by its name, one of categories with what it is compared with, where the formula says so."""
    match term:
        case ast.Call(ast.Name("C"), [ast.Name(name)]):
            numbers = columns_of(study, model["table"]).get(name, {}).get("type") != "string"
            return f"{code(name)}{' (as categories)' if numbers else ''}"
        case ast.Call(ast.Name("C"), [ast.Name(name), ast.Call(ast.Name("Treatment"), [ast.Constant(reference)])]):
            return f"{code(name)} (compared with {value(reference)})"
    return code(ast.unparse(term))


def _name(term: ast.expr) -> str:
    match term:
        case ast.Call(ast.Name("C"), [ast.Name(name), *_]):
            return name
    return ast.unparse(term)


def _names(study: Study, model: Model) -> list[str]:
    """The columns of the table, with its parent's, that stand right of '~'."""
    known = columns_of(study, model["table"])
    return list(dict.fromkeys(node.id for term in terms_of(model) for node in ast.walk(term) if isinstance(node, ast.Name) and node.id in known))


def _several(outcomes: str | Sequence[str]) -> Sequence[str]:
    return [outcomes] if isinstance(outcomes, str) else outcomes


def _outcome(outcomes: str | Sequence[str]) -> str:
    """The outcome as a sentence names it after it was introduced."""
    each = _several(outcomes)
    return code(each[0]) if len(each) == 1 else "the outcome"


# The number


def _ratio(study: Study, model: Model, outcome: Any) -> str:
    """What the family's ratio is called; nothing where it gives a difference."""
    if model["family"] not in ("poisson", "negative-binomial"):
        return _RATIOS.get(model["family"], "")
    spec = columns_of(study, model["table"]).get(outcome, {}) if isinstance(outcome, str) else {}
    return "rate ratio" if "exposure" in model else "risk ratio" if set(spec.get("values", ())) == {0, 1} else "ratio of mean counts"


def _estimate(study: Study, model: Model, terms: Terms, y: str) -> str:
    """A contrast in words: a difference or ratio of two cells, of one more in a number, a difference of differences, the mean of one cell, or a sum."""
    ratio = _ratio(study, model, y.strip("`"))
    shares = model["family"] == "risk-difference"
    what = f"the {ratio}" if ratio else f"the difference in the share with 1 in {y}" if shares else f"the difference in the mean of {y}"
    between = "against" if ratio else "minus"
    first, *rest = sorted(terms, key=lambda term: -term["weight"])
    if not rest and first["weight"] == 1:
        return f"the {'share with 1 in' if shares else 'mean of'} {y} that the model gives for {_at(first['at'])}"
    weights = [term["weight"] for term in (first, *rest)]
    if weights == [1, -1]:
        unlike, alike = _split(first["at"], rest[0]["at"])
        at = f", for {_at(alike)}" if alike else ""
        if len(unlike) == 1 and (more := _one_more(study, model, next(iter(unlike)), first, rest[0])):
            return f"{what} for one more in {more}{at}" if ratio else f"the slope, how much {y} rises for one more in {more}{at}"
        second = _at({column: rest[0]["at"][column] for column in unlike if column in rest[0]["at"]}, named=False)
        return f"{what}, {_at(unlike)} {between} {second}{at}"
    if weights == [1, 1, -1, -1] and (found := _crossed([first["at"], rest[0]["at"]], [rest[1]["at"], rest[2]["at"]])):
        one, other, here, there = found
        pair = f"{_at(one)} {between} {_at(other, named=False)}"
        return f"the ratio of two {ratio}s, {pair}: that for {_at(here)} over that for {_at(there, named=False)}" if ratio else f"{what}, {pair}, for {_at(here)}, less the same difference for {_at(there, named=False)}"
    parts = [f"{'plus' if term['weight'] > 0 else 'minus'} {abs(term['weight']):.4g} times that for {_at(term['at'])}" for term in terms]
    return f"{f'the exponential of a sum of logarithms ({ratio})' if ratio else f'a sum of means of {y} that the model gives'}: {', '.join(parts)}"


def _at(at: Mapping[str, Any], named: bool = True) -> str:
    return listed(f"{code(column)} {meant(each)}" if named else meant(each) for column, each in at.items())


def _split(at: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What two cells have unlike (as the first has it) and alike."""
    alike = {column: each for column, each in at.items() if other.get(column) == each}
    return {column: each for column, each in at.items() if column not in alike}, alike


def _crossed(plus: Sequence[Mapping[str, Any]], minus: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...] | None:
    """(level, other level, here, there) where four cells are a difference of differences of two columns: the last column says where; None otherwise."""
    (a, b), cells = plus, [*plus, *minus]
    columns = list(a)
    if len(columns) != 2 or any(set(cell) != set(columns) for cell in cells) or any(a[column] == b[column] for column in columns):
        return None
    first, last = columns
    if sorted(map(repr, ({first: a[first], last: b[last]}, {first: b[first], last: a[last]}))) != sorted(repr({column: cell[column] for column in columns}) for cell in minus):
        return None
    return {first: a[first]}, {first: b[first]}, {last: a[last]}, {last: b[last]}


def _one_more(study: Study, model: Model, column: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """The column where two cells are one apart in a predictor that is a number and no category; else nothing."""
    spec = columns_of(study, model["table"]).get(column, {})
    plain = any(isinstance(term, ast.Name) and term.id == column for term in terms_of(model))
    if not plain or spec.get("type") not in ("integer", "number") or set(spec.get("values", ())) == {0, 1}:
        return ""
    return code(column) if first["at"][column] - second["at"].get(column, 0) == 1 else ""
