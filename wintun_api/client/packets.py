"""The packets of a session as a stream: bursts and losses to the program, packets to the host."""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from wintun_api import wire
from wintun_api.choices import CloseCode
from wintun_api.choices import Direction as Wanted
from wintun_api.client.backoff import Backoff, backoff_of
from wintun_api.client.burst import Accounts, Burst, Direction, Framing, Loss
from wintun_api.client.location import AsyncReach
from wintun_api.client.operations import Packet
from wintun_api.client.problems import (
    PASSING_STATUS,
    ClientError,
    ConnectionLost,
    FilterRefused,
    NotTheService,
    ProblemError,
    ServiceUnreachable,
    StreamClosed,
    closed,
)
from wintun_api.errors import FrameError
from wintun_api.limits import MAX_FILTER, MAX_PACKET
from wintun_api.packet.block import Block
from wintun_api.paste import trimmed

if TYPE_CHECKING:
    from wintun_api.client.packet_socket import Item, PacketSocket
    from wintun_api.schemas.control import Ended, Hello, NextSequence

Message: TypeAlias = tuple[bytes, int]  # and how many packets it carries

# How a connection may end so that the stream has ended, too.
CLEAN: Final = (CloseCode.ENDED, CloseCode.GOING_AWAY, CloseCode.NORMAL)
# After these, `reconnect` connects again. For the others it would not help.
PASSING: Final = (CloseCode.ABNORMAL, CloseCode.GOING_AWAY, CloseCode.INTERNAL_ERROR)

# Bytes of packets that share a message, as far as the service accepts it. More is not faster.
MESSAGE: Final = 128 * 1024
MAX_UNSENT: Final = 256 * 1024  # bytes that wait for the kernel before `put` waits
LAST_ACKS: Final = 1.0  # seconds that a stream waits for acks when it is closed
HASTE: Final = 0.5  # seconds that it waits for the service if an error or a signal ends it
COLUMN: Final = 2  # bytes of a packet's length in a batch


