"""A small book, built: it shows the numbers of its data, never old ones, and writes nothing beside _build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from book import build, files, notebooks, site_pages, toc
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
RUN = "import sys; from pathlib import Path; from book import build, errors\ntry: sys.exit(build.run(Path.cwd(), None))\nexcept errors.BookError as e: print(e); sys.exit(e.exit_code)"


@pytest.fixture
def small_book(tmp_path):
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "int(open('../data/n.csv').read()) * 1001", "outputs": [], "execution_count": None}
    words = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Chapter"}
    notebooks.write(tmp_path / "chapters/a.ipynb", {"cells": [words, cell], "metadata": {"kernelspec": notebooks.KERNEL}, "nbformat": 4, "nbformat_minor": 5})
    shutil.copy(ROOT / "_config.yml", tmp_path)
    shutil.copytree(ROOT / "book/static", tmp_path / "book/static")
    for name, content in {
        "_toc.yml": "format: jb-book\nroot: index\nchapters:\n  - file: chapters/a\n", "index.md": "# Book\n", "references.bib": "",
        "requirements.lock": "", "data/n.csv": "4", "asprinted/__init__.py": "", "vendor/mathjax-3.2.2/a.txt": "a",
    }.items():  # fmt: skip
        files.write_whole(tmp_path / name, content)
    return tmp_path


def built(root: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", RUN], cwd=root, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"})  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def sources(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and "_build" not in path.parts}


def test_book_shows_the_numbers_of_its_data_and_never_old_ones(small_book):
    page, before = small_book / "_build/html/chapters/a.html", sources(small_book)
    code, told = built(small_book)
    assert code == 0 and "4004" in page.read_text(), told
    assert sources(small_book) == before
    assert "nothing to do" in built(small_book)[1]

    files.write_whole(small_book / "book/static/extra.css", "h1 {color: blue}")
    assert built(small_book)[0] == 0 and "blue" in (small_book / "_build/html/_static/extra.css").read_text()
    files.write_whole(small_book / "book/static/extra.css", "h1 {color: red}")
    assert built(small_book)[0] == 0 and "red" in (small_book / "_build/html/_static/extra.css").read_text()

    (small_book / "data/n.csv").write_text("7")
    code, told = built(small_book)
    assert code == 0 and "7007" in page.read_text() and "4004" not in page.read_text(), told

    (small_book / "data/n.csv").write_text("not a number")
    code, told = built(small_book)
    assert code == 1 and "a.ipynb: cell [1] failed" in told and "Traceback (most recent call last):\n  File" not in told
    assert not page.exists(), "a site that could not be built again must not stay"

    (small_book / "data/n.csv").write_text("7")
    (small_book / "index.md").write_text("# Book\n\n[nowhere](missing.md)\n")
    code, told = built(small_book)
    assert code == 2 and "missing.md" in told and not page.exists()


def test_site_with_a_page_changed_or_lost_is_not_taken_as_current(tmp_path):
    html = tmp_path / "_build" / "html"
    files.write_whole(html / "index.html", "words")
    files.write_whole(html / "chapters/a.html", "words")
    record = {"fingerprint": build.site_fingerprint(tmp_path), "files": build.inventory(html), "summary": "fine"}
    files.write_whole(tmp_path / "_build/site.json", build.json.dumps(record))
    assert build.current(tmp_path) == "fine"
    (html / "index.html").write_text("other words")
    assert build.current(tmp_path) == ""
    files.write_whole(tmp_path / "_build/site.json", build.json.dumps(record | {"files": build.inventory(html)}))
    (html / "chapters/a.html").unlink()
    assert build.current(tmp_path) == ""


def test_table_of_contents_with_a_missing_page_is_refused(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: index\nparts:\n- caption: A\n  chapters:\n  - file: chapters/none\n")
    (tmp_path / "index.md").write_text("# A\n")
    with pytest.raises(BookError, match="chapters/none"):
        toc.pages(tmp_path)


def test_faults_of_a_page_are_found(tmp_path):
    files.write_whole(tmp_path / "b.html", '<p id="there"></p>')
    files.write_whole(tmp_path / "a.html", """
        <img src="b.html" alt=""><img src="b.html" alt="x/y.png"><img src="b.html" alt="Two lines">
        <a href="b.html#there">fine</a> <a href="b.html#gone">x</a> <a href="c.html">x</a> <a href="https://example.org">fine</a>
        <p>The value {glue:text} and $x$ but <code>$y$ {ref}</code></p><span class="math">$z$</span>""")  # fmt: skip
    told = "\n".join(site_pages.problems(tmp_path))
    assert told.count("a.html:") == 6
    assert all(part in told for part in ("b.html#gone", "c.html", "'$x$'", "'{glue:text}'", "'x/y.png'"))


def test_site_asks_for_no_other_host_by_its_settings():
    import yaml

    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    assert "sphinx_thebe" not in settings["extensions"] and settings["html_copy_source"] is False
    assert "://" not in settings["mathjax_path"] and (ROOT / "vendor" / settings["mathjax_path"].removeprefix("../")).is_file()
