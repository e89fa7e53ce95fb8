"""The internet checksum (RFC 1071) and the pseudo-headers it covers."""

from __future__ import annotations


def checksum(data: bytes) -> int:
    """Return the internet checksum of `data`; 0 if `data` includes its correct checksum.

    Data of odd length is treated as padded with a zero byte (RFC 1071, section 1).
    """
    # The ones' complement sum of 16-bit words is the whole number modulo 0xFFFF, because 0x10000
    # is 1 modulo 0xFFFF. With big integers this is two linear passes in C instead of a loop here.
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    if not number:
        return 0xFFFF
    # A remainder of 0 means 0xFFFF, the other zero: only data of zeros has the sum 0.
    return 0xFFFF - (number % 0xFFFF or 0xFFFF)


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """Return the pseudo-header of an upper-layer checksum.

    The addresses are packed: 4 bytes each for IPv4 (RFC 768, RFC 793), 16 for IPv6 (RFC 8200,
    section 8.1). `length` is the bytes of the upper-layer header and its data.
    """
    if len(source) == 4:
        return source + destination + bytes((0, protocol)) + length.to_bytes(2, "big")
    return source + destination + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))
