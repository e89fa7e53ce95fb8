"""End connections of clients that vanished silently while data was being sent to them.

The kernel's keep-alive (see `listener`) notices a vanished client on an idle stream. While data is
being sent, the kernel instead retransmits it for a quarter of an hour without reporting anything,
so the service must ask. A client that is alive but does not read still acknowledges the kernel's
probes, so it stays connected however long it pauses; TCP_USER_TIMEOUT would end it too.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import Any

from wintun_api.api.admission import Admission

INTERVAL = 60.0  # seconds between two checks
# Seconds without an acknowledgement of sent data. A client without room acknowledges retransmitted
# data, which the kernel sends at least every two minutes (TCP_RTO_MAX).
SILENCE = 180.0

# linux/tcp.h: struct tcp_info, as far as it is read: tcpi_probes, tcpi_unacked, tcpi_last_ack_recv
# in milliseconds.
_INFO = struct.Struct("=3xB20xI28xI")


async def watch(admission: Admission) -> None:
    """Check every connection at intervals, until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL)
        for seat in admission.seats():
            if seat.socket is not None and silence(seat.socket) >= SILENCE:
                seat.note("vanished")
                seat.end()


def silence(connection: Any) -> float:
    """Return for how many seconds a client has not acknowledged data that was sent to it.

    Return 0 if everything is acknowledged, if the client answers that it has no room, and on
    systems other than Linux; Windows gives up by itself after some seconds.
    """
    if sys.platform != "linux":
        return 0.0
    else:  # noqa: RET505 - so that the type checker reads it on its own platform alone
        try:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
            probes, unacknowledged, last = _INFO.unpack(info)
        except (OSError, struct.error):
            return 0.0  # it is already closed, or not TCP
        return float(last) / 1000 if probes or unacknowledged else 0.0
