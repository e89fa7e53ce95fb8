"""Remove the link-layer header before an IP packet.

Source: the list of link-layer header types of tcpdump.org.
"""

from __future__ import annotations

NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW = 0, 1, 12, 14, 101
LOOP, COOKED, IPV4, IPV6, COOKED_2 = 108, 113, 228, 229, 276

_BARE = frozenset({RAW_BSD, RAW_OPENBSD, RAW, IPV4, IPV6})
KNOWN = _BARE | {NULL, LOOP, COOKED, COOKED_2, ETHERNET}
_IP = (b"\x08\x00", b"\x86\xdd")  # EtherType
_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")  # IEEE 802.1Q, 802.1ad, and what preceded it


def ip_of(linktype: int, frame: bytes) -> bytes | None:
    """Return the IP packet in a frame; None if there is none or the type is not in `KNOWN`."""
    if linktype in _BARE:
        return frame
    if linktype in (NULL, LOOP):
        return frame[4:]
    if linktype == COOKED:
        return _tagged(frame[14:16], frame[16:])
    if linktype == COOKED_2:
        return _tagged(frame[:2], frame[20:])
    return _tagged(frame[12:14], frame[14:]) if linktype == ETHERNET else None


def _tagged(kind: bytes, payload: bytes) -> bytes | None:
    """Return the IP packet of a payload of this EtherType, behind any number of VLAN tags."""
    while kind in _TAGS:
        kind, payload = payload[2:4], payload[4:]
    return _unpadded(payload) if kind in _IP else None


def _unpadded(packet: bytes) -> bytes:
    """Return the packet without the padding that fills an Ethernet frame up to 60 bytes."""
    if packet[:1] >= b"\x60":
        return (
            packet[: 40 + int.from_bytes(packet[4:6], "big")]
            if packet[4:6].strip(b"\0")
            else packet
        )
    return packet[: int.from_bytes(packet[2:4], "big") or None]
