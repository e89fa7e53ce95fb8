"""Names of the service: which Host and which Origin are its own, and for whom that matters."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.raw_connection import Answer, Raw
from tests.running import TOKEN, RunningService, running
from wintun_api.api.hosts import Authority, Origin, allowed_names
from wintun_api.errors import InvalidSettings
from wintun_api.settings import Settings

AUTH = f"Authorization: Bearer {TOKEN}"
NAME = "wintun.example.com"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with names of its own."""
    names = (NAME, "FD00:0::1", "Box.Lan:8443")
    with running(tmp_path_factory.mktemp("service"), allowed_hosts=names) as service:
        yield service


def ask(service: RunningService, line: str, *headers: str) -> Answer:
    """Send exactly these lines; return the answer."""
    with Raw(service.port) as raw:
        raw.send("\r\n".join((line, *headers, "", "")).encode("latin-1"))
        return raw.answer(head=line.startswith("HEAD"))


# The health route

PROBES = {
    "kubelet": ("GET /noauth/health HTTP/1.1", "Host: 10.244.1.7:9886", "User-Agent: kube-probe"),
    "haproxy": ("OPTIONS /noauth/health HTTP/1.0",),
    "haproxy with GET": ("GET /noauth/health HTTP/1.0",),
    "HTTP/1.0 with a Host": ("GET /noauth/health HTTP/1.0", "Host: pod"),
    "HEAD": ("HEAD /noauth/health HTTP/1.1", "Host: evil.example"),
    "HEAD without a Host": ("HEAD /noauth/health HTTP/1.0",),
    "OPTIONS": ("OPTIONS /noauth/health HTTP/1.1", "Host: a"),
    "an empty Host": ("GET /noauth/health HTTP/1.1", "Host:"),
    "IPv6 with a zone": ("GET /noauth/health HTTP/1.1", "Host: [fe80::1%eth0]:9886"),
    "IPv6": ("GET /noauth/health HTTP/1.1", "Host: [2001:db8::1]:80"),
    "every address": ("GET /noauth/health HTTP/1.1", "Host: 0.0.0.0:9886"),
    "an absolute target": ("GET http://pod:1/noauth/health HTTP/1.1", "Host: pod:1"),
    "a query": ("GET /noauth/health?probe=1 HTTP/1.1", "Host: pod"),
}


@pytest.mark.parametrize("name", PROBES)
def test_the_health_route_has_any_host(service: RunningService, name: str) -> None:
    """Probes are answered, by whatever name they call the service."""
    assert ask(service, *PROBES[name]).status == 200


@pytest.mark.parametrize("name", PROBES)
def test_nothing_else_has(service: RunningService, name: str) -> None:
    """The same lines with another path, and even a token, are refused."""
    line, *headers = PROBES[name]
    for path in ("/v1/system", "/", "/app.js", "/noauth/health/", "/noauth"):
        asked = line.replace("/noauth/health", path)
        malformed = name in ("IPv6 with a zone", "an absolute target")
        assert ask(service, asked, *headers, AUTH).status == (400 if malformed else 403)


@pytest.mark.parametrize("path", ["/noauth/health", "/v1/system"])
@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", (), 400),
        ("1.1", ("Host: localhost", "Host: localhost"), 400),
        ("1.1", ("Host: localhost", "Host: evil.example"), 400),
        ("1.0", ("Host: localhost", "Host: localhost"), 400),
    ],
)
def test_hosts_that_are_missing_or_doubled(
    service: RunningService, path: str, version: str, hosts: tuple[str, ...], status: int
) -> None:
    """They are errors of HTTP, on every path (RFC 9112, section 3.2)."""
    answer = ask(service, f"GET {path} HTTP/{version}", *hosts, AUTH)
    assert answer.status == status
    assert answer.json()["type"].endswith(":bad-host")


@pytest.mark.parametrize("host", ["a b", "user@localhost", "localhost/x", "[::1", "local%68ost"])
def test_hosts_that_are_malformed(service: RunningService, host: str) -> None:
    """So is a value that is no host."""
    assert ask(service, "GET /v1/system HTTP/1.1", f"Host: {host}", AUTH).status == 400


# Names that are allowed


@pytest.mark.parametrize(
    "host",
    [
        *(NAME, f"{NAME}:443", f"{NAME}:80", f"{NAME}:", f"{NAME}.", f"{NAME}.:443"),
        *(NAME.upper(), "[fd00::1]", "[FD00::0:1]:443", "box.lan", "BOX.lan:1"),
    ],
)
def test_allowed_names(service: RunningService, host: str) -> None:
    """A name counts in every form, with any port."""
    assert ask(service, "GET /v1/system HTTP/1.1", f"Host: {host}", AUTH).status == 200


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (f"http://{NAME}/v1/system", "evil.example", 200),
        (f"https://{NAME}:443/v1/system", "evil.example", 200),
        ("http://[::1]:80/v1/system", "evil.example", 200),
        ("HTTP://LOCALHOST/v1/adapters?pool=b", NAME, 200),
        ("http://evil.example/v1/system", NAME, 400),
        ("http://evil.example/v1/system", "localhost", 400),
        ("http://localhost@evil.example/v1/system", "localhost", 400),
    ],
)
def test_the_absolute_form(service: RunningService, target: str, host: str, status: int) -> None:
    """The host of the target counts, and not the header (RFC 9112, section 3.2.2)."""
    assert ask(service, f"GET {target} HTTP/1.1", f"Host: {host}", AUTH).status == status


