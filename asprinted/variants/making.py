"""One student's variant: other records that print the same claims, read back from their own text and verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asprinted
from asprinted import plausible, records, synthesis
from asprinted.consistency.conflict import and_list
from asprinted.study import SEPARATOR, Study, StudyError
from asprinted.synthesis.design import generator
from asprinted.variants import drawing, ties
from asprinted.variants.answers import Answer, answers
from asprinted.variants.drawing import Varied, drawn, texts

ATTEMPTS = 2  # to keep every assumption with one draw, before other numbers are drawn
SEEDS = 3  # how often a variant is begun anew where none is found
DRAWS = 20  # how often numbers that no records are found for are drawn again
PROVED = 100  # how often numbers are drawn in all, those that print proves impossible among them
SHOWN = 6  # of the numbers that were tried, those that an error names
TRIED = 1  # numbers of a range that are tried beside its ends and its middle


@dataclass(frozen=True)
class Variant:
    """One student's records (file name → bytes, the data package among them), what they give for every claim, and what is to be told of them."""

    student: str
    contents: dict[str, bytes]
    answers: tuple[Answer, ...]
    notes: tuple[plausible.Note, ...] = ()


def make(study: Study, course: str, student: str, varied: Sequence[Varied] = ()) -> Variant:
    """The Variant of one student: a function of the study file, the course's key, the student's name and what is varied.

    Every claim that is to be met prints from the records as they are read back from their own text, and every assumption is
    kept. Where no records are found, other random numbers are tried, up to SEEDS times, or other numbers to print, up to DRAWS times;
    numbers that print proves impossible are passed over without a search.
    Raises StudyError where that is in vain.
    """
    try:
        made = _varied(study, course, student, varied) if varied else _made(study, course, student)
    except StudyError as error:
        raise StudyError(study.file, error.field, error.value, f"{error.remedy} So there is no variant for {student!r}.") from None
    contents = dict(made.contents)
    package = json.loads(records.package(study, contents)) | {"variant": {"fingerprint": fingerprint(study, course, student, varied)}}
    contents[records.PACKAGE] = (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    return Variant(student, contents, answers(study, student, made.analysis), tuple(plausible.notes(study, made.tables)))


def seeded(study: Study, course: str, student: str, again: int = 0) -> Study:
    """The study under a folder's name that only this student of this course has; every random draw is keyed by that name. again: how often it was in vain."""
    key = hashlib.sha256(json.dumps([study.slug, course, student, again]).encode()).hexdigest()
    return replace(study, folder=study.folder.with_name(f"{study.slug}-{key[:32]}"))


def fingerprint(study: Study, course: str, student: str, varied: Sequence[Varied]) -> str:
    """A checksum of all that a variant is made from: the library's version, and trials of another study whose rows stand in it, too."""
    parts = [asprinted.__version__, study.fingerprint, study.slug, course, student, sorted(map(str, varied))]
    if taken := study.design.get("evidence", {}).get("taken"):
        there = study.folder.parent / taken["study"] / records.PACKAGE
        parts.append(hashlib.sha256(there.read_bytes()).hexdigest() if there.is_file() else "")
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _made(study: Study, course: str, student: str) -> synthesis.Made:
    """Records that print the study. Raises StudyError, the first, where none are found: a search that is in vain now and then is not with other random numbers."""
    first: StudyError | None = None
    for again in range(SEEDS):
        try:
            return synthesis.made(seeded(study, course, student, again))
        except StudyError as error:
            first = first or error
    raise first


def _varied(study: Study, course: str, student: str, varied: Sequence[Varied]) -> synthesis.Made:
    """Records that print the study with numbers that are drawn for the student. Raises StudyError where no draw could be printed."""
    ids = {each.claim for each in varied if not each.follows}
    tried: dict[tuple[str, ...], str] = {}
    searched = 0
    for draw in range(PROVED if ids else SEEDS):
        own = seeded(study, course, student, draw)
        wanted = drawn(own, varied, generator(own, "vary"))
        if ids and (tie := ties.contradiction(wanted, ids)):
            tried.setdefault(texts(wanted, varied), tie.why)
            continue
        try:
            return synthesis.made(wanted, attempts=ATTEMPTS)
        except StudyError as error:
            tried[texts(wanted, varied)] = _told(error)
            searched += 1
        if searched == DRAWS:
            break
    raise _in_vain(study, varied, tried)


def refuse(study: Study, course: str, varied: Sequence[Varied]) -> None:
    """Raise StudyError where no records can print numbers of the ranges: print proves it, or none are found for both ends, the middle and another number.

    A search in vain is no proof, but so many in vain mean that a roster would take very long.
    """
    if all(each.follows for each in varied):
        return
    ties.refuse(study, varied)
    ids = {each.claim for each in varied if not each.follows}
    own, tried = seeded(study, course, ""), {}
    for wanted in ties.tries(own, varied, TRIED):
        if tie := ties.contradiction(wanted, ids):
            tried[texts(wanted, varied)] = tie.why
            continue
        try:
            synthesis.made(wanted, attempts=ATTEMPTS)
            return
        except StudyError as error:
            tried[texts(wanted, varied)] = _told(error)
    if tried:
        raise _in_vain(study, varied, tried)


def _in_vain(study: Study, varied: Sequence[Varied], tried: dict[tuple[str, ...], str]) -> StudyError:
    """The error to raise where no records print any of the numbers `tried` (texts → why not); it tells whether what follows is to blame by itself."""
    where = SEPARATOR.join(("vary", and_list(each.claim for each in varied if not each.follows) or and_list(each.claim for each in varied)))
    following = [each for each in varied if each.follows]
    if following and (alone := _fails(drawing.following(study, varied))):
        taken = and_list(map(str, following))
        remedy = f"With {taken} alone, and every other number as the source prints it, no records are made either: {alone} Take {'one of these' if len(following) > 1 else taken} away again, or give it a range."
        return StudyError(study.file, where, None, remedy)
    shown = [", ".join(f"{each.claim} {text}" for each, text in zip((each for each in varied if not each.follows), one)) for one in tried]
    listed = "; ".join(shown[:SHOWN]) + (f"; and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
    numbers = f"print any of the {len(tried)} that were tried ({listed}), the last of which fails so" if listed else "were found"
    remedy = f"No records {numbers}: {list(tried.values())[-1]} State another range, or let the claims that hold {where.rpartition(SEPARATOR)[2]} follow{' too' if following else ''}."
    return StudyError(study.file, where, None, remedy)


def _fails(study: Study) -> str:
    """Why no records print the study, with the place at fault; empty where some do."""
    try:
        synthesis.made(study, attempts=ATTEMPTS)
    except StudyError as error:
        return _told(error)
    return ""


def _told(error: StudyError) -> str:
    """What is at fault, where in the study file, and the remedy."""
    return f"{error.field}: {error.remedy}"
