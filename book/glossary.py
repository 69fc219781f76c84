"""The terms of the glossary, and links to them where a page first uses each.

The links are made when a page is put together for the site; what is committed holds none. The glossary is one or more
MyST directives of that name:

    :::{glossary}
    .. also: ratio of hazards
    hazard ratio
      The ratio of …
    :::

A line at the margin is a headword (several before one definition are synonyms; links go to the first). Above it, `.. also:`
holds further ways to write it, and `.. not:` phrases in which the words mean something else, set apart by semicolons; Sphinx
reads such lines as comments. A name with a digit in it stands in backticks there, as in prose that types no number. Plurals that
follow the rule need no mention.
"""

from __future__ import annotations

import re
from pathlib import Path

from book import notebooks, prose, toc
from book.errors import BookError

PAGE = "chapters/glossary"
UNLINKED = {PAGE, "chapters/references"}
QUIET = "at a glance"  # up to the end of the section with this heading, and in a box of this title, nothing is linked
CLOSED = prose.BODY_IS_CODE | {"glossary", "card", "grid-item-card", "card-footer", "math", "image", "button-ref", "button-link"}
SPANS = [re.compile(pattern, flags) for pattern, flags in (
    (r"\$\$.+?\$\$", re.S),                                     # formulas
    (r"(?<![\\$\w])\$(?!\s)[^$\n]+?(?<![\s\\])\$(?![\w$])", 0),
    (r"\{[\w:.+-]+\}(`+).+?\1", re.S),                          # roles of every kind
    (r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:\([^)\n]*\)|\[[^\]\n]*\]|\{[^}\n]*\})", 0),  # links and images, words and targets
    (r"<([a-zA-Z][\w-]*)\b[^>]*>.*?</\1\s*>", re.S),            # HTML elements
    (r"^\{[^}\n]*\}\s*$", re.M),                                # attributes of a block
)] + prose.SPANS  # fmt: skip
FENCE = re.compile(r"(`{3,}|~{3,}|:{3,})\s*(?:\{([\w:-]+)\})?\s*(.*)$")
UNDERLINE = re.compile(r"\s*(?:\|?[\s:|-]*-[\s:|-]*|=+\s*)$")  # below the head of a table, or below a heading
BLANK = "\0"


def terms(markdown: str) -> dict[str, str]:
    """Return the headword of every way to write a term, "" for words in another sense; raise BookError if one stands twice."""
    written: dict[str, str] = {}
    for headwords, variants, others, definition in _entries(markdown):
        if not definition:
            raise BookError(f"{PAGE}.md: {headwords[0]}: no definition below it; indent it by two spaces")
        for words in [*headwords, *variants, *others]:
            if words.casefold() in map(str.casefold, written):
                raise BookError(f"{PAGE}.md: {words!r} stands twice, the second time under {headwords[0]!r}; keep one")
            written[words] = "" if words in others else headwords[0]
    taken = {words.casefold() for words in written}
    plurals = {_plural(words): head for words, head in written.items() if words[-1].isalpha()}
    return written | {words: head for words, head in plurals.items() if words.casefold() not in taken}


def _entries(markdown: str) -> list[tuple[list[str], list[str], list[str], str]]:
    """Return headwords, variants, words in another sense, and definition of every entry, in the order of the page."""
    found = []
    for body in re.findall(r"^:::+\{glossary\}[^\n]*\n(.*?)^:::+\s*$", markdown, re.M | re.S):
        for entry in re.split(r"\n\s*\n(?=\S)", re.sub(r"^(?::[\w-]+:[^\n]*\n)+", "", body).strip("\n")):
            margin = [line.strip() for line in entry.splitlines() if line[:1].strip()]
            definition = " ".join(line.strip() for line in entry.splitlines() if not line[:1].strip()).strip()
            headwords = [line for line in margin if not line.startswith(".. ")]
            found.append((headwords, _listed(margin, ".. also:"), _listed(margin, ".. not:"), definition))
    return found


def _listed(margin: list[str], name: str) -> list[str]:
    return [words.strip(" `") for line in margin if line.startswith(name) for words in line.removeprefix(name).split(";")]


def _plural(words: str) -> str:
    for end, ending in (("is", "es"), ("s", "ses"), ("x", "xes"), ("ch", "ches"), ("sh", "shes")):
        if words.endswith(end):
            return words.removesuffix(end) + ending
    return words[:-1] + "ies" if re.search(r"[^aeiou]y$", words) else words + "s"


