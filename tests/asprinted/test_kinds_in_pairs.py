"""Every pair of kinds of trials in one study file: it comes back whole from print alone, or is refused with the reason that the table gives."""

from __future__ import annotations

import itertools

import pytest

from asprinted import kinds
from asprinted.study import StudyError
from tests.asprinted.kinds import KINDS, REVIEWS
from tests.asprinted.kinds.report import loaded, unlike_print

REASONS = {frozenset(each.kinds): each.reason for each in kinds.REFUSED}
LONG = True  # begun early, see book/pytest_order.py
TIGHT = [("visits", "whole-score"), ("whole-score", "count"), ("whole-score", "subgroups"), ("time", "subgroups")]  # of few whole scores, or of few times: print leaves little room
PAIRS = [*(pair for pair in itertools.combinations([kind for kind in KINDS if kind not in REVIEWS], 2) if pair not in TIGHT), *TIGHT]
SEEDS = {  # where the first simulated trial's print leaves so little room that the search needs minutes, another stands for the pair
    ("clusters", "subgroups"): 7, ("visits", "subgroups"): 11, ("ordinal", "subgroups"): 8, ("correlation", "words"): 8,
    ("visits", "whole-score"): 0, ("whole-score", "count"): 2, ("whole-score", "subgroups"): 2, ("time", "subgroups"): 1,
    ("count", "subgroups"): 2,
}  # fmt: skip


@pytest.mark.parametrize(("pair", "seed"), [pytest.param(pair, SEEDS.get(pair, place % 6), id="+".join(pair)) for place, pair in enumerate(PAIRS)])
def test_pair_comes_back_whole_or_is_refused_by_name(pair, seed, tmp_path):
    if reason := REASONS.get(frozenset(pair)):
        with pytest.raises(StudyError) as raised:
            loaded(pair, seed, tmp_path)
        assert raised.value.remedy == reason
        return
    assert unlike_print(loaded(pair, seed, tmp_path)) == []


def test_few_pairs_are_refused_each_of_known_kinds():
    assert len(REASONS) == len(kinds.REFUSED) <= 5
    assert {kind for pair in REASONS for kind in pair} <= set(KINDS)
