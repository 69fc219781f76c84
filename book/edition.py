"""Which edition of the book this is, by CITATION.cff: authors, title, version and date, and how to cite a chapter of it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from book.errors import BookError

FILE = "CITATION.cff"


@dataclass(frozen=True)
class Edition:
    """The book as it is cited; `address` is where the site stands, ending in a slash, "" where _config.yml does not say."""

    title: str
    authors: tuple[str, ...]
    version: str
    date: datetime.date
    address: str

    @property
    def day(self) -> str:
        """The date in words."""
        return f"{self.date.day} {self.date:%B %Y}"

    def cited(self, chapter: str, place: str) -> str:
        """Return the citation of the chapter of this title as a sentence; `place` is its page in the site."""
        where = f" {self.address}{place}" if self.address else ""
        return f"{_joined(self.authors)} ({self.date.year}). {_stopped(chapter)} In: {self.title} (version {self.version}).{where}"

    def bibtex(self, chapter: str, place: str) -> str:
        """Return the citation of the chapter as a BibTeX entry."""
        fields = {
            "author": " and ".join(f"{{{name}}}" for name in self.authors), "title": f"{{{chapter}}}", "booktitle": f"{{{self.title}}}",
            "year": str(self.date.year), "note": f"Version {self.version}",
        }  # fmt: skip
        if self.address:
            fields["url"] = f"{self.address}{place}"
        key = re.sub(r"[^a-z0-9]+", "-", Path(place).stem.lower()) + f"-{self.date.year}"
        return "\n".join([f"@incollection{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"])


def of(root: Path) -> Edition | None:
    """Return the edition that `root` holds, None where it has no CITATION.cff; raise BookError where that file leaves something out."""
    path = root / FILE
    if not path.is_file():
        return None
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        date = datetime.date.fromisoformat(str(held["date-released"]))
        return Edition(held["title"], tuple(map(_name, held["authors"])), str(held["version"]), date, address(root))
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
        raise BookError(f"{FILE}: {problem!r}: it must give title, authors, version and date-released (as 2030-01-31)") from None


def address(root: Path) -> str:
    """Return where the site stands, as `html_baseurl` in _config.yml says, with a slash at the end; "" where it is not set."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")) if (root / "_config.yml").is_file() else {}
    told = str((config.get("sphinx", {}).get("config") or {}).get("html_baseurl") or "")
    if told and not re.match(r"https?://[^/]", told):
        raise BookError(f"_config.yml: field sphinx.config.html_baseurl: {told!r}: write the whole address of the site, for example https://example.org/book/")
    return told.rstrip("/") + "/" if told else ""


def _name(author: dict) -> str:
    given, family = author.get("given-names", ""), author.get("family-names", "")
    return author["name"] if "name" in author else f"{family}, {given}" if given else family


def _joined(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _stopped(title: str) -> str:
    return title if title.endswith(("?", "!", ".")) else f"{title}."
