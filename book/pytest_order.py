"""A pytest plugin: long files first, so that two workers end together; and an early stop for `make sabotage`."""

from __future__ import annotations

from pathlib import Path

from book.files import read_json


def pytest_addoption(parser) -> None:
    """Add --stop-when-named: stop at the first failure whose report contains the text."""
    parser.addoption("--stop-when-named", action="append", default=[], metavar="TEXT")


def pytest_collection_modifyitems(config, items) -> None:
    """Put the chapters first, those that took longest in the last `make book` before the others; then the test files that say LONG = True.

    A run that looks for one failure keeps the order of the command line.
    """
    if config.getoption("stop_when_named"):
        return
    record = read_json(Path(config.rootpath) / "_build" / "execution.json", {})

    def place(item) -> tuple[bool, float, bool, int]:
        chapter = item.path.suffix == ".ipynb"
        seconds = record.get(item.path.stem, {}).get("seconds", 0) if chapter else 0
        return (not chapter, -seconds, not getattr(getattr(item, "module", None), "LONG", False), -item.path.stat().st_size if chapter else 0)

    items.sort(key=place)


class EarlyStop:
    """Stops the session at the first failure that contains one of `texts`."""

    def __init__(self, session, texts: list[str]) -> None:
        self.session, self.texts = session, texts

    def pytest_runtest_logreport(self, report) -> None:
        """Look at each report as it is made, in the worker that made it."""
        told = f"{report.nodeid}\n{report.longreprtext}"
        if report.failed and any(text in told for text in self.texts):
            self.session.shouldstop = "the failure that was looked for has come"


def pytest_sessionstart(session) -> None:
    """Watch the reports if the run looks for one failure."""
    texts = session.config.getoption("stop_when_named")
    if texts:
        session.config.pluginmanager.register(EarlyStop(session, texts))
