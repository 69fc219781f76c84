"""Times to an event: curves go through what is printed, counts of events are exact, and hazard ratios, tests and medians come together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asprinted import models
from asprinted.synthesis import synthesise
from asprinted.synthesis.outcomes import curves, hazards, shifts
from asprinted.synthesis.outcomes.targets import Target
from tests.asprinted.kinds import printed_trial


@pytest.mark.parametrize(("kinds", "seed"), [(("time",), 1), (("time",), 3), (("time", "clusters"), 3), (("time", "arms"), 1)])
def test_every_claim_of_a_printed_trial_is_printed_again(load_data, kinds, seed):
    study = load_data(printed_trial(kinds, seed))
    entry = next(entry for entry in study.design["outcomes"] if entry["kind"] == "time")
    people = synthesise(study)["participants"]
    time, event = people[entry["column"]].astype(float), people[entry["event"]]
    first, last = (study.number(end) for end in entry["follow_up"])
    assert time.between(1, last).all() and time[event == 0].between(first, last).all() and set(event) == {0, 1}


@pytest.mark.parametrize("knots", [(), ((100.0, 0.5),), ((60.0, 0.8), (180.0, 0.45))])
@pytest.mark.parametrize("events", [70, 90])
def test_times_have_exactly_the_events_and_the_curve_its_points(knots, events):
    rng = np.random.default_rng(8)
    ends = rng.uniform(200, 365, 120)
    time, event = curves.times(curves.through(knots, 1.2), events, ends, curves.exponentials(rng.standard_normal(120)))
    assert event.sum() == events and (time <= ends).all() and (time > 0).all() and (time[~event] == ends[~event]).all()
    at, survival = models.survival_curve(time, event.astype(float))
    for day, share in knots:
        assert survival[np.searchsorted(at, day, side="right") - 1] == pytest.approx(share, abs=0.02)


def test_a_curve_and_its_inverse_agree_and_points_that_do_not_fall_are_left_out():
    curve = curves.through([(50.0, 0.9), (80.0, 0.95), (200.0, 0.4)], 0.8)
    assert curve.times == (50.0, 200.0)
    time = np.geomspace(1, 1000, 40)
    assert curve.time(curve.hazard(time)) == pytest.approx(time)
    assert np.exp(-curve.hazard(np.array([50.0, 200.0]))) == pytest.approx([0.9, 0.4])


def test_shares_follow_from_a_hazard_ratio_and_its_standard_error():
    arms = [hazards.Arm(200, 0.5, False), hazards.Arm(180, 0.5, False, beside=(0, math.log(0.7), 0.2))]
    reference, treated = hazards.shares(arms)
    assert 1 - treated == pytest.approx((1 - reference) ** 0.7)
    assert 1 / (200 * reference) + 1 / (180 * treated) == pytest.approx(0.04)
    printed = [hazards.Arm(200, 0.5, True), arms[1]]
    assert hazards.shares(printed)[0] == 0.5


def test_the_surrogate_of_a_median_holds_exactly_where_the_median_prints():
    rng = np.random.default_rng(3)
    everyone = np.ones(31, dtype=bool)
    median = Target("median", 99.5, 100.5, {"statistic": "survival_median"}, lambda y: models.survival_median(*y.T), everyone)
    instead = hazards.about_medians(median, 1.0)
    held = 0
    for _ in range(400):
        y = np.column_stack([np.rint(rng.normal(100, 3, 31)), rng.random(31) < 0.9]).astype(float)
        prints = median.low < median.value(y) < median.high
        held += prints
        assert (instead.value(y) < instead.high) == prints
    assert 0 < held < 400


def test_changes_of_times_keep_to_units_bounds_and_what_they_promise():
    rng = np.random.default_rng(6)
    strata, n = np.repeat([0, 1], 100), 200
    event = (rng.random(n) < 0.5).astype(float)
    y = np.column_stack([np.where(event > 0, rng.integers(1, 300, n), rng.integers(200, 301, n)), event]).astype(float)
    bounds, rows = shifts.Bounds(1.0, 200.0, 300.0), np.arange(n)
    for moves in shifts.kinds(strata, rows, rows, bounds, []):
        changed, values = moves(y, 30, rng)
        assert len(changed) and len(np.unique(changed)) == changed.size
        assert (values[..., 0] >= 1).all() and (values[..., 0] <= 300).all() and (values[..., 0] % 1 == 0).all()
        assert (values[..., 0][values[..., 1] == 0] >= 200).all()
    pairs, values = shifts.across(strata, rows)(y, 30, rng)
    assert (strata[pairs[:, 0]] != strata[pairs[:, 1]]).all() and (values[..., 1] == y[pairs, 1]).all()
    pairs, values = shifts.relabelled(strata, rows, bounds)(y, 30, rng)
    assert (values[..., 0] == y[pairs, 0]).all() and (values[..., 1] == 1 - y[pairs, 1]).all() and (strata[pairs[:, 0]] == strata[pairs[:, 1]]).all()
