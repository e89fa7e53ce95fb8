"""The adapter at the local service: find it, exchange its packets, come back when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from wintun_api.choices import Scope
from wintun_api.client.backoff import Backoff
from wintun_api.client.problems import (
    ClientError,
    FrameRefused,
    ProblemError,
    ScopeMissing,
    ServiceUnreachable,
    StreamClosed,
    TokenRevoked,
)
from wintun_api.fleet.card import MAX_ADAPTERS, CardAdapter
from wintun_api.fleet.problems import AdapterMissing, TokenTooNarrow

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient, AsyncPacketStream
    from wintun_api.schemas.adapters import Adapter

NEEDED: Final = (Scope.READ, Scope.CAPTURE, Scope.INJECT)
BACKOFF: Final = Backoff(first=0.25, last=4.0)
# What a service answers while it starts, stops, or has lost the adapter: later it may have it.
PASSING: Final = frozenset(
    (
        "adapter-not-found",
        "adapter-unavailable",
        "driver-busy",
        "full",
        "session-ended",
        "session-exists",
        "session-not-found",
        "stopping",
        "too-many-requests",
    )
)


class Work(Protocol):
    """What is done with a stream of packets, until it ends."""

    async def __call__(self, stream: AsyncPacketStream) -> None:
        """Exchange packets."""


class Attachment:
    """An adapter of the local service, by its name or its GUID. Event loop thread only.

    Attributes:
        adapter: The adapter as it was last read; None before.
        driver: The driver of the service, in words.
        connected: Whether its packets are exchanged now.
    """

    def __init__(
        self,
        client: AsyncClient,
        word: str,
        *,
        overflow: str,
        on_found: Callable[[Adapter], None],
        on_change: Callable[[bool, str], None],
        on_end: Callable[[], None],
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Name the adapter; nothing is asked yet.

        Args:
            client: Reaches the service.
            word: The name of the adapter, or its GUID.
            overflow: What the service does when its queue is full.
            on_found: Called with the adapter when it is read, and when its settings have changed.
            on_change: Called when packets are exchanged, and when they no longer are: with whether
                they are, and why in words.
            on_end: Called when a stream has ended, and nothing is known of it later.
            backoff: How patiently the service is looked for when it has gone.
        """
        self.adapter: Adapter | None = None
        self.driver = ""
        self.connected = False
        self._client = client
        self._word = word
        self._overflow = overflow
        self._on_found = on_found
        self._on_change = on_change
        self._on_end = on_end
        self._backoff = backoff

    async def check(self) -> None:
        """See that the service is there, that the token is right, and that it has the adapter.

        Raises:
            ClientError: The service refuses, or does not answer.
            TokenTooNarrow: The token does not allow what is needed.
            AdapterMissing: There is no such adapter, or there are several.
        """
        system = await self._client.get_system()
        missing = [one.value for one in NEEDED if one not in system.scopes]
        if missing and Scope.ADMIN not in system.scopes:
            raise TokenTooNarrow(
                f"The token does not allow {' and '.join(missing)}.",
                hint="Make one that does, as an administrator of the service: "
                "wintun-api tokens create read capture inject",
            )
        driver = await self._client.get_driver()
        self.driver = f"{driver.name.value} {driver.running_version or ''}".strip()
        self._read(await self._find())

    async def card(self) -> tuple[list[CardAdapter], int]:
        """Read the adapters of the service for a card, and how many more it has.

        Raises:
            ClientError: The service refuses, or does not answer.
        """
        adapters = await self._client.list_adapters()
        counters = {one.id: one.counters for one in await self._client.list_sessions()}
        mine = self.adapter
        for one in adapters:
            if mine is not None and one.guid == mine.guid and one.addresses != mine.addresses:
                self._read(one)
        told = []
        for one in adapters[:MAX_ADAPTERS]:
            session = counters.get(one.session or "")
            told.append(
                CardAdapter(
                    name=one.name[:128],
                    guid=str(one.guid),
                    state=one.state.value,
                    addresses=one.addresses[:MAX_ADAPTERS],
                    session=one.session,
                    received=session.received.packets if session else 0,
                    injected=session.injected.packets if session else 0,
                )
            )
        return told, len(adapters) - len(told)

    async def serve(self, work: Work) -> None:
        """Exchange packets until cancelled, and come back to the service whenever it is gone.

        Raises:
            ClientError: The service refuses for good, as a token that was revoked.
            TokenTooNarrow: No session runs, and the token may not start one.
        """
        delays, told = self._backoff.delays(), ""
        while True:
            try:
                try:
                    await self._exchange(work)
                finally:
                    self._on_end()
                why = "its session has ended"
            except AdapterMissing as error:
                why = error.detail
            except (ServiceUnreachable, StreamClosed, ProblemError) as error:
                if not may_pass(error):
                    raise
                why = error.detail
            if self.connected:
                delays, told = self._backoff.delays(), ""
            if self.connected or why != told:
                self.connected, told = False, why
                self._on_change(False, why)
            await asyncio.sleep(next(delays))

    async def _exchange(self, work: Work) -> None:
        adapter = await self._find()
        session = (
            self._client.session(adapter.session)
            if adapter.session
            else self._client.adapter(adapter).session(if_running="join")
        )
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(session)
            except ProblemError as error:
                if error.kind != "missing-scope":
                    raise
                raise TokenTooNarrow(
                    f"No session runs on the adapter {adapter.name}, and the token may not start "
                    "one.",
                    hint=f"Start it with: wintun-api sessions start {adapter.name}",
                ) from error
            stream = await stack.enter_async_context(
                session.packets(
                    direction="received",
                    overflow=self._overflow,
                    full="drop",
                    reconnect=self._backoff,
                )
            )
            self._read(adapter)

            def connected(there: bool) -> None:
                self.connected = there
                what = f"session {session.id} of {adapter.name}"
                self._on_change(there, what if there else "the connection with the service ended")

            connected(True)
            stream.on_connection = connected
            await work(stream)

    async def _find(self) -> Adapter:
        adapters = await self._client.list_adapters()
        guid = None
        with suppress(ValueError):
            guid = UUID(self._word)
        found = [one for one in adapters if guid in (one.guid, None) and self._means(one, guid)]
        if not found:
            raise AdapterMissing(
                f"The service has no adapter {self._word}.",
                hint="List the adapters with wintun-api adapters list, or create it with: "
                f"wintun-api adapters create {self._word} --address 10.99.0.1/24",
            )
        if len(found) > 1:
            raise AdapterMissing(
                f"Several adapters have the name {self._word}.",
                hint=f"Give the GUID of one: {', '.join(str(one.guid) for one in found)}.",
            )
        return found[0]

    def _means(self, adapter: Adapter, guid: UUID | None) -> bool:
        return adapter.guid == guid if guid is not None else adapter.name == self._word

    def _read(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._on_found(adapter)


def may_pass(error: ClientError) -> bool:
    """Return whether the service may be back later, as it was."""
    if isinstance(error, ServiceUnreachable):
        return True
    if isinstance(error, ProblemError):
        return error.kind in PASSING or error.status in (502, 503, 504)
    return not isinstance(error, TokenRevoked | ScopeMissing | FrameRefused)
