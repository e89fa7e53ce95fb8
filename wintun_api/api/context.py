"""What the routes share: the settings, the tokens and the registry of one app."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from wintun_api.api.tokens import Principal, TokenStore
from wintun_api.errors import ServiceStopping
from wintun_api.hub.registry import Registry
from wintun_api.settings import Settings


@dataclass(eq=False, slots=True)
class Context:
    """One app's parts. `registry` is there from start-up to shutdown.

    Attributes:
        started_at: When the service began; the ids of events count from there.
        stopping: Set when the service begins to shut down; open streams end then.
    """

    settings: Settings
    tokens: TokenStore
    started: Registry | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def registry(self) -> Registry:
        """Return the running registry.

        Raises:
            ServiceStopping: The service is going down.
        """
        if self.started is None or self.stopping.is_set():
            raise ServiceStopping
        return self.started


def _context(connection: HTTPConnection) -> Context:
    return cast(Context, connection.app.state.context)


def _registry(connection: HTTPConnection) -> Registry:
    return _context(connection).registry


def _principal(connection: HTTPConnection) -> Principal:
    return cast(Principal, connection.scope["principal"])


ContextOf = Annotated[Context, Depends(_context)]
RegistryOf = Annotated[Registry, Depends(_registry)]
PrincipalOf = Annotated[Principal, Depends(_principal)]

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
REASONS = {
    401: "No valid token.",
    403: "Refused: scope, Host or Origin; or the system denied access.",
    404: "No such thing.",
    409: "In conflict with what exists.",
    413: "Too much at once.",
    415: "A content type that is not used here.",
    422: "A value that cannot be.",
    500: "An unexpected error.",
    501: "The driver or its generation has no such call.",
    502: "The driver failed.",
    503: "The driver is unavailable, or the service is stopping.",
    504: "The driver takes long; the call goes on.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the error responses of a route for its schema, with those every route can give."""
    return only_problems(401, 403, 500, 503, *statuses)


def only_problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return these error responses for a route's schema, and no others."""
    return {
        status: {"description": REASONS[status], "content": PROBLEM}
        for status in sorted(set(statuses))
    }