@pytest.mark.parametrize("value", ["https://box.lan", "*.example.com", "a b", "box.lan/x"])
def test_names_that_are_none(value: str) -> None:
    """A setting that could never match is refused, with what to give instead."""
    with pytest.raises(InvalidSettings, match=r"--allowed-host: .* is not a host name"):
        Settings.load(allowed_hosts=(value,))


def test_addresses_that_mean_every_address_are_not_names() -> None:
    """Pages of other sites can ask 0.0.0.0 too, so listening there does not allow it."""
    assert allowed_names(("0.0.0.0", "::", "[::]:80", "", "A.")) == {"a"}


# Origins behind a proxy that ends TLS

OWN = [
    (NAME, f"https://{NAME}"),
    (f"{NAME}:443", f"https://{NAME}"),
    (NAME, f"https://{NAME}:443"),
    (f"{NAME}:8443", f"https://{NAME}:8443"),
    (NAME.upper(), f"https://{NAME}"),
    (f"{NAME}.", f"https://{NAME}."),
    ("[fd00::1]:8443", "https://[fd00::1]:8443"),
    (NAME, f"http://{NAME}"),
    (f"{NAME}:80", f"http://{NAME}"),
    ("localhost:80", "http://localhost"),
]


@pytest.mark.parametrize(("host", "origin"), OWN)
def test_own_origins(service: RunningService, host: str, origin: str) -> None:
    """A page of an allowed name is the service's own, though no proxy tells of TLS."""
    headers = (f"Host: {host}", f"Origin: {origin}", AUTH)
    assert ask(service, "GET /v1/system HTTP/1.1", *headers).status == 200


@pytest.mark.parametrize(
    ("host", "origin", "hint"),
    [
        ("localhost", "https://localhost", "X-Forwarded-Proto: https"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443", "--trusted-proxy 127.0.0.1"),
        ("[::1]", "https://[::1]", "X-Forwarded-Proto"),
        (NAME, f"https://{NAME}:8443", "Host header on with its port"),
        (NAME, f"http://{NAME}:8080", "proxy_set_header Host $http_host"),
        ("127.0.0.1:9886", f"https://{NAME}", "proxy_set_header Host $http_host"),
        (NAME, "https://evil.example", "own address"),
        (NAME, f"https://evil.{NAME}", "own address"),
        (NAME, f"https://{NAME}.evil.example", "own address"),
        (NAME, "null", "own address"),
        (NAME, f"ftp://{NAME}", "own address"),
        (NAME, f"https://{NAME}@evil.example", "own address"),
    ],
)
def test_other_origins(service: RunningService, host: str, origin: str, hint: str) -> None:
    """Every other page is refused, and the hint names what a proxy has to send."""
    headers = (f"Host: {host}", f"Origin: {origin}", AUTH)
    refused = ask(service, "GET /v1/system HTTP/1.1", *headers)
    assert refused.status == 403
    assert hint in refused.json()["hint"]


@pytest.mark.parametrize("told", ["X-Forwarded-Proto: https", "Forwarded: proto=https"])
def test_header_of_an_untrusted_proxy(service: RunningService, told: str) -> None:
    """Where the proxy says how its client came, the hint says how to make the service trust it."""
    headers = ("Host: localhost", "Origin: https://localhost", told, AUTH)
    hint = ask(service, "GET /v1/system HTTP/1.1", *headers).json()["hint"]
    assert "--trusted-proxy 127.0.0.1" in hint
    assert f"trusts this proxy's {told.partition(':')[0]} header" in hint


def test_an_origin_in_clear_is_not_that_of_tls() -> None:
    """A page that came in clear may be anybody's on the way, so TLS does not let it in."""
    origin = Origin.read(f"http://{NAME}")
    assert origin is not None
    assert not origin.is_of(Authority(NAME), "https", published=True)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_both_families(tmp_path: Path) -> None:
    """A service at every address answers at both loopback addresses."""
    with running(tmp_path, host="::", allow_insecure_bind=True) as service:
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, service.port), 10) as opened:
                opened.sendall(b"GET /noauth/health HTTP/1.0\r\n\r\n")
                assert opened.recv(100).startswith(b"HTTP/1.1 200")
