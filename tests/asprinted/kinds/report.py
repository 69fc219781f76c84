"""How many simulated abstracts of each kind come back whole: `python -m tests.asprinted.kinds.report [--seeds 20] [--size 50] [kind or kind+kind …]`."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asprinted import checks, reanalysis, study, synthesis
from asprinted.study import Study, StudyError
from tests.asprinted.kinds import KINDS, printed_trial


@dataclass(frozen=True)
class Attempt:
    """One simulated abstract made again from its print: its kinds and seed, how many claims it has, seconds, and the fault if there was one."""

    kinds: tuple[str, ...]
    seed: int
    claims: int
    seconds: float
    fault: str


def loaded(kinds: Iterable[str], seed: int, folder: Path, size: int = 50) -> Study:
    """The study of a printed trial, from a study file that is written to a folder of its own."""
    kinds = tuple(kinds)
    place = folder / f"{'-'.join(kinds)}-{seed}"
    place.mkdir()
    (place / "study.yml").write_text(json.dumps(printed_trial(kinds, seed, size)), "utf-8")  # JSON is YAML
    return study.load(place)


def unlike_print(trial: Study) -> list[str]:
    """The claims that records made from the study file do not print, and the models and columns whose fair print is called contradictory: none, if all is well."""
    wrong = [checked.about for checked in checks.findings(trial) if checked.fault]
    return wrong + [each.id for each in reanalysis.verdicts(trial, synthesis.synthesise(trial)) if not each.as_expected]


def attempts(kinds: Iterable[str], seeds: Iterable[int], size: int = 50) -> Iterator[Attempt]:
    """The Attempts at these kinds together, one a seed. The seconds are those of the synthesis with its verification."""
    kinds = tuple(kinds)
    for seed in seeds:
        began, fault, claims = time.perf_counter(), "", 0
        with tempfile.TemporaryDirectory() as folder:
            try:
                trial = loaded(kinds, seed, Path(folder), size)
                claims, began = len(trial.claims), time.perf_counter()
                differing = unlike_print(trial)
                fault = f"not as printed: {', '.join(differing)}" if differing else ""
            except StudyError as error:
                fault = f"{error.field}: {error.remedy}"
            except Exception as error:  # noqa: BLE001 - a fault of ours: it belongs into the report as much as one of the study
                fault = f"{type(error).__name__}: {error}"
        yield Attempt(kinds, seed, claims, time.perf_counter() - began, fault)


def line(tried: list[Attempt]) -> str:
    """A row of the report: kinds, how many came back whole, and the seconds in the middle and at most."""
    seconds = [each.seconds for each in tried]
    whole = sum(not each.fault for each in tried)
    return f"{'+'.join(tried[0].kinds):<28} {whole:>3} of {len(tried)}  {statistics.median(seconds):6.2f} s  at most {max(seconds):6.2f} s  {tried[0].claims} claims"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS, help="kinds, those of one trial joined by '+'")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--size", type=int, default=50, help="people in an arm, about")
    options = parser.parse_args()
    for kinds in options.kinds:
        tried = list(attempts(kinds.split("+"), range(options.seeds), options.size))
        print(line(tried), flush=True)
        for each in tried:
            if each.fault:
                print(f"    seed {each.seed}: {' '.join(each.fault.split())[:300]}", flush=True)


if __name__ == "__main__":
    main()
