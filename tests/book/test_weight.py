"""The judge of a page's weight counts what was loaded, and holds it against all three targets."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import weight
from benchmarks.weight import Load
from book import browser
from book.errors import BookError


def sent(name: str, address: str) -> dict:
    return {"method": "Network.requestWillBeSent", "params": {"requestId": name, "request": {"url": address}}}


def got(name: str, size: int) -> dict:
    return {"method": "Network.dataReceived", "params": {"requestId": name, "dataLength": size}}


def test_bytes_are_added_up_over_requests_and_what_stands_in_the_page_is_not_counted_twice():
    events = [sent("1", "http://a/"), got("1", 100), got("1", 50), sent("2", "data:image/png;base64,AA"), got("2", 7), sent("3", "http://a/b"), got("3", 1), {"method": "Page.loadEventFired"}]
    assert weight.loaded(events, 0.5) == Load(151, 2, 0.5)


def test_each_target_can_be_missed_by_itself():
    stock = Load(2_000_000, 30, 2.0)
    assert weight.row("a", Load(1_000_000, 20, 1.0), stock).reached
    assert not weight.row("a", Load(1_000_000, 20, 1.6), stock).reached
    assert not weight.row("a", Load(1_300_000, 20, 1.0), Load(9_000_000, 30, 2.0)).reached
    assert not weight.row("a", Load(1_000_000, 20, 1.0), Load(1_100_000, 30, 2.0)).reached


def test_the_median_is_that_of_each_measure():
    assert weight.median([Load(1, 5, 9), Load(3, 6, 7), Load(2, 4, 8)]) == Load(2, 5, 8)


def test_stock_gets_the_pages_and_none_of_our_scripts(tmp_path):
    for place in ("_build/src/chapters/a.md", "_build/src/_static/own.js", "_build/src/vendor/pyodide-1/x", "_build/src/vendor/mathjax-3/y", "book/static/favicon.svg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("a", "utf-8")
    weight.copy_stock(tmp_path, tmp_path / "stock")
    there = {path.relative_to(tmp_path / "stock").as_posix() for path in (tmp_path / "stock").rglob("*") if path.is_file()}
    assert there == {"chapters/a.md", "_static/favicon.svg", "vendor/mathjax-3/y"}


def test_a_load_that_stood_still_is_made_again_and_one_that_always_does_ends_with_a_message(monkeypatch, capsys):
    tried = []

    async def first_load(address):
        tried.append(address)
        if len(tried) < until:
            raise browser.Silent("Chromium has said nothing")
        return Load(1, 2, 3)

    monkeypatch.setattr(weight, "first_load", first_load)
    until = 3
    assert weight.load("http://a/") == Load(1, 2, 3) and len(tried) == 3
    assert capsys.readouterr().out.count("made again") == 2
    until, tried[:] = 99, []
    with pytest.raises(BookError, match="said nothing"):
        weight.load("http://a/")
    assert len(tried) == weight.TRIES


def test_silence_of_the_browser_is_a_message_and_no_traceback():
    class Mute:
        async def write_message(self, _: str) -> None:
            pass

        async def read_message(self) -> str:
            await asyncio.sleep(60)

    async def asked() -> None:
        mute = browser.Browser(Mute())
        mute.patience = 0.01
        await mute.call("Page.enable")

    with pytest.raises(BookError, match="nothing for 0.01 s; try again"):
        asyncio.run(asked())
