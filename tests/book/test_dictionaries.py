"""The page of data dictionaries: everything a study file says of its tables is there, and what is said of the records is so."""

from __future__ import annotations

import csv
import functools
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin

from asprinted.study import Assumption, load
from book import dictionaries, generated, ledger, notebooks, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted(file.parent for file in ROOT.glob("data/*/study.yml"))


def definitions(markdown: str) -> list[tuple[str, list[str]]]:
    """Every term of the definition lists with its definitions, as a reader sees them: without marks and escapes."""
    found: list[tuple[str, list[str]]] = []
    inside = ""
    without_boxes = re.sub(r"^:::.*$", "", markdown, flags=re.M)
    for token in MarkdownIt().use(deflist_plugin).parse(without_boxes):
        inside = token.type if token.type in {"dt_open", "dd_open", "dt_close", "dd_close"} else inside
        if token.type == "inline":
            shown = "".join(child.content for child in token.children)
            if inside == "dt_open":
                found.append((shown, []))
            elif inside == "dd_open":
                found[-1][1].append(shown)
    return found


@functools.cache
def section_of(slug: str) -> str:
    return dictionaries.section(load(ROOT / "data" / slug))


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_every_column_of_every_table_is_there_with_what_it_says_and_how_often_it_is_missing(folder):
    study = load(folder)
    parts = re.split(r"^### ", section_of(folder.name), flags=re.M)[1:]
    assert len(parts) == len(study.tables)
    for part, entry in zip(parts, study.tables.values()):
        with open(folder / entry["file"], encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert part.startswith(entry["file"]) and f"{len(rows):,} rows, {len(entry['columns'])} columns" in part
        listed = definitions(part)
        for place, (column, spec) in enumerate(entry["columns"].items()):
            term, (says, facts) = listed[place]
            missing = sum(row[column] == "" for row in rows)
            assert term.split(" ")[0] == column and spec.get("label", "") in term
            assert says == spec["says"].removesuffix(".") + "."
            assert (f"Missing in {missing:,} of {len(rows):,} rows." if missing else "missing") in facts and ("Missing in" in facts) == bool(missing)
            assert all(str(value).replace("-1", "−1") in facts for value in spec.get("values", ()))
            assert all(dictionaries.MARKS[mark].lower() in facts.lower() for mark in spec["mark"])


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_every_assumption_rule_and_model_is_there_with_its_words(folder):
    study = load(folder)
    listed = definitions(section_of(folder.name))
    for id, each in study.assumptions.items():
        [(term, texts)] = [entry for entry in listed if any(text.split(" ")[-1] == id for text in entry[1])]
        assert term == each.says.removesuffix(".") and texts[1] == each.reason.removesuffix(".") + "."
    for name, entry in [*study.models.items(), *study.rules.items()]:
        assert any(term == name and entry["says"].removesuffix(".") in texts[0] for term, texts in listed)


def test_eligibility_rule_says_which_rows_it_takes():
    rule = {"says": "Older people of either arm.", "filter": {"age": {"from": 60}, "arm": ["HARP", "usual care"]}}
    listed = definitions(dictionaries.section(replace(load(ROOT / "data" / "harp-trial"), rules={"older": rule})))
    assert ("older", ["Older people of either arm.", "age: from 60; arm: HARP or usual care."]) in listed


def test_bounded_assumption_shows_what_the_records_hold():
    with open(ROOT / "data" / "harp-trial" / "participants.csv", encoding="utf-8", newline="") as stream:
        ages = [int(row["age"]) for row in csv.DictReader(stream)]
    text = dict(definitions(section_of("harp-trial")))["Mean age at baseline"][0]
    assert text.startswith(f"Value: 49. Bounds: 47.5 to 50.5; in the records: {sum(ages) / len(ages):.2f}.")


def test_page_says_first_that_nobody_exists_and_holds_every_study_with_its_chapters():
    executed = {path.stem: notebooks.read(path) for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
    page = generated.GENERATED["chapters/data-dictionaries.md"](ROOT, executed)
    places = {folder.name: page.index(f"(dictionary-{folder.name})=") for folder in STUDIES}
    assert page.index("Nobody in these records exists") < min(places.values())
    assert page.count("**Synthetic records: nobody in them exists.") == len(STUDIES)
    assert re.search(r"\(dictionary-harp-trial\)=.*?Used in\n: .*?\{doc\}`harp-trial`", page, re.S)


def test_studies_stand_in_the_order_of_the_ledger():
    executed = {path.stem: notebooks.read(path) for path in toc.chapters(ROOT)}
    page, rows = dictionaries.render(ROOT, executed), ledger.rows(ROOT, executed)
    order = re.findall(r"^\(dictionary-([a-z0-9-]+)\)=\n## ", page, re.M)
    assert order[: len({row.study.slug for row in rows})] == list(dict.fromkeys(row.study.slug for row in rows))
    assert sorted(order) == [folder.name for folder in STUDIES]


def test_no_two_headings_of_the_page_are_alike():
    executed = {path.stem: notebooks.read(path) for path in toc.chapters(ROOT)}
    headings = re.findall(r"^#+ (.*)", dictionaries.render(ROOT, executed), re.M)
    assert len(headings) > 2 * len(STUDIES) and len(headings) == len(set(headings))


def test_sign_that_two_studies_describe_otherwise_has_a_warning_and_one_alike_has_none():
    studies = [load(folder) for folder in STUDIES]
    meanings = {study.slug: spec["says"] for study in studies for entry in study.tables.values() for column, spec in entry["columns"].items() if column == "direction"}
    [box] = dictionaries._warnings(studies)
    assert len(meanings) > 1 and all(f"<dictionary-{slug}-" in box and says in box for slug, says in meanings.items())
    assert not list(dictionaries._warnings(study for study in studies if study.slug == next(iter(meanings))))


@pytest.mark.parametrize(("bounds", "value", "found", "told"), [
    (("8", "8"), "8", 8.0, "Must be 8; is 8. `a.b`"),
    (("0", "0.02"), {"one": "0.6", "two": "0.4"}, 0.004, "Values: the list below. In the records each share may differ from these by 0.02; the largest difference is 0.004. `a.b`"),
    (("-1.5", "2"), "-0.5", -0.25, "Value: −0.5. Bounds: −1.5 to 2; in the records: −0.25. `a.b`"),
    (None, "DL, wald-z", None, "Value: DerSimonian and Laird’s estimate; Wald’s z test and interval. `a.b`"),
])  # fmt: skip
def test_what_is_assumed_is_said_in_words(bounds, value, found, told):
    by = {"table": "t", "statistic": "share_deviation" if isinstance(value, dict) else "mean"}
    each = Assumption("a.b", "Something", "Because", value, bounds, by=by)
    [(term, texts)] = definitions("".join(dictionaries._assumption(load(STUDIES[0]), each, found)))
    assert (term, texts[:2]) == ("Something", [told.replace("`", ""), "Because."])
    assert texts[2:] == ([f"{name}: {share}" for name, share in value.items()] if isinstance(value, dict) else [])


def test_hidden_factor_is_explained_where_it_is_assumed_and_nowhere_else():
    for folder in STUDIES:
        assert (dictionaries.HEALTH in section_of(folder.name)) is any("health" in each.says for each in load(folder).assumptions.values())


def test_words_of_a_study_file_are_shown_as_they_are_and_never_read_as_markup(tmp_path):
    folder = tmp_path / "data" / "harp-trial"
    shutil.copytree(ROOT / "data" / "harp-trial", folder)
    strange = r"a *b* _c_ $x$ {d}`e` [f](g) <h> # | ~~i~~ \j ^k^"
    study = load(folder)
    study.tables["pilot"]["columns"]["arm"]["says"] = strange
    assert dict(definitions(dictionaries.section(study)))["arm"][0] == strange + "."


def test_records_that_cannot_be_read_stop_the_page_and_are_named(tmp_path):
    folder = tmp_path / "data" / "harp-trial"
    shutil.copytree(ROOT / "data" / "harp-trial", folder)
    (folder / "pilot.csv").unlink()
    with pytest.raises(BookError, match="pilot.csv"):
        dictionaries.render(tmp_path, {})
    data = yaml.safe_load((folder / "study.yml").read_text("utf-8"))
    (folder / "study.yml").write_text(yaml.safe_dump({key: value for key, value in data.items() if key != "title"}), "utf-8")
    with pytest.raises(BookError, match="study.yml.*title"):
        dictionaries.render(tmp_path, {})
