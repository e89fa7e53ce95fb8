"""Packets built by hand, of every kind the dashboard decodes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from random import Random

from wintun_api.packet import build
from wintun_api.packet.checksum import checksum, pseudo_header

V4 = ("10.6.7.7", "192.0.2.255")
V6 = ("fd06:7::7", "2001:db8::8000:1")


def crafted() -> Iterator[bytes]:
    """Yield them, in an order that does not change."""
    for kind in (_tcp, _udp, _icmp, _icmpv6, _ip, _dns, _others):
        yield from kind()


def _tcp() -> Iterator[bytes]:
    options = (
        b"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\x01\xe2\x40\0\0\0\0\x01\x03\x03\x07",  # Linux
        b"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02",  # Windows
        b"\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02",
        b"\x01\x01\x05\x0a\0\0\x03\xe8\0\0\x07\xd0",
        b"\x01\x01\x05\x12\0\0\x03\xe8\0\0\x07\xd0\0\0\x0b\xb8\0\0\x0f\xa0",
        b"\x02\x04\xff\xff\0\0\0\0",
    )
    for pair in (V4, V6):
        for flags in (0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x38, 0xC2, 0x00, 0x29):
            yield build.tcp(
                *pair, 50000 + flags, 8081, sequence=0xFFFFFFFF, acknowledgement=7, flags=flags
            )
        for each in options:
            yield _segment(pair, 0x02, each, b"")
        yield _segment(pair, 0x18, b"\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02", b"some data")
        for size in (1, 2, 63, 400):
            yield build.tcp(*pair, 50000, 9000, flags=0x18, payload=bytes(range(256))[:size] * 1)
    good = build.tcp(*V4, 50000, 9000, flags=0x18, payload=b"wrong checksum")
    yield good[:36] + b"\x12\x34" + good[38:]


def _segment(pair: tuple[str, str], flags: int, options: bytes, data: bytes) -> bytes:
    """A TCP segment with options: a bare one's parts, put together anew."""
    bare = build.tcp(*pair, 51000, 9000, sequence=1000, acknowledgement=2000, flags=flags)
    start = 20 if bare[0] >> 4 == 4 else 40
    header = bare[start : start + 12] + bytes([(20 + len(options)) // 4 << 4])
    segment = header + bare[start + 13 : start + 16] + b"\0\0\0\0" + options + data
    return _summed(pair, 6, segment, 16)


def _summed(pair: tuple[str, str], protocol: int, message: bytes, at: int) -> bytes:
    """IP around a message, whose checksum with pseudo-header is put at `at`."""
    around = build.ipv4 if "." in pair[0] else build.ipv6
    empty = around(*pair, protocol, b"")
    addresses = (empty[12:16], empty[16:20]) if len(empty) == 20 else (empty[8:24], empty[24:40])
    total = checksum(pseudo_header(*addresses, protocol, len(message)) + message)
    return around(*pair, protocol, message[:at] + total.to_bytes(2, "big") + message[at + 2 :])


def _udp() -> Iterator[bytes]:
    for pair in (V4, V6):
        for size in (0, 1, 2, 33, 500):
            yield build.udp(*pair, 40000 + size, 9, bytes(size))
    bare = build.udp(*V4, 40000, 9, b"no checksum")
    yield bare[:26] + b"\0\0" + bare[28:]
    yield bare[:26] + b"\xab\xcd" + bare[28:]
    six = build.udp(*V6, 40000, 9, b"no checksum")
    yield six[:46] + b"\0\0" + six[48:]
    for length in (0, 7, 14, 100, 65535):
        yield bare[:24] + length.to_bytes(2, "big") + bare[26:]


def _icmp() -> Iterator[bytes]:
    quoted = build.udp("192.0.2.255", "10.6.7.7", 5000, 6000, b"lost")
    for number in range(4):
        echo = build.icmp_echo(*V4, identifier=number * 257, sequence=number, data=bytes(number))
        yield echo
        yield build.icmp_echo(*V4, identifier=9, sequence=number, reply=True)
    for code in (0, 1, 2, 3, 5, 9, 10, 13):
        yield _icmp_message(bytes((3, code, 0, 0, 0, 0, 0, 0)) + quoted)
    yield _icmp_message(b"\x03\x04\0\0\0\0\x05\x14" + quoted)
    yield _icmp_message(b"\x05\x01\0\0\x0a\x06\x07\x01" + quoted)
    yield _icmp_message(b"\x0b\0\0\0\0\0\0\0" + build.tcp("192.0.2.9", "10.6.7.7", 1, 2))
    yield _icmp_message(b"\x0b\x01\0\0\0\0\0\0" + quoted[:28])
    yield _icmp_message(b"\x0c\0\0\0\x14\0\0\0" + quoted)
    broken = build.icmp_echo(*V4, identifier=1, sequence=2, data=b"x")
    yield broken[:22] + b"\xff\xee" + broken[24:]


def _icmp_message(message: bytes) -> bytes:
    total = checksum(message).to_bytes(2, "big")
    return build.ipv4("192.0.2.1", "10.6.7.7", 1, message[:2] + total + message[4:])


def _icmpv6() -> Iterator[bytes]:
    link = ("fe80::7", "ff02::1")
    lost = build.udp("2001:db8::8000:1", "fd06:7::7", 5000, 6000, b"lost")
    target = build.ipv6("fe80::1", "fe80::2", 0, b"")[24:40]
    address = b"\x01\x01\x02\0\0\0\0\x07"
    for number in range(3):
        yield build.icmp_echo(*V6, identifier=number, sequence=number * 300, data=bytes(number))
        yield build.icmp_echo(*V6, identifier=number, sequence=number, data=b"", reply=True)
    for code in range(7):
        yield _summed(V6, 58, bytes((1, code, 0, 0, 0, 0, 0, 0)) + lost, 2)
    yield _summed(V6, 58, b"\x02\0\0\0\0\0\x05\0" + lost, 2)
    for code in range(2):
        yield _summed(V6, 58, bytes((3, code, 0, 0, 0, 0, 0, 0)) + lost, 2)
    yield _summed(V6, 58, b"\x04\x01\0\0\0\0\0\x28" + lost, 2)
    yield _summed(("fe80::7", "ff02::2"), 58, b"\x85\0\0\0\0\0\0\0", 2)
    yield _summed(("fe80::7", "ff02::2"), 58, b"\x85\0\0\0\0\0\0\0" + address, 2)
    advertisement = b"\x86\0\0\0\x40\xc0\x07\x08\0\0\x75\x30\0\0\x03\xe8"
    prefix = b"\x03\x04\x40\xc0\0\x27\x8d\0\0\x09\x3a\x80\0\0\0\0" + b"\xfd\x06" + bytes(14)
    mtu = b"\x05\x01\0\0\0\0\x05\x8c"
    yield _summed(link, 58, advertisement, 2)
    yield _summed(link, 58, advertisement + address + prefix + mtu, 2)
    yield _summed(("fe80::7", "ff02::1:ff00:2"), 58, b"\x87\0\0\0\0\0\0\0" + target + address, 2)
    yield _summed(("::", "ff02::1:ff00:2"), 58, b"\x87\0\0\0\0\0\0\0" + target, 2)
    for flags in (0x60, 0xE0, 0x20, 0x00, 0x80):
        body = bytes((0x88, 0, 0, 0, flags, 0, 0, 0)) + target
        yield _summed(link, 58, body + b"\x02\x01\x02\0\0\0\0\x09", 2)
        yield _summed(link, 58, body, 2)
    for kind in (130, 131, 132):
        group = bytes(16) if kind == 130 else b"\xff\x02" + bytes(13) + b"\xfb"
        yield _summed(link, 58, bytes((kind, 0, 0, 0, 0x27, 0x10, 0, 0)) + group, 2)
    record = b"\x04\0\0\0\xff\x02" + bytes(13) + b"\xfb"
    yield _summed(("fe80::7", "ff02::16"), 58, b"\x8f\0\0\0\0\0\0\x02" + record * 2, 2)


def _ip() -> Iterator[bytes]:
    datagram = build.udp(*V4, 40000, 9, bytes(range(64)))
    for word, part in (
        (0x2000, datagram[20:44]),
        (0x2003, datagram[44:68]),
        (0x0006, datagram[68:]),
    ):
        yield _ipv4(part, 17, word=word)
    yield _ipv4(datagram[20:], 17, word=0x4000)
    yield _ipv4(datagram[20:], 17, options=b"\x94\x04\0\0")
    yield _ipv4(datagram[20:], 17, options=b"\x07\x0b\x04" + bytes(8) + b"\0")
    yield _ipv4(datagram[20:], 17, options=b"\x01\x01\x01\0")
    yield _ipv4(datagram[20:], 17, tos=0xB9)
    for protocol in (2, 47, 50, 89, 103, 112, 132, 253):
        yield build.ipv4(*V4, protocol, bytes(range(32)))
    yield build.ipv4(*V4, 4, datagram)
    yield build.ipv4(*V4, 41, build.udp(*V6, 1, 2, b"inside"))
    yield build.ipv6(*V6, 4, datagram)
    yield build.ipv6(*V6, 41, build.icmp_echo(*V6, identifier=1, sequence=1))
    yield datagram + b"trailing bytes"
    wrong = bytearray(datagram)
    wrong[10:12] = b"\x12\x34"
    yield bytes(wrong)
    upper = build.udp(*V6, 40000, 9, b"behind headers")[40:]
    padding = b"\x01\x04\0\0\0\0"
    yield build.ipv6(*V6, 0, b"\x11\0" + padding + upper)
    yield build.ipv6(*V6, 0, b"\x3c\0\x05\x02\0\0\x01\0" + b"\x11\0" + padding + upper)
    yield build.ipv6(*V6, 60, b"\x11\x01\x01\x0c" + bytes(12) + upper)
    yield build.ipv6(*V6, 43, b"\x11\0\x04\0\0\0\0\0" + upper)
    yield build.ipv6(*V6, 44, b"\x11\0\0\x01\0\0\x12\x34" + upper)
    yield build.ipv6(*V6, 44, b"\x11\0\0\x10\0\0\x12\x34" + b"the rest of it, and more")
    yield build.ipv6(*V6, 44, b"\x11\0\0\0\0\0\x12\x34" + upper)
    yield build.ipv6(*V6, 51, b"\x11\x04\0\0\0\0\x01\0\0\0\0\x02" + bytes(12) + upper)
    yield build.ipv6(*V6, 59, b"")
    yield build.ipv6(*V6, 140, b"\x11\0" + bytes(6) + upper)
    yield build.ipv6(*V6, 60, b"\0\0" + padding + b"\x11\0" + padding + upper)
    yield build.ipv4(*V4, 4, build.udp(*V6, 1, 2, b"inside"))
    authentication = b"\x11\x04\0\0\0\0\x01\0\0\0\0\x02" + bytes(12)
    yield build.ipv4(*V4, 51, authentication + datagram[20:])
    yield b"\x6f\xfa\xbc\xde" + build.ipv6(*V6, 17, upper)[4:]


def _ipv4(
    payload: bytes, protocol: int, *, word: int = 0, options: bytes = b"", tos: int = 0
) -> bytes:
    size = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | size // 4, tos, size + len(payload), 0x1234, word, 64, protocol, 0,
        IPv4Address(V4[0]).packed, IPv4Address(V4[1]).packed,
    )  # fmt: skip
    head += options
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def _dns() -> Iterator[bytes]:
    def name(text: str) -> bytes:
        parts = [one.encode("ascii") for one in text.split(".") if one]
        return b"".join(bytes((len(one),)) + one for one in parts) + b"\0"

    def message(flags: int, question: bytes, *records: bytes, counts: str = "000") -> bytes:
        others = (int(one) for one in counts)  # answers, authorities, additional ones
        return struct.pack("!HHHHHH", 0xBEEF, flags, 1, *others) + question + b"".join(records)

    def record(owner: bytes, kind: int, data: bytes, ttl: int = 60) -> bytes:
        return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data

    asked = name("a.example.com") + b"\0\x01\0\x01"
    back = b"\xc0\x0c"
    a = record(back, 1, b"\xc0\0\x02\x07")
    many = [record(back, 1, bytes((192, 0, 2, n))) for n in range(6)]
    other = b"\x01b\xc0\x0e"
    chain = [record(back, 5, other), record(other, 1, b"\xc0\0\x02\x08")]
    authority = name("ns1.example.com") + name("admin.example.com") + bytes(20)
    server = record(b"\xc0\x0e", 2, name("ns1.example.com"))
    long = name("x" * 60 + ".example.com") + b"\0\x41\0\x01"
    glue = record(name("ns1.example.com"), 28, b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01")
    option = b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)
    messages = [
        message(0x0100, asked),
        message(0x0100, name("") + b"\0\x02\0\x01"),
        message(0x0120, long, option, counts="001"),
        message(0x8180, asked, a, counts="100"),
        message(0x8580, asked, *many, counts="600"),
        message(0x8180, asked, *chain, counts="200"),
        message(0x8183, asked, record(back, 6, authority), counts="010"),
        message(0x8180, asked, a, server, glue, counts="111"),
        message(0x8182, asked),
        message(0x8185, asked),
        message(0x8380, asked),
    ]
    for number, each in enumerate(messages):
        port = 50000 + number
        there = (V4, V6)[number % 2]
        response = each[2] >> 7
        ports = (53, port) if response else (port, 53)
        yield build.udp(*there, *ports, each)
    framed = len(messages[3]).to_bytes(2, "big") + messages[3]
    yield build.tcp(*V4, 53, 50000, flags=0x18, payload=framed)
    question = name("_http._tcp.local") + b"\0\x0c\0\x01"
    yield build.udp("10.6.7.7", "224.0.0.251", 5353, 5353, bytes(5) + b"\x01" + bytes(6) + question)
    asks_back = question[:-2] + b"\x80\x01"
    yield build.udp("fe80::7", "ff02::fb", 5353, 5353, bytes(5) + b"\x01" + bytes(6) + asks_back)


def _others() -> Iterator[bytes]:
    yield build.tcp(
        *V4, 50000, 80, flags=0x18, payload=b"GET /x?y=1 HTTP/1.1\r\nHost: example.com\r\n\r\n"
    )
    yield build.tcp(
        *V4, 80, 50000, flags=0x18, payload=b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"
    )
    head = bytes((1, 1, 6, 0)) + b"\x12\x34\x56\x78" + bytes(20) + b"\x02\0\0\0\0\x07" + bytes(202)
    for kind in (1, 3):
        body = head + b"\x63\x82\x53\x63\x35\x01" + bytes((kind,)) + b"\x0c\x04host\xff"
        yield build.udp("0.0.0.0", "255.255.255.255", 68, 67, body)
    answer = b"\x02" + head[1:16] + b"\x0a\x06\x07\x63" + head[20:]
    yield build.udp(
        "10.6.7.1",
        "10.6.7.99",
        67,
        68,
        answer + b"\x63\x82\x53\x63\x35\x01\x05\x33\x04\0\0\x0e\x10\xff",
    )
    yield build.udp(*V4, 123, 123, b"\x23" + bytes(47))
    yield build.udp(*V4, 123, 123, b"\x24\x02\x06\xe9" + bytes(36) + b"\xe9\0\0\0\0\0\0\0")
    noise = Random(7).randbytes(90)  # scenery, no secret
    yield build.tcp(*V4, 50000, 443, flags=0x18, payload=b"\x17\x03\x03\0\x5a" + noise)
    yield build.tcp(
        *V4,
        50000,
        443,
        flags=0x18,
        payload=b"\x14\x03\x03\0\x01\x01" + b"\x15\x03\x03\0\x02\x02\x28",
    )
