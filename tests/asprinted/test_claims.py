"""Every claim of every study comes back from its committed records, and every assumption lies within its bounds.

One case a claim, called slug:claim, so that a failure names it.
"""

from __future__ import annotations

import functools
from collections import Counter
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from asprinted import printed, records
from asprinted.chapter import null_value
from asprinted.reanalysis import Reanalysis
from asprinted.study import StudyError, load
from asprinted.verdict import judge

FOLDERS = sorted(file.parent for file in (Path(__file__).resolve().parents[2] / "data").glob("*/study.yml"))

# How many claims of each study get which verdict: a change here is a change of what the book says.
VERDICTS = {
    "harp-trial": {"reproduced": 20, "holds": 7, "context": 12},
    "peer-support-meta-analysis": {"reproduced": 8, "holds": 20, "context": 10},
    "lloyd-evans-2014": {"reproduced": 82, "holds": 6, "context": 13},
    "crisis-readmission-trial": {"reproduced": 32, "holds": 6, "misreported": 1, "context": 20},
    "care-management-review": {"reproduced": 28, "holds": 17, "misreported": 3, "context": 21},
    "peer-led-diabetes-trial": {"reproduced": 37, "holds": 1, "misprint": 1, "method": 1, "context": 1},
}


@functools.cache
def analysis(folder: Path) -> Reanalysis:
    study = load(folder)
    return Reanalysis(study, records.read(study))


def cases(kind: str) -> list:
    """A case for each claim that is recomputed, or each assumption that has bounds; one for a study that does not load."""
    found = []
    for folder in FOLDERS:
        try:
            study = load(folder)
        except StudyError:
            found.append(pytest.param(folder, "", id=folder.name))
            continue
        entries = study.claims if kind == "claims" else study.assumptions
        wanted = [id for id, each in entries.items() if each.by and (each.kind != "context" if kind == "claims" else each.bounds)]
        found += [pytest.param(folder, id, id=f"{folder.name}:{id}") for id in wanted]
    return found


@pytest.mark.parametrize(("folder", "id"), cases("claims"))
def test_claim_comes_back_from_the_records(folder, id):
    found = analysis(folder)
    claim = found.study.claim(id)
    result = judge(claim, found.value(claim.by), null_value(found.study, id))
    assert result.as_expected, f"{result.id}: printed {result.printed}, computed {result.computed}: {result.label}. {result.reason}"
    if result.verdict != "reproduced":
        return
    # once more without the library's own comparison
    assert printed.canonical(result.computed) == printed.canonical(claim.printed)
    number = printed.parse(claim.printed)
    if number.relation == "=":
        rounding = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "truncate": ROUND_DOWN}[claim.rounding]
        assert Decimal(found.value(claim.by)).quantize(number.value, rounding=rounding) == number.value


@pytest.mark.parametrize(("folder", "id"), cases("assumptions"))
def test_assumption_lies_within_its_bounds(folder, id):
    found = analysis(folder)
    assumption = found.study.assumptions[id]
    low, high = (float(bound) for bound in assumption.bounds)
    value = found.value(assumption.by)
    assert low <= value <= high, f"{folder.name}:{id} is {value:.4g}, outside {low:g} to {high:g}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_records_are_those_of_the_study_file(folder):
    assert records.stale(folder) is None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_claims_that_are_not_reproduced_are_counted(folder):
    study = load(folder)
    counts = Counter(claim.expect for claim in study.claims.values())
    assert counts == VERDICTS.get(folder.name), f"write the counts of {folder.name} into VERDICTS, once they are as meant"
    for claim in study.claims.values():
        if claim.kind in ("number", "inequality") and claim.expect != "reproduced":
            assert claim.reason, f"{claim.address} is expected to differ without a reason"
