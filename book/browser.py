"""A headless Chromium, driven over its DevTools protocol, and the log of everything that it asked the network for."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import AsyncIterator
from urllib.parse import urlsplit

from book.errors import BookError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-quic",
    "--disable-extensions", "--disable-domain-reliability", "--no-default-browser-check", "--no-pings",
    "--disable-features=OptimizationHints,MediaRouter,Translate,NetworkTimeServiceQuerying", "--mute-audio",
)  # fmt: skip
OWN = {"data", "blob", "about", "chrome", "chrome-extension", "chrome-untrusted", "devtools", "file"}
PART = 8000  # pixels: taller screenshots are cut into parts, since Chromium draws no more than 16384 at once


def find() -> str:
    """Return the path of Chromium; raise BookError if there is none."""
    named = os.environ.get("CHROMIUM", "")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise BookError(
            (f"CHROMIUM={named}: no such program. " if named else "")
            + "make site-test needs Chromium: install it (for example: apt install chromium) or set CHROMIUM to its path"
        )
    return found


class Silent(BookError):
    """Chromium said nothing for as long as we have patience."""


class Browser:
    """One open page of a running Chromium."""

    def __init__(self, socket) -> None:
        self._socket, self._calls, self._session = socket, 0, ""
        self.events: list[dict] = []
        self.patience = 60  # seconds that Chromium may be silent for

    async def call(self, method: str, **params) -> dict:
        """Return the result of a DevTools method; events that come meanwhile are kept in `events`."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if self._session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self._session
        await self._socket.write_message(json.dumps(message))
        while True:
            answer = await self._read()
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise BookError(f"Chromium: {method}: {answer['error']['message']}")
                return answer["result"]

    async def _read(self) -> dict:
        try:
            text = await asyncio.wait_for(self._socket.read_message(), self.patience)
        except asyncio.TimeoutError:
            raise Silent(f"Chromium has said nothing for {self.patience} s; try again when the machine is less busy, or set CHROMIUM to another one") from None
        if text is None:
            raise BookError("Chromium ended by itself; try again, or set CHROMIUM to another one")
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    async def open_page(self) -> None:
        """Open the one page that the other calls are about."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")

    async def look(self, width: int, height: int, dark: bool) -> None:
        """Make the window `width` pixels wide and prefer light or dark."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def visit(self, address: str) -> None:
        """Go to the page and wait until it has drawn its formulas."""
        self.events.clear()
        loads = "loaderId" in await self.call("Page.navigate", url=address)  # a place in the page that is open loads nothing
        while loads and not any(event["method"] == "Page.loadEventFired" for event in self.events):
            await self._read()
        ready = "(window.MathJax?.startup?.promise ?? Promise.resolve()).then(() => document.fonts.ready).then(() => 1)"
        await self.call("Runtime.evaluate", expression=ready, awaitPromise=True)
        await asyncio.sleep(0.1)

    async def value(self, expression: str) -> object:
        """Return the value of a JavaScript expression, awaited where it is a promise."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return result["result"].get("value")

    def faults(self) -> list[str]:
        """Return the errors that the page reported since it was opened."""
        found = []
        for event in self.events:
            if event["method"] == "Runtime.exceptionThrown":
                details = event["params"]["exceptionDetails"]
                found.append(details.get("exception", {}).get("description", details["text"]).splitlines()[0])
            elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                entry = event["params"]["entry"]
                found.append(f"{entry['text']} {entry.get('url', '')}")
        return found

    async def screenshots(self, stem: Path) -> list[Path]:
        """Return the pictures of the whole page, from top to bottom."""
        await self.value("Promise.all([...document.querySelectorAll('img[loading=lazy]')].map((each) => { each.loading = 'eager'; return each.decode().catch(() => 0); })).then(() => 1)")
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        tops = list(range(0, max(int(size["height"]), 1), PART))
        paths = []
        for number, top in enumerate(tops, 1):
            clip = {"x": 0, "y": top, "width": size["width"], "height": min(PART, size["height"] - top), "scale": 1}
            shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            path = stem.with_name(f"{stem.name}{f'-part{number}' if len(tops) > 1 else ''}.png")
            path.write_bytes(base64.b64decode(shot["data"]))
            paths.append(path)
        return paths


@contextlib.asynccontextmanager
async def chromium(net_log: Path) -> AsyncIterator[Browser]:
    """Yield a browser with one empty page and a new profile; `net_log` is complete when the block has ended."""
    from tornado.websocket import websocket_connect

    with tempfile.TemporaryDirectory(prefix="book-chromium-", ignore_cleanup_errors=True) as profile:
        command = [find(), *SWITCHES, "--remote-debugging-port=0", f"--user-data-dir={profile}", f"--log-net-log={net_log}", "about:blank"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port, path = await _address(Path(profile) / "DevToolsActivePort", child)
            socket = await websocket_connect(f"ws://127.0.0.1:{port}{path}", max_message_size=2**29)
            browser = Browser(socket)
            await browser.open_page()
            yield browser
            await browser.call("Browser.close")
            child.wait(20)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


async def _address(file: Path, child: subprocess.Popen) -> tuple[str, str]:
    for _ in range(300):
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError, ValueError):
            port, path = file.read_text(encoding="utf-8").split()
            return port, path
        await asyncio.sleep(0.1)
    raise BookError("Chromium did not start within 30 s; run it by hand with --headless=new to see why")


def foreign_requests(net_log: Path, home: str) -> list[str]:
    """Return every address outside `home` that a page asked for, and every other host that it had looked up.

    Chromium's own requests (its updates, its clock) are told apart by what the log says of each: no page
    began them, they are no page or frame, and they belong to no page's network partition.
    """
    text = net_log.read_text(encoding="utf-8")
    try:
        log = json.loads(text)
    except ValueError:
        log = json.loads(text.rstrip().rstrip(",") + "]}")  # Chromium was stopped before it closed the list
    names = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    found: dict[str, None] = {}
    for event in log["events"]:
        held, name = event.get("params") or {}, names.get(event["type"], "")
        if name == "URL_REQUEST_START_JOB" and "url" in held:
            foreign = urlsplit(held["url"]).scheme not in OWN and not f"{held['url']}/".startswith(f"{home}/")
            by_page = (
                held.get("initiator") != "not an origin"
                or held.get("request_type") != "other"
                or "127.0.0.1" in held.get("network_isolation_key", "")
            )
            if foreign and by_page:
                found[held["url"]] = None
        elif name == "HOST_RESOLVER_MANAGER_REQUEST" and "host" in held:
            local = (urlsplit(held["host"]).hostname or held["host"]) in {"127.0.0.1", "localhost"}
            if not local and "127.0.0.1" in held.get("network_anonymization_key", ""):
                found[f"the name of {held['host']}"] = None
    return list(found)
