"""``make serve``: the site on this machine, reachable from this machine alone."""

from __future__ import annotations

import contextlib
import functools
import threading
from argparse import Namespace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator

from book import build
from book.errors import BookError


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no line per request."""

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of `folder` on 127.0.0.1; port 0 takes any free one. Raise BookError if the port is taken."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(folder)))
    except OverflowError:
        raise BookError(f"port {port}: it must be between 0 and 65535; choose another: make serve ARGS='--port 8000'") from None
    except OSError as problem:
        raise BookError(f"port {port}: {problem.strerror}; choose another: make serve ARGS='--port {port + 1}'")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder` beside the block; yield the address without a final slash."""
    with server(folder, 0) as held:
        threading.Thread(target=held.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{held.server_address[1]}"
        held.shutdown()


def run(root: Path, options: Namespace) -> int:
    """Return 0 when the reader stops the server; build the site first if it is not current."""
    if not build.current(root):
        build.run(root, options)
    with server(root / "_build" / "html", options.port) as held:
        print(f"The book is at http://127.0.0.1:{held.server_address[1]}/ (Ctrl-C stops it).", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            held.serve_forever()
    return 0
