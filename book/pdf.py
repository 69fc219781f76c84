"""``make pdf``: the book as one PDF with bookmarks, page numbers and real text, printed from the built site by Chromium.

The contents need the numbers of pages that are not printed yet, so the book is printed twice; what the second print says of every
chapter's page is compared with the first. The file stands in `_build/pdf` with a note of the site that it was printed from, and enters
the site with the next build, which follows at once.
"""

from __future__ import annotations

import asyncio
import base64
import io
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple, Sequence

import yaml

from book import browser, build, files, kept_pdf, one_page, pdf_check, toc
from book.errors import BookError, Differs

WIDTH, HEIGHT = 657, 975  # CSS pixels of what an A4 page holds within the margins of book/print/book.css
FOOT = '<div style="font: 8pt sans-serif; width: 100%; text-align: center; color: #333"><span class="pageNumber"></span></div>'
NOTE = "Made from the book's site, where every chapter can be run. All records in this book are synthetic: nobody in them exists."
# What is wider than the page is drawn smaller until it fits, which no style sheet can say.
FIT = """(() => {
    const wide = [];  // all are measured before the first is changed: else the whole book is laid out anew for each
    for (const part of document.querySelectorAll("article table, article mjx-container[display='true']")) {
        const room = part.parentElement.clientWidth || document.documentElement.clientWidth;
        const width = Math.max(part.scrollWidth, part.getBoundingClientRect().width);
        if (width > room + 1) wide.push([part, Math.max(0.45, room / width * 0.99)]);
    }
    for (const [part, zoom] of wide) part.style.zoom = zoom;
    return wide.length;
})()"""

# What still reaches beyond the page would be cut.
CUT = """[...document.querySelectorAll("article :is(table, pre, img, math, p, li, dd)")]
    .filter((part) => part.checkVisibility() && part.getBoundingClientRect().right > document.documentElement.clientWidth + 2)
    .map((part) => `${part.closest("article").id}: a ${part.localName} is wider than the page: ${part.textContent.trim().slice(0, 60)}`)"""

HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((each) => each.checkVisibility())
    .map((each) => each.textContent.replace(/\\s+/g, " ").trim())"""


class Print(NamedTuple):
    """A PDF, the words of its headings in order, and what reaches beyond its pages."""

    held: bytes
    headings: list[str]
    cut: list[str]


def run(root: Path, options: Namespace) -> int:
    """Return 0 when `_build/html/book.pdf` is the current site as a PDF; raise Differs where the PDF lacks something of the site."""
    browser.find()
    if not build.current(root):
        build.run(root, options)
    if not kept_pdf.of_site(root, build.site_fingerprint(root)):
        make(root)
        build.run(root, options)
    path = root / "_build" / "html" / kept_pdf.NAME
    print(f"Look at: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def make(root: Path) -> None:
    """Print the site in `_build/html`, check the print, and keep it with a note of what it was made from."""
    site, pages = root / "_build" / "html", pages_of(root)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    face = {"title": config["title"], "author": config["author"], "year": str(config["copyright"]), "note": NOTE}
    style = (root / "book" / "print" / "book.css").read_text(encoding="utf-8")
    whole = root / "_build" / "book.html"
    try:
        printed, headings, cut = asyncio.run(_printed(whole, lambda at: one_page.assembled(site, pages, face, style, at), one_page.places(pages)))
    finally:
        whole.unlink(missing_ok=True)
    printed = pdf_check.with_bookmarks(printed, headings)
    faults = [*cut, *pdf_check.faults(printed, site, pages, headings)]
    if faults:
        faulty = root / kept_pdf.FOLDER / f"faulty-{kept_pdf.NAME}"
        files.write_whole(faulty, printed)
        raise Differs("\n".join([*faults, f"The PDF is not offered; look at it: {faulty}"]))
    kept_pdf.keep(root, build.site_fingerprint(root), printed)
    print(f"{pdf_check.page_count(printed)} pages, {len(printed) / 1e6:.1f} MB: every figure and every number of the ledger is there.")


def pages_of(root: Path) -> list[str]:
    """Return the places of the pages of the book in reading order."""
    return [f"{entry.removesuffix('.md').removesuffix('.ipynb')}.html" for entry in toc.entries(root)]


async def _printed(whole: Path, assemble, places: Sequence[str]) -> Print:
    """Return the print whose contents have the numbers of its own pages; raise BookError if a second print moves them."""
    with tempfile.TemporaryDirectory(prefix="book-pdf-") as folder:
        async with browser.chromium(Path(folder) / "net.json") as chromium:
            chromium.patience = 900  # a long book takes minutes
            at: dict[str, int] = {}
            for _ in range(3):
                files.write_whole(whole, assemble(at))
                printed = await _print(chromium, whole)
                now = pdf_check.page_numbers(printed.held, places)
                if now == at:
                    return printed
                at = now
    raise BookError("make pdf: the numbers in the contents move the pages that they name; make .contents in book/print/book.css of a fixed height")


async def _print(chromium: browser.Browser, whole: Path) -> Print:
    await chromium.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
    await chromium.call("Emulation.setEmulatedMedia", media="print")
    await chromium.visit(whole.as_uri())
    await chromium.value(FIT)
    headings, cut = await chromium.value(HEADINGS), await chromium.value(CUT)
    stream = await chromium.call(
        "Page.printToPDF", printBackground=True, preferCSSPageSize=True, generateTaggedPDF=True, generateDocumentOutline=True,
        displayHeaderFooter=True, headerTemplate="<span></span>", footerTemplate=FOOT, transferMode="ReturnAsStream",
    )  # fmt: skip
    held = io.BytesIO()
    while True:
        part = await chromium.call("IO.read", handle=stream["stream"], size=2**20)
        held.write(base64.b64decode(part["data"]) if part.get("base64Encoded") else part["data"].encode())
        if part["eof"]:
            return Print(held.getvalue(), headings, cut)
