"""A connection lives no longer than the token or the sign-in that opened it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.api.host import closed_code, host_sends, start
from tests.capture.samples import statistics
from tests.conftest import Rig
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from tests.samples import ECHO
from tests.waiting import let_pass, until, within
from wintun_api.api import leases as room
from wintun_api.api.context import Context
from wintun_api.api.leases import Leases
from wintun_api.api.sign_ins import SignIns
from wintun_api.api.tokens import Principal, TokenStore
from wintun_api.capture import pcapng
from wintun_api.choices import Scope
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.errors import TokenEnded
from wintun_api.packet import build
from wintun_api.settings import Settings
from wintun_api.wire import BATCH, PCAPNG, RAW, Batch, pack

SOON = 1.0  # seconds that the end of a stream may take
LIFETIME = (
    3  # of a token: long enough to ask with it on a machine that is busy with other tests too
)
EVERY = ["capture", "inject", "read"]
SOCKETS = [BATCH, RAW, PCAPNG, "events"]
STREAMS = ["events", "capture"]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.fixture(params=[False, True], ids=["fast", "plain"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service on its own server's link, and on that of any other."""
    with running(tmp_path, plain=request.param) as service:
        yield service


def issue(service: RunningService, **more: float) -> tuple[str, str]:
    """Return id and secret of a new token."""
    made = service.http.post("/v1/tokens", json={"scopes": EVERY, **more}).json()
    return made["id"], made["token"]


def revoke(service: RunningService, token: str) -> None:
    assert service.http.delete(f"/v1/tokens/{token}").status_code == 204


@contextmanager
def open_socket(
    service: RunningService, session: str, kind: str, secret: str
) -> Iterator[ClientConnection]:
    """Open a socket and wait until it works."""
    path = "/v1/events" if kind == "events" else f"/v1/sessions/{session}/packets"
    with open_websocket(
        service, path, *([] if kind == "events" else [kind]), token=secret
    ) as connection:
        if kind == RAW:
            connection.send(ECHO)
        connection.recv(30)
        yield connection


