"""Keys of a server that runs: they work at once, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.fleet.running import eventually
from tests.fleet.server.servers import LAB, Server, looped, need_server, serving
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.bus.seam import Change, Entry, Message
from wintun_api.fleet.keys.identity import KeyLine
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.problems import BusUnavailable, KeyRefused, LaboratoryMissing
from wintun_api.fleet.server import administration
from wintun_api.fleet.server.issuing import issue, issue_to, revoke
from wintun_api.fleet.server.laboratory import Laboratory


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "bus") as made:
        yield made


@looped
async def test_a_new_host_can_connect_while_others_stay_connected(server: Server) -> None:
    """A key works at once; a host that is there keeps its connection and its subscriptions."""
    changes: list[Change] = []
    first = await server.issue()
    there = await NatsBus.connect(first, notice=lambda change, _: changes.append(change))
    host = first.identity.host
    got: list[Message] = []
    entries: list[Entry] = []
    await there.subscribe(LAB.packets(host, "*"), got.append, limit_bytes=1 << 20)
    watch = await (await there.bucket(LAB.hosts)).watch(entries.append)
    for number in range(3):
        line = await server.issue()
        new = await NatsBus.connect(line)
        own = line.identity.host
        assert await new.publish(LAB.packets(host, own), b"packets")
        await (await new.bucket(LAB.hosts)).put(own, b"card")
        await eventually(lambda seen=number: len(got) > seen and len(entries) > seen)  # type: ignore[misc]
        await new.aclose()
    await there.flush()
    assert changes == [Change.CONNECTED]
    await watch.aclose()
    await there.aclose()


@looped
async def test_an_operator_is_answered_by_hosts_that_were_there_before(server: Server) -> None:
    """The rights of hosts grow by the new operator's inbox without a new connection."""
    line = await server.issue()
    host = await NatsBus.connect(line)
    answers: list[asyncio.Task[bool]] = []

    def answer(message: Message) -> None:
        answers.append(asyncio.ensure_future(host.publish(message.reply, b"answer")))

    subject = LAB.requests(line.identity.host)
    await host.subscribe(subject, answer, limit_bytes=1 << 20)
    operator = await NatsBus.connect(await server.issue(Role.OPERATOR))
    assert await operator.request(subject, b"question", patience=10) == b"answer"
    await operator.aclose()
    await host.aclose()


@looped
async def test_a_revoked_key_is_cut_off_at_once(server: Server) -> None:
    """Its connection ends, it cannot connect again, and others go on."""
    changes: list[Change] = []
    gone, stays = await server.issue(name="gone"), await server.issue(name="stays")
    other = await NatsBus.connect(stays, notice=lambda change, _: changes.append(change))
    ended: list[Change] = []
    bus = await NatsBus.connect(gone, notice=lambda change, _: ended.append(change))
    revoked = await revoke(server.laboratory, LAB.name, "gone")
    assert (revoked.user.id, revoked.running, revoked.kept) == (gone.identity.host, True, "")
    await eventually(lambda: Change.DISCONNECTED in ended)
    await bus.aclose()
    with pytest.raises(KeyRefused):
        await NatsBus.connect(gone)
    await other.flush()
    assert changes == [Change.CONNECTED]
    await other.aclose()


@looped
async def test_what_a_revoked_host_had_is_free_at_once(server: Server) -> None:
    """Its card and its claims are deleted, those of others stay, and others are told."""
    gone, stays = await server.issue(name="gone"), await server.issue(name="stays")
    there = {line: await NatsBus.connect(line) for line in (gone, stays)}
    for line, bus in there.items():
        host = line.identity.host
        await (await bus.bucket(LAB.hosts)).put(host, b"card")
        routes = await bus.bucket(LAB.routes)
        for number in range(20):
            await routes.create(f"{host}.10-7-0-{number}_32", b"claim")
    cards, claims = set[str](), set[str]()

    def keeping(keys: set[str]) -> Callable[[Entry], None]:
        return lambda one: (keys.discard if one.value is None else keys.add)(one.key)

    own = stays.identity.host
    watches = [
        await (await there[stays].bucket(LAB.hosts)).watch(keeping(cards)),
        await (await there[stays].bucket(LAB.routes)).watch(keeping(claims)),
    ]
    await eventually(lambda: (len(cards), len(claims)) == (2, 40))
    await revoke(server.laboratory, LAB.name, "gone")
    await eventually(lambda: (len(cards), len(claims)) == (1, 20))
    assert cards == {own}
    assert all(key.startswith(f"{own}.") for key in claims)
    for watch in watches:
        await watch.aclose()
    for bus in there.values():
        await bus.aclose()


