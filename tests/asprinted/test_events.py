"""Counts of a yes/no outcome print an odds ratio, its interval and p together; where none can, that is proved or said."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted import models
from asprinted.consistency import triples
from asprinted.printed import agrees, parse
from asprinted.study import Study, StudyError, load
from asprinted.synthesis import design, events
from asprinted.synthesis.events.counts import Target, polygons, together, yes_counts
from asprinted.synthesis.events.divisions import Cells

PEER, USUAL = [48, 35, 37, 36, 33, 29], [45, 36, 36, 38, 31, 30]  # people by site
PUBLISHED = {"est": "0.66", "lo": "0.43", "hi": "0.99", "p": "0.0438"}


def trial(*arms: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """People (C,), X (C, p) of arm and site, arm codes and site codes, a cell for each arm and site; the last arm is the reference."""
    sites = len(arms[0])
    arm, site = np.repeat(np.arange(len(arms)), sites), np.tile(np.arange(sites), len(arms))
    columns = [np.ones(len(arm)), *(arm == a for a in range(len(arms) - 1)), *(site == s for s in range(1, sites))]
    return np.concatenate(arms), np.column_stack(columns).astype(float), arm, site


def targets(claims: dict[str, str], weights: np.ndarray, prefix: str = "") -> list[Target]:
    return [Target(prefix + statistic, text, statistic, weights, parse(text).interval()) for statistic, text in claims.items()]


def computed(counts: np.ndarray, people: np.ndarray, X: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """The statistics of one contrast by the reference model, from the counts alone."""
    beta, cov = models.logistic(counts / people, X, people)
    est, se = float(weights @ beta), math.sqrt(weights @ cov @ weights)
    half = stats.norm.isf(0.025) * se
    return {"est": math.exp(est), "se": se, "lo": math.exp(est - half), "hi": math.exp(est + half), "p": 2 * stats.norm.sf(abs(est) / se)}


def assert_prints(counts: np.ndarray, people: np.ndarray, X: np.ndarray, aims: Sequence[Target]) -> None:
    assert (counts == np.rint(counts)).all() and (counts >= 0).all() and (counts <= people).all()
    for aim in aims:
        value = computed(counts, people, X, aim.weights)[aim.statistic]
        assert agrees(value, aim.text), f"{aim.claim}: {value} does not print as {aim.text}"


def uneven(site: np.ndarray, spread: float = 0.5, seed: int = 0) -> np.ndarray:
    """Shares (C,) with log-odds that differ between sites by that SD."""
    pull = np.random.default_rng(seed).standard_normal(site.max() + 1)
    return 1 / (1 + np.exp(0.7 - spread * (pull - pull.mean()) / (pull.std() or 1))[site])


# The published case


@pytest.mark.parametrize(("seed", "shuffled"), [(0, False), (1, True)])
def test_published_odds_ratio_interval_and_p_are_printed_by_one_adjusted_table(seed, shuffled):
    people, X, arm, site = trial(PEER, USUAL)
    weights = np.eye(7)[1]
    if shuffled:
        order = np.random.default_rng(9).permutation(len(people))
        people, X, arm, site = people[order], X[order], arm[order], site[order]
    aims = targets(PUBLISHED, weights)
    counts = yes_counts(people, X, arm, [64, 83], uneven(site, seed=seed), aims, 0.95, np.random.default_rng(seed))
    assert_prints(counts, people, X, aims)
    assert [counts[arm == 0].sum(), counts[arm == 1].sum()] == [64, 83]
    found = computed(counts, people, X, weights)
    assert 0.6550 <= found["est"] <= 0.65573 and 0.20933 <= found["se"] <= 0.20994  # the sliver in which all four print
    assert abs(found["p"] - 0.0438) < 0.98 * 0.00005  # and not at its very end


@pytest.mark.parametrize("totals", [[64, 83], [None, None]])
def test_published_numbers_are_met_from_equal_sites_and_with_totals_left_open(totals):
    people, X, arm, _ = trial(PEER, USUAL)
    aims = targets(PUBLISHED, np.eye(7)[1])
    counts = yes_counts(people, X, arm, totals, np.full(12, 0.3), aims, 0.95, np.random.default_rng(1))
    assert_prints(counts, people, X, aims)
    assert all(total is None or counts[arm == code].sum() == total for code, total in enumerate(totals))


def test_crude_table_cannot_print_the_published_numbers_and_that_is_proved():
    people, X, arm, _ = trial([218], [216])
    with pytest.raises(ValueError, match=r"none of the 1 possible divisions .* est 0\.66, lo 0\.43, hi 0\.99, p 0\.0438; the nearest gives ratio 0\.66594 .* p 0\.046450"):
        yes_counts(people, X, arm, [64, 83], np.full(2, 0.3), targets(PUBLISHED, np.eye(2)[1]), 0.95, np.random.default_rng(0))


def test_crude_numbers_are_printed_by_the_crude_table():
    people, X, arm, _ = trial([218], [216])
    aims = targets({"est": "0.67", "lo": "0.45", "hi": "0.99", "p": "0.046"}, np.eye(2)[1])
    assert yes_counts(people, X, arm, [64, 83], np.full(2, 0.3), aims, 0.95, np.random.default_rng(0)).tolist() == [64, 83]


# Other trials


def printed_trial(seed: int, scale: int = 1, arms: int = 2, decimals: int = 4) -> tuple[Any, ...]:
    """A simulated trial of up to eight sites, and its print: ratio and interval at 2 decimals, p where it is large enough."""
    rng = np.random.default_rng(seed)
    sites = int(rng.integers(1 if arms == 2 else 4, 9))
    people, X, arm, site = trial(*(rng.integers(25, 60, (arms, sites)) * scale))
    odds = -0.5 + rng.normal(0, 0.5, sites)[site] + rng.normal(0, 0.5 / math.sqrt(scale), arms)[arm]
    real = rng.binomial(people, 1 / (1 + np.exp(-odds)))
    aims = []
    for code in range(arms - 1):
        weights = np.eye(X.shape[1])[code + 1]
        found = computed(real, people, X, weights)
        claims = {name: f"{found[name]:.2f}" for name in ("est", "lo", "hi")} | {"p": f"{found['p']:.{decimals}f}" if found["p"] > 10**-decimals else f"<{10**-decimals:.{decimals}f}"}
        aims += targets(claims, weights, f"{code}.")
    return people, X, arm, site, [int(real[arm == code].sum()) for code in range(arms)], aims


@pytest.mark.parametrize(("seed", "known"), [(0, True), (1, False), (2, True), (3, True), (3, False)])
def test_print_of_a_simulated_trial_is_printed_again(seed, known):
    people, X, arm, site, totals, aims = printed_trial(seed)
    counts = yes_counts(people, X, arm, totals if known else [None] * len(totals), uneven(site, seed=seed), aims, 0.95, np.random.default_rng(seed))
    assert_prints(counts, people, X, aims)
    assert not known or [counts[arm == code].sum() for code in range(len(totals))] == totals


def test_print_of_two_contrasts_of_three_arms_is_printed_again():
    people, X, arm, site, totals, aims = printed_trial(0, arms=3, decimals=2)
    counts = yes_counts(people, X, arm, totals, uneven(site, seed=0), aims, 0.95, np.random.default_rng(0))
    assert_prints(counts, people, X, aims)
    assert {aim.claim[0] for aim in aims} == {"0", "1"}


def test_another_level_of_the_interval_is_met():
    people, X, arm, site = trial(PEER, USUAL)
    weights = np.eye(7)[1]
    found = computed(np.rint(people * uneven(site)), people, X, weights)
    half = stats.norm.isf(0.05) * found["se"]
    lo, hi = (math.exp(math.log(found["est"]) + side * half) for side in (-1, 1))
    aims = targets({"lo": f"{lo:.2f}", "hi": f"{hi:.2f}"}, weights)
    counts = yes_counts(people, X, arm, [None, None], uneven(site), aims, 0.90, np.random.default_rng(0))
    again = computed(counts, people, X, weights)
    for side, aim in zip((-1, 1), aims, strict=True):
        assert agrees(math.exp(math.log(again["est"]) + side * stats.norm.isf(0.05) * again["se"]), aim.text)


@pytest.mark.parametrize("text", ["<.001", ">=.05", ".62", "1.00"])
def test_p_value_alone_is_met_whatever_the_sign(text):
    people, X, arm, site = trial([200, 150], [210, 140])
    aims = targets({"p": text}, np.eye(3)[1])
    counts = yes_counts(people, X, arm, [None, None], uneven(site), aims, 0.95, np.random.default_rng(0))
    assert_prints(counts, people, X, aims)


def test_counts_stay_at_the_assumed_shares_where_these_print_the_claim():
    people, X, arm, site = trial(PEER, USUAL)
    shares = np.where(arm == 0, 0.28, 0.38)
    counts = yes_counts(people, X, arm, [None, None], shares, targets({"est": "0.6", "p": "<.05"}, np.eye(7)[1]), 0.95, np.random.default_rng(0))
    assert np.abs(counts - shares * people).max() < 3
    assert yes_counts(people, X, arm, [66, 82], shares, [], 0.95, np.random.default_rng(0)) == pytest.approx(shares * people, abs=1.5)


# Proofs


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"est": "0.66", "lo": "0.43", "hi": "0.99", "p": "0.06"}, "hi 0.99, p 0.06"),
        ({"est": "0.75", "lo": "0.60", "hi": "0.94", "p": "0.03"}, "est 0.75, lo 0.60, p 0.03; or est 0.75, hi 0.94, p 0.03; or lo 0.60, hi 0.94, p 0.03"),
        ({"est": "0.66", "lo": "0.43", "hi": "0.89"}, "est 0.66, lo 0.43, hi 0.89"),
        ({"est": "<0.9", "lo": ">1", "hi": "2.0", "p": "0.04"}, "est <0.9, lo >1"),
        ({"reduction": "34", "est": "0.70", "p": "<.05"}, "reduction 34, est 0.70"),
    ],
)
def test_smallest_sets_of_claims_that_no_estimate_and_error_print_are_named_and_no_others(claims, named):
    people, X, arm, site = trial(PEER, USUAL)
    with pytest.raises(ValueError) as caught:
        yes_counts(people, X, arm, [64, 83], uneven(site), targets(claims, np.eye(7)[1]), 0.95, np.random.default_rng(0))
    assert str(caught.value) == f"no estimate and standard error print these together: {named}"


@pytest.mark.parametrize(("claims", "message"), [({"est": "0.66", "lo": "-0.10"}, "est 0.66, lo -0.10: lo of .* no ratio"), ({"p": "1.2"}, "p 1.2: p of .* no probability")])
def test_claim_that_is_no_value_of_its_statistic_is_named(claims, message):
    people, X, arm, site = trial(PEER, USUAL)
    with pytest.raises(ValueError, match=message):
        yes_counts(people, X, arm, [64, 83], uneven(site), targets(claims, np.eye(7)[1]), 0.95, np.random.default_rng(0))


@settings(max_examples=30, deadline=None)
@given(st.floats(-1.2, 1.2), st.floats(0.05, 0.6), st.lists(st.sampled_from([("est", -2), ("lo", 3), ("hi", -3), ("p", 4)]), max_size=2))
def test_claims_are_called_impossible_where_exact_arithmetic_agrees(log_ratio, se, moved):
    """Print of one Wald test, some of its numbers moved by a few units of the last digit: the polygon against whole numbers."""
    half = stats.norm.isf(0.025) * se
    values = {"est": math.exp(log_ratio), "lo": math.exp(log_ratio - half), "hi": math.exp(log_ratio + half), "p": 2 * stats.norm.sf(abs(log_ratio) / se)}
    claims = {name: f"{max(value + dict(moved).get(name, 0) / 100, 0.0):.2f}" for name, value in values.items()}
    assume(float(claims["p"]) <= 1)

    def exact(names: Sequence[str]) -> str:
        return triples.check(**{{"est": "estimate"}.get(name, name): claims[name] for name in names}, scale="log").verdict

    try:
        slack = together(targets(claims, np.ones(1)), 0.95).interior()[0]
    except ValueError as error:
        sets = [[each.split()[0] for each in named.split(", ")] for named in str(error).partition("together: ")[2].split("; or ")]
        assert sets and all(exact(names) != "possible" for names in [*sets, list(claims)])
    else:
        assert exact(list(claims)) == "possible" or slack < 1e-6  # numbers that only touch


@pytest.mark.parametrize("seed", range(16))
def test_small_table_is_found_if_and_only_if_one_exists(seed):
    rng = np.random.default_rng(seed)
    people, X, arm, site = trial(*rng.integers(3, 6, (2, 2)))
    weights = np.eye(3)[1]
    totals = [int(rng.integers(2, people[arm == 0].sum() - 1)), None]
    claims = {"est": f"{rng.uniform(0.3, 3):.1f}"} | ({"p": f"{rng.uniform(0.2, 1):.2f}"} if seed % 2 else {})
    aims = targets(claims, weights)

    def prints(counts: tuple[int, ...]) -> bool:
        try:
            found = computed(np.array(counts), people, X, weights)
        except ValueError:  # no finite estimate
            return False
        return all(float(aim.interval.lo) + 1e-9 < found[aim.statistic] < float(aim.interval.hi) - 1e-9 for aim in aims)

    every = (counts for counts in itertools.product(*(range(size + 1) for size in people)) if np.array(counts)[arm == 0].sum() == totals[0])
    exists = any(prints(counts) for counts in every)
    try:
        found = yes_counts(people, X, arm, totals, uneven(site), aims, 0.95, rng)
    except ValueError as error:
        assert "possible divisions" in str(error) and not exists
    else:
        assert exists and prints(tuple(found.astype(int)))


def test_end_of_an_interval_that_rounding_keeps_is_not_called_impossible():
    people, X, arm, _ = trial([9], [10])
    counts = yes_counts(people, X, arm, [None, 5], np.full(2, 0.4), targets({"est": ".13"}, np.eye(2)[1]), 0.95, np.random.default_rng(0))
    assert counts.tolist() == [1, 5]  # an odds ratio of exactly one eighth


def test_failed_search_names_the_claims_and_the_nearest():
    people, X, arm, site = trial(PEER, USUAL)
    aims = targets({"est": "3.00", "p": "0.0001"}, np.eye(7)[1])
    with pytest.raises(ValueError, match=r"no division .* est 3\.00, p 0\.0001, which is no proof .* nearest gives ratio [\d.]+ \("):
        yes_counts(people, X, arm, [64, 83], uneven(site), aims, 0.95, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("totals", "message"),
    [([64, 217], "217 events among 216 people"), ([0, 83], "no finite estimate"), ([64, 216], "no finite estimate")],
)
def test_totals_that_leave_no_fit_are_refused(totals, message):
    people, X, arm, site = trial(PEER, USUAL)
    with pytest.raises(ValueError, match=message):
        yes_counts(people, X, arm, totals, uneven(site), targets({"est": "0.66"}, np.eye(7)[1]), 0.95, np.random.default_rng(0))


# The parts


def test_many_fits_at_once_are_those_of_the_reference_model():
    people, X, arm, site = trial(PEER, USUAL)
    counts = np.random.default_rng(3).integers(1, people, (50, 12))
    counts[7, site == 2] = 0
    betas, covs = Cells(people, X, arm, np.full(2, np.nan), np.eye(7)[1:2]).fits(counts.astype(float))
    assert np.isnan(betas[7]).all() and np.isnan(covs[7]).all()
    for row in set(range(50)) - {7}:
        beta, cov = models.logistic(counts[row] / people, X, people)
        np.testing.assert_allclose(betas[row], beta, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(covs[row], cov, rtol=1e-7, atol=1e-9)


def test_slopes_are_the_change_with_one_event_more():
    people, X, arm, site = trial(PEER, USUAL)
    counts = people * uneven(site)
    cells = Cells(people, X, arm, np.full(2, np.nan), np.eye(7)[[1, 3]])
    place, slopes = cells.tangent(counts)
    more, less = (cells.places(counts + side * 1e-3 * np.eye(12)) for side in (1, -1))
    np.testing.assert_array_equal(place, cells.places(counts[None])[0])
    np.testing.assert_allclose(slopes, np.moveaxis(more - less, 0, -1) / 2e-3, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("claims", [PUBLISHED, {"est": "0.98", "lo": "0.80", "hi": "1.20"}, {"p": ".62"}, {"est": "1.00", "p": ">=.05"}, {"hi": "<0.9", "se": "0.2"}])
def test_polygons_hold_the_pairs_that_print_and_no_others(claims):
    printed = together(targets(claims, np.ones(1)), 0.95)
    found = polygons(printed, 0.2)
    pairs = np.random.default_rng(0).uniform((-0.6, 0.15), (0.6, 0.25), (1_000, 2))
    pairs[:500] = pairs[:500] * 0.01 + 0.99 * np.array(printed.interior()[1:])  # near a pair that prints
    inside = np.max([polygon.depth(pairs) for polygon in found], axis=0) > 0
    assert (inside == [printed.slack(*pair) > 0 for pair in pairs]).all() and 0 < inside.sum() < len(pairs)
    assert len(found) == len(printed.signs) - ("est" in claims and len(printed.signs) == 2)  # the estimate tells the sign


def test_same_generator_gives_the_same_counts():
    people, X, arm, site = trial(PEER, USUAL)
    made = [
        yes_counts(people, X, arm, [64, 83], uneven(site), targets(PUBLISHED, np.eye(7)[1]), 0.95, np.random.default_rng(seed)).tolist()
        for seed in (0, 0)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize("scale", [1, 2_000])
@pytest.mark.parametrize("seed", [3, 5])
def test_trials_of_any_size_print_again(seed, scale):
    people, X, arm, site, totals, aims = printed_trial(seed, scale)
    counts = yes_counts(people, X, arm, totals, uneven(site, seed=seed), aims, 0.95, np.random.default_rng(seed))
    assert_prints(counts, people, X, aims)


# From a study file to people


def study_file(**changes: Any) -> dict[str, Any]:
    """A trial with the published numbers under other names; a dotted name in `changes` replaces that entry, None takes it out."""
    def claim(statistic: str, text: str) -> dict[str, Any]:
        return {"says": "x", "kind": "number", "printed": text, "mark": "S", "source": "paper", "where": "x",
                "by": {"model": "adjusted", "outcome": "back", "contrast": "ours", "statistic": statistic}}  # fmt: skip

    def assumed(value: Any) -> dict[str, Any]:
        return {"says": "x", "reason": "x", "value": value}

    file = {
        "schema": 1, "title": "x", "sources": [{"id": "paper", "reference": "x", "read": "x"}],
        "tables": {"persons": {"file": "persons.csv", "row": "One person", "key": ["id"], "columns": {
            "id": {"type": "string", "required": True, "mark": "A", "says": "x"},
            "place": {"type": "string", "required": True, "mark": "A", "says": "x"},
            "group": {"type": "string", "required": True, "mark": "S", "values": ["ours", "theirs"], "says": "x"},
            "helper": {"type": "string", "mark": "A", "says": "x"},
            "age": {"type": "integer", "required": True, "mark": "A", "minimum": 18, "maximum": 80, "says": "x"},
            "back": {"type": "integer", "mark": "S", "values": [0, 1], "says": "x"},
        }}},
        "design": {
            "people": {
                "table": "persons",
                "arms": {"column": "group", "sizes": {"ours": 221, "theirs": 220}},
                "sites": {"column": "place", "shares": "place.shares"},
                "groups": {"column": "helper", "arm": "ours", "smallest": 3, "largest": 9},
                "covariates": [{"kind": "whole", "column": "age", "mean": "age.mean", "sd": "age.sd"}],
            },
            "events": {
                "table": "persons", "column": "back", "model": "adjusted", "seen": {"ours": 218, "theirs": 216}, "yes": {"ours": 64, "theirs": 83},
                "spread": "back.spread", "health": "back.health", "group": "back.helper", "lost": "back.lost",
            },
        },
        "models": {"adjusted": {
            "family": "logistic", "says": "x", "table": "persons", "formula": "{outcome} ~ C(group, Treatment('theirs')) + C(place)", "estimator": "ML",
            "contrasts": {"ours": [{"weight": 1, "at": {"group": "ours"}}, {"weight": -1, "at": {"group": "theirs"}}]},
        }},
        "claims": {f"back.or.{statistic}": claim(statistic, text) for statistic, text in PUBLISHED.items()},
        "assumptions": {
            "place.shares": assumed({"a": "0.22", "b": "0.19", "c": "0.18", "d": "0.16", "e": "0.15", "f": "0.10"}),
            "age.mean": assumed("40"), "age.sd": assumed("12"),
            "back.spread": assumed("0.5"), "back.health": assumed("0.4"), "back.helper": assumed("0.3"), "back.lost": assumed("0.5"), "back.share": assumed("0.35"),
        },
    }  # fmt: skip
    for path, value in changes.items():
        *way, last = path.split("__")
        entry: Any = file
        for name in way:
            entry = entry[name]
        if value is None:
            del entry[last]
        else:
            entry[last] = value
    return file


LOOSE = {"back.or.est": study_file()["claims"]["back.or.est"] | {"printed": "<5", "kind": "inequality"}}


@pytest.fixture
def made(tmp_path: Path):
    """A function that gives the Study of `study_file(**changes)`, its people with the outcome, and their health."""

    def make(**changes: Any) -> tuple[Study, pd.DataFrame, np.ndarray]:
        folder = tmp_path / "some-trial"
        folder.mkdir(exist_ok=True)
        (folder / "study.yml").write_text(json.dumps(study_file(**changes)), "utf-8")
        study = load(folder)
        people, health = design.people(study)
        return study, events.outcomes(study, people, health), health

    return make


def assert_claims_print(study: Study, people: pd.DataFrame) -> None:
    """Every claim, all on one model and outcome, prints."""
    [(name, outcome)] = {(claim.by["model"], claim.by["outcome"]) for claim in study.claims.values()}
    model, fit = study.models[name], models.fit(study.models[name], people, outcome)
    for claim in study.claims.values():
        assert agrees(getattr(fit.contrast(model["contrasts"][claim.by["contrast"]]), claim.by["statistic"]), claim.printed), claim.id


def test_people_of_a_study_file_print_its_claims_with_exact_numbers_seen_and_events(made):
    study, people, _ = made()
    assert_claims_print(study, people)
    by_arm = people.groupby("group")["back"]
    assert by_arm.count().to_dict() == {"ours": 218, "theirs": 216} and by_arm.sum().to_dict() == {"ours": 64, "theirs": 83}
    assert list(people) == list(study.tables["persons"]["columns"]) and len(people) == 441


def test_outcomes_are_the_same_each_time_and_leave_the_people_given_as_they_were(made):
    study, people, health = made()
    given, _ = design.people(study)
    before = given.copy()
    pd.testing.assert_frame_equal(events.outcomes(study, given, health), people)
    pd.testing.assert_frame_equal(given, before)


def test_well_people_have_the_event_less_often_and_the_outcome_more_often(made):
    sizes = {"design__people__arms": {"column": "group", "sizes": {"ours": 2200, "theirs": 2200}}, "claims": LOOSE}
    seen = {"design__events__seen": {"ours": 1900, "theirs": 2100}, "design__events__yes": {"ours": 700, "theirs": 800}}
    _, people, health = made(**sizes, **seen)
    known = people["back"].notna().to_numpy()
    yes = people["back"].eq(1).fillna(False).to_numpy(dtype=bool)
    assert health[known & yes].mean() - health[known & ~yes].mean() == pytest.approx(-0.4 * 1.66, abs=0.2)  # point-biserial at this share
    assert health[~known].mean() < -0.5


def test_programme_groups_differ_by_their_part_of_the_liability(made):
    sizes = {"design__people__arms": {"column": "group", "sizes": {"ours": 3000, "theirs": 300}}, "claims": LOOSE}
    seen = {"design__events__seen": {"ours": 3000, "theirs": 300}, "design__events__yes": {"ours": 1000, "theirs": 100}}

    def between(spread: str) -> float:
        """Variance of the groups' shares over what chance alone would give."""
        _, people, _ = made(**sizes, **seen, **{"assumptions__back.helper__value": spread, "assumptions__back.spread__value": "0"})
        ours = people[people["group"] == "ours"]
        each = ours.groupby("helper")["back"].agg(["mean", "count"])
        return float(((each["mean"].astype(float) - 1 / 3) ** 2 * each["count"]).mean() / (2 / 9))

    assert between("0") == pytest.approx(1, abs=0.2)
    assert between("0.6") > 1.5


