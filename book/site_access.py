"""What everyone needs of a page, tried in Chromium: axe-core's rules, narrow screens, wide letters, the tab key, and a folder without a server."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from book.browser import Browser
from book.errors import BookError

AXE = Path(__file__).resolve().parents[1] / "tests" / "vendor" / "axe-core-4.14.1" / "axe.min.js"
BROKEN = "axe-core: "  # begins each line about a broken rule
NARROW = 320  # pixels: the narrowest screen, and 1280 pixels at 400 %
STOPS = 60  # of the tab key, on one page

# All of axe's rules, those too that it leaves off by itself; only what goes beyond level AA and what axe has withdrawn is left out.
RULES = """(async () => {
    const asked = axe.getRules().filter(({tags}) => !tags.includes("wcag2aaa") && !tags.includes("deprecated"));
    const rules = Object.fromEntries(asked.map(({ruleId}) => [ruleId, {enabled: true}]));
    const {violations} = await axe.run(document, {rules, resultTypes: ["violations"]});
    return violations.flatMap(({id, nodes}) => nodes.map(({target}) => `${id}: ${target.join(" ")}`));
})()"""

OPENED = """(() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    for (const fold of document.querySelectorAll(".toggle-hidden")) fold.classList.remove("toggle-hidden");
    for (const fade of document.getAnimations()) if (fade.effect.getComputedTiming().endTime < Infinity) fade.finish(); // half faded in, nothing has contrast
})()"""
# Letters, words, lines and paragraphs as far apart as WCAG 2.2, 1.4.12, lets a reader set them.
SPACED = """(() => {
    const style = document.head.appendChild(document.createElement("style"));
    style.textContent = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } "
        + "p { margin-bottom: 2em !important }";
})()"""
SIDEWAYS = """document.documentElement.scrollWidth > innerWidth
    ? `is ${document.documentElement.scrollWidth} pixels wide and scrolls sideways` : "" """
FACTS = """(() => {
    const found = [];
    const levels = [...document.querySelectorAll(":is(h1, h2, h3, h4, h5, h6)")].filter((each) => each.checkVisibility());
    levels.reduce((before, each) => {
        if (+each.tagName[1] > before + 1) found.push(`the heading "${each.textContent.trim().slice(0, 40)}" skips a level`);
        return +each.tagName[1];
    }, 0);
    if (!/^[a-z]{2}/.test(document.documentElement.lang)) found.push("names no language");
    if (!document.querySelector("#pst-skip-link a[href='#main-content']")) found.push("has no link that skips to its content");
    for (const table of document.querySelectorAll(".bd-article table:not(.indextable)")) {
        const bare = [...table.querySelectorAll("th")].filter((cell) => !cell.scope || !cell.textContent.trim());
        if (bare.length || !table.querySelector("th")) found.push(`a table has no headers, or headers without scope: ${table.textContent.trim().slice(0, 40)}`);
    }
    for (const figure of document.querySelectorAll(".bd-article .cell_output figure:has(img)")) {
        const after = [figure.closest(".cell"), figure.closest(".cell")?.nextElementSibling];
        if (!after.some((place) => place?.querySelector("details table"))) found.push(`the figure ${figure.id} has no table of its numbers`);
    }
    const names = [...document.querySelectorAll(".bd-article :is(summary, button.toggle-button)")].map((fold) => (fold.getAttribute("aria-label") ?? fold.textContent).trim().replace(/\\s+/g, " "));
    names.filter((name, place) => names.indexOf(name) !== place || name === "Toggle hidden content").forEach((name) => found.push(`more than one fold is called "${name.slice(0, 60)}"`));
    const mute = [...document.querySelectorAll(".bd-article .math")].filter((each) => each.checkVisibility() && !each.querySelector("math")).length;
    if (mute) found.push(`${mute} formulas cannot be read aloud: they have no MathML`);
    return found;
})()"""
# On a narrow screen: nothing is cut that does not scroll, and what scrolls says so, to the eye, to the keys and by a name.
SMALL = """(() => {
    const found = [], seen = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
    for (const box of seen(".bd-article :is(pre, .cell_output > .output, .pst-scrollable-table-container, .picture)")) {
        const over = box.scrollWidth - box.clientWidth, more = (box.dataset.more ?? "").split(" "), mask = getComputedStyle(box).maskImage;
        if (over > 1 && !(box.tabIndex === 0 && box.ariaLabel && more.includes("right") && mask !== "none")) {
            found.push(`what scrolls does not say so: ${box.textContent.trim().slice(0, 40) || box.className}`);
        }
        if (over < 1 && more.includes("right")) found.push(`what does not scroll says that it does: ${box.textContent.trim().slice(0, 40)}`);
    }
    const labels = seen(".bd-article table:not(.indextable)").map((table) => table.caption?.textContent ?? table.ariaLabel);
    for (const name of new Set(labels)) if (!name || labels.filter((each) => each === name).length > 1) found.push(`${name ? "two tables have" : "a table has no name, not"} the name ${name}`);
    for (const link of seen(".prev-next-area a")) if (link.scrollWidth > link.clientWidth || link.getBoundingClientRect().right > innerWidth) found.push("a link to the next page is cut");
    for (const table of seen(".cell_output table.asprinted-claim")) if (table.closest(".output").scrollWidth > table.closest(".output").clientWidth + 2) found.push("a verdict is cut");
    for (const picture of seen(".picture img")) if (picture.clientWidth < 500) found.push(`the picture ${picture.alt.slice(0, 30)} is ${picture.clientWidth} pixels wide: its letters are small`);
    for (const field of seen(".live textarea, .exercise textarea")) if (field.scrollWidth > field.clientWidth + 1) found.push(`the end of a line of ${field.id} is out of view`);
    const top = document.getElementById("pst-back-to-top");
    if (top) top.style.display = "block"; // as the theme shows it to who scrolls up
    if (top?.checkVisibility()) found.push("the pill that leads back to the top lies on the page");
    const sizes = ["h1", "h2", "h3"].flatMap((level) => seen(`.bd-article ${level}`).slice(0, 1)).map((each) => parseFloat(getComputedStyle(each).fontSize));
    if (sizes.some((size, place) => size >= sizes[place - 1])) found.push(`its headings are ${sizes.join(", ")} pixels large, from the title down`);
    return found;
})()"""
FIELDS = """[...document.querySelectorAll("textarea, input:not([type=radio], [type=range])")].filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16)
    .map((field) => `a phone zooms in at ${field.id || field.name || field.type}: its letters are ${getComputedStyle(field).fontSize}`)"""
# The contents of the page, when a reader has jumped to the end of each part and come back.
CONTENTS = """(async () => {
    const links = [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")].filter((link) => link.checkVisibility() && link.closest("li.toc-h2") && !link.closest("li.toc-h3"));
    const parts = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1)))), found = [];
    for (const part of [...parts.slice(0, -1), ...parts.slice(0, 2).reverse()]) {
        scrollTo({top: scrollY + part.getBoundingClientRect().bottom - innerHeight * 0.33, behavior: "instant"});
        if (part.getBoundingClientRect().bottom > innerHeight * 0.35) continue; // the page ends first
        await new Promise((done) => setTimeout(done, 250));
        const active = [...document.querySelectorAll("#pst-page-toc-nav a.active")], marked = active.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
        const {top, bottom} = active[0]?.getBoundingClientRect() ?? {}, side = document.querySelector(".bd-sidebar-secondary").getBoundingClientRect();
        if (top < side.top || bottom > side.bottom) found.push(`the mark in the contents of the page is out of view in the part ${part.id}`);
        if (!(marked.length === 1 && part.contains(marked[0]))) found.push(`the contents of the page mark ${marked.map((each) => each.id).join(", ") || "nothing"} in the part ${part.id}`);
    }
    return found;
})()"""
MOVES = """[...document.querySelectorAll("*")].filter((each) => {
    const {transitionDuration, animationDuration, animationName, scrollBehavior} = getComputedStyle(each);
    const longest = Math.max(...`${transitionDuration},${animationName === "none" ? "0s" : animationDuration}`.split(",").map(parseFloat));
    return longest > 0.05 || scrollBehavior === "smooth";
}).map((each) => each.tagName.toLowerCase() + (each.id ? "#" + each.id : "")).slice(0, 5)"""
LOOK = """(() => {
    for (const fade of document.getAnimations()) if (fade.effect.getComputedTiming().endTime < Infinity) fade.finish(); // a look that is on its way is not there yet
    const {outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor, textDecorationLine, color} = getComputedStyle(%s);
    const after = getComputedStyle(%s, "::after");
    const outlines = [outlineStyle, after.outlineStyle].map((style, place) => style === "none" ? "0px" : [outlineWidth, after.outlineWidth][place]);
    return [...outlines, boxShadow, backgroundColor, borderColor, textDecorationLine, color].join(" ");
})()"""
THEMES = """(async () => {
    const button = document.querySelector(".theme-switch-button"), modes = [];
    for (const time of [1, 2, 3]) {
        button.focus();
        button.click();
        await new Promise((done) => setTimeout(done, 200));
        if (document.activeElement !== button) return "the button of the theme loses the focus";
        modes.push(button.getAttribute("aria-label"));
    }
    return new Set(modes).size === 3 ? "" : `the button of the theme says ${modes.join(", ")}`;
})()"""
STOP = "document.activeElement === document.body ? '' : document.activeElement.outerHTML.slice(0, 90)"


@cache
def axe() -> str:
    """Return the text of axe-core; raise BookError if it is not there."""
    try:
        return AXE.read_text(encoding="utf-8")
    except OSError:
        raise BookError(f"{AXE}: no such file: it is part of the repository, take it from there again") from None


async def violations(chromium: Browser) -> list[str]:
    """Return a line for every element of the open page that breaks a rule of axe-core, those in its folds too: they are opened, and stay so."""
    await chromium.value(OPENED)
    await chromium.value(f"{axe()};1")
    found = await chromium.value(RULES)
    return [f"{BROKEN}did not run"] if found is None else [f"{BROKEN}{each}" for each in found]


async def faults(chromium: Browser, home: str, pages: list[str]) -> list[str]:
    """Return what is wrong with the pages at `home` beyond axe's rules."""
    found = []
    for page in pages:
        await chromium.look(NARROW, 640, dark=False)
        await chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        await chromium.visit(f"{home}/{page}")
        told = [*await chromium.value(FACTS), *(f"{each} moves although the reader wants no motion" for each in await chromium.value(MOVES))]
        told += await chromium.value(SMALL)
        told.append(await chromium.value(SIDEWAYS))
        await chromium.value(SPACED)
        told.append((await chromium.value(SIDEWAYS)) and "scrolls sideways when its letters are set apart")
        await chromium.look(1280, 800, dark=False)
        await chromium.visit(f"{home}/{page}")
        told += await chromium.value(CONTENTS)
        await chromium.value("scrollTo({top: 0, behavior: 'instant'})")
        told += await unseen_focus(chromium)
        told += await small_fields(chromium, f"{home}/{page}")
        told.append(await chromium.value(THEMES) if page == pages[0] else "")
        found += [f"{page}: {fault}" for fault in told if fault]
    return found


