"""Q, the number of trials, I² and p: what agrees, and what cannot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import heterogeneity
from asprinted.printed import parse, round_to

ROWS = [("4.09", 4, "27%", ".25"), ("3.21", 4, "7%", ".36"), ("1.97", 3, "0%", ".37"), ("0.00", 2, "0%", ".98"), ("0.15", 2, "0%", ".70"), ("0.71", 2, "0%", ".40"), ("5.74", 3, "65%", ".06"), ("1.13", 2, "12%", ".29")]


def prints_everything(finding):
    return all(parse(finding.printed[name]).contains(finding.witness[name]) for name in ("chi2", "i2", "p") if name in finding.printed)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_published_rows_agree(row):
    chi2, k, i2, p = row
    finding = heterogeneity.check(chi2=chi2, k=k, i2=i2, p=p)
    assert finding.verdict == "possible" and prints_everything(finding)
    assert finding.witness["p"] == pytest.approx(stats.chi2.sf(finding.witness["chi2"], k - 1))


def test_zero_allows_a_range_of_p():
    low, high = heterogeneity.p_range(chi2="0.00", k=2)
    assert high == 1 and low == pytest.approx(stats.chi2.sf(0.005, 1), rel=1e-9)
    assert heterogeneity.check(chi2="0.00", k=2, p=".94").verdict == "possible"
    assert heterogeneity.check(chi2="0.00", k=2, p=".93").conflict == ("chi2", "k", "p")


def test_conflict_and_healing():
    finding = heterogeneity.check(chi2="4.09", k=4, i2="30%", p=".25")
    assert finding.verdict == "contradictory"
    assert set(finding.conflicts) == {("chi2", "k", "i2"), ("k", "i2", "p")}
    assert finding.healing == (("i2", "30%", "27%"),)
    finding = heterogeneity.check(chi2="4.09", k=5, i2="27%", p=".25")
    assert finding.healing == (("k", "5", "4"),)


@settings(max_examples=150)
@given(q=st.floats(0, 80), df=st.integers(1, 60), decimals=st.integers(0, 3), left_out=st.sampled_from([None, "chi2", "i2", "p"]))
def test_what_one_q_prints_is_never_called_contradictory(q, df, decimals, left_out):
    texts = {"chi2": str(round_to(q, decimals)), "i2": f"{round_to(max(0.0, 100 * (q - df) / q) if q else 0.0, 0)}%", "p": str(round_to(stats.chi2.sf(q, df), decimals + 1))}
    texts.pop(left_out, None)
    finding = heterogeneity.check(**texts, k=df + 1)
    assert finding.verdict == "possible" and prints_everything(finding)


@settings(max_examples=60)
@given(chi2=st.integers(0, 60), df=st.integers(1, 4), i2=st.integers(0, 99), p=st.integers(0, 100))
def test_verdict_agrees_with_a_grid(chi2, df, i2, p):
    texts = {"chi2": f"{chi2 / 10:.1f}", "i2": f"{i2}%", "p": f"{p / 100:.2f}"}
    finding = heterogeneity.check(**texts, df=df)
    grid = [max(0.0, chi2 / 10 - 0.05) + step * 0.1 / 60 for step in range(1, 60)]
    found = any(
        parse(texts["chi2"]).contains(q) and parse(texts["i2"]).contains(max(0.0, 100 * (q - df) / q)) and parse(texts["p"]).contains(stats.chi2.sf(q, df))
        for q in grid
    )
    assert finding.verdict in ("possible", "contradictory")
    assert not found or finding.verdict == "possible"
    assert finding.verdict == "contradictory" or prints_everything(finding)


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [({"k": 4, "p": "<.001"}, "possible"), ({"k": 4, "p": "1.2"}, "contradictory"), ({"k": 4, "p": "0.000", "i2": "99%"}, "possible"), ({"k": 3, "i2": "101%"}, "contradictory"),
     ({"k": 3, "i2": "100%"}, "possible"), ({"chi2": "4.09", "p": ".25"}, "undecided"), ({"k": 3, "chi2": "−1.0"}, "contradictory"), ({"k": 3, "df": 3}, "contradictory")],
)  # fmt: skip
def test_ends_and_missing_numbers(printed, verdict):
    assert heterogeneity.check(**printed).verdict == verdict


@pytest.mark.parametrize(("printed", "message"), [({"k": 1}, "k '1'"), ({"df": "2.5"}, "df '2.5'"), ({"k": "<4"}, "k '<4'")])
def test_wrong_number_of_trials_is_named(printed, message):
    with pytest.raises(ValueError, match=message):
        heterogeneity.check(chi2="1.0", **printed)
    with pytest.raises(ValueError, match="give k or df"):
        heterogeneity.p_range(chi2="1.0")
