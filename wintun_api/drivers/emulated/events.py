"""Emulate Win32 events with one condition, and provide the clock for background traffic.

There is no polling: a wait has no time-out while nothing is due.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from threading import Condition, RLock
from typing import Protocol


class Source(Protocol):
    """Describe a source of events at certain times, such as packets that a host sends."""

    def due(self) -> float:
        """Return when the next event is due, in `time.monotonic` seconds; infinity for never."""

    def run(self, now: float) -> None:
        """Execute all events that are due."""


class WaitBroken(Exception):
    """Report that a wait for this event fails, although its handle is valid."""


@dataclass(slots=True)
class _Event:
    manual_reset: bool
    signalled: bool = False
    broken: bool = False


class Events:
    """Keep events by handle. Any thread; all methods use the machine's lock.

    Attributes:
        sources: Background traffic, by the handle of the event that is set for its packets.
        links: What hosts send again because it was not acknowledged, by the same handle.
    """

    def __init__(self, lock: RLock) -> None:
        self._condition = Condition(lock)
        self._events: dict[int, _Event] = {}
        self._waiting: Counter[int] = Counter()
        self._handles = itertools.count(0x100, 4)  # never reused
        self.sources: dict[int, Source] = {}
        self.links: dict[int, Source] = {}

    def __len__(self) -> int:
        """Return how many events are open."""
        with self._condition:
            return len(self._events)

    def create(self, *, manual_reset: bool) -> int:
        """Create an event that is not set, and return its handle."""
        with self._condition:
            handle = next(self._handles)
            self._events[handle] = _Event(manual_reset)
            return handle

    def set(self, handle: int) -> None:
        """Set an event.

        Raises:
            KeyError: The handle does not exist.
        """
        with self._condition:
            event = self._events[handle]
            if not event.signalled:
                event.signalled = True
                self._condition.notify_all()

    def close(self, handle: int) -> bool:
        """Close a handle; return whether a thread was waiting for it.

        Raises:
            KeyError: The handle does not exist.
        """
        with self._condition:
            del self._events[handle]
            self.sources.pop(handle, None)
            self.links.pop(handle, None)
            waited_for = self._waiting[handle] > 0
            if waited_for:
                self._condition.notify_all()  # to fail there; Windows would let them hang
            return waited_for

    def break_waits(self, handle: int) -> None:
        """Make the wait for an event fail, and every later one."""
        with self._condition:
            self._events[handle].broken = True
            self._condition.notify_all()

    def run_source(self, handle: int) -> None:
        """Execute what is due for an event's sources, without waiting."""
        for table in (self.sources, self.links):
            source = table.get(handle)
            if source is not None:
                source.run(time.monotonic())

    def wait(self, handles: Sequence[int]) -> int:
        """Block until one is set and return the index of the first such; reset it if automatic.

        Raises:
            KeyError: A handle is unknown or was closed during the wait.
            WaitBroken: The wait for one was made to fail.
        """
        with self._condition:
            self._waiting.update(handles)
            try:
                while True:
                    tables = (self.sources, self.links)
                    sources = [table[one] for table in tables for one in handles if one in table]
                    now = time.monotonic() if sources else 0.0
                    for source in sources:
                        source.run(now)
                    for index, handle in enumerate(handles):
                        event = self._events[handle]
                        if event.broken:
                            raise WaitBroken
                        if event.signalled:
                            event.signalled = event.manual_reset
                            return index
                    due = min((source.due() for source in sources), default=inf)
                    self._condition.wait(None if due == inf else max(0.0, due - now))
            finally:
                self._waiting.subtract(handles)
