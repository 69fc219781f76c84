"""The environment in ``.venv``: made from requirements.lock when it is missing, half made or out of date.

Standard library alone, and no tool beyond the Python that runs it. A stamp, written last, says what the
environment was made from; an environment without a stamp was never finished and is made anew.
"""

from __future__ import annotations

import collections
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from book.errors import BookError
from book.files import alone, write_whole

ROOT = Path(__file__).resolve().parent.parent
STAMP = "book-stamp"
FOLDER = ".venv"


def wanted(root: Path) -> dict[str, str]:
    """Return the hash of each file that decides what belongs in the environment."""
    return {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest()
        for name in ("requirements.lock", "pyproject.toml")
    }


def stamped(prefix: Path) -> dict[str, str]:
    """Return what the environment at `prefix` was made from; empty if it was never finished."""
    try:
        lines = (prefix / STAMP).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def write_stamp(prefix: Path, made_from: dict[str, str]) -> None:
    """Record that the environment at `prefix` is complete."""
    write_whole(prefix / STAMP, "".join(f"{name} {value}\n" for name, value in made_from.items()))


def interpreter(prefix: Path) -> Path:
    """Return the path of the environment's Python, which stands elsewhere on Windows."""
    return prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def variables(root: Path, prefix: Path) -> dict[str, str]:
    """Return the environment variables of every child: this repository's code first, and no one's own settings.

    The reader's IPython profile, Jupyter kernels and matplotlib style must not change an output.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONHOME", "PYTHONWARNINGS", "PYTHONSTARTUP", "MPLBACKEND", "MATPLOTLIBRC"}
    }
    others = [part for part in kept.get("PYTHONPATH", "").split(os.pathsep) if part and part != str(root)]
    kept["PYTHONPATH"] = os.pathsep.join([str(root), *others])
    kept["JUPYTER_PREFER_ENV_PATH"] = "1"
    kept["JUPYTER_PLATFORM_DIRS"] = "1"
    kept["IPYTHONDIR"] = str(prefix / "ipython")
    kept["MPLCONFIGDIR"] = str(prefix / "matplotlib")
    kept["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    kept["PYTHONUTF8"] = "1"
    return kept


def enter(root: Path, arguments: list[str]) -> int | None:
    """Return None if this process may go on as it is, else the exit code of the same command in ``.venv``."""
    if stamped(Path(sys.prefix)) == wanted(root):
        os.environ.update(variables(root, Path(sys.prefix)))
        for name in ("PYTHONWARNINGS", "MPLBACKEND", "MATPLOTLIBRC"):
            os.environ.pop(name, None)
        return None
    prefix = root / FOLDER
    if stamped(prefix) != wanted(root) or not interpreter(prefix).exists():
        with alone(root / "_build" / "environment.lock", f"making the environment in {FOLDER}"):
            make(root, prefix)
    else:
        mention_other_python(prefix)
    command = [str(interpreter(prefix)), "-m", "book", *arguments]
    child = subprocess.Popen(command, cwd=root, env=variables(root, prefix))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the child got the same Ctrl-C and is tidying up


def mention_other_python(prefix: Path) -> None:
    """Say so if the environment has another Python than the one that was asked for."""
    has = re.search(r"^version\s*=\s*(\d+\.\d+)", (prefix / "pyvenv.cfg").read_text(encoding="utf-8"), re.M)
    asked = "{}.{}".format(*sys.version_info[:2])
    if has and has.group(1) != asked:
        print(f"{FOLDER} has Python {has.group(1)}; delete it to use Python {asked}.", flush=True)


def make(root: Path, prefix: Path) -> None:
    """Make or finish the environment at `prefix`, step by step; raise BookError where a step fails."""
    target, has = wanted(root), stamped(prefix)
    if has == target and interpreter(prefix).exists():
        return  # another process made it while this one waited
    if prefix.is_symlink():  # emptying it would empty another folder's environment
        raise BookError(f"{FOLDER} is a link to {prefix.resolve()}, which was made from other requirements: delete the link, and run the same command again.")
    began = time.monotonic()
    (prefix / STAMP).unlink(missing_ok=True)
    python = str(interpreter(prefix))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
    if has.get("requirements.lock") != target["requirements.lock"] or not interpreter(prefix).exists():
        version = "{}.{}.{}".format(*sys.version_info[:3])
        packages = len(re.findall(r"^\S+==", (root / "requirements.lock").read_text(encoding="utf-8"), re.M))
        print(f"Making the environment in {FOLDER} (Python {version}). This first time takes a minute or two.")
        demand_venv()
        step("an empty environment", [sys._base_executable, "-m", "venv", "--clear", str(prefix)], root, prefix)
        step(
            f"about {packages} packages, each checked against its hash (pip)",
            [*pip, "--no-compile", "--require-hashes", "-r", "requirements.lock"],
            root, prefix,
            remedy="Check the network and the free disk space, then run the same command again.",
        )  # fmt: skip
        write_whole(
            prefix / "ipython" / "profile_default" / "ipython_kernel_config.py",
            "c.IPKernelApp.log_level = 'ERROR'\nc.HistoryManager.enabled = False\n",
        )
    step(
        "the library of this book (asprinted)",
        [*pip, "--no-deps", "--no-build-isolation", "--editable", "."],
        root, prefix,
    )  # fmt: skip
    # Some packages carry test files in the syntax of other Pythons, so its exit code says nothing.
    step("bytecode, so that imports are fast", [python, "-m", "compileall", "-q", "-j", "0", site_packages(python)],
         root, prefix, may_fail=True)  # fmt: skip
    step("the list of fonts", [python, "-c", "import matplotlib.font_manager"], root, prefix)
    write_stamp(prefix, target)
    print(f"The environment is ready after {time.monotonic() - began:.0f} s.\n", flush=True)


def demand_venv() -> None:
    """Raise BookError if this Python cannot make environments, as on Debian without python3-venv."""
    if not all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        version = "{}.{}".format(*sys.version_info[:2])
        raise BookError(
            f"Python {version} here lacks its modules venv or ensurepip, so it cannot make an environment. "
            f"On Debian or Ubuntu: sudo apt install python{version}-venv; elsewhere use a complete Python, "
            "for example: make book PYTHON=python3.12"
        )


def site_packages(python: str) -> str:
    """Return the folder that holds the installed packages of `python`."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return subprocess.run([python, "-c", asked], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def step(what: str, command: list[str], root: Path, prefix: Path, remedy: str = "", may_fail: bool = False) -> None:
    """Run one step and print its name and time; raise BookError with the command and its last lines if it fails."""
    print(f"  {what} ...", flush=True)
    began, told, last = time.monotonic(), 0.0, collections.deque(maxlen=12)
    try:
        with subprocess.Popen(command, cwd=root, env=variables(root, prefix), text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:  # fmt: skip
            for line in child.stdout:
                last.append(line.rstrip())
                elapsed = time.monotonic() - began
                if elapsed - told > 15:
                    told = elapsed
                    print(f"    {elapsed:3.0f} s  {last[-1].strip()[:90]}", flush=True)
    except OSError as problem:
        raise BookError(f"Making the environment: could not start {command[0]}: {problem}")
    if child.returncode and not may_fail:
        raise BookError(
            f"Making the environment failed at this step: {what}\n"
            f"  command: {' '.join(command)}\n"
            + "".join(f"  | {line}\n" for line in last)
            + (remedy or f"Delete {FOLDER} and run the same command again; if it fails again, report the lines above.")
        )
    print(f"    {time.monotonic() - began:3.0f} s  done", flush=True)
