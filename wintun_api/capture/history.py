"""Put what recorders have before a live capture of the same sessions, as one pcapng.

The live capture begins before the recorders are read, so that no packet is missing between them,
and a packet that both have is written once. All of it is pcapng as the service writes it:
little-endian, with times in nanoseconds.
"""

from __future__ import annotations

import heapq
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, TypeAlias

from wintun_api.capture import pcapng
from wintun_api.moments import NS_PER_SECOND

BATCH: Final = 65_536  # bytes of recorded packets that are passed on at once
_KIND: Final = struct.Struct("<II")
_PACKET: Final = struct.Struct("<IIIIIII")
_DESCRIBED: Final = (pcapng.NAME, pcapng.DESCRIPTION)  # what tells interfaces apart
_COUNTS: Final = (pcapng.RECEIVED, pcapng.DROPPED)

Key: TypeAlias = tuple[int, int, int, bytes]


def joined(
    live: Iterable[bytes],
    recordings: Callable[[], Iterable[Iterable[bytes]]],
    *,
    asked: float,
    snaplen: int = 0,
) -> Iterator[bytes]:
    """Yield one file: what recordings have, then the live capture, without gap or duplicate.

    Args:
        live: The live capture, in chunks of any size.
        recordings: Called once the live capture has begun; returns the file of each recorder.
        asked: When the live capture was asked for, as `time.monotonic` counts.
        snaplen: The bytes to which recorded packets are cut; 0 for all. Live ones are cut already.
    """
    history = History(snaplen)
    chunks = whole_blocks(live)
    first = next(chunks, b"")
    _, length = _KIND.unpack_from(first) if first else (0, 0)
    yield first[:length]
    files = recordings()
    yield from history.recorded(files, time.monotonic() - asked)
    yield from history.live(first[length:], chunks)


