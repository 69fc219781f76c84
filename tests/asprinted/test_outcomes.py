"""Outcomes: what the search, the sums, the draft and the scores must do, on trials whose abstracts are printed from simulated people."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from asprinted import checks, engines, models, reanalysis, synthesis
from asprinted.study import StudyError, load
from asprinted.synthesis.outcomes import aims, draft, moves, response, search, start, sums
from asprinted.synthesis.outcomes.targets import Target, targets

PEOPLE, VISITS = "participants", "visits"
ARMS = [{"weight": 1, "at": {"arm": "peer"}}, {"weight": -1, "at": {"arm": "usual"}}]


def claim(printed: str, **by) -> dict:
    kind = "inequality" if printed[0] in "<>" else "number"
    return {"says": "x", "kind": kind, "mark": "P", "source": "paper", "where": "abstract", "printed": printed, "by": by}


def assumed(value: str) -> dict:
    return {"says": "x", "value": value, "reason": "Usual."}


def column(type: str, **spec) -> dict:
    return {"type": type, "mark": "A", "says": "x"} | spec


def linear(formula: str, **spec) -> dict:
    return {"family": "linear", "table": PEOPLE, "says": "x", "formula": formula, "contrasts": {"arms": ARMS}} | spec


def trial(**change) -> dict:
    """A trial of two arms, a score before and after on whole numbers from 0 to 27, some people lost, and an analysis of covariance."""
    claims = {}
    for name, printed in {"start": ("14.2", "5.1", "14.5", "5.3"), "end": ("9.81", "6.02", "11.43", "6.11")}.items():
        for (arm, statistic), text in zip([(arm, statistic) for arm in ("peer", "usual") for statistic in ("mean", "sd")], printed, strict=True):
            claims[f"{name}.{arm}.{statistic}"] = claim(text, table=PEOPLE, column=name, filter={"arm": arm}, statistic=statistic)
    for statistic, text in {"est": "-1.52", "lo": "-2.66", "hi": "-0.38", "p": "0.009"}.items():
        claims[f"adjusted.{statistic}"] = claim(text, model="adjusted", outcome="end", contrast="arms", statistic=statistic)
    return {
        "schema": 1,
        "title": "A trial",
        "sources": [{"id": "paper", "reference": "A paper.", "read": "all"}],
        "tables": {
            PEOPLE: {
                "file": "participants.csv",
                "row": "One person",
                "key": ["id"],
                "columns": {
                    "id": column("string", required=True),
                    "arm": column("string", required=True, values=["peer", "usual"]),
                    "start": column("integer", minimum=0, maximum=27),
                    "end": column("integer", minimum=0, maximum=27),
                },
            }
        },
        "design": {
            "people": {"table": PEOPLE, "arms": {"column": "arm", "sizes": {"peer": 204, "usual": 198}}},
            "outcomes": [
                {"column": "start", "kind": "score"},
                {"column": "end", "kind": "score", "follows": {"start": "end.r"}, "seen": {"peer": 180, "usual": 177}},
            ],
        },
        "models": {"adjusted": linear("{outcome} ~ arm + start")},
        "claims": claims,
        "assumptions": {"end.r": assumed("0.5")},
    } | change


@pytest.fixture
def written(tmp_path):
    """A function that writes a study of this content into a folder of its own, and loads it."""

    def write(data: dict, name: str = "a-trial"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "study.yml").write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
        return load(tmp_path / name)

    return write


def prints(study, tables) -> bool:
    return all(verdict.as_expected for verdict in reanalysis.verdicts(study, tables))


def repeated() -> dict:
    """The trial with its scores at three visits in a table of their own, losses, and a mixed model."""
    data = trial()
    table, columns = data["tables"][PEOPLE], data["tables"][PEOPLE]["columns"]
    table["columns"] = {name: columns[name] for name in ("id", "arm")}
    data["tables"][VISITS] = {
        "file": "visits.csv", "row": "One person and visit", "key": ["id", "month"], "parent": PEOPLE,
        "columns": {"id": column("string", required=True), "month": column("integer", required=True, values=[0, 3, 12]), "mood": column("integer", minimum=0, maximum=27)},
    }  # fmt: skip
    data["design"]["people"]["arms"]["sizes"] = {"peer": 60, "usual": 58}
    data["design"]["visits"] = {"table": VISITS, "column": "month", "times": [0, 3, 12], "seen": {"peer": [60, 55, 50], "usual": [58, 52, 49]}}
    data["design"]["outcomes"] = [{"column": "mood", "kind": "score", "r": "mood.r"}]
    at = [{"weight": sign, "at": {"arm": arm, "month": 12}} for sign, arm in ((1, "peer"), (-1, "usual"))]
    data["models"] = {"mixed": {"family": "mixed", "table": VISITS, "says": "x", "formula": "{outcome} ~ C(arm) * C(month)", "groups": "id", "contrasts": {"late": at}}}
    data["assumptions"] = {"mood.r": assumed("0.6")}
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"arm": np.repeat(["peer"] * 60 + ["usual"] * 58, 3), "month": [0, 3, 12] * 118, "id": np.repeat(np.arange(118), 3)})
    level = np.repeat(rng.normal(0, 4, 118), 3)
    mood = np.clip(np.rint(14 + level - 0.2 * frame["month"] - 0.1 * frame["month"] * (frame["arm"] == "peer") + rng.normal(0, 3, 354)), 0, 27)
    for arm, numbers in data["design"]["visits"]["seen"].items():
        for month, number in zip((0, 3, 12), numbers, strict=True):
            rows = np.flatnonzero((frame["arm"] == arm) & (frame["month"] == month))
            mood.iloc[rows[number:]] = np.nan
    frame["mood"] = mood
    claims = {
        f"mood.{arm}_{month}.{statistic}": claim("0.0", table=VISITS, column="mood", filter={"arm": arm, "month": month}, statistic=statistic)
        for arm in ("peer", "usual")
        for month in (0, 3, 12)
        for statistic in ("mean", "sd")
    }
    claims |= {f"mood.late.{statistic}": claim("0.0", model="mixed", outcome="mood", contrast="late", statistic=statistic) for statistic in ("est", "lo", "hi", "p")}
    fitted = models.fit(data["models"]["mixed"], frame, "mood").contrast(at)
    for id, entry in claims.items():
        by = entry["by"]
        rows = frame[(frame["arm"] == by["filter"]["arm"]) & (frame["month"] == by["filter"]["month"])]["mood"] if "filter" in by else None
        value = getattr(fitted, by["statistic"]) if rows is None else getattr(rows, {"sd": "std"}.get(by["statistic"], by["statistic"]))()
        claims[id]["printed"] = f"{value:.{3 if by['statistic'] == 'p' else 1 if rows is not None else 2}f}"
    data["claims"] = claims
    return data


# Whole studies


def test_a_trial_of_scores_prints_every_claim_and_gives_the_same_bytes_again(written):
    study = written(trial())
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    assert tables[PEOPLE]["end"].notna().groupby(tables[PEOPLE]["arm"]).sum().to_dict() == {"peer": 180, "usual": 177}
    pd.testing.assert_frame_equal(tables[PEOPLE], synthesis.synthesise(study)[PEOPLE])


def test_scores_are_tied_as_assumed_where_print_leaves_it_free(written):
    data = trial()
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]}
    made = synthesis.synthesise(written(data))[PEOPLE]
    within = made.groupby("arm")[["start", "end"]].corr().xs("start", level=1)["end"]
    assert within.between(0.35, 0.65).all()


def test_repeated_scores_print_means_sds_and_a_mixed_model(written):
    study = written(repeated())
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    seen = tables[VISITS]["mood"].notna().to_numpy().reshape(-1, 3)
    assert (seen[:, 0]).all()
    assert (seen[:, 2] & ~seen[:, 1]).mean() < 0.1  # most losses last


def test_clusters_lie_in_one_arm_each_and_share_variance(written):
    data = trial()
    data["tables"][PEOPLE]["columns"]["practice"] = column("string")
    data["design"]["people"]["clusters"] = {"column": "practice", "number": {"peer": 15, "usual": 14}, "spread": "practice.spread"}
    data["design"]["outcomes"] = [{"column": "start", "kind": "score"}, {"column": "end", "kind": "score", "icc": "end.icc"}]
    data["assumptions"] |= {"end.icc": assumed("0.15"), "practice.spread": assumed("0.4")}
    data["models"] = {"adjusted": linear("{outcome} ~ arm", covariance="robust", groups="practice")}
    for id in ("est", "lo", "hi", "p"):
        del data["claims"][f"adjusted.{id}"]
    data["claims"]["adjusted.p"] = claim("0.031", model="adjusted", outcome="end", contrast="arms", statistic="p")
    study = written(data)
    people = synthesis.synthesise(study)[PEOPLE]
    assert prints(study, {PEOPLE: people})
    assert (people.groupby("practice")["arm"].nunique() == 1).all()
    assert people.groupby("arm")["practice"].nunique().to_dict() == {"peer": 15, "usual": 14}
    assert people["practice"].value_counts().nunique() > 3


def test_a_cut_holds_in_every_row(written):
    data = trial()
    data["tables"][PEOPLE]["columns"]["high"] = column("integer", values=[0, 1])
    data["design"]["outcomes"] = [
        {"column": "start", "kind": "score"},
        {"column": "high", "kind": "yes-no"},
        {"column": "end", "kind": "score", "cut": {"high": 10}},
    ]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]}
    for arm, text in (("peer", "92"), ("usual", "117")):
        data["claims"][f"high.{arm}.sum"] = claim(text, table=PEOPLE, column="high", filter={"arm": arm}, statistic="sum")
    study = written(data)
    people = synthesis.synthesise(study)[PEOPLE]
    assert prints(study, {PEOPLE: people})
    assert ((people["end"] >= 10) == (people["high"] == 1)).all()


@pytest.mark.parametrize(("home", "cut", "rows"), [(VISITS, 14, [0, 3, 12]), (PEOPLE, {"to": 9, "at": 12}, [12])], ids=["of-each-visit", "of-one-visit"])
def test_a_cut_at_visits_holds_in_every_row_that_has_both(written, home, cut, rows):
    data = repeated()
    data["tables"][home]["columns"]["answer"] = column("integer", values=[0, 1])
    data["design"]["outcomes"] = [{"column": "answer", "kind": "yes-no", "share": "answer.share"}, {"column": "mood", "kind": "score", "r": "mood.r", "cut": {"answer": cut}}]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]}
    data["assumptions"]["answer.share"] = assumed("0.4")
    study = written(data)
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    both = tables[VISITS].merge(tables[PEOPLE], on="id").query("month in @rows").dropna(subset=["mood", "answer"])
    assert set(both["month"]) == set(rows) and both["answer"].nunique() == 2
    assert ((both["mood"] >= 14 if home == VISITS else both["mood"] <= 9) == (both["answer"] == 1)).all()


@pytest.mark.parametrize(
    ("edge", "holds", "sums"), [({"to": 0.75}, lambda end, start: end <= 0.75 * start, ("92", "87")), ({"from": 1.5}, lambda end, start: end >= 1.5 * start, ("20", "25"))], ids=["fallen", "risen"]
)  # fmt: skip
def test_a_score_that_fell_to_a_share_of_its_start_is_a_cut_too(written, edge, holds, sums):
    data = trial()
    data["tables"][PEOPLE]["columns"]["changed"] = column("integer", values=[0, 1])
    data["design"]["outcomes"] = [
        {"column": "start", "kind": "score"},
        {"column": "changed", "kind": "yes-no"},
        {"column": "end", "kind": "score", "follows": {"start": "end.r"}, "cut": {"changed": {**edge, "of": "start"}}},
    ]
    data["assumptions"]["end.r"] = assumed("0.5")
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]}
    for arm, text in zip(("peer", "usual"), sums, strict=True):
        data["claims"][f"changed.{arm}.sum"] = claim(text, table=PEOPLE, column="changed", filter={"arm": arm}, statistic="sum")
    study = written(data)
    people = synthesis.synthesise(study)[PEOPLE].dropna(subset=["start", "end", "changed"])
    assert prints(study, {PEOPLE: people}) and people["changed"].nunique() == 2
    assert (holds(people["end"], people["start"]) == (people["changed"] == 1)).all()


def test_a_cut_of_one_answer_a_person_names_its_visit(written):
    data = repeated()
    data["tables"][PEOPLE]["columns"]["answer"] = column("integer", values=[0, 1])
    data["design"]["outcomes"] = [{"column": "answer", "kind": "yes-no", "share": "mood.r"}, {"column": "mood", "kind": "score", "r": "mood.r", "cut": {"answer": 14}}]
    with pytest.raises(StudyError, match=r"several visits: say which, such as \{answer: \{from: 14, at: 12\}\}"):
        written(data)
    data["design"]["outcomes"][1]["cut"] = {"answer": {"from": 14, "at": 6}}
    with pytest.raises(StudyError, match=r"cut › answer › at: 6\. Nothing of that name. Known: 0, 3, 12\."):
        written(data)


def test_medians_and_quartiles_are_met(written):
    data = trial()
    data["design"]["outcomes"] = [{"column": "start", "kind": "score"}, {"column": "end", "kind": "score"}]
    data["claims"] = {id: entry for id, entry in data["claims"].items() if id.startswith("start")}
    for arm, texts in (("peer", ("7", "4", "12.5")), ("usual", ("10", "6", "15"))):
        for statistic, text in zip(("median", "q1", "q3"), texts, strict=True):
            data["claims"][f"end.{arm}.{statistic}"] = claim(text, table=PEOPLE, column="end", filter={"arm": arm}, statistic=statistic)
    study = written(data)
    assert prints(study, synthesis.synthesise(study))


def test_people_who_are_seen_are_as_many_as_is_printed_of_each_part(written):
    data = trial()
    data["tables"][PEOPLE]["columns"]["woman"] = column("integer", values=[0, 1])
    data["design"]["outcomes"].insert(0, {"column": "woman", "kind": "yes-no", "share": "woman.share"})
    data["assumptions"]["woman.share"] = assumed("0.5")
    data["claims"]["women.peer.sum"] = claim("100", table=PEOPLE, column="woman", filter={"arm": "peer"}, statistic="sum")
    data["claims"]["women.peer.seen"] = claim("91", table=PEOPLE, column="end", filter={"arm": "peer", "woman": 1}, statistic="observed")
    study = written(data)
    assert prints(study, synthesis.synthesise(study))


def test_what_cannot_be_met_is_named_with_what_was_found_and_never_called_impossible(written, monkeypatch):
    monkeypatch.setattr(synthesis, "ATTEMPTS", 1)
    monkeypatch.setattr(search, "PATIENCE", 2)
    data = trial()
    data["claims"]["adjusted.p"]["printed"] = "0.9"
    with pytest.raises(search.Unmet, match=r"adjusted\.p \(0\.\d+, not 0\.85 to 0\.95\)") as raised:
        synthesis.synthesise(written(data))
    assert "no proof" in str(raised.value)


def test_what_was_not_met_is_told_each_time_that_it_is_begun_again(written, monkeypatch):
    monkeypatch.setattr(synthesis, "ATTEMPTS", 2)
    monkeypatch.setattr(search, "PATIENCE", 2)
    data, told = trial(), []
    data["claims"]["adjusted.p"]["printed"] = "0.9"
    with pytest.raises(search.Unmet):
        synthesis.made(written(data), told.append, attempts=2)
    [begun] = [line for line in told if line.startswith("once more")]
    assert re.fullmatch(r"once more with other random numbers, attempt 2 of 2: the last found no values in \d+ s", begun)
    again = [line for line in told if line.startswith("outcomes: drawn in vain")]
    assert len(again) == 4 and all(re.search(r"that print [\w.]+ \([\d.-]+, not [\d.-]+ to [\d.-]+\)", line) for line in again)
    several = search.Unmet("study.yml", "design", ["a.b (1, not 2 to 3)"] * (search.NAMED + 2), "Correct one.")
    assert several.short.count("a.b") == search.NAMED and several.short.endswith("; and 2 more") and str(several).count("a.b") == search.NAMED + 2


def test_time_limit_is_kept_where_a_search_has_not_met_every_claim(written, monkeypatch):
    monkeypatch.setattr(synthesis, "ATTEMPTS", 1)
    monkeypatch.setattr(search, "SECONDS", 0.0)
    data = trial()
    data["claims"]["adjusted.p"]["printed"] = "0.9"
    with pytest.raises(search.Unmet):
        synthesis.synthesise(written(data))


# Validation


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (lambda d: d["design"]["outcomes"][1].update(column="ende"), "column", "Did you mean 'end'"),
        (lambda d: d["design"]["outcomes"][1].update(kind="category"), "outcomes › end", "type string"),
        (lambda d: d["design"]["outcomes"][1].update(share="end.r"), "share", "does not take it, only yes-no and time"),
        (lambda d: d["design"]["outcomes"][1].update(follows={"end": "end.r"}), "follows", "made later"),
        (lambda d: d["design"]["outcomes"][1].update(follows={"strat": "end.r"}), "follows", "Did you mean 'start'"),
        (lambda d: d["design"]["outcomes"][1].update(seen={"peer": 205}), "seen", "0 to 204"),
        (lambda d: d["design"]["outcomes"][1].update(icc="end.r"), "icc", "clusters or programme groups"),
        (lambda d: d["design"]["outcomes"][1].update(r="end.r"), "end › r", "correlation of visits"),
        (lambda d: d["design"]["outcomes"].reverse(), "follows", "made later"),
        (lambda d: d["design"]["outcomes"].pop(0), "follows", "Nothing of that name"),
        (lambda d: d["design"]["outcomes"].append({"column": "end", "kind": "score"}), "people", "made 2 times"),
        (lambda d: d["claims"].pop("end.usual.sd"), "outcomes › end", "the arm 'usual'"),
        (lambda d: d["claims"]["end.usual.mean"].update(printed="29"), "mean", "between 0 and 27"),
        (lambda d: d["tables"][PEOPLE]["columns"]["end"].pop("maximum"), "outcomes › end", "two bounds"),
        (lambda d: d["design"]["outcomes"][1].update(cut={"high": 7}), "cut", "Nothing of that name"),
        (lambda d: d["design"]["people"].update(clusters={"column": "arm", "number": {"peer": 300, "usual": 2}}), "clusters › number", "1 to 204"),
    ],
)  # fmt: skip
def test_fault_in_an_outcome_is_named(written, change, field, words):
    data = trial()
    change(data)
    with pytest.raises(StudyError) as raised:
        written(data)
    assert field in raised.value.field
    assert words in raised.value.remedy


def test_fault_in_visits_is_named(written):
    data = repeated()
    for change, field, words in (
        (lambda d: d["design"]["visits"].update(times=[3, 0, 12]), "times", "order of time"),
        (lambda d: d["design"]["visits"]["seen"].update(peer=[60, 55]), "peer", "3 amounts"),
        (lambda d: d["design"]["visits"]["seen"].update(peer=[61, 55, 50]), "peer", "0 to 60"),
        (lambda d: d["tables"][VISITS].update(key=["id"]), "table", "one person at one visit"),
        (lambda d: d["design"]["outcomes"][0].update(seen={"peer": 3}), "seen", "visits › seen"),
        (lambda d: d["design"].update(outcomes=[]), "outcomes", ""),
    ):
        broken = copy.deepcopy(data)
        change(broken)
        with pytest.raises(StudyError) as raised:
            written(broken)
        assert field in raised.value.field and words in raised.value.remedy


# Parts


def plain(low: float, high: float, value, statistic: str = "mean") -> Target:
    return Target("x", low, high, {"statistic": statistic, "table": PEOPLE}, value)


@pytest.fixture
def of_end(written):
    """The study, the table with start made, and the targets of `end`, some rows of it missing."""
    data = trial()
    data["models"]["crude"] = linear("{outcome} ~ arm", test="welch")
    data["models"]["together"] = {"family": "correlation", "table": PEOPLE, "says": "x", "formula": "{outcome} ~ start"}
    data["models"]["adjusted"]["contrasts"]["start"] = [{"weight": 1, "at": {"start": 10}}, {"weight": -1, "at": {"start": 9}}]
    for statistic in ("est", "se", "lo", "hi", "p", "t", "d"):
        for model in ("crude", "adjusted"):
            data["claims"][f"{model}.{statistic}"] = claim("0.5", model=model, outcome="end", contrast="arms", statistic=statistic)
    for statistic in ("f", "joint_p"):
        data["claims"][f"joint.{statistic}"] = claim("0.5", model="adjusted", outcome="end", contrast=["arms", "start"], statistic=statistic)
    for statistic in ("est", "lo", "hi", "p"):
        data["claims"][f"together.{statistic}"] = claim("0.5", model="together", outcome="end", statistic=statistic)
    for statistic in ("se", "lo", "hi", "median", "q1", "percent_at_least"):
        by = {"table": PEOPLE, "column": "end", "filter": {"arm": "peer"}, "statistic": statistic} | ({"at_least": 10} if statistic == "percent_at_least" else {})
        data["claims"][f"more.{statistic}"] = claim("9", **by)
    study = written(data)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"id": [f"i{k}" for k in range(60)], "arm": ["peer", "usual"] * 30, "start": rng.integers(5, 20, 60), "end": np.nan})
    y = np.where(rng.random(60) < 0.8, rng.integers(2, 22, 60), np.nan).astype(float)
    return study, y, targets(study, {PEOPLE: frame}, PEOPLE, ["end"], ["id", "arm", "start"])


def test_sums_give_what_refits_give_and_foresee_every_change(of_end):
    _, y, aimed = of_end
    on_scales = aims.Aims(aimed)
    found = sums.Sums(on_scales, y)
    known = [k for k, value in enumerate(found.value) if value is not None]
    assert len(known) == len(aimed)
    np.testing.assert_allclose(found.values(found.of(y)), on_scales.values(y), rtol=1e-9, atol=1e-9)
    rng = np.random.default_rng(2)
    codes = np.tile([0, 1], 30)
    there = np.flatnonzero(np.isfinite(y))
    for kind in (moves.exchanges(codes, np.arange(60)), moves.steps(there, 1.0, 0.0, 27.0, 3), moves.transfers(codes, there, 1.0, 0.0, 27.0)):
        rows, values = kind(y, 40, rng)
        assert len(rows) > 5
        foreseen = found.values(found.after(found.of(y), y, rows, values))
        pool = search.Pool([(rows, values)], ())
        refitted = np.array([on_scales.values(pool.made(y, np.array([k]))) for k in range(len(rows))])
        np.testing.assert_allclose(foreseen, refitted, rtol=1e-8, atol=1e-8)


def test_targets_are_built_from_the_claims_and_take_ends_as_they_are_printed(of_end):
    _, y, aimed = of_end
    by_id = {target.id: target for target in aimed}
    assert "start.peer.mean" not in by_id
    mean = by_id["end.peer.mean"]
    assert mean.low == pytest.approx(9.805) and mean.high == pytest.approx(9.815)
    assert mean.value(y) == pytest.approx(np.nanmean(y[::2]))
    tie = Target("x", 2.0, 3.0, {"statistic": "mean", "table": PEOPLE}, np.mean)
    assert not tie.holds(np.array([2.0])) and tie.holds(np.array([2.5]))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_nobody_is_misplaced_exactly_where_a_quantile_is_met(share):
    name = {0.25: "q1", 0.5: "median", 0.75: "q3"}[share]
    rng = np.random.default_rng(5)
    for n in (21, 22, 23, 24):
        target = plain(9.5, 10.5, None, name)
        y = rng.integers(0, 20, n).astype(float)
        places = aims.quantile_places(n, target, 1.0)
        value = places[0][0] if len(places) == 1 else None
        assert value == 10
        assert (aims.misplaced(y, target, 1.0) == 0) <= (9.5 < np.quantile(y, share) < 10.5)
        assert aims.misplaced(np.full(n, 10.0), target, 1.0) == 0


def test_settle_meets_a_mean_and_a_variance_of_people_by_steps(written):
    study, rng = written(trial()), np.random.default_rng(1)
    y = rng.integers(0, 28, 50).astype(float)
    wanted = [plain(12.095, 12.105, lambda v: float(v.mean())), plain(4.995, 5.005, lambda v: float(v.std(ddof=1)), "sd")]
    found = search.settle(study, "end", y, wanted, [moves.steps(np.arange(50), 1.0, 0.0, 27.0)], rng)
    assert all(target.holds(found) for target in wanted)
    assert found.min() >= 0 and found.max() <= 27 and (found % 1 == 0).all()


def test_settle_takes_p_on_the_side_that_the_estimate_is_printed_on(of_end):
    _, _, aimed = of_end
    on_scales = aims.Aims([target for target in aimed if target.by.get("model") == "adjusted"])
    side = {target.id: sign for target, sign in zip(on_scales.targets, on_scales.sign, strict=True)}
    assert side["adjusted.p"] == 1.0 and side["adjusted.est"] == 0.0


def test_no_row_stands_in_two_moves_and_bounds_are_kept():
    rng, codes = np.random.default_rng(0), np.repeat([0, 1, 2], [40, 3, 57])
    y = rng.integers(0, 10, 100).astype(float)
    for kind in (moves.exchanges(codes, np.arange(100)), moves.steps(np.arange(100), 1.0, 0.0, 9.0), moves.transfers(codes, np.arange(100), 1.0, 0.0, 9.0)):
        rows, values = kind(y, 30, rng)
        assert len(np.unique(rows)) == rows.size and len(rows) <= 30
        assert values.min() >= 0 and values.max() <= 9
        assert rows.shape[1] == 1 or (codes[rows[:, 0]] == codes[rows[:, 1]]).all()


def test_columns_of_a_draft_are_uncorrelated_within_cells_and_the_latent_is_a_mix_of_them():
    rng = np.random.default_rng(4)
    codes, x, z = np.repeat([0, 1], 500), rng.standard_normal(1000), rng.standard_normal(1000)
    latent = 0.6 * x + 0.8 * z
    basis, mix = draft.basis_of([x], latent, codes)
    for cell in (0, 1):
        part = basis[codes == cell]
        np.testing.assert_allclose(part.T @ part / 500, np.eye(2), atol=1e-9)
    assert mix[0] == pytest.approx(0.6, abs=0.05)
    assert np.corrcoef(basis @ mix, latent)[0, 1] > 0.999


def test_response_foresees_a_smooth_statistic():
    rng = np.random.default_rng(6)
    codes, y = np.repeat([0, 1], 100), rng.normal(0, 1, 200)

    def evaluate(v: np.ndarray) -> np.ndarray:
        return np.array([v[codes == 0].mean() - v[codes == 1].mean(), v[codes == 0].var()])

    found = response.Response(evaluate, y, response.features_of(y, codes, [], []), 0.5, rng)
    rows, values = moves.exchanges(codes, np.arange(200))(y, 50, rng)
    after = found.after(y, rows, values)
    np.testing.assert_allclose(after[:, 0], 0.0, atol=2e-3)
    rows, values = moves.steps(np.arange(200), 0.5)(y, 50, rng)
    moved = np.array([evaluate(search.Pool([(rows, values)], ()).made(y, np.array([k]))) - evaluate(y) for k in range(len(rows))])
    np.testing.assert_allclose(found.after(y, rows, values), moved, atol=3e-3)


def test_latent_scores_follow_earlier_columns_and_share_variance_in_clusters(written):
    data = trial()
    data["design"]["people"]["arms"]["sizes"] = {"peer": 4000, "usual": 4000}
    data["tables"][PEOPLE]["columns"]["practice"] = column("string")
    data["design"]["people"]["clusters"] = {"column": "practice", "number": {"peer": 200, "usual": 200}}
    data["design"]["outcomes"] = [{"column": "start", "kind": "score"}, {"column": "end", "kind": "score", "follows": {"start": "end.r"}, "icc": "end.icc", "health": "end.r"}]
    data["assumptions"]["end.icc"] = assumed("0.1")
    study, rng = written(data), np.random.default_rng(0)
    frame = pd.DataFrame({"arm": np.repeat(["peer", "usual"], 4000), "start": rng.integers(0, 28, 8000), "practice": np.repeat([f"p{k}" for k in range(400)], 20)})
    health = rng.standard_normal(8000)
    z = start.latent(study, study.design["outcomes"][1], frame, health, rng)
    assert np.corrcoef(z, frame["start"])[0, 1] == pytest.approx(0.5, abs=0.04)
    assert np.corrcoef(z, health)[0, 1] == pytest.approx(0.5, abs=0.04)
    means = z.reshape(400, 20).mean(axis=1).var(ddof=1)
    within = z.reshape(400, 20).var(axis=1, ddof=1).mean()
    assert (means - within / 20) / (means + within * 19 / 20) == pytest.approx(0.1, abs=0.03)


def test_many_people_cost_no_search_over_people(written):
    """At a hundred thousand people the sums alone are searched: as few refits as at a hundred."""
    data = trial()
    data["design"]["people"]["arms"]["sizes"] = {"peer": 50_000, "usual": 50_000}
    data["design"]["outcomes"][1].pop("seen")
    for id in ("est", "lo", "hi"):
        del data["claims"][f"adjusted.{id}"]
    data["claims"] |= {
        "end.peer.mean": claim("11.31", table=PEOPLE, column="end", filter={"arm": "peer"}, statistic="mean"),
        "end.usual.mean": claim("11.54", table=PEOPLE, column="end", filter={"arm": "usual"}, statistic="mean"),
    }
    data["claims"]["adjusted.p"] = claim("0.0412", model="adjusted", outcome="end", contrast="arms", statistic="p")
    study = written(data)
    tables = synthesis._made(study, lambda line: None)
    assert prints(study, tables)
    assert math.isfinite(tables[PEOPLE]["end"].mean())


# Who was followed up, and where


def followed(printed: str, **filter) -> dict:
    return claim(printed, table=PEOPLE, column="end", statistic="percent_observed", **({"filter": filter} if filter else {}))


@pytest.mark.parametrize("claims", [{"all": followed("94%")}, {"peer": followed("91.2%", arm="peer"), "all": followed("94%")}, {"peer": followed(">90%", arm="peer")}], ids=["of-all", "of-one-arm-and-all", "of-an-arm-at-least"])
def test_a_share_followed_up_is_printed_where_nobody_says_how_many_were_seen(written, claims):
    data = trial()
    data["design"]["outcomes"][1].pop("seen")
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]} | {f"followed.{name}": entry for name, entry in claims.items()}
    study = written(data)
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    missing = tables[PEOPLE]["end"].isna()
    assert 0 < missing.sum() < 0.2 * len(missing)


def test_a_share_followed_up_that_the_numbers_seen_do_not_give_is_refused(written):
    data = trial()
    data["claims"]["followed.all"] = followed("94%")  # 357 of 402 are seen
    with pytest.raises(StudyError, match="the other numbers seen leave 357"):
        synthesis.synthesise(written(data))


@pytest.mark.parametrize(("printed", "fault"), [("94%", False), ("93%", True)])
def test_print_alone_holds_a_share_followed_up_against_the_number_seen(written, printed, fault):
    data = trial()
    data["claims"] |= {"randomised.n": claim("402", table=PEOPLE, statistic="count"), "seen.n": claim("378", table=PEOPLE, column="end", statistic="observed"), "followed.all": followed(printed)}
    found = [each for each in checks.findings(written(data)) if "followed.all" in each.ids(("percent",))]
    assert [each.fault for each in found] == [fault]


@pytest.mark.parametrize("engine", engines.available())
def test_other_engines_give_a_share_followed_up_and_a_number_of_sites(written, engine):
    data = at_sites(37)
    data["claims"]["followed.all"] = followed("89%")
    study = written(data)
    tables = synthesis.synthesise(study)
    found = engines.recompute(study, tables, engine, ["centres.n", "followed.all"])
    assert found["centres.n"].value == 37 and abs(found["followed.all"].value - 100 * 357 / 402) < 1e-9


def at_sites(number: int, **fields) -> dict:
    """The trial at so many centres."""
    data = trial()
    data["tables"][PEOPLE]["columns"]["centre"] = column("string", required=True)
    data["design"]["people"]["sites"] = {"column": "centre", "number": "centres.n", **fields}
    data["claims"] = {id: entry for id, entry in data["claims"].items() if "model" not in entry["by"]}
    data["claims"]["centres.n"] = claim(str(number), table=PEOPLE, column="centre", statistic="distinct")
    return data


@pytest.mark.parametrize(("fields", "uneven"), [({}, False), ({"spread": "centre.spread"}, True)])
def test_so_many_sites_have_people_of_every_arm(written, fields, uneven):
    data = at_sites(37, **fields)
    data["assumptions"]["centre.spread"] = assumed("0.6")
    study = written(data)
    tables = synthesis.synthesise(study)
    assert prints(study, tables)
    sizes = tables[PEOPLE]["centre"].value_counts()
    assert len(sizes) == 37 and (sizes.max() - sizes.min() > 2) == uneven
    assert tables[PEOPLE].groupby("centre")["arm"].nunique().mean() > 1.5
    pd.testing.assert_frame_equal(tables[PEOPLE], synthesis.synthesise(study)[PEOPLE])


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"shares": "centre.shares"}, "Give 'shares' or 'number', not both."),
        ({"number": 403}, "from 1 to 402"),
        ({"spread": "end.r", "number": 0}, "from 1 to 402"),
    ],
)  # fmt: skip
def test_sites_that_cannot_be_are_refused_by_name(written, change, remedy):
    data = at_sites(37)
    data["design"]["people"]["sites"] |= change
    with pytest.raises(StudyError, match=remedy):
        written(data)


def test_shares_of_sites_beside_a_spread_of_their_sizes_are_refused(written):
    data = at_sites(37)
    data["design"]["people"]["sites"] = {"column": "centre", "shares": "centre.shares", "spread": "end.r"}
    data["assumptions"]["centre.shares"] = assumed("0") | {"value": {"north": "0.5", "south": "0.5"}}
    with pytest.raises(StudyError, match="give 'spread' with 'number'"):
        written(data)


def test_sites_without_shares_or_number_are_refused(written):
    data = at_sites(37)
    data["design"]["people"]["sites"].pop("number")
    with pytest.raises(StudyError, match="Give 'shares' or 'number'"):
        written(data)


def at_end(seen: dict | None, count: str, percent: str) -> dict:
    """The trial with a yes-no outcome of which one arm prints a count and a percentage."""
    data = trial()
    data["tables"][PEOPLE]["columns"]["well"] = column("integer", values=[0, 1])
    data["design"]["outcomes"].append({"column": "well", "kind": "yes-no"} | ({"seen": seen} if seen else {}))
    for statistic, text in {"sum": count, "percent": percent}.items():
        data["claims"][f"well.peer.{statistic}"] = claim(text, table=PEOPLE, column="well", filter={"arm": "peer"}, statistic=statistic)
    data["claims"]["well.usual.percent"] = claim("21%", table=PEOPLE, column="well", filter={"arm": "usual"}, statistic="percent")
    return data


@pytest.mark.parametrize(
    ("seen", "percent", "verdict", "told"),
    [
        ({"peer": 180, "usual": 177}, "22%", "possible", "180: design › outcomes › well › seen"),
        ({"peer": 190, "usual": 177}, "22%", "contradictory", "190: design › outcomes › well › seen"),
        (None, "20%", "possible", "204: everybody, since design › outcomes › well › seen is not given"),
        (None, "22%", "contradictory", "204: everybody"),
    ],
)
def test_a_count_and_its_percentage_are_held_against_the_people_who_are_seen(written, seen, percent, verdict, told):
    [found] = [each for each in checks.findings(written(at_end(seen, "40", percent))) if "well" in each.about and "count" in each.finding.printed]
    assert found.finding.verdict == verdict and told in found.finding.question


def test_a_share_followed_up_is_held_against_the_people_of_the_arm(written):
    data = trial()
    filter = {"filter": {"arm": "peer"}}
    data["claims"] |= {"end.seen": claim("180", table=PEOPLE, column="end", statistic="observed", **filter), "end.share": claim("90%", table=PEOPLE, column="end", statistic="percent_observed", **filter)}
    [found] = [each for each in checks.findings(written(data)) if "count" in each.finding.printed]
    assert found.finding.verdict == "contradictory" and "204: design › people › arms › sizes" in found.finding.question


@pytest.mark.parametrize(("statistic", "low", "high", "told"), [("sum", 94.5, 95.5, "95"), ("sum", 93.5, 95.5, "93.5 to 95.5"), ("mean", 94.5, 95.5, "94.5 to 95.5"), ("sum", -math.inf, 95.5, "below 95.5")])
def test_a_count_that_was_missed_is_told_as_the_number_that_is_printed(statistic, low, high, told):
    assert search._between(Target("a.b", low, high, {"statistic": statistic}, len)) == told
