"""Connections with a real server: who may have one, how each ends, and that another one follows."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import make_certificate
from tests.fleet.bus.contract import LAB, LIMIT, Taken, run
from tests.fleet.bus.nats.making import make_network
from tests.fleet.nats_server import NatsServer
from tests.fleet.relay import Relay
from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.nats import NatsBus, connection, jetstream
from wintun_api.fleet.bus.seam import Change
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.network import sender_of
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyRefused, NobodyAnswers

HERE, THERE = "here", "there"

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")


def tls_server(server: NatsServer, folder: Path, *names: str) -> str:
    """Have a server encrypt, and return its certificate."""
    certificate, key = make_certificate(folder, *names)
    server.more["tls"] = {"cert_file": str(certificate), "key_file": str(key)}
    return certificate.read_text("utf-8")


def by(line: KeyLine, *servers: str, ca: str | None = None) -> KeyLine:
    """Return the same key for other servers."""
    return replace(line, servers=servers, ca=ca)


def refused(line: KeyLine, hint: str = "") -> str:
    """Connect, which fails, and return what is said of it; the hint has these words."""

    async def work() -> str:
        with pytest.raises((BusUnavailable, KeyRefused)) as caught:
            await NatsBus.connect(line)
        assert caught.value.hint
        assert hint in caught.value.hint
        assert line.identity.seed.decode() not in repr(caught.value) + str(caught.value)
        return f"{type(caught.value).__name__}: {caught.value.detail}"

    return asyncio.run(work())


# Who gets a connection


def test_a_key_that_the_server_does_not_know(nats_server: NatsServer) -> None:
    """It is refused as such."""
    line = nats_server.line()
    nats_server.start()
    said = refused(replace(line, identity=Identity.make()))
    assert said.startswith("KeyRefused: ")
    assert "does not know this host's key" in said


def test_no_server(nats_server: NatsServer) -> None:
    """Where nothing listens, the error names the server."""
    said = refused(nats_server.line())
    assert said.startswith(f"BusUnavailable: The server {nats_server.url} cannot be reached: ")


def test_a_server_that_is_none(nats_server: NatsServer) -> None:
    """Where another service listens, it is refused."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            with other.accept()[0] as one:
                one.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        line = by(nats_server.line(), f"nats://127.0.0.1:{other.getsockname()[1]}")
        assert refused(line).startswith("BusUnavailable: ")
        thread.join()


def test_one_of_several_servers(nats_server: NatsServer) -> None:
    """Of several servers the one that answers is taken."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(by(line, "nats://127.0.0.1:9", nats_server.url))
        assert bus.connected
        await bus.aclose()

    run(work())


def test_none_of_several_servers(nats_server: NatsServer) -> None:
    """Where none of them answers, the first one is named, in whatever order they were tried."""
    line = by(nats_server.line(), "nats://127.0.0.1:9", "nats://127.0.0.1:10")
    assert len({refused(line) for _ in range(6)}) == 1


def test_patience(nats_server: NatsServer) -> None:
    """A patient bus is there before its server, and connects when the server is there."""

    async def work() -> None:
        told, taken = Taken(), Taken()
        line = nats_server.line()
        bus = await NatsBus.connect(line, notice=told.change, patient=True)
        assert not bus.connected
        assert bus.version == ""
        assert told.kinds == [Change.DISCONNECTED]
        await bus.subscribe(LAB.events("*"), taken.message, limit_bytes=LIMIT)
        with pytest.raises(BusUnavailable):
            await bus.bucket(LAB.routes)
        nats_server.start()
        await told.until(lambda: Change.CONNECTED in told.kinds)
        other = await NatsBus.connect(line)
        await other.publish(LAB.events("other"), b"1")
        await taken.until(lambda: taken.messages)
        await other.aclose()
        await bus.aclose()

    run(work())


def test_the_end_without_a_connection(nats_server: NatsServer) -> None:
    """A bus without a connection is closed at once, and nothing of it goes on."""

    async def work() -> None:
        bus = await NatsBus.connect(nats_server.line(), patient=True)
        waiting = asyncio.ensure_future(bus.room())
        await asyncio.sleep(0)
        await bus.aclose()
        await bus.aclose()
        await waiting
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work())


def test_nothing_goes_on_after_the_end(nats_server: NatsServer) -> None:
    """A closed bus leaves no task."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        await bus.subscribe(LAB.events("*"), print, limit_bytes=LIMIT)
        await bus.flush()
        await bus.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work())


