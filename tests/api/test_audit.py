"""Every change leaves a line in the log and an event: who, from where, what, and the result."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from tests.api.raw import ask, upgrade
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from wintun_api.api.audit import MAX_ATTEMPTS, Watch
from wintun_api.choices import Scope
from wintun_api.hub.audit import MAX_TEXT, clean

LOGGER = "wintun_api.audit"


class Trail:
    """What the service has told of changes: its events, and its log lines."""

    def __init__(self, service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
        self._service = service
        self._caplog = caplog
        self._since = service.service.context.registry.events.last_id

    def take(self) -> list[dict[str, Any]]:
        """Return the events since the last call; the log lines tell the same."""
        last = self._service.service.context.registry.events.last_id
        found: list[dict[str, Any]] = []
        with open_websocket(self._service, f"/v1/events?since={self._since}") as socket:
            while self._since < last:
                event = json.loads(socket.recv(30))
                self._since = event["id"]
                if event["type"] == "audit.change":
                    found.append(event["data"])
        lines = [one.getMessage() for one in self._caplog.records if one.name == LOGGER]
        self._caplog.clear()
        assert len(lines) == len(found)
        for line, data in zip(lines, found, strict=True):
            assert line.startswith(f"{data['operation']} ({data['method']} {data['path']}) by")
            assert f" by token {data['who']}" in line
            assert f" from {data['client']}: {data['status']}" in line
            assert line.isprintable()
            assert len(line) < 5 * MAX_TEXT
        return found


@pytest.fixture
def trail(service: RunningService, caplog: pytest.LogCaptureFixture) -> Trail:
    """The audit of the service, from now on."""
    caplog.set_level(logging.INFO, LOGGER)
    return Trail(service, caplog)


def test_changes(service: RunningService, trail: Trail) -> None:
    """An adapter's life, with the ids in the paths."""
    guid = service.adapter(name="Audited")["guid"]
    session = service.session({"guid": guid})["id"]
    service.http.patch(f"/v1/adapters/{guid}", json={"name": "Other"})
    service.http.delete(f"/v1/sessions/{session}")
    service.http.delete(f"/v1/adapters/{guid}")
    found = trail.take()
    assert [(one["operation"], one["method"], one["path"], one["status"]) for one in found] == [
        ("create_adapter", "POST", "/v1/adapters", 201),
        ("start_session", "POST", "/v1/sessions", 201),
        ("update_adapter", "PATCH", f"/v1/adapters/{guid}", 200),
        ("end_session", "DELETE", f"/v1/sessions/{session}", 200),
        ("delete_adapter", "DELETE", f"/v1/adapters/{guid}", 200),
    ]
    assert [one["subject"] for one in found] == [
        f"adapter {guid}",
        f"session {session} of adapter {guid}",
        None,
        None,
        None,
    ]
    for one in found:
        assert (one["who"], one["label"], one["browser"]) == ("admin", "", False)
        assert (one["client"], one["count"]) == ("127.0.0.1", 1)


def test_requests_that_change_nothing_are_not_recorded(
    service: RunningService, trail: Trail
) -> None:
    """Reading, injecting packets, streams, and requests without a token leave nothing."""
    session = service.session(service.adapter(name="Quiet"))["id"]
    trail.take()
    for path in ("/v1/adapters", f"/v1/sessions/{session}", "/", "/metrics", "/v1/nope"):
        service.http.get(path)
        service.http.head(path)
    kind = {"Content-Type": "application/octet-stream"}
    service.http.post(f"/v1/sessions/{session}/packets", content=b"x", headers=kind)
    upgrade(service, f"/v1/sessions/{session}/packets")
    for token in (None, "wrong"):
        ask(service, "DELETE /v1/driver", token=token)
        upgrade(service, "/v1/events", token=token)
    service.http.post("/v1/sign-out")  # of nobody: this client is not a browser
    assert trail.take() == []


def test_failed_changes(service: RunningService, trail: Trail) -> None:
    """What was tried and did not work is told with its result."""
    service.http.post("/v1/adapters", json={"name": ""})
    service.http.delete("/v1/sessions/none")
    service.http.post("/v1/adapters", content=b"x" * 10)
    found = [(one["operation"], one["status"]) for one in trail.take()]
    assert found == [("create_adapter", 422), ("end_session", 404)]


def test_tokens_and_their_labels(service: RunningService, trail: Trail) -> None:
    """Who it was is told with the label, also when a token revokes itself."""
    issued = service.http.post("/v1/tokens", json={"scopes": ["admin"], "label": "ci"}).json()
    with service.client(issued["token"]) as http:
        assert http.delete(f"/v1/tokens/{issued['id']}").status_code == 204
    made, revoked = trail.take()
    assert (made["operation"], made["who"]) == ("create_token", "admin")
    assert made["subject"] == f"token {issued['id']} (admin)"
    assert (revoked["operation"], revoked["who"]) == ("revoke_token", issued["id"])
    assert revoked["label"] == "ci"
    assert revoked["path"] == f"/v1/tokens/{issued['id']}"


def test_a_browser(service: RunningService, trail: Trail) -> None:
    """Sign-in and sign-out are told, and what came between is known to come from a browser."""
    with service.browser() as http:
        assert http.post("/v1/adapters", json={"name": "Browsed"}).status_code == 201
        assert http.post("/v1/sign-out").status_code == 204
    found = trail.take()
    assert [(one["operation"], one["browser"], one["status"]) for one in found] == [
        ("sign_in", True, 303),
        ("create_adapter", True, 201),
        ("sign_out", True, 204),
    ]


