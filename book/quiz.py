"""Quiz questions: ``chapters/<slug>.questions.yml`` checked and written as Markdown that the chapter includes.

A numeric answer is never typed: it names a claim that the chapter checks or a text that it says.
The file is a list of questions:

    - id: baseline-difference
      stem: Which comparison does the p value belong to?
      kind: choice
      options:
        - text: Change in one arm against change in the other
          correct: true
          feedback: Yes. The interaction compares the two changes.
        - text: Before against after in the programme arm
          correct: false
          misconception: within-arm change taken for an effect
          feedback: That change has no comparison group.
    - id: difference
      stem: By how many points do the changes differ?
      kind: numeric
      answer: {claim: score.change.est}     # or {claim: "some-trial:score.change.est"} in a chapter of several studies
      feedback: Take one change from the other.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from book import notebooks
from book.errors import BookError

QUESTION = {
    "choice": {"id", "stem", "kind", "options"},
    "numeric": {"id", "stem", "kind", "answer", "feedback"},
}
RIGHT, WRONG = {"text", "correct", "feedback"}, {"text", "correct", "feedback", "misconception"}


def load(path: Path) -> list[dict]:
    """Return the questions in `path`, checked; raise BookError with file, question, field, value and remedy."""
    try:
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise BookError(f"{path.name}: not readable as YAML: {problem}")
    if not isinstance(questions, list) or not questions:
        raise BookError(f"{path.name}: the file must be a list of questions, each beginning with - id: ...")
    seen: set[str] = set()
    for number, question in enumerate(questions, 1):
        _check(path.name, number, question, seen)
    return questions


def _check(file: str, number: int, question: object, seen: set[str]) -> None:
    name = question.get("id", number) if isinstance(question, dict) else number

    def wrong(field: str, value: object, remedy: str) -> BookError:
        return BookError(f"{file}: question {name}: field {field}: {value!r}: {remedy}")

    if not isinstance(question, dict):
        raise wrong("(whole)", question, "write a mapping with id, stem and kind")
    kind = question.get("kind")
    if kind not in QUESTION:
        raise wrong("kind", kind, "use choice or numeric")
    _fields(question, QUESTION[kind], wrong, "")
    if not isinstance(question["id"], str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", question["id"]):
        raise wrong("id", question["id"], "use lower-case words joined by hyphens")
    if question["id"] in seen:
        raise wrong("id", question["id"], "another question has this id; choose a new one")
    seen.add(question["id"])
    _text(question, "stem", wrong, "")
    if kind == "numeric":
        _text(question, "feedback", wrong, "")
        answer = question["answer"]
        if not isinstance(answer, dict) or len(answer) != 1 or not set(answer) <= {"claim", "said"}:
            raise wrong("answer", answer, "name what holds the number: {claim: score.change.p} or {said: name}")
        return
    options = question["options"]
    if not isinstance(options, list) or not 2 <= len(options) <= 26:
        raise wrong("options", options, "give a list of at least two options")
    for place, option in enumerate(options):
        where = f"options[{chr(ord('a') + place)}]."
        if not isinstance(option, dict) or not isinstance(option.get("correct"), bool):
            raise wrong(f"{where}correct", option, "write correct: true or correct: false")
        _fields(option, RIGHT if option["correct"] else WRONG, wrong, where)
        for field in set(option) - {"correct"}:
            _text(option, field, wrong, where)
    if not any(option["correct"] for option in options):
        raise wrong("options", [option["text"] for option in options], "mark at least one option correct: true")


def _fields(held: dict, wanted: set[str], wrong, where: str) -> None:
    for field in sorted(wanted - set(held)):
        raise wrong(f"{where}{field}", None, "the field is missing; add it")
    for field in sorted(map(str, set(held) - wanted)):
        raise wrong(f"{where}{field}", held.get(field), f"unknown here; known are {', '.join(sorted(wanted))}")


def _text(held: dict, field: str, wrong, where: str) -> None:
    if not isinstance(held[field], str) or not held[field].strip():
        raise wrong(f"{where}{field}", held[field], "write a text (in quotes if it looks like a number)")


def answer(file: str, question: dict, chapter: dict) -> str:
    """Return the number that answers a numeric question, as the executed `chapter` computed it."""
    (source, name), = question["answer"].items()
    if source == "said":
        held = notebooks.said(chapter)
    else:
        held = {address: claim["computed"] for address, claim in notebooks.claims(chapter).items()}
        meant = [address for address in held if name in (address, address.rpartition(":")[2])]
        if len(meant) > 1:
            raise BookError(f"{file}: question {question['id']}: field answer.claim: {name!r}: several studies of the chapter have it; write one of {', '.join(meant)}")
        name = meant[0] if meant else name
    if name not in held:
        near = ", ".join(sorted(held)[:8]) or "none"
        raise BookError(
            f"{file}: question {question['id']}: field answer.{source}: {name!r}: "
            f"the chapter has no such {'claim' if source == 'claim' else 'said value'}; it has {near}"
        )
    return str(held[name])


def render(file: str, questions: list[dict], chapter: dict) -> str:
    """Return the questions as Markdown: a numbered list, lettered options, and the answers folded away."""
    return "\n".join(
        _rendered(number, question, answer(file, question, chapter) if question["kind"] == "numeric" else "")
        for number, question in enumerate(questions, 1)
    )


def _rendered(number: int, question: dict, value: str) -> str:
    lines = [f"(question-{question['id']})=", f"**Question {number}.** {_flow(question['stem'])}", ""]
    if question["kind"] == "numeric":
        told = [f"**{value}.** {_flow(question['feedback'])}"]
    else:
        letters = [chr(ord("a") + place) for place in range(len(question["options"]))]
        lines += ["{.quiz-options}", *(f"- **{letter}.** {_flow(option['text'])}" for letter, option in zip(letters, question["options"])), ""]
        told = [_told(letter, option) for letter, option in zip(letters, question["options"])]
    return "\n".join([*lines, ":::{dropdown} Answer and feedback", "{.quiz-options}" if len(told) > 1 else "", *told, ":::", ""])


def _told(letter: str, option: dict) -> str:
    if option["correct"]:
        return f"- **{letter}. Right.** {_flow(option['feedback'])}"
    return f"- **{letter}. Not right** ({_flow(option['misconception'])}). {_flow(option['feedback'])}"


def _flow(words: str) -> str:
    return " ".join(words.split())
