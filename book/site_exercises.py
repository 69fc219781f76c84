"""The exercises as readers do them in Chromium: every starter runs, every solution is solved, wrong answers are told what is wrong, code is kept and forgotten."""

from __future__ import annotations

import json

from book import exercises, notebooks
from book.browser import Browser
from book.environment import ROOT
from book.exercises import Exercise
from book.site_quiz import click

THERE = """[...document.querySelectorAll(".exercise")].map((exercise) => exercise.querySelector("textarea") && exercise.querySelector(".exercise-check")
    ? exercise.id : `${exercise.id} without editor`)"""
CHECK = """(async (exercise, code) => {
    const field = exercise.querySelector("textarea"), feedback = exercise.querySelector(".exercise-feedback");
    if (code !== null) { field.value = code; field.dispatchEvent(new Event("input", {bubbles: true})); }
    const done = new Promise((resolve) => new MutationObserver((_, watch) => {
        if (exercise.dataset.answered) { watch.disconnect(); resolve(); }
    }).observe(exercise, {attributes: true}));
    exercise.querySelector(".exercise-check").click();
    await done;
    return {answered: exercise.dataset.answered, said: feedback.textContent};
})(document.getElementById(%s), %s)"""
START = "asprinted.live.run(document.getElementById(%s).querySelector('textarea').value).then(({error}) => error)"
STATE = """((exercise) => ({code: exercise.querySelector("textarea").value, answered: exercise.dataset.answered ?? ""}))(document.getElementById(%s))"""
BAR = 'document.querySelector(".exercise-bar [role=status]").textContent'
STORED = "Object.keys(localStorage).filter((name) => name.startsWith('asprinted:') && name.endsWith(':exercises'))"


TYPE = """((exercise, code) => { const field = exercise.querySelector("textarea");
    field.value = code; field.dispatchEvent(new Event("input", {bubbles: true})); })(document.getElementById(%s), %s)"""
