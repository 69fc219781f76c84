"""``make bench``: the benchmarks in ``benchmarks/``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every target is reached, else 1."""
    from benchmarks import report

    return report.run(root, options)
