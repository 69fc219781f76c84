"""The figures whose assumptions a reader changes: by keyboard, in every setting, and in both themes, tried in Chromium."""

from __future__ import annotations

from itertools import pairwise

from book.browser import Browser

LINKS = """[...new Set([...document.querySelectorAll("nav.bd-links a.reference.internal")].map((link) => link.href.split("#")[0]))]"""
COUNT = 'document.querySelectorAll("table.asprinted-explore").length'
# Every setting is chosen through the controls; what is shown is compared with the table's row.
WALK = """((number) => {
    const figure = document.querySelectorAll(".explore")[number], table = document.querySelectorAll("table.asprinted-explore")[number], found = [];
    if (!figure) return ["has no controls"];
    if (!figure.nextElementSibling.contains(table)) return ["does not stand before its table"];
    const heads = [...table.tHead.rows[0].cells], boxes = figure.querySelectorAll("fieldset, .explore-slider");
    for (const row of [...table.tBodies[0].rows].reverse()) {
        const setting = [...row.cells].slice(0, boxes.length).map((cell) => cell.textContent);
        setting.forEach((value, place) => {
            const slider = boxes[place].querySelector("input[type=range]");
            if (boxes[place].hidden) return;
            if (!slider) return [...boxes[place].querySelectorAll("input")].find((radio) => radio.value === value).click();
            for (slider.value = 0; ; slider.value = 1 + +slider.value) {
                slider.dispatchEvent(new Event("input"));
                if (slider.nextElementSibling.textContent === value || slider.value === slider.max) break;
            }
        });
        const shown = [...figure.querySelectorAll(".explore-claims li")].map((item) => [...item.querySelectorAll("strong, small:not(.explore-strip *), p")].map((part) => part.textContent.trim()).join("|"));
        const wanted = heads.slice(boxes.length).map((head, place) => {
            const cell = row.cells[place + boxes.length], [computed, verdict] = ["span", "b"].map((part) => cell.querySelector(part)?.textContent ?? "");
            return `${head.querySelector("span").textContent}|printed: ${head.querySelector("small").textContent}|here: ${`${computed || cell.textContent} ${verdict}`.trim()}`;
        });
        wanted.forEach((text, place) => text === shown[place] || found.push(`${setting.join(", ")}: shows ${shown[place]}, where the table has ${text}`));
        const held = row.querySelectorAll('[data-holds="yes"]').length, told = figure.querySelector('[role="status"]').textContent;
        boxes.forEach((box, place) => {
            const slider = box.hidden ? null : box.querySelector("input[type=range]"), name = heads[place].textContent;
            const said = slider?.getAttribute("aria-valuetext") ?? "", unit = said.slice(setting[place].length).replace(/^,? /, "");
            if (slider && (!said.startsWith(setting[place]) || !unit || !name.endsWith(unit))) found.push(`${setting.join(", ")}: the slider ${name} says ${said}, without what it counts`);
        });
        [...row.cells].slice(boxes.length).forEach((cell, place) => {
            const computed = cell.querySelector("span")?.textContent, verdict = cell.dataset.holds === "yes" ? "holds" : "does not hold";
            const words = `${heads[place + boxes.length].querySelector("span").textContent}: here: ${computed}, ${verdict}`;
            if (cell.dataset.holds && !told.includes(words)) found.push(`${setting.join(", ")}: who listens is told ${told}, and not ${words}`);
        });
        const asked = row.querySelectorAll('[data-holds="yes"], [data-holds="no"]').length;
        if (!told.startsWith(`${held} of ${asked} claim${asked === 1 ? "" : "s"} hold${held === 1 ? "s" : ""}.`)) found.push(`${setting.join(", ")}: says ${told}, where ${held} hold`);
        const drawn = figure.querySelectorAll("circle.now, line.now").length;
        const given = row.querySelectorAll("[data-estimate]").length + [...row.querySelectorAll("[data-low]")].filter((cell) => +cell.dataset.low < +cell.dataset.high).length;
        [...figure.querySelectorAll(".explore-claims li")].forEach((item, place) => {
            const cell = row.cells[place + boxes.length], {from, to, estimate, holds} = cell.dataset, band = item.querySelector("rect.prints"), mark = item.querySelector("circle.now");
            if (Boolean(band) !== (+from < +to)) return found.push(`${setting.join(", ")}: the band of what prints so is ${band ? "drawn without need" : "missing"}`);
            const [left, wide, at] = band ? [band.getAttribute("x"), band.getAttribute("width"), mark.getAttribute("cx")].map(parseFloat) : [];
            if (band && (left - 0.02 <= at && at <= left + wide + 0.02) !== (holds === "yes")) found.push(`${setting.join(", ")}: the mark of ${estimate} does not lie as ${holds} says`);
            if (band && !figure.querySelector(".explore-key").textContent.includes("Band: ")) found.push("the key does not name the band");
            const ends = [...item.querySelectorAll("text")].map((label) => label.textContent.replace("−", "-"));
            const all = [...table.tBodies[0].rows].flatMap((each) => ["low", "estimate", "high", "line", "from", "to"].map((name) => Number(each.cells[place + boxes.length].dataset[name] ?? NaN))).filter(Number.isFinite);
            const span = Math.max(...all) - Math.min(...all);
            for (const text of ends) {
                const half = 0.5 / 10 ** (text.split(".")[1] ?? "").length, off = Math.min(...all.map((value) => Math.abs(value - text)));
                if (off > half * 1.001 || (off > 0 && span && half > span / 20)) found.push(`an end is labelled ${text}, where no value is near`);
            }
        });
        if (drawn !== given) found.push(`${setting.join(", ")}: draws ${drawn} marks, where the table gives ${given}`);
    }
    figure.querySelector("button").click();
    return found;
})"""
STATE = """(() => { const control = document.activeElement, figure = control?.closest(".explore");
    return {kind: control?.type, value: control?.getAttribute("aria-valuetext") ?? control?.value, inside: Boolean(figure), told: figure?.querySelector('[role="status"]').textContent,
            claims: figure?.querySelector(".explore-claims").textContent, outlined: control ? getComputedStyle(control).outlineStyle : ""}; })()"""
