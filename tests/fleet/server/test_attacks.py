"""A host with a valid key tries everything that it must not do, against the real server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.fleet.server.servers import LAB, Server, Stranger, looped, serving, strangers
from tests.waiting import PATIENCE
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.keys.rights import API, Role, bucket_key, bucket_stream, inbox
from wintun_api.fleet.network import Network, claim_key
from wintun_api.fleet.problems import KeyRefused

OTHER = Network("other")
CLAIM = b"the claim of the victim"
ROUTES, HOSTS = bucket_stream(LAB.routes), bucket_stream(LAB.hosts)
# Where the keeper writes into each stream.
KEEPER = {
    bucket_key(LAB.routes, "keeper.last"): ROUTES,
    bucket_key(LAB.hosts, "keeper"): HOSTS,
    LAB.capture("keeper", "last"): LAB.captures,
}


@dataclass
class Scene:
    """An attacker and a victim, hosts of one network, and the keeper who sees everything.

    Attributes:
        attacker: Its connection.
        victim: Its connection.
        keeper: A connection with all rights in the store.
        a: The attacker's id.
        v: The victim's id.
        claimed: The number of the victim's claim in its bucket.
    """

    attacker: Stranger
    victim: Stranger
    keeper: Stranger
    a: str
    v: str
    claimed: int = 0

    @property
    def claim(self) -> str:
        """Where the victim's claim is."""
        return bucket_key(LAB.routes, f"{self.v}.10-0-0-2_32")

    @property
    def card(self) -> str:
        """Where the attacker's own card is."""
        return bucket_key(LAB.hosts, self.a)

    async def settle(self) -> None:
        """Wait until the server has carried out what was asked of it, in the store as well."""
        await self.attacker.settle()
        # Each part of the server works in order: what is answered now was asked behind all else.
        for subject, data in requests(self):
            await self.attacker.client.request(subject, data, timeout=PATIENCE)
        store = self.keeper.client.jetstream()
        for name, stream in KEEPER.items():
            await store.publish(name, b"last", stream=stream)
        await self.victim.settle()

    async def check_claim(self) -> None:
        """See that the victim's claim is as the victim has written it, once."""
        await self.settle()
        found = await self.keeper.client.jetstream().get_last_msg(ROUTES, self.claim)
        assert (found.seq, found.data, found.headers) == (self.claimed, CLAIM, None)

    async def captured(self) -> dict[str, int]:
        """Return how many messages the server has of the captures of each host."""
        await self.settle()
        store = self.keeper.client.jetstream()
        info = await store.stream_info(LAB.captures, subjects_filter=">")
        return dict(info.state.subjects)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from tests.fleet.server.servers import free_port, plan_of
    from wintun_api.fleet.server.plan import Listening

    plan = plan_of(Listening(port=free_port()), LAB, OTHER)
    with serving(tmp_path_factory.mktemp("bus"), plan) as made:
        yield made


@asynccontextmanager
async def scene(server: Server) -> AsyncIterator[Scene]:
    """Let two hosts connect; the victim claims a prefix."""
    attacker, victim = await server.two_hosts()
    async with strangers(attacker, victim, server.keeper) as (one, two, keeper):
        for stream in KEEPER.values():
            await keeper.client.jetstream().purge_stream(stream)
        made = Scene(one, two, keeper, attacker.identity.host, victim.identity.host)
        made.claimed = (await two.client.jetstream().publish(made.claim, CLAIM)).seq
        yield made


def requests(there: Scene) -> list[tuple[str, bytes]]:
    """Return every request that the server answers to a host."""
    config = {"deliver_policy": "all", "ack_policy": "none"}
    consumer = {"stream_name": ROUTES, "config": config}
    named = {"stream_name": ROUTES, "config": {**config, "name": "mine"}}
    return [
        (there.card, b"forged"),
        (bucket_key(LAB.routes, f"{there.a}.10-0-0-9_32"), b"forged"),
        (LAB.capture(there.a, "session"), b"forged"),
        (f"{API}.STREAM.INFO.{ROUTES}", b""),
        (f"{API}.STREAM.INFO.{HOSTS}", b""),
        (f"{API}.DIRECT.GET.{HOSTS}.{there.card}", b""),
        (f"{API}.CONSUMER.CREATE.{ROUTES}", json.dumps(consumer).encode()),
        (f"{API}.CONSUMER.CREATE.{ROUTES}.mine", json.dumps(named).encode()),
        (f"{API}.CONSUMER.INFO.{ROUTES}.mine", b""),
        (f"{API}.CONSUMER.DELETE.{ROUTES}.mine", b""),
    ]


# Sending in another's name


