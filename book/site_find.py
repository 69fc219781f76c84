"""What is found and shared, as a reader does it: search by words, numbers and keys, the badge, the citation, a page on paper, tried in Chromium."""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import quote

from book.browser import Browser
from book.environment import ROOT
from book.site_ledger import SEEN, SHOWN

PAGE = "search.html"
HELD = "globalThis.asprintedFinds ?? []"
FOUND = '[...document.querySelectorAll(".finds li > a")].map((link) => link.getAttribute("href"))'
ALL = 'document.querySelector(".finds > button:not([hidden])")?.click()'
FINDS = 'document.querySelector(".finds")?.textContent ?? ""'
SUMMARY = 'document.querySelector(".search-summary")?.textContent ?? ""'
PAGES = """((items) => items.every((item) => item.querySelector(".context")) ? items.map((item) =>
    [item.querySelector("a").getAttribute("href"), item.querySelector(".context").textContent]) : [])([...document.querySelectorAll("ul.search > li")])"""
STATUS = 'document.querySelector(".finds [role=status]")?.textContent ?? ""'
BADGE = 'document.querySelector(".chapter-badge .badge-claims strong")?.textContent ?? ""'
CITED = """((part) => ({text: part?.textContent ?? "", buttons: part?.querySelectorAll("button.copybtn").length ?? 0,
    title: document.querySelector("h1").firstChild.textContent.trim()}))(document.getElementById("cite-this-chapter"))"""
