"""A chapter as a notebook: the twelve parts in order, a prompt in each, and cells that recompute every claim from the records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from asprinted import checks
from asprinted.paper import first_look, model_cells, pool_cells, table_cells
from asprinted.paper.code import Cell, cell_id, frame_name, quoted, without_repeats
from asprinted.study import Study

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
MADE = "asprinted"  # the key of the notebook's metadata that holds the fingerprint of the cells as they were made
IMPORTS = {
    "sm": "import statsmodels.api as sm", "smf": "import statsmodels.formula.api as smf", "optimize": "from scipy import optimize", "stats": "from scipy import stats",
    "survfunc": "from statsmodels.duration.survfunc import SurvfuncRight", "survdiff": "from statsmodels.duration.survfunc import survdiff",
    "ordered": "from statsmodels.miscmodels.ordinal_model import OrderedModel", "effectsize": "from statsmodels.stats.meta_analysis import effectsize_smd",
}  # fmt: skip
_MISSING_WORDS = {"NA", "N/A", "n/a", "NaN", "nan", "None", "null", "NULL", "#N/A", "<NA>", "-nan", "-NaN", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN", "#NA", "#N/A N/A"}  # what pandas reads as missing

GLANCE = """\
# {title}

**At a glance.** *The question in one sentence. Design and size. Time to read and time to do. What to know first. Three to five objectives with
verbs that can be tested: compute, tell apart, judge. The data files.*"""
PROMPTS = {
    "story": "## The story\n\n*Who the people are, and why the answer matters to them. Paraphrase; quote nothing.*",
    "printed": "## What the source prints\n\n*Each claim with its mark. Say which matter most, and which are in words alone.*",
    "agree": "## Do the printed numbers agree with each other?\n\n*What can be recomputed from print alone, before any data. What does not agree is a finding: tell it.*",
    "meet": "## Meet the records\n\n*Dictionary, who took part, what is missing.* **The people in these records do not exist.** They were made so that a reanalysis prints what the source\nprints; what it does not print is assumed.",
    "look": "## Look first\n\n*Figures before models: raw data and uncertainty visible, axes in units. Say what is seen.*",
    "reanalyse": "## Reanalyse\n\n*One claim at a time: what is estimated, and why by this model; the code; the result read aloud in a sentence.*",
    "report": "## How to report this\n\n*The result as the reporting guideline of this design wants it, with the model named.*",
    "break": "## Break it\n\n*Change one assumption at a time, and see which printed claims survive: one figure, one table.*",
    "limits": "## What this cannot tell us\n\n*What was not measured, not printed, or assumed here; whom the result is about.*",
    "yourself": "## Check yourself\n\n*Questions; then exercises at three levels, each with a solution: repeat, adapt, extend.*",
    "ideas": "## Key ideas\n\n*Five lines. Then further reading, with a line on why.*",
}


def chapter(study: Study, tables: Mapping[str, pd.DataFrame], records: str, in_book: bool) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The notebook as plain JSON, without outputs, and the claims that no cell could be written for, with the reason.

    tables: the records, each joined with its parent. records: the way from the chapter's folder to the study's.
    """
    asked = {id: claim for id, claim in study.claims.items() if claim.kind != "context" and claim.by}
    of_tables = {id: claim for id, claim in asked.items() if "table" in claim.by}
    pooling = {name for name, model in study.models.items() if model["family"] == "random-effects"}
    of_pools = {id: claim for id, claim in asked.items() if claim.by.get("model") in pooling}
    of_models = {id: claim for id, claim in asked.items() if id not in of_tables and id not in of_pools}
    described, unwritten = table_cells.cells(study, of_tables)
    fitted, more = model_cells.cells(study, tables, of_models)
    pooled, most = pool_cells.cells(study, of_pools)
    unwritten += [*more, *most]
    look = first_look.figure(study, tables)
    needs = {need for cell in (*described, *fitted, *pooled, look) for need in cell.needs}
    cells: list[dict[str, Any]] = [_words("at-a-glance", GLANCE.format(title=study.title)), _code(_setup(study, records, needs, in_book))]
    parts: dict[str, list[Cell]] = {
        "printed": [_printed()], "agree": [*_agreement(study)], "meet": [_dictionary(), *_assumed(study), *_people(study), *described], "look": [look], "reanalyse": [*fitted, *pooled],
    }  # fmt: skip
    shown = iter(without_repeats([cell for each in parts.values() for cell in each]))
    for name, prompt in PROMPTS.items():
        cells.append(_words(name, prompt))
        cells += [_code(next(shown)) for _ in parts.get(name, ())]
        if name == "reanalyse" and unwritten:
            listed = "\n".join(f"- `{id}`: {why}" for id, why in unwritten)
            cells.append(_words("to-write", f"*Still to be written by hand, each ending in a `check`:*\n\n{listed}"))
        if name == "yourself" and in_book:
            cells.append(_words("quiz", f"```{{include}} {study.slug}.questions.md\n```"))
    notebook = {"cells": cells, "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    notebook["metadata"][MADE] = {"made": fingerprint(notebook)}
    return notebook, unwritten


def fingerprint(notebook: Mapping[str, Any]) -> str:
    """A fingerprint of the cells as somebody may edit them: kinds and sources, not outputs."""
    sources = [[cell.get("cell_type"), _text(cell.get("source", ""))] for cell in notebook.get("cells", [])]
    return hashlib.sha256(json.dumps(sources, ensure_ascii=False).encode("utf-8")).hexdigest()[:16]


def unedited(notebook: Mapping[str, Any]) -> bool:
    """Whether the cells are still those that were made."""
    return notebook.get("metadata", {}).get(MADE, {}).get("made") == fingerprint(notebook)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _words(id: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(cell: Cell) -> dict[str, Any]:
    metadata = {"mystnb": {"image": {"alt": cell.claims[0]}}} if cell.id == first_look.ID else {}
    return {"cell_type": "code", "execution_count": None, "id": cell.id, "metadata": metadata, "outputs": [], "source": "\n".join(cell.lines).splitlines(keepends=True)}


def _setup(study: Study, records: str, needs: set[str], in_book: bool) -> Cell:
    """Imports, the study, and its records as frames, each with its parent's columns."""
    lines = ["import matplotlib.pyplot as plt", "import numpy as np", "import pandas as pd"]
    lines += [line for need, line in sorted(IMPORTS.items(), key=lambda item: (not item[1].startswith("import"), item[1])) if need in needs]
    lines += ["", "from asprinted.chapter import behind, check, prove, study", ""]
    lines += ['plt.style.use("figures.mplstyle")'] if in_book else []
    lines.append('pd.set_option("display.max_colwidth", None, "display.max_rows", None)')  # tables of words are shown whole
    lines.append(f"trial = study({quoted(records)})")
    words = {str(value) for table in study.tables.values() for spec in table["columns"].values() if spec["type"] == "string" for value in spec.get("values", [])}
    words |= {arm for arm in study.design.get("people", {}).get("arms", {}).get("sizes", {})}
    options = ', keep_default_na=False, na_values=[""]' if words & _MISSING_WORDS else ""
    for name, table in sorted(study.tables.items(), key=lambda item: "parent" in item[1]):
        file = table["file"] if records == "." else f"{records}/{table['file']}"
        line = f"{frame_name(name)} = pd.read_csv({quoted(file)}{options})"
        if "parent" in table:
            key = quoted(table["key"][0])
            lines += [line, f"{frame_name(name)} = {frame_name(name)}.merge({frame_name(table['parent'])}, on={key})"]
        else:
            lines.append(line)
    return Cell("setup", tuple(lines))


def _printed() -> Cell:
    return Cell("claims", (
        "claims = trial.claims.values()", "pd.DataFrame(", "    {", '        "what": [claim.says for claim in claims],',
        '        "printed": [claim.printed or "in words" for claim in claims],', '        "mark": ["".join(claim.marks) for claim in claims],', "    },", "    index=list(trial.claims),", ")",
    ))  # fmt: skip


def _agreement(study: Study) -> Iterator[Cell]:
    """What print alone says of each model that it can be asked about."""
    found = checks.findings(study)
    names = [name for name in study.models if any(each.about == name for each in found)]
    if names:
        yield Cell("agree-check", tuple(["prove(", *(f"    {quoted(name)}," for name in names), ")"] if len(names) > 1 else [f"prove({quoted(names[0])})"]))


def _dictionary() -> Cell:
    return Cell("dictionary", (
        "pd.DataFrame(", "    [", '        [table, column, spec.get("unit", ""), spec["says"]]', "        for table, entry in trial.tables.items()",
        '        for column, spec in entry["columns"].items()', "    ],", '    columns=["table", "column", "unit", "what it is"],', ")",
    ))  # fmt: skip


def _assumed(study: Study) -> Iterator[Cell]:
    """What is assumed, how much of it is held in the records, and why."""
    if study.assumptions:
        yield Cell("assumed", (
            "assumed = trial.assumptions.values()", "pd.DataFrame(", "    {", '        "what is assumed": [each.says for each in assumed],', '        "value": [each.shown for each in assumed],',
            '        "held between": [" to ".join(each.bounds or ()) for each in assumed],', '        "why": [each.reason for each in assumed],', "    },", "    index=list(trial.assumptions),", ")",
        ))  # fmt: skip


def _people(study: Study) -> Iterator[Cell]:
    """How many rows and missing values there are, by arm where there are arms."""
    for name in study.tables:
        frame = frame_name(name)
        arms = study.design.get("people", {}).get("arms", {}).get("column")
        of_people = study.design.get("people", {}).get("table")
        by_arm = arms and (name == of_people or study.tables[name].get("parent") == of_people)
        if by_arm:
            yield Cell(cell_id("rows-of", name), (f'counts = {frame}.groupby("{arms}").count()', f'counts.assign(rows={frame}.groupby("{arms}").size()).T'))
        else:
            yield Cell(cell_id("rows-of", name), (f"{frame}.describe().T.round(2)",))
