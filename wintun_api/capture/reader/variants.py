"""The variants of pcap: which numbers they begin with, and what stands before a packet.

Sources: draft-ietf-opsawg-pcap; wiretap, the library with which Wireshark reads files.
"""

from __future__ import annotations

import struct
from typing import Final

MICROSECONDS: Final = 0xA1B2C3D4
NANOSECONDS: Final = 0xA1B23C4D
MODIFIED: Final = 0xA1B2CD34  # of Alexey Kuznetsov's libpcap, which Linux had around 1999
# What stands between the lengths of a record and its packet, in the order in which it is tried.
# Red Hat 6.1 and Nokia added bytes without a number of their own, SuSE 6.3 to the modified variant.
ADDED: Final = {MICROSECONDS: (0, 8, 4), NANOSECONDS: (0,), MODIFIED: (8, 12)}
MAX_RECORD: Final = 16 * 1024 * 1024  # a larger length is a mistake in the file
SAMPLE: Final = 16 * 1024  # bytes of records that tell variants apart
_RECORDS: Final = 8  # that are looked at
_MICROSECONDS_OF_SECOND: Final = 1_000_000


def order_of(magic: bytes) -> str | None:
    """Return the byte order of a pcap file by its first four bytes; None if it is not one."""
    for order in "<>":
        if struct.unpack(f"{order}I", magic)[0] in ADDED:
            return order
    return None


def record_of(magic: int, order: str, sample: bytes) -> struct.Struct:
    """Return how a record begins: seconds, a fraction, two lengths, and what was added.

    Args:
        magic: The number with which the file begins.
        order: Its byte order.
        sample: The first records of the file. They tell variants apart that begin with the same
            number: in a wrong one, the second record makes no sense.
    """
    records = [struct.Struct(f"{order}4I{added}x") for added in ADDED[magic]]
    return next((one for one in records if _makes_sense(one, sample, magic)), records[0])


def _makes_sense(record: struct.Struct, sample: bytes, magic: int) -> bool:
    at = 0
    for _ in range(_RECORDS):
        if at + record.size > len(sample):
            break
        seconds, fraction, *lengths = record.unpack_from(sample, at)
        if seconds == magic:  # another file begins
            break
        if fraction >= _MICROSECONDS_OF_SECOND or max(lengths) > MAX_RECORD:
            return False
        at += record.size + min(lengths)
    return True
