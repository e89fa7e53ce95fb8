"""The client without an event loop: the same on real services, and what Ctrl-C leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Rig
from tests.needs import leave_out
from tests.running import TOKEN, RunningService, running
from tests.waiting import until
from wintun_api.client import (
    AdapterHandle,
    Client,
    ClientError,
    ProblemError,
    ServiceUnreachable,
    SessionHandle,
)
from wintun_api.packet import build

PACKET = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)


def adapters(service: RunningService) -> list[str]:
    """The names of all adapters."""
    return [one["name"] for one in service.http.get("/v1/adapters").json()]


@pytest.fixture
def client(service: RunningService) -> Client:
    """A client of the service."""
    return Client(service.url, token=TOKEN)


def test_handles_undo_what_they_made(service: RunningService, client: Client) -> None:
    """The adapter and the session are there inside, and gone behind the block."""
    with client, client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter:
        assert isinstance(adapter, AdapterHandle)
        with adapter.session(capacity=0x20000) as session:
            assert isinstance(session, SessionHandle)
            assert session.info.capacity == 0x20000
            assert session.inject([PACKET, PACKET]).accepted == 2
            with session.capture(direction="injected", packets=1) as chunks:
                session.inject(PACKET)
                assert PACKET in b"".join(chunks)
        assert session.info.counters.injected.packets == 3
        assert adapters(service) == ["Lab"]
    assert adapters(service) == []


def test_an_exception_undoes_too(service: RunningService, client: Client) -> None:
    """The exception of the block comes out as it is, and nothing is left."""
    with (
        client,
        pytest.raises(ZeroDivisionError),
        client.adapter("Lab") as adapter,
        adapter.session(),
    ):
        raise ZeroDivisionError
    assert adapters(service) == []


def test_a_joined_session_goes_on(service: RunningService, client: Client) -> None:
    """A handle that joins a session does not end it, and without `join` it is refused."""
    made = service.adapter(name="There")
    started = service.session(made)["id"]
    with client, client.adapter(made["guid"]) as adapter:
        with adapter.session(if_running="join") as session:
            assert (session.id, session.started) == (started, False)
        with pytest.raises(ProblemError, match="session"), adapter.session():
            pytest.fail("a second session was started")
        assert client.session(started).refresh().state == "running"
        with pytest.raises(ValueError, match="neither"):
            adapter.session(if_running="maybe")  # type: ignore[arg-type]  # what is tested


def test_threads_share_a_client(service: RunningService, client: Client) -> None:
    """Several threads use one client at once, and create and delete through it."""

    def work(number: int) -> str:
        with client.adapter(f"A{number}") as adapter, adapter.session():
            return adapter.name

    with client, ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(8))) == [f"A{number}" for number in range(8)]
    assert adapters(service) == []


def test_a_service_that_was_started_again(tmp_path: Path) -> None:
    """A connection that died meanwhile is not used for a request that changes something."""
    with running(tmp_path) as first:
        client = Client(first.url, token=TOKEN)
        client.get_system()
    with client:
        with pytest.raises(ServiceUnreachable):
            client.list_adapters()
        with running(tmp_path, port=first.port):
            assert client.create_adapter("Lab").name == "Lab"


def test_a_closed_client_says_so(client: Client) -> None:
    """A request after the end is refused in words."""
    client.close()
    with pytest.raises(ClientError, match="is closed"):
        client.get_system()


INTERRUPTED = """
import signal, sys
from wintun_api.client import Client

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with Client(sys.argv[1], token=sys.argv[2]) as client:
        client.get_system()
        print("ready", flush=True)
        with client.adapter("Lab") as adapter, adapter.session():
            print("inside", flush=True)
            signal.pause()
except KeyboardInterrupt as error:
    print("interrupted", *getattr(error, "__notes__", ()), flush=True)
"""


@pytest.mark.parametrize(
    "call", ["WintunCreateAdapter", "WintunStartSession", "", "WintunEndSession"]
)
def test_ctrl_c_leaves_nothing(rig: Rig, call: str) -> None:
    """Wherever Ctrl-C comes, even twice, what was made or is being made is undone first."""
    if sys.platform == "win32":
        leave_out("sends a signal to another process")
    service, gate = rig.service, rig.library.hold_next(call) if call else threading.Event()
    command = [sys.executable, "-c", INTERRUPTED, service.url, TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            if call in ("", "WintunEndSession"):
                assert process.stdout.readline() == "inside\n"
                process.send_signal(signal.SIGINT)
            if call:
                until(lambda: service.http.get("/v1/driver").json()["calls"])
                process.send_signal(signal.SIGINT)
            gate.set()
            assert process.stdout.read() == "interrupted\n"
        finally:
            gate.set()
            process.kill()
    assert adapters(service) == []
    assert service.http.get("/v1/sessions").json() == []


def test_work_of_another_thread_needs_none_of_its_own(service: RunningService) -> None:
    """Only the main thread can be interrupted, so elsewhere a handle starts no thread."""
    seen: list[int] = []

    def work() -> None:
        before = threading.active_count()
        with Client(service.url, token=TOKEN) as client, client.adapter("Lab"):
            seen.append(threading.active_count() - before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(seen) == 1
