"""Packets of every nesting, whole and broken, and what `decode` says of them.

`python -m tests.packet.agreement` writes both to web/test/packet/agreement.json, which the
dashboard's decoder and its filter are held to; test_agreement.py holds that file to `decode`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from wintun_api.packet import build
from wintun_api.packet.checksum import checksum
from wintun_api.packet.decode import decode

VECTORS = Path(__file__).parents[2] / "web" / "test" / "packet" / "agreement.json"
COUNT = 2400
SEED = 20

V4 = (("10.6.7.7", "192.0.2.255"), ("10.9.0.1", "10.9.0.2"), ("203.0.113.1", "198.51.100.9"))
V6 = (("fd06:7::7", "2001:db8::8000:1"), ("fe80::1", "ff02::1"), ("fd06:8::1", "fd06:8::2"))
EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)
UPPER = (1, 2, 4, 6, 17, 33, 41, 47, 50, 58, 59, 89, 132, 136, 253, 254)

BAD, GOOD, UNVERIFIED, NONE, ILLEGAL = range(5)


def vectors() -> list[list[object]]:
    """Return packets, the checksum's expected status or None, and what `decode` says."""
    random = Random(SEED)  # scenery, no secret
    made = [*_known(random), *_nested(), *_routed(), *_numbers()]
    made += [(_generated(random), None) for _ in range(COUNT - len(made))]
    return [[packet.hex(), status, *said(packet)] for packet, status in made]


def said(packet: bytes) -> list[object]:
    """Return what `decode` says of a packet, as far as the dashboard's filter can say it too."""
    summary = decode(packet)
    return [
        summary.version,
        summary.source,
        summary.destination,
        summary.protocol,
        summary.source_port,
        summary.destination_port,
        "nested headers" in summary.info,
        "bad length" in summary.info,
        "invalid checksum" in summary.info,
    ]


def _known(random: Random) -> Iterator[tuple[bytes, int | None]]:
    """Packets whose checksum is known to be right, wrong, absent or not to be told."""
    for pair in (*V4, *V6):
        start = 20 if "." in pair[0] else 40
        for size in (0, 1, 2, 7, 40):
            data = random.randbytes(size)
            datagram = build.udp(*pair, 1000, 2000, data)
            segment = build.tcp(*pair, 1000, 2000, payload=data)
            echo = build.icmp_echo(*pair, identifier=size, sequence=1, data=data)
            for packet, place in ((datagram, 6), (segment, 16), (echo, 2)):
                yield packet, GOOD
                yield _put(packet, start + place, _word(packet, start + place) ^ 0x0100), BAD
                yield packet + b"trailing", GOOD
            yield _put(datagram, start + 6, 0), NONE if start == 20 else ILLEGAL
            yield _put(datagram, start + 4, 65535), UNVERIFIED
            yield _put(datagram, start + 4, 7), UNVERIFIED
            if start == 20:
                yield _summed(_put(datagram, 6, 0x2000)), UNVERIFIED
                yield _put(datagram, 24, 0), UNVERIFIED
            else:
                yield build.ipv6(*pair, 44, b"\x11\0\0\1\0\0\0\1" + datagram[40:]), UNVERIFIED
            # The tunnels' own headers say nothing of the checksum inside.
            for around in (build.ipv4(*V4[1], 4, datagram), build.ipv6(*V6[2], 41, datagram)):
                yield around, GOOD
                yield around[:-1], UNVERIFIED if size else None  # the header is cut
            # UDP may end before IP does: the checksum covers what UDP has.
            longer = b"behind"
            if start == 20:
                yield _summed(_put(datagram, 2, len(datagram) + 6)) + longer, GOOD
            else:
                yield _put(datagram, 4, len(datagram) - 40 + 6) + longer, GOOD


def _nested() -> Iterator[tuple[bytes, int | None]]:
    """Headers in headers, around the number of them that is followed; fragments in fragments."""
    inner = build.tcp(*V4[0], 1000, 80)
    six = build.udp(*V6[0], 1000, 53, b"x")
    for count in (*range(30, 34), 100):
        for version in (4, 6):
            packet = inner if version == 4 else six
            for _ in range(count):
                packet = (
                    build.ipv4(*V4[1], 4, packet)
                    if version == 4
                    else build.ipv6(*V6[1], 41, packet)
                )
            yield packet, None
        for kind in EXTENSIONS:
            data, following = six[40:], 17
            for _ in range(count):
                data, following = _extension(kind, following, 8 + (kind == 51) * 4) + data, kind
            yield build.ipv6(*V6[0], kind, data), None
        quoted = inner
        for _ in range(count):
            quoted = build.ipv4(*V4[1], 1, b"\x03\x03" + bytes(6) + quoted)
        yield quoted, None
    # The last header that is followed claims more than there is.
    data, following = six[40:], 17
    for number in range(34):
        header = _extension(60, following, 8)
        if number == 2:
            header = header[:1] + b"\xf0" + header[2:]
        data, following = header + data, 60
    yield build.ipv6(*V6[0], 60, data[8:]), None
    yield build.ipv6(*V6[0], 60, data), None
    # A fragment header that says "whole" does not undo one that says "more follow".
    lying = _put(six, 44, 65535)[40:]
    for words in ((1, 0), (0, 1), (0, 0), (1, 1), (0, 8), (1, 8)):
        data, following = lying, 17
        for word in reversed(words):
            data, following = _extension(44, following, 8, word) + data, 44
        yield build.ipv6(*V6[0], 44, data), None
    for first, word in ((0x2000, 0), (0, 1), (0, 0)):
        data = _extension(51, 44, 16) + _extension(44, 17, 8, word) + lying
        yield _summed(_put(build.ipv4(*V4[0], 51, data), 6, first)), None


