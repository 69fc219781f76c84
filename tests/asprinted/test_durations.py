"""Times to an event: the order that a Cox model sees, the search for one that prints, and the columns of the records."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.hazard_regression import PHReg

from asprinted import models
from asprinted.printed import agrees, parse, rounding_interval
from asprinted.study import Assumption, Claim, Study, StudyError
from asprinted.synthesis import durations
from asprinted.synthesis.durations import order
from asprinted.synthesis.durations.times import printing
from asprinted.synthesis.durations.two_arms import Arm, Trial
from asprinted.synthesis.wald import Wald, wald

PRINTED = {"est": "0.71", "lo": "0.52", "hi": "0.97", "p": "0.029"}


def of(texts: dict[str, str], level: float = 0.95) -> Wald:
    return wald([(name, rounding_interval(text)) for name, text in texts.items()], level)


def prints(beta: float, se: float, texts: dict[str, str], level: float = 0.95) -> bool:
    """Whether a log ratio and its standard error print the texts, by the library's own Estimate."""
    fit = models.Fit(np.array([beta]), np.array([[se**2]]), None, level, True, {}, 0, None)
    found = fit.linear(np.ones(1))
    return all(agrees(getattr(found, name), text) for name, text in texts.items())


def crude(trial: Trial, ties: str = "efron") -> tuple[float, float]:
    """The log hazard ratio and its standard error by the reference model."""
    beta, cov = models.cox(trial.time, trial.event, trial.arm[:, None].astype(float), ties)
    return float(beta[0]), math.sqrt(cov[0, 0])


# The fit


@st.composite
def trials(draw) -> Trial:
    n = draw(st.integers(6, 60))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    arm = rng.permutation(np.arange(n) % 2 == 0)
    time = np.ceil(rng.exponential(draw(st.sampled_from([3.0, 40.0, 4000.0])), n))
    event = rng.random(n) < 0.7
    at = np.lexsort((~event, time))
    return Trial(time[at], event[at], arm[at])


@given(trials(), st.sampled_from(order.TIES))
def test_fit_residuals_and_median_are_those_of_the_reference_model(trial, ties):
    try:
        beta, cov = models.cox(trial.time, trial.event, trial.arm[:, None].astype(float), ties)
    except ValueError:
        return
    found, se = order.cox(*trial, ties)
    assert (found, se) == pytest.approx((beta[0], math.sqrt(cov[0, 0])), rel=1e-7, abs=1e-8)
    groups = np.arange(len(trial.time)) % 7 - 1
    codes = np.where(groups < 0, 100 + np.arange(len(groups)), groups)
    _, robust = models.cox(trial.time, trial.event, trial.arm[:, None].astype(float), ties, pd.factorize(codes)[0])
    residuals = order.score_residuals(*trial, found, ties)
    assert order.robust_error(residuals, groups, se) == pytest.approx(math.sqrt(robust[0, 0]), rel=1e-6)
    for arm in (False, True):
        mine = trial.arm == arm
        pair = order.survival_middle(trial.event[mine])
        median = models.survival_median(trial.time[mine], trial.event[mine])
        assert (math.isnan(median) and pair is None) or trial.time[mine][list(pair)].mean() == median


def test_efron_ties_and_breslow_ties_are_told_apart():
    trial = Trial(np.array([1.0, 1, 1, 2, 2, 3, 4, 5]), np.array([True] * 5 + [False] * 3), np.array([1, 0, 0, 1, 0, 1, 1, 1], dtype=bool))
    assert order.cox(*trial, "efron")[0] != pytest.approx(order.cox(*trial, "breslow")[0], abs=0.01)
    with pytest.raises(ValueError, match="no finite estimate"):
        order.cox(trial.time, trial.event & trial.arm, trial.arm)


# The pairs that print


def test_pairs_that_print_are_a_polygon_and_not_its_box():
    target = of({"est": ".66", "lo": ".43", "hi": ".99", "p": ".0438"})
    slack, beta, se = target.interior()
    assert slack > 0 and prints(beta, se, {"est": ".66", "lo": ".43", "hi": ".99", "p": ".0438"})
    low, high = target.errors()
    assert (round(low, 4), round(high, 4)) == (0.2093, 0.2099)
    assert not prints(math.log(0.664), high, {"est": ".66", "p": ".0438"})


