"""From the service to the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.client.streams import run
from tests.fleet.memory import MemoryBus
from tests.fleet.running import LAB, A, B, eventually, prepared
from wintun_api.client.burst import Burst, Loss
from wintun_api.fleet.bus.seam import Message
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets.accounts import GROUP, Cause, Feedback
from wintun_api.fleet.packets.envelope import read
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.fleet.packets.leaving import Leaving
from wintun_api.fleet.packets.ledger import Ledger
from wintun_api.packet import build

ROUTES = Routes({ip_network("10.7.0.1/32"): A, ip_network("10.7.0.2/32"): B})


def packet(number: int = 0, size: int = 100) -> bytes:
    """Return a packet to the other host."""
    return build.udp("10.7.0.1", "10.7.0.2", number, 9, bytes(size - 28))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The counters of this host."""
    made = Ledger.open(tmp_path / "ledger")
    yield made
    made.close()


class Stream:
    """A packet stream that gives what it is told to give."""

    class hello:  # noqa: N801 - as a stream has it
        session = "5f0c9d1e2b3a"
        handed_before = None

        class adapter:  # noqa: N801 - as a stream has it
            guid = "8e7f2ca7-1870-8cb8-8a39-13860a42e593"

        class next_sequence:  # noqa: N801 - as a stream has it
            received = 0

    def __init__(self, *bursts: Sequence[Burst | Loss]) -> None:
        self.bursts = list(bursts)
        self.reads = 0

    async def several(self) -> Sequence[Burst | Loss]:
        """Return the next ones; nothing at the end."""
        self.reads += 1
        await asyncio.sleep(0)
        return self.bursts.pop(0) if self.bursts else []


def burst(*packets: bytes) -> Burst:
    """Return packets as a stream gives them."""
    return Burst(packets, "received", 7, 0)


def leaving(bus: MemoryBus, ledger: Ledger, **options: object) -> Leaving:
    """Return the room, on this host."""
    return Leaving(bus, LAB, A, ledger, Grouping(ROUTES, A), **options)  # type: ignore[arg-type]


def test_packets_of_a_burst_leave_in_one_message_with_their_numbers(ledger: Ledger) -> None:
    """The other host gets the bytes, the time and the number of each."""

    async def work() -> None:
        server = prepared()
        bus, other = server.connect(A), server.connect(B)
        got: list[Message] = []
        await other.subscribe(LAB.packets(B, "*"), got.append, limit_bytes=1 << 20)
        await leaving(bus, ledger).read(Stream([burst(packet(1), packet(2))]))  # type: ignore[arg-type]
        await other.flush()
        (message,) = got
        (batch,) = read(message.data)
        assert list(batch.packets) == [packet(1), packet(2)]
        assert (batch.sequence, batch.time_ns) == (ledger.sent(B).start, 7)
        assert ledger.accounts().taken.waiting == 0

    run(work())


def test_small_bursts_share_a_message(ledger: Ledger) -> None:
    """Bursts that wait together are one batch in their order, as far as a message has room."""

    async def work() -> None:
        server = prepared()
        bus, other = server.connect(A), server.connect(B)
        got: list[Message] = []
        await other.subscribe(LAB.packets(B, "*"), got.append, limit_bytes=1 << 20)
        small: list[Burst | Loss] = [burst(packet(number)) for number in range(5)]
        small.insert(2, Loss("ring", "received", 3, None, None))
        large = [burst(*([packet(9, 1400)] * 90)) for _ in range(2)]
        await leaving(bus, ledger).read(Stream([*small, *large]))  # type: ignore[arg-type]
        await other.flush()
        batches = [batch for message in got for batch in read(message.data) if batch.packets]
        assert [len(batch.packets) for batch in batches] == [95, 90]
        assert list(batches[0].packets)[:5] == [packet(number) for number in range(5)]
        assert ledger.accounts().taken.before[Cause.RING] == 3
        assert ledger.accounts().taken.taken == 185

    run(work())


def test_losses_before_the_agent_are_counted_by_their_cause(ledger: Ledger) -> None:
    """What the ring and the queue have lost, and what passed in between; not what was injected."""

    async def work() -> None:
        room = leaving(prepared().connect(A), ledger)
        for cause in ("ring", "queue", "truncated", "reconnect"):
            room.take(Loss(cause, "received", 2, None, None))
            room.take(Loss(cause, "injected", 5, None, None))
        room.take(Loss("reconnect", "received", None, None, None))
        before = ledger.accounts().taken.before
        assert before == {Cause.RING: 4, Cause.QUEUE: 2, Cause.AWAY: 2}
        assert room.uncounted == 1

    run(work())


