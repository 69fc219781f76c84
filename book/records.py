"""``make records``: the records of every study, made from its ``study.yml`` by the library."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from asprinted.records import stale
from asprinted.study import load
from book.errors import BookError


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every study's records were made (or, with --check, are what would be made), else the worst code."""
    studies = [study.parent for study in sorted(root.glob("data/*/study.yml"))]
    unknown = set(options.slugs) - {folder.name for folder in studies}
    if unknown:
        known = ", ".join(folder.name for folder in studies) or "none"
        raise BookError(f"no such study: {', '.join(sorted(unknown))}; data/ has {known}")
    studies.sort(key=lambda folder: "taken" in load(folder).design.get("evidence", {}))  # after those whose rows they take
    worst = 0
    for folder in studies:
        if not options.slugs or folder.name in options.slugs:
            place = folder.relative_to(root).as_posix()
            command = [sys.executable, "-m", "asprinted", "synthesise", place, *(["--check"] if options.check else [])]
            worst = max(worst, subprocess.run(command, cwd=root, env=dict(os.environ)).returncode)
    late = [folder.name for folder in studies if options.slugs and folder.name not in options.slugs and stale(folder)]
    if late:
        print(f"Out of date now, since they take rows of another study or their study.yml changed: {', '.join(late)}. Make them too: make records ARGS={late[0]}")
    if not options.check and not worst:
        print("Next: make reference (needs R), then make chapters; both say what changed.")
    return worst
