"""Records that reproduce the printed numbers, made from a study file alone.

`synthesise` gives the tables, already read back from their CSV text and verified; nothing is written.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from asprinted import reanalysis, records
from asprinted.study import Study, StudyError
from asprinted.synthesis import design, durations, events, evidence, outcomes, scales, scores, trials

__all__ = ["Made", "made", "synthesise"]

ATTEMPTS = 5


@dataclass(frozen=True)
class Made:
    """Records that were made and verified: the CSV files' bytes by file name, the tables read back from them, and their reanalysis."""

    contents: dict[str, bytes]
    tables: dict[str, pd.DataFrame]
    analysis: reanalysis.Reanalysis


def synthesise(study: Study, progress: Callable[[str], None] = lambda line: None, either: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """The tables of what `made` gives."""
    return made(study, progress, either=either).tables


def made(study: Study, progress: Callable[[str], None] = lambda line: None, attempts: int = ATTEMPTS, either: Collection[str] = ()) -> Made:
    """The study's records, every claim of which prints as the source prints it, after writing and reading back.

    `progress` is told each step, and why one is begun again. either: ids of claims that may print or not. The same study file in a folder of the same name gives the same bytes. Where only
    assumptions miss their bounds, or no values were found for an outcome, other random numbers are drawn, in up to `attempts` attempts. Raises StudyError where
    a target cannot be met, naming the claims in conflict, where a claim or an assumption fails on the records, or where
    a model names other events or counts than it uses.
    """
    calculated = {claim.address for claim in study.claims.values() if claim.calculated}
    faults: list[str] = []
    missed: dict[str, None] = {}  # a line each, in order
    unmet: outcomes.Unmet | None = None
    for attempt in range(attempts):
        began = time.monotonic()
        if attempt:
            progress(f"once more with other random numbers, attempt {attempt + 1} of {attempts}: {'; '.join(faults)}")
        try:
            tables = _made(replace(study, attempt=attempt), progress)
        except outcomes.Unmet as error:
            unmet, faults = unmet or error, [f"the last found no values in {time.monotonic() - began:.0f} s"]
            continue
        progress("reading back and verifying every claim and assumption")
        contents = {study.tables[name]["file"]: records.as_csv(study, name, frame) for name, frame in tables.items()}
        tables = read_back(study, contents)
        analysis = reanalysis.Reanalysis(study, tables)
        results, kept = [each for each in reanalysis.verdicts(study, analysis) if each.id.partition(":")[2] not in either], reanalysis.assumptions_kept(study, analysis)
        otherwise = reanalysis.uses_as_declared(study, analysis)
        faults = [*reanalysis.differing(results, kept, calculated), *otherwise]
        if not faults:
            return Made(contents, tables, analysis)
        if otherwise or not all(each.as_expected for each in results):
            raise StudyError(study.file, "records", None, "The records made do not meet every target:\n  " + "\n  ".join(faults))
        missed |= dict.fromkeys(faults)
    if unmet and not missed:
        raise unmet
    remedy = f"Every claim prints, but {attempts} attempts with other random numbers left assumptions out of bounds: widen the bounds, or change the value they depend on.\n  "
    raise StudyError(study.file, "assumptions", None, remedy + "\n  ".join(missed))


def _made(study: Study, progress: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """The study's tables in file order, not read back yet, from the random numbers of its attempt."""
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
        if "outcomes" in study.design:
            tables = outcomes.outcomes(study, tables, health, progress)
    if "cells" in study.design:
        progress("counts: searching the free ones")
        with design.faults_at(study, "cells"):
            tables[study.design["cells"]["table"]] = events.cells(study)
    if "trials" in study.design:
        with design.faults_at(study, "trials"):
            tables |= trials.tables(study, progress)
    if "evidence" in study.design:
        with design.faults_at(study, "evidence"):
            tables |= evidence.tables(study, progress)
    missing = [name for name in study.tables if name not in tables]
    if missing:
        raise StudyError(study.file, "design", missing[0], "No part of the design makes this table: add one, or take the table out.")
    return {name: tables[name] for name in study.tables}


def read_back(study: Study, contents: dict[str, bytes]) -> dict[str, pd.DataFrame]:
    """The tables as they are read from these CSV files, file name → bytes. Raises StudyError where a cell is not what its column allows."""
    with tempfile.TemporaryDirectory() as folder:
        there = replace(study, folder=Path(folder) / study.slug)
        there.folder.mkdir()
        records.write_whole(there.folder, contents)
        try:
            return records.read(there)
        except StudyError as error:
            remedy = f"{error.remedy} This study file makes records that are not so: correct its design."
            raise StudyError(study.folder / Path(error.file).name, error.field, error.value, remedy) from None
