"""What a service captures, on its way to the bus: all of it, or a number for what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest

from tests.client.streams import run
from tests.fleet.excerpts import packet
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, eventually, prepared
from tests.libpcap import need_libpcap
from tests.running import TOKEN, RunningService
from tests.waiting import let_pass
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader
from wintun_api.client import AsyncClient
from wintun_api.client.backoff import Backoff
from wintun_api.client.problems import ProblemError, ServiceUnreachable
from wintun_api.fleet.captures.capturing import CaptureOrder, Capturing
from wintun_api.fleet.captures.excerpt import Excerpt, excerpt_of
from wintun_api.fleet.captures.merging import INTERRUPTED, Merging, Wanted
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.packet import build

PINGS = [build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=one) for one in range(5)]
QUICK = Backoff(first=0.01, last=0.05)


class Breakable(AsyncClient):
    """A client whose capture breaks off behind the next packets, when it is asked to."""

    breaks = False

    @asynccontextmanager
    async def capture_packets(
        self, session_id: str, **options: Any
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Capture as usual."""
        async with super().capture_packets(session_id, **options) as chunks:
            yield self._until_it_breaks(chunks)

    async def _until_it_breaks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk
            if self.breaks:
                self.breaks = False
                raise ServiceUnreachable("", "It broke off.", kind="broken")


class Host:
    """A session that is captured for the network, from when the service captures it."""

    def __init__(
        self, service: RunningService, server: MemoryServer, order: CaptureOrder | None = None
    ) -> None:
        self.service = service
        self.server = server
        self.bus = server.connect(A)
        self.order = order or CaptureOrder()
        self.session = str(service.session(service.adapter(name="Lab"))["id"])

    async def __aenter__(self) -> Self:
        self.client = Breakable(self.service.url, token=TOKEN)
        clock = Clock(self.bus)
        await clock.measure()
        self.capturing = Capturing(
            self.client, self.bus, LAB, A, self.order, name="one", clock=clock, backoff=QUICK
        )
        self.task = asyncio.ensure_future(self.capturing.run(self.session))
        await eventually(lambda: self.task.done() or self.messages())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.client.aclose()
        await self.bus.aclose()

    async def send(self, packets: Sequence[bytes]) -> None:
        """Send packets to the host, and wait until they were captured."""
        before = self.capturing.captured
        for at in range(0, len(packets), 200):
            await self.client.inject_packets(self.session, packets[at : at + 200])
        await eventually(lambda: self.capturing.captured >= before + len(packets))

    def messages(self) -> list[Excerpt]:
        """Return what has come to the stream."""
        found = [excerpt_of(one.data) for one, _ in self.server.log(LAB.captures).messages]
        assert None not in found
        return [one for one in found if one is not None]

    def sizes(self) -> list[int]:
        """Return the bytes of the messages in the stream."""
        return [len(one.data) for one, _ in self.server.log(LAB.captures).messages]

    def packets(self) -> int:
        """Return how many packets have come to the stream."""
        return sum(len(one.packets) for one in self.messages())

    def file(self) -> Reader:
        """Return what a reader makes of the stream."""
        merging = Merging(Wanted(injected=True))
        for one, at_ns in self.server.log(LAB.captures).messages:
            merging.put(A, self.session, one.data, at_ns)
        return Reader([pcapng.section(os="", application=""), merging.end()])


def numbered(count: int, size: int = 0) -> list[bytes]:
    """Return packets that nobody answers."""
    return [packet(number, size) for number in range(count)]


def test_packets_come_to_the_stream(service: RunningService) -> None:
    """All of them, in order, at the subject of the host and the session."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(100))
            await eventually(lambda: host.packets() == 100)
            assert [one.data for one in host.file()] == numbered(100)
            (subject,) = {one.subject for one, _ in host.server.log(LAB.captures).messages}
            assert subject == f"wt.lab.cap.{A}.{host.session}"

    run(work())


def test_packets_become_few_messages(service: RunningService) -> None:
    """Those of a tenth of a second are one message, and none is larger than allowed."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(400, 1000))
            await eventually(lambda: host.packets() == 400)
            assert len(host.messages()) < 20
            assert max(host.sizes()) <= MAX_MESSAGE

    run(work())


