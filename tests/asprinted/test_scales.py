"""Repeated whole-number scores: every claim prints again, margins are exact, and what cannot be is refused by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted import models, reanalysis
from asprinted.printed import agrees, declared_interval, round_to
from asprinted.study import Assumption, Claim, Study, StudyError
from asprinted.synthesis import design, scales
from asprinted.synthesis.scales.moments import Tracked, exchanged, of_model, sums_of

DIFFERENCE = [{"weight": 1, "at": {"arm": "new"}}, {"weight": -1, "at": {"arm": "old"}}]


def linear(month: int | None, formula: str = '{outcome} ~ C(arm, Treatment("old"))', **fields: Any) -> dict[str, Any]:
    """A linear model on one visit, as in a study file."""
    rows = {} if month is None else {"rows": {"month": month}}
    return {"family": "linear", "table": "visits", "says": "x", "formula": formula, "contrasts": {"new": DIFFERENCE}} | rows | fields


def ancova(month: int, formula: str = '{outcome} ~ C(arm, Treatment("old")) + baseline') -> dict[str, Any]:
    """A linear model on one visit, adjusted for the score at month 0."""
    return linear(month, formula, baseline={"column": "month", "value": 0})


MODELS = {"plain": linear(4), "ancova": ancova(4), "late": ancova(18)}


def claim(id: str, text: str, **by: Any) -> Claim:
    """A claim with this printed text, on model `plain` or another, or on the table of visits."""
    by = by if "model" in by else {"table": "visits"} | by
    return Claim(id, "trial", "x", "inequality" if text[0] in "<>" else "number", ("S",), "source", "x", "reproduced", printed=text, by=by)


def effect(id: str, text: str, statistic: str, model: str = "plain", outcome: str | list[str] = "score", **by: Any) -> Claim:
    """A claim on the difference between the arms."""
    return claim(id, text, model=model, outcome=outcome, contrast="new", statistic=statistic, **by)


def assumption(id: str, value: str | None = None, **fields: Any) -> Assumption:
    return Assumption(id, "x", "x", value=value, **fields)


def trial(
    outcomes: Mapping[str, Any], claims: list[Claim], assumed: list[Assumption], sizes: Mapping[str, int], scale: tuple[int, int] = (0, 27),
    months: tuple[int, ...] = (0, 4), seen: Mapping[str, list[int]] | None = None, fitted: Mapping[str, Any] = MODELS, slug: str = "some-trial",
) -> Study:  # fmt: skip
    """A trial with a table of people and one of visits, whose scores `design.scales` makes."""
    defaults = [assumption("common", "0.5"), assumption("back", "0.2"), assumption("lost", "-0.4"), Assumption("shares", "x", "x", value={"east": "0.6", "west": "0.4"})]
    tables = {
        "people": {"file": "people.csv", "key": ["id"], "columns": {name: {"type": "string"} for name in ("id", "arm", "site")}},
        "visits": {
            "file": "visits.csv", "key": ["id", "month"], "parent": "people",
            "columns": {"id": {"type": "string"}, "month": {"type": "integer", "values": list(months)}}
            | {outcome: {"type": "integer", "minimum": scale[0], "maximum": scale[1]} for outcome in outcomes},
        },
    }  # fmt: skip
    seen = seen or {arm: [n] * (len(months) - 1) for arm, n in sizes.items()}
    parts = {
        "people": {"table": "people", "arms": {"column": "arm", "sizes": dict(sizes)}, "sites": {"column": "site", "shares": "shares"}},
        "scales": {
            "table": "visits", "visit": "month", "months": list(months), "outcomes": dict(outcomes),
            "losses": {"seen": dict(seen), "return": "back", "health": "lost"},
        },
    }  # fmt: skip
    return Study(
        Path("/nowhere") / slug, "A trial", {}, tables, parts, dict(fitted), {each.id: each for each in claims}, {each.id: each for each in (*defaults, *assumed)}
    )  # fmt: skip


def made(study: Study) -> dict[str, pd.DataFrame]:
    """The two tables."""
    people, health = design.people(study)
    return {"people": people, "visits": scales.visits(study, people, health, lambda line: None)}


def differing(study: Study, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Claims that do not print, and assumptions out of bounds, with what was found."""
    analysis = reanalysis.Reanalysis(study, tables)
    found = {id: (each.printed, analysis.value(each.by)) for id, each in study.claims.items()}
    wrong: dict[str, Any] = {id: pair for id, pair in found.items() if not agrees(pair[1], pair[0])}
    return wrong | {each.id: each.found for each in reanalysis.assumptions_kept(study, tables) if not each.holds}


