"""The ledger as a reader uses it: its counts, its filters, and its links to cells and back, tried in Chromium."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from book.browser import Browser

PAGE = "chapters/ledger.html"

ROWS = """[...document.querySelectorAll("table.ledger tbody tr")].map((row) => ({id: row.id, cells:
    [...row.querySelectorAll("a[href*='.html#claim-']")].map((link) => link.getAttribute("href"))}))"""
SHOWN = '[...document.querySelectorAll("table.ledger tbody tr")].filter((row) => row.getClientRects().length).length'
STATUS = 'document.querySelector(".ledger-bar output").textContent'
BUTTONS = """[...document.querySelectorAll(".ledger-filters button[data-group]")].map((button) =>
    ({group: button.dataset.group, value: button.dataset.value, count: +button.querySelector("b").textContent}))"""
CLAIMS = """[...document.querySelectorAll("table.asprinted-claim tr[id]")].map((row) => ({id: row.id,
    folded: Boolean(row.closest("details")), back: row.querySelector("a[href^='ledger.html#']")?.getAttribute("href")}))"""
SEEN = """((place) => {
    if (!place) return "is not there";
    const box = place.getBoundingClientRect();
    if (!box.height) return "is folded away";
    const top = Math.max(box.top, 0), across = Math.min(box.right, innerWidth);
    if (box.bottom < 0 || top > innerHeight) return `is not scrolled to: it stands ${Math.round(box.top)} pixels from the top`;
    const seen = document.elementFromPoint((box.left + across) / 2, top + 12);
    return place.contains(seen) ? "" : `is covered by ${seen?.outerHTML.slice(0, 60)}`;
})(document.getElementById(location.hash.slice(1)))"""


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the ledger page at `home`, its counts and filters, and with the links between it and the chapters."""
    page = f"{home}/{PAGE}"
    await chromium.look(1280, 800, dark=False)
    await chromium.visit(page)
    held = json.loads(await chromium.value('fetch("ledger.json").then((answer) => answer.text())'))
    rows = await chromium.value(ROWS)
    found = [f"row {row['id']} is not that of {claim['id']}, or links elsewhere than ledger.json"
             for row, claim in zip(rows, held["claims"], strict=False)
             if (f"ledger.html#{row['id']}", " ".join(row["cells"])) != (claim["row"], claim["cells"])]  # fmt: skip
    found += await _filters(chromium, page, held, len(rows))
    found += await _links(chromium, home, held["claims"])
    return [f"{PAGE}: {fault}" for fault in found]


async def _filters(chromium: Browser, page: str, held: dict, rows: int) -> list[str]:
    """Return the counts that are not those of ledger.json and the filters that show another number of rows."""
    found = [] if rows == held["counts"]["total"] else [f"{rows} rows, although ledger.json counts {held['counts']['total']} claims"]
    buttons = await chromium.value(BUTTONS)
    counted = {group: {each["value"]: each["count"] for each in buttons if each["group"] == group} for group in held["counts"] if group != "total"}
    found += [f"the counts by {group} are {each}, in ledger.json {held['counts'][group]}" for group, each in counted.items() if each != held["counts"][group]]
    for number, button in enumerate(buttons):
        press = f'document.querySelectorAll(".ledger-filters button[data-group]")[{number}].click()'
        for wanted in (button["count"], rows):  # pressed once it filters, pressed again it does not
            await chromium.value(press)
            found += await _shows(chromium, wanted, rows, f"the filter {button['group']} {button['value']}")
    first = {group: held["claims"][0][group] for group in ("verdict", "study", "kind")}
    word = held["claims"][0]["says"].split()[0].lower()
    await chromium.visit(f"{page}?{urlencode(first | {'words': word})}")
    fit = [claim for claim in held["claims"] if all(claim[group] == value for group, value in first.items())]
    least, most = sum(word in claim["says"].lower() for claim in fit), len(fit)
    shown = await chromium.value(SHOWN)
    if not least <= shown <= most:
        found.append(f"the view {first} with the word {word!r} shows {shown} rows: {least} to {most} have them")
    return found


async def _shows(chromium: Browser, wanted: int, rows: int, what: str) -> list[str]:
    shown, told = await chromium.value(SHOWN), await chromium.value(STATUS)
    return [] if shown == wanted and told.startswith(f"{wanted} of {rows} ") else [f"{what} shows {shown} rows and says {told!r}, where {wanted} have it"]


async def _links(chromium: Browser, home: str, claims: list[dict]) -> list[str]:
    """Return the links between ledger and chapters that lead nowhere: all by what the pages hold, some by going there."""
    found, wanted, tried = [], {}, []
    for claim in claims:
        for address in claim["cells"].split():
            chapter, _, place = address.partition("#")
            wanted.setdefault(chapter, {})[place] = claim["row"]
    for chapter, places in wanted.items():
        await chromium.visit(f"{home}/chapters/{chapter}")
        there = await chromium.value(CLAIMS)
        backs = {each["id"]: each["back"] for each in there}
        found += [f"{chapter}#{place}: {'no such row' if place not in backs else f'leads back to {backs[place]}'}" for place, row in places.items() if backs.get(place) != row]
        found += [f"{chapter}#{place}: the ledger does not lead here" for place in backs if place not in places]
        folded = [each["id"] for each in there if each["folded"]]
        for place in folded[:1]:  # Chromium opens folds by itself where a link leads, so the page's own script is asked apart
            await chromium.value(f'history.replaceState(null, "", "#{place}"); dispatchEvent(new Event("hashchange"))')
            found += await _unseen(chromium, f"{chapter}#{place}, opened by the page's script,")
        some = dict.fromkeys([there[0]["id"], there[-1]["id"], *folded[-1:]] if there else [])
        tried += [(f"{chapter}#{place}", places[place]) for place in some if place in places]
    for address in [*(cell for cell, _ in tried), *(row for _, row in tried)]:
        await chromium.visit(f"{home}/chapters/{address}")
        found += await _unseen(chromium, address)
    return found


async def _unseen(chromium: Browser, what: str) -> list[str]:
    """Return a line if the place that the address names cannot be seen."""
    fault = await chromium.value(SEEN)
    return [f"{what} {fault}"] if fault else []
