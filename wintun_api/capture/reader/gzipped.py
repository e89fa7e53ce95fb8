"""Decompress gzip piece by piece (RFC 1952), however large the content is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"\x1f\x8b"
MOST: Final = 65536  # bytes that are decompressed at a time
_PIECE: Final = 4096  # bytes that are given to zlib at a time; of a damaged piece nothing is kept
_WITH_HEADER: Final = 31  # zlib's number for the format gzip with the largest window


class Gzipped:
    """Iterate over the content of gzip data, which may consist of several members.

    Members may be padded with zeros, as gzip(1) allows.

    Raises:
        EOFError: While iterating, at the end: the data are cut. Everything before was given.
        ValueError: While iterating: the data are damaged, or others follow the last member.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._begin = self._end = 0  # the compressed bytes of the content that was given last
        self._before = self._content = 0  # bytes of content before it, and with it

    def position(self, offset: int) -> int:
        """Return about how many compressed bytes hold the content up to an offset.

        The offset must be in what was given last, or before that.
        """
        size = self._content - self._before
        inside = min(max(offset - self._before, 0), size)
        return self._begin + (inside * (self._end - self._begin) // size if size else 0)

    def __iter__(self) -> Iterator[bytes]:
        engine = zlib.decompressobj(_WITH_HEADER)
        begun = False  # whether the member that comes has begun
        members = 0
        read = 0  # bytes of the pieces before this one and of this one
        for piece in self._pieces():
            read += len(piece)
            rest = piece
            while rest or begun:
                if not begun:
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    if members and rest[: len(MAGIC)] != MAGIC[: len(rest)]:
                        raise ValueError(
                            "Other bytes follow the gzip data in the file, "
                            f"at byte {read - len(rest)}."
                        )
                    begun = True
                try:
                    content = engine.decompress(rest, MOST)
                except zlib.error:
                    raise ValueError("The gzip data in the file are damaged.") from None
                rest = engine.unused_data if engine.eof else engine.unconsumed_tail
                if content:
                    self._begin, self._end = self._end, read - len(rest)
                    self._before, self._content = self._content, self._content + len(content)
                    yield content
                if engine.eof:
                    engine, begun = zlib.decompressobj(_WITH_HEADER), False
                    members += 1
                elif not rest and len(content) < MOST:
                    break
        if begun:
            raise EOFError

    def _pieces(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            for at in range(0, len(chunk), _PIECE):
                yield chunk[at : at + _PIECE]
