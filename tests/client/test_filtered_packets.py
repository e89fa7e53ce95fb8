"""Packet streams with a filter and with a time for each packet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.api.host import host_sends, start
from tests.client.streams import Cut, packets_of, run
from tests.conftest import Rig
from tests.libpcap import need_libpcap
from tests.running import RunningService
from tests.waiting import until
from wintun_api.client.backoff import Backoff
from wintun_api.client.burst import Burst, Loss
from wintun_api.client.packet_socket import spans_of
from wintun_api.client.packets import AsyncPacketStream
from wintun_api.client.problems import ClientError, FilterRefused, ProblemError
from wintun_api.limits import MAX_FILTER
from wintun_api.packet import build
from wintun_api.wire import Batch, pack

need_libpcap(module=True)

FAST = Backoff(first=0.01, last=0.05)


def datagram(number: int) -> bytes:
    """Make a datagram to one of four ports."""
    return build.udp("10.6.7.8", "10.6.7.7", 5, 1000 + number % 4, number.to_bytes(4, "big"))


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


async def numbers(stream: AsyncPacketStream, count: int) -> list[int]:
    """Return the numbers of so many packets."""
    found: list[int] = []
    async for item in stream:
        if isinstance(item, Burst):
            assert item.sequences is not None
            assert len(item.sequences) == len(item)
            assert item.sequences[0] == item.sequence
            found += item.sequences
        if len(found) >= count:
            break
    return found


def test_a_filtered_stream(service: RunningService, session: str) -> None:
    """Packets keep the numbers that they have for everyone, and gaps are no losses."""

    async def work() -> None:
        query = {"direction": "injected", "filter": "dst port 1001"}
        async with (
            packets_of(service, session, **query) as stream,
            packets_of(service, session, direction="none") as sender,
        ):
            assert stream.hello.filter == "dst port 1001"
            await sender.send([datagram(number) for number in range(40)])
            assert await numbers(stream, 10) == list(range(1, 40, 4))

    run(work())


def test_another_filter_on_a_live_stream(service: RunningService, session: str) -> None:
    """The answer says with which packet it begins, and exactly from there on it holds."""

    async def work() -> None:
        async with (
            packets_of(service, session, direction="injected", filter="port 1001") as stream,
            packets_of(service, session, direction="none") as sender,
        ):
            await sender.send([datagram(number) for number in range(40)])
            first = await stream.set_filter("  port 1002\n")
            assert first.injected == 40
            await sender.send([datagram(number) for number in range(40)])
            assert (await stream.set_filter(None)).injected == 80
            await sender.send([datagram(0)])
            expected = [*range(1, 40, 4), *range(42, 80, 4), 80]
            assert await numbers(stream, 21) == expected

    run(work())


def test_a_refused_filter_leaves_the_stream(service: RunningService, session: str) -> None:
    """The error says where the filter is wrong, and packets go on as before."""

    async def work() -> None:
        async with (
            packets_of(service, session, direction="injected", filter="port 1001") as stream,
            packets_of(service, session, direction="none") as sender,
        ):
            with pytest.raises(FilterRefused) as caught:
                await stream.set_filter("tcp prot 80")
            assert caught.value.offset == 4
            assert "at character 5" in str(caught.value)
            with pytest.raises(FilterRefused) as caught:
                await stream.set_filter("x" * (MAX_FILTER + 1))
            assert caught.value.offset == MAX_FILTER
            with pytest.raises(TypeError, match="not list"):
                await stream.set_filter(["tcp"])  # type: ignore[arg-type]
            await sender.send([datagram(number) for number in range(4)])
            assert await numbers(stream, 1) == [1]

    run(work())


@pytest.mark.parametrize("around", ["\ufeff", "\u200b"])
def test_a_filter_with_invisible_signs_around_it(
    service: RunningService, session: str, around: str
) -> None:
    """They are removed as the service removes them, so that its answer is known by the filter."""

    async def work() -> None:
        async with asyncio.timeout(5), packets_of(service, session) as stream:
            await stream.set_filter(f"{around}tcp{around}")

    run(work())


def test_a_filter_with_half_a_character(service: RunningService, session: str) -> None:
    """It is refused here: the service could not repeat it in its answer."""

    async def work() -> None:
        async with asyncio.timeout(5), packets_of(service, session) as stream:
            with pytest.raises(FilterRefused) as caught:
                await stream.set_filter("tcp \ud800")
            assert caught.value.offset == 4

    run(work())


def test_several_tasks_change_it(service: RunningService, session: str) -> None:
    """Each call returns when its own filter holds."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            filters = [f"port {number}" for number in range(20)] + ["port"] * 3
            results = await asyncio.gather(*map(stream.set_filter, filters), return_exceptions=True)
            assert [type(one).__name__ for one in results] == (
                ["NextSequence"] * 20 + ["FilterRefused"] * 3
            )

    run(work())


