"""The packet stream: bursts, losses, accounts, and every way in which it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.api.host import host_sends, numbers, start
from tests.certificates import make_certificate
from tests.client.streams import Cut, another_program, packets_of, run, service_process
from tests.conftest import Rig
from tests.running import TOKEN, RunningService, running
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.api.connection import PacketConnection
from wintun_api.choices import CloseCode, Scope
from wintun_api.client import operations
from wintun_api.client.backoff import Backoff
from wintun_api.client.burst import Accounts, Burst, Loss
from wintun_api.client.location import Location
from wintun_api.client.packets import AsyncPacketStream
from wintun_api.client.problems import (
    ClientError,
    ConnectionLost,
    Disconnected,
    FrameRefused,
    NotTheService,
    ProblemError,
    ScopeMissing,
    ServiceUnreachable,
    StreamClosed,
    TokenRevoked,
    TooSlow,
)
from wintun_api.packet import build
from wintun_api.packet.block import Block
from wintun_api.wire import Batch, pack

GUEST, HOST = "10.6.7.8", "10.6.7.7"


def echo(number: int, size: int = 32) -> bytes:
    """Return a ping to the host."""
    return build.icmp_echo(GUEST, HOST, identifier=7, sequence=number, data=bytes(size))


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


async def bursts(stream: AsyncPacketStream, count: int) -> list[Burst]:
    """Return bursts of at least so many packets."""
    found: list[Burst] = []
    async for item in stream:
        if isinstance(item, Burst):
            found.append(item)
        if sum(map(len, found)) >= count:
            break
    return found


async def rest(stream: AsyncPacketStream) -> list[Burst | Loss]:
    """Return everything up to the end."""
    return [item async for item in stream]


# Bursts


def test_a_burst_has_everything_that_the_service_says(
    service: RunningService, session: str
) -> None:
    """Packets are bytes; sequence, time and direction are those of the service."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            assert stream.hello.session == session
            assert stream.hello.adapter.name == "OfficeNet"
            await stream.put([echo(1), echo(2)])
            found = await bursts(stream, 2)
            packets = [packet for burst in found for packet in burst.packets]
            assert packets == [
                build.icmp_echo(HOST, GUEST, identifier=7, sequence=n, data=bytes(32), reply=True)
                for n in (1, 2)
            ]
            assert all(type(packet) is bytes for packet in packets)
            assert found[0].sequence == stream.hello.next_sequence.received
            assert found[0].direction == "received"
            assert found[0].original_lengths is None
            assert abs(found[0].time - datetime.now(UTC)) < timedelta(minutes=5)

    run(work())


def test_directions_and_cut_lengths(service: RunningService, session: str) -> None:
    """A tap gets what others inject, cut to the snap length, with the length that it had."""

    async def work() -> None:
        async with packets_of(service, session, direction="injected", snaplen=28) as stream:
            await stream.send([echo(1)])
            (burst,) = await bursts(stream, 1)
            assert burst.direction == "injected"
            assert list(burst.packets) == [echo(1)[:28]]
            assert burst.original_lengths is not None
            assert list(burst.original_lengths) == [len(echo(1))]

    run(work())


def test_packets_of_every_size_arrive_as_they_are(rig: Rig) -> None:
    """Bursts of many sizes keep number, order and content."""
    session = start(rig)

    async def work() -> None:
        async with packets_of(rig.service, session) as stream:
            for size in range(32, 1432, 7):
                host_sends(rig, 1, size, first=size)
            found = await bursts(stream, 200)
            packets = [packet for burst in found for packet in burst.packets]
            assert numbers(packets) == list(range(32, 1432, 7))
            following = stream.hello.next_sequence.received
            for burst in found:
                assert burst.sequence == following
                following += len(burst)

    run(work())


def test_losses_are_values_in_the_stream(rig: Rig) -> None:
    """A program that reads too late is told how many packets it did not get, and which."""
    session = start(rig, capacity=0x4000000)

    async def work() -> None:
        async with packets_of(rig.service, session, queue_packets=10, max_queue=1) as stream:
            total = 60_000
            await asyncio.to_thread(host_sends, rig, total, 1000)
            got = lost = 0
            losses: list[Loss] = []
            async for item in stream:
                if isinstance(item, Loss):
                    losses.append(item)
                    lost += item.count or 0
                else:
                    got += len(item)
                if got + lost >= total:
                    break
            assert {(loss.cause, loss.direction) for loss in losses} == {("queue", "received")}
            assert got + lost == total
            assert got
            assert lost

    run(work())


