"""The page of execution times says what was measured, and measuring changes nothing that a build looks at."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from book import build, execute, execution_times, files, notebooks

ROOT = Path(__file__).resolve().parents[2]


def code(name: str, source: str = "1", **metadata: object) -> dict:
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def words(source: str) -> dict:
    return {"cell_type": "markdown", "id": f"m{len(source)}", "metadata": {}, "source": source}


def book(root: Path, record: dict) -> str:
    told = words("# A trial: what it found"), words("## Meet `records` *now*\n\n### Twice"), words("### Twice")
    chapter = {"cells": [told[0], code("first", "import numpy as np"), told[1], code("second"), told[2], code("third")]}
    files.write_whole(root / "requirements.txt", "# why\nnumpy==0.0  # arrays\npytest==0.0  # tests\n")
    files.write_whole(root / "_build/execution.json", json.dumps(record))
    return execution_times.render(root, {"a-trial": chapter, "new": {"cells": [words("# New"), code("other")]}})


def test_chapters_and_their_slowest_cells_are_listed_slowest_first(tmp_path):
    page = book(tmp_path, {"a-trial": {"seconds": 12.34, "cells": {"first": 0.5, "second": 9.0, "third": 1.25, "gone": 99.0}}})
    assert "| [A trial](a-trial.ipynb) | 3 | 12.3 |" in page and "| [New](new.ipynb) | 1 | – | – |" in page
    slowest = page.partition("## The slowest cells")[2]
    assert slowest.index("`second`") < slowest.index("`third`") < slowest.index("`first`") and "gone" not in page
    assert "[A trial: Twice](a-trial.ipynb#twice) | 9.0" in slowest and "(a-trial.ipynb#twice-1) | 1.2" in slowest
    assert "(a-trial.ipynb#a-trial-what-it-found) | 0.5" in slowest


def test_seconds_and_cells_are_added_up(tmp_path):
    page = book(tmp_path, {"a-trial": {"seconds": 12.34, "cells": {"first": 0.5, "second": 9.0}}, "new": {"seconds": 2.0, "cells": {"other": 1.0}}})
    assert "| All together | 4 | 14.3 | 10.5 |" in page


def test_machine_is_told_without_a_path_or_a_name(tmp_path):
    import platform

    told = execution_times.machine()
    assert "core" in told and platform.system() in told and (platform.node() or "/") not in told and "/" not in told
    assert told in book(tmp_path, {})


def test_times_from_before_cells_were_timed_are_no_error(tmp_path):
    page = book(tmp_path, {"a-trial": {"seconds": 2.0}})
    assert "| 3 | 2.0 | – |" in page and "No times of single cells" in page


def test_versions_are_those_that_run(tmp_path):
    import platform

    import numpy

    page = book(tmp_path, {})
    assert "pytest" not in page, "only what the chapters import"
    assert f"| numpy | {numpy.__version__} |" in page and f"| Python | {platform.python_version()} |" in page


def test_headings_have_the_addresses_that_the_site_gives_them():
    cells = [words("# One, `two` & *three*\n\n```\n# no heading\n```"), code("a"), words("## {glue:text}`x` people"), code("b"), words("#### Deep"), code("c")]
    found = execution_times.sections({"cells": cells})
    assert found == dict.fromkeys("abc", ("One, two & three", "one-two--three"))


def test_every_cell_that_ran_has_its_seconds(tmp_path):
    chapter = tmp_path / "chapters" / "a.ipynb"
    cells = [code("first", "x = 1"), words("# Words"), code("second", "x")]
    notebook = {"cells": cells, "metadata": {"kernelspec": notebooks.KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    notebooks.write(chapter, notebook)
    executed, problem = asyncio.run(execute.run_notebook(chapter, []))
    assert problem == ""
    seconds = execute.cell_seconds(executed)
    assert list(seconds) == ["first", "second"] and all(value >= 0 for value in seconds.values())
    kept = notebooks.with_outputs(notebook, executed)
    assert not any("execution" in cell["metadata"] for cell in kept["cells"]), "times must not reach what is stored"


def test_other_times_make_no_chapter_outdated_and_no_site_old(tmp_path):
    chapter = tmp_path / "chapters" / "a.ipynb"
    notebooks.write(chapter, {"cells": [code("c")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    files.write_whole(tmp_path / "requirements.lock", "")
    made_from = execute.wanted_fingerprint(notebooks.read(chapter), execute.surroundings(tmp_path))
    site = build.site_fingerprint(tmp_path)
    for seconds in (1.0, 2.0):
        execute.keep(tmp_path, chapter, notebooks.read(chapter), made_from, seconds, {"c": seconds})
        assert execute.outdated(tmp_path, [chapter]) == [] and build.site_fingerprint(tmp_path) == site
    assert files.read_json(tmp_path / "_build/execution.json")["a"]["cells"] == {"c": 2.0}
