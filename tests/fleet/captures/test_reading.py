"""Captures of a network as one file that grows: what was, what comes, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.client.streams import run
from tests.fleet.excerpts import SECOND, SESSION, blocks, message, numbers_of
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, B, eventually, prepared, put_card
from tests.waiting import let_pass
from wintun_api.capture.reader import Captured, Reader
from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.captures.reading import Choice, End, Reading, opened
from wintun_api.fleet.problems import BusUnavailable


class Told:
    """Hosts that tell something, and what a reader has of it.

    Attributes:
        blocks: The chunks of the file so far.
    """

    def __init__(self, server: MemoryServer) -> None:
        self.server = server
        self.blocks: list[bytes] = []
        self._passed = {A: 0, B: 0}

    async def tell(self, host: str, *numbers: int, ago: float = 0, delay: float = 0) -> None:
        """Let a host publish packets that it captured so many seconds ago.

        With a delay, the server gets them so much later than they were captured.
        """
        passed = self._passed[host]
        at = time.time_ns() - int(ago * SECOND)
        data = message(
            blocks(*numbers, at=at), name=f"host {host[0]}", number=passed, passed=passed
        )
        self._passed[host] += len(numbers)
        bus = self.server.connect(host)
        self.server.offset_ns = int((delay - ago) * SECOND)
        await bus.publish(LAB.capture(host, SESSION), data)
        self.server.offset_ns = 0
        await bus.aclose()

    @property
    def packets(self) -> list[Captured]:
        """What the file has."""
        return list(Reader(self.blocks, growing=True))

    @property
    def numbers(self) -> list[int]:
        """The numbers of the packets in the file."""
        return numbers_of([one.data for one in self.packets])


async def read(told: Told, choice: Choice, stop: asyncio.Event | None = None) -> None:
    """Read until the end."""
    bus = told.server.connect("reader")
    reading = await Reading.prepare(bus, LAB, choice)
    told.blocks.clear()
    async for chunk in reading.chunks(stop or asyncio.Event()):
        told.blocks.append(chunk)
    await bus.aclose()


@asynccontextmanager
async def live(told: Told, choice: Choice) -> AsyncIterator[asyncio.Event]:
    """Read until the event that this gives is set; the file is whole at the end."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(read(told, choice, stop))
    await eventually(lambda: told.blocks or task.done())
    yield stop
    stop.set()
    await task


def test_what_was_is_read_in_order() -> None:
    """Without waiting for more, when the end is in the past."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(B, 1, ago=3)
        await told.tell(A, 3, 4, ago=1)
        await told.tell(B, 2, ago=2, delay=1.5)
        await told.tell(A, 9, ago=0.5)
        await read(told, Choice(since="-60s", until="-0ms"))
        assert told.numbers == [1, 2, 3, 4, 9]

    run(work())


def test_a_part_of_what_was_is_read() -> None:
    """By the times of packets; messages that came a little later have some of them."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(A, 1, ago=50, delay=12)
        await told.tell(A, 2, ago=30, delay=8)
        await told.tell(A, 3, ago=10)
        await read(told, Choice(since="-40s", until="-15s"))
        assert told.numbers == [2]

    run(work())


def test_what_comes_is_read() -> None:
    """Nothing that was before, and each packet soon after it was captured."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(A, 1, ago=5)
        async with live(told, Choice()):
            await told.tell(A, 2)
            await told.tell(B, 3)
            await eventually(lambda: told.numbers == [2, 3])
            await told.tell(A, 4)
            await eventually(lambda: told.numbers == [2, 3, 4])

    run(work())


def test_what_was_and_what_comes_are_one_file() -> None:
    """A capture that begins in the past goes on."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(A, 1, ago=5)
        async with live(told, Choice(since="-60s")):
            await eventually(lambda: told.numbers == [1])
            await told.tell(B, 2)
            await eventually(lambda: told.numbers == [1, 2])

    run(work())


