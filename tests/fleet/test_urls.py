"""The URLs of the servers of a bus."""

from __future__ import annotations

import pytest

from wintun_api.errors import InvalidArgument
from wintun_api.fleet.urls import MAX_SERVERS, check_servers, host_in, is_loopback


def test_urls_get_their_port() -> None:
    """A URL without a port has the one of NATS; addresses of IPv6 keep their brackets."""
    given = ["tls://hub.example.com", "nats://[::1]", "tls://192.0.2.1:5222/"]
    assert check_servers(given) == (
        "tls://hub.example.com:4222",
        "nats://[::1]:4222",
        "tls://192.0.2.1:5222",
    )


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        ([], "There are 0 servers"),
        (["nats://localhost"] * (MAX_SERVERS + 1), "There are 17 servers"),
        (["http://localhost"], "must begin with tls:// or nats://"),
        (["hub.example.com:4222"], "must begin with tls:// or nats://"),
        (["nats://hub:4222"], "without encryption"),
        (["nats://10.0.0.1"], "without encryption"),
        (["tls://user:secret@hub"], "has a user or a password"),
        (["tls://hub:99999"], "address or port is not valid"),
        (["tls://[::1"], "address or port is not valid"),
        (["tls://hub/path"], "something comes after its port"),
        (["tls://:4222"], "names no host"),
        (["tls://hub\n"], "is not the URL of a server"),
    ],
    ids=lambda one: str(one)[:32],
)
def test_a_url_that_is_wrong(servers: list[str], reason: str) -> None:
    """Each fault has a sentence of its own, without a password that may be in the URL."""
    with pytest.raises(InvalidArgument) as caught:
        check_servers(servers)
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


def test_loopback_is_this_machine() -> None:
    """Names and addresses that do not leave the machine need no encryption."""
    hosts = [host_in(one) for one in ("nats://localhost:1", "nats://[::1]:1", "nats://127.9.9.9:1")]
    assert all(map(is_loopback, hosts))
    assert not is_loopback("hub.example.com")
