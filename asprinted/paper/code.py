"""Pieces of the code that a chapter shows: names of frames, the rows that are meant, texts in quotes, and a check of several claims."""

from __future__ import annotations

import builtins
import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asprinted.study import Study
from asprinted.study.entries import columns_of
from asprinted.study.rules import conditions

WIDTH = 80
TAKEN = {"np", "pd", "plt", "sm", "smf", "stats", "optimize", "trial", "rows", "fit", "model", "test", "check", "say", "behind", "prove", "study", "pool", "formula", "weights", "names"}


@dataclass(frozen=True)
class Cell:
    """A cell of code: an id that can be read, its lines, the claims that it checks, and the names that it needs imported."""

    id: str
    lines: tuple[str, ...]
    claims: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()


def frame_name(table: str) -> str:
    """The name that a table's frame has in the chapter."""
    return f"{table}_table" if table in TAKEN or keyword.iskeyword(table) or hasattr(builtins, table) else table


def quoted(text: str) -> str:
    """The text as Python writes it, in double quotes where it has none of its own."""
    return json.dumps(text, ensure_ascii=False) if '"' not in text else repr(text)


def literal(value: Any) -> str:
    """A value as Python writes it."""
    if isinstance(value, str):
        return quoted(value)
    return f"[{', '.join(map(literal, value))}]" if isinstance(value, list) else repr(value)


def meant(frame: str, filters: Iterable[Mapping[str, Any]]) -> str:
    """The expression of the rows of `frame` that meet all filters; the frame itself where there are none."""
    tests = [test for filter in filters for column, wanted in filter.items() for test in _tests(f"{frame}[{quoted(column)}]", wanted)]
    if not tests:
        return frame
    return f"{frame}[{tests[0] if len(tests) == 1 else ' & '.join(f'({test})' for test in tests)}]"


def _tests(cells: str, wanted: Any) -> list[str]:
    if isinstance(wanted, Mapping):
        return [f"{cells} {sign} {literal(wanted[end])}" for end, sign in (("from", ">="), ("to", "<=")) if end in wanted]
    return [f"{cells}.isin({literal(wanted)})"] if isinstance(wanted, list) else [f"{cells} == {literal(wanted)}"]


def assigned(name: str, expression: str) -> list[str]:
    """The line `name = expression`, broken after brackets and at `&` where it is too long."""
    line = f"{name} = {expression}"
    found = re.fullmatch(r"(\w+)\[(.*)\]", expression)
    if len(line) <= WIDTH or found is None:
        return [line]
    inside = f"    {found[2]}"
    parts = [inside] if len(inside) <= WIDTH else [f"    {'& ' if place else ''}{part}" for place, part in enumerate(found[2].split(" & "))]
    return [f"{name} = {found[1]}[", *parts, "]"]


def together(names: str, *expressions: str) -> list[str]:
    """The line `a, b = x, y`; a line each where it is too long."""
    line = f"{names} = {', '.join(expressions)}"
    return [line] if len(line) <= WIDTH else [f"{name} = {expression}" for name, expression in zip(names.split(", "), expressions, strict=True)]


def fitted(call: str) -> list[str]:
    """The line `fit = model.fit(options)`; the model first where it is too long."""
    line = f"fit = {call}"
    made, dot, options = call.rpartition(".fit(")
    return [line] if len(line) <= WIDTH or not dot else [f"model = {made}", f"fit = model.fit({options}"]


def plain(number: float) -> str:
    """The number as code writes it, without what rounding has left of it."""
    rounded = round(float(number), 12)
    return str(int(rounded)) if rounded == int(rounded) else repr(rounded)


def statistic_of(statistic: str, end: str, ratio: bool) -> str:
    """The expression of a statistic of one contrast, of the names est, se, low, high and p with `end` behind each; logs where it is a ratio."""
    exponent = (lambda text: f"np.exp({text})") if ratio else (lambda text: text)
    return {
        "est": exponent(f"est{end}"), "se": f"se{end}", "lo": exponent(f"low{end}"), "hi": exponent(f"high{end}"), "p": f"p{end}", "joint_p": f"p{end}",
        "t": f"est{end} / se{end}", "f": f"(est{end} / se{end}) ** 2", "chi2": f"(est{end} / se{end}) ** 2",
        "d": f"est{end} / np.sqrt(fit.scale)", "d_lo": f"d{end} - reach_d{end}", "d_hi": f"d{end} + reach_d{end}", "reduction": f"100 * (1 - np.exp(est{end}))",
    }[statistic]  # fmt: skip


def asked_rows(study: Study, by: Mapping[str, Any]) -> str:
    """The expression of the rows that an entry's `by` on a table is about."""
    return meant(frame_name(by["table"]), conditions(study, by))


def checks(values: Mapping[str, str]) -> list[str]:
    """The call of `check` for several claims, id → expression of its value."""
    if len(values) == 1:
        [(id, value)] = values.items()
        line = f"check({quoted(id)}, {value})"
        return [line] if len(line) <= WIDTH else ["check(", f"    {quoted(id)},", f"    {value},", ")"]
    lines = ["check(", "    {"]
    for id, value in values.items():
        line = f"        {quoted(id)}: {value},"
        lines += [line] if len(line) <= WIDTH else [f"        {quoted(id)}: (", f"            {value}", "        ),"]
    return [*lines, "    }", ")"]


def named(study: Study, table: str, text: str) -> list[str]:
    """The columns of a table, with its parent's, that a formula names, in order."""
    known = columns_of(study, table)
    return list(dict.fromkeys(name for name in re.findall(r"[A-Za-z_]\w*", re.sub(r"\"[^\"]*\"|'[^']*'", "", text)) if name in known))


def cell_id(*words: str) -> str:
    """An id that a notebook allows: letters, digits and hyphens, at most 64."""
    plain = "-".join(re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)
    return plain[:64].strip("-")


def without_repeats(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, a number behind the id of each that another has already."""
    seen: dict[str, int] = {}
    found = []
    for cell in cells:
        seen[cell.id] = seen.get(cell.id, 0) + 1
        found.append(cell if seen[cell.id] == 1 else Cell(f"{cell.id[:60]}-{seen[cell.id]}", cell.lines, cell.claims, cell.needs))
    return found
