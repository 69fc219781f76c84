"""Whether a PDF of the book holds what the site holds: its figures, its reported numbers, its bookmarks, and text that can be read out."""

from __future__ import annotations

import io
import json
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Sequence

from book import one_page

NEAR = 1000  # characters: about a row of the ledger


def page_count(printed: bytes) -> int:
    """Return the number of pages."""
    return len(_reader(printed).pages)


def page_numbers(printed: bytes, places: Sequence[str]) -> dict[str, int]:
    """Return the number of the page on which each place begins, from 1; places without a destination are left out."""
    reader = _reader(printed)
    held = reader.named_destinations
    found = {place: held.get(place) or held.get(f"/{place}") for place in places}
    return {place: reader.get_destination_page_number(there) + 1 for place, there in found.items() if there is not None}


def faults(printed: bytes, site: Path, pages: Sequence[str], headings: Sequence[str]) -> list[str]:
    """Return what the PDF of the site lacks: pictures, claims of the ledger with their numbers, bookmarks for `headings`, tags, places in the contents."""
    reader = _reader(printed)
    found = []
    wanted, there = one_page.figures(site, pages), pictures(reader)
    if there < wanted:
        found.append(f"pictures: the site has {wanted}, the PDF {there}")
    text = "\n".join(page.extract_text() for page in reader.pages)
    ledger = json.loads((site / "chapters" / "ledger.json").read_text(encoding="utf-8"))
    found += lacking(text, ledger["claims"])
    marks = bookmarks(printed)
    found += [f"no bookmark for the heading {words!r}" for words in dict.fromkeys(headings) if words not in marks]
    found += [f"the bookmark {words!r} has not the words of a heading" for words in marks if words not in headings]
    if not reader.trailer["/Root"].get("/StructTreeRoot"):
        found.append("the PDF is not tagged, so that a screen reader cannot tell headings and tables")
    numbered = page_numbers(printed, one_page.places(pages))
    found += [f"the contents cannot lead to {place}" for place in one_page.places(pages) if place not in numbered]
    return found


def with_bookmarks(printed: bytes, headings: Sequence[str]) -> bytes:
    """Return the PDF with the words of the headings as its bookmarks.

    Chromium glues the lines of a heading together, and writes the lines before a break twice, or all of them.
    """
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of a count in Chromium's trailer, which it then mends
    words = {_close(each): each for each in headings}

    def mended(title: str) -> str:
        close = _close(title)
        whole = [each for each in words if close.endswith(each) and each.startswith(close[: -len(each)])]
        return words[max(whole, key=len)] if whole else title

    writer = PdfWriter(clone_from=io.BytesIO(printed))
    for entry in _entries(writer.root_object.get("/Outlines", {})):
        entry[NameObject("/Title")] = TextStringObject(mended(str(entry["/Title"])))
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def _entries(outline) -> Iterator:
    """Yield the entries of an outline, from top to bottom."""
    entry = outline.get("/First")
    while entry is not None:
        held = entry.get_object()
        yield held
        yield from _entries(held)
        entry = held.get("/Next")


def lacking(text: str, claims: Sequence[dict]) -> list[str]:
    """Return a line for each claim whose printed and computed numbers do not stand whole near its name in `text`.

    Anywhere in a long book, a short number would be found by chance; a row of the ledger holds name and numbers together.
    """
    found, text = [], _even(text)
    for claim in claims:
        name = _whole(claim["id"].rpartition(":")[2])
        around = [text[max(0, place.start() - NEAR) : place.end() + NEAR] for place in name.finditer(text)]
        held = Counter(_even(str(claim[field])) for field in ("printed", "computed") if claim.get(field))
        if not any(all(len(_whole(number).findall(near)) >= times for number, times in held.items()) for near in around):
            found.append(f"claim {claim['id']}: {' and '.join(held.elements()) or 'its name'}: " + ("not beside its name" if around else "its name is not") + " in the text of the PDF")
    return found


def _whole(words: str) -> re.Pattern:
    """Return what finds the words where lines may break inside them, but not as a part of a longer name or number (0.66 in 0.661)."""
    return re.compile(rf"(?<![\w.]){' ?'.join(map(re.escape, words.replace(' ', '')))}(?!\w|\.\w)")


def pictures(reader) -> int:
    """Return how many pictures the pages draw, one drawn twice counted twice."""
    found = 0
    for page in reader.pages:
        held = page.get("/Resources", {}).get("/XObject", {})
        images = {name.encode() for name, each in held.items() if each.get_object().get("/Subtype") == "/Image"}
        if images:
            found += sum(name in images for name in re.findall(rb"(/[\w.-]+)\s+Do\b", page.get_contents().get_data()))
    return found


def bookmarks(printed: bytes) -> list[str]:
    """Return the words of all bookmarks, from top to bottom."""
    return [str(entry["/Title"]) for entry in _entries(_reader(printed).trailer["/Root"].get("/Outlines", {}))]


def _even(words: str) -> str:
    """Return words with single spaces, without soft hyphens, and with ligatures taken apart."""
    return re.sub(r"\s+", " ", re.sub("[\u00ad\u200b]", "", unicodedata.normalize("NFKC", words)))


def _close(words: str) -> str:
    """Return words without spaces: a bookmark may break where it likes."""
    return _even(words).replace(" ", "")


def _reader(printed: bytes):
    from pypdf import PdfReader

    return PdfReader(io.BytesIO(printed))
