"""What another site shows of a page that somebody shares: its title, its first paragraph, and for a chapter a card with one of its numbers."""

from __future__ import annotations

import html
import io
import re
import textwrap
from pathlib import Path

from book import edition, execute, notebooks, toc
from book.colophon import whole_title
from book.files import fingerprint, write_whole

WIDE, HIGH = 1200, 630  # pixels, as the sites that show cards ask
INK, PALE, SIGNS = "#16323d", "#f5f8f9", {"reproduced": "#2a7f9e", "holds": "#2a7f9e"}
LEAST, MOST = 40, 220  # signs of a description
FIRST = re.compile(r"<p(?: [^>]*)?>(.*?)</p>", re.S)
NOT_PROSE = re.compile(r'<div class="chapter-badge".*?</div>|<a class="headerlink".*?</a>|<math\b.*?</math>', re.S)


def run(root: Path, site: Path) -> int:
    """Return how many cards were drawn into `site`; every page then says what it is about, and where the site's address is set, shows its card."""
    base, title = edition.address(root), _title(root)
    drawn = {}
    for chapter in toc.chapters(root):
        facts = of_chapter(notebooks.read(execute.result_path(root, chapter)), title)
        drawn[f"{chapter.relative_to(root).with_suffix('.html').as_posix()}"] = facts
        write_whole(site / _place(chapter.stem), _kept(root, facts))
    for page in [*sorted(site.glob("*.html")), *sorted(site.glob("chapters/*.html"))]:
        place, text = page.relative_to(site).as_posix(), page.read_text(encoding="utf-8")
        card = (_place(page.stem), told(drawn[place])) if place in drawn else None
        write_whole(page, text.replace("</head>", f"{head(text, place, title, base, card)}\n  </head>", 1))
    return len(drawn)


def _title(root: Path) -> str:
    import yaml

    return str(yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8")).get("title", ""))


def _place(stem: str) -> str:
    return f"cards/{stem}.png"


def head(text: str, place: str, book: str, base: str, card: tuple[str, str] | None) -> str:
    """Return the `<meta>` elements of the built page `text`, which stands at `place` in a site at `base` ("": not known, so no address is given).

    `card` is the place of its picture and what that says in words.
    """
    found = re.search(r"<title>(.*?)(?:\s*(?:&#8212;|—)[^<]*)?</title>", text, re.S)
    title = html.unescape(found[1]).strip() if found else book
    named = {"description": description(text), "twitter:card": "summary_large_image" if base and card else "summary"}
    properties = {"og:type": "article", "og:site_name": book, "og:title": title, "og:description": named["description"]}
    if base:
        properties["og:url"] = base + place
        if card:
            properties |= {"og:image": base + card[0], "og:image:width": str(WIDE), "og:image:height": str(HIGH), "og:image:alt": card[1]}
    lines = [f'<meta name="{name}" content="{html.escape(said)}" />' for name, said in named.items() if said]
    return "\n".join(f"  {line}" for line in [*lines, *(f'<meta property="{name}" content="{html.escape(said)}" />' for name, said in properties.items() if said)])


def description(text: str) -> str:
    """Return the first paragraph of prose of a built page, cut at a word where it is long; "" where there is none."""
    body = NOT_PROSE.sub("", text[max(text.find("<h1"), 0) :].partition("</h1>")[2])
    for paragraph in FIRST.findall(body):
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", paragraph)).split())
        if len(words) >= LEAST:
            return textwrap.shorten(words, MOST, placeholder=" …")
    return ""


def of_chapter(chapter: dict, book: str) -> dict[str, str]:
    """Return what a chapter's card says: titles, and of its first claim with a decimal (else its first number) the words, both numbers, and the verdict."""
    facts = {"book": book, "title": whole_title(chapter), "says": "", "printed": "", "computed": "", "verdict": "", "kind": ""}
    claims = list(notebooks.claims(chapter).values())
    told = [claim for pattern in (r"[−-]?\d*\.\d+", r"[\d,]+") for claim in claims if re.fullmatch(pattern, claim["printed"])]
    if told:
        from asprinted.verdict import SYMBOLS, VERDICTS

        claim = told[0]
        verdict = f"{SYMBOLS.get(claim['verdict'], '≠')} {VERDICTS[claim['verdict']]}"
        facts |= {name: claim[name] for name in ("says", "printed", "computed")} | {"verdict": verdict, "kind": claim["verdict"]}
    return facts


def told(facts: dict[str, str]) -> str:
    """Return what the card says, in one sentence or two."""
    number = f" {facts['says']}: printed {facts['printed']}, computed {facts['computed']}, {facts['verdict'].lstrip('✓≠✗· ')}." if facts["printed"] else ""
    return f"{facts['title']}.{number}".replace("?.", "?")


def _kept(root: Path, facts: dict[str, str]) -> bytes:
    """Return the card as PNG, drawn only where the last build did not draw the same."""
    import matplotlib

    place = root / "_build" / "cards" / f"{fingerprint(root, [Path(__file__)] if Path(__file__).is_relative_to(root) else [], matplotlib.__version__, *facts.values())[:32]}.png"
    if not place.is_file():
        write_whole(place, card(facts))
    return place.read_bytes()


def card(facts: dict[str, str]) -> bytes:
    """Return the card as PNG, WIDE by HIGH pixels: the same bytes for the same facts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(WIDE / 100, HIGH / 100), dpi=100, facecolor=PALE)
    colour = SIGNS.get(facts["kind"], "#d1600f") if facts["kind"] else INK
    figure.add_artist(Rectangle((0, 0), 0.018, 1, transform=figure.transFigure, facecolor=colour, edgecolor="none"))

    def write(height: float, words: str, size: float, width: int, most: int, **look) -> float:
        """Return the height below the words, written from `height` down in at most `most` lines of `width` signs."""
        lines = textwrap.wrap(words, width, max_lines=most, placeholder=" …")
        figure.text(0.06, height, "\n".join(lines), fontsize=size, va="top", linespacing=1.2, family="DejaVu Sans", parse_math=False, **look)
        return height - len(lines) * size * 1.3 / 72 * 100 / HIGH

    write(0.93, facts["book"], 19, 70, 1, color=INK)
    below = write(0.835, facts["title"], 33, 42, 3, color=INK, weight="bold")
    if facts["printed"]:
        below = write(min(below - 0.05, 0.52), facts["says"], 21, 66, 2, color=INK)
        below = write(below - 0.02, f"printed {facts['printed']}   computed {facts['computed']}", 37, 44, 1, color=INK, weight="bold")
        write(below - 0.015, facts["verdict"], 24, 60, 1, color=colour, weight="bold")
    write(0.085, "Recomputed in the open, on synthetic records: nobody in them exists.", 16, 90, 1, color=INK)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture, metadata={"Software": None})
    return picture.getvalue()
