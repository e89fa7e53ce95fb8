"""The adapter at the local service: find it, exchange its packets, come back when it is gone.

A service that does not answer is tried again, ever more seldom. What it does not have yet, an
adapter or a session, it tells itself when it has it.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias
from uuid import UUID

from wintun_api.choices import Scope
from wintun_api.client.backoff import Backoff
from wintun_api.client.problems import (
    ClientError,
    Disconnected,
    FrameRefused,
    ProblemError,
    ScopeMissing,
    ServiceUnreachable,
    StreamClosed,
    TokenRevoked,
)
from wintun_api.fleet.members.card import MAX_ADAPTERS, CardAdapter
from wintun_api.fleet.problems import (
    AdapterMissing,
    SessionMissing,
    TokenTooNarrow,
)
from wintun_api.fleet.service.changes import ServiceChanges
from wintun_api.limits import MAX_ADDRESSES

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient, AsyncPacketStream
    from wintun_api.schemas.adapters import Adapter

NEEDED: Final = (Scope.READ, Scope.CAPTURE, Scope.INJECT)
BACKOFF: Final = Backoff(first=0.25, last=4.0)
RESTORING: Final = 5.0  # seconds; a service that starts again restores its adapters one by one
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

_Missing: TypeAlias = "AdapterMissing | SessionMissing"


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
        on_wait: Callable[[_Missing], None],
        on_end: Callable[[], None],
        backoff: Backoff = BACKOFF,
        restoring: float = RESTORING,
    ) -> None:
        """Name the adapter; nothing is asked yet.

        Args:
            client: Reaches the service.
            word: The name of the adapter, or its GUID.
            overflow: What the service does when its queue is full.
            on_found: Called with the adapter when it is read, and when its settings have changed.
            on_change: Called when packets are exchanged, and when they no longer are: with whether
                they are, and why in words.
            on_wait: Called when it begins to wait for an adapter or a session, with what is missing
                and how it is made.
            on_end: Called when a stream has ended, and nothing is known of it later.
            backoff: How patiently the service is looked for when it has gone.
            restoring: Seconds in which the service may restore what it had, before it is said to
                be missing.
        """
        self.adapter: Adapter | None = None
        self.driver = ""
        self.connected = False
        self._client = client
        self._word = word
        self._overflow = overflow
        self._on_found = on_found
        self._on_change = on_change
        self._on_wait = on_wait
        self._on_end = on_end
        self._backoff = backoff
        self._restoring = restoring
        self._served = False  # packets were exchanged once
        self._telling: tuple[str, asyncio.TimerHandle] | None = None  # what is told later

    async def check(self) -> None:
        """See that the service is there, and that the token is right.

        Raises:
            ClientError: The service refuses, or does not answer.
            TokenTooNarrow: The token does not allow what is needed.
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

    async def find(self) -> None:
        """Read the adapter, and wait for it as long as the service does not have it.

        Raises:
            ClientError: The service refuses for good, as a token that was revoked.
        """

        async def read(_changes: ServiceChanges) -> bool:
            self._read(await self._find())
            return True

        await self._until(read)

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
                    addresses=one.addresses[:MAX_ADDRESSES],
                    more_addresses=max(0, len(one.addresses) - MAX_ADDRESSES),
                    session=one.session,
                    received=session.received.packets if session else 0,
                    injected=session.injected.packets if session else 0,
                )
            )
        return told, len(adapters) - len(told)

    async def serve(self, work: Work) -> None:
        """Exchange packets until cancelled; come back to the service, and wait for what it lacks.

        Raises:
            ClientError: The service refuses for good, as a token that was revoked.
        """

        async def exchange(changes: ServiceChanges) -> bool:
            try:
                await self._exchange(work, changes)
            finally:
                self._on_end()
            return False

        await self._until(exchange)

    async def _until(self, attempt: Callable[[ServiceChanges], Awaitable[bool]]) -> None:
        """Try something until it is done."""
        delays, told = self._backoff.delays(), ""

        def tell(missing: _Missing) -> None:
            nonlocal told
            told = missing.detail
            self._on_wait(missing)

        try:
            async with ServiceChanges(self._client, self._backoff) as changes:
                while True:
                    missing: _Missing | None = None
                    why = "its session has ended"
                    try:
                        if await attempt(changes):
                            return
                    except (AdapterMissing, SessionMissing) as error:
                        missing, why = error, error.detail
                    except (ServiceUnreachable, StreamClosed, ProblemError) as error:
                        if not may_pass(error):
                            raise
                        why = error.detail
                    if self.connected:
                        delays, told = self._backoff.delays(), ""
                    if missing is not None:
                        self.connected = False
                        if why == told:
                            self._tell_nothing()
                        else:
                            self._tell(missing, tell)
                        await changes.next()
                        continue
                    self._tell_nothing()
                    if self.connected or why != told:
                        self._on_change(False, why)
                    self.connected, told = False, why
                    await asyncio.sleep(next(delays))
        finally:
            self._tell_nothing()

    def _tell(self, missing: _Missing, tell: Callable[[_Missing], None]) -> None:
        """Tell what is missing; what was there may be restored, and is told when it was not."""
        if not self._served:
            tell(missing)
        elif self._telling is None or self._telling[0] != missing.detail:
            self._tell_nothing()
            timer = asyncio.get_running_loop().call_later(self._restoring, tell, missing)
            self._telling = missing.detail, timer

    def _tell_nothing(self) -> None:
        if self._telling is not None:
            self._telling[1].cancel()
            self._telling = None

    async def _exchange(self, work: Work, changes: ServiceChanges) -> None:
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
                raise SessionMissing(
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
            await changes.rest()
            self._read(adapter)

            def connected(there: bool) -> None:
                self.connected = there
                self._served = True
                self._tell_nothing()
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
        for one in adapters:
            if one.guid == guid if guid is not None else one.name == self._word:
                return one
        raise AdapterMissing(
            f"The service has no adapter {self._word}.",
            hint="List the adapters with wintun-api adapters list, or create it with: "
            f"wintun-api adapters create {self._creation(guid)}",
        )

    def _creation(self, guid: UUID | None) -> str:
        """Return the arguments that create the adapter, as it was or with words to replace."""
        if self.adapter is None:
            return f"{self._word if guid is None else 'NAME'} --address ADDRESS/PREFIX"
        addresses = (f"--address {one}" for one in self.adapter.addresses)
        return " ".join((shlex.quote(self.adapter.name), *addresses))

    def _read(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._on_found(adapter)


def may_pass(error: ClientError) -> bool:
    """Return whether the service may be back later, as it was."""
    if isinstance(error, ServiceUnreachable):
        return True
    if isinstance(error, ProblemError):
        return error.kind in PASSING or error.status in (502, 503, 504)
    return not isinstance(error, TokenRevoked | Disconnected | ScopeMissing | FrameRefused)
