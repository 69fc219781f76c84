"""The library's rooms: who imports whom, and that no study's names or numbers stand in its code."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

import asprinted
from asprinted import printed
from asprinted.study import load

PACKAGE = Path(asprinted.__file__).parent
DATA = PACKAGE.parent / "data"
SOURCES = sorted([*PACKAGE.rglob("*.py"), PACKAGE / "study.schema.json"])

# Each module with those it may import: the ones above it, or fewer where the walls are closer.
CONSISTENCY = [f"consistency.{name}" for name in ("outward", "student", "conflict", "summaries", "two_groups", "triples", "tables", "integers", "heterogeneity", "correlations", "parts", "survival", "pools", "pooled")]
SYNTHESIS = [f"synthesis.{name}" for name in (
    "design", "wald", "integers", "scores", "events.divisions", "events.counts", "events.free", "events",
    "durations.order", "durations.two_arms", "durations.search", "durations.times", "durations", "scales.moments", "scales.plan", "scales",
    "outcomes.start", "outcomes.moves", "outcomes.refits", "outcomes.targets", "outcomes.aims", "outcomes.search", "outcomes.foreseen", "outcomes.sums", "outcomes.response", "outcomes.draft",
    "outcomes.quartiles", "outcomes.scores", "outcomes.described", "outcomes.tallies", "outcomes.closing", "outcomes.answers", "outcomes.categories", "outcomes.counts",
    "outcomes.curves", "outcomes.hazards", "outcomes.shifts", "outcomes.times", "outcomes",
    "trials.slopes", "trials.laws", "trials.targets", "trials.continuous", "trials.arms", "trials.measures", "trials.crosstables", "trials.hazards", "trials.people", "trials.reports", "trials.rows", "trials.starts", "trials.cells", "trials.aims", "trials",
    "evidence.taken", "evidence.counts", "evidence.pool", "evidence.reports", "evidence.scores", "evidence",
)]  # fmt: skip
PAPER = [f"paper.{name}" for name in (
    "places", "blanks", "plan", "outcome_parts", "drafted_trials", "draft", "questions", "reference",
    "code", "comparison_cells", "table_cells", "model_cells", "pool_cells", "first_look", "notebook", "pages", "commands",
)] + ["paper"]  # fmt: skip
VARIANTS = [f"variants.{name}" for name in ("sheets", "roster", "drawing", "counted", "ties", "descriptions", "analyses", "asking", "answers", "making", "folders", "running", "marking", "progress", "commands")] + ["variants"]
ORDER = ["printed", *CONSISTENCY, "consistency", "study.entries", "study.meanings", "kinds", "study.parts", "study.families", "study.rules", "study.pools", "study.trials", "study.evidence", "study.starts", "study.together", "study.changes", "study.fitting", "study.outcomes", "study.designs", "study.statistics", "study.references", "study", "directions", "questions.claims", "questions.models", "questions.pairs", "questions.statistics", "questions.parts", "questions", "checks", "verdict", "chapter", "records", "models.likelihood", "models.intercept", "models.patterns", "models.formula", "models.scores", "models.binary", "models.survival", "models.counts", "models.ordinal", "models.tests", "models.fits", "models.effects", "models.heterogeneity", "models.pooled", "models.small_studies", "models", "reanalysis", "plausible", "engines.python", "engines.r", "engines", "verification", *SYNTHESIS, "synthesis", "cli.output", *VARIANTS, *PAPER, "cli.ways", "cli.contradictions", "cli.studies", "cli", "__main__"]
MAY_IMPORT = {module: set(ORDER[:place]) for place, module in enumerate(ORDER)} | {
    "__init__": set(),
    "study.entries": {"printed"},
    "kinds": {"study.entries"},
    "study.parts": {"study.entries"},
    "study.meanings": set(),
    "study.families": {"study.entries", "study.meanings"},
    "study.rules": {"study.entries"},
    "study.pools": {"printed", "study.entries", "study.rules"},
    "study.trials": {"study.entries", "study.parts", "study.pools", "study.rules"},
    "study.evidence": {"study.entries", "study.parts", "study.rules", "study.trials"},
    "study.starts": {"printed", "study.entries", "study.parts"},
    "study.together": {"study.entries", "study.starts"},
    "study.changes": {"study.entries", "study.starts"},
    "study.fitting": {"study.entries", "study.starts"},
    "study.outcomes": {"study.entries", "study.parts", "study.starts", "study.fitting"},
    "study.designs": {"kinds", "study.entries", "study.parts", "study.trials", "study.evidence", "study.starts", "study.outcomes"},
    "study.statistics": {"printed", "study.entries", "study.families", "study.meanings", "study.rules"},
    "study.references": {"printed", "study.entries", "study.families", "study.rules", "study.designs", "study.statistics"},
    "study": {"study.entries", "study.families", "study.meanings", "study.references"},
    "questions": set(),
    "questions.claims": {"printed", "study"},
    "questions.models": {"study", "study.entries"},
    "questions.pairs": {"questions.models", "study"},
    "questions.parts": {"consistency", "consistency.parts", "questions.claims", "study", "study.entries"},
    "directions": {"study"},
    "verdict": {"printed", "study"},
    "chapter": {"printed", "study", "questions.claims", "questions.models", "questions.statistics", "questions.parts", "questions", "checks", "verdict"},
    "models.likelihood": set(),
    "models.intercept": set(),
    "models.patterns": set(),
    "models.formula": {"models.patterns"},
    "models.scores": {"models.likelihood", "models.intercept"},
    "models.binary": {"models.likelihood"},
    "models.survival": {"models.likelihood"},
    "models.counts": {"models.likelihood"},
    "models.ordinal": {"models.likelihood"},
    "models.tests": set(),
    "models.fits": {"models.formula", "models.scores", "models.binary", "models.survival", "models.counts", "models.ordinal", "models.tests"},
    "models.effects": set(),
    "models.heterogeneity": set(),
    "models.pooled": {"models.heterogeneity"},
    "models.small_studies": {"models.pooled"},
    "models": {"models.formula", "models.scores", "models.binary", "models.survival", "models.tests", "models.fits", "models.effects", "models.heterogeneity", "models.pooled", "models.small_studies"},
    "records": {"study", "study.rules", "study.evidence"},
    "engines.python": set(),
    "engines.r": set(),
    "engines": {"engines.python", "engines.r", "models.formula", "reanalysis", "records", "study"},
    "synthesis.wald": {"printed"},
    "synthesis.integers": {"printed"},
    "synthesis.events.divisions": set(),
    "synthesis.events.counts": {"printed", "consistency.conflict", "synthesis.wald", "synthesis.events.divisions"},
    "synthesis.durations.order": set(),
    "synthesis.durations.two_arms": {"printed", "synthesis.durations.order", "synthesis.wald"},
    "synthesis.durations.search": {"synthesis.durations.two_arms"},
    "synthesis.durations.times": {"synthesis.durations.search", "synthesis.durations.two_arms", "synthesis.wald"},
    "synthesis.outcomes.moves": set(),
    "synthesis.outcomes.response": set(),
    "synthesis.outcomes.quartiles": {"synthesis.outcomes.moves"},
    "cli.output": set(),
    "paper.places": {"study"},
    "paper.blanks": {"study"},
    "paper.plan": {"study", "study.together"},
    "paper.outcome_parts": {"study.together", "paper.plan"},
    "paper.drafted_trials": {"paper.plan", "paper.outcome_parts"},
    "paper.draft": {"paper.plan", "paper.outcome_parts", "paper.drafted_trials"},
    "paper.questions": {"study", "paper.plan"},
    "paper.reference": {"study", "study.meanings"},
    "paper.code": {"study", "study.entries", "study.rules"},
    "__main__": {"cli"},
}  # fmt: skip


def module_of(file: Path) -> str:
    """A file's name inside the package: "synthesis.design", "synthesis", "__init__"."""
    name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(file: Path) -> set[str]:
    """What a file imports, at the top or inside a function, by full name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: an import must name its module in full"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {f"asprinted.{module}" for module in MAY_IMPORT}
            found |= {name if name in known else node.module for name in names}
    return found


MODULES = {module_of(file): file for file in PACKAGE.rglob("*.py")}


def test_every_module_has_its_place():
    assert set(MODULES) == set(MAY_IMPORT)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_imports_only_modules_above_it(module):
    inside = {name.removeprefix("asprinted.") for name in imports_of(MODULES[module]) if name.startswith("asprinted.")}
    below = inside - MAY_IMPORT[module]
    assert not below, f"{module} imports {', '.join(sorted(below))}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_imports_neither_the_builder_nor_what_only_the_builder_needs(module):
    roots = {name.split(".")[0] for name in imports_of(MODULES[module])}
    assert not roots & {"book", "tests", "nbformat", "nbclient", "jupyter_book", "pytest"}
    assert "myst_nb" not in roots or module == "chapter"


# Names and numbers of studies

COMMON_WORDS = {
    "seen": "people seen at a visit: a field of every design with scores, and the plain word",
    "0.05": "the usual level of a test, and a usual small step",
    ".05": "the same, as some sources print it",
    "2.0": "two, where a float is meant",
}
CONSTANTS = {
    ("scores.py", "0.02"): "the margin kept from the open end of an interval",
    ("counts.py", "0.03"): "a depth inside the printed intervals",
    ("counts.py", "0.25"): "a depth inside the printed intervals",
    ("wald.py", "0.03"): "half the width that an open interval is given",
    ("table_cells.py", "0.25"): "the lower quartile, in code that a chapter shows",
    ("pools.py", "0.02"): "a share of an interval's width that is tried",
    ("__init__.py", ".30"): "a p value in an example of print against print",
    ("marking.py", "0.25"): "how a number is written, in a message",
    ("trials.py", "0.99"): "the highest share of events that is taken",
    ("arms.py", "1.06"): "how far a spread may be stretched",
    ("laws.py", "1.06"): "how much more than its least a variance is taken to be",
    ("reports.py", "1.05"): "how far two arms of one trial may differ in size or spread",
    ("printed.py", "0.0005"): "half a unit of the third decimal, in an example",
    ("printed.py", ".0005"): "the same",
    ("printed.py", "0.00"): "how a rounded zero below zero is written",
}


def names_of(folder: Path) -> set[str]:
    """A study's slug, and the names of its arms and of its outcomes."""
    study = load(folder)
    outcomes = set(study.design.get("scores", {}).get("outcomes", {}))
    for claim in study.claims.values():
        of_claim = (claim.by or {}).get("outcome", [])
        outcomes |= {of_claim} if isinstance(of_claim, str) else set(of_claim)
    return {study.slug, *study.design.get("people", {}).get("arms", {}).get("sizes", {}), *outcomes}


