"""Drain a driver's session whenever it is readable: the only way packets leave a driver.

When a session becomes readable, the event loop drains it in bursts. If the OS provides a
descriptor, the loop watches it (`hub.watch`). Otherwise one thread per session waits and passes the
turn to drain to the loop (`hub.handover`). Draining on the loop's own thread avoids a hand-over of
the interpreter lock per packet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverBusy, DriverError
from wintun_api.hub.handover import Handover
from wintun_api.hub.watch import Watch
from wintun_api.packet.block import lengths_of

logger = logging.getLogger(__name__)

BURSTS_PER_TURN = 4
SECONDS_PER_TURN = 0.001
MIN_BURST = 16
WAITER_PATIENCE = 0.8  # seconds; an interrupted wait returns within microseconds
STUCK = "The session and its rings stay in the driver until the call returns."


@dataclass(frozen=True, slots=True)
class BurstLimit:
    """Limit how much is read at a time: at most `packets`, and about `size` bytes."""

    packets: int
    size: int


OnPackets = Callable[[Sequence[bytes], Sequence[int], int], None]
OnError = Callable[[DriverError], None]


class Pump:
    """Drain one session until it is stopped or the driver fails.

    `on_packets(packets, lengths, size)` is called per burst, with the bytes of each packet and of
    all packets. All methods must be called on the event loop's thread. `on_error` is called once;
    after that the pump is idle and must be stopped.
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
        self._limit = limit
        self._on_packets = on_packets
        self._on_error = on_error
        self._next = limit.packets
        self._left = asyncio.Event()  # no thread is inside the session any more
        loop, fileno = asyncio.get_running_loop(), session.fileno()
        self._source: Watch | Handover
        if fileno is not None:
            self._left.set()
            self._source = Watch(fileno, self._drain, loop)
        else:
            self._source = Handover(
                session,
                f"wait:{name}",
                drain=self._drain,
                failed=on_error,
                left=self._left.set,
                loop=loop,
            )

    def start(self) -> None:
        """Begin to drain."""
        self._source.start()

    def pause(self) -> None:
        """Leave new packets in the ring, which serves as a buffer. Idempotent."""
        self._source.pause()

    def resume(self) -> None:
        """Drain again. Idempotent."""
        self._source.resume()

    async def stop(self) -> None:
        """Stop draining; on return no thread is inside the session. Idempotent.

        A driver's wait that ignores the interrupt is abandoned after `WAITER_PATIENCE` seconds.
        The session must not be ended meanwhile, because the thread would then access freed memory.
        That thread ends the session itself when the wait returns.

        Raises:
            DriverBusy: The wait has not returned.
        """
        with suppress(DriverError):  # the wait below shows whether the thread has left
            self._source.stop()
        try:
            await asyncio.wait_for(self._left.wait(), WAITER_PATIENCE)
        except TimeoutError:
            if self._give_up():
                raise DriverBusy("wait_readable", WAITER_PATIENCE, detail=STUCK) from None
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _give_up(self) -> bool:
        return isinstance(self._source, Handover) and self._source.give_up(self._session.end)

    def _drain(self) -> bool:
        """Drain for a while; return whether the ring was found empty."""
        try:
            return self._read()
        except DriverError as error:
            failure = error
        except Exception as error:
            logger.exception("Received packets could not be passed on.")
            failure = DriverError(detail=f"Packets were not passed on: {error!r}.")
        self._source.halt()
        self._on_error(failure)  # -> ManagedSession._failed
        return True

    def _read(self) -> bool:
        deadline = time.perf_counter() + SECONDS_PER_TURN
        receive, limit, source = self._session.receive_packets, self._limit, self._source
        for _ in range(BURSTS_PER_TURN):
            asked = self._next
            packets = receive(asked)
            count = len(packets)
            if count:
                lengths = lengths_of(packets)
                size = sum(lengths)
                self._next = max(MIN_BURST, min(limit.packets, limit.size * count // (size or 1)))
                if size <= 2 * limit.size:
                    self._on_packets(packets, lengths, size)  # -> ManagedSession._received
                else:  # the size of packets is known only after they were read
                    self._hand_over_parts(packets, lengths)
                if not source.active:
                    return False
            if count < asked:
                return True
            if time.perf_counter() > deadline:
                break
        return False

    def _hand_over_parts(self, packets: Sequence[bytes], lengths: Sequence[int]) -> None:
        ends = list(accumulate(lengths, initial=0))
        start = 0
        while start < len(packets):
            stop = max(start + 1, bisect_right(ends, ends[start] + self._limit.size) - 1)
            self._on_packets(packets[start:stop], lengths[start:stop], ends[stop] - ends[start])
            start = stop