def test_a_program_that_does_not_read_holds_the_host_back(rig: Rig) -> None:
    """With overflow=block nothing is lost: packets wait in the ring until they are read."""
    session = start(rig, capacity=0x4000000)
    total = 20_000

    async def work() -> None:
        stream = packets_of(
            rig.service, session, overflow="block", queue_packets=500, max_queue=1
        )  # fmt: skip
        async with stream:
            for first in range(0, total, 1000):
                await asyncio.to_thread(host_sends, rig, 1000, 1400, first)
            assert rig.service.counters(session)["received"]["packets"] < total
            found = [packet for one in await bursts(stream, total) for packet in one.packets]
            assert numbers(found) == list(range(total))

    run(work())


# Accounts


def test_send_says_what_became_of_exactly_these_packets(
    service: RunningService, session: str
) -> None:
    """Accounts count every packet once, by what became of it; earlier puts are not among them."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            await stream.put([echo(0)] * 5)
            bad = [b"", bytes(19), b"\x50" + bytes(40), bytes(70_000)]
            accounts = await stream.send([echo(1), *bad, memoryview(echo(2)), bytearray(echo(3))])
            assert accounts == Accounts(
                accepted=3, rejected={"too_short": 2, "bad_version": 1, "too_long": 1}
            )
            assert accounts.total == 7
            assert stream.accounts == Accounts(accepted=5) + accounts

    run(work())


@pytest.mark.parametrize(
    "form", [list, tuple, iter, Block.of, lambda packets: (packet for packet in packets)],
    ids=["list", "tuple", "iterator", "block", "generator"],
)  # fmt: skip
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_packets_of_any_form(
    service: RunningService, session: str, form: Callable[[list[bytes]], list[bytes]], count: int
) -> None:
    """Any iterable is sent, in as many messages as it needs."""

    async def work() -> None:
        async with packets_of(service, session, direction="none", full="wait") as stream:
            accounts = await stream.send(form([echo(n % 60_000, 100) for n in range(count)]))
            assert accounts == Accounts(accepted=count)

    run(work())


def test_a_packet_alone(service: RunningService, session: str) -> None:
    """One packet needs no list; what is not a packet is a TypeError, and sends nothing."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            assert await stream.send(ECHO) == Accounts(accepted=1)
            assert await stream.send(memoryview(ECHO)) == Accounts(accepted=1)
            for wrong in ("a text", ["a text"], [69, 0]):
                with pytest.raises(TypeError):
                    await stream.send(wrong)  # type: ignore[arg-type]
            assert await stream.send([]) == Accounts()

    run(work())


def test_sends_of_several_tasks_are_not_mixed_up(service: RunningService, session: str) -> None:
    """Tasks that send at once each get the accounts of their own packets."""

    async def work() -> None:
        async with packets_of(service, session, direction="none", full="wait") as stream:
            counts = [1, 700, 3, 2000, 50]
            found = await asyncio.gather(
                *(stream.send([echo(n)] * count + [b"x"] * n) for n, count in enumerate(counts))
            )
            assert found == [
                Accounts(accepted=count, rejected={"too_short": n} if n else {})
                for n, count in enumerate(counts)
            ]

    run(work())


def test_the_last_puts_are_accounted_for(service: RunningService, session: str) -> None:
    """A stream that is left waits for its acks, so that its accounts are whole."""

    async def work() -> AsyncPacketStream:
        async with packets_of(service, session, full="wait") as stream:
            for n in range(50):
                await stream.put([echo(n)] * 20)
        return stream

    assert run(work()).accounts == Accounts(accepted=1000)


def test_each_addition_to_the_accounts_is_told(service: RunningService, session: str) -> None:
    """A program that asks for it hears what became of its packets as the service says it."""
    told: list[Accounts] = []

    async def work() -> Accounts:
        async with packets_of(service, session) as stream:
            stream.on_accounts = told.append
            await stream.send([echo(1), b"no packet"])
            await stream.send([echo(2)])
            return stream.accounts

    accounts = run(work())
    assert accounts == sum(told, Accounts())
    assert sum(one.accepted for one in told) == 2


