"""The ledger page has a row for every claim, says what the library says, and links to the chapters and back."""

from __future__ import annotations

import copy
import csv
import html
import io
import json
import re
from pathlib import Path

import pytest

from asprinted import cli
from book import build, files, generated, ledger, ledger_page, notebooks, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r'<tr id="(?P<anchor>ledger-[\w-]+)" (?P<data>[^>]*)>(?P<cells>.*?)</tr>', re.DOTALL)
CELL = re.compile(r'<td data-label="(?P<name>[^"]*)"[^>]*>(?P<held>.*?)</td>', re.DOTALL)
COUNT = re.compile(r'<li data-value="(?P<value>[^"]*)">.*?<b>(?P<count>\d+)</b></li>')


@pytest.fixture(scope="module")
def chapters() -> dict[str, dict]:
    """The chapters as committed, by stem, in reading order."""
    return {page.stem: notebooks.read(page) for page in toc.chapters(ROOT)}


@pytest.fixture(scope="module")
def page(chapters) -> str:
    return ledger_page.render(ROOT, chapters)


def read(markup: str) -> str:
    """What a reader of the cell reads first: its text without the small print."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<small>.*?</small>", "", markup, flags=re.DOTALL)))


def typeset(words: str) -> str:
    """The words as the page's HTML has them: an apostrophe is the curved one of print."""
    return html.escape(words.replace("'", "’"))


@pytest.fixture(scope="module")
def shown(page) -> dict[str, dict[str, str]]:
    """The cells of every row of the page, by the row's id; a row that stands twice is refused."""
    found = {}
    for row in ROW.finditer(page):
        assert row["anchor"] not in found
        found[row["anchor"]] = {cell["name"]: cell["held"] for cell in CELL.finditer(row["cells"])} | {"data": row["data"], "whole": row["cells"]}
    return found


# The page of this book


def test_page_and_the_command_that_lists_claims_say_the_same_of_every_claim(page, shown, capsys):
    assert cli.main(["ledger", *(str(file.parent) for file in sorted(ROOT.glob("data/*/study.yml"))), "--json"]) == cli.FINE
    told = json.loads(capsys.readouterr().out)
    claims = {notebooks.ledger_anchor(claim["anchor"]): claim for study in told["studies"] for claim in study["claims"]}
    assert set(shown) == set(claims)
    for anchor, claim in claims.items():
        cells = shown[anchor]
        here = (read(cells["Printed, or as declared"]), read(cells["Computed here"]), f'data-verdict="{claim["verdict"]}"' in cells["data"])
        assert here == (claim["printed"], claim["computed"], True), claim["id"]
        assert typeset(claim["reason"]) in cells["Verdict"] and typeset(claim["says"]) in cells["whole"]
        assert ("The decision flips." in cells["Verdict"]) is (claim["decision"] == "flips") and "Same decision" not in cells["Verdict"]
        assert not claim["by"] or "model" not in claim["by"] or f">{claim['by']['model']}</a>" in cells["Computed here"].replace("<wbr>", "")
        assert ("our reading" in cells["Printed, or as declared"]) is (claim["kind"] in ("words", "direction"))
    by_verdict = re.search(r'<div data-group="verdict">(.*?)</div>', page)[1]
    assert {each["value"]: int(each["count"]) for each in COUNT.finditer(by_verdict)} == told["counts"]
    by_study = re.search(r'<div data-group="study">(.*?)</div>', page)[1]
    assert {each["value"]: int(each["count"]) for each in COUNT.finditer(by_study)} == {study["study"]: len(study["claims"]) for study in told["studies"]}


def test_every_link_to_a_cell_and_back_has_its_place(chapters, shown):
    cells = {f"{stem}.html#{claim['anchor']}" for stem, chapter in chapters.items() for claim in notebooks.claims(chapter).values()}
    linked = [address for row in shown.values() for address in re.findall(r'href="([^"]*\.html#claim-[^"]*)"', row["whole"])]
    assert sorted(linked) == sorted(cells)
    for stem, chapter in chapters.items():
        rendered = json.dumps(notebooks.for_rendering(chapter, ledger="ledger.html"))
        backs = re.findall(r'<tr id=\\"(claim-[\w-]+)\\"(?:(?!</tr>).)*?<a href=\\"ledger\.html#(ledger-[\w-]+)\\"', rendered)
        assert {anchor for anchor, _ in backs} == {address.partition("#")[2] for address in cells if address.startswith(f"{stem}.html")}
        assert all(back in shown and back == notebooks.ledger_anchor(anchor) for anchor, back in backs)


def test_places_within_the_page_that_rows_link_to_are_there(page, shown):
    places = set(re.findall(r"^\((ledger-[\w-]+)\)=$", page, re.MULTILINE)) | set(shown)
    links = {link for row in shown.values() for link in re.findall(r'href="#([^"]*)"', row["whole"])}
    assert links and links <= places


def test_claims_are_linked_only_where_the_book_has_a_ledger(chapters):
    before = copy.deepcopy(chapters)
    assert not any("ledger.html" in json.dumps(notebooks.for_rendering(chapter)) for chapter in chapters.values())
    assert chapters == before