SIMPLE = {"score": {"mean": {"0": "mean", "4": "mean"}, "sd": "sd", "r": "r", "common": "common"}}
ASSUMED = [assumption("mean", "14"), assumption("sd", "5"), assumption("r", "0.6")]


def simulated(seed: int, sizes: tuple[int, int], scale: tuple[int, int] = (0, 27), decimals: int = 4) -> tuple[list[Claim], float]:
    """Everything that a paper would print of a simulated trial with two visits, and the correlation it does not print."""
    rng = np.random.default_rng(seed)
    low, width = scale[0], scale[1] - scale[0]
    arms = np.repeat(["new", "old"], sizes)
    r = rng.uniform(0.2, 0.85)
    mean, sd = low + width * rng.uniform(0.25, 0.75), width * rng.uniform(0.1, 0.25)
    latent = rng.standard_normal((2, len(arms)))
    first, last = latent[0], r * latent[0] + np.sqrt(1 - r**2) * latent[1] - rng.uniform(0, 0.5) * (arms == "new")
    x, y = (np.clip(np.rint(mean + sd * z), *scale) for z in (first, last))
    claims = [
        claim(f"{name}.{arm}.{statistic}", str(round_to(function(values[arms == arm]), 2)), column="score", statistic=statistic, filter={"month": month, "arm": arm})
        for name, values, month in (("first", x, 0), ("last", y, 4))
        for arm in ("new", "old")
        for statistic, function in (("mean", lambda each: Fraction(int(each.sum()), len(each))), ("sd", lambda each: each.std(ddof=1)))
    ]
    X = np.column_stack([np.ones(len(y)), arms == "new", x]).astype(float)
    beta, cov, _ = models.least_squares(y, X)
    reference, se = stats.t(len(y) - 3), float(np.sqrt(cov[1, 1]))
    half, p = reference.ppf(0.975) * se, 2 * reference.sf(abs(beta[1]) / se)
    texts = {"est": f"{beta[1]:.2f}", "lo": f"{beta[1] - half:.2f}", "hi": f"{beta[1] + half:.2f}", "p": f"{p:.{decimals}f}" if p >= 10**-decimals else f"<{10**-decimals:.{decimals}f}"}
    return claims + [effect(f"diff.{name}", text.replace("-", "−"), name, "ancova") for name, text in texts.items()], float(np.corrcoef(x, y)[0, 1])


def rebuilt(claims: list[Claim], r: float, sizes: tuple[int, int], scale: tuple[int, int] = (0, 27), slug: str = "some-trial") -> Study:
    """The study of what `simulated` prints, with an assumed correlation."""
    by_arm = {name: {month: {arm: f"{visit}.{arm}.{name}" for arm in ("new", "old")} for month, visit in (("0", "first"), ("4", "last"))} for name in ("mean", "sd")}
    return trial({"score": by_arm | {"r": "r", "common": "common"}}, claims, [assumption("r", f"{r:.2f}")], dict(zip(("new", "old"), sizes, strict=True)), scale, slug=slug)


# Claims come back


@pytest.mark.parametrize("slug", ["some-trial", "other-trial", "third-trial"])
def test_difference_with_its_interval_and_p_prints_among_the_people_seen(slug):
    claims = [effect("diff.est", "1.96", "est"), effect("diff.lo", "1.03", "lo"), effect("diff.hi", "2.89", "hi"), effect("diff.p", "<0.0001", "p")]
    spec = {"score": {"mean": {"4": {"new": "mean", "old": "lower"}}, "sd": "sd", "common": "common"}}
    assumed = [assumption("mean", "26"), assumption("lower", "24.1"), assumption("sd", "4.2")]
    study = trial(spec, claims, assumed, {"new": 221, "old": 220}, (8, 32), (0, 4, 18), {"new": [157, 148], "old": [153, 144]}, slug=slug)
    tables = made(study)
    assert differing(study, tables) == {}
    fit = models.fit(MODELS["plain"], tables["visits"].merge(tables["people"]), "score").contrast(DIFFERENCE)
    assert max(abs(fit.est - 1.96), abs(fit.lo - 1.03), abs(fit.hi - 2.89)) < 0.004, "a number lies at the end of what prints so"
    seen = tables["visits"].dropna(subset="score")
    assert len(seen) == 310 and set(seen["month"]) == {4}


