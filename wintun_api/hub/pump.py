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
from collections.abc import Callable, Sequence
from contextlib import suppress

from wintun_api.drivers.base import Session
from wintun_api.errors import DriverBusy, DriverError
from wintun_api.hub.burst_limit import BurstLimit, OnPackets
from wintun_api.hub.handover import Handover
from wintun_api.hub.watch import Watch
from wintun_api.packet.block import measured

logger = logging.getLogger(__name__)

BURSTS_PER_TURN = 4
SECONDS_PER_TURN = 0.0005
MIN_BURST = 16
WAITER_PATIENCE = 0.8  # seconds; an interrupted wait returns within microseconds
STUCK = "The session and its rings stay in the driver until the call returns."


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
        self._session.pause()

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
        deadline: float | None = None
        receive, source = self._session.receive_packets, self._source
        for _ in range(BURSTS_PER_TURN):
            asked = self._next
            # No name holds the packets here, so that the next ones find the same memory free.
            count = self._hand_over(receive(asked))
            if count and not source.active:
                return False
            if count < asked:
                return True
            now = time.perf_counter()
            if deadline is None:  # a single small burst, the usual case, needs no clock
                deadline = now + SECONDS_PER_TURN
            elif now > deadline:
                break
        return False

    def _hand_over(self, packets: Sequence[bytes]) -> int:
        """Pass on a burst, note how many packets the next one may have, return the number."""
        count = len(packets)
        if count:
            limit = self._limit
            lengths, size = measured(packets)
            if size > 2 * limit.size:  # the size of packets is known only after they were read
                for part in limit.parts(packets, lengths, size):
                    self._on_packets(*part)
            else:
                self._on_packets(packets, lengths, size)  # -> ManagedSession._received
            fitting = limit.size * count // (size or 1)
            self._next = limit.packets if fitting >= limit.packets else max(MIN_BURST, fitting)
        return count
