"""Keep the last packets of a session, within a time and a number of bytes.

A recorder is a subscriber that takes each burst at once and keeps a reference to it, so it never
has a queue and never makes the session wait. When its session has ended, it keeps what it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from wintun_api.choices import Direction, RecorderEnd, Tap, Times
from wintun_api.hub.burst import Burst
from wintun_api.hub.losses import Loss, Losses
from wintun_api.hub.pace import Clock
from wintun_api.hub.subscriber import Subscriber
from wintun_api.hub.window import Entry, Window


@dataclass(frozen=True, slots=True)
class RecorderView:
    """Describe a recorder and what it has at one moment; as `schemas.recorder.Recorder`.

    `removed` says why it was switched off; it is None before that.
    """

    session: str
    adapter: UUID
    seconds: float
    bytes: int
    set_ns: int
    packets: int
    used: int
    oldest_ns: int | None
    newest_ns: int | None
    recorded: int
    expired: int
    displaced: int
    removed: RecorderEnd | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """Hold the packets that a recorder had of a time.

    Attributes:
        entries: The bursts, oldest first, each with what was lost before it.
        losses: What was lost after the last of them.
    """

    entries: Sequence[Entry]
    losses: Sequence[Loss]


class Recorder:
    """Keep the last packets of one session, of both directions. Event loop thread only.

    Args:
        session: The id of the session.
        adapter: The GUID of its adapter.
        seconds: The age up to which packets are kept.
        limit_bytes: The memory that they may use.
        fail: Called when it failed and was removed from the session's subscribers, which is logged.
        loop: The event loop, as for `Window`.

    Attributes:
        subscriber: What the session offers its packets to.
    """

    def __init__(
        self,
        session: str,
        adapter: UUID,
        seconds: float,
        limit_bytes: int,
        *,
        fail: Callable[[], None] = lambda: None,
        loop: Clock | None = None,
    ) -> None:
        self._session, self._adapter = session, adapter
        self._window = Window(seconds, limit_bytes, loop)
        self._losses = Losses()  # since the last burst
        self._ended = False
        self._set_ns = time.time_ns()
        self.subscriber = Subscriber(
            direction=Direction.BOTH,
            tap=Tap.AFTER,
            times=Times.PACKET,
            encodes=False,
            limit_packets=1,
            limit_bytes=1,
            take_now=self._take,
            wake=self._lose,
            fail=lambda _error: fail(),
        )

    @property
    def reserved(self) -> int:
        """The bytes that it may come to use: its limit, or what it has if its session has ended."""
        return self._window.used if self._ended else self._window.limit_bytes

    def view(self) -> RecorderView:
        """Return its limits and what it has now."""
        window = self._window
        window.expire()
        return RecorderView(
            session=self._session,
            adapter=self._adapter,
            seconds=window.seconds,
            bytes=window.limit_bytes,
            set_ns=self._set_ns,
            packets=window.packets,
            used=window.used,
            oldest_ns=window.oldest_ns,
            newest_ns=window.newest_ns,
            recorded=window.recorded,
            expired=window.expired,
            displaced=window.displaced,
        )

    def resize(self, seconds: float, limit_bytes: int) -> None:
        """Change its limits from now on; what fits into them is kept."""
        self._window.resize(seconds, limit_bytes)

    def read(self, since_ns: int, until_ns: int) -> Recorded:
        """Return the packets of this time, in nanoseconds since 1970, without copying them."""
        entries = self._window.between(since_ns, until_ns)
        newest_ns = self._window.newest_ns
        to_the_end = newest_ns is None or newest_ns <= until_ns
        return Recorded(entries, list(self._losses.untold.values()) if to_the_end else ())

    def finish(self) -> None:
        """Keep what it has, because the session has ended."""
        self._ended = True
        self._window.freeze()

    def clear(self) -> None:
        """Drop what it has. Idempotent."""
        self._window.clear()

    def _take(self, burst: Burst) -> bool:
        losses = self._losses
        self._window.add(burst, losses.take() if losses.untold else ())
        return True

    def _lose(self) -> None:
        """Keep what was lost for the next burst; it is one entry per cause and direction."""
        for loss in self.subscriber.losses.take():
            self._losses.add(loss)
