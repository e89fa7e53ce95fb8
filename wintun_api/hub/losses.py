"""Packets that did not arrive: counted by cause, until they are told.

    ring        the host lost them: the ring was full, or it ended with packets in it
    truncated   the driver could not read all of them
    queue       the reader's queue was full
    ended       left in the reader's queue, or on the way to it, when it or the session ended
    ring_full   a client's packets that found the send ring full, or were waiting for it at the end
    failed      a client's packets that a failing driver call or an ending session did not take, or
                that it had no right to inject
    refused     a client's packets that the ring took and the host refused

The first four are losses of readers, and each reader counts its own. *What a reader was offered is
delivered, queued or lost*, at every moment and to the packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Cause(StrEnum):
    """Why packets did not arrive; the module says what each means."""

    RING = "ring"
    TRUNCATED = "truncated"
    QUEUE = "queue"
    ENDED = "ended"
    RING_FULL = "ring_full"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that one reader lost, counted together.

    `first` and `last` are sequence numbers; `count` is less than their span when some between
    them were delivered.
    """

    count: int
    first: int
    last: int
    injected: bool
    cause: Cause = Cause.QUEUE


@dataclass(frozen=True, slots=True)
class SessionLoss:
    """Packets lost during the last second, counted together by cause.

    Readers' losses are those of all of them together. A refusal has its own cause behind the
    word, as in "refused_link_down".
    """

    session: str
    adapter: UUID
    cause: str
    count: int


class Losses:
    """What one reader lost; at most one entry per cause and direction waits to be told."""

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
