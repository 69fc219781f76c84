"""Each guard passes a sound notebook and catches the fault that it is for."""

from __future__ import annotations

import copy

import pytest

from book import guards

PICTURE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]}, "metadata": {}}
TABLE = {"output_type": "execute_result", "execution_count": 2, "data": {"text/html": ["<table>", "</table>"]}, "metadata": {}}
FOLD = {"output_type": "display_data", "data": {"text/html": ["<details><summary>All</summary>", "<td>Deaths by suicide</td></details>"]}, "metadata": {}}
SOUND = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title"]},
        {"cell_type": "code", "id": "b", "execution_count": 1, "source": ["x = 1  # one; two\n", "print('a;')"],
         "metadata": {"tags": ["hide-input"]}, "outputs": [{"output_type": "stream", "name": "stdout", "text": "a;\n"}]},
        {"cell_type": "code", "id": "c", "execution_count": 2, "source": "plot(read('../data/trial/visits.csv'), sep='/')",
         "metadata": {"mystnb": {"image": {"alt": "Two rising lines of mean scores, the upper one with a wider band."}}},
         "outputs": [PICTURE, TABLE]},
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
}  # fmt: skip


def spoilt(cell: int, **changes) -> dict:
    notebook = copy.deepcopy(SOUND)
    notebook["cells"][cell].update(changes)
    return notebook


def with_tag(tag: str) -> dict:
    return spoilt(1, metadata={"tags": [tag]})


def with_alt(words: str) -> dict:
    return spoilt(2, metadata={"mystnb": {"image": {"alt": words}}})


def stripped() -> dict:
    notebook = copy.deepcopy(SOUND)
    for cell in notebook["cells"][1:]:
        cell["outputs"] = []
    return notebook


@pytest.mark.parametrize("guard", guards.GUARDS, ids=lambda guard: guard.__name__)
def test_sound_notebook_passes(guard):
    assert guard(SOUND) == []


BAD = [
    (guards.executed_in_order, spoilt(2, execution_count=None)),
    (guards.executed_in_order, spoilt(2, execution_count=3)),
    (guards.executed_in_order, spoilt(1, execution_count=0)),
    (guards.outputs_stored, stripped()),
    (guards.no_errors, spoilt(1, outputs=[{"output_type": "stream", "name": "stderr", "text": "FutureWarning"}])),
    (guards.no_errors, spoilt(1, outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}])),
    (guards.said_values_are_computed, spoilt(1, source="say('p', '0.046')")),
    (guards.stops_where_a_claim_fails, spoilt(1, source="from asprinted.chapter import check, go_on")),
    (guards.stops_where_a_claim_fails, spoilt(1, source="chapter._going_on.append(1)")),
    (guards.captions_hold_in_the_dark, spoilt(2, metadata={"mystnb": {"figure": {"caption": "Means. Dark: the programme."}}})),
    (guards.captions_hold_in_the_dark, spoilt(2, metadata={"mystnb": {"figure": {"caption": "Means; the black line is zero."}}})),
    (guards.captions_hold_in_the_dark, spoilt(2, outputs=[{**TABLE, "data": {"text/html": "<details><summary>The dark strip</summary><table></table></details>"}}])),
    (guards.folds_say_what_is_hard_to_read, spoilt(1, outputs=[FOLD])),
    (guards.said_values_are_computed, spoilt(1, source="say('p', f'{x:.2f} of 10')")),
    (guards.known_tags, with_tag("nbval-skip")),
    (guards.known_tags, with_tag("nbval-ignore-output")),
    (guards.known_tags, with_tag("raises-exception")),
    (guards.known_tags, with_tag("hide_input")),
    (guards.no_markers, spoilt(1, source="# NBVAL_IGNORE_OUTPUT\nx = 1")),
    (guards.no_markers, spoilt(1, source=["x = 1\n", "#NBVAL_SKIP: later"])),
    (guards.no_semicolon_at_end, spoilt(1, source="plot(x);")),
    (guards.no_semicolon_at_end, spoilt(1, source=["plot('#');  # quiet\n", "\n"])),
    (guards.plain_python, spoilt(1, source="%timeit f(x)")),
    (guards.plain_python, spoilt(1, source="!pip install thing")),
    (guards.only_local_files, spoilt(1, source="read('https://example.org/a.csv')")),
    (guards.only_local_files, spoilt(1, source="read('/home/me/a.csv')")),
    (guards.only_local_files, spoilt(1, source=r"read('C:\\data\\a.csv')")),
    (guards.only_local_files, spoilt(1, source="read('~/a.csv')")),
    (guards.figures_described, with_alt("")),
    (guards.figures_described, with_alt("A figure.")),
    (guards.figures_described, with_alt("../_images/4f8e9dc5a0b2e16f4f8e9dc5a0b2e16f0123456789.png")),
    (guards.figures_described, spoilt(2, metadata={})),
    (guards.figures_have_numbers, spoilt(2, outputs=[PICTURE])),
    (guards.python_kernel, {**SOUND, "metadata": {"kernelspec": {"name": "ir"}}}),
    (guards.python_kernel, {**SOUND, "metadata": {}}),
    (guards.cells_have_ids, spoilt(2, id="a")),
    (guards.cells_have_ids, spoilt(2, id=None)),
]


@pytest.mark.parametrize(("guard", "notebook"), BAD, ids=[f"{guard.__name__}-{n}" for n, (guard, _) in enumerate(BAD)])
def test_guard_catches_its_fault(guard, notebook):
    assert len(guard(notebook)) >= 1


def test_every_guard_has_a_notebook_that_it_catches():
    assert {guard for guard, _ in BAD} == set(guards.GUARDS)
