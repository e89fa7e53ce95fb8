"""Mark the packets of one direction with what happens to them, while a reader wants to know it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wintun_api.hub.marks import COPY, CORRUPTED, DELAYED, DUPLICATED, UNDELIVERED, Marked

_MS = 1_000_000  # in nanoseconds


class Marking:
    """Mark packets from when they come until they leave or are lost.

    A packet that came before this was there is not marked: it is not known when it came. Times are
    of the impairment's clock, in nanoseconds.

    Args:
        show: Takes packets that are not delivered, at least one, with their marks.
    """

    def __init__(self, show: Callable[[Sequence[bytes]], None]) -> None:
        self._show = show
        self._lost: list[Marked] = []

    def came(self, packets: Sequence[bytes], now_ns: int) -> list[bytes]:
        """Return packets that have come now, and carry that."""
        return [Marked.of(packet, now_ns) for packet in packets]

    def add(self, packet: bytes, what: str) -> None:
        """Note something that is done to a packet."""
        if type(packet) is Marked:
            packet.what = (*packet.what, what)

    def corrupted(self, packet: bytes, changed: bytes) -> bytes:
        """Return a changed packet with the marks that it had before."""
        if type(packet) is not Marked:
            return changed
        return Marked.of(changed, packet.came_ns, *packet.what, CORRUPTED)

    def twice(self, packet: bytes) -> tuple[bytes, bytes]:
        """Return a packet that is duplicated, and its copy."""
        if type(packet) is not Marked:
            return packet, packet
        copy = Marked.of(packet, packet.came_ns, *packet.what, COPY)
        self.add(packet, DUPLICATED)
        return packet, copy

    def leave(self, packets: Sequence[bytes], now_ns: int) -> None:
        """Note for how long packets were delayed that leave now."""
        for packet in packets:
            if type(packet) is Marked and packet.came_ns != now_ns:
                self.add(packet, DELAYED.format((now_ns - packet.came_ns) / _MS))

    def lose(self, packet: bytes, cause: str) -> None:
        """Note that a packet is not delivered; `show` tells it together with others."""
        if type(packet) is Marked:
            self.add(packet, UNDELIVERED.format(cause))
            self._lost.append(packet)

    def show(self) -> None:
        """Show the packets that were lost since the last time."""
        if self._lost:
            lost, self._lost = self._lost, []
            self._show(lost)
