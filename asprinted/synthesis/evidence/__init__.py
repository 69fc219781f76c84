"""One pool of studies from which several reviews each take their own: every review's rule finds the studies, people and pooled rows that it prints.

Which studies there are is a problem in whole numbers (`pool`, `counts`); another study's rows can stand among them unchanged (`taken`);
what the others report is sought like the trials of one review (`reports`); and people's scores are made behind one row (`scores`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from asprinted import reanalysis
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.evidence.pool import studies
from asprinted.synthesis.evidence.reports import outcome_rows
from asprinted.synthesis.evidence.scores import people
from asprinted.synthesis.evidence.taken import taken
from asprinted.synthesis.trials.aims import Unmet

__all__ = ["tables"]

PLANS = 100  # draws of everything before it is given up
LATER = 1000  # what a further plan adds to the study's attempt, so that no later attempt draws the same


def tables(study: Study, progress: Callable[[str], None] = lambda line: None) -> dict[str, pd.DataFrame]:
    """The tables of design.evidence, by name, on which every claim and every bound on them holds.

    Claims about the rows of one report are sought. Those about rows of several, or of rows taken among others, are verified, and
    everything is drawn again where one fails, up to PLANS times. Raises StudyError where no pool of studies can be, naming a smallest
    set of numbers in conflict, and where no draw met everything, naming what failed in the last.
    """
    spec = study.design["evidence"]
    own = taken(study)
    fault: Unmet | None = None
    for plan in range(PLANS):
        again = replace(study, attempt=study.attempt + LATER * plan)
        progress(f"evidence: which studies there are{f', once more, since: {fault.remedy}' if fault else ''}")
        try:
            made = {spec["table"]: studies(again, own)}
            progress(f"evidence: what {len(made[spec['table']])} studies report")
            made |= outcome_rows(again, made[spec["table"]], own)
            if "people_of" in spec:
                made[spec["people_of"]["table"]] = people(again, made)
            _verified(again, made)
            return made
        except Unmet as error:
            fault = error
    raise StudyError(study.file, fault.field, fault.value, f"{fault.remedy} ({PLANS} draws were tried.)")


def _verified(study: Study, made: dict[str, pd.DataFrame]) -> None:
    """Raise Unmet where a claim or a bound on these tables does not come out as the study file expects."""

    def of_these(by: dict | None) -> bool:
        return bool(by) and (study.models[by["model"]]["table"] if "model" in by else by["table"]) in made

    part = replace(study, claims={id: each for id, each in study.claims.items() if of_these(each.by)}, assumptions={id: each for id, each in study.assumptions.items() if of_these(each.by)})
    try:
        lines = reanalysis.differing(reanalysis.verdicts(part, made), reanalysis.assumptions_kept(part, made))
    except StudyError as error:  # no row of the draw is of a claim or an assumption
        raise Unmet(error.file, error.field, error.value, error.remedy) from None
    if lines:
        raise Unmet(study.file, SEPARATOR.join(("design", "evidence")), None, f"Not every claim and bound holds: {'; '.join(lines)}")
