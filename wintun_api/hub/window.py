"""Keep the newest bursts within a time and a number of bytes.

A burst is kept as it is: all readers and the window have the same packets in memory. Its age counts
from when it was added, by a clock that is never set; the times that `between` compares are those of
the packets, which the system's clock gave them. After that clock was set back, the packets stay in
the order in which they came.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

from wintun_api.hub.burst import FORMED, Burst
from wintun_api.hub.losses import Loss
from wintun_api.hub.pace import Clock, Timer

# Memory that CPython 3.11 to 3.13 uses for a place in the window, and for a loss.
ENTRY_OVERHEAD: Final = 128
LOSS_OVERHEAD: Final = 256
# While nothing is added, the memory of packets that are too old is freed after this many seconds.
LINGER: Final = 0.5

Entry = tuple[Burst, Sequence[Loss]]
# With the memory that it uses, and when it was added. It is one flat tuple because Python's garbage
# collector looks at each object that is kept, and stops the service meanwhile.
Held = tuple[Burst, Sequence[Loss], int, float]


class Window:
    """Keep bursts and losses, oldest first, without copying packets. Event loop thread only.

    At every moment `recorded == packets + expired + displaced` and `used <= limit_bytes`. A burst
    is too old when its newest packet is, so all packets of one drain are dropped together. Where
    one burst is larger than the limit, its newest packets are kept.

    Args:
        seconds: The age up to which packets are kept.
        limit_bytes: The memory that the kept packets may use (`Burst.kept`, and a little more for
            each burst and each loss).
        loop: The event loop, whose clock gives the age; the running one if it is None.

    Attributes:
        seconds: As above; `resize` changes both.
        limit_bytes: Likewise.
        packets: Packets that it has.
        used: Bytes of memory that they use.
        recorded: Packets that it has taken.
        expired: Packets that it dropped because of their age.
        displaced: Packets that it dropped to stay within the bytes.
    """

    def __init__(self, seconds: float, limit_bytes: int, loop: Clock | None = None) -> None:
        self.packets = self.used = self.recorded = self.expired = self.displaced = 0
        self.seconds, self.limit_bytes = seconds, limit_bytes
        self._loop = loop or asyncio.get_running_loop()
        self._held: deque[Held] = deque()
        self._timer: Timer | None = None
        self._frozen = False
        self._added = 0  # entries so far
        self._unordered = 0  # of the first so many entries, some are not in the order of their time

    @property
    def oldest_ns(self) -> int | None:
        """The time of the oldest packet, in nanoseconds since 1970; None if it has none."""
        return _first_ns(self._held[0]) if self._held else None

    @property
    def newest_ns(self) -> int | None:
        """The time of the newest packet, likewise."""
        return _last_ns(self._held[-1]) if self._held else None

    def add(self, burst: Burst, losses: Sequence[Loss] = ()) -> None:
        """Keep a burst, and what was lost before it; drop what is too old or too much."""
        self.recorded += burst.count
        burst.settle()
        now = self._loop.time()
        self._expire(now)
        self._keep(burst, losses, now)
        if len(self._held) > FORMED:  # what other readers made of it is of no more use
            self._held[-FORMED - 1][0].forget()
        if self._timer is None and self._held:
            self._wait()

    def between(self, since_ns: int, until_ns: int) -> list[Entry]:
        """Return the packets of this time, exactly, with what was lost before each burst.

        Both ends belong to it, and both are in nanoseconds since 1970. The packets are those in the
        window, so reading them needs memory only for what is made of them.
        """
        self.expire()
        found = list(self._held)
        if self._added - len(found) >= self._unordered:
            start = bisect_left(found, since_ns, key=_last_ns)
            found = found[start : bisect_right(found, until_ns, lo=start, key=_first_ns)]
        parts = [_between(held, since_ns, until_ns) for held in found]
        return [part for part in parts if part is not None]

    def resize(self, seconds: float, limit_bytes: int) -> None:
        """Change the limits from now on; keep what fits into them."""
        self.seconds, self.limit_bytes = seconds, limit_bytes
        self.expire()
        while self.used > limit_bytes:
            burst, losses, _, added_at = self._held[0]
            count = self._drop()
            if self._held:
                self.displaced += count
            else:
                self._keep(burst, losses, added_at)
        self._wait_no_more()
        if self._held:
            self._wait()

    def expire(self) -> None:
        """Drop what is too old now."""
        self._expire(self._loop.time())

    def freeze(self) -> None:
        """Keep what it has, however old it becomes, until `clear`: nothing more is added."""
        self.expire()
        self._frozen = True
        self._wait_no_more()

    def clear(self) -> None:
        """Drop everything, without counting it. Idempotent."""
        self._wait_no_more()
        self._held.clear()
        self.packets = self.used = 0

    def _expire(self, now: float) -> None:
        if self._frozen:
            return
        held, limit = self._held, now - self.seconds
        while held and held[0][3] <= limit:
            self.expired += self._drop()

    def _keep(self, burst: Burst, losses: Sequence[Loss], added_at: float) -> None:
        """Append as much of a burst as fits into the limit; drop old ones until there is room."""
        used, held = _used(burst, losses), self._held
        if used > self.limit_bytes:
            fitting = self._fitting(burst, losses)
            if fitting is None:
                return
            if fitting.count < burst.count:
                losses = ()  # they were before the packets that are displaced
            burst, used = fitting, _used(fitting, losses)
        while self.used + used > self.limit_bytes:
            self.displaced += self._drop()
        one = (burst, losses, used, added_at)
        if held and _first_ns(one) < _last_ns(held[-1]):
            self._unordered = self._added
        held.append(one)
        self._added += 1
        self.used += used
        self.packets += burst.count

    def _drop(self) -> int:
        """Drop the oldest burst, and return its number of packets."""
        burst, _, used, _ = self._held.popleft()
        self.used -= used
        self.packets -= burst.count
        return burst.count

    def _fitting(self, burst: Burst, losses: Sequence[Loss]) -> Burst | None:
        """Return the newest packets of a burst that fit into the limit; displace all others."""
        while self._held:  # so that there is no gap between what is kept
            self.displaced += self._drop()
        room = self.limit_bytes - _around(losses)
        count = burst.fitting(room, reversed(burst.lengths))
        self.displaced += burst.count - count
        return burst.part(burst.count - count, burst.count) if count else None

    def _wait(self) -> None:
        if not self._frozen:
            # While bursts are added, `add` drops those that are too old, so this may be rare.
            now = self._loop.time()
            at = max(self._held[0][3] + self.seconds, now + LINGER)
            self._timer = self._loop.call_at(at, self._look)

    def _wait_no_more(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        self._timer = None
        self.expire()
        if self._held:
            self._wait()


def _used(burst: Burst, losses: Sequence[Loss]) -> int:
    return burst.kept + _around(losses)


def _around(losses: Sequence[Loss]) -> int:
    return ENTRY_OVERHEAD + LOSS_OVERHEAD * len(losses)


def _first_ns(held: Held) -> int:
    return held[0].first_ns


def _last_ns(held: Held) -> int:
    return held[0].last_ns


def _between(held: Held, since_ns: int, until_ns: int) -> Entry | None:
    """Return the packets of a burst of this time; None if it has none."""
    burst, losses, _, _ = held
    part = burst.between(since_ns, until_ns)
    if part is None:
        return None
    return part, losses if part.sequence == burst.sequence else ()
