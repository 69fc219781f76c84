"""Checks on the finished pages as files: links and anchors, alternative texts, marks left unrendered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NOT_PROSE = {"script", "style", "code", "pre", "template", "title"}
RAW = re.compile(r"\{(?:glue|cite|ref|numref|doc|eq|term)[\w:]*\}|(?<![\w\\])\$[^$\n]{1,200}\$|\$\$|:::\{|```")


@dataclass
class Page(HTMLParser):
    """What one page holds: its anchors, links, images and text outside code and formulas."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    images: list[tuple[str, str | None]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._quiet: list[str] = []  # open elements within one whose text is not prose

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what the element carries."""
        held = dict(attributes)
        self.anchors |= {held[name] for name in ("id", "name") if held.get(name)}
        if tag in {"a", "area"} and held.get("href") is not None:
            self.links.append(held["href"])
        if tag in {"link", "script", "img", "source", "iframe"}:
            self.sources += [held[name] for name in ("href", "src") if held.get(name)]
        if tag == "img":
            self.images.append((held.get("src") or "", held.get("alt")))
        math = "math" in (held.get("class") or "").split()
        if tag not in VOID and (self._quiet or tag in NOT_PROSE or math):
            self._quiet.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        if tag in self._quiet:
            while self._quiet.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Keep text that a reader reads as prose."""
        if not self._quiet:
            self.words.append(data)


def read(path: Path) -> Page:
    """Return what the HTML file holds."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def problems(html: Path) -> list[str]:
    """Return a line for everything wrong in the pages below `html`."""
    files = sorted(path for path in html.rglob("*.html") if "_static" not in path.parts and "mathjax" not in str(path.relative_to(html)))
    pages = {path: read(path) for path in files}
    found = []
    for path, page in pages.items():
        name = path.relative_to(html).as_posix()
        found += [f"{name}: {problem}" for problem in (*_images(page), *_raw(page), *_links(html, path, pages))]
    return found


def _images(page: Page) -> list[str]:
    return [
        f"image {source}: alternative text {alt!r} says nothing"
        for source, alt in page.images
        if not (alt or "").strip() or re.search(r"\.(png|jpe?g|svg|gif)\s*$", alt or "", re.I)
    ]


def _raw(page: Page) -> list[str]:
    return [f"left unrendered: {found.group()[:60]!r}" for found in RAW.finditer("".join(page.words))]


def _links(html: Path, path: Path, pages: dict[Path, Page]) -> list[str]:
    found = []
    for link in dict.fromkeys([*pages[path].links, *pages[path].sources]):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file() or not target.is_relative_to(html.resolve()):
            found.append(f"link {link}: no such file in the site")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            found.append(f"link {link}: no such place in {target.name}")
    return found
