"""The questions that `asprinted new` asks on a terminal for what its options leave open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from asprinted.paper import plan as plans
from asprinted.study import StudyError

Ask = Callable[[str], str]
Read = TypeVar("Read")


def asked(
    ask: Ask, tell: Callable[[str], None], read: Callable[[str], Read], question: str, default: str = "", example: str = "",
) -> Read:  # fmt: skip
    """What `read` makes of the answer; asked again, with what was wrong, until it can be read. An empty answer means the default."""
    shown = f"{question}{f' (such as {example})' if example else ''}{f' [{default}]' if default else ''}: "
    while True:
        try:
            return read(ask(shown).strip() or default)
        except StudyError as error:
            tell(f"  {error.remedy}")


def several(ask: Ask, tell: Callable[[str], None], read: Callable[[str], Read], question: str, fewest: int, example: str) -> tuple[Read, ...]:
    """What `read` makes of one answer after another, until an empty one; `fewest` are needed."""
    found: list[Read] = []
    while True:
        needed = len(found) < fewest
        answer = ask(f"{question} {len(found) + 1}{f' (such as {example})' if not found else ''}{'' if needed else ', or nothing to go on'}: ").strip()
        if not answer and not needed:
            return tuple(found)
        try:
            found.append(read(answer))
        except StudyError as error:
            tell(f"  {error.remedy}")


def kind_of_paper(answer: str) -> bool:
    """True for a meta-analysis. Raises StudyError where the answer is neither kind."""
    if answer not in ("trial", "meta-analysis"):
        raise plans.fault("kind", answer, "Answer trial or meta-analysis.")
    return answer == "meta-analysis"


def design(answer: str) -> str:
    """parallel, clusters or groups. Raises StudyError otherwise."""
    if answer not in ("parallel", "clusters", "groups"):
        raise plans.fault("--design", answer, "Answer parallel (people are randomised), clusters (whole practices, schools … are), or groups (people are, and one arm then meets in groups).")
    return answer
