"""Read the captures of a network as one file that grows.

What was captured is in the stream of the network, and what is captured comes there. A packet waits
for those of other hosts that are older: a second while the capture is live, ten seconds while what
was is read, which then costs no time.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from wintun_api import __version__
from wintun_api.capture import pcapng
from wintun_api.fleet.bus.seam import Bus, Message, Stream
from wintun_api.fleet.captures.merging import Matches, Merging, Wanted
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.inventory import host_names
from wintun_api.fleet.network import Network, is_host
from wintun_api.fleet.problems import BusDenied, how_to_install
from wintun_api.fleet.race import first_of
from wintun_api.moments import NS_PER_SECOND, span

LIVE: Final = NS_PER_SECOND  # how long packets wait for older ones of other hosts
PAST: Final = 10 * NS_PER_SECOND
UNDER_WAY: Final = NS_PER_SECOND // 2  # from a packet's capture until the server has it
LEAST: Final = 0.01  # seconds between two looks at the packets that wait
_HOST_PLACE: Final = 3  # in the parts of a subject; the session follows

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is read.

    Attributes:
        hosts: Ids or names of hosts; none for all.
        since: When it begins, as `moments.moment` reads it; None for now.
        until: When it ends, likewise; None for never.
        seconds: After how many seconds it ends; None for no such limit.
        count: After how many packets it ends; None for no such limit.
        injected: Whether they were injected; None for both directions.
        matches: Chooses packets by what is in them; None for all.
        filter: The same as an expression.
        snaplen: The bytes to which packets are cut; 0 for all.
    """

    hosts: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    seconds: float | None = None
    count: int | None = None
    injected: bool | None = None
    matches: Matches | None = None
    filter: str = ""
    snaplen: int = 0


def matching(expression: str) -> Matches:
    """Return what chooses packets by a filter in the language of libpcap.

    Raises:
        InvalidFilter: libpcap does not accept it.
        FilterUnavailable: No libpcap is installed.
    """
    from wintun_api.capture.filters.compiler import compile_filter
    from wintun_api.capture.filters.matcher import matcher_with
    from wintun_api.errors import FilterUnavailable
    from wintun_api.native import speedups

    try:
        program, match = compile_filter(expression), matcher_with(speedups())
    except FilterUnavailable as error:  # it is this program that needs libpcap, not a service
        raise FilterUnavailable(str(error), hint=how_to_install("filter")) from None
    return lambda packets, originals: match(program, packets, originals)


