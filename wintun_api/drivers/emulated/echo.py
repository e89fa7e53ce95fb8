"""Offer the echo service over TCP (RFC 862) and refuse all other ports (RFC 9293)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2s
from ipaddress import IPv4Address, IPv6Address
from math import inf
from secrets import token_bytes
from struct import pack

from wintun_api.drivers.emulated.connection import Connection, End
from wintun_api.drivers.emulated.message import Message
from wintun_api.drivers.emulated.segment import HEADER, MASK, Outgoing, Segment, segment_of
from wintun_api.packet import build
from wintun_api.packet.build import TCP_ACK, TCP_RST

PORT = 7
MAX_CONNECTIONS = 64  # of one adapter

_IP_HEADER = {4: 20, 6: 40}
_DEFAULT_MSS = {4: 536, 6: 1220}  # RFC 9293, section 3.7.1
_LARGEST_MSS = 0xFFFF
_TICKS = 250_000  # of the clock for initial sequence numbers, per second: RFC 9293, section 3.4.1

_Address = IPv4Address | IPv6Address
_Pair = tuple[_Address, int, _Address, int]  # the host's address and port, and its peer's


@dataclass(slots=True)
class Accounts:
    """Count connections and segments.

    Attributes:
        accepted: Connections that were asked for.
        finished: Closed by both sides.
        reset: Reset by the peer.
        timed_out: Given up, because the peer no longer answered.
        dropped: Reset by the host because another one needed the place: half-open ones first, then
            the one that was silent longest.
        refused: Segments that no connection fits, answered with a reset.
        broken: Segments with a wrong length or checksum.
        withheld: Acknowledgements of segments that do not fit, beyond a number in a time.
    """

    accepted: int = 0
    finished: int = 0
    reset: int = 0
    timed_out: int = 0
    dropped: int = 0
    refused: int = 0
    broken: int = 0
    withheld: int = 0


class EchoService:
    """Keep the connections of one adapter's hosts. Time is given by the caller, in seconds.

    Args:
        mtu: Returns the adapter's MTU.
    """

    def __init__(self, mtu: Callable[[], int]) -> None:
        self.accounts = Accounts()
        self._mtu = mtu
        self._secret = token_bytes(16)
        self._connections: OrderedDict[_Pair, Connection] = OrderedDict()  # silent longest first
        self._packets: list[bytes] = []

    def __len__(self) -> int:
        """Return how many connections there are."""
        return len(self._connections)

    @property
    def held(self) -> int:
        """Bytes of data that all connections hold."""
        return sum(one.held for one in self._connections.values())

    def receive(self, message: Message, now: float) -> list[bytes]:
        """Take a segment; return the packets that answer it."""
        segment = segment_of(message)
        if segment is None:
            self.accounts.broken += 1
            return []
        here, there = message.receiver, message.sender
        pair = (here, segment.destination_port, there, segment.source_port)
        connection = self._connections.get(pair)
        if connection is not None:
            self._connections.move_to_end(pair)
            connection.receive(segment, now)
            self._settle(pair, connection)
        elif segment.rst:
            pass
        elif segment.destination_port != PORT or segment.ack:
            self._refuse(pair, segment)
        elif segment.syn and not segment.fin:
            self._accept(pair, segment, now)
        return self._take()

    def due(self) -> float:
        """Return when to run next; infinity if nothing waits for an acknowledgement."""
        return min((one.due() for one in self._connections.values()), default=inf)

    def run(self, now: float) -> list[bytes]:
        """Return what is to be sent again."""
        for pair, connection in list(self._connections.items()):
            connection.run(now)
            self._settle(pair, connection)
        return self._take()

    def forget(self, reached: Callable[[_Address], bool] = lambda _: False) -> None:
        """Forget connections silently, except those of addresses that are still there."""
        for pair in [pair for pair in self._connections if not reached(pair[0])]:
            del self._connections[pair]

    def _accept(self, pair: _Pair, segment: Segment, now: float) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._drop_one()
        here, port, there, remote_port = pair
        version = here.version
        key = pack("!HH", port, remote_port) + here.packed + there.packed
        digest = blake2s(key, key=self._secret, digest_size=4).digest()
        initial = (int.from_bytes(digest, "big") + int(now * _TICKS)) & MASK
        self.accounts.accepted += 1
        self._connections[pair] = Connection(
            segment,
            initial=initial,
            mss=partial(self._mss, version),
            default_mss=_DEFAULT_MSS[version],
            emit=partial(self._emit, pair),
            now=now,
        )

    def _mss(self, version: int) -> int:
        return max(1, min(_LARGEST_MSS, self._mtu() - _IP_HEADER[version] - HEADER))

    def _refuse(self, pair: _Pair, segment: Segment) -> None:
        """Answer as a closed port does (RFC 9293, section 3.10.7.1)."""
        self.accounts.refused += 1
        if segment.ack:
            self._emit(pair, Outgoing(TCP_RST, segment.acknowledgement))
        else:
            following = (segment.sequence + segment.length) & MASK
            self._emit(pair, Outgoing(TCP_RST | TCP_ACK, 0, following))

    def _drop_one(self) -> None:
        pairs = self._connections.items()
        half_open = (pair for pair, connection in pairs if not connection.established)
        pair = next(half_open, next(iter(self._connections)))
        self._connections.pop(pair).abort()
        self.accounts.dropped += 1

    def _settle(self, pair: _Pair, connection: Connection) -> None:
        self.accounts.withheld += connection.withheld
        connection.withheld = 0
        if connection.end is None:
            return
        del self._connections[pair]
        match connection.end:
            case End.FINISHED:
                self.accounts.finished += 1
            case End.RESET:
                self.accounts.reset += 1
            case End.TIMED_OUT:
                self.accounts.timed_out += 1

    def _emit(self, pair: _Pair, outgoing: Outgoing) -> None:
        here, port, there, remote_port = pair
        packet = build.tcp(
            here,
            there,
            port,
            remote_port,
            sequence=outgoing.sequence,
            acknowledgement=outgoing.acknowledgement,
            flags=outgoing.flags,
            window=outgoing.window,
            options=outgoing.options,
            payload=outgoing.data,
        )
        self._packets.append(packet)

    def _take(self) -> list[bytes]:
        packets, self._packets = self._packets, []
        return packets
