"""Watch for what begins a capture: an event, or a packet that passes a filter.

A loss is an event too: the service publishes one within a second. An event about an adapter that
the capture did not choose begins nothing, nor does an event about the capture itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from wintun_api.choices import EventType, TriggerKind
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.source import Source
from wintun_api.hub.events import EventLog
from wintun_api.hub.named_captures.definition import Trigger
from wintun_api.hub.named_captures.view import CaptureView
from wintun_api.moments import NEVER

Chosen = Callable[[UUID], bool]


@dataclass(frozen=True, slots=True)
class Match:
    """Describe the packet that began a capture.

    Attributes:
        session: Its session.
        injected: Its direction.
        number: Its number in them.
        time_ns: Its time, in nanoseconds since 1970.
    """

    session: str
    injected: bool
    number: int
    time_ns: int

    def rest(self, source: Source, burst: Burst) -> Burst | None:
        """Return what of a burst came with this packet or after it; None if nothing did."""
        if (source.session, burst.injected) == (self.session, self.injected):
            return burst.since(self.number)
        return burst.between(self.time_ns, NEVER)


def event_of(trigger: Trigger) -> EventType | None:
    """Return the type of the event that a trigger waits for; None for other triggers."""
    return EventType.SESSION_LOSS if trigger.on is TriggerKind.LOSS else trigger.event


async def happened(events: EventLog, kind: EventType, capture: str, chosen: Chosen) -> bool:
    """Return True when an event of this type comes, False when the service stops.

    Args:
        events: The events of the service.
        kind: The type.
        capture: The id of the capture that waits.
        chosen: Returns whether the capture has an adapter.
    """
    subscription, _ = events.subscribe()
    try:
        while found := await subscription.next():
            for event in found:
                if event.type is kind and _concerns(event.data, capture, chosen):
                    return True
        return False
    finally:
        events.unsubscribe(subscription)


def _concerns(data: Any, capture: str, chosen: Chosen) -> bool:
    if isinstance(data, CaptureView):
        return data.id != capture
    adapter = getattr(data, "adapter", None)
    if adapter is None:
        adapter = getattr(getattr(data, "info", None), "guid", None)
    return chosen(adapter) if isinstance(adapter, UUID) else True
