"""Split super-packets into the packets of a network, and join such packets to super-packets.

A system that leaves segmentation to a network card passes it TCP or UDP data of up to 64 KiB with
one set of headers: a super-packet. A header in front of it says how the card is to cut it, and
which checksum it is to complete (linux/virtio_net.h: struct virtio_net_hdr). The rules are those of
Linux: of its segmentation (tcp_offload.c: tcp_gso_segment) and of its joining of received segments
(tcp_offload.c: tcp_gro_receive).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wintun_api.limits import MAX_PACKET
from wintun_api.packet.build import TCP, UDP
from wintun_api.packet.checksum import checksum, pseudo_header

HEADER: Final = struct.Struct("<BBHHHH")  # flags, type, header length, size, start, offset
PLAIN: Final = bytes(HEADER.size)  # of a packet that is complete

NEEDS_CHECKSUM: Final = 1
GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP, GSO_ECN = 0, 1, 4, 5, 0x80
MOST_JOINED: Final = 64  # packets in one write

_FIN, _SYN, _RST, _PSH, _URG, _CWR = 0x01, 0x02, 0x04, 0x08, 0x20, 0x80
_ENDS: Final = _FIN | _PSH
_NEVER_JOINED: Final = _SYN | _RST | _URG | _CWR
_DONT_FRAGMENT: Final = 0x40
_PLACE: Final = {TCP: 16, UDP: 6}  # of the checksum
_EXTENSIONS: Final = frozenset((0, 43, 60))  # hop-by-hop, routing, destination options
_NO_CHECKSUM: Final = bytes(2)


def split(header: bytes, packet: bytes) -> list[bytes]:
    """Return the packets that a network card would make of a packet with this header.

    A packet that is not a super-packet comes back alone, with its checksum completed if the header
    asks for that. The list is empty if the header makes no sense.

    Raises:
        ValueError: The header does not have 10 bytes, or the packet has more than 65,535.
    """
    if len(header) != HEADER.size or len(packet) > MAX_PACKET:
        raise ValueError("The header or the packet has a wrong length.")
    flags, kind, _, size, start, offset = HEADER.unpack(header)
    partial, place = bool(flags & NEEDS_CHECKSUM), start + offset
    if partial and place + 2 > len(packet):
        return []
    if kind == GSO_NONE:
        return [_completed(packet, start, place)] if partial else [packet]
    protocol = UDP if kind & ~GSO_ECN == GSO_UDP else TCP
    if not partial or not size or offset != _PLACE[protocol]:
        return []
    headers = _headers(kind & ~GSO_ECN, protocol, packet, start)
    return [] if headers is None else _cut(packet, protocol, start, headers, size)


def join(memory: bytes, start: int, lengths: Sequence[int], kinds: int) -> list[tuple[int, bytes]]:
    """Return how to write packets: for each write the number of packets, and header and content.

    Segments of one flow that follow one another become one super-packet if a network that cuts it
    restores them exactly. Only the identification of IPv4 packets that must not be fragmented may
    differ, which has no meaning then (RFC 6864, section 4.1).

    Args:
        memory: Holds the packets, one behind another.
        start: Offset of the first.
        lengths: The bytes of each.
        kinds: Which kinds of super-packets may be made: the bit at each of the GSO_ numbers.

    Raises:
        ValueError: The lengths are more than the memory.
    """
    if start + sum(lengths) > len(memory):
        raise ValueError("The lengths are more than the memory.")
    packets = []
    for length in lengths:
        packets.append(bytes(memory[start : start + length]))
        start += length
    writes = []
    at = 0
    while at < len(packets):
        count, content = _joined(packets, at, kinds)
        writes.append((count, content))
        at += count
    return writes


def _completed(packet: bytes, start: int, place: int) -> bytes:
    return _with_checksum(packet, place, checksum(packet[start:]), start + _PLACE[UDP] == place)


def _with_checksum(packet: bytes, place: int, right: int, never_zero: bool) -> bytes:
    if never_zero and not right:
        right = 0xFFFF
    return packet[:place] + right.to_bytes(2, "big") + packet[place + 2 :]


def _headers(kind: int, protocol: int, packet: bytes, start: int) -> int | None:
    """Return the bytes of a super-packet's headers; None if it is not of this kind."""
    if kind not in (GSO_TCPV4, GSO_TCPV6, GSO_UDP) or not _carries(packet, protocol, start):
        return None
    if protocol == UDP:
        headers = start + 8
    else:
        if packet[0] >> 4 != (4 if kind == GSO_TCPV4 else 6) or len(packet) < start + 20:
            return None
        headers = start + (packet[start + 12] >> 4) * 4
        if headers < start + 20:
            return None
    return headers if headers <= len(packet) else None


