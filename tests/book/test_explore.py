"""The figures that readers change: every chapter has one, it starts from print, its claims can break, and it repeats what the chapter computed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest

from book import notebooks

CHAPTERS = sorted((Path(__file__).resolve().parents[2] / "chapters").glob("*.ipynb"))
CELL = re.compile(r"<(th|td)([^>]*)>(.*?)</\1>", re.S)


class Figure(NamedTuple):
    """The names of controls and claims, and by setting what each claim came to (attributes and text)."""

    controls: list[str]
    claims: list[str]
    settings: dict[tuple[str, ...], list[tuple[str, str]]]


def plain(markup: str) -> str:
    return unescape(re.sub("<[^>]+>", "", markup))


def shown(chapter: Path, cell: str) -> str:
    [source] = [each for each in notebooks.read(chapter)["cells"] if each["id"] == cell]
    return "".join(notebooks.text(output["data"].get("text/html", "")) for output in source["outputs"] if "data" in output)


def figure_of(chapter: Path) -> Figure:
    head, *rows = re.findall(r"<tr>(.*?)</tr>", shown(chapter, "explore-code"), re.S)
    heads = [(attributes, plain(text)) for _, attributes, text in CELL.findall(head)]
    controls = [text for attributes, text in heads if "data-kind" in attributes]
    settings = {}
    for row in rows:
        cells = [(attributes, plain(text)) for _, attributes, text in CELL.findall(row)]
        settings[tuple(text for _, text in cells[: len(controls)])] = cells[len(controls) :]
    assert len(settings) == len(rows), "two settings have the same name"
    return Figure(controls, [text for _, text in heads[len(controls) :]], settings)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_a_figure_whose_claims_break_in_some_setting_and_hold_in_another(chapter):
    figure = figure_of(chapter)
    held = [{claim: 'data-holds="yes"' in attributes for claim, (attributes, _) in zip(figure.claims, cells) if "data-holds" in attributes} for cells in figure.settings.values()]
    assert any(held[0].values()), "nothing holds at the start"
    changing = [claim for claim in figure.claims if len({each[claim] for each in held if claim in each}) == 2]
    assert changing, "no claim depends on any setting"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_verdict_in_words_is_the_one_that_is_drawn(chapter):
    for setting, cells in figure_of(chapter).settings.items():
        for attributes, text in cells:
            words = {"yes": "✓ holds", "no": "✗ does not hold"}.get(next(iter(re.findall('data-holds="(.*?)"', attributes)), ""), "does not apply")
            assert text.endswith(words), setting


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_control_has_more_than_one_value(chapter):
    figure = figure_of(chapter)
    for place, control in enumerate(figure.controls):
        assert len({setting[place] for setting in figure.settings}) > 1, control


def test_imputation_with_people_lost_four_points_lower_is_that_of_the_chapters_table():
    harp = next(path for path in CHAPTERS if path.stem == "harp-trial")
    figure = figure_of(harp)
    in_figure = [re.search(r"p = (\.\d+)", text)[1] for _, text in figure.settings["multiple imputation", "4"] if "p = " in text]
    [row] = [row for row in re.findall("<tr>(.*?)</tr>", shown(harp, "break-table"), re.S) if "4 points lower" in row]
    assert in_figure and in_figure == re.findall(r"(?<!\d)\.\d+", plain(row))


def test_worst_case_of_the_unknown_is_that_of_the_chapters_table():
    crisis = next(path for path in CHAPTERS if path.stem == "crisis-readmission-trial")
    settings = figure_of(crisis).settings
    [row] = [row for row in re.findall("<tr>(.*?)</tr>", shown(crisis, "break-table"), re.S) if "worst case" in row]
    most = max(setting[2] for setting in settings)
    told = [text for _, text in settings["adjusted for team", "filled in", most, "0"]]
    p = re.search(r"(?<!\d)\.\d+", plain(row))[0]
    assert any(f"p = {p}" in text for text in told)