# Encryption


def test_encryption(nats_server: NatsServer, tmp_path: Path) -> None:
    """A server is believed by the certificate of the key line, and by no other one."""
    ca = tls_server(nats_server, tmp_path / "pair")
    line = nats_server.line()
    nats_server.start()
    url = nats_server.url.replace("nats:", "tls:")
    other, _ = make_certificate(tmp_path / "other")

    async def work() -> None:
        bus, taken = await NatsBus.connect(by(line, url, ca=ca)), Taken()
        far = await NatsBus.connect(by(line, url, ca=ca))
        await far.subscribe(LAB.events("*"), taken.message, limit_bytes=LIMIT)
        data = os.urandom(300_000)
        assert await bus.publish(LAB.events("here"), data)
        await taken.until(lambda: taken.messages)
        assert taken.data == [data]
        await far.aclose()
        await bus.aclose()

    run(work())
    for wrong, hint in ((other.read_text("utf-8"), "new key line"), (None, "SSL_CERT_FILE")):
        said = refused(by(line, url, ca=wrong), hint)
        assert f"certificate of {url} cannot be trusted" in said


def test_an_authority_of_ones_own_is_named_in_a_variable(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key line without certificates is for a server that the system trusts, with this file."""
    tls_server(nats_server, tmp_path / "pair")
    line = nats_server.line()
    nats_server.start()
    url = nats_server.url.replace("nats:", "tls:")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pair" / "certificate.pem"))

    async def work() -> None:
        bus = await NatsBus.connect(by(line, url))
        assert bus.connected
        await bus.aclose()

    run(work())


def test_a_name_that_the_certificate_lacks(nats_server: NatsServer, tmp_path: Path) -> None:
    """Another file of authorities would not help, and the hint does not say so."""
    ca = tls_server(nats_server, tmp_path / "pair", "hub")
    line = nats_server.line()
    nats_server.start()
    url = nats_server.url.replace("nats://127.0.0.1", "tls://localhost")
    assert refused(by(line, url, ca=ca), "--hostname").endswith("not valid for 'localhost'.")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("kindly", [True, False])
def test_the_end_of_an_encrypted_connection(
    loop: str,
    kindly: bool,
    nats_server: NatsServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told as a change, and no event loop complains of how a connection is left."""
    ca = tls_server(nats_server, tmp_path / "pair")
    line = nats_server.line()
    nats_server.start()
    url = nats_server.url.replace("nats:", "tls:")

    async def work() -> None:
        told = Taken()
        bus = await NatsBus.connect(by(line, url, ca=ca), notice=told.change)
        await asyncio.to_thread(nats_server.stop if kindly else nats_server.kill)
        await told.until(lambda: len(told.changes) == 2)
        assert told.kinds == [Change.CONNECTED, Change.DISCONNECTED]
        await bus.aclose()

    made = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=made) as runner:
        runner.run(work())
    assert [one.getMessage() for one in caplog.records if one.name == "asyncio"] == []


@pytest.mark.parametrize("strip", [False, True])
def test_a_server_that_does_not_encrypt(
    strip: bool, nats_server: NatsServer, tmp_path: Path
) -> None:
    """Where the URL says so and the server does not encrypt, the host does not say who it is."""
    ca = tls_server(nats_server, tmp_path / "pair")
    if not strip:
        nats_server.more.clear()
    line = nats_server.line()
    nats_server.start()

    def stripped(data: bytes) -> bytes:
        return data.replace(b'"tls_required":true', b'"tls_required":false')

    async def work() -> None:
        relay = Relay(nats_server.port, stripped)
        await relay.start()
        with pytest.raises(BusUnavailable, match="does not encrypt"):
            await NatsBus.connect(by(line, f"tls://127.0.0.1:{relay.port}", ca=ca))
        assert relay.heard == b""
        await relay.close()

    run(work())


# How a connection ends


