"""The variants of a whole roster: on all cores of this machine, or on the workers of a Dask cluster.

Workers only compute. This process alone writes, so a worker that is killed loses nothing that stands, and what it was
computing is computed again.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import asprinted
from asprinted import engines, reanalysis, records, verdict
from asprinted.chapter import null_value
from asprinted.plausible import Note
from asprinted.study import Study, StudyError
from asprinted.synthesis.design import generator
from asprinted.variants import answers, asking, folders, ties
from asprinted.variants.drawing import Varied
from asprinted.variants.making import Variant, fingerprint, make, refuse, seeded

BATCH = 4  # students a task on a cluster
DEATHS = 3  # so many pools in a row whose workers died with nothing made mean that something is wrong
SAMPLE = 20  # students of the roster whose records a second engine analyses again when they are made
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")


@dataclass
class Report:
    """What came of a roster: students made now, those finished before, those in vain (and why), and where a second engine differs.

    notes: of students made now, what is to be told of their records.

    sampled: those made now whose records the second engine looked at. shared: of each claim that is varied, what students of the key have, and how many each.
    """

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    sampled: list[str] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)
    shared: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What a worker gives back of one student: the Variant, or why there is none; and where a second engine differs, None where it was not asked."""

    student: str
    found: Variant | str
    differences: list[str] | None = None


def make_all(
    study: Study, students: Sequence[str], course: str, out: Path, key: Path, varied: Sequence[Varied] = (),
    scheduler: str | None = None, workers: int | None = None, sample: int = SAMPLE, tell: Callable[[int, int], None] = lambda done, total: None,
    replace_others: bool = False, note: Callable[[str], None] = lambda line: None,
) -> Report:  # fmt: skip
    """The Report of the roster's variants, each in its folder below `out`, with the sheet of questions; the answer key stands in `key`.

    Students whose folder was finished before, from the same inputs, are left alone, and whoever has answers stays in the key.
    replace_others: make those of the roster anew that were made otherwise. `note` is told what of a range cannot be printed, and where numbers are fewer than students. scheduler: address of a Dask scheduler
    whose workers have asprinted (and the folder beside the study's, where the study takes trials from another); else
    `workers` processes, by default one a core. sample: of so many students, drawn by the course's key, the records are analysed again
    by a second engine when they are made, which takes it some seconds each. `tell` is told how many of those to make are done, none at first. Raises StudyError, before anything is written, where a
    folder in the way is no variant, variants there were made otherwise, or the ranges of what is varied cannot be printed; and where the cluster cannot be reached, or workers die again and again.
    """
    options = {"study": study.slug, "course": course, "vary": sorted(map(str, varied)), "study_file": study.fingerprint, "asprinted": asprinted.__version__}
    wanted = {each: fingerprint(study, course, each, varied) for each in students}
    _refuse_capitals(key, students)
    report = Report(kept=[each for each in students if folders.made_from(out, each) == wanted[each] and folders.answered(key, each)])
    if not replace_others:
        folders.refuse_others(out, key, wanted, options)
    left = [each for each in students if each not in set(report.kept)]
    if left and varied:
        refuse(study, course, varied)
        for pool in ties.pools(study, varied):
            if pool.texts != pool.tried:
                note(f"{pool}.")
            if len(pool.tried) == pool.of and len(pool.texts) < len(students):
                note(f"{pool.claim}: {len(students)} students, and {len(pool.texts)} numbers at most: some share one, and can copy it.")
    places = generator(seeded(study, course, ""), "second engine").permutation(len(students))[:sample]
    sampled = {students[place] for place in places}
    left.sort(key=lambda student: student not in sampled)  # what takes longest first
    packed = zlib.compress(pickle.dumps((study, course, tuple(varied), frozenset(sampled))))
    computed = _on_cluster(packed, left, scheduler, study) if scheduler else _here(packed, left, workers or os.cpu_count() or 1, study)
    if left:
        tell(0, len(left))
    prepared = False
    with contextlib.closing(computed):
        for number, done in enumerate(computed, 1):
            if isinstance(done.found, str):
                report.failed[done.student] = done.found
            else:
                if not prepared:
                    folders.prepare(out, key, options)
                    prepared = True
                folders.write(out, key, done.found)
                report.made.append(done.student)
                if done.found.notes:
                    report.notes[done.student] = list(done.found.notes)
            if done.differences is not None:
                report.sampled.append(done.student)
            if done.differences:
                report.differences[done.student] = done.differences
            tell(number, len(left))
    there = folders.earlier(key)
    if there:
        if not prepared:
            folders.prepare(out, key, options)
        whole = [answer for each in dict.fromkeys((*(name for name in students if name in set(there)), *there)) for answer in folders.read_answers(key, each)]
        asked = asking.questions(study)
        records.write_whole(out, {"questions.csv": asking.as_csv(asked), "questions.md": asking.as_markdown(study, asked)})
        records.write_whole(key, {"key.csv": answers.as_csv(whole), "key.json": answers.as_json(whole)})
        report.shared = {each.claim: dict(Counter(answer.answer for answer in whole if answer.question == each.claim)) for each in varied if not each.follows}
    return report


