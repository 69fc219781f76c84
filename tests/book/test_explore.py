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


def numbers(attributes: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r'data-(estimate|line|from|to)="(.*?)"', attributes)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_an_estimate_holds_as_printed_exactly_where_it_lies_in_the_band_that_is_drawn(chapter):
    figure = figure_of(chapter)
    banded = {claim for cells in figure.settings.values() for claim, (attributes, _) in zip(figure.claims, cells) if "data-from" in attributes}
    decided = {claim for claim in figure.claims if re.match("(?:Odds ratio|p value), as printed|.*: the printed p(?! *below)", claim)}
    assert banded == decided
    for setting, cells in figure.settings.items():
        for claim, (attributes, _) in zip(figure.claims, cells):
            if claim in banded:
                drawn = numbers(attributes)
                assert drawn["from"] <= drawn["line"] < drawn["to"], (setting, claim)
                assert ('data-holds="yes"' in attributes) == (drawn["from"] <= drawn["estimate"] < drawn["to"]), (setting, claim)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_computed_p_values_have_a_zero_before_the_point_exactly_where_the_source_writes_one(chapter):
    heads = [plain(small) for small in re.findall("<small>(.*?)</small>", shown(chapter, "explore-code"))]
    for cells in figure_of(chapter).settings.values():
        for printed, (_, text) in zip(heads, cells, strict=True):
            if re.search(r"(?<!\d)\d*\.\d", printed):
                written = {bool(found) for found in re.findall(r"p [=<] (0?)\.", text)}
                assert written <= {bool(re.search(r"(?<!\d)0\.", printed))}, (printed, text)


def test_controls_of_the_crisis_figure_name_the_arms_and_how_many_outcomes_are_unknown():
    crisis = next(path for path in CHAPTERS if path.stem == "crisis-readmission-trial")
    figure = figure_of(crisis)
    most = [max(int(setting[place]) for setting in figure.settings) for place in (2, 3)]
    assert figure.controls[2:] == [f"{arm} arm: readmitted of the {count} unknown" for arm, count in zip(("Peer support", "Control"), most)]


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
    assert any(f"p = 0{p}" in text for text in told)  # the figure writes the zero, as the source does
