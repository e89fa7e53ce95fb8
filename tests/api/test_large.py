"""api.large: thousands of routes are checked and written beside the event loop."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.raw_websocket import open_websocket
from tests.running import RunningService
from wintun_api.limits import MAX_ROUTES

ROUTES = [
    {"destination": f"20.{n >> 8}.{n & 255}.0/24", "next_hop": None, "metric": 0}
    for n in range(10_000)
]
SHARE = 0.5  # of the processor time, at most; where the event loop does all of it, it is above 0.8


class Spent:
    """What the event loop's thread has used of the processor time of the whole process."""

    share = 0.0


@contextmanager
def loop_time(service: RunningService) -> Iterator[Spent]:
    """Measure how much of the work the event loop does, however slow or busy the machine is."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such clock")
    else:
        identity = service.thread.ident
        assert identity is not None
        clock = time.pthread_getcpuclockid(identity)
        spent, before, all_before = Spent(), time.clock_gettime(clock), time.process_time()
        yield spent
        spent.share = (time.clock_gettime(clock) - before) / (time.process_time() - all_before)


@pytest.fixture
def path(service: RunningService) -> str:
    """An adapter's path."""
    return f"/v1/adapters/{service.adapter(name='large')['guid']}"


def test_a_request(service: RunningService, path: str) -> None:
    """A change with 10,000 routes, and the answer to it."""
    with loop_time(service) as spent:
        answer = service.http.patch(path, json={"routes": ROUTES})
    assert answer.status_code == 200
    assert answer.json()["routes"] == ROUTES
    assert answer.headers["content-type"] == "application/json"
    assert spent.share < SHARE


def test_a_new_adapter(service: RunningService) -> None:
    """The same when it is created; the answer says where it is."""
    with loop_time(service) as spent:
        answer = service.http.post("/v1/adapters", json={"name": "new", "routes": ROUTES})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/adapters/{answer.json()['guid']}"
    assert spent.share < SHARE


@pytest.mark.parametrize(
    ("routes", "where"),
    [
        ([*ROUTES[1:], {"destination": "10.0.0.1/8"}], "routes.9999.destination: "),
        ([*ROUTES, ROUTES[0]], "20.0.0.0/24 is listed twice"),
        (ROUTES * 2, str(MAX_ROUTES)),
    ],
    ids=["one bad", "one twice", "too many"],
)
def test_a_request_to_refuse(
    service: RunningService, path: str, routes: list[Any], where: str
) -> None:
    """What is wrong is named as in a small request."""
    with loop_time(service) as spent:
        answer = service.http.patch(path, json={"routes": routes})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in answer.json()["detail"]
    assert spent.share < SHARE
    assert service.http.get(path).json()["routes"] == []


def test_no_json(service: RunningService, path: str) -> None:
    """A large body that is no JSON is refused as a small one is."""
    headers = {"content-type": "application/json"}
    small, large = (
        service.http.patch(path, content=b"{" + b" " * size, headers=headers)
        for size in (10, 100_000)
    )
    assert small.status_code == large.status_code
    assert small.json()["type"] == large.json()["type"]


def test_reading(service: RunningService, path: str) -> None:
    """One adapter, the list, and the snapshot of the events."""
    service.http.patch(path, json={"routes": ROUTES})
    with loop_time(service) as spent:
        assert service.http.get(path).json()["routes"] == ROUTES
    assert spent.share < SHARE
    with loop_time(service) as spent:
        (one,) = service.http.get("/v1/adapters").json()
    assert one["routes"] == ROUTES
    assert spent.share < SHARE
    with loop_time(service) as spent, open_websocket(service, "/v1/events") as socket:
        first = json.loads(socket.recv(timeout=20))
    assert first["adapters"][0]["routes"] == ROUTES
    assert spent.share < SHARE


def test_an_event(service: RunningService, path: str) -> None:
    """Each of several readers of events gets all of it."""
    with (
        open_websocket(service, "/v1/events") as one,
        open_websocket(service, "/v1/events") as other,
    ):
        for socket in (one, other):
            socket.recv(timeout=20)
        with loop_time(service) as spent:
            service.http.patch(path, json={"routes": ROUTES})
            for socket in (one, other):
                while (event := json.loads(socket.recv(timeout=20)))["type"] != "adapter.changed":
                    pass
                assert event["data"]["routes"] == ROUTES
    assert spent.share < SHARE
