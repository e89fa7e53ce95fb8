"""What a session carried and what was lost, by cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from wintun_api.hub.losses import Cause


@dataclass(slots=True)
class SessionCounters:
    """Counts since the session was started. Changed once a burst, on the event loop's thread.

    Packets of the host are `received_packets`, those lost in the ring (`SessionView.ring_lost`) and
    `truncated`.

    Attributes:
        received_packets: Packets drained from the ring.
        received_bytes: Bytes of them.
        received_unclaimed: Drained while nobody was subscribed to them.
        truncated: Packets of the host that the driver could not read whole.
        injected_packets: Packets given to the host.
        injected_bytes: Bytes of them.
        rejected: Packets of clients refused before the ring, by reason.
        ring_full: Packets of clients dropped because the send ring was full.
        failed: Packets of clients that a failing driver call or an ending session did not take.
        refused: Packets of clients that the ring took and the host refused, by cause.
        queue_lost: Packets lost in subscribers' queues, every subscriber counted by itself.
        ended: Left for subscribers when they or the session ended, likewise.
        ring_corrupt: How often the receive ring was found corrupt.
    """

    received_packets: int = 0
    received_bytes: int = 0
    received_unclaimed: int = 0
    truncated: int = 0
    injected_packets: int = 0
    injected_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    failed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    queue_lost: int = 0
    ended: int = 0
    ring_corrupt: int = 0

    def lose(self, cause: Cause, count: int) -> None:
        """Count what a subscriber lost."""
        if cause is Cause.QUEUE:
            self.queue_lost += count
        else:
            self.ended += count

    def copy(self) -> SessionCounters:
        """Return the counts as they are now."""
        return replace(self, rejected=Counter(self.rejected), refused=Counter(self.refused))
