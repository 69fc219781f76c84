"""Live cells as a reader uses them, in Chromium: every one is run and compared with its chapter as text; one is changed, broken, stopped and put back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from book.browser import Browser
from book.environment import ROOT

LIST = "live/live.json"
ASKED = """performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => /pyodide|live\\/|\\.wasm/.test(name))"""
MOUNTED = """[...document.querySelectorAll(".live")].map((cell) => cell.querySelector("textarea") ? cell.id : `${cell.id} without editor`)"""
LABELLED = """[...document.querySelectorAll(".live textarea")].filter((field) => !field.labels.length).map((field) => field.id)"""
SKIP = """(() => {
    const link = document.querySelector(".live") ? document.querySelector(`#pst-skip-link a[href="#${document.querySelector(".live").id}"]`) : null;
    link?.focus();
    link?.click();
})()"""
SKIPPED = 'document.activeElement === document.querySelector(".live textarea")'
RUN = """(async (cell, code) => {
    const field = cell.querySelector("textarea");
    if (code !== null) { field.value = code; field.dispatchEvent(new Event("input", {bubbles: true})); }
    const done = new Promise((resolve) => cell.addEventListener("live:result", (event) => resolve(event.detail), {once: true}));
    cell.querySelector(".live-run").click();
    const {text, error} = await done;
    return {text, error, expected: cell.dataset.expects, same: Boolean(cell.querySelector(".live-same")),
            other: Boolean(cell.querySelector(".live-other")), shown: cell.querySelector(".live-output").textContent};
})"""
STOP = """(async (cell) => {
    const field = cell.querySelector("textarea"), end = cell.querySelector(".live-stop");
    field.value = "while True:\\n    pass";
    const done = new Promise((resolve) => cell.addEventListener("live:result", (event) => resolve(event.detail.error), {once: true}));
    cell.querySelector(".live-run").click();
    setTimeout(() => end.click(), 300);
    return done;
})"""
TURNS = """(async (first, second) => {
    const [one, two] = [first, second].map((cell) => new Promise((resolve) => cell.addEventListener("live:result", (event) => resolve(event.detail), {once: true})));
    first.querySelector("textarea").value = "while True:\\n    pass";
    second.querySelector("textarea").value = "'ran'";
    for (const cell of [first, second]) cell.querySelector(".live-run").click();
    setTimeout(() => second.querySelector(".live-stop").click(), 300);
    const {text, error} = await two, busy = !first.querySelector(".live-stop").disabled;
    first.querySelector(".live-stop").click();
    return [text, error, busy, (await one).error];
})"""
AWAY = """
import js
from pyodide.ffi import to_js

away = "127.0.0.1:{port}"


def asked():
    request = js.XMLHttpRequest.new()
    request.open("GET", f"http://{{away}}/xhr", False)
    request.send()


def worker():
    code = to_js([f"fetch('http://{{away}}/nested', {{{{mode: 'no-cors'}}}})"])
    js.Worker.new(js.URL.createObjectURL(js.Blob.new(code)))


for way in (
    asked,
    worker,
    lambda: js.fetch(f"http://{{away}}/fetch", to_js({{"mode": "no-cors"}}, dict_converter=js.Object.fromEntries)),
    lambda: js.WebSocket.new(f"ws://{{away}}/socket"),
    lambda: js.EventSource.new(f"http://{{away}}/events"),
    lambda: js.eval(f"import('http://{{away}}/module.js')"),
):
    try:
        way()
    except Exception:
        pass
