"""The internet checksum (RFC 1071) and the pseudo-headers it covers."""

from __future__ import annotations


def checksum(data: bytes) -> int:
    """Return the internet checksum of `data`, 0 over data that carries its right checksum.

    An odd length counts as padded with a zero byte (RFC 1071, section 1).
    """
    # The ones' complement sum of 16-bit words is the number modulo 0xFFFF, because 0x10000 is 1
    # there; big integers make that two linear passes in C instead of a loop here.
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    if not number:
        return 0xFFFF
    # A remainder of 0 stands for 0xFFFF, the other zero: only zeros add up to 0 itself.
    return 0xFFFF - (number % 0xFFFF or 0xFFFF)


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """Return the pseudo-header of an upper-layer checksum.

    The addresses are packed: 4 bytes each for IPv4 (RFC 768, RFC 793), 16 for IPv6 (RFC 8200,
    section 8.1). `length` is that of the upper-layer header and its data, in bytes.
    """
    if len(source) == 4:
        return source + destination + bytes((0, protocol)) + length.to_bytes(2, "big")
    return source + destination + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))
