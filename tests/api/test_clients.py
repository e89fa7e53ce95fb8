"""Who is connected, and how an administrator ends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.host import closed_code
from tests.api.live import live
from tests.raw_websocket import open_websocket
from tests.running import RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.choices import Scope
from wintun_api.wire import BATCH, PCAPNG, RAW, Batch, pack

PATH = "/v1/clients"
LOGGER = "wintun_api.audit"
KINDS = {BATCH: "packets", RAW: "packets", PCAPNG: "capture", "events": "events"}


def listed(service: RunningService) -> list[dict[str, Any]]:
    answer = service.http.get(PATH)
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()
    return rows


def the_one(service: RunningService) -> dict[str, Any]:
    until(lambda: len(listed(service)) == 1)
    return listed(service)[0]


def path_of(session: str, kind: str) -> str:
    return "/v1/events" if kind == "events" else f"/v1/sessions/{session}/packets"


@pytest.mark.parametrize("kind", KINDS)
def test_a_socket_is_there_while_it_is_open(
    service: RunningService, session: str, kind: str
) -> None:
    """Each kind of socket is listed with its token, its address and what it belongs to."""
    secret = service.http.post(
        "/v1/tokens", json={"scopes": ["read", "capture"], "label": "monitor"}
    ).json()
    offers = [] if kind == "events" else [kind]
    with open_websocket(service, path_of(session, kind), *offers, token=secret["token"]):
        client = the_one(service)
        assert client["kind"] == KINDS[kind]
        assert (client["token"], client["token_label"]) == (secret["id"], "monitor")
        assert client["scopes"] == ["capture", "read"]
        assert client["address"] == "127.0.0.1"
        assert not client["own"]
        assert not client["browser"]
        assert client["session"] == (None if kind == "events" else session)
        assert client["adapter_name"] == (None if kind == "events" else "OfficeNet")
        assert client["subprotocol"] == (None if kind == "events" else kind)
    until(lambda: not listed(service))


def test_streams_over_http_are_there(service: RunningService, session: str) -> None:
    """A capture and server-sent events over HTTP are clients too."""
    with live(service, path=f"/v1/sessions/{session}/capture.pcapng"):
        assert the_one(service)["kind"] == "capture"
    with service.http.stream("GET", "/v1/events") as stream:
        lines = stream.iter_lines()  # a stream whose iterator is gone is closed
        next(lines)
        until(lambda: [one["kind"] for one in listed(service)] == ["sse"])


def test_a_client_knows_its_own_id(service: RunningService, session: str) -> None:
    """The first message of packets and of events names the id in the list."""
    with open_websocket(service, path_of(session, BATCH), BATCH) as socket:
        assert json.loads(socket.recv(30))["client"] == the_one(service)["id"]
    until(lambda: not listed(service))
    with open_websocket(service, "/v1/events") as socket:
        assert json.loads(socket.recv(30))["client"] == the_one(service)["id"]
        assert the_one(service)["own"]


@pytest.mark.parametrize("kind", [BATCH, RAW])
def test_counts_of_what_a_client_sent(service: RunningService, session: str, kind: str) -> None:
    """Accepted and rejected packets of a client are counted, with acks or without."""
    with open_websocket(service, path_of(session, kind), kind) as socket:
        for packet in (ECHO, ECHO, b"\x45"):
            batch = Batch((packet,), injected=True, time_ns=0, sequence=0)
            socket.send(pack(batch) if kind == BATCH else packet)
        until(lambda: the_one(service)["injected"] == 2)
        assert the_one(service)["lost"] == {"rejected_too_short": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_disconnected_socket_is_closed_with_4002(
    service: RunningService, session: str, kind: str
) -> None:
    """The reason says who did it; the client is gone from the list at once."""
    offers = [] if kind == "events" else [kind]
    with open_websocket(service, path_of(session, kind), *offers) as socket:
        path = f"{PATH}/{the_one(service)['id']}"
        assert service.http.delete(path).status_code == 204
        assert listed(service) == []
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(30)
        assert closed_code(closed) == 4002
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.reason == (
            "An administrator disconnected this client with the admin token."
        )
        assert service.http.delete(path).json()["type"].endswith(":not-found")


def test_a_disconnected_answer_ends(service: RunningService, session: str) -> None:
    """Streams over HTTP end in order: a capture is a whole file."""
    with live(service, path=f"/v1/sessions/{session}/capture.pcapng") as capture:
        service.http.delete(f"{PATH}/{the_one(service)['id']}")
        assert capture.rest()


def test_the_token_stays_valid(service: RunningService, session: str) -> None:
    """A client that was disconnected can connect again."""
    path = path_of(session, BATCH)
    with open_websocket(service, path, BATCH):
        service.http.delete(f"{PATH}/{the_one(service)['id']}")
    with open_websocket(service, path, BATCH) as socket:
        assert json.loads(socket.recv(30))["type"] == "hello"


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CAPTURE, Scope.INJECT, Scope.METRICS])
def test_it_needs_the_scope_admin(service: RunningService, scope: Scope) -> None:
    """The list has addresses and names of tokens, so lesser scopes get neither it nor the end."""
    with service.client(service.token(scope)) as http:
        assert http.get(PATH).status_code == 403
        assert http.delete(f"{PATH}/any").status_code == 403


def test_it_is_in_the_audit_log(
    service: RunningService, session: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The line says who ended which stream of which token."""
    with open_websocket(service, path_of(session, BATCH), BATCH):
        client = the_one(service)["id"]
        with caplog.at_level("INFO", LOGGER):
            service.http.delete(f"{PATH}/{client}")
    said: Callable[[], list[str]] = lambda: [  # noqa: E731
        one for one in caplog.messages if "disconnect_client" in one
    ]
    until(lambda: bool(said()))
    assert f"packets stream of token admin and session {session}" in said()[0]


def test_a_long_user_agent_is_cut(service: RunningService) -> None:
    """What a client says of itself takes no more memory than 256 characters."""
    headers = {"User-Agent": "x" * 4000}
    with service.http.stream("GET", "/v1/events", headers=headers) as stream:
        lines = stream.iter_lines()  # a stream whose iterator is gone is closed
        next(lines)
        assert the_one(service)["user_agent"] == "x" * 256
