"""``python -m book COMMAND``: refuse a wrong Python, prepare the environment, run the command in it."""

import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13))


def refusal(version):
    """Return one line for a Python that this book does not support, or "" for one that it does."""
    if tuple(version[:2]) in SUPPORTED:
        return ""
    return (
        "This book needs Python 3.11, 3.12 or 3.13, and this is Python {}.{}. "
        "Name another one: make book PYTHON=python3.12"
    ).format(*version[:2])


def main(arguments):
    """Return the exit code of the command: 0 fine, 1 a claim or test differs, 2 bad input."""
    refused = refusal(sys.version_info)
    if refused:
        sys.stderr.write(refused + "\n")
        return 2
    from book import commands  # imported late: a wrong Python must get the line above, whatever else it lacks

    return commands.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
