"""What every command ends with: a text or JSON on standard output, the next command on standard error, and an exit code."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

FINE, DIFFERS, BAD_INPUT, OPEN = 0, 1, 2, 3
STOPPED = 130
CLOSED_PIPE = 141  # as a shell reports a process that wrote to a closed pipe
CODES = "exit codes: 0 fine; 1 something differs, or print is contradictory; 2 bad input; 3 undecided; 130 stopped"


def show(options: argparse.Namespace, data: object, lines: list[str]) -> None:
    """Print `data` as JSON where the options ask for it, else the `lines`; signs that the terminal lacks become question marks."""
    text = json.dumps(data, indent=2, ensure_ascii=False) if options.json else "\n".join(lines)
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def tell_next(options: argparse.Namespace, *words: str | Path, note: str = "") -> None:
    """Name the command that usually follows, with a note, on standard error, unless JSON was asked for."""
    if not options.json:
        print(f"next: {shlex.join(map(str, words))}{f'   ({note})' if note else ''}", file=sys.stderr)
