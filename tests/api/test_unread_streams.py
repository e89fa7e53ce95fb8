"""A client that does not read makes no buffer grow, on any event loop of any Python.

asyncio's `writelines` never held a writer back in CPython 3.12.0 to 3.12.8, 3.13.0 and 3.13.1
(CVE-2024-12254). Other versions are made so for a test, so that it holds wherever it runs.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from asyncio import selector_events
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.api.watcher import Watcher, delete_session, the_session
from tests.certificates import make_certificate
from tests.conftest import Rig
from tests.drivers.linux.kernel import namespace, needs_kernel
from tests.extension import extension
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.api import batches, link, protocol
from wintun_api.api.protocol import WRITE_HIGH, WRITELINES_IS_BLIND
from wintun_api.choices import EventType
from wintun_api.drivers.base import LogLevel, LogLine
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.wire import BATCH, PCAPNG, RAW

pytestmark = needs_kernel

MIB = 1024 * 1024
TOTAL = 16 * MIB  # is offered to each client
BUFFERED = MIB  # what a connection may hold: its mark and the message above it
GROWTH = 14 * MIB  # what the whole service may: queues, rings and the allocator's own
QUEUE = 1000  # packets
SIZE = 1000

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass
class Blind:
    """Makes `writelines` of asyncio's own loop look at no limit."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *, mended: bool = True) -> None:
        """Do it; without the mend if told so."""
        kind: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
        sighted = kind.writelines

        def writelines(transport: Any, pieces: Any) -> None:
            transport._maybe_pause_protocol = lambda: None
            try:
                sighted(transport, pieces)
            finally:
                del transport._maybe_pause_protocol

        self.monkeypatch.setattr(kind, "writelines", writelines)
        self.monkeypatch.setattr(protocol, "WRITELINES_IS_BLIND", mended)


@pytest.fixture(params=["as it is", "blind", "uvloop"])
def new_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NewLoop:
    """Asyncio's loop as this Python has it, the same made blind, and uvloop."""
    if request.param == "uvloop":
        return pytest.importorskip("uvloop", reason="needs the package uvloop").new_event_loop  # type: ignore[no-any-return]
    if request.param == "blind":
        Blind(monkeypatch)()
    return asyncio.SelectorEventLoop


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The settings of a service with TLS."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    return {"tls_certificate": certificate, "tls_key": key}


