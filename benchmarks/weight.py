"""Weighs each chapter's page as a reader first gets it, and times its largest paint, beside a stock build of the same pages."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.build import book, jupyter_book, peers
from benchmarks.report import Row, Table, output, told
from book import browser, serve, toc

BYTES_PER_SECOND, WAIT = 10_000_000 / 8, 40  # 10 Mbit/s; milliseconds there and back
HEAVIEST, SLOWEST, SHARE = 1_200_000, 1.5, 0.7  # bytes; seconds; of the stock page's bytes
RUNS = 5
STILL, TRIES = 15, 6  # seconds of silence that no load comes back from; loads that may be begun for one that ends
OURS_ALONE = ("_static", "pyodide-*", "live")  # in the assembled sources: scripts and styles of this book, which stock does not have
WATCH = """globalThis.largest = 0;
new PerformanceObserver((list) => { largest = list.getEntries().at(-1).startTime; }).observe({type: "largest-contentful-paint", buffered: true});"""


class Load(NamedTuple):
    """One first load of a page: bytes after decoding, requests, and seconds until the largest paint."""

    size: float
    requests: float
    paint: float

    def __str__(self) -> str:
        return f"{self.size / 1e6:.2f} MB, {self.requests:.0f} requests, {self.paint:.2f} s"


def table(root: Path, chosen: Sequence[str], runs: int) -> Table:
    """Return the measurements; raise BookError if a side cannot be built or Chromium is missing."""
    browser.find()
    runs = RUNS if runs > 1 else 1
    versions = ", ".join(f"{name} {version}" for name, version in peers().items() if name in ("jupyter-book", "sphinx"))
    with tempfile.TemporaryDirectory(prefix="book-bench-", ignore_cleanup_errors=True) as folder:
        stock = Path(folder) / "stock"
        told("both sites")
        output(root, book("book"))
        copy_stock(root, stock)
        output(stock, jupyter_book())
        rows = {name: tuple(MEASURES[name](root, stock / "_build" / "html", runs)) for name in chosen}
    about = f"Pages, as they are first loaded: medians of {runs}, both sides in turn, each in a new browser profile at 10 Mbit/s with 40 ms there and back. {versions}."
    return Table(about, ("chapter", "this book", "stock", "ratio of bytes", "target"), rows)


def weight(root: Path, stock: Path, runs: int) -> list[Row]:
    """Return a row for each chapter: its bytes, requests and largest paint on both sides."""
    rows = []
    with serve.served(root / "_build" / "html") as here, serve.served(stock) as there:
        for chapter in toc.chapters(root):
            place = chapter.relative_to(root).with_suffix(".html").as_posix()
            told(chapter.stem)
            pairs = [(load(f"{here}/{place}"), load(f"{there}/{place}")) for _ in range(runs)]
            rows.append(row(chapter.stem, *(median(side) for side in zip(*pairs, strict=True))))
    return rows


MEASURES = {"weight": weight}


def row(name: str, ours: Load, stock: Load) -> Row:
    """Return the row of one page; all three targets must be met."""
    share = ours.size / stock.size
    target = f"≤ {SHARE} of the bytes, ≤ {HEAVIEST / 1e6} MB, < {SLOWEST} s"
    return Row((name, str(ours), str(stock), f"{share:.2f}", target), share <= SHARE and ours.size <= HEAVIEST and ours.paint < SLOWEST)


def median(loads: Sequence[Load]) -> Load:
    """Return the median of each measure."""
    return Load(*(statistics.median(each) for each in zip(*loads, strict=True)))


def copy_stock(root: Path, stock: Path) -> None:
    """Put the assembled sources of the book's pages into `stock`, without what only this book adds to every page."""
    shutil.copytree(root / "_build" / "src", stock, ignore=shutil.ignore_patterns(*OURS_ALONE))
    (stock / "_static").mkdir()
    shutil.copy(root / "book" / "static" / "favicon.svg", stock / "_static")


def load(address: str) -> Load:
    """Return a first load that ended; raise BookError where none of several did.

    Chromium's own brake on the network now and then stops for good in the middle of a page, ours or stock's: such a load measures nothing.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(browser.Silent):
            return asyncio.run(first_load(address))
        told("  Chromium's slow network stood still; that load is made again")
    return asyncio.run(first_load(address))


async def first_load(address: str) -> Load:
    """Return what a new browser, with an empty cache, loads of the page before anything is pressed or scrolled."""
    with tempfile.TemporaryDirectory(prefix="book-net-log-") as folder:
        async with browser.chromium(Path(folder) / "net.json") as chromium:
            chromium.patience = STILL
            await chromium.look(1280, 800, dark=False)
            await chromium.call("Network.enable")
            await chromium.call("Network.emulateNetworkConditions", offline=False, latency=WAIT, downloadThroughput=BYTES_PER_SECOND, uploadThroughput=BYTES_PER_SECOND)
            await chromium.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
            await chromium.visit(address)
            await asyncio.sleep(1)  # what is begun late, such as the fonts of formulas
            paint = await chromium.value("largest")
            return loaded(chromium.events, paint / 1000)


def loaded(events: Sequence[dict], paint: float) -> Load:
    """Return the load that the network's events tell of."""
    size = sum(event["params"]["dataLength"] for event in events if event["method"] == "Network.dataReceived")
    asked = {event["params"]["requestId"] for event in events if event["method"] == "Network.requestWillBeSent" and not event["params"]["request"]["url"].startswith("data:")}
    data = {event["params"]["requestId"] for event in events if event["method"] == "Network.requestWillBeSent"} - asked
    within = sum(event["params"]["dataLength"] for event in events if event["method"] == "Network.dataReceived" and event["params"]["requestId"] in data)
    return Load(size - within, len(asked), paint)
