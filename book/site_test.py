"""``make site-test``: open every page of the site in Chromium, check it, and keep screenshots to look at."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from argparse import Namespace
from pathlib import Path

from book import browser, build, serve, site_access, site_explore, site_exercises, site_find, site_kits, site_ledger, site_live, site_pages, site_quiz, toc

WIDTHS = {1280: 800, 390: 844}


def run(root: Path, options: Namespace) -> int:
    """Return 0 if no page has a fault, else 1; build the site first if it is not current."""
    browser.find()
    if not build.current(root):
        build.run(root, options)
    html, shots = root / "_build" / "html", root / "_build" / "screenshots"
    pages = [f"{entry.removesuffix('.md').removesuffix('.ipynb')}.html" for entry in toc.entries(root)]
    pages += [name for name in ("search.html", "genindex.html") if (html / name).is_file()]
    problems = site_pages.problems(html)
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="book-net-log-") as folder, serve.served(html) as home:
        log = Path(folder) / "net.json"
        problems += asyncio.run(visit_all(home, pages, shots, log))
        problems += [f"asked for something outside the site: {address}" for address in browser.foreign_requests(log, home)]
    for problem in problems:
        print(problem)
    broken = sum(site_access.BROKEN in problem for problem in problems)
    print(f"axe-core: {len(pages)} pages × 2 themes × {len(WIDTHS)} widths: {broken} violations")
    print(f"{len(pages)} pages opened at {' and '.join(map(str, WIDTHS))} pixels, light and dark: "
          f"{f'{len(problems)} faults' if problems else 'no fault, no request outside the site'}.")  # fmt: skip
    print(f"Look at: {shots}")
    return 1 if problems else 0


async def visit_all(home: str, pages: list[str], shots: Path, log: Path) -> list[str]:
    """Return the faults of every page in every look; write its screenshots."""
    problems: dict[str, None] = {}
    async with browser.chromium(log) as chromium:
        for page in pages:
            for width, height in WIDTHS.items():
                for dark in (False, True):
                    look = f"{width}-{'dark' if dark else 'light'}"
                    await chromium.look(width, height, dark)
                    await chromium.visit(f"{home}/{page}")
                    await chromium.screenshots(shots / f"{page.removesuffix('.html').replace('/', '-')}-{look}")
                    for fault in [*chromium.faults(), *await drawn_wrong(chromium, width, dark), *await site_access.violations(chromium)]:
                        problems[f"{page} ({look}): {fault}"] = None
        problems |= dict.fromkeys(await site_access.faults(chromium, home, pages))
        for page in pages:
            problems |= dict.fromkeys([*await site_access.without_server(chromium, shots.parent / "html", page), *await site_access.policy_holds(chromium, f"{home}/{page}")])
        if site_ledger.PAGE in pages:
            problems |= dict.fromkeys(await site_ledger.faults(chromium, home))
        if site_find.PAGE in pages:
            problems |= dict.fromkeys(await site_find.faults(chromium, home))
        problems |= dict.fromkeys(await site_explore.faults(chromium, home))
        problems |= dict.fromkeys(await site_live.faults(chromium, home))
        problems |= dict.fromkeys(await site_kits.faults(chromium, home))
        problems |= dict.fromkeys([*await site_quiz.faults(chromium, home), *await site_exercises.faults(chromium, home)])
    return list(problems)


async def drawn_wrong(chromium: browser.Browser, width: int, dark: bool) -> list[str]:
    """Return what is wrong with the page as drawn: its theme, its width, its formulas."""
    found = []
    theme = await chromium.value("document.documentElement.dataset.theme")
    if theme != ("dark" if dark else "light"):
        found.append(f"the theme is {theme!r} although the reader prefers {'dark' if dark else 'light'}")
    wide = await chromium.value("document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"the page is {wide} pixels wide and scrolls sideways")
    formulas = await chromium.value("document.querySelectorAll('.math').length")
    drawn = await chromium.value("[...document.querySelectorAll('.math')].filter((each) => each.querySelector('mjx-container, math')?.getClientRects().length || !each.offsetParent).length")
    if formulas != drawn:
        found.append(f"of its {formulas} formulas {formulas - drawn} are not drawn")
    if await chromium.value("document.querySelectorAll('mjx-merror, merror').length"):
        found.append("a formula has an error")
    return found
