"""The recorder of a session over REST, and its file as Wireshark reads it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.host import host_sends, numbers, start
from tests.api.scraping import scraped, value
from tests.capture import tshark
from tests.capture.capinfos import text_of
from tests.capture.samples import statistics
from tests.conftest import Rig
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.choices import EventType, Scope
from wintun_api.hub.recorders import MAX_READERS

MIB = 1 << 20


def path_of(session: str, query: str = "") -> str:
    return f"/v1/sessions/{session}/recorder{query}"


def switch_on(service: RunningService, session: str, **limits: Any) -> dict[str, Any]:
    """Switch the recorder on and return it."""
    answer = service.http.put(path_of(session), json=limits)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def recorded(rig: Rig, count: int, *, size: int = 100, **limits: Any) -> str:
    """Start a session whose recorder has the packets that the host sent."""
    session = start(rig, capacity=0x4000000)
    switch_on(rig.service, session, **limits)
    send(rig, session, count, size=size)
    return session


def send(rig: Rig, session: str, count: int, *, size: int = 100, first: int = 0) -> None:
    """Let the host send packets, and wait until the recorder has taken them."""
    before = state(rig.service, session)["recorded"]
    host_sends(rig, count, size, first)
    until(lambda: state(rig.service, session)["recorded"] == before + count)


def state(service: RunningService, session: str) -> dict[str, Any]:
    """Return the recorder."""
    return dict(service.http.get(path_of(session)).json())


def saved(service: RunningService, session: str, path: Path, query: str = "") -> Path:
    """Download the file."""
    answer = service.http.get(path_of(session, f".pcapng{query}"))
    assert answer.status_code == 200, answer.text
    assert pcapng.whole(answer.content) == len(answer.content)
    path.write_bytes(answer.content)
    return path


def test_it_is_off_at_first(service: RunningService, session: str) -> None:
    """Nothing is recorded unless a client asks for it, and each route says so."""
    assert service.http.get(f"/v1/sessions/{session}").json()["recorder"] is None
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", ".pcapng")):
        answer = service.http.request(method, path_of(session, path))
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:wintun-api:problem:recorder-not-found"


def test_it_is_switched_on_and_off(service: RunningService, session: str) -> None:
    """Limits have defaults, a second request changes them, and the session shows them."""
    recorder = switch_on(service, session)
    assert (recorder["seconds"], recorder["bytes"]) == (120, 64 * MIB)
    assert service.http.get(f"/v1/sessions/{session}").json()["recorder"]["seconds"] == 120
    assert switch_on(service, session, seconds=0.5, bytes=65_536)["bytes"] == 65_536
    assert service.http.delete(path_of(session)).json()["seconds"] == 0.5
    assert service.http.delete(path_of(session)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"seconds": 0},
        {"seconds": 86_401},
        {"seconds": "long"},
        {"bytes": 65_535},
        {"bytes": 2**32 + 1},
        {"bytes": 1e6 + 0.5},
        {"minutes": 2},
        {"seconds": "NaN"},
        [],
    ],
)
def test_limits_that_are_refused(service: RunningService, session: str, body: Any) -> None:
    """A body that is not understood changes nothing."""
    assert service.http.put(path_of(session), json=body).status_code == 422
    assert service.http.get(path_of(session)).status_code == 404


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("path", ["recorder", "/v1/captures", "/v1/tokens"])
def test_numbers_that_are_not_finite(
    service: RunningService, session: str, path: str, number: str
) -> None:
    """Python reads what JSON does not have; the answer says what is wrong with it."""
    member = {
        "recorder": ("PUT", path_of(session), "seconds", '{"seconds":%s}'),
        "/v1/captures": ("POST", path, "stop.seconds", '{"stop":{"seconds":%s}}'),
        "/v1/tokens": ("POST", path, "expires_in", '{"scopes":["read"],"expires_in":%s}'),
    }
    method, where, field, body = member[path]
    headers = {"Content-Type": "application/json"}
    answer = service.http.request(method, where, content=body % number, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": field, "message": "Input should be a finite number"}
    ]


def test_recorders_share_a_limit(service: RunningService, session: str) -> None:
    """More than all may use together is refused, and the problem says what to do."""
    answer = service.http.put(path_of(session), json={"bytes": 2**30 + 1})
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:wintun-api:problem:recorders-full"
    assert "fewer bytes" in answer.json()["hint"]


def test_scopes(service: RunningService, session: str) -> None:
    """Its state needs `read`, its packets need `capture`, and switching needs `admin`."""
    switch_on(service, session)
    needed = {
        ("GET", ""): Scope.READ,
        ("GET", ".pcapng"): Scope.CAPTURE,
        ("PUT", ""): Scope.ADMIN,
        ("DELETE", ""): Scope.ADMIN,
    }
    for scope in (Scope.READ, Scope.CAPTURE):
        with service.client(service.token(scope)) as client:
            for (method, path), need in needed.items():
                if need is Scope.READ:
                    continue  # what other scopes imply is of tests.api.test_access
                answer = client.request(method, path_of(session, path), json={})
                assert answer.status_code == (200 if need is scope else 403)


@tshark.needs_tshark
def test_wireshark_reads_what_the_service_counts(rig: Rig, tmp_path: Path) -> None:
    """Count, bytes, times, interface and contents are those of the recorder."""
    began = time.time_ns()
    session = recorded(rig, 500)
    with rig.service.packets(session, direction="none") as sender:
        sender.put([ECHO] * 3)
    until(lambda: state(rig.service, session)["packets"] == 506)
    now = state(rig.service, session)
    path = saved(rig.service, session, tmp_path / "all.pcapng")
    frames = tshark.read(path)
    assert len(frames) == now["packets"]
    assert {frame.interface for frame in frames} == {"OfficeNet"}
    assert sum(frame.direction == "inbound" for frame in frames) == 3
    assert numbers(tshark.contents(path)[:500]) == list(range(500))
    times = [frame.time_ns for frame in frames]
    assert began <= times[0] <= times[-1] <= time.time_ns()
    assert times == sorted(times)
    for name, at in (("oldest", times[0]), ("newest", times[-1])):
        shown = datetime.fromisoformat(now[name])
        assert abs(shown.timestamp() * 10**9 - at) < 2000
    assert statistics(path.read_bytes()) == (len(frames), 0)
    told = text_of(path, options=("-M", "-c", "-d"))
    assert f"Number of packets:   {len(frames)}\n" in told
    assert f"Data size:           {sum(frame.length for frame in frames)} bytes\n" in told


@tshark.needs_tshark
def test_a_time_is_exact(rig: Rig, tmp_path: Path) -> None:
    """`since` and `until` cut between two packets, to the nanosecond."""
    session = start(rig, capacity=0x4000000)
    switch_on(rig.service, session)
    for first in range(0, 50, 10):
        send(rig, session, 10, first=first)
    times = [
        frame.time_ns for frame in tshark.read(saved(rig.service, session, tmp_path / "a.pcapng"))
    ]
    since, until_ = times[13], times[37]
    query = f"?since={rfc3339(since)}&until={rfc3339(until_)}"
    part = tshark.read(saved(rig.service, session, tmp_path / "b.pcapng", query))
    assert [frame.time_ns for frame in part] == [at for at in times if since <= at <= until_]
    assert 0 < len(part) < 50


def rfc3339(time_ns: int) -> str:
    """Return a time with all of its nanoseconds."""
    whole = datetime.fromtimestamp(time_ns // 10**9, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09}Z"


def test_a_time_before_now(rig: Rig, tmp_path: Path) -> None:
    """Everything is within the last hour, and nothing was before the hour before."""
    session = recorded(rig, 20)
    for query, count in (("?since=-1h", 20), ("?until=-1h", 0), ("?since=-2h&until=-1h", 0)):
        file = saved(rig.service, session, tmp_path / "a.pcapng", query).read_bytes()
        assert statistics(file) == (count, 0)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?since=yesterday", "since"),
        ("?until=30s", "until"),
        ("?since=-1m&until=-2m", "until"),
        ("?since=2026-11-29T10:15:00+01:00", "%2B"),
        ("?since=" + "9" * 100, "since"),
        ("?direction=none", "direction"),
    ],
)
def test_what_is_not_a_time(service: RunningService, session: str, query: str, named: str) -> None:
    """The problem names the parameter and shows how it is written."""
    switch_on(service, session)
    answer = service.http.get(path_of(session, f".pcapng{query}"))
    assert answer.status_code == 422
    assert named in answer.text


@tshark.needs_tshark
@pytest.mark.parametrize(("direction", "count"), [("received", 20), ("injected", 1), ("both", 21)])
def test_a_direction(rig: Rig, tmp_path: Path, direction: str, count: int) -> None:
    """The recorder has both, and the file has what was asked for."""
    session = recorded(rig, 20)
    with rig.service.packets(session, direction="none") as sender:
        sender.put(bytes([0x45]) + bytes(40))
    until(lambda: state(rig.service, session)["packets"] == 21)
    path = saved(rig.service, session, tmp_path / "a.pcapng", f"?direction={direction}")
    assert len(tshark.read(path)) == count


def test_it_records_while_it_is_read(rig: Rig) -> None:
    """A reader that waits gets what was there, and the recorder takes what comes meanwhile."""
    session = recorded(rig, 6000, size=1400)
    with (
        rig.service.client(TOKEN) as client,
        client.stream("GET", path_of(session, ".pcapng")) as answer,
    ):
        name = f'attachment; filename="{session}-recorder.pcapng"'
        assert answer.headers["content-disposition"] == name
        parts = answer.iter_raw()
        file = next(parts)
        send(rig, session, 100)
        file += b"".join(parts)
    assert statistics(file) == (6000, 0)
    assert state(rig.service, session)["packets"] == 6100


@contextmanager
def stalled(service: RunningService, session: str) -> Iterator[socket.socket]:
    """Ask for the file and read nothing but the beginning of the answer."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        request = f"GET {path_of(session, '.pcapng')} HTTP/1.1\r\nHost: localhost\r\n"
        client.sendall(f"{request}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        client.settimeout(30)
        assert client.recv(12) == b"HTTP/1.1 200"
        yield client


def test_the_number_of_readers(rig: Rig) -> None:
    """Clients that do not read hold a bounded number of places, and give them back."""
    service = rig.service
    session = recorded(rig, 9000, size=1400)
    with ExitStack() as readers:
        for _ in range(MAX_READERS):
            readers.enter_context(stalled(service, session))
        answer = service.http.get(path_of(session, ".pcapng"))
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:wintun-api:problem:too-many-readers"
        assert "wintun_api_recorder_readers 4.0" in service.http.get("/metrics").text
    until(lambda: service.http.get(path_of(session, ".pcapng?until=-1h")).status_code == 200)


def test_head_takes_no_place(rig: Rig) -> None:
    """HEAD answers with the headers of GET, and leaves nothing behind."""
    session = recorded(rig, 10)
    for _ in range(MAX_READERS + 1):
        answer = rig.service.http.head(path_of(session, ".pcapng"))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == pcapng.MEDIA_TYPE
    assert rig.service.http.get(path_of(session, ".pcapng")).status_code == 200


def test_a_token_that_ends(rig: Rig) -> None:
    """Its download ends as a whole file, whose statistics say how much is missing."""
    service = rig.service
    session = recorded(rig, 9000, size=1400)
    issued = service.api.create_token([Scope.CAPTURE])
    with (
        service.client(issued.token) as client,
        client.stream("GET", path_of(session, ".pcapng")) as answer,
    ):
        parts = answer.iter_raw()
        file = next(parts)
        service.api.revoke_token(issued.id)
        file += b"".join(parts)
    assert pcapng.whole(file) == len(file)
    received, dropped = statistics(file)
    assert received == 9000
    assert 0 < dropped < 9000


def test_the_service_stops(rig: Rig) -> None:
    """A download does not hold it up, and ends likewise."""
    session = recorded(rig, 9000, size=1400)
    service = rig.service
    with (
        httpx.Client(base_url=service.url, headers=service.http.headers, timeout=30) as client,
        client.stream("GET", path_of(session, ".pcapng")) as answer,
    ):
        parts = answer.iter_raw()
        file = next(parts)
        stop = threading.Thread(target=service.stop)
        stop.start()
        file += b"".join(parts)
        stop.join(30)
    assert pcapng.whole(file) == len(file)
    assert statistics(file)[0] == 9000


def test_it_stays_after_the_session_has_ended(rig: Rig, tmp_path: Path) -> None:
    """What led to the end can be read afterwards, until the session is deleted."""
    service = rig.service
    session = recorded(rig, 20)
    rig.library.machine.remove("OfficeNet")
    until(lambda: service.http.get(f"/v1/sessions/{session}").json()["state"] == "ended")
    file = saved(service, session, tmp_path / "a.pcapng").read_bytes()
    assert statistics(file) == (20, 0)
    assert b"OfficeNet" in file
    answer = service.http.put(path_of(session), json={})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "session-ended")
    assert service.http.delete(f"/v1/sessions/{session}").json()["recorder"]["packets"] == 20
    assert service.http.get(path_of(session, ".pcapng")).status_code == 404


