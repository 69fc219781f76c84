"""Cells of a meta-analysis: each trial's effect, and a pool of them, written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asprinted.paper.code import Cell, assigned, cell_id, checks, frame_name, meant, quoted
from asprinted.study import Claim, Study
from asprinted.study.rules import conditions

_DIRECT = ("est", "se", "lo", "hi", "p", "tau2", "q", "q_p", "i2", "k", "prediction_lo", "prediction_hi")
_RATIOS = ("est", "lo", "hi", "prediction_lo", "prediction_hi")
_OWN = ("n", "q_between", "between_p", "egger", "egger_p")
_SAYS = {"DL": "DerSimonian and Laird", "PM": "Paule and Mandel", "REML": "REML", "common": "one common effect"}
_TAU2 = {
    "DL": ["    tau2 = (q - df) / (w.sum() - (w**2).sum() / w.sum()) if df else 0.0"],
    "common": ["    tau2 = 0.0"],
    "PM": [
        "    def surplus(tau2):",
        "        w = 1 / (v + tau2)",
        "        return (w * (y - np.average(y, weights=w)) ** 2).sum() - df",
        "",
        "    top = 10 * np.ptp(y) ** 2 + 10 * v.max()",
        "    tau2 = optimize.brentq(surplus, 0, top, xtol=1e-14) if q > df else 0.0",
    ],
    "REML": [
        "    def slope(tau2):",
        "        w = 1 / (v + tau2)",
        "        away = (w**2 * (y - np.average(y, weights=w)) ** 2).sum()",
        "        return away - w.sum() + (w**2).sum() / w.sum()",
        "",
        "    top = 10 * np.ptp(y) ** 2 + 10 * v.max()",
        "    inside = df > 0 and slope(0) > 0",
        "    tau2 = optimize.brentq(slope, 0, top, xtol=1e-14) if inside else 0.0",
    ],
}  # fmt: skip


def cells(study: Study, claims: Mapping[str, Claim]) -> tuple[list[Cell], list[tuple[str, str]]]:
    """For each model that pools trials a cell with their effects and one a pool; and the claims that no cell could be written for, with the reason."""
    unwritten = [(id, f"the statistic {claim.by['statistic']!r}") for id, claim in claims.items() if claim.by["statistic"] not in (*_DIRECT, *_OWN)]
    left = {id: claim for id, claim in claims.items() if id not in dict(unwritten)}
    found: list[Cell] = []
    for name in dict.fromkeys(claim.by["model"] for claim in left.values()):
        model = study.models[name]
        found.append(_method(study, name, model))
        groups: dict[str, list[Claim]] = {}
        for claim in left.values():
            if claim.by["model"] == name:
                wanted = [{model["outcome_column"]: claim.by["outcome"]}, *conditions(study, claim.by)]
                groups.setdefault(meant(f"{name}_effects", wanted), []).append(claim)
        found += [_pooled(name, model, rows, each) for rows, each in groups.items()]
    return found, unwritten


def _method(study: Study, name: str, model: Mapping[str, Any]) -> Cell:
    """The effects of all rows, and the function that pools some."""
    effect, frame = model["effect"], frame_name(model["table"])
    lines = [*assigned("effects", meant(frame, [model.get("rows", {})])), *_effects(effect)]
    lines += [f"{name}_effects = effects.assign(y={'effects[' + quoted(effect['direction']) + '] * y' if 'direction' in effect else 'y'}, v=v).dropna(", '    subset=["y", "v"]', ")"]
    estimator, test = model.get("estimator", "DL"), model.get("test", "wald-z")
    lines += ["", "", f"def pool_{name}(y, v):", f'    """Average of trials; variance between them by {_SAYS[estimator]}."""']
    lines += ["    w, df = 1 / v, len(y) - 1", "    q = (w * (y - np.average(y, weights=w)) ** 2).sum()", *_TAU2[estimator]]
    lines += ["    tau2 = max(0.0, tau2)", "    w = 1 / (v + tau2)", "    est, se = np.average(y, weights=w), np.sqrt(1 / w.sum())"]
    tail, reach = "stats.norm.sf(abs(est / se))", f"stats.norm.ppf({0.5 + model.get('level', 0.95) / 2:g})"
    if test != "wald-z":
        scale = "(w * (y - est) ** 2).sum() / df"
        lines.append(f"    se *= np.sqrt({f'max(1, {scale})' if test.endswith('wald') else scale})")
        tail, reach = tail.replace("norm.sf(abs(est / se))", "t.sf(abs(est / se), df)"), reach.replace("norm.ppf(", "t.ppf(").replace(")", ", df)")
    lines += [f"    reach = {reach}", f"    wide = {reach.replace('norm.ppf(', 't.ppf(').replace(', df)', ')').replace(')', ', df - 1)')} * np.sqrt(tau2 + se**2)"]
    lines += [
        "    return pd.Series(", "        {", '            "est": est,', '            "se": se,', '            "lo": est - reach * se,', '            "hi": est + reach * se,',
        f'            "p": 2 * {tail},', '            "tau2": tau2,', '            "q": q,', '            "q_p": stats.chi2.sf(q, df),', '            "i2": 100 * max(0.0, 1 - df / q) if df else 0.0,',
        '            "k": len(y),', '            "prediction_lo": est - wide,', '            "prediction_hi": est + wide,', "        }", "    )",
    ]  # fmt: skip
    needs = {"stats"} | ({"optimize"} if "optimize." in "\n".join(lines) else set()) | ({"effectsize"} if effect["measure"] == "smd" else set())
    return Cell(cell_id("effects", name), tuple(lines), (), frozenset(needs))


def _effects(effect: Mapping[str, Any]) -> list[str]:
    """The effect y of each row, the first arm against the second, and its variance v; ratios as logarithms."""
    measure = effect["measure"]
    columns = [f"effects[{quoted(name)}]" for part in ("n", "mean", "sd", "events") if part in effect for name in effect[part]]
    if measure == "hr":
        if "ratio" not in effect:
            return [f"y, v = effects[{quoted(effect['log'])}], effects[{quoted(effect['se'])}] ** 2"]
        low, high = f"effects[{quoted(effect['lo'])}]", f"effects[{quoted(effect['hi'])}]"
        return [f"y = np.log(effects[{quoted(effect['ratio'])}])", f"width = np.log({high}) - np.log({low})", "v = (width / (2 * stats.norm.ppf(0.975))) ** 2"]
    if measure in ("smd", "md"):
        lines = [f"n1, n2 = {columns[0]}, {columns[1]}", f"mean1, mean2 = {columns[2]}, {columns[3]}", f"sd1, sd2 = {columns[4]}, {columns[5]}"]
        return lines + (["y, v = effectsize_smd(mean1, sd1, n1, mean2, sd2, n2)"] if measure == "smd" else ["y, v = mean1 - mean2, sd1**2 / n1 + sd2**2 / n2"])
    lines = [f"n1, n2 = {columns[0]}, {columns[1]}", f"a, c = {columns[2]}, {columns[3]}", "b, d = n1 - a, n2 - c"]
    lines += ["empty = 0.5 * ((a == 0) | (b == 0) | (c == 0) | (d == 0))  # a half in each cell", "a, b, c, d = a + empty, b + empty, c + empty, d + empty"]
    return lines + {
        "rr": ["y = np.log(a / (a + b)) - np.log(c / (c + d))", "v = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)"],
        "or": ["y = np.log(a / b) - np.log(c / d)", "v = 1 / a + 1 / b + 1 / c + 1 / d"],
        "rd": ["y = a / (a + b) - c / (c + d)", "v = a * b / (a + b) ** 3 + c * d / (c + d) ** 3"],
    }[measure]


def _pooled(name: str, model: Mapping[str, Any], rows: str, claims: Sequence[Claim]) -> Cell:
    """One pool and the claims on it."""
    ratio = model["effect"]["measure"] in ("rr", "or", "hr")
    lines, values = [*assigned("rows", rows), f'found = pool_{name}(rows["y"], rows["v"])'], {}
    n1, n2 = map(quoted, model["effect"]["n"])
    if any(claim.by["statistic"] in ("egger", "egger_p") for claim in claims):
        lines += [f"rows = rows.assign(unit=np.sqrt(1 / rows[{n1}] + 1 / rows[{n2}]))", 'line = smf.wls("y ~ unit", rows, weights=1 / rows["v"]).fit()']
    for column in dict.fromkeys(claim.by["column"] for claim in claims if claim.by["statistic"] in ("q_between", "between_p")):
        lines += [f"parts = rows.groupby({quoted(column)})", f'groups = pd.DataFrame([pool_{name}(part["y"], part["v"]) for _, part in parts])'.replace("DataFrame([", "DataFrame(\n    [").replace("parts])", "parts]\n)")]
        lines += ['est, w = groups["est"], 1 / groups["se"] ** 2', f"q_{column} = (w * (est - np.average(est, weights=w)) ** 2).sum()"]
    for claim in claims:
        statistic = claim.by["statistic"]
        if statistic == "n":
            values[claim.id] = f"rows[[{n1}, {n2}]].sum().sum()"
        elif statistic in ("egger", "egger_p"):
            values[claim.id] = f'line.{"params" if statistic == "egger" else "pvalues"}["unit"]'
        elif statistic in ("q_between", "between_p"):
            q = f"q_{claim.by['column']}"
            values[claim.id] = q if statistic == "q_between" else f'stats.chi2.sf({q}, rows[{quoted(claim.by["column"])}].nunique() - 1)'
        else:
            values[claim.id] = f'np.exp(found["{statistic}"])' if ratio and statistic in _RATIOS else f'found["{statistic}"]'
    return Cell(cell_id("pool", claims[0].id), (*lines, *checks(values)), tuple(values), frozenset({"smf"} if any("smf." in line for line in lines) else ()))
