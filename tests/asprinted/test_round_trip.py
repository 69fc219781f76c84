"""Simulated trials printed as journals print them, and made again from print alone: the same text must come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.meta_analysis import combine_effects, effectsize_smd

from asprinted import models, synthesis
from asprinted.printed import agrees, in_style, parse, rounding_interval
from asprinted.study import Study
from asprinted.synthesis.durations.times import printing
from asprinted.synthesis.durations.two_arms import Arm, Trial
from asprinted.synthesis.wald import wald

TRIALS = 60


def simulated(rng: np.random.Generator) -> Trial | None:
    """A trial of two arms in whole days, hazards proportional or crossing; None where a median is not reached."""
    sizes = rng.integers(60, 401, size=2)
    arm = np.repeat([False, True], sizes)
    shape = rng.choice([0.7, 1.0, 1.4]) * np.where(arm & (rng.random() < 0.25), 1.5, 1.0)
    scale, ratio = rng.uniform(60, 300), np.exp(rng.uniform(np.log(0.4), np.log(1.6)))
    time = scale * (rng.exponential(size=len(arm)) / np.where(arm, ratio, 1.0)) ** (1 / shape)
    end = rng.uniform(0, scale * rng.uniform(2.5, 6), len(arm))
    trial = Trial(np.maximum(np.ceil(np.minimum(time, end)), 1), time <= end, arm)
    return trial if np.isfinite(medians(trial)).all() else None


def medians(trial: Trial) -> list[float]:
    return [models.survival_median(trial.time[trial.arm == arm], trial.event[trial.arm == arm]) for arm in (False, True)]


def page(trial: Trial) -> dict[str, str]:
    """What a journal prints of a trial, by the reference model."""
    beta, cov = models.cox(trial.time, trial.event, trial.arm[:, None].astype(float))
    return texts_of(trial, models.Fit(beta, cov, None, 0.95, True, {}, len(trial.time), None).linear(np.ones(1)))


def page_by_statsmodels(trial: Trial) -> dict[str, str]:
    """The same by statsmodels, which shares no code with the search or the reference model."""
    fit = PHReg(trial.time, trial.arm[:, None].astype(float), status=trial.event, ties="efron").fit()
    low, high = np.exp(fit.conf_int()[0])
    return texts_of(trial, models.Estimate(np.exp(fit.params[0]), fit.bse[0], low, high, fit.pvalues[0]))


def texts_of(trial: Trial, found: models.Estimate) -> dict[str, str]:
    texts = {name: in_style(getattr(found, name), "0.00") for name in ("est", "lo", "hi")}
    texts["p"] = "<.001" if agrees(found.p, "<.001") else in_style(found.p, ".000")
    return texts | {f"median.{arm}": in_style(median, "0") for arm, median in zip(("control", "treated"), medians(trial), strict=True)}


def from_print(texts: dict[str, str], counts: list[tuple[int, int]], rng: np.random.Generator) -> Trial:
    """A trial with the counts, people and events of each arm, that prints the texts."""
    arms = [Arm(n, later=events, median=parse(texts[f"median.{arm}"])) for (n, events), arm in zip(counts, ("control", "treated"), strict=True)]
    return printing(*arms, wald([(name, rounding_interval(text)) for name, text in texts.items() if not name.startswith("median")]), rng)


@pytest.fixture(scope="module")
def rebuilt() -> list[tuple[dict[str, str], dict[str, str] | None]]:
    """For each simulated trial what it prints, and what the trial made from that print prints (None where none was found)."""
    found: list[tuple[dict[str, str], dict[str, str] | None]] = []
    seed = 0
    while len(found) < TRIALS:
        trial = simulated(np.random.default_rng(seed))
        seed += 1
        if trial is None:
            continue
        texts = page(trial)
        counts = [(int((trial.arm == arm).sum()), int(trial.event[trial.arm == arm].sum())) for arm in (False, True)]
        try:
            made = from_print(texts, counts, np.random.default_rng(seed))
        except ValueError as error:
            assert "no order of events was found" in str(error)
            found.append((texts, None))
            continue
        assert counts == [(int((made.arm == arm).sum()), int(made.event[made.arm == arm].sum())) for arm in (False, True)]
        assert (made.time == np.rint(made.time)).all() and made.time.min() >= 1
        found.append((texts, page_by_statsmodels(made)))
    return found


def test_every_trial_that_is_made_prints_what_it_was_made_from(rebuilt):
    assert [(texts, again) for texts, again in rebuilt if again is not None and again != texts] == []


def test_at_least_58_of_60_trials_are_made(rebuilt):
    assert sum(again is not None for _, again in rebuilt) >= 58


def test_trials_are_of_many_kinds(rebuilt):
    texts = [texts for texts, _ in rebuilt]
    ratios = [float(each["est"]) for each in texts]
    assert min(ratios) < 0.6 and max(ratios) > 1.3
    assert any(each["p"] == "<.001" for each in texts) and any(float(each["p"].strip("<")) > 0.2 for each in texts)
    crossing = [(float(each["est"]) > 1) == (float(each["median.treated"]) > float(each["median.control"])) for each in texts]
    assert sum(crossing) >= 3


# Reviews of simulated trials

ARMS = {"n": ["n_new", "n_usual"], "mean": ["mean_new", "mean_usual"], "sd": ["sd_new", "sd_usual"]}
ESTIMATORS = {"DL": "dl", "PM": "iterated", "common": None}  # by statsmodels


def column(type: str, **fields: Any) -> dict[str, Any]:
    return {"type": type, "required": True, "says": "x", "mark": "A", **fields}


def pooled_by_statsmodels(n: np.ndarray, mean: np.ndarray, sd: np.ndarray, estimator: str) -> dict[str, str]:
    """What a review prints of trials with these arms, (k, 2) each; nothing of the heterogeneity of one trial."""
    y, v = effectsize_smd(mean[:, 0], sd[:, 0], n[:, 0], mean[:, 1], sd[:, 1], n[:, 1])
    texts = {"k": f"{len(y)}"}
    est, se = y[0], np.sqrt(v[0])
    if len(y) > 1:
        pool = combine_effects(y, v, method_re=ESTIMATORS[estimator] or "dl")
        random = ESTIMATORS[estimator] and pool.q > pool.df
        est, se = (pool.mean_effect_re, pool.sd_eff_w_re) if random else (pool.mean_effect_fe, pool.sd_eff_w_fe)
        texts |= {"q": in_style(float(pool.q), "0.00"), "i2": in_style(100 * max(0.0, float(1 - pool.df / pool.q)), "0") + "%"}
    return texts | {name: in_style(float(value), "0.00") for name, value in (("est", est), ("lo", est - 1.959964 * se), ("hi", est + 1.959964 * se))}


def review(rng: np.random.Generator) -> dict[str, Any]:
    """A study file of a simulated review: a few outcomes, of some of which the people are printed, and one estimator."""
    number, estimator = int(rng.integers(8, 40)), str(rng.choice(list(ESTIMATORS)))
    sizes = np.maximum(20, np.exp(rng.normal(4.7, rng.uniform(0.3, 0.9), number))).astype(int)
    claims, pools = {}, []
    for outcome in ("calm", "trust", "sleep")[: rng.integers(1, 4)]:
        trials = rng.permutation(number)[: rng.integers(1, min(number, 16))]
        n = np.maximum(6, sizes[trials, None] / 2 * np.clip(rng.normal(0.8, 0.08, (len(trials), 2)), 0.5, 1)).astype(int)
        effects = rng.normal(0, 0.25) + abs(rng.normal(0, 0.15)) * rng.standard_normal(len(trials))
        means = np.column_stack([effects, np.zeros(len(trials))]) + rng.standard_normal(n.shape) / np.sqrt(n)
        texts = pooled_by_statsmodels(n, means, np.sqrt(rng.chisquare(n - 1) / (n - 1)), estimator)
        pool = {"outcome": outcome, "trials": f"{outcome}.all.k", "centre": f"{outcome}.all.est", "spread": "spread.all", "instruments": [["A-10"], ["B-20"], ["A-10", "B-20"]][rng.integers(3)]}
        if rng.random() < 0.5:
            texts["n"], pool["people"] = f"{n.sum():,}", f"{outcome}.all.n"
        pools.append(pool)
        by = {"model": "main", "outcome": outcome}
        claims |= {f"{outcome}.all.{name}": {"says": "x", "kind": "number", "printed": text, "mark": "P", "source": "paper", "where": "x", "by": by | {"statistic": name}} for name, text in texts.items()}
    assumed = {"size.least": str(sizes.min()), "size.spread": f"{np.log(sizes).std():.2f}", "kept.all": "0.8", "together.all": "0.5", "spread.all": "0.1"}
    scales = {"scale.a": ("0", "40", "22", "7", "1"), "scale.b": ("20", "100", "60", "13", "-1")}
    values = assumed | {id: dict(zip(("minimum", "maximum", "mean", "sd", "direction"), scale, strict=True)) for id, scale in scales.items()}
    arms = {name: column("integer") if part == "n" else column("number", decimals=2) for part, pair in ARMS.items() for name in pair}
    effect = {"measure": "smd", **ARMS, "direction": "sign"}
    return {
        "schema": 1, "title": "A review", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "x"}],
        "tables": {
            "studies": {"file": "studies.csv", "row": "one trial", "key": ["trial"], "columns": {"trial": column("string"), "size": column("integer")}},
            "results": {"file": "results.csv", "row": "one outcome of one trial", "key": ["trial", "what"], "parent": "studies", "columns": {
                "trial": column("string"), "what": column("string"), "scale": column("string"), "sign": column("integer"), **arms,
            }},
        },
        "design": {"trials": {
            "table": "studies", "number": number, "people": {"column": "size", "total": int(sizes.sum()), "smallest": "size.least", "spread": "size.spread"},
            "effects": {"table": "results", "model": "main", "kept": "kept.all", "together": "together.all", "instrument": "scale", "instruments": {"A-10": "scale.a", "B-20": "scale.b"}, "pools": pools},
        }},
        "models": {"main": {"family": "random-effects", "says": "x", "table": "results", "effect": effect, "outcome_column": "what", "estimator": estimator}},
        "claims": claims,
        "assumptions": {id: {"says": "x", "value": value, "reason": "x"} for id, value in values.items()},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_review_made_from_print_prints_the_same_by_statsmodels(load_data: Callable[..., Study], seed):
    data = review(np.random.default_rng(seed))
    study = load_data(data, f"review-{seed}")
    tables = synthesis.synthesise(study)
    for pool in data["design"]["trials"]["effects"]["pools"]:
        rows = tables["results"].query("what == @pool['outcome']")
        n, mean, sd = (rows[pair].to_numpy(dtype=float) for pair in ARMS.values())
        printed = {name: study.claims[f"{pool['outcome']}.all.{name}"].printed for name in ("k", "est", "lo", "hi", "q", "i2", "n") if f"{pool['outcome']}.all.{name}" in study.claims}
        again = pooled_by_statsmodels(n, mean * rows[["sign"]].to_numpy(), sd, data["models"]["main"]["estimator"]) | ({"n": f"{int(n.sum()):,}"} if "people" in pool else {})
        assert again == printed