def test_send_does_not_wait_for_ever_behind_packets_that_nobody_reads(rig: Rig) -> None:
    """Where the ack is behind a flood, packets are dropped as the policy says, and told."""
    session = start(rig, capacity=0x4000000)

    async def work() -> None:
        async with packets_of(rig.service, session, max_queue=2) as stream:
            total = 40_000
            await asyncio.to_thread(host_sends, rig, total, 1000)
            for n in range(10):
                assert (await stream.send([b"x"])).total == 1, n
            got = 0
            async for item in stream:
                assert not isinstance(item, Loss) or item.cause == "queue"
                got += (item.count or 0) if isinstance(item, Loss) else len(item)
                if got >= total:
                    break
            assert got == total

    run(work())


def test_the_answer_to_what_is_sent_is_kept(service: RunningService, session: str) -> None:
    """Even the shortest queue keeps a packet that comes while `send` waits for its ack."""

    async def work() -> None:
        async with packets_of(service, session, max_queue=1) as stream:
            for n in range(20):
                await stream.send([echo(n)])
                (burst,) = await bursts(stream, 1)
                assert len(burst) == 1

    run(work())


def test_on_another_event_loop(service: RunningService, session: str) -> None:
    """Uvloop carries the stream as asyncio's own loop does."""
    uvloop = pytest.importorskip("uvloop")

    async def work() -> None:
        async with packets_of(service, session, full="wait", max_queue=1) as stream:
            assert await stream.send([echo(1)] * 2000) == Accounts(accepted=2000)
            service.http.delete(f"/v1/sessions/{session}")
            found = await rest(stream)
            assert sum(len(one) if isinstance(one, Burst) else one.count or 0 for one in found)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


# The other framings


def test_raw(service: RunningService, session: str) -> None:
    """v1.raw gives bursts of one packet without a number; put works, send says why it does not."""

    async def work() -> None:
        async with packets_of(service, session, protocol="v1.raw") as stream:
            await stream.put([echo(1), echo(2)])
            found = await bursts(stream, 2)
            assert [len(burst) for burst in found] == [1, 1]
            assert {burst.sequence for burst in found} == {None}
            assert abs(found[0].time - datetime.now(UTC)) < timedelta(minutes=5)
            with pytest.raises(ClientError, match=r"put\(\)"):
                await stream.send([echo(3)])
            with pytest.raises(ClientError, match="no hello"):
                _ = stream.hello
            assert stream.accounts == Accounts(unknown=2)
            service.http.delete(f"/v1/sessions/{session}")
            assert await rest(stream) == []
            assert stream.ended is None

    run(work())


def test_pcapng(service: RunningService, session: str, tmp_path: Path) -> None:
    """v1.pcapng gives blocks that are a capture; packets cannot be sent or iterated over."""
    from wintun_api.capture.reader import Reader

    async def work() -> bytes:
        found = b""
        async with (
            packets_of(service, session, protocol="v1.pcapng") as stream,
            packets_of(service, session, direction="none") as sender,
        ):
            for call in (stream.send, stream.put):
                with pytest.raises(ClientError, match=r"does not (carry|acknowledge)"):
                    await call([ECHO])
            with pytest.raises(ClientError, match="blocks"):
                await anext(stream)
            with pytest.raises(ClientError, match="pcapng"):
                await anext(sender.blocks())
            await sender.send([echo(1)])
            async for block in stream.blocks():
                found += block
                if found.count(echo(1)[-40:]):
                    break
        return found

    (tmp_path / "capture.pcapng").write_bytes(run(work()))
    with (tmp_path / "capture.pcapng").open("rb") as file:
        packets = [one.data for one in Reader(iter(lambda: file.read(65536), b""))]
    assert echo(1) in packets


# Ends


def test_the_session_ends(service: RunningService, session: str) -> None:
    """Iteration ends after the last packet, `ended` says why, and sending says it too."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            await stream.send([echo(1)])
            service.http.delete(f"/v1/sessions/{session}")
            found = await rest(stream)
            assert sum(len(item) for item in found if isinstance(item, Burst)) == 1
            assert stream.ended is not None
            assert stream.ended.state == "ended"
            assert stream.ended.reason
            for call in (stream.send, stream.put):
                with pytest.raises(StreamClosed) as caught:
                    await call([echo(2)])
                assert caught.value.code == CloseCode.ENDED
            assert await rest(stream) == []

    run(work())


def test_the_adapter_is_removed(service: RunningService) -> None:
    """A session that ends with its adapter ends the stream with that reason."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    session = service.session(adapter)["id"]

    async def work() -> None:
        async with packets_of(service, session) as stream:
            assert service.http.delete(f"/v1/adapters/{adapter['guid']}").is_success
            assert await rest(stream) == []
            assert stream.ended is not None
            assert "adapter" in stream.ended.reason

    run(work())