def test_a_reader_learns_how_many_there_were(service: RunningService) -> None:
    """When nothing follows for a second, a message without packets says where the capture is."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(3))
            await eventually(lambda: host.packets() == 3)
            await eventually(lambda: not host.messages()[-1].packets)
            assert host.messages()[-1].position.passed == 3
            told = len(host.messages())
            await asyncio.to_thread(let_pass, 1.2)
            assert len(host.messages()) == told  # and is not repeated

    run(work())


def test_what_does_not_fit_before_the_bus_is_counted(service: RunningService) -> None:
    """The oldest packets are dropped; a reader is told how many, to the packet."""

    async def work() -> None:
        async with Host(service, prepared(), CaptureOrder(limit=100_000)) as host:
            host.bus.lose()
            await host.send(numbered(400, 1000))
            await eventually(lambda: host.capturing.dropped > 0)
            host.bus.regain()
            await eventually(lambda: host.packets() + host.capturing.dropped == 400)
            found = list(reader := host.file())
            assert [one.data for one in found] == numbered(400, 1000)[-len(found) :]
            assert sum(one.dropped for one in found) == host.capturing.dropped == reader.lost

    run(work())


def test_messages_that_the_bus_lost_are_known(service: RunningService) -> None:
    """After a connection has ended, a message says what a reader should have."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(3))
            await eventually(lambda: host.packets() == 3)
            host.bus.stall()  # what is published now is lost with the connection
            await host.send(numbered(7))
            await eventually(lambda: host.bus.unsent > 0)
            host.bus.lose()
            host.bus.flow()
            host.bus.regain()
            await eventually(lambda: host.messages()[-1].position.passed == 10)
            reader = host.file()
            assert len(list(reader)) == 3
            assert reader.lost == 7

    run(work())


def test_captures_give_way_to_packets(service: RunningService) -> None:
    """Nothing is published while half of the connection's bound is unsent."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            host.bus.stall()
            for _ in range(2):
                await host.bus.publish(LAB.group_packets(A), bytes(300_000))
            await host.send(numbered(50))
            await asyncio.to_thread(let_pass, 0.3)
            assert host.bus.unsent == 600_000
            host.bus.flow()
            await eventually(lambda: host.packets() == 50)

    run(work())


def test_a_capture_ends_with_its_session(service: RunningService) -> None:
    """Everything is published before, and how many packets there were."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(20))
            await host.client.end_session(host.session)
            await asyncio.wait_for(host.task, 10)
            assert host.packets() == 20
            last = host.messages()[-1]
            assert last.passed == 20

    run(work())


def test_a_capture_that_breaks_off_is_begun_again(service: RunningService) -> None:
    """A reader is told that nobody knows what is missing between."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(1))
            await eventually(lambda: host.packets() == 1)
            host.client.breaks = True
            await host.send(numbered(1))
            await eventually(lambda: len({one.position.run for one in host.messages()}) == 2)
            await host.send(numbered(1))
            await eventually(lambda: host.packets() == 3)
            assert [one.comment for one in host.file()] == [None, None, INTERRUPTED]

    run(work())


def test_only_what_is_asked_for_is_captured(service: RunningService) -> None:
    """The filter and the length are the service's."""
    need_libpcap()

    async def work() -> None:
        order = CaptureOrder(filter="udp", snaplen=24)
        async with Host(service, prepared(), order) as host:
            await host.client.inject_packets(host.session, PINGS)
            await host.send(numbered(2))
            await eventually(lambda: host.packets() == 2)
            assert [(one.data, one.missing) for one in host.file()] == [
                (whole[:24], 8) for whole in numbered(2)
            ]

    run(work())


def test_a_filter_that_is_not_valid_is_an_error(service: RunningService) -> None:
    """It is not tried again."""
    need_libpcap()

    async def work() -> None:
        async with Host(service, prepared(), CaptureOrder(filter="tcp prot")) as host:
            with pytest.raises(ProblemError, match="not valid"):
                await asyncio.wait_for(host.task, 10)

    run(work())


def test_a_renamed_adapter_is_another_interface(service: RunningService) -> None:
    """Its messages have the name that it had when they were captured."""

    async def work() -> None:
        async with Host(service, prepared()) as host:
            await host.send(numbered(1))
            (adapter,) = await host.client.list_adapters()
            await host.client.update_adapter(adapter.guid, name="Other")
            await host.send(numbered(1))
            await eventually(lambda: host.packets() == 2)
            assert [one.interface for one in host.file()] == ["one/Lab", "one/Other"]

    run(work())
