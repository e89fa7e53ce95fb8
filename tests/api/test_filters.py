"""POST /v1/filters/check, and what the API says where filters do not work."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from tests.libpcap import Install, need_libpcap
from tests.running import TOKEN, RunningService, running
from wintun_api.capture.filters import binding
from wintun_api.errors import FiltersBusy, InvalidFilter
from wintun_api.hub.filters import Filters
from wintun_api.limits import MAX_FILTER

PATIENCE = 30.0


def check(service: RunningService, expression: str) -> tuple[int, object]:
    """Return the status and the body of the answer."""
    answer = service.http.post("/v1/filters/check", json={"filter": expression})
    return answer.status_code, answer.json()


def test_a_right_filter(service: RunningService) -> None:
    """It is valid; so is an empty one, which chooses every packet."""
    need_libpcap()
    for expression in ("tcp port 443", ""):
        assert check(service, expression) == (200, {"valid": True, "error": None})


def test_a_wrong_filter(service: RunningService) -> None:
    """The answer says what is wrong and where."""
    need_libpcap()
    error = {"message": "can't parse filter expression: syntax error", "offset": 4}
    assert check(service, "tcp prot 80") == (200, {"valid": False, "error": error})


def test_a_long_filter(service: RunningService) -> None:
    """One with more characters than the limit is refused by the schema."""
    assert check(service, "a" * (MAX_FILTER + 1))[0] == 422


def test_the_system_names_libpcap(service: RunningService) -> None:
    """GET /v1/system says which version compiles filters."""
    need_libpcap()
    assert service.http.get("/v1/system").json()["libpcap"] == binding.version()


def test_a_service_that_is_busy_with_filters(service: RunningService) -> None:
    """The answer is 503 with the time after which to ask again, and not that it is invalid."""

    def busy(_: str) -> NoReturn:
        raise FiltersBusy

    filters = Filters(checker=lambda _: None, compiler=busy)
    service.service.context.registry.filters = filters
    answer = service.http.post("/v1/filters/check", json={"filter": "host b.example.com"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["type"] == "urn:wintun-api:problem:filters-busy"


def test_a_service_that_stops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A filter whose name is still looked up is answered with 503, and nothing has to be cut."""
    begun, end = threading.Event(), threading.Event()

    def look_up(_: str) -> NoReturn:
        begun.set()
        end.wait(PATIENCE)
        raise InvalidFilter("", "", 0)

    filters = Filters(checker=lambda _: None, compiler=look_up)
    try:
        with (
            running(tmp_path) as service,
            service.client(TOKEN) as client,
            ThreadPoolExecutor() as pool,
        ):
            service.service.context.registry.filters = filters
            body = {"filter": "host b.example.com"}
            waiting = pool.submit(client.post, "/v1/filters/check", json=body)
            assert begun.wait(PATIENCE)
            service.stop()
            answer = waiting.result(PATIENCE)
    finally:
        end.set()
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:wintun-api:problem:stopping"
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_without_libpcap(service: RunningService, installed: Install) -> None:
    """Every filter is a 501 that says what to install; the rest of the service works."""
    installed(None)
    status, problem = check(service, "tcp")
    assert status == 501
    assert isinstance(problem, dict)
    assert problem["type"] == "urn:wintun-api:problem:filter-unavailable"
    assert 'pip install "wintun-api[filter]"' in problem["hint"]
    assert service.http.get("/v1/system").json()["libpcap"] is None
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    url = f"/v1/sessions/{session}/capture.pcapng?filter=tcp"
    assert service.http.get(url).status_code == 501