def test_it_does_not_wait_behind_packets_that_nobody_reads(rig: Rig) -> None:
    """A program may change its filter before it reads; what is dropped meanwhile is told."""
    session = start(rig)

    async def work() -> None:
        async with packets_of(rig.service, session, max_queue=1, filter="udp") as stream:
            for turn in range(20):
                host_sends(rig, 50, first=50 * turn)
                await stream.set_filter("udp")
            got, lost = 0, 0
            async for item in stream:
                got += len(item) if isinstance(item, Burst) else 0
                lost += (item.count or 0) if isinstance(item, Loss) else 0
                if got + lost >= 1000:
                    break
            assert got + lost == 1000

    run(work())


@pytest.mark.parametrize("protocol", ["v1.raw", "v1.pcapng"])
def test_framings_without_an_answer(service: RunningService, session: str, protocol: str) -> None:
    """A stream that could not be told what is wrong has its filter from the start."""

    async def work() -> None:
        async with packets_of(service, session, protocol=protocol, filter="udp") as stream:
            with pytest.raises(ClientError, match="does not answer"):
                await stream.set_filter("tcp")

    run(work())


def test_a_wrong_filter_at_the_start(service: RunningService, session: str) -> None:
    """It is refused like every other value that cannot be used."""

    async def work() -> None:
        with pytest.raises(ProblemError) as caught:
            async with packets_of(service, session, filter="tcp prot"):
                pass
        assert (caught.value.status, caught.value.kind) == (422, "invalid-filter")

    run(work())


def test_connecting_again_with_the_filter_that_was_set_last(rig: Rig) -> None:
    """The new connection has it, and what was missed is told as far as it can be known."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            packets_of(rig.service, session) as witness,
            AsyncPacketStream(
                cut.location,
                f"/v1/sessions/{session}/packets",
                {"filter": "udp"},
                reconnect=FAST,
            ) as stream,
        ):
            await stream.set_filter("udp port 6000")
            host_sends(rig, 3)
            assert await numbers(stream, 3) == [0, 1, 2]
            cut.refusing = True
            cut.cut()
            clients = rig.service.service.context.registry.sessions.by_id(session).clients
            await asyncio.to_thread(until, lambda: len(clients) == 1)
            host_sends(rig, 5, first=3)
            await numbers(witness, 8)
            cut.refusing = False
            assert await anext(stream) == Loss("reconnect", "received", None, 3, 7)
            assert stream.hello.filter == "udp port 6000"
            cut.cut()
            assert await anext(stream) == Loss("reconnect", "received", 0, None, None)
            host_sends(rig, 1, first=8)
            assert await numbers(stream, 1) == [8]

    run(work())


def test_times_of_packets(service: RunningService, session: str) -> None:
    """With `times`, each packet has the time at which the service read it."""

    async def timed(stream: AsyncPacketStream) -> AsyncIterator[int]:
        async for item in stream:
            if isinstance(item, Burst):
                assert item.times_ns is not None
                assert len(item.times_ns) == len(item)
                assert item.times_ns[0] >= item.time_ns
                for one in item.times_ns:
                    yield one

    async def work() -> None:
        async with packets_of(service, session, times="packet") as stream:
            assert stream.hello.times == "packet"
            before = time.time_ns()
            pings = [
                build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=7, sequence=number)
                for number in range(10)
            ]
            await stream.put(pings)
            found: list[int] = []
            async for one in timed(stream):
                found.append(one)
                if len(found) == 10:
                    break
            assert before <= found[0] <= found[-1] <= time.time_ns()
            assert found == sorted(found)

    run(work())


def test_no_times_without_asking(service: RunningService, session: str) -> None:
    """Otherwise the burst has one."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            await stream.put(build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=7, sequence=1))
            item = await anext(stream)
            assert isinstance(item, Burst)
            assert item.times_ns is None

    run(work())


def test_without_await(service: RunningService, session: str) -> None:
    """The handles of the synchronous client take both options, and the stream a filter."""
    handle = service.api.session(session)
    with (
        handle.packets(direction="injected", filter="port 1001", times="packet") as stream,
        handle.packets(direction="none") as sender,
    ):
        sender.send([datagram(number) for number in range(4)])
        burst = next(stream)
        assert isinstance(burst, Burst)
        assert list(burst.sequences or ()) == [1]
        assert burst.times_ns is not None
        assert stream.set_filter("port 1002").injected == 4
        with pytest.raises(FilterRefused):
            stream.set_filter("port")


def test_the_numbers_of_any_batch() -> None:
    """A connection knows what follows a message, whatever columns its batches have."""
    message = b"".join(
        pack(batch)
        for batch in (
            Batch([b"a", b"bc"], 5, 1, times=[0, 9]),
            Batch([b"a", b"bc"], 7, 1, sequence_deltas=[0, 30]),
            Batch([], 50, 1, sequence_deltas=[], times=[]),
            Batch(
                [b"x"] * 3,
                60,
                1,
                injected=True,
                original_lengths=[4, 5, 6],
                sequence_deltas=[0, 2, 65535],
                times=[1, 2, 3],
            ),
            Batch([b"end"], 99, 1),
        )
    )
    assert list(spans_of(message)) == [
        ("received", 7, 2),
        ("received", 38, 2),
        ("received", 50, 0),
        ("injected", 65598, 3),
        ("received", 100, 1),
    ]
