"""The page of corrections: every slip that a study file declares has an entry, and no number in it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from book import corrections, notebooks, prose, studies, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
HELD = corrections.load(ROOT / corrections.FILE)
SLIPS = [*HELD["sources"], *HELD["none"]]


@pytest.fixture(scope="module")
def executed() -> dict[str, dict]:
    return {page.stem: notebooks.read(page) for page in toc.chapters(ROOT)}


@pytest.fixture(scope="module")
def page(executed) -> str:
    return corrections.render(ROOT, executed)


def test_no_number_is_typed():
    for entry in [*SLIPS, *HELD["book"]]:
        for field in set(entry) - {"id", "claims", "section", "date", "was"}:  # what stood there is history, and stands nowhere else any more
            assert prose.typed_numbers(corrections.FILE, f"{entry.get('id', entry)}, {field}, ", corrections.VALUE.sub("", entry[field]), []) == []


def test_correction_of_the_book_keeps_the_old_number_and_takes_the_new_one_from_the_study_file(monkeypatch, executed):
    own = {"date": "2027-03-01", "where": "Some chapter", "was": "It was given as 9.87.", "now": "{printed}`harp-trial:pcs.change.p`, as in the source."}
    monkeypatch.setattr(corrections, "load", lambda path: {"sources": [], "none": [], "book": [own]})
    page = corrections.render(ROOT, executed)
    assert "- **2027-03-01**, Some chapter: It was given as 9.87. Now: .046, as in the source." in page
    own["now"] = "{printed}`harp-trial:pcs.change.nothing`"
    with pytest.raises(BookError, match="2027-03-01: field now"):
        corrections.render(ROOT, executed)


def test_every_slip_that_a_study_file_declares_has_an_entry():
    told = {address for entry in SLIPS for address in entry["claims"]}
    slips = {claim.address for study in studies.load_all(ROOT) for claim in study.claims.values() if claim.expect in {"misprint", "misreported"}}
    assert slips and slips <= told, f"{corrections.FILE}: no entry names {', '.join(sorted(slips - told))}"


def test_every_claim_that_an_entry_names_is_in_a_study_file():
    known = {claim.address for study in studies.load_all(ROOT) for claim in study.claims.values()}
    named = {address for entry in SLIPS for address in entry["claims"]}
    named |= {f"{found[2]}:{found[3]}" for entry in SLIPS for field in corrections.PARTS.values()
              for found in corrections.VALUE.finditer(entry[field]) if found[1] == "printed"}  # fmt: skip
    assert named <= known, sorted(named - known)


def test_numbers_come_from_the_study_files_and_the_chapters(page, executed):
    said = notebooks.said(executed["crisis-readmission-trial"])
    words = " ".join(page.split())
    assert f"needs at least {said['events_needed_interval']} events" in words and f"the year has {said['events_year']}" in words
    assert "220 in the" in words and "221 and 220 people" in words
    assert not corrections.VALUE.search(page)


def test_each_entry_leads_to_the_rows_of_the_ledger(page):
    for entry in SLIPS:
        if f"(correction-{entry['id']})=" in page:
            for address in entry["claims"]:
                study, _, claim = address.partition(":")
                assert f'ledger.html#ledger-{study}-{re.sub("[._]", "-", claim)}"' in page


def test_each_entry_names_the_section_that_it_leads_to(page):
    assert "[The crisis readmission trial, “Puzzle one: who is in the denominator?”](crisis-readmission-trial.ipynb#puzzle-one-who-is-in-the-denominator)" in page
    stems = {path.stem for path in toc.chapters(ROOT)}
    assert {entry["section"].partition(".ipynb#")[0] for entry in SLIPS if "section" in entry} <= stems


def test_section_that_is_not_there_is_named(executed, monkeypatch):
    entry = {**SLIPS[0], "section": "crisis-readmission-trial.ipynb#no-such-heading"}
    monkeypatch.setattr(corrections, "load", lambda path: {"sources": [entry], "none": [], "book": []})
    with pytest.raises(BookError, match=f"{entry['id']}: field section: .*no-such-heading"):
        corrections.render(ROOT, executed)


def test_turned_number_is_the_printed_one_with_the_other_sign(page):
    assert [corrections.turned(words) for words in ("−0.24", "0.24", "+0.2")] == ["0.24", "−0.24", "−0.2"]
    assert "result as 0.24 (0.02 to 0.46)" in " ".join(page.split())


def test_entries_of_a_study_that_no_chapter_has_come_to_are_left_out(executed):
    without = {stem: chapter for stem, chapter in executed.items() if stem == "crisis-readmission-trial"}
    told = corrections.render(ROOT, without)
    assert "(correction-analysed-beside-randomised)=" in told and "(correction-silent-setting)=" not in told


@pytest.mark.parametrize(
    "wrong",
    ["{printed}`crisis-readmission-trial:no.such.claim`", "{said}`crisis-readmission-trial:no_such_name`", "{said}`no-chapter:x`"],
)
def test_value_that_is_not_there_is_named(executed, monkeypatch, wrong):
    entry = {**SLIPS[0], "found": f"It is {wrong}."}
    monkeypatch.setattr(corrections, "load", lambda path: {"sources": [entry], "none": [], "book": []})
    with pytest.raises(BookError, match=re.escape(f"{entry['id']}: field found: {wrong}")):
        corrections.render(ROOT, executed)


def test_correction_of_the_book_is_listed_with_its_date(executed, monkeypatch):
    own = {"date": "a day", "where": "the primer", "was": "a sign was wrong.", "now": "it is right."}
    monkeypatch.setattr(corrections, "load", lambda path: {"sources": [], "none": [], "book": [own]})
    told = corrections.render(ROOT, executed)
    assert "- **a day**, the primer: a sign was wrong. Now: it is right." in told and "None so far: since" not in told


@pytest.mark.parametrize(
    "content",
    ["- a", "sources: []", "sources: [{id: a}]\nnone: []\nbook: []", "sources: []\nnone: []\nbook: [{date: 2026, where: a, was: b, now: c}]",
     "sources: []\nnone: [{id: a, title: a, claims: [], printed: a, found: a, sure: a, fair: a}]\nbook: []"],
)  # fmt: skip
def test_malformed_file_is_refused(tmp_path, content):
    path = tmp_path / "corrections.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BookError, match="corrections.yml"):
        corrections.load(path)
