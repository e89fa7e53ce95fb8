"""The options of `wintun-api bus` that say where its server listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import typer

from wintun_api.cli.own_addresses import own_addresses

if TYPE_CHECKING:
    from wintun_api.fleet.server.plan import Listening


def listening_in(listen: list[str], hostnames: list[str], before: Listening) -> Listening:
    """Return where a server listens.

    Args:
        listen: What --listen was given.
        hostnames: What --hostname was given.
        before: Where it has listened so far.

    Raises:
        typer.BadParameter: It is not an address with or without a port, or there are several.
    """
    from wintun_api.fleet.server.plan import Listening

    if len(listen) > 1:
        raise typer.BadParameter(
            "nats-server listens at one address, or with 0.0.0.0 or :: at all of this machine.",
            param_hint="--listen",
        )
    address, port = _address_in(listen[0]) if listen else (before.address, before.port)
    if hostnames:
        return Listening(address, port, tuple(map(_name_in, hostnames)), found=False)
    if before.found or address != before.address:
        return Listening(address, port, tuple(own_names(address)))
    return Listening(address, port, before.names, found=False)


def own_names(address: str) -> Iterator[str]:
    """Yield the names and addresses at which other machines may find this one."""
    listened = ip_address(address)
    if listened.is_loopback:
        return
    if listened.is_unspecified:
        yield from own_addresses(listened.version)
    else:
        yield address
    name = socket.gethostname()
    if name.isascii() and name:
        yield name


def has_no_address(listening: Listening) -> bool:
    """Return whether other machines find the server by the name of this machine alone."""
    return listening.found and listening.tls and not any(map(_is_address, listening.reached_at))


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        ip_address(text)
        return True
    return False


def _address_in(text: str) -> tuple[str, int]:
    from wintun_api.fleet.urls import PORT

    address, port = text.strip(), str(PORT)
    if address.startswith("["):
        address, closed, rest = address[1:].partition("]")
        port = "" if not closed else rest.removeprefix(":") if rest else port
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    if address == "localhost":
        address = "127.0.0.1"
    try:
        found = str(ip_address(address))
    except ValueError:
        found = ""
    if not found or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise typer.BadParameter(
            f"{text!r} is not an address to listen on. Write it as 127.0.0.1, 192.0.2.7:4222, "
            "[::1]:4222, or 0.0.0.0 for all addresses.",
            param_hint="--listen",
        )
    return found, int(port)


def _name_in(text: str) -> str:
    name = text.strip()
    with suppress(ValueError):
        return str(ip_address(name.removeprefix("[").removesuffix("]")))
    if not name.isascii() or not all(
        part and len(part) <= 63 and part.replace("-", "").replace("_", "").isalnum()
        for part in name.split(".")
    ):
        raise typer.BadParameter(
            f"{text!r} is not a host name; give the name alone, such as hub.example.com.",
            param_hint="--hostname",
        )
    return name