def close_of(connection: ClientConnection) -> int:
    """Read to the end and return the close code."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv(30)
    assert closed.value.rcvd is not None
    assert "token" in closed.value.rcvd.reason
    return closed_code(closed)


@pytest.mark.parametrize("kind", SOCKETS)
def test_revocation_closes_sockets(service: RunningService, session: str, kind: str) -> None:
    """A socket is closed with 4001 when its token is revoked, and others stay open."""
    token, secret = issue(service)
    _, other = issue(service)
    with (
        open_socket(service, session, kind, secret) as connection,
        open_socket(service, session, kind, other) as bystander,
    ):
        revoke(service, token)
        began = time.monotonic()
        assert close_of(connection) == 4001
        assert time.monotonic() - began < SOON
        assert bystander.ping().wait(30)


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("kind", SOCKETS)
def test_expiry_closes_sockets(service: RunningService, session: str, kind: str) -> None:
    """A socket is closed with 4001 when its token expires, also when nothing is asked then."""
    began = time.time()
    _, secret = issue(service, expires_in=LIFETIME)
    with open_socket(service, session, kind, secret) as connection:
        assert close_of(connection) == 4001
        assert time.time() >= began + LIFETIME


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_the_end_of_http_streams(
    service: RunningService, session: str, kind: str, how: str
) -> None:
    """An HTTP stream ends in order; a capture with a whole block and its statistics."""
    token, secret = issue(service, **({"expires_in": LIFETIME} if how == "expired" else {}))
    path = "/v1/events" if kind == "events" else f"/v1/sessions/{session}/capture.pcapng"
    with service.client(secret) as http, http.stream("GET", path) as answer:
        assert answer.status_code == 200
        parts = answer.iter_raw()
        content = next(parts)
        if how == "revoked":
            revoke(service, token)
        began = time.monotonic()
        content += b"".join(parts)  # which raises where the end is missing
        assert time.monotonic() - began < SOON + (LIFETIME if how == "expired" else 0)
    if kind == "capture":
        assert pcapng.whole(content) == len(content)
        assert statistics(content) == (0, 0)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [BATCH, RAW])
def test_nothing_is_injected_after_the_revocation(
    service: RunningService, session: str, kind: str
) -> None:
    """Of a client that sends without pause, no packet is injected once the answer was given."""
    token, secret = issue(service)
    content = pack(Batch([ECHO] * 10)) if kind == BATCH else ECHO
    path = f"/v1/sessions/{session}/packets?direction=none"
    with open_websocket(service, path, kind, token=secret) as connection:

        def flood() -> None:
            try:
                while True:
                    connection.send(content)
            except ConnectionClosed:
                pass

        sender = threading.Thread(target=flood)
        sender.start()
        until(lambda: service.counters(session)["injected"]["packets"] >= 1000)
        revoke(service, token)
        before = service.counters(session)["injected"]["packets"]
        assert close_of(connection) == 4001
        sender.join(30)
        assert not sender.is_alive()
        assert service.counters(session)["injected"]["packets"] == before


def test_packets_that_wait_for_room_are_not_injected(rig: Rig) -> None:
    """What full=wait holds back when the token is revoked is never injected."""
    service = rig.service
    session = start(rig, capacity=0x20000)
    rig.library.hold_consumer("OfficeNet")
    token, secret = issue(service)
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    path = f"/v1/sessions/{session}/packets?full=wait&direction=none"
    with open_websocket(service, path, BATCH, token=secret) as connection:
        for _ in range(10):
            connection.send(pack(Batch([packet] * 20)))
        before, deadline = -1, time.monotonic() + 30
        while (now := service.counters(session)["injected"]["packets"]) != before or now == 0:
            assert time.monotonic() < deadline
            before = now
        revoke(service, token)
        assert close_of(connection) == 4001
        rig.library.release_consumer("OfficeNet")
        assert service.counters(session)["injected"]["packets"] == before


@pytest.mark.parametrize("rig", [Generation.POOL], indirect=True)  # it asks Wintun meanwhile
@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_handshake_that_takes_longer_than_the_token(rig: Rig, how: str) -> None:
    """A socket that is accepted after the end of its token is closed at once."""
    service, session = rig.service, start(rig)
    let_pass(1)  # the reading of changes after a new session would be held instead of the list
    token, secret = issue(service, **({"expires_in": LIFETIME} if how == "expired" else {}))
    gate = rig.library.hold_next("WintunEnumAdapters")
    outcome: list[int] = []

    def shake() -> None:
        try:
            with open_websocket(
                service, f"/v1/sessions/{session}/packets", token=secret
            ) as connection:
                outcome.append(close_of(connection))
        except InvalidStatus as refused:
            outcome.append(refused.response.status_code)

    thread = threading.Thread(target=shake)
    thread.start()
    assert gate.reached.wait(60)
    if how == "revoked":
        revoke(service, token)
    else:
        let_pass(LIFETIME + 0.02)  # the clock itself is what is tested
    gate.set()
    thread.join(30)
    assert outcome == [4001]


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/adapters", "packets"])
def test_a_body_that_takes_longer_than_the_token(
    service: RunningService, session: str, path: str
) -> None:
    """A request whose body ends after the end of its token does nothing."""
    made = service.http.post("/v1/tokens", json={"scopes": ["admin"]}).json()
    kind, content = "application/json", b'{"scopes": ["admin"], "name": "Late"}'
    if path == "/v1/adapters":
        content = b'{"name": "Late"}'
    elif path == "/v1/tokens":
        content = b'{"scopes": ["admin"]}'
    else:
        path, kind, content = f"/v1/sessions/{session}/packets", "application/octet-stream", ECHO
    with socket.create_connection(("127.0.0.1", service.port), 5) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            f"Authorization: Bearer {made['token']}\r\nContent-Length: {len(content)}\r\n\r\n"
            "".encode()
            + content[:5]
        )
        until(lambda: service.server.server_state.tasks)  # its head was read
        revoke(service, made["id"])
        connection.sendall(content[5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
    assert service.http.get("/v1/tokens").json() == []
    assert len(service.http.get("/v1/adapters").json()) == 1
    assert service.counters(session)["injected"]["packets"] == 0


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("kind", ["capture", "events", "events socket", BATCH, RAW, PCAPNG])
def test_a_client_that_does_not_read_is_cut_off(rig: Rig, kind: str) -> None:
    """A client holds a connection no longer by not reading what it is sent."""
    service, session = rig.service, start(rig)
    token, secret = issue(service)
    paths = {"capture": f"/v1/sessions/{session}/capture.pcapng", "events": "/v1/events"}
    path = paths.get(kind.split(maxsplit=1)[0], f"/v1/sessions/{session}/packets")
    upgrade = "" if kind in paths else UPGRADE
    if kind in (BATCH, RAW, PCAPNG):
        upgrade += f"Sec-WebSocket-Protocol: {kind}\r\n"
    leases = service.service.context.leases
    connections = service.server.server_state.connections
    ours = len(connections)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}"
            f"Authorization: Bearer {secret}\r\n\r\n".encode()
        )
        until(lambda: len(leases) != 0)
        for first in range(0, 20_000, 1000):  # more than sockets hold
            if path == "/v1/events":
                for _ in range(50):
                    rig.library.log("x" * 10_000)
            else:
                host_sends(rig, 1000, 1000, first)
            service.http.get("/v1/system")
        revoke(service, token)
        assert within(SOON, lambda: len(leases) == 0 and len(connections) <= ours)
    assert service.http.get(f"/v1/sessions/{session}").json()["subscribers"] == 0


def test_streams_of_a_browser_that_signs_out() -> None:
    """The end of a sign-in reaches the leases, and no lease can be had by it any more."""

    async def run() -> None:
        tokens = TokenStore("x")
        context = Context(Settings(), tokens, SignIns(tokens))
        ended: list[int] = []
        principal = context.tokens.authenticate("x")
        assert principal is not None
        made = [context.sign_ins.make(principal) for _ in range(2)]
        signed_in = [context.sign_ins.authenticate(one.key, [one.cookie]) for one in made]
        for number, one in enumerate(signed_in):
            assert one is not None
            context.leases.take(one, partial(ended.append, number))
        context.sign_ins.end(made[0].id)
        assert ended == [0]
        assert signed_in[0] is not None
        with pytest.raises(TokenEnded):
            context.leases.check(signed_in[0])

    asyncio.run(run())


READER = Principal("a", frozenset({Scope.READ}))


def good(_principal: Principal) -> bool:
    return True


def test_a_lease_ends_once() -> None:
    """Each lease is told once, also when it is taken twice for one principal."""
    leases = Leases(good)
    told: list[int] = []
    for number in (1, 2):
        leases.take(READER, partial(told.append, number))
    leases.end_token("b")
    assert told == []
    leases.end_token("a")
    leases.end_token("a")
    assert sorted(told) == [1, 2]
    assert len(leases) == 0


def test_a_closed_lease_is_not_told() -> None:
    """A lease given back is not told, and closing it twice is allowed."""
    leases = Leases(good)
    told: list[object] = []
    with leases.hold(READER, lambda: told.append(1)) as lease:
        lease.close()
    lease.close()
    leases.end_token("a")
    assert (told, lease.over, len(leases)) == ([], False, 0)


def test_a_sign_in_ends_alone() -> None:
    """The end of one sign-in leaves others of the same token, and the token's own streams."""
    leases = Leases(good)
    told: list[object] = []
    for sign_in in (None, "x", "y"):
        leases.take(replace(READER, sign_in=sign_in), partial(told.append, sign_in))
    leases.end_sign_in("x")
    assert told == ["x"]
    leases.end_token("a")
    assert set(told) == {"x", None, "y"}


