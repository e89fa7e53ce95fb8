"""Answer a host as the peers of its conversations do: resolvers, web and time servers, printers.

This is the other end of the tunnel, which an application reaches. It takes the packets that the
host sends, and says what comes back and after how long. A few things go wrong, as they do: a name
does not exist, a host refuses connections, a segment is lost and sent again, a ping has no answer,
a connection is reset.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from wintun_api.drivers.emulated import scenery
from wintun_api.drivers.emulated.message import Message, message_of
from wintun_api.drivers.emulated.network import is_ip
from wintun_api.drivers.emulated.numbering import Numbering
from wintun_api.drivers.emulated.scenery import MSS, REFUSING, Address
from wintun_api.drivers.emulated.segment import MASK, Segment, mss_option, segment_of
from wintun_api.packet import build
from wintun_api.packet.build import TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN

MAX_CONNECTIONS = 256
DNS, HTTP, NTP, TLS, MDNS, SYSLOG = 53, 80, 123, 443, 5353, 514

Later = list[tuple[float, bytes]]  # seconds from now, and a packet to the host
_Pair = tuple[Address, int, Address, int]  # the host's address and port, and its peer's


@dataclass(slots=True)
class _Connection:
    """Hold a peer's end of a TCP connection.

    Attributes:
        next: The number of the next byte to send.
        wanted: The number of the next byte of the host.
        heard: What the host has sent and was not answered.
        turns: How often the peer has answered.
        busy_until: When its last segment arrives at the host, in the time of `Peers.answers`.
    """

    name: str
    delay: float
    next: int
    wanted: int
    heard: bytearray = field(default_factory=bytearray)
    turns: int = 0
    busy_until: float = 0.0
    closed: bool = False


class Peers:
    """Keep the peers of one host. Time is given by the caller, in seconds.

    Args:
        random: Source of random choices.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._connections: OrderedDict[_Pair, _Connection] = OrderedDict()
        self._numbered = Numbering(54, random.randrange(1 << 16))

    def __len__(self) -> int:
        """Return how many TCP connections there are."""
        return len(self._connections)

    def answers(self, packet: bytes, now: float) -> Later:
        """Return what the peers answer to a packet, with the delay of each answer.

        Never raises for bytes from a host.
        """
        message = message_of(packet) if is_ip(packet) else None
        if message is None:
            return []
        if message.protocol in (build.ICMP, build.ICMPV6):
            return self._ping(packet, message)
        if message.protocol == build.UDP and len(message.data) >= 8:
            return self._datagram(packet, message)
        segment = segment_of(message) if message.protocol == build.TCP else None
        return [] if segment is None else self._segment(message, segment, now)

    def _delay(self, there: Address) -> float:
        """Return how long a packet needs to a peer and back: about the same every time."""
        far = 0.008 + (int(there) * 2654435761 % 64) / 1000
        return far * self._random.uniform(1.0, 1.25)

    def _ping(self, packet: bytes, message: Message) -> Later:
        reply = build.echo_reply(packet)
        if reply is None or self._random.random() < 0.06:
            return []
        return [(self._delay(message.receiver), self._numbered(reply))]

    def _datagram(self, packet: bytes, message: Message) -> Later:
        here, there, data = message.sender, message.receiver, message.data[8:]
        own = int.from_bytes(message.data[0:2], "big")
        port = int.from_bytes(message.data[2:4], "big")
        delay = self._delay(there)

        def back(content: bytes, source: Address = there) -> bytes:
            return self._numbered(build.udp(source, here, port, own, content))

        if port == DNS and len(data) > 12:
            return [(delay, back(scenery.answer(data)))]
        if port == NTP and len(data) >= 48:
            return [(delay, back(scenery.clock_answer(data)))]
        if port == MDNS:
            asked = scenery.asked(data)
            if asked is None or asked[0] not in scenery.SERVICES:
                return []
            neighbour = type(here)(int(here) ^ 1)
            content = scenery.announcement(asked[0])
            told = build.udp(neighbour, there, MDNS, MDNS, content)
            return [(self._random.uniform(0.02, 0.12), self._numbered(told, 255))]
        if port == TLS and data:
            return self._quic(data, delay, back)
        if port == SYSLOG:
            error = build.port_unreachable(packet)
            return [] if error is None else [(delay, self._numbered(error))]
        return []

    def _quic(self, data: bytes, delay: float, back: Callable[[bytes], bytes]) -> Later:
        if data[0] & 0x80 and len(data) > 5:
            identity = data[6 : 6 + data[5]]
            initial = scenery.quic_initial(self._random, b"", identity)
            return [
                (delay, back(initial)),
                (delay + 0.002, back(scenery.quic_data(self._random, b"", 1180))),
            ]
        sizes = [self._random.randrange(60, 1200) for _ in range(self._random.randrange(1, 4))]
        return [
            (delay + 0.001 * place, back(scenery.quic_data(self._random, b"", size)))
            for place, size in enumerate(sizes)
        ]

    def _segment(self, message: Message, segment: Segment, now: float) -> Later:
        here, there = message.sender, message.receiver
        pair = (here, segment.source_port, there, segment.destination_port)
        known = self._connections.get(pair)
        if segment.rst:
            self._connections.pop(pair, None)
            return []
        if segment.syn:
            return self._accept(pair, segment, now)
        if known is None:
            return []
        self._connections.move_to_end(pair)
        return self._established(pair, known, segment, now)

    def _accept(self, pair: _Pair, segment: Segment, now: float) -> Later:
        _, _, there, port = pair
        wanted = (segment.sequence + 1) & MASK
        delay = self._delay(there)
        if int(there) & 0xFF == REFUSING or port not in (HTTP, TLS):
            return [(delay, self._tcp(pair, 0, wanted, TCP_RST | TCP_ACK))]
        known = self._connections.get(pair)
        if known is None:
            if self._random.random() < 0.03:
                return []  # it is lost on its way, so that the host sends it again
            if len(self._connections) >= MAX_CONNECTIONS:
                self._connections.popitem(last=False)
            name = scenery.name_of(there) or "example.com"
            known = _Connection(name, delay, self._random.randrange(1 << 32), wanted)
            self._connections[pair] = known
            known.next = (known.next + 1) & MASK
        first = (known.next - 1) & MASK
        known.busy_until = now + known.delay
        flags = TCP_SYN | TCP_ACK
        return [(known.delay, self._tcp(pair, first, wanted, flags, options=mss_option(MSS)))]

    def _established(self, pair: _Pair, known: _Connection, segment: Segment, now: float) -> Later:
        ahead = (segment.sequence - known.wanted) & MASK
        if ahead:  # it was sent before, or one before it is missing: say what is wanted
            if segment.data or segment.fin:
                return [(known.delay, self._tcp(pair, known.next, known.wanted, TCP_ACK))]
            return []
        if not segment.data and not segment.fin:
            return []
        known.wanted = (known.wanted + len(segment.data) + segment.fin) & MASK
        known.heard += segment.data
        if segment.fin:
            self._connections.pop(pair, None)
            if known.closed:
                return [(known.delay, self._tcp(pair, known.next, known.wanted, TCP_ACK))]
            return [(known.delay, self._tcp(pair, known.next, known.wanted, TCP_FIN | TCP_ACK))]
        if not self._complete(pair[3], known.heard):
            return [(known.delay, self._tcp(pair, known.next, known.wanted, TCP_ACK))]
        known.heard.clear()
        return self._turn(pair, known, now)

    @staticmethod
    def _complete(port: int, heard: bytes | bytearray) -> bool:
        return port != HTTP or heard.endswith(b"\r\n\r\n")

    def _turn(self, pair: _Pair, known: _Connection, now: float) -> Later:
        """Answer what the host has asked for."""
        known.turns += 1
        random = self._random
        if pair[3] == TLS and known.turns > 1 and random.random() < 0.03:
            self._connections.pop(pair, None)
            return [(known.delay, self._tcp(pair, known.next, known.wanted, TCP_RST | TCP_ACK))]
        if pair[3] == HTTP:
            content = scenery.page(known.name, random.randrange(600, 9000), random)
            known.closed = True
        elif known.turns == 1:
            content = scenery.server_hello(random)
        else:
            content = scenery.encrypted(random.randrange(120, 9000), random)
        return self._stream(pair, known, content, now)

    def _stream(self, pair: _Pair, known: _Connection, content: bytes, now: float) -> Later:
        """Send content in segments; of a long one, a segment may be lost and sent again."""
        pieces = [content[at : at + MSS] for at in range(0, len(content), MSS)]
        lost = -1
        if len(pieces) > 3 and self._random.random() < 0.2:
            lost = self._random.randrange(1, len(pieces) - 1)
        at, later = max(known.delay, known.busy_until - now), []
        for place, piece in enumerate(pieces):
            last = place == len(pieces) - 1
            flags = TCP_ACK | (TCP_PSH if last else 0) | (TCP_FIN if last and known.closed else 0)
            packet = self._tcp(pair, known.next, known.wanted, flags, payload=piece)
            known.next = (known.next + len(piece) + (last and known.closed)) & MASK
            later.append((at + known.delay + 0.2 if place == lost else at, packet))
            at += self._random.uniform(0.0003, 0.0015)
        known.busy_until = now + at
        return later

    def _tcp(
        self,
        pair: _Pair,
        sequence: int,
        acknowledgement: int,
        flags: int,
        *,
        options: bytes = b"",
        payload: bytes = b"",
    ) -> bytes:
        here, own, there, port = pair
        packet = build.tcp(
            there,
            here,
            port,
            own,
            sequence=sequence,
            acknowledgement=acknowledgement,
            flags=flags,
            window=65160 if not flags & TCP_RST else 0,
            options=options,
            payload=payload,
        )
        return self._numbered(packet)