def test_the_service_stops(tmp_path: Path) -> None:
    """A service that stops in order ends the stream cleanly."""

    async def work(service: RunningService, session: str) -> None:
        async with packets_of(service, session) as stream:
            await asyncio.to_thread(service.stop)
            assert await rest(stream) == []
            assert stream.ended is not None

    with running(tmp_path) as service:
        session = str(service.session(service.adapter(name="OfficeNet"))["id"])
        run(work(service, session))


def test_the_service_is_killed(tmp_path: Path) -> None:
    """A killed service is a lost connection, for readers and for senders."""
    with service_process(tmp_path) as service:
        adapter = service.http.post("/v1/adapters", json={"name": "OfficeNet"}).json()
        session = service.http.post("/v1/sessions", json={"adapter": adapter["guid"]}).json()["id"]

        async def work() -> None:
            path = f"/v1/sessions/{session}/packets"
            async with AsyncPacketStream(service.location, path) as stream:
                await asyncio.to_thread(service.kill)
                with pytest.raises(ConnectionLost) as caught:
                    await rest(stream)
                assert caught.value.code == CloseCode.ABNORMAL
                assert caught.value.hint
                for call in (stream.send, stream.put):
                    with pytest.raises(ConnectionLost):
                        await call([ECHO])
                assert stream.ended is None

        run(work())


def test_the_token_is_revoked(service: RunningService, session: str) -> None:
    """A stream lives no longer than its token."""
    made = service.http.post("/v1/tokens", json={"scopes": ["capture", "inject"]}).json()

    async def work() -> None:
        async with packets_of(service, session, token=made["token"]) as stream:
            assert service.http.delete(f"/v1/tokens/{made['id']}").is_success
            with pytest.raises(TokenRevoked) as caught:
                await rest(stream)
            assert caught.value.code == CloseCode.TOKEN

    run(work())


def test_an_administrator_disconnects_a_stream(service: RunningService, session: str) -> None:
    """It does not connect again, though it may, and says who ended it."""

    async def work() -> None:
        async with packets_of(service, session, reconnect=True) as stream:
            (client,) = service.ask(operations.list_clients())
            service.ask(operations.disconnect_client(client["id"]))
            with pytest.raises(Disconnected) as caught:
                await rest(stream)
            assert caught.value.code == CloseCode.DISCONNECTED
            assert "with the admin token" in str(caught.value)

    run(work())


def test_the_token_may_not_inject(service: RunningService, session: str) -> None:
    """Sending without the scope is refused; the accounts say that nothing was injected."""
    token = service.token(Scope.CAPTURE)

    async def work() -> None:
        async with packets_of(service, session, token=token) as stream:
            with pytest.raises(ScopeMissing, match="inject") as caught:
                await stream.send([ECHO, ECHO])
            assert caught.value.code == CloseCode.SCOPE
            assert caught.value.accounts == Accounts(failed=2)
            with pytest.raises(ScopeMissing):
                await rest(stream)

    run(work())


def test_reading_too_slowly(rig: Rig) -> None:
    """With overflow=close the stream ends, after what was queued and what was lost."""
    session = start(rig)

    async def work() -> None:
        stream = packets_of(rig.service, session, overflow="close", queue_packets=10, max_queue=1)
        async with stream:
            await asyncio.to_thread(host_sends, rig, 60_000, 1000)
            with pytest.raises(TooSlow) as caught:
                await rest(stream)
            assert caught.value.code == CloseCode.SLOW

    run(work())


