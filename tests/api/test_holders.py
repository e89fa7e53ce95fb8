"""The packet socket of an adapter: it starts or joins the session, and holds what it asked for."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.answers import next_event, problem
from tests.api.host import closed_code
from tests.conftest import Rig
from tests.raw_websocket import RawPackets, open_websocket, raw_packets
from tests.running import TOKEN, RunningService, running
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.api.data_directory import write_private
from wintun_api.api.subprotocols import KEY
from wintun_api.choices import Scope
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub import holds
from wintun_api.schemas.control import Hello
from wintun_api.schemas.events import DATA, Event
from wintun_api.schemas.sessions import Session
from wintun_api.wire import BATCH, PCAPNG, RAW, Batch, pack

GONE = "Its last client left."


def lab(service: RunningService, **more: Any) -> str:
    """Create the adapter Lab and return its GUID."""
    return str(service.adapter(name="Lab", addresses=["10.6.7.7/24"], **more)["guid"])


@contextmanager
def joined(
    service: RunningService, guid: str, query: str = "ends=adapter&grace=0", **more: Any
) -> Iterator[RawPackets]:
    """Join the session of an adapter with `v1.batch`."""
    with open_websocket(service, f"/v1/adapters/{guid}/packets?{query}", BATCH, **more) as socket_:
        yield RawPackets(socket_)


@contextmanager
def events(service: RunningService) -> Iterator[ClientConnection]:
    """Follow the events from now on."""
    with open_websocket(service, "/v1/events") as stream:
        next_event(stream)
        yield stream


def wait_for(stream: ClientConnection, kind: str, among: str = "") -> dict[str, Any]:
    """Return the data of the next event of a type; no other of `among` may come before it."""
    while True:
        event = next_event(stream)
        if event["type"] == kind:
            checked = Event.model_validate(event)
            DATA[checked.type].model_validate(event["data"])
            return dict(event["data"])
        assert not among or not event["type"].startswith(among), event


def the_session(service: RunningService) -> dict[str, Any]:
    """Return the only session there is."""
    (session,) = service.http.get("/v1/sessions").json()
    Session.model_validate(session)
    return dict(session)


def adapters(service: RunningService) -> list[dict[str, Any]]:
    """Return the adapters as the system has them now."""
    return list(service.http.get("/v1/adapters").json())


def refused(
    service: RunningService, path: str, status: int, slug: str, token: str | None = TOKEN
) -> dict[str, Any]:
    """Check that a handshake is refused with this problem, whole, and return it."""
    with pytest.raises(InvalidStatus) as refusal:
        open_websocket(service, path, BATCH, token=token)
    response = refusal.value.response
    assert response.status_code == status
    body: dict[str, Any] = json.loads(response.body)
    assert body["type"] == f"urn:wintun-api:problem:{slug}"
    assert body["detail"]
    assert body["hint"]
    return body


# What the socket does


@pytest.mark.parametrize("protocol", [BATCH, RAW, PCAPNG, None])
def test_it_starts_the_session(either_service: RunningService, protocol: str | None) -> None:
    """Packets go both ways in every form, as on the socket of the session."""
    service, guid = either_service, lab(either_service)
    path = f"/v1/adapters/{guid}/packets?ends=session&grace=0"
    with open_websocket(service, path, *([protocol] if protocol else [])) as client:
        assert client.subprotocol == protocol
        if protocol == BATCH:
            hello = RawPackets(client).hello
            Hello.model_validate(hello)
            assert (hello["started"], hello["ends"]) == (True, "session")
            client.send(pack(Batch([ECHO])))
        elif protocol != PCAPNG:
            client.send(ECHO)
        assert client.recv(30)
        session = the_session(service)
        assert (session["adapter"], session["state"]) == (guid, "running")
        assert (session["holders"], session["ends"], session["ends_at"]) == (1, "session", None)
    until(lambda: the_session(service)["state"] == "ended")
    assert the_session(service)["reason"] == GONE


def test_it_joins_the_session(service: RunningService) -> None:
    """Both clients get every packet, and the second one's capacity is ignored."""
    guid = lab(service)
    with joined(service, guid, "capacity=131072") as first:
        session = the_session(service)
        assert session["capacity"] == 131072
        with joined(service, guid, "capacity=262144&ends=session") as second:
            assert (second.hello["started"], second.hello["session"]) == (False, session["id"])
            first.socket.send(pack(Batch([ECHO])))
            assert first.receive(1) == second.receive(1)
            assert the_session(service)["capacity"] == 131072