def test_printed_number_in_a_sentence_leads_to_its_row_and_one_in_a_heading_or_a_link_does_not():
    claims = [{"id": "some-trial:score.all_people.p", "anchor": "claim-some-trial-score-all-people-p"}]
    said = "{glue:text}`printed_score_all_people_p`"
    linked = f'<a class="printed" href="ledger.html#ledger-some-trial-score-all-people-p">{said}</a>'
    chapter = checks(claims, f"It was {said}")
    for written, shown in (
        (f"It was {said}, and {said}.", f"It was {linked}, and {linked}."),
        (f"## {said}", None), (f":::{{admonition}} {said}", None), (f"[It was {said}](page.md)", None),
        ("It was {glue:text}`printed_score_other_p` or {glue:text}`score_all_people_p`.", None),
    ):  # fmt: skip
        chapter["cells"][0] |= {"source": [f"First line.\n{written}"]}
        assert notebooks.for_rendering(chapter, ledger="ledger.html")["cells"][0]["source"] == f"First line.\n{shown or written}"
        assert notebooks.for_rendering(chapter)["cells"][0]["source"] == [f"First line.\n{written}"]


def test_printed_number_that_two_studies_name_alike_leads_to_the_one_that_was_said():
    claims = [{"id": f"{study}:all.n", "anchor": f"claim-{study}-all-n", "printed": printed} for study, printed in (("one", "49"), ("two", "12"))]
    chapter, said = checks(claims, "Two studies"), "{glue:text}`printed_all_n`"
    chapter["cells"][0]["source"] = f"There were {said}."
    output = {"data": {f"{notebooks.SAID}text/plain": "''"}, "metadata": {"scrapbook": {"name": "printed_all_n"}}}
    chapter["cells"][1]["outputs"].append(output)
    for text, shown in (("12", f'<a class="printed" href="ledger.html#ledger-two-all-n">{said}</a>'), ("50", said)):
        output["data"][f"{notebooks.SAID}text/plain"] = repr(text)
        assert notebooks.for_rendering(chapter, ledger="ledger.html")["cells"][0]["source"] == f"There were {shown}."


def test_downloads_hold_the_rows_of_the_page_in_its_order(chapters, shown):
    held, text = json.loads(ledger.as_json(ROOT, chapters)), ledger.as_csv(ROOT, chapters)
    assert [claim["row"] for claim in held["claims"]] == [f"ledger.html#{anchor}" for anchor in shown]
    assert held["schema"] == ledger.SCHEMA and held["counts"]["total"] == len(shown)
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == held["claims"]
    for claim, row in zip(held["claims"], shown.values(), strict=True):
        cells = read(row["Printed, or as declared"]), read(row["Computed here"]), f'data-verdict="{claim["verdict"]}"' in row["data"]
        assert (claim["printed"], claim["computed"], True) == cells, claim["id"]
    assert text.endswith("\r\n") and text.count("\r\n") > len(shown)


def test_names_break_at_full_stops_and_underscores_and_nowhere_else(shown):
    names = [name for row in shown.values() for name in re.findall(r"<code>([^<]*(?:<wbr>[^<]*)*)</code>|#ledger-analysis-[^>]*>(.*?)</a>", row["whole"])]
    parts = [part for claim, model in names for part in (claim or model).split("<wbr>")]
    assert len(parts) > 2 * len(shown) and not any(re.search(r"[._].", part) for part in parts)


def test_counts_by_chapter_say_what_they_leave_out(chapters, page):
    context = sum(row.claim.kind == "context" for row in ledger.rows(ROOT, chapters))
    assert context and f"leave out the {context} claims that are context" in page


def test_study_without_a_chapter_of_its_own_says_where_it_is_read(chapters, page):
    for slug, section in re.findall(r"^\(ledger-of-([\w-]+)\)=\n(.*?)^Checked in: ", page, re.M | re.S):
        told = page.partition(section)[2].partition("\n")[0]
        assert ("It has no chapter of its own." in told) is (slug not in chapters)
    taken = re.search(r"Its trials, as they are here, stand in the records of \[[^]]*\]\((?P<stem>[\w-]+)\.ipynb\) too", page)
    assert taken and taken["stem"] in chapters


# Chapters and study files that do not fit each other

SLUG = "some-trial"


@pytest.fixture
def small(tmp_path) -> tuple[Path, dict[str, dict]]:
    """A book of one study under another name, and the chapters that check it: a page before its own, and its own."""
    study = (ROOT / "data/harp-trial/study.yml").read_text("utf-8")
    files.write_whole(tmp_path / "data" / SLUG / "study.yml", study.replace('"People randomised"', '"<b>People</b> & others"'))
    of_study = {address: claim for page in toc.chapters(ROOT) for address, claim in notebooks.claims(notebooks.read(page)).items() if address.startswith("harp-trial:")}
    claims = json.loads(json.dumps(list(of_study.values())).replace("harp-trial", SLUG))
    return tmp_path, {"before": checks(claims[:1], "Before"), SLUG: checks(claims, "Some trial: a question")}


