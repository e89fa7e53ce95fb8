"""A program on `wintun_api.client` that counts, sends or joins, as the programs in C do.

    python -m tests.bench.python_client drain URL PATH HEADERS FORM WARM SECONDS
    python -m tests.bench.python_client inject URL PATH HEADERS FORM SIZE FROM TO
    python -m tests.bench.python_client bridge URL PATH HEADERS FORM URL PATH

It prints "open" or "sending", and at the end, which is a signal, its counts as JSON. A bridge has
the fastest event loop that is installed, as the agents of a network have it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

from wintun_api.client import AsyncPacketStream, Burst, Loss, PacketStream
from wintun_api.client.location import Location
from wintun_api.packet import build

# The asynchronous stream; the same with every packet looked at; and the twin without an event loop.
BURSTS: Final = "AsyncClient"
PACKETS: Final = "AsyncClient, each packet"
TWIN: Final = "Client"
FORMS: Final = (BURSTS, PACKETS, TWIN)
CHUNK: Final = 65536  # bytes of packets that are sent at a time, as by inject.c
PORT_DISCARD: Final = 9


@dataclass
class Count:
    """What has come, and what of it in the window."""

    warm: float
    seconds: float
    packets: int = 0
    window_packets: int = 0
    lost: int = 0
    disorder: int = 0
    window: float = 0.0
    _first: float = 0.0
    _next: int = 0

    def take(self, item: Burst | Loss) -> None:
        """Count a burst; the window begins `warm` seconds after the first one."""
        now = time.monotonic()
        if isinstance(item, Loss):
            self.lost += item.count or 0
            return
        count = len(item)
        self.packets += count
        sequence = item.sequence or 0
        self.disorder += sequence < self._next
        self._next = sequence + count
        self._first = self._first or now
        since = now - self._first - self.warm
        if 0 <= since <= self.seconds:
            self.window_packets += count
            self.window = since

    def as_json(self) -> str:
        """Return the counts as drain.c prints them."""
        return json.dumps({
            "window": self.window, "packets": self.packets, "lost": self.lost,
            "disorder": self.disorder, "window_packets": self.window_packets,
        })  # fmt: skip


def say(word: str) -> None:
    """Tell who waits."""
    print(word, flush=True)


async def drain(stream: AsyncPacketStream, count: Count, *, each: bool) -> None:
    """Count until a signal comes."""
    seen = 0
    async with stream:
        say("open")
        async for item in stream:
            count.take(item)
            if each and isinstance(item, Burst):
                for packet in item.packets:
                    seen += packet[0] >> 4 == 4


async def inject(stream: AsyncPacketStream, packets: Sequence[bytes]) -> None:
    """Send until a signal comes."""
    async with stream:
        say("sending")
        while True:
            await stream.put(packets)


async def bridge(one: AsyncPacketStream, other: AsyncPacketStream, count: Count) -> None:
    """Give the packets of each session to the other one until a signal comes."""

    async def carry(source: AsyncPacketStream, target: AsyncPacketStream) -> None:
        async for item in source:
            if isinstance(item, Burst):
                count.packets += len(item)
                await target.put(item.packets)
            else:
                count.lost += item.count or 0

    async with one, other:
        say("open")
        await asyncio.gather(carry(one, other), carry(other, one))


class Interruption:
    """The signal that ends a twin, which is remembered as well as raised.

    Python drops an exception that a handler raises inside a finalizer or a weak reference's
    callback, as asyncio has one for each task. A loop that only waited for it would never end.
    """

    def __init__(self) -> None:
        self.came = False
        signal.signal(signal.SIGTERM, self._take)

    def _take(self, *_: object) -> None:
        self.came = True
        raise KeyboardInterrupt


def drain_twin(stream: PacketStream, count: Count, interruption: Interruption) -> None:
    """Do as `drain`."""
    with stream:
        say("open")
        for item in stream:
            count.take(item)
            if interruption.came:
                return


def inject_twin(stream: PacketStream, packets: Sequence[bytes], interruption: Interruption) -> None:
    """Do as `inject`."""
    with stream:
        say("sending")
        while not interruption.came:
            stream.put(packets)


def main(what: str, url: str, path: str, headers: str, form: str, *more: str) -> None:
    """Run until SIGTERM comes, which is treated as Ctrl-C."""
    interruption = Interruption()
    token = headers.strip().removeprefix("Authorization: Bearer ")

    def stream(url: str, path: str) -> AsyncPacketStream:
        async def reach() -> Location:
            return Location(url, token, "the bench")

        return AsyncPacketStream(reach, path)

    count, packets = Count(0, 0), []
    if what == "drain":
        count = Count(float(more[0]), float(more[1]))
    elif what == "inject":
        size = int(more[0])
        packet = build.udp(more[1], more[2], PORT_DISCARD, PORT_DISCARD, bytes(size - 28))
        packets = [packet] * (CHUNK // size)
    with contextlib.suppress(KeyboardInterrupt):
        if form == TWIN:
            twin = PacketStream(lambda: Location(url, token, "the bench"), path)
            if what == "drain":
                drain_twin(twin, count, interruption)
            else:
                inject_twin(twin, packets, interruption)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if what == "bridge":
                with asyncio.Runner(loop_factory=fastest_loop()) as runner:
                    runner.run(_until_signal(bridge(stream(url, path), stream(*more), count)))
            elif what == "drain":
                asyncio.run(_until_signal(drain(stream(url, path), count, each=form == PACKETS)))
            else:
                asyncio.run(_until_signal(inject(stream(url, path), packets)))
    print(count.as_json())


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the fastest event loop that is installed; None for the usual one."""
    try:
        import uvloop
    except ImportError:
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


async def _until_signal(work: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main(*sys.argv[1:])
