"""Read what is left in a ring when its session ends, and deliver it to clients that still read.

The host is asked to stop, and is given a moment in case it cannot be. A client that holds up the
drain (overflow=block) has as long as the others; then it is given up for their sake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Final

from wintun_api.drivers.base import Session
from wintun_api.drivers.limits import RECORD_HEADER
from wintun_api.errors import DriverBusy, DriverError, ServiceStopping
from wintun_api.hub import ending
from wintun_api.hub.ending import Client
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.threads import DriverThread
from wintun_api.packet.block import lengths_of

# How much a ring can hold at the end if its queue counts packets: 64 of the largest packets.
FULL_QUEUE: Final = 64 * 0x10000
LAST_READ: Final = 64  # packets at a time, so that other work on the loop gets its turn


class Remainder:
    """Read the rest of one ring, which no pump drains any more. Event loop thread only.

    Args:
        session: The driver's session; None if there is none at present, and so no ring.
        thread: The thread for its calls.
        fanout: The subscribers.
        received: Takes packets, their lengths and the bytes of all, as from a pump.
    """

    def __init__(
        self,
        session: Session | None,
        thread: DriverThread,
        fanout: Fanout,
        received: Callable[[Sequence[bytes], Sequence[int], int], None],
    ) -> None:
        self._session = session
        self._thread = thread
        self._fanout = fanout
        self._received = received
        self._loop = asyncio.get_running_loop()

    async def deliver(self, clients: Collection[Client], deadline: float) -> None:
        """Read the rest and let the clients take it until the deadline; then refuse what comes.

        Args:
            clients: The clients to wait for; some may leave meanwhile.
            deadline: Time of the event loop.
        """
        await self._quiesce()
        emptied = await self._drain(deadline)
        await ending.flush(clients, deadline - self._loop.time())
        if not emptied:  # the time of a blocking client is up: the others get the rest
            for subscriber in self._fanout.subscribers:
                if subscriber.full:
                    subscriber.abandon()
            await self._drain(self._loop.time() + ending.REST_PATIENCE)
            await ending.flush(clients, ending.REST_PATIENCE)
        for subscriber in self._fanout.subscribers:
            subscriber.refuse()
        # No reader is left for what the host sent meanwhile, but it is counted.
        await self._drain(self._loop.time() + ending.REST_PATIENCE)

    async def _quiesce(self) -> None:
        """Stop the host from sending, so that what is read from now on is the last."""
        if self._session is not None:
            with suppress(DriverError, DriverBusy, ServiceStopping, TimeoutError):
                call = self._thread.call("quiesce", self._session.quiesce)
                await asyncio.wait_for(call, ending.DRIVER_PATIENCE)

    async def _drain(self, deadline: float) -> bool:
        """Read as much as a ring can hold; return whether it was empty in the end."""
        session = self._session
        if session is None:
            return True
        room = max(session.capacity, FULL_QUEUE)
        while room > 0:
            if not await self._fanout.unblocked(deadline):
                return False
            try:
                packets = session.receive_packets(LAST_READ)
            except DriverError:  # the ring is gone, with everything in it
                return True
            if not packets:
                return True
            lengths = lengths_of(packets)
            size = sum(lengths)
            room -= size + RECORD_HEADER * len(packets)
            self._received(packets, lengths, size)
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(0)
        return False
