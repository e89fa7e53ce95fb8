"""A browser over its own DevTools protocol, with nothing of its own between.

Playwright asks the browser to report every WebSocket message, in base64: under a flood that costs
more than the page does. Here nothing is enabled but what is asked for.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser.screen import ARGUMENTS, CHROMIUM
from tests.needs import need
from tests.waiting import within

Event = dict[str, Any]


class Tab:
    """One tab of a browser that has no other."""

    def __init__(self, socket: ClientConnection, width: int, height: int) -> None:
        self._socket = socket
        self._session: str | None = None
        self._number = 0
        self._events: list[Event] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        size: dict[str, Any] = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": False,
        }
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Performance.enable")

    def call(self, method: str, *, browser: bool = False, **parameters: Any) -> dict[str, Any]:
        """Ask the tab, or the whole browser, and return the answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None and not browser:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(60))
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def open(self, url: str) -> None:
        """Go to an address."""
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """Return what an expression of the page is."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 20) -> None:
        """Wait until an expression holds."""
        assert within(seconds, lambda: self.evaluate(expression), 0.1), expression

    def metrics(self) -> dict[str, float]:
        """Return the page's own counters and clocks."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in metrics}

    def trace(self, *categories: str) -> None:
        """Begin to trace. The browser keeps the events until `traced`."""
        config = {"includedCategories": categories, "excludedCategories": ["*"]}
        self.call("Tracing.start", browser=True, traceConfig=config)

    def traced(self) -> list[Event]:
        """End the trace and return its events."""
        self._events.clear()
        self.call("Tracing.end", browser=True)
        while not any(one["method"] == "Tracing.tracingComplete" for one in self._events):
            self._events.append(json.loads(self._socket.recv(60)))
        parts = (one for one in self._events if one["method"] == "Tracing.dataCollected")
        return [event for part in parts for event in part["params"]["value"]]


@contextmanager
def tab(width: int = 1280, height: int = 800) -> Iterator[Tab]:
    """Start a Chromium without a screen and yield its one tab."""
    need(CHROMIUM)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}")
        process = subprocess.Popen(
            [CHROMIUM, *ARGUMENTS, *options, "about:blank"], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            found = None
            while found is None:
                line = process.stderr.readline()
                assert line, "Chromium ended before it listened."
                found = re.search(r"DevTools listening on (ws://\S+)", line)
            with connect(found[1], max_size=None, compression=None) as socket:
                opened = Tab(socket, width, height)
                yield opened
                opened.call("Browser.close", browser=True)
        finally:
            process.terminate()
            process.wait(10)
