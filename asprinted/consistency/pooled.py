"""A pooled effect: do its interval, its p value, its heterogeneity and, of a standardised mean difference, its number of people agree?

Interval and p are those of one Wald test, on the log scale where the measure is a ratio; Q, I² and its p are of one χ². This is asked of
every measure. What follows is of standardised mean differences alone, since another measure's variance hangs on SDs or risks as well.

A pool weighs each trial by wᵢ = 1/(vᵢ + τ²), where vᵢ = Nᵢ/(n₁n₂) + gᵢ²/(2(Nᵢ − 3.94)) is the variance of Hedges' g (Cochrane
Handbook, inverse variance). With W = Σwᵢ its estimate is m = Σwᵢgᵢ/W and its standard error 1/√W. So much is certain, N being the sum
of the Nᵢ, in which a person counts once for each trial (or row) that holds them:

- n₁n₂ ≤ Nᵢ²/4 and Nᵢ − 3.94 < Nᵢ, so vᵢ ≥ (8 + gᵢ²)/(2Nᵢ); and wᵢvᵢ = 1 − wᵢτ². So (1) wᵢ(8 + gᵢ²) ≤ 2Nᵢ(1 − wᵢτ²).
- Summed, with Σwᵢgᵢ² = Wm² + Σwᵢ(gᵢ − m)²: W(8 + m²) + Σwᵢ(gᵢ − m)² ≤ 2N. So **SE² ≥ (8 + m²)/(2N)**, which is 4/N and more,
  whatever τ² is and however it was estimated. Where τ² = 0, the sum of squares is Cochran's Q: SE² ≥ (8 + m²)/(2N − Q). Where Paule
  and Mandel's τ² is above zero, it is df = k − 1.
- With S = Σ1/vᵢ, the weight at τ² = 0, that gives 1/S ≥ 8/(2N − Q), and 1/W ≥ 1/S + τ²/k, since w/(1 + wτ²) is concave in w.
- DerSimonian and Laird's τ² is (Q − df)/(S − Σvᵢ⁻²/S) where Q > df, and Σvᵢ⁻² ≥ S²/k. So τ²/k ≥ (H² − 1)/S with H² = Q/df =
  1/(1 − I²), and **SE² ≥ H²·8/(2N − Q)**. With m: (1) gives Nᵢwᵢ ≥ 4wᵢ²/(1 − wᵢτ²), convex in wᵢ, and its sum with t = Wτ²/k
  gives 2N ≥ Wm² + 8W/(1 − t), where t ≥ cW with c = 8(H² − 1)/(2N − Q): a quadratic bound on W.

Knapp and Hartung's standard error is another one, which Q can make as small as it likes: nothing is asked of it and N, except where
its scale is kept at 1 or more (Röver, Knapp and Friede 2015), and so also above these bounds.

For one trial the variance above is the whole of it, and every division into arms is tried. For more, a pool is built that prints all
the numbers: trials of nearly equal size, where the bounds are nearly reached, with arms as unequal as the standard error needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from asprinted.consistency import conflict, heterogeneity, outward, pools
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text
from asprinted.consistency.pools import ESTIMATORS, Range
from asprinted.consistency.triples import Feasible, Wald
from asprinted.printed import Printed, parse

NAMES = ("est", "lo", "hi", "se", "p", "chi2", "i2", "q_p", "k", "n")
SCALES = {"smd": "identity", "md": "identity", "rd": "identity", "rr": "log", "or": "log", "hr": "log"}  # measure → the scale on which it is pooled
TESTS = ("wald-z", "knapp-hartung", "knapp-hartung-at-least-wald")
_WALD = {"est": "estimate", "lo": "lo", "hi": "hi", "se": "se", "p": "p"}
_SPREAD = {"chi2": "chi2", "k": "k", "i2": "i2", "q_p": "p"}
_OTHERS = range(2, 61)  # numbers of trials, and of people above the least, that are tried where none is printed
_LEAST = 3  # people in a trial, or it has no standard deviation within arms


def check(
    est: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None, se: Text | None = None,
    chi2: Text | None = None, i2: Text | None = None, q_p: Text | None = None, k: Text | None = None, n: Text | None = None,
    level: float = 0.95, measure: str = "smd", estimator: str = "DL", test: str = "wald-z", question: str = "",
) -> Finding:  # fmt: skip
    """Whether one pool of `k` trials with `n` people prints the numbers: its Wald test, and Q as `chi2`, `i2` (in percent) and `q_p`.

    Any may be left out. measure: "smd", "md", "rd", "rr", "or" or "hr"; est, lo and hi of the last three are ratios, and se is that of the log.
    Where it is possible, the witness holds `trials`, each kind as (how many, n₁, n₂, g); with another test than "wald-z", or another
    measure than "smd", unrounded numbers only. Nothing is asked of n of another measure, nor of "knapp-hartung".
    Raises ValueError where a text cannot be read, an option is unknown, k is no number of trials, or se or p are given with a test of t.
    """
    if test != "wald-z" and (se is not None or p is not None):
        raise ValueError("the quantile of t is not applied here: leave se and p out")
    pool = _Pool(level, measure, estimator, test)
    numbers = conflict.read(est=est, lo=lo, hi=hi, se=se, p=p, chi2=chi2, i2=i2, q_p=q_p, k=k, n=n if pool.bound else None)
    _number_of_trials(numbers)
    names = conflict.and_list(numbers) if numbers else "nothing"
    return conflict.finding(question or f"Can one pool of trials print {names}?", numbers, pool.decide, lambda some: pool.refutation(some) is not None)


def people_needed(
    lo: Text | None = None, hi: Text | None = None, est: Text | None = None, p: Text | None = None, se: Text | None = None,
    chi2: Text | None = None, i2: Text | None = None, q_p: Text | None = None, k: Text | None = None,
    level: float = 0.95, estimator: str = "DL",
) -> int:  # fmt: skip
    """The least number of people with which a pool of standardised mean differences can print the numbers, by the bounds above.

    Raises ValueError where they cannot print with any number of people, or where they set no upper bound on the standard error.
    """
    numbers = conflict.read(est=est, lo=lo, hi=hi, se=se, p=p, chi2=chi2, i2=i2, q_p=q_p, k=k)
    _number_of_trials(numbers)
    pool = _Pool(level, "smd", estimator, "wald-z")
    if reason := pool.refutation(numbers):
        raise ValueError(f"no number of people lets these numbers print: {reason}")
    people = pool.people_needed(numbers)
    if people is None:
        given = conflict.and_list(numbers) if numbers else "nothing"
        raise ValueError(f"{given} allows any standard error, so any number of people: give the interval, or est and p")
    return people


def least_variance(
    people: int, q: tuple[Fraction, Fraction | None] = (Fraction(0), None), df: int = 0, h2: Fraction = Fraction(1), m2: Fraction = Fraction(0), estimator: str = "DL"
) -> Fraction | None:  # fmt: skip
    """The greatest proven lower bound on SE² of a pool of so many people; None where there is no such pool.

    q: the ends of Q, the upper None if open; df: its degrees of freedom, 0 if unknown; h2: the least Q/df, or 1; m2: the least squared estimate.
    """
    low, high = q
    whole = 2 * people
    if whole <= low:
        return None
    any_tau2 = max((8 + m2) / whole, 8 / (whole - low))
    if estimator == "common":
        return (8 + m2) / (whole - low)
    if estimator == "PM":
        return max(any_tau2, (8 + m2) / (whole - min(low, df)))
    if estimator == "DL" and h2 > 1:
        c = 8 * (h2 - 1) / (whole - low)
        b = m2 + 8 + whole * c
        root = Fraction(outward.sqrt(outward.exact(b * b - 4 * c * m2 * whole))[0])
        return max(any_tau2, h2 * 8 / (whole - low), (b + root) / (2 * whole))
    if estimator == "DL" and df and high is not None and high <= df:  # then τ² is zero
        return (8 + m2) / (whole - low)
    return any_tau2


class _Pool:
    """What printed numbers a pool allows, of one measure, estimator and test."""

    def __init__(self, level: float, measure: str, estimator: str, test: str):
        for name, value, known in (("measure", measure, SCALES), ("estimator", estimator, ESTIMATORS), ("test", test, TESTS)):
            if value not in known:
                raise ValueError(f"{name} {value!r} is unknown: use one of {', '.join(known)}")
        self.wald = Wald(SCALES[measure], level, symmetric=test != "wald-z")
        self.estimator, self.test, self.bound = estimator, test, measure == "smd" and test != "knapp-hartung"
        self.q = outward.normal_quantile(self.wald.tail)
        self.full = measure == "smd" and test == "wald-z"

    def decide(self, numbers: Numbers) -> Decision:
        """The verdict on the numbers, with its proof; a witness where it is "possible"."""
        if reason := self.refutation(numbers):
            return Decision(CONTRADICTORY, reason)
        if not self.full:
            return self._apart(numbers)
        for k in [_trials(numbers)] if "k" in numbers else _possible_trials(numbers):
            tried = numbers if "k" in numbers else {**numbers, "k": parse(str(k))}
            found = None if tried is not numbers and self.refutation(tried) else self._witness(tried, k)
            if found:
                shown = {name: value if isinstance(value, int) or name not in numbers else conflict.plain(value, numbers[name]) for name, value in found.items()}
                return Decision(POSSIBLE, self._told(numbers, found), shown)
        return Decision(UNDECIDED, "The bounds allow the numbers, but no pool was found that prints them all.")

    def refutation(self, numbers: Numbers) -> str | None:
        """The proof that no pool prints the numbers; None where there is none."""
        k, most = _trials(numbers), _most(numbers.get("n"))
        if "k" in numbers and k < 1:
            return "A pool has one trial or more."
        if k and most is not None and most < _LEAST * k:
            return f"{k} trials of at least {_LEAST} people have more than {most}."
        wald, spread = _renamed(numbers, _WALD), _renamed(numbers, _SPREAD)
        if set(spread) - {"k"}:
            if k == 1:
                if reason := _alone(numbers):
                    return reason
            elif (decision := heterogeneity.decide(spread)).verdict == CONTRADICTORY:
                return f"Of heterogeneity: {decision.proof}"
        if self.wald.impossible(wald):
            return self.wald.decide(wald).proof
        if most is None or not self.bound:
            return None
        feasible = self.wald.feasible(wald)
        if reason := self._too_precise(numbers, feasible, most, k):
            return reason
        if k == 1 and self.full and _exactly(numbers["n"]):
            return pools.one_trial(most, feasible, _ranges(numbers, self.wald.tail), self._quantile()).refutation
        return None

    def _too_precise(self, numbers: Numbers, feasible: Feasible, people: int, k: int) -> str | None:
        """The proof that so many people give no standard error as small as the numbers need; None where they do, or may."""
        low, high = (Fraction(end) if math.isfinite(end) else None for end in feasible.estimate)
        m2 = low * low if low is not None and low > 0 else high * high if high is not None and high < 0 else Fraction(0)
        q, h2 = _q_range(numbers, k)
        least = least_variance(people, q, max(k - 1, 0), h2, m2, self.estimator)
        given = conflict.and_list([name for name in ("chi2", "i2", "q_p", "k") if name in numbers] or ["any"])
        if least is None:
            return f"Q is below twice the number of people, {2 * people}, and at least {float(q[0]):.5g} by {given}."
        if feasible.se[1] == math.inf:
            return None
        scale = Fraction(1 if self.full else self.q[0])
        if Fraction(feasible.se[1]) ** 2 >= scale**2 * least:
            return None
        root = Fraction(outward.multiply(outward.exact(scale), outward.sqrt(outward.exact(least)))[0])
        floor, ceiling = conflict.apart(root, Fraction(feasible.se[1]))
        by = conflict.and_list([name for name in ("est", "lo", "hi", "se", "p") if name in numbers])
        with_spread = f", with the heterogeneity of {given}," if q[0] > 0 or h2 > 1 else ""
        return f"The {self.wald.spread} is at least {floor} for {people} people{with_spread} and at most {ceiling} by {by}."

    def people_needed(self, numbers: Numbers) -> int | None:
        """The least number of people that the bounds leave to the numbers, where they do not conflict; None where any will do."""
        k, feasible = _trials(numbers), self.wald.feasible(_renamed(numbers, _WALD))
        if feasible.se[1] == math.inf:
            return None
        few, many = 0, max(_LEAST * k, 1)
        while self._too_precise(numbers, feasible, many, k):
            few, many = many, 2 * many
        while many - few > 1 and few:
            middle = (few + many) // 2
            few, many = (middle, many) if self._too_precise(numbers, feasible, middle, k) else (few, middle)
        return many

    def _quantile(self) -> Range:
        return float(self.q[0]), float(self.q[1])

    def _witness(self, numbers: Numbers, k: int) -> Mapping[str, Any] | None:
        """Unrounded values and the trials that give them; None where the search fails."""
        feasible, ranges = self.wald.feasible(_renamed(numbers, _WALD)), _ranges(numbers, self.wald.tail)
        people = int(numbers["n"].value) if "n" in numbers and _exactly(numbers["n"]) else None
        if k == 1:
            least = max(4, _fewest(numbers.get("n")), self.people_needed(numbers) or 4)
            tries = [people] if people else range(least, least + len(_OTHERS))
            trials = next((found for n in tries if (found := pools.one_trial(n, feasible, ranges, self._quantile()).trials)), None)
        else:
            q, h2 = _q_range(numbers, k)
            ranges["chi2"] = float(q[0]), math.inf if q[1] is None else float(q[1])
            m2 = min(abs(end) for end in feasible.estimate) ** 2 if feasible.estimate[0] * feasible.estimate[1] > 0 else 0.0
            most = _most(numbers.get("n"))
            limits = _fewest(numbers.get("n")), math.inf if most is None else float(most)
            floor = math.sqrt(least_variance(people, q, k - 1, h2, Fraction(m2), self.estimator)) if people else 0.0
            trials = pools.build(k, people or limits, (max(feasible.se[0], floor), feasible.se[1]), ranges, self._quantile(), self.estimator)
        if not trials:
            return None
        fit = pools.fit(trials, self.estimator)
        quantile = sum(self._quantile()) / 2
        z = abs(fit.est) / fit.se
        values = {
            "est": fit.est, "lo": fit.est - quantile * fit.se, "hi": fit.est + quantile * fit.se, "se": fit.se, "p": math.erfc(z / math.sqrt(2)),
            "chi2": fit.q, "i2": 100 * max(0.0, 1 - (k - 1) / fit.q) if fit.q else 0.0,
        }  # fmt: skip
        if k > 1:
            values["q_p"] = float(sum(outward.chi2_tail(Decimal(fit.q), k - 1)) / 2)
        values |= {"k": k, "n": sum(each.how_many * (each.n1 + each.n2) for each in trials), "trials": tuple(tuple(each) for each in trials)}
        return values if all(numbers[name].contains(values[name]) for name in numbers) else None

    def _told(self, numbers: Numbers, found: Mapping[str, Any]) -> str:
        """The pool that prints the numbers, in a sentence."""
        arms = sorted(people for _, n1, n2, _ in found["trials"] for people in (n1, n2))
        effects = sorted(g for *_, g in found["trials"])
        least = None if "n" in numbers else self.people_needed(numbers)
        few = f"; fewer than {least} people are too few" if least else ""
        if found["k"] == 1:
            return f"Every number prints for one trial with arms of {arms[0]} and {arms[1]} people and an effect of {effects[0]:.3g}{few}."
        return f"Every number prints for {found['k']} trials, {found['n']} people in arms of {arms[0]} to {arms[-1]}, with effects from {effects[0]:.3g} to {effects[-1]:.3g}{few}."

    def _apart(self, numbers: Numbers) -> Decision:
        """The verdicts on interval and heterogeneity, each by itself, where no pool is built."""
        wald, spread = _renamed(numbers, _WALD), _renamed(numbers, _SPREAD)
        witness: dict[str, Any] = {}
        decisions = [self.wald.decide(wald)]
        if set(spread) - {"k"} and _trials(numbers) != 1:
            decisions.append(heterogeneity.decide(spread))
        for decision, names in zip(decisions, (_WALD, _SPREAD)):
            witness |= {name: decision.witness[old] for name, old in names.items() if old in decision.witness}
        verdict = UNDECIDED if any(each.verdict == UNDECIDED for each in decisions) else POSSIBLE
        return Decision(verdict, " ".join(each.proof for each in decisions), witness if verdict == POSSIBLE else {})


def _possible_trials(numbers: Numbers) -> list[int]:
    """A few numbers of trials, spread over those that the heterogeneity printed allows."""
    spread = _renamed(numbers, _SPREAD)
    if not spread:
        return [2]
    found = [k for k in _OTHERS if heterogeneity.decide({**spread, "k": parse(str(k))}).verdict != CONTRADICTORY]
    return sorted({found[place * (len(found) - 1) // 3] for place in range(4)}) if found else []


def _alone(numbers: Numbers) -> str | None:
    """What one trial cannot print of heterogeneity, in a sentence."""
    for name in ("chi2", "i2"):
        if name in numbers and not numbers[name].contains(0):
            return f"One trial has a Q and an I² of 0, which does not print as {numbers[name].text}."
    return "One trial has no test of heterogeneity." if "q_p" in numbers else None


def _q_range(numbers: Numbers, k: int) -> tuple[tuple[Fraction, Fraction | None], Fraction]:
    """The certain ends of Q, its upper one None if open, and the least Q/df, at least 1."""
    df = max(k - 1, 0)
    low, high, *_ = heterogeneity.q_interval(_renamed(numbers, _SPREAD), df)
    if "q_p" in numbers and df:
        lower, upper, *_ = numbers["q_p"].interval()
        if upper is not None and upper < 1:
            low = max(low, _chi2_quantile(upper, df)[0])
        if lower is not None and lower > 0:
            most = _chi2_quantile(lower, df)[1]
            high = most if high is None else min(high, most)
    share = numbers["i2"].interval().lo if "i2" in numbers else None
    h2 = max(low / df if df else 1, 1 / (1 - Fraction(share) / 100) if share and 0 < share < 100 else 1, Fraction(1))
    return (low, high), Fraction(h2)


@lru_cache(maxsize=1024)
def _chi2_quantile(tail: Decimal, df: int) -> tuple[Fraction, Fraction]:
    """The enclosure of the value that a chi-squared variable exceeds with probability `tail`, 0 < tail < 1.

    Newton's method guesses it, from Wilson and Hilferty's (1931) approximation, and the bounds on the tail at both ends prove it.
    """
    z = float(sum(outward.normal_quantile(min(tail, 1 - tail))) / 2) if tail != Decimal("0.5") else 0.0
    spread = 2 / (9 * df)
    x = df * max(1e-3, 1 - spread + (z if tail < Decimal("0.5") else -z) * math.sqrt(spread)) ** 3
    for _ in range(20):
        density = math.exp((df / 2 - 1) * math.log(x) - x / 2 - df / 2 * math.log(2) - math.lgamma(df / 2))
        step = float(outward.chi2_tail(Decimal(x), df)[0] - tail) / density if density else 0.0
        x = max(x / 4, x + step)
        if abs(step) < 1e-9 * x:
            break
    low, high = Decimal(x * (1 - 1e-8)), Decimal(x * (1 + 1e-8))
    while low > 0 and outward.chi2_tail(low, df)[0] < tail:
        low = low / 2 if low > Decimal("1e-9") else Decimal(0)
    while outward.chi2_tail(high, df)[1] > tail:
        high *= 2
    return Fraction(low), Fraction(high)


def _ranges(numbers: Numbers, tail: Decimal) -> dict[str, Range]:
    """Name → what its value lies between, as floats; a p value as the range of |est|/se, named "z"."""
    ranges = {name: _limits(numbers[name]) for name in ("est", "lo", "hi", "se") if name in numbers}
    if "p" in numbers:
        lower, upper, *_ = numbers["p"].interval()
        far = outward.normal_quantile(lower / 2)[1] if lower is not None and lower > 0 else math.inf
        near = outward.normal_quantile(upper / 2)[0] if upper is not None and upper < 1 else 0
        ranges["z"] = float(near), float(far)
    return ranges


def _limits(number: Printed | None) -> Range:
    lower, upper, *_ = number.interval() if number else (None, None)
    return -math.inf if lower is None else float(lower), math.inf if upper is None else float(upper)


def _renamed(numbers: Numbers, names: Mapping[str, str]) -> dict[str, Printed]:
    return {new: numbers[name] for name, new in names.items() if name in numbers}


def _number_of_trials(numbers: Numbers) -> None:
    """Raise ValueError where k is printed and no whole number from 1."""
    if "k" in numbers and (numbers["k"].relation != "=" or numbers["k"].value < 1 or numbers["k"].value % 1):
        raise ValueError(f"k {numbers['k'].text!r} is no number of trials: give a whole number from 1")


def _trials(numbers: Numbers) -> int:
    return int(numbers["k"].value) if "k" in numbers else 0


def _exactly(number: Printed) -> bool:
    return number.relation == "=" and number.decimals == 0


def _fewest(number: Printed | None) -> int:
    """The smallest whole number that prints so; 0 where there is no end, or no number."""
    lower, _, closed, _ = number.interval() if number else (None, None, False, False)
    return 0 if lower is None else math.ceil(lower) if closed or lower % 1 else math.floor(lower) + 1


def _most(number: Printed | None) -> int | None:
    """The largest whole number that prints so; None where there is no end, or no number."""
    if number is None:
        return None
    _, upper, _, closed = number.interval()
    return None if upper is None else math.floor(upper) if closed or upper % 1 else math.floor(upper) - 1
