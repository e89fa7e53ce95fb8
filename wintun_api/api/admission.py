"""Limit the number of connections, and choose which one to close when there are too many.

A connection is in one of four stages. Connections in the first three are closed, oldest first, to
make room for a new one:

    waiting   it has not sent a complete request yet, or its TLS handshake is not finished
    idle      its last request was answered, and the next one has not begun
    asking    a request without a valid token is being answered
    held      a request with a valid token is being answered, or a stream is open

Held connections are never closed for a new one. When they leave only the reserve, all requests but
those for the health route are refused with 503 until one of them ends.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)

# Places that are reserved for the health route.
RESERVE = 16
# Descriptors that are not used for connections: the driver's devices, files, the event loop. If an
# eighth of the limit is more than this, that is used.
SPARE_DESCRIPTORS = 96
LOG_INTERVAL = 60.0
CROWD = 256  # connections; when so many end, returning their memory to the system is worthwhile
# Errors of `accept` when the process or the system has no descriptor or memory left.
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Stage(StrEnum):
    """Name the stage of a connection."""

    WAITING = "waiting"
    IDLE = "idle"
    ASKING = "asking"
    HELD = "held"


class Seat:
    """Hold one connection's place. Event loop thread only.

    Attributes:
        end: Function that ends the connection at once.
        socket: The connection's socket once it is open; used to query the kernel.
    """

    __slots__ = ("_admission", "_scope", "_stage", "end", "socket")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._stage: Stage | None = None
        self._scope: Mapping[str, Any] = {}
        self.end: Callable[[], None] = _nothing
        self.socket: Any = None

    @property
    def has_token(self) -> bool:
        """Whether the current request carried a valid token."""
        return self._scope.get("principal") is not None

    def is_last(self) -> bool:
        """Return whether other connections have taken every place but the reserve."""
        return not self.has_token and self._admission.is_full()

    def ask(self, scope: Mapping[str, Any]) -> None:
        """Note that a complete request head has arrived; `scope` is its ASGI scope."""
        if not self.has_token:  # the previous request, still being answered, had one
            self._scope = scope
            self._admission.move(self, Stage.ASKING)

    def rest(self) -> None:
        """Note that the last request has been answered."""
        self._scope = {}
        self._admission.move(self, Stage.IDLE)

    def wait(self) -> None:
        """Note that the connection is only waiting to end."""
        self._scope = {}
        self._admission.move(self, Stage.WAITING)

    def note(self, cause: str) -> None:
        """Count the cause for which the service ends this connection."""
        self._admission.closed[cause] += 1

    def leave(self) -> None:
        """Give the place back. Idempotent."""
        self._admission.remove(self)

    @property
    def stage(self) -> Stage | None:
        """The stage of the connection; None once it has ended."""
        return self._stage

    @stage.setter
    def stage(self, stage: Stage | None) -> None:
        self._stage = stage


class Admission:
    """Manage the places for connections and count those refused. Event loop thread only.

    Attributes:
        ceiling: The largest number of connections at a time.
        closed: Connections that the service ended or refused, by cause.
        accept_errors: Connections that the system could not accept.
        thinned: Called when three quarters of a large number of connections have ended.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.closed: Counter[str] = Counter()
        self.accept_errors = 0
        self._full_from = max(1, ceiling - RESERVE)
        self._seats: dict[Stage, dict[Seat, None]] = {stage: {} for stage in Stage}
        self._open = 0
        self._most = 0
        self.thinned: Callable[[], object] = _nothing
        self._logged_at = float("-inf")
        self._unlogged = 0

    @property
    def open(self) -> int:
        """Number of open connections."""
        return self._open

    def by_stage(self) -> dict[Stage, int]:
        """Return how many connections are in each stage."""
        self._sort()
        return {stage: len(seats) for stage, seats in self._seats.items()}

    def seats(self) -> list[Seat]:
        """Return the places of all connections."""
        return [seat for seats in self._seats.values() for seat in seats]

    def enter(self) -> Seat | None:
        """Return a place for a new connection; None if all places are held."""
        if self._open >= self.ceiling and not self.make_room():
            self.closed["full"] += 1
            return None
        seat = Seat(self)
        self._open += 1
        self._most = max(self._most, self._open)
        seat.stage = Stage.WAITING
        self._seats[Stage.WAITING][seat] = None
        return seat

    def make_room(self) -> bool:
        """End the oldest connection that may be closed; return whether there was one."""
        for stage in (Stage.WAITING, Stage.IDLE):
            seat = next(iter(self._seats[stage]), None)
            if seat is not None:
                return self._evict(seat)
        self._sort()
        seat = next(iter(self._seats[Stage.ASKING]), None)
        return seat is not None and self._evict(seat)

    def is_full(self) -> bool:
        """Return whether only the reserve is left, after closing a connection if possible."""
        held, asking = self._seats[Stage.HELD], self._seats[Stage.ASKING]
        if len(held) + len(asking) < self._full_from:
            return False
        self._sort()
        return len(held) >= self._full_from

    def move(self, seat: Seat, stage: Stage) -> None:
        """Move a connection to another stage, as the newest there."""
        if seat.stage is not None:
            del self._seats[seat.stage][seat]
            seat.stage = stage
            self._seats[stage][seat] = None

    def remove(self, seat: Seat) -> None:
        """Take a connection out. Idempotent."""
        if seat.stage is not None:
            del self._seats[seat.stage][seat]
            seat.stage = None
            self._open -= 1
            if self._most >= CROWD and self._open <= self._most // 4:
                self._most = self._open
                self.thinned()

    def note_accept_error(self, error: OSError) -> None:
        """Count a connection that could not be accepted; log it at most once a minute."""
        self.accept_errors += 1
        self._unlogged += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_INTERVAL:
            logger.warning(
                "Cannot accept connections: %s (%d times since the last such message). "
                "Raise the limit on open files, for example with ulimit -n.",
                error.strerror or error,
                self._unlogged,
            )
            self._logged_at, self._unlogged = now, 0

    def _sort(self) -> None:
        # Whether a request carries a valid token is known only after it was passed on.
        for seat in [seat for seat in self._seats[Stage.ASKING] if seat.has_token]:
            self.move(seat, Stage.HELD)

    def _evict(self, seat: Seat) -> bool:
        self.closed[f"evicted_{seat.stage}"] += 1
        self.remove(seat)
        seat.end()
        return True


def ceiling_of(wanted: int, in_use: int = 0) -> int:
    """Return how many connections there can be: `wanted`, or what the descriptor limit allows.

    The soft limit is raised to the hard limit if that helps.

    Args:
        wanted: The number that was asked for.
        in_use: Descriptors that the process already has open.
    """
    if sys.platform == "win32":
        return wanted
    else:  # noqa: RET505 - so that the type checker reads it on its own platform alone
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = _needed(wanted, in_use)
        if soft != resource.RLIM_INFINITY and soft < needed:
            raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
            except (OSError, ValueError):
                logger.debug("The limit on open files stays at %d.", soft)
            soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft == resource.RLIM_INFINITY or soft >= needed:
            return wanted
        spare = min(max(SPARE_DESCRIPTORS, soft // 8), soft // 2)
        return max(1, min(wanted, soft - spare - in_use))


def open_descriptors() -> int:
    """Return how many descriptors this process has open, if the system can tell."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    except OSError:
        return SPARE_DESCRIPTORS // 4


def _needed(connections: int, in_use: int) -> int:
    spare = max(SPARE_DESCRIPTORS, connections // 4)
    return connections + spare + in_use


def _nothing() -> None:
    pass
