"""Read packet clients' bytes into memory that all connections share.

Without this, the event loop makes a new object of every chunk that it reads. A chunk is cut as soon
as it was read, before the next one is, so one room is enough for all connections of an event loop.
It is used with the C extension alone, because a loop in Python is faster over an object of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import uvicorn

from wintun_api.chunks import Codec, MessageReader, codec
from wintun_api.native import Speedups

ROOM: Final = 512 * 1024  # bytes that are read at a time, at most: what the caches hold
LEAST: Final = 32 * 1024

# A client that sends more than is read of it may use a turn of the loop for about so long, in
# seconds. Other connections and requests wait meanwhile, so small packets are read in smaller
# chunks; the larger a chunk is, the less the work that each chunk costs counts.
TURN: Final = 0.0012

TICK: Final = 1e-6  # seconds; a clock may not have moved

OnChunk = Callable[[memoryview], None]


class Intake:
    """Hold what the connections of one event loop share for reading.

    Attributes:
        room: The memory that chunks are read into; None without the C extension.
    """

    def __init__(self, speedups: Speedups | None = None) -> None:
        self.room = None if speedups is None else memoryview(bytearray(ROOM))
        self._raw = codec(speedups, batched=False)
        self._batch = codec(speedups, batched=True)

    def codec(self, *, batched: bool) -> Codec:
        """Return the codec of a subprotocol."""
        return self._batch if batched else self._raw


PLAIN: Final = Intake()


class PacketConfig(uvicorn.Config):
    """Configure a server whose WebSocket protocol is `PacketProtocol`."""

    def __init__(self, app: Any, *, intake: Intake, **options: Any) -> None:
        super().__init__(app, **options)
        self.intake = intake


class Inlet(asyncio.BufferedProtocol):
    """Read one connection's bytes into the shared room; everything else goes to its protocol.

    asyncio and uvloop decide by the class how they read, so this is an object of its own.

    Args:
        protocol: The connection's protocol.
        reader: Keeps the beginning of an incomplete frame.
        room: The shared memory.
        on_chunk: Gets what was read, and must not keep it.
        rest: Called to read no more in this turn of the loop.
    """

    def __init__(
        self,
        protocol: asyncio.Protocol,
        reader: MessageReader,
        room: memoryview,
        on_chunk: OnChunk,
        rest: Callable[[], None],
    ) -> None:
        self._protocol = protocol
        self._reader = reader
        self._room = room
        self._on_chunk = on_chunk
        self._rest = rest
        self._lead = 0
        self._size = len(room)  # how much of the room is used, which `TURN` decides

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the room behind the beginning of a frame whose rest is read now."""
        self._lead = lead = self._reader.move_into(self._room[: self._size])
        return self._room[lead : self._size]

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was read, together with the beginning of its first frame."""
        lead, self._lead = self._lead, 0
        if lead:
            self._reader.moved()
        end = lead + nbytes
        if end < self._size:
            self._on_chunk(self._room[:end])
            return
        # More waits, and libuv would read up to 32 times in one turn of the loop.
        started = perf_counter()
        self._on_chunk(self._room[:end])
        self._rest()
        taken = max(perf_counter() - started, TICK)
        fitting = int(end * TURN / taken)
        self._size = min(max((end + fitting) // 2, LEAST), len(self._room))

    def eof_received(self) -> bool | None:
        """Pass on that the client sends no more."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Pass on that the client does not keep up."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the client keeps up again."""
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end."""
        self._protocol.connection_lost(exc)
