"""Ends connections of clients that vanished without a word while something was sent to them.

The kernel's keep-alive (see `listener`) notices a vanished client of a stream that is idle. While
data is on its way the kernel sends that again instead, for a quarter of an hour, and tells nobody:
it has to be asked. A client that is alive and only does not read acknowledges the kernel's probes,
so it stays, however long it pauses; TCP_USER_TIMEOUT would end it too.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import Any

from wintun_api.api.admission import Admission

INTERVAL = 60.0  # seconds between two looks
# Seconds without an acknowledgement of what was sent. A client without room acknowledges what is
# sent again, which the kernel does every two minutes in the end (TCP_RTO_MAX).
SILENCE = 180.0

# linux/tcp.h: struct tcp_info, as far as it is read: tcpi_probes, tcpi_unacked, tcpi_last_ack_recv
# in milliseconds.
_INFO = struct.Struct("=3xB20xI28xI")


async def watch(admission: Admission) -> None:
    """Look at every connection once in a while, until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL)
        for seat in admission.seats():
            if seat.socket is not None and silence(seat.socket) >= SILENCE:
                seat.note("vanished")
                seat.end()


def silence(connection: Any) -> float:
    """Return for how many seconds a client has acknowledged nothing of what is sent to it.

    0 where everything is acknowledged, where the client answers that it has no room, and on systems
    other than Linux; Windows gives up by itself after some seconds.
    """
    if sys.platform != "linux":
        return 0.0
    else:  # noqa: RET505 - so that the type checker reads it on its own platform alone
        try:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
            probes, unacknowledged, last = _INFO.unpack(info)
        except (OSError, struct.error):
            return 0.0  # it is closed already, or no TCP
        return float(last) / 1000 if probes or unacknowledged else 0.0
