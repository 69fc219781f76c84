"""One cell of Python, run: what it prints, what its last line came to, and what went wrong in plain words.

It runs in the reader's browser, under Pyodide, and under plain CPython in the tests, so it needs the standard library alone.

>>> run("x = 2\\nprint(x)\\nx * 21")
{'stdout': '2\\n', 'value': '42', 'text': '42', 'error': ''}
>>> run("x = 2\\ny")["error"]
'Line 2: the name y is not known here. Is it spelt as above, and is the line that makes it there?'
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import traceback

CELL = "<cell>"
MOST = 20_000  # characters of what a cell prints
NOT_HERE = {"numpy", "pandas", "scipy", "statsmodels", "matplotlib", "seaborn", "patsy"}
WORDS = {
    ZeroDivisionError: "something is divided by zero",
    IndentationError: "the spaces at the beginning of the line do not fit those of its neighbours",
    RecursionError: "a function calls itself without end",
    MemoryError: "there is no memory left for this",
}


def run(code: str) -> dict[str, str]:
    """Return `stdout`, `value` and `text` (repr and str of a last line that is an expression) and `error`, each "" where there is none.

    Every run begins with nothing defined. Nothing is raised: an error is told with its line.
    """
    printed, value = io.StringIO(), None
    told = ""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            value = _value(code, {"__name__": "__main__"})
            value = None if value is None else (repr(value), str(value))
        except BaseException as fault:  # also what a cell raises on purpose, and sys.exit
            value, told = None, explained(fault, code)
    shown = printed.getvalue()
    if len(shown) > MOST:
        shown = f"{shown[:MOST]}\n… and {len(shown) - MOST:,} characters more, which are not shown.\n"
    return {"stdout": shown, "value": value[0] if value else "", "text": value[1] if value else "", "error": told}


def run_json(code: str) -> str:
    """Return what `run` returns, as JSON, which is how it leaves the worker."""
    return json.dumps(run(code))


def _value(code: str, names: dict) -> object:
    """Return the value of the last line where that is an expression, else None; `names` then holds what the code defined."""
    tree = ast.parse(code, CELL)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, CELL, "exec"), names)
    return eval(compile(last, CELL, "eval"), names) if last else None


def explained(fault: BaseException, code: str) -> str:
    """Return what went wrong in a sentence, with the line of the cell."""
    if isinstance(fault, SyntaxError):
        line = min(fault.lineno or 1, len(code.splitlines()) or 1)
        what = WORDS[IndentationError] if isinstance(fault, IndentationError) else f"Python cannot read this line ({fault.msg})"
        return f"Line {line}: {what}."
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == CELL]
    return f"Line {lines[-1]}: {_what(fault)}" if lines else _what(fault)


def _what(fault: BaseException) -> str:
    if isinstance(fault, SystemExit):
        return "the code ended itself."
    if isinstance(fault, ModuleNotFoundError):
        name = (fault.name or "").partition(".")[0]
        if name in NOT_HERE:
            return f"{name} cannot run in this page, only Python's own library and the arithmetic of asprinted can. The chapter kit runs {name} on your own machine."
        return f"there is no module {name} here. Python's own library is, and asprinted.printed and asprinted.consistency."
    if isinstance(fault, NameError) and getattr(fault, "name", None):
        return f"the name {fault.name} is not known here. Is it spelt as above, and is the line that makes it there?"
    if isinstance(fault, FileNotFoundError):
        return f"there is no file {fault.filename}. Records are read as in the chapter, from ../data/ and the name of the study."
    if isinstance(fault, KeyError):
        return f"there is nothing by the name {fault.args[0]!r} in it." if fault.args else "there is nothing by that name in it."
    words = next((words for kind, words in WORDS.items() if isinstance(fault, kind)), "")
    said = str(fault)
    return f"{words}." if words else f"{type(fault).__name__}: {said}" if said else f"{type(fault).__name__}."
