"""Packets between two hosts that have joined: what crosses the bus, and what is counted where."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.client.streams import run
from tests.fleet.joined import QUICK, Joined, settled
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, B, eventually, prepared
from tests.fleet.sites import Site, ping, unanswered
from wintun_api.capture.reader import Reader
from wintun_api.fleet.captures.capturing import CaptureOrder
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.counts import noted_in
from wintun_api.packet import build


def test_a_ping_crosses_the_bus_and_is_answered(sites: tuple[Site, Site]) -> None:
    """Request and answer arrive at the other host, and both ends account for them."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            assert one.send(ping(one, other))
            await eventually(lambda: one.injected() == other.injected() == 1)
            await eventually(lambda: [to.delivered for to in first.ledger.accounts().sent] == [1])
            await eventually(lambda: [to.delivered for to in second.ledger.accounts().sent] == [1])
            accounts = first.ledger.accounts()
            assert accounts.taken.taken == accounts.taken.numbered == 1
            assert [(one.sent, one.delivered) for one in accounts.arrived] == [(1, 1)]

    run(work())


def test_a_source_that_is_not_its_own_does_not_leave(sites: tuple[Site, Site]) -> None:
    """A host cannot send in the name of another address, and the loss is counted and told."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(build.icmp_echo("10.9.9.9", other.address, identifier=1, sequence=1))
            await eventually(lambda: first.ledger.accounts().taken.causes[Cause.BAD_SOURCE] == 1)
            await eventually(lambda: first.kinds(EventKind.PACKETS_LOST))
            assert first.kinds(EventKind.PACKETS_LOST)[0].data["cause"] == "bad_source"
            assert second.ledger.accounts().arrived == ()

    run(work())


def test_what_a_system_says_to_its_link_is_not_called_lost(sites: tuple[Site, Site]) -> None:
    """It is counted and does not leave; the card has it, and what the service could not count."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)

            def counts() -> dict[str, int]:
                card = second.agent.inventory.hosts[one.host].card
                return card.counts if card is not None else {}

            one.send(build.icmp_echo("fe80::1", "ff02::16", identifier=1, sequence=1))
            await eventually(lambda: counts().get("link_local") == 1)
            one.send(build.icmp_echo("10.9.9.9", other.address, identifier=1, sequence=1))
            await eventually(lambda: first.kinds(EventKind.PACKETS_LOST))
            (told,) = first.kinds(EventKind.PACKETS_LOST)
            assert told.data["cause"] == "bad_source"
            await eventually(lambda: counts().get("lost_bad_source") == 1)
            assert "lost_link_local" not in counts()
            assert noted_in(counts()) == {"link_local": 1}

    run(work())


def test_a_host_is_told_that_nobody_has_an_address(sites: tuple[Site, Site]) -> None:
    """It gets an ICMP error from its own adapter."""

    async def work() -> None:
        server = prepared()
        one, _ = sites
        async with Joined(one, server) as first:
            await eventually(lambda: first.routes() == 1)
            one.send(build.icmp_echo(one.address, "10.7.0.77", identifier=1, sequence=1))
            await eventually(lambda: first.ledger.accounts().taken.causes[Cause.NO_ROUTE] == 1)
            await eventually(lambda: one.injected() == 1)

    run(work())


def test_a_broadcast_reaches_all_other_hosts(sites: tuple[Site, Site]) -> None:
    """What is sent to the broadcast address of the subnet arrives, and not at its sender."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(build.udp(one.address, "10.7.0.255", 1, 9, b"all"))
            await eventually(lambda: other.injected() == 1)
            (account,) = second.ledger.accounts().arrived
            assert (account.group, account.sent) == (True, 1)
            assert one.injected() == 0

    run(work())


def test_what_does_not_fit_before_the_bus_is_counted(sites: tuple[Site, Site]) -> None:
    """While the bus takes nothing the backlog drops, and no packet is without an end."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with (
            Joined(one, server, bus_bytes=300_000) as first,
            Joined(other, server) as second,
        ):
            await eventually(lambda: first.routes() == second.routes() == 2)
            first.bus.stall()
            packet = unanswered(one, other)
            sent = sum(one.send(packet) for _ in range(3000))
            await eventually(lambda: first.ledger.accounts().taken.causes[Cause.BUS_OUT] > 100)
            first.bus.flow()
            await eventually(lambda: settled(first, second, 1))
            taken = first.ledger.accounts().taken
            assert taken.taken + sum(taken.before.values()) == sent
            assert taken.taken == taken.numbered + taken.causes[Cause.BUS_OUT]
            (arrived,) = second.ledger.accounts().arrived
            assert arrived.sent == taken.numbered
            assert arrived.sent == arrived.delivered + sum(arrived.causes.values())

    run(work())


def test_what_waits_when_the_claims_of_a_host_lapse_does_not_leave(
    sites: tuple[Site, Site],
) -> None:
    """No other host would take it: it is counted here, and nobody is sent what it has to refuse."""

    async def work() -> None:
        server = MemoryServer()
        server.prepare(LAB, host_ttl=QUICK.lifetime)
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            first.bus.lose()
            for _ in range(10):
                one.send(unanswered(one, other))
            await eventually(lambda: first.ledger.accounts().taken.causes[Cause.BAD_SOURCE] == 10)
            first.bus.regain()
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 1))
            (account,) = second.ledger.accounts().arrived
            assert (account.sent, account.causes[Cause.BAD_SOURCE]) == (1, 0)

    run(work())


