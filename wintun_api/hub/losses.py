"""Tell every loss, with its cause: all counters, events, messages and metrics come from here.

    cause       lost packets                                        found by           told to
    ring        the host lost them: the ring was full, or it        host_losses        all, readers
                ended with packets in it
    truncated   the driver could not read them completely           host_losses        all, readers
    queue       the reader's queue was full                         fanout             all, reader
    ended       left in the reader's queue, or on the way to it,    fanout             all, reader
                when it or the session ended
    ring_full   a client's packets for which the send ring had no   session, client    all, client
                room, or that still waited at the end
    failed      a client's packets that were not sent because a     session, client    all, client
                driver call failed, the session was ending, or
                the client was not allowed to inject
    refused_*   a client's packets that the ring accepted but the   host_losses        all, client
                host refused: link_down, host
    rejected_*  a client's packets that are not valid IP packets:   injection          all, client
                too_short, too_long, bad_version
    unclaimed   received while there was no reader                  session            counters

`all` are those who watch the session: each loss is in its counters and in the metrics at once, and
in an event `session.loss` within a second (`SessionLosses`). A reader is told in a message `lost`
or in its capture (`Losses`); each reader counts its own losses of the first four causes, and at
every moment each packet that a reader was offered is delivered, queued or lost. A client that
injects is told in its `ack`. Unclaimed packets are counted but are not events, because there was
no reader who could miss them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from wintun_api.hub.pace import INTERVAL, Clock, Pace


class Cause(StrEnum):
    """Name why packets were lost; the module's docstring explains each cause."""

    RING = "ring"
    TRUNCATED = "truncated"
    QUEUE = "queue"
    ENDED = "ended"
    RING_FULL = "ring_full"
    FAILED = "failed"
    REFUSED = "refused"
    REJECTED = "rejected"
    UNCLAIMED = "unclaimed"


# Those that are counted from 0. `ring` is missing while it is not known, and the causes with a
# reason are missing until they occur.
ALWAYS_COUNTED: Final = (
    Cause.TRUNCATED,
    Cause.QUEUE,
    Cause.ENDED,
    Cause.RING_FULL,
    Cause.FAILED,
    Cause.UNCLAIMED,
)


@dataclass(frozen=True, slots=True)
class Loss:
    """Describe packets that one reader lost, counted together.

    `first` and `last` are sequence numbers; `count` is less than their span if some packets
    between them were delivered.
    """

    count: int
    first: int
    last: int
    injected: bool
    cause: Cause = Cause.QUEUE


@dataclass(frozen=True, slots=True)
class SessionLoss:
    """Describe packets lost during the last second, counted together by cause.

    The losses of all readers are added up. The reason of a refusal or a rejection is appended to
    the word, as in "refused_link_down".
    """

    session: str
    adapter: UUID
    cause: str
    count: int


class Losses:
    """Collect one reader's losses; at most one entry per cause and direction is kept.

    Attributes:
        by_cause: All losses so far.
        untold: Those that have not been taken; empty if there are none.
    """

    __slots__ = ("by_cause", "untold")

    def __init__(self) -> None:
        self.by_cause: dict[Cause, int] = {}
        self.untold: dict[tuple[Cause, bool], Loss] = {}

    def __bool__(self) -> bool:
        return bool(self.untold)

    def add(self, loss: Loss) -> None:
        """Count a loss."""
        cause = loss.cause
        self.by_cause[cause] = self.by_cause.get(cause, 0) + loss.count
        key = (cause, loss.injected)
        known = self.untold.get(key)
        if known is not None:
            first, last = min(known.first, loss.first), max(known.last, loss.last)
            loss = Loss(known.count + loss.count, first, last, loss.injected, cause)
        self.untold[key] = loss

    def take(self) -> list[Loss]:
        """Return what was lost since the last call."""
        losses = list(self.untold.values())
        self.untold.clear()
        return losses


class SessionLosses:
    """Count the losses of one session by cause, and publish them. Event loop thread only.

    Args:
        publish: Called with a cause and a number of packets, at most once a second per cause.
        loop: The running event loop.

    Attributes:
        by_cause: All losses so far; a reason is appended to its cause, as in "refused_link_down".
            `ring` is missing if it is not known.
    """

    def __init__(self, publish: Callable[[str, int], None], loop: Clock) -> None:
        self.by_cause: Counter[str] = Counter({str(cause): 0 for cause in ALWAYS_COUNTED})
        self._publish = publish
        self._untold: Counter[str] = Counter()
        self._pace = Pace(self._due, loop, delay=INTERVAL)

    def add(self, cause: Cause, count: int, reason: str = "") -> None:
        """Count a loss, and publish it within a second."""
        if count <= 0:
            return
        name = f"{cause}_{reason}" if reason else str(cause)
        self.by_cause[name] += count
        self._untold[name] += count
        self._due()

    def know(self, cause: Cause) -> None:
        """Count this cause from now on, for its number is known: 0 so far."""
        self.by_cause.setdefault(cause, 0)

    def leave(self, count: int) -> None:
        """Count packets that were received while there was no reader; they are not published."""
        self.by_cause[Cause.UNCLAIMED] += count

    def tell(self) -> None:
        """Publish what has not been published yet, without waiting for its time."""
        self._pace.stop()
        untold, self._untold = self._untold, Counter()
        for cause, count in untold.items():
            self._publish(cause, count)

    def _due(self) -> None:
        if self._pace.may():
            self.tell()