def _routed() -> Iterator[tuple[bytes, int | None]]:
    """Source routes and routing headers: the checksum is over the last address."""
    for layer in (6, 17):
        rest = () if layer == 6 else (b"data",)
        make: Callable[..., bytes] = build.tcp if layer == 6 else build.udp
        for kind, pointer, size in itertools.product((131, 137, 7), (3, 4, 8, 12, 40), (7, 11, 3)):
            option = bytes((kind, size, pointer)) + b"\xc6\x33\x64\x01\xc6\x33\x64\x02"[: size - 3]
            option += bytes(-size % 4)
            ahead = kind != 7 and size >= 7 and 4 <= pointer <= size - 3
            goal = f"198.51.100.{(size - 3) // 4}" if ahead else V4[0][1]
            body = make(V4[0][0], goal, 1000, 2000, *rest)[20:]
            head = build.ipv4(*V4[0], layer, body)[:20]
            head = bytes((0x45 + len(option) // 4,)) + head[1:]
            whole = _put(head + option + body, 2, 20 + len(option) + len(body))
            yield _summed(whole), GOOD
        for kind, left in itertools.product((0, 1, 2, 4), (0, 1, 2)):
            hops = [bytes(15) + bytes((number,)) for number in (7, 8)]
            last = {0: hops[1], 2: hops[1], 4: hops[0]}.get(kind) if left else None
            goal = V6[0][1] if last is None else f"::{last[15]}"
            body = make(V6[0][0], goal, 1000, 2000, *rest)[40:]
            route = bytes((layer, 4, kind, left)) + bytes(4) + b"".join(hops)
            yield build.ipv6(*V6[0], 43, route + body), GOOD


def _numbers() -> Iterator[tuple[bytes, int | None]]:
    """Every number of a protocol, also of those that nobody knows."""
    for number in range(256):
        for data in (b"", bytes((59, 0)) + bytes(range(38))):
            yield build.ipv4(*V4[0], number, data), None
            yield build.ipv6(*V6[0], number, data), None


def _generated(random: Random) -> bytes:
    """Headers in headers at random, often with a broken byte or length, or cut."""
    packet = _ip(random, _upper(random), random.choice(UPPER))
    while len(packet) < 400 and random.random() < 0.4:
        packet = _ip(random, packet, 4 if packet[0] >> 4 == 4 else 41)
    broken = bytearray(packet)
    for _ in range(random.choice((0, 0, 0, 1, 1, 3))):
        at = random.randrange(min(len(broken), 120))
        broken[at] = random.choice((0, 1, 255, broken[at] ^ 1, random.randrange(256)))
    if random.random() < 0.3:
        del broken[random.randrange(len(broken)) :]
    return bytes(broken) + random.choice((b"", b"", b"", b"\0" * 6))


def _ip(random: Random, data: bytes, protocol: int) -> bytes:
    if random.random() < 0.4:
        if random.random() < 0.1:
            data, protocol = _extension(51, protocol, 16) + data, 51
        packet = build.ipv4(*random.choice(V4), protocol, data)
        if random.random() < 0.15:
            word = random.choice((0x2000, 0x2001, 0x0001, 0x1FFF, 0x4000, 0x8000))
            packet = _summed(_put(packet, 6, word))
        return packet
    while random.random() < 0.5:
        kind = random.choice(EXTENSIONS)
        size = 16 if kind == 51 else random.choice((8, 8, 16, 24))
        data, protocol = (
            _extension(kind, protocol, size, random.choice((0, 0, 1, 8, 9))) + data,
            kind,
        )
    packet = build.ipv6(*random.choice(V6), protocol, data)
    return _put(packet, 4, 0) if random.random() < 0.1 else packet


def _extension(kind: int, following: int, size: int, word: int = 1) -> bytes:
    if kind == 44:
        return bytes((following, 0)) + word.to_bytes(2, "big") + bytes(4)
    if kind == 43 and size == 24:
        # A route: of addresses, of segments, or of a kind that nobody knows.
        return bytes((following, 2, word % 5, word % 3)) + bytes(19) + bytes((word % 7,))
    length = size // 4 - 2 if kind == 51 else size // 8 - 1
    return bytes((following, length, 1, size - 4)) + bytes(size - 4)


def _upper(random: Random) -> bytes:
    ports = random.randbytes(4)
    kind = random.randrange(3)
    if kind == 0:
        length = random.choice((8, 12, 0, 7, 9, 65535))
        return ports + length.to_bytes(2, "big") + random.choice((b"\0\0", b"\1\2")) + bytes(4)
    if kind == 1:
        offset = random.choice((5, 5, 5, 0, 4, 6, 15))
        return ports + random.randbytes(8) + bytes((offset << 4, 2)) + random.randbytes(10)
    return random.randbytes(random.choice((0, 1, 3, 4, 7, 8, 30)))


def _put(packet: bytes, at: int, value: int) -> bytes:
    return packet[:at] + value.to_bytes(2, "big") + packet[at + 2 :]


def _word(packet: bytes, at: int) -> int:
    return int.from_bytes(packet[at : at + 2], "big")


def _summed(packet: bytes) -> bytes:
    packet = _put(packet, 10, 0)
    return _put(packet, 10, checksum(packet[: (packet[0] & 15) * 4]))


def write() -> None:
    """Write the vectors for the dashboard's tests."""
    lines = [json.dumps(each, separators=(",", ":")) for each in vectors()]
    VECTORS.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    write()
