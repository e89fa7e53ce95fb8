"""Who changed what: one log line and one event for each change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wintun_api.hub.events import EventType

logger = logging.getLogger("wintun_api.audit")

MAX_TEXT = 120

Publish = Callable[[EventType, Any], object]


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was made, or tried, by the bearer of a token. It holds no secret.

    Attributes:
        who: The id of the token.
        label: What the maker of the token called it; empty for the admin token.
        browser: Whether it came from a signed-in browser.
        client: The address it came from.
        operation: The operation's id, as in the OpenAPI document.
        method: The HTTP method; WEBSOCKET for a WebSocket.
        path: The path with its ids.
        status: The HTTP status of the answer; None where there was none.
        count: How many alike attempts this stands for.
        subject: What it was about, where the path does not say it, such as the token that was made.
    """

    who: str
    label: str
    browser: bool
    client: str
    operation: str
    method: str
    path: str
    status: int | None
    count: int = 1
    subject: str | None = None

    def __str__(self) -> str:
        """Return the log line: one line, whatever the texts are."""
        label = f' "{self.label}"' if self.label else ""
        way = " in a browser" if self.browser else ""
        times = f", {self.count} times" if self.count > 1 else ""
        result = "no answer" if self.status is None else str(self.status)
        subject = "" if self.subject is None else f", {self.subject}"
        return (
            f"{self.operation} ({self.method} {self.path}) by token {self.who}{label}{way} "
            f"from {self.client}: {result}{subject}{times}"
        )


class Trail:
    """Writes changes to the log and, while the service runs, to its events."""

    def __init__(self, publish: Callable[[], Publish | None]) -> None:
        """Ask `publish` before each change for the function that publishes an event."""
        self._publish = publish

    def record(self, change: Change) -> None:
        """Write one log line and one event."""
        logger.info("%s", change)
        publish = self._publish()
        if publish is not None:
            publish(EventType.AUDIT_CHANGE, change)


def clean(text: str) -> str:
    """Return a text on one short line: at most `MAX_TEXT` characters, all of them printable."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return "".join(character if character.isprintable() else "?" for character in cut)