def test_a_frame_that_the_service_refuses(service: RunningService, session: str) -> None:
    """A batch whose lengths do not add up ends the stream; only a wrong block causes it."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            await stream.put(Block(ECHO, array("H", [len(ECHO) - 1]), len(ECHO)))
            with pytest.raises(FrameRefused) as caught:
                await rest(stream)
            assert caught.value.code == CloseCode.BAD_FRAME

    run(work())


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ({"direction": "sideways"}, 422, "invalid-request"),
        ({"overflow": "block", "direction": "both"}, 422, "invalid-request"),
    ],
)
def test_refused_at_the_handshake(
    service: RunningService, session: str, query: dict[str, str], status: int, kind: str
) -> None:
    """A refusal has the whole problem document."""

    async def work() -> None:
        with pytest.raises(ProblemError) as caught:
            async with packets_of(service, session, **query):
                pass
        assert caught.value.status == status
        assert caught.value.kind == kind
        assert caught.value.detail

    run(work())


def test_refused_without_session_token_or_scope(service: RunningService, session: str) -> None:
    """No session, no token and no scope are told apart."""
    reader = service.token(Scope.READ)

    async def work() -> None:
        for stream, status, kind in (
            (packets_of(service, "nothing"), 404, "session-not-found"),
            (packets_of(service, session, token="wrong"), 401, "unauthorized"),
            (packets_of(service, session, token=reader), 403, "missing-scope"),
        ):
            with pytest.raises(ProblemError) as caught:
                async with stream:
                    pass
            assert (caught.value.status, caught.value.kind) == (status, kind)
            assert caught.value.hint

    run(work())


ANSWERS = {
    "a web server": b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n"
    b"Content-Length: 2\r\n\r\nno",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
    b"Content-Length: 0\r\n\r\n",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
    "a broken document": b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n"
    b"Content-Length: 1\r\n\r\n{",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_another_program_at_the_address(answer: bytes) -> None:
    """What is not the service is said to be that."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async def work() -> None:
        async with another_program(serve) as url:

            async def located() -> Location:
                return Location(url, "secret", "the test")

            with pytest.raises(NotTheService) as caught:
                async with AsyncPacketStream(located, "/v1/sessions/x/packets"):
                    pass
            assert caught.value.url == url

    run(work())


def test_nothing_at_the_address() -> None:
    """Where nobody listens, that is said."""

    async def located() -> Location:
        return Location("http://127.0.0.1:1", "secret", "the test")

    async def work() -> None:
        with pytest.raises(ServiceUnreachable, match=r"127\.0\.0\.1:1") as caught:
            async with AsyncPacketStream(located, "/v1/sessions/x/packets"):
                pass
        assert not isinstance(caught.value, NotTheService)

    run(work())


def test_a_program_that_accepts_and_is_silent() -> None:
    """An opening has a time limit."""

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def work() -> None:
        async with another_program(serve) as url:

            async def located() -> Location:
                return Location(url, "secret", "the test")

            with pytest.raises(ServiceUnreachable, match=r"within 0.2 s"):
                async with AsyncPacketStream(located, "/x", open_timeout=0.2):
                    pass

    run(work())


def test_over_tls(tmp_path: Path) -> None:
    """A stream over TLS carries packets both ways; without trust it does not connect."""
    certificate, key = make_certificate(tmp_path, "127.0.0.1")

    async def work(service: RunningService, session: str) -> None:
        async with packets_of(service, session) as stream:
            assert await stream.send([echo(1)]) == Accounts(accepted=1)
            assert len(await bursts(stream, 1)) == 1
        import ssl

        async def distrustful() -> Location:
            return Location(service.url, TOKEN, "the test", ssl.create_default_context())

        with pytest.raises(ServiceUnreachable, match="TLS"):
            async with AsyncPacketStream(distrustful, f"/v1/sessions/{session}/packets"):
                pass

    with running(tmp_path, tls_certificate=certificate, tls_key=key) as service:
        adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
        run(work(service, str(service.session(adapter)["id"])))


def test_silence_is_noticed_by_asking() -> None:
    """A service that no longer answers pings is a lost connection; one that does is not."""
    import base64
    import hashlib

    accepted = (
        b'{"type":"hello","protocol":"v1.batch.wintun-api","session":"s","adapter":{"guid":'
        b'"deadbabe-cafe-beef-0123-456789abcdef","name":"a","interface_name":"a"},"mtu":1500,'
        b'"direction":"received","overflow":"drop_oldest","full":"drop",'
        b'"limits":{"max_packet":65535,"max_message":262144,"queue_packets":1,"queue_bytes":1,"snaplen":0},'
        b'"next_sequence":{"received":0,"injected":0}}'
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: v1.batch.wintun-api\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            b"\x81\x7e" + len(accepted).to_bytes(2, "big") + accepted
        )
        await reader.read()

    async def work() -> None:
        async with another_program(serve) as url:

            async def located() -> Location:
                return Location(url, "secret", "the test")

            stream = AsyncPacketStream(located, "/x", keepalive=0.1, close_timeout=0.2)
            async with stream:
                with pytest.raises(ConnectionLost, match="no longer answers"):
                    await anext(stream)

    run(work())


