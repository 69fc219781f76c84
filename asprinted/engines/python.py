"""A second engine: statsmodels and scipy, with Python's own `statistics` for columns.

Nothing here calls a model of `asprinted.models`: rows are the same, fits are not.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from patsy import PatsyError

NAME = "statsmodels"


class Cannot(Exception):
    """This engine has no counterpart of what is asked; the message says of what."""


def available() -> bool:
    """True where statsmodels is installed."""
    from importlib.util import find_spec

    return find_spec("statsmodels") is not None


def answers(questions: Sequence[Any], answer: Callable[..., Any]) -> list[Any]:
    """An answer (engine, value, reason) to each question; questions on the same rows and model share a fit."""
    fits: dict[tuple[int, int, str], tuple[Any, Any, bool]] = {}
    return [_answered(question, answer, fits) for question in questions]


def _answered(question: Any, answer: Callable[..., Any], fits: dict[tuple[int, int, str], tuple[Any, Any, bool]]) -> Any:
    try:
        if question.model is None:
            value = describe(question.frame, question.by)
        elif question.effects is not None:
            value = pooled(question.model, question.effects, question.by["statistic"])
        elif question.model["family"] == "random-effects":
            raise Cannot("several pools at once")
        else:
            value = model(question.model, question.frame, question.outcome, question.contrasts, question.by["statistic"], fits)
    except Cannot as reason:
        return answer(NAME, None, f"no counterpart of {reason}")
    except (ValueError, LookupError, ArithmeticError, np.linalg.LinAlgError, PatsyError) as error:
        return answer(NAME, None, f"{type(error).__name__}: {error}".splitlines()[0])
    return answer(NAME, value) if math.isfinite(value) else answer(NAME, None, "no finite value")


# -- columns of a table


def _limit(values: list[float], sign: int) -> float:
    from scipy import stats

    ends = stats.t.interval(0.95, len(values) - 1, statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)))
    return float(ends[0] if sign < 0 else ends[1])


def _quartile(place: int) -> Callable[[list[float], Mapping[str, Any]], float]:
    return lambda values, by: statistics.quantiles(values, n=4, method="inclusive")[place]


COLUMNS: dict[str, Callable[[list[float], Mapping[str, Any]], float]] = {
    "sum": lambda values, by: math.fsum(values),
    "mean": lambda values, by: statistics.fmean(values),
    "percent": lambda values, by: 100 * statistics.fmean(values),
    "sd": lambda values, by: statistics.stdev(values),
    "se": lambda values, by: statistics.stdev(values) / math.sqrt(len(values)),
    "lo": lambda values, by: _limit(values, -1),
    "hi": lambda values, by: _limit(values, 1),
    "median": lambda values, by: statistics.median(values),
    "q1": _quartile(0),
    "q3": _quartile(2),
    "iqr": lambda values, by: _quartile(2)(values, by) - _quartile(0)(values, by),
    "minimum": lambda values, by: min(values),
    "maximum": lambda values, by: max(values),
    "percent_at_least": lambda values, by: 100 * sum(value >= by["at_least"] for value in values) / len(values),
}


def describe(frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
    """A statistic of a table's rows. Raises Cannot where the engine has none of that name."""
    name = by["statistic"]
    if name == "count":
        return float(sum(1 for _ in frame.index))
    if name == "observed":
        return float(sum(not pd.isna(cell) for cell in frame[by["column"]]))
    if name == "percent_observed":
        return 100 * sum(not pd.isna(cell) for cell in frame[by["column"]]) / len(frame)
    if name == "distinct":
        return float(len({cell for cell in frame[by["column"]] if not pd.isna(cell)}))
    if name in ("smallest_count", "largest_count"):
        counts = Counter(cell for cell in frame[by["column"]] if not pd.isna(cell)).values()
        return float(min(counts) if name == "smallest_count" else max(counts))
    if name == "smallest_sum":
        return float(min(sum(row) for row in frame[by["column"]].to_numpy(dtype=float)))
    if name == "percent_equal":
        cells = [cell for cell in frame[by["column"]] if not pd.isna(cell)]
        return 100 * sum(cell == by["equals"] for cell in cells) / len(cells)
    if name in ("survival", "incidence", "survival_median"):
        return _survival(frame, by)
    if name == "rate":
        cells = frame[[by["column"], by["exposure"]]].dropna().astype(float)
        return float(by.get("per", 1)) * math.fsum(cells[by["column"]]) / math.fsum(cells[by["exposure"]])
    if name not in COLUMNS or not isinstance(by["column"], str):
        raise Cannot(name)
    return float(COLUMNS[name]([float(cell) for cell in frame[by["column"]] if not pd.isna(cell)], by))


