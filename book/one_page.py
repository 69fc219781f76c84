"""The whole book as one page of HTML, from which the PDF is printed: the built pages one after another, with links that stay inside.

Nothing is rendered a second time: each page's article is taken from the site as it is, what only a screen can use is left out, what is
folded is opened, and answers and solutions are moved to the end.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from book.errors import BookError

PAPER = {  # words that are true on a screen, and what they are on paper
    "Run it here:": "To run in the site:", "Do it here:": "To do in the site:", "under “Run it here”": "under “Run it here” in the site", "in this page or in the chapter kit": "on the chapter's page in the site, or in its kit",
    "the download at the top of this page": "the download at the top of the chapter's page in the site", "not run in the page.": "not run in a page.",
}  # fmt: skip
SCREEN = "script, template, iframe, form, input, .headerlink, .live-unseen, .take-away, .copybtn, .sd-summary-state-marker, [hidden], .no-print, .d-print-none"
NAMED = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")  # attributes that name the id of another element
COLUMNS = 16  # that a page of paper holds in letters which can be read
ANSWER = re.compile(r"\s*(?:show )?(?:the )?(?:answer|solution)\b", re.I)
STYLES = ("styles/theme.css", "styles/pydata-sphinx-theme.css", "pygments.css", "styles/sphinx-book-theme.css", "togglebutton.css",
          "sphinx-design.min.css", "book.css", "glossary.css")  # fmt: skip


def assembled(site: Path, pages: Sequence[str], face: Mapping[str, str], style: str, at: Mapping[str, int]) -> str:
    """Return the book as one HTML text, to stand beside the folder `site`.

    `pages` are the places of the built pages in reading order ("chapters/ledger.html"), `face` holds `title`, `author` and `year`,
    `style` is the style sheet of the print, and `at` the page number of each place (as `places` names them), as far as they are known.
    Raises BookError where a page has no article.
    """
    soups = {page: _article(site, page) for page in pages}
    names = {page: page.removesuffix(".html").replace("/", "-") for page in pages}
    answers = []
    for page, article in soups.items():
        moved = _answers(article, names[page])
        _tidy(article)
        for part in [article, *moved]:
            _inside(part, page, names, site.name)
        answers.append((page, moved))
    body = [_title_page(face), _contents(soups, names, at)]
    body += [f'<article class="bd-article" id="{names[page]}">{article.decode_contents()}</article>' for page, article in soups.items()]
    body.append(_solutions(soups, names, answers))
    sheets = [f'<link rel="stylesheet" href="{site.name}/_static/{name}">' for name in _sheets(site)]
    head = "\n".join([f"<title>{escape(face['title'])}</title>", *sheets, f"<style>{style}</style>", *_mathjax(site)])
    return f'<!DOCTYPE html>\n<html lang="en-GB" data-theme="light">\n<head><meta charset="utf-8">\n{head}\n</head>\n<body><main class="bd-content">\n{"".join(body)}\n</main></body></html>\n'


def places(pages: Sequence[str]) -> list[str]:
    """Return the ids of the beginnings that the contents name: of every page, and of the answers."""
    return [*(page.removesuffix(".html").replace("/", "-") for page in pages), "answers"]


def figures(site: Path, pages: Sequence[str]) -> int:
    """Return how many pictures the articles of the pages hold."""
    return sum(len(_article(site, page).select("img")) for page in pages)


def _article(site: Path, page: str) -> Tag:
    found = BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser").find("article")
    if found is None:
        raise BookError(f"{page}: the page has no article; build the site again with make book")
    for only_on_screen in found.select(SCREEN):
        only_on_screen.decompose()
    for text in found.find_all(string=re.compile("|".join(map(re.escape, PAPER)))):
        if not text.find_parent(["pre", "code"]):
            text.replace_with(re.sub("|".join(map(re.escape, PAPER)), lambda words: PAPER[words[0]], str(text)))
    return found


def _answers(article: Tag, name: str) -> list[Tag]:
    """Return the answers and solutions of a page, taken out of it, each with what is said of it below; where it stood there is a link to it."""
    moved: list[Tag] = []
    for part in article.select("details, .tag_solution"):
        summary = part.find("summary")
        if any(held in part.parents for held in moved) or not ("tag_solution" in part.get("class", []) or (summary and ANSWER.match(_words(summary)))):
            continue
        number, cell = len(moved) + 1, part.find_parent(class_="cell") or part
        several = [cell, *_about(cell)] if "cell" in cell.get("class", []) else [cell]
        link = BeautifulSoup(f'<p class="to-answer" id="from-{name}-{number}"><a href="#answer-{name}-{number}">Answer {number}, at the end of the book</a></p>', "html.parser").p
        cell.insert_before(link)
        answer = BeautifulSoup("<div></div>", "html.parser").div
        answer.attrs |= {"id": f"answer-{name}-{number}", "data-number": str(number)}
        answer.extend([each.extract() for each in several])
        _tidy(answer)
        moved.append(answer)
    return moved


def _about(solution: Tag) -> list[Tag]:
    """Return what belongs to a solution below it: more of its folded code, the cells behind the numbers in its text, and the fold that says what to notice."""
    found = []
    for beside in solution.find_next_siblings():
        kinds = set(beside.get("class", []))
        if not (kinds & {"tag_hide-cell", "tag_hide-input"} or {"admonition", "dropdown"} <= kinds or (beside.name == "details" and beside.find("summary"))):
            break
        found.append(beside)
    return found


def _tidy(part: Tag) -> None:
    """Open what is folded, and say once what a fold says twice (to show, to hide)."""
    for fold in [*part.select("details"), *([part] if part.name == "details" else [])]:
        fold["open"] = ""
    for told in part.select("summary .expanded"):
        told.decompose()
    for table in part.select("table"):
        _turned(table)
    for button in part.select("button"):
        button.decompose()
    for coloured in part.select("pre span, code span"):  # each would be an element of its own for screen readers, and half of the file
        coloured.unwrap()
    part.smooth()


def _turned(table: Tag) -> None:
    """Let columns and rows of a table change places where it has more columns than a page holds, and fewer rows."""
    rows = [row.find_all(["th", "td"], recursive=False) for row in table.select("tr")]
    if len({len(row) for row in rows}) != 1 or not len(rows) < len(rows[0]) > COLUMNS or table.select("[colspan], [rowspan]"):
        return
    soup = BeautifulSoup('<table><thead></thead><tbody></tbody></table>', "html.parser")
    for number, column in enumerate(zip(*rows)):
        row = soup.new_tag("tr")
        for cell in column:
            if cell.name == "th":
                cell["scope"] = "row" if number else "col"
            row.append(cell.extract())
        (soup.tbody if number else soup.thead).append(row)
    table.clear()
    table.extend([soup.thead.extract(), soup.tbody.extract()])


def _inside(part: Tag, page: str, names: Mapping[str, str], site: str) -> None:
    """Make ids unique in the book, links lead to its own places, and pictures come from the site; other files are named without a link."""
    for element in [part, *part.find_all(True)]:
        own = element.get("id")
        if own and not own.startswith((f"answer-{names[page]}-", f"from-{names[page]}-")):
            element["id"] = f"{names[page]}--{own}"
        for attribute in NAMED:
            if attribute in element.attrs:
                held = element[attribute]
                element[attribute] = " ".join(f"{names[page]}--{each}" for each in (held if isinstance(held, list) else held.split()))
        if element.name == "img":
            element["src"] = f"{site}/{_beside(page, element['src'])}"
            element.attrs.pop("loading", None)
        if element.name == "a" and element.get("href") is not None:
            _link(element, page, names)


def _link(link: Tag, page: str, names: Mapping[str, str]) -> None:
    address = urlsplit(link["href"])
    if address.scheme or address.netloc or link["href"].startswith(("#answer-", "#from-")):
        return
    target = _beside(page, unquote(address.path)) if address.path else page
    if target not in names:
        link.name, link.attrs = "span", {}
    else:
        link["href"] = f"#{names[target]}--{address.fragment}" if address.fragment else f"#{names[target]}"


def _beside(page: str, address: str) -> str:
    """Return the place in the site of what `page` calls `address`."""
    parts = page.split("/")[:-1]
    for step in address.split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


def _title_page(face: Mapping[str, str]) -> str:
    return f'<section class="title-page"><p class="book-title">{escape(face["title"])}</p><p>{escape(face["author"])}</p><p>{escape(face["year"])}</p><p class="note">{escape(face["note"])}</p></section>'


def _contents(soups: Mapping[str, Tag], names: Mapping[str, str], at: Mapping[str, int]) -> str:
    rows = [(names[page], _title(article), [_words(each) for each in article.select("h2")]) for page, article in soups.items()]
    rows.append(("answers", "Answers and solutions", []))
    lines = [
        f'<li><a href="#{name}"><span class="words">{escape(title)}</span> <span class="number">{at.get(name, "")}</span></a>'
        + (f'<p class="parts">{escape(" · ".join(parts))}</p>' if parts else "") + "</li>"
        for name, title, parts in rows
    ]  # fmt: skip
    return f'<nav class="contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def _solutions(soups: Mapping[str, Tag], names: Mapping[str, str], answers: list[tuple[str, list[Tag]]]) -> str:
    parts = ['<article class="bd-article" id="answers"><h1>Answers and solutions</h1>']
    for page, moved in answers:
        if moved:
            parts.append(f"<h2>{escape(_title(soups[page]))}</h2>")
        for answer in moved:
            number = answer["data-number"]
            parts.append(f'<section class="answer"><h3>Answer {number}</h3><p class="back"><a href="#from-{names[page]}-{number}">to its question</a></p>{answer}</section>')
    return "".join([*parts, "</article>"])


def _title(article: Tag) -> str:
    return _words(article.find("h1")) if article.find("h1") else "Untitled"


def _words(part: Tag) -> str:
    return " ".join(part.get_text().split())


def _sheets(site: Path) -> list[str]:
    notebooks = sorted(path.name for path in (site / "_static").glob("mystnb.*.css"))
    return [name for name in (*STYLES, *notebooks) if (site / "_static" / name).is_file()]


def _mathjax(site: Path) -> list[str]:
    found = sorted(site.glob("mathjax-*/tex-mml-chtml.js"))
    settings = '<script>window.MathJax = {options: {ignoreHtmlClass: "bd-content", processHtmlClass: "math"}}</script>'
    return [settings, f'<script src="{site.name}/{found[-1].relative_to(site).as_posix()}"></script>'] if found else []