def _carries(packet: bytes, protocol: int, start: int) -> bool:
    """Return whether a packet carries this protocol at this offset, not as a fragment."""
    if len(packet) < 20:
        return False
    if packet[0] >> 4 == 4:
        whole = not int.from_bytes(packet[6:8], "big") & 0x3FFF
        return start >= 20 and (packet[0] & 15) * 4 == start and packet[9] == protocol and whole
    if packet[0] >> 4 != 6 or len(packet) < 40:
        return False
    following, at = packet[6], 40
    while at < start and at + 8 <= len(packet) and following in _EXTENSIONS:
        following, at = packet[at], at + (packet[at + 1] + 1) * 8
    return at == start and following == protocol


def _cut(packet: bytes, protocol: int, start: int, headers: int, size: int) -> list[bytes]:
    place = start + _PLACE[protocol]
    # The sum that is there covers the pseudo-header with the length of the whole, whichever
    # destination a routing header has led to.
    whole = len(packet) - start
    pseudo = int.from_bytes(packet[place : place + 2], "big") + 0xFFFF - whole
    segments: list[bytes] = []
    for at in range(headers, max(len(packet), headers + 1), size):
        payload = packet[at : at + size]
        head = bytearray(packet[:headers])
        length = headers + len(payload)
        if head[0] >> 4 == 4:
            number = int.from_bytes(head[4:6], "big") + len(segments)
            head[4:6] = (number & 0xFFFF).to_bytes(2, "big")
            _finish_ipv4(head, length)
        else:
            head[4:6] = (length - 40).to_bytes(2, "big")
        if protocol == UDP:
            head[start + 4 : start + 6] = (length - start).to_bytes(2, "big")
        else:
            sequence = int.from_bytes(head[start + 4 : start + 8], "big") + at - headers
            head[start + 4 : start + 8] = (sequence & 0xFFFFFFFF).to_bytes(4, "big")
            if at + size < len(packet):
                head[start + 13] &= ~_ENDS & 0xFF
            if segments:
                head[start + 13] &= ~_CWR & 0xFF
        head[place : place + 2] = _NO_CHECKSUM
        rest = 0xFFFF - checksum(bytes(head[start:]) + payload)
        right = 0xFFFF - _folded(pseudo + length - start + rest)
        segments.append(_with_checksum(bytes(head) + payload, place, right, protocol == UDP))
    return segments


def _folded(total: int) -> int:
    return total and (total % 0xFFFF or 0xFFFF)


def _finish_ipv4(head: bytearray, length: int) -> None:
    head[2:4] = length.to_bytes(2, "big")
    head[10:12] = _NO_CHECKSUM
    head[10:12] = checksum(bytes(head[: (head[0] & 15) * 4])).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class _Segment:
    """A packet that may be joined with others."""

    packet: bytes
    version: int
    protocol: int
    transport: int
    headers: int

    @property
    def payload(self) -> bytes:
        return self.packet[self.headers :]

    @property
    def flags(self) -> int:
        return self.packet[self.transport + 13] if self.protocol == TCP else 0

    @property
    def sequence(self) -> int:
        at = self.transport + 4
        return int.from_bytes(self.packet[at : at + 4], "big")

    @property
    def identification(self) -> int:
        return int.from_bytes(self.packet[4:6], "big")

    @property
    def pseudo(self) -> bytes:
        packet = self.packet
        ends = (
            (packet[12:16], packet[16:20]) if self.version == 4 else (packet[8:24], packet[24:40])
        )
        return pseudo_header(*ends, self.protocol, len(packet) - self.transport)

    @property
    def same(self) -> bytes:
        """What all segments of a super-packet have in common."""
        packet, at = self.packet, self.transport
        if self.version == 4:
            common = packet[:2] + packet[6:10] + packet[12:20]
        else:
            common = packet[:4] + packet[6:40]
        common += packet[at : at + 4]
        if self.protocol == TCP:
            common += packet[at + 8 : at + 13] + bytes((self.flags & ~_ENDS,))
            common += packet[at + 14 : at + 16] + packet[at + 18 : self.headers]
        return common

    @property
    def right(self) -> bool:
        """Whether its checksums are."""
        if self.version == 4 and checksum(self.packet[:20]):
            return False
        return not checksum(self.pseudo + self.packet[self.transport :])


