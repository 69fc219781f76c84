"""Scores of simulated trials: a mean and SD with a t test, ANCOVA, change, median and rank sum, correlation; mixed models where there are visits."""

from __future__ import annotations

import numpy as np

from tests.asprinted.kinds.paper import ARM, CIRCLE, PRACTICE, VISIT, Paper

SPREADS = (("mean", "sd"), ("mean", "se"), ("mean", "lo", "hi"))  # how journals print a mean


def described(paper: Paper, column: str, statistics: tuple[str, ...], style: str = "0.0", last: bool = False) -> None:
    """Claims on a column in each arm, at each visit or the last."""
    for id, at in paper.last() if last else paper.each():
        for statistic in statistics:
            paper.of_table(f"{column}.{id}", column, statistic, "0.00" if statistic == "se" else style, at)


def robust(paper: Paper) -> dict[str, str]:
    """The fields of a model that allow for clusters or programme groups, where there are any."""
    named = PRACTICE if PRACTICE in paper.lots else CIRCLE if CIRCLE in paper.lots else None
    return {"covariance": "robust", "groups": named} if named else {}


def at_last(paper: Paper) -> dict:
    """The field of a model that uses the last visit alone, where there are visits."""
    return {"rows": {VISIT: paper.times[-1]}} if paper.visits else {}


def mixed(paper: Paper, name: str, formula: str, *, rows: list[int] | None = None, **fields) -> str:
    """A mixed model of visits, with an intercept of each person; one of least squares robust by practice where practices were randomised."""
    here = {"rows": {VISIT: rows or paper.times}} | fields
    if PRACTICE in paper.lots:
        return paper.model(name, "linear", formula=formula, pairs=False, **robust(paper), **here)
    return paper.model(name, "mixed", formula=formula, groups="id", estimator="REML", pairs=False, **here)


def score(paper: Paper) -> None:
    """A continuous score: mean with SD, standard error or interval; Student's or Welch's t test; at visits a mixed model of all of them."""
    values = 50 + 10 * (paper.latent() + paper.effect(paper.rng.uniform(-0.1, 0.7)))
    paper.measured("calm", values, "number", decimals=1)
    spread = SPREADS[paper.seed % 3]
    fields = {"r": paper.assume("calm.r", "0.6")} if paper.visits else {}
    paper.made("calm", "score", **paper.seen("calm"), **fields, **({} if "sd" in spread else {"sd": paper.assume("calm.sd", "10")}))
    described(paper, "calm", spread)
    if paper.visits:
        last = {VISIT: paper.times[-1]}
        contrasts = {paper.against(arm): paper.difference(arm, last) for arm in paper.arms[1:]}
        paper.compared("calm", mixed(paper, "calm_over_time", "{outcome} ~ C(arm) * C(month)", contrasts=contrasts), "calm")
        return
    fields = robust(paper) or ({"test": "welch"} if paper.seed % 2 and len(paper.arms) == 2 else {"test": "t"})
    model = paper.model("calm_compared", "linear", formula="{outcome} ~ C(arm)", **fields)
    paper.compared("calm", model, "calm", ("est", "lo", "hi", "p") if paper.seed % 4 else ("t", "p"))
    if len(paper.arms) > 2:
        paper.of_model("calm.all", model, "calm", ("f", "joint_p"), [paper.against(arm) for arm in paper.arms[1:]])


def whole_score(paper: Paper) -> None:
    """A questionnaire of whole numbers between bounds, compared with its baseline in the model."""
    rng = paper.rng
    fields = {"type": "integer", "minimum": 0, "maximum": 27}
    if paper.visits:
        paper.measured("mood", np.clip(np.rint(13 + 5 * (paper.latent() - paper.effect(rng.uniform(0, 0.7)))), 0, 27), **fields)
        paper.made("mood", "score", r=paper.assume("mood.r", "0.6"))
        described(paper, "mood", ("mean", "sd"))
        after = paper.times[1:]
        contrasts = {f"{paper.against(arm)}_{time}": paper.difference(arm, {VISIT: time}) for arm in paper.arms[1:] for time in after}
        model = mixed(paper, "mood_adjusted", "{outcome} ~ baseline + C(arm) * C(month)", rows=after, baseline={"column": VISIT, "value": 0}, contrasts=contrasts)
        for name in contrasts:
            paper.of_model(f"mood.{name}", model, "mood", ("est", "lo", "hi", "p"), name)
        paper.first = paper.first if paper.first[0] else ("mood", model)
        return
    own, now = rng.standard_normal(len(paper.arm)), paper.latent(0.0)[:, 0] - paper.effect(rng.uniform(0, 0.7))[:, 0]
    paper.column(paper.table, "mood_start", np.clip(np.rint(14 + 5 * own), 0, 27), required=True, **fields)
    paper.measured("mood", np.clip(np.rint(11 + 5 * (0.6 * own + 0.8 * now)), 0, 27), **fields)
    paper.made("mood_start", "score")
    paper.made("mood", "score", **paper.seen("mood"), follows={"mood_start": paper.assume("mood.r", "0.6")})
    described(paper, "mood_start", ("mean", "sd"))
    described(paper, "mood", ("mean", "sd"))
    paper.compared("mood", paper.model("mood_adjusted", "linear", formula="{outcome} ~ C(arm) + mood_start", test="t", **robust(paper)), "mood")


