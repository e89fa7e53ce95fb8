from __future__ import annotations

import pytest

from wintun_api.drivers.emulated.message import message_of
from wintun_api.packet import build
from wintun_api.packet.checksum import checksum

V4, V6 = ("10.6.7.8", "10.6.7.7"), ("fd06:7::8", "fd06:7::7")


@pytest.mark.parametrize("ends", [V4, V6])
def test_message(ends: tuple[str, str]) -> None:
    """A message has addresses, protocol and data, without padding behind the packet."""
    packet = build.udp(*ends, 1, 2, b"data")
    message = message_of(packet + bytes(7))
    assert message is not None
    assert (str(message.sender), str(message.receiver)) == ends
    assert (message.protocol, message.data[8:]) == (build.UDP, b"data")
    assert message.sound(len(message.data))


def test_ipv4_options() -> None:
    """Options of an IPv4 header are passed over."""
    packet = bytearray(build.udp(*V4, 1, 2, b"data"))
    packet[20:20] = b"\x01\x01\x01\x00"
    packet[0], packet[3], packet[10:12] = 0x46, packet[3] + 4, bytes(2)
    packet[10:12] = checksum(bytes(packet[:24])).to_bytes(2, "big")
    message = message_of(bytes(packet))
    assert message is not None
    assert message.data[8:] == b"data"


def test_ipv6_extension_headers() -> None:
    """Extension headers of IPv6 are passed over, and the upper layer's number is found."""
    whole = build.udp(*V6, 1, 2, b"data")
    packet = build.ipv6(*V6, 60, bytes((build.UDP, 0, 1, 4, 0, 0, 0, 0)) + whole[40:])
    message = message_of(packet)
    assert message is not None
    assert (message.protocol, message.data) == (build.UDP, whole[40:])
    assert message.sound(len(message.data))


def broken() -> dict[str, bytes]:
    v4, v6 = build.udp(*V4, 1, 2, b"data"), build.udp(*V6, 1, 2, b"data")
    fragment = bytes((build.UDP, 0, 0, 1, 0, 0, 0, 9))
    return {
        "checksum": v4[:10] + b"\0\0" + v4[12:],
        "header length": b"\x44" + v4[1:],
        "cut": v4[:-1],
        "fragment": build.ipv4(*V4, build.UDP, v4[20:])[:6] + b"\x20\0" + v4[8:],
        "v6 cut": v6[:-1],
        "v6 fragment": build.ipv6(*V6, 44, fragment + v6[40:]),
        "v6 header cut": build.ipv6(*V6, 60, bytes((build.UDP, 9)) + bytes(6)),
    }


@pytest.mark.parametrize("what", list(broken()))
def test_not_a_message(what: str) -> None:
    """Fragments and headers that are wrong or cut have no message."""
    assert message_of(broken()[what]) is None
