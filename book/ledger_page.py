"""The ledger page: one table a study, counts that the page's script turns into filters, and what was read and fitted."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Iterable

from book import headings, ledger
from book.ledger import Row

if TYPE_CHECKING:
    from asprinted.study import Study

PAGE = """---
html_theme.sidebar_secondary.remove: true
---

# The ledger: where every claim stands

Every claim of every source in this book has a row here: {total} claims of {studies} studies, none left out. Each row says what the source prints, or how its words are read; what was computed from the synthetic records; and whether the two agree. A computed value is a link to the very cell that computed it, and from there the claim’s name leads back here. The records were made to agree with the sources, so agreement here shows that a result can be had in the way that is described. It does not show that the result is true.

What the signs and words mean stands under [What each mark means](#what-each-mark-means) and [What each verdict means](#what-each-verdict-means). Where a source has words and no number, the column shows how we read them; that reading is ours, and so it has the mark A. A row says that *the decision flips* where the computed value falls on the other side of no effect, or of the usual line for p values, than the printed one; {flips}.{hard}

```{{raw}} html
{filters}
```

{parts}
"""
COLUMNS = ("Claim", "Read in", "Printed, or as declared", "Computed here", "Verdict")
MARKS = {"S": "in the source", "P": "in the publication", "C": "calculated", "A": "assumed"}
FLIPS = "The decision flips."
HARD = """

{rows} deaths by suicide, among the harms that a trial reports: a count, and nothing is described. {{doc}}`how-to-use-this-book` says where to turn if such a line is hard on you."""


def render(root: Path, executed: dict[str, dict]) -> str:
    """Return the page in MyST Markdown; warn of studies that no chapter has come to. Raises BookError as `ledger.rows` does."""
    found = ledger.rows(root, executed)
    for slug in ledger.left_out(root, found):
        print(f"warning: data/{slug}/study.yml: no chapter in _toc.yml checks a claim of it, so the ledger leaves it out", file=sys.stderr)
    titles = {stem: headings.title(chapter) for stem, chapter in executed.items()}
    studies = {row.study.slug: [] for row in found}
    for row in found:
        studies[row.study.slug].append(row)
    parts = "\n".join(_study(of_study, titles, _takers(slug, found)) for slug, of_study in studies.items())
    flips = sum(row.verdict.decision == "flips" for row in found)
    told = {0: "no row does", 1: "one row does"}.get(flips, f"{flips} rows do")
    named = sum("suicid" in row.claim.says.lower() for row in found)
    hard = HARD.format(rows="One row names" if named == 1 else f"{named} rows name") if named else ""
    return PAGE.format(hard=hard, total=len(found), studies=len(studies), flips=told, filters=_filters(found, titles), parts=parts)


def _takers(slug: str, found: list[Row]) -> list[Study]:
    """Return the studies whose records hold the trials of this one unchanged."""
    return [study for study in {row.study.slug: row.study for row in found}.values() if study.design.get("evidence", {}).get("taken", {}).get("study") == slug]


def _filters(found: list[Row], titles: dict[str, str]) -> str:
    """Return the counts; the page's script makes a button of each and adds a field for words."""
    labels = {
        "verdict": {row.verdict.verdict: row.verdict.label for row in found},
        "study": {row.study.slug: row.study.title.partition(":")[0] for row in found},
        "chapter": titles,
    }
    groups = []
    for name, each in ledger.counts(found).items():
        ordered = [value for value in labels.get(name, each) if value in each]
        items = "".join(
            f'<li data-value="{value}"><span>{html.escape(labels.get(name, {}).get(value, value))}</span> <b>{each[value]}</b></li>' for value in ordered
        )
        groups.append(f'<div data-group="{name}"><h2 id="ledger-by-{name}">{name.capitalize()}</h2><ul aria-labelledby="ledger-by-{name}">{items}</ul></div>')
    without = sum(not row.chapters for row in found)
    note = f"The counts by chapter leave out the {without} claims that are context, for which there is nothing to compute; a claim that several chapters check counts for each."
    downloads = '<a href="ledger.csv" download>ledger.csv</a> and <a href="ledger.json" download>ledger.json</a>'
    return f'<div class="ledger-filters" role="search" aria-label="Filter the ledger">{"".join(groups)}</div>\n<p>{note} The same rows for programs: {downloads}.</p>'


def _study(found: list[Row], titles: dict[str, str], takers: Iterable[Study] = ()) -> str:
    """Return the section of one study: its claims, then the documents that were read and the analyses that its rows name.

    `takers` are the studies whose records hold its trials too.
    """
    study = found[0].study
    chapters = dict.fromkeys(stem for row in found for stem in row.chapters)
    checked = ", ".join(f"[{titles[stem]}]({stem}.ipynb)" for stem in chapters)
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in COLUMNS)
    body = "\n".join(_row(row, titles) for row in found)
    models = dict.fromkeys(row.claim.by["model"] for row in found if "model" in (row.claim.by or {}))
    behind = "" if study.slug in titles else "It has no chapter of its own. "
    for taker in takers:
        name = f"[{titles[taker.slug]}]({taker.slug}.ipynb)" if taker.slug in titles else _plain(taker.title)
        behind += f"Its trials, as they are here, stand in the records of {name} too. "
    lines = [
        f"(ledger-of-{study.slug})=", f"## {_plain(study.title)}", "",
        f"Checked in: {checked}. {behind}The study file: {{download}}`study.yml <../data/{study.slug}/study.yml>`.", "",
        "```{raw} html",
        f'<table class="ledger" role="table" aria-label="Claims of {html.escape(study.slug)}"><thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">',
        body, "</tbody></table>", "```", "",
        ":::{dropdown} What was read, and which analyses the rows name",
        *_listed("read", study.slug, ((source.id, _source(source)) for source in study.sources.values())),
        *_listed("analysis", study.slug, ((name, f"{_plain(study.models[name]['says'])}.") for name in models)),
        ":::", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _listed(kind: str, slug: str, entries: Iterable[tuple[str, str]]) -> list[str]:
    """Return a paragraph an entry, each a place that rows can link to."""
    return [line for name, words in entries for line in (f"({_place(kind, slug, name)})=", f"**{_plain(name)}**: {words}", "")]


def _place(kind: str, slug: str, name: str) -> str:
    return f"ledger-{kind}-{slug}-{name.replace('_', '-')}"


def _source(source) -> str:
    cited = f" {{cite:p}}`{source.cite}`" if source.cite else ""
    doi = f" [doi:{_plain(source.doi)}](<https://doi.org/{source.doi}>)" if source.doi else ""
    reference = re.sub(r"(?<=\d)-(?=\d)", "–", source.reference)  # of pages
    return f"{_plain(reference)}{cited}{doi} What was read of it: {_plain(source.read)}."


def _row(row: Row, titles: dict[str, str]) -> str:
    """Return one row of the table; what its filters need stands in `data-` attributes."""
    cell, claim = _cell, row.claim
    marks = " ".join(f'<abbr title="{MARKS[mark]}">{mark}</abbr>' for mark in claim.marks)
    source = claim.source.replace("_", " ")
    where = claim.where if claim.where.startswith(source) else f"{source}: {claim.where}"
    read = f'<a href="#{_place("read", row.study.slug, claim.source)}">{cell(where)}</a>'
    links = [
        f'<a href="{address}">{cell(titles[stem] if place else row.verdict.computed)}</a>' for place, (stem, address) in enumerate(zip(row.chapters, row.cells))
    ]
    computed = f"{links[0]}<small>{_made_by(row)}</small>" if links else "<small>not recomputed</small>"
    also = f"<small>also in {', '.join(links[1:])}</small>" if links[1:] else ""
    why = " ".join(filter(None, (FLIPS if row.verdict.decision == "flips" else "", row.verdict.reason)))
    printed = cell(row.verdict.printed) or "<small>in words</small>"
    if claim.declared and row.chapters:
        printed += f'<small>our reading, <abbr title="{MARKS["A"]}">A</abbr></small>'
    cells = (
        f'<td role="cell">{read}</td>',
        f'<td role="cell">{printed}</td>',
        f'<td role="cell">{computed}{also}</td>',
        f'<td role="cell"><strong>{cell(row.verdict.label)}</strong>{f"<small>{cell(why)}</small>" if why else ""}</td>',
    )
    return (
        f'<tr id="{row.anchor}" role="row" class="ledger-{row.verdict.verdict}" data-verdict="{row.verdict.verdict}" data-study="{row.study.slug}" '
        f'data-chapter="{" ".join(row.chapters)}" data-kind="{claim.kind}">'
        f'<th scope="row" role="rowheader">{cell(claim.says)}<small><a href="#{row.anchor}"><code>{_breaking(claim.id)}</code></a> · {claim.kind} · {marks}</small></th>'
        + "".join(each.replace("<td", f'<td data-label="{name}"', 1) for name, each in zip(COLUMNS[1:], cells, strict=True))
        + "</tr>"
    )


def _made_by(row: Row) -> str:
    """Return the model or the table that the value comes from, with the whole of it as a title."""
    by, told = row.claim.by or {}, f'title="{html.escape(ledger.how(row))}"'
    if "model" in by:
        return f'by <a href="#{_place("analysis", row.study.slug, by["model"])}" {told}>{_breaking(by["model"])}</a>'
    return f'from <span {told}>{html.escape(row.study.tables[by["table"]]["file"])}</span>' if "table" in by else ""


def _cell(words: str) -> str:
    """Return `words` as HTML, apostrophes as print has them."""
    return html.escape(_set(words))


def _breaking(name: str) -> str:
    """Return a name as HTML that may go on in a new line after a full stop or an underscore."""
    return re.sub(r"([._])(?=.)", r"\1<wbr>", html.escape(name))


def _plain(words: str) -> str:
    """Return `words` so that Markdown shows them as they are, apostrophes as print has them."""
    return re.sub(r"([\\`*_{}\[\]<>$|#])", r"\\\1", _set(words))


def _set(words: str) -> str:
    return re.sub(r"(?<=\w)'", "’", words)
