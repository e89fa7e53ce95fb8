"""Packets that filters tell apart, and a file of them in the format of libpcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from wintun_api.packet import build

T = TypeVar("T")

RAW = 101  # LINKTYPE_RAW
MAGIC = 0xA1B2C3D4
FOUR = ("10.6.7.8", "10.6.7.7", "192.168.1.9", "224.0.0.251", "255.255.255.255", "127.0.0.1")
SIX = ("fd06:7::8", "fd06:7::7", "2001:db8::1", "ff02::1", "::1")
PORTS = (22, 53, 80, 443, 1000, 8080, 40000, 65535)
SIZES = (0, 1, 4, 60, 64, 99, 100, 101, 512, 1400, 9000)
FLAGS = (0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x29, 0xC2)
CUT = 44  # bytes of a packet that was cut


def packets() -> list[bytes]:
    """Return hundreds of packets, the same at every call: whole, strange and damaged ones."""
    chance = Random(7)
    made = [one for _ in range(36) for one in _one_of_each(chance)]
    chance.shuffle(made)
    return [one for one in made if one]


def _one_of_each(chance: Random) -> Iterator[bytes]:
    four, six, ports = _two(chance, FOUR), _two(chance, SIX), _two(chance, PORTS)
    ends = chance.choice((four, six))
    payload = bytes(chance.choice(SIZES))
    flags, options = chance.choice(FLAGS), chance.choice((b"", b"\2\4\5\xb4", bytes(40)))
    yield build.udp(*ends, *ports, payload)
    yield (tcp := build.tcp(*ends, *ports, flags=flags, options=options, payload=payload))
    number, reply = chance.randrange(100), chance.random() < 0.5
    yield build.icmp_echo(*ends, identifier=1, sequence=number, data=payload, reply=reply)
    protocol = chance.choice((1, 2, 4, 6, 17, 41, 47, 50, 51, 89, 103, 132, 255))
    yield build.ipv4(*four, protocol, payload, ttl=chance.choice((1, 64, 255)))
    yield build.ipv6(*six, protocol, payload, hop_limit=chance.choice((1, 64)))
    yield _with_options(build.udp(*four, *ports, payload), chance.choice((1, 5, 10)))
    yield _fragment(build.udp(*four, *ports, payload), chance)
    header = bytes((17, 0)) + bytes(6)  # an extension header, and a fragment's
    yield build.ipv6(
        *six, chance.choice((0, 43, 44, 60)), header + build.udp(*six, *ports, b"")[40:]
    )
    inner = build.icmp_echo(*four, identifier=1, sequence=1)
    yield build.ipv4(*four, 4, inner)
    yield tcp[: chance.randrange(len(tcp))]
    damaged = bytearray(tcp)
    damaged[chance.randrange(min(40, len(tcp)))] = chance.randrange(256)
    yield bytes(damaged)


def _two(chance: Random, among: Sequence[T]) -> tuple[T, T]:
    first, second = chance.sample(among, 2)
    return first, second


def _with_options(packet: bytes, words: int) -> bytes:
    header = bytes((0x45 + words,)) + packet[1:20] + b"\1" * 4 * words
    return header + packet[20:]


def _fragment(packet: bytes, chance: Random) -> bytes:
    """Return a packet that says it is a fragment; its checksum is no longer right."""
    field = chance.choice((0x2000, 0x2001, 0x0010, 0x4000)).to_bytes(2, "big")
    return packet[:6] + field + packet[8:]


def file_of(packets: Sequence[bytes], *, cut: int = 65535) -> bytes:
    """Return a capture file whose packets have their place as the time, in seconds."""
    records = (
        struct.pack("=4I", at, 0, min(len(one), cut), len(one)) + one[:cut]
        for at, one in enumerate(packets)
    )
    return struct.pack("=I2HiIII", MAGIC, 2, 4, 0, 0, 65535, RAW) + b"".join(records)


def places_in(file: bytes) -> list[int]:
    """Return the times of a file's packets, in seconds."""
    at, found = 24, []
    while at < len(file):
        seconds, _, length, _ = struct.unpack_from("=4I", file, at)
        found.append(seconds)
        at += 16 + length
    return found
