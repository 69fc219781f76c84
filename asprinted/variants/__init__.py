"""Variants for a class: for every student other records that print the same claims, an answer key, and the marking of answers.

`make` gives one student's variant, `make_all` those of a roster, on this machine or on a Dask cluster; `mark` holds answers
against the key. A variant is a function of the study file, the course's key and the student's name alone.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Variant", "make", "make_all", "mark"]

_PLACES = {"Variant": "making", "make": "making", "mark": "marking", "make_all": "running"}


def __getattr__(name: str) -> Any:
    """What is named in `__all__`, from its module, when it is first asked for: the command line starts without numpy."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
