"""Queue packets for one reader, within bounds and under its overflow policy.

A slow reader loses its own packets and is told so; it never delays other readers or the ring. Only
the policy `block` stops the drain, for a bridge that prefers loss in the ring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from wintun_api.choices import Direction, Overflow, Tap, Times
from wintun_api.hub.burst import Burst
from wintun_api.hub.filters import Filter
from wintun_api.hub.losses import Cause, Loss, Losses

Report = Callable[[Cause, int], None]


def unreported(_cause: Cause, _count: int) -> None:
    """Ignore losses, for a subscriber without a session."""


class Subscriber:
    """Queue packets for one reader, limited in packets and in bytes.

    Every offered packet is either delivered, queued or lost; at every moment
    `offered_packets == delivered_packets + queued_packets + lost`. With a filter, the packets that
    it does not let through are not offered, so they are neither counted nor lost.

    Args:
        filter: What chooses the packets that the reader gets; None if it gets all. Another one
            holds from the next burst on; what is queued stays.
        times: Whether it wants a time for each packet.
        marks: Whether it wants packets that were changed or rejected to be marked (`hub.marks`).
        limit_bytes: Limit of the memory that the queue uses, including Python's overhead for
            packets (`Burst.kept`).
        encodes: Whether it asks for encoded forms of bursts; what only keeps them does not.
        take_now: Called with each burst while the queue is empty and nothing was lost: a reader
            that keeps up takes it (True), and it is never queued.
        wake: Called when there is something to take.
        fail: Called when `wake` or `take_now` has raised; the subscriber has then been removed.

    Attributes:
        overflowed: Set once a queue with `Overflow.CLOSE` was full. Packets offered after that are
            lost; packets queued before can still be taken.
        delivered_packets: Packets that the reader took and has not given back.
        lost: Offered packets that have been lost so far.
    """

    def __init__(
        self,
        *,
        direction: Direction = Direction.RECEIVED,
        tap: Tap = Tap.AFTER,
        filter: Filter | None = None,  # noqa: A002 - the field's word
        times: Times = Times.BURST,
        marks: bool = False,
        encodes: bool = True,
        overflow: Overflow = Overflow.DROP_OLDEST,
        limit_packets: int,
        limit_bytes: int,
        wake: Callable[[], None],
        take_now: Callable[[Burst], bool] | None = None,
        fail: Callable[[Exception], None] | None = None,
    ) -> None:
        self.direction = direction
        self.tap = tap
        self.filter = filter
        self.times = times
        self.marks = marks
        self.encodes = encodes
        self.overflow = overflow
        self.limit_packets = limit_packets
        self.limit_bytes = limit_bytes
        self.offered_packets = 0
        self.queued_packets = 0
        self.queued_bytes = 0
        self.delivered_packets = 0
        self.lost = 0
        self.losses = Losses()
        self.overflowed = False
        self.unblocked: Callable[[], None] | None = None
        self.report: Report = unreported
        self._refusing: Cause | None = None
        self._wake = wake
        self._take_now = take_now
        self._fail = fail
        self._queue: deque[Burst] = deque()

    @property
    def full(self) -> bool:
        """Whether the queue has reached one of its limits."""
        return self.queued_packets >= self.limit_packets or self.queued_bytes >= self.limit_bytes

    @property
    def oldest(self) -> Burst | None:
        """The queued burst that is taken next; None if the queue is empty."""
        return self._queue[0] if self._queue else None

    def offer(self, burst: Burst) -> int:
        """Queue a burst under the overflow policy and wake the reader; return the packets lost."""
        if self.filter is not None:
            chosen = self.filter.matching(burst)
            if chosen is None:
                return 0
            burst = chosen
        self.offered_packets += burst.count
        if self._refusing is not None:
            self._lose(burst, self._refusing)
            return burst.count
        if (
            self._take_now is not None
            and not self._queue
            and not self.losses.untold
            and self._take_now(burst)  # -> PacketConnection._send_now
        ):
            self.delivered_packets += burst.count
            return 0
        before = self.lost
        burst.settle()
        kept = burst.kept
        fits = (
            self.queued_packets + burst.count <= self.limit_packets
            and self.queued_bytes + kept <= self.limit_bytes
        )
        if fits or self.overflow is Overflow.BLOCK:
            self._append(burst, kept)
        elif self.overflow is Overflow.DROP_OLDEST:
            self._make_room(burst, kept)
        elif self.overflow is Overflow.DROP_NEWEST:
            self._append_what_fits(burst)
        else:
            self.overflowed = True
            self._refusing = Cause.QUEUE
            self._lose(burst, Cause.QUEUE)
        self._wake()  # -> PacketConnection._flush, or a capture that waits
        return self.lost - before

    def take(self, size: int) -> list[Burst]:
        """Return queued bursts, oldest first: up to `size` bytes, but at least one burst."""
        taken: list[Burst] = []
        queue = self._queue
        total = 0
        while queue and (not taken or total + queue[0].size <= size):
            burst = queue.popleft()
            total += burst.size
            self.queued_bytes -= burst.kept
            self.queued_packets -= burst.count
            self.delivered_packets += burst.count
            taken.append(burst)
        if self.unblocked is not None and not self.full:
            self.unblocked()
        return taken

    def shed(self) -> None:
        """Lose the oldest queued burst, because a limit shared with other queues is reached."""
        oldest = self._queue.popleft()
        self.queued_packets -= oldest.count
        self.queued_bytes -= oldest.kept
        self._lose(oldest, Cause.QUEUE)

    def refuse(self, cause: Cause = Cause.ENDED) -> None:
        """Count everything offered from now on as lost; queued packets can still be taken."""
        if self._refusing is None:
            self._refusing = cause

    def abandon(self, cause: Cause = Cause.ENDED, *, keep_last: bool = False) -> None:
        """Count queued packets as lost, and everything offered from now on. Idempotent.

        With `keep_last` the last packet stays queued, for a reader that reports a loss together
        with the next packet. If the queue had overflowed, the cause remains `queue`.
        """
        self.refuse(cause)
        cause = self._refusing or cause
        queue, last = self._queue, None
        if keep_last and queue:
            burst = queue.pop()
            last = burst.part(burst.count - 1, burst.count)
            if burst.count > 1:
                queue.append(burst.part(0, burst.count - 1))
        while queue:
            self._lose(queue.popleft(), cause)
        self.queued_packets = self.queued_bytes = 0
        if last is not None:
            self._append(last, last.kept)
        if self.unblocked is not None:
            self.unblocked()

    def give_back(self, count: int, first: int, *, injected: bool, last: int) -> None:
        """Count packets as lost that were taken but never reached the reader.

        Args:
            count: How many.
            first: The number of the first.
            injected: Their direction.
            last: The number of the last.
        """
        self.delivered_packets -= count
        self._count(Loss(count, first, last, injected, self._refusing or Cause.ENDED))

    def lose_before(self, loss: Loss) -> None:
        """Note packets of the session that were lost before they could be offered.

        It is not known which of them a filter would have let through, so all of them are told.
        """
        self.losses.add(loss)
        self._wake()

    def failed(self, error: Exception, burst: Burst | None = None) -> None:
        """Count the burst of a reader that raised as lost, and notify the reader."""
        missing = self.offered_packets - self.delivered_packets - self.queued_packets - self.lost
        self.abandon()
        if burst is not None and missing > 0 and self.filter is not None:
            burst = self.filter.matching(burst)  # as it was offered
        if burst is not None and missing > 0:
            self._lose(burst, Cause.ENDED, start=burst.count - missing)
        if self._fail is not None:
            self._fail(error)

    def _append(self, burst: Burst, kept: int) -> None:
        self._queue.append(burst)
        self.queued_packets += burst.count
        self.queued_bytes += kept

    def _make_room(self, burst: Burst, kept: int) -> None:
        while self._queue and (
            self.queued_packets + burst.count > self.limit_packets
            or self.queued_bytes + kept > self.limit_bytes
        ):
            self.shed()
        keep = self._fitting(burst, reversed(burst.lengths))
        if keep < burst.count:
            self._lose(burst, Cause.QUEUE, stop=burst.count - keep)
            burst = burst.part(burst.count - keep, burst.count)
        if keep:
            self._append(burst, burst.kept)

    def _append_what_fits(self, burst: Burst) -> None:
        keep = self._fitting(burst, burst.lengths)
        if keep:
            part = burst.part(0, keep)
            self._append(part, part.kept)
        if keep < burst.count:
            self._lose(burst, Cause.QUEUE, start=keep)

    def _fitting(self, burst: Burst, lengths: Iterable[int]) -> int:
        room_packets = self.limit_packets - self.queued_packets
        room_bytes = self.limit_bytes - self.queued_bytes
        if burst.count <= room_packets and burst.kept <= room_bytes:
            return burst.count
        return burst.fitting(room_bytes, islice(lengths, max(0, room_packets)))

    def _lose(self, burst: Burst, cause: Cause, *, start: int = 0, stop: int | None = None) -> None:
        count = (burst.count if stop is None else stop) - start
        first, last = burst.number(start), burst.number(start + count - 1)
        self._count(Loss(count, first, last, burst.injected, cause))

    def _count(self, loss: Loss) -> None:
        self.losses.add(loss)
        self.lost += loss.count
        self.report(loss.cause, loss.count)  # -> SessionLosses.add
