"""Studies and people are placed in whole numbers that meet every count and every sum, or a smallest conflict is named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asprinted.synthesis.evidence.counts import Conflict, Placed, Pool, Wanted, placed

KINDS = 6


def pool(number: int = 12, sizes: tuple[int, ...] = (50, 120, 300), least: int = 20, most: int = 400, **fields: np.ndarray) -> Pool:
    usual = fields.get("usual", np.arange(1, KINDS + 1) / 21)
    return Pool(number, usual, least, most, 110.0, np.array(sizes, dtype=np.int64), fields.get("usual_old", np.full((len(sizes), KINDS), 0.2)))


def wanted(says: str, cells: str, low: float, high: float, people: bool = False, old: int = 3) -> Wanted:
    """A number about the cells whose letters are named, of new studies and of taken ones alike."""
    inside = np.array([letter in cells for letter in "abcdef"])
    return Wanted(says, people, low, high, inside, np.tile(inside, (old, 1)))


def sizes_of(one: Pool, found: Placed) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most people that the new studies of each class can have, by their number."""
    counts = np.bincount(found.classes, minlength=len(found.people))
    return counts * one.least, counts * one.most


def value(one: Pool, found: Placed, each: Wanted) -> float:
    """What comes of one number: the studies in its cells, or their people; classes are of one mind about it."""
    old = sum(each.old[study, cell] * (one.sizes[study] if each.people else 1) for study, cell in enumerate(found.old))
    if not each.people:
        return old + int(each.new[found.cells].sum())
    inside = {number: bool(each.new[found.cells[found.classes == number]].all()) for number in np.unique(found.classes)}
    assert all(inside[number] == each.new[found.cells[found.classes == number]].any() for number in inside)
    return old + sum(int(found.people[number]) for number in inside if inside[number])


TOGETHER = [
    wanted("half", "abc", 7, 7), wanted("people of half", "abc", 911, 911, people=True), wanted("few", "cd", 3, 4), wanted("all people", "abcdef", 1700, 1800, people=True), wanted("none", "f", 0, 0),
]  # fmt: skip


def test_every_count_and_sum_is_met_and_every_study_has_its_place():
    one = pool()
    found = placed(one, TOGETHER, np.random.default_rng(1))
    for each in TOGETHER:
        assert each.low <= value(one, found, each) <= each.high, each.says
    assert len(found.cells) == len(found.classes) == 12 and len(found.old) == 3
    least, most = sizes_of(one, found)
    assert (least <= found.people).all() and (found.people <= most).all()


def test_same_seed_gives_the_same_and_another_seed_another():
    first, again, other = (placed(pool(), TOGETHER, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in ("cells", "classes", "people", "old"))
    assert not (np.array_equal(first.cells, other.cells) and np.array_equal(first.people, other.people) and np.array_equal(first.old, other.old))


def test_taken_studies_stay_out_of_cells_where_they_cannot_be():
    allowed = np.zeros((3, KINDS))
    allowed[0, 1] = allowed[1, [2, 3]] = allowed[2, 5] = 1
    for seed in range(5):
        found = placed(pool(usual_old=allowed), [], np.random.default_rng(seed))
        assert found.old[0] == 1 and found.old[1] in (2, 3) and found.old[2] == 5


def test_what_is_usual_is_more_often_where_nothing_is_wanted():
    usual = np.array([0.6, 0.3, 0.1, 0, 0, 0])
    cells = np.concatenate([placed(pool(20, (), usual=usual, usual_old=np.zeros((0, KINDS))), [], np.random.default_rng(seed)).cells for seed in range(20)])
    shares = np.bincount(cells, minlength=KINDS) / len(cells)
    assert np.abs(shares - usual).max() < 0.1 and not shares[3:].any()


def test_conflict_names_a_smallest_set_and_nothing_else():
    impossible = [wanted("some", "ab", 3, 5), wanted("inside", "a", 6, 9), wanted("apart", "f", 1, 2), wanted("people", "abcdef", 1500, 1600, people=True)]
    with pytest.raises(Conflict) as caught:
        placed(pool(), impossible, np.random.default_rng(1))
    assert caught.value.names == ["some", "inside"]


def test_sum_of_people_that_no_sizes_give_is_a_conflict_with_its_count():
    with pytest.raises(Conflict) as caught:
        placed(pool(), [wanted("five", "ef", 5, 5, old=3), wanted("too few people", "ef", 60, 80, people=True), wanted("others", "ab", 2, 3)], np.random.default_rng(1))
    assert caught.value.names == ["five", "too few people"]


def test_pool_that_cannot_be_at_all_names_no_number():
    with pytest.raises(Conflict, match="the number and the sizes of studies alone"):
        placed(pool(usual_old=np.zeros((3, KINDS))), TOGETHER, np.random.default_rng(1))


def possible(one: Pool, asked: list[Wanted]) -> bool:
    """Whether whole numbers exist, by trying every division of the studies over the cells."""
    for counts in (each for each in itertools.product(range(one.number + 1), repeat=KINDS) if sum(each) == one.number):
        for cells in itertools.product(range(KINDS), repeat=len(one.sizes)):
            if not all(one.usual_old[study, cell] > 0 for study, cell in enumerate(cells)):
                continue
            if all(each.low <= np.dot(each.new, counts) + sum(each.old[study, cell] for study, cell in enumerate(cells)) <= each.high for each in asked):
                return True
    return False


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from("abcdef"), min_size=1).map(lambda letters: "".join(sorted(letters))), st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=5))
def test_studies_are_found_exactly_where_a_full_search_finds_some(asked):
    one = pool(3, (50,))
    each = [wanted(f"{place}: {cells}", cells, low, low + more, old=1) for place, (cells, low, more) in enumerate(asked)]
    try:
        found = placed(one, each, np.random.default_rng(0))
    except Conflict as conflict:
        assert not possible(one, each)
        named = [wanted for wanted in each if wanted.says in conflict.names]
        assert not possible(one, named) and all(possible(one, [other for other in named if other is not left]) for left in named)
        return
    assert all(wanted.low <= value(one, found, wanted) <= wanted.high for wanted in each)
