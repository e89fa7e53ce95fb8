"""Know who is connected: the open streams of the service, and what they count.

A stream tells its counts only when it is asked, so a list costs the packets nothing. There are no
more streams than connections, which `admission` limits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import HTTPConnection

from wintun_api.api.tokens import Principal
from wintun_api.choices import ClientKind, CloseCode, Direction, Overflow
from wintun_api.errors import ClientNotFound

MAX_AGENT = 256  # characters of a User-Agent that are kept

# Ends a stream: why, as a close code and as a sentence.
End = Callable[[CloseCode, str], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """Hold the counts of a stream: in packets, or in events if it is a stream of events.

    Attributes:
        queued: How many wait for the client.
        queued_bytes: The memory that these use.
        delivered: How many were given to its connection.
        injected: Packets of the client that were accepted.
        lost: How many were lost, by cause.
    """

    queued: int
    queued_bytes: int
    delivered: int
    injected: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Presence:
    """Describe what a client has open.

    Attributes:
        kind: What it is.
        count: Returns its counts; None if it does not count.
        session: The id of its session; None if it has none, or several.
        adapter: The adapter of this session.
        name: The name of this adapter.
        subprotocol: The subprotocol of a WebSocket; None without one.
        direction: Which packets it gets; None for other streams.
        overflow: What happens when its queue is full; None if it has none.
        max_queued: The limit of its queue in packets or events.
        max_queued_bytes: The limit of its queue in bytes.
        id: Identifies it in lists and paths.
    """

    kind: ClientKind
    count: Callable[[], Counts] | None = None
    session: str | None = None
    adapter: UUID | None = None
    name: str | None = None
    subprotocol: str | None = None
    direction: Direction | None = None
    overflow: Overflow | None = None
    max_queued: int | None = None
    max_queued_bytes: int | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(6))


class Client:
    """Hold one open stream and who opened it.

    Attributes:
        presence: What it has open.
        principal: Who opened it.
        address: The address of the client; None if the connection has none.
        port: The port of the client.
        agent: What the client says it is (`User-Agent`), cut to `MAX_AGENT` characters.
        since: When it was opened.
        ended: Why the service ends it; None while it goes on.
    """

    __slots__ = (
        "_end",
        "address",
        "agent",
        "ended",
        "port",
        "presence",
        "principal",
        "since",
    )

    def __init__(
        self, presence: Presence, principal: Principal, connection: HTTPConnection, end: End
    ) -> None:
        self.presence = presence
        self.principal = principal
        peer = connection.client
        self.address = None if peer is None else peer.host
        self.port = None if peer is None else peer.port
        self.agent = connection.headers.get("user-agent", "")[:MAX_AGENT]
        self.since = datetime.now(UTC)
        self.ended: tuple[CloseCode, str] | None = None
        self._end = end

    def end(self, code: CloseCode, reason: str) -> None:
        """End the stream, and say why. Idempotent."""
        if self.ended is None:
            self.ended = (code, reason)
            self._end(code, reason)

    def is_of(self, principal: Principal) -> bool:
        """Return whether the same token opened it, and the same browser's sign-in if any."""
        mine = self.principal
        return (mine.id, mine.sign_in) == (principal.id, principal.sign_in)


class Clients:
    """Hold the open streams, oldest first. Event loop thread only."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients.values()))

    def __len__(self) -> int:
        return len(self._clients)

    @contextmanager
    def enter(self, client: Client) -> Iterator[Client]:
        """Hold a client while its stream is open."""
        self._clients[client.presence.id] = client
        try:
            yield client
        finally:
            self._clients.pop(client.presence.id, None)

    def disconnect(self, client_id: str, reason: str) -> Client:
        """End a client's stream; it is no longer in the list then.

        Raises:
            ClientNotFound: No client has this id, or it has disconnected.
        """
        client = self._clients.pop(client_id, None)
        if client is None:
            raise ClientNotFound(client_id)
        client.end(CloseCode.DISCONNECTED, reason)
        return client