"tried"
"""
RESET = """((cell) => {
    cell.querySelector(".live-reset").click();
    return cell.querySelector("textarea").value === cell.querySelector("pre").textContent.replace(/\\n+$/, "");
})"""
UNDO = """((cell) => {
    const field = cell.querySelector("textarea"), button = cell.querySelector(".live-reset"), type = (code) => { field.value = code; field.dispatchEvent(new Event("input", {bubbles: true})); };
    type("mine = 1");
    const seen = [button.textContent.split(":")[0]];
    const press = () => { button.click(); seen.push(field.value === "mine = 1", button.textContent.split(":")[0]); };
    press(); press(); press();
    type("more = 2");
    seen.push(button.textContent.split(":")[0]);
    button.click(); type(field.value);
    return seen;
})"""
UNDONE = ["Reset", False, "Undo reset", True, "Reset", False, "Undo reset", "Reset"]
LOADS = '[...document.querySelectorAll("div.live, div.exercise")].map((cell) => cell.querySelector(".live-loads")?.textContent ?? "")'
HELPS = """[...document.querySelectorAll("div.live textarea, div.exercise textarea")].filter((field) => field.spellcheck || ["autocapitalize", "autocorrect"].some((help) => field.getAttribute(help) !== "off")).map((field) => field.id)"""
BROKEN = "x = [\n  1,\n  yy + 1\n]"
CURLY = "answer = “s” + ‘ix’\nanswer"
# The lines with their numbers, as they lie behind the code: as high and as wide as it, in every cell and exercise of the page.
NUMBERED = """[...document.querySelectorAll(".live-code")].filter((code) => {
    const [lines, field] = code.children;
    return lines.children.length !== field.value.split("\\n").length || ["scrollWidth", "scrollHeight", "clientWidth", "clientHeight"].some((size) => lines[size] !== field[size]);
}).map((code) => code.querySelector("textarea").id)"""
# Where the caret stands when a reader comes by keys, what is marked then, and what is marked when a line has been put above it and it has been changed.
BEGINS = """((cell) => {
    const field = cell.querySelector("textarea"), type = (code) => { field.value = code; field.dispatchEvent(new Event("input", {bubbles: true})); };
    const marked = () => [...cell.querySelectorAll(".live-lines > div")].flatMap((line, place) => line.className ? place + 1 : []);
    const asked = (cell.dataset.change ?? "").split(" ").filter(Boolean).map(Number), before = field.value, found = [];
    const caret = field.value.slice(0, field.selectionStart).split("\\n").length;
    if (!asked.length) return ["no line of the cell is there to be changed"];
    if (caret !== asked[0]) found.push(`the caret stands in line ${caret}, and line ${asked[0]} is to be changed`);
    if (cell.querySelector("label").textContent.match(/Begin at lines? (\\d+)/)?.[1] !== `${asked[0]}`) found.push(`the label does not say which line is to be changed: ${cell.querySelector("label").textContent}`);
    const expect = (what, lines) => `${marked()}` === `${lines}` || found.push(`${what} the lines ${marked()} are marked, not ${lines}`);
    expect("at first", asked);
    type(`# mine\\n${before}`);
    expect("a line lower", asked.map((line) => line + 1));
    type(before.split("\\n").map((line, place) => place + 1 === asked[0] ? "changed = 1" : line).join("\\n"));
    expect("when it is changed", asked);
    type(before);
    return found;
})"""
# What an error says of its line, and where the button beside it leads.
QUOTED = """((cell) => {
    const [said, go, field] = [".live-where code", ".live-to", "textarea"].map((part) => cell.querySelector(part));
    go?.click();
    return [said?.textContent, go?.textContent, document.activeElement === field, field.value.slice(field.selectionStart, field.selectionEnd)];
})"""
# On a phone, run from a button at the lower edge: what came of it is in view, the focus is where it was, and nothing moves where it was in view already.
REVEALED = """(async (cell, button, output) => {
    const run = cell.querySelector(button), field = cell.querySelector("textarea"), found = [];
    const ended = () => new Promise((resolve) => { const look = () => run.hasAttribute("aria-disabled") ? setTimeout(look, 20) : setTimeout(resolve, 100); look(); });
    const seen = () => { const {top, bottom, height} = cell.querySelector(output).getBoundingClientRect(); return height > 0 && top >= 0 && bottom <= innerHeight; };
    run.focus({preventScroll: true});
    for (const block of ["end", "center"]) {
        for (const wait of [500, 0]) { // pictures further up load when they are scrolled to
            run.scrollIntoView({block, behavior: "instant"});
            await new Promise((resolve) => setTimeout(resolve, wait));
        }
        run.click();
        await ended();
        if (!seen()) found.push(`what ${button} comes to is out of view`);
        if (document.activeElement !== run) found.push(`${button} loses the focus`);
    }
    const before = scrollY;
    run.click();
    await ended();
    if (scrollY !== before) found.push(`${button} moves the page, where what it comes to is in view`);
    scrollTo({top: 0, behavior: "instant"});
    run.click();
    await ended();
    if (scrollY) found.push(`${button} brings a reader back who has gone elsewhere`);
    return found;
})"""
FOCUS = '((cell) => { cell.querySelector("textarea").focus(); cell.scrollIntoView(); })'
FOCUSED = "document.activeElement.className"
RAN = """new Promise((resolve) => document.addEventListener("live:result", (event) => resolve(event.detail.text), {once: true}))"""


def _cell(id: str) -> str:
    return f"document.getElementById({json.dumps(id)})"


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the live cells of the site at `home`: each that does not come to its chapter's text, and what an editor fails to do."""
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(f"{home}/index.html")
    listed = json.loads(await chromium.value(f'fetch("{LIST}").then((answer) => answer.text())'))["cells"]
    if not listed:
        return [f"{LIST}: no page has a live cell"]
    found = []
    for page, ids in listed.items():
        await chromium.visit(f"{home}/{page}")
        there = await chromium.value(MOUNTED)
        if sorted(there) != sorted(ids):
            found.append(f"{page}: its live cells are {there}, in {LIST} {ids}")
            continue
        found += [f"{page}: asks for {name} before a cell is run" for name in await chromium.value(ASKED)]
        found += [f"{page}: {name} has no label" for name in await chromium.value(LABELLED)]
        found += [f"{page}: {name} lets a telephone change what is typed" for name in await chromium.value(HELPS)]
        if not all(re.search(r"loads Python, \d+\.\d MB", words) for words in await chromium.value(LOADS)):
            found.append(f"{page}: not every cell says how much its first run loads: {await chromium.value(LOADS)}")
        for id in ids:
            ran = await chromium.value(f"{RUN}({_cell(id)}, null)")
            if ran["error"] or ran["text"] != ran["expected"] or not ran["same"]:
                found.append(f"{page}#{id}: comes to {ran['error'] or ran['text']!r}, the chapter has {ran['expected']!r}; the page says {ran['shown']!r}")
        if any(await chromium.value(LOADS)):
            found.append(f"{page}: cells say that a run loads Python when it is loaded")
        found += [f"{page}: {fault}" for fault in chromium.faults()]
    page, ids = next(iter(listed.items()))
    found += [f"{page}#{ids[0]}: {fault}" for fault in await _edited(chromium, f"{home}/{page}", ids[0])]
    found += [f"{page}: {fault}" for fault in await _phone(chromium, f"{home}/{page}")]
    turns = await chromium.value(f"{TURNS}({_cell(ids[0])}, {_cell(ids[1])})")
    if turns != ["", "Stopped.", True, "Stopped."]:
        found.append(f"{page}: Stop in a cell that waits for another gives {turns}")
    found += [f"{page}#{ids[0]}: {fault}" for fault in await _away(chromium, ids[0])]
    await chromium.visit((ROOT / "_build" / "html" / page).as_uri())
    told = await chromium.value(f"{RUN}({_cell(ids[0])}, null)")
    if "http.server" not in told["error"] or told["error"] not in told["shown"]:
        found.append(f"{page}#{ids[0]}: opened from a folder it says {told['shown']!r}, and not how to serve the folder")
    return found