class History:
    """Join recordings and a live capture into one file. It keeps only what both can have.

    Args:
        snaplen: The bytes to which recorded packets are cut; 0 for all. Live ones are cut already.
    """

    def __init__(self, snaplen: int = 0) -> None:
        self._snaplen = snaplen
        self._interfaces: dict[tuple[bytes, ...], int] = {}
        self._counts: dict[int, list[int]] = {}  # interface -> packets, lost; of recordings
        self._recent: deque[tuple[int, Key]] = deque()
        self._both: Counter[Key] = Counter()
        self._newest = 0

    def recorded(self, recordings: Iterable[Iterable[bytes]], overlap: float) -> Iterator[bytes]:
        """Yield the packets of recordings, oldest first, with the interfaces that they need.

        Args:
            recordings: The file of each recorder, in chunks of any size.
            overlap: The seconds since the live capture was asked for, at most.
        """
        margin = int(overlap * NS_PER_SECOND) + NS_PER_SECOND  # the clock may be set meanwhile
        batch: list[bytes] = []
        size = 0
        for time_ns, block in heapq.merge(*(self._read(one, batch) for one in recordings)):
            self._recent.append((time_ns, _key(block)))
            while self._recent[0][0] < time_ns - margin:
                self._recent.popleft()
            self._newest = max(self._newest, time_ns)
            batch.append(block)
            size += len(block)
            if size >= BATCH:
                yield b"".join(batch)
                batch.clear()
                size = 0
        yield b"".join(batch)
        self._both = Counter(key for _, key in self._recent)
        self._recent.clear()

    def live(self, first: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the whole blocks of the live capture that follow its section header.

        Packets that were yielded as recorded ones are left out, and the statistics count all.
        Further sections, of captures that take its place, become part of the first one.
        """
        numbers: list[int] = []  # the interface of this file for each of the live capture
        for chunk in chain((first,), chunks):
            yield b"".join([self._live(block, numbers) for block in _blocks(chunk)])

    def _live(self, block: bytes, numbers: list[int]) -> bytes:
        kind, _ = _KIND.unpack_from(block)
        if kind == pcapng.SECTION_HEADER:
            numbers.clear()
            return b""
        if kind == pcapng.INTERFACE_DESCRIPTION:
            number, is_new = self._interface(block)
            numbers.append(number)
            return block if is_new else b""
        if kind not in (pcapng.ENHANCED_PACKET, pcapng.INTERFACE_STATISTICS):
            return block
        number = numbers[int.from_bytes(block[8:12], "little")]
        block = _numbered(block, number)
        if kind == pcapng.INTERFACE_STATISTICS:
            return self._statistics(block, number)
        if self._both and self._has(block):
            self._counts[number][0] -= 1
            return b""
        return block

    def _read(self, chunks: Iterable[bytes], batch: list[bytes]) -> Iterator[tuple[int, bytes]]:
        numbers: list[int] = []
        for block in chain.from_iterable(map(_blocks, whole_blocks(chunks))):
            kind, _ = _KIND.unpack_from(block)
            if kind == pcapng.INTERFACE_DESCRIPTION:
                number, is_new = self._interface(block)
                numbers.append(number)
                if is_new:
                    batch.append(block)
            elif kind == pcapng.ENHANCED_PACKET:
                (number,) = struct.unpack_from("<I", block, 8)
                self._counts.setdefault(numbers[number], [0, 0])[0] += 1
                cut = _cut(block, self._snaplen) if self._snaplen else block
                yield _time(block), _numbered(cut, numbers[number])
            elif kind == pcapng.INTERFACE_STATISTICS:
                (number,) = struct.unpack_from("<I", block, 8)
                dropped = dict(_options(block, 20)).get(pcapng.DROPPED)
                if dropped is not None:
                    lost = self._counts.setdefault(numbers[number], [0, 0])
                    lost[1] += int.from_bytes(block[dropped : dropped + 8], "little")

    def _interface(self, block: bytes) -> tuple[int, bool]:
        """Return the number of an interface in this file, and whether it was not there yet."""
        found = dict(_options(block, 16))
        key = tuple(_value(block, found[code]) if code in found else b"" for code in _DESCRIBED)
        is_new = key not in self._interfaces
        return self._interfaces.setdefault(key, len(self._interfaces)), is_new

    def _has(self, block: bytes) -> bool:
        if _time(block) > self._newest + NS_PER_SECOND:
            self._both.clear()
            return False
        key = _key(block)
        if not self._both[key]:
            return False
        self._both[key] -= 1
        return True

    def _statistics(self, block: bytes, number: int) -> bytes:
        more = dict(zip(_COUNTS, self._counts.pop(number, (0, 0)), strict=True))
        more[pcapng.RECEIVED] += more[pcapng.DROPPED]
        made = bytearray(block)
        for code, at in _options(block, 20):
            if code in more:
                count = int.from_bytes(made[at : at + 8], "little") + more[code]
                made[at : at + 8] = count.to_bytes(8, "little", signed=False)
        return bytes(made)


def whole_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole blocks, as many as each chunk completes; what is left at the end is dropped."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        if end := pcapng.whole(rest):
            yield rest[:end]
            rest = rest[end:]


def _blocks(whole: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(whole):
        _, length = _KIND.unpack_from(whole, at)
        yield whole[at : at + length]
        at += length


def _time(block: bytes) -> int:
    _, _, _, high, low, _, _ = _PACKET.unpack_from(block)
    return int(high << 32 | low)


def _key(block: bytes) -> Key:
    """Return what a packet has in common with itself in another capture of the same interface."""
    _, _, number, high, low, length, _ = _PACKET.unpack_from(block)
    end = _PACKET.size + length
    flags = dict(_options(block, end + -length % 4)).get(pcapng.FLAGS)
    way = block[flags] & 3 if flags is not None else 0
    return number, high << 32 | low, way, block[_PACKET.size : end]


def _numbered(block: bytes, number: int) -> bytes:
    """Return a packet or statistics with another interface."""
    wanted = number.to_bytes(4, "little")
    return block if block[8:12] == wanted else block[:8] + wanted + block[12:]


def _cut(block: bytes, snaplen: int) -> bytes:
    """Return a packet of at most `snaplen` bytes, with its options."""
    kind, _, number, high, low, length, original = _PACKET.unpack_from(block)
    if length <= snaplen:
        return block
    options = block[_PACKET.size + length + -length % 4 : -4]
    data = block[_PACKET.size : _PACKET.size + snaplen] + bytes(-snaplen % 4)
    total = _PACKET.size + len(data) + len(options) + 4
    head = _PACKET.pack(kind, total, number, high, low, snaplen, original)
    return b"".join((head, data, options, total.to_bytes(4, "little")))


def _options(block: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield the code of each option and where its value begins."""
    while at + 4 <= len(block) - 4:
        code, length = struct.unpack_from("<HH", block, at)
        if not code:
            return
        yield code, at + 4
        at += 4 + length + -length % 4


def _value(block: bytes, at: int) -> bytes:
    (length,) = struct.unpack_from("<H", block, at - 2)
    return block[at : at + length]
