"""Style sheets without the rules that no page can meet: a rule is left out where a class or id that it asks for is written nowhere in the site."""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|url\([^)"\']*\)|/\*.*?\*/|[{};]|[^"\'{};/u]+|.', re.S)
NAME = re.compile(r"[.#](-?[A-Za-z_](?:[\w-]|\\.)*)")
WRITTEN = re.compile(r"[A-Za-z_][\w-]*")
INSIDE = ("@media", "@supports", "@layer", "@container")  # rules that hold rules


def kept(sheet: str, site: str) -> str:
    """Return `sheet` with the rules that something written in `site`, its pages and scripts together, can meet; comments go.

    Scripts may put a name together: one that begins with a word that ends with a hyphen in `site` ("bs-tooltip-") counts as written.
    """
    words = set(WRITTEN.findall(site))
    return _kept(sheet, words, tuple(word for word in words if word.endswith("-") and len(word) > 3))


def _kept(sheet: str, words: set[str], begun: tuple[str, ...]) -> str:
    rules = []
    for head, body in _rules(sheet):
        if body is None:
            rules.append(f"{head};" if head else "")
        elif head.startswith(INSIDE):
            inside = _kept(body, words, begun)
            rules.append(f"{head}{{\n{inside}\n}}" if inside else "")
        elif head.startswith("@"):
            rules.append(f"{head}{{{body}}}")
        else:
            met = [selector for selector in _selectors(head) if _met(selector, words, begun)]
            rules.append(f"{','.join(met)}{{{_trimmed(body)}}}" if met and body.strip() else "")
    return "\n".join(filter(None, rules))


def _rules(sheet: str) -> Iterator[tuple[str, str | None]]:
    """Yield what stands before and between the braces of each rule in order; None for a statement that has no braces."""
    head, body, depth = [], [], 0
    for token in TOKEN.findall(sheet):
        if token.startswith("/*"):
            continue
        if token == "{":
            depth += 1
            if depth == 1:
                continue
        elif token == "}":
            depth -= 1
            if depth == 0:
                yield "".join(head).strip(), "".join(body)
                head, body = [], []
                continue
        elif token == ";" and depth == 0:
            yield "".join(head).strip(), None
            head = []
            continue
        (body if depth else head).append(token)
    if depth:
        raise ValueError(f"a style sheet ends within the rule {''.join(head).strip()[:60]!r}")


def _selectors(head: str) -> Iterator[str]:
    """Yield the selectors of a rule; a comma in brackets separates none."""
    start = depth = 0
    for place, sign in enumerate(head):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            yield head[start:place].strip()
            start = place + 1
    yield head[start:].strip()


def _met(selector: str, words: set[str], begun: tuple[str, ...]) -> bool:
    """Return whether every class and id that the selector asks for is written; what stands in brackets asks for nothing that is sure."""
    before = None
    while before != selector:
        before, selector = selector, re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", selector)
    names = (name.replace("\\", "") for name in NAME.findall(selector))
    return all(name in words or name.startswith(begun) for name in names)


def _trimmed(body: str) -> str:
    return re.sub(r"\s*\n\s*", " ", body).strip()
