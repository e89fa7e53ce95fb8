"""The packet stream without an event loop: the same values, and no thread left behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from tests.api.host import host_sends, numbers, start
from tests.client.streams import service_process
from tests.conftest import Rig
from tests.running import TOKEN, RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.api.connection import PacketConnection
from wintun_api.choices import CloseCode
from wintun_api.client import Accounts, Backoff, Burst, Client, Loss, PacketStream
from wintun_api.client.blocking import LoopThread
from wintun_api.client.location import Location
from wintun_api.client.problems import (
    ClientError,
    ConnectionLost,
    ProblemError,
    StreamClosed,
)


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


def threads() -> list[threading.Thread]:
    """Return the threads of streams."""
    return [one for one in threading.enumerate() if one.name == "wintun-api-client"]


def stream_of(service: RunningService, session: str, **query: object) -> PacketStream:
    """Return the packet stream of a session."""
    path = f"/v1/sessions/{session}/packets"
    return PacketStream(lambda: Location(service.url, TOKEN, "the test"), path, query)


def test_packets_both_ways(service: RunningService) -> None:
    """A program without an event loop sends, reads and learns what became of its packets."""
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter("OfficeNet", addresses=["10.6.7.7/24"]) as adapter,
        adapter.session() as session,
        session.packets() as stream,
    ):
        assert stream.hello.session == session.id
        assert stream.send([ECHO, b"x"]) == Accounts(accepted=1, rejected={"too_short": 1})
        stream.put(ECHO)
        count = 0
        for item in stream:
            assert isinstance(item, Burst)
            count += len(item)
            if count == 2:
                break
        assert stream.send([]) == Accounts()
        assert stream.accounts.accepted == 2
    assert not threads()


def test_a_busy_stream_is_whole(rig: Rig) -> None:
    """Every packet of a flood is given once and in order, or told as lost."""
    session = start(rig, capacity=0x4000000)
    total = 30_000
    with stream_of(rig.service, session) as stream:
        host = threading.Thread(target=host_sends, args=(rig, total, 200))
        host.start()
        found: list[int] = []
        lost = 0
        for item in stream:
            if isinstance(item, Loss):
                lost += item.count or 0
            else:
                found += numbers(list(item.packets))
            if len(found) + lost >= total:
                break
        host.join()
    assert len(found) + lost == total
    assert found == sorted(set(found))


def test_the_session_ends(service: RunningService, session: str) -> None:
    """Iteration ends with the session, and sending says why it does not work."""
    with stream_of(service, session) as stream:
        service.http.delete(f"/v1/sessions/{session}")
        assert list(stream) == []
        assert stream.ended is not None
        with pytest.raises(StreamClosed) as caught:
            stream.put([ECHO])
        assert caught.value.code == CloseCode.ENDED
    assert not threads()


def test_the_service_is_killed(tmp_path: Path) -> None:
    """A killed service is a lost connection."""
    with service_process(tmp_path) as service:
        adapter = service.http.post("/v1/adapters", json={"name": "OfficeNet"}).json()
        session = service.http.post("/v1/sessions", json={"adapter": adapter["guid"]}).json()["id"]
        with (
            Client(service.url, token=service.token) as client,
            client.session(session).packets() as stream,
        ):
            service.kill()
            with pytest.raises(ConnectionLost):
                list(stream)
    assert not threads()


def test_refused(service: RunningService) -> None:
    """A refusal leaves no thread."""
    with pytest.raises(ProblemError), stream_of(service, "nothing"):
        pass
    assert not threads()


def test_captures(service: RunningService, session: str) -> None:
    """Blocks of a capture come as bytes."""
    path = f"/v1/sessions/{session}/packets"
    stream = PacketStream(
        lambda: Location(service.url, TOKEN, "the test"), path, protocol="v1.pcapng"
    )
    with stream:
        assert next(stream.blocks())[:4] == bytes.fromhex("0a0d0d0a")


def test_several_streams_in_several_threads(service: RunningService, session: str) -> None:
    """Threads with streams of their own do not wait for each other."""
    found: list[Accounts] = []

    def program() -> None:
        with stream_of(service, session, full="wait", direction="none") as stream:
            for _ in range(20):
                stream.put([ECHO] * 10)
            stream.send([])
            found.append(stream.accounts)

    programs = [threading.Thread(target=program) for _ in range(5)]
    for one in programs:
        one.start()
    for one in programs:
        one.join(60)
    assert found == [Accounts(accepted=200)] * 5
    assert not threads()


def test_one_stream_in_several_threads(rig: Rig) -> None:
    """One thread reads while another sends, and a third closes."""
    session = start(rig)
    stream = stream_of(rig.service, session)
    read: list[Burst | Loss] = []
    with stream:
        reader = threading.Thread(target=lambda: read.extend(stream))
        reader.start()
        assert stream.send([ECHO] * 3) == Accounts(accepted=3)
        until(lambda: sum(len(one) for one in read if isinstance(one, Burst)) == 3)
    reader.join(30)
    assert not reader.is_alive()
    assert not threads()


def test_a_thread_that_comes_too_late_is_told() -> None:
    """Work that is begun when the loop has ended is cancelled: it neither waits nor fails oddly."""
    loop = LoopThread()
    loop.close()
    loop.close()
    work = asyncio.sleep(0)
    with pytest.raises(CancelledError):
        loop.run(work)
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED


def test_using_it_outside_its_context(service: RunningService, session: str) -> None:
    """A stream that was not entered, or was left, says so."""
    stream = stream_of(service, session)
    with pytest.raises(ClientError, match="not connected"):
        next(stream)
    with stream, pytest.raises(ClientError, match="entered already"):
        stream.__enter__()
    stream.close()
    with pytest.raises(ClientError, match="closed"):
        stream.send([ECHO])
    assert list(stream) == []


@pytest.mark.skipif(sys.platform == "win32", reason="it sends itself a signal of POSIX")
@pytest.mark.parametrize("where", ["read", "send"])
def test_interrupting_a_wait(rig: Rig, where: str) -> None:
    """Ctrl-C ends a wait at once and leaves no thread, no task and no client."""
    session = start(rig, capacity=0x20000)
    clients = rig.service.service.context.registry.sessions.by_id(session).clients
    if where == "send":
        rig.library.hold_consumer("OfficeNet")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stream_of(rig.service, session, full="wait") as stream:
        timer.start()
        if where == "read":
            next(stream)
        else:
            stream.send([ECHO + bytes(1000)] * 5000)
    assert time.monotonic() - begun < 20
    timer.join()
    assert not threads()
    if where == "send":
        rig.library.release_consumer("OfficeNet")
    until(lambda: not clients)


def test_connecting_again(rig: Rig) -> None:
    """The option of the other twin works in this one."""
    session = start(rig)
    path = f"/v1/sessions/{session}/packets"
    stream = PacketStream(
        lambda: Location(rig.service.url, TOKEN, "the test"), path, reconnect=Backoff(0.01, 0.1)
    )
    with stream:
        assert stream.send([ECHO]) == Accounts(accepted=1)
        assert isinstance(next(stream), Burst)  # the answer; otherwise it could be missed
        (client,) = rig.service.service.context.registry.sessions.by_id(session).clients
        assert isinstance(client, PacketConnection)
        rig.service.loop.call_soon_threadsafe(client.end, CloseCode.INTERNAL_ERROR, "a fault")
        losses = (item for item in stream if isinstance(item, Loss))
        assert next(losses) == Loss("reconnect", "received", 0, None, None)
        assert stream.send([ECHO]) == Accounts(accepted=1)
