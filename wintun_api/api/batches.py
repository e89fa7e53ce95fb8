"""Encode bursts as batches of `v1.batch`; a burst keeps the result for other clients."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

from wintun_api.frames import BINARY, frame_header
from wintun_api.hub.burst import Burst
from wintun_api.wire import MAX_DELTA, header

# Bytes of a burst from which on it costs less to write the header separately than to copy both.
SMALL = 4096


def batch(burst: Burst) -> bytes:
    """Return a burst as a batch, or as several if its numbers have a large gap."""
    return b"".join(_pieces(burst, timed=False))


def timed_batch(burst: Burst) -> bytes:
    """Return the same with a time for each packet."""
    return b"".join(_pieces(burst, timed=True))


def batch_frame(burst: Burst) -> bytes | Sequence[bytes | memoryview]:
    """Return a WebSocket message with a burst, in one piece or in several."""
    return _frame(burst, timed=False)


def timed_batch_frame(burst: Burst) -> bytes | Sequence[bytes | memoryview]:
    """Return the same with a time for each packet."""
    return _frame(burst, timed=True)


def _frame(burst: Burst, *, timed: bool) -> bytes | Sequence[bytes | memoryview]:
    # Small pieces are joined, because each piece that is written separately costs more.
    pieces = _pieces(burst, timed=timed)
    start = frame_header(BINARY, sum(map(len, pieces)))
    if len(pieces) == 2 and burst.size >= SMALL:
        return start + bytes(pieces[0]), pieces[1]
    return b"".join((start, *pieces))


def _pieces(burst: Burst, *, timed: bool) -> list[bytes | memoryview]:
    pieces: list[bytes | memoryview] = []
    for part in _parts(burst):
        pieces += (_header(part, timed=timed), *part.pieces)
    return pieces


def _header(burst: Burst, *, timed: bool) -> bytes:
    times: Sequence[int] | None = burst.times
    if not timed:
        times = None
    elif times is None:  # all have the time of the burst
        times = array("I", bytes(4 * burst.count))
    return header(
        burst.lengths,
        size=burst.size,
        sequence=burst.sequence,
        time_ns=burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.original_lengths,
        sequence_deltas=None if burst.offsets is None else _deltas(burst.offsets),
        times=times,
    )


def _deltas(offsets: Sequence[int]) -> list[int]:
    return [0, *(after - before for before, after in pairwise(offsets))]


def _parts(burst: Burst) -> Iterator[Burst]:
    """Yield a burst in parts whose numbers have no gap that is too large for a delta."""
    offsets = burst.offsets
    if offsets is None or offsets[-1] <= MAX_DELTA:
        yield burst
        return
    start = 0
    for index, (before, after) in enumerate(pairwise(offsets), 1):
        if after - before > MAX_DELTA:
            yield burst.part(start, index)
            start = index
    yield burst.part(start, burst.count)