@pytest.mark.parametrize("seed", range(3))
def test_eight_means_and_sds_and_the_p_of_an_ancova_print_jointly(seed):
    claims, r = simulated(seed, (220, 221))
    study = rebuilt([each for each in claims if each.id not in ("diff.est", "diff.lo", "diff.hi")], r, (220, 221))
    assert len(study.claims) == 9
    assert differing(study, made(study)) == {}


@pytest.mark.parametrize(("seed", "sizes", "scale"), [(11, (64, 71), (0, 27)), (13, (150, 41), (8, 40)), (14, (120, 118), (0, 63))])
def test_everything_printed_of_a_trial_prints_again_though_the_correlation_is_guessed_wrong(seed, sizes, scale):
    claims, _ = simulated(seed, sizes, scale, decimals=3)
    study = rebuilt(claims, 0.5, sizes, scale)
    assert len(study.claims) == 12
    assert differing(study, made(study)) == {}


def test_no_listed_outcome_differs_significantly_where_the_smallest_p_is_claimed_so():
    outcomes = {f"score_{letter}": {"mean": {"0": "mean", "4": {"new": "mean", "old": "lower"}, "18": "mean"}, "sd": "sd", "r": "r", "common": "common"} for letter in "abcde"}
    claims = [effect(f"null.{name}", ">=.05", "p", model, list(outcomes), take="smallest") for name, model in (("early", "ancova"), ("late", "late"))]
    assumed = [*ASSUMED, assumption("lower", "12.5")]  # a difference that would be significant in every outcome
    study = trial(outcomes, claims, assumed, {"new": 221, "old": 220}, months=(0, 4, 18), seen={"new": [157, 148], "old": [153, 144]})
    tables = made(study)
    assert differing(study, tables) == {}
    frame = tables["visits"].merge(tables["people"])
    found = [models.fit(study.models[name], frame, outcome).contrast(DIFFERENCE).p for name in ("ancova", "late") for outcome in outcomes]
    assert min(found) > 0.051 and len(set(found)) == 10
    for outcome in outcomes:
        ties = tables["visits"].pivot(index="id", columns="month", values=outcome).corr()
        assert ties.loc[0, 4] == pytest.approx(0.6, abs=0.03) and ties.loc[4, 18] == pytest.approx(0.6, abs=0.03)
        assert 0.3 < ties.loc[0, 18] < 0.6


def test_direction_declared_in_words_holds():
    above = dataclasses.replace(effect("better", "<0", "est", "ancova"), kind="direction", printed=None, declared="<0")
    study = trial(SIMPLE, [above], ASSUMED, {"new": 40, "old": 40})
    value = reanalysis.Reanalysis(study, made(study)).value(above.by)
    assert declared_interval("<0").contains(value)


def test_model_adjusted_for_more_than_the_baseline_and_three_arms_are_met():
    model = ancova(4, '{outcome} ~ C(arm, Treatment("old")) + C(site) + baseline')
    other = model | {"contrasts": {"new": DIFFERENCE, "third": [{"weight": 1, "at": {"arm": "third"}}, {"weight": -1, "at": {"arm": "old"}}]}}
    claims = [
        effect("new.est", "−1.12", "est", "ancova"), effect("new.p", "0.031", "p", "ancova"),
        claim("third.est", "0.35", model="ancova", outcome="score", contrast="third", statistic="est"),
        claim("east.mean", "13.4", column="score", statistic="mean", filter={"month": 4, "site": "east"}),
    ]  # fmt: skip
    study = trial(SIMPLE, claims, ASSUMED, {"new": 90, "old": 95, "third": 100}, fitted=MODELS | {"ancova": other})
    assert differing(study, made(study)) == {}


def test_claimed_correlation_is_met_and_so_are_bounds_on_what_is_assumed():
    claims = [claim("r.claim", "0.43", column="score", statistic="correlation", between={"month": [0, 4]})]
    by = {"table": "visits", "column": "score", "statistic": "mean", "filter": {"month": 4, "arm": "new"}}
    assumed = [*ASSUMED[:2], assumption("r", "0.6"), assumption("narrow", None, bounds=("14.9", "15.1"), by=by)]
    study = trial(SIMPLE, claims, assumed, {"new": 60, "old": 60})
    assert differing(study, made(study)) == {}


def test_claim_that_is_expected_to_differ_is_not_aimed_at():
    wrong = dataclasses.replace(effect("diff.est", "9.99", "est"), expect="misprint", reason="x")
    study = trial(SIMPLE, [wrong], ASSUMED, {"new": 60, "old": 60})
    assert abs(reanalysis.Reanalysis(study, made(study)).value(wrong.by)) < 4