@given(st.floats(-1.2, 1.2).filter(lambda beta: abs(beta) > 0.01), st.floats(0.05, 0.6), st.integers(0, 4))
def test_any_pair_prints_what_it_prints_and_lies_in_the_region_of_its_texts(beta, se, decimals):
    quantile = 1.959963984540054
    texts = {"est": f"{math.exp(beta):.2f}", "lo": f"{math.exp(beta - quantile * se):.2f}", "hi": f"{math.exp(beta + quantile * se):.2f}"}
    target = of(texts)
    assert target.slack(beta, se) >= -1e-6
    assert target.slack(beta, 1.2 * se) < 0 or texts["hi"] == f"{math.exp(beta + 1.2 * quantile * se):.2f}"
    slack, *pair = target.interior()
    assert slack >= target.slack(beta, se) - 1e-6 and prints(*pair, texts)


def test_reduction_and_inequalities_are_bounds():
    target = wald([("reduction", rounding_interval("29")), ("p", rounding_interval("<.05")), ("est", rounding_interval("<1"))])
    assert target.slack(math.log(0.71), 0.15) > 0 > target.slack(math.log(0.71), 0.18)
    assert target.slack(math.log(0.72), 0.15) < 0
    with pytest.raises(ValueError, match="statistic 'odds'"):
        of({"odds": "1"})
    with pytest.raises(ValueError, match="a ratio is positive"):
        of({"est": "-0.5"})


# The search


def at_hand(events: tuple[int, int] = (83, 64), later: int | None = None, medians: tuple[str, str] = ("86", "112")) -> tuple[Arm, Arm]:
    control, treated = (Arm(n, number, later, parse(median), "events") for n, number, median in zip((216, 218), events, medians, strict=True))
    return control, treated


def test_printed_ratio_interval_p_and_medians_come_back_with_few_later_events():
    trial = printing(*at_hand(), of(PRINTED), np.random.default_rng(1), follow_up=(366, 450), horizon=365, shape=0.75)
    assert prints(*crude(trial), PRINTED)
    fit = PHReg(trial.time, trial.arm[:, None].astype(float), status=trial.event, ties="efron").fit()
    assert prints(fit.params[0], fit.bse[0], PRINTED)
    early = trial.event & (trial.time <= 365)
    assert [int((early & (trial.arm == arm)).sum()) for arm in (False, True)] == [83, 64]
    assert [float(np.median(trial.time[early & (trial.arm == arm)])) for arm in (False, True)] == [86, 112]
    assert 156 <= trial.event.sum() <= 165
    assert trial.time.dtype.kind == "i" and trial.time.min() >= 1 and trial.time.max() <= 450
    assert not ((trial.time <= 365) & ~trial.event).any() and trial.time[~trial.event].min() >= 366


def test_too_few_events_are_refused_with_the_bound_on_information():
    with pytest.raises(ValueError, match=r"147 events give .* at least 0\.1650, .* at most 0\.1604: that takes 156 events"):
        printing(*at_hand(later=0), of(PRINTED), np.random.default_rng(1), follow_up=(366, 450), horizon=365)
    with pytest.raises(ValueError, match="147 events"):
        printing(*at_hand(), of(PRINTED), np.random.default_rng(1), follow_up=(366, 450), horizon=365, until=365)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ties": "exact"}, "ties 'exact' are unknown"),
        ({"shape": 0.0}, "shape 0"),
        ({"follow_up": (300, 450)}, "no earlier than the horizon"),
        ({"follow_up": None}, "nothing says how long"),
        ({"horizon": 0.0}, "and no horizon"),
    ],
)
def test_bad_settings_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        printing(*at_hand(), of(PRINTED), np.random.default_rng(1), **({"follow_up": (366, 450), "horizon": 365} | change))


def test_numbers_that_exclude_each_other_are_refused():
    with pytest.raises(ValueError, match="no log hazard ratio and standard error"):
        printing(*at_hand(), of({"est": "0.75", "lo": "0.60", "hi": "0.94", "p": "0.03"}), np.random.default_rng(1), follow_up=(366, 450), horizon=365)
    with pytest.raises(ValueError, match="300 events among 216 people"):
        printing(Arm(216, 300), Arm(218, 64), of(PRINTED), np.random.default_rng(1), follow_up=(366, 450), horizon=365)