def _middle(times: np.ndarray, left: np.ndarray) -> float:
    """The median: the first time with half or fewer left; where it is exactly half, the middle between it and the next, as R's survfit has it."""
    reached = np.flatnonzero(left <= 0.5 + 1e-12)
    if not len(reached):
        return math.nan
    first = int(reached[0])
    lower = np.flatnonzero(left < 0.5 - 1e-12)
    return float((times[first] + times[lower[0]]) / 2 if len(lower) and left[first] > 0.5 - 1e-12 else times[first])


def _survival(frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
    from statsmodels.duration.survfunc import SurvfuncRight

    cells = frame[[by["column"], by["event"]]].dropna().astype(float)
    curve = SurvfuncRight(cells[by["column"]], cells[by["event"]])
    if by["statistic"] == "survival_median":
        return _middle(curve.surv_times, curve.surv_prob)
    before = curve.surv_times <= by["at"]
    left = 100 * float(curve.surv_prob[before][-1]) if before.any() else 100.0
    return left if by["statistic"] == "survival" else 100 - left


# -- models


def model(
    spec: Mapping[str, Any], table: pd.DataFrame, outcome: str, contrast: Sequence[Sequence[Mapping[str, Any]]], statistic: str,
    fits: dict[tuple[int, int, str], tuple[Any, Any, bool]],
) -> float:  # fmt: skip
    """A statistic of a model on `table`, its rows as asked; contrast: the terms of each contrast asked for; fits: those made before, by rows and model.

    Raises Cannot where the engine has no such model or statistic.
    """
    family = spec["family"]
    formula = spec.get("formula", "").replace("{outcome}", outcome)
    if family in _TESTS:
        return _TESTS[family](spec, *_sides(formula, table), statistic)
    if family in ("risk-ratio", "risk-difference"):
        return _two_by_two(spec, table, outcome, contrast[0], statistic)
    if family == "linear" and spec.get("test") == "welch":
        return _welch(formula, table, contrast[0], statistic)
    if family not in _FITS:
        raise Cannot(family)
    key = (id(spec), id(table), outcome)
    if key not in fits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits[key] = _FITS[family](spec, formula, table)
    fitted, info, drop = fits[key]
    if statistic == "r2":
        return float(fitted.rsquared)
    rows = np.array([_row(info, table, terms, drop) for terms in contrast])
    return _of_contrast(spec, fitted, rows, statistic)


def _of_contrast(spec: Mapping[str, Any], fitted: Any, rows: np.ndarray, statistic: str) -> float:
    names = len(np.asarray(fitted.params))
    rows = np.pad(rows, ((0, 0), (0, names - rows.shape[1])))  # thresholds, dispersion or variances follow the coefficients
    if statistic in ("f", "joint_p"):
        use_f = spec["family"] == "linear" and spec.get("test") != "wald-z"
        test = fitted.wald_test(rows, use_f=use_f, scalar=True)
        return float(test.statistic) / (1 if use_f else len(rows)) if statistic == "f" else float(test.pvalue)
    covariance = np.asarray(fitted.cov_params())
    est, se = float(rows[0] @ np.asarray(fitted.params)), float(np.sqrt(rows[0] @ covariance @ rows[0]))
    from scipy import stats

    on_t = spec["family"] == "linear" and spec.get("test") != "wald-z"
    law = stats.t(getattr(fitted, "df_resid_inference", None) or fitted.df_resid) if on_t else stats.norm()
    half = law.ppf(0.5 + spec.get("level", 0.95) / 2) * se
    shown = math.exp if spec["family"] in _RATIOS else float
    values = {
        "est": lambda: shown(est), "se": lambda: se, "lo": lambda: shown(est - half), "hi": lambda: shown(est + half), "t": lambda: est / se,
        "p": lambda: 2 * law.sf(abs(est) / se), "reduction": lambda: 100 * (1 - shown(est)), "d": lambda: est / math.sqrt(fitted.scale),
        "d_lo": lambda: _standardised(fitted, rows[0], est, spec, -1), "d_hi": lambda: _standardised(fitted, rows[0], est, spec, 1),
    }  # fmt: skip
    if statistic not in values:
        raise Cannot(f"{statistic} of {spec['family']}")
    return float(values[statistic]())


def _standardised(fitted: Any, row: np.ndarray, est: float, spec: Mapping[str, Any], side: int) -> float:
    """An end of the interval of the difference in residual standard deviations, from the fit's unscaled covariance."""
    d = est / math.sqrt(fitted.scale)
    se = math.sqrt(float(row @ np.asarray(fitted.normalized_cov_params) @ row) + d * d / (2 * fitted.nobs))
    return d + side * statistics.NormalDist().inv_cdf(0.5 + spec.get("level", 0.95) / 2) * se


def _sides(formula: str, table: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    left, right = (side.strip() for side in formula.split("~"))
    right = right.removeprefix("C(").removesuffix(")")
    if left not in table or right not in table:
        raise Cannot(f"a formula such as {formula!r} in a test of two columns")
    there = table.dropna(subset=[left, right])
    return there[left], there[right], there


def _groups(y: pd.Series, by: pd.Series) -> list[np.ndarray]:
    return [y[by == value].to_numpy(dtype=float) for value in sorted(by.unique())]


def _log_rank(spec: Mapping[str, Any], y: pd.Series, by: pd.Series, there: pd.DataFrame, statistic: str) -> float:
    from statsmodels.duration.survfunc import survdiff

    time, until = there[spec["time"]].astype(float), spec.get("until", math.inf)
    found = survdiff(np.minimum(time, until), np.where(time > until, 0, y.astype(float)), by)
    return float(found[{"chi2": 0, "p": 1}[statistic]])


def _rank_sum(spec: Mapping[str, Any], y: pd.Series, by: pd.Series, there: pd.DataFrame, statistic: str) -> float:
    from scipy import stats

    groups = _groups(y, by)
    found = stats.mannwhitneyu(*groups, method="asymptotic") if len(groups) == 2 else stats.kruskal(*groups)
    if statistic != "p":
        raise Cannot(f"{statistic} of rank-sum")
    return float(found.pvalue)


def _chi_squared(spec: Mapping[str, Any], y: pd.Series, by: pd.Series, there: pd.DataFrame, statistic: str) -> float:
    from scipy import stats

    counts = pd.crosstab(y, by)
    if spec.get("test") == "fisher":
        if statistic != "p":
            raise Cannot(f"{statistic} of Fisher's test")
        return float(stats.fisher_exact(counts).pvalue)
    found = stats.chi2_contingency(counts, correction=spec.get("test") == "yates")
    return float({"chi2": found.statistic, "p": found.pvalue}[statistic])


def _correlation(spec: Mapping[str, Any], y: pd.Series, by: pd.Series, there: pd.DataFrame, statistic: str) -> float:
    from scipy import stats

    a, b = y.astype(float), by.astype(float)
    if spec.get("test") == "spearman":
        found = stats.spearmanr(a, b)
        if statistic not in ("est", "p"):
            raise Cannot(f"{statistic} of a rank correlation")
        return float({"est": found.statistic, "p": found.pvalue}[statistic])
    found = stats.pearsonr(a, b)
    ends = found.confidence_interval(spec.get("level", 0.95))
    return float({"est": found.statistic, "p": found.pvalue, "lo": ends.low, "hi": ends.high}[statistic])


_TESTS = {"log-rank": _log_rank, "rank-sum": _rank_sum, "chi-squared": _chi_squared, "correlation": _correlation}


def _welch(formula: str, table: pd.DataFrame, terms: Sequence[Mapping[str, Any]], statistic: str) -> float:
    from scipy import stats

    y, by, _ = _sides(formula, table)
    first, second = ([each for each in terms if each["weight"] * sign > 0][0]["at"] for sign in (1, -1))
    values = [y[by == at[by.name]].to_numpy(dtype=float) for at in (first, second)]
    found = stats.ttest_ind(*values, equal_var=False)
    ends = found.confidence_interval()
    est = float(values[0].mean() - values[1].mean())
    of = {"est": est, "p": found.pvalue, "t": found.statistic, "lo": ends.low, "hi": ends.high, "se": est / found.statistic}
    if statistic not in of:
        raise Cannot(f"{statistic} of Welch's test")
    return float(of[statistic])


def _two_by_two(spec: Mapping[str, Any], table: pd.DataFrame, outcome: str, terms: Sequence[Mapping[str, Any]], statistic: str) -> float:
    from statsmodels.stats.contingency_tables import Table2x2
    from statsmodels.stats.proportion import confint_proportions_2indep

    y = pd.to_numeric(table[outcome]).astype(float)
    y = y.fillna(0.0) if spec.get("missing") == "as-zero" else y
    counts = []
    for sign in (1, -1):
        [at] = [each["at"] for each in terms if each["weight"] * sign > 0] or [None]
        cells = y[(table[list(at)] == pd.Series(at)).all(axis=1)].dropna()
        counts.append((cells.sum(), len(cells)))
    (a, n), (b, m) = counts
    level = spec.get("level", 0.95)
    if spec["family"] == "risk-ratio":
        two = Table2x2([[a, n - a], [b, m - b]])
        lo, hi = two.riskratio_confint(1 - level)
        of = {"est": two.riskratio, "lo": lo, "hi": hi, "se": two.log_riskratio_se, "p": two.log_riskratio_pvalue(), "reduction": 100 * (1 - two.riskratio)}
    else:
        from scipy import stats

        est = a / n - b / m
        lo, hi = confint_proportions_2indep(a, n, b, m, compare="diff", method="wald", alpha=1 - level)
        se = (hi - lo) / 2 / stats.norm.ppf(0.5 + level / 2)
        of = {"est": 100 * est, "lo": 100 * lo, "hi": 100 * hi, "se": 100 * se, "p": 2 * stats.norm.sf(abs(est) / se)}
    if statistic not in of:
        raise Cannot(f"{statistic} of {spec['family']}")
    return float(of[statistic])


def _row(info: Any, table: pd.DataFrame, terms: Sequence[Mapping[str, Any]], drop: bool) -> np.ndarray:
    """The weights of a contrast on the coefficients; what a term leaves out takes its value in the first row with all values."""
    import patsy

    names = [name for name in table if any(name in factor.name() for factor in info.factor_infos)]
    first = table.dropna(subset=names).head(1)
    total = sum(term["weight"] * np.asarray(patsy.build_design_matrices([info], first.assign(**term["at"]))[0])[0] for term in terms)
    return np.delete(total, info.column_names.index("Intercept")) if drop else total


def _complete(spec: Mapping[str, Any], formula: str, table: pd.DataFrame, also: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Rows with every value (y first column), the design matrix, and its description."""
    import patsy

    left, right = (side.strip() for side in formula.split("~"))
    there = table.dropna(subset=[left, *also]).astype({left: float})
    columns = patsy.dmatrix(right, there, return_type="dataframe")
    return there.loc[columns.index], columns, columns.design_info


def _by_name(fit: Callable[..., Any], *also: str, drop: bool = False) -> Callable[[Mapping[str, Any], str, pd.DataFrame], tuple[Any, Any, bool]]:
    """A fit of (spec, y, X, rows) as a function of (spec, formula, table)."""

    def fitted(spec: Mapping[str, Any], formula: str, table: pd.DataFrame) -> tuple[Any, Any, bool]:
        rows, X, info = _complete(spec, formula, table, [spec[name] for name in also if name in spec])
        X = X.drop(columns="Intercept") if drop else X
        return fit(spec, rows[formula.partition("~")[0].strip()], X, rows), info, drop

    return fitted


def _codes(spec: Mapping[str, Any], rows: pd.DataFrame) -> np.ndarray:
    """A code for each group; a row whose group is missing is a group of its own."""
    if "groups" not in spec:
        return np.arange(len(rows))
    codes, names = pd.factorize(rows[spec["groups"]])
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    return codes


def _robust(spec: Mapping[str, Any], rows: pd.DataFrame, **more: Any) -> dict[str, Any]:
    if spec.get("covariance") != "robust":
        return {}
    return {"cov_type": "cluster", "cov_kwds": {"groups": _codes(spec, rows)} | more}


def _ols(spec, y, X, rows):
    import statsmodels.api as sm

    return sm.OLS(y, X).fit(**_robust(spec, rows), **({"use_t": True} if spec.get("covariance") == "robust" else {}))


def _mixed(spec, y, X, rows):
    import statsmodels.api as sm

    return sm.MixedLM(y, X, groups=_codes(spec, rows)).fit(reml=spec.get("estimator", "REML") == "REML", method="powell")


def _logit(spec, y, X, rows):
    import statsmodels.api as sm

    return sm.Logit(y, X).fit(disp=0, **_robust(spec, rows, use_correction=False))


def _gee(spec, y, X, rows):
    import statsmodels.api as sm

    return sm.GEE(y, X, groups=_codes(spec, rows), family=sm.families.Binomial(), cov_struct=sm.cov_struct.Independence()).fit()


def _exposed(spec, rows):
    return {"exposure": rows[spec["exposure"]].astype(float)} if "exposure" in spec else {}


def _poisson(spec, y, X, rows):
    import statsmodels.api as sm

    return sm.GLM(y, X, family=sm.families.Poisson(), **_exposed(spec, rows)).fit(**_robust(spec, rows, use_correction=False))


def _negative_binomial(spec, y, X, rows):
    from statsmodels.discrete.discrete_model import NegativeBinomial

    return NegativeBinomial(y, X, **_exposed(spec, rows)).fit(disp=0, maxiter=500)


def _ordinal(spec, y, X, rows):
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    return OrderedModel(y.astype(int), X, distr="logit").fit(method="bfgs", disp=0, maxiter=500)


def _cox(spec, y, X, rows):
    import statsmodels.api as sm

    time, until = rows[spec["time"]].astype(float).to_numpy(), spec.get("until", math.inf)
    groups = {"groups": _codes(spec, rows)} if spec.get("covariance") == "robust" else {}
    return sm.PHReg(np.minimum(time, until), X, status=np.where(time > until, 0, y), ties=spec.get("ties", "efron")).fit(**groups)


_FITS = {
    "linear": _by_name(_ols), "mixed": _by_name(_mixed), "logistic": _by_name(_logit), "gee-logistic": _by_name(_gee), "poisson": _by_name(_poisson, "exposure"),
    "negative-binomial": _by_name(_negative_binomial, "exposure"), "ordinal": _by_name(_ordinal, drop=True), "cox": _by_name(_cox, "time", drop=True),
}  # fmt: skip
_RATIOS = ("logistic", "gee-logistic", "poisson", "negative-binomial", "ordinal", "cox")


# -- pools


def pooled(spec: Mapping[str, Any], effects: Any, statistic: str) -> float:
    """A statistic of a pool, of effects and variances on the scale of the analysis. Raises Cannot."""
    from statsmodels.stats.meta_analysis import combine_effects

    if statistic in ("k", "n"):
        return float(len(effects.g) if statistic == "k" else effects.n.sum())
    method = {"DL": "chi2", "PM": "iterated", "common": "chi2"}.get(spec.get("estimator", "DL"))
    if method is None or spec.get("test") == "knapp-hartung-at-least-wald":
        raise Cannot(f"a pool by {spec.get('estimator')} with {spec.get('test', 'wald-z')}")
    on_t = spec.get("test") == "knapp-hartung"
    if len(effects.g) < 2:
        raise Cannot("a pool of one")
    with warnings.catch_warnings():  # of a variance below zero, which is set to zero below
        warnings.simplefilter("ignore")
        found = combine_effects(effects.g, effects.v, method_re=method, use_t=on_t, alpha=1 - spec.get("level", 0.95))
        table = found.summary_frame()
    model = "fixed effect" if spec.get("estimator") == "common" or found.tau2 <= 0 else "random effect"  # it leaves a variance below zero as it is
    line = table.loc[f"{model} wls" if on_t else model]
    shown = math.exp if effects.ratio else float
    from scipy import stats

    law = stats.t(len(effects.g) - 1) if on_t else stats.norm()
    of = {
        "est": lambda: shown(line["eff"]), "lo": lambda: shown(line["ci_low"]), "hi": lambda: shown(line["ci_upp"]), "se": lambda: line["sd_eff"],
        "p": lambda: 2 * law.sf(abs(line["eff"] / line["sd_eff"])), "tau2": lambda: max(found.tau2, 0.0), "q": lambda: found.q,
        "q_p": lambda: stats.chi2(len(effects.g) - 1).sf(found.q), "i2": lambda: max(0.0, 100 * (found.q - (len(effects.g) - 1)) / found.q),
    }  # fmt: skip
    if statistic not in of:
        raise Cannot(f"{statistic} of a pool")
    return float(of[statistic]())
