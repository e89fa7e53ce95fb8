"""Readiness, then drain: the one way packets leave a driver.

Something signals that a session is readable, and the event loop drains it in bursts. Where the OS
gives a descriptor, the loop watches it. Elsewhere one thread per session waits, and only that: it
wakes the loop once per drain, never per packet, and never touches a packet. Draining in the loop's
own thread spares a hand-over of the interpreter lock per packet.
"""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverError
from wintun_api.packet.block import lengths_of

BURSTS_PER_TURN = 4
SECONDS_PER_TURN = 0.001
MIN_BURST = 16


@dataclass(frozen=True, slots=True)
class BurstLimit:
    """How much is read at a time: at most `packets`, and about `size` bytes."""

    packets: int = 1024
    size: int = 131072


OnPackets = Callable[[Sequence[bytes], Sequence[int], int], None]
OnError = Callable[[DriverError], None]


class Pump:
    """Drains one session until it is stopped or the driver fails.

    Calls `on_packets(packets, lengths, size)` per burst: bytes of each packet, and of all.
    Every method belongs to the event loop's thread. `on_error` is called once, after which the
    pump is idle and must be stopped.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        limit: BurstLimit,
        on_packets: OnPackets,
        on_error: OnError,
    ) -> None:
        self._session = session
        self._name = name
        self._limit = limit
        self._on_packets = on_packets
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._next = limit.packets
        self._running = False
        self._paused = False
        self._fileno = session.fileno()
        self._drained = threading.Event()
        self._waiter: threading.Thread | None = None

    def _active(self) -> bool:
        return self._running and not self._paused

    def start(self) -> None:
        """Begin to drain."""
        self._running = True
        if self._fileno is not None:
            self._loop.add_reader(self._fileno, self._drain)
            return
        self._waiter = threading.Thread(target=self._wait, name=f"wait:{self._name}", daemon=True)
        self._waiter.start()

    def pause(self) -> None:
        """Leave what comes in the ring, which is the elastic part. Idempotent."""
        if self._running and not self._paused:
            self._paused = True
            if self._fileno is not None:
                self._loop.remove_reader(self._fileno)

    def resume(self) -> None:
        """Drain again. Idempotent."""
        if self._running and self._paused:
            self._paused = False
            if self._fileno is not None:
                self._loop.add_reader(self._fileno, self._drain)
            else:
                self._loop.call_soon(self._drain)

    async def stop(self) -> None:
        """Stop draining; on return nobody is inside the session any more. Idempotent."""
        self._halt()
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._session.interrupt()
            self._drained.set()
            await asyncio.to_thread(waiter.join)

    def _halt(self) -> None:
        if self._running:
            self._running = False
            if self._fileno is not None and not self._paused:
                self._loop.remove_reader(self._fileno)

    def _wait(self) -> None:
        while self._session.wait_readable():
            self._drained.clear()
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop was closed without `stop`
                return
            # One wake-up per drain: the ring is not waited for again before it was found empty.
            self._drained.wait()

    def _hand_over_parts(self, packets: Sequence[bytes], lengths: Sequence[int]) -> None:
        ends = list(accumulate(lengths, initial=0))
        start = 0
        while start < len(packets):
            stop = max(start + 1, bisect_right(ends, ends[start] + self._limit.size) - 1)
            self._on_packets(packets[start:stop], lengths[start:stop], ends[stop] - ends[start])
            start = stop

    def _drain(self) -> None:
        if not self._active():
            return
        deadline = time.perf_counter() + SECONDS_PER_TURN
        receive, limit = self._session.receive_packets, self._limit
        for _ in range(BURSTS_PER_TURN):
            asked = self._next
            try:
                packets = receive(asked)
            except DriverError as error:
                self._halt()
                self._on_error(error)
                return
            count = len(packets)
            if count:
                lengths = lengths_of(packets)
                size = sum(lengths)
                self._next = max(MIN_BURST, min(limit.packets, limit.size * count // (size or 1)))
                if size <= 2 * limit.size:
                    self._on_packets(packets, lengths, size)
                else:  # how large packets are is known only when they have come
                    self._hand_over_parts(packets, lengths)
                if not self._active():
                    return
            if count < asked:
                if self._waiter is not None:
                    self._drained.set()
                return
            if time.perf_counter() > deadline:
                break
        if self._fileno is None:
            self._loop.call_soon(self._drain)
        # A watched descriptor is level-triggered: the loop calls again by itself, after the others.