def test_a_quiet_service_is_not_lost(service: RunningService, session: str) -> None:
    """A service that answers pings stays connected, however quiet."""

    async def work() -> None:
        async with packets_of(service, session, keepalive=0.05) as stream:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(stream)
            assert await stream.send([echo(1)]) == Accounts(accepted=1)

    run(work())


# Nothing is left behind


def test_cancelling_leaves_the_stream_usable(service: RunningService, session: str) -> None:
    """A wait that is cut short loses no packet and no account."""

    async def work() -> None:
        async with packets_of(service, session) as stream:
            got = 0
            for n in range(20):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await stream.send([echo(n)])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0):
                        got += sum(map(len, await bursts(stream, 1)))
            await stream.send([])
            sent = stream.accounts.accepted
            assert stream.accounts == Accounts(accepted=sent)
            got += sum(map(len, await bursts(stream, sent - got))) if got < sent else 0
            assert got == sent

    run(work())


class OnceAtOnce(Backoff):
    """Try again at once, and then not for an hour."""

    def delays(self) -> Iterator[float]:
        """Return the seconds to wait before each attempt."""
        return iter((0, 3600))


@pytest.mark.parametrize("when", ["waiting", "connecting"])
def test_closing_while_another_task_connects_again(
    service: RunningService, session: str, when: str
) -> None:
    """The task that reads comes to the end of the stream, and there is no connection."""

    async def work() -> None:
        trying = asyncio.Event()
        attempts = 0

        async def located() -> Location:
            nonlocal attempts
            attempts += 1
            if attempts > 1:
                trying.set()
                if when == "waiting":
                    raise ServiceUnreachable(service.url, "It does not answer.")
                await asyncio.Event().wait()
            return Location(service.url, TOKEN, "the test")

        path, query = f"/v1/sessions/{session}/packets", {"direction": "none"}
        clients = service.service.context.registry.sessions.by_id(session).clients
        async with AsyncPacketStream(located, path, query, reconnect=OnceAtOnce()) as stream:
            await stream.send([ECHO])
            reading = asyncio.ensure_future(rest(stream))
            (client,) = clients
            assert isinstance(client, PacketConnection)
            service.loop.call_soon_threadsafe(client.end, CloseCode.INTERNAL_ERROR, "a fault")
            await trying.wait()
        assert await reading == []
        with pytest.raises(ClientError, match="closed"):
            await stream.send([ECHO])
        assert attempts == 2

    run(work())


def test_a_stream_that_was_closed_is_not_entered(service: RunningService, session: str) -> None:
    """A stream that was closed before, or while it connects, has no connection."""

    async def work() -> None:
        stream = packets_of(service, session)
        await stream.aclose()
        with pytest.raises(ClientError, match="closed"):
            await stream.__aenter__()

        async def located() -> Location:
            await stream.aclose()
            return Location(service.url, TOKEN, "the test")

        stream = AsyncPacketStream(located, f"/v1/sessions/{session}/packets")
        with pytest.raises(ClientError, match="closed"):
            await stream.__aenter__()
        assert not service.service.context.registry.sessions.by_id(session).clients

    run(work())


@pytest.mark.parametrize("several", [True, False])
def test_a_view_of_numbers_is_no_packet(
    service: RunningService, session: str, several: bool
) -> None:
    """A view whose items are not bytes is an error here, and the stream stays usable."""
    view = memoryview(array("H", [0x45] * 20))

    async def work() -> None:
        async with packets_of(service, session) as stream:
            with pytest.raises(TypeError):
                await stream.send([ECHO, view] if several else view)
            assert await stream.send([ECHO]) == Accounts(accepted=1)

    run(work())


def test_a_raw_stream_takes_bytes_only(service: RunningService, session: str) -> None:
    """A number is not as many zero bytes."""

    async def work() -> None:
        async with packets_of(service, session, protocol="v1.raw") as stream:
            with pytest.raises(TypeError):
                await stream.put([5])  # type: ignore[list-item]
            assert stream.accounts == Accounts()

    run(work())


