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

import yaml

from book import notebooks, quiz_keys
from book.errors import BookError

QUESTION = {
    "choice": {"id", "stem", "kind", "options"},
    "numeric": {"id", "stem", "kind", "answer", "feedback"},
}
SLIP = {"answer", "misconception", "feedback"}
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
    _fields({field: held for field, held in question.items() if (kind, field) != ("numeric", "slips")}, QUESTION[kind], wrong, "")
    if not isinstance(question["id"], str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", question["id"]):
        raise wrong("id", question["id"], "use lower-case words joined by hyphens")
    if question["id"] in seen:
        raise wrong("id", question["id"], "another question has this id; choose a new one")
    seen.add(question["id"])
    _text(question, "stem", wrong, "")
    if kind == "numeric":
        _text(question, "feedback", wrong, "")
        _source(question, wrong, "")
        slips = question.get("slips", [])
        if not isinstance(slips, list) or not all(isinstance(slip, dict) for slip in slips):
            raise wrong("slips", slips, "give a list, each with answer, misconception and feedback")
        for place, slip in enumerate(slips, 1):
            where = f"slips[{place}]."
            _fields(slip, SLIP, wrong, where)
            _source(slip, wrong, where)
            for field in ("misconception", "feedback"):
                _text(slip, field, wrong, where)
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


def _source(held: dict, wrong, where: str) -> None:
    answer = held["answer"]
    if not isinstance(answer, dict) or len(answer) != 1 or not set(answer) <= {"claim", "said"}:
        raise wrong(f"{where}answer", answer, "name what holds the number: {claim: score.change.p} or {said: name}")


def _text(held: dict, field: str, wrong, where: str) -> None:
    if not isinstance(held[field], str) or not held[field].strip():
        raise wrong(f"{where}{field}", held[field], "write a text (in quotes if it looks like a number)")


def answer(file: str, question: dict, chapter: dict) -> str:
    """Return the number that answers a numeric question, as the executed `chapter` computed it."""
    return _held(file, question["id"], "answer", question["answer"], chapter)


def _held(file: str, name: str, field: str, sought: dict, chapter: dict) -> str:
    (source, wanted), = sought.items()
    if source == "said":
        held, meant = notebooks.said(chapter), wanted
    else:
        held = {address: claim["computed"] for address, claim in notebooks.claims(chapter).items()}
        found = [address for address in held if wanted in (address, address.rpartition(":")[2])]
        if len(found) > 1:
            raise BookError(f"{file}: question {name}: field {field}.claim: {wanted!r}: several studies of the chapter have it; write one of {', '.join(found)}")
        meant = found[0] if found else wanted
    if meant not in held:
        near = ", ".join(sorted(held)[:8]) or "none"
        raise BookError(
            f"{file}: question {name}: field {field}.{source}: {wanted!r}: "
            f"the chapter has no such {'claim' if source == 'claim' else 'said value'}; it has {near}"
        )
    return str(held[meant])


def render(file: str, questions: list[dict], chapter: dict) -> str:
    """Return the questions as Markdown: a numbered list, lettered options, and the answers folded away."""
    slug = file.removesuffix(".questions.yml")
    return "\n".join(
        _rendered(number, question, _marks(file, slug, question, chapter), _told(file, question, chapter))
        for number, question in enumerate(questions, 1)
    )


def _rendered(number: int, question: dict, marks: str, told: list[str]) -> str:
    lines = [f'<div class="quiz-question"{marks}>', "", f"(question-{question['id']})=", f"**Question {number}.** {_flow(question['stem'])}", ""]
    if question["kind"] == "choice":
        lines += ["{.quiz-options}", *(f"- **{letter}.** {_flow(option['text'])}" for letter, option in _lettered(question)), ""]
    return "\n".join([*lines, ":::{dropdown} Answer and feedback", "{.quiz-options}" if question["kind"] == "choice" else "", *told, ":::", "", "</div>", ""])


def _marks(file: str, slug: str, question: dict, chapter: dict) -> str:
    """Return what the page's script must know of a question, as attributes of its element."""
    held = {"chapter": slug, "id": question["id"], "kind": question["kind"]}
    if question["kind"] == "choice":
        held["right"] = " ".join(letter for letter, option in _lettered(question) if option["correct"])
    else:
        text = answer(file, question, chapter)
        held |= {"key": _key(file, question, "answer", text), "unit": quiz_keys.unit(text)}
        held["slips"] = [_key(file, question, f"slips[{place}].answer", number) for place, number in enumerate(_slips(file, question, chapter), 1)]
    texts = {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in held.items()}
    return "".join(f' data-{name}="{html.escape(text, quote=False).replace(chr(34), "&quot;")}"' for name, text in texts.items() if text)


def _key(file: str, question: dict, field: str, text: str) -> list[dict]:
    try:
        return quiz_keys.key(text)
    except BookError as problem:
        raise BookError(f"{file}: question {question['id']}: field {field}: {problem}") from None


def _slips(file: str, question: dict, chapter: dict) -> list[str]:
    found, right = [], answer(file, question, chapter)
    for place, slip in enumerate(question.get("slips", []), 1):
        found.append(_held(file, question["id"], f"slips[{place}].answer", slip["answer"], chapter))
        if quiz_keys.numbers(found[-1]) == quiz_keys.numbers(right):
            raise BookError(f"{file}: question {question['id']}: field slips[{place}].answer: {found[-1]!r}: this is the right answer too; name another number, or leave the slip out")
    return found


def _told(file: str, question: dict, chapter: dict) -> list[str]:
    """Return the lines of answer and feedback."""
    if question["kind"] == "choice":
        return [
            f"- **{letter}. Right.** {_flow(option['feedback'])}" if option["correct"]
            else f"- **{letter}. Not right** ({_flow(option['misconception'])}). {_flow(option['feedback'])}"
            for letter, option in _lettered(question)
        ]  # fmt: skip
    slips = [
        f"- **Not {number}** ({_flow(slip['misconception'])}). {_flow(slip['feedback'])}"
        for number, slip in zip(_slips(file, question, chapter), question.get("slips", []))
    ]
    return [f"**{answer(file, question, chapter)}.** {_flow(question['feedback'])}", *(["", "{.quiz-slips}", *slips] if slips else [])]


def _lettered(question: dict) -> list[tuple[str, dict]]:
    return [(chr(ord("a") + place), option) for place, option in enumerate(question["options"])]


def _flow(words: str) -> str:
    return " ".join(words.split())
