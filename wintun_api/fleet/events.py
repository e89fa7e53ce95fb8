"""What an agent tells about itself: its events, as documents for the bus and as sentences."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from wintun_api.fleet.bus.seam import Bus

MAX_EVENT: Final = 8192  # bytes of one on the bus
MAX_WAITING: Final = 256  # events that wait for the bus; the oldest are dropped


class EventKind(StrEnum):
    """Name what has happened; the part before the dot is the topic."""

    AGENT_STARTED = "agent.started"
    AGENT_ENDED = "agent.ended"
    BUS_CONNECTED = "bus.connected"
    BUS_DISCONNECTED = "bus.disconnected"
    BUS_SLOW = "bus.slow"
    BUS_DENIED = "bus.denied"
    CLAIM_HELD = "claim.held"
    CLAIM_REFUSED = "claim.refused"
    CLAIM_TAKEN_OVER = "claim.taken_over"
    CLAIM_WITHDRAWN = "claim.withdrawn"
    CLAIM_DENIED = "claim.denied"
    CLAIM_SURPLUS = "claim.surplus"
    HOST_JOINED = "host.joined"
    HOST_LEFT = "host.left"
    HOST_DIED = "host.died"
    SERVICE_CONNECTED = "service.connected"
    SERVICE_LOST = "service.lost"
    SERVICE_WAITING = "service.waiting"
    SERVICE_SHARED = "service.shared"
    PACKETS_LOST = "packets.lost"
    REQUEST_ANSWERED = "request.answered"
    REQUEST_REFUSED = "request.refused"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened.

    Attributes:
        kind: What.
        text: The same as a sentence, for people.
        data: The same for programs.
        id: Its number, which grows by one with each event of an agent.
        time: When, in UTC by this host's clock.
    """

    kind: EventKind
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def document(self) -> dict[str, Any]:
        """Return it as the events of a service are written, with the sentence beside them."""
        return {
            "id": self.id,
            "time": self.time.isoformat(timespec="microseconds"),
            "type": self.kind.value,
            "text": self.text,
            "data": dict(self.data),
        }

    def encoded(self) -> bytes:
        """Return it as JSON of at most 8 KiB; data that would not fit are left out."""
        document = self.document()
        data = json.dumps(document).encode()
        if len(data) > MAX_EVENT:
            data = json.dumps({**document, "text": self.text[:1000], "data": {}}).encode()
        return data


OnEvent: TypeAlias = Callable[[Event], None]


class Announcements:
    """Tell events to the caller at once, and on the bus when it takes them.

    What does not fit is dropped there, oldest first; the numbers of the events show it. Event loop
    thread only.

    Attributes:
        dropped: How many events were dropped, because the bus did not take them for too long.
    """

    def __init__(self, bus: Bus, subject: str, on_event: OnEvent) -> None:
        self._bus = bus
        self._subject = subject
        self._on_event = on_event
        self.dropped = 0
        self._last = 0
        self._waiting: deque[Event] = deque()
        self._something = asyncio.Event()

    def tell(self, kind: EventKind, text: str, data: Mapping[str, Any]) -> None:
        """Tell that something has happened."""
        self._last += 1
        event = Event(kind, text, data, self._last)
        self._waiting.append(event)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._something.set()
        self._on_event(event)

    async def publish(self) -> None:
        """Publish what was told, until cancelled."""
        while True:
            await self._something.wait()
            if await self._all_taken():
                self._something.clear()
            else:
                await self._bus.room()

    async def flush(self) -> None:
        """Publish what was told, and wait until the server has it.

        Raises:
            BusUnavailable: The connection ended first.
        """
        await self._all_taken()
        await self._bus.flush()

    async def _all_taken(self) -> bool:
        while self._waiting:
            event = self._waiting[0]
            if not await self._bus.publish(self._subject, event.encoded()):
                return False
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
        return True
