"""Injection with one request."""

from __future__ import annotations

import pytest

from tests.answers import problem
from tests.conftest import Rig
from tests.running import RunningService
from tests.samples import BAD_FRAMES, ECHO
from wintun_api.wire import Batch, pack

PACKET = "application/octet-stream"
BATCH = "application/vnd.wintun-api.batch"


@pytest.fixture
def path(service: RunningService) -> str:
    """The packets of a session."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return f"/v1/sessions/{service.session(adapter)['id']}/packets"


def test_one_packet(service: RunningService, path: str) -> None:
    """A packet that curl posts is sent, and the host answers it."""
    answer = service.http.post(path, content=ECHO, headers={"Content-Type": PACKET})
    assert answer.json() == {"accepted": 1, "rejected": {}, "ring_full": 0, "refused": {}}
    counters = service.counters(path.split("/")[3])
    assert counters["injected"] == {"packets": 1, "bytes": len(ECHO)}


def test_batches(service: RunningService, path: str) -> None:
    """A bad packet in a batch costs only itself."""
    body = pack(Batch([ECHO, b"", bytes(20), ECHO])) + pack(Batch([b"\x60" + bytes(38)]))
    answer = service.http.post(path, content=body, headers={"Content-Type": BATCH})
    rejected = {"too_short": 2, "bad_version": 1}
    assert answer.json() == {"accepted": 2, "rejected": rejected, "ring_full": 0, "refused": {}}
    assert service.counters(path.split("/")[3])["lost"]["rejected"] == rejected


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "too_short"),
        (b"\x45" * 19, "too_short"),
        (b"\x60" + bytes(38), "too_short"),
        (b"\x45" + bytes(65535), "too_long"),
        (b"\x55" * 20, "bad_version"),
        (bytes(1500), "bad_version"),
    ],
    ids=["0", "19", "39 of v6", "65536", "version 5", "zeros"],
)
def test_bad_packets(service: RunningService, path: str, packet: bytes, reason: str) -> None:
    """What is no IP packet is refused by name and reaches no driver."""
    answer = service.http.post(path, content=packet, headers={"Content-Type": PACKET})
    assert problem(answer, 422, "invalid-packet")["reason"] == reason
    assert service.counters(path.split("/")[3])["injected"]["packets"] == 0


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_bad_frames(service: RunningService, path: str, frame: bytes) -> None:
    """A truncated, oversized or lying header refuses the whole message."""
    answer = service.http.post(path, content=frame, headers={"Content-Type": BATCH})
    problem(answer, 422, "bad-frame")
    assert service.counters(path.split("/")[3])["injected"]["packets"] == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_other_types(service: RunningService, path: str, kind: str) -> None:
    """Packets come as one of two types."""
    answer = service.http.post(path, content=ECHO, headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_session(service: RunningService) -> None:
    """There must be a session."""
    answer = service.http.post(
        "/v1/sessions/none/packets", content=ECHO, headers={"Content-Type": PACKET}
    )
    problem(answer, 404, "session-not-found")


def test_a_full_ring_is_counted(rig: Rig) -> None:
    """What finds no room is dropped, reported and counted; nothing fails."""
    service = rig.service
    session = service.session(service.adapter(name="OfficeNet"), capacity=0x20000)
    path = f"/v1/sessions/{session['id']}/packets"
    rig.library.hold_consumer("OfficeNet")
    large = b"\x45" + bytes(9995)  # 10,000 bytes with its length field
    fitting = (0x20000 - 4) // 10_000
    body = pack(Batch([large] * 20))
    answer = service.http.post(path, content=body, headers={"Content-Type": BATCH})
    assert answer.json() == {
        "accepted": fitting,
        "rejected": {},
        "ring_full": 20 - fitting,
        "refused": {},
    }
    assert service.counters(session["id"])["lost"]["ring_full"] == 20 - fitting
    rig.library.release_consumer("OfficeNet")
    answer = service.http.post(path, content=body, headers={"Content-Type": BATCH})
    assert answer.json()["accepted"] > 0
