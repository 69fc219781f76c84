"""Code of comparisons without a fitted coefficient: Welch's test, shares compared, and tests of survival, ranks, tables and correlations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from asprinted.paper.code import assigned, meant, named, plain, quoted, statistic_of, together
from asprinted.study import Claim, Study
from asprinted.study.entries import columns_of


def of_welch(model: Mapping[str, Any], outcome: str, claims: Sequence[Claim]) -> tuple[list[str], dict[str, str]]:
    """Welch's test of two groups."""
    lines, values = [], {}
    for contrast in dict.fromkeys(claim.by["contrast"] for claim in claims):
        first, second = sorted(model["contrasts"][contrast], key=lambda term: -term["weight"])[:2]
        lines += [*assigned("a", meant("rows", [first["at"]])), *assigned("b", meant("rows", [second["at"]]))]
        y = quoted(outcome)
        level = model.get("level", 0.95)
        lines += [f"test = stats.ttest_ind(a[{y}], b[{y}], equal_var=False)", f"low, high = test.confidence_interval({plain(level)})"]
        est = f"a[{y}].mean() - b[{y}].mean()"
        se = f"np.sqrt(a[{y}].sem() ** 2 + b[{y}].sem() ** 2)"
        pooled = f"np.sqrt((a[{y}].var() * (len(a) - 1) + b[{y}].var() * (len(b) - 1)) / (len(rows) - 2))"
        of = {"est": est, "se": se, "lo": "low", "hi": "high", "p": "test.pvalue", "joint_p": "test.pvalue", "t": "test.statistic", "f": "test.statistic**2", "chi2": "test.statistic**2", "d": f"({est}) / {pooled}"}
        own = [claim for claim in claims if claim.by["contrast"] == contrast]
        if any(claim.by["statistic"] in ("d_lo", "d_hi") for claim in own):
            lines += [f"d = {of['d']}", "unit = 1 / len(a) + 1 / len(b)", f"reach = stats.norm.ppf({plain(0.5 + level / 2)}) * np.sqrt(unit + d**2 / (2 * len(rows)))"]
            of |= {"d_lo": "d - reach", "d_hi": "d + reach"}
        values |= {claim.id: of[claim.by["statistic"]] for claim in own}
    return lines, values


def of_risks(model: Mapping[str, Any], outcome: str, claims: Sequence[Claim]) -> tuple[list[str], dict[str, str]]:
    """Shares compared: a ratio by the delta method for its logarithm, or a difference in percentage points, with Wald's interval."""
    lines, values, ratio = [], {}, model["family"] == "risk-ratio"
    contrasts = list(dict.fromkeys(claim.by["contrast"] for claim in claims))
    for contrast in contrasts:
        end = "" if len(contrasts) == 1 else f"_{contrast}"
        lines.append(f"cells{end} = [")
        for term in model["contrasts"][contrast]:
            line = f"    ({term['weight']}, {meant('rows', [term['at']])}[{quoted(outcome)}]),"
            lines += [line] if len(line) <= 80 else ["    (", f"        {term['weight']},", f"        {meant('rows', [term['at']])}[{quoted(outcome)}],", "    ),"]
        lines.append("]")
        if ratio:
            lines += [f"est{end} = sum(w * np.log(y.mean()) for w, y in cells{end})", f"parts{end} = [w**2 * (1 / y.sum() - 1 / y.count()) for w, y in cells{end}]"]
        else:
            lines += [f"est{end} = sum(w * 100 * y.mean() for w, y in cells{end})", f"parts{end} = [", f"    w**2 * 1e4 * y.mean() * (1 - y.mean()) / y.count() for w, y in cells{end}", "]"]
        lines += [f"se{end} = np.sqrt(sum(parts{end}))", f"reach{end} = stats.norm.ppf({plain(0.5 + model.get('level', 0.95) / 2)}) * se{end}"]
        lines += [*together(f"low{end}, high{end}", f"est{end} - reach{end}", f"est{end} + reach{end}"), f"p{end} = 2 * stats.norm.sf(abs(est{end} / se{end}))"]
        nnt = {
            "nnt": f"100 / abs(est{end})", "nnt_lo": f"100 / max(abs(low{end}), abs(high{end}))",
            "nnt_hi": f"100 / min(abs(low{end}), abs(high{end})) if low{end} * high{end} > 0 else np.inf",
        }  # fmt: skip
        values |= {claim.id: nnt.get(claim.by["statistic"]) or statistic_of(claim.by["statistic"], end, ratio) for claim in claims if claim.by["contrast"] == contrast}
    return lines, values


def of_test(study: Study, model: Mapping[str, Any], outcome: str, claims: Sequence[Claim]) -> tuple[list[str], dict[str, str]]:
    """A test without a contrast: of survival, of ranks, of a table, or of a correlation."""
    family, test = model["family"], model.get("test")
    [column] = named(study, model["table"], model["formula"].partition("~")[2]) or [re.sub(r"\W", "", model["formula"].partition("~")[2])]
    y, by = f"rows[{quoted(outcome)}]", f"rows[{quoted(column)}]"
    if family == "log-rank":
        lines, of = [f"chi2, p = survdiff(rows[{quoted(model['time'])}], event, {by})"], {}
    elif family == "rank-sum":
        lines = [f"parts = [part for _, part in rows.groupby({quoted(column)})[{quoted(outcome)}]]"]
        kruskal = "stats.kruskal(*parts)"
        two = test == "mann-whitney" or (test is None and len(_levels(study, model, column)) == 2)
        lines.append('p = stats.mannwhitneyu(*parts, method="asymptotic").pvalue' if two else f"p = {kruskal}.pvalue")
        of = {"chi2": f"{kruskal}.statistic"}
    elif family == "chi-squared":
        lines = [f"table = pd.crosstab({y}, {by})"]
        lines.append("p = stats.fisher_exact(table).pvalue" if test == "fisher" else f"chi2, p, _, _ = stats.chi2_contingency(table, correction={test == 'yates'})")
        of = {}
    else:
        pearson = test != "spearman"
        lines = [f"r, p = stats.{'pearsonr' if pearson else 'spearmanr'}({y}, {by})", f"reach = stats.norm.ppf({plain(0.5 + model.get('level', 0.95) / 2)}) / np.sqrt(len(rows) - 3)"]
        of = {"est": "r", "lo": "np.tanh(np.arctanh(r) - reach)", "hi": "np.tanh(np.arctanh(r) + reach)"}
    return lines, {claim.id: of.get(claim.by["statistic"], claim.by["statistic"]) for claim in claims}


def _levels(study: Study, model: Mapping[str, Any], column: str) -> Sequence[Any]:
    """The values that a column of groups can have in the rows of the model."""
    return model.get("rows", {}).get(column) or columns_of(study, model["table"])[column].get("values", ())
