"""api.parameters: what a query has that its route does not know, or knows only once."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.raw_websocket import open_websocket
from tests.running import RunningService

GUID = "deadbabe-cafe-beef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/sessions/x/capture.pcapng?since=-30s", "since"),
        ("/v1/sessions/x/capture.pcapng?filter=&snaplenn=9", "snaplenn"),
        ("/v1/capture.pcapng?adapters=", "adapters"),
        ("/v1/sessions/x/recorder.pcapng?since=-30s&packets=4", "packets"),
        ("/v1/sessions/x/recorder?since=", "since"),
        ("/v1/sessions?adapter=x", "adapter"),
        ("/v1/adapters?pools=WireGuard", "pools"),
        ("/v1/captures?state=running", "state"),
        ("/v1/events?sinc=4", "sinc"),
    ],
)
def test_an_unknown_parameter(service: RunningService, path: str, name: str) -> None:
    """It is refused and named, and nothing else is done."""
    answer = service.http.get(path)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:wintun-api:problem:invalid-request"
    assert [one["field"] for one in answer.json()["errors"]] == [name]


def test_a_change_with_an_unknown_parameter(service: RunningService) -> None:
    """It changes nothing."""
    adapter = service.adapter(name="OfficeNet")["guid"]
    assert service.http.delete(f"/v1/adapters/{adapter}?forced=1").status_code == 422
    assert service.http.get(f"/v1/adapters/{adapter}").status_code == 200


def test_many_unknown_parameters(service: RunningService) -> None:
    """The answer names some of them, so that it stays small."""
    query = "&".join(f"n{number}=" for number in range(1000))
    answer = service.http.get(f"/v1/system?{query}")
    assert [one["field"] for one in answer.json()["errors"]] == [f"n{i}" for i in range(10)]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/sessions/x/capture.pcapng?filter=tcp&filter=udp&packets=5", "filter"),
        ("/v1/sessions/x/capture.pcapng?packets=500&packets=500", "packets"),
        ("/v1/capture.pcapng?seconds=1&seconds=2", "seconds"),
        ("/v1/adapters?pool=A&pool=B", "pool"),
        ("/v1/events?since=4&since=", "since"),
    ],
)
def test_a_repeated_parameter(service: RunningService, path: str, name: str) -> None:
    """It is refused and named, because only one of its values could be meant."""
    answer = service.http.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": name, "message": "Must not be given more than once"}
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/events?since=4&since=5", "since"),
        ("/v1/sessions/x/packets?filter=tcp&filter=udp", "filter"),
        (f"/v1/adapters/{GUID}/packets?grace=1&grace=2", "grace"),
        (f"/v1/capture.pcapng?adapter={GUID}&adapter={GUID}&marks=1&marks=0", "marks"),
    ],
)
def test_a_socket_with_a_repeated_parameter(service: RunningService, path: str, name: str) -> None:
    """Sockets refuse it before they are opened."""
    with pytest.raises(InvalidStatus) as refused, open_websocket(service, path):
        pass
    assert refused.value.response.status_code == 422
    said = json.loads(refused.value.response.body)["detail"]
    assert said == f"{name}: Must not be given more than once"


@pytest.mark.parametrize("path", ["/v1/capture.pcapng", "/v1/adapters"])
def test_an_empty_pool(service: RunningService, path: str) -> None:
    """No adapter is in it, so that it is a mistake."""
    answer = service.http.get(f"{path}?pool=")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["pool"]


def test_a_named_capture_of_an_empty_pool(service: RunningService) -> None:
    """Likewise in a body."""
    answer = service.http.post("/v1/captures", json={"pool": " "})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["pool"]


def test_known_parameters_in_any_number(service: RunningService) -> None:
    """A parameter that is a list can be given several times."""
    answer = service.http.get(f"/v1/capture.pcapng?adapter={GUID}&adapter={GUID}&seconds=1")
    assert answer.status_code == 404


def test_an_event_socket_with_an_unknown_parameter(service: RunningService) -> None:
    """Sockets refuse it before they are opened."""
    with (
        pytest.raises(InvalidStatus) as refused,
        open_websocket(service, "/v1/events?sinc=4"),
    ):
        pass
    assert refused.value.response.status_code == 422
    assert b"sinc: Extra inputs are not permitted" in refused.value.response.body


def test_probes_may_add_what_they_like(service: RunningService) -> None:
    """Some add a number to each request, so that no cache answers."""
    assert service.http.get("/noauth/health?_=17").status_code == 200
