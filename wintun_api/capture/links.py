"""Remove the link-layer header before an IP packet.

Sources: the list of link-layer header types of tcpdump.org; RFC 1661 and 1662 (PPP), RFC 1042
(SNAP), RFC 1547 (Cisco HDLC).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wintun_api.capture.link_names import NAMES

NULL, ETHERNET, PPP, RAW_BSD, RAW_OPENBSD, PPP_HDLC, RAW = 0, 1, 9, 12, 14, 50, 101
CISCO_HDLC, LOOP, COOKED, IPV4, IPV6, COOKED_2 = 104, 108, 113, 228, 229, 276

_IP = (b"\x08\x00", b"\x86\xdd")  # EtherType
_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")  # IEEE 802.1Q, 802.1ad, and what preceded it
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"  # stands before an EtherType in an IEEE 802.3 frame
_MAX_LENGTH = 1500  # the largest length; a larger number at its place is an EtherType
# AF_INET, and AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
_FAMILIES: Final = {number.to_bytes(4, "big") for number in (2, 10, 23, 24, 28, 30)}
_NETLINK = b"\x03\x38"  # ARPHRD_NETLINK: what is an EtherType elsewhere is another number then
_PPP_FRAMING = b"\xff\x03"  # address and control (RFC 1662)
_PPP_IP = (b"\x00\x21", b"\x00\x57")
_CISCO_ADDRESSES = (b"\x0f\x00", b"\x8f\x00")  # of Cisco HDLC: unicast and multicast


def unsupported(linktype: int) -> str:
    """Return what is said of packets of a link type that is not in `LINKS`."""
    name = NAMES.get(linktype)
    return f"of link type {linktype}{f' ({name})' if name else ''}, which is not supported"


def _bare(frame: bytes) -> bytes:
    return frame


def _null(frame: bytes) -> bytes | None:
    """Strip a family, which is in the byte order of the machine that captured."""
    return frame[4:] if frame[:4] in _FAMILIES or frame[3::-1] in _FAMILIES else None


def _loop(frame: bytes) -> bytes | None:
    return frame[4:] if frame[:4] in _FAMILIES else None


def _ethernet(frame: bytes) -> bytes | None:
    return _tagged(frame[12:14], frame[14:])


def _cooked(frame: bytes) -> bytes | None:
    return None if frame[2:4] == _NETLINK else _tagged(frame[14:16], frame[16:])


def _cooked_2(frame: bytes) -> bytes | None:
    return None if frame[8:10] == _NETLINK else _tagged(frame[:2], frame[20:])


def _ppp(frame: bytes) -> bytes | None:
    """Strip PPP with or without its framing; the protocol may be compressed to one byte."""
    if frame[:2] in _CISCO_ADDRESSES:
        return _cisco(frame)
    if frame[:2] == _PPP_FRAMING:
        frame = frame[2:]
    if frame[:1] and frame[0] & 1:
        frame = b"\0" + frame
    return _unpadded(frame[2:]) if frame[:2] in _PPP_IP else None


def _cisco(frame: bytes) -> bytes | None:
    return _tagged(frame[2:4], frame[4:])


def _tagged(kind: bytes, payload: bytes) -> bytes | None:
    """Return the IP packet of a payload of this EtherType, behind any number of VLAN tags."""
    at = 0  # tags are passed over by a number, so that many of them are not copied many times
    while kind in _TAGS:
        kind = payload[at + 2 : at + 4]
        at += 4
    if int.from_bytes(kind, "big") <= _MAX_LENGTH and payload.startswith(_SNAP, at):
        kind = payload[at + 6 : at + 8]
        at += 8
    return _unpadded(payload[at:]) if kind in _IP else None


def _unpadded(packet: bytes) -> bytes:
    """Return the packet without the padding that fills an Ethernet frame up to 60 bytes."""
    if packet[:1] >= b"\x60":
        return (
            packet[: 40 + int.from_bytes(packet[4:6], "big")]
            if packet[4:6].strip(b"\0")
            else packet
        )
    return packet[: int.from_bytes(packet[2:4], "big") or None]


# What removes the header of each link type; returns None if no IP packet follows.
LINKS: Final[dict[int, Callable[[bytes], bytes | None]]] = {
    **dict.fromkeys((RAW_BSD, RAW_OPENBSD, RAW, IPV4, IPV6), _bare),
    NULL: _null,
    LOOP: _loop,
    ETHERNET: _ethernet,
    COOKED: _cooked,
    COOKED_2: _cooked_2,
    CISCO_HDLC: _cisco,
    **dict.fromkeys((PPP, PPP_HDLC), _ppp),
}
