"""X-Forwarded headers: believed from proxies that were named, and from nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.running import TOKEN, running
from wintun_api.api.proxies import Proxies, address_of
from wintun_api.errors import InvalidSettings
from wintun_api.settings import Settings


def seen(trusted: tuple[str, ...], peer: str, *headers: tuple[str, str], kind: str = "http") -> Any:
    """Return scheme and client address that the app behind sees."""
    scopes: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    async def nothing(*_: Any) -> Any:
        return None

    scheme = "ws" if kind == "websocket" else "http"
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "client": (peer, 5), "scheme": scheme, "headers": lines}
    asyncio.run(Proxies(app, trusted)(scope, nothing, nothing))
    return scopes[0]["scheme"], scopes[0]["client"][0]


PROTO = ("x-forwarded-proto", "https")


@pytest.mark.parametrize("peer", ["127.0.0.2", "10.0.0.1", "::1", "nonsense"])
def test_others_are_not_believed(peer: str) -> None:
    """Another program of this machine is no proxy."""
    headers = (PROTO, ("x-forwarded-for", "192.0.2.1"))
    assert seen(("127.0.0.1", "192.0.2.0/24"), peer, *headers) == ("http", peer)


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.0/8", "::/0"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_named_proxy_is_believed(trusted: str, peer: str) -> None:
    """Scheme and client are those of the proxy's client; an address may wear IPv6's clothes."""
    headers = (PROTO, ("x-forwarded-for", "192.0.2.1"))
    expected = ("http", peer) if trusted == "::/0" else ("https", "192.0.2.1")
    assert seen((trusted,), peer, *headers) == expected
    wss = seen(("127.0.0.1",), "127.0.0.1", PROTO, kind="websocket")
    assert wss == ("wss", "127.0.0.1")


FORWARDED = [
    ("for=192.0.2.1;proto=https", ("https", "192.0.2.1")),
    ("For=192.0.2.1; Proto=HTTPS;by=10.0.0.1;host=h", ("https", "192.0.2.1")),
    ('for="[2001:db8::1]:5";proto="https"', ("https", "2001:db8::1")),
    ('proto=http;for=6.6.6.6, for="192.0.2.1:80";proto=https, for=10.0.0.2', ("http", "192.0.2.1")),
    ("for=6.6.6.6;proto=https,for=192.0.2.1", ("http", "192.0.2.1")),
    ("for=192.0.2.1, for=_hidden, for=10.0.0.2;proto=https", ("https", "10.0.0.2")),
    ("for=192.0.2.1, proto=https", ("https", "10.0.0.1")),
    ('host="a, for=6.6.6.6";for=192.0.2.1', ("http", "192.0.2.1")),
    ('host="a\\", for=6.6.6.6";for=192.0.2.1;proto=gopher', ("http", "192.0.2.1")),
    ("nonsense", ("http", "10.0.0.1")),
    ("a" * 50_000, ("http", "10.0.0.1")),
    ('a="' * 9000, ("http", "10.0.0.1")),
    (",;,=" * 900, ("http", "10.0.0.1")),
    ("", ("http", "10.0.0.1")),
]


@pytest.mark.parametrize(("value", "expected"), FORWARDED)
def test_forwarded(value: str, expected: tuple[str, str]) -> None:
    """The standard header says both; the proxy's own part is the last one."""
    trusted = ("10.0.0.0/24",)
    assert seen(trusted, "10.0.0.1", ("forwarded", value)) == expected
    lines = [("forwarded", part) for part in value.split(", ")]
    if '"' not in value:
        assert seen(trusted, "10.0.0.1", *lines) == expected
    assert seen(trusted, "192.0.2.9", ("forwarded", value)) == ("http", "192.0.2.9")


def test_forwarded_beside_the_other_headers() -> None:
    """A proxy that sends X-Forwarded headers may pass on a Forwarded that its client wrote."""
    written = ("forwarded", "for=6.6.6.6;proto=https")
    address = ("x-forwarded-for", "192.0.2.1")
    assert seen(("10.0.0.1",), "10.0.0.1", written, address) == ("http", "192.0.2.1")
    scheme = ("x-forwarded-proto", "http")
    assert seen(("10.0.0.1",), "10.0.0.1", written, scheme) == ("http", "10.0.0.1")


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("[2001:db8::1]:5, 10.0.0.3:80", "2001:db8::1"),
        ("a" * 5000, "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_nearest_address_that_is_not_a_proxy(value: str, client: str) -> None:
    """What a client wrote itself stands before what the proxies added, and is not believed."""
    assert seen(("10.0.0.0/24",), "10.0.0.1", ("x-forwarded-for", value))[1] == client


@pytest.mark.parametrize("value", ["gopher", "", "https, http", "javascript"])
def test_schemes_that_are_none(value: str) -> None:
    """Only the schemes of HTTP are taken, and the nearest proxy's word."""
    assert seen(("10.0.0.1",), "10.0.0.1", ("x-forwarded-proto", value))[0] == "http"


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1:80", '"10.0.0.1:80"', "::ffff:10.0.0.1"])
def test_forms_of_an_address(text: str) -> None:
    """Ports and quotes are left out."""
    assert str(address_of(text)) == "10.0.0.1"


def test_settings() -> None:
    """What is neither an address nor a network is refused."""
    with pytest.raises(InvalidSettings, match=r"--trusted-proxy: 'proxy\.lan' is not an address"):
        Settings.load(trusted_proxies=("proxy.lan",))


@pytest.mark.parametrize(("trusted", "status"), [((), 403), (("127.0.0.1",), 200)])
def test_an_origin_behind_tls(tmp_path: Any, trusted: tuple[str, ...], status: int) -> None:
    """A page behind a proxy with TLS is the service's own, once the proxy is named."""
    with running(tmp_path, trusted_proxies=trusted) as service:
        headers = {
            "Origin": f"https://127.0.0.1:{service.port}",
            "X-Forwarded-Proto": "https",
            "Authorization": f"Bearer {TOKEN}",
        }
        assert service.http.get("/v1/system", headers=headers).status_code == status
