"""Packets that vanished from the queue of a device without being counted by the kernel.

When another program shortens the queue (txqueuelen), the kernel discards the packets that no longer
fit. When a device is deleted, or a session is detached from it, the kernel discards the whole
queue. But the qdisc counts the packets that it hands to the device. Each of them is read, counted
as dropped, or still waits in the queue; the others have vanished.
"""

from __future__ import annotations

from wintun_api.drivers.base import LinkCounters

_MODULO = 1 << 32
_HALF = 1 << 31


class QueueLosses:
    """The account of one device since a session was attached. One thread at a time.

    When another program replaces the qdisc, the new one counts from 0. From then on, packets that
    vanish are no longer counted.

    Args:
        counters: The device's counters at that time.
        handed: What `counters.read_handed` returned before a session was attached; None if unknown.
    """

    def __init__(self, counters: LinkCounters, handed: int | None) -> None:
        self._begun = counters
        self._first = self._last = handed
        self._handed = 0
        self._vanished = 0

    def handed(self, packets: int | None) -> None:
        """Note how many packets were handed to the device so far; None if that is unknown."""
        if packets is None or self._first is None or self._last is None:
            return
        new = (packets - self._last) % _MODULO
        if new >= _HALF:  # another qdisc, which counts from 0
            self._first = None
            return
        self._handed += new
        self._last = packets

    def learn(self, counters: LinkCounters, waiting: int, merged: int | None = None) -> int:
        """Return how many packets have vanished at least. The number never decreases.

        The qdisc counts the segments of a super-packet, but the device counts it as one packet. So
        with offload nothing is known while super-packets may wait. Afterwards all segments are
        counted that were not read: also those of super-packets that the device has dropped, which
        it counts as one each.

        Args:
            counters: The device's counters, read after the last call of `handed`.
            waiting: How many packets may wait in its queue. With 0 the answer is exact.
            merged: How many more packets were read than the device counts as received; None
                without offload. Read after `counters`.
        """
        begun = self._begun
        known = counters.received_packets - begun.received_packets
        dropped = counters.received_dropped - begun.received_dropped
        if merged is not None and waiting:
            return self._vanished
        known += dropped + (merged or 0)
        if self._last is not None:
            self._vanished = max(self._vanished, self._handed - known - waiting)
        return self._vanished
