"""The questions that `asprinted new` asks on a terminal for what its options leave open: each answer is read when it is given, and one can go back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from asprinted.paper import plan as plans
from asprinted.study import StudyError

Ask = Callable[[str], str]
Read = TypeVar("Read")
BACK = ("<", "back")
HINT = 'What stands in [brackets] is taken where you answer nothing. Answer < or back to return to the question before.'


class _Back(Exception):
    """The question before is to be asked again."""


class Dialogue:
    """Questions one after another, each asked until its answer can be read; by one of BACK the one before is asked again, with all that hangs on it."""

    def __init__(self, ask: Ask, tell: Callable[[str], None]):
        self._ask, self._tell = ask, tell
        self._given: list[str] = []  # answers that could be read
        self._left: list[str] = []  # of these, those that are still to be gone through again

    def held(self, questions: Callable[[Dialogue], Read]) -> Read:
        """What `questions` make of the answers. They are gone through again from the start when somebody goes back, with the answers that stand."""
        while True:
            try:
                return questions(self)
            except _Back:
                self._given.pop()
                self._left = list(self._given)

    def tell(self, text: str) -> None:
        """Say something, but for what was said already."""
        if not self._left:
            self._tell(text)

    def asked(self, read: Callable[[str], Read], question: str, default: str = "", example: str = "") -> Read:
        """What `read` makes of the answer; asked again, with what was wrong, until it can be read. An empty answer means the default."""
        shown = f"{question}{f' (such as {example})' if example else ''}{f' [{default}]' if default else ''}: "
        return self._read(shown, lambda answer: read(answer or default))

    def several(self, read: Callable[[str, tuple[Read, ...]], Read], question: str, fewest: int, example: str, enough: Callable[[tuple[Read, ...]], None] = lambda found: None) -> tuple[Read, ...]:
        """What `read` makes of one answer after another, beside those found, until an empty one; `fewest` are needed, and `enough` raises StudyError where more are."""
        found: tuple[Read, ...] = ()

        def one(answer: str) -> Read | None:
            if answer or len(found) < fewest:
                return read(answer, found)
            enough(found)
            return None

        while True:
            needed = len(found) < fewest
            shown = f"{question} {len(found) + 1}{f' (such as {example})' if not found else ''}{'' if needed else ', or nothing to go on'}: "
            if (each := self._read(shown, one)) is None:
                return found
            found += (each,)

    def _read(self, shown: str, read: Callable[[str], Read]) -> Read:
        if self._left:
            return read(self._left.pop(0))
        while True:
            answer = self._ask(shown).strip()
            if answer.lower() in BACK:
                if self._given:
                    raise _Back
                self._tell("  This is the first question.")
                continue
            try:
                found = read(answer)
            except StudyError as error:
                self._tell(f"  {error.remedy}")
                continue
            self._given.append(answer)
            return found


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
