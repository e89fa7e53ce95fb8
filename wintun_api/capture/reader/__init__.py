"""Read pcap and pcapng piece by piece, from a file or from a capture that is still growing.

    captured   one packet of a capture
    source     the bytes that have come, and up to where they were read
    gzipped    decompress gzip
    records    the records of pcap
    variants   what the variants of pcap begin with, and how their records are laid out
    blocks     the blocks of pcapng
    interface  what a section of pcapng says of an interface
    options    the options of blocks
    foreign    formats that are not read, by name

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. Both byte orders and every resolution
are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from wintun_api.capture.reader.blocks import Blocks
from wintun_api.capture.reader.captured import Captured
from wintun_api.capture.reader.foreign import what_begins_with
from wintun_api.capture.reader.gzipped import MAGIC, Gzipped
from wintun_api.capture.reader.records import Records
from wintun_api.capture.reader.source import Source
from wintun_api.capture.reader.variants import order_of

__all__ = ["Captured", "Reader"]

_SECTION = b"\x0a\x0d\x0d\x0a"


class Reader:
    """Iterate over the packets of a capture, given as chunks of any size.

    The chunks may be compressed by gzip. No more is held in memory than one chunk and one packet.

    Args:
        chunks: The bytes.
        growing: Whether the capture is still written, so that each packet is given when it has
            come. Old variants of pcap that begin as the usual one are not told from it then,
            because that takes several packets.

    Raises:
        ValueError: While iterating: the bytes are not a capture, or contradict themselves. What is
            whole before that was given.
    """

    def __init__(self, chunks: Iterable[bytes], *, growing: bool = False) -> None:
        self._growing = growing
        self._source = Source(iter(chunks))
        self._blocks: Blocks | None = None
        self._gzipped: Gzipped | None = None

    @property
    def lost(self) -> int | None:
        """Return the packets lost according to the capture's statistics; None until it has some."""
        return None if self._blocks is None else self._blocks.lost

    @property
    def position(self) -> int:
        """Return how many bytes of the chunks lie before the next packet; of gzip about so many."""
        offset = self._source.offset
        return offset if self._gzipped is None else self._gzipped.position(offset)

    @property
    def truncated(self) -> bool:
        """Return, at the end, whether the capture was cut in the middle of a packet or block."""
        return self._source.cut

    def __iter__(self) -> Iterator[Captured]:
        source = self._source
        if source.has(len(MAGIC)) and source.data.startswith(MAGIC):
            self._gzipped = Gzipped(chain([source.data], source.chunks))
            source = self._source = Source(iter(self._gzipped))
        if not source.has(len(_SECTION)):
            if source.data:
                raise ValueError("The file is too short to be a capture.")
            return
        beginning = source.data[: len(_SECTION)]
        if beginning == _SECTION:
            self._blocks = Blocks(source)
            yield from self._blocks
            return
        order = order_of(beginning)
        if order is not None:
            yield from Records(source, order, growing=self._growing)
            return
        what = what_begins_with(beginning)
        raise ValueError(f"It is {what}." if what else "It is neither pcap nor pcapng.")
