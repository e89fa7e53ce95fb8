"""What reaches the log: no token at any level, and no line for each of what others can repeat."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import WebSocket
from fastapi.responses import PlainTextResponse

from tests.api.raw import ask, upgrade
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService, running
from wintun_api.api.access import ANY_TOKEN, needs
from wintun_api.choices import Scope

CLIENTS = ("httpx", "httpcore", "websockets.client")


@pytest.fixture(params=["debug", "info", "warning"])
def talkative(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service at each log level."""
    with running(tmp_path, log_level=request.param) as service:
        yield service


@needs(ANY_TOKEN)
async def _defect(name: str = "") -> PlainTextResponse:
    raise RuntimeError("A defect.")


@needs(ANY_TOKEN)
async def _socket_defect(websocket: WebSocket) -> None:
    raise RuntimeError("A defect.")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the service's side has logged, with tracebacks."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return [
        formatter.format(record) for record in caplog.records if not record.name.startswith(CLIENTS)
    ]


@pytest.mark.thorough
def test_no_token_reaches_the_log(
    talkative: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever way a token comes, right or wrong, no logger of any kind writes it."""
    caplog.set_level("DEBUG")
    service = talkative
    service.service.api.add_api_route("/v1/defect/{name}", _defect, methods=["GET", "POST"])
    service.service.api.add_api_websocket_route("/v1/defect/{name}", _socket_defect)
    issued = service.token(Scope.READ)
    secrets = [TOKEN, issued, "wr0ng-" + "t0ken" * 8]
    with service.browser(issued) as http:
        secrets += [http.headers["X-Wintun-Api-Key"], *http.cookies.values()]
        assert http.get("/v1/adapters").status_code == 200
        assert http.post("/v1/adapters", json={"name": "x"}).status_code == 403
    for secret in secrets:
        encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
        cookie = f"Cookie: wintun-api-{service.port}={secret}"
        key = f"X-Wintun-Api-Key: {secret}"
        offers = (
            f"Sec-WebSocket-Protocol: bearer.wintun-api.{encoded}",
            f"Sec-WebSocket-Protocol: key.wintun-api.{encoded}",
            f"Sec-WebSocket-Protocol: {secret}",
        )
        for token in (TOKEN, secret, None):
            for target in (
                f"/?token={secret}",
                f"/v1/system?token={secret}",
                f"/v1/events?token={secret}",
                f"/{secret}",
                f"/v1/{secret}%0A",
                f"/v1/tokens/{secret}",
                f"/v1/adapters/{secret}?x={secret}",
                f"/v1/sessions/{secret}/packets?token={secret}",
                f"/v1/defect/{secret}?token={secret}",
                f"//{secret}@evil.example/",
                f"http://{secret}@127.0.0.1/{secret}",
            ):
                for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
                    ask(service, f"{method} {target}", [cookie, key], token=token)
                for offer in offers:
                    upgrade(service, target, [cookie, key, offer], token)
                    upgrade(service, target, [cookie, offer, f"Origin: {service.url}"], token)
    service.stop()
    found = "\n".join(lines(caplog))
    assert "A defect." in found
    for secret in secrets:
        assert secret not in found
        assert base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=") not in found


def test_refused_handshakes_are_few_lines(
    talkative: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a token, with a foreign Host or Origin, for no path: one line, and then a count."""
    caplog.set_level("DEBUG")
    reader = talkative.token(Scope.METRICS)
    caplog.clear()
    for _ in range(20):
        upgrade(talkative, "/v1/events", token=None)
        upgrade(talkative, "/v1/events", ["Origin: http://evil.example"])
        upgrade(talkative, "/v1/events", ["Host: evil.example"])
        upgrade(talkative, "/v1/nothing")
        upgrade(talkative, "/v1/sessions/none/packets")
        upgrade(talkative, "/v1/sessions/none/packets", ["Sec-WebSocket-Protocol: unknown"])
        upgrade(talkative, "/v1/events", [f"Origin: {talkative.url}"], token=None)
    for _ in range(20):
        upgrade(talkative, "/v1/events", token=reader)
    ours = "wintun_api.api.security"
    told = [one.getMessage() for one in caplog.records if one.name == ours]
    others = [
        one for one in lines(caplog) if not one.startswith((ours, "wintun_api.audit", "asyn"))
    ]
    assert others == []
    level = talkative.settings.log_level
    assert told == ["A WebSocket handshake was refused; its client was told why."], level
    caplog.clear()
    talkative.stop()
    told = [one.getMessage() for one in caplog.records if one.name == ours]
    assert told == ["139 WebSocket handshakes were refused; their clients were told why."]


def test_accepted_handshakes_are_not_logged(
    talkative: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """A socket that is opened and closed leaves no line with its address."""
    caplog.set_level("DEBUG")
    caplog.clear()
    for _ in range(5):
        with open_websocket(talkative, "/v1/events?since=1") as socket:
            socket.recv(30)
    assert [one for one in lines(caplog) if "/v1/events" in one] == []
