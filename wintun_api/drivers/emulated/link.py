"""Emulate the kernel's side of a running session: two rings and the hosts behind them.

The kernel driver's threads are not emulated: their work is done in the thread that causes it, or in
the thread that waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wintun_api.drivers.emulated.network import Host, is_ip
from wintun_api.drivers.emulated.ring import Ring


@dataclass(slots=True)
class Counters:
    """Hold the system's counters of a device, as seen from the application."""

    received_packets: int = 0
    received_bytes: int = 0
    received_dropped: int = 0
    sent_packets: int = 0
    sent_bytes: int = 0
    sent_dropped: int = 0


class Link:
    """Implement the kernel's end of one session. Every method runs under the machine's lock.

    Args:
        capacity: Ring capacity in bytes.
        host: The hosts that answer.
        counters: The device's counters.
        signal: Sets the read-wait event.
        tolerant: Whether the driver skips packets that are not IP (0.14); older ones stop.
    """

    def __init__(
        self,
        capacity: int,
        host: Host,
        counters: Counters,
        signal: Callable[[], None],
        *,
        tolerant: bool,
    ) -> None:
        self.received = Ring(capacity)
        self.sent = Ring(capacity)
        self._host = host
        self._counters = counters
        self._signal = signal
        self._tolerant = tolerant
        self._held = False

    def deliver(self, packet: bytes) -> bool:
        """Give a packet from the host to the application; False if the ring is full."""
        counters = self._counters
        if not self.received.put(packet):
            counters.received_dropped += 1
            return False
        counters.received_packets += 1
        counters.received_bytes += len(packet)
        self._signal()
        return True

    def consume(self) -> None:
        """Take packets that the application has sent, and let the hosts answer."""
        if self._held:
            return
        take, counters, replies = self.sent.take, self._counters, self._host.replies
        try:
            while (packet := take()) is not None:
                if is_ip(packet):
                    counters.sent_packets += 1
                    counters.sent_bytes += len(packet)
                    for reply in replies(packet):
                        self.deliver(reply)
                    continue
                counters.sent_dropped += 1
                if not self._tolerant:
                    self.sent.stop_consuming()
        except ValueError:
            self.sent.stop_consuming()

    def due(self) -> float:
        """Return when the hosts send something by themselves; infinity if nothing is planned.

        Whenever this changes to an earlier time, a packet is delivered too, so that the thread that
        waits for packets asks again.
        """
        return self._host.due()

    def run(self, now: float) -> None:
        """Send what the hosts send by themselves, such as segments that were not acknowledged."""
        for packet in self._host.run(now):
            self.deliver(packet)

    def hold(self, held: bool) -> None:
        """Stop consuming, so that the ring fills; or continue and catch up."""
        self._held = held
        self.consume()

    def wake(self) -> None:
        """Set the read-wait event."""
        self._signal()

    def terminate(self) -> None:
        """Unregister the rings: both directions end (38), and waiting threads are woken."""
        self._host.disconnect()
        self._host.guest = None
        self.received.stop_producing()
        self.sent.stop_consuming()
        self._signal()
