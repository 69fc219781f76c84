"""The questions as readers answer them: by mouse and by keyboard, kept over a reload, forgotten on request, tried in Chromium.

What a typed number is said to be is held against `asprinted.printed`, which is another program than the page's script.
"""

from __future__ import annotations

import json
from decimal import Decimal

from asprinted.printed import parse
from book import quiz_keys
from book.browser import Browser

QUESTIONS = """[...document.querySelectorAll(".quiz-question")].map((question) => ({...question.dataset,
    live: Boolean(question.querySelector("form fieldset legend")), inputs: question.querySelectorAll("form input").length,
    explained: Boolean(document.getElementById(decodeURIComponent(question.querySelector("details .quiz-section a")?.hash ?? "#").slice(1)))}))"""
PAGES = "[...new Set([...document.querySelectorAll('nav.bd-links a.internal')].map((link) => new URL(link.href).pathname.slice(1)))]"
STATE = """((question) => ({said: question.querySelector(".quiz-feedback").textContent.trim(), answered: question.dataset.answered ?? "",
    open: question.querySelector("details").open}))(document.querySelectorAll(".quiz-question")[%d])"""
BAR = 'document.querySelector(".quiz-bar [role=status]").textContent'
CENTRE = """((place) => { place.scrollIntoView({block: "center", behavior: "instant"}); const box = place.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2]; })(%s)"""
STORED = "Object.fromEntries(Object.entries(localStorage).filter(([name]) => name.startsWith('asprinted:') && name.endsWith(':quiz')))"
KEPT = "JSON.parse(Object.entries(localStorage).find(([name]) => name.startsWith('asprinted:') && name.endsWith(':quiz'))[1])[%s].given"
ALL = """((chapter) => {
    const questions = [...document.querySelectorAll(".quiz-question")], end = () => document.querySelector(".quiz-end");
    const answer = (question, right) => {
        const form = question.querySelector("form"), {kind} = question.dataset;
        if (kind === "choice") form.querySelectorAll("input").forEach((radio) => { radio.checked = right === question.dataset.right.split(" ").includes(radio.value); });
        else JSON.parse(question.dataset.key).forEach((key, place) => { form.querySelectorAll("input")[place].value = right ? key.text : "-987654321"; });
        form.requestSubmit();
    };
    answer(questions[1], false);
    questions.slice(0, -1).forEach((question) => answer(question, true));
    const before = end().textContent;
    answer(questions.at(-1), true);
    return [before, end().textContent, [...end().querySelectorAll("a")].map((link) => document.querySelector(link.hash) === questions[1]), end().getAttribute("role")];
})()"""
PADS = """[...document.querySelectorAll(".quiz-question form input[type=text]")].map((field) => {
    const keys = JSON.parse(field.closest(".quiz-question").dataset.key);
    const wanted = keys.some(({relation, value}) => relation !== "=" || value.startsWith("-")) ? "text" : "decimal"; // decimals' keys on telephones have no sign
    return field.inputMode === wanted && field.getAttribute("autocapitalize") === "off" && field.getAttribute("autocorrect") === "off" && !field.spellcheck ? "" : field.id;
}).filter(Boolean)"""
END = 'document.querySelector(".quiz-end").textContent'
KEYS = {"Enter": ("Enter", 13, "\r"), "Tab": ("Tab", 9, ""), " ": ("Space", 32, " "), "ArrowDown": ("ArrowDown", 40, ""), "ArrowUp": ("ArrowUp", 38, "")}


SAMPLES = ("0.50", "7", "−1.20", "12%", "4,321", ".010", "1,000", "0.96 to 1.04")  # of no study: last noughts, signs, thousands, per cent
BOUND = "<.001"
BOUNDS = {"<.001": "right", "< 0.001": "right", "p<,001": "right", "0.0004": "right", "<.01": "bound", "<.0001": "wrong", ">.001": "wrong", "0.002": "wrong", ".001": "wrong"}
THOUSANDS = {"4,321": "right", "4 321": "right", "4.321": "right", "4321": "right", "4'321": "right", "4,32": "wrong", "43,21": "wrong"}
SPELLED = {
    "216": {"216": "right", "216.": "right", "+216": "right", "21 6": "unread", "2 16": "unread", "2'16": "unread", "216k": "unread", "216 thousand": "unread",
            "216 points": "unread", f"2{' ' * 2000}16": "unread", f"216{' ' * 2000}x": "unread"},
    "1234567": {"1 234 567": "right", "1\u00a0234\u202f567": "right", "1’234’567": "right", "1 234567": "unread", "1 234 567.0": "right"},
    "2.7 percentage points": {"2.7 percentage points": "right", "2.7 points": "right", "2.7": "right", "2.7%": "right", "2.7 people": "unread"},
    "45 per cent": {"45%": "right", "45 per cent": "right", "45": "right", "0.45": "scale"},
    "45%": {"45": "right", "45 percent": "right", "45%.": "right"},
    "0": {"0": "right", "40": "wrong", "-40": "wrong"},
}  # fmt: skip


