"""``make sabotage``: break a copy of the repository, one way at a time; the tests must fail and name the place.

A test suite that lets a wrong number through proves nothing, so this tries each way in which a number can go wrong.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import yaml

from book import environment, notebooks, toc
from book.errors import BookError, Differs

LEFT_OUT = (".git", ".venv", "_build", "__pycache__", ".hypothesis", ".pytest_cache", ".ipynb_checkpoints")
SECONDS = 900


@dataclass(frozen=True)
class Break:
    """One way to break a file: what it is called, the file, its new content, and what the tests must name."""

    name: str
    path: str
    change: Callable[[str], str]
    named: tuple[str, ...]
    first: str = "tests/asprinted/test_claims.py"  # what is most likely to see it, run alone first; everything follows if it does not


def run(root: Path, options: Namespace) -> int:
    """Return 0 if the tests see every break; raise Differs if one survives or the tests fail unbroken."""
    breaks = [each for each in all_breaks(root) if not options.only or any(part in each.name for part in options.only)]
    if options.list:
        print("\n".join(each.name for each in breaks))
        return 0
    if not breaks:
        raise BookError("no such break; see: make sabotage ARGS=--list")
    with tempfile.TemporaryDirectory(prefix="book-sabotage-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        print(f"{len(breaks)} breaks. First the tests as they are ...", flush=True)
        code, told, seconds = test(copy, [])
        if code:
            raise Differs(f"The tests fail before anything is broken, so they can prove nothing:\n{told[-3000:]}")
        print(f"They pass ({seconds:.0f} s).\n\n| break | seen in | seconds |\n|---|---|---|", flush=True)
        survived = [each.name for each in breaks if not seen(copy, each)]
    if survived:
        raise Differs(f"{len(survived)} of {len(breaks)} survived, so a test is missing: {', '.join(survived)}")
    print(f"\nAll {len(breaks)} were seen and named.")
    return 0


def seen(copy: Path, each: Break) -> bool:
    """Return whether the tests fail on the break and name it; print a row; undo the break."""
    path = copy / each.path
    before = path.read_bytes()
    try:
        path.write_bytes(each.change(before.decode("utf-8")).encode("utf-8"))
        if path.read_bytes() == before:
            raise BookError(f"{each.name}: the break changed nothing in {each.path}")
        spent = 0.0
        for paths in ([each.first], ["tests", "chapters"]):
            code, told, seconds = test(copy, paths, each.named)
            spent += seconds
            if code and any(name in told for name in each.named):
                break
    finally:
        path.write_bytes(before)
    failures = [line for line in told.splitlines() if line.startswith(("FAILED", "ERROR"))]
    naming = [line for line in failures if any(name in line for name in each.named)] or failures
    caught = bool(code) and any(name in told for name in each.named)
    where = naming[0].split(" - ")[0].partition(" ")[2] if naming else f"exit code {code}"
    print(f"| {each.name} | {where if caught else f'**not seen** ({where})'} | {spent:.0f} |", flush=True)
    return caught


def test(copy: Path, paths: list[str], named: tuple[str, ...] = ()) -> tuple[int, str, float]:
    """Return exit code, output and seconds of `book test` on the paths (none: all), stopped when a failure names one of `named`."""
    began = time.monotonic()
    stops = [part for name in named for part in ("--stop-when-named", name)]
    command = [sys.executable, "-m", "book", "test", *stops, *paths]
    done = subprocess.run(
        command, cwd=copy, env=environment.variables(copy, Path(sys.prefix)), timeout=SECONDS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    return done.returncode, done.stdout, time.monotonic() - began


def all_breaks(root: Path) -> list[Break]:
    """Return every break: of the chapters, of the pages that are made from them, of the records, and of each printed number."""
    from book.sabotage_evidence import evidence_breaks

    found: list[Break] = [*page_breaks(root)]
    for chapter in toc.chapters(root):
        found += chapter_breaks(root, chapter)
    for study in sorted(root.glob("data/*/study.yml")):
        for breaks in (record_breaks, people_breaks, trial_breaks, evidence_breaks):
            found += breaks(root, study.parent)
        found += printed_breaks(root, study)
    return found


def other_digit(words: str) -> str:
    """Return `words` with its last digit moved by one; a number in words becomes the next one."""
    from asprinted.printed import NUMBER_WORDS

    if words.lower() in NUMBER_WORDS:
        return list(NUMBER_WORDS)[(NUMBER_WORDS[words.lower()] + 1) % len(NUMBER_WORDS)]
    place = max(words.rfind(digit) for digit in "0123456789")
    if place < 0:
        raise ValueError(f"no digit in {words!r}")
    digit = "8" if words[place] == "9" else str(int(words[place]) + 1)
    return words[:place] + digit + words[place + 1 :]


# The records


def record_breaks(root: Path, folder: Path) -> Iterator[Break]:
    """Yield breaks of the CSV files of a study: a score moved by 5 points, a cell, the layout."""
    for path in sorted(folder.glob("*.csv")):
        place = path.relative_to(root).as_posix()
        visit, column = score_column(path)
        if column:
            yield Break(f"{place}: one {column} of the last visit moved by 5", place,
                        lambda text, visit=visit, column=column: moved_score(text, visit, column, 5), (f"{column}.",))  # fmt: skip
        yield Break(f"{place}: one cell edited", place, other_last_cell, (path.name,))
        yield Break(f"{place}: a space added", place, lambda text: text.replace(",", ", ", 1), (path.name,))


def people_breaks(root: Path, folder: Path) -> Iterator[Break]:
    """Yield breaks of one person of a study: another arm, another yes/no outcome, another duration; claims must be named."""
    from asprinted.study import load

    study = load(folder)
    design = study.design
    if "people" not in design:
        return
    place = (folder / study.tables[design["people"]["table"]]["file"]).relative_to(root).as_posix()
    arm, sizes = design["people"]["arms"]["column"], list(design["people"]["arms"]["sizes"])
    yield Break(f"{place}: one person in another {arm}", place,
                lambda text: other_person(text, arm, lambda rows: next(row for row in rows if row[arm] == sizes[0]), lambda row: sizes[1]),
                claims_on(study, arm))  # fmt: skip
    if "events" in design:
        column = design["events"]["column"]
        yield Break(f"{place}: one outcome {column} turned", place,
                    lambda text: other_person(text, column, lambda rows: next(row for row in rows if row[column] == "1"), lambda row: "0"),
                    claims_on(study, column))  # fmt: skip
    if "durations" in design:
        time, event = design["durations"]["time"], design["durations"]["event"]
        yield Break(f"{place}: one duration in {time} made the longest", place,
                    lambda text: other_person(text, time, lambda rows: shortest(rows, time, event), lambda row: max_of(text, time)),
                    claims_on(study, time))  # fmt: skip


def trial_breaks(root: Path, folder: Path) -> Iterator[Break]:
    """Yield breaks of one trial of a meta-analysis: its size, a mean, an arm, a direction turned, a row left out; claims must be named."""
    from asprinted.study import load

    study = load(folder)
    design = study.design.get("trials")
    if not design:
        return
    model, size = study.models[design["effects"]["model"]], design["people"]["column"]
    tables = {name: (folder / study.tables[name]["file"]).relative_to(root).as_posix() for name in (design["table"], design["effects"]["table"])}
    trials, outcomes = tables.values()
    yield Break(f"{trials}: one trial with one person more", trials,
                lambda text: other_person(text, size, lambda rows: rows[0], lambda row: str(int(row[size]) + 1)), claims_on(study, size))  # fmt: skip
    effect = model["effect"]
    pooled = [claim for claim in study.claims.values() if claim.kind == "number" and (claim.by or {}).get("model") == design["effects"]["model"]]
    changes: dict[str, Callable[[str], str]] = {
        effect["mean"][0]: lambda value: f"{1.5 * float(value):.2f}",
        effect["sd"][1]: lambda value: f"{float(value) / 3:.2f}",
    }
    if any(claim.by["statistic"] == "n" for claim in pooled):  # else the size of one arm of many trials may change no printed digit
        changes[effect["n"][0]] = lambda value: str(int(value) - 1)
    if "direction" in effect:
        changes[effect["direction"]] = lambda value: str(-int(value))
    if "second" in design["effects"]:
        changes[design["effects"]["second"]] = lambda value: str(1 - int(value))
    outcome = model["outcome_column"]
    printed = pooled[0].by["outcome"]
    for column, change in changes.items():
        yield Break(f"{outcomes}: one {column} changed", outcomes,
                    lambda text, column=column, change=change: other_person(
                        text, column, lambda rows: max((row for row in rows if row[outcome] == printed), key=lambda row: weight_of(row, effect)),
                        lambda row: change(row[column])),
                    claims_on(study, column))  # fmt: skip


def weight_of(row: dict, effect: dict) -> float:
    """Return how many standard errors, about, the two arms of a trial are apart: the trial that matters most in a pool."""
    n, (one, other), sd = int(row[effect["n"][0]]), (float(row[column]) for column in effect["mean"]), float(row[effect["sd"][0]])
    return n**0.5 * abs(one - other) / sd


def claims_on(study, column: str) -> tuple[str, ...]:
    """Return the ids of the claims and assumptions that depend on a column by name, in a filter or in a model."""
    entries = {**study.claims, **study.assumptions}
    return tuple(id for id, entry in entries.items() if entry.by and column in columns_used(entry.by, study.models.get(entry.by.get("model", ""), {})))


def columns_used(by: dict, model: dict) -> set[str]:
    """Return the columns that an entry's `by` names, itself or through its model."""
    named = [by.get(field, []) for field in ("column", "outcome", "event")] + [model.get(field, []) for field in ("groups", "time")]
    within = [by.get("filter", {}), by.get("between", {}), model.get("rows", {}), model.get("waves", {}).get("columns", {})]
    named += [pair for part, pair in model.get("effect", {}).items() if part != "measure"] + [model.get("outcome_column", [])]
    within += [term["at"] for terms in model.get("contrasts", {}).values() for term in terms]
    formula = re.sub(r"""(['"]).*?\1|\{outcome\}""", "", model.get("formula", ""))
    names = {name for each in named for name in ([each] if isinstance(each, str) else each)}
    return names.union(*within, re.findall(r"[^\W\d]\w*", formula), {model["baseline"]["column"]} if "baseline" in model else ())


