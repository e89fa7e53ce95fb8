"""The service behind real reverse proxies, configured as the guide says."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.proxies import (
    NAME,
    PROXIES,
    free_port,
    nginx,
    without,
)
from tests.raw_websocket import RawPackets, dial
from tests.running import TOKEN, RunningService, any_certificate, running
from wintun_api.wire import BATCH, Batch, pack

ECHO = bytes.fromhex("4500001c00000000400130c70a0607080a0607070800f7fd00010001")


def browser(port: int) -> httpx.Client:
    """Return a client that comes to a published port by its name."""
    address = f"{NAME}:{port}"
    headers = {"Host": address, "Origin": f"https://{address}"}
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers=headers,
        verify=any_certificate(),
        trust_env=False,
    )


def sign_in(http: httpx.Client) -> str:
    """Sign in as the dashboard does; return the Set-Cookie header."""
    answer = http.get("/", params={"token": TOKEN})
    assert answer.status_code == 303, answer.text
    http.headers["X-Wintun-Api-Key"] = answer.headers["location"].partition("#key=")[2]
    # httpx looks at the address and not at the name that it was given.
    cookie = answer.headers["set-cookie"].partition(";")[0]
    http.headers["Cookie"] = cookie
    return str(answer.headers["set-cookie"])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    """A service that is told of the name and of the proxy, as the guide says."""
    with running(tmp_path, allowed_hosts=(NAME,), trusted_proxies=("127.0.0.1",)) as service:
        yield service


@pytest.mark.parametrize("proxy", PROXIES)
def test_all_of_it(service: RunningService, tmp_path: Path, proxy: str) -> None:
    """REST, the sign-in of a browser, packets over WebSocket and captures pass through."""
    port = free_port()
    folder = tmp_path / proxy
    folder.mkdir()
    with PROXIES[proxy](folder, {port: f"127.0.0.1:{service.port}"}), browser(port) as http:
        assert http.get("/v1/system").status_code == 401
        cookie = sign_in(http)
        assert "Secure" in cookie
        assert cookie.startswith(f"wintun-api-{port}-{service.port}=")
        made = http.post("/v1/adapters", json={"name": "A1", "addresses": ["10.6.7.7/24"]})
        assert made.status_code == 201, made.text
        adapter = {"adapter": made.json()["guid"]}
        session = http.post("/v1/sessions", json=adapter).json()["id"]
        key = http.headers["X-Wintun-Api-Key"]
        packets(service, port, session, http.headers["Cookie"], key)
        path = f"/v1/sessions/{session}/capture.pcapng"
        with http.stream("GET", path) as capture:  # its head comes before any packet does
            assert next(capture.iter_raw())[:4] == b"\x0a\x0d\x0d\x0a"
        assert http.get("/", headers={"Accept": "text/html"}).status_code == 200


def packets(service: RunningService, port: int, session: str, cookie: str, key: str) -> None:
    """Send a packet to the host through the proxy, and receive its answer."""
    offer = "key.wintun-api." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with dial(
        f"wss://{NAME}:{port}/v1/sessions/{session}/packets?direction=both",
        BATCH,
        offer,
        sock=plain,
        additional_headers={"Cookie": cookie, "Origin": f"https://{NAME}:{port}"},
    ) as opened:
        client = RawPackets(opened)
        opened.send(pack(Batch((ECHO,))))
        assert client.text("ack")
        assert service.counters(session)["injected"]["packets"] == 1


@pytest.mark.parametrize(
    ("left_out", "trusted"),
    [
        ("proxy_set_header X-Forwarded-Proto $scheme;", True),
        ("proxy_set_header X-Forwarded-Proto $scheme;", False),
        ("nothing", False),
    ],
)
def test_a_proxy_that_is_not_believed(tmp_path: Path, left_out: str, trusted: bool) -> None:
    """The dashboard works though the service does not know of TLS."""
    proxies = ("127.0.0.1",) if trusted else ()
    port = free_port()
    with (
        running(tmp_path, allowed_hosts=(NAME,), trusted_proxies=proxies) as service,
        without(left_out),
        nginx(tmp_path, {port: f"127.0.0.1:{service.port}"}),
        browser(port) as http,
    ):
        sign_in(http)
        assert http.post("/v1/adapters", json={"name": "A1"}).status_code == 201


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("proxy_set_header Host $http_host;", "proxy_set_header Host $http_host"),
        ("$http_host", "with its port"),
    ],
)
def test_a_proxy_that_changes_the_host(
    service: RunningService, tmp_path: Path, header: str, hint: str
) -> None:
    """Where it is not possible, the refusal names the line that is missing."""
    port = free_port()
    with (
        without(header, "$host" if header.startswith("$") else ""),
        nginx(tmp_path, {port: f"127.0.0.1:{service.port}"}),
        browser(port) as http,
    ):
        refused = http.get("/v1/system", headers={"Authorization": f"Bearer {TOKEN}"})
        assert refused.status_code == 403
        assert hint in refused.json()["hint"]


@pytest.mark.parametrize("proxy", PROXIES)
def test_twins(tmp_path: Path, proxy: str) -> None:
    """Two services at one port of two machines, published at two ports, keep their sign-ins."""
    told: dict[str, Any] = {"allowed_hosts": (NAME,), "trusted_proxies": ("127.0.0.1",)}
    inner = free_port()
    ports = free_port(), free_port()
    folder = tmp_path / proxy
    folder.mkdir()
    with (
        running(tmp_path / "one", host="127.0.0.2", port=inner, **told),
        running(tmp_path / "two", host="127.0.0.3", port=inner, **told),
        PROXIES[proxy](folder, {ports[0]: f"127.0.0.2:{inner}", ports[1]: f"127.0.0.3:{inner}"}),
        browser(ports[0]) as one,
        browser(ports[1]) as two,
    ):
        jar = [sign_in(http).partition(";")[0] for http in (one, two)]
        assert jar[0].partition("=")[0] != jar[1].partition("=")[0]
        for http in (one, two, one):  # a browser sends both cookies to both
            http.headers["Cookie"] = "; ".join(jar)
            assert http.get("/v1/system").status_code == 200
