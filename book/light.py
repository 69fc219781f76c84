"""What a built page loads, made small without a visible difference: one pass over the pages, before anything reads their scripts.

Icons and formulas are drawn into the page, so that neither the theme's library of all icons nor MathJax is loaded; a script stands
only on pages that hold what it works on; pictures below the first load when they are scrolled to; code keeps only the colours that
its style sheet gives; and style sheets keep only rules that some page can meet.
"""

from __future__ import annotations

import html
import re
from functools import cache, partial
from pathlib import Path

from book.files import write_whole
from book.style_sheets import kept

ICON = re.compile(r'<(?P<tag>i|span) class="(?P<names>[^"]*\bfa(?:s|-solid|-regular)\b[^"]*)"(?P<rest>[^>]*)>\s*</(?P=tag)>')
PRIMES = re.compile(r"'+")  # in TeX they are raised; docutils leaves them where they stand
DRAWING = r'["{,]"?%s"?:\[(\d+),(\d+),\[[^\]]*\],"\w+",(?:"([^"]*)"|\["([^"]*)","([^"]*)"\])\]'
FORMULA = re.compile(r'<(?P<tag>span|div) class="(?P<names>math[^"]*)"(?P<rest>[^>]*)>(?P<inside>.*?)</(?P=tag)>', re.S)
SCRIPT = re.compile(r'[ \t]*<script\b(?P<attributes>[^>]*)>(?P<inside>.*?)</script>\n?', re.S)
PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="script"[^>]*>\n?')
IMAGE = re.compile(r"<img\b(?P<attributes>[^>]*?)\s*/?>")
# What the page must hold for a script of this name to stand in it; of others nothing is known, and they stay.
WORKS_ON = {
    "fontawesome.js": ICON,
    "tex-mml-chtml.js": re.compile(r'<(?:span|div) class="math[^"]*"[^>]*>\s*\\'),
    "clipboard.min.js": re.compile(r'<div class="highlight'),
    "copybutton.js": re.compile(r'<div class="highlight'),
    "design-tabs.js": re.compile(r'class="sd-tab-set'),
    "ledger.js": re.compile(r'class="ledger-filters"'),
    "live.js": re.compile(r'<div class="(?:live|exercise)"'),
    "exercises.js": re.compile(r'<div class="exercise"'),
    "quiz.js": re.compile(r'<div class="quiz-question"'),
    "quiz_judge.js": re.compile(r'<div class="quiz-question"'),
    "progress.js": re.compile(r'<div class="(?:exercise|quiz-question)"'),
    "find.js": re.compile(r'id="search-results"'),
    "searchtools.js": re.compile(r'id="search-results"'),
    "language_data.js": re.compile(r'id="search-results"'),
    "searchindex.js": re.compile(r'id="search-results"'),
}


def run(site: Path) -> None:
    """Make every page and style sheet of the finished `site` light, in place."""
    library = site / "_static" / "scripts" / "fontawesome.js"
    drawings = library.read_text(encoding="utf-8") if library.is_file() else ""
    plain = uncoloured(_text(site / "_static" / "pygments.css"))
    pages = [*sorted(site.glob("*.html")), *sorted(site.glob("chapters/*.html"))]
    for path in pages:
        write_whole(path, page(path.read_text(encoding="utf-8"), drawings, plain, path.parent))
    met = "\n".join(_text(path) for path in [*pages, *sorted((site / "_static").rglob("*.js"))] if path != library)
    for sheet in sorted((site / "_static").rglob("*.css")):
        write_whole(sheet, kept(_text(sheet), met))


def page(text: str, drawings: str = "", plain: frozenset[str] = frozenset(), folder: Path = Path()) -> str:
    """Return the page, light; `drawings` is the theme's library of icons, `plain` the classes of code without a colour, `folder` the page's own."""
    text = ICON.sub(partial(icon, drawings=drawings), text)
    text = FORMULA.sub(formula, text)
    if plain:
        text = re.sub(rf'<span class="(?:{"|".join(sorted(map(re.escape, plain)))})">([^<]*)</span>', r"\1", text)
    text = images(text, folder)
    body = text[text.find("<body") :]
    if not WORKS_ON["tex-mml-chtml.js"].search(body):
        text = SCRIPT.sub(lambda found: "" if found["inside"].startswith("window.MathJax") else found[0], text)
    return PRELOAD.sub("", SCRIPT.sub(lambda found: found[0] if _needed(found["attributes"], body) else "", text))