# What is assumed


def test_what_is_only_assumed_is_followed_with_the_chance_that_a_sample_has():
    spec = {"score": SIMPLE["score"] | {"mean": {"0": "mean", "4": "mean", "18": "mean"}}}
    study = trial(spec, [], ASSUMED, {"new": 400, "old": 400}, months=(0, 4, 18))
    people, health = design.people(study)
    wide = scales.visits(study, people, health, lambda line: None).pivot(index="id", columns="month", values="score")
    assert (wide.mean() - 14).abs().max() < 0.6 and (wide.std() - 5).abs().max() < 0.5
    assert wide.mean().nunique() == 3, "as if people did not differ by chance"
    assert wide[0].corr(wide[4]) == pytest.approx(0.6, abs=0.015) and wide[4].corr(wide[18]) == pytest.approx(0.6, abs=0.015)
    assert 0.36 < wide[0].corr(wide[18]) < 0.6, "visits further apart are tied less, and by more than a chain"
    assert 0.2 < np.corrcoef(wide[0], health)[0, 1] < 0.5
    assert wide[0].value_counts(normalize=True).max() < 0.13


def test_people_seen_are_as_many_as_declared_and_the_less_well_are_lost():
    study = trial(SIMPLE, [], ASSUMED, {"new": 200, "old": 210}, seen={"new": [150], "old": [140]})
    tables = made(study)
    later = tables["visits"].merge(tables["people"]).query("month == 4")
    assert later.groupby("arm")["score"].count().to_dict() == {"new": 150, "old": 140}
    assert list(tables["visits"].columns) == ["id", "month", "score"] and len(tables["visits"]) == 820
    first = tables["visits"].query("month == 0").set_index("id")["score"]
    lost = later.set_index("id")["score"].isna()
    assert first[lost.index[lost]].mean() < first[lost.index[~lost]].mean() - 0.5


def test_scores_are_whole_numbers_of_the_scale_even_where_they_pile_up_at_its_ends():
    assumed = [assumption("mean", "6"), assumption("sd", "5.5"), assumption("r", "0.6")]
    study = trial(SIMPLE, [], assumed, {"new": 100, "old": 100}, (0, 15))
    scores = made(study)["visits"]["score"]
    assert scores.between(0, 15).all() and (scores == scores.round()).all() and set(scores.unique()) == set(range(16))


def test_same_study_gives_the_same_scores_and_another_slug_others():
    claims, r = simulated(3, (60, 60))
    tables = [made(rebuilt(claims, r, (60, 60), slug=slug))["visits"] for slug in ("some-trial", "some-trial", "other-trial")]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert (tables[0]["score"] != tables[2]["score"]).any()


# What cannot be


def refused(study: Study) -> StudyError:
    with pytest.raises(StudyError) as caught:
        made(study)
    return caught.value


@pytest.mark.parametrize(
    ("claims", "named", "unnamed"),
    [
        ([effect("d.est", "1.00", "est"), effect("d.lo", "0.50", "lo"), effect("d.hi", "2.50", "hi"), effect("d.p", "<.2", "p")], ["d.est 1.00", "d.lo 0.50", "d.hi 2.50"], "d.p"),
        ([effect("d.lo", "0.50", "lo"), effect("d.hi", "2.50", "hi"), effect("d.p", ".2", "p")], ["d.lo 0.50", "d.p .2"], "d.hi"),
    ],
)
def test_estimate_interval_and_p_that_exclude_each_other_are_named_and_it_is_proved(claims, named, unnamed):
    error = refused(trial(SIMPLE, claims, ASSUMED, {"new": 100, "old": 100}))
    assert all(text in error.value for text in named) and unnamed not in error.value
    assert "can print these together: no estimate and standard error whatever do" in str(error)
    assert error.field == "design › scales › outcomes › score"


def test_mean_and_sd_that_no_whole_numbers_have_are_named_with_the_reason():
    claims = [claim("m", "2.20", column="score", statistic="mean", filter={"month": 0, "arm": "new"}), claim("s", "1.30", column="score", statistic="sd", filter={"month": 0, "arm": "new"})]
    error = refused(trial(SIMPLE, claims, ASSUMED, {"new": 20, "old": 20}, (1, 5)))
    assert error.value == "m 2.20; s 1.30" and "odd where the sum is even" in str(error)


