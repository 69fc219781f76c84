"""Answers, counts and times of simulated trials: yes or no, categories in order and without, counts and rates, times to an event."""

from __future__ import annotations

import numpy as np
from scipy import special

from tests.asprinted.kinds.paper import ARM, CIRCLE, PEOPLE, PRACTICE, SHORT, VISIT, Paper
from tests.asprinted.kinds.people import covariates
from tests.asprinted.kinds.scores import at_last, robust

GRADES = (0.12, 0.24, 0.3, 0.22, 0.12)  # shares of the answers 1 to 5
PLACES = ("home", "hostel", "ward")


def _answer(paper: Paper, column: str, share: float, size: float) -> None:
    """A column of yes and no, with its counts and per cents."""
    paper.measured(column, (paper.latent() + paper.effect(size) > -special.ndtri(share)).astype(float), "integer", values=[0, 1])
    paper.made(column, "yes-no", **paper.seen(column), **({"r": paper.assume(f"{column}.r", "0.5")} if paper.visits else {}))
    for id, at in paper.each():
        for statistic, style in (("sum", "0"), ("percent", "0.0%")):
            paper.of_table(f"{column}.{id}", column, statistic, style, at)


def _gee(paper: Paper, name: str, covariates: str = "") -> str:
    """A logistic model robust by practice, else by person where there are visits, else by programme group."""
    at = {VISIT: paper.times[-1]} if paper.visits else {}
    arms = "C(arm) * C(month)" if paper.visits else "C(arm)"
    groups = PRACTICE if PRACTICE in paper.lots else "id" if paper.visits else CIRCLE
    contrasts = {paper.against(arm): paper.difference(arm, at) for arm in paper.arms[1:]}
    return paper.model(name, "gee-logistic", formula=f"{{outcome}} ~ {arms}{covariates}", groups=groups, pairs=False, contrasts=contrasts)


def yes_no(paper: Paper) -> None:
    """Yes or no: counts and per cents; a risk ratio, a risk difference with the number needed to treat, or an odds ratio."""
    _answer(paper, "working", paper.rng.uniform(0.25, 0.5), paper.rng.uniform(-0.1, 0.6))
    if paper.lots or paper.visits:
        paper.compared("working", _gee(paper, "working_odds"), "working")
        return
    family = ("risk-ratio", "risk-difference", "logistic")[paper.seed % 3]
    model = paper.model("working_compared", family, **({"formula": "{outcome} ~ C(arm)"} if family == "logistic" else {}))
    style = dict.fromkeys(("est", "lo", "hi"), "0.0") if family == "risk-difference" else {}
    paper.compared("working", model, "working", ("est", "lo", "hi", "nnt") if family == "risk-difference" else ("est", "lo", "hi", "p"), **style, nnt="0.0")


def adjusted(paper: Paper) -> None:
    """Yes or no, adjusted for age and sex: an odds ratio, or a risk ratio by robust Poisson regression."""
    covariates(paper)
    _answer(paper, "housed", paper.rng.uniform(0.4, 0.6), paper.rng.uniform(-0.1, 0.6))
    if paper.lots or paper.visits:
        model = _gee(paper, "housed_odds", " + age + woman")
    elif paper.seed % 2:
        model = paper.model("housed_risk", "poisson", formula="{outcome} ~ C(arm) + age + woman", covariance="robust")
    else:
        model = paper.model("housed_odds", "logistic", formula="{outcome} ~ C(arm) + age + woman")
    paper.compared("housed", model, "housed")


def count(paper: Paper) -> None:
    """A count: totals with means, or with time at risk and rates; and a ratio of rates."""
    rate = 1.6 * np.exp(0.6 * paper.latent() - paper.effect(paper.rng.uniform(0, 0.4)))
    exposed, fields = bool(paper.seed % 2) and not paper.visits, {}
    if exposed:
        years = np.round(paper.rng.uniform(0.5, 2.0, len(paper.arm)), 2)
        paper.column(PEOPLE, "years", years, "number", decimals=2, minimum=0.25, maximum=2.5, required=True)
        paper.made("years", "score", sd=paper.assume("years.sd", "0.4"))
        for arm in paper.arms:
            paper.of_table(f"years.{SHORT[arm]}", "years", "sum", "0.0", {ARM: arm}, PEOPLE)
        rate, fields = rate * years[:, None], {"exposure": "years"}
        paper.column(PEOPLE, "contacts", paper.rng.poisson(rate[:, 0]), "integer", minimum=0, required=True)
    else:
        paper.measured("contacts", paper.rng.poisson(rate).astype(float), "integer", minimum=0)
    spread = {"spread": paper.assume("contacts.spread", "0.6")}
    paper.made("contacts", "count", **({} if exposed else paper.seen("contacts")), **spread, **fields, **({"r": paper.assume("contacts.r", "0.4")} if paper.visits else {}))
    for id, at in paper.each():
        paper.of_table(f"contacts.{id}", "contacts", "sum", "0", at)
        if exposed:
            paper.of_table(f"contacts.{id}", "contacts", "rate", "0.00", at, **fields)
        else:
            for statistic in ("mean", "sd"):
                paper.of_table(f"contacts.{id}", "contacts", statistic, "0.00", at)
    lots = robust(paper) or {"covariance": "robust"} | ({"groups": "id"} if paper.visits else {})
    contrasts = {paper.against(arm): paper.difference(arm, {VISIT: paper.times[-1]}) for arm in paper.arms[1:]} if paper.visits else {}
    formula = "{outcome} ~ C(arm) * C(month)" if paper.visits else "{outcome} ~ C(arm)"
    crude = not paper.lots and not paper.visits and paper.seed % 3 == 0
    family, lots = ("negative-binomial", {}) if crude else ("poisson", lots)
    model = paper.model("contacts_ratio", family, formula=formula, **fields, **lots, contrasts=contrasts)
    paper.compared("contacts", model, "contacts")


