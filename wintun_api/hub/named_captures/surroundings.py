"""Hold what captures need of the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from wintun_api.hub.events import EventLog
from wintun_api.hub.named_captures.files import Store
from wintun_api.hub.named_captures.room import Room
from wintun_api.hub.pace import Clock
from wintun_api.hub.sessions import Sessions
from wintun_api.hub.tasks import TaskSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Hold what captures need of the service.

    Attributes:
        store: Where captures lie.
        room: The bytes that all of them may take.
        sessions: The sessions, whose packets are captured.
        pool_of: Returns the pool of an adapter; empty if it is not known.
        events: Where captures tell what happens to them, and find their triggers.
        tasks: Runs what waits.
        clock: When files are rotated and captures end: the event loop's, unless a test says.
        now_ns: Nanoseconds since 1970.
    """

    store: Store
    room: Room
    sessions: Sessions
    pool_of: Callable[[UUID], str]
    events: EventLog
    tasks: TaskSet
    clock: Clock
    now_ns: Callable[[], int] = time.time_ns