class Reading:
    """One reading of the captures of a network. Event loop thread only.

    Attributes:
        merging: What has come of it.
    """

    def __init__(
        self, bus: Bus, network: Network, choice: Choice, clock: Clock, stream: Stream
    ) -> None:
        """Prepare it, with a clock that was measured; nothing is read yet.

        Raises:
            InvalidArgument: `since` or `until` is not a moment, or they contradict each other.
        """
        self._bus = bus
        self._network = network
        self._choice = choice
        self._clock = clock
        self._stream = stream
        now_ns = clock.server_ns()
        since_ns, until_ns = span(choice.since, choice.until, now_ns)
        self._since_ns = now_ns if choice.since is None and choice.until is None else since_ns
        self._until_ns = None if choice.until is None else until_ns
        self._window = PAST if until_ns <= now_ns else LIVE
        self.merging = Merging(
            Wanted(
                hosts=frozenset(one.casefold() for one in choice.hosts),
                since_ns=self._since_ns,
                until_ns=until_ns,
                injected=choice.injected,
                matches=choice.matches,
                filter=choice.filter,
                snaplen=choice.snaplen,
                count=choice.count,
            )
        )

    @classmethod
    async def prepare(cls, bus: Bus, network: Network, choice: Choice) -> Self:
        """Ask the server for its time, by which moments are meant, and prepare a reading.

        Raises:
            InvalidArgument: As above.
            BusDenied: The key may not read captures.
            BusUnavailable: The server does not answer.
        """
        clock = Clock(bus)
        await clock.measure()
        try:
            stream = await bus.stream(network.captures)
        except BusDenied as error:
            raise BusDenied(
                "The key does not allow to read captures.",
                subject=error.subject,
                hint="Make one that does where the bus is: wintun-api join keys --network "
                f"{network.name} --role reader",
            ) from error
        return cls(bus, network, choice, clock, stream)

    async def unknown(self) -> list[str]:
        """Return those of the chosen hosts that have not joined now.

        Raises:
            BusUnavailable: The server does not answer.
        """
        if not self._choice.hosts:
            return []
        names = await host_names(self._bus, self._network)
        known = {*names, *(one.casefold() for one in names.values())}
        return [one for one in self._choice.hosts if one.casefold() not in known]

    async def chunks(self, stop: asyncio.Event) -> AsyncGenerator[bytes, None]:
        """Yield whole blocks of the file until its end, or until `stop` is set.

        Raises:
            BusUnavailable: The server does not answer.
        """
        merging, deadline = self.merging, self._deadline()
        yield pcapng.section(
            os=f"{platform.system()} {platform.release()}",
            application=f"wintun-api {__version__}",
            comment=f"network {self._network.name}",
        )
        messages = self._stream.read(
            self._subject(), since_ns=self._since_ns or None, until_ns=self._last_message_ns()
        )
        coming = asyncio.ensure_future(_next(messages))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not (stop.is_set() or merging.complete):
                done, _ = await asyncio.wait(
                    (coming, stopping),
                    timeout=self._patience(deadline),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if coming in done:
                    found = coming.result()
                    if found is None:
                        break
                    message, now_ns = found
                    self._put(message, now_ns)
                    coming = asyncio.ensure_future(_next(messages))
                else:
                    now_ns = self._clock.server_ns()
                if blocks := merging.take(now_ns - self._window):
                    yield blocks
                if deadline is not None and asyncio.get_running_loop().time() >= deadline:
                    break
            yield merging.end()
        finally:
            coming.cancel()
            stopping.cancel()
            await asyncio.gather(coming, stopping, return_exceptions=True)

    def _subject(self) -> str:
        """Return the messages that are asked for: those of one host, or all."""
        hosts = self._choice.hosts
        only = hosts[0] if len(hosts) == 1 and is_host(hosts[0]) else "*"
        return self._network.capture(only, "*")

    def _last_message_ns(self) -> int | None:
        """Return when the last message came that can have a packet which is wanted."""
        if self._until_ns is None:
            return None
        now_ns = self._clock.server_ns()
        return min(self._until_ns + PAST, max(self._until_ns, now_ns) + UNDER_WAY)

    def _put(self, message: Message, server_ns: int) -> None:
        parts = message.subject.split(".")
        if len(parts) == _HOST_PLACE + 2:
            self.merging.put(parts[_HOST_PLACE], parts[_HOST_PLACE + 1], message.data, server_ns)

    def _deadline(self) -> float | None:
        seconds = self._choice.seconds
        return None if seconds is None else asyncio.get_running_loop().time() + seconds

    def _patience(self, deadline: float | None) -> float | None:
        """Return the seconds until a packet has waited long enough, or until the end."""
        waits: list[float] = []
        if deadline is not None:
            waits.append(deadline - asyncio.get_running_loop().time())
        if (oldest_ns := self.merging.oldest_ns) is not None:
            waits.append((oldest_ns + self._window - self._clock.server_ns()) / NS_PER_SECOND)
        return max(LEAST, min(waits)) if waits else None


class End:
    """Let a reading end in order when it is called, at any moment.

    It may be called by the handler of a signal, also before the reading is open; it raises nothing.
    """

    def __init__(self) -> None:
        """Belong to no reading yet."""
        self._asked = False
        self._tell: Callable[[], object] | None = None

    def __call__(self) -> None:
        """Ask for the end. Idempotent."""
        self._asked = True
        if self._tell is not None:
            self._tell()

    @contextmanager
    def telling(self, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Event]:
        """Give an event of this loop that is set when the end is asked for."""
        stop = asyncio.Event()
        self._tell = lambda: loop.call_soon_threadsafe(stop.set)
        try:
            if self._asked:
                stop.set()
            yield stop
        finally:
            self._tell = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A reading for a program without an event loop.

    Attributes:
        reading: The reading.
        chunks: The blocks of the file.
        unknown: Those of the chosen hosts that have not joined now.
        stop: Lets the file end in order; may be called by the handler of a signal.
    """

    reading: Reading
    chunks: Iterator[bytes]
    unknown: list[str]
    stop: Callable[[], object]


@contextmanager
def opened(
    connect: Callable[[], Coroutine[Any, Any, Bus]],
    network: Network,
    choice: Choice,
    end: End | None = None,
) -> Iterator[Opened]:
    """Read in an event loop that runs only while the next chunk is waited for.

    So a program that writes slowly also reads slowly, and nothing piles up between.

    Args:
        connect: Connects with the bus.
        network: The network.
        choice: What is read.
        end: Called to end it, where that may be needed before it is open.

    Raises:
        InvalidArgument: As by `Reading`.
        FleetError: The bus refuses, or does not answer; also while chunks are read.
        KeyboardInterrupt: The end was asked for before it was open.
    """
    end = end or End()
    with asyncio.Runner() as runner, end.telling(runner.get_loop()) as stop:

        def run(work: Coroutine[Any, Any, T]) -> T:
            done = runner.run(_done(work, stop))
            if done is None:
                raise KeyboardInterrupt
            return done.result()

        bus = run(connect())
        try:
            reading = run(Reading.prepare(bus, network, choice))
            unknown = run(reading.unknown())
            blocks = reading.chunks(stop)

            def chunks() -> Iterator[bytes]:
                while (chunk := runner.run(_next(blocks))) is not None:
                    yield chunk

            yield Opened(reading, chunks(), unknown, end)
            with suppress(RuntimeError):  # it was interrupted while it ran
                runner.run(blocks.aclose())
        finally:
            runner.run(bus.aclose())


async def _done(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> asyncio.Task[T] | None:
    """Do something, and return None if the end is asked for meanwhile."""
    working = asyncio.ensure_future(work)
    return working if await first_of(working, stop.wait()) == 0 else None


async def _next(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)