def ordinal(paper: Paper) -> None:
    """Answers from 1 to 5: per cents, and a common odds ratio."""
    cuts = special.ndtri(np.cumsum(GRADES[:-1]))
    paper.measured("rating", 1.0 + np.searchsorted(cuts, paper.latent() + paper.effect(paper.rng.uniform(0, 0.6))), "integer", values=[1, 2, 3, 4, 5])
    shares = paper.assume("rating.shares", {str(grade): str(share) for grade, share in enumerate(GRADES, 1)})
    paper.made("rating", "ordinal", **paper.seen("rating"), shares=shares, **({"r": paper.assume("rating.r", "0.5")} if paper.visits else {}))
    for id, at in paper.last():
        for grade in range(1, 6):
            paper.of_table(f"rating.{id}_{grade}", "rating", "percent_equal", "0.0%", at, equals=grade)
    paper.compared("rating", paper.model("rating_odds", "ordinal", formula="{outcome} ~ C(arm)", **at_last(paper)), "rating")


def category(paper: Paper) -> None:
    """Categories without order: counts or per cents, and a chi-squared test."""
    drawn = np.searchsorted((0.5, 0.8), special.ndtr(paper.latent() - paper.effect(paper.rng.uniform(0, 0.4))))
    names = np.where(paper.there, np.array(PLACES, dtype=object)[drawn], None)
    paper.column(paper.table, "place", np.ravel(names), "string", values=list(PLACES))
    seen = {} if paper.visits else {"seen": {arm: int(((paper.arm == arm) & paper.there[:, 0]).sum()) for arm in paper.arms}}
    shares = paper.assume("place.shares", dict(zip(PLACES, ("0.5", "0.3", "0.2"), strict=True)))
    paper.made("place", "category", **seen, shares=shares)
    for id, at in paper.last():
        for number, place in enumerate(PLACES):
            if paper.seed % 2:
                paper.of_table(f"place.{id}_{number}", "", "count", "0", at | {"place": place})
            else:
                paper.of_table(f"place.{id}_{number}", "place", "percent_equal", "0.0%", at, equals=place)
    model = paper.model("place_compared", "chi-squared", formula="{outcome} ~ arm", pairs=False, **at_last(paper))
    paper.of_model("place.compared", model, "place", ("chi2", "p"))


def time(paper: Paper) -> None:
    """Days to an event: how many had it, a hazard ratio, and in most papers the log-rank test, medians and survival at half a year."""
    n, rng = len(paper.arm), paper.rng
    hazard = np.exp(0.5 * paper.latent(0.0)[:, -1] - paper.effect(rng.uniform(0, 0.8))[:, -1])
    event_at, followed = np.ceil(rng.exponential(300 / hazard)), rng.integers(200, 366, n)
    days, event = np.minimum(event_at, followed), (event_at <= followed).astype(int)
    paper.column(PEOPLE, "days", days, "integer", minimum=0, maximum=365, required=True)
    paper.column(PEOPLE, "returned", event, "integer", values=[0, 1], required=True)
    share = {arm: paper.assume(f"returned.{SHORT[arm]}_share", "0.5") for arm in paper.arms} if paper.seed % 3 == 2 else {}
    paper.made("days", "time", event="returned", follow_up=[200, 365], **({"share": share} if share else {}))
    for arm in paper.arms:
        id, at = f"returned.{SHORT[arm]}", {ARM: arm}
        if not share:
            paper.of_table(id, "returned", "sum", "0", at, PEOPLE)
            paper.of_table(id, "returned", "percent", "0.0%", at, PEOPLE)
        if paper.seed % 2:
            paper.of_table(id, "days", "survival", "0.0%", at, PEOPLE, event="returned", at=180)
        elif _halved(days, event, paper.arm == arm):
            paper.of_table(id, "days", "survival_median", "0", at, PEOPLE, event="returned")
    clustered = {"ties": "breslow", **robust(paper)} if paper.lots else {}
    paper.compared("returned", paper.model("hazards", "cox", table=PEOPLE, formula="{outcome} ~ C(arm)", time="days", **clustered), "returned")
    if not paper.lots:
        model = paper.model("curves", "log-rank", table=PEOPLE, formula="{outcome} ~ arm", time="days", pairs=False)
        paper.of_model("returned.curves", model, "returned", ("p",))


def _halved(days: np.ndarray, event: np.ndarray, rows: np.ndarray) -> bool:
    """Whether the survival curve of these people, by Kaplan and Meier, falls below a half."""
    order = np.argsort(days[rows], kind="stable")
    at_risk = np.arange(rows.sum(), 0, -1)
    return bool(np.prod(1 - event[rows][order] / at_risk) < 0.5)
