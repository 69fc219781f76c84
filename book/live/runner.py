"""One cell of Python, run: what it prints, what its last line came to, and what went wrong in plain words.

It runs in the reader's browser, under Pyodide, and under plain CPython in the tests, so it needs the standard library alone.

>>> run("x = 2\\nprint(x)\\nx * 21")
{'stdout': '2\\n', 'value': '42', 'text': '42', 'error': ''}
>>> run("x = 2\\ny")["error"]
'Line 2: the name y is not known here. Is it spelt as above, and is the line that makes it there?'
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import json
import traceback

CELL, CHECK = "<cell>", "<check>"
MOST = 20_000  # characters that are shown of what a cell prints, of its value, and of its error
LONG = 60  # characters of what a result is called
FORMATS = {"str", "round", "in_style", "lstrip", "rstrip", "strip", "replace", "format"}  # what gives a value another look and no other meaning
NOT_HERE = {"numpy", "pandas", "scipy", "statsmodels", "matplotlib", "seaborn", "patsy"}
WORDS = {
    ZeroDivisionError: "something is divided by zero",
    IndentationError: "the spaces at the beginning of the line do not fit those of its neighbours",
    RecursionError: "a function calls itself without end",
    MemoryError: "there is no memory left for this",
}


class _Printed(io.StringIO):
    """What is printed, kept as far as it is shown; of the rest only the length."""

    length = 0

    def write(self, text: str) -> int:
        super().write(text[: max(MOST - self.length, 0)])
        self.length += len(text)
        return len(text)


def run(code: str, check: str = "") -> dict[str, str]:
    """Return `stdout`, `value` and `text` (repr and str of a last line that is an expression) and `error`, each "" where there is none.

    `check` is run after the code, with the names that it made, and the value is the check's then. Names of Python itself mean in a check
    what they always mean, also where the code gave them to something else. Every run begins with nothing defined. Nothing is raised: an error
    is told with its line in `code`.
    """
    printed, value = _Printed(), None
    told = ""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            names = {"__name__": "__main__"}
            value = _value(code, names)
            if check:
                value = _value(check, {name: held for name, held in names.items() if not hasattr(builtins, name)}, CHECK)
            value = None if value is None else (repr(value), str(value))
        except BaseException as fault:  # also what a cell raises on purpose, and sys.exit
            value, told = None, explained(fault, code)
    value, text = value or ("", "")
    return {"stdout": _cut(printed.getvalue(), printed.length), "value": _cut(value), "text": _cut(text), "error": _cut(told)}


def run_json(code: str, check: str = "") -> str:
    """Return what `run` returns, and the code's `named`, as JSON, which is how it leaves the worker."""
    return json.dumps(run(code, check) | {"name": named(code)})


def named(code: str) -> str:
    """Return what the last line works out, as it is written there without what only formats it; "" where that says nothing.

    >>> named("p = 0.101\\nf'{p:.3f}'.lstrip('0')"), named("low, high = 1, 2\\nf'{low} to {high}'"), named("'done'")
    ('p', 'low to high', '')
    """
    try:
        last = ast.parse(code).body[-1:]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    words = _bare(last[0].value) if last and isinstance(last[0], ast.Expr) else ""
    return words if any(letter.isalpha() for letter in words) and len(words) <= LONG else ""


def _bare(node: ast.expr) -> str:
    """Return an expression as it is written: of what turns a value into a text, the value; nothing of a constant."""
    match node:
        case ast.Constant():
            return ""
        case ast.JoinedStr(values=parts) if any(isinstance(part, ast.FormattedValue) for part in parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else _bare(part.value) for part in parts)
        case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in FORMATS:
            return _bare(inner)
        case ast.Call(func=ast.Name(id=id), args=[inner, *_]) if id in FORMATS:
            return _bare(inner)
    return ast.unparse(node)


def _cut(text: str, length: int | None = None) -> str:
    """Return as much of a text as is shown, and how much there is beyond; `length` is that of the whole where `text` is only its beginning."""
    more = (len(text) if length is None else length) - MOST
    return text if more <= 0 else f"{text[:MOST]}\n… and {more:,} characters more, which are not shown.\n"


def _value(code: str, names: dict, file: str = CELL) -> object:
    """Return the value of the last line where that is an expression, else None; `names` then holds what the code defined."""
    tree = ast.parse(code, file)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, file, "exec", dont_inherit=True), names)  # what this module imports from __future__ is not the cell's
    return eval(compile(last, file, "eval", dont_inherit=True), names) if last else None


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