async def _away(chromium: Browser, id: str) -> list[str]:
    """Return what code in a cell of the open page asks another origin for, whichever way it tries."""
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        ran = await chromium.value(f"{RUN}({_cell(id)}, {json.dumps(AWAY.format(port=other.server_address[1]))})")
        await asyncio.sleep(1)  # what is asked without waiting
        other.shutdown()
    found = [f"code in a cell gets out: it asks another origin for {', '.join(sorted(asked))}"] if asked else []
    return found + ([] if ran["text"] == "tried" else [f"the ways out of a cell could not be tried: {ran['error']}"])


async def _press(chromium: Browser, key: str, number: int, **held: int) -> None:
    for kind in ("rawKeyDown", "keyUp"):
        await chromium.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=number, **held)


async def _phone(chromium: Browser, page: str) -> list[str]:
    """Return what is wrong with the cells and exercises of `page` on a phone whose owner wants no motion: their numbered lines, and where a result appears."""
    await chromium.look(390, 844, dark=True)
    await chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    await chromium.visit(page)
    found = [f"the numbered lines of {name} do not lie behind its code" for name in await chromium.value(NUMBERED)]
    for cell, button, output in ((".live", ".live-run", ".live-output"), (".exercise", ".exercise-check", ".exercise-feedback")):
        found += await chromium.value(f"{REVEALED}(document.querySelector({cell!r}), {button!r}, {output!r})") or []
    await chromium.value("localStorage.clear()")
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(page)
    return found + [f"the numbered lines of {name} do not lie behind its code on a wide screen" for name in await chromium.value(NUMBERED)]


