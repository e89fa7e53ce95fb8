"""Bring what the service captures to the bus, where it is kept within the bounds of a stream.

Captures give way to packets: they are published while less than half of the connection's bound is
unsent. What then does not fit waits, up to a bound, and the oldest is dropped. It is never lost in
silence: the numbers in each message say how many packets came before it.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wintun_api.capture import pcapng
from wintun_api.capture.tally import Tally
from wintun_api.client.backoff import Backoff
from wintun_api.client.problems import ProblemError, ServiceUnreachable
from wintun_api.fleet.bus.seam import Bus, Change
from wintun_api.fleet.captures import excerpt
from wintun_api.fleet.captures.excerpt import Position
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.network import MAX_MESSAGE, Network
from wintun_api.fleet.service.attachment import BACKOFF, may_pass

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient

GATHER: Final = 0.1  # seconds in which packets become one message
QUIET: Final = 1.0  # seconds without packets after which a message says how many there were
PIECE: Final = 32 * 1024  # bytes of packets that are dropped together
MAX_PACKETS: Final = MAX_MESSAGE - 2048  # bytes in a message; an interface and the place are before
OVER: Final = ("session-not-found", "session-ended")

_BLOCK: Final = struct.Struct("<III")  # kind, length, and the interface of a packet


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """Which packets are captured for the network, and how many wait for it.

    Attributes:
        filter: A filter in the language of libpcap; None for all packets.
        snaplen: The bytes that are kept of each packet; 0 for all.
        limit: How many bytes wait for the bus.
    """

    filter: str | None = None
    snaplen: int = 0
    limit: int = 4 * 1024 * 1024


class Capturing:
    """Capture sessions of the service for the network. Event loop thread only.

    Attributes:
        captured: How many packets of the sessions have passed, with those that were lost.
        dropped: How many of them found no room before the bus.
    """

    def __init__(
        self,
        client: AsyncClient,
        bus: Bus,
        network: Network,
        host: str,
        order: CaptureOrder,
        *,
        name: str,
        clock: Clock,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Take what it works with; `run` does the work.

        Args:
            client: Reaches the service.
            bus: The connection.
            network: The network.
            host: This host.
            order: Which packets.
            name: What this host is called.
            clock: How far the clock of this host is from the server's.
            backoff: How patiently a capture is begun again that has broken off.
        """
        self.captured = 0
        self.dropped = 0
        self._client = client
        self._bus = bus
        self._network = network
        self._host = host
        self._order = order
        self._name = name[:128]
        self._clock = clock
        self._backoff = backoff
        self._outgoing: _Outgoing | None = None
        bus.notify(self._noticed)

    async def run(self, session: str) -> None:
        """Capture a session until it has ended.

        Raises:
            ClientError: The service refuses for good, as a filter that is not valid.
        """
        delays = self._backoff.delays()
        while True:
            try:
                async with self._client.capture_packets(
                    session, snaplen=self._order.snaplen, filter=self._order.filter
                ) as chunks:
                    delays = self._backoff.delays()
                    await self._copy(chunks, session)
            except ServiceUnreachable:
                pass
            except ProblemError as error:
                if error.kind in OVER:
                    return
                if not may_pass(error):
                    raise
            await asyncio.sleep(next(delays))

    async def _copy(self, chunks: AsyncIterator[bytes], session: str) -> None:
        """Publish a capture until it ends; what waits then is published if there is room for it."""
        outgoing = _Outgoing(
            self._bus,
            self._network.capture(self._host, session),
            self._position,
            self._count,
            self._order.limit,
        )
        self._outgoing = outgoing
        sending = asyncio.ensure_future(outgoing.send())
        rest = b""
        try:
            async for chunk in chunks:
                rest += chunk
                end = pcapng.whole(rest)
                outgoing.take(rest[:end])
                rest = rest[end:]
        finally:
            self._outgoing = None
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            await outgoing.finish()

    def _position(self, run: str, message: int, passed: int) -> Position:
        reading = self._clock.reading
        return Position(
            name=self._name,
            run=run,
            message=message,
            passed=passed,
            clock_offset_ns=None if reading is None else reading.offset_ns,
            clock_error_ns=None if reading is None else reading.error_ns,
        )

    def _count(self, captured: int, dropped: int) -> None:
        self.captured += captured
        self.dropped += dropped

    def _noticed(self, change: Change, _text: str) -> None:
        if change is Change.CONNECTED and self._outgoing is not None:
            self._outgoing.tell()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Packets that wait, and how many had passed before them and after them."""

    interface: bytes
    blocks: bytes
    before: int
    after: int


class _Outgoing:
    """One capture on its way to the bus."""

    def __init__(
        self,
        bus: Bus,
        subject: str,
        position: Callable[[str, int, int], Position],
        count: Callable[[int, int], None],
        limit: int,
    ) -> None:
        self._bus = bus
        self._subject = subject
        self._position = position
        self._count = count
        self._limit = limit
        self._run = secrets.token_hex(8)
        self._messages = 0
        self._passed = 0
        self._tally = Tally()
        self._interfaces: list[bytes] = []
        self._pieces: deque[_Piece] = deque()
        self._size = 0
        self._held: bytes | None = None  # a message that is not taken yet
        self._unpublished = 0  # how many packets had passed before that message
        self._untold = False  # whether a message is to say how many packets there were
        self._recent = False  # whether none has said so since the last packets
        self._arrival = asyncio.Event()

    def take(self, blocks: bytes) -> None:
        """Let packets wait; count those that do not fit."""
        for kind, number, part in _parts(blocks):
            before = self._passed
            self._tally.note(part)
            totals = self._tally.totals
            self._passed = totals.packets + totals.lost
            self._count(self._passed - before, 0)
            if kind == pcapng.ENHANCED_PACKET:
                packets = _renumbered(part) if number else part
                self._put(_Piece(self._interfaces[number], packets, before, self._passed))
            elif kind == pcapng.INTERFACE_DESCRIPTION:
                self._interfaces.append(part)
                self.tell()  # the first message says that no packet came before it
            elif self._passed > before:
                self.tell()

    def tell(self) -> None:
        """Say soon how many packets there were, also if none follow."""
        self._untold = True
        self._arrival.set()

    async def send(self) -> None:
        """Publish what waits, until cancelled."""
        while True:
            await self._gather()
            while self._waits:
                await self._bus.room()
                await self._publish()

    async def finish(self) -> None:
        """Publish what waits as far as there is room; the rest is dropped and counted."""
        while self._waits:
            if not await self._publish():
                self._count(0, self._passed - self._unpublished)
                return

    async def _gather(self) -> None:
        """Wait for packets, and a little for more of them."""
        try:
            async with asyncio.timeout(QUIET if self._recent else None):
                await self._arrival.wait()
        except TimeoutError:
            self._untold = True
            return
        if self._size < MAX_PACKETS:
            await asyncio.sleep(GATHER)
        self._arrival.clear()

    def _put(self, piece: _Piece) -> None:
        self._pieces.append(piece)
        self._size += len(piece.blocks)
        while self._size > self._limit:
            oldest = self._pieces.popleft()
            self._size -= len(oldest.blocks)
            self._count(0, oldest.after - oldest.before)
        self._arrival.set()

    @property
    def _waits(self) -> bool:
        return bool(self._held or self._pieces or (self._untold and self._interfaces))

    async def _publish(self) -> bool:
        """Publish the next message, and return whether it was taken."""
        if self._held is None:
            if self._pieces:
                self._unpublished = self._pieces[0].before
                self._held = self._packets()
            else:
                self._unpublished = self._passed
                self._held = self._message(self._passed, self._interfaces[-1], ())
                self._untold = self._recent = False
        taken = await self._bus.publish(self._subject, self._held)
        if taken:
            self._held = None
        return taken

    def _packets(self) -> bytes:
        """Take packets of one interface that fit into a message."""
        first, room = self._pieces[0], MAX_PACKETS
        taken: list[bytes] = []
        while self._pieces:
            piece = self._pieces[0]
            room -= len(piece.blocks)
            if taken and (room < 0 or piece.interface is not first.interface):
                break
            taken.append(piece.blocks)
            self._size -= len(piece.blocks)
            self._pieces.popleft()
        self._untold, self._recent = False, True
        return self._message(first.before, first.interface, taken)

    def _message(self, passed: int, interface: bytes, blocks: Sequence[bytes]) -> bytes:
        position = self._position(self._run, self._messages, passed)
        self._messages += 1
        return b"".join((excerpt.begin(position), interface, *blocks))


def _parts(blocks: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield packets of one interface together, up to `PIECE` bytes, and other blocks alone.

    Each comes with the kind of its blocks and the number of its interface.
    """
    start = at = 0
    before: tuple[int, int] | None = None
    while at < len(blocks):
        kind, length, number = _BLOCK.unpack_from(blocks, at)
        if before is not None and (
            before != (kind, number)
            or kind != pcapng.ENHANCED_PACKET
            or at + length - start > PIECE
        ):
            yield *before, blocks[start:at]
            start = at
        before = kind, number
        at += length
    if before is not None:
        yield *before, blocks[start:]


def _renumbered(blocks: bytes) -> bytes:
    """Return packets as those of the first interface, which is the only one in a message."""
    made, at = bytearray(blocks), 0
    while at < len(made):
        _, length, _ = _BLOCK.unpack_from(made, at)
        made[at + 8 : at + 12] = bytes(4)
        at += length
    return bytes(made)