PAPER = """({
    "the ground is not white": getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)",
    "words are pale": getComputedStyle(document.querySelector(".bd-article p")).color !== "rgb(0, 0, 0)",
    "the side bar is printed": document.querySelector(".bd-sidebar-primary").getClientRects().length > 0,
    "a button to copy is printed": [...document.querySelectorAll("button.copybtn")].some((button) => button.getClientRects().length),
    "something folded stays folded": [...document.querySelectorAll(".bd-article details > :not(summary)")].some((part) =>
        part.textContent.trim() && !part.getBoundingClientRect().height && !part.closest("[hidden]") && getComputedStyle(part).position !== "absolute"),
    "code runs out of the sheet": [...document.querySelectorAll(".bd-article pre")].some((code) => code.scrollWidth > code.clientWidth + 1),
})"""


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the search for terms and claims, the badges, the citations, and pages on paper, in the site at `home`."""
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(f"{home}/{PAGE}")
    held = await chromium.value(HELD)
    if not held:
        return [f"{PAGE}: it holds no term and no claim"]
    found = [f"{PAGE}: {fault}" for fault in await _search(chromium, home, held)]
    await chromium.visit(f"{home}/chapters/ledger.html")
    ledger = json.loads(await chromium.value('fetch("ledger.json").then((answer) => answer.text())'))
    searched = {entry["to"]: (entry["printed"], entry["computed"]) for entry in held if entry["kind"] == "claim"}
    found += [f"{PAGE}: it holds {searched.get('chapters/' + claim['row'])} for {claim['id']}, the ledger {claim['printed']!r} and {claim['computed']!r}"
              for claim in ledger["claims"] if searched.get(f"chapters/{claim['row']}") != (claim["printed"], claim["computed"])]  # fmt: skip
    for stem in ledger["counts"]["chapter"]:
        found += [f"chapters/{stem}.html: {fault}" for fault in await _chapter(chromium, home, stem, ledger)]
    return found


async def _search(chromium: Browser, home: str, held: list[dict]) -> list[str]:
    """Return the terms and claims that are not found by their words or their number, the links that lead nowhere, and what keys cannot reach."""
    terms, claims = ([entry for entry in held if entry["kind"] == kind] for kind in ("term", "claim"))
    found = []
    numbers = [entry for entry in claims if re.fullmatch(r"\d*\.\d+", entry["printed"])]
    for query, entry in [*((entry["name"], entry) for entry in (*terms[:1], *terms[-1:], *claims[-1:])), *((entry["printed"], entry) for entry in numbers[:2])]:
        await chromium.visit(f"{home}/{PAGE}?q={quote(query)}")
        await chromium.value(ALL)
        if entry["to"] not in await chromium.value(FOUND):
            found.append(f"a search for {query!r} does not find {entry['to']}: {await chromium.value(STATUS)}")
    for entry in (terms[0], numbers[0] if numbers else claims[0]):
        await chromium.visit(f"{home}/{entry['to']}")
        fault = await chromium.value(SEEN)
        found += [f"the link to {entry['to']}: it {fault}"] if fault else []
    await chromium.visit(f"{home}/{PAGE}?q={quote(terms[0]['name'])}")
    await chromium.value('document.querySelector(".bd-search-container input").focus()')
    for _ in range(5):
        await chromium.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        await chromium.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        if await chromium.value('Boolean(document.activeElement.closest(".finds"))'):
            break
    else:
        found.append("five presses of Tab from the field do not come to what is found")
    joined = next((entry for entry in terms if re.search(r"\w[-–]\w", entry["name"])), None)
    for name in [] if joined is None else {re.sub("[-–]", mark, joined["name"]) for mark in "-–‑ "}:
        await chromium.visit(f"{home}/{PAGE}?q={quote(name)}")
        await chromium.value(ALL)
        if joined["to"] not in await chromium.value(FOUND):
            found.append(f"a search for {name!r} does not find {joined['name']!r}")
    await chromium.visit(f"{home}/{PAGE}?q={quote(terms[0]['name'])}")
    for _ in range(100):
        if pages := await chromium.value(PAGES):
            break
        await asyncio.sleep(0.1)
    found += [f"{page} is listed before a chapter" for page, _ in pages[:1] if re.search("glossary|references|ledger", page)]
    found += [f"words run together in the excerpt of {page}: {joined[0]}" for page, says in pages if (joined := re.search(r"[a-z]{4,}[A-Z][a-z]{3,}", says))]
    await chromium.visit(f"{(ROOT / '_build' / 'html' / PAGE).as_uri()}?q={quote(terms[0]['name'])}")
    if "without excerpts" not in await chromium.value(FINDS):
        found.append("opened from a folder, it does not say that excerpts are missing")
    await chromium.visit(f"{home}/{PAGE}?q=zzzz")
    for _ in range(50):
        if told := await chromium.value(SUMMARY):
            break
        await asyncio.sleep(0.1)
    if "categories" in told or "No page holds" not in told:
        found.append(f"where no page is found, Sphinx says {told!r}")
    if await chromium.value(FOUND) or "zzzz" not in await chromium.value(STATUS):
        found.append(f"a word that is nowhere finds something, or is not said to be nowhere: {await chromium.value(STATUS)!r}")
    return found


async def _chapter(chromium: Browser, home: str, stem: str, ledger: dict) -> list[str]:
    """Return what is wrong with a chapter's badge, judged by the ledger, with its citation, and with the page on paper."""
    await chromium.visit(f"{home}/chapters/{stem}.html")
    found = []
    own = [claim for claim in ledger["claims"] if any(cell.startswith(f"{stem}.html#") for cell in claim["cells"].split())]
    good = sum(claim["verdict"] in ("reproduced", "holds") for claim in own)
    told = await chromium.value(BADGE)
    if f"{good} of {len(own)} claim" not in told:
        found.append(f"the badge says {told!r}, the ledger has {good} of {len(own)}")
    cited = await chromium.value(CITED)
    if cited["text"].count(cited["title"]) < 2 or "@incollection" not in cited["text"] or cited["buttons"] < 2:
        found.append(f"the citation is not whole: {cited['text'][:80]!r} with {cited['buttons']} buttons to copy")
    await chromium.look(1280, 800, dark=True)
    await chromium.visit(f"{home}/chapters/{stem}.html")
    await chromium.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    found += [f"on paper, {fault}" for fault, there in (await chromium.value(PAPER)).items() if there]
    await chromium.call("Emulation.setEmulatedMedia", media="", features=[])
    await chromium.look(1280, 800, dark=False)
    link = await chromium.value('document.querySelector(".chapter-badge a")?.getAttribute("href") ?? ""')
    await chromium.visit(f"{home}/chapters/{link}")
    shown = await chromium.value(SHOWN)
    if shown != len(own):
        found.append(f"the badge's link shows {shown} rows of the ledger, not {len(own)}")
    return found
