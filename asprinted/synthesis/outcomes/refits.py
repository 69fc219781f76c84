"""A model's fit as a function of the outcome's values, its design built once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from asprinted import models, records
from asprinted.study import Study

_ON_ALL_ROWS = re.compile(r"\b(center|standardize|scale|bs|cr|cc|te)\(")  # what patsy works out from the rows that it is given


class Refit:
    """A model's fit as a function of the values of `columns`, kept until they change: its design is built once, and only the outcome is exchanged.

    spec: the model's entry, with its person. Of a column of times, the time is exchanged too.
    """

    def __init__(self, study: Study, tables: Mapping[str, pd.DataFrame], table: str, columns: tuple[str, ...], spec: Mapping[str, Any], outcome: str):
        self.spec, self.columns, self.outcome = spec, columns, outcome
        self._frame = records.joined(study, tables, table)
        self._whole: models.Design | None = None
        self._prepared: tuple[np.ndarray, models.Design] | None = None  # the rows there, and the design on them
        self._last: tuple[bytes, Any] | None = None  # the values fitted last, by their bytes, which are compared fastest
        self._known: dict[int, dict[str, np.ndarray]] = {}  # contrasts asked before, by the first row used

    def terms(self, by: Mapping[str, Any]) -> list[Any] | None:
        """The terms of each contrast that an entry asks for; None where it asks for none."""
        name = by.get("contrast")
        return None if name is None else [self.spec["contrasts"][each] for each in ([name] if isinstance(name, str) else name)]

    @property
    def whole(self) -> models.Design:
        """The design as it were if every row had an outcome: on all rows that have the covariates. Raises ValueError where there is none."""
        if self._whole is None:
            self._whole = models.design(self.spec, self._frame.assign(**dict.fromkeys(self.columns, 0.0)), self.outcome)
        return self._whole

    def design(self, y: np.ndarray) -> models.Design:
        """The design on the rows where the outcome is there. Raises ValueError where the model cannot be fitted to them."""
        there = np.isfinite(y if y.ndim == 1 else y[:, -1])
        if self._prepared is None or not np.array_equal(self._prepared[0], there):
            self._prepared = there, self._part(there, y)
        return self._prepared[1]

    def _part(self, there: np.ndarray, y: np.ndarray) -> models.Design:
        """The rows of the whole design that are there; built anew where a column would be empty without the others, or depends on them."""
        keep = there[self.whole.rows]
        X = self.whole.X[keep]
        if _ON_ALL_ROWS.search(self.spec.get("formula", "")) or not X.any(axis=0).all():
            filled = self._frame.assign(**dict(zip(self.columns, np.atleast_2d(y.T), strict=True)))
            return models.design(self.spec, filled, self.outcome)
        if keep.all():
            return self.whole
        rows, groups = self.whole.rows[keep], self.whole.groups[keep]
        groups = (np.cumsum(np.bincount(groups) > 0) - 1)[groups]
        beside = {part: None if values is None else values[keep] for part, values in (("time", self.whole.time), ("exposure", self.whole.exposure))}
        first = self._frame.iloc[[rows[0]]].reset_index(drop=True)
        return replace(self.whole, y=self.whole.y[keep], X=X, groups=groups, rows=rows, first=first, known=self._known.setdefault(int(rows[0]), {}), **beside)

    def __call__(self, y: np.ndarray) -> Any:
        """The fit of the values, (n,) or (n, 2); None where there is none."""
        values = y.tobytes()
        if self._last is not None and self._last[0] == values:
            return self._last[1]
        try:
            rows = self.design(y)
            main = y if y.ndim == 1 else y[:, -1]
            event, time = main[rows.rows], rows.time
            if time is not None:
                until = self.spec.get("until", np.inf)
                time = (y[:, 0] if y.ndim == 2 else time)[rows.rows]
                event, time = np.where(time > until, 0.0, event), np.minimum(time, until)
            found = models.fitted(self.spec, replace(rows, y=event, time=time))
        except (ValueError, ArithmeticError):
            found = None
        self._last = values, found
        return found
