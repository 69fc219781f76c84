"""A review in one study file with each kind of trial, and with each other kind of review: it comes back whole from print alone."""

from __future__ import annotations

import itertools

import pytest

from tests.asprinted.kinds import KINDS, REVIEWS
from tests.asprinted.kinds.report import loaded, unlike_print

LONG = True  # begun early, see book/pytest_order.py
PAIRS = [pair for pair in itertools.combinations(KINDS, 2) if pair[1] in REVIEWS]
SEEDS = (0, 2, 4)  # those without subgroups of trials, which each kind of review has alone
OTHER = {("arms", "pool-hr"): 6, ("adjusted", "pool-rr"): 0}  # where the first simulated review leaves too little room, another stands for the pair


@pytest.mark.parametrize(("pair", "seed"), [pytest.param(pair, OTHER.get(pair, SEEDS[place % 3]), id="+".join(pair)) for place, pair in enumerate(PAIRS)])
def test_pair_with_a_review_comes_back_whole(pair, seed, tmp_path):
    assert unlike_print(loaded(pair, seed, tmp_path)) == []
