"""Records that reproduce the printed numbers, made from a study file alone.

`synthesise` gives the tables, already read back from their CSV text and verified; nothing is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from asprinted import reanalysis, records
from asprinted.records import stale
from asprinted.study import Study, StudyError
from asprinted.synthesis import design, durations, events, scales, scores

__all__ = ["stale", "synthesise"]


def synthesise(study: Study, progress: Callable[[str], None] = lambda line: None) -> dict[str, pd.DataFrame]:
    """The study's tables, every claim of which prints as the source prints it, after writing and reading back.

    `progress` is told each step. The same study file gives the same bytes. Raises StudyError where a target
    cannot be met, naming the claims in conflict, or where a claim or an assumption fails on the records.
    """
    tables: dict[str, pd.DataFrame] = {}
    if "people" in study.design:
        progress("people: arms, sites, groups, covariates")
        with design.faults_at(study, "people"):
            people, health = design.people(study)
        if "events" in study.design:
            progress("events: counts in cells that print the claims")
            with design.faults_at(study, "events"):
                people = events.outcomes(study, people, health)
        if "durations" in study.design:
            progress("durations: an order that prints the claims")
            with design.faults_at(study, "durations"):
                people = durations.durations(study, people, health)
        tables[study.design["people"]["table"]] = people
        for part, module in (("scores", scores), ("scales", scales)):
            if part in study.design:
                with design.faults_at(study, part):
                    tables[study.design[part]["table"]] = module.visits(study, people, health, progress)
    if "cells" in study.design:
        progress("counts: searching the free ones")
        with design.faults_at(study, "cells"):
            tables[study.design["cells"]["table"]] = events.cells(study)
    missing = [name for name in study.tables if name not in tables]
    if missing:
        raise StudyError(study.file, "design", missing[0], "No part of the design makes this table: add one, or take the table out.")
    tables = {name: tables[name] for name in study.tables}
    progress("reading back and verifying every claim and assumption")
    tables = read_back(study, tables)
    faults = reanalysis.differing(reanalysis.verdicts(study, tables), reanalysis.assumptions_kept(study, tables))
    if faults:
        raise StudyError(study.file, "records", None, "The records made do not meet every target:\n  " + "\n  ".join(faults))
    return tables


def read_back(study: Study, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables as they are read from their own CSV text. Raises StudyError where a cell is not what its column allows."""
    with tempfile.TemporaryDirectory() as folder:
        there = replace(study, folder=Path(folder) / study.slug)
        there.folder.mkdir()
        records.write(there, tables)
        try:
            return records.read(there)
        except StudyError as error:
            remedy = f"{error.remedy} This study file makes records that are not so: correct its design."
            raise StudyError(study.folder / Path(error.file).name, error.field, error.value, remedy) from None
