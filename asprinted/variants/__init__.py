"""Variants for a class: for every student other records that print the same claims, an answer key, and the marking of answers.

`make` gives one student's variant, `make_all` those of a roster, on this machine or on a Dask cluster; `mark` holds answers
against the key. A variant is a function of the study file, the course's key and the student's name alone.
"""

from asprinted.variants.making import Variant, make
from asprinted.variants.marking import mark
from asprinted.variants.running import make_all

__all__ = ["Variant", "make", "make_all", "mark"]