def test_numbers_out_of_reach_of_the_counts_are_not_found():
    with pytest.raises(ValueError, match=r"no order of events was found in 1 searches .* half widths outside"):
        printing(Arm(50, later=40), Arm(50, later=40), of({"est": "1.00", "se": ".30"}), np.random.default_rng(1), follow_up=(390, 400), tries=1)
    with pytest.raises(ValueError, match="does not reach its median"):
        printing(Arm(50, later=20, median=parse("90")), Arm(50, later=20), of({"est": "1.0"}), np.random.default_rng(1), follow_up=(390, 400), tries=1)


def test_same_generator_gives_the_same_trial():
    first, second = (printing(*at_hand(), of(PRINTED), np.random.default_rng(3), follow_up=(366, 450), horizon=365) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("ties", order.TIES)
def test_free_counts_many_ties_and_decimals(ties):
    texts = {"est": "1.80", "lo": "1.36", "hi": "2.39", "p": "<.001"}
    weeks = printing(Arm(150, median=parse("9")), Arm(140, median=parse("5")), of(texts), np.random.default_rng(2), follow_up=(4, 30), ties=ties)
    assert prints(*crude(weeks, ties), texts) and len(np.unique(weeks.time)) <= 30
    assert [models.survival_median(weeks.time[weeks.arm == arm], weeks.event[weeks.arm == arm]) for arm in (False, True)] == [9, 5]
    months = printing(Arm(150, median=parse("9.3")), Arm(140, median=parse("5.1")), of(texts), np.random.default_rng(2), decimals=1)
    assert prints(*crude(months), texts) and (np.round(months.time, 1) == months.time).all()
    medians = [models.survival_median(months.time[months.arm == arm], months.event[months.arm == arm]) for arm in (False, True)]
    assert agrees(medians[0], "9.3") and agrees(medians[1], "5.1")


def test_a_hundred_thousand_people_print_what_they_are_made_from():
    rng = np.random.default_rng(3)
    arm = np.repeat([False, True], 50_000)
    time, end = np.ceil(rng.exponential(1000 / np.where(arm, 0.87, 1))), np.floor(rng.uniform(300, 1500, len(arm)))
    first = Trial(np.minimum(time, end), time <= end, arm)
    at = np.lexsort((~first.event, first.time))
    beta, se = order.cox(first.time[at], first.event[at], arm[at])
    texts = {"est": f"{math.exp(beta):.3f}", "lo": f"{math.exp(beta - 1.959964 * se):.3f}", "hi": f"{math.exp(beta + 1.959964 * se):.3f}"}
    medians = [f"{models.survival_median(first.time[arm == side], first.event[arm == side]):.0f}" for side in (False, True)]
    arms = [Arm(50_000, later=int(first.event[arm == side].sum()), median=parse(median)) for side, median in zip((False, True), medians, strict=True)]
    made = printing(*arms, of(texts), rng, follow_up=(300, 1500))
    assert prints(*crude(made), texts)
    assert [f"{models.survival_median(made.time[made.arm == side], made.event[made.arm == side]):.0f}" for side in (False, True)] == medians


# Groups


def test_robust_error_is_met_by_exchanging_groups_within_sites():
    rng = np.random.default_rng(5)
    trial = printing(*at_hand(), of({"est": "0.71"}), rng, follow_up=(366, 450), horizon=365, until=365)
    counted = trial.event & (trial.time <= 365)
    beta, se = order.cox(trial.time, counted, trial.arm)
    residuals = order.score_residuals(trial.time, counted, trial.arm, beta)
    groups = np.full(434, -1)
    groups[trial.arm] = rng.permutation(np.arange(218) % 48)
    sites = np.where(groups >= 0, groups % 6, 0)
    found = order.regrouped(residuals, groups, sites, se, 0.157, 0.159, rng)
    assert se > 0.165 and 0.157 <= order.robust_error(residuals, found, se) <= 0.159
    assert (np.bincount(found + 1) == np.bincount(groups + 1)).all() and (found[trial.arm] % 6 == sites[trial.arm]).all() and (found[~trial.arm] == -1).all()
    assert 0 < (found != groups).sum() < 218
    with pytest.raises(ValueError, match="the nearest was"):
        order.regrouped(residuals, groups, sites, se, 0.02, 0.03, rng)


# The records


MODEL: dict[str, Any] = {
    "family": "cox", "table": "people", "formula": '{outcome} ~ C(arm, Treatment("usual"))', "time": "days", "ties": "efron",
    "contrasts": {"guided": [{"weight": 1, "at": {"arm": "guided"}}, {"weight": -1, "at": {"arm": "usual"}}]},
}  # fmt: skip
MEDIANS = {"guided": "112", "usual": "86"}


def claims(texts: dict[str, str], medians: dict[str, str], by: dict[str, Any]) -> dict[str, Claim]:
    entries = {
        name: (text, {"model": "hazard", "outcome": "back", "contrast": "guided", "statistic": name}) for name, text in texts.items()
    } | {f"median.{arm}": (text, {"table": "people", "column": "days"} | by | {"filter": {"arm": arm} | by.get("filter", {})}) for arm, text in medians.items()}
    return {id: Claim(id, "trial", "x", "number", ("S",), "paper", "x", "reproduced", printed=text, by=each) for id, (text, each) in entries.items()}


def a_study(model: dict[str, Any] = MODEL, texts: dict[str, str] = PRINTED, medians: dict[str, str] = MEDIANS, by: dict[str, Any] | None = None, **spec: Any) -> Study:
    """A study of two arms with a time to an event, made by hand."""
    values = {"shape": "0.75", "least": "366", "most": "450", "health": "0.5", "year": "365"}
    whole = {"type": "integer"}
    columns = {"id": {"type": "string"}, "arm": {"type": "string"}, "within_year": whole, "days": whole, "back": whole, "worker": {"type": "string"}, "site": {"type": "string"}}
    part = {"table": "people", "time": "days", "event": "back", "model": "hazard", "shape": "shape", "follow_up": ["least", "most"], "health": "health"}
    within = {"within": {"column": "within_year", "until": "year"}}
    people = {"table": "people", "arms": {"column": "arm", "sizes": {"guided": 221, "usual": 220}}, "groups": {"column": "worker", "arm": "guided"}, "sites": {"column": "site"}}
    return Study(
        Path("trial"), "x", {}, {"people": {"key": ["id"], "columns": columns}}, {"people": people, "durations": {**part, **within, **spec}}, {"hazard": model},
        claims(texts, medians, by or {"statistic": "median", "filter": {"within_year": 1}}),
        {id: Assumption(id, "x", "x", value) for id, value in values.items()},
    )  # fmt: skip


def some_people(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """441 people, of whom 7 have no record of the year; and their health."""
    arm = np.repeat(["guided", "usual"], [221, 220])
    year = np.concatenate([np.repeat([1, 0, -1], [64, 154, 3]), np.repeat([1, 0, -1], [83, 133, 4])])
    worker = [f"w{number % 48:02d}" if number < 221 else None for number in range(441)]
    site = [f"s{number % 6}" for number in range(441)]
    frame = pd.DataFrame({"id": np.arange(441).astype(str), "arm": arm, "within_year": pd.array(np.where(year < 0, np.nan, year), dtype="Int64"), "days": pd.NA, "back": pd.NA, "worker": worker, "site": site})
    shuffled = frame.iloc[rng.permutation(441)].reset_index(drop=True)
    return shuffled, rng.standard_normal(441)


def refitted(study: Study, people: pd.DataFrame) -> models.Estimate:
    model = study.models["hazard"]
    return models.fit(model, people, "back").contrast(model["contrasts"]["guided"])


def median_days(people: pd.DataFrame, arm: str) -> float:
    return float(people.loc[(people["arm"] == arm) & (people["within_year"] == 1), "days"].astype(float).median())


def test_columns_are_filled_and_every_claim_prints():
    study = a_study()
    people, health = some_people(np.random.default_rng(1))
    made = durations.durations(study, people, health)
    found = refitted(study, made)
    assert {name: agrees(getattr(found, name), text) for name, text in PRINTED.items()} == dict.fromkeys(PRINTED, True)
    assert {arm: agrees(median_days(made, arm), text) for arm, text in MEDIANS.items()} == dict.fromkeys(MEDIANS, True)
    known = made["within_year"].notna()
    assert made.loc[~known, ["days", "back"]].isna().all(axis=None) and made.loc[known, ["days", "back"]].notna().all(axis=None)
    assert (made.loc[known, "within_year"] == ((made["back"] == 1) & (made["days"] <= 365))[known].astype(int)).all()
    assert (made.drop(columns=["days", "back"]).equals(people.drop(columns=["days", "back"]))) and str(made["days"].dtype) == "Int64"
    again = durations.durations(study, people, health)
    pd.testing.assert_frame_equal(made, again)


def test_people_who_are_less_well_have_the_event_earlier():
    people, health = some_people(np.random.default_rng(1))
    made = durations.durations(a_study(), people, health)
    early = (made["within_year"] == 1).fillna(False).to_numpy(dtype=bool)
    correlation = np.corrcoef(health[early], made["days"].astype(float)[early].rank())[0, 1]
    assert 0.3 < correlation < 0.7


def test_robust_error_prints_on_the_first_year_alone():
    model = MODEL | {"covariance": "robust", "groups": "worker", "until": 365}
    study = a_study(model)
    people, health = some_people(np.random.default_rng(1))
    made = durations.durations(study, people, health)
    found = refitted(study, made)
    assert {name: agrees(getattr(found, name), text) for name, text in PRINTED.items()} == dict.fromkeys(PRINTED, True)
    assert refitted(a_study(model | {"covariance": "model-based"}), made).se > 0.165
    tally = ["arm", "site", "worker"]
    pd.testing.assert_series_equal(made.groupby(tally, dropna=False).size(), people.groupby(tally, dropna=False).size())
    assert {arm: agrees(median_days(made, arm), text) for arm, text in MEDIANS.items()} == dict.fromkeys(MEDIANS, True)


def test_other_arms_sizes_and_survival_medians_without_a_horizon():
    texts = {"est": "1.46", "lo": "1.13", "hi": "1.88", "p": ".004"}
    study = a_study(texts=texts, medians={"guided": "41", "usual": "63"}, by={"statistic": "survival_median", "event": "back"}, events={"guided": 130, "usual": 118}, follow_up=[30, 200])
    del study.design["durations"]["within"], study.design["durations"]["health"]
    people, health = some_people(np.random.default_rng(2))
    made = durations.durations(study, people, health)
    found = refitted(study, made)
    assert {name: agrees(getattr(found, name), text) for name, text in texts.items()} == dict.fromkeys(texts, True)
    for arm, (median, events) in {"guided": (41, 130), "usual": (63, 118)}.items():
        mine = made[made["arm"] == arm].astype({"days": float, "back": float})
        assert models.survival_median(mine["days"].to_numpy(), mine["back"].to_numpy()) == median and mine["back"].sum() == events


@pytest.mark.parametrize(
    ("study", "field", "remedy"),
    [
        (a_study(later={"guided": 0, "usual": 0}), "design › durations", "147 events give"),
        (a_study(MODEL | {"formula": "{outcome} ~ C(arm) + site"}), "models › hazard › formula", "leave the rest out"),
        (a_study(MODEL | {"formula": "{outcome} ~ C(arm"}), "models › hazard › formula", "cannot be read"),
        (a_study(medians={"guided": "400", "usual": "86"}), "design › durations", "have the event by 365, so it cannot be later"),
        (a_study(by={"statistic": "survival_median", "event": "back"}), "design › durations", "83 of 216 people, fewer than half, have the event by 365.* it lies beyond 365"),
        (a_study(texts={}), "models › hazard › contrasts", "no more, no fewer"),
        (a_study(by={"statistic": "median", "filter": {"back": 1}}), "claims › median.usual › by › filter", "One median an arm"),
        (a_study(MODEL | {"covariance": "robust", "groups": "site", "until": 365}), "models › hazard › groups", "design › people › groups"),
        (a_study(MODEL | {"contrasts": {"guided": [{"weight": 1, "at": {"arm": "guided"}}]}}), "models › hazard › contrasts › guided", "weight -1"),
    ],
)  # fmt: skip
def test_study_that_cannot_be_made_is_refused_by_field(study, field, remedy):
    people, health = some_people(np.random.default_rng(1))
    with pytest.raises(StudyError, match=remedy) as caught:
        durations.durations(study, people, health)
    assert caught.value.field == field


def test_one_median_alone_is_met():
    swapped = dataclasses.replace(a_study(), claims=claims(PRINTED, {"guided": "112"}, {"statistic": "median", "filter": {"within_year": 1}}))
    people, health = some_people(np.random.default_rng(4))
    made = durations.durations(swapped, people, health)
    assert agrees(refitted(swapped, made).p, "0.029") and median_days(made, "guided") == 112
