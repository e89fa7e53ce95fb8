"""Generate background traffic: packets that the host sends at a rate, without a thread.

Packets are generated when a thread waits for them or reads: `Events` asks when the next is due.
"""

from __future__ import annotations

import random
import time

from wintun_api.drivers.emulated.conversations import Conversations
from wintun_api.drivers.emulated.dialogues import Dialogues
from wintun_api.drivers.emulated.machine import Device

_LONGEST_BURST = 2048  # packets generated at a time; more are counted as lost
_SHORTEST_WAIT = 0.002  # seconds; faster traffic is generated in small bursts


class Traffic:
    """Generate one session's packets at random intervals with a mean of `1 / rate` seconds."""

    def __init__(self, device: Device, rate: float) -> None:
        self._device = device
        self._rate = rate
        self._random = random.Random(device.luid)  # noqa: S311  scenery, no secret
        self._conversations = Conversations(device, self._random, reuse=rate > 1000)
        self._next = self._last = time.monotonic()

    def due(self) -> float:
        """Return when to run next."""
        return max(self._next, self._last + _SHORTEST_WAIT)

    def run(self, now: float) -> None:
        """Send what is due; packets that are too late or have no room are lost and counted."""
        if now < self.due():
            return
        self._last = now
        deliver, gap, rate = self._device.deliver, self._random.expovariate, self._rate
        following, packet = self._next, self._conversations.packet
        for _ in range(_LONGEST_BURST):
            if following > now:
                break
            following += gap(rate)
            if not deliver(packet()):
                break
        if following <= now:
            self._device.counters.received_dropped += int((now - following) * rate)
            following = now + gap(rate)
        self._next = following


class AnsweredTraffic:
    """Let the host talk with peers that answer, and so often that it sends at the rate.

    What it sends at once, as an acknowledgement, lets the next conversation begin later.
    """

    def __init__(self, device: Device, rate: float) -> None:
        self._device = device
        self._rate = rate
        self._random = random.Random(device.luid)  # noqa: S311  scenery, no secret
        self._dialogues = Dialogues(device, self._random)
        self._next = self._last = time.monotonic()
        device.host.guest = self.receive

    def due(self) -> float:
        """Return when to run next."""
        return max(min(self._next, self._dialogues.due()), self._last + _SHORTEST_WAIT)

    def run(self, now: float) -> None:
        """Send what is due; what has no room is lost and counted, and is sent again."""
        self._last = now
        self._send(self._dialogues.run(now))
        if now < self._next:
            return
        self._next = max(self._next, now - 1.0)
        packets = self._dialogues.begin(now)
        if not packets:
            self._wait(1)
        self._send(packets)

    def receive(self, packet: bytes) -> list[bytes] | None:
        """Take a packet that came to the host; None if it belongs to no conversation."""
        packets = self._dialogues.receive(packet, time.monotonic())
        if packets:
            self._wait(len(packets))
        elif packets is not None and self._device.link is not None:
            self._device.link.wake()  # what is waited for may be due earlier
        return packets

    def _send(self, packets: list[bytes]) -> None:
        for packet in packets:
            self._device.deliver(packet)
        self._wait(len(packets))

    def _wait(self, packets: int) -> None:
        self._next += sum(self._random.expovariate(self._rate) for _ in range(packets))