class AsyncPacketStream:
    """Exchange packets with a session. A context manager, and an iterator of bursts and losses.

    Iteration ends when the session has ended (`ended` says why) or when the service stops in
    order. Every other end is raised: `StreamClosed` and its kinds. A refusal at the beginning is a
    `ProblemError`.

    A program that does not read holds the service back: at most `max_queue` messages wait here, and
    then the packets wait in the queue of the service, where `overflow` says what happens when it is
    full. Only while `send` waits for its ack are packets read in any case; the oldest or newest are
    then dropped here, as `overflow` says, and told as `Loss`. With `close` and `block` nothing is
    dropped here: there `send` waits until another task reads.

    Cancelling a call leaves the stream usable. A cancelled `send` or `put` may have sent all its
    packets, some of them, or none; those that were sent are counted in `accounts`.

    Attributes:
        on_accounts: Called with each addition to `accounts`, in the order in which the packets were
            sent. None, the default, calls nothing.
        on_connection: Called with False when a connection has ended and the stream connects again,
            and with True when it has done so. None, the default, calls nothing.
    """

    on_accounts: Callable[[Accounts], None] | None = None
    on_connection: Callable[[bool], None] | None = None

    def __init__(
        self,
        reach: AsyncReach,
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
        """Name a packet socket; entering the stream connects.

        Args:
            reach: Gives the service and the token, before each connection.
            path: The path of the socket, such as `/v1/sessions/5f0c9d1e2b3a/packets`.
            query: The parameters of the socket; those that are None are left out.
            protocol: The framing. `v1.raw` has neither sequence numbers, losses nor accounts;
                `v1.pcapng` gives `blocks`.
            reconnect: Whether, and how patiently, to connect again when the connection has ended
                before its session. What was missed is told as `Loss` with the cause `reconnect`.
            keepalive: After so many seconds of silence the service is asked whether it is still
                there, and after as many more without an answer the connection is lost. None never
                asks.
            max_queue: How many messages wait here.
            open_timeout: Seconds that the service has to accept a connection.
            close_timeout: Seconds that it has to answer when the stream is closed.

        Raises:
            ValueError: `protocol`, `keepalive` or `max_queue` has another value than these.
        """
        if protocol not in ("v1.batch", "v1.raw", "v1.pcapng"):
            raise ValueError(f"{protocol!r} is not one of v1.batch, v1.raw and v1.pcapng")
        if max_queue < 1:
            raise ValueError("`max_queue` must be 1 or more")
        if keepalive is not None and not keepalive > 0:
            raise ValueError("`keepalive` must be more than 0, or None")
        self._reach = reach
        self._path = path
        self._query = dict(query or {})
        self._protocol = protocol
        self._backoff = backoff_of(reconnect)
        self._keepalive = keepalive
        self._max_queue = max_queue
        self._open_timeout = open_timeout
        self._close_timeout = close_timeout
        self._socket: PacketSocket | None = None
        self._failure: ClientError | None = None
        self._over = False
        self._closed = False
        self._ready: deque[Burst | Loss] = deque()
        self._hello: Hello | None = None
        self._accounts = Accounts()
        self._share: Accounts | None = None
        self._turn = asyncio.Lock()
        self._mending = asyncio.Lock()
        self._filtering = asyncio.Lock()
        self._connecting: asyncio.Timeout | None = None

    # What the stream knows

    @property
    def hello(self) -> Hello:
        """What the service has granted, as the connection in use said it first.

        Raises:
            ClientError: The framing has no such message, or the stream was not entered.
        """
        if self._hello is None:
            raise ClientError(
                f"{self._protocol} has no hello."
                if self._socket is not None
                else "The stream is not connected."
            )
        return self._hello

    @property
    def ended(self) -> Ended | None:
        """How the session has ended; None while it runs, and in `v1.raw` and `v1.pcapng`."""
        return self._socket.ended if self._socket is not None else None

    @property
    def accounts(self) -> Accounts:
        """What became of all packets that were sent, as far as the service has said."""
        return self._accounts

    # Life

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ProblemError: The service has refused.
            ServiceUnreachable: It does not answer.
            CredentialError: There is no token.
            ClientError: The stream was entered before, or is closed.
        """
        if self._socket is not None:
            raise ClientError("The stream was entered already.", hint="Make another one.")
        socket = None if self._closed else await self._unless_closed(self._connect())
        if socket is None:
            raise self._was_closed()
        self._socket = socket
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; wait a moment for the last acks, unless an error leaves the stream."""
        await self._close(LAST_ACKS if kind is None else 0)

    async def aclose(self) -> None:
        """Close the stream, and wait a moment for the last acks. Idempotent."""
        await self._close(LAST_ACKS)

    # To the program

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Burst | Loss:
        if self._protocol == "v1.pcapng":
            raise ClientError(
                "v1.pcapng carries blocks of a capture.", hint="Iterate over stream.blocks()."
            )
        while not self._ready:
            item = await self._item()
            if item is None:
                raise StopAsyncIteration
            if isinstance(item, bytes):
                self._unpack(item)
            else:
                return item
        return self._ready.popleft()

    async def several(self) -> list[Burst | Loss]:
        """Wait for something to arrive, and return all that is there; nothing at the end."""
        try:
            found = [await anext(self)]
        except StopAsyncIteration:
            return []
        found += self._ready
        self._ready.clear()
        while (item := self._entered().take()) is not None:
            if isinstance(item, bytes):
                self._unpack(item)
                found += self._ready
                self._ready.clear()
            else:
                found.append(item)
        return found

    async def blocks(self) -> AsyncIterator[bytes]:
        """Return the blocks of a capture (pcapng), in pieces of whole blocks.

        Written one after another they are a file that Wireshark reads.

        Raises:
            ClientError: The framing is not `v1.pcapng`.
        """
        if self._protocol != "v1.pcapng":
            raise ClientError(
                f"{self._protocol} carries packets.", hint="Ask for protocol='v1.pcapng'."
            )
        while (item := await self._item()) is not None:
            if isinstance(item, bytes):
                yield item

    # To the host

    async def send(self, packets: Packet | Iterable[Packet]) -> Accounts:
        """Inject packets and return what became of them.

        It waits for the service to acknowledge all that was sent before and then exactly these. A
        stream that connects again counts packets without an ack as `unknown`, and sends the rest.

        Args:
            packets: One packet or several, in any iterable; a `Block` is not split.

        Raises:
            StreamClosed: The stream ended first; its `accounts` say what became of the packets.
            ClientError: The framing is not `v1.batch`.
        """
        if self._protocol != "v1.batch":
            raise ClientError(
                f"{self._protocol} does not acknowledge packets.",
                hint="Use put(), or protocol='v1.batch'.",
            )
        several = _several(packets)
        async with self._turn:
            await self._settled()
            share = self._share = Accounts()
            try:
                await self._transmit(several)
                await self._settled()
                if self._share.failed:  # then the service ends the connection, and says why
                    await self._see_the_end()
                share = self._share
            except StreamClosed as error:
                error.accounts = self._share
                raise
            finally:
                self._share = None
        return share

    async def put(self, packets: Packet | Iterable[Packet]) -> None:
        """Inject packets without waiting for what becomes of them: `accounts` adds it up.

        It waits only while the service takes no more, which holds the program back.

        Args:
            packets: One packet or several, as `send` takes them.

        Raises:
            StreamClosed: The stream has ended.
            ClientError: The framing is `v1.pcapng`, which carries packets to the program only.
        """
        if self._protocol == "v1.pcapng":
            raise ClientError(
                "v1.pcapng does not carry packets to the host.", hint="Use v1.batch or v1.raw."
            )
        several = _several(packets)
        async with self._turn:
            await self._transmit(several)

    async def set_filter(
        self,
        filter: str | None,  # noqa: A002 - the field's word
    ) -> NextSequence:
        """Get other packets from now on: those that a filter lets through.

        Packets with lower numbers than those that are returned passed the filter before; some of
        them may still come. A stream that connects again uses the filter that was set last. While
        the answer is waited for, packets are read as `send` reads them.

        Args:
            filter: A filter in the language of libpcap; an empty one, or None, lets every packet
                through.

        Returns:
            The numbers of the first packets to which it applies.

        Raises:
            FilterRefused: It is not valid, or the service has no libpcap. The stream goes on with
                the filter that it has.
            StreamClosed: The stream has ended.
            ClientError: The framing is not `v1.batch`.
            TypeError: It is not a text.
        """
        if self._protocol != "v1.batch":
            raise ClientError(
                f"{self._protocol} does not answer whether a filter is valid.",
                hint="Use protocol='v1.batch', or give the filter when the stream is opened.",
            )
        if not isinstance(filter, str | None):
            raise TypeError(f"a filter is a text, not {type(filter).__name__}")
        expression = trimmed(filter or "")
        try:
            expression.encode()
        except UnicodeEncodeError as error:
            raise FilterRefused(expression, "UTF-8 cannot write this", error.start) from None
        if len(expression) > MAX_FILTER:
            raise FilterRefused(
                expression, f"a filter has at most {MAX_FILTER} characters", MAX_FILTER
            )
        async with self._filtering:
            answer = None
            while answer is None:
                answer = await (await self._live()).change_filter(expression)
        if answer.next_sequence is None:
            refused = answer.error
            raise FilterRefused(
                expression, refused.message if refused else "", refused.offset if refused else 0
            )
        return answer.next_sequence

    # Inside

    async def _connect(self) -> PacketSocket:
        from wintun_api.client.handshake import open_socket

        location = await self._reach()
        socket = await open_socket(
            location,
            location.websocket_url(self._path, self._query),
            f"{self._protocol}.wintun-api",
            open_timeout=self._open_timeout,
            close_timeout=self._close_timeout,
            max_unsent=MAX_UNSENT,
        )
        socket.max_waiting = self._max_queue
        socket.on_accounts = self._account
        if self._query.get("direction") == Wanted.INJECTED:
            socket.direction = "injected"
        try:
            if self._protocol == "v1.batch":
                async with asyncio.timeout(self._open_timeout):
                    await socket.greeted()
                self._meet(socket, location.url)
        except TimeoutError:
            socket.transport.abort()
            raise NotTheService(
                location.url, f"The program at {location.url} does not say hello."
            ) from None
        except BaseException:
            socket.transport.abort()
            raise
        if self._keepalive is not None:
            socket.watch(self._keepalive)
        return socket

    def _meet(self, socket: PacketSocket, url: str) -> None:
        """Note what the service grants, and what was missed since the connection before."""
        hello, before = socket.hello, self._hello
        if hello is None:
            if socket.fault:
                raise NotTheService(url, f"The program at {url} is not the service. {socket.fault}")
            raise self._error_of(socket)
        self._hello = hello
        if self._backoff is None:
            return
        numbers = hello.next_sequence
        first: dict[Direction, int] = {
            direction: number
            for direction, number in _numbers(numbers.received, numbers.injected)
            if hello.direction.takes(injected=direction == "injected")
        }
        old = self._socket
        if before is not None and old is not None:
            same = before.session == hello.session
            socket.adopt(
                _gap(direction, old if same else None, first[direction]) for direction in first
            )
        socket.first = first
        socket.next = first | socket.next

    async def _item(self) -> Item | None:
        """Return the next thing that has arrived; None when the stream has ended."""
        while True:
            socket = self._entered()
            item = socket.take()
            if item is not None:
                return item
            if not socket.lost:
                await socket.arrival()
            elif await self._mend(socket):
                return None

    def _unpack(self, message: bytes) -> None:
        try:
            batches = wire.unpack(message)
        except FrameError as error:
            raise closed(CloseCode.INVALID_DATA, f"A batch cannot be read: {error}") from error
        for batch in batches:
            direction: Direction = "injected" if batch.injected else "received"
            times = batch.times
            self._ready.append(
                Burst(
                    batch.packets,
                    direction,
                    batch.time_ns,
                    batch.sequence,
                    batch.original_lengths,
                    wire.numbers_of(batch),
                    None if times is None else [batch.time_ns + later for later in times],
                )
            )

    async def _transmit(self, packets: Iterable[Packet]) -> None:
        from websockets.exceptions import ConnectionClosed

        socket = await self._live()
        if self._protocol == "v1.raw":
            messages: Iterable[Message] = ((memoryview(one).tobytes(), 1) for one in packets)
        else:
            limit = socket.hello.limits.max_message if socket.hello else MESSAGE
            messages = self._messages(packets, min(limit, MESSAGE))
        for message, count in messages:
            if not socket.usable:
                socket = await self._live()
            if self._protocol == "v1.raw":
                self._account(Accounts(unknown=count))
            else:
                socket.sent_messages += 1
                socket.sent_packets += count
            try:
                await socket.send(message)
            except ConnectionClosed:  # counted as unknown when the connection is looked at
                continue

    def _messages(self, packets: Iterable[Packet], limit: int) -> Iterator[Message]:
        """Return the messages that carry these packets, each of at most `limit` bytes."""
        if isinstance(packets, Block):
            column = COLUMN * len(packets)
            if packets.size + column + wire.HEADER_LENGTH <= limit and len(packets):
                head = wire.header(packets.lengths, size=packets.size)
                yield b"".join((head, packets.payload)), len(packets)
                return
        room = limit - wire.HEADER_LENGTH
        chosen: list[Packet] = []
        used = 0
        for packet in packets:
            length = len(packet)
            if length > MAX_PACKET:
                self._account(Accounts(rejected={"too_long": 1}))
                continue
            if used + length + COLUMN > room and chosen:
                yield _message(chosen)
                chosen, used = [], 0
            chosen.append(packet)
            used += length + COLUMN
        if chosen:
            yield _message(chosen)

    def _account(self, accounts: Accounts) -> None:
        self._accounts += accounts
        if self._share is not None:
            self._share += accounts
        if self.on_accounts is not None:
            self.on_accounts(accounts)

    async def _settled(self) -> None:
        """Wait until it is known what became of everything that was sent."""
        while True:
            socket = await self._live()
            await socket.acknowledged()
            if socket.acked_messages >= socket.sent_messages:
                return

    async def _see_the_end(self) -> None:
        """Raise how the service ends a connection that it has just stopped injecting from."""
        socket = self._entered()
        try:
            async with asyncio.timeout(LAST_ACKS):
                await socket.gone()
        except TimeoutError:
            return
        code, _ = self._end_of(socket)
        if code not in (*CLEAN, *PASSING):
            raise self._error_of(socket)

    async def _live(self) -> PacketSocket:
        """Return a connection on which something can be sent."""
        while True:
            socket = self._entered()
            if socket.usable:
                return socket
            await socket.gone()
            if await self._mend(socket):
                raise self._error_of(socket)

    async def _mend(self, socket: PacketSocket) -> bool:
        """Return whether the stream has ended as it should; otherwise connect again, or raise."""
        async with self._mending:
            if self._socket is not socket:  # another caller has connected again
                return False
            self._give_up(socket)
            if self._closed or self._over:
                return True
            if self._failure is not None:
                raise self._failure
            code, _ = self._end_of(socket)
            if self._backoff is not None and code in PASSING:
                self._tell_connection(False)
                fresh = await self._unless_closed(self._connect_again(socket, self._backoff))
                if fresh is None:
                    return True
                fresh.adopt(socket.leave())
                self._socket = fresh
                self._tell_connection(True)
                return False
            if code in CLEAN:
                self._over = True
                return True
            raise self._error_of(socket)

    def _tell_connection(self, there: bool) -> None:
        if self.on_connection is not None:
            self.on_connection(there)

    async def _unless_closed(
        self, connecting: Coroutine[Any, Any, PacketSocket]
    ) -> PacketSocket | None:
        """Return the connection; None if the stream was closed before there was one."""
        try:
            async with asyncio.timeout(None) as self._connecting:
                return await connecting
        except TimeoutError:
            if not self._closed:
                raise
            return None
        finally:
            self._connecting = None

    async def _connect_again(self, old: PacketSocket, backoff: Backoff) -> PacketSocket:
        if old.hello is not None:
            self._query["filter"] = old.filter or None
        for delay in backoff.delays():
            await asyncio.sleep(delay)
            try:
                return await self._connect()
            except (ServiceUnreachable, ConnectionLost):
                continue
            except ProblemError as error:
                if error.status in PASSING_STATUS:
                    continue
                self._failure = error
                raise
        raise self._error_of(old)

    def _give_up(self, socket: PacketSocket) -> None:
        """Count what was sent on a connection that has ended, and was not acknowledged."""
        unknown = socket.sent_packets - socket.acked_packets
        if unknown > 0:
            socket.acked_packets = socket.sent_packets
            self._account(Accounts(unknown=unknown))

    def _end_of(self, socket: PacketSocket) -> tuple[int, str]:
        from wintun_api.client.packet_socket import end_of

        return end_of(socket)

    def _error_of(self, socket: PacketSocket) -> ClientError:
        if self._closed:
            return self._was_closed()
        return closed(*self._end_of(socket))

    def _was_closed(self) -> ClientError:
        return ClientError("The stream is closed.", hint="Open another one.")

    def _entered(self) -> PacketSocket:
        if self._socket is None:
            raise ClientError(
                "The stream is not connected.", hint="Use it in `async with ... as stream`."
            )
        return self._socket

    async def _close(self, patience: float) -> None:
        socket, first = self._socket, not self._closed
        self._closed = True
        if self._connecting is not None:
            self._connecting.reschedule(asyncio.get_running_loop().time())
        if socket is None or not first:
            return
        socket.discard()
        try:
            if patience and socket.usable:
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await socket.acknowledged()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if patience else HASTE):
                    await socket.close()
        finally:
            socket.transport.abort()
            self._give_up(socket)


