"""The commands of ``python -m book``: what each takes and which module runs it."""

from __future__ import annotations

import argparse
import importlib
import sys

from book import bench, environment
from book.errors import BookError


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m book",
        description="Build and prove the book. `make COMMAND` does the same; options go through ARGS, "
        'for example: make test ARGS="-k claims".',
        epilog="Exit codes: 0 fine, 1 a claim or test differs, 2 bad input.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, summary: str, module: str, rest: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=f"{summary} Further words are {rest}." if rest else summary)
        added.set_defaults(module=module, rest=rest)
        return added

    command("book", "Execute what differs and build the site in _build/html.", "build")
    test = command("test", "Run every test and compare every chapter with its stored outputs.", "test",
                   rest="arguments for pytest, such as -k NAME or a path")  # fmt: skip
    test.add_argument("--stop-when-named", metavar="TEXT", action="append", default=[],
                      help="stop at the first failure whose report contains TEXT")  # fmt: skip
    chapters = command("chapters", "Execute the chapters and store their outputs in chapters/*.ipynb.", "chapters")
    chapters.add_argument("slugs", nargs="*", metavar="SLUG", help="only these chapters")
    records = command("records", "Make the records of every data/*/study.yml.", "records")
    records.add_argument("slugs", nargs="*", metavar="SLUG", help="only these studies")
    records.add_argument("--check", action="store_true", help="write nothing; fail if a file would differ")
    serve = command("serve", "Serve the site on this machine, building it first if it is not current.", "serve")
    serve.add_argument("--port", type=int, default=8000)
    command("site-test", "Open every page of the site in Chromium and check it; write screenshots.", "site_test")
    command("pdf", "Print the whole book as one PDF and link it from the site (needs Chromium).", "pdf")
    sabotage = command("sabotage", "Break a copy of the repository in many ways; every break must fail the tests.",
                       "sabotage")  # fmt: skip
    sabotage.add_argument("--list", action="store_true", help="name the breaks and stop")
    sabotage.add_argument("--only", metavar="NAME", action="append", default=[], help="only breaks whose name contains NAME")
    command("vendored", "Compare the files of other projects that the site serves with the hashes listed beside them.", "vendored")
    command("reference", "Run tests/reference/*.R and rewrite the reference values (needs Rscript).", "reference")
    measured = command("bench", "Measure proofs, records, simulated trials, scale and the build, against other tools where there are any.", "bench")
    measured.add_argument("--runs", type=int, default=3, help="runs of each command; the median counts (default 3)")
    measured.add_argument("--only", choices=bench.NAMES, action="append", default=[], help="only this; may be given more than once")
    command("help", "Show this help.", "")
    return top


def main(arguments: list[str]) -> int:
    """Return the exit code of the command named in `arguments`."""
    top = parser()
    known, unknown = top.parse_known_args(arguments)
    if not known.command or known.command == "help":
        top.print_help()
        return 0
    if unknown and not known.rest:
        top.error(f"{known.command} does not know {' '.join(unknown)}; see: python -m book {known.command} --help")
    try:
        elsewhere = environment.enter(environment.ROOT, arguments)
        if elsewhere is not None:
            return elsewhere
        known.rest = [argument for argument in unknown if argument != "--"]
        return importlib.import_module(f"book.{known.module}").run(environment.ROOT, known)
    except BookError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
