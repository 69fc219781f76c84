"""Reviews of every measure, each from a design of a few lines: simulated, printed as an abstract prints them, and made again from print alone."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from asprinted import study as studies
from asprinted import synthesis
from asprinted.models import MEASURES, pool
from asprinted.models.effects import NORMAL
from asprinted.study import Study, StudyError
from asprinted.study.pools import completed
from asprinted.synthesis.trials import laws, slopes
from asprinted.synthesis.trials.crosstables import tables_that_print
from asprinted.synthesis.trials.hazards import hazards_that_print
from asprinted.synthesis.trials.starts import start
from asprinted.synthesis.trials.targets import Target, bands, sides
from tests.asprinted.conftest import ROOT
from tests.asprinted.printed_pools import COLUMNS, cell_columns, claim, column, printed_pool, printed_review

WALD = {"estimator": "DL", "test": "wald-z", "level": 0.95}
PREDICTED = ("est", "lo", "hi", "i2", "tau2", "prediction_lo", "prediction_hi")
SHAPES = (
    {"k": 12}, {"k": 4}, {"k": 20, "estimator": "REML", "test": "knapp-hartung", "statistics": PREDICTED}, {"k": 9, "estimator": "common"},
    {"k": 30, "estimator": "PM", "statistics": ("est", "lo", "hi", "q", "q_p", "i2")}, {"k": 1},
)  # fmt: skip


def measures() -> list[tuple[str, bool]]:
    """Each measure, and whether its table has limits: of hazard ratios both ways."""
    return [(name, False) for name in MEASURES] + [("hr", True)]


# From print alone


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("measure", "limits"), measures())
def test_review_is_made_again_from_its_print(load_data, measure, limits, seed):
    data = printed_review(measure, seed, limits=limits, **SHAPES[seed % len(SHAPES)])
    trials = synthesis.synthesise(load_data(data))["trials"]  # which refuses where a claim is not as printed
    assert len(trials) == int(data["claims"]["relapse.k"]["printed"])
    assert trials[["n_peer", "n_usual"]].to_numpy().sum() == int(data["claims"]["relapse.n"]["printed"])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("measure", "limits"), measures())
def test_review_with_subgroups_and_the_test_between_them_is_made_again(load_data, measure, limits, seed):
    data = printed_review(measure, seed, k=14, subgroups=2 + seed, limits=limits)
    trials = synthesis.synthesise(load_data(data))["trials"]
    counts = {setting: int(data["claims"][f"relapse.{setting}.k"]["printed"]) for setting in trials["setting"].unique()}
    assert trials["setting"].value_counts().to_dict() == counts and "relapse.between_p" in data["claims"]


def several(shape: dict[str, Any] | None = None) -> dict[str, Any]:
    """A review of ten trials with outcomes of three measures in one table of results."""
    rng, k = np.random.default_rng(3), 10
    claims: dict[str, Any] = {}
    models, people = {}, 0
    for measure, outcome in (("smd", "mood"), ("rr", "relapse"), ("hr", "readmission")):
        found, people = printed_pool(measure, rng, k, f"pooled_{measure}", outcome, **(shape or {}))
        claims |= {id: entry for id, entry in found.items() if not id.endswith(".n")}
        models[f"pooled_{measure}"] = {"family": "random-effects", "says": "x", "table": "results", "effect": {"measure": measure, **COLUMNS[measure]}, "outcome_column": "what"}
    cells = {name: entry for model in models.values() for name, entry in cell_columns(model["effect"], required=False, decimals=4 if "log" in model["effect"] else 2).items()}
    return {
        "schema": 1, "title": "A review", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "abstract"}],
        "tables": {
            "trials": {"file": "trials.csv", "row": "one trial", "key": ["id"], "columns": {"id": column("string"), "country": column("string", values=["here", "there"]), "people": column("integer")}},
            "results": {"file": "results.csv", "row": "one outcome of one trial", "key": ["id", "what"], "parent": "trials", "columns": {"id": column("string"), "what": column("string"), **cells}},
        },
        "design": {"trials": {"table": "trials", "number": k, "people": {"column": "people", "total": people}, "effects": {"table": "results", "model": "pooled_smd"}}},
        "models": models, "claims": claims, "assumptions": {},
    }  # fmt: skip


def test_outcomes_of_several_measures_stand_in_one_table_and_are_of_the_same_people(load_data):
    tables = synthesis.synthesise(load_data(several()))
    trials, results = tables["trials"], tables["results"]
    assert results["what"].value_counts().to_dict() == {"mood": 10, "relapse": 10, "readmission": 10}
    arms = results.groupby("id")[["n_peer", "n_usual"]]
    assert (arms.nunique() == 1).all().all()  # nobody is lost unless the design says so
    assert (arms.first().sum(axis=1).to_numpy() == trials.set_index("id")["people"].to_numpy()).all()
    assert trials["country"].value_counts().to_dict() == {"here": 5, "there": 5}  # nothing is printed of it
    scores, hazards = (results[results["what"] == what] for what in ("mood", "readmission"))
    assert scores["mean_peer"].notna().all() and scores["log_hr"].isna().all() and hazards["log_hr"].notna().all() and hazards["mean_peer"].isna().all()


def test_analyses_of_the_same_trials_by_other_models_are_met_at_once(load_data):
    data = printed_review("or", 5, k=15)
    trials = synthesis.synthesise(load_data(data))["trials"]
    y, v = MEASURES["or"].of(*(trials[name].to_numpy() for name in ("n_peer", "events_peer", "n_usual", "events_usual")))
    pool_again = pool(y, v, "common").as_ratios()
    data["models"]["common"] = data["models"]["pooled"] | {"estimator": "common"}
    data["claims"] |= {f"common.{name}": claim(f"{float(getattr(pool_again, name)):.3f}", model="common", outcome="relapse", statistic=name) for name in ("est", "lo")}
    again = synthesis.synthesise(load_data(data, "another-slug"))["trials"]
    assert not again.equals(trials)


# What makes no sense is not made


def test_hazard_ratios_have_the_events_that_a_cox_fit_needs_and_limits_that_belong_to_them(load_data):
    for limits in (False, True):
        trials = synthesis.synthesise(load_data(printed_review("hr", 1, k=25, limits=limits), f"limits-{limits}".lower()))["trials"]
        if limits:
            log, lo, hi = (np.log(trials[name].to_numpy()) for name in ("hr", "hr_lo", "hr_hi"))
            assert (np.abs(log - (lo + hi) / 2) < 0.0002 / np.exp(lo)).all() and (lo < log).all() and (log < hi).all()
        else:
            events = trials[["events_peer", "events_usual"]].to_numpy()
            n = trials[["n_peer", "n_usual"]].to_numpy()
            assert ((events >= 1) & (events < n)).all()
            assert (trials["se_log_hr"].to_numpy() ** 2 >= 4 / events.sum(axis=1)).all()
            hazards = np.log(np.log(1 - events[:, 0] / n[:, 0]) / np.log(1 - events[:, 1] / n[:, 1]))
            assert np.abs(hazards - trials["log_hr"]).max() < 0.25  # a person more or less, of few


def test_hazard_ratios_that_no_number_of_events_gives_are_refused(load_data):
    data = printed_review("hr", 0, k=4)
    data["claims"] |= {f"relapse.{name}": claim(text, model="pooled", outcome="relapse", statistic=name) for name, text in (("lo", "0.69"), ("est", "0.70"), ("hi", "0.71"))}
    del data["claims"]["relapse.p"], data["claims"]["relapse.i2"]
    with pytest.raises(StudyError, match=r"No records can be made: .*the standard error would be at most 0\.\d+, but that of 4 trials with \d+ people is at least .*4/events"):
        synthesis.synthesise(load_data(data))


def test_tables_keep_the_people_of_each_trial_and_where_they_are_held_of_each_arm():
    rng = np.random.default_rng(4)
    n = rng.integers(40, 120, (12, 2))
    events = np.clip(rng.binomial(n, 0.3), 1, n - 1)
    wanted = [Target(name, *ends, np.ones(12, bool), WALD, name, ratio=True) for name, ends in {"est": (0.895, 0.905), "lo": (0.765, 0.775), "i2": (11.5, 12.5)}.items()]
    for held in (False, True):
        people, made = tables_that_print(n, events, wanted, np.random.default_rng(1), "rr", held)
        np.testing.assert_array_equal(people.sum(axis=1), n.sum(axis=1))
        assert not held or np.array_equal(people, n)
        y, v = MEASURES["rr"].of(people[:, 0], made[:, 0], people[:, 1], made[:, 1])
        assert all(target.met(target.value(y, v, people)) for target in wanted) and ((made > 0) & (made < people)).all()


# Slopes


@pytest.mark.parametrize("spread", [0.5, 0.05])
def test_slopes_of_hazard_ratios_and_of_the_test_between_subgroups_are_those_of_small_differences(spread):
    rng = np.random.default_rng(4)
    n = rng.integers(40, 90, (9, 2))
    y, second = rng.normal(-0.2, spread, 9), rng.uniform(5, 30, 9)
    groups = tuple(np.arange(9) % 3 == each for each in range(3))
    everyone = np.ones(9, bool)
    wanted = [Target("est", -9, 9, everyone, WALD, "est"), Target("q_between", 0.1, 90, everyone, WALD | {"estimator": "REML"}, "q", groups), Target("q", 0.1, 90, everyone, WALD, "q")]
    law, point, h = laws.events("hr", n), np.column_stack([n[:, 0], second]).astype(float), 1e-6
    found = bands(wanted)
    slack, moves = sides(found, y, point, law=law)
    for i in range(9):
        for part in (0, 2):
            ends = []
            for step in (h, -h):
                effects, logs = y.copy(), np.log(point)
                if part == 0:
                    effects[i] += step
                else:
                    logs[i, 1] += step
                ends.append(sides(found, effects, np.exp(logs), law=law)[0])
            closed = np.isfinite(slack)
            np.testing.assert_allclose(moves[closed, part, i], (ends[0][closed] - ends[1][closed]) / (2 * h), rtol=1e-4, atol=1e-4)


def test_root_of_q_between_has_a_slope_where_subgroups_are_alike():
    value, by_est, by_se = slopes.between(np.array([0.2, 0.2 + 1e-9]), np.array([0.1, 0.2]))
    assert value < 1e-7 and abs(by_est).min() > 1 and abs(by_se).max() < 1e-6


# The short form


def short(load_data, data: dict[str, Any]) -> dict[str, Any]:
    return completed(load_data(data)).design["trials"]


def test_what_is_left_out_is_taken_from_print(load_data):
    spec = short(load_data, printed_review("smd", 0, k=13, subgroups=2))
    assert spec["categories"] == [{"column": "setting", "counts": {"ward": "relapse.ward.k", "community": "relapse.community.k"}}]
    [made] = spec["effects"]["pools"]
    assert made == {
        "outcome": "relapse", "instruments": [], "by": "setting", "trials": {"ward": "relapse.ward.k", "community": "relapse.community.k"},
        "centre": {"ward": "relapse.ward.est", "community": "relapse.community.est"}, "people": "relapse.n",
    }  # fmt: skip


@pytest.mark.parametrize("slug", ["lloyd-evans-2014", "peer-support-meta-analysis"])
def test_design_that_says_all_is_completed_by_nothing(slug):
    study = studies.load(ROOT / "data" / slug)
    spec, full = study.design["trials"], completed(study).design["trials"]
    assert {name: full[name] for name in spec} == spec
    assert full.keys() - spec.keys() <= {"categories"}


def test_what_is_given_goes_before_what_is_printed(load_data):
    data = printed_review("rr", 0, k=10)
    data["assumptions"]["effect.start"] = {"says": "x", "reason": "x", "value": "0.9"}
    data["design"]["trials"]["people"] |= {"smallest": 30, "spread": 0.2}
    data["design"]["trials"]["effects"]["pools"] = [{"outcome": "relapse", "centre": "effect.start", "spread": 0.1, "level": 0.25}]
    spec = short(load_data, data)
    assert (spec["people"]["smallest"], spec["people"]["spread"]) == (30, 0.2)
    assert {"outcome": "relapse", "centre": "effect.start", "spread": 0.1, "level": 0.25}.items() <= spec["effects"]["pools"][0].items()
    trials = synthesis.synthesise(load_data(data))["trials"]
    assert trials[["n_peer", "n_usual"]].sum(axis=1).min() >= 30


@pytest.mark.parametrize("measure", ["or", "rr", "rd", "hr", "md"])
def test_start_has_the_standard_error_that_is_printed(load_data, measure):
    study = completed(load_data(printed_review(measure, 2, k=12, statistics=("est", "lo", "hi", "i2"))))
    [spec], sizes = study.design["trials"]["effects"]["pools"], np.full((12, 2), 90)
    sizes[0, 0] += int(study.number("relapse.n")) - sizes.sum()
    begun = start(study, spec, sizes)
    lo, hi = (study.number(f"relapse.{end}") for end in ("lo", "hi"))
    printed = (np.log(hi / lo) if MEASURES[measure].ratio else hi - lo) / (2 * NORMAL)
    assert 1 / np.sqrt((1 / (begun.error**2 + begun.spread**2)).sum()) == pytest.approx(printed, rel=0.15)


def test_columns_without_a_size_or_a_year_are_not_made(load_data):
    assert list(synthesis.synthesise(load_data(printed_review("rd", 0, k=5)))["trials"]) == ["id", "outcome", "n_peer", "n_usual", "events_peer", "events_usual"]


def fault(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`data` with the entry at the path (parts joined by ›) set, or taken out where `value` is None."""
    data = copy.deepcopy(data)
    *above, last = path.split("›")
    place = data
    for part in above:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place.pop(last) if value is None else place.__setitem__(last, value)
    return data


