"""Outcomes that count events: totals and rates of arms are met at once, and spread is what the SD or the assumption says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from asprinted.synthesis import synthesise
from asprinted.synthesis.outcomes.counts import _quantile, _quantiles
from tests.asprinted.kinds import printed_trial


@pytest.mark.parametrize(("kinds", "seed"), [(("count",), 0), (("count",), 2), (("count", "clusters"), 2), (("count", "visits"), 0)])
def test_every_claim_of_a_printed_trial_is_printed_again(load_data, kinds, seed):
    study = load_data(printed_trial(kinds, seed))
    tables = synthesise(study)
    column = next(entry["column"] for entry in study.design["outcomes"] if entry["kind"] == "count")
    values = next(frame for frame in tables.values() if column in frame)[column].dropna().astype(float)
    assert (values >= 0).all() and (values % 1 == 0).all() and values.nunique() > 3


@pytest.mark.parametrize(("spread", "most"), [(0.0, np.inf), (0.8, np.inf), (2.0, 9.0)])
def test_drawn_counts_have_their_total_rise_with_the_score_and_stay_below_the_most(spread, most):
    rng = np.random.default_rng(2)
    latent, expected = rng.standard_normal(400), rng.uniform(0.5, 3.0, 400)
    counts = _quantiles(latent, expected, spread, most, rng)
    assert counts.sum() == pytest.approx(expected.sum(), abs=0.5) and counts.min() >= 0 and counts.max() <= most
    assert np.corrcoef(latent, counts)[0, 1] > 0.5


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_quantiles_are_those_of_scipy(spread):
    level, mean = np.linspace(0.01, 0.99, 50), np.full(50, 2.3)
    wanted = stats.poisson.ppf(level, mean) if not spread else stats.nbinom.ppf(level, 1 / spread, 1 / (1 + spread * mean))
    assert (_quantile(level, mean, spread) == wanted).all()


def test_spread_makes_the_variance_of_a_negative_binomial():
    counts = _quantiles(np.random.default_rng(0).standard_normal(20_000), np.full(20_000, 2.0), 0.5, np.inf, np.random.default_rng(1))
    assert counts.var() == pytest.approx(2.0 + 0.5 * 4.0, rel=0.02)
