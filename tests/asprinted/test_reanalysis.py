"""What a claim or an assumption means is computed as a reader would by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asprinted import reanalysis
from asprinted.reanalysis import Kept, Reanalysis
from asprinted.study import Assumption, Claim, Study, StudyError, families, schema, statistics
from asprinted.verdict import Verdict

SHARES = {"table": "people", "statistic": "share_deviation", "column": "site"}
WHOLE = {"table": "people", "statistic": "share_deviation", "column": "asthma"}
FLAGS = {"table": "people", "statistic": "share_deviation", "column": ["asthma", "diabetes"]}

PEOPLE = pd.DataFrame(
    [
        # id, site, arm, group, asthma, diabetes, days and event: the time to it, or followed to then; empty for f
        ("a", "north", "peers", "one", 1, 0, 5, 1),
        ("b", "north", "peers", "one", 1, 1, 10, 0),
        ("c", "north", "peers", "two", 0, 1, 15, 1),
        ("d", "south", "peers", "two", 0, 1, 20, 1),
        ("e", "south", "list", None, 1, 0, 8, 1),
        ("f", "north", "list", None, 1, 0, None, None),
    ],
    columns=["id", "site", "arm", "group", "asthma", "diabetes", "days", "event"],
).astype({"days": "Int64", "event": "Int64"})
# score at visits 0, 3 and 6; None where not seen
SCORES = {"a": (0, 1, 4), "b": (2, 3, 8), "c": (4, None, 5), "d": (6, 6, 9), "e": (10, None, None), "f": (0, 1, 4)}
VISITS = pd.DataFrame([(id, visit, score) for id, row in SCORES.items() for visit, score in zip((0, 3, 6), row, strict=True)], columns=["id", "visit", "score"])


@pytest.fixture
def analysis() -> Reanalysis:
    study = Study(
        folder=Path("some-trial"), title="", sources={},
        tables={
            "people": {"file": "people.csv", "key": ["id"], "columns": {}},
            "visits": {"file": "visits.csv", "key": ["id", "visit"], "parent": "people", "columns": {"score": {"minimum": 0, "maximum": 10}}},
        },
        design={"people": {"groups": {"column": "group"}}, "scores": {"outcomes": {"score": {}}}},
        models={
            "ratio": {"family": "risk-ratio", "table": "people", "missing": "leave-out", "contrasts": {"arm": [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "list"}}]}},
            "line": {"family": "linear", "table": "visits", "formula": "{outcome} ~ C(arm)", "contrasts": {"arm": [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "list"}}]}},
        },
        claims={},
        assumptions={
            "site.shares": Assumption("site.shares", "", "", {"north": "0.5", "south": "0.4", "east": "0.1"}, by=SHARES),
            "flag.shares": Assumption("flag.shares", "", "", {"asthma": "0.6", "diabetes": "0.25"}, by=FLAGS),
            "whole.shares": Assumption("whole.shares", "", "", {"0": "0.5", "1": "0.3", "2": "0.2"}, by=WHOLE),
        },
    )  # fmt: skip
    return Reanalysis(study, {"people": PEOPLE, "visits": VISITS})


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ({"table": "people", "statistic": "count"}, 6),
        ({"table": "people", "statistic": "count", "filter": {"arm": "peers"}}, 4),
        ({"table": "people", "statistic": "count", "filter": {"arm": "peers", "site": "north"}}, 3),
        ({"table": "people", "statistic": "count", "filter": {"site": ["north", "south"]}}, 6),
        ({"table": "visits", "statistic": "count", "filter": {"arm": "list"}}, 6),  # the arm is a column of the parent
        ({"table": "visits", "statistic": "observed", "column": "score"}, 15),
        ({"table": "visits", "statistic": "observed", "column": "score", "filter": {"visit": 6}}, 5),
        ({"table": "people", "statistic": "distinct", "column": "site"}, 2),
        ({"table": "people", "statistic": "distinct", "column": "group"}, 2),
        ({"table": "visits", "statistic": "values", "column": "visit"}, "0; 3; 6"),
        ({"table": "people", "statistic": "values", "column": "group"}, "one; two"),
        ({"table": "people", "statistic": "smallest_count", "column": "site"}, 2),
        ({"table": "people", "statistic": "largest_count", "column": "site"}, 4),
        ({"table": "people", "statistic": "smallest_sum", "column": ["asthma", "diabetes"]}, 1),
        ({"table": "people", "statistic": "percent", "column": "asthma"}, 100 * 4 / 6),
        ({"table": "visits", "statistic": "mean", "column": "score", "filter": {"visit": 3}}, 11 / 4),
        ({"table": "visits", "statistic": "sd", "column": "score", "filter": {"visit": 0}}, np.std([0, 2, 4, 6, 10, 0], ddof=1)),
        ({"table": "visits", "statistic": "share_at_minimum", "column": "score"}, 2 / 15),
        ({"table": "visits", "statistic": "share_at_maximum", "column": "score"}, 1 / 15),
        ({"table": "visits", "statistic": "largest_share", "column": "score"}, 3 / 15),  # three 4s; the zeros stand at a bound
        ({"table": "visits", "statistic": "correlation", "column": "score", "between": {"visit": [0, 6]}}, np.corrcoef([0, 2, 4, 6, 0], [4, 8, 5, 9, 4])[0, 1]),
        ({"table": "visits", "statistic": "correlation", "column": "score", "between": {"visit": [0, 3]}}, np.corrcoef([0, 2, 6, 0], [1, 3, 6, 1])[0, 1]),
        ({"table": "visits", "statistic": "returned", "column": "score", "between": {"visit": [3, 6]}}, 1 / 2),  # of c and e, c
        ({"table": "visits", "statistic": "lost_difference", "column": "score", "between": {"visit": [0, 6]}}, (10 - 12 / 5) / np.std([0, 2, 4, 6, 10, 0], ddof=1)),
        ({"table": "visits", "statistic": "duplicates"}, 1),  # f has the scores of a
        ({"table": "people", "statistic": "sum", "column": "asthma"}, 4),
        ({"table": "people", "statistic": "sum", "column": "event", "filter": {"arm": "peers"}}, 3),
        ({"table": "people", "statistic": "median", "column": "days"}, 10),
        ({"table": "people", "statistic": "median", "column": "days", "filter": {"event": 1}}, (8 + 15) / 2),
        ({"table": "people", "statistic": "minimum", "column": "days", "filter": {"arm": "peers"}}, 5),
        ({"table": "people", "statistic": "maximum", "column": "days", "filter": {"event": 0}}, 10),
        ({"table": "people", "statistic": "percent_at_least", "column": "days", "at_least": 10}, 60),  # of the five with a time
        ({"table": "people", "statistic": "percent_at_least", "column": "days", "at_least": 10.5, "filter": {"arm": "peers"}}, 50),
        ({"table": "people", "statistic": "survival_median", "column": "days", "event": "event"}, 15),  # 4/5, 3/5, and half of that
        ({"table": "people", "statistic": "survival_median", "column": "days", "event": "event", "filter": {"id": ["a", "c", "d", "e"]}}, (8 + 15) / 2),  # one half from 8 to 15
        ({"table": "people", "statistic": "survival_median", "column": "days", "event": "event", "filter": {"arm": "list"}}, 8),
        (SHARES, 4 / 6 - 0.5),
        (WHOLE, 4 / 6 - 0.3),  # shares are named by text, values are whole numbers
        ({"model": "ratio", "outcome": "asthma", "contrast": "arm", "statistic": "est"}, 0.5),
        ({"model": "ratio", "outcome": "asthma", "contrast": "arm", "statistic": "reduction"}, 50),
        (FLAGS, 3 / 6 - 0.25),
        ({"model": "line", "outcome": "score", "contrast": "arm", "statistic": "est"}, np.mean([0, 1, 4, 2, 3, 8, 4, 5, 6, 6, 9]) - np.mean([10, 0, 1, 4])),
    ],
    ids=lambda value: value["statistic"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_statistic_is_what_a_reader_counts(analysis, by, value):
    assert analysis.value(by) == (value if isinstance(value, str) else pytest.approx(value))


def test_skewness_is_that_of_a_sample(analysis):
    x = VISITS["score"].dropna().to_numpy()
    n, d = len(x), x - x.mean()
    adjusted = np.sqrt(n * (n - 1)) / (n - 2) * np.mean(d**3) / np.mean(d**2) ** 1.5
    assert analysis.value({"table": "visits", "statistic": "skewness", "column": "score"}) == pytest.approx(adjusted)


def test_share_of_variance_between_groups_is_that_of_one_way_analysis_of_variance(analysis):
    # changes from visit 0 to 6: group one 4 and 6, group two 1 and 3
    between = (2 * (5 - 3.5) ** 2 + 2 * (2 - 3.5) ** 2) / 1
    within = (1 + 1 + 1 + 1) / 2
    by = {"table": "visits", "statistic": "icc", "column": "score", "between": {"visit": [0, 6]}, "filter": {"arm": "peers"}}
    assert analysis.value(by) == pytest.approx((between - within) / (between + within))


def test_share_of_variance_between_groups_of_unequal_size_uses_their_typical_size(analysis):
    analysis.tables["visits"] = analysis.tables["visits"].query("id != 'b'")
    # changes: group one 4 alone, group two 1 and 3; typical size (3 - 5/3) / 1
    between, within, typical = (4 - 8 / 3) ** 2 + 2 * (2 - 8 / 3) ** 2, 2.0, 4 / 3
    by = {"table": "visits", "statistic": "icc", "column": "score", "between": {"visit": [0, 6]}, "filter": {"arm": "peers"}}
    assert analysis.value(by) == pytest.approx((between - within) / (between + (typical - 1) * within))


@pytest.mark.parametrize(("take", "chosen"), [("smallest", min), ("largest", max)])
def test_smallest_or_largest_of_several_outcomes_is_taken(analysis, take, chosen):
    frame = analysis.tables["visits"]
    analysis.tables["visits"] = frame.assign(twice=2 * frame["score"])
    by = {"model": "line", "outcome": ["score", "twice"], "contrast": "arm", "statistic": "est", "take": take}
    single = [analysis.value(by | {"outcome": outcome}) for outcome in by["outcome"]]
    assert single[0] != single[1] and analysis.value(by) == chosen(single)


def test_model_is_fitted_once_for_an_outcome(analysis, monkeypatch):
    fits = []
    fit = reanalysis.models.fit
    monkeypatch.setattr(reanalysis.models, "fit", lambda *given: fits.append(given) or fit(*given))
    for statistic in ("est", "se", "p"):
        analysis.value({"model": "line", "outcome": "score", "contrast": "arm", "statistic": statistic})
    assert len(fits) == 1


@pytest.mark.parametrize(
    ("by", "where"),
    [
        ({"table": "visits", "statistic": "mean", "column": "score", "filter": {"visit": 12}}, "tables › visits"),
        ({"table": "visits", "statistic": "correlation", "column": "score", "between": {"visit": [0, 6]}, "filter": {"id": "a"}}, "tables › visits"),
        ({"table": "visits", "statistic": "correlation", "column": "score", "between": {"visit": [0, 12]}}, "tables › visits"),
        ({"table": "people", "statistic": "smallest_count", "column": "group", "filter": {"arm": "list"}}, "tables › people"),
        ({"table": "people", "statistic": "smallest_sum", "column": ["asthma"], "filter": {"arm": "nobody"}}, "tables › people"),
        ({"table": "people", "statistic": "median", "column": "days", "filter": {"id": "f"}}, "tables › people"),
        ({"table": "people", "statistic": "maximum", "column": "days", "filter": {"id": "f"}}, "tables › people"),
        ({"table": "people", "statistic": "percent_at_least", "column": "days", "at_least": 3, "filter": {"id": "f"}}, "tables › people"),
        ({"table": "people", "statistic": "survival_median", "column": "days", "event": "event", "filter": {"id": "b"}}, "tables › people"),  # not reached
        ({"table": "visits", "statistic": "share_at_minimum", "column": "score", "filter": {"visit": 12}}, "tables › visits"),
        ({"table": "visits", "statistic": "largest_share", "column": "score", "filter": {"visit": 12}}, "tables › visits"),
        ({"table": "visits", "statistic": "returned", "column": "score", "between": {"visit": [3, 6]}, "filter": {"id": "a"}}, "tables › visits"),  # nobody was missed
        ({"table": "visits", "statistic": "lost_difference", "column": "score", "between": {"visit": [0, 6]}, "filter": {"id": ["a", "b"]}}, "tables › visits"),
        ({"model": "line", "outcome": "score", "contrast": "arm", "statistic": "p"}, "models › line"),
    ],
)
@pytest.mark.parametrize("type", [float, "Int64"], ids=["numbers", "whole numbers"])
def test_value_that_the_records_do_not_give_is_refused(analysis, by, where, type):
    analysis.tables["visits"] = analysis.tables["visits"].assign(score=lambda frame: (frame["score"] * ("model" not in by)).astype(type))
    with pytest.raises(StudyError, match=f"{where}.*The records leave too few rows"):
        analysis.value(by)


def test_smallest_sum_of_columns_with_decimals_keeps_them(analysis):
    analysis.tables["people"] = analysis.tables["people"].assign(asthma=lambda frame: frame["asthma"] + 0.25)
    assert analysis.value({"table": "people", "statistic": "smallest_sum", "column": ["asthma", "diabetes"]}) == 1.25


def test_difference_has_no_reduction(analysis):
    with pytest.raises(StudyError, match="models › line › contrasts › arm: 'score'. a difference has no reduction in per cent"):
        analysis.value({"model": "line", "outcome": "score", "contrast": "arm", "statistic": "reduction"})


@pytest.mark.parametrize("key", ["id", "code"])
def test_baseline_is_that_of_the_same_person_whatever_the_key_is_called(analysis, key):
    analysis.tables["visits"] = analysis.tables["visits"].sample(frac=1, random_state=1).rename(columns={"id": key})
    analysis.study.tables["visits"]["key"] = [key, "visit"]
    analysis.study.models["adjusted"] = analysis.study.models["line"] | {"formula": "{outcome} ~ C(arm) + baseline", "rows": {"visit": 6}, "baseline": {"column": "visit", "value": 0}}
    peers = {"a": 1, "b": 1, "c": 1, "d": 1, "f": 0}  # e was not seen at the visit
    X = np.array([(1, peer, SCORES[id][0]) for id, peer in peers.items()])
    expected = np.linalg.lstsq(X, np.array([SCORES[id][2] for id in peers]), rcond=None)[0]
    assert analysis.value({"model": "adjusted", "outcome": "score", "contrast": "arm", "statistic": "est"}) == pytest.approx(expected[1])


@pytest.mark.parametrize(("parts", "number"), [({"scales": {"outcomes": {"score": {}}}}, 1), ({"scores": {"outcomes": {"score": {}}}, "scales": {"outcomes": {"other": {}}}}, 0)])
def test_people_are_duplicates_where_the_scores_of_every_part_are_alike(analysis, parts, number):
    analysis.tables["visits"] = analysis.tables["visits"].assign(other=range(len(VISITS)))
    analysis.study = dataclasses.replace(analysis.study, design=parts)
    assert analysis.value({"table": "visits", "statistic": "duplicates"}) == number


def test_differences_are_told_a_line_each():
    good = Verdict("t:a.b", "", "number", "1", "1", "reproduced", "reproduced", "", "", "")
    wrong = Verdict("t:a.c", "", "number", "1", "2", "differs", "reproduced", "", "computed 2", "")
    kept = [Kept("x.y", "", 0, 1, 0.5), Kept("x.z", "", 0, 1, 1.5), Kept("x.w", "", 0, 1, 1)]
    assert reanalysis.differing([good, wrong], kept) == [
        "t:a.c: printed 1, computed 2: ✗ not as printed. computed 2",
        "assumption x.z: found 1.5, outside 0 to 1",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"events": [3, 1]}, []), ({"events": [3, 2]}, ["model m, event: 4 events in the records, 5 events by its field 'events'"]), ({"events": [4], "until": 12}, ["model m, event: 2 events in the records, 4 events by its field 'events'"]),
     ({"events": [2], "until": 12}, []), ({"events": [4], "rows": {"arm": "peers"}}, ["model m, event: 3 events in the records, 4 events by its field 'events'"]), ({"events": [5], "instead_of": "first"}, ["model m, event: 4 events in the records, 5 events by its field 'events'"]),
     ({"events": [4], "instead_of": "first", "rows": {"arm": "nobody's"}}, []),
     ({"counts": {"peers": {"events": 3, "people": 4}, "list": {"events": 1, "people": 1}}}, []),
     ({"counts": {"peers": {"events": 3, "people": 4}, "list": {"events": 1, "people": 2}}}, ["model m, event, list: 1 events of 1 people in the records, 1 events of 2 people by its field 'counts'"]),
     ({"counts": {"peers": {"events": 3, "people": 4}, "list": {"events": 1, "people": 2}}, "missing": "as-zero"}, []),
     ({"counts": {"peers": {"events": 2, "people": 4}}, "instead_of": "first"}, []), ({"counts": {"peers": {"events": 2, "people": 4}}, "family": "logistic", "formula": "{outcome} ~ days"}, ["model m, event, peers: 3 events of 4 people in the records, 2 events of 4 people by its field 'counts'"])],
)  # fmt: skip
def test_events_and_counts_of_a_model_are_those_of_the_rows_that_it_uses(analysis, change, told):
    contrasts = {"arm": [{"weight": 1, "at": {"arm": "peers"}}, {"weight": -1, "at": {"arm": "list"}}]}
    of_times = {"family": "cox", "time": "days"} if "events" in change else {"family": "risk-ratio"}
    model = of_times | {"table": "people", "formula": "{outcome} ~ C(arm)", "contrasts": contrasts} | change
    claims = {
        f"c.{name}.est": Claim(f"c.{name}.est", "t", "", "number", ("S",), "s", "", "reproduced", "1", by={"model": name, "outcome": "event", "contrast": "arm", "statistic": "est"})
        for name in (["first"] if "instead_of" in model else ["m"])
    }
    study = dataclasses.replace(analysis.study, models={"first": {"family": "risk-ratio", "table": "people"}, "m": model}, claims=claims)
    assert reanalysis.uses_as_declared(study, {"people": PEOPLE}) == told


def test_what_is_calculated_is_not_told_as_printed_where_it_differs():
    wrong = [Verdict(f"t:a.{name}", "", "number", "1", "2", "differs", "reproduced", "", "computed 2", "") for name in "cd"]
    assert reanalysis.differing(wrong, [], {"t:a.c"}) == ["t:a.c: calculated 1, computed 2: ✗ not as calculated. computed 2", "t:a.d: printed 1, computed 2: ✗ not as printed. computed 2"]


def test_every_statistic_of_the_schema_can_be_computed():
    in_schema = set(schema()["$defs"]["by"]["properties"]["statistic"]["enum"])
    assert in_schema == set(reanalysis._STATISTICS) | set(families.GIVEN_BY) | statistics._OF_POOL