TRIALS = "design › trials"
SINGLE = {
    "no estimate": ("claims›relapse.est", None, f"{TRIALS} › effects › pools › 0", "No claim prints the estimate of this pool: add one, with 'statistic: est', or give 'centre'"),
    "two outcomes in one table": ("claims›fear.est", claim("0.5", model="pooled", outcome="fear", statistic="est"), f"{TRIALS} › effects", "give the outcomes a table of their own, with the parent 'trials'"),
    "a column of nothing": ("tables›trials›columns›place", column("string"), f"{TRIALS} › effects", "Nothing makes the column 'place'"),
    "a direction of no instrument": ("models›pooled›effect›direction", "n_peer", "models › pooled › effect › direction", "Only instruments have a direction: take it out"),
    "an instrument without a scale": (f"{TRIALS.replace(' ', '')}›effects›instrument", "outcome", f"{TRIALS} › effects", "Give 'instrument', the column that names them, and 'instruments' together"),
    "decimals that differ": ("tables›trials›columns›sd_peer›decimals", 1, "tables › trials › columns › sd_peer › decimals", "has as many decimals: give 2"),
    "a level of scores": ("design›trials›effects›pools", [{"outcome": "relapse", "level": 0.2}], f"{TRIALS} › effects › pools › 0 › level", "Nothing with the measure 'smd' has it: take it out."),
    "a slope": ("claims›relapse.est›by›statistic", "slope", "claims › relapse.est › by › statistic", "A slope over trials (meta-regression) is not made."),
    "a column of no subgroups": ("claims›relapse.est›by", {"model": "pooled", "outcome": "relapse", "statistic": "between_p"}, "claims › relapse.est › by › column", "name the column whose values make them"),
    "subgroups by their arms": (
        "claims›relapse.lo›by", {"model": "pooled", "outcome": "relapse", "statistic": "between_p", "column": "n_peer"}, "claims › relapse.lo › by › filter", "Arms are made to print the claims"),
    "one subgroup": ("claims›relapse.lo›by", {"model": "pooled", "outcome": "relapse", "statistic": "between_p", "column": "id", "filter": {"id": "x"}}, "claims › relapse.lo › by › filter", "It leaves one subgroup"),
    "a single group": ("models›pooled›effect›measure", "proportion", "models › pooled › effect › measure", "A pool of single groups is not made"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "field", "remedy"), SINGLE.values(), ids=list(SINGLE))
