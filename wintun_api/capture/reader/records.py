"""Read the records of a pcap file. Source: draft-ietf-opsawg-pcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from wintun_api.capture import links
from wintun_api.capture.reader.captured import NOT_IP, Captured
from wintun_api.capture.reader.source import Source
from wintun_api.capture.reader.variants import MAX_RECORD, NANOSECONDS, SAMPLE, record_of
from wintun_api.moments import NS_PER_SECOND

_VERSION: Final = 2
_LENGTHS_IN_ORDER: Final = 3  # the first minor version that has the captured length first
_HEADER: Final = 24


class Records:
    """Iterate over the packets of a pcap file, from its beginning on.

    Args:
        source: The bytes of the file.
        order: Its byte order.
        growing: Whether it is still written, as for `Reader`.

    Raises:
        ValueError: While iterating: the file contradicts itself; says at which byte.
    """

    def __init__(self, source: Source, order: str, *, growing: bool) -> None:
        self._source = source
        self._order = order
        self._growing = growing

    def __iter__(self) -> Iterator[Captured]:
        source = self._source
        if not source.has(_HEADER):
            return
        magic, major, minor, linktype = struct.unpack_from(
            f"{self._order}I2H12xI", source.data, source.at
        )
        if major != _VERSION:
            raise ValueError(
                f"The version of pcap in the file, {major}.{minor}, is not known here."
            )
        header = source.data[source.at : source.at + _HEADER]
        source.at += _HEADER
        linktype &= 0xFFFF  # above: of the FCS
        strip = links.LINKS.get(linktype)
        reason = NOT_IP if strip is not None else links.unsupported(linktype)
        factor = 1 if magic == NANOSECONDS else 1000
        sample = b"" if self._growing else source.sample(SAMPLE)
        record = record_of(magic, self._order, sample)
        size = record.size
        while source.has(size):
            seconds, fraction, length, original = record.unpack_from(source.data, source.at)
            if minor < _LENGTHS_IN_ORDER or (minor == _LENGTHS_IN_ORDER and length > original):
                length, original = original, length
            if (
                seconds == magic
                and source.has(_HEADER)
                and source.data.startswith(header, source.at)
            ):
                raise ValueError(
                    f"Another pcap file begins at byte {source.offset}; send each by itself."
                )
            if length > MAX_RECORD:
                raise ValueError(
                    f"The file contains a packet with the invalid length {length}, "
                    f"at byte {source.offset}."
                )
            if not source.has(size + length):
                return
            start = source.at + size
            source.at = start + length
            frame = source.data[start : start + length]
            data = None if strip is None else strip(frame)
            yield Captured(
                data,
                original - length if original > length else 0,
                seconds * NS_PER_SECOND + fraction * factor,
                None,
                0,
                None if data is not None else reason,
            )