@posix
def test_a_key_that_is_withdrawn(nats_server: NatsServer) -> None:
    """The host is told so, goes on trying, and is connected when its key is known again."""
    line, _ = nats_server.line(), nats_server.line()

    async def work() -> None:
        told = Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        withdrawn = nats_server.users.pop(0)
        nats_server.reload()
        await told.until(lambda: len(told.changes) == 3)
        assert told.kinds == [Change.CONNECTED, Change.DISCONNECTED, Change.DISCONNECTED]
        assert "does not know this host's key" in told.changes[-1][1]
        nats_server.users.append(withdrawn)
        nats_server.reload()
        await told.until(lambda: told.kinds.count(Change.CONNECTED) == 2)
        assert await bus.publish(LAB.events("here"), b"")
        await bus.aclose()

    nats_server.start()
    run(work())


def test_a_server_that_does_not_answer(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing comes through any more, the connection ends, also with bytes unsent."""
    monkeypatch.setattr(connection, "PING_INTERVAL", 0.2)
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        relay, told = Relay(nats_server.port), Taken()
        await relay.start()
        bus = await NatsBus.connect(by(line, f"nats://127.0.0.1:{relay.port}"), notice=told.change)
        relay.hold()
        for _ in range(400):
            await bus.publish(LAB.events("here"), bytes(100_000))
            await asyncio.sleep(0)
        assert bus.unsent
        await told.until(lambda: Change.DISCONNECTED in told.kinds)
        assert told.changes[-1] == (Change.DISCONNECTED, "The server does not answer.")
        assert bus.unsent == 0
        relay.mend()
        await told.until(lambda: told.kinds.count(Change.CONNECTED) == 2)
        await bus.aclose()
        await relay.close()

    run(work())


def test_a_host_that_reads_too_slowly(nats_server: NatsServer) -> None:
    """The server cuts it off; the host knows why, and what it has taken has no gap."""
    nats_server.more["max_pending"] = 1 << 20
    line, other = nats_server.line(), nats_server.line()
    nats_server.start()

    async def flood() -> None:
        bus = await NatsBus.connect(other)
        for number in range(1000):
            while not await bus.publish(LAB.packets(HERE, THERE), number.to_bytes(4) * 16384):
                await bus.room()
        await bus.aclose()

    async def work() -> None:
        told, taken = Taken(), Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        await bus.subscribe(LAB.packets(HERE, "*"), taken.message, limit_bytes=LIMIT)
        thread = threading.Thread(target=lambda: asyncio.run(flood()))
        thread.start()
        thread.join()  # the loop does nothing meanwhile
        await told.until(lambda: told.kinds.count(Change.CONNECTED) == 2)
        assert told.kinds == [
            Change.CONNECTED,
            Change.SLOW,
            Change.DISCONNECTED,
            Change.CONNECTED,
        ]
        numbers = [int.from_bytes(one[:4]) for one in taken.data]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) < 1000
        await bus.aclose()

    run(work())
    log = (nats_server.path / "log").read_text("utf-8")
    assert "Slow Consumer" in log


def test_a_host_that_keeps_up_is_not_called_slow(nats_server: NatsServer) -> None:
    """Where the server ends under load, hosts that have read in time are not called slow."""
    line, other = nats_server.line(), nats_server.line()
    nats_server.start()

    async def work() -> None:
        told, taken = Taken(), Taken()
        bus, far = await NatsBus.connect(line), await NatsBus.connect(other)
        bus.notify(told.change)
        await bus.subscribe(LAB.packets(HERE, "*"), taken.message, limit_bytes=LIMIT)
        while len(taken.messages) < 500:
            await far.publish(LAB.packets(HERE, THERE), bytes(10_000))
            await asyncio.sleep(0)
        nats_server.kill()
        await told.until(lambda: told.changes)
        assert told.kinds == [Change.DISCONNECTED]
        await far.aclose()
        await bus.aclose()

    run(work())


def test_messages_around_a_kill_keep_their_order(nats_server: NatsServer) -> None:
    """Of what was accepted, one part is lost with the server; the rest comes once and in order."""
    line, other = nats_server.line(), nats_server.line()
    nats_server.start()

    async def work() -> None:
        told, taken = Taken(), Taken()
        bus, far = await NatsBus.connect(line), await NatsBus.connect(other)
        for one in (bus, far):
            one.notify(told.change)
        await bus.subscribe(LAB.packets(HERE, "*"), taken.message, limit_bytes=LIMIT)
        accepted = 0

        async def send(count: int) -> None:
            nonlocal accepted
            for _ in range(count):
                if await far.publish(LAB.packets(HERE, THERE), accepted.to_bytes(4) * 1000):
                    accepted += 1
                await asyncio.sleep(0)

        await send(300)
        nats_server.kill()
        await send(300)
        nats_server.start()
        await told.until(lambda: told.kinds.count(Change.CONNECTED) == 2)
        before = accepted
        await send(300)
        await far.flush()
        await taken.until(lambda: int.from_bytes(taken.data[-1][:4]) == accepted - 1)
        numbers = [int.from_bytes(one[:4]) for one in taken.data]
        assert numbers == sorted(set(numbers))
        assert numbers[-300:] == list(range(before, before + 300))
        gaps = [one for one, later in pairwise(numbers) if later - one > 1]
        assert len(gaps) <= 1
        await far.aclose()
        await bus.aclose()

    run(work())


# What is refused, and what is not plain


def test_a_denied_subject_is_told_once(nats_server: NatsServer) -> None:
    """A host that goes on with a subject that it may not use is not told for each message."""
    line = nats_server.line(publish=[LAB.events("here")], subscribe=[])
    nats_server.start()

    async def work() -> None:
        told = Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        for subject in (LAB.events("x"), LAB.events("y")):
            for _ in range(20):
                assert await bus.publish(subject, b"")
        await bus.flush()
        assert told.kinds == [Change.CONNECTED, Change.DENIED, Change.DENIED]
        await bus.aclose()

    run(work())


def test_a_subscription_that_is_denied_is_not_tried_again(nats_server: NatsServer) -> None:
    """After BusDenied nothing is left of it, and the bus comes back without it."""
    line = nats_server.line(publish=[], subscribe=[LAB.events("*")])
    nats_server.start()

    async def work() -> None:
        told = Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        with pytest.raises(BusDenied):
            await bus.subscribe(LAB.requests("*"), print, limit_bytes=LIMIT)
        nats_server.kill()
        nats_server.start()
        await told.until(lambda: told.kinds.count(Change.CONNECTED) == 2)
        assert told.kinds.count(Change.DENIED) == 1
        await bus.aclose()

    run(work())


def test_subjects_and_messages_that_cannot_be(nats_server: NatsServer) -> None:
    """Bad subjects and messages that are too large are refused here, and the connection stays."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line, pending=1 << 22)
        calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: bus.publish("a b", b""),
            lambda: bus.publish("a\r\nPUB b 0\r\n", b""),
            lambda: bus.request("a b", b"", patience=1),
            lambda: bus.subscribe("a..b", print, limit_bytes=1),
            lambda: bus.publish("a", bytes((1 << 20) + 1)),
            lambda: bus.request("a", bytes((1 << 20) + 1), patience=1),
        ]
        for call in calls:
            with pytest.raises(InvalidArgument):
                await call()
        assert await bus.publish("a", bytes(1 << 20))
        await bus.flush()
        await bus.aclose()

    run(work())


