"""From the bus to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.client.streams import run
from tests.fleet.running import LAB, A, B, C, eventually
from wintun_api.client.burst import Accounts
from wintun_api.fleet.bus.seam import Message
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.arriving import Arriving
from wintun_api.fleet.packets.envelope import Part, message
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.fleet.packets.ledger import Ledger
from wintun_api.packet import build
from wintun_api.packet.block import Block

ROUTES = Routes(
    {
        ip_network("10.7.0.1/32"): A,
        ip_network("10.7.0.2/32"): B,
        ip_network("10.7.0.3/32"): C,
    }
)
OF = {B: "10.7.0.2", C: "10.7.0.3"}


class Stream:
    """A packet stream to a service that answers when it is told to."""

    def __init__(self) -> None:
        self.on_accounts: Callable[[Accounts], None] | None = None
        self.puts: list[Sequence[bytes]] = []

    async def put(self, packets: Sequence[bytes]) -> None:
        """Take packets."""
        self.puts.append(packets)

    def answer(self, accepted: int = 0, ring_full: int = 0, unknown: int = 0) -> None:
        """Say what became of those that were given first."""
        assert self.on_accounts is not None
        self.on_accounts(Accounts(accepted, ring_full=ring_full, unknown=unknown))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The counters of this host."""
    made = Ledger.open(tmp_path / "ledger")
    yield made
    made.close()


def sent(sender: str, number: int, count: int = 1, source: str = "") -> Message:
    """Return a message of another host."""
    packets = [build.udp(source or OF[sender], "10.7.0.1", n, 9, bytes(72)) for n in range(count)]
    return Message(LAB.packets(A, sender), message([Part(Block.of(packets), 7)], number))


def room(ledger: Ledger, **options: int) -> Arriving:
    """Return the room, with a service that is there."""
    made = Arriving(LAB, A, ledger, Grouping(ROUTES, A), **options)
    made.reachable = True
    return made


def test_each_sender_has_its_own_account(ledger: Ledger) -> None:
    """An answer about packets of several hosts is divided in their order, and adds up."""

    async def work() -> None:
        arriving, stream = room(ledger), Stream()
        injecting = asyncio.ensure_future(arriving.inject(stream))  # type: ignore[arg-type]
        arriving.take(sent(B, 100, 3))
        arriving.take(sent(C, 500, 2))
        await eventually(lambda: sum(map(len, stream.puts)) == 5)
        stream.answer(accepted=2)
        stream.answer(accepted=2, ring_full=1)
        accounts = {one.sender: one for one in ledger.accounts().arrived}
        assert (accounts[B].delivered, accounts[B].waiting) == (3, 0)
        assert (accounts[C].delivered, accounts[C].causes[Cause.RING_FULL]) == (1, 1)
        injecting.cancel()
        await asyncio.gather(injecting, return_exceptions=True)

    run(work())


def test_packets_with_the_source_of_another_host_are_not_injected(ledger: Ledger) -> None:
    """A sender may speak only from its own prefixes."""

    async def work() -> None:
        arriving, stream = room(ledger), Stream()
        injecting = asyncio.ensure_future(arriving.inject(stream))  # type: ignore[arg-type]
        arriving.take(sent(B, 1, 2, source=OF[C]))
        arriving.take(sent(B, 3, 1))
        await eventually(lambda: stream.puts)
        (account,) = ledger.accounts().arrived
        assert [len(one) for one in stream.puts] == [1]
        assert account.causes[Cause.BAD_SOURCE] == 2
        injecting.cancel()
        await asyncio.gather(injecting, return_exceptions=True)

    run(work())