@pytest.mark.parametrize("where", ["open", "read", "send", "put"])
def test_a_cancelled_program_leaves_nothing(
    service: RunningService, session: str, where: str
) -> None:
    """Cancelled anywhere, the stream is closed: the service has no client, the loop no task."""
    client_count = service.service.context.registry.sessions.by_id(session).clients

    async def program(entered: asyncio.Event) -> None:
        if where == "open":
            entered.set()
        async with packets_of(service, session, full="wait") as stream:
            entered.set()
            while True:
                if where == "send":
                    await stream.send([echo(1)] * 2000)
                elif where == "put":
                    await stream.put([echo(1)] * 2000)
                else:
                    await anext(stream)

    async def work() -> None:
        entered = asyncio.Event()
        task = asyncio.ensure_future(program(entered))
        await entered.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
    until(lambda: not client_count)


def test_using_it_outside_its_context(service: RunningService, session: str) -> None:
    """A stream that was not entered, or was left, says so; entering twice is refused."""

    async def work() -> None:
        stream = packets_of(service, session)
        for call in (
            lambda: anext(stream),
            lambda: stream.send([ECHO]),
            lambda: stream.put([ECHO]),
        ):
            with pytest.raises(ClientError, match="not connected"):
                await call()
        async with stream:
            with pytest.raises(ClientError, match="entered already"):
                await stream.__aenter__()
        await stream.aclose()
        for send in (stream.send, stream.put):
            with pytest.raises(ClientError, match="closed"):
                await send([ECHO])
        assert await rest(stream) == []

    run(work())


# Connecting again


FAST = Backoff(first=0.01, last=0.05)


def test_connecting_again_tells_the_gap(rig: Rig) -> None:
    """What the host sent between two connections is one loss, with its number and its count."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            packets_of(rig.service, session) as witness,
            AsyncPacketStream(
                cut.location, f"/v1/sessions/{session}/packets", reconnect=FAST
            ) as stream,
        ):
            host_sends(rig, 3)
            assert sum(map(len, await bursts(stream, 3))) == 3
            cut.refusing = True
            cut.cut()
            clients = rig.service.service.context.registry.sessions.by_id(session).clients
            await asyncio.to_thread(until, lambda: len(clients) == 1)
            host_sends(rig, 5, first=3)
            await bursts(witness, 8)
            cut.refusing = False
            assert await anext(stream) == Loss("reconnect", "received", 5, 3, 7)
            host_sends(rig, 2, first=8)
            (burst, *_) = await bursts(stream, 2)
            assert burst.sequence == 8
            assert cut.connections == 2

    run(work())


def test_connecting_again_without_a_gap(rig: Rig) -> None:
    """Where nothing was missed, the loss says so."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            AsyncPacketStream(
                cut.location, f"/v1/sessions/{session}/packets", {"direction": "both"},
                reconnect=FAST,
            ) as stream,
        ):  # fmt: skip
            cut.cut()
            assert [await anext(stream), await anext(stream)] == [
                Loss("reconnect", "received", 0, None, None),
                Loss("reconnect", "injected", 0, None, None),
            ]

    run(work())


def test_a_loss_that_the_service_could_not_tell_any_more(
    service: RunningService, session: str
) -> None:
    """What was dropped before a cut, and not told in time, counts as missed between the two."""
    path = f"/v1/sessions/{session}/packets"
    hellos: list[dict[str, Any]] = []

    async def answer(connection: ServerConnection) -> None:
        hello = hellos.pop(0)
        await connection.send(json.dumps(hello))
        if hellos:
            lost = {"type": "lost", "cause": "queue", "direction": "received", "count": 2}
            await connection.send(pack(Batch([ECHO], sequence=0)))
            await connection.send(json.dumps({**lost, "first": 2, "last": 3}))
            await connection.send(pack(Batch([ECHO], sequence=1)))
            await connection.send(pack(Batch([ECHO], sequence=7)))
            await connection.close(CloseCode.INTERNAL_ERROR)
        else:
            await connection.wait_closed()

    async def work() -> None:
        async with packets_of(service, session) as real:
            hello = json.loads(real.hello.model_dump_json())
        for number in (0, 10):
            numbers_of = {"received": number, "injected": 0}
            hellos.append({**hello, "next_sequence": numbers_of})
        subprotocols = [Subprotocol("v1.batch.wintun-api")]
        async with serve(answer, "127.0.0.1", 0, subprotocols=subprotocols) as server:
            port = server.sockets[0].getsockname()[1]

            async def located() -> Location:
                return Location(f"http://127.0.0.1:{port}", TOKEN, "the test")

            async with AsyncPacketStream(located, path, reconnect=FAST) as stream:
                found = [await anext(stream) for _ in range(5)]
        assert found[-1] == Loss("reconnect", "received", 5, None, None)

    run(work())


