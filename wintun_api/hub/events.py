"""Publish numbered events, with a bounded history and bounded subscriptions."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from wintun_api.choices import EventType
from wintun_api.errors import DriverError

EVENT_SIZE = 1024  # bytes of an event without its texts and lists
ITEM_SIZE = 512  # bytes of a route, the largest item of which there are thousands
QUEUE_EVENTS = 1000  # events that wait for one reader
QUEUE_SIZE = 4 * 1024 * 1024  # bytes of events that wait for one reader, or are kept as history


@dataclass(frozen=True, slots=True)
class Event:
    """Describe one event.

    Attributes:
        id: A number that counts up by one from 1 for the life of the service.
        time_ns: Nanoseconds since 1970.
        type: The type of event.
        data: A frozen value of the hub, which the API can serialise.
        size: Approximate bytes of memory that it uses.
    """

    id: int
    time_ns: int
    type: EventType
    data: Any
    size: int = EVENT_SIZE


@dataclass(eq=False, slots=True)
class EventSubscription:
    """Queue events for one reader; beyond the limits, the oldest are dropped and counted.

    Attributes:
        limit: Limit of the queue in events.
        limit_size: Limit of the sum of `Event.size`. The newest event is kept, however large.
        delivered: Events that the reader took.
        dropped: Events that were dropped so far.
    """

    limit: int
    limit_size: int = QUEUE_SIZE
    missed: int = 0
    delivered: int = 0
    dropped: int = 0
    closed: bool = False
    _size: int = 0
    _queue: deque[Event] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def queued(self) -> int:
        """Events that wait for the reader."""
        return len(self._queue)

    @property
    def queued_bytes(self) -> int:
        """The sum of their `Event.size`."""
        return self._size

    def offer(self, event: Event) -> None:
        """Queue an event."""
        queue = self._queue
        self._size += event.size
        while queue and (len(queue) >= self.limit or self._size > self.limit_size):
            self._size -= queue.popleft().size
            self.missed += 1
            self.dropped += 1
        queue.append(event)
        self._wake.set()

    def close(self) -> None:
        """End the subscription; the reader still gets what is queued."""
        self.closed = True
        self._wake.set()

    async def next(self) -> list[Event]:
        """Wait for events and return all queued ones; `[]` after `close`."""
        while not self._queue and not self.closed:
            self._wake.clear()
            await self._wake.wait()
        events = list(self._queue)
        self.delivered += len(events)
        self._queue.clear()
        self._size = 0
        return events

    def take_missed(self) -> int:
        """Return how many events were dropped since the last call."""
        missed, self.missed = self.missed, 0
        return missed


class EventLog:
    """Publish events to subscriptions and keep the newest of them."""

    def __init__(self, history: int, queue_limit: int = QUEUE_EVENTS) -> None:
        self._history: deque[Event] = deque()
        self._history_limit = history
        self._history_size = 0
        self._subscriptions: set[EventSubscription] = set()
        self._queue_limit = queue_limit
        self.last_id = 0

    @property
    def oldest_id(self) -> int:
        """Id of the oldest event that is kept; that of the next event if none is."""
        return self._history[0].id if self._history else self.last_id + 1

    def publish(self, kind: EventType, data: Any, time_ns: int | None = None) -> Event:
        """Record an event and offer it to every subscription. Event loop thread only."""
        self.last_id += 1
        size = EVENT_SIZE + _size(data)
        event = Event(self.last_id, time_ns or time.time_ns(), kind, data, size)
        self._keep(event)
        for subscription in self._subscriptions:
            subscription.offer(event)
        return event

    def subscribe(self, since: int | None = None) -> tuple[EventSubscription, bool]:
        """Return a new subscription and whether it resumes after event `since` without a gap.

        If it does, the events after `since` are already queued and no snapshot is needed.
        """
        # A reader that resumes gets all that is kept, however much that is.
        limit = self._queue_limit if since is None else max(self._queue_limit, len(self._history))
        subscription = EventSubscription(limit)
        resumed = self._covers(since)
        if resumed and since is not None:
            for event in self._history:
                if event.id > since:
                    subscription.offer(event)
            resumed = subscription.take_missed() == 0
        self._subscriptions.add(subscription)
        return subscription, resumed

    def unsubscribe(self, subscription: EventSubscription) -> None:
        """Forget a subscription. Idempotent."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription."""
        for subscription in self._subscriptions:
            subscription.close()

    def _keep(self, event: Event) -> None:
        history = self._history
        history.append(event)
        self._history_size += event.size
        while history and (len(history) > self._history_limit or self._history_size > QUEUE_SIZE):
            self._history_size -= history.popleft().size

    def _covers(self, since: int | None) -> bool:
        if since is None or since < 0 or since > self.last_id:
            return False  # ids of an earlier run of the service are higher, or mean other events
        return since >= self.oldest_id - 1


def _size(data: Any) -> int:
    """Return the approximate memory, in bytes, of the texts and lists in a frozen value."""
    if isinstance(data, str):
        return sys.getsizeof(data)
    if isinstance(data, DriverError):
        return sum(map(sys.getsizeof, (data.detail, *data.log)))
    if isinstance(data, tuple):
        texts = sum(sys.getsizeof(one) for one in data if isinstance(one, str))
        return texts or len(data) * ITEM_SIZE
    memory = getattr(data, "memory", None)  # a value with parts of parts says it itself
    if isinstance(memory, int):
        return memory
    if is_dataclass(data):
        return sum(_size(getattr(data, one.name)) for one in fields(data))
    return 0
