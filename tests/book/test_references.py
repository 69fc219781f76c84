"""Every reference has a DOI or says why not, and the sources of the study files are among the references."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "references.bib").read_text(encoding="utf-8")
ENTRIES = {found[1]: found[0] for found in re.finditer(r"^@\w+\{([^,\s]+),.*?^\}", TEXT, re.M | re.S)}
STUDIES = sorted(ROOT.glob("data/*/study.yml"))


def field(entry: str, name: str) -> str:
    found = re.search(rf"^\s*{name}\s*=\s*\{{(.*)\}},?\s*$", entry, re.M)
    return found[1] if found else ""


def test_every_entry_is_read_and_stands_once():
    assert len(ENTRIES) == len(re.findall(r"^@\w+\{", TEXT, re.M)) > 0
    dois = [field(entry, "doi").lower() for entry in ENTRIES.values() if field(entry, "doi")]
    assert sorted(dois) == sorted(set(dois))


@pytest.mark.parametrize("key", ENTRIES)
def test_entry_has_a_doi_or_a_note_that_says_why_not(key):
    doi, note = field(ENTRIES[key], "doi"), field(ENTRIES[key], "note")
    assert re.fullmatch(r"10\.\d{4,}/\S+", doi) or (not doi and "DOI" in note), f"references.bib: {key}: doi {doi!r}, note {note!r}"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_sources_of_a_study_file_are_among_the_references(path):
    for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
        if "cite" in source:
            assert source["cite"] in ENTRIES, f"{path.parent.name}: cite: {source['cite']!r}"
        if "doi" in source:
            held = {key for key, entry in ENTRIES.items() if field(entry, "doi").lower() == source["doi"].lower()}
            assert held == {source.get("cite", *held)}, f"{path.parent.name}: doi: {source['doi']}"