@pytest.mark.parametrize(
    "subject",
    [
        lambda s: LAB.packets(s.v, s.v),
        lambda s: LAB.packets(s.a, s.v),
        lambda s: LAB.group_packets(s.v),
        lambda s: LAB.feedback(s.a, s.v),
        lambda s: LAB.events(s.v),
        lambda s: LAB.capture(s.v, "session"),
        lambda s: bucket_key(LAB.routes, f"{s.v}.10-0-0-3_32"),
        lambda s: bucket_key(LAB.routes, f"{s.a}.{s.v}.10-0-0-3_32"),
        lambda s: bucket_key(LAB.hosts, s.v),
        lambda s: LAB.requests(s.v),
        lambda s: LAB.requests(s.a),
        lambda s: f"{inbox(s.v)}.guessed",
        lambda _: "_INBOX.guessed",
        lambda _: "$JS.ACK.KV_wt_lab_routes.x.1.1.1.1.0",
        lambda s: OTHER.packets(s.v, s.a),
    ],
    ids=lambda subject: None,
)
@looped
async def test_nobody_publishes_in_the_name_of_another(
    server: Server, subject: Callable[[Scene], str]
) -> None:
    """Packets, feedback, events, captures, keys, requests and answers are for their own host."""
    async with scene(server) as there:
        assert not await there.attacker.publish(subject(there), b"forged")


@pytest.mark.parametrize(
    "subject",
    [
        lambda s: LAB.packets(s.v, "*"),
        lambda _: LAB.packets("*", "*"),
        lambda s: LAB.feedback(s.v, "*"),
        lambda s: LAB.requests(s.v),
        lambda s: f"{inbox(s.v)}.>",
        lambda _: "_INBOX.>",
        lambda _: ">",
        lambda _: "*.>",
        lambda _: "wt.>",
        lambda _: "$KV.>",
        lambda _: "$JS.>",
        lambda _: "$SYS.>",
        lambda _: "_R_.>",
        lambda _: LAB.capture("*", "*"),
        lambda _: OTHER.group_packets("*"),
    ],
    ids=lambda subject: None,
)
@looped
async def test_nobody_reads_what_is_for_another(
    server: Server, subject: Callable[[Scene], str]
) -> None:
    """Packets, feedback, requests, answers and captures are read by those whom they are for."""
    async with scene(server) as there:
        assert not await there.attacker.subscribe(subject(there))


@looped
async def test_a_host_can_do_its_own_work(server: Server) -> None:
    """The rights are not merely nothing: packets, keys, captures and events of one's own pass."""
    async with scene(server) as there:
        got: asyncio.Queue[bytes] = asyncio.Queue()
        assert await there.victim.subscribe(
            LAB.packets(there.v, "*"), lambda message: got.put_nowait(message.data)
        )
        assert await there.attacker.publish(LAB.packets(there.v, there.a), b"packets")
        assert await asyncio.wait_for(got.get(), PATIENCE) == b"packets"
        for subject in (LAB.group_packets(there.a), LAB.events(there.a)):
            assert await there.attacker.publish(subject, b"own")
        for subject in (there.card, LAB.capture(there.a, "session")):
            assert (await there.attacker.client.jetstream().publish(subject, b"own")).seq == 1


@looped
async def test_a_key_for_some_prefixes_claims_no_others(server: Server) -> None:
    """Neither others, nor wider or narrower ones; the server refuses them by their subject."""
    mine = (ip_network("10.7.0.2/32"), ip_network("fd00:7::/64"))
    line = await server.issue(prefixes=mine)
    host = line.identity.host
    async with strangers(line) as (one,):
        for prefix in mine:
            subject = bucket_key(LAB.routes, claim_key(host, prefix))
            await one.client.jetstream().publish(subject, b"claim")
        for text in ("10.7.0.3/32", "10.7.0.0/24", "0.0.0.0/0", "fd00:7::/65", "fd00:7::1/128"):
            subject = bucket_key(LAB.routes, claim_key(host, ip_network(text)))
            assert not await one.publish(subject, b"claim")
        for key in ("10-7-0-2_32", f"{host}.10-7-0-2_32.x", f"{host}.10-7-0-2_032"):
            assert not await one.publish(bucket_key(LAB.routes, key), b"claim")


# The store, by its API


