"""``make reference``: run the R scripts in tests/reference, which write the values that Python is compared with."""

from __future__ import annotations

import shutil
import subprocess
from argparse import Namespace
from pathlib import Path

from book.errors import BookError


def run(root: Path, options: Namespace) -> int:
    """Return 0 if every script ran; raise BookError if R or a script is missing or a script fails."""
    rscript = shutil.which("Rscript")
    if not rscript:
        raise BookError("Rscript is not on PATH: install R (r-project.org, or apt install r-base-core r-cran-lme4 r-cran-lmertest r-cran-survival r-cran-mass r-cran-metafor)")
    scripts = sorted((root / "tests" / "reference").glob("*.R"))
    if not scripts:
        raise BookError("tests/reference holds no *.R; each writes a CSV of reference values beside itself")
    for script in scripts:
        print(f"{script.name} ...", flush=True)
        if subprocess.run([rscript, "--vanilla", script.relative_to(root).as_posix()], cwd=root).returncode:
            raise BookError(f"{script.name} failed: the lines above say why; a missing package is installed with install.packages()")
    print("Compare with: git diff tests/reference")
    return 0
