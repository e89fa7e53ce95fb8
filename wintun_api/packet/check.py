"""Check every injected packet before a driver gets it.

The DLL checks nothing, and drivers before 0.14 stop the send side of a session at the first packet
that is not an IP packet. Lengths and checksums inside IP are left to the host's network stack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from wintun_api.errors import InvalidPacket
from wintun_api.limits import MAX_PACKET
from wintun_api.packet.block import Block, lengths_of

MIN_IPV4 = 20  # RFC 791, section 3.1
MIN_IPV6 = 40  # RFC 8200, section 3

TOO_SHORT = "too_short"
TOO_LONG = "too_long"
BAD_VERSION = "bad_version"
REASONS = (TOO_SHORT, TOO_LONG, BAD_VERSION)

LeftOut: TypeAlias = Callable[[], Sequence[bytes]]

NO_REASONS: Final[Mapping[str, int]] = MappingProxyType({})

_FIRST_BYTE = itemgetter(0)
_IPV4 = frozenset(range(0x40, 0x50))
_IP = frozenset(range(0x40, 0x50)) | frozenset(range(0x60, 0x70))


def rejection(packet: bytes) -> str | None:
    """Return why a driver must not get these bytes, or None. Fast, for the packet path."""
    size = len(packet)
    if size < MIN_IPV4:
        return TOO_SHORT
    if size > MAX_PACKET:
        return TOO_LONG
    version = packet[0] >> 4
    if version == 4:
        return None
    if version == 6:
        return None if size >= MIN_IPV6 else TOO_SHORT
    return BAD_VERSION


def sound(packets: Sequence[bytes], lengths: Sequence[int]) -> bool:
    """Return whether a driver may get all packets; `rejection` says why one is refused."""
    if not packets:
        return True
    shortest = min(lengths)
    if shortest < MIN_IPV4 or max(lengths) > MAX_PACKET:
        return False
    firsts = packets.first_bytes if type(packets) is Block else set(map(_FIRST_BYTE, packets))
    return firsts <= _IPV4 or (shortest >= MIN_IPV6 and firsts <= _IP)


class Sifted(NamedTuple):
    """Hold packets that were checked: a driver may get all of them.

    Attributes:
        packets: The packets.
        lengths: Bytes of each packet.
        rejected: How many others were left out, by reason.
        left_out: Returns these others. Call it before what they came in is read over.
    """

    packets: Sequence[bytes]
    lengths: Sequence[int]
    rejected: Mapping[str, int] = NO_REASONS
    left_out: LeftOut = tuple

    @property
    def offered(self) -> int:
        """Number of packets before the check."""
        return len(self.packets) + sum(self.rejected.values())


def sift(packets: Sequence[bytes]) -> Sifted:
    """Check packets, leave out those that a driver must not get, and count these by reason."""
    lengths = lengths_of(packets)
    alone = len(lengths) == 1
    if not rejection(packets[0]) if alone else sound(packets, lengths):
        return Sifted(packets, lengths)
    reasons = list(map(rejection, packets))
    rejected = Counter(reason for reason in reasons if reason is not None)
    if not rejected:
        return Sifted(packets, lengths)
    pairs = zip(packets, reasons, strict=True)
    good = [packet for packet, reason in pairs if reason is None]
    return Sifted(good, lengths_of(good), rejected, partial(_left_out, packets))


def _left_out(packets: Sequence[bytes]) -> Sequence[bytes]:
    return [packet for packet in packets if rejection(packet) is not None]


def check_packet(packet: bytes) -> bytes:
    """Return the packet, or raise `InvalidPacket` with a readable message."""
    reason = rejection(packet)
    if reason is None:
        return packet
    size = len(packet)
    if reason == BAD_VERSION:
        message = f"IP version {packet[0] >> 4} is neither 4 nor 6."
    elif reason == TOO_LONG:
        message = f"The packet has {size} bytes; an IP packet has at most {MAX_PACKET}."
    else:
        message = (
            f"The packet has {size} byte{'' if size == 1 else 's'}, less than an IP header "
            f"({MIN_IPV4} for IPv4, {MIN_IPV6} for IPv6)."
        )
    raise InvalidPacket(reason, message)
