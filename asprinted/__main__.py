"""`python -m asprinted`, and the command `asprinted`."""

import sys


def run() -> int:
    """The exit code of the command line; 130 where it is stopped before the command line can see to it."""
    try:
        from asprinted.cli import main

        return main()
    except KeyboardInterrupt:
        print("stopped; nothing was half written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
