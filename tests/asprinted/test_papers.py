"""Published abstracts as a teacher would write them down: print is checked, records are made, and the abstract is printed again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from asprinted import checks, reanalysis, records, synthesis
from asprinted import study as studies
from asprinted.printed import parse
from asprinted.study import Study
from asprinted.verdict import Verdict

PAPERS = sorted(file.parent for file in (Path(__file__).resolve().parents[1] / "papers").glob("*/study.yml"))
LONG = True  # begun early, see book/pytest_order.py
PROVEN = {  # paper: what a contradiction is about, and the claims that stand in each smallest conflict
    "aasdahl-2018": {"return_cox": {"return.hr.hi"}},
    "fuller-2014": {"uptake_gee": {"uptake.or.lo", "uptake.or.p"}},
    "taft-2011": {"participants.violent, arm intervention": {"violent.intervention.percent"}},
}
DISAGREES = ("misprint", "misreported", "method", "definition", "upstream-rounding", "not-computable")


class Remade(NamedTuple):
    """A paper, the verdicts on its claims from the CSV files made, and its assumptions held against them."""

    study: Study
    verdicts: list[Verdict]
    kept: list[reanalysis.Kept]


@pytest.fixture(scope="module", params=PAPERS, ids=lambda folder: folder.name)
def paper(request: pytest.FixtureRequest) -> Study:
    return studies.load(request.param)


@pytest.fixture(scope="module")
def remade(paper: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remade]:
    folder = Path(shutil.copytree(paper.folder, tmp_path_factory.mktemp("papers") / paper.slug))
    study = replace(paper, folder=folder)
    records.write(study, synthesis.synthesise(study))
    tables = records.read(study)
    yield Remade(study, reanalysis.verdicts(study, tables), reanalysis.assumptions_kept(study, tables))
    shutil.rmtree(folder)


def contradictions(study: Study) -> list[checks.Checked]:
    return [each for each in checks.findings(study) if each.finding.verdict == "contradictory"]


def in_digits(text: str) -> str:
    """A printed number as it stands; one in words, such as "Four", in digits."""
    return text if re.search(r"\d", text) else f"{parse(text).value}"


def test_there_are_papers_of_many_kinds():
    loaded = [studies.load(folder) for folder in PAPERS]
    kinds = {entry["kind"] for study in loaded for entry in study.design.get("outcomes", [])}
    families = {model["family"] for study in loaded for model in study.models.values()}
    assert len(PAPERS) >= 8
    assert kinds >= {"score", "yes-no", "count", "ordinal", "time"}
    assert families >= {"mixed", "linear", "logistic", "gee-logistic", "negative-binomial", "ordinal", "cox", "log-rank", "chi-squared", "correlation", "random-effects"}


def test_the_article_can_be_found(paper):
    for source in paper.sources.values():
        assert source.doi or source.pmid
        assert re.fullmatch(r"10\.\d{4,}/\S+", source.doi or "10.1000/none")
        assert re.fullmatch(r"\d{6,8}", source.pmid or "000000")


def test_the_abstract_gives_five_numbers_or_more_that_are_recomputed(paper):
    assert sum(claim.kind in ("number", "inequality") and "S" in claim.marks for claim in paper.claims.values()) >= 5


def test_print_alone_proves_what_cannot_stand_together_and_nothing_else(paper):
    found = {each.about: set.intersection(*(set(each.ids(names)) for names in each.finding.conflicts)) for each in contradictions(paper)}
    assert found == PROVEN.get(paper.slug, {})


def test_what_is_proven_is_declared_and_would_be_a_fault_if_it_were_not(paper):
    assert not [each for each in checks.findings(paper) if each.fault]
    undeclared = {id: replace(claim, expect="reproduced") if claim.expect in DISAGREES else claim for id, claim in paper.claims.items()}
    assert {each.about for each in contradictions(replace(paper, claims=undeclared)) if each.fault} == PROVEN.get(paper.slug, {}).keys()


def test_every_claim_comes_out_as_expected_from_the_files(remade):
    assert {each.id: each.verdict for each in remade.verdicts} == {each.id: each.expected for each in remade.verdicts}


def test_what_is_reproduced_is_the_same_text(remade):
    reproduced = [each for each in remade.verdicts if each.verdict == "reproduced"]
    assert len(reproduced) >= 5
    assert {each.id: each.computed for each in reproduced} == {each.id: in_digits(each.printed) for each in reproduced}


def test_assumptions_with_bounds_hold(remade):
    assert [each for each in remade.kept if not each.holds] == []
