"""Count packets that the host lost before a session could read them, from the link's counters.

The host's own counters increase while packets are lost, without a notification. So they are read
while packets flow and at the end, and an increase since the last reading is a loss.
"""

from __future__ import annotations

from wintun_api.drivers.base import LinkCounters


class HostLosses:
    """Count the losses of one session. Event loop thread only.

    Attributes:
        lost: Packets that the host lost since `begin`; None if no counters could be read.
    """

    def __init__(self) -> None:
        self.lost: int | None = None
        self._begun: LinkCounters | None = None
        self._stranded = 0

    def begin(self, counters: LinkCounters | None) -> None:
        """Start from these counters; None if they cannot be read."""
        self._begun = counters
        self.lost = None if counters is None else 0

    def learn(self, counters: LinkCounters | None, drained: int | None = None) -> int:
        """Take new counters; return how many packets were lost since the last time.

        Args:
            counters: None if they cannot be read; the known numbers are then kept.
            drained: Packets read from the ring since `begin`, given after the ring was freed. All
                other packets that the host put into it were in the ring when it was freed.
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
