"""A real browser: Chromium without a screen, driven by its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.waiting import wait_for

PROGRAM = "chromium"
_ANSWER_LIMIT_S = 60.0
_END_LIMIT_S = 30.0
_MESSAGE_MAX_BYTES = 32 * 1024**2
# Root has no sandbox of its own; the pages are ours.
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)


class Tab:
    """A page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._count = 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command. What the page says meanwhile is kept if it is an error."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=_ANSWER_LIMIT_S))
            if said.get("id") == self._count:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._note(said)

    def open(self, url: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self.command("Page.navigate", url=url)
        wait_for(lambda: self.run("document.readyState") == "complete", what=f"{url} is loaded")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; None while it is between two pages."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def text(self) -> str:
        """What the page shows."""
        return str(self.run("document.body && document.body.innerText"))

    def wait_for(self, text: str) -> None:
        """Return when the page shows it."""
        wait_for(lambda: text in self.text(), what=f"the page shows {text!r}")

    def look(self, *, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        """The size of the window, and whether its user prefers light or dark."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def screenshot(self, path: Path) -> None:
        """Keep a picture of the page."""
        found = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def _note(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(said["params"]["exceptionDetails"]))
        entry = said.get("params", {}).get("entry", {})
        if said.get("method") == "Log.entryAdded" and entry.get("level") == "error":
            self.errors.append(f"{entry.get('text')} {entry.get('url', '')}")


@contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """A browser with one page, which keeps its files in that folder."""
    argv = [PROGRAM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        port = profile / "DevToolsActivePort"
        wait_for(lambda: port.exists() and bool(port.read_text()), what="Chromium listens")
        address = f"http://127.0.0.1:{port.read_text().split()[0]}/json/list"
        with urllib.request.urlopen(address, timeout=_ANSWER_LIMIT_S) as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        url = page["webSocketDebuggerUrl"]
        with connect(url, max_size=_MESSAGE_MAX_BYTES, proxy=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        process.wait(_END_LIMIT_S)
