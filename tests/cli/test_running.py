"""Sockets and addresses of the server."""

from __future__ import annotations

import errno
import socket

import pytest

from wintun_api.cli.running import close, dashboard_url, in_use, listen, url_at
from wintun_api.settings import Settings


def test_one_port_for_every_address() -> None:
    """A name with several addresses gets one port on all of them."""
    sockets = listen("localhost", 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert all(one.getsockname()[0] in ("127.0.0.1", "::1") for one in sockets)
    finally:
        close(sockets)


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
