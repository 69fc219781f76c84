"""An estimate, its interval and its p value: what one Wald test can print, and what none can."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asprinted.consistency import triples
from asprinted.printed import parse, round_to

Q = stats.norm.ppf(0.975)


def prints_everything(finding):
    return all(parse(text).contains(finding.witness[name]) for name, text in finding.printed.items())


def is_a_wald_test(witness, scale):
    m, lo, hi = (math.log(witness[name]) if scale == "log" else witness[name] for name in ("estimate", "lo", "hi"))
    return all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
        for a, b in ((lo, m - Q * witness["se"]), (hi, m + Q * witness["se"]), (witness["p"], 2 * stats.norm.sf(abs(m) / witness["se"])))
    )


def test_triple_with_four_decimals_of_p_confines_the_odds_ratio():
    printed = dict(estimate=".66", lo=".43", hi=".99", p=".0438", scale="log")
    finding = triples.check(**printed)
    assert finding.verdict == "possible" and prints_everything(finding) and is_a_wald_test(finding.witness, "log")
    (low, high), (least, most) = triples.feasible(**printed)
    assert 0.65499 < low <= 0.655 and 0.6557 < high < 0.6558
    assert 0.2093 < least < 0.2094 and 0.2099 < most < 0.21


def test_bounds_of_a_hazard_ratio():
    finding = triples.check(estimate=".71", lo=".52", hi=".97", p=".029", scale="log")
    assert finding.verdict == "possible" and prints_everything(finding)
    least, most = triples.feasible(estimate=".71", lo=".52", hi=".97", p=".029", scale="log").se
    assert (round(least, 4), round(most, 4)) == (0.1553, 0.1604)


@pytest.mark.parametrize(
    ("printed", "conflicts", "healing"),
    [
        ((".75", ".60", ".94", ".03"), {("lo", "hi", "p"), ("estimate", "lo", "p"), ("estimate", "hi", "p")}, 2),
        ((".66", ".43", ".99", ".06"), {("hi", "p")}, 1),
        (("1.20", "0.80", "1.50", ".20"), {("estimate", "lo", "hi"), ("estimate", "lo", "p"), ("estimate", "hi", "p"), ("lo", "hi", "p")}, None),
    ],
)
def test_contradiction_names_the_smallest_conflicts(printed, conflicts, healing):
    finding = triples.check(*printed, scale="log")
    assert finding.verdict == "contradictory"
    assert set(finding.conflicts) == conflicts and finding.conflict == finding.conflicts[0]
    if healing is not None:
        assert len(finding.healing) == healing
        healed = dict(finding.printed) | {name: after for name, _, after in finding.healing}
        assert triples.check(**healed, scale="log").verdict == "possible"
    for names in finding.conflicts:
        assert triples.check(**{name: finding.printed[name] for name in names}, scale="log").verdict == "contradictory"


def test_proof_gives_the_bounds_that_cross():
    proof = triples.check(".75", ".60", ".94", ".03", scale="log").proof
    assert "standard error is at least" in proof and "at most" in proof and "hi and p" in proof and "lo and hi" in proof
    assert "No standard error above zero is left by hi and p." in triples.check(hi=".99", p=".06", scale="log").proof


# Against the test itself


@settings(max_examples=200)
@given(
    m=st.floats(-3, 3), se=st.floats(0.01, 2), level=st.sampled_from([0.9, 0.95, 0.99]), scale=st.sampled_from(["identity", "log"]),
    decimals=st.integers(1, 4), p_decimals=st.integers(1, 5), left_out=st.sets(st.sampled_from(["estimate", "lo", "hi", "p", "se"]), max_size=3),
)  # fmt: skip
def test_what_a_wald_test_prints_is_never_called_contradictory(m, se, level, scale, decimals, p_decimals, left_out):
    q = stats.norm.ppf((1 + level) / 2)
    values = {"estimate": m, "lo": m - q * se, "hi": m + q * se}
    if scale == "log":
        values = {name: math.exp(value) for name, value in values.items()}
    texts = {name: str(round_to(value, decimals)) for name, value in values.items()}
    texts |= {"se": str(round_to(se, decimals)), "p": str(round_to(2 * stats.norm.sf(abs(m) / se), p_decimals))}
    texts = {name: text for name, text in texts.items() if name not in left_out}
    finding = triples.check(**texts, scale=scale, level=level)
    assert finding.verdict == "possible" and prints_everything(finding)


@settings(max_examples=80)
@given(est=st.integers(-20, 20), below=st.integers(1, 15), above=st.integers(1, 15), p=st.integers(0, 100))
def test_verdict_agrees_with_a_grid(est, below, above, p):
    texts = {"estimate": f"{est / 10:.1f}", "lo": f"{(est - below) / 10:.1f}", "hi": f"{(est + above) / 10:.1f}", "p": f"{p / 100:.2f}"}
    numbers = {name: parse(text) for name, text in texts.items()}
    ends = {name: tuple(map(float, number.interval()[:2])) for name, number in numbers.items()}
    finding = triples.check(**texts)
    assert finding.verdict in ("possible", "contradictory")
    found = any(
        numbers["lo"].contains(m - w) and numbers["hi"].contains(m + w) and numbers["p"].contains(2 * stats.norm.sf(abs(m) * Q / w))
        for m in (ends["estimate"][0] + (i + 0.5) * 0.1 / 12 for i in range(12))
        for w in (((above + below) / 20 - 0.05) + (j + 0.5) * 0.1 / 12 for j in range(12))
        if w > 0 and ends["hi"][0] <= m + w <= ends["hi"][1] and ends["lo"][0] <= m - w <= ends["lo"][1]
    )
    if found:
        assert finding.verdict == "possible"
    if finding.verdict == "possible":
        assert prints_everything(finding) and is_a_wald_test(finding.witness, "identity")


# Ends, signs and inequalities


@pytest.mark.parametrize(
    ("estimate", "rounding", "verdict"),
    [("0.7", "half-up", "possible"), ("0.6", "half-up", "contradictory"), ("0.7", "truncate", "possible"), ("0.6", "truncate", "contradictory"), ("≤0.70", "half-up", "possible"), ("<0.70", "half-up", "contradictory")],
)
def test_closed_ends_are_reached_and_open_ends_are_not(estimate, rounding, verdict):
    # lo from .25 and hi from 1.15, both ends included: the estimate is at least their middle, .70 itself
    finding = triples.check(estimate=parse(estimate, rounding), lo="0.3", hi="1.2")
    assert finding.verdict == verdict
    if estimate == "≤0.70":
        assert [float(finding.witness[name]) for name in ("estimate", "lo", "hi")] == [0.7, 0.25, 1.15] and prints_everything(finding)
    if estimate == "<0.70":
        assert "one of them leaves its end out" in finding.proof


@pytest.mark.parametrize(("level", "p", "clash"), [(0.95, "<.05", True), (0.95, "<.07", False), (0.9, "<.10", True), (0.95, "≥.05", False)])
def test_interval_over_no_effect_excludes_significance(level, p, clash):
    finding = triples.check(lo="−0.10", hi="4.02", p=p, level=level)
    assert (finding.verdict == "contradictory") is clash
    assert finding.conflict == (("lo", "hi", "p") if clash else ())


def test_null_of_minus_zero():
    finding = triples.check(estimate="−0.00", lo="−0.19", hi="0.18")
    assert finding.verdict == "possible" and finding.witness["estimate"] <= 0


def test_inequality_of_p_takes_part():
    assert triples.check(estimate="1.96", lo="1.03", hi="2.89", p="<.0001").verdict == "possible"
    finding = triples.check(estimate="1.96", lo="−0.10", hi="4.02", p="<.05")
    assert finding.verdict == "contradictory" and finding.conflict == ("estimate", "lo", "p")


@pytest.mark.parametrize(("p", "verdict"), [("1.3", "contradictory"), ("1.00", "possible"), ("0.000", "possible"), ("-0.1", "contradictory"), (">1", "contradictory"), ("<0", "contradictory")])
def test_p_is_a_probability(p, verdict):
    assert triples.check(p=p, estimate="0.0").verdict == verdict


def test_ratio_that_is_not_positive_is_refused():
    finding = triples.check(lo="−0.10", hi="2.00", scale="log")
    assert finding.verdict == "contradictory" and finding.conflict == ("lo",)


def test_printed_standard_error_takes_part():
    assert triples.check(estimate="2.0", se="1.0", p=".046").verdict == "possible"
    assert triples.check(estimate="2.0", se="1.0", p=".2").conflict == ("estimate", "se", "p")


def test_t_test_asks_for_symmetry_alone():
    assert triples.check("1.96", "1.03", "2.89", test="t").verdict == "possible"
    finding = triples.check("1.96", "1.03", "2.99", test="t")
    assert finding.verdict == "contradictory" and "half-width" in finding.proof
    assert "se" not in triples.check("1.96", "1.03", "2.89", test="t").witness
    with pytest.raises(ValueError, match="leave se and p out"):
        triples.check("1.96", p=".05", test="t")


@pytest.mark.parametrize(("options", "message"), [({"scale": "root"}, "scale 'root'"), ({"level": 1}, "level 1 "), ({"test": "F"}, "test 'F'"), ({"estimate": "x"}, '"x"')])
def test_wrong_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        triples.check(**({"estimate": "1"} | options))
    with pytest.raises(ValueError, match="No estimate prints hi .99, p .06"):
        triples.feasible(hi=".99", p=".06", scale="log")
