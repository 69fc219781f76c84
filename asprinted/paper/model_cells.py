"""Cells that fit a model: the declared family with the libraries that students run, and each claim on it.

Where a library has a choice, the cell takes the one that `asprinted.models` documents for the family.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from asprinted import models
from asprinted.paper.code import Cell, assigned, cell_id, checks, fitted, frame_name, literal, meant, named, plain, quoted, statistic_of, together
from asprinted.paper.comparison_cells import of_risks, of_test, of_welch
from asprinted.study import RATIO_FAMILIES, Claim, Study
from asprinted.study.families import OF_TESTS

_FITS = {
    "linear": ("smf.ols(formula, rows).fit({options})", "smf"),
    "logistic": ("smf.logit(formula, rows).fit(disp=False{more})", "smf"),
    "gee-logistic": ("smf.gee(formula, groups, rows, family=sm.families.Binomial()).fit()", "sm"),
    "poisson": ("smf.poisson(formula, rows{exposure}).fit(disp=False{more})", "smf"),
    "negative-binomial": ("smf.negativebinomial(formula, rows{exposure}).fit(disp=False, maxiter=500, gtol=1e-8)", "smf"),
    "ordinal": ('OrderedModel.from_formula(formula, rows, distr="logit").fit(disp=False, method="bfgs", gtol=1e-8)', "ordered"),
    "cox": ("smf.phreg(formula, rows, status=event, ties={ties}).fit({groups})", "smf"),
}


def cells(study: Study, frames: Mapping[str, pd.DataFrame], claims: Mapping[str, Claim]) -> tuple[list[Cell], list[tuple[str, str]]]:
    """A cell for each model and outcome that claims are about, and the claims that no cell could be written for, with the reason.

    frames: the records, by which the contrasts are turned into weights on coefficients.
    """
    groups: dict[tuple[str, str], list[Claim]] = {}
    unwritten = []
    for id, claim in claims.items():
        if isinstance(claim.by["outcome"], str):
            groups.setdefault((claim.by["model"], claim.by["outcome"]), []).append(claim)
        else:
            unwritten.append((id, "several outcomes at once"))
    return [_cell(study, frames, name, outcome, each) for (name, outcome), each in groups.items()], unwritten


def _cell(study: Study, frames: Mapping[str, pd.DataFrame], name: str, outcome: str, claims: Sequence[Claim]) -> Cell:
    model = study.models[name]
    person = study.tables[model["table"]]["key"][0]
    lines = [f"# {model['says']}"] if len(model["says"]) < 76 else _wrapped(model["says"])
    lines += _rows(study, model, outcome, person)
    values: dict[str, str] = {}
    if model["family"] in OF_TESTS:
        found, values = of_test(study, model, outcome, claims)
    elif model["family"] in ("risk-ratio", "risk-difference"):
        found, values = of_risks(model, outcome, claims)
    elif model.get("test") == "welch":
        found, values = of_welch(model, outcome, claims)
    else:
        found, values = _of_coefficients(model, outcome, claims, models.design(model | {"person": person}, frames[model["table"]], outcome), person)
    lines += [*found, *checks(values)]
    text = "\n".join(lines)
    marks = {"smf": "smf.", "sm": "sm.", "stats": "stats.", "ordered": "OrderedModel", "survdiff": "survdiff("}
    return Cell(cell_id(name, outcome), tuple(lines), tuple(values), frozenset(key for key, mark in marks.items() if re.search(rf"(?<![\w.]){re.escape(mark)}", text)))


def _wrapped(says: str) -> list[str]:
    lines, line = [], "#"
    for word in says.split():
        if len(line) + len(word) > 76:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _formula(model: Mapping[str, Any], outcome: str) -> str:
    text = model["formula"].replace("{outcome}", outcome)
    return f"{model['time']} ~{text.partition('~')[2]}" if model["family"] == "cox" else text


def _rows(study: Study, model: Mapping[str, Any], outcome: str, person: str) -> list[str]:
    """The rows that the model uses, with the columns that it makes, as `rows`; what is missing is left out."""
    frame, lines = frame_name(model["table"]), []
    if waves := model.get("waves"):
        lines.append("stacked = pd.concat(\n    [")
        lines += [f"        {frame}.assign({waves['time']}={time}, {waves['outcome']}={frame}[{quoted(column)}])," for column, time in waves["columns"].items()]
        lines.append("    ],\n    ignore_index=True,\n)")
        frame = "stacked"
    chosen = meant(frame, [model.get("rows", {})])
    plain = chosen == frame and "baseline" not in model and model.get("missing") != "as-zero"  # nothing to be said of rows but what is missing
    lines += [] if plain else assigned("rows", chosen)
    needed = [outcome, *named(study, model["table"], model.get("formula", "").partition("~")[2])]
    if baseline := model.get("baseline"):
        lines += assigned("start", meant(frame, [{baseline["column"]: baseline["value"]}]))
        lines += [f"start = start.set_index({quoted(person)})[{quoted(outcome)}]", f"rows = rows.assign(baseline=rows[{quoted(person)}].map(start))"]
        needed.append("baseline")
    needed += [model[field] for field in ("time", "exposure") if field in model]
    if model.get("missing") == "as-zero":
        lines.append(f"rows = rows.assign({outcome}=rows[{quoted(outcome)}].fillna(0))")
    subset = literal(list(dict.fromkeys(needed)))
    line = f"rows = {frame if plain else 'rows'}.dropna(subset={subset})"
    lines += [line] if len(line) <= 80 else [line.partition("subset")[0], f"    subset={subset}", ")"]
    if model["family"] in ("cox", "log-rank"):
        event, time = f"rows[{quoted(outcome)}]", f"rows[{quoted(model['time'])}]"
        if "until" in model:
            lines += [f"event = {event}.where({time} <= {model['until']}, 0)", f"rows = rows.assign({model['time']}={time}.clip(upper={model['until']}))"]
        else:
            lines.append(f"event = {event}")
    if "groups" in model and model["family"] != "mixed" and (model.get("covariance") == "robust" or model["family"] == "gee-logistic"):
        lines += [f"alone = rows[{quoted(person)}].astype(str)  # without a group: a group of one", f"groups = pd.factorize(rows[{quoted(model['groups'])}].fillna(alone))[0]"]
    return lines


def _of_coefficients(model: Mapping[str, Any], outcome: str, claims: Sequence[Claim], design: models.Design, person: str) -> tuple[list[str], dict[str, str]]:
    """The fit, and of each contrast its weights on the coefficients, its test, and the claims on it."""
    names = [name for place, name in enumerate(design.info.column_names) if place != design.intercept]
    lines = [f"formula = {quoted(_formula(model, outcome))}", *(_mixed(model, person) if model["family"] == "mixed" else fitted(_fit(model)))]
    values: dict[str, str] = {}
    ratio, level = model["family"] in RATIO_FAMILIES, model.get("level", 0.95)
    contrasts = dict.fromkeys(name for claim in claims for name in _contrasts(claim))
    one = len(contrasts) == 1
    for contrast in contrasts:
        end = "" if one else f"_{contrast}"
        weights = design.contrast(model["contrasts"][contrast])
        picked = {name: plain(weight) for name, weight in zip(names, weights, strict=True) if abs(weight) > 1e-12}
        lines += [f"weights{end} = {{", *(f"    {quoted(name)}: {weight}," for name, weight in picked.items()), "}"]
        names_of = "x.columns" if model["family"] == "mixed" else _names(model)
        line = f"row{end} = [weights{end}.get(name, 0) for name in {names_of}]"
        lines += [line] if len(line) <= 80 else [f"names = {names_of}", f"row{end} = [weights{end}.get(name, 0) for name in names]"]
        single = [claim for claim in claims if claim.by.get("contrast") == contrast]
        if not single:
            continue
        if model["family"] == "mixed":
            lines += [*together(f"est{end}, se{end}", f"row{end} @ fit.fe_params.to_numpy()", f"np.sqrt(row{end} @ cov @ row{end})"), f"p{end} = 2 * stats.norm.sf(abs(est{end} / se{end}))"]
            lines += [f"reach{end} = stats.norm.ppf({plain(0.5 + level / 2)}) * se{end}", *together(f"low{end}, high{end}", f"est{end} - reach{end}", f"est{end} + reach{end}")] if _asks(single, "lo", "hi") else []
        else:
            lines += [f"test{end} = fit.t_test(row{end})", *together(f"est{end}, se{end}, p{end}", *(f"test{end}.{part}.item()" for part in ("effect", "sd", "pvalue")))]
            lines += [f"low{end}, high{end} = test{end}.conf_int({'' if level == 0.95 else f'alpha={plain(1 - level)}'})[0]"] if _asks(single, "lo", "hi") else []
        if _asks(single, "d_lo", "d_hi"):
            lines += [f"d{end} = est{end} / np.sqrt(fit.scale)", f"unit{end} = row{end} @ fit.normalized_cov_params @ row{end}"]
            lines += [f"reach_d{end} = np.sqrt(unit{end} + d{end} ** 2 / (2 * fit.nobs))", f"reach_d{end} *= stats.norm.ppf({plain(0.5 + level / 2)})"]
        values |= {claim.id: statistic_of(claim.by["statistic"], end, ratio) for claim in single}
    for place, names_of in enumerate(dict.fromkeys(tuple(claim.by["contrast"]) for claim in claims if isinstance(claim.by.get("contrast"), list))):
        end = f"_together{place + 1 if place else ''}"
        lines += _joint([f"row_{name}" if not one else "row" for name in names_of], end, model)
        of = {"chi2": f"chi2{end}", "f": f"chi2{end} / {len(names_of)}", "joint_p": f"joint_p{end}"}
        values |= {claim.id: of[claim.by["statistic"]] for claim in claims if claim.by.get("contrast") == list(names_of)}
    values |= {claim.id: "fit.rsquared" for claim in claims if claim.by["statistic"] == "r2"}
    return lines, {claim.id: values[claim.id] for claim in claims}


def _contrasts(claim: Claim) -> list[str]:
    asked = claim.by.get("contrast", [])
    return [asked] if isinstance(asked, str) else asked


def _asks(claims: Sequence[Claim], *statistics: str) -> bool:
    return any(claim.by["statistic"] in statistics for claim in claims)


def _names(model: Mapping[str, Any]) -> str:
    return "fit.model.exog_names" if model["family"] == "cox" else "fit.params.index"


def _fit(model: Mapping[str, Any]) -> str:
    """The call that fits the family, with the covariance and the test that the model declares."""
    family, robust, grouped = model["family"], model.get("covariance") == "robust", "groups" in model
    if family == "linear":
        options = ([] if not robust else ['cov_type="cluster", cov_kwds={"groups": groups}, use_t=True'] if grouped else ['cov_type="HC1", use_t=True'])
        options = ["use_t=False"] if model.get("test") == "wald-z" and not robust else [option.replace("True", str(model.get("test") != "wald-z")) for option in options]
        return _FITS[family][0].format(options=", ".join(options))
    more = "" if not robust else ', cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}' if grouped else ', cov_type="HC0"'
    exposure = f", exposure=rows[{quoted(model['exposure'])}]" if "exposure" in model else ""
    return _FITS[family][0].format(more=more, exposure=exposure, ties=quoted(model.get("ties", "efron")), groups="groups=groups" if robust else "")


def _mixed(model: Mapping[str, Any], person: str) -> list[str]:
    """The fit, and the covariance of its coefficients from the estimated variances, as lme4 gives it: each row less a share of its group's mean."""
    group = quoted(model["groups"])
    filled = [] if model["groups"] == person else [f"rows = rows.assign(group_of=rows[{group}].fillna(rows[{quoted(person)}].astype(str)))"]
    column = group if model["groups"] == person else '"group_of"'
    reml = "" if model.get("estimator", "REML") == "REML" else ", reml=False"
    return [
        *filled, f'fit = smf.mixedlm(formula, rows, groups={column}).fit(method="powell"{reml})',
        "x = pd.DataFrame(fit.model.exog, columns=fit.model.exog_names)", "by_group = x.groupby(fit.model.groups)",
        "between = fit.cov_re.iloc[0, 0] / fit.scale", 'size = by_group[x.columns[0]].transform("size")',
        "share = 1 - 1 / np.sqrt(1 + size * between)", 'part = x - by_group.transform("mean").mul(share, axis=0)',
        "cov = fit.scale * np.linalg.inv(part.T @ part)",
    ]  # fmt: skip


def _joint(rows: Sequence[str], end: str, model: Mapping[str, Any]) -> list[str]:
    """The test of several contrasts together: chi-squared, and its p value or that of F."""
    lines = [f"both{end} = np.array([{', '.join(rows)}])"]
    if model["family"] == "mixed":
        lines += [f"found{end} = both{end} @ fit.fe_params.to_numpy()", f"spread{end} = both{end} @ cov @ both{end}.T"]
        return [*lines, f"chi2{end} = found{end} @ np.linalg.solve(spread{end}, found{end})", f"joint_p{end} = stats.chi2.sf(chi2{end}, {len(rows)})"]
    of_f = model["family"] == "linear" and model.get("test") != "wald-z"
    lines.append(f"test{end} = fit.wald_test(both{end}, use_f={of_f}, scalar=True)")
    return [*lines, *together(f"chi2{end}, joint_p{end}", f"test{end}.statistic{f' * {len(rows)}' if of_f else ''}", f"test{end}.pvalue")]
