"""What chapters import: claims are checked and shown, numbers are stored for sentences."""

from __future__ import annotations

import sys
import types

import pandas as pd
import pytest

from asprinted import chapter, verdict
from asprinted.chapter import ClaimError, behind, check, explore, prove, say
from asprinted.study import StudyError

GOOD = {"pcs.harp.est": 2.7, "pcs.change.p": 0.046}


@pytest.fixture
def opened_crisis(crisis):
    """The study of readmission after a crisis is the one that is checked."""
    chapter._current[:] = [crisis]
    yield
    chapter._current.clear()


@pytest.fixture
def opened(harp):
    """The HARP study is the one that is checked."""
    chapter._current[:] = [harp]
    yield
    chapter._current.clear()


def test_check_before_a_study_is_open_says_what_to_call():
    chapter._current.clear()
    with pytest.raises(RuntimeError, match=r'call study\("../data/…"\) first'):
        check("pcs.change.p", 0.046)


def test_study_opened_last_is_the_one_that_is_checked(harp, write_study, data):
    assert chapter.study(harp.folder) == harp
    data["claims"]["pcs.change.p"]["printed"] = ".041"
    chapter.study(write_study(data))
    assert "some-trial:pcs.change.p: printed .041" in repr(check("pcs.change.p", 0.041))
    chapter._current.clear()


def test_a_copy_that_goes_on_shows_what_does_not_come_out_and_the_book_stops(opened, monkeypatch):
    with pytest.raises(ClaimError):
        check({"pcs.change.p": 0.2, "pcs.harp.est": 2.7})
    monkeypatch.setattr(chapter, "_going_on", [])
    chapter.go_on()
    bundle = check({"pcs.change.p": 0.2, "pcs.harp.est": 2.7})._repr_mimebundle_()
    assert bundle["text/plain"].startswith("Not as in the book: ") and "There: reproduced as printed." in bundle["text/plain"]
    assert "✗ not as printed" in bundle["text/plain"] and "✓ reproduced as printed" in bundle["text/plain"]
    assert bundle["text/html"].startswith("<p><strong>Not as in the book: ") and "<table" in bundle["text/html"]
    assert check("pcs.harp.est", 2.7)._repr_mimebundle_()["text/html"].startswith("<table"), "nothing is said of what comes out"


def test_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(StudyError, match="study.yml"):
        chapter.study(tmp_path)


def test_check_shows_one_claim_as_text_table_and_data(opened):
    shown = check("pcs.change.p", 0.04580)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", verdict.MIME}
    assert repr(shown) == bundle["text/plain"] == "harp-trial:pcs.change.p: printed .046, computed .046: ✓ reproduced as printed"
    assert 'id="claim-harp-trial-pcs-change-p"' in bundle["text/html"]
    [stored] = bundle[verdict.MIME]["claims"]
    assert f"<td>{stored['printed']}</td><td>{stored['computed']}</td>" in bundle["text/html"]
    assert stored["id"] == "harp-trial:pcs.change.p" and stored["verdict"] == "reproduced"


def test_check_shows_several_claims_in_the_order_given(opened):
    bundle = check(GOOD)._repr_mimebundle_()
    stored = bundle[verdict.MIME]["claims"]
    assert [each["id"] for each in stored] == ["harp-trial:pcs.harp.est", "harp-trial:pcs.change.p"]
    for each in stored:
        assert each["anchor"] in bundle["text/html"] and each["id"] in bundle["text/plain"]
    assert bundle["text/html"].count("<tr id=") == 2


def test_check_of_words_and_context(opened):
    assert "✓ holds as declared" in repr(check("visits.all.schedule", "0; 3; 6"))
    assert "· context, not recomputed" in repr(check("sessions.harp.n"))


def test_check_raises_with_the_claim_named_where_a_value_differs(opened):
    with pytest.raises(ClaimError) as caught:
        check(GOOD | {"pcs.change.p": 0.047, "mcs.change.p": 0.039})
    text = str(caught.value)
    assert "harp-trial:pcs.change.p: printed .046, computed .047: ✗ not as printed" in text
    assert "outside the values that print as .046" in text and "expected: reproduced as printed" in text
    assert "mcs.change.p" not in text


def test_check_raises_where_a_declared_difference_is_not_there(opened, load_data, data):
    data["claims"]["pcs.change.p"] |= {"expect": "misprint", "reason": "A slip."}
    chapter._current[:] = [load_data(data)]
    assert "≠ misprint in the source" in repr(check("pcs.change.p", 0.05))
    with pytest.raises(ClaimError, match="expected: misprint in the source"):
        check("pcs.change.p", 0.046)


def test_check_of_an_unknown_claim_names_the_nearest(opened):
    with pytest.raises(StudyError, match=r"Did you mean 'pcs.change.p'\?"):
        check("pcs.change.pp", 0.046)


def test_check_without_a_value_names_the_claim(opened):
    with pytest.raises(ValueError, match="harp-trial:pcs.change.p needs a computed value"):
        check("pcs.change.p")