def _refuse_capitals(key: Path, students: Sequence[str]) -> None:
    """Raise StudyError where a student's name differs from one that is there by capitals alone: answers are told apart without them."""
    there = {name.lower(): name for name in folders.earlier(key)}
    for student in students:
        if there.get(student.lower(), student) != student:
            raise StudyError(key, "roster", student, f"Answers of {there[student.lower()]!r} are there already, and capitals do not tell students apart: write the name as it is there, or give another folder with --out.")


def second_engine(study: Study, folder: Path) -> list[str] | None:
    """A line for each claim that another engine computes otherwise, as it is printed, from the records in `folder`; None where that engine is not installed."""
    if not engines.python.available():
        return None
    tables = records.read(replace(study, folder=folder))
    analysis, lines = reanalysis.Reanalysis(study, tables), []
    for id, answer in engines.recompute(study, tables, engines.python.NAME).items():
        if answer.value is not None:
            claim = study.claims[id]
            ours, theirs = (verdict.judge(claim, value, null_value(study, id)).computed for value in (analysis.value(claim.by), answer.value))
            if ours != theirs:
                lines.append(f"{id}: {theirs} by {engines.python.NAME}, {ours} by our own fit")
    return lines


# What a worker does

@functools.lru_cache(maxsize=2)
def _opened(packed: bytes) -> tuple[Study, str, tuple[Varied, ...], Collection[str]]:
    """The same objects for every task of a job, so that what is computed once for a study is kept."""
    return pickle.loads(zlib.decompress(packed))


def _each(packed: bytes, students: Iterable[str]) -> list[Done]:
    """What is Done for each."""
    study, course, varied, sample = _opened(packed)
    done = []
    for student in students:
        try:
            made = make(study, course, student, varied)
            done.append(Done(student, made, _again(study, made) if student in sample else None))
        except StudyError as error:
            done.append(Done(student, str(error)))
    return done


def _again(study: Study, made: Variant) -> list[str] | None:
    with tempfile.TemporaryDirectory() as folder:
        records.write_whole(Path(folder), made.contents)
        return second_engine(study, Path(folder))


def _leave_with_parent() -> None:
    """Let Ctrl-C be the parent's matter, and end this worker when the parent is gone, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = multiprocessing.parent_process()

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


# Who does it

def _here(packed: bytes, students: Sequence[str], workers: int, study: Study) -> Iterator[Done]:
    """Computed in processes of this machine, in the order in which they are done; by this process where one is enough.

    A pool whose worker died makes way for a new one.
    """
    if min(workers, len(students)) == 1:
        for student in students:
            yield from _each(packed, (student,))
        return
    left, deaths = dict.fromkeys(students), 0
    while left:
        with mock.patch.dict(os.environ, ONE_THREAD):
            others = set(multiprocessing.active_children())
            pool = futures.ProcessPoolExecutor(min(workers, len(left)), multiprocessing.get_context("spawn"), _leave_with_parent)
            try:
                with _undisturbed():
                    tasks = [pool.submit(_each, packed, (student,)) for student in left]
                for task in futures.as_completed(tasks):
                    for done in task.result():
                        deaths = 0
                        del left[done.student]
                        yield done
            except BrokenProcessPool:
                deaths += 1
                if deaths == DEATHS:
                    remedy = f"Worker processes were killed {DEATHS} times in a row, the last time with {len(left)} students to go: give them more memory, or fewer --workers. What is done stands."
                    raise StudyError(study.file, "workers", None, remedy) from None
            except BaseException:  # stopped: nobody waits for what was begun
                for worker in set(multiprocessing.active_children()) - others:
                    worker.terminate()
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A block in which Ctrl-C waits: the workers begun in it, who inherit that, do not die of it while they load what they need."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _on_cluster(packed: bytes, students: Sequence[str], scheduler: str, study: Study) -> Iterator[Done]:
    """Computed by the workers of a Dask cluster, a batch a task, in the order in which they are done."""
    try:
        import distributed
    except ImportError:
        raise StudyError(study.file, "scheduler", scheduler, "Dask is not installed here: pip install 'asprinted[cluster]'.") from None
    try:
        client = distributed.Client(scheduler, timeout="20s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise StudyError(study.file, "scheduler", scheduler, f"No Dask scheduler answers there ({error or type(error).__name__}): start one with: dask scheduler.") from None
    with client:
        tasks: dict[Any, Sequence[str]] = {}
        try:
            for first in range(0, len(students), BATCH):
                batch = tuple(students[first : first + BATCH])
                tasks[client.submit(_each, packed, batch, pure=False, retries=2)] = batch
            for task in distributed.as_completed(list(tasks), loop=client.loop):
                if task.status == "finished":
                    yield from task.result()
                else:
                    yield from (Done(student, f"the cluster gave it up: {task.exception()}") for student in tasks[task])
                task.release()
        finally:
            client.cancel(list(tasks))
