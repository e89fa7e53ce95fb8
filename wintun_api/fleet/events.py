"""What an agent tells about itself: its events, as documents for the bus and as sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

MAX_EVENT: Final = 8192  # bytes of one on the bus


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
    HOST_JOINED = "host.joined"
    HOST_LEFT = "host.left"
    HOST_DIED = "host.died"
    SERVICE_CONNECTED = "service.connected"
    SERVICE_LOST = "service.lost"
    PACKETS_LOST = "packets.lost"


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
