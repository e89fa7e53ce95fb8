"""Start and stop."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from wintun_api.api.server import check_bind
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.errors import InvalidArgument
from wintun_api.settings import Settings
from wintun_api.wire import BATCH, RAW


@pytest.mark.parametrize("generation", list(Generation))
def test_an_orderly_stop(tmp_path: Path, generation: Generation) -> None:
    """With streams of every kind open: 1001 to all, sessions ended, handles back, in 3 seconds."""
    library = EmulatedLibrary(generation, Machine(), rate=2000)
    settings = Settings.load(driver="emulated", port=0, data_dir=tmp_path)
    service = RunningService(settings, emulated_driver(library))
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    path = f"/v1/sessions/{service.session(adapter)['id']}/packets"
    codes: dict[str, int | None] = {}

    def read(name: str, path: str, *offers: str) -> None:
        with open_websocket(service, path, *offers) as socket:
            opened.release()
            with contextlib.suppress(ConnectionClosed):
                while True:
                    socket.recv()
            codes[name] = socket.close_code

    def read_sse() -> None:
        with service.client("the-admin-token") as http, http.stream("GET", "/v1/events") as answer:
            opened.release()
            for _ in answer.iter_lines():
                pass
            codes["sse"] = None

    opened = threading.Semaphore(0)
    clients = [
        threading.Thread(target=read, args=("raw", path, RAW)),
        threading.Thread(target=read, args=("batch", path, BATCH)),
        threading.Thread(target=read, args=("events", "/v1/events")),
        threading.Thread(target=read_sse),
    ]
    for client in clients:
        client.start()
        assert opened.acquire(timeout=30)
    with open_websocket(service, path, BATCH, max_queue=1):  # and one that does not read
        seconds = service.stop()
    for client in clients:
        client.join(30)
    assert seconds < 10
    assert codes == {"raw": 1001, "batch": 1001, "events": 1001, "sse": None}
    assert library.open_handles() == (0, 0)
    assert library.misuse == []


def test_answers_come_at_once(service: RunningService) -> None:
    """No connection waits with small answers for the receipt of the last one, HTTP or WebSocket."""
    assert service.http.get("/noauth/health").status_code == 200
    with open_websocket(service, "/v1/events"):
        connections = list(service.server.server_state.connections)
        assert len(connections) == 2
        for one in connections:
            connection = one.transport.get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_stop_with_a_hung_driver(tmp_path: Path) -> None:
    """A management call that never comes back does not keep the service from ending."""
    library = EmulatedLibrary(Generation.POOL, Machine())
    settings = Settings.load(driver="emulated", port=0, data_dir=tmp_path, management_timeout=0.2)
    service = RunningService(settings, emulated_driver(library))
    gate = library.hold_next("WintunCreateAdapter")
    try:
        assert service.http.post("/v1/adapters", json={"name": "x"}).status_code == 504
        assert service.stop() < 10
    finally:
        gate.set()


def test_unavailable_drivers_are_values(tmp_path: Path) -> None:
    """Without its DLL the service runs, says what is missing, and refuses with the reason."""
    settings = Settings.load(driver="wintun", port=0, data_dir=tmp_path)
    service = RunningService(settings)
    try:
        system = service.http.get("/v1/system").json()
        assert system["driver"] == "wintun"
        assert system["unavailable"]["hint"]
        assert service.http.get("/v1/driver").json()["unavailable"] == system["unavailable"]
        answer = service.http.post("/v1/adapters", json={"name": "x"})
        assert answer.status_code == 503
        assert answer.json()["reason"] == system["unavailable"]["reason"]
        with open_websocket(service, "/v1/events") as socket:
            assert json.loads(socket.recv(30))["adapters"] == []
    finally:
        service.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_bind_beyond_loopback_is_refused(host: str) -> None:
    """Without TLS the token would travel unencrypted; the flag says that this is meant."""
    with pytest.raises(InvalidArgument, match="unencrypted"):
        check_bind(Settings.load(host=host))
    check_bind(Settings.load(host=host, allow_insecure_bind=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_fine(host: str) -> None:
    """Loopback needs no TLS."""
    check_bind(Settings.load(host=host))


@pytest.mark.skipif(sys.platform == "win32", reason="Wine keeps sizes of its own.")
def test_socket_bytes(tmp_path: Path) -> None:
    """Connections get the kernel buffers that were asked for; Linux doubles them for itself."""
    with running(tmp_path, socket_bytes=100_000) as service:
        assert service.http.get("/noauth/health").status_code == 200
        (connection,) = service.server.server_state.connections
        peer = connection.transport.get_extra_info("socket")
        sizes = [
            peer.getsockopt(socket.SOL_SOCKET, kind)
            for kind in (socket.SO_SNDBUF, socket.SO_RCVBUF)
        ]
    assert all(size in (100_000, 200_000) for size in sizes)


def test_an_upgrade_to_http2_is_not_heeded(service: RunningService) -> None:
    """The request is answered as it is, with its body (RFC 9110, section 7.8)."""
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAA"}
    body = {"name": "OfficeNet", "pool": "WireGuard"}
    answer = service.http.post("/v1/adapters", json=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["name"] == "OfficeNet"


def test_pages(service: RunningService) -> None:
    """The dashboard's place and the API docs come from the service itself."""
    index = service.http.get("/")
    assert '<div id="app">' in index.text
    docs = service.http.get("/docs")
    for page in (index, docs):
        assert page.headers["content-type"].startswith("text/html")
        assert "//" not in page.text.replace("<!doctype", "")
    bundle = service.http.get("/docs/swagger-ui-bundle.js")
    assert bundle.headers["content-type"].startswith("text/javascript")
    assert len(bundle.content) > 1_000_000
    document: dict[str, Any] = service.http.get("/openapi.json").json()
    operations = [m["operationId"] for path in document["paths"].values() for m in path.values()]
    assert len(operations) == len(set(operations))
    assert {"list_adapters", "create_adapter", "start_session", "inject_packets"} <= set(operations)


def test_limits_of_connections(tmp_path: Path) -> None:
    """GET /v1/system names the limits of connections that hold here."""
    given: dict[str, Any] = {
        "request_timeout": 7.5,
        "idle_timeout": 9.0,
        "max_connections": 100_000_000,
    }
    with running(tmp_path, **given) as service:
        limits = service.http.get("/v1/system").json()["limits"]
        assert service.service.context.connections is not None
        ceiling = service.service.context.connections.ceiling
    assert (limits["request_timeout"], limits["idle_timeout"]) == (7.5, 9.0)
    assert limits["max_connections"] == ceiling