async def press(chromium: Browser, key: str, shift: bool = False) -> None:
    """Press and release a key, as a keyboard does."""
    code, number, text = KEYS[key]
    about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
    await chromium.call("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": text} if text else {}))
    await chromium.call("Input.dispatchKeyEvent", type="keyUp", **about)


async def click(chromium: Browser, place: str) -> None:
    """Click the middle of what the JavaScript expression `place` names, once it is in view."""
    x, y = await chromium.value(CENTRE % place)
    for kind in ("mousePressed", "mouseReleased"):
        await chromium.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def typed_cases(key: dict) -> list[tuple[str, str]]:
    """Return texts that a reader may type for `key`, each with what it must be said to be, worked out by `asprinted.printed`."""
    printed, unit = parse(key["text"]), Decimal(1).scaleb(-key["decimals"])
    value, mark = printed.value, "%" if printed.percent else ""
    near, finer, far = value + unit, value + unit / 4, value + 40 * unit
    cases = [key["text"], f"{value:f}", f"{value:f}".replace(".", ","), f"{value:f}".replace("-", "\u2212"), f"  {value:f} ", f"{finer:f}", f"{near:f}", f"{far:f}"]
    if key["decimals"] and value:
        shorter = parse(f"{value:f}").render(value)
        cases += [shorter.replace("0.", ".", 1)]
        blunt = f"{round(value, key['decimals'] - 1):f}"
        cases += [blunt] if Decimal(blunt) and parse(blunt).contains(value) else []
    found = []
    for text in dict.fromkeys(cases):
        number = parse(text.strip().replace(",", ".") if key["decimals"] else text.strip().rstrip("%") + mark).value
        digits = -number.as_tuple().exponent
        if printed.contains(number) and digits >= key["decimals"]:
            verdict = "right"
        elif digits < key["decimals"]:
            verdict = "fewer"
        else:
            verdict = "near" if abs(number - value) <= unit * Decimal("1.5") else "wrong"
        found.append((text, verdict))
    return [*found, (f"{-value - 40 * unit:f}", "wrong"), ("none", "unread"), *([(f"{-value:f}", "sign")] if value else [])]


