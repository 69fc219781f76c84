"""Claims and assumptions recomputed from the records, by the reference model of each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models, records, verdict
from asprinted.chapter import null_value
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.study.families import OF_FIT


@dataclass(frozen=True)
class Kept:
    """An assumption held against the records: its bounds, the value found, and whether it lies within them."""

    id: str
    says: str
    lo: float
    hi: float
    found: float

    @property
    def holds(self) -> bool:
        return self.lo <= self.found <= self.hi


class Reanalysis:
    """The records of a study, with each model fitted and each value computed once, when it is first asked for."""

    def __init__(self, study: Study, tables: Mapping[str, pd.DataFrame]):
        self.study = study
        self.tables = {name: records.joined(study, tables, name) for name in tables}
        self._fits: dict[tuple[str, str], models.Fit | models.Tested] = {}
        self._values: dict[str, float | str] = {}
        self._asked: dict[str, pd.DataFrame] = {}
        self._designs: dict[tuple[str, bytes], models.Design] = {}

    def fit(self, model: str, outcome: str) -> models.Fit | models.Tested:
        """The Fit of the named model for `outcome`, or its Tested where its family has no contrasts. Raises StudyError where the records do not allow it."""
        key = (model, outcome)
        if key not in self._fits:
            spec = self._spec(model)
            try:
                self._fits[key] = self._fitted(model, spec, outcome)
            except ValueError as error:
                raise StudyError(self.study.file, SEPARATOR.join(("models", model)), outcome, f"{error}.") from None
        return self._fits[key]

    def _fitted(self, model: str, spec: dict[str, Any], outcome: str) -> models.Fit | models.Tested:
        """The fit. Outcomes that the same rows have share their design, where it depends on nothing else of them."""
        frame, (left, _, right) = self.tables[spec["table"]], spec.get("formula", "").partition("~")
        alone = {"baseline", "waves", "time"} & spec.keys() or left.strip() != "{outcome}" or "{outcome}" in right or outcome not in frame
        if alone or not pd.api.types.is_numeric_dtype(frame[outcome]):
            return models.fit(spec, frame, outcome)
        y = frame[outcome].to_numpy(dtype=float, na_value=np.nan)
        key = (model, np.isfinite(y).tobytes())
        if key in self._designs:
            rows = self._designs[key]
            return models.fitted(spec, replace(rows, y=y[rows.rows], outcome=outcome))
        found = models.fit(spec, frame, outcome)
        if isinstance(found, models.Fit):
            self._designs[key] = found.design
        return found

    def _spec(self, model: str) -> dict[str, Any]:
        spec = self.study.models[model]
        return spec | {"person": self.study.tables[spec["table"]]["key"][0]}

    def used(self, model: str, outcome: str) -> pd.DataFrame:
        """The rows of its table that the named model uses, and the column `y`: the outcome, 1 or 0, as it takes it. Raises ValueError."""
        spec = self._spec(model)
        frame = self.tables[spec["table"]]
        rows = models.design(spec, frame, outcome)
        return frame.iloc[rows.rows % len(frame)].assign(y=rows.y)  # waves repeat the table

    def value(self, by: Mapping[str, Any]) -> float | str:
        """What an entry's `by` means, computed: a number in the printed unit, or text for a set of values.

        Raises StudyError where the records do not allow it.
        """
        asked = repr(by)
        if asked not in self._values:
            self._values[asked] = self._finite(by)
        return self._values[asked]

    def _finite(self, by: Mapping[str, Any]) -> float | str:
        try:
            found = self._value(by)
        except StudyError:
            raise
        except (ValueError, LookupError, ArithmeticError):  # no row left to count, or none at that visit
            found = math.nan
        if not isinstance(found, str) and not math.isfinite(found):
            where = SEPARATOR.join(("models", by["model"]) if "model" in by else ("tables", by["table"]))
            raise StudyError(self.study.file, where, dict(by), "The records leave too few rows, or too little difference between them, for it.")
        return found

    def _value(self, by: Mapping[str, Any]) -> float | str:
        if "model" not in by:
            return self._describe(by)
        if self.study.models[by["model"]]["family"] == "random-effects":
            return self._pooled(by)
        outcomes = by.get("outcome", "outcome")
        if isinstance(outcomes, str):
            return self._estimate(by, outcomes)
        values = [self._estimate(by, outcome) for outcome in outcomes]
        return max(values) if by.get("take") == "largest" else min(values)

    def _estimate(self, by: Mapping[str, Any], outcome: str) -> float:
        fitted = self.fit(by["model"], outcome)
        if isinstance(fitted, models.Tested):
            return getattr(fitted, by["statistic"])
        if by["statistic"] in OF_FIT:
            return getattr(fitted, by["statistic"])
        contrasts, asked = self.study.models[by["model"]]["contrasts"], by["contrast"]
        try:
            return getattr(fitted.contrast(contrasts[asked]) if isinstance(asked, str) else fitted.joint([contrasts[name] for name in asked]), by["statistic"])
        except ValueError as error:
            where = ("models", by["model"], "contrasts", asked if isinstance(asked, str) else ", ".join(asked))
            raise StudyError(self.study.file, SEPARATOR.join(where), outcome, f"{error}.") from None

    def effects(self, by: Mapping[str, Any]) -> tuple[pd.DataFrame, models.Effects]:
        """The rows that `by` (model, outcome or outcomes, rule, filter) is about in a random-effects model's table, and the effects in them.

        Raises StudyError where no row is so, or none has an effect.
        """
        spec = self._spec(by["model"])
        wanted = {spec["outcome_column"]: by["outcome"]} | by.get("filter", {})
        frame = self.tables[spec["table"]]
        rows = frame[records.asked(self.study, frame, by | {"filter": wanted})]
        where, shown = SEPARATOR.join(("models", by["model"])), ({"rule": by["rule"]} if "rule" in by else {}) | wanted
        if rows.empty:
            raise StudyError(self.study.file, where, shown, "No row of the records is so: there is nothing to pool.")
        try:
            return rows, models.effects_of(spec, rows)
        except ValueError as error:
            raise StudyError(self.study.file, where, shown, f"{error}.") from None

    def pooled(self, model: str, outcome: str, filter: Mapping[str, Any] | None = None, rule: str | Sequence[str] = ()) -> tuple[models.Pooled, models.Effects]:
        """The pool of one outcome's rows in a random-effects model, and the effects in it; both logs where the measure is a ratio.

        Raises StudyError where no row is left.
        """
        spec = self._spec(model)
        _, effects = self.effects({"model": model, "outcome": outcome, "filter": filter or {}} | ({"rule": rule} if rule else {}))
        return models.pool(effects.g, effects.v, spec.get("estimator", "DL"), spec.get("test", "wald-z"), spec.get("level", 0.95)), effects

    def _pooled(self, by: Mapping[str, Any]) -> float:
        name, filter, rule = by["statistic"], by.get("filter", {}), by.get("rule", ())
        if name == "percent_below":
            return self._percent_below(by)
        found, effects = self.pooled(by["model"], by["outcome"], filter, rule)
        where = SEPARATOR.join(("models", by["model"]))
        if len(effects.rows) < models.FEWEST.get(name, 1):
            raise StudyError(self.study.file, where, dict(by), f"{name} of {len(effects.rows)} trials: it needs {models.FEWEST[name]} or more.")
        if name == "n":
            return float(effects.n.sum())
        if name in ("egger", "egger_p"):
            try:
                test = models.egger(effects.g, effects.v, effects.unit_se)
            except ValueError as error:
                raise StudyError(self.study.file, where, dict(by), f"{error}.") from None
            return float(test.slope if name == "egger" else test.p)
        if name in ("q_between", "between_p"):
            test = self._between(by)
            return float(test.q if name == "q_between" else test.p)
        if name == "lead":
            *rest, (column, value) = filter.items()
            rows, wider = self.effects(by | {"filter": dict(rest)})
            others = [other for other in rows[column].iloc[wider.rows].dropna().unique() if other != value]
            if not others:
                raise StudyError(self.study.file, where, dict(by), f"A lead is over other values of {column!r}, and no other trial with an effect has one.")
            return float(found.est - max(self.pooled(by["model"], by["outcome"], {**filter, column: other}, rule)[0].est for other in others))
        return float(getattr(found.as_ratios() if effects.ratio else found, name))

    def _between(self, by: Mapping[str, Any]) -> models.Between:
        """The test of a difference between the subgroups of trials with an effect that the values of a column make."""
        rows, effects = self.effects(by)
        values = rows[by["column"]].iloc[effects.rows].dropna().unique()
        pools = [self.pooled(by["model"], by["outcome"], by.get("filter", {}) | {by["column"]: value}, by.get("rule", ()))[0] for value in values]
        try:
            return models.between_subgroups([each.est for each in pools], [each.se for each in pools])
        except ValueError as error:
            raise StudyError(self.study.file, SEPARATOR.join(("models", by["model"])), dict(by), f"{error}.") from None

    def _percent_below(self, by: Mapping[str, Any]) -> float:
        """Of the trials with an effect in these rows, those of which one lies below the null with its whole interval (Wald's, of the model's level)."""
        spec = self._spec(by["model"])
        rows, effects = self.effects(by)
        below = effects.g + models.quantile(0.5 + spec.get("level", 0.95) / 2) * np.sqrt(effects.v) < 0
        trials = rows[spec["person"]].iloc[effects.rows].to_numpy()
        return 100 * len(set(trials[below])) / len(set(trials))

    def _describe(self, by: Mapping[str, Any]) -> float | str:
        asked = repr([by["table"], by.get("filter"), by.get("rule")])
        if asked not in self._asked:
            frame = self.tables[by["table"]]
            self._asked[asked] = frame[records.asked(self.study, frame, by)]
        return _STATISTICS[by["statistic"]](self, self._asked[asked], by)

    # The statistics of a table, each taking the filtered frame and the entry's `by`.

    def _bounds(self, by: Mapping[str, Any]) -> tuple[float, float]:
        spec = self.study.tables[by["table"]]["columns"][by["column"]]
        return spec["minimum"], spec["maximum"]

    def _pairs(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> pd.DataFrame:
        """A row a person with the column's value at the two visits of `between`, nan where there is none."""
        [(visit, pair)] = by["between"].items()
        if missing := set(pair) - set(frame[visit]):
            raise KeyError(*missing)
        return pd.DataFrame(self._wide(frame, by["table"], visit, pair, by["column"]), columns=pair)

    def _wide(self, frame: pd.DataFrame, table: str, visit: str, times: Sequence[Any], column: str) -> np.ndarray:
        """A column's values at visits, (people, times) in the order of their first row, nan where there is none."""
        people, names = pd.factorize(frame[self.study.tables[table]["key"][0]])
        places = pd.Index(times).get_indexer(frame[visit])
        found = np.full((len(names), len(times)), np.nan)
        found[people[places >= 0], places[places >= 0]] = frame[column].to_numpy(dtype=float, na_value=np.nan)[places >= 0]
        return found

    def _correlation(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """Pearson's correlation of two visits, of the people with both; nan where it has no value."""
        first, last = self._pairs(frame, by).dropna().to_numpy().T
        first, last = (values - values.mean() if len(values) else values for values in (first, last))
        spread = math.sqrt(float(first @ first) * float(last @ last))
        return float(first @ last) / spread if spread > 0 else math.nan

    def _group_icc(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """The intraclass correlation of change by programme group, from one-way analysis of variance."""
        key = self.study.tables[by["table"]]["key"][0]
        group = self.study.design["people"]["groups"]["column"]
        change = np.diff(self._pairs(frame, by).to_numpy(), axis=1).ravel()
        codes = pd.factorize(frame.drop_duplicates(key)[group])[0]  # people in the same order
        there = np.isfinite(change) & (codes >= 0)
        _, codes = np.unique(codes[there], return_inverse=True)
        change, sizes = change[there], np.bincount(codes)
        k, n = len(sizes), int(sizes.sum())
        means = np.bincount(codes, weights=change) / sizes
        within = float(np.sum((change - means[codes]) ** 2) / (n - k))
        between = float((sizes * (means - change.mean()) ** 2).sum() / (k - 1))
        typical = (n - (sizes**2).sum() / n) / (k - 1)
        return float((between - within) / (between + (typical - 1) * within))

    def _lost_difference(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """Baseline mean of the people lost at the later visit minus that of the people seen, in SDs."""
        first, last = (values for _, values in self._pairs(frame, by).items())
        lost = last.isna()
        return float((first[lost].mean() - first[~lost].mean()) / first.std())

    def _returned(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """Share of the people missing at the first of two visits who are seen at the second."""
        first, last = (values for _, values in self._pairs(frame, by).items())
        return float(last[first.isna()].notna().mean())

    def _share_deviation(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """Largest absolute difference between the shares of a column's values and the assumed ones."""
        columns = by["column"]
        assumed = next(each for each in self.study.assumptions.values() if each.by == by)
        found = frame[columns].mean() if isinstance(columns, list) else frame[columns].value_counts(normalize=True).rename(index=str)
        return max(abs(found.get(name, 0.0) - float(share)) for name, share in assumed.value.items())

    def _duplicates(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """People who share every score at every visit with someone else."""
        key = self.study.tables[by["table"]]["key"]
        scores = [outcome for part in ("scores", "scales") for outcome in self.study.design.get(part, {}).get("outcomes", {})]
        wide = np.hstack([self._wide(frame, by["table"], key[1], frame[key[1]].unique(), score) for score in scores])
        return float(len(wide) - len({row.tobytes() for row in wide}))

    def _survival(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """Kaplan–Meier survival at a time, in per cent."""
        return 100 * models.survival_at(*frame[[by["column"], by["event"]]].dropna().to_numpy(dtype=float).T, by["at"])

    def _rate(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """What the column adds up to, over the exposure of the same rows, times `per`."""
        counts, exposure = frame[[by["column"], by["exposure"]]].dropna().to_numpy(dtype=float).sum(axis=0)
        return float(by.get("per", 1) * counts / exposure) if exposure > 0 else math.nan

    def _largest_share(self, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        """The share of the commonest value that is not at a bound."""
        low, high = self._bounds(by)
        values = frame[by["column"]].dropna().astype(float)
        inner = values[(values > low) & (values < high)]
        return float(inner.value_counts().max() / len(values))


def _share_at(end: int):
    def share(self: Reanalysis, frame: pd.DataFrame, by: Mapping[str, Any]) -> float:
        values = frame[by["column"]].dropna().astype(float)
        return float((values == self._bounds(by)[end]).mean())

    return share


def _mean_error(values: pd.Series) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def _mean_limit(sign: int):
    """An end of the 95% interval of a mean, by Student's t on one degree of freedom less than the values."""
    return lambda values: values.mean() + sign * models.quantile(0.975, len(values) - 1) * _mean_error(values)


def _of_column(function):
    return lambda self, frame, by: float(function(frame[by["column"]].dropna().astype(float)))


_STATISTICS = {
    "count": lambda self, frame, by: len(frame),
    "observed": lambda self, frame, by: int(frame[by["column"]].notna().sum()),
    "percent_observed": lambda self, frame, by: float(100 * frame[by["column"]].notna().mean()),
    "distinct": lambda self, frame, by: int(frame[by["column"]].nunique()),
    "values": lambda self, frame, by: "; ".join(str(value) for value in sorted(frame[by["column"]].dropna().unique())),
    "smallest_count": lambda self, frame, by: int(frame[by["column"]].value_counts().min()),
    "largest_count": lambda self, frame, by: int(frame[by["column"]].value_counts().max()),
    "smallest_sum": lambda self, frame, by: float(frame[by["column"]].sum(axis=1).min()),
    "sum": _of_column(np.sum),
    "percent": _of_column(lambda values: 100 * values.mean()),
    "median": _of_column(lambda values: values.median()),
    "survival_median": lambda self, frame, by: models.survival_median(*frame[[by["column"], by["event"]]].dropna().to_numpy(dtype=float).T),
    "minimum": _of_column(np.min),
    "maximum": _of_column(np.max),
    "percent_at_least": lambda self, frame, by: float(100 * (frame[by["column"]].dropna().astype(float) >= by["at_least"]).mean()),
    "percent_equal": lambda self, frame, by: float(100 * (frame[by["column"]].dropna() == by["equals"]).mean()),
    "mean": _of_column(np.mean),
    "sd": _of_column(lambda values: values.std(ddof=1)),
    "se": _of_column(_mean_error),
    "lo": _of_column(_mean_limit(-1)),
    "hi": _of_column(_mean_limit(1)),
    "q1": _of_column(lambda values: values.quantile(1 / 4)),
    "q3": _of_column(lambda values: values.quantile(3 / 4)),
    "iqr": _of_column(lambda values: values.quantile(3 / 4) - values.quantile(1 / 4)),
    "rate": Reanalysis._rate,
    "survival": Reanalysis._survival,
    "incidence": lambda self, frame, by: 100 - self._survival(frame, by),
    "skewness": _of_column(lambda values: values.skew()),
    "correlation": Reanalysis._correlation,
    "icc": Reanalysis._group_icc,
    "share_at_minimum": _share_at(0),
    "share_at_maximum": _share_at(1),
    "largest_share": Reanalysis._largest_share,
    "share_deviation": Reanalysis._share_deviation,
    "lost_difference": Reanalysis._lost_difference,
    "returned": Reanalysis._returned,
    "duplicates": Reanalysis._duplicates,
}


def verdicts(study: Study, tables: Mapping[str, pd.DataFrame] | Reanalysis) -> list[verdict.Verdict]:
    """A Verdict for every claim of the study, in the order of study.yml, computed from `tables`, or from a Reanalysis of them."""
    analysis = _of(study, tables)
    return [
        verdict.judge(claim, analysis.value(claim.by) if claim.by and claim.kind != "context" else None, null_value(study, id))
        for id, claim in study.claims.items()
    ]


def assumptions_kept(study: Study, tables: Mapping[str, pd.DataFrame] | Reanalysis) -> list[Kept]:
    """Every assumption that can be computed and has bounds, held against `tables`, or a Reanalysis of them."""
    analysis = _of(study, tables)
    return [
        Kept(id, entry.says, float(entry.bounds[0]), float(entry.bounds[1]), float(analysis.value(entry.by)))
        for id, entry in study.assumptions.items()
        if entry.by and entry.bounds
    ]


def differing(results: list[verdict.Verdict], kept: list[Kept], calculated: Collection[str] = ()) -> list[str]:
    """A line for each claim whose verdict is not the expected one and each assumption out of bounds.

    calculated: the addresses of claims whose number is not printed itself, but calculated from print: they are told so.
    """
    told = ((each, "calculated" if each.id in calculated else "printed") for each in results if not each.as_expected)
    claims = (f"{each.id}: {word} {each.printed}, computed {each.computed}: {each.label.replace('as printed', f'as {word}')}. {each.reason}" for each, word in told)
    bounds = (f"assumption {each.id}: found {each.found:.4g}, outside {each.lo:g} to {each.hi:g}" for each in kept if not each.holds)
    return list(itertools.chain(claims, bounds))


def uses_as_declared(study: Study, tables: Mapping[str, pd.DataFrame] | Reanalysis) -> list[str]:
    """A line for each model whose fields `events` or `counts` say otherwise than the rows that it uses of `tables`.

    The counts of a model that stands instead of another may be of another table, so they are not compared; nor is a model of
    that kind which these records cannot fit.
    """
    analysis = _of(study, tables)
    lines = []
    for name, model in study.models.items():
        claimed = [claim.by["outcome"] for claim in study.claims.values() if claim.by and claim.by.get("model") == model.get("instead_of", name)]
        declared = model.keys() & ({"events"} if "instead_of" in model else {"events", "counts"})
        for outcome in dict.fromkeys(each for each in claimed if declared and isinstance(each, str)):
            try:
                rows = analysis.used(name, outcome)
            except ValueError as error:
                if "instead_of" in model:
                    continue
                raise StudyError(study.file, SEPARATOR.join(("models", name)), outcome, f"{error}.") from None
            lines += [f"model {name}, {outcome}{line}" for line in _otherwise(study, model, rows)]
    return lines


def _of(study: Study, tables: Mapping[str, pd.DataFrame] | Reanalysis) -> Reanalysis:
    return tables if isinstance(tables, Reanalysis) else Reanalysis(study, tables)


def _otherwise(study: Study, model: Mapping[str, Any], rows: pd.DataFrame) -> list[str]:
    """What the model's fields say that its `rows` do not, a line each."""
    compared = []  # (what it is about, by the rows, by the field, as a line tells either)
    if "events" in model:
        compared.append(("", (rows["y"].sum(),), (sum(study.number(amount) for amount in model["events"]),), "{:g} events", "events"))
    if "counts" in model and "instead_of" not in model:
        named = dict.fromkeys(pair for terms in model["contrasts"].values() for term in terms for pair in term["at"].items())
        for column, arm in (pair for pair in named if pair[1] in model["counts"] and pair[0] in rows):
            y, entry = rows.loc[rows[column] == arm, "y"], model["counts"][arm]
            said = study.number(entry["events"]), study.number(entry["people"])
            compared.append((f", {arm}", (y.sum(), len(y)), said, "{:g} events of {:g} people", "counts"))
    return [f"{about}: {text.format(*found)} in the records, {text.format(*said)} by its field {field!r}" for about, found, said, text, field in compared if found != said]
