"""Numbers typed into prose: a digit in a page is an error unless the code put it there or an exception names it."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from book import notebooks
from book.errors import BookError

ROLES = r"code|glue:\w*|cite(?::\w+)?|ref|numref|eq|doc|term|any|download|prf:ref"
# Directives whose body is not prose.
BODY_IS_CODE = {"code", "code-block", "code-cell", "literalinclude", "include", "bibliography", "toctree", "raw", "figure-md"}
SPANS = [re.compile(pattern, flags) for pattern, flags in (
    (r"<!--.*?-->", re.S),                                      # comments
    (r"^%.*$", re.M),                                           # MyST comments
    (rf"\{{(?:{ROLES})\}}(`+).+?\1", re.S),                     # values from code, citations, cross-references
    (r"(?<![`}])(`+)(?!`).+?(?<!`)\1(?!`)", re.S),                # code (the text of other roles is prose)
    (r"\{\{.*?\}\}", 0),                                        # substitutions
    (r"(?<=\])\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)", 0),  # link targets
    (r"^\s*\[[^\]]+\]:\s+\S+.*$", re.M),                        # link definitions
    (r"\[\^[^\]]+\]:?", 0),                                     # footnote marks
    (r"^\([\w:.-]+\)=\s*$", re.M),                              # labels
    (r"<?https?://[^\s>)\]]+>?", 0),                            # addresses
    (r"\bdoi:\s*\S+|\b10\.\d{4,}/\S+", re.I),                   # DOIs
    (r"</?[a-zA-Z][^>]*>", 0),                                  # HTML tags
    (r"\{[#.][^}]*\}", 0),                                      # attributes
    (r"^\s*\d+[.)](?=\s)", re.M),                               # markers of numbered lists
    (r"(?<![\d.,])(?:19|20)\d{2}(?!\d|[.,]\d)", 0),             # years
)]  # fmt: skip
NUMBER = re.compile(r"\d[\d.,]*\d|\d")


@dataclass
class Allowed:
    """A number that may be typed: in which file, the text that holds it, why; and whether it was met."""

    file: str
    text: str
    reason: str
    used: bool = field(default=False, compare=False)


def load_allowed(path: Path) -> list[Allowed]:
    """Return the exceptions in `path` (none if there is no such file); raise BookError if one is malformed."""
    held = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else []) or []
    if not isinstance(held, list):
        raise BookError(f"{path.name}: the file must be a list of {{file, text, reason}}")
    for number, entry in enumerate(held, 1):
        if not isinstance(entry, dict) or set(entry) != {"file", "text", "reason"}:
            raise BookError(f"{path.name}: entry {number}: {entry!r}: write file, text and reason, and nothing else")
        if any(not isinstance(value, str) or not value.strip() for value in entry.values()):
            raise BookError(f"{path.name}: entry {number}: {entry!r}: write texts (in quotes if they look like numbers)")
        if not re.search(r"\d", entry["text"]):
            raise BookError(f"{path.name}: entry {number}: text {entry['text']!r} holds no digit, so it allows nothing")
    return [Allowed(**entry) for entry in held]


def prose_of(markdown: str) -> str:
    """Return `markdown` with everything blanked that is not prose; places and line breaks stay."""
    words = _without_fences(markdown)
    for pattern in SPANS:
        words = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), words)
    return words


def _without_fences(markdown: str) -> str:
    kept: list[str] = []
    open_fences: list[tuple[str, bool]] = []  # the fence that closes the block; whether its body is code
    options = ""  # "colon" or "yaml" while the options of a directive are being read
    for line in markdown.split("\n"):
        bare = line.strip()
        fence = re.match(r"(`{3,}|~{3,}|:{3,})\s*(.*)$", bare)
        in_code = bool(open_fences) and open_fences[-1][1]
        if fence and open_fences and not fence[2] and fence[1].startswith(open_fences[-1][0]):
            open_fences.pop()
            kept.append("")
        elif in_code:
            kept.append("")
        elif fence:
            name = re.match(r"\{([\w:-]+)\}", fence[2])
            open_fences.append((fence[1], (name[1] in BODY_IS_CODE) if name else fence[1][0] != ":"))
            options = "begin"
            kept.append(_title(fence[2]))
        elif options == "begin" and bare == "---":
            options = "yaml"
            kept.append("")
        elif options == "yaml":
            options = "" if bare == "---" else "yaml"
            kept.append("")
        elif options == "begin" and re.match(r":[\w-]+:", bare):
            kept.append(bare.partition(":alt:")[2])
        else:
            options = ""
            kept.append(line)
    return "\n".join(kept)


def _title(after_fence: str) -> str:
    """Return the title of an admonition and the like, which is prose; other arguments are not."""
    name = re.match(r"\{([\w:-]+)\}\s*(.*)$", after_fence)
    prose = {"admonition", "dropdown", "card", "tab-item", "note", "tip", "warning", "important", "exercise", "topic"}
    return name[2] if name and name[1] in prose else ""


def typed_numbers(name: str, where: str, markdown: str, allowed: list[Allowed]) -> list[str]:
    """Return a line for every number in the prose of `markdown` that no exception names; mark the exceptions met."""
    words = prose_of(markdown)
    for exception in allowed:
        if fnmatch.fnmatch(name, exception.file):
            pattern = rf"(?<![\d.,]){re.escape(exception.text)}(?!\d|[.,]\d)"
            words, times = re.subn(pattern, lambda match: " " * len(match.group()), words)
            exception.used |= times > 0
    return [
        f"{name}: {where}line {number}: {found.group()!r} is typed in: {line.strip()[:90]!r}; say it from the code, "
        "or add {file, text, reason} to tests/numbers-in-prose.yml"
        for number, line in enumerate(words.split("\n"), 1)
        for found in NUMBER.finditer(line)
    ]


def typed_numbers_of_page(root: Path, page: Path, allowed: list[Allowed]) -> list[str]:
    """Return the typed numbers of one page, and of the questions beside it."""
    name = page.relative_to(root).as_posix()
    if page.suffix == ".md":
        return typed_numbers(name, "", page.read_text(encoding="utf-8"), allowed)
    found = []
    for number, cell in enumerate(notebooks.read(page)["cells"], 1):
        where = f"cell {cell.get('id', number)}, "
        if cell["cell_type"] == "markdown":
            found += typed_numbers(name, where, notebooks.text(cell["source"]), allowed)
        told = cell.get("metadata", {}).get("mystnb", {})
        for part, field in (("figure", "caption"), ("image", "alt")):
            found += typed_numbers(name, f"{where}{field}, ", told.get(part, {}).get(field, ""), allowed)
    questions = page.with_suffix(".questions.yml")
    if questions.is_file():
        found += _typed_in_questions(questions.relative_to(root).as_posix(), questions, allowed)
    return found


def _typed_in_questions(name: str, path: Path, allowed: list[Allowed]) -> list[str]:
    found = []

    def walk(part: object, where: str) -> None:
        if isinstance(part, dict):
            for key, value in part.items():
                if key not in {"id", "answer", "kind"}:
                    walk(value, f"{where}{key}, ")
        elif isinstance(part, list):
            for place, value in enumerate(part, 1):
                walk(value, f"{where}{place} ")
        elif isinstance(part, (str, int, float)) and not isinstance(part, bool):
            found.extend(typed_numbers(name, where, str(part), allowed))

    walk(yaml.safe_load(path.read_text(encoding="utf-8")), "question ")
    return found