def test_means_against_their_difference_are_named_without_calling_it_proved():
    claims = [claim(f"m.{arm}", text, column="score", statistic="mean", filter={"month": 4, "arm": arm}) for arm, text in (("new", "14.00"), ("old", "12.00"))]
    error = refused(trial(SIMPLE, [*claims, effect("d.est", "2.5", "est"), effect("d.p", ".01", "p")], ASSUMED, {"new": 60, "old": 60}))
    assert all(name in error.value for name in ("m.new", "m.old", "d.est")) and "which is no proof" in str(error)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"plain": MODELS["plain"] | {"family": "mixed", "groups": "id"}}, "for models of the family 'linear' alone"),
        ({"plain": linear(None)}, "must use one visit at which 'score' is measured"),
        ({"plain": linear(18)}, "must use one visit at which 'score' is measured"),
        ({"plain": linear(0, baseline={"column": "month", "value": 4})}, "not measured at 4, or not before that visit"),
    ],
)
def test_model_that_scores_cannot_be_made_for_is_refused_at_the_claim(change, match):
    error = refused(trial(SIMPLE, [effect("d.est", "1.0", "est")], ASSUMED, {"new": 30, "old": 30}, fitted=MODELS | change))
    assert error.field == "claims › d.est › by" and match in str(error)


def test_largest_of_several_p_values_cannot_be_aimed_at_by_a_lower_bound():
    spec = {"score": SIMPLE["score"], "other": SIMPLE["score"]}
    error = refused(trial(spec, [effect("d.p", ">=.05", "p", outcome=["score", "other"], take="largest")], ASSUMED, {"new": 30, "old": 30}))
    assert "Of several outcomes only a bound that all of them meet" in str(error)


@pytest.mark.parametrize(
    ("assumed", "sizes", "match"),
    [
        ([assumption("mean", "14"), assumption("sd", "5"), assumption("r", "1.2")], (30, 30), "A correlation lies between -1 and 1"),
        ([assumption("mean", "14"), assumption("sd", "0"), assumption("r", "0.5")], (30, 30), "A standard deviation is larger than 0"),
        (ASSUMED, (30, 5), "5 people of the arm 'old' are seen at month 0: give at least 8"),
    ],
)
def test_assumptions_that_no_scores_can_follow_are_refused(assumed, sizes, match):
    assert match in str(refused(trial(SIMPLE, [], assumed, dict(zip(("new", "old"), sizes, strict=True)))))


# The parts


def test_least_squares_from_sums_is_least_squares_from_rows():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"arm": np.repeat(["new", "old"], 40), "x": rng.normal(size=80), "score": rng.integers(0, 28, 80)})
    model = {"family": "linear", "formula": '{outcome} ~ C(arm, Treatment("old")) + x', "contrasts": {"new": DIFFERENCE}, "level": 0.9}
    rows = models.design(model, frame, "score")
    tracked = Tracked(80)
    place = tracked.add(rows.X, np.ones(80))
    y = frame["score"].to_numpy(dtype=float)
    fit = models.fit(model, frame, "score").contrast(DIFFERENCE)
    for statistic in ("est", "se", "lo", "hi"):
        target = of_model("x", "x", 0.0, 1.0, {"model": "m", "contrast": "new", "statistic": statistic}, model, rows, place, 1.0, {})
        assert target.value(*sums_of(y, tracked))[0] == pytest.approx(getattr(fit, statistic), rel=1e-10)
    interval = of_model("x", "x", fit.p * 0.9, fit.p * 1.1, {"model": "m", "contrast": "new", "statistic": "p"}, model, rows, place, 1.0, {})
    assert interval.slack(*sums_of(y, tracked))[0] > 0.5
    outside = of_model("x", "x", fit.p * 1.1, fit.p * 1.2, {"model": "m", "contrast": "new", "statistic": "p"}, model, rows, place, 1.0, {})
    assert outside.slack(*sums_of(y, tracked))[0] < 0


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.floats(-0.5, 0.8), st.integers(20, 200))
def test_exchanges_keep_every_margin_and_meet_a_correlation(seed, wanted, n):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    x, y = rng.integers(0, 28, (2, n)).astype(float)
    tracked = Tracked(n)
    place = tracked.add(np.column_stack([np.ones(n), x]), np.ones(n))
    target = scales.Target("r", "x", "correlation", wanted - 0.01, wanted + 0.01, scales.correlation(place, x, np.ones(n, dtype=bool)), place)
    after = exchanged(y, codes, tracked, [target], rng)
    for arm in (0, 1):
        assert (np.sort(after[codes == arm]) == np.sort(y[codes == arm])).all()
    assert np.corrcoef(x, after)[0, 1] == pytest.approx(wanted, abs=0.01)