def test_the_session_s_own_socket_holds_nothing(service: RunningService) -> None:
    """Its hello says so, and its client does not keep an adapter that another one held."""
    guid = lab(service)
    with joined(service, guid) as holder, raw_packets(service, holder.hello["session"]) as other:
        assert (other.hello["started"], other.hello["ends"]) == (False, "nothing")
        assert the_session(service)["holders"] == 1
        holder.socket.close()
        assert other.text("ended")["reason"] == GONE
    until(lambda: adapters(service) == [])  # it is deleted after its session has ended


def test_without_ends_all_stays(service: RunningService) -> None:
    """It is what POST /v1/sessions and its socket do."""
    guid = lab(service)
    with joined(service, guid, "") as client:
        assert (client.hello["started"], client.hello["ends"]) == (True, "nothing")
    with joined(service, guid, "") as again:
        assert again.hello["session"] == client.hello["session"]
        assert not again.hello["started"]
    session = the_session(service)
    assert (session["state"], session["holders"], session["ends"]) == ("running", 0, "nothing")


def test_an_adapter_that_is_not_managed_is_opened(tmp_path: Path) -> None:
    """As POST /v1/sessions does."""
    state: dict[str, Any] = {"emulated_state": tmp_path / "machine.json"}
    with running(tmp_path, **state) as service:
        guid = lab(service)
    with running(tmp_path, **state) as service:
        assert adapters(service)[0]["managed"] is False
        with joined(service, guid, "ends=adapter&grace=0") as client:
            assert client.hello["started"]
            assert adapters(service)[0]["managed"] is True
        until(lambda: adapters(service) == [])


def test_many_at_the_same_moment(service: RunningService) -> None:
    """One of them starts the session, all of them get its packets."""
    guid = lab(service)
    count = 16
    barrier = threading.Barrier(count)

    def join(stack: ExitStack) -> RawPackets:
        barrier.wait(30)
        return stack.enter_context(joined(service, guid))

    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        clients = list(pool.map(join, [stack] * count))
        assert [client.hello["started"] for client in clients].count(True) == 1
        assert len({client.hello["session"] for client in clients}) == 1
        assert the_session(service)["holders"] == count
        clients[0].socket.send(pack(Batch([ECHO])))
        for client in clients:
            client.receive(1)
    until(lambda: adapters(service) == [])


# What is refused


@pytest.mark.parametrize(
    "query",
    [
        "capacity=1",
        "capacity=0",
        "capacity=-131072",
        "capacity=393216",  # three times the smallest
        "capacity=134217728",
        "capacity=large",
        "capacity=131072.5",
        "offload=perhaps",
        "ends=service",
        "ends=",
        "grace=-1",
        "grace=3600.1",
        "grace=nan",
        "grace=inf",
        "grace=soon",
        "keep=1",
        "direction=up",
        "overflow=block&direction=both",
    ],
)
@pytest.mark.parametrize("runs", [False, True])
def test_bad_parameters(service: RunningService, query: str, *, runs: bool) -> None:
    """They are refused before anything is started, and name the parameter."""
    guid = lab(service)
    if runs:
        service.session({"guid": guid})
    with pytest.raises(InvalidStatus) as refusal:
        open_websocket(service, f"/v1/adapters/{guid}/packets?{query}", BATCH)
    response = refusal.value.response
    assert response.status_code == 422
    assert query.partition("=")[0] in json.loads(response.body)["detail"]
    assert len(service.http.get("/v1/sessions").json()) == runs


def test_adapters_that_do_not_exist(service: RunningService) -> None:
    """An unknown GUID is 404, and something else than a GUID 422."""
    unknown = "/v1/adapters/00000000-0000-0000-0000-000000000001/packets"
    refused(service, unknown, 404, "adapter-not-found")
    refused(service, unknown, 404, "adapter-not-found", service.token(Scope.CAPTURE))
    found = refused(service, "/v1/adapters/Lab/packets", 422, "invalid-request")
    assert "guid" in found["detail"]