@pytest.mark.parametrize(
    "subject",
    [
        f"{API}.STREAM.CREATE.mine",
        f"{API}.STREAM.UPDATE.{ROUTES}",
        f"{API}.STREAM.DELETE.{ROUTES}",
        f"{API}.STREAM.PURGE.{ROUTES}",
        f"{API}.STREAM.MSG.DELETE.{ROUTES}",
        f"{API}.STREAM.MSG.GET.{LAB.captures}",
        f"{API}.STREAM.INFO.{LAB.captures}",
        f"{API}.STREAM.SNAPSHOT.{ROUTES}",
        f"{API}.STREAM.RESTORE.{ROUTES}",
        f"{API}.STREAM.LIST",
        f"{API}.STREAM.NAMES",
        f"{API}.INFO",
        f"{API}.CONSUMER.CREATE.{LAB.captures}",
        f"{API}.CONSUMER.CREATE.{LAB.captures}.x",
        f"{API}.CONSUMER.DURABLE.CREATE.{ROUTES}.x",
        f"{API}.CONSUMER.MSG.NEXT.{ROUTES}.x",
        f"{API}.CONSUMER.NAMES.{ROUTES}",
        f"{API}.CONSUMER.LIST.{ROUTES}",
        f"{API}.CONSUMER.PAUSE.{ROUTES}.x",
        f"{API}.DIRECT.GET.{LAB.captures}",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.ACCOUNT.lab.CONNZ",
        "$SYS.REQ.USER.INFO",
    ],
)
@looped
async def test_nobody_manages_the_store(server: Server, subject: str) -> None:
    """Streams are made, changed, emptied and listed by their keeper alone."""
    async with scene(server) as there:
        assert not await there.attacker.publish(subject, b"{}")
        await there.check_claim()


@looped
async def test_a_message_cannot_empty_a_bucket(server: Server) -> None:
    """A header with which a message replaces all others has no effect here."""
    async with scene(server) as there:
        for what in ("all", "sub"):
            own = bucket_key(LAB.routes, f"{there.a}.10-0-0-9_32")
            await there.attacker.publish(own, b"own", headers={"Nats-Rollup": what})
        await there.check_claim()


# The server as the attacker's hand


@looped
async def test_no_answer_of_the_server_is_written_to_a_key_of_another(server: Server) -> None:
    """A request that names the victim's key as the place of its answer does not change the key."""
    async with scene(server) as there:
        await there.attacker.client.jetstream().publish(there.card, b"forged")
        for subject, data in requests(there):
            assert await there.attacker.publish(subject, data, reply=there.claim)
        await there.check_claim()


@looped
async def test_no_answer_of_the_server_is_a_capture_of_another(server: Server) -> None:
    """Nor does it become a part of what the victim has captured."""
    async with scene(server) as there:
        place = LAB.capture(there.v, "session")
        for subject, data in requests(there):
            assert await there.attacker.publish(subject, data, reply=place)
        assert place not in await there.captured()


@looped
async def test_answers_that_are_sent_to_another_host_are_its_to_refuse(server: Server) -> None:
    """The server's answer can be sent where packets are expected, but it is JSON, not packets."""
    async with scene(server) as there:
        got: list[Any] = []
        assert await there.victim.subscribe(LAB.packets(there.v, "*"), got.append)
        assert await there.victim.subscribe(LAB.requests(there.v), got.append)
        for place in (LAB.packets(there.v, there.v), LAB.requests(there.v)):
            for subject, data in requests(there):
                assert await there.attacker.publish(subject, data, reply=place)
        await there.settle()
        assert got
        for message in got:
            assert message.reply == ""  # a request without a place for its answer is not taken
            # `forged` is what the attacker has written; it comes with headers alone.
            assert message.headers is not None or message.data.startswith(b"{")


@looped
async def test_no_consumer_delivers_to_another_host(server: Server) -> None:
    """A consumer that names the victim's packets, key or captures delivers nothing there."""
    async with scene(server) as there:
        got: list[Any] = []
        assert await there.victim.subscribe(LAB.packets(there.v, "*"), got.append)
        assert await there.victim.subscribe(LAB.requests(there.v), got.append)
        await there.attacker.client.jetstream().publish(there.card, b"forged")
        places = (
            LAB.packets(there.v, there.v),
            LAB.requests(there.v),
            LAB.capture(there.v, "session"),
            there.claim,
        )
        for number, place in enumerate(places):
            config = {
                "name": f"c{number}",
                "deliver_subject": place,
                "deliver_policy": "all",
                "ack_policy": "none",
            }
            asked = json.dumps({"stream_name": HOSTS, "config": config}).encode()
            await there.attacker.client.request(f"{API}.CONSUMER.CREATE.{HOSTS}.c{number}", asked)
        # One that delivers to the attacker itself shows that all of them have had their chance.
        mine: asyncio.Queue[bytes] = asyncio.Queue()
        own = there.attacker.client.new_inbox()
        await there.attacker.subscribe(own, lambda message: mine.put_nowait(message.data))
        config = {"name": "own", "deliver_subject": own, "ack_policy": "none"}
        asked = json.dumps({"stream_name": HOSTS, "config": config}).encode()
        await there.attacker.client.request(f"{API}.CONSUMER.CREATE.{HOSTS}.own", asked)
        assert await asyncio.wait_for(mine.get(), PATIENCE) == b"forged"
        await there.check_claim()
        assert got == []
        assert LAB.capture(there.v, "session") not in await there.captured()