def test_a_packet_waits_for_older_ones_of_other_hosts() -> None:
    """For a second while the capture is live."""

    async def work() -> None:
        told = Told(prepared())
        async with live(told, Choice(since="-5s")):
            await told.tell(A, 2, ago=0.1, delay=0.1)
            await told.tell(B, 1, ago=0.4, delay=0.4)
            await eventually(lambda: len(told.numbers) == 2)
            assert told.numbers == [1, 2]

    run(work())


def test_a_live_capture_ends_in_order() -> None:
    """What waits is written, and the statistics of each interface end the file."""

    async def work() -> None:
        told = Told(prepared())
        async with live(told, Choice()) as stop:
            await told.tell(A, 1)
            await asyncio.to_thread(let_pass, 0.05)
            stop.set()
        reader = Reader(told.blocks)
        assert len(list(reader)) == 1
        assert reader.lost == 0

    run(work())


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        pytest.param(Choice(since="-9s", count=2), [1, 2], id="count"),
        pytest.param(Choice(since="-9s", seconds=0.1), [1, 2, 3], id="seconds"),
        pytest.param(Choice(hosts=("host B",), since="-9s", until="-0ms"), [2], id="name"),
        pytest.param(Choice(hosts=(A,), since="-9s", until="-0ms"), [1, 3], id="id"),
        pytest.param(Choice(hosts=(A, "host b"), since="-9s", until="-0ms"), [1, 2, 3], id="both"),
        pytest.param(Choice(injected=True, since="-9s", until="-0ms"), [], id="direction"),
    ],
)
def test_what_is_chosen_is_read(choice: Choice, found: list[int]) -> None:
    """Hosts, directions, and where the file ends."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(A, 1, ago=4)
        await told.tell(B, 2, ago=3)
        await told.tell(A, 3, ago=2)
        await read(told, choice)
        assert told.numbers == found

    run(work())


def test_hosts_that_have_not_joined_are_named() -> None:
    """A name may be wrong; a host that is gone may have left captures."""

    async def work() -> None:
        server = prepared()
        host = server.connect(A)
        await put_card(host, "Ann")
        reading = await Reading.prepare(server.connect("r"), LAB, Choice(hosts=("ann", A, "bob")))
        assert await reading.unknown() == ["bob"]

    run(work())


def test_moments_are_those_of_the_server() -> None:
    """The clock of the reader does not matter."""

    async def work() -> None:
        told = Told(prepared())
        await told.tell(A, 1, ago=-3600)  # by the server's clock, an hour before this machine's
        told.server.offset_ns = 3600 * SECOND
        await read(told, Choice(since="-1m", until="-0ms"))
        assert told.numbers == [1]

    run(work())


def test_a_time_that_contradicts_itself_is_refused() -> None:
    """The end is before the beginning."""

    async def work() -> None:
        with pytest.raises(InvalidArgument, match="before since"):
            await Reading.prepare(prepared().connect("r"), LAB, Choice(since="-1s", until="-9s"))

    run(work())


def test_a_program_without_a_loop_reads_too() -> None:
    """It gets chunks as it asks for them, and may stop from elsewhere."""
    server = prepared()
    told = Told(server)

    async def connect() -> Bus:
        await told.tell(A, 1, ago=1)
        return server.connect("reader")

    with opened(connect, LAB, Choice(since="-9s")) as one:
        found: list[bytes] = []
        for chunk in one.chunks:
            found.append(chunk)
            if len(found) == 2:
                one.stop()
        assert len(found) == 3
        assert numbers_of([packet.data for packet in Reader(found)]) == [1]


def test_it_ends_before_it_is_open() -> None:
    """One that asks for the end does not wait until the server has answered."""
    end = End()

    async def connect() -> Bus:
        end()
        await asyncio.Event().wait()
        return prepared().connect("reader")

    with pytest.raises(KeyboardInterrupt), opened(connect, LAB, Choice(), end):
        pytest.fail("it was opened")


def test_a_server_without_the_network_is_an_error() -> None:
    """The stream is not there."""

    async def connect() -> Bus:
        server = MemoryServer()
        server.add_bucket(LAB.hosts)
        return server.connect("reader")

    with pytest.raises(BusUnavailable), opened(connect, LAB, Choice()) as one:
        list(one.chunks)