async def _samples(chromium: Browser) -> list[str]:
    """Return what the script of the open page judges wrongly of numbers that no question asks for."""
    return [f"{fault} (a sample)" for text in SAMPLES for fault in await _judged(chromium, {"id": "of no page", "key": json.dumps(quiz_keys.key(text))})]


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the questions at `home`: how they are judged on every page, and how the first page with both kinds works by hand."""
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(f"{home}/index.html")
    found, tried, sampled = [], "", False
    for page in await chromium.value(PAGES):
        await chromium.visit(f"{home}/{page}")
        questions = await chromium.value(QUESTIONS)
        if questions and not sampled:
            sampled, found = True, [*found, *await _samples(chromium), *await _inequalities(chromium)]
        said = [f"question {each['id']} is not answered in the page" for each in questions if not each["live"] or not each["inputs"]]
        said += [f"question {each['id']} leads to no part of the chapter" for each in questions if not each["explained"]]
        for each in questions:
            if each["kind"] == "numeric":
                said += await _judged(chromium, each)
        if not tried and {each["kind"] for each in questions} == {"choice", "numeric"} and not said:
            tried = page
            said += await _by_hand(chromium, f"{home}/{page}", questions)
        found += [f"{page}: {fault}" for fault in said]
    return found if tried else [*found, "no page has questions of both kinds that are answered in the page"]


async def _inequalities(chromium: Browser) -> list[str]:
    """Return what is judged otherwise than it must be where the key is an inequality, has a mark of thousands or a unit, or is nought."""
    found = []
    for text, cases in ((BOUND, BOUNDS), ("4,321", THOUSANDS), *SPELLED.items()):
        key, unit = json.dumps(quiz_keys.key(text)[0]), json.dumps(quiz_keys.unit(text))
        verdicts = await chromium.value(f"{json.dumps(list(cases))}.map((typed) => asprinted.judge(typed, {key}, [], {unit}).verdict)")
        found += [f"{typed[:20]!r} for {text} is said to be {verdict}, not {cases[typed]}" for typed, verdict in zip(cases, verdicts, strict=True) if verdict != cases[typed]]
    return found


async def _judged(chromium: Browser, question: dict) -> list[str]:
    """Return the typed numbers that the page's script judges otherwise than `asprinted.printed`."""
    found, keys = [], json.loads(question["key"])
    for place, slips in enumerate(json.loads(question.get("slips", "[]"))):  # every known slip is named as what it is
        for number, (slip, key) in enumerate(zip(slips, keys)):
            if quiz_keys.numbers(slip["text"]) == quiz_keys.numbers(key["text"]):
                continue  # only the other end is mistaken
            asked = f"asprinted.judge({json.dumps(slip['text'])}, {json.dumps(key)}, {json.dumps([each[number] for each in json.loads(question['slips'])])})"
            if (told := await chromium.value(asked)) != {"verdict": "slip", "slip": place}:
                found.append(f"question {question['id']}: the slip {slip['text']} is said to be {told}")
    for key in keys:
        cases = typed_cases(key)
        verdicts = await chromium.value(f"{json.dumps([text for text, _ in cases])}.map((typed) => asprinted.judge(typed, {json.dumps(key)}).verdict)")
        found += [f"question {question['id']}: {text!r} for {key['text']} is said to be {verdict}, which it is not: it is {wanted}"
                  for (text, wanted), verdict in zip(cases, verdicts, strict=True) if verdict != wanted]  # fmt: skip
    return found