LOOP = "while True:\n    pass"
STOPPED = """(async (exercise) => {
    const stop = exercise.querySelector(".live-stop"), check = exercise.querySelector(".exercise-check"), free = () => !check.hasAttribute("aria-disabled");
    check.click();
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop.focus();
    stop.click();
    while (!free()) await new Promise((resolve) => setTimeout(resolve, 20));
    return {focus: document.activeElement.className, said: exercise.querySelector(".exercise-feedback").textContent};
})(document.getElementById(%s))"""
CHANGED = """(async (exercise) => {
    const check = exercise.querySelector(".exercise-check");
    check.click();
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const press of [1, 2]) document.querySelector(".exercise-forget").click();
    while (check.hasAttribute("aria-disabled")) await new Promise((resolve) => setTimeout(resolve, 20));
    return {said: exercise.querySelector(".exercise-feedback").textContent, answered: exercise.dataset.answered ?? "", stored: Object.keys(localStorage).filter((name) => name.startsWith("asprinted:"))};
})(document.getElementById(%s))"""
BOTH = """(async (exercise, loop) => {
    const field = exercise.querySelector("textarea"), [run, check, stop] = [".live-run", ".exercise-check", ".live-stop"].map((each) => exercise.querySelector(each));
    const ran = new Promise((resolve) => exercise.addEventListener("live:result", resolve, {once: true}));
    field.value = "sum(range(10 ** 6))";
    run.click();
    field.value = loop;
    check.click();
    await ran;
    const stops = !stop.disabled;
    stop.click();
    return stops;
})(document.getElementById(%s), %s)"""
TABS = """(() => {
    const found = [], name = "asprinted:a:b", [one, other] = [0, 0].map(() => asprinted.progress("a", "b"));
    one.keep("x", 1); other.keep("y", 2);
    found.push(JSON.stringify(one.read()));
    other.forget(); one.keep("z", 3);
    found.push(JSON.stringify(other.read()));
    for (const text of ['"abc"', "5", "true", "[1]", "null", "{"]) {
        localStorage.setItem(name, text);
        one.keep("x", 1);
        found.push(localStorage.getItem(name));
    }
    one.drop("x");
    found.push(String(localStorage.getItem(name)));
    return found;
})()"""


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the exercises at `home`: all starters and solutions, one wrong answer a chapter, and how the first page keeps code and forgets it."""
    await chromium.look(1280, 800, dark=False)
    found, first = [], True
    for path in sorted((ROOT / "chapters").glob("*.exercises.yml")):
        slug = path.name.partition(".")[0]
        held = exercises.load(path, notebooks.read(path.with_name(f"{slug}.ipynb")))
        await chromium.visit(f"{home}/chapters/{slug}.html")
        await chromium.value("localStorage.clear()")
        there = await chromium.value(THERE)
        said = [] if sorted(there) == sorted(_id(each) for each in held) else [f"its exercises are {there}, in {path.name} {[_id(each) for each in held]}"]
        said = said or [*await _done(chromium, held), *(await _at_first(chromium, f"{home}/chapters/{slug}.html", slug, held) if first else [])]
        found += [f"chapters/{slug}.html: {fault}" for fault in [*said, *chromium.faults()]]
        first = False
    return found if not first else ["no chapter has exercises"]


def _id(exercise: Exercise) -> str:
    return f"exercise-{exercise.id}"


async def _done(chromium: Browser, held: list[Exercise]) -> list[str]:
    """Return the starters that do not run, the solutions that are not solved, and the wrong answer that is not told what is wrong."""
    found = []
    for number, exercise in enumerate(held):
        place = json.dumps(_id(exercise))
        if error := await chromium.value(START % place):
            found.append(f"{_id(exercise)}: its starter does not run: {error}")
        if number == 0:
            code, wanted = exercise.wrong[0]
            told = await chromium.value(CHECK % (place, json.dumps(code)))
            if told["answered"] != "wrong" or wanted not in told["said"]:
                found.append(f"{_id(exercise)}: a wrong answer is told {told['said']!r}, not {wanted!r}")
        told = await chromium.value(CHECK % (place, json.dumps(exercise.solution)))
        if told["answered"] != "right" or "Solved." not in told["said"]:
            found.append(f"{_id(exercise)}: its solution is told {told['said']!r}")
    told = await chromium.value(BAR)
    return found if told.startswith(f"{len(held)} of {len(held)} exercises solved") else [*found, f"all solved, the bar says {told!r}"]


async def _at_first(chromium: Browser, page: str, slug: str, held: list[Exercise]) -> list[str]:
    return [*await _kept(chromium, page, slug, held), *await _remembered(chromium, page, held[0])]


async def _remembered(chromium: Browser, page: str, exercise: Exercise) -> list[str]:
    """Return what goes wrong with code that is typed and not checked, put back, stopped, or forgotten while it is checked, and with two tabs."""
    place, found = json.dumps(_id(exercise)), []

    async def expect(what: str, **wanted: str) -> None:
        await chromium.visit("about:blank")
        await chromium.visit(page)
        if (state := await chromium.value(STATE % place)) != wanted:
            found.append(f"{what}, and after a reload it holds {state}, not {wanted}")

    await chromium.value(TYPE % (place, json.dumps("typed = 1")))
    await expect("code is typed and not checked", code="typed = 1", answered="")
    await chromium.value(f"document.getElementById({place}).querySelector('.live-reset').click()")
    await expect("typed code is put back", code=exercise.starter, answered="")
    await chromium.value(TYPE % (place, json.dumps("undone = 1")))
    for _ in ("Reset", "Undo reset"):
        await chromium.value(f"document.getElementById({place}).querySelector('.live-reset').click()")
    await expect("typed code is put back, and that is undone", code="undone = 1", answered="")
    await chromium.value(CHECK % (place, json.dumps(exercise.solution)))
    await chromium.value(TYPE % (place, json.dumps(LOOP)))
    if (told := await chromium.value(STOPPED % place)) != {"focus": "exercise-check", "said": "✗ It did not run through. Stopped."}:
        found.append(f"a check that is stopped gives {told}")
    await expect("solved once, then stopped", code=LOOP, answered="right")
    await chromium.value(f"document.getElementById({place}).querySelector('.live-reset').click()")
    await expect("solved once, then put back", code=exercise.starter, answered="right")
    await chromium.value(TYPE % (place, json.dumps(exercise.solution)))
    if (told := await chromium.value(CHANGED % place)) != {"said": "", "answered": "", "stored": []}:
        found.append(f"code that is forgotten while it is checked leaves {told}")
    if not await chromium.value(BOTH % (place, json.dumps(LOOP))):
        found.append("Stop cannot be pressed while a check runs that waited for Run")
    wanted = ['{"x":1,"y":2}', '{"z":3}', *['{"x":1}'] * 6, "null"]
    if (told := await chromium.value(TABS)) != wanted:
        found.append(f"two tabs of a chapter keep {told}, not {wanted}")
    return found


async def _kept(chromium: Browser, page: str, slug: str, held: list[Exercise]) -> list[str]:
    """Return what goes wrong when the page is opened again, and when the reader has the code forgotten."""
    place, found = json.dumps(_id(held[0])), []
    await chromium.visit("about:blank")
    await chromium.visit(page)
    state = await chromium.value(STATE % place)
    if state != {"code": held[0].solution, "answered": "right"}:
        found.append(f"after a reload the first exercise holds {state}")
    if await chromium.value(STORED) != [f"asprinted:{slug}:exercises"]:
        found.append(f"the browser keeps {await chromium.value(STORED)}")
    await click(chromium, "document.querySelector('.exercise-forget')")
    if await chromium.value(STORED) != [f"asprinted:{slug}:exercises"]:
        found.append("one press on Forget my code forgets it, without asking")
    await click(chromium, "document.querySelector('.exercise-forget')")
    await chromium.visit("about:blank")
    await chromium.visit(page)
    state, told = await chromium.value(STATE % place), await chromium.value(BAR)
    if state != {"code": held[0].starter, "answered": ""} or await chromium.value(STORED) or not told.startswith("0 of "):
        found.append(f"Forget my code leaves {state}, and the bar says {told!r}")
    return found