def test_a_sign_in_of_a_page_that_stays(service: RunningService, trail: Trail) -> None:
    """It is told as any other."""
    service.http.post("/sign-in")
    (found,) = trail.take()
    assert (found["operation"], found["browser"], found["status"]) == ("sign_in", True, 200)


def test_refused_attempts(service: RunningService, trail: Trail) -> None:
    """A known token that asks for what it may not do is told, HTTP or WebSocket, read or write."""
    reader = service.http.post("/v1/tokens", json={"scopes": ["metrics"], "label": "m"}).json()
    trail.take()
    ask(service, "POST /v1/adapters", token=reader["token"])
    ask(service, "GET /v1/tokens", token=reader["token"])
    upgrade(service, "/v1/events", token=reader["token"])
    ask(service, "DELETE /v1/nope", token=reader["token"])
    ask(service, "PUT /v1/adapters", token=reader["token"])
    found = trail.take()
    assert [(one["operation"], one["method"], one["path"], one["status"]) for one in found] == [
        ("create_adapter", "POST", "/v1/adapters", 403),
        ("list_tokens", "GET", "/v1/tokens", 403),
        ("stream_events", "WEBSOCKET", "/v1/events", 403),
        ("unknown", "DELETE", "(unknown path)", 404),
        ("unknown", "PUT", "(unknown path)", 405),
    ]
    assert {one["who"] for one in found} == {reader["id"]}
    assert {one["label"] for one in found} == {"m"}


def test_many_attempts_are_few_entries(
    service: RunningService, trail: Trail, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that keeps trying fills neither log nor events; the number is told in the end."""
    token, other = service.token(Scope.READ), service.token(Scope.READ)
    trail.take()
    with service.client(token) as http:
        for _ in range(100):
            assert http.delete("/v1/driver").status_code == 403
    assert len(trail.take()) == MAX_ATTEMPTS
    ask(service, "DELETE /v1/driver", token=other)
    assert len(trail.take()) == 1
    service.stop()
    (last,) = [one.getMessage() for one in caplog.records if one.name == LOGGER]
    assert f"403, {100 - MAX_ATTEMPTS} times" in last


def test_many_sign_ins_are_few_entries(service: RunningService, trail: Trail) -> None:
    """The same for a token that keeps signing in."""
    token = service.token(Scope.METRICS)
    trail.take()
    for _ in range(3 * MAX_ATTEMPTS):
        assert ask(service, f"GET /?token={token}", token=None)[0] == 303
    assert len(trail.take()) == MAX_ATTEMPTS


def test_many_changes_are_all_told(service: RunningService, trail: Trail) -> None:
    """What really changes something is told each time."""
    for _ in range(3 * MAX_ATTEMPTS):
        service.token(Scope.READ)
    assert len(trail.take()) == 3 * MAX_ATTEMPTS


@pytest.mark.parametrize(
    "name",
    ["x" * 60_000, "a%0Ab%0D%0AWARNING forged", "%E2%80%AEabc", "%00%1B[31m", "%FF%FE", "{guid}"],
)
def test_any_path_is_one_short_line(service: RunningService, trail: Trail, name: str) -> None:
    """Nobody writes into the log what they like, nor as much as they like."""
    target = name.replace(" ", "%20")
    for path in (f"/v1/sessions/{target}", f"/v1/tokens/{target}", f"/v1/{target}/x", f"/{target}"):
        ask(service, f"DELETE {path}")
    for one in trail.take():
        assert one["path"].isprintable()
        assert len(one["path"]) <= MAX_TEXT
        assert "forged" not in one["path"] or one["path"].startswith("/v1/")


def test_any_label_is_one_short_line(service: RunningService, trail: Trail) -> None:
    """A label of an earlier version may be any text, and stays one word of one line."""
    label = "a\nERROR forged\x1b[31m\u202e" + "b" * 60
    issuing = service.tokens.issue([Scope.READ], label)
    token, _ = asyncio.run_coroutine_threadsafe(issuing, service.loop).result(30)
    trail.take()
    ask(service, "DELETE /v1/driver", token=token)
    (found,) = trail.take()
    assert found["label"].isprintable()


def test_no_secret_is_told(service: RunningService, trail: Trail) -> None:
    """A token that somebody puts into a path, a query or a body is in no entry."""
    secret = service.token(Scope.READ)
    parts = (secret, secret + "x", "x" + secret, secret + "%0A", TOKEN)
    for part in parts:
        for path in ("/v1/tokens/", "/v1/sessions/", "/v1/adapters/", "/v1/nope/"):
            ask(service, f"DELETE {path}{part}")
            ask(service, f"DELETE {path}x?token={part}")
            ask(service, f"DELETE {path}{part}", token=secret)
    text = json.dumps(trail.take())
    assert secret not in text
    assert TOKEN not in text


def test_no_answer_without_an_entry(service: RunningService, trail: Trail) -> None:
    """When a client has its answer, the entry is there already."""
    for _ in range(20):
        service.http.delete("/v1/sessions/none")
        assert len(trail.take()) == 1


def test_a_request_without_an_answer() -> None:
    """A change that was cut off before it was answered is told at its end, and only once."""
    told: list[int | None] = []

    async def send(_message: object) -> None:
        return None

    cut_off, answered = Watch(send, told.append), Watch(send, told.append)
    cut_off.close()
    cut_off.close()
    asyncio.run(answered.send({"type": "http.response.start", "status": 201}))
    answered.close()
    assert told == [None, 201]


def test_clean() -> None:
    """A text is cut and made printable; what is short and printable stays."""
    assert clean("OfficeNet é") == "OfficeNet é"
    assert clean("a\nb\x00\x85\u2028\u202e") == "a?b????"
    assert len(clean("x" * 10**6)) == MAX_TEXT
