"""Packets that wait for the bus, within a bound in bytes.

Each host has a queue of its own, and the queues take turns, so that one busy host does not delay
the others. Packets get their numbers only when they are published: what is dropped here makes no
gap in them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.fleet.packets.envelope import ROOM, Part, fitting
from wintun_api.packet.block import Block

Policy: TypeAlias = Literal["drop_oldest", "drop_newest", "block"]

DEFAULT_BYTES: Final = 1024 * 1024
MIN_BYTES: Final = 2 * MAX_MESSAGE

Dropped: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Next:
    """What one message can carry.

    Attributes:
        to: The host that it is for.
        parts: Its packets.
        count: How many packets these are.
        size: How many bytes they have in a message.
        order: The place of the first of them in the order of all.
    """

    to: str
    parts: tuple[Part, ...]
    count: int
    size: int
    order: int


@final
class Backlog:
    """Hold packets until the bus takes them. Event loop thread only.

    Attributes:
        bytes: How many bytes wait, with those that were taken and are not sent yet.
        packets: How many packets these are.
    """

    def __init__(
        self, dropped: Dropped, *, limit: int = DEFAULT_BYTES, policy: Policy = "drop_oldest"
    ) -> None:
        """Begin empty.

        Args:
            dropped: Called with the number of packets for which there is no room, each time.
            limit: How many bytes wait at most, with their lengths and headers; at least
                `MIN_BYTES`.
            policy: What happens to packets for which there is no room. With `block` they are taken
                all the same: who puts them waits in `room` first.

        Raises:
            ValueError: The limit is too small for the messages that have to wait.
        """
        if limit < MIN_BYTES:
            raise ValueError(f"a backlog of less than {MIN_BYTES} bytes holds no message")
        self.bytes = 0
        self.packets = 0
        self._dropped = dropped
        self._limit = limit
        self._policy = policy
        # Each part with its place in the order of all; the first queue is served next.
        self._queues: dict[str, deque[tuple[int, Part]]] = {}
        self._order = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    def put(self, to: str, packets: Block, time_ns: int) -> None:
        """Let packets wait.

        Args:
            to: The host that they are for.
            packets: The packets.
            time_ns: When the service got them, in nanoseconds since 1970.
        """
        for block in fitting(packets):
            part = Part(block.compact(), time_ns)
            size = part.size
            if self.bytes + size > self._limit and not self._make_room(size):
                self._dropped(len(block))
                continue
            self._add(to, part, size)

    def _add(self, to: str, part: Part, size: int) -> None:
        queue = self._queues.get(to)
        if queue is None:
            queue = self._queues[to] = deque()
        queue.append((self._order, part))
        self._order += 1
        self._count(len(part.packets), size)

    def take(self) -> Next | None:
        """Return what the next message carries; None if nothing waits.

        It stays counted until `sent` or `put_back`, and nothing of it is dropped meanwhile.
        """
        if not self._queues:
            return None
        to, queue = next(iter(self._queues.items()))
        parts: list[Part] = []
        size = count = 0
        order = queue[0][0]
        while queue and size + (more := queue[0][1].size) <= ROOM:
            part = queue.popleft()[1]
            parts.append(part)
            size += more
            count += len(part.packets)
        del self._queues[to]
        if queue:
            self._queues[to] = queue  # behind the others
        return Next(to, tuple(parts), count, size, order)

    def sent(self, taken: Next) -> None:
        """Forget what was taken: the bus has it."""
        self._count(-taken.count, -taken.size)

    def put_back(self, taken: Next) -> None:
        """Let what was taken wait again, in front: the bus did not take it."""
        queue = self._queues.pop(taken.to, None)
        if queue is None:
            queue = deque()
        queue.extendleft((taken.order, part) for part in reversed(taken.parts))
        self._queues = {taken.to: queue, **self._queues}

    async def room(self) -> None:
        """Wait until a whole message more has room."""
        await self._has_room.wait()

    def clear(self) -> int:
        """Drop everything that waits, and return how many packets that were: the caller counts."""
        parts = [part for queue in self._queues.values() for _, part in queue]
        count = sum(len(part.packets) for part in parts)
        self._queues.clear()
        self._count(-count, -sum(part.size for part in parts))
        return count

    def _make_room(self, size: int) -> bool:
        """Do what the policy says; return whether so many bytes may be added then."""
        if self._policy == "drop_oldest":
            while self._queues and self.bytes + size > self._limit:
                self._drop_oldest()
            return self.bytes + size <= self._limit
        return self._policy == "block"

    def _drop_oldest(self) -> None:
        to = min(self._queues, key=lambda one: self._queues[one][0][0])
        queue = self._queues[to]
        part = queue.popleft()[1]
        if not queue:
            del self._queues[to]
        self._count(-len(part.packets), -part.size)
        self._dropped(len(part.packets))

    def _count(self, packets: int, size: int) -> None:
        self.packets += packets
        self.bytes += size
        if self.bytes + MAX_MESSAGE <= self._limit:
            self._has_room.set()
        else:
            self._has_room.clear()
