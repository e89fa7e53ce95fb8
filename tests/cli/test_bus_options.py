"""Where the server of a bus listens, and under which names it is found."""

from __future__ import annotations

import socket

import pytest
import typer

pytest.importorskip("nats", reason="not installed: nats")

from wintun_api.cli.bus_options import has_no_address, listening_in, own_names
from wintun_api.fleet.server.plan import Listening

BEFORE = Listening("127.0.0.1", 4222)


@pytest.mark.parametrize(
    ("given", "address", "port"),
    [
        ("192.0.2.7", "192.0.2.7", 4222),
        ("192.0.2.7:1", "192.0.2.7", 1),
        ("::1", "::1", 4222),
        ("[::1]", "::1", 4222),
        ("[::1]:99", "::1", 99),
        ("2001:DB8::0", "2001:db8::", 4222),
        ("localhost:99", "127.0.0.1", 99),
        (" 0.0.0.0 ", "0.0.0.0", 4222),
    ],
)
def test_addresses_are_read_as_people_write_them(given: str, address: str, port: int) -> None:
    """With and without a port, of both families, with and without brackets."""
    found = listening_in([given], [], BEFORE)
    assert (found.address, found.port) == (address, port)


@pytest.mark.parametrize("given", ["hub", "1.2.3", "[::1", "[::1]x", "1.2.3.4:", ":4222", "::1:x"])
def test_what_is_not_an_address_is_refused(given: str) -> None:
    """The message shows how it is written."""
    with pytest.raises(typer.BadParameter, match="is not an address to listen on"):
        listening_in([given], [], BEFORE)


def test_names_that_were_given_stay_until_others_are_given() -> None:
    """A start without options keeps them; another address asks for new ones."""
    first = listening_in(["0.0.0.0"], ["hub.example.com", "[2001:db8::7]"], BEFORE)
    assert first.names == ("hub.example.com", "2001:db8::7")
    assert listening_in([], [], first) == first
    assert listening_in(["0.0.0.0:99"], [], first).names == first.names
    assert listening_in(["192.0.2.7"], [], first).names[0] == "192.0.2.7"
    assert listening_in([], ["hub"], first).names == ("hub",)


def test_names_that_were_found_are_looked_for_at_every_start() -> None:
    """A machine that got another address tells it with the next key."""
    before = Listening("0.0.0.0", 4222, ("an address of last year",))
    assert "an address of last year" not in listening_in([], [], before).names


def test_a_server_on_loopback_has_no_other_names() -> None:
    """Nobody else can reach it."""
    assert list(own_names("127.0.0.1")) == list(own_names("::1")) == []


def test_a_server_on_all_addresses_is_found_by_the_name_of_the_machine() -> None:
    """Besides the address from which other networks are reached."""
    assert socket.gethostname() in list(own_names("0.0.0.0"))


def test_a_machine_without_addresses_is_noticed() -> None:
    """Not a name that was given, nor a server on loopback."""
    assert has_no_address(Listening("0.0.0.0", names=("box",)))
    assert not has_no_address(Listening("0.0.0.0", names=("192.0.2.7", "box")))
    assert not has_no_address(Listening("0.0.0.0", names=("box",), found=False))
    assert not has_no_address(BEFORE)
