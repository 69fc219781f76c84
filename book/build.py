"""``make book``: execute what differs, assemble ``_build/src``, render ``_build/html``.

``_build/html`` exists only while it is whole and made from what is in the repository now: it is taken away
before a new one is begun and put in its place in one step when that one is complete.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from argparse import Namespace
from collections import Counter
from pathlib import Path

from book.bench import RESULTS
from book.edition import FILE as CITATION
from book.errors import BookError, Differs
from book.files import alone, files_below, fingerprint, read_json, write_whole
from book.study_file_page import WORDS as STUDY_FILE

IN_KITS = ("pyproject.toml", "LICENSE", "LICENSE-data", "LICENSE-text", "tests/nbval-sanitize.cfg")  # what kits hold beside PARTS
FACE = ("_config.yml", "_toc.yml", "references.bib")
PARTS = ("chapters", "data", "asprinted", "book", "vendor")


def run(root: Path, options: Namespace) -> int:
    """Return 0 when `_build/html` holds the current site."""
    began = time.monotonic()
    with alone(root / "_build" / "build.lock", "building the book"):
        summary = current(root)
        if summary:
            print(f"The site is current, nothing to do ({time.monotonic() - began:.1f} s). {summary}")
        else:
            summary = build(root)
            print(f"\nBuilt in {time.monotonic() - began:.1f} s. {summary}")
    print(f"Look at: {root / '_build' / 'html' / 'index.html'}  (or: make serve)")
    return 0


def site_fingerprint(root: Path) -> str:
    """Return the fingerprint of everything that enters the site."""
    files = [path for path in (*map(root.joinpath, FACE), root / "requirements.lock", root / RESULTS, *map(root.joinpath, IN_KITS), root / STUDY_FILE, root / CITATION, *root.glob("*.md")) if path.is_file()]
    for part in PARTS:
        files += files_below(root / part)
    return fingerprint(root, files, platform.python_version())


def current(root: Path) -> str:
    """Return the summary of the site in `_build/html` if it is whole and current, else ""."""
    from book import kept_pdf

    made, wanted = read_json(root / "_build" / "site.json", {}), site_fingerprint(root)
    html = root / "_build" / "html"
    if made.get("fingerprint") == wanted and made.get("files") == inventory(html):
        offered = made["files"].get(kept_pdf.NAME, [0])[0]
        return made["summary"] if offered == len(kept_pdf.of_site(root, wanted)) else ""  # a PDF printed since then is not linked yet
    return ""


def inventory(html: Path) -> dict[str, list[int]]:
    """Return size and time stamp of every file of the site, by its place."""
    found, folders = {}, [str(html)] if html.is_dir() else []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    about = entry.stat()
                    found[os.path.relpath(entry.path, html)] = [about.st_size, about.st_mtime_ns]
    return found


def build(root: Path) -> str:
    """Return the summary of the site, newly made; raise BookError or Differs if it cannot be made."""
    from book import execute, toc

    made_from = site_fingerprint(root)
    (root / "_build" / "site.json").unlink(missing_ok=True)
    shutil.rmtree(root / "_build" / "html", ignore_errors=True)
    check_records(root)
    pages = toc.pages(root)
    chapters = [page for page in pages if page.suffix == ".ipynb"]
    outdated = execute.outdated(root, chapters)
    print(f"{len(chapters)} notebooks, {len(outdated)} to execute.", flush=True)
    if outdated:
        execute.execute(root, outdated, meanwhile=import_sphinx)
    counts = assemble(root, pages)
    render(root)
    return publish(root, made_from, counts)


def check_records(root: Path) -> None:
    """Raise BookError if the records of a study are not those of its study file."""
    from book import studies

    found = studies.load_all(root)
    if not found:
        return
    from asprinted.records import stale

    problems = [problem for problem in (stale(study.folder) for study in found) if problem]
    if problems:
        raise Differs("\n".join(problems) + "\nThen, in this order: make records, make reference, make chapters")


def import_sphinx() -> None:
    """Import what the rendering needs, while the kernels work."""
    import jupyter_book.sphinx  # noqa: F401
    import myst_nb.sphinx_ext  # noqa: F401
    import sphinx_book_theme  # noqa: F401
    import sphinx_design  # noqa: F401
    import sphinxcontrib.bibtex  # noqa: F401


def assemble(root: Path, pages: list[Path]) -> dict[str, Counter]:
    """Return the verdicts of each chapter; `_build/src` then holds exactly the sources of the site.

    Files that have not changed are left alone, so that Sphinx reads only what is new.
    """
    from book import colophon, edition, execute, exercise_places, exercises, generated, glossary, kept_pdf, notebooks, quiz, take_away, toc
    from book.live import page as live
    from book.live import served

    source, kept, executed, included = root / "_build" / "src", set(), {}, {}
    pdf = kept_pdf.of_site(root, site_fingerprint(root))
    loads = take_away.told(size) if (size := served.size(root)) else ""
    terms, cited = glossary.of_book(root), edition.of(root)
    made = generated.of(toc.entries(root))  # pages and downloads that no one writes: the table GENERATED in book/generated.py

    def put(place: str, content: str | bytes) -> bool:
        kept.add(source / place)
        return write_whole(source / place, content)

    face = [put(name, (root / name).read_bytes()) for name in FACE if (root / name).is_file()]
    for page in pages:
        place = page.relative_to(root).as_posix()
        if page.suffix == ".md":
            words = page.read_text(encoding="utf-8")
            put(place, glossary.in_page(place, take_away.in_index(words, pdf) if place == "index.md" else words, terms))
            continue
        chapter = notebooks.with_outputs(notebooks.read(page), notebooks.read(execute.result_path(root, page)))
        executed[page.stem] = chapter
        shown = notebooks.for_rendering(chapter, ledger="ledger.html" if "chapters/ledger.md" in made else "")
        shown = live.in_notebook(glossary.in_notebook(shown, terms), page.with_suffix(".live.yml"), chapter, loads)
        shown = exercises.in_notebook(shown, page.with_suffix(".exercises.yml"), chapter, loads)
        if loads:
            shown = exercise_places.in_notebook(shown)
        shown = take_away.in_notebook(root, page.stem, shown)
        notebooks.write(source / place, colophon.in_notebook(shown, page.stem, chapter, cited, ledger="chapters/ledger.md" in made))
        kept.add(source / place)
        questions = page.with_suffix(".questions.yml")
        if questions.is_file():
            included[f"{page.stem}.questions.md"] = quiz.render(quiz.load(questions), chapter)
            put(f"chapters/{page.stem}.questions.md", included[f"{page.stem}.questions.md"])
    for place, content in take_away.files(root, executed, included).items():
        put(place, content)
    for place, make in made.items():
        put(place, make(root, executed))
    for folder, below in (("book/static", "_static"), ("vendor", "vendor"), ("data", "data")):  # data: pages offer the files
        for path in files_below(root / folder):
            face.append(put(f"{below}/{path.relative_to(root / folder).as_posix()}", path.read_bytes()))
    for place, content in served.files(root).items():
        face.append(put(f"vendor/live/{place}", content))
    gone = [path for path in files_below(source) if path not in kept]
    for path in gone:
        path.unlink()
    if gone or any(face):  # Sphinx copies style sheets and settings only when it renders a page
        shutil.rmtree(root / "_build" / "sphinx", ignore_errors=True)
    return {stem: notebooks.verdicts(chapter) for stem, chapter in executed.items()}


def render(root: Path) -> None:
    """Render `_build/src` with Jupyter Book; raise BookError with its warnings if there is any."""
    import_sphinx()
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util import console

    if not sys.stderr.isatty():
        console.nocolor()
    source, work = root / "_build" / "src", root / "_build" / "sphinx"
    result = build_sphinx(
        source,
        work / "html",
        noconfig=True,
        path_config=source / "_config.yml",
        doctreedir=work / "doctrees",
        confoverrides={
            "external_toc_path": str(source / "_toc.yml"),
            "latex_individualpages": False,
            "nitpicky": True,
        },
        quiet=True,
        warningiserror=True,
        keep_going=True,
    )
    if result != 0:
        shutil.rmtree(work, ignore_errors=True)
        raise BookError("The site was not built: mend what the lines above name, then run make book again.")


def publish(root: Path, made_from: str, counts: dict[str, Counter]) -> str:
    """Return the summary; put the finished site in its place in one step and record what it was made from."""
    from book import access, finding, generated, kept_pdf, kits, light, notebooks, policy, sharing, take_away, toc

    fresh, html = root / "_build" / "html.new", root / "_build" / "html"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(root / "_build" / "sphinx" / "html", fresh)
    downloads = [place for place in generated.of(toc.entries(root)) if not place.endswith(".md")]
    downloads += [take_away.kit_place(stem) for stem in counts if kits.possible(root)]
    for place in downloads:  # a download stands beside its page, under its own name
        shutil.copyfile(root / "_build" / "src" / place, fresh / place)
    if pdf := kept_pdf.of_site(root, made_from):
        write_whole(fresh / kept_pdf.NAME, pdf)
    finding.run(fresh)
    sharing.run(root, fresh)
    access.run(fresh)
    light.run(fresh)  # before anything that reads which scripts a page has
    policy.run(fresh)
    os.replace(fresh, html)
    total = sum(counts.values(), Counter())
    summary = f"{len(counts)} chapters, {notebooks.told(total)}."
    made = {"fingerprint": made_from, "files": inventory(html), "summary": summary}
    write_whole(root / "_build" / "site.json", json.dumps(made, indent=1, sort_keys=True) + "\n")
    return summary