# On a phone, with each control in the middle of the screen and the last claim at its end, what the setting comes to is in view.
TOLD = """(() => { const figure = document.querySelector(".explore"), told = figure.querySelector('[role="status"]'), last = [...figure.querySelectorAll("li")].at(-1);
    return [...figure.querySelectorAll("fieldset, .explore-slider"), last].filter((part) => part.checkVisibility()).filter((part) => {
        part.scrollIntoView({block: part === last ? "end" : "center", behavior: "instant"});
        const {top, bottom, left} = told.getBoundingClientRect();
        return top < 0 || bottom > innerHeight || !told.contains(document.elementFromPoint(left + 20, (top + bottom) / 2));
    }).map((part) => part.textContent.trim().slice(0, 30)); })()"""
# On a phone, in the setting that is furthest from the start: how much of the screen the line above takes, and the controls that it hides when the focus comes to them.
HIDDEN = """(() => { const figure = document.querySelector(".explore"), told = figure.querySelector('[role="status"]'), found = [];
    for (const set of figure.querySelectorAll("fieldset")) [...set.querySelectorAll("label:not([hidden]) input")].at(-1).click();
    const high = told.getBoundingClientRect().height;
    if (high > innerHeight / 12) found.push(`the line that stays in view is ${high} pixels high`);
    for (const control of [...figure.querySelectorAll("input, button")].filter((part) => part.checkVisibility())) {
        for (const come of [() => control.focus(), () => control.scrollIntoView()]) {
            control.blur();
            scrollTo({top: document.documentElement.scrollHeight, behavior: "instant"});
            come();
            const top = Math.min(...[control, ...control.labels ?? []].map((part) => part.getBoundingClientRect().top));
            if (top < told.getBoundingClientRect().bottom) found.push(`the line that stays in view hides ${control.labels?.[0]?.textContent.trim() || control.textContent}`);
        }
    }
    return [...new Set(found)]; })()"""
