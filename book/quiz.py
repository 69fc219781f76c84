"""Quiz questions: ``chapters/<slug>.questions.yml`` checked and written as Markdown that the chapter includes.

A numeric answer is never typed: it names a claim that the chapter checks or a text that it says.
The file is a list of questions:

    - id: baseline-difference
      stem: Which comparison does the p value belong to?
      section: What is compared                # the heading under which the chapter explains it
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
      section: What is compared
      kind: numeric
      answer: {claim: score.change.est}     # or {claim: "some-trial:score.change.est"} in a chapter of several studies
      feedback: Take one change from the other.
      slips:                                # numbers that people get by a misconception; the list may be left out
        - answer: {said: sum_of_changes}
          misconception: changes added
          feedback: Both arms rose; what differs is how far.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from book import headings, listed, quiz_keys
from book.errors import BookError
from book.listed import Entry

FIELDS = {
    "choice": {"id", "stem", "section", "kind", "options"},
    "numeric": {"id", "stem", "section", "kind", "answer", "feedback"},
}
SLIP = {"answer", "misconception", "feedback"}
RIGHT, WRONG = {"text", "correct", "feedback"}, {"text", "correct", "feedback", "misconception"}


def load(path: Path) -> list[Entry]:
    """Return the questions in `path`, checked; raise BookError with file, question, field, value and remedy."""
    questions = listed.read(path, "question", ("id", "stem", "kind"))
    for question in questions:
        _check(question)
    return questions


def _check(question: Entry) -> None:
    held, kind = question.held, question.held.get("kind")
    if kind not in FIELDS:
        raise question.wrong("kind", kind, "use choice or numeric")
    question.fields(FIELDS[kind], {field: value for field, value in held.items() if (kind, field) != ("numeric", "slips")})
    question.texts(("stem", "section"))
    (_check_options if kind == "choice" else _check_numbers)(question)


def _check_numbers(question: Entry) -> None:
    question.texts(("feedback",))
    question.source("answer", question.held["answer"], "the number")
    slips = question.held.get("slips", [])
    if not isinstance(slips, list) or not all(isinstance(slip, dict) for slip in slips):
        raise question.wrong("slips", slips, "give a list, each with answer, misconception and feedback")
    for place, slip in enumerate(slips, 1):
        where = f"slips[{place}]."
        question.fields(SLIP, slip, where)
        question.source(f"{where}answer", slip["answer"], "the number")
        question.texts(("misconception", "feedback"), slip, where)


def _check_options(question: Entry) -> None:
    options = question.held["options"]
    if not isinstance(options, list) or not 2 <= len(options) <= 26:
        raise question.wrong("options", options, "give a list of at least two options")
    for place, option in enumerate(options):
        where = f"options[{chr(ord('a') + place)}]."
        if not isinstance(option, dict) or not isinstance(option.get("correct"), bool):
            raise question.wrong(f"{where}correct", option, "write correct: true or correct: false")
        question.fields(RIGHT if option["correct"] else WRONG, option, where)
        question.texts(sorted(set(option) - {"correct"}), option, where)
    if not any(option["correct"] for option in options):
        raise question.wrong("options", [option["text"] for option in options], "mark at least one option correct: true")


def answer(question: Entry, chapter: dict) -> str:
    """Return the number that answers a numeric question, as the executed `chapter` computed it."""
    return question.source_text("answer", question.held["answer"], chapter)


def render(questions: list[Entry], chapter: dict) -> str:
    """Return the questions as Markdown: a numbered list, lettered options, and the answers folded away."""
    return "\n".join(
        _rendered(number, question.held, _marks(question, chapter), _told(question, chapter), _section(question, chapter))
        for number, question in enumerate(questions, 1)
    )


def _rendered(number: int, question: dict, marks: str, told: list[str], section: str) -> str:
    lines = [f'<div class="quiz-question"{marks}>', "", f"(question-{question['id']})=", f"**Question {number}.** {_flow(question['stem'])}", ""]
    if question["kind"] == "choice":
        lines += ["{.quiz-options}", *(f"- **{letter}.** {_flow(option['text'])}" for letter, option in _lettered(question)), ""]
    return "\n".join([*lines, ":::{dropdown} Answer and feedback", "{.quiz-options}" if question["kind"] == "choice" else "", *told, "", "{.quiz-section}", section, ":::", "", "</div>", ""])


def _marks(question: Entry, chapter: dict) -> str:
    """Return what the page's script must know of a question, as attributes of its element."""
    held = {"chapter": question.file.removesuffix(".questions.yml"), "id": question.held["id"], "kind": question.held["kind"]}
    if question.held["kind"] == "choice":
        held["right"] = " ".join(letter for letter, option in _lettered(question.held) if option["correct"])
    else:
        text = answer(question, chapter)
        held |= {"key": _key(question, "answer", text), "unit": quiz_keys.unit(text)}
        held["slips"] = [_key(question, f"slips[{place}].answer", number) for place, number in enumerate(_slips(question, chapter), 1)]
    texts = {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in held.items()}
    return "".join(f' data-{name}="{html.escape(text, quote=False).replace(chr(34), "&quot;")}"' for name, text in texts.items() if text)


def _key(question: Entry, field: str, text: str) -> list[dict]:
    try:
        return quiz_keys.key(text)
    except BookError as problem:
        raise BookError(f"{question.file}: question {question.name}: field {field}: {problem}") from None


def _slips(question: Entry, chapter: dict) -> list[str]:
    found, right = [], answer(question, chapter)
    for place, slip in enumerate(question.held.get("slips", []), 1):
        field = f"slips[{place}].answer"
        found.append(question.source_text(field, slip["answer"], chapter))
        if quiz_keys.numbers(found[-1]) == quiz_keys.numbers(right):
            raise question.wrong(field, found[-1], "this is the right answer too; name another number, or leave the slip out")
    return found


def _told(question: Entry, chapter: dict) -> list[str]:
    """Return the lines of answer and feedback."""
    if question.held["kind"] == "choice":
        return [
            f"- **{letter}. Right.** {_flow(option['feedback'])}" if option["correct"]
            else f"- **{letter}. Not right.** The slip: {_flow(option['misconception'])}. {_flow(option['feedback'])}"
            for letter, option in _lettered(question.held)
        ]  # fmt: skip
    slips = [
        f"- **Not {number}.** The slip: {_flow(slip['misconception'])}. {_flow(slip['feedback'])}"
        for number, slip in zip(_slips(question, chapter), question.held.get("slips", []))
    ]
    return [f"**{answer(question, chapter)}.** {_flow(question.held['feedback'])}", *(["", "{.quiz-slips}", *slips] if slips else [])]


def _section(question: Entry, chapter: dict) -> str:
    """Return the line that leads from the answer to the part of the chapter that explains it."""
    words = _flow(question.held["section"])
    addresses = {heading: address for address, heading in reversed(headings.by_address(chapter).items())}
    if words not in addresses:
        raise question.wrong("section", words, f"the chapter has no such heading; it has {'; '.join(addresses)}")
    return f"Where the chapter explains it: [{words}](#{addresses[words]})"


def _lettered(question: dict) -> list[tuple[str, dict]]:
    return [(chr(ord("a") + place), option) for place, option in enumerate(question["options"])]


def _flow(words: str) -> str:
    return " ".join(words.split())
