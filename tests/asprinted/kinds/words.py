"""What simulated trials say about their first comparison beside its numbers: in subgroups, in words, as inequalities."""

from __future__ import annotations

from tests.asprinted.kinds.paper import ARM, PEOPLE, SHORT, Paper
from tests.asprinted.kinds.scores import at_last, robust

_INSIDE = {"mixed": "linear", "risk-ratio": "logistic", "risk-difference": "logistic", "gee-logistic": "logistic"}  # what a subgroup is analysed by
_DIFFERENCES = ("mixed", "linear", "risk-difference")


def subgroups(paper: Paper) -> None:
    """The main comparison in women and in men, with the people of each arm who are in it, and the p value of the interaction."""
    outcome, name = paper.first
    main = paper.data["models"][name]
    family = _INSIDE.get(main["family"], main["family"])
    fields = {field: main[field] for field in ("time", "ties", "exposure", "covariance", "groups") if field in main and family != "linear"}
    if family in ("linear", "logistic"):
        fields = robust(paper)
    at = at_last(paper) if main["table"] != PEOPLE else {}
    arm = paper.arms[-1]
    inside = {sex: paper.difference(arm, {"woman": sex}) for sex in (0, 1)}
    other = [{**term, "weight": -term["weight"]} for term in inside[0]]
    contrasts = {"men": inside[0], "women": inside[1], "interaction": inside[1] + other}
    model = paper.model("subgroups", family, table=main["table"], pairs=False, formula="{outcome} ~ C(arm) * C(woman)", contrasts=contrasts, **fields, **at)
    for woman, sex in enumerate(("men", "women")):
        for id, rows in paper.last() if main["table"] != PEOPLE else [(SHORT[arm], {ARM: arm}) for arm in paper.arms]:
            paper.of_table(f"{outcome}.{id}.{sex}", outcome, "observed", "0", rows | {"woman": woman}, main["table"])
        paper.of_model(f"{outcome}.{sex}", model, outcome, ("est", "lo", "hi"), sex)
    paper.of_model(f"{outcome}.interaction", model, outcome, ("p",), "interaction")


def words(paper: Paper) -> None:
    """The number of arms as a word, the direction and the significance of the main comparison, and its p value as an inequality."""
    outcome, name = paper.first
    by = {"model": name, "outcome": outcome, "contrast": paper.against(paper.arms[-1])}
    null = 0.0 if paper.data["models"][name]["family"] in _DIFFERENCES else 1.0
    paper.claim("arms.number", {"table": PEOPLE, "column": ARM, "statistic": "distinct"}, "0", kind="number", printed=("zero", "one", "two", "three")[len(paper.arms)])
    above, small = paper.computed(by | {"statistic": "est"}) > null, paper.computed(by | {"statistic": "p"}) < 0.05
    why = {"reason": "It is how such words are usually read."}
    paper.claim(f"{outcome}.direction", by | {"statistic": "est"}, "", kind="direction", declared=f"{'>' if above else '<'}{null:g}", **why)
    paper.claim(f"{outcome}.significance", by | {"statistic": "p"}, "", kind="words", declared="<0.05" if small else ">=0.05", **why)
    paper.claim(f"{outcome}.compared", by | {"statistic": "p"}, "", kind="inequality", printed="p < .05" if small else "p > .05")
