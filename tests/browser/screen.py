"""The dashboard as a person sees it: roles and names, and what the browser complains of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.needs import need
from tests.running import TOKEN, RunningService

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

CHROMIUM = os.environ.get("CHROMIUM_PATH", "/usr/bin/chromium")
# As root without a sandbox; and nothing of its own that would look for a network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A page cannot hide a violation of its policy from this.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, in the network namespace of this thread."""
    need(CHROMIUM)
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("playwright is not installed: uv run --group browser pytest -m heavy tests/browser")
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Screen:
    """A browser context with one page; at its end there must have been no complaint.

    Attributes:
        complaints: Console errors, exceptions and failed requests, as they came.
        tolerated: What a test expects of them, as patterns.
    """

    def __init__(self, browser: Browser, service: RunningService, **context: Any) -> None:
        self.service = service
        self.complaints: list[str] = []
        # A page that shows something else by then may end a socket that is still opening.
        self.tolerated: list[str] = ["WebSocket is closed before the connection is established"]
        values = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", **context}
        self.context = browser.new_context(**values)
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        violations = [] if kind else self.page.evaluate("window.violations ?? []")
        self.context.close()
        if kind is None:
            assert violations == []
            complaints = self.unexpected()
            assert complaints == [], complaints

    def unexpected(self) -> list[str]:
        """Return the complaints no test expects."""
        patterns = [re.compile(pattern) for pattern in self.tolerated]
        return [
            text
            for text in self.complaints
            if not any(pattern.search(text) for pattern in patterns)
        ]

    def sign_in(self, token: str = TOKEN) -> None:
        """Open the address that the service prints, and wait until the page is live."""
        self.page.goto(f"{self.service.url}/?token={token}")
        self.is_live()

    def is_live(self) -> None:
        """Wait until the page is tied to the service."""
        self.page.locator(".state[data-state=live]").wait_for(timeout=20_000)

    def go(self, tab: str) -> None:
        """Choose a tab by its name."""
        self.page.get_by_role("navigation", name="Views").get_by_role("link", name=tab).click()

    def button(self, name: str) -> Locator:
        """Return the button with exactly this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def fill(self, label: str, text: str) -> None:
        """Type into a field in place of what is there."""
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, option: str) -> None:
        """Choose one of a few."""
        self.page.get_by_role("radio", name=option, exact=True).check()

    def row(self, adapter: str) -> Locator:
        """Return an adapter's row."""
        name = re.compile(rf"^{re.escape(adapter)}\b")
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("button", name=name))

    def select(self, adapter: str) -> None:
        """Select an adapter in the table."""
        self.row(adapter).get_by_role("button").click()

    @property
    def dialog(self) -> Locator:
        """The open dialog."""
        return self.page.get_by_role("dialog")

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")
