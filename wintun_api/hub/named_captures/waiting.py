"""Wait for the trigger of a capture, and keep what comes in the seconds before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import UUID

from wintun_api.choices import Direction, EventType
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.gathering import Gathering
from wintun_api.hub.capture.source import Source
from wintun_api.hub.filters import Filter
from wintun_api.hub.losses import Loss
from wintun_api.hub.named_captures.before import Before
from wintun_api.hub.named_captures.surroundings import Surroundings
from wintun_api.hub.named_captures.trigger import Match, event_of, happened
from wintun_api.hub.named_captures.view import CaptureView
from wintun_api.moments import NEVER, NS_PER_SECOND

# What a capture lets wait. What passes the filter of a trigger has as much room: its first packet
# is enough, but what does not fit would count as a loss of the session.
QUEUE_PACKETS: Final = 262_144  # for each session
QUEUE_BYTES: Final = 16 * 1024 * 1024  # for all sessions

Entry = tuple[Source, Burst, Sequence[Loss]]


class Waiting:
    """Wait for a trigger: an event, or a packet that passes the filter of the trigger.

    Such a packet is looked for among all packets of the adapters of the capture in its direction,
    also among those that the filter of the capture leaves out. Event loop thread only.

    Args:
        view: What the capture is; it has a trigger.
        around: What it needs of the service.
        filter: The compiled filter of the trigger; None if the trigger is another one.
        wake: Called when `look` may find a packet.
        come: Called when an event has begun the capture.
    """

    def __init__(
        self,
        view: CaptureView,
        around: Surroundings,
        *,
        filter: Filter | None,  # noqa: A002 - the field's word
        wake: Callable[[], None],
        come: Callable[[], None],
    ) -> None:
        definition = view.definition
        assert definition.trigger is not None
        self._trigger = definition.trigger
        self._selection = definition.selection
        self._around = around
        self._come = come
        self._before = Before(self._trigger.before)
        self._watching: asyncio.Task[None] | None = None
        self._gathering: Gathering | None = None
        if filter is not None:
            self._gathering = Gathering(
                around.sessions,
                definition.selection,
                direction=Direction(definition.direction.value),
                filter=filter,
                limit_packets=QUEUE_PACKETS,
                limit_bytes=QUEUE_BYTES,
                wake=wake,
            )
            self._gathering.begin()
        kind = event_of(self._trigger)
        if kind is not None:
            self._watching = around.tasks.spawn(
                self._await(kind, view.id), name=f"capture:{view.id}"
            )

    def look(self) -> Match | None:
        """Return the first packet that has passed the filter; None if none has.

        Call it before `add`: a packet comes here and to the capture at the same time.
        """
        if self._gathering is None:
            return None
        for one in self._gathering.take(1):
            for burst in one.bursts:
                session = one.source.session
                return Match(session, burst.injected, burst.sequence, burst.first_ns)
        return None

    def add(self, source: Source, burst: Burst, losses: Sequence[Loss]) -> None:
        """Keep a burst of the capture, in case the trigger comes."""
        if self._trigger.before:
            self._before.add(source, burst, losses)

    def end(self, now_ns: int | None = None) -> deque[Entry]:
        """Wait no more, and return what was kept in the seconds before this time. Idempotent."""
        watching, self._watching = self._watching, None
        if watching is not None and watching is not asyncio.current_task():
            watching.cancel()
        if self._gathering is not None:
            self._gathering.end(satisfied=True)
            while self._gathering.take(QUEUE_BYTES):
                pass
            self._gathering.close()
        if now_ns is not None:
            return self._before.take(self._since(now_ns))
        self._before.clear()
        return deque()

    def rest(self, now_ns: int, match: Match | None, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Return what belongs to the capture of packets that still waited when it was triggered.

        Args:
            now_ns: When it was triggered.
            match: The packet that triggered it; None for another trigger.
            entries: What waited.
        """
        for source, burst, losses in entries:
            if match is not None and not self._trigger.before:
                part = match.rest(source, burst)
            else:
                part = burst.between(self._since(now_ns), NEVER)
            if part is not None:
                yield source, part, losses if part is burst else ()

    def _since(self, now_ns: int) -> int:
        return now_ns - int(self._trigger.before * NS_PER_SECOND)

    async def _await(self, kind: EventType, capture: str) -> None:
        if await happened(self._around.events, kind, capture, self._chosen):
            self._come()

    def _chosen(self, adapter: UUID) -> bool:
        return self._selection.has(adapter, self._around.pool_of(adapter))
