"""Stored figures: pictures of few colours get a palette, look the same, and are smaller; others are left alone."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from book import figures, notebooks, toc

ROOT = Path(__file__).resolve().parents[2]


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)


def chart(channels: int = 4) -> np.ndarray:
    """White ground, a pale band two levels from white, a disc of colour with soft edges, and letters' greys."""
    y, x = np.mgrid[:160, :240]
    soft = np.clip(40 - np.hypot(y - 80, x - 120), 0, 1)[..., None]
    ground = np.full((160, 240, 3), 255.0)
    ground[120:] = 253
    drawn = ground * (1 - soft) + np.array([0, 114, 178]) * soft
    drawn[10:12, :200, :] = np.arange(55, 255)[None, :, None]
    return np.dstack([drawn.round(), np.full((160, 240), 255)]).astype(np.uint8)[..., :channels]


@pytest.mark.parametrize("channels", [3, 4])
def test_chart_is_smaller_has_a_palette_and_no_pixel_moves_further_than_said(channels):
    before = png(chart(channels))
    after = figures.packed(before)
    assert len(after) < len(before) and Image.open(io.BytesIO(after)).mode == "P"
    moved = abs(pixels(after) - pixels(before))
    assert 0 < moved.max() <= figures.REACH


def test_areas_keep_their_colours_even_where_two_are_nearly_alike():
    before = chart()
    after = pixels(figures.packed(png(before)))
    assert (after[130:] == 253).all() and (after[:5] == 255).all() and (after[80, 120] == [0, 114, 178]).all()


def test_what_is_packed_once_stays_as_it_is():
    once = figures.packed(png(chart()))
    assert figures.packed(once) == once


def test_picture_of_many_colours_is_left_alone():
    photograph = png(np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8))
    assert figures.packed(photograph) == photograph


def test_picture_that_is_not_opaque_is_left_alone():
    seen_through = chart()
    seen_through[:20, :, 3] = 100
    assert figures.packed(png(seen_through)) == png(seen_through)


def test_only_the_pictures_of_a_notebook_change_and_the_notebook_given_does_not():
    picture = {"output_type": "display_data", "data": {"image/png": base64.b64encode(png(chart())).decode(), "text/plain": "<Figure>"}, "metadata": {}}
    other = {"output_type": "stream", "name": "stdout", "text": "1\n"}
    notebook = {"metadata": {}, "cells": [{"cell_type": "markdown", "source": "# A"}, {"cell_type": "code", "source": "1", "outputs": [other, picture]}]}
    held = picture["data"]["image/png"]
    packed = figures.with_palettes(notebook)
    assert picture["data"]["image/png"] == held and packed["cells"][0] == notebook["cells"][0]
    [same, smaller] = packed["cells"][1]["outputs"]
    assert same == other and smaller["data"]["text/plain"] == "<Figure>" and len(smaller["data"]["image/png"]) < len(held)


@pytest.mark.parametrize("chapter", toc.chapters(ROOT), ids=lambda path: path.stem)
def test_every_stored_figure_of_the_book_is_packed(chapter):
    stored = [base64.b64decode(notebooks.text(data["image/png"])) for data, _ in notebooks.data_of(notebooks.read(chapter)) if "image/png" in data]
    assert stored and all(figures.packed(each) == each for each in stored)