LOW = """getComputedStyle(document.querySelector('.explore [role="status"]')).position"""
COLOURS = """(() => { const figure = document.querySelector(".explore"), of = (part) => getComputedStyle(figure.querySelector(part));
    return [getComputedStyle(figure).backgroundColor, getComputedStyle(figure).color, of("circle.now, line.now, .explore-claims li").stroke]; })()"""


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the figures of all pages at `home` that have a table of settings: in any setting, by keyboard, or in a theme."""
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(f"{home}/index.html")
    found, tried, walked = [], 0, False
    for address in await chromium.value(LINKS):
        await chromium.look(1280, 800, dark=False)
        await chromium.visit(address)
        figures, page = await chromium.value(COUNT), address.removeprefix(f"{home}/")
        for number in range(figures):
            found += [f"{page}: explore: {fault}" for fault in await chromium.value(f"{WALK}({number})") or []]
        tried += figures
        if figures and await chromium.value('Boolean(document.querySelector(".explore-slider:not([hidden]) input"))') and not walked:
            walked = True
            found += [f"{page}: explore: {fault}" for fault in await _by_keyboard(chromium)]
        if figures:
            found += [f"{page}: explore: {fault}" for fault in await _themes(chromium, address)]
    if not (tried and walked):
        found.append("explore: no page has a figure with controls, or none a slider")
    return found


async def _press(chromium: Browser, key: str) -> dict:
    code = {"Tab": 9, "Home": 36, "ArrowRight": 39, "ArrowDown": 40}[key]
    for kind in ("rawKeyDown", "keyUp"):
        await chromium.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
    return await chromium.value(STATE)


async def _by_keyboard(chromium: Browser) -> list[str]:
    """Return what cannot be done with Tab and arrows alone in the first figure of the open page: reach each control, and each of its values."""
    found, kinds = [], set()
    await chromium.value('(() => { const figure = document.querySelector(".explore"); figure.tabIndex = -1; figure.focus(); })()')
    state = await _press(chromium, "Tab")
    while state["inside"] and state["kind"] in {"radio", "range"}:
        kinds.add(state["kind"])
        if state["outlined"] == "none":
            found.append(f"the focus on {state['value']} is not seen")
        wanted = await chromium.value("""document.activeElement.type === "range" ? +document.activeElement.max + 1
            : [...document.activeElement.closest("fieldset").querySelectorAll("label:not([hidden]) input")].length""")
        if state["kind"] == "range":
            state = await _press(chromium, "Home")
        states = [state]
        for _ in range(wanted - 1):
            states.append(await _press(chromium, "ArrowRight"))
        if len({each["value"] for each in states}) != wanted:
            found.append(f"the arrow keys reach {len({each['value'] for each in states})} of {wanted} values: {[each['value'] for each in states]}")
        if all(before["claims"] == after["claims"] for before, after in pairwise(states)):
            found.append(f"no claim changes between the values {[each['value'] for each in states]}")
        if not all(each["told"] for each in states):
            found.append("a change is not announced")
        state = await _press(chromium, "Tab")
    left = await chromium.value("""(() => { const figure = document.querySelector(".explore"), button = figure.querySelector(".explore-key button");
        button.focus(); button.click(); return [button.disabled, figure.contains(document.activeElement) && document.activeElement !== button]; })()""")
    if left != [True, True]:
        found.append(f"Back to the start goes, and leaves the keyboard nowhere: {left}")
    return found + ([] if "range" in kinds else [f"Tab reaches no slider, only {', '.join(sorted(kinds)) or 'nothing'}"])


async def _themes(chromium: Browser, address: str) -> list[str]:
    """Return what stays the same where the theme turns dark, and what is too wide on a narrow screen."""
    colours = []
    for dark in (False, True):
        await chromium.look(320, 640, dark)
        await chromium.visit(address)
        colours.append(await chromium.value(COLOURS))
    await chromium.look(390, 700, dark=False)
    hidden = await chromium.value(TOLD)
    await chromium.value("document.documentElement.style.scrollBehavior = 'auto'")
    covered = await chromium.value(HIDDEN)
    await chromium.look(740, 360, dark=False)
    low = await chromium.value(LOW)
    await chromium.look(320, 640, dark=True)
    wide = await chromium.value('Math.max(...[...document.querySelectorAll(".explore, .explore *:not(svg *)")].map((part) => part.getBoundingClientRect().right))')
    found = [] if colours[0][0] != colours[1][0] and colours[0][1] != colours[1][1] else [f"has the same colours in both themes: {colours[0]}"]
    found += [f"what it comes to is out of view at {part!r}" for part in hidden]
    found += covered + ([f"on a low screen the line above it is {low}"] if low == "sticky" else [])
    return found + ([f"reaches {wide:.0f} pixels to the right on a screen of 320"] if wide > 320 else [])