@looped
async def test_a_key_is_revoked_also_if_its_claims_stay(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome says why they do; the host is cut off all the same."""

    async def fail(*_: object) -> None:
        raise BusUnavailable("It has gone.")

    monkeypatch.setattr(administration, "release", fail)
    line = await server.issue(name="gone")
    assert (await revoke(server.laboratory, LAB.name, "gone")).kept == "It has gone."
    with pytest.raises(KeyRefused):
        await NatsBus.connect(line)


def test_what_a_host_had_is_deleted_by_the_next_start(tmp_path: Path) -> None:
    """Its key was revoked while the server did not run; what others have stays."""

    async def put(line: KeyLine) -> None:
        bus = await NatsBus.connect(line)
        await (await bus.bucket(LAB.hosts)).put(line.identity.host, b"card")
        await (await bus.bucket(LAB.routes)).create(f"{line.identity.host}.10-0-0-1_32", b"claim")
        await bus.aclose()

    async def keys(line: KeyLine) -> set[str]:
        bus, found = await NatsBus.connect(line), set[str]()
        for name in (LAB.hosts, LAB.routes):
            watch = await (await bus.bucket(name)).watch(lambda one: found.add(one.key))
            await watch.caught_up()
            await watch.aclose()
        await bus.aclose()
        return found

    with serving(tmp_path / "bus") as server:
        gone, stays = asyncio.run(server.issue(name="gone")), asyncio.run(server.issue())
        asyncio.run(put(gone))
        asyncio.run(put(stays))
    assert not asyncio.run(revoke(server.laboratory, LAB.name, "gone")).running
    with serving(tmp_path / "bus", server.laboratory.plan()):
        left = asyncio.run(keys(stays))
    assert left == {stays.identity.host, f"{stays.identity.host}.10-0-0-1_32"}


@looped
async def test_keys_that_are_made_at_the_same_time_all_work(server: Server) -> None:
    """Changes of the plan wait for each other, so that none overwrites another."""
    lines = await asyncio.gather(*(server.issue() for _ in range(4)))
    for line in lines:
        await (await NatsBus.connect(line)).aclose()
    assert {user.id for user in server.plan.networks[0].users} == {
        line.identity.host for line in lines
    }


@looped
async def test_a_key_that_the_server_did_not_get_is_not_kept(server: Server) -> None:
    """If the server cannot be told, the plan is as it was before."""
    before = server.plan
    server.process.kill()
    server.process.wait()
    with pytest.raises(BusUnavailable):
        await server.issue()
    assert server.plan == before


@looped
async def test_a_key_that_cannot_be_written_is_taken_back(server: Server, tmp_path: Path) -> None:
    """The server would accept it, and nobody would have it; the error names the place."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "key"
    with pytest.raises(NotADirectoryError) as caught:
        await issue_to(path, server.laboratory, "lab")
    assert caught.value.filename in (str(path), str(path.parent))
    assert server.plan.find("lab").users == ()


@looped
async def test_a_file_that_is_there_takes_no_key(server: Server, tmp_path: Path) -> None:
    """What is in it stays."""
    path = tmp_path / "key"
    path.write_text("mine", "utf-8")
    with pytest.raises(FileExistsError):
        await issue_to(path, server.laboratory, "lab")
    assert path.read_text("utf-8") == "mine"
    assert server.plan.find("lab").users == ()


@looped
async def test_a_name_that_two_hosts_have_revokes_neither(server: Server) -> None:
    """Which one is meant is said by its id."""
    first = await server.issue(name="twin")
    await server.issue(name="twin")
    with pytest.raises(LaboratoryMissing, match="2 keys"):
        await revoke(server.laboratory, LAB.name, "twin")
    with pytest.raises(LaboratoryMissing, match="No keys"):
        await revoke(server.laboratory, LAB.name, "nobody")
    await revoke(server.laboratory, LAB.name, first.identity.host)
    assert [user.name for user in server.plan.networks[0].users] == ["twin"]


@looped
async def test_a_network_that_the_bus_has_not_is_named(server: Server) -> None:
    """The message says which networks there are, and how to add one."""
    with pytest.raises(LaboratoryMissing, match=r"no network 'home'.*It has: lab") as caught:
        await issue(server.laboratory, "home")
    assert "--network home" in str(caught.value.hint)


@looped
async def test_there_is_no_key_without_a_bus(tmp_path: Path) -> None:
    """Nothing is made where no bus has been."""
    with pytest.raises(LaboratoryMissing, match="There is no bus in"):
        await issue(Laboratory(tmp_path / "none"), "lab")
    assert not (tmp_path / "none").exists()


def test_a_key_is_made_while_the_server_is_down(tmp_path: Path) -> None:
    """The server knows it when it starts again."""
    with serving(tmp_path / "bus") as server:
        plan = server.plan
    line: KeyLine = asyncio.run(issue(server.laboratory, LAB.name))
    with serving(tmp_path / "bus", server.laboratory.plan()) as again:
        assert again.plan.listening == plan.listening

        async def connect() -> None:
            await (await NatsBus.connect(line)).aclose()

        asyncio.run(connect())


def test_what_was_claimed_is_there_after_a_restart(tmp_path: Path) -> None:
    """Buckets outlive the server, and are not made anew by its next start."""
    need_server()

    async def put(server: Server, line: KeyLine) -> None:
        bus = await NatsBus.connect(line)
        await (await bus.bucket(LAB.routes)).create(f"{line.identity.host}.10-0-0-1_32", b"claim")
        await bus.aclose()

    async def read(line: KeyLine) -> list[Entry]:
        bus, entries = await NatsBus.connect(line), list[Entry]()
        watch = await (await bus.bucket(LAB.routes)).watch(entries.append)
        await watch.caught_up()
        await bus.aclose()
        return entries

    with serving(tmp_path / "bus") as server:
        line = asyncio.run(server.issue())
        asyncio.run(put(server, line))
        server.process.kill()  # as when the machine is out of memory
        server.process.wait()
    with serving(tmp_path / "bus", server.laboratory.plan()):
        entries = asyncio.run(read(line))
    assert [(one.value, one.revision) for one in entries] == [(b"claim", 1)]