def _numbers(received: int, injected: int) -> Iterator[tuple[Direction, int]]:
    yield "received", received
    yield "injected", injected


def _gap(direction: Direction, old: PacketSocket | None, following: int) -> Loss:
    """Return what was missed since a connection before; None if it was one to another session."""
    if old is None or direction not in old.first:
        return Loss("reconnect", direction, None, None, None)
    # Also what the service had dropped before, and could not tell any more.
    count = following - old.first[direction] - old.known[direction]
    first = old.next[direction]
    if count <= 0 or (old.filtered and following <= first):
        return Loss("reconnect", direction, 0, None, None)
    if old.filtered:  # it is not known which of them the filter would have let through
        return Loss("reconnect", direction, None, first, following - 1)
    if count != following - first:
        return Loss("reconnect", direction, count, None, None)
    return Loss("reconnect", direction, count, first, following - 1)


def _several(packets: Packet | Iterable[Packet]) -> Iterable[Packet]:
    """Return packets one by one, also if it is one alone."""
    return [packets] if isinstance(packets, bytes | bytearray | memoryview) else packets


def _message(packets: list[Packet]) -> Message:
    lengths = array("H", map(len, packets))
    size = sum(lengths)
    head = wire.header(lengths, size=size)
    message = b"".join((head, *packets))
    if len(message) != len(head) + size:
        raise TypeError("a packet is a view of something else than bytes")
    return message, len(packets)