def test_trial_without_sites_or_printed_totals_is_filled_from_the_assumed_shares(made):
    study, people, _ = made(
        design__people__sites=None, design__people__groups=None, design__events__group=None, design__events__spread=None,
        tables__persons__columns__place=None, tables__persons__columns__helper=None,
        models__adjusted__formula="{outcome} ~ C(group, Treatment('theirs'))",
        design__events__yes={"ours": 64}, design__events__share={"theirs": "back.share"},
        claims={"back.or.est": study_file()["claims"]["back.or.est"] | {"printed": "0.67"}},
    )  # fmt: skip
    assert_claims_print(study, people)
    assert people[people["group"] == "ours"]["back"].sum() == 64
    assert people[people["group"] == "theirs"]["back"].mean() == pytest.approx(0.385, abs=0.02)


def test_covariate_of_two_values_and_reduction_are_met(made):
    columns = study_file()["tables"]["persons"]["columns"] | {"age": {"type": "integer", "required": True, "mark": "A", "minimum": 0, "maximum": 1, "says": "x"}}
    claims = {id: claim for id, claim in study_file()["claims"].items() if id != "back.or.est"}
    words = {"says": "x", "kind": "words", "declared": "30 to 36", "reason": "x", "mark": "S", "source": "paper", "where": "x", "by": claims["back.or.p"]["by"] | {"statistic": "reduction"}}
    study, people, _ = made(
        tables__persons__columns=columns, models__adjusted__formula="{outcome} ~ C(group, Treatment('theirs')) + C(place) + age",
        claims=claims | {"back.fewer": words}, **{"assumptions__age.mean__value": "0.5", "assumptions__age.sd__value": "0.5"},
    )  # fmt: skip
    model = study.models["adjusted"]
    estimate = models.fit(model, people, "back").contrast(model["contrasts"]["ours"])
    assert 30 <= estimate.reduction <= 36 and agrees(estimate.p, "0.0438") and agrees(estimate.lo, "0.43")