async def _by_hand(chromium: Browser, page: str, questions: list[dict]) -> list[str]:
    """Return what goes wrong when a choice and a number are answered wrong and right, by mouse and by keyboard, and kept and forgotten."""
    await chromium.value("localStorage.clear()")
    chosen = next(each["id"] for each in questions if each["kind"] == "choice")
    typed = next(each for each in questions if each["kind"] == "numeric")
    unread = {"given": ["no idea"] * typed["inputs"], "right": False, "first": False}
    earlier = json.dumps({"of-an-earlier-edition": {"given": "a", "right": True}, chosen: {"given": "No option says this.", "right": True}, typed["id"]: unread})
    await chromium.value(f"localStorage.setItem('asprinted:{questions[0]['chapter']}:quiz', {json.dumps(earlier)})")
    await chromium.visit("about:blank")
    await chromium.visit(page)
    found = []
    if not (told := await chromium.value(BAR)).startswith(f"0 of {len(questions)} answered, 0 right"):
        found.append(f"what was asked in an earlier edition is counted: {told!r}")
    await chromium.value("localStorage.clear()")

    async def expect(what: str, place: int, answered: str, *words: str) -> None:
        state = await chromium.value(STATE % place)
        if state["answered"] != answered or not all(word in state["said"] for word in words):
            found.append(f"{what}: question {questions[place]['id']} is {state['answered'] or 'unanswered'} and says {state['said'][:90]!r}")

    def part(place: int, selector: str) -> str:
        return f"document.querySelectorAll('.quiz-question')[{place}].querySelector({json.dumps(selector)})"

    first = next(place for place, each in enumerate(questions) if each["kind"] == "choice")
    number = next(place for place, each in enumerate(questions) if each["kind"] == "numeric")
    right = questions[first]["right"].split()[0]
    wrong = next(letter for letter in "abc" if letter not in questions[first]["right"].split())
    if any(questions[first]["right"] in state for state in [(await chromium.value(STATE % first))["said"]] if state):
        found.append("an answer is given before it is asked for")
    await click(chromium, part(first, "button[type=submit]"))
    await expect("checked without a choice", first, "", "Choose an answer first.")
    for letter, answered, words in ((wrong, "wrong", "Not right. The slip: "), (right, "right", "Right.")):
        await click(chromium, f"{part(first, f'input[value={letter}]')}.closest('label')")
        await expect("chosen and not yet checked", first, "")
        await click(chromium, part(first, "button[type=submit]"))
        await expect("by mouse", first, answered, words, "Where the chapter explains it: ")
    if (told := await chromium.value(BAR)) and not told.startswith(f"1 of {len(questions)} answered, 1 right"):
        found.append(f"after one answer the bar says {told!r}")

    found += [f"the field {field} asks a telephone for the wrong keys, or lets it change what is typed" for field in await chromium.value(PADS)]
    keys = json.loads(questions[number]["key"])
    for text in ("no idea", "2 or 3"):  # what is no number is no answer, and the next try is the first
        await chromium.value(f"{part(number, 'form')}.reset()")
        await chromium.value(f"{part(number, 'form')}.querySelectorAll('input').forEach((field) => {{ field.value = {json.dumps(text)}; }})")
        await click(chromium, part(number, "button[type=submit]"))
        await expect(f"{text!r} typed", number, "", "cannot be read as a number", "try again")
        if (told := await chromium.value(BAR)) and not told.startswith(f"1 of {len(questions)} answered, 1 right"):
            found.append(f"after an answer that is no number the bar says {told!r}")
    for texts, answered in (([f"{parse(key['text']).value + 40:f}" for key in keys], "wrong"), ([key["text"] for key in keys], "right")):
        await chromium.value(f"{part(number, 'form')}.reset()")
        await chromium.value(f"{part(number, 'input')}.focus()")
        for place, text in enumerate(texts):
            if place:
                await press(chromium, "Tab")
            await chromium.call("Input.insertText", text=text)
        await press(chromium, "Enter")
        await expect("typed, with the keyboard", number, answered, "Right" if answered == "right" else "Not right", "Where the chapter explains it: ")

    # the choice again, with the keyboard alone: from its first option on, arrows choose, Enter checks
    letters = [chr(97 + place) for place in range(questions[first]["inputs"])]
    await chromium.value(f"{part(first, 'form')}.reset()")
    await chromium.value(f"{part(first, 'input')}.focus()")
    await press(chromium, " ")
    for _ in range(letters.index(wrong)):
        await press(chromium, "ArrowDown")
    await press(chromium, "Enter")
    await expect("by keyboard", first, "wrong", "Not right")
    for _ in range(abs(letters.index(right) - letters.index(wrong))):
        await press(chromium, "ArrowDown" if right > wrong else "ArrowUp")
    await press(chromium, "Tab")
    if not await chromium.value(f"document.activeElement === {part(first, 'button[type=submit]')}"):
        found.append("Tab does not lead from the options to Check")
    await press(chromium, "Enter")
    await expect("by keyboard", first, "right", "Right.")

    await chromium.visit("about:blank")
    await chromium.visit(page)
    await expect("after a reload", first, "right", "Right.")
    await expect("after a reload", number, "right", "Right")
    told = await chromium.value(BAR)
    if not told.startswith(f"2 of {len(questions)} answered, 2 right"):
        found.append(f"after a reload the bar says {told!r}")
    if list(await chromium.value(STORED)) != [f"asprinted:{questions[0]['chapter']}:quiz"]:
        found.append(f"the browser keeps {await chromium.value(STORED)}")
    if await chromium.value(KEPT % json.dumps(chosen)) != await chromium.value(f"{part(first, f'input[value={right}]')}.nextElementSibling.textContent.slice(3)"):
        found.append("a choice is not kept by its words, so that it would change with the order of the options")
    await click(chromium, "document.querySelector('.quiz-forget')")
    await click(chromium, "document.querySelector('.quiz-forget')")
    words = f"All {len(questions)} questions are answered, {len(questions) - 1} right at the first try. Worth another look: question 2."
    if (told := await chromium.value(ALL)) != ["", words, [True], "status"]:
        found.append(f"when the last question is answered, the second wrong at first, the page says {told}")
    await chromium.visit("about:blank")
    await chromium.visit(page)
    if (told := await chromium.value(END)) != words:
        found.append(f"all answered, after a reload the page says {told!r}")
    await click(chromium, "document.querySelector('.quiz-forget')")
    await expect("after one press on Forget my answers", first, "right", "Right.")
    await click(chromium, "document.querySelector('.quiz-forget')")
    await expect("after forgetting", first, "")
    await chromium.visit("about:blank")
    await chromium.visit(page)
    await expect("forgotten, after a reload", number, "")
    if await chromium.value(STORED) or not (await chromium.value(BAR)).startswith(f"0 of {len(questions)} answered"):
        found.append(f"Forget my answers leaves {await chromium.value(STORED)} and says {await chromium.value(BAR)!r}")
    return found
