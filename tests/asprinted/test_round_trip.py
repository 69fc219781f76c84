"""Simulated trials printed as journals print them, and made again from print alone: the same text must come back."""

from __future__ import annotations


import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg

from asprinted import models
from asprinted.printed import agrees, in_style, parse, rounding_interval
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
