"""A hazard ratio against its number of events: the most that so many events can tell.

In a Cox fit, the information on the coefficient of an arm coded 0 and 1 is a sum with one term an event: the variance of
the arm of one person drawn from those at risk, each weighted by their fitted hazard. If a share π of the weight is in one
arm, that is π(1 − π) ≤ ¼. So the information is at most a quarter of the events D, and SE ≥ 2/√D.

- Covariates only lower it: the variance of a coefficient is at least the inverse of its own diagonal entry, which is the sum
  above with other weights. Strata, late entry and time-dependent arms change who is at risk, not the bound.
- Ties: Breslow's terms are the same; Efron's are variances with other weights; in the exact partial likelihood d tied events
  contribute the variance of a noncentral hypergeometric count, a sum of at most d independent indicators (Vatutin and
  Mikhailov 1982): at most d/4. Averaging the likelihood over the orders of ties only takes information away.
- It does not hold for robust (sandwich), weighted, penalised or frailty fits, nor for events counted more than once.

The bound refutes. That it allows numbers does not show that some data give them.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from asprinted.consistency import conflict, outward
from asprinted.consistency.conflict import Finding, Text
from asprinted.consistency.triples import Wald
from asprinted.printed import Printed, parse

COVARIANCES = ("model-based", "robust")


def hazard_ratio(
    estimate: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None, events: Text | None = None,
    covariance: str = "model-based", level: float = 0.95, se: Text | None = None, question: str = "",
) -> Finding:  # fmt: skip
    """Whether a Cox fit of a binary arm, with so many events, prints the numbers; `se` is that of the logarithm.

    With covariance "robust" nothing follows from the events, and they take no part. Raises ValueError where a text cannot
    be read, or covariance or level are unknown.
    """
    if covariance not in COVARIANCES:
        raise ValueError(f"covariance {covariance!r} is unknown: use one of {', '.join(COVARIANCES)}")
    numbers = conflict.read(estimate=estimate, lo=lo, hi=hi, se=se, p=p, events=events if covariance == "model-based" else None)
    wald = _cox(level)
    names = conflict.and_list(numbers) if numbers else "nothing"
    return conflict.finding(question or f"Can a Cox fit of two arms, its variance {covariance}, print {names}?", numbers, wald.decide, wald.impossible)


def events_needed(
    estimate: Text | None = None, lo: Text | None = None, hi: Text | None = None, p: Text | None = None,
    level: float = 0.95, se: Text | None = None,
) -> int:  # fmt: skip
    """The least number of events with which the information bound lets the numbers print.

    Raises ValueError where they cannot print with any number of events, or where they set no upper bound on the SE.
    """
    numbers = conflict.read(estimate=estimate, lo=lo, hi=hi, se=se, p=p)
    wald = _cox(level)
    most = wald.feasible(numbers).se[1]
    if most == math.inf:
        given = conflict.and_list(numbers) if numbers else "nothing"
        raise ValueError(f"{given} allows any standard error, so any number of events: give the interval, or estimate and p")
    events = math.ceil(4 / Fraction(most) ** 2)
    while wald.impossible({**numbers, "events": parse(str(events))}):
        events += 1
    return events


def least_se(events: int) -> tuple[float, float]:
    """The enclosure of 2/√events, the least model-based SE of a log hazard ratio. Raises ValueError unless events ≥ 1."""
    if events < 1:
        raise ValueError(f"{events} events give no standard error: give at least 1")
    low, high = _floor(events)
    return math.nextafter(float(low), 0), math.nextafter(float(high), math.inf)


def _cox(level: float) -> Wald:
    return Wald("log", level, floors={"events": _least_se_of})


def _floor(events: int) -> outward.Enclosure:
    return outward.divide((Decimal(2),) * 2, outward.sqrt((Decimal(events),) * 2))


def _least_se_of(number: Printed) -> outward.Enclosure:
    """The least SE with the largest whole number that prints as `number`; without limit where none ends it."""
    _, upper, _, closed = number.interval()
    if upper is None:
        return outward.ZERO, outward.ZERO
    most = math.floor(upper) if closed or upper % 1 else math.floor(upper) - 1
    return _floor(most) if most >= 1 else (Decimal("1e9"),) * 2