def test_claim_that_is_expected_to_differ_is_not_aimed_at(made):
    off = study_file()["claims"]["back.or.p"] | {"printed": "0.5", "expect": "misprint", "reason": "x"}
    _, people, _ = made(**{"claims__back.or.off": off})
    assert people["back"].sum() == 147


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"claims__back.or.p__printed": "0.06"}, "design › events", "back.or.hi 0.99, back.or.p 0.06"),
        ({"design__events__yes": {"ours": 20, "theirs": 150}}, "design › events", "the nearest gives ratio"),
        ({"models__adjusted__formula": "{outcome} ~ C(group) + age"}, "models › adjusted › formula", "'age'. Counts are searched in cells"),
        ({"models__adjusted__formula": "{outcome} ~ C(group) + C(helper)"}, "models › adjusted › formula", "'helper'. It is empty for some people"),
        ({"models__adjusted__formula": "{outcome} ~ C(group) + ("}, "models › adjusted › formula", "cannot be read"),
        ({"models__adjusted__rows": {"group": "ours"}}, "models › adjusted › rows", "all people with the outcome"),
        ({"models__adjusted__covariance": "robust", "models__adjusted__groups": "helper"}, "models › adjusted", "model-based covariance"),
        ({"assumptions__back.health__value": "0.99"}, "design › events › health", "0.954 or less"),
        ({"design__events__seen": {"ours": 0, "theirs": 216}, "design__events__yes": {"ours": 0, "theirs": 83}}, "design › events › seen › ours", "Give from 1 to 221"),
    ],
)  # fmt: skip
def test_faults_are_named_with_field_and_remedy(made, changes, field, words):
    with pytest.raises(StudyError) as caught:
        made(**changes)
    assert caught.value.field == field and words in str(caught.value)


def test_forty_thousand_people_are_written_out(made):
    scale = 100
    study, people, _ = made(**{
        "design__people__arms": {"column": "group", "sizes": {"ours": 221 * scale, "theirs": 220 * scale}},
        "design__people__groups": None, "tables__persons__columns__helper": None, "design__events__group": None,
        "design__events__seen": {"ours": 218 * scale, "theirs": 216 * scale}, "design__events__yes": {"ours": 64 * scale, "theirs": 63 * scale},
        "claims": {id: claim | {"printed": text} for (id, claim), text in zip(study_file()["claims"].items(), ("1.01", "0.97", "1.06", "0.57"), strict=True)},
    })  # fmt: skip
    assert_claims_print(study, people)