def test_packets_without_an_ack_are_unknown(rig: Rig) -> None:
    """A sender that connects again learns how many packets may or may not have been injected."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            AsyncPacketStream(
                cut.location, f"/v1/sessions/{session}/packets", {"direction": "none"},
                reconnect=FAST,
            ) as stream,
        ):  # fmt: skip
            assert await stream.send([ECHO]) == Accounts(accepted=1)
            await stream.put([ECHO] * 3)
            cut.cut()
            assert await stream.send([ECHO, ECHO]) == Accounts(accepted=2)
            assert stream.accounts.total == 6
            assert stream.accounts.accepted + stream.accounts.unknown == 6

    run(work())


def test_a_stream_tells_when_it_connects_again(rig: Rig) -> None:
    """A program hears that its connection has ended, and that there is another one."""
    session = start(rig)
    told: list[bool] = []

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            AsyncPacketStream(
                cut.location, f"/v1/sessions/{session}/packets", {"direction": "none"},
                reconnect=FAST,
            ) as stream,
        ):  # fmt: skip
            stream.on_connection = told.append
            await stream.send([ECHO])
            cut.cut()
            await stream.send([ECHO])

    run(work())
    assert told == [False, True]


def test_without_reconnect_the_exception_has_the_accounts(rig: Rig) -> None:
    """A send that is cut off says how many of its packets have no ack."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            AsyncPacketStream(cut.location, f"/v1/sessions/{session}/packets") as stream,
        ):
            cut.deaf = True
            sending = asyncio.ensure_future(stream.send([ECHO] * 7))
            await cut.swallowed.wait()
            cut.cut()
            with pytest.raises(ConnectionLost) as caught:
                await sending
            assert caught.value.accounts == stream.accounts == Accounts(unknown=7)

    run(work())


def test_giving_up(rig: Rig) -> None:
    """After the last attempt the loss of the connection is raised."""
    session = start(rig)

    async def work() -> None:
        async with (
            Cut(rig.service) as cut,
            AsyncPacketStream(
                cut.location, f"/v1/sessions/{session}/packets",
                reconnect=Backoff(0.01, 0.01, attempts=3),
            ) as stream,
        ):  # fmt: skip
            cut.refusing = True
            cut.cut()
            with pytest.raises(ConnectionLost):
                await rest(stream)

    run(work())


def test_a_service_that_starts_again(tmp_path: Path) -> None:
    """A session does not outlive its service, and the stream says so when it comes back."""
    with service_process(tmp_path) as service:
        adapter = service.http.post("/v1/adapters", json={"name": "OfficeNet"}).json()
        session = service.http.post("/v1/sessions", json={"adapter": adapter["guid"]}).json()["id"]

        async def work() -> None:
            path = f"/v1/sessions/{session}/packets"
            async with AsyncPacketStream(service.location, path, reconnect=FAST) as stream:
                await asyncio.to_thread(service.kill)
                reading = asyncio.ensure_future(rest(stream))
                await asyncio.to_thread(service.start)
                with pytest.raises(ProblemError) as caught:
                    await reading
                assert caught.value.kind == "session-not-found"

        run(work())


def test_the_end_of_the_session_is_not_connected_again(rig: Rig) -> None:
    """Where the session has ended there is nothing to come back to."""
    session = start(rig)

    async def work() -> None:
        async with packets_of(rig.service, session, reconnect=FAST) as stream:
            rig.service.http.delete(f"/v1/sessions/{session}")
            assert await rest(stream) == []

    run(work())


@pytest.mark.parametrize("wrong", [5, "yes", None, 0])
def test_how_to_connect_again_is_checked_at_once(wrong: Any) -> None:
    """What is neither true, false nor a back-off is refused before anything is sent."""

    async def nowhere() -> Location:
        raise AssertionError

    with pytest.raises(TypeError, match="reconnect"):
        AsyncPacketStream(nowhere, "/", reconnect=wrong)


def test_backoff() -> None:
    """Waits double up to the last one; numbers that make no sense are refused."""
    delays = Backoff(1, 5, attempts=5).delays()
    assert list(delays) == [1, 2, 4, 5, 5]
    for wrong in ((2, 1, None), (-1, 1, None), (0, 1, -1)):
        with pytest.raises(ValueError, match="must be"):
            Backoff(*wrong)