def numbers_of(folder: Path) -> set[str]:
    """The printed numbers that have a decimal point or three digits, in each way that code might write them."""
    found = set()
    for claim in load(folder).claims.values():
        if claim.printed is None or claim.printed.strip().lower() in printed.NUMBER_WORDS:
            continue
        texts = re.findall(r"\d[\d.,]*(?<=\d)", claim.printed) if claim.kind == "context" else [claim.printed]  # context may print words around a number
        for plain in (printed.parse(text).canonical.strip("<>=-%") for text in texts):
            if "." in plain or len(plain) >= 3:
                found |= {plain, plain.removeprefix("0"), f"{float(plain):,.0f}" if "." not in plain else plain}
    return found


@functools.cache
def content_of(file: Path, number: bool) -> str:
    """The text of a file, read once; for a number without the underscores that may stand between its digits."""
    content = file.read_text("utf-8")
    return content.replace("_", "") if number else content


def occurrences(text: str, file: Path) -> bool:
    number = text[0].isdigit() or text[0] == "."
    content = content_of(file, text[0].isdigit())
    if not any(map(str.isalpha, text)) and text not in content:  # what has no letters has no capitals: the pattern would not match either
        return False
    pattern = rf"(?<![\w.,]){re.escape(text)}(?![\w])(?!\.\d)" if number else rf"(?<![\w]){re.escape(text)}(?![\w])"
    return re.search(pattern, content, re.IGNORECASE) is not None


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], str]:
    """(file, name or number) → study, for each name and number of a study that stands in the library."""
    return {
        (file.name, text): folder.name
        for folder in sorted(file.parent for file in DATA.glob("*/study.yml"))
        for text in names_of(folder) | numbers_of(folder)
        for file in SOURCES
        if occurrences(text, file)
    }


def test_no_name_or_number_of_a_study_stands_in_the_library(found):
    strangers = {place: study for place, study in found.items() if place not in CONSTANTS and place[1] not in COMMON_WORDS}
    assert strangers == {}


def test_every_exception_is_needed(found):
    assert set(CONSTANTS) <= set(found)
    assert set(COMMON_WORDS) <= {text for _, text in found}


@pytest.mark.parametrize(
    ("text", "content", "there"),
    [
        (".046", "agrees(p, '.046')", True),
        ("0.046", "p = 0.046", True),
        (".046", "p = 0.046", False),
        ("0.046", "p = 0.0461", False),
        ("0.046", "p = 10.046", False),
        ("400", "range(400)", True),
        ("400", "x = 400.5", False),
        ("12477", "total = 12_477", True),
        ("12,477", 'parse("12,477")', True),
        ("pcs", 'frame["PCS"]', True),
        ("pcs", "epcs = 1", False),
        ("usual care", "# usual care comes first", True),
    ],
)
def test_search_finds_a_name_or_number_and_no_part_of_another(tmp_path, text, content, there):
    file = tmp_path / "module.py"
    file.write_text(content, "utf-8")
    assert occurrences(text, file) is there
