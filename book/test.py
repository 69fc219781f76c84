"""``make test``: every test, and every cell of every chapter against its stored output, on two workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

from book import claims

WORKERS = 2


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every test passes, 1 if one fails, 2 if pytest could not run them."""
    began = time.monotonic()
    version = "{}.{}.{}".format(*sys.version_info[:3])
    print(f"Tests and chapters on Python {version}, two workers.", flush=True)
    child = subprocess.Popen(pytest_command(root, options.rest, options.stop_when_named), cwd=root, env=dict(os.environ))
    stopped = False
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            stopped = True  # pytest got the same Ctrl-C and is stopping its workers
    code = 130 if stopped else {0: 0, 1: 1, 2: 1}.get(code, 2)
    if not code:
        print("\nClaims in the stored outputs of the chapters:")
        print("\n".join(claims.summary(root)))
    seconds = time.monotonic() - began
    if stopped:
        print(f"Stopped after {seconds:.0f} s; nothing was written.")
    elif code:
        print(f"Failed after {seconds:.0f} s: look at the lines above that begin with FAILED or ERROR.")
    elif options.rest:
        print(f"What was asked for passed in {seconds:.0f} s. Everything: make test")
    else:
        print(f"All of it passed in {seconds:.0f} s: every stored output was computed again and is the same.")
    return code


def pytest_command(root: Path, rest: list[str], stop_when_named: list[str]) -> list[str]:
    """Return the command that runs pytest; `rest` are further arguments, with or without paths of tests."""
    paths = [argument for argument in rest if (root / argument.split("::")[0]).exists()]
    places = [] if paths else [str(place) for place in ("chapters", "tests") if (root / place).is_dir()]
    named = [f"--stop-when-named={text}" for text in stop_when_named]
    return [
        sys.executable, "-m", "pytest",
        "-p", "no:cacheprovider", "-p", "book.pytest_order",
        "-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder",
        "--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(root / "tests" / "nbval-sanitize.cfg"),
        "--color", "yes" if sys.stdout.isatty() else "no",
        "--tb=short", "-q", "-rsxfE", *named, *rest, *places,
    ]  # fmt: skip
