"""Show what the host and the clients sent, before an impairment did anything to it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from wintun_api.hub.burst import Burst
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.losses import Cause, Loss
from wintun_api.packet.block import Block
from wintun_api.packet.stamps import Stamps


class Before:
    """Number and publish the packets on this side of an impairment. Event loop thread only.

    Attributes:
        next_received: The sequence number of the next packet from the host.
        next_injected: That of the next packet from a client.
    """

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout
        self.next_received = 0
        self.next_injected = 0

    def publish(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        stamps: Stamps | None = None,
        *,
        injected: bool,
    ) -> None:
        """Offer packets to those who watch this side."""
        first = self.next_injected if injected else self.next_received
        if injected:
            self.next_injected += len(packets)
        else:
            self.next_received += len(packets)
        if self._fanout.wants_before(injected=injected):
            if type(packets) is Block:
                packets = packets.compact()
            now, times = (time.time_ns(), None) if stamps is None else stamps
            burst = Burst(packets, lengths, size, first, now, injected=injected, times=times)
            self._fanout.publish(burst, before=True)

    def miss(self, count: int, cause: Cause) -> None:
        """Leave a gap in the numbers for packets that the host had lost."""
        first = self.next_received
        self.next_received += count
        loss = Loss(count, first, first + count - 1, injected=False, cause=cause)
        self._fanout.lose(loss, before=True)