def test_scopes(service: RunningService) -> None:
    """To start a session or to hold takes admin; to join takes what the session's socket takes."""
    guid = lab(service)
    path = f"/v1/adapters/{guid}/packets"
    capture, inject = service.token(Scope.CAPTURE), service.token(Scope.INJECT)
    for token in (capture, inject):
        found = refused(service, path, 403, "missing-scope", token)
        assert "POST /v1/sessions" in found["hint"]
    refused(service, path, 403, "missing-scope", service.token(Scope.READ))
    refused(service, path, 401, "unauthorized", None)
    assert service.http.get("/v1/sessions").json() == []
    session = service.session({"guid": guid})["id"]
    for ends in ("session", "adapter"):
        found = refused(service, f"{path}?ends={ends}", 403, "missing-scope", capture)
        assert "ends" in found["detail"]
    refused(service, path, 403, "missing-scope", service.token(Scope.READ))
    with joined(service, guid, "", token=capture) as reader:
        assert reader.hello["session"] == session
        with joined(service, guid, "", token=inject) as writer:
            assert writer.hello["direction"] == "none"
            writer.socket.send(pack(Batch([ECHO])))
            assert writer.text("ack")["accepted"] == 1
        reader.receive(1)


def test_pages_are_told_by_close_codes(service: RunningService) -> None:
    """Their sockets are accepted and closed, as everywhere."""
    guid = lab(service)
    headers = {"Origin": service.url}
    capture = service.token(Scope.CAPTURE)
    for path, token, code in (
        (f"/v1/adapters/{guid}/packets", capture, 4003),
        ("/v1/adapters/00000000-0000-0000-0000-000000000001/packets", TOKEN, 4004),
    ):
        with open_websocket(service, path, token=token, headers=headers) as page:
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(30)
            assert closed_code(closed) == code


def test_a_session_of_another_program(tmp_path: Path) -> None:
    """The socket is refused with 409, and the hint does not say to join."""
    machine = Machine()
    other = emulated_driver(EmulatedLibrary(Generation.POOL, machine))
    with running(tmp_path, emulated_driver(EmulatedLibrary(Generation.POOL, machine))) as service:
        guid = lab(service, pool="WireGuard")
        theirs = other.open_adapter("Lab", "WireGuard").start_session(0x20000)
        found = refused(service, f"/v1/adapters/{guid}/packets?ends=adapter", 409, "session-exists")
        assert "Join" not in found["hint"]
        theirs.end()
        assert len(adapters(service)) == 1
        with joined(service, guid) as client:
            assert client.hello["started"]


def test_a_second_start_says_how_to_join(service: RunningService) -> None:
    """The hint of POST /v1/sessions names both sockets."""
    guid = lab(service)
    with joined(service, guid, "") as client:
        again = service.http.post("/v1/sessions", json={"adapter": guid})
        found = problem(again, 409, "session-exists")
        assert found["session"] == client.hello["session"]
        assert "WS /v1/sessions/{id}/packets" in found["hint"]
        assert "WS /v1/adapters/{guid}/packets" in found["hint"]