def _needed(attributes: str, body: str) -> bool:
    source = re.search(r'src="[^"?]*?([^"/?]+)(?:\?[^"]*)?"', attributes)
    works_on = WORKS_ON.get(source[1]) if source else None
    return not works_on or bool(works_on.search(body))


def icon(found: re.Match, drawings: str) -> str:
    """Return an icon as the drawing that the theme's library would put in its place; as it is where the library has no such icon."""
    for name in re.findall(r"\bfa-([a-z0-9-]+)", found["names"]):
        drawn = () if name in ("solid", "regular", "lg") else _drawing(name, drawings)
        if drawn:
            width, height, *paths = drawn
            said = re.search(r'title="([^"]*)"', found["rest"])
            shown = f"<title>{said[1]}</title>" if said else ""
            rest = re.sub(r'\s*title="[^"]*"', "", found["rest"])
            lines = "".join(f'<path fill="currentColor" d="{path}"/>' for path in paths if path)
            names = " ".join(each for each in found["names"].split() if each not in ("fas", "fa-solid", "fa-regular"))
            return f'<svg class="svg-inline--fa {names}"{rest} viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{shown}{lines}</svg>'
    return found[0]


@cache
def _drawing(name: str, drawings: str) -> tuple[str, ...]:
    """Return width, height and paths of the icon of this name, () where there is none; the library's solid icons stand last."""
    drawn = re.findall(DRAWING % re.escape(name), drawings)
    return drawn[-1] if drawn else ()


def formula(found: re.Match) -> str:
    """Return a formula in TeX as MathML; as it is, for MathJax, where docutils cannot read it."""
    from docutils.utils.math.latex2mathml import tex2mathml

    number = re.match(r'\s*<span class="eqno">.*?</span>', found["inside"], re.S)
    tex = html.unescape(found["inside"][number.end() if number else 0 :]).strip()
    if not tex.startswith((r"\(", r"\[")):
        return found[0]
    try:
        drawn = tex2mathml(PRIMES.sub(lambda primes: "^{" + r"\prime" * len(primes[0]) + "}", tex[2:-2].strip()), as_block=found["tag"] == "div")
    except Exception:  # whatever docutils meets, MathJax may read it
        return found[0]
    return f'<{found["tag"]} class="{found["names"]}"{found["rest"]}>{number[0] if number else ""}{drawn}</{found["tag"]}>'


def uncoloured(sheet: str) -> frozenset[str]:
    """Return the classes of code that `sheet`, made by Pygments, gives no look of their own in any theme."""
    rules = re.findall(r"^(.*?)\.highlight(?: \.(\w+))? \{([^}]*)\}", re.sub(r"/\*.*?\*/", "", sheet), re.M)
    base = {theme: _colour(look) for theme, name, look in rules if not name and "color:" in look.replace("background-color", "")}
    looks: dict[str, set[bool]] = {}
    for theme, name, look in rules:
        if name:
            looks.setdefault(name, set()).add(theme in base and look.strip() == f"color: {base[theme]}")
    return frozenset(name for name, same in looks.items() if same == {True} and len([1 for _, each, _ in rules if each == name]) == len(base))


def _colour(look: str) -> str:
    found = re.search(r"(?<!-)color:\s*([^;]+)", look)
    return found[1].strip() if found else ""


def images(text: str, folder: Path) -> str:
    """Return the page with the size of every picture beside it, and each but the first to be loaded when it is scrolled to."""
    number = 0

    def sized(found: re.Match) -> str:
        nonlocal number
        number += 1
        attributes, size = found["attributes"], _size(found["attributes"], folder)
        later = ' loading="lazy" decoding="async"' if number > 1 and "loading=" not in attributes else ""
        return f"<img{attributes}{size}{later} />"

    return IMAGE.sub(sized, text)


def _size(attributes: str, folder: Path) -> str:
    source = re.search(r'\bsrc="([^"]+\.png)"', attributes)
    place = folder / source[1] if source else None
    if place is None or not place.is_file() or re.search(r"\b(?:width|height)=|style=", attributes):
        return ""
    head = place.read_bytes()[:24]
    return f' width="{int.from_bytes(head[16:20])}" height="{int.from_bytes(head[20:24])}"'


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
