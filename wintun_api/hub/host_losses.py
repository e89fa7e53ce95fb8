"""What the host lost before a session could read it, learned from the counters of the link.

The host's own counters go up while packets are lost, and nothing tells of it. So they are read
while packets flow, and at the end, and what is new since the last time is a loss.
"""

from __future__ import annotations

from wintun_api.drivers.base import LinkCounters


class HostLosses:
    """The account of one session. Event loop thread only.

    Attributes:
        lost: Packets that the host lost since `begin`; None where no counters could be read.
    """

    def __init__(self) -> None:
        self.lost: int | None = None
        self._begun: LinkCounters | None = None
        self._stranded = 0

    def begin(self, counters: LinkCounters | None) -> None:
        """Count from these counters on; None where they cannot be read."""
        self._begun = counters
        self.lost = None if counters is None else 0

    def learn(self, counters: LinkCounters | None, drained: int | None = None) -> int:
        """Take new counters; return how many packets were lost since the last time.

        Args:
            counters: None where they cannot be read: what is known stays.
            drained: Packets read from the ring since `begin`, given while no ring is there. What
                the host put into it beyond them was in the ring when it went.
        """
        begun = self._begun
        if counters is None or begun is None or self.lost is None:
            return 0
        if drained is not None:
            put = counters.received_packets - begun.received_packets
            self._stranded = max(self._stranded, put - drained)
        known = self.lost
        dropped = counters.received_dropped - begun.received_dropped
        self.lost = max(known, dropped + self._stranded)
        return self.lost - known