def test_a_void_principal_gets_no_lease() -> None:
    """A principal that became void since it was authenticated gets none."""
    with pytest.raises(TokenEnded):
        Leases(lambda principal: principal.id != "a").take(READER, lambda: None)


def test_one_that_fails_does_not_keep_others(caplog: pytest.LogCaptureFixture) -> None:
    """Every lease is told, also when one of them raises, or gives others back."""
    leases = Leases(good)
    told: list[object] = []

    def fail() -> None:
        raise RuntimeError("it does not end")

    for _ in range(5):
        leases.take(READER, fail)
        leases.take(READER, lambda: told.append(1))
    with caplog.at_level(logging.ERROR):
        leases.end_token("a")
    assert len(told) == 5
    assert len(caplog.records) == 5


def test_expiries_of_many() -> None:
    """Thousands of leases end at their own times, the earliest first, whatever came first."""
    told: list[int] = []

    async def hold() -> None:
        leases, now, done = Leases(good), time.time(), asyncio.Event()

        def end(number: int) -> None:
            told.append(number)
            if len(told) == 2000:
                done.set()

        for number in reversed(range(3000)):
            later = 1.0 if number < 1000 else 4.0 if number < 2000 else 1e9
            principal = Principal(str(number % 7), frozenset(), now + later)
            leases.take(principal, partial(end, number))
        await done.wait()
        assert len(leases) == 1000
        leases.close()

    asyncio.run(asyncio.wait_for(hold(), 30))
    assert sorted(told[:1000]) == list(range(1000))
    assert sorted(told) == list(range(2000))


def test_a_clock_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set forward ends a lease at the next look, one set back prolongs it."""
    monkeypatch.setattr(room, "STEP", 0.05)
    ahead = 0.0
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead)

    async def hold() -> None:
        nonlocal ahead
        ended: asyncio.Queue[int] = asyncio.Queue()
        leases, now = Leases(good), time.time()
        leases.take(Principal("a", frozenset(), now + 0.2), lambda: ended.put_nowait(1))
        leases.take(Principal("b", frozenset(), now + 3600), lambda: ended.put_nowait(2))
        ahead = -100.0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ended.get(), 0.3)
        ahead = 100.0
        assert await asyncio.wait_for(ended.get(), 30) == 1
        assert ended.empty()
        ahead = 4000.0
        assert await asyncio.wait_for(ended.get(), 30) == 2
        leases.close()

    asyncio.run(hold())


def test_the_store_tells_of_tokens_that_expired() -> None:
    """A list of the tokens drops those that have expired, and ends what they opened."""

    async def run() -> list[str]:
        store = TokenStore("x")
        told: list[str] = []
        store.ended.append(told.append)
        _, token = await store.issue([Scope.READ], lifetime=1e-6)
        let_pass(0.02)  # the clock of Windows ticks in 16 ms
        assert store.issued() == []
        assert told == [token.id]
        return told

    asyncio.run(run())
