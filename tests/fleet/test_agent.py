"""Hosts that have joined: packets between two services, and every way in which something ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.client.streams import run
from tests.fleet.joined import QUICK, Joined, settled
from tests.fleet.running import LAB, A, B, eventually, prepared
from tests.fleet.sites import Site, ping, unanswered
from tests.waiting import pass_by
from wintun_api.capture.reader import Reader
from wintun_api.choices import Scope
from wintun_api.client.problems import ProblemError
from wintun_api.fleet.accounts import Cause
from wintun_api.fleet.capturing import CaptureOrder
from wintun_api.fleet.counts import noted_in
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.problems import KeyInUse, TokenTooNarrow
from wintun_api.packet import build


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Two services."""
    both = Site(tmp_path / "a", A), Site(tmp_path / "b", B)
    yield both
    for one in both:
        one.stop()


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
            assert noted_in(counts()) == {}

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


def test_an_agent_that_ends_takes_its_leave(sites: tuple[Site, Site]) -> None:
    """Its claims and its card are deleted, and the others are told at once."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first:
            async with Joined(other, server) as second:
                await eventually(lambda: first.routes() == second.routes() == 2)
            assert second.told[-1].kind is EventKind.AGENT_ENDED
            await eventually(lambda: first.routes() == 1)
            assert [event.data["host"] for event in first.kinds(EventKind.HOST_LEFT)] == [B]

    run(work())


def test_an_agent_that_ends_says_what_it_has_counted(sites: tuple[Site, Site]) -> None:
    """Its last event has the totals that its card had until then, and newer ones."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(other, server) as second:
            async with Joined(one, server) as first:
                await eventually(lambda: first.routes() == second.routes() == 2)
                assert one.send(ping(one, other))
                await eventually(lambda: settled(first, second, 1))
            assert first.told[-1].data["counts"]["taken"] == 1
            assert first.told[-1].data["counts"]["confirmed"] == 1

    run(work())


