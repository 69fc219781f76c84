"""Launch links are absent until the one setting is there, and well-formed when it is."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from book import published, take_away
from book.errors import BookError

ROOT = Path(__file__).resolve().parents[2]
PLACE = "chapters/a-chapter.ipynb"


def configured(folder: Path, setting: str) -> published.Repository | None:
    (folder / "_config.yml").write_text(f"title: T\n{setting}", "utf-8")
    return published.repository(folder)


def test_without_the_setting_no_page_has_a_launch_link(tmp_path):
    assert configured(tmp_path, "") is None
    (tmp_path / "data/s").mkdir(parents=True)
    words = take_away.block("a-chapter", 1, ["s"], tmp_path, None)
    assert "http" not in words and "launch" not in words


@pytest.mark.parametrize("written", ["https://github.com/some-one/a.book", "https://github.com/some-one/a.book/", "https://github.com/some-one/a.book.git"])
def test_links_name_owner_repository_branch_and_notebook(tmp_path, written):
    held = configured(tmp_path, f"repository:\n  url: {written}\n  branch: new/one\n")
    assert held == published.Repository("some-one", "a.book", "new/one")
    colab, binder, hub = (urlsplit(address) for address in (held.colab(PLACE), held.binder(PLACE), held.jupyterhub(PLACE)))
    assert (colab.scheme, colab.netloc, colab.path) == ("https", "colab.research.google.com", f"/github/some-one/a.book/blob/new/one/{PLACE}")
    assert (binder.scheme, binder.netloc, binder.path) == ("https", "mybinder.org", "/v2/gh/some-one/a.book/new%2Fone")
    assert parse_qs(binder.query) == {"labpath": [PLACE]}
    assert hub.path == "/hub/user-redirect/git-pull"
    assert parse_qs(hub.query) == {"repo": ["https://github.com/some-one/a.book"], "branch": ["new/one"], "urlpath": [f"lab/tree/a.book/{PLACE}"]}


def test_with_the_setting_the_block_has_all_three_and_each_waits_for_a_click(tmp_path):
    (tmp_path / "data/s").mkdir(parents=True)
    words = take_away.block("a-chapter", 1, ["s"], tmp_path, published.Repository("o", "n", "main"))
    assert words.count('<a class="launch" href="https://') == 2 and "/hub/user-redirect/git-pull?" in words
    assert not any(mark in words for mark in ("<img", "<script", "<iframe", "![")), "nothing is asked for before the click"


@pytest.mark.parametrize(("setting", "named"), [
    ("repository:\n  url: https://example.org/o/n\n", "repository.url"),
    ("repository:\n  url: https://github.com/only-owner\n", "repository.url"),
    ("repository:\n  url: https://github.com/o/n\n  branch: '../x y'\n", "repository.branch"),
])  # fmt: skip
def test_an_address_that_cannot_be_launched_is_refused_by_field(tmp_path, setting, named):
    with pytest.raises(BookError, match=f"_config.yml: field {named}"):
        configured(tmp_path, setting)


def test_binder_finds_the_versions_of_the_kits_and_the_library():
    asked = (ROOT / "binder/requirements.txt").read_text("utf-8")
    assert (ROOT / "binder" / asked.split()[-1]).resolve() == ROOT / "book/kit/requirements.lock"
    assert "pip install --no-deps ." in (ROOT / "binder/postBuild").read_text("utf-8")