def test_no_effect_is_one_for_a_ratio_and_zero_otherwise(harp, crisis):
    assert chapter.null_value(harp, "pilot_visit.ratio.lo") == 1
    assert chapter.null_value(harp, "pcs.harp.est") == 0
    assert chapter.null_value(harp, "randomised.all.n") == 0
    assert chapter.null_value(crisis, "readmitted.or.hi") == 1
    assert chapter.null_value(crisis, "time.hr.lo") == 1
    assert chapter.null_value(crisis, "satisfaction.diff.lo") == 0


@pytest.mark.parametrize(("claim", "value", "decision"), [("readmitted.or.hi", 0.991, "same"), ("time.hr.est", 0.7099, "same"), ("time.hr.hi", 0.9701, "same")])
def test_ratio_is_held_against_one(opened_crisis, claim, value, decision):
    [stored] = check(claim, value)._repr_mimebundle_()[verdict.MIME]["claims"]
    assert stored["decision"] == decision


def test_ratio_on_the_other_side_of_one_flips_the_decision(opened_crisis, crisis):
    assert verdict.judge(crisis.claim("readmitted.or.hi"), 1.02, chapter.null_value(crisis, "readmitted.or.hi")).decision == "flips"


def test_range_in_words_is_shown_with_the_value_that_lies_in_it(opened_crisis):
    assert repr(check("readmitted.reduction.quarter", 23.6)).endswith("printed 20 to 30, computed 23.60: ✓ holds as declared")
    with pytest.raises(ClaimError, match="printed 20 to 30, computed 33.33: ✗ not as printed"):
        check("readmitted.reduction.quarter", 100 / 3)


# What print alone proves


def test_proof_before_a_study_is_open_says_what_to_call():
    chapter._current.clear()
    with pytest.raises(RuntimeError, match=r'call study\("../data/…"\) first'):
        prove("readmission")


def test_proof_has_a_row_a_model_with_verdict_and_reason(opened_crisis, crisis):
    shown = prove("readmission", "readmission_crude")
    page = shown._repr_mimebundle_()["text/html"]
    adjusted, crude = repr(shown).splitlines()
    assert adjusted.startswith(f"{crisis.models['readmission']['says']}: possible. Every number prints")
    assert crude.startswith(f"{crisis.models['readmission_crude']['says']}: contradictory. The table 64/218 against 83/216 gives OR")
    assert page.count('<th scope="col">') == 3 and page.count('<th scope="row">') == 2
    assert "<td>✓ possible</td>" in page and "<td>✗ contradictory</td>" in page


def test_smallest_conflict_is_told_by_what_each_number_is_and_how_it_is_printed(opened_crisis, crisis):
    text = repr(prove("time_to_readmission_in_the_year"))
    told = text.partition("Cannot stand together: ")[2]
    assert f"{crisis.claim('time.hr.est').says} 0.71" in told and f"{crisis.claim('time.hr.p').says} 0.029" in told
    assert "events 147 (or one of 3 other sets of that size)." in told  # the sum of two claims, which has no words of its own
    assert "stand together" not in repr(prove("readmission", "time_to_readmission"))


@pytest.mark.parametrize("name", ["adverse_difference", "readmision", "participants"])
def test_model_that_print_says_nothing_about_is_refused_with_those_that_it_does(opened_crisis, name):
    with pytest.raises(StudyError, match=f"models: '{name}'. Print alone decides nothing about it. Known: readmission, readmission_crude, .*satisfaction_difference."):
        prove(name)


def test_proof_is_told_of_every_outcome_of_a_model(load_data, crisis_data):
    claims = crisis_data["claims"]
    for statistic, text in (("est", "0.2"), ("lo", "0.5"), ("hi", "0.9")):
        by = {"model": "satisfaction_difference", "outcome": "recovery", "contrast": "peer_support", "statistic": statistic}
        claims[f"recovery.diff.{statistic}"] = claims["satisfaction.diff.est"] | {"printed": text, "by": by}
    chapter._current[:] = [load_data(crisis_data)]
    lines = repr(prove("satisfaction_difference")).splitlines()
    chapter._current.clear()
    assert [("possible" in line, "contradictory" in line) for line in lines] == [(True, False), (False, True)]
    assert "(satisfaction.diff.est, satisfaction.diff.lo, satisfaction.diff.hi)" in lines[0] and "(recovery.diff.est, " in lines[1]


def test_proof_escapes_what_a_study_file_holds(load_data, crisis_data):
    crisis_data["models"]["readmission"]["says"] = "<b>A & B</b>"
    chapter._current[:] = [load_data(crisis_data)]
    page = prove("readmission")._repr_mimebundle_()["text/html"]
    chapter._current.clear()
    assert "<b>" not in page and "&lt;b&gt;A &amp; B&lt;/b&gt;" in page


# Numbers in sentences


@pytest.mark.parametrize("number", [2.7, 3, None])
def test_say_refuses_a_number_whose_decimals_are_not_chosen(number):
    with pytest.raises(TypeError, match="format the number first"):
        say("pcs_difference", number)


