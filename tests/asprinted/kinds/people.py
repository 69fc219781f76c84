"""Designs of simulated trials: arms, clusters, programme groups, visits with losses; covariates and the baseline table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.asprinted.kinds.paper import ARM, CIRCLE, PEOPLE, PRACTICE, SHORT, VISIT, VISITS, Paper

LIVES = ("alone", "with family", "with others")


def people(paper: Paper) -> None:
    """The table of people: arms, and clusters, groups and visits where the paper has them."""
    rng = paper.rng
    paper.arms = ["usual care", "peer"] if "arms" not in paper.kinds else ["usual care", "leaflet", "peer"]
    sizes = {arm: int(size) for arm, size in zip(paper.arms, rng.integers(int(0.8 * paper.size), int(1.2 * paper.size) + 1, len(paper.arms)), strict=True)}
    paper.arm = np.repeat(np.array(paper.arms, dtype=object), list(sizes.values()))
    n = len(paper.arm)
    paper.column(PEOPLE, "id", [f"synthetic-{number:03d}" for number in range(1, n + 1)], "string", required=True)
    paper.column(PEOPLE, ARM, paper.arm, "string", values=paper.arms, required=True)
    claims = {arm: paper.of_table(f"randomised.{SHORT[arm]}", "", "count", "0", {ARM: arm}, PEOPLE) for arm in paper.arms}
    design = paper.data["design"]["people"] = {"table": PEOPLE, "arms": {"column": ARM, "sizes": claims}}
    if "clusters" in paper.kinds:
        design["clusters"] = _clusters(paper)
    if "groups" in paper.kinds:
        design["groups"] = _groups(paper)
    paper.there = rng.random((n, 1)) < 0.92
    if "visits" in paper.kinds:
        _visits(paper)


def _clusters(paper: Paper) -> dict:
    """Five to eight practices an arm, of uneven size."""
    codes, number = np.zeros(len(paper.arm), dtype=int), {}
    for arm in paper.arms:
        members, count = np.flatnonzero(paper.arm == arm), int(paper.rng.integers(5, 9))
        shares = np.exp(0.2 * paper.rng.standard_normal(count))
        drawn = np.r_[np.arange(count), paper.rng.choice(count, len(members) - count, p=shares / shares.sum())]  # none is empty
        codes[members] = codes.max() + (1 if codes.any() else 0) + np.sort(drawn)
        number[arm] = paper.of_table(f"practices.{SHORT[arm]}", PRACTICE, "distinct", "0", {ARM: arm}, PEOPLE)
    paper.lots[PRACTICE] = codes
    paper.column(PEOPLE, PRACTICE, [f"practice-{code:02d}" for code in codes], "string", required=True)
    return {"column": PRACTICE, "number": number, "spread": paper.assume("practices.spread", "0.2")}


def _groups(paper: Paper) -> dict:
    """Programme groups in the last arm, of as many people as they are printed to have."""
    arm, codes = paper.arms[-1], np.full(len(paper.arm), -1)
    members = np.flatnonzero(paper.arm == arm)
    sizes = [len(part) for part in np.array_split(members, round(len(members) / 7))]
    sizes[0], sizes[-1] = sizes[0] + 1, sizes[-1] - 1
    codes[members] = np.repeat(np.arange(len(sizes)), sizes)
    paper.lots[CIRCLE] = codes
    paper.column(PEOPLE, CIRCLE, [None if code < 0 else f"circle-{code:02d}" for code in codes], "string")
    ends = {end: paper.of_table("circles", CIRCLE, f"{end}_count", "0", {ARM: arm}, PEOPLE) for end in ("smallest", "largest")}
    return {"column": CIRCLE, "arm": arm, **ends}


def _visits(paper: Paper) -> None:
    """Three visits; a tenth of those seen is lost before each, a few of the lost come back."""
    paper.times = [0, 3, 12]
    n = len(paper.arm)
    seen = [np.ones(n, dtype=bool)]
    for _ in paper.times[1:]:
        draw = paper.rng.random(n)
        seen.append(np.where(seen[-1], draw < 0.9, draw < 0.1))
    paper.there = np.column_stack(seen)
    frame = pd.DataFrame({"id": np.repeat(paper.frames[PEOPLE]["id"].to_numpy(), 3), VISIT: np.tile(paper.times, n)})
    paper.column(VISITS, "id", frame["id"], "string", required=True)
    paper.column(VISITS, VISIT, frame[VISIT], "integer", values=paper.times, required=True)
    paper.data["tables"][VISITS] |= {"key": ["id", VISIT], "parent": PEOPLE}
    paper.data["design"]["visits"] = {"table": VISITS, "column": VISIT, "times": paper.times}


def losses(paper: Paper) -> None:
    """How many are seen at each visit, printed of the first outcome there."""
    if paper.visits:
        columns = paper.data["tables"][VISITS]["columns"]
        column = next(name for name in columns if name not in ("id", VISIT))
        seen = {(id, at[ARM]): paper.of_table(f"seen.{id}", column, "observed", "0", at) for id, at in paper.each()}
        paper.of_table("seen.last", column, "percent_observed", "0%", {VISIT: paper.times[-1]})
        paper.data["design"]["visits"]["seen"] = {arm: [claim for (_, of), claim in seen.items() if of == arm] for arm in paper.arms}


def covariates(paper: Paper) -> None:
    """Age and sex, which are drawn unless they are printed: both by a baseline table, how many women an arm has where there are subgroups of them."""
    if "age" in paper.frames[PEOPLE]:
        return
    n = len(paper.arm)
    paper.column(PEOPLE, "age", np.clip(np.rint(paper.rng.normal(46, 12, n)), 18, 80), "integer", minimum=18, maximum=80, required=True)
    paper.column(PEOPLE, "woman", (paper.rng.random(n) < 0.55).astype(int), "integer", values=[0, 1], required=True)
    if "baseline" in paper.kinds:
        return
    drawn = [{"kind": "whole", "column": "age", "mean": paper.assume("age.mean", "46"), "sd": paper.assume("age.sd", "12")}]
    if "subgroups" in paper.kinds:
        paper.made("woman", "yes-no")
        for arm in paper.arms:
            paper.of_table(f"woman.{SHORT[arm]}", "woman", "sum", "0", {ARM: arm}, PEOPLE)
    else:
        drawn.append({"kind": "category", "column": "woman", "shares": paper.assume("woman.shares", {"0": "0.45", "1": "0.55"})})
    paper.data["design"]["people"]["covariates"] = drawn


def baseline(paper: Paper) -> None:
    """The baseline table: age as mean and SD, women as a count and per cent, whom people live with as per cents, and p values in some papers."""
    covariates(paper)
    lives = paper.rng.choice(np.array(LIVES, dtype=object), len(paper.arm), p=(0.4, 0.4, 0.2))
    paper.column(PEOPLE, "lives", lives, "string", values=list(LIVES), required=True)
    for column, kind, statistics in (("age", "score", ("mean", "sd")), ("woman", "yes-no", ("sum", "percent"))):
        paper.made(column, kind)
        for arm in paper.arms:
            for statistic in statistics:
                paper.of_table(f"{column}.{SHORT[arm]}", column, statistic, {"sum": "0", "percent": "0.0%"}.get(statistic, "0.0"), {ARM: arm}, PEOPLE)
    paper.made("lives", "category", shares=paper.assume("lives.shares", dict(zip(LIVES, ("0.4", "0.4", "0.2"), strict=True))))
    for arm in paper.arms:
        for number, value in enumerate(LIVES):
            paper.of_table(f"lives.{SHORT[arm]}_{number}", "lives", "percent_equal", "0.0%", {ARM: arm}, PEOPLE, equals=value)
    if paper.seed % 2:
        paper.of_model("age.compared", paper.model("age_compared", "linear", table=PEOPLE, formula="{outcome} ~ C(arm)"), "age", ("p",), paper.against(paper.arms[-1]))
        paper.of_model("lives.compared", paper.model("lives_compared", "chi-squared", table=PEOPLE, formula="{outcome} ~ arm", pairs=False), "lives", ("p",))