def test_a_stream_cannot_speak_in_the_name_of_a_host(nats_server: NatsServer) -> None:
    """What a consumer delivers to another's subject is not plain, nor is a request there."""
    line, other = nats_server.line(), nats_server.line()
    nats_server.start()

    async def work() -> None:
        taken = Taken()
        bus, attacker = await NatsBus.connect(line), await NatsBus.connect(other)
        # The server delivers to a subject that is subscribed to as such, not by a pattern.
        await bus.subscribe(LAB.packets(HERE, THERE), taken.message, limit_bytes=LIMIT)
        stream = {"name": LAB.captures, "subjects": [LAB.capture("*", "*")]}
        consumer = {
            "stream_name": LAB.captures,
            "config": {"deliver_subject": LAB.packets(HERE, THERE), "ack_policy": "none"},
        }
        for subject, question in (
            (f"$JS.API.STREAM.CREATE.{LAB.captures}", stream),
            (f"$JS.API.CONSUMER.CREATE.{LAB.captures}", consumer),
        ):
            answer = await attacker.request(subject, json.dumps(question).encode(), patience=5)
            assert b'"error"' not in answer
        await attacker.publish(LAB.capture("x", THERE), b"forged")
        await taken.until(lambda: taken.messages)
        [message] = taken.messages
        assert message.data == b"forged"
        assert sender_of(message.subject) == THERE  # so it is not enough to look at the subject
        assert not message.plain
        with pytest.raises(NobodyAnswers):
            await attacker.request(LAB.packets(HERE, THERE), b"asked", patience=0.01)
        await taken.until(lambda: len(taken.messages) == 2)
        assert not taken.messages[1].plain
        await attacker.aclose()
        await bus.aclose()

    run(work())