def test_say_stores_text_for_the_page(monkeypatch, capsys):
    stored = []
    module = types.ModuleType("myst_nb")
    module.glue = lambda name, text, display: stored.append((name, text, display))
    monkeypatch.setitem(sys.modules, "myst_nb", module)
    say("pcs_difference", "1.3")
    assert stored == [("pcs_difference", "1.3", False)]
    assert capsys.readouterr().out == ""


def test_say_prints_where_myst_nb_is_absent(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "myst_nb", None)  # importing it now fails
    say("pcs_difference", "1.3")
    assert capsys.readouterr().out == "pcs_difference: 1.3\n"


# The table behind a figure


def test_table_behind_a_figure_is_folded_and_its_headers_have_a_scope():
    frame = pd.DataFrame({"visit": [0, 6], "mean": [38.5, None]})
    shown = behind(frame)
    page = shown._repr_mimebundle_()["text/html"]
    assert page.startswith("<details><summary>The numbers behind this figure</summary><table") and page.endswith("</details>")
    assert page.count('<th scope="col">') == 2 and "<th>" not in page
    assert "<td></td>" in page and "NaN" not in page
    assert repr(shown).splitlines()[0].split() == ["visit", "mean"]


def test_table_behind_a_figure_keeps_a_named_index_and_drops_a_bare_one():
    frame = pd.DataFrame({"mean": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="arm"))
    assert '<th scope="col">arm</th>' in behind(frame)._repr_mimebundle_()["text/html"]
    assert behind(frame.reset_index(drop=True))._repr_mimebundle_()["text/html"].count("<th ") == 1


def test_table_behind_a_figure_escapes_names_cells_and_summary():
    page = behind(pd.DataFrame({"<i>n</i>": ["<b>x</b>", "p < .05"]}), summary="p < .05 & more")._repr_mimebundle_()["text/html"]
    assert "<b>" not in page and "<i>" not in page
    assert "<summary>p &lt; .05 &amp; more</summary>" in page and "<td>p &lt; .05</td>" in page


# What the reader changes


SETTINGS = pd.DataFrame(
    [
        {"model": model, "points lower": lower, "claim": claim, "printed": "p < .05", "computed": f"p = {p:.3f}", "holds": p < 0.05, "estimate": p, "line": 0.05, "axis": "p value"}
        for model, lower, claim, p in [("mixed", 0, "mood", 0.04), ("mixed", 0, "sleep", 0.03), ("imputed", 0.5, "mood", 0.0512345)]
    ]
)


def explored(frame=SETTINGS, controls=("model", "points lower"), **more):
    return explore(frame, controls, **more)._repr_mimebundle_()


def test_settings_stand_in_a_table_with_a_row_each_and_a_column_for_every_claim():
    page = explored()["text/html"]
    assert page.count("<tr>") == 1 + 2 and page.count('<th scope="row">') == 2 * 2
    assert '<th scope="col" data-kind="choice">model</th><th scope="col" data-kind="slider">points lower</th>' in page
    assert '<th scope="col" data-axis="p value"><span>mood</span> <small>p &lt; .05</small></th>' in page


def test_verdict_of_a_setting_is_said_in_words_beside_what_was_computed():
    page = explored()["text/html"]
    assert '<td data-holds="yes" data-estimate="0.04" data-line="0.05"><span>p = 0.040</span> <b>✓ holds</b></td>' in page
    assert '<td data-holds="no" data-estimate="0.05123" data-line="0.05"><span>p = 0.051</span> <b>✗ does not hold</b></td>' in page
    assert explored()["text/plain"].splitlines()[1] == "imputed, 0.5: mood p = 0.051 ✗ does not hold"


def test_claim_that_a_setting_says_nothing_of_does_not_apply_there():
    assert explored()["text/html"].count("<td>does not apply</td>") == 1


def test_texts_of_settings_and_claims_are_escaped():
    page = explored(SETTINGS.assign(claim=SETTINGS["claim"] + " <i>", model="<b>" + SETTINGS["model"], computed="a & b"), summary="x < y")["text/html"]
    assert "<i>" not in page and "<b>m" not in page and "a &amp; b" in page and "<summary>x &lt; y</summary>" in page


def test_table_without_a_wanted_column_is_refused_by_its_name():
    with pytest.raises(ValueError, match="no column lower, holds"):
        explored(SETTINGS.drop(columns="holds"), ["model", "lower"])


def test_claim_that_stands_twice_in_a_setting_is_refused():
    with pytest.raises(ValueError, match="'mood' stands twice in a setting"):
        explored(SETTINGS.assign(model="mixed"), ["model"])


@pytest.mark.parametrize(
    ("changed", "controls", "says"),
    [({"holds": [True, None, False]}, ["model", "points lower"], "'holds' has an empty cell"), ({"points lower": [0, 0, None]}, ["model", "points lower"], "'points lower' has an empty cell"), ({}, [], "no controls are named")],
)  # fmt: skip
def test_setting_or_verdict_that_is_empty_is_refused_and_not_taken_for_one(changed, controls, says):
    with pytest.raises(ValueError, match=says):
        explored(SETTINGS.assign(**changed), controls)
