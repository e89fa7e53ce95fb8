"""Keep the packets of one direction until they are due."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final

from wintun_api.hub.impairment.accounts import Accounts, Count

_ALWAYS: Final = 1 << 127  # nanoseconds; later than any time

_Packet = bytes

# What finds the time of a packet at another rate: when its delay is over, when the link has sent
# those before it, and the bits, times a second, that others took from the link just before it.
Turn = tuple[int, int, int]
Waits = tuple[int, int, Turn]  # when a packet leaves, its size and its turn

# When it leaves, its number, the key of what counts it, and its turn if it waits for a rate. The
# garbage collector passes over a tuple of numbers and bytes; it would take most of a second to look
# at a million that refer to other objects.
_Entry = tuple[int, int, _Packet, int, Turn | None]
_UNCOUNTED: Final = 0


class Waiting:
    """Hold packets in the order of the times at which they leave.

    Packets that leave at the same time leave in the order in which they came. Those that come in
    the order of their times stand in a line, which costs little; the others are in a heap. The
    lanes bound how many wait; those that leave at once are as many as are put before the next
    `take`. `accounts.delayed` is counted here.
    """

    __slots__ = ("_delayed", "_heap", "_held", "_line", "_number")

    def __init__(self, accounts: Accounts) -> None:
        self._delayed = accounts.delayed
        self._line: deque[_Entry] = deque()
        self._heap: list[_Entry] = []
        self._held: dict[int, Count] = {}  # by key
        self._number = 0

    @property
    def packets(self) -> int:
        """The number of packets that wait."""
        return len(self._line) + len(self._heap)

    @property
    def bytes(self) -> int:
        """The size of all packets that wait."""
        return self._delayed.bytes

    @property
    def next_due(self) -> int | None:
        """The time at which the next packet leaves, in nanoseconds; None if none waits."""
        line, heap = self._line, self._heap
        if not heap:
            return line[0][0] if line else None
        due = heap[0][0]
        return min(due, line[0][0]) if line else due

    def push(
        self, due_ns: int, packet: _Packet, held: Count | None, turn: Turn | None = None
    ) -> None:
        """Keep a packet until this time.

        Args:
            due_ns: The time at which it leaves.
            packet: The packet.
            held: Counts the packet as long as it is here, if it waits.
            turn: What `retime` has to know of it, if it waits for a rate.
        """
        number = self._number
        self._number = number + 1
        size = len(packet)
        self._delayed.packets += 1
        self._delayed.bytes += size
        key = _UNCOUNTED
        if held is not None:
            held.packets += 1
            held.bytes += size
            key = id(held)
            self._held[key] = held
        line = self._line
        if not line or line[-1][0] <= due_ns:
            line.append((due_ns, number, packet, key, turn))
        else:
            heappush(self._heap, (due_ns, number, packet, key, turn))

    def retime(
        self,
        held: Count,
        retimed: Callable[[Sequence[Waits]], Sequence[tuple[int, Turn | None]]],
    ) -> None:
        """Let the packets of a lane that wait for a rate leave at other times.

        Args:
            held: Counts the packets of the lane.
            retimed: Takes those that wait for a rate, in their order, and returns for each when it
                leaves, and its turn if it still waits for a rate. It is called once.
        """
        entries = sorted([*self._line, *self._heap], key=_order) if held.packets else []
        waits: list[Waits] = []
        places: list[int] = []
        key = id(held)
        for place, (due, _, packet, counted, turn) in enumerate(entries):
            if counted == key and turn is not None:
                waits.append((due, len(packet), turn))
                places.append(place)
        times = retimed(waits)
        if not waits:
            return
        for place, (due, turn) in zip(places, times, strict=True):
            _, number, packet, _, _ = entries[place]
            entries[place] = (due, number, packet, key, turn)
        entries.sort(key=_order)
        self._line = deque(entries)
        self._heap = []

    def take(self, now_ns: int, most: int = sys.maxsize) -> list[_Packet]:
        """Return the packets that leave until now, in order; they wait no longer.

        Args:
            now_ns: The time.
            most: How many to return at most.
        """
        line, heap, counts = self._line, self._heap, self._held
        taken: list[_Packet] = []
        total = 0
        while len(taken) < most:
            if line and line[0][0] <= now_ns and not (heap and heap[0] < line[0]):
                _, _, packet, key, _ = line.popleft()
            elif heap and heap[0][0] <= now_ns:
                _, _, packet, key, _ = heappop(heap)
            else:
                break
            taken.append(packet)
            size = len(packet)
            total += size
            if key:
                held = counts[key]
                held.packets -= 1
                held.bytes -= size
        if not (line or heap):
            counts.clear()  # those of lanes that are no longer used are among them
        self._delayed.packets -= len(taken)
        self._delayed.bytes -= total
        return taken

    def hurry(self, now_ns: int) -> None:
        """Let all packets leave now, in the order of the times that they had."""
        entries = sorted((*self._line, *self._heap), key=_order)
        self._heap.clear()
        self._line = deque(
            (now_ns, number, packet, key, None)
            for number, (_, _, packet, key, _) in enumerate(entries)
        )
        self._number = len(entries)

    def take_all(self) -> list[_Packet]:
        """Return all packets in the order of their times; none waits any longer."""
        return self.take(_ALWAYS)


def _order(entry: _Entry) -> tuple[int, int]:
    return entry[:2]