@pytest.mark.parametrize(
    "said",
    [
        b"PUB $KV.wt_lab_routes.a.\xff\xfe 1\r\nx\r\n",
        b"PUB $KV.wt_lab_routes.a.\x0bx 1\r\nx\r\n",
        b"PUB $KV.wt_lab_routes.a.\x1cx 1\r\nx\r\n",
        b"PUB wt.lab.p.here.\xff 1\r\nx\r\n",
        b"HPUB wt.lab.p.here.x 16 17\r\nNATS/1.0 \xff\xff\xff\r\n\r\nx\r\n",
        b"HPUB $KV.wt_lab_routes.a.x 16 17\r\nNATS/1.0 \xff\xff\xff\r\n\r\nx\r\n",
        b"HPUB wt.lab.p.here.x 8 9\r\nNATS/1.0x\r\n",
        b"HPUB $KV.wt_lab_routes.a.x 8 9\r\nNATS/1.0x\r\n",
        b"HPUB wt.lab.p.here.x 4 5\r\nabcdx\r\n",
    ],
)
def test_what_a_host_sends_does_not_end_connections_of_others(
    said: bytes, nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Subjects and headers that are not text are taken as something else, and all goes on."""
    line = nats_server.line()
    nats_server.users.append({"user": "attacker", "password": "secret"})
    nats_server.start()
    greeting = b'CONNECT {"user":"attacker","pass":"secret","verbose":false,"headers":true}\r\n'

    async def work() -> None:
        told, taken = Taken(), Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        await make_network(bus, LAB, lasts=30)
        routes = await bus.bucket(LAB.routes)
        await (await routes.watch(taken.entry)).caught_up()
        await bus.subscribe(LAB.packets(HERE, "*"), taken.message, limit_bytes=LIMIT)
        reader, writer = await asyncio.open_connection("127.0.0.1", nats_server.port)
        writer.write(greeting + said + b"PING\r\n")
        await reader.readuntil(b"PONG\r\n")
        await taken.until(lambda: taken.entries or taken.messages)
        assert not [one for one in taken.messages if one.plain and said.startswith(b"H")]
        await routes.put("good", b"1")
        await taken.until(lambda: ("good", b"1") in taken.values)
        assert told.kinds == [Change.CONNECTED]
        writer.close()
        await writer.wait_closed()
        await bus.aclose()

    run(work())
    assert caplog.records == []


def test_times_of_the_server_are_read_to_the_nanosecond() -> None:
    """The server writes as many digits as it needs."""
    read = jetstream.nanoseconds_of
    assert read("1970-01-01T00:00:01Z") == 1_000_000_000
    assert read("1970-01-01T00:00:01.5Z") == 1_500_000_000
    assert read("2026-11-29T15:41:12.064500173Z") % 1_000_000_000 == 64_500_173
    for wrong in (None, 1, "", "yesterdayZ", "1970-01-01T00:00:01", "1970-01-01T00:00:01.xZ"):
        with pytest.raises(BusUnavailable):
            read(wrong)


def test_a_killed_server_is_seen_at_once(nats_server: NatsServer) -> None:
    """The end of a connection is told without waiting for an answer that does not come."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        told = Taken()
        bus = await NatsBus.connect(line, notice=told.change)
        nats_server.kill()
        async with asyncio.timeout(2):
            await told.until(lambda: Change.DISCONNECTED in told.kinds)
        await bus.aclose()

    run(work())


def test_a_connection_that_has_ended_says_so(nats_server: NatsServer) -> None:
    """Whatever is asked of it, the error is one of the bus: the watches come back after it."""
    line = nats_server.line()
    nats_server.start()

    async def work() -> None:
        bus = await NatsBus.connect(line)
        ended = bus.current()
        await ended.close("It was closed.")

        class Reader:
            def came(self, *_: object) -> None:
                """Take nothing."""

        with pytest.raises(BusUnavailable):
            await ended.flush()
        with pytest.raises(BusUnavailable):
            await ended.subscribe("wt.lab.p.*.*", Reader())
        with pytest.raises(BusUnavailable):
            await ended.request("wt.lab.api.a", b"", patience=1)
        assert not await ended.publish("wt.lab.p.a.b", b"")
        await bus.aclose()

    asyncio.run(work())