def checks(claims: list[dict], heading: str) -> dict:
    """A chapter with one cell that checks `claims`."""
    words = {"cell_type": "markdown", "id": "m", "source": f"# {heading}\n\nWords."}
    output = {"output_type": "execute_result", "data": {notebooks.CLAIM: {"claims": copy.deepcopy(claims)}, "text/html": ""}, "metadata": {}}
    return {"cells": [words, {"cell_type": "code", "id": "c", "metadata": {}, "source": "check()", "outputs": [output]}]}


def held(chapter: dict) -> list[dict]:
    """The claims of a chapter, to be changed."""
    return chapter["cells"][1]["outputs"][0]["data"][notebooks.CLAIM]["claims"]


def test_claim_of_two_chapters_leads_to_that_of_its_study_first(small):
    first = ledger.rows(*small)[0]
    assert first.chapters == (SLUG, "before") and first.cells[0] == f"{SLUG}.html#{first.claim.anchor}"
    assert ledger.counts(ledger.rows(*small))["chapter"] == {SLUG: len(held(small[1][SLUG])), "before": 1}


def test_words_of_a_study_file_are_shown_and_not_obeyed(small):
    text = ledger_page.render(*small)
    assert "&lt;b&gt;People&lt;/b&gt; &amp; others" in text and "<b>People" not in text
    assert ledger_page._plain("a_b*c <d> $e$") == r"a\_b\*c \<d\> \$e\$"


def test_context_has_a_reason_and_no_link(small):
    context = [row for row in ledger.rows(*small) if row.claim.kind == "context"]
    assert context and all(row.verdict.verdict == "context" and row.verdict.reason and not row.cells for row in context)


def test_claim_that_the_chapters_of_its_study_pass_over_stops_the_build(small):
    root, chapters = small
    gone = held(chapters[SLUG]).pop()
    with pytest.raises(BookError, match=rf"{SLUG}/study.yml: no chapter checks {re.escape(gone['id'])}: check each"):
        ledger.rows(root, chapters)


def test_study_that_no_chapter_has_come_to_is_left_out_with_a_warning(small, capsys):
    root, chapters = small
    files.write_whole(root / "data/other-trial/study.yml", (root / "data" / SLUG / "study.yml").read_bytes())
    assert "other-trial" not in ledger_page.render(root, chapters)
    assert ledger.left_out(root, ledger.rows(root, chapters)) == ["other-trial"]
    assert capsys.readouterr().err.startswith("warning: data/other-trial/study.yml: no chapter in _toc.yml")


def test_claim_that_no_study_has_stops_the_build(small):
    root, chapters = small
    held(chapters[SLUG])[0]["id"] = f"{SLUG}:made.up.n"
    with pytest.raises(BookError, match=rf"chapters/{SLUG}.ipynb: checks {SLUG}:made.up.n, which no study file has"):
        ledger.rows(root, chapters)


def test_chapters_that_come_to_different_values_stop_the_build(small):
    root, chapters = small
    held(chapters[SLUG])[0]["computed"] = "401"
    with pytest.raises(BookError, match=rf"{SLUG}.ipynb: \S+ comes to 401, in another chapter to 400"):
        ledger.rows(root, chapters)


def test_book_without_studies_has_an_empty_ledger(tmp_path):
    assert ledger.rows(tmp_path, {}) == [] and ledger.as_csv(tmp_path, {}) == "" and json.loads(ledger.as_json(tmp_path, {}))["claims"] == []


# Generated pages


def test_generated_page_needs_no_file_and_suffers_none(tmp_path):
    files.write_whole(tmp_path / "_toc.yml", "format: jb-book\nroot: index\nchapters:\n  - file: chapters/ledger\n")
    files.write_whole(tmp_path / "index.md", "# Book\n")
    assert toc.pages(tmp_path) == [tmp_path / "index.md"]
    assert {"chapters/ledger.md", "chapters/ledger.csv", "chapters/ledger.json"} == set(generated.of(toc.entries(tmp_path)))
    assert generated.of(["index"]) == {}
    files.write_whole(tmp_path / "chapters/ledger.md", "# Written by hand\n")
    with pytest.raises(BookError, match="chapters/ledger: a page of this name is generated"):
        toc.pages(tmp_path)


def test_download_stands_beside_its_page_under_its_own_name(tmp_path):
    files.write_whole(tmp_path / "_toc.yml", "format: jb-book\nroot: index\nchapters:\n  - file: chapters/ledger\n")
    files.write_whole(tmp_path / "_config.yml", "title: A book\n")
    files.write_whole(tmp_path / "index.md", "# A book\n")
    files.write_whole(tmp_path / "_build/sphinx/html/chapters/ledger.html", "page")
    for suffix in ("md", "csv", "json"):
        files.write_whole(tmp_path / f"_build/src/chapters/ledger.{suffix}", suffix)
    build.publish(tmp_path, "fingerprint", {})
    assert {path.name: path.read_text() for path in (tmp_path / "_build/html/chapters").iterdir()} == {"ledger.html": "page", "ledger.csv": "csv", "ledger.json": "json"}
