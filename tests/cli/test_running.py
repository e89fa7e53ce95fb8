"""Sockets and addresses of the server."""

from __future__ import annotations

import errno
import socket

import pytest

from wintun_api.address import url_at
from wintun_api.api.listener import close, listen
from wintun_api.cli.running import dashboard_url, in_use, reach
from wintun_api.settings import Settings


def test_one_port_for_every_address() -> None:
    """A name with several addresses gets one port on all of them."""
    sockets = listen("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert all(one.getsockname()[0] in ("127.0.0.1", "::1") for one in sockets)
    finally:
        close(sockets)


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("::", {"127.0.0.1", "::1"}),
        ("::0", {"127.0.0.1", "::1"}),
        ("", {"127.0.0.1", "::1"}),
        ("0.0.0.0", {"127.0.0.1"}),
        ("::1", {"::1"}),
        ("127.0.0.1", {"127.0.0.1"}),
    ],
)
def test_families(host: str, reached: set[str]) -> None:
    """Every address means IPv4 too; one address means this one alone."""
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    sockets = listen(host, 0)
    port = sockets[0].getsockname()[1]
    found = set()
    try:
        for one in sockets:
            one.listen()
        for address in ("127.0.0.1", "::1"):
            try:
                socket.create_connection((address, port), 5).close()
            except OSError:
                continue
            found.add(address)
        assert ("of IPv4 and of IPv6" in reach(sockets)) is (len(reached) == 2)
        assert (reach(sockets) == "") is (host in ("::1", "127.0.0.1"))
    finally:
        close(sockets)
    assert found == reached


def test_a_taken_ipv4_port_is_told() -> None:
    """Every address at a port is not to be had where another program has it for IPv4."""
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(OSError) as caught:  # noqa: PT011
        listen("::", taken.getsockname()[1])
    assert in_use(caught.value)


def test_in_use() -> None:
    """A port in use is told from other failures."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match=r"in use|10048") as caught:
            listen("127.0.0.1", taken.getsockname()[1])
        assert in_use(caught.value)
    with pytest.raises(OSError, match=r"assign|10049") as caught:
        listen("192.0.2.1", 0)
    assert not in_use(caught.value)
    assert caught.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("localhost", "http://localhost:1"),
        ("::1", "http://[::1]:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("", "http://127.0.0.1:1"),
        ("box.lan", "http://box.lan:1"),
    ],
)
def test_address(host: str, url: str) -> None:
    """The address is one that a client on this machine can use."""
    assert url_at(Settings.load(host=host), 1) == url


def test_token_in_the_address() -> None:
    """A token of any characters survives the address."""
    assert dashboard_url("http://x", "a&b=c/d+é") == "http://x/?token=a%26b%3Dc%2Fd%2B%C3%A9"
