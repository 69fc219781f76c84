"""A study file in the making: simulated people, the entries about them, and at the end what an abstract would print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from asprinted.printed import in_style
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study

PEOPLE, VISITS, ARM, VISIT, PRACTICE, CIRCLE = "participants", "visits", "arm", "month", "practice", "circle"
SHORT = {"usual care": "usual", "leaflet": "leaflet", "peer": "peer"}  # arm → its part of an id
STYLES = {"est": "0.00", "lo": "0.00", "hi": "0.00", "p": "p", "mean": "0.0", "sd": "0.0", "se": "0.00", "t": "0.00", "d": "0.00", "chi2": "0.00", "f": "0.00", "joint_p": "p"}


def text(value: float, style: str) -> str:
    """`value` as journals print it: in the style of a number such as "0.0%", or "p": three decimals, and an inequality where they would all be 0 or 9."""
    if style != "p":
        return in_style(value, style)
    return "<0.001" if value < 0.001 else ">0.999" if value > 0.999 else in_style(value, "0.000")


class Paper:
    """A simulated trial: its people and their values, and the study file that is written about them.

    arms: their names, usual care first. arm: (n,) each person's. times: the visits, one (0) where there are none. lots: name → (n,) codes of
    cluster, or of group, -1 for people in none. there: (n, visits) who is seen.
    """

    def __init__(self, kinds: Sequence[str], seed: int, size: int):
        self.kinds, self.seed, self.size = tuple(kinds), seed, size
        self.rng = np.random.default_rng([seed, *(sum(map(ord, kind)) for kind in self.kinds)])
        self.arms: list[str] = []
        self.arm = np.array([], dtype=object)
        self.times: list[int] = [0]
        self.lots: dict[str, np.ndarray] = {}
        self.there = np.ones((0, 1), dtype=bool)
        self.first: tuple[str, str] = ("", "")  # the first outcome's column, and the model that compares the arms in it
        self.frames: dict[str, pd.DataFrame] = {}
        self.styles: dict[str, str] = {}
        self.data: dict[str, Any] = {
            "schema": 1, "title": f"A simulated trial: {', '.join(self.kinds)}", "sources": [{"id": "paper", "reference": "Nobody. Nothing.", "read": "all of it"}],
            "tables": {}, "design": {}, "models": {}, "claims": {}, "assumptions": {},
        }  # fmt: skip

    @property
    def visits(self) -> bool:
        return len(self.times) > 1

    @property
    def table(self) -> str:
        """The table that outcomes stand in."""
        return VISITS if self.visits else PEOPLE

    def column(self, table: str, name: str, cells: Any, type: str, **fields: Any) -> None:
        """Add a column with its values to a table."""
        entry = self.data["tables"].setdefault(table, {"file": f"{table}.csv", "row": "one row", "key": ["id"], "columns": {}})
        entry["columns"][name] = {"type": type, "says": f"{name} of the row", "mark": "A"} | fields
        cells = pd.Series(cells)
        if type == "integer":
            cells = cells.astype("Int64" if cells.isna().any() else "int64")
        self.frames[table] = self.frames.get(table, pd.DataFrame()).assign(**{name: cells})

    def measured(self, name: str, cells: np.ndarray, type: str, **fields: Any) -> None:
        """Add an outcome with its values, (n,) or (n, visits); they are taken out where nobody is seen."""
        cells = np.where(self.there, np.reshape(cells, self.there.shape), np.nan)
        if type == "number":
            cells = np.round(cells, fields["decimals"])
        self.column(self.table, name, np.ravel(cells), type, **fields)

    def made(self, column: str, kind: str, **fields: Any) -> None:
        """Add an entry of design.outcomes; one that lies in clusters or groups has a share of its variance between them."""
        if self.lots:
            fields["icc"] = self.assume("between.lots", "0.05")
        self.data["design"].setdefault("outcomes", []).append({"column": column, "kind": kind, **fields})

    def model(self, name: str, family: str, *, table: str = "", pairs: bool = True, **fields: Any) -> str:
        """The name of a model that is added; with a contrast of every other arm against usual care where `pairs`."""
        entry = {"family": family, "says": f"{family}, as journals use it", "table": table or self.table} | fields
        if pairs:
            entry["contrasts"] = {self.against(arm): self.difference(arm) for arm in self.arms[1:]} | fields.get("contrasts", {})
        self.data["models"][name] = entry
        return name

    def against(self, arm: str) -> str:
        return f"{SHORT[arm]}_usual"

    def difference(self, arm: str, at: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The terms of an arm against usual care, at given values of other columns."""
        return [{"weight": weight, "at": {ARM: each} | dict(at or {})} for weight, each in ((1, arm), (-1, self.arms[0]))]

    def claim(self, id: str, by: Mapping[str, Any], style: str, **fields: Any) -> str:
        """The id of a claim that is added; its text is printed at the end in `style`. With `declared` it is of words."""
        self.data["claims"][id] = {"says": f"{id} of the trial", "mark": "P", "source": "paper", "where": "abstract", "by": dict(by)} | fields
        self.styles[id] = style
        return id

    def of_table(self, id: str, column: str, statistic: str, style: str, rows: Mapping[str, Any], table: str = "", **by: Any) -> str:
        asked = {"table": table or self.table, **({"column": column} if column else {}), "filter": dict(rows), "statistic": statistic, **by}
        return self.claim(f"{id}.{statistic}", asked, style)

    def of_model(self, id: str, model: str, outcome: str, statistics: Sequence[str], contrast: str | list[str] | None = None, **styles: str) -> None:
        """Claims on a model's statistics, each in its usual style or in that of `styles`."""
        asked = {"model": model, "outcome": outcome} | ({"contrast": contrast} if contrast else {})
        for statistic in statistics:
            self.claim(f"{id}.{statistic}", asked | {"statistic": statistic}, styles.get(statistic, STYLES.get(statistic, "0.00")))

    def compared(self, id: str, model: str, outcome: str, statistics: Sequence[str] = ("est", "lo", "hi", "p"), **styles: str) -> None:
        """Claims on every arm against usual care."""
        for arm in self.arms[1:]:
            self.of_model(f"{id}.{self.against(arm)}", model, outcome, statistics, self.against(arm), **styles)
        self.first = self.first if self.first[0] else (outcome, model)

    def assume(self, id: str, value: str | Mapping[str, str]) -> str:
        self.data["assumptions"][id] = {"says": f"{id} of such trials", "value": value, "reason": "Usual in the field."}
        return id

    def each(self) -> list[tuple[str, dict[str, Any]]]:
        """An id and a filter of every arm, at every visit."""
        return [
            (f"{SHORT[arm]}_{time}" if self.visits else SHORT[arm], {ARM: arm} | ({VISIT: time} if self.visits else {}))
            for arm in self.arms for time in self.times
        ]  # fmt: skip

    def last(self) -> list[tuple[str, dict[str, Any]]]:
        """An id and a filter of every arm, at the last visit."""
        return [(id, at) for id, at in self.each() if at.get(VISIT, self.times[-1]) == self.times[-1]]

    def seen(self, column: str) -> dict[str, Any]:
        """What an outcome's entry says of who has a value: how many of each arm, as claims; nothing where the visits say it."""
        if self.visits:
            return {}
        return {"seen": {arm: self.of_table(f"{column}.{SHORT[arm]}", column, "observed", "0", {ARM: arm}) for arm in self.arms}}

    def effect(self, size: float) -> np.ndarray:
        """(n, visits): `size` times each arm's own effect, from the first visit after treatment on."""
        by_arm = dict(zip(self.arms, (0.0, *self.rng.uniform(0.4, 1.4, len(self.arms) - 1)), strict=True))
        shown = np.array([by_arm[arm] for arm in self.arm])
        return size * shown[:, None] * np.linspace(0 if self.visits else 1, 1, len(self.times))

    def latent(self, r: float = 0.6) -> np.ndarray:
        """(n, visits) standard normal scores, of which people's own part is `r` and the part of a cluster or group a twentieth."""
        n, share = len(self.arm), 0.05 if self.lots else 0.0
        lots = np.zeros(n)
        for codes in self.lots.values():
            drawn = self.rng.standard_normal(codes.max() + 1)
            lots += np.where(codes < 0, self.rng.standard_normal(n), drawn[codes]) * np.sqrt(share)
        own, now = self.rng.standard_normal((n, 1)), self.rng.standard_normal((n, len(self.times)))
        return lots[:, None] + np.sqrt(1 - share) * (np.sqrt(r) * own + np.sqrt(1 - r) * now)

    def computed(self, by: Mapping[str, Any]) -> float:
        """What the simulated people give for an entry's `by`."""
        return float(self.analysis().value(by))

    def analysis(self) -> Reanalysis:
        """The simulated people and the models written so far, ready to be asked."""
        study = Study(Path("paper"), "", {}, self.data["tables"], self.data["design"], self.data["models"], {}, {})
        return Reanalysis(study, self.frames)

    def printed(self) -> dict[str, Any]:
        """The study file, every claim with the text that the simulated people print."""
        analysis = self.analysis()
        for id, entry in self.data["claims"].items():
            if "kind" not in entry:
                shown = text(float(analysis.value(entry["by"])), self.styles[id])
                entry |= {"kind": "inequality" if shown[0] in "<>" else "number", "printed": shown}
        return self.data
