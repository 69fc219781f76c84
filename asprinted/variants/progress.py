"""What is told on standard error while variants are made: students done, rate, time left, also while nothing is done yet."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

OFTEN, SELDOM = 1.0, 10.0  # seconds between two lines: on a terminal, where each takes the place of the last, and elsewhere


class Progress:
    """A block in which a line is told now and then; call it with how many of how many students are done.

    stream: where it is told, standard error if left out. every: seconds between two lines, as is usual there if left out.
    """

    def __init__(self, doing: str, stream: TextIO | None = None, every: float | None = None):
        self.done, self.total = 0, 0
        self._doing, self._stream = doing, stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._every = every or (OFTEN if self._terminal else SELDOM)
        self._start = self._began = time.perf_counter()
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._now_and_then, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        if self.total or self._terminal:
            self._tell(last=True)

    def __call__(self, done: int, total: int) -> None:
        """Take down that `done` of `total` students are done; the first call begins the clock of their rate."""
        first = not self.total
        self.done, self.total = done, total
        if first:
            self._began = time.perf_counter()
            self._tell()

    def note(self, line: str) -> None:
        """Tell a line of its own, above the one that is told now and then."""
        with self._lock:
            print(f"\r{line}\x1b[K" if self._terminal else line, file=self._stream, flush=True)

    def line(self) -> str:
        """What there is to tell now."""
        if not self.total:
            return f"{self._doing}, {time.perf_counter() - self._start:.0f} s"
        seconds = time.perf_counter() - self._began
        said = f"{self.done} of {self.total} variants, {seconds:.0f} s"
        if not self.done or not seconds:
            return said
        rate = self.done / seconds
        return f"{said}, {rate:.1f} a second, {(self.total - self.done) / rate:.0f} s left" if rate >= 1 else f"{said}, {60 * rate:.1f} a minute, {(self.total - self.done) / rate:.0f} s left"

    def _now_and_then(self) -> None:
        while not self._ended.wait(self._every):
            self._tell()

    def _tell(self, last: bool = False) -> None:
        with self._lock:
            print(f"\r{self.line()}\x1b[K" if self._terminal else self.line(), end="" if self._terminal and not last else "\n", file=self._stream, flush=True)