def of_book(root: Path) -> dict[str, str]:
    """Return the terms of the book's glossary; none if _toc.yml does not name it."""
    return terms((root / f"{PAGE}.md").read_text(encoding="utf-8")) if PAGE in toc.entries(root) else {}


def in_page(place: str, markdown: str, written: dict[str, str]) -> str:
    """Return the page with a link at the first use of each term; `place` is its name in the book (chapters/a.md)."""
    return markdown if place.rpartition(".")[0] in UNLINKED else linked([markdown], written)[0]


def in_notebook(notebook: dict, written: dict[str, str]) -> dict:
    """Return the notebook with a link at the first use of each term in its Markdown cells."""
    texts = iter(linked([notebooks.text(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"], written))
    cells = [{**cell, "source": next(texts)} if cell["cell_type"] == "markdown" else cell for cell in notebook["cells"]]
    return {**notebook, "cells": cells}


def linked(texts: list[str], written: dict[str, str]) -> list[str]:
    """Return the consecutive texts of one page, the first use of each term turned into a `{term}` role.

    Whole words, whatever their case; but a term with two capitals in a row, an abbreviation, is met only as it is written.
    Where two terms begin at one word, the longer is meant. Straight quotation marks around a term become part of the link: Sphinx
    turns a mark that stands alone before a link into a closing one.
    """
    if not written:
        return texts
    pattern, heads = _pattern(written), {_key(words): head for words, head in written.items()}
    seen: set[str] = set()
    quiet, result = any(re.search(rf"^#+ {QUIET}\s*$", words, re.I | re.M) for words in texts), []
    for words in texts:
        open_words, quiet = _open(words, quiet)
        parts, end = [], 0
        for use in pattern.finditer(open_words):
            head = heads[_key(use.group())]
            if head and head not in seen:
                seen.add(head)
                quoted = words[: use.start()].endswith('"')
                start, after = use.start() - quoted, use.end() + (quoted and words[use.end() :].startswith('"'))
                parts += [words[end:start], f"{{term}}`{words[start:after].replace('*', '')} <{head}>`"]
                end = after
        result.append("".join([*parts, words[end:]]))
    return result


def _key(words: str) -> str:
    return re.sub(r"\s+", " ", words).replace("’", "'").casefold()


def _pattern(written: dict[str, str]) -> re.Pattern:
    def one(words: str) -> str:
        literal = re.escape(words).replace(r"\ ", r"(?:[^\S\n]|[^\S\n]?\n)").replace("'", "['’]")
        return f"(?-i:{literal})" if re.search(r"[A-Z]{2}", words) else literal

    each = "|".join(one(words) for words in sorted(written, key=lambda words: (-len(words), words)))
    # Emphasis that ends or begins within a word would not be read as such around a role.
    return re.compile(rf"(?<![\w–-])(?<!\w['’])(?<!\w\*)(?<!\w\*\*)(?:{each})(?![\w–]|-\w|\*+\w)", re.I)


def _open(markdown: str, quiet: bool) -> tuple[str, bool]:
    """Return the text with everything blanked where no link may stand, places kept, and whether a quiet section is left open."""
    lines, kept = markdown.split("\n"), []
    fences: list[tuple[str, bool]] = []  # the fence that closes a block; whether its body is closed to links
    options = ""  # "begin" or "yaml" while the options of a directive are being read
    for line, below in zip(lines, [*lines[1:], ""]):
        bare, shut = line.strip(), True
        closed = bool(fences) and fences[-1][1]
        fence = FENCE.match(bare)
        heading = re.match(r" {0,3}#{1,6}\s+(.*?)\s*#*$", line)
        if fence and fences and bare.startswith(fences[-1][0]) and not bare.strip(bare[0]):
            fences.pop()
        elif closed:
            pass
        elif fence:
            mark, name, title = fence.groups()
            fences.append((mark, name in CLOSED or (not name and mark[0] != ":") or title.casefold() == QUIET))
            options = "begin"
        elif options == "yaml" or (options and bare == "---"):
            options = "yaml" if options == "begin" or bare != "---" else ""
        elif options and re.match(r":[\w-]+:", bare):
            pass
        elif heading:
            quiet = heading[1].casefold() == QUIET or (quiet and heading[0].lstrip().startswith("# "))
        else:
            options = ""
            shut = quiet or any(UNDERLINE.match(each) for each in (line, below))
        kept.append(BLANK * len(line) if shut else line)
    words = "\n".join(kept)
    for pattern in SPANS:
        words = pattern.sub(lambda match: re.sub(r"[^\n]", BLANK, match.group()), words)
    return words, quiet