async def _edited(chromium: Browser, page: str, id: str) -> list[str]:
    """Return what a changed cell does wrong: its result, its errors, Stop, Reset, and the keys that run and leave it."""
    await chromium.visit(page)
    cell, found = _cell(id), []
    found += await chromium.value(f"{BEGINS}({cell})")
    await chromium.value(SKIP)
    await _press(chromium, "Tab", 9)
    if not await chromium.value(SKIPPED):
        found.append(f"the link that skips to the first cell, and Tab, lead to {await chromium.value(FOCUSED)!r}, not to its code")
    for code, field, wanted in [
        ("print(6 * 7)\n6 * 7", "text", "42"),
        ("x = 1\n\ny", "error", "Line 3: the name y is not known here"),
        ("x = (1", "error", "Line 1: Python cannot read this line"),
        ("import pandas", "error", "Line 1: pandas cannot run in this page"),
        ("def f():\n    f()\nf()", "error", "Line 2: a function calls itself without end"),
        ("import urllib.request\nurllib.request.urlopen('http://example.invalid')", "error", "Line 2: "),
    ]:
        ran = await chromium.value(f"{RUN}({cell}, {json.dumps(code)})")
        if not ran[field].startswith(wanted) or wanted not in ran["shown"] or ran["same"]:
            found.append(f"{code!r} gives {ran[field]!r}, not {wanted!r}; the page says {ran['shown']!r}")
        if field == "text" and not ran["other"]:
            found.append(f"{code!r} moved the result, and the page does not say so")
    await chromium.value(f"{RUN}({cell}, {json.dumps(BROKEN)})")
    if (told := await chromium.value(f"{QUOTED}({cell})")) != ["yy + 1", "Go to line 3", True, "  yy + 1"]:
        found.append(f"an error does not quote its line, or nothing leads there: {told}")
    ran = await chromium.value(f"{RUN}({cell}, {json.dumps(CURLY)})")
    if await chromium.value(f"Boolean({cell}.querySelector('.live-to'))"):
        found.append("where there is no error, a button leads to its line")
    if ran["text"] != "six" or "Result (answer): six" not in ran["shown"]:
        found.append(f"curly quotes as telephones write them, or the name of a result, give {ran}")
    if (undone := await chromium.value(f"{UNDO}({cell})")) != UNDONE:
        found.append(f"Reset and Undo reset give {undone}, not {UNDONE}")
    stopped = await chromium.value(f"{STOP}({cell})")
    if stopped != "Stopped.":
        found.append(f"an endless loop does not stop: {stopped!r}")
    if not await chromium.value(f"{RESET}({cell})"):
        found.append("Reset does not bring the code back")
    await chromium.value(f"{FOCUS}({cell})")
    await chromium.value(f"window.ran = {RAN}, 1")
    await _press(chromium, "Enter", 13, modifiers=2)  # the control key is held down
    text, expected = await chromium.value("window.ran"), await chromium.value(f"{cell}.dataset.expects")
    if text != expected:
        found.append(f"after Stop and Reset, Ctrl and Enter give {text!r}, the chapter has {expected!r}")
    await _press(chromium, "Tab", 9)
    if (focused := await chromium.value(FOCUSED)) != "live-run":
        found.append(f"Tab leaves the code for {focused!r}, not for Run")
    return found
