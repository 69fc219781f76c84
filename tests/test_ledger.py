"""Every claim is recomputed in a chapter, and the chapter's number is the library's own."""

from pathlib import Path

import pytest

from asprinted import reanalysis, records, verdict
from asprinted.study import load
from book import notebooks, toc

ROOT = Path(__file__).parents[1]
STUDIES = sorted(path.parent for path in ROOT.glob("data/*/study.yml"))


def checked_in_chapters() -> dict[str, dict]:
    """The claims in the stored outputs of all chapters, by address."""
    found = {}
    for page in toc.pages(ROOT):
        if page.suffix == ".ipynb":
            found |= notebooks.claims(notebooks.read(page))
    return found


def ledger() -> list[verdict.Verdict]:
    studies = [load(folder) for folder in STUDIES]
    return [each for study in studies for each in reanalysis.verdicts(study, records.read(study))]


LEDGER, CHECKED = ledger(), checked_in_chapters()


@pytest.mark.parametrize("row", LEDGER, ids=lambda row: row.id)
def test_claim_is_checked_by_a_cell_or_listed_with_a_reason(row: verdict.Verdict):
    if row.verdict == "context":
        assert row.reason and row.id not in CHECKED
    else:
        assert row.id in CHECKED, f"{row.id} is checked in no chapter"
        assert row.reason or row.verdict == "reproduced"


@pytest.mark.parametrize("row", [row for row in LEDGER if row.verdict != "context"], ids=lambda row: row.id)
def test_chapter_and_library_compute_the_same_text(row: verdict.Verdict):
    here = CHECKED[row.id]
    assert (here["printed"], here["computed"], here["verdict"]) == (row.printed, row.computed, row.verdict)


def test_chapters_check_no_claim_that_no_study_has():
    assert set(CHECKED) <= {row.id for row in LEDGER}


# The printed numbers that the records do not print, each with what it is instead: a change here is a change of what the book says.
OTHERWISE = {
    "crisis-readmission-trial:analysed.control.reported_n": "misreported",
    "peer-led-diabetes-trial:hba1c_change.peer_led.mean_lo": "misprint",
    "peer-led-diabetes-trial:waist_change.peer_led.p": "method",
}


def test_every_number_and_inequality_is_reproduced_as_printed_or_named_here():
    for row in LEDGER:
        if row.kind in ("number", "inequality"):
            assert row.verdict == OTHERWISE.get(row.id, "reproduced"), row.id
    assert set(OTHERWISE) <= {row.id for row in LEDGER}


def test_the_book_explains_every_verdict():
    page = (ROOT / "chapters" / "how-to-use-this-book.md").read_text("utf-8")
    missing = [words for words in verdict.VERDICTS.values() if words not in page]
    assert not missing
