"""Record who changed what: one log line and one event for each change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wintun_api.choices import EventType

logger = logging.getLogger("wintun_api.audit")

MAX_TEXT = 120

Publish = Callable[[EventType, Any], object]


@dataclass(frozen=True, slots=True)
class Change:
    """Describe a change that the bearer of a token made or tried. It contains no secret.

    Attributes:
        who: The id of the token.
        label: The label of the token; empty for the admin token.
        browser: Whether it came from a signed-in browser.
        client: The address that it came from.
        operation: The operation's id, as in the OpenAPI document.
        method: The HTTP method; WEBSOCKET for a WebSocket.
        path: The path with its ids.
        status: The HTTP status of the answer; None if there was no answer.
        count: How many similar attempts this stands for.
        subject: What it was about if the path does not say it, such as the token that was created.
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
        """Return the log entry as one line, whatever the texts contain."""
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
    """Write changes to the log and, while the service runs, to its events."""

    def __init__(self, publish: Callable[[], Publish | None]) -> None:
        """Call `publish` before each change to get the function that publishes an event."""
        self._publish = publish

    def record(self, change: Change) -> None:
        """Write one log line and one event."""
        logger.info("%s", change)
        publish = self._publish()
        if publish is not None:
            publish(EventType.AUDIT_CHANGE, change)


def clean(text: str) -> str:
    """Return a text as one line of at most `MAX_TEXT` characters, all of them printable."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return "".join(character if character.isprintable() else "?" for character in cut)