def test_short_form_that_cannot_be_followed_is_refused_with_field_and_remedy(load_data, path, value, field, remedy):
    with pytest.raises(StudyError) as caught:
        load_data(fault(printed_review("smd", 0, k=8, statistics=("est", "lo", "hi")), path, value))
    assert (caught.value.field, remedy in caught.value.remedy) == (field, True), str(caught.value)


def test_required_cell_that_another_measure_leaves_empty_is_refused(load_data):
    with pytest.raises(StudyError, match="tables › results › columns › mean_peer › required.*It stays empty in the rows of another model: take 'required' out"):
        load_data(fault(several(), "tables›results›columns›mean_peer›required", True))


def test_ratio_to_start_from_is_positive(load_data):
    data = fault(printed_review("hr", 0, k=8), "assumptions›begin.at", {"says": "x", "reason": "x", "value": "-0.3"})
    with pytest.raises(StudyError, match="pools › 0 › centre.*It means -0.3: a number from 0.001 to 1000 is needed here"):
        load_data(fault(data, "design›trials›effects›pools", [{"outcome": "relapse", "centre": "begin.at"}]))


def test_people_of_ratios_are_told_by_the_least_that_they_vary():
    n = np.full((5, 2), 20)
    wanted = [Target("lo", 0.99, 1.0, np.ones(5, bool), WALD, "lo", ratio=True), Target("hi", 1.0, 1.01, np.ones(5, bool), WALD, "hi", ratio=True)]
    with pytest.raises(ValueError, match="that of 5 trials with 200 people is at least 0.14142"):
        hazards_that_print(n, np.zeros(5), np.full(5, 9.0), wanted, np.random.default_rng(1), 3)


def test_study_that_is_completed_twice_is_the_same(load_data):
    study: Study = completed(load_data(printed_review("md", 3, k=9, subgroups=2)))
    assert completed(study).design == study.design