def other_person(text: str, column: str, choose: Callable[[list[dict]], dict], change: Callable[[dict], str]) -> str:
    """Return the table with one value of one chosen person changed."""
    rows = list(csv.DictReader(io.StringIO(text)))
    row = choose(rows)
    row[column] = change(row)
    return table_text(rows)


def shortest(rows: list[dict], time: str, event: str) -> dict:
    """Return the person with the shortest time to an event."""
    return min((row for row in rows if row[event] == "1"), key=lambda row: float(row[time]))


def max_of(text: str, column: str) -> str:
    """Return the largest value of a column as it is written."""
    return max((row[column] for row in csv.DictReader(io.StringIO(text)) if row[column]), key=float)


def table_text(rows: list[dict]) -> str:
    """Return rows as the text of a CSV file."""
    held = io.StringIO()
    writer = csv.DictWriter(held, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


def score_column(path: Path) -> tuple[str, str]:
    """Return the names of the visit and of the first score of a table with a row a visit; empty for another table."""
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    return (names[1], names[2]) if names[1:2] in (["visit"], ["month"]) and len(names) > 2 else ("", "")


def moved_score(text: str, visit: str, column: str, points: float) -> str:
    """Return the table with one score of the last visit moved by `points`, towards the middle of the scale."""
    rows = list(csv.DictReader(io.StringIO(text)))
    scored = [row for row in rows if row[column]]
    last = max(scored, key=lambda row: float(row[visit]))[visit]
    scores = [float(row[column]) for row in scored]
    row = next(row for row in scored if row[visit] == last)
    decimals = len(row[column].partition(".")[2])
    step = points if float(row[column]) < (min(scores) + max(scores)) / 2 else -points
    row[column] = f"{float(row[column]) + step:.{decimals}f}"
    return table_text(rows)


def other_last_cell(text: str) -> str:
    """Return the table with the last digit of its last row that ends in one moved by one."""
    lines = text.splitlines(keepends=True)
    place = max(number for number, line in enumerate(lines) if re.search(r"\d\s*$", line))
    lines[place] = other_digit(lines[place])
    return "".join(lines)


# The printed numbers


def printed_breaks(root: Path, study: Path) -> Iterator[Break]:
    """Yield a break for every printed number and inequality: its last digit moved by one."""
    held = yaml.safe_load(study.read_text(encoding="utf-8"))
    place = study.relative_to(root).as_posix()
    for claim, about in held.get("claims", {}).items():
        if about.get("kind") in {"number", "inequality"}:
            yield Break(f"{place}: last digit printed for {claim}", place,
                        lambda text, claim=claim, printed=str(about["printed"]): other_print(text, claim, printed), (claim,))  # fmt: skip


def other_print(text: str, claim: str, printed: str) -> str:
    """Return the study file with the last digit of one printed number moved by one; nothing else changes."""
    pattern = rf"(?ms)^(\s*{re.escape(claim)}\s*:.*?\bprinted\s*:\s*[\"']?){re.escape(printed)}"
    changed, times = re.subn(pattern, lambda found: found[1] + other_digit(printed), text, count=1)
    if not times:
        raise BookError(f"sabotage: claims.{claim}.printed: {printed!r} was not found as text in the study file")
    return changed


def other_bound(text: str, rule: str, column: str, end: str, bound: int) -> str:
    """Return the study file with one end of the range that a rule wants of a column changed; nothing else changes."""
    pattern = rf"(?ms)^(  {re.escape(rule)}\s*:.*?\b{re.escape(column)}\s*:\s*\{{[^}}]*?\b{end}\s*:\s*)\d+"
    changed, times = re.subn(pattern, lambda found: f"{found[1]}{bound}", text, count=1)
    if not times:
        raise BookError(f"sabotage: rules.{rule}.filter.{column}.{end} was not found as text in the study file")
    return changed


# The pages that no one writes, and those that others are linked to


def page_breaks(root: Path) -> Iterator[Break]:
    """Yield breaks of the code that writes the ledger (a row left out, a number without its last digit) and of the glossary."""
    for name, place, code, instead in (
        ("a row left out of the ledger", "book/ledger_page.py", "for row in found)\n    models", "for row in found[1:])\n    models"),
        ("printed numbers cut short in the ledger", "book/ledger_page.py", "cell(row.verdict.printed)", "cell(row.verdict.printed[:-1])"),
        ("computed numbers cut short in the ledger", "book/ledger_page.py", "else row.verdict.computed)", "else row.verdict.computed[:-1])"),
        ("computed numbers cut short in the ledger's files", "book/ledger.py", '"computed": row.verdict.computed', '"computed": row.verdict.computed[:-1]'),
    ):
        yield Break(f"{place}: {name}", place, lambda text, code=code, instead=instead: text.replace(code, instead), ("test_ledger_page",), "tests/book/test_ledger_page.py")
    place = "chapters/glossary.md"
    for name, instead, named in (("a term without its definition", r"\1\n", "no definition below it"), ("a term that no page uses", r"\1 unheard of\2", "unheard of")):
        yield Break(f"{place}: {name}", place, lambda text, instead=instead: re.sub(r"(?m)^(\w[^\n]*)(\n  \S[^\n]*\n)", instead, text, count=1), (named,), "tests/book/test_glossary.py")


# The chapters


def chapter_breaks(root: Path, chapter: Path) -> Iterator[Break]:
    """Yield breaks of a stored chapter: an output's digit, a cell stripped, a model changed."""
    place = chapter.relative_to(root).as_posix()
    cells = notebooks.code_cells(notebooks.read(chapter))
    shown = next((n for n, cell in enumerate(cells) if re.search(r"\d", _plain(cell) or "")), None)
    if shown is not None:
        cell = f"{chapter.name}::Cell {shown}"  # as nbval counts, from 0
        yield Break(f"{place}: a stored output's last digit", place, _on_cell(shown, _other_output), (cell,), place)
        yield Break(f"{place}: a cell without its outputs", place, _on_cell(shown, _without_outputs), (cell,), place)
        yield Break(f"{place}: a cell as if never run", place, _on_cell(shown, _never_run), (f"cell [{shown + 1}]",),
                    "tests/notebooks/test_chapters_stored.py")  # fmt: skip
    for what, pattern, instead in (("interaction", _INTERACTION, r"\1 + "), ("last covariate", _COVARIATE, r"\1"), ("variance between trials", _BETWEEN, "(v)")):
        model = next((n for n, cell in enumerate(cells) if pattern.search(notebooks.text(cell["source"]))), None)
        if model is not None:
            yield Break(f"{place}: a model without its {what}", place, _on_cell(model, _without(pattern, instead)),
                        (f"{chapter.name}::Cell ",), place)  # fmt: skip


def _on_cell(number: int, change: Callable[[dict], None]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        notebook = json.loads(text)
        change(notebooks.code_cells(notebook)[number])
        return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    return apply


def _plain(cell: dict) -> str | None:
    for output in cell.get("outputs", []):
        held = output.get("data", {}).get("text/plain", output.get("text") if output.get("name") == "stdout" else None)
        if held is not None and notebooks.CLAIM in output.get("data", {notebooks.CLAIM: 0}):
            return notebooks.text(held)
    return None


def _other_output(cell: dict) -> None:
    for output in cell["outputs"]:
        held = output.get("data", output)
        kind = "text/plain" if "data" in output else "text"
        if re.search(r"\d", notebooks.text(held.get(kind, ""))):
            held[kind] = other_digit(notebooks.text(held[kind]))
            return


def _without_outputs(cell: dict) -> None:
    cell["outputs"] = []


def _never_run(cell: dict) -> None:
    cell["outputs"], cell["execution_count"] = [], None


_INTERACTION = re.compile(r"(~[^\n\"']*?(?:[\"'][^\n\"']*[\"'])?[^\n\"']*?)\s\*\s")
_BETWEEN = re.compile(r"\(v \+ tau2\)")
_COVARIATE = re.compile(r"(~[^\n\"']*?(?:[\"'][^\n\"']*[\"'])?[^\n\"']*?)\s\+\s[\w()]+(?=[\"'])")


def _without(pattern: re.Pattern, instead: str) -> Callable[[dict], None]:
    def change(cell: dict) -> None:
        cell["source"] = pattern.sub(instead, notebooks.text(cell["source"]), count=1)

    return change
