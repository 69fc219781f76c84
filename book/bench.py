"""``make bench``: the benchmarks in ``benchmarks/``, their names, and how their results are told."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path("benchmarks", "results.json")
PARTS = {  # module of benchmarks/ → its benchmarks, in the order in which they run: the quick ones first
    "proofs": ("proofs",),
    "scores": ("scores", "shapes", "impossible"),
    "pools": ("pools", "fits"),
    "digits": ("digits",),
    "trials": ("lme4", "regression", "times", "mixed", "realism"),
    "scale": ("events", "scale", "variants"),
    "build": ("cold", "warm", "nbval"),
    "weight": ("weight",),
}
NAMES = tuple(name for names in PARTS.values() for name in names)


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every target is reached, else 1."""
    from benchmarks import report

    return report.run(root, options)


def head(columns: Sequence[str]) -> list[str]:
    """Return the first two lines of a Markdown table with one column more, the second, for whether the target is reached."""
    return [f"| {' | '.join([columns[0], 'result', *columns[1:]])} |", "|---" * (len(columns) + 1) + "|"]


def line(cells: Sequence[str], reached: bool | None) -> str:
    """Return a line of such a table; "–" where there is no target."""
    first, *rest = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join([first, {True: 'reached', False: '**missed**', None: '–'}[reached], *rest])} |"


def counted(reached: Sequence[bool | None]) -> str:
    """Return how many targets are reached, of how many."""
    there = [each for each in reached if each is not None]
    return f"{sum(there)} of {len(there)} targets reached"
