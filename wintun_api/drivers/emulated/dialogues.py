"""Hold a host's conversations with peers that answer: DNS, web, QUIC, ping, NTP, mDNS, syslog.

Each is a generator that is sent what the peer has answered, or None when it has waited long enough.
So a host repeats what was lost, acknowledges what it got, and gives up, as hosts do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import inf
from random import Random
from typing import NamedTuple, TypeAlias

from wintun_api.drivers.emulated import scenery
from wintun_api.drivers.emulated.machine import Device
from wintun_api.drivers.emulated.message import Message, message_of
from wintun_api.drivers.emulated.numbering import Numbering
from wintun_api.drivers.emulated.scenery import AAAA, MSS, A, Address
from wintun_api.drivers.emulated.segment import MASK, Segment, mss_option, segment_of
from wintun_api.packet import build
from wintun_api.packet.build import TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN

MAX_TALKS = 24
LINGER = 1.0  # seconds in which a peer may still say something
PATIENCE = 0.4  # seconds for an answer; it doubles with each time
ATTEMPTS = 4
FIRST_PORT = 49152  # RFC 6335, section 6

Key: TypeAlias = tuple[int, Address, int, int]  # protocol, peer, its port, own port or identifier


class Act(NamedTuple):
    """Say what a host sends, and for what it waits how long."""

    packets: list[bytes]
    wait: float
    key: Key


Steps: TypeAlias = Generator[Act, Message | None, None]
Asked: TypeAlias = Generator[Act, Message | None, Message | None]


@dataclass(slots=True)
class _Talk:
    steps: Steps
    key: Key
    due: float


class Dialogues:
    """Keep the conversations of one device. Time is given by the caller, in seconds.

    Args:
        device: The device whose addresses are used; link-local ones while it has none.
        random: Source of random choices.
    """

    def __init__(self, device: Device, random: Random) -> None:
        self._device = device
        self._random = random
        self._talks: dict[Key, _Talk] = {}
        self._numbered = Numbering(128, random.randrange(1 << 16))
        self._kinds: tuple[Callable[[Address], Steps], ...] = (
            *(self._web, self._web, self._web, self._secure, self._secure, self._secure),
            *(self._lookup, self._nothing, self._quic, self._ping, self._ping),
            *(self._clock, self._printers, self._syslog),
        )

    def __len__(self) -> int:
        """Return how many conversations there are."""
        return len(self._talks)

    def begin(self, now: float) -> list[bytes]:
        """Begin a conversation, if there are not too many; return what the host sends."""
        if len(self._talks) >= MAX_TALKS:
            return []
        steps = self._random.choice(self._kinds)(self._own_address())
        return self._go_on(_Talk(steps, (0, IPv4Address(0), 0, 0), now), None, now, first=True)

    def receive(self, packet: bytes, now: float) -> list[bytes] | None:
        """Take a packet that came to the host; return what it answers, None if it is for others."""
        message = message_of(packet)
        key = None if message is None else _key_of(message)
        talk = None if key is None else self._talks.get(key)
        return None if talk is None else self._go_on(talk, message, now)

    def due(self) -> float:
        """Return when to run next; infinity if nothing is waited for."""
        return min((talk.due for talk in self._talks.values()), default=inf)

    def run(self, now: float) -> list[bytes]:
        """Return what the host sends because nothing has come for a while."""
        packets: list[bytes] = []
        for talk in list(self._talks.values()):
            if talk.due <= now:
                packets += self._go_on(talk, None, now)
        return packets

    def _go_on(
        self, talk: _Talk, message: Message | None, now: float, *, first: bool = False
    ) -> list[bytes]:
        if self._talks.get(talk.key) is talk:
            del self._talks[talk.key]
        try:
            act = next(talk.steps) if first else talk.steps.send(message)
        except StopIteration:
            return []
        talk.key, talk.due = act.key, now + act.wait
        self._talks[talk.key] = talk
        return act.packets

    def _own_address(self) -> Address:
        own = self._device.addresses
        version = 4 if self._random.random() < 0.7 else 6
        addresses = [one.ip for one in own if one.version == version]
        if addresses:
            return self._random.choice(addresses)
        if own:
            return own[0].ip
        low = self._device.luid >> 24 & 0xFF
        return IPv4Address(f"169.254.77.{low}") if version == 4 else IPv6Address(f"fe80::{low:x}")

    def _neighbour(self, own: Address) -> Address:
        for one in self._device.addresses:
            if one.ip == own and one.network.num_addresses > 2:
                first = one.network.network_address + 1
                return first if first != own else first + 1
        return own + 1

    def _port(self) -> int:
        return self._random.randrange(FIRST_PORT, 65536)

    # Datagrams

    def _ask(self, own: Address, to: Address, port: int, there: int, data: bytes) -> Asked:
        """Send a datagram until something comes back; return that, None if nothing does."""
        key = (build.UDP, to, there, port)
        for attempt in range(ATTEMPTS):
            packet = self._numbered(build.udp(own, to, port, there, data))
            reply = yield Act([packet], PATIENCE * 2**attempt, key)
            if reply is not None:
                return reply
        return None

    def _resolve(self, own: Address, name: str) -> Asked:
        kind = A if own.version == 4 else AAAA
        query = scenery.question(name, kind, self._random.randrange(1 << 16))
        return (yield from self._ask(own, self._neighbour(own), self._port(), 53, query))

    def _name(self) -> str:
        return self._random.choice(list(scenery.NAMES))

    def _lookup(self, own: Address) -> Steps:
        yield from self._resolve(own, self._name())

    def _nothing(self, own: Address) -> Steps:
        yield from self._resolve(own, self._random.choice(scenery.MISSING))

    def _clock(self, own: Address) -> Steps:
        to = scenery.address_of("example.com", own.version)
        yield from self._ask(own, to, self._port(), 123, scenery.clock_question())

    def _syslog(self, own: Address) -> Steps:
        to, port = self._neighbour(own), self._port()
        line = b"<30>demo: The host says that it is well."
        packet = self._numbered(build.udp(own, to, port, 514, line))
        yield Act([packet], LINGER, (build.UDP, to, 514, port))

    def _printers(self, own: Address) -> Steps:
        group = ip_address("224.0.0.251" if own.version == 4 else "ff02::fb")
        query = scenery.question(self._random.choice(scenery.SERVICES), scenery.PTR, 0, 0)
        packet = self._numbered(build.udp(own, group, 5353, 5353, query), 255)
        yield Act([packet], LINGER, (build.UDP, group, 5353, 5353))

    def _ping(self, own: Address) -> Steps:
        to, identifier = self._neighbour(own), self._random.randrange(1 << 16)
        data = bytes(range(97, 120)) + bytes(range(97, 106))
        key = (build.ICMP if own.version == 4 else build.ICMPV6, to, 0, identifier)
        for sequence in range(1, 5):
            packet = build.icmp_echo(own, to, identifier=identifier, sequence=sequence, data=data)
            if (yield Act([self._numbered(packet)], LINGER, key)) is not None:
                yield Act([], LINGER, key)

    def _quic(self, own: Address) -> Steps:
        name = self._name()
        if (yield from self._resolve(own, name)) is None:
            return
        to, port, random = scenery.address_of(name, own.version), self._port(), self._random
        identity = random.randbytes(8)
        key = (build.UDP, to, 443, port)
        if (
            yield from self._ask(own, to, port, 443, scenery.quic_initial(random, identity))
        ) is None:
            return
        for _ in range(random.randrange(2, 7)):
            data = scenery.quic_data(random, identity, random.randrange(30, 500))
            packet = self._numbered(build.udp(own, to, port, 443, data))
            yield Act([packet], random.uniform(0.1, 0.5), key)
            while (yield Act([], random.uniform(0.1, 0.5), key)) is not None:
                pass

    # TCP

    def _web(self, own: Address) -> Steps:
        name = self._name()
        path = self._random.choice(("/", "/index.html", "/news", "/favicon.ico"))
        yield from self._connect(own, name, 80, [scenery.request(name, path)])

    def _secure(self, own: Address) -> Steps:
        name, random = self._name(), self._random
        more = [
            scenery.encrypted(random.randrange(80, 900), random)
            for _ in range(random.randrange(0, 4))
        ]
        said = [scenery.client_hello(name, random), scenery.finished(random), *more]
        yield from self._connect(own, name, 443, said)

    def _connect(self, own: Address, name: str, there: int, said: list[bytes]) -> Steps:
        """Look a name up, connect to it, and say these things, each after the answer before."""
        reply = yield from self._resolve(own, name)
        if reply is None:
            return
        to = scenery.address_of(name, own.version)
        stream = _Stream(own, to, self._port(), there, self._random.randrange(1 << 32))
        segment: Segment | None = None
        for attempt in range(ATTEMPTS):
            syn = self._numbered(stream.segment(TCP_SYN, options=mss_option(MSS)))
            message = yield Act([syn], PATIENCE * 2**attempt, stream.key)
            if message is not None:
                segment = segment_of(message)
                break
        if segment is None or segment.rst or not segment.syn:
            return
        stream.begin(segment)
        packets = [stream.segment(TCP_ACK)]
        for data in said:
            packets += stream.say(data)
            alive = yield from self._exchange(stream, packets)
            if not alive:
                return
            packets = []
            while (yield Act([], self._random.uniform(0.1, 0.8), stream.key)) is not None:
                pass
        yield from self._exchange(stream, [stream.segment(TCP_FIN | TCP_ACK)], closing=True)

    def _exchange(
        self, stream: _Stream, packets: list[bytes], *, closing: bool = False
    ) -> Generator[Act, Message | None, bool]:
        """Send segments until they are answered; return whether the connection goes on."""
        last, attempt = packets[-1:], 0
        if closing:
            stream.next = (stream.next + 1) & MASK
        while True:
            wait = PATIENCE * 2**attempt
            message = yield Act([self._numbered(one) for one in packets], wait, stream.key)
            packets = []
            if message is None:
                attempt += 1
                if attempt == ATTEMPTS:
                    return False
                # What was said is said again; what is missing in the answer is asked for again.
                packets = [stream.segment(TCP_ACK)] if stream.answered else last
                continue
            segment = segment_of(message)
            if segment is None:
                continue
            if segment.rst:
                return False
            attempt = 0
            packets, complete = stream.take(segment)
            if stream.over:
                if not closing:
                    packets.append(stream.segment(TCP_FIN | TCP_ACK))
                    stream.next = (stream.next + 1) & MASK
                yield Act([self._numbered(one) for one in packets], LINGER, stream.key)
                return False
            if complete and not closing:
                yield Act([self._numbered(one) for one in packets], 0.001, stream.key)
                return True


class _Stream:
    """Hold a host's end of a TCP connection."""

    def __init__(self, own: Address, to: Address, port: int, there: int, initial: int) -> None:
        self.key: Key = (build.TCP, to, there, port)
        self.next, self.wanted = initial, 0
        self.answered = self.over = False
        self._ends = (own, to, port, there)
        self._early: dict[int, Segment] = {}
        self._owed = 0  # segments that are not acknowledged

    def begin(self, segment: Segment) -> None:
        """Take the peer's answer to the first segment."""
        self.next = (self.next + 1) & MASK
        self.wanted = (segment.sequence + 1) & MASK

    def segment(
        self, flags: int, data: bytes = b"", *, options: bytes = b"", sequence: int | None = None
    ) -> bytes:
        """Return a segment; it does not count what it sends."""
        return build.tcp(
            *self._ends,
            sequence=self.next if sequence is None else sequence,
            acknowledgement=self.wanted if flags & TCP_ACK else 0,
            flags=flags,
            options=options,
            payload=data,
        )

    def say(self, data: bytes) -> list[bytes]:
        """Return the segments that carry these data, and expect an answer to them."""
        packets = []
        self.answered = False
        for at in range(0, len(data), MSS):
            piece = data[at : at + MSS]
            last = at + MSS >= len(data)
            packets.append(self.segment(TCP_ACK | (TCP_PSH if last else 0), piece))
            self.next = (self.next + len(piece)) & MASK
        return packets

    def take(self, segment: Segment) -> tuple[list[bytes], bool]:
        """Take a segment; return what acknowledges it, and whether the answer is complete."""
        if not segment.data and not segment.fin:
            return [], False
        self.answered = True
        ahead = (segment.sequence - self.wanted) & MASK
        if ahead:
            if ahead < 1 << 31 and len(self._early) < 64:
                self._early[segment.sequence] = segment
            return [self.segment(TCP_ACK)], False  # it says again what is wanted
        pushed = False
        one: Segment | None = segment
        while one is not None:
            self.wanted = (self.wanted + len(one.data) + one.fin) & MASK
            self.over = self.over or one.fin
            pushed = bool(one.flags & TCP_PSH) or one.fin
            self._owed += 1
            one = self._early.pop(self.wanted, None)
        complete = pushed and not self._early
        if self._owed < 2 and not complete and not self.over:
            return [], False
        self._owed = 0
        return [self.segment(TCP_ACK)], complete


def _key_of(message: Message) -> Key | None:
    """Return the key of the conversation to which a message belongs."""
    data = message.data
    if message.protocol in (build.UDP, build.TCP) and len(data) >= 8:
        source, own = int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big")
        to: Address = message.receiver if message.receiver.is_multicast else message.sender
        return message.protocol, to, source, own
    if message.protocol in (build.ICMP, build.ICMPV6) and len(data) >= 8:
        if data[0] in (build.ECHO_REPLY, build.ECHO_REPLY_V6):
            return message.protocol, message.sender, 0, int.from_bytes(data[4:6], "big")
        return _key_of_error(message)
    return None


def _key_of_error(message: Message) -> Key | None:
    """Return the key of the conversation whose datagram an ICMP error quotes."""
    quoted = message.data[8:]
    if len(quoted) < 28 or quoted[0] >> 4 != 4 or quoted[9] != build.UDP:
        return None
    start = (quoted[0] & 15) * 4
    own = int.from_bytes(quoted[start : start + 2], "big")
    there = int.from_bytes(quoted[start + 2 : start + 4], "big")
    return build.UDP, IPv4Address(quoted[16:20]), there, own
