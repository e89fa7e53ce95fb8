"""A peer of the emulated hosts' TCP that says exactly what a test wants, at a time it chooses."""

from __future__ import annotations

from collections.abc import Sequence

from wintun_api.drivers.emulated.echo import EchoService
from wintun_api.drivers.emulated.message import message_of
from wintun_api.drivers.emulated.segment import MASK, Segment, segment_of
from wintun_api.packet import build
from wintun_api.packet.build import TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN

ACK, FIN, PSH, RST, SYN = TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN
ADDRESSES = {4: ("10.6.7.8", "10.6.7.7"), 6: ("fd06:7::8", "fd06:7::7")}


class Peer:
    """One port of a peer. Numbers count from the initial sequence numbers of both sides.

    Attributes:
        now: The time that the service is told.
        heard: The host's initial sequence number.
    """

    def __init__(
        self,
        service: EchoService,
        version: int = 4,
        *,
        port: int = 40000,
        to: int = 7,
        initial: int = 0xFFFFFFF0,  # it wraps soon
    ) -> None:
        self.service = service
        self.version = version
        self.ports = (port, to)
        self.initial = initial
        self.heard = 0
        self.now = 1000.0

    def packet(
        self,
        flags: int,
        sequence: int = 1,
        acknowledged: int = 1,
        data: bytes = b"",
        *,
        window: int = 65535,
        options: bytes = b"",
    ) -> bytes:
        """Build a segment."""
        return build.tcp(
            *ADDRESSES[self.version],
            *self.ports,
            sequence=(self.initial + sequence) & MASK,
            acknowledgement=(self.heard + acknowledged) & MASK if flags & ACK else 0,
            flags=flags,
            window=window,
            options=options,
            payload=data,
        )

    def says(
        self,
        flags: int,
        sequence: int = 1,
        acknowledged: int = 1,
        data: bytes = b"",
        *,
        window: int = 65535,
        options: bytes = b"",
    ) -> list[Segment]:
        """Send a segment; return what the host answers."""
        packet = self.packet(flags, sequence, acknowledged, data, window=window, options=options)
        message = message_of(packet)
        assert message is not None
        return segments(self.service.receive(message, self.now))

    def waits(self, seconds: float | None = None) -> list[Segment]:
        """Let time pass, to the next time that is due without a number; return what comes."""
        self.now = self.service.due() if seconds is None else self.now + seconds
        return segments(self.service.run(self.now))

    def opens(self, mss: int | None = 1000, window: int = 65535) -> Peer:
        """Make a connection."""
        (answer,) = self.asks(mss, window)
        assert answer.flags == SYN | ACK
        assert self.says(ACK, window=window) == []
        return self

    def asks(self, mss: int | None = 1000, window: int = 65535) -> list[Segment]:
        """Send a SYN and learn the host's initial number from the answer."""
        options = b"" if mss is None else b"\x02\x04" + mss.to_bytes(2, "big")
        answers = self.says(SYN, 0, window=window, options=options)
        if answers:
            self.heard = answers[0].sequence
        return answers

    def places(self, segment: Segment) -> tuple[int, int]:
        """Return the numbers of a segment, counted from the initial ones."""
        return (
            (segment.sequence - self.heard) & MASK,
            (segment.acknowledgement - self.initial) & MASK,
        )


def segments(packets: Sequence[bytes]) -> list[Segment]:
    """Return the segments in the hosts' packets; all of them are right."""
    found = []
    for packet in packets:
        message = message_of(packet)
        assert message is not None
        segment = segment_of(message)
        assert segment is not None
        found.append(segment)
    return found