def test_what_does_not_fit_before_the_service_is_counted(ledger: Ledger) -> None:
    """While the service takes nothing, so many bytes wait and no more."""
    arriving = room(ledger, limit=1000)
    for number in range(20):
        arriving.take(sent(B, 1 + number))
    (account,) = ledger.accounts().arrived
    assert account.causes[Cause.BUS_IN] == 20 - account.waiting
    assert 0 < account.waiting < 10
    arriving.settle()
    (account,) = ledger.accounts().arrived
    assert account.waiting == 0
    assert account.causes[Cause.FAILED] + account.causes[Cause.BUS_IN] == 20


def test_without_a_service_packets_have_failed(ledger: Ledger) -> None:
    """They do not wait for a service that may never come."""
    arriving = room(ledger)
    arriving.reachable = False
    arriving.take(sent(B, 1, 4))
    (account,) = ledger.accounts().arrived
    assert (account.waiting, account.causes[Cause.FAILED]) == (0, 4)


def test_what_the_service_never_answered_has_an_end(ledger: Ledger) -> None:
    """A stream that ends leaves no packet without a cause: unknown if it was sent, else failed."""

    async def work() -> None:
        arriving, stream = room(ledger), Stream()
        injecting = asyncio.ensure_future(arriving.inject(stream))  # type: ignore[arg-type]
        arriving.take(sent(B, 1, 3))
        await eventually(lambda: stream.puts)
        stream.answer(unknown=2)
        injecting.cancel()
        await asyncio.gather(injecting, return_exceptions=True)
        arriving.settle()
        (account,) = ledger.accounts().arrived
        assert (account.causes[Cause.UNKNOWN], account.causes[Cause.FAILED]) == (2, 1)

    run(work())


def test_gaps_and_late_packets_are_counted_once(ledger: Ledger) -> None:
    """What was counted as lost and comes after all is not injected."""
    arriving = room(ledger)
    arriving.take(sent(B, 10))
    arriving.take(sent(B, 14))
    arriving.take(sent(B, 12, 2))
    (account,) = ledger.accounts().arrived
    assert (account.sent, account.causes[Cause.BUS], account.late) == (5, 3, 2)


def test_messages_of_strangers_cause_nothing(ledger: Ledger) -> None:
    """What is no batch is counted; what speaks for another one as well."""
    arriving = room(ledger)
    good = sent(B, 1)
    for data in (b"", b"WTB1", bytes(40), good.data[:-1], good.data + b"x", bytes(200_000)):
        arriving.take(Message(LAB.packets(A, B), data))
    assert arriving.unreadable == 6
    for subject in (LAB.packets(A, A), LAB.packets(A, "nobody")):
        arriving.take(Message(subject, good.data))
    arriving.take(Message(good.subject, good.data, "reply", plain=False))
    assert ledger.accounts().taken.forged == 3
    assert sum(one.sent for one in ledger.accounts().arrived) == 0


def test_senders_are_told_when_something_has_changed(ledger: Ledger) -> None:
    """Each is told some times, as a message may be lost, and then no more."""
    arriving = room(ledger)
    arriving.take(sent(B, 1))
    told = [list(arriving.feedback()) for _ in range(5)]
    assert [len(one) for one in told] == [1, 1, 1, 0, 0]
    ((sender, feedback),) = told[0]
    assert (sender, feedback.base, feedback.expected) == (B, 1, 2)


def test_answers_of_the_agent_are_nobodys(ledger: Ledger) -> None:
    """What the agent injects itself is in no host's account."""

    async def work() -> None:
        arriving, stream = room(ledger), Stream()
        injecting = asyncio.ensure_future(arriving.inject(stream))  # type: ignore[arg-type]
        assert arriving.answer([build.udp("10.7.0.1", "10.7.0.1", 1, 2, b"")])
        arriving.take(sent(B, 1))
        await eventually(lambda: sum(map(len, stream.puts)) == 2)
        stream.answer(ring_full=1, accepted=1)
        (account,) = ledger.accounts().arrived
        assert account.waiting == 0
        injecting.cancel()
        await asyncio.gather(injecting, return_exceptions=True)

    run(work())