def test_an_agent_that_is_killed_goes_on_where_it_was(sites: tuple[Site, Site]) -> None:
    """The others notice its death; its successor goes on with its numbers and its accounts."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(other, server) as second:
            async with Joined(one, server) as first:
                await eventually(lambda: first.routes() == second.routes() == 2)
                one.send(ping(one, other))
                await eventually(lambda: settled(first, second, 1))
                await first.kill()
            await eventually(lambda: second.kinds(EventKind.HOST_DIED))
            await eventually(lambda: second.routes() == 1)
            async with Joined(one, server) as again:
                await eventually(lambda: again.routes() == second.routes() == 2)
                one.send(ping(one, other, 2))
                await eventually(lambda: settled(again, second, 2))
                (arrived,) = second.ledger.accounts().arrived
                assert (arrived.sent, arrived.delivered) == (2, 2)

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


def test_one_key_serves_one_agent(sites: tuple[Site, Site], tmp_path: Path) -> None:
    """An agent ends when another one joins with its key, and deletes nothing of that one."""

    async def work() -> None:
        server = prepared()
        one, _ = sites
        copy = Site(tmp_path / "copy", A)
        try:
            async with Joined(one, server) as first, Joined(copy, server) as second:
                with pytest.raises(KeyInUse):
                    await first.task
                await eventually(lambda: second.routes() == 1)
        finally:
            copy.stop()

    run(work())


NEEDED = (Scope.READ, Scope.CAPTURE, Scope.INJECT)


def test_an_adapter_that_is_not_there_is_waited_for(sites: tuple[Site, Site]) -> None:
    """What is missing and how it is made is told once, and the host joins when it is there."""

    async def work() -> None:
        one = sites[0]
        waiting = Joined(one, prepared(), adapter="Later", until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await pass_by(0.2)
            (told,) = joined.told
            assert "has no adapter Later. The agent waits for it." in told.text
            assert "wintun-api adapters create Later" in told.text
            assert joined.agent.inventory.hosts == {}
            await asyncio.to_thread(one.service.adapter, name="Later", addresses=["10.7.0.3/24"])
            await eventually(lambda: joined.routes() == 1)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))

    run(work())


def test_an_agent_that_waits_can_be_stopped(sites: tuple[Site, Site]) -> None:
    """It ends without a word on the bus: it has not joined."""

    async def work() -> None:
        server = prepared()
        waiting = Joined(sites[0], server, adapter="Later", until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            pass
        assert joined.task.result() is None
        assert [event.kind for event in joined.told] == [EventKind.SERVICE_WAITING]

    run(work())


def test_a_token_that_is_too_narrow_is_named(sites: tuple[Site, Site]) -> None:
    """An agent needs to read, to capture and to inject, and no more."""

    async def work() -> None:
        one, server = sites[0], prepared()
        narrow = one.service.token(Scope.READ)
        with pytest.raises(TokenTooNarrow, match="capture and inject"):
            async with Joined(one, server, token=narrow):
                pass
        one.service.session(one.adapter)
        async with Joined(one, server, token=one.service.token(*NEEDED)) as joined:
            await eventually(lambda: joined.routes() == 1)

    run(work())


def test_a_session_that_the_token_may_not_start_is_waited_for(sites: tuple[Site, Site]) -> None:
    """The agent says once how it is started, and exchanges packets as soon as it runs."""

    async def work() -> None:
        one, server = sites[0], prepared()
        token = one.service.token(*NEEDED)
        waiting = Joined(one, server, token=token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await asyncio.to_thread(one.service.adapter, name="Another")  # wakes it in vain
            await pass_by(0.2)
            (told,) = joined.kinds(EventKind.SERVICE_WAITING)
            assert told.text.endswith("Start it with: wintun-api sessions start Lab")
            assert joined.routes() == 1
            session = await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))
            await asyncio.to_thread(one.service.api.end_session, session["id"])
            await eventually(lambda: len(joined.kinds(EventKind.SERVICE_WAITING)) == 2)
            await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: len(joined.kinds(EventKind.SERVICE_CONNECTED)) == 2)

    run(work())


def test_an_agent_that_waits_outlives_its_service(sites: tuple[Site, Site]) -> None:
    """It hears again of sessions when the service is back."""

    async def work() -> None:
        one, server = sites[0], prepared()
        token = one.service.token(*NEEDED)
        waiting = Joined(one, server, token=token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            port = one.service.port
            await asyncio.to_thread(one.stop)
            await asyncio.to_thread(one.start, port)
            await asyncio.to_thread(one.service.session, one.adapter)
            await eventually(lambda: joined.kinds(EventKind.SERVICE_CONNECTED))

    run(work())


def test_an_agent_that_waits_ends_with_its_token(sites: tuple[Site, Site]) -> None:
    """A token that was revoked is no reason to wait any longer."""

    async def work() -> None:
        one, server = sites[0], prepared()
        issued = one.service.api.create_token(scopes=[one.value for one in NEEDED])
        waiting = Joined(one, server, token=issued.token, until=EventKind.SERVICE_WAITING)
        async with waiting as joined:
            await asyncio.to_thread(one.service.api.revoke_token, issued.id)
            with pytest.raises(ProblemError) as caught:
                await joined.task
            assert caught.value.status == 401

    run(work())


def test_an_agent_comes_back_to_its_session(sites: tuple[Site, Site]) -> None:
    """A session that somebody ends is started again, and packets flow."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            (session,) = other.service.api.list_sessions()
            await asyncio.to_thread(other.service.api.end_session, session.id)
            await eventually(lambda: len(second.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            assert len(second.kinds(EventKind.SERVICE_LOST)) == 1
            one.send(ping(one, other))
            await eventually(lambda: one.injected() == 1)

    run(work())


def test_an_agent_tells_that_its_service_is_gone(
    sites: tuple[Site, Site],
) -> None:
    """Packets for it are counted as failed meanwhile, and it is found again."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 1))
            port = other.service.port
            await asyncio.to_thread(other.stop)
            await eventually(lambda: second.kinds(EventKind.SERVICE_LOST))
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 2))
            (account,) = second.ledger.accounts().arrived
            assert (account.delivered, account.causes[Cause.FAILED]) == (1, 1)
            await asyncio.to_thread(other.start, port)
            await eventually(lambda: len(second.kinds(EventKind.SERVICE_CONNECTED)) == 2)
            one.send(unanswered(one, other))
            await eventually(lambda: settled(first, second, 3))
            (account,) = second.ledger.accounts().arrived
            assert account.delivered == 2

    run(work())


def test_claims_follow_the_addresses_of_the_adapter(sites: tuple[Site, Site]) -> None:
    """An address that is set while the agent runs is claimed, and the old one is not any more."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: second.routes() == 2)
            await first.client.update_adapter(one.adapter["guid"], addresses=["10.7.0.99/24"])
            await eventually(
                lambda: (
                    second.agent.claims.routes.find(bytes((10, 7, 0, 99))) == A
                    and second.agent.claims.routes.find(bytes((10, 7, 0, 1))) is None
                )
            )

    run(work())


def test_prefixes_behind_an_adapter_are_claimed(sites: tuple[Site, Site]) -> None:
    """A network behind a host leads to it."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        behind = (ip_network("192.168.5.0/24"),)
        async with Joined(one, server, prefixes=behind), Joined(other, server) as second:
            await eventually(lambda: second.routes() == 3)
            assert second.agent.claims.routes.find(bytes((192, 168, 5, 9))) == A

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


def test_an_agent_outlives_its_server(sites: tuple[Site, Site]) -> None:
    """After an interruption that outlasts all cards, everything is as it was."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            server.stop()
            await pass_by(2 * QUICK.lifetime)
            server.start()
            await eventually(lambda: first.kinds(EventKind.BUS_CONNECTED))
            one.send(ping(one, other))
            await eventually(lambda: one.injected() == 1)
            await eventually(lambda: settled(first, second, 1))
            assert first.kinds(EventKind.BUS_DISCONNECTED)

    run(work())


def test_a_host_whose_card_came_too_late_lives_again(sites: tuple[Site, Site]) -> None:
    """It was away itself, and its own clock says that it came back in time; the others go on."""

    async def work() -> None:
        server = prepared()
        one, other = sites
        async with Joined(one, server) as first, Joined(other, server) as second:
            await eventually(lambda: first.routes() == second.routes() == 2)
            lives = second.agent.inventory.epochs
            first.bus.lose()
            server.offset_ns += round(1.5 * QUICK.lifetime * 10**9)
            first.bus.regain()
            await eventually(lambda: second.kinds(EventKind.HOST_DIED))
            await eventually(lambda: lives[A] < second.agent.inventory.epochs.get(A, 0))
            await eventually(lambda: first.routes() == second.routes() == 2)

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


def test_every_change_is_told_on_the_bus(sites: tuple[Site, Site]) -> None:
    """Who listens there gets the same events, in the same order, as the agent's own caller."""

    async def work() -> None:
        server = prepared()
        got: list[dict[str, Any]] = []
        listener = server.connect(B)
        await listener.subscribe(
            LAB.events("*"),
            lambda message: got.append(json.loads(message.data)),
            limit_bytes=1 << 20,
        )
        async with Joined(sites[0], server) as first:
            await eventually(lambda: first.routes() == 1)
        await eventually(lambda: len(got) == len(first.told))
        assert got == [event.document() for event in first.told]
        assert got[0]["type"] == "agent.started"
        assert got[-1]["type"] == "agent.ended"
        await listener.aclose()

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
            offered = sum(one.send(packet) for _ in range(20_000))
            first.bus.flow()
            await eventually(lambda: settled(first, second, 1))
            session = (await first.client.list_sessions())[0]
            taken = first.ledger.accounts().taken
            assert taken.causes[Cause.BUS_OUT] == 0
            assert taken.taken == taken.numbered == offered
            assert (session.counters.lost.ring or 0) + offered == 20_000
            assert session.counters.lost.queue == 0

    run(work())
