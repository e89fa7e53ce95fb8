"""What a session carried and what was lost, by cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class SessionCounters:
    """Counts since the session was started. Changed once a burst, on the event loop's thread.

    Attributes:
        received_packets: Packets drained from the ring.
        received_bytes: Bytes of them.
        received_unclaimed: Drained while nobody was subscribed to them.
        injected_packets: Packets the ring took.
        injected_bytes: Bytes of them.
        rejected: Packets of clients refused before the ring, by reason.
        ring_full: Packets of clients dropped because the send ring was full.
        queue_lost: Packets lost in subscribers' queues, every subscriber counted by itself.
        ring_corrupt: How often the receive ring was found corrupt.
    """

    received_packets: int = 0
    received_bytes: int = 0
    received_unclaimed: int = 0
    injected_packets: int = 0
    injected_bytes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    queue_lost: int = 0
    ring_corrupt: int = 0