def change(paper: Paper) -> None:
    """Change since the start: a column of its own, or the change within each arm where there are visits."""
    rng = paper.rng
    if paper.visits:
        paper.measured("trust", np.clip(np.rint(30 + 6 * (paper.latent() + paper.effect(rng.uniform(0, 0.7)))), 0, 60), "integer", minimum=0, maximum=60)
        paper.made("trust", "score", r=paper.assume("trust.r", "0.6"), sd=paper.assume("trust.sd", "6"))
        described(paper, "trust", ("mean",))
        first, last = paper.times[0], paper.times[-1]
        within = {arm: [{"weight": weight, "at": {ARM: arm, VISIT: time}} for weight, time in ((1, last), (-1, first))] for arm in paper.arms}
        usual = [{**term, "weight": -term["weight"]} for term in within[paper.arms[0]]]
        contrasts = {f"within_{number}": terms for number, terms in enumerate(within.values())}
        contrasts |= {paper.against(arm): within[arm] + usual for arm in paper.arms[1:]}
        model = mixed(paper, "trust_change", "{outcome} ~ C(arm) * C(month)", contrasts=contrasts)
        for number in range(len(paper.arms)):
            paper.of_model(f"trust.within_{number}", model, "trust", ("est", "lo", "hi"), f"within_{number}")
        paper.compared("trust", model, "trust", ("p",))
        return
    own = rng.standard_normal(len(paper.arm))
    paper.column(paper.table, "trust_start", np.clip(np.rint(30 + 6 * own), 0, 60), "integer", minimum=0, maximum=60, required=True)
    moved = 6 * (-0.4 * own + 0.8 * paper.latent(0.0)[:, 0] + paper.effect(rng.uniform(0, 0.7))[:, 0])
    paper.measured("trust_change", np.clip(np.rint(moved), -30, 30), "integer", minimum=-30, maximum=30)
    paper.made("trust_start", "score")
    paper.made("trust_change", "score", **paper.seen("trust_change"), follows={"trust_start": paper.assume("trust.r", "-0.4")})
    described(paper, "trust_start", ("mean", "sd"))
    described(paper, "trust_change", ("mean", "sd"), "0.00")
    paper.compared("trust_change", paper.model("trust_adjusted", "linear", formula="{outcome} ~ C(arm) + trust_start", test="t", **robust(paper)), "trust_change")


def median(paper: Paper) -> None:
    """A skewed score: median and quartiles, compared by ranks."""
    values = np.minimum(np.rint(np.exp(3.4 + 0.7 * (paper.latent() + paper.effect(paper.rng.uniform(0, 0.6))))), 480)
    paper.measured("minutes", values, "integer", minimum=0, maximum=480)
    start = {field: paper.assume(f"minutes.{field}", value) for field, value in (("mean", "40"), ("sd", "30"), ("skewness", "1.5"))}
    paper.made("minutes", "score", **paper.seen("minutes"), **start, **({"r": paper.assume("minutes.r", "0.5")} if paper.visits else {}))
    described(paper, "minutes", ("median", "q1", "q3") if paper.seed % 2 else ("median", "iqr"))
    paper.of_model("minutes.ranks", paper.model("minutes_ranked", "rank-sum", formula="{outcome} ~ arm", pairs=False, **at_last(paper)), "minutes", ("p",))


def correlation(paper: Paper) -> None:
    """Two scores and the correlation between them."""
    own = paper.latent()
    paper.measured("sleep", 20 + 4 * own, "number", decimals=1)
    paper.measured("energy", 40 + 8 * (0.4 * own + 0.9 * paper.latent()), "number", decimals=1)
    r = {"r": paper.assume("sleep.r", "0.5")} if paper.visits else {}
    paper.made("sleep", "score", **paper.seen("sleep"), **r)
    paper.made("energy", "score", **paper.seen("energy"), **r, follows={"sleep": paper.assume("energy.follows", "0.4")})
    for column in ("sleep", "energy"):
        described(paper, column, ("mean", "sd"))
    test = "spearman" if paper.seed % 2 else "pearson"
    model = paper.model("sleep_and_energy", "correlation", formula="{outcome} ~ sleep", test=test, pairs=False, **at_last(paper))
    paper.of_model("energy.sleep", model, "energy", ("est", "p") if paper.seed % 2 else ("est", "lo", "hi"))
