"""A computed value is held against a claim, and the verdict says what a reader needs."""

from __future__ import annotations

import html.parser
from fractions import Fraction

import pytest

from asprinted import verdict
from asprinted.study import Claim
from asprinted.verdict import as_html, as_json, as_text, judge, table


def claim(**fields) -> Claim:
    """A claim with the fields that a test is about."""
    usual = {"id": "score.change.p", "study": "some-trial", "says": "The difference", "marks": ("S",), "source": "paper", "where": "abstract"}
    kind = fields.setdefault("kind", "number")
    fields.setdefault("expect", {"number": "reproduced", "inequality": "reproduced", "context": "context"}.get(kind, "holds"))
    return Claim(**(usual | fields))


def statistic(name: str) -> dict:
    return {"model": "lmm", "outcome": "score", "contrast": "change", "statistic": name}


# Each kind of claim


@pytest.mark.parametrize(
    ("fields", "value", "shown", "computed", "found"),
    [
        ({"printed": ".046"}, 0.0457, ".046", ".046", "reproduced"),
        ({"printed": ".046"}, 0.0466, ".046", ".047", "differs"),
        ({"printed": "0.60"}, 0.6, "0.60", "0.60", "reproduced"),
        ({"printed": "29%"}, Fraction(200, 7), "29%", "29%", "reproduced"),
        ({"printed": "three"}, 3, "three", "3", "reproduced"),
        ({"printed": "12,477"}, 12478, "12,477", "12,478", "differs"),
        ({"printed": "2.7", "rounding": "truncate"}, 2.79, "2.7", "2.7", "reproduced"),
        ({"printed": "2.7"}, 2.79, "2.7", "2.8", "differs"),
        ({"printed": "<.0001", "kind": "inequality"}, 0.00002, "<.0001", "<.0001", "reproduced"),
        ({"printed": "<.0001", "kind": "inequality"}, 0.002, "<.0001", ".0020", "differs"),
        ({"declared": ">0", "kind": "direction"}, 1.3, ">0", "1.30", "holds"),
        ({"declared": ">0", "kind": "direction"}, -0.004, ">0", "−0.00", "differs"),
        ({"declared": ">=.05", "kind": "words"}, 0.11, "≥.05", "0.11", "holds"),
        ({"declared": ">=.05", "kind": "words"}, 0.04, "≥.05", "0.04", "differs"),
        ({"declared": "4", "kind": "words"}, 4, "4", "4", "holds"),
        ({"declared": "4", "kind": "words"}, 5, "4", "5", "differs"),
        ({"declared": "0; 3; 6", "kind": "words"}, "0; 3; 6", "0; 3; 6", "0; 3; 6", "holds"),
        ({"declared": "0; 3; 6", "kind": "words"}, "0; 6", "0; 3; 6", "0; 6", "differs"),
        ({"declared": ">0", "printed": "more", "kind": "words"}, 1, "more", "1", "holds"),
        ({"declared": "<=12", "kind": "words"}, 12.5, "≤12", "12.50", "differs"),
        ({"declared": "20 to 30", "kind": "words"}, 20, "20 to 30", "20", "holds"),
        ({"declared": "20 to 30", "kind": "words"}, 23.61, "20 to 30", "23.61", "holds"),
        ({"declared": "20 to 30", "kind": "words"}, 30.0, "20 to 30", "30", "holds"),
        ({"declared": "20 to 30", "kind": "words"}, 30.004, "20 to 30", "30.00", "differs"),
        ({"declared": "20 to 30", "kind": "words"}, 19.99, "20 to 30", "19.99", "differs"),
        ({"declared": "0.5 to 1.125", "kind": "words"}, 0.7, "0.5 to 1.125", "0.700", "holds"),
        ({"declared": "−2 to −1", "kind": "direction"}, -1.5, "−2 to −1", "−1.50", "holds"),
        ({"declared": "20 to 30", "printed": "around a quarter", "kind": "words"}, 25, "around a quarter", "25", "holds"),
        ({"kind": "context", "reason": "About the plan."}, None, "", "", "context"),
        ({"kind": "context", "printed": "90", "reason": "About the plan."}, None, "90", "", "context"),
    ],
)
def test_claim_of_each_kind_gets_its_verdict(fields, value, shown, computed, found):
    result = judge(claim(**fields), value)
    assert (result.printed, result.computed, result.verdict) == (shown, computed, found)
    assert result.as_expected is (found != "differs")
    assert result.id == "some-trial:score.change.p" and result.anchor == "claim-some-trial-score-change-p"


@pytest.mark.parametrize("expect", ["upstream-rounding", "method", "definition", "misprint", "misreported", "not-computable"])
def test_difference_that_is_declared_gets_the_declared_verdict_and_reason(expect):
    known = claim(printed=".046", expect=expect, reason="It is so.")
    result = judge(known, 0.07)
    assert (result.verdict, result.reason, result.as_expected) == (expect, "It is so.", True)
    assert not judge(known, 0.046).as_expected  # agreement is then the surprise


def test_undeclared_difference_gives_the_computed_value_as_its_reason():
    assert judge(claim(printed=".046"), 0.0712345678).reason == "computed 0.0712346, outside the values that print as .046"
    assert judge(claim(printed=".046"), 0.046).reason == ""