async def unseen_focus(chromium: Browser) -> list[str]:
    """Return the stops of the tab key on the open page, the first ones, at which nothing shows where the reader is."""
    found = []
    for _ in range(STOPS):
        for kind in ("keyDown", "keyUp"):
            await chromium.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stop = await chromium.value(STOP)
        if not stop:
            break
        focused = await chromium.value(LOOK.replace("%s", "document.activeElement"))
        await chromium.value("window.asprintedStop = document.activeElement; document.activeElement.blur()")
        blurred = await chromium.value(LOOK.replace("%s", "asprintedStop"))
        await chromium.value("asprintedStop.focus({focusVisible: true})")
        if focused == blurred:
            found.append(f"nothing shows that the focus is at {stop}")
    return found


async def small_fields(chromium: Browser, address: str) -> list[str]:
    """Return the fields of the page at `address` at which a phone would zoom in."""
    await chromium.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    await chromium.call("Emulation.setTouchEmulationEnabled", enabled=True)
    await chromium.visit(address)
    found = await chromium.value(FIELDS)
    coarse = await chromium.value('matchMedia("(pointer: coarse)").matches')
    await chromium.call("Emulation.setTouchEmulationEnabled", enabled=False)
    return found if coarse else ["could not be tried by touch"]


async def without_server(chromium: Browser, html: Path, page: str) -> list[str]:
    """Return what is wrong with `page` when it is opened from its folder: its style, its formulas, its policy."""
    await chromium.look(1280, 800, dark=True)
    await chromium.visit((html / page).as_uri())
    dark = await chromium.value("document.documentElement.dataset.theme")
    styled = await chromium.value("getComputedStyle(document.documentElement).getPropertyValue('--pst-color-background').trim() !== ''")
    undrawn = await chromium.value("document.querySelectorAll('.math').length && !document.querySelectorAll('.math :is(mjx-container, math)').length")
    faults = [*chromium.faults()]
    faults += [] if dark == "dark" else ["its script does not run"]
    faults += [] if styled else ["its style is missing"]
    faults += ["its formulas are not drawn"] if undrawn else []
    return [f"{page}, opened from a folder: {fault}" for fault in faults]


async def policy_holds(chromium: Browser, address: str) -> list[str]:
    """Return a line unless the page at `address` refuses a script, an attribute with code and an image that are not its own."""
    await chromium.visit(address)
    slipped = """(async () => {
        const refused = [];
        document.addEventListener("securitypolicyviolation", ({effectiveDirective}) => refused.push(effectiveDirective));
        document.head.appendChild(document.createElement("script")).textContent = "window.slipped = 1";
        const button = document.createElement("div");
        button.innerHTML = '<button onclick="window.slipped = 2"></button>';
        button.firstChild.click();
        new Image().src = "https://elsewhere.invalid/picture.png";
        await new Promise((done) => setTimeout(done, 300));
        return [window.slipped ?? 0, ...new Set(refused)].join(" ");
    })()"""
    told = await chromium.value(slipped)
    wanted = "0 script-src-elem script-src-attr img-src"
    return [] if told == wanted else [f"{address}: its content security policy refused {told!r}, expected {wanted!r}"]
