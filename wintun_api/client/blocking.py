"""Packet streams for programs without an event loop: the same names, without await.

A stream runs in an event loop in a thread of its own, from when it is entered until it is
left. Everything that waits there is fetched at once, so that a busy stream costs few changes of
the thread.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from wintun_api.client.backoff import Backoff
from wintun_api.client.burst import Accounts, Burst, Framing, Loss
from wintun_api.client.location import Location, Reach
from wintun_api.client.operations import Packet
from wintun_api.client.packets import AsyncPacketStream
from wintun_api.client.problems import ClientError

if TYPE_CHECKING:
    from wintun_api.schemas.control import Ended, Hello, NextSequence

T = TypeVar("T")

# On Windows Ctrl-C does not interrupt a wait without a time limit, so it is cut into pieces.
PIECE: Final = 0.25 if sys.platform == "win32" else None


class LoopThread:
    """Run coroutines in an event loop in another thread, until it is closed."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._closing = False
        self._entering = threading.RLock()  # what is begun before the end is cancelled by it
        self._thread = threading.Thread(target=self._serve, name="wintun-api-client", daemon=True)
        self._thread.start()
        self._ready.wait()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result. In any thread but that of the loop.

        It is cancelled if the wait for it is interrupted, by Ctrl-C for example.

        Raises:
            concurrent.futures.CancelledError: The loop was closed before or meanwhile.
        """
        assert self._loop is not None
        with self._entering:
            if self._closing:
                work.close()
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return _result(future)
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel everything that runs, and end the thread."""
        assert self._loop is not None
        assert self._end is not None
        with self._entering:
            if not self._closing:
                self._closing = True
                self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _serve(self) -> None:
        async def stay() -> None:
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._end.wait()

        asyncio.run(stay())


class PacketStream:
    """Exchange packets with a session: `AsyncPacketStream` without await.

    Several threads may use one stream at once, and every thread its own streams.
    """

    def __init__(
        self,
        reach: Reach,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        protocol: Framing = "v1.batch",
        reconnect: Backoff | bool = False,
        keepalive: float | None = 20.0,
        max_queue: int = 64,
        open_timeout: float = 30.0,
        close_timeout: float = 5.0,
    ) -> None:
        """Name a packet socket, as `AsyncPacketStream` does; entering the stream connects."""

        async def located() -> Location:
            return await asyncio.to_thread(reach)

        self._stream = AsyncPacketStream(
            located,
            path,
            query,
            protocol=protocol,
            reconnect=reconnect,
            keepalive=keepalive,
            max_queue=max_queue,
            open_timeout=open_timeout,
            close_timeout=close_timeout,
        )
        self._loop: LoopThread | None = None
        self._ready: deque[Burst | Loss] = deque()
        self._left = False

    @property
    def hello(self) -> Hello:
        """What the service has granted, as the connection in use said it first.

        Raises:
            ClientError: The framing has no such message, or the stream was not entered.
        """
        return self._stream.hello

    @property
    def ended(self) -> Ended | None:
        """How the session has ended; None while it runs, and in `v1.raw` and `v1.pcapng`."""
        return self._stream.ended

    @property
    def accounts(self) -> Accounts:
        """What became of all packets that were sent, as far as the service has said."""
        return self._stream.accounts

    def __enter__(self) -> Self:
        """Connect, as `AsyncPacketStream` does.

        Raises:
            ClientError: The connection failed or was refused, or the stream was entered before.
        """
        if self._loop is not None:
            raise ClientError("The stream was entered already.", hint="Make another one.")
        loop = LoopThread()
        try:
            loop.run(self._stream.__aenter__())
        except BaseException:
            loop.close()
            raise
        self._loop = loop
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; wait a moment for the last acks, unless an error leaves the stream."""
        self._leave(self._stream.__aexit__(kind, error, trace))

    def close(self) -> None:
        """Close the stream, and wait a moment for the last acks. Idempotent."""
        self._leave(self._stream.aclose())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Burst | Loss:
        while True:
            try:
                return self._ready.popleft()
            except IndexError:
                found = [] if self._left else self._arrived()
            if not found:
                raise StopIteration
            self._ready.extend(found)

    def blocks(self) -> Iterator[bytes]:
        """Return the blocks of a capture (pcapng), in pieces of whole blocks.

        Raises:
            ClientError: The framing is not `v1.pcapng`.
        """
        blocks = self._stream.blocks()
        while (block := self._run(_next(blocks))) is not None:
            yield block

    def send(self, packets: Packet | Iterable[Packet]) -> Accounts:
        """Inject packets and return what became of them, as `AsyncPacketStream.send` does.

        Raises:
            StreamClosed: The stream ended first; its `accounts` say what became of the packets.
            ClientError: The framing is not `v1.batch`.
        """
        return self._run(self._stream.send(packets))

    def put(self, packets: Packet | Iterable[Packet]) -> None:
        """Inject packets without waiting for what becomes of them: `accounts` adds it up.

        Raises:
            StreamClosed: The stream has ended.
            ClientError: The framing is `v1.pcapng`, which carries packets to the program only.
        """
        self._run(self._stream.put(packets))

    def set_filter(
        self,
        filter: str | None,  # noqa: A002 - the field's word
    ) -> NextSequence:
        """Get other packets from now on, as `AsyncPacketStream.set_filter` does.

        Raises:
            FilterRefused: It is not valid, or the service has no libpcap. The stream goes on with
                the filter that it has.
            StreamClosed: The stream has ended.
            ClientError: The framing is not `v1.batch`.
            TypeError: It is not a text.
        """
        return self._run(self._stream.set_filter(filter))

    def _arrived(self) -> list[Burst | Loss]:
        try:
            return self._run(self._stream.several())
        except ClientError:
            if self._left:
                return []
            raise

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        loop = self._loop
        if loop is not None:
            try:
                return loop.run(work)
            except CancelledError:  # another thread has closed the stream
                raise _closed() from None
        work.close()
        if self._left:
            raise _closed()
        raise ClientError("The stream is not connected.", hint="Use it in `with ... as stream`.")

    def _leave(self, closing: Coroutine[Any, Any, None]) -> None:
        self._left = True
        loop, self._loop = self._loop, None
        if loop is None:
            closing.close()
            return
        try:
            loop.run(closing)
        finally:
            loop.close()


def _closed() -> ClientError:
    return ClientError("The stream is closed.", hint="Open another one.")


def _result(future: Future[T]) -> T:
    while True:
        try:
            return future.result(PIECE)
        except TimeoutError:
            if future.done():
                raise


async def _next(blocks: Any) -> bytes | None:
    block: bytes | None = await anext(blocks, None)
    return block
