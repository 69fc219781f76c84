"""What a check finds, the smallest set of numbers in conflict, and the fewest changes that heal it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import Any, NamedTuple, TypeVar, Union

from asprinted.printed import Number, Printed, parse

POSSIBLE, CONTRADICTORY, UNDECIDED = "possible", "contradictory", "undecided"
SEARCHED = ((1, 1), (1, 0), (2, 1), (1, 5), (2, 2))  # (how many numbers change, by how many units of their last digit at most; 0: the sign instead)
SIGNED = ("estimate", "est", "mean", "r", "lo", "hi", "t", "d")  # names of numbers, or their first words, that may stand on either side of zero

Name = TypeVar("Name", bound=Hashable)
Text = Union[str, int, Printed]
Numbers = Mapping[str, Printed]


class Decision(NamedTuple):
    """A verdict with its reason: `witness` holds unrounded values that print every number, `proof` is a sentence."""

    verdict: str
    proof: str
    witness: Mapping[str, Any] = {}


class Asked(NamedTuple):
    """What a question was put to: the numbers, and what decides and refutes any of them, as `finding` takes it."""

    numbers: Numbers
    decide: Callable[[Numbers], Decision]
    impossible: Callable[[Numbers], bool] | None


@dataclass(frozen=True)
class Finding:
    """One question put to printed numbers, and its answer.

    verdict: "possible", "contradictory" or "undecided". printed: name → text of what took part. witness: name → unrounded
    value, for "possible". proof: a sentence with the decisive bounds. conflict: the names of a smallest conflicting set;
    conflicts: all of that size. healing: the fewest changes of last digits, or of a sign, that make it possible, each as (name, printed,
    healed); empty where none was found among the changes in SEARCHED. releases: the smallest sets of names, of one or two, without
    any one of which what is left is no longer contradictory. asked: what `without` and `again` put the question to once more.
    """

    question: str
    verdict: str
    printed: Mapping[str, str]
    proof: str
    witness: Mapping[str, Any] = field(default_factory=dict)
    conflict: tuple[str, ...] = ()
    conflicts: tuple[tuple[str, ...], ...] = ()
    healing: tuple[tuple[str, str, str], ...] = ()
    releases: tuple[tuple[str, ...], ...] = ()
    asked: Asked | None = field(default=None, repr=False, compare=False)

    def without(self, names: Collection[str]) -> Decision:
        """The answer to the same question of all numbers but these, without what a Finding adds to it."""
        return self.asked.decide({name: number for name, number in self.asked.numbers.items() if name not in names})

    def again(self, names: Collection[str]) -> Finding:
        """The same question put to all numbers but these."""
        gone = [name for name in self.asked.numbers if name in names]
        left = {name: number for name, number in self.asked.numbers.items() if name not in names}
        return finding(f"{self.question} (Without {and_list(gone)}.)" if gone else self.question, left, self.asked.decide, self.asked.impossible)


def read(**texts: Text | None) -> dict[str, Printed]:
    """Name → `Printed` of every text given; whole numbers are counts. Raises ValueError or TypeError, as `parse` does."""
    return {name: text if isinstance(text, Printed) else parse(str(text) if type(text) is int else text) for name, text in texts.items() if text is not None}


def finding(question: str, numbers: Numbers, decide: Callable[[Numbers], Decision], impossible: Callable[[Numbers], bool] | None = None) -> Finding:
    """The answer of `decide` to all `numbers`; where it is "contradictory", with the smallest conflicts, the healing and the releases.

    `decide` must take any subset of the numbers. `impossible` says faster whether a subset is contradictory; where it leaves
    open what `decide` proves of all numbers, `decide` is asked of the subsets, too.
    """
    verdict, proof, witness = decide(numbers)
    texts = {name: number.text for name, number in numbers.items()}
    if verdict != CONTRADICTORY:
        return Finding(question, verdict, texts, proof, witness, asked=Asked(numbers, decide, impossible))
    refuted = impossible if impossible and impossible(numbers) else lambda some: decide(some).verdict == CONTRADICTORY
    clash = cache(lambda names: refuted({name: number for name, number in numbers.items() if name in names}))
    left = cache(lambda gone: clash(frozenset(numbers) - gone))
    conflicts = smallest_conflicts(list(numbers), lambda names: clash(frozenset(names)))
    healing = fewest_changes(numbers, lambda some: not (impossible and impossible(some)) and decide(some).verdict == POSSIBLE, conflicts, lambda names: left(frozenset(names)))
    ends = releases(list(numbers), conflicts, lambda names: left(frozenset(names)))
    return Finding(question, verdict, texts, proof, {}, conflicts[0], conflicts, healing, ends, Asked(numbers, decide, impossible))


def smallest_conflict(names: Sequence[Name], impossible: Callable[[tuple[Name, ...]], bool]) -> tuple[Name, ...]:
    """The first of the smallest subsets of `names` that are `impossible`; empty where none is."""
    return next(iter(smallest_conflicts(names, impossible)), ())


def smallest_conflicts(names: Sequence[Name], impossible: Callable[[tuple[Name, ...]], bool]) -> tuple[tuple[Name, ...], ...]:
    """All subsets of `names` of the smallest size at which one is `impossible`, in the order of `names`.

    What is impossible must stay so with more names: then a name without which all the others are possible is in every such subset,
    and only the rest are tried, by size. A set found has no smaller rival; meant for up to about a dozen names.
    """
    if not impossible(tuple(names)):
        return ()
    needed = {name for name in names if not impossible(tuple(other for other in names if other != name))}
    rest = [name for name in names if name not in needed]
    for size in range(len(rest) + 1):
        subsets = (tuple(name for name in names if name in needed or name in more) for more in combinations(rest, size))
        found = tuple(subset for subset in subsets if subset and impossible(subset))
        if found:
            return found
    return ()


def releases(names: Sequence[str], conflicts: Sequence[Sequence[str]], left: Callable[[tuple[str, ...]], bool], most: int = 2) -> tuple[tuple[str, ...], ...]:
    """The smallest sets of names, of `most` at most, without which the others are no longer contradictory; `left` says whether they still are."""
    for size in range(1, most + 1):
        hits = (some for some in combinations(names, size) if all(set(some) & set(conflict) for conflict in conflicts))
        found = tuple(some for some in hits if not left(some))
        if found:
            return found
    return ()


def fewest_changes(
    numbers: Numbers, possible: Callable[[Numbers], bool], conflicts: Iterable[Sequence[str]] = (), left: Callable[[tuple[str, ...]], bool] | None = None
) -> tuple[tuple[str, str, str], ...]:  # fmt: skip
    """The first change of last digits, or of a sign, in the order of SEARCHED, after which the numbers are `possible`; empty where none is.

    Each change is (name, printed, healed). Only numbers printed as equal to something change. A change that leaves one of
    the `conflicts` as it was cannot heal, so it is not tried; nor is one of numbers without which the others are still
    contradictory, which `left` says where it is given.
    """
    names = [name for name, number in numbers.items() if number.relation == "="]
    moved = cache(lambda name, units: shifted(numbers[name], units) if units else turned(numbers[name]))
    tried: set[tuple[tuple[str, int], ...]] = set()
    for changed, reach in SEARCHED:
        steps = [step for size in range(1, reach + 1) for step in (-size, size)] or [0]
        able = names if reach else [name for name in names if name.split()[0] in SIGNED and numbers[name].value]
        subsets = [subset for subset in combinations(able, changed) if all(set(subset) & set(conflict) for conflict in conflicts) and not (left and left(subset))]
        plans = [tuple(zip(subset, units)) for subset in subsets for units in product(steps, repeat=changed)]
        for plan in sorted(plans, key=lambda plan: sum(abs(units) for _, units in plan)):
            if plan in tried:
                continue
            tried.add(plan)
            healed = {name: moved(name, units) for name, units in plan}
            if possible({**numbers, **healed}):
                return tuple((name, numbers[name].text, healed[name].text) for name in healed)
    return ()


def shifted(number: Printed, units: int) -> Printed:
    """The number printed `units` units of its last digit further up, in the same style."""
    return parse(number.render(Fraction(number.value) + Fraction(units, 10**number.decimals)), number.rounding)


def turned(number: Printed) -> Printed:
    """The number printed with the other sign, in the same style."""
    return parse(number.render(-Fraction(number.value)), number.rounding)


def sign_alone(before: str, after: str) -> bool:
    """True where two printed numbers differ in their sign and nothing else."""
    first, second = parse(before), parse(after)
    return first.value == -second.value != 0


def plain(value: Number, number: Printed) -> Number:
    """`value` as a float where that prints the same, else as it is."""
    return float(value) if number.contains(value) == number.contains(float(value)) else value


def and_list(names: Iterable[str]) -> str:
    """The names as words of a sentence: "lo, hi and p"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def apart(lower: Number, upper: Number) -> tuple[str, str]:
    """Two bounds in conflict, lower > upper, with as many digits as show it: the first rounded down, the second up."""
    lower, upper = (0 if abs(value) < 1e-12 * abs(other) else value for value, other in ((lower, upper), (upper, lower)))  # what floats leave of nothing
    for digits in range(4, 20):
        shown = significant(lower, digits, up=False), significant(upper, digits, up=True)
        if Decimal(shown[0]) > Decimal(shown[1]):
            return shown
    return shown


def significant(value: Number, digits: int, up: bool) -> str:
    """`value` with so many significant digits, rounded up or down and never past it."""
    exact = Fraction(value)
    if exact == 0:
        return "0"
    places = digits - len(str(int(abs(exact)))) if abs(exact) >= 1 else digits - 1 - Decimal(exact.numerator / exact.denominator).adjusted()
    scaled = exact * Fraction(10) ** places
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return f"{Decimal(whole).scaleb(-places):f}"
