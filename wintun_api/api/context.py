"""Share the settings, the tokens and the registry of one app among its routes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Path
from starlette.requests import HTTPConnection

from wintun_api.api.admission import Admission
from wintun_api.api.connected import Clients
from wintun_api.api.inventory import Inventory
from wintun_api.api.kinds import Kind, cause_of
from wintun_api.api.leases import Leases
from wintun_api.api.sign_ins import SignIns
from wintun_api.api.tokens import Principal, TokenStore
from wintun_api.errors import (
    AccessDenied,
    DriverBusy,
    DriverError,
    DriverUnavailable,
    ServiceStopping,
    WintunApiError,
)
from wintun_api.hub.registry import Registry
from wintun_api.schemas.model import TRIMMED
from wintun_api.schemas.problem import MEDIA_TYPE
from wintun_api.settings import Settings


@dataclass(eq=False, slots=True)
class Context:
    """Hold the parts of one app. `registry` exists from start-up to shutdown.

    Attributes:
        started_at: When the service started; event ids are counted from then.
        stopping: Set when the service begins to shut down; open streams then end.
        leases: The streams that end with their token.
        clients: The open streams and who opened them.
        connections: The places for connections, if our own server runs the app.
        inventory: The networks that agents have reported.
    """

    settings: Settings
    tokens: TokenStore
    sign_ins: SignIns
    started: Registry | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    clients: Clients = field(default_factory=Clients)
    connections: Admission | None = None
    inventory: Inventory = field(default_factory=Inventory)
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        self.leases = Leases(self.sign_ins.current)
        self.tokens.ended.append(self.leases.end_token)
        self.sign_ins.ended.append(self.leases.end_sign_in)

    @property
    def registry(self) -> Registry:
        """Return the running registry.

        Raises:
            ServiceStopping: The service is shutting down.
        """
        if self.started is None or self.stopping.is_set():
            raise ServiceStopping
        return self.started


async def _context(connection: HTTPConnection) -> Context:
    return cast(Context, connection.app.state.context)


async def _registry(connection: HTTPConnection) -> Registry:
    return cast(Context, connection.app.state.context).registry


async def _principal(connection: HTTPConnection) -> Principal:
    return cast(Principal, connection.scope["principal"])


ContextOf = Annotated[Context, Depends(_context)]
RegistryOf = Annotated[Registry, Depends(_registry)]
PrincipalOf = Annotated[Principal, Depends(_principal)]

SessionId = Annotated[str, TRIMMED, Path(description="The id of the session.")]

# Errors of every route that calls the driver.
DRIVER = (AccessDenied, DriverError, DriverUnavailable, DriverBusy)

# What every request can be refused for before it reaches its route.
DOOR = (
    Kind.UNAUTHORIZED,
    Kind.MISSING_SCOPE,
    Kind.FOREIGN_HOST,
    Kind.FOREIGN_ORIGIN,
    Kind.BAD_HOST,
    Kind.REPEATED_HEADER,
    Kind.TOO_MANY_GUESSES,
)


def problems(*causes: type[WintunApiError] | Kind) -> dict[int | str, dict[str, Any]]:
    """Return a route's error responses for its schema, with those that every route can give.

    A cause is a class of errors, or a kind of refusal.
    """
    return only_problems(*DOOR, Kind.INTERNAL, ServiceStopping, *causes)


def only_problems(*causes: type[WintunApiError] | Kind) -> dict[int | str, dict[str, Any]]:
    """Return only these error responses for a route's schema."""
    kinds: dict[int, list[Kind]] = {}
    for cause in causes:
        kind = cause if isinstance(cause, Kind) else cause_of(cause).kind
        if kind not in kinds.setdefault(kind.status, []):
            kinds[kind.status].append(kind)
    return {status: _response(kinds[status]) for status in sorted(kinds)}


def _response(kinds: list[Kind]) -> dict[str, Any]:
    examples = {kind.slug: {"$ref": f"#/components/examples/{kind.slug}"} for kind in kinds}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "; ".join(kind.title for kind in kinds) + ".",
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