def test_a_number_is_given_only_to_what_the_bus_takes(ledger: Ledger) -> None:
    """What is refused waits, and has the next number when there is room."""

    async def work() -> None:
        server = prepared()
        bus = server.connect(A)
        room = leaving(bus, ledger)
        sending = asyncio.ensure_future(room.send())
        bus.lose()
        await room.read(Stream([burst(packet(1))], [burst(packet(2))]))  # type: ignore[arg-type]
        row = ledger.sent(B)
        assert row.next == row.start
        assert ledger.accounts().taken.waiting == 2
        bus.regain()
        await eventually(lambda: row.next > row.start)
        assert row.next == row.start + 2
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    run(work())


def test_with_block_nothing_more_is_read_while_the_backlog_is_full(ledger: Ledger) -> None:
    """The service is held back, so that it is the ring that loses."""

    async def work() -> None:
        bus = prepared().connect(A)
        bus.lose()
        room = leaving(bus, ledger, limit=300_000, policy="block")
        full = burst(*([packet(size=1400)] * 90))
        stream = Stream(*([full] for _ in range(10)))
        reading = asyncio.ensure_future(room.read(stream))  # type: ignore[arg-type]
        for _ in range(100):
            await asyncio.sleep(0)
        assert stream.reads < 10
        assert ledger.accounts().taken.causes[Cause.BUS_OUT] == 0
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        waiting = ledger.accounts().taken.waiting
        assert room.clear() == waiting
        assert ledger.accounts().taken.causes[Cause.BUS_OUT] == waiting

    run(work())


def test_a_host_is_told_the_next_number_until_it_confirms(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tail has no packets; hosts that are gone and those that know are told nothing."""

    async def work() -> None:
        server = prepared()
        bus, other = server.connect(A), server.connect(B)
        got: list[Message] = []
        await other.subscribe(LAB.packets(B, "*"), got.append, limit_bytes=1 << 20)
        room = leaving(bus, ledger)
        await room.read(Stream([burst(packet(1))]))  # type: ignore[arg-type]
        monkeypatch.setattr("wintun_api.fleet.packets.leaving.QUIET", -1.0)
        await room.tell_numbers({A}, 0)
        assert len(got) <= 1
        await room.tell_numbers({A, B}, 0)
        await other.flush()
        row = ledger.sent(B)
        ends = [(one.sequence, len(one.packets)) for one in read(got[-1].data)]
        assert ends == [(row.start, 0), (row.next, 0)]
        told = Feedback(base=row.start, expected=row.next, delivered=1)
        room.learn(Message(LAB.feedback(A, B), told.encoded()))
        await room.tell_numbers({A, B}, 0)
        await other.flush()
        assert len(got) == 2
        assert ledger.accounts().sent[0].delivered == 1

    run(work())


def test_all_hosts_are_told_a_bounded_number_of_times(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody confirms what is for all, so it is repeated some times, and then no more."""

    async def work() -> None:
        server = prepared()
        bus, other = server.connect(A), server.connect(B)
        got: list[Message] = []
        await other.subscribe(LAB.group_packets("*"), got.append, limit_bytes=1 << 20)
        room = leaving(bus, ledger)
        to_all = build.udp("10.7.0.1", "224.0.0.251", 1, 9, b"")
        await room.read(Stream([burst(to_all)]))  # type: ignore[arg-type]
        monkeypatch.setattr("wintun_api.fleet.packets.leaving.QUIET", -1.0)
        for _ in range(10):
            await room.tell_numbers({A, B}, 0)
        await other.flush()
        assert len(got) == 1 + 3
        assert [one.to for one in ledger.accounts().sent] == [GROUP]

    run(work())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"base": 1, "expected": 0}', bytes(5000)])
def test_feedback_of_strangers_causes_nothing(ledger: Ledger, data: bytes) -> None:
    """What cannot be true is not taken, and what is forged is counted."""

    async def work() -> None:
        room = leaving(prepared().connect(A), ledger)
        room.learn(Message(LAB.feedback(A, B), data))
        room.learn(Message(LAB.feedback(A, B), data, reply="x", plain=False))
        room.learn(Message(LAB.feedback(A, "nobody"), data))
        assert ledger.accounts().taken.forged == 2
        assert sum(one.delivered for one in ledger.accounts().sent) == 0

    run(work())


def test_a_session_that_nobody_can_count(ledger: Ledger) -> None:
    """Where the host does not count, it is told that packets may be missing between sessions."""

    async def work() -> None:
        server = prepared()
        room = leaving(server.connect(A), ledger)
        await room.read(Stream([burst(packet())]))  # type: ignore[arg-type]
        assert room.uncounted == 0
        again = Stream()
        again.hello = another
        await room.read(again)  # type: ignore[arg-type]
        assert room.uncounted == 1

    class another(Stream.hello):  # noqa: N801 - as a stream has it
        session = "0fe1d2c3b4a5"

    run(work())
