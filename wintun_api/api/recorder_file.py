"""Send what a recorder has as a pcapng file, no faster than the client reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

from wintun_api.api.connected import Presence
from wintun_api.api.context import Context
from wintun_api.api.cutoff import ABORT, LeasedStream
from wintun_api.api.tokens import Principal
from wintun_api.choices import Direction
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.source import Source
from wintun_api.hub.filters import Filter
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.recorder import Recorded
from wintun_api.hub.recorders import Recorders

CHUNK: Final = 131_072  # bytes of packets that are made into blocks at a time
STALLED: Final = 60.0  # seconds in which a client must take a chunk


class RecorderFile:
    """Make the file of what a recorder had at one moment. Event loop thread only.

    The packets are those of the recorder, and each burst is let go when it is in the file.

    Args:
        recorded: What the recorder had.
        source: The session.
        direction: The packets that the file gets.
        filter: What chooses from them; None for all.
        stopping: Set when the service shuts down, which ends the file.
    """

    def __init__(
        self,
        recorded: Recorded,
        source: Source,
        *,
        direction: Direction,
        filter: Filter | None,  # noqa: A002 - the field's word
        stopping: asyncio.Event,
    ) -> None:
        self._left = deque(recorded.entries)
        self._last = recorded.losses
        self._source = source
        self._direction = direction
        self._filter = filter
        self._stopping = stopping
        self._losses: list[Loss] = []  # since the last packet of the file
        self._over = False
        expression = "" if filter is None else filter.expression
        self._file = PcapngFile(filter=expression)

    def stop(self) -> None:
        """End the file with its next block; its statistics say how many packets are missing."""
        self._over = True

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield whole blocks until the end; the next ones when the server has taken the last."""
        file, left = self._file, self._left
        yield file.begin()
        while left and not self._over and not self._stopping.is_set():
            blocks = self._blocks()
            if blocks:
                yield blocks
            await asyncio.sleep(0)  # a client that reads fast must not delay the packets of others
        self._miss()
        self._note(self._last)
        yield file.introduce(self._source) + file.lose(self._source, self._losses) + file.end()

    def _blocks(self) -> bytes:
        made, size = [], 0
        while self._left and size < CHUNK:
            burst, losses = self._left.popleft()
            self._note(losses)
            chosen = self._chosen(burst)
            if chosen is not None:
                made.append(self._file.add(self._source, chosen, self._losses))
                self._losses = []
            burst.forget()  # so that the recorder keeps no more than it says
            size += burst.size
        return b"".join(made)

    def _note(self, losses: Sequence[Loss]) -> None:
        """Keep losses for the next packet of the file."""
        takes = self._direction.takes
        self._losses += [loss for loss in losses if takes(injected=loss.injected)]

    def _chosen(self, burst: Burst) -> Burst | None:
        if not self._direction.takes(injected=burst.injected):
            return None
        return burst if self._filter is None else self._filter.matching(burst)

    def _miss(self) -> None:
        """Note what the client does not get because the file ends early."""
        for burst, losses in self._left:
            self._note(losses)
            chosen = self._chosen(burst)
            if chosen is not None:
                first, last = burst.sequence, burst.sequence + burst.count - 1
                loss = Loss(chosen.count, first, last, burst.injected, Cause.ENDED)
                self._losses.append(loss)
        self._left.clear()


class RecorderDownload(LeasedStream):
    """Answer with the file, and count the client while it reads.

    A client that takes nothing for `STALLED` seconds is cut off, because what it has not read
    cannot be freed.
    """

    def __init__(
        self,
        file: RecorderFile,
        recorders: Recorders,
        owner: tuple[Context, Principal],
        presence: Presence,
        **options: Any,
    ) -> None:
        super().__init__(file.chunks(), owner, lambda *_: file.stop(), presence, **options)
        self._recorders = recorders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file.

        Raises:
            TooManyReaders: As many clients read recorders as can.
        """
        loop = asyncio.get_running_loop()
        abort = (scope.get("extensions") or {}).get(ABORT, lambda: None)

        async def send_soon(message: Message) -> None:
            stalled = loop.call_later(STALLED, abort)
            try:
                await send(message)
            finally:
                stalled.cancel()

        with self._recorders.reading():
            await super().__call__(scope, receive, send_soon)