@looped
async def test_consumers_that_a_host_leaves_behind_are_forgotten(server: Server) -> None:
    """None lasts longer than five minutes without a reader, whatever its maker asks for."""
    async with scene(server) as there:

        async def make(name: str, **config: Any) -> Any:
            asked = {"stream_name": HOSTS, "config": {"name": name, **config}}
            subject = f"{API}.CONSUMER.CREATE.{HOSTS}.{name}"
            answer = await there.attacker.client.request(subject, json.dumps(asked).encode())
            return json.loads(answer.data)

        kept = await make("kept", durable_name="kept")
        assert kept["config"]["inactive_threshold"] == 300_000_000_000
        assert "error" in await make("long", inactive_threshold=86_400_000_000_000)


@looped
async def test_no_trace_is_sent_to_another(server: Server) -> None:
    """The header that asks the server what became of a message names no subject of another."""
    async with scene(server) as there:
        got: list[Any] = []
        assert await there.victim.subscribe(LAB.packets(there.v, "*"), got.append)
        for place in (there.claim, LAB.packets(there.v, there.v)):
            await there.attacker.publish(
                there.card, b"own", headers={"Nats-Trace-Dest": place}, reply=""
            )
        await there.check_claim()
        assert got == []


# Others


@looped
async def test_networks_do_not_meet(server: Server) -> None:
    """What is published in one network is not seen in another one with the same subjects."""
    line = await server.issue(network=OTHER)
    async with scene(server) as there, strangers(line) as (foreign,):
        for subject in (there.claim, there.card, LAB.packets(there.v, line.identity.host)):
            assert not await foreign.publish(subject, b"forged")
        assert not await foreign.subscribe(LAB.group_packets("*"))
        await there.check_claim()


@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR])
@looped
async def test_readers_and_operators_are_no_hosts(server: Server, role: Role) -> None:
    """They read captures and the inventory, and send no packets and write no keys."""
    line = await server.issue(role)
    own = line.identity.host
    async with scene(server) as there, strangers(line) as (reader,):
        for subject in (
            LAB.packets(there.v, own),
            LAB.group_packets(own),
            LAB.events(own),
            LAB.capture(own, "session"),
            bucket_key(LAB.routes, f"{own}.10-0-0-3_32"),
            bucket_key(LAB.hosts, own),
            there.claim,
        ):
            assert not await reader.publish(subject, b"forged")
        for subject, data in requests(there)[3:]:
            await reader.publish(subject, data, reply=there.claim)
        await there.check_claim()


@looped
async def test_only_operators_ask_the_services_of_hosts(server: Server) -> None:
    """A request of an operator comes to the host, and its answer back; a reader may not ask."""
    operator, reader = await server.issue(Role.OPERATOR), await server.issue(Role.READER)
    async with scene(server) as there, strangers(operator, reader) as (asks, reads):

        async def answer(message: Any) -> None:
            await there.victim.client.publish(message.reply, b"answer")

        await there.victim.client.subscribe(LAB.requests(there.v), cb=answer)
        await there.victim.settle()
        got = await asks.client.request(LAB.requests(there.v), b"question", timeout=PATIENCE)
        assert got.data == b"answer"
        assert not await reads.publish(LAB.requests(there.v), b"question")


@looped
async def test_a_reader_reads_captures(server: Server) -> None:
    """The stream of captures can be read with a consumer that delivers to an inbox."""
    line = await server.issue(Role.READER)
    async with scene(server) as there, strangers(line) as (reader,):
        await there.victim.client.jetstream().publish(LAB.capture(there.v, "one"), b"blocks")
        subscription = await reader.client.jetstream().subscribe(
            LAB.capture("*", "*"), stream=LAB.captures, ordered_consumer=True
        )
        assert (await subscription.next_msg(timeout=PATIENCE)).data == b"blocks"


@looped
async def test_nobody_connects_without_a_key_that_the_server_knows(server: Server) -> None:
    """There is no user for those who have none, and none for a key that was made elsewhere."""
    async with scene(server):
        unknown = replace(server.keeper, identity=Identity.make())
        with pytest.raises(KeyRefused):
            await NatsBus.connect(unknown)
        with socket.create_connection(("127.0.0.1", server.plan.listening.port), PATIENCE) as one:
            one.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            with one.makefile("rb") as said:
                assert [line.split()[0] for line in said] == [b"INFO", b"-ERR"]


def test_no_seed_of_a_host_is_kept(server: Server) -> None:
    """The data directory has the seeds of the server's own users alone."""
    line: KeyLine = asyncio.run(server.issue())
    for path in Path(server.laboratory.path).rglob("*"):
        if path.is_file():
            assert line.identity.seed not in path.read_bytes()
    assert server.plan.system.seed not in server.laboratory.configuration.read_bytes()
