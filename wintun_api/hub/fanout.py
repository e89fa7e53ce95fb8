"""Bursts to many readers, each with its own bounded queue and overflow policy.

A slow reader loses its own packets and is told so; it never delays another one, nor the ring.
`block` is the one policy that holds the drain back, for a bridge that prefers loss in the ring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from wintun_api.packet.block import Block

T = TypeVar("T")


class Overflow(StrEnum):
    """What happens when a subscriber's queue is full."""

    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    CLOSE = "close"
    BLOCK = "block"


class Direction(StrEnum):
    """Which packets a subscriber gets."""

    RECEIVED = "received"
    INJECTED = "injected"
    BOTH = "both"
    NONE = "none"

    def takes(self, *, injected: bool) -> bool:
        """Say whether packets of this direction are wanted."""
        return self is Direction.BOTH or self is (
            Direction.INJECTED if injected else Direction.RECEIVED
        )


class Burst:
    """The packets of one drain or one injection; immutable, encoded at most once per form.

    Attributes:
        packets: The packets in order.
        lengths: Bytes of each.
        count: How many there are.
        size: Bytes of all.
        sequence: Number of the first packet, per session and direction.
        time_ns: Nanoseconds since 1970.
        injected: They were injected by a client, not received from the host.
        original_lengths: Bytes of each before `cut`; None where nothing was cut.
    """

    __slots__ = (
        "_forms",
        "count",
        "injected",
        "lengths",
        "original_lengths",
        "packets",
        "sequence",
        "size",
        "time_ns",
    )

    def __init__(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        sequence: int,
        time_ns: int,
        *,
        injected: bool,
        original_lengths: Sequence[int] | None = None,
    ) -> None:
        self.packets = packets
        self.lengths = lengths
        self.count = len(packets)
        self.size = size
        self.sequence = sequence
        self.time_ns = time_ns
        self.injected = injected
        self.original_lengths = original_lengths
        self._forms: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self.count

    @property
    def pieces(self) -> Sequence[bytes | memoryview]:
        """The packets one behind another, in as few pieces as there are without a copy."""
        packets = self.packets
        return (packets.payload,) if type(packets) is Block else packets

    def form(self, key: Any, make: Callable[[Burst], T]) -> T:
        """Return `make(self)`, made once per `key` and shared by every reader."""
        made: T | None = self._forms.get(key)
        if made is None:
            made = self._forms[key] = make(self)
        return made

    def cut(self, snaplen: int) -> Burst:
        """Return the burst with at most `snaplen` bytes of each packet; 0 is all."""
        return self.form(snaplen, lambda burst: _cut(burst, snaplen)) if snaplen else self

    def part(self, start: int, stop: int) -> Burst:
        """Return the packets from `start` to `stop` as a burst of their own."""
        packets, lengths = self.packets[start:stop], self.lengths[start:stop]
        first = self.sequence + start
        size = sum(lengths)
        return Burst(packets, lengths, size, first, self.time_ns, injected=self.injected)