def test_the_audit_line(service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    """A session that a socket starts is a change by its token; one that it joins is none."""
    guid = lab(service)
    with events(service) as stream, caplog.at_level("INFO", "wintun_api.audit"):
        with joined(service, guid, "") as client, joined(service, guid, ""):
            session = client.hello["session"]
        change = wait_for(stream, "audit.change")
        service.http.delete(f"/v1/sessions/{session}")
        assert wait_for(stream, "audit.change")["operation"] == "end_session"
    assert change["operation"] == "join_adapter"
    assert change["method"] == "WEBSOCKET"
    assert change["path"] == f"/v1/adapters/{guid}/packets"
    assert (change["who"], change["status"]) == ("admin", 101)
    assert change["subject"] == f"session {session} of adapter {guid}"
    assert f"session {session} of adapter {guid}" in caplog.text


# How it ends


KILLED = """
import sys
from websockets.sync.client import connect
url, token = sys.argv[1:]
with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as client:
    print("connected", flush=True)
    for _ in client:
        pass
"""


def close(client: RawPackets, _service: RunningService) -> None:
    """Close in order."""
    client.socket.close()


def reset(client: RawPackets, _service: RunningService) -> None:
    """Break the connection."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    client.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.socket.socket.shutdown(socket.SHUT_RD)
    client.socket.socket.close()


def bad_frame(client: RawPackets, _service: RunningService) -> None:
    """Send what is no batch."""
    client.socket.send(b"x")
    with pytest.raises(ConnectionClosed) as closed:
        client.receive(1)
    assert closed_code(closed) == 4010


@pytest.mark.parametrize("way", [close, reset, bad_frame])
@pytest.mark.parametrize("ends", ["session", "adapter"])
def test_every_way_to_go(rig: Rig, way: Any, ends: str) -> None:
    """The events tell it in order, and nothing is left of what was held."""
    service, guid = rig.service, lab(rig.service)
    with events(service) as stream:
        with joined(service, guid, f"ends={ends}&grace=0.2") as client:
            way(client, service)
            abandoned = wait_for(stream, "session.abandoned")
            assert abandoned["session"] == client.hello["session"]
            assert (abandoned["adapter"], abandoned["ends"]) == (guid, ends)
            assert abandoned["holders"] == 0
            ends_at = datetime.fromisoformat(abandoned["ends_at"])
            ended = wait_for(stream, "session.ended", "adapter.deleted")
            assert datetime.now(UTC) >= ends_at
        assert ended["reason"] == "Its last client left and none came back within 0.2 s."
        if ends == "adapter":
            assert wait_for(stream, "adapter.deleted")["guid"] == guid
            assert service.http.get("/v1/sessions").json() == []
    assert [one["guid"] for one in adapters(service)] == ([] if ends == "adapter" else [guid])


def test_a_client_that_is_killed(service: RunningService) -> None:
    """Kill -9 ends what it held like any other way to go."""
    guid = lab(service)
    url = f"ws://127.0.0.1:{service.port}/v1/adapters/{guid}/packets?ends=adapter&grace=0"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url, TOKEN], stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline()
        assert the_session(service)["holders"] == 1
        program.kill()
    until(lambda: adapters(service) == [])
    assert service.http.get("/v1/sessions").json() == []


@pytest.mark.parametrize("protocol", [BATCH, RAW, PCAPNG])
def test_a_token_that_ends(service: RunningService, protocol: str) -> None:
    """Revoked or expired, its holder is gone, and what it held ends without it."""
    for more in ({}, {"expires_in": 1}):
        guid = lab(service)
        made = service.http.post("/v1/tokens", json={"scopes": ["admin"], **more}).json()
        path = f"/v1/adapters/{guid}/packets?ends=adapter&grace=0"
        with open_websocket(service, path, protocol, token=made["token"]) as client:
            if not more:
                service.http.delete(f"/v1/tokens/{made['id']}")
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    client.recv(30)
            assert closed_code(closed) == 4001
        until(lambda: adapters(service) == [])


def test_a_sign_in_that_ends(service: RunningService) -> None:
    """A browser that signs out is gone too."""
    guid = lab(service)
    with service.browser() as browser:
        key = browser.headers["X-Wintun-Api-Key"]
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        offer = KEY + urlsafe_b64encode(key.encode()).decode().rstrip("=")
        headers = {"Cookie": cookie, "Origin": service.url}
        path = f"/v1/adapters/{guid}/packets?ends=adapter&grace=0"
        with open_websocket(service, path, BATCH, offer, token=None, headers=headers) as page:
            RawPackets(page)
            assert browser.post("/v1/sign-out").status_code == 204
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(30)
            assert closed_code(closed) == 4001
    until(lambda: adapters(service) == [])


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
def test_a_client_that_gives_up_during_the_handshake(tmp_path: Path, *, plain: bool) -> None:
    """The session that is started for it nevertheless ends, and the adapter goes."""
    library = EmulatedLibrary(Generation.POOL, Machine())
    with running(tmp_path, emulated_driver(library), plain=plain) as service:
        guid = lab(service)
        gate = library.hold_next("WintunStartSession")
        with socket.create_connection(("127.0.0.1", service.port), 30) as client:
            client.sendall(
                f"GET /v1/adapters/{guid}/packets?ends=adapter&grace=0 HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            assert gate.reached.wait(30)
        gate.set()
        until(lambda: adapters(service) == [])


@pytest.mark.parametrize("plain", [False, True], ids=["fast", "plain"])
def test_on_any_server(tmp_path: Path, *, plain: bool) -> None:
    """Another server's WebSockets hold, join and end as ours do."""
    with running(tmp_path, plain=plain) as service:
        guid = lab(service)
        with joined(service, guid) as first:
            assert first.hello["started"]
            with joined(service, guid) as second:
                assert the_session(service)["holders"] == 2
                second.socket.send(pack(Batch([ECHO])))
                first.receive(1)
        until(lambda: adapters(service) == [])


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The client is told before anything is started; a weaker wish needs no file."""
    state: dict[str, Any] = {"emulated_state": tmp_path / "machine.json"}
    with running(tmp_path, **state) as service:
        guid = lab(service)
        (service.settings.data_dir / "holds.json" / "full").mkdir(parents=True)
        path = f"/v1/adapters/{guid}/packets"
        refused(service, f"{path}?ends=adapter", 503, "storage-failed")
        assert service.http.get("/v1/sessions").json() == []
        with joined(service, guid, "ends=session&grace=0") as client:
            assert client.hello["started"]
            refused(service, f"{path}?ends=adapter", 503, "storage-failed")
            assert the_session(service)["holders"] == 1
        until(lambda: the_session(service)["state"] == "ended")
        assert len(adapters(service)) == 1


def test_two_holders(service: RunningService) -> None:
    """Nothing ends with the first one; what the stronger one asked for ends with the last one."""
    guid = lab(service)
    with joined(service, guid, "ends=session&grace=0") as weaker:
        with joined(service, guid, "ends=adapter&grace=0"):
            session = the_session(service)
            assert (session["holders"], session["ends"]) == (2, "adapter")
        until(lambda: the_session(service)["holders"] == 1)
        session = the_session(service)
        assert (session["state"], session["ends"]) == ("running", "adapter")
        weaker.socket.send(pack(Batch([ECHO])))
        weaker.receive(1)
    until(lambda: adapters(service) == [])


def test_a_client_that_comes_back(service: RunningService) -> None:
    """The same session goes on, its counters too, and the events tell it."""
    guid = lab(service)
    with events(service) as stream:
        with joined(service, guid, "ends=adapter&grace=60") as first:
            first.socket.send(pack(Batch([ECHO])))
            first.receive(1)
        abandoned = wait_for(stream, "session.abandoned")
        shown = the_session(service)
        assert (shown["holders"], shown["ends"]) == (0, "adapter")
        assert shown["ends_at"] == abandoned["ends_at"]
        with joined(service, guid, "ends=adapter&grace=60") as second:
            assert second.hello["session"] == first.hello["session"]
            assert not second.hello["started"]
            assert second.hello["next_sequence"]["received"] == 1
            rejoined = wait_for(stream, "session.rejoined")
            assert (rejoined["session"], rejoined["ends_at"]) == (shown["id"], None)
            assert the_session(service)["ends_at"] is None


def test_many_quick_reconnects(service: RunningService) -> None:
    """The session stays the same through all of them; then it ends once."""
    guid = lab(service)
    sessions = set()
    with events(service) as stream:
        for _ in range(50):
            with joined(service, guid, "ends=adapter&grace=30") as client:
                sessions.add(client.hello["session"])
        assert len(sessions) == 1
        with joined(service, guid, "ends=adapter&grace=0"):
            assert the_session(service)["holders"] >= 1
        service.http.delete(f"/v1/adapters/{guid}")
        wait_for(stream, "adapter.deleted")
        with joined(service, lab(service), "ends=adapter&grace=0"):
            pass
        wait_for(stream, "adapter.deleted")


def test_the_default_of_the_grace_period(tmp_path: Path) -> None:
    """It is the setting, and a client may ask for another time."""
    with running(tmp_path, grace_period=600) as service, events(service) as stream:
        guid = lab(service)
        for query, seconds in (("ends=session", 600), ("ends=session&grace=1200", 1200)):
            before = time.time()
            with joined(service, guid, query):
                pass
            at = datetime.fromisoformat(wait_for(stream, "session.abandoned")["ends_at"])
            assert before + seconds <= at.timestamp() <= time.time() + seconds
    assert Session.model_fields["ends"].default == "nothing"


@pytest.mark.parametrize("ends", ["session", "adapter"])
def test_a_session_that_is_deleted_under_its_clients(service: RunningService, ends: str) -> None:
    """They get 4009. An adapter goes after them, unless one comes back and starts a session."""
    guid = lab(service)
    with events(service) as stream:
        with joined(service, guid, f"ends={ends}&grace=30") as client:
            service.http.delete(f"/v1/sessions/{client.hello['session']}")
            with pytest.raises(ConnectionClosed) as closed:
                client.receive(1)
            assert closed_code(closed) == 4009
        if ends == "adapter":
            assert wait_for(stream, "session.abandoned")["ends"] == "adapter"
        with joined(service, guid, f"ends={ends}&grace=0") as again:
            assert again.hello["started"]
            assert again.hello["session"] != client.hello["session"]
            service.http.delete(f"/v1/adapters/{guid}")
        wait_for(stream, "adapter.deleted")
    assert adapters(service) == []


def test_an_adapter_that_is_made_again_is_not_held(service: RunningService) -> None:
    """It has the same GUID, but its clients are those of the deleted one."""
    guid = lab(service)
    with joined(service, guid, "ends=adapter&grace=0") as old:
        assert service.http.delete(f"/v1/adapters/{guid}").status_code == 200
        assert lab(service) == guid
        session = service.session({"guid": guid})
        old.socket.close()
    shown = the_session(service)
    assert shown["id"] == session["id"]
    assert (shown["holders"], shown["ends"]) == (0, "nothing")
    assert len(adapters(service)) == 1


@pytest.mark.parametrize("rig", [Generation.POOL], indirect=True)  # that of 0.14 cannot fail
def test_a_deletion_that_fails(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event operation.failed says why; it is tried again and succeeds."""
    monkeypatch.setattr(holds, "RETRIES", (0.0, 0.0))
    service, guid = rig.service, lab(rig.service)
    function = "WintunDeleteAdapter"
    rig.library.fail_next(function, 5)
    with events(service) as stream:
        with joined(service, guid):
            pass
        failed = wait_for(stream, "operation.failed")
        assert (failed["operation"], failed["adapter"]) == ("delete_adapter", guid)
        assert failed["problem"]["function"] == function
        wait_for(stream, "adapter.deleted")
    assert adapters(service) == []


def test_the_service_stops_and_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order it deletes nothing; after that its clients have one grace period to come back."""
    monkeypatch.setattr(holds, "RETURN", 0.3)
    state: dict[str, Any] = {"emulated_state": tmp_path / "machine.json"}
    with running(tmp_path, **state) as service:
        guid = lab(service)
        with joined(service, guid) as client:
            service.stop()
            with pytest.raises(ConnectionClosed) as closed:
                client.receive(1)
            assert closed_code(closed) == 1001
    file = tmp_path / "data" / "holds.json"
    assert json.loads(file.read_text()) == [{"adapter": guid, "grace": 0}]
    with running(tmp_path, **state) as service, joined(service, guid) as client:
        assert client.hello["started"]
        service.stop()
    with running(tmp_path, **state) as service, events(service):
        until(lambda: adapters(service) == [])
        until(lambda: json.loads(file.read_text()) == [])
    with running(tmp_path, **state) as service:
        assert adapters(service) == []


def test_a_broken_file_does_not_prevent_the_start(tmp_path: Path) -> None:
    """Nothing is deleted for it, and adapters can be held."""
    state: dict[str, Any] = {"emulated_state": tmp_path / "machine.json"}
    with running(tmp_path, **state) as service:
        guid = lab(service)
    file = tmp_path / "data" / "holds.json"
    write_private(file, "[{")
    with running(tmp_path, **state) as service:
        assert [one["guid"] for one in adapters(service)] == [guid]
        with joined(service, guid):
            assert json.loads(file.read_text()) == [{"adapter": guid, "grace": 0}]
        until(lambda: adapters(service) == [])
