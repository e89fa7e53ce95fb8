"""Count lost packets by cause until they are reported.

    ring        the host lost them: the ring was full, or it ended with packets in it
    truncated   the driver could not read them completely
    queue       the reader's queue was full
    ended       left in the reader's queue, or on the way to it, when it or the session ended
    ring_full   a client's packets for which the send ring had no room, or that still waited at the
                end
    failed      a client's packets that were not sent because a driver call failed, the session was
                ending, or the client was not allowed to inject
    refused     a client's packets that the ring accepted but the host refused

The first four are losses of readers, and each reader counts its own. At every moment, each packet
that a reader was offered is delivered, queued or lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Cause(StrEnum):
    """Name why packets were lost; the module's docstring explains each cause."""

    RING = "ring"
    TRUNCATED = "truncated"
    QUEUE = "queue"
    ENDED = "ended"
    RING_FULL = "ring_full"
    FAILED = "failed"
    REFUSED = "refused"


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

    The losses of all readers are added up. The cause of a refusal is appended to the word, as in
    "refused_link_down".
    """

    session: str
    adapter: UUID
    cause: str
    count: int


class Losses:
    """Collect one reader's losses; at most one entry per cause and direction is kept."""

    __slots__ = ("_untold", "by_cause")

    def __init__(self) -> None:
        self.by_cause: dict[Cause, int] = {}
        self._untold: dict[tuple[Cause, bool], Loss] = {}

    def __bool__(self) -> bool:
        return bool(self._untold)

    def add(self, loss: Loss) -> None:
        """Count a loss."""
        cause = loss.cause
        self.by_cause[cause] = self.by_cause.get(cause, 0) + loss.count
        key = (cause, loss.injected)
        known = self._untold.get(key)
        if known is not None:
            first, last = min(known.first, loss.first), max(known.last, loss.last)
            loss = Loss(known.count + loss.count, first, last, loss.injected, cause)
        self._untold[key] = loss

    def take(self) -> list[Loss]:
        """Return what was lost since the last call."""
        losses = list(self._untold.values())
        self._untold.clear()
        return losses