def test_metrics(rig: Rig) -> None:
    """They say what each recorder took, dropped and has, and what all of them may use."""
    session = recorded(rig, 20, bytes=MIB)
    samples = scraped(rig.service.http)
    fates = {
        fate: value(samples, "recorder_packets_total", session=session, fate=fate)
        for fate in ("recorded", "expired", "displaced")
    }
    assert fates == {"recorded": 20, "expired": 0, "displaced": 0}
    assert value(samples, "recorder_kept_packets", session=session) == 20
    assert 20 * 100 < value(samples, "recorder_kept_bytes", session=session) < MIB
    assert value(samples, "recorder_reserved_bytes") == MIB
    assert value(samples, "recorder_limit_bytes") == 2**30
    assert value(samples, "subscribers", session=session) == 0


def test_events_and_audit(service: RunningService, session: str) -> None:
    """Each change is an event with the recorder, and an audit that says what was set."""
    seen: list[tuple[str, Any]] = []
    with open_websocket(service, "/v1/events") as events:
        events.recv(30)  # which events there are
        switch_on(service, session, seconds=30, bytes=MIB)
        service.http.delete(path_of(session))
        while len([kind for kind, _ in seen if kind == "audit.change"]) < 2:
            event = json.loads(events.recv(30))
            seen.append((event["type"], event["data"]))
    told = dict(seen)
    assert told[EventType.RECORDER_SET]["bytes"] == MIB
    assert told[EventType.RECORDER_REMOVED]["session"] == session
    assert told[EventType.RECORDER_REMOVED]["reason"] == "request"
    subjects = [data["subject"] for kind, data in seen if kind == "audit.change"]
    assert subjects[0] == f"recorder of session {session}: the last 30 s and {MIB} bytes"
