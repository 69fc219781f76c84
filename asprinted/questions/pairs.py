"""Models that take more than two groups together: what a model of each pair would be, where a paper compared two at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from asprinted.questions.models import categories, is_factor, levels_of
from asprinted.study import Study

FAMILIES = ("linear", "mixed")  # with one residual variance for all groups


def pairs(study: Study, name: str) -> dict[str, dict[str, Any]]:
    """The model of each pair of groups, by name, that would stand in the place of one that takes more than two together; none where it does not.

    One for each contrast that is the first group less the second: the same entry, of the rows of these two groups alone.
    """
    model, found = study.models[name], {}
    for contrast in model.get("contrasts", {}) if model["family"] in FAMILIES else ():
        levels = levels_of(model, contrast)
        if levels is None or not is_factor(study, model, levels[0]) or len(categories(study, model, levels[0])) < 3:
            continue
        column, *two = levels
        says = f"{model['says']} ({' against '.join(map(str, two))} alone)"
        found[f"{name}_{contrast}"] = model | {"says": says, "rows": model.get("rows", {}) | {column: two}, "contrasts": {contrast: model["contrasts"][contrast]}}
    return found


def advice(study: Study, names: Iterable[str]) -> list[str]:
    """A sentence for each of the models `names` that takes more than two groups together, and the models of pairs as study.yml would hold them; none where there is none."""
    lines = []
    for name in dict.fromkeys(names):
        if two := pairs(study, name):
            lines.append(
                f"The model {name} takes more than two groups together, with one residual variance, and many papers compare two at a time: "
                f"declare a model for each pair below models:, and let `by` of the claims on it name that one."
            )
            lines += [f"  {pair}: {json.dumps(entry, ensure_ascii=False)}" for pair, entry in two.items()]
    return lines
