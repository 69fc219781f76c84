"""The errors that end a command with a message instead of a traceback."""


class BookError(Exception):
    """Bad input or a missing tool: says what is wrong and what to do about it; exit code 2."""

    exit_code = 2


class Differs(BookError):
    """A claim, a cell or a test came out otherwise than it should; exit code 1."""

    exit_code = 1
