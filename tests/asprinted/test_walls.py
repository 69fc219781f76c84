"""The library's rooms: who imports whom, and that no study's names or numbers stand in its code."""

from __future__ import annotations

import ast
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
CONSISTENCY = [f"consistency.{name}" for name in ("outward", "conflict", "triples", "tables", "integers", "heterogeneity", "survival", "pools", "pooled")]
SYNTHESIS = [f"synthesis.{name}" for name in (
    "design", "wald", "integers", "scores", "events.divisions", "events.counts", "events.free", "events",
    "durations.order", "durations.two_arms", "durations.search", "durations.times", "durations", "scales.moments", "scales.plan", "scales",
    "trials.slopes", "trials.laws", "trials.targets", "trials.continuous", "trials.arms", "trials.measures", "trials.people", "trials.reports", "trials.rows", "trials.aims", "trials",
    "evidence.taken", "evidence.counts", "evidence.pool", "evidence.reports", "evidence.scores", "evidence",
)]  # fmt: skip
ORDER = ["printed", *CONSISTENCY, "consistency", "study.entries", "study.parts", "study.rules", "study.trials", "study.evidence", "study.designs", "study.references", "study", "checks", "verdict", "chapter", "records", "models.likelihood", "models.formula", "models.scores", "models.binary", "models.survival", "models.effects", "models.heterogeneity", "models.pooled", "models.small_studies", "models", "reanalysis", *SYNTHESIS, "synthesis", "cli", "__main__"]
MAY_IMPORT = {module: set(ORDER[:place]) for place, module in enumerate(ORDER)} | {
    "__init__": set(),
    "study.entries": {"printed"},
    "study.parts": {"study.entries"},
    "study.rules": {"study.entries"},
    "study.trials": {"study.entries", "study.parts", "study.rules"},
    "study.evidence": {"study.entries", "study.parts", "study.rules", "study.trials"},
    "study.designs": {"study.entries", "study.parts", "study.trials", "study.evidence"},
    "study.references": {"printed", "study.entries", "study.rules", "study.designs"},
    "study": {"study.entries", "study.references"},
    "verdict": {"printed", "study"},
    "chapter": {"printed", "study", "checks", "verdict"},
    "models.likelihood": set(),
    "models.formula": set(),
    "models.scores": set(),
    "models.binary": {"models.formula", "models.likelihood"},
    "models.survival": {"models.likelihood"},
    "models.effects": set(),
    "models.heterogeneity": set(),
    "models.pooled": {"models.heterogeneity"},
    "models.small_studies": {"models.pooled"},
    "models": {"models.formula", "models.scores", "models.binary", "models.survival", "models.effects", "models.heterogeneity", "models.pooled", "models.small_studies"},
    "records": {"study", "study.rules", "study.evidence"},
    "synthesis.wald": {"printed"},
    "synthesis.integers": {"printed"},
    "synthesis.events.divisions": set(),
    "synthesis.events.counts": {"printed", "consistency.conflict", "synthesis.wald", "synthesis.events.divisions"},
    "synthesis.durations.order": set(),
    "synthesis.durations.two_arms": {"printed", "synthesis.durations.order", "synthesis.wald"},
    "synthesis.durations.search": {"synthesis.durations.two_arms"},
    "synthesis.durations.times": {"synthesis.durations.search", "synthesis.durations.two_arms", "synthesis.wald"},
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
}
CONSTANTS = {
    ("scores.py", "0.02"): "the margin kept from the open end of an interval",
    ("counts.py", "0.03"): "a depth inside the printed intervals",
    ("counts.py", "0.25"): "a depth inside the printed intervals",
    ("wald.py", "0.03"): "half the width that an open interval is given",
    ("pools.py", "0.02"): "a share of an interval's width that is tried",
    ("__init__.py", ".30"): "a p value in an example of print against print",
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


def occurrences(text: str, file: Path) -> bool:
    if text[0].isdigit() or text[0] == ".":
        pattern = rf"(?<![\w.,]){re.escape(text)}(?![\w])(?!\.\d)"
    else:
        pattern = rf"(?<![\w]){re.escape(text)}(?![\w])"
    content = file.read_text("utf-8").replace("_", "" if text[0].isdigit() else "_")
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
