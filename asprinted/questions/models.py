"""What a model compares, read from its entry: the levels of a contrast, the terms of its formula, the categories of a column."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from asprinted.study import Study
from asprinted.study.entries import columns_of

_CODINGS = {"Treatment", "Sum", "Helmert", "Diff", "Poly"}  # of full rank: whichever is used, two levels differ by the same amount


def levels_of(model: Mapping[str, Any], contrast: str) -> tuple[str, Any, Any] | None:
    """(column, level, level of reference), where the contrast is exactly the first less the second and all else is equal."""
    terms = sorted(model.get("contrasts", {}).get(contrast, ()), key=lambda term: term["weight"])
    if [term["weight"] for term in terms] != [-1, 1]:
        return None
    below, above = (term["at"] for term in terms)
    unlike = [column for column in above if column not in below or above[column] != below[column]]
    return (unlike[0], above[unlike[0]], below[unlike[0]]) if len(unlike) == 1 and above.keys() == below.keys() else None


def is_factor(study: Study, model: Mapping[str, Any], column: str) -> bool:
    """True where the column stands in the formula once, in no interaction, and as a factor: C(column) or a column of text.

    In a Cox model a column of 0 and 1 is one too; elsewhere it would need an intercept to be.
    """
    within = [term for term in terms_of(model) if column in mentioned(term)]
    spec = columns_of(study, model["table"]).get(column)
    if len(within) != 1 or spec is None:
        return False
    match within[0]:
        case ast.Name():
            return spec["type"] == "string" or (model["family"] == "cox" and set(spec.get("values", ())) == {0, 1})
        case ast.Call(ast.Name("C"), [ast.Name(name), *rest], keywords) if name == column:
            codings = rest[:1] + [keyword.value for keyword in keywords if keyword.arg == "contrast"]
            return {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in codings} <= _CODINGS
    return False


def terms_of(model: Mapping[str, Any]) -> list[ast.expr]:
    """What the formula adds up right of '~', without intercepts; nothing where Python's grammar cannot read it."""
    try:
        left = [ast.parse(model.get("formula", "~").split("~", 1)[1].replace(":", "*").strip(), mode="eval").body]
    except SyntaxError:
        return []
    terms = []
    while left:
        match left.pop():
            case ast.BinOp(first, ast.Add(), second) | ast.BinOp(first, ast.Sub(), ast.Constant() as second):
                left += [first, second]
            case ast.Constant():
                pass
            case term:
                terms.append(term)
    return terms


def mentioned(term: ast.expr) -> set[Any]:
    """The names and texts in a term: every column that it can mean."""
    return {node.id if isinstance(node, ast.Name) else node.value for node in ast.walk(term) if isinstance(node, (ast.Name, ast.Constant))}


def factor_of(model: Mapping[str, Any]) -> str | None:
    """The one column right of '~', as it stands or within C(…); None where there is another term, or none."""
    match terms_of(model):
        case [ast.Name(name)] | [ast.Call(ast.Name("C"), [ast.Name(name), *_])]:
            return name
    return None


def categories(study: Study, model: Mapping[str, Any], column: str) -> Sequence[Any]:
    """The values that a column can have in the rows of a model; none where the study file does not list them."""
    spec, wanted = columns_of(study, model["table"]).get(column, {}), model.get("rows", {}).get(column)
    if wanted is not None:
        return wanted if isinstance(wanted, list) else [wanted]
    return spec.get("values") or ([0, 1] if spec.get("type") == "integer" and (spec.get("minimum"), spec.get("maximum")) == (0, 1) else [])
