"""The chapter kits as a reader uses them: downloaded in Chromium, unpacked, installed in a fresh environment, and run without a network."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from book import environment
from book.browser import Browser
from book.kits import SANITIZE

LINKS = '[...document.querySelectorAll("nav.bd-links a")].map((link) => link.href.split("#")[0])'
KIT = 'document.querySelector("a.kit")?.href ?? ""'
SECONDS = 60  # that a download may take
NOWHERE = "http://127.0.0.1:9"  # a proxy that does not exist: what asks the network after the installation fails


async def faults(chromium: Browser, home: str) -> list[str]:
    """Return what is wrong with the kits of the site at `home`: those that cannot be downloaded, installed or run to the stored outputs."""
    with tempfile.TemporaryDirectory(prefix="book-kits-") as folder:
        kits, found = await _downloaded(chromium, home, Path(folder))
        if not kits:
            return [*found, "no page offers a chapter kit"]
        python, told = installed(Path(folder), kits[0])
        if told:
            return [*found, f"{kits[0].name}: not installed: {told}"]
        with ThreadPoolExecutor(2) as pool:
            return found + [fault for fault in pool.map(lambda kit: differs(kit, python, kits[0]), kits) if fault]


async def _downloaded(chromium: Browser, home: str, folder: Path) -> tuple[list[Path], list[str]]:
    """Return the unpacked kits of all pages, and what went wrong on the way."""
    kits, found = [], []
    await chromium.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    await chromium.visit(f"{home}/index.html")
    for page in dict.fromkeys(await chromium.value(LINKS)):
        await chromium.visit(page)
        address = await chromium.value(KIT)
        if not address:
            continue
        await chromium.value('document.querySelector("a.kit").click()')
        path = folder / address.rpartition("/")[2]
        for _ in range(SECONDS * 10):
            if path.is_file():
                break
            await asyncio.sleep(0.1)
        try:
            with zipfile.ZipFile(path) as kit:
                kit.extractall(folder)
            kits.append(folder / path.name.removesuffix("-kit.zip"))
        except (OSError, zipfile.BadZipFile) as problem:
            found.append(f"{address}: not downloaded as a zip: {problem}")
    return kits, found


def installed(folder: Path, kit: Path) -> tuple[str, str]:
    """Return the Python of a fresh environment with what the kit asks for, and "" or the end of what pip said when it failed."""
    prefix = folder / ".venv"
    python = str(environment.interpreter(prefix))
    for command in ([sys.executable, "-m", "venv", str(prefix)], [python, "-m", "pip", "install", "-q", "-r", "requirements.txt"]):
        done = subprocess.run(command, cwd=kit, env=_variables(), capture_output=True, text=True)
        if done.returncode:
            return python, " | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
    return python, ""


def differs(kit: Path, python: str, asked: Path) -> str:
    """Return "" if every cell of the kit's notebook gives its stored output, else which do not; `asked` is the kit that was installed."""
    if (kit / "requirements.txt").read_bytes() != (asked / "requirements.txt").read_bytes():
        return f"{kit.name}: its requirements are not those of {asked.name}"
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "--nbval", "--nbval-current-env", "--nbval-sanitize-with", SANITIZE,
               f"chapters/{kit.name}.ipynb"]  # fmt: skip
    done = subprocess.run(command, cwd=kit, env=_variables() | {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}, capture_output=True, text=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return f"{kit.name}: {' | '.join(lines[-4:])}" if done.returncode else ""


def _variables() -> dict[str, str]:
    """Return this process's variables without those that would bring the book's own code, settings or kernels into the fresh environment."""
    own = ("PYTHON", "JUPYTER", "IPYTHON", "MPL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | {"PYTHONUTF8": "1"}