def _segment(packet: bytes) -> _Segment | None:
    """Return the packet as a segment; None if it can never be joined with others."""
    if len(packet) < 28:
        return None
    if packet[0] == 0x45:
        version, protocol, transport = 4, packet[9], 20
        fragment = int.from_bytes(packet[6:8], "big") & 0xBFFF
        if int.from_bytes(packet[2:4], "big") != len(packet) or fragment:
            return None
        if packet[10:12] == b"\xff\xff":  # no sender writes this: it would not be restored
            return None
    elif packet[0] >> 4 == 6 and len(packet) >= 48:
        version, protocol, transport = 6, packet[6], 40
        if int.from_bytes(packet[4:6], "big") != len(packet) - 40:
            return None
    else:
        return None
    if protocol == UDP:
        headers = transport + 8
        length = int.from_bytes(packet[transport + 4 : transport + 6], "big")
        if length != len(packet) - transport or packet[transport + 6 : headers] == _NO_CHECKSUM:
            return None
    elif protocol == TCP and len(packet) >= transport + 20 and packet[transport + 12] >> 4 >= 5:
        headers = transport + (packet[transport + 12] >> 4) * 4
        if packet[transport + 13] & _NEVER_JOINED:
            return None
        if packet[transport + 16 : transport + 18] == b"\xff\xff":
            return None
    else:
        return None
    if headers >= len(packet):
        return None
    return _Segment(packet, version, protocol, transport, headers)


def _kind(segment: _Segment) -> int:
    if segment.protocol == UDP:
        return GSO_UDP
    return GSO_TCPV4 if segment.version == 4 else GSO_TCPV6


def _joined(packets: Sequence[bytes], at: int, kinds: int) -> tuple[int, bytes]:
    first = _segment(packets[at])
    if first is None or not kinds >> _kind(first) & 1 or first.flags & _ENDS:
        return 1, PLAIN + packets[at]
    size, same = len(first.payload), first.same
    payloads, total = [first.payload], len(first.packet)
    flags, step = 0, -1
    for packet in packets[at + 1 : at + MOST_JOINED]:
        following = _segment(packet)
        if (
            following is None
            or (following.version, following.protocol) != (first.version, first.protocol)
            or following.headers != first.headers
            or following.same != same
        ):
            break
        payload, count = following.payload, len(payloads)
        total += len(payload)
        if len(payload) > size or total > MAX_PACKET:
            break
        if first.version == 4:
            rise = (following.identification - first.identification) & 0xFFFF
            if step < 0:
                if rise > 1 or (not rise and not first.packet[6] & _DONT_FRAGMENT):
                    break
                step = rise
            elif rise != step * count:
                break
        if (
            first.protocol == TCP
            and following.sequence != first.sequence + size * count & 0xFFFFFFFF
        ):
            break
        if (count == 1 and not first.right) or not following.right:
            break
        payloads.append(payload)
        flags = following.flags & _ENDS
        if flags or len(payload) < size:
            break
    if len(payloads) == 1:
        return 1, PLAIN + packets[at]
    return len(payloads), _super_packet(first, payloads, flags)


def _super_packet(first: _Segment, payloads: list[bytes], flags: int) -> bytes:
    transport, place = first.transport, first.transport + _PLACE[first.protocol]
    head = bytearray(first.packet[: first.headers])
    payload = b"".join(payloads)
    total = first.headers + len(payload)
    if first.version == 4:
        _finish_ipv4(head, total)
    else:
        head[4:6] = (total - 40).to_bytes(2, "big")
    if first.protocol == TCP:
        head[transport + 13] |= flags
    else:
        head[transport + 4 : transport + 6] = (total - transport).to_bytes(2, "big")
    whole = _Segment(bytes(head) + payload, first.version, first.protocol, transport, first.headers)
    head[place : place + 2] = (0xFFFF - checksum(whole.pseudo)).to_bytes(2, "big")
    header = HEADER.pack(
        NEEDS_CHECKSUM,
        _kind(first),
        first.headers,
        len(payloads[0]),
        transport,
        place - transport,
    )
    return header + bytes(head) + payload