def _cut(burst: Burst, snaplen: int) -> Burst:
    packets = [packet[:snaplen] for packet in burst.packets]
    lengths = list(map(len, packets))
    return Burst(
        packets,
        lengths,
        sum(lengths),
        burst.sequence,
        burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.lengths,
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets that one subscriber lost, counted together.

    `first` and `last` are sequence numbers; `count` is less than their span when some between
    them were delivered.
    """

    count: int
    first: int
    last: int
    injected: bool


class Subscriber:
    """One reader's queue, bounded in packets and in bytes.

    Args:
        take_now: Called with each burst while the queue is empty and nothing was lost: a reader
            that keeps up takes it (True), and it is never queued.
        wake: Called when there is something to take.

    Attributes:
        overflowed: Set once a queue with `Overflow.CLOSE` was full; nothing is queued after that.
        lost: Packets lost so far.
    """

    def __init__(
        self,
        *,
        direction: Direction = Direction.RECEIVED,
        overflow: Overflow = Overflow.DROP_OLDEST,
        limit_packets: int,
        limit_bytes: int,
        wake: Callable[[], None],
        take_now: Callable[[Burst], bool] | None = None,
    ) -> None:
        self.direction = direction
        self.overflow = overflow
        self.limit_packets = limit_packets
        self.limit_bytes = limit_bytes
        self.queued_packets = 0
        self.queued_bytes = 0
        self.delivered_packets = 0
        self.lost = 0
        self.overflowed = False
        self.unblocked: Callable[[], None] | None = None
        self._wake = wake
        self._take_now = take_now
        self._queue: deque[Burst] = deque()
        self._losses: dict[bool, Loss] = {}

    @property
    def full(self) -> bool:
        """Whether the queue has reached one of its bounds."""
        return self.queued_packets >= self.limit_packets or self.queued_bytes >= self.limit_bytes

    def offer(self, burst: Burst) -> int:
        """Queue a burst by the overflow policy and wake the reader; return the packets lost."""
        if self.overflowed:
            return 0
        if (
            self._take_now is not None
            and not self._queue
            and not self._losses
            and self._take_now(burst)
        ):
            self.delivered_packets += burst.count
            return 0
        before = self.lost
        fits = (
            self.queued_packets + burst.count <= self.limit_packets
            and self.queued_bytes + burst.size <= self.limit_bytes
        )
        if fits or self.overflow is Overflow.BLOCK:
            self._append(burst)
        elif self.overflow is Overflow.DROP_OLDEST:
            self._make_room(burst)
        elif self.overflow is Overflow.DROP_NEWEST:
            self._append_what_fits(burst)
        else:
            self.overflowed = True
            self._lose(burst)
        self._wake()
        return self.lost - before

    def take(self, size: int) -> list[Burst]:
        """Return queued bursts, the oldest first: up to `size` bytes, but one at least."""
        taken: list[Burst] = []
        queue = self._queue
        total = 0
        while queue and (not taken or total + queue[0].size <= size):
            burst = queue.popleft()
            total += burst.size
            self.queued_packets -= burst.count
            self.delivered_packets += burst.count
            taken.append(burst)
        self.queued_bytes -= total
        if self.unblocked is not None and not self.full:
            self.unblocked()
        return taken

    def take_losses(self) -> list[Loss]:
        """Return what was lost since the last call, one entry per direction."""
        losses = list(self._losses.values())
        self._losses.clear()
        return losses

    @property
    def has_losses(self) -> bool:
        """Whether `take_losses` would return something."""
        return bool(self._losses)

    def _append(self, burst: Burst) -> None:
        self._queue.append(burst)
        self.queued_packets += len(burst)
        self.queued_bytes += burst.size

    def _make_room(self, burst: Burst) -> None:
        while self._queue and (
            self.queued_packets + len(burst) > self.limit_packets
            or self.queued_bytes + burst.size > self.limit_bytes
        ):
            oldest = self._queue.popleft()
            self.queued_packets -= len(oldest)
            self.queued_bytes -= oldest.size
            self._lose(oldest)
        keep = self._fitting(reversed(burst.lengths))
        if keep < len(burst):
            self._lose(burst.part(0, len(burst) - keep))
            burst = burst.part(len(burst) - keep, len(burst))
        if keep:
            self._append(burst)

    def _append_what_fits(self, burst: Burst) -> None:
        keep = self._fitting(burst.lengths)
        if keep:
            self._append(burst.part(0, keep))
        if keep < len(burst):
            self._lose(burst.part(keep, len(burst)))

    def _fitting(self, lengths: Iterable[int]) -> int:
        room_packets = self.limit_packets - self.queued_packets
        room_bytes = self.limit_bytes - self.queued_bytes
        count = 0
        for length in lengths:
            room_bytes -= length
            if room_bytes < 0 or count >= room_packets:
                break
            count += 1
        return count

    def _lose(self, burst: Burst) -> None:
        count = len(burst)
        last = burst.sequence + count - 1
        known = self._losses.get(burst.injected)
        if known is None:
            loss = Loss(count, burst.sequence, last, burst.injected)
        else:
            loss = Loss(known.count + count, known.first, last, burst.injected)
        self._losses[burst.injected] = loss
        self.lost += count


class Fanout:
    """The subscribers of one session."""

    def __init__(self) -> None:
        self._received: list[Subscriber] = []
        self._injected: list[Subscriber] = []
        self._blocking: list[Subscriber] = []
        self.resume: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len({id(s) for s in (*self._received, *self._injected)})

    @property
    def subscribers(self) -> list[Subscriber]:
        """Every subscriber that gets packets, once."""
        return list(dict.fromkeys((*self._received, *self._injected)))

    def wants(self, *, injected: bool) -> bool:
        """Say whether anybody subscribes to packets of this direction."""
        return bool(self._injected if injected else self._received)

    @property
    def blocked(self) -> bool:
        """Whether a subscriber with `Overflow.BLOCK` is full, so that the drain must wait."""
        return bool(self._blocking) and any(s.full for s in self._blocking)

    def add(self, subscriber: Subscriber) -> None:
        """Subscribe."""
        if subscriber.direction.takes(injected=False):
            self._received.append(subscriber)
        if subscriber.direction.takes(injected=True):
            self._injected.append(subscriber)
        if subscriber.overflow is Overflow.BLOCK and subscriber.direction.takes(injected=False):
            subscriber.unblocked = self._unblocked
            self._blocking.append(subscriber)

    def discard(self, subscriber: Subscriber) -> None:
        """Unsubscribe. Idempotent."""
        subscriber.unblocked = None
        for group in (self._received, self._injected, self._blocking):
            if subscriber in group:
                group.remove(subscriber)
        self._unblocked()

    def publish(self, burst: Burst) -> int:
        """Offer a burst to everybody who wants it; return how many packets were lost in queues."""
        # A copy: a reader that fails while it is woken takes itself off the list.
        group = self._injected if burst.injected else self._received
        return sum([subscriber.offer(burst) for subscriber in tuple(group)])

    def _unblocked(self) -> None:
        if self.resume is not None and not self.blocked:
            self.resume()