def test_packets_that_the_bus_loses_are_counted_though_none_follow(
    sites: tuple[Site, Site],
) -> None:
    """The receiver learns the next number after a second of silence, and tells the sender."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(ping(one, other))
            await eventually(lambda: settled(first, second, 1))
            second.bus.lose()
            for number in range(2, 12):
                one.send(ping(one, other, number))
            await eventually(lambda: first.ledger.accounts().taken.numbered == 11)
            second.bus.regain()
            await eventually(lambda: settled(first, second, 11))
            (arrived,) = second.ledger.accounts().arrived
            assert (arrived.delivered, arrived.causes[Cause.BUS]) == (1, 10)
            (sent,) = first.ledger.accounts().sent
            assert (sent.delivered, sent.causes[Cause.BUS]) == (1, 10)

    run(work())


def test_the_loss_of_the_very_first_packets_is_counted(sites: tuple[Site, Site]) -> None:
    """A host that has never got anything of another one learns what it has missed."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            second.bus.lose()
            one.send(ping(one, other))
            await eventually(lambda: first.ledger.accounts().taken.numbered == 1)
            second.bus.regain()
            await eventually(lambda: settled(first, second, 1))
            (sent,) = first.ledger.accounts().sent
            assert (sent.sent, sent.causes[Cause.BUS]) == (1, 1)

    run(work())


def test_what_passed_while_the_agent_was_dead_is_counted(sites: tuple[Site, Site]) -> None:
    """The session goes on without an agent, and its numbers tell how much nobody took."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        one.service.api.start_session(one.adapter["guid"])

        def drained(count: int) -> bool:
            (session,) = one.service.api.list_sessions()
            return session.counters.received.packets == count

        async with Joined(one, server) as first:
            one.send(ping(one, other))
            await eventually(lambda: first.ledger.accounts().taken.taken == 1)
            await first.kill()
        for number in range(3):
            one.send(ping(one, other, number))
        await eventually(lambda: drained(4))
        async with Joined(one, server) as again:
            one.send(ping(one, other))
            await eventually(lambda: again.ledger.accounts().taken.taken == 2)
            assert again.ledger.accounts().taken.before[Cause.AWAY] == 3

    run(work())


def test_messages_in_anothers_name_are_counted_and_go_nowhere(sites: tuple[Site, Site]) -> None:
    """A stream that sends to a subject of somebody's choice cannot speak for a host."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            for subject in (LAB.packets(B, "nobody"), LAB.packets(B, B)):
                await first.bus.publish(subject, b"x")
            with suppress(Exception):
                await first.bus.request(LAB.packets(B, A), b"x", patience=0.05)
            await eventually(lambda: second.ledger.accounts().taken.forged == 3)
            assert other.injected() == 0

    run(work())


def test_an_agent_captures_when_it_is_asked_to(sites: tuple[Site, Site]) -> None:
    """Packets of both directions come to the stream, and the card says how many."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server, capture=CaptureOrder()) as first, Joined(other, server):
            await eventually(lambda: first.routes() == 2)
            log = server.log(LAB.captures)
            await eventually(lambda: log.messages)
            one.send(ping(one, other))
            await eventually(lambda: one.injected() == 1)
            await eventually(
                lambda: (
                    [
                        packet.injected
                        for message, _ in log.messages
                        for packet in Reader([message.data])
                    ]
                    == [False, True]
                )
            )
            assert {message.subject.split(".")[3] for message, _ in log.messages} == {A}
            cards = first.agent.inventory.hosts
            await eventually(lambda: (card := cards[A].card) and card.counts.get("captured") == 2)

    run(work())


def test_a_capture_outlives_its_session(sites: tuple[Site, Site]) -> None:
    """The session that takes its place is captured too."""

    async def work() -> None:
        server = prepared()
        one, _ = sites
        async with Joined(one, server, capture=CaptureOrder()) as first:
            log = server.log(LAB.captures)
            await eventually(lambda: log.messages)
            (session,) = one.service.api.list_sessions()
            await asyncio.to_thread(one.service.api.end_session, session.id)
            await eventually(lambda: len(first.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            await eventually(lambda: len({message.subject for message, _ in log.messages}) == 2)

    run(work())


def test_with_block_it_is_the_ring_that_loses(sites: tuple[Site, Site]) -> None:
    """While the bus takes nothing, nothing is read from the service, and the service says so."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with (
            Joined(one, server, policy="block", bus_bytes=300_000) as first,
            Joined(other, server) as second,
        ):
            await eventually(lambda: first.routes() == second.routes() == 2)
            first.bus.stall()
            packet = unanswered(one, other)
            # Rings, queues and sockets hold some megabytes before anything is lost.
            offered = await asyncio.to_thread(lambda: sum(one.send(packet) for _ in range(20_000)))
            first.bus.flow()
            await eventually(lambda: settled(first, second, 1))
            session = (await first.client.list_sessions())[0]
            taken = first.ledger.accounts().taken
            assert taken.causes[Cause.BUS_OUT] == 0
            assert taken.taken == taken.numbered == offered
            assert (session.counters.lost.ring or 0) + offered == 20_000
            assert session.counters.lost.queue == 0

    run(work())
