"""Tokens, GUIDs, names and numbers that were pasted with white space around them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.raw import answer, connection
from tests.running import TOKEN, RunningService


def ask(service: RunningService, method: str, path: str, **more: Any) -> httpx.Response:
    with service.client(TOKEN) as http:
        return http.request(method, path, **more)


GUID = "deadbabe-cafe-beef-0123-456789abcdef"


@pytest.mark.parametrize(
    "value",
    [
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN} \t",
        f"Bearer\t{TOKEN}",
        f"bearer \t {TOKEN}",
        f"Bearer \xef\xbb\xbf{TOKEN}",
        f"\xef\xbb\xbfBearer {TOKEN}",
        f"Bearer {TOKEN}\xa0",
    ],
)
def test_a_token_in_a_header(service: RunningService, value: str) -> None:
    """Spaces, tabs and byte order marks around the token are not part of it."""
    lines = ["GET /v1/system HTTP/1.1", f"Host: 127.0.0.1:{service.port}"]
    lines += [f"Authorization: {value}", "", ""]
    with connection(service) as opened:
        opened.sendall("\r\n".join(lines).encode("latin-1"))
        status, _ = answer(opened)
    assert status == 200


@pytest.mark.parametrize("value", ["", "Bearer", f'Bearer "{TOKEN}"', f"Bearer {TOKEN} {TOKEN}"])
def test_no_token_in_a_header(service: RunningService, value: str) -> None:
    """What is not a token stays unknown; quotation marks may be meant."""
    lines = ["GET /v1/system HTTP/1.1", f"Host: 127.0.0.1:{service.port}"]
    lines += [f"Authorization: {value}", "", ""]
    with connection(service) as opened:
        opened.sendall("\r\n".join(lines).encode("latin-1"))
        status, text = answer(opened)
    assert status == 401
    assert "Internal Server Error" not in text


def test_a_token_in_the_address(service: RunningService) -> None:
    """The address that signs a browser in takes a token with a line end."""
    lines = [f"GET /?token={quote(TOKEN + chr(10))} HTTP/1.1", f"Host: 127.0.0.1:{service.port}"]
    lines += ["Accept: text/html", "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "", ""]
    with connection(service) as opened:
        opened.sendall("\r\n".join(lines).encode())
        _, text = answer(opened)
    assert "set-cookie" in text.lower()


def test_bodies(service: RunningService) -> None:
    """Names, GUIDs, addresses and routes of a body are taken without what is around them."""
    body = {
        "name": "\tOfficeNet \r\n",
        "pool": " tests ",
        "requested_guid": f" {{{GUID.upper()}}}\n",
        "addresses": [" 10.6.7.7/24 "],
        "routes": [{"destination": " 10.9.0.0/16\n", "next_hop": " 10.6.7.1 "}],
        "dns": ["10.6.7.1 "],
        "dns_search": [" example.com"],
    }
    made = ask(service, "POST", "/v1/adapters", json=body)
    assert made.status_code == 201, made.text
    adapter = made.json()
    assert (adapter["name"], adapter["pool"], adapter["guid"]) == ("OfficeNet", "tests", GUID)
    assert (adapter["addresses"], adapter["dns"]) == (["10.6.7.7/24"], ["10.6.7.1"])
    started = ask(service, "POST", "/v1/sessions", json={"adapter": f" {GUID} "})
    assert started.status_code == 201, started.text


def test_paths_and_queries(service: RunningService) -> None:
    """GUIDs and ids of a path and names and numbers of a query too."""
    body = {"name": "A1", "pool": "tests", "requested_guid": GUID}
    assert ask(service, "POST", "/v1/adapters", json=body).status_code == 201
    for word in (f" {GUID}\n", f"{{{GUID.upper()}}} ", f"\ufeff{GUID}"):
        found = ask(service, "GET", f"/v1/adapters/{quote(word)}")
        assert found.status_code == 200, (word, found.text)
    assert len(ask(service, "GET", f"/v1/adapters?pool={quote(' tests ')}").json()) == 1
    session = ask(service, "POST", "/v1/sessions", json={"adapter": GUID}).json()["id"]
    assert ask(service, "GET", f"/v1/sessions/{quote(session + chr(10))}").status_code == 200


def test_a_name_of_nothing_but_spaces(service: RunningService) -> None:
    """It is refused as the empty name that it is."""
    refused = ask(service, "POST", "/v1/adapters", json={"name": " \t "})
    assert refused.status_code == 422
