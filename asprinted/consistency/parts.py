"""Parts and their whole: do the counts of all parts add up to the total, and their percentages to a hundred?

Where the total is printed, each part's count and percentage leave it a run of whole numbers, and the parts add up to the total if, and only if, it
lies between the sum of the least and that of the greatest. Where only percentages are printed, they are intervals of fractions, and the same holds
of one hundred. The people with a value, too, are parts of a whole, also where a part tells their number only by a count and its percentage. All of it is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from asprinted.consistency import conflict, tables
from asprinted.consistency.conflict import CONTRADICTORY, POSSIBLE, UNDECIDED, Decision, Finding, Numbers, Text


def check(counts: Mapping[str, Text], percents: Mapping[str, Text] | None = None, total: Text | None = None, question: str = "") -> Finding:
    """Whether whole counts of all parts print `counts` and `percents`, part → text, and add up to what prints as `total`.

    A part that stands in one of the two alone is free in the other. The numbers are named "part count" and "part percent". Raises ValueError where a
    text cannot be read.
    """
    parts = list(dict.fromkeys((*counts, *(percents or {}))))
    texts = {f"{part} count": text for part, text in counts.items()} | {f"{part} percent": text for part, text in (percents or {}).items()}
    numbers = conflict.read(**texts, total=total)
    return conflict.finding(question or f"Can {conflict.and_list(parts or ['no parts'])} be all parts of one whole?", numbers, lambda some: _decide(some, parts))


def seen(counts: Mapping[str, Text], percents: Mapping[str, Text], observed: Mapping[str, Text], total: Text, question: str = "") -> Finding:
    """Whether the people with a value in all parts add up to what prints as `total`, where a part tells by count and percentage of how many people it is.

    counts, percents: part → people with the event, and their share of those with a value; observed: part → people with a value. The numbers are named
    "part count", "part percent" and "part n". Raises ValueError where a text cannot be read.
    """
    parts = list(dict.fromkeys((*counts, *percents, *observed)))
    of_parts = (("count", counts), ("percent", percents), ("n", observed))
    numbers = conflict.read(**{f"{part} {name}": texts[part] for part in parts for name, texts in of_parts if part in texts}, total=total)
    return conflict.finding(question or "Do the people seen in the parts add up to the total?", numbers, lambda some: _decide_seen(some, parts))


def _decide_seen(numbers: Numbers, parts: list[str]) -> Decision:
    spans, told = [], []
    for part in parts:
        percent, count, n = (numbers.get(f"{part} {name}") for name in ("percent", "count", "n"))
        least, most = tables.whole_ends(n) if n else (0, None)
        if count:
            first, last = tables.fitting_totals(percent, count) if percent else (tables.whole_ends(count)[0], None)
            least, most = max(least, first), last if most is None else most if last is None else min(most, last)
        if most is not None and least > most:
            return Decision(CONTRADICTORY, f"No number of people in {part} prints {conflict.and_list(each.text for each in (percent, count, n) if each)}.")
        spans.append((least, most))
        told += [f"{count.text} is {percent.text} of {_run(least, most)} people"] if percent and count else [f"there are {_run(least, most)} people in {part}"]
    if "total" not in numbers:
        return Decision(UNDECIDED, "The total is not printed.")
    fewest, greatest = tables.whole_ends(numbers["total"])
    low, high = sum(least for least, _ in spans), None if any(most is None for _, most in spans) else sum(most for _, most in spans)
    if (high is not None and high < fewest) or (greatest is not None and low > greatest):
        sums = f"at most {high}" if high is not None and high < fewest else f"at least {low}"
        return Decision(CONTRADICTORY, f"{conflict.and_list(told)}: {sums} in all, and the total is {numbers['total'].text}.")
    if any(numbers[name].relation != "=" for name in numbers):
        return Decision(UNDECIDED, "Not every number is printed as one.")
    left, witness = max(fewest, low) - low, {"total": max(fewest, low)}
    for part, (least, most) in zip(parts, spans):
        more = left if most is None else min(left, most - least)
        left -= more
        witness[f"{part} n"] = least + more
    people = [f"{witness[name]} people in {part}" for part in parts for name in (f"{part} n",)]
    return Decision(POSSIBLE, f"Every number prints with {conflict.and_list(people)}.", witness)


def _run(least: int, most: int | None) -> str:
    return f"{least}" if least == most else f"{least} to {most}" if most is not None else f"{least} or more"


def _decide(numbers: Numbers, parts: list[str]) -> Decision:
    counts = [numbers.get(f"{part} count") for part in parts]
    percents = [numbers.get(f"{part} percent") for part in parts]
    ends = [tables.whole_ends(count) if count else (0, None) for count in counts]
    least, most = tables.whole_ends(numbers["total"]) if "total" in numbers else (0, None)
    if "total" not in numbers and all(counts):
        least, most = sum(low for low, _ in ends), None if any(high is None for _, high in ends) else sum(high for _, high in ends)
    if least == most == 0 and any(percents) and all(0 in tables.fitting_counts(None, count, 0) for count in counts):
        return Decision(UNDECIDED, tables.OF_NOBODY)
    if least == most:
        return _of_total(least, parts, [tables.fitting_counts(percent, count, least) for percent, count in zip(percents, counts)])
    if most is not None and (low := sum(low for low, _ in ends)) > most:
        return Decision(CONTRADICTORY, f"The parts add up to {low} or more, and the total is at most {most}.")
    if all(percents) and least == 0 and not any(low for low, _ in ends) and all(percent.value == 0 for percent in percents):
        return Decision(UNDECIDED, "The percentages add up to 0, and may be of nobody.")
    if all(percents):
        found = _of_percents(numbers, parts)
        if found.verdict == CONTRADICTORY or not any(counts) and "total" not in numbers:
            return found
    return Decision(UNDECIDED, "Neither the total nor every percentage is printed exactly.")


def _of_total(total: int, parts: list[str], fitting: list[range]) -> Decision:
    """Whether counts from these runs, one a part, add up to the total."""
    for part, found in zip(parts, fitting):
        if not found:
            return Decision(CONTRADICTORY, f"Out of {total}, no count of {part} prints as it should.")
    low, high = sum(found[0] for found in fitting), sum(found[-1] for found in fitting)
    if not low <= total <= high:
        sums = f"{low}" if low == high else f"at least {low}" if low > total else f"at most {high}"
        return Decision(CONTRADICTORY, f"The parts add up to {sums}, and the total is {total}.")
    left, witness = total - low, {"total": total}
    for part, found in zip(parts, fitting):
        more = min(left, len(found) - 1)
        left -= more
        witness |= {f"{part} count": found[0] + more, f"{part} percent": 100 * (found[0] + more) / total if total else 0.0}
    return Decision(POSSIBLE, f"Counts that print them all add up to {total}.", witness)


def _of_percents(numbers: Numbers, parts: list[str]) -> Decision:
    """Whether percentages, as fractions of some whole, add up to a hundred."""
    spans = [numbers[f"{part} percent"].interval() for part in parts]
    lows = [max(Fraction(0), Fraction(span.lo if span.lo is not None else 0)) for span in spans]
    highs = [min(Fraction(100), Fraction(span.hi if span.hi is not None else 100)) for span in spans]
    low, high = sum(lows), sum(highs)
    shut = all(span.lo is None or span.lo < 0 or span.lo_closed for span in spans), all(span.hi is None or span.hi > 100 or span.hi_closed for span in spans)
    if low > 100 or high < 100 or (low == 100 and not shut[0]) or (high == 100 and not shut[1]):
        sums = f"{'at least' if shut[0] else 'more than'} {float(low):.10g}" if low >= 100 else f"{'at most' if shut[1] else 'less than'} {float(high):.10g}"
        return Decision(CONTRADICTORY, f"The percentages of all parts add up to {sums}, not to 100.")
    place = (100 - low) / (high - low) if high > low else Fraction(0)
    values = {f"{part} percent": start + place * (end - start) for part, start, end in zip(parts, lows, highs)}
    if not all(numbers[name].contains(value) for name, value in values.items()):
        return Decision(UNDECIDED, "The percentages add up to 100, if at all, at the ends of what they print.")
    return Decision(POSSIBLE, "Percentages that print them all add up to 100.", {name: conflict.plain(value, numbers[name]) for name, value in values.items()})
