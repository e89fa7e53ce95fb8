"""What hosts, operators and readers do all day is allowed by their rights, over the bus itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.fleet.running import eventually
from tests.fleet.server.servers import LAB, Server, looped, serving
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.bus.seam import Entry, Message
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.problems import BusDenied, KeyTaken

BLOCK = bytes(64 * 1024)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("bus")) as made:
        yield made


@looped
async def test_a_host_claims_and_others_see_it(server: Server) -> None:
    """Create, refuse a second one, delete, create again; a watch of another host tells each."""
    line, other = await server.two_hosts()
    bus, watcher = await NatsBus.connect(line), await NatsBus.connect(other)
    entries: list[Entry] = []
    watch = await (await watcher.bucket(LAB.routes)).watch(entries.append)
    await watch.caught_up()
    routes, key = await bus.bucket(LAB.routes), f"{line.identity.host}.10-0-0-1_32"
    first = await routes.create(key, b"claim")
    with pytest.raises(KeyTaken):
        await routes.create(key, b"claim")
    await routes.delete(key)
    second = await routes.create(key, b"claim again")
    await eventually(lambda: len(entries) == 3)
    assert [one.value for one in entries] == [b"claim", None, b"claim again"]
    assert first < second == entries[-1].revision
    await watch.aclose()
    await bus.aclose()
    await watcher.aclose()


@looped
async def test_a_host_is_told_that_it_may_not_write_a_key_of_another(server: Server) -> None:
    """The refusal of the server becomes an error at once, not a time limit that passes."""
    line, other = await server.two_hosts()
    bus = await NatsBus.connect(line)
    routes = await bus.bucket(LAB.routes)
    key = f"{other.identity.host}.10-0-0-1_32"
    for change in (routes.create(key, b"x"), routes.put(key, b"x"), routes.delete(key)):
        with pytest.raises(BusDenied):
            await change
    with pytest.raises(BusDenied):
        await bus.subscribe(LAB.packets(other.identity.host, "*"), print, limit_bytes=1)
    await bus.aclose()


@looped
async def test_a_host_puts_its_card_and_asks_for_the_time(server: Server) -> None:
    """The time of the server is near that of this machine, as they are the same."""
    line, _ = await server.two_hosts()
    bus = await NatsBus.connect(line)
    hosts = await bus.bucket(LAB.hosts)
    assert await hosts.put(line.identity.host, b"card") < await hosts.put(
        line.identity.host, b"card"
    )
    assert await bus.server_time_ns() > 1_700_000_000_000_000_000
    await bus.aclose()


@looped
async def test_captures_of_a_host_are_read_by_a_reader_and_by_no_other_host(
    server: Server,
) -> None:
    """More of them than fits into one window of the server come in order."""
    line, other = await server.two_hosts()
    bus, foreign = await NatsBus.connect(line), await NatsBus.connect(other)
    subject = LAB.capture(line.identity.host, "session")
    for number in range(100):
        await bus.request(subject, number.to_bytes(4, "big") + BLOCK, patience=10)
    with pytest.raises(BusDenied):
        await foreign.stream(LAB.captures)
    reader = await NatsBus.connect(await server.issue(Role.READER))
    stream = await reader.stream(LAB.captures)
    now = await reader.server_time_ns()
    got = [
        int.from_bytes(message.data[:4], "big")
        async for message, _ in stream.read(LAB.capture("*", "*"), until_ns=now)
    ]
    assert got == list(range(100))
    for one in (bus, foreign, reader):
        await one.aclose()


@looped
async def test_an_operator_asks_a_host_and_watches_its_events(server: Server) -> None:
    """The answer comes to the operator; hosts do not see events of others."""
    line, other = await server.two_hosts()
    host = await NatsBus.connect(line)
    operator = await NatsBus.connect(await server.issue(Role.OPERATOR))
    events: list[Message] = []
    await operator.subscribe(LAB.events("*"), events.append, limit_bytes=1 << 20)
    answers: list[asyncio.Task[bool]] = []

    def answer(message: Message) -> None:
        answers.append(asyncio.ensure_future(host.publish(message.reply, b"answer")))

    await host.subscribe(LAB.requests(line.identity.host), answer, limit_bytes=1 << 20)
    asked = await operator.request(LAB.requests(line.identity.host), b"question", patience=10)
    assert asked == b"answer"
    assert await host.publish(LAB.events(line.identity.host), b"event")
    await eventually(lambda: events)
    foreign = await NatsBus.connect(other)
    with pytest.raises(BusDenied):
        await foreign.subscribe(LAB.events("*"), print, limit_bytes=1)
    for one in (host, operator, foreign):
        await one.aclose()
