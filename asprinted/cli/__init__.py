"""The command line, thin: which commands there are, and what becomes of their errors."""

from __future__ import annotations

import argparse
import os
import sys

from asprinted import __version__
from asprinted.cli import studies
from asprinted.cli.output import BAD_INPUT, CLOSED_PIPE, CODES, DIFFERS, FINE, OPEN, STOPPED
from asprinted.paper import blanks
from asprinted.paper import commands as papers
from asprinted.study import Study, StudyError, load
from asprinted.variants import commands as variants

__all__ = ["BAD_INPUT", "CLOSED_PIPE", "DIFFERS", "FINE", "OPEN", "main"]

ORDER = """\
the usual order, from a paper to a chapter:
  asprinted new my-trial                  a study.yml to fill in from the paper
  asprinted check my-trial                do the printed numbers agree with each other?
  asprinted synthesise my-trial           records that print every number again
  asprinted new --chapter my-trial        a chapter that recomputes each number, and its tests
  asprinted verify my-trial               every number, recomputed from the records
"""


def main(arguments: list[str] | None = None) -> int:
    """The exit code; `arguments` default to those of the process."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        raise SystemExit(BAD_INPUT)
    try:
        return options.run(*map(_opened, getattr(options, "folder", [])), options=options)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # whoever reads, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}. Check that the folder is there and can be written.", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("stopped; nothing was half written", file=sys.stderr)
        return STOPPED


def _opened(folder: str | os.PathLike[str]) -> Study:
    """The study in `folder`. Raises StudyError, for what is still to be filled in as for any other fault."""
    blanks.refuse(folder)
    return load(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asprinted", description="Printed numbers as intervals, and synthetic records whose reanalysis prints them again.",
        epilog=f"{ORDER}\nasprinted COMMAND --help says more, with an example.\n{CODES}", formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"asprinted {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    papers.add_to(commands)
    studies.add_to(commands)
    variants.add_to(commands)
    for command in commands.choices.values():
        command.epilog = command.epilog or CODES
    return parser
