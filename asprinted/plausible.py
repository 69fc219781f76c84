"""What print leaves open and a reader of the records would stumble over: correlations far from what is assumed, and people off a scale.

None of it is a fault: every claim prints. It is told, with what to write into the study file so that records are made otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asprinted import records
from asprinted.reanalysis import Reanalysis
from asprinted.study import Study, StudyError
from asprinted.study.changes import Change, changes, likely
from asprinted.study.together import Together, held_near, lines, loose


@dataclass(frozen=True)
class Note:
    """One thing that is told of some records. about: what it is about, the same for all records of a study; off: by how much it is off; text: a sentence.

    models, assumptions, design: the line to add below each of these in study.yml, or to its entry; empty where there is none.
    """

    about: str
    off: float
    text: str
    models: str = ""
    assumptions: str = ""
    design: str = ""


def notes(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Note]:
    """A Note for each correlation that is far from what is assumed of it and held by nothing, and for each change that leads people off the scale of its start."""
    return [*mendable(study, tables), *_likely(study, tables)]


def mendable(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Note]:
    """Those that other records of the same study file may not have."""
    return [*_far(study, tables), *_off_scale(study, tables)]


def told(found: Sequence[Note]) -> list[str]:
    """The notes as lines, with the lines to add to study.yml gathered below them; none where nothing is to be told."""
    return [*(f"note: {each.text}" for each in found), *_to_add(found)]


def of_several(found: Mapping[str, Sequence[Note]], number: int) -> list[str]:
    """The notes on the records of several students (student → notes) as lines, one for all notes about the same thing, with the farthest; number: of all students whose records were looked at."""
    about: dict[str, list[tuple[str, Note]]] = {}
    for student in sorted(found):
        for note in found[student]:
            about.setdefault(note.about, []).append((student, note))
    text = []
    for several in about.values():
        student, worst = max(several, key=lambda each: (each[1].off, each[0]))
        text.append(f"note: in the records of {len(several)} of {number} students, farthest in those of {student}: {worst.text}")
    return [*text, *_to_add([several[0][1] for several in about.values()])]


def _to_add(found: Sequence[Note]) -> list[str]:
    text = []
    for part, head in (("models", "below models:"), ("assumptions", "below assumptions:"), ("design", "in the entry of design › outcomes:")):
        if added := list(dict.fromkeys(getattr(each, part) for each in found if getattr(each, part))):
            text += [f"  to bound {'it' if len(added) == 1 else 'them'}, add to study.yml {head}" if part != "design" else f"  to keep to the scale, add to study.yml {head}", *added]
    return text


def correlation(study: Study, tables: Mapping[str, pd.DataFrame], each: Together) -> float:
    """The correlation as the records have it; nan where they have none, since too few people or values are left."""
    analysis = Reanalysis(held_near(study, [each]), tables)
    try:
        return float(analysis.value(each.by))
    except StudyError:
        return math.nan


def _far(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Note]:
    found = []
    for each in loose(study):
        r, (low, high) = correlation(study, tables, each), each.near
        if math.isfinite(r) and not low <= r <= high:
            of = f"the correlation of {each.column} with {each.other} in {each.where}"
            text = f"{of} is assumed to be {each.value:g} ({each.id}) and came to {r:.2f} in these {each.people} people: nothing bounds it, and the printed numbers took the room."
            found.append(Note(of, abs(r - each.value), text, *lines(each)))
    return found


def _off_scale(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Note]:
    found = []
    for each in changes(study):
        if number := off_scale(study, tables, each):
            of = f"{each.column} with {each.start}"
            text = f"{number} people leave the scale of {each.start}, {each.low:g} to {each.high:g}, by their {each.column}: no records were found that keep all of them on it and print every number."
            found.append(Note(of, float(number), text))
    return found


def _likely(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Note]:
    found = []
    for each, other in likely(study):
        numbers = [off_scale(study, tables, way) for way in (each, other)]
        if min(numbers):
            of = f"{each.column} with {each.start}"
            text = (
                f"{each.column} could be a change of {each.start}, whose scale is {each.low:g} to {each.high:g}: if it is the start less the end, {numbers[0]} people end off the scale, "
                f"and {numbers[1]} if it is the end less the start. Nothing in study.yml says that it is a change, so nothing keeps them on it."
            )
            found.append(Note(of, float(numbers[0]), text, design=f"  {each.field}, or {{{each.start}: {other.way}}} where it is the end less the start"))
    return found


def off_scale(study: Study, tables: Mapping[str, pd.DataFrame], change: Change) -> int:
    """How many rows have both a start and a change, and an end beyond the scale of the start."""
    frame = records.joined(study, tables, change.table)
    start, value = (pd.to_numeric(frame[column]).to_numpy(dtype=float, na_value=np.nan) for column in (change.start, change.column))
    least, most = change.bounds(start)
    slack = 1e-9 * max(1.0, abs(change.low), abs(change.high))
    with np.errstate(invalid="ignore"):
        return int(((value < least - slack) | (value > most + slack)).sum())
