"""Wait until the local service has an adapter, or a session, that it did not have before.

The service tells it: nothing is asked again and again. Without a wait there is no connection.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from wintun_api.choices import EventType
from wintun_api.client.backoff import Backoff

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient
    from wintun_api.client.asynchronous_events import AsyncEventStream

TOLD: Final = frozenset(
    (
        EventType.ADAPTER_CREATED,
        EventType.ADAPTER_CHANGED,
        EventType.ADAPTER_DELETED,
        EventType.SESSION_STARTED,
        EventType.SESSION_RESTARTED,
    )
)


class ServiceChanges:
    """The changes of adapters and sessions of a service. A context manager that ends the wait."""

    def __init__(self, client: AsyncClient, backoff: Backoff) -> None:
        """Name the service; nothing is asked until `next`.

        Args:
            client: Reaches it.
            backoff: How patiently it is looked for when it has gone.
        """
        self._client = client
        self._backoff = backoff
        self._stream: AsyncEventStream | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.rest()

    async def next(self) -> None:
        """Wait for a change, also for one that was missed: the service was away, for example.

        The first call returns as soon as the service listens, so what its caller reads after it is
        not older than what is told later.

        Raises:
            ClientError: The service refuses, as a token that was revoked.
        """
        from wintun_api.schemas.events import Event, Missed, Snapshot

        if self._stream is None:
            self._stream = self._client.events(reconnect=self._backoff)
        async for one in self._stream:
            if isinstance(one, Snapshot | Missed) or (isinstance(one, Event) and one.type in TOLD):
                return

    async def rest(self) -> None:
        """Hear no more, until `next` is called again. Idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()
