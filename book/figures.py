"""Figures of few colours, as charts are, stored as pictures with a palette: sharp as they were, and about a quarter of the size."""

from __future__ import annotations

import base64
import io

from book import notebooks

REACH = 16  # of 255: no channel of any pixel moves further
AREA = 1 / 500  # a colour with this share of the pixels is an area, and stays exactly as it is
PALETTE = 256


def with_palettes(notebook: dict) -> dict:
    """Return the notebook with every PNG picture among its outputs as `packed` gives it."""
    cells = []
    for cell in notebook["cells"]:
        outputs = [{**output, "data": _packed_in(output["data"])} if "image/png" in output.get("data", {}) else output for output in cell.get("outputs", [])]
        cells.append({**cell, "outputs": outputs} if outputs else cell)
    return {**notebook, "cells": cells}


def _packed_in(data: dict) -> dict:
    png = base64.b64decode(notebooks.text(data["image/png"]))
    return {**data, "image/png": base64.b64encode(packed(png)).decode("ascii")}


def packed(png: bytes) -> bytes:
    """Return a PNG file of the same picture with a palette, or `png` itself where that is not smaller or takes more than 256 colours.

    Every colour of an area is kept exactly. Others, as at the edges of letters and lines, take the nearest colour of the palette,
    which is at most REACH away in each channel. A picture that is not opaque is left alone.
    """
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        if picture.mode not in {"RGB", "RGBA"} or (picture.mode == "RGBA" and picture.getextrema()[3][0] < 255):
            return png
        pixels = np.asarray(picture.convert("RGB")).astype(np.uint32)
    codes, place, pixels_of = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32), return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(int)
    palette = np.empty((0, 3), int)
    for each in np.lexsort((codes, -pixels_of)):  # the most frequent first
        if pixels_of[each] >= AREA * place.size or not (abs(palette - colours[each]).max(axis=1) <= REACH).any():
            palette = np.vstack([palette, colours[each]])
            if len(palette) > PALETTE:
                return png
    nearest = abs(colours[:, None] - palette).max(axis=2).argmin(axis=1).astype(np.uint8)
    small = Image.fromarray(nearest[place].reshape(pixels.shape[:2]), "P")
    small.putpalette(palette.astype(np.uint8).tobytes())
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return min(png, file.getvalue(), key=len)