class Flooded:
    """A session on a kernel device, in the namespace of this thread, and what its service holds."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.rig = Rig(service, EmulatedLibrary())
        adapter = service.adapter(name="t0", addresses=["10.6.7.7/24"])
        self.id = str(service.session(adapter)["id"])
        self.managed = the_session(self.rig, self.id)
        self.process = psutil.Process()
        self.buffered = 0

    def flood(self) -> None:
        """Let the host send `TOTAL` bytes, and look meanwhile at what waits in connections."""
        counters = self.managed.counters
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("10.6.7.9", 9))
            deadline = time.monotonic() + 60
            while counters.received_bytes < TOTAL:
                assert time.monotonic() < deadline
                for _ in range(100):
                    sender.send(bytes(SIZE))
                self.look()

    def look(self) -> None:
        """Note how much waits in the fullest connection."""
        self.buffered = max(self.buffered, self.on_loop(self._buffered))

    def _buffered(self) -> int:
        connections: Any = self.service.server.server_state.connections
        return max((one.transport.get_write_buffer_size() for one in connections), default=0)

    def on_loop(self, function: Callable[[], int]) -> int:
        """Run a function on the event loop."""
        found: list[int] = []
        done = threading.Event()

        def run() -> None:
            found.append(function())
            done.set()

        self.service.loop.call_soon_threadsafe(run)
        assert done.wait(30)
        return found[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Flooded]]:
    """Start services in network namespaces of their own."""
    with ExitStack() as stack:

        def begin(new_loop: NewLoop, **settings: Any) -> Flooded:
            stack.enter_context(namespace())
            more = {"driver": "linux", "log_level": "warning", **settings}
            return Flooded(stack.enter_context(running(tmp_path, new_loop=new_loop, **more)))

        yield begin


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "TLS"])
@pytest.mark.parametrize("kind", [BATCH, RAW, PCAPNG])
def test_packets(
    start: Callable[..., Flooded],
    certificate: dict[str, Path],
    new_loop: NewLoop,
    kind: str,
    tls: bool,
) -> None:
    """What a packet client does not read is lost in its queue and counted, to the packet."""
    flooded = start(new_loop, **(certificate if tls else {}))
    query = f"?direction=received&overflow=drop_oldest&queue_packets={QUEUE}"
    client = Watcher(flooded.rig, flooded.id, kind, query)
    until(lambda: flooded.managed.clients)
    before, unclaimed = flooded.process.memory_info().rss, flooded.managed.counters
    flooded.flood()
    assert flooded.buffered < BUFFERED
    assert flooded.process.memory_info().rss - before < GROWTH
    client.read()
    counters = delete_session(flooded.rig, flooded.id)
    client.join()
    lost = counters["lost"]
    assert lost["queue"] > 0
    offered = counters["received"]["packets"] - unclaimed.received_unclaimed
    assert client.delivered + lost["queue"] + lost["ended"] == offered


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "TLS"])
def test_captures(
    start: Callable[..., Flooded], certificate: dict[str, Path], new_loop: NewLoop, tls: bool
) -> None:
    """So it is with a capture over HTTP."""
    flooded = start(new_loop, queue_packets=QUEUE, **(certificate if tls else {}))
    path = f"/v1/sessions/{flooded.id}/capture.pcapng"
    with flooded.service.http.stream("GET", path) as answer:
        assert answer.status_code == 200
        before = flooded.process.memory_info().rss
        flooded.flood()
        assert flooded.buffered < BUFFERED
        assert flooded.process.memory_info().rss - before < GROWTH
        assert flooded.managed.counters.queue_lost > 0


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "TLS"])
@pytest.mark.parametrize("kind", ["WebSocket", "server-sent"])
def test_events(
    start: Callable[..., Flooded],
    certificate: dict[str, Path],
    new_loop: NewLoop,
    kind: str,
    tls: bool,
) -> None:
    """Events that a client does not read wait in its subscription, within its bounds."""
    flooded = start(new_loop, **(certificate if tls else {}))
    service = flooded.service
    with ExitStack() as stack:
        if kind == "WebSocket":
            stack.enter_context(open_websocket(service, "/v1/events", max_queue=1))
        else:
            stack.enter_context(service.http.stream("GET", "/v1/events"))
        events = service.service.context.registry.events

        def publish() -> int:
            for _ in range(100):
                events.publish(EventType.DRIVER_LOG, LogLine(LogLevel.INFO, 1, "x" * SIZE))
            return 0

        before = flooded.process.memory_info().rss
        for _ in range(TOTAL // SIZE // 100):
            flooded.on_loop(publish)
            flooded.look()
        assert flooded.buffered < BUFFERED
        assert flooded.process.memory_info().rss - before < GROWTH


def test_the_mend_is_needed(start: Callable[..., Flooded], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `writelines` is blind and nothing looks, everything waits in the connection."""
    extension()  # without it, a burst is joined and written by `write`
    Blind(monkeypatch)(mended=False)
    for module in (link, batches):
        monkeypatch.setattr(module, "SMALL", 0)  # small bursts are written by `write` otherwise
    flooded = start(asyncio.SelectorEventLoop)
    query = f"?direction=received&overflow=drop_oldest&queue_packets={QUEUE}"
    with open_websocket(
        flooded.service, f"/v1/sessions/{flooded.id}/packets{query}", BATCH, max_queue=1
    ):
        until(lambda: flooded.managed.clients)
        flooded.flood()
        assert flooded.buffered > TOTAL // 2
        assert flooded.managed.counters.queue_lost == 0


def test_the_versions_with_the_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """`writelines` is taken for blind on exactly the versions where asyncio's own is so."""

    class Client(asyncio.Protocol):
        paused = False

        def pause_writing(self) -> None:
            self.paused = True

    async def run() -> bool:
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            loop = asyncio.get_running_loop()
            transport, client = await loop.create_connection(Client, sock=here)
            transport.writelines([bytes(MIB)] * 8)
            transport.abort()
            return not client.paused

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(run()) == WRITELINES_IS_BLIND, sys.version
    assert WRITE_HIGH < BUFFERED