@pytest.mark.parametrize(
    ("fields", "value", "message"),
    [
        ({"kind": "context", "reason": "x"}, 3, "is context and not recomputed: give no value"),
        ({"printed": ".046"}, None, "some-trial:score.change.p needs a computed value"),
        ({"printed": ".046"}, float("nan"), "nan is not a finite number"),
        ({"declared": ">0", "kind": "direction"}, float("inf"), "inf is not a finite number"),
    ],
)
def test_value_that_is_missing_or_superfluous_or_not_finite_is_refused(fields, value, message):
    with pytest.raises(ValueError, match=message):
        judge(claim(**fields), value)


# On the same side of the null, or of p = .05?


@pytest.mark.parametrize(
    ("text", "name", "value", "null", "decision"),
    [
        (".046", "p", 0.047, 0, "same"),
        (".046", "p", 0.051, 0, "flips"),
        (".06", "p", 0.051, 0, "same"),
        (".06", "p", 0.049, 0, "flips"),
        (".05", "p", 0.049, 0, ""),
        (".050", "p", 0.9, 0, ""),
        ("<.05", "p", 0.051, 0, "flips"),
        ("<.0001", "p", 0.049, 0, "same"),
        (">.05", "p", 0.051, 0, "same"),
        ("≥.05", "p", 0.049, 0, "flips"),
        ("<.10", "p", 0.03, 0, ""),
        (">.01", "p", 0.03, 0, ""),
        ("2.7", "est", 2.6, 0, "same"),
        ("2.7", "est", -0.1, 0, "flips"),
        ("−2.7", "est", -0.1, 0, "same"),
        ("0.0", "est", -0.1, 0, ""),
        ("1.09", "lo", 1.02, 1, "same"),
        ("1.09", "lo", 0.99, 1, "flips"),
        ("1.00", "lo", 0.99, 1, ""),
        ("2.85", "hi", 0.99, 1, "flips"),
        ("2.7", "mean", -3, 0, ""),
    ],
)
def test_decision_is_compared_where_the_question_arises(text, name, value, null, decision):
    kind = "inequality" if text[0] in "<>≥" else "number"
    assert judge(claim(printed=text, kind=kind, by=statistic(name)), value, null).decision == decision


# What is shown


class Tags(html.parser.HTMLParser):
    """The tags of a page with their attributes, and the text of each table cell."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.cells: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def test_html_has_a_row_whose_id_is_the_anchor_and_says_the_verdict_without_colour():
    page = Tags(as_html([judge(claim(printed=".046"), 0.0457), judge(claim(id="score.harp.est", printed="2.7"), 3.1)]))
    rows = [attributes for tag, attributes in page.tags if tag == "tr" and "id" in attributes]
    assert [row["id"] for row in rows] == ["claim-some-trial-score-change-p", "claim-some-trial-score-harp-est"]
    assert [row["class"] for row in rows] == ["asprinted-reproduced", "asprinted-differs"]
    assert page.cells[:4] == ["Claim", "Printed", "Computed here", "Verdict"]
    assert page.cells[4:8] == ["The differencescore.change.p", ".046", ".046", "✓ reproduced as printed"]
    assert page.cells[8:] == ["The differencescore.harp.est", "2.7", "3.1", "✗ not as printed"]
    scopes = [attributes["scope"] for tag, attributes in page.tags if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * 2


def test_html_escapes_what_a_study_file_holds():
    page = as_html([judge(claim(says="<b>A & B</b>", kind="inequality", printed="<.05"), 0.01)])
    assert "<b>" not in page and "&lt;b&gt;A &amp; B&lt;/b&gt;" in page and "<td>&lt;.05</td>" in page


def test_every_verdict_has_words_and_a_sign_of_its_own_class():
    labels = {
        name: verdict.Verdict("s:a.b", "", "number", "", "", name, name, "", "", "").label for name in verdict.VERDICTS
    }  # fmt: skip
    assert all(label[1] == " " and label[2:] == verdict.VERDICTS[name] for name, label in labels.items())
    assert {label[0] for name, label in labels.items() if name in ("reproduced", "holds")} == {"✓"}
    assert labels["differs"][0] == "✗" and labels["method"][0] == "≠" and labels["context"][0] == "·"


def test_text_has_a_line_a_claim():
    lines = as_text([judge(claim(printed=".046"), 0.0457), judge(claim(id="a.b", printed="2.7"), 3.1)]).splitlines()
    assert lines == [
        "some-trial:score.change.p: printed .046, computed .046: ✓ reproduced as printed",
        "some-trial:a.b: printed 2.7, computed 3.1: ✗ not as printed",
    ]


def test_json_holds_what_a_program_needs():
    [stored] = as_json([judge(claim(printed=".046", by=statistic("p")), 0.0457)])["claims"]
    assert stored == {
        "id": "some-trial:score.change.p", "says": "The difference", "kind": "number", "printed": ".046", "computed": ".046",
        "verdict": "reproduced", "expected": "reproduced", "decision": "same", "reason": "", "anchor": "claim-some-trial-score-change-p",
    }  # fmt: skip


def test_table_has_a_row_a_claim_and_the_verdict_in_words():
    frame = table([judge(claim(printed=".046"), 0.0457), judge(claim(kind="context", reason="x"))])
    assert list(frame.columns) == ["id", "says", "kind", "printed", "computed", "verdict", "decision", "reason"]
    assert list(frame["verdict"]) == ["reproduced as printed", "context, not recomputed"]
    assert len(table([])) == 0
