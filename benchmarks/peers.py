"""Peers that are no part of the book's environment, installed for the benchmark alone, each asked in a process of its own.

`python -m benchmarks.peers NAME QUESTION` answers in one line of JSON; the peers' own output and imports are not counted.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import re
import shutil
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import last_line, output
from book.environment import ROOT
from book.errors import BookError

FOLDER = Path("_build", "benchmark-peers")
REQUIREMENTS = Path("benchmarks", "requirements.txt")


def ask(root: Path, name: str, question: dict[str, Any], limit: float | None = None) -> Any:
    """Return the answer of the peer pysprite, statcheck or PyMARE; raise TimeoutError after `limit` seconds, BookError where it cannot be asked."""
    install(root)
    return last_line(root, [sys.executable, "-m", "benchmarks.peers", name, json.dumps(question)], limit)


def pinned(root: Path) -> dict[str, str]:
    """Return the version of each peer that benchmarks/requirements.txt names."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (root / REQUIREMENTS).read_text(encoding="utf-8"), re.M))


def install(root: Path) -> None:
    """Install the peers in the versions pinned, unless they are there; raise BookError if they cannot be installed."""
    folder = root / FOLDER
    if {name.lower(): version for name, version in pinned(root).items()} == installed(folder):
        return
    print(f"installing {REQUIREMENTS} in {FOLDER} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
    try:
        output(root, [*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", str(folder), "-r", str(REQUIREMENTS)])
    except BookError as problem:
        shutil.rmtree(folder, ignore_errors=True)
        raise BookError(f"{problem}\nThe peers of the benchmark need the network once. Without it choose benchmarks that need none, "
                        'for example: make bench ARGS="--only digits --only scale"')  # fmt: skip


def installed(folder: Path) -> dict[str, str]:
    """Return the version of each package in the folder, by its name in small letters."""
    return {found.name.lower(): found.version for found in importlib.metadata.distributions(path=[str(folder)])}


# What is asked, in a process of its own


def pysprite(n: int, low: int, high: int, mean: str, sd: str, start: str, seconds: float, most: int) -> dict[str, Any]:
    """Return the seconds of each search, how it ended, and the scores' counts, until so many seconds or searches are spent."""
    from pysprite import Sprite

    found, seeds, began = [], iter(range(most)), time.perf_counter()
    while time.perf_counter() - began < seconds and (seed := next(seeds, None)) is not None:
        np.random.seed(seed)
        start_of_one = time.perf_counter()
        ended, values, _ = Sprite(n, float(mean), float(sd), decimals(mean), decimals(sd), low, high).find_possible_distribution(init_method=start)
        took = time.perf_counter() - start_of_one
        counts = np.bincount(np.asarray(values, dtype=int) - low, minlength=high - low + 1).tolist() if ended == "Success" else []
        found.append({"seconds": took, "ended": str(ended), "counts": counts})
    return {"searches": found}


def decimals(text: str) -> int:
    """Return how many decimals a number is printed with."""
    return len(text.partition(".")[2])


def statcheck(sentences: list[str]) -> dict[str, Any]:
    """Return how many results statcheck reads from each sentence, and the seconds of a second reading of all."""
    from statcheck.extract_stats import extract_stats

    kinds = ["t", "F", "r", "Chi2", "Z", "Q"]
    found = [len(extract_stats(txt=sentence, stat=kinds, name="")) for sentence in sentences]
    began = time.perf_counter()
    for sentence in sentences:
        extract_stats(txt=sentence, stat=kinds, name="")
    return {"found": found, "seconds": time.perf_counter() - began}


def pymare(y: list[float], v: list[float], calls: int) -> dict[str, Any]:
    """Return the median seconds of a REML fit with its interval, of calls after one that does not count, and estimate and tau²."""
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    column, variance, seconds = np.array(y)[:, None], np.array(v)[:, None], []
    for _ in range(1 + calls):
        began = time.perf_counter()
        summary = VarianceBasedLikelihoodEstimator(method="REML").fit(y=column, v=variance, X=np.ones_like(column)).summary()
        fixed = summary.get_fe_stats()
        seconds.append(time.perf_counter() - began)
    return {"seconds": statistics.median(seconds[1:]), "est": float(fixed["est"].ravel()[0]), "tau2": float(np.ravel(summary.tau2)[0])}


if __name__ == "__main__":
    sys.path.append(str(ROOT / FOLDER))  # last: numpy and the others come from the book's environment
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        answer = {"pysprite": pysprite, "statcheck": statcheck, "PyMARE": pymare}[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(answer))
